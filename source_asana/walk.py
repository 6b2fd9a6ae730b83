"""Carrying out a plan with a pool of workers: the only module that knows about threads.

Workers read listings and put pages into a bounded queue; whoever iterates over `Walk.events` takes
them out, in its own thread. What was begun first is finished first: a worker opens another project
only when none that is open has a visit waiting, so that projects are finished one after the other.
"""

import queue
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import TypeVar

import orjson

from source_asana.agenda import Agenda
from source_asana.errors import GivenUp, Refusal
from source_asana.plan import Listing, Output
from source_asana.rate_limit import Stopped
from source_asana.reader import Reader
from source_asana.scope import PROJECT, Scope, Visit
from source_asana.streams import Projects, Record, StreamClass

T = TypeVar("T")

WAITING_PAGES = 8
"""Each worker may hold one more: memory is bounded by the pages, whoever reads them."""


@dataclass(frozen=True, slots=True)
class Page:
    """Records of one selected stream, as JSON, and their gids."""

    stream: StreamClass
    records: list[bytes]
    gids: list[str]


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
class ProjectNews:
    """The events of a project are known, or known to be lost."""

    scope: Scope


@dataclass(frozen=True)
class ScopeEnd:
    """Nothing below this project, or other container, is left to visit."""

    scope: Scope


@dataclass(frozen=True)
class Quiet:
    """Nothing has happened for a while."""


Found = Page | ProjectNews | VisitEnd
Event = Found | ListingEnd | ScopeEnd | Quiet


