"""An Asana account as each of its users sees it, and the ways to change it. Knows no HTTP."""

from collections.abc import Callable, Sequence

import pendulum

from .bulk import HISTORY_END
from .changes import ASANA, Changes, Event, EventLog
from .clock import Clock, stamp
from .gids import gid_of, kind_of, pair_gid, pair_numbers
from .holdings import Holdings
from .objects import (
    Attachment,
    Goal,
    OrganizationExport,
    Portfolio,
    Project,
    Record,
    Section,
    Task,
    TeamMembership,
    Workspace,
)
from .shapes import Shapes
from .visibility import Viewer, Visibility

__all__ = ["ASANA", "Account", "Clock", "Event", "EventLog", "Record", "Viewer"]

Listing = Callable[[Viewer, str], Sequence[str]]


class Account(Changes):
    """What exists, in Asana's order, limited to what a viewer can read; records are whole trees."""

    def __init__(self, holdings: Holdings, clock: Clock) -> None:
        self._visibility = Visibility(holdings)
        super().__init__(holdings, Shapes(holdings, self._visibility), clock)
        self.people: dict[str, Viewer] = {}
        self._listings: dict[tuple[str, str | None], Listing] = {
            ("workspaces", None): self._workspaces,
            ("users", "workspace"): self._users,
            ("users", "team"): self._users_of_team,
            ("tags", "workspace"): self._kept_list("tag"),
            ("custom_fields", "workspace"): self._library,
            ("teams", "workspace"): self._kept_list("team"),
            ("projects", "workspace"): self._kept_list("project"),
            ("projects", "team"): self._projects_of_team,
            ("portfolios", "workspace"): self._portfolios,
            ("team_memberships", "team"): self._kept_list("team_membership"),
            ("team_memberships", "user"): self._team_memberships_of_user,
            ("sections", "project"): self._whole_list("section"),
            ("tasks", "project"): self._whole_list("task"),
            ("tasks", "section"): self._tasks_of_section,
            ("tasks", "tag"): self._tasks_of_tag,
            ("tasks", "user_task_list"): self._my_tasks,
            ("attachments", "project"): self._whole_list("attachment"),
            ("attachments", "task"): self._whole_list("attachment"),
            ("project_memberships", "project"): self._project_memberships,
            ("subtasks", "task"): self._whole_list("subtask"),
            ("stories", "task"): self._whole_list("story"),
            ("items", "portfolio"): self._kept_list("item"),
            ("portfolio_memberships", "portfolio"): self._portfolio_memberships,
            ("workspace_memberships", "workspace"): self._workspace_memberships,
            ("goals", "workspace"): self._kept_list("goal"),
            ("goal_relationships", "goal"): self._kept_list("goal_relationship"),
            ("memberships", "goal"): self._memberships,
            ("memberships", "portfolio"): self._memberships,
            ("memberships", "project"): self._memberships,
            ("time_periods", "workspace"): self._kept_list("time_period"),
            ("status_updates", "project"): self._whole_list("status_update"),
            ("status_updates", "portfolio"): self._whole_list("status_update"),
            ("status_updates", "goal"): self._whole_list("status_update"),
            ("custom_field_settings", "project"): self.shapes.visible_settings,
            ("custom_field_settings", "portfolio"): self.shapes.visible_settings,
            ("custom_field_settings", "goal"): self.shapes.visible_settings,
            ("time_tracking_entries", "workspace"): self._kept_list("time_tracking_entry"),
            ("time_tracking_entries", "task"): self._whole_list("time_tracking_entry"),
            ("allocations", "project"): self._whole_list("allocation"),
            ("allocations", "workspace"): self._kept_list("allocation"),
            ("project_templates", "workspace"): self._kept_list("project_template"),
            ("task_templates", "project"): self._whole_list("task_template"),
            ("roles", "workspace"): self._kept_list("role"),
            ("custom_types", "project"): self._whole_list("custom_type"),
            ("budgets", "project"): self._whole_list("budget"),
            ("rates", "project"): self._whole_list("rate"),
            ("project_portfolio_settings", "portfolio"): self._settings_of_portfolio,
            ("project_portfolio_settings", "project"): self._settings_of_project,
            ("stories", "goal"): self._whole_list("story"),
            ("attachments", "project_brief"): self._whole_list("attachment"),
            ("time_tracking_categories", "workspace"): self._kept_list("time_tracking_category"),
            ("timesheet_approval_statuses", "workspace"): self._kept_list(
                "timesheet_approval_status"
            ),
            ("ooo_entries", "workspace"): self._kept_list("ooo_entry"),
            ("audit_log_events", "workspace"): self._kept_list("audit_log_event"),
        }

    @property
    def organization_exports(self) -> list[str]:
        """The gids of the organization exports that were requested."""
        return [export.gid for export in self._holdings.kept(OrganizationExport)]

    def kind(self, gid: str) -> str | None:
        """The resource type; None if the object does not exist or was deleted."""
        if kind_of(gid) == "user_task_list":
            return "user_task_list" if self._task_list_owner(gid) else None
        return kind_of(gid) if self._holdings.exists(gid) else None

    def attachment(self, gid: str) -> Attachment:
        """The attachment of this gid, to read. Raises KeyError."""
        return self._holdings.get(Attachment, gid)

    def may_read(self, viewer: Viewer, gid: str) -> bool:
        """Whether the object exists and the viewer may read it."""
        return self._visibility.may_read(viewer, gid)

    def record(self, viewer: Viewer, gid: str) -> Record:
        """The object's whole documented tree. Raises KeyError for an unknown object."""
        if self.kind(gid) is None:
            raise KeyError(gid)
        return self.shapes.record(viewer, gid)

    def listing(self, viewer: Viewer, child: str, parent: str) -> Sequence[str]:
        """The gids below a parent that the viewer may read. Raises KeyError without parent."""
        return self._listings[child, self.kind(parent)](viewer, parent)

    def tasks_modified_since(
        self, viewer: Viewer, parent: str, since: pendulum.DateTime
    ) -> Sequence[str]:
        """The tasks of a listing modified, or added to its project, at that instant or later."""
        bound = stamp(since)
        tasks = self.listing(viewer, "tasks", parent)
        if since > HISTORY_END:
            kept = (gid for gid in tasks if self._holdings.is_kept(gid))
            return [gid for gid in kept if self._changed_at(gid, parent) >= bound]
        return [gid for gid in tasks if self._changed_at(gid, parent) >= bound]

    def _changed_at(self, task: str, project: str) -> str:
        return max(self.modified_at(task), self._joined.get((task, project), ""))

    def modified_at(self, task: str) -> str:
        """When a task was last modified, without its whole record."""
        bulk = self._holdings.bulk
        if bulk is None or self._holdings.is_kept(task):
            return self._holdings.get(Task, task).modified_at
        return bulk.modified_at(task)

    def stands_alone(self, viewer: Viewer, task: str) -> bool:
        """Whether a task has no parent, nor any project that the viewer may read."""
        found = self._holdings.get(Task, task)
        return found.parent is None and not self._visibility.readable(viewer, found.sections)

    def user_task_list(self, user: str, workspace: str) -> str | None:
        """The gid of a user's My Tasks in a workspace; None for users who are not in it."""
        gid = pair_gid("user_task_list", workspace, user)
        return gid if self._task_list_owner(gid) else None

    # -- listings ---------------------------------------------------------------------------------

    def _whole_list(self, child: str) -> Listing:
        """A list that everyone who can read the parent can read in full."""
        return lambda _, parent: self._holdings.children(child, parent)

    def _kept_list(self, child: str) -> Listing:
        """A list of which each viewer can read a part."""
        return lambda viewer, parent: self._visibility.readable(
            viewer, self._holdings.children(child, parent)
        )

    def _workspaces(self, viewer: Viewer, _: str) -> list[str]:
        every = (workspace.gid for workspace in self._holdings.kept(Workspace))
        return self._visibility.readable(viewer, every)

    def _users(self, viewer: Viewer, workspace: str) -> list[str]:
        members = self._holdings.get(Workspace, workspace).members
        return self._visibility.readable(viewer, sorted(members))

    def _users_of_team(self, viewer: Viewer, team: str) -> list[str]:
        memberships = self._holdings.children("team_membership", team)
        users = [self._holdings.get(TeamMembership, gid).user for gid in memberships]
        return self._visibility.readable(viewer, users)

    def _library(self, viewer: Viewer, workspace: str) -> list[str]:
        """Only fields that are shared in the workspace's library."""
        return self._visibility.readable(viewer, self._holdings.children("custom_field", workspace))

    def _projects_of_team(self, viewer: Viewer, team: str) -> list[str]:
        projects = (each.gid for each in self._holdings.kept(Project) if each.team == team)
        return self._visibility.readable(viewer, projects)

    def _portfolios(self, viewer: Viewer, workspace: str) -> list[str]:
        """A user's own, or all. https://developers.asana.com/reference/getportfolios"""
        gids = self._kept_list("portfolio")(viewer, workspace)
        if self._visibility.sees_all_of(viewer, workspace):
            return list(gids)
        return [gid for gid in gids if self._holdings.get(Portfolio, gid).owner == viewer.user]

    def _team_memberships_of_user(self, viewer: Viewer, user: str) -> list[str]:
        every = (each.gid for each in self._holdings.kept(TeamMembership) if each.user == user)
        return self._visibility.readable(viewer, every)

    def _project_memberships(self, _: Viewer, project: str) -> list[str]:
        members = self._holdings.get(Project, project).members
        return [pair_gid("project_membership", project, user) for user in members]

    def _portfolio_memberships(self, _: Viewer, portfolio: str) -> list[str]:
        members = self._holdings.get(Portfolio, portfolio).members
        return [pair_gid("portfolio_membership", portfolio, user) for user in members]

    def _workspace_memberships(self, viewer: Viewer, workspace: str) -> list[str]:
        members = sorted(self._holdings.get(Workspace, workspace).members)
        pairs = (pair_gid("workspace_membership", workspace, user) for user in members)
        return self._visibility.readable(viewer, pairs)

    def _memberships(self, _: Viewer, container: str) -> list[str]:
        """The memberships of users, and for a portfolio also those of teams."""
        match self._holdings.find(container):
            case Goal() as goal:
                pairs = [("goal_membership", user) for user in goal.members]
            case Project() as project:
                pairs = [("project_user", user) for user in project.members]
            case Portfolio() as portfolio:
                pairs = [("portfolio_user", user) for user in portfolio.members]
                pairs += [("portfolio_team", team) for team in portfolio.teams]
            case _:
                raise KeyError(container)
        return [pair_gid(kind, container, member) for kind, member in pairs]

    def _settings_of_portfolio(self, viewer: Viewer, portfolio: str) -> list[str]:
        """How each project is in a portfolio; nested portfolios have no such setting."""
        items = self._holdings.children("item", portfolio)
        projects = (gid for gid in items if kind_of(gid) == "project")
        pairs = (pair_gid("project_portfolio_setting", portfolio, gid) for gid in projects)
        return self._visibility.readable(viewer, pairs)

    def _settings_of_project(self, viewer: Viewer, project: str) -> list[str]:
        portfolios = (each.gid for each in self._holdings.kept(Portfolio))
        pairs = (pair_gid("project_portfolio_setting", gid, project) for gid in portfolios)
        return self._visibility.readable(viewer, pairs)

    def _tasks_of_section(self, _: Viewer, section: str) -> list[str]:
        return self._tasks_in(self._holdings.get(Section, section))

    def _tasks_of_tag(self, viewer: Viewer, tag: str) -> list[str]:
        tasks = self._regular("tagged", tag)
        tasks += [task.gid for task in self._holdings.kept(Task) if tag in task.tags]
        return self._visibility.readable(viewer, tasks)

    def _my_tasks(self, viewer: Viewer, task_list: str) -> list[str]:
        """All tasks assigned to the list's owner."""
        workspace, user = pair_numbers(task_list)
        assignee, container = gid_of("user", user), gid_of("workspace", workspace)
        tasks = [
            gid
            for gid in self._regular("assigned_to", assignee)
            if self._holdings.get(Task, gid).workspace == container
        ]
        tasks += [
            task.gid
            for task in self._holdings.kept(Task)
            if task.assignee == assignee and task.workspace == container
        ]
        return self._visibility.readable(viewer, tasks)

    def _regular(self, listing: str, gid: str) -> list[str]:
        """The bulk tasks of a tag or assignee, except those that were changed."""
        bulk = self._holdings.bulk
        if bulk is None:
            return []
        gids = bulk.tagged(gid) if listing == "tagged" else bulk.assigned_to(gid)
        return [each for each in gids if not self._holdings.is_kept(each)]

    def _task_list_owner(self, gid: str) -> str | None:
        workspace, user = pair_numbers(gid)
        container, owner = gid_of("workspace", workspace), gid_of("user", user)
        if not self._holdings.exists(container):
            return None
        return owner if owner in self._holdings.get(Workspace, container).members else None
