"""Who listens on stdout, and who tells the program to stop."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from integration_tests.asana_emulator import AsanaEmulator, make_account
from integration_tests.reading import (
    PROGRAM_SECONDS,
    SERVICE,
    Said,
    catalog_of,
    config_for,
    run_program,
)

pytestmark = pytest.mark.once


PROGRAM = Path(sys.executable).with_name("source-asana")
A_WHILE = 0.5
PIPE_HOLDS = 1 << 16


@pytest.fixture
def small_of_its_own() -> Iterator[AsanaEmulator]:
    with AsanaEmulator(make_account("small")) as asana:
        yield asana


@contextmanager
def started(
    tmp_path: Path,
    asana: AsanaEmulator,
    command: str,
    *streams: str,
    stdout: int = subprocess.PIPE,
    **config: Any,
) -> Iterator[subprocess.Popen[bytes]]:
    """The console script while it runs, and not longer than the block."""
    words = command_line(tmp_path, asana, command, *streams, **config)
    with subprocess.Popen(
        words,
        env={**os.environ, "ASANA_BASE_URL": asana.url},
        stdout=stdout,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def command_line(
    tmp_path: Path, asana: AsanaEmulator, command: str, *streams: str, **config: Any
) -> list[str | Path]:
    files: dict[str, Any] = {"config": config_for(asana, **config)}
    if streams:
        files["catalog"] = catalog_of(streams)
    words: list[str | Path] = [PROGRAM, command]
    for name, content in files.items():
        (tmp_path / name).write_bytes(orjson.dumps(content))
        words += [f"--{name}", tmp_path / name]
    return words


def all_that_is_said(process: subprocess.Popen[bytes]) -> Said:
    stdout, stderr = process.communicate(timeout=PROGRAM_SECONDS)
    assert stderr == b""
    return Said(stdout.decode().split("\n")[:-1], process.returncode)


def until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + PROGRAM_SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def standstill(asana: AsanaEmulator) -> int:
    """How many requests there have been, once no more come."""
    counts: list[int] = [0]

    def nothing_new() -> bool:
        time.sleep(A_WHILE)
        counts.append(asana.ledger.count())
        return 0 < counts[-1] == counts[-2]

    until(nothing_new)
    return counts[-1]


def resident_bytes(process: subprocess.Popen[bytes]) -> int:
    """The memory that a process holds, 0 where the system does not say it in a file."""
    file = Path(f"/proc/{process.pid}/statm")
    pages = file.read_text(encoding="ascii").split()[1] if file.exists() else 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def gids(said: Said, stream: str) -> list[str]:
    return sorted(record["gid"] for record in said.records()[stream])


def truth(asana: AsanaEmulator, stream: str) -> list[str]:
    return sorted(record["gid"] for record in asana.expected(stream, SERVICE))


@pytest.mark.once
def test_who_reads_slowly_gets_every_record(small: AsanaEmulator, tmp_path: Path) -> None:
    with started(tmp_path, small, "read", "tasks") as process:
        assert process.stdout is not None
        parts: list[bytes] = []
        while part := process.stdout.read(PIPE_HOLDS):
            parts.append(part)
            time.sleep(0.003)
        process.wait(PROGRAM_SECONDS)
    said = Said(b"".join(parts).decode().split("\n")[:-1], process.returncode)
    assert gids(said, "tasks") == truth(small, "tasks")
    assert said.exit_status == 0


@pytest.mark.once
def test_who_stops_reading_stops_the_requests_and_loses_nothing_even_if_offsets_expire(
    small_of_its_own: AsanaEmulator, tmp_path: Path
) -> None:
    asana = small_of_its_own
    with started(tmp_path, asana, "read", "tasks") as process:
        asked = standstill(asana)
        held = resident_bytes(process)
        time.sleep(A_WHILE)
        assert asana.ledger.count() == asked < sum(asana.floor(["tasks"], SERVICE).values())
        assert resident_bytes(process) < held + (1 << 20)
        asana.controls.expire_offsets()
        said = all_that_is_said(process)
    assert asana.ledger.by_status()[400] > 0
    assert gids(said, "tasks") == truth(asana, "tasks")
    assert said.exit_status == 0


def test_a_reader_who_goes_away_ends_the_program_without_a_complaint(
    small: AsanaEmulator, tmp_path: Path
) -> None:
    small.ledger.reset()
    with started(tmp_path, small, "read", "tasks", "stories") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(PROGRAM_SECONDS) == 128 + signal.SIGPIPE
        assert process.stderr.read() == b""
    assert small.ledger.count() < sum(small.floor(["tasks", "stories"], SERVICE).values())


@pytest.mark.parametrize("command", ["check", "read"])
def test_a_reader_who_has_never_been_there_ends_the_program_without_a_complaint(
    sample: AsanaEmulator, tmp_path: Path, command: str
) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    streams = ["tags"] if command == "read" else []
    with started(tmp_path, sample, command, *streams, stdout=writes) as process:
        os.close(writes)
        assert process.stderr is not None
        assert process.wait(PROGRAM_SECONDS) == 128 + signal.SIGPIPE
        assert process.stderr.read() == b""


def test_a_stdout_that_is_closed_is_a_sentence_and_no_sync(
    sample: AsanaEmulator, tmp_path: Path
) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" "$@" >&-', *command_line(tmp_path, sample, "read", "tags")],
        env={**os.environ, "ASANA_BASE_URL": sample.url},
        stderr=subprocess.PIPE,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )
    assert done.stderr == "Messages go to stdout, which is closed.\n"
    assert done.returncode == 1
    assert sample.ledger.count() == 0


def test_names_in_every_script_are_printed_whatever_the_terminal_speaks(
    sample: AsanaEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}.items():
        monkeypatch.setenv(name, value)
    said = run_program("read", sample, config_for(sample), catalog_of(["tasks", "users"]))
    assert not said.text.isascii()
    assert gids(said, "users") == truth(sample, "users")
    assert said.exit_status == 0


def assert_stopped(said: Said, signal_number: int) -> None:
    """Everything is in order, but for the one trace that says why it is not complete."""
    assert said.exit_status == 128 + signal_number
    assert said.states("tags")
    assert said.statuses("tags")[-1] == "COMPLETE"
    for stream in ("tasks", "stories"):
        assert said.statuses(stream)[-1] == "INCOMPLETE"
        assert covered(said, stream) <= len(said.records()[stream])
    ((of_stream, error),) = said.errors().items()
    assert of_stream is None
    assert error["failure_type"] == "transient_error"
    assert "Stopped from outside" in error["message"]


def covered(said: Said, stream: str) -> int:
    """How many records the states of a stream say that they cover."""
    told = [message["state"] for message in said.of_type("STATE")]
    return sum(
        int(state["sourceStats"]["recordCount"])
        for state in told
        if state["stream"]["stream_descriptor"]["name"] == stream
    )


@pytest.mark.once
def test_a_read_that_waits_for_the_quota_can_be_stopped(
    asana: AsanaEmulator, tmp_path: Path
) -> None:
    asana.controls.fail("/tasks/{task_gid}/stories", 429, retry_after=600, after=3)
    with started(tmp_path, asana, "read", "tags", "tasks", "stories", num_workers=1) as process:
        standstill(asana)
        process.terminate()
        said = all_that_is_said(process)
    assert_stopped(said, signal.SIGTERM)
    assert "RATE_LIMITED" in said.text


@pytest.mark.once
def test_a_read_that_asana_leaves_without_an_answer_can_be_stopped(
    asana: AsanaEmulator, tmp_path: Path
) -> None:
    asana.controls.fail("/tasks/{task_gid}/stories", "hang", seconds=600, times=None)
    with started(tmp_path, asana, "read", "tags", "tasks", "stories", num_workers=1) as process:
        standstill(asana)
        process.send_signal(signal.SIGINT)
        said = all_that_is_said(process)
    assert_stopped(said, signal.SIGINT)


@pytest.mark.once
def test_a_read_to_which_nobody_listens_can_be_stopped_and_no_line_is_lost(
    small: AsanaEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")  # a signal would cut off a write
    small.ledger.reset()
    with started(tmp_path, small, "read", "tags", "tasks", "stories") as process:
        standstill(small)
        process.terminate()
        time.sleep(A_WHILE)
        assert process.poll() is None
        said = all_that_is_said(process)
    assert said.exit_status == 128 + signal.SIGTERM
    assert covered(said, "tasks") <= len(said.records()["tasks"]) < len(truth(small, "tasks"))
    assert list(said.errors()) == [None]
    assert said.statuses("stories")[-1] == "INCOMPLETE"


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_check_that_asana_leaves_without_an_answer_can_be_stopped(
    asana: AsanaEmulator, tmp_path: Path, signal_number: int
) -> None:
    fault = asana.controls.fail("/*", "hang", seconds=600, times=None)
    with started(tmp_path, asana, "check") as process:
        until(lambda: fault.happened)
        process.send_signal(signal_number)
        said = all_that_is_said(process)
    assert said.exit_status == 128 + signal_number
