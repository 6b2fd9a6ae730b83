"""A fixed amount of memory that all workers share for the pages they hold."""

import threading
import time
from collections import deque
from collections.abc import Callable
from math import inf

POLL_SECONDS = 1.0
"""How often a thread that waits for memory checks whether the sync has ended."""


class Memory:
    """A number of bytes that threads share. Safe for many threads.

    Requests are granted in order. One that is larger than `size` is granted when nothing else is
    taken, so each is granted in the end. `raise_if_stopped`: ends a wait when the sync ends.
    """

    def __init__(self, size: int, raise_if_stopped: Callable[[], object]) -> None:
        self.size = size
        self._raise_if_stopped = raise_if_stopped
        self._taken = 0
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    def take(self, size: int, patience_seconds: float = inf) -> bool:
        """Wait until `size` bytes are free, and take them.

        Returns False if that takes longer than the patience. A thread that waits must hold no
        memory, so that no two threads wait for each other.
        """
        if not size:
            return True
        ticket = object()
        end = time.monotonic() + patience_seconds
        with self._changed:
            self._waiting.append(ticket)
            try:
                while self._waiting[0] is not ticket or not self._has_room(size):
                    self._raise_if_stopped()
                    if (left := end - time.monotonic()) <= 0:
                        return False
                    self._changed.wait(min(left, POLL_SECONDS))
                self._taken += size
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
        return True

    def give_back(self, size: int) -> None:
        """Free `size` bytes."""
        if size:
            with self._changed:
                self._taken -= size
                self._changed.notify_all()

    def _has_room(self, size: int) -> bool:
        return self._taken + size <= self.size or not self._taken


class Share:
    """The bytes of a memory that one thread holds."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.size = 0

    def resize(self, size: int, patience_seconds: float = inf) -> bool:
        """Hold `size` bytes; to get more, give back everything first.

        Returns False, and holds nothing, if there is no room within the patience.
        """
        if size <= self.size:
            self._memory.give_back(self.size - size)
            self.size = size
            return True
        held, self.size = self.size, 0
        self._memory.give_back(held)
        if not self._memory.take(size, patience_seconds):
            return False
        self.size = size
        return True
