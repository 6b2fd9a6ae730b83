"""What a sync visits: each visit decided from the plan, the marks and the record above. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from source_asana.choice import ALL, Choice
from source_asana.plan import Listing, Plan, Selection
from source_asana.scope import LOOSE, PROJECT, Scope, Visit
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
    Users,
    Workspaces,
)
from source_asana.workspace_events import WorkspaceEvents


class Agenda:
    """The visits of one sync, each decided from the plan, the marks and the record above."""

    def __init__(
        self,
        plan: Plan,
        selected: Mapping[StreamClass, Selection],
        marks: Mapping[StreamClass, Marks],
        named_in_config: Mapping[str, tuple[str, ...]],
        choice: Choice = ALL,
    ) -> None:
        self.plan = plan
        self._selected = selected
        self._marks = marks
        self._named_in_config = named_in_config
        self._choice = choice
        self._below_projects = [
            stream
            for stream in selected
            if Projects in stream.containers()
            and stream is not Projects
            and (choice.with_subtasks or stream is not Subtasks)
        ]
        self.goes_on = any(marks.values())
        """Whether anything was read before, so that one record may be found in several ways."""
        kinds: list[StreamClass] = [Workspaces, Projects]
        kinds += [kind for stream in selected for kind in stream.containers()]
        self.listed: dict[StreamClass, set[str]] = {kind: set() for kind in kinds}
        """The containers that were found, by their streams."""
        self.left_out: set[str] = set()
        """The projects that were found, and that the user does not want."""
        self._began = ""
        told = [s for s in self._below_projects if plan.events and selected[s].incremental]
        self.workspaces = WorkspaceEvents(
            [stream for stream in told if stream.is_told_by_events()], marks, choice
        )

    def began(self) -> str:
        """The mark of all that is requested below workspaces."""
        return self._began

    def first(self) -> list[Visit]:
        """The visits with which the sync begins."""
        return [Visit(listing, gid) for listing, gid in self.plan.first(self._named_in_config)]

    def absent(self, stream: StreamClass) -> list[str]:
        """The workspaces or projects that the user names and that were not found."""
        if stream is Workspaces:
            return self._choice.absent_workspaces(self.listed[Workspaces])
        if stream is Projects:
            return self._choice.absent_projects(self.listed[Projects])
        return []

    def wants(self, visit: Visit, stream: StreamClass, record: Record) -> bool:
        """Whether a stream lacks a record that a visit has found."""
        if not self._is_chosen(visit.listing, record):
            return False
        if stream is Projects:
            mark = self._mark(Projects, record["gid"])
            return mark is None or bool(record["modified_at"] >= mark.since)
        if visit.scope is None:
            return True
        if visit.listing is self.plan.one.get(Tasks) and not visit.scope.holds(stream, record):
            return False
        if stream is Subtasks and visit.listing.stream is Tasks and not self._is_known(record):
            return False
        return visit.scope.wants(stream, record) and not _is_incomplete(visit.listing, record)

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
        return [*above, *self._below_task(visit.listing, scope, record)]

    def after_events(self, scope: Scope) -> list[Visit]:
        """The visits below a project whose events are known."""
        named = [] if scope.shares_news else self._named(scope, (Stories, Attachments))
        return [*self._listings(scope), *named]

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
                visits += [Visit(one, gid, scope) for gid in sorted(gids[stream])]
        return visits

    def pending(self) -> Collection[Listing]:
        """The listings that will be read, though nothing of them is open now."""
        return self.plan.one.values() if self.workspaces.are_pending else ()

    def after_visit(self, visit: Visit, *, ends_scope: bool) -> list[Visit]:
        """What is left of a workspace's events when all of its projects have been read."""
        rest = None
        if visit.listing.stream is Projects and visit.parent:
            rest = self.workspaces.listing_ends(visit.parent)
        elif ends_scope and visit.scope and visit.scope.is_project:
            rest = self.workspaces.project_ends(visit.scope)
        return self._named(rest, (Tasks, Stories, Attachments)) if rest else []

    def after_listing(self, visit: Visit, seen: set[str], now: str) -> list[Visit]:
        """What a listing calls for when it has been read to its end.

        The tasks that events name and that their project's listing has not shown; below users, the
        tasks that are in no project.
        """
        scope, one = visit.scope, self.plan.one.get(Tasks)
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
        return [Visit(one, gid, scope) for gid in sorted(scope.changes.tasks - seen)]

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
            return self._choice.has_workspace(record["gid"])
        if listing.stream is Projects:
            return self._choice.has_project(record["gid"])
        is_free = not record.get("projects")
        if listing is self.plan.loose:
            return is_free and not record.get("parent")
        if listing is self.plan.one.get(Tasks) and not self._choice.with_subtasks:
            return not (is_free and record.get("parent"))
        return True

    def _below_container(
        self, listing: Listing, workspace: str | None, record: Record, now: str
    ) -> Iterator[Visit]:
        """The visits below a record that is in no project (of projects: in what workspace)."""
        gid = record["gid"]
        if not self._is_chosen(listing, record):
            self.left_out.add(gid)
            return
        if listing.stream in self.listed:
            self.listed[listing.stream].add(gid)
        if listing.stream is Projects:
            yield from self._project(record, workspace, now)
            return
        for child in listing.children:
            parent = child.parent_in(record)
            streams = [s for s in child.feeds if listing.stream in s.containers()]
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
        scope = replace(scope, named=named, news=news)
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
        is_lost = False
        # The events' own token comes first: each event is delivered once.
        for stream in sorted(streams, key=lambda s: s is not Events):
            mark = self._mark(stream, container)
            if not self._selected[stream].incremental:
                if mark is None:
                    since[stream] = None
            else:
                since[stream] = mark.since if mark else None
                if mark and stream.is_told_by_events():
                    tokens |= {(mark.token, mark.workspace): None} if mark.token else {}
                    is_lost |= mark.token is None
        start = self._choice.start_date
        return Scope(container, since, now, tuple(tokens), is_lost=is_lost, start=start, kind=kind)

    def _below_project(self) -> list[Listing]:
        """The listings below projects, without those that events call for."""
        ones = self.plan.one.values()
        return [
            child
            for parent in self.plan.listings
            if parent.stream is Projects
            for child in parent.children
            if child.stream is not Events and child not in ones
        ]

    def _listings(self, scope: Scope) -> Iterator[Visit]:
        for child in self._below_project():
            parent = scope.named.get(child) if child.stream.named_by else scope.container
            if parent and scope.feeds(child):
                yield Visit(child, parent, scope)

    def _below_task(self, listing: Listing, scope: Scope, record: Record) -> Iterator[Visit]:
        one = self.plan.one
        if listing in (one.get(Stories), one.get(Attachments)):
            return
        below = scope.below(record)
        for child in listing.children:
            if child in one.values() or not below.feeds(child):
                continue
            parent = child.parent_in(record)
            if parent and scope.calls_for(child, record):
                yield Visit(child, parent, below)

    def _above_returned(self, visit: Visit, scope: Scope, record: Record) -> list[Visit]:
        """The task that has what came back: it has changed by that, and no event names it."""
        one, listing = self.plan.one, visit.listing
        above = record.get("target") or record.get("parent") or {}
        is_task = listing.stream is Tasks
        is_named_below_task = listing in one.values() and above.get("resource_type") == "task"
        if Tasks not in one or not above or not (is_task or is_named_below_task):
            return []
        if is_task:  # one more among `num_subtasks` does not modify it
            scope.changes.touched.add(above["gid"])
        return [Visit(one[Tasks], above["gid"], scope)]

    def _is_known(self, task: Record) -> bool:
        """Whether a task that a project lists has been, or will be, read as a subtask."""
        return self.goes_on and bool(task.get("parent"))

    def _mark(self, stream: StreamClass, container: str) -> Mark | None:
        """What was read of a container before; nothing, where that lies in Asana's future."""
        mark = self._marks.get(stream, {}).get(container)
        return mark if mark and mark.since <= self._began else None


def _is_incomplete(listing: Listing, record: Record) -> bool:
    """Whether a listing has given a part of a record only, so that it is asked for by its gid."""
    lacking = listing.stream.completed_by_gid
    return bool(lacking and listing.children) and lacking[0] not in record
