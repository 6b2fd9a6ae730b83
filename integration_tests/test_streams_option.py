"""`read --streams … --incremental --state-file …`: a sync from a shell, without a catalog."""

import json
import logging
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.models import SyncMode

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.reading import (
    PROGRAM_SECONDS,
    Json,
    Said,
    catalog_of,
    config_for,
    gids,
    run_program,
    truth,
)
from integration_tests.test_incremental import incremental
from source_asana import SourceAsana
from source_asana.airbyte import catalog as catalogs
from source_asana.streams.declared import STREAMS

OTHER_STATE = {
    "type": "STREAM",
    "stream": {"stream_descriptor": {"name": "stories"}, "stream_state": {"modified_since": {}}},
}


def read(asana: AsanaEmulator, *options: str, **config: Any) -> Said:
    return run_program("read", asana, config_for(asana, **config), None, *options)


def error_of(said: Said) -> str:
    (error,) = said.errors().values()
    assert error["failure_type"] == "config_error"
    assert said.exit_status == 1
    message: str = error["message"]
    return message


def saved(file: Path) -> dict[str, Json]:
    """The state of each stream in a file."""
    states = [state["stream"] for state in json.loads(file.read_text())]
    return {state["stream_descriptor"]["name"]: state["stream_state"] for state in states}


def test_the_named_streams_are_read_in_full(sample: AsanaEmulator) -> None:
    said = read(sample, "--streams", " tasks,users ,tasks,")
    assert said.exit_status == 0
    assert set(said.records()) == {"tasks", "users"}
    for stream in ("tasks", "users"):
        assert gids(said, stream) == truth(sample, stream)
        assert said.states(stream)[-1] == {"__ab_full_refresh_sync_complete": True}


def test_every_stream_that_can_be_incremental_is(sample: AsanaEmulator) -> None:
    said = read(sample, "--streams", "tasks,users", "--incremental")
    assert "modified_since" in said.states("tasks")[-1]
    assert said.states("users")[-1] == {"__ab_full_refresh_sync_complete": True}


def test_the_catalog_of_stream_names_matches_discover() -> None:
    catalog = catalogs.catalog_of(",".join(STREAMS), incremental=True)
    discovered = SourceAsana().discover(logging.getLogger("airbyte"), {})
    assert [configured.stream for configured in catalog.streams] == discovered.streams
    for configured in catalog.streams:
        stream = STREAMS[configured.stream.name]
        is_incremental = configured.sync_mode is SyncMode.incremental
        assert is_incremental == bool(stream.cursor_field)
        assert configured.primary_key == [[column] for column in stream.key]


@pytest.mark.parametrize(
    ("streams", "sentence"),
    [
        ("tsks", "Unknown stream tsks. Did you mean tasks?"),
        ("Users", "Unknown stream Users. Did you mean users?"),
        ("tags,wishes", "Unknown stream wishes. Run discover to see all streams."),
        (" , ", "--streams names no stream. Separate stream names by commas."),
    ],
)
def test_an_unknown_stream_is_reported_before_anything_is_read_or_written(
    sample: AsanaEmulator, tmp_path: Path, streams: str, sentence: str
) -> None:
    file = tmp_path / "state.json"
    said = read(sample, "--streams", streams, "--state-file", str(file))
    assert error_of(said) == sentence
    assert sample.ledger.count() == 0
    assert not file.exists()


