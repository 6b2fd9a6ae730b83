"""The console entry point: the CDK's, but for how it speaks of errors."""

import argparse
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.logger import PRINT_BUFFER
from airbyte_cdk.models import ConnectorSpecification
from airbyte_cdk.utils import AirbyteTracedException

from source_asana.config import parse_config
from source_asana.errors import SyncIncomplete, error_trace
from source_asana.source import SourceAsana


class Entrypoint(AirbyteEntrypoint):
    """Says what is wrong in one sentence, and never with a traceback.

    A config, catalog or state that cannot be used is a failed CONNECTION_STATUS of `check` and an
    error trace of the other commands.
    """

    failed = False

    def run(self, parsed_args: argparse.Namespace) -> Iterable[str]:
        """The messages of one command, one a line."""
        try:
            yield from super().run(parsed_args)
        except SyncIncomplete:
            self.failed = True  # each of its streams has had a trace
        except AirbyteTracedException as error:
            if parsed_args.command == "check" and (status := error.as_connection_status_message()):
                yield self.airbyte_message_to_string(status)
                return
            self.failed = True
            yield self.airbyte_message_to_string(error_trace(error.failure_type, str(error)))

    @staticmethod
    def validate_connection(source_spec: ConnectorSpecification, config: Mapping[str, Any]) -> None:  # noqa: ARG004
        """Check the config by the connector's own rules, whose sentences say what to do."""
        parse_config(config)


def run() -> None:
    """Run the command line; exit with 1 when something is not complete."""
    entrypoint = Entrypoint(SourceAsana())
    arguments = entrypoint.parse_args(sys.argv[1:])
    with PRINT_BUFFER:
        for message in entrypoint.run(arguments):
            print(message)  # noqa: T201 - Airbyte's protocol is spoken on stdout
    if entrypoint.failed:
        sys.exit(1)
