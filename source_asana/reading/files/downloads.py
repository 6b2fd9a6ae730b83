"""The files of records: downloaded in threads of their own while a worker waits for them."""

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from math import inf
from typing import Any

from source_asana.asana.client import AsanaClient
from source_asana.asana.downloads import Downloader, DownloadFailed
from source_asana.asana.errors import AsanaFailure, Refusal
from source_asana.asana.rate_limit import Stopped
from source_asana.asana.retry import RetryPolicy
from source_asana.reading.files.staging import (
    NewFile,
    NoFile,
    StagedFile,
    Staging,
    Why,
    is_gid,
)
from source_asana.reading.listing import Output, request_of
from source_asana.streams.sources import Files, StreamClass
from source_asana.streams.values import Record

THREADS = 4
"""Files that are downloaded at once."""

FRESH_SECONDS = 60.0
"""A link that was asked for so recently has not expired. Asana's work for two minutes."""

MAX_NEW_LINKS = 2
MAX_FAILURES_IN_ROW = 10
"""After so many files that did not come, and none that did, the rest is not requested."""


@dataclass(frozen=True, slots=True)
class MissingFile:
    """A file that could not be downloaded. `detail`: the reason, without the link."""

    gid: str
    why: Why
    detail: str

    @property
    def may_come(self) -> bool:
        """Whether the next sync may get it."""
        return self.why in (Why.NO_SPACE, Why.UNWRITABLE, Why.FAILED, Why.REFUSED_LIKE_ALL)


FileOfRecord = StagedFile | MissingFile | None
"""None: there is no file, or it is on a service from which none is downloaded."""


@dataclass
class _Job:
    stream: StreamClass
    files: Files
    record: Record
    result: "Future[FileOfRecord]" = field(default_factory=Future)


