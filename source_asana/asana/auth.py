"""The token of each request: personal access tokens and OAuth.

https://developers.asana.com/docs/authentication
"""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from math import isfinite
from typing import Any

from source_asana.asana.connection import Connection
from source_asana.asana.errors import (
    AsanaFailure,
    FatalError,
    SetupError,
    TokenUnavailable,
    duration,
)
from source_asana.asana.retry import RetryPolicy

TOKEN_PATH = "/-/oauth_token"  # noqa: S105 - a path
RENEW_EARLY_SECONDS = 300.0
"""How long before its end an access token is renewed: a request may wait before it goes."""

DEFAULT_LIFETIME_SECONDS = 3600.0
"""How long an access token is valid where Asana does not say."""

MIN_USE_SECONDS = 60.0
"""How long an access token is used at least, however soon it is said to end.

If it ends earlier, Asana answers 401, and it is renewed then.
"""

REFUSED = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
NO_REASON = "no reason given"


@dataclass(frozen=True)
class PersonalAccessToken:
    """Acts as the user who created it, or as a service account."""

    personal_access_token: str


@dataclass(frozen=True)
class OAuth:
    """Acts as the user who authorized an app."""

    client_id: str
    client_secret: str
    refresh_token: str


class AsanaToken:
    """A personal access token or a service account's token, sent as it is."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def current(self) -> str:
        """The token to send now."""
        return self._secret

    def renew(self, rejected: str) -> bool:
        """Return whether there is a newer token than the one that Asana rejected."""
        return rejected != self.current()

    def settle(self, seconds: float) -> None:
        """Wait until no renewal is under way, but no longer than `seconds`."""


class TokenEndpoint:
    """Asana's endpoint that gives access tokens, asked until it answers or patience ends.

    `say_wait`: is told why the endpoint is asked again, and in how many seconds. `sleep` raises
    Stopped when the sync ends. https://developers.asana.com/docs/oauth
    """

    def __init__(
        self,
        url: str,
        connection: Connection,
        *,
        retry: RetryPolicy,
        sleep: Callable[[float], None],
        say_wait: Callable[[str, float], None],
        clock: Callable[[], float],
    ) -> None:
        self._url = url
        self._connection = connection
        self._retry = retry
        self._sleep = sleep
        self._say_wait = say_wait
        self._clock = clock

    def response_to(self, form: Mapping[str, str]) -> Mapping[str, Any]:
        """The body of an answer that has an access token.

        Raises SetupError where Asana refuses the form, TokenUnavailable where it does not answer.
        """
        started = self._clock()
        tries = 0
        self._sleep(0)  # raises Stopped: no token is needed any more
        while True:
            answer = self._connection.post(self._url, form)
            if answer.is_ok and answer.body and _is_token(answer.body.get("access_token")):
                return answer.body
            if answer.status in REFUSED and answer.body is not None:
                raise SetupError(
                    f"Asana refused the OAuth credentials ({_reason(answer.body)}). "
                    "Authenticate again, then save the connection."
                )
            reason = answer.problem or f"HTTP {answer.status}"
            wait = self._retry.next_wait_seconds(
                tries, self._clock() - started, retry_after=answer.retry_after
            )
            if wait is None and answer.retry_after:
                raise TokenUnavailable(f"{reason}, try again in {duration(answer.retry_after)}")
            if wait is None:
                raise TokenUnavailable(reason)
            tries += 1
            self._say_wait(reason, wait)
            self._sleep(wait)


class OAuthToken(AsanaToken):
    """Access tokens of about an hour, which a refresh token gets from Asana's token endpoint.

    One worker renews; the others wait for it and share its failure. `tell`: is told each access
    token before it is used, and each new refresh token, which makes the old one void. Raises like
    TokenEndpoint. https://developers.asana.com/docs/oauth
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
        retry: RetryPolicy,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__("")
        self._form = {
            "grant_type": "refresh_token",
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
            "refresh_token": credentials.refresh_token,
        }
        self._endpoint = TokenEndpoint(
            asana_url + TOKEN_PATH,
            connection,
            retry=retry,
            sleep=sleep,
            say_wait=say_wait,
            clock=clock,
        )
        self._tell = tell
        self._clock = clock
        self._renew_at = 0.0
        self._renewing = threading.Lock()
        self._failure: tuple[float, Exception] | None = None

    def current(self) -> str:
        """The access token, renewed if it is about to end."""
        called_at = self._clock()
        with self._renewing:
            if not self._secret or self._clock() >= self._renew_at:
                self._renew(called_at)
            return self._secret

    def renew(self, rejected: str) -> bool:
        """Renew, unless another worker already has. Returns True: there is a newer token now."""
        called_at = self._clock()
        with self._renewing:
            if rejected == self._secret:
                self._renew(called_at)
        return True

    def settle(self, seconds: float) -> None:
        if self._renewing.acquire(timeout=seconds):
            self._renewing.release()

    def _renew(self, called_at: float) -> None:
        if self._failure:
            failed_at, failure = self._failure
            if isinstance(failure, SetupError) or failed_at >= called_at:
                raise failure  # it is for good, or that of the worker that this one waited for
        try:
            response = self._endpoint.response_to(self._form)
        except FatalError as failure:
            self._failure = (self._clock(), failure)
            raise
        secret, given = response["access_token"], response.get("refresh_token")
        is_new = _is_token(given) and given != self._form["refresh_token"]
        if is_new:
            self._form["refresh_token"] = str(given)
        self._tell(secret, given if is_new else None)
        lifetime = _lifetime_seconds(response.get("expires_in"))
        use_seconds = max(lifetime - RENEW_EARLY_SECONDS, lifetime / 2, MIN_USE_SECONDS)
        self._renew_at = self._clock() + use_seconds
        self._secret = secret


class TokenCheck:
    """Whether Asana still accepts the token, asked once for all workers that want to know."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._checking = threading.Lock()
        self._checked_at = float("-inf")
        self._outcome: bool | AsanaFailure = False

    def is_valid(self, since: float, ask: Callable[[], bool]) -> bool:
        """Whether the token was valid at a time after `since`. `ask`: asks Asana.

        Raises the AsanaFailure that `ask` raises.
        """
        with self._checking:
            if self._checked_at < since:
                checked_at = self._clock()
                try:
                    self._outcome = ask()
                except AsanaFailure as failure:
                    self._outcome = failure
                self._checked_at = checked_at
            if isinstance(self._outcome, AsanaFailure):
                raise self._outcome
            return self._outcome


def _lifetime_seconds(expires_in: Any) -> float:
    """How long a token is valid; the default where Asana's `expires_in` is not usable."""
    if isinstance(expires_in, bool):
        return DEFAULT_LIFETIME_SECONDS
    try:
        seconds = float(expires_in)
    except (TypeError, ValueError, OverflowError):
        return DEFAULT_LIFETIME_SECONDS
    return seconds if isfinite(seconds) and seconds > 0 else DEFAULT_LIFETIME_SECONDS


def _is_token(given: Any) -> bool:
    """Whether a value can be sent as a token and saved in a config."""
    return isinstance(given, str) and re.fullmatch("[!-~]+", given) is not None


def _reason(body: Any) -> str:
    """The endpoint's error code. Its description may quote the token, so it is left out."""
    return str(body.get("error", NO_REASON)) if isinstance(body, dict) else NO_REASON
