"""`make sync`: the rows that it writes to a database, those that it keeps, and its messages."""

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from integration_tests.asana_emulator import AsanaEmulator, make_account
from integration_tests.asana_emulator.account import Account
from integration_tests.local import Desk, sync_sample
from integration_tests.reading import config_for
from integration_tests.truth_of import truth
from local_sync.duckdb_file import DuckDBFile
from source_asana.streams.declared import STREAMS
from source_asana.streams.sources import DELETED_AT

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
BETWEEN_SYNCS = [name for name, stream in STREAMS.items() if stream.is_incremental_only()]
ALL = len(STREAMS)
LISTED = [name for name in STREAMS if name not in BETWEEN_SYNCS]

HOLDER = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def desk(asana: AsanaEmulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    """A user's folder with a DuckDB file, and its own account."""
    return Desk(asana, tmp_path, capsys)


@pytest.fixture(params=["duckdb", "postgresql"])
def any_desk(desk: Desk, request: pytest.FixtureRequest) -> Desk:
    """The same, with either database."""
    if request.param == "postgresql":
        desk.database = request.getfixturevalue("database")
    return desk


def program(*arguments: str | Path, url: str = "", cwd: Path) -> subprocess.Popen[str]:
    """The program behind `make sync`, in a separate process."""
    return subprocess.Popen(
        [sys.executable, "-m", "local_sync", *arguments],
        cwd=cwd,
        env=os.environ | {"ASANA_BASE_URL": url, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_every_record_of_every_stream_arrives_as_asana_has_it(any_desk: Desk) -> None:
    ended = any_desk.sync()
    assert ended.exit_status == 0, ended.err
    assert ended.verdict == f"{ALL} of {ALL} streams complete."
    for stream in LISTED:
        assert any_desk.rows(stream) == any_desk.expected(stream), stream
        assert any_desk.rows(stream), stream


def test_an_ordinary_token_gets_everything_it_can_read(desk: Desk) -> None:
    ended = desk.sync(person="member")
    assert ended.exit_status == 0
    refused = ["audit_log_events", "organization_exports"]
    first, *told = ended.verdict.splitlines()
    assert first == f"{ALL - 2} of {ALL} streams complete."
    for line, stream in zip(told, refused, strict=True):
        assert line.startswith(f"  {stream}: refused (403). ")
        assert "use a service account" in line
    for stream in set(LISTED) - set(refused):
        assert desk.rows(stream) == desk.expected(stream, "member"), stream


def test_a_plan_without_custom_fields_lacks_only_that_stream(desk: Desk) -> None:
    desk.asana.controls.deny("/workspaces/{workspace_gid}/custom_fields", 402)
    ended = desk.sync()
    assert ended.exit_status == 0
    assert f"{ALL - 1} of {ALL} streams complete." in ended.verdict
    assert "  custom_fields: refused (402). " in ended.verdict
    assert desk.rows("custom_fields") == []
    assert desk.rows("tasks") == desk.expected("tasks")


def test_a_refused_stream_that_the_user_named_is_an_error(desk: Desk) -> None:
    ended = desk.sync("--streams", "users,audit_log_events", person="member")
    assert ended.exit_status == 1
    assert desk.rows("users") == desk.expected("users", "member")


def test_a_stream_that_fails_is_an_error_and_keeps_its_rows(desk: Desk) -> None:
    assert desk.sync("--streams", "users,tags").exit_status == 0
    desk.asana.controls.fail("/tags", 400, times=None)
    gone = truth(desk.asana, "tags")[0]["gid"]
    desk.asana.change(lambda account: account.delete_untold(gone))
    before = desk.rows("tags")
    ended = desk.sync("--streams", "users,tags")
    assert ended.exit_status == 1
    assert "  tags: incomplete. " in ended.verdict
    assert desk.rows("tags") == before


def test_missing_projects_are_not_refused_projects(desk: Desk) -> None:
    ended = desk.sync(config=config_for(desk.asana, project_gids=["1205999999999999"]))
    assert ended.exit_status == 1
    assert "  tasks: incomplete. " in ended.verdict


def test_records_deleted_in_asana_are_deleted_in_the_tables(any_desk: Desk) -> None:
    asana = any_desk.asana
    streams = "users,tags,project_memberships,time_tracking_entries,status_updates"
    assert any_desk.sync("--streams", streams).exit_status == 0
    gone = {
        "tags": any_desk.rows("tags")[0]["gid"],
        "time_tracking_entries": any_desk.rows("time_tracking_entries")[0]["gid"],
        "status_updates": any_desk.rows("status_updates")[0]["gid"],
    }
    member = any_desk.rows("project_memberships")[0]
    project, user = member["parent"]["gid"], member["member"]["gid"]
    for gid in gone.values():
        asana.change(partial(Account.delete_untold, gid=gid))
    asana.change(lambda account: account.unshare(project, user))
    assert any_desk.sync("--streams", streams).exit_status == 0
    for stream in streams.split(","):
        assert any_desk.rows(stream) == any_desk.expected(stream), stream
    for stream, gid in gone.items():
        assert gid not in {row["gid"] for row in any_desk.rows(stream)}


def test_changes_deletions_and_restores_arrive(any_desk: Desk) -> None:
    asana, streams = any_desk.asana, "projects,sections,tasks,subtasks,stories,attachments,events"
    assert any_desk.sync("--streams", streams).exit_status == 0
    plain = [t for t in truth(asana, "tasks") if not t["num_subtasks"] and not t["parent"]]
    changed, deleted = plain[0], plain[1]
    asana.account.clock.advance(3600)
    asana.change(
        lambda account: account.modify_task(changed["gid"], name="Polish 🪔 \0 twice", notes="\0")
    )
    asana.change(lambda account: account.delete(deleted["gid"]))
    assert any_desk.sync("--streams", streams).exit_status == 0
    (row,) = any_desk.rows("tasks", f"gid = '{changed['gid']}'")
    assert row["name"] == "Polish 🪔  twice"
    (row,) = any_desk.rows("tasks", f"gid = '{deleted['gid']}'")
    assert row[DELETED_AT]
    assert row["name"] == deleted["name"]
    assert not any_desk.rows("subtasks", f"gid = '{deleted['gid']}'")
    assert {event["action"] for event in any_desk.rows("events")} >= {"changed", "deleted"}

    asana.account.clock.advance(3600)
    asana.change(lambda account: account.modify_task(changed["gid"], name="Done", notes=""))
    asana.change(lambda account: account.restore(deleted["gid"]))
    assert any_desk.sync("--streams", streams).exit_status == 0
    for stream in streams.split(",")[:-1]:
        assert any_desk.alive(stream) == any_desk.expected(stream), stream
    assert not any_desk.rows("tasks", f'"{DELETED_AT}" IS NOT NULL')


def test_a_second_sync_requests_only_changes(desk: Desk) -> None:
    assert desk.sync("--streams", "tasks,stories").exit_status == 0
    first = desk.asana.ledger.count()
    desk.asana.ledger.reset()
    assert desk.sync("--streams", "tasks,stories").exit_status == 0
    assert desk.asana.ledger.count() < first / 2


def test_an_interrupted_sync_resumes(any_desk: Desk) -> None:
    asana, streams = any_desk.asana, "tasks,stories,project_memberships,users"
    any_desk.interrupt("/tasks/*/stories", after=20)
    first = any_desk.sync("--streams", streams, config=config_for(asana, num_workers=1))
    assert first.exit_status == 128 + signal.SIGINT
    assert "Traceback" not in first.err
    done, known = map(
        int, first.err.partition("Interrupted: ")[2].split(" projects")[0].split(" of ")
    )
    assert 0 < done < known == len(truth(asana, "projects"))
    assert first.err.endswith(" saved. Run the same command to continue.\n")
    assert 0 < len(any_desk.rows("tasks")) <= len(any_desk.expected("tasks"))
    asked = {request.path for request in asana.ledger.requests if "/stories" in request.path}
    asana.controls.heal()
    asana.ledger.reset()
    second = any_desk.sync("--streams", streams)
    assert second.exit_status == 0
    for stream in streams.split(","):
        assert any_desk.rows(stream) == any_desk.expected(stream), stream
    again = [request.path for request in asana.ledger.requests if "/stories" in request.path]
    assert len(again) < len(truth(asana, "tasks")) + len(truth(asana, "subtasks"))
    assert len(asked & {*again}) < len(asked) / 2


def test_fresh_reads_everything_again_and_removes_deleted_rows(desk: Desk) -> None:
    assert desk.sync("--streams", "tasks,events").exit_status == 0
    desk.asana.account.clock.advance(3600)
    gone = desk.rows("tasks")[0]["gid"]
    desk.asana.change(lambda account: account.delete(gone))
    desk.asana.change(
        lambda account: account.modify_task(desk.rows("tasks")[1]["gid"], name="Called otherwise")
    )
    assert desk.sync("--streams", "tasks,events").exit_status == 0
    events = desk.rows("events")
    assert events
    assert desk.rows("tasks", f'"{DELETED_AT}" IS NOT NULL')
    assert desk.sync("--streams", "tasks,events", "--fresh").exit_status == 0
    assert desk.rows("tasks") == desk.expected("tasks")
    assert desk.rows("events") == events


def test_the_error_names_a_file_that_is_open_elsewhere_before_any_request(desk: Desk) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            HOLDER,
            str(desk.file),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"open\n"
        ended = desk.sync()
        assert holder.stdin
        holder.stdin.close()
    assert ended.exit_status == 1
    assert ended.err == (
        f"The sync failed: {desk.file} is open in another program. "
        "Close it, or use FILE=other.duckdb.\n"
    )
    assert not desk.asana.ledger.count()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_any_signal_leaves_only_the_database_behind(
    desk: Desk, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout, temporary = desk.folder / "checkout", desk.folder / "tmp"
    checkout.mkdir()
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    desk.config.write_text(json.dumps(config_for(desk.asana, num_workers=1)))
    options = ("--config", desk.config, "--streams", "tasks,stories")
    started = program(*options, url=desk.asana.url, cwd=checkout)
    desk.asana.controls.interrupt("/tasks/*/stories", lambda: started.send_signal(number), after=20)
    _out, err = started.communicate(timeout=120)
    is_killed = number is signal.SIGKILL
    assert started.returncode == (-number if is_killed else 128 + number)
    assert is_killed or "Run the same command to continue." in err
    assert "Traceback" not in err
    left = {path.name for path in checkout.iterdir()}
    assert left <= {"asana.duckdb", "asana.duckdb.wal"}
    assert not list(temporary.iterdir())


def test_a_rate_limit_says_when_the_sync_continues(desk: Desk) -> None:
    desk.asana.controls.fail("/tasks", 429, retry_after=3)
    ended = desk.sync("--streams", "tasks")
    assert ended.exit_status == 0
    assert ended.err.count("Asana rate limit reached; continues at ") == 1


def test_a_refused_token_is_reported_once_and_never_printed(desk: Desk) -> None:
    token = "2/1/not-a-token-of-anybody"
    credentials = {"option_title": "PAT Credentials", "personal_access_token": token}
    ended = desk.sync("--streams", "users", config={"credentials": credentials})
    assert ended.exit_status == 1
    assert "The sync failed: Asana refused the token" in ended.err
    assert token not in ended.out + ended.err


def test_an_unusable_config_is_reported_in_one_sentence(desk: Desk) -> None:
    ended = desk.sync(config={"credentials": {"option_title": "PAT Credentials"}})
    assert ended.exit_status == 1
    assert ended.err.startswith("The sync failed: credentials.personal_access_token")
    assert ended.err.count("\n") == 1


def test_a_refresh_token_that_asana_replaces_is_saved(desk: Desk) -> None:
    config = config_for(desk.asana)
    config["credentials"] = {
        "option_title": "OAuth Credentials",
        "client_id": desk.asana.tokens.client_id,
        "client_secret": desk.asana.tokens.client_secret,
        "refresh_token": desk.asana.tokens.refresh_token,
    }
    desk.asana.tokens.rotate_refresh_token = True
    assert desk.sync("--streams", "users", config=config).exit_status == 0
    kept = json.loads(desk.config.read_text())["credentials"]["refresh_token"]
    assert kept == desk.asana.tokens.refresh_token != config["credentials"]["refresh_token"]


def test_a_value_of_another_type_costs_only_its_field(any_desk: Desk) -> None:
    task = truth(any_desk.asana, "tasks")[0]["gid"]
    any_desk.asana.change(lambda account: account.modify_task(task, due_on="2026-13-41"))
    ended = any_desk.sync("--streams", "tasks")
    assert ended.exit_status == 0
    assert "tasks.due_on: 1 value left empty" in ended.err
    (row,) = any_desk.rows("tasks", f"gid = '{task}'")
    assert row["due_on"] is None
    assert row["name"]


def test_a_column_that_is_missing_is_added(any_desk: Desk) -> None:
    assert any_desk.sync("--streams", "users").exit_status == 0
    any_desk.execute('ALTER TABLE "users" DROP COLUMN "email"')
    assert any_desk.sync("--streams", "users").exit_status == 0
    assert any_desk.rows("users") == any_desk.expected("users")


def test_a_column_of_another_type_is_kept(any_desk: Desk) -> None:
    assert any_desk.sync("--streams", "projects").exit_status == 0
    any_desk.execute('ALTER TABLE "projects" ALTER COLUMN "due_on" TYPE VARCHAR(20)')
    assert any_desk.sync("--streams", "projects", "--fresh").exit_status == 0
    wanted = [project["due_on"] for project in truth(any_desk.asana, "projects")]
    assert [row["due_on"] for row in any_desk.rows("projects")] == wanted


def test_a_table_of_another_owner_is_not_changed(any_desk: Desk) -> None:
    any_desk.execute("CREATE TABLE users (id INTEGER)")
    ended = any_desk.sync("--streams", "users")
    assert ended.exit_status == 1
    assert "has a table users that is not from a sync" in ended.err
    assert any_desk.execute("SELECT * FROM users") == []


def test_the_sample_account_does_not_overwrite_your_own(desk: Desk) -> None:
    assert desk.sync("--streams", "users").exit_status == 0
    assert sync_sample(desk.file, ["users"]) == 1
    assert "has the data of another account" in desk.capsys.readouterr().err
    assert desk.rows("users") == desk.expected("users")


def test_the_sample_account_arrives_complete_into_a_new_file_and_an_old_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "asana_sample.duckdb"
    streams = ["users", "tasks", "organization_exports"]
    for _ in range(2):
        assert sync_sample(file, streams) == 0
        shown = capsys.readouterr().out
        assert "3 of 3 streams complete." in shown
        assert "The tables have exactly the records of the sample account." in shown
        assert f"{file} opens in any DuckDB client" in shown


def test_the_error_names_a_missing_database_without_its_password(desk: Desk) -> None:
    desk.database = "postgresql://somebody:hidden@127.0.0.1:9/nowhere"
    ended = desk.sync("--streams", "users")
    assert ended.exit_status == 1
    assert ended.err.startswith("The sync failed: Cannot connect to nowhere on 127.0.0.1:9: ")
    assert ended.err.count("\n") == 1
    assert "hidden" not in ended.err
    assert not desk.asana.ledger.count()


def test_two_syncs_cannot_write_to_one_database(desk: Desk, database: str) -> None:
    desk.database = database
    with closing(desk.open()):
        ended = desk.sync("--streams", "users")
    assert ended.exit_status == 1
    assert "Another sync is writing to" in ended.err


def test_two_syncs_at_once_spill_to_folders_of_their_own(tmp_path: Path) -> None:
    """By default DuckDB spills to the working directory, where they would mix their blocks."""
    first, second = (DuckDBFile(tmp_path / f"{name}.duckdb") for name in ("first", "second"))
    folders = [
        Path(file.execute("SELECT current_setting('temp_directory')")[0][0])
        for file in (first, second)
    ]
    first.close()
    second.close()
    assert folders[0] != folders[1]
    assert not any(folder.exists() or folder.is_relative_to(Path.cwd()) for folder in folders)


def test_files_of_attachments_go_into_the_folder_that_files_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "files"
    with AsanaEmulator(make_account("sample"), serves_files=True) as asana:
        desk = Desk(asana, tmp_path, capsys)
        ended = desk.sync("--streams", "attachments", "--files", str(folder))
        ours = [row for row in desk.rows("attachments") if row["host"] == "asana"]
        found = {path.parent.name: path for path in folder.rglob("*") if path.is_file()}
        assert found.keys() == {row["gid"] for row in ours}
        for row in ours:
            assert found[row["gid"]] == folder / "attachments" / row["gid"] / row["name"]
            content = found[row["gid"]].read_bytes()
            assert sha256(content).hexdigest() == asana.files.digest(row["gid"])
    assert f"{len(ours)} files downloaded to {folder}" in ended.out
    assert ended.exit_status == 0


def test_without_files_no_file_is_downloaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with AsanaEmulator(make_account("sample"), serves_files=True) as asana:
        ended = Desk(asana, tmp_path, capsys).sync("--streams", "attachments")
        assert asana.files.requests == []
    assert "downloaded" not in ended.out
