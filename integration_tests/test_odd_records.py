"""Records and listings that deviate from Asana's reference: one odd value costs only itself."""

from collections.abc import Callable, Iterator, Mapping
from itertools import cycle
from typing import Any

import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.asana_emulator.oddities import (
    ABSENT,
    Data,
    is_page,
    repeated,
    with_entries,
    with_numeric_gids,
    with_value,
)
from integration_tests.faults import let_people_work
from integration_tests.reading import (
    SERVICE,
    Record,
    Said,
    catalog_of,
    config_for,
    full_refresh,
    gids,
    run,
    truth,
)
from integration_tests.test_incremental import (
    INCREMENTAL,
    Connection,
    rows,
    some_subtask,
    tombstones,
    top_task,
)
from integration_tests.test_messages import QUOTED
from integration_tests.troubles import EXPORTS, GULL_ROCK, ORGANIZATION, PAINT
from source_asana.reading.visits import DEEPEST_LEVEL
from source_asana.streams.declared import STREAMS

pytestmark = pytest.mark.once

BELOW_WORKSPACES = sorted(STREAMS.keys() - {"organization_exports"})
ONE_WORKSPACE = "/workspaces/{workspace_gid}"
ONE_TASK = "/tasks/{task_gid}"
STORIES = "/tasks/{task_gid}/stories"
SUBTASKS = "/tasks/{task_gid}/subtasks"
NO_WORKSPACE = "The token sees no workspace. Use the token of a workspace member."
UNUSABLE: tuple[Any, ...] = (
    None,
    "task",
    7,
    [],
    {},
    {"gid": None},
    {"gid": ""},
    {"gid": True},
    {"name": "Odd"},
)


def read(asana: AsanaEmulator, *streams: str, **config: Any) -> Said:
    asana.ledger.reset()
    return run("read", asana, config_for(asana, **config), catalog_of(streams))


def is_complete(said: Said) -> bool:
    """Whether a sync is complete, without an error of the connector."""
    assert said.errors() == {}
    assert "report it" not in said.text
    assert "Traceback" not in said.text
    return said.exit_status == 0


# -- no workspace ---------------------------------------------------------------------------------


def test_a_token_that_sees_no_workspace_fails_every_stream_except_exports(
    sample: AsanaEmulator,
) -> None:
    config = config_for(sample, "outsider", organization_export_ids=list(EXPORTS))
    said = run("read", sample, config, catalog_of(STREAMS))
    assert said.exit_status == 1
    for stream in BELOW_WORKSPACES:
        if stream == "events":
            continue  # a full refresh has none
        assert said.statuses(stream)[-1] == "INCOMPLETE"
        assert said.errors()[stream]["failure_type"] == "config_error"
        assert said.errors()[stream]["message"].endswith(NO_WORKSPACE)
    assert NO_WORKSPACE not in said.errors()["organization_exports"]["message"]
    assert NO_WORKSPACE in QUOTED


def test_a_token_that_sees_no_workspace_reads_exports(asana: AsanaEmulator) -> None:
    asana.controls.alter("/workspaces", lambda _: [])
    said = full_refresh(asana, ["organization_exports", "tags"])
    assert gids(said, "organization_exports") == sorted(asana.account.organization_exports)
    assert said.statuses("organization_exports")[-1] == "COMPLETE"
    assert said.statuses("tags")[-1] == "INCOMPLETE"


@pytest.mark.parametrize("entries", [[], [None, {"gid": None}, "x"]], ids=["none", "unusable"])
def test_a_token_that_lost_its_workspaces_does_not_change_the_state(
    asana: AsanaEmulator, entries: list[Any]
) -> None:
    connection = Connection(asana, *INCREMENTAL, "audit_log_events")
    connection.sync()
    before = dict(connection.state)
    asana.controls.alter("/workspaces", lambda _: entries)
    said = connection.sync()
    assert said.exit_status == 1
    assert not said.of_type("RECORD")
    for stream, state in connection.state.items():
        assert said.statuses(stream)[-1] == "INCOMPLETE"
        assert state["stream"] == before[stream]["stream"]
    asana.controls.heal()
    assert is_complete(connection.sync())
    assert asana.ledger.count(STORIES) == 0


