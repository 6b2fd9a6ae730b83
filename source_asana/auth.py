"""Who asks: personal access tokens and OAuth. https://developers.asana.com/docs/authentication"""

import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import orjson
import requests
from airbyte_cdk.models import FailureType
from requests.auth import AuthBase

from source_asana.errors import AsanaFailure, ConfigError

TOKEN_PATH = "/-/oauth_token"  # noqa: S105 - a path
TOKEN_TIMEOUT = (10, 30)
TOKEN_TRIES = 4
RENEW_EARLY = 300.0
"""Seconds before its end at which an access token is renewed: a request may wait before it goes."""


class AsanaToken(AuthBase):
    """A personal access token, or a service account's: sent as it is."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request."""
        request.headers["Authorization"] = f"Bearer {self.current()}"
        return request

    def current(self) -> str:
        """The token to send now."""
        return self._secret

    def renew(self, rejected: str) -> bool:
        """Whether there is a newer token than that of the `Authorization` which Asana rejected."""
        return rejected != f"Bearer {self.current()}"


class OAuthToken(AsanaToken):
    """Access tokens of about an hour, each bought with the refresh token.

    One worker renews and the others wait for it. Raises ConfigError when Asana refuses the refresh
    token, AsanaFailure when its token endpoint does not answer.
    https://developers.asana.com/docs/oauth
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        refresh_token: str,
        asana_url: str,
        sleep: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__("")
        self._form = {
            "grant_type": "refresh_token",
            "client_id": client_id,
            "client_secret": client_secret,
            "refresh_token": refresh_token,
        }
        self._url = asana_url + TOKEN_PATH
        self._sleep = sleep
        self._clock = clock
        self._renew_at = 0.0
        self._one_renewal = threading.Lock()

    def current(self) -> str:
        """The access token, renewed where it is about to end."""
        with self._one_renewal:
            if not self._secret or self._clock() >= self._renew_at:
                self._buy()
            return self._secret

    def renew(self, rejected: str) -> bool:
        """Renew unless another worker has done so since; there is always a newer token then."""
        with self._one_renewal:
            if rejected == f"Bearer {self._secret}":
                self._buy()
        return True

    def _buy(self) -> None:
        bought = self._token_response()
        self._secret = str(bought["access_token"])
        lifetime = float(bought.get("expires_in") or 3600)
        self._renew_at = self._clock() + max(lifetime - RENEW_EARLY, lifetime / 2)
        # Asana is not known to rotate refresh tokens; where it does, the old one may be void.
        self._form["refresh_token"] = str(
            bought.get("refresh_token") or self._form["refresh_token"]
        )

    def _token_response(self) -> Mapping[str, Any]:
        for tries in range(TOKEN_TRIES):
            if tries:
                self._sleep(2.0**tries)
            try:
                response = requests.post(
                    self._url, data=self._form, timeout=TOKEN_TIMEOUT, allow_redirects=False
                )
                body = orjson.loads(response.content)
            except (requests.RequestException, orjson.JSONDecodeError):
                continue
            if response.ok and isinstance(body, dict) and body.get("access_token"):
                return body
            if HTTPStatus.BAD_REQUEST <= response.status_code < HTTPStatus.TOO_MANY_REQUESTS:
                raise ConfigError(
                    f"Asana refused the OAuth credentials ({_reason(body)}): "
                    "authenticate with Asana again and save the connection."
                )
        raise AsanaFailure(
            FailureType.transient_error, "Asana's token endpoint does not answer", TOKEN_PATH
        )


def _reason(body: Any) -> str:
    """The endpoint's error code; its description may quote the token, so it is not repeated."""
    return (
        str(body.get("error", "no reason given")) if isinstance(body, dict) else "no reason given"
    )
