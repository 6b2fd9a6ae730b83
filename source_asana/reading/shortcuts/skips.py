"""The visits that were skipped because of what parents claimed. Not safe for several threads."""

from collections import defaultdict
from collections.abc import Iterator

from source_asana.reading.container import Container
from source_asana.reading.gid_set import GidList, GidSet
from source_asana.reading.listing import Listing


class Skips:
    """For each listing the parents below which it was not read, with 24 bytes for each."""

    def __init__(self) -> None:
        self._gids: defaultdict[Listing, GidSet] = defaultdict(GidSet)
        self._inside: defaultdict[Listing, dict[Container, GidList]] = defaultdict(dict)
        self._read_later: set[tuple[Listing, str]] = set()
        self._relied_on: set[tuple[Listing, str]] = set()

    def add(self, listing: Listing, gid: str, container: Container) -> None:
        """Note that a listing is not read below a parent."""
        self._gids[listing].add(gid)
        self._inside[listing].setdefault(container, GidList()).append(gid)
        self._read_later.discard((listing, gid))

    def has(self, listing: Listing, gid: str) -> bool:
        """Whether a listing was skipped below a parent, and not read later."""
        skipped = self._gids.get(listing)
        return bool(skipped and gid in skipped) and (listing, gid) not in self._read_later

    def note_read(self, listing: Listing, gid: str) -> None:
        """Note that a listing is read below a parent, maybe after it was skipped."""
        if self.has(listing, gid):
            self._read_later.add((listing, gid))

    def rely_on(self, listing: Listing, gid: str) -> None:
        """Note that a record is left out elsewhere because this listing will show it."""
        self._relied_on.add((listing, gid))

    def is_relied_on(self, listing: Listing, gid: str) -> bool:
        """Whether a listing has to be read below a parent, whatever that claims."""
        return (listing, gid) in self._relied_on

    def take(self, listing: Listing) -> Iterator[tuple[Container, str]]:
        """The parents below which a listing was skipped, each once; forget them."""
        taken = GidSet()
        for container, gids in self._inside.pop(listing, {}).items():
            for gid in gids:
                if gid not in taken and self.has(listing, gid):
                    taken.add(gid)
                    yield container, gid
        self._gids.pop(listing, None)
