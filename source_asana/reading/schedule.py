"""Which visits are open, and which is next. Not safe for several threads.

What was begun first is finished first: another project is opened only when no open one has a visit
waiting, so projects end one after the other, and memory holds the pages under way.
"""

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from heapq import heappop, heappush
from itertools import count

from source_asana.reading.account import Account
from source_asana.reading.container import Container
from source_asana.reading.exports.exports import Errand, Exports
from source_asana.reading.findings import PutAside
from source_asana.reading.listing import Listing
from source_asana.reading.lookups import lookups
from source_asana.reading.seen import Seen
from source_asana.reading.visits import Visit

MOST_HELD = 20_000
"""So many visits may wait for files while others go on: they take some 10 MB."""


class Schedule:
    """The visits of one sync that are waiting or under way, and the open containers.

    `exports`: let visits wait for their files. `wake`: called with the number of visits that a
    worker can take now. `may_begin_files`: whether a visit that may have files may begin; else it
    waits while others go on.
    """

    def __init__(
        self,
        account: Account,
        seen: Seen,
        exports: Exports,
        wake: Callable[[int], None],
        may_begin_files: Callable[[], bool] = lambda: True,
    ) -> None:
        self._account = account
        self._seen = seen
        self._exports = exports
        self._wake = wake
        self._may_begin_files = may_begin_files
        self._held: deque[Visit] = deque()
        self._waiting = Waiting()
        self._open: Counter[Listing] = Counter()
        self._open_containers: set[Container] = set()
        self.aside = Aside()

    def open(self, visits: list[Visit]) -> None:
        """Let workers have these visits, the first one first, and the newest before older ones."""
        self._count(visits)
        ready = [visit for visit in visits if not self._exports.hold(visit)]
        self._waiting.add(ready, self._is_first)
        self._wake(len(ready))

    def open_again(self, visits: Iterable[Visit]) -> None:
        """Note that visits, which the exports hand out, are open again."""
        self._wake(self._count(visits))

    def _count(self, visits: Iterable[Visit]) -> int:
        """Note that visits are open; return how many they are."""
        number = 0
        for visit in visits:
            self._open[visit.listing] += 1
            self._enter(visit.container)
            number += 1
        return number

    def open_new(self, visits: list[Visit], *, may_age: bool) -> None:
        """Open what of these visits was not visited before, or has changed since.

        `may_age`: events may name what they read after it was read.
        """
        self.open(self.unopened(visits, may_age=may_age))

    def unopened(self, visits: list[Visit], *, may_age: bool) -> list[Visit]:
        """What of these visits was not visited before, or has changed since; note them."""
        left = (self._seen.opened(visit, may_age=may_age) for visit in visits)
        return [visit for visit in left if visit]

    def next(self) -> Visit | Errand | None:
        """The visit whose turn it is, if one is waiting, or what is due for an export."""
        if errand := self._exports.due(self._known_containers, self._is_idle):
            return errand
        if self._held and self._may_begin_files():
            return self._held.popleft()
        while len(self._held) < MOST_HELD and (visit := self._pop()):
            if not visit.listing.has_files or self._may_begin_files():
                return visit
            self._held.append(visit)
        return None

    def _pop(self) -> Visit | None:
        """What has waited for an export, or else was opened last in the first container."""
        return self._exports.pop() or self._waiting.pop()

    def wake_held(self) -> None:
        """Let workers look again at the visits that had to wait for files."""
        if self._held:
            self._wake(len(self._held))

    def _known_containers(self) -> Collection[Container] | None:
        """The containers, if all are found and the events of all projects are known."""
        plan = self._account.plan
        users = plan.without_project.parents if plan.without_project else ()
        first = {*plan.to_know_all_projects, *users, plan.events}
        is_pending = any(at and self._open[at] for at in first)
        if is_pending or not first.isdisjoint(self.aside.listings()):
            return None
        return self._open_containers

    def seconds_to_wait(self) -> float | None:
        """How long it is until something may be due for an export; None if nothing waits."""
        return self._exports.seconds_to_wait()

    def end(self) -> None:
        """Delete the files of exports: nothing is read any longer."""
        self._exports.close()

    def _is_idle(self) -> bool:
        """Whether nothing is open but what waits for an export."""
        return self._open.total() == self._exports.held()

    def close(self, visit: Visit) -> list[Container]:
        """Note that a visit is over; return the containers that end with it, inner ones first.

        Before a container ends, what events name in it is looked up.
        """
        self._open[visit.listing] -= 1
        ended: list[Container] = []
        container: Container | None = visit.container
        while container is not None:
            if container.open == 1:
                self.open_new(lookups(self._account.plan, container), may_age=True)
            container.open -= 1
            if container.open:
                break
            self._open_containers.discard(container)
            self._waiting.forget(container)
            ended.append(container)
            container = container.above
        if not any(self._open[listing] for listing in self._account.plan.to_know_all_projects):
            self.open(self._account.projects_listed())
        if self._exports.is_waiting:
            self._wake(1)  # it may wait no longer, if nothing else is left to do
        return ended

    def open_projects(self) -> int:
        """How many projects are open."""
        return sum(container.is_project for container in self._open_containers)

    def put_aside_to_repeat(self) -> list[PutAside] | None:
        """When nothing else is open, open what was put aside; return what it is pointless to ask.

        None if something else is open, or it was done before.
        """
        if self.aside.is_repeated or self._open.total():
            return None
        repeated, pointless = self.aside.sort()
        self.open([put.visit for put in repeated])
        return pointless

    def ended_listings(self, unfinished: list[Listing]) -> Iterator[Listing]:
        """Take out of `unfinished`, parents first, what has neither visits nor parents left."""
        pending = self._account.pending(self._open_containers) | self.aside.listings()
        if any(self._open[listing] for listing in self._exports.listings):
            pending |= self._exports.listings  # if one has a wrong record, all are read again
        has_ended = True
        while has_ended:
            has_ended = False
            for listing in list(unfinished):
                above = [parent for parent in listing.parents if parent is not listing]
                is_open = self._open[listing] or listing in pending
                if not is_open and not any(parent in unfinished for parent in above):
                    unfinished.remove(listing)
                    yield listing
                    has_ended = True

    def _enter(self, container: Container | None) -> None:
        while container is not None:
            container.open += 1
            if container.open > 1:
                return
            self._open_containers.add(container)
            container = container.above

    def _is_first(self, visit: Visit) -> bool:
        """Whether a visit comes before all projects: exports begin when all events are known."""
        is_of_events = visit.listing is self._account.plan.events
        return visit.need is None or (is_of_events and bool(self._exports.listings))


