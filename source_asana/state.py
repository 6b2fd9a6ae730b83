"""What has been read up to when, project by project. Pure.

A stream's state is written by time, for many projects share one:

    {"modified_since": {"2026-11-20T10:00:00.000Z": ["1201", "1202"]}, "sync_tokens": {"1201": "…"}}

A full refresh keeps the same under "done" while it lasts, and ends with Airbyte's own marker.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import pendulum

Blob = dict[str, Any]

FULL_REFRESH_COMPLETE = "__ab_full_refresh_sync_complete"
TIME_FORMAT = "YYYY-MM-DD[T]HH:mm:ss.SSS[Z]"
TIME_LENGTH = len("2026-11-20T10:00:00.000Z")
CDK_CURSOR = {"states", "state", "parent_state", "use_global_cursor", "lookback_window"}
LOOKBACK_MINUTES = 5
"""How far before its own beginning a sync's successor looks: Asana's clocks are not one clock."""


@dataclass(frozen=True)
class Mark:
    """From when the next sync must look below one project, and its events' sync token."""

    since: str
    token: str | None = None


Marks = Mapping[str, Mark]


class UnknownState(Exception):
    """The state is of no shape that this connector writes."""


@lru_cache(maxsize=8)  # asked for with every page, and the same for a second
def mark_time(date_header: str) -> str:
    """The mark of what is requested from now on, by the `Date` of an answer of the server."""
    return _utc(date_header).subtract(minutes=LOOKBACK_MINUTES).format(TIME_FORMAT)


def asana_time(date_header: str) -> str:
    """The `Date` of an answer of the server, as Asana's records write times."""
    return _utc(date_header).format(TIME_FORMAT)


def incremental_marks(blob: Mapping[str, Any]) -> dict[str, Mark]:
    """The marks that an incremental sync goes on from; none for the states that have none.

    Raises UnknownState for what is neither ours, nor empty, nor written by Airbyte's CDK.
    """
    if _is_of_the_cdk(blob) or set(blob) == {"done"}:
        return {}
    if set(blob) - {"modified_since", "sync_tokens"}:
        raise UnknownState
    tokens = _tokens(blob.get("sync_tokens", {}))
    times = _by_project(blob.get("modified_since", {}))
    return {project: Mark(since, tokens.get(project)) for project, since in times.items()}


def done_projects(blob: Mapping[str, Any]) -> dict[str, Mark]:
    """The projects that an interrupted full refresh has finished."""
    try:
        times = _by_project(blob.get("done", {}))
    except UnknownState:
        return {}  # to begin anew is always right
    return {project: Mark(time) for project, time in times.items()}


def incremental_blob(marks: Marks) -> Blob:
    """The state of a stream that is read incrementally."""
    tokens = {project: mark.token for project, mark in sorted(marks.items()) if mark.token}
    return {"modified_since": _by_time(marks)} | ({"sync_tokens": tokens} if tokens else {})


def full_refresh_blob(marks: Marks) -> Blob:
    """The state of a stream whose full refresh is under way."""
    return {"done": _by_time(marks)}


def _utc(date_header: str) -> pendulum.DateTime:
    return pendulum.instance(parsedate_to_datetime(date_header)).in_timezone("UTC")


def _is_of_the_cdk(blob: Mapping[str, Any]) -> bool:
    """Whether it is a state that tells nothing of ours: a marker, or that of a CDK's cursor."""
    return all(str(name).startswith("__ab_") or name in CDK_CURSOR for name in blob)


def _by_time(marks: Marks) -> dict[str, list[str]]:
    times: dict[str, list[str]] = {}
    for project, mark in sorted(marks.items(), key=lambda of: (of[1].since, of[0])):
        times.setdefault(mark.since, []).append(project)
    return times


def _by_project(times: Any) -> dict[str, str]:
    if not isinstance(times, Mapping) or not all(
        _is_time(time) and _are_gids(gids) for time, gids in times.items()
    ):
        raise UnknownState
    # Of two times of a project the older one is safe.
    return {gid: time for time, gids in sorted(times.items(), reverse=True) for gid in gids}


def _is_time(value: Any) -> bool:
    """Whether it is a time as we write it: so written, times are in order as strings too."""
    if not isinstance(value, str) or not value.isascii() or len(value) != TIME_LENGTH:
        return False
    try:
        return bool(pendulum.from_format(value, TIME_FORMAT))
    except ValueError:
        return False


def _are_gids(values: Any) -> bool:
    return isinstance(values, list) and all(
        isinstance(v, str) and v.isascii() and v.isdigit() for v in values
    )


def _tokens(values: Any) -> dict[str, str]:
    if not isinstance(values, Mapping) or not all(_is_token(v) for v in values.values()):
        raise UnknownState
    return dict(values)


def _is_token(value: Any) -> bool:
    """Whether Asana can have given it: it is opaque, but has come in JSON to go out in a URL."""
    return isinstance(value, str) and value.isascii() and value.isprintable() and value != ""
