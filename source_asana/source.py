"""The connector: spec, check, discover and read."""

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache, partial
from math import inf
from typing import Any
from urllib.parse import urlsplit

from airbyte_cdk.models import (
    AirbyteCatalog,
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteStateMessage,
    AirbyteStream,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    ConnectorSpecification,
    DestinationSyncMode,
    Status,
    SyncMode,
)
from airbyte_cdk.sources import Source
from airbyte_cdk.sources.message import InMemoryMessageRepository, MessageRepository
from airbyte_cdk.utils import AirbyteTracedException

from source_asana.airbyte.checkpoints import Checkpoints
from source_asana.airbyte.deletions import Deletions
from source_asana.airbyte.due import SILENT_SECONDS, Due
from source_asana.airbyte.errors import (
    ConfigError,
    Interrupted,
    OutOfTime,
    airbyte_errors,
    unexpected,
)
from source_asana.airbyte.export_log import ExportLog
from source_asana.airbyte.messages import Message, RecordBatch
from source_asana.airbyte.outcome import advice_on
from source_asana.airbyte.platform import Platform
from source_asana.airbyte.progress import Progress
from source_asana.airbyte.reporter import Reporter
from source_asana.airbyte.secrecy import mask_log
from source_asana.airbyte.states import coverage_of
from source_asana.airbyte.sync_log import SyncLog
from source_asana.asana.client import ASANA_URL, AsanaClient
from source_asana.asana.connection import ANSWER_SECONDS
from source_asana.asana.errors import (
    AsanaFailure,
    FatalError,
    Refusal,
    TokenUnavailable,
)
from source_asana.asana.governor import PLANS_PER_MINUTE, Governor
from source_asana.asana.observed import Observe, ignore
from source_asana.asana.rate_limit import RateLimit
from source_asana.asana.times import asana_time
from source_asana.check import (
    Account,
    Doubt,
    account_of,
    check_config,
    conclusion,
    find_refused,
    unseen_exclusions,
)
from source_asana.config import (
    Config,
    RawConfig,
    current_shape,
    parse_config,
    starts_later,
    unknown_settings,
)
from source_asana.deadline import Deadline
from source_asana.exporting import Exporting, exporting
from source_asana.inputs import catalog_in, config_in, state_in
from source_asana.named_projects import groups_of, with_named_projects
from source_asana.reading.account import Account as AsanaAccount
from source_asana.reading.files.downloads import Downloads
from source_asana.reading.filters import Filters
from source_asana.reading.listing import Selection
from source_asana.reading.marks import (
    Evident,
    Marks,
    UnknownState,
    done_projects,
    evidence_in,
    incremental_marks,
)
from source_asana.reading.oddities import Oddities
from source_asana.reading.plan import make_plan
from source_asana.reading.reader import Reader
from source_asana.reading.rechecks import Rechecks
from source_asana.reading.resumption import Resumption
from source_asana.reading.shortcuts.evidence import Terms
from source_asana.reading.shortcuts.shortcuts import Shortcuts
from source_asana.reading.task_questions import TaskQuestions
from source_asana.reading.walk import Walk
from source_asana.session import SETTLE_SECONDS, Limits, Opening, Session
from source_asana.streams.declared import STREAMS
from source_asana.streams.sources import PROJECT, StreamClass
from source_asana.transfer import Transfer

CHECK_PATIENCE = 8.0
CHECK_ANSWER_SECONDS = 20.0
CHECK_SECONDS = 25.0
"""A check is quick, whatever Asana does: a person waits for it in front of a form."""

END_SECONDS = 1.0
"""How much longer a request may take to end, after its time."""


