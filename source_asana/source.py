"""The connector: spec, check, discover and read, and how the parts are joined."""

import logging
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import closing, suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from airbyte_cdk.config_observation import create_connector_config_control_message
from airbyte_cdk.models import (
    AirbyteCatalog,
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteStateMessage,
    AirbyteStream,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    Status,
    SyncMode,
)
from airbyte_cdk.sources import Source
from airbyte_cdk.sources.message import InMemoryMessageRepository, MessageRepository
from airbyte_cdk.utils import AirbyteTracedException

from source_asana.airbyte.checkpoints import SILENT_SECONDS, Checkpoints, coverage_of
from source_asana.airbyte.deletions import Deletions
from source_asana.airbyte.errors import Interrupted, unexpected
from source_asana.airbyte.messages import Message, RecordBatch
from source_asana.airbyte.outcome import advice_on
from source_asana.airbyte.platform import Platform
from source_asana.airbyte.progress import Progress
from source_asana.airbyte.reporter import Reporter
from source_asana.airbyte.secrecy import keep_secret, mask_log
from source_asana.asana.auth import AsanaToken, OAuth, OAuthToken
from source_asana.asana.client import API_PATH, ASANA_URL, AsanaClient, Observe, ignore
from source_asana.asana.connection import ANSWER_SECONDS, Connection
from source_asana.asana.errors import (
    AsanaFailure,
    ConfigError,
    OutOfTime,
    Refusal,
    TokenUnavailable,
    duration,
)
from source_asana.asana.rate_limit import PLANS, Governor, RateLimit
from source_asana.check import (
    Account,
    account_of,
    check_config,
    refused_streams,
    unseen_exclusions,
)
from source_asana.config import (
    Config,
    RawConfig,
    current_shape,
    parse_config,
    with_refresh_token,
)
from source_asana.deadline import Deadline, run_until
from source_asana.inputs import catalog_in, config_in, state_in
from source_asana.probe.asking import CountedRequests, Overheard, Questions
from source_asana.probe.assumptions import ASSUMPTIONS, Assumption, check_assumption
from source_asana.probe.findings import Finding
from source_asana.reading.account import Account as AsanaAccount
from source_asana.reading.filters import Filters
from source_asana.reading.marks import Marks, UnknownState, done_projects, incremental_marks
from source_asana.reading.oddities import Oddities
from source_asana.reading.plan import Selection, make_plan
from source_asana.reading.reader import Reader
from source_asana.reading.resumption import Resumption
from source_asana.reading.walk import Walk
from source_asana.streams.declared import STREAMS
from source_asana.streams.sources import PROJECT, StreamClass

CHECK_PATIENCE = 8.0
CHECK_ANSWER_SECONDS = 20.0
CHECK_SECONDS = 25.0
"""A check is quick, whatever Asana does: somebody waits for it before a form."""

PROBE_ANSWER_SECONDS = 60.0
PROBE_SECONDS = 300.0
"""A probe takes seconds. With a free plan, or a rate limit that is shared, it takes a minute."""

SETTLE_SECONDS = 3.0
"""How long the end of a command waits for a new refresh token that Asana is about to give."""

SHORTEST_SAID = 1.0
"""Seconds: shorter waits are not worth a line in the log."""


