"""The exports of one sync: when to begin one, which visits wait for it, and what it answers.

A visit below a task waits while an export of the workspace may come. When the file is there, each
visit whose task it has as the list shows it gets its records from the file; the others, and some to
check the file, make their request. If a check finds a difference, nothing more comes from the file,
and what came from it is requested after all.
"""

import threading
import time
from collections.abc import Callable, Collection
from enum import Enum, auto
from functools import partial
from typing import NamedTuple

from source_asana.reading.container import Container
from source_asana.reading.exports.export import Export, Stage
from source_asana.reading.exports.exported import (
    NOTHING,
    Again,
    Answer,
    Checked,
    End,
    Requested,
    Taken,
)
from source_asana.reading.exports.job import ExportLimits, Job, Wish, usable_export
from source_asana.reading.listing import Listing, Plan
from source_asana.reading.resumption import Resumption
from source_asana.reading.visits import Visit
from source_asana.streams.sources import WORKSPACE
from source_asana.streams.values import Record

REQUESTED = Requested()


class Step(Enum):
    """What a worker does for an export."""

    ASK = auto()
    """Ask for its job, and read the file when it is there."""

    SAY_LATE = auto()
    LET_GO = auto()
    """Nothing: it is not begun, but visits have waited for it."""


class Errand(NamedTuple):
    """Something to do for an export, beside all visits."""

    export: Export
    step: Step


