from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_asana.plan import Listing, Plan, Selection, make_plan
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
    Tasks,
)

SELECTIONS = st.sets(st.sampled_from(list(STREAMS.values())))


def plan_of(*streams: StreamClass, incremental: bool = False) -> Plan:
    return make_plan({s: Selection(incremental=incremental) for s in streams})


def listing_of(plan: Plan, name: str) -> Listing:
    (listing,) = (found for found in plan.listings if found.name == name and not found.is_one)
    return listing


def fields(plan: Plan, name: str) -> list[str]:
    return listing_of(plan, name).opt_fields.split(",")


@given(streams=SELECTIONS, incremental=st.booleans())
def test_a_plan_has_each_listing_once_however_many_streams_feed_on_it(
    streams: set[StreamClass], *, incremental: bool
) -> None:
    plan = plan_of(*streams, incremental=incremental)
    assert max(Counter(listing.path for listing in plan.listings).values(), default=1) == 1
    listings = [listing for listing in plan.listings if listing not in plan.one.values()]
    fed = [output.stream for listing in listings for output in listing.outputs]
    if incremental:
        assert set(fed) == streams
    else:
        assert sorted(fed, key=str) == sorted(streams - {Events}, key=str)


@given(streams=SELECTIONS, incremental=st.booleans())
def test_a_plan_has_nothing_that_nobody_needs(
    streams: set[StreamClass], *, incremental: bool
) -> None:
    for listing in plan_of(*streams, incremental=incremental).listings:
        assert all(listing in parent.children for parent in listing.parents)
        assert all(listing in child.parents for child in listing.children)
        assert listing.feeds
        assert listing.feeds <= streams


@given(SELECTIONS)
def test_a_full_refresh_asks_for_no_events(streams: set[StreamClass]) -> None:
    plan = plan_of(*streams)
    assert plan.events is None
    assert not plan.one


@given(SELECTIONS)
def test_what_is_read_incrementally_below_projects_needs_their_events(
    streams: set[StreamClass],
) -> None:
    plan = plan_of(*streams, incremental=True)
    below = {s for s in streams if s.is_below_projects() and s.cursor_field}
    assert bool(plan.events) == bool(below)


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


def test_deselected_columns_are_not_requested_but_the_key_is() -> None:
    plan = make_plan({Sections: Selection(["name", "unknown"])})
    assert fields(plan, "sections") == ["gid", "name"]


def test_an_incremental_stream_keeps_its_cursor_too() -> None:
    plan = make_plan({Sections: Selection(["name"], incremental=True)})
    assert fields(plan, "sections") == ["gid", "name", "created_at"]


def test_streams_that_share_a_listing_get_their_own_columns_each() -> None:
    plan = make_plan({Stories: Selection(["text", "source"]), StoriesCompact: Selection()})
    listing = listing_of(plan, "stories")
    assert "source" in listing.opt_fields.split(",")
    page = [{"gid": "1", "text": "Hi", "source": "web", "type": "comment"}]
    by_stream = {output.stream: output.records(page, "9") for output in listing.outputs}
    assert by_stream == {
        Stories: [{"gid": "1", "text": "Hi", "source": "web"}],
        StoriesCompact: [{"gid": "1", "text": "Hi", "type": "comment"}],
    }


def test_what_only_the_walk_looks_at_is_not_delivered() -> None:
    plan = make_plan({Tasks: Selection(["name"])})
    listing = listing_of(plan, "tasks")
    page: list[Record] = [{"gid": "1", "name": "Paint", "projects": [], "parent": None}]
    assert listing.outputs[0].records(page, "9") == [{"gid": "1", "name": "Paint"}]


def test_portfolio_items_carry_the_portfolio() -> None:
    plan = plan_of(PortfolioItems)
    listing = listing_of(plan, "portfolio_items")
    assert listing.outputs[0].records([{"gid": "1"}], "9") == [{"gid": "1", "portfolio_gid": "9"}]


def test_organization_exports_are_visited_by_the_gids_of_the_config() -> None:
    plan = plan_of(OrganizationExports)
    begin = plan.first({"organization_export_ids": ["5", "6"]})
    assert [gid for _, gid in begin] == ["5", "6"]
    path, params = begin[0][0].request("5")
    assert path == "organization_exports/5"
    assert "limit" not in params


def test_events_alone_need_no_request() -> None:
    assert plan_of(Events).listings == ()


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
