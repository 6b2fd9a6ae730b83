"""The next `limit` after each possible result of a page."""

import pytest

from source_asana.asana.page_size import (
    LARGE_PAGE_BYTES,
    LIMITS,
    MAX_BODY_BYTES,
    MIN_LIMIT_AFTER_TIMEOUT,
    PAGES_UNTIL_TRIAL,
    TIMEOUTS_PER_LIMIT,
    PageSize,
)

MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    ("limit", "times", "following"),
    [
        (100, 1, 100),
        (100, 2, 50),
        (50, 1, 50),
        (50, 2, 25),
        (25, 2, 12),
        (12, 2, 10),
        (10, 2, 10),
        (10, 99, 10),
        (5, 2, 5),
    ],
)
def test_two_timeouts_halve_a_page_but_not_below_ten_records(
    limit: int, times: int, following: int
) -> None:
    assert PageSize(answerable_limit=limit).timed_out(limit, times) == following


def test_a_smaller_page_is_remembered_for_the_next_listing() -> None:
    size = PageSize()
    size.timed_out(100, 2)
    assert size.limit == 50


def test_one_timeout_is_enough_if_another_listing_had_to_shrink() -> None:
    size = PageSize(answerable_limit=25)
    assert size.timed_out(100, 1) == 25
    assert size.limit == 25


@pytest.mark.parametrize(
    ("limit", "records", "size", "following"),
    [
        (100, 100, 300_000, 100),
        (100, 100, LARGE_PAGE_BYTES, 100),
        (100, 100, LARGE_PAGE_BYTES + 1, 50),
        (100, 100, 8 * MEGABYTE, 50),
        (100, 100, 8 * MEGABYTE + 100, 25),
        (100, 3, 6 * MEGABYTE, 2),
        (50, 50, 18 * MEGABYTE, 10),
        (10, 10, 36 * MEGABYTE, 1),
        (1, 1, 36 * MEGABYTE, 1),
        (100, 0, 50, 100),
    ],
)
def test_after_a_large_page_the_next_one_is_small(
    limit: int, records: int, size: int, following: int
) -> None:
    assert PageSize().answered(limit, records, size) == following


@pytest.mark.parametrize(
    ("limit", "following"), [(100, 25), (50, 12), (25, 12), (12, 5), (10, 2), (2, 1), (1, 1)]
)
def test_a_page_that_is_too_large_is_requested_smaller(limit: int, following: int) -> None:
    assert PageSize().too_large(limit, MAX_BODY_BYTES + 1) == following


def test_a_listing_keeps_its_limit_while_its_pages_are_small() -> None:
    size = PageSize(record_bytes=360_000)
    assert size.limit == 10
    assert size.answered(10, 10, 20_000) == 10


def test_listings_of_small_records_return_to_full_pages() -> None:
    size = PageSize(record_bytes=360_000)
    limits = [size.limit]
    for _ in range(3):
        size.answered(limits[-1], 10, 20_000)
        limits.append(size.limit)
    assert limits == [10, 25, 100, 100]


def test_larger_pages_are_tried_again_later_each_time() -> None:
    size = PageSize(answerable_limit=50)
    waits = []
    for _ in range(3):
        pages = 0
        while size.limit == 50:
            size.answered(50, 50, 1_000)
            pages += 1
        waits.append(pages)
        assert size.timed_out(100, TIMEOUTS_PER_LIMIT) == 50
    assert waits == [PAGES_UNTIL_TRIAL, 2 * PAGES_UNTIL_TRIAL, 4 * PAGES_UNTIL_TRIAL]


def test_asana_accepts_every_limit() -> None:
    assert LIMITS[0] == 100
    assert sorted(LIMITS, reverse=True) == list(LIMITS)
    assert LIMITS[-1] == 1
    assert MIN_LIMIT_AFTER_TIMEOUT in LIMITS
