"""One walk over the account with a pool of workers: the only module that starts threads.

Workers read visits and put what they find into a bounded channel; the main
thread iterates over `Walk.findings` and takes it out. One lock guards the account, the schedule
and the memory of what was seen.
"""

import threading
from collections.abc import Callable, Generator, Iterator

from source_asana.asana.errors import NoThread
from source_asana.asana.rate_limit import Stopped
from source_asana.reading.account import Account
from source_asana.reading.channel import Channel
from source_asana.reading.exports.exports import Errand, Exports
from source_asana.reading.exports.steps import ExportSteps
from source_asana.reading.files.downloads import THREADS as DOWNLOADS_AT_ONCE
from source_asana.reading.files.downloads import Downloads
from source_asana.reading.findings import ContainerEnd, Ends, Finding, ListingEnd, VisitEnd
from source_asana.reading.listing import Listing
from source_asana.reading.marks import Evident
from source_asana.reading.outbox import Outbox
from source_asana.reading.reader import Reader
from source_asana.reading.schedule import Schedule
from source_asana.reading.seen import Seen
from source_asana.reading.shortcuts.claims import Claims
from source_asana.reading.shortcuts.shortcuts import Shortcuts
from source_asana.reading.visits import Visit
from source_asana.reading.worker import Worker
from source_asana.streams.sources import PROJECT, StreamClass


class Walk:
    """One walk over the account.

    A page comes before the end of its visit, the end of a visit before that of its container and
    of its listing. Each record comes once for each stream, and its children are visited once,
    however many listings show it.
    """

    def __init__(
        self,
        account: Account,
        reader: Reader,
        shortcuts: Shortcuts,
        exports: Exports,
        steps: ExportSteps,
        *,
        workers: int,
        downloads: Downloads | None = None,
        idle_seconds: float = 1.0,
    ) -> None:
        self._account = account
        self._workers = workers
        self._changed = threading.Condition()
        self._channel = Channel(idle_seconds)
        self._downloads = downloads
        seen = Seen()
        self._steps = steps
        may_begin_files = downloads.may_begin if downloads else lambda: True
        self._schedule = Schedule(account, seen, exports, self._changed.notify, may_begin_files)
        outbox = Outbox(self._channel, downloads)
        self._shortcuts = shortcuts
        claims = Claims(shortcuts, self._schedule, seen, outbox, self._changed)
        self._worker = Worker(
            account, reader, self._schedule, seen, claims, exports, outbox, self._changed
        )
        self._is_stopped = False

    def findings(self) -> Generator[Finding]:
        """What is found, until everything is visited or the caller stops iterating."""
        with self._changed:
            self._schedule.open(self._account.first())
        try:
            self._start_workers()
            yield from self._until_done()
        finally:
            self._stop()

    def give_up(self, listing: Listing) -> None:
        """Stop asking for a listing: what is left of its visits ends as GivenUp."""
        self._worker.given_up.add(listing)

    def evidence(self, stream: StreamClass, *, is_made_good: bool) -> Evident:
        """What is known of shortcuts to a stream; see `Shortcuts.numbers`."""
        with self._changed:
            return self._shortcuts.numbers(stream, is_made_good=is_made_good)

    def open_projects(self) -> int:
        """How many projects are under way."""
        with self._changed:
            return self._schedule.open_projects()

    def _start_workers(self) -> None:
        """Start as many as wanted, or as the machine allows. Raises NoThread if it allows none."""
        if self._downloads:
            _start(self._downloads.work, DOWNLOADS_AT_ONCE)
        _start(self._work, self._workers)

    def _work(self) -> None:
        try:
            while (task := self._next()) is not None:
                if isinstance(task, Errand):
                    self._run(task)
                    continue
                self._worker.carry_out(task)
                if task.listing.has_files:
                    with self._changed:
                        self._schedule.wake_held()
        except Stopped:
            return

    def _next(self) -> Visit | Errand | None:
        with self._changed:
            while not self._is_stopped:
                if task := self._schedule.next():
                    return task
                self._changed.wait(self._schedule.seconds_to_wait())
        return None

    def _run(self, errand: Errand) -> None:
        """Do something for an export; then what has waited for it may go."""
        news = self._steps.carry_out(errand)
        if news:
            self._channel.put(news)
        with self._changed:
            self._changed.notify_all()

    def _until_done(self) -> Iterator[Finding]:
        unfinished = list(self._account.plan.listings)
        yield from self._ended_listings(unfinished)
        while unfinished:
            finding = self._channel.take()
            yield finding
            self._channel.consumed(finding)
            if isinstance(finding, Ends):
                yield from self._close(finding.visit)
                yield from self._ended_listings(unfinished)

    def _close(self, visit: Visit) -> Iterator[Finding]:
        """The ends that come with the end of a visit."""
        with self._changed:
            ended = self._schedule.close(visit)
            pointless = self._schedule.put_aside_to_repeat() or []
        yield from map(ContainerEnd, ended)
        for put in pointless:
            yield VisitEnd(put.visit, put.refusal)

    def _ended_listings(self, unfinished: list[Listing]) -> Iterator[ListingEnd]:
        with self._changed:
            ends = [self._end_of(listing) for listing in self._schedule.ended_listings(unfinished)]
        yield from ends

    def _end_of(self, listing: Listing) -> ListingEnd:
        if listing.is_lookup:
            return ListingEnd(listing)
        unlisted = self._account.unlisted if listing.stream.container == PROJECT else None
        return ListingEnd(listing, self._account.found(listing.stream), unlisted)

    def _stop(self) -> None:
        self._channel.stop()
        if self._downloads:
            self._downloads.stop()
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        self._schedule.end()


def _start(work: Callable[[], None], wanted: int) -> None:
    for number in range(wanted):
        try:
            threading.Thread(target=work, daemon=True).start()
        except RuntimeError:
            if not number:
                raise NoThread from None
            return
