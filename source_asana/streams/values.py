"""Values in what Asana sends, read so that nothing missing, null or of another type breaks a sync.

Such a value is unknown: it never means "no", "none" or "old". Pure.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

Record = dict[str, Any]

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGITS = re.compile(r"[0-9]+")


def gid_of(value: Any) -> str | None:
    """The gid of an object; None where `value` is no object or has no usable one.

    A number counts as the string that it should have been.
    """
    gid = value.get("gid") if isinstance(value, Mapping) else None
    if isinstance(gid, int) and not isinstance(gid, bool):
        gid = str(gid)
    return gid if isinstance(gid, str) and gid.strip() else None


def usable(entries: Iterable[Any], *, in_requests: bool = False) -> list[Record]:
    """The entries that are records with a gid, each with its gid as a string.

    `in_requests`: the gids also go into requests and into the state, so only digits will do.
    """
    found: list[Record] = []
    for entry in entries:
        gid = gid_of(entry)
        if gid is not None and (not in_requests or _DIGITS.fullmatch(gid)):
            found.append(entry if entry["gid"] is gid else {**entry, "gid": gid})
    return found


def first_of_each(records: Iterable[Record], seen: set[str]) -> list[Record]:
    """The records whose gid is not in `seen`, each gid once; adds their gids to `seen`."""
    fresh: list[Record] = []
    for record in records:
        if record["gid"] not in seen:
            seen.add(record["gid"])
            fresh.append(record)
    return fresh


def held(value: Any) -> list[Any]:
    """The entries of a column: those of a list, the one object in it, or none."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def reference(value: Any) -> Record:
    """An object that a record refers to; empty where it is unknown or there is none."""
    return value if isinstance(value, dict) and gid_of(value) else {}


def has_parent(task: Record) -> bool:
    """Whether a task is, or may be, below another one; Asana says null where it is not."""
    return task.get("parent", ...) is not None


def gids_in(value: Any) -> list[str] | None:
    """The gids of a list of objects; None where not all of them are known."""
    if not isinstance(value, list):
        return None
    gids = [gid for entry in value if (gid := gid_of(entry))]
    return gids if len(gids) == len(value) else None


def is_before(value: Any, moment: str) -> bool:
    """Whether a record's time, or day, lies before a moment, both as Asana writes them.

    An unknown one does not: what has it counts as new.
    """
    if is_time(value):
        return bool(value < moment)
    is_day = isinstance(value, str) and _DAY.fullmatch(value)
    return bool(is_day) and value < moment[: len("2026-11-20")]


def is_time(value: Any) -> bool:
    """Whether it is a moment as Asana writes it."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return False
    try:
        return bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def is_zero(value: Any) -> bool:
    """Whether a count says that there is nothing."""
    return isinstance(value, int) and not isinstance(value, bool) and value == 0
