"""What a record calls for: which streams lack it, and what has to be visited below it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from source_asana.asana.times import days_before
from source_asana.reading.container import Container, Need
from source_asana.reading.filters import Filters
from source_asana.reading.listing import Listing, Output, Plan
from source_asana.streams.sources import PROJECT, TASK, WORKSPACE, StreamClass
from source_asana.streams.values import (
    Record,
    gid_of,
    gids_in,
    has_parent,
    is_before,
    is_time,
    reference,
)

DEEPEST_LEVEL = 100
"""Levels of subtasks that are read below a task. Asana allows five."""


class Asked(NamedTuple):
    """When a record was requested: by the sync's own clock, and as a mark by Asana's."""

    moment: float = 0.0
    mark: str = ""


class Claim(NamedTuple):
    """What the record of a parent tells, unproved, of what is listed below it, and when."""

    is_empty: bool
    asked: Asked


class Visit(NamedTuple):
    """One listing to be read below the record `gid`, for what `need` lacks of the container.

    Without a need everything of the listing is wanted. `above`: the tasks on the way down to a
    listing of subtasks, from the top one to its parent. `claim`: what its parent tells of it.
    `modified_at`: that of the task as a list shows it, where that is known. `is_again`: an export
    has given its records, but may be wrong.
    """

    listing: Listing
    gid: str | None
    container: Container
    need: Need | None = None
    above: tuple[str, ...] = ()
    claim: Claim | None = None
    modified_at: str | None = None
    is_again: bool = False

    @property
    def is_below_task(self) -> bool:
        """Whether it lists what a task has below it."""
        listing = self.listing
        is_inside = self.need is not None and self.gid != self.container.gid
        is_elsewhere = listing.is_lookup or listing.gid_column is not None
        return is_inside and not is_elsewhere and listing.stream.is_below_tasks()

    @property
    def place(self) -> str:
        """What the placeholders of its path stand for."""
        return "/".join(self.listing.gids(self.gid, self.container.gid))

    def request(self) -> tuple[str, dict[str, str]]:
        """The path and the query of its first page."""
        return self.listing.request(self.gid, self.container.gid)

    def whole_streams(self) -> frozenset[StreamClass]:
        """The streams that lack everything, or whose tasks are all read."""
        since = self.need.since if self.need else {}
        return frozenset(s for s in since if since[s] is None or self.container.reads_all(s))

    def since(self) -> str | None:
        """The time before which no stream needs its records, if Asana can leave those out.

        An old task may have newer subtasks, so a start date does not cut the way to them.
        """
        listing, need = self.listing, self.need
        if listing.since is None or need is None:
            return None
        is_whole, oldest = need.since_when(listing)
        if is_whole or (self.container.news.are_lost and listing.stream.is_told_by_events()):
            oldest = None
        if oldest is not None and listing.since.days_late is not None:
            oldest = days_before(oldest, listing.since.days_late)
        if need.start is None or any(c.is_nested and need.feeds(c) for c in listing.children):
            return oldest
        return max(oldest or need.start, need.start)


class Look(NamedTuple):
    """What a record is found to call for.

    `names`: the task that has to be looked up, since what is below it came back. `is_unexplained`:
    whether it changed although no event tells so.
    """

    wanted: list[Output]
    below: list[Visit]
    names: str | None = None
    is_unexplained: bool = False


@dataclass(frozen=True)
class Rules:
    """What decides about the records of one sync, beside their containers.

    `continues`: whether anything was read before, so that a record may be found in several ways.
    """

    plan: Plan
    filters: Filters
    continues: bool = False

    def is_chosen(self, listing: Listing, record: Record) -> bool:
        """Whether the user's filters leave a record, and what is below it, in the sync."""
        filters, kind = self.filters, listing.stream.container
        if kind == WORKSPACE:
            return filters.has_workspace(record["gid"])
        if kind == PROJECT:
            is_archived = filters.leaves_out_archived(record.get("archived"))
            return filters.has_project(record["gid"]) and not is_archived
        is_free = not gids_in(record.get("projects"))
        is_subtask = bool(reference(record.get("parent")))
        if listing is self.plan.without_project:
            return is_free and not is_subtask
        if listing is self.plan.lookups.get(TASK) and not filters.with_subtasks:
            return not (is_free and is_subtask)
        return True

    def look_at(
        self,
        visit: Visit,
        record: Record,
        asked_since: str | None,
        followed_time: tuple[str, str] | None,
        asked: Asked = Asked(),  # noqa: B008 - it is immutable
    ) -> Look:
        """What a record below a container with marks calls for.

        `asked_since`: the time since when Asana was asked for changes. `followed_time`: the time in
        which a change must have an event. `asked`: when the record was requested.
        """
        is_chosen = self.is_chosen(visit.listing, record)
        wanted = [
            output
            for output in visit.listing.outputs
            if is_chosen and self._wants(visit, output.stream, record, asked_since)
        ]
        is_unexplained = self._note_arrival(visit, record, asked_since, followed_time)
        names = self._task_above_what_came_back(visit, record)
        below = list(self._below(visit, record, asked)) if is_chosen else []
        return Look(wanted, below, names, is_unexplained)

    def _wants(
        self, visit: Visit, stream: StreamClass, record: Record, asked_since: str | None
    ) -> bool:
        """Whether a stream lacks a record that a visit found."""
        listing, need = visit.listing, visit.need
        if need is None:
            return True
        changes = visit.container.news.changes
        if listing is self.plan.lookups.get(TASK) and not _is_of(
            stream, record, has_left=record["gid"] in changes.left[_parent_kind(stream)]
        ):
            return False
        if stream in listing.listed_along and not (self.continues and has_parent(record)):
            return False  # it is read below its parent
        if record["gid"] in visit.above[1:]:
            return False  # a subtask that is below itself was delivered on the way down
        return _lacks(visit, stream, record, asked_since) and not is_incomplete(listing, record)

    def _below(self, visit: Visit, record: Record, asked: Asked) -> Iterator[Visit]:
        """The visits that a record below a container calls for."""
        listing, gid = visit.listing, record["gid"]
        if not listing.children:
            return
        if listing.stream.lookup and listing.stream.lookup.completes:
            if is_incomplete(listing, record):
                for child in listing.children:
                    yield visit._replace(listing=child, gid=gid, above=())
        elif gid not in visit.above and listing.stream.event_type == TASK:
            yield from self._below_task(visit, record, asked)

    def _below_task(self, visit: Visit, record: Record, asked: Asked) -> Iterator[Visit]:
        assert visit.need is not None  # noqa: S101 - tasks are below containers with marks
        container = visit.container
        modified_at = record.get("modified_at")
        shown_at = modified_at if is_time(modified_at) else None
        oldest = visit.need.oldest()
        is_new = oldest is not None and (
            record["gid"] in container.news.changes.arrived
            or not is_before(record.get("created_at"), oldest)
        )
        need = visit.need.only(visit.need.since, whole=True) if is_new else visit.need
        for child in visit.listing.children:
            if child.is_lookup or not need.feeds(child):
                continue
            parent = child.parent_in(record)
            if parent and _calls_for(visit, need, child, record):
                above = (*visit.above, parent) if child.is_nested else ()
                is_empty = child.hint.says_empty(record) if child.hint else None
                claim = None if is_empty is None else Claim(is_empty, asked)
                yield Visit(child, parent, container, need, above, claim, shown_at)

    def _note_arrival(
        self,
        visit: Visit,
        record: Record,
        asked_since: str | None,
        followed_time: tuple[str, str] | None,
    ) -> bool:
        """Whether an event should tell of a task that Asana returned as changed, and none does.

        A task that was not modified since, and that no event names, may be new in its project:
        what is below it is read in full.
        """
        modified_at = record.get("modified_at")
        if asked_since is None or not visit.listing.is_task_list or not is_time(modified_at):
            return False
        if is_before(modified_at, asked_since):
            visit.container.news.changes.arrived.add(record["gid"])
            return False
        return followed_time is not None and visit.container.is_unexplained(record, followed_time)

    def _task_above_what_came_back(self, visit: Visit, record: Record) -> str | None:
        """The task that has a restored record: that has changed it, and no event names it."""
        changes = visit.container.news.changes
        if record["gid"] not in changes.restored or TASK not in self.plan.lookups:
            return None
        listing = visit.listing
        above = reference(record.get("target")) or reference(record.get("parent"))
        if listing.stream.event_type == TASK and not listing.is_nested:
            if gid := gid_of(above):  # one more among `num_subtasks` does not modify it
                changes.touched.add(gid)
            return gid
        is_below_task = listing.is_lookup and above.get("resource_type") == TASK
        return gid_of(above) if is_below_task else None


