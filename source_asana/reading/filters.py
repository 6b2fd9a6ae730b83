"""What the user has left out of an account, beyond the selection of streams. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from source_asana.streams.sources import PROJECT, WORKSPACE


@dataclass(frozen=True)
class Filters:
    """The filters of the config; by default nothing that the token sees is left out.

    `workspace_gids`: only these (all, where empty). `project_gids`, `team_gids`, `portfolio_gids`:
    only the projects that one of them names; `found_gids` are those in the teams and portfolios,
    once Asana has told them. `start_date`: a moment as
    Asana writes it, before which nothing is wanted of tasks, what is below them, and other history.
    `with_enum_options`: whether tasks and projects repeat all options of each custom field.
    `with_loose_tasks`: whether tasks that are in no project are looked for.
    """

    workspace_gids: tuple[str, ...] = ()
    project_gids: tuple[str, ...] = ()
    team_gids: tuple[str, ...] = ()
    portfolio_gids: tuple[str, ...] = ()
    found_gids: frozenset[str] = frozenset()
    excluded_project_gids: tuple[str, ...] = ()
    with_archived_projects: bool = True
    with_subtasks: bool = True
    start_date: str | None = None
    with_enum_options: bool = True
    with_loose_tasks: bool = False

    def has_workspace(self, gid: str) -> bool:
        """Whether a workspace is wanted."""
        return not self.workspace_gids or gid in self.workspace_gids

    def has_project(self, gid: str) -> bool:
        """Whether a project is wanted, as far as its gid tells."""
        if gid in self.excluded_project_gids:
            return False
        return not self.project_settings or gid in self.project_gids or gid in self.found_gids

    def may_have_had_project(self, gid: str) -> bool:
        """Whether a project may have been wanted: teams and portfolios show no deleted ones."""
        is_excluded = gid in self.excluded_project_gids
        return self.has_project(gid) or (
            not is_excluded and bool(self.team_gids + self.portfolio_gids)
        )

    def leaves_out_archived(self, archived: object) -> bool:
        """Whether a project is unwanted because it is archived, whatever Asana was asked for."""
        return archived is True and not self.with_archived_projects

    @property
    def has_all_projects(self) -> bool:
        """Whether no project is left out."""
        named = self.project_settings or self.excluded_project_gids
        return self.with_archived_projects and not named

    @property
    def project_settings(self) -> list[str]:
        """The settings that choose projects; none if all projects are wanted."""
        chosen = {
            "project_gids": self.project_gids,
            "team_gids": self.team_gids,
            "portfolio_gids": self.portfolio_gids,
        }
        return [name for name, gids in chosen.items() if gids]

    def absent(self, container: str | None, found: Collection[str]) -> list[str]:
        """The workspaces, or projects, that the user names and Asana does not show."""
        if container == WORKSPACE:
            return self.absent_workspaces(found)
        return self.absent_projects(found) if container == PROJECT else []

    def absent_workspaces(self, found: Collection[str]) -> list[str]:
        """The workspaces that the user names and Asana does not show."""
        return [gid for gid in self.workspace_gids if gid not in found]

    def absent_projects(self, found: Collection[str]) -> list[str]:
        """The projects that the user names and Asana does not show."""
        return [gid for gid in self.project_gids if gid not in found]


ALL = Filters()
"""Nothing is left out."""
