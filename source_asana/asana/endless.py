"""When to give up a listing that does not end, or whose offsets keep expiring. Pure.

https://developers.asana.com/docs/pagination
"""

from dataclasses import dataclass

MAX_EMPTY_PAGES = 100
"""In a row. Asana cuts a listing into pages before it removes what the token cannot see."""

MAX_REPEATED_PAGES = 5
"""In a row. Records move to the next page when others are inserted before them."""

MAX_RESTARTS = 3
"""How often a listing starts over without getting further than before."""


class LoopGuard:
    """Notices when a listing repeats itself, page by page.

    `offset`: that of the first request. `pages`: how many pages were noted.
    """

    def __init__(self, offset: str | None = None) -> None:
        self.pages = 0
        self._offsets = {offset}
        self._last_records: set[str | None] = {None}
        self._empty_in_row = self._repeated_in_row = 0

    def is_stuck_after(self, last_record: str | None, next_offset: str) -> bool:
        """Note a page and return whether the listing repeats itself.

        It does where a page brings neither a new record nor a new offset, or where many pages in
        a row bring no new record. `last_record`: identifies the last record of the page; None if
        the page is empty.
        """
        self.pages += 1
        is_known = last_record in self._last_records
        is_empty = last_record is None
        self._empty_in_row = self._empty_in_row + 1 if is_empty else 0
        self._repeated_in_row = self._repeated_in_row + 1 if is_known and not is_empty else 0
        is_stuck = (
            (is_known and next_offset in self._offsets)
            or self._empty_in_row > MAX_EMPTY_PAGES
            or self._repeated_in_row > MAX_REPEATED_PAGES
        )
        self._last_records.add(last_record)
        self._offsets.add(next_offset)
        return is_stuck


@dataclass
class Restarts:
    """Counts how often a listing starts over because its offset expired."""

    in_row: int = 0
    most_pages: int = 0

    def may_start_over(self, pages: int, *, is_page_size_new: bool) -> bool:
        """Count a restart, if one is left.

        `pages`: how many were read since the last start. `is_page_size_new`: whether the offset
        was refused because it belongs to another page size; such a restart does not count.
        """
        if is_page_size_new:
            self.in_row, self.most_pages = 0, 0
        elif pages > self.most_pages:
            self.in_row = 0
        if self.in_row == MAX_RESTARTS:
            return False
        self.in_row += 1
        if not is_page_size_new:
            self.most_pages = max(self.most_pages, pages)
        return True
