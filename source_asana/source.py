"""The connector: spec, check, discover and read, and how the parts are joined."""

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson
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

from source_asana.access import (
    account_of,
    check_config,
    refused_streams,
    unseen_exclusions,
)
from source_asana.agenda import Agenda
from source_asana.auth import AsanaToken, OAuthToken
from source_asana.checkpoints import Checkpoints, reach_of
from source_asana.choice import Choice
from source_asana.client import API_PATH, ASANA_URL, AsanaClient
from source_asana.config import (
    Config,
    OAuth,
    RawConfig,
    migrated,
    parse_config,
    with_refresh_token,
)
from source_asana.connection import ANSWER_SECONDS, Connection
from source_asana.errors import AsanaFailure, ConfigError, Refusal
from source_asana.messages import Message, RecordBatch
from source_asana.oddities import Oddities
from source_asana.outcome import advice_on
from source_asana.plan import Selection, make_plan
from source_asana.progress import Progress
from source_asana.rate_limit import PLANS, Governor, RateLimit
from source_asana.reader import Reader
from source_asana.secrecy import keep_secret
from source_asana.state import Marks, UnknownState, done_projects, incremental_marks
from source_asana.streams import STREAMS, Projects, StreamClass
from source_asana.sync import Sync
from source_asana.walk import Walk

T = TypeVar("T")

CHECK_PATIENCE = 8.0
CHECK_ANSWER_SECONDS = 20.0
"""A check is to be quick: somebody waits for it before a form."""


