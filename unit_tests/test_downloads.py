"""Which visits may begin while workers wait for files, and how waits end."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from source_asana.asana.client import AsanaClient
from source_asana.asana.downloads import Downloader
from source_asana.asana.rate_limit import Stopped
from source_asana.reading.files.downloads import Downloads, FileOfRecord
from source_asana.reading.files.staging import StagedFile, Staging
from source_asana.reading.listing import Output
from source_asana.streams.declared import Attachments

ATTACHMENTS = Output(Attachments, None, files=Attachments.files)
RECORD = {"gid": "12", "host": "asana", "name": "Chart.pdf", "download_url": "https://files/12"}


class Gate:
    """A host that gives a file of 5 bytes once the gate is open."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.asked = threading.Event()

    def fetch(
        self, _link: str, expect: Callable[[int], None], write: Callable[[bytes], None]
    ) -> bool:
        self.asked.set()
        self.opened.wait(30)
        expect(5)
        write(b"chart")
        return True


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def downloads(gate: Gate, tmp_path: Path) -> Downloads:
    made = Downloads(
        cast("AsanaClient", None),
        cast("Downloader", gate),
        Staging(tmp_path),
        lambda _seconds: None,
        most_visits=2,
    )
    threading.Thread(target=made.work, daemon=True).start()
    return made


class Waiting(threading.Thread):
    """A worker that waits for a file."""

    def __init__(self, downloads: Downloads) -> None:
        super().__init__(daemon=True)
        self._downloads = downloads
        self.files: list[FileOfRecord] = []
        self.is_stopped = False

    def run(self) -> None:
        try:
            self.files = self._downloads.files_of(ATTACHMENTS, [RECORD])
        except Stopped:
            self.is_stopped = True


def test_any_number_of_visits_may_begin_while_no_worker_waits(downloads: Downloads) -> None:
    assert all(downloads.may_begin() for _ in range(10))


def test_while_a_worker_waits_only_some_visits_may_be_under_way(
    downloads: Downloads, gate: Gate
) -> None:
    assert downloads.may_begin()
    worker = Waiting(downloads)
    worker.start()
    gate.asked.wait(30)
    assert downloads.may_begin()  # the second of two
    assert not downloads.may_begin()
    downloads.ended()
    assert downloads.may_begin()
    gate.opened.set()
    worker.join(30)
    assert [type(file) for file in worker.files] == [StagedFile]
    assert downloads.may_begin()
    downloads.stop()


def test_the_end_of_a_sync_ends_every_wait_and_leaves_no_file(
    downloads: Downloads, gate: Gate, tmp_path: Path
) -> None:
    workers = [Waiting(downloads) for _ in range(3)]
    for worker in workers:
        worker.start()
    gate.asked.wait(30)
    downloads.stop()
    gate.opened.set()
    for worker in workers:
        worker.join(30)
    assert all(worker.is_stopped for worker in workers)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    late = Waiting(downloads)
    late.start()
    late.join(30)
    assert late.is_stopped
