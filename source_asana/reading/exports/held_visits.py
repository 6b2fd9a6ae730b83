"""Visits below tasks that wait or are remembered, in about 16 bytes each. Pure."""

from array import array
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from source_asana.reading.container import Container
from source_asana.reading.gid_set import number_of
from source_asana.reading.listing import Listing
from source_asana.reading.visits import Claim, Visit
from source_asana.streams.sources import StreamClass

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

Key = tuple[Listing, Container, frozenset[tuple[StreamClass, str | None]], Claim | None, bool]


class Group(NamedTuple):
    """Visits that differ only in the task, and in the time at which that was modified."""

    like: Visit
    gids: "array[int]"
    times: "array[int]"


class HeldVisits:
    """Visits, each with the `modified_at` of its task. Not safe for several threads."""

    def __init__(self) -> None:
        self._groups: dict[Key, Group] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Visit]:
        for group in self._groups.values():
            for gid, time in zip(group.gids, group.times, strict=True):
                yield _visit(group.like, gid, time)

    def by_container(self) -> Counter[Container]:
        """How many there are in each container."""
        counts: Counter[Container] = Counter()
        for group in self._groups.values():
            counts[group.like.container] += len(group.gids)
        return counts

    def add(self, visit: Visit) -> bool:
        """Add a visit. False if it cannot be kept in numbers."""
        gid = number_of(str(visit.gid))
        if gid is None or visit.modified_at is None or visit.need is None or visit.above:
            return False
        since = frozenset(visit.need.since.items())
        key = (visit.listing, visit.container, since, visit.claim, visit.is_again)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(visit, array("Q"), array("q"))
        group.gids.append(gid)
        group.times.append(_milliseconds(visit.modified_at))
        self._count += 1
        return True

    def pop(self) -> Visit | None:
        """Take a visit out, of those that are like the first one; None if there is none."""
        for key, group in self._groups.items():
            visit = _visit(group.like, group.gids.pop(), group.times.pop())
            if not group.gids:
                del self._groups[key]
            self._count -= 1
            return visit
        return None

    def again(self) -> "HeldVisits":
        """The same visits, to be done again because what was delivered may be wrong."""
        repeated = HeldVisits()
        for (listing, container, since, claim, _), group in self._groups.items():
            like = group.like._replace(is_again=True, claim=None)
            key = (listing, container, since, claim, True)
            repeated._groups[key] = group._replace(like=like)
        repeated._count = self._count
        return repeated

    def take_over(self, other: "HeldVisits") -> None:
        """Add the visits of another one, which is not used any longer."""
        for key, group in other._groups.items():  # noqa: SLF001 - of the same class
            own = self._groups.setdefault(key, group)
            if own is not group:
                own.gids.extend(group.gids)
                own.times.extend(group.times)
        self._count += len(other)


def _visit(like: Visit, gid: int, time: int) -> Visit:
    return like._replace(gid=str(gid), modified_at=_time(time))


def _milliseconds(time: str) -> int:
    """A time in Asana's format, in milliseconds since 1970."""
    return (datetime.fromisoformat(time) - EPOCH) // MILLISECOND


def _time(milliseconds: int) -> str:
    moment = EPOCH + milliseconds * MILLISECOND
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
