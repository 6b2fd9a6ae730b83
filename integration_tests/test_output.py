"""Problems with stdout, signals that stop the program, and resources that the machine lacks."""

import logging
import os
import signal
import subprocess
import sys
import threading
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
    failed,
    gids,
    run,
    run_program,
    truth,
)
from source_asana import SourceAsana
from source_asana.airbyte.errors import Interrupted
from source_asana.airbyte.messages import RecordBatch

pytestmark = pytest.mark.once


PROGRAM = Path(sys.executable).with_name("source-asana")
A_WHILE = 0.5
PIPE_HOLDS = 1 << 16


@pytest.fixture
def small_to_change() -> Iterator[AsanaEmulator]:
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
    """The console script, running at most as long as the block."""
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


def every_message_of(process: subprocess.Popen[bytes]) -> Said:
    stdout, stderr = process.communicate(timeout=PROGRAM_SECONDS)
    assert stderr == b""
    return Said(stdout.decode().split("\n")[:-1], process.returncode)


def until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + PROGRAM_SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def standstill(asana: AsanaEmulator) -> int:
    """The number of requests, once there are no further ones."""
    counts: list[int] = [0]

    def nothing_new() -> bool:
        time.sleep(A_WHILE)
        counts.append(asana.ledger.count())
        return 0 < counts[-1] == counts[-2]

    until(nothing_new)
    return counts[-1]


def resident_bytes(process: subprocess.Popen[bytes]) -> int:
    """The memory of a process, 0 where the system does not report it in a file."""
    file = Path(f"/proc/{process.pid}/statm")
    pages = file.read_text(encoding="ascii").split()[1] if file.exists() else 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.once
def test_a_slow_reader_gets_every_record(small: AsanaEmulator, tmp_path: Path) -> None:
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
def test_a_reader_that_pauses_stops_the_requests_and_loses_nothing_even_if_offsets_expire(
    small_to_change: AsanaEmulator, tmp_path: Path
) -> None:
    asana = small_to_change
    with started(tmp_path, asana, "read", "tasks") as process:
        asked = standstill(asana)
        held = resident_bytes(process)
        time.sleep(A_WHILE)
        assert asana.ledger.count() == asked < sum(asana.floor(["tasks"], SERVICE).values())
        assert resident_bytes(process) < held + (1 << 20)
        asana.controls.expire_offsets()
        said = every_message_of(process)
    assert asana.ledger.by_status()[400] > 0
    assert gids(said, "tasks") == truth(asana, "tasks")
    assert said.exit_status == 0


def test_a_reader_that_disconnects_ends_the_program_without_an_error(
    small: AsanaEmulator, tmp_path: Path
) -> None:
    small.ledger.reset()
    with started(tmp_path, small, "read", "tasks", "stories") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(PROGRAM_SECONDS) == -signal.SIGPIPE
        assert process.stderr.read() == b""
    assert small.ledger.count() < sum(small.floor(["tasks", "stories"], SERVICE).values())


@pytest.mark.parametrize("command", ["check", "read"])
def test_a_reader_that_never_connected_ends_the_program_without_an_error(
    sample: AsanaEmulator, tmp_path: Path, command: str
) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    streams = ["tags"] if command == "read" else []
    with started(tmp_path, sample, command, *streams, stdout=writes) as process:
        os.close(writes)
        assert process.stderr is not None
        assert process.wait(PROGRAM_SECONDS) == -signal.SIGPIPE
        assert process.stderr.read() == b""


def test_a_closed_stdout_is_one_sentence_and_no_sync(sample: AsanaEmulator, tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" "$@" >&-', *command_line(tmp_path, sample, "read", "tags")],
        env={**os.environ, "ASANA_BASE_URL": sample.url},
        stderr=subprocess.PIPE,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )
    assert done.stderr == "Cannot write to stdout: it is closed.\n"
    assert done.returncode == 1
    assert sample.ledger.count() == 0


def shell(script: str, words: list[str | Path], asana: AsanaEmulator) -> Said:
    """The output of a shell that runs a command line as "$@", and its exit status."""
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *words],
        env={**os.environ, "ASANA_BASE_URL": asana.url},
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )
    return Said((done.stdout + done.stderr).splitlines(), done.returncode)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("command", ["--help", "spec", "check", "read"])
def test_a_full_disk_is_one_sentence_and_a_failure(
    sample: AsanaEmulator, tmp_path: Path, command: str
) -> None:
    words: list[str | Path] = [PROGRAM, command]
    if command in ("check", "read"):
        streams = ["tags"] if command == "read" else []
        words = command_line(tmp_path, sample, command, *streams)
    said = shell('"$@" > /dev/full', words, sample)
    assert said.text == "Cannot write to stdout: No space left on device."
    assert said.exit_status == 1


