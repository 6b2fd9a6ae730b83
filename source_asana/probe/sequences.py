"""What a probe asks several times in a row: pages of tasks, events."""

from source_asana.probe.asking import Asking, opt_fields
from source_asana.probe.examples import Examples
from source_asana.probe.findings import INVISIBLE, Reply, Undecided, not_answered, not_visible
from source_asana.probe.judging import FULL_PAGE
from source_asana.streams.declared import Events, Tasks
from source_asana.streams.values import is_time


class TaskPages:
    """Pages of the project's tasks. A method raises what `Asking` and `Examples` raise."""

    def __init__(self, asana: Asking, examples: Examples) -> None:
        self._asana = asana
        self._examples = examples

    @property
    def since(self) -> str:
        """The median of the times at which the tasks were modified."""
        times = sorted(
            t["modified_at"] for t in self._examples.tasks if is_time(t.get("modified_at"))
        )
        if not times:
            raise Undecided(not_visible("no task with a time"))
        return str(times[len(times) // 2])

    @property
    def changed(self) -> Reply:
        """The tasks that Asana gives for that time."""
        return self._asana.given(
            "tasks",
            project=self._examples.project,
            modified_since=self.since,
            opt_fields="modified_at",
            limit=str(FULL_PAGE),
        )

    def with_limits(self, *limits: int) -> dict[int, Reply]:
        """The first page of full tasks with each limit."""
        return {
            limit: self._asana.reply(
                "tasks",
                project=self._examples.project,
                limit=str(limit),
                opt_fields=opt_fields(Tasks),
            )
            for limit in limits
        }

    def of_one(self, **more: str) -> Reply:
        """A page with one task of the project."""
        more = {"limit": "1", **more}
        return self._asana.ask("tasks", project=self._examples.project, opt_fields="gid", **more)

    @property
    def offset(self) -> str:
        """That of the second task."""
        first = self.of_one()
        if first.offset is None:
            raise Undecided(
                not_visible("fewer than two tasks") if first.is_ok else first.unusable()
            )
        return first.offset


class EventFeeds:
    """Events of the project and the workspace. A method raises like those of `TaskPages`."""

    def __init__(self, asana: Asking, examples: Examples) -> None:
        self._asana = asana
        self._examples = examples

    @property
    def first(self) -> Reply:
        """The events of the project, without a token. Raises Undecided where they are refused."""
        return _told(self._asana.ask("events", **self._of_project()))

    @property
    def next(self) -> Reply:
        """The events of the project since the token of `first`."""
        return self._asana.ask("events", **self._of_project(), sync=self._sync_token)

    @property
    def next_again(self) -> Reply:
        """The same once more."""
        return self._asana.again("events", {**self._of_project(), "sync": self._sync_token})

    @property
    def of_unknown_token(self) -> Reply:
        """The events of the project since a token that Asana never gave."""
        _told(self.first)
        return self._asana.ask("events", **self._of_project(), sync="no-such-token")

    @property
    def of_workspace(self) -> Reply:
        """The events of the workspace, without a token. Raises Undecided where they are refused."""
        path = f"workspaces/{self._examples.workspace}/events"
        return _told(self._asana.ask(path, opt_fields=opt_fields(Events)))

    def _of_project(self) -> dict[str, str]:
        return {"resource": self._examples.project, "opt_fields": opt_fields(Events)}

    @property
    def _sync_token(self) -> str:
        sync = self.first.body.get("sync")
        if not isinstance(sync, str):
            raise Undecided(not_answered("no sync token"))
        return sync


def _told(events: Reply) -> Reply:
    """The answer, unless the token may not ask for events. Raises Undecided."""
    if events.status in INVISIBLE:
        raise Undecided(events.unusable())
    return events
