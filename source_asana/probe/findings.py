"""What a probe finds out: replies, verdicts, and the lines of the report. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from source_asana.asana.answer import Answer, time_in

Record = dict[str, Any]

INVISIBLE = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.PAYMENT_REQUIRED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS,
)
"""What Asana answers where the plan or the token does not permit something."""

PASSING = (
    0,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.FAILED_DEPENDENCY,
    HTTPStatus.TOO_MANY_REQUESTS,
)


class Verdict(StrEnum):
    """Whether an assumption is so. Only `DIFFERS` is news."""

    HOLDS = "holds"
    DIFFERS = "differs"
    NOT_VISIBLE = "not visible to this token"
    NOT_ANSWERED = "not answered"


@dataclass(frozen=True)
class Judgment:
    """A verdict and what it rests on: counts, key names, statuses and times, nothing else."""

    verdict: Verdict
    observed: str


def holds(observed: str) -> Judgment:
    """Asana does what the connector assumes."""
    return Judgment(Verdict.HOLDS, observed)


def differs(observed: str) -> Judgment:
    """Asana does something else."""
    return Judgment(Verdict.DIFFERS, observed)


def not_visible(observed: str) -> Judgment:
    """The account, or what the token sees of it, has no example."""
    return Judgment(Verdict.NOT_VISIBLE, observed)


def not_answered(observed: str) -> Judgment:
    """Asana gave no answer that tells."""
    return Judgment(Verdict.NOT_ANSWERED, observed)


def judged(is_so: bool, observed: str) -> Judgment:  # noqa: FBT001 - it is the question itself
    """`holds` or `differs`."""
    return holds(observed) if is_so else differs(observed)


class Undecided(Exception):
    """An assumption cannot be checked; `judgment` says why."""

    def __init__(self, judgment: Judgment) -> None:
        super().__init__(judgment.observed)
        self.judgment = judgment


def message_in(body: Mapping[str, Any]) -> str | None:
    """The message in Asana's envelope for errors; None where a body is not one."""
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    message = first.get("message") if isinstance(first, dict) else None
    return message if isinstance(message, str) else None


@dataclass(frozen=True)
class Reply:
    """Asana's last answer to one request. `status` is 0 if nothing came in time.

    `seconds`: from the request to the last byte. `size`: bytes of the body, unzipped.
    """

    status: int
    body: Mapping[str, Any]
    seconds: float
    size: int

    @property
    def is_ok(self) -> bool:
        """Whether Asana answered the question."""
        return self.status == HTTPStatus.OK and "data" in self.body

    @property
    def is_passing(self) -> bool:
        """Whether the same request may be answered later."""
        return self.status in PASSING or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def records(self) -> list[Record]:
        """The records of a listing, or the one record."""
        data = self.body.get("data")
        found = data if isinstance(data, list) else [data]
        return [record for record in found if isinstance(record, dict)]

    @property
    def has_more(self) -> bool:
        """Whether the listing has another page."""
        return self.body.get("next_page") is not None

    @property
    def offset(self) -> str | None:
        """The offset of the next page."""
        next_page = self.body.get("next_page")
        offset = next_page.get("offset") if isinstance(next_page, dict) else None
        return offset if isinstance(offset, str) else None

    @property
    def message(self) -> str:
        """Asana's words for an error, which are for judging and never for a report."""
        return message_in(self.body) or ""

    @property
    def said(self) -> str:
        """The status in words."""
        return f"status {self.status}" if self.status else "no answer in time"

    def unusable(self) -> Judgment:
        """What an answer other than 200 means where the connector needs a 200."""
        if self.status in INVISIBLE:
            return not_visible(self.said)
        if self.is_passing:
            return not_answered(self.said)
        return differs(self.said)


@dataclass(frozen=True)
class Seen:
    """What one answer had besides its content, also if it was tried again.

    `has_time`: its `Date` is a time. `has_errors`: the body is Asana's envelope for errors.
    """

    status: int
    seconds: float
    size: int
    is_timeout: bool
    has_time: bool
    retry_after: float | None
    header_names: tuple[str, ...]
    changes: tuple[str, ...]
    has_errors: bool


def seen(answer: Answer, seconds: float) -> Seen:
    """Keep what a report needs of an answer."""
    return Seen(
        answer.status,
        seconds,
        answer.size,
        answer.is_timeout,
        time_in(answer.date) is not None,
        answer.retry_after,
        answer.header_names,
        answer.announced_changes,
        message_in(answer.body or {}) is not None,
    )


@dataclass(frozen=True)
class Finding:
    """One line of the report. `otherwise`: what the connector does if the assumption is wrong."""

    key: str
    assumption: str
    observed: str
    verdict: Verdict
    otherwise: str
