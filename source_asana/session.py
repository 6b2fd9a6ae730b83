"""Sessions with Asana: the client, connection and token of a config, and how they end."""

import logging
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from urllib.parse import urlsplit

from airbyte_cdk.config_observation import create_connector_config_control_message
from airbyte_cdk.models import AirbyteMessage

from source_asana.airbyte.errors import ConfigError, Interrupted, OutOfTime
from source_asana.airbyte.secrecy import keep_secret
from source_asana.asana.auth import AsanaToken, OAuth, OAuthToken
from source_asana.asana.client import API_PATH, AsanaClient
from source_asana.asana.connection import FORM_GRACE_SECONDS, Connection
from source_asana.asana.errors import duration
from source_asana.asana.observed import Observe
from source_asana.asana.rate_limit import RateLimit
from source_asana.asana.retry import RetryPolicy
from source_asana.config import Config, RawConfig, with_refresh_token
from source_asana.deadline import Deadline, Watch

SETTLE_SECONDS = FORM_GRACE_SECONDS
"""How long a command waits at its end for a new refresh token on its way from Asana."""

SHORTEST_SAID = 1.0
"""Shorter waits, in seconds, get no line in the log."""


@dataclass(frozen=True)
class Limits:
    """How long requests may take.

    `patience`: seconds for which a failing request is retried. `answer_seconds`: how long one
    answer may take. `seconds_left`: until the command must have ended.
    """

    patience: float
    answer_seconds: float
    seconds_left: Callable[[], float] = lambda: inf


@dataclass(frozen=True)
class Session:
    """A client, and the token and the rate limit of its requests."""

    client: AsanaClient
    token: AsanaToken
    rate_limit: RateLimit

    def end(self) -> None:
        """End all waits; then wait for a new refresh token that is on its way."""
        self.rate_limit.stop()
        self.token.settle(SETTLE_SECONDS)

    def watch(self, deadline: Deadline, seconds: float, is_stopped: Callable[[], bool]) -> Watch:
        """Watch calls that may take `seconds`, until the deadline or until `is_stopped`."""

        def why_stop() -> Exception | None:
            if is_stopped():
                return Interrupted()
            return _out_of_time(self.rate_limit.seconds_to_wait(), deadline, seconds)

        return Watch(why_stop)


class Opening:
    """Opens sessions with the Asana at an address. `write`: writes a message at once."""

    def __init__(
        self,
        asana_url: str,
        limits: Limits,
        write: Callable[[AirbyteMessage], None],
        logger: logging.Logger,
    ) -> None:
        self._asana_url = asana_url.strip().rstrip("/").removesuffix(API_PATH)
        self._limits = limits
        self._write = write
        self._logger = logger

    def session(
        self, config: Config, raw: RawConfig, rate_limit: RateLimit, observe: Observe
    ) -> Session:
        """Make a session for a config; the platform gets `raw` back when a secret changes.

        Raises ConfigError for an address that is not one.
        """
        connection = self._connection(config.num_workers)
        token = self._token(config, raw, connection, rate_limit)
        client = AsanaClient(
            api_url=self._asana_url + API_PATH,
            token=token,
            rate_limit=rate_limit,
            connection=connection,
            retry=RetryPolicy(self._limits.patience),
            observe=observe,
        )
        return Session(client, token, rate_limit)

    def _connection(self, workers: int) -> Connection:
        if _is_address(self._asana_url):
            with suppress(ValueError):  # what `requests` finds wrong with an address
                return Connection(
                    self._asana_url,
                    threads=workers + 1,  # what is asked beside the walk has one too
                    answer_seconds=self._limits.answer_seconds,
                    seconds_left=self._limits.seconds_left,
                )
        raise ConfigError(
            "The environment variable ASANA_BASE_URL must be an address like "
            "https://app.asana.com - correct or remove it."
        )

    def _token(
        self,
        config: Config,
        raw: RawConfig,
        connection: Connection,
        rate_limit: RateLimit,
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
                self._write(create_connector_config_control_message(renewed))

        def say_wait(why: str, seconds: float) -> None:
            if seconds >= SHORTEST_SAID:
                self._logger.info(
                    "No access token from Asana (%s); retrying in %s",
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
            retry=RetryPolicy(self._limits.patience),
        )


def _out_of_time(wait: float, deadline: Deadline, seconds: float) -> OutOfTime | None:
    """Say why a check cannot go on: Asana makes it wait too long, or does not answer."""
    left = deadline.seconds_left()
    if wait > left and wait > 0:
        return OutOfTime(
            "The rate limit of this token is used up, maybe by another sync. "
            f"Try again in {duration(wait)}."
        )
    if left > 0:
        return None
    return OutOfTime(
        f"Asana did not answer within {duration(seconds)}. Check the network, or try again later."
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
    # A user name in the address would be sent instead of the token.
    is_alone = parts.username is None and not parts.query and not parts.fragment
    return is_web and bool(parts.hostname) and port != 0 and is_alone