class Waiting:
    """The visits that a worker can take, in line: those of the container that was begun first."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Visit]] = []
        self._numbers = count(start=-1, step=-1)
        self._turns: dict[Container, int] = {}
        self._next_turn = count(start=1)

    def add(self, visits: Collection[Visit], is_first: Callable[[Visit], bool]) -> None:
        """Put visits in line, the first one first, and all before those added earlier.

        `is_first`: whether a visit comes before those of all containers.
        """
        turns = [0 if is_first(visit) else self._turn(visit.container) for visit in visits]
        for turn, visit in reversed(list(zip(turns, visits, strict=True))):
            heappush(self._heap, (turn, next(self._numbers), visit))

    def pop(self) -> Visit | None:
        """The visit whose turn it is, if there is one."""
        return heappop(self._heap)[-1] if self._heap else None

    def forget(self, container: Container) -> None:
        """Note that a container has ended."""
        self._turns.pop(container, None)

    def _turn(self, container: Container) -> int:
        if container not in self._turns:
            self._turns[container] = next(self._next_turn)
        return self._turns[container]


class Aside:
    """The visits that Asana refused, to be repeated once."""

    def __init__(self) -> None:
        self.is_repeated = False
        self._put: list[PutAside] = []
        self._answered: set[Listing] = set()
        self._shown: dict[tuple[Listing, str], set[str]] = {}

    def put(self, put: PutAside, shown: set[str]) -> None:
        """Add a refused visit, and the gids that it has shown before it was refused."""
        self._put.append(put)
        if shown:
            self._shown[put.visit.listing, put.visit.place] = shown

    def shown_before(self, visit: Visit) -> set[str]:
        """Take out the gids that a visit has shown before it was put aside."""
        return self._shown.pop((visit.listing, visit.place), set())

    def note_answer(self, listing: Listing) -> None:
        """Note that Asana does not refuse all of a listing."""
        self._answered.add(listing)

    def listings(self) -> set[Listing]:
        """The listings of what was put aside."""
        return {put.visit.listing for put in self._put}

    def sort(self) -> tuple[list[PutAside], list[PutAside]]:
        """What to repeat, and what not, because Asana refused every visit of its listing."""
        self.is_repeated = True
        aside, self._put = self._put, []
        refused = Counter(put.visit.listing for put in aside)
        pointless = {at for at, n in refused.items() if n > 1 and at not in self._answered}
        return (
            [put for put in aside if put.visit.listing not in pointless],
            [put for put in aside if put.visit.listing in pointless],
        )
