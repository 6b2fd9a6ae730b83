"""One answer from Asana as plain values, whatever the network did to it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import pendulum

from source_asana.asana.json_text import NotJson, Parsed, parsed

MAX_RETRY_AFTER_SECONDS = 3600.0
"""Asana's rate limits are per minute, so a longer wait does not come from Asana."""

TIMEOUTS = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.GATEWAY_TIMEOUT)


@dataclass(frozen=True)
class Answer:
    """A status and a JSON object, or the reason why there is none to use.

    `status`: 0 where nothing came back. `retry_after`: seconds. `problem`: why the answer cannot
    be used, in words for the user. `date`: the `Date` header. `announced_changes`: breaking changes
    of Asana's API. `nul_strings`: how many strings had a U+0000 that was removed. `size`: bytes of
    the body that were read. `is_partly_read`: the rest of the body was not read. `is_timeout`:
    Asana, or a gateway, took too long. `header_names`: as they came.
    """

    status: int
    body: dict[str, Any] | None = None
    retry_after: float | None = None
    problem: str | None = None
    date: str | None = None
    announced_changes: tuple[str, ...] = ()
    nul_strings: int = 0
    size: int = 0
    is_partly_read: bool = False
    is_timeout: bool = False
    header_names: tuple[str, ...] = ()

    @property
    def is_ok(self) -> bool:
        """Whether it has status 200 and a JSON object."""
        return self.status == HTTPStatus.OK and not self.problem

    @property
    def is_redirect(self) -> bool:
        """Whether something between wants the request to go to another address."""
        return is_redirect(self.status)


def answer_of(status: int, headers: Mapping[str, str], content: bytes | bytearray) -> Answer:
    """Read a response, whether or not it follows Asana's reference."""
    try:
        found = parsed(content)
    except NotJson:
        found = Parsed(None)
    body = found.value
    date = headers.get("Date")
    return Answer(
        status,
        body if isinstance(body, dict) else None,
        retry_after_seconds(headers.get("Retry-After"), date),
        _problem(status, headers, body),
        date,
        _announced_changes(headers.get("Asana-Change")),
        found.nul_strings,
        len(content),
        is_timeout=status in TIMEOUTS,
        header_names=tuple(headers),
    )


def retry_after_seconds(header: str | None, date: str | None) -> float | None:
    """The seconds of a `Retry-After` header, which is a number or a time.

    `date`: the `Date` header of the same answer. None where the header is missing, malformed, in
    the past, or longer than any rate limit of Asana.
    """
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        now = time_in(date) if date else pendulum.now("UTC")
        then = time_in(header)
        if now is None or then is None:
            return None
        seconds = (then - now).total_seconds()
    return seconds if 0 < seconds <= MAX_RETRY_AFTER_SECONDS else None


def time_in(header: str | None) -> datetime | None:
    """The time in an HTTP header; None where it is missing or malformed."""
    try:
        return pendulum.instance(parsedate_to_datetime(header)) if header else None
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def is_redirect(status: int) -> bool:
    """Whether a status redirects (300-399)."""
    return HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST


def _announced_changes(header: str | None) -> tuple[str, ...]:
    """The changes in one `Asana-Change` header or in several, which HTTP joins with commas.

    https://developers.asana.com/docs/deprecations
    """
    return tuple(change.strip() for change in header.split(",")) if header else ()


def _problem(status: int, headers: Mapping[str, str], body: Any) -> str | None:
    """Why a response cannot come from Asana; None if it can."""
    if isinstance(body, dict):
        return None
    if status == HTTPStatus.OK:
        return "the response is incomplete, or not from Asana"
    if "html" in headers.get("Content-Type", "") and not is_redirect(status):
        return f"HTTP {status} from a proxy or gateway, not from Asana"
    return None
