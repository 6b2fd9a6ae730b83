"""The content of a destination after any history of changes and syncs, and what it must be.

A `History` is an account that people change, a connector that reads it now and then, and the tables
that a destination makes of it. `History.differences` compares these with the account. The functions
at the end allow for Asana's limits, one function for each limit.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Literal, NamedTuple, Self

import orjson
import pendulum

from integration_tests.asana_emulator import AsanaEmulator, make_account
from integration_tests.asana_emulator.account import Account, Clock, Event
from integration_tests.asana_emulator.clock import stamp
from integration_tests.asana_emulator.endpoints import EVENTS
from integration_tests.asana_emulator.gids import kind_of
from integration_tests.reading import Json, Record, Said, config_for, run
from integration_tests.truth_of import declared
from source_asana.reading.exports.job import ExportLimits
from source_asana.reading.shortcuts.evidence import Terms

DELETED_AT = "_ab_cdc_deleted_at"
BEGIN = pendulum.datetime(2026, 11, 2, 8)
TOKEN_HOURS = 24
REFUSED_TOKENS = (400, 412)
QUIET_MINUTES = 20
RECHECKED_WITHIN_MINUTES = 24 * 60 + 10
MAY_WAIT_FOR_A_RECHECK = {
    "sections",
    "sections_compact",
    "attachments",
    "attachments_compact",
    "status_updates",
}
TASKS_IN_A_PROJECT = 2
TIME_ENTRIES = "time_tracking_entries"
DAYS_ASKED_FOR = 14
"""A sync lists the time entries for so many days before the former one."""
TASK_STREAMS = ("tasks", "subtasks")
COMPARED_AS_A_WHOLE = ("custom_field_settings", "user_task_lists")
"""Their records are nested in others: not every user who sees them can request one."""
FOR_SERVICE_ACCOUNTS = ("audit_log_events", "organization_exports")
MADE_COLUMNS = ("portfolio_gid", "workspace_gid")
OF_STORIES = ("stories", "stories_compact")
OF_ATTACHMENTS = ("attachments", "attachments_compact")
BELOW = {
    "/tasks/{task_gid}/stories": OF_STORIES,
    "/attachments": OF_ATTACHMENTS,
    "/tasks/{task_gid}/subtasks": ("subtasks", *OF_STORIES, *OF_ATTACHMENTS),
    "/tasks/{task_gid}": ("tasks", "subtasks", *OF_STORIES, *OF_ATTACHMENTS),
}
"""The streams that lack something where an endpoint is refused for a task."""
WORTH_ASKING = 50
"""From this number of projects on, a workspace is asked for the events of all at once."""

Key = tuple[str, ...]


SOON_PROVED = Terms(first=2, one_in=4, counter_claims=1)
"""As if the account were large: few of a shortcut's claims are checked."""


class OracleError(AssertionError):
    """The history so far, one step per line, and the error at its end."""


@dataclass(frozen=True)
class Stream:
    """A stream as `discover` shows it."""

    name: str
    schema: Json
    key: tuple[str, ...]
    cursor: str | None
    incremental: bool

    @property
    def base(self) -> str:
        """The name of the stream without `_compact`."""
        return self.name.removesuffix("_compact")

    def key_of(self, record: Record) -> Key:
        return tuple(str(record[column]) for column in self.key)

    def configured(self) -> Json:
        mode = "incremental" if self.incremental else "full_refresh"
        stream = {
            "name": self.name,
            "json_schema": self.schema,
            "supported_sync_modes": ["full_refresh", "incremental"],
        }
        return {
            "stream": stream,
            "sync_mode": mode,
            "destination_sync_mode": "append_dedup" if self.incremental else "overwrite",
            "cursor_field": [self.cursor] if self.cursor else None,
            "primary_key": [[column] for column in self.key],
        }


@cache
def discovered() -> dict[str, Stream]:
    """The streams that the connector offers, discovered without a request."""
    credentials = {"option_title": "PAT Credentials", "personal_access_token": "none"}
    (message,) = run("discover", "", {"credentials": credentials}).of_type("CATALOG")
    return {
        found["name"]: Stream(
            name=found["name"],
            schema=found["json_schema"],
            key=tuple(column for (column,) in found["source_defined_primary_key"]),
            cursor=next(iter(found.get("default_cursor_field") or ()), None),
            incremental="incremental" in found["supported_sync_modes"],
        )
        for found in message["catalog"]["streams"]
    }


@dataclass(frozen=True)
class Row:
    """A record in a table. `seen`: the number of events when its sync began."""

    record: Record
    seen: int


