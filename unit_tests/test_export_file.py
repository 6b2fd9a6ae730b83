"""The file of an export: any cut of its bytes gives the same tasks, anything else is refused."""

import gzip
import tempfile
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from source_asana.reading.exports import export_file
from source_asana.reading.exports.export_file import (
    MAX_LINE_BYTES,
    CutFile,
    ExportFile,
    UnusableFile,
    lines,
)

TIME = "2026-11-20T10:00:00.000Z"


def task(gid: int, *texts: str) -> bytes:
    stories = [{"gid": f"{gid}{at}", "text": text} for at, text in enumerate(texts)]
    return orjson.dumps({"gid": str(gid), "modified_at": TIME, "stories": stories})


def cut(content: bytes, size: int) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n"])
def test_lines_are_the_same_however_the_file_is_cut(size: int, end: bytes) -> None:
    written = [task(1, "a"), task(2), b"", task(3, "b\u2028c", "d")]
    content = gzip.compress(b"\n".join(written) + end)
    assert list(lines(cut(content, size))) == [line for line in written if line]


def test_a_gzip_container_may_have_several_parts() -> None:
    content = gzip.compress(task(1) + b"\n") + gzip.compress(task(2))
    assert list(lines(cut(content, 5))) == [task(1), task(2)]


@pytest.mark.parametrize(
    "content",
    [b"", b"plain text", gzip.compress(b"[]\n" * 99)[:-9]],
    ids=["empty", "text", "cut"],
)
def test_a_damaged_container_is_refused(content: bytes) -> None:
    with pytest.raises(CutFile):
        list(lines([content]))


def test_a_line_without_an_end_is_refused() -> None:
    content = gzip.compress(b" " * (MAX_LINE_BYTES + 1), 1)
    with pytest.raises(UnusableFile, match="a line of more than"):
        list(lines(cut(content, 1 << 16)))


@pytest.mark.parametrize(
    "line",
    [
        b"1",
        b"{}",
        b"not JSON",
        b'{"gid": "1", "stories": []}',
        b'{"gid": "1", "modified_at": "yesterday", "stories": []}',
        orjson.dumps({"gid": "1", "modified_at": TIME}),
        orjson.dumps({"gid": "1", "modified_at": TIME, "stories": None}),
        orjson.dumps({"gid": "1", "modified_at": TIME, "stories": [{"text": "no gid"}]}),
    ],
)
def test_a_line_of_an_unknown_form_is_refused(line: bytes) -> None:
    file = ExportFile(["stories"])
    with pytest.raises(UnusableFile):
        file.load([gzip.compress(task(2) + b"\n" + line)])
    file.close()


def test_tasks_are_found_by_their_gids() -> None:
    file = ExportFile(["stories"])
    assert file.load([gzip.compress(b"\n".join([task(1, "old"), task(2, "b"), task(1, "new")]))])
    found = file.find("1")
    assert found is not None
    assert (found.modified_at, found.columns) == (TIME, {"stories": [{"gid": "10", "text": "new"}]})
    assert file.find("3") is None
    assert file.find("x") is None
    file.close()


def test_no_folder_lists_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(export_file, "DISKS", ())
    file = ExportFile(["stories"])
    file.load([gzip.compress(task(1))])
    assert list(tmp_path.iterdir()) == []
    file.close()


def test_without_a_disk_the_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/no/such/folder")
    monkeypatch.setattr(export_file, "DISKS", ("/no/such/folder/either",))
    with pytest.raises(UnusableFile, match="no disk space"):
        ExportFile([])


def test_the_file_goes_where_most_space_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = {name: tmp_path / name for name in ("little", "much", "some")}
    for folder in free.values():
        folder.mkdir()
    room = {free["little"]: 1, free["much"]: 3, free["some"]: 2}
    monkeypatch.setattr("tempfile.tempdir", str(free["little"]))
    monkeypatch.setattr(export_file, "DISKS", [*map(str, room), "/no/such/folder"])
    monkeypatch.setattr("shutil.disk_usage", lambda at: SimpleNamespace(free=room[at]))
    chosen: list[str] = []
    make = tempfile.mkdtemp

    def made(**options: Any) -> str:
        chosen.append(str(options["dir"]))
        return str(make(**options))

    monkeypatch.setattr("tempfile.mkdtemp", made)
    ExportFile([]).close()
    assert chosen == [str(free["much"])]


def zipped_tasks(number: int) -> Iterator[bytes]:
    zipped, chance = zlib.compressobj(1, wbits=zlib.MAX_WBITS | 16), Random(1)
    for gid in range(1, number + 1):
        yield zipped.compress(task(gid, *(str(chance.random()) for _ in range(5))) + b"\n")
    yield zipped.flush()


def test_memory_stays_flat_however_many_tasks_a_file_has() -> None:
    peaks = []
    for number in (1_000, 8_000):
        tracemalloc.start()
        file = ExportFile(["stories"])
        assert file.load(zipped_tasks(number)) == number
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        file.close()
    assert peaks[1] < peaks[0] + 500_000
