import threading
from collections.abc import Callable
from functools import partial
from typing import NoReturn

import pytest

from source_asana.asana.rate_limit import Stopped
from source_asana.together import NAME, answers

LONG = 30.0
"""Seconds after which a question that waits for another one gives up."""


def others() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == NAME]


def failing(error: Exception) -> Callable[..., NoReturn]:
    def question(*_: object) -> NoReturn:
        raise error

    return question


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_answers_are_in_the_order_of_the_questions(threads: int) -> None:
    squares = [partial(pow, n, 2) for n in range(20)]
    assert answers(squares, threads) == [n * n for n in range(20)]


def test_no_questions_have_no_answers() -> None:
    assert answers([], 8) == []


def test_questions_are_asked_at_the_same_time_and_their_threads_end() -> None:
    all_there = threading.Barrier(4, timeout=LONG)
    assert sorted(answers([all_there.wait] * 4, 4)) == [0, 1, 2, 3]
    assert others() == []


@pytest.mark.parametrize("threads", [1, 3])
def test_the_number_of_questions_at_the_same_time_is_limited(threads: int) -> None:
    at_once, most, lock = 0, 0, threading.Lock()

    def question() -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        with lock:
            at_once -= 1

    answers([question] * 200, threads)
    assert 1 <= most <= threads


def test_an_error_stops_further_questions_after_those_in_flight() -> None:
    answered, failed = [], threading.Event()

    def slow() -> None:
        assert failed.wait(LONG)
        answered.append("slow")

    def fail() -> None:
        failed.set()
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        answers([slow, fail, *[lambda: answered.append("late")] * 50], 2)
    assert "slow" in answered
    assert len(answered) < 51
    assert others() == []


def test_the_error_that_stopped_the_others_comes_first() -> None:
    stopping, has_stopped = threading.Event(), threading.Event()

    def waiting() -> NoReturn:
        assert stopping.wait(LONG)
        has_stopped.set()
        raise Stopped

    def refused() -> NoReturn:
        stopping.set()
        assert has_stopped.wait(LONG)
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        answers([waiting, refused], 2)


def test_stopped_is_raised_where_nothing_else_is() -> None:
    with pytest.raises(Stopped):
        answers([failing(Stopped())], 4)


def test_questions_are_asked_one_by_one_where_no_thread_can_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threading.Thread, "start", failing(RuntimeError("can't start new thread")))
    assert answers([lambda: 1, lambda: 2], 8) == [1, 2]
