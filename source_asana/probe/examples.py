"""The examples that a probe chooses in an account: a workspace, a project, tasks."""

from collections.abc import Callable, Sequence
from functools import cached_property

from source_asana.probe.asking import Asking, OutOfRequests
from source_asana.probe.findings import Record, Reply, Undecided, Verdict, not_visible
from source_asana.probe.judging import FULL_PAGE
from source_asana.streams.declared import (
    Attachments,
    Projects,
    Stories,
    Subtasks,
    Tasks,
    Workspaces,
)
from source_asana.streams.sources import StreamClass
from source_asana.streams.values import is_zero, usable

TRIED_PROJECTS = 3
TRIED_TASKS = 2


class Examples:
    """What a probe chooses in one account. Each is asked for when it is first needed.

    A method raises Undecided if there is no example, and what `Asking` raises.
    `has_workspace`, `has_project`: whether the user wants this gid. `named_projects`: the projects
    that the user names.
    """

    def __init__(
        self,
        asana: Asking,
        *,
        has_workspace: Callable[[str], bool],
        has_project: Callable[[str], bool],
        named_projects: Sequence[str],
    ) -> None:
        self._asana = asana
        self._has_workspace = has_workspace
        self._has_project = has_project
        self._named_projects = named_projects

    @property
    def sees_no_workspace(self) -> bool:
        """Whether Asana shows no workspace that the user wants. Raises no Undecided."""
        try:
            return not self._workspaces()
        except Undecided as undecided:
            return undecided.judgment.verdict is Verdict.NOT_VISIBLE
        except OutOfRequests:
            return False

    def _workspaces(self) -> list[Record]:
        return [w for w in self._asana.records(Workspaces) if self._has_workspace(w["gid"])]

    @property
    def workspace(self) -> str:
        """The gid of an organization, or of a workspace if there is none."""
        found = self._workspaces()
        if not found:
            raise Undecided(not_visible("no workspace"))
        return str(next((w for w in found if w.get("is_organization") is True), found[0])["gid"])

    @property
    def projects(self) -> list[Record]:
        """The first page of the workspace's projects."""
        return self._asana.records(Projects, self.workspace)

    @cached_property
    def project(self) -> str:
        """The gid of the best project of a few: with subtasks if possible, and with many tasks.

        Raises Undecided where no project can be read.
        """
        best, richest = None, (False, -1)
        why = Undecided(not_visible("no project"))
        for gid in self._candidates()[:TRIED_PROJECTS]:
            try:
                tasks = self._asana.records(Tasks, gid)
            except Undecided as undecided:
                why = undecided
                continue
            has = any(map(_has_subtasks, tasks)), len(tasks)
            if has > richest:
                best, richest = gid, has
            if richest == (True, FULL_PAGE):
                break
        if best is None:
            raise why
        return best

    def _candidates(self) -> list[str]:
        """Those that the user names, else active ones, the latest modified first."""
        if self._named_projects:
            return list(self._named_projects)
        wanted = [p for p in self.projects if self._has_project(p["gid"])]
        wanted.sort(key=lambda project: str(project.get("modified_at")), reverse=True)
        wanted.sort(key=lambda project: project.get("archived") is True)
        return [project["gid"] for project in wanted]

    @property
    def tasks(self) -> list[Record]:
        """The first page of the project's tasks. Raises Undecided where there are none."""
        found = self._asana.records(Tasks, self.project)
        if not found:
            raise Undecided(not_visible("no task"))
        return found

    @property
    def newest_task(self) -> str:
        """The gid of the task with the most inline stories, or else of the latest modified one."""
        by_time = sorted(self.tasks, key=lambda task: str(task.get("modified_at")), reverse=True)
        longest = sorted(self.inline_children, key=lambda t: _length(t, "stories"), reverse=True)
        if longest and _length(longest[0], "stories"):
            return str(longest[0]["gid"])
        return str(by_time[0]["gid"])

    @property
    def parent_task(self) -> Record:
        """A task that has subtasks."""
        found = next((task for task in self.tasks if _has_subtasks(task)), None)
        if found is None:
            raise Undecided(not_visible(f"no subtask on {len(self.tasks)} tasks"))
        return found

    @property
    def leaf_task(self) -> Record | None:
        """A task that has no subtasks."""
        return next((task for task in self.tasks if is_zero(task.get("num_subtasks"))), None)

    @property
    def subtasks(self) -> Reply:
        """The subtasks of `parent_task`."""
        return self._asana.listing(Subtasks, self.parent_task["gid"])

    @property
    def inline_children(self) -> list[Record]:
        """The tasks once more, with the children that their listing is not documented to have."""
        found = self._asana.reply(
            "tasks",
            project=self.project,
            opt_fields="num_subtasks,attachments.gid,stories.gid,subtasks.gid",
            limit=str(FULL_PAGE),
        )
        return usable(found.records, in_requests=True) if found.is_ok else []

    @property
    def attached(self) -> tuple[str, list[Record]]:
        """The attachments of the project or of a task, and the gid of what has them.

        Raises Undecided where none is found.
        """
        inline = sorted(self.inline_children, key=lambda t: _length(t, "attachments"), reverse=True)
        shown = [t["gid"] for t in inline[:1] if _length(t, "attachments")]
        by_time = sorted(self.tasks, key=lambda task: str(task.get("modified_at")), reverse=True)
        tried = [*shown, self.project, *(t["gid"] for t in by_time[:TRIED_TASKS])]
        for gid in dict.fromkeys(tried):
            if found := self._asana.records(Attachments, gid):
                return gid, found
        raise Undecided(not_visible(f"no attachment on {len(tried)} objects"))

    def below_inline(self, name: str) -> dict[str, Reply]:
        """The listings with which inline children can be compared, by the gid of their task."""
        tasks = [task for task in self.inline_children if isinstance(task.get(name), list)]
        if not tasks:
            return {}
        most = max(tasks, key=lambda task: _length(task, name))
        stream: StreamClass = {
            "attachments": Attachments,
            "stories": Stories,
            "subtasks": Subtasks,
        }[name]
        empty = [task["gid"] for task in tasks if not task[name]][:1]
        chosen = [most["gid"], *(empty if name == "attachments" else ())]
        return {gid: self._asana.listing(stream, gid) for gid in dict.fromkeys(chosen)}


def _has_subtasks(task: Record) -> bool:
    number = task.get("num_subtasks")
    return isinstance(number, int) and number > 0


def _length(record: Record, name: str) -> int:
    found = record.get(name)
    return len(found) if isinstance(found, list) else 0
