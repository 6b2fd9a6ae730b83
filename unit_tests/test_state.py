from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_asana.asana.times import mark_time
from source_asana.reading.marks import (
    WHOLE,
    Coverage,
    Mark,
    UnknownState,
    done_projects,
    evidence_in,
    full_refresh_blob,
    incremental_blob,
    incremental_marks,
)

TIMES = st.datetimes().map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}.000Z".rjust(24, "0"))
GIDS = st.integers(1, 10**16).map(str)
TOKENS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
DETAILS = {
    "missing": st.frozensets(
        st.tuples(st.sampled_from(["tasks/{task}/stories", "attachments?parent={parent}"]), GIDS),
        max_size=2,
    ),
    "checked": st.none() | TIMES,
    "home": st.none() | GIDS,
}
MARKS = st.dictionaries(
    GIDS,
    st.builds(Mark, TIMES, st.none() | TOKENS, **DETAILS)
    | st.builds(Mark, TIMES, TOKENS, GIDS, **DETAILS)
    | st.builds(Mark, TIMES, st.sampled_from(["a", "b"]), st.sampled_from(["1", "2"])),
)
REACHES = st.builds(Coverage, st.none() | TIMES, st.booleans())
TIME, LATER = "2026-11-20T10:00:00.000Z", "2026-11-21T10:00:00.000Z"


@given(MARKS)
def test_a_written_state_is_read_back_unchanged(marks: dict[str, Mark]) -> None:
    assert incremental_marks(orjson.loads(orjson.dumps(incremental_blob(marks)))) == marks


@pytest.mark.parametrize("token", ["a\0", "\0", "\ud83d"], ids=ascii)
@pytest.mark.parametrize("workspace", [None, "1"])
def test_a_sync_token_that_a_state_cannot_hold_is_not_written(
    token: str, workspace: str | None
) -> None:
    """The next sync then knows that the events are lost, and reads the project's tasks in full."""
    blob = incremental_blob({"11": Mark(TIME, token, workspace), "12": Mark(TIME, "b", workspace)})
    assert incremental_marks(orjson.loads(orjson.dumps(blob))) == {
        "11": Mark(TIME),
        "12": Mark(TIME, "b", workspace),
    }


@given(MARKS)
def test_a_full_refresh_remembers_which_projects_are_done(marks: dict[str, Mark]) -> None:
    done = {project: Mark(mark.since) for project, mark in marks.items()}
    assert done_projects(full_refresh_blob(marks)) == done


@given(MARKS, REACHES, REACHES)
def test_marks_are_used_where_they_cover_the_request(
    marks: dict[str, Mark], reach: Coverage, wanted: Coverage
) -> None:
    blob = orjson.loads(orjson.dumps(incremental_blob(marks, reach)))
    assert incremental_marks(blob, wanted) == (marks if reach.covers(wanted) else {})
    assert incremental_marks(blob, reach) == marks


@given(MARKS, REACHES, REACHES)
def test_done_projects_are_used_where_they_cover_the_request(
    marks: dict[str, Mark], reach: Coverage, wanted: Coverage
) -> None:
    done = {project: Mark(mark.since) for project, mark in marks.items()}
    blob = orjson.loads(orjson.dumps(full_refresh_blob(marks, reach)))
    assert done_projects(blob, wanted) == (done if reach.covers(wanted) else {})


@pytest.mark.parametrize(
    ("reach", "wanted", "is_enough"),
    [
        (WHOLE, WHOLE, True),
        (WHOLE, Coverage(TIME), True),
        (WHOLE, Coverage(TIME, below_subtasks=False), True),
        (Coverage(TIME), Coverage(TIME), True),
        (Coverage(TIME), Coverage(LATER), True),
        (Coverage(LATER), Coverage(TIME), False),
        (Coverage(TIME), WHOLE, False),
        (Coverage(below_subtasks=False), Coverage(below_subtasks=False), True),
        (Coverage(below_subtasks=False), WHOLE, False),
        (Coverage(below_subtasks=False), Coverage(TIME), False),
        (Coverage(TIME, below_subtasks=False), Coverage(LATER, below_subtasks=False), True),
        (Coverage(TIME, below_subtasks=False), Coverage(LATER), False),
    ],
)
def test_marks_cover_requests_for_no_more_than_was_read(
    reach: Coverage, wanted: Coverage, *, is_enough: bool
) -> None:
    assert reach.covers(wanted) is is_enough


def test_a_person_can_read_what_was_left_out() -> None:
    blob = incremental_blob({"11": Mark(TIME)}, Coverage(LATER, below_subtasks=False))
    assert blob["left_out"] == {"before": LATER, "below_subtasks": True}
    assert incremental_blob({}, Coverage(LATER))["left_out"] == {"before": LATER}
    assert "left_out" not in incremental_blob({"11": Mark(TIME)})
    assert "left_out" not in full_refresh_blob({"11": Mark(TIME)})


