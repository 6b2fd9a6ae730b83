"""Pages that are too large, or take Asana too long: smaller ones are requested."""

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import orjson
import pytest

from integration_tests.asana_emulator import AsanaEmulator, make_account
from integration_tests.reading import SERVICE, Said, catalog_of, config_for, run
from source_asana.asana.client import PAGE_MEMORY_BYTES

pytestmark = pytest.mark.once

TASKS = "/tasks"
GULL_ROCK = "1205000000000001"
MEGABYTE = 1_000_000


@pytest.fixture
def busy() -> Iterator[AsanaEmulator]:
    """An account of 900 tasks, in projects of up to 700."""
    with AsanaEmulator(make_account(900)) as asana:
        yield asana


@pytest.fixture(scope="module")
def wordy() -> Iterator[AsanaEmulator]:
    """25 projects with about 30 tasks of 360 kB each: pages of 10 MB."""
    with AsanaEmulator(make_account(951, menus=6, in_each=30)) as asana:
        yield asana


def read_tasks(asana: AsanaEmulator, workers: int = 1) -> Said:
    asana.ledger.reset()
    return run(
        "read",
        asana,
        config_for(asana, num_workers=workers),
        catalog_of(["tasks"]),
        patience=0.02,
    )


def gids(said: Said) -> Counter[str]:
    return Counter(record["gid"] for record in said.records()["tasks"])


def expected(asana: AsanaEmulator) -> Counter[str]:
    return Counter(record["gid"] for record in asana.expected("tasks", SERVICE))


def limits(asana: AsanaEmulator) -> list[str]:
    """The `limit` of each request for tasks, without repetitions."""
    asked = (each.query["limit"] for each in asana.ledger.requests if each.template == TASKS)
    return [limit for limit, _ in groupby(asked)]


@pytest.mark.parametrize("limit_may_change", [True, False], ids=["any limit", "one limit"])
@pytest.mark.parametrize("pages_before", [0, 1, 3])
@pytest.mark.parametrize("workers", [1, 10])
def test_nothing_is_missing_where_asana_is_too_slow_for_large_pages(
    busy: AsanaEmulator, workers: int, pages_before: int, *, limit_may_change: bool
) -> None:
    busy.controls.limit_may_change = limit_may_change
    busy.controls.fail(TASKS, 504, times=None, above_limit=20, bare=True, after=pages_before)
    said = read_tasks(busy, workers)
    assert gids(said) == expected(busy)
    assert said.exit_status == 0
    assert not said.errors()


def test_a_page_size_that_asana_can_handle_is_found_once_for_all_projects(
    busy: AsanaEmulator,
) -> None:
    busy.controls.fail(TASKS, 504, times=None, above_limit=20)
    said = read_tasks(busy)
    assert gids(said) == expected(busy)
    assert limits(busy) == ["100", "50", "25", "12"]
    assert busy.ledger.count(TASKS, 504) == 6


def test_offsets_for_any_limit_cost_no_page_twice(busy: AsanaEmulator) -> None:
    busy.controls.limit_may_change = True
    busy.controls.fail("/tasks?offset=*", 504, times=None, above_limit=20)
    read_tasks(busy)
    assert not busy.ledger.duplicates()


def test_a_listing_without_an_answer_ends_when_patience_does(busy: AsanaEmulator) -> None:
    busy.controls.fail(TASKS, 504, times=None)
    said = read_tasks(busy)
    assert said.errors()["tasks"]["failure_type"] == "transient_error"
    assert limits(busy) == ["100", "50", "25", "12", "10"]


@pytest.mark.parametrize("workers", [1, 25])
def test_large_pages_are_requested_again_as_smaller_ones(
    wordy: AsanaEmulator, workers: int
) -> None:
    said = read_tasks(wordy, workers)
    assert gids(said) == expected(wordy)
    assert limits(wordy)[-1] in ("10", "12")


def test_pages_of_ordinary_size_are_always_full(busy: AsanaEmulator) -> None:
    read_tasks(busy, workers=10)
    assert limits(busy) == ["100"]


def test_a_record_larger_than_the_memory_for_pages_comes_too(asana: AsanaEmulator) -> None:
    notes = "Mind the gulls. " * (PAGE_MEMORY_BYTES // 10)
    asana.change(lambda account: account.create_task(GULL_ROCK, "Novel", notes=notes))
    said = read_tasks(asana, workers=10)
    assert gids(said) == expected(asana)
    assert [r["name"] for r in said.records()["tasks"] if r["notes"] == notes] == ["Novel"]


def test_no_worker_waits_for_memory_after_the_sync(wordy: AsanaEmulator) -> None:
    before = set(threading.enumerate())
    run(
        "read",
        wordy,
        config_for(wordy, num_workers=25),
        catalog_of(["tasks"]),
        killed_after=10,
    )
    workers = set(threading.enumerate()) - before
    for worker in workers:
        worker.join(timeout=30)
    assert not any(worker.is_alive() for worker in workers)


@pytest.mark.no_cover
def test_large_pages_take_less_than_400_megabytes_with_25_workers(
    wordy: AsanaEmulator, tmp_path: Path
) -> None:
    written = {
        "config": config_for(wordy, num_workers=25),
        "catalog": catalog_of(["tasks"]),
    }
    for name, content in written.items():
        (tmp_path / name).write_bytes(orjson.dumps(content))
    options = [word for name in written for word in (f"--{name}", str(tmp_path / name))]
    program = str(Path(sys.executable).with_name("source-asana"))
    timed = [sys.executable, "-m", "benchmarks.timed", os.devnull, "300", program, "read"]
    done = subprocess.run(
        [*timed, *options],
        env={**os.environ, "ASANA_BASE_URL": wordy.url},
        stdout=subprocess.PIPE,
        check=True,
    )
    cost = orjson.loads(done.stdout)
    assert cost["exit_status"] == 0
    assert cost["memory"] < 400 * MEGABYTE
