"""What workers hand to the main thread: a queue that is bounded by pages and by bytes."""

import queue
from collections.abc import Iterable, Iterator, Sequence

import orjson

from source_asana.asana.memory import Memory
from source_asana.asana.rate_limit import Stopped
from source_asana.reading.files.downloads import FileOfRecord
from source_asana.reading.findings import FromWorkers, Idle, Page
from source_asana.reading.listing import Output
from source_asana.streams.values import Record

WAITING_PAGES = 8
WAITING_BYTES = 8_000_000
"""Each worker may hold one more page: memory is bounded, however slowly the pages are taken out."""

PIECE_BYTES = 500_000
"""A larger page is handed on in pieces of about this size, or of one record."""


class Channel:
    """Findings on their way to the main thread. Workers wait while it is full."""

    def __init__(self, idle_seconds: float) -> None:
        self._idle_seconds = idle_seconds
        self._queue: queue.Queue[FromWorkers] = queue.Queue(WAITING_PAGES)
        self._bytes = Memory(WAITING_BYTES, self._raise_if_stopped)
        self._is_stopped = False

    def stop(self) -> None:
        """Let every `put` raise Stopped: the main thread takes nothing out any longer."""
        self._is_stopped = True

    def put(self, finding: FromWorkers) -> None:
        """Hand something on as soon as there is room. Raises Stopped."""
        while True:
            self._raise_if_stopped()
            try:
                self._queue.put(finding, timeout=self._idle_seconds)
            except queue.Full:
                continue
            return

    def put_page(
        self,
        output: Output,
        records: list[Record],
        parent: str | None,
        files: Sequence[FileOfRecord] = (),
    ) -> None:
        """Hand on the records of a page for one stream, as JSON. Raises Stopped."""
        if not records:
            return
        gids = [record["gid"] for record in records] if output.stream.event_type else []
        for lines in in_pieces(map(orjson.dumps, output.records(records, parent))):
            page = Page(output.stream, lines, gids, files[: len(lines)])
            gids, files = [], files[len(lines) :]
            self._bytes.take(page.size)
            self.put(page)

    def take(self) -> FromWorkers | Idle:
        """The next finding, or Idle if there is none for a while."""
        try:
            return self._queue.get(timeout=self._idle_seconds)
        except queue.Empty:
            return Idle()

    def consumed(self, finding: FromWorkers | Idle) -> None:
        """Free the memory of a finding that was taken out."""
        if isinstance(finding, Page):
            self._bytes.give_back(finding.size)

    def _raise_if_stopped(self) -> None:
        if self._is_stopped:
            raise Stopped


def in_pieces(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The same lines, together as long as they are not too large."""
    piece: list[bytes] = []
    size = 0
    for line in lines:
        if piece and size + len(line) > PIECE_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(line)
        size += len(line)
    if piece:
        yield piece
