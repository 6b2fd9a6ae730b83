"""The status of each stream: started, running, complete or incomplete."""

from collections.abc import Iterable, Iterator
from typing import Final

from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStreamStatus,
    AirbyteStreamStatusReason,
    AirbyteStreamStatusReasonType,
    StreamDescriptor,
)
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message
from airbyte_protocol_dataclasses.models import AirbyteStreamStatusRateLimitedReason

from source_asana.airbyte.errors import error_trace
from source_asana.airbyte.outcome import Problem
from source_asana.streams.sources import StreamClass


class Statuses:
    """Which streams are still read, and which could not be completed."""

    def __init__(self, selected: Iterable[StreamClass]) -> None:
        self.unfinished: Final = list(selected)
        self.incomplete: Final[list[str]] = []
        self._running: set[StreamClass] = set()

    def start(self) -> Iterator[AirbyteMessage]:
        """All streams are read from now on."""
        for stream in self.unfinished:
            yield _status(stream.stream_name(), AirbyteStreamStatus.STARTED)

    def run(self, stream: StreamClass) -> Iterator[AirbyteMessage]:
        """A stream has records."""
        if stream not in self._running:
            self._running.add(stream)
            yield _status(stream.stream_name(), AirbyteStreamStatus.RUNNING)

    def wait(self, quota_reset: float) -> Iterator[AirbyteMessage]:
        """Asana's rate limit makes all streams wait until a time, in seconds since 1970."""
        reason = AirbyteStreamStatusReason(
            type=AirbyteStreamStatusReasonType.RATE_LIMITED,
            rate_limited=AirbyteStreamStatusRateLimitedReason(quota_reset=int(1000 * quota_reset)),
        )
        for stream in self.unfinished:
            self._running.add(stream)
            yield _status(stream.stream_name(), AirbyteStreamStatus.RUNNING, reason)

    def refuse(self, name: str, problem: Problem) -> Iterator[AirbyteMessage]:
        """A stream is selected that does not exist."""
        yield _status(name, AirbyteStreamStatus.STARTED)
        yield from self._fail(name, problem)

    def finish(self, stream: StreamClass, problem: Problem | None) -> Iterator[AirbyteMessage]:
        """A stream has ended: completely, or with a problem."""
        if problem is None:
            yield _status(stream.stream_name(), AirbyteStreamStatus.COMPLETE)
        else:
            yield from self._fail(stream.stream_name(), problem)

    def break_off(self) -> Iterator[AirbyteMessage]:
        """The sync ends here, whatever was still read."""
        for stream in self.unfinished:
            yield _status(stream.stream_name(), AirbyteStreamStatus.INCOMPLETE)

    def _fail(self, name: str, problem: Problem) -> Iterator[AirbyteMessage]:
        self.incomplete.append(name)
        yield error_trace(
            problem.failure_type,
            f"{name}: {problem.message}",
            stream=name,
            refused_with=problem.refused_with,
        )
        yield _status(name, AirbyteStreamStatus.INCOMPLETE)


def _status(
    name: str, status: AirbyteStreamStatus, *reasons: AirbyteStreamStatusReason
) -> AirbyteMessage:
    return as_airbyte_message(StreamDescriptor(name=name), status, list(reasons) or None)
