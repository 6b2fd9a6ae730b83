"""The connector: spec, check, discover and read."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import closing
from functools import cache, partial
from math import inf
from typing import Any

from airbyte_cdk.models import (
    AirbyteCatalog,
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteStateMessage,
    ConfiguredAirbyteCatalog,
    ConnectorSpecification,
    Status,
)
from airbyte_cdk.sources import Source
from airbyte_cdk.sources.message import InMemoryMessageRepository, MessageRepository
from airbyte_cdk.utils import AirbyteTracedException

from source_asana.airbyte.catalog import airbyte_stream, selected_in
from source_asana.airbyte.due import SILENT_SECONDS, Due
from source_asana.airbyte.errors import (
    Interrupted,
    OutOfTime,
    airbyte_errors,
    unexpected,
)
from source_asana.airbyte.messages import Message, RecordBatch
from source_asana.airbyte.outcome import advice_on
from source_asana.airbyte.platform import Platform
from source_asana.airbyte.secrecy import mask_log
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
from source_asana.inputs import catalog_in, config_in, state_in
from source_asana.reading.shortcuts.evidence import Terms
from source_asana.session import SETTLE_SECONDS, Limits, Opening, Session
from source_asana.streams.declared import STREAMS
from source_asana.sync import former_state, other_hosts, parts_of, with_projects_of_groups
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
        return AirbyteCatalog(streams=[airbyte_stream(stream) for stream in STREAMS.values()])

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
        selected, unknown = selected_in(catalog)
        former = former_state(selected, state or [], settings.filters, self.terms, logger)
        rate_limit = RateLimit(Governor(settings.requests_per_minute or PLANS_PER_MINUTE[-1]))
        session = self._session(settings, config, rate_limit, self._limits, logger)
        _warn_of_settings(logger, config, settings, session.client)
        platform = Platform(
            lambda: self._is_stopped, self._messages.consume_queue, rate_limit.seconds_to_wait
        )
        try:
            named = with_projects_of_groups(session.client, settings, selected)
            others = other_hosts(
                session, named, selected, self._transfer, self._asana_url, state or []
            )
            walk, reporter = parts_of(
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
