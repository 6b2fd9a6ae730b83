"""The console entry point: the CDK's, but for how it prints records and speaks of errors."""

import argparse
import gc
import logging
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TextIO

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.logger import PRINT_BUFFER, is_platform_debug_log_enabled
from airbyte_cdk.models import AirbyteMessage, ConnectorSpecification
from airbyte_cdk.utils import AirbyteTracedException
from airbyte_cdk.utils.airbyte_secrets_utils import get_secrets

from source_asana.config import parse_config
from source_asana.errors import Interrupted, SyncIncomplete, error_trace
from source_asana.messages import printed
from source_asana.secrecy import masked, only_secrets
from source_asana.source import SourceAsana


class Entrypoint(AirbyteEntrypoint):
    """Says what is wrong in one sentence, and never with a traceback.

    A config, catalog or state that cannot be used is a failed CONNECTION_STATUS of `check` and an
    error trace of the other commands.
    """

    source: SourceAsana
    exit_status = 0
    stopped_by = 0
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
        except AirbyteTracedException as error:
            if parsed_args.command == "check" and (status := error.as_connection_status_message()):
                yield printed(status)
                return
            self.exit_status = 128 + self.stopped_by if isinstance(error, Interrupted) else 1
            yield printed(error_trace(error.failure_type, str(error)))

    def check(
        self, source_spec: ConnectorSpecification, config: Mapping[str, Any]
    ) -> Iterable[AirbyteMessage]:
        """What the CDK does, without a secret in what the connection's test says."""
        for message in super().check(source_spec, config):
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


def write(lines: bytes, stdout: TextIO) -> None:
    """Print, after what the log has waiting: it has the same stdout."""
    with PRINT_BUFFER.lock:
        PRINT_BUFFER.flush()
        stdout.buffer.write(lines)
        stdout.buffer.flush()


def spare_the_collector() -> None:
    """Look for garbage rarely: records have no cycles, and looking costs as much as parsing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1000)


def run() -> None:
    """Run the command line; exit with 1 when something is not complete."""
    if sys.__stdout__ is None:
        print("Messages go to stdout, which is closed.", file=sys.stderr, flush=True)  # noqa: T201
        os._exit(1)  # at a regular end the CDK's log handler would look for it too
    # An unbuffered one (PYTHONUNBUFFERED) loses the rest of a line that a signal interrupts.
    stdout = open(sys.__stdout__.fileno(), "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.__stdout__ = stdout  # type: ignore[misc]
    logging.raiseExceptions = False  # what the log cannot print, the next message cannot either
    spare_the_collector()
    source = SourceAsana()
    entrypoint = Entrypoint(source)
    arguments = entrypoint.parse_args(sys.argv[1:] or ["--help"])

    def stop(signal_number: int, _frame: object) -> None:
        if entrypoint.has_answered:
            return  # PyAirbyte ends a program as soon as it has the answer: it ends by itself
        if arguments.command != "read":
            os._exit(128 + signal_number)  # there is nothing to complete
        entrypoint.stopped_by = signal_number
        source.stop()

    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, stop)
    try:
        with PRINT_BUFFER:
            for lines in entrypoint.output(arguments):
                write(lines, stdout)
    except BrokenPipeError:
        os._exit(128 + signal.SIGPIPE)  # nobody listens: neither to messages nor to complaints
    sys.exit(entrypoint.exit_status)
