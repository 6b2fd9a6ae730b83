"""When a token has asked too much. https://developers.asana.com/docs/rate-limits"""

import math
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Quota:
    """Requests of each token within the last minute; rejected ones count as well."""

    per_minute: int | None = None
    window: float = 60.0
    now: Callable[[], float] = time.monotonic
    _asked: dict[str, deque[float]] = field(default_factory=dict)

    def retry_after(self, token: str) -> int | None:
        """Count one request; None when it may pass, else the seconds after which one may."""
        if self.per_minute is None:
            return None
        allowed = max(1, round(self.per_minute * self.window / 60))
        now = self.now()
        asked = self._asked.setdefault(token, deque())
        while asked and asked[0] <= now - self.window:
            asked.popleft()
        asked.append(now)
        if len(asked) <= allowed:
            return None
        free_at = asked[len(asked) - allowed] + self.window
        return max(1, math.ceil(free_at - now))

    def forget(self) -> None:
        self._asked.clear()


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
