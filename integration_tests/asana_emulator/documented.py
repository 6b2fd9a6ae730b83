"""What Asana documents of each operation: its parameters, its record's fields, the compact forms.

`documented.json` is made from Asana's OpenAPI document, which is not part of this project:

    python -m integration_tests.asana_emulator.documented asana_oas.yaml
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]
Tree = dict[str, "Tree"]

TABLE = Path(__file__).with_name("documented.json")
PAGE_ATTRIBUTES = frozenset({"offset", "path", "uri"})
IMPLICIT = frozenset({"gid", "resource_type"})


@dataclass(frozen=True)
class Operation:
    """A documented GET: what may be asked of it and what it answers by default."""

    template: str
    parameters: frozenset[str]
    required: frozenset[str]
    record: str
    compact_by_default: bool

    @property
    def pages(self) -> bool:
        """Whether the operation documents `limit`."""
        return "limit" in self.parameters


@cache
def table() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(TABLE.read_text())
    return loaded


@cache
def operation(template: str) -> Operation:
    row = table()["operations"][template]
    return Operation(
        template,
        frozenset(row["parameters"]),
        frozenset(row["required"]),
        row["record"],
        row["compact_by_default"],
    )


@cache
def field_tree(record: str) -> Tree:
    """Every name that may be asked of a record, nested as the record is."""
    tree: Tree = {}
    for path in table()["fields"][record]:
        below = tree
        for name in path.split("."):
            below = below.setdefault(name, {})
    return tree


@cache
def opt_in(record: str) -> frozenset[str]:
    """Fields that a single record lacks unless `opt_fields` names them."""
    return frozenset(table()["opt_in"][record])


@cache
def compact_names(resource_type: str | None) -> tuple[str, ...] | None:
    """The compact form of a resource; None where Asana has none, hence the whole object."""
    names = table()["compact"].get(resource_type)
    return None if names is None else tuple(names)


# --- making the table from the OpenAPI document -------------------------------------------------


@dataclass(frozen=True)
class OpenApi:
    """Asana's OpenAPI document, as far as the table needs it."""

    document: Schema

    def resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            kind, name = schema["$ref"].split("/")[-2:]
            schema = self.document["components"][kind][name]
        return schema

    def properties(self, schema: Schema) -> dict[str, Schema]:
        """The properties of an object, or of an array's items, with those of all its parts."""
        merged: dict[str, Schema] = {}
        resolved = self.resolved(schema)
        parts = [part for key in ("allOf", "oneOf", "anyOf") for part in resolved.get(key, ())]
        if "items" in resolved:
            parts.append(resolved["items"])
        for part in parts:
            merged.update(self.properties(part))
        merged.update(resolved.get("properties", {}))
        return merged

    def paths(self, schema: Schema, prefix: str = "") -> Iterator[str]:
        for name, below in self.properties(schema).items():
            yield prefix + name
            yield from self.paths(below, f"{prefix}{name}.")

    def is_opt_in(self, schema: Schema) -> bool:
        own = [schema, *(part for part in schema.get("allOf", ()) if "$ref" not in part)]
        return any("[Opt In]" in part.get("description", "") for part in own)

    def parameters(self, template: str) -> dict[str, Schema]:
        path = self.document["paths"][template]
        declared = [*path.get("parameters", ()), *path["get"].get("parameters", ())]
        return {found["name"]: found for found in map(self.resolved, declared)}

    def answer(self, template: str) -> Schema:
        """The schema of a successful answer's body."""
        responses = self.document["paths"][template]["get"]["responses"]
        success = responses.get(200) or responses["200"]
        body: Schema = success["content"]["application/json"]["schema"]
        return body

    def record_schema(self, template: str) -> tuple[str, bool]:
        """The name of the record's schema in an answer, and whether a list is answered."""
        record = self.answer(template)["properties"]["data"]
        listed = "items" in record
        return (record["items"] if listed else record)["$ref"].split("/")[-1], listed

    def full_schema(self, name: str) -> str:
        stem = name.removesuffix("Compact").removesuffix("Response")
        schemas = self.document["components"]["schemas"]
        candidates = (f"{stem}Response", f"{stem}NormalResponse", name)
        return next(found for found in candidates if found in schemas)


def made_from(document: Schema, templates: list[str]) -> dict[str, Any]:
    """The table for these operations."""
    openapi = OpenApi(document)
    operations: dict[str, Any] = {}
    fields: dict[str, list[str]] = {}
    opt_in_fields: dict[str, list[str]] = {}
    for template in sorted(templates):
        parameters = openapi.parameters(template)
        name, _ = openapi.record_schema(template)
        full = openapi.full_schema(name)
        schema = document["components"]["schemas"][full]
        asked = {
            path.split(".")[0]
            for path in parameters["opt_fields"]["schema"]["items"]["enum"]
            if path not in PAGE_ATTRIBUTES
        } | IMPLICIT
        whole = set(openapi.properties(schema)) <= asked
        record = full if whole else name
        operations[template] = {
            "parameters": sorted(name for name, found in parameters.items() if _in_query(found)),
            "required": sorted(
                name
                for name, found in parameters.items()
                if _in_query(found) and found.get("required")
            ),
            "record": record,
            "compact_by_default": name.endswith("Compact"),
        }
        fields[record] = sorted(
            path for path in set(openapi.paths(schema)) if path.split(".")[0] in asked
        )
        opt_in_fields[record] = sorted(
            field
            for field, found in openapi.properties(schema).items()
            if field in asked and openapi.is_opt_in(found)
        )
    return {
        "operations": operations,
        "fields": dict(sorted(fields.items())),
        "opt_in": dict(sorted(opt_in_fields.items())),
        "compact": _compact_forms(openapi),
    }


def written(made: Mapping[str, Any]) -> str:
    """The table as it stands in its file: an operation a line, a field a line."""
    text = json.dumps(made, indent=1)
    rows = re.compile(r'^  "/.*?^  \}', re.MULTILINE | re.DOTALL)
    return rows.sub(lambda row: " ".join(row[0].split()).join(("  ", "")), text) + "\n"


def _in_query(parameter: Schema) -> bool:
    return bool(parameter["in"] == "query")


def _compact_forms(openapi: OpenApi) -> dict[str, list[str]]:
    forms: dict[str, list[str]] = {}
    for name, schema in openapi.document["components"]["schemas"].items():
        properties = openapi.properties(schema)
        if name.endswith("Compact") and "resource_type" in properties:
            stem = name.removesuffix("Compact").removeprefix("Deprecated")
            resource_type = re.sub(r"(?<!^)(?=[A-Z])", "_", stem).lower()
            if name.startswith("Deprecated") or resource_type not in forms:
                forms[resource_type] = [
                    field for field, found in properties.items() if not openapi.is_opt_in(found)
                ]
    return dict(sorted(forms.items()))


def _main(openapi_file: str) -> None:
    import yaml  # noqa: PLC0415  only this program needs it

    from .endpoints import DOCUMENTED_TEMPLATES  # noqa: PLC0415  the endpoints read the table

    document = yaml.load(Path(openapi_file).read_text(), Loader=yaml.CSafeLoader)  # noqa: S506
    made = made_from(document, DOCUMENTED_TEMPLATES)
    TABLE.write_text(written(made))


if __name__ == "__main__":
    _main(sys.argv[1])
