"""The vocabulary in which record shapes are written: a shape gives the schema and the request."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

JsonSchema = dict[str, Any]


class Shape(Protocol):
    """What a value looks like. Any value may be null: Asana promises little more than gids."""

    def json_schema(self) -> JsonSchema:
        """What a destination is told."""

    def paths(self, name: str) -> Iterator[str]:
        """What Asana is asked for, where a record holds the value as `name`."""


@dataclass(frozen=True)
class Leaf(Shape):
    """A value without parts."""

    json_type: str
    json_format: str | None = None

    def json_schema(self) -> JsonSchema:
        schema: JsonSchema = {"type": ["null", self.json_type]}
        return schema | {"format": self.json_format} if self.json_format else schema

    def paths(self, name: str) -> Iterator[str]:
        yield name


@dataclass(frozen=True)
class ArrayShape(Shape):
    """Values of one shape. Asana's paths go through an array as if it were its element."""

    items: Shape

    def json_schema(self) -> JsonSchema:
        return {"type": ["null", "array"], "items": self.items.json_schema()}

    def paths(self, name: str) -> Iterator[str]:
        yield from self.items.paths(name)


@dataclass(frozen=True)
class ObjectShape(Shape):
    """Named values. What Asana sends beyond them may pass.

    `by_name`: it is asked for by its own name too, because Asana does not list what is in it.
    """

    columns: Mapping[str, Shape]
    by_name: bool = field(default=False, compare=False)

    def only(self, *names: str) -> "ObjectShape":
        """The same shapes, fewer columns."""
        return ObjectShape({name: self.columns[name] for name in names})

    def also(self, **columns: Shape) -> "ObjectShape":
        """The same columns, and these after them."""
        return ObjectShape({**self.columns, **columns})

    def asked_by_name(self) -> "ObjectShape":
        """The same columns, of an object that is asked for by its own name too."""
        return ObjectShape(self.columns, by_name=True)

    def json_schema(self) -> JsonSchema:
        return {
            "type": ["null", "object"],
            "additionalProperties": True,
            "properties": {name: shape.json_schema() for name, shape in self.columns.items()},
        }

    def paths(self, name: str) -> Iterator[str]:
        if self.by_name:
            yield name
        for column, shape in self.columns.items():
            yield from shape.paths(f"{name}.{column}")

    def opt_fields(self, columns: Collection[str] | None = None) -> list[str]:
        """Every leaf of a record, or of those columns of it, and nothing else.

        https://developers.asana.com/docs/inputoutput-options
        """
        return [
            path
            for column, shape in self.columns.items()
            if columns is None or column in columns
            for path in shape.paths(column)
        ]


STRING = Leaf("string")
INTEGER = Leaf("integer")
NUMBER = Leaf("number")
BOOLEAN = Leaf("boolean")
DATE = Leaf("string", "date")
DATE_TIME = Leaf("string", "date-time")


def array_of(shape: Shape) -> ArrayShape:
    return ArrayShape(shape)


def object_(**columns: Shape) -> ObjectShape:
    return ObjectShape(columns)


def catalog_schema(
    record: ObjectShape, *, key: Collection[str], added: Collection[str] = ()
) -> JsonSchema:
    """Schema of a stream of such records, whose key is never null.

    `added` are the names of the strings that the connector adds: they are not requested.
    """
    schema = record.also(**dict.fromkeys(added, STRING)).json_schema()
    for name in key:
        schema["properties"][name]["type"] = "string"
    return {"$schema": "http://json-schema.org/draft-07/schema#", **schema, "type": "object"}
