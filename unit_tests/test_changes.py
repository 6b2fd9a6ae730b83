from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_asana.reading.changes import Changes, changes_of, event_id, is_readable

Event = dict[str, Any]


def event(action: str, resource: str, parent: str | None = None, at: str = "10:00") -> Event:
    """A short way to write an event: `event("added", "task 1", "project 2")`."""
    return {
        "action": action,
        "resource": reference(resource),
        "parent": reference(parent) if parent else None,
        "created_at": time(at),
        "user": None,
    }


def time(of_day: str) -> str:
    return f"2026-11-20T{of_day}:00.000Z"


def reference(words: str) -> dict[str, str]:
    kind, gid = words.split()
    return {"resource_type": kind, "gid": gid}


def test_a_changed_task_is_read_again() -> None:
    assert changes_of([event("changed", "task 1")]).tasks == {"1"}


def test_an_added_or_restored_task_is_read_with_everything_below_it() -> None:
    changes = changes_of([event("added", "task 1", "project 2"), event("undeleted", "task 3")])
    assert changes.arrived == {"1", "3"}


def test_a_task_that_gets_a_subtask_or_a_comment_is_read_again() -> None:
    changes = changes_of([event("added", "task 1", "task 2"), event("added", "story 3", "task 4")])
    assert changes.touched == {"2", "4"}
    assert not changes.stories


def test_a_task_that_leaves_a_project_is_not_deleted() -> None:
    changes = changes_of([event("removed", "task 1", "project 2")])
    assert changes.touched == {"1"}
    assert changes.left["project"] == {"1"}
    assert not changes.deleted


def test_an_edited_comment_is_read_alone() -> None:
    changes = changes_of([event("changed", "story 1")])
    assert (changes.stories, changes.restored, changes.tasks) == ({"1"}, set(), set())


def test_a_story_is_deleted_when_it_is_removed() -> None:
    changes = changes_of([event("removed", "story 1", "task 2", at="11:00")])
    assert changes.deleted == {"story": {"1": time("11:00")}}
    assert changes.touched == {"2"}


def test_the_latest_deletion_counts_whatever_the_order() -> None:
    events = [event("deleted", "task 1", at="11:00"), event("deleted", "task 1", at="10:00")]
    assert changes_of(events).deleted == {"task": {"1": time("11:00")}}


def test_sections_and_attachments_are_deleted_and_attachments_are_restored() -> None:
    changes = changes_of(
        [
            event("deleted", "section 1"),
            event("deleted", "attachment 2"),
            event("undeleted", "attachment 3"),
        ]
    )
    ten = time("10:00")
    assert changes.deleted == {"section": {"1": ten}, "attachment": {"2": ten}}
    assert changes.attachments == changes.restored == {"3"}


def test_events_of_other_resource_types_cause_no_request() -> None:
    others = [
        event("changed", "project 1"),
        event("changed", "section 2"),
        event("added", "project_membership 3", "project 1"),
    ]
    assert all(map(is_readable, others))
    assert changes_of(others) == Changes(kinds={"project", "section", "project_membership"})


ODD_VALUES: list[Any] = [
    None,
    "x",
    7,
    [],
    {},
    {"gid": None},
    {"gid": "1"},
    {"resource_type": "task"},
    ...,
]
"""Possible values where an event names an object; `...` means that it is absent."""


@pytest.mark.parametrize("value", ODD_VALUES, ids=repr)
@pytest.mark.parametrize("name", ["resource", "parent", "action", "created_at"])
def test_an_event_without_usable_details_is_unreadable_and_breaks_nothing(
    name: str, value: object
) -> None:
    odd = {**event("deleted", "task 1", "project 2"), name: value}
    if value is ...:
        del odd[name]
    says_enough = (name == "parent" and value in (None, ...)) or (name == "action" and value == "x")
    assert is_readable(odd) is says_enough
    changes = changes_of([odd, event("changed", "task 5")])
    assert "5" in changes.touched
    assert len(event_id(odd)) == 32


@pytest.mark.parametrize("odd", [None, "event", 7, []], ids=repr)
def test_an_entry_that_is_not_an_event_is_skipped(odd: object) -> None:
    assert not is_readable(odd)
    assert changes_of([odd, event("changed", "task 5")]).touched == {"5"}


def test_a_change_needs_no_time() -> None:
    timeless = event("changed", "task 1") | {"created_at": None}
    assert is_readable(timeless)
    assert changes_of([timeless]).touched == {"1"}


@given(
    st.permutations(
        [
            event("added", "task 1", "project 2"),
            event("deleted", "task 1"),
            event("changed", "story 3"),
        ]
    )
)
def test_the_order_of_events_does_not_matter(events: list[Event]) -> None:
    assert changes_of(events) == changes_of(reversed(events))


def test_an_event_has_the_same_id_each_time_it_is_read() -> None:
    one = event("added", "task 1", "project 2")
    assert event_id(one) == event_id(dict(one))


def test_events_that_differ_in_anything_have_different_ids() -> None:
    change = {"field": "name", "action": "changed"}
    events = [
        event("added", "task 1", "project 2"),
        event("added", "task 1", "project 3"),
        event("added", "task 1"),
        event("changed", "task 1"),
        event("changed", "task 1") | {"change": change},
        event("changed", "task 1") | {"change": change | {"new_value": {"gid": "5"}}},
        event("changed", "task 1") | {"change": change | {"added_value": {"gid": "5"}}},
        event("changed", "task 1") | {"change": change | {"new_value": "word"}},
        event("changed", "task 1") | {"user": {"gid": "7"}},
        event("changed", "task 1", at="10:01"),
    ]
    assert len({event_id(one) for one in events}) == len(events)
