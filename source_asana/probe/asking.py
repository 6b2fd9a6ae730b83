"""What a probe asks. The one module that makes requests: each once, even if several need it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from source_asana.asana.answer import Answer
from source_asana.asana.client import AsanaClient
from source_asana.asana.errors import AsanaFailure
from source_asana.asana.governor import Governor
from source_asana.asana.rate_limit import RateLimit, Turn
from source_asana.probe.findings import (
    INVISIBLE,
    Record,
    Reply,
    Seen,
    Undecided,
    Verdict,
    not_answered,
    not_visible,
    seen,
)
from source_asana.probe.judging import FULL_PAGE
from source_asana.streams.declared import (
    Attachments,
    Events,
    Projects,
    Stories,
    Subtasks,
    Tasks,
    Workspaces,
)
from source_asana.streams.sources import StreamClass
from source_asana.streams.values import is_time, is_zero, usable

MOST_REQUESTS = 80
"""Requests to Asana's API, repeated ones included. None goes out after these."""

MOST_UNANSWERED = 5
"""After so many questions in a row without an answer, nothing more is asked."""

PURPOSE = "probe"
NO_SUCH_GID = "999999999999999"
TRIED_PROJECTS = 3
TRIED_TASKS = 2


class OutOfRequests(Exception):
    """A probe has made all the requests that it may make."""


class AsanaSilent(Exception):
    """Asana does not answer, so a probe ends. `why`: in words for the user."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class CountedRequests(RateLimit):
    """A rate limit that lets only `most` requests go out in all. Then it raises OutOfRequests."""

    def __init__(self, governor: Governor, most: int = MOST_REQUESTS) -> None:
        super().__init__(governor)
        self._left = most

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """Wait for a turn, if there is one left. Only one thread asks at a time."""
        if not self._left:
            raise OutOfRequests
        self._left -= 1
        with super().turn() as turn:
            yield turn


class Overheard:
    """Every answer that a client gets, without its content."""

    def __init__(self) -> None:
        self.answers: list[Seen] = []

    def note(self, answer: Answer, seconds: float) -> None:
        """Keep what the report needs of an answer; for the client's `observe`."""
        self.answers.append(seen(answer, seconds))


