"""What one sync needs of each project, and so what a record calls for. Pure.

A project of which everything is new is read whole. Of the others an incremental sync reads what
was modified since their marks, what their events name, and what is below either. Other containers
whose records have marks (portfolios, goals, workspaces) are read by the same rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from source_asana.changes import Changes, WorkspaceNews
from source_asana.plan import Listing
from source_asana.state import days_before
from source_asana.streams import (
    Record,
    StreamClass,
    Subtasks,
    Tasks,
)

TASK_PATHS = (Tasks.path, Subtasks.path)
PROJECT, LOOSE, WORKSPACE = "project", "tasks in no project", "what a workspace's events name"


@dataclass(frozen=True)
class Scope:
    """What is to be read below one container: a project, unless `kind` says otherwise.

    `since` has the streams that lack something, and from when (None: all of it). `tokens` are the
    sync tokens to go on from, each with the workspace whose it is, if it is no project's own;
    `news` are the events of the whole workspace, where they are to be had. `is_lost` says that what
    happened since then cannot be known, so the project's tasks and subtasks are read in full.
    `token` is the one to go on from next time; without one each stream keeps its own. `start`:
    nothing older is wanted of what is history. `named`: the gids by which its only record is asked
    for, where that is no listing.
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

    @property
    def key(self) -> tuple[str, str]:
        """What no other scope of the sync has."""
        return self.kind, self.container

    @property
    def shares_news(self) -> bool:
        """Whether what has happened is told for the whole workspace, and the rest read there."""
        return self.news is not None and self.changes is self.news.for_projects

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

    def wants(self, stream: StreamClass, record: Record) -> bool:
        """Whether a stream lacks a record."""
        if stream not in self.since or self._is_too_old(stream, record):
            return False
        since = self.since[stream]
        if since is None or self.is_lost or stream.path not in TASK_PATHS:
            return True
        return self._is_touched(record) or record["modified_at"] >= since

    def _is_too_old(self, stream: StreamClass, record: Record) -> bool:
        """Whether a record of history is from before the user's start."""
        if self.start is None or not stream.is_history():
            return False
        when = record.get(str(stream.cursor_field)) or self.start
        return bool(when < self.start[: len(when)])  # a day has no hours

    def holds(self, stream: StreamClass, task: Record) -> bool:
        """Whether a task that was asked for by its gid belongs to a stream, or once did."""
        if stream.path == Tasks.path:
            return bool(task.get("projects")) or task["gid"] in self.changes.left["project"]
        return bool(task.get("parent")) or task["gid"] in self.changes.left["task"]

    def calls_for(self, child: Listing, record: Record) -> bool:
        """Whether what a task has in a listing below it may lack to anybody."""
        times = [self.since[stream] for stream in self.feeds(child)]
        if not times or (child.stream is not Subtasks and self._is_too_old(Tasks, record)):
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

    def informed(self, changes: Changes, token: str | None, *, is_lost: bool = False) -> "Scope":
        """The scope when the project's events are known, or known to be lost."""
        return replace(self, changes=changes, token=token, is_lost=self.is_lost or is_lost)

    def _is_touched(self, record: Record) -> bool:
        gid = record["gid"]
        return gid in self.changes.touched or gid in self.changes.arrived


class Visit(NamedTuple):
    """One listing to be read below one parent, for what `scope` says of its container."""

    listing: Listing
    parent: str | None = None
    scope: Scope | None = None

    @property
    def turn(self) -> tuple[str, str] | None:
        """The container that it belongs to, by its scope's key."""
        return self.scope.key if self.scope else None

    @property
    def container(self) -> str | None:
        """The gid of that container."""
        return self.scope.container if self.scope else None

    @property
    def place(self) -> str:
        """What the placeholders of its listing stand for."""
        return "/".join(self.listing.gids(self.parent, self.container))

    def request(self) -> tuple[str, dict[str, str]]:
        """The path and the query of its first page."""
        return self.listing.request(self.parent, self.container)
