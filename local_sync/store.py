"""Writes streams into the tables of a database, with the state where each stream resumes.

Each row has the number of the refresh that wrote it, its generation. A refresh overwrites existing
rows. When it is complete, rows of earlier generations no longer exist in Asana and are deleted. So
a table always has its data, even if a sync is interrupted.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import orjson

from local_sync.tables import EXTRACTED_AT, GENERATION, Kind, Table, fits
from source_asana.streams.sources import DELETED_AT

STATE_TABLE = "_asana_sync"
"""The table with one row for each stream: its account, generation and state."""

OWN = "own"
SAMPLE = "sample"
"""The account whose data a database holds: the user's own, or the emulated sample."""

OLD_STATE_TABLE = "_airbyte_state"
"""Where earlier versions of this program, which used PyAirbyte, kept the states."""

OLD_TABLES = (OLD_STATE_TABLE, "_airbyte_streams", "_airbyte_destination_state")


class StoreError(Exception):
    """The database is unusable; the text says why and what to do."""


class Received(NamedTuple):
    """A record as JSON, and the time when it was emitted, in milliseconds since 1970."""

    emitted_at: int
    data: bytes


@dataclass(frozen=True)
class Saved:
    """What the database knows about a stream.

    `generation`: the number of its latest refresh. `started_at`: when that started, in seconds
    since 1970. `state`: where the connector resumes; None to read the stream in full.
    """

    generation: int = 0
    started_at: int = 0
    state: Mapping[str, Any] | None = None


@dataclass
class Changes:
    """The content of one transaction.

    `started`: streams that start a refresh. `records`: in the order in which they came.
    `complete`: streams whose refresh is complete. `states`: they cover all records so far.
    """

    started: dict[str, Saved] = field(default_factory=dict)
    records: dict[str, list[Received]] = field(default_factory=dict)
    complete: set[str] = field(default_factory=set)
    states: dict[str, Mapping[str, Any] | None] = field(default_factory=dict)


