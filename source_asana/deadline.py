"""Run calls within a time limit, whatever they wait for."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from source_asana.asana.errors import NoThread

T = TypeVar("T")

NAME = "check"
"""The name of the threads."""

POLL_SECONDS = 0.1


class Deadline:
    """A moment `seconds` from now by which something must have ended."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends_at = clock() + seconds

    def seconds_left(self) -> float:
        """The seconds until the deadline; negative after it."""
        return self._ends_at - self._clock()


class Watch:
    """Runs calls, one at a time, until `why_stop` has a reason to stop waiting."""

    def __init__(self, why_stop: Callable[[], Exception | None]) -> None:
        self._why_stop = why_stop
        self._threads: list[threading.Thread] = []

    def result_of(self, call: Callable[[], T]) -> T:
        """Run `call` in a thread; return and raise like it, or raise the reason to stop.

        Raises NoThread if the machine cannot start a thread.
        """
        outcome: Future[T] = Future()

        def run() -> None:
            try:
                outcome.set_result(call())
            except Exception as error:  # noqa: BLE001 - the caller gets it
                outcome.set_exception(error)

        thread = threading.Thread(target=run, name=NAME, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            raise NoThread from None
        self._threads.append(thread)
        while not wait([outcome], timeout=POLL_SECONDS).done:
            if reason := self._why_stop():
                raise reason
        if outcome.exception() and (reason := self._why_stop()):
            raise reason
        return outcome.result()

    def join(self, seconds: float) -> None:
        """Wait at most so long for abandoned calls to end."""
        for thread in self._threads:
            thread.join(max(0.0, seconds))
