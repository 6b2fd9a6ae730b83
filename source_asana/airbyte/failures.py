"""When a listing, or the whole sync, is given up, and what the next sync must ask again. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import Enum, auto

from source_asana.airbyte.outcome import (
    Problem,
    Tally,
    is_dispensable,
    problem_of,
    skipped_before,
)
from source_asana.asana.errors import GivenUp, Gone, Refusal
from source_asana.reading.container import Container
from source_asana.reading.findings import ClaimsWrong
from source_asana.reading.listing import Listing
from source_asana.reading.resumption import Resumption
from source_asana.reading.visits import Visit
from source_asana.streams.sources import StreamClass

MAX_CONSECUTIVE_FAILURES = 10
"""After so many failed visits of a listing, and none that succeeded, it is given up.

The sync is given up after as many of several listings.
"""


class Verdict(Enum):
    """What the end of a visit means for the sync."""

    READ = auto()
    SKIPPED = auto()
    """Asana refused it."""
    FAILED = auto()
    GIVES_UP = auto()
    """It failed, and the rest of its listing is not asked for."""
    ASANA_IS_DOWN = auto()
    """It failed like everything else lately: the sync ends."""
    PASSED_OVER = auto()
    """Its listing was given up before."""


class Failures:
    """How the visits of each listing ended."""

    def __init__(self, listings: Iterable[Listing]) -> None:
        self.tallies = {listing: Tally() for listing in listings}
        self._failed: Counter[Listing] = Counter()
        self._failed_in_row: list[Listing] = []
        self._given_up: set[Listing] = set()
        self._doubted: set[StreamClass] = set()

    def judge(
        self, visit: Visit, error: Exception | None, *, says_nothing_of_others: bool
    ) -> Verdict:
        """Count the end of a visit.

        `says_nothing_of_others`: a refusal of it does not mean that its listing is refused.
        """
        tally = self.tallies[visit.listing]
        tally.count(error, visit.place, says_nothing_of_others=says_nothing_of_others)
        if visit.listing.stream.is_incremental_only():
            for listing in visit.container.news.put_off:
                self.tallies[listing].put_off += 1
        if error is None or isinstance(error, (Gone, Refusal)):
            self._failed_in_row.clear()
            del self._failed[visit.listing]
            is_refused = isinstance(error, Refusal) and not isinstance(error, Gone)
            return Verdict.SKIPPED if is_refused else Verdict.READ
        if isinstance(error, GivenUp):
            return Verdict.PASSED_OVER
        if visit.listing in self._given_up:
            return Verdict.FAILED  # it was under way when the others failed
        return self._judge_failure(visit.listing)

    def _judge_failure(self, listing: Listing) -> Verdict:
        self._failed[listing] += 1
        self._failed_in_row.append(listing)
        is_several = len(set(self._failed_in_row)) > 1
        if is_several and len(self._failed_in_row) >= MAX_CONSECUTIVE_FAILURES:
            return Verdict.ASANA_IS_DOWN
        if self._failed[listing] < MAX_CONSECUTIVE_FAILURES:
            return Verdict.FAILED
        self._given_up.add(listing)
        return Verdict.GIVES_UP

    def doubt(self, found: ClaimsWrong, resumption: Resumption) -> None:
        """Note the full refreshes of which earlier attempts skipped what they should have asked."""
        streams = streams_of(found.visit.listing) if found.skipped_before else set[StreamClass]()
        self._doubted |= {stream for stream in streams if resumption.repeats_refresh(stream)}

    def listings_of(self, stream: StreamClass) -> list[Listing]:
        """The listings in which a stream's records come."""
        return [found for found in self.tallies if stream in streams_of(found)]

    def is_refused(self, stream: StreamClass) -> bool:
        """Whether Asana refused all of a stream so far, so that nothing of it is done."""
        tallies = [self.tallies[found] for found in self.listings_of(stream)]
        is_refused = any(tally.is_refused_everywhere for tally in tallies)
        return is_refused and not any(tally.read for tally in tallies)

    def problem(self, stream: StreamClass) -> Problem | None:
        """Why a stream is not complete; None if it is."""
        listings = self.listings_of(stream)
        lacking = [found for found in listings if is_dispensable(found, self.tallies[found])]
        if stream.inside() and len(lacking) < len(listings):
            listings = [found for found in listings if found not in lacking]
        problems = [problem_of(listing, self.tallies) for listing in listings]
        doubt = skipped_before() if stream in self._doubted else None
        return next((problem for problem in problems if problem), doubt)

    def sources_done_without(self, stream: StreamClass) -> list[str]:
        """Which of several sources of a stream Asana refuses, so that it lacks what is there."""
        carriers = set(self.listings_of(stream))
        above = {a for c in carriers for a in c.parents if a.stream in stream.parents()}
        sources = carriers if stream.inside() else above
        return [
            source.name
            for source, tally in self.tallies.items()
            if source in sources and len(sources) > 1 and is_dispensable(source, tally)
        ]


class Gaps:
    """What could not be read in each container."""

    def __init__(self) -> None:
        self._whole: dict[Container, set[Listing]] = {}
        self._requests: dict[Container, dict[tuple[Listing, str], bool]] = {}

    def note(self, visit: Visit, error: Exception | None, *, for_good: bool) -> None:
        """Note what the next sync has to ask again; `for_good`: this sync does not.

        For what a container itself lists, and for a listing that was given up, that is everything
        in the container since its mark; else it is the one request that failed. Without an error,
        files of its records are missing.
        """
        listing = visit.listing
        if visit.need is None or listing.stream.is_incremental_only():
            return
        is_first = visit.gid == visit.container.gid and not listing.stream.is_below_tasks()
        if is_first or isinstance(error, GivenUp) or visit.gid is None:
            self._whole.setdefault(visit.container, set()).add(listing)
        else:
            self._requests.setdefault(visit.container, {})[listing, visit.gid] = for_good

    def note_read(self, visit: Visit) -> None:
        """Note that a repeated request was answered."""
        if visit.gid is not None and visit.container in self._requests:
            self._requests[visit.container].pop((visit.listing, visit.gid), None)

    def has_requests(self, container: Container) -> bool:
        """Whether single requests in a container failed."""
        return bool(self._requests.get(container))

    def is_whole(self, stream: StreamClass, container: Container) -> bool:
        """Whether a container has to be read again for a stream, from its former mark."""
        return any(stream in listing.feeds for listing in self._whole.get(container, ()))

    def requests(self, stream: StreamClass, container: Container) -> Mapping[tuple[str, str], bool]:
        """The requests in a container that failed and that a stream needs; whether for good."""
        failed = self._requests.get(container, {}).items()
        return {(at.path, gid): is_end for (at, gid), is_end in failed if stream in at.feeds}


def streams_of(listing: Listing) -> set[StreamClass]:
    """The selected streams whose records come in a listing."""
    return {output.stream for output in listing.outputs}
