"""Asana's API: listings page by page, events and single objects."""

import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import count
from typing import Any

import orjson

from source_asana.asana.answer import Answer
from source_asana.asana.auth import AsanaToken, TokenCheck
from source_asana.asana.connection import Connection
from source_asana.asana.endless import LoopGuard, Restarts
from source_asana.asana.errors import AsanaFailure, Refusal, SyncTokenExpired, TokenRefused
from source_asana.asana.memory import Memory
from source_asana.asana.observed import Observe, Observed, ignore
from source_asana.asana.paging import PageBudget, Paging
from source_asana.asana.rate_limit import RateLimit
from source_asana.asana.reactions import Reaction, has_sync_token, reaction_to, reason_of
from source_asana.asana.retry import RetryPolicy
from source_asana.asana.sender import Sender

Record = dict[str, Any]

ASANA_URL = "https://app.asana.com"
API_PATH = "/api/1.0"
WHO_AM_I = "users/me"

PAGE_MEMORY_BYTES = 24_000_000
"""For all pages that are held at once, as they came; parsed they are five times as large."""

MAX_EVENT_PAGES = 1000
"""With more pages of events, reading the project in full takes fewer requests."""

MAX_UNAUTHORIZED = 3
"""So many 401 answers to one request count as a refusal, while the token is valid."""

UNAUTHORIZED_WAIT_SECONDS = 1.0


@dataclass(frozen=True)
class EventWindow:
    """The events since a sync token, and the token for the next ones.

    `is_lost`: Asana no longer knows the sync token, so the events since then are lost.
    """

    events: list[Record]
    token: str
    is_lost: bool


