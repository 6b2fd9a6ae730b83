"""The HTTP conversation: envelope, offsets, timeouts, and what each status code means."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from enum import Enum, auto
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from airbyte_cdk.models import FailureType

from source_asana.auth import AsanaToken
from source_asana.connection import Answer, Connection, moment_of
from source_asana.errors import AsanaFailure, Refusal, SyncTokenGone, TokenRefused
from source_asana.rate_limit import RateLimit

Record = dict[str, Any]

ASANA_URL = "https://app.asana.com"
API_PATH = "/api/1.0"
LONGEST_BACKOFF = 60.0
RESTARTS = 3
"""How often a listing whose offset has expired begins anew without getting further than before."""


class Reaction(Enum):
    """What to do with an answer."""

    TAKE = auto()
    FAIL = auto()
    RENEW_TOKEN = auto()
    SKIP = auto()
    NEW_SYNC_TOKEN = auto()
    PAUSE = auto()
    RETRY = auto()


REACTIONS: Mapping[int, Reaction] = {
    HTTPStatus.OK: Reaction.TAKE,
    HTTPStatus.UNAUTHORIZED: Reaction.RENEW_TOKEN,
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

PROMISED: Mapping[int, str] = {HTTPStatus.OK: "data", HTTPStatus.PRECONDITION_FAILED: "sync"}
"""What a body has, if it is Asana's and all of it has arrived."""

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


class AsanaClient:
    """Asana, as one token sees it. Safe for many threads.

    `patience`: seconds for which a request is tried again after 5xx, timeouts and lost connections.
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
    ) -> None:
        self._api_url = api_url
        self._token = token
        self._rate_limit = rate_limit
        self._connection = connection
        self._patience = patience
        self._clock = clock
        self._jitter = jitter
        self.sent: Counter[str] = Counter()
        """Requests sent so far, the refused and repeated ones included, by their `purpose`."""
        self.server_date = formatdate(usegmt=True)
        """Asana's time in its latest answer (this machine's before the first one)."""

    def pages(
        self, path: str, params: Mapping[str, str], *, purpose: str, until_empty: bool = False
    ) -> Iterator[list[Record]]:
        """The records of a listing, page by page, or the one of an object.

        When an offset has expired the listing begins anew, so a caller must expect to be given
        records again. `until_empty`: there is always a next page; one without records is the last.
        Raises Refusal, AsanaFailure, TokenRefused and Stopped.
        https://developers.asana.com/docs/pagination
        """
        offset: str | None = None
        restarts = read = furthest = 0
        while True:
            query = params if offset is None else {**params, "offset": offset}
            try:
                body = self.get(path, query, purpose=purpose)
            except AsanaFailure as failure:
                restarts = 0 if read > furthest else restarts
                if offset is None or not failure.is_refused_offset or restarts == RESTARTS:
                    raise
                furthest = max(furthest, read)
                restarts += 1
                offset, read = None, 0
                continue
            read += 1
            found = body["data"]
            yield found if isinstance(found, list) else [found]
            offset = (body.get("next_page") or {}).get("offset")
            if offset is None or (until_empty and not found):
                return

    def events(
        self, path: str, params: Mapping[str, str], token: str | None, *, purpose: str
    ) -> EventWindow:
        """What has happened since `token` (None: nothing is known yet). Raises like `pages`.

        https://developers.asana.com/reference/getevents
        """
        events: list[Record] = []
        sync = token
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
            events += body["data"]
            sync = str(body["sync"])
            if not body.get("has_more"):
                return EventWindow(events, sync, is_lost=False)

    def get(self, path: str, params: Mapping[str, str], *, purpose: str) -> Record:
        """The body of an answer 200, which has `data`. Raises like `pages`."""
        started = self._clock()
        tries = 0
        renewed = False
        while True:
            answer, token = self._ask(path, params, purpose)
            match reaction_to(answer):
                case Reaction.TAKE if answer.body is not None:
                    return answer.body
                case Reaction.SKIP:
                    raise Refusal(answer.status, words_of(answer), path)
                case Reaction.NEW_SYNC_TOKEN if answer.body and "sync" in answer.body:
                    raise SyncTokenGone(str(answer.body["sync"]))
                case Reaction.RENEW_TOKEN if not renewed and self._token.renew(token):
                    renewed = True
                case Reaction.RENEW_TOKEN:
                    self._rate_limit.stop()  # it would be refused to every other worker too
                    raise TokenRefused(words_of(answer))
                case Reaction.PAUSE:
                    pass  # the next turn comes when the pause is over
                case Reaction.RETRY:
                    backoff = min(2.0**tries, LONGEST_BACKOFF, self._patience)
                    backoff *= 0.5 + self._jitter()
                    if tries and self._clock() + backoff - started > self._patience:
                        raise AsanaFailure(FailureType.transient_error, words_of(answer), path)
                    tries += 1
                    self._rate_limit.sleep(backoff)
                case _:
                    raise AsanaFailure(
                        FailureType.system_error, words_of(answer), path, status=answer.status
                    )

    def _ask(self, path: str, params: Mapping[str, str], purpose: str) -> tuple[Answer, str]:
        """The answer to one request, and the token that it carried."""
        query = urlencode(params, safe=",:", quote_via=quote)
        token = self._token.current()
        turn = self._rate_limit.wait_turn()
        self.sent[purpose] += 1
        answer = self._connection.get(f"{self._api_url}/{path}?{query}", token=token)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._rate_limit.refused(turn, answer.retry_after)
        elif answer.status:
            self._rate_limit.served(turn)
        else:
            self._rate_limit.lost()
        if answer.date != self.server_date and moment_of(answer.date):
            self.server_date = str(answer.date)
        return answer, token


def reaction_to(answer: Answer) -> Reaction:
    """What to do with an answer."""
    is_gateways = answer.broken is not None and answer.status not in SURE
    if is_gateways or answer.redirects or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Reaction.RETRY
    if PROMISED.get(answer.status, "") not in {"", *(answer.body or ())}:
        return Reaction.RETRY
    return REACTIONS.get(answer.status, Reaction.FAIL)


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
    words = first.get("message") if isinstance(first, dict) else None
    return str(words or f"HTTP {answer.status}")
