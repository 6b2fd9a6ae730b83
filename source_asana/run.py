"""The console entry point: the CDK's, but for how it prints records and speaks of errors."""

import argparse
import logging
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.logger import PRINT_BUFFER
from airbyte_cdk.models import AirbyteMessage, ConnectorSpecification
from airbyte_cdk.utils import AirbyteTracedException

from source_asana.config import parse_config
from source_asana.errors import Interrupted, SyncIncomplete, error_trace
from source_asana.source import SourceAsana


class Entrypoint(AirbyteEntrypoint):
    """Says what is wrong in one sentence, and never with a traceback.

    A config, catalog or state that cannot be used is a failed CONNECTION_STATUS of `check` and an
    error trace of the other commands.
    """

    source: SourceAsana
    exit_status = 0
    stopped_by = 0

    def run(self, parsed_args: argparse.Namespace) -> Iterable[str]:
        """The messages of one command, one a line."""
        try:
            if parsed_args.command == "read":
                yield from self._read_lines(parsed_args)
            else:
                yield from super().run(parsed_args)
        except SyncIncomplete:
            self.exit_status = 1  # each of its streams has had a trace
        except AirbyteTracedException as error:
            if parsed_args.command == "check" and (status := error.as_connection_status_message()):
                yield self.airbyte_message_to_string(status)
                return
            self.exit_status = 128 + self.stopped_by if isinstance(error, Interrupted) else 1
            yield self.airbyte_message_to_string(error_trace(error.failure_type, str(error)))

    @staticmethod
    def validate_connection(source_spec: ConnectorSpecification, config: Mapping[str, Any]) -> None:  # noqa: ARG004
        """Check the config by the connector's own rules, whose sentences say what to do."""
        parse_config(config)

    def _read_lines(self, arguments: argparse.Namespace) -> Iterator[str]:
        if arguments.debug:
            self.logger.setLevel(logging.DEBUG)
        config = self.source.configure(self.source.read_config(arguments.config), "")
        for message in self.source.message_repository.consume_queue():
            yield line(message)
        catalog = self.source.read_catalog(arguments.catalog)
        state = self.source.read_state(arguments.state)
        for message in self.read(self.source.spec(self.logger), config, catalog, state):
            yield line(message)


def line(message: AirbyteMessage) -> str:
    """A message as it is printed.

    A record goes out as it came in: the CDK's serializer would leave out what is null.
    """
    record = message.record
    if record is None:
        return AirbyteEntrypoint.airbyte_message_to_string(message)
    return orjson.dumps(
        {
            "type": "RECORD",
            "record": {
                "stream": record.stream,
                "data": record.data,
                "emitted_at": record.emitted_at,
            },
        }
    ).decode()


def run() -> None:
    """Run the command line; exit with 1 when something is not complete."""
    source = SourceAsana()
    entrypoint = Entrypoint(source)

    def stop(signal_number: int, _frame: object) -> None:
        entrypoint.stopped_by = signal_number
        source.stop()

    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, stop)
    arguments = entrypoint.parse_args(sys.argv[1:] or ["--help"])
    with PRINT_BUFFER:
        for message in entrypoint.run(arguments):
            print(f"{message}\n", end="")  # noqa: T201 - Airbyte's protocol is spoken on stdout
    sys.exit(entrypoint.exit_status)
