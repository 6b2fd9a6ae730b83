from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_asana.plan import Plan, Visit, make_plan
from source_asana.streams import (
    STREAMS,
    Events,
    OrganizationExports,
    PortfolioItems,
    Record,
    Sections,
    Stories,
    StoriesCompact,
    StreamClass,
    Subtasks,
    Tasks,
    Teams,
)

NO_GIDS = {"organization_export_ids": ()}
SELECTIONS = st.sets(st.sampled_from(list(STREAMS.values())))


def plan_of(*streams: StreamClass) -> Plan:
    return make_plan(dict.fromkeys(streams), NO_GIDS)


def fields(plan: Plan, name: str) -> list[str]:
    (listing,) = (listing for listing in plan.listings if listing.name == name)
    return listing.opt_fields.split(",")


@given(SELECTIONS)
def test_a_plan_has_each_listing_once_however_many_streams_feed_on_it(
    streams: set[StreamClass],
) -> None:
    plan = plan_of(*streams)
    assert max(Counter(listing.stream.path for listing in plan.listings).values(), default=1) == 1
    fed = [output.stream for listing in plan.listings for output in listing.outputs]
    assert sorted(fed, key=str) == sorted(streams - {Events}, key=str)


@given(SELECTIONS)
def test_a_plan_has_parents_before_children_and_nothing_that_nobody_needs(
    streams: set[StreamClass],
) -> None:
    listings = plan_of(*streams).listings
    for place, listing in enumerate(listings):
        assert all(p in listings[:place] for p in listing.parents if p is not listing)
        assert all(listing in child.parents for child in listing.children)
        assert listing.outputs or any(child is not listing for child in listing.children)


@given(SELECTIONS)
def test_every_selected_stream_gets_all_of_its_fields(streams: set[StreamClass]) -> None:
    for listing in plan_of(*streams).listings:
        requested = listing.opt_fields.split(",")
        assert len(requested) == len(set(requested))
        for output in listing.outputs:
            assert set(output.stream.record.opt_fields()) <= set(requested)


def test_an_ancestor_that_is_not_selected_is_asked_for_no_more_than_its_children_need() -> None:
    plan = plan_of(Stories)
    assert fields(plan, "workspaces") == ["gid"]
    assert fields(plan, "projects") == ["gid"]
    assert fields(plan, "tasks") == ["gid", "projects.gid", "parent.gid", "num_subtasks"]
    assert fields(plan, "subtasks") == ["gid", "projects.gid", "num_subtasks"]


def test_teams_are_asked_for_below_organisations_only() -> None:
    plan = plan_of(Teams)
    assert fields(plan, "workspaces") == ["gid", "is_organization"]
    visit = plan.first_visits[0]
    assert list(visit.children({"gid": "1", "is_organization": False})) == []
    assert [below.parent for below in visit.children({"gid": "1", "is_organization": True})] == [
        "1"
    ]


def test_subtasks_are_asked_for_where_there_are_some_at_any_depth() -> None:
    (listing,) = (found for found in plan_of(Subtasks).listings if found.name == "subtasks")
    visit = Visit(listing, "1", "9")
    assert list(visit.children({"gid": "2", "num_subtasks": 0})) == []
    assert list(visit.children({"gid": "2", "num_subtasks": 3})) == [Visit(listing, "2", "9")]


def test_whatever_is_below_a_project_knows_the_project() -> None:
    (projects,) = (found for found in plan_of(Sections).listings if found.name == "projects")
    (below,) = Visit(projects, "workspace").children({"gid": "7"})
    assert (below.parent, below.project) == ("7", "7")


def test_deselected_columns_are_not_requested_but_the_key_is() -> None:
    plan = make_plan({Sections: ["name", "unknown"]}, NO_GIDS)
    assert fields(plan, "sections") == ["gid", "name"]


def test_streams_that_share_a_listing_get_their_own_columns_each() -> None:
    plan = make_plan({Stories: ["text", "source"], StoriesCompact: None}, NO_GIDS)
    (listing,) = (found for found in plan.listings if found.name == "stories")
    assert "source" in listing.opt_fields.split(",")
    page = [{"gid": "1", "text": "Hi", "source": "web", "type": "comment"}]
    by_stream = {output.stream: output.records(page, "9") for output in listing.outputs}
    assert by_stream == {
        Stories: [{"gid": "1", "text": "Hi", "source": "web"}],
        StoriesCompact: [{"gid": "1", "text": "Hi", "type": "comment"}],
    }


def test_what_only_the_walk_looks_at_is_not_delivered() -> None:
    plan = make_plan({Tasks: ["name"]}, NO_GIDS)
    (listing,) = (found for found in plan.listings if found.name == "tasks")
    page: list[Record] = [{"gid": "1", "name": "Paint", "projects": [], "parent": None}]
    assert listing.outputs[0].records(page, "9") == [{"gid": "1", "name": "Paint"}]


def test_portfolio_items_carry_the_portfolio() -> None:
    plan = plan_of(PortfolioItems)
    (listing,) = (found for found in plan.listings if found.name == "portfolio_items")
    assert listing.outputs[0].records([{"gid": "1"}], "9") == [{"gid": "1", "portfolio_gid": "9"}]


def test_organization_exports_are_visited_by_the_gids_of_the_config() -> None:
    plan = make_plan({OrganizationExports: None}, {"organization_export_ids": ["5", "6"]})
    assert [visit.parent for visit in plan.first_visits] == ["5", "6"]
    path, params = plan.first_visits[0].listing.request("5")
    assert path == "organization_exports/5"
    assert "limit" not in params


def test_events_alone_need_no_request() -> None:
    assert plan_of(Events) == Plan((), ())


REQUESTED = [stream for stream in STREAMS.values() if not stream.between_syncs]


@pytest.mark.parametrize("stream", REQUESTED, ids=lambda stream: stream.stream_name())
def test_a_request_is_filled_in_completely(stream: StreamClass) -> None:
    (listing,) = (found for found in plan_of(stream).listings if found.outputs)
    path, params = listing.request("42")
    assert "{" not in path
    assert "{" not in "".join(params.values())
    has_parent = bool(stream.parents or stream.named_in_config)
    assert stream.path.count("{") == (path + str(params)).count("42") == has_parent


@pytest.mark.parametrize(
    "stream", [s for s in STREAMS.values() if s.parents], ids=lambda stream: stream.stream_name()
)
def test_a_placeholder_is_named_like_what_stands_above(stream: StreamClass) -> None:
    above = {
        parent.stream_name().removeprefix("sub").removesuffix("s") for parent in stream.parents
    }
    expected = above.pop() if len(above) == 1 else "parent"
    assert stream.path.count(f"{{{expected}}}") == 1
