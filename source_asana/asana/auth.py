"""Who asks: personal access tokens and OAuth. https://developers.asana.com/docs/authentication"""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from math import isfinite
from typing import Any

from source_asana.asana.connection import Connection
from source_asana.asana.errors import ConfigError, TokenUnavailable, duration

TOKEN_PATH = "/-/oauth_token"  # noqa: S105 - a path
RENEW_EARLY = 300.0
"""Seconds before its end at which an access token is renewed: a request may wait before it goes."""

LIFETIME = 3600.0
"""Seconds for which an access token is good where Asana does not say."""

LEAST_USE = 60.0
"""Seconds for which an access token is used at least, however soon it is said to end.

If it does end before, Asana answers 401, and then it is renewed.
"""

SHORTEST_WAIT = 0.5
REFUSED = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
LONGEST_BACKOFF = 30.0


@dataclass(frozen=True)
class PersonalAccessToken:
    """Acts as the user who made it, or as a service account."""

    personal_access_token: str


@dataclass(frozen=True)
class OAuth:
    """Acts as the user who gave consent to an app."""

    client_id: str
    client_secret: str
    refresh_token: str


class AsanaToken:
    """A personal access token, or a service account's: sent as it is."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def current(self) -> str:
        """The token to send now."""
        return self._secret

    def renew(self, rejected: str) -> bool:
        """Whether there is a newer token than the one that Asana rejected."""
        return rejected != self.current()

    def settle(self, seconds: float) -> None:
        """Wait, for so long at most, until each secret that Asana is about to give is told."""


class OAuthToken(AsanaToken):
    """Access tokens of about an hour, each bought with the refresh token.

    One worker renews and the others wait for it, and share its failure. `patience`: seconds for
    which an endpoint that does not answer is asked again. `tell` is told each secret that Asana
    gives, before that is used: the access token, and the refresh token where that is a new one,
    after which the old one may be void. `say_wait` is told why the endpoint is asked again, and in
    how many seconds. `sleep` raises Stopped when the sync ends. Raises ConfigError when Asana
    refuses the refresh token, TokenUnavailable when its token endpoint does not answer.
    https://developers.asana.com/docs/oauth
    """

    def __init__(
        self,
        credentials: OAuth,
        *,
        asana_url: str,
        connection: Connection,
        sleep: Callable[[float], None],
        tell: Callable[[str, str | None], None],
        say_wait: Callable[[str, float], None],
        patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__("")
        self._form = {
            "grant_type": "refresh_token",
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
            "refresh_token": credentials.refresh_token,
        }
        self._url = asana_url + TOKEN_PATH
        self._connection = connection
        self._sleep = sleep
        self._tell = tell
        self._say_wait = say_wait
        self._patience = patience
        self._clock = clock
        self._renew_at = 0.0
        self._one_renewal = threading.Lock()
        self._failure: tuple[float, Exception] | None = None

    def current(self) -> str:
        """The access token, renewed where it is about to end."""
        asked_at = self._clock()
        with self._one_renewal:
            if not self._secret or self._clock() >= self._renew_at:
                self._buy(asked_at)
            return self._secret

    def renew(self, rejected: str) -> bool:
        """Renew unless another worker has done so since; there is always a newer token then."""
        asked_at = self._clock()
        with self._one_renewal:
            if rejected == self._secret:
                self._buy(asked_at)
        return True

    def settle(self, seconds: float) -> None:
        """Wait as said, for a purchase that is under way."""
        if self._one_renewal.acquire(timeout=seconds):
            self._one_renewal.release()

    def _buy(self, asked_at: float) -> None:
        if self._failure and self._failure[0] >= asked_at:
            raise self._failure[1]  # of the worker for which this one has waited
        self._sleep(0)  # a token that nobody will use is not bought
        try:
            bought = self._bought()
        except (ConfigError, TokenUnavailable) as failure:
            self._failure = (self._clock(), failure)
            raise
        secret, given = bought["access_token"], bought.get("refresh_token")
        is_new = _is_token(given) and given != self._form["refresh_token"]
        if is_new:
            self._form["refresh_token"] = str(given)
        self._tell(secret, given if is_new else None)
        lifetime = _lifetime(bought.get("expires_in"))
        use = max(lifetime - RENEW_EARLY, lifetime / 2, LEAST_USE)
        self._renew_at = self._clock() + use
        self._secret = secret

    def _bought(self) -> Mapping[str, Any]:
        started = self._clock()
        tries = 0
        while True:
            answer = self._connection.post(self._url, self._form)
            if answer.is_ok and answer.body and _is_token(answer.body.get("access_token")):
                return answer.body
            if answer.status in REFUSED and answer.body is not None:
                raise ConfigError(
                    f"Asana refused the OAuth credentials ({_reason(answer.body)}): "
                    "authenticate with Asana again and save the connection."
                )
            why = answer.broken or f"HTTP {answer.status}"
            left = started + self._patience - self._clock()
            if answer.retry_after:
                wait = max(answer.retry_after, SHORTEST_WAIT)
                if wait > left:
                    raise TokenUnavailable(f"{why}, try again in {duration(wait)}")
            else:
                wait = min(2.0**tries, LONGEST_BACKOFF, self._patience)
                if tries and wait > left:
                    raise TokenUnavailable(why)
            tries += 1
            self._say_wait(why, wait)
            self._sleep(wait)


def _lifetime(expires_in: Any) -> float:
    """The seconds for which a token is good; an hour, where what is said makes no sense."""
    if isinstance(expires_in, bool):
        return LIFETIME
    try:
        seconds = float(expires_in)
    except (TypeError, ValueError, OverflowError):
        return LIFETIME
    return seconds if isfinite(seconds) and seconds > 0 else LIFETIME


def _is_token(given: Any) -> bool:
    """Whether it can be sent as a token, and stand in a config."""
    return isinstance(given, str) and re.fullmatch("[!-~]+", given) is not None


def _reason(body: Any) -> str:
    """The endpoint's error code; its description may quote the token, so it is not repeated."""
    return (
        str(body.get("error", "no reason given")) if isinstance(body, dict) else "no reason given"
    )