class Destination:
    """Tables as Airbyte's destinations keep them: by key, newest wins, tombstones delete."""

    def __init__(self, streams: Mapping[str, Stream]) -> None:
        self.tables: dict[str, dict[Key, Row]] = defaultdict(dict)
        self.states: dict[str, Json] = {}
        self._streams = streams
        self._arriving: dict[str, dict[Key, Row]] = {}

    def take(self, message: Json, seen: int) -> None:
        """Apply one message."""
        match message["type"]:
            case "RECORD":
                self._put(self._streams[message["record"]["stream"]], message["record"], seen)
            case "STATE":
                told = message["state"]
                self.states[told["stream"]["stream_descriptor"]["name"]] = told
            case "TRACE" if message["trace"]["type"] == "STREAM_STATUS":
                told = message["trace"]["stream_status"]
                if told["status"] == "COMPLETE":
                    self._replace(told["stream_descriptor"]["name"])

    def begin(self) -> None:
        """Begin a sync: drop everything that a failed one has left of full refreshes."""
        self._arriving = defaultdict(dict)

    def clear(self) -> None:
        """Drop all rows and states, as a user does who wants a full refresh."""
        self.tables.clear()
        self.states.clear()

    def resumable_from(self) -> list[Json]:
        """The last state of each stream that is not fully read each time."""
        return [state for name, state in self.states.items() if self._streams[name].incremental]

    def _put(self, stream: Stream, message: Json, seen: int) -> None:
        record = message["data"]
        table = (self.tables if stream.incremental else self._arriving)[stream.name]
        if record.get(DELETED_AT):
            table.pop(stream.key_of(record), None)
        else:
            table[stream.key_of(record)] = Row(record, seen)

    def _replace(self, name: str) -> None:
        if not self._streams[name].incremental:
            self.tables[name] = self._arriving.pop(name, {})


class Denied(NamedTuple):
    """A task that Asana refuses in part, and the status."""

    endpoint: str
    status: int
    task: str

    def __str__(self) -> str:
        return f"Asana answers {self.status} to {self.endpoint} of {self.task}"


class Position(NamedTuple):
    """How far a stream has followed the events of a project, and the age of its token."""

    end: int
    at: pendulum.DateTime


class Gap(NamedTuple):
    """Events of a project that no token can return any longer; `since`: when it was last read."""

    project: str
    lost: range
    since: str


@dataclass(frozen=True)
class Moment:
    """The visible projects and all events so far at one time.

    `away`: the projects that were visible while their workspace was, which is not listed now.
    """

    at: pendulum.DateTime
    projects: frozenset[str]
    away: frozenset[str]
    log: Sequence[Event]
    is_deleted: Callable[[str], bool]


@dataclass
class Followed:
    """The information that one stream could have had, whatever the connector did with it.

    `told`: the events, by their place in the account's log, that valid tokens have covered.
    `reads_events_only`: events before a project's first token make no difference to it.
    """

    reads_events_only: bool = False
    told: set[int] = field(default_factory=set)
    gaps: list[Gap] = field(default_factory=list)
    projects_told_gone: set[str] = field(default_factory=set)
    _positions: dict[str, Position] = field(default_factory=dict)
    _cut_off: frozenset[str] = frozenset()
    _projects: frozenset[str] = frozenset()

    def cut_off(self, projects: Collection[str]) -> None:
        """Record that Asana refused the sync tokens of these projects in the sync that ends."""
        self._cut_off |= set(projects)

    def complete(self, now: Moment, refused: Collection[str], before: int) -> None:
        """Record a complete sync of this stream; `before` counts the events at its beginning."""
        for project in now.projects - set(refused):
            self._follow(project, now, before)
        away = self._projects & now.away
        told = self._projects - away
        self.projects_told_gone |= {gid for gid in told if now.is_deleted(gid)}
        self._projects = now.projects | away
        self._forget_all_but(now.projects | now.away)

    def break_off(self, now: Moment) -> None:
        """Record an incomplete sync: it may have forgotten the projects that are out of sight."""
        self._projects = frozenset(
            gid for gid in self._projects if gid in now.projects | now.away or now.is_deleted(gid)
        )
        self._forget_all_but(now.projects | now.away)

    def _follow(self, project: str, now: Moment, before: int) -> None:
        known = self._positions.get(project)
        if known is None:
            begin = len(now.log) if self.reads_events_only else before
            self._positions[project] = Position(begin, now.at)
        elif now.at <= known.at.add(hours=TOKEN_HOURS) and project not in self._cut_off:
            end = max(known.end, before)
            covered = range(known.end, end)
            self.told |= {at for at in covered if project in now.log[at].watched}
            self._positions[project] = Position(end, now.at)
        else:
            lost = range(known.end, len(now.log))
            self.gaps.append(Gap(project, lost, stamp(known.at)))
            self._positions[project] = Position(lost.stop, now.at)
        self._cut_off -= {project}

    def _forget_all_but(self, projects: Collection[str]) -> None:
        self._positions = {gid: known for gid, known in self._positions.items() if gid in projects}


Change = Callable[[Account], object]

EXPORT_LIMITS = ExportLimits(
    least_tasks=3,
    requests_per_minute=60.0,
    first_pause=0.0,
    terms=Terms(first=2, one_in=5, counter_claims=0),
)
"""As if the account was large."""


