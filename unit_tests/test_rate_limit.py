"""When a request may go out, by a clock of the tests' own."""

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
LEARNT = 300.0
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
    """Serves or refuses as it likes."""

    answers: Iterator[int | None]
    per_minute: int = PAID

    def ask(self, now: float) -> int | None:  # noqa: ARG002
        return next(self.answers)


def ten_seconds(per_minute: int) -> SlidingWindow:
    return SlidingWindow(per_minute, window=10)


@given(ceilings, moments, any_ways, any_answers)
@example(ceiling=1, arrivals=[0], ways=[Way()], answers=[0])
def test_a_known_quota_is_never_exceeded_whatever_arrives_is_lost_or_refused(
    ceiling: int, arrivals: list[float], ways: list[Way], answers: list[int | None]
) -> None:
    traffic = Traffic(Governor(ceiling), Moods(cycle(answers)), wanted=200, ways=cycle(ways))
    traffic.arrive(arrivals)
    traffic.run(300)
    assert most_within(MINUTE_SECONDS, traffic.sent) <= ceiling


@given(ceilings, moments, short_ways)
def test_nobody_waits_while_there_is_quota_and_work(
    ceiling: int, arrivals: list[float], ways: list[Way]
) -> None:
    # Fewer workers where the plan is not known: only so many may be refused at its end.
    workers = 25 if ceiling <= FREE else 4
    traffic = Traffic(Governor(ceiling), Unlimited(), wanted=100, workers=workers, ways=cycle(ways))
    traffic.arrive(arrivals)
    traffic.run(300)
    assert max(traffic.gaps) <= MINUTE_SECONDS / (QUOTA_FACTOR * ceiling) + TICK


@given(any_ways, any_answers)
def test_everything_is_served_in_the_end_whatever_was_lost_or_refused(
    ways: list[Way], answers: list[int | None]
) -> None:
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
def test_a_ceiling_is_reached_whatever_it_is(ceiling: int) -> None:
    traffic = Traffic(Governor(ceiling), Unlimited(), workers=100)
    traffic.run(4 * MINUTE_SECONDS)
    assert 0.975 * ceiling * 4 - 1 <= len(traffic.sent) <= ceiling * 4


@either_plan
@says_when_or_not
def test_a_plan_is_found_and_used_and_hardly_ever_exceeded(plan: int, *, says_when: bool) -> None:
    traffic = Traffic(Governor(), SlidingWindow(plan), says_when=says_when)
    traffic.run(END)
    assert between(traffic.refused, 0, LEARNT) <= 10
    assert traffic.used(LEARNT, END) >= 0.97
    assert traffic.refused_share(LEARNT, END) <= 0.01


def test_few_are_refused_when_the_free_plan_ends_however_slow_the_answers_are() -> None:
    traffic = Traffic(Governor(), SlidingWindow(FREE), ways=repeat(Way(0.5, 0.5)))
    traffic.run(MINUTE_SECONDS)
    assert 0 < len(traffic.refused) <= 4


@either_plan
@says_when_or_not
def test_what_another_program_leaves_of_the_quota_is_used(plan: int, *, says_when: bool) -> None:
    traffic = Traffic(
        Governor(), SlidingWindow(plan), says_when=says_when, other_program=lambda _: plan / 2
    )
    traffic.run(END)
    refused = between(traffic.refused, 0, LEARNT)
    assert refused <= 14 or traffic.refused_share(0, LEARNT) <= 0.01
    assert traffic.used(LEARNT, END) >= 0.97
    assert traffic.refused_share(LEARNT, END) <= 0.01


@either_plan
def test_a_quota_that_changes_midway_is_found_again(plan: int) -> None:
    traffic = Traffic(Governor(), SlidingWindow(plan))
    traffic.run(600)
    traffic.quota.per_minute = FREE + PAID - plan
    traffic.run(END)
    assert between(traffic.refused, 600, 900) <= 10
    assert traffic.used(900, END) >= 0.97
    assert traffic.refused_share(900, END) <= 0.01


def test_a_paid_plan_is_found_within_three_minutes_after_a_free_one() -> None:
    traffic = Traffic(Governor(), SlidingWindow(FREE))
    traffic.run(100)
    traffic.quota.per_minute = PAID
    traffic.run(300)
    assert traffic.used(280, 290) >= 0.95


