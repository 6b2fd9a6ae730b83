"""What Asana documents of each operation: its parameters, its record's fields, the compact forms.

`documented.json` is made from Asana's OpenAPI document by `from_openapi`.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Tree = dict[str, "Tree"]

TABLE = Path(__file__).with_name("documented.json")


@dataclass(frozen=True)
class Operation:
    """A documented GET: what may be asked of it and what it answers by default."""

    template: str
    parameters: frozenset[str]
    required: frozenset[str]
    record: str
    compact_by_default: bool
    opt_fields: frozenset[str]
    """The paths that the document lists; it leaves out `gid` and `resource_type`."""

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
        frozenset(row["opt_fields"]),
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
