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

import orjson
import requests
from airbyte_cdk.models import FailureType
from requests.adapters import HTTPAdapter

from source_asana.auth import AsanaToken
from source_asana.errors import AsanaFailure, ConfigError, Refusal, SyncTokenGone, TokenRefused
from source_asana.rate_limit import RateLimit

Record = dict[str, Any]

ASANA_URL = "https://app.asana.com"
API_PATH = "/api/1.0"
CONNECT_SECONDS = 10
READ_SECONDS = 120
LONGEST_BACKOFF = 60.0
RESTARTS = 3
"""How often a listing whose offset has expired begins anew before it counts as failed."""


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


@dataclass(frozen=True)
class Answer:
    """What came back: a status and a body, or the reason why there is none to use."""

    status: int
    body: Record | None
    retry_after: float | None = None
    broken: str | None = None

    @property
    def reaction(self) -> Reaction:
        """What to do with it."""
        if self.broken or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Reaction.RETRY
        return REACTIONS.get(self.status, Reaction.FAIL)

    @property
    def message(self) -> str:
        """Asana's words, or what stands for them."""
        if self.broken:
            return self.broken
        errors = (self.body or {}).get("errors") or [{}]
        words = errors[0].get("message") if isinstance(errors[0], dict) else None
        return str(words or f"HTTP {self.status}")


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
        session: requests.Session,
        patience: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._api_url = api_url
        self._token = token
        self._rate_limit = rate_limit
        self._session = session
        self._patience = patience
        self._clock = clock
        self._jitter = jitter
        self.sent: Counter[str] = Counter()
        """Requests sent so far, the refused and repeated ones included, by their `purpose`."""
        self.server_date = formatdate(usegmt=True)
        """Asana's time in its latest answer (this machine's before the first one)."""

    def pages(
        self, path: str, params: Mapping[str, str], *, purpose: str
    ) -> Iterator[list[Record]]:
        """The records of a listing, page by page, or the one of an object.

        When an offset has expired the listing begins anew, so a caller must expect to be given
        records again. Raises Refusal, AsanaFailure, TokenRefused and Stopped.
        https://developers.asana.com/docs/pagination
        """
        offset: str | None = None
        restarts = 0
        while True:
            query = params if offset is None else {**params, "offset": offset}
            try:
                body = self.get(path, query, purpose=purpose)
            except AsanaFailure as failure:
                if offset is None or not failure.is_refused_offset or restarts == RESTARTS:
                    raise
                restarts += 1
                offset = None
                continue
            found = body["data"]
            yield found if isinstance(found, list) else [found]
            offset = (body.get("next_page") or {}).get("offset")
            if offset is None:
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
            answer, credential = self._send(path, params, purpose)
            match answer.reaction:
                case Reaction.TAKE if answer.body is not None:
                    self._rate_limit.granted()
                    return answer.body
                case Reaction.SKIP:
                    raise Refusal(answer.status, answer.message, path)
                case Reaction.NEW_SYNC_TOKEN if answer.body and "sync" in answer.body:
                    self._rate_limit.granted()
                    raise SyncTokenGone(str(answer.body["sync"]))
                case Reaction.RENEW_TOKEN if not renewed and self._token.renew(credential):
                    renewed = True
                case Reaction.RENEW_TOKEN:
                    self._rate_limit.stop()  # it would be refused to every other worker too
                    raise TokenRefused(answer.message)
                case Reaction.PAUSE:
                    self._rate_limit.refused(answer.retry_after)
                case Reaction.RETRY:
                    backoff = min(2.0**tries, LONGEST_BACKOFF) * (0.5 + self._jitter())
                    if self._clock() + backoff - started > self._patience:
                        raise AsanaFailure(FailureType.transient_error, answer.message, path)
                    tries += 1
                    self._rate_limit.sleep(backoff)
                case _:
                    raise AsanaFailure(
                        FailureType.system_error, answer.message, path, status=answer.status
                    )

    def _send(self, path: str, params: Mapping[str, str], purpose: str) -> tuple[Answer, str]:
        """One request, and the credential that it carried."""
        query = urlencode(params, safe=",:", quote_via=quote)
        request = requests.Request("GET", f"{self._api_url}/{path}?{query}", auth=self._token)
        self._rate_limit.wait_turn()
        prepared = self._session.prepare_request(request)
        self.sent[purpose] += 1
        return self._answer(prepared), prepared.headers["Authorization"]

    def _answer(self, prepared: requests.PreparedRequest) -> Answer:
        settings = self._session.merge_environment_settings(
            prepared.url, proxies={}, stream=False, verify=None, cert=None
        )
        try:
            response = self._session.send(
                prepared,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,  # the token goes to no other host
                **settings,
            )
        except requests.RequestException as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise ConfigError(
                    f"The certificate of {self._api_url} is not trusted here: "
                    "if a proxy inspects the traffic, make its authority known to this machine."
                ) from None
            return Answer(0, None, broken=f"no answer ({type(error).__name__})")
        self.server_date = response.headers.get("Date", self.server_date)
        return read_answer(response)


def read_answer(response: requests.Response) -> Answer:
    """What a response says, whether or not it is what Asana's reference promises."""
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict) or (response.ok and "data" not in body):
        body = None
    broken = "an answer that is not Asana's" if body is None and response.ok else None
    return Answer(
        response.status_code, body, _seconds(response.headers.get("Retry-After")), broken=broken
    )


def new_session(workers: int) -> requests.Session:
    """A session that keeps a connection for each worker."""
    session = requests.Session()
    adapter = HTTPAdapter(pool_connections=2, pool_maxsize=workers)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers["User-Agent"] = "airbyte-source-asana"
    return session


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header is not None else None
    except ValueError:
        return None
