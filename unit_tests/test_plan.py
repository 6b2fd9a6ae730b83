from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_asana.reading.filters import ALL, Filters
from source_asana.reading.listing import Listing, Plan, Selection
from source_asana.reading.plan import make_plan
from source_asana.streams.declared import (
    STREAMS,
    Attachments,
    AuditLogEvents,
    CustomFields,
    CustomFieldSettings,
    Events,
    GoalMemberships,
    OrganizationExports,
    PortfolioItems,
    ProjectBriefs,
    Projects,
    Sections,
    StatusUpdates,
    Stories,
    StoriesCompact,
    Subtasks,
    Tasks,
    TeamMemberships,
    Teams,
    TimeTrackingEntries,
    Users,
    UserTaskLists,
    WorkspaceMemberships,
)
from source_asana.streams.sources import Lookup, StreamClass
from source_asana.streams.values import Record

SELECTIONS = st.sets(st.sampled_from(list(STREAMS.values())))


CHOICES = st.builds(
    Filters,
    with_archived_projects=st.booleans(),
    with_subtasks=st.booleans(),
    start_date=st.none() | st.just("2026-01-01T00:00:00.000Z"),
    with_enum_options=st.booleans(),
    with_loose_tasks=st.booleans(),
)
NO_SUBTASKS = Filters(with_subtasks=False)
NO_OPTIONS = Filters(with_enum_options=False)
LOOSE = Filters(with_loose_tasks=True)
SINCE = Filters(start_date="2026-01-01T00:00:00.000Z")


def plan_of(*streams: StreamClass, incremental: bool = False, filters: Filters = ALL) -> Plan:
    return make_plan({s: Selection(incremental=incremental) for s in streams}, filters)


def listing_of(plan: Plan, name: str) -> Listing:
    (listing,) = (found for found in plan.listings if found.name == name and not found.is_lookup)
    return listing


def fields(plan: Plan, name: str) -> list[str]:
    return listing_of(plan, name).opt_fields.split(",")


@given(streams=SELECTIONS, incremental=st.booleans())
def test_a_plan_has_each_listing_once_however_many_streams_use_it(
    streams: set[StreamClass], *, incremental: bool
) -> None:
    plan = plan_of(*streams, incremental=incremental)
    assert max(Counter(listing.path for listing in plan.listings).values(), default=1) == 1
    listings = [listing for listing in plan.listings if not listing.is_lookup]
    fed = [output.stream for listing in listings for output in listing.outputs]
    read = streams if incremental else streams - {Events}
    assert set(fed) == read
    if not incremental:
        loose = sum(stream.outside_projects() is not None for stream in read)
        assert len(fed) == sum(len(stream.sources) for stream in read) - loose


@given(streams=SELECTIONS, incremental=st.booleans())
def test_a_plan_has_only_listings_that_a_stream_needs(
    streams: set[StreamClass], *, incremental: bool
) -> None:
    for listing in plan_of(*streams, incremental=incremental).listings:
        assert all(listing in parent.children for parent in listing.parents)
        assert all(listing in child.parents for child in listing.children)
        assert listing.feeds
        assert listing.feeds <= streams


@given(SELECTIONS)
def test_a_full_refresh_requests_no_events(streams: set[StreamClass]) -> None:
    plan = plan_of(*streams)
    assert plan.events is None
    assert not plan.lookups


@given(SELECTIONS)
def test_incremental_streams_below_projects_need_events(
    streams: set[StreamClass],
) -> None:
    plan = plan_of(*streams, incremental=True)
    below = {s for s in streams if s.is_below_projects() and s.cursor_field}
    below.discard(StatusUpdates)  # no event reports these
    assert bool(plan.events) == bool(below)


@given(SELECTIONS)
def test_every_selected_stream_gets_all_of_its_fields(streams: set[StreamClass]) -> None:
    for listing in plan_of(*streams).listings:
        requested = listing.opt_fields.split(",")
        assert len(requested) == len(set(requested))
        for output in listing.outputs:
            within = f"{output.within}." if output.within else ""
            fields = {within + name for name in output.stream.record.opt_fields()}
            assert fields <= set(requested)


def test_an_ancestor_that_is_not_selected_requests_only_what_its_children_need() -> None:
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


