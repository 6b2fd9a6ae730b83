"""The export of one workspace: where it stands, what waits for it, what came from it. Pure."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import blake2b

from source_asana.asana.times import shifted
from source_asana.reading.container import Container
from source_asana.reading.exports.doubts import gids_named_by
from source_asana.reading.exports.export_file import ExportFile
from source_asana.reading.exports.held_visits import HeldVisits
from source_asana.reading.exports.kept_exports import KeptExport
from source_asana.reading.findings import ExportWrong
from source_asana.reading.listing import Listing
from source_asana.reading.shortcuts.evidence import Evidence, Terms
from source_asana.reading.visits import Visit
from source_asana.streams.sources import StreamClass
from source_asana.streams.values import Record

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


class Stage(Enum):
    """Where an export stands."""

    GATHERING = auto()
    """Visits wait until there are enough for an export."""

    BEGUN = auto()
    """They wait for the file."""

    READY = auto()
    """The file is there."""

    OVER = auto()
    """All requests are made."""


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


@dataclass
class Timing:
    """Seconds of the walk's clock: when an export was begun, and when it is asked for next.

    `is_busy`: a worker is about it.
    """

    begun_at: float = 0.0
    next_at: float = 0.0
    pause: float = 0.0
    idle_since: float | None = None
    is_busy: bool = False


class Export:
    """The export of one workspace. Not safe for several threads.

    `known`: the containers whose events were read before the job was begun. `former`: the export of
    a former sync that is used instead, so that it is older than these. `blocker`: the job of a
    former sync that is of no use, and must end before a new one begins.
    """

    def __init__(
        self, workspace: Container, listings: Collection[Listing], limits: ExportLimits
    ) -> None:
        self.workspace = workspace
        self.stage = Stage.GATHERING
        self.limits = limits
        self.held, self.taken = HeldVisits(), HeldVisits()
        self.evidence = {listing: Evidence(limits.terms) for listing in listings}
        self.known: frozenset[Container] = frozenset()
        self.former: KeptExport | None = None
        self.wish = Wish(())
        self.timing = Timing()
        self.job: str | None = None
        self.blocker: str | None = None
        self.tries = 0
        self.file: ExportFile | None = None
        self._tasks: Counter[Listing] = Counter()
        self._proved: Counter[Listing] = Counter()
        self._named: set[str] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether visits wait for the file."""
        return self.stage in (Stage.GATHERING, Stage.BEGUN)

    def hold(self, visit: Visit) -> bool:
        """Let a visit wait, if that makes sense."""
        if not self.is_waiting or (self.stage is Stage.BEGUN and not self._is_known(visit)):
            return False
        is_held = self.held.add(visit)
        self._tasks[visit.listing] += is_held
        return is_held

    def is_worth_it(self) -> bool:
        """Whether enough tasks wait."""
        return max(self._tasks.values(), default=0) >= self.limits.least_tasks

    def held_since(self, streams: Collection[StreamClass]) -> str | None:
        """The earliest mark of the containers in which visits wait.

        None if enough for an export wait in containers that have no marks: they need older tasks.
        """
        times: list[str] = []
        unmarked = 0
        for container, visits in self.held.by_container().items():
            marks = [time for s, time in container.need.since.items() if s in streams]
            known = [time for time in marks if time]
            times += known
            unmarked += visits if len(known) < len(marks) else 0
        is_whole = unmarked >= self.limits.least_tasks
        return None if is_whole else min(times, default=None)

    def begin(
        self, known: frozenset[Container], wish: Wish, former: KeptExport | None, now: float
    ) -> None:
        """Note that a job is asked for now, or that a former one is used."""
        self.stage = Stage.BEGUN
        self.known, self.wish, self.former = known, wish, former
        self.timing = Timing(now, now, self.limits.first_pause)

    def is_due(self, now: float) -> bool:
        """Whether to ask for the job now; if so, one worker does."""
        is_due = not self.timing.is_busy and now >= self.timing.next_at
        self.timing.is_busy |= is_due
        return is_due

    def wait(self, now: float) -> None:
        """Note that the job is not done, so that it is asked for later."""
        timing = self.timing
        timing.is_busy = False
        timing.next_at = now + timing.pause
        timing.pause = min(timing.pause * PAUSE_FACTOR, self.limits.longest_pause)

    def is_late(self, now: float, *, is_idle: bool) -> bool:
        """Whether waiting takes longer than it may. `is_idle`: nothing else is left to do."""
        timing = self.timing
        timing.idle_since = (timing.idle_since or now) if is_idle else None
        if now - timing.begun_at > self.limits.most_seconds:
            return True
        per_second = self.limits.requests_per_minute / SECONDS_PER_MINUTE
        return timing.idle_since is not None and (
            now - timing.idle_since > len(self.held) / per_second
        )

    def covers(self, visit: Visit, incremental: Collection[StreamClass]) -> bool:
        """Whether the file is as new for a visit as marks will say afterwards.

        A file of a former sync is, if the refresh that it belongs to goes on, or if events tell
        what has changed since.
        """
        if self.former is None:
            return self._is_known(visit)
        streams = visit.need.feeds(visit.listing) if visit.need else []
        if not any(stream in incremental for stream in streams):
            return True
        events = visit.container.workspace_events
        has_events = events is not None and self.former.token in events.events
        return self._is_known(visit) and has_events

    def _is_known(self, visit: Visit) -> bool:
        return visit.container in self.known

    def is_untouched(self, visit: Visit, records: Collection[Record]) -> bool:
        """Whether the events since an export of a former sync name neither a task nor its records.

        An edited comment is named without its task.
        """
        events = self.workspace.events
        if self.former is None or events is None:
            return True
        if self._named is None:
            self._named = gids_named_by(events.events.get(str(self.former.token), ()))
        return self._named.isdisjoint({str(visit.gid), *(record["gid"] for record in records)})

    def must_check(self, visit: Visit, records: int) -> bool:
        """Whether to make the request of a visit of which the file has so many records.

        At first, as many lists that are not empty have to agree: empty ones prove little.
        """
        if records >= self.limits.long_list:
            return True
        is_early = records > 0 and self._proved[visit.listing] < self.limits.terms.first
        return self.evidence[visit.listing].must_check(str(visit.gid)) or is_early

    def agrees(self, visit: Visit, records: int) -> None:
        """Note that a check found no difference."""
        self.evidence[visit.listing].agrees()
        self._proved[visit.listing] += records > 0

    def took(self, visit: Visit) -> list[Visit]:
        """Note that the records of a visit came from the file; what to do again if it is wrong."""
        need = visit.need
        visit.container.exported |= set(need.feeds(visit.listing)) if need else set()
        if self.stage is Stage.READY:
            self.taken.add(visit)
            return []
        again = visit._replace(is_again=True, claim=None)
        self.held.add(again)
        return [again]

    def disagrees(self, visit: Visit) -> ExportWrong | None:
        """Note that a check found a difference: all that was taken is done again."""
        self.evidence[visit.listing].disagrees()
        if self.stage is not Stage.READY:
            return None
        self.stage = Stage.OVER
        self.held.take_over(self.taken.again())
        return ExportWrong(visit, self.workspace.gid, len(self.taken))


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
