"""Questions about single tasks that only a request of their own can answer."""

import threading
from http import HTTPStatus

from source_asana.asana.client import AsanaClient
from source_asana.asana.errors import AsanaFailure, Refusal
from source_asana.reading.listing import Listing
from source_asana.reading.visits import Visit
from source_asana.streams.declared import lookup_path
from source_asana.streams.sources import TASK
from source_asana.streams.values import Record, gid_of, gids_in, reference


class TaskQuestions:
    """Asks for each task once; safe for several threads."""

    def __init__(self, client: AsanaClient, *, with_subtasks: bool) -> None:
        self._client = client
        self._with_subtasks = with_subtasks
        self._path = lookup_path(TASK)
        self._asking = threading.Lock()
        self._lock_of_task: dict[str, threading.Lock] = {}
        self._is_subtask: dict[str, bool] = {}

    def without_subtasks(self, page: list[Record], listing: Listing) -> list[Record]:
        """The records of a page, without what is on subtasks if the user leaves them out.

        Only what is looked up can be on one then: their lists are not read. Raises like
        `AsanaClient.get`.
        """
        takes_all = not listing.is_lookup or not listing.stream.is_below_tasks()
        if self._with_subtasks or takes_all:
            return page
        return [record for record in page if not self._is_on_subtask(record, listing.name)]

    def is_gone(self, task: str, *, purpose: str) -> bool:
        """Whether Asana no longer shows a task that a list has shown. Raises AsanaFailure."""
        try:
            self._client.get(self._path.format(task=task), {"opt_fields": "gid"}, purpose=purpose)
        except Refusal as refusal:
            return refusal.status == HTTPStatus.NOT_FOUND
        return False

    def is_as_listed(self, visit: Visit) -> bool:
        """Whether the task of a visit is as its list has shown it; not if Asana does not say."""
        asked = {"opt_fields": "modified_at"}
        path = self._path.format(task=visit.gid)
        try:
            task = self._client.get(path, asked, purpose=visit.listing.name)["data"]
        except (Refusal, AsanaFailure):
            return False
        return isinstance(task, dict) and task.get("modified_at") == visit.modified_at

    def _is_on_subtask(self, record: Record, purpose: str) -> bool:
        above = reference(record.get("target")) or reference(record.get("parent"))
        gid = gid_of(above)
        if gid is None or above.get("resource_type") != TASK:
            return False
        with self._asking:
            lock = self._lock_of_task.setdefault(gid, threading.Lock())
        with lock:
            if gid not in self._is_subtask:
                self._is_subtask[gid] = self._ask_whether_subtask(gid, purpose)
        return self._is_subtask[gid]

    def _ask_whether_subtask(self, gid: str, purpose: str) -> bool:
        asked = {"opt_fields": "parent.gid,projects.gid"}
        path = self._path.format(task=gid)
        task = self._client.get(path, asked, purpose=purpose)["data"]
        if not isinstance(task, dict):
            return False
        return bool(reference(task.get("parent"))) and not gids_in(task.get("projects"))
