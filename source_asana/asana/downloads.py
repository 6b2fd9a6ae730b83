"""Downloads files from wherever Asana's links point: without a token, without cookies, in time.

It has nothing of `Connection` but its way through proxies and certificates: each file may be on
another host, none may get the token, and a file is never in memory.
"""

import logging
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from urllib3 import Timeout

from source_asana.asana.connection import (
    CHUNK_BYTES,
    CONNECT_SECONDS,
    LEAST_SECONDS,
    USER_AGENT,
    NoRedirects,
    require_certificates,
    require_tls,
    why_no_answer,
)
from source_asana.asana.errors import SetupError
from source_asana.asana.timed_http import TimedAdapter

FILE_SECONDS = 3600.0
"""How long one file may take: the largest one arrives in time with 0.4 MB a second."""

PAUSE_SECONDS = 60.0
MAX_REDIRECTS = 5
MAY_PASS = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
)
"""The status codes below 500 with which the same link may work later."""


class DownloadFailed(Exception):
    """A file did not come. The text says why, without the link, which is a secret.

    `is_refused`: the link does not work, or not any longer. `is_transient`: it may work later.
    """

    def __init__(self, why: str, *, is_refused: bool = False, is_transient: bool = False) -> None:
        super().__init__(why)
        self.is_refused = is_refused
        self.is_transient = is_transient


def keep_links_out_of_the_log() -> None:
    """Silence urllib3: it warns of odd headers with the whole link, which is a secret."""
    logging.getLogger("urllib3").setLevel(logging.ERROR)


class Downloader:
    """Downloads files. Safe for many threads.

    `threads`: how many may use it at once. `takes_plain_http`: links without TLS are followed too.
    `file_seconds`: how long a file may take, from the request to its last byte. `silent_seconds`:
    how long an answer may pause.
    """

    def __init__(
        self,
        *,
        threads: int,
        takes_plain_http: bool = False,
        file_seconds: float = FILE_SECONDS,
        silent_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._schemes = ("https", "http") if takes_plain_http else ("https",)
        self._file_seconds = file_seconds
        self._environment = requests.Session()
        self._session = NoRedirects()
        self._session.trust_env = False  # it would send passwords of ~/.netrc
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers["User-Agent"] = USER_AGENT
        self._session.headers["Accept-Encoding"] = "identity"
        adapter = TimedAdapter(
            silent_seconds=silent_seconds, pool_connections=threads, pool_maxsize=threads
        )
        for scheme in self._schemes:
            self._session.mount(f"{scheme}://", adapter)

    def fetch(
        self, link: str, expect: Callable[[int], None], write: Callable[[bytes], None]
    ) -> bool:
        """Write the content of a file; return whether all of it has surely come.

        `expect` gets the size as soon as that is known, `write` one chunk after the other. Raises
        DownloadFailed, and what these raise.
        """
        ends_at = time.monotonic() + self._file_seconds
        for _ in range(MAX_REDIRECTS + 1):
            host = self._place(link).netloc
            with self._answer(link, host, ends_at) as answer:
                if answer.is_redirect:
                    link = _next_link(link, answer)
                    continue
                _require_ok(answer, host)
                size = _size_of(answer)
                if size is not None:
                    expect(size)
                for chunk in _chunks(answer, host):
                    write(chunk)
                return size is not None or answer.raw.chunked
        raise DownloadFailed("too many redirects", is_refused=True)

    def chunks(self, link: str) -> Iterator[bytes]:
        """The content of a file, one chunk after the other, without following redirects.

        Raises DownloadFailed.
        """
        host = self._place(link).netloc
        with self._answer(link, host, time.monotonic() + self._file_seconds) as answer:
            _require_ok(answer, host)
            yield from _chunks(answer, host)

    def _place(self, link: str) -> SplitResult:
        """The parts of a link. Raises DownloadFailed unless it is one that may be followed."""
        try:
            parts = urlsplit(link)
            is_plain = parts.username is None and parts.password is None and parts.port != 0
        except ValueError:
            raise DownloadFailed("the link is malformed", is_refused=True) from None
        if parts.scheme not in self._schemes or not parts.hostname or not is_plain:
            raise DownloadFailed("the link is not a plain HTTPS link", is_refused=True)
        return parts

    def _answer(self, link: str, host: str, ends_at: float) -> requests.Response:
        """The answer, of which the body has not been read."""
        seconds = max(LEAST_SECONDS, ends_at - time.monotonic())
        timeout = Timeout(total=seconds, connect=min(CONNECT_SECONDS, seconds))
        try:
            options: dict[str, Any] = {
                **self._environment.merge_environment_settings(
                    link, proxies={}, stream=True, verify=None, cert=None
                )
            }
            options["timeout"] = timeout
            require_certificates(options["verify"])
            request = self._session.prepare_request(requests.Request("GET", link))
            return self._session.send(request, allow_redirects=False, **options)
        except SetupError as error:
            raise DownloadFailed(str(error)) from None
        except Exception as error:  # noqa: BLE001 - whatever the network sends
            raise _failure(host, error) from None


def _chunks(answer: requests.Response, host: str) -> Iterator[bytes]:
    """The content as it comes."""
    while True:
        try:
            chunk = answer.raw.read1(CHUNK_BYTES, decode_content=True)
        except Exception as error:  # noqa: BLE001 - whatever the network sends
            raise _failure(host, error) from None
        if not chunk:
            return
        yield chunk


def _failure(host: str, error: Exception) -> DownloadFailed:
    """What went wrong on the way; errors of `requests` quote the link."""
    if isinstance(error, requests.exceptions.SSLError):
        try:
            require_tls(host, error)
        except SetupError as setup:
            return DownloadFailed(str(setup))
    return DownloadFailed(why_no_answer(host, error), is_transient=True)


def _require_ok(answer: requests.Response, host: str) -> None:
    """Raise DownloadFailed unless the answer has the file."""
    status = answer.status_code
    if status == HTTPStatus.OK:
        return
    is_transient = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in MAY_PASS
    is_refused = status >= HTTPStatus.BAD_REQUEST and not is_transient
    raise DownloadFailed(
        f"HTTP {status} from {host}", is_refused=is_refused, is_transient=is_transient
    )


def _next_link(link: str, answer: requests.Response) -> str:
    """Where a redirect leads; a header's bytes come as Latin-1."""
    try:
        location = answer.headers["Location"].encode("latin-1").decode()
        return urljoin(link, location)
    except ValueError:
        raise DownloadFailed("the link redirects to a malformed one", is_refused=True) from None


def _size_of(answer: requests.Response) -> int | None:
    """The size of the content that an answer announces, if it is plain."""
    length = answer.headers.get("Content-Length", "")
    is_plain = answer.headers.get("Content-Encoding", "identity") == "identity"
    return int(length) if is_plain and length.isascii() and length.isdigit() else None
