"""The console program: the CDK's entrypoint, but for how it prints, ends and speaks of errors."""

import argparse
import ctypes
import gc
import logging
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
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

from source_asana.airbyte.errors import (
    Interrupted,
    SyncIncomplete,
    UnusableFile,
    error_trace,
    unexpected,
)
from source_asana.airbyte.messages import printed
from source_asana.airbyte.secrecy import mask_log, masked, only_secrets
from source_asana.config import parse_config
from source_asana.probing import probe
from source_asana.source import SourceAsana

M_ARENA_MAX = -8
"""The number of that option in glibc's `malloc.h`."""

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What ends a command in an orderly way: the platform, Ctrl-C, a terminal that is closed."""


class Entrypoint(AirbyteEntrypoint):
    """Says what is wrong in one sentence, and never with a traceback.

    A config, catalog or state that cannot be used is a failed CONNECTION_STATUS of `check` and an
    error trace of the other commands.
    """

    source: SourceAsana
    exit_status = 0
    is_interrupted = False
    has_answered = False

    def run(self, parsed_args: argparse.Namespace) -> Iterable[str]:
        """The messages of one command, one a line."""
        for lines in self.output(parsed_args):
            yield from lines.decode().removesuffix("\n").split("\n")

    def output(self, parsed_args: argparse.Namespace) -> Iterator[bytes]:
        """The lines of one command, several at once where they come so."""
        try:
            if parsed_args.command == "read":
                yield from self._read(parsed_args)
            else:
                for message in super().run(parsed_args):
                    self.has_answered = not message.startswith('{"type":"CONTROL"')
                    yield message.encode() + b"\n"
        except SyncIncomplete:
            self.exit_status = 1  # each of its streams has had a trace
        except Interrupted as error:
            self.exit_status, self.is_interrupted = 1, True
            if parsed_args.command == "read":
                yield printed(error_trace(error.failure_type, str(error)))
        except AirbyteTracedException as error:
            is_config = error.failure_type is FailureType.config_error
            is_answer = parsed_args.command == "check" and is_config
            self.exit_status = 0 if is_answer and not isinstance(error, UnusableFile) else 1
            yield self._end(parsed_args.command, error.failure_type, str(error))
        except Exception as error:  # noqa: BLE001 - nobody needs a stack trace, whatever happens
            self.exit_status = 1
            yield self._end(parsed_args.command, FailureType.system_error, unexpected(error))

    def _end(self, command: str, kind: FailureType, words: str) -> bytes:
        """How a command ends that cannot be carried out: `check` has an answer even then."""
        if command != "check":
            return printed(error_trace(kind, words))
        self.has_answered = True
        status = AirbyteConnectionStatus(status=Status.FAILED, message=words)
        return printed(AirbyteMessage(type=Type.CONNECTION_STATUS, connectionStatus=status))

    def check(
        self, source_spec: ConnectorSpecification, config: Mapping[str, Any]
    ) -> Iterable[AirbyteMessage]:
        """What the CDK does, without a secret in what the connection's test says."""
        for message in super().check(source_spec, config):
            if message.trace:
                continue  # the exception follows, and says it
            if status := message.connectionStatus:
                status.message = masked(status.message or "") or None
            yield message

    @staticmethod
    def set_up_secret_filter(
        config: Mapping[str, Any], connection_specification: Mapping[str, Any]
    ) -> None:
        """Keep the config's secrets out of all that is printed, however they are spelt."""
        only_secrets(get_secrets(connection_specification, config))

    @staticmethod
    def validate_connection(source_spec: ConnectorSpecification, config: Mapping[str, Any]) -> None:  # noqa: ARG004
        """Check the config by the connector's own rules, whose sentences say what to do."""
        parse_config(config)

    def _read(self, arguments: argparse.Namespace) -> Iterator[bytes]:
        if arguments.debug or is_platform_debug_log_enabled():
            self.logger.setLevel(logging.DEBUG)
        config = self.source.configure(self.source.read_config(arguments.config), "")
        for message in self.source.message_repository.consume_queue():
            yield printed(message)
        catalog = self.source.read_catalog(arguments.catalog)
        state = self.source.read_state(arguments.state)
        specification = self.source.spec(self.logger)
        self.set_up_secret_filter(config, specification.connectionSpecification)
        self.validate_connection(specification, config)
        for found in self.source.read_batches(self.logger, config, catalog, state):
            yield printed(found)