def test_missing_workspaces_in_the_config_are_not_an_empty_account(
    sample: AsanaEmulator,
) -> None:
    said = read(sample, "tags", workspace_gids=["1"])
    assert "none of the objects in workspace_gids" in said.errors()["tags"]["message"]
    assert NO_WORKSPACE not in said.text


# -- wrong flags ----------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", [False, None, ABSENT, "true", 1], ids=repr)
def test_an_organization_not_listed_as_one_is_requested_once(
    asana: AsanaEmulator, flag: Any
) -> None:
    asana.controls.alter("/workspaces", with_value("is_organization", flag))
    streams = ["teams", "team_memberships", "audit_log_events"]
    said = read(asana, *streams)
    assert is_complete(said)
    for stream in streams:
        assert gids(said, stream) == truth(asana, stream)
    assert asana.ledger.count(ONE_WORKSPACE) == 2


def test_a_workspace_is_requested_only_where_a_selected_stream_depends_on_it(
    sample: AsanaEmulator,
) -> None:
    read(sample, *(STREAMS.keys() - {"teams", "team_memberships", "audit_log_events"}))
    assert sample.ledger.count(ONE_WORKSPACE) == 0


def test_an_organization_listed_as_one_is_not_requested_again(sample: AsanaEmulator) -> None:
    said = read(sample, "teams", workspace_gids=[ORGANIZATION])
    assert gids(said, "teams")
    assert sample.ledger.by_path() == {"/workspaces": 1, "/workspaces/{workspace_gid}/teams": 1}


def test_teams_are_incomplete_where_no_workspace_can_be_confirmed(asana: AsanaEmulator) -> None:
    asana.controls.alter("/workspaces", with_value("is_organization", value=False))
    asana.controls.fail(ONE_WORKSPACE, 500, times=None)
    config = config_for(asana)
    said = run("read", asana, config, catalog_of(["teams", "tags"]), patience=0.02)
    assert said.statuses("teams")[-1] == "INCOMPLETE"
    assert said.errors()["teams"]["failure_type"] == "transient_error"
    assert said.statuses("tags")[-1] == "COMPLETE"


@pytest.mark.parametrize("value", [None, ABSENT, "2", True, []], ids=repr)
def test_an_unknown_number_of_subtasks_is_not_zero(asana: AsanaEmulator, value: Any) -> None:
    for place in ("/tasks", SUBTASKS):
        asana.controls.alter(place, with_value("num_subtasks", value))
    said = read(asana, "subtasks", "stories")
    assert is_complete(said)
    assert gids(said, "subtasks") == truth(asana, "subtasks")
    assert gids(said, "stories") == truth(asana, "stories")


def test_archived_projects_stay_excluded_when_asana_ignores_the_filter(
    asana: AsanaEmulator,
) -> None:
    archived = {p["gid"] for p in asana.expected("projects", SERVICE) if p["archived"]}
    asana.controls.ignored_parameters = frozenset({"archived"})
    streams = ["projects", "sections", "custom_field_settings"]
    said = read(asana, *streams, include_archived_projects=False)
    assert archived
    assert gids(said, "projects") == sorted(set(truth(asana, "projects")) - archived)
    asked = {request.path for request in asana.ledger.requests}
    assert not any(project in path for project in archived for path in asked)
    parents = {record["parent"]["gid"] for record in said.records()["custom_field_settings"]}
    assert archived.isdisjoint(parents)


def test_a_project_without_an_archived_flag_is_read(asana: AsanaEmulator) -> None:
    asana.controls.alter("/projects", with_value("archived", None))
    said = read(asana, "projects", include_archived_projects=False)
    archived = {p["gid"] for p in asana.expected("projects", SERVICE) if p["archived"]}
    assert gids(said, "projects") == sorted(set(truth(asana, "projects")) - archived)


# -- entries that are not records -----------------------------------------------------------------

LISTINGS = {
    "/workspaces": "workspaces",
    "/users": "users",
    "/tags": "tags",
    "/projects": "projects",
    "/projects/{project_gid}/sections": "sections",
    "/tasks": "tasks",
    SUBTASKS: "subtasks",
    STORIES: "stories",
    "/attachments": "attachments",
    "/portfolios": "portfolios",
    "/portfolios/{portfolio_gid}/items": "portfolio_items",
    "/goals": "goals",
    "/workspaces/{workspace_gid}/workspace_memberships": "workspace_memberships",
    "/workspaces/{workspace_gid}/audit_log_events": "audit_log_events",
    "/time_tracking_entries": "time_tracking_entries",
}
STREAMS_OF_LISTINGS = [*LISTINGS.values(), "sections_compact", "user_task_lists"]


