"""The file of a resource export: read once, and kept on disk by the gids of its tasks.

https://developers.asana.com/reference/createresourceexport
"""

import os
import shutil
import sqlite3
import tempfile
import threading
import zlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from source_asana.asana.json_text import NotJson, parsed
from source_asana.streams.values import Record, gid_of, is_time, usable

PIECE_BYTES = 1 << 18
MAX_LINE_BYTES = 64 << 20
"""A task with thousands of stories is a few MB."""

MAX_UNZIPPED_BYTES = 200 << 30
MAX_KEPT_BYTES = 20 << 30
"""Of the zipped columns on disk. 300,000 tasks with five stories take about 200 MB."""

DISKS = ("/tmp", "/var/tmp", "/staging/files")  # noqa: S108 - the file in it has no name
"""Folders beside that for temporary files, which in the image is memory: the roomiest is taken."""

LARGEST_KEY = 2**63 - 1
ZIP_LEVEL = 1


class UnusableFile(Exception):
    """The file is not what an export should give, or cannot be kept; its text says why."""


class CutFile(UnusableFile):
    """The file ends too early, or is damaged: another download may be whole."""


class Exported(NamedTuple):
    """A task as an export has it: when it was modified, and the records in its columns."""

    modified_at: str
    columns: dict[str, list[Record]]


class ExportFile:
    """The tasks of an export, on disk. Safe for many threads.

    `columns`: those that hold records. The disk space is free again when the object is closed, or
    the process ends in whatever way. Raises UnusableFile where there is no disk to write to.
    """

    def __init__(self, columns: Collection[str]) -> None:
        self._columns = tuple(columns)
        self._lock = threading.Lock()
        try:
            self._tasks = _database()
        except (OSError, sqlite3.Error) as error:
            raise UnusableFile(f"no disk space for it ({error})") from None

    def load(self, chunks: Iterable[bytes]) -> int:
        """Read the zipped file; return the number of its tasks. Raises UnusableFile."""
        with self._lock:
            try:
                with self._tasks:
                    self._tasks.executemany(
                        "INSERT INTO tasks VALUES (?, ?, ?)", self._rows(chunks)
                    )
                    self._tasks.execute("CREATE INDEX by_gid ON tasks (gid)")
                (found,) = self._tasks.execute("SELECT count(*) FROM tasks").fetchone()
            except sqlite3.Error as error:
                raise UnusableFile(f"no disk space for it ({error})") from None
        return int(found)

    def find(self, gid: str) -> Exported | None:
        """A task of the file; None if it is not there."""
        key = _key(gid)
        with self._lock:
            row = self._tasks.execute(
                "SELECT modified_at, columns FROM tasks WHERE gid = ? ORDER BY rowid DESC", (key,)
            ).fetchone()
        if row is None:
            return None
        return Exported(row[0], orjson.loads(zlib.decompress(row[1])))

    def close(self) -> None:
        """Delete it."""
        with self._lock:
            self._tasks.close()

    def _rows(self, chunks: Iterable[bytes]) -> Iterator[tuple[int, str, bytes]]:
        kept = 0
        for line in lines(chunks):
            gid, task = self._task(line)
            key = _key(gid)
            if key is not None:
                columns = zlib.compress(orjson.dumps(task.columns), ZIP_LEVEL)
                kept += len(columns)
                if kept > MAX_KEPT_BYTES:
                    raise UnusableFile(f"it has more than {MAX_KEPT_BYTES >> 30} GB")
                yield key, task.modified_at, columns

    def _task(self, line: bytes) -> tuple[str, Exported]:
        """The task of a line. Raises UnusableFile for anything else."""
        try:
            task: Any = parsed(line).value
        except NotJson:
            task = None
        gid = gid_of(task)
        if gid is None or not is_time(task.get("modified_at")):
            raise UnusableFile("it has a line of an unknown form")
        columns: dict[str, list[Record]] = {}
        for name in self._columns:
            found = task.get(name)
            if not isinstance(found, list) or len(usable(found)) < len(found):
                raise UnusableFile(f"it has a task without usable {name}")
            columns[name] = usable(found)
        return gid, Exported(task["modified_at"], columns)


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a zipped file, none of them empty, in little memory. Raises UnusableFile."""
    begun: list[bytes] = []
    line_size = size = 0
    for piece in _unzipped(chunks):
        size += len(piece)
        if size > MAX_UNZIPPED_BYTES:
            raise UnusableFile(f"it has more than {MAX_UNZIPPED_BYTES >> 30} GB")
        first, *others = piece.split(b"\n")
        begun.append(first)
        line_size += len(first)
        if line_size > MAX_LINE_BYTES:
            raise UnusableFile(f"it has a line of more than {MAX_LINE_BYTES >> 20} MB")
        if others:
            *whole, last = [b"".join(begun), *others]
            yield from filter(bytes.strip, whole)
            begun, line_size = [last], len(last)
    rest = b"".join(begun)
    if rest.strip():
        yield rest


def _unzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of a gzip container, which may have several parts. Raises UnusableFile."""
    unzip = zlib.decompressobj(zlib.MAX_WBITS | 16)
    is_empty = True
    try:
        for chunk in chunks:
            left = chunk
            while left:
                if unzip.eof:
                    unzip = zlib.decompressobj(zlib.MAX_WBITS | 16)
                yield unzip.decompress(left, PIECE_BYTES)
                left = unzip.unconsumed_tail or unzip.unused_data
                is_empty = False
    except zlib.error:
        raise CutFile("it is not a gzip file") from None
    if is_empty or not unzip.eof:
        raise CutFile("it ends too early")


def _key(gid: str) -> int | None:
    """The number that stands for a gid; None if it is not written as one, or too large."""
    is_plain = gid.isascii() and gid.isdigit() and gid[0] != "0"
    return int(gid) if is_plain and int(gid) <= LARGEST_KEY else None


def _new_folder() -> Path:
    """An empty folder where most space is free. Raises OSError if none can be written to."""
    folders = {Path(tempfile.gettempdir()), *map(Path, DISKS)}
    free = {at: shutil.disk_usage(at).free for at in folders if os.access(at, os.W_OK | os.X_OK)}
    roomiest = max(free, key=lambda at: free[at], default=None)
    return Path(tempfile.mkdtemp(prefix="source-asana-", dir=roomiest))


def _database() -> sqlite3.Connection:
    """An empty table, in a file that no folder lists. Raises OSError and sqlite3.Error."""
    folder = _new_folder()
    file = folder / "export"
    try:
        tasks = sqlite3.connect(file, check_same_thread=False)
        for sql in (
            "PRAGMA journal_mode = OFF",
            "PRAGMA synchronous = OFF",
            "PRAGMA locking_mode = EXCLUSIVE",
            "CREATE TABLE tasks (gid INTEGER, modified_at TEXT, columns BLOB)",
        ):
            tasks.execute(sql)
    finally:
        file.unlink(missing_ok=True)
        folder.rmdir()
    return tasks
