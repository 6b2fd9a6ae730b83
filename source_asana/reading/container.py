"""What a sync reads container by container: a project, or another object whose records have marks.

Containers form a tree: the account, its workspaces, their projects. A container is open while
anything may still be found in it, and ends when its visits and inner containers have ended.
A container of which nothing was read before is read whole. Of the others an incremental sync reads
what was modified since their marks, what events name, and what is below either.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from source_asana.asana.times import LOOKBACK_MINUTES, shifted
from source_asana.reading.changes import Changes, WorkspaceEvents
from source_asana.reading.listing import Listing
from source_asana.reading.marks import Missing
from source_asana.streams.sources import PROJECT, TASK, StreamClass
from source_asana.streams.values import Record, is_before

ACCOUNT, WITHOUT_PROJECT = "account", "tasks without a project"

EVENTS_COME_WITHIN_MINUTES = 10
"""How late Asana's events may be. https://developers.asana.com/reference/events"""

SAME_MINUTE_SECONDS = 60
"""How far apart the times of a change and of its event may be."""


@dataclass(frozen=True)
class Need:
    """What streams need of a container: for each the time since when, or None for everything.

    `start`: the user's start date, before which nothing is wanted of what is history.
    """

    since: Mapping[StreamClass, str | None]
    start: str | None = None

    def feeds(self, listing: Listing) -> list[StreamClass]:
        """The streams that need a listing to be read."""
        return [stream for stream in self.since if stream in listing.feeds]

    def only(self, streams: Collection[StreamClass], *, whole: bool = False) -> "Need":
        """The same for some of the streams; if `whole`, everything of theirs."""
        since = {s: None if whole else self.since[s] for s in self.since if s in streams}
        return Need(since, self.start)

    def since_when(self, listing: Listing) -> tuple[bool, str | None]:
        """Whether a stream needs all of a listing; else the earliest time since when."""
        times = [self.since[stream] for stream in self.feeds(listing)]
        known = [time for time in times if time]
        is_whole = not times or len(known) < len(times)
        return is_whole, None if is_whole else min(known)

    def oldest(self) -> str | None:
        """The earliest time of any stream; None if all of them need everything."""
        return min((time for time in self.since.values() if time), default=None)

    def is_too_old(self, stream: StreamClass, record: Record) -> bool:
        """Whether a record of history is from before the user's start date."""
        if self.start is None or not stream.is_history():
            return False
        return is_before(record.get(str(stream.cursor_field)), self.start)


NOTHING_MARKED = Need({})


@dataclass(frozen=True)
class Former:
    """What former syncs left for a container.

    `tokens`: the sync tokens to continue from, each with the workspace it belongs to, if it is not
    the project's own. `is_unknown`: a stream has a mark, but no token for what happened since.
    `missing`: requests that failed, by stream. `checked`: when a sync last read all tasks
    because events were missing, if that was within a day. `doubted`: the streams of which
    everything is read again, although they have marks.
    """

    tokens: tuple[tuple[str, str | None], ...] = ()
    is_unknown: bool = False
    missing: Mapping[StreamClass, Missing] = field(default_factory=dict)
    checked: str | None = None
    doubted: frozenset[StreamClass] = frozenset()

    def of_workspaces(self) -> list[str]:
        """The tokens that belong to a workspace."""
        return [token for token, workspace in self.tokens if workspace is not None]

    def own(self) -> list[str]:
        """The tokens that belong to the project."""
        return [token for token, workspace in self.tokens if workspace is None]


NOTHING_FORMER = Former()


@dataclass(frozen=True)
class News:
    """What is known to have happened in a container since its marks.

    `began`: the mark of what is requested in it. `token`: the sync token for the next sync; without
    one each stream keeps its own. `are_lost`: events are lost, so all tasks and subtasks are read.
    `checked`: as in `Former`, or of this sync. `put_off`: its lists that a later sync reads,
    because nothing suggests that they have changed; `put_off_until`: when it is their turn anyway.
    """

    began: str = ""
    token: str | None = None
    changes: Changes = field(default_factory=Changes)
    are_lost: bool = False
    checked: str | None = None
    put_off: frozenset[Listing] = frozenset()
    put_off_until: str = ""


