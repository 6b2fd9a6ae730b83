"""The folder of downloaded files: whole files under their names, or nothing."""

import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from source_asana.reading.files.staging import (
    BYTES_BETWEEN_LOOKS,
    PARTIAL_SECONDS,
    RESERVED_BYTES,
    NoFile,
    StagedFile,
    Staging,
    Why,
)

NAME = "Tide tables.pdf"


def files_in(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def stage(staging: Staging, content: bytes, gid: str = "12", name: object = NAME) -> StagedFile:
    with staging.new_file("attachments", gid, name) as new:
        new.write(content)
        return new.keep()


def test_a_file_is_in_a_folder_of_its_gid(tmp_path: Path) -> None:
    staged = stage(Staging(tmp_path), b"high water")
    where = tmp_path / "attachments" / "12" / NAME
    assert staged == StagedFile(str(where), f"attachments/12/{NAME}", 10)
    assert where.read_bytes() == b"high water"


def test_files_of_the_same_name_do_not_collide(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    paths = {stage(staging, gid.encode(), gid).location for gid in ("12", "13", "112")}
    assert {Path(path).read_text() for path in paths} == {"12", "13", "112"}


def test_the_location_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    location = stage(Staging(Path("here")), b"x").location
    assert Path(location) == tmp_path / "here/attachments/12" / NAME


@pytest.mark.parametrize("gid", ["..", "../12", "12/13", "", "12\0", "twelve"])
def test_a_gid_that_is_no_number_names_no_folder(tmp_path: Path, gid: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        Staging(tmp_path).new_file("attachments", gid, NAME)
    assert not any(tmp_path.iterdir())


def test_a_file_has_its_name_only_once_it_is_whole(tmp_path: Path) -> None:
    with Staging(tmp_path).new_file("attachments", "12", NAME) as new:
        new.write(b"half")
        assert [name for name in files_in(tmp_path) if NAME in name] == []
        new.write(b" and half")
        new.keep()
    assert files_in(tmp_path) == [f"attachments/12/{NAME}"]


def test_what_was_not_kept_is_gone(tmp_path: Path) -> None:
    with Staging(tmp_path).new_file("attachments", "12", NAME) as new:
        new.write(b"half")
    assert files_in(tmp_path) == []


def test_a_file_of_an_earlier_sync_is_replaced(tmp_path: Path) -> None:
    old = Path(stage(Staging(tmp_path), b"a long old one").location)
    os.utime(old, (1, 1))
    assert stage(Staging(tmp_path), b"new").location == str(old)
    assert old.read_bytes() == b"new"


def test_a_file_that_comes_twice_does_not_take_the_place_of_one_that_is_awaited(
    tmp_path: Path,
) -> None:
    staging = Staging(tmp_path)
    first, second = stage(staging, b"once"), stage(staging, b"again")
    assert Path(first.location).read_bytes() == b"once"
    assert Path(second.location).read_bytes() == b"again"
    assert first.relative_path == second.relative_path


def test_once_the_destination_has_taken_a_file_its_place_is_free(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    first = stage(staging, b"once")
    Path(first.location).unlink()
    assert stage(staging, b"again").location == first.location


def test_files_that_the_user_keeps_have_one_place(tmp_path: Path) -> None:
    staging = Staging(tmp_path, is_kept=True)
    assert stage(staging, b"once").location == stage(staging, b"again").location
    assert files_in(tmp_path) == [f"attachments/12/{NAME}"]


def test_threads_that_get_the_same_file_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    with (
        staging.new_file("attachments", "12", NAME) as one,
        staging.new_file("attachments", "12", NAME) as other,
    ):
        one.write(b"one")
        other.write(b"other")
        staged = one.keep(), other.keep()
    assert [Path(file.location).read_bytes() for file in staged] == [b"one", b"other"]


def test_a_download_that_begins_again_writes_the_file_once(tmp_path: Path) -> None:
    with Staging(tmp_path).new_file("attachments", "12", NAME) as new:
        new.write(b"a long first try")
        new.restart()
        new.write(b"second")
        staged = new.keep()
    assert staged.size == 6
    assert Path(staged.location).read_bytes() == b"second"


def test_a_link_planted_under_the_partial_name_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder = tmp_path / "attachments"
    folder.mkdir()
    (folder / f".12.{os.getpid()}.0.part").symlink_to(victim)
    stage(Staging(tmp_path), b"x")
    assert victim.read_text() == "precious"


def refused(staging: Staging, content: bytes) -> Why:
    with pytest.raises(NoFile) as caught:
        stage(staging, content)
    return caught.value.why


def test_a_file_may_be_exactly_as_large_as_the_limit(tmp_path: Path) -> None:
    assert stage(Staging(tmp_path, max_bytes=5), b"12345").size == 5


def test_a_file_above_the_limit_is_refused(tmp_path: Path) -> None:
    assert refused(Staging(tmp_path, max_bytes=5), b"123456") is Why.TOO_LARGE
    assert files_in(tmp_path) == []


def test_a_file_that_grows_above_the_limit_is_refused_at_once(tmp_path: Path) -> None:
    with Staging(tmp_path, max_bytes=5).new_file("attachments", "12", NAME) as new:
        new.write(b"12345")
        with pytest.raises(NoFile):
            new.write(b"6")


def test_a_file_may_take_all_but_what_stays_free(tmp_path: Path) -> None:
    assert stage(Staging(tmp_path, free_bytes=lambda _: RESERVED_BYTES + 5), b"12345").size == 5


def test_a_file_that_leaves_too_little_space_is_refused(tmp_path: Path) -> None:
    staging = Staging(tmp_path, free_bytes=lambda _: RESERVED_BYTES + 4)
    assert refused(staging, b"12345") is Why.NO_SPACE
    assert files_in(tmp_path) == []


def test_space_that_goes_while_a_file_comes_is_noticed(tmp_path: Path) -> None:
    free = iter([10 * BYTES_BETWEEN_LOOKS, RESERVED_BYTES])
    staging = Staging(tmp_path, free_bytes=lambda _: next(free))
    with staging.new_file("attachments", "12", NAME) as new:
        new.write(bytes(BYTES_BETWEEN_LOOKS // 2 + 1))
        new.write(bytes(BYTES_BETWEEN_LOOKS // 2 + 1))
        with pytest.raises(NoFile):
            new.write(b"x" * BYTES_BETWEEN_LOOKS)
    assert files_in(tmp_path) == []


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """The operating system lets this process write no larger file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_an_operating_system_that_refuses_to_write_on_is_a_full_disk(tmp_path: Path) -> None:
    with largest_file(1000):
        assert refused(Staging(tmp_path), bytes(5000)) is Why.NO_SPACE
        assert files_in(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_takes_no_file_is_reported(tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert refused(Staging(tmp_path), b"x") is Why.UNWRITABLE
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def test_a_file_in_place_of_the_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "attachments").touch()
    assert refused(Staging(tmp_path), b"x") is Why.UNWRITABLE


def test_what_killed_processes_left_goes_after_a_day(tmp_path: Path) -> None:
    folder = tmp_path / "attachments"
    folder.mkdir()
    for name, age in ((".1.7.part", 0), (".2.7.part", PARTIAL_SECONDS + 60)):
        partial = folder / name
        partial.touch()
        changed = partial.stat().st_mtime - age
        os.utime(partial, (changed, changed))
    Staging(tmp_path).sweep("attachments")
    assert files_in(tmp_path) == ["attachments/.1.7.part"]
