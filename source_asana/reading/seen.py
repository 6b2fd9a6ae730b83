"""What one sync has delivered and asked for, as far as it could come again.

Most records can come in one way only, and nothing is remembered of them. Tasks in several projects,
and everything that events name, can come in several ways. Of tasks in projects that are read for
the first time, only the gid is kept. What an event names is read again unless
it was read after that event could be known: somebody may have worked between the reading of two
projects that share a task.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import count
from math import inf
from typing import NamedTuple

from source_asana.reading.gid_set import GidSet
from source_asana.reading.listing import Listing
from source_asana.reading.named import SOMETIME, Moment, Named
from source_asana.reading.shortcuts.skips import Skips
from source_asana.reading.visits import Visit
from source_asana.streams.sources import StreamClass
from source_asana.streams.values import Record


class Served(NamedTuple):
    """The streams for which a listing has been asked, and those of them that lacked everything."""

    streams: frozenset[StreamClass]
    whole: frozenset[StreamClass]


NOT_ASKED = Served(frozenset(), frozenset())

Visits = frozenset[tuple[Listing, Served]]
"""The listings that have been asked for below one gid. Few differ, so equal ones are one object."""


class Seen:
    """A memory of records and visits. Not safe for several threads."""

    def __init__(self) -> None:
        self._clock = count(start=1)
        self._named = Named()
        self._records: defaultdict[StreamClass, dict[str, Moment]] = defaultdict(dict)
        self._whole = GidSet()
        self._visits: dict[str, Visits] = {}
        self._begun: dict[tuple[Listing, str], Moment] = {}
        self._same: dict[Visits, Visits] = {}
        self.skips = Skips()

    def now(self) -> Moment:
        """The next moment."""
        return float(next(self._clock))

    def began(self, time: Callable[[], str]) -> None:
        """Note Asana's time when the sync began, unless it is known. `time`: tells the time now."""
        if self._named.began_at is None:
            self._named.began_at = time()

    def events(self, events: Iterable[Record], asked_at: Moment) -> None:
        """Note what events name that were asked for at a moment."""
        self._named.note(events, asked_at)

    def is_named(self, gid: str) -> bool:
        """Whether an event names it."""
        return self._named.has(gid)

    def is_new(self, stream: StreamClass, gid: str, begun: Moment) -> bool:
        """Whether to deliver a record that a visit begun at a moment has found; note it."""
        before = self._records[stream].get(gid, SOMETIME if gid in self._whole else None)
        if before is not None and not (
            self._named.is_old(before, gid) and not self._named.is_old(begun, gid)
        ):
            return False
        self._records[stream][gid] = begun
        return True

    def is_remembered(self, gid: str) -> bool:
        """Whether a record was delivered before, in whichever stream."""
        return gid in self._whole or any(gid in records for records in self._records.values())

    def note_whole(self, gid: str) -> None:
        """Remember that a task was delivered, and that everything below it is asked for."""
        self._whole.add(gid)

    def _is_read_whole(self, gid: str) -> bool:
        """Whether a task was read with everything below it, and no event names it since."""
        return gid in self._whole and not self._named.is_old(SOMETIME, gid)

    def shows(self, listing: Listing, parent: str, stream: StreamClass, gid: str) -> bool:
        """Whether a listing that was asked for below a parent shows a record as it is now."""
        if self.skips.has(listing, parent):
            return False
        served = self._served(listing, parent) or NOT_ASKED
        if stream not in served.streams:
            is_shown = parent in self._whole and not self._named.is_old(SOMETIME, gid)
        else:
            is_shown = not self._named.is_old(self._begun.get((listing, parent), inf), gid)
        if is_shown and listing.hint:
            self.skips.rely_on(listing, parent)
        return is_shown

    def may_skip(self, visit: Visit) -> bool:
        """Whether all that a visit could show is what its parent claims.

        An event that names the parent may tell of what came after the claim, and a record may have
        been left out elsewhere because this visit shows it.
        """
        gid, claim = str(visit.gid), visit.claim
        is_outdated = claim is None or self._named.is_old(claim.asked.moment, gid)
        return not is_outdated and not self.skips.is_relied_on(visit.listing, gid)

    def skip(self, visit: Visit) -> None:
        """Note that a visit is skipped: what its parent claims is all that is known."""
        self.skips.add(visit.listing, str(visit.gid), visit.container)
        if visit.claim and (visit.listing, visit.place) in self._begun:
            self._begun[visit.listing, visit.place] = visit.claim.asked.moment

    def opened(self, visit: Visit, *, may_age: bool) -> Visit | None:
        """What of a visit has not been visited; note that it will be. None if nothing is left.

        `may_age`: events may name what it reads after it has been read.
        """
        listing, place, gid = visit.listing, visit.place, str(visit.gid)
        if listing.is_lookup:
            self._named.add(gid)
        elif self._is_read_whole(gid):
            return None
        needs = _needs(visit)
        served = self._served(listing, place)
        begun = self._begun.get((listing, place), inf)
        if served is None or self._named.is_old(begun, gid):
            left: Visit | None = visit
        else:
            left = _left(visit, needs, served)
        if left is not None:
            self._note(listing, place, served or NOT_ASKED, needs)
            if may_age:
                self._begun[listing, place] = inf
        return left

    def _served(self, listing: Listing, place: str) -> Served | None:
        return next((s for at, s in self._visits.get(place, ()) if at is listing), None)

    def _note(self, listing: Listing, place: str, served: Served, needs: Served) -> None:
        both = Served(served.streams | needs.streams, served.whole | needs.whole)
        others = self._visits.get(place, frozenset()) - {(listing, served)}
        visits = others | {(listing, both)}
        self._visits[place] = self._same.setdefault(visits, visits)

    def begins(self, visit: Visit) -> Moment:
        """The moment at which a visit is carried out, from now on."""
        now = self.now() if visit.container.is_followed else -self.now()
        if (visit.listing, visit.place) in self._begun:
            self._begun[visit.listing, visit.place] = now
        if visit.listing.hint:
            self.skips.note_read(visit.listing, str(visit.gid))
        return now


def _needs(visit: Visit) -> Served:
    if visit.need is None:
        return NOT_ASKED
    fed = frozenset(visit.need.feeds(visit.listing))
    return Served(fed, fed & visit.whole_streams())


def _left(visit: Visit, needs: Served, served: Served) -> Visit | None:
    """What a visit is still needed for. A listing with nothing below it is always read whole."""
    if visit.need is None:
        return None
    if visit.listing.children:
        is_served = needs.streams <= served.streams and needs.whole <= served.whole
        return None if is_served else visit
    lacking = needs.streams - served.streams
    return visit._replace(need=visit.need.only(lacking)) if lacking else None
