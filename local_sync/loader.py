"""From the connector's messages to transactions: rows first, then the states that cover them."""

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

BYTES_AT_ONCE = 8_000_000
SECONDS_BETWEEN = 3.0
"""A transaction takes so many bytes of records, or waits so long for a state to be saved."""

OLDEST_PARTIAL_SECONDS = 24 * 3600
"""An interrupted full refresh older than this starts over: what it has read is out of date."""

FULL_REFRESH_COMPLETE = "__ab_full_refresh_sync_complete"


def catalog_of(tables: Iterable[Table]) -> ConfiguredAirbyteCatalog:
    """What the connector is asked for."""
    streams = [
        {
            "stream": {
                "name": table.name,
                "json_schema": STREAMS[table.name].json_schema(),
                "supported_sync_modes": ["full_refresh", "incremental"],
            },
            "sync_mode": "incremental" if table.is_incremental else "full_refresh",
            "destination_sync_mode": "append_dedup" if table.is_incremental else "overwrite",
        }
        for table in tables
    ]
    return CatalogSerializer.load({"streams": streams})


def starting(table: Table, saved: Saved, now: float, *, is_fresh: bool) -> Saved:
    """What a sync of a stream goes on from; a new refresh where there is nothing."""
    goes_on = saved.state is not None and not is_fresh
    if not table.is_incremental:
        goes_on = goes_on and now - saved.began < OLDEST_PARTIAL_SECONDS
    return saved if goes_on else Saved(saved.generation + 1, int(now))


def state_messages(starts: Mapping[str, Saved]) -> list[AirbyteStateMessage]:
    """The states as the connector takes them."""
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
    """Takes the messages of one sync and saves them, transaction by transaction."""

    def __init__(
        self,
        store: Store,
        tables: Iterable[Table],
        begun: Mapping[str, Saved],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._tables = {table.name: table for table in tables}
        self._clock = clock
        self._changes = Changes(begun=dict(begun))
        self._bytes = 0
        self._last = clock()

    def take(self, message: Message) -> None:
        """Keep what a message brings, and save when it is enough."""
        if isinstance(message, RecordBatch):
            received = self._changes.records.setdefault(message.stream, [])
            received += [Received(message.emitted_at, record) for record in message.records]
            self._bytes += sum(map(len, message.records))
        elif message.type is Type.STATE and message.state and message.state.stream:
            told = message.state.stream
            blob = dict(told.stream_state.__dict__) if told.stream_state else {}
            self._changes.states[told.stream_descriptor.name] = _to_go_on_from(blob)
        elif name := completed(message):
            self._changes.complete.add(name)
            if not self._tables[name].is_incremental:
                self._changes.states[name] = None
        self._save_when_due()

    def save(self) -> None:
        """Write what is kept, in one transaction."""
        changes, self._changes, self._bytes = self._changes, Changes(), 0
        self._store.apply(changes)
        self._last = self._clock()

    def _save_when_due(self) -> None:
        is_due = self._changes.states and self._clock() - self._last >= SECONDS_BETWEEN
        if is_due or self._bytes >= BYTES_AT_ONCE:
            self.save()


def _to_go_on_from(blob: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return None if FULL_REFRESH_COMPLETE in blob else blob


def completed(message: AirbyteMessage) -> str | None:
    """The stream of which a message says that it is complete."""
    status = message.trace.stream_status if message.trace else None
    if status is None or status.status is not AirbyteStreamStatus.COMPLETE:
        return None
    return str(status.stream_descriptor.name)