def test_streams_that_share_a_listing_each_get_their_own_columns() -> None:
    plan = make_plan({Stories: Selection(["text", "source"]), StoriesCompact: Selection()})
    listing = listing_of(plan, "stories")
    assert "source" in listing.opt_fields.split(",")
    page = [{"gid": "1", "text": "Hi", "source": "web", "type": "comment"}]
    by_stream = {output.stream: output.records(page, "9") for output in listing.outputs}
    assert by_stream == {
        Stories: [{"gid": "1", "text": "Hi", "source": "web"}],
        StoriesCompact: [{"gid": "1", "text": "Hi", "type": "comment"}],
    }


def test_fields_that_only_the_walk_uses_are_not_delivered() -> None:
    plan = make_plan({Tasks: Selection(["name"])})
    listing = listing_of(plan, "tasks")
    page: list[Record] = [{"gid": "1", "name": "Paint", "projects": [], "parent": None}]
    assert listing.outputs[0].records(page, "9") == [{"gid": "1", "name": "Paint"}]


def test_portfolio_items_include_their_portfolio() -> None:
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


REQUESTED = [stream for stream in STREAMS.values() if not stream.is_incremental_only()]


@pytest.mark.parametrize("stream", REQUESTED, ids=lambda stream: stream.stream_name())
def test_a_request_is_filled_in_completely(stream: StreamClass) -> None:
    listing = next(found for found in plan_of(stream).listings if found.outputs)
    path, params = listing.request("42", "42")
    assert "{" not in path
    assert "{" not in "".join(params.values())
    has_parent = not listing.path.startswith("workspaces") or "{" in listing.path
    assert listing.path.count("{") == (path + str(params)).count("42")
    assert ("{" in listing.path) == has_parent


@pytest.mark.parametrize(
    "stream", [s for s in STREAMS.values() if s.parents()], ids=lambda stream: stream.stream_name()
)
def test_a_placeholder_is_named_after_its_parent_stream(stream: StreamClass) -> None:
    above = {
        parent.stream_name().removeprefix("sub").removesuffix("s") for parent in stream.parents()
    }
    source = stream.source()
    named = source.gid_column if isinstance(source, Lookup) else None
    expected = named or (above.pop() if len(above) == 1 else "parent")
    assert str(stream.path()).count(f"{{{expected}}}") == 1


# -- filters --------------------------------------------------------------------------------------


def names(plan: Plan) -> set[str]:
    return {listing.name for listing in plan.listings}


@given(streams=SELECTIONS, incremental=st.booleans(), filters=CHOICES)
def test_whatever_the_filters_a_plan_has_only_listings_that_a_stream_needs(
    streams: set[StreamClass], *, incremental: bool, filters: Filters
) -> None:
    plan = plan_of(*streams, incremental=incremental, filters=filters)
    left_out = set() if filters.with_subtasks else {Subtasks}
    read = {output.stream for listing in plan.listings for output in listing.outputs}
    assert read == streams - left_out - (set() if incremental else {Events})
    for listing in plan.listings:
        assert all(parent in plan.listings for parent in listing.parents)
        assert all(child in plan.listings for child in listing.children)
        assert listing.feeds
        assert listing.feeds <= streams - left_out


@given(streams=SELECTIONS, incremental=st.booleans(), filters=CHOICES)
def test_tasks_and_projects_do_not_request_excluded_options(
    streams: set[StreamClass], *, incremental: bool, filters: Filters
) -> None:
    plan = plan_of(*streams, incremental=incremental, filters=filters)
    for listing in plan.listings:
        if listing.stream in {Tasks, Subtasks, Projects} and not filters.with_enum_options:
            own = [f for f in listing.opt_fields.split(",") if f.startswith("custom_fields.")]
            assert not [path for path in own if "enum_options" in path]


@pytest.mark.parametrize("stream", [Tasks, Subtasks, Projects])
def test_only_the_options_are_excluded(stream: StreamClass) -> None:
    whole = fields(plan_of(stream), stream.stream_name())
    lean = fields(plan_of(stream, filters=NO_OPTIONS), stream.stream_name())
    missing = [path for path in whole if path not in lean]
    assert missing
    assert all(".enum_options" in path for path in missing)
    assert not [path for path in lean if ".enum_options" in path]
    assert [path for path in whole if path in lean] == lean
    assert "custom_fields.enum_value.name" in lean


def test_custom_field_streams_always_have_all_options() -> None:
    plan = plan_of(CustomFields, CustomFieldSettings, Projects, filters=NO_OPTIONS)
    assert "enum_options.name" in fields(plan, "custom_fields")
    inner = "custom_field_settings.custom_field.enum_options.name"
    assert inner in fields(plan, "projects")
    assert inner in fields(plan, "portfolios")


