"""How fast to send requests, learned only from Asana's answers. Pure: the time is an argument.

Asana allows 150 requests a minute on a free plan and 1,500 on a paid one. It does not say which
plan a token has or how much of its quota is left, and it counts the requests that it refuses.
https://developers.asana.com/docs/rate-limits
"""

from collections import deque
from dataclasses import dataclass
from math import inf

from source_asana.asana.retry import MAX_DOUBLINGS

PLANS_PER_MINUTE = (150.0, 1500.0)
"""Requests a minute of a free plan and of a paid one."""

MINUTE_SECONDS = 60.0
QUOTA_FACTOR = 0.985
"""The share of the quota to use: requests reach Asana sometimes faster, sometimes slower."""

SLACK_SECONDS = 0.25
"""How late a request may be without slowing down the next ones."""

MILD_FACTOR = 0.97
"""The share of the rate that stays after a refusal that tells nothing about the quota."""

RAMP_SECONDS = 10.0
"""How long the rate takes after a pause to reach its level."""

HOLD_SECONDS = 30.0
"""How long a level is held without a refusal before more is tried; a failed trial doubles it."""

MAX_HOLD_SECONDS = 240.0
GROWTH_SECONDS = 15.0
"""How long a trial takes to double what it adds to the level."""

MIN_PER_MINUTE = 2.0
"""Requests a minute that are tried however few Asana serves."""

MIN_EVIDENCE_REQUESTS = 20
"""So many served requests show the quota, unless they took more than half a minute."""

MAX_PAUSE_SECONDS = 60.0
PROBE_SECONDS = 5.0
"""How long to wait for the one request that ends a pause before another one goes."""

MAX_UNPROVEN_IN_FLIGHT = 4
"""Requests in flight near the end of the smaller plan's quota, while the plan may be that one."""


@dataclass(frozen=True)
class Refusals:
    """Refusals with nothing served between them: one sign that the quota is used up.

    `began`: when. `served`: requests served in the minute before, of which the first was
    `span_seconds` before. `per_minute`: the rate then. `was_trial`: whether more than the level
    was being tried.
    """

    began: float
    served: int
    span_seconds: float
    per_minute: float
    was_trial: bool

    @property
    def can_show_rate(self) -> bool:
        """Whether enough was served before to conclude the rate that Asana allows."""
        return self.served >= MIN_EVIDENCE_REQUESTS or self.span_seconds > MINUTE_SECONDS / 2

    @property
    def was_at_full_pace(self) -> bool:
        """Whether the pace limited the requests, rather than a lack of work."""
        served_per_minute = MINUTE_SECONDS * self.served / max(1.0, self.span_seconds)
        return served_per_minute > 0.7 * self.per_minute

    def rate(self, now: float) -> float:
        """The requests a minute that Asana served until it refused, if the pause ends now."""
        seconds = min(MINUTE_SECONDS, max(1.0, self.span_seconds + now - self.began))
        return MINUTE_SECONDS * self.served / seconds


class Pace:
    """Requests a minute: rises to a level, stays there for a while, then grows carefully.

    `is_plan`: whether the level is that of one of Asana's plans. `since`: when it was set.
    """

    def __init__(self, ceiling: float) -> None:
        self.ceiling = ceiling
        self.level = ceiling
        self.is_plan = True
        self.since = -inf
        self.hold_seconds = HOLD_SECONDS
        self._start = ceiling

    def per_minute(self, now: float) -> float:
        """The requests a minute to try now."""
        seconds = now - self.since
        if seconds < RAMP_SECONDS:
            return self._start + (self.level - self._start) * seconds / RAMP_SECONDS
        if seconds < self.hold_seconds:
            return self.level
        doublings = min((seconds - self.hold_seconds) / GROWTH_SECONDS, 16.0)
        return min(self.ceiling, self.level * (1 + 0.01 * (2**doublings - 1)))

    def is_trial(self, now: float) -> bool:
        """Whether more than the level is being tried."""
        return self.per_minute(now) > 1.005 * self.level

    def set(
        self, now: float, level: float, hold_seconds: float, *, start: float, is_plan: bool = False
    ) -> None:
        """Rise from `start` to `level`, and hold that for `hold_seconds`."""
        slowest = min(MIN_PER_MINUTE, self.ceiling)
        self.level, self._start = max(level, slowest), max(min(start, level), slowest)
        self.since, self.hold_seconds, self.is_plan = now, hold_seconds, is_plan


