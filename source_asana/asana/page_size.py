"""How many records to ask for: fewer where pages are too large, or Asana too slow for them.

https://developers.asana.com/docs/pagination
"""

from dataclasses import dataclass

LIMITS = (100, 50, 25, 12, 10, 5, 2, 1)
"""The values of `limit`: the first one as long as nothing is wrong, then the next."""

FEWEST_WHEN_LATE = 10
FAILURES_PER_LIMIT = 2
"""After so many timeouts of a page a smaller one is requested, down to the fewest records."""

PAGES_UNTIL_MORE = 100
"""After so many pages larger ones are tried again; each trial in vain doubles this."""

PAGE_BYTES = 4_000_000
"""After a larger page than this, smaller ones are requested."""

BODY_BYTES = 8_000_000
"""A page is read up to this size; if it is larger, a smaller one is requested instead."""

DECAY = 4.0
"""By how much the expected size of a record may fall from one page to the next."""


@dataclass
class PageSize:
    """The page size of one endpoint, decided by what happened to its pages. Pure.

    `answerable`: the largest `limit` that Asana is not known to be too slow for. `record_bytes`:
    the expected size of a record, by the latest pages.
    """

    answerable: int = LIMITS[0]
    record_bytes: float = 0.0
    _is_trial: bool = False
    _answered: int = 0
    _until_more: int = PAGES_UNTIL_MORE

    @property
    def limit(self) -> int:
        """The `limit` for the first page of a listing."""
        small = (n for n in LIMITS if n <= self.answerable and n * self.record_bytes <= PAGE_BYTES)
        return next(small, LIMITS[-1])

    def timed_out(self, limit: int, times: int) -> int:
        """Return the next `limit` for a page that timed out so many times in a row."""
        is_news = limit <= self.answerable
        if is_news and (times < FAILURES_PER_LIMIT or limit <= FEWEST_WHEN_LATE):
            return limit
        if is_news:
            self.answerable = _smaller(limit)
            self._until_more *= 2 if self._is_trial else 1
            self._is_trial, self._answered = False, 0
        return min(limit, self.limit)

    def too_large(self, limit: int, size: int) -> int:
        """Return the next `limit` for a page that has at least `size` bytes."""
        self.record_bytes = max(self.record_bytes, size / limit)
        return min(_smaller(limit), self.limit)

    def answered(self, limit: int, records: int, size: int) -> int:
        """Return the `limit` of the page after one of so many records and bytes.

        It stays the same unless the page was large: Asana may refuse an offset with another limit.
        """
        if records:
            self.record_bytes = max(size / records, self.record_bytes / DECAY)
        self._answered += 1
        if self.answerable < LIMITS[0] and self._answered >= self._until_more:
            self.answerable = _larger(self.answerable)
            self._is_trial, self._answered = True, 0
        return limit if size <= PAGE_BYTES else min(limit, self.limit)


def _smaller(limit: int) -> int:
    return next((smaller for smaller in LIMITS if smaller < limit), LIMITS[-1])


def _larger(limit: int) -> int:
    return min(larger for larger in LIMITS if larger > limit)
