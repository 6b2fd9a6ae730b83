"""What the log says of a sync: what was skipped, lost or refused, and a summary at the end."""

import logging
from collections import Counter
from collections.abc import Mapping

from source_asana.airbyte.export_log import ExportLog
from source_asana.airbyte.file_log import FileLog
from source_asana.airbyte.outcome import Tally, advice_on
from source_asana.airbyte.progress import Progress
from source_asana.airbyte.wording import counted
from source_asana.asana.errors import Refusal
from source_asana.asana.observed import Observed
from source_asana.reading.findings import ClaimsWrong
from source_asana.reading.listing import Listing
from source_asana.reading.oddities import Oddities, Oddity
from source_asana.reading.shortcuts.shortcuts import Shortcuts
from source_asana.reading.unlisted import Fate
from source_asana.reading.visits import DEEPEST_LEVEL, Visit

MAX_WARNINGS = 10
"""Skipped objects that are named for each listing; the summary counts all of them."""


class SyncLog:
    """Logs what happens to objects and streams. `observed`: what Asana's answers told."""

    def __init__(
        self,
        logger: logging.Logger,
        progress: Progress,
        observed: Observed | None = None,
        oddities: Oddities | None = None,
        shortcuts: Shortcuts | None = None,
        exports: ExportLog | None = None,
    ) -> None:
        self._logger = logger
        self._progress = progress
        self._observed = observed or Observed()
        self._oddities = oddities or Oddities()
        self._shortcuts = shortcuts
        self.exports = exports or ExportLog(logger)
        self._seconds: dict[str, float] = {}
        self._events_lost = 0
        self._skipped: Counter[Listing] = Counter()
        self.files = FileLog(logger)

    def absent(self, kind: str, gid: str) -> None:
        """Name what the config names and Asana does not show."""
        self._logger.warning("%s %s not found or not shared with this token", kind, gid)

    def reads_nothing(self, stream: str, *, is_incremental_only: bool) -> None:
        """Say why a stream has no records in this sync."""
        if is_incremental_only:
            self._logger.warning(
                "%s: nothing to read in a full refresh; %s exist only between incremental syncs",
                stream,
                stream,
            )
        else:
            self._logger.warning("%s: nothing to read because include_subtasks is off", stream)

    def events_lost(self, project: str) -> None:
        """Name a project whose events since the last sync are unknown."""
        self._events_lost += 1
        if self._events_lost <= MAX_WARNINGS:
            self._logger.warning(
                "events: Asana no longer has the events of project %s since the last sync. The "
                "sync reads all its tasks and subtasks, but cannot see what was deleted",
                project,
            )

    def events_missing(self, project: str, tasks: int, *, is_read_again: bool) -> None:
        """Say that tasks of a project changed without an event, and what the sync does then."""
        reading = "the sync reads all its tasks and subtasks"
        if not is_read_again:
            reading = "a sync read all its tasks and subtasks less than a day ago"
        self._logger.warning(
            "events: project %s has %s without an event, so Asana probably lost events; %s. "
            "Edited comments and deletions may be missing: refresh the streams from time to time",
            project,
            counted(tasks, "changed task"),
            reading,
        )

    def claims_wrong(self, found: ClaimsWrong) -> None:
        """Say that a shortcut has proved wrong, and what the sync does then."""
        listing = found.visit.listing
        self._logger.warning(
            "%s: Asana's task list shows none for %s, but it has some. Syncs no longer skip "
            "requests, and this one makes up for %s",
            listing.name,
            listing.place(found.visit.gid),
            counted(found.skipped, "request"),
        )
        if found.skipped_before:
            self._logger.warning(
                "%s: former syncs skipped %s for the same reason, so the next sync reads all again",
                listing.name,
                counted(found.skipped_before, "request"),
            )

    def unlisted(self, fates: Mapping[Fate, int], projects: int) -> None:
        """Count the projects of the last sync that are no longer listed and may still exist."""
        unproved = fates.get(Fate.KEPT, 0) + fates.get(Fate.HIDDEN, 0)
        if unproved:
            self._logger.warning(
                "projects: %s of %s projects of the last sync are no longer listed, but nothing "
                "proves that they were deleted. Their rows and state stay. Check that the token's "
                "user still has access",
                f"{unproved:,}",
                f"{projects:,}",
            )

    def unanswered(self, visit: Visit, error: Exception | None) -> None:
        """Say that nothing is known of a project that is no longer listed."""
        if error is not None:
            self._logger.warning(
                "projects: cannot tell whether %s was deleted: %s", visit.gid, error
            )

    def skipped(self, visit: Visit, refusal: Refusal) -> None:
        """Name an object that Asana refuses, unless many of its listing were named before."""
        self._skipped[visit.listing] += 1
        times = self._skipped[visit.listing]
        if times <= MAX_WARNINGS:
            self._logger.warning(
                "%s: skipped %s (%s from Asana: %s)",
                visit.listing.name,
                visit.listing.place(visit.gid),
                refusal.status,
                refusal.message,
            )
        if times == MAX_WARNINGS:
            self._logger.warning("%s: further skipped objects are counted only", visit.listing.name)

    def failed(self, visit: Visit, error: Exception) -> None:
        """Name an object that could not be read."""
        place = visit.listing.place(visit.gid)
        self._logger.error("%s: cannot read %s: %s", visit.listing.name, place, error)

    def gives_up(self, listing: Listing) -> None:
        """Say that the sync does not ask for the rest of a listing."""
        self._logger.error("%s: the sync stops requesting it after repeated failures", listing.name)

    def done_without(self, stream: str, source: str) -> None:
        """Say that a stream lacks what Asana refuses to show of one of its sources."""
        self._logger.warning("%s: without the records of %s, which Asana refuses", stream, source)

    def pauses(self, seconds: float) -> None:
        """Say that Asana's rate limit is reached."""
        self._logger.info("Asana rate limit reached; pausing %.0f s", seconds)

    def ended(self, stream: str) -> None:
        """Note that a stream has had its last record."""
        self._seconds[stream] = self._progress.elapsed()

    def summary(self, tallies: Mapping[Listing, Tally]) -> None:
        """Say what each stream had, what was requested for others, what was skipped and why."""
        self._log_observed()
        self._progress.log_numbers()
        if self._events_lost > MAX_WARNINGS:
            self._logger.warning("events: lost for %s projects in total", f"{self._events_lost:,}")
        _log_oddities(self._logger, self._oddities)
        self.exports.summary()
        self.files.summary()
        for listing, tally in tallies.items():
            if listing.path == listing.stream.path():  # lookups count with the list
                self._log_streams(listing)
            _log_tally(self._logger, listing, tally)
            _log_shortcut(self._logger, listing, self._shortcuts)

    def _log_observed(self) -> None:
        """Log what Asana's answers told besides the records."""
        if texts := self._observed.nul_strings:
            self._logger.warning(
                "Removed the character U+0000 from %s because most databases cannot store it",
                counted(texts, "text"),
            )
        for change in self._observed.announced_changes:
            self._logger.info("Asana announces a change to its API: %s", change)

    def _log_streams(self, listing: Listing) -> None:
        """Log what the streams of a listing had; if none is selected, what it cost."""
        requests = self._observed.sent.get(listing.name, 0)
        streams = [o.stream for o in listing.outputs if o.stream.carrier().path() == listing.path]
        for stream in streams:
            name = stream.stream_name()
            records, seconds = self._progress.records[name], self._seconds.get(name, 0.0)
            summary = {
                "stream": name,
                "requests": requests,
                "records": records,
                "seconds": seconds,
            }
            self._logger.info(
                "%s: %s, %s, %.1f s",
                name,
                counted(records, "record"),
                counted(requests, "request"),
                seconds,
                extra={"summary": summary},
            )
            requests = 0  # a listing that several streams share was requested once
        if not streams:
            self._logger.info(
                "on the way: %s, %s",
                listing.name,
                counted(requests, "request"),
                extra={"summary": {"stream": listing.name, "requests": requests}},
            )


