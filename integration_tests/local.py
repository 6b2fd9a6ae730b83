"""Runs the program of `make sync` in this process, and reads the database that it fills."""

import json
import signal
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.reading import SERVICE, Json, Record, config_for
from integration_tests.truth_of import truth
from local_sync.duckdb_file import DuckDBFile
from local_sync.options import parse
from local_sync.postgres import Postgres
from local_sync.store import Database
from local_sync.sync import OWN_SCHEMA, Stop, run
from local_sync.tables import Kind, table_of
from source_asana.streams.sources import DELETED_AT


@dataclass(frozen=True)
class Ended:
    """The output of a sync, and its exit status."""

    exit_status: int
    out: str
    err: str

    @property
    def verdict(self) -> str:
        """The lines after the table and the example."""
        return self.out.rstrip().rpartition("\n\n")[2]


@dataclass
class Desk:
    """A user's folder with a config, and a database to fill.

    `database`: the address of a PostgreSQL database; without it a DuckDB file.
    """

    asana: AsanaEmulator
    folder: Path
    capsys: pytest.CaptureFixture[str]
    database: str | None = None
    stop: Stop = field(default_factory=Stop)

    @property
    def file(self) -> Path:
        return self.folder / "asana.duckdb"

    @property
    def config(self) -> Path:
        return self.folder / "config.json"

    def sync(
        self,
        *options: str,
        person: str = SERVICE,
        config: Json | None = None,
    ) -> Ended:
        """Sync everything the user can see, with these options."""
        ids = list(self.asana.account.organization_exports)
        given = config or config_for(self.asana, person, organization_export_ids=ids)
        self.config.write_text(json.dumps(given))
        where = ["--database", self.database] if self.database else ["--file", str(self.file)]
        self.stop = Stop()
        self.capsys.readouterr()
        parsed = parse(["--config", str(self.config), *where, *options])
        exit_status = run(parsed, self.stop, self.asana.url)
        return Ended(exit_status, *self.capsys.readouterr())

    def interrupt(self, pattern: str, *, after: int) -> None:
        """Press Ctrl-C just before the emulator answers a matching request, after this many of
        them.
        """
        self.asana.controls.interrupt(pattern, lambda: self.stop(signal.SIGINT, None), after=after)

    def open(self) -> Database:
        """The database, open for reading."""
        return Postgres(self.database, OWN_SCHEMA) if self.database else DuckDBFile(self.file)

    def execute(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement in the database."""
        with closing(self.open()) as database:
            return database.execute(sql, *values)

    def rows(self, stream: str, where: str = "TRUE") -> list[Record]:
        """The rows of a stream's table, in the order of their keys, as the columns have them."""
        table = table_of(stream)
        columns = list(table.columns)
        names = ", ".join(f'"{column}"' for column in columns)
        key = ", ".join(f'"{column}"' for column in table.key)
        found = self.execute(
            f'SELECT {names} FROM "{stream}" WHERE {where} ORDER BY {key}'  # noqa: S608 - own names
        )
        return [
            {
                column: _plain(table.columns[column], value)
                for column, value in zip(columns, row, strict=True)
            }
            for row in found
        ]

    def alive(self, stream: str) -> list[Record]:
        """The rows that are not deleted."""
        marked = table_of(stream).marks_deletions
        return self.rows(stream, f'"{DELETED_AT}" IS NULL' if marked else "TRUE")

    def expected(self, stream: str, person: str = SERVICE) -> list[Record]:
        """The records of a stream in Asana for a user, as `rows` returns them: without U+0000."""
        text = json.dumps(truth(self.asana, stream, person)).replace(r"\u0000", "")
        return [in_columns(stream, record) for record in json.loads(text)]


def in_columns(stream: str, record: Mapping[str, Any]) -> Record:
    """A record as its columns have it; missing values are empty."""
    columns = table_of(stream).columns
    return {column: _typed(kind, record.get(column)) for column, kind in columns.items()}


def _typed(kind: Kind, value: Any) -> Any:
    match kind, value:
        case Kind.TIME, str():
            return datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)
        case Kind.DATE, str():
            return date.fromisoformat(value)
        case _:
            return value


def _plain(kind: Kind, value: Any) -> Any:
    match kind, value:
        case Kind.TIME, datetime(tzinfo=tzinfo) if tzinfo:
            return value.astimezone(UTC).replace(tzinfo=None)
        case Kind.JSON, str():
            return json.loads(value)
        case Kind.NUMBER, Decimal():
            return float(value)
        case _:
            return value


def sync_sample(file: Path, streams: Iterable[str]) -> int:
    """Sync the emulated sample account into a file; return the exit status."""
    return run(parse(["--file", str(file), "--streams", ",".join(streams)]), Stop())
