"""One request on the wire, and what comes back, whatever the network does to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pendulum
import requests
from urllib3 import Timeout
from urllib3.exceptions import HTTPError, NameResolutionError, ReadTimeoutError

from source_asana.asana.errors import ConfigError
from source_asana.asana.json_text import NotJson, Parsed, parsed
from source_asana.asana.timed_http import TimedAdapter

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 180.0
"""How long Asana may take for an answer; its heaviest ones take about a minute."""

CHUNK = 1 << 18
LARGEST_BODY = 128 << 20
"""Bytes of an unzipped body. A hundred tasks with thousands of enum options are about 40 MB."""

LONGEST_RETRY_AFTER = 3600.0
"""Seconds. Asana's quotas are per minute, so a longer wait is not Asana's."""

TIMEOUTS = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.GATEWAY_TIMEOUT)
USER_AGENT = "airbyte-source-asana"
NO_COMMON_LANGUAGE = (
    "WRONG_VERSION_NUMBER",
    "UNSUPPORTED_PROTOCOL",
    "PROTOCOL_VERSION",
    "HANDSHAKE_FAILURE",
)
"""What OpenSSL says when trying again is vain; a broken connection is a fault of TLS too."""


Admits = Callable[[int], bool]


def all_of_it(_size: int) -> bool:
    """Admit a body of any size."""
    return True


class _NotAdmitted(Exception):
    """A body was not read to its end, but for the first `size` bytes."""

    def __init__(self, status: int, size: int) -> None:
        super().__init__(f"{size} bytes")
        self.status = status
        self.size = size


@dataclass(frozen=True)
class Answer:
    """What came back: a status and a JSON object, or the reason why there is none to use.

    `status` is 0 where nothing came back. `retry_after`: the seconds that Asana asks for. `date`:
    Asana's clock, as in the header. `changes`: the breaking changes that Asana announces.
    `nul_strings`: the number of strings from which U+0000 was removed.
    `size`: the bytes of the body, as far as it was read. `is_given_up`: the rest was not read.
    `timed_out`: Asana, or a gateway, took too long. `header_names`: of the answer, as they came.
    """

    status: int
    body: dict[str, Any] | None = None
    retry_after: float | None = None
    broken: str | None = None
    date: str | None = None
    changes: tuple[str, ...] = ()
    nul_strings: int = 0
    size: int = 0
    is_given_up: bool = False
    timed_out: bool = False
    header_names: tuple[str, ...] = ()

    @property
    def is_ok(self) -> bool:
        """Whether it is what was asked for."""
        return self.status == HTTPStatus.OK and not self.broken

    @property
    def redirects(self) -> bool:
        """Whether somebody between wants the request to go elsewhere."""
        return is_redirect(self.status)


class _TooLarge(Exception):
    """A body has more bytes than any of Asana's."""


class _Session(requests.Session):
    """Follows no redirect, and does not even read where it leads: that may be anything."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: there is nowhere to go."""


