"""Reading what one visit is for: the pages of a listing, one record, or a project's events."""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

from source_asana.changes import changes_of, event_id
from source_asana.client import AsanaClient
from source_asana.errors import AsanaFailure, Refusal
from source_asana.plan import request_of
from source_asana.scope import Scope, Visit
from source_asana.state import asana_time, mark_time
from source_asana.streams import Events, Projects, Record, StreamClass


@dataclass(frozen=True)
class ProjectEvents:
    """The events of one project, what they make of its scope, and why they could not be read."""

    events: list[Record]
    scope: Scope
    error: Exception | None = None


class Reader:
    """Asks the client in the words of the plan."""

    def __init__(self, client: AsanaClient) -> None:
        self._client = client

    def now(self) -> str:
        """The mark of what is requested from now on, by Asana's clock."""
        return mark_time(self._client.server_date)

    def pages(self, visit: Visit) -> Iterator[list[Record]]:
        """The pages of a visit, where records may come again. Raises like `AsanaClient.pages`."""
        path, params = visit.listing.request(visit.parent)
        since = self._modified_since(visit)
        try:
            yield from self._client.pages(path, params | since, purpose=visit.listing.name)
        except AsanaFailure as failure:
            parts = None if visit.listing.is_one else visit.listing.stream.parts
            if not failure.is_cut or parts is None:
                raise
            yield from self._pages_of_parts(visit, *parts, since)

    def _pages_of_parts(
        self, visit: Visit, kind: StreamClass, template: str, since: dict[str, str]
    ) -> Iterator[list[Record]]:
        """The pages of a listing that is too long for Asana, part by part."""
        purpose = visit.listing.name
        path, params = request_of(kind.path, visit.parent, "gid")
        for parts in self._client.pages(path, params, purpose=purpose):
            for part in parts:
                path, params = request_of(template, part["gid"], visit.listing.opt_fields)
                yield from self._client.pages(path, params | since, purpose=purpose)

    def _modified_since(self, visit: Visit) -> dict[str, str]:
        takes_time = visit.listing.stream.takes_modified_since and not visit.listing.is_one
        since = visit.scope.modified_since(visit.listing) if takes_time and visit.scope else None
        return {"modified_since": since} if since else {}

    def project_events(self, visit: Visit) -> ProjectEvents:
        """What has happened in a project since the tokens of its scope.

        Where that cannot be known, the scope says so, and keeps its place for the next time.
        """
        scope = visit.scope
        assert scope is not None  # noqa: S101 - the plan opens events below projects only
        path, params = visit.listing.request(visit.parent)
        try:
            windows = [
                self._client.events(path, params, token, purpose=visit.listing.name)
                for token in scope.tokens or (None,)
            ]
        except (Refusal, AsanaFailure) as error:
            return ProjectEvents([], scope.informed(scope.changes, None, is_lost=True), error)
        known = [event for window in windows for event in window.events]
        is_lost = any(window.is_lost for window in windows)
        informed = scope.informed(changes_of(known), windows[0].token, is_lost=is_lost)
        events = windows[0].events if scope.since.get(Events) is not None else []
        return ProjectEvents([{**e, "event_id": event_id(e)} for e in events], informed)

    def deleted_at(self, project: str) -> str | None:
        """When a project that is listed no more was deleted, at the latest; None if it is not."""
        path = str(Projects.one).format(project=project)
        try:
            self._client.get(path, {"opt_fields": "gid"}, purpose=Projects.stream_name())
        except Refusal as refusal:
            if refusal.status == HTTPStatus.NOT_FOUND:
                return asana_time(self._client.server_date)
        return None