@either_plan
def test_another_program_may_come_and_go(plan: int) -> None:
    traffic = Traffic(
        Governor(),
        SlidingWindow(plan),
        other_program=lambda now: plan / 2 if 600 < now < 1500 else 0,
    )
    traffic.run(END)
    assert traffic.used(900, 1500) >= 0.96
    assert traffic.used(1800, END) >= 0.97
    assert traffic.refused_share(LEARNT, END) <= 0.01


@either_plan
def test_a_sync_that_begins_with_nothing_left_of_the_quota_finds_its_plan(plan: int) -> None:
    spent = SlidingWindow(plan)
    for moment in range(plan):
        spent.ask(-30 + moment / plan)
    traffic = Traffic(Governor(), spent)
    traffic.run(END)
    assert between(traffic.refused, 0, LEARNT) <= 12
    assert traffic.used(LEARNT, END) >= 0.97


class Measured(NamedTuple):
    """What the governor reached where Asana measures the quota in a way that it does not expect."""

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
def test_a_quota_that_is_measured_otherwise_is_used_too(measured: Measured) -> None:
    others = measured.plan / 2 if measured.shared else 0
    traffic = Traffic(Governor(), measured.quota(measured.plan), other_program=lambda _: others)
    traffic.run(END)
    assert traffic.used(LEARNT, END) >= measured.used
    assert traffic.refused_share(LEARNT, END) <= measured.refused


def test_a_refusal_now_and_then_costs_seconds() -> None:
    traffic = Traffic(Governor(), SlidingWindow(PAID))
    traffic.run(600)
    refuse_for(0.1, traffic)
    traffic.run(END)
    over = 601 + RAMP_SECONDS
    assert traffic.used(over, over + RAMP_SECONDS) >= 0.95


@pytest.mark.parametrize("a_minute", [10, 100, 600])
def test_a_refusal_in_a_quiet_time_does_not_slow_down_the_busy_one_after_it(a_minute: int) -> None:
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


def test_a_pause_is_as_long_as_asana_says_and_then_over() -> None:
    governor = Governor()
    governor.go(0)
    assert governor.refused(0, 1, retry_after=30) == 30
    assert governor.seconds_to_wait(1) == 30
    assert governor.next_at(1) == 31
    assert governor.seconds_to_wait(21) == 10
    assert governor.seconds_to_wait(31) == 0
    assert governor.next_at(31) == 31


def test_another_refusal_can_only_make_the_pause_longer() -> None:
    governor = in_flight(3)
    governor.refused(0, 1, retry_after=30)
    governor.refused(0, 10, retry_after=5)
    assert governor.seconds_to_wait(11) == 20
    governor.refused(0, 10, retry_after=60)
    assert governor.seconds_to_wait(10) == 60


def test_pauses_grow_to_a_minute_where_asana_does_not_say_how_long() -> None:
    assert probes_refused(8, retry_after=None) == [1, 2, 4, 8, 16, 32, 60, 60]


def test_pauses_are_as_long_as_asana_says_however_often_it_says_so() -> None:
    assert probes_refused(40, retry_after=1) == [1] * 40


def test_many_refusals_at_once_are_one() -> None:
    governor = in_flight(25)
    pauses = [governor.refused(0, 0.1, retry_after=None) for _ in range(25)]
    assert set(pauses) == {1}


def test_a_served_request_makes_the_next_pause_short_again() -> None:
    governor = Governor()
    probes_refused(5, retry_after=None, governor=governor)
    now = governor.next_at(1000)
    governor.go(now)
    governor.served(now, now)
    governor.go(now + 60)
    assert governor.refused(now + 60, now + 60, retry_after=None) == 1


def test_one_request_finds_out_whether_the_pause_is_really_over() -> None:
    governor = in_flight(1)
    governor.refused(0, 0, retry_after=10)
    governor.go(10)
    assert governor.next_at(10.1) == 10 + PROBE_SECONDS
    governor.served(10, 11)
    assert governor.next_at(11) < 11 + 1


def test_another_one_goes_where_that_one_is_not_answered() -> None:
    governor = in_flight(1)
    governor.refused(0, 0, retry_after=10)
    governor.go(10)
    governor.lost()
    assert governor.next_at(11) == 10 + PROBE_SECONDS
    governor.go(10 + PROBE_SECONDS)
    governor.served(10 + PROBE_SECONDS, 16)
    assert governor.next_at(16) < 16 + 1


