"""Reading what one visit is for: the pages of a listing, one record, or a project's events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from source_asana.asana.client import AsanaClient
from source_asana.asana.errors import AsanaFailure, Refusal
from source_asana.asana.times import asana_time, mark_time
from source_asana.reading.changes import Changes, WorkspaceEvents, changes_of, event_id, is_readable
from source_asana.reading.listing import Listing, request_of
from source_asana.reading.oddities import Oddities, Oddity
from source_asana.reading.task_questions import TaskQuestions
from source_asana.reading.visits import DEEPEST_LEVEL, Visit
from source_asana.streams.values import Record, held, usable

DAY_LENGTH = len("2026-11-20")


@dataclass(frozen=True)
class ProjectEvents:
    """The events of one project, what they tell, and why they could not be read.

    `events` are those of its own tokens, each with its `event_id`; of these, `delivered` are the
    ones that the stream of events has not had. The others are as in `News`.
    """

    events: list[Record]
    delivered: list[Record]
    changes: Changes
    token: str | None
    began: str
    are_lost: bool
    error: Exception | None = None


class Reader:
    """Asks the client in the words of the plan."""

    def __init__(self, client: AsanaClient, oddities: Oddities, tasks: TaskQuestions) -> None:
        self._client = client
        self._oddities = oddities
        self.tasks = tasks
        self._demanding: set[str] = set()

    def now(self) -> str:
        """The mark of what is requested from now on, by Asana's clock."""
        return mark_time(self._client.server_date)

    def time(self) -> str:
        """The time now, by Asana's clock."""
        return asana_time(self._client.server_date)

    def pages(self, visit: Visit) -> Iterator[list[Record]]:
        """The pages of a visit, where records may come again, each record with a gid.

        Raises like `AsanaClient.pages`.
        """
        listing = visit.listing
        if len(visit.above) > DEEPEST_LEVEL:
            self._oddities.note(Oddity.TOO_DEEP, listing.name)
            return
        for page in chain(self._whole_pages(visit), self._pages_left_out(visit)):
            records = self._usable(listing, page)
            yield self.tasks.without_subtasks(records, listing)
            del page, records  # before the next page is requested

    def record_or_status(self, visit: Visit) -> Record | int | None:
        """The record of a lookup, or the status with which Asana refused it.

        Raises AsanaFailure if there is no answer.
        """
        found: Record | None = None
        try:
            for page in self.pages(visit):
                found = page[0] if page else found
        except (Refusal, AsanaFailure) as error:
            if error.status is None:
                raise
            return error.status
        return found

    def _usable(self, listing: Listing, page: list[Any]) -> list[Record]:
        """The records of a page; counts unusable entries, in it and in its columns."""
        records = usable(page, in_requests=bool(listing.children))
        self._oddities.note(Oddity.ENTRY_LEFT_OUT, listing.name, len(page) - len(records))
        for output in listing.outputs:
            if output.within is not None:
                inside = [entry for record in records for entry in held(record.get(output.within))]
                left_out = len(inside) - len(usable(inside))
                self._oddities.note(Oddity.ENTRY_LEFT_OUT, output.stream.stream_name(), left_out)
        return records

    def _whole_pages(self, visit: Visit) -> Iterator[list[Any]]:
        """The pages as they come, of the parts of a listing where Asana does not give it whole."""
        since = self._since(visit)
        try:
            yield from self._accepted_pages(visit, since)
        except AsanaFailure as failure:
            pages = visit.listing.pages
            if not failure.is_truncated or pages is None or pages.split_by is None:
                raise
            kind, template = pages.split_by
            yield from self._pages_of_parts(visit, str(kind.path()), template, since)

    def _pages_left_out(self, visit: Visit) -> Iterator[list[Any]]:
        """The pages with the records that Asana leaves out unless it is asked for them."""
        pages = visit.listing.pages
        if pages is not None and pages.also_with:
            path, params = visit.request()
            asked = params | dict(pages.also_with)
            yield from self._pages_asked_for(visit.listing, path, asked)

    def _accepted_pages(self, visit: Visit, since: dict[str, str]) -> Iterator[list[Any]]:
        """The pages of a request, with the optional parameters that Asana turns out to demand."""
        listing = visit.listing
        demanded = dict(listing.pages.demanded) if listing.pages else {}
        is_known = listing.path in self._demanding
        path, params = visit.request()
        params |= since | (demanded if is_known else {})
        has_begun = False
        try:
            for page in self._pages_asked_for(listing, path, params):
                has_begun = True
                yield page
                del page  # before the next page is requested
        except AsanaFailure as failure:
            if has_begun or is_known or not demanded or not failure.is_refused_request:
                raise
        else:
            return
        yield from self._pages_asked_for(listing, path, params | demanded)
        self._demanding.add(listing.path)
        self._oddities.note(Oddity.OWNER_DEMANDED, listing.name)

    def _pages_asked_for(
        self, listing: Listing, path: str, params: dict[str, str]
    ) -> Iterator[list[Any]]:
        until_empty = listing.pages is not None and listing.pages.ends_with_empty_page
        return self._client.pages(
            path,
            params,
            purpose=listing.name,
            until_empty=until_empty,
            spare_fields=listing.spare_fields,
        )

    def _pages_of_parts(
        self, visit: Visit, parts_path: str, template: str, since: dict[str, str]
    ) -> Iterator[list[Record]]:
        """The pages of a listing that is too long for Asana, part by part."""
        purpose = visit.listing.name
        path, params = request_of(parts_path, visit.gid, "gid")
        for parts in self._client.pages(path, params, purpose=purpose):
            left_out = len(parts) - len(usable(parts, in_requests=True))
            self._oddities.note(Oddity.ENTRY_LEFT_OUT, purpose, left_out)
            for part in usable(parts, in_requests=True):
                path, params = request_of(template, part["gid"], visit.listing.opt_fields)
                yield from self._pages_asked_for(visit.listing, path, params | since)

    def _since(self, visit: Visit) -> dict[str, str]:
        """The parameter that makes Asana leave out what no stream needs."""
        since, filtered = visit.since(), visit.listing.since
        if since is None or filtered is None:
            return {}
        return {filtered.parameter: since if filtered.days_late is None else since[:DAY_LENGTH]}

    def project_events(self, visit: Visit) -> ProjectEvents:
        """What happened in a project since its tokens.

        If that cannot be known, `are_lost` says so, and no token moves.
        """
        project = visit.container
        path, params = visit.request()
        own, shared = project.former.own(), project.former.of_workspaces()
        workspace = project.workspace_events
        asked: list[str | None] = [*own] if own or workspace else [None]
        began = self.now()
        try:
            windows = [
                self._client.events(path, params, token, purpose=visit.listing.name)
                for token in asked
            ]
        except (Refusal, AsanaFailure) as error:
            return ProjectEvents([], [], Changes(), None, began, are_lost=True, error=error)
        if workspace is None:
            token, are_lost = windows[0].token, bool(shared)
        else:
            token, are_lost = workspace.token, not workspace.lost.isdisjoint(shared)
        odd = sum(not is_readable(event) for window in windows for event in window.events)
        self._oddities.note(Oddity.UNREADABLE_EVENT, visit.listing.name, odd)
        are_lost |= bool(odd) or any(window.is_lost for window in windows)
        if workspace and not own:
            changes = workspace.for_projects
        else:
            known = [window.events for window in windows]
            known += [workspace.events.get(old, []) for old in shared] if workspace else []
            changes = changes_of(chain.from_iterable(known))
        # The token of the stream of events comes first: each event is delivered once.
        events = [_with_ids(window.events) for window in windows]
        delivered = events[0] if _continues_with_first_token(visit) and own else []
        return ProjectEvents(
            list(chain.from_iterable(events)), delivered, changes, token, began, are_lost
        )

    def workspace_events(
        self, workspace: str, tokens: Sequence[str], *, purpose: str
    ) -> WorkspaceEvents | None:
        """What has happened in a workspace since the tokens, by the events of all its objects.

        None where Asana does not tell: it does to service accounts of its highest plan only.
        https://developers.asana.com/reference/getworkspaceevents
        """
        path = f"workspaces/{workspace}/events"
        try:
            windows = {
                token: self._client.events(path, {}, token, purpose=purpose)
                for token in tokens or (None,)
            }
        except (Refusal, AsanaFailure):
            return None
        first = next(iter(windows.values()))
        odd = {t: sum(not is_readable(e) for e in w.events) for t, w in windows.items()}
        self._oddities.note(Oddity.UNREADABLE_EVENT, purpose, sum(odd.values()))
        return WorkspaceEvents(
            workspace,
            first.token,
            changes_of(event for window in windows.values() for event in window.events),
            {str(token): _with_ids(window.events) for token, window in windows.items()},
            frozenset(str(t) for t, window in windows.items() if window.is_lost or odd[t]),
        )


def _continues_with_first_token(visit: Visit) -> bool:
    """Whether the first sync token is that of the stream of events, which has had its events."""
    (_, workspace), *_ = visit.container.former.tokens or (("", None),)
    since = visit.need.since if visit.need else {}
    return workspace is None and any(t and s.is_incremental_only() for s, t in since.items())


def _with_ids(events: list[Any]) -> list[Record]:
    """The events that are objects at all, each with a key."""
    known = [event for event in events if isinstance(event, dict)]
    return [{**event, "event_id": event_id(event)} for event in known]
