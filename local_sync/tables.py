"""The columns of each stream's table, and its sync mode. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from math import isfinite
from typing import Any

from source_asana.streams.declared import STREAMS, AuditLogEvents
from source_asana.streams.sources import DELETED_AT, StreamClass

EXTRACTED_AT = "_airbyte_extracted_at"
GENERATION = "_airbyte_generation_id"
INTEGER_LIMIT = 2**63


class Kind(Enum):
    """The type of a column."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    JSON = "json"


@dataclass(frozen=True)
class Table:
    """The table of a stream.

    `columns`: of its records. `is_incremental`: whether a sync reads only changes; otherwise it
    reads everything. `keeps_all`: whether rows stay that Asana no longer returns.
    """

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, Kind]
    is_incremental: bool
    keeps_all: bool

    @property
    def marks_deletions(self) -> bool:
        """Whether a deleted record stays, with the time of its deletion."""
        return DELETED_AT in self.columns


def table_of(name: str) -> Table:
    """The table of a stream.

    A stream is incremental if Asana reports its deletions, or keeps its records for some days only
    (events, the audit log). Other streams are read in full, because only that shows deletions.
    """
    stream = STREAMS[name]
    schema = stream.json_schema()
    is_forgotten = _is_forgotten(stream)
    return Table(
        name=name,
        key=stream.key,
        columns={column: kind_of(shape) for column, shape in schema["properties"].items()},
        is_incremental=bool(stream.cursor_field)
        and (stream.event_type is not None or is_forgotten),
        keeps_all=is_forgotten,
    )


def _is_forgotten(stream: StreamClass) -> bool:
    """Whether Asana keeps these records for some days only."""
    return stream.is_incremental_only() or stream is AuditLogEvents


def kind_of(shape: Mapping[str, Any]) -> Kind:
    """The type of a column with this JSON schema."""
    named = shape["type"]
    types = {named} if isinstance(named, str) else set(named) - {"null"}
    only = types.pop() if len(types) == 1 else None
    if only == "string":
        return _KINDS_OF_TEXT.get(shape.get("format"), Kind.TEXT)
    return _KINDS.get(only, Kind.JSON)


_KINDS_OF_TEXT: Mapping[str | None, Kind] = {"date": Kind.DATE, "date-time": Kind.TIME}
_KINDS: Mapping[str | None, Kind] = {
    "integer": Kind.INTEGER,
    "number": Kind.NUMBER,
    "boolean": Kind.BOOLEAN,
}


def fits(kind: Kind, value: Any) -> bool:
    """Whether a value fits a column of this type."""
    if value is None or kind in (Kind.TEXT, Kind.JSON):
        return True
    try:
        return bool(_TESTS[kind](value))
    except (TypeError, ValueError):
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


_TESTS: Mapping[Kind, Callable[[Any], object]] = {
    Kind.BOOLEAN: lambda value: isinstance(value, bool),
    Kind.DATE: date.fromisoformat,
    Kind.TIME: datetime.fromisoformat,
    Kind.INTEGER: lambda value: _is_number(value) and abs(value) < INTEGER_LIMIT,
    Kind.NUMBER: _is_number,
}
