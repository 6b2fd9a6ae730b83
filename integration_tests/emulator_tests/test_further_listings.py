"""Goals, memberships, reports, time and templates."""

import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.emulator_tests.asking import (
    Json,
    ask,
    control,
    gids,
    message,
    of_stream,
    pages,
    told,
)

pytestmark = pytest.mark.once


def test_memberships_are_compact_and_opt_fields_returns_only_their_gids(
    asana: AsanaEmulator,
) -> None:
    goal, portfolio = (of_stream(asana, stream)[0]["gid"] for stream in ("goals", "portfolios"))
    of_goal, of_portfolio = (
        told(asana, "/memberships", parent=parent)["data"] for parent in (goal, portfolio)
    )
    assert {record["resource_subtype"] for record in of_goal} == {"goal_membership"}
    assert of_goal[0]["is_commenter"] is None
    assert {record["role"] for record in of_goal} == {"editor", "commenter"}
    assert {record["member"]["resource_type"] for record in of_portfolio} == {"user", "team"}
    for record in of_goal + of_portfolio:
        assert record["resource_type"] == "membership"
        assert record["parent"]["gid"] in {goal, portfolio}
    named = told(asana, "/memberships", parent=goal, opt_fields="member,parent,access_level")
    assert [set(record) for record in named["data"]] == [{"gid"}] * len(of_goal)
    member = of_goal[0]["member"]["gid"]
    assert gids(told(asana, "/memberships", parent=goal, member=member)) == [of_goal[0]["gid"]]
    assert ask(asana, "/memberships").status_code == 400


def test_goals_need_a_workspace_and_can_be_narrowed(
    asana: AsanaEmulator, organization: str
) -> None:
    assert ask(asana, "/goals").status_code == 400
    every = of_stream(asana, "goals")
    here = {goal["gid"] for goal in every if goal["workspace"]["gid"] == organization}
    assert set(gids(told(asana, "/goals", workspace=organization))) == here
    team = next(goal["team"]["gid"] for goal in every if goal["team"])
    of_team = gids(told(asana, "/goals", workspace=organization, team=team))
    assert of_team == [g["gid"] for g in every if g["team"] and g["team"]["gid"] == team]
    top = gids(told(asana, "/goals", workspace=organization, is_workspace_level="true"))
    assert top == [goal["gid"] for goal in every if goal["is_workspace_level"]]
    period = next(goal["time_period"]["gid"] for goal in every if goal["time_period"])
    timed = gids(told(asana, "/goals", workspace=organization, time_periods=period))
    assert timed == [
        g["gid"] for g in every if g["time_period"] and g["time_period"]["gid"] == period
    ]
    wrong = ask(asana, "/goals", workspace=organization, is_workspace_level="yes")
    assert wrong.status_code == 400
    assert gids(told(asana, "/goals", asana.tokens.pat("restricted"), workspace=organization)) == []


def test_a_hidden_goal_is_refused_when_requested_alone(asana: AsanaEmulator) -> None:
    seen = {goal["gid"] for goal in of_stream(asana, "goals", "member")}
    (hidden,) = {goal["gid"] for goal in of_stream(asana, "goals")} - seen
    member = asana.tokens.pat("member")
    assert ask(asana, f"/goals/{hidden}", member).status_code == 403
    assert ask(asana, "/goal_relationships", member, supported_goal=hidden).status_code == 403
    assert ask(asana, "/goal_relationships").status_code == 400


def test_goals_may_be_missing_from_the_plan(asana: AsanaEmulator, organization: str) -> None:
    asana.controls.deny("/goals", 402)
    assert ask(asana, "/goals", workspace=organization).status_code == 402


def test_time_periods_can_be_narrowed_to_days(asana: AsanaEmulator, organization: str) -> None:
    query = {"workspace": organization, "start_on": "2026-04-01", "end_on": "2026-09-30"}
    records = told(asana, "/time_periods", **query)["data"]
    assert [record["display_name"] for record in records] == ["Q2 FY26", "Q3 FY26"]
    assert ask(asana, "/time_periods", workspace=organization, end_on="May").status_code == 400


def test_status_updates_since_an_instant_include_it(asana: AsanaEmulator, project: str) -> None:
    asana.change(lambda account: account.post_status(project, "Still dark"))
    first, second = told(asana, "/status_updates", parent=project, opt_fields="created_at")["data"]
    for since, found in (
        (first["created_at"], [first["gid"], second["gid"]]),
        (second["created_at"], [second["gid"]]),
        ("2099-01-01", []),
    ):
        assert gids(told(asana, "/status_updates", parent=project, created_since=since)) == found
    assert ask(asana, "/status_updates").status_code == 400
    assert ask(asana, "/status_updates", parent=project, created_since="x").status_code == 400


