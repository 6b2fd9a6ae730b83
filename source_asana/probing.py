"""The command `probe`: check on a real account what the connector assumes of Asana."""

import argparse
import json
import logging
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from airbyte_cdk.models import AirbyteMessage
from airbyte_cdk.utils import AirbyteTracedException

from source_asana.airbyte.errors import Interrupted, unexpected
from source_asana.airbyte.secrecy import masked
from source_asana.inputs import config_in, write_config
from source_asana.probe.asking import Overheard
from source_asana.probe.findings import Finding
from source_asana.probe.report import document, entry, heading, summary
from source_asana.source import SourceAsana

DISTRIBUTION = "airbyte-source-asana"

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What ends a probe: the platform, Ctrl-C, a terminal that is closed."""


def probe(arguments: Sequence[str], write: Callable[[bytes], object]) -> int:
    """Run the command and return its exit status.

    The report goes to `write`; why it is incomplete, if it is, to stderr. Statuses: 0 if the report
    is complete, whatever the verdicts; 1 if not; 128 and the signal's number if one ended it.
    """
    options = _options(arguments)
    source = SourceAsana(write_now=lambda message: _keep(options.config, message))
    signals: list[int] = []

    def stop(signal_number: int, _frame: object) -> None:
        signals.append(signal_number)
        source.stop()

    for signal_number in SIGNALS:
        if signal.getsignal(signal_number) is not signal.SIG_IGN:  # as `nohup` wants it
            signal.signal(signal_number, stop)

    def say(text: str) -> None:
        write(masked(text).encode())

    began, overheard = time.monotonic(), Overheard()
    findings: list[Finding] = []
    if not options.json:
        say(heading(_version()))
    ended = _findings(source, options.config, overheard, findings, None if options.json else say)
    seconds, requests = time.monotonic() - began, len(overheard.answers)
    if options.json:
        report = document(
            findings, version=_version(), requests=requests, seconds=seconds, ended=ended
        )
        say(json.dumps(report, indent=2) + "\n")
    else:
        say(summary(findings, requests, seconds))
    if ended is None:
        return 0
    with suppress(OSError):
        print(ended, file=sys.stderr, flush=True)  # noqa: T201 - it is no part of the report
    return 128 + signals[0] if signals else 1


def _findings(
    source: SourceAsana,
    config: Path,
    overheard: Overheard,
    findings: list[Finding],
    say: Callable[[str], None] | None,
) -> str | None:
    """Add what the probe finds to `findings`; return why it ended early, if it did."""
    try:
        for finding in source.probe(_quiet_logger(), config_in(str(config)), overheard):
            findings.append(finding)
            if say:
                say(entry(finding))
    except Interrupted:
        return "Probe canceled."
    except AirbyteTracedException as error:
        return masked(str(error.message))
    except Exception as error:  # noqa: BLE001 - nobody needs a stack trace, whatever happens
        return unexpected(error)
    return None


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="source-asana probe",
        description="Check on your account what the connector assumes of Asana. Read-only, at most "
        "80 requests. The report has no names, texts, ids or tokens, so you can publish it.",
    )
    parser.add_argument("--config", type=Path, required=True, help="path of the config file")
    parser.add_argument("--json", action="store_true", help="print the report as a JSON object")
    return parser.parse_args(arguments)


def _quiet_logger() -> logging.Logger:
    """A logger that prints nothing: the report is all that goes to stdout."""
    logger = logging.getLogger("source_asana.probe")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    return logger


def _keep(config: Path, message: AirbyteMessage) -> None:
    """Write a config whose refresh token Asana has replaced: the old one may be void."""
    if not message.control or not message.control.connectorConfig:
        return
    try:
        write_config(config, message.control.connectorConfig.config)
    except OSError as error:
        complaint = (
            f"Asana replaced the refresh token, but {config} cannot be written ({error.strerror})."
        )
        print(complaint, file=sys.stderr, flush=True)  # noqa: T201 - it is no part of the report


def _version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown version"
