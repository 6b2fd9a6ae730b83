"""The limits that refuse too many requests."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.asana_emulator.quota import CostQuota, Quota, QuotaKind, cost_of
from integration_tests.emulator_tests.asking import ask

pytestmark = pytest.mark.once


def test_more_requests_than_the_quota_are_rejected_with_a_retry_after(asana: AsanaEmulator) -> None:
    asana.controls.quota_window = 2
    asana.controls.quota_per_minute = 5 * 30
    answers = [ask(asana, "/users/me") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    wait = int(answers[-1].headers["Retry-After"])
    assert ask(asana, "/users/me", asana.tokens.pat("member")).status_code == 200
    time.sleep(wait)
    assert ask(asana, "/users/me").status_code == 200


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def test_rejected_requests_count_against_the_quota() -> None:
    clock = Hand()
    quota = Quota(per_minute=3, now=clock)
    assert [quota.retry_after("t") for _ in range(4)] == [None, None, None, 60]
    clock.time = 59
    assert quota.retry_after("t") is not None
    clock.time = 60.5
    assert quota.retry_after("t") is None


@given(gaps=st.lists(st.floats(0, 30), max_size=60), per_minute=st.integers(1, 5))
def test_no_minute_allows_more_than_the_quota(gaps: list[float], per_minute: int) -> None:
    clock = Hand()
    quota = Quota(per_minute=per_minute, now=clock)
    passed: list[float] = []
    for gap in gaps:
        clock.time += gap
        if quota.retry_after("t") is None:
            passed.append(clock.time)
    for begin in passed:
        assert sum(begin <= at < begin + 60 for at in passed) <= per_minute


KINDS: tuple[QuotaKind, ...] = get_args(QuotaKind)


@given(asked=st.integers(1, 40), per_minute=st.integers(1, 20), kind=st.sampled_from(KINDS))
def test_a_client_that_waits_for_retry_after_is_served(
    asked: int, per_minute: int, kind: QuotaKind
) -> None:
    clock = Hand()
    quota = Quota(per_minute=per_minute, kind=kind, now=clock)
    for _ in range(asked):
        clock.time += 0.25
        wait = quota.retry_after("t")
    if wait is not None:
        clock.time += wait
        assert quota.retry_after("t") is None


def passes(quota: Quota, times: int, token: str = "t") -> list[bool]:
    return [quota.retry_after(token) is None for _ in range(times)]


def test_a_fixed_quota_resets_at_each_minute_of_the_clock() -> None:
    clock = Hand()
    quota = Quota(per_minute=3, kind="fixed", now=clock)
    clock.time = 50
    assert [quota.retry_after("t") for _ in range(5)] == [None, None, None, 10, 10]
    clock.time = 59.5
    assert quota.retry_after("t") == 1
    clock.time = 60
    assert passes(quota, 4) == [True] * 3 + [False]


def test_a_bucket_allows_ten_seconds_worth_at_once_and_then_refills_evenly() -> None:
    clock = Hand()
    quota = Quota(per_minute=60, kind="bucket", now=clock)
    assert passes(quota, 10) == [True] * 10
    clock.time = 1
    assert passes(quota, 1) == [True]
    clock.time = 4
    assert passes(quota, 3) == [True] * 3
    clock.time = 1000
    assert passes(quota, 11) == [True] * 10 + [False]


def test_rejected_requests_empty_a_bucket_further_by_at_most_a_second() -> None:
    clock = Hand()
    quota = Quota(per_minute=120, kind="bucket", now=clock)
    assert passes(quota, 20) == [True] * 20
    assert [quota.retry_after("t") for _ in range(5)] == [1, 2, 2, 2, 2]
    clock.time = 1
    assert quota.retry_after("t") == 1
    clock.time = 2.5
    assert quota.retry_after("t") is None


def test_a_slow_bucket_has_room_for_at_least_one_request() -> None:
    clock = Hand()
    quota = Quota(per_minute=1, kind="bucket", now=clock)
    assert [quota.retry_after("t") for _ in range(2)] == [None, 61]
    clock.time = 61
    assert quota.retry_after("t") is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_quota_may_change_while_it_runs(kind: QuotaKind) -> None:
    clock = Hand()
    quota = Quota(per_minute=60, kind=kind, now=clock)
    assert passes(quota, 10) == [True] * 10
    quota.per_minute = 6
    assert passes(quota, 1) == [False]
    quota.per_minute = 600
    clock.time = 2
    assert passes(quota, 10) == [True] * 10
    quota.per_minute = None
    assert passes(quota, 1000) == [True] * 1000


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_may_have_its_own_quota(asana: AsanaEmulator, kind: QuotaKind) -> None:
    asana.controls.quota.now = Hand()
    asana.controls.quota_kind = kind
    asana.controls.quota_per_minute = 6
    asana.controls.quota_of("service", 60)
    asana.controls.quota_of("restricted", None)
    allowed = {"member": 1 if kind == "bucket" else 6, "service": 10, "restricted": 20}
    for name, most in allowed.items():
        token = asana.tokens.pat(name)
        statuses = [ask(asana, "/users/me", token).status_code for _ in range(most)]
        assert statuses == [200] * most
    assert ask(asana, "/users/me", asana.tokens.pat("member")).status_code == 429


@pytest.mark.parametrize("kind", KINDS)
def test_rejections_may_come_without_a_retry_after(asana: AsanaEmulator, kind: QuotaKind) -> None:
    asana.controls.quota.now = Hand()
    asana.controls.quota_kind = kind
    asana.controls.quota_per_minute = 1
    ask(asana, "/users/me")
    told_when = ask(asana, "/users/me")
    asana.controls.quota_headers = False
    untold = ask(asana, "/users/me")
    assert [told_when.status_code, untold.status_code] == [429, 429]
    assert int(told_when.headers["Retry-After"]) >= 1
    assert "Retry-After" not in untold.headers


def test_an_unknown_kind_of_quota_is_an_error_of_the_test(asana: AsanaEmulator) -> None:
    with pytest.raises(ValueError, match="no such quota"):
        asana.controls.quota_kind = "leaky"  # type: ignore[assignment]


def answer(objects: int) -> bytes:
    return b'{"data":[' + b",".join([b'{"gid":"1"}'] * (objects - 1)) + b"]}"


def test_the_cost_of_an_answer_depends_on_its_content() -> None:
    assert cost_of(answer(7)) == 7
    body = rb'{"data":{"gid":"1","owner":{"gid":"2"},"name":"{\"gid\":\"3\"}","tags":[]}}'
    assert cost_of(body) == 3


def test_the_cost_of_an_answer_is_charged_afterward_and_may_exceed_the_quota() -> None:
    clock = Hand()
    quota = CostQuota(per_minute=60, now=clock)
    quota.charge("t", answer(59))
    assert quota.retry_after("t") is None
    quota.charge("t", answer(31))
    assert [quota.retry_after("t") for _ in range(3)] == [31, 31, 31]
    assert quota.retry_after("another") is None
    clock.time = 30
    assert quota.retry_after("t") == 1
    clock.time = 31
    assert quota.retry_after("t") is None


@given(costs=st.lists(st.integers(1, 500), max_size=20), per_minute=st.integers(1, 1000))
def test_a_client_that_waits_for_the_cost_quota_is_served(
    costs: list[int], per_minute: int
) -> None:
    clock = Hand()
    quota = CostQuota(per_minute=per_minute, now=clock)
    for cost in costs:
        clock.time += 0.5
        quota.charge("t", answer(cost))
    clock.time += quota.retry_after("t") or 0
    assert quota.retry_after("t") is None


def test_unused_cost_quota_adds_up_to_one_window_only() -> None:
    clock = Hand()
    quota = CostQuota(per_minute=600, window=6, now=clock)
    clock.time = 1000
    quota.charge("t", answer(60))
    assert quota.retry_after("t") == 1


def test_a_small_request_after_an_expensive_answer_is_rejected_until_the_quota_recovers(
    asana: AsanaEmulator, project: str
) -> None:
    clock = Hand()
    asana.controls.cost_quota.now = clock
    asana.controls.cost_per_minute = 10
    dear: dict[str, Any] = {
        "project": project,
        "limit": 100,
        "opt_fields": "followers,custom_fields,memberships",
    }
    assert ask(asana, "/tasks", **dear).status_code == 200
    refused = ask(asana, "/users/me")
    assert refused.status_code == 429
    assert ask(asana, "/users/me", asana.tokens.pat("member")).status_code == 200
    clock.time += int(refused.headers["Retry-After"])
    assert ask(asana, "/users/me").status_code == 200


def at_once(asana: AsanaEmulator, path: str, workers: int) -> list[int]:
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda _: ask(asana, path).status_code, range(workers)))


def test_more_requests_in_flight_than_allowed_are_rejected(asana: AsanaEmulator) -> None:
    asana.controls.latency = 0.5
    asana.controls.max_in_flight = 4
    statuses = at_once(asana, "/users/me", 7)
    assert sorted(statuses) == [200] * 4 + [429] * 3
    assert 4 <= asana.ledger.max_in_flight <= 7
    assert ask(asana, "/users/me").status_code == 200


def test_latency_delays_every_answer(asana: AsanaEmulator) -> None:
    asana.controls.latency = 0.2
    begun = time.monotonic()
    assert ask(asana, "/users/me").status_code == 200
    assert time.monotonic() - begun >= 0.2


def test_latency_can_vary(asana: AsanaEmulator) -> None:
    asana.controls.latency_jitter = 0.2
    delays = [asana.controls.delay() for _ in range(20)]
    assert min(delays) >= 0
    assert 0.05 < max(delays) <= 0.2


def test_a_client_that_never_ends_is_cut_off(asana: AsanaEmulator) -> None:
    asana.controls.cut_off_after = 3
    assert [ask(asana, "/users/me").status_code for _ in range(5)] == [200, 200, 200, 401, 401]
    asana.ledger.reset()
    assert ask(asana, "/users/me").status_code == 200
