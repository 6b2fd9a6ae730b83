"""The conversation with PyAirbyte: an account goes into a file, the connector's log comes out."""

import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import airbyte
from airbyte.caches import DuckDBCache
from airbyte.sources import Source

from local_sync.report import StreamSummary

CONNECTOR = "source-asana"


@dataclass(frozen=True)
class Reading:
    """What a sync has left behind."""

    key_of: Mapping[str, str]  # the last column of each stream's primary key
    summaries: Sequence[StreamSummary]
    seconds: float
    cache: DuckDBCache

    @property
    def streams(self) -> list[str]:
        return list(self.key_of)

    def rows(self, sql: str) -> list[Mapping[str, Any]]:
        return list(self.cache.run_sql_query(sql))

    def keys(self, stream: str) -> Counter[str]:
        """The keys that the file holds for the stream."""
        key = self.key_of[stream]
        rows = self.rows(f'SELECT "{key}" AS key FROM "{stream}"')  # noqa: S608 (the catalog's own names)
        return Counter(row["key"] for row in rows)


class ConnectorLog(logging.Handler):
    """Shows the connector's log lines as they come, and keeps the closing ones."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.summaries: list[StreamSummary] = []
        self._started = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if summary := StreamSummary.parse(message):
            self.summaries.append(summary)
        elif not message.startswith("{"):  # PyAirbyte also logs the protocol messages it refuses
            elapsed = time.monotonic() - self._started
            print(f"{elapsed:6.1f} s  {message}", file=sys.stderr, flush=True)


@contextmanager
def connector_log() -> Iterator[ConnectorLog]:
    """PyAirbyte hands each log message of a connector to the logger `airbyte.<connector>`."""
    log = ConnectorLog()
    logger = logging.getLogger(f"airbyte.{CONNECTOR}")
    logger.addHandler(log)
    try:
        yield log
    finally:
        logger.removeHandler(log)


def connector(config: Mapping[str, Any]) -> Source:
    """The connector that is installed beside the Python which runs this."""
    executable = Path(sys.executable).with_name(CONNECTOR)
    return airbyte.get_source(
        CONNECTOR,
        config=dict(config),
        local_executable=executable,
        install_if_missing=False,
    )


def read_account(config: Mapping[str, Any], streams: Sequence[str], file: Path) -> Reading:
    """Bring the streams (all of them, where none is named) into the file; PyAirbyteError if not."""
    source = connector(config)
    cache = DuckDBCache(db_path=file)
    with connector_log() as log:
        source.check()
        source.select_streams(list(streams) or "*")
        started = time.monotonic()
        # PyAirbyte's own validation would quote a wrong configuration, token included.
        source.read(cache=cache, skip_validation=True)
        seconds = time.monotonic() - started
    return Reading(
        key_of=primary_keys(source),
        summaries=log.summaries,
        seconds=seconds,
        cache=cache,
    )


def primary_keys(source: Source) -> dict[str, str]:
    return {
        configured.stream.name: configured.stream.source_defined_primary_key[-1][-1]
        for configured in source.configured_catalog.streams
    }
