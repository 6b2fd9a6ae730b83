"""One request on the wire, and what comes back, whatever the network does to it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from math import isfinite
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pendulum
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, NameResolutionError

from source_asana.errors import ConfigError

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 180.0
"""How long Asana may take for an answer; its heaviest ones take about a minute."""

CHUNK = 1 << 18
USER_AGENT = "airbyte-source-asana"
NO_COMMON_LANGUAGE = (
    "WRONG_VERSION_NUMBER",
    "UNSUPPORTED_PROTOCOL",
    "PROTOCOL_VERSION",
    "HANDSHAKE_FAILURE",
)
"""What OpenSSL says when trying again is vain; a broken connection is a fault of TLS too."""


@dataclass(frozen=True)
class Answer:
    """What came back: a status and a JSON object, or the reason why there is none to use.

    `status` is 0 where nothing came back. `retry_after`: the seconds that Asana asks for. `date`:
    Asana's clock, as in the header.
    """

    status: int
    body: dict[str, Any] | None = None
    retry_after: float | None = None
    broken: str | None = None
    date: str | None = None

    @property
    def is_ok(self) -> bool:
        """Whether it is what was asked for."""
        return self.status == HTTPStatus.OK and not self.broken

    @property
    def redirects(self) -> bool:
        """Whether somebody between wants the request to go elsewhere."""
        return is_redirect(self.status)


class Connection:
    """The way to one address, by the proxies and certificates that the environment names.

    Safe for many threads. `threads`: how many may use it without waiting. `answer_seconds`: how
    long an answer may take, from the request to its last byte. Redirects are not followed: what a
    request carries goes to nobody else.
    """

    def __init__(
        self,
        address: str,
        *,
        threads: int,
        answer_seconds: float = ANSWER_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = urlsplit(address)
        self._host = parts.netloc.rpartition("@")[2]
        self._answer_seconds = answer_seconds
        self._clock = clock
        self._session = requests.Session()
        adapter = HTTPAdapter(pool_connections=2, pool_maxsize=threads)
        self._session.mount(f"{parts.scheme}://", adapter)
        self._session.headers["User-Agent"] = USER_AGENT
        # The environment is looked at once: for each request it would cost more than the request.
        self._environment = self._session.merge_environment_settings(
            address, proxies={}, stream=True, verify=None, cert=None
        )
        self._session.trust_env = False
        self._get = self._session.prepare_request(requests.Request("GET", address))
        certificates = self._environment["verify"]
        if isinstance(certificates, str) and not Path(certificates).exists():
            raise ConfigError(
                f"There are no certificates at {certificates}: correct the environment variable "
                "REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE), or put them there."
            )

    def get(self, url: str, *, token: str) -> Answer:
        """The answer to a GET of a URL that is quoted already.

        Raises ConfigError where the other end's certificate is refused.
        """
        request = self._get.copy()
        request.url = url
        request.headers["Authorization"] = f"Bearer {token}"
        return self._send(request)

    def post(self, url: str, form: Mapping[str, str]) -> Answer:
        """The answer to a form. Raises like `get`."""
        return self._send(self._session.prepare_request(requests.Request("POST", url, data=form)))

    def _send(self, request: requests.PreparedRequest) -> Answer:
        deadline = self._clock() + self._answer_seconds
        try:
            with self._session.send(
                request,
                timeout=(min(CONNECT_SECONDS, self._answer_seconds), self._answer_seconds),
                allow_redirects=False,
                **self._environment,
            ) as response:
                content = self._content(response, deadline)
                return answer_of(response.status_code, response.headers, content)
        except requests.exceptions.SSLError as error:
            if distrust := self._distrust(error):
                raise ConfigError(distrust) from None
            return Answer(0, broken=self._why(error))
        except (requests.RequestException, HTTPError, OSError) as error:
            return Answer(0, broken=self._why(error))

    def _content(self, response: requests.Response, deadline: float) -> bytes:
        """The whole body, however slowly it comes, but not for longer than the deadline."""
        chunks: list[bytes] = []
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            chunks.append(chunk)
            if self._clock() > deadline:
                raise requests.ReadTimeout
        return b"".join(chunks)

    def _distrust(self, error: Exception) -> str | None:
        """What the user has to mend before TLS can work, if it is not a passing fault."""
        words = str(error)
        if "CERTIFICATE_VERIFY_FAILED" in words:
            return (
                f"The certificate of {self._host} is not trusted here: if a proxy inspects the "
                "traffic, make its authority known to this machine (REQUESTS_CA_BUNDLE)."
            )
        if any(reason in words for reason in NO_COMMON_LANGUAGE):
            return (
                f"{self._host} and this machine cannot agree on how to speak TLS: "
                "check the proxy and the address that stand between them."
            )
        return None

    def _why(self, error: Exception) -> str:
        if isinstance(error, requests.exceptions.ProxyError):
            return f"no answer, for the proxy on the way to {self._host} does not let it through"
        if isinstance(
            error, (requests.exceptions.InvalidProxyURL, requests.exceptions.InvalidSchema)
        ):
            return f"no answer, for the environment names a proxy to {self._host} that is none"
        if isinstance(error, requests.ConnectTimeout):
            return f"no connection to {self._host} in time"
        if isinstance(error, requests.Timeout):
            return f"no answer from {self._host} in time"
        cause = getattr(error.args[0] if error.args else None, "reason", None)
        if isinstance(cause, NameResolutionError):
            return f"no answer, for the name {self._host} is not known here"
        return f"no answer, for the connection to {self._host} was lost or refused"


def answer_of(status: int, headers: Mapping[str, str], content: bytes) -> Answer:
    """What a response says, whether or not it is what Asana's reference promises."""
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        body = None
    date = headers.get("Date")
    return Answer(
        status,
        body if isinstance(body, dict) else None,
        seconds_of(headers.get("Retry-After"), date),
        _broken(status, headers, body),
        date,
    )


def seconds_of(retry_after: str | None, date: str | None) -> float | None:
    """The seconds of a `Retry-After`, which may be a time of the day too; None for nonsense."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        now = moment_of(date) if date else pendulum.now("UTC")
        then = moment_of(retry_after)
        if now is None or then is None:
            return None
        seconds = (then - now).total_seconds()
    return max(0.0, seconds) if isfinite(seconds) else None


def moment_of(header: str | None) -> datetime | None:
    """The time in a header, as HTTP writes it; None where there is none that makes sense."""
    try:
        return pendulum.instance(parsedate_to_datetime(header)) if header else None
    except (ValueError, OverflowError):
        return None


def is_redirect(status: int) -> bool:
    """Whether a status sends the request elsewhere."""
    return HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST


def _broken(status: int, headers: Mapping[str, str], body: Any) -> str | None:
    """Why an answer cannot be Asana's, if it cannot."""
    if isinstance(body, dict):
        return None
    if status == HTTPStatus.OK:
        return "an answer that is not Asana's, or only a part of it"
    if "html" in headers.get("Content-Type", "") and not is_redirect(status):
        return f"an answer {status} that is not Asana's"
    return None