class RecentRequests:
    """The requests that Asana has counted in the last minute, and those in flight.

    `most`: the most that were served within a minute so far.
    """

    def __init__(self) -> None:
        self.in_flight = 0
        self.most = 0
        self._times: deque[float] = deque()

    def __len__(self) -> int:
        return len(self._times)

    def answered(self, sent_at: float, now: float) -> None:
        """Count a request, at half of its way there and back."""
        self.in_flight -= 1
        self._times.append((sent_at + now) / 2)
        self.forget(now)

    def forget(self, now: float) -> None:
        """Drop the requests that are more than a minute old."""
        while self._times and self._times[0] < now - MINUTE_SECONDS:
            self._times.popleft()

    def span_seconds(self, now: float) -> float:
        """How long ago the first one was."""
        return now - self._times[0] if self._times else 0.0

    def has_room_at(self, now: float, most: int) -> float:
        """When another request keeps within `most` a minute, if nothing is answered meanwhile."""
        too_many = len(self._times) + self.in_flight - most
        if too_many < 0:
            return now
        return self._times[too_many] + MINUTE_SECONDS if too_many < len(self._times) else inf


class Pause:
    """A time without requests after a refusal; one request, the probe, finds out if it is over."""

    def __init__(self) -> None:
        self.refusals: Refusals | None = None
        self.ends_at = -inf
        self._refused_in_row = 0
        self._probe_sent_at: float | None = None

    def next_at(self) -> float:
        """When the probe may go."""
        if self._probe_sent_at is None:
            return self.ends_at
        return max(self.ends_at, self._probe_sent_at + PROBE_SECONDS)

    def probe(self, now: float) -> None:
        """Note that a request goes out while nothing was served since the refusals."""
        if self.refusals:
            self._probe_sent_at = now

    def is_probe(self, sent_at: float) -> bool:
        """Whether a request was sent to find out if the pause is over."""
        return self.refusals is not None and sent_at >= self.ends_at

    def extend(self, now: float, retry_after: float | None, *, is_probe: bool) -> float:
        """Pause as long as Asana says, or twice as long as last time. Returns the seconds."""
        if is_probe or not self._refused_in_row:
            self._refused_in_row += 1
        doubled = min(2.0 ** min(self._refused_in_row - 1, MAX_DOUBLINGS), MAX_PAUSE_SECONDS)
        seconds = doubled if retry_after is None else retry_after
        self.ends_at = max(self.ends_at, now + seconds)
        self._probe_sent_at = None
        return seconds

    def end(self) -> None:
        """Note that a request was served."""
        self.refusals = None
        self._refused_in_row = 0
        self._probe_sent_at = None


