"""How large the next page of a listing may be: its `limit`, and its share of the memory."""

import threading
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from source_asana.asana.memory import Memory, Share
from source_asana.asana.page_size import LIMITS, MAX_BODY_BYTES, MIN_LIMIT_AFTER_TIMEOUT, PageSize
from source_asana.asana.rate_limit import Stopped
from source_asana.asana.spare_fields import SpareFields, without

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
        self._spare: defaultdict[str, SpareFields] = defaultdict(SpareFields)

    def budget(
        self, path: str, params: Mapping[str, str], spare_fields: Collection[str] = ()
    ) -> "PageBudget":
        """The budget of one listing, or of a single request where `params` has no `limit`.

        `spare_fields`: those of its `opt_fields` that it does without if they make Asana slow.
        """
        endpoint = "/".join("*" if part.isdigit() else part for part in path.split("/"))
        has_limit = "limit" in params
        fields = Fields(self._spare[endpoint], frozenset(spare_fields))
        return PageBudget(
            self._sizes[endpoint], self._lock, self._memory, fields, has_limit=has_limit
        )


@dataclass(frozen=True)
class Fields:
    """The spare fields of one listing, and what is known of them for its endpoint."""

    known: SpareFields
    paths: frozenset[str]

    @property
    def are_asked(self) -> bool:
        """Whether they are requested now."""
        return bool(self.paths) and not self.known.is_dropped


class PageBudget:
    """The `limit` and the memory of one page after the other, in one thread.

    A page takes memory from its request until the next request, or until the end of the `with`
    block. `limit`: how many records to request next; None where the request has no limit.
    `sent`: the limit of the latest request, and whether it asked for spare fields.
    """

    def __init__(
        self,
        size: PageSize,
        lock: threading.Lock,
        memory: Memory,
        fields: Fields,
        *,
        has_limit: bool,
    ) -> None:
        self._size = size
        self._fields = fields
        self._lock = lock
        self._total_bytes = memory.size
        self._share = Share(memory)
        self._min_bytes = 0
        self._timeouts = 0
        with lock:
            self.limit = size.limit if has_limit else None
        self.sent = (self.limit, fields.are_asked)

    def query(self, params: Mapping[str, str]) -> Mapping[str, str]:
        """The parameters of the next request, with its `limit`, maybe without spare fields."""
        self.sent = (self.limit, self._fields.are_asked)
        if self._fields.paths and not self._fields.are_asked:
            params = without(params, self._fields.paths)
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
        """Note that Asana took too long for a page. Returns whether another request may help."""
        _, asked = self.sent
        if asked:  # says nothing of the page size, even if others have dropped the fields meanwhile
            self._timeouts += 1
            with self._lock:
                is_dropped = self._fields.known.timed_out(self._timeouts)
            self._timeouts = 0 if is_dropped else self._timeouts
            return True
        if self.limit is None or self.limit <= MIN_LIMIT_AFTER_TIMEOUT:
            return False
        self._timeouts += 1
        with self._lock:
            next_limit = self._size.timed_out(self.limit, self._timeouts)
        if next_limit < self.limit:
            self.limit, self._timeouts = next_limit, 0
        return True

    def note_answer(self, seconds: float) -> None:
        """Note how long Asana took for an answer."""
        _, asked = self.sent
        if asked:
            with self._lock:
                self._fields.known.answered(seconds)

    def drop_spare_fields(self) -> bool:
        """Do without spare fields from now on; whether the latest request asked for them."""
        _, asked = self.sent
        if asked:
            with self._lock:
                self._fields.known.is_dropped = True
        return asked

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