class History:
    """Changes and syncs, step by step, and a check of each sync."""

    def __init__(  # noqa: PLR0913 - whatever can differ between two histories
        self,
        person: str = "service",
        *,
        event_delay: float = 0.0,
        workers: int = 1,
        workspace_events: bool = False,
        shuffles_events: bool = False,
        old_sync_tokens: Literal[400, 412] | None = None,
        skips_requests: bool = False,
        recheck_minutes: int | None = None,
        exports: bool = False,
    ) -> None:
        self.person = person
        self.recheck_minutes = recheck_minutes
        self.config = {
            "num_workers": workers,
            "skip_tasks_without_attachments": skips_requests,
            "recheck_interval_minutes": recheck_minutes,
            "use_resource_exports": exports,
        }
        self.clock = Clock(BEGIN)
        self.asana = AsanaEmulator(_small_account(self.clock)).start()
        self.asana.controls.event_delay = event_delay
        self.asana.controls.shuffles_events = shuffles_events
        self.asana.controls.old_sync_tokens = old_sync_tokens
        self.account = self.asana.account
        self.viewer = self.account.people[person]
        self.streams = {
            name: stream
            for name, stream in discovered().items()
            if person == "service" or name not in FOR_SERVICE_ACCOUNTS
        }
        self.destination = Destination(self.streams)
        self.followed = self._follow_from_now()
        self.story: list[str] = []
        self.refused: set[str] = set()
        self.failed = False
        self.has_lost_events = False
        self.syncs = 0
        self.parent_of: dict[str, str] = {}
        self.away: set[str] = set()
        self._workspace_of: dict[str, str] = {}
        self._event_ids: set[str] = set()
        self.entries_shown: list[tuple[str, set[str]]] = []
        if skips_requests:
            self._tell("the connector skips attachment requests of tasks without attachments")
        if workspace_events:
            self._go_over_to_workspace_events()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.asana.stop()

    # -- steps ------------------------------------------------------------------------------------

    def change(self, told: str, change: Change) -> Any:
        """Change the account, a second after the last change."""
        self.clock.advance(1)
        self._tell(told)
        return self.asana.change(change)

    def remember(self, gid: str) -> None:
        """Note the parents of an object and of all tasks below it before it is deleted."""
        service, below = self.account.people["service"], [gid]
        while below:
            noted = below.pop()
            record = self.account.record(service, noted)
            above = record.get("parent") or record.get("target") or record.get("project")
            if above:
                self.parent_of[noted] = above["gid"]
            if record["resource_type"] == "task":
                below += self.account.listing(service, "subtasks", noted)

    def wait(self, minutes: float) -> None:
        self._tell(f"{minutes:g} minutes pass")
        self.clock.advance(60 * minutes)

    def _go_over_to_workspace_events(self) -> None:
        """Give the largest workspace its own sync token, and use that from then on."""
        self.asana.controls.workspace_events = True
        (workspace, *_) = self.account.listing(self.viewer, "workspaces", "")
        begun = [
            self.account.create_project(workspace, f"Short-lived {number}", sections=["Only one"])
            for number in range(WORTH_ASKING)
        ]
        self.sync(["events"])
        for project in begun:
            self.account.delete(project)
        self._tell(f"{WORTH_ASKING} projects made workspace {workspace} tell its events, and ended")

    def refuse(self, project: str) -> None:
        """Refuse everything about one project, although it is listed."""
        self._tell(f"Asana refuses project {project}")
        self.refused.add(project)
        self.asana.controls.deny(project, 403)

    def relent(self) -> None:
        self._tell("Asana refuses nothing any more")
        self.refused.clear()
        self.asana.controls.denials.clear()

    def leave_workspace(self, workspace: str) -> None:
        """Remove the token's user from a workspace."""
        self.now()  # notes its content
        self.away.add(workspace)
        user = self.viewer.user
        self.change(
            f"the token's user leaves {self.name(workspace)}",
            lambda account: account.leave_workspace(workspace, user),
        )

    def join_workspace(self, workspace: str) -> None:
        """Add the token's user to the workspace again."""
        self.away.remove(workspace)
        user = self.viewer.user
        self.change(
            f"the token's user joins {self.name(workspace)} again",
            lambda account: account.join_workspace(workspace, user),
        )

    def lose_events(self, share: float) -> None:
        """Lose some events from now on: until `clear`, the true content is unknown."""
        self._tell(f"Asana loses {share:.0%} of the events")
        self.has_lost_events = True
        self.asana.controls.lost_events = share

    def clear(self) -> None:
        """Clear the connection as a user does, and stop losing events."""
        self._tell("the tables are cleared")
        self.has_lost_events = False
        self.asana.controls.lost_events = 0.0
        self.destination.clear()
        self.followed = self._follow_from_now()
        self._event_ids.clear()

    def _follow_from_now(self) -> dict[str, Followed]:
        return {name: Followed(name == "events") for name in self.streams}

    def sync(
        self,
        streams: Collection[str] | None = None,
        *,
        killed_after: int | None = None,
        killed_at_tombstone: int | None = None,
        amid: Sequence[tuple[str, int, str, Change]] = (),
        refused: Sequence[Denied] = (),
    ) -> Said:
        """Sync some streams (all if None), until killed after this many messages or tombstones.

        `amid`: changes during the sync: before which request, after how many of these, what.
        `refused`: what Asana refuses in this sync.
        """
        denials = list(self.asana.controls.denials)
        for denied in refused:
            self.asana.controls.deny(denied.endpoint, denied.status, only=denied.task)
        names = [name for name in self.streams if streams is None or name in streams]
        before, happened = len(self._log()), self._interrupted_by(amid)
        asked = len(self.asana.ledger.requests)
        killed_before = _nth_tombstone(killed_at_tombstone)
        self.destination.begin()
        said = run(
            "read",
            self.asana,
            config_for(self.asana, self.person, **self.config),
            {"streams": [self.streams[name].configured() for name in names]},
            self.destination.resumable_from(),
            killed_after=killed_after,
            killed_before=killed_before,
            seconds_between_states=0.0,  # as if syncs took minutes
            terms=SOON_PROVED,
            export_limits=EXPORT_LIMITS,
        )
        self.syncs += 1
        self.asana.controls.interruptions.clear()
        self.asana.controls.denials = denials
        lacking = {stream for denied in refused for stream in BELOW[denied.endpoint]}
        kill = _kill_in_words(killed_after, killed_at_tombstone)
        self._tell_sync(names, kill, [*happened, *map(str, refused)])
        self._check(said, names, lacking, disturbed=bool(happened), killed=bool(kill))
        for message in said.messages:
            self.destination.take(message, before)
        self._follow(said, names, lacking, before, self._cut_off_since(asked))
        return said

    def settle(self) -> None:
        """Run a last quiet sync, after which the tables must match the account.

        What waits for a recheck must match after a day, in which no sync token expires.
        """
        if self.refused:
            self.relent()
        for workspace in sorted(self.away):
            self.join_workspace(workspace)
        if self.has_lost_events:
            self.clear()
        self.wait(QUIET_MINUTES)
        self.sync()
        if self.recheck_minutes:
            if wrong := self.differences(set(self.streams) - MAY_WAIT_FOR_A_RECHECK):
                self.fail(*wrong)
            for _ in range(2):
                self.wait(RECHECKED_WITHIN_MINUTES / 2)
                self.sync()
        if wrong := self.differences():
            self.fail(*wrong)

    def differences(self, streams: Collection[str] | None = None) -> list[str]:
        """How the tables (all if None) differ from the account, apart from Asana's limits."""
        return [
            line
            for name in self.streams
            if streams is None or name in streams
            for line in Comparison(self, name).differences()
        ]

    def fail(self, *wrong: str) -> None:
        self.failed = True
        raise OracleError("\n".join(["", *self.story, *(f"BUT {line}" for line in wrong)]))

    # -- the account ------------------------------------------------------------------------------

    def truth(self, stream: str) -> dict[Key, Record]:
        """The records that a full refresh would deliver now."""
        if stream == "events":
            return {}
        chosen = self.streams[stream]
        records = self.asana.expected(stream, self.person)
        return {chosen.key_of(record): declared(record, chosen.schema) for record in records}

    def now(self) -> Moment:
        """The content that the token can see now."""
        listing, viewer = self.account.listing, self.viewer
        workspaces = listing(viewer, "workspaces", "")
        within = {p: w for w in workspaces for p in listing(viewer, "projects", w)}
        self._workspace_of |= within
        return Moment(
            at=self.clock.now(),
            projects=frozenset(within),
            away=frozenset(p for p, w in self._workspace_of.items() if w not in workspaces),
            log=self.account.events.entries,
            is_deleted=lambda gid: self.account.kind(gid) is None,
        )

    def name(self, gid: str) -> str:
        """The kind, gid and name of an object, for people."""
        reference = self.account.shapes.ref(gid)
        title = f" {reference['name']!r}" if reference["name"] else ""
        return f"{reference['resource_type']} {gid}{title}"

    def _changed_just_now(self) -> set[str]:
        """What changed in the very second of a sync: no client can know that it was before. So it,
        and the lists below it, may be read again.
        """
        now = stamp(self.clock.now())
        entries = self.account.events.entries
        return {e.record["resource"]["gid"] for e in entries if e.created_at == now}

    def _log(self) -> Sequence[Event]:
        """The events that have reached the event stream."""
        entries = self.account.events.entries
        newest = self.clock.now().subtract(seconds=self.asana.controls.event_delay)
        return [event for event in entries if event.created_at <= stamp(newest)]

    # -- one sync ---------------------------------------------------------------------------------

    def _interrupted_by(self, amid: Sequence[tuple[str, int, str, Change]]) -> list[str]:
        happened: list[str] = []

        def interrupted(told: str, change: Change) -> None:
            self.clock.advance(1)
            happened.append(told)
            change(self.account)

        for pattern, after, told, change in amid:
            action = partial(interrupted, told, change)
            self.asana.controls.interrupt(pattern, action, after=after)
        return happened

    def _cut_off_since(self, asked: int) -> set[str]:
        """The projects with refused sync tokens; Asana may refuse those used before."""
        if self.asana.controls.old_sync_tokens is None:
            return set()
        refused = {
            gid
            for request in self.asana.ledger.requests[asked:]
            if request.template in EVENTS and "sync" in request.query
            if request.status in REFUSED_TOKENS
            for gid in (request.query.get("resource") or request.path.split("/")[2],)
        }
        workspaces = [gid for gid in refused if kind_of(gid) == "workspace"]
        listed = (self.account.listing(self.viewer, "projects", each) for each in workspaces)
        return refused.union(*listed)

    def _follow(
        self,
        said: Said,
        names: Collection[str],
        lacking: Collection[str],
        before: int,
        cut_off: Collection[str],
    ) -> None:
        now = self.now()
        if TIME_ENTRIES in names:
            oldest = now.at.subtract(days=DAYS_ASKED_FOR).to_date_string()
            self.entries_shown.append((oldest, {gid for (gid,) in self.truth(TIME_ENTRIES)}))
        for name in names:
            if self.streams[name].incremental:
                self.followed[name].cut_off(cut_off)
                if said.statuses(name)[-1:] == ["COMPLETE"]:
                    refused = now.projects if name in lacking else self.refused
                    self.followed[name].complete(now, refused, before)
                else:
                    self.followed[name].break_off(now)

    def _check(
        self,
        said: Said,
        names: Collection[str],
        lacking: Collection[str],
        *,
        disturbed: bool,
        killed: bool,
    ) -> None:
        wrong = list(self._ended_well(said, names, lacking)) if not killed else []
        just_now = self._changed_just_now()
        for name, records in said.records().items():
            stream = self.streams[name]
            once = [] if disturbed else [r for r in records if just_now.isdisjoint(_about(r))]
            wrong += _repeated(stream, records, once)
            wrong += self._older(stream, records)
            if name == "events":
                wrong += self._events_twice(records, said)
            elif not disturbed and name not in COMPARED_AS_A_WHOLE:
                wrong += [line for record in records for line in self._false(stream, record)]
        if wrong:
            self.fail(*wrong)

    def _ended_well(
        self, said: Said, names: Collection[str], lacking: Collection[str]
    ) -> Iterator[str]:
        """Check the statuses: streams with refusals may be incomplete, and must say why."""
        told = {name for name, error in said.errors().items() if _is_refusal(error)}
        for name in names:
            if said.statuses(name)[-1:] != ["COMPLETE"]:
                if name not in told.intersection(lacking):
                    yield f"{name} is not complete: {said.errors()}"
            elif self.streams[name].incremental and not said.states(name):
                yield f"{name} is complete without a state"
        if said.exit_status and not told.intersection(lacking):
            yield f"the sync ended with status {said.exit_status}: {said.errors()}"

    def _older(self, stream: Stream, records: Collection[Record]) -> Iterator[str]:
        """Check the cursors: with an older one, a destination would ignore what comes later."""
        if stream.cursor is None or not stream.incremental:
            return
        table = self.destination.tables[stream.name]
        for record in records:
            row = table.get(stream.key_of(record))
            if not record.get(stream.cursor):
                yield f"{stream.name}: {record} is without its cursor"
            elif row and record[stream.cursor] < row.record[stream.cursor]:
                yield f"{stream.name}: {record} comes after {row.record} with an older cursor"

    def _false(self, stream: Stream, record: Record) -> Iterator[str]:
        """Check that each record of an undisturbed sync matches the account at the time."""
        gid = record["gid"]
        if record.get(DELETED_AT):
            if self.account.kind(gid) is not None and not self._was_deleted_at_last(gid):
                yield f"{stream.name}: a tombstone for {self.name(gid)}, which exists"
            if more := _beyond_a_tombstone(stream, record):
                yield f"{stream.name}: the tombstone of {gid} also has {more}"
        elif not self.account.may_read(self.viewer, gid):
            yield f"{stream.name}: a record of {gid}, which the token cannot read"
        else:
            held = {**self.account.record(self.viewer, gid), **_made(record)}
            expected = declared(held, stream.schema)
            found = {name: value for name, value in record.items() if name != DELETED_AT}
            for column in sorted(expected.keys() | found.keys()):
                if expected.get(column) != found.get(column):
                    yield _unequal(
                        stream.name, gid, column, found.get(column), expected.get(column)
                    )

    def _was_deleted_at_last(self, gid: str) -> bool:
        """Whether Asana has reported its deletion, and not yet that it was restored."""
        ends = {"deleted", "removed"} if kind_of(gid) == "story" else {"deleted"}
        told = [
            event.record["action"]
            for event in self._log()
            if event.record["resource"]["gid"] == gid
        ]
        if self.has_lost_events:
            return not ends.isdisjoint(told)
        return next((a in ends for a in reversed(told) if a in {*ends, "undeleted"}), False)

    def _events_twice(self, records: Collection[Record], said: Said) -> Iterator[str]:
        """Check that events of a complete sync never come again, except in another project."""
        for record in records:
            if record["event_id"] in self._event_ids and not self._has_several_projects(record):
                yield f"events: {record} came before"
        if said.statuses("events")[-1:] == ["COMPLETE"]:
            self._event_ids |= {record["event_id"] for record in records}

    def _has_several_projects(self, record: Record) -> bool:
        same = [e for e in self.account.events.entries if content(e.record) == content(record)]
        return any(sum(kind_of(gid) == "project" for gid in e.watched) > 1 for e in same)

    # -- the report -------------------------------------------------------------------------------

    def _tell(self, told: str) -> None:
        self.story.append(f"{self.clock.now().format('DD MMM HH:mm:ss')}  {told}")

    def _tell_sync(self, names: Sequence[str], killed: str, amid: Sequence[str]) -> None:
        what = "all streams" if len(names) == len(self.streams) else ", ".join(names)
        during = f"; meanwhile {', and '.join(amid)}" if amid else ""
        self._tell(f"SYNC {what}{killed}{during}")