@dataclass(eq=False)
class Container:
    """One container. `gids`: those that its columns name for lookups. `open`: what has not ended.

    `events`: those of a whole workspace, where Asana tells them. `shown`: the gids of tasks that
    events name and that the list of tasks has shown; None before that was read to its end.
    `exported`: the streams that have got records from the file of an export.
    """

    kind: str
    gid: str
    above: "Container | None" = None
    need: Need = NOTHING_MARKED
    former: Former = NOTHING_FORMER
    news: News = field(default_factory=News)
    gids: Mapping[Listing, str] = field(default_factory=dict)
    events: WorkspaceEvents | None = None
    shown: set[str] | None = None
    exported: set[StreamClass] = field(default_factory=set)
    open: int = 0

    @property
    def is_project(self) -> bool:
        return self.kind == PROJECT

    @property
    def is_new(self) -> bool:
        """Whether nothing was read of it before."""
        return not any(self.need.since.values()) and not self.news.are_lost

    @property
    def workspace_events(self) -> WorkspaceEvents | None:
        """The events of the whole workspace, where Asana tells them."""
        return self.above.events if self.above and self.is_project else self.events

    @property
    def shares_events(self) -> bool:
        """Whether only the workspace's events tell what happened: it looks up what they name."""
        events = self.workspace_events
        return events is not None and self.news.changes is events.for_projects

    @property
    def is_followed(self) -> bool:
        """Whether the events since its marks are known."""
        return bool(self.former.tokens and self.news.token) and not self.news.are_lost

    def learn(self, changes: Changes, token: str | None, began: str, *, are_lost: bool) -> None:
        """Note what its events tell, asked for at `began`, or that they are lost."""
        are_lost |= self.former.is_unknown
        self.news = replace(self.news, changes=changes, token=token, began=began, are_lost=are_lost)

    def doubt(self) -> None:
        """Note that events must have been lost, so that all tasks and subtasks are read."""
        self.news = replace(self.news, are_lost=True, checked=self.news.began)

    def show(self, gids: set[str]) -> None:
        """Note which tasks the list of tasks has shown."""
        shown = gids & self.news.changes.tasks
        holder = self.above if self.shares_events and self.above else self
        holder.shown = (holder.shown or set()) | shown

    def not_shown(self, tasks: set[str]) -> set[str]:
        """Those of the named tasks to look up: none if all tasks are read, or the list was not."""
        was_lost = self.news.are_lost and self.news.checked != self.news.began
        return set() if was_lost or self.shown is None else tasks - self.shown

    def renewed_tokens(self) -> dict[str, str | None]:
        """The former tokens of a workspace, each with the one that follows; None if it was lost."""
        events = self.events
        if events is None:
            return {}
        return {old: None if old in events.lost else events.token for old in events.events}

    def reads_all(self, stream: StreamClass) -> bool:
        """Whether all tasks of a stream are read, because events are lost."""
        return self.news.are_lost and stream.event_type == TASK

    def is_touched(self, record: Record) -> bool:
        """Whether an event tells that a task is new or has changed."""
        changes = self.news.changes
        return record["gid"] in changes.touched or record["gid"] in changes.arrived

    def is_deleted(self, kind: str, gid: str) -> bool:
        """Whether events tell that an object was deleted, and did not come back."""
        events = self.workspace_events
        return (events.changes if events else self.news.changes).is_deleted(kind, gid)

    def followed_time(self) -> tuple[str, str] | None:
        """The time in which each change must have an event by now; None if events are unknown."""
        marks = [t for stream, t in self.need.since.items() if t and stream.is_told_by_events()]
        if not self.is_followed or not marks:
            return None
        token_known_at = shifted(min(marks), minutes=LOOKBACK_MINUTES, seconds=SAME_MINUTE_SECONDS)
        asked_at = shifted(self.news.began, minutes=LOOKBACK_MINUTES)
        return token_known_at, shifted(asked_at, minutes=-EVENTS_COME_WITHIN_MINUTES)

    def is_unexplained(self, task: Record, followed_time: tuple[str, str]) -> bool:
        """Whether a task was modified in a time that events cover, and none of them names it."""
        modified_at = str(task["modified_at"])
        start, end = followed_time
        if not start < modified_at < end or self.is_touched(task):
            return False
        near = [
            shifted(modified_at, seconds=by) for by in (-SAME_MINUTE_SECONDS, SAME_MINUTE_SECONDS)
        ]
        return not self.news.changes.explains(*near)