@pytest.mark.parametrize(("place", "stream"), LISTINGS.items())
def test_entries_that_are_not_records_are_skipped_and_the_rest_is_read(
    asana: AsanaEmulator, place: str, stream: str
) -> None:
    pages: list[Data] = []

    def changed(data: Data) -> Data:
        pages.extend([data] if is_page(data) else [])
        return with_entries(*UNUSABLE)(data)

    asana.controls.alter(place, changed)
    said = full_refresh(asana, STREAMS_OF_LISTINGS)
    assert is_complete(said)
    for each in STREAMS_OF_LISTINGS:
        assert gids(said, each) == truth(asana, each)
    left_out = f"{stream}: left out {len(UNUSABLE) * len(pages)} items without a usable gid"
    assert [line for line in said.logs("WARN") if "usable" in line] == [left_out]


def test_one_skipped_entry_is_singular(asana: AsanaEmulator) -> None:
    asana.controls.alter("/workspaces", with_entries(None))
    said = read(asana, "workspaces")
    assert "workspaces: left out 1 item without a usable gid" in said.logs("WARN")


@pytest.mark.parametrize("gid", ["one", "../users", "12 3", "١٢٣"])
def test_a_gid_that_goes_into_requests_has_only_digits(asana: AsanaEmulator, gid: str) -> None:
    asana.controls.alter("/projects", with_entries({"gid": gid}))
    said = read(asana, "projects", "sections")
    assert is_complete(said)
    assert gids(said, "projects") == truth(asana, "projects")
    assert gids(said, "sections") == truth(asana, "sections")


def test_a_numeric_gid_becomes_a_string(asana: AsanaEmulator) -> None:
    for place in ("/workspaces", "/projects", "/tasks", SUBTASKS, STORIES):
        asana.controls.alter(place, with_numeric_gids)
    connection = Connection(asana, "projects", "tasks", "subtasks", "stories")
    said = connection.sync()
    assert is_complete(said)
    for stream in connection.streams:
        assert gids(said, stream) == truth(asana, stream)
    assert is_complete(connection.sync())
    assert asana.ledger.count(STORIES) == 0


@pytest.mark.parametrize(
    ("place", "column", "stream"),
    [
        ("/projects", "custom_field_settings", "custom_field_settings"),
        ("/portfolios", "custom_field_settings", "custom_field_settings"),
        (
            "/workspaces/{workspace_gid}/workspace_memberships",
            "user_task_list",
            "user_task_lists",
        ),
    ],
)
@pytest.mark.parametrize("value", [*UNUSABLE, ABSENT], ids=repr)
def test_a_column_without_valid_records_costs_only_its_own_records(
    asana: AsanaEmulator, place: str, column: str, stream: str, value: Any
) -> None:
    def first_without(data: Data) -> Data:
        return [*with_value(column, value)(data[:1]), *data[1:]]

    lacking: list[str] = []

    def changed(data: Data) -> Data:
        held = data[0][column] if data else []
        lacking.extend(each["gid"] for each in (held if isinstance(held, list) else [held]))
        return first_without(data)

    asana.controls.alter(place, changed)
    said = read(asana, stream, "projects")
    assert is_complete(said)
    assert gids(said, stream) == sorted(set(truth(asana, stream)) - set(lacking))
    assert gids(said, "projects") == truth(asana, "projects")


def test_entries_of_a_column_that_are_not_records_are_skipped(asana: AsanaEmulator) -> None:
    def changed(data: Data) -> Data:
        column = "custom_field_settings"
        return [{**record, column: [*UNUSABLE, *record[column]]} for record in data]

    asana.controls.alter("/projects", changed)
    said = read(asana, "custom_field_settings")
    assert is_complete(said)
    assert gids(said, "custom_field_settings") == truth(asana, "custom_field_settings")
    left_out = len(UNUSABLE) * len(truth(asana, "projects"))
    line = f"custom_field_settings: left out {left_out} items without a usable gid"
    assert line in said.logs("WARN")


