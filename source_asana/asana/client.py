"""The HTTP conversation: envelope, offsets, timeouts, and what each status code means."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from enum import Enum, auto
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from airbyte_cdk.models import FailureType

from source_asana.asana.auth import AsanaToken
from source_asana.asana.connection import Admits, Answer, Connection, moment_of
from source_asana.asana.errors import AsanaFailure, Refusal, SyncTokenGone, TokenRefused
from source_asana.asana.memory import Memory
from source_asana.asana.paging import Pages, Paging
from source_asana.asana.rate_limit import RateLimit

Record = dict[str, Any]

ASANA_URL = "https://app.asana.com"
API_PATH = "/api/1.0"
LONGEST_BACKOFF = 60.0
JITTER_SECONDS = 0.2
"""What is added to a `Retry-After` at most, so that programs with one token do not meet again."""

PAGE_MEMORY = 24_000_000
"""Bytes of all pages together, as they came, that are held at once; parsed they are five times
as large.
"""

RESTARTS = 3
"""How often a listing whose offset has expired begins anew without getting further than before."""

MOST_EMPTY_PAGES = 100
"""In a row. Asana cuts a listing into pages before it leaves out what the token may not see."""

MOST_REPEATED_PAGES = 5
"""In a row. Records move back by a page where others are inserted before them meanwhile."""

MOST_EVENT_PAGES = 1000
"""Beyond that, reading the project in full costs less."""

MOST_UNAUTHORIZED = 3
"""How often one request is answered 401 before it counts as refused, while the token is good."""

SAME_PAGE = "Asana returned the same page again and again"
SAME_EVENTS = "Asana returned the same events again and again"
WHO_AM_I = "users/me"
MOST_CHANGES = 20
"""Announcements of Asana's that are remembered."""


class Reaction(Enum):
    """What to do with an answer."""

    TAKE = auto()
    FAIL = auto()
    PROVE_TOKEN = auto()
    SKIP = auto()
    NEW_SYNC_TOKEN = auto()
    PAUSE = auto()
    RETRY = auto()
    ASK_AGAIN = auto()


REACTIONS: Mapping[int, Reaction] = {
    HTTPStatus.OK: Reaction.TAKE,
    HTTPStatus.UNAUTHORIZED: Reaction.PROVE_TOKEN,
    HTTPStatus.PAYMENT_REQUIRED: Reaction.SKIP,
    HTTPStatus.FORBIDDEN: Reaction.SKIP,
    HTTPStatus.NOT_FOUND: Reaction.SKIP,
    HTTPStatus.PRECONDITION_FAILED: Reaction.NEW_SYNC_TOKEN,
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: Reaction.SKIP,
    HTTPStatus.REQUEST_TIMEOUT: Reaction.RETRY,
    HTTPStatus.FAILED_DEPENDENCY: Reaction.RETRY,
    HTTPStatus.TOO_MANY_REQUESTS: Reaction.PAUSE,
}
"""Asana's status codes (https://developers.asana.com/docs/errors); 5xx is RETRY, others FAIL."""

SURE = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS,
)
"""The codes that mean what they say also where a gateway answers in Asana's stead."""


@dataclass(frozen=True)
class EventWindow:
    """The events since a sync token, and the token that follows them.

    `is_lost`: Asana no longer knows the token, so what has happened since then is not to be had.
    """

    events: list[Record]
    token: str
    is_lost: bool


@dataclass(frozen=True)
class Asked:
    """The answer to a request that carried `token` and was sent `at` a time of the clock."""

    answer: Answer
    token: str
    at: float


class Course:
    """Whether a listing gets on, page by page. Remembers the offset and the last record of each.

    `words`: what is said if it does not. `offset`: the one that the first request has.
    """

    def __init__(self, path: str, words: str, offset: str | None = None) -> None:
        self.pages = 0
        self._path = path
        self._words = words
        self._offsets = {offset}
        self._ends: set[str | None] = {None}
        self._empty = self._repeated = 0

    def goes_on(self, end: str | None, offset: str) -> None:
        """Note the last record of a page (None: it is empty), and the offset of the next page.

        Raises AsanaFailure where a page brings neither a new record nor a new offset, or where
        many pages in a row bring no new record.
        """
        self.pages += 1
        is_known = end in self._ends
        self._empty = self._empty + 1 if end is None else 0
        self._repeated = self._repeated + 1 if is_known and end is not None else 0
        if (
            (is_known and offset in self._offsets)
            or self._empty > MOST_EMPTY_PAGES
            or self._repeated > MOST_REPEATED_PAGES
        ):
            raise _failure(self._words, self._path)
        self._ends.add(end)
        self._offsets.add(offset)


