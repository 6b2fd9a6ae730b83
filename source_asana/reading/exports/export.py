"""The export of one workspace: where it stands, what waits for it, what came from it. Pure."""

from collections import Counter
from collections.abc import Collection
from enum import Enum, auto

from source_asana.reading.container import Container
from source_asana.reading.exports.checks import Checks
from source_asana.reading.exports.doubts import gids_named_by
from source_asana.reading.exports.export_file import ExportFile
from source_asana.reading.exports.held_visits import HeldVisits
from source_asana.reading.exports.job import ExportLimits, Job
from source_asana.reading.findings import ExportWrong
from source_asana.reading.listing import Listing
from source_asana.reading.visits import Visit
from source_asana.streams.sources import StreamClass
from source_asana.streams.values import Record


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


class Export:
    """The export of one workspace. Not safe for several threads.

    `job`: what makes it, once enough visits wait. `file`: what has come of it. `held`: the visits
    that wait for the file, or must be done again. `taken`: those that the file has answered.
    """

    def __init__(
        self, workspace: Container, listings: Collection[Listing], limits: ExportLimits
    ) -> None:
        self.workspace = workspace
        self.stage = Stage.GATHERING
        self.limits = limits
        self.held, self.taken = HeldVisits(), HeldVisits()
        self.checks = Checks(listings, limits)
        self.job: Job | None = None
        self.file: ExportFile | None = None
        self._tasks: Counter[Listing] = Counter()
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

    def begin(self, job: Job) -> None:
        """Note that a job is asked for now, or that a former one is used."""
        self.stage, self.job = Stage.BEGUN, job

    def begun_job(self) -> Job | None:
        """The job for which visits wait now."""
        return self.job if self.stage is Stage.BEGUN else None

    def is_late(self, now: float, *, is_idle: bool) -> bool:
        """Whether waiting takes longer than it may. `is_idle`: nothing else is left to do."""
        job = self.begun_job()
        return job is not None and job.is_late(now, self.limits, len(self.held), is_idle=is_idle)

    def covers(self, visit: Visit, incremental: Collection[StreamClass]) -> bool:
        """Whether the file is as new for a visit as marks will say afterwards.

        A file of a former sync is, if the refresh that it belongs to goes on, or if events tell
        what has changed since.
        """
        former = self.job.former if self.job else None
        if former is None:
            return self._is_known(visit)
        streams = visit.need.feeds(visit.listing) if visit.need else []
        if not any(stream in incremental for stream in streams):
            return True
        events = visit.container.workspace_events
        has_events = events is not None and former.token in events.events
        return self._is_known(visit) and has_events

    def _is_known(self, visit: Visit) -> bool:
        return self.job is not None and visit.container in self.job.known

    def is_untouched(self, visit: Visit, records: Collection[Record]) -> bool:
        """Whether the events since an export of a former sync name neither a task nor its records.

        An edited comment is named without its task.
        """
        events, former = self.workspace.events, self.job.former if self.job else None
        if former is None or events is None:
            return True
        if self._named is None:
            self._named = gids_named_by(events.events.get(str(former.token), ()))
        return self._named.isdisjoint({str(visit.gid), *(record["gid"] for record in records)})

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
        self.checks.disagrees(visit)
        if self.stage is not Stage.READY:
            return None
        self.stage = Stage.OVER
        self.held.take_over(self.taken.again())
        return ExportWrong(visit, self.workspace.gid, len(self.taken))