def beside(call: Callable[[], T], quiet_seconds: float = 1.0) -> Generator[Quiet, None, T]:
    """Do something in a thread of its own, for whoever has other things to tell meanwhile.

    Returns and raises like `call`.
    """
    outcomes: queue.SimpleQueue[T | Exception] = queue.SimpleQueue()

    def do() -> None:
        try:
            outcomes.put(call())
        except Exception as error:  # noqa: BLE001 - it goes to the caller
            outcomes.put(error)

    threading.Thread(target=do, daemon=True).start()
    while True:
        try:
            outcome = outcomes.get(timeout=quiet_seconds)
        except queue.Empty:
            yield Quiet()
            continue
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Walk:
    """One walk over the account.

    A page comes before the end of its visit, the end of a visit before that of its listing and of
    its project. Each record comes once for each stream, and its children are visited once, however
    many listings show it.
    """

    def __init__(
        self, agenda: Agenda, reader: Reader, *, workers: int, quiet_seconds: float = 1.0
    ) -> None:
        self._agenda = agenda
        self._reader = reader
        self._workers = workers
        self._quiet_seconds = quiet_seconds
        self._queue: queue.Queue[Found] = queue.Queue(WAITING_PAGES)
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, int, Visit]] = []
        self._opened_visits = count(start=-1, step=-1)
        self._turns: dict[tuple[str, str] | None, int] = {None: 0}
        self._next_turn = count(start=1)
        self._open_visits: Counter[Listing] = Counter()
        self._open_in_scope: Counter[tuple[str, str]] = Counter()
        self._delivered: set[tuple[StreamClass, str]] = set()
        self._opened: dict[tuple[Listing, str], frozenset[StreamClass]] = {}
        self._given_up: set[Listing] = set()
        self._stopped = False

    def events(self) -> Generator[Event]:
        """What happens, until everything is visited or the caller stops iterating."""
        with self._changed:
            self._open(self._agenda.first())
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self._workers)]
        for thread in threads:
            thread.start()
        try:
            yield from self._until_done()
        finally:
            self._stop()

    def give_up(self, listing: Listing) -> None:
        """Ask for a listing no more: what is left of its visits ends as GivenUp."""
        self._given_up.add(listing)

    def open_projects(self) -> int:
        """How many projects there are of which something is still to be visited."""
        return sum(1 for kind, _ in list(self._open_in_scope) if kind == PROJECT)

    def _until_done(self) -> Iterator[Event]:
        unfinished = list(self._agenda.plan.listings)
        yield from self._listings_ended(unfinished)
        while unfinished:
            try:
                event = self._queue.get(timeout=self._quiet_seconds)
            except queue.Empty:
                yield Quiet()
                continue
            yield event
            if isinstance(event, VisitEnd):
                if self._close(event.visit) and event.visit.scope:
                    yield ScopeEnd(event.visit.scope)
                yield from self._listings_ended(unfinished)

    def _listings_ended(self, unfinished: list[Listing]) -> Iterator[ListingEnd]:
        """Take out of `unfinished`, parents first, what has neither visits nor parents any more."""
        ended, pending = True, self._agenda.pending()
        while ended:
            ended = False
            for listing in list(unfinished):
                above = [parent for parent in listing.parents if parent is not listing]
                is_open = self._open_visits[listing] or listing in pending
                if not is_open and not any(p in unfinished for p in above):
                    unfinished.remove(listing)
                    yield ListingEnd(listing)
                    ended = True

    def _open(self, visits: list[Visit]) -> None:
        """Let workers have these visits; to be called with the lock.

        Those of the project that was opened first have their turn first, and of these the newest.
        """
        for visit in visits:
            self._open_visits[visit.listing] += 1
            if visit.turn:
                self._open_in_scope[visit.turn] += 1
            if visit.turn not in self._turns:
                self._turns[visit.turn] = next(self._next_turn)
        for visit in reversed(visits):
            turn = self._turns[visit.turn]
            heappush(self._waiting, (turn, next(self._opened_visits), visit))
        self._changed.notify(len(visits))

    def _close(self, visit: Visit) -> bool:
        """Count a visit as done; return whether it was the last one of its project."""
        with self._changed:
            self._open_visits[visit.listing] -= 1
            ends_scope = visit.turn is not None and self._is_last(visit.turn)
            more = self._agenda.after_visit(visit, ends_scope=ends_scope)
            self._open(self._unopened(more))
            return ends_scope

    def _is_last(self, turn: tuple[str, str]) -> bool:
        """Count a visit of a scope as done; return whether none is left."""
        self._open_in_scope[turn] -= 1
        if self._open_in_scope[turn]:
            return False
        del self._open_in_scope[turn], self._turns[turn]
        return True

    def _stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _work(self) -> None:
        while (visit := self._next_visit()) is not None:
            error: Exception | None
            try:
                error = self._carry_out(visit)
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
            return None if self._stopped else heappop(self._waiting)[-1]

    def _carry_out(self, visit: Visit) -> Exception | None:
        events = self._agenda.plan.events  # without them a project is read in full
        if visit.listing in self._given_up and visit.listing is not events:
            return GivenUp(visit.listing.path)
        if visit.listing is events:
            return self._learn(visit)
        seen: set[str] = set()
        try:
            for page in self._reader.pages(visit):
                fresh = [record for record in page if record["gid"] not in seen]
                seen.update(record["gid"] for record in fresh)
                if visit.listing.stream is Projects:
                    self._learn_of_workspace(visit, len(fresh))
                self._deliver(visit, fresh)
        except Refusal as refusal:
            return None if visit.listing in self._agenda.plan.one.values() else refusal
        now = self._reader.now()
        with self._changed:
            self._open(self._unopened(self._agenda.after_listing(visit, seen, now)))
        return None

    def _learn(self, visit: Visit) -> Exception | None:
        """Read a project's events, and open the visits that they leave necessary."""
        news = self._reader.project_events(visit)
        events = {event["event_id"]: event for event in news.events}
        for output in visit.listing.outputs:
            with self._changed:
                new = [
                    e for gid, e in events.items() if (output.stream, gid) not in self._delivered
                ]
                self._delivered |= {(output.stream, gid) for gid in events}
            self._put_page(output, new, visit)
        if not self._put(ProjectNews(news.scope)):
            raise Stopped
        with self._changed:
            self._open(self._unopened(self._agenda.after_events(news.scope)))
        return news.error

    def _learn_of_workspace(self, visit: Visit, projects: int) -> None:
        """Read the events of a whole workspace before its projects, where that saves requests."""
        workspace = str(visit.parent)
        known = self._agenda.workspaces
        with self._changed:
            tokens = known.tokens(workspace, projects)
        if tokens is None:
            return
        news = self._reader.workspace_events(workspace, tokens)
        with self._changed:
            scope = known.learn(workspace, news)
        if news is None or scope is None:
            return
        events = {e["event_id"]: e for token in known.delivered(news) for e in news.events[token]}
        for output in self._agenda.plan.events.outputs if self._agenda.plan.events else ():
            self._put_page(output, list(events.values()), visit)
        if not self._put(ProjectNews(scope)):
            raise Stopped

    def _deliver(self, visit: Visit, page: list[Record]) -> None:
        """Hand on what no other visit has handed on, and open the visits below it."""
        listing = visit.listing
        wanted: dict[Output, list[Record]] = {output: [] for output in listing.outputs}
        below: list[Visit] = []
        now = self._reader.now()
        finds_again = self._agenda.goes_on and visit.scope is not None
        with self._changed:
            for record in page:
                may_repeat = finds_again or listing.stream.may_repeat(record)
                for output, records in wanted.items():
                    if self._agenda.wants(visit, output.stream, record) and not (
                        may_repeat and self._is_delivered(output.stream, record["gid"])
                    ):
                        records.append(record)
                visits = self._agenda.below(visit, record, now)
                below += self._unopened(visits) if may_repeat else visits
        for output, records in wanted.items():
            self._put_page(output, records, visit)
        with self._changed:
            self._open(below)

    def _is_delivered(self, stream: StreamClass, gid: str) -> bool:
        """Whether a record has been handed on before; from now on it has."""
        if (stream, gid) in self._delivered:
            return True
        self._delivered.add((stream, gid))
        return False

    def _unopened(self, visits: list[Visit]) -> list[Visit]:
        """Those visits of which not all that they are for has been visited before."""
        new: list[Visit] = []
        for visit in visits:
            place = (visit.listing, visit.place)
            needs = visit.scope.whole_streams() if visit.scope else frozenset()
            before = self._opened.get(place)
            if before is None or not needs <= before:
                self._opened[place] = needs | (before or frozenset())
                new.append(visit)
        return new

    def _put_page(self, output: Output, records: list[Record], visit: Visit) -> None:
        if not records:
            return
        gids = [record["gid"] for record in records] if output.stream.told_deleted_as else []
        lines = [orjson.dumps(record) for record in output.records(records, visit.parent)]
        if lines and not self._put(Page(output.stream, lines, gids)):
            raise Stopped

    def _put(self, event: Found) -> bool:
        """Wait for a place in the queue; return False when nobody takes anything out any more."""
        while not self._stopped:
            try:
                self._queue.put(event, timeout=self._quiet_seconds)
            except queue.Full:
                continue
            return True
        return False
