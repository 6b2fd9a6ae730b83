"""Simulated traffic through a governor to several kinds of quota. Takes no time."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from math import ceil, inf
from random import Random
from typing import NamedTuple, Protocol

from integration_tests.asana_emulator.quota import Sliding
from source_asana.asana.governor import Governor

MINUTE = 60.0
ENDLESS = 10**9


class Quota(Protocol):
    """The quota of one token. Refused requests count too."""

    per_minute: int

    def ask(self, now: float) -> int | None:
        """Count a request; return None if it is served, or its `Retry-After`."""


@dataclass
class Unlimited:
    per_minute: int = ENDLESS

    def ask(self, now: float) -> int | None:  # noqa: ARG002
        return None


@dataclass
class SlidingWindow:
    """A limit for the window that ends now."""

    per_minute: int
    window: float = MINUTE
    meter: Sliding = field(default_factory=Sliding)

    def ask(self, now: float) -> int | None:
        seconds = self.meter.wait(now, self.per_minute, self.window)
        return None if seconds is None else _whole(seconds)


@dataclass
class FixedMinute:
    """A limit for each minute of Asana's clock, which differs from ours."""

    per_minute: int
    minute: float = -inf
    asked: int = 0

    def ask(self, now: float) -> int | None:
        minute = now - (now + 17) % MINUTE
        if minute > self.minute:
            self.minute, self.asked = minute, 0
        self.asked += 1
        return None if self.asked <= self.per_minute else _whole(minute + MINUTE - now)


@dataclass
class Bucket:
    """A token bucket: a few seconds' worth at once, then evenly. Refusals cost at most 1 second."""

    per_minute: int
    seconds: float = 10.0
    tokens: float = inf
    filled_at: float = 0.0

    def ask(self, now: float) -> int | None:
        rate = self.per_minute / MINUTE
        filled = self.tokens + (now - self.filled_at) * rate
        self.tokens, self.filled_at = min(rate * self.seconds, filled), now
        self.tokens = max(self.tokens - 1, -rate)
        return None if self.tokens >= 0 else _whole(-self.tokens / rate)


def _whole(seconds: float) -> int:
    return max(1, ceil(seconds))


class Way(NamedTuple):
    """Seconds that a request takes to reach Asana and its answer to return, unless it is lost."""

    there: float = 0.04
    back: float = 0.04
    is_lost: bool = False


def ways(quickest: float = 0.06, slowest: float = 0.12, seed: int = 1) -> Iterator[Way]:
    chance = Random(seed)
    while True:
        both = chance.uniform(quickest, slowest)
        there = both * chance.uniform(0.3, 0.7)
        yield Way(there, both - there)


@dataclass
class Traffic:
    """Workers with `wanted` requests, each of which they repeat until it is served.

    `other_program`: the requests a minute of another program with the same token, by time.
    `gaps`: for each request, the seconds since the one before it, since there was work and a free
    worker, or since the end of a pause, whichever is the shortest.
    """

    governor: Governor
    quota: Quota
    wanted: int = ENDLESS
    workers: int = 25
    ways: Iterator[Way] = field(default_factory=ways)
    says_when: bool = True
    other_program: Callable[[float], float] | None = None
    now: float = 0.0
    sent: list[float] = field(default_factory=list)
    served: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    others_served: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)
    _able_since: float = 0.0

    def __post_init__(self) -> None:
        if self.other_program:
            self._after(0.013, self._ask_for_another)

    def arrive(self, moments: Sequence[float]) -> None:
        """Add one more request at each of these times."""
        for moment in moments:
            self._after(moment - self.now, self._want)

    def run(self, until: float) -> None:
        """Simulate until this time."""
        while True:
            may_go = self.governor.next_at(self.now) if self._can_send else inf
            happens = self._events[0][0] if self._events else inf
            if min(may_go, happens) >= until:
                assert not self._can_send or min(may_go, happens) < inf, "no request may ever go"
                self.now = until
                return
            could_send = self._can_send
            if happens <= may_go:
                self.now, _, event = heapq.heappop(self._events)
                event()
            else:
                self.now = may_go
                self._send()
            if not could_send or self.governor.seconds_to_wait(self.now):
                self._able_since = self.now + self.governor.seconds_to_wait(self.now)

    def used(self, start: float, end: float) -> float:
        """The share of the current quota that all programs together used."""
        served = between(self.served, start, end) + between(self.others_served, start, end)
        return served / (self.quota.per_minute * (end - start) / MINUTE)

    def refused_share(self, start: float, end: float) -> float:
        """The share of our own requests that were refused."""
        refused = between(self.refused, start, end)
        return refused / max(1, refused + between(self.served, start, end))

    @property
    def _can_send(self) -> bool:
        return self.wanted > 0 and self.workers > 0

    def _after(self, seconds: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._order), event))

    def _want(self) -> None:
        self.wanted += 1

    def _send(self) -> None:
        self.governor.go(self.now)
        self.wanted -= 1
        self.workers -= 1
        last = self.sent[-1] if self.sent else -inf
        self.gaps.append(self.now - max(last, self._able_since))
        self.sent.append(self.now)
        way = next(self.ways)
        self._after(way.there, partial(self._reach_asana, self.now, way))

    def _reach_asana(self, sent_at: float, way: Way) -> None:
        retry_after = self.quota.ask(self.now)
        self._after(way.back, partial(self._answer, sent_at, way, retry_after))

    def _answer(self, sent_at: float, way: Way, retry_after: int | None) -> None:
        self.workers += 1
        if way.is_lost:
            self.governor.lost()
        elif retry_after is None:
            self.governor.served(sent_at, self.now)
            self.served.append(self.now)
            return
        else:
            self.governor.refused(sent_at, self.now, retry_after if self.says_when else None)
            self.refused.append(self.now)
        self.wanted += 1

    def _ask_for_another(self) -> None:
        rate = self.other_program(self.now) if self.other_program else 0.0
        if rate and self.quota.ask(self.now) is None:
            self.others_served.append(self.now)
        self._after(MINUTE / rate if rate else 1.0, self._ask_for_another)


def between(moments: Sequence[float], start: float, end: float) -> int:
    return sum(start <= moment < end for moment in moments)


def most_within(seconds: float, moments: Sequence[float]) -> int:
    """The largest number of moments within any period of so many seconds."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most