class SourceAsana(Source):
    """Asana for Airbyte.

    `asana_url`: by default the environment variable ASANA_BASE_URL, or Asana itself. `patience`:
    seconds for which a failing request is retried. `answer_seconds`, `check_seconds`: how long one
    answer, or a check, may take. `seconds_between_states`: the shortest time between two states.
    `write_now`: writes a message at once, from any thread; by default it waits in the repository.
    `silent_seconds`: after so long in silence a state is repeated. `transfer`: of files.
    """

    def __init__(
        self,
        *,
        asana_url: str | None = None,
        patience: float = 300.0,
        answer_seconds: float = ANSWER_SECONDS,
        seconds_between_states: float = 1.0,
        check_seconds: float = CHECK_SECONDS,
        write_now: Callable[[AirbyteMessage], None] | None = None,
        silent_seconds: float = SILENT_SECONDS,
        transfer: Transfer | None = None,
    ) -> None:
        self._asana_url = asana_url or os.environ.get("ASANA_BASE_URL") or ASANA_URL
        self._limits = Limits(patience, answer_seconds)
        self._due = partial(Due, seconds_between_states, silent_seconds)
        self._check_seconds = check_seconds
        self._transfer = transfer or Transfer()
        self.terms = Terms()
        self._messages = InMemoryMessageRepository()
        self._write_now = write_now or self._messages.emit_message
        self._is_stopped = False
        self._end_waits: Callable[[], None] = lambda: None

    @staticmethod
    def read_config(config_path: str) -> MutableMapping[str, Any]:
        """Read the config in a file. Raises UnusableFile."""
        return config_in(config_path)

    @classmethod
    def read_catalog(cls, catalog_path: str) -> ConfiguredAirbyteCatalog:
        """Read the configured catalog in a file. Raises UnusableFile."""
        return catalog_in(catalog_path)

    @classmethod
    def read_state(cls, state_path: str) -> list[AirbyteStateMessage]:
        """Read the state in a file. Raises UnusableFile."""
        return state_in(state_path)

    def catalog_of(self, streams: str, *, incremental: bool) -> ConfiguredAirbyteCatalog:
        """Make a catalog of comma-separated names. Raises ConfigError for an unknown one."""
        names = dict.fromkeys(name for part in streams.split(",") if (name := part.strip()))
        _refuse_unknown(list(names))
        named = [_airbyte_stream(STREAMS[name]) for name in names]
        configured = [_configured(stream, incremental=incremental) for stream in named]
        return ConfiguredAirbyteCatalog(streams=configured)

    @property
    def message_repository(self) -> MessageRepository:
        """Messages that tell the platform of a changed config."""
        return self._messages

    def configure(self, config: Mapping[str, Any], temp_dir: str) -> Mapping[str, Any]:  # noqa: ARG002
        """Return the config in today's shape, without writing a file or telling the platform."""
        return current_shape(config)

    def spec(self, logger: logging.Logger) -> ConnectorSpecification:  # noqa: ARG002
        """Return the form of the config: one object for the whole process."""
        return _specification()

    def stop(self) -> None:
        """End a check or a read soon with Interrupted; a read gives its last states first."""
        self._is_stopped = True
        self._end_waits()

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """Check that the token works and sees a workspace, and that all the config names exists."""
        mask_log(logger)
        try:
            found = self._checked(logger, config)
        except Interrupted:
            raise
        except TokenUnavailable as failure:
            return _failed(no_access_token(failure))
        except (AirbyteTracedException, FatalError) as error:
            return _failed(str(error))
        except Refusal as refusal:
            return _failed(
                f"Asana refused a request that every sync begins with ({refusal}). "
                + advice_on(refusal.status)
            )
        except AsanaFailure as failure:
            return _failed(f"Cannot read from Asana: {failure}. Check the network and try again.")
        except Exception as error:  # noqa: BLE001 - a check always has an answer
            return _failed(unexpected(error))
        logger.info(found)
        return AirbyteConnectionStatus(status=Status.SUCCEEDED, message=found)

    def discover(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteCatalog:  # noqa: ARG002
        """Return every stream with every field Asana documents, without a request."""
        return AirbyteCatalog(streams=[_airbyte_stream(stream) for stream in STREAMS.values()])

    def read(
        self,
        logger: logging.Logger,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage] | None = None,
    ) -> Iterator[AirbyteMessage]:
        """Walk the account once for all streams of the catalog."""
        for message in self.read_batches(logger, config, catalog, state):
            if isinstance(message, RecordBatch):
                yield from message.messages()
            else:
                yield message

    def read_batches(
        self,
        logger: logging.Logger,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage] | None = None,
    ) -> Iterator[Message]:
        """Do the same, with the records as they are printed."""
        with airbyte_errors():
            yield from self._read(logger, config, catalog, state)

    def _read(
        self,
        logger: logging.Logger,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage] | None,
    ) -> Iterator[Message]:
        mask_log(logger)
        settings = parse_config(config)
        selected, unknown = _selected(catalog)
        former = _former_state(selected, state or [], settings.filters, self.terms, logger)
        rate_limit = RateLimit(Governor(settings.requests_per_minute or PLANS_PER_MINUTE[-1]))
        session = self._session(settings, config, rate_limit, self._limits, logger)
        _warn_of_settings(logger, config, settings, session.client)
        platform = Platform(
            lambda: self._is_stopped, self._messages.consume_queue, rate_limit.seconds_to_wait
        )
        try:
            named = _with_named_projects(session.client, settings, selected)
            others = _other_hosts(
                session, named, selected, self._transfer, self._asana_url, state or []
            )
            walk, reporter = _parts(
                session, named, selected, former, others, self._due(), platform, logger
            )
            with closing(walk.findings()) as findings:  # its workers end with it
                yield from reporter.messages(findings, unknown)
        finally:
            session.end()

    def _checked(self, logger: logging.Logger, raw: RawConfig) -> str:
        """Say who the token belongs to and what it sees; raise ConfigError if that is nothing."""
        config = parse_config(raw)
        rate_limit = RateLimit()
        answer_seconds = min(self._limits.answer_seconds, CHECK_ANSWER_SECONDS)
        deadline = Deadline(self._check_seconds)
        limits = Limits(CHECK_PATIENCE, answer_seconds, deadline.seconds_left)
        session = self._session(config, raw, rate_limit, limits, logger)
        watch = session.watch(deadline, self._check_seconds, lambda: self._is_stopped)
        doubts = [Doubt(-2, warning) for warning in unknown_settings(raw)]
        try:
            account = watch.result_of(lambda: _checked_account(session.client, config))
            try:
                watch.result_of(lambda: _look_around(session.client, account, config, doubts))
            except (AsanaFailure, OutOfTime, TokenUnavailable) as failure:
                doubts.append(Doubt(inf, f"Could not check all streams: {failure}"))
        finally:
            session.end()
            if not self._is_stopped:  # the process ends then, and its threads with it
                watch.join(deadline.seconds_left() + SETTLE_SECONDS + END_SECONDS)
        doubts.sort(key=lambda doubt: doubt.place)
        for doubt in doubts:
            logger.warning("%s", doubt.sentence)
        return conclusion(account, doubts)

    def _session(
        self,
        config: Config,
        raw: RawConfig,
        rate_limit: RateLimit,
        limits: Limits,
        logger: logging.Logger,
        observe: Observe = ignore,
    ) -> Session:
        """Make a session whose waits `stop` ends."""
        self._end_waits = rate_limit.stop
        return Opening(self._asana_url, limits, self._write_now, logger).session(
            config, raw, rate_limit, observe
        )