def test_all_time_entries_of_a_workspace_need_a_range_of_days(
    asana: AsanaEmulator, organization: str
) -> None:
    refused = ask(asana, "/time_tracking_entries", workspace=organization)
    assert refused.status_code == 400
    assert "entered_on_start_date" in message(refused)
    every = of_stream(asana, "time_tracking_entries")
    for bounds in (
        {"entered_on_start_date": "2024-02-02"},
        {"entered_on_end_date": "2024-02-02"},
        {"entered_on_start_date": "2024-02-02", "entered_on_end_date": "2024-02-05"},
    ):
        first = bounds.get("entered_on_start_date", "")
        last = bounds.get("entered_on_end_date", "9999")
        found = gids(told(asana, "/time_tracking_entries", workspace=organization, **bounds))
        assert found == [e["gid"] for e in every if first <= e["entered_on"] <= last]
        assert 0 < len(found) < len(every)
    task = every[0]["task"]["gid"]
    assert gids(told(asana, "/time_tracking_entries", task=task)) == gids(
        told(asana, f"/tasks/{task}/time_tracking_entries")
    )
    project = every[0]["attributable_to"]["gid"]
    attributed = gids(told(asana, "/time_tracking_entries", attributable_to=project))
    assert attributed == [e["gid"] for e in every if e["attributable_to"]]
    user = every[0]["created_by"]["gid"]
    for query in ({"user": user}, {"user": user, "workspace": organization}):
        found = gids(told(asana, "/time_tracking_entries", **query))
        assert found == [e["gid"] for e in every if e["created_by"]["gid"] == user]
    assert ask(asana, "/time_tracking_entries").status_code == 400
    day: Json = {"entered_on_start_date": "2024-02-30"}
    assert ask(asana, "/time_tracking_entries", workspace=organization, **day).status_code == 400


def test_a_listing_of_time_entries_has_less_than_a_single_entry(
    asana: AsanaEmulator, organization: str
) -> None:
    entry = of_stream(asana, "time_tracking_entries")[0]
    fields = "duration_minutes,task,created_at,approval_status,billable_status,description"
    query = {
        "workspace": organization,
        "entered_on_start_date": "2000-01-01",
        "opt_fields": fields,
    }
    single = told(asana, f"/time_tracking_entries/{entry['gid']}", opt_fields=fields)["data"]
    assert set(single) == {"gid", *fields.split(",")}
    assert set(told(asana, "/time_tracking_entries", **query)["data"][0]) == {
        "gid",
        "duration_minutes",
    }
    assert asana.ledger.unknown_fields["/time_tracking_entries description"] == 1
    control(asana, "controls", {"whole_time_entries": True})
    assert told(asana, "/time_tracking_entries", **query)["data"][0] == single


def test_allocations_belong_to_a_project_or_a_user(asana: AsanaEmulator, organization: str) -> None:
    assert ask(asana, "/allocations", workspace=organization).status_code == 400
    every = of_stream(asana, "allocations")
    first = every[0]
    project, user = first["parent"]["gid"], first["assignee"]["gid"]
    assert gids(told(asana, "/allocations", parent=project)) == [
        each["gid"] for each in every if each["parent"]["gid"] == project
    ]
    for query in (
        {"assignee": user},
        {"assignee": user, "workspace": organization},
        {"assignee": user, "parent": project},
    ):
        assert gids(told(asana, "/allocations", **query)) == [first["gid"]]


def test_templates_belong_to_a_workspace_a_team_or_a_project(
    asana: AsanaEmulator, organization: str
) -> None:
    (template,) = told(asana, "/project_templates", workspace=organization, opt_fields="team")[
        "data"
    ]
    assert gids(told(asana, "/project_templates", team=template["team"]["gid"])) == [
        template["gid"]
    ]
    assert ask(asana, "/project_templates").status_code == 400
    assert ask(asana, "/task_templates").status_code == 400
    of_task = of_stream(asana, "task_templates")
    project = of_task[0]["project"]["gid"]
    found = list(pages(asana, "/task_templates", project=project, limit=1))
    assert [gid for page in found for gid in gids(page)] == [each["gid"] for each in of_task]


def test_a_brief_has_its_text_only_on_request(asana: AsanaEmulator) -> None:
    (brief,) = of_stream(asana, "project_briefs")
    path = f"/project_briefs/{brief['gid']}"
    assert set(brief) - set(told(asana, path)["data"]) == {"text"}
    assert told(asana, path, opt_fields="text")["data"]["text"] == brief["text"]


def test_a_workspace_membership_can_be_found_by_its_user(
    asana: AsanaEmulator, organization: str
) -> None:
    path = f"/workspaces/{organization}/workspace_memberships"
    (membership,) = told(asana, path, user="me", opt_fields="user,user_task_list.owner")["data"]
    assert membership["user"]["gid"] == asana.account.people["service"].user
    assert membership["user_task_list"]["owner"] == membership["user"]
