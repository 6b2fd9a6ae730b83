"""Whether what differs from the file of an export has changed since the file was made."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from source_asana.asana.client import AsanaClient
from source_asana.asana.errors import AsanaFailure, Refusal
from source_asana.reading.container import Container
from source_asana.reading.listing import Plan
from source_asana.reading.task_questions import TaskQuestions
from source_asana.reading.visits import Visit
from source_asana.streams.values import gid_of


class ExportDoubts:
    """Asks Asana about single differences. Safe for many threads."""

    def __init__(self, client: AsanaClient, plan: Plan, tasks: TaskQuestions) -> None:
        self._client = client
        self._plan = plan
        self._tasks = tasks

    def is_current(self, visit: Visit, different: Collection[str]) -> bool:
        """Whether nothing tells that the task of a visit, or one of these records, has changed.

        Comments can be edited without a change of the task: events tell of that, where the sync
        follows them.
        """
        if not self._tasks.is_as_listed(visit):
            return False
        try:
            events = self._events_since_export(visit.container)
        except (Refusal, AsanaFailure):
            return False
        return gids_named_by(events).isdisjoint({str(visit.gid), *different})

    def _events_since_export(self, container: Container) -> Iterable[Any]:
        """The events since those that were read before the export; none if none were read."""
        shared, listing = container.workspace_events, self._plan.events
        if listing is None:
            return []
        if shared is not None:
            path, token = f"workspaces/{shared.workspace}/events", shared.token
            return self._client.events(path, {}, token, purpose=listing.name).events
        if not container.is_project or not container.news.token:
            return []
        path, params = listing.request(container.gid)
        token = container.news.token
        return self._client.events(path, params, token, purpose=listing.name).events


def gids_named_by(events: Iterable[Any]) -> set[str]:
    """The gids of all objects that events name, and of those above them."""
    named: set[str] = set()
    for event in events:
        if isinstance(event, Mapping):
            gids = (gid_of(event.get("resource")), gid_of(event.get("parent")))
            named |= {gid for gid in gids if gid}
    return named
