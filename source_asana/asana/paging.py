"""How large the next page of a listing may be: its `limit`, and its share of the memory."""

import threading
from collections import defaultdict
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from source_asana.asana.memory import Memory, Share
from source_asana.asana.page_size import LIMITS, MAX_BODY_BYTES, MIN_LIMIT_AFTER_TIMEOUT, PageSize
from source_asana.asana.rate_limit import Stopped

FREE_BYTES = 500_000
"""Pages up to this size take nothing from the shared memory."""

HEADROOM_FACTOR = 1.25
"""How much larger than expected a page may be before it waits for more memory."""

UNREAD_SECONDS = 20.0
"""How long an answer may wait to be read; Asana still counts it as open, and may close it."""


class Paging:
    """The page sizes of all endpoints. Safe for many threads."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._lock = threading.Lock()
        self._sizes: defaultdict[str, PageSize] = defaultdict(PageSize)

    def budget(self, path: str, params: Mapping[str, str]) -> "PageBudget":
        """The budget of one listing, or of a single request where `params` has no `limit`."""
        endpoint = "/".join("*" if part.isdigit() else part for part in path.split("/"))
        has_limit = "limit" in params
        return PageBudget(self._sizes[endpoint], self._lock, self._memory, has_limit=has_limit)


class PageBudget:
    """The `limit` and the memory of one page after the other, in one thread.

    A page takes memory from its request until the next request, or until the end of the `with`
    block. `limit`: how many records to request next; None where the request has no limit.
    `sent_limit`: that of the latest request.
    """

    def __init__(
        self, size: PageSize, lock: threading.Lock, memory: Memory, *, has_limit: bool
    ) -> None:
        self._size = size
        self._lock = lock
        self._total_bytes = memory.size
        self._share = Share(memory)
        self._min_bytes = 0
        self._timeouts = 0
        with lock:
            self.limit = self.sent_limit = size.limit if has_limit else None

    def query(self, params: Mapping[str, str]) -> Mapping[str, str]:
        """The parameters of the next request, with its `limit`."""
        self.sent_limit = self.limit
        if self.limit is None or params["limit"] == str(self.limit):
            return params
        return {**params, "limit": str(self.limit)}

    def wait_for_memory(self) -> None:
        """Wait until the expected size of the next page is free, and take it. Raises Stopped."""
        with self._lock:
            expected = int((self.limit or 0) * self._size.record_bytes * HEADROOM_FACTOR)
        if expected > MAX_BODY_BYTES:
            expected = self._total_bytes if self.limit == LIMITS[-1] else MAX_BODY_BYTES
        self._share.resize(max(expected if expected > FREE_BYTES else 0, self._min_bytes))

    def release_memory(self) -> None:
        """Take no memory until the next request."""
        self._share.resize(0)

    def may_read_on(self, size: int) -> bool:
        """Whether to read on after `size` bytes of a page. Waits for memory."""
        if size <= max(FREE_BYTES, self._share.size) or self._share.size == self._total_bytes:
            return True
        try:
            return size <= MAX_BODY_BYTES and self._share.resize(MAX_BODY_BYTES, UNREAD_SECONDS)
        except Stopped:
            return False

    def note_timeout(self) -> bool:
        """Note that Asana took too long for a page. Returns whether a smaller page may help."""
        if self.limit is None or self.limit <= MIN_LIMIT_AFTER_TIMEOUT:
            return False
        self._timeouts += 1
        with self._lock:
            next_limit = self._size.timed_out(self.limit, self._timeouts)
        if next_limit < self.limit:
            self.limit, self._timeouts = next_limit, 0
        return True

    def note_partly_read(self, size: int) -> None:
        """Note that only `size` bytes were read: request a smaller page, or take memory first."""
        if size <= MAX_BODY_BYTES:
            self._min_bytes = MAX_BODY_BYTES
        elif self.limit is None or self.limit == LIMITS[-1]:
            self._min_bytes = self._total_bytes
        else:
            with self._lock:
                self.limit = self._size.too_large(self.limit, size)

    def note_page(self, records: int, size: int) -> None:
        """Note a page of so many records and bytes; give back the memory that it does not need."""
        self._timeouts = 0
        self._min_bytes = 0
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
