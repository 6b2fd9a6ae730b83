"""What one sync needs of each project, and so which visits a record calls for. Pure.

A project of which everything is new is read whole. Of the others an incremental sync reads what
was modified since their marks, what their events name, and what is below either.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from source_asana.changes import Changes
from source_asana.plan import Listing, Plan, Selection
from source_asana.state import Mark, Marks
from source_asana.streams import (
    Attachments,
    Events,
    Projects,
    Record,
    Stories,
    StreamClass,
    Subtasks,
    Tasks,
)

TASK_PATHS = (Tasks.path, Subtasks.path)


@dataclass(frozen=True)
class Scope:
    """What is to be read below one project.

    `since` has the streams that lack something, and from when (None: all of it). `tokens` are the
    sync tokens to go on from. `is_lost` says that what happened since then cannot be known, so the
    project's tasks and subtasks are read in full. `token` is the one to go on from next time;
    without one each stream keeps its own.
    """

    project: str
    since: Mapping[StreamClass, str | None]
    began: str = ""
    tokens: tuple[str, ...] = ()
    token: str | None = None
    changes: Changes = field(default_factory=Changes)
    is_lost: bool = False

    def feeds(self, listing: Listing) -> list[StreamClass]:
        """The streams for whose sake a listing is to be read."""
        return [stream for stream in self.since if stream in listing.feeds]

    def modified_since(self, listing: Listing) -> str | None:
        """The time before which nobody needs the records of a listing of tasks."""
        times = [self.since[stream] for stream in self.feeds(listing)]
        if self.is_lost or not times or None in times:
            return None
        return min(time for time in times if time)

    def wants(self, stream: StreamClass, record: Record) -> bool:
        """Whether a stream lacks a record."""
        if stream not in self.since:
            return False
        since = self.since[stream]
        if since is None or self.is_lost or stream.path not in TASK_PATHS:
            return True
        return self._is_touched(record) or record["modified_at"] >= since

    def holds(self, stream: StreamClass, task: Record) -> bool:
        """Whether a task that was asked for by its gid belongs to a stream, or once did."""
        if stream.path == Tasks.path:
            return bool(task.get("projects")) or task["gid"] in self.changes.left["project"]
        return bool(task.get("parent")) or task["gid"] in self.changes.left["task"]

    def calls_for(self, child: Listing, record: Record) -> bool:
        """Whether what a task has in a listing below it may lack to anybody."""
        times = [self.since[stream] for stream in self.feeds(child)]
        if not times:
            return False
        if None in times or record["gid"] in self.changes.arrived:
            return True
        oldest = min(time for time in times if time)
        if child.stream is Subtasks:
            return self.is_lost or record["created_at"] >= oldest
        return self._is_touched(record) or record["modified_at"] >= oldest

    def below(self, record: Record) -> "Scope":
        """The scope of what is below a task: everything, where it may never have been seen."""
        oldest = min((time for time in self.since.values() if time), default=None)
        if oldest is None:
            return self
        is_new = record["gid"] in self.changes.arrived or record["created_at"] >= oldest
        return replace(self, since=dict.fromkeys(self.since)) if is_new else self

    def whole_streams(self) -> frozenset[StreamClass]:
        """The streams that lack everything."""
        return frozenset(stream for stream, since in self.since.items() if since is None)

    def informed(self, changes: Changes, token: str | None, *, is_lost: bool) -> "Scope":
        """The scope when the project's events are known, or known to be lost."""
        return replace(self, changes=changes, token=token, is_lost=self.is_lost or is_lost)

    def _is_touched(self, record: Record) -> bool:
        gid = record["gid"]
        return gid in self.changes.touched or gid in self.changes.arrived


class Visit(NamedTuple):
    """One listing to be read below one parent, for what `scope` says of its project."""

    listing: Listing
    parent: str | None = None
    scope: Scope | None = None

    @property
    def project(self) -> str | None:
        """The project that it belongs to."""
        return self.scope.project if self.scope else None