class Questions:
    """What a probe asks of one account, and the examples that it chooses there.

    Examples are asked for when they are first needed. A method raises Undecided if there is no
    example, OutOfRequests, AsanaSilent, and like `AsanaClient.answer`.
    `has_workspace`, `has_project`: whether the user wants this gid. `named_projects`: the projects
    that the user names.
    """

    def __init__(
        self,
        client: AsanaClient,
        overheard: Overheard,
        *,
        has_workspace: Callable[[str], bool],
        has_project: Callable[[str], bool],
        named_projects: Sequence[str],
    ) -> None:
        self._client = client
        self._overheard = overheard
        self._has_workspace = has_workspace
        self._has_project = has_project
        self._named_projects = named_projects
        self._replies: dict[tuple[str, frozenset[tuple[str, str]]], Reply] = {}
        self._unanswered = 0

    # Asking

    def ask(self, path: str, **params: str) -> Reply:
        """Asana's answer, whatever its status. Raises Undecided if waiting may change it."""
        reply = self.reply(path, **params)
        if reply.is_passing:
            raise Undecided(reply.unusable())
        return reply

    def reply(self, path: str, **params: str) -> Reply:
        """What came of a request, whatever it was."""
        question = path, frozenset(params.items())
        if question not in self._replies:
            self._replies[question] = self._asked(path, params)
        return self._replies[question]

    def _asked(self, path: str, params: Mapping[str, str]) -> Reply:
        try:
            answer = self._client.answer(path, params, purpose=PURPOSE)
        except AsanaFailure as failure:
            last = self._overheard.answers[-1]
            self._unanswered += 1
            if last.status == 0 and not last.is_timeout:
                raise AsanaSilent(failure.message) from None
            if self._unanswered == MOST_UNANSWERED:
                why = f"status {last.status}" if last.status else "no answer in time"
                raise AsanaSilent(f"{why}, {MOST_UNANSWERED} times in a row") from None
            return Reply(last.status, {}, last.seconds, last.size)
        self._unanswered = 0
        last = self._overheard.answers[-1]
        return Reply(answer.status, answer.body or {}, last.seconds, answer.size)

    def given(self, path: str, **params: str) -> Reply:
        """An answer 200. Raises Undecided with what any other one means."""
        reply = self.ask(path, **params)
        if not reply.is_ok:
            raise Undecided(reply.unusable())
        return reply

    def listing(self, stream: StreamClass, gid: str = "") -> Reply:
        """The first page of a stream's listing below a parent, as a sync asks for it."""
        path, params = _request(stream, gid)
        return self.given(path, **params)

    def page_after(self, page: Reply, stream: StreamClass, gid: str = "") -> Reply:
        """The page that follows one which has an offset."""
        path, params = _request(stream, gid)
        return self.ask(path, **params, offset=str(page.offset))

    def records(self, stream: StreamClass, gid: str = "") -> list[Record]:
        """The records of that page that have a gid."""
        return usable(self.listing(stream, gid).records, in_requests=True)

    def single(self, stream: StreamClass, kind: str, records: Sequence[Record]) -> Record | None:
        """The first of the records, asked for by its gid with the same fields.

        `kind`: the plural in the path. None where there are no records.
        """
        return self.single_of(stream, kind, records[0]["gid"]) if records else None

    def single_of(self, stream: StreamClass, kind: str, gid: str) -> Record:
        """A record, asked for by its gid with the same fields as in its listing."""
        found = self.given(f"{kind}/{gid}", **_fields(stream)).records
        return found[0] if found else {}

    # Examples

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
        return [w for w in self.records(Workspaces) if self._has_workspace(w["gid"])]

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
        return self.records(Projects, self.workspace)

    @cached_property
    def project(self) -> str:
        """The gid of the best project of a few: with subtasks if possible, and with many tasks.

        Raises Undecided where no project can be read.
        """
        best, richest = None, (False, -1)
        why = Undecided(not_visible("no project"))
        for gid in self._candidates()[:TRIED_PROJECTS]:
            try:
                tasks = self.records(Tasks, gid)
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
        found = self.records(Tasks, self.project)
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
        return self.listing(Subtasks, self.parent_task["gid"])

    @property
    def inline_children(self) -> list[Record]:
        """The tasks once more, with the children that their listing is not documented to have."""
        found = self.reply(
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
            if found := self.records(Attachments, gid):
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
        return {gid: self.listing(stream, gid) for gid in dict.fromkeys(chosen)}

    # Sequences

    @property
    def since(self) -> str:
        """The median of the times at which the tasks were modified."""
        times = sorted(t["modified_at"] for t in self.tasks if is_time(t.get("modified_at")))
        if not times:
            raise Undecided(not_visible("no task with a time"))
        return str(times[len(times) // 2])

    @property
    def changed(self) -> Reply:
        """The tasks that Asana gives for that time."""
        return self.given(
            "tasks",
            project=self.project,
            modified_since=self.since,
            opt_fields="modified_at",
            limit=str(FULL_PAGE),
        )

    def pages_of(self, *limits: int) -> dict[int, Reply]:
        """The first page of full tasks with each limit."""
        return {
            limit: self.reply(
                "tasks", project=self.project, limit=str(limit), opt_fields=_opt_fields(Tasks)
            )
            for limit in limits
        }

    def page_of_one(self, **more: str) -> Reply:
        """A page with one task of the project."""
        more = {"limit": "1", **more}
        return self.ask("tasks", project=self.project, opt_fields="gid", **more)

    @property
    def offset(self) -> str:
        """That of the second task."""
        first = self.page_of_one()
        if first.offset is None:
            raise Undecided(
                not_visible("fewer than two tasks") if first.is_ok else first.unusable()
            )
        return first.offset

    @property
    def first_events(self) -> Reply:
        """The events of the project, without a token. Raises Undecided where they are refused."""
        return _told(self.ask("events", **self._events()))

    @property
    def next_events(self) -> Reply:
        """The events of the project since the token of `first_events`."""
        return self.ask("events", **self._events(), sync=self._sync_token)

    @property
    def next_events_again(self) -> Reply:
        """The same once more."""
        return self._asked("events", {**self._events(), "sync": self._sync_token})

    @property
    def events_of_unknown_token(self) -> Reply:
        """The events of the project since a token that Asana never gave."""
        _told(self.first_events)
        return self.ask("events", **self._events(), sync="no-such-token")

    @property
    def workspace_events(self) -> Reply:
        """The events of the workspace, without a token. Raises Undecided where they are refused."""
        path = f"workspaces/{self.workspace}/events"
        return _told(self.ask(path, opt_fields=_opt_fields(Events)))

    def _events(self) -> dict[str, str]:
        return {"resource": self.project, "opt_fields": _opt_fields(Events)}

    @property
    def _sync_token(self) -> str:
        sync = self.first_events.body.get("sync")
        if not isinstance(sync, str):
            raise Undecided(not_answered("no sync token"))
        return sync

    # What all answers have in common

    @property
    def every_answer(self) -> list[Seen]:
        """All answers so far."""
        return self._overheard.answers

    @property
    def every_record(self) -> list[Record]:
        """All records so far."""
        return [record for reply in self._replies.values() for record in reply.records]

    @property
    def date(self) -> str:
        """Asana's time in its latest answer."""
        return self._client.server_date

    @property
    def limited(self) -> dict[str, list[Mapping[str, Any]]]:
        """The bodies of listings that were asked for with a limit, by their endpoint."""
        found: dict[str, list[Mapping[str, Any]]] = {}
        for (path, params), reply in self._replies.items():
            if reply.is_ok and isinstance(reply.body["data"], list) and "limit" in dict(params):
                endpoint = "/".join("*" if part.isdigit() else part for part in path.split("/"))
                found.setdefault(endpoint, []).append(reply.body)
        return found


def _told(events: Reply) -> Reply:
    """The answer, unless the token may not ask for events. Raises Undecided."""
    if events.status in INVISIBLE:
        raise Undecided(events.unusable())
    return events


def _request(stream: StreamClass, gid: str) -> tuple[str, dict[str, str]]:
    """The path and the parameters of a listing's first page."""
    template = str(stream.path())
    before, brace, rest = template.partition("{")
    filled = before + gid + rest.partition("}")[2] if brace else template
    path, _, query = filled.partition("?")
    given = dict(part.split("=") for part in query.split("&") if part)
    return path, {**given, **_fields(stream), "limit": str(FULL_PAGE)}


def _opt_fields(stream: StreamClass) -> str:
    return ",".join(stream.record.opt_fields())


def _fields(stream: StreamClass) -> dict[str, str]:
    pages = stream.pages()
    takes_opt_fields = pages is None or pages.takes_opt_fields
    return {"opt_fields": _opt_fields(stream)} if takes_opt_fields else {}


def _has_subtasks(task: Record) -> bool:
    number = task.get("num_subtasks")
    return isinstance(number, int) and number > 0


def _length(record: Record, name: str) -> int:
    found = record.get(name)
    return len(found) if isinstance(found, list) else 0