def _small_account(clock: Clock) -> Account:
    """The sample account with few tasks in each project, for syncs with few requests."""
    account = make_account("sample", clock=clock)
    everyone = account.people["service"]
    for workspace in account.listing(everyone, "workspaces", ""):
        for project in account.listing(everyone, "projects", workspace):
            for task in list(account.listing(everyone, "tasks", project))[TASKS_IN_A_PROJECT:]:
                account.delete(task)
    account.events.entries.clear()
    return account


def _is_refusal(error: Json) -> bool:
    return bool(error["failure_type"] == "config_error")


def _nth_tombstone(number: int | None) -> Callable[[str], bool]:
    """Whether a message is this tombstone, counted from 1; never, without a number."""
    left = number or 0

    def is_it(message: str) -> bool:
        nonlocal left
        left -= f'"{DELETED_AT}":"' in message
        return number is not None and left == 0

    return is_it


def _kill_in_words(messages: int | None, tombstone: int | None) -> str:
    if tombstone is not None:
        return f", killed before tombstone {tombstone}"
    return f", killed after {messages} messages" if messages is not None else ""


def content(event: Record) -> str:
    """An event without nulls and without the columns that the connector adds."""
    said = {name: value for name, value in event.items() if name != "event_id"}
    return orjson.dumps(_without_nulls(said), option=orjson.OPT_SORT_KEYS).decode()


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name: _without_nulls(part) for name, part in value.items()}
        return {name: part for name, part in kept.items() if part is not None}
    return value