@cache
def _specification() -> ConnectorSpecification:
    """Parse `spec.yaml`, which takes longer than all else that a short sync does before it asks."""
    return Source.spec(SourceAsana(), logging.getLogger("airbyte"))


@dataclass(frozen=True)
class FormerState:
    """What the incoming state says of the selected streams: their marks, and of shortcuts.

    `terms`: what shortcuts have to prove.
    """

    marks: Mapping[StreamClass, Marks]
    evidence: Mapping[StreamClass, Evident]
    terms: Terms


@dataclass(frozen=True)
class OtherHosts:
    """What comes from other hosts than Asana's: exports, and the files of attachments."""

    exporting: Exporting
    downloads: Downloads | None


def _other_hosts(
    session: Session,
    settings: Config,
    selected: Mapping[StreamClass, Selection],
    transfer: Transfer,
    asana_url: str,
    state: Iterable[AirbyteStateMessage],
) -> OtherHosts:
    takes_plain_http = urlsplit(asana_url).scheme == "http"  # an emulated Asana
    return OtherHosts(
        exporting(settings, transfer.exports, state, takes_plain_http=takes_plain_http),
        transfer.downloads(
            selected, session, settings.num_workers, takes_plain_http=takes_plain_http
        ),
    )


def _with_named_projects(
    client: AsanaClient, settings: Config, selected: Mapping[StreamClass, Selection]
) -> Config:
    """The settings with the projects of their teams and portfolios, if a stream needs projects."""
    if not groups_of(settings.filters):
        return settings
    listings = make_plan(selected, settings.filters).listings
    if not any(listing.stream.container == PROJECT for listing in listings):
        return settings
    filters = with_named_projects(client, settings.filters)
    return replace(settings, filters=filters)


