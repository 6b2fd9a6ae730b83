"""Sends requests to Asana: one at a time, whatever the network does to it."""

from collections.abc import Callable, Mapping
from http.cookiejar import DefaultCookiePolicy
from math import inf
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3 import Timeout
from urllib3.exceptions import HTTPError, NameResolutionError, ReadTimeoutError

from source_asana.asana.answer import Answer, answer_of
from source_asana.asana.errors import SetupError
from source_asana.asana.timed_http import TimedAdapter

CONNECT_SECONDS = 10.0
LEAST_SECONDS = 0.01
FORM_GRACE_SECONDS = 3.0
"""How much longer the answer to a form may take: it may replace a secret that is void from then on.
"""

ANSWER_SECONDS = 180.0
"""How long Asana may take to answer; its slowest answers take about a minute."""

CHUNK_BYTES = 1 << 18
MAX_BODY_BYTES = 128 << 20
"""Of an unzipped body. A hundred tasks with thousands of enum options are about 40 MB."""

USER_AGENT = "airbyte-source-asana"
FINAL_TLS_ERRORS = (
    "WRONG_VERSION_NUMBER",
    "UNSUPPORTED_PROTOCOL",
    "PROTOCOL_VERSION",
    "HANDSHAKE_FAILURE",
)
"""OpenSSL's errors that a retry does not fix; it also reports lost connections as TLS errors."""

MayReadOn = Callable[[int], bool]
"""Whether to read on after so many bytes of a body. It may wait, but raises nothing."""


def read_everything(_size: int) -> bool:
    """Read a body of any size."""
    return True


class _PartlyRead(Exception):
    """Only the first `size` bytes of a body were read."""

    def __init__(self, status: int, size: int) -> None:
        super().__init__(f"{size} bytes")
        self.status = status
        self.size = size


class _TooLarge(Exception):
    """A body has more bytes than any of Asana's."""


class NoRedirects(requests.Session):
    """Follows no redirect, and does not parse its address, which may be malformed."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: there is nowhere to go."""


