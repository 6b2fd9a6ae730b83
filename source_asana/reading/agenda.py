"""What a sync visits: each visit decided from the plan, the marks and the record above. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from source_asana.asana.times import shifted
from source_asana.reading.filters import ALL, Filters
from source_asana.reading.marks import Mark, Marks, Missing
from source_asana.reading.plan import Listing, Plan, Selection
from source_asana.reading.scope import LOOSE, PROJECT, TASK_PATHS, Scope, Visit
from source_asana.reading.seen import Seen
from source_asana.reading.unlisted import Unlisted, unlisted_projects
from source_asana.reading.workspace_events import WorkspaceEvents
from source_asana.streams.declared import (
    Attachments,
    Events,
    Projects,
    Record,
    Stories,
    StreamClass,
    Subtasks,
    Tasks,
    Users,
    Workspaces,
)
from source_asana.streams.values import gid_of, gids_in, has_parent, is_before, is_time, reference


class Agenda:
    """The visits of one sync, each decided from the plan, the marks and the record above."""

    def __init__(
        self,
        plan: Plan,
        selected: Mapping[StreamClass, Selection],
        marks: Mapping[StreamClass, Marks],
        named_in_config: Mapping[str, tuple[str, ...]],
        filters: Filters = ALL,
    ) -> None:
        self.plan = plan
        self._selected = selected
        self._marks = marks
        self._named_in_config = named_in_config
        self._filters = filters
        self._below_projects = [
            stream
            for stream in selected
            if Projects in stream.containers()
            and stream is not Projects
            and (filters.with_subtasks or stream is not Subtasks)
        ]
        self.goes_on = any(marks.values())
        """Whether anything was read before, so that one record may be found in several ways."""
        kinds: list[StreamClass] = [Workspaces, Projects]
        kinds += [kind for stream in selected for kind in stream.containers()]
        self._listed: dict[StreamClass, dict[str, str | None]] = {kind: {} for kind in kinds}
        self._unlisted: Unlisted | None = None
        self._left_out: set[str] = set()
        self._listed_in: set[str] = set()
        self._began = ""
        self._by_path = {listing.path: listing for listing in plan.listings}
        told = [s for s in self._below_projects if plan.events and selected[s].incremental]
        self.workspaces = WorkspaceEvents(
            [stream for stream in told if stream.is_told_by_events()], marks, filters
        )

    def began(self) -> str:
        """The mark of all that is requested below workspaces."""
        return self._began

    @property
    def above_projects(self) -> list[Listing]:
        """The listings that have to be read to know all projects."""
        return [self._by_path[p] for p in (Workspaces.path, Projects.path) if p in self._by_path]

    def first(self) -> list[Visit]:
        """The visits with which the sync begins."""
        return [Visit(listing, gid) for listing, gid in self.plan.first(self._named_in_config)]

    def continues(self, listing: Listing) -> bool:
        """Whether all streams that feed on a listing go on from a former sync."""
        return all(self._marks.get(stream) for stream in listing.feeds)

    def listed(self, kind: StreamClass) -> dict[str, str | None]:
        """The containers of a kind that were found so far, each with what it is in."""
        return dict(self._listed.get(kind, {}))

    @property
    def unlisted(self) -> Unlisted | None:
        """What has become of the projects that have marks and were not listed; None before."""
        return self._unlisted

    def absent(self, kind: StreamClass, found: Collection[str]) -> list[str]:
        """The workspaces or projects that the user names and that were not found."""
        if kind is Workspaces:
            return self._filters.absent_workspaces(found)
        return self._filters.absent_projects(found) if kind is Projects else []

    def wants(
        self, visit: Visit, stream: StreamClass, record: Record, filtered_from: str | None
    ) -> bool:
        """Whether a stream lacks a record that a visit has found.

        `filtered_from`: the time by which Asana has left out older ones.
        """
        if not self._is_chosen(visit.listing, record):
            return False
        if stream is Projects:
            mark = self._mark(Projects, record["gid"])
            return mark is None or not is_before(record.get("modified_at"), mark.since)
        if visit.scope is None:
            return True
        if visit.listing is self.plan.one.get(Tasks) and not visit.scope.holds(stream, record):
            return False
        is_listed = visit.listing.stream is Tasks and not visit.listing.is_one
        if (stream is Subtasks and is_listed and not self._is_known(record)) or visit.has_delivered(
            record
        ):
            return False
        wants = visit.scope.wants(stream, record, filtered_from)
        return wants and not _is_incomplete(visit.listing, record)

    def below(self, visit: Visit, record: Record, now: str) -> list[Visit]:
        """The visits that a record calls for. `now` is the mark of what is requested now."""
        self._began = self._began or now
        if visit.scope is None:
            return list(self._below_container(visit.listing, visit.parent, record, now))
        scope = visit.scope
        is_back = record["gid"] in scope.changes.restored
        above = self._above_returned(visit, scope, record) if is_back else []
        if not visit.listing.children or not self._is_chosen(visit.listing, record):
            return above
        if visit.listing.stream.completed_by_gid:
            children = visit.listing.children if _is_incomplete(visit.listing, record) else ()
            return [Visit(child, record["gid"], scope) for child in children]
        if record["gid"] in visit.above:
            return above  # it is below itself
        return [*above, *self._below_task(visit.listing, scope, record, visit.above)]

    def may_find_again(self, visit: Visit, record: Record, seen: Seen) -> bool:
        """Whether another visit of a sync that goes on from marks may find a record too."""
        if not self.goes_on or visit.scope is None:
            return False
        listing = visit.listing
        is_task = listing.stream.path in TASK_PATHS
        return is_task or listing.is_one or seen.is_named(record["gid"])

    def listing_of(self, visit: Visit, record: Record) -> tuple[Listing, str] | None:
        """The listing that shows a record asked for by its gid too, and the task below which."""
        stream = visit.listing.stream
        above = gid_of(record.get("target")) or gid_of(record.get("parent"))
        if not visit.listing.is_one or Tasks not in stream.parents or above is None:
            return None
        listing = self._by_path.get(stream.path)
        return (listing, above) if listing else None

    def followed_time(self, visit: Visit) -> tuple[str, str] | None:
        """The time in which a change of what a visit lists has an event by now, if it has one."""
        if visit.scope is None or visit.listing.stream.path not in TASK_PATHS:
            return None
        return visit.scope.followed_time()

    def doubts(
        self,
        visit: Visit,
        record: Record,
        filtered_from: str,
        followed_time: tuple[str, str] | None,
    ) -> bool:
        """Whether a task that Asana returned as changed should have had an event, and has none.

        One that has not been modified since, and is named by no event, may be new in its project:
        what is below it is read in full.
        """
        scope, modified_at = visit.scope, record.get("modified_at")
        is_known = visit.listing.stream.path in TASK_PATHS and is_time(modified_at)
        if scope is None or not is_known:
            return False
        if is_before(modified_at, filtered_from):
            scope.changes.arrived.add(record["gid"])
            return False
        return followed_time is not None and scope.is_unexplained(record, followed_time)

    def after_events(self, scope: Scope) -> list[Visit]:
        """The visits below a project whose events are known."""
        named = [] if scope.shares_news else self._named(scope, (Stories, Attachments))
        return [*self._listings(scope), *named, *self._missing(scope)]

    def _missing(self, scope: Scope) -> Iterator[Visit]:
        """What former syncs could not read below a project, for the streams that lack it."""
        lacking: dict[tuple[str, str], set[StreamClass]] = {}
        for stream, requests in scope.missing.items():
            for request in requests:
                lacking.setdefault(request, set()).add(stream)
        for (path, gid), streams in sorted(lacking.items(), key=lambda of: of[0]):
            listing = self._by_path.get(path)
            if listing and not scope.changes.is_deleted(listing.parent_kind, gid):
                yield Visit(listing, gid, scope.only(streams, whole=True))

    def _named(self, scope: Scope, streams: Iterable[StreamClass]) -> list[Visit]:
        """The single records that events name, where somebody wants them."""
        visits: list[Visit] = []
        gids = {
            Tasks: scope.changes.tasks - (scope.news.seen if scope.news else set()),
            Stories: scope.changes.stories,
            Attachments: scope.changes.attachments,
        }
        for stream in streams:
            one = self.plan.one.get(stream)
            if one and scope.feeds(one):
                existing = (g for g in gids[stream] if not self._is_deleted(one, g, scope))
                visits += [Visit(one, gid, scope) for gid in sorted(existing)]
        return visits

    def _is_deleted(self, one: Listing, gid: str, scope: Scope) -> bool:
        changes = scope.news.changes if scope.news else scope.changes
        return changes.is_deleted(one.stream.told_deleted_as, gid)

    def pending(self) -> Collection[Listing]:
        """The listings that will be read, though nothing of them is open now."""
        pending = list(self.plan.one.values()) if self.workspaces.are_pending else []
        if self.plan.unlisted and self._unlisted is None:
            pending.append(self.plan.unlisted)
        return pending

    def projects_listed(self) -> list[Visit]:
        """The requests for projects that have marks and were not listed, when all are listed."""
        if self.plan.unlisted is None or self._unlisted is not None:
            return []
        marks: dict[str, Mark] = {}
        for stream, how in self._selected.items():
            if how.incremental and stream.outlives_its_listing():
                for gid, mark in self._marks.get(stream, {}).items():
                    known = marks.get(gid, mark)
                    home = known.home or mark.home or mark.workspace
                    marks[gid] = replace(known, home=home, checked=known.checked or mark.checked)
        listed = self._listed[Projects].keys() | self._listed[Workspaces].keys()
        self._unlisted = unlisted_projects(
            {gid: mark for gid, mark in marks.items() if gid not in listed},
            self._left_out,
            self._listed_in,
            self._filters,
            self._began,
        )
        self._unlisted.known = len(marks.keys() - self._listed[Workspaces].keys())
        self._unlisted.renewed = self.workspaces.renewed_tokens()
        return [Visit(self.plan.unlisted, gid) for gid in self._unlisted.ask]

    def after_visit(self, visit: Visit, *, ends_scope: bool) -> list[Visit]:
        """What is left of a workspace's events when all of its projects have been read."""
        rest = None
        if visit.listing.stream is Projects and visit.parent:
            rest = self.workspaces.listing_ends(visit.parent)
        elif ends_scope and visit.scope and visit.scope.is_project:
            rest = self.workspaces.project_ends(visit.scope)
        return self._named(rest, (Tasks, Stories, Attachments)) if rest else []

    def after_listing(
        self, visit: Visit, seen: set[str], now: str, *, are_events_lost: bool = False
    ) -> list[Visit]:
        """What a listing calls for when it has been read to its end.

        The tasks that events name and that their project's listing has not shown; all tasks, where
        that listing has shown that events are missing; below users, the tasks that are in no
        project.
        """
        scope, one = visit.scope, self.plan.one.get(Tasks)
        if visit.listing.stream is Projects and visit.parent:
            self._listed_in.add(visit.parent)
        if scope and are_events_lost:
            doubted = Visit(visit.listing, visit.parent, scope.doubted())
            return [doubted, *self.after_listing(visit, seen, now)]
        if visit.listing.stream is Users and self.plan.loose and visit.parent:
            return self._loose_tasks(visit.parent, seen, now)
        if (
            scope is None
            or one is None
            or visit.listing.stream is not Tasks
            or visit.listing in (one, self.plan.loose)
        ):
            return []
        if scope.shares_news and scope.news:
            scope.news.seen |= seen & scope.changes.tasks
            return []
        if scope.is_lost or not scope.feeds(one):
            return []
        unseen = scope.changes.tasks - seen
        return [
            Visit(one, gid, scope)
            for gid in sorted(unseen)
            if not self._is_deleted(one, gid, scope)
        ]

    def _loose_tasks(self, workspace: str, users: set[str], now: str) -> list[Visit]:
        """The tasks of each user of a workspace. No events tell of them: they are read in full."""
        loose = self.plan.loose
        if loose is None:
            return []
        streams = [stream for stream in self._below_projects if stream in loose.feeds]
        scope = self._scope(workspace, streams, now, kind=LOOSE)
        scope = replace(scope, is_lost=any(scope.since.values()))
        return [Visit(loose, user, scope) for user in sorted(users)] if scope.since else []

    def _is_chosen(self, listing: Listing, record: Record) -> bool:
        """Whether the user wants a record and what is below it."""
        if listing.stream is Workspaces:
            return self._filters.has_workspace(record["gid"])
        if listing.stream is Projects:
            is_archived = self._filters.leaves_out_archived(record.get("archived"))
            return self._filters.has_project(record["gid"]) and not is_archived
        is_free = not gids_in(record.get("projects"))
        is_subtask = bool(reference(record.get("parent")))
        if listing is self.plan.loose:
            return is_free and not is_subtask
        if listing is self.plan.one.get(Tasks) and not self._filters.with_subtasks:
            return not (is_free and is_subtask)
        return True

    def _below_container(
        self, listing: Listing, workspace: str | None, record: Record, now: str
    ) -> Iterator[Visit]:
        """The visits below a record that is in no project (of projects: in what workspace)."""
        gid = record["gid"]
        if not self._is_chosen(listing, record):
            self._left_out.add(gid)
            return
        if listing.stream in self._listed:
            self._listed[listing.stream][gid] = workspace
        if listing.stream is Projects:
            yield from self._project(record, workspace, now)
            return
        for child in listing.children:
            parent = child.parent_in(record, is_confirmed=listing.confirms is not None)
            streams = [s for s in child.feeds if listing.stream in s.containers()]
            streams = [] if child.confirms else streams
            if parent is None or child is self.plan.loose:
                continue
            if not streams:
                yield Visit(child, parent)
            elif (scope := self._scope(gid, streams, now, kind=child.name)).since:
                yield Visit(child, parent, scope)

    def _project(self, record: Record, workspace: str | None, now: str) -> list[Visit]:
        project = record["gid"]
        scope = self._scope(project, self._below_projects, now)
        if not scope.since:
            return []
        news = self.workspaces.known(workspace)
        named = {
            child: gid
            for child in self._below_project()
            if child.stream.named_by and (gid := child.parent_in(record))
        }
        scope = replace(scope, named=named, news=news, home=workspace)
        if self.plan.events and any(self._selected[s].incremental for s in scope.since):
            visits = [Visit(self.plan.events, project, scope)]
        else:
            visits = list(self._listings(scope))
        if visits:
            self.workspaces.project_begins(scope)
        return visits

    def _scope(
        self, container: str, streams: Iterable[StreamClass], now: str, *, kind: str = PROJECT
    ) -> Scope:
        since: dict[StreamClass, str | None] = {}
        tokens: dict[tuple[str, str | None], None] = {}
        missing: dict[StreamClass, Missing] = {}
        checked: str | None = None
        is_lost = False
        # The events' own token comes first: each event is delivered once.
        for stream in sorted(streams, key=lambda s: s is not Events):
            mark = self._mark(stream, container)
            if not self._selected[stream].incremental:
                if mark is None:
                    since[stream] = None
            else:
                since[stream] = mark.since if mark else None
                missing |= {stream: mark.missing} if mark and mark.missing else {}
                if mark and stream.is_told_by_events():
                    tokens |= {(mark.token, mark.workspace): None} if mark.token else {}
                    is_lost |= mark.token is None
                    if mark.checked and mark.checked > shifted(self._began, days=-1):
                        checked = max(checked or "", mark.checked)
        return Scope(
            container,
            since,
            now,
            tuple(tokens),
            is_lost=is_lost,
            start=self._filters.start_date,
            kind=kind,
            missing=missing,
            checked=checked,
        )

    def _below_project(self) -> list[Listing]:
        """The listings below projects, without those that events call for."""
        ones = self.plan.one.values()
        return [
            child
            for parent in self.plan.listings
            if parent.path == Projects.path
            for child in parent.children
            if child.stream is not Events and child not in ones
        ]

    def _listings(self, scope: Scope) -> Iterator[Visit]:
        for child in self._below_project():
            parent = scope.named.get(child) if child.stream.named_by else scope.container
            if parent and scope.feeds(child):
                yield Visit(child, parent, scope)

    def _below_task(
        self, listing: Listing, scope: Scope, record: Record, above: tuple[str, ...]
    ) -> Iterator[Visit]:
        one = self.plan.one
        if listing in (one.get(Stories), one.get(Attachments)):
            return
        below = scope.below(record)
        for child in listing.children:
            if child in one.values() or not below.feeds(child):
                continue
            parent = child.parent_in(record)
            if parent and scope.calls_for(child, record):
                is_way = child.stream is Subtasks
                yield Visit(child, parent, below, (*above, parent) if is_way else ())

    def _above_returned(self, visit: Visit, scope: Scope, record: Record) -> list[Visit]:
        """The task that has what came back: it has changed by that, and no event names it."""
        one, listing = self.plan.one, visit.listing
        above = reference(record.get("target")) or reference(record.get("parent"))
        is_task = listing.stream is Tasks
        is_named_below_task = listing in one.values() and above.get("resource_type") == "task"
        if Tasks not in one or not above or not (is_task or is_named_below_task):
            return []
        if is_task:  # one more among `num_subtasks` does not modify it
            scope.changes.touched.add(str(gid_of(above)))
        return [Visit(one[Tasks], gid_of(above), scope)]

    def _is_known(self, task: Record) -> bool:
        """Whether a task that a project lists has been, or will be, read as a subtask."""
        return self.goes_on and has_parent(task)

    def _mark(self, stream: StreamClass, container: str) -> Mark | None:
        """What was read of a container before; nothing, where that lies in Asana's future."""
        mark = self._marks.get(stream, {}).get(container)
        return mark if mark and mark.since <= self._began else None


def _is_incomplete(listing: Listing, record: Record) -> bool:
    """Whether a listing has given a part of a record only, so that it is asked for by its gid."""
    lacking = listing.stream.completed_by_gid
    return bool(lacking and listing.children) and lacking[0] not in record
