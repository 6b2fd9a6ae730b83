"""Who asks: personal access tokens and OAuth. https://developers.asana.com/docs/authentication"""

import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from source_asana.config import OAuth
from source_asana.connection import Connection
from source_asana.errors import ConfigError, TokenUnavailable

TOKEN_PATH = "/-/oauth_token"  # noqa: S105 - a path
RENEW_EARLY = 300.0
"""Seconds before its end at which an access token is renewed: a request may wait before it goes."""

LIFETIME = 3600.0
REFUSED = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
LONGEST_BACKOFF = 30.0


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


class OAuthToken(AsanaToken):
    """Access tokens of about an hour, each bought with the refresh token.

    One worker renews and the others wait for it, and share its failure. `patience`: seconds for
    which an endpoint that does not answer is asked again. `tell` is told each secret that Asana
    gives: the access token, and the refresh token where that is a new one, after which the old one
    may be void. Raises ConfigError when Asana refuses the refresh token, TokenUnavailable when its
    token endpoint does not answer.
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

    def _buy(self, asked_at: float) -> None:
        if self._failure and self._failure[0] >= asked_at:
            raise self._failure[1]  # of the worker for which this one has waited
        try:
            bought = self._bought()
        except (ConfigError, TokenUnavailable) as failure:
            self._failure = (self._clock(), failure)
            raise
        self._secret = str(bought["access_token"])
        lifetime = _lifetime(bought.get("expires_in"))
        self._renew_at = self._clock() + max(lifetime - RENEW_EARLY, lifetime / 2)
        given = bought.get("refresh_token")
        is_new = bool(given) and given != self._form["refresh_token"]
        if is_new:
            self._form["refresh_token"] = str(given)
        self._tell(self._secret, str(given) if is_new else None)

    def _bought(self) -> Mapping[str, Any]:
        started = self._clock()
        tries = 0
        while True:
            answer = self._connection.post(self._url, self._form)
            if answer.is_ok and answer.body and answer.body.get("access_token"):
                return answer.body
            if answer.status in REFUSED and answer.body is not None:
                raise ConfigError(
                    f"Asana refused the OAuth credentials ({_reason(answer.body)}): "
                    "authenticate with Asana again and save the connection."
                )
            backoff = answer.retry_after or min(2.0**tries, LONGEST_BACKOFF, self._patience)
            if tries and self._clock() + backoff - started > self._patience:
                raise TokenUnavailable(answer.broken or f"HTTP {answer.status}")
            tries += 1
            self._sleep(backoff)


def _lifetime(expires_in: Any) -> float:
    try:
        return float(expires_in) if expires_in else LIFETIME
    except (TypeError, ValueError):
        return LIFETIME


def _reason(body: Any) -> str:
    """The endpoint's error code; its description may quote the token, so it is not repeated."""
    return (
        str(body.get("error", "no reason given")) if isinstance(body, dict) else "no reason given"
    )
