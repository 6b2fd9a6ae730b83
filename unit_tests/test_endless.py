"""Tables that show, page by page, when a listing is given up."""

from collections.abc import Iterable
from itertools import count

import pytest

from source_asana.asana.endless import (
    MAX_EMPTY_PAGES,
    MAX_REPEATED_PAGES,
    MAX_RESTARTS,
    LoopGuard,
    Restarts,
)

Page = tuple[str | None, str]


def pages_until_stuck(pages: Iterable[Page], offset: str | None = None) -> int | None:
    guard = LoopGuard(offset)
    return next((n for n, page in enumerate(pages, 1) if guard.is_stuck_after(*page)), None)


@pytest.mark.parametrize(
    ("pages", "stuck_after"),
    [
        ([("1", "a"), ("2", "b"), ("3", "c")], None),
        ([("1", "a"), ("1", "a")], 2),
        ([("1", "a"), ("2", "a"), ("3", "a")], None),
        ([("1", "a"), ("2", "b"), ("1", "a")], 3),
        ([("1", "a"), (None, "b"), (None, "c"), ("2", "d")], None),
        ([("1", "a"), (None, "a")], 2),
    ],
    ids=[
        "new records and offsets",
        "the same page",
        "new records at one offset",
        "two pages in turn",
        "empty pages between",
        "an empty page at a known offset",
    ],
)
def test_a_page_without_a_new_record_or_offset_is_a_repetition(
    pages: list[Page], stuck_after: int | None
) -> None:
    assert pages_until_stuck(pages) == stuck_after


def test_many_pages_without_a_new_record_are_a_repetition_whatever_their_offsets() -> None:
    empty: Iterable[Page] = ((None, str(n)) for n in count())
    assert pages_until_stuck(empty) == MAX_EMPTY_PAGES + 1
    same: Iterable[Page] = (("1", str(n)) for n in count())
    assert pages_until_stuck(same) == 1 + MAX_REPEATED_PAGES + 1


def test_the_offset_of_the_first_request_is_known() -> None:
    assert pages_until_stuck([(None, "token")], offset="token") == 1


def attempts(pages: Iterable[tuple[int, bool]]) -> list[bool]:
    restarts = Restarts()
    return [restarts.may_start_over(n, is_page_size_new=is_new) for n, is_new in pages]


@pytest.mark.parametrize(
    ("pages", "allowed"),
    [
        ([(3, False)] * (MAX_RESTARTS + 2), MAX_RESTARTS),
        ([(n, False) for n in range(1, 50)], 49),
        ([(3, True)] * 50, 50),
        ([(0, False)] * (MAX_RESTARTS + 1), MAX_RESTARTS),
    ],
    ids=["no progress", "progress each time", "another page size each time", "at the first page"],
)
def test_a_listing_starts_over_while_it_makes_progress(
    pages: list[tuple[int, bool]], allowed: int
) -> None:
    assert attempts(pages).count(True) == allowed