class Connection:
    """The way to one address, through the proxy and with the certificates of the environment.

    Safe for many threads. `threads`: how many may use it at once without waiting.
    `answer_seconds`: how long an answer may take, from the request to its last byte.
    `seconds_left`: the same, asked when a request begins, if that is less. It follows no redirect,
    so that no token reaches another address, and keeps no cookie.
    Raises SetupError where the CA certificates of the environment do not exist.
    """

    def __init__(
        self,
        address: str,
        *,
        threads: int,
        answer_seconds: float = ANSWER_SECONDS,
        seconds_left: Callable[[], float] = lambda: inf,
    ) -> None:
        self._answer_seconds = answer_seconds
        self._seconds_left = seconds_left
        parts = urlsplit(address)
        self._host = parts.netloc.rpartition("@")[2]
        self._session = NoRedirects()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = TimedAdapter(pool_connections=2, pool_maxsize=threads)
        self._session.mount(f"{parts.scheme}://", adapter)
        self._session.headers["User-Agent"] = USER_AGENT
        # Read the environment once: for each request it would cost more than the request.
        self._options: dict[str, Any] = {
            **self._session.merge_environment_settings(
                address, proxies={}, stream=True, verify=None, cert=None
            )
        }
        self._session.trust_env = False
        self._get = self._session.prepare_request(requests.Request("GET", address))
        require_certificates(self._options["verify"])

    def get(self, url: str, *, token: str, may_read_on: MayReadOn = read_everything) -> Answer:
        """Send a GET to a URL that is already quoted.

        Raises SetupError where TLS fails for a reason that only the user can fix.
        """
        request = self._get.copy()
        request.url = url
        request.headers["Authorization"] = f"Bearer {token}"
        return self._send(request, may_read_on)

    def post(self, url: str, form: Mapping[str, str]) -> Answer:
        """Send a form. Raises like `get`."""
        request = self._session.prepare_request(requests.Request("POST", url, data=form))
        return self._send(request, grace=FORM_GRACE_SECONDS)

    def post_json(self, url: str, content: bytes, *, token: str) -> Answer:
        """Send a JSON body to a URL that is already quoted. Raises like `get`."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        asked = requests.Request("POST", url, data=content, headers=headers)
        return self._send(self._session.prepare_request(asked))

    def _send(
        self,
        request: requests.PreparedRequest,
        may_read_on: MayReadOn = read_everything,
        grace: float = 0.0,
    ) -> Answer:
        seconds = max(LEAST_SECONDS, min(self._answer_seconds, self._seconds_left() + grace))
        timeout = Timeout(total=seconds, connect=min(CONNECT_SECONDS, seconds))
        options = {**self._options, "timeout": timeout}
        try:
            with self._session.send(request, allow_redirects=False, **options) as response:
                content = _content(response, may_read_on)
                return answer_of(response.status_code, response.headers, content)
        except _PartlyRead as error:
            return Answer(error.status, size=error.size, is_partly_read=True)
        except Exception as error:  # noqa: BLE001 - whatever the network sends is an answer
            if isinstance(error, requests.exceptions.SSLError):
                require_tls(self._host, error)
            return Answer(0, problem=why_no_answer(self._host, error), is_timeout=_is_late(error))


def _content(response: requests.Response, may_read_on: MayReadOn) -> bytearray:
    """The whole body, unzipped. Raises _TooLarge and _PartlyRead as soon as that is known."""
    content = bytearray()
    while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
        content += chunk
        if len(content) > MAX_BODY_BYTES:
            raise _TooLarge
        if not may_read_on(len(content)):
            raise _PartlyRead(response.status_code, len(content))
    return content


def require_certificates(path: object) -> None:
    """Raise SetupError where the environment names CA certificates that do not exist."""
    if isinstance(path, str) and not Path(path).exists():
        raise SetupError(
            f"No CA certificates at {path}. Correct the environment variable REQUESTS_CA_BUNDLE "
            "(or CURL_CA_BUNDLE), or add the file."
        )


def require_tls(host: str, error: Exception) -> None:
    """Raise SetupError where TLS fails for good. Return where a retry may help."""
    words = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in words:
        raise SetupError(
            f"The certificate of {host} is not trusted. If a proxy inspects HTTPS traffic, "
            "add its CA certificate (REQUESTS_CA_BUNDLE)."
        ) from None
    if any(reason in words for reason in FINAL_TLS_ERRORS):
        raise SetupError(
            f"TLS handshake with {host} failed. Check the proxy and ASANA_BASE_URL."
        ) from None


def _is_late(error: Exception) -> bool:
    return isinstance(error, (requests.ReadTimeout, ReadTimeoutError))


def why_no_answer(host: str, error: Exception) -> str:  # noqa: PLR0911 - one for each reason
    """Why there is no answer, in words for the user."""
    match error:
        case _TooLarge():
            return f"the response from {host} is larger than {MAX_BODY_BYTES >> 20} MB"
        case requests.exceptions.ProxyError():
            return f"no connection to {host} through the proxy (HTTPS_PROXY)"
        case requests.exceptions.InvalidProxyURL() | requests.exceptions.InvalidSchema():
            return f"invalid proxy address for {host} (HTTPS_PROXY)"
        case requests.ConnectTimeout():
            return f"connecting to {host} timed out"
        case requests.Timeout() | ReadTimeoutError():
            return f"{host} did not respond in time"
        case requests.RequestException() | HTTPError() | OSError():
            cause = getattr(error.args[0] if error.args else None, "reason", None)
            if isinstance(cause, NameResolutionError):
                return f"DNS lookup of {host} failed"
            return f"the connection to {host} was lost or refused"
        case _:
            return f"malformed response from {host} ({type(error).__name__})"
