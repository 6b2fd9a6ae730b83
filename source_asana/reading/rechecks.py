"""Which lists of a project a sync puts off, because nothing suggests that they have changed. Pure.

Asana's events tell what has changed in a project, but an event can be lost, and there is none for
a file attached to the project or for a status update. So every list is read again after a while.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from zlib import crc32

from source_asana.asana.times import minute_of, shifted
from source_asana.reading.container import Container
from source_asana.reading.listing import Listing
from source_asana.streams.sources import PROJECT, StreamClass
from source_asana.streams.values import Record, is_before

LONGEST_INTERVAL_MINUTES = 24 * 60
"""As long as Asana keeps events. An archived project is rechecked once in this time."""


@dataclass(frozen=True)
class Rechecks:
    """How often to read the lists of a project that do not seem to have changed.

    `minutes`: the interval; None means in each sync.
    """

    minutes: int | None = None

    def put_off(self, listings: Collection[Listing], project: Container, record: Record) -> None:
        """Put off what was read since the project was modified and since it was its turn."""
        if self.minutes is None:
            return
        is_archived = record.get("archived") is True
        minutes = LONGEST_INTERVAL_MINUTES if is_archived else self.minutes
        turn = last_turn(project.gid, project.news.began, minutes)
        known = {listing: project.need.since_when(listing) for listing in listings}
        put_off = frozenset(
            listing
            for listing, (_, since) in known.items()
            if since and since >= turn and is_before(record.get("modified_at"), since)
        )
        until = shifted(turn, minutes=minutes)
        project.news = replace(project.news, put_off=put_off, put_off_until=until)


EACH_SYNC = Rechecks()


def last_turn(gid: str, now: str, minutes: int) -> str:
    """The latest time at which it was a project's turn. It is once in `minutes` minutes.

    Projects take turns, so that each sync rechecks about as many of them as the others.
    """
    return shifted(now, minutes=-((minute_of(now) + crc32(gid.encode())) % minutes))


def put_off_after_events(project: Container) -> None:
    """Put off no list of which the project's events tell, and none whose turn has come meanwhile.

    The events of a whole workspace do not say in which project something happened.
    """
    project.news = replace(project.news, put_off=_still_put_off(project))


def _still_put_off(project: Container) -> frozenset[Listing]:
    if not project.is_followed or project.news.began >= project.news.put_off_until:
        return frozenset()
    if project.shares_events:
        return frozenset(found for found in project.news.put_off if not found.is_task_list)
    kinds = project.news.changes.kinds
    return frozenset(found for found in project.news.put_off if not _may_concern(kinds, found))


def keeps_mark(stream: StreamClass, put_off: Collection[Listing]) -> bool:
    """Whether the mark of a stream stays in a project where these lists were put off.

    What Asana filters by time is read from that mark on when its turn comes. If the tasks were put
    off, there were no events either, and no mark that depends on the lists moves: tasks and events
    must be known up to the same time. All else is read in full, whatever its mark.
    """
    own = [listing for listing in put_off if stream in listing.feeds]
    has_no_news = any(listing.is_task_list for listing in put_off)
    return bool(own) and (has_no_news or any(listing.since for listing in own))


def _may_concern(kinds: Collection[str], listing: Listing) -> bool:
    """Whether events about objects of these kinds may mean that a list has changed."""
    if listing.is_task_list:
        return bool(kinds)
    return PROJECT in kinds or listing.stream.event_type in kinds
