"""A value that is missing, null or of another type is unknown, and breaks nothing."""

from typing import Any

import pytest

from source_asana.streams.declared import Subtasks, Tasks
from source_asana.streams.values import (
    first_of_each,
    gid_of,
    gids_in,
    has_parent,
    held,
    is_before,
    is_time,
    is_zero,
    reference,
    usable,
)

MOMENT = "2026-11-20T10:00:00.000Z"
STRANGE: list[Any] = [None, True, 7, 7.5, "", "x", [], {}, [None], {"gid": None}, {"gid": []}]


@pytest.mark.parametrize(
    ("value", "gid"),
    [
        ({"gid": "12"}, "12"),
        ({"gid": 12}, "12"),
        ({"gid": "tag:12"}, "tag:12"),
        ({"gid": ""}, None),
        ({"gid": " "}, None),
        ({"gid": True}, None),
        ({"gid": 1.5}, None),
        *((value, None) for value in STRANGE),
    ],
    ids=repr,
)
def test_a_gid_is_a_nonempty_string_or_a_number(value: Any, gid: str | None) -> None:
    assert gid_of(value) == gid
    assert usable([value]) == ([{**value, "gid": gid}] if gid else [])


@pytest.mark.parametrize("gid", ["one", "1/2", "1 2", "-1", "²", "1\n"])
def test_a_gid_that_goes_into_requests_has_only_digits(gid: str) -> None:
    assert usable([{"gid": gid}]) == [{"gid": gid}]
    assert usable([{"gid": gid}], in_requests=True) == []
    assert usable([{"gid": "12"}, {"gid": 13}], in_requests=True) == [{"gid": "12"}, {"gid": "13"}]


def test_each_gid_comes_once_and_is_remembered() -> None:
    seen = {"1"}
    page = [{"gid": gid, "at": at} for at, gid in enumerate("12321")]
    assert first_of_each(page, seen) == [{"gid": "2", "at": 1}, {"gid": "3", "at": 2}]
    assert seen == {"1", "2", "3"}


@pytest.mark.parametrize(
    ("value", "entries"),
    [(None, []), ([], []), ([None, 1], [None, 1]), ({"gid": "1"}, [{"gid": "1"}]), ("x", ["x"])],
)
def test_a_column_has_a_list_or_one_object(value: Any, entries: list[Any]) -> None:
    assert held(value) == entries


@pytest.mark.parametrize("value", STRANGE, ids=repr)
def test_an_odd_value_is_neither_a_reference_nor_a_count_nor_a_time(value: Any) -> None:
    assert reference(value) == {}
    assert not is_zero(value)
    assert not is_time(value)
    assert not is_before(value, MOMENT)


@pytest.mark.parametrize(
    ("value", "gids"),
    [
        ([], []),
        ([{"gid": "1"}, {"gid": 2}], ["1", "2"]),
        ([{"gid": "1"}, None], None),
        *((value, None) for value in STRANGE if value != []),
    ],
    ids=repr,
)
def test_the_gids_of_a_list_are_known_only_if_all_are_usable(
    value: Any, gids: list[str] | None
) -> None:
    assert gids_in(value) == gids


@pytest.mark.parametrize(
    ("value", "is_old"),
    [
        ("2026-11-20T09:59:59.999Z", True),
        (MOMENT, False),
        ("2026-11-20T10:00:00.001Z", False),
        ("2026-11-19", True),
        ("2026-11-20", False),  # a day has no hours
        ("2020-11-20T10:00:00+00:00", False),
        ("2020-11-20T10:00:00Z", False),
        ("20201120", False),
        (1_500_000_000, False),
        (None, False),
    ],
)
def test_only_a_known_older_time_is_before_a_moment(value: Any, *, is_old: bool) -> None:
    assert is_before(value, MOMENT) is is_old


@pytest.mark.parametrize(
    ("value", "is_none"), [(0, True), (1, False), (False, False), ("0", False)]
)
def test_only_0_counts_as_zero(value: Any, *, is_none: bool) -> None:
    assert is_zero(value) is is_none


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ({"parent": None}, False),
        ({"parent": {"gid": "1"}}, True),
        ({"parent": "x"}, True),
        ({}, True),
    ],
)
def test_only_null_means_that_a_task_has_no_parent(task: Any, *, expected: bool) -> None:
    assert has_parent(task) is expected


ONE = [{"gid": "1"}]


@pytest.mark.parametrize(
    ("task", "in_project", "below_task"),
    [
        ({"projects": ONE, "parent": None}, False, True),
        ({"projects": ONE * 2, "parent": None}, True, True),
        ({"projects": ONE, "parent": {"gid": "2"}}, True, True),
        ({"projects": [], "parent": {"gid": "2"}}, True, False),
        ({"projects": ONE}, True, True),
        ({"parent": None}, True, True),
        *(({"projects": value, "parent": None}, True, True) for value in STRANGE if value != []),
    ],
    ids=repr,
)
def test_a_task_may_come_again_unless_it_is_certainly_in_one_place_only(
    task: Any, *, in_project: bool, below_task: bool
) -> None:
    assert Tasks.may_repeat(task) is in_project
    assert Subtasks.may_repeat(task) is below_task
