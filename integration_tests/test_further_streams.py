"""The special cases of single streams: how each is requested, and what it resumes from."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from integration_tests.asana_emulator import AsanaEmulator, Choice
from integration_tests.asana_emulator.gids import gid_of
from integration_tests.reading import (
    SERVICE,
    Json,
    Record,
    Said,
    catalog_of,
    config_for,
    full_refresh,
    run,
)
from integration_tests.test_incremental import Connection, rows, top_task
from integration_tests.truth_of import in_order, truth
from source_asana.reading.marks import incremental_marks
from source_asana.streams.declared import STREAMS

pytestmark = pytest.mark.once

ORGANIZATION, QUIZ_TEAM = (gid_of("workspace", number) for number in (1, 2))
GULL_ROCK, STRIPES = (gid_of("project", number) for number in (1, 2))
AUDIT_LOG = "/workspaces/{workspace_gid}/audit_log_events"
ONE_WORKSPACE = "/workspaces/{workspace_gid}"
ONE_ENTRY = "/time_tracking_entries/{time_tracking_entry_gid}"
ONE_BRIEF = "/project_briefs/{project_brief_gid}"
MEMBERSHIPS = "/workspaces/{workspace_gid}/workspace_memberships"
INNER = "custom_field_settings"

JOINS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "goals": {"workspace.gid": ["workspaces"]},
    "goal_relationships": {
        "supported_goal.gid": ["goals"],
        "supporting_resource.gid": ["goals", "projects", "tasks", "portfolios"],
    },
    "goal_memberships": {"parent.gid": ["goals"], "member.gid": ["users", "teams"]},
    "portfolio_memberships": {"parent.gid": ["portfolios"], "member.gid": ["users", "teams"]},
    "time_periods": {"workspace_gid": ["workspaces"]},
    "status_updates": {"parent.gid": ["projects", "portfolios", "goals"], "author.gid": ["users"]},
    "project_memberships": {"parent.gid": ["projects"], "member.gid": ["users", "teams"]},
    "workspace_memberships": {
        "workspace.gid": ["workspaces"],
        "user.gid": ["users"],
        "user_task_list.gid": ["user_task_lists"],
    },
    "user_task_lists": {"owner.gid": ["users"], "workspace.gid": ["workspaces"]},
    "custom_field_settings": {
        "custom_field.gid": ["custom_fields"],
        "parent.gid": ["projects", "portfolios"],
    },
    "custom_fields": {"workspace_gid": ["workspaces"]},
    "allocations": {"parent.gid": ["projects"], "assignee.gid": ["users"]},
    "project_templates": {"workspace_gid": ["workspaces"]},
    "task_templates": {"project.gid": ["projects"], "created_by.gid": ["users"]},
    "project_briefs": {"project.gid": ["projects"]},
    "roles": {"workspace.gid": ["workspaces"]},
    "budgets": {"parent.gid": ["projects"]},
    "rates": {"parent.gid": ["projects"]},
    "project_portfolio_settings": {
        "project.gid": ["projects"],
        "portfolio.gid": ["portfolios"],
    },
    "goal_stories": {"target.gid": ["goals"], "created_by.gid": ["users"]},
    "time_tracking_categories": {"workspace_gid": ["workspaces"]},
    "timesheet_approval_statuses": {"user.gid": ["users"], "workspace.gid": ["workspaces"]},
    "ooo_entries": {"user.gid": ["users"]},
    "audit_log_events": {"workspace_gid": ["workspaces"]},
}
"""The columns that every record has, each with the stream of its gids."""


def values_at(record: Record, column: str) -> Iterator[Any]:
    found: Any = record
    for name in column.split("."):
        found = (found or {}).get(name)
    yield found


def of_path(asana: AsanaEmulator, template: str) -> list[Json]:
    """The queries of the requests to one path."""
    return [request.query for request in asana.ledger.requests if request.template == template]


def gids(asana: AsanaEmulator, stream: str, choice: Choice | None = None) -> list[str]:
    return sorted(r["gid"] for r in asana.expected(stream, SERVICE, choice=choice or Choice()))


@pytest.fixture(scope="module")
def everything(untouched: AsanaEmulator) -> Said:
    return full_refresh(untouched, list(STREAMS))


@pytest.mark.parametrize("stream", JOINS)
def test_every_record_has_the_gids_of_its_parents(everything: Said, stream: str) -> None:
    records = everything.records()
    assert records[stream]
    for column, targets in JOINS[stream].items():
        known = {record["gid"] for target in targets for record in records[target]}
        for record in records[stream]:
            (gid,) = values_at(record, column)
            assert gid in known, f"{column} of {record['gid']}"


def test_time_entries_have_the_gids_of_their_tasks(everything: Said) -> None:
    records = everything.records()
    tasks = {task["gid"] for stream in ("tasks", "subtasks") for task in records[stream]}
    leads = [entry["task"]["gid"] for entry in records["time_tracking_entries"]]
    assert len(leads) == len(records["time_tracking_entries"]) > len(tasks & set(leads)) > 0
    assert all(entry["created_by"]["gid"] for entry in records["time_tracking_entries"])


# -- budgets, categories, absences, files of briefs ----------------------------------------------

ONE_BUDGET = "/budgets/{budget_gid}"


def test_a_budget_that_is_listed_in_part_is_requested_by_its_gid(asana: AsanaEmulator) -> None:
    whole = full_refresh(asana, ["budgets"]).records()["budgets"]
    assert in_order(whole) == truth(asana, "budgets")
    assert ONE_BUDGET not in asana.ledger.by_path()
    asana.controls.compact_listings = frozenset({"/budgets"})
    assert full_refresh(asana, ["budgets"]).records()["budgets"] == whole
    assert asana.ledger.count(ONE_BUDGET) == len(whole) == 1


def test_a_plan_without_budgets_lacks_only_that_stream(asana: AsanaEmulator) -> None:
    asana.controls.deny("/budgets", 402)
    said = full_refresh(asana, ["budgets", "rates", "custom_types"])
    assert said.errors().keys() == {"budgets"}
    assert said.errors()["budgets"]["failure_type"] == "config_error"
    for stream in ("rates", "custom_types"):
        assert in_order(said.records()[stream]) == truth(asana, stream)


def test_archived_categories_come_with_a_request_of_their_own(asana: AsanaEmulator) -> None:
    found = full_refresh(asana, ["time_tracking_categories"]).records()["time_tracking_categories"]
    assert {category["is_archived"] for category in found} == {False, True}
    asked = of_path(asana, "/time_tracking_categories")
    assert [query.get("is_archived") for query in asked].count("true") == len(asked) / 2
    # If Asana ignores the parameter, both requests give the same records.
    asana.controls.ignored_parameters = frozenset({"is_archived"})
    again = full_refresh(asana, ["time_tracking_categories"]).records()
    assert len(again["time_tracking_categories"]) == 1


def test_absences_are_requested_for_each_user_of_each_workspace(asana: AsanaEmulator) -> None:
    said = full_refresh(asana, ["ooo_entries"])
    assert in_order(said.records()["ooo_entries"]) == truth(asana, "ooo_entries")
    asked = [(query["workspace"], query["user"]) for query in of_path(asana, "/ooo_entries")]
    viewer = asana.account.people[SERVICE]
    assert sorted(asked) == [
        (workspace, user)
        for workspace in gids(asana, "workspaces")
        for user in sorted(asana.account.listing(viewer, "users", workspace))
    ]


def test_a_refused_brief_costs_only_its_files(asana: AsanaEmulator) -> None:
    (brief,) = gids(asana, "project_briefs")
    asana.controls.deny("/attachments", 404, only=brief)
    said = full_refresh(asana, ["attachments"])
    lost = [f["gid"] for f in truth(asana, "attachments") if f["parent"]["gid"] == brief]
    assert len(lost) == 1
    assert rows(said, "attachments") == [g for g in gids(asana, "attachments") if g not in lost]
    assert f"project brief {brief}" in "".join(said.logs("WARN"))
    assert "/tasks/{task_gid}" not in asana.ledger.by_path()


def test_an_incremental_sync_finds_a_new_file_in_a_brief(asana: AsanaEmulator) -> None:
    connection = Connection(asana, "attachments")
    connection.sync()
    (brief,) = gids(asana, "project_briefs")
    new = asana.change(lambda account: account.attach(brief, "Sketch of the light.png"))
    assert new in rows(connection.sync(), "attachments")
    assert ONE_BRIEF not in asana.ledger.by_path()


# -- the audit log --------------------------------------------------------------------------------


def test_the_audit_log_is_read_to_its_empty_page(asana: AsanaEmulator) -> None:
    for number in range(100):
        asana.account.audit(ORGANIZATION, "user_logged_out", details={"number": number})
    said = full_refresh(asana, ["audit_log_events"])
    assert in_order(said.records()["audit_log_events"]) == truth(asana, "audit_log_events")
    assert len(said.records()["audit_log_events"]) > 100
    assert asana.ledger.by_path() == {"/workspaces": 1, ONE_WORKSPACE: 1, AUDIT_LOG: 3}
    assert asana.ledger.duplicates() == {}


def test_the_audit_log_is_requested_where_it_exists(sample: AsanaEmulator) -> None:
    full_refresh(sample, ["audit_log_events"])
    asked = {request.path for request in sample.ledger.requests if request.template == AUDIT_LOG}
    assert asked == {f"/workspaces/{ORGANIZATION}/audit_log_events"}
    assert all("opt_fields" not in query for query in of_path(sample, AUDIT_LOG))


def test_an_incremental_sync_reads_audit_log_events_since_the_last_one(
    asana: AsanaEmulator,
) -> None:
    connection = Connection(asana, "audit_log_events")
    assert rows(connection.sync(), "audit_log_events") == gids(asana, "audit_log_events")
    assert all("start_at" not in query for query in of_path(asana, AUDIT_LOG))
    assert connection.sync().records()["audit_log_events"] == []
    assert asana.ledger.count(AUDIT_LOG) == 1
    new = asana.change(lambda account: account.audit(ORGANIZATION, "user_logged_out"))
    said = connection.sync()
    assert rows(said, "audit_log_events") == [new]
    (since,) = {query["start_at"] for query in of_path(asana, AUDIT_LOG)}
    assert since > max(event["created_at"] for event in truth(asana, "audit_log_events")[:-1])
    assert asana.ledger.count(AUDIT_LOG) == 2


def test_the_audit_log_needs_no_projects(asana: AsanaEmulator) -> None:
    connection = Connection(asana, "audit_log_events")
    connection.sync()
    connection.sync()
    assert set(asana.ledger.by_path()) == {"/workspaces", ONE_WORKSPACE, AUDIT_LOG}


def test_a_user_without_access_to_the_audit_log_gets_an_error_and_all_other_streams(
    sample: AsanaEmulator,
) -> None:
    streams = ["audit_log_events", "tasks", "goals", "workspace_memberships"]
    said = full_refresh(sample, streams, "member")
    error = said.errors()["audit_log_events"]
    assert error["failure_type"] == "config_error"
    assert "use a service account token" in error["message"]
    assert said.statuses("audit_log_events") == ["STARTED", "INCOMPLETE"]
    assert said.states("audit_log_events") == []
    for stream in streams[1:]:
        assert said.statuses(stream)[-1] == "COMPLETE"
        assert in_order(said.records()[stream]) == truth(sample, stream, "member")


# -- status updates -------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", ["projects", "portfolios", "goals"])
def test_only_the_new_status_update_comes(asana: AsanaEmulator, stream: str) -> None:
    connection = Connection(asana, "status_updates")
    assert rows(connection.sync(), "status_updates") == gids(asana, "status_updates")
    assert connection.sync().records()["status_updates"] == []
    (parent, *_) = gids(asana, stream)
    new = asana.change(lambda account: account.post_status(parent, "Still dark"))
    said = connection.sync()
    ((gid, above),) = ((r["gid"], r["parent"]["gid"]) for r in said.records()["status_updates"])
    assert (gid, above) == (new, parent)
    asked = of_path(asana, "/status_updates")
    assert all(query["created_since"] for query in asked)
    parents = [gid for kind in ("projects", "portfolios", "goals") for gid in gids(asana, kind)]
    assert sorted(query["parent"] for query in asked) == sorted(parents)
    assert "/events" not in asana.ledger.by_path()


def test_a_new_project_brings_all_of_its_status_updates(asana: AsanaEmulator) -> None:
    connection = Connection(asana, "status_updates")
    connection.sync()
    project = asana.change(lambda account: account.create_project(ORGANIZATION, "A new pier"))
    new = asana.change(lambda account: account.post_status(project, "Dry so far"))
    assert rows(connection.sync(), "status_updates") == [new]
    (since,) = [q for q in of_path(asana, "/status_updates") if q["parent"] == project]
    assert "created_since" not in since


@pytest.mark.parametrize("workers", [1, 10])
def test_the_state_of_status_updates_is_complete_whatever_else_is_still_being_read(
    asana: AsanaEmulator, workers: int
) -> None:
    connection = Connection(asana, "status_updates", num_workers=workers)
    catalog = incremental_next_to("status_updates", "stories", "attachments")
    connection.sync(catalog=catalog)
    marks = incremental_marks(connection.state_of("status_updates"))
    parents = {gid for kind in ("projects", "portfolios", "goals") for gid in gids(asana, kind)}
    assert set(marks) == parents
    connection.sync(catalog=catalog)
    assert all("created_since" in query for query in of_path(asana, "/status_updates"))


@pytest.mark.parametrize("lacking", ["/goals", "/portfolios"])
def test_a_plan_without_goals_or_portfolios_has_the_status_updates_of_the_others(
    asana: AsanaEmulator, lacking: str
) -> None:
    asana.controls.deny(lacking, 402)
    said = full_refresh(asana, ["status_updates", "tags"])
    kept = [
        record["gid"]
        for record in asana.expected("status_updates", SERVICE)
        if record["parent"]["gid"] not in gids(asana, lacking[1:])
    ]
    assert rows(said, "status_updates") == kept != gids(asana, "status_updates")
    assert said.statuses("status_updates")[-1] == "COMPLETE"
    assert said.errors() == {}
    assert said.exit_status == 0
    assert any(
        line.startswith(f"{lacking[1:]}: skipped 2 of 2 requests") for line in said.logs("WARN")
    )


def test_a_plan_with_neither_goals_nor_portfolios_has_the_status_updates_of_projects(
    asana: AsanaEmulator,
) -> None:
    for lacking in ("/goals", "/portfolios"):
        asana.controls.deny(lacking, 402)
    connection = Connection(asana, "status_updates")
    said = connection.sync()
    assert said.exit_status == 0
    assert [r["parent"]["gid"] for r in said.records()["status_updates"]] == [GULL_ROCK]
    new = asana.change(lambda account: account.post_status(STRIPES, "Crooked"))
    assert rows(connection.sync(), "status_updates") == [new]


@pytest.mark.parametrize("refused", ["goals", "portfolios"])
@pytest.mark.parametrize("status", [400, 403, 404, 451])
def test_refused_goals_or_portfolios_do_not_affect_the_status_updates_of_projects(
    asana: AsanaEmulator, refused: str, status: int
) -> None:
    asana.controls.deny(f"/{refused}", status)
    said = full_refresh(asana, ["status_updates", refused])
    assert said.statuses("status_updates")[-1] == "COMPLETE"
    assert set(said.errors()) == {refused}
    lacking = {r["gid"] for r in asana.expected(refused, SERVICE)}
    assert sorted(r["gid"] for r in said.records()["status_updates"]) == sorted(
        r["gid"]
        for r in asana.expected("status_updates", SERVICE)
        if r["parent"]["gid"] not in lacking
    )
    without = f"status_updates: without the records of {refused}, which Asana refuses"
    assert said.logs("WARN").count(without) == 1


@pytest.mark.parametrize("status", [403, 404])
def test_status_updates_are_incomplete_without_projects(asana: AsanaEmulator, status: int) -> None:
    asana.controls.deny("/projects", status)
    said = full_refresh(asana, ["status_updates", "tags"])
    assert said.statuses("status_updates")[-1] == "INCOMPLETE"
    assert said.errors()["status_updates"]["failure_type"] == "config_error"
    assert "parent stream projects failed" in said.errors()["status_updates"]["message"]
    assert said.statuses("tags")[-1] == "COMPLETE"


def test_failed_goals_do_not_affect_the_status_updates_of_projects(
    asana: AsanaEmulator,
) -> None:
    asana.controls.fail("/goals", 500, times=None)
    connection = Connection(asana, "status_updates")
    said = connection.sync(patience=0.02)
    assert said.errors()["status_updates"]["failure_type"] == "transient_error"
    assert GULL_ROCK in {r["parent"]["gid"] for r in said.records()["status_updates"]}
    asana.controls.heal()
    again = connection.sync()
    assert again.exit_status == 0
    assert GULL_ROCK not in {r["parent"]["gid"] for r in again.records()["status_updates"]}


def test_the_goals_stream_is_incomplete_where_the_plan_has_no_goals(asana: AsanaEmulator) -> None:
    asana.controls.deny("/goals", 402)
    said = full_refresh(asana, ["goals", "goal_relationships", "goal_memberships"])
    for stream in ("goals", "goal_relationships", "goal_memberships"):
        assert said.statuses(stream)[-1] == "INCOMPLETE"
        assert "Upgrade the plan" in said.errors()[stream]["message"]


# -- time entries ---------------------------------------------------------------------------------


def test_time_entries_listed_without_their_tasks_are_completed_one_by_one(
    asana: AsanaEmulator,
) -> None:
    said = full_refresh(asana, ["time_tracking_entries"])
    assert in_order(said.records()["time_tracking_entries"]) == truth(
        asana, "time_tracking_entries"
    )
    entries = len(truth(asana, "time_tracking_entries"))
    assert asana.ledger.by_path() == {
        "/workspaces": 1,
        "/time_tracking_entries": 2,
        ONE_ENTRY: entries,
    }


def test_a_listing_of_time_entries_is_enough_where_no_selected_column_is_missing(
    asana: AsanaEmulator,
) -> None:
    columns = ["gid", "duration_minutes", "created_by"]
    catalog = catalog_of(["time_tracking_entries"], {"time_tracking_entries": columns})
    said = run("read", asana, config_for(asana), catalog)
    assert in_order(said.records()["time_tracking_entries"]) == [
        {column: entry[column] for column in columns}
        for entry in truth(asana, "time_tracking_entries")
    ]
    assert asana.ledger.by_path() == {"/workspaces": 1, "/time_tracking_entries": 2}


def test_a_complete_listing_of_time_entries_is_enough(asana: AsanaEmulator) -> None:
    asana.controls.whole_time_entries = True
    said = full_refresh(asana, ["time_tracking_entries"])
    assert in_order(said.records()["time_tracking_entries"]) == truth(
        asana, "time_tracking_entries"
    )
    assert asana.ledger.by_path() == {"/workspaces": 1, "/time_tracking_entries": 2}
    assert asana.ledger.by_path() == asana.floor(["time_tracking_entries"], SERVICE)


def test_an_incremental_sync_reads_time_entries_of_the_last_two_weeks(
    asana: AsanaEmulator,
) -> None:
    connection = Connection(asana, "time_tracking_entries")
    connection.sync()
    assert {q["entered_on_start_date"] for q in of_path(asana, "/time_tracking_entries")} == {
        "2000-01-01"
    }
    now, task = asana.account.clock.now(), top_task(asana)
    new = {
        ago: asana.account.log_time(task, 30, now.subtract(days=ago).to_date_string())
        for ago in (0, 10, 20)
    }
    said = connection.sync()
    assert rows(said, "time_tracking_entries") == sorted([new[0], new[10]])
    assert {entry["task"]["gid"] for entry in said.records()["time_tracking_entries"]} == {task}
    (since,) = {q["entered_on_start_date"] for q in of_path(asana, "/time_tracking_entries")}
    assert since in {now.subtract(days=ago).to_date_string() for ago in (14, 15)}
    assert asana.ledger.by_path() == {"/workspaces": 1, "/time_tracking_entries": 2, ONE_ENTRY: 2}


def test_a_start_date_keeps_time_entries_for_that_day_or_later(
    sample: AsanaEmulator,
) -> None:
    said = full_refresh(sample, ["time_tracking_entries"], start_date="2024-02-05T18:30:00Z")
    days = [entry["entered_on"] for entry in said.records()["time_tracking_entries"]]
    assert sorted(days) == ["2024-02-05", "2024-02-06", "2024-02-07"]
    assert sample.ledger.by_path()[ONE_ENTRY] == 3


def test_a_time_entry_deleted_before_it_is_completed_fails_nothing(
    asana: AsanaEmulator,
) -> None:
    (gone, *others) = gids(asana, "time_tracking_entries")
    asana.controls.deny(gone, 404)
    said = full_refresh(asana, ["time_tracking_entries"])
    assert rows(said, "time_tracking_entries") == others
    assert said.exit_status == 0


# -- memberships, briefs, nested records ----------------------------------------------------------


def test_memberships_are_requested_without_opt_fields(sample: AsanaEmulator) -> None:
    streams = ["goal_memberships", "portfolio_memberships"]
    said = full_refresh(sample, streams)
    asked = of_path(sample, "/memberships")
    assert len(asked) == len(gids(sample, "goals")) + len(gids(sample, "portfolios"))
    assert all("opt_fields" not in query for query in asked)
    assert sample.ledger.unknown_parameters == {}
    assert sample.ledger.unknown_fields == {}
    for stream in streams:
        assert in_order(said.records()[stream]) == truth(sample, stream)
    kinds = {member["member"]["resource_type"] for member in said.records()[streams[1]]}
    assert kinds == {"user", "team"}


def test_the_brief_of_a_project_is_requested_where_there_is_one(sample: AsanaEmulator) -> None:
    said = full_refresh(sample, ["project_briefs"])
    assert in_order(said.records()["project_briefs"]) == truth(sample, "project_briefs") != []
    assert sample.ledger.by_path() == {"/workspaces": 1, "/projects": 2, ONE_BRIEF: 1}


@pytest.mark.parametrize("carrier", [[], ["workspace_memberships"]], ids=["alone", "with it"])
def test_user_task_lists_come_with_the_memberships_of_the_workspace(
    sample: AsanaEmulator, carrier: list[str]
) -> None:
    said = full_refresh(sample, ["user_task_lists", *carrier])
    for stream in ("user_task_lists", *carrier):
        assert in_order(said.records()[stream]) == truth(sample, stream)
    assert sample.ledger.by_path() == {"/workspaces": 1, MEMBERSHIPS: 2}


@pytest.mark.parametrize(
    "carriers", [[], ["projects"], ["portfolios", "projects"]], ids=["alone", "one", "both"]
)
def test_custom_field_settings_come_with_projects_and_portfolios(
    sample: AsanaEmulator, carriers: list[str]
) -> None:
    said = full_refresh(sample, [INNER, *carriers])
    for stream in (INNER, *carriers):
        assert in_order(said.records()[stream]) == truth(sample, stream)
    assert sample.ledger.by_path() == {"/workspaces": 1, "/projects": 2, "/portfolios": 2}


def test_custom_field_settings_are_complete_next_to_incremental_projects(
    asana: AsanaEmulator,
) -> None:
    connection = Connection(asana, "projects")
    connection.sync()
    said = connection.sync(catalog=incremental_next_to("projects", INNER))
    assert rows(said, "projects") == []
    assert rows(said, INNER) == gids(asana, INNER)


def incremental_next_to(stream: str, *full: str) -> Json:
    catalog = catalog_of([stream, *full])
    catalog["streams"][0]["stream"]["supported_sync_modes"].append("incremental")
    catalog["streams"][0] |= {
        "sync_mode": "incremental",
        "destination_sync_mode": "append_dedup",
    }
    return catalog


def test_a_plan_without_portfolios_has_the_settings_of_projects(asana: AsanaEmulator) -> None:
    asana.controls.deny("/portfolios", 402)
    said = full_refresh(asana, [INNER])
    assert said.statuses(INNER)[-1] == "COMPLETE"
    assert {r["parent"]["gid"] for r in said.records()[INNER]} == {GULL_ROCK, STRIPES}


@pytest.mark.parametrize("status", [400, 403, 404, 451])
def test_refused_portfolios_do_not_affect_the_settings_of_projects(
    asana: AsanaEmulator, status: int
) -> None:
    asana.controls.deny("/portfolios", status)
    said = full_refresh(asana, [INNER, "tags"])
    assert said.exit_status == 0
    assert {r["parent"]["gid"] for r in said.records()[INNER]} == {GULL_ROCK, STRIPES}
    assert f"{INNER}: without the records of portfolios, which Asana refuses" in said.logs("WARN")


def test_settings_are_incomplete_without_projects(asana: AsanaEmulator) -> None:
    asana.controls.deny("/projects", 403)
    said = full_refresh(asana, [INNER, "tags"])
    assert said.statuses(INNER)[-1] == "INCOMPLETE"
    assert said.errors()[INNER]["failure_type"] == "config_error"
    assert said.statuses("tags")[-1] == "COMPLETE"


def test_deselected_columns_of_settings_are_not_requested(sample: AsanaEmulator) -> None:
    catalog = catalog_of([INNER], {INNER: {"gid", "is_important"}})
    said = run("read", sample, config_for(sample), catalog)
    for path in ("/projects", "/portfolios"):
        for query in of_path(sample, path):
            assert set(query["opt_fields"].split(",")) == {
                "gid",
                f"{INNER}.gid",
                f"{INNER}.is_important",
            }
    assert {frozenset(record) for record in said.records()[INNER]} == {
        frozenset({"gid", "is_important"})
    }
    assert rows(said, INNER) == gids(sample, INNER)


def test_columns_of_settings_add_no_columns_to_projects(sample: AsanaEmulator) -> None:
    catalog = catalog_of([INNER, "projects"], {"projects": {"gid", "name"}})
    said = run("read", sample, config_for(sample), catalog)
    assert {frozenset(record) for record in said.records()["projects"]} == {
        frozenset({"gid", "name"})
    }
    assert in_order(said.records()[INNER]) == truth(sample, INNER)
