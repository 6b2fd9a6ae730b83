"""Carrying out a plan with a pool of workers: the only module that knows about threads.

Workers read listings and put pages into a bounded queue; whoever iterates over `Walk.events` takes
them out, in its own thread. The newest visits come first, so that projects are finished one after
the other and few are open at a time.
"""

import queue
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from source_asana.plan import Listing, Output, Plan, Visit
from source_asana.rate_limit import Stopped
from source_asana.streams import Record

PAGES_PER_WORKER = 2

ReadPages = Callable[[Visit], Iterator[list[Record]]]


@dataclass(frozen=True)
class Page:
    """Records of one selected stream."""

    output: Output
    records: list[Record]


@dataclass(frozen=True)
class VisitEnd:
    """A visit is over; `error` says why it could not be done."""

    visit: Visit
    error: Exception | None


@dataclass(frozen=True)
class ListingEnd:
    """Nothing of this listing is left to visit."""

    listing: Listing


@dataclass(frozen=True)
class ProjectEnd:
    """Nothing below this project is left to visit."""

    project: str


@dataclass(frozen=True)
class Quiet:
    """Nothing has happened for a while."""


Event = Page | VisitEnd | ListingEnd | ProjectEnd | Quiet


class Walk:
    """One walk over the account.

    A page comes before the end of its visit, the end of a visit before that of its listing and of
    its project. Each record comes once for each stream, and its children are visited once, however
    many listings show it.
    """

    def __init__(
        self, plan: Plan, read_pages: ReadPages, *, workers: int, quiet_seconds: float = 1.0
    ) -> None:
        self._plan = plan
        self._read_pages = read_pages
        self._workers = workers
        self._quiet_seconds = quiet_seconds
        self._queue: queue.Queue[Page | VisitEnd] = queue.Queue(PAGES_PER_WORKER * workers)
        self._changed = threading.Condition()
        self._waiting: list[Visit] = []
        self._open_visits: Counter[Listing] = Counter()
        self._open_in_project: Counter[str] = Counter()
        self._delivered: set[tuple[Listing, str]] = set()
        self._expanded: set[str] = set()
        self._stopped = False

    def events(self) -> Generator[Event]:
        """What happens, until everything is visited or the caller stops iterating."""
        self._open(list(self._plan.first_visits))
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self._workers)]
        for thread in threads:
            thread.start()
        try:
            yield from self._until_done()
        finally:
            self._stop()

    def open_projects(self) -> int:
        """How many projects there are of which something is still to be visited."""
        return len(self._open_in_project)

    def _until_done(self) -> Iterator[Event]:
        unfinished = list(self._plan.listings)
        yield from self._listings_ended(unfinished)
        while unfinished:
            try:
                event = self._queue.get(timeout=self._quiet_seconds)
            except queue.Empty:
                yield Quiet()
                continue
            yield event
            if isinstance(event, VisitEnd):
                if self._close(event.visit) and event.visit.project:
                    yield ProjectEnd(event.visit.project)
                yield from self._listings_ended(unfinished)

    def _listings_ended(self, unfinished: list[Listing]) -> Iterator[ListingEnd]:
        """Take out of `unfinished`, parents first, what has neither visits nor parents any more."""
        for listing in list(unfinished):
            if self._open_visits[listing] == 0 and not any(
                parent in unfinished for parent in listing.parents if parent is not listing
            ):
                unfinished.remove(listing)
                yield ListingEnd(listing)

    def _open(self, visits: list[Visit]) -> None:
        with self._changed:
            for visit in visits:
                self._open_visits[visit.listing] += 1
                if visit.project:
                    self._open_in_project[visit.project] += 1
            self._waiting += reversed(visits)
            self._changed.notify(len(visits))

    def _close(self, visit: Visit) -> bool:
        """Count a visit as done; return whether it was the last one of its project."""
        with self._changed:
            self._open_visits[visit.listing] -= 1
            if visit.project is None:
                return False
            self._open_in_project[visit.project] -= 1
            if self._open_in_project[visit.project]:
                return False
            del self._open_in_project[visit.project]
            return True

    def _stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _work(self) -> None:
        while (visit := self._next_visit()) is not None:
            error: Exception | None = None
            try:
                self._carry_out(visit)
            except Stopped:
                return
            except Exception as caught:  # noqa: BLE001 - it goes to the main thread, which judges
                error = caught
            if not self._put(VisitEnd(visit, error)):
                return

    def _next_visit(self) -> Visit | None:
        with self._changed:
            while not self._waiting and not self._stopped:
                self._changed.wait()
            return None if self._stopped else self._waiting.pop()

    def _carry_out(self, visit: Visit) -> None:
        seen_here: set[str] = set()
        for page in self._read_pages(visit):
            fresh = [record for record in page if record["gid"] not in seen_here]
            seen_here.update(record["gid"] for record in fresh)
            self._deliver(visit, fresh)

    def _deliver(self, visit: Visit, page: list[Record]) -> None:
        """Hand on what no other visit has handed on, and open the visits below it."""
        listing = visit.listing
        new: list[Record] = []
        below: list[Visit] = []
        with self._changed:
            for record in page:
                gid = record["gid"]
                may_repeat = listing.stream.may_repeat(record)
                if may_repeat and (listing, gid) in self._delivered:
                    continue
                new.append(record)
                if may_repeat:
                    self._delivered.add((listing, gid))
                    if gid in self._expanded:
                        continue
                    self._expanded.add(gid)
                below += visit.children(record)
        for output in listing.outputs if new else ():
            if not self._put(Page(output, output.records(new, visit.parent))):
                raise Stopped
        self._open(below)

    def _put(self, event: Page | VisitEnd) -> bool:
        """Wait for a place in the queue; return False when nobody takes anything out any more."""
        while not self._stopped:
            try:
                self._queue.put(event, timeout=self._quiet_seconds)
            except queue.Full:
                continue
            return True
        return False
