import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from integration_tests.asana_emulator import AsanaEmulator, make_account
from integration_tests.reading import PROGRAM_SECONDS
from local_sync.report import StreamSummary, example_query, summary_table

pytestmark = pytest.mark.once

pytest.importorskip("airbyte", reason="PyAirbyte is not installed")

USERS = StreamSummary(stream="users", records=1200, requests=12, seconds=0.8)
EVENTS = StreamSummary(stream="events", records=0, requests=0, seconds=0.0)
PROJECTS_ON_THE_WAY = StreamSummary(stream="projects", requests=3)

TABLE = """\
stream    records  requests  seconds
────────  ───────  ────────  ───────  ─────────────────────────────────────────────────────
users       1,200        12      0.8
tags                                  no summary: not read to its end
events          0         0      0.0  events exist between two syncs: a first sync has none
projects                  3           not selected, but on the way
────────  ───────  ────────  ───────  ─────────────────────────────────────────────────────
total       1,200        15      2.0"""


def sync(arguments: Sequence[str | Path], url: str = "") -> subprocess.CompletedProcess[str]:
    # PyAirbyte ends a connector that has said enough, maybe while coverage writes its file.
    around = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    return subprocess.run(
        [sys.executable, "-m", "local_sync", *arguments],
        env=around | {"ASANA_BASE_URL": url},
        capture_output=True,
        check=False,
        text=True,
        timeout=PROGRAM_SECONDS,
    )


@pytest.mark.parametrize(
    ("line", "summary"),
    [
        ("users: 1,200 records, 12 requests, 0.8 s", USERS),
        ("on the way: projects, 3 requests", PROJECTS_ON_THE_WAY),
        ("120 requests (900 a minute), 3,000 records", None),
    ],
)
def test_the_closing_lines_of_the_connector_are_understood(
    line: str, summary: StreamSummary | None
) -> None:
    assert StreamSummary.parse(line) == summary


def test_the_table_has_every_selected_stream_and_all_requests() -> None:
    summaries = [USERS, EVENTS, PROJECTS_ON_THE_WAY]
    assert summary_table(["users", "tags", "events"], summaries, 2.04) == TABLE


def test_without_tasks_the_example_asks_about_the_largest_stream() -> None:
    assert example_query(["events", "users"], [EVENTS, USERS]).endswith("FROM users")


def test_the_sample_account_arrives_complete(tmp_path: Path) -> None:
    file = tmp_path / "sample.duckdb"
    finished = sync(["--streams", "users,projects,tasks,organization_exports", "--file", file])
    assert finished.returncode == 0, finished.stderr
    assert "4 of 4 streams complete" in finished.stdout
    assert f"{file} (" in finished.stdout
    assert file.stat().st_size


def test_a_refused_token_is_reported_and_not_repeated(tmp_path: Path) -> None:
    token = "2/1/not-a-token-of-anybody"
    config = tmp_path / "config.json"
    credentials = {"option_title": "PAT Credentials", "personal_access_token": token}
    config.write_text(json.dumps({"credentials": credentials}))
    with AsanaEmulator(make_account("sample")) as asana:
        file = tmp_path / "own.duckdb"
        finished = sync(["--config", config, "--streams", "users", "--file", file], asana.url)
    assert finished.returncode == 1
    assert "The sync failed:" in finished.stderr
    assert token not in finished.stdout + finished.stderr
