"""What a walk finds, in the order in which it happens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from source_asana.asana.errors import Refusal
from source_asana.reading.container import Container
from source_asana.reading.exports.kept_exports import KeptExport
from source_asana.reading.files.downloads import FileOfRecord
from source_asana.reading.listing import Listing
from source_asana.reading.unlisted import Unlisted
from source_asana.reading.visits import Visit
from source_asana.streams.sources import StreamClass


@dataclass(frozen=True, slots=True)
class Page:
    """Records of one selected stream, as JSON, and their gids where events tell of deletions.

    `files`: that of each record; empty if none are wanted.
    """

    stream: StreamClass
    records: list[bytes]
    gids: list[str]
    files: Sequence[FileOfRecord] = ()

    @property
    def size(self) -> int:
        """The bytes of its records."""
        return sum(map(len, self.records))


@dataclass(frozen=True)
class VisitEnd:
    """A visit is over; `error` says why it could not be done.

    `lacks_files`: files of its records could not be downloaded, and may be later.
    """

    visit: Visit
    error: Exception | None
    lacks_files: bool = False


@dataclass(frozen=True)
class Skipped:
    """A visit is over without a request: its parent claims, credibly, that there is nothing."""

    visit: Visit


@dataclass(frozen=True)
class ClaimsWrong:
    """A parent claimed that a listing is empty below it, and it is not.

    `skipped`: the visits that this sync has skipped and makes now. `skipped_before`: those that
    former syncs have skipped.
    """

    visit: Visit
    skipped: int
    skipped_before: int


@dataclass(frozen=True)
class PutAside:
    """Asana refused a visit, which is over for now: it is repeated once after all others."""

    visit: Visit
    refusal: Refusal


@dataclass(frozen=True)
class EventsKnown:
    """The events of a container are known, or known to be lost."""

    container: Container


@dataclass(frozen=True)
class EventsMissing:
    """Tasks of a project changed, but no event tells so, although events come by now."""

    project: Container
    tasks: int
    is_read_again: bool
    """Whether all tasks of the project are read because of that."""


@dataclass(frozen=True)
class ExportBegan:
    """An export of a workspace was asked for, or that of a former sync is used."""

    workspace: str
    export: KeptExport
    streams: frozenset[StreamClass]


@dataclass(frozen=True)
class ExportEnded:
    """The file of an export was read, or why the sync does without.

    `is_late`: the file may come later.
    """

    workspace: str
    tasks: int = 0
    problem: Exception | None = None
    is_late: bool = False


@dataclass(frozen=True)
class ExportWrong:
    """The file of an export differs from what Asana answers.

    `again`: so many requests that the file had spared are made now.
    """

    visit: Visit
    workspace: str
    again: int


@dataclass(frozen=True)
class ContainerEnd:
    """Nothing in this container is left to visit."""

    container: Container


@dataclass(frozen=True, eq=False)
class ListingEnd:
    """Nothing of this listing is left to visit.

    `found`: the containers that it has shown, each with its workspace. `unlisted`: what happened to
    the projects that it did not show, where it lists projects.
    """

    listing: Listing
    found: Mapping[str, str | None] = field(default_factory=dict)
    unlisted: Unlisted | None = None


@dataclass(frozen=True)
class Idle:
    """Nothing has happened for a while."""


Ends = VisitEnd | PutAside | Skipped
ExportNews = ExportBegan | ExportEnded | ExportWrong
FromWorkers = Page | EventsKnown | EventsMissing | ClaimsWrong | ExportNews | Ends
Finding = FromWorkers | ListingEnd | ContainerEnd | Idle
