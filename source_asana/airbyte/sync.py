"""One read: what the walk finds, as Airbyte's messages."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

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

from source_asana.airbyte.checkpoints import Checkpoints
from source_asana.airbyte.errors import Interrupted, SyncIncomplete, error_trace
from source_asana.airbyte.messages import Message, RecordBatch
from source_asana.airbyte.outcome import Problem, Tally, is_dispensable, problem_of
from source_asana.airbyte.progress import Progress
from source_asana.asana.errors import GivenUp, Gone, Refusal
from source_asana.reading.account import Account
from source_asana.reading.container import Container
from source_asana.reading.findings import (
    ContainerEnd,
    EventsKnown,
    EventsMissing,
    Finding,
    ListingEnd,
    Page,
    PutAside,
    VisitEnd,
)
from source_asana.reading.plan import Listing, Selection
from source_asana.reading.unlisted import Fate, Unlisted
from source_asana.reading.visits import Visit
from source_asana.streams.sources import DELETED_AT, PROJECT, WORKSPACE, StreamClass

HOPELESS = 10
"""After so many failed visits of a listing, and none that succeeded, it is given up.

The sync is, after as many of several listings.
"""

MOST_MISSING = 1000
"""So many failed requests of a stream stand in its state for each container; with more of them, the
next sync reads the container from its former mark.
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
        account: Account,
        checkpoints: Checkpoints,
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
        self._account = account
        self._plan = account.plan
        self._checkpoints = checkpoints
        self._goes_on = account.rules.continues
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
        self._open: set[Container] = set()
        self._ended: set[Container] = set()
        self._unsettled: set[StreamClass] = set()
        self._gaps: dict[Container, set[Listing]] = {}
        self._missing: dict[Container, dict[tuple[Listing, str], bool]] = {}
        self._deleted: dict[StreamClass, dict[str, str]] = {stream: {} for stream in selected}
        self._alive: dict[str | None, set[str]] = {s.event_type: set() for s in selected}

    def messages(self, events: Iterable[Finding]) -> Iterator[Message]:
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
        except Exception:
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
            if stream.is_incremental_only():
                self._logger.warning(
                    "%s: a full refresh has none, for they are what happens between two syncs", name
                )
            else:
                self._logger.warning("%s: none are read, for include_subtasks is off", name)
            yield from self._finish(stream, None)

    def _told(self, event: Finding) -> Iterator[Message]:
        match event:
            case Page(stream, records, gids):
                yield from self._records(stream, records)
                if self._captures_deletions(stream):
                    self._alive[stream.event_type].update(gids)
            case VisitEnd(visit, error):
                self._hold(visit)
                self._count(visit, error)
            case PutAside(visit, refusal):
                self._hold(visit)
                self._tallies[visit.listing].put_aside(refusal, visit.place)
                self._note_missing(visit, refusal, for_good=False)
            case EventsKnown(container):
                self._learn(container)
            case EventsMissing(project, tasks, is_read_again):
                self._progress.events_missing(project.gid, tasks, is_read_again=is_read_again)
            case ContainerEnd(container):
                self._end_container(container)
            case ListingEnd():
                yield from self._end_listing(event)
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
            and stream.event_type is not None
            and stream in self._selected
            and self._selected[stream].incremental
            and self._goes_on
        )

    def _hold(self, visit: Visit) -> None:
        if visit.need:
            self._open.add(visit.container)

    def _count(self, visit: Visit, error: Exception | None) -> None:
        if visit.listing is self._plan.unlisted:
            self._progress.unanswered(visit, error)
            return
        tally = self._tallies[visit.listing]
        says_nothing = visit.is_below_task and self._account.resumption.continues(visit.listing)
        tally.count(error, visit.place, says_nothing_of_others=says_nothing)
        if isinstance(error, AirbyteTracedException):
            raise error  # it is the same for all visits
        if error is None or isinstance(error, Gone):
            self._failed_in_row.clear()
            del self._failed[visit.listing]
            self._note_read(visit)
            return
        self._note_missing(visit, error, for_good=isinstance(error, Refusal))
        if isinstance(error, GivenUp):
            return
        if isinstance(error, Refusal):
            self._failed_in_row.clear()
            del self._failed[visit.listing]
            self._progress.skipped(visit, error)
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

    def _note_missing(self, visit: Visit, error: Exception, *, for_good: bool) -> None:
        """Note what the next sync has to ask for again; `for_good`: this sync does not.

        For what a container itself lists, and for a listing that was given up, that is everything
        in the container since its mark; else it is the one request that failed.
        """
        if visit.need is None or visit.listing.stream.is_incremental_only():
            return
        is_first = visit.gid == visit.container.gid and not visit.listing.stream.is_below_tasks()
        if is_first or isinstance(error, GivenUp) or visit.gid is None:
            self._gaps.setdefault(visit.container, set()).add(visit.listing)
        else:
            missing = self._missing.setdefault(visit.container, {})
            missing[visit.listing, visit.gid] = for_good

    def _note_read(self, visit: Visit) -> None:
        """Note that what a former try could not read has been read now."""
        if visit.gid is not None and visit.container in self._missing:
            self._missing[visit.container].pop((visit.listing, visit.gid), None)

    def _learn(self, container: Container) -> None:
        """Note what events tell, and say it when those of a project are lost."""
        news = container.news
        if container.is_project and news.are_lost and container.former.tokens and news.token:
            self._progress.events_lost(container.gid)
        for stream in container.need.since:
            if self._captures_deletions(stream):
                self._deleted[stream] |= news.changes.deleted.get(str(stream.event_type), {})

    def _end_container(self, container: Container) -> None:
        since = container.need.since
        if container.kind == WORKSPACE:
            self._unsettled |= {s for s in since if self._is_unsettled(s, container)}
            return
        if container.is_project and container not in self._ended:
            self._progress.project_ended()
        self._ended.add(container)
        for stream in since:
            if stream in self._unfinished:
                self._end_stream_below(container, stream)
        if not self._missing.get(container):
            self._open.discard(container)

    def _is_unsettled(self, stream: StreamClass, container: Container) -> bool:
        """Whether something that a workspace's events name could not be read for a stream."""
        return self._is_missing(stream, container) or bool(
            self._missing_requests(stream, container)
        )

    def _end_stream_below(self, container: Container, stream: StreamClass) -> None:
        """Everything of a stream below a container has been read, or is known to be missing."""
        is_first_read = container.need.since[stream] is None
        if (is_first_read and self._is_refused(stream)) or self._is_missing(stream, container):
            return
        missing = self._missing_requests(stream, container)
        if len(missing) > MOST_MISSING:
            return
        if not self._selected[stream].incremental:
            if not all(missing.values()):
                return
            missing = {}
        waits = bool(container.news.changes.deleted.get(str(stream.event_type)))
        waits |= container.shares_events and not is_first_read
        self._checkpoints.container_read(stream, container, frozenset(missing), wait_for_end=waits)

    def _is_missing(self, stream: StreamClass, container: Container) -> bool:
        """Whether a container has to be read in full again for a stream."""
        return any(stream in listing.feeds for listing in self._gaps.get(container, ()))

    def _missing_requests(
        self, stream: StreamClass, container: Container
    ) -> dict[tuple[str, str], bool]:
        """The requests below a container that failed and that a stream needs; if for good."""
        missing = self._missing.get(container, {}).items()
        return {(at.path, gid): is_end for (at, gid), is_end in missing if stream in at.feeds}

    def _is_refused(self, stream: StreamClass) -> bool:
        """Whether Asana has refused all of a stream so far, so that nothing of it is done."""
        tallies = [
            self._tallies[found] for found in self._plan.listings if stream in _streams(found)
        ]
        is_refused = any(tally.is_refused_everywhere for tally in tallies)
        return is_refused and not any(tally.read for tally in tallies)

    def _end_listing(self, ended: ListingEnd) -> Iterator[Message]:
        listing = ended.listing
        self._listings_left.remove(listing)
        if not listing.is_lookup:
            self._checkpoints.listed(listing.stream, ended.found)
            self._name_absent(ended)
        if ended.unlisted:
            self._end_unlisted(ended.unlisted)
        if not listing.is_lookup and problem_of(listing, self._tallies) is None:
            self._complete_containers.add(listing.stream)
            for stream in self._selected:
                if self._complete_containers.issuperset(stream.containers()):
                    self._checkpoints.forget_long_unlisted(stream)
        still_read = {stream for left in self._listings_left for stream in _streams(left)}
        for stream in _streams(listing) - still_read:
            yield from self._finish(stream, self._problem(stream))

    def _name_absent(self, ended: ListingEnd) -> None:
        """Say which workspaces or projects the config names in vain."""
        kind = ended.listing.stream
        absent = self._account.absent(kind, ended.found)
        for gid in absent:
            self._progress.absent("Project" if kind.container == PROJECT else "Workspace", gid)
        if absent and not ended.found:
            named = "project_gids" if kind.container == PROJECT else "workspace_gids"
            self._tallies[ended.listing].found_none_of = named
        elif kind.container == WORKSPACE:
            self._tallies[ended.listing].is_empty_account = not ended.found

    def _end_unlisted(self, unlisted: Unlisted) -> None:
        """Tell of projects that were deleted; forget or keep the marks of the others."""
        for project, fate in unlisted.fates.items():
            for stream in self._selected if fate is Fate.DELETED else ():
                if stream.container == PROJECT and self._captures_deletions(stream):
                    self._deleted[stream][project] = unlisted.deleted_at[project]
            is_asked = project in unlisted.answers
            self._checkpoints.unlisted(project, fate, unlisted.renewed, is_asked=is_asked)
        self._progress.unlisted(Counter(unlisted.fates.values()), unlisted.known)

    def _problem(self, stream: StreamClass) -> Problem | None:
        listings = [found for found in self._plan.listings if stream in _streams(found)]
        lacking = [found for found in listings if is_dispensable(found, self._tallies[found])]
        if stream.inside() and len(lacking) < len(listings):
            listings = [found for found in listings if found not in lacking]
        problems = [problem_of(listing, self._tallies) for listing in listings]
        return next((problem for problem in problems if problem), None)

    def _finish(self, stream: StreamClass, problem: Problem | None) -> Iterator[Message]:
        self._unfinished.remove(stream)
        for container in list(self._open):  # those of which other streams are still read
            if stream in container.need.since and container.kind != WORKSPACE:
                self._end_stream_below(container, stream)
        name = stream.stream_name()
        self._progress.ended(name)
        self._tell_of_sources(stream)
        yield from self._tombstones(stream)
        if stream in self._unsettled:
            self._checkpoints.leave(stream)
        yield from self._checkpoints.stream_ended(stream, complete=problem is None)
        if problem is None:
            yield _status(name, AirbyteStreamStatus.COMPLETE)
        else:
            yield from self._fail(name, problem)

    def _tell_of_sources(self, stream: StreamClass) -> None:
        """Say which further sources of a stream Asana refuses, so that it lacks what is there."""
        carriers = {found for found in self._plan.listings if stream in _streams(found)}
        above = {a for c in carriers for a in c.parents if a.stream in stream.parents()}
        sources = carriers if stream.inside() else above
        for source in self._plan.listings:
            tally = self._tallies[source]
            if source in sources and len(sources) > 1 and is_dispensable(source, tally):
                self._progress.done_without(stream.stream_name(), source.name)

    def _tombstones(self, stream: StreamClass) -> Iterator[Message]:
        """The records of what was deleted and has not come back, in this stream or its sibling."""
        alive = self._alive[stream.event_type]
        gone = {gid: when for gid, when in self._deleted[stream].items() if gid not in alive}
        if gone:
            records = [
                orjson.dumps({"gid": gid, str(stream.cursor_field): when, DELETED_AT: when})
                for gid, when in sorted(gone.items())
            ]
            yield from self._records(stream, records)

    def _fail(self, name: str, problem: Problem) -> Iterator[Message]:
        self._incomplete.append(name)
        yield error_trace(
            problem.failure_type,
            f"{name}: {problem.message}",
            stream=name,
            refused_with=problem.refused_with,
        )
        yield _status(name, AirbyteStreamStatus.INCOMPLETE)


def _streams(listing: Listing) -> set[StreamClass]:
    return {output.stream for output in listing.outputs}


def _status(
    name: str, status: AirbyteStreamStatus, *reasons: AirbyteStreamStatusReason
) -> AirbyteMessage:
    return status_message(StreamDescriptor(name=name), status, list(reasons) or None)