def _parts(
    session: Session,
    settings: Config,
    selected: Mapping[StreamClass, Selection],
    former: FormerState,
    hosts: OtherHosts,
    due: Due,
    platform: Platform,
    logger: logging.Logger,
) -> tuple[Walk, Reporter]:
    """Join the parts of a read: what walks the account, and what turns it into messages."""
    client, filters = session.client, settings.filters
    oddities = Oddities()
    reader = Reader(client, oddities, TaskQuestions(client, with_subtasks=filters.with_subtasks))
    resumption = Resumption(selected, former.marks, hosts.exporting.kept)
    plan = make_plan(
        selected,
        filters,
        with_hints=settings.skip_tasks_without_attachments,
        with_exports=settings.use_resource_exports,
    )
    rechecks = Rechecks(settings.recheck_interval_minutes)
    account = AsanaAccount(plan, resumption, filters, settings.gids, rechecks)
    shortcuts = Shortcuts(plan, former.evidence, former.terms)
    exports, steps = hosts.exporting.parts(session, plan, resumption, reader)
    walk = Walk(
        account,
        reader,
        shortcuts,
        exports,
        steps,
        workers=settings.num_workers,
        downloads=hosts.downloads,
    )
    progress = Progress(
        logger, client.observed.sent, session.rate_limit.seconds_to_wait, walk.open_projects
    )
    reporter = Reporter(
        account,
        selected,
        Checkpoints(selected, former.marks, lambda: account.began, due, filters, walk.evidence),
        Deletions(selected, is_on=settings.capture_deletions, continues=bool(resumption)),
        progress,
        SyncLog(
            logger,
            progress,
            client.observed,
            oddities,
            shortcuts,
            ExportLog(logger, exports.counts),
        ),
        platform,
        walk.give_up,
    )
    return walk, reporter


def _checked_account(client: AsanaClient, config: Config) -> Account:
    account = account_of(client)
    check_config(client, config, account)
    return account


def _look_around(
    client: AsanaClient, account: Account, config: Config, doubts: list[Doubt]
) -> None:
    """Add what a sync would miss to `doubts`."""
    doubts += unseen_exclusions(client, config)
    find_refused(client, account, config, doubts)


def _warn_of_settings(
    logger: logging.Logger, raw: RawConfig, config: Config, client: AsanaClient
) -> None:
    """Warn of settings that a sync accepts but that are probably mistakes."""
    for warning in unknown_settings(raw):
        logger.warning("%s", warning)
    if starts_later(config, asana_time(client.server_date)):
        logger.warning(
            "start_date is in the future: no record that it filters is synced until then"
        )


def no_access_token(failure: TokenUnavailable) -> str:
    """Say so to a person who waits for an answer."""
    return f"Asana's token endpoint gave no access token ({failure.reason}). Try again later."


def _failed(why: str) -> AirbyteConnectionStatus:
    return AirbyteConnectionStatus(status=Status.FAILED, message=why)


def _airbyte_stream(stream: StreamClass) -> AirbyteStream:
    modes = [SyncMode.full_refresh, *([SyncMode.incremental] if stream.cursor_field else [])]
    return AirbyteStream(
        name=stream.stream_name(),
        json_schema=stream.json_schema(),
        supported_sync_modes=modes,
        source_defined_cursor=bool(stream.cursor_field),
        default_cursor_field=[stream.cursor_field] if stream.cursor_field else None,
        source_defined_primary_key=[[column] for column in stream.key],
        is_resumable=stream.container != PROJECT and bool(stream.containers()),
        is_file_based=bool(stream.files) or None,
    )


