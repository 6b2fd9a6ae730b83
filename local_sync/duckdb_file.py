"""A DuckDB file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import orjson

from local_sync.store import Received, StoreError
from local_sync.tables import Kind, Table

SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "400MB",
    "temp_directory": "",
}

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
    """A file that nobody else has open. Times are in UTC. Raises StoreError.

    Nothing is written elsewhere: what a transaction brings fits into memory.
    """

    indexes_keys = False
    misfits: tuple[type[Exception], ...] = (duckdb.DataError,)
    failures: tuple[type[Exception], ...] = (duckdb.Error,)

    def __init__(self, path: Path) -> None:
        try:
            self._connection = duckdb.connect(str(path), config=SETTINGS)
        except duckdb.Error as error:
            raise StoreError(_cannot_open(path, str(error))) from None
        self.execute("SET TimeZone = 'UTC'")

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
        columns = ", ".join(
            f"{_cast(f'''r.{_quoted(column)}''', kind)} AS {_quoted(column)}"
            for column, kind in table.columns.items()
        )
        self.execute(
            f"CREATE OR REPLACE TEMP TABLE incoming AS "  # noqa: S608 - own names
            f"SELECT ord, make_timestamp_ms(emitted_at) AS emitted_at, {columns} "
            f"FROM (SELECT ord, emitted_at, json_transform(data, '{orjson.dumps(shape).decode()}') "
            "AS r FROM (SELECT unnest(range(len($1))) AS ord, unnest($2::BIGINT[]) AS emitted_at, "
            "unnest($1::VARCHAR[]) AS data))",
            [received.data.decode() for received in records],
            [received.emitted_at for received in records],
        )
        return "incoming"

    def reason(self, error: Exception) -> str:
        return str(error).partition("\n")[0]

    def close(self) -> None:
        self._connection.close()


def _quoted(name: str) -> str:
    return f'"{name}"'


def _cast(value: str, kind: Kind) -> str:
    """Text as a value of its column. A TIMESTAMP alone would leave out a time's offset."""
    if kind is Kind.TIME:
        return f"CAST(CAST({value} AS TIMESTAMPTZ) AS TIMESTAMP)"
    return value if kind in (Kind.TEXT, Kind.JSON) else f"CAST({value} AS {TYPES[kind]})"


def _cannot_open(path: Path, why: str) -> str:
    if "lock" in why:
        return f"{path} is open in another program. Close it, or use FILE=other.duckdb."
    if not path.parent.is_dir():
        return f"The folder {path.parent} does not exist. Create it, or use FILE=other.duckdb."
    return f"{path} cannot be opened ({why.partition(chr(10))[0]}). Use FILE=other.duckdb."
