"""Runs one sync: the connector reads, the loader saves, the screen shows the progress."""

import logging
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airbyte_cdk.models import AirbyteMessage, ConfiguredAirbyteCatalog
from airbyte_cdk.utils import AirbyteTracedException
from airbyte_cdk.utils.airbyte_secrets_utils import get_secrets

from local_sync import report
from local_sync.duckdb_file import DuckDBFile
from local_sync.loader import Loader, catalog_of, completed, resume_point, state_messages
from local_sync.options import SAMPLE_FILE, Options
from local_sync.report import Incomplete, StreamSummary
from local_sync.screen import Progress, Screen, screen
from local_sync.store import OWN, SAMPLE, Saved, Store, StoreError
from local_sync.tables import table_of
from source_asana.airbyte.errors import Interrupted, SyncIncomplete, unexpected
from source_asana.airbyte.messages import Message, RecordBatch
from source_asana.airbyte.secrecy import masked, only_secrets
from source_asana.command_line import SIGNALS
from source_asana.config import parse_config
from source_asana.inputs import write_config
from source_asana.source import SourceAsana
from source_asana.transfer import Transfer

if TYPE_CHECKING:
    from local_sync.postgres import Postgres
    from local_sync.sample import Sample

EQUAL = "The tables have exactly the records of the sample account."

SHOW_CURSOR = b"\x1b[?25h"

OWN_SCHEMA, SAMPLE_SCHEMA = "asana", "asana_sample"


class Stop:
    """Ends a sync on the first signal and keeps what is complete; on the second, ends at once."""

    def __init__(self) -> None:
        self.signal = 0
        self._source: SourceAsana | None = None
        self._progress: Progress | None = None

    def listen(self) -> None:
        """Handle the signals of this process."""
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # `nohup` ignores it
                signal.signal(number, self)

    def watch(self, source: SourceAsana, progress: Progress) -> None:
        """Let the next signal end the read of this source."""
        self._source, self._progress = source, progress

    def __call__(self, number: int, _frame: object) -> None:
        if self.signal or self._source is None or self._progress is None:
            os.write(2, (SHOW_CURSOR if os.isatty(2) else b"") + b"Interrupted.\n")
            os._exit(128 + number)  # the database drops the open transaction
        self.signal = number
        self._progress.is_stopping = True
        self._source.stop()


@dataclass
class Outcome:
    """How a sync ended."""

    seconds: float = 0.0
    summaries: list[StreamSummary] = field(default_factory=list)
    incomplete: dict[str, Incomplete] = field(default_factory=dict)
    failure: str | None = None
    is_interrupted: bool = False
    projects_done: int = 0
    projects_known: int = 0
    files: int = 0

    def exit_status(self, options: Options) -> int:
        """0 if all streams are complete, or the others were refused and not named by the user."""
        refused = all(s.refused_with for s in self.incomplete.values())
        is_missing = self.incomplete and (options.are_streams_named or not refused)
        return 1 if self.failure or is_missing else 0


class ConnectorLog(logging.Handler):
    """Reads numbers from the attributes of log records; prints warnings and errors."""

    def __init__(self, shown: Screen, progress: Progress, outcome: Outcome) -> None:
        super().__init__(logging.DEBUG)
        self._screen = shown
        self._progress = progress
        self._outcome = outcome

    def emit(self, record: logging.LogRecord) -> None:
        if progress := getattr(record, "progress", None):
            self._progress.requests = progress["requests"]
            self._progress.projects_done = progress["projects_done"]
            self._progress.projects_known = progress["projects_known"]
            self._screen.show()
        elif summary := getattr(record, "summary", None):
            self._outcome.summaries.append(StreamSummary(**summary))
        elif record.levelno >= logging.WARNING:
            self._screen.say(masked(record.getMessage()))


@dataclass(frozen=True)
class Target:
    """A database, its name for the user, how to open it, and an example query."""

    database: "DuckDBFile | Postgres"
    place: str
    where: str
    open_tasks: str

    def show(self, query: str) -> str:
        """A query's result as a table."""
        return report.answer_table(*self.database.query(query))