@pytest.mark.parametrize("incremental", [False, True])
def test_without_subtasks_no_listing_requests_them(*, incremental: bool) -> None:
    streams = (Tasks, Subtasks, Stories, Attachments)
    plan = plan_of(*streams, incremental=incremental, filters=NO_SUBTASKS)
    assert "subtasks" not in names(plan)
    assert Subtasks not in {output.stream for found in plan.listings for output in found.outputs}
    assert "num_subtasks" in fields(plan, "tasks")  # selected as a column
    assert "num_subtasks" not in fields(
        plan_of(Stories, incremental=incremental, filters=NO_SUBTASKS), "tasks"
    )
    assert plan_of(Subtasks, incremental=incremental, filters=NO_SUBTASKS).listings == ()


def test_excluded_archived_projects_are_not_requested() -> None:
    filters = Filters(with_archived_projects=False)
    _, params = listing_of(plan_of(Projects, filters=filters), "projects").request("9")
    assert params["archived"] == "false"
    _, params = listing_of(plan_of(Projects), "projects").request("9")
    assert "archived" not in params
    _, params = listing_of(plan_of(Sections, filters=filters), "sections").request("9")
    assert "archived" not in params


def test_a_listing_filtered_by_start_date_requests_its_cursor() -> None:
    assert "modified_at" in fields(plan_of(Stories, filters=SINCE), "tasks")
    assert "modified_at" not in fields(plan_of(Stories), "tasks")
    plan = make_plan({Stories: Selection(["text"])}, SINCE)
    assert "created_at" in fields(plan, "stories")
    page: list[Record] = [{"gid": "1", "text": "Hi", "created_at": "2026-01-01T00:00:00.000Z"}]
    (output,) = listing_of(plan, "stories").outputs
    assert output.records(page, "9") == [{"gid": "1", "text": "Hi"}]


@pytest.mark.parametrize("incremental", [False, True])
@pytest.mark.parametrize("stream", [Tasks, Subtasks, Stories, Attachments])
def test_tasks_without_a_project_are_read_below_users(
    stream: StreamClass, *, incremental: bool
) -> None:
    plan = plan_of(stream, incremental=incremental, filters=LOOSE)
    assert plan.without_project is not None
    assert plan.without_project in plan.listings
    assert [parent.stream for parent in plan.without_project.parents] == [Users]
    assert stream in plan.without_project.feeds
    path, params = plan.without_project.request("5", "9")
    assert path == "tasks"
    assert (params["assignee"], params["workspace"]) == ("5", "9")
    in_projects = next(found for found in plan.listings if found.path == Tasks.path())
    below = {child.stream for child in in_projects.children if not child.is_lookup}
    assert {child.stream for child in plan.without_project.children} == below
    assert fields(plan, "users") == ["gid"]
    assert plan.without_project.opt_fields == in_projects.opt_fields


def test_tasks_without_a_project_are_read_only_where_a_stream_has_them() -> None:
    plan = plan_of(Projects, Sections, filters=LOOSE)
    assert plan.without_project is None
    assert "users" not in names(plan)
    assert plan_of(Tasks).without_project is None


# -- streams that come with others, or one by one -------------------------------------------------


@pytest.mark.parametrize("incremental", [False, True])
def test_a_record_that_a_listing_may_return_in_part_is_requested_by_its_gid(
    *, incremental: bool
) -> None:
    plan = plan_of(TimeTrackingEntries, incremental=incremental)
    listing, one = (found for found in plan.listings if found.name == "time_tracking_entries")
    assert (listing.is_lookup, one.is_lookup) == (False, True)
    assert listing.children == [one]
    assert one.parents == [listing]
    assert set(one.opt_fields.split(",")) == set(listing.opt_fields.split(","))
    path, params = one.request("42", "9")
    assert path == "time_tracking_entries/42"
    assert set(params) == {"opt_fields"}


def test_nested_records_have_their_own_columns() -> None:
    plan = make_plan(
        {
            CustomFieldSettings: Selection(["is_important", "custom_field"]),
            Projects: Selection(["name"]),
        }
    )
    listing = listing_of(plan, "projects")
    assert "custom_field_settings.is_important" in listing.opt_fields.split(",")
    assert "custom_field_settings.parent.gid" not in listing.opt_fields.split(",")
    inner: Record = {"gid": "7", "is_important": True, "custom_field": {"gid": "8"}, "parent": None}
    page: list[Record] = [
        {"gid": "1", "name": "Paint", "custom_field_settings": [inner]},
        {"gid": "2", "name": "Rest", "custom_field_settings": None},
    ]
    by_stream = {output.stream: output.records(page, "9") for output in listing.outputs}
    assert by_stream == {
        Projects: [{"gid": "1", "name": "Paint"}, {"gid": "2", "name": "Rest"}],
        CustomFieldSettings: [{"gid": "7", "is_important": True, "custom_field": {"gid": "8"}}],
    }


