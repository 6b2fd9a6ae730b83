"""How much memory pages may take together, whatever the number of workers."""

import threading
import time
from collections import deque
from collections.abc import Callable
from math import inf

LOOK_SECONDS = 1.0
"""How often a thread that waits for memory looks whether the sync has ended."""


class Memory:
    """A number of bytes that threads share. Safe for many threads.

    Shares are granted in the order in which they are asked for. One that is larger than everything
    is granted when nothing else is held, so each is granted once the others are given back.
    `raise_if_stopped`: raises what a wait ends with when the sync ends meanwhile.
    """

    def __init__(self, size: int, raise_if_stopped: Callable[[], object]) -> None:
        self.size = size
        self._raise_if_stopped = raise_if_stopped
        self._held = 0
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    def take(self, size: int, patience: float = inf) -> bool:
        """Wait until so many bytes are free; return False if that takes longer than `patience`.

        Whoever waits must not hold any of it: then no two wait for each other.
        """
        if not size:
            return True
        ticket = object()
        end = time.monotonic() + patience
        with self._changed:
            self._waiting.append(ticket)
            try:
                while self._waiting[0] is not ticket or not self._has_room(size):
                    self._raise_if_stopped()
                    if (left := end - time.monotonic()) <= 0:
                        return False
                    self._changed.wait(min(left, LOOK_SECONDS))
                self._held += size
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
        return True

    def give_back(self, size: int) -> None:
        """Let others have so many bytes."""
        if size:
            with self._changed:
                self._held -= size
                self._changed.notify_all()

    def _has_room(self, size: int) -> bool:
        return self._held + size <= self.size or not self._held


class Share:
    """What one thread holds of the memory."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.size = 0

    def resize(self, size: int, patience: float = inf) -> bool:
        """Hold so many bytes; to get more, give back everything first.

        Returns False, and holds nothing, if there is no room within `patience` seconds.
        """
        if size <= self.size:
            self._memory.give_back(self.size - size)
            self.size = size
            return True
        given_back, self.size = self.size, 0
        self._memory.give_back(given_back)
        if not self._memory.take(size, patience):
            return False
        self.size = size
        return True
