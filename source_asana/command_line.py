"""The commands and options of the console program."""

import argparse
import signal
from collections.abc import Sequence
from importlib.metadata import version

DESCRIPTION = "Airbyte source connector for Asana. Prints Airbyte messages, one JSON object a line."
COMMANDS = {
    "spec": "print the settings the connector takes",
    "check": "test the credentials and the config",
    "discover": "print the streams and their columns",
    "read": "sync streams",
    "probe": "check the connector's assumptions about Asana on your account",
}
PROBE_EPILOG = "It only reads, with at most 80 requests. You can publish its report."

DISTRIBUTION = "airbyte-source-asana"

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Signals that end a command in an orderly way: the platform, Ctrl-C, a closed terminal."""


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse a command line; exit like `argparse` on a usage error, `--help` and `--version`."""
    parser = argparse.ArgumentParser(prog="source-asana", description=DESCRIPTION)
    released = version(DISTRIBUTION)
    parser.add_argument("--version", action="version", version=f"%(prog)s {released}")
    commands = parser.add_subparsers(title="commands", dest="command", required=True)
    for name, help_text in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=help_text,
            description=_sentence(help_text),
            epilog=PROBE_EPILOG if name == "probe" else None,
        )
        if name != "probe":
            command.add_argument("--debug", action="store_true", help="log more")
        if name != "spec":
            command.add_argument("--config", required=True, help="your config, a JSON file")
        if name == "read":
            _add_read_options(command)
        if name == "probe":
            command.add_argument(
                "--json", action="store_true", help="print the report as a JSON object"
            )
    given = parser.parse_args(arguments)
    if given.command == "read" and given.incremental and not given.streams:
        parser.error("--incremental needs --streams; a catalog names the sync mode of each stream")
    return given


def _sentence(help_text: str) -> str:
    return f"{help_text[0].upper()}{help_text[1:]}."


def _add_read_options(read: argparse.ArgumentParser) -> None:
    what = read.add_mutually_exclusive_group(required=True)
    what.add_argument("--catalog", help="the streams to sync: a configured catalog, a JSON file")
    what.add_argument("--streams", help="the streams to sync, separated by commas")
    read.add_argument(
        "--incremental",
        action="store_true",
        help="with --streams: sync incrementally where a stream can",
    )
    since = read.add_mutually_exclusive_group()
    since.add_argument("--state", help="where the last sync ended: a JSON file, only read")
    since.add_argument(
        "--state-file", help="where the last sync ended: read if it exists, then kept up to date"
    )