class Database(Protocol):
    """The differences between databases. Placeholders in SQL are $1, $2, ...; names are quoted."""

    indexes_keys: bool
    """Whether an index of the keys finds rows faster."""

    misfit_errors: tuple[type[Exception], ...]
    """The exceptions raised when a value does not fit its column."""

    failures: tuple[type[Exception], ...]
    """All exceptions of this database."""

    def execute(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""

    def transaction(self) -> AbstractContextManager[Any]:
        """A transaction around the statements inside."""

    def tables(self) -> dict[str, dict[str, str]]:
        """The SQL types of the existing columns, by table and column."""

    def type_of(self, kind: Kind) -> str:
        """The SQL type of a column."""

    def receive(self, table: Table, records: Sequence[Received]) -> str:
        """Copy records into a temporary table and return its quoted name.

        It has the columns of the stream, `emitted_at`, and `ord`, the record's position from 0.
        """

    def reason(self, error: Exception) -> str:
        """The text of an error, for the user."""

    def close(self) -> None:
        """Disconnect."""


class Store:
    """The tables of some streams in a database. `place`: the name of the database for the user."""

    def __init__(self, database: Database, tables: Iterable[Table], place: str) -> None:
        self._database = database
        self._tables = {table.name: table for table in tables}
        self._place = place
        self._account = ""
        self._types: dict[str, dict[str, str]] = {}
        self._generations: dict[str, int] = {}
        self.left_empty: Counter[tuple[str, str]] = Counter()
        """How many values did not fit their column, by stream and column."""

    def prepare(self, account: str) -> dict[str, Saved]:
        """Create the missing tables and columns; return what is known about each stream.

        `account`: OWN or SAMPLE; a database holds the data of one account. Raises StoreError.
        """
        self._account = account
        with self._database.transaction():
            existing = self._database.tables()
            if STATE_TABLE not in existing:
                self._create_state_table(existing)
            self._refuse_other_accounts()
            for table in self._tables.values():
                self._types[table.name] = self._prepared(table, existing.get(table.name))
            saved = self._saved()
        self._generations = {name: known.generation for name, known in saved.items()}
        return saved

    def apply(self, changes: Changes) -> None:
        """Apply changes in one transaction. A value that does not fit its column is left empty."""
        try:
            self._apply(changes)
        except self._database.misfit_errors:
            for name, received in changes.records.items():
                changes.records[name] = [
                    self._without_misfits(self._tables[name], r) for r in received
                ]
            self._apply(changes)

    def gids(self, stream: str) -> Counter[str]:
        """The gid of each row: the last column of its key."""
        key = self._tables[stream].key[-1]
        sql = f'SELECT "{key}" FROM "{stream}"'  # noqa: S608 - a stream's own names
        return Counter(gid for (gid,) in self._database.execute(sql))

    def _create_state_table(self, existing: Mapping[str, Mapping[str, str]]) -> None:
        self._database.execute(
            f'CREATE TABLE "{STATE_TABLE}" (stream VARCHAR(100) PRIMARY KEY, account VARCHAR(100), '
            "generation BIGINT, began BIGINT, state TEXT)"
        )
        if OLD_STATE_TABLE in existing:
            self._take_over_states()
            for old in OLD_TABLES:
                self._database.execute(f'DROP TABLE IF EXISTS "{old}"')

    def _take_over_states(self) -> None:
        """Copy the states of an earlier version, which had the same tables for streams."""
        if self._account == SAMPLE:
            raise StoreError(
                f"{self._place} was written by an earlier version. "
                "Delete it, or use FILE=other.duckdb."
            )
        sql = f'SELECT stream_name, state_json FROM "{OLD_STATE_TABLE}"'  # noqa: S608 - own table
        for name, text in self._database.execute(sql):
            state = (json.loads(text).get("stream") or {}).get("stream_state")
            self._write(name, OWN, Saved(state=state))

    def _refuse_other_accounts(self) -> None:
        sql = f'SELECT 1 FROM "{STATE_TABLE}" WHERE account <> $1'  # noqa: S608 - own table
        if self._database.execute(sql, self._account):
            raise StoreError(
                f"{self._place} has the data of another account. "
                "Use FILE=other.duckdb, or another database."
            )

    def _prepared(self, table: Table, existing: Mapping[str, str] | None) -> dict[str, str]:
        """Create or extend a table; return the SQL types of its columns."""
        wanted = {column: self._database.type_of(kind) for column, kind in table.columns.items()}
        wanted |= {
            EXTRACTED_AT: self._database.type_of(Kind.TIME),
            GENERATION: self._database.type_of(Kind.INTEGER),
        }
        if existing is None:
            self._create(table, wanted)
            return wanted
        if EXTRACTED_AT not in existing:
            raise StoreError(
                f"{self._place} has a table {table.name} that is not from a sync. "
                "Use FILE=other.duckdb, or another database."
            )
        for column, kind in wanted.items():
            if column not in existing:
                default = " DEFAULT 0" if column == GENERATION else ""
                self._database.execute(
                    f'ALTER TABLE "{table.name}" ADD COLUMN "{column}" {kind}{default}'
                )
        return {column: existing.get(column, kind) for column, kind in wanted.items()}

    def _create(self, table: Table, columns: Mapping[str, str]) -> None:
        parts = [f'"{column}" {kind}' for column, kind in columns.items()]
        if self._database.indexes_keys:
            key = ", ".join(f'"{column}"' for column in table.key)
            parts.append(f"PRIMARY KEY ({key})")
        self._database.execute(f'CREATE TABLE "{table.name}" ({", ".join(parts)})')

    def _saved(self) -> dict[str, Saved]:
        sql = f'SELECT stream, generation, began, state FROM "{STATE_TABLE}"'  # noqa: S608 - own table
        found = {
            name: Saved(generation, began, orjson.loads(state) if state else None)
            for name, generation, began, state in self._database.execute(sql)
        }
        return {name: found.get(name, Saved()) for name in self._tables}

    def _write(self, name: str, account: str, saved: Saved) -> None:
        state_table = f'"{STATE_TABLE}"'
        self._database.execute(f"DELETE FROM {state_table} WHERE stream = $1", name)  # noqa: S608
        self._database.execute(
            f"INSERT INTO {state_table} VALUES ($1, $2, $3, $4, $5)",  # noqa: S608 - own table
            name,
            account,
            saved.generation,
            saved.started_at,
            _text(saved.state),
        )

    def _apply(self, changes: Changes) -> None:
        with self._database.transaction():
            for name, saved in changes.started.items():
                self._write(name, self._account, saved)
                self._generations[name] = saved.generation
            for name, received in changes.records.items():
                self._merge(self._tables[name], received)
            for name in changes.complete:
                if not self._tables[name].keeps_all:
                    self._remove_earlier(name)
            for name, state in changes.states.items():
                sql = f'UPDATE "{STATE_TABLE}" SET state = $1 WHERE stream = $2'  # noqa: S608
                self._database.execute(sql, _text(state), name)

    def _remove_earlier(self, name: str) -> None:
        sql = f'DELETE FROM "{name}" WHERE "{GENERATION}" <> $1'  # noqa: S608 - own table
        self._database.execute(sql, self._generations[name])

    def _merge(self, table: Table, received: Sequence[Received]) -> None:
        """Replace the rows with the keys of the records, or mark them as deleted.

        If several records have the same key, the last one counts.
        """
        incoming = self._database.receive(table, received)
        own = f'"{table.name}"'
        key = ", ".join(f'"{column}"' for column in table.key)
        same = " AND ".join(f'{own}."{column}" = i."{column}"' for column in table.key)
        generation = self._generations[table.name]
        types = self._types[table.name]
        extracted = f"CAST(i.emitted_at AS {types[EXTRACTED_AT]})"
        kept = "TRUE"
        execute = self._database.execute
        execute(
            f"DELETE FROM {incoming} WHERE ord NOT IN "  # noqa: S608 - own names, here and below
            f"(SELECT max(ord) FROM {incoming} GROUP BY {key})"
        )
        if table.marks_deletions:
            kept = f'i."{DELETED_AT}" IS NULL'
            execute(
                f'UPDATE {own} SET "{DELETED_AT}" = i."{DELETED_AT}", "{EXTRACTED_AT}" = '  # noqa: S608
                f'{extracted}, "{GENERATION}" = $1 FROM {incoming} AS i '
                f"WHERE {same} AND NOT ({kept})",
                generation,
            )
        execute(f"DELETE FROM {own} USING {incoming} AS i WHERE {same} AND {kept}")  # noqa: S608
        columns = list(table.columns)
        names = ", ".join(f'"{column}"' for column in columns)
        values = ", ".join(f'CAST(i."{column}" AS {types[column]})' for column in columns)
        execute(
            f'INSERT INTO {own} ({names}, "{EXTRACTED_AT}", "{GENERATION}") '  # noqa: S608
            f"SELECT {values}, {extracted}, $1 FROM {incoming} AS i WHERE {kept} ORDER BY ord",
            generation,
        )

    def _without_misfits(self, table: Table, received: Received) -> Received:
        """The record without the values that do not fit their column. Counts them."""
        record = orjson.loads(received.data)
        for column, kind in table.columns.items():
            if not fits(kind, record.get(column)):
                record[column] = None
                self.left_empty[table.name, column] += 1
        return Received(received.emitted_at, orjson.dumps(record))


def _text(state: Mapping[str, Any] | None) -> str | None:
    return None if state is None else orjson.dumps(state).decode()