# -- repetitions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("place", LISTINGS)
def test_a_record_repeated_on_a_page_comes_once(asana: AsanaEmulator, place: str) -> None:
    asana.controls.alter(place, repeated)
    said = full_refresh(asana, STREAMS_OF_LISTINGS)
    assert is_complete(said)
    for each in STREAMS_OF_LISTINGS:
        assert gids(said, each) == truth(asana, each)


@pytest.mark.parametrize("is_nested", [False, True])
def test_repeated_settings_of_a_project_come_once(asana: AsanaEmulator, *, is_nested: bool) -> None:
    def changed(data: Data) -> Data:
        column = "custom_field_settings"
        return [{**record, column: repeated(record[column])} for record in data]

    asana.controls.alter("/projects", changed if is_nested else repeated)
    said = read(asana, "custom_field_settings")
    assert gids(said, "custom_field_settings") == truth(asana, "custom_field_settings")


# -- values that the walk uses -------------------------------------------------------------------

ODD: tuple[Any, ...] = (ABSENT, None, "x", 7, True, [], {}, [None], "2026-11-20T10:00:00+00:00")
TASK_FIELDS = (
    *("created_at", "modified_at", "num_subtasks"),
    *("projects", "projects.gid", "parent", "parent.gid"),
)
LOOKED_AT: Mapping[str, tuple[str, ...]] = {
    "/workspaces": ("is_organization",),
    ONE_WORKSPACE: ("is_organization",),
    "/projects": ("modified_at", "created_at", "archived"),
    "/tasks": TASK_FIELDS,
    SUBTASKS: TASK_FIELDS,
    ONE_TASK: TASK_FIELDS,
    STORIES: ("created_at", "target", "target.gid", "resource_type"),
    "/stories/{story_gid}": ("created_at", "target", "target.gid", "target.resource_type"),
    "/attachments": ("created_at", "parent"),
    "/attachments/{attachment_gid}": ("created_at", "parent", "parent.gid"),
    "/events": (
        *("resource", "resource.gid", "resource.resource_type", "action", "created_at"),
        *("parent", "parent.gid", "parent.resource_type", "change", "change.new_value", "user"),
    ),
}
MEANS_NONE: Mapping[str, list[Any]] = {"projects": [[]], "parent": [None]}
"""The documented values for a task in no project, or below no task."""
OLD_ROWS = ("/events",)
"""Where the deletions of unread records stay unknown, and a task that an event of unknown
time names may come again."""


def odd_values(field: str) -> Iterator[Any]:
    return cycle(value for value in ODD if value not in MEANS_NONE.get(field, ()))


def each_in_turn(field: str) -> Callable[[Data], Data]:
    """The records of all answers, each with the next odd value."""
    values = odd_values(field)

    def changed(data: Data) -> Data:
        if isinstance(data, list):
            return [with_value(field, next(values))(record) for record in data]
        return with_value(field, next(values))(data)

    return changed


@pytest.mark.parametrize(
    ("place", "field"), [(place, field) for place, fields in LOOKED_AT.items() for field in fields]
)
def test_an_odd_value_costs_no_record_and_no_request_fails(
    asana: AsanaEmulator, place: str, field: str
) -> None:
    streams = [*INCREMENTAL, "audit_log_events"]
    connection = Connection(asana, *streams, num_workers=1)
    asana.controls.alter(place, each_in_turn(field))
    tables: dict[str, set[str]] = {stream: set() for stream in streams}
    for work in (lambda _: None, let_people_work, let_people_work):
        work(asana)
        said = connection.sync()
        assert is_complete(said)
        for stream in set(streams) - {"events"}:
            if place not in OLD_ROWS:
                assert len(rows(said, stream)) == len(set(rows(said, stream)))
            tables[stream] = (tables[stream] | set(rows(said, stream))) - set(
                tombstones(said, stream)
            )
            assert set(truth(asana, stream)) - tables[stream] == set()
            if place not in OLD_ROWS and stream in ("tasks", "sections"):
                assert tables[stream] == set(truth(asana, stream))


