"""PyAirbyte, as in a notebook: an account in a DuckDB file, and as pandas frames.

PyAirbyte takes seconds to start and a minute to load an account, so `make test` runs one of these
tests. The rest have the marker `pyairbyte`: `make pyairbyte` runs all of them.
"""

import ast
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.local import Desk
from integration_tests.reading import PROGRAM_SECONDS, SERVICE, Json, config_for
from integration_tests.test_readme import GUIDE, PAGES, written_in
from integration_tests.truth_of import truth
from source_asana.streams.declared import STREAMS

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(find_spec("airbyte") is None, reason="PyAirbyte is not installed"),
]

# PyAirbyte looks at its environment when it is imported, so each notebook is a separate process.
NOTEBOOK = """
import json
import sys
from pathlib import Path

import airbyte

config, executable, file, streams = json.loads(sys.argv[1])
source = airbyte.get_source(
    "source-asana", config=config, local_executable=executable, install_if_missing=False
)
source.check()
source.select_streams(streams)
result = source.read(cache=airbyte.caches.DuckDBCache(db_path=file))
for stream, dataset in result.streams.items():
    rows = Path(file).with_name(f"{stream}.json")
    dataset.to_pandas().to_json(rows, orient="records")
"""

Frames = Mapping[str, list[dict[str, Any]]]

EXECUTABLE = Path(sys.executable).with_name("source-asana")

LOOK = """
with cache.get_sql_engine().connect() as connection:
    print(connection.exec_driver_sql({!r}).fetchall())
"""


def run_notebook(
    asana: AsanaEmulator, config: Json, file: Path, streams: Iterable[str]
) -> subprocess.CompletedProcess[str]:
    given = json.dumps([config, str(EXECUTABLE), str(file), [*streams]])
    return run_cells(asana, file.parent, NOTEBOOK, given)


