"""Data that Asana should not send: what `Controls.alter` makes of the `data` of an answer."""

from collections.abc import Callable
from typing import Any

Data = Any
Change = Callable[[Data], Data]

ABSENT: Any = ...
"""Stands for a value that is not there at all."""


def with_entries(*entries: Any) -> Change:
    """The listing, with these entries after the first one; an empty one stays empty."""
    return lambda data: [*data[:1], *entries, *data[1:]] if is_page(data) else data


def repeated(data: Data) -> Data:
    """The listing, with each entry twice."""
    return [entry for entry in data for _ in range(2)] if isinstance(data, list) else data


def with_numeric_gids(data: Data) -> Data:
    """The listing, with each gid as a number."""
    if not isinstance(data, list):
        return data
    return [{**each, "gid": int(each["gid"])} if "gid" in each else each for each in data]


def with_value(path: str, value: Any, of: str | None = None) -> Change:
    """Each record (or the one with a gid) with a value at a path, or without it if `ABSENT`.

    The path goes through lists to their first entry.
    """

    def changed(data: Data) -> Data:
        if isinstance(data, list):
            return [changed(entry) for entry in data]
        return data if of not in (None, data.get("gid")) else _with(data, path.split("."), value)

    return changed


def _with(record: Data, path: list[str], value: Any) -> Data:
    if isinstance(record, list):
        return [_with(record[0], path, value), *record[1:]] if record else record
    if not isinstance(record, dict):
        return record
    name, *below = path
    if below:
        return {**record, name: _with(record.get(name), below, value)}
    if value is ABSENT:
        return {key: kept for key, kept in record.items() if key != name}
    return {**record, name: value}


def is_page(data: Data) -> bool:
    """Whether it is a page of a listing with something on it."""
    return isinstance(data, list) and bool(data)