def _repeated(
    stream: Stream, records: Collection[Record], once: Collection[Record]
) -> Iterator[str]:
    """Check that a key has one outcome in a sync, and that those in `once` come only once.

    An object that moves during the sync may come twice, but a record is not followed by a
    tombstone, nor the other way around.
    """
    outcomes: dict[Key, bool] = {}
    for record in records:
        key, is_tombstone = stream.key_of(record), bool(record.get(DELETED_AT))
        before = outcomes.setdefault(key, is_tombstone)
        if before is not is_tombstone:
            yield f"{stream.name}: {key} is a record and a tombstone in one sync"
        outcomes[key] = is_tombstone
    twice = len(once) - len({stream.key_of(record) for record in once})
    if twice:
        yield f"{stream.name}: {twice} keys came twice in one sync"


def _about(record: Record) -> set[str | None]:
    """The gids of a record, and of the object below which it is listed."""
    above = record.get("target") or record.get("parent") or {}
    return {record.get("gid"), above.get("gid")}


def _beyond_a_tombstone(stream: Stream, record: Record) -> list[str]:
    own = {*stream.key, stream.cursor, DELETED_AT}
    return [name for name, value in record.items() if value is not None and name not in own]


def _made(record: Record) -> Record:
    """The columns that the connector adds."""
    return {name: record[name] for name in MADE_COLUMNS if name in record}