class AsanaClient:
    """Asana as one token sees it. Safe for many threads.

    `clock`: seconds that only grow. `random_number`: between 0 and 1, varies the waits. `observe`:
    called with each answer, those that are retried included.
    """

    def __init__(
        self,
        *,
        api_url: str,
        token: AsanaToken,
        rate_limit: RateLimit,
        connection: Connection,
        retry: RetryPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
        random_number: Callable[[], float] = random.random,
        observe: Observe = ignore,
    ) -> None:
        self._token = token
        self._rate_limit = rate_limit
        self._random_number = random_number
        self._sender = Sender(
            api_url,
            token,
            rate_limit,
            connection,
            retry=retry,
            clock=clock,
            random_number=random_number,
            observe=observe,
        )
        self._paging = Paging(Memory(PAGE_MEMORY_BYTES, lambda: rate_limit.sleep(0)))
        self._token_check = TokenCheck(clock)

    @property
    def observed(self) -> Observed:
        """What the answers so far told, besides the records."""
        return self._sender.observed

    @property
    def server_date(self) -> str:
        """The `Date` header of Asana's latest answer."""
        return self.observed.server_date

    def pages(
        self,
        path: str,
        params: Mapping[str, str],
        *,
        purpose: str,
        until_empty: bool = False,
        spare_fields: Collection[str] = (),
    ) -> Iterator[list[Record]]:
        """Yield the records of a listing page by page, or the single record of an object.

        When an offset expires, or is refused because the page size has changed, the listing starts
        over, so the caller may get records again. Pages may be large: release each one before the
        next. `until_empty`: the listing always names a next page and ends with an empty one.
        `spare_fields`: those of the `opt_fields` that are left out if they make Asana slow.
        Raises Refusal, AsanaFailure, FatalError and Stopped.
        https://developers.asana.com/docs/pagination
        """
        with self._paging.budget(path, params, spare_fields) as budget:
            yield from self._pages(path, params, budget, purpose, until_empty=until_empty)

    def _pages(
        self,
        path: str,
        params: Mapping[str, str],
        budget: PageBudget,
        purpose: str,
        *,
        until_empty: bool,
    ) -> Iterator[list[Record]]:
        offset: str | None = None
        sent_before = budget.sent
        guard, restarts = LoopGuard(), Restarts()
        while True:
            query = params if offset is None else {**params, "offset": offset}
            try:
                body = self._get(path, query, budget, purpose)
            except AsanaFailure as failure:
                if offset is None and failure.is_refused_request and budget.drop_spare_fields():
                    continue
                may_restart = offset is not None and failure.is_refused_request
                if not may_restart or not restarts.may_start_over(
                    guard.pages, is_page_size_new=budget.sent != sent_before
                ):
                    raise
                offset, guard = None, LoopGuard()
                continue
            sent_before = budget.sent
            next_page = body.get("next_page")
            found = body.pop("data")
            records = found if isinstance(found, list) else [found]
            is_end = until_empty and not found
            last = _last_gid(records)
            yield records
            if next_page is None or is_end:
                return
            del found, records  # before the next page is requested
            offset = next_page["offset"]
            if guard.is_stuck_after(last, offset):
                raise AsanaFailure("Asana kept returning the same page", path)

    def events(
        self, path: str, params: Mapping[str, str], token: str | None, *, purpose: str
    ) -> EventWindow:
        """The events since the sync token; none, and a first token, if `token` is None.

        Raises like `pages`. https://developers.asana.com/reference/getevents
        """
        events: list[Record] = []
        sync = token
        guard = LoopGuard(token)
        while True:
            query = params if sync is None else {**params, "sync": sync}
            try:
                body = self.get(path, query, purpose=purpose)
            except SyncTokenExpired as expired:
                return EventWindow([], expired.new_token, is_lost=token is not None)
            except AsanaFailure as failure:
                if sync is None or failure.status != HTTPStatus.BAD_REQUEST:
                    raise
                # Asana cannot parse the token: without one it returns a new one.
                first = self.events(path, params, None, purpose=purpose)
                return EventWindow([], first.token, is_lost=True)
            if not has_sync_token(body) or not isinstance(body["data"], list):
                raise AsanaFailure("Asana returned events without a sync token", path)
            events += body["data"]
            sync = str(body["sync"])
            if not body.get("has_more"):
                return EventWindow(events, sync, is_lost=False)
            if guard.is_stuck_after(str(events[-1]) if body["data"] else None, sync):
                raise AsanaFailure("Asana kept returning the same events", path)
            if guard.pages == MAX_EVENT_PAGES:
                raise AsanaFailure(
                    f"Asana returned more than {MAX_EVENT_PAGES:,} pages of events", path
                )

    def get(self, path: str, params: Mapping[str, str], *, purpose: str) -> Record:
        """The body of an answer 200, which has `data`. Raises like `pages`."""
        with self._paging.budget(path, params) as budget:
            return self._get(path, params, budget, purpose)

    def post(self, path: str, data: Record, *, purpose: str) -> Record:
        """The body of a successful answer to a POST, which is sent once. Raises like `pages`."""
        content = orjson.dumps({"data": data})
        with self._paging.budget(path, {}) as budget:
            return _accepted(self._answer(path, {}, budget, purpose, content), path, budget)

    def answer(self, path: str, params: Mapping[str, str], *, purpose: str) -> Answer:
        """Asana's answer to exactly this request, whatever its status; `limit` stays as it is.

        Retries what may pass, like `get`. Raises AsanaFailure, FatalError and Stopped.
        """
        with self._paging.budget(path, {}) as budget:
            return self._answer(path, params, budget, purpose)

    def _get(
        self, path: str, params: Mapping[str, str], budget: PageBudget, purpose: str
    ) -> Record:
        return _accepted(self._answer(path, params, budget, purpose), path, budget)

    def _answer(
        self,
        path: str,
        params: Mapping[str, str],
        budget: PageBudget,
        purpose: str,
        content: bytes | None = None,
    ) -> Answer:
        """Asana's answer to a request; a 401 only where the token is valid.

        Raises TokenRefused where it is not, AsanaFailure and Stopped.
        """
        for times in count(1):
            sent = self._sender.send(path, params, budget, purpose, content)
            if reaction_to(sent.answer) is not Reaction.CHECK_TOKEN:
                break
            if times == 1 and self._token.renew(sent.token):
                continue
            if not self._token_check.is_valid(sent.sent_at, lambda: self._is_token_valid(purpose)):
                self._rate_limit.stop()  # every other worker would be refused too
                raise TokenRefused(reason_of(sent.answer))
            if times >= MAX_UNAUTHORIZED:
                break
            wait = times * UNAUTHORIZED_WAIT_SECONDS * (0.5 + self._random_number())
            self._rate_limit.sleep(wait)
        return sent.answer

    def _is_token_valid(self, purpose: str) -> bool:
        """Ask Asana whose token this is. Raises AsanaFailure where there is no answer."""
        params = {"opt_fields": "gid"}
        with self._paging.budget(WHO_AM_I, params) as budget:
            sent = self._sender.send(WHO_AM_I, params, budget, purpose)
        return sent.answer.status != HTTPStatus.UNAUTHORIZED


def _accepted(answer: Answer, path: str, budget: PageBudget) -> Record:
    """The body of an answer; raises what the other answers mean."""
    match reaction_to(answer):
        case Reaction.ACCEPT if answer.body is not None:
            budget.note_page(_number_of_records(answer.body), answer.size)
            return answer.body
        case Reaction.SKIP | Reaction.CHECK_TOKEN:
            raise Refusal(answer.status, reason_of(answer), path)
        case Reaction.NEW_SYNC_TOKEN if answer.body and has_sync_token(answer.body):
            raise SyncTokenExpired(answer.body["sync"])
        case Reaction.NEW_SYNC_TOKEN:
            message = "Asana returned no new sync token"
            raise AsanaFailure(message, path, status=answer.status)
        case _:
            raise AsanaFailure(reason_of(answer), path, status=answer.status)


def _number_of_records(body: Record) -> int:
    found = body.get("data")
    return len(found) if isinstance(found, list) else 1


def _last_gid(records: Sequence[Any]) -> str | None:
    """The gid of the last record that has one."""
    gids = (record.get("gid") for record in reversed(records) if isinstance(record, dict))
    return next((gid for gid in gids if isinstance(gid, str)), None)
