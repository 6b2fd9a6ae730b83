"""The command `probe`: check on a real account what the connector assumes about Asana."""

import json
import logging
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path

from airbyte_cdk.models import AirbyteMessage, FailureType
from airbyte_cdk.utils import AirbyteTracedException

from source_asana.airbyte.errors import ConfigError, Interrupted, airbyte_errors, unexpected
from source_asana.airbyte.secrecy import masked
from source_asana.asana.errors import TokenUnavailable
from source_asana.asana.governor import PLANS_PER_MINUTE, Governor
from source_asana.command_line import DISTRIBUTION, SIGNALS
from source_asana.config import RawConfig, parse_config
from source_asana.deadline import Deadline
from source_asana.inputs import config_in, write_config
from source_asana.named_projects import with_named_projects
from source_asana.probe.asking import AsanaSilent, Asking, CountedRequests, Overheard
from source_asana.probe.assumptions import ASSUMPTIONS, Assumption, check_assumption
from source_asana.probe.examples import Examples
from source_asana.probe.findings import Finding
from source_asana.probe.questions import questions_of
from source_asana.probe.report import document, entry, heading, summary
from source_asana.session import Limits
from source_asana.source import CHECK_PATIENCE, SourceAsana, no_access_token

PROBE_ANSWER_SECONDS = 60.0
PROBE_SECONDS = 300.0
"""A probe takes seconds; with a free plan, or a rate limit that it shares, it takes a minute."""


class AsanaProbe(SourceAsana):
    """Asana for a probe: its arguments are those of a source."""

    def findings(
        self,
        logger: logging.Logger,
        config: RawConfig,
        overheard: Overheard,
        assumptions: Iterable[Assumption] = ASSUMPTIONS,
    ) -> Iterator[Finding]:
        """Check assumptions, one after the other, on the account that the token sees.

        `overheard` gets every answer. Raises AirbyteTracedException, whose message says what to do.
        """
        with airbyte_errors():
            try:
                yield from self._findings(logger, config, overheard, assumptions)
            except TokenUnavailable as failure:
                raise _transient(no_access_token(failure)) from None
            except AsanaSilent as silent:
                raise _transient(
                    f"Asana does not answer ({silent.why}). Check the network, or try again later."
                ) from None

    def _findings(
        self,
        logger: logging.Logger,
        config: RawConfig,
        overheard: Overheard,
        assumptions: Iterable[Assumption],
    ) -> Iterator[Finding]:
        settings = parse_config(config)
        rate_limit = CountedRequests(Governor(settings.requests_per_minute or PLANS_PER_MINUTE[-1]))
        deadline = Deadline(PROBE_SECONDS)
        limits = Limits(
            min(self._limits.patience, CHECK_PATIENCE),
            min(self._limits.answer_seconds, PROBE_ANSWER_SECONDS),
            deadline.seconds_left,
        )
        session = self._session(settings, config, rate_limit, limits, logger, overheard.note)
        asana = Asking(session.client, overheard)
        watch = session.watch(deadline, PROBE_SECONDS, lambda: self._is_stopped)
        try:
            filters = watch.result_of(lambda: with_named_projects(session.client, settings.filters))
        except Exception:
            session.end()
            raise
        examples = Examples(
            asana,
            has_workspace=filters.has_workspace,
            has_project=filters.has_project,
            named_projects=filters.project_gids,
        )
        questions = questions_of(asana, examples)
        try:
            for assumption in assumptions:
                yield watch.result_of(partial(check_assumption, assumption, questions))
            if watch.result_of(lambda: examples.sees_no_workspace):
                raise ConfigError(
                    "This token sees no workspace, so most assumptions could not be checked. "
                    "Use the token of a workspace member."
                )
        finally:
            session.end()


def _transient(message: str) -> AirbyteTracedException:
    return AirbyteTracedException(message=message, failure_type=FailureType.transient_error)


def probe(config: Path, write: Callable[[bytes], object], *, is_json: bool) -> int:
    """Run the command with a config file and return its exit status.

    The report goes to `write`; the reason why it is incomplete, if it is, to stderr. Statuses: 0 if
    the report is complete, whatever the verdicts; 1 if not; 128 and the signal's number if one
    ended it.
    """
    source = AsanaProbe(write_now=lambda message: _keep(config, message))
    signals: list[int] = []

    def stop(signal_number: int, _frame: object) -> None:
        signals.append(signal_number)
        source.stop()

    for signal_number in SIGNALS:
        if signal.getsignal(signal_number) is not signal.SIG_IGN:  # `nohup` ignores it
            signal.signal(signal_number, stop)

    def say(text: str) -> None:
        write(masked(text).encode())

    began, overheard = time.monotonic(), Overheard()
    findings: list[Finding] = []
    released = version(DISTRIBUTION)
    if not is_json:
        say(heading(released))
    ended = _findings(source, config, overheard, findings, None if is_json else say)
    seconds, requests = time.monotonic() - began, len(overheard.answers)
    if is_json:
        report = document(
            findings, version=released, requests=requests, seconds=seconds, ended=ended
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
    source: AsanaProbe,
    config: Path,
    overheard: Overheard,
    findings: list[Finding],
    say: Callable[[str], None] | None,
) -> str | None:
    """Add what the probe finds to `findings`; return why it ended early, if it did."""
    try:
        for finding in source.findings(_quiet_logger(), config_in(str(config)), overheard):
            findings.append(finding)
            if say:
                say(entry(finding))
    except Interrupted:
        return "Probe canceled."
    except AirbyteTracedException as error:
        return masked(str(error.message))
    except Exception as error:  # noqa: BLE001 - users need a sentence, not a stack trace
        return unexpected(error)
    return None


def _quiet_logger() -> logging.Logger:
    """A logger that prints nothing: the report is all that goes to stdout."""
    logger = logging.getLogger("source_asana.probe")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    return logger


def _keep(config: Path, message: AirbyteMessage) -> None:
    """Save a config with the new refresh token that replaces the old one."""
    if not message.control or not message.control.connectorConfig:
        return
    try:
        write_config(config, message.control.connectorConfig.config)
    except OSError as error:
        complaint = (
            f"Asana replaced the refresh token, but {config} cannot be written ({error.strerror}). "
            "Make the file writable, then authenticate again."
        )
        print(complaint, file=sys.stderr, flush=True)  # noqa: T201 - it is no part of the report
