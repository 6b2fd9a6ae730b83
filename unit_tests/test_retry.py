"""A table of when a failed request is retried."""

import pytest

from source_asana.asana.retry import RetryPolicy

POLICY = RetryPolicy(patience_seconds=100, max_wait_seconds=60, min_retry_after_seconds=0.5)


@pytest.mark.parametrize(
    ("tries", "elapsed", "retry_after", "wait"),
    [
        (0, 0, None, 1),
        (1, 1, None, 2),
        (4, 15, None, 16),
        (5, 31, None, 32),
        (6, 40, None, 60),
        (5, 68, None, 32),
        (5, 69, None, None),
        (9999, 0, None, 60),
        (0, 100, None, 1),
        (0, 9999, None, 1),
        (1, 99, None, None),
        (0, 0, 7, 7),
        (0, 0, 0.001, 0.5),
        (0, 0, 100, 100),
        (0, 0, 101, None),
        (3, 93, 7, 7),
        (3, 94, 7, None),
    ],
    ids=[
        "the first wait is 1 second",
        "waits double",
        "waits double again",
        "waits double until the longest one",
        "no wait is longer than the longest one",
        "a wait may end with the patience",
        "no wait ends after the patience",
        "many attempts cause no overflow",
        "one retry is made after the patience",
        "one retry is made long after the patience",
        "no second retry is made after the patience",
        "the server gives the wait",
        "the server asks for a short wait",
        "the server may ask for a wait of the whole patience",
        "the server asks for more than the patience, so there is no retry",
        "the server's wait ends with the patience",
        "the server's wait ends after the patience",
    ],
)
def test_a_retry_waits_longer_each_time_until_patience_ends(
    tries: int, elapsed: float, retry_after: float | None, wait: float | None
) -> None:
    assert POLICY.next_wait_seconds(tries, elapsed, retry_after=retry_after) == wait


@pytest.mark.parametrize(("chance", "wait"), [(0, 4), (0.5, 8), (1, 12)])
def test_chance_varies_a_wait_by_half(chance: float, wait: float) -> None:
    assert POLICY.next_wait_seconds(3, 0, chance=chance) == wait


@pytest.mark.parametrize("tries", range(20))
@pytest.mark.parametrize("chance", [0, 0.5, 1])
def test_a_retry_right_after_the_first_try_is_never_given_up(tries: int, chance: float) -> None:
    for patience in (0.1, 8, 300):
        wait = RetryPolicy(patience).next_wait_seconds(tries, 0, chance=chance)
        assert wait is not None
        assert 0 < wait <= patience
