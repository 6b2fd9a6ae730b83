from itertools import pairwise
from typing import Any

import pytest

from source_asana.reading.evidence import CHECKED_AT_FIRST, Evidence, Terms

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
    [(0, 1.0), (691, 1.0), (1_382, 0.5), (6_910, 0.1), (69_100, 0.01), (1_000_000, 0.01)],
)
def test_the_share_that_is_checked_falls_to_one_in_a_hundred(claims: int, share: float) -> None:
    assert TERMS.share(claims) == pytest.approx(share)


@pytest.mark.parametrize("claims", [700, 3_000, 20_000, 69_100, 500_000])
def test_wrong_claims_are_missed_with_a_chance_of_at_most_1_in_1000(claims: int) -> None:
    """Even if the wrong 1 % are those that are checked least, the last ones."""
    missed = 1.0
    for claim in range(claims - claims // 100, claims):
        missed *= 1 - TERMS.share(claim)
    assert missed <= 0.00102


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
    assert 3_800 < len(checked) < 4_600  # 691 and 691 ln(100) before 69,100, 1 % after
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
    assert 0.02 < len(second) / 10_000 < 0.08
    both = set(first) & set(second)
    assert len(both) < 0.5 * len(second)
    again = checks(Evidence(TERMS, known.numbers()), range(10_000))
    assert again == second


def test_a_request_that_failed_proves_nothing() -> None:
    known = evidence(counter=10)
    assert all(known.must_check(str(case)) for case in range(2_000))
    assert not known.is_proved


def test_other_terms_can_be_chosen() -> None:
    known = Evidence(Terms(first=20, one_in=100, counter_claims=0))
    assert checks(known, range(20)) == list(range(20))
    assert known.is_proved
    assert 50 < len(checks(known, range(2_000))) < 160


@pytest.mark.parametrize(
    "former",
    [{"agreed": -1}, {"agreed": "1"}, {"agreed": 1.0}, {"agreed": True}, {"unknown": 1}],
)
def test_numbers_that_are_not_ours_are_refused(former: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(former))):
        Evidence(TERMS, former)