class Exports:
    """The exports of all workspaces. Safe for many threads.

    `is_current`: whether nothing tells that the task of a visit, or these records below it, have
    changed since the export. `mark`: the mark of what is requested now. `clock`: seconds that only
    grow.
    """

    def __init__(
        self,
        plan: Plan,
        resumption: Resumption,
        limits: ExportLimits,
        *,
        is_on: bool,
        is_current: Callable[[Visit, Collection[str]], bool],
        mark: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        exported = (at for at in plan.listings if at.pages and at.pages.exported_as)
        self.listings = frozenset(exported if is_on else ())
        """The listings below tasks whose records an export has."""
        self.streams = frozenset(o.stream for listing in self.listings for o in listing.outputs)
        """The selected streams of these listings."""
        self._resumption = resumption
        self._limits = limits
        self._is_current = is_current
        self._mark = mark
        self._clock = clock
        self._incremental = frozenset(
            stream for stream in self.streams if resumption.is_incremental([stream])
        )
        self.lock = threading.Lock()
        self._exports: dict[Container, Export] = {}

    def hold(self, visit: Visit) -> bool:
        """Let a visit wait until `pop` returns it, if an export may have its records."""
        if visit.listing not in self.listings or not visit.is_below_task:
            return False
        workspace = _workspace_of(visit.container)
        if workspace is None or visit.modified_at is None or visit.is_again:
            return False
        with self.lock:
            export = self._exports.get(workspace)
            if export is None:
                export = Export(workspace, self.listings, self._limits)
                self._exports[workspace] = export
            return export.hold(visit)

    def pop(self) -> Visit | None:
        """A visit that waits no longer."""
        with self.lock:
            free = (export for export in self._exports.values() if not export.is_waiting)
            return next((visit for export in free if (visit := export.held.pop())), None)

    @property
    def is_waiting(self) -> bool:
        """Whether visits wait for a file."""
        return any(e.is_waiting and len(e.held) for e in list(self._exports.values()))

    def held(self) -> int:
        """How many visits wait, or must be done again."""
        with self.lock:
            return sum(len(export.held) for export in self._exports.values())

    def due(
        self, known: Callable[[], Collection[Container] | None], is_idle: Callable[[], bool]
    ) -> Errand | None:
        """What a worker has to do now for an export.

        `known`: the containers, if all are found and their events are read.
        `is_idle`: whether nothing is left to do but what waits.
        """
        for export in [export for export in self._exports.values() if export.is_waiting]:
            errand = self._due(export, known, is_idle=is_idle())
            if errand is not None:
                return errand
        return None

    def _due(
        self, export: Export, known: Callable[[], Collection[Container] | None], *, is_idle: bool
    ) -> Errand | None:
        with self.lock:
            now = self._clock()
            if export.stage is Stage.GATHERING:
                if export.is_worth_it() and (found := known()) is not None:
                    self._begin(export, found, now)
                elif is_idle:
                    export.stage = Stage.OVER
                    return Errand(export, Step.LET_GO)
            if export.is_late(now, is_idle=is_idle):
                export.stage = Stage.OVER
                return Errand(export, Step.SAY_LATE)
            job = export.begun_job()
            return Errand(export, Step.ASK) if job and job.take_turn(now) else None

    def _begin(self, export: Export, found: Collection[Container], now: float) -> None:
        known = [c for c in found if not self._incremental or is_followed(c)]
        wish = self._wish(export, known)
        kept = self._resumption.exports.get(export.workspace.gid)
        refreshes = not self._incremental
        former = usable_export(kept, wish, export.workspace, self._mark(), is_refresh=refreshes)
        blocker = kept.job if kept and not former else None
        export.begin(Job(frozenset(known), wish, former, blocker, now))

    def _wish(self, export: Export, known: Collection[Container]) -> Wish:
        """The columns of the listings, of the tasks of which something may be new."""
        fields = ["gid", "modified_at"]
        for listing in sorted(self.listings, key=lambda at: at.path):
            wanted = ["gid"] if lacks_columns(listing) else listing.opt_fields.split(",")
            fields += [f"{column_of(listing)}.{name}" for name in wanted]
        bounds = [since] if (since := export.held_since(self.streams)) else []
        bounds += [c.need.start for c in known if c.need.start]
        return Wish(tuple(fields), max(bounds, default=None))

    def seconds_to_wait(self) -> float | None:
        """How long it is until something may be due; None if nothing waits."""
        with self.lock:
            now = self._clock()
            begun = [job for e in self._exports.values() if (job := e.begun_job())]
            return min((job.seconds_to_wait(now, self._limits) for job in begun), default=None)

    def answer(self, visit: Visit) -> Answer:
        """How a visit gets its records."""
        if visit.listing not in self.listings or visit.modified_at is None:
            return REQUESTED
        workspace = _workspace_of(visit.container)
        with self.lock:
            export = self._exports.get(workspace) if workspace else None
        if export is None or export.file is None:
            return REQUESTED
        if visit.is_again:
            return Again(visit.listing, self._records(export, visit) or [])
        with self.lock:
            is_covered = export.stage is Stage.READY and export.covers(visit, self._incremental)
        records = self._records(export, visit) if is_covered else None
        if records is None or (records and lacks_columns(visit.listing)):
            return REQUESTED
        if not export.is_untouched(visit, records):
            return REQUESTED
        return self._trusted_or_checked(export, visit, records)

    def _records(self, export: Export, visit: Visit) -> list[Record] | None:
        """What the file has for a visit; None if it does not have the task as the list shows it."""
        found = export.file.find(str(visit.gid)) if export.file else None
        if found is None or found.modified_at != visit.modified_at:
            return None
        return found.columns[column_of(visit.listing)]

    def _trusted_or_checked(self, export: Export, visit: Visit, records: list[Record]) -> Answer:
        with self.lock:
            if export.stage is not Stage.READY:
                return REQUESTED
            is_checked = export.checks.must_check(visit, len(records))
        if not is_checked:
            return Taken(records, partial(self._took, export, visit))
        return Checked(
            visit.listing,
            records,
            may_lack=len(records) >= self._limits.long_list,
            is_current=partial(self._is_current, visit),
            note=partial(self._checked, export, visit, len(records)),
        )

    def _took(self, export: Export, visit: Visit) -> End:
        with self.lock:
            return End(export.took(visit))

    def _checked(self, export: Export, visit: Visit, records: int, is_right: bool) -> End:  # noqa: FBT001
        with self.lock:
            if is_right:
                export.checks.agrees(visit, records)
                return NOTHING
            news = export.disagrees(visit)
            return End(export.taken.again() if news else (), news)

    def counts(self) -> dict[str, tuple[int, int]]:
        """For each listing how many visits came from files, and how many were checked."""
        counts: dict[str, tuple[int, int]] = {}
        with self.lock:
            exports = list(self._exports.values())
        for export in exports:
            for listing, taken, checked in export.checks.counts():
                others = counts.get(listing.name, (0, 0))
                counts[listing.name] = others[0] + taken, others[1] + checked
        return counts

    def close(self) -> None:
        """Delete the files; one that is being read is deleted when that ends."""
        with self.lock:
            for export in self._exports.values():
                export.stage = Stage.OVER
                if export.file is not None:
                    export.file.close()


def is_followed(container: Container) -> bool:
    """Whether the next sync will know what changes in a container from now on."""
    return container.news.token is not None or container.workspace_events is not None


def column_of(listing: Listing) -> str:
    """The column of a task in the file that holds the records of a listing."""
    return str(listing.pages.exported_as) if listing.pages else ""


def lacks_columns(listing: Listing) -> bool:
    """Whether the file lacks a column that a listing asks for: it tells what is empty only."""
    lacking = listing.pages.not_exported if listing.pages else ()
    return not set(lacking).isdisjoint(listing.opt_fields.split(","))


def _workspace_of(container: Container) -> Container | None:
    found: Container | None = container
    while found is not None and found.kind != WORKSPACE:
        found = found.above
    return found
