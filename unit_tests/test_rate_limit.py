"""When a request may go out, by a clock of the tests' own."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue

import pytest

from source_asana.rate_limit import RateLimit, Stopped

WORKERS = 5
TICK = 0.001


@dataclass
class Clock:
    """Stands still, unless it is told to move whenever somebody looks at it."""

    now: float = 0.0
    tick: float = 0.0

    def __call__(self) -> float:
        self.now += self.tick
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rate_limit(clock: Clock) -> RateLimit:
    return RateLimit(clock)


def test_nobody_waits_before_the_first_refusal(rate_limit: RateLimit) -> None:
    assert rate_limit.seconds_to_wait() == 0
    rate_limit.wait_turn()


def test_a_refusal_holds_everybody_until_its_time_has_passed(
    rate_limit: RateLimit, clock: Clock
) -> None:
    rate_limit.refused(20 * TICK)
    clock.tick = TICK

    def went_at(_worker: int) -> float:
        rate_limit.wait_turn()
        return clock.now

    with ThreadPoolExecutor(WORKERS) as workers:
        went = list(workers.map(went_at, range(WORKERS)))
    assert min(went) >= 20 * TICK


def test_a_pause_is_as_long_as_asana_says_and_then_over(
    rate_limit: RateLimit, clock: Clock
) -> None:
    assert rate_limit.refused(30) == 30
    assert rate_limit.seconds_to_wait() == 30
    clock.now = 20
    assert rate_limit.seconds_to_wait() == 10
    clock.now = 31
    assert rate_limit.seconds_to_wait() == 0
    rate_limit.wait_turn()


def test_another_refusal_can_only_make_the_pause_longer(
    rate_limit: RateLimit, clock: Clock
) -> None:
    rate_limit.refused(30)
    clock.now = 10
    rate_limit.refused(5)
    assert rate_limit.seconds_to_wait() == 20
    rate_limit.refused(60)
    assert rate_limit.seconds_to_wait() == 60


def test_pauses_grow_to_a_minute_where_asana_does_not_say_how_long(rate_limit: RateLimit) -> None:
    pauses = [rate_limit.refused(None) for _ in range(8)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_what_asana_says_is_kept_however_many_refusals_there_were(rate_limit: RateLimit) -> None:
    for _ in range(5):
        rate_limit.refused(None)
    assert rate_limit.refused(3) == 3


def test_a_served_request_makes_the_next_pause_short_again(rate_limit: RateLimit) -> None:
    for _ in range(5):
        rate_limit.refused(None)
    rate_limit.granted()
    assert rate_limit.refused(None) == 1


def test_a_sleep_lasts_as_long_as_it_was_asked_for(rate_limit: RateLimit, clock: Clock) -> None:
    clock.tick = TICK
    rate_limit.sleep(10 * TICK)
    assert clock.now >= 11 * TICK


def test_nobody_waits_or_sends_after_a_stop(rate_limit: RateLimit) -> None:
    rate_limit.stop()
    with pytest.raises(Stopped):
        rate_limit.wait_turn()
    with pytest.raises(Stopped):
        rate_limit.sleep(3600)


def test_a_stop_wakes_everybody_who_waits() -> None:
    looks = threading.Semaphore(0)

    def standing_clock() -> float:
        looks.release()
        return 0.0

    rate_limit = RateLimit(standing_clock)
    rate_limit.refused(3600)
    looks.acquire()
    ends: SimpleQueue[str] = SimpleQueue()

    def wait() -> None:
        try:
            rate_limit.wait_turn()
        except Stopped:
            ends.put("stopped")
        else:
            ends.put("sent")

    for _ in range(WORKERS):
        threading.Thread(target=wait, daemon=True).start()
    for _ in range(WORKERS):
        assert looks.acquire(timeout=10)  # whoever has looked at the clock waits
    rate_limit.stop()
    assert [ends.get(timeout=10) for _ in range(WORKERS)] == ["stopped"] * WORKERS