@pytest.mark.parametrize("value", [None, ABSENT, 7, "soon", "2020-01-01T00:00:00+00:00"], ids=repr)
@pytest.mark.parametrize("place", ["/tasks", SUBTASKS, ONE_TASK])
@pytest.mark.parametrize("field", ["modified_at", "created_at"])
def test_a_task_without_a_usable_time_counts_as_new(
    asana: AsanaEmulator, place: str, field: str, value: Any
) -> None:
    connection = Connection(asana)
    connection.sync()
    task = top_task(asana)
    subtask = asana.change(lambda account: account.add_subtask(task, "Polish the lens"))
    comment = asana.change(lambda account: account.comment(subtask, "Done"))
    asana.controls.alter(place, with_value(field, value))
    said = connection.sync()
    assert is_complete(said)
    assert subtask in rows(said, "subtasks")
    assert comment in rows(said, "stories")


@pytest.mark.parametrize("value", [None, ABSENT, 7, "soon", "2020-01-01"], ids=repr)
def test_tasks_listed_for_another_stream_count_as_new_without_a_usable_time(
    asana: AsanaEmulator, value: Any
) -> None:
    connection = Connection(asana, "tasks")
    connection.sync()
    connection.streams = ("tasks", "subtasks")
    asana.controls.alter("/tasks", with_value("modified_at", value))
    said = connection.sync()
    assert is_complete(said)
    is_a_day = value == "2020-01-01"
    assert rows(said, "tasks") == ([] if is_a_day else truth(asana, "tasks"))


@pytest.mark.parametrize("value", [None, ABSENT, 7, "soon"], ids=repr)
def test_a_project_without_a_usable_time_counts_as_new(asana: AsanaEmulator, value: Any) -> None:
    connection = Connection(asana, "projects")
    connection.sync()
    asana.controls.alter("/projects", with_value("modified_at", value, of=GULL_ROCK))
    said = connection.sync()
    assert is_complete(said)
    assert rows(said, "projects") == [GULL_ROCK]


ODD_PROJECTS = [{}, *({"gid": PAINT, **odd} for odd in ({}, {"workspace": "x"}, {"archived": "x"}))]


@pytest.mark.parametrize("project", ODD_PROJECTS, ids=repr)
def test_an_unlisted_project_with_an_odd_answer_keeps_its_marks(
    asana: AsanaEmulator, project: Any
) -> None:
    connection = Connection(asana)
    connection.sync()
    asana.controls.alter("/projects", lambda data: [p for p in data if p["gid"] != PAINT])
    asana.controls.alter("/projects/{project_gid}", lambda _: project)
    said = connection.sync()
    assert is_complete(said)
    assert tombstones(said, "projects") == []
    asana.controls.heal()
    assert is_complete(connection.sync())
    assert asana.ledger.count(STORIES) == 0


@pytest.mark.parametrize("value", [None, ABSENT, 7, "soon"], ids=repr)
def test_records_without_a_usable_time_are_not_before_the_start_date(
    asana: AsanaEmulator, value: Any
) -> None:
    asana.controls.alter(STORIES, with_value("created_at", value))
    asana.controls.alter("/tasks", with_value("modified_at", value))
    said = read(asana, "tasks", "stories", start_date="2100-01-01")
    assert is_complete(said)
    assert gids(said, "tasks") == truth(asana, "tasks")
    listed = {record["gid"] for record in asana.expected("tasks", SERVICE)}
    on_tasks = [
        r["gid"] for r in asana.expected("stories", SERVICE) if r["target"]["gid"] in listed
    ]
    assert set(on_tasks) <= set(gids(said, "stories"))


# -- odd events -----------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [None, "event", {}, {"action": "changed"}], ids=repr)
def test_after_an_unreadable_event_its_project_is_read_in_full(
    asana: AsanaEmulator, event: Any
) -> None:
    connection = Connection(asana)
    connection.sync()
    task, subtask = top_task(asana), some_subtask(asana)
    asana.change(lambda account: account.modify_task(subtask, name="Deeper"))
    comment = asana.change(lambda account: account.comment(task, "Hm"))
    asana.controls.alter("/events", lambda _: [event], only=GULL_ROCK)
    said = connection.sync()
    assert is_complete(said)
    assert subtask in rows(said, "subtasks")
    assert comment in rows(said, "stories")
    warnings = said.logs("WARN")
    assert any(f"events of project {GULL_ROCK}" in line for line in warnings)
    assert any(line.startswith("events: 1 event did not say what") for line in warnings)
    asana.controls.heal()
    again = connection.sync()
    assert rows(again, "tasks") == []
    assert not any("events" in line for line in again.logs("WARN"))


