"""Carrying out a plan with a pool of workers: the only module that knows about threads.

Workers read listings and put pages into a bounded queue; whoever iterates over `Walk.events` takes
them out, in its own thread. What was begun first is finished first: a worker opens another project
only when none that is open has a visit waiting, so that projects are finished one after the other.
"""

import queue
import threading
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from http import HTTPStatus
from itertools import count

import orjson

from source_asana.asana.errors import AsanaFailure, GivenUp, Gone, NoThread, Refusal
from source_asana.asana.memory import Memory
from source_asana.asana.rate_limit import Stopped
from source_asana.reading.agenda import Agenda
from source_asana.reading.plan import Listing, Output
from source_asana.reading.reader import Reader
from source_asana.reading.scope import PROJECT, Scope, Visit
from source_asana.reading.seen import Moment, Seen
from source_asana.reading.unlisted import Unlisted
from source_asana.streams.declared import Projects, Record, StreamClass
from source_asana.streams.values import first_of_each

MAY_PASS = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS)
"""Refusals that may be over a moment later: a plan (402) does not change so soon."""

WAITING_PAGES = 8
WAITING_BYTES = 8_000_000
"""Each worker may hold one more: memory is bounded by the pages, whoever reads them."""

PIECE_BYTES = 500_000
"""A larger page is handed on in pieces of about this size, or of one record."""


@dataclass(frozen=True, slots=True)
class Page:
    """Records of one selected stream, as JSON, and their gids."""

    stream: StreamClass
    records: list[bytes]
    gids: list[str]

    @property
    def size(self) -> int:
        """The bytes of its records."""
        return sum(map(len, self.records))


@dataclass(frozen=True)
class VisitEnd:
    """A visit is over; `error` says why it could not be done."""

    visit: Visit
    error: Exception | None


@dataclass(frozen=True)
class PutAside:
    """Asana refused a visit, which is over for now: it is asked for once more after all others."""

    visit: Visit
    refusal: Refusal


@dataclass(frozen=True, eq=False)
class ListingEnd:
    """Nothing of this listing is left to visit.

    `found`: the containers that it has shown, each with what it is in. `unlisted`: what has become
    of the projects that it did not show, where it lists projects.
    """

    listing: Listing
    found: Mapping[str, str | None] = field(default_factory=dict)
    unlisted: Unlisted | None = None


@dataclass(frozen=True)
class EventsMissing:
    """Tasks of a project have changed of which no event tells, though events come by now.

    `scope` reads all tasks of the project, or says when that was last done.
    """

    scope: Scope
    tasks: int
    is_read_again: bool


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


Found = Page | ProjectNews | EventsMissing | PutAside | VisitEnd
Event = Found | ListingEnd | ScopeEnd | Quiet


