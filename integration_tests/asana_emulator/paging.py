"""Pages of a listing: `limit` and `offset`.

https://developers.asana.com/docs/pagination
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from .clock import Clock
from .refusal import Refusal
from .sealed import Seal

LARGEST_PAGE = 100
REMEMBERED = 5


@dataclass(frozen=True)
class Place:
    """Where a page starts: at an index, after the last gids of the page before."""

    index: int = 0
    after: tuple[str, ...] = ()

    @classmethod
    def at(cls, index: int, gids: Sequence[str]) -> Self:
        return cls(index, tuple(gids[max(0, index - REMEMBERED) : index]))

    def within(self, gids: Sequence[str]) -> int:
        """The index of the page's first gid, even if the listing has changed."""
        if not self.after:
            return 0
        if self.index <= len(gids) and gids[self.index - 1] == self.after[-1]:
            return self.index
        left = {gid: at for at, gid in enumerate(gids) if gid in self.after}
        last = next((left[gid] for gid in reversed(self.after) if gid in left), None)
        return max(0, self.index - len(self.after)) if last is None else last + 1


@dataclass
class Offsets:
    """Offset tokens: opaque, bound to token and query, and valid for a limited time."""

    clock: Clock
    seal: Seal = field(default_factory=Seal)
    lifetime: float = 15 * 60.0
    _valid_from: float = float("-inf")

    def issue(self, query: str, place: Place) -> str:
        return self.seal.close(f"offset {query}", [self._now(), place.index, place.after])

    def place(self, query: str, offset: str) -> Place:
        opened = self.seal.open(f"offset {query}", offset)
        if opened is None:
            raise Refusal(400, "offset: Your pagination token is invalid.")
        issued, index, after = opened
        if issued < self._valid_from or self._now() > issued + self.lifetime:
            raise expired()
        return Place(index, tuple(after))

    def forget(self) -> None:
        """Expire every offset that was issued."""
        self._valid_from = self._now() + 1e-6

    def _now(self) -> float:
        return float(self.clock.now().timestamp())


def expired() -> Refusal:
    return Refusal(400, "offset: Your pagination token has expired.")


def limit_in(query: Mapping[str, str]) -> int | None:
    """The requested page size; None without a `limit`."""
    given = query.get("limit")
    if given is None:
        return None
    if not (given.isascii() and given.lstrip("-").isdigit()):
        raise Refusal(400, "limit: Value is not an integer")
    if not 1 <= int(given) <= LARGEST_PAGE:
        raise Refusal(400, "limit: Must be between 1 and 100")
    return int(given)
