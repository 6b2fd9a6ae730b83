"""Each row of the table of faults (`make faults` prints it) keeps its promises."""

from collections.abc import Iterable

import pytest

from integration_tests.faults import broken_promises, play
from integration_tests.troubles import TROUBLES, Mode, Trouble

pytestmark = pytest.mark.once


def in_turn(troubles: Iterable[Trouble], first: int) -> list[object]:
    """Each trouble in one kind of sync, the next trouble in the next kind."""
    return [
        pytest.param(trouble, trouble.modes[(place + first) % len(trouble.modes)], id=trouble.name)
        for place, trouble in enumerate(troubles)
    ]


@pytest.mark.parametrize(("trouble", "mode"), in_turn(TROUBLES, first=0))
def test_nothing_is_missing_and_nothing_comes_twice(trouble: Trouble, mode: Mode) -> None:
    assert broken_promises(trouble, mode, play(trouble, mode, workers=10)) == []


QUICK = [trouble for trouble in TROUBLES if not trouble.takes_long]
"""Other numbers of workers play every sixth of them here; `make faults` plays all."""


@pytest.mark.parametrize(("trouble", "mode"), in_turn(QUICK[::6], first=1))
def test_nothing_is_missing_and_nothing_comes_twice_with_one_worker(
    trouble: Trouble, mode: Mode
) -> None:
    assert broken_promises(trouble, mode, play(trouble, mode, workers=1)) == []


@pytest.mark.parametrize(("trouble", "mode"), in_turn(QUICK[3::6], first=2))
def test_nothing_is_missing_and_nothing_comes_twice_with_many_workers(
    trouble: Trouble, mode: Mode
) -> None:
    assert broken_promises(trouble, mode, play(trouble, mode, workers=25)) == []
