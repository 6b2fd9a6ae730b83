"""The folder where downloaded files wait for the destination."""

import os
import re
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from errno import EDQUOT, EFBIG, ENOSPC
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from uuid import uuid4

from source_asana.reading.files.file_names import safe_name

MAX_FILE_BYTES = 1_500_000_000
"""The largest file that Airbyte transfers."""

RESERVED_BYTES = 50_000_000
"""Space that stays free for others on the same disk."""

BYTES_BETWEEN_LOOKS = 16_000_000
"""How often the free space is checked while a file is written."""

PARTIAL_SECONDS = 86_400
"""A partial file that did not change for so long was left by a process that was killed."""

NO_SPACE_LEFT = "no space left in the staging directory"
_FULL = (ENOSPC, EDQUOT, EFBIG)


class Why(Enum):
    """Why a file is missing, in the words of the log."""

    TOO_LARGE = "too large"
    NO_SPACE = "no space left"
    UNWRITABLE = "not writable"
    NO_LINK = "no download link"
    REFUSED = "refused"
    REFUSED_LIKE_ALL = "refused, as all files so far"
    FAILED = "failed"


class NoFile(Exception):
    """A file cannot be had. The text says why, without the link to it."""

    def __init__(self, why: Why, detail: str) -> None:
        super().__init__(detail)
        self.why = why


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A file on disk: its absolute path, its path below the staging folder, its size in bytes."""

    location: str
    relative_path: str
    size: int


def free_space(folder: Path) -> int:
    """The bytes that are free where a folder is."""
    return shutil.disk_usage(folder).free


def is_gid(text: str) -> bool:
    """Whether it can name a folder: Asana's gids are numbers."""
    return re.fullmatch("[0-9]{1,64}", text) is not None


class Staging:
    """The folder for the files of one sync: `<directory>/<stream>/<gid>/<name>`.

    A destination removes each file once it has it. So a file that comes twice in a sync is put
    elsewhere while the first one is still there, unless the user keeps them all (`is_kept`).
    `max_bytes`: of one file. `free_bytes`: the free space at a folder. Safe for many threads.
    """

    def __init__(
        self,
        directory: Path,
        *,
        max_bytes: int = MAX_FILE_BYTES,
        free_bytes: Callable[[Path], int] = free_space,
        is_kept: bool = False,
    ) -> None:
        self._directory = directory.absolute()
        self._is_kept = is_kept
        self._naming = threading.Lock()
        self._numbers = count()
        self._began: float | None = None
        self.max_bytes = max_bytes
        self._free_bytes = free_bytes
        self.open: set[Path] = set()
        """The partial files that are being written."""

    def new_file(self, stream: str, gid: str, name: object) -> "NewFile":
        """Begin a file. Raises NoFile, and ValueError unless `is_gid`."""
        if not is_gid(gid):
            raise ValueError(gid)
        path = Path(stream, gid, safe_name(name))
        folder = self._directory / stream
        try:
            folder.mkdir(parents=True, exist_ok=True)
            partial = folder / f".{gid}.{os.getpid()}.{next(self._numbers)}.part"
            new = NewFile(partial, path, self)
            if self._began is None:  # by the clock of the disk
                self._began = partial.stat().st_mtime
        except OSError as error:
            raise _refusal(error) from None
        else:
            return new

    def put(self, partial: Path, path: Path) -> Path:
        """Give a whole file its name; return where it is. Raises OSError."""
        with self._naming:
            target = self._directory / path
            if not self._is_kept and self._is_awaited(target):
                target = self._directory / uuid4().hex / path
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.replace(target)
        return target

    def _is_awaited(self, target: Path) -> bool:
        """Whether this sync has put a file there, and the destination has not taken it yet."""
        with suppress(FileNotFoundError):
            return self._began is not None and target.stat().st_mtime >= self._began
        return False

    def require_room(self, size: int, written: int = 0) -> None:
        """Raise NoFile unless a file of `size` bytes may still be completed."""
        if size > self.max_bytes:
            raise NoFile(Why.TOO_LARGE, f"larger than {self.max_bytes / 1e9:g} GB")
        try:
            free = self._free_bytes(self._directory)
        except OSError as error:
            raise _refusal(error) from None
        if size - written > free - RESERVED_BYTES:
            raise NoFile(Why.NO_SPACE, NO_SPACE_LEFT)

    def abandon(self) -> None:
        """Remove what is being written, because the sync ends."""
        for partial in list(self.open):
            with suppress(OSError):
                partial.unlink()

    def sweep(self, stream: str) -> None:
        """Remove the partial files of processes that were killed long ago."""
        for partial in (self._directory / stream).glob(".*.part"):
            with suppress(OSError):
                if time.time() - partial.stat().st_mtime > PARTIAL_SECONDS:
                    partial.unlink()


class NewFile:
    """A file that is written under another name until it is complete.

    As a context manager it removes what was not kept. Its methods raise NoFile.
    """

    def __init__(self, partial: Path, path: Path, staging: Staging) -> None:
        self._partial = partial
        self._path = path
        self._staging = staging
        self._looked_at = 0
        self.size = 0
        partial.unlink(missing_ok=True)  # of a process that was killed and had the same number
        self._file: BinaryIO = partial.open("xb", buffering=0)
        staging.open.add(partial)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._file.close()
        with suppress(OSError):
            self._partial.unlink(missing_ok=True)
        self._staging.open.discard(self._partial)

    def expect(self, size: int) -> None:
        """Check that there is room for so many bytes in all."""
        self._staging.require_room(size, self.size)

    def restart(self) -> None:
        """Forget what was written."""
        self._file.seek(0)
        self._file.truncate()
        self.size = self._looked_at = 0

    def write(self, chunk: bytes) -> None:
        """Add bytes."""
        size = self.size + len(chunk)
        is_due = not self.size or size - self._looked_at > BYTES_BETWEEN_LOOKS
        if is_due or size > self._staging.max_bytes:
            self.expect(size)
            self._looked_at = size
        try:
            rest = memoryview(chunk)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise _refusal(error) from None
        self.size = size

    def keep(self) -> StagedFile:
        """Give the file its name, in place of an older one."""
        try:
            self._file.close()
            target = self._staging.put(self._partial, self._path)
        except OSError as error:
            raise _refusal(error) from None
        return StagedFile(str(target), self._path.as_posix(), self.size)


def _refusal(error: OSError) -> NoFile:
    if error.errno in _FULL:
        return NoFile(Why.NO_SPACE, NO_SPACE_LEFT)
    reason = error.strerror or type(error).__name__
    return NoFile(Why.UNWRITABLE, f"cannot write to the staging directory: {reason}")