class SourceAsana(Source):
    """Asana for Airbyte.

    `asana_url`: where Asana is; by default what the operator's environment variable ASANA_BASE_URL
    says, else Asana itself. `patience`: seconds for which a failing request is tried again.
    `answer_seconds`: how long one answer may take. `seconds_between_states`: how often the state of
    what is complete goes out, at most. `check_seconds`: how long a check may take. `write_now`:
    writes a message at once, from whatever thread; by default messages wait in the repository.
    `silent_seconds`: after so long without a record or a state one is repeated.
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
    ) -> None:
        address = asana_url or os.environ.get("ASANA_BASE_URL") or ASANA_URL
        self._asana_url = address.strip().rstrip("/").removesuffix(API_PATH)
        self._patience = patience
        self._answer_seconds = answer_seconds
        self._seconds_between_states = seconds_between_states
        self._check_seconds = check_seconds
        self._silent_seconds = silent_seconds
        self._messages = InMemoryMessageRepository()
        self._write_now = write_now or self._messages.emit_message
        self._is_stopped = False
        self._end_waits: Callable[[], None] = lambda: None

    @staticmethod
    def read_config(config_path: str) -> MutableMapping[str, Any]:
        """The config in a file. Raises UnusableFile."""
        return config_in(config_path)

    @classmethod
    def read_catalog(cls, catalog_path: str) -> ConfiguredAirbyteCatalog:
        """The configured catalog in a file. Raises UnusableFile."""
        return catalog_in(catalog_path)

    @classmethod
    def read_state(cls, state_path: str) -> list[AirbyteStateMessage]:
        """The state in a file. Raises UnusableFile."""
        return state_in(state_path)

    @property
    def message_repository(self) -> MessageRepository:
        """What the platform has to be told of the config: that it has changed."""
        return self._messages

    def configure(self, config: Mapping[str, Any], temp_dir: str) -> Mapping[str, Any]:  # noqa: ARG002
        """The config in today's shape; nothing is written to a file, nor told to the platform."""
        return current_shape(config)

    def stop(self) -> None:
        """End a check or a read soon, as Interrupted; a read with the state of what is complete."""
        self._is_stopped = True
        self._end_waits()

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """Whether the token works and sees something, and the config names what there is."""
        mask_log(logger)
        try:
            found = self._checked(logger, config)
        except Interrupted:
            raise
        except TokenUnavailable as failure:
            return _failed(
                f"Asana's token endpoint gives no access token ({failure.reason}). Try again later."
            )
        except AirbyteTracedException as error:
            return _failed(str(error.message))
        except Refusal as refusal:
            return _failed(
                f"Asana refuses the token what every sync begins with ({refusal}). "
                + advice_on(refusal.status)
            )
        except AsanaFailure as failure:
            return _failed(f"Asana could not be asked: {failure}. Check the network and try again.")
        except Exception as error:  # noqa: BLE001 - a check has an answer, whatever happens
            return _failed(unexpected(error))
        logger.info(found)
        return AirbyteConnectionStatus(status=Status.SUCCEEDED, message=found)

    def probe(
        self,
        logger: logging.Logger,
        config: RawConfig,
        overheard: Overheard,
        assumptions: Iterable[Assumption] = ASSUMPTIONS,
    ) -> Iterator[Finding]:
        """Check what the connector assumes of Asana, on the account that the token sees.

        `overheard` gets every answer. Raises AirbyteTracedException, with what to do, and
        Interrupted.
        """
        settings = parse_config(config)
        filters = settings.filters
        rate_limit = CountedRequests(Governor(settings.requests_per_minute or PLANS[-1]))
        self._end_waits = rate_limit.stop
        answer_seconds = min(self._answer_seconds, PROBE_ANSWER_SECONDS)
        client, token = self._client(
            settings,
            config,
            rate_limit,
            min(self._patience, CHECK_PATIENCE),
            answer_seconds,
            logger,
            overheard.note,
        )
        questions = Questions(
            client,
            overheard,
            has_workspace=filters.has_workspace,
            has_project=filters.has_project,
            named_projects=filters.project_gids,
        )
        why_stop = self._why_stop(rate_limit, PROBE_SECONDS)
        try:
            for assumption in assumptions:
                yield run_until(partial(check_assumption, assumption, questions), why_stop)
            if run_until(lambda: questions.sees_no_workspace, why_stop):
                raise ConfigError(
                    "This token sees no workspace, so most assumptions could not be checked: "
                    "use the token of a member of one."
                )
        finally:
            rate_limit.stop()
            token.settle(SETTLE_SECONDS)

    def _why_stop(
        self, rate_limit: RateLimit, seconds: float
    ) -> Callable[[], Interrupted | OutOfTime | None]:
        """What tells why a command that may take so many seconds, from now on, has to end."""
        deadline = Deadline(seconds)

        def why_stop() -> Interrupted | OutOfTime | None:
            if self._is_stopped:
                return Interrupted()
            return _out_of_time(rate_limit.seconds_to_wait(), deadline, seconds)

        return why_stop

    def discover(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteCatalog:  # noqa: ARG002
        """Every stream with every field that Asana documents. Requests nothing."""
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
        mask_log(logger)
        settings = parse_config(config)
        _refuse_repeated(catalog)
        known = {s.stream.name: s for s in catalog.streams if s.stream.name in STREAMS}
        unknown = [s.stream.name for s in catalog.streams if s.stream.name not in STREAMS]
        selected = {STREAMS[name]: _selection(stream) for name, stream in known.items()}
        filters = settings.filters
        marks = _marks(selected, state or [], filters, logger)
        rate_limit = RateLimit(Governor(settings.requests_per_minute or PLANS[-1]))
        self._end_waits = rate_limit.stop
        client, token = self._client(
            settings, config, rate_limit, self._patience, self._answer_seconds, logger
        )
        oddities = Oddities()
        reader = Reader(client, oddities, with_subtasks=filters.with_subtasks)
        resumption = Resumption(selected, marks)
        account = AsanaAccount(make_plan(selected, filters), resumption, filters, settings.gids)
        walk = Walk(account, reader, workers=settings.num_workers)
        reporter = Reporter(
            account,
            selected,
            Checkpoints(
                selected,
                marks,
                lambda: account.began,
                self._seconds_between_states,
                filters,
                silent_seconds=self._silent_seconds,
            ),
            Deletions(selected, is_on=settings.capture_deletions, continues=bool(resumption)),
            Progress(
                logger,
                client.sent,
                rate_limit.seconds_to_wait,
                walk.open_projects,
                client.noticed,
                oddities,
            ),
            Platform(
                lambda: self._is_stopped, self._messages.consume_queue, rate_limit.seconds_to_wait
            ),
            walk.give_up,
        )
        try:
            with closing(walk.findings()) as findings:  # its workers end with it
                yield from reporter.messages(findings, unknown)
        finally:
            rate_limit.stop()
            token.settle(SETTLE_SECONDS)

    def _client(
        self,
        config: Config,
        raw: RawConfig,
        rate_limit: RateLimit,
        patience: float,
        answer_seconds: float,
        logger: logging.Logger,
        observe: Observe = ignore,
    ) -> tuple[AsanaClient, AsanaToken]:
        """A client for a config; `raw` is what the platform gets back when a secret changes."""
        connection = self._connection(config.num_workers, answer_seconds)
        token = self._token(config, raw, connection, rate_limit, patience, logger)
        client = AsanaClient(
            api_url=self._asana_url + API_PATH,
            token=token,
            rate_limit=rate_limit,
            connection=connection,
            patience=patience,
            observe=observe,
        )
        return client, token

    def _connection(self, workers: int, answer_seconds: float) -> Connection:
        if _is_address(self._asana_url):
            with suppress(ValueError):  # what `requests` finds wrong with an address
                return Connection(
                    self._asana_url,
                    threads=workers + 1,  # what is asked beside the walk has one too
                    answer_seconds=answer_seconds,
                )
        raise ConfigError(
            "ASANA_BASE_URL must be an address as in https://app.asana.com: "
            "correct that environment variable, or leave it out."
        )

    def _token(
        self,
        config: Config,
        raw: RawConfig,
        connection: Connection,
        rate_limit: RateLimit,
        patience: float,
        logger: logging.Logger,
    ) -> AsanaToken:
        credentials = config.credentials
        if not isinstance(credentials, OAuth):
            keep_secret(credentials.personal_access_token)
            return AsanaToken(credentials.personal_access_token)
        keep_secret(credentials.client_secret, credentials.refresh_token)

        def tell(access_token: str, refresh_token: str | None) -> None:
            keep_secret(access_token)
            if refresh_token:
                keep_secret(refresh_token)
                renewed = dict(with_refresh_token(raw, refresh_token))
                self._write_now(create_connector_config_control_message(renewed))

        def say_wait(why: str, seconds: float) -> None:
            if seconds >= SHORTEST_SAID:
                logger.info(
                    "Asana's token endpoint gives no access token (%s); asking again in %s",
                    why,
                    duration(seconds),
                )

        return OAuthToken(
            credentials,
            asana_url=self._asana_url,
            connection=connection,
            sleep=rate_limit.sleep,
            tell=tell,
            say_wait=say_wait,
            patience=patience,
        )

    def _checked(self, logger: logging.Logger, raw: RawConfig) -> str:
        """Who the token is and what it sees, in words; raise ConfigError when that is nothing."""
        config = parse_config(raw)
        rate_limit = RateLimit()
        self._end_waits = rate_limit.stop
        answer_seconds = min(self._answer_seconds, CHECK_ANSWER_SECONDS)
        client, token = self._client(
            config, raw, rate_limit, CHECK_PATIENCE, answer_seconds, logger
        )
        why_stop = self._why_stop(rate_limit, self._check_seconds)
        try:
            account = run_until(lambda: _checked_account(client, config), why_stop)
            doubts: list[str] = []
            try:
                run_until(lambda: doubts.extend(_doubts(client, account, config)), why_stop)
            except (AsanaFailure, OutOfTime, TokenUnavailable) as failure:
                doubts.append(f"What else the token can read could not be asked: {failure}")
        finally:
            rate_limit.stop()
            token.settle(SETTLE_SECONDS)
        for doubt in doubts.copy():
            logger.warning("%s", doubt)
        return f"Connected as {account.name}, who sees {account.names}"


def _checked_account(client: AsanaClient, config: Config) -> Account:
    account = account_of(client)
    check_config(client, config, account)
    return account


def _doubts(client: AsanaClient, account: Account, config: Config) -> Iterator[str]:
    """What a sync would lack, in words."""
    yield from unseen_exclusions(client, config.filters)
    yield from refused_streams(client, account, config.filters)


def _out_of_time(wait: float, deadline: Deadline, seconds: float) -> OutOfTime | None:
    """Why a check cannot go on, where Asana makes it wait for too long, or does not answer."""
    left = deadline.seconds_left()
    if wait > left and wait > 0:
        return OutOfTime(
            "The rate limit of this token is used up, maybe by another sync. "
            f"Try again in {duration(wait)}."
        )
    if left > 0:
        return None
    return OutOfTime(
        f"Asana has not answered within {duration(seconds)}. Check the network, or try again later."
    )


def _is_address(url: str) -> bool:
    if not re.fullmatch("[!-~]+", url):
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    is_web = parts.scheme in ("https", "http")
    # A user's name in the address would be sent in the place of the token.
    is_alone = parts.username is None and not parts.query and not parts.fragment
    return is_web and bool(parts.hostname) and port != 0 and is_alone


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
    )


