"""What a sync does to a database: the tables of the streams, and where each goes on from.

A stream's rows carry the number of the refresh that brought them, its generation. A refresh writes
over the rows that are there, and when it is complete, rows of earlier generations are gone from
Asana and are removed. So a table always holds data, whatever breaks off.
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

BOOKS = "_asana_sync"
"""The table with a row for each stream: its state, and what its rows are of."""

OWN = "own"
SAMPLE = "sample"
"""Whose data a database holds: that of the user's account, or of the emulated one."""

OLD_BOOKS = "_airbyte_state"
"""Where PyAirbyte keeps states, which earlier versions of this program used."""

OLD_TABLES = (OLD_BOOKS, "_airbyte_streams", "_airbyte_destination_state")


class StoreError(Exception):
    """The database cannot be used; the text says why and what to do."""


class Received(NamedTuple):
    """A record as JSON, and when it was emitted, in milliseconds since 1970."""

    emitted_at: int
    data: bytes


@dataclass(frozen=True)
class Saved:
    """What the database knows of a stream.

    `generation`: the number of its last refresh. `began`: when that began, in seconds since 1970.
    `state`: what the connector goes on from; None where there is nothing.
    """

    generation: int = 0
    began: int = 0
    state: Mapping[str, Any] | None = None


@dataclass
class Changes:
    """What one transaction brings.

    `begun`: streams whose refresh begins. `records`: in the order in which they came. `complete`:
    streams of which everything has come. `states`: they cover all records up to here.
    """

    begun: dict[str, Saved] = field(default_factory=dict)
    records: dict[str, list[Received]] = field(default_factory=dict)
    complete: set[str] = field(default_factory=set)
    states: dict[str, Mapping[str, Any] | None] = field(default_factory=dict)


