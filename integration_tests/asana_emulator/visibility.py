"""Decides who can see what."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .gids import kind_of, paired
from .holdings import Holdings
from .objects import (
    Allocation,
    Attachment,
    AuditEvent,
    CustomField,
    Goal,
    GoalRelationship,
    OrganizationExport,
    Plain,
    Portfolio,
    Project,
    ProjectBrief,
    ProjectTemplate,
    Role,
    Section,
    StatusUpdate,
    Story,
    Tag,
    Task,
    TaskTemplate,
    Team,
    TeamMembership,
    TimeEntry,
    TimePeriod,
    User,
    Workspace,
)


@dataclass(frozen=True)
class Viewer:
    """A user who sends requests. A service account sees everything in its workspaces."""

    user: str
    service_account: bool = False


class Visibility:
    """What each viewer can read, from memberships and privacy settings."""

    def __init__(self, holdings: Holdings) -> None:
        self._holdings = holdings
        self._rules: dict[str, Callable[[Viewer, str], bool]] = {
            "workspace": self._belongs,
            "user": self._sees_user,
            "team": self._sees_team,
            "team_membership": self._sees_team_membership,
            "project": self._sees_project,
            "section": self._sees_containing_project,
            "task": self._sees_task,
            "story": self._sees_told_task,
            "attachment": self._sees_attached,
            "tag": self._sees_tag,
            "custom_field": self._sees_custom_field,
            "portfolio": self._sees_portfolio,
            "project_membership": self._sees_membership,
            "portfolio_membership": self._sees_membership,
            "organization_export": self._sees_export,
            "workspace_membership": self._sees_workspace_membership,
            "goal": self._sees_goal,
            "goal_relationship": self._sees_part,
            "goal_membership": self._sees_membership,
            "portfolio_user": self._sees_membership,
            "portfolio_team": self._sees_membership,
            "project_user": self._sees_membership,
            "time_period": self._sees_as_member,
            "project_template": self._sees_as_member,
            "role": self._sees_as_member,
            "status_update": self._sees_part,
            "time_tracking_entry": self._sees_part,
            "allocation": self._sees_part,
            "task_template": self._sees_part,
            "project_brief": self._sees_part,
            "audit_log_event": self._sees_audit_event,
            "custom_type": self._sees_part,
            "time_tracking_category": self._sees_part,
            "budget": self._sees_part,
            "rate": self._sees_part,
            "timesheet_approval_status": self._sees_part,
            "ooo_entry": self._sees_part,
            "placeholder": self._sees_part,
            "project_portfolio_setting": self._sees_project_in_portfolio,
        }

    def may_read(self, viewer: Viewer, gid: str) -> bool:
        """Whether the object exists and this viewer may read it."""
        if kind_of(gid) == "user_task_list":
            return self._may_read_user_task_list(viewer, gid)
        return self._holdings.exists(gid) and self._is_visible(viewer, gid)

    def readable(self, viewer: Viewer, gids: Iterable[str]) -> list[str]:
        """Those of the gids that the viewer may read, in their order."""
        return [gid for gid in gids if self.may_read(viewer, gid)]

    def sees_all_of(self, viewer: Viewer, workspace: str) -> bool:
        """Whether nothing in this workspace is hidden from the viewer."""
        return viewer.service_account and self._belongs(viewer, workspace)

    def is_guest(self, viewer: Viewer, workspace: str) -> bool:
        """Whether the viewer is no full member of the workspace."""
        return viewer.user in self._holdings.get(Workspace, workspace).guests

    def _belongs(self, viewer: Viewer, workspace: str) -> bool:
        return viewer.user in self._holdings.get(Workspace, workspace).members

    def _is_visible(self, viewer: Viewer, gid: str) -> bool:
        rule = self._rules.get(kind_of(gid) or "")
        return rule is not None and rule(viewer, gid)

    def _sees_containing_project(self, viewer: Viewer, gid: str) -> bool:
        return self._is_visible(viewer, self._holdings.get(Section, gid).project)

    def _sees_told_task(self, viewer: Viewer, gid: str) -> bool:
        return self._is_visible(viewer, self._holdings.get(Story, gid).task)

    def _sees_attached(self, viewer: Viewer, gid: str) -> bool:
        return self._is_visible(viewer, self._holdings.get(Attachment, gid).parent)

    def _sees_team_membership(self, viewer: Viewer, gid: str) -> bool:
        return self.may_read(viewer, self._holdings.get(TeamMembership, gid).team)

    def _sees_membership(self, viewer: Viewer, gid: str) -> bool:
        return self._is_visible(viewer, paired(gid)[0])

    def _sees_project_in_portfolio(self, viewer: Viewer, gid: str) -> bool:
        portfolio, project = paired(gid)
        return self._is_visible(viewer, portfolio) and self.may_read(viewer, project)

    def _sees_workspace_membership(self, viewer: Viewer, gid: str) -> bool:
        """Members see all of them, guests those of the people they can see."""
        workspace, user = paired(gid)
        return self._belongs(viewer, workspace) and (
            not self.is_guest(viewer, workspace) or self._is_visible(viewer, user)
        )

    def _sees_part(self, viewer: Viewer, gid: str) -> bool:
        """What belongs to one object is shown to that object's readers."""
        match self._holdings.find(gid):
            case (
                StatusUpdate(parent=whole)
                | GoalRelationship(supported_goal=whole)
                | TimeEntry(task=whole)
                | Allocation(project=whole)
                | TaskTemplate(project=whole)
                | ProjectBrief(project=whole)
                | Plain(home=whole)
            ):
                return self._is_visible(viewer, whole)
        return False

    def _sees_as_member(self, viewer: Viewer, gid: str) -> bool:
        """What full members of a workspace see, but no guests."""
        match self._holdings.find(gid):
            case (
                TimePeriod(workspace=workspace)
                | ProjectTemplate(workspace=workspace)
                | Role(workspace=workspace)
                | Goal(workspace=workspace)
            ):
                return self._belongs(viewer, workspace) and not self.is_guest(viewer, workspace)
        return False

    def _sees_goal(self, viewer: Viewer, gid: str) -> bool:
        goal = self._holdings.get(Goal, gid)
        if not self._sees_as_member(viewer, gid):
            return False
        shared = goal.privacy_setting != "members_only" or viewer.user in {
            goal.owner,
            *goal.members,
        }
        return shared or viewer.service_account

    def _sees_audit_event(self, viewer: Viewer, gid: str) -> bool:
        """https://developers.asana.com/reference/audit-log-api: service accounts only."""
        return self.sees_all_of(viewer, self._holdings.get(AuditEvent, gid).workspace)

    def _sees_tag(self, viewer: Viewer, gid: str) -> bool:
        return self._belongs(viewer, self._holdings.get(Tag, gid).workspace)

    def _sees_export(self, viewer: Viewer, gid: str) -> bool:
        """https://developers.asana.com/reference/organization-exports: service accounts only."""
        return self.sees_all_of(viewer, self._holdings.get(OrganizationExport, gid).organization)

    def _sees_user(self, viewer: Viewer, gid: str) -> bool:
        user = self._holdings.get(User, gid)
        if user.gid == viewer.user:
            return True
        shared = [
            workspace
            for workspace in self._holdings.kept(Workspace)
            if viewer.user in workspace.members and user.gid in workspace.members
        ]
        return any(
            viewer.user not in workspace.guests or self._works_with(viewer, user.gid, workspace)
            for workspace in shared
        )

    def _works_with(self, guest: Viewer, user: str, workspace: Workspace) -> bool:
        """Guests know the people of the projects and teams that they belong to."""
        return any(
            project.workspace == workspace.gid
            and guest.user in project.members
            and user in project.members
            for project in self._holdings.kept(Project)
        ) or any(
            self._is_in_team(guest.user, team.gid) and self._is_in_team(user, team.gid)
            for team in self._holdings.kept(Team)
            if team.organization == workspace.gid
        )

    def _is_in_team(self, user: str, team: str) -> bool:
        memberships = self._holdings.children("team_membership", team)
        return any(self._holdings.get(TeamMembership, gid).user == user for gid in memberships)

    def _sees_team(self, viewer: Viewer, gid: str) -> bool:
        team = self._holdings.get(Team, gid)
        if self.sees_all_of(viewer, team.organization) or self._is_in_team(viewer.user, team.gid):
            return True
        hidden = team.visibility == "secret" or self.is_guest(viewer, team.organization)
        return self._belongs(viewer, team.organization) and not hidden

    def _sees_project(self, viewer: Viewer, gid: str) -> bool:
        project = self._holdings.get(Project, gid)
        if not self._belongs(viewer, project.workspace):
            return False
        if viewer.service_account or viewer.user in project.members:
            return True
        match project.privacy_setting:
            case "public_to_workspace":
                return not self.is_guest(viewer, project.workspace)
            case "private_to_team":
                return project.team is not None and self._is_in_team(viewer.user, project.team)
        return False

    def _sees_task(self, viewer: Viewer, gid: str) -> bool:
        """Through a project, through the parent, or by taking part in it."""
        task = self._holdings.get(Task, gid)
        if not self._belongs(viewer, task.workspace):
            return False
        if viewer.service_account or viewer.user in {task.assignee, task.created_by}:
            return True
        if viewer.user in task.followers:
            return True
        if any(self.may_read(viewer, project) for project in task.sections):
            return True
        return task.parent is not None and self._is_visible(viewer, task.parent)

    def _sees_custom_field(self, viewer: Viewer, gid: str) -> bool:
        field = self._holdings.get(CustomField, gid)
        if not self._belongs(viewer, field.workspace):
            return False
        if self.sees_all_of(viewer, field.workspace) or field.created_by == viewer.user:
            return True
        guest = self.is_guest(viewer, field.workspace)
        return field.privacy_setting == "public_with_guests" or (
            field.privacy_setting == "public" and not guest
        )

    def _sees_portfolio(self, viewer: Viewer, gid: str) -> bool:
        portfolio = self._holdings.get(Portfolio, gid)
        if not self._belongs(viewer, portfolio.workspace):
            return False
        if viewer.service_account or viewer.user in portfolio.members:
            return True
        return portfolio.public and not self.is_guest(viewer, portfolio.workspace)

    def _may_read_user_task_list(self, viewer: Viewer, gid: str) -> bool:
        workspace, user = paired(gid)
        if not (self._holdings.exists(workspace) and self._holdings.exists(user)):
            return False
        if user not in self._holdings.get(Workspace, workspace).members:
            return False
        return viewer.user == user or self.sees_all_of(viewer, workspace)