def test_a_person_can_read_what_is_missing_and_where_projects_are() -> None:
    stories = "tasks/{task}/stories"
    marks = {
        "11": Mark(TIME, missing=frozenset({(stories, "7"), (stories, "6")}), home="1"),
        "12": Mark(TIME, checked=LATER, home="1"),
        "13": Mark(TIME, home="2"),
        "14": Mark(TIME),
    }
    blob = incremental_blob(marks)
    assert blob["missing"] == {"11": {stories: ["6", "7"]}}
    assert blob["checked"] == {LATER: ["12"]}
    assert (blob["workspace"], blob["other_workspaces"]) == ("1", {"2": ["13"], "0": ["14"]})
    assert "missing" not in full_refresh_blob(marks)


@pytest.mark.parametrize(
    "wrong",
    [
        {"missing": []},
        {"missing": {"x": {}}},
        {"missing": {"11": ["7"]}},
        {"missing": {"11": {"tasks/{task}/stories": "7"}}},
        {"checked": {"yesterday": ["11"]}},
        {"workspace": "one"},
        {"workspace": "1", "other_workspaces": {"2": "13"}},
        {"other_workspaces": ["2"]},
    ],
    ids=str,
)
def test_details_of_another_format_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UnknownState):
        incremental_marks({"modified_since": {TIME: ["11"]}, **wrong})


def test_the_token_of_a_workspace_is_written_once_for_all_of_its_projects() -> None:
    marks = {
        "11": Mark(TIME, "abc", "1"),
        "12": Mark(TIME, "abc", "1"),
        "13": Mark(LATER, "def", "1"),
        "14": Mark(LATER, "own"),
    }
    blob = incremental_blob(marks)
    assert blob["sync_tokens"] == {"14": "own"}
    assert set(blob["workspace_tokens"]) == {"1"}
    assert set(blob["workspace_tokens"]["1"]) == {"abc", "def"}
    assert orjson.dumps(blob).count(b"abc") == 1


@pytest.mark.parametrize("times", [(TIME, LATER), (LATER, TIME)])
def test_the_older_of_two_times_of_a_project_counts(times: tuple[str, str]) -> None:
    blob = {"modified_since": {time: ["1"] for time in times}}
    assert incremental_marks(blob)["1"].since == TIME
    assert done_projects({"done": blob["modified_since"]})["1"].since == TIME


def test_a_project_with_its_workspaces_token_does_not_resume_from_an_older_one() -> None:
    blob = incremental_blob({"11": Mark(TIME, "abc", "1")}) | {"sync_tokens": {"11": "old"}}
    assert incremental_marks(blob) == {"11": Mark(TIME, "abc", "1")}


def test_a_person_can_read_a_state() -> None:
    marks = {"12": Mark("2026-11-20T10:00:00.000Z", "abc"), "11": Mark("2026-11-20T10:00:00.000Z")}
    assert incremental_blob(marks) == {
        "modified_since": {"2026-11-20T10:00:00.000Z": ["11", "12"]},
        "sync_tokens": {"12": "abc"},
    }


def test_a_mark_is_the_servers_time_minus_five_minutes() -> None:
    assert mark_time("Fri, 20 Nov 2026 10:02:03 GMT") == "2026-11-20T09:57:03.000Z"


@pytest.mark.parametrize(
    "blob",
    [
        {},
        {"__ab_full_refresh_sync_complete": True},
        {"__ab_no_cursor_state_message": True},
        {"states": [{"partition": {}, "cursor": {}}], "use_global_cursor": False},
        {"done": {"2026-11-20T10:00:00.000Z": ["11"]}},
        {"done": {}, "left_out": {"before": "2026-11-20T10:00:00.000Z"}},
    ],
    ids=[
        "empty",
        "complete",
        "no cursor",
        "a cursor of the CDK",
        "a full refresh",
        "a full refresh of a part",
    ],
)
def test_everything_is_read_for_a_state_without_marks(blob: dict[str, Any]) -> None:
    assert incremental_marks(blob) == {}


def test_a_full_refresh_starts_over_with_a_state_that_it_cannot_read() -> None:
    assert done_projects({"done": ["11"]}) == {}


@pytest.mark.parametrize("left_out", ["all", {"before": "yesterday"}, {"after": TIME}])
def test_a_full_refresh_starts_over_where_it_cannot_read_what_was_left_out(left_out: Any) -> None:
    assert done_projects({"done": {TIME: ["11"]}, "left_out": left_out}) == {}


