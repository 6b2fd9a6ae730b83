"""What the events of one sync name, and whether they make outdated what was read before."""

from collections.abc import Iterable

from source_asana.reading.changes import changes_of
from source_asana.streams.values import Record, is_before

NEVER = 0.0

Moment = float
"""When something was read, in the order of one clock. Negative where no events were followed."""

SOMETIME: Moment = -0.5
"""When something was read of which no moment is remembered: before all moments, not followed."""


class Named:
    """The gids that events name, each with the moment at which those events were asked for.

    `began_at`: Asana's time when the sync began, once it is known.
    """

    def __init__(self) -> None:
        self.began_at: str | None = None
        self._events: set[str] = set()
        self._ever: set[str] = set()
        self._since_began: dict[str, Moment] = {}
        self._later: dict[str, Moment] = {}

    def note(self, events: Iterable[Record], asked_at: Moment) -> None:
        """Note what new events name, asked for at a moment."""
        new = [event for event in events if event["event_id"] not in self._events]
        self._events.update(event["event_id"] for event in new)
        self._ever |= changes_of(new).named()
        began_at = self.began_at or ""
        lately = [event for event in new if not is_before(event.get("created_at"), began_at)]
        later = [event for event in lately if event.get("created_at") != began_at]
        for named, by in ((self._since_began, lately), (self._later, later)):
            for gid in changes_of(by).named():
                named[gid] = max(asked_at, named.get(gid, NEVER))

    def add(self, gid: str) -> None:
        """Note that a gid is looked up as if an event named it."""
        self._ever.add(gid)

    def has(self, gid: str) -> bool:
        """Whether an event names it."""
        return gid in self._ever

    def is_old(self, read_at: Moment, gid: str) -> bool:
        """Whether an event that names it may have happened after it was read.

        One of the second in which the sync began may have happened before. It has not, if it was
        read where events were followed, because they would have told of it.
        """
        named = self._since_began if read_at > 0 else self._later
        return abs(read_at) < named.get(gid, NEVER)
