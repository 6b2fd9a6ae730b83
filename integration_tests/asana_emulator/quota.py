"""The rate limits of a token. https://developers.asana.com/docs/rate-limits"""

import math
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

BURST_SECONDS = 10.0
DEBT_SECONDS = 1.0
ROUNDING = 1e-6

QuotaKind = Literal["sliding", "fixed", "bucket"]


class Meter(Protocol):
    """Counts the requests of one token; refused ones count too."""

    def wait(self, now: float, per_minute: int, window: float) -> float | None:
        """Count a request; return None if it is allowed, or the seconds until one is."""


@dataclass
class Sliding:
    """A limit for the window that ends now."""

    asked: deque[float] = field(default_factory=deque)

    def wait(self, now: float, per_minute: int, window: float) -> float | None:
        allowed = _within(window, per_minute)
        while self.asked and self.asked[0] <= now - window:
            self.asked.popleft()
        self.asked.append(now)
        if len(self.asked) <= allowed:
            return None
        return self.asked[len(self.asked) - allowed] + window - now


@dataclass
class Fixed:
    """A limit for each full minute of the clock."""

    begun: float = -math.inf
    asked: int = 0

    def wait(self, now: float, per_minute: int, window: float) -> float | None:
        begun = now - now % window
        if begun != self.begun:
            self.begun, self.asked = begun, 0
        self.asked += 1
        return None if self.asked <= _within(window, per_minute) else begun + window - now


@dataclass
class Bucket:
    """Ten seconds' worth of requests at once, then evenly, for any window.

    A refused request counts too, up to a debt of one second's worth.
    """

    tokens: float = math.inf
    filled_at: float = 0.0

    def wait(self, now: float, per_minute: int, window: float) -> float | None:  # noqa: ARG002
        rate = per_minute / 60
        filled = self.tokens + rate * (now - self.filled_at)
        self.tokens = min(filled, max(1.0, rate * BURST_SECONDS))
        self.filled_at = now
        if self.tokens > 1 - ROUNDING:
            self.tokens -= 1
            return None
        self.tokens = max(self.tokens - 1, -rate * DEBT_SECONDS)
        return (1 - self.tokens) / rate


METERS: dict[QuotaKind, Callable[[], Meter]] = {
    "sliding": Sliding,
    "fixed": Fixed,
    "bucket": Bucket,
}


def _within(window: float, per_minute: int) -> int:
    return max(1, round(per_minute * window / 60))


@dataclass
class Quota:
    """The requests a minute of each token, counted in one of several ways."""

    per_minute: int | None = None
    window: float = 60.0
    kind: QuotaKind = "sliding"
    now: Callable[[], float] = time.monotonic
    own: dict[str, int | None] = field(default_factory=dict)
    _meters: dict[tuple[QuotaKind, str], Meter] = field(default_factory=dict)

    def retry_after(self, token: str) -> int | None:
        """Count a request; return None if it is allowed, or the seconds until one is."""
        per_minute = self.own.get(token, self.per_minute)
        if per_minute is None:
            return None
        meter = self._meters.setdefault((self.kind, token), METERS[self.kind]())
        wait = meter.wait(self.now(), per_minute, self.window)
        return None if wait is None else max(1, math.ceil(wait))


@dataclass
class CostQuota:
    """The cost limit of each token, which Asana does not publish.

    An answer is charged after it is made, even if that leaves a debt. While there is a debt,
    requests are refused, at no cost; it is paid off evenly. At most a `window`'s worth is saved.
    """

    per_minute: float | None = None
    window: float = 60.0
    now: Callable[[], float] = time.monotonic
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def retry_after(self, token: str) -> int | None:
        """None if a request is allowed, or the seconds until the debt is paid."""
        if self.per_minute is None:
            return None
        left = self._left_now(token, self.per_minute)
        return None if left > 0 else math.floor(-left * 60 / self.per_minute) + 1

    def charge(self, token: str, body: bytes) -> None:
        """Charge a token for an answer."""
        if self.per_minute is not None:
            left = self._left_now(token, self.per_minute) - cost_of(body)
            self._left[token] = (left, self.now())

    def _left_now(self, token: str, per_minute: float) -> float:
        most = per_minute * self.window / 60
        left, at = self._left.get(token, (most, self.now()))
        return min(most, left + per_minute / 60 * (self.now() - at))


def cost_of(body: bytes) -> int:
    """The number of objects in an answer: of links that were followed to make it."""
    return body.count(b'{"')


@dataclass
class InFlight:
    """How many requests of each token are being answered right now."""

    most: int = 50
    current: Counter[str] = field(default_factory=Counter)

    def enter(self, token: str) -> None:
        self.current[token] += 1

    def is_exceeded(self, token: str) -> bool:
        return self.current[token] > self.most

    def leave(self, token: str) -> None:
        self.current[token] -= 1
