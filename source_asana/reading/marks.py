"""What has been read up to when, project by project. Pure.

A stream's state is written by time, for many projects share one:

    {"modified_since": {"2026-11-20T10:00:00.000Z": ["1201", "1202"]}, "sync_tokens": {"1201": "…"}}

Where a whole workspace has one sync token, its projects stand behind it:

    {"workspace_tokens": {"1100": {"…": ["1201", "1202"]}}}

Requests below a project that failed, projects that a doubt has made a sync look at closely, and the
workspaces that projects are in, stand beside that:

    {"missing": {"1201": {"tasks/{task}/stories": ["1301"]}}}
    {"checked": {"2026-11-20T10:00:00.000Z": ["1202"]}}
    {"workspace": "1100", "other_workspaces": {"1101": ["1203"]}}

What was found of shortcuts stands beside that too. If their claims have proved wrong, what is below
projects with marks up to a time may lack something and is read again:

    {"evidence": {"agreed": 691, "counter": 80, "met": 691, "is_wrong": 1}}
    {"doubted_until": "2026-11-20T10:00:00.000Z"}

A full refresh keeps the same under "done" while it lasts, and ends with Airbyte's own marker. What
the user had left out stands beside it:

    {"left_out": {"before": "2026-01-01T00:00:00.000Z", "below_subtasks": true}}
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pendulum

from source_asana.asana.times import TIME_FORMAT
from source_asana.reading.exports.kept_exports import EXPORTS
from source_asana.reading.shortcuts.evidence import IS_WRONG, TRUSTED, Evidence, Terms

Blob = dict[str, Any]

FULL_REFRESH_COMPLETE = "__ab_full_refresh_sync_complete"
TIME_LENGTH = len("2026-11-20T10:00:00.000Z")
CDK_CURSOR = {"states", "state", "parent_state", "use_global_cursor", "lookback_window"}
LEFT_OUT = "left_out"
WORKSPACE_TOKENS = "workspace_tokens"
UNKNOWN_HOME = "0"
MISSING, CHECKED = "missing", "checked"
WORKSPACE, OTHER_WORKSPACES = "workspace", "other_workspaces"
EVIDENCE, DOUBTED_UNTIL = "evidence", "doubted_until"
DETAILS = {MISSING, CHECKED, WORKSPACE, OTHER_WORKSPACES, EVIDENCE, DOUBTED_UNTIL, EXPORTS}
"""What a state may say beside times, tokens and filters."""

Evident = Mapping[str, int]
"""What was found of shortcuts, as `Evidence.numbers` gives it."""

NO_EVIDENCE: Evident = {}

Missing = frozenset[tuple[str, str]]
"""Requests that failed: the path as `AsanaStream.path` writes it, and the gid that it is for."""


@dataclass(frozen=True)
class Mark:
    """From when the next sync must look below one project, and the sync token of its events.

    `workspace`: the workspace that the token belongs to, if it is not the project's own. `missing`:
    what could not be read and is asked for again. `checked`: when a doubt last made a sync look
    closer (the project was not listed, or events were missing). `home`: the project's workspace.
    `is_doubted`: a shortcut may have skipped what was there, so everything is read again.
    """

    since: str
    token: str | None = None
    workspace: str | None = None
    missing: Missing = frozenset()
    checked: str | None = None
    home: str | None = None
    is_doubted: bool = False


Marks = Mapping[str, Mark]


@dataclass(frozen=True)
class Coverage:
    """What marks speak of: all, but for what is from before `start`, or below subtasks."""

    start: str | None = None
    below_subtasks: bool = True

    def covers(self, wanted: "Coverage") -> bool:
        """Whether marks of this coverage say enough for a sync of that one."""
        if self.start is not None and (wanted.start is None or wanted.start < self.start):
            return False
        return self.below_subtasks or not wanted.below_subtasks

    def blob(self) -> Blob:
        """How a state says it; nothing, where nothing is left out."""
        left_out: Blob = {"before": self.start} if self.start else {}
        if not self.below_subtasks:
            left_out["below_subtasks"] = True
        return {LEFT_OUT: left_out} if left_out else {}


WHOLE = Coverage()


class UnknownState(Exception):
    """The state is of no shape that this connector writes."""


def incremental_marks(blob: Mapping[str, Any], wanted: Coverage = WHOLE) -> dict[str, Mark]:
    """The marks from which an incremental sync resumes; none for states without marks.

    Nor are there any if the user left out more than now: then everything is read again.
    Raises UnknownState for what is neither ours, nor empty, nor written by Airbyte's CDK.
    """
    if _is_of_the_cdk(blob) or set(blob) - {LEFT_OUT, EVIDENCE, EXPORTS} == {"done"}:
        return {}
    if set(blob) - {"modified_since", "sync_tokens", WORKSPACE_TOKENS, LEFT_OUT} - DETAILS:
        raise UnknownState
    if not _coverage(blob).covers(wanted):
        return {}
    tokens = _tokens(blob.get("sync_tokens", {}))
    shared = _workspace_tokens(blob.get(WORKSPACE_TOKENS, {}))
    times = _by_project(blob.get("modified_since", {}))
    missing = _missing(blob.get(MISSING, {}))
    checked = _by_project(blob.get(CHECKED, {}))
    homes = _homes(blob, times)
    doubted_until = _doubted_until(blob, times)
    marks: dict[str, Mark] = {}
    for project, since in times.items():
        token, workspace = shared.get(project, (tokens.get(project), None))
        marks[project] = Mark(
            since,
            token,
            workspace,
            missing=missing.get(project, frozenset()),
            checked=checked.get(project),
            home=homes.get(project),
            is_doubted=since <= doubted_until,
        )
    return marks


def evidence_in(blob: Mapping[str, Any]) -> dict[str, int]:
    """What was found of shortcuts. Raises UnknownState.

    What they had skipped before they proved wrong is told by the marks: these are doubted.
    """
    numbers = blob.get(EVIDENCE, {})
    if not isinstance(numbers, Mapping):
        raise UnknownState
    try:
        evidence = Evidence(Terms(), numbers)
    except ValueError:
        raise UnknownState from None
    left_out = TRUSTED if evidence.is_wrong else None
    return {name: number for name, number in numbers.items() if name != left_out}


def _doubted_until(blob: Mapping[str, Any], times: Mapping[str, str]) -> str:
    """The latest mark that a project may have and be doubted; empty if there is none."""
    numbers, known = blob.get(EVIDENCE, {}), blob.get(DOUBTED_UNTIL)
    if not isinstance(numbers, Mapping) or not (known is None or _is_time(known)):
        raise UnknownState
    if numbers.get(IS_WRONG) and numbers.get(TRUSTED):
        return max(times.values(), default="")
    return known or ""


def done_projects(blob: Mapping[str, Any], wanted: Coverage = WHOLE) -> dict[str, Mark]:
    """The projects that an interrupted full refresh has finished."""
    try:
        times = _by_project(blob.get("done", {})) if _coverage(blob).covers(wanted) else {}
        doubted_until = _doubted_until(blob, times)
    except UnknownState:
        return {}  # reading everything is always right
    return {project: Mark(time) for project, time in times.items() if time > doubted_until}


def incremental_blob(
    marks: Marks, coverage: Coverage = WHOLE, evidence: Evident = NO_EVIDENCE
) -> Blob:
    """The state of a stream that is read incrementally."""
    tokens: dict[str, str] = {}
    shared: dict[str, dict[str, list[str]]] = {}
    for project, mark in sorted(marks.items()):
        if not _is_token(mark.token):
            continue  # the next sync reads the project's tasks in full, as if it were too late
        if mark.token and mark.workspace:
            behind = shared.setdefault(mark.workspace, {})
            behind.setdefault(mark.token, []).append(project)
        elif mark.token:
            tokens[project] = mark.token
    blob: Blob = {"modified_since": _by_time(marks)}
    blob |= {"sync_tokens": tokens} if tokens else {}
    blob |= {WORKSPACE_TOKENS: shared} if shared else {}
    details = _missing_blob(marks) | _checked_blob(marks) | _homes_blob(marks)
    return blob | details | _evidence_blob(marks, evidence) | coverage.blob()


def full_refresh_blob(
    marks: Marks, coverage: Coverage = WHOLE, evidence: Evident = NO_EVIDENCE
) -> Blob:
    """The state of a stream whose full refresh is under way."""
    return {"done": _by_time(marks)} | _evidence_blob(marks, evidence) | coverage.blob()


def _evidence_blob(marks: Marks, evidence: Evident) -> Blob:
    blob: Blob = {EVIDENCE: dict(evidence)} if evidence else {}
    doubted_until = max((mark.since for mark in marks.values() if mark.is_doubted), default=None)
    return blob | ({DOUBTED_UNTIL: doubted_until} if doubted_until else {})


def _missing_blob(marks: Marks) -> Blob:
    missing: dict[str, dict[str, list[str]]] = {}
    for project, mark in sorted(marks.items()):
        for path, gid in sorted(mark.missing):
            missing.setdefault(project, {}).setdefault(path, []).append(gid)
    return {MISSING: missing} if missing else {}


def _missing(values: Any) -> dict[str, Missing]:
    if not isinstance(values, Mapping) or not _are_gids(list(values)):
        raise UnknownState
    missing: dict[str, Missing] = {}
    for project, requests in values.items():
        if not isinstance(requests, Mapping) or not all(map(_are_gids, requests.values())):
            raise UnknownState
        missing[project] = frozenset((path, gid) for path in requests for gid in requests[path])
    return missing


def _checked_blob(marks: Marks) -> Blob:
    checked: dict[str, list[str]] = {}
    for project, mark in sorted(marks.items()):
        if mark.checked:
            checked.setdefault(mark.checked, []).append(project)
    return {CHECKED: dict(sorted(checked.items()))} if checked else {}


def _homes_blob(marks: Marks) -> Blob:
    """The workspace that most projects are in, and those that are in others."""
    homes = Counter(mark.home for mark in marks.values() if mark.home)
    if not homes:
        return {}
    usual = min(homes, key=lambda home: (-homes[home], home))
    others: dict[str, list[str]] = {}
    for project, mark in sorted(marks.items()):
        if mark.home != usual:
            others.setdefault(mark.home or UNKNOWN_HOME, []).append(project)
    return {WORKSPACE: usual} | ({OTHER_WORKSPACES: others} if others else {})


def _homes(blob: Mapping[str, Any], projects: Collection[str]) -> dict[str, str]:
    usual, others = blob.get(WORKSPACE), blob.get(OTHER_WORKSPACES, {})
    if not isinstance(others, Mapping) or not all(map(_are_gids, [list(others), *others.values()])):
        raise UnknownState
    if usual is None:
        return {}
    if not _are_gids([usual]):
        raise UnknownState
    homes = dict.fromkeys(projects, usual)
    homes |= {project: home for home, inside in others.items() for project in inside}
    return {project: home for project, home in homes.items() if home != UNKNOWN_HOME}


def _coverage(blob: Mapping[str, Any]) -> Coverage:
    left_out = blob.get(LEFT_OUT, {})
    if not isinstance(left_out, Mapping) or set(left_out) - {"before", "below_subtasks"}:
        raise UnknownState
    start, below_subtasks = left_out.get("before"), left_out.get("below_subtasks", False)
    if not (start is None or _is_time(start)) or not isinstance(below_subtasks, bool):
        raise UnknownState
    return Coverage(start, not below_subtasks)


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


def _workspace_tokens(values: Any) -> dict[str, tuple[str, str]]:
    """The token of each project that has that of its workspace, and the workspace."""
    if not isinstance(values, Mapping) or not _are_gids(list(values)):
        raise UnknownState
    shared: dict[str, tuple[str, str]] = {}
    for workspace, behind in values.items():
        if not isinstance(behind, Mapping):
            raise UnknownState
        for token, projects in behind.items():
            if not _is_token(token) or not _are_gids(projects):
                raise UnknownState
            shared |= dict.fromkeys(projects, (token, workspace))
    return shared


def _is_token(value: Any) -> bool:
    """Whether a sync token can be kept: it is opaque, but must survive JSON, UTF-8 and PostgreSQL.

    Airbyte keeps states in PostgreSQL, whose JSON has no U+0000.
    """
    if not isinstance(value, str) or value == "" or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return False
    return True
