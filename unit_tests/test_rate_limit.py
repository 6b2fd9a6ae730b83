"""When a request may be sent, with a clock that the tests set."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, cycle, repeat
from queue import SimpleQueue
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from source_asana.asana.governor import (
    MILD_FACTOR,
    MINUTE_SECONDS,
    PLANS_PER_MINUTE,
    PROBE_SECONDS,
    QUOTA_FACTOR,
    RAMP_SECONDS,
    SLACK_SECONDS,
    Governor,
)
from source_asana.asana.rate_limit import RateLimit, Stopped
from unit_tests.quotas import (
    Bucket,
    FixedMinute,
    Quota,
    SlidingWindow,
    Traffic,
    Unlimited,
    Way,
    between,
    most_within,
)

FREE, PAID = (int(plan) for plan in PLANS_PER_MINUTE)
LEARNED = 300.0
END = 2400.0
AN_HOUR = 3600.0
WORKERS = 5
TICK = 0.001

pytestmark = pytest.mark.once

either_plan = pytest.mark.parametrize("plan", [FREE, PAID])
says_when_or_not = pytest.mark.parametrize("says_when", [True, False], ids=["header", "none"])

ceilings = st.one_of(st.integers(1, 200), st.integers(1, 60_000))
moments = st.lists(st.floats(0, 240), min_size=1, max_size=300)
any_ways = st.lists(
    st.builds(Way, st.floats(0.01, 90), st.floats(0.01, 90), st.booleans()), min_size=1, max_size=9
)
short_ways = st.lists(
    st.builds(Way, st.floats(0.01, 0.3), st.floats(0.01, 0.3)), min_size=1, max_size=9
)
any_answers = st.lists(st.one_of(st.none(), st.integers(0, 90)), min_size=1, max_size=9)


@dataclass
class Moods:
    """Serves or refuses requests in a given order."""

    answers: Iterator[int | None]
    per_minute: int = PAID

    def ask(self, now: float) -> int | None:  # noqa: ARG002
        return next(self.answers)


def ten_seconds(per_minute: int) -> SlidingWindow:
    return SlidingWindow(per_minute, window=10)


@given(ceilings, moments, any_ways, any_answers)
@example(ceiling=1, arrivals=[0], ways=[Way()], answers=[0])
def test_a_known_quota_is_never_exceeded(
    ceiling: int, arrivals: list[float], ways: list[Way], answers: list[int | None]
) -> None:
    traffic = Traffic(Governor(ceiling), Moods(cycle(answers)), wanted=200, ways=cycle(ways))
    traffic.arrive(arrivals)
    traffic.run(300)
    assert most_within(MINUTE_SECONDS, traffic.sent) <= ceiling


@given(ceilings, moments, short_ways)
def test_no_worker_waits_while_there_is_quota_and_work(
    ceiling: int, arrivals: list[float], ways: list[Way]
) -> None:
    # If the plan is unknown, only this many may be in flight at the end of the smaller one.
    workers = 25 if ceiling <= FREE else 4
    traffic = Traffic(Governor(ceiling), Unlimited(), wanted=100, workers=workers, ways=cycle(ways))
    traffic.arrive(arrivals)
    traffic.run(300)
    assert max(traffic.gaps) <= MINUTE_SECONDS / (QUOTA_FACTOR * ceiling) + TICK


@given(any_ways, any_answers)
def test_every_request_is_served_in_the_end(ways: list[Way], answers: list[int | None]) -> None:
    trouble = Moods(chain(answers, repeat(None)))
    traffic = Traffic(Governor(), trouble, wanted=40, ways=chain(ways, repeat(Way())))
    traffic.run(AN_HOUR)
    assert len(traffic.served) == 40


@given(st.integers(60, 60_000), moments)
def test_requests_do_not_come_in_bursts(ceiling: int, arrivals: list[float]) -> None:
    traffic = Traffic(Governor(ceiling), Unlimited(), wanted=0)
    traffic.arrive(arrivals)
    traffic.run(300)
    assert most_within(1, traffic.sent) <= 1 + (1 + SLACK_SECONDS) * ceiling / MINUTE_SECONDS


@pytest.mark.parametrize("ceiling", [1, 2, 60, FREE, 700, PAID, 6_000, 60_000])
def test_any_ceiling_is_reached(ceiling: int) -> None:
    traffic = Traffic(Governor(ceiling), Unlimited(), workers=100)
    traffic.run(4 * MINUTE_SECONDS)
    assert 0.975 * ceiling * 4 - 1 <= len(traffic.sent) <= ceiling * 4


@either_plan
@says_when_or_not
def test_a_plan_is_detected_used_and_rarely_exceeded(plan: int, *, says_when: bool) -> None:
    traffic = Traffic(Governor(), SlidingWindow(plan), says_when=says_when)
    traffic.run(END)
    assert between(traffic.refused, 0, LEARNED) <= 10
    assert traffic.used(LEARNED, END) >= 0.97
    assert traffic.refused_share(LEARNED, END) <= 0.01


def test_few_requests_are_refused_at_the_end_of_the_free_plan_even_if_answers_are_slow() -> None:
    traffic = Traffic(Governor(), SlidingWindow(FREE), ways=repeat(Way(0.5, 0.5)))
    traffic.run(MINUTE_SECONDS)
    assert 0 < len(traffic.refused) <= 4


@either_plan
@says_when_or_not
def test_the_connector_uses_the_quota_that_another_program_leaves(
    plan: int, *, says_when: bool
) -> None:
    traffic = Traffic(
        Governor(), SlidingWindow(plan), says_when=says_when, other_program=lambda _: plan / 2
    )
    traffic.run(END)
    refused = between(traffic.refused, 0, LEARNED)
    assert refused <= 14 or traffic.refused_share(0, LEARNED) <= 0.01
    assert traffic.used(LEARNED, END) >= 0.97
    assert traffic.refused_share(LEARNED, END) <= 0.01


@either_plan
def test_a_quota_that_changes_is_detected_again(plan: int) -> None:
    traffic = Traffic(Governor(), SlidingWindow(plan))
    traffic.run(600)
    traffic.quota.per_minute = FREE + PAID - plan
    traffic.run(END)
    assert between(traffic.refused, 600, 900) <= 10
    assert traffic.used(900, END) >= 0.97
    assert traffic.refused_share(900, END) <= 0.01


def test_an_upgrade_to_a_paid_plan_is_detected_within_three_minutes() -> None:
    traffic = Traffic(Governor(), SlidingWindow(FREE))
    traffic.run(100)
    traffic.quota.per_minute = PAID
    traffic.run(300)
    assert traffic.used(280, 290) >= 0.95


@either_plan
def test_another_program_may_start_and_stop(plan: int) -> None:
    traffic = Traffic(
        Governor(),
        SlidingWindow(plan),
        other_program=lambda now: plan / 2 if 600 < now < 1500 else 0,
    )
    traffic.run(END)
    assert traffic.used(900, 1500) >= 0.96
    assert traffic.used(1800, END) >= 0.97
    assert traffic.refused_share(LEARNED, END) <= 0.01


@either_plan
def test_a_sync_that_starts_without_quota_detects_its_plan(plan: int) -> None:
    spent = SlidingWindow(plan)
    for moment in range(plan):
        spent.ask(-30 + moment / plan)
    traffic = Traffic(Governor(), spent)
    traffic.run(END)
    assert between(traffic.refused, 0, LEARNED) <= 12
    assert traffic.used(LEARNED, END) >= 0.97


class Measured(NamedTuple):
    """The rate that the governor reaches if Asana measures the quota in another way."""

    quota: Callable[[int], Quota]
    plan: int
    shared: bool
    used: float
    refused: float


@pytest.mark.parametrize(
    "measured",
    [
        Measured(FixedMinute, FREE, shared=False, used=0.98, refused=0.005),
        Measured(FixedMinute, PAID, shared=False, used=0.98, refused=0.001),
        Measured(FixedMinute, FREE, shared=True, used=0.98, refused=0.01),
        Measured(FixedMinute, PAID, shared=True, used=0.98, refused=0.005),
        Measured(Bucket, FREE, shared=False, used=0.98, refused=0.005),
        Measured(Bucket, PAID, shared=False, used=0.98, refused=0.001),
        Measured(Bucket, FREE, shared=True, used=0.9, refused=0.02),
        Measured(Bucket, PAID, shared=True, used=0.98, refused=0.005),
        Measured(ten_seconds, FREE, shared=False, used=0.92, refused=0.005),
        Measured(ten_seconds, PAID, shared=False, used=0.98, refused=0.001),
        Measured(ten_seconds, FREE, shared=True, used=0.86, refused=0.01),
        Measured(ten_seconds, PAID, shared=True, used=0.96, refused=0.001),
    ],
    ids=lambda m: f"{m.quota.__name__}, {m.plan}{', shared' if m.shared else ''}",
)
def test_a_quota_that_is_measured_in_another_way_is_used(measured: Measured) -> None:
    others = measured.plan / 2 if measured.shared else 0
    traffic = Traffic(Governor(), measured.quota(measured.plan), other_program=lambda _: others)
    traffic.run(END)
    assert traffic.used(LEARNED, END) >= measured.used
    assert traffic.refused_share(LEARNED, END) <= measured.refused


def test_a_single_refusal_costs_only_seconds() -> None:
    traffic = Traffic(Governor(), SlidingWindow(PAID))
    traffic.run(600)
    refuse_for(0.1, traffic)
    traffic.run(END)
    over = 601 + RAMP_SECONDS
    assert traffic.used(over, over + RAMP_SECONDS) >= 0.95


@pytest.mark.parametrize("a_minute", [10, 100, 600])
def test_a_refusal_in_a_quiet_time_does_not_slow_down_a_busy_time(a_minute: int) -> None:
    governor = Governor()
    for number in range(a_minute):
        now = 60.0 * number / a_minute
        governor.go(now)
        governor.served(now, now)
    governor.go(60.0)
    governor.refused(60.0, 60.0, 2.0)
    governor.go(62.0)
    governor.served(62.0, 62.1)
    assert governor.per_minute(62.1 + RAMP_SECONDS) >= 0.97 * PAID


def test_a_pause_lasts_as_long_as_asana_says() -> None:
    governor = Governor()
    governor.go(0)
    assert governor.refused(0, 1, retry_after=30) == 30
    assert governor.seconds_to_wait(1) == 30
    assert governor.next_at(1) == 31
    assert governor.seconds_to_wait(21) == 10
    assert governor.seconds_to_wait(31) == 0
    assert governor.next_at(31) == 31


def test_another_refusal_can_only_extend_a_pause() -> None:
    governor = in_flight(3)
    governor.refused(0, 1, retry_after=30)
    governor.refused(0, 10, retry_after=5)
    assert governor.seconds_to_wait(11) == 20
    governor.refused(0, 10, retry_after=60)
    assert governor.seconds_to_wait(10) == 60


def test_pauses_double_up_to_a_minute_if_asana_does_not_say_how_long() -> None:
    assert probes_refused(8, retry_after=None) == [1, 2, 4, 8, 16, 32, 60, 60]
    assert probes_refused(2_000, retry_after=None)[-1] == 60


def test_repeated_pauses_are_as_long_as_asana_says() -> None:
    assert probes_refused(40, retry_after=1) == [1] * 40


def test_refusals_at_the_same_time_count_as_one() -> None:
    governor = in_flight(25)
    pauses = [governor.refused(0, 0.1, retry_after=None) for _ in range(25)]
    assert set(pauses) == {1}


def test_after_a_served_request_the_next_pause_is_short_again() -> None:
    governor = Governor()
    probes_refused(5, retry_after=None, governor=governor)
    now = governor.next_at(1000)
    governor.go(now)
    governor.served(now, now)
    governor.go(now + 60)
    assert governor.refused(now + 60, now + 60, retry_after=None) == 1


def test_one_request_probes_whether_a_pause_is_over() -> None:
    governor = in_flight(1)
    governor.refused(0, 0, retry_after=10)
    governor.go(10)
    assert governor.next_at(10.1) == 10 + PROBE_SECONDS
    governor.served(10, 11)
    assert governor.next_at(11) < 11 + 1


def test_another_request_probes_if_the_first_gets_no_answer() -> None:
    governor = in_flight(1)
    governor.refused(0, 0, retry_after=10)
    governor.go(10)
    governor.lost()
    assert governor.next_at(11) == 10 + PROBE_SECONDS
    governor.go(10 + PROBE_SECONDS)
    governor.served(10 + PROBE_SECONDS, 16)
    assert governor.next_at(16) < 16 + 1


@pytest.mark.parametrize("seconds", [0.08, 0.9], ids=["few in flight", "many in flight"])
def test_refusals_at_the_same_time_lower_the_rate_only_once(seconds: float) -> None:
    way = Way(seconds / 2, seconds / 2)
    traffic = Traffic(Governor(), SlidingWindow(PAID), ways=repeat(way))
    traffic.run(600)
    usual = traffic.governor.per_minute(600)
    refuse_for(seconds, traffic)
    traffic.run(traffic.now + 2 + RAMP_SECONDS)
    assert usual > traffic.governor.per_minute(traffic.now) >= MILD_FACTOR * usual


def refuse_for(seconds: float, traffic: Traffic) -> None:
    quota, traffic.quota = traffic.quota, Moods(repeat(1))
    traffic.run(traffic.now + seconds)
    traffic.quota = quota


def in_flight(requests: int) -> Governor:
    """A governor with a number of requests in flight since time 0."""
    governor = Governor()
    for _ in range(requests):
        governor.go(0)
    return governor


def probes_refused(
    times: int, retry_after: float | None, governor: Governor | None = None
) -> list[float]:
    """The pauses when a request and all the probes after it are refused."""
    governor = governor or Governor()
    pauses = []
    now = 0.0
    for _ in range(times):
        governor.go(now)
        pauses.append(governor.refused(now, now, retry_after))
        now = governor.next_at(now)
    return pauses


@dataclass
class Clock:
    """A clock that a test sets; with `tick` it also moves each time it is read."""

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
    return RateLimit(clock=clock)


def test_there_is_no_wait_before_the_first_refusal(rate_limit: RateLimit) -> None:
    assert rate_limit.seconds_to_wait() == 0
    with rate_limit.turn():
        pass


def test_a_refusal_pauses_every_worker(rate_limit: RateLimit, clock: Clock) -> None:
    with rate_limit.turn() as turn:
        turn.refused(20 * TICK)
    assert rate_limit.seconds_to_wait() == 20 * TICK
    clock.tick = TICK

    def went_at(_worker: int) -> float:
        return served_at(rate_limit)

    with ThreadPoolExecutor(WORKERS) as workers:
        went = list(workers.map(went_at, range(WORKERS)))
    assert min(went) >= 20 * TICK


def test_workers_send_one_after_another(clock: Clock) -> None:
    clock.tick = TICK
    rate_limit = RateLimit(Governor(60_000), clock)

    def turns(_worker: int) -> list[float]:
        return [served_at(rate_limit) for _ in range(20)]

    with ThreadPoolExecutor(WORKERS) as workers:
        went = sorted(chain.from_iterable(workers.map(turns, range(WORKERS))))
    assert len(set(went)) == 20 * WORKERS


def served_at(rate_limit: RateLimit) -> float:
    """Take a turn and end it as served; return the time when its request was sent."""
    with rate_limit.turn() as turn:
        turn.served()
    return turn.sent_at


def test_an_answer_wakes_a_waiting_worker() -> None:
    rate_limit = RateLimit(Governor(1), clock := Clock())
    with ThreadPoolExecutor(1) as worker, ending(rate_limit):
        with rate_limit.turn() as first:
            second = worker.submit(served_at, rate_limit)
            clock.now = 2 * MINUTE_SECONDS
            first.served()
        assert second.result(timeout=10) == 2 * MINUTE_SECONDS


def test_a_request_without_an_answer_returns_its_turn() -> None:
    rate_limit = RateLimit(Governor(1), clock := Clock())
    with ThreadPoolExecutor(1) as worker, ending(rate_limit):
        with rate_limit.turn():
            second = worker.submit(served_at, rate_limit)
            clock.now = 2 * MINUTE_SECONDS
        assert second.result(timeout=10) == 2 * MINUTE_SECONDS


def test_an_exception_returns_the_turn() -> None:
    clock = Clock(tick=TICK)
    rate_limit = RateLimit(Governor(4), clock)
    for _ in range(4):
        with pytest.raises(ValueError, match="unexpected"), rate_limit.turn():
            raise ValueError("unexpected")
        clock.now += MINUTE_SECONDS
    with ThreadPoolExecutor(1) as worker, ending(rate_limit):
        assert worker.submit(served_at, rate_limit).result(timeout=10) >= 4 * MINUTE_SECONDS


@contextmanager
def ending(rate_limit: RateLimit) -> Iterator[None]:
    """Stop all waits at the end, so that a failed test ends too."""
    try:
        yield
    finally:
        rate_limit.stop()


def test_a_sleep_lasts_as_long_as_requested(rate_limit: RateLimit, clock: Clock) -> None:
    clock.tick = TICK
    rate_limit.sleep(10 * TICK)
    assert clock.now >= 11 * TICK


def test_no_worker_waits_or_sends_after_a_stop(rate_limit: RateLimit) -> None:
    rate_limit.stop()
    with pytest.raises(Stopped), rate_limit.turn():
        pytest.fail("a request may go")
    with pytest.raises(Stopped):
        rate_limit.sleep(3600)


def test_a_stop_wakes_every_worker() -> None:
    looks = threading.Semaphore(0)

    def standing_clock() -> float:
        looks.release()
        return 0.0

    rate_limit = RateLimit(clock=standing_clock)
    ends: SimpleQueue[str] = SimpleQueue()

    def end_of(wait: Callable[[], object]) -> None:
        try:
            wait()
        except Stopped:
            ends.put("stopped")
        else:
            ends.put("sent")

    def take_a_turn() -> None:
        with rate_limit.turn():
            pytest.fail("a request may go")

    with rate_limit.turn() as turn:
        turn.refused(3600)
    while looks.acquire(blocking=False):
        pass
    for wait in (take_a_turn, *[lambda: rate_limit.sleep(3600)] * WORKERS):
        threading.Thread(target=end_of, args=(wait,), daemon=True).start()
        assert looks.acquire(timeout=10)  # a thread that has read the clock is waiting
    threading.Thread(target=end_of, args=(take_a_turn,), daemon=True).start()
    rate_limit.stop()
    assert [ends.get(timeout=10) for _ in range(WORKERS + 2)] == ["stopped"] * (WORKERS + 2)
