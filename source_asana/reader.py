"""Reading what one visit is for: the pages of a listing, one record, or a project's events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain

from source_asana.changes import WorkspaceNews, changes_of, event_id
from source_asana.client import AsanaClient
from source_asana.errors import AsanaFailure, Refusal
from source_asana.plan import Listing, request_of
from source_asana.scope import Scope, Visit
from source_asana.state import asana_time, mark_time
from source_asana.streams import Events, Record, StreamClass, Tasks

DAY_LENGTH = len("2026-11-20")


@dataclass(frozen=True)
class ProjectEvents:
    """The events of one project, what they make of its scope, and why they could not be read.

    `events` are those of its own tokens, each with its `event_id`; of these, `delivered` are the
    ones that the stream of events has not had.
    """

    events: list[Record]
    delivered: list[Record]
    scope: Scope
    error: Exception | None = None


class Reader:
    """Asks the client in the words of the plan."""

    def __init__(self, client: AsanaClient, *, with_subtasks: bool = True) -> None:
        self._client = client
        self._with_subtasks = with_subtasks

    def now(self) -> str:
        """The mark of what is requested from now on, by Asana's clock."""
        return mark_time(self._client.server_date)

    def time(self) -> str:
        """The time now, by Asana's clock."""
        return asana_time(self._client.server_date)

    def pages(self, visit: Visit) -> Iterator[list[Record]]:
        """The pages of a visit, where records may come again. Raises like `AsanaClient.pages`."""
        listing = visit.listing
        path, params = visit.request()
        since = self._since(visit)
        try:
            for page in self._client.pages(
                path,
                params | since,
                purpose=listing.name,
                until_empty=listing.pages and listing.stream.goes_on_after_its_end,
            ):
                yield (
                    page if self._takes_all(listing) else self._without_subtasks(page, listing.name)
                )
        except AsanaFailure as failure:
            parts = listing.stream.parts if listing.path == listing.stream.path else None
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

    def _since(self, visit: Visit) -> dict[str, str]:
        """The parameter by which Asana leaves out what nobody needs."""
        stream = visit.listing.stream
        if stream.since_parameter is None or visit.listing.is_one or visit.scope is None:
            return {}
        since = visit.scope.read_from(visit.listing)
        if since is not None and stream.late_days is not None:
            since = since[:DAY_LENGTH]
        return {stream.since_parameter: since} if since else {}

    def _takes_all(self, listing: Listing) -> bool:
        """Whether nothing of a listing can belong to subtasks that the user leaves out."""
        return self._with_subtasks or not listing.is_one or listing.stream is Tasks

    def _without_subtasks(self, page: list[Record], purpose: str) -> list[Record]:
        """Those stories and attachments, named by events, that are not on subtasks."""
        return [record for record in page if not self._is_of_a_subtask(record, purpose)]

    def _is_of_a_subtask(self, record: Record, purpose: str) -> bool:
        above = record.get("target") or record.get("parent") or {}
        if above.get("resource_type") != "task":
            return False
        asked = {"opt_fields": "parent.gid,projects.gid"}
        path = str(Tasks.one).format(task=above["gid"])
        task = self._client.get(path, asked, purpose=purpose)["data"]
        return bool(task.get("parent")) and not task.get("projects")

    def project_events(self, visit: Visit) -> ProjectEvents:
        """What has happened in a project since the tokens of its scope.

        Where that cannot be known, the scope says so, and keeps its place for the next time.
        """
        scope = visit.scope
        assert scope is not None  # noqa: S101 - the plan opens events below projects only
        path, params = visit.request()
        own = [token for token, workspace in scope.tokens if workspace is None]
        shared = [token for token, workspace in scope.tokens if workspace is not None]
        asked: list[str | None] = [*own] if own or scope.news else [None]
        began = self.now()
        try:
            windows = [
                self._client.events(path, params, token, purpose=visit.listing.name)
                for token in asked
            ]
        except (Refusal, AsanaFailure) as error:
            unknown = scope.informed(scope.changes, None, began, is_lost=True)
            return ProjectEvents([], [], unknown, error)
        if scope.news is None:
            token, is_lost = windows[0].token, bool(shared)
        else:
            token, is_lost = scope.news.token, not scope.news.lost.isdisjoint(shared)
        is_lost |= any(window.is_lost for window in windows)
        if scope.news and not own:
            changes = scope.news.for_projects
        else:
            known = [window.events for window in windows]
            known += [scope.news.events.get(old, []) for old in shared] if scope.news else []
            changes = changes_of(chain.from_iterable(known))
        informed = scope.informed(changes, token, began, is_lost=is_lost)
        # The token of the stream `events` comes first: each event is delivered once.
        goes_on = own and scope.tokens[0][1] is None and scope.since.get(Events) is not None
        events = [_with_ids(window.events) for window in windows]
        delivered = events[0] if goes_on else []
        return ProjectEvents(list(chain.from_iterable(events)), delivered, informed)

    def workspace_events(self, workspace: str, tokens: Sequence[str]) -> WorkspaceNews | None:
        """What has happened in a workspace since the tokens, by the events of all its objects.

        None where Asana does not tell: it does to service accounts of its highest plan only.
        https://developers.asana.com/reference/getworkspaceevents
        """
        path, purpose = f"workspaces/{workspace}/events", Events.stream_name()
        try:
            windows = {
                token: self._client.events(path, {}, token, purpose=purpose)
                for token in tokens or (None,)
            }
        except (Refusal, AsanaFailure):
            return None
        first = next(iter(windows.values()))
        return WorkspaceNews(
            workspace,
            first.token,
            changes_of(event for window in windows.values() for event in window.events),
            {str(token): _with_ids(window.events) for token, window in windows.items()},
            frozenset(str(token) for token, window in windows.items() if window.is_lost),
        )

    def is_gone(self, task: str, *, purpose: str) -> bool:
        """Whether Asana no longer shows a task that a listing has shown. Raises AsanaFailure."""
        path = str(Tasks.one).format(task=task)
        try:
            self._client.get(path, {"opt_fields": "gid"}, purpose=purpose)
        except Refusal as refusal:
            return refusal.status == HTTPStatus.NOT_FOUND
        return False


def _with_ids(events: list[Record]) -> list[Record]:
    return [{**event, "event_id": event_id(event)} for event in events]