def run_cells(
    asana: AsanaEmulator, folder: Path, cells: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run Python as in a notebook, in a folder."""
    # PyAirbyte ends a connector that has printed enough, maybe while coverage writes its file.
    around = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    here = {"ASANA_BASE_URL": asana.url, "AIRBYTE_LOGGING_ROOT": str(folder)}
    quiet = {"AIRBYTE_OFFLINE_MODE": "1", "NO_LIVE_PROGRESS": "1"}
    return subprocess.run(
        [sys.executable, "-c", cells, *arguments],
        env=around | here | quiet,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )


def read_frames(asana: AsanaEmulator, file: Path, streams: Iterable[str] = STREAMS) -> Frames:
    """The rows of the streams, after a sync into the file that resumes from the last one."""
    config = config_for(asana, organization_export_ids=list(asana.account.organization_exports))
    done = run_notebook(asana, config, file, streams)
    assert done.returncode == 0, done.stderr
    return {s: json.loads(file.with_name(f"{s}.json").read_bytes()) for s in streams}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that holds the sample account."""
    return tmp_path_factory.mktemp("notebook") / "asana.duckdb"


@pytest.fixture(scope="module")
def frames(untouched: AsanaEmulator, file: Path) -> Frames:
    return read_frames(untouched, file)


@pytest.mark.pyairbyte
@pytest.mark.parametrize("stream", STREAMS)
def test_a_frame_has_every_record_of_the_account_once(
    sample: AsanaEmulator, frames: Frames, stream: str
) -> None:
    def keys(records: list[dict[str, Any]]) -> list[str]:
        return sorted(str([record[column] for column in STREAMS[stream].key]) for record in records)

    assert keys(frames[stream]) == keys(truth(sample, stream))


@pytest.mark.pyairbyte
def test_a_frame_has_the_values_of_a_record_in_asana(sample: AsanaEmulator, frames: Frames) -> None:
    named = {row["gid"]: (row["name"], row["notes"]) for row in frames["tasks"]}
    assert named == {r["gid"]: (r["name"], r["notes"]) for r in truth(sample, "tasks")}


@pytest.mark.pyairbyte
def test_the_file_answers_questions_in_sql(
    sample: AsanaEmulator, frames: Frames, file: Path
) -> None:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(str(file), read_only=True) as database:
        told = database.sql(
            "SELECT gid, strftime(modified_at, '%Y-%m-%dT%H:%M:%S.%gZ'), assignee ->> 'name' "
            "FROM tasks"
        ).fetchall()
    assert sorted(told) == sorted(
        (task["gid"], task["modified_at"], (task["assignee"] or {}).get("name"))
        for task in truth(sample, "tasks")
    )


def test_a_second_sync_brings_changes_and_deletions_and_make_sync_continues_the_file(
    asana: AsanaEmulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, streams = tmp_path / "asana.duckdb", ["tasks", "events", "users"]
    before = read_frames(asana, file, streams)
    plain = [t for t in truth(asana, "tasks") if not t["num_subtasks"] and not t["parent"]]
    changed, deleted = plain[0]["gid"], plain[1]["gid"]
    asana.account.clock.advance(3600)
    asana.change(lambda account: account.modify_task(changed, name="Polish the lens twice"))
    asana.change(lambda account: account.delete(deleted))
    asana.ledger.reset()
    after = read_frames(asana, file, streams)
    going_on = [r.query["resource"] for r in asana.ledger.requests if "sync" in r.query]
    assert sorted(going_on) == sorted(project["gid"] for project in truth(asana, "projects"))
    rows = {row["gid"]: row for row in after["tasks"]}
    assert len(after["tasks"]) == len(rows) == len(before["tasks"])
    assert rows[changed]["name"] == "Polish the lens twice"
    assert [gid for gid, row in rows.items() if row["_ab_cdc_deleted_at"]] == [deleted]
    assert {event["action"] for event in after["events"]} >= {"changed", "deleted"}
    assert len(after["users"]) == len(before["users"])
    asana.account.clock.advance(3600)
    asana.change(lambda account: account.restore(deleted))
    asana.ledger.reset()
    desk = Desk(asana, tmp_path, capsys)
    assert desk.sync("--streams", ",".join(streams)).exit_status == 0
    going_on = [r.query["resource"] for r in asana.ledger.requests if "sync" in r.query]
    assert sorted(going_on) == sorted(project["gid"] for project in truth(asana, "projects"))
    assert desk.rows("tasks") == desk.expected("tasks")
    assert desk.rows("users") == desk.expected("users")
    assert len(desk.rows("events")) > len(after["events"])


@pytest.mark.pyairbyte
def test_a_failed_check_says_why_and_hides_the_token(sample: AsanaEmulator, tmp_path: Path) -> None:
    config = config_for(sample)
    config["credentials"]["personal_access_token"] = "2/1200000000000666/nobody-knows"
    done = run_notebook(sample, config, tmp_path / "asana.duckdb", ["users"])
    assert done.returncode == 1
    assert "Connector check failed" in done.stderr
    assert "Asana refused the token" in done.stderr
    assert "nobody-knows" not in done.stdout + done.stderr


def as_typed(cell: str, asana: AsanaEmulator) -> str:
    """A piece of Python from a page, with a token and the program filled in."""
    token = asana.tokens.pat(SERVICE)
    return cell.replace("<token>", token).replace(".venv/bin/source-asana", str(EXECUTABLE))


def rows(printed: str) -> list[list[tuple[Any, ...]]]:
    """The query results that a notebook has printed, each in a line."""
    return [ast.literal_eval(line) for line in printed.splitlines() if line.startswith("[")]


@pytest.mark.pyairbyte
def test_the_recipe_of_the_guide_reads_repairs_and_removes_stale_rows(
    asana: AsanaEmulator, tmp_path: Path
) -> None:
    read, repair, stale = [as_typed(cell, asana) for cell in written_in("python", GUIDE)]
    (delete,) = [sql.strip() for sql in written_in("sql", GUIDE) if sql.startswith("DELETE")]
    assert run_cells(asana, tmp_path, read).returncode == 0
    task = next(t for t in truth(asana, "tasks") if not t["num_subtasks"] and not t["parent"])
    memberships = truth(asana, "workspace_memberships")
    homes = Counter(membership["user"]["gid"] for membership in memberships)
    left = next(m for m in memberships if homes[m["user"]["gid"]] == 1 and not m["is_admin"])
    workspace, user = left["workspace"]["gid"], left["user"]["gid"]
    asana.account.clock.advance(3600)
    asana.change(lambda account: account.delete(task["gid"]))
    asana.change(lambda account: account.leave_workspace(workspace, user))
    tasks = LOOK.format("SELECT gid, _ab_cdc_deleted_at IS NOT NULL FROM main.tasks ORDER BY gid")
    users = LOOK.format("SELECT gid FROM main.users ORDER BY gid")
    clean = f"cache.execute_sql({delete.replace('tasks', 'main.tasks')!r})"
    cells = [read, tasks, users, clean, tasks, repair, tasks, stale, users]
    done = run_cells(asana, tmp_path, "\n".join(cells))
    assert done.returncode == 0, done.stderr
    marked, unrepaired, cleaned, repaired, current = rows(done.stdout)
    assert [gid for gid, is_deleted in marked if is_deleted] == [task["gid"]]
    alive = [(task["gid"], False) for task in truth(asana, "tasks")]
    assert cleaned == alive == repaired
    assert current == [(user["gid"],) for user in truth(asana, "users")]
    assert set(unrepaired) - set(current) == {(user,)}


@pytest.mark.pyairbyte
def test_the_recipe_of_the_migration_guide_replaces_the_tables(
    asana: AsanaEmulator, tmp_path: Path
) -> None:
    (cell,) = [as_typed(each, asana) for each in written_in("python", PAGES["docs/migrating.md"])]
    begin = f"config = {config_for(asana)!r}\n"
    done = run_cells(asana, tmp_path, begin + cell)
    assert done.returncode == 0, done.stderr


@pytest.mark.pyairbyte
def test_one_refused_stream_costs_all_records_of_a_read(
    asana: AsanaEmulator, tmp_path: Path
) -> None:
    asana.controls.deny("/portfolios", 402)
    file = tmp_path / "asana.duckdb"
    done = run_notebook(asana, config_for(asana), file, ["users", "portfolios"])
    assert done.returncode == 1
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(str(file), read_only=True) as database:
        tables = database.sql("SELECT table_name, estimated_size FROM duckdb_tables()").fetchall()
    assert not any(
        rows for name, rows in tables if name in ("users", "portfolios", "_airbyte_state")
    )
    told = "discards the records and the state of all streams of that read"
    assert told in " ".join(GUIDE.split())