class Connection:
    """The way to one address, by the proxies and certificates that the environment names.

    Safe for many threads. `threads`: how many may use it without waiting. `answer_seconds`: how
    long an answer may take, from the request to its last byte. Redirects are not followed: what a
    request carries goes to nobody else. No cookie is kept.
    """

    def __init__(
        self,
        address: str,
        *,
        threads: int,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        parts = urlsplit(address)
        self._host = parts.netloc.rpartition("@")[2]
        self._session = _Session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = TimedAdapter(pool_connections=2, pool_maxsize=threads)
        self._session.mount(f"{parts.scheme}://", adapter)
        self._session.headers["User-Agent"] = USER_AGENT
        # The environment is looked at once: for each request it would cost more than the request.
        self._options: dict[str, Any] = {
            **self._session.merge_environment_settings(
                address, proxies={}, stream=True, verify=None, cert=None
            )
        }
        connect_seconds = min(CONNECT_SECONDS, answer_seconds)
        self._options["timeout"] = Timeout(total=answer_seconds, connect=connect_seconds)
        self._session.trust_env = False
        self._get = self._session.prepare_request(requests.Request("GET", address))
        certificates = self._options["verify"]
        if isinstance(certificates, str) and not Path(certificates).exists():
            raise ConfigError(
                f"There are no certificates at {certificates}: correct the environment variable "
                "REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE), or put them there."
            )

    def get(self, url: str, *, token: str, admits: Admits = all_of_it) -> Answer:
        """The answer to a GET of a URL that is quoted already.

        `admits`: whether to read on after so many bytes of the body; it may wait, but raises
        nothing. Raises ConfigError where the other end's certificate is refused.
        """
        request = self._get.copy()
        request.url = url
        request.headers["Authorization"] = f"Bearer {token}"
        return self._send(request, admits)

    def post(self, url: str, form: Mapping[str, str]) -> Answer:
        """The answer to a form. Raises like `get`."""
        return self._send(self._session.prepare_request(requests.Request("POST", url, data=form)))

    def _send(self, request: requests.PreparedRequest, admits: Admits = all_of_it) -> Answer:
        try:
            with self._session.send(request, allow_redirects=False, **self._options) as response:
                content = _content(response, admits)
                return answer_of(response.status_code, response.headers, content)
        except _NotAdmitted as error:
            return Answer(error.status, size=error.size, is_given_up=True)
        except requests.exceptions.SSLError as error:
            if distrust := self._distrust(error):
                raise ConfigError(distrust) from None
            return Answer(0, broken=self._why(error))
        except (requests.RequestException, HTTPError, OSError) as error:
            is_late = isinstance(error, (requests.ReadTimeout, ReadTimeoutError))
            return Answer(0, broken=self._why(error), timed_out=is_late)
        except _TooLarge:
            megabytes = LARGEST_BODY >> 20
            return Answer(0, broken=f"the answer from {self._host} exceeds {megabytes} MB")
        except Exception as error:  # noqa: BLE001 - what the network sends is no error of ours
            kind = type(error).__name__
            return Answer(0, broken=f"the answer from {self._host} is malformed ({kind})")

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
        if isinstance(error, (requests.Timeout, ReadTimeoutError)):
            return f"no answer from {self._host} in time"
        cause = getattr(error.args[0] if error.args else None, "reason", None)
        if isinstance(cause, NameResolutionError):
            return f"no answer, for the name {self._host} is not known here"
        return f"no answer, for the connection to {self._host} was lost or refused"


def _content(response: requests.Response, admits: Admits) -> bytearray:
    """The whole body, unzipped. Raises _TooLarge and _NotAdmitted, as early as that is known."""
    content = bytearray()
    while chunk := response.raw.read1(CHUNK, decode_content=True):
        content += chunk
        if len(content) > LARGEST_BODY:
            raise _TooLarge
        if not admits(len(content)):
            raise _NotAdmitted(response.status_code, len(content))
    return content


def answer_of(status: int, headers: Mapping[str, str], content: bytes | bytearray) -> Answer:
    """What a response says, whether or not it is what Asana's reference promises."""
    try:
        found = parsed(content)
    except NotJson:
        found = Parsed(None)
    body = found.value
    date = headers.get("Date")
    return Answer(
        status,
        body if isinstance(body, dict) else None,
        seconds_of(headers.get("Retry-After"), date),
        _broken(status, headers, body),
        date,
        _changes(headers.get("Asana-Change")),
        found.nul_strings,
        len(content),
        timed_out=status in TIMEOUTS,
        header_names=tuple(headers),
    )


def _changes(header: str | None) -> tuple[str, ...]:
    """The changes that one or several `Asana-Change` headers announce.

    https://developers.asana.com/docs/deprecations
    """
    return tuple(change.strip() for change in header.split(",")) if header else ()


def seconds_of(retry_after: str | None, date: str | None) -> float | None:
    """The seconds of a `Retry-After`, which may be a time of the day too.

    None where it is absent, nonsense, no time at all, or longer than any quota of Asana's.
    """
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
    return seconds if 0 < seconds <= LONGEST_RETRY_AFTER else None


def moment_of(header: str | None) -> datetime | None:
    """The time in a header, as HTTP writes it; None where there is none that makes sense."""
    try:
        return pendulum.instance(parsedate_to_datetime(header)) if header else None
    except (ValueError, OverflowError, TypeError, IndexError):
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
