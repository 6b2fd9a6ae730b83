"""A database filled by `make sync`, with the models of `make dbt`, and the account in it.

The account is the sample account. Many objects were added to it after the first sync and deleted
before the last one; deleted objects of the sample were restored. So the models must match the
sample account. Only `deletions` has more.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.asana_emulator.account import Account
from integration_tests.reading import config_for
from integration_tests.truth_of import truth
from local_sync import models

ROOT = Path(__file__).parents[1]
MARTS = "asana_marts"
DATABASES = ("duckdb", "postgresql")

CHANGED = "Oil the door"
RESTORED = "Climb the ladder"
"""A task with subtasks below subtasks."""


@dataclass(frozen=True)
class Made:
    """The gids of objects that exist only between the first and the last sync, or only outside."""

    task: str
    subtask: str
    below_a_kept_task: str
    comment: str
    section: str
    project: str
    only_in_the_deleted_project: str
    restored: str


@dataclass(frozen=True)
class Warehouse:
    """`place`: a DuckDB file, or the address of a PostgreSQL database."""

    kind: str
    place: str
    folder: Path

    def target(self) -> models.Target:
        if self.kind == "duckdb":
            return models.in_duckdb(Path(self.place))
        return models.in_postgresql(self.place)

    def sync(self, asana: AsanaEmulator) -> None:
        """Run the program of `make sync` in a separate process, as users do."""
        ids = list(asana.account.organization_exports)
        config = self.folder / "config.json"
        config.write_text(json.dumps(config_for(asana, organization_export_ids=ids)))
        where = "--file" if self.kind == "duckdb" else "--database"
        subprocess.run(
            [sys.executable, "-m", "local_sync", "--config", config, where, self.place],
            cwd=ROOT,
            env=os.environ | {"ASANA_BASE_URL": asana.url},
            check=True,
            capture_output=True,
        )

    def build(self) -> None:
        """Build and test the models."""
        assert models.build(self.target(), self.folder / "target") == 0

    def answer(self, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The headings and rows of a query on the marts; whole numbers are ints."""
        with self._connection() as connection:
            found = connection.execute(query)
            headings = [column[0] for column in found.description]
            return headings, [tuple(map(_plain, row)) for row in found.fetchall()]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.answer(query)[1]

    def execute(self, *statements: str) -> None:
        with self._connection() as connection:
            for statement in statements:
                connection.execute(statement)

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        if self.kind == "duckdb":
            import duckdb  # noqa: PLC0415 - each database only where it is tested

            connection: Any = duckdb.connect(self.place)
        else:
            import psycopg  # noqa: PLC0415

            connection = psycopg.connect(self.place, autocommit=True)
        with closing(connection):
            connection.execute(f"SET search_path = '{MARTS}'")
            yield connection


@dataclass(frozen=True)
class Filled:
    """A warehouse, the account in it, and the objects that existed for a while."""

    warehouse: Warehouse
    asana: AsanaEmulator
    made: Made


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal | float):
        return int(value) if value == int(value) else float(value)
    return value


def fill(warehouse: Warehouse, asana: AsanaEmulator) -> Filled:
    """Sync three times, with changes between, and build the models."""
    warehouse.sync(asana)
    asana.account.clock.advance(3600)
    made = asana.change(lambda account: _add(account, asana))
    warehouse.sync(asana)
    asana.account.clock.advance(3600)
    asana.change(lambda account: _delete(account, asana, made))
    warehouse.sync(asana)
    warehouse.build()
    return Filled(warehouse, asana, made)


def gid_of(asana: AsanaEmulator, stream: str, name: str) -> str:
    """The only record of a stream with a name."""
    (found,) = (record["gid"] for record in truth(asana, stream) if record["name"] == name)
    gid: str = found
    return gid


def _add(account: Account, asana: AsanaEmulator) -> Made:
    project = gid_of(asana, "projects", "Re-light Gull Rock")
    lens = gid_of(asana, "tasks", "Grind the new lens (the old one is a doorstop now)")
    changed = gid_of(asana, "tasks", CHANGED)
    user = gid_of(asana, "users", "Greta Otter")
    workspace = truth(asana, "projects")[0]["workspace"]["gid"]

    task = account.create_task(project, "Mend the kettle", by=user)
    subtask = account.add_subtask(task, "Buy solder", by=user)
    deeper = account.add_subtask(subtask, "Find the shop", by=user)
    below = account.add_subtask(lens, "Whistle while grinding", by=user)
    for gid in (task, subtask, deeper, below):
        account.comment(gid, "Tea first", by=user)
        account.log_time(gid, 500, "2024-02-20", by=user)
        account.attach(gid, "kettle.jpg", by=user)
    attic = account.create_project(workspace, "Attic", sections=["Dust"], by=user)
    only_there = account.create_task(attic, "Find the attic", by=user)
    account.comment(only_there, "There is none", by=user)
    account.log_time(only_there, 70, "2024-02-20", by=user)
    account.add_to_project(changed, attic, by=user)
    made = Made(
        task=task,
        subtask=subtask,
        below_a_kept_task=below,
        comment=account.comment(changed, "Which door?", by=user),
        section=account.create_section(project, "Kettles", by=user),
        project=attic,
        only_in_the_deleted_project=only_there,
        restored=gid_of(asana, "tasks", RESTORED),
    )
    account.delete(made.restored, by=user)
    return made


def _delete(account: Account, asana: AsanaEmulator, made: Made) -> None:
    user = gid_of(asana, "users", "Greta Otter")
    changed = gid_of(asana, "tasks", CHANGED)
    account.modify_task(changed, notes="With fish oil", by=user)
    deleted = (made.task, made.below_a_kept_task, made.comment, made.section, made.project)
    for gid in deleted:
        account.delete(gid, by=user)
    account.restore(made.restored, by=user)
