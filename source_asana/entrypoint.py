"""The console program: the CDK's entrypoint with other ways to print, end and report errors."""

import argparse
import ctypes
import gc
import logging
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.logger import PRINT_BUFFER, is_platform_debug_log_enabled
from airbyte_cdk.models import (
    AirbyteConnectionStatus,
    AirbyteMessage,
    ConnectorSpecification,
    FailureType,
    Status,
    Type,
)
from airbyte_cdk.utils import AirbyteTracedException
from airbyte_cdk.utils.airbyte_secrets_utils import get_secrets

from source_asana.airbyte.catalog import catalog_of
from source_asana.airbyte.errors import (
    Interrupted,
    SyncIncomplete,
    UnusableFile,
    error_trace,
    unexpected,
)
from source_asana.airbyte.messages import printed
from source_asana.airbyte.secrecy import mask_log, masked, only_secrets
from source_asana.command_line import SIGNALS, parsed
from source_asana.config import parse_config
from source_asana.inputs import StateFile
from source_asana.probing import probe
from source_asana.source import SourceAsana

M_ARENA_MAX = -8
"""The number of the option in glibc's `malloc.h`."""


class Entrypoint(AirbyteEntrypoint):
    """Runs a command; reports an error in one sentence, never with a traceback.

    For an unusable config, catalog or state, `check` prints a failed CONNECTION_STATUS, and the
    other commands print an error trace.
    """

    source: SourceAsana
    exit_status = 0
    is_interrupted = False
    has_answered = False

    @staticmethod
    def parse_args(args: Sequence[str]) -> argparse.Namespace:
        """Parse a command line; exit like `argparse`."""
        return parsed(args)

    def run(self, parsed_args: argparse.Namespace) -> Iterable[str]:
        """Yield the messages of one command, one line each."""
        for lines in self.output(parsed_args):
            yield from lines.decode().removesuffix("\n").split("\n")

    def output(self, parsed_args: argparse.Namespace) -> Iterator[bytes]:
        """Yield the lines of one command, one or several at a time."""
        try:
            if parsed_args.command == "read":
                yield from self._read(parsed_args)
            else:
                for message in super().run(parsed_args):
                    self.has_answered = not message.startswith('{"type":"CONTROL"')
                    yield message.encode() + b"\n"
        except SyncIncomplete:
            self.exit_status = 1  # each incomplete stream has had a trace
        except Interrupted as error:
            self.exit_status, self.is_interrupted = 1, True
            if parsed_args.command == "read":
                yield printed(error_trace(error.failure_type, str(error)))
        except AirbyteTracedException as error:
            is_config = error.failure_type is FailureType.config_error
            is_answer = parsed_args.command == "check" and is_config
            self.exit_status = 0 if is_answer and not isinstance(error, UnusableFile) else 1
            yield self._end(parsed_args.command, error.failure_type, str(error))
        except Exception as error:  # noqa: BLE001 - users need a sentence, not a stack trace
            self.exit_status = 1
            yield self._end(parsed_args.command, FailureType.system_error, unexpected(error))

    def _end(self, command: str, kind: FailureType, words: str) -> bytes:
        """Make the last message of a command that failed: `check` has an answer even then."""
        if command != "check":
            return printed(error_trace(kind, words))
        self.has_answered = True
        status = AirbyteConnectionStatus(status=Status.FAILED, message=words)
        return printed(AirbyteMessage(type=Type.CONNECTION_STATUS, connectionStatus=status))

    def check(
        self, source_spec: ConnectorSpecification, config: Mapping[str, Any]
    ) -> Iterable[AirbyteMessage]:
        """Check like the CDK, without a secret in the message."""
        for message in super().check(source_spec, config):
            if message.trace:
                continue  # the exception that follows says the same
            if status := message.connectionStatus:
                status.message = masked(status.message or "") or None
            yield message

    @staticmethod
    def set_up_secret_filter(
        config: Mapping[str, Any], connection_specification: Mapping[str, Any]
    ) -> None:
        """Mask the config's secrets in all output, in every encoding."""
        only_secrets(get_secrets(connection_specification, config))

    @staticmethod
    def validate_connection(source_spec: ConnectorSpecification, config: Mapping[str, Any]) -> None:  # noqa: ARG004
        """Check the config by the connector's own rules, whose errors say what to do."""
        parse_config(config)

    def _read(self, arguments: argparse.Namespace) -> Iterator[bytes]:
        if arguments.debug or is_platform_debug_log_enabled():
            self.logger.setLevel(logging.DEBUG)
        streams = arguments.streams
        catalog = catalog_of(streams, incremental=arguments.incremental) if streams else None
        config = self.source.configure(self.source.read_config(arguments.config), "")
        for message in self.source.message_repository.consume_queue():
            yield printed(message)
        catalog = catalog or self.source.read_catalog(arguments.catalog)
        specification = self.source.spec(self.logger)
        self.set_up_secret_filter(config, specification.connectionSpecification)
        self.validate_connection(specification, config)
        file = StateFile(arguments.state_file) if arguments.state_file else None
        state = file.saved() if file else self.source.read_state(arguments.state)
        messages = self.source.read_batches(self.logger, config, catalog, state)
        for found in file.kept(messages) if file else messages:
            yield printed(found)