def test_a_column_may_contain_one_nested_record_or_none() -> None:
    plan = plan_of(UserTaskLists)
    listing = listing_of(plan, WorkspaceMemberships.stream_name())
    (output,) = listing.outputs
    page: list[Record] = [
        {"gid": "1", "user_task_list": {"gid": "5"}},
        {"gid": "2", "user_task_list": None},
        {"gid": "3"},
    ]
    assert output.records(page, "9") == [{"gid": "5"}]
    assert names(plan) == {"workspaces", "workspace_memberships"}


def test_nested_streams_of_selected_streams_add_no_listing() -> None:
    alone = plan_of(Projects, WorkspaceMemberships)
    together = plan_of(Projects, WorkspaceMemberships, UserTaskLists)
    assert names(alone) == names(together)
    assert names(plan_of(Projects, CustomFieldSettings)) == {"workspaces", "projects", "portfolios"}


def test_an_endpoint_without_opt_fields_is_requested_without_them() -> None:
    for stream in (GoalMemberships, AuditLogEvents):
        _, params = listing_of(plan_of(stream), stream.stream_name()).request("42")
        assert "opt_fields" not in params
        assert params["limit"] == "100"


def test_a_brief_is_requested_by_the_gid_in_its_project() -> None:
    plan = plan_of(ProjectBriefs)
    listing = listing_of(plan, "project_briefs")
    assert "project_brief.gid" in fields(plan, "projects")
    assert listing.parent_in({"gid": "1", "project_brief": {"gid": "6"}}) == "6"
    assert listing.parent_in({"gid": "1", "project_brief": None}) is None
    path, params = listing.request("6")
    assert path == "project_briefs/6"
    assert "limit" not in params


def test_one_request_confirms_a_flag_on_which_listings_depend() -> None:
    plan = plan_of(Teams, AuditLogEvents, Tasks)
    (asked,) = (found for found in plan.listings if found.confirms)
    assert asked.path == "workspaces/{workspace}"
    assert asked.opt_fields == "gid,is_organization"
    assert {child.stream for child in asked.children} == {Teams, AuditLogEvents}
    for flag in (False, None, "true"):
        assert asked.parent_in({"gid": "1", "is_organization": flag}) == "1"
    assert asked.parent_in({"gid": "1"}) == "1"
    assert asked.parent_in({"gid": "1", "is_organization": True}) is None


@pytest.mark.parametrize(
    ("flag", "unconfirmed", "confirmed"),
    [(True, "1", "1"), (False, None, None), (None, None, "1"), ("true", None, "1")],
)
def test_only_an_explicit_false_counts_as_false_when_confirmed(
    flag: object, unconfirmed: str | None, confirmed: str | None
) -> None:
    teams = listing_of(plan_of(Teams), "teams")
    above = {"gid": "1", "is_organization": flag}
    assert teams.parent_in(above) == unconfirmed
    assert teams.parent_in(above, is_confirmed=True) == confirmed


def test_a_flag_is_not_confirmed_where_no_listing_depends_on_it() -> None:
    streams = set(STREAMS.values()) - {Teams, TeamMemberships, AuditLogEvents}
    assert not any(found.confirms for found in plan_of(*streams).listings)


@pytest.mark.parametrize("count", [None, "0", False, 1, [], 2.5])
def test_a_listing_is_skipped_only_where_its_count_is_0(count: object) -> None:
    subtasks = listing_of(plan_of(Subtasks), "subtasks")
    assert subtasks.parent_in({"gid": "1", "num_subtasks": count}) == "1"
    assert subtasks.parent_in({"gid": "1"}) == "1"
    assert subtasks.parent_in({"gid": "1", "num_subtasks": 0}) is None


def test_nested_records_come_once_and_only_with_a_gid() -> None:
    output = listing_of(plan_of(CustomFieldSettings), "projects").outputs[0]
    page: list[Record] = [
        {"gid": "1", "custom_field_settings": [{"gid": "2"}, None, {"gid": "2"}, {"gid": None}]},
        {"gid": "3", "custom_field_settings": "x"},
        {"gid": "4"},
        {"gid": "5", "custom_field_settings": [{"gid": 6}, {"gid": "2"}]},
    ]
    assert output.records(page, "9") == [{"gid": "2"}, {"gid": "6"}]
