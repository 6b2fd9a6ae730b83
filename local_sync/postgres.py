"""A PostgreSQL database."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import psycopg
from psycopg import conninfo

from local_sync.store import Received, StoreError
from local_sync.tables import Kind, Table

TYPES = {
    Kind.TEXT: "text",
    Kind.INTEGER: "bigint",
    Kind.NUMBER: "double precision",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.TIME: "timestamp with time zone",
    Kind.JSON: "jsonb",
}

LOCK = 7_267_001_200
"""The advisory lock of a sync: any number that other programs do not use."""

CONNECT_SECONDS = 15
LOCK_SECONDS = 3


class Postgres:
    """Keeps the tables in a schema of their own. Raises StoreError."""

    indexes_keys = True
    misfit_errors: tuple[type[Exception], ...] = (psycopg.DataError,)
    failures: tuple[type[Exception], ...] = (psycopg.Error,)

    def __init__(self, url: str, schema: str) -> None:
        self._schema = schema
        try:
            self._connection = psycopg.connect(
                url,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                application_name="source-asana",
                cursor_factory=psycopg.RawCursor,
            )
        except psycopg.Error as error:
            raise StoreError(
                f"Cannot connect to {address(url)}: {self.reason(error)}. Check DATABASE."
            ) from None
        try:
            self._set_up()
        except psycopg.errors.LockNotAvailable:
            self.close()
            raise StoreError(
                f"Another sync is writing to {address(url)}. Try again when it has ended."
            ) from None
        except psycopg.Error as error:
            self.close()
            raise StoreError(
                f"Cannot use schema {schema} of {address(url)}: {self.reason(error)}."
            ) from None

    def _set_up(self) -> None:
        self.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
        self.execute("SELECT pg_advisory_lock($1::bigint)", LOCK)
        self.execute("SET lock_timeout = 0")
        if not self.execute("SELECT 1 FROM pg_namespace WHERE nspname = $1", self._schema):
            self.execute(f'CREATE SCHEMA "{self._schema}"')
        self.execute(f'SET search_path = "{self._schema}"')
        self.execute("SET TimeZone = 'UTC'")
        # A few hundred rows come at a time: look each up in the index, however large the table.
        self.execute("SET enable_hashjoin = off")
        self.execute("SET enable_mergejoin = off")
        self.execute(
            "CREATE TEMP TABLE received (ord integer, emitted_at bigint, data json) "
            "ON COMMIT DELETE ROWS"
        )

    def execute(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.query(sql, *values)[1]

    def query(self, sql: str, *values: Any) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The headings and rows of a query's result."""
        cursor = self._connection.execute(sql.encode(), values)
        if cursor.description is None:
            return [], []
        return [column.name for column in cursor.description], cursor.fetchall()

    def transaction(self) -> AbstractContextManager[Any]:
        return self._connection.transaction()

    def tables(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for table, column, kind in self.execute(
            "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod) "
            "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') "
            "AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum",
            self._schema,
        ):
            found.setdefault(table, {})[column] = kind
        return found

    def type_of(self, kind: Kind) -> str:
        return TYPES[kind]

    def receive(self, table: Table, records: Sequence[Received]) -> str:
        incoming = f'pg_temp."incoming_{table.name}"'
        columns = ", ".join(f'"{name}" {TYPES[kind]}' for name, kind in table.columns.items())
        self.execute(
            f"CREATE TEMP TABLE IF NOT EXISTS {incoming} "
            f"(ord integer, emitted_at timestamp with time zone, {columns}) ON COMMIT DELETE ROWS"
        )
        self.execute("DELETE FROM received")
        with self._connection.cursor() as cursor, cursor.copy("COPY received FROM STDIN") as copy:
            for place, received in enumerate(records):
                copy.write_row((place, received.emitted_at, received.data.decode()))
        shape = ", ".join(f'"{name}" {_read_as(kind)}' for name, kind in table.columns.items())
        self.execute(
            f"INSERT INTO {incoming} "  # noqa: S608 - own names
            f"SELECT ord, to_timestamp(emitted_at / 1000.0), r.* "
            f"FROM received, json_to_record(data) AS r ({shape})"
        )
        return incoming

    def reason(self, error: Exception) -> str:
        return str(error).strip().splitlines()[-1].strip().rstrip(".")

    def close(self) -> None:
        self._connection.close()


def address(url: str) -> str:
    """The name and host of a database, without the password."""
    try:
        parts = conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return "the database"
    host, port = parts.get("host", "localhost"), parts.get("port")
    return f"{parts.get('dbname', '')} on {host}" + (f":{port}" if port else "")


def _read_as(kind: Kind) -> str:
    """The type to parse JSON as. Integers may be written 1.0, so they are parsed as numeric."""
    return "numeric" if kind is Kind.INTEGER else TYPES[kind]