def test_a_deletion_next_to_an_unreadable_event_is_delivered(asana: AsanaEmulator) -> None:
    connection = Connection(asana)
    connection.sync()
    task = top_task(asana)
    asana.change(lambda account: account.delete(task))
    asana.controls.alter("/events", lambda data: [None, *data])
    said = connection.sync()
    assert is_complete(said)
    assert tombstones(said, "tasks") == [task]


@pytest.mark.parametrize("event", [None, {"action": "changed"}], ids=repr)
def test_after_an_unreadable_event_of_a_workspace_its_projects_are_read_in_full(
    asana: AsanaEmulator, event: Any
) -> None:
    asana.controls.workspace_events = True
    many = [asana.account.create_project(ORGANIZATION, f"Wall {n}") for n in range(50)]
    connection = Connection(asana, "tasks", "subtasks", "events")
    connection.sync()
    assert asana.ledger.count("/workspaces/{workspace_gid}/events") == 1
    subtask = some_subtask(asana)
    asana.change(lambda account: account.modify_task(subtask, name="Deeper"))
    asana.controls.alter("/workspaces/{workspace_gid}/events", lambda _: [event])
    said = connection.sync()
    assert is_complete(said)
    assert subtask in rows(said, "subtasks")
    assert len(many) == 50


# -- tasks below themselves -----------------------------------------------------------------------


def shown_again(asana: AsanaEmulator, task: Record, *, below: str) -> None:
    """List a task's ancestor, or the task itself, as one of its subtasks."""
    again = {**task, "parent": {"gid": below, "resource_type": "task"}}
    asana.controls.alter(SUBTASKS, lambda data: [*data, again], only=below)
    for place in ("/tasks", SUBTASKS, ONE_TASK):
        asana.controls.alter(place, with_value("num_subtasks", 1, of=below))


def record_of(asana: AsanaEmulator, stream: str, gid: str) -> Record:
    return next(record for record in asana.expected(stream, SERVICE) if record["gid"] == gid)


def below_itself(asana: AsanaEmulator) -> set[str]:
    """List a task below itself; returns the gids that are subtasks because of that."""
    task = top_task(asana)
    asana.change(lambda account: account.modify_task(task, notes="A circle"))
    shown_again(asana, record_of(asana, "tasks", task), below=task)
    return {task}


def below_its_subtask(asana: AsanaEmulator) -> set[str]:
    task = top_task(asana)
    subtask = asana.change(lambda account: account.add_subtask(task, "Polish"))
    shown_again(asana, record_of(asana, "tasks", task), below=subtask)
    return {task}


def around_a_cycle_of_subtasks(asana: AsanaEmulator) -> set[str]:
    subtask = some_subtask(asana)
    lower = asana.change(lambda account: account.add_subtask(subtask, "Polish"))
    shown_again(asana, record_of(asana, "subtasks", subtask), below=lower)
    return set()


CYCLES = [below_itself, below_its_subtask, around_a_cycle_of_subtasks]
Cycle = Callable[[AsanaEmulator], set[str]]


@pytest.mark.parametrize("cycle", CYCLES)
@pytest.mark.parametrize("workers", [1, 10])
def test_a_cycle_of_subtasks_is_read_once(asana: AsanaEmulator, cycle: Cycle, workers: int) -> None:
    also = cycle(asana)
    streams = ["tasks", "subtasks", "stories", "attachments"]
    said = read(asana, *streams, num_workers=workers)
    assert is_complete(said)
    for stream in streams:
        more = also if stream == "subtasks" else set()
        assert gids(said, stream) == sorted({*truth(asana, stream), *more})
    asked = [request.path for request in asana.ledger.requests if request.template == SUBTASKS]
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("cycle", CYCLES)
def test_a_cycle_that_appears_between_two_syncs_is_read_once(
    asana: AsanaEmulator, cycle: Cycle
) -> None:
    connection = Connection(asana)
    before = connection.sync()
    also = cycle(asana)
    said = connection.sync()
    assert is_complete(said)
    for stream in ("tasks", "subtasks", "stories"):
        assert len(rows(said, stream)) == len(set(rows(said, stream)))
        held = {*rows(before, stream), *rows(said, stream)}
        assert held - also == set(truth(asana, stream)) - also
    asked = [request.path for request in asana.ledger.requests if request.template == SUBTASKS]
    assert len(asked) == len(set(asked))


