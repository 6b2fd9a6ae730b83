"""Sends requests: waits for the rate limit, adds the token, and retries what may pass."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote, urlencode

from source_asana.asana.answer import Answer
from source_asana.asana.auth import AsanaToken
from source_asana.asana.connection import Connection
from source_asana.asana.errors import AsanaFailure
from source_asana.asana.observed import Observe, Observed, ignore
from source_asana.asana.paging import PageBudget
from source_asana.asana.rate_limit import RateLimit
from source_asana.asana.reactions import Reaction, reaction_to, reason_of
from source_asana.asana.retry import RetryPolicy

JITTER_SECONDS = 0.2
"""Added to a `Retry-After` at most, so that programs with one token do not retry together."""


@dataclass(frozen=True)
class Sent:
    """A request and its answer. `sent_at`: seconds of the client's clock."""

    answer: Answer
    token: str
    sent_at: float


class Sender:
    """Sends the requests of one token. Safe for many threads.

    `observe`: called with each answer, those that are retried included.
    """

    def __init__(
        self,
        api_url: str,
        token: AsanaToken,
        rate_limit: RateLimit,
        connection: Connection,
        *,
        retry: RetryPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
        random_number: Callable[[], float] = random.random,
        observe: Observe = ignore,
    ) -> None:
        self._api_url = api_url
        self._token = token
        self._rate_limit = rate_limit
        self._connection = connection
        self._retry = retry or RetryPolicy()
        self._clock = clock
        self._random_number = random_number
        self._observe = observe
        self.observed = Observed()

    def send(
        self,
        path: str,
        params: Mapping[str, str],
        budget: PageBudget,
        purpose: str,
        content: bytes | None = None,
    ) -> Sent:
        """Send a request until its answer is one that a retry does not change.

        `content`: the body of a POST, which is repeated only after a 429.
        Raises AsanaFailure when the retries end, FatalError, and Stopped.
        """
        started = self._clock()
        tries = 0
        while True:
            budget.wait_for_memory()
            sent = self._send_once(path, budget.query(params), budget, purpose, content)
            match reaction_to(sent.answer):
                case Reaction.RETRY_SMALLER:
                    budget.note_partly_read(sent.answer.size)
                case Reaction.PAUSE:
                    pass  # the next turn comes when the pause is over
                case Reaction.RETRY if content is not None:
                    raise AsanaFailure(reason_of(sent.answer), path, is_transient=True)
                case Reaction.RETRY:
                    now = self._clock()
                    if sent.answer.is_timeout and budget.note_timeout():
                        started = now  # patience starts with the smallest page
                    wait = self._retry.next_wait_seconds(
                        tries, now - started, chance=self._random_number()
                    )
                    if wait is None:
                        raise AsanaFailure(reason_of(sent.answer), path, is_transient=True)
                    tries += 1
                    budget.release_memory()
                    self._rate_limit.sleep(wait)
                case _:
                    return sent

    def _send_once(
        self,
        path: str,
        params: Mapping[str, str],
        budget: PageBudget,
        purpose: str,
        content: bytes | None,
    ) -> Sent:
        """Send a request when the rate limit allows it."""
        query = urlencode(params, safe=",:", quote_via=quote)
        token = self._token.current()
        with self._rate_limit.turn() as turn:
            sent_at = self._clock()
            self.observed.count(purpose)
            url = f"{self._api_url}/{path}?{query}"
            if content is None:
                answer = self._connection.get(url, token=token, may_read_on=budget.may_read_on)
            else:
                answer = self._connection.post_json(url.rstrip("?"), content, token=token)
            seconds = self._clock() - sent_at
            budget.note_answer(seconds)
            self._observe(answer, seconds)
            if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
                turn.refused(self._pause_seconds(answer))
            elif answer.status:
                turn.served()
        self.observed.note(answer)
        return Sent(answer, token, sent_at)

    def _pause_seconds(self, answer: Answer) -> float | None:
        """The seconds that Asana asks for and a little more; None where it does not say."""
        seconds = answer.retry_after
        return None if seconds is None else seconds + JITTER_SECONDS * self._random_number()
