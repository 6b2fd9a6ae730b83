"""How a sync downloads files: from whom, where to, and within which limits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from airbyte_cdk.sources.utils.files_directory import get_files_directory

from source_asana.asana.downloads import (
    FILE_SECONDS,
    PAUSE_SECONDS,
    Downloader,
    keep_links_out_of_the_log,
)
from source_asana.asana.retry import RetryPolicy
from source_asana.reading.exports.job import ExportLimits
from source_asana.reading.files.downloads import THREADS, Downloads
from source_asana.reading.files.staging import MAX_FILE_BYTES, Staging, free_space
from source_asana.reading.listing import Selection
from source_asana.session import Session
from source_asana.streams.sources import StreamClass

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Transfer:
    """Where files go (None: where Airbyte's platform takes them from), and what limits them.

    `is_kept`: the user keeps the files there; a destination takes each one away.
    `max_bytes`: of one file. `free_bytes`: the free space at a folder. `file_seconds`: how long a
    file may take; `silent_seconds`: how long its host may pause; `patience`: how long a failed
    download is repeated. `exports`: when resource exports are used (None: as the rate limit of the
    config makes sense of them).
    """

    directory: Path | None = None
    is_kept: bool = False
    max_bytes: int = MAX_FILE_BYTES
    free_bytes: Callable[[Path], int] = free_space
    file_seconds: float = FILE_SECONDS
    silent_seconds: float = PAUSE_SECONDS
    patience: float = PATIENCE_SECONDS
    exports: ExportLimits | None = None

    def downloads(
        self,
        selected: Mapping[StreamClass, Selection],
        session: Session,
        workers: int,
        *,
        takes_plain_http: bool,
    ) -> Downloads | None:
        """What downloads the files of the selected streams; None if none are wanted.

        `takes_plain_http`: as in `Downloader`.
        """
        names = [stream.stream_name() for stream, how in selected.items() if how.with_files]
        if not names:
            return None
        keep_links_out_of_the_log()
        staging = Staging(
            self.directory or Path(get_files_directory()),
            max_bytes=self.max_bytes,
            free_bytes=self.free_bytes,
            is_kept=self.is_kept,
        )
        for name in names:
            staging.sweep(name)
        downloader = Downloader(
            threads=THREADS,
            takes_plain_http=takes_plain_http,
            file_seconds=self.file_seconds,
            silent_seconds=self.silent_seconds,
        )
        return Downloads(
            session.client,
            downloader,
            staging,
            session.rate_limit.sleep,
            most_visits=max(1, workers // 2),
            retry=RetryPolicy(self.patience),
        )
