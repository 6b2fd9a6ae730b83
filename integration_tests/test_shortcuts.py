"""The output of `make shortcuts`, at a small scale, and whether its comparison finds mistakes."""

from collections.abc import Iterator

import pytest

from integration_tests.asana_emulator import AsanaEmulator, make_account
from integration_tests.shortcuts import WAYS, measure, table
from integration_tests.test_resource_exports import PATIENT

pytestmark = pytest.mark.once

FEWEST = 1_237


@pytest.fixture(scope="module")
def office() -> Iterator[AsanaEmulator]:
    """An account of 300 tasks."""
    with AsanaEmulator(make_account(300)) as asana:
        yield asana


@pytest.mark.parametrize("way", ["exports", "exports without links"])
def test_exports_save_requests_and_change_no_record(office: AsanaEmulator, way: str) -> None:
    found = measure(office, WAYS[way], PATIENT)
    assert found.requests < FEWEST / 2
    assert (found.missing, found.different, found.too_many) == (0, 0, 0)


def test_the_table_has_the_fewest_requests_and_those_of_each_way(office: AsanaEmulator) -> None:
    _, _, fewest, documented = table(office, ["documented"]).splitlines()
    assert fewest.startswith(f"| fewest documented requests | {FEWEST:,} | 100.0% |")
    assert documented.startswith(f"| documented | {FEWEST:,} | 100.0% |")
    assert documented.endswith("| 0 | 0 | 0 |")


def test_a_record_that_differs_is_counted(
    office: AsanaEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    tags = list(office.expected("tags", "service"))
    expected = office.expected

    def others(stream: str, token: str) -> Iterator[object]:
        if stream != "tags":
            return expected(stream, token)
        return iter([{**tags[0], "name": "other"}, {**tags[1], "gid": "1"}, *tags[2:]])

    monkeypatch.setattr(office, "expected", others)
    found = measure(office, WAYS["documented"])
    assert (found.missing, found.different, found.too_many) == (1, 1, 1)
