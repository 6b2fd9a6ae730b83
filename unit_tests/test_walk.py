"""The walk over accounts of any shape, without a network."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_asana.asana.errors import AsanaFailure, Refusal
from source_asana.asana.rate_limit import Stopped
from source_asana.reading.account import Account
from source_asana.reading.exports.exports import Exports
from source_asana.reading.exports.job import ExportLimits
from source_asana.reading.exports.steps import ExportSteps
from source_asana.reading.filters import ALL
from source_asana.reading.findings import (
    ContainerEnd,
    Finding,
    Idle,
    ListingEnd,
    Page,
    VisitEnd,
)
from source_asana.reading.listing import Selection
from source_asana.reading.plan import make_plan
from source_asana.reading.reader import Reader
from source_asana.reading.resumption import Resumption
from source_asana.reading.shortcuts.shortcuts import Shortcuts
from source_asana.reading.visits import Visit
from source_asana.reading.walk import Walk
from source_asana.streams.declared import STREAMS
from source_asana.streams.values import Record

PAGE_SIZE = 2


@dataclass
class Company:
    """Projects with tasks, some of them shared; each task has a story and maybe a subtask."""

    tasks_of: Mapping[str, list[str]]
    subtasks_of: Mapping[str, str]
    errors: Mapping[tuple[str, str | None], Exception] = field(default_factory=dict)
    at_once: int = 0
    most_at_once: int = 0
    visits: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def pages(self, visit: Visit) -> Iterator[list[Record]]:
        place = (visit.listing.name, visit.gid)
        with self.lock:
            self.visits[place] += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            records = self.records(*place)
            for start in range(0, max(len(records), 1), PAGE_SIZE):
                yield records[start : start + PAGE_SIZE]
            if error := self.errors.get(place):
                raise error
        finally:
            with self.lock:
                self.at_once -= 1

    def now(self) -> str:
        return "2026-01-01T00:00:00.000Z"

    def time(self) -> str:
        return "2026-01-01T00:05:00.000Z"

    def records(self, listing: str, parent: str | None) -> list[Record]:
        match listing:
            case "workspaces":
                return [{"gid": "w"}]
            case "projects":
                return [{"gid": project} for project in self.tasks_of]
            case "tasks":
                return [self.task(gid, None) for gid in self.tasks_of[str(parent)]]
            case "subtasks":
                return [self.task(self.subtasks_of[str(parent)], str(parent))]
            case "stories":
                return [{"gid": f"story of {parent}"}]
        raise AssertionError(listing)

    def task(self, gid: str, parent: str | None) -> Record:
        projects = [{"gid": project} for project, tasks in self.tasks_of.items() if gid in tasks]
        above = [task for task, subtask in self.subtasks_of.items() if subtask == gid]
        return {
            "gid": gid,
            "projects": projects,
            "parent": {"gid": parent or above[0]} if above or parent else None,
            "num_subtasks": int(gid in self.subtasks_of),
        }

    def tasks(self) -> set[str]:
        return {task for tasks in self.tasks_of.values() for task in tasks}

    def subtasks(self) -> set[str]:
        found: set[str] = set()
        waiting = self.tasks()
        while waiting:
            below = {self.subtasks_of[task] for task in waiting if task in self.subtasks_of}
            waiting = below - found
            found |= below
        return found


TASKS = [f"t{number}" for number in range(6)]


@st.composite
def accounts(draw: st.DrawFn) -> Company:
    """Any tasks in any projects; a task may have a later one below it, in a project or not."""
    tasks_of = draw(
        st.dictionaries(
            st.sampled_from(["p1", "p2", "p3"]), st.lists(st.sampled_from(TASKS), unique=True)
        )
    )
    order = draw(st.permutations(TASKS))
    linked = draw(st.lists(st.booleans(), min_size=5, max_size=5))
    subtasks_of = {
        above: below for above, below, yes in zip(order, order[1:], linked, strict=False) if yes
    }
    return Company(tasks_of, subtasks_of)


def walk(account: Company, *names: str, workers: int = 4) -> list[Finding]:
    events = walk_of(account, *names, workers=workers).findings()
    return [event for event in events if not isinstance(event, Idle)]


def walk_of(account: Company, *names: str, workers: int) -> Walk:
    selected = {STREAMS[name]: Selection(["gid"]) for name in names}
    plan, resumption = make_plan(selected), Resumption(selected, {})
    found = Account(plan, resumption, ALL, {})
    exports = Exports(
        plan,
        resumption,
        ExportLimits(),
        is_on=False,
        is_current=lambda _visit, _gids: True,
        mark=lambda: "",
    )
    return Walk(
        found,
        cast(Reader, account),
        Shortcuts(plan, {}),
        exports,
        cast(ExportSteps, None),
        workers=workers,
        idle_seconds=0.02,
    )


def gids(events: list[Finding], name: str) -> list[str]:
    pages = [e for e in events if isinstance(e, Page) and e.stream is STREAMS[name]]
    return sorted(orjson.loads(record)["gid"] for page in pages for record in page.records)


@given(accounts(), st.integers(1, 5))
def test_every_record_comes_once_and_every_listing_is_visited_once(
    account: Company, workers: int
) -> None:
    events = walk(account, "tasks", "subtasks", "stories", workers=workers)
    assert gids(events, "tasks") == sorted(account.tasks())
    assert gids(events, "subtasks") == sorted(account.subtasks())
    everything = account.tasks() | account.subtasks()
    assert gids(events, "stories") == sorted(f"story of {gid}" for gid in everything)
    assert set(account.visits.values()) <= {1}
    assert account.most_at_once <= workers


@given(accounts())
def test_the_end_of_a_visit_comes_after_all_of_its_records(account: Company) -> None:
    events = walk(account, "tasks", "subtasks", "stories")
    places = {event: place for place, event in enumerate(events) if isinstance(event, ListingEnd)}
    assert len(places) == 5
    for place, event in enumerate(events):
        if isinstance(event, Page):
            (ending,) = (
                at
                for end, at in places.items()
                if event.stream in {o.stream for o in end.listing.outputs}
            )
            assert place < ending
        if isinstance(event, ContainerEnd):
            later = [e for e in events[place:] if isinstance(e, VisitEnd)]
            assert event.container not in {e.visit.container for e in later}
    ended = [event.container for event in events if isinstance(event, ContainerEnd)]
    assert sorted(e.gid for e in ended if e.is_project) == sorted(account.tasks_of)
    for place, container in enumerate(ended):
        assert container.above is None or container.above in ended[place:]


@pytest.mark.parametrize(
    "error",
    [
        Refusal(403, "Forbidden", "tasks"),
        AsanaFailure("no answer", "tasks", is_transient=True),
        KeyError("gid"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_ends_one_visit_and_no_other(error: Exception) -> None:
    account = Company({"p1": ["t0"], "p2": ["t1", "t2"]}, {}, {("tasks", "p1"): error})
    events = walk(account, "tasks", "stories")
    assert gids(events, "tasks") == ["t0", "t1", "t2"]
    errors = {
        (e.visit.listing.name, e.visit.gid): e.error for e in events if isinstance(e, VisitEnd)
    }
    is_refused = isinstance(error, Refusal)  # then it is requested one more time
    assert account.visits["tasks", "p1"] == (2 if is_refused else 1)
    assert errors.pop(("tasks", "p1")) is error
    assert set(errors.values()) == {None}


def test_a_restarted_listing_gives_no_record_twice() -> None:
    class Restarting(Company):
        def pages(self, visit: Visit) -> Iterator[list[Record]]:
            yield from super().pages(visit)
            if visit.listing.name in ("tasks", "projects"):
                yield from super().pages(visit)

    account = Restarting({"p1": ["t0", "t1", "t2"]}, {})
    events = walk(account, "projects", "tasks", "stories")
    assert gids(events, "projects") == ["p1"]
    assert gids(events, "tasks") == ["t0", "t1", "t2"]
    assert account.visits["stories", "t0"] == 1


def test_workers_stop_when_the_walk_is_closed() -> None:
    account = Company({f"p{n}": TASKS for n in range(50)}, {})
    others = set(threading.enumerate())
    events = walk_of(account, "stories", workers=5).findings()
    next(events)
    workers = set(threading.enumerate()) - others
    assert len(workers) == 5
    events.close()
    for worker in workers:
        worker.join(timeout=10)
    assert not any(worker.is_alive() for worker in workers)
    assert len(account.visits) < 50


def test_a_stopped_worker_reports_nothing() -> None:
    account = Company({"p1": ["t0"]}, {}, {("tasks", "p1"): Stopped()})
    events = walk_of(account, "tasks", workers=2).findings()
    assert any(isinstance(event, Idle) for event in events)
    events.close()


def test_a_waiting_walk_yields_so_that_the_sync_can_report_it() -> None:
    released = threading.Event()

    class Slow(Company):
        def pages(self, visit: Visit) -> Iterator[list[Record]]:
            released.wait(10)
            yield from super().pages(visit)

    events = walk_of(Slow({}, {}), "workspaces", workers=1).findings()
    assert isinstance(next(events), Idle)
    released.set()
    assert any(isinstance(event, ListingEnd) for event in events)
