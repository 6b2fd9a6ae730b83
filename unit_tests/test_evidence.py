from itertools import pairwise
from typing import Any

import pytest

from source_asana.reading.shortcuts.evidence import CHECKED_AT_FIRST, Evidence, Terms

TERMS = Terms()


def evidence(**former: Any) -> Evidence:
    return Evidence(TERMS, former)


def checks(known: Evidence, cases: range) -> list[int]:
    """Which of the cases are checked, where all claims agree."""
    checked = []
    for case in cases:
        if known.must_check(str(1_200_000_000_000_000 + case)):
            known.agrees()
            checked.append(case)
    return checked


PROVED = {"agreed": 691, "counter": 10, "met": 691}


@pytest.mark.parametrize(
    ("former", "is_proved"),
    [
        ({}, False),
        (PROVED, True),
        (PROVED | {"agreed": 690}, False),
        (PROVED | {"counter": 9}, False),
        (PROVED | {"is_wrong": 1}, False),
        (PROVED | {"agreed": 100_000, "counter": 0}, False),
        (PROVED | {"counter": 100_000, "agreed": 0}, False),
    ],
)
def test_claims_are_trusted_when_enough_agreed_of_both_kinds(
    former: dict[str, int], *, is_proved: bool
) -> None:
    assert evidence(**former).is_proved is is_proved


@pytest.mark.parametrize(
    ("claims", "share"),
    [(0, 1.0), (691, 1.0), (1_382, 0.25), (3_455, 0.1), (34_550, 0.01), (1_000_000, 0.01)],
)
def test_the_share_that_is_checked_falls_to_one_in_a_hundred(claims: int, share: float) -> None:
    assert TERMS.share(claims) == pytest.approx(share)


def chance_to_miss(wrong: range) -> float:
    missed = 1.0
    for claim in wrong:
        missed *= 1 - TERMS.share(claim)
    return missed


CLAIMS = (1_400, 3_000, 20_000, 69_100, 500_000)


@pytest.mark.parametrize("claims", CLAIMS)
def test_wrong_claims_here_and_there_are_missed_with_a_chance_of_1_in_1000(claims: int) -> None:
    assert 0.99**CHECKED_AT_FIRST < 0.001
    assert chance_to_miss(range(0, claims, 100)) < 0.001


@pytest.mark.parametrize("claims", CLAIMS)
def test_wrong_claims_that_come_last_are_found_too(claims: int) -> None:
    """The last claims are checked least."""
    assert chance_to_miss(range(claims - claims // 50, claims)) < 0.0011
    assert chance_to_miss(range(claims - claims // 100, claims)) < 0.033


def test_an_account_with_few_cases_is_checked_in_full() -> None:
    known = evidence(counter=100)
    assert checks(known, range(CHECKED_AT_FIRST)) == list(range(CHECKED_AT_FIRST))
    assert known.trusted == 0


def test_an_account_without_counter_claims_is_checked_in_full() -> None:
    known = evidence()
    assert len(checks(known, range(3_000))) == 3_000


def test_a_large_account_is_hardly_checked_and_everywhere() -> None:
    known = evidence(counter=10)
    checked = checks(known, range(100_000))
    assert 2_450 < len(checked) < 3_000  # 691, then 346 ln(50) up to 34,550, and 1 % after
    assert known.trusted == 100_000 - len(checked) == known.numbers()["trusted"]
    latest = [case for case in checked if case >= 90_000]
    assert 60 < len(latest) < 140
    assert max(b - a for a, b in pairwise(latest)) < 1_500


def test_one_wrong_claim_ends_the_trust_for_good() -> None:
    known = evidence(**PROVED)
    known.disagrees()
    assert len(checks(known, range(5_000))) == 5_000
    later = Evidence(TERMS, known.numbers())
    assert later.is_wrong
    assert len(checks(later, range(5_000))) == 5_000


def test_the_next_sync_resumes_from_the_numbers_and_checks_other_cases() -> None:
    known = evidence(counter=10)
    first = checks(known, range(10_000))
    later = Evidence(TERMS, known.numbers())
    assert later.is_proved
    assert (later.trusted, later.checked, later.trusted_before) == (0, 0, known.trusted)
    second = checks(later, range(10_000))
    assert 0.015 < len(second) / 10_000 < 0.04
    both = set(first) & set(second)
    assert len(both) < 0.5 * len(second)
    again = checks(Evidence(TERMS, known.numbers()), range(10_000))
    assert again == second


def test_trust_that_was_made_good_is_forgotten() -> None:
    known = evidence(**PROVED)
    for case in range(1_000):
        known.must_check(str(case))
    trusted = known.trusted
    assert known.numbers(is_made_good=True)["trusted"] == trusted > 0
    known.disagrees()
    assert known.numbers()["trusted"] == trusted
    assert "trusted" not in known.numbers(is_made_good=True)
    later = evidence(**PROVED, trusted=7)
    later.disagrees()
    assert later.numbers(is_made_good=True)["trusted"] == 7


def test_a_request_that_failed_proves_nothing() -> None:
    known = evidence(counter=10)
    assert all(known.must_check(str(case)) for case in range(2_000))
    assert not known.is_proved


def test_other_terms_can_be_chosen() -> None:
    known = Evidence(Terms(first=20, one_in=100, counter_claims=0))
    assert checks(known, range(20)) == list(range(20))
    assert known.is_proved
    assert 30 < len(checks(known, range(2_000))) < 120


@pytest.mark.parametrize(
    "former",
    [{"agreed": -1}, {"agreed": "1"}, {"agreed": 1.0}, {"agreed": True}, {"unknown": 1}],
)
def test_numbers_that_are_not_ours_are_refused(former: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(former))):
        Evidence(TERMS, former)
