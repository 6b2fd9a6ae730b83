"""What workers hand on: findings as they are, and records once their files are on disk."""

from dataclasses import replace

from source_asana.reading.channel import Channel
from source_asana.reading.files.downloads import Downloads, MissingFile
from source_asana.reading.findings import Ends, FromWorkers, VisitEnd
from source_asana.reading.listing import Listing, Output
from source_asana.reading.visits import Visit
from source_asana.streams.values import Record


class Outbox:
    """The channel to the main thread, after the files. Safe for many threads.

    Without `downloads` no stream has files.
    """

    def __init__(self, channel: Channel, downloads: Downloads | None = None) -> None:
        self._channel = channel
        self._downloads = downloads
        self._lacking: set[tuple[Listing, str]] = set()
        """The visits of which files are missing that may come later."""

    def put(self, finding: FromWorkers) -> None:
        """Hand something on as soon as there is room. Raises Stopped."""
        if self._downloads and isinstance(finding, Ends):
            finding = self._end_of_files(finding)
        self._channel.put(finding)

    def put_page(self, visit: Visit, output: Output, records: list[Record]) -> None:
        """Hand on the records of a page for one stream. Raises Stopped and FatalError."""
        if self._downloads is None or output.files is None or not records:
            self._channel.put_page(output, records, visit.gid)
            return
        files = self._downloads.files_of(output, records)
        if any(isinstance(file, MissingFile) and file.may_come for file in files):
            self._lacking.add((visit.listing, visit.place))
        self._channel.put_page(output, records, visit.gid, files)

    def _end_of_files(self, end: Ends) -> Ends:
        """The end of a visit, which says whether files are missing."""
        visit = end.visit
        if self._downloads and visit.listing.has_files:
            self._downloads.ended()
        place = (visit.listing, visit.place)
        if place not in self._lacking or not isinstance(end, VisitEnd):
            return end
        self._lacking.discard(place)
        return replace(end, lacks_files=True)
