"""Turns the connector's messages into transactions: rows, and the states that cover them."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStreamState,
    AirbyteStreamStatus,
    ConfiguredAirbyteCatalog,
    StreamDescriptor,
    Type,
)
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer as CatalogSerializer

from local_sync.store import Changes, Received, Saved, Store
from local_sync.tables import Table
from source_asana.airbyte.messages import Message, RecordBatch
from source_asana.streams.declared import STREAMS

MAX_BATCH_BYTES = 8_000_000
"""A transaction is saved when it has so many bytes of records."""

SECONDS_BETWEEN_SAVES = 3.0
"""A transaction that has a state is saved after this time."""

MAX_PARTIAL_AGE_SECONDS = 24 * 3600
"""An interrupted full refresh older than this starts over, because its rows are out of date."""

FULL_REFRESH_COMPLETE = "__ab_full_refresh_sync_complete"


def catalog_of(tables: Iterable[Table], *, with_files: bool) -> ConfiguredAirbyteCatalog:
    """The configured catalog for the connector; `with_files`: of the streams that have files."""
    streams = [
        {
            "stream": {
                "name": table.name,
                "json_schema": STREAMS[table.name].json_schema(),
                "supported_sync_modes": ["full_refresh", "incremental"],
            },
            "sync_mode": "incremental" if table.is_incremental else "full_refresh",
            "destination_sync_mode": "append_dedup" if table.is_incremental else "overwrite",
            "include_files": with_files and STREAMS[table.name].files is not None,
        }
        for table in tables
    ]
    return CatalogSerializer.load({"streams": streams})


def resume_point(table: Table, saved: Saved, now: float, *, is_fresh: bool) -> Saved:
    """Where a sync of a stream resumes; a new refresh if there is nothing to resume."""
    can_resume = saved.state is not None and not is_fresh
    if not table.is_incremental:
        can_resume = can_resume and now - saved.started_at < MAX_PARTIAL_AGE_SECONDS
    return saved if can_resume else Saved(saved.generation + 1, int(now))


def state_messages(starts: Mapping[str, Saved]) -> list[AirbyteStateMessage]:
    """The saved states as Airbyte messages."""
    return [
        AirbyteStateMessage(
            type=AirbyteStateType.STREAM,
            stream=AirbyteStreamState(
                stream_descriptor=StreamDescriptor(name=name),
                stream_state=AirbyteStateBlob(dict(saved.state)),
            ),
        )
        for name, saved in starts.items()
        if saved.state is not None
    ]


class Loader:
    """Saves the messages of one sync, one transaction after another."""

    def __init__(
        self,
        store: Store,
        tables: Iterable[Table],
        started: Mapping[str, Saved],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._tables = {table.name: table for table in tables}
        self._clock = clock
        self._changes = Changes(started=dict(started))
        self._bytes = 0
        self._last = clock()

    def take(self, message: Message) -> None:
        """Add a message to the transaction, and save that if it is due."""
        if isinstance(message, RecordBatch):
            received = self._changes.records.setdefault(message.stream, [])
            received += [Received(message.emitted_at, record) for record in message.records]
            self._bytes += sum(map(len, message.records))
        elif message.type is Type.STATE and message.state and message.state.stream:
            state = message.state.stream
            blob = dict(state.stream_state.__dict__) if state.stream_state else {}
            self._changes.states[state.stream_descriptor.name] = _resumable(blob)
        elif name := completed(message):
            self._changes.complete.add(name)
            if not self._tables[name].is_incremental:
                self._changes.states[name] = None
        self._save_when_due()

    def save(self) -> None:
        """Save everything since the last call, in one transaction."""
        changes, self._changes, self._bytes = self._changes, Changes(), 0
        self._store.apply(changes)
        self._last = self._clock()

    def _save_when_due(self) -> None:
        is_due = self._changes.states and self._clock() - self._last >= SECONDS_BETWEEN_SAVES
        if is_due or self._bytes >= MAX_BATCH_BYTES:
            self.save()


def _resumable(blob: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return None if FULL_REFRESH_COMPLETE in blob else blob


def completed(message: AirbyteMessage) -> str | None:
    """The stream that a message reports as complete; None for other messages."""
    status = message.trace.stream_status if message.trace else None
    if status is None or status.status is not AirbyteStreamStatus.COMPLETE:
        return None
    return str(status.stream_descriptor.name)
