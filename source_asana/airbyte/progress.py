"""What the user sees meanwhile: progress lines, and a summary at the end."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from source_asana.airbyte.outcome import Tally, advice_on
from source_asana.asana.errors import Refusal
from source_asana.asana.observed import Observed
from source_asana.reading.oddities import Oddities, Oddity
from source_asana.reading.plan import Listing
from source_asana.reading.unlisted import Fate
from source_asana.reading.visits import DEEPEST_LEVEL, Visit

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_LOOKS = 1.0
MOST_WARNINGS = 10
"""Skipped objects that are named for each listing; the summary counts all of them."""


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("s" if number != 1 else "")


@dataclass(frozen=True)
class HowFar:
    """How far a sync is, in numbers. More projects become known while they are listed."""

    requests: int
    records: int
    projects_done: int
    projects_known: int
    seconds_to_wait: float


class Progress:
    """Counts what comes and goes, and says so in the log."""

    def __init__(
        self,
        logger: logging.Logger,
        requests: Mapping[str, int],
        seconds_to_wait: Callable[[], float],
        open_projects: Callable[[], int],
        observed: Observed | None = None,
        oddities: Oddities | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logger = logger
        self._requests = requests
        self._seconds_to_wait = seconds_to_wait
        self._open_projects = open_projects
        self._observed = observed or Observed()
        self._oddities = oddities or Oddities()
        self._clock = clock
        self._started = clock()
        self._last_line = self._started
        self._last_look = self._started
        self._records: Counter[str] = Counter()
        self._seconds: dict[str, float] = {}
        self._projects_done = 0
        self._events_lost = 0
        self._skipped: Counter[Listing] = Counter()

    def records(self, stream: str, count: int) -> None:
        """Count records of a stream."""
        self._records[stream] += count

    def absent(self, kind: str, gid: str) -> None:
        """Name what the config names and Asana does not show."""
        self._logger.warning("%s %s not found or not shared with this token", kind, gid)

    def reads_nothing(self, stream: str, *, is_incremental_only: bool) -> None:
        """Say why a stream has no records in this sync."""
        if is_incremental_only:
            self._logger.warning(
                "%s: a full refresh has none, for they are what happens between two syncs", stream
            )
        else:
            self._logger.warning("%s: none are read, for include_subtasks is off", stream)

    def project_ended(self) -> None:
        """Count a project with everything below it."""
        self._projects_done += 1

    def events_lost(self, project: str) -> None:
        """Name a project whose events since the last sync are unknown."""
        self._events_lost += 1
        if self._events_lost <= MOST_WARNINGS:
            self._logger.warning(
                "events: those of project %s since the last sync cannot be had any more; its tasks "
                "and subtasks are read in full, but what was deleted meanwhile stays unknown",
                project,
            )

    def events_missing(self, project: str, tasks: int, *, is_read_again: bool) -> None:
        """Say that tasks of a project have changed without an event, and what is done about it."""
        tasks_changed = _counted(tasks, "changed task")
        reading = "the sync reads all its tasks and subtasks"
        if not is_read_again:
            reading = "all its tasks and subtasks were read less than a day ago"
        self._logger.warning(
            "events: project %s has %s that no event names, so Asana has probably lost events; %s. "
            "Edited comments and deletions may be missing: refresh the streams from time to time",
            project,
            tasks_changed,
            reading,
        )

    def unlisted(self, fates: Mapping[Fate, int], projects: int) -> None:
        """Count the projects of the last sync that are not listed, by what has become of them."""
        unproved = fates.get(Fate.KEPT, 0) + fates.get(Fate.HIDDEN, 0)
        if not unproved:
            return
        self._logger.warning(
            "projects: %s of %s projects of the last sync are no longer listed, and nothing proves "
            "that they were deleted: their rows and their state are kept. Check that the token's "
            "user still has access",
            f"{unproved:,}",
            f"{projects:,}",
        )

    def unanswered(self, visit: Visit, error: Exception | None) -> None:
        """Say that it is unknown what has become of a project that is not listed."""
        if error is not None:
            self._logger.warning("projects: whether %s was deleted: %s", visit.gid, error)

    def skipped(self, visit: Visit, refusal: Refusal) -> None:
        """Name an object that Asana refuses, unless many of its listing were named before."""
        self._skipped[visit.listing] += 1
        times = self._skipped[visit.listing]
        if times <= MOST_WARNINGS:
            self._logger.warning(
                "%s: %s skipped, for Asana says %s (%s)",
                visit.listing.name,
                visit.listing.place(visit.gid),
                refusal.status,
                refusal.message,
            )
        if times == MOST_WARNINGS:
            self._logger.warning(
                "%s: the next ones that are skipped are only counted", visit.listing.name
            )

    def failed(self, visit: Visit, error: Exception) -> None:
        """Name an object that could not be read."""
        self._logger.error(
            "%s: %s could not be read: %s",
            visit.listing.name,
            visit.listing.place(visit.gid),
            error,
        )

    def gives_up(self, listing: Listing) -> None:
        """Say that a listing is not asked for any more."""
        self._logger.error(
            "%s: not asked for any more in this sync, after many failures in a row", listing.name
        )

    def done_without(self, stream: str, source: str) -> None:
        """Say that a stream lacks what Asana refuses to show of one of its sources."""
        self._logger.warning("%s: without those of %s, which Asana refuses", stream, source)

    def waits(self, seconds: float) -> None:
        """Say that Asana's quota is spent."""
        self._logger.info("Asana's quota is spent: every request waits for %.0f s", seconds)

    def ended(self, stream: str) -> None:
        """Note that a stream has had its last record."""
        self._seconds[stream] = self._clock() - self._started

    def how_far(self) -> HowFar:
        """Count what there is so far."""
        return HowFar(
            requests=sum(self._requests.values()),
            records=self._records.total(),
            projects_done=self._projects_done,
            projects_known=self._projects_done + self._open_projects(),
            seconds_to_wait=self._seconds_to_wait(),
        )

    def line_when_due(self) -> None:
        """Say how far the sync is: in words every ten seconds, in numbers for programs each."""
        now = self._clock()
        if now - self._last_look >= SECONDS_BETWEEN_LOOKS:
            self._last_look = now
            self._tell_programs()
        if now - self._last_line < SECONDS_BETWEEN_LINES:
            return
        self._last_line = now
        requests = sum(self._requests.values())
        elapsed = now - self._started
        line = (
            f"{requests:,} requests ({60 * requests / elapsed:,.0f} a minute), "
            f"{self._records.total():,} records"
        )
        if known := self._projects_done + self._open_projects():
            line += f", {self._projects_done:,} of {known:,} projects known so far are done"
        if (wait := self._seconds_to_wait()) >= 1:
            line += f"; waiting {wait:.0f} s, as Asana asks"
        self._logger.info(line)

    def _tell_programs(self) -> None:
        """Log the numbers as the attribute `progress` of a debug line."""
        if self._logger.isEnabledFor(logging.DEBUG):
            self._logger.debug("progress", extra={"progress": asdict(self.how_far())})

    def summary(self, tallies: Mapping[Listing, Tally]) -> None:
        """Say what each stream had, what was walked for others, and what was skipped and why."""
        self._tell_observed()
        self._tell_programs()
        if self._events_lost > MOST_WARNINGS:
            self._logger.warning("events: lost for %s projects in all", f"{self._events_lost:,}")
        self._tell_oddities()
        for listing, tally in tallies.items():
            if listing.path == listing.stream.path():  # what is read by gid counts with its listing
                self._tell(listing)
            if tally.gone:
                self._logger.info(
                    "%s: %s skipped, because what it belongs to is no longer there",
                    listing.name,
                    f"{tally.gone:,}",
                )
            if tally.refused:
                reasons = ", ".join(f"{n} times {status}" for status, n in tally.refused.items())
                self._logger.warning(
                    "%s: %s of %s skipped (%s). %s",
                    listing.name,
                    f"{tally.refused.total():,}",
                    f"{tally.visits:,}",
                    reasons,
                    " ".join(advice_on(status) for status in tally.refused),
                )

    def _tell_observed(self) -> None:
        """Say what Asana's answers had besides the records."""
        if texts := self._observed.nul_strings:
            self._logger.warning(
                "Removed the character U+0000 from %s, since most databases cannot store it",
                "1 text" if texts == 1 else f"{texts:,} texts",
            )
        for change in self._observed.announced_changes:
            self._logger.info("Asana announces a change to its API: %s", change)

    def _tell_oddities(self) -> None:
        for name, times in self._oddities.of(Oddity.ENTRY_LEFT_OUT).items():
            self._logger.warning(
                "%s: left out %s without a usable gid", name, _counted(times, "item")
            )
        for name, times in self._oddities.of(Oddity.TOO_DEEP).items():
            self._logger.warning(
                "%s: did not go deeper than %s levels below %s",
                name,
                DEEPEST_LEVEL,
                _counted(times, "task"),
            )
        for name, times in self._oddities.of(Oddity.UNREADABLE_EVENT).items():
            self._logger.warning(
                "%s: %s did not say what happened, or to what, so the tasks and subtasks of the "
                "project were read in full",
                name,
                _counted(times, "event"),
            )
        for name in self._oddities.of(Oddity.OWNER_DEMANDED):
            self._logger.warning(
                "%s: Asana demands an owner here, so only those of the token's own user were read",
                name,
            )

    def _tell(self, listing: Listing) -> None:
        """Say what the streams of a listing had; if none is selected, what it has cost."""
        requests = self._requests.get(listing.name, 0)
        streams = [o.stream for o in listing.outputs if o.stream.carrier().path() == listing.path]
        for stream in streams:
            name = stream.stream_name()
            self._logger.info(
                "%s: %s records, %s requests, %.1f s",
                name,
                f"{self._records[name]:,}",
                f"{requests:,}",
                self._seconds.get(name, 0.0),
                extra={
                    "summary": {
                        "stream": name,
                        "requests": requests,
                        "records": self._records[name],
                        "seconds": self._seconds.get(name, 0.0),
                    }
                },
            )
            requests = 0  # a listing that several streams share was requested once
        if not streams:
            self._logger.info(
                "on the way: %s, %s requests",
                listing.name,
                f"{requests:,}",
                extra={"summary": {"stream": listing.name, "requests": requests}},
            )
