"""What an account has shown of a shortcut: its claims, checked against documented requests. Pure.

A shortcut tells in advance what a documented request would return, such as that a task has no
attachments. Until enough of its claims agree with the requests, none is trusted. After that some
are still checked, spread over all of them. One that is wrong ends the shortcut for good.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil, log
from typing import Any

WRONG_SHARE = 0.01
"""If so many of a shortcut's claims are wrong, one of them must be found."""

MISS_CHANCE = 0.001
"""The chance that none of them is found."""

CHECKED_AT_FIRST = ceil(log(1 / MISS_CHANCE) / WRONG_SHARE)
CHECKED_ONE_IN = 100
COUNTER_CLAIMS = 10

HASH_BYTES = 8
HASHES = 1 << 8 * HASH_BYTES

NUMBERS = ("agreed", "counter", "met", "trusted", "is_wrong")
AGREED, COUNTER_AGREED, MET, TRUSTED, IS_WRONG = NUMBERS


@dataclass(frozen=True)
class Terms:
    """What a shortcut has to prove, and how often it is checked.

    `first`: as many claims are checked, and must agree, before one is trusted. If 1 % of the claims
    are wrong, here and there, all of them are missed with a chance of exp(-first / 100); for 691
    that is 0.1 %. The wrong ones may come together, and late. So the share to check falls
    slowly: of n claims so far, each is checked with a chance of at least half of `first` / n. Then
    the same holds of 2 % that are wrong, wherever they come. It never falls below 1 in `one_in`.
    `counter_claims`: how many claims of the opposite must agree too, because a shortcut that claims
    the same of everything proves nothing.
    """

    first: int = CHECKED_AT_FIRST
    one_in: int = CHECKED_ONE_IN
    counter_claims: int = COUNTER_CLAIMS

    def share(self, claims: int) -> float:
        """The share to check of the claims that come after so many."""
        if claims <= self.first:
            return 1.0
        return max(1 / self.one_in, self.first / (2 * claims))


class Evidence:
    """What is known of one shortcut on one account. Not safe for several threads.

    Ask `must_check` for each claim once. Where it says yes, make the documented request and note
    what it shows; a request that fails shows nothing. Raises ValueError for numbers that `numbers`
    does not return.
    """

    def __init__(self, terms: Terms, former: Mapping[str, Any] | None = None) -> None:
        self._terms = terms
        counts = dict.fromkeys(NUMBERS, 0)
        counts |= former or {}
        if len(counts) > len(NUMBERS):
            raise ValueError(former)
        if any(type(number) is not int or number < 0 for number in counts.values()):
            raise ValueError(former)
        self._counts = counts
        self._met_before = counts[MET]
        self.trusted_before = counts[TRUSTED]
        """How many claims former syncs have trusted."""
        self.checked = 0
        """How many claims this sync has checked with a result."""

    @property
    def is_wrong(self) -> bool:
        """Whether a claim was wrong, in this sync or before."""
        return bool(self._counts[IS_WRONG])

    @property
    def is_proved(self) -> bool:
        """Whether claims are trusted."""
        counts, terms = self._counts, self._terms
        is_enough = counts[AGREED] >= terms.first
        return is_enough and counts[COUNTER_AGREED] >= terms.counter_claims and not self.is_wrong

    @property
    def trusted(self) -> int:
        """How many claims this sync has trusted."""
        return self._counts[TRUSTED] - self.trusted_before

    def must_check(self, case: str) -> bool:
        """Whether to make the documented request for a case, such as the gid of a task.

        The same cases, in the same order, after the same former claims, get the same answers. The
        next sync checks others.
        """
        self._counts[MET] += 1
        if self.is_proved and self._place(case) >= self._terms.share(self._counts[MET]):
            self._counts[TRUSTED] += 1
            return False
        return True

    def agrees(self) -> None:
        """Note that a documented request agrees with a claim."""
        self._counts[AGREED] += 1
        self.checked += 1

    def agrees_with_counter_claim(self) -> None:
        """Note that a documented request agrees with a claim of the opposite.

        These are no shortcut: their requests are made anyway.
        """
        self._counts[COUNTER_AGREED] += 1

    def disagrees(self) -> None:
        """Note that a claim was wrong: from now on every claim is checked, in each sync."""
        self._counts[IS_WRONG] = 1
        self.checked += 1

    def numbers(self, *, is_made_good: bool = False) -> dict[str, int]:
        """What the next sync must know, as numbers that are not 0.

        `is_made_good`: after a wrong claim, this sync has made the documented request for all
        that it had trusted.
        """
        counts = dict(self._counts)
        if is_made_good and self.is_wrong and not self.trusted_before:
            counts[TRUSTED] = 0
        return {name: number for name, number in counts.items() if number}

    def _place(self, case: str) -> float:
        """A number from 0 to 1 for a case, as good as drawn by lot."""
        named = f"{self._met_before} {case}".encode()
        return int.from_bytes(blake2b(named, digest_size=HASH_BYTES).digest()) / HASHES
