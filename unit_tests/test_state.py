from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_asana.state import (
    Mark,
    UnknownState,
    done_projects,
    full_refresh_blob,
    incremental_blob,
    incremental_marks,
    mark_time,
)

TIMES = st.datetimes().map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}.000Z".rjust(24, "0"))
MARKS = st.dictionaries(
    st.integers(1, 10**16).map(str),
    st.builds(Mark, TIMES, st.none() | st.text("0123456789abcdef:", min_size=1)),
)


@given(MARKS)
def test_what_is_written_is_read_again(marks: dict[str, Mark]) -> None:
    assert incremental_marks(orjson.loads(orjson.dumps(incremental_blob(marks)))) == marks


@given(MARKS)
def test_a_full_refresh_remembers_which_projects_are_done(marks: dict[str, Mark]) -> None:
    done = {project: Mark(mark.since) for project, mark in marks.items()}
    assert done_projects(full_refresh_blob(marks)) == done


def test_a_state_can_be_read_by_a_person() -> None:
    marks = {"12": Mark("2026-11-20T10:00:00.000Z", "abc"), "11": Mark("2026-11-20T10:00:00.000Z")}
    assert incremental_blob(marks) == {
        "modified_since": {"2026-11-20T10:00:00.000Z": ["11", "12"]},
        "sync_tokens": {"12": "abc"},
    }


def test_a_mark_is_the_servers_time_less_five_minutes() -> None:
    assert mark_time("Fri, 20 Nov 2026 10:02:03 GMT") == "2026-11-20T09:57:03.000Z"


@pytest.mark.parametrize(
    "blob",
    [
        {},
        {"__ab_full_refresh_sync_complete": True},
        {"__ab_no_cursor_state_message": True},
        {"states": [{"partition": {}, "cursor": {}}], "use_global_cursor": False},
        {"done": {"2026-11-20T10:00:00.000Z": ["11"]}},
    ],
    ids=["empty", "complete", "no cursor", "a cursor of the CDK", "a full refresh"],
)
def test_states_without_marks_mean_that_everything_is_read(blob: dict[str, Any]) -> None:
    assert incremental_marks(blob) == {}


def test_a_full_refresh_begins_anew_with_a_state_that_it_cannot_read() -> None:
    assert done_projects({"done": ["11"]}) == {}


def test_a_full_refresh_does_not_take_an_incremental_state_for_its_own() -> None:
    assert done_projects({"modified_since": {"2026-11-20T10:00:00.000Z": ["11"]}}) == {}


@pytest.mark.parametrize(
    "blob",
    [
        {"modified_since": []},
        {"modified_since": {"yesterday": ["11"]}},
        {"modified_since": {"2026-11-20T10:00:00.000Z": "11"}},
        {"modified_since": {"2026-11-20T10:00:00.000Z": [11]}},
        {"modified_since": {"2026-11-20T10:00:00.000Z": ["../11"]}},
        {"sync_tokens": {"11": 5}},
        {"sync_tokens": []},
        {"done": {}, "modified_since": {}},
        {"modified_since": {}, "version": 9},
    ],
    ids=orjson.dumps,
)
def test_any_other_state_is_refused(blob: dict[str, Any]) -> None:
    with pytest.raises(UnknownState):
        incremental_marks(blob)


@pytest.mark.parametrize(("token", "most"), [(None, 300_000), ("f" * 40, 1_000_000)])
def test_the_state_of_ten_thousand_projects_stays_small(token: str | None, most: int) -> None:
    marks = {
        str(1_200_000_000_000_000 + n): Mark("2026-11-20T10:00:00.000Z", token)
        for n in range(10_000)
    }
    assert len(orjson.dumps(incremental_blob(marks))) < most
