"""How many records to request: fewer where pages are too large, or Asana too slow for them. Pure.

https://developers.asana.com/docs/pagination
"""

from dataclasses import dataclass

LIMITS = (100, 50, 25, 12, 10, 5, 2, 1)
"""The values of `limit`, from the usual one down."""

MIN_LIMIT_AFTER_TIMEOUT = 10
"""Timeouts reduce the limit to this value at most."""

TIMEOUTS_PER_LIMIT = 2
"""After so many timeouts of a page in a row, a smaller one is requested."""

PAGES_UNTIL_TRIAL = 100
"""After so many pages a larger limit is tried again; each failed trial doubles this."""

LARGE_PAGE_BYTES = 4_000_000
"""After a page larger than this, smaller ones are requested."""

MAX_BODY_BYTES = 8_000_000
"""A page is read up to this size; if it is larger, a smaller one is requested instead."""

DECAY_FACTOR = 4.0
"""By how much the expected size of a record may fall from one page to the next."""


@dataclass
class PageSize:
    """The limit for one endpoint, decided by what happened to its pages.

    `answerable_limit`: the largest one that Asana is not known to be too slow for.
    `record_bytes`: the expected size of a record, from the latest pages.
    """

    answerable_limit: int = LIMITS[0]
    record_bytes: float = 0.0
    _is_trial: bool = False
    _pages: int = 0
    _pages_until_trial: int = PAGES_UNTIL_TRIAL

    @property
    def limit(self) -> int:
        """The limit for the first page of a listing."""
        fitting = (
            limit
            for limit in LIMITS
            if limit <= self.answerable_limit and limit * self.record_bytes <= LARGE_PAGE_BYTES
        )
        return next(fitting, LIMITS[-1])

    def timed_out(self, limit: int, times: int) -> int:
        """Return the next limit for a page that timed out `times` times in a row."""
        is_new = limit <= self.answerable_limit
        if is_new and (times < TIMEOUTS_PER_LIMIT or limit <= MIN_LIMIT_AFTER_TIMEOUT):
            return limit
        if is_new:
            self.answerable_limit = _smaller(limit)
            self._pages_until_trial *= 2 if self._is_trial else 1
            self._is_trial, self._pages = False, 0
        return min(limit, self.limit)

    def too_large(self, limit: int, size: int) -> int:
        """Return the next limit for a page of at least `size` bytes."""
        self.record_bytes = max(self.record_bytes, size / limit)
        return min(_smaller(limit), self.limit)

    def answered(self, limit: int, records: int, size: int) -> int:
        """Return the limit of the page after one of so many records and bytes.

        It stays the same unless the page was large: Asana may refuse an offset with another limit.
        """
        if records:
            self.record_bytes = max(size / records, self.record_bytes / DECAY_FACTOR)
        self._pages += 1
        if self.answerable_limit < LIMITS[0] and self._pages >= self._pages_until_trial:
            self.answerable_limit = _larger(self.answerable_limit)
            self._is_trial, self._pages = True, 0
        return limit if size <= LARGE_PAGE_BYTES else min(limit, self.limit)


def _smaller(limit: int) -> int:
    return next((smaller for smaller in LIMITS if smaller < limit), LIMITS[-1])


def _larger(limit: int) -> int:
    return min(larger for larger in LIMITS if larger > limit)