def _log_tally(logger: logging.Logger, listing: Listing, tally: Tally) -> None:
    """Count what was skipped of a listing."""
    if tally.gone:
        gone = counted(tally.gone, "request")
        logger.info("%s: skipped %s because the parent no longer exists", listing.name, gone)
    if tally.refused:
        logger.warning(
            "%s: skipped %s of %s (%s). %s",
            listing.name,
            f"{tally.refused.total():,}",
            counted(tally.visits, "request"),
            ", ".join(f"{number:,} with {status}" for status, number in tally.refused.items()),
            " ".join(advice_on(status) for status in tally.refused),
        )


def _log_oddities(logger: logging.Logger, oddities: Oddities) -> None:
    """Say what Asana sent and the sync could not use."""
    for name, times in oddities.of(Oddity.ENTRY_LEFT_OUT).items():
        left_out = counted(times, "item")
        logger.warning("%s: left out %s without a usable gid", name, left_out)
    for name, times in oddities.of(Oddity.TOO_DEEP).items():
        below = counted(times, "task")
        logger.warning("%s: stopped after %s levels below %s", name, DEEPEST_LEVEL, below)
    for name, times in oddities.of(Oddity.UNREADABLE_EVENT).items():
        logger.warning(
            "%s: %s did not say what happened, or to what, so the sync read all tasks and "
            "subtasks of the project",
            name,
            counted(times, "event"),
        )
    for name in oddities.of(Oddity.OWNER_DEMANDED):
        logger.warning(
            "%s: Asana requires an owner here, so the sync read only those of the token's user",
            name,
        )


def _log_shortcut(logger: logging.Logger, listing: Listing, shortcuts: Shortcuts | None) -> None:
    """Say how many requests were skipped because parents claim that there is nothing."""
    evidence = shortcuts.of(listing) if shortcuts and listing.hint else None
    if evidence is not None:
        logger.info(
            "%s: skipped %s, checked %s",
            listing.name,
            counted(evidence.trusted, "request"),
            f"{evidence.checked:,}",
        )
