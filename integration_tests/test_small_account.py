"""An account of 5,000 tasks, with all streams in one sync."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import pendulum
import pytest
from jsonschema import Draft7Validator, FormatChecker

from integration_tests.asana_emulator import AsanaEmulator, make_account
from integration_tests.reading import SERVICE, Record, config_for, full_refresh, run
from integration_tests.truth_of import fewest_requests, in_order, truth
from local_sync.report import table
from source_asana.streams.declared import STREAMS
from source_asana.streams.sources import DELETED_AT
from unit_tests.json_schema import leaves

pytestmark = pytest.mark.once

RICHEST_TASKS = 3
"""The first tasks of the first project: between them they have everything that a task can have."""


@dataclass(frozen=True)
class Reading:
    """The output of one sync, and its requests."""

    records: Mapping[str, Sequence[Record]]
    requests: Mapping[str, int]
    pages_read_again: Mapping[str, int]
    exit_status: int


@pytest.fixture(scope="module")
def asana() -> Iterator[AsanaEmulator]:
    """The small account; its fullest tasks are subtasks too, so every field occurs in these."""
    account = make_account("small")
    with AsanaEmulator(account) as emulator:
        viewer = account.people[SERVICE]
        project = next(emulator.expected("projects", SERVICE))["gid"]
        *rich, parent = account.listing(viewer, "tasks", project)[: RICHEST_TASKS + 1]
        for task in rich:
            account.set_parent(task, parent)
        yield emulator


@pytest.fixture(scope="module")
def reading(asana: AsanaEmulator) -> Reading:
    said = full_refresh(asana, list(STREAMS))
    return Reading(
        said.records(), asana.ledger.by_path(), asana.ledger.duplicates(), said.exit_status
    )


@pytest.fixture(scope="module")
def schemas(asana: AsanaEmulator) -> Mapping[str, dict[str, Any]]:
    """The schema of each stream, as `discover` shows it."""
    (message,) = run("discover", asana, config_for(asana)).of_type("CATALOG")
    return {stream["name"]: stream["json_schema"] for stream in message["catalog"]["streams"]}


def test_no_path_is_requested_more_often_than_necessary(
    asana: AsanaEmulator, reading: Reading
) -> None:
    fewest = fewest_requests(asana, STREAMS)
    rows = [(path, least, reading.requests.get(path, 0)) for path, least in fewest.items()]
    total = ("total", sum(fewest.values()), sum(reading.requests.values()))
    print(f"\n{table(('path', 'fewest', 'requests'), rows, total)}")  # noqa: T201 - shown with -s
    assert reading.requests == fewest
    assert reading.pages_read_again == {}


def test_every_stream_is_complete(reading: Reading) -> None:
    assert reading.exit_status == 0


@pytest.mark.parametrize("stream", STREAMS)
def test_no_record_comes_twice(reading: Reading, stream: str) -> None:
    key = STREAMS[stream].key
    times = Counter(tuple(record[column] for column in key) for record in reading.records[stream])
    assert [found for found, count in times.items() if count > 1] == []


@pytest.mark.parametrize("stream", STREAMS)
def test_every_record_matches_the_record_in_asana(
    asana: AsanaEmulator, reading: Reading, stream: str
) -> None:
    assert in_order(reading.records[stream]) == truth(asana, stream)


formats = FormatChecker(formats=())


@formats.checks("date", raises=ValueError)
def is_date(value: object) -> bool:
    return not isinstance(value, str) or bool(pendulum.from_format(value, "YYYY-MM-DD"))


@formats.checks("date-time", raises=ValueError)
def is_date_time(value: object) -> bool:
    """A moment in UTC, to the millisecond, as Asana writes it."""
    return not isinstance(value, str) or bool(
        pendulum.from_format(value, "YYYY-MM-DD[T]HH:mm:ss.SSS[Z]")
    )


def test_an_invalid_date_is_detected(schemas: Mapping[str, dict[str, Any]]) -> None:
    validator = Draft7Validator(schemas["tasks"], format_checker=formats)
    assert validator.is_valid({"gid": "1", "due_on": "2026-02-28"})
    assert not validator.is_valid({"gid": "1", "due_on": "2026-02-30"})
    assert not validator.is_valid({"gid": "1", "due_at": "2026-02-28"})


def distinct(records: Iterable[Record], column: str) -> list[Any]:
    """Each value of a column once: most are shared by many records, and validation is slow."""
    values = (record[column] for record in records if column in record)
    return list({orjson.dumps(value): value for value in values}.values())


@pytest.mark.parametrize("stream", STREAMS)
def test_every_record_matches_the_discovered_schema(
    reading: Reading, schemas: Mapping[str, dict[str, Any]], stream: str
) -> None:
    records, columns = reading.records[stream], schemas[stream]["properties"]
    assert {column for record in records for column in record} <= columns.keys()
    for column, declared in columns.items():
        validator = Draft7Validator(declared, format_checker=formats)
        for value in distinct(records, column):
            assert [error.message for error in validator.iter_errors(value)] == []


def filled(value: Any, path: str = "") -> Iterator[str]:
    """The paths of a record that have a value; a path goes through arrays."""
    if isinstance(value, list):
        for entry in value:
            yield from filled(entry, path)
    elif isinstance(value, dict):
        for name, below in value.items():
            yield from filled(below, f"{path}.{name}" if path else name)
    elif value is not None:
        yield path


NEVER_FILLED = {
    "projects.is_template": "Asana no longer has it; kept for the tables of 1.7.2",
    "projects.custom_fields.resource_subtype": "in the catalog of 1.7.2; Asana has it in tasks",
    "portfolio_items.custom_fields.resource_subtype": "as in projects",
    "goal_memberships.is_commenter": "always null, says Asana's reference",
    "goal_memberships.is_editor": "as is_commenter",
    "stories.old_date_value.start_on": "declared with all dates; a field's date has no start",
    "stories.new_date_value.start_on": "as the old one",
    "goal_stories.old_date_value.start_on": "as in stories",
    "goal_stories.new_date_value.start_on": "as in stories",
    **dict.fromkeys(
        [f"{name}.{DELETED_AT}" for name, stream in STREAMS.items() if stream.event_type],
        "tombstones have it, and a full refresh has none",
    ),
    **dict.fromkeys(
        [f"events.{leaf}" for leaf in leaves(STREAMS["events"].json_schema())],
        "events are what happens between two syncs",
    ),
}


def test_every_declared_field_has_a_value_somewhere(
    reading: Reading, schemas: Mapping[str, dict[str, Any]]
) -> None:
    declared = {f"{stream}.{leaf}" for stream in schemas for leaf in leaves(schemas[stream])}
    found = {
        f"{stream}.{path}"
        for stream, records in reading.records.items()
        for record in records
        for path in filled(record)
    }
    of_tasks = {
        path.replace("stories.", "goal_stories.", 1) for path in found if "stories." in path
    }
    assert declared - found - of_tasks == set(NEVER_FILLED)
