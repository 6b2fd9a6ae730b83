"""Makes `documented.json` from Asana's OpenAPI document, which is not part of this project.

python -m integration_tests.asana_emulator.from_openapi asana_oas.yaml
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .documented import TABLE
from .endpoints import DOCUMENTED_TEMPLATES

Schema = Mapping[str, Any]

PAGE_ATTRIBUTES = frozenset({"offset", "path", "uri"})
IMPLICIT = frozenset({"gid", "resource_type"})
NAMED_OTHERWISE = {"rbac_role": "role"}
"""The `resource_type` of a schema whose name does not have it."""


@dataclass(frozen=True)
class OpenApi:
    """The parts of Asana's OpenAPI document that the table needs."""

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
        """The name of the record's schema in an answer, and whether the answer is a list."""
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
        asked = _named_fields(parameters)
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
            "opt_fields": sorted(_listed_paths(parameters)),
        }
        if not asked:
            continue
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
    """The table as text: one operation or field per line."""
    text = json.dumps(made, indent=1)
    rows = re.compile(r'^  "/.*?^  \}', re.MULTILINE | re.DOTALL)
    return rows.sub(lambda row: " ".join(row[0].split()).join(("  ", "")), text) + "\n"


def _listed_paths(parameters: Mapping[str, Schema]) -> set[str]:
    """The paths that the document lists for `opt_fields`, without the records of the page."""
    if "opt_fields" not in parameters:
        return set()
    enum = parameters["opt_fields"]["schema"]["items"]["enum"]
    return {path for path in enum if path not in PAGE_ATTRIBUTES}


def _named_fields(parameters: Mapping[str, Schema]) -> set[str]:
    """The fields allowed in `opt_fields`; none if an operation has no such parameter."""
    if "opt_fields" not in parameters:
        return set()
    return {path.split(".")[0] for path in _listed_paths(parameters)} | IMPLICIT


def _in_query(parameter: Schema) -> bool:
    return bool(parameter["in"] == "query")


def _compact_forms(openapi: OpenApi) -> dict[str, list[str]]:
    forms: dict[str, list[str]] = {}
    for name, schema in openapi.document["components"]["schemas"].items():
        properties = openapi.properties(schema)
        if name.endswith("Compact") and "resource_type" in properties:
            stem = name.removesuffix("Compact").removeprefix("Deprecated")
            snake_case = re.sub(r"(?<!^)(?=[A-Z])", "_", stem).lower()
            resource_type = NAMED_OTHERWISE.get(snake_case, snake_case)
            if name.startswith("Deprecated") or resource_type not in forms:
                forms[resource_type] = [
                    field for field, found in properties.items() if not openapi.is_opt_in(found)
                ]
    return dict(sorted(forms.items()))


def main(openapi_file: str) -> None:
    document = yaml.load(Path(openapi_file).read_text(), Loader=yaml.CSafeLoader)
    made = made_from(document, DOCUMENTED_TEMPLATES)
    TABLE.write_text(written(made))


if __name__ == "__main__":
    main(sys.argv[1])
