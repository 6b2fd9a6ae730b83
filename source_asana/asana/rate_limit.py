"""When a request may go out: the quota that all workers of a token share.

Asana allows 150 requests a minute on a free plan and 1,500 on a paid one, does not say which it is
or how much is left, and counts what it refuses. https://developers.asana.com/docs/rate-limits
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

PLANS = (150.0, 1500.0)
"""Requests a minute of a free plan and of a paid one."""

MINUTE = 60.0
SHARE = 0.985
"""How much of the quota is aimed at: the way to Asana takes now longer, now shorter."""

SLACK = 0.25
"""Seconds by which a request may be late without its turn being lost."""

MILD = 0.97
"""What is left of the rate after a refusal that tells nothing of the quota itself."""

RAMP = 10.0
"""Seconds after a pause within which the rate is back where it is to stay."""

HOLD = 30.0
LONGEST_HOLD = 240.0
"""Seconds without a refusal after which more is tried; each vain trial doubles them."""

GROWTH = 15.0
"""More is tried carefully at first: what is added doubles in so many seconds."""

SLOWEST = 2.0
"""Requests a minute that are tried however little Asana serves."""

LEAST_EVIDENCE = 20
"""So many served requests tell of the quota, unless it took them half a minute."""

LONGEST_PAUSE = 60.0
PROBE_SECONDS = 5.0
"""How long the one request that ends a pause may take before another one goes."""

UNPROVEN_IN_FLIGHT = 4
"""While the plan may be the smaller one, no more than these can be refused at its end."""


@dataclass(frozen=True)
class Episode:
    """Refusals with nothing served between them: one sign that the quota is spent.

    `served` requests went through in the minute before, the first of them `span` seconds before.
    """

    began: float
    served: int
    span: float
    level: float
    tried_more: bool

    @property
    def tells(self) -> bool:
        """Whether enough was served before to tell the rate by it."""
        return self.served >= LEAST_EVIDENCE or self.span > MINUTE / 2

    @property
    def was_busy(self) -> bool:
        """Whether it was the pace that held requests back, and not that there were few."""
        return MINUTE * self.served / max(1.0, self.span) > 0.7 * self.level

    def rate(self, now: float) -> float:
        """What the minute up to its end amounts to, if it is over now."""
        return MINUTE * self.served / min(MINUTE, max(1.0, self.span + now - self.began))


class Governor:
    """The pace of one token, learnt from nothing but the answers. Pure: it is told the time.

    `ceiling`: requests a minute that are never exceeded. Times are seconds of any steady clock.
    """

    def __init__(self, ceiling: float = PLANS[-1]) -> None:
        self._ceiling = ceiling
        self._plans = [plan for plan in PLANS if plan < ceiling]
        self._level = self._low = ceiling
        self._is_plan = True
        self._hold = HOLD
        self._level_since = float("-inf")
        self._next_at = float("-inf")
        self._open_at = float("-inf")
        self._asked: deque[float] = deque()
        self._most_served = 0
        self._in_flight = 0
        self._episode: Episode | None = None
        self._refused_in_row = 0
        self._probe_sent_at: float | None = None
        self._hurried_since = float("-inf")
        self._served_in_hurry = 0

    def allowed(self, now: float) -> float:
        """Requests a minute that may be tried now."""
        since = now - self._level_since
        if since < RAMP:
            return self._low + (self._level - self._low) * since / RAMP
        if since < self._hold:
            return self._level
        doublings = min((since - self._hold) / GROWTH, 16.0)
        return min(self._ceiling, self._level * (1 + 0.01 * (2**doublings - 1)))

    def next_at(self, now: float) -> float:
        """When a request may go, if nothing is answered meanwhile."""
        if self._episode:
            probe = self._probe_sent_at
            free_at = self._open_at if probe is None else max(self._open_at, probe + PROBE_SECONDS)
            return max(now, free_at, self._next_at)
        self._forget(now)
        if self._in_flight >= UNPROVEN_IN_FLIGHT and self._may_be_the_smaller_plan():
            return float("inf")
        return max(now, self._next_at, self._minute_has_room_at(now))

    def go(self, now: float) -> None:
        """A request goes out."""
        self._in_flight += 1
        if self._episode:
            self._probe_sent_at = now
        self._next_at = max(self._next_at, now - SLACK) + MINUTE / (SHARE * self.allowed(now))

    def served(self, sent_at: float, now: float) -> None:
        """Asana has answered a request, whatever it said."""
        self._count(sent_at, now)
        self._served_in_hurry += 1
        self._most_served = max(self._most_served, len(self._asked))
        if self._episode and sent_at >= self._open_at:
            self._learn(self._episode, now)
        elif self._is_plan and len(self._asked) > 1.1 * self._level:
            higher = next((p for p in self._plans if p > self._level), self._ceiling)
            self._settle(now, higher, HOLD, low=self.allowed(now), is_plan=True)

    def refused(self, sent_at: float, now: float, retry_after: float | None) -> float:
        """Asana has answered 429; return for how many seconds nobody may ask.

        Those are what Asana says in `retry_after`. Where it says nothing (None), they double with
        each refusal in a row.
        """
        is_probe = self._episode is not None and sent_at >= self._open_at
        if self._episode is None:
            self._forget(now)
            span = now - self._asked[0] if self._asked else 0.0
            level = self.allowed(now)
            tried_more = level > 1.005 * self._level
            self._episode = Episode(now, len(self._asked), span, level, tried_more)
        if is_probe or not self._refused_in_row:
            self._refused_in_row += 1
        self._count(sent_at, now)
        unsaid = min(2.0 ** (self._refused_in_row - 1), LONGEST_PAUSE)
        pause = unsaid if retry_after is None else retry_after
        self._open_at = max(self._open_at, now + pause)
        self._probe_sent_at = None
        return pause

    def lost(self) -> None:
        """A request has had no answer, and nobody knows whether it was counted."""
        self._in_flight -= 1

    def seconds_to_wait(self, now: float) -> float:
        """How long everybody has to wait because of a refusal."""
        return max(0.0, self._open_at - now)

    def _learn(self, episode: Episode, now: float) -> None:
        """The pause is over: settle on what the quota seems to be."""
        before = self._level
        rate = episode.rate(now) if episode.tells else before
        hurried = episode.began - self._level_since < 2 * RAMP
        plan = next((p for p in self._plans if 0.85 * p <= rate <= 1.1 * p), None)
        if plan is None and hurried and self._may_be_smaller():
            plan = self._plans[0]
        if plan is not None and plan < 0.95 * before:
            self._settle(now, plan, 4 * HOLD, low=plan, is_plan=True)
        elif hurried:
            lately = MINUTE * self._served_in_hurry / max(1.0, now - self._hurried_since)
            level = min(MILD * before, max(lately, before / 2, rate / 4))
            self._settle(now, level, HOLD, low=max(lately, level / 5))
        elif episode.tried_more:
            level = max(before, min(rate, episode.level))
            won = level > 1.05 * before
            hold = HOLD if won else min(2 * self._hold, LONGEST_HOLD)
            is_plan = self._is_plan and not won
            # Whoever else is at work had refusals too, and needs a moment to be served again.
            self._settle(now, level, hold, low=level if is_plan else 0.7 * level, is_plan=is_plan)
        else:
            level = min(MILD * before, rate) if episode.was_busy else MILD * before
            self._settle(now, level, min(2 * self._hold, LONGEST_HOLD), low=level)
        if not hurried:
            self._hurried_since, self._served_in_hurry = now, 0
        self._episode = None
        self._refused_in_row = 0
        self._probe_sent_at = None

    def _settle(
        self, now: float, level: float, hold: float, *, low: float, is_plan: bool = False
    ) -> None:
        slowest = min(SLOWEST, self._ceiling)
        self._level, self._low = max(level, slowest), max(min(low, level), slowest)
        self._level_since, self._hold, self._is_plan = now, hold, is_plan

    def _may_be_smaller(self) -> bool:
        return bool(self._plans) and self._most_served <= 1.3 * self._plans[0]

    def _may_be_the_smaller_plan(self) -> bool:
        """Whether the requests of this minute come near the end of a plan that it may be."""
        return self._may_be_smaller() and len(self._asked) + self._in_flight > 0.8 * self._plans[0]

    def _minute_has_room_at(self, now: float) -> float:
        too_many = len(self._asked) + self._in_flight - int(max(self._level, self.allowed(now)))
        if too_many < 0:
            return now
        if too_many >= len(self._asked):
            return float("inf")
        return self._asked[too_many] + MINUTE

    def _count(self, sent_at: float, now: float) -> None:
        self._in_flight -= 1
        self._asked.append((sent_at + now) / 2)
        self._forget(now)

    def _forget(self, now: float) -> None:
        while self._asked and self._asked[0] < now - MINUTE:
            self._asked.popleft()


class Stopped(Exception):
    """The sync is being ended; raised wherever a worker would wait or send."""


class Turn:
    """The permission to send one request, from `sent_at` on. Tell it how the request ended."""

    def __init__(self, sent_at: float) -> None:
        self.sent_at = sent_at
        self.end: Callable[[Governor, float], object] = _lost

    def served(self) -> None:
        """Asana has answered, whatever it said."""
        self.end = lambda governor, now: governor.served(self.sent_at, now)

    def refused(self, retry_after: float | None) -> None:
        """Asana has answered 429: every worker waits."""
        self.end = lambda governor, now: governor.refused(self.sent_at, now, retry_after)


def _lost(governor: Governor, _now: float) -> None:
    governor.lost()


class RateLimit:
    """The governor, shared by threads: it holds them until a request may go."""

    def __init__(
        self,
        governor: Governor | None = None,
        clock: Callable[[], float] = time.monotonic,
        changed: threading.Condition | None = None,
    ) -> None:
        self._governor = governor or Governor()
        self._clock = clock
        self._turnstile = threading.Lock()
        self._changed = changed or threading.Condition()
        self._stopped = False

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """Wait until a request may go out, and give the turn back at the end of the block.

        A turn that was told nothing, because of an exception for example, counts as a request
        without an answer. Raises Stopped when the sync ends meanwhile.
        """
        turn = Turn(self._taken())
        try:
            yield turn
        finally:
            with self._changed:
                turn.end(self._governor, self._clock())
                self._changed.notify_all()

    def _taken(self) -> float:
        """Wait for a turn; return when its request goes out."""
        with self._turnstile, self._changed:  # the others need not wake for the turn of one
            self._wait_until(self._governor.next_at)
            now = self._clock()
            self._governor.go(now)
            return now

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`; raise Stopped when the sync ends meanwhile."""
        wake_at = self._clock() + seconds
        with self._changed:
            self._wait_until(lambda now: max(now, wake_at))

    def seconds_to_wait(self) -> float:
        """How long everybody still has to wait because of a refusal."""
        return self._governor.seconds_to_wait(self._clock())

    def stop(self) -> None:
        """Let nobody wait or send any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _wait_until(self, moment: Callable[[float], float]) -> None:
        while not self._stopped and (left := moment(now := self._clock()) - now) > 0:
            self._changed.wait(min(left, threading.TIMEOUT_MAX))
        if self._stopped:
            raise Stopped
