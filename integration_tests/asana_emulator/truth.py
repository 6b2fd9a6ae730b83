"""What a correct extraction of an account delivers, and the least number of requests it takes."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property

from .account import Account, Record, Viewer

Gids = Iterator[str]

_COMPACT = "_compact"
_TASK_CHILDREN = {"stories", "attachments"}


def expected(
    account: Account, viewer: Viewer, stream: str, *, export_ids: Sequence[str] = ()
) -> Iterator[Record]:
    """The records of a stream in full refresh: whole trees, each key once."""
    walked = _Walk(account, viewer)
    if stream == "portfolio_items":
        return walked.portfolio_items()
    readable = (gid for gid in export_ids if account.may_read(viewer, gid))
    streams: dict[str, Callable[[], Gids]] = {
        "workspaces": lambda: iter(walked.workspaces),
        "users": lambda: walked.below_workspaces("users"),
        "tags": lambda: walked.below_workspaces("tags"),
        "custom_fields": lambda: walked.below_workspaces("custom_fields"),
        "teams": lambda: iter(walked.teams),
        "team_memberships": lambda: walked.below(walked.teams, "team_memberships"),
        "projects": lambda: iter(walked.projects),
        "sections": lambda: walked.below(walked.projects, "sections"),
        "tasks": walked.tasks,
        "subtasks": walked.subtasks,
        "stories": lambda: walked.below(walked.all_tasks(), "stories"),
        "attachments": walked.attachments,
        "events": lambda: iter(()),
        "portfolios": lambda: iter(walked.portfolios),
        "portfolios_memberships": lambda: walked.below(
            walked.portfolios, "portfolio_memberships"
        ),
        "organization_exports": lambda: readable,
    }
    gids = streams[stream.removesuffix(_COMPACT)]()
    return (account.record(viewer, gid) for gid in gids)


def floor(  # noqa: PLR0913  # the contract's own parameters
    account: Account,
    viewer: Viewer,
    streams: Collection[str],
    *,
    export_ids: Sequence[str] = (),
    page_size: int = 100,
) -> dict[str, int]:
    """The least number of requests that reads these streams in full, by OpenAPI path."""
    walked = _Walk(account, viewer)
    wanted = {stream.removesuffix(_COMPACT) for stream in streams}
    requests: Counter[str] = Counter()

    def read(path: str, child: str, parents: Collection[str] | Gids) -> None:
        for parent in parents:
            requests[path] += _pages(len(account.listing(viewer, child, parent)), page_size)

    in_portfolios = wanted & {"portfolios", "portfolio_items", "portfolios_memberships"}
    in_teams = wanted & {"teams", "team_memberships"}
    in_tasks = wanted & ({"tasks", "subtasks"} | _TASK_CHILDREN)
    in_subtasks = wanted & ({"subtasks"} | _TASK_CHILDREN)
    in_projects = wanted & {"projects", "sections"} or in_tasks
    if wanted & {"workspaces", "users", "tags", "custom_fields"} or in_projects | in_portfolios | in_teams:
        read("/workspaces", "workspaces", [""])
    for stream, path in _BELOW_WORKSPACES.items():
        if stream in wanted:
            read(path, stream, walked.workspaces)
    if in_teams:
        read("/workspaces/{workspace_gid}/teams", "teams", walked.organizations)
    if "team_memberships" in wanted:
        read("/teams/{team_gid}/team_memberships", "team_memberships", walked.teams)
    if in_portfolios:
        read("/portfolios", "portfolios", walked.workspaces)
    if "portfolio_items" in wanted:
        read("/portfolios/{portfolio_gid}/items", "items", walked.portfolios)
    if "portfolios_memberships" in wanted:
        read("/portfolio_memberships", "portfolio_memberships", walked.portfolios)
    if in_projects:
        read("/projects", "projects", walked.workspaces)
    if "sections" in wanted:
        read("/projects/{project_gid}/sections", "sections", walked.projects)
    if in_tasks:
        read("/tasks", "tasks", walked.projects)
    if in_subtasks:
        read("/tasks/{task_gid}/subtasks", "subtasks", walked.parents())
    if "stories" in wanted:
        read("/tasks/{task_gid}/stories", "stories", walked.all_tasks())
    if "attachments" in wanted:
        read("/attachments", "attachments", walked.projects)
        read("/attachments", "attachments", walked.all_tasks())
    if "organization_exports" in wanted:
        requests["/organization_exports/{organization_export_gid}"] = len(export_ids)
    return {path: count for path, count in requests.items() if count}


_BELOW_WORKSPACES = {
    "users": "/users",
    "tags": "/tags",
    "custom_fields": "/workspaces/{workspace_gid}/custom_fields",
}


def _pages(length: int, page_size: int) -> int:
    """An empty listing costs a request too."""
    return max(1, -(-length // page_size))


class _Walk:
    """Visits an account from its workspaces downwards, everything once."""

    def __init__(self, account: Account, viewer: Viewer) -> None:
        self._account = account
        self._viewer = viewer

    def below(self, parents: Collection[str] | Gids, child: str) -> Gids:
        for parent in parents:
            yield from self._account.listing(self._viewer, child, parent)

    def below_workspaces(self, child: str) -> Gids:
        yield from dict.fromkeys(self.below(self.workspaces, child))

    @cached_property
    def workspaces(self) -> list[str]:
        return list(self.below([""], "workspaces"))

    @cached_property
    def organizations(self) -> list[str]:
        records = (self._account.record(self._viewer, gid) for gid in self.workspaces)
        return [record["gid"] for record in records if record["is_organization"]]

    @cached_property
    def teams(self) -> list[str]:
        return list(self.below(self.organizations, "teams"))

    @cached_property
    def projects(self) -> list[str]:
        return list(self.below(self.workspaces, "projects"))

    @cached_property
    def portfolios(self) -> list[str]:
        return list(self.below(self.workspaces, "portfolios"))

    def portfolio_items(self) -> Iterator[Record]:
        for portfolio in self.portfolios:
            for gid in self._account.listing(self._viewer, "items", portfolio):
                yield self._account.record(self._viewer, gid) | {"portfolio_gid": portfolio}

    def tasks(self) -> Gids:
        """The tasks of all projects, each once."""
        seen: set[str] = set()
        for task in self.below(self.projects, "tasks"):
            if task not in seen:
                seen.add(task)
                yield task

    def subtasks(self) -> Gids:
        """All tasks below other tasks, each once; also those that are in a project as well."""
        seen: set[str] = set()
        for parent in self.parents():
            for task in self._account.listing(self._viewer, "subtasks", parent):
                if task not in seen:
                    seen.add(task)
                    yield task

    def parents(self) -> Gids:
        """The tasks and subtasks that have subtasks, each once."""
        return (task for task in self.all_tasks() if self._subtasks_of(task))

    def all_tasks(self) -> Gids:
        """Tasks and subtasks, each once."""
        seen: set[str] = set()
        for top in self.tasks():
            stack = [top]
            while stack:
                task = stack.pop()
                if task not in seen:
                    seen.add(task)
                    yield task
                    stack.extend(reversed(self._subtasks_of(task)))

    def attachments(self) -> Gids:
        yield from self.below(self.projects, "attachments")
        yield from self.below(self.all_tasks(), "attachments")

    def _subtasks_of(self, task: str) -> Sequence[str]:
        return self._account.listing(self._viewer, "subtasks", task)
