"""One read: what the walk finds, as Airbyte's messages."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from http import HTTPStatus

import orjson
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStreamStatus,
    AirbyteStreamStatusReason,
    AirbyteStreamStatusReasonType,
    FailureType,
    StreamDescriptor,
)
from airbyte_cdk.utils import AirbyteTracedException
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message as status_message
from airbyte_protocol_dataclasses.models import AirbyteStreamStatusRateLimitedReason

from source_asana.agenda import Agenda
from source_asana.checkpoints import Checkpoints
from source_asana.errors import (
    AsanaFailure,
    GivenUp,
    Interrupted,
    Refusal,
    SyncIncomplete,
    error_trace,
)
from source_asana.messages import Message, RecordBatch
from source_asana.outcome import Problem, Tally, lacks_feature, problem_of
from source_asana.plan import Listing, Selection
from source_asana.progress import Progress
from source_asana.rate_limit import Stopped
from source_asana.scope import WORKSPACE, Scope, Visit
from source_asana.streams import DELETED_AT, Projects, StreamClass, Tasks
from source_asana.walk import Event, ListingEnd, Page, ProjectNews, ScopeEnd, VisitEnd, beside

HOPELESS = 10
"""After so many failed visits of a listing, and none that succeeded, it is given up.

The sync is, after as many of several listings.
"""

SHORTEST_SAID = 1.0
SAID_AT_MOST_EVERY = 5.0
SAID_AT_LEAST_EVERY = 60.0
"""Seconds: which waits for Asana's quota are said, and how often."""