def is_incomplete(listing: Listing, record: Record) -> bool:
    """Whether a listing gave a part of a record only, so that it is looked up."""
    lookup = listing.stream.lookup
    completes = lookup.completes if lookup and listing.children else ()
    return bool(completes) and completes[0] not in record


def _lacks(visit: Visit, stream: StreamClass, record: Record, asked_since: str | None) -> bool:
    """Whether a stream lacks a record, by its marks.

    What Asana returned for a time that is not before the stream's own is delivered, whatever
    the record says of itself: joining a project counts as a change, but has no time.
    """
    need = visit.need
    if need is None or stream not in need.since or need.is_too_old(stream, record):
        return False
    since = need.since[stream]
    if since is None or visit.container.news.are_lost or stream.event_type != TASK:
        return True
    if asked_since is not None and since <= asked_since:
        return True
    return visit.container.is_touched(record) or not is_before(record.get("modified_at"), since)


def _calls_for(visit: Visit, need: Need, child: Listing, task: Record) -> bool:
    """Whether a listing below a task may have what a stream lacks."""
    container = visit.container
    if not child.is_nested and need.is_too_old(visit.listing.stream, task):
        return False
    is_whole, oldest = need.since_when(child)
    if is_whole or oldest is None or task["gid"] in container.news.changes.arrived:
        return True
    if child.is_nested:
        return container.news.are_lost or not is_before(task.get("created_at"), oldest)
    return container.is_touched(task) or not is_before(task.get("modified_at"), oldest)


def _is_of(stream: StreamClass, task: Record, *, has_left: bool) -> bool:
    """Whether a looked-up task belongs to a stream, or did: it is in a project, or a subtask."""
    if _is_nested(stream):
        return has_left or has_parent(task)
    projects = gids_in(task.get("projects"))
    is_in_one = bool(projects) if projects is not None else not reference(task.get("parent"))
    return has_left or is_in_one


def _parent_kind(stream: StreamClass) -> str:
    """What a task of the stream may have left, by Asana's `resource_type`."""
    return TASK if _is_nested(stream) else PROJECT


def _is_nested(stream: StreamClass) -> bool:
    pages = stream.pages()
    return bool(pages and pages.is_nested)