def run(options: Options, stop: Stop, asana_url: str | None = None) -> int:
    """Run a sync and return the exit status."""
    try:
        return sync_account(options, stop, asana_url)
    except AirbyteTracedException as error:
        why = str(error.message)
    except (StoreError, OSError) as error:
        why = str(error)
    except Exception as error:  # noqa: BLE001 - a user needs no stack trace
        why = unexpected(error)
    print(f"The sync failed: {masked(why)}", file=sys.stderr)
    return 1


def sync_account(options: Options, stop: Stop, asana_url: str | None) -> int:
    """Sync the user's account or the sample. Raises StoreError and AirbyteTracedException."""
    if options.config:
        write_now = partial(keep_config, options.config)
        transfer = Transfer(directory=options.files, is_kept=True)
        source = SourceAsana(asana_url=asana_url, write_now=write_now, transfer=transfer)
        config = configured(source, SourceAsana.read_config(str(options.config)))
        return sync(options, config, stop, source)
    from local_sync.sample import sample_account  # noqa: PLC0415 - it needs a server

    with sample_account() as sample:
        print(f"Reading the emulated sample account at {sample.asana.url}", file=sys.stderr)
        source = SourceAsana(
            asana_url=sample.asana.url, transfer=Transfer(directory=options.files, is_kept=True)
        )
        return sync(options, configured(source, sample.config), stop, source, sample)


def sync(
    options: Options,
    config: Mapping[str, Any],
    stop: Stop,
    source: SourceAsana,
    sample: "Sample | None" = None,
) -> int:
    """Sync the streams into the database and print a report. Raises StoreError."""
    tables = [table_of(name) for name in options.streams]
    with target(options, is_sample=sample is not None) as here:
        store = Store(here.database, tables, here.place)
        try:
            saved = store.prepare(OWN if sample is None else SAMPLE)
            is_fresh = options.is_fresh or sample is not None
            now = time.time()
            starts = {
                table.name: resume_point(table, saved[table.name], now, is_fresh=is_fresh)
                for table in tables
            }
            started = {name: start for name, start in starts.items() if start != saved[name]}
            loader = Loader(store, tables, started)
            catalog = catalog_of(tables, with_files=options.files is not None)
            outcome = read(config, stop, source, catalog, starts, loader)
            return print_report(options, outcome, here, store, stop, sample)
        except here.database.failures as error:
            raise StoreError(
                f"{here.place}: {here.database.reason(error)}. What was saved is kept. "
                "Run the same command to continue."
            ) from error


@contextmanager
def target(options: Options, *, is_sample: bool) -> Iterator[Target]:
    """Open the database of the options. Raises StoreError."""
    if options.database:
        from local_sync.postgres import Postgres, address  # noqa: PLC0415 - it needs libpq

        schema = SAMPLE_SCHEMA if is_sample else OWN_SCHEMA
        place = f"schema {schema} of {address(options.database)}"
        with closing(Postgres(options.database, schema)) as postgres:
            where = f"The tables are in {place}"
            yield Target(postgres, place, where, report.OPEN_TASKS_IN_POSTGRESQL)
        return
    file = options.file or SAMPLE_FILE
    with closing(DuckDBFile(file)) as opened:
        where = f"{file} opens in any DuckDB client"
        yield Target(opened, str(file), where, report.OPEN_TASKS_IN_DUCKDB)


def read(
    config: Mapping[str, Any],
    stop: Stop,
    source: SourceAsana,
    catalog: ConfiguredAirbyteCatalog,
    starts: Mapping[str, Saved],
    loader: Loader,
) -> Outcome:
    """Read the account into the database."""
    outcome, progress = Outcome(), Progress(len(catalog.streams))
    started = time.monotonic()
    with screen(progress) as shown, logged(ConnectorLog(shown, progress, outcome)) as logger:
        stop.watch(source, progress)
        try:
            for message in source.read_batches(logger, config, catalog, state_messages(starts)):
                loader.take(message)
                note(message, outcome, progress)
                shown.show()
        except Interrupted:
            outcome.is_interrupted = True
        except SyncIncomplete:
            pass  # each incomplete stream has had its own message
        except AirbyteTracedException as error:
            outcome.failure = masked(str(error.message))
        loader.save()
    outcome.seconds = time.monotonic() - started
    outcome.projects_done = progress.projects_done
    outcome.projects_known = progress.projects_known
    return outcome


