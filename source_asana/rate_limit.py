"""When a request may go out: the one pause that all workers keep."""

import threading
import time
from collections.abc import Callable


class Stopped(Exception):
    """The sync is being ended; raised wherever a worker would wait or send."""


class RateLimit:
    """Asana's quota, as all workers share it.

    Asana counts refused requests too, so one answer 429 holds everybody until its `Retry-After` has
    passed. https://developers.asana.com/docs/rate-limits
    """

    LONGEST_PAUSE = 60.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._open_at = 0.0
        self._refusals_in_row = 0
        self._stopped = False

    def wait_turn(self) -> None:
        """Return when a request may go out; raise Stopped when the sync ends meanwhile."""
        with self._changed:
            self._wait_until(lambda: self._open_at)

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`; raise Stopped when the sync ends meanwhile."""
        wake_at = self._clock() + seconds
        with self._changed:
            self._wait_until(lambda: wake_at)

    def refused(self, retry_after: float | None) -> float:
        """Hold every worker after an answer 429; return for how many seconds.

        Without a `Retry-After` the pauses grow, from one second to a minute.
        """
        with self._changed:
            if retry_after is None:
                retry_after = min(2.0**self._refusals_in_row, self.LONGEST_PAUSE)
            self._refusals_in_row += 1
            self._open_at = max(self._open_at, self._clock() + retry_after)
            return retry_after

    def granted(self) -> None:
        """Note that Asana has served a request."""
        self._refusals_in_row = 0

    def seconds_to_wait(self) -> float:
        """How long everybody still has to wait."""
        return max(0.0, self._open_at - self._clock())

    def stop(self) -> None:
        """Let nobody wait or send any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _wait_until(self, moment: Callable[[], float]) -> None:
        while not self._stopped and (left := moment() - self._clock()) > 0:
            self._changed.wait(left)
        if self._stopped:
            raise Stopped
