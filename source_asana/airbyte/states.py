"""The state of one stream, as Airbyte's message."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Protocol

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

from source_asana.reading.exports.kept_exports import KeptExport, exports_blob
from source_asana.reading.filters import Filters
from source_asana.reading.marks import (
    FULL_REFRESH_COMPLETE,
    NO_EVIDENCE,
    Blob,
    Coverage,
    Evident,
    Mark,
    full_refresh_blob,
    incremental_blob,
)
from source_asana.streams.sources import StreamClass


class EvidenceOf(Protocol):
    """What is known of shortcuts to a stream; see `Shortcuts.numbers`."""

    def __call__(self, stream: StreamClass, *, is_made_good: bool) -> Evident: ...


def no_evidence(stream: StreamClass, *, is_made_good: bool) -> Evident:  # noqa: ARG001
    """Know nothing of shortcuts."""
    return NO_EVIDENCE


class States:
    """Writes the states of streams, and counts the records that each one covers.

    `incremental`: the streams that are; the others are full refreshes.
    """

    def __init__(
        self, incremental: Collection[StreamClass], filters: Filters, evidence: EvidenceOf
    ) -> None:
        self._incremental = incremental
        self._filters = filters
        self._evidence = evidence
        self._records: Counter[StreamClass] = Counter()

    def count(self, stream: StreamClass, records: int) -> None:
        """Count records that have gone out: the next state of the stream covers them."""
        self._records[stream] += records

    def of(
        self,
        stream: StreamClass,
        marks: Mapping[str, Mark],
        exports: Mapping[str, KeptExport],
        *,
        is_made_good: bool = False,
    ) -> AirbyteMessage:
        """The state with these marks and exports.

        `is_made_good`: the stream is complete, whatever shortcuts had skipped.
        """
        written = incremental_blob if stream in self._incremental else full_refresh_blob
        evidence = self._evidence(stream, is_made_good=is_made_good)
        blob = written(marks, coverage_of(stream, self._filters), evidence)
        return self._message(stream, blob | exports_blob(exports))

    def of_full_refresh(self, stream: StreamClass) -> AirbyteMessage:
        """The state that says that a full refresh is complete."""
        return self._message(stream, {FULL_REFRESH_COMPLETE: True})

    def _message(self, stream: StreamClass, blob: Blob) -> AirbyteMessage:
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


def coverage_of(stream: StreamClass, filters: Filters) -> Coverage:
    """What the marks of a stream speak of, as far as the user's filters matter to it."""
    return Coverage(
        start=filters.start_date if stream.is_history() else None,
        below_subtasks=filters.with_subtasks or not _is_below_nested(stream),
    )


def _is_below_nested(stream: StreamClass) -> bool:
    """Whether it has records of subtasks."""
    pages = [parent.pages() for parent in stream.parents()]
    return any(found and found.is_nested for found in pages)