@pytest.mark.parametrize("seconds", [0.08, 0.9], ids=["few in flight", "many in flight"])
def test_the_rate_falls_mildly_once_however_many_are_refused_together(seconds: float) -> None:
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
    """A governor that has let so many go at time 0."""
    governor = Governor()
    for _ in range(requests):
        governor.go(0)
    return governor


def probes_refused(
    times: int, retry_after: float | None, governor: Governor | None = None
) -> list[float]:
    """The pauses after a request, and each one that was to end its pause, were refused."""
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
    return RateLimit(clock=clock)


def test_nobody_waits_before_the_first_refusal(rate_limit: RateLimit) -> None:
    assert rate_limit.seconds_to_wait() == 0
    with rate_limit.turn():
        pass


def test_a_refusal_holds_everybody_until_its_time_has_passed(
    rate_limit: RateLimit, clock: Clock
) -> None:
    with rate_limit.turn() as turn:
        turn.refused(20 * TICK)
    assert rate_limit.seconds_to_wait() == 20 * TICK
    clock.tick = TICK

    def went_at(_worker: int) -> float:
        return served_at(rate_limit)

    with ThreadPoolExecutor(WORKERS) as workers:
        went = list(workers.map(went_at, range(WORKERS)))
    assert min(went) >= 20 * TICK


def test_workers_go_one_after_the_other_at_the_pace_of_the_governor(clock: Clock) -> None:
    clock.tick = TICK
    rate_limit = RateLimit(Governor(60_000), clock)

    def turns(_worker: int) -> list[float]:
        return [served_at(rate_limit) for _ in range(20)]

    with ThreadPoolExecutor(WORKERS) as workers:
        went = sorted(chain.from_iterable(workers.map(turns, range(WORKERS))))
    assert len(set(went)) == 20 * WORKERS


def served_at(rate_limit: RateLimit) -> float:
    """When a request went out, which is then served."""
    with rate_limit.turn() as turn:
        turn.served()
    return turn.sent_at


def test_an_answer_lets_somebody_go_who_waits_for_it() -> None:
    rate_limit = RateLimit(Governor(1), clock := Clock())
    with ThreadPoolExecutor(1) as worker, ending(rate_limit):
        with rate_limit.turn() as first:
            second = worker.submit(served_at, rate_limit)
            clock.now = 2 * MINUTE_SECONDS
            first.served()
        assert second.result(timeout=10) == 2 * MINUTE_SECONDS


def test_a_request_without_an_answer_gives_its_turn_back() -> None:
    rate_limit = RateLimit(Governor(1), clock := Clock())
    with ThreadPoolExecutor(1) as worker, ending(rate_limit):
        with rate_limit.turn():
            second = worker.submit(served_at, rate_limit)
            clock.now = 2 * MINUTE_SECONDS
        assert second.result(timeout=10) == 2 * MINUTE_SECONDS


def test_a_turn_is_given_back_whatever_is_raised_meanwhile() -> None:
    clock = Clock(tick=TICK)
    rate_limit = RateLimit(Governor(4), clock)
    for _ in range(4):
        with pytest.raises(ValueError, match="nobody foresaw"), rate_limit.turn():
            raise ValueError("nobody foresaw this")
        clock.now += MINUTE_SECONDS
    with ThreadPoolExecutor(1) as worker, ending(rate_limit):
        assert worker.submit(served_at, rate_limit).result(timeout=10) >= 4 * MINUTE_SECONDS


@contextmanager
def ending(rate_limit: RateLimit) -> Iterator[None]:
    """Leaves nobody waiting, so that a test that fails ends as well."""
    try:
        yield
    finally:
        rate_limit.stop()


def test_a_sleep_lasts_as_long_as_it_was_asked_for(rate_limit: RateLimit, clock: Clock) -> None:
    clock.tick = TICK
    rate_limit.sleep(10 * TICK)
    assert clock.now >= 11 * TICK


def test_nobody_waits_or_sends_after_a_stop(rate_limit: RateLimit) -> None:
    rate_limit.stop()
    with pytest.raises(Stopped), rate_limit.turn():
        pytest.fail("a request may go")
    with pytest.raises(Stopped):
        rate_limit.sleep(3600)


def test_a_stop_wakes_everybody_who_waits() -> None:
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
        assert looks.acquire(timeout=10)  # whoever has looked at the clock waits
    threading.Thread(target=end_of, args=(take_a_turn,), daemon=True).start()
    rate_limit.stop()
    assert [ends.get(timeout=10) for _ in range(WORKERS + 2)] == ["stopped"] * (WORKERS + 2)
