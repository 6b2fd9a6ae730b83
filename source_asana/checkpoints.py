"""The state of a sync: where each stream goes on from, and when that is said."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateStats,
    AirbyteStateType,
    AirbyteStreamState,
    StreamDescriptor,
    Type,
)

from source_asana.choice import ALL, Choice
from source_asana.plan import Selection
from source_asana.scope import Scope
from source_asana.state import (
    FULL_REFRESH_COMPLETE,
    Blob,
    Mark,
    Marks,
    Reach,
    full_refresh_blob,
    incremental_blob,
)
from source_asana.streams import Projects, StreamClass, Subtasks

BYTES_TO_BEGIN_WITH = 2_500_000.0
SHARE_OF_RECORDS = 0.01
"""What checkpoints may cost, in bytes: so many, and a hundredth of those of the records."""

BYTES_PER_PROJECT = 100
"""What a project adds to a stream's state, about: its gid twice, and a sync token."""


class Checkpoints:
    """The marks of all streams.

    `began` is Asana's time before anything was requested; `listed` the projects and other
    containers found so far, by their streams.
    States go out when `seconds_between` have passed, and when a stream ends.
    """

    def __init__(
        self,
        selected: Mapping[StreamClass, Selection],
        marks: Mapping[StreamClass, Marks],
        listed: Mapping[StreamClass, Collection[str]],
        began: Callable[[], str],
        seconds_between: float,
        choice: Choice = ALL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._selected = selected
        self._marks: dict[StreamClass, dict[str, Mark]] = {
            stream: dict(marks.get(stream, {})) for stream in selected if stream.containers()
        }
        self._listed = listed
        self._began = began
        self._seconds_between = seconds_between
        self._choice = choice
        self._clock = clock
        self._waiting: dict[StreamClass, dict[str, Mark]] = {stream: {} for stream in self._marks}
        self._changed: set[StreamClass] = set()
        self._records: Counter[StreamClass] = Counter()
        self._allowance = BYTES_TO_BEGIN_WITH
        self._last = clock()

    @property
    def began(self) -> str:
        """The mark of all that is requested in this sync."""
        return self._began()

    def records(self, stream: StreamClass, count: int, size: int) -> None:
        """Count the records that have gone out, and their bytes."""
        self._records[stream] += count
        self._allowance += SHARE_OF_RECORDS * size

    def container_read(self, stream: StreamClass, scope: Scope, *, wait_for_end: bool) -> None:
        """Everything of a stream below a container is out, or will be when the stream ends."""
        before = self._marks[stream].get(scope.container)
        mark = Mark(scope.began)
        if self._selected[stream].incremental and stream.is_told_by_events():
            if scope.token:
                workspace = scope.news.workspace if scope.news else None
                mark = Mark(scope.began, scope.token, workspace)
            elif before:
                mark = replace(before, since=scope.began)
        if wait_for_end:
            self._waiting[stream][scope.container] = mark
        else:
            self._marks[stream][scope.container] = mark
            self._changed.add(stream)

    def leave(self, stream: StreamClass) -> None:
        """Let the marks that wait for the stream's end stay where they were."""
        self._waiting[stream].clear()

    def vanished(self, stream: StreamClass) -> set[str]:
        """The containers of the stream's former state that are in no listing any more."""
        listed = {gid for gids in self._listed.values() for gid in gids}
        return self._marks.get(stream, {}).keys() - listed

    def forget(self, stream: StreamClass, container: str) -> None:
        """Drop a container from the stream's state."""
        if self._marks[stream].pop(container, None):
            self._changed.add(stream)

    def when_due(self) -> Iterator[AirbyteMessage]:
        """The states that have changed, every few seconds, as far as their size allows."""
        if not self._changed or self._clock() - self._last < self._seconds_between:
            return
        size = BYTES_PER_PROJECT * sum(len(self._marks[stream]) for stream in self._changed)
        self._last = self._clock()
        if size <= self._allowance:
            self._allowance -= size
            yield from self.now()

    def now(self) -> Iterator[AirbyteMessage]:
        """The states that have changed, for the sync ends here."""
        for stream in sorted(self._changed, key=str):
            yield self._state(stream, self._blob(stream))
        self._changed.clear()

    def stream_ended(self, stream: StreamClass, *, complete: bool) -> Iterator[AirbyteMessage]:
        """The last state of a stream, if there is anything that it covers."""
        self._changed.discard(stream)
        if stream in self._marks:
            self._marks[stream] |= self._waiting[stream]
        if complete and not self._selected[stream].incremental:
            yield self._state(stream, {FULL_REFRESH_COMPLETE: True})
            return
        if complete and stream is Projects:
            self._marks[stream] |= {project: Mark(self.began) for project in self._listed[Projects]}
        if complete or self._marks.get(stream):
            yield self._state(stream, self._blob(stream))

    def _blob(self, stream: StreamClass) -> Blob:
        marks = self._marks[stream]
        written = incremental_blob if self._selected[stream].incremental else full_refresh_blob
        return written(marks, reach_of(stream, self._choice))

    def _state(self, stream: StreamClass, blob: Blob) -> AirbyteMessage:
        """A state, and how many records it covers that none before has covered."""
        stream_state = AirbyteStreamState(
            stream_descriptor=StreamDescriptor(name=stream.stream_name()),
            stream_state=AirbyteStateBlob(blob),
        )
        return AirbyteMessage(
            type=Type.STATE,
            state=AirbyteStateMessage(
                type=AirbyteStateType.STREAM,
                stream=stream_state,
                sourceStats=AirbyteStateStats(recordCount=float(self._records.pop(stream, 0))),
            ),
        )


def reach_of(stream: StreamClass, choice: Choice) -> Reach:
    """What the marks of a stream speak of, as far as the user's choice matters to it."""
    return Reach(
        start=choice.start_date if stream.is_history() else None,
        below_subtasks=choice.with_subtasks or Subtasks not in stream.parents,
    )