class Stdout:
    """Whole lines, written at once from whatever thread. Nobody else writes there but the log.

    The process ends when writing fails: nobody can read the rest.
    """

    def __init__(self, descriptor: int) -> None:
        # An unbuffered one (PYTHONUNBUFFERED) loses the rest of a line that a signal interrupts.
        self.file = open(descriptor, "w", encoding="utf-8", closefd=False)  # noqa: SIM115

    def write(self, lines: bytes) -> None:
        """Write and flush, after what the log has waiting: it has the same stdout."""
        try:
            with PRINT_BUFFER.lock:
                PRINT_BUFFER.flush()
                self.file.buffer.write(lines)
                self.file.buffer.flush()
        except BrokenPipeError:
            end_by(signal.SIGPIPE)  # nobody listens: neither to messages nor to complaints
        except OSError as error:
            end_with(f"Messages cannot be written to stdout: {error.strerror}.")


def end_with(complaint: str) -> NoReturn:
    """End the process with status 1, after a sentence on stderr if there is one."""
    with suppress(OSError):
        print(complaint, file=sys.__stderr__, flush=True)
    os._exit(1)  # at a regular end Python and the CDK's log handler would try to write again


def end_by(signal_number: int) -> NoReturn:
    """End the process by a signal, as whoever has sent it expects."""
    signal.signal(signal_number, signal.SIG_DFL)
    signal.raise_signal(signal_number)
    os._exit(128 + signal_number)  # the first process of a container is not ended by its own


def quieten_libraries() -> None:
    """Log nothing that the connector says itself, and no secret, whoever logs."""
    logging.raiseExceptions = False  # what the log cannot print, the next message cannot either
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # it warns with stack traces
    for handler in logging.getLogger().handlers:
        mask_log(handler)


def spare_the_collector() -> None:
    """Look for garbage rarely: records have no cycles, and looking costs as much as parsing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1000)


def spare_memory() -> None:
    """Let all threads share two heaps of glibc: each of its own would keep what a large page took.

    https://man7.org/linux/man-pages/man3/mallopt.3.html
    """
    with suppress(AttributeError, OSError, TypeError):  # another C library has no such option
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def main() -> None:
    """Run the command line; exit with 1 when something is not complete."""
    if sys.__stdout__ is None:
        end_with("Messages go to stdout, which is closed.")
    stdout = Stdout(sys.__stdout__.fileno())
    sys.stdout = sys.__stdout__ = stdout.file  # type: ignore[misc]
    quieten_libraries()
    spare_the_collector()
    spare_memory()
    if sys.argv[1:2] == ["probe"]:
        sys.exit(probe(sys.argv[2:], stdout.write))
    source = SourceAsana(write_now=lambda message: stdout.write(printed(message)))
    entrypoint = Entrypoint(source)
    try:
        arguments = entrypoint.parse_args(sys.argv[1:] or ["--help"])
    finally:
        stdout.write(b"")  # the help, if that was asked for
    stopped_by = 0

    def stop(signal_number: int, _frame: object) -> None:
        nonlocal stopped_by
        if entrypoint.has_answered:
            return  # PyAirbyte ends a program as soon as it has the answer: it ends by itself
        if arguments.command not in ("check", "read"):
            end_by(signal_number)  # there is nothing to complete
        stopped_by = signal_number
        source.stop()

    for signal_number in SIGNALS:
        if signal.getsignal(signal_number) is not signal.SIG_IGN:  # as `nohup` wants it
            signal.signal(signal_number, stop)
    with PRINT_BUFFER:
        for lines in entrypoint.output(arguments):
            stdout.write(lines)
    stdout.write(b"")  # the last lines of the log
    if entrypoint.is_interrupted:
        end_by(stopped_by)
    sys.exit(entrypoint.exit_status)