def _unequal(stream: str, gid: str, column: str, found: Any, expected: Any) -> str:
    return f"{stream}: {column} of {gid} is {found!r} but should be {expected!r}"


class Comparison:
    """One table compared with the account, apart from Asana's limits."""

    def __init__(self, history: History, stream: str) -> None:
        self.history = history
        self.stream = history.streams[stream]
        self.followed = history.followed[stream]
        self.rows = history.destination.tables[stream]
        self.log = history.account.events.entries

    def differences(self) -> Iterator[str]:
        if self.stream.name == "events":
            yield from self._events()
            return
        truth = self.history.truth(self.stream.name)
        for key in sorted(truth.keys() - self.rows.keys()):
            if not may_be_missing(self, key[-1], truth[key]):
                yield f"{self.stream.name}: {self.history.name(key[-1])} is missing"
        for key in sorted(self.rows.keys() - truth.keys()):
            if not may_remain(self, key[-1]):
                yield f"{self.stream.name}: {self.history.name(key[-1])} is still there"
        for key in sorted(self.rows.keys() & truth.keys()):
            yield from self._columns(key[-1], self.rows[key], truth[key])

    def _columns(self, gid: str, row: Row, truth: Record) -> Iterator[str]:
        found = {name: value for name, value in row.record.items() if name != DELETED_AT}
        for column in sorted(found.keys() | truth.keys()):
            had, should = found.get(column), truth.get(column)
            if had != should and not may_be_outdated(self, gid, row, column, had, should):
                yield _unequal(self.stream.name, gid, column, had, should)

    def _events(self) -> Iterator[str]:
        if not self.stream.incremental:
            return
        rows = {content(row.record) for row in self.rows.values()}
        schema = self.stream.schema
        told = [content(declared(event.record, schema)) for event in self.log]
        for at in sorted(self.followed.told):
            if told[at] not in rows:
                yield f"events: {told[at]} is missing"
        for row in sorted(rows - set(told)):
            yield f"events: {row} never happened"
        if len(rows) != len(self.rows):
            yield "events: one event has several rows"

    def record(self, gid: str) -> Record:
        """An object as it is now."""
        return self.history.account.record(self.history.viewer, gid)

    def events(self, gid: str, actions: Collection[str], *, since: int = 0) -> list[int]:
        """The places in the log where something happened to an object."""
        return [
            at
            for at in range(since, len(self.log))
            if self.log[at].record["resource"]["gid"] == gid
            and self.log[at].record["action"] in actions
        ]


