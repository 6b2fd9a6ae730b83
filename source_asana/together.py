"""Ask several independent questions at once, in a few threads that end with the last answer."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from source_asana.asana.rate_limit import Stopped

T = TypeVar("T")

NAME = "check-question"
"""The name of the threads."""


def answers(questions: Sequence[Callable[[], T]], threads: int) -> list[T]:
    """Call all questions, at most `threads` at once; return their results in order.

    The calling thread is one of the threads, and the others have ended when this returns or raises.
    After a question raises, no further one begins, and the first error is raised. An error other
    than Stopped comes first: the error of one question may stop the rest.
    """
    waiting = deque(enumerate(questions))
    found: dict[int, T] = {}
    errors: list[Exception] = []

    def work() -> None:
        while not errors:
            try:
                place, question = waiting.popleft()
            except IndexError:
                return
            try:
                found[place] = question()
            except Exception as error:  # noqa: BLE001 - the caller gets it
                errors.append(error)

    others = _started(work, min(threads, len(questions)) - 1)
    work()
    for thread in others:
        thread.join()
    if errors:
        raise next((e for e in errors if not isinstance(e, Stopped)), errors[0])
    return [found[place] for place in range(len(questions))]


def _started(work: Callable[[], None], wanted: int) -> list[threading.Thread]:
    """Start the wanted threads, or as many as the machine allows: fewer are only slower."""
    started: list[threading.Thread] = []
    for _ in range(wanted):
        thread = threading.Thread(target=work, name=NAME, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            break
        started.append(thread)
    return started