def in_pieces(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The same lines, together as long as they are not too large."""
    piece: list[bytes] = []
    size = 0
    for line in lines:
        if piece and size + len(line) > PIECE_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(line)
        size += len(line)
    if piece:
        yield piece


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
        self._waiting_bytes = Memory(WAITING_BYTES, self._raise_if_stopped)
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, int, Visit]] = []
        self._opened_visits = count(start=-1, step=-1)
        self._turns: dict[tuple[str, str] | None, int] = {None: 0}
        self._next_turn = count(start=1)
        self._open_visits: Counter[Listing] = Counter()
        self._open_in_scope: Counter[tuple[str, str]] = Counter()
        self._seen = Seen()
        self._aside: list[PutAside] = []
        self._answered: set[Listing] = set()
        self._asks_again = False
        self._read_before: dict[tuple[Listing, str], set[str]] = {}
        self._given_up: set[Listing] = set()
        self._stopped = False

    def events(self) -> Generator[Event]:
        """What happens, until everything is visited or the caller stops iterating."""
        with self._changed:
            self._open(self._agenda.first())
        try:
            self._start_workers()
            yield from self._until_done()
        finally:
            self._stop()

    def _start_workers(self) -> None:
        """Start as many as wanted, or as the machine allows; raise NoThread where that is none."""
        for number in range(self._workers):
            try:
                threading.Thread(target=self._work, daemon=True).start()
            except RuntimeError:
                if not number:
                    raise NoThread from None
                return

    def give_up(self, listing: Listing) -> None:
        """Ask for a listing no more: what is left of its visits ends as GivenUp."""
        self._given_up.add(listing)

    def open_projects(self) -> int:
        """How many projects there are of which something is still to be visited."""
        with self._changed:
            return sum(1 for kind, _ in self._open_in_scope if kind == PROJECT)

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
            if isinstance(event, Page):
                self._waiting_bytes.give_back(event.size)
            if isinstance(event, (VisitEnd, PutAside)):
                if self._close(event.visit) and event.visit.scope:
                    yield ScopeEnd(event.visit.scope.whole)
                yield from self._ask_again()
                yield from self._listings_ended(unfinished)

    def _ask_again(self) -> Iterator[VisitEnd]:
        """When all else has been visited, open what was put aside, unless it would be in vain."""
        with self._changed:
            if self._asks_again or self._open_visits.total():
                return
            self._asks_again = True
            aside, self._aside = self._aside, []
            refused = Counter(put.visit.listing for put in aside)
            vain = {at for at, times in refused.items() if times > 1 and at not in self._answered}
            self._open([put.visit for put in aside if put.visit.listing not in vain])
        for put in aside:
            if put.visit.listing in vain:
                yield VisitEnd(put.visit, put.refusal)

    def _listings_ended(self, unfinished: list[Listing]) -> Iterator[ListingEnd]:
        """Take out of `unfinished`, parents first, what has neither visits nor parents any more."""
        with self._changed:
            pending = {*self._agenda.pending(), *(aside.visit.listing for aside in self._aside)}
        ended = True
        while ended:
            ended = False
            for listing in list(unfinished):
                above = [parent for parent in listing.parents if parent is not listing]
                is_open = self._open_visits[listing] or listing in pending
                if not is_open and not any(p in unfinished for p in above):
                    unfinished.remove(listing)
                    yield self._listing_end(listing)
                    ended = True

    def _listing_end(self, listing: Listing) -> ListingEnd:
        with self._changed:
            if listing.is_one:
                return ListingEnd(listing)
            unlisted = self._agenda.unlisted if listing.stream is Projects else None
            return ListingEnd(listing, self._agenda.listed(listing.stream), unlisted)

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
            self._open(self._unopened(more, may_age=True))
            if not any(self._open_visits[listing] for listing in self._agenda.above_projects):
                self._open(self._agenda.projects_listed())
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
            try:
                end = self._end_of(visit)
            except Stopped:
                return
            except Exception as caught:  # noqa: BLE001 - it goes to the main thread, which judges
                end = VisitEnd(visit, caught)
            if isinstance(end, PutAside):
                with self._changed:
                    self._aside.append(end)
            if not self._put(end):
                return

    def _end_of(self, visit: Visit) -> PutAside | VisitEnd:
        place = (visit.listing, visit.place)
        seen = self._read_before.pop(place, set())
        try:
            return VisitEnd(visit, self._carry_out(visit, seen))
        except Refusal as refusal:
            end = self._refused(visit, refusal)
            if isinstance(end, PutAside) and seen:
                self._read_before[place] = seen
            return end

    def _next_visit(self) -> Visit | None:
        with self._changed:
            while not self._waiting and not self._stopped:
                self._changed.wait()
            return None if self._stopped else heappop(self._waiting)[-1]

    def _carry_out(self, visit: Visit, seen: set[str]) -> Exception | None:
        """Read what a visit lists, but for the gids in `seen`, to which it adds what it finds.

        Returns why it could not be done without being refused. Raises Refusal and Stopped.
        """
        plan = self._agenda.plan
        if visit.listing in self._given_up and visit.listing is not plan.events:
            return GivenUp(visit.listing.path)  # without its events a project is read in full
        with self._changed:
            begun = self._seen.begins(visit)
        if visit.listing is plan.events:
            return self._learn(visit, abs(begun))
        if visit.listing is plan.unlisted:
            return self._ask_for_unlisted(visit)
        unexplained = 0
        for page in self._reader.pages(visit):
            fresh = first_of_each(page, seen)
            if visit.listing.stream is Projects:
                self._learn_of_workspace(visit, len(fresh))
            unexplained += self._deliver(visit, fresh, begun)
            del page, fresh  # before the next page is requested
        is_read_again = self._are_events_lost(visit, unexplained)
        now = self._reader.now()
        with self._changed:
            after = self._agenda.after_listing(visit, seen, now, are_events_lost=is_read_again)
            self._open(self._unopened(after, may_age=True))
        return None

    def _refused(self, visit: Visit, refusal: Refusal) -> PutAside | VisitEnd:
        """The end of a visit that Asana refused: for now, or for this sync.

        What is below a task that is gone is no refusal. Raises what `Reader.is_gone` raises.
        """
        is_unknown = refusal.status == HTTPStatus.NOT_FOUND
        if visit.parent is not None and refusal.status in MAY_PASS and not self._asks_again:
            return PutAside(visit, refusal)
        if is_unknown and visit.is_below_task:
            gone = self._reader.is_gone(str(visit.parent), purpose=visit.listing.name)
        else:
            gone = is_unknown and visit.listing in self._agenda.plan.one.values()
        return VisitEnd(visit, Gone(refusal.status, refusal.message, "") if gone else refusal)

    def _ask_for_unlisted(self, visit: Visit) -> Exception | None:
        """Learn what has become of a project that has marks and is no longer listed."""
        project, unlisted = str(visit.parent), self._agenda.unlisted
        assert unlisted is not None  # noqa: S101 - it has asked for this visit
        try:
            for page in self._reader.pages(visit):
                with self._changed:
                    for record in page:
                        unlisted.learn(project, record, self._reader.time())
        except (Refusal, AsanaFailure) as error:
            if error.status is None:
                raise
            with self._changed:
                unlisted.learn(project, error.status, self._reader.time())
        return None

    def _are_events_lost(self, visit: Visit, unexplained: int) -> bool:
        """Tell of changes without events; return whether the project's tasks are read in full."""
        scope = visit.scope
        if scope is None or not unexplained:
            return False
        is_read_again = scope.checked is None
        told = scope.doubted() if is_read_again else scope
        if not self._put(EventsMissing(told, unexplained, is_read_again)):
            raise Stopped
        return is_read_again

    def _learn(self, visit: Visit, begun: Moment) -> Exception | None:
        """Read a project's events, and open the visits that they leave necessary."""
        news = self._reader.project_events(visit)
        events = {event["event_id"]: event for event in news.delivered}
        for output in visit.listing.outputs:
            with self._changed:
                new = [e for g, e in events.items() if self._seen.is_new(output.stream, g, begun)]
            self._put_page(output, new, visit)
        if not self._put(ProjectNews(news.scope)):
            raise Stopped
        with self._changed:
            self._seen.events(news.events, begun)
            self._open(self._unopened(self._agenda.after_events(news.scope), may_age=True))
        return news.error

    def _learn_of_workspace(self, visit: Visit, projects: int) -> None:
        """Read the events of a whole workspace before its projects, where that saves requests."""
        workspace = str(visit.parent)
        known = self._agenda.workspaces
        with self._changed:
            tokens = known.tokens(workspace, projects)
            asked_at = self._seen.now()
        if tokens is None:
            return
        news = self._reader.workspace_events(workspace, tokens)
        with self._changed:
            scope = known.learn(workspace, news)
            for named in news.events.values() if news else ():
                self._seen.events(named, asked_at)
        if news is None or scope is None:
            return
        events = {e["event_id"]: e for token in known.delivered(news) for e in news.events[token]}
        for output in self._agenda.plan.events.outputs if self._agenda.plan.events else ():
            self._put_page(output, list(events.values()), visit)
        if not self._put(ProjectNews(scope)):
            raise Stopped

    def _deliver(self, visit: Visit, page: list[Record], begun: Moment) -> int:
        """Hand on what no other visit has handed on, and open the visits below it.

        Returns how many tasks have changed of which an event should tell, and none does.
        """
        agenda, listing, scope = self._agenda, visit.listing, visit.scope
        wanted: dict[Output, list[Record]] = {output: [] for output in listing.outputs}
        below: list[Visit] = []
        unexplained = 0
        now = self._reader.now()
        filtered_from = scope.filtered_from(listing) if scope else None
        followed_time = agenda.followed_time(visit) if filtered_from else None
        with self._changed:
            self._seen.began_at = self._seen.began_at or self._reader.time()
            for record in page:
                may_repeat = listing.stream.may_repeat(record)
                remembers = may_repeat or agenda.may_find_again(visit, record, self._seen)
                for output, records in wanted.items():
                    if agenda.wants(visit, output.stream, record, filtered_from) and not (
                        remembers and self._is_known(visit, output.stream, record, begun)
                    ):
                        records.append(record)
                if filtered_from:
                    unexplained += agenda.doubts(visit, record, filtered_from, followed_time)
                visits = agenda.below(visit, record, now)
                may_age = may_repeat or self._seen.is_named(record["gid"])
                below += self._unopened(visits, may_age=may_age) if remembers else visits
        for output, records in wanted.items():
            self._put_page(output, records, visit)
        with self._changed:
            self._answered.add(listing)
            self._open(below)
        return unexplained

    def _is_known(self, visit: Visit, stream: StreamClass, record: Record, begun: Moment) -> bool:
        """Whether a record was handed on before, or will be; from now on it is known."""
        above = self._agenda.listing_of(visit, record)
        if above and self._seen.shows(*above, stream, record["gid"]):
            return True
        return not self._seen.is_new(stream, record["gid"], begun)

    def _unopened(self, visits: list[Visit], *, may_age: bool) -> list[Visit]:
        """What of these visits has not been visited before, as far as it is still as it was."""
        opened = (self._seen.opened(visit, may_age=may_age) for visit in visits)
        return [visit for visit in opened if visit]

    def _put_page(self, output: Output, records: list[Record], visit: Visit) -> None:
        if not records:
            return
        gids = [record["gid"] for record in records] if output.stream.told_deleted_as else []
        for lines in in_pieces(map(orjson.dumps, output.records(records, visit.parent))):
            page, gids = Page(output.stream, lines, gids), []
            self._waiting_bytes.take(page.size)
            if not self._put(page):
                raise Stopped

    def _raise_if_stopped(self) -> None:
        if self._stopped:
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
