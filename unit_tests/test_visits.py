"""What the sync does for a record below a project: one case per line."""

from collections.abc import Callable
from typing import Any

import pytest

from source_asana.reading.changes import Changes
from source_asana.reading.container import Container, Need, News
from source_asana.reading.filters import Filters
from source_asana.reading.listing import Listing, Selection
from source_asana.reading.plan import make_plan
from source_asana.reading.visits import Asked, Claim, Look, Rules, Visit
from source_asana.streams.declared import Attachments, Stories, Subtasks, Tasks
from source_asana.streams.sources import StreamClass

STREAMS: tuple[StreamClass, ...] = (Tasks, Subtasks, Stories)
PLAN = make_plan({stream: Selection(incremental=True) for stream in STREAMS})
MARK, OLD, NEW = (f"2026-11-{day}T10:00:00.000Z" for day in ("19", "01", "20"))

TASK = {
    "gid": "7",
    "created_at": OLD,
    "modified_at": OLD,
    "num_subtasks": 2,
    "projects": [{"gid": "1"}],
    "parent": None,
}
"""A task of one project that has not changed since the mark."""


def project(*, since: str | None = MARK, is_lost: bool = False, **changes: Any) -> Container:
    need = Need(dict.fromkeys(STREAMS, since))
    news = News(MARK, "token", Changes(**changes), are_lost=is_lost)
    return Container("project", "1", need=need, news=news)


def list_of(stream: StreamClass) -> Listing:
    return PLAN.by_path[str(stream.path())]


def look_at(
    inside: Container, listing: Listing, asked_since: str | None = None, **record: Any
) -> tuple[list[str], list[str], Look]:
    """The streams that lack a record, the listings to read below it, and the whole decision."""
    gid = "1" if listing is list_of(Tasks) else "6"
    visit = Visit(listing, gid, inside, inside.need)
    look = Rules(PLAN, Filters(), continues=True).look_at(visit, TASK | record, asked_since, None)
    wanted = sorted(output.stream.stream_name() for output in look.wanted)
    return wanted, sorted(below.listing.name for below in look.below), look


BOTH = ["stories", "subtasks"]
IN_BOTH = {"parent": {"gid": "6"}}


@pytest.mark.parametrize(
    ("inside", "record", "wanted", "below"),
    [
        # nothing was read before
        (lambda: project(since=None), {}, ["tasks"], BOTH),
        (lambda: project(since=None), {"num_subtasks": 0}, ["tasks"], ["stories"]),
        (lambda: project(since=None), {"num_subtasks": None}, ["tasks"], BOTH),
        # the task is as it was
        (project, {}, [], []),
        # it was modified; only the time of creation shows new subtasks
        (project, {"modified_at": NEW}, ["tasks"], ["stories"]),
        (project, {"modified_at": NEW, "created_at": NEW}, ["tasks"], BOTH),
        # unknown times count as new
        (project, {"modified_at": None}, ["tasks"], ["stories"]),
        (project, {"modified_at": NEW, "created_at": "soon"}, ["tasks"], BOTH),
        # events name it
        (lambda: project(touched={"7"}), {}, ["tasks"], ["stories"]),
        (lambda: project(arrived={"7"}), {}, ["tasks"], BOTH),
        (lambda: project(touched={"8"}, arrived={"9"}), {}, [], []),
        # events are lost: all tasks and subtasks, but records below them only where they changed
        (lambda: project(is_lost=True), {}, ["tasks"], ["subtasks"]),
        (lambda: project(is_lost=True), {"modified_at": NEW}, ["tasks"], BOTH),
        # a subtask that is in the project too feeds both streams
        (
            lambda: project(touched={"7"}),
            {"parent": {"gid": "6"}},
            ["subtasks", "tasks"],
            ["stories"],
        ),
    ],
)
def test_a_task_in_the_list_of_its_project(
    inside: Callable[[], Container], record: dict[str, Any], wanted: list[str], below: list[str]
) -> None:
    assert look_at(inside(), list_of(Tasks), **record)[:2] == (wanted, below)


@pytest.mark.parametrize(
    ("asked_since", "record", "wanted", "below", "arrives"),
    [
        (MARK, {}, ["tasks"], BOTH, True),
        (MARK, {"modified_at": NEW}, ["tasks"], ["stories"], False),
        (OLD, {}, [], [], False),  # requested for another stream
        (None, {}, [], [], False),  # not filtered by Asana
    ],
)
def test_a_record_that_asana_returns_as_changed_is_delivered_whatever_its_times(
    asked_since: str | None,
    record: dict[str, Any],
    wanted: list[str],
    below: list[str],
    *,
    arrives: bool,
) -> None:
    """Joining a project is a change for Asana, but does not move `modified_at`."""
    inside = project()
    assert look_at(inside, list_of(Tasks), asked_since, **record)[:2] == (wanted, below)
    assert ("7" in inside.news.changes.arrived) == arrives


