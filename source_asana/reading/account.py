"""The account as a sync finds it: its containers, and the visits that they call for. Pure.

Not safe for several threads: the walk calls it under its lock.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from source_asana.reading.changes import WorkspaceEvents
from source_asana.reading.container import ACCOUNT, WITHOUT_PROJECT, Container, Need, News
from source_asana.reading.filters import Filters
from source_asana.reading.listing import Listing, Plan
from source_asana.reading.lookups import lists_of, missing_in, pending_lookups, with_unknown
from source_asana.reading.rechecks import EACH_SYNC, Rechecks, put_off_after_events
from source_asana.reading.resumption import Resumption
from source_asana.reading.unlisted import Unlisted, unlisted_projects
from source_asana.reading.visits import Asked, Look, Rules, Visit
from source_asana.streams.sources import PROJECT, WORKSPACE, StreamClass
from source_asana.streams.values import Record, is_before

PROJECTS_WORTH_A_QUESTION = 50
"""Workspaces with so many projects are asked for the events of all at once. Most tokens are
refused; one refused request must cost less than 1 % of what it could save.
"""


@dataclass
class Listed:
    """What the lists of workspaces, projects and other containers have shown so far.

    `found`: by kind of stream, the gid of each container and that of its workspace. `left_out`:
    those that the user's filters leave out. `complete_in`: the workspaces whose projects were
    listed to the end. `workspaces`: the containers of those found.
    """

    found: dict[StreamClass, dict[str, str | None]]
    left_out: set[str] = field(default_factory=set)
    complete_in: set[str] = field(default_factory=set)
    workspaces: dict[str, Container] = field(default_factory=dict)

    def of_kind(self, container: str) -> set[str]:
        """The gids of all containers of one kind."""
        kinds = (kind for kind in self.found if kind.container == container)
        return {gid for kind in kinds for gid in self.found[kind]}


class Account:
    """The containers of one sync, and what has to be visited in them."""

    def __init__(
        self,
        plan: Plan,
        resumption: Resumption,
        filters: Filters,
        config_gids: Mapping[str, tuple[str, ...]],
        rechecks: Rechecks = EACH_SYNC,
    ) -> None:
        self.plan = plan
        self.rules = Rules(plan, filters, continues=bool(resumption))
        self.resumption = resumption
        self.root = Container(ACCOUNT, "")
        self.unlisted: Unlisted | None = None
        """What happened to projects that have marks and were not listed; None before."""
        self.began = ""
        """The mark of all that is requested below workspaces."""
        self._config_gids = config_gids
        self._rechecks = rechecks
        self._asked_for_events: set[str] = set()
        self._listed = Listed({kind: {} for kind in _kinds_of_containers(plan)})

    def first(self) -> list[Visit]:
        """The visits with which the sync begins."""
        return [
            Visit(listing, gid, self.root) for listing, gid in self.plan.first(self._config_gids)
        ]

    def found(self, kind: StreamClass) -> dict[str, str | None]:
        """The containers of a kind that were found so far, each with its workspace."""
        return dict(self._listed.found.get(kind, {}))

    def look_at(
        self,
        visit: Visit,
        record: Record,
        now: str,
        asked_since: str | None = None,
        followed_time: tuple[str, str] | None = None,
        moment: float = 0.0,
    ) -> Look:
        """What a record calls for. `now`: the mark of now. `moment`: when its visit began."""
        self.began = self.began or now
        if visit.need is not None:
            asked = Asked(moment, now)
            return self.rules.look_at(visit, record, asked_since, followed_time, asked)
        if not self.rules.is_chosen(visit.listing, record):
            self._listed.left_out.add(record["gid"])
            return Look([], [])
        outputs = list(visit.listing.outputs)
        if visit.listing.stream.container == PROJECT:
            outputs = [o for o in outputs if self._lacks_project(o.stream, record)]
        return Look(outputs, list(self._below(visit, record, now)))

    def _lacks_project(self, stream: StreamClass, project: Record) -> bool:
        """Whether a stream lacks a project; what stands inside it comes every time."""
        if stream.container != PROJECT:
            return True
        mark = self.resumption.mark(stream, project["gid"], self.began)
        return mark is None or not is_before(project.get(str(stream.cursor_field)), mark.since)

    def _below(self, visit: Visit, record: Record, now: str) -> Iterator[Visit]:
        """The visits below a record outside of projects, and below projects."""
        listing, gid = visit.listing, record["gid"]
        if listing.stream in self._listed.found:
            home = visit.gid if listing.stream.container == PROJECT else None
            self._listed.found[listing.stream][gid] = home
        if listing.stream.container == PROJECT:
            yield from self._project(visit.container, record, now)
            return
        inside = visit.container
        if listing.stream.container == WORKSPACE:
            inside = self._listed.workspaces.setdefault(gid, Container(WORKSPACE, gid, self.root))
        for child in listing.children:
            parent = child.parent_in(record, is_confirmed=listing.confirms is not None)
            if parent is None or child is self.plan.without_project:
                continue
            streams = [s for s in child.feeds if listing.stream in s.containers()]
            if not streams or child.confirms:
                yield Visit(child, parent, inside)
                continue
            found = self._container(child.name, gid, inside, streams, now)
            if found.need.since:
                yield from missing_in(self.plan, found)
                yield Visit(child, parent, found, found.need)

    def _container(
        self,
        kind: str,
        gid: str,
        above: Container,
        streams: Collection[StreamClass],
        now: str,
    ) -> Container:
        start = self.rules.filters.start_date
        need, former = self.resumption.of(gid, streams, self.began, start)
        need = with_unknown(self.plan, need, former)
        news = News(now, are_lost=former.is_unknown, checked=former.checked)
        return Container(kind, gid, above, need, former, news)

    def _project(self, workspace: Container, record: Record, now: str) -> list[Visit]:
        project = record["gid"]
        found = self._container(PROJECT, project, workspace, self.plan.streams_below_projects, now)
        found.gids = {
            child: gid
            for child in self.plan.below_projects
            if child.gid_column and (gid := child.parent_in(record))
        }
        if not found.need.since:
            return []
        if self.plan.events and self.resumption.is_incremental(found.need.since):
            self._rechecks.put_off(self.plan.below_projects, found, record)
            return [Visit(self.plan.events, project, found, found.need)]
        return list(lists_of(self.plan, found))

    def after_events(self, project: Container) -> list[Visit]:
        """The visits below a project whose events are known."""
        put_off_after_events(project)
        return [*lists_of(self.plan, project), *missing_in(self.plan, project)]

    def pending(self, open_containers: Collection[Container]) -> set[Listing]:
        """The listings that will be read, though nothing of them is open now."""
        pending = pending_lookups(self.plan, open_containers)
        if self.plan.unlisted and self.unlisted is None:
            pending.add(self.plan.unlisted)
        return pending

    def after_list(self, visit: Visit, shown: set[str], now: str) -> list[Visit]:
        """Note that a listing was read to its end; the visits that only this calls for."""
        listing, container = visit.listing, visit.container
        if listing.stream.container == PROJECT and visit.gid:
            self._listed.complete_in.add(visit.gid)
        outside = self.plan.without_project
        if outside and outside in listing.children and visit.gid:
            return self._without_project(outside, visit, shown, now)
        if listing.is_task_list and not listing.is_nested and listing is not outside:
            container.show(shown)
        return []

    def _without_project(
        self, outside: Listing, visit: Visit, users: set[str], now: str
    ) -> list[Visit]:
        """The tasks of each user of a workspace. No events tell of them: they are read in full."""
        streams = [stream for stream in self.plan.streams_below_projects if stream in outside.feeds]
        workspace = str(visit.gid)
        found = self._container(WITHOUT_PROJECT, workspace, visit.container, streams, now)
        found.news = replace(found.news, are_lost=any(found.need.since.values()))
        if not found.need.since:
            return []
        again = missing_in(self.plan, found)
        left = [v for v in again if v.listing is not outside or v.gid in users]
        return [*left, *(Visit(outside, user, found, found.need) for user in sorted(users))]

    def projects_listed(self) -> list[Visit]:
        """The lookups of projects that have marks and were not listed, when all are listed."""
        if self.plan.unlisted is None or self.unlisted is not None:
            return []
        marks = self.resumption.projects()
        workspaces = self._listed.of_kind(WORKSPACE)
        listed = self._listed.of_kind(PROJECT) | workspaces
        self.unlisted = unlisted_projects(
            {gid: mark for gid, mark in marks.items() if gid not in listed},
            self._listed.left_out,
            self._listed.complete_in,
            self.rules.filters,
            self.began,
        )
        self.unlisted.known = len(marks.keys() - workspaces)
        for workspace in self._listed.workspaces.values():
            self.unlisted.renewed |= workspace.renewed_tokens()
        return [Visit(self.plan.unlisted, gid, self.root) for gid in self.unlisted.ask]

    def workspace_tokens(self, workspace: Container, projects: int) -> list[str] | None:
        """The sync tokens to ask a workspace for its events with, when it has shown projects.

        None if it is not asked: a project is left out, or there are but a few.
        """
        streams = self.resumption.told_by_events(self.plan.streams_below_projects)
        is_asked = workspace.gid in self._asked_for_events
        if is_asked or not self.plan.events or not streams:
            return None
        tokens = self.resumption.workspace_tokens(workspace.gid)
        is_worth_it = bool(tokens) or projects >= PROJECTS_WORTH_A_QUESTION
        if not is_worth_it or not self.rules.filters.has_all_projects:
            return None
        self._asked_for_events.add(workspace.gid)
        return tokens

    def learn_of_workspace(self, workspace: Container, events: WorkspaceEvents) -> None:
        """Note what happened in a workspace."""
        streams = self.resumption.told_by_events(self.plan.streams_below_projects)
        since = self.resumption.since_in_workspace(events, streams)
        workspace.need = Need(since, self.rules.filters.start_date)
        workspace.news = News(changes=events.changes)
        workspace.events = events
        workspace.shown = set()


def _kinds_of_containers(plan: Plan) -> set[StreamClass]:
    """The streams whose records are containers, in this sync."""
    streams = {s for listing in plan.listings for s in (listing.stream, *listing.feeds)}
    kinds = {kind for stream in streams for kind in stream.containers()}
    return kinds | {stream for stream in streams if stream.container}
