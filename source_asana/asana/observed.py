"""What the answers of one sync told, besides the records."""

import threading
from collections import Counter
from collections.abc import Callable
from email.utils import formatdate

from source_asana.asana.answer import Answer, time_in

MAX_CHANGES = 20

Observe = Callable[[Answer, float], None]
"""Called with each answer, and the seconds from its request to its last byte."""


def ignore(_answer: Answer, _seconds: float) -> None:
    """Observe nothing."""


class Observed:
    """What Asana's answers told. Safe for many threads.

    `sent`: requests sent so far by their `purpose`, retries and refused ones included.
    `server_date`: the `Date` header of the latest answer (this machine's time before the first).
    `nul_strings`: how many strings had a U+0000 that was removed. `announced_changes`: the breaking
    changes of Asana's API, each once and at most MAX_CHANGES.
    """

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self.server_date = formatdate(usegmt=True)
        self.nul_strings = 0
        self.announced_changes: list[str] = []
        self._lock = threading.Lock()

    def count(self, purpose: str) -> None:
        """Count a request that is sent now."""
        with self._lock:
            self.sent[purpose] += 1

    def note(self, answer: Answer) -> None:
        """Add what one answer told."""
        if answer.date != self.server_date and time_in(answer.date):
            self.server_date = str(answer.date)
        if answer.nul_strings or answer.announced_changes:
            with self._lock:
                self.nul_strings += answer.nul_strings
                known = self.announced_changes
                new = [change for change in answer.announced_changes if change not in known]
                known += new[: MAX_CHANGES - len(known)]