class Agenda:
    """The visits of one sync, each decided from the plan, the marks and the record above."""

    def __init__(
        self,
        plan: Plan,
        selected: Mapping[StreamClass, Selection],
        marks: Mapping[StreamClass, Marks],
        named_in_config: Mapping[str, tuple[str, ...]],
    ) -> None:
        self.plan = plan
        self._selected = selected
        self._marks = marks
        self._named_in_config = named_in_config
        self._below_projects = [s for s in selected if s.is_below_projects()]
        self.goes_on = any(marks.values())
        """Whether anything was read before, so that one record may be found in several ways."""
        self.listed: set[str] = set()
        """The projects that were found."""
        self._began = ""

    def began(self) -> str:
        """The mark of all that is requested below workspaces."""
        return self._began

    def first(self) -> list[Visit]:
        """The visits with which the sync begins."""
        return [Visit(listing, gid) for listing, gid in self.plan.first(self._named_in_config)]

    def wants(self, visit: Visit, stream: StreamClass, record: Record) -> bool:
        """Whether a stream lacks a record that a visit has found."""
        if stream is Projects:
            mark = self._mark(Projects, record["gid"])
            return mark is None or record["modified_at"] >= mark.since
        if visit.scope is None:
            return True
        if visit.listing is self.plan.one.get(Tasks) and not visit.scope.holds(stream, record):
            return False
        if stream is Subtasks and visit.listing.stream is Tasks and not self._is_known(record):
            return False
        return visit.scope.wants(stream, record)

    def below(self, visit: Visit, record: Record, now: str) -> list[Visit]:
        """The visits that a record calls for. `now` is the mark of what is requested now."""
        self._began = self._began or now
        if visit.listing.stream is Projects:
            return self._project(record["gid"], now)
        if visit.scope is None:
            return [
                Visit(child, record["gid"])
                for child in visit.listing.children
                if child.stream.below is None or record.get(child.stream.below)
            ]
        return list(self._below_task(visit.listing, visit.scope, record))

    def after_events(self, scope: Scope) -> list[Visit]:
        """The visits below a project whose events are known."""
        visits = list(self._listings(scope))
        for stream, gids in (
            (Stories, scope.changes.stories),
            (Attachments, scope.changes.attachments),
        ):
            one = self.plan.one.get(stream)
            if one and scope.feeds(one):
                visits += [Visit(one, gid, scope) for gid in sorted(gids)]
        return visits

    def after_listing(self, visit: Visit, seen: set[str]) -> list[Visit]:
        """The tasks that events name and that their project's listing has not shown."""
        scope, one = visit.scope, self.plan.one.get(Tasks)
        if (
            scope is None
            or one is None
            or visit.listing.stream is not Tasks
            or visit.listing is one
        ):
            return []
        if scope.is_lost or not scope.feeds(one):
            return []
        return [Visit(one, gid, scope) for gid in sorted(scope.changes.tasks - seen)]

    def _project(self, project: str, now: str) -> list[Visit]:
        self.listed.add(project)
        scope = self._scope(project, now)
        if not scope.since:
            return []
        if self.plan.events and any(self._selected[s].incremental for s in scope.since):
            return [Visit(self.plan.events, project, scope)]
        return list(self._listings(scope))

    def _scope(self, project: str, now: str) -> Scope:
        since: dict[StreamClass, str | None] = {}
        tokens: dict[str, None] = {}
        is_lost = False
        # The events' own token comes first: each event is delivered once.
        for stream in sorted(self._below_projects, key=lambda s: s is not Events):
            mark = self._mark(stream, project)
            if not self._selected[stream].incremental:
                if mark is None:
                    since[stream] = None
            else:
                since[stream] = mark.since if mark else None
                if mark and mark.token:
                    tokens[mark.token] = None
                is_lost |= mark is not None and mark.token is None
        return Scope(project, since, now, tuple(tokens), is_lost=is_lost)

    def _listings(self, scope: Scope) -> Iterator[Visit]:
        ones = self.plan.one.values()
        for parent in self.plan.listings:
            if parent.stream is Projects:
                for child in parent.children:
                    if child.stream is not Events and child not in ones and scope.feeds(child):
                        yield Visit(child, scope.project, scope)

    def _below_task(self, listing: Listing, scope: Scope, record: Record) -> Iterator[Visit]:
        one = self.plan.one
        if listing in (one.get(Stories), one.get(Attachments)):
            above = record.get("target") or record.get("parent") or {}
            is_of_task = above.get("resource_type") == "task"
            if Tasks in one and is_of_task and record["gid"] in scope.changes.restored:
                yield Visit(one[Tasks], above["gid"], scope)
            return
        below = scope.below(record)
        for child in listing.children:
            if child in one.values() or not below.feeds(child):
                continue
            if child.stream.below is not None and not record.get(child.stream.below):
                continue
            if scope.calls_for(child, record):
                yield Visit(child, record["gid"], below)

    def _is_known(self, task: Record) -> bool:
        """Whether a task that a project lists has been, or will be, read as a subtask."""
        return self.goes_on and bool(task.get("parent"))

    def _mark(self, stream: StreamClass, project: str) -> Mark | None:
        """What was read of a project before; nothing, where that lies in Asana's future."""
        mark = self._marks.get(stream, {}).get(project)
        return mark if mark and mark.since <= self._began else None
