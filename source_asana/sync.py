"""One read: what the walk finds, as Airbyte's messages."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator

from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteRecordMessage,
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStreamState,
    AirbyteStreamStatus,
    FailureType,
    StreamDescriptor,
    Type,
)
from airbyte_cdk.utils import AirbyteTracedException
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message as status_message

from source_asana.errors import ConfigError, Refusal, SyncIncomplete, error_trace
from source_asana.outcome import Problem, Tally, problem_of
from source_asana.plan import Plan, Visit
from source_asana.progress import Progress
from source_asana.streams import StreamClass
from source_asana.walk import Event, ListingEnd, Page, ProjectEnd, VisitEnd

FULL_REFRESH_COMPLETE = {"__ab_full_refresh_sync_complete": True}
HOPELESS = 10
"""Visits that fail in a row, with none between that succeeds, after which the sync gives up."""


class Sync:
    """Tells what one read does, in the order in which it happens.

    A stream's state comes after its last record. A stream that is not complete has an error trace
    and no state, and the read ends with SyncIncomplete.
    """

    def __init__(
        self,
        streams: Iterable[StreamClass],
        unknown: Iterable[str],
        plan: Plan,
        progress: Progress,
        logger: logging.Logger,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._unfinished = {stream.stream_name(): stream for stream in streams}
        self._running: set[str] = set()
        self._failed: list[str] = []
        self._tallies = {listing: Tally() for listing in plan.listings}
        self._progress = progress
        self._logger = logger
        self._now = now
        self._unknown = list(unknown)
        self._failures_in_row = 0

    def messages(self, events: Iterable[Event]) -> Iterator[AirbyteMessage]:
        """Everything from the first stream's start to the last one's end."""
        for name in self._unfinished:
            yield _status(name, AirbyteStreamStatus.STARTED)
        yield from self._refuse_unknown()
        yield from self._between_syncs()
        try:
            for event in events:
                yield from self._told(event)
                self._progress.line_when_due()
        except AirbyteTracedException:
            for name in self._unfinished:
                yield _status(name, AirbyteStreamStatus.INCOMPLETE)
            raise
        finally:
            self._progress.summary(self._tallies)
        if self._failed:
            raise SyncIncomplete(self._failed)

    def _refuse_unknown(self) -> Iterator[AirbyteMessage]:
        for name in self._unknown:
            yield from self._fail(
                name,
                Problem(
                    FailureType.config_error,
                    "there is no such stream: refresh the connection's schema, or deselect it.",
                ),
            )

    def _between_syncs(self) -> Iterator[AirbyteMessage]:
        for stream in list(self._unfinished.values()):
            if stream.between_syncs:
                self._logger.warning(
                    "%s: a full refresh has none, for they are what happens between two syncs",
                    stream.stream_name(),
                )
                yield from self._finish(stream, None)

    def _told(self, event: Event) -> Iterator[AirbyteMessage]:
        match event:
            case Page():
                yield from self._records(event)
            case VisitEnd(visit, error):
                self._count(visit, error)
            case ListingEnd(listing):
                problem = problem_of(listing, self._tallies)
                for output in listing.outputs:
                    yield from self._finish(output.stream, problem)
            case ProjectEnd():
                self._progress.project_ended()
            case _:
                pass

    def _records(self, page: Page) -> Iterator[AirbyteMessage]:
        name = page.output.stream.stream_name()
        if name not in self._running:
            self._running.add(name)
            yield _status(name, AirbyteStreamStatus.RUNNING)
        emitted_at = int(1000 * self._now())
        for record in page.records:
            yield AirbyteMessage(
                type=Type.RECORD,
                record=AirbyteRecordMessage(stream=name, data=record, emitted_at=emitted_at),
            )
        self._progress.records(name, len(page.records))

    def _count(self, visit: Visit, error: Exception | None) -> None:
        tally = self._tallies[visit.listing]
        tally.count(error)
        if isinstance(error, ConfigError):
            raise error
        if error is None:
            self._failures_in_row = 0
        elif isinstance(error, Refusal):
            self._failures_in_row = 0
            self._progress.skipped(visit, error, tally.refused.total())
        else:
            self._progress.failed(visit, error)
            self._failures_in_row += 1
            if self._failures_in_row == HOPELESS:
                raise AirbyteTracedException(
                    message="Asana does not answer any more, so the sync ends here. "
                    f"The next one begins again. (last: {error})",
                    failure_type=FailureType.transient_error,
                )

    def _finish(self, stream: StreamClass, problem: Problem | None) -> Iterator[AirbyteMessage]:
        name = stream.stream_name()
        del self._unfinished[name]
        self._progress.ended(name)
        if problem is None:
            yield _state(name)
            yield _status(name, AirbyteStreamStatus.COMPLETE)
        else:
            yield from self._fail(name, problem)

    def _fail(self, name: str, problem: Problem) -> Iterator[AirbyteMessage]:
        self._failed.append(name)
        yield error_trace(problem.failure_type, f"{name}: {problem.message}", stream=name)
        yield _status(name, AirbyteStreamStatus.INCOMPLETE)


def _status(name: str, status: AirbyteStreamStatus) -> AirbyteMessage:
    return status_message(StreamDescriptor(name=name), status)


def _state(name: str) -> AirbyteMessage:
    stream_state = AirbyteStreamState(
        stream_descriptor=StreamDescriptor(name=name),
        stream_state=AirbyteStateBlob(FULL_REFRESH_COMPLETE),
    )
    return AirbyteMessage(
        type=Type.STATE,
        state=AirbyteStateMessage(type=AirbyteStateType.STREAM, stream=stream_state),
    )
