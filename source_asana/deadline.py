"""Doing something within a time, whatever it waits for."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from source_asana.asana.errors import NoThread

T = TypeVar("T")

POLL_SECONDS = 0.1


class Deadline:
    """When something must have ended: `seconds` from now."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends_at = clock() + seconds

    def seconds_left(self) -> float:
        """The seconds until then; negative afterwards."""
        return self._ends_at - self._clock()


def run_until(call: Callable[[], T], why_stop: Callable[[], Exception | None]) -> T:
    """Run `call` in a thread, until it ends or `why_stop` has a reason to wait no longer.

    Returns and raises like `call`, or raises that reason, or NoThread.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except Exception as error:  # noqa: BLE001 - it goes to the caller
            outcome.set_exception(error)

    try:
        threading.Thread(target=run, daemon=True).start()
    except RuntimeError:
        raise NoThread from None
    while not wait([outcome], timeout=POLL_SECONDS).done:
        if reason := why_stop():
            raise reason
    if outcome.exception() and (reason := why_stop()):
        raise reason
    return outcome.result()
