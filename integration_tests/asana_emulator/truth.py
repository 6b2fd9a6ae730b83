"""What a correct extraction of an account delivers, and the least number of requests it takes."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cached_property

from .account import Account, Record, Viewer

Gids = Iterator[str]

_COMPACT = "_compact"


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
        "portfolios_memberships": lambda: walked.below(walked.portfolios, "portfolio_memberships"),
        "organization_exports": lambda: readable,
    }
    gids = streams[stream.removesuffix(_COMPACT)]()
    return (account.record(viewer, gid) for gid in gids)


def floor(
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
    for path, child, needed_by, parents in _LISTINGS:
        if wanted & needed_by:
            for parent in parents(walked):
                length = len(account.listing(viewer, child, parent))
                requests[path] += max(1, -(-length // page_size))
    if "organization_exports" in wanted:
        requests["/organization_exports/{organization_export_gid}"] = len(export_ids)
    return {path: count for path, count in requests.items() if count}


class _Walk:
    """Visits an account from its workspaces downwards, everything once."""

    def __init__(self, account: Account, viewer: Viewer) -> None:
        self._account = account
        self._viewer = viewer

    def below(self, parents: Iterable[str], child: str) -> Gids:
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


_BELOW_TASKS = {"subtasks", "stories", "attachments"}
_BELOW_PROJECTS = _BELOW_TASKS | {"tasks", "sections"}
_BELOW_PORTFOLIOS = {"portfolio_items", "portfolios_memberships"}
_BELOW_WORKSPACES = (
    {"users", "tags", "custom_fields", "teams", "team_memberships", "projects", "portfolios"}
    | _BELOW_PROJECTS
    | _BELOW_PORTFOLIOS
)
# path, child, the streams that cannot do without it, the parents
_LISTINGS: tuple[tuple[str, str, set[str], Callable[[_Walk], Iterable[str]]], ...] = (
    ("/workspaces", "workspaces", {"workspaces"} | _BELOW_WORKSPACES, lambda _: [""]),
    ("/users", "users", {"users"}, lambda walked: walked.workspaces),
    ("/tags", "tags", {"tags"}, lambda walked: walked.workspaces),
    (
        "/workspaces/{workspace_gid}/custom_fields",
        "custom_fields",
        {"custom_fields"},
        lambda walked: walked.workspaces,
    ),
    (
        "/workspaces/{workspace_gid}/teams",
        "teams",
        {"teams", "team_memberships"},
        lambda walked: walked.organizations,
    ),
    (
        "/teams/{team_gid}/team_memberships",
        "team_memberships",
        {"team_memberships"},
        lambda walked: walked.teams,
    ),
    (
        "/portfolios",
        "portfolios",
        {"portfolios"} | _BELOW_PORTFOLIOS,
        lambda walked: walked.workspaces,
    ),
    (
        "/portfolios/{portfolio_gid}/items",
        "items",
        {"portfolio_items"},
        lambda walked: walked.portfolios,
    ),
    (
        "/portfolio_memberships",
        "portfolio_memberships",
        {"portfolios_memberships"},
        lambda walked: walked.portfolios,
    ),
    ("/projects", "projects", {"projects"} | _BELOW_PROJECTS, lambda walked: walked.workspaces),
    (
        "/projects/{project_gid}/sections",
        "sections",
        {"sections"},
        lambda walked: walked.projects,
    ),
    ("/tasks", "tasks", {"tasks"} | _BELOW_TASKS, lambda walked: walked.projects),
    ("/tasks/{task_gid}/subtasks", "subtasks", _BELOW_TASKS, lambda walked: walked.parents()),
    ("/tasks/{task_gid}/stories", "stories", {"stories"}, lambda walked: walked.all_tasks()),
    ("/attachments", "attachments", {"attachments"}, lambda walked: walked.projects),
    ("/attachments", "attachments", {"attachments"}, lambda walked: walked.all_tasks()),
)