def _refuse_repeated(catalog: ConfiguredAirbyteCatalog) -> None:
    names = Counter(configured.stream.name for configured in catalog.streams)
    if repeated := sorted(name for name, times in names.items() if times > 1):
        raise ConfigError(
            f"The configured catalog names {', '.join(repeated)} more than once: "
            "choose one sync mode for each stream."
        )


def _selection(configured: ConfiguredAirbyteStream) -> Selection:
    """What the catalog says of a stream; a mode that the stream has not got is a full refresh."""
    stream = STREAMS[configured.stream.name]
    columns = configured.stream.json_schema.get("properties")
    return Selection(
        columns=columns if isinstance(columns, Mapping) and columns else None,
        incremental=configured.sync_mode is SyncMode.incremental and bool(stream.cursor_field),
    )


def _marks(
    selected: Mapping[StreamClass, Selection],
    state: Iterable[AirbyteStateMessage],
    filters: Filters,
    logger: logging.Logger,
) -> dict[StreamClass, Marks]:
    """What the incoming state says of the selected streams. Raises ConfigError."""
    marks: dict[StreamClass, Marks] = {}
    for message in state:
        told = message.stream
        stream = STREAMS.get(told.stream_descriptor.name) if told else None
        if told is None or stream is None or stream not in selected:
            continue
        blob = dict(told.stream_state.__dict__) if told.stream_state else {}
        read = incremental_marks if selected[stream].incremental else done_projects
        try:
            marks[stream] = read(blob, coverage_of(stream, filters))
        except UnknownState:
            raise ConfigError(
                f"The state of {stream.stream_name()} is not one that this version can go on from: "
                "clear the stream, or reset its state, so that it is read in full."
            ) from None
        logger.debug("%s goes on from %s projects", stream.stream_name(), len(marks[stream]))
    return marks