def _end_of(records: Sequence[Any]) -> str | None:
    """The gid of the last record that has one."""
    gids = (record.get("gid") for record in reversed(records) if isinstance(record, dict))
    return next((gid for gid in gids if isinstance(gid, str)), None)


class Proof:
    """Whether Asana knows the token, asked once for all workers that want to know it meanwhile."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._one_asks = threading.Lock()
        self._asked_at = float("-inf")
        self._outcome: bool | AsanaFailure = False

    def holds(self, since: float, is_known: Callable[[], bool]) -> bool:
        """Whether the token was good at a time after `since`. Raises what `is_known` raises."""
        with self._one_asks:
            if self._asked_at < since:
                asked_at = self._clock()
                try:
                    self._outcome = is_known()
                except AsanaFailure as failure:
                    self._outcome = failure
                self._asked_at = asked_at
            if isinstance(self._outcome, AsanaFailure):
                raise self._outcome
            return self._outcome


class Noticed:
    """What Asana's answers had besides what was asked for. Safe for many threads.

    `nul_strings`: from how many strings U+0000 was removed. `changes`: the breaking changes that
    Asana announces, each once.
    """

    def __init__(self) -> None:
        self.nul_strings = 0
        self.changes: list[str] = []
        self._lock = threading.Lock()

    def note(self, answer: Answer) -> None:
        """Add what one answer had."""
        with self._lock:
            self.nul_strings += answer.nul_strings
            new = [change for change in answer.changes if change not in self.changes]
            self.changes += new[: MOST_CHANGES - len(self.changes)]


Observe = Callable[[Answer, float], None]


def ignore(_answer: Answer, _seconds: float) -> None:
    """Observe nothing."""


class AsanaClient:
    """Asana, as one token sees it. Safe for many threads.

    `patience`: seconds for which a request is tried again after 5xx, timeouts and lost connections.
    `observe`: called with every answer, also those that are tried again, and the seconds it took.
    """

    def __init__(
        self,
        *,
        api_url: str,
        token: AsanaToken,
        rate_limit: RateLimit,
        connection: Connection,
        patience: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        observe: Observe = ignore,
    ) -> None:
        self._api_url = api_url
        self._token = token
        self._rate_limit = rate_limit
        self._connection = connection
        self._patience = patience
        self._clock = clock
        self._jitter = jitter
        self._observe = observe
        self._paging = Paging(Memory(PAGE_MEMORY, lambda: rate_limit.sleep(0)))
        self.sent: Counter[str] = Counter()
        """Requests sent so far, the refused and repeated ones included, by their `purpose`."""
        self.server_date = formatdate(usegmt=True)
        """Asana's time in its latest answer (this machine's before the first one)."""
        self.noticed = Noticed()
        self._proof = Proof(clock)

    def pages(
        self, path: str, params: Mapping[str, str], *, purpose: str, until_empty: bool = False
    ) -> Iterator[list[Record]]:
        """The records of a listing, page by page, or the one of an object.

        When an offset has expired, or is refused because the page size has changed, the listing
        begins anew, so a caller must expect to be given records again. Pages may be large: let go
        of each before the next one is requested. `until_empty`: there is always a next page; one
        without records is the last.
        Raises Refusal, AsanaFailure, TokenRefused and Stopped.
        https://developers.asana.com/docs/pagination
        """
        with self._paging.pages(path, params) as pages:
            yield from self._pages(path, params, pages, purpose, until_empty=until_empty)

    def _pages(
        self,
        path: str,
        params: Mapping[str, str],
        pages: Pages,
        purpose: str,
        *,
        until_empty: bool,
    ) -> Iterator[list[Record]]:
        offset: str | None = None
        restarts = furthest = 0
        limit_of_offset = pages.asked
        course = Course(path, SAME_PAGE)
        while True:
            query = params if offset is None else {**params, "offset": offset}
            try:
                body = self._get(path, query, pages, purpose)
            except AsanaFailure as failure:
                has_shrunk = pages.asked != limit_of_offset
                restarts = 0 if course.pages > furthest or has_shrunk else restarts
                if offset is None or not failure.is_refused_offset or restarts == RESTARTS:
                    raise
                furthest = 0 if has_shrunk else max(furthest, course.pages)
                restarts += 1
                offset, course = None, Course(path, SAME_PAGE)
                continue
            limit_of_offset = pages.asked
            next_page = body.get("next_page")
            found = body.pop("data")
            records = found if isinstance(found, list) else [found]
            is_end = until_empty and not found
            end = _end_of(records)
            yield records
            if next_page is None or is_end:
                return
            del found, records  # before the next page is requested
            offset = next_page["offset"]
            course.goes_on(end, offset)

    def events(
        self, path: str, params: Mapping[str, str], token: str | None, *, purpose: str
    ) -> EventWindow:
        """What has happened since `token` (None: nothing is known yet). Raises like `pages`.

        https://developers.asana.com/reference/getevents
        """
        events: list[Record] = []
        sync = token
        course = Course(path, SAME_EVENTS, token)
        while True:
            query = params if sync is None else {**params, "sync": sync}
            try:
                body = self.get(path, query, purpose=purpose)
            except SyncTokenGone as gone:
                return EventWindow([], gone.new_token, is_lost=token is not None)
            except AsanaFailure as failure:
                if sync is None or failure.status != HTTPStatus.BAD_REQUEST:
                    raise
                # Asana cannot even read the token: without one it hands out a new one.
                begun_anew = self.events(path, params, None, purpose=purpose)
                return EventWindow([], begun_anew.token, is_lost=True)
            if not is_sync_token(body) or not isinstance(body["data"], list):
                raise _failure("Asana returned events without a sync token", path)
            events += body["data"]
            sync = str(body["sync"])
            if not body.get("has_more"):
                return EventWindow(events, sync, is_lost=False)
            course.goes_on(str(events[-1]) if body["data"] else None, sync)
            if course.pages == MOST_EVENT_PAGES:
                raise _failure("Asana returned events without an end", path)

    def get(self, path: str, params: Mapping[str, str], *, purpose: str) -> Record:
        """The body of an answer 200, which has `data`. Raises like `pages`."""
        with self._paging.pages(path, params) as pages:
            return self._get(path, params, pages, purpose)

    def answer(self, path: str, params: Mapping[str, str], *, purpose: str) -> Answer:
        """Asana's answer to exactly this request, whatever its status.

        What waiting may change is tried again, as always, but `limit` stays as it is.
        Raises AsanaFailure, TokenRefused and Stopped.
        """
        with self._paging.pages(path, {}) as pages:
            return self._proved(path, params, pages, purpose)

    def _get(self, path: str, params: Mapping[str, str], pages: Pages, purpose: str) -> Record:
        answer = self._proved(path, params, pages, purpose)
        match reaction_to(answer):
            case Reaction.TAKE if answer.body is not None:
                pages.answered(_count(answer.body), answer.size)
                return answer.body
            case Reaction.SKIP | Reaction.PROVE_TOKEN:
                raise Refusal(answer.status, words_of(answer), path)
            case Reaction.NEW_SYNC_TOKEN if answer.body and is_sync_token(answer.body):
                raise SyncTokenGone(answer.body["sync"])
            case Reaction.NEW_SYNC_TOKEN:
                raise _failure("Asana returned no new sync token", path, answer.status)
            case _:
                raise _failure(words_of(answer), path, answer.status)

    def _proved(self, path: str, params: Mapping[str, str], pages: Pages, purpose: str) -> Answer:
        """The answer; a 401 only if Asana knows the token. Raises AsanaFailure and TokenRefused."""
        unauthorized = 0
        while True:
            asked = self._answered(path, params, pages, purpose)
            if reaction_to(asked.answer) is not Reaction.PROVE_TOKEN:
                return asked.answer
            unauthorized += 1
            if unauthorized == 1 and self._token.renew(asked.token):
                continue
            if not self._proof.holds(asked.at, lambda: self._is_known(purpose)):
                self._rate_limit.stop()  # it would be refused to every other worker too
                raise TokenRefused(words_of(asked.answer))
            if unauthorized >= MOST_UNAUTHORIZED:
                return asked.answer
            self._rate_limit.sleep(unauthorized * (0.5 + self._jitter()))

    def _is_known(self, purpose: str) -> bool:
        """Whether Asana knows the token. Raises like `get` where there is no answer."""
        params = {"opt_fields": "gid"}
        with self._paging.pages(WHO_AM_I, params) as pages:
            asked = self._answered(WHO_AM_I, params, pages, purpose)
        return asked.answer.status != HTTPStatus.UNAUTHORIZED

    def _answered(self, path: str, params: Mapping[str, str], pages: Pages, purpose: str) -> Asked:
        """Ask until there is an answer that waiting does not change. Raises AsanaFailure."""
        started = self._clock()
        tries = 0
        while True:
            pages.wait_for_memory()
            asked = self._ask(path, pages.query(params), purpose, pages.admits)
            match reaction_to(asked.answer):
                case Reaction.ASK_AGAIN:
                    pages.not_admitted(asked.answer.size)
                case Reaction.PAUSE:
                    pass  # the next turn comes when the pause is over
                case Reaction.RETRY:
                    backoff = min(2.0**tries, LONGEST_BACKOFF, self._patience)
                    backoff *= 0.5 + self._jitter()
                    if asked.answer.timed_out and pages.timed_out():
                        started = self._clock()  # patience begins with the smallest page
                    elif tries and self._clock() + backoff - started > self._patience:
                        words = words_of(asked.answer)
                        raise AsanaFailure(FailureType.transient_error, words, path)
                    tries += 1
                    pages.release_memory()
                    self._rate_limit.sleep(backoff)
                case _:
                    return asked

    def _ask(self, path: str, params: Mapping[str, str], purpose: str, admits: Admits) -> Asked:
        """Ask once, when it is this request's turn."""
        query = urlencode(params, safe=",:", quote_via=quote)
        token = self._token.current()
        with self._rate_limit.turn() as turn:
            at = self._clock()
            self.sent[purpose] += 1
            url = f"{self._api_url}/{path}?{query}"
            answer = self._connection.get(url, token=token, admits=admits)
            self._observe(answer, self._clock() - at)
            if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
                turn.refused(self._pause(answer))
            elif answer.status:
                turn.served()
        if answer.date != self.server_date and moment_of(answer.date):
            self.server_date = str(answer.date)
        if answer.nul_strings or answer.changes:
            self.noticed.note(answer)
        return Asked(answer, token, at)

    def _pause(self, answer: Answer) -> float | None:
        """The seconds that Asana asks for, and a little more; None where it does not say."""
        seconds = answer.retry_after
        return None if seconds is None else seconds + JITTER_SECONDS * self._jitter()