def test_a_full_refresh_does_not_use_an_incremental_state() -> None:
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
        {"modified_since": {}, "workspace_tokens": []},
        {"modified_since": {}, "workspace_tokens": {"1": "abc"}},
        {"modified_since": {}, "workspace_tokens": {"1": ["abc"]}},
        {"modified_since": {}, "workspace_tokens": {"../1": {"abc": ["11"]}}},
        {"modified_since": {}, "workspace_tokens": {"1": {"": ["11"]}}},
        {"modified_since": {}, "workspace_tokens": {"1": {"a\0b": ["11"]}}},
        {"modified_since": {}, "workspace_tokens": {"1": {"abc": "11"}}},
        {"modified_since": {}, "workspace_tokens": {"1": {"abc": [11]}}},
        {"modified_since": {}, "workspace_tokens": {"1": {"abc": ["../11"]}}},
        {"modified_since": {}, "left_out": []},
        {"modified_since": {}, "left_out": {"before": 5}},
        {"modified_since": {}, "left_out": {"before": "2026-11-20"}},
        {"modified_since": {}, "left_out": {"below_subtasks": "yes"}},
        {"modified_since": {}, "left_out": {"below_subtasks": None}},
        {"modified_since": {}, "left_out": {"projects": ["11"]}},
    ],
    ids=orjson.dumps,
)
def test_any_other_state_is_refused(blob: dict[str, Any]) -> None:
    with pytest.raises(UnknownState):
        incremental_marks(blob)


@pytest.mark.parametrize(
    ("token", "workspace", "most"),
    [
        (None, None, 300_000),
        ("f" * 40, None, 1_000_000),
        ("f" * 40, "1200000000000001", 400_000),  # each gid twice, but one token
    ],
    ids=["no tokens", "a token each", "one token for all"],
)
def test_the_state_of_ten_thousand_projects_stays_small(
    token: str | None, workspace: str | None, most: int
) -> None:
    marks = {
        str(1_200_000_000_000_000 + n): Mark("2026-11-20T10:00:00.000Z", token, workspace)
        for n in range(10_000)
    }
    assert len(orjson.dumps(incremental_blob(marks))) < most


TRUSTED: dict[str, int] = {"agreed": 700, "counter": 20, "met": 900, "trusted": 200}
WRONG = TRUSTED | {"is_wrong": 1}
TWO = {"11": Mark(TIME, "a"), "12": Mark(LATER, "b")}


def doubted(blob: dict[str, Any]) -> list[str]:
    marks = incremental_marks(orjson.loads(orjson.dumps(blob)))
    assert marks.keys() == TWO.keys()
    return sorted(project for project, mark in marks.items() if mark.is_doubted)


@pytest.mark.parametrize(
    ("evidence", "projects"),
    [
        ({}, []),
        (TRUSTED, []),
        (WRONG, ["11", "12"]),
        ({name: WRONG[name] for name in WRONG if name != "trusted"}, []),
    ],
)
def test_marks_are_doubted_after_something_was_skipped_wrongly(
    evidence: dict[str, int], projects: list[str]
) -> None:
    assert doubted(incremental_blob(TWO, WHOLE, evidence)) == projects


def test_what_was_read_again_is_no_longer_doubted() -> None:
    first = incremental_marks(incremental_blob(TWO, WHOLE, WRONG))
    known = evidence_in(incremental_blob(TWO, WHOLE, WRONG))
    assert known == {name: number for name, number in WRONG.items() if name != "trusted"}
    new = Mark("2026-11-22T10:00:00.000Z", "c")
    assert doubted(incremental_blob(first | {"11": new}, WHOLE, known)) == ["12"]
    assert doubted(incremental_blob(first | {"11": new, "12": new}, WHOLE, known)) == []


def test_a_refresh_that_skipped_wrongly_starts_over() -> None:
    assert done_projects(full_refresh_blob(TWO, WHOLE, TRUSTED)).keys() == TWO.keys()
    assert done_projects(full_refresh_blob(TWO, WHOLE, WRONG)) == {}
    assert incremental_marks(full_refresh_blob(TWO, WHOLE, TRUSTED)) == {}


@pytest.mark.parametrize("evidence", [TRUSTED, WRONG])
def test_evidence_survives_where_nothing_is_marked(evidence: dict[str, int]) -> None:
    assert incremental_marks(incremental_blob({}, WHOLE, evidence)) == {}
    assert evidence_in(incremental_blob({}, WHOLE, evidence))["agreed"] == 700


@pytest.mark.parametrize(
    "odd",
    [
        {"evidence": []},
        {"evidence": {"agreed": -1}},
        {"evidence": {"agreed": "700"}},
        {"evidence": {"other": 1}},
        {"doubted_until": "yesterday"},
        {"doubted_until": 1},
    ],
)
def test_odd_evidence_is_an_unknown_state(odd: dict[str, Any]) -> None:
    blob = incremental_blob(TWO) | odd
    with pytest.raises(UnknownState):
        (incremental_marks(blob), evidence_in(blob))
