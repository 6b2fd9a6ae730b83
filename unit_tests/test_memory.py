"""The memory that pages share."""

import threading
from queue import SimpleQueue

import pytest

from source_asana.asana.memory import Memory, Share
from source_asana.asana.rate_limit import RateLimit, Stopped

SECONDS = 10.0
"""Seconds after which a waiting test has failed."""


def go_on() -> None:
    """Do nothing: the sync has not ended."""


def taken(memory: Memory, size: int) -> "SimpleQueue[bool | type[Exception]]":
    """Take memory in another thread; the queue gets the result."""
    outcome: SimpleQueue[bool | type[Exception]] = SimpleQueue()

    def take() -> None:
        try:
            outcome.put(memory.take(size))
        except Stopped:
            outcome.put(Stopped)

    threading.Thread(target=take, daemon=True).start()
    return outcome


@pytest.mark.parametrize(
    ("held", "wanted", "is_granted"),
    [(0, 100, True), (0, 101, True), (60, 40, True), (60, 41, False), (1, 101, False)],
)
def test_a_share_is_granted_when_there_is_room_or_nothing_is_held(
    held: int, wanted: int, *, is_granted: bool
) -> None:
    memory = Memory(100, go_on)
    memory.take(held)
    assert memory.take(wanted, patience_seconds=0) is is_granted


def test_freed_memory_goes_to_waiting_threads_in_order() -> None:
    memory = Memory(100, go_on)
    memory.take(50)
    large = taken(memory, 500)
    while memory.take(1, patience_seconds=0.01):  # until the large one is first in the queue
        memory.give_back(1)
    small = taken(memory, 1)
    assert large.empty()
    memory.give_back(50)
    assert large.get(timeout=SECONDS) is True
    assert small.empty()
    memory.give_back(500)
    assert small.get(timeout=SECONDS) is True


def test_a_wait_ends_with_the_sync() -> None:
    rate_limit = RateLimit()
    memory = Memory(100, lambda: rate_limit.sleep(0))
    memory.take(100)
    waiting = taken(memory, 1)
    rate_limit.stop()
    assert waiting.get(timeout=SECONDS) is Stopped


def test_two_threads_that_need_more_do_not_wait_for_each_other() -> None:
    memory = Memory(100, go_on)
    shares = [Share(memory), Share(memory)]
    for share in shares:
        share.resize(50)
    done: SimpleQueue[int] = SimpleQueue()

    def grow(share: Share) -> None:
        share.resize(100)
        share.resize(0)
        done.put(share.size)

    for share in shares:
        threading.Thread(target=grow, args=(share,), daemon=True).start()
    assert [done.get(timeout=SECONDS) for _ in shares] == [0, 0]


def test_a_share_without_room_has_no_memory() -> None:
    memory = Memory(100, go_on)
    memory.take(60)
    share = Share(memory)
    share.resize(40)
    assert not share.resize(41, patience_seconds=0)
    assert share.size == 0
    assert memory.take(40, patience_seconds=0)