class Sync:
    """Tells what one read does, in the order in which it happens.

    State comes after the records that it covers. A stream that is not complete has an error trace,
    its state leaves out what is missing, and the read ends with SyncIncomplete.
    """

    def __init__(  # noqa: PLR0913 - what it joins
        self,
        *,
        selected: Mapping[StreamClass, Selection],
        unknown: Iterable[str],
        agenda: Agenda,
        checkpoints: Checkpoints,
        deleted_at: Callable[[str], str | None],
        give_up: Callable[[Listing], None],
        capture_deletions: bool,
        is_stopped: Callable[[], bool],
        queued: Callable[[], Iterable[AirbyteMessage]],
        seconds_to_wait: Callable[[], float],
        progress: Progress,
        logger: logging.Logger,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._selected = selected
        self._unknown = list(unknown)
        self._agenda = agenda
        self._plan = agenda.plan
        self._checkpoints = checkpoints
        self._goes_on = agenda.goes_on
        self._deleted_at = deleted_at
        self._give_up = give_up
        self._capture_deletions = capture_deletions
        self._is_stopped = is_stopped
        self._queued = queued
        self._seconds_to_wait = seconds_to_wait
        self._say_wait_at = 0.0
        self._progress = progress
        self._logger = logger
        self._now = now
        self._unfinished = list(selected)
        self._listings_left = list(self._plan.listings)
        self._complete_containers: set[StreamClass] = set()
        self._running: set[StreamClass] = set()
        self._incomplete: list[str] = []
        self._tallies = {listing: Tally() for listing in self._plan.listings}
        self._failed_in_row: list[Listing] = []
        self._failed: Counter[Listing] = Counter()
        self._given_up: set[Listing] = set()
        self._scopes: dict[tuple[str, str], Scope] = {}
        self._unsettled: set[StreamClass] = set()
        self._missing: dict[tuple[str, str], set[Listing]] = {}
        self._deleted: dict[StreamClass, dict[str, str]] = {stream: {} for stream in selected}
        self._alive: dict[str | None, set[str]] = {s.told_deleted_as: set() for s in selected}

    def messages(self, events: Iterable[Event]) -> Iterator[Message]:
        """Everything from the first stream's start to the last one's end."""
        for stream in self._unfinished:
            yield _status(stream.stream_name(), AirbyteStreamStatus.STARTED)
        for name in self._unknown:
            yield from self._refuse_unknown(name)
        yield from self._end_of_those_without_listing()
        try:
            for event in events:
                yield from self._told(event)
                yield from self._meanwhile()
        except AirbyteTracedException:
            yield from self._queued()
            yield from self._checkpoints.now()
            for stream in self._unfinished:
                yield _status(stream.stream_name(), AirbyteStreamStatus.INCOMPLETE)
            raise
        finally:
            self._progress.summary(self._tallies)
        if self._incomplete:
            raise SyncIncomplete(self._incomplete)

    def _meanwhile(self) -> Iterator[Message]:
        """What is due whatever is read. Raises Interrupted."""
        yield from self._queued()
        yield from self._checkpoints.when_due()
        yield from self._waits()
        self._progress.line_when_due()
        if self._is_stopped():
            raise Interrupted

    def _waits(self) -> Iterator[Message]:
        """Say that Asana makes everybody wait: nobody is to take a waiting sync for a dead one."""
        wait, now = self._seconds_to_wait(), self._now()
        if wait < SHORTEST_SAID or now < self._say_wait_at:
            return
        self._say_wait_at = now + min(max(wait, SAID_AT_MOST_EVERY), SAID_AT_LEAST_EVERY)
        self._progress.waits(wait)
        reason = AirbyteStreamStatusReason(
            type=AirbyteStreamStatusReasonType.RATE_LIMITED,
            rate_limited=AirbyteStreamStatusRateLimitedReason(quota_reset=int(1000 * (now + wait))),
        )
        for stream in self._unfinished:
            self._running.add(stream)
            yield _status(stream.stream_name(), AirbyteStreamStatus.RUNNING, reason)

    def _refuse_unknown(self, name: str) -> Iterator[Message]:
        yield _status(name, AirbyteStreamStatus.STARTED)
        words = "there is no such stream: refresh the connection's schema, or deselect it."
        yield from self._fail(name, Problem(FailureType.config_error, words))

    def _end_of_those_without_listing(self) -> Iterator[Message]:
        read = {output.stream for listing in self._plan.listings for output in listing.outputs}
        for stream in [stream for stream in self._unfinished if stream not in read]:
            name = stream.stream_name()
            if stream.between_syncs:
                self._logger.warning(
                    "%s: a full refresh has none, for they are what happens between two syncs", name
                )
            else:
                self._logger.warning("%s: none are read, for include_subtasks is off", name)
            yield from self._finish(stream, None)

    def _told(self, event: Event) -> Iterator[Message]:
        match event:
            case Page(stream, records, gids):
                yield from self._records(stream, records)
                if self._captures_deletions(stream):
                    self._alive[stream.told_deleted_as].update(gids)
            case VisitEnd(visit, error):
                if visit.scope:
                    self._scopes.setdefault(visit.scope.key, visit.scope)
                self._count(visit, error)
            case ProjectNews(scope):
                self._learn(scope)
            case ScopeEnd(scope):
                self._end_scope(self._scopes.pop(scope.key, scope))
            case ListingEnd(listing):
                yield from self._end_listing(listing)
            case _:
                pass

    def _records(self, stream: StreamClass, records: list[bytes]) -> Iterator[Message]:
        name = stream.stream_name()
        if stream not in self._running:
            self._running.add(stream)
            yield _status(name, AirbyteStreamStatus.RUNNING)
        yield RecordBatch(name, records, int(1000 * self._now()))
        self._progress.records(name, len(records))
        self._checkpoints.records(stream, len(records), sum(map(len, records)))

    def _captures_deletions(self, stream: StreamClass) -> bool:
        return (
            self._capture_deletions
            and stream.told_deleted_as is not None
            and self._selected[stream].incremental
            and self._goes_on
        )

    def _count(self, visit: Visit, error: Exception | None) -> None:
        tally = self._tallies[visit.listing]
        if self._is_gone(visit, error):
            error = None
        tally.count(error)
        if isinstance(error, AirbyteTracedException):
            raise error  # it is the same for all visits
        if error is None:
            self._failed_in_row.clear()
            del self._failed[visit.listing]
            return
        if visit.scope and _leaves_a_gap(visit, error):
            self._missing.setdefault(visit.scope.key, set()).add(visit.listing)
        if isinstance(error, GivenUp):
            return
        if isinstance(error, Refusal):
            self._failed_in_row.clear()
            del self._failed[visit.listing]
            self._progress.skipped(visit, error, tally.refused.total())
            return
        self._progress.failed(visit, error)
        if visit.listing in self._given_up:
            return  # it was under way when the others failed
        self._failed[visit.listing] += 1
        self._failed_in_row.append(visit.listing)
        if self._failed[visit.listing] == HOPELESS:
            self._progress.gives_up(visit.listing)
            self._give_up(visit.listing)
            self._given_up.add(visit.listing)
        if len(self._failed_in_row) >= HOPELESS and len(set(self._failed_in_row)) > 1:
            raise AirbyteTracedException(
                message="Asana does not answer any more, so the sync ends here. "
                f"The next one goes on from its last state. (last: {error})",
                failure_type=FailureType.transient_error,
            )

    def _is_gone(self, visit: Visit, error: Exception | None) -> bool:
        """Whether a task was deleted since it was found: in a sync of few requests, no refusal."""
        is_below_a_task = visit.scope is not None and visit.parent != visit.container
        is_unknown = isinstance(error, Refusal) and error.status == HTTPStatus.NOT_FOUND
        return is_unknown and is_below_a_task and self._goes_on

    def _learn(self, scope: Scope) -> None:
        """Note what the events of a project tell, and say it when they are lost."""
        self._scopes[scope.key] = scope
        if scope.is_project and scope.is_lost and scope.tokens and scope.token:
            self._progress.events_lost(scope.container)
        for stream in scope.since:
            if self._captures_deletions(stream):
                self._deleted[stream] |= scope.changes.deleted.get(str(stream.told_deleted_as), {})

    def _end_scope(self, scope: Scope) -> None:
        if scope.kind == WORKSPACE:
            self._unsettled |= {s for s in scope.since if self._is_missing(s, scope)}
            return
        if scope.is_project:
            self._progress.project_ended()
        for stream in scope.since:
            if stream in self._unfinished:
                self._end_stream_below(scope, stream)
        self._missing.pop(scope.key, None)

    def _end_stream_below(self, scope: Scope, stream: StreamClass) -> None:
        """Everything of a stream below a container has been read, or is known to be missing."""
        if self._is_refused(stream) or self._is_missing(stream, scope):
            return
        waits = bool(scope.changes.deleted.get(str(stream.told_deleted_as)))
        waits |= scope.shares_news and scope.since[stream] is not None
        self._checkpoints.container_read(stream, scope, wait_for_end=waits)

    def _is_missing(self, stream: StreamClass, scope: Scope) -> bool:
        """Whether something of a stream below a container could not be read."""
        missing = self._missing.get(scope.key, ())
        return any(stream in listing.feeds for listing in missing if not _is_events(listing))

    def _is_refused(self, stream: StreamClass) -> bool:
        """Whether Asana has refused all of a stream so far, so that nothing of it is done."""
        tallies = [
            self._tallies[found] for found in self._plan.listings if stream in _streams(found)
        ]
        return any(t.refused for t in tallies) and not any(t.read for t in tallies)

    def _end_listing(self, listing: Listing) -> Iterator[Message]:
        self._listings_left.remove(listing)
        self._name_absent(listing)
        if problem_of(listing, self._tallies) is None:
            self._complete_containers.add(listing.stream)
            yield from self._end_vanished(listing.stream)
        still_read = {stream for left in self._listings_left for stream in _streams(left)}
        for stream in _streams(listing) - still_read:
            yield from self._finish(stream, self._problem(stream))

    def _name_absent(self, listing: Listing) -> None:
        """Say which workspaces or projects the config names in vain."""
        kind = listing.stream
        absent = self._agenda.absent(kind)
        for gid in absent:
            self._progress.absent("Project" if kind is Projects else "Workspace", gid)
        if absent and not self._agenda.listed[kind]:
            named = "project_gids" if kind is Projects else "workspace_gids"
            self._tallies[listing].found_none_of = named

    def _end_vanished(self, kind: StreamClass) -> Iterator[Message]:
        """Forget what is listed no more, where all that may be listed has been."""
        for stream in self._selected:
            if kind in stream.containers() and self._complete_containers.issuperset(
                stream.containers()
            ):
                for gid in sorted(self._checkpoints.vanished(stream)):
                    if stream is not Projects or (yield from self._is_settled(gid)):
                        self._checkpoints.forget(stream, gid)

    def _is_settled(self, project: str) -> Generator[Message, None, bool]:
        """Ask of a project that is listed no more whether it was deleted; note it, if so."""
        if not self._captures_deletions(Projects) or project in self._agenda.left_out:
            return True
        try:
            when = yield from self._deletion_of(project)
        except AsanaFailure as error:
            self._logger.warning("projects: whether %s was deleted: %s", project, error)
            return False  # the next sync asks again
        if when:
            self._deleted[Projects][project] = when
        return True

    def _deletion_of(self, project: str) -> Generator[Message, None, str | None]:
        """When a project was deleted; tell of waits meanwhile, and end when told to."""
        asking = beside(lambda: self._deleted_at(project))
        while True:
            try:
                next(asking)
            except StopIteration as asked:
                when: str | None = asked.value
                return when
            except Stopped:
                raise Interrupted from None
            yield from self._meanwhile()

    def _problem(self, stream: StreamClass) -> Problem | None:
        listings = [found for found in self._plan.listings if stream in _streams(found)]
        lacking = [found for found in listings if lacks_feature(self._tallies[found])]
        if stream.within and len(lacking) < len(listings):
            listings = [found for found in listings if found not in lacking]
        problems = [problem_of(listing, self._tallies) for listing in listings]
        return next((problem for problem in problems if problem), None)

    def _finish(self, stream: StreamClass, problem: Problem | None) -> Iterator[Message]:
        self._unfinished.remove(stream)
        for scope in self._scopes.values():  # the projects of which other streams are still read
            if stream in scope.since and scope.kind != WORKSPACE:
                self._end_stream_below(scope, stream)
        name = stream.stream_name()
        self._progress.ended(name)
        yield from self._tombstones(stream)
        if stream in self._unsettled:
            self._checkpoints.leave(stream)
        yield from self._checkpoints.stream_ended(stream, complete=problem is None)
        if problem is None:
            yield _status(name, AirbyteStreamStatus.COMPLETE)
        else:
            yield from self._fail(name, problem)

    def _tombstones(self, stream: StreamClass) -> Iterator[Message]:
        """The records of what was deleted and has not come back, in this stream or its sibling."""
        alive = self._alive[stream.told_deleted_as]
        gone = {gid: when for gid, when in self._deleted[stream].items() if gid not in alive}
        if gone:
            records = [
                orjson.dumps({"gid": gid, str(stream.cursor_field): when, DELETED_AT: when})
                for gid, when in sorted(gone.items())
            ]
            yield from self._records(stream, records)

    def _fail(self, name: str, problem: Problem) -> Iterator[Message]:
        self._incomplete.append(name)
        yield error_trace(problem.failure_type, f"{name}: {problem.message}", stream=name)
        yield _status(name, AirbyteStreamStatus.INCOMPLETE)


def _leaves_a_gap(visit: Visit, error: Exception) -> bool:
    """Whether the next sync has to read the container in full for what this one could not read.

    A refused task or attachment is none: it is skipped, and what is beside it goes on.
    """
    if not isinstance(error, Refusal):
        return True
    return visit.parent == visit.container and Tasks not in visit.listing.stream.parents


def _streams(listing: Listing) -> set[StreamClass]:
    return {output.stream for output in listing.outputs}


def _is_events(listing: Listing) -> bool:
    return listing.stream.between_syncs


def _status(
    name: str, status: AirbyteStreamStatus, *reasons: AirbyteStreamStatusReason
) -> AirbyteMessage:
    return status_message(StreamDescriptor(name=name), status, list(reasons) or None)
