"""The vocabulary in which record shapes are written: a shape gives the schema and the request."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

JsonSchema = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Shape(ABC):
    """What a value looks like. Any value may be null: Asana promises little more than gids.

    Two shapes are equal if their values look the same, whatever they mean.
    """

    meaning: str = field(default="", compare=False)
    joins_to: tuple[str, ...] = field(default=(), compare=False)
    """The streams that have a record with the value's gid."""

    def means(self, meaning: str) -> Self:
        """The same shape, of a column that holds this: one or two sentences."""
        return replace(self, meaning=meaning)

    def joins(self, *streams: str) -> Self:
        """The same shape, of a value that refers to a record of one of these streams.

        Its parts lose their descriptions: they stand in that stream already.
        """
        return replace(self._of_plain_parts(), joins_to=streams)

    def plain(self) -> Self:
        """The same shape without a description."""
        return replace(self._of_plain_parts(), meaning="", joins_to=())

    def _of_plain_parts(self) -> Self:
        return self

    @property
    def description(self) -> str:
        """What a person is told about the column, empty if there is nothing to tell."""
        gids = [f"{stream}.gid" for stream in self.joins_to]
        joins = f"{self._joining} {or_(gids)}." if gids else ""
        return f"{self.meaning} {joins}".strip()

    @property
    def _joining(self) -> str:
        return "Joins to"

    def json_schema(self) -> JsonSchema:
        """What a destination is told."""
        description = {"description": self.description} if self.description else {}
        return self.bare_schema() | description

    @abstractmethod
    def bare_schema(self) -> JsonSchema:
        """The same, without the description of the value as a whole."""

    @abstractmethod
    def paths(self, name: str) -> Iterator[str]:
        """What Asana is asked for, where a record holds the value as `name`."""


@dataclass(frozen=True)
class Leaf(Shape):
    """A value without parts."""

    json_type: str
    json_format: str | None = None

    def bare_schema(self) -> JsonSchema:
        schema: JsonSchema = {"type": ["null", self.json_type]}
        return schema | {"format": self.json_format} if self.json_format else schema

    def paths(self, name: str) -> Iterator[str]:
        yield name


@dataclass(frozen=True)
class ArrayShape(Shape):
    """Values of one shape. Asana's paths go through an array as if it were its element."""

    items: Shape

    @property
    def _joining(self) -> str:
        return "Each joins to"

    def _of_plain_parts(self) -> Self:
        return replace(self, items=self.items.plain())

    def bare_schema(self) -> JsonSchema:
        return {"type": ["null", "array"], "items": self.items.bare_schema()}

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
        return replace(self, by_name=True)

    def _of_plain_parts(self) -> Self:
        return replace(self, columns={name: part.plain() for name, part in self.columns.items()})

    def bare_schema(self) -> JsonSchema:
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
    """An array of such values; it refers to what each of them refers to."""
    return ArrayShape(shape, joins_to=shape.joins_to)


def object_(**columns: Shape) -> ObjectShape:
    return ObjectShape(columns)


def or_(names: Sequence[str]) -> str:
    """The names as an English list: `a, b, or c`."""
    *most, last = names
    if len(most) > 1:
        return f"{', '.join(most)}, or {last}"
    return " or ".join(names)


def catalog_schema(
    record: ObjectShape, *, key: Collection[str], added: Mapping[str, Shape] | None = None
) -> JsonSchema:
    """Schema of a stream of such records, whose key is never null.

    `added` are the columns that the connector adds: they are not requested.
    """
    schema = record.also(**(added or {})).bare_schema()
    for name in key:
        schema["properties"][name]["type"] = "string"
    return {"$schema": "http://json-schema.org/draft-07/schema#", **schema, "type": "object"}
