"""The next page of a listing: how many records to ask for, and the memory that it may take."""

import threading
from collections import defaultdict
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from source_asana.asana.memory import Memory, Share
from source_asana.asana.page_size import BODY_BYTES, FEWEST_WHEN_LATE, LIMITS, PageSize
from source_asana.asana.rate_limit import Stopped

FREE_BYTES = 500_000
"""Pages of ordinary size take nothing from the memory that is shared."""

HEADROOM = 1.25
"""By how much a page may be larger than expected without waiting for memory again."""

UNREAD_SECONDS = 20.0
"""How long an answer may wait to be read: it counts as under way, and Asana may cut it off."""


class Paging:
    """The page sizes of all endpoints. Safe for many threads."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._lock = threading.Lock()
        self._sizes: defaultdict[str, PageSize] = defaultdict(PageSize)

    def pages(self, path: str, params: Mapping[str, str]) -> "Pages":
        """The pages of one listing, or the answer to another request, if `params` has no limit."""
        endpoint = "/".join("*" if part.isdigit() else part for part in path.split("/"))
        return Pages(self._sizes[endpoint], self._lock, self._memory, has_limit="limit" in params)


class Pages:
    """The pages of one listing, one after the other, in one thread.

    A page is held from its request until the next one is requested.

    `limit`: how many records to ask for; None where the request has none. `asked`: how many were
    asked for last.
    """

    def __init__(
        self, size: PageSize, lock: threading.Lock, memory: Memory, *, has_limit: bool
    ) -> None:
        self._size = size
        self._lock = lock
        self._everything = memory.size
        self._share = Share(memory)
        self._least = 0
        self._timeouts = 0
        with lock:
            self.limit = self.asked = size.limit if has_limit else None

    def query(self, params: Mapping[str, str]) -> Mapping[str, str]:
        """The parameters with the `limit` of the next request."""
        self.asked = self.limit
        if self.limit is None or params["limit"] == str(self.limit):
            return params
        return {**params, "limit": str(self.limit)}

    def wait_for_memory(self) -> None:
        """Hold what the next page is expected to take. Raises Stopped."""
        with self._lock:
            expected = int((self.limit or 0) * self._size.record_bytes * HEADROOM)
        if expected > BODY_BYTES:
            expected = self._everything if self.limit == LIMITS[-1] else BODY_BYTES
        self._share.resize(max(expected if expected > FREE_BYTES else 0, self._least))

    def release_memory(self) -> None:
        """Hold nothing until the next request."""
        self._share.resize(0)

    def admits(self, size: int) -> bool:
        """Whether to read on after so many bytes of a page. Waits for memory."""
        if size <= max(FREE_BYTES, self._share.size) or self._share.size == self._everything:
            return True
        try:
            return size <= BODY_BYTES and self._share.resize(BODY_BYTES, UNREAD_SECONDS)
        except Stopped:
            return False

    def timed_out(self) -> bool:
        """Asana took too long for a page; return whether smaller ones are still to be tried."""
        if self.limit is None or self.limit <= FEWEST_WHEN_LATE:
            return False
        self._timeouts += 1
        with self._lock:
            following = self._size.timed_out(self.limit, self._timeouts)
        if following < self.limit:
            self.limit, self._timeouts = following, 0
        return True

    def not_admitted(self, size: int) -> None:
        """A page was given up after so many bytes: the next one is smaller, or waits beforehand."""
        if size <= BODY_BYTES:
            self._least = BODY_BYTES
        elif self.limit is None or self.limit == LIMITS[-1]:
            self._least = self._everything
        else:
            with self._lock:
                self.limit = self._size.too_large(self.limit, size)

    def answered(self, records: int, size: int) -> None:
        """A page has come; it takes as much as it has bytes until the next one is requested."""
        self._timeouts = 0
        self._least = 0
        self._share.resize(min(size, self._share.size))
        if self.limit is not None:
            with self._lock:
                self.limit = self._size.answered(self.limit, records, size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.release_memory()
