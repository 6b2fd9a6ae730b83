"""Counts requests and their answers."""

from collections import Counter
from collections.abc import Iterable
from threading import Lock
from typing import Any, NamedTuple

from .asked import Asked


class Request(NamedTuple):
    """A request and the status of its answer."""

    method: str
    template: str
    path: str
    query: dict[str, str]
    status: int
    token: str


class Ledger:
    """Counts every request; keeps the first `kept` of them in full."""

    def __init__(self, kept: int = 200_000) -> None:
        self._lock = Lock()
        self._kept = kept
        self._clear()

    def _clear(self) -> None:
        self.requests: list[Request] = []
        self.unknown_fields: Counter[str] = Counter()
        self.unknown_parameters: Counter[str] = Counter()
        self.max_in_flight = 0
        self._counts: Counter[tuple[str, int, str]] = Counter()
        self._answered: set[int] = set()
        self._duplicates: Counter[str] = Counter()

    def reset(self) -> None:
        """Forget everything except the requests in flight."""
        with self._lock:
            self._clear()

    def note_in_flight(self, current: int) -> None:
        self.max_in_flight = max(self.max_in_flight, current)

    def note_request(self, request: Request) -> None:
        with self._lock:
            self._counts[(request.template, request.status, request.token)] += 1
            if len(self.requests) < self._kept:
                self.requests.append(request)

    def note_answer(self, asked: Asked, page: object) -> None:
        """Note a page that was returned; the same page again is a duplicate."""
        key = f"{asked.person.name} {asked.listing} {page}"
        with self._lock:
            if hash(key) in self._answered:
                self._duplicates[f"{asked.listing} page at {page}"] += 1
            self._answered.add(hash(key))

    def note_unknown(self, template: str, fields: Iterable[str], parameters: Iterable[str]) -> None:
        with self._lock:
            self.unknown_fields.update(f"{template} {name}" for name in fields)
            self.unknown_parameters.update(f"{template} {name}" for name in parameters)

    def count(self, template: str | None = None, status: int | None = None) -> int:
        """The number of requests: all, of one operation, or of one status."""
        return sum(
            count
            for (asked, answered, _), count in self._snapshot()
            if template in (None, asked) and status in (None, answered)
        )

    def by_path(self) -> dict[str, int]:
        """Requests by path template."""
        return self._totals(0)

    def by_status(self) -> dict[int, int]:
        return self._totals(1)

    def by_token(self) -> dict[str, int]:
        return self._totals(2)

    def duplicates(self) -> dict[str, int]:
        """The pages that one token got more than once, and how often too many."""
        with self._lock:
            return dict(self._duplicates)

    def summary(self) -> dict[str, Any]:
        """All counts as plain JSON."""
        return {
            "requests": self.count(),
            "by_path": self.by_path(),
            "by_status": {str(status): count for status, count in self.by_status().items()},
            "by_token": self.by_token(),
            "duplicates": self.duplicates(),
            "max_in_flight": self.max_in_flight,
            "unknown_fields": dict(self.unknown_fields),
            "unknown_parameters": dict(self.unknown_parameters),
        }

    def _snapshot(self) -> list[tuple[tuple[str, int, str], int]]:
        with self._lock:
            return list(self._counts.items())

    def _totals(self, part: int) -> dict[Any, int]:
        totals: Counter[Any] = Counter()
        for key, count in self._snapshot():
            totals[key[part]] += count
        return dict(sorted(totals.items()))
