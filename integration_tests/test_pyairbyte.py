"""PyAirbyte, as in a notebook: streams of an account as pandas frames."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.reading import config_for
from integration_tests.truth_of import truth

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(find_spec("airbyte") is None, reason="PyAirbyte is not installed"),
]

STREAMS = ["projects", "tasks", "users", "portfolio_items", "organization_exports"]

# PyAirbyte looks at its environment when it is imported, so a notebook is a process of its own.
NOTEBOOK = """
import json
import sys
from pathlib import Path
from typing import Any

import airbyte

config, executable, streams, folder = map(json.loads, sys.argv[1:])
source = airbyte.get_source(
    "source-asana", config=config, local_executable=executable, install_if_missing=False
)
source.check()
source.select_streams(streams)
cache = airbyte.caches.DuckDBCache(db_path=Path(folder) / "asana.duckdb")
result = source.read(cache=cache)
for stream in streams:
    result[stream].to_pandas().to_json(Path(folder) / f"{stream}.json", orient="records")
"""


Frames = Mapping[str, list[dict[str, Any]]]


def read_frames(asana: AsanaEmulator, folder: Path) -> Frames:
    """The rows of each stream, after a sync that goes on from the last one in the folder."""
    config = config_for(asana, organization_export_ids=list(asana.account.organization_exports))
    executable = str(Path(sys.executable).with_name("source-asana"))
    arguments = [json.dumps(given) for given in (config, executable, STREAMS, str(folder))]
    # PyAirbyte ends a connector that has said enough, maybe while coverage writes its file.
    around = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    offline = {"AIRBYTE_OFFLINE_MODE": "1", "NO_LIVE_PROGRESS": "1", "ASANA_BASE_URL": asana.url}
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK, *arguments],
        env=around | offline,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {stream: json.loads((folder / f"{stream}.json").read_bytes()) for stream in STREAMS}


def test_a_frame_has_every_record_of_the_account_once(
    sample: AsanaEmulator, tmp_path: Path
) -> None:
    frames = read_frames(sample, tmp_path)
    for stream in STREAMS:
        expected = [
            (record.get("portfolio_gid"), record["gid"]) for record in truth(sample, stream)
        ]
        rows = [(row.get("portfolio_gid"), row["gid"]) for row in frames[stream]]
        assert sorted(rows, key=str) == sorted(expected, key=str), stream
    names = {row["gid"]: row["name"] for row in frames["tasks"]}
    assert names == {record["gid"]: record["name"] for record in truth(sample, "tasks")}


def test_a_second_sync_brings_what_was_changed_and_what_was_deleted(
    asana: AsanaEmulator, tmp_path: Path
) -> None:
    before = read_frames(asana, tmp_path)["tasks"]
    plain = [t for t in truth(asana, "tasks") if not t["num_subtasks"] and not t["parent"]]
    changed, deleted = plain[0]["gid"], plain[1]["gid"]
    asana.account.clock.advance(3600)
    asana.change(lambda account: account.modify_task(changed, name="Polish the lens twice"))
    asana.change(lambda account: account.delete(deleted))
    asana.ledger.reset()
    rows = {row["gid"]: row for row in read_frames(asana, tmp_path)["tasks"]}
    assert asana.ledger.by_path()["/events"] == len(truth(asana, "projects"))
    assert len(rows) == len(before)
    assert rows[changed]["name"] == "Polish the lens twice"
    assert [gid for gid, row in rows.items() if row["_ab_cdc_deleted_at"]] == [deleted]
