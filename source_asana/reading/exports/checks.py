"""Which lists of an export are checked by the documented request, and what this shows. Pure."""

from collections import Counter
from collections.abc import Collection, Iterator

from source_asana.reading.exports.job import ExportLimits
from source_asana.reading.listing import Listing
from source_asana.reading.shortcuts.evidence import Evidence
from source_asana.reading.visits import Visit


class Checks:
    """The checks of one file, listing by listing. Not safe for several threads."""

    def __init__(self, listings: Collection[Listing], limits: ExportLimits) -> None:
        self._limits = limits
        self._evidence = {listing: Evidence(limits.terms) for listing in listings}
        self._with_records: Counter[Listing] = Counter()

    def must_check(self, visit: Visit, records: int) -> bool:
        """Whether to make the request of a visit of which the file has so many records.

        At first, as many lists that are not empty have to agree: empty ones prove little.
        """
        if records >= self._limits.long_list:
            return True
        is_early = records > 0 and self._with_records[visit.listing] < self._limits.terms.first
        return self._evidence[visit.listing].must_check(str(visit.gid)) or is_early

    def agrees(self, visit: Visit, records: int) -> None:
        """Note that a check found no difference."""
        self._evidence[visit.listing].agrees()
        self._with_records[visit.listing] += records > 0

    def disagrees(self, visit: Visit) -> None:
        """Note that a check found a difference."""
        self._evidence[visit.listing].disagrees()

    def counts(self) -> Iterator[tuple[Listing, int, int]]:
        """For each listing how many visits came from the file, and how many were checked."""
        for listing, evidence in self._evidence.items():
            yield listing, evidence.trusted, evidence.checked
