"""Counts of what Asana sent and the connector could not use, for the summary of a sync."""

import threading
from collections import Counter
from enum import Enum, auto


class Oddity(Enum):
    """What was odd."""

    ENTRY_LEFT_OUT = auto()
    TOO_DEEP = auto()
    UNREADABLE_EVENT = auto()
    OWNER_DEMANDED = auto()


class Oddities:
    """How often each oddity occurred, by the name of the listing. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[Oddity, str]] = Counter()

    def note(self, oddity: Oddity, listing: str, times: int = 1) -> None:
        """Count an oddity so many times; nothing where that is 0."""
        if times:
            with self._lock:
                self._counts[oddity, listing] += times

    def of(self, oddity: Oddity) -> dict[str, int]:
        """How often it occurred, by listing."""
        with self._lock:
            return {name: n for (kind, name), n in self._counts.items() if kind is oddity}