def print_report(
    options: Options,
    outcome: Outcome,
    here: Target,
    store: Store,
    stop: Stop,
    sample: "Sample | None",
) -> int:
    """Print the report and return the exit status."""
    for (stream, column), number in store.left_empty.items():
        print(
            f"{stream}.{column}: {report.counted(number, 'value')} left empty "
            "because the type does not match the column",
            file=sys.stderr,
        )
    if outcome.is_interrupted:
        text = report.interrupted(
            outcome.projects_done, outcome.projects_known, is_fresh=options.is_fresh
        )
        print(text, file=sys.stderr)
        return 128 + stop.signal
    if outcome.failure:
        print(f"The sync failed: {outcome.failure}", file=sys.stderr)
        return outcome.exit_status(options)
    print()
    print(
        report.summary_table(
            options.streams, outcome.summaries, outcome.incomplete, outcome.seconds
        )
    )
    query = report.example_query(options.streams, outcome.summaries, here.open_tasks)
    print(f"\n{here.where}. For example:\n\n{query}\n\n{here.show(query)}\n")
    if options.files:
        print(f"{report.files(outcome.files, options.files)}\n")
    print(report.verdict(options.streams, outcome.incomplete))
    if sample is None:
        return outcome.exit_status(options)
    wrong = differences(options.streams, store, sample, outcome)
    print("\n".join([f"{stream}: {text}" for stream, text in wrong.items()]) or EQUAL)
    return 1 if wrong else outcome.exit_status(options)


def differences(
    streams: Sequence[str], store: Store, sample: "Sample", outcome: Outcome
) -> dict[str, str]:
    """By stream: how its table differs from the sample account, or what was sent twice."""
    sent = {summary.stream: summary.records for summary in outcome.summaries}
    found = {}
    for stream in streams:
        expected, actual = sample.gids(stream), store.gids(stream)
        if expected != actual:
            missing, extra = (expected - actual).total(), (actual - expected).total()
            found[stream] = f"{missing:,} records are missing, {extra:,} are extra"
        elif (count := sent.get(stream) or 0) != expected.total():
            found[stream] = f"{count:,} records were sent, {expected.total():,} exist"
    return found


@contextmanager
def logged(handler: logging.Handler) -> Iterator[logging.Logger]:
    """A logger for the connector whose records go only to this handler."""
    logger = logging.getLogger("local_sync")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    try:
        yield logger
    finally:
        logger.removeHandler(handler)


def configured(source: SourceAsana, config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Check a config and mask its secrets in all output. Raises ConfigError."""
    config = source.configure(config, "")
    specification = source.spec(logging.getLogger("airbyte"))
    only_secrets(get_secrets(specification.connectionSpecification, config))
    parse_config(config)
    return config


def note(message: Message, outcome: Outcome, progress: Progress) -> None:
    """Add a message to the outcome and the progress."""
    if isinstance(message, RecordBatch):
        progress.records += len(message.records)
        outcome.files += sum(file is not None for file in message.files)
        return
    if completed(message):
        progress.streams_done += 1
    if message.trace and (error := message.trace.error) and message.trace.error.message:
        stream = message.trace.error.stream_descriptor
        if stream:
            refused_with = int(error.internal_message) if error.internal_message else None
            outcome.incomplete[stream.name] = Incomplete(masked(error.message), refused_with)
    if wait_ends := rate_limited_until(message):
        progress.continues_at = wait_ends


def rate_limited_until(message: AirbyteMessage) -> float | None:
    """When the rate limit of a message ends, in seconds since 1970; None for other messages."""
    status = message.trace.stream_status if message.trace else None
    for reason in (status.reasons or ()) if status else ():
        if reason.rate_limited and reason.rate_limited.quota_reset:
            return float(reason.rate_limited.quota_reset) / 1000
    return None


def keep_config(file: Path, message: AirbyteMessage) -> None:
    """Save a config with the new refresh token that replaces the old one."""
    if not message.control or not message.control.connectorConfig:
        return
    try:
        write_config(file, message.control.connectorConfig.config)
    except OSError as error:
        print(
            f"Asana replaced the refresh token, but {file} cannot be written ({error.strerror}). "
            "The next sync may need a new one.",
            file=sys.stderr,
        )