def reaction_to(answer: Answer) -> Reaction:
    """What to do with an answer."""
    if answer.is_given_up:
        return Reaction.ASK_AGAIN
    is_gateways = answer.broken is not None and answer.status not in SURE
    if is_gateways or answer.redirects or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Reaction.RETRY
    if answer.status == HTTPStatus.OK and not is_envelope(answer.body or {}):
        return Reaction.RETRY
    if answer.status == HTTPStatus.PRECONDITION_FAILED and answer.body is None:
        return Reaction.RETRY  # cut short, and the token with it
    return REACTIONS.get(answer.status, Reaction.FAIL)


def is_envelope(body: Mapping[str, Any]) -> bool:
    """Whether a body is Asana's: `data`, and an offset where there is a next page."""
    if not isinstance(body.get("data"), (list, dict)):
        return False
    next_page = body.get("next_page")
    if next_page is None:
        return True
    offset = next_page.get("offset") if isinstance(next_page, dict) else None
    return isinstance(offset, str) and offset != ""


def is_sync_token(body: Mapping[str, Any]) -> bool:
    """Whether a body has a token with which events go on."""
    return isinstance(body.get("sync"), str) and body["sync"] != ""


def _failure(words: str, path: str, status: int | None = None) -> AsanaFailure:
    return AsanaFailure(FailureType.system_error, words, path, status=status)


def _count(body: Record) -> int:
    """How many records a page has."""
    found = body.get("data")
    return len(found) if isinstance(found, list) else 1


def words_of(answer: Answer) -> str:
    """Asana's words, or what stands for them."""
    if answer.broken:
        return answer.broken
    if answer.status == HTTPStatus.OK:
        return "an answer that is not Asana's"
    if answer.redirects:
        return f"redirected ({answer.status}), which a token does not follow: is a proxy between?"
    errors = (answer.body or {}).get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return f"HTTP {answer.status}"
    words = str(first.get("message") or f"HTTP {answer.status}")
    phrase = first.get("phrase")
    return f"{words} (phrase for Asana's support: {phrase})" if phrase else words