def _configured(stream: AirbyteStream, *, incremental: bool) -> ConfiguredAirbyteStream:
    """Configure a stream as Airbyte recommends: deduplicate what is incremental, else overwrite."""
    is_incremental = incremental and SyncMode.incremental in stream.supported_sync_modes
    deduped, overwrite = DestinationSyncMode.append_dedup, DestinationSyncMode.overwrite
    return ConfiguredAirbyteStream(
        stream=stream,
        sync_mode=SyncMode.incremental if is_incremental else SyncMode.full_refresh,
        destination_sync_mode=deduped if is_incremental else overwrite,
        cursor_field=stream.default_cursor_field if is_incremental else None,
        primary_key=stream.source_defined_primary_key,
    )


def _refuse_unknown(names: Sequence[str]) -> None:
    """Raise ConfigError if a name is not that of a stream, or if there is no name."""
    if not names:
        raise ConfigError("--streams names no stream. Separate stream names by commas.")
    if unknown := [name for name in names if name not in STREAMS]:
        raise ConfigError(" ".join(_unknown_stream(name) for name in unknown))


def _unknown_stream(name: str) -> str:
    similar = get_close_matches(name.lower(), STREAMS, n=1)
    hint = f"Did you mean {similar[0]}?" if similar else "Run discover to see all streams."
    return f"Unknown stream {name}. {hint}"


def _refuse_repeated(catalog: ConfiguredAirbyteCatalog) -> None:
    names = Counter(configured.stream.name for configured in catalog.streams)
    if repeated := sorted(name for name, times in names.items() if times > 1):
        raise ConfigError(
            f"The configured catalog names {', '.join(repeated)} more than once. "
            "Choose one sync mode for each stream."
        )


def _selected(
    catalog: ConfiguredAirbyteCatalog,
) -> tuple[dict[StreamClass, Selection], list[str]]:
    """What the catalog says of each stream; and the names in it that are not of a stream.

    Raises ConfigError for a name that it has twice.
    """
    _refuse_repeated(catalog)
    known = {s.stream.name: s for s in catalog.streams if s.stream.name in STREAMS}
    unknown = [s.stream.name for s in catalog.streams if s.stream.name not in STREAMS]
    return {STREAMS[name]: _selection(stream) for name, stream in known.items()}, unknown


def _selection(configured: ConfiguredAirbyteStream) -> Selection:
    """What the catalog says of a stream; a mode that the stream has not got is a full refresh."""
    stream = STREAMS[configured.stream.name]
    columns = configured.stream.json_schema.get("properties")
    return Selection(
        columns=columns if isinstance(columns, Mapping) and columns else None,
        incremental=configured.sync_mode is SyncMode.incremental and bool(stream.cursor_field),
        with_files=bool(configured.include_files and stream.files),
    )


def _former_state(
    selected: Mapping[StreamClass, Selection],
    state: Iterable[AirbyteStateMessage],
    filters: Filters,
    terms: Terms,
    logger: logging.Logger,
) -> FormerState:
    """What the incoming state says of the selected streams. Raises ConfigError."""
    marks: dict[StreamClass, Marks] = {}
    evidence: dict[StreamClass, Evident] = {}
    for message in state:
        told = message.stream
        stream = STREAMS.get(told.stream_descriptor.name) if told else None
        if told is None or stream is None or stream not in selected:
            continue
        blob = dict(told.stream_state.__dict__) if told.stream_state else {}
        read = incremental_marks if selected[stream].incremental else done_projects
        try:
            marks[stream] = read(blob, coverage_of(stream, filters))
            evidence[stream] = evidence_in(blob)
        except UnknownState:
            raise ConfigError(
                f"Cannot read the state of {stream.stream_name()}. "
                "Clear the stream, or reset its state, to sync it in full."
            ) from None
        logger.debug("%s resumes from %s projects", stream.stream_name(), len(marks[stream]))
    return FormerState(marks, evidence, terms)
