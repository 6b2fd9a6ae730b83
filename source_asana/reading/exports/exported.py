"""How a visit gets its records if an export may have them: from its file, from Asana, or both."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple, Protocol

from source_asana.reading.findings import ExportWrong
from source_asana.reading.listing import Listing
from source_asana.reading.visits import Visit
from source_asana.streams.values import Record

Pages = Iterator[list[Record]]


class End(NamedTuple):
    """What the end of a visit calls for: visits to be done again, and what to tell the user."""

    again: Iterable[Visit] = ()
    news: ExportWrong | None = None


NOTHING = End()


class Answer(Protocol):
    """The records of one visit. `is_asked`: whether Asana itself gives them."""

    is_asked: bool

    def pages(self, asked: Pages) -> Pages:
        """The pages of records to deliver. `asked`: those of the documented request."""
        ...

    def end(self) -> End:
        """Note that all pages were delivered. To be called under the lock of the walk."""
        ...


class Requested:
    """From the documented request alone."""

    is_asked = True

    def pages(self, asked: Pages) -> Pages:
        return asked

    def end(self) -> End:
        return NOTHING


class Taken:
    """From the file alone. `note`: told that the records were delivered."""

    is_asked = False

    def __init__(self, records: list[Record], note: Callable[[], End]) -> None:
        self._records = records
        self._note = note

    def pages(self, asked: Pages) -> Pages:  # noqa: ARG002 - it is not begun
        yield self._records

    def end(self) -> End:
        return self._note()


class Checked:
    """From the documented request, compared with the file.

    `may_lack`: whether the file may have the first part of a list only. `is_current`: whether
    nothing tells that the task, or one of the records that differ, has changed since. `note`: told
    whether the file was right.
    """

    is_asked = True

    def __init__(
        self,
        listing: Listing,
        records: list[Record],
        *,
        may_lack: bool,
        is_current: Callable[[Collection[str]], bool],
        note: Callable[[bool], End],
    ) -> None:
        self._listing = listing
        self._left = {record["gid"]: record for record in records}
        self._matched: set[str] = set()
        self._different: set[str] = set()
        self._may_lack = may_lack
        self._is_current = is_current
        self._note = note
        self._is_right: bool | None = True

    def pages(self, asked: Pages) -> Pages:
        for page in asked:
            self._different |= {record["gid"] for record in page if not self._agrees(record)}
            yield page
        self._different |= self._left.keys()
        if self._different:
            self._is_right = False if self._is_current(self._different) else None

    def end(self) -> End:
        return NOTHING if self._is_right is None else self._note(self._is_right)

    def _agrees(self, record: Record) -> bool:
        gid = record["gid"]
        known = self._left.pop(gid, None)
        if known is None:
            return gid in self._matched or self._may_lack
        self._matched.add(gid)
        return are_equal(self._listing, known, record)


class Again:
    """From the documented request, without the records that the file has had right."""

    is_asked = True

    def __init__(self, listing: Listing, records: list[Record]) -> None:
        self._listing = listing
        self._delivered = {record["gid"]: record for record in records}

    def pages(self, asked: Pages) -> Pages:
        for page in asked:
            yield [record for record in page if not self._is_delivered(record)]

    def end(self) -> End:
        return NOTHING

    def _is_delivered(self, record: Record) -> bool:
        known = self._delivered.get(record["gid"])
        return known is not None and are_equal(self._listing, known, record)


def are_equal(listing: Listing, known: Record, record: Record) -> bool:
    """Whether two records are the same for every stream that gets them."""
    return known == record or all(
        output.records([known], None) == output.records([record], None)
        for output in listing.outputs
    )
