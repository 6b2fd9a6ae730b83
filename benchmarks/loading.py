"""`make sync` into an empty database: how to start it, and the content of the tables afterwards."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cases import DUCKDB
from integration_tests.postgres_server import postgres_server, programs
from local_sync.duckdb_file import DuckDBFile
from local_sync.postgres import Postgres
from local_sync.store import Database
from local_sync.sync import OWN_SCHEMA


@dataclass(frozen=True)
class Target:
    """An empty database. `address`: of PostgreSQL; None for a DuckDB file."""

    file: Path
    address: str | None

    def command(self, config: str, streams: Sequence[str]) -> list[str]:
        """The command that syncs into this database."""
        where = ["--database", self.address] if self.address else ["--file", str(self.file)]
        options = ["--config", config, "--streams", ",".join(streams)]
        return [sys.executable, "-m", "local_sync", *options, *where]

    def gids(self, streams: Iterable[str]) -> dict[str, Counter[str]]:
        """The gids in the table of each stream."""
        opened: Database = (
            Postgres(self.address, OWN_SCHEMA) if self.address else DuckDBFile(self.file)
        )
        with closing(opened) as database:
            return {
                stream: Counter(
                    gid
                    for (gid,) in database.execute(f'SELECT gid FROM "{stream}"')  # noqa: S608
                )
                for stream in streams
            }


@contextmanager
def target(name: str, folder: Path) -> Iterator[Target]:
    """Create an empty database during the `with` block."""
    file = folder / "loaded.duckdb"
    found = None if name == DUCKDB else programs()
    with postgres_server(found) if found else nullcontext() as server:
        yield Target(file, f"{server}/postgres" if server else None)
    file.unlink(missing_ok=True)