class SourceAsana(Source):
    """Asana for Airbyte.

    `asana_url`: where Asana is; by default what the operator's environment variable ASANA_BASE_URL
    says, else Asana itself. `patience`: seconds for which a failing request is tried again.
    `answer_seconds`: how long one answer may take. `seconds_between_states`: how often the state of
    what is complete goes out, at most.
    """

    def __init__(
        self,
        *,
        asana_url: str | None = None,
        patience: float = 300.0,
        answer_seconds: float = ANSWER_SECONDS,
        seconds_between_states: float = 1.0,
    ) -> None:
        address = asana_url or os.environ.get("ASANA_BASE_URL") or ASANA_URL
        self._asana_url = address.rstrip("/").removesuffix(API_PATH)
        self._patience = patience
        self._answer_seconds = answer_seconds
        self._seconds_between_states = seconds_between_states
        self._messages = InMemoryMessageRepository()
        self._is_stopped = False
        self._end_waits: Callable[[], None] = lambda: None

    @staticmethod
    def read_config(config_path: str) -> MutableMapping[str, Any]:
        """The config in a file. Raises ConfigError."""
        content = _of_file("config", config_path, lambda: _json(config_path))
        if not isinstance(content, MutableMapping):
            raise ConfigError(f"The config in {config_path} is not a JSON object, as in {{…}}.")
        return content

    @classmethod
    def read_catalog(cls, catalog_path: str) -> ConfiguredAirbyteCatalog:
        """The configured catalog in a file. Raises ConfigError."""
        return _of_file(
            "configured catalog",
            catalog_path,
            lambda: super(SourceAsana, cls).read_catalog(catalog_path),
        )

    @classmethod
    def read_state(cls, state_path: str) -> list[AirbyteStateMessage]:
        """The state in a file. Raises ConfigError."""
        return _of_file("state", state_path, lambda: super(SourceAsana, cls).read_state(state_path))

    @property
    def message_repository(self) -> MessageRepository:
        """What the platform has to be told of the config: that it has changed."""
        return self._messages

    def configure(self, config: Mapping[str, Any], temp_dir: str) -> Mapping[str, Any]:  # noqa: ARG002
        """Bring an old config into today's shape, and give it back to the platform."""
        if (new_config := migrated(config)) is None:
            return config
        self._messages.emit_message(create_connector_config_control_message(dict(new_config)))
        return new_config

    def stop(self) -> None:
        """End a read soon: with the state of what is complete, and as Interrupted."""
        self._is_stopped = True
        self._end_waits()

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """Whether the token works and sees something, and the config names what there is."""
        try:
            found = self._checked(logger, config)
        except AirbyteTracedException as error:
            return _failed(str(error.message))
        except Refusal as refusal:
            return _failed(
                f"Asana refuses the token what every sync begins with ({refusal}). "
                + advice_on(refusal.status)
            )
        except AsanaFailure as failure:
            return _failed(f"Asana could not be asked: {failure}. Check the network and try again.")
        logger.info(found)
        return AirbyteConnectionStatus(status=Status.SUCCEEDED, message=found)

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
        settings = parse_config(config)
        _refuse_repeated(catalog)
        known = {s.stream.name: s for s in catalog.streams if s.stream.name in STREAMS}
        unknown = [s.stream.name for s in catalog.streams if s.stream.name not in STREAMS]
        selected = {STREAMS[name]: _selection(stream) for name, stream in known.items()}
        choice = settings.choice
        marks = _marks(selected, state or [], choice, logger)
        rate_limit = RateLimit(Governor(settings.requests_per_minute or PLANS[-1]))
        self._end_waits = rate_limit.stop
        client = self._client(settings, config, rate_limit, self._patience, self._answer_seconds)
        oddities = Oddities()
        reader = Reader(client, oddities, with_subtasks=choice.with_subtasks)
        agenda = Agenda(make_plan(selected, choice), selected, marks, settings.gids, choice)
        walk = Walk(agenda, reader, workers=settings.num_workers)
        sync = Sync(
            selected=selected,
            unknown=unknown,
            agenda=agenda,
            checkpoints=Checkpoints(
                selected, marks, agenda.began, self._seconds_between_states, choice
            ),
            give_up=walk.give_up,
            capture_deletions=settings.capture_deletions,
            is_stopped=lambda: self._is_stopped,
            queued=self._messages.consume_queue,
            seconds_to_wait=rate_limit.seconds_to_wait,
            progress=Progress(
                logger,
                client.sent,
                rate_limit.seconds_to_wait,
                walk.open_projects,
                client.noticed,
                oddities,
            ),
            logger=logger,
        )
        try:
            yield from sync.messages(walk.events())
        finally:
            rate_limit.stop()

    def _client(
        self,
        config: Config,
        raw: RawConfig,
        rate_limit: RateLimit,
        patience: float,
        answer_seconds: float,
    ) -> AsanaClient:
        """A client for a config; `raw` is what the platform gets back when a secret changes."""
        if not _is_address(self._asana_url):
            raise ConfigError(
                "ASANA_BASE_URL must be an address as in https://app.asana.com: "
                "correct that environment variable, or leave it out."
            )
        connection = Connection(
            self._asana_url,
            threads=config.num_workers + 1,  # what is asked beside the walk has one too
            answer_seconds=answer_seconds,
        )
        return AsanaClient(
            api_url=self._asana_url + API_PATH,
            token=self._token(config, raw, connection, rate_limit, patience),
            rate_limit=rate_limit,
            connection=connection,
            patience=patience,
        )

    def _token(
        self,
        config: Config,
        raw: RawConfig,
        connection: Connection,
        rate_limit: RateLimit,
        patience: float,
    ) -> AsanaToken:
        credentials = config.credentials
        if not isinstance(credentials, OAuth):
            return AsanaToken(credentials.personal_access_token)

        def tell(access_token: str, refresh_token: str | None) -> None:
            keep_secret(access_token)
            if refresh_token:
                keep_secret(refresh_token)
                renewed = dict(with_refresh_token(raw, refresh_token))
                self._messages.emit_message(create_connector_config_control_message(renewed))

        return OAuthToken(
            credentials,
            asana_url=self._asana_url,
            connection=connection,
            sleep=rate_limit.sleep,
            tell=tell,
            patience=patience,
        )

    def _checked(self, logger: logging.Logger, raw: RawConfig) -> str:
        """Who the token is and what it sees, in words; raise ConfigError when that is nothing."""
        config = parse_config(raw)
        answer_seconds = min(self._answer_seconds, CHECK_ANSWER_SECONDS)
        client = self._client(config, raw, RateLimit(), CHECK_PATIENCE, answer_seconds)
        account = account_of(client)
        check_config(client, config, account)
        try:
            for doubtful in (
                *unseen_exclusions(client, config.choice),
                *refused_streams(client, account, config.choice),
            ):
                logger.warning(doubtful)
        except AsanaFailure as failure:
            logger.warning("What else the token can read could not be asked: %s", failure)
        return f"Connected as {account.name}, who sees {account.names}"


def _json(path: str) -> Any:
    return orjson.loads(Path(path).read_bytes())


def _of_file(what: str, path: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except OSError as error:
        raise ConfigError(f"The {what} cannot be read from {path}: {error.strerror}.") from None
    except Exception:  # noqa: BLE001 - the CDK's parser has exceptions of its own
        raise ConfigError(
            f"The {what} in {path} is not what Airbyte's protocol asks for: check that file."
        ) from None


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    is_web = parts.scheme in ("https", "http")
    # A user's name in the address would be sent in the place of the token.
    return is_web and bool(parts.hostname) and port != 0 and parts.username is None


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
        is_resumable=stream is not Projects and bool(stream.containers()),
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
    choice: Choice,
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
            marks[stream] = read(blob, reach_of(stream, choice))
        except UnknownState:
            raise ConfigError(
                f"The state of {stream.stream_name()} is not one that this version can go on from: "
                "clear the stream, or reset its state, so that it is read in full."
            ) from None
        logger.debug("%s goes on from %s projects", stream.stream_name(), len(marks[stream]))
    return marks