class Stdout:
    """Writes whole lines at once, from any thread; only the log writes to stdout too.

    The process ends if writing fails: nothing could read the rest.
    """

    def __init__(self, descriptor: int) -> None:
        # An unbuffered file (PYTHONUNBUFFERED) loses the rest of a line if a signal interrupts it.
        self.file = open(descriptor, "w", encoding="utf-8", closefd=False)  # noqa: SIM115

    def write(self, lines: bytes) -> None:
        """Write and flush, after the waiting lines of the log, which uses the same stdout."""
        try:
            with PRINT_BUFFER.lock:
                PRINT_BUFFER.flush()
                self.file.buffer.write(lines)
                self.file.buffer.flush()
        except BrokenPipeError:
            end_by(signal.SIGPIPE)  # the reader has gone; an error message would not reach it
        except OSError as error:
            end_with(f"Cannot write to stdout: {error.strerror}.")


def open_stdout() -> Stdout:
    """Make everything that prints use one stdout; end the process if that is closed."""
    if sys.__stdout__ is None:
        end_with("Cannot write to stdout: it is closed.")
    stdout = Stdout(sys.__stdout__.fileno())
    sys.stdout = sys.__stdout__ = stdout.file  # type: ignore[misc]
    return stdout


def end_with(complaint: str) -> NoReturn:
    """End the process with status 1, after a sentence on stderr if that is open."""
    with suppress(OSError):
        print(complaint, file=sys.__stderr__, flush=True)
    os._exit(1)  # a regular exit would make Python and the CDK's log handler write again


def end_by(signal_number: int) -> NoReturn:
    """End the process by a signal, as its sender expects."""
    signal.signal(signal_number, signal.SIG_DFL)
    signal.raise_signal(signal_number)
    os._exit(128 + signal_number)  # a signal to itself does not end a container's first process


def quieten_libraries() -> None:
    """Keep secrets out of all logs, and the lines of libraries that do not help users."""
    logging.raiseExceptions = False  # if the log cannot print, the next message cannot either
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # it warns with stack traces
    logging.getLogger("airbyte").addFilter(_is_not_of_the_memory_monitor)
    for handler in logging.getLogger().handlers:
        mask_log(handler)


def _is_not_of_the_memory_monitor(record: logging.LogRecord) -> bool:
    """Whether a log line is about something that runs: this connector does not use the monitor."""
    return record.module != "memory_monitor"


def spare_the_collector() -> None:
    """Collect garbage rarely: records have no cycles, and a collection costs as much as parsing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1000)


def spare_memory() -> None:
    """Let all threads share two heaps of glibc: a heap per thread would keep a large page's memory.

    https://man7.org/linux/man-pages/man3/mallopt.3.html
    """
    with suppress(AttributeError, OSError, TypeError):  # another C library has no such option
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def main() -> None:
    """Run the command line; exit with 1 if something is incomplete."""
    stdout = open_stdout()
    quieten_libraries()
    spare_the_collector()
    spare_memory()
    source = SourceAsana(write_now=lambda message: stdout.write(printed(message)))
    entrypoint = Entrypoint(source)
    try:
        arguments = entrypoint.parse_args(sys.argv[1:] or ["--help"])
    finally:
        stdout.write(b"")  # flush the help
    if arguments.command == "probe":
        sys.exit(probe(Path(arguments.config), stdout.write, is_json=arguments.json))
    stopped_by = 0

    def stop(signal_number: int, _frame: object) -> None:
        nonlocal stopped_by
        if entrypoint.has_answered:
            return  # PyAirbyte sends a signal once it has the answer; the program ends anyway
        if arguments.command not in ("check", "read"):
            end_by(signal_number)  # nothing is left to save
        stopped_by = signal_number
        source.stop()

    for signal_number in SIGNALS:
        if signal.getsignal(signal_number) is not signal.SIG_IGN:  # `nohup` ignores it
            signal.signal(signal_number, stop)
    with PRINT_BUFFER:
        for lines in entrypoint.output(arguments):
            stdout.write(lines)
    stdout.write(b"")  # flush the last lines of the log
    if entrypoint.is_interrupted:
        end_by(stopped_by)
    for signal_number in SIGNALS:  # Python, while it exits, would let them end the process
        signal.signal(signal_number, signal.SIG_IGN)
    sys.exit(entrypoint.exit_status)