# -- the limits of Asana --------------------------------------------------------------------------


def may_remain(table: Comparison, gid: str) -> bool:
    """Whether a row may remain that no full refresh would deliver any longer."""
    return (
        out_of_sight(table, gid)
        or deleted_with_its_parent(table, gid)
        or deleted_without_a_valid_token(table, gid)
    ) and table.stream.incremental


def may_be_missing(table: Comparison, gid: str, truth: Record) -> bool:
    """Whether a record may be missing."""
    if not table.stream.incremental:
        return False
    return below_a_task_that_joined_without_a_valid_token(table, truth) or an_old_entry_was_hidden(
        table, truth
    )


def may_be_outdated(
    table: Comparison, gid: str, row: Row, column: str, found: Any, expected: Any
) -> bool:
    """Whether a column may have an earlier value."""
    if not table.stream.incremental:
        return False
    return (
        edited_without_a_valid_token(table, gid, column)
        or counts_a_deleted_subtask(table, gid, row, column)
        or modified_by_an_attachment(table, gid, row, column)
        or reported_on_since(table, gid, row, column)
        or worked_on_since(table, column)
        or _equal_except_nested_values(table, row, column, found, expected)
    )


def _equal_except_nested_values(
    table: Comparison, row: Row, column: str, found: Any, expected: Any
) -> bool:
    found = without_projects_out_of_sight(table, row, column, found, expected)
    found, expected = (
        without_old_names(table, row, without_tasks_in_the_trash(table, row, column, value))
        for value in (found, expected)
    )
    return bool(found == expected)


def out_of_sight(table: Comparison, gid: str) -> bool:
    """It exists, but the token can no longer reach it: a task that has left its projects or its
    parent, everything below such a task, and everything in a deleted or unshared project.
    """
    return table.history.account.kind(gid) is not None


def deleted_with_its_parent(table: Comparison, gid: str) -> bool:
    """Only its parent was deleted, and Asana reports no more than that."""
    return table.history.account.kind(gid) is None and _deletion(table, gid) is None


def deleted_without_a_valid_token(table: Comparison, gid: str) -> bool:
    """It was deleted while no valid token followed any of its projects."""
    if table.stream.base == "projects":
        return gid not in table.followed.projects_told_gone
    return _deletion(table, gid) not in table.followed.told


def _deletion(table: Comparison, gid: str) -> int | None:
    """When it was moved to the trash, where it still is; a story is reported as removed."""
    ends = {"deleted", "removed"} if table.stream.base == "stories" else {"deleted"}
    found = table.events(gid, {*ends, "undeleted"})
    if not found or table.log[found[-1]].record["action"] == "undeleted":
        return None
    return found[-1]


