"""Who may see what."""

from collections.abc import Iterable
from dataclasses import dataclass

from .gids import gid_of, kind_of, pair_numbers
from .holdings import Holdings
from .objects import (
    Attachment,
    CustomField,
    OrganizationExport,
    Portfolio,
    Project,
    Section,
    Story,
    Tag,
    Task,
    Team,
    TeamMembership,
    User,
    Workspace,
)


@dataclass(frozen=True)
class Viewer:
    """Who asks. A service account sees everything in its workspaces."""

    user: str
    service_account: bool = False


class Visibility:
    """What each viewer may read, from memberships and privacy settings."""

    def __init__(self, holdings: Holdings) -> None:
        self._holdings = holdings

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

    def _is_visible(self, viewer: Viewer, gid: str) -> bool:  # noqa: PLR0911  # one rule a kind
        holdings = self._holdings
        match kind_of(gid):
            case "workspace":
                return self._belongs(viewer, gid)
            case "user":
                return self._sees_user(viewer, holdings.get(User, gid))
            case "team":
                return self._sees_team(viewer, holdings.get(Team, gid))
            case "team_membership":
                team = holdings.get(TeamMembership, gid).team
                return self.may_read(viewer, team)
            case "project":
                return self._sees_project(viewer, holdings.get(Project, gid))
            case "section":
                return self._is_visible(viewer, holdings.get(Section, gid).project)
            case "task":
                return self._sees_task(viewer, holdings.get(Task, gid))
            case "story":
                return self._is_visible(viewer, holdings.get(Story, gid).task)
            case "attachment":
                return self._is_visible(viewer, holdings.get(Attachment, gid).parent)
            case "tag":
                return self._belongs(viewer, holdings.get(Tag, gid).workspace)
            case "custom_field":
                return self._sees_custom_field(viewer, holdings.get(CustomField, gid))
            case "portfolio":
                return self._sees_portfolio(viewer, holdings.get(Portfolio, gid))
            case "project_membership" | "portfolio_membership" as kind:
                container = gid_of(kind.removesuffix("_membership"), pair_numbers(gid)[0])
                return self._is_visible(viewer, container)
            case "organization_export":
                export = holdings.get(OrganizationExport, gid)
                return self.sees_all_of(viewer, export.organization)
        return False

    def _sees_user(self, viewer: Viewer, user: User) -> bool:
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

    def _sees_team(self, viewer: Viewer, team: Team) -> bool:
        if self.sees_all_of(viewer, team.organization) or self._is_in_team(viewer.user, team.gid):
            return True
        hidden = team.visibility == "secret" or self.is_guest(viewer, team.organization)
        return self._belongs(viewer, team.organization) and not hidden

    def _sees_project(self, viewer: Viewer, project: Project) -> bool:
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

    def _sees_task(self, viewer: Viewer, task: Task) -> bool:
        """https://help.asana.com: through a project, through the parent, or by having part in it."""
        if not self._belongs(viewer, task.workspace):
            return False
        if viewer.service_account or viewer.user in {task.assignee, task.created_by}:
            return True
        if viewer.user in task.followers:
            return True
        if any(self.may_read(viewer, project) for project in task.sections):
            return True
        return task.parent is not None and self._is_visible(viewer, task.parent)

    def _sees_custom_field(self, viewer: Viewer, field: CustomField) -> bool:
        if not self._belongs(viewer, field.workspace):
            return False
        if self.sees_all_of(viewer, field.workspace) or field.created_by == viewer.user:
            return True
        guest = self.is_guest(viewer, field.workspace)
        return field.privacy_setting == "public_with_guests" or (
            field.privacy_setting == "public" and not guest
        )

    def _sees_portfolio(self, viewer: Viewer, portfolio: Portfolio) -> bool:
        if not self._belongs(viewer, portfolio.workspace):
            return False
        if viewer.service_account or viewer.user in portfolio.members:
            return True
        return portfolio.public and not self.is_guest(viewer, portfolio.workspace)

    def _may_read_user_task_list(self, viewer: Viewer, gid: str) -> bool:
        workspace, user = (
            gid_of(kind, number)
            for kind, number in zip(("workspace", "user"), pair_numbers(gid), strict=True)
        )
        if not (self._holdings.exists(workspace) and self._holdings.exists(user)):
            return False
        if user not in self._holdings.get(Workspace, workspace).members:
            return False
        return viewer.user == user or self.sees_all_of(viewer, workspace)
