"""A DuckDB file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from tempfile import gettempdir
from typing import Any
from uuid import uuid4

import duckdb
import orjson

from local_sync.store import Received, StoreError
from local_sync.tables import Kind, Table

SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "128MB",
    "threads": 1,  # each one would buffer rows
}
ROW_GROUP_ROWS = 10_240
"""How many rows are written together; each checkpoint writes the last group again."""

RECORDS_PER_INSERT = 200

TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.INTEGER: "BIGINT",
    Kind.NUMBER: "DOUBLE",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE",
    Kind.TIME: "TIMESTAMP",
    Kind.JSON: "JSON",
}


class DuckDBFile:
    """A file that no other program has open. Times are in UTC. Raises StoreError."""

    indexes_keys = False
    misfit_errors: tuple[type[Exception], ...] = (duckdb.DataError,)
    failures: tuple[type[Exception], ...] = (duckdb.Error,)

    def __init__(self, path: Path) -> None:
        # By default DuckDB spills to `.tmp` of the working directory, where two syncs would
        # overwrite each other's blocks.
        self._spilled = Path(gettempdir(), f"asana-sync-{uuid4().hex}")
        settings = SETTINGS | {"temp_directory": str(self._spilled)}
        self._connection = duckdb.connect(config=settings)
        self.execute("SET TimeZone = 'UTC'")
        quoted = str(path).replace("'", "''")
        try:
            self.execute(f"ATTACH '{quoted}' AS asana (ROW_GROUP_SIZE {ROW_GROUP_ROWS})")
        except duckdb.Error as error:
            self.close()
            raise StoreError(_cannot_open(path, str(error))) from None
        self.execute("USE asana")

    def execute(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, list(values)).fetchall()

    def query(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The headings and rows of a query's result."""
        found = self._connection.execute(sql)
        return [column[0] for column in found.description or ()], found.fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._connection.begin()
        try:
            yield
            self._connection.commit()
        except BaseException:
            with suppress(duckdb.Error):
                self._connection.rollback()
            raise

    def tables(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for table, column, kind in self.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() "
            "WHERE database_name = current_database() AND schema_name = 'main'"
        ):
            found.setdefault(table, {})[column] = kind
        return found

    def type_of(self, kind: Kind) -> str:
        return TYPES[kind]

    def receive(self, table: Table, records: Sequence[Received]) -> str:
        shape = {
            column: "JSON" if kind is Kind.JSON else "VARCHAR"
            for column, kind in table.columns.items()
        }
        kinds = ", ".join(f'"{column}" {TYPES[kind]}' for column, kind in table.columns.items())
        values = ", ".join(_cast(f'r."{column}"', kind) for column, kind in table.columns.items())
        self.execute(
            f"CREATE OR REPLACE TEMP TABLE incoming (ord BIGINT, emitted_at TIMESTAMP, {kinds})"
        )
        for start in range(0, len(records), RECORDS_PER_INSERT):
            some = records[start : start + RECORDS_PER_INSERT]
            self.execute(
                f"INSERT INTO incoming SELECT ord + {start}, make_timestamp_ms(emitted_at), {values} "  # noqa: S608, E501 - own names
                "FROM (SELECT ord, emitted_at, "
                f"json_transform(data, '{orjson.dumps(shape).decode()}') AS r "
                "FROM (SELECT unnest(range(len($1))) AS ord, "
                "unnest($2::BIGINT[]) AS emitted_at, unnest($1::VARCHAR[]) AS data))",
                [received.data.decode() for received in some],
                [received.emitted_at for received in some],
            )
        return "incoming"

    def reason(self, error: Exception) -> str:
        return str(error).partition("\n")[0]

    def close(self) -> None:
        self._connection.close()
        rmtree(self._spilled, ignore_errors=True)


def _cast(value: str, kind: Kind) -> str:
    """SQL that casts text to the type of its column. TIMESTAMP alone would ignore a UTC offset."""
    if kind is Kind.TIME:
        return f"CAST(CAST({value} AS TIMESTAMPTZ) AS TIMESTAMP)"
    return value if kind in (Kind.TEXT, Kind.JSON) else f"CAST({value} AS {TYPES[kind]})"


def _cannot_open(path: Path, why: str) -> str:
    if "lock" in why:
        return f"{path} is open in another program. Close it, or use FILE=other.duckdb."
    if not path.parent.is_dir():
        return f"The folder {path.parent} does not exist. Create it, or use FILE=other.duckdb."
    return f"{path} cannot be opened ({why.partition(chr(10))[0]}). Use FILE=other.duckdb."