class Governor:
    """Decides when the next request of a token may go.

    `ceiling`: requests a minute that are never exceeded. Times are seconds of any steady clock.
    """

    def __init__(self, ceiling: float = PLANS_PER_MINUTE[-1]) -> None:
        self._plans = [plan for plan in PLANS_PER_MINUTE if plan < ceiling]
        self._pace = Pace(ceiling)
        self._recent = RecentRequests()
        self._pause = Pause()
        self._next_at = -inf
        self._hurried_since = -inf
        self._served_in_hurry = 0

    def per_minute(self, now: float) -> float:
        """The requests a minute to try now."""
        return self._pace.per_minute(now)

    def next_at(self, now: float) -> float:
        """When a request may go, if nothing is answered meanwhile."""
        if self._pause.refusals:
            return max(now, self._pause.next_at(), self._next_at)
        self._recent.forget(now)
        if (
            self._recent.in_flight >= MAX_UNPROVEN_IN_FLIGHT
            and self._is_smaller_plan_near_its_end()
        ):
            return inf
        most = int(max(self._pace.level, self.per_minute(now)))
        return max(now, self._next_at, self._recent.has_room_at(now, most))

    def go(self, now: float) -> None:
        """Note that a request goes out."""
        self._recent.in_flight += 1
        self._pause.probe(now)
        seconds_between = MINUTE_SECONDS / (QUOTA_FACTOR * self.per_minute(now))
        self._next_at = max(self._next_at, now - SLACK_SECONDS) + seconds_between

    def served(self, sent_at: float, now: float) -> None:
        """Note that Asana answered a request with anything but 429."""
        self._recent.answered(sent_at, now)
        self._served_in_hurry += 1
        self._recent.most = max(self._recent.most, len(self._recent))
        refusals = self._pause.refusals
        if refusals and self._pause.is_probe(sent_at):
            self._learn(refusals, now)
        elif self._pace.is_plan and len(self._recent) > 1.1 * self._pace.level:
            higher = next((p for p in self._plans if p > self._pace.level), self._pace.ceiling)
            self._pace.set(now, higher, HOLD_SECONDS, start=self.per_minute(now), is_plan=True)

    def refused(self, sent_at: float, now: float, retry_after: float | None) -> float:
        """Note that Asana answered 429. Returns for how many seconds no request may go.

        That is as long as Asana says in `retry_after`; if it says nothing (None), the pause doubles
        with each refusal in a row.
        """
        is_probe = self._pause.is_probe(sent_at)
        if self._pause.refusals is None:
            self._recent.forget(now)
            self._pause.refusals = Refusals(
                now,
                len(self._recent),
                self._recent.span_seconds(now),
                self.per_minute(now),
                self._pace.is_trial(now),
            )
        self._recent.answered(sent_at, now)
        return self._pause.extend(now, retry_after, is_probe=is_probe)

    def lost(self) -> None:
        """Note that a request had no answer; Asana may have counted it or not."""
        self._recent.in_flight -= 1

    def seconds_to_wait(self, now: float) -> float:
        """How long the pause after a refusal still lasts."""
        return max(0.0, self._pause.ends_at - now)

    def _learn(self, refusals: Refusals, now: float) -> None:
        """End the pause, and set the pace to what the quota seems to be."""
        before = self._pace.level
        rate = refusals.rate(now) if refusals.can_show_rate else before
        is_hurried = refusals.began - self._pace.since < 2 * RAMP_SECONDS
        plan = self._plan_of(rate, is_hurried=is_hurried)
        if plan is not None and plan < 0.95 * before:
            self._pace.set(now, plan, 4 * HOLD_SECONDS, start=plan, is_plan=True)
        elif is_hurried:
            self._slow_down(now, rate)
        elif refusals.was_trial:
            self._end_trial(now, refusals, rate)
        else:
            level = MILD_FACTOR * before
            level = min(level, rate) if refusals.was_at_full_pace else level
            self._pace.set(now, level, self._longer_hold(), start=level)
        if not is_hurried:
            self._hurried_since, self._served_in_hurry = now, 0
        self._pause.end()

    def _plan_of(self, rate: float, *, is_hurried: bool) -> float | None:
        """The plan whose quota a rate shows, if it shows one."""
        plan = next((p for p in self._plans if 0.85 * p <= rate <= 1.1 * p), None)
        if plan is None and is_hurried and self._may_be_smaller_plan():
            return self._plans[0]
        return plan

    def _slow_down(self, now: float, rate: float) -> None:
        """Refused again soon after a pause: fall to what Asana has served since the first one."""
        before = self._pace.level
        seconds = max(1.0, now - self._hurried_since)
        lately = MINUTE_SECONDS * self._served_in_hurry / seconds
        level = min(MILD_FACTOR * before, max(lately, before / 2, rate / 4))
        self._pace.set(now, level, HOLD_SECONDS, start=max(lately, level / 5))

    def _end_trial(self, now: float, refusals: Refusals, rate: float) -> None:
        """Keep what a trial has gained; if that is little, wait longer before the next one."""
        before = self._pace.level
        level = max(before, min(rate, refusals.per_minute))
        is_gain = level > 1.05 * before
        hold = HOLD_SECONDS if is_gain else self._longer_hold()
        is_plan = self._pace.is_plan and not is_gain
        # Another program with this token was refused too, and needs a moment to be served again.
        start = level if is_plan else 0.7 * level
        self._pace.set(now, level, hold, start=start, is_plan=is_plan)

    def _longer_hold(self) -> float:
        return min(2 * self._pace.hold_seconds, MAX_HOLD_SECONDS)

    def _may_be_smaller_plan(self) -> bool:
        return bool(self._plans) and self._recent.most <= 1.3 * self._plans[0]

    def _is_smaller_plan_near_its_end(self) -> bool:
        """Whether the last minute nearly used up the smaller plan, and the plan may be that one."""
        requests = len(self._recent) + self._recent.in_flight
        return self._may_be_smaller_plan() and requests > 0.8 * self._plans[0]