@pytest.mark.parametrize(
    ("record", "changes", "wanted"),
    [
        ({}, {}, ["tasks"]),
        ({"projects": []}, {}, []),
        ({"projects": [], "parent": {"gid": "6"}}, {}, ["subtasks"]),
        ({"parent": {"gid": "6"}}, {}, ["subtasks", "tasks"]),
        ({"projects": []}, {"left": {"project": {"7"}, "task": set()}}, ["tasks"]),
        ({"projects": []}, {"left": {"project": set(), "task": {"7"}}}, ["subtasks"]),
        ({"projects": None}, {}, ["tasks"]),
    ],
)
def test_a_task_read_by_gid_belongs_to_its_present_or_past_projects(
    record: dict[str, Any], changes: dict[str, Any], wanted: list[str]
) -> None:
    inside = project(touched={"7"}, **changes)
    assert look_at(inside, PLAN.lookups["task"], **record)[0] == wanted


def test_a_subtask_below_itself_is_neither_delivered_again_nor_followed() -> None:
    inside = project(since=None)
    visit = Visit(list_of(Subtasks), "6", inside, inside.need, above=("5", "7", "6"))
    look = Rules(PLAN, Filters()).look_at(visit, TASK | {"parent": {"gid": "6"}}, None, None)
    assert (look.wanted, look.below) == ([], [])


@pytest.mark.parametrize(
    ("listing", "record", "names"),
    [
        ("task", {"parent": {"gid": "6", "resource_type": "task"}}, "6"),
        ("task", {}, None),
        ("story", {"target": {"gid": "6", "resource_type": "task"}}, "6"),
        ("story", {"target": {"gid": "6", "resource_type": "goal"}}, None),
    ],
)
def test_a_restored_record_names_the_task_that_has_it(
    listing: str, record: dict[str, Any], names: str | None
) -> None:
    inside = project(restored={"7"})
    assert look_at(inside, PLAN.lookups[listing], **record)[2].names == names
    assert look_at(project(), PLAN.lookups[listing], **record)[2].names is None


@pytest.mark.parametrize(
    ("filters", "listing", "record", "is_chosen"),
    [
        (Filters(), "tasks", {}, True),
        (Filters(workspace_gids=("7",)), "workspaces", {}, True),
        (Filters(workspace_gids=("8",)), "workspaces", {}, False),
        (Filters(project_gids=("7",)), "projects", {}, True),
        (Filters(excluded_project_gids=("7",)), "projects", {}, False),
        (Filters(with_archived_projects=False), "projects", {"archived": True}, False),
        (Filters(with_archived_projects=False), "projects", {"archived": None}, True),
    ],
)
def test_the_filters_exclude_what_the_user_did_not_choose(
    filters: Filters, listing: str, record: dict[str, Any], *, is_chosen: bool
) -> None:
    found = next(each for each in PLAN.listings if each.name == listing and each.pages)
    assert Rules(PLAN, filters).is_chosen(found, TASK | record) == is_chosen


HINTED = make_plan(
    {stream: Selection(incremental=True) for stream in (Tasks, Attachments)}, with_hints=True
)


def claim_of(look: Look) -> Claim | None:
    (claim,) = [below.claim for below in look.below if below.listing.name == "attachments"]
    return claim


@pytest.mark.parametrize(
    ("record", "claims"),
    [
        ({"attachments": [], "html_notes": "<body>Tea</body>"}, True),
        ({"attachments": [{"gid": "9"}], "html_notes": "<body></body>"}, False),
        ({"attachments": [{"gid": "9"}]}, False),
        ({"attachments": [], "html_notes": '<body><img src="x"></body>'}, None),
        ({"attachments": [], "html_notes": '<a data-asana-type="attachment">x</a>'}, None),
        ({"attachments": [], "html_notes": "https://app.asana.com/get_asset?asset_id=1"}, None),
        ({"attachments": [], "html_notes": None}, None),
        ({"attachments": []}, None),
        ({"attachments": None, "html_notes": "<body></body>"}, None),
        ({"attachments": {}, "html_notes": "<body></body>"}, None),
        ({"attachments": "", "html_notes": "<body></body>"}, None),
        ({"html_notes": "<body></body>"}, None),
    ],
)
def test_a_task_claims_something_only_with_a_list_and_a_plain_description(
    record: dict[str, Any], *, claims: bool | None
) -> None:
    inside = Container("project", "1", need=Need({Attachments: None}))
    visit = Visit(HINTED.by_path[str(Tasks.path())], "1", inside, inside.need)
    asked = Asked(7.0, MARK)
    look = Rules(HINTED, Filters()).look_at(visit, TASK | record, None, None, asked)
    assert claim_of(look) == (None if claims is None else Claim(claims, asked))


def test_nothing_is_claimed_unless_the_user_wants_hints() -> None:
    plan = make_plan({stream: Selection(incremental=True) for stream in (Tasks, Attachments)})
    inside = Container("project", "1", need=Need({Attachments: None}))
    visit = Visit(plan.by_path[str(Tasks.path())], "1", inside, inside.need)
    record = TASK | {"attachments": [], "html_notes": ""}
    assert claim_of(Rules(plan, Filters()).look_at(visit, record, None, None)) is None
    assert "attachments" not in visit.listing.opt_fields
