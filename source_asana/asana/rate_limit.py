"""Holds all workers until the next request may go. The only lock of the rate limit."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from source_asana.asana.governor import Governor


class Stopped(Exception):
    """The sync is ending; raised wherever a worker would wait or send."""


class Turn:
    """The permission to send one request at `sent_at`. Tell it how the request ended."""

    def __init__(self, sent_at: float) -> None:
        self.sent_at = sent_at
        self.end: Callable[[Governor, float], object] = _lost

    def served(self) -> None:
        """Asana answered with anything but 429."""
        self.end = lambda governor, now: governor.served(self.sent_at, now)

    def refused(self, retry_after: float | None) -> None:
        """Asana answered 429: every worker waits. `retry_after`: seconds, if Asana says so."""
        self.end = lambda governor, now: governor.refused(self.sent_at, now, retry_after)


def _lost(governor: Governor, _now: float) -> None:
    governor.lost()


class RateLimit:
    """A governor that threads share: it holds them until a request may go."""

    def __init__(
        self,
        governor: Governor | None = None,
        clock: Callable[[], float] = time.monotonic,
        changed: threading.Condition | None = None,
    ) -> None:
        self._governor = governor or Governor()
        self._clock = clock
        self._turnstile = threading.Lock()
        self._changed = changed or threading.Condition()
        self._is_stopped = False

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """Wait until a request may go; give the turn back at the end of the block.

        A turn that was told nothing, for example because of an exception, counts as a request
        without an answer. Raises Stopped when the sync ends meanwhile.
        """
        turn = Turn(self._wait_for_turn())
        try:
            yield turn
        finally:
            with self._changed:
                turn.end(self._governor, self._clock())
                self._changed.notify_all()

    def _wait_for_turn(self) -> float:
        """Wait for a turn; return the time at which its request goes."""
        with self._turnstile, self._changed:  # one waits for the turn, the others for the turnstile
            self._wait_until(self._governor.next_at)
            now = self._clock()
            self._governor.go(now)
            return now

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`. Raises Stopped when the sync ends meanwhile."""
        wake_at = self._clock() + seconds
        with self._changed:
            self._wait_until(lambda now: max(now, wake_at))

    def seconds_to_wait(self) -> float:
        """How long the pause after a refusal still lasts."""
        return self._governor.seconds_to_wait(self._clock())

    def stop(self) -> None:
        """End all waits, and send nothing from now on."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    def _wait_until(self, moment: Callable[[float], float]) -> None:
        while not self._is_stopped and (left := moment(now := self._clock()) - now) > 0:
            self._changed.wait(min(left, threading.TIMEOUT_MAX))
        if self._is_stopped:
            raise Stopped