def test_a_file_size_limit_is_one_sentence_and_a_failure(
    sample: AsanaEmulator, tmp_path: Path
) -> None:
    words = command_line(tmp_path, sample, "read", "tasks", "stories")
    said = shell(f'ulimit -f 16; "$@" > {tmp_path}/out', words, sample)
    assert said.text == "Cannot write to stdout: File too large."
    assert said.exit_status == 1


def test_an_error_that_cannot_be_printed_changes_nothing(
    sample: AsanaEmulator, tmp_path: Path
) -> None:
    words = command_line(tmp_path, sample, "read", "tags")
    for script in ('"$@" > /dev/full 2>&1', '"$@" > /dev/full 2>&-', '"$@" >&- 2>&-'):
        said = shell(script, words, sample)
        assert (said.text, said.exit_status) == ("", 1)


def test_without_stdin_and_stderr_everything_is_read(sample: AsanaEmulator, tmp_path: Path) -> None:
    said = shell('"$@" <&- 2>&-', command_line(tmp_path, sample, "read", "tags"), sample)
    assert gids(said, "tags") == truth(sample, "tags")
    assert said.exit_status == 0


def test_names_in_every_script_are_printed_whatever_the_terminal_encoding(
    sample: AsanaEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}.items():
        monkeypatch.setenv(name, value)
    said = run_program("read", sample, config_for(sample), catalog_of(["tasks", "users"]))
    assert not said.text.isascii()
    assert gids(said, "users") == truth(sample, "users")
    assert said.exit_status == 0


def assert_stopped(said: Said, signal_number: int) -> None:
    """Check that everything is in order, except for the one trace that says why it stopped."""
    assert said.exit_status == -signal_number
    assert said.states("tags")
    assert said.statuses("tags")[-1] == "COMPLETE"
    for stream in ("tasks", "stories"):
        assert said.statuses(stream)[-1] == "INCOMPLETE"
        assert covered(said, stream) <= len(said.records()[stream])
    ((of_stream, error),) = said.errors().items()
    assert of_stream is None
    assert error["failure_type"] == "transient_error"
    assert "Sync canceled" in error["message"]


def covered(said: Said, stream: str) -> int:
    """The number of records that the states of a stream cover."""
    told = [message["state"] for message in said.of_type("STATE")]
    return sum(
        int(state["sourceStats"]["recordCount"])
        for state in told
        if state["stream"]["stream_descriptor"]["name"] == stream
    )


@pytest.mark.once
def test_closing_the_terminal_stops_a_read(asana: AsanaEmulator, tmp_path: Path) -> None:
    asana.controls.fail("/tasks/{task_gid}/stories", 429, retry_after=600, after=3)
    with started(tmp_path, asana, "read", "tags", "tasks", "stories", num_workers=1) as process:
        standstill(asana)
        process.send_signal(signal.SIGHUP)
        said = every_message_of(process)
    assert_stopped(said, signal.SIGHUP)


