"""Data that Asana should not send: changes to the `data` of answers, for `Controls.alter`."""

from collections.abc import Callable
from typing import Any

Data = Any
Change = Callable[[Data], Data]

ABSENT: Any = ...
"""Stands for a missing value."""


def with_entries(*entries: Any) -> Change:
    """Insert these entries after the first one; an empty listing stays empty."""
    return lambda data: [*data[:1], *entries, *data[1:]] if is_page(data) else data


def repeated(data: Data) -> Data:
    """Repeat each entry."""
    return [entry for entry in data for _ in range(2)] if isinstance(data, list) else data


def with_numeric_gids(data: Data) -> Data:
    """Turn each gid into a number."""
    if not isinstance(data, list):
        return data
    return [{**each, "gid": int(each["gid"])} if "gid" in each else each for each in data]


def with_value(path: str, value: Any, of: str | None = None) -> Change:
    """Set a value at a path of each record (or of one gid), or remove it if `ABSENT`.

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
    """Whether `data` is a page with at least one record."""
    return isinstance(data, list) and bool(data)
