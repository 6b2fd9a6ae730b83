"""The records that a correct sync of an account delivers, and the fewest requests it takes."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from .account import Account, Record, Viewer

Gids = Iterator[str]
Records = Iterator[Record]

_COMPACT = "_compact"
_TASKS_AND_BELOW = {"tasks", "subtasks", "stories", "attachments"}
_BELOW_TASKS = _TASKS_AND_BELOW - {"tasks"}


@dataclass(frozen=True)
class Choice:
    """The part of an account to read; by default all of it.

    Nothing is read below workspaces and projects that were not chosen; `start_date` is an instant
    as Asana writes it, before which nothing is wanted of the streams that have a time.
    """

    workspace_gids: tuple[str, ...] = ()
    project_gids: tuple[str, ...] = ()
    team_gids: tuple[str, ...] = ()
    portfolio_gids: tuple[str, ...] = ()
    excluded_project_gids: tuple[str, ...] = ()
    include_archived_projects: bool = True
    include_subtasks: bool = True
    start_date: str | None = None
    include_tasks_without_project: bool = False


EVERYTHING = Choice()


def expected(
    account: Account,
    viewer: Viewer,
    stream: str,
    *,
    export_ids: Sequence[str] = (),
    choice: Choice = EVERYTHING,
) -> Records:
    """The records of a stream in full refresh: whole trees, each key once."""
    walked = _Walk(account, viewer, choice)
    whole = stream.removesuffix(_COMPACT)
    if whole in _MADE:
        return _MADE[whole](walked)
    if whole == "organization_exports":
        return walked.records(gid for gid in export_ids if account.may_read(viewer, gid))
    return walked.records(_STREAMS[whole](walked))


def floor(
    account: Account,
    viewer: Viewer,
    streams: Collection[str],
    *,
    export_ids: Sequence[str] = (),
    page_size: int = 100,
    choice: Choice = EVERYTHING,
    whole_time_entries: bool = False,
    believes_inline: bool = False,
) -> dict[str, int]:
    """The fewest requests that read these streams in full, by OpenAPI path.

    `believes_inline`: an empty inline list of a task saves the request for its children.
    """
    wanted = {stream.removesuffix(_COMPACT) for stream in streams}
    walked = _Walk(account, viewer, choice, wanted)
    requests: Counter[str] = Counter()
    for listing in _LISTINGS:
        if wanted & listing.needed_by:
            least = 0 if believes_inline and listing.is_inline else 1
            for parent in listing.parents(walked):
                length = len(listing.found(walked, parent))
                requests[listing.path] += max(least, -(-length // page_size))
    if wanted & {"teams", "team_memberships", "audit_log_events"}:
        # The list of workspaces is not believed when it says that one is no organization.
        plain = len(walked.workspaces) - len(walked.organizations)
        requests["/workspaces/{workspace_gid}"] = plain
    if "project_briefs" in wanted:
        requests["/project_briefs/{project_brief_gid}"] = len(walked.briefs)
    if "time_tracking_entries" in wanted and not whole_time_entries:
        entries = sum(1 for _ in _STREAMS["time_tracking_entries"](walked))
        requests["/time_tracking_entries/{time_tracking_entry_gid}"] = entries
    if "audit_log_events" in wanted:
        for organization in walked.organizations:
            length = len(walked.since(organization, "audit_log_events", "created_at"))
            # The page that shows the end is an empty one.
            pages = -(-length // page_size) + 1
            requests["/workspaces/{workspace_gid}/audit_log_events"] += pages
    if "organization_exports" in wanted:
        requests["/organization_exports/{organization_export_gid}"] = len(export_ids)
    return {path: count for path, count in requests.items() if count}


class _Walk:
    """Visits the chosen part of an account from its workspaces down, everything once.

    `wanted`: the streams that are read together; how tasks are listed depends on them.
    """

    def __init__(
        self,
        account: Account,
        viewer: Viewer,
        choice: Choice,
        wanted: Collection[str] = (),
    ) -> None:
        self._account = account
        self._viewer = viewer
        self._choice = choice
        self._wanted = set(wanted)

    def listed(self, parent: str, child: str) -> Sequence[str]:
        return self._account.listing(self._viewer, child, parent)

    def below(self, parents: Iterable[str], child: str) -> Gids:
        for parent in parents:
            yield from self.listed(parent, child)

    def below_workspaces(self, child: str) -> Gids:
        yield from dict.fromkeys(self.below(self.workspaces, child))

    def record(self, gid: str) -> Record:
        return self._account.record(self._viewer, gid)

    def records(self, gids: Iterable[str]) -> Records:
        return (self.record(gid) for gid in gids)

    def in_workspaces(self, child: str, workspaces: Iterable[str]) -> Records:
        """Records, and the workspaces in whose listings they stand."""
        for workspace in workspaces:
            for gid in self.listed(workspace, child):
                yield self.record(gid) | {"workspace_gid": workspace}

    def since(self, parent: str, child: str, time: str) -> Sequence[str]:
        """The records of a listing since the start date."""
        start = self._choice.start_date
        gids = self.listed(parent, child)
        if start is None:
            return gids
        bound = start[:10] if time == "entered_on" else start
        return [gid for gid in gids if self.record(gid)[time] >= bound]

    def all_since(self, parents: Iterable[str], child: str, time: str = "created_at") -> Gids:
        for parent in parents:
            yield from self.since(parent, child, time)

    # -- down to projects -------------------------------------------------------------------------

    @cached_property
    def workspaces(self) -> list[str]:
        chosen = self._choice.workspace_gids
        return [gid for gid in self.listed("", "workspaces") if not chosen or gid in chosen]

    @cached_property
    def organizations(self) -> list[str]:
        return [gid for gid in self.workspaces if self.record(gid)["is_organization"]]

    @cached_property
    def teams(self) -> list[str]:
        return list(self.below(self.organizations, "teams"))

    def listed_projects(self, workspace: str) -> list[str]:
        """The projects to list: all, or those that are not archived."""
        gids = self.listed(workspace, "projects")
        if self._choice.include_archived_projects:
            return list(gids)
        return [gid for gid in gids if not self.record(gid)["archived"]]

    @cached_property
    def projects(self) -> list[str]:
        choice, excluded = self._choice, self._choice.excluded_project_gids
        is_any = not (choice.project_gids or choice.team_gids or choice.portfolio_gids)
        groups = (*self.chosen_teams, *self.chosen_portfolios)
        chosen = {gid for _, listed in groups for gid in listed} | {*choice.project_gids}
        return [
            gid
            for workspace in self.workspaces
            for gid in self.listed_projects(workspace)
            if gid not in excluded and (is_any or gid in chosen)
        ]

    @cached_property
    def chosen_teams(self) -> list[tuple[str, Sequence[str]]]:
        """The teams that were chosen, each with its projects."""
        return [(gid, self.listed(gid, "projects")) for gid in self._choice.team_gids]

    @cached_property
    def chosen_portfolios(self) -> list[tuple[str, Sequence[str]]]:
        """The portfolios that were chosen and those inside them, each with its items."""
        found: dict[str, Sequence[str]] = {}
        waiting = list(self._choice.portfolio_gids)
        while waiting:
            portfolio = waiting.pop()
            if portfolio not in found:
                found[portfolio] = self.listed(portfolio, "items")
                waiting += [
                    gid for gid in found[portfolio] if self._account.kind(gid) == "portfolio"
                ]
        return list(found.items())

    @cached_property
    def portfolios(self) -> list[str]:
        return list(self.below(self.workspaces, "portfolios"))

    @cached_property
    def goals(self) -> list[str]:
        return list(self.below(self.workspaces, "goals"))

    @cached_property
    def briefs(self) -> list[str]:
        briefs = (self.record(project)["project_brief"] for project in self.projects)
        return [brief["gid"] for brief in briefs if brief]

    def portfolio_items(self) -> Records:
        for portfolio in self.portfolios:
            for gid in self.listed(portfolio, "items"):
                yield self.record(gid) | {"portfolio_gid": portfolio}

    @property
    def people(self) -> Gids:
        """The gids of each workspace and each of its users, with a blank between."""
        for workspace in self.workspaces:
            for user in self.listed(workspace, "users"):
                yield f"{workspace} {user}"

    def ooo_entries(self) -> Gids:
        for person in self.people:
            yield from self.absences(*person.split())

    def absences(self, workspace: str, user: str) -> list[str]:
        """The days on which a person is out of office."""
        entries = self.listed(workspace, "ooo_entries")
        return [gid for gid in entries if self.record(gid)["user"]["gid"] == user]

    def categories(self, workspace: str, *, archived: bool) -> list[str]:
        found = self.listed(workspace, "time_tracking_categories")
        return [gid for gid in found if self.record(gid)["is_archived"] == archived]

    def status_updates(self) -> Gids:
        for parents in (self.projects, self.portfolios, self.goals):
            yield from self.all_since(parents, "status_updates")

    def user_task_lists(self) -> Records:
        for membership in self.below(self.workspaces, "workspace_memberships"):
            yield self.record(membership)["user_task_list"]

    # -- tasks ------------------------------------------------------------------------------------

    @property
    def needs_people(self) -> bool:
        """Whether users are wanted, or lead to tasks without a project."""
        return (
            bool({"users", "ooo_entries"} & self._wanted)
            or self._choice.include_tasks_without_project
        )

    @cached_property
    def task_lists(self) -> list[str]:
        """The My Tasks of all users, if tasks without a project are wanted."""
        if not self._choice.include_tasks_without_project:
            return []
        pairs = ((user, each) for each in self.workspaces for user in self.listed(each, "users"))
        lists = (self._account.user_task_list(user, workspace) for user, workspace in pairs)
        return [gid for gid in lists if gid]

    def listed_tasks(self, parent: str) -> Sequence[str]:
        """The tasks to list: only recent ones, if older ones lead to nothing."""
        gids = self.listed(parent, "tasks")
        leads_on = self._choice.include_subtasks and self._wanted & _BELOW_TASKS
        return gids if leads_on or not self._choice.start_date else list(self.recent(gids))

    def recent(self, tasks: Iterable[str]) -> Gids:
        start = self._choice.start_date
        return (gid for gid in tasks if start is None or self._account.modified_at(gid) >= start)

    def _top_tasks(self) -> Gids:
        """The tasks of all projects, and those of none if these are wanted, each once."""
        seen: set[str] = set()
        for task in self.below(self.projects, "tasks"):
            if task not in seen:
                seen.add(task)
                yield task
        for task in self.below(self.task_lists, "tasks"):
            if task not in seen and self._account.stands_alone(self._viewer, task):
                seen.add(task)
                yield task

    def tasks(self) -> Gids:
        return self.recent(self._top_tasks())

    def subtasks(self) -> Gids:
        """All tasks below other tasks, each once; also those that are in a project as well."""
        seen: set[str] = set()
        for parent in self.parents():
            for task in self.listed(parent, "subtasks"):
                if task not in seen:
                    seen.add(task)
                    yield from self.recent([task])

    def parents(self) -> Gids:
        """The tasks and subtasks that have subtasks, each once, if anything below is wanted."""
        if not self._choice.include_subtasks:
            return iter(())
        return (task for task in self._all_tasks() if self.listed(task, "subtasks"))

    def _all_tasks(self) -> Gids:
        """Tasks and subtasks, each once."""
        if not self._choice.include_subtasks:
            yield from self._top_tasks()
            return
        seen: set[str] = set()
        for top in self._top_tasks():
            stack = [top]
            while stack:
                task = stack.pop()
                if task not in seen:
                    seen.add(task)
                    yield task
                    stack.extend(reversed(self.listed(task, "subtasks")))

    def recent_tasks(self) -> Gids:
        """The tasks and subtasks below which there may be something new, each once."""
        return self.recent(self._all_tasks())

    def attachments(self) -> Gids:
        yield from self.all_since(self.projects, "attachments")
        yield from self.all_since(self.briefs, "attachments")
        yield from self.all_since(self.recent_tasks(), "attachments")


_STREAMS: dict[str, Callable[[_Walk], Iterable[str]]] = {
    "workspaces": lambda walked: walked.workspaces,
    "users": lambda walked: walked.below_workspaces("users"),
    "tags": lambda walked: walked.below_workspaces("tags"),
    "roles": lambda walked: walked.below_workspaces("roles"),
    "timesheet_approval_statuses": lambda walked: walked.below_workspaces(
        "timesheet_approval_statuses"
    ),
    "ooo_entries": lambda walked: walked.ooo_entries(),
    "custom_types": lambda walked: dict.fromkeys(walked.below(walked.projects, "custom_types")),
    "budgets": lambda walked: walked.below(walked.projects, "budgets"),
    "rates": lambda walked: walked.below(walked.projects, "rates"),
    "project_portfolio_settings": lambda walked: walked.below(
        walked.portfolios, "project_portfolio_settings"
    ),
    "goal_stories": lambda walked: walked.below(walked.goals, "stories"),
    "teams": lambda walked: walked.teams,
    "team_memberships": lambda walked: walked.below(walked.teams, "team_memberships"),
    "workspace_memberships": lambda walked: walked.below_workspaces("workspace_memberships"),
    "projects": lambda walked: walked.projects,
    "sections": lambda walked: walked.below(walked.projects, "sections"),
    "project_memberships": lambda walked: walked.below(walked.projects, "project_memberships"),
    "allocations": lambda walked: walked.below(walked.projects, "allocations"),
    "task_templates": lambda walked: walked.below(walked.projects, "task_templates"),
    "project_briefs": lambda walked: walked.briefs,
    "custom_field_settings": lambda walked: walked.below(
        [*walked.projects, *walked.portfolios], "custom_field_settings"
    ),
    "tasks": lambda walked: walked.tasks(),
    "subtasks": lambda walked: walked.subtasks(),
    "stories": lambda walked: walked.all_since(walked.recent_tasks(), "stories"),
    "attachments": lambda walked: walked.attachments(),
    "events": lambda _: (),
    "portfolios": lambda walked: walked.portfolios,
    "portfolios_memberships": lambda walked: walked.below(
        walked.portfolios, "portfolio_memberships"
    ),
    "portfolio_memberships": lambda walked: walked.below(walked.portfolios, "memberships"),
    "goals": lambda walked: walked.goals,
    "goal_relationships": lambda walked: walked.below(walked.goals, "goal_relationships"),
    "goal_memberships": lambda walked: walked.below(walked.goals, "memberships"),
    "status_updates": lambda walked: walked.status_updates(),
    "time_tracking_entries": lambda walked: walked.all_since(
        walked.workspaces, "time_tracking_entries", "entered_on"
    ),
}


def _audit_log_events(walked: _Walk) -> Records:
    for organization in walked.organizations:
        for gid in walked.since(organization, "audit_log_events", "created_at"):
            yield walked.record(gid) | {"workspace_gid": organization}


# Records that are more, or less, than what Asana gives.
_MADE: dict[str, Callable[[_Walk], Records]] = {
    "custom_fields": lambda walked: walked.in_workspaces("custom_fields", walked.workspaces),
    "time_periods": lambda walked: walked.in_workspaces("time_periods", walked.workspaces),
    "time_tracking_categories": lambda walked: walked.in_workspaces(
        "time_tracking_categories", walked.workspaces
    ),
    "project_templates": lambda walked: walked.in_workspaces(
        "project_templates", walked.workspaces
    ),
    "audit_log_events": _audit_log_events,
    "user_task_lists": lambda walked: walked.user_task_lists(),
    "portfolio_items": lambda walked: walked.portfolio_items(),
}


@dataclass(frozen=True)
class _Listing:
    """A listing that some streams need: its parents, and its length.

    `is_inline`: whether its parents have a list of it.
    """

    path: str
    needed_by: set[str]
    parents: Callable[[_Walk], Iterable[str]]
    found: Callable[[_Walk, str], Sequence[str]]
    is_inline: bool = False


def _whole(child: str) -> Callable[[_Walk, str], Sequence[str]]:
    return lambda walked, parent: walked.listed(parent, child)


def _since(child: str, time: str = "created_at") -> Callable[[_Walk, str], Sequence[str]]:
    return lambda walked, parent: walked.since(parent, child, time)


def _workspaces(walked: _Walk) -> Iterable[str]:
    return walked.workspaces


def _projects(walked: _Walk) -> Iterable[str]:
    return walked.projects


def _portfolios(walked: _Walk) -> Iterable[str]:
    return walked.portfolios


def _goals(walked: _Walk) -> Iterable[str]:
    return walked.goals


_NEEDS_PROJECTS = _TASKS_AND_BELOW | {
    "projects",
    "sections",
    "project_memberships",
    "allocations",
    "task_templates",
    "project_briefs",
    "custom_field_settings",
    "status_updates",
    "custom_types",
    "budgets",
    "rates",
}
_NEEDS_PORTFOLIOS = {
    "project_portfolio_settings",
    "portfolios",
    "portfolio_items",
    "portfolios_memberships",
    "portfolio_memberships",
    "custom_field_settings",
    "status_updates",
}
_NEEDS_GOALS = {
    "goals",
    "goal_relationships",
    "goal_memberships",
    "goal_stories",
    "status_updates",
}
_NEEDS_WORKSPACES = {*_STREAMS, *_MADE} - {"events"}
_LISTINGS = (
    _Listing(
        "/teams/{team_gid}/projects",
        _NEEDS_PROJECTS,
        lambda walked: [team for team, _ in walked.chosen_teams],
        _whole("projects"),
    ),
    _Listing(
        "/portfolios/{portfolio_gid}/items",
        _NEEDS_PROJECTS,
        lambda walked: [portfolio for portfolio, _ in walked.chosen_portfolios],
        _whole("items"),
    ),
    _Listing("/workspaces", _NEEDS_WORKSPACES, lambda _: [""], _whole("workspaces")),
    _Listing(
        "/users",
        {"users", "ooo_entries"} | _TASKS_AND_BELOW,
        lambda walked: walked.workspaces if walked.needs_people else (),
        _whole("users"),
    ),
    _Listing("/tags", {"tags"}, _workspaces, _whole("tags")),
    _Listing("/roles", {"roles"}, _workspaces, _whole("roles")),
    _Listing(
        "/timesheet_approval_statuses",
        {"timesheet_approval_statuses"},
        _workspaces,
        _whole("timesheet_approval_statuses"),
    ),
    _Listing(
        "/time_tracking_categories",
        {"time_tracking_categories"},
        _workspaces,
        lambda walked, workspace: walked.categories(workspace, archived=False),
    ),
    _Listing(
        "/time_tracking_categories",
        {"time_tracking_categories"},
        _workspaces,
        lambda walked, workspace: walked.categories(workspace, archived=True),
    ),
    _Listing(
        "/workspaces/{workspace_gid}/custom_fields",
        {"custom_fields"},
        _workspaces,
        _whole("custom_fields"),
    ),
    _Listing(
        "/workspaces/{workspace_gid}/workspace_memberships",
        {"workspace_memberships", "user_task_lists"},
        _workspaces,
        _whole("workspace_memberships"),
    ),
    _Listing("/time_periods", {"time_periods"}, _workspaces, _whole("time_periods")),
    _Listing("/project_templates", {"project_templates"}, _workspaces, _whole("project_templates")),
    _Listing(
        "/time_tracking_entries",
        {"time_tracking_entries"},
        _workspaces,
        _since("time_tracking_entries", "entered_on"),
    ),
    _Listing(
        "/workspaces/{workspace_gid}/teams",
        {"teams", "team_memberships"},
        lambda walked: walked.organizations,
        _whole("teams"),
    ),
    _Listing(
        "/teams/{team_gid}/team_memberships",
        {"team_memberships"},
        lambda walked: walked.teams,
        _whole("team_memberships"),
    ),
    _Listing("/portfolios", _NEEDS_PORTFOLIOS, _workspaces, _whole("portfolios")),
    _Listing(
        "/portfolios/{portfolio_gid}/items", {"portfolio_items"}, _portfolios, _whole("items")
    ),
    _Listing(
        "/portfolio_memberships",
        {"portfolios_memberships"},
        _portfolios,
        _whole("portfolio_memberships"),
    ),
    _Listing("/memberships", {"portfolio_memberships"}, _portfolios, _whole("memberships")),
    _Listing("/status_updates", {"status_updates"}, _portfolios, _since("status_updates")),
    _Listing("/goals", _NEEDS_GOALS, _workspaces, _whole("goals")),
    _Listing("/goal_relationships", {"goal_relationships"}, _goals, _whole("goal_relationships")),
    _Listing("/memberships", {"goal_memberships"}, _goals, _whole("memberships")),
    _Listing("/status_updates", {"status_updates"}, _goals, _since("status_updates")),
    _Listing("/projects", _NEEDS_PROJECTS, _workspaces, _Walk.listed_projects),
    _Listing("/projects/{project_gid}/sections", {"sections"}, _projects, _whole("sections")),
    _Listing(
        "/projects/{project_gid}/project_memberships",
        {"project_memberships"},
        _projects,
        _whole("project_memberships"),
    ),
    _Listing("/allocations", {"allocations"}, _projects, _whole("allocations")),
    _Listing("/task_templates", {"task_templates"}, _projects, _whole("task_templates")),
    _Listing(
        "/ooo_entries",
        {"ooo_entries"},
        lambda walked: walked.people,
        lambda walked, person: walked.absences(*person.split()),
    ),
    _Listing("/custom_types", {"custom_types"}, _projects, _whole("custom_types")),
    _Listing("/budgets", {"budgets"}, _projects, _whole("budgets")),
    _Listing("/rates", {"rates"}, _projects, _whole("rates")),
    _Listing(
        "/portfolios/{portfolio_gid}/project_portfolio_settings",
        {"project_portfolio_settings"},
        _portfolios,
        _whole("project_portfolio_settings"),
    ),
    _Listing("/goals/{goal_gid}/stories", {"goal_stories"}, _goals, _whole("stories")),
    _Listing("/status_updates", {"status_updates"}, _projects, _since("status_updates")),
    _Listing("/tasks", _TASKS_AND_BELOW, _projects, _Walk.listed_tasks),
    _Listing("/tasks", _TASKS_AND_BELOW, lambda walked: walked.task_lists, _Walk.listed_tasks),
    _Listing(
        "/tasks/{task_gid}/subtasks",
        _BELOW_TASKS,
        lambda walked: walked.parents(),
        _whole("subtasks"),
    ),
    _Listing(
        "/tasks/{task_gid}/stories",
        {"stories"},
        lambda walked: walked.recent_tasks(),
        _whole("stories"),
    ),
    _Listing("/attachments", {"attachments"}, _projects, _whole("attachments")),
    _Listing("/attachments", {"attachments"}, lambda walked: walked.briefs, _whole("attachments")),
    _Listing(
        "/attachments",
        {"attachments"},
        lambda walked: walked.recent_tasks(),
        _whole("attachments"),
        is_inline=True,
    ),
)
