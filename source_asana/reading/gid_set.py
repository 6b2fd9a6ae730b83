"""A set and a list of gids, with 16 and 8 bytes for each; as strings they take 60 more."""

from array import array
from collections.abc import Iterator

LARGEST = 2**64 - 1
FIRST_SLOTS = 1024
FULLEST = 0.5
"""The share of slots in use from which on the set grows."""

SPREAD = 0x9E3779B97F4A7C15
"""Gids of one account are close to each other; this spreads them over the slots."""


class GidSet:
    """Gids: strings of digits. A set with open addressing; 0 marks an empty slot."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * FIRST_SLOTS))
        self._used = 0
        self._others: set[str] = set()
        """Those that do not fit into 8 bytes, or are not written as numbers are."""

    def add(self, gid: str) -> None:
        """Add a gid, if it is not there."""
        number = number_of(gid)
        if number is None:
            self._others.add(gid)
            return
        if self._used >= FULLEST * len(self._slots):
            self._grow()
        at = self._slot(number)
        self._used += not self._slots[at]
        self._slots[at] = number

    def __contains__(self, gid: str) -> bool:
        number = number_of(gid)
        if number is None:
            return gid in self._others
        return bool(self._used) and self._slots[self._slot(number)] == number

    def __len__(self) -> int:
        return self._used + len(self._others)

    def _slot(self, number: int) -> int:
        """Where a number is, or would be."""
        slots = self._slots
        mask = len(slots) - 1
        at = (number * SPREAD >> 20) & mask
        while slots[at] not in (0, number):
            at = (at + 1) & mask
        return at

    def _grow(self) -> None:
        numbers = self._slots
        self._slots = array("Q", bytes(2 * 8 * len(numbers)))
        for number in numbers:
            if number:
                self._slots[self._slot(number)] = number


class GidList:
    """Gids: strings of digits, in any order."""

    def __init__(self) -> None:
        self._numbers = array("Q")
        self._others: list[str] = []

    def append(self, gid: str) -> None:
        """Add a gid."""
        number = number_of(gid)
        if number is None:
            self._others.append(gid)
        else:
            self._numbers.append(number)

    def __iter__(self) -> Iterator[str]:
        yield from map(str, self._numbers)
        yield from self._others


def number_of(gid: str) -> int | None:
    """The number that a gid stands for, if no other gid stands for it."""
    if not gid.isascii() or not gid.isdigit() or gid[0] == "0":
        return None
    number = int(gid)
    return number if number <= LARGEST else None