class Downloads:
    """Downloads what workers hand over. Safe for many threads.

    `work` is what each of its threads does. `sleep` raises Stopped when the sync ends.
    `most_visits`: so many visits that may have files are under way at most while a worker waits
    for files, so that the other workers go on with the rest.
    """

    def __init__(
        self,
        client: AsanaClient,
        downloader: Downloader,
        staging: Staging,
        sleep: Callable[[float], None],
        *,
        most_visits: int,
        retry: RetryPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._downloader = downloader
        self._staging = staging
        self._sleep = sleep
        self._most_visits = most_visits
        self._retry = retry or RetryPolicy(60.0)
        self._clock = clock
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._changing = threading.Lock()
        self._state = _State()

    def may_begin(self) -> bool:
        """Whether a visit that may have files may begin; if so, tell `ended` of its end."""
        with self._changing:
            if self._state.waiting and self._state.visits >= self._most_visits:
                return False
            self._state.visits += 1
            return True

    def ended(self) -> None:
        """Note the end of such a visit."""
        with self._changing:
            self._state.visits -= 1

    def files_of(self, output: Output, records: Sequence[Record]) -> list[FileOfRecord]:
        """The files of records, once they are on disk. Raises Stopped and FatalError."""
        if output.files is None:
            return []
        found: list[FileOfRecord] = [None] * len(records)
        jobs: dict[int, _Job] = {}
        for place, record in enumerate(records):
            match host_of(output.files, record):
                case None:
                    found[place] = MissingFile(record["gid"], Why.NO_LINK, "unknown host")
                case output.files.downloaded_from if is_gid(record["gid"]):
                    jobs[place] = _Job(output.stream, output.files, record)
                case output.files.downloaded_from:
                    found[place] = MissingFile(record["gid"], Why.NO_LINK, "odd gid")
        return self._results(found, jobs) if jobs else found

    def _results(self, found: list[FileOfRecord], jobs: Mapping[int, _Job]) -> list[FileOfRecord]:
        with self._changing:
            self._state.waiting += 1
        try:
            for job in jobs.values():
                self._jobs.put(job)
            if self._state.is_stopped:
                raise Stopped
            for place, job in jobs.items():
                found[place] = job.result.result()
        finally:
            with self._changing:
                self._state.waiting -= 1
        return found

    def work(self) -> None:
        """Download one file after the other, until `stop`."""
        while (job := self._jobs.get()) is not None:
            try:
                job.result.set_result(self._file_of(job))
            except Exception as error:  # noqa: BLE001 - the worker that waits gets it
                job.result.set_exception(error)

    def stop(self) -> None:
        """End all downloads; what waits for one gets Stopped."""
        self._state.is_stopped = True
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is not None:
                job.result.set_exception(Stopped())
        for _ in range(THREADS):
            self._jobs.put(None)
        self._staging.abandon()

    def _file_of(self, job: _Job) -> FileOfRecord:
        """Download a file, or say why that is impossible. Raises Stopped and FatalError."""
        if self._state.is_stopped:
            raise Stopped
        files, record, gid = job.files, job.record, job.record["gid"]
        size = record.get(files.size)
        known_size = size if isinstance(size, int) and not isinstance(size, bool) else None
        try:
            with self._staging.new_file(
                job.stream.stream_name(), gid, record.get(files.name)
            ) as new:
                if known_size:
                    new.expect(known_size)
                if self._has_given_up():
                    return MissingFile(gid, Why.FAILED, "not requested after repeated failures")
                self._fetch(job, new, known_size)
                self._note(has_failed=False)
                return new.keep()
        except NoFile as reason:
            return MissingFile(gid, reason.why, str(reason))
        except DownloadFailed as failure:
            self._note(has_failed=True)
            is_odd_one = self._state.has_come or self._state.failed_in_row == 1
            refused = Why.REFUSED if is_odd_one else Why.REFUSED_LIKE_ALL
            return MissingFile(gid, refused if failure.is_refused else Why.FAILED, str(failure))

    def _fetch(self, job: _Job, new: NewFile, known_size: int | None) -> None:
        """Write a file. Raises DownloadFailed once neither a retry nor a new link helps."""
        link, asked_at, tries, failed_at = job.record.get(job.files.url), -inf, 0, 0.0
        new_links = 0
        while True:
            try:
                self._write(link, new, known_size)
            except DownloadFailed as failure:
                new.restart()
                now = self._clock()
                is_old = now - asked_at > FRESH_SECONDS
                if failure.is_refused and is_old and new_links < MAX_NEW_LINKS:
                    link, asked_at = self._new_link(job), self._clock()
                    new_links += 1
                    continue
                failed_at = failed_at or now
                wait = self._retry.next_wait_seconds(tries, now - failed_at)
                if not failure.is_transient or wait is None:
                    raise
                tries += 1
                self._sleep(wait)
            else:
                return

    def _write(self, link: object, new: NewFile, known_size: int | None) -> None:
        if not isinstance(link, str) or not link:
            raise DownloadFailed("Asana gives no link", is_refused=True)

        def write(chunk: bytes) -> None:
            if self._state.is_stopped:
                raise Stopped
            new.write(chunk)

        is_whole = self._downloader.fetch(link, new.expect, write)
        if not is_whole and known_size is not None and new.size < known_size:
            raise DownloadFailed("the connection ended before the file did", is_transient=True)

    def _new_link(self, job: _Job) -> Any:
        """Ask Asana for a link that works. Raises NoFile, Stopped and FatalError."""
        lookup = job.stream.lookup
        if lookup is None:
            return None
        path, _ = request_of(lookup.path, job.record["gid"], "")
        purpose = job.stream.stream_name()
        try:
            answer = self._client.get(path, {"opt_fields": job.files.url}, purpose=purpose)
        except Refusal as refusal:
            message = f"Asana no longer shows it ({refusal.status})"
            raise NoFile(Why.REFUSED, message) from None
        except AsanaFailure as failure:
            raise NoFile(Why.FAILED, failure.message) from None
        record = answer["data"]
        return record.get(job.files.url) if isinstance(record, dict) else None

    def _has_given_up(self) -> bool:
        return self._state.failed_in_row >= MAX_FAILURES_IN_ROW

    def _note(self, *, has_failed: bool) -> None:
        with self._changing:
            self._state.failed_in_row = self._state.failed_in_row + 1 if has_failed else 0
            self._state.has_come |= not has_failed


@dataclass
class _State:
    """What threads change.

    `visits`: under way that may have files. `waiting`: those that wait for some. `failed_in_row`:
    files that did not come. `has_come`: whether one did.
    """

    visits: int = 0
    waiting: int = 0
    failed_in_row: int = 0
    has_come: bool = False
    is_stopped: bool = False


def host_of(files: Files, record: Record) -> str | None:
    """The service that has a record's file; None if that is unknown."""
    host = record.get(files.host)
    return host if isinstance(host, str) and host else None