def test_the_second_sync_resumes_from_the_state_file(asana: AsanaEmulator, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    options = ("--streams", "tasks,projects", "--incremental", "--state-file", str(file))
    first = read(asana, *options)
    assert gids(first, "tasks") == truth(asana, "tasks")
    assert saved(file) == {name: first.states(name)[-1] for name in ("tasks", "projects")}
    asana.account.clock.advance(3600)
    (task, *_) = truth(asana, "tasks")
    asana.change(lambda account: account.modify_task(task, name="Renamed"))
    second = read(asana, *options)
    assert gids(second, "tasks") == [task]
    assert saved(file)["tasks"] == second.states("tasks")[-1]


def test_the_protocols_state_option_reads_the_file_and_does_not_write_it(
    sample: AsanaEmulator, tmp_path: Path
) -> None:
    file = tmp_path / "state.json"
    read(sample, "--streams", "tasks", "--incremental", "--state-file", str(file))
    before = file.read_bytes()
    said = read(sample, "--streams", "tasks", "--incremental", "--state", str(file))
    assert said.exit_status == 0
    assert not said.records()
    assert file.read_bytes() == before


def test_a_state_file_works_with_a_catalog_too(sample: AsanaEmulator, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    config, catalog = config_for(sample), incremental(["tasks"])
    said = run_program("read", sample, config, catalog, "--state-file", str(file))
    assert saved(file) == {"tasks": said.states("tasks")[-1]}


def test_states_of_other_streams_stay_in_the_file(sample: AsanaEmulator, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text(json.dumps([OTHER_STATE]))
    read(sample, "--streams", "tasks", "--incremental", "--state-file", str(file))
    assert set(saved(file)) == {"stories", "tasks"}


def test_a_complete_full_refresh_leaves_no_state_so_that_the_next_one_reads_all(
    sample: AsanaEmulator, tmp_path: Path
) -> None:
    file = tmp_path / "state.json"
    for _ in range(2):
        said = read(sample, "--streams", "tasks", "--state-file", str(file))
        assert gids(said, "tasks") == truth(sample, "tasks")
        assert saved(file) == {}


def test_only_the_owner_may_read_the_file_and_nothing_else_is_left(
    sample: AsanaEmulator, tmp_path: Path
) -> None:
    file = tmp_path / "state.json"
    file.write_text("[]")
    file.chmod(0o644)
    (tmp_path / ".state.json.new").write_text("left by a process that was killed")
    read(sample, "--streams", "tags", "--state-file", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_symbolic_link_to_a_state_file_stays_a_link(
    sample: AsanaEmulator, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    link, file = tmp_path / "state.json", tmp_path / "there" / "of_asana.json"
    link.symlink_to(file)
    read(sample, "--streams", "tasks", "--incremental", "--state-file", str(link))
    assert link.is_symlink()
    assert set(saved(file)) == {"tasks"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not valid JSON"),
        ('[{"type": 1}]', "does not follow Airbyte's protocol"),
        ("", "is empty"),
    ],
)
def test_a_file_without_a_state_is_refused_and_not_changed(
    sample: AsanaEmulator, tmp_path: Path, content: str, sentence: str
) -> None:
    file = tmp_path / "state.json"
    file.write_text(content)
    assert sentence in error_of(read(sample, "--streams", "tags", "--state-file", str(file)))
    assert file.read_text() == content
    assert sample.ledger.count() == 0


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/dev/null", "The state file /dev/null is not a regular file."),
        ("/nowhere/state.json", "Cannot write the state to /nowhere/state.json: No such file"),
    ],
)
def test_a_state_that_cannot_be_saved_is_reported_before_anything_is_read(
    sample: AsanaEmulator, path: str, sentence: str
) -> None:
    assert error_of(read(sample, "--streams", "tags", "--state-file", path)).startswith(sentence)
    assert sample.ledger.count() == 0
    assert Path("/dev/null").is_char_device()


@contextmanager
def started(asana: AsanaEmulator, folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    config = folder / "config.json"
    config.write_text(json.dumps(config_for(asana, num_workers=1)))
    program = Path(sys.executable).with_name("source-asana")
    with subprocess.Popen(
        [program, "read", "--config", config, *options],
        env={**os.environ, "ASANA_BASE_URL": asana.url},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_sync_leaves_a_state_file_that_covers_only_printed_records(
    asana: AsanaEmulator, tmp_path: Path, number: signal.Signals
) -> None:
    file = tmp_path / "state.json"
    options = ("--streams", "tasks,stories", "--incremental", "--state-file", str(file))
    asana.controls.latency = 0.15
    with started(asana, tmp_path, *options) as process:
        asana.controls.interrupt("/tasks/*/stories", lambda: process.send_signal(number), after=20)
        assert process.stdout
        lines = process.stdout.read().splitlines()
        assert process.wait(PROGRAM_SECONDS) == -number
    first = Said([line for line in lines if line.endswith("}")], 0)
    known = saved(file)
    assert set(known) <= {"tasks", "stories"}
    for stream, state in known.items():
        assert state in [*first.states(stream), {}]
    assert known["stories"]["modified_since"]
    asana.controls.latency = 0
    second = read(asana, *options)
    assert second.exit_status == 0
    for stream in ("tasks", "stories"):
        came = {*gids(first, stream), *gids(second, stream)}
        assert came == set(truth(asana, stream))
    assert len(second.records()["stories"]) < len(truth(asana, "stories"))


@pytest.mark.parametrize(
    "options",
    [
        ("--catalog", "c.json", "--streams", "tags"),
        ("--catalog", "c.json", "--incremental"),
        ("--streams", "tags", "--state", "s.json", "--state-file", "s.json"),
        ("--streams", "tags", "--manifest-path", "m.yaml"),
        (),
    ],
)
def test_conflicting_options_are_a_usage_error(options: tuple[str, ...]) -> None:
    program = Path(sys.executable).with_name("source-asana")
    done = subprocess.run(
        [program, "read", "--config", "config.json", *options],
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "usage: source-asana" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_protocols_own_options_still_work(sample: AsanaEmulator, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text(json.dumps([OTHER_STATE]))
    config, catalog = config_for(sample), catalog_of(["tags"])
    said = run_program("read", sample, config, catalog, "--state", str(state), "--debug")
    assert gids(said, "tags") == truth(sample, "tags")
