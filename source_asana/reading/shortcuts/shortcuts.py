"""Requests that can be skipped because of what parents claim, and what proves the claims. Pure.

Not safe for several threads: the walk calls it under its lock.
"""

from collections.abc import Mapping, Sequence

from source_asana.reading.listing import Listing, Plan
from source_asana.reading.marks import NO_EVIDENCE, Evident
from source_asana.reading.shortcuts.evidence import Evidence, Terms
from source_asana.reading.visits import Visit
from source_asana.streams.sources import StreamClass
from source_asana.streams.values import is_before, is_time


class Shortcuts:
    """The evidence for each listing whose parents may claim that it is empty.

    `former`: by stream, the evidence of former syncs. It is kept, whether or not the user wants
    shortcuts now.
    """

    def __init__(
        self, plan: Plan, former: Mapping[StreamClass, Evident], terms: Terms | None = None
    ) -> None:
        self._evidence = {
            listing: Evidence(terms or Terms(), _largest(former, listing))
            for listing in plan.listings
            if listing.pages and listing.pages.unless_empty
        }

    def of(self, listing: Listing) -> Evidence | None:
        """The evidence for the claims of a listing's parents."""
        return self._evidence.get(listing)

    def must_check(self, visit: Visit) -> bool:
        """Whether to make the request of a visit whose parent claims that there is nothing."""
        return self._evidence[visit.listing].must_check(str(visit.gid))

    def is_disproved(self, visit: Visit, created: Sequence[object]) -> bool:
        """Compare what was found with what the parent claimed; whether claims are wrong now.

        `created`: when each record was created. What is newer than the claim says nothing of it.
        """
        claim = visit.claim
        if claim is None:
            return False
        evidence = self._evidence[visit.listing]
        was_wrong = evidence.is_wrong
        if not claim.is_empty:
            if created:
                evidence.agrees_with_counter_claim()
        elif any(_is_older(time, claim.asked.mark) for time in created):
            evidence.disagrees()
        elif not created:
            evidence.agrees()
        return evidence.is_wrong and not was_wrong

    def numbers(self, stream: StreamClass, *, is_made_good: bool = False) -> Evident:
        """What the state of a stream keeps; see `Evidence.numbers`."""
        for listing, evidence in self._evidence.items():
            if any(output.stream is stream for output in listing.outputs):
                return evidence.numbers(is_made_good=is_made_good)
        return NO_EVIDENCE


def _is_older(created: object, mark: str) -> bool:
    """Whether a record is older than a mark, as far as is known."""
    return not is_time(created) or is_before(created, mark)


def _largest(former: Mapping[StreamClass, Evident], listing: Listing) -> dict[str, int]:
    """The evidence of all streams of a listing: what one of them has found holds for the others."""
    largest: dict[str, int] = {}
    for output in listing.outputs:
        for name, number in former.get(output.stream, {}).items():
            largest[name] = max(number, largest.get(name, 0))
    return largest
