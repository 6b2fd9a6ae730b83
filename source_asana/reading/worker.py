"""What a worker does: reads one visit after the other, and hands on what it finds."""

import threading
from http import HTTPStatus

from source_asana.asana.errors import GivenUp, Gone, Refusal
from source_asana.asana.rate_limit import Stopped
from source_asana.reading.account import Account
from source_asana.reading.exports.exports import Exports
from source_asana.reading.findings import (
    Ends,
    EventsKnown,
    EventsMissing,
    PutAside,
    Skipped,
    VisitEnd,
)
from source_asana.reading.listing import Listing, Output, Plan
from source_asana.reading.lookups import list_that_shows, task_lookup
from source_asana.reading.named import Moment
from source_asana.reading.outbox import Outbox
from source_asana.reading.reader import Reader
from source_asana.reading.schedule import Schedule
from source_asana.reading.seen import Seen
from source_asana.reading.shortcuts.claims import Claims
from source_asana.reading.visits import Visit
from source_asana.reading.workspace_reading import WorkspaceReading
from source_asana.streams.sources import PROJECT, StreamClass
from source_asana.streams.values import Record, first_of_each

MAY_PASS = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS)
"""Refusals that may be over a moment later: a plan (402) does not change so soon."""


class Worker:
    """Carries out visits; safe for several threads.

    `changed` guards the account, the schedule and the memory of what was seen, and wakes threads.
    """

    def __init__(
        self,
        account: Account,
        reader: Reader,
        schedule: Schedule,
        seen: Seen,
        claims: Claims,
        exports: Exports,
        outbox: Outbox,
        changed: threading.Condition,
    ) -> None:
        self._account = account
        self._reader = reader
        self._schedule = schedule
        self._seen = seen
        self._claims = claims
        self._exports = exports
        self._outbox = outbox
        self._workspaces = WorkspaceReading(account, reader, seen, outbox, changed)
        self._changed = changed
        self.given_up: set[Listing] = set()

    def carry_out(self, visit: Visit) -> None:
        """Do a visit, and hand on how it ended. Raises Stopped."""
        try:
            end = self._end_of(visit)
        except Stopped:
            raise
        except Exception as caught:  # noqa: BLE001 - it goes to the main thread, which judges
            end = VisitEnd(visit, caught)
        self._outbox.put(end)

    def _end_of(self, visit: Visit) -> Ends:
        if self._claims.may_skip(visit, self.given_up):
            return Skipped(visit)
        with self._changed:
            shown = self._schedule.aside.shown_before(visit)
        try:
            return VisitEnd(visit, self._read(visit, shown))
        except Refusal as refusal:
            end = self._refused(visit, refusal)
            if isinstance(end, PutAside):
                with self._changed:
                    self._schedule.aside.put(end, shown)
            return end

    def _refused(self, visit: Visit, refusal: Refusal) -> PutAside | VisitEnd:
        """The end of a visit that Asana refused: for now, or for this sync.

        What is below a task that is gone is no refusal. Raises what `TaskQuestions.is_gone` raises.
        """
        is_unknown = refusal.status == HTTPStatus.NOT_FOUND
        can_repeat = visit.gid is not None and not self._schedule.aside.is_repeated
        if can_repeat and refusal.status in MAY_PASS:
            return PutAside(visit._replace(claim=None), refusal)  # it is not skipped then
        if is_unknown and visit.is_below_task:
            is_gone = self._reader.tasks.is_gone(str(visit.gid), purpose=visit.listing.name)
        else:
            is_gone = is_unknown and visit.listing in self._account.plan.lookups.values()
        return VisitEnd(visit, Gone(refusal.status, refusal.message, "") if is_gone else refusal)

    def _read(self, visit: Visit, shown: set[str]) -> Exception | None:
        """Read what a visit lists, except the gids in `shown`, to which it adds what it finds.

        Returns why it could not be done without being refused. Raises Refusal and Stopped.
        """
        plan = self._account.plan
        if visit.listing in self.given_up and visit.listing is not plan.events:
            return GivenUp(visit.listing.path)  # without its events a project is read in full
        with self._changed:
            begun = self._seen.begins(visit)
        if visit.listing is plan.events:
            return self._read_events(visit, begun)
        if visit.listing is plan.unlisted:
            return self._learn_of_unlisted(str(visit.gid), visit)
        unexplained = 0
        created: list[object] = []
        answer = self._exports.answer(visit)
        for page in answer.pages(self._reader.pages(visit)):
            fresh = first_of_each(page, shown)
            if visit.claim:
                created += [record.get(str(visit.listing.stream.cursor_field)) for record in fresh]
            if visit.listing.stream.container == PROJECT:
                self._workspaces.read_events(visit, len(fresh))
            unexplained += self._deliver(visit, fresh, begun)
            del page, fresh  # before the next page is requested
        if unexplained:
            self._doubt_events(visit, unexplained)
        if answer.is_asked:
            self._claims.check(visit, created)
        now = self._reader.now()
        with self._changed:
            after = self._account.after_list(visit, shown, now)
            self._schedule.open_new(after, may_age=True)
            end = answer.end()
            self._schedule.open_again(end.again)
        if end.news:
            self._outbox.put(end.news)
        return None

    def _doubt_events(self, visit: Visit, unexplained: int) -> None:
        """Tell of changes without events; once a day, read all tasks of the project for them."""
        project = visit.container
        with self._changed:
            is_read_again = project.news.checked is None
            if is_read_again:
                project.doubt()
                self._schedule.open_new([visit], may_age=True)
        self._outbox.put(EventsMissing(project, unexplained, is_read_again))

    def _learn_of_unlisted(self, project: str, visit: Visit) -> Exception | None:
        """Learn what happened to a project that has marks and is no longer listed."""
        answer = self._reader.record_or_status(visit)
        with self._changed:
            if self._account.unlisted and answer is not None:
                self._account.unlisted.learn(project, answer, self._reader.time())
        return None

    def _read_events(self, visit: Visit, begun: Moment) -> Exception | None:
        """Read a project's events, and open the visits that they leave necessary."""
        project = visit.container
        read = self._reader.project_events(visit)
        events = {event["event_id"]: event for event in read.delivered}
        for output in visit.listing.outputs:
            with self._changed:
                asked = abs(begun)
                new = [e for g, e in events.items() if self._seen.is_new(output.stream, g, asked)]
            self._outbox.put_page(visit, output, new)
        with self._changed:
            project.learn(read.changes, read.token, read.began, are_lost=read.are_lost)
        self._outbox.put(EventsKnown(project))
        with self._changed:
            self._seen.events(read.events, abs(begun))
            after = self._account.after_events(project)
            self._schedule.open_new(after, may_age=True)
        return read.error

    def _deliver(self, visit: Visit, page: list[Record], begun: Moment) -> int:
        """Hand on what no other visit has handed on, and open the visits below it.

        Returns how many tasks have changed of which an event should tell, and none does.
        """
        plan, listing, seen = self._account.plan, visit.listing, self._seen
        continues = self._account.rules.continues
        records: dict[Output, list[Record]] = {output: [] for output in listing.outputs}
        below: list[Visit] = []
        unexplained = 0
        now = self._reader.now()
        asked_since = visit.since()
        followed = visit.container.followed_time() if asked_since and listing.is_task_list else None
        with self._changed:
            seen.began(self._reader.time)
            for record in page:
                look = self._account.look_at(visit, record, now, asked_since, followed, begun)
                may_repeat = listing.stream.may_repeat(record)
                remembers = may_repeat or (continues and _may_come_again(visit, record, seen))
                if remembers and not may_repeat and _is_read_whole(visit, record, seen):
                    seen.note_whole(record["gid"])
                    remembers = False
                for output in look.wanted:
                    if not (
                        remembers and _is_known(plan, visit, output.stream, record, begun, seen)
                    ):
                        records[output].append(record)
                unexplained += look.is_unexplained
                may_age = may_repeat or seen.is_named(record["gid"])
                visits = look.below
                if look.names:
                    visits = [task_lookup(plan, visit.container, look.names), *visits]
                if remembers:
                    visits = self._schedule.unopened(visits, may_age=may_age)
                below += visits
        for output, found in records.items():
            self._outbox.put_page(visit, output, found)
        with self._changed:
            self._schedule.aside.note_answer(listing)
            self._schedule.open(below)
        return unexplained


def _may_come_again(visit: Visit, record: Record, seen: Seen) -> bool:
    """Whether another visit of a sync that continues may find a record too."""
    if visit.need is None or visit.is_again:
        return False
    listing = visit.listing
    return listing.is_task_list or listing.is_lookup or seen.is_named(record["gid"])


def _is_read_whole(visit: Visit, record: Record, seen: Seen) -> bool:
    """Whether the list of a new project shows a task that nothing else has shown or named."""
    gid = record["gid"]
    is_new = visit.container.is_new and visit.listing.is_task_list
    return is_new and not seen.is_named(gid) and not seen.is_remembered(gid)


def _is_known(
    plan: Plan, visit: Visit, stream: StreamClass, record: Record, begun: Moment, seen: Seen
) -> bool:
    """Whether a record was handed on before, or will be; from now on it is known."""
    above = list_that_shows(plan, visit, record)
    if above and seen.shows(*above, stream, record["gid"]):
        return True
    return not seen.is_new(stream, record["gid"], begun)
