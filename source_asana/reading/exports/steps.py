"""What workers do for an export beside all visits: asking for its job, and reading its file."""

import time
from collections.abc import Callable, Iterator

from source_asana.asana.downloads import DownloadFailed
from source_asana.asana.errors import AsanaError, AsanaFailure, FatalError, Refusal
from source_asana.asana.rate_limit import Stopped
from source_asana.asana.resource_exports import ResourceExports
from source_asana.reading.exports.export import Export, Stage
from source_asana.reading.exports.export_file import CutFile, ExportFile
from source_asana.reading.exports.exports import Errand, Exports, Step, column_of
from source_asana.reading.exports.job import Job
from source_asana.reading.exports.kept_exports import KeptExport
from source_asana.reading.findings import ExportBegan, ExportEnded, ExportNews

MAX_TRIES = 3
"""So often a file is downloaded: its address is good for a few minutes only."""

FILE_SECONDS = 1200.0
"""How long a download may take: it occupies a worker."""


class _Abandoned(Exception):
    """No visit waits for the file any longer."""


class ExportSteps:
    """Carries out errands. Safe for many threads.

    `mark`: the mark of what is requested now. `clock`: seconds that only grow. `check`: raises
    Stopped when the sync ends.
    """

    def __init__(
        self,
        exports: Exports,
        conversation: ResourceExports,
        mark: Callable[[], str],
        check: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._exports = exports
        self._conversation = conversation
        self._mark = mark
        self._clock = clock
        self._check = check

    def carry_out(self, errand: Errand) -> ExportNews | None:
        """Do an errand; what it leads to, if the user is to know. Raises Stopped."""
        export, workspace = errand.export, errand.export.workspace.gid
        match errand.step:
            case Step.LET_GO:
                return None
            case Step.SAY_LATE:
                return ExportEnded(workspace, is_late=True)
        try:
            return self._ask(export)
        except Stopped:
            raise
        except _Abandoned:
            return None
        except Exception as error:  # noqa: BLE001 - there is another way, which always works
            return self._fail(export, error)

    def _ask(self, export: Export) -> ExportNews | None:
        """Begin a job, or ask how it is; read its file when it is there."""
        job = export.job
        if job is None:
            return None
        if job.gid is None:
            return None if self._is_blocked(job, export) else self._begin(job, export)
        try:
            found = self._conversation.job(job.gid)
            if found.url is None and not found.is_running:
                raise AsanaFailure("the job failed", f"jobs/{found.gid}")
        except FatalError:
            raise
        except AsanaError:
            if job.former is None:
                raise
            job.former = None  # a new job can do better
            return self._begin(job, export)
        if found.url is None:
            self._wait(job, export)
            return None
        return self._read(job, export, found.url)

    def _wait(self, job: Job, export: Export) -> None:
        with self._exports.lock:
            job.wait(self._clock(), export.limits)

    def _is_blocked(self, job: Job, export: Export) -> bool:
        """Whether a former job is not over: Asana allows one for each workspace."""
        if job.blocker is None:
            return False
        try:
            is_running = self._conversation.job(job.blocker).is_running
        except (Refusal, AsanaFailure):
            is_running = False
        if is_running:
            self._wait(job, export)
        else:
            job.blocker = None
        return is_running

    def _begin(self, job: Job, export: Export) -> ExportNews:
        wish, workspace = job.wish, export.workspace
        kept = job.former
        if kept is None:
            began = self._mark()
            started = self._conversation.start(workspace.gid, wish.fields, wish.after)
            token = workspace.events.token if workspace.events else None
            kept = KeptExport(started.gid, began, wish.digest, wish.after, token)
        job.gid = kept.job
        self._wait(job, export)
        return ExportBegan(workspace.gid, kept, self._exports.streams)

    def _read(self, job: Job, export: Export, url: str) -> ExportNews | None:
        """Download the file. A failure is retried with a new address."""
        file = ExportFile([column_of(listing) for listing in self._exports.listings])
        try:
            tasks = file.load(self._while_wanted(export, self._conversation.file(url)))
        except BaseException as error:
            file.close()
            job.tries += 1
            if job.tries < MAX_TRIES and isinstance(error, DownloadFailed | CutFile):
                self._wait(job, export)
                return None
            raise
        with self._exports.lock:
            if not export.is_waiting:
                file.close()
                return None
            export.file, export.stage = file, Stage.READY
        return ExportEnded(export.workspace.gid, tasks)

    def _while_wanted(self, export: Export, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The chunks of a file, until no visit waits for it, or the sync ends."""
        for chunk in chunks:
            self._check()
            if not export.is_waiting:
                raise _Abandoned
            yield chunk

    def _fail(self, export: Export, error: Exception) -> ExportEnded | None:
        with self._exports.lock:
            was_waiting = export.is_waiting
            export.stage = Stage.OVER
        if not was_waiting and not isinstance(error, FatalError):
            return None
        return ExportEnded(export.workspace.gid, problem=error)