def test_subtasks_are_read_down_to_a_hundred_levels(asana: AsanaEmulator) -> None:
    task = top_task(asana)
    deep = [task]
    for level in range(DEEPEST_LEVEL + 5):
        lower = asana.account.add_subtask(deep[-1], f"Level {level}")
        deep.append(lower)
    said = read(asana, "subtasks", "stories")
    assert is_complete(said)
    too_deep = set(deep[DEEPEST_LEVEL + 1 :])
    assert gids(said, "subtasks") == sorted(set(truth(asana, "subtasks")) - too_deep)
    assert "subtasks: stopped after 100 levels below 1 task" in said.logs("WARN")


# -- refusals of changed objects ------------------------------------------------------------------


@pytest.mark.parametrize("status", [402, 403, 451])
def test_refused_stories_of_the_only_changed_task_are_one_skipped_object(
    asana: AsanaEmulator, status: int
) -> None:
    connection = Connection(asana, "tasks", "stories")
    connection.sync()
    task = top_task(asana)
    asana.change(lambda account: account.comment(task, "Hm"))
    asana.controls.deny(STORIES, status)
    said = connection.sync()
    assert is_complete(said)
    assert any(line.startswith("stories: skipped 1 of 1 request (") for line in said.logs("WARN"))


def test_stories_refused_everywhere_in_their_first_sync_are_an_error(
    asana: AsanaEmulator,
) -> None:
    connection = Connection(asana, "tasks")
    connection.sync()
    connection.streams = ("tasks", "stories")
    asana.controls.deny(STORIES, 403)
    said = connection.sync()
    assert said.errors()["stories"]["failure_type"] == "config_error"
    assert "Asana refused all stories" in said.errors()["stories"]["message"]


def test_attachments_refused_for_all_projects_are_an_error_in_every_sync(
    asana: AsanaEmulator,
) -> None:
    connection = Connection(asana, "attachments")
    connection.sync()
    asana.controls.deny("/attachments", 403)
    said = connection.sync()
    assert "Asana refused all attachments" in said.errors()["attachments"]["message"]


# -- portfolios that need an owner ----------------------------------------------------------------

OF_PORTFOLIOS = ["portfolios", "portfolio_items", "portfolio_memberships", "status_updates"]


def test_portfolios_are_requested_with_an_owner_where_asana_requires_one(
    asana: AsanaEmulator,
) -> None:
    asana.controls.demanded_parameters = {"/portfolios": "owner"}
    config = config_for(asana, "member", num_workers=1)
    said = run("read", asana, config, catalog_of(OF_PORTFOLIOS))
    assert is_complete(said)
    for stream in OF_PORTFOLIOS:
        assert gids(said, stream) == sorted(r["gid"] for r in asana.expected(stream, "member"))
    asked = [r for r in asana.ledger.requests if r.template == "/portfolios"]
    assert [r.status for r in asked].count(400) == 1
    assert {r.query.get("owner") for r in asked if r.status == 200} == {"me"}
    (warning,) = (line for line in said.logs("WARN") if "owner" in line)
    assert warning.startswith("portfolios: Asana requires an owner here")


def test_portfolios_are_requested_without_an_owner_where_asana_allows_it(
    sample: AsanaEmulator,
) -> None:
    said = read(sample, "portfolios")
    assert gids(said, "portfolios") == truth(sample, "portfolios")
    asked = [r for r in sample.ledger.requests if r.template == "/portfolios"]
    assert all("owner" not in request.query for request in asked)


# -- comments without subtasks --------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 10])
def test_edited_comments_of_one_task_cost_one_request_for_the_task(
    asana: AsanaEmulator, workers: int
) -> None:
    connection = Connection(asana, "stories", include_subtasks=False, num_workers=workers)
    connection.sync()
    tasks = [top_task(asana), some_subtask(asana)]
    comments = [[asana.account.comment(task, f"Comment {n}") for n in range(6)] for task in tasks]
    connection.sync()
    for comment in [*comments[0], *comments[1]]:
        asana.account.edit_comment(comment, "Edited")
    said = connection.sync()
    assert rows(said, "stories") == sorted(comments[0])
    assert asana.ledger.count(ONE_TASK) == len(tasks)
