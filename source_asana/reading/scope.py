"""What one sync needs of each project, and so what a record calls for. Pure.

A project of which everything is new is read whole. Of the others an incremental sync reads what
was modified since their marks, what their events name, and what is below either. Other containers
whose records have marks (portfolios, goals, workspaces) are read by the same rules.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from source_asana.asana.times import LOOKBACK_MINUTES, days_before, shifted
from source_asana.reading.changes import Changes, WorkspaceNews
from source_asana.reading.marks import Missing
from source_asana.reading.plan import Listing
from source_asana.streams.declared import (
    Record,
    StreamClass,
    Subtasks,
    Tasks,
)
from source_asana.streams.values import gids_in, has_parent, is_before, reference

TASK_PATHS = (Tasks.path, Subtasks.path)
PROJECT, LOOSE, WORKSPACE = "project", "tasks in no project", "what a workspace's events name"

DEEPEST = 100
"""Levels of subtasks that are read below a task. Asana allows five."""

EVENTS_COME_WITHIN_MINUTES = 10
"""How late Asana's events may be. https://developers.asana.com/reference/events"""

SAME_MINUTE_SECONDS = 60
"""How far the times of a change and of its event may be apart."""


@dataclass(frozen=True)
class Scope:
    """What is to be read below one container: a project, unless `kind` says otherwise.

    `since` has the streams that lack something, and from when (None: all of it). `tokens` are the
    sync tokens to go on from, each with the workspace whose it is, if it is no project's own;
    `news` are the events of the whole workspace, where they are to be had. `is_lost` says that what
    happened since then cannot be known, so the project's tasks and subtasks are read in full.
    `token` is the one to go on from next time; without one each stream keeps its own. `start`:
    nothing older is wanted of what is history. `named`: the gids by which its only record is asked
    for, where that is no listing. `missing`: the requests that failed in former syncs, by stream.
    `checked`: when tasks were last read in full because events were missing. `home`: the
    workspace of a project. `narrowed_from`: the scope of the whole container, where this one is for
    a part of it.
    """

    container: str
    since: Mapping[StreamClass, str | None]
    began: str = ""
    tokens: tuple[tuple[str, str | None], ...] = ()
    token: str | None = None
    news: WorkspaceNews | None = None
    changes: Changes = field(default_factory=Changes)
    is_lost: bool = False
    start: str | None = None
    kind: str = PROJECT
    named: Mapping[Listing, str] = field(default_factory=dict)
    missing: Mapping[StreamClass, Missing] = field(default_factory=dict)
    checked: str | None = None
    home: str | None = None
    narrowed_from: "Scope | None" = None

    @property
    def whole(self) -> "Scope":
        """The scope of all the container, where this is that of a part."""
        return self.narrowed_from or self

    @property
    def key(self) -> tuple[str, str]:
        """What no other scope of the sync has."""
        return self.kind, self.container

    @property
    def shares_news(self) -> bool:
        """Whether what has happened is told for the whole workspace, and the rest read there."""
        return self.news is not None and self.changes is self.news.for_projects

    @property
    def is_followed(self) -> bool:
        """Whether the events since its marks are known."""
        return bool(self.tokens and self.token) and not self.is_lost

    @property
    def is_project(self) -> bool:
        """Whether it is what is to be read below a project."""
        return self.kind == PROJECT

    def feeds(self, listing: Listing) -> list[StreamClass]:
        """The streams for whose sake a listing is to be read."""
        return [stream for stream in self.since if stream in listing.feeds]

    def read_from(self, listing: Listing) -> str | None:
        """The time before which nobody needs the records of a listing.

        A task that is too old may have younger subtasks, so the way to them is read whole.
        """
        times = [self.since[stream] for stream in self.feeds(listing)]
        is_lost = self.is_lost and listing.stream.is_told_by_events()
        is_whole = is_lost or not times or None in times
        oldest = None if is_whole else min(time for time in times if time)
        if oldest is not None and listing.stream.late_days is not None:
            oldest = days_before(oldest, listing.stream.late_days)
        if self.start is None or any(
            c.stream is Subtasks and self.feeds(c) for c in listing.children
        ):
            return oldest
        return max(oldest or self.start, self.start)

    def filtered_from(self, listing: Listing) -> str | None:
        """The time by which Asana itself leaves out older records of a listing, if it does."""
        if listing.stream.since_parameter is None or listing.is_one:
            return None
        return self.read_from(listing)

    def wants(self, stream: StreamClass, record: Record, filtered_from: str | None = None) -> bool:
        """Whether a stream lacks a record.

        What Asana returned for a time that is not before the stream's own is delivered, whatever
        the record says of itself: joining a project counts as a change, but has no time.
        """
        if stream not in self.since or self._is_too_old(stream, record):
            return False
        since = self.since[stream]
        if since is None or self.is_lost or stream.path not in TASK_PATHS:
            return True
        if filtered_from is not None and since <= filtered_from:
            return True
        return self._is_touched(record) or not is_before(record.get("modified_at"), since)

    def _is_too_old(self, stream: StreamClass, record: Record) -> bool:
        """Whether a record of history is from before the user's start."""
        if self.start is None or not stream.is_history():
            return False
        return is_before(record.get(str(stream.cursor_field)), self.start)

    def holds(self, stream: StreamClass, task: Record) -> bool:
        """Whether a task that was asked for by its gid belongs to a stream, or once did."""
        if stream.path == Tasks.path:
            projects = gids_in(task.get("projects"))
            is_in_one = (
                bool(projects) if projects is not None else not reference(task.get("parent"))
            )
            return is_in_one or task["gid"] in self.changes.left["project"]
        return has_parent(task) or task["gid"] in self.changes.left["task"]

    def calls_for(self, child: Listing, record: Record) -> bool:
        """Whether what a task has in a listing below it may lack to anybody."""
        times = [self.since[stream] for stream in self.feeds(child)]
        if not times or (child.stream is not Subtasks and self._is_too_old(Tasks, record)):
            return False
        if None in times or record["gid"] in self.changes.arrived:
            return True
        oldest = min(time for time in times if time)
        if child.stream is Subtasks:
            return self.is_lost or not is_before(record.get("created_at"), oldest)
        return self._is_touched(record) or not is_before(record.get("modified_at"), oldest)

    def below(self, record: Record) -> "Scope":
        """The scope of what is below a task: everything, where it may never have been seen."""
        oldest = min((time for time in self.since.values() if time), default=None)
        if oldest is None:
            return self
        is_old = is_before(record.get("created_at"), oldest)
        is_new = record["gid"] in self.changes.arrived or not is_old
        return self.only(self.since, whole=True) if is_new else self

    def whole_streams(self) -> frozenset[StreamClass]:
        """The streams that lack everything, or whose tasks are read in full."""
        return frozenset(
            stream
            for stream, since in self.since.items()
            if since is None or (self.is_lost and stream.path in TASK_PATHS)
        )

    def informed(
        self, changes: Changes, token: str | None, began: str, *, is_lost: bool = False
    ) -> "Scope":
        """The scope when the project's events, asked for at `began`, are known or known lost."""
        is_lost = self.is_lost or is_lost
        return replace(self, changes=changes, token=token, began=began, is_lost=is_lost)

    def followed_time(self) -> tuple[str, str] | None:
        """The time in which each change must have an event by now; None if events are unknown."""
        marks = [time for stream, time in self.since.items() if time and stream.is_told_by_events()]
        if not self.is_followed or not marks:
            return None
        token_known_at = shifted(min(marks), minutes=LOOKBACK_MINUTES, seconds=SAME_MINUTE_SECONDS)
        asked_at = shifted(self.began, minutes=LOOKBACK_MINUTES)
        return token_known_at, shifted(asked_at, minutes=-EVENTS_COME_WITHIN_MINUTES)

    def is_unexplained(self, task: Record, followed_time: tuple[str, str]) -> bool:
        """Whether a task was modified in a time that events cover, and none of them names it."""
        modified_at = str(task["modified_at"])
        start, end = followed_time
        if not start < modified_at < end or self._is_touched(task):
            return False
        near = [
            shifted(modified_at, seconds=by) for by in (-SAME_MINUTE_SECONDS, SAME_MINUTE_SECONDS)
        ]
        return not self.changes.explains(*near)

    def doubted(self) -> "Scope":
        """The same, with all tasks and subtasks to be read, for events must have been lost."""
        return replace(self, is_lost=True, checked=self.began)

    def only(self, streams: Collection[StreamClass], *, whole: bool = False) -> "Scope":
        """The same for some of its streams only; for all that these have, where `whole`."""
        since = {s: None if whole else self.since[s] for s in self.since if s in streams}
        return replace(self, since=since, narrowed_from=self.whole)

    def _is_touched(self, record: Record) -> bool:
        gid = record["gid"]
        return gid in self.changes.touched or gid in self.changes.arrived


class Visit(NamedTuple):
    """One listing to be read below one parent, for what `scope` says of its container.

    `above`: the tasks on the way down to a listing of subtasks, from the top one to its parent.
    """

    listing: Listing
    parent: str | None = None
    scope: Scope | None = None
    above: tuple[str, ...] = ()

    def has_delivered(self, record: Record) -> bool:
        """Whether a subtask is below itself, so that it was delivered on the way down."""
        return record["gid"] in self.above[1:]

    @property
    def turn(self) -> tuple[str, str] | None:
        """The container that it belongs to, by its scope's key."""
        return self.scope.key if self.scope else None

    @property
    def container(self) -> str | None:
        """The gid of that container."""
        return self.scope.container if self.scope else None

    @property
    def is_below_task(self) -> bool:
        """Whether it lists what a task has below it."""
        is_inside = self.scope is not None and self.parent != self.scope.container
        return is_inside and not self.listing.is_one and Tasks in self.listing.stream.parents

    @property
    def place(self) -> str:
        """What the placeholders of its listing stand for."""
        return "/".join(self.listing.gids(self.parent, self.container))

    def request(self) -> tuple[str, dict[str, str]]:
        """The path and the query of its first page."""
        return self.listing.request(self.parent, self.container)