def below_a_task_that_joined_without_a_valid_token(table: Comparison, truth: Record) -> bool:
    """Stories and attachments of a task that joined a project, unmodified, while no valid token
    followed that project: the task itself is listed, but nothing says that it is new there.
    """
    if table.stream.base not in {"stories", "attachments"}:
        return False
    above = list(_tasks_above(table, truth["gid"]))
    if not above:
        return False
    modified_at = table.record(above[0])["modified_at"]
    return any(
        modified_at < gap.since and at in gap.lost and at not in table.followed.told
        for gap in table.followed.gaps
        for task in above
        for at in table.events(task, {"added"})
        if gap.project in table.log[at].watched
    )


def an_old_entry_was_hidden(table: Comparison, truth: Record) -> bool:
    """Time that was entered on a task that the token could not see in a former sync, for a day that
    no later sync asks for: no event tells of it.
    """
    return table.stream.base == TIME_ENTRIES and any(
        truth["gid"] not in shown and truth["entered_on"] < oldest
        for oldest, shown in table.history.entries_shown
    )


def _tasks_above(table: Comparison, gid: str) -> Iterator[str]:
    """The task of a story or attachment, that task's parent, and so on."""
    above = table.record(gid).get("target") or table.record(gid).get("parent")
    while above and above["resource_type"] == "task":
        yield above["gid"]
        above = table.record(above["gid"])["parent"]


def edited_without_a_valid_token(table: Comparison, gid: str, column: str) -> bool:
    """A comment that was edited while no valid token followed a project of its task."""
    if table.stream.base != "stories" or column not in {"text", "html_text", "is_edited"}:
        return False
    edits = table.events(gid, {"changed"})
    return bool(edits) and edits[-1] not in table.followed.told


def counts_a_deleted_subtask(table: Comparison, gid: str, row: Row, column: str) -> bool:
    """The event of a deleted subtask does not name its parent."""
    return column == "num_subtasks" and any(
        event.record["action"] == "deleted"
        and table.history.parent_of.get(event.record["resource"]["gid"]) == gid
        for event in table.log[row.seen :]
    )


def modified_by_an_attachment(table: Comparison, gid: str, row: Row, column: str) -> bool:
    """The event of a deleted attachment does not name its task; the listing of a project shows the
    change anyway, but subtasks are in no such listing.
    """
    return (
        table.stream.name == "subtasks"
        and column == "modified_at"
        and any(
            event.record["action"] == "deleted"
            and table.history.parent_of.get(event.record["resource"]["gid"]) == gid
            for event in table.log[row.seen :]
        )
    )


def reported_on_since(table: Comparison, gid: str, row: Row, column: str) -> bool:
    """A new status update does not modify its project."""
    return (
        table.stream.name == "projects"
        and column in {"current_status", "current_status_update"}
        and any(
            event.record["resource"]["gid"] == gid
            and event.record.get("change", {}).get("field") == "current_status_update"
            for event in table.log[row.seen :]
        )
    )


def worked_on_since(table: Comparison, column: str) -> bool:
    """Time entered on a task does not modify it, and causes no event."""
    return table.stream.name in TASK_STREAMS and column == "actual_time_minutes"


def without_projects_out_of_sight(
    table: Comparison, row: Row, column: str, found: Any, expected: Any
) -> Any:
    """When a project is deleted or unshared, no event names its tasks in other projects."""
    if table.stream.name not in TASK_STREAMS:
        return found
    seen = {
        project["gid"]
        for project in row.record["projects"]
        if table.history.account.may_read(table.history.viewer, project["gid"])
    }
    match column:
        case "projects":
            return [entry for entry in found if entry["gid"] in seen]
        case "memberships":
            return [entry for entry in found if entry["project"]["gid"] in seen]
        case "custom_fields" if len(seen) < len(row.record["projects"]):
            remaining = {entry["gid"] for entry in expected}
            return [entry for entry in found if entry["gid"] in remaining]
    return found


def without_tasks_in_the_trash(table: Comparison, row: Row, column: str, value: Any) -> Any:
    """No event reports to a task that one of its dependencies was deleted or restored."""
    if column not in {"dependencies", "dependents"}:
        return value
    moved = {
        event.record["resource"]["gid"]
        for event in table.log[row.seen :]
        if event.record["action"] in {"deleted", "undeleted"}
    }
    return [entry for entry in value if entry["gid"] not in moved]


def without_old_names(table: Comparison, row: Row, value: Any) -> Any:
    """A name inside a record may have changed since the record was read; a custom field that refers
    to others has their names in its `display_value`.
    """
    if isinstance(value, list):
        return [without_old_names(table, row, entry) for entry in value]
    if not isinstance(value, dict):
        return value
    renamed = _renamed(table, row)
    old = {"name"} if value.get("gid") in renamed else set()
    old |= {"display_value"} if value.get("type") == "reference" and renamed else set()
    return {
        name: without_old_names(table, row, part) for name, part in value.items() if name not in old
    }


def _renamed(table: Comparison, row: Row) -> set[str]:
    return {
        event.record["resource"]["gid"]
        for event in table.log[row.seen :]
        if event.record.get("change", {}).get("field") == "name"
    }
