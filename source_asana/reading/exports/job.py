"""The job that makes the export of a workspace: what it makes, and when to ask for it. Pure."""

from dataclasses import dataclass
from hashlib import blake2b
from math import inf, isinf

from source_asana.asana.times import shifted
from source_asana.reading.container import Container
from source_asana.reading.exports.kept_exports import KeptExport
from source_asana.reading.shortcuts.evidence import Terms

SECONDS_PER_MINUTE = 60.0
PAUSE_FACTOR = 1.5
REFRESH_DAYS = 1
"""A full refresh that goes on after longer uses no file of its former part."""


@dataclass(frozen=True)
class ExportLimits:
    """When an export is worth it, how long visits wait for it, and how it is checked.

    `least_tasks`: below so many tasks no export is begun. `most_seconds`: how long visits wait.
    When nothing else is left to do, they wait no longer than their requests would take, at
    `requests_per_minute`. A job is asked for after `first_pause` seconds, and then less often, at
    least every `longest_pause` seconds. Lists of `long_list` records are always requested.
    """

    least_tasks: int = 500
    most_seconds: float = 3600.0
    requests_per_minute: float = 1500.0
    first_pause: float = 2.0
    longest_pause: float = 30.0
    long_list: int = 100
    terms: Terms = Terms(first=20, one_in=100, counter_claims=0)  # noqa: RUF009 - it is frozen


@dataclass(frozen=True)
class Wish:
    """What to ask of an export: the fields of tasks, and only tasks modified after a time."""

    fields: tuple[str, ...]
    after: str | None = None

    @property
    def digest(self) -> str:
        """A short name for the fields."""
        return blake2b(",".join(self.fields).encode(), digest_size=8).hexdigest()

    def is_met_by(self, kept: KeptExport) -> bool:
        """Whether an export of a former sync has all that this one would have."""
        has_all = kept.after is None or (self.after is not None and kept.after <= self.after)
        return kept.fields == self.digest and has_all


class Job:
    """A job, from the moment when it is wanted. Not safe for several threads.

    `known`: the containers whose events were read before. `former`: the export of a former sync
    that is used instead, so that it is older than these. `blocker`: the job of a former sync that
    is of no use, and must end before a new one begins. `gid`: once the job has begun. `tries`: how
    often its file could not be downloaded. `now`: seconds of the walk's clock.
    """

    def __init__(
        self,
        known: frozenset[Container],
        wish: Wish,
        former: KeptExport | None,
        blocker: str | None,
        now: float,
    ) -> None:
        self.known, self.wish = known, wish
        self.former, self.blocker = former, blocker
        self.gid: str | None = None
        self.tries = 0
        self._wanted_at = self._next_at = now
        self._pause: float | None = None
        self._idle_since: float | None = None

    def take_turn(self, now: float) -> bool:
        """Whether to ask for it now; if so, one worker does."""
        if now < self._next_at:
            return False
        self._next_at = inf  # until that worker says when
        return True

    def wait(self, now: float, limits: ExportLimits) -> None:
        """Note that it is not done, so that it is asked for later."""
        pause = limits.first_pause if self._pause is None else self._pause
        self._next_at = now + pause
        self._pause = min(pause * PAUSE_FACTOR, limits.longest_pause)

    def seconds_to_wait(self, now: float, limits: ExportLimits) -> float:
        """How long it is until it may be due."""
        return limits.first_pause if isinf(self._next_at) else max(0.0, self._next_at - now)

    def is_late(self, now: float, limits: ExportLimits, waiting: int, *, is_idle: bool) -> bool:
        """Whether waiting takes longer than it may.

        `waiting`: how many visits wait. `is_idle`: nothing else is left to do.
        """
        self._idle_since = (self._idle_since or now) if is_idle else None
        if now - self._wanted_at > limits.most_seconds:
            return True
        per_second = limits.requests_per_minute / SECONDS_PER_MINUTE
        return self._idle_since is not None and now - self._idle_since > waiting / per_second


def usable_export(
    kept: KeptExport | None, wish: Wish, workspace: Container, now: str, *, is_refresh: bool
) -> KeptExport | None:
    """The export of a former sync, if this sync can use it instead of a new one.

    `is_refresh`: all streams that need it are full refreshes, of which one goes on. `now`: as a
    mark.
    """
    if kept is None or not wish.is_met_by(kept):
        return None
    if is_refresh:
        return kept if kept.began > shifted(now, days=-REFRESH_DAYS) else None
    events = workspace.events
    if events is None or kept.token not in events.events or kept.token in events.lost:
        return None
    return kept