def test_an_ignored_signal_stays_ignored(sample: AsanaEmulator, tmp_path: Path) -> None:
    words = command_line(tmp_path, sample, "read", "tags", "tasks")
    sample.controls.interrupt("/tasks", lambda: os.killpg(int(group[0]), signal.SIGHUP))
    group: list[int] = []
    with subprocess.Popen(
        ["/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh", *words],
        env={**os.environ, "ASANA_BASE_URL": sample.url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        group.append(process.pid)
        said = every_message_of(process)
    sample.controls.heal()
    assert gids(said, "tasks") == truth(sample, "tasks")
    assert said.exit_status == 0


@pytest.mark.once
def test_a_shell_sees_the_signal(asana: AsanaEmulator, tmp_path: Path) -> None:
    def stop() -> None:
        os.kill(int((tmp_path / "pid").read_text(encoding="ascii")), signal.SIGTERM)

    asana.controls.interrupt("/tasks", stop)
    script = f'"$@" & echo $! > {tmp_path}/pid; wait $!; echo $?'
    said = shell(script, command_line(tmp_path, asana, "read", "tags", "tasks"), asana)
    assert "143" in said.lines


@pytest.mark.once
def test_a_read_that_waits_for_the_quota_can_be_stopped(
    asana: AsanaEmulator, tmp_path: Path
) -> None:
    asana.controls.fail("/tasks/{task_gid}/stories", 429, retry_after=600, after=3)
    with started(tmp_path, asana, "read", "tags", "tasks", "stories", num_workers=1) as process:
        standstill(asana)
        process.terminate()
        said = every_message_of(process)
    assert_stopped(said, signal.SIGTERM)
    assert "RATE_LIMITED" in said.text


@pytest.mark.once
def test_a_read_without_an_answer_from_asana_can_be_stopped(
    asana: AsanaEmulator, tmp_path: Path
) -> None:
    asana.controls.fail("/tasks/{task_gid}/stories", "hang", seconds=600, times=None)
    with started(tmp_path, asana, "read", "tags", "tasks", "stories", num_workers=1) as process:
        standstill(asana)
        process.send_signal(signal.SIGINT)
        said = every_message_of(process)
    assert_stopped(said, signal.SIGINT)


@pytest.mark.once
def test_a_read_with_a_blocked_reader_can_be_stopped_and_loses_no_line(
    small: AsanaEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")  # a signal would cut off a write
    small.ledger.reset()
    with started(tmp_path, small, "read", "tags", "tasks", "stories") as process:
        standstill(small)
        process.terminate()
        time.sleep(A_WHILE)
        assert process.poll() is None
        said = every_message_of(process)
    assert said.exit_status == -signal.SIGTERM
    assert covered(said, "tasks") <= len(said.records()["tasks"]) < len(truth(small, "tasks"))
    assert list(said.errors()) == [None]
    assert said.statuses("stories")[-1] == "INCOMPLETE"


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_check_without_an_answer_from_asana_can_be_stopped(
    asana: AsanaEmulator, tmp_path: Path, signal_number: int
) -> None:
    fault = asana.controls.fail("/*", "hang", seconds=600, times=None)
    with started(tmp_path, asana, "check") as process:
        until(lambda: fault.happened)
        process.send_signal(signal_number)
        said = every_message_of(process)
    assert said.exit_status == -signal_number
    assert not said.of_type("CONNECTION_STATUS")
    assert "Sync canceled" not in said.text


@pytest.mark.parametrize("module", ["airbyte_cdk", "pendulum", "source_asana.airbyte.reporter"])
def test_ctrl_c_during_startup_ends_the_program_without_a_traceback(
    tmp_path: Path, module: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
    )
    done = subprocess.run(
        [PROGRAM, "spec"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("", "")
    assert done.returncode == -signal.SIGINT


@pytest.fixture
def without_threads() -> Iterator[None]:
    """Let the machine start no thread: none has room for such a large stack."""
    before = threading.stack_size(1 << 46)
    yield
    threading.stack_size(before)


@pytest.mark.usefixtures("without_threads")
def test_a_machine_without_threads_is_one_sentence(sample: AsanaEmulator) -> None:
    assert "Cannot start a thread" in failed(run("check", sample, config_for(sample)))
    said = run("read", sample, config_for(sample), catalog_of(["tags", "tasks"]))
    (error,) = said.errors().values()
    assert "Cannot start a thread" in error["message"]
    assert "stack_trace" not in error
    for stream in ("tags", "tasks"):
        assert said.statuses(stream) == ["STARTED", "INCOMPLETE"]
    assert said.exit_status == 1


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_a_machine_with_few_threads_reads_everything(sample: AsanaEmulator, tmp_path: Path) -> None:
    words = command_line(tmp_path, sample, "read", "tags", "tasks", num_workers=25)
    room_for_some = 'ulimit -s 1000000; ulimit -v 6000000; "$@"'  # kilobytes: a stack, all memory
    said = shell(room_for_some, words, sample)
    assert gids(said, "tasks") == truth(sample, "tasks")
    assert said.exit_status == 0


def test_the_workers_of_a_failed_read_end_too(
    small_to_change: AsanaEmulator, tmp_path: Path
) -> None:
    before = set(threading.enumerate())
    source = SourceAsana(asana_url=small_to_change.url)
    (tmp_path / "catalog").write_bytes(orjson.dumps(catalog_of(["tasks", "stories"])))
    catalog = source.read_catalog(str(tmp_path / "catalog"))
    logger = logging.getLogger("airbyte")

    def stop_at_the_first_record() -> None:
        for message in source.read_batches(logger, config_for(small_to_change), catalog):
            if isinstance(message, RecordBatch):
                source.stop()

    with pytest.raises(Interrupted) as kept:  # its frames hold the iterated objects
        stop_at_the_first_record()
    until(lambda: set(threading.enumerate()) <= before)
    assert kept.value is not None