class Database(Protocol):
    """What differs between databases. SQL has the placeholders $1, $2, ... and quotes names."""

    indexes_keys: bool
    """Whether rows are found faster by an index of their keys."""

    misfits: tuple[type[Exception], ...]
    """What it raises where a value does not fit its column."""

    failures: tuple[type[Exception], ...]
    """All that it raises."""

    def execute(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement; return its rows."""

    def transaction(self) -> AbstractContextManager[Any]:
        """All or nothing of what is executed inside."""

    def tables(self) -> dict[str, dict[str, str]]:
        """The tables that exist: the SQL types of their columns by name."""

    def type_of(self, kind: Kind) -> str:
        """The SQL type of a column."""

    def receive(self, table: Table, records: Sequence[Received]) -> str:
        """Put records into a temporary table of the stream's columns, `ord` and `emitted_at`.

        Returns the quoted name of that table. `ord` is a record's place, from 0.
        """

    def reason(self, error: Exception) -> str:
        """What a failure says, for the user."""

    def close(self) -> None:
        """Let others use it."""


class Store:
    """The tables of some streams in a database. `place`: what the user calls the database."""

    def __init__(self, database: Database, tables: Iterable[Table], place: str) -> None:
        self._database = database
        self._tables = {table.name: table for table in tables}
        self._place = place
        self._account = ""
        self._types: dict[str, dict[str, str]] = {}
        self._generations: dict[str, int] = {}
        self.misfits: Counter[tuple[str, str]] = Counter()
        """Values that did not fit their column and were left out, by stream and column."""

    def prepare(self, account: str) -> dict[str, Saved]:
        """Make the tables that are missing; return what is known of each stream.

        `account`: a database holds the data of one. Raises StoreError.
        """
        self._account = account
        with self._database.transaction():
            existing = self._database.tables()
            if BOOKS not in existing:
                self._open_books(existing)
            self._refuse_other_accounts()
            for table in self._tables.values():
                self._types[table.name] = self._made(table, existing.get(table.name))
            saved = self._saved()
        self._generations = {name: known.generation for name, known in saved.items()}
        return saved

    def apply(self, changes: Changes) -> None:
        """Make changes in one transaction. A value that does not fit its column is left out."""
        try:
            self._apply(changes)
        except self._database.misfits:
            for name, received in changes.records.items():
                changes.records[name] = [self._fitting(self._tables[name], r) for r in received]
            self._apply(changes)

    def gids(self, stream: str) -> Counter[str]:
        """The last column of the key of each row."""
        key = self._tables[stream].key[-1]
        sql = f'SELECT "{key}" FROM "{stream}"'  # noqa: S608 - a stream's own names
        return Counter(gid for (gid,) in self._database.execute(sql))

    def _open_books(self, existing: Mapping[str, Mapping[str, str]]) -> None:
        self._database.execute(
            f'CREATE TABLE "{BOOKS}" (stream VARCHAR(100) PRIMARY KEY, account VARCHAR(100), '
            "generation BIGINT, began BIGINT, state TEXT)"
        )
        if OLD_BOOKS in existing:
            self._adopt()
            for old in OLD_TABLES:
                self._database.execute(f'DROP TABLE IF EXISTS "{old}"')

    def _adopt(self) -> None:
        """Take over the states of an earlier version, whose tables look the same."""
        if self._account == SAMPLE:
            raise StoreError(
                f"{self._place} was written by an earlier version. "
                "Delete it, or use FILE=other.duckdb."
            )
        sql = f'SELECT stream_name, state_json FROM "{OLD_BOOKS}"'  # noqa: S608 - own table
        for name, text in self._database.execute(sql):
            state = (json.loads(text).get("stream") or {}).get("stream_state")
            self._write(name, OWN, Saved(state=state))

    def _refuse_other_accounts(self) -> None:
        sql = f'SELECT 1 FROM "{BOOKS}" WHERE account <> $1'  # noqa: S608 - own table
        if self._database.execute(sql, self._account):
            raise StoreError(
                f"{self._place} holds the data of another account. "
                "Use FILE=other.duckdb, or another database."
            )

    def _made(self, table: Table, existing: Mapping[str, str] | None) -> dict[str, str]:
        """The columns of the table and their types, after those that are missing were added."""
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
                f"{self._place} has a table {table.name} that no sync has made. "
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
        sql = f'SELECT stream, generation, began, state FROM "{BOOKS}"'  # noqa: S608 - own table
        found = {
            name: Saved(generation, began, orjson.loads(state) if state else None)
            for name, generation, began, state in self._database.execute(sql)
        }
        return {name: found.get(name, Saved()) for name in self._tables}

    def _write(self, name: str, account: str, saved: Saved) -> None:
        books = f'"{BOOKS}"'
        self._database.execute(f"DELETE FROM {books} WHERE stream = $1", name)  # noqa: S608
        self._database.execute(
            f"INSERT INTO {books} VALUES ($1, $2, $3, $4, $5)",  # noqa: S608 - own table
            name,
            account,
            saved.generation,
            saved.began,
            _text(saved.state),
        )

    def _apply(self, changes: Changes) -> None:
        with self._database.transaction():
            for name, saved in changes.begun.items():
                self._write(name, self._account, saved)
                self._generations[name] = saved.generation
            for name, received in changes.records.items():
                self._merge(self._tables[name], received)
            for name in changes.complete:
                if not self._tables[name].keeps_all:
                    self._remove_earlier(name)
            for name, state in changes.states.items():
                sql = f'UPDATE "{BOOKS}" SET state = $1 WHERE stream = $2'  # noqa: S608
                self._database.execute(sql, _text(state), name)

    def _remove_earlier(self, name: str) -> None:
        sql = f'DELETE FROM "{name}" WHERE "{GENERATION}" <> $1'  # noqa: S608 - own table
        self._database.execute(sql, self._generations[name])

    def _merge(self, table: Table, received: Sequence[Received]) -> None:
        """Records replace the rows with their keys; a deletion marks its row, if there is one.

        Of records with the same key the last one counts.
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

    def _fitting(self, table: Table, received: Received) -> Received:
        """The record without the values that its columns cannot hold; they are counted."""
        record = orjson.loads(received.data)
        for column, kind in table.columns.items():
            if not fits(kind, record.get(column)):
                record[column] = None
                self.misfits[table.name, column] += 1
        return Received(received.emitted_at, orjson.dumps(record))


def _text(state: Mapping[str, Any] | None) -> str | None:
    return None if state is None else orjson.dumps(state).decode()
