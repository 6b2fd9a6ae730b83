"""The contents of the listings known to the published connector."""

from functools import partial

import pendulum
import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.asana_emulator.account import Account
from integration_tests.asana_emulator.clock import stamp
from integration_tests.emulator_tests.asking import Json, ask, gids, told

pytestmark = pytest.mark.once


def test_every_listing_matches_the_account(
    asana: AsanaEmulator, organization: str, project: str
) -> None:
    account, viewer = asana.account, asana.account.people["service"]
    tasks = account.listing(viewer, "tasks", project)
    team = account.listing(viewer, "teams", organization)[0]
    portfolio = account.listing(viewer, "portfolios", organization)[0]
    section = account.listing(viewer, "sections", project)[0]
    tag = account.listing(viewer, "tags", organization)[0]
    listings = {
        "/workspaces": ("workspaces", ""),
        f"/users?workspace={organization}": ("users", organization),
        f"/users?team={team}": ("users", team),
        f"/tags?workspace={organization}": ("tags", organization),
        f"/workspaces/{organization}/tags": ("tags", organization),
        f"/workspaces/{organization}/custom_fields": ("custom_fields", organization),
        f"/workspaces/{organization}/teams": ("teams", organization),
        f"/teams/{team}/team_memberships": ("team_memberships", team),
        f"/team_memberships?team={team}": ("team_memberships", team),
        f"/projects?workspace={organization}": ("projects", organization),
        f"/projects?team={team}": ("projects", team),
        f"/projects?team={team}&workspace={organization}": ("projects", team),
        f"/workspaces/{organization}/projects": ("projects", organization),
        f"/teams/{team}/projects": ("projects", team),
        f"/projects/{project}/sections": ("sections", project),
        f"/projects/{project}/tasks": ("tasks", project),
        f"/projects/{project}/project_memberships": ("project_memberships", project),
        f"/sections/{section}/tasks": ("tasks", section),
        f"/tasks?section={section}": ("tasks", section),
        f"/tags/{tag}/tasks": ("tasks", tag),
        f"/attachments?parent={project}": ("attachments", project),
        f"/portfolios?workspace={organization}": ("portfolios", organization),
        f"/portfolios/{portfolio}/items": ("items", portfolio),
        f"/portfolios/{portfolio}/portfolio_memberships": ("portfolio_memberships", portfolio),
        f"/portfolio_memberships?portfolio={portfolio}": ("portfolio_memberships", portfolio),
    } | {
        f"{path.format(task)}": (child, task)
        for task in tasks
        for path, child in (
            ("/tasks/{}/subtasks", "subtasks"),
            ("/tasks/{}/stories", "stories"),
            ("/attachments?parent={}", "attachments"),
        )
    }
    for path, (child, parent) in listings.items():
        assert gids(told(asana, path)) == list(account.listing(viewer, child, parent)), path
    assert any(gids(told(asana, f"/tasks/{task}/stories")) for task in tasks)


def test_users_of_all_workspaces_come_once_each(
    asana: AsanaEmulator, organization: str, plain_workspace: str
) -> None:
    everywhere = gids(told(asana, "/users"))
    there = [
        gids(told(asana, "/users", workspace=each)) for each in (organization, plain_workspace)
    ]
    assert sorted(everywhere) == sorted({*there[0], *there[1]})


def test_users_of_a_workspace_by_path_are_sorted_by_name_and_do_not_page(
    asana: AsanaEmulator, organization: str
) -> None:
    body = told(asana, f"/workspaces/{organization}/users", limit=1)
    names = [user["name"] or "" for user in body["data"]]
    assert names == sorted(names)
    assert len(names) > 1
    assert "next_page" not in body


def test_me_is_the_tokens_user(asana: AsanaEmulator) -> None:
    for name in ("member", "service", "restricted"):
        me = told(asana, "/users/me", asana.tokens.pat(name))["data"]
        assert me["gid"] == asana.account.people[name].user


def test_my_tasks_can_be_read_by_user_task_list_or_assignee(
    asana: AsanaEmulator, organization: str
) -> None:
    token = asana.tokens.pat("member")
    task_list = told(asana, "/users/me/user_task_list", token, workspace=organization)["data"]
    by_list = gids(told(asana, f"/user_task_lists/{task_list['gid']}/tasks", token))
    by_assignee = told(asana, "/tasks", token, assignee="me", workspace=organization)
    assert by_list == gids(by_assignee)
    assert by_list


def test_memberships_of_a_user_are_found_by_user_and_workspace(
    asana: AsanaEmulator, organization: str
) -> None:
    account, viewer = asana.account, asana.account.people["member"]
    token = asana.tokens.pat("member")
    expected = list(account.listing(viewer, "team_memberships", viewer.user))
    teams = [account.record(viewer, membership)["team"]["gid"] for membership in expected]
    assert expected
    path = "/users/me/team_memberships"
    assert gids(told(asana, path, token, workspace=organization)) == expected
    found = told(asana, "/team_memberships", token, user="me", workspace=organization)
    assert gids(found) == expected
    assert gids(told(asana, "/users/me/teams", token, organization=organization)) == teams


def test_a_workspace_without_an_organization_refuses_its_teams(
    asana: AsanaEmulator, plain_workspace: str
) -> None:
    assert ask(asana, f"/workspaces/{plain_workspace}/teams").status_code == 403


def test_archived_is_a_filter_and_both_come_without_it(
    asana: AsanaEmulator, organization: str
) -> None:
    every = gids(told(asana, "/projects", workspace=organization))
    archived = gids(told(asana, "/projects", workspace=organization, archived="true"))
    active = gids(told(asana, "/projects", workspace=organization, archived="false"))
    assert archived
    assert active
    assert sorted(every) == sorted(archived + active)


def test_modified_since_lists_tasks_changed_at_that_instant_or_later(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    asana.account.clock.advance(60)
    asana.change(lambda account: account.comment(tasks[1], "Done by Friday?"))
    since = told(asana, f"/tasks/{tasks[1]}")["data"]["modified_at"]
    later = stamp(pendulum.DateTime.fromisoformat(since).add(seconds=1))
    assert gids(told(asana, "/tasks", project=project, modified_since=since)) == [tasks[1]]
    assert gids(told(asana, "/tasks", project=project, modified_since=later)) == []


def test_modified_since_lists_tasks_that_joined_the_project_without_being_modified(
    asana: AsanaEmulator, organization: str, project: str, tasks: list[str]
) -> None:
    other = asana.change(lambda account: account.create_project(organization, "Another"))
    asana.account.clock.advance(60)
    since = stamp(asana.account.clock.now())
    modified_at = told(asana, f"/tasks/{tasks[0]}")["data"]["modified_at"]
    asana.change(lambda account: account.add_to_project(tasks[0], other))
    assert told(asana, f"/tasks/{tasks[0]}")["data"]["modified_at"] == modified_at < since
    assert gids(told(asana, "/tasks", project=other, modified_since=since)) == [tasks[0]]
    assert gids(told(asana, "/tasks", project=project, modified_since=since)) == []


def test_a_listing_may_omit_records_that_can_be_read_by_gid(
    asana: AsanaEmulator, organization: str, project: str
) -> None:
    listed = gids(told(asana, "/projects", workspace=organization))
    asana.controls.hide(project)
    left = gids(told(asana, "/projects", workspace=organization))
    assert left == [gid for gid in listed if gid != project]
    assert told(asana, f"/projects/{project}")["data"]["gid"] == project
    asana.controls.heal()
    assert gids(told(asana, "/projects", workspace=organization)) == listed


def test_completed_since_lists_incomplete_tasks_and_those_completed_since(
    asana: AsanaEmulator, project: str
) -> None:
    fields: Json = {"project": project, "opt_fields": "completed_at"}
    every = told(asana, "/tasks", **fields)["data"]
    completed = sorted(task["completed_at"] for task in every if task["completed_at"])
    assert completed
    incomplete = {task["gid"] for task in every if not task["completed_at"]}
    assert set(gids(told(asana, "/tasks", **fields, completed_since="now"))) == incomplete
    found = told(asana, "/tasks", **fields, completed_since=completed[-1])
    newest = {task["gid"] for task in every if task["completed_at"] == completed[-1]}
    assert set(gids(found)) == incomplete | newest


def test_a_user_gets_their_own_portfolios_and_a_service_account_gets_all(
    asana: AsanaEmulator, organization: str
) -> None:
    member = asana.account.people["member"].user
    query: Json = {"workspace": organization, "opt_fields": "owner"}
    every = told(asana, "/portfolios", **query)["data"]
    owners = {portfolio["owner"]["gid"] for portfolio in every}
    assert {member} < owners
    own = [each["gid"] for each in every if each["owner"]["gid"] == member]
    token = asana.tokens.pat("member")
    assert gids(told(asana, "/portfolios", token, **query)) == own
    assert gids(told(asana, "/portfolios", token, **query, owner="me")) == own
    assert gids(told(asana, "/portfolios", **query, owner=member)) == own
    other = (owners - {member}).pop()
    assert ask(asana, "/portfolios", token, **query, owner=other).status_code == 403


def test_portfolio_memberships_can_be_narrowed_to_a_user(
    asana: AsanaEmulator, organization: str
) -> None:
    account, viewer = asana.account, asana.account.people["service"]
    portfolio = account.listing(viewer, "portfolios", organization)[0]
    memberships = account.listing(viewer, "portfolio_memberships", portfolio)
    user = account.record(viewer, memberships[0])["user"]["gid"]
    query = {"portfolio": portfolio, "user": user}
    assert gids(told(asana, "/portfolio_memberships", **query)) == [memberships[0]]
    found = told(asana, "/portfolio_memberships", workspace=organization, user=user)
    assert memberships[0] in gids(found)


def test_organization_exports_are_for_service_accounts_only(asana: AsanaEmulator) -> None:
    for export in asana.account.organization_exports:
        assert told(asana, f"/organization_exports/{export}")["data"]["gid"] == export
        refused = ask(asana, f"/organization_exports/{export}", asana.tokens.pat("member"))
        assert refused.status_code == 403


def test_projects_and_tags_of_a_task_are_those_in_its_record(
    asana: AsanaEmulator, tasks: list[str]
) -> None:
    viewer = asana.account.people["service"]
    for task in tasks:
        record = asana.account.record(viewer, task)
        for field in ("projects", "tags"):
            expected = [reference["gid"] for reference in record[field]]
            assert gids(told(asana, f"/tasks/{task}/{field}")) == expected


def test_a_deletion_without_an_event_shows_in_the_listings(
    asana: AsanaEmulator, organization: str
) -> None:
    entries = f"/time_tracking_entries?workspace={organization}&entered_on_start_date=2000-01-01"
    tags = f"/tags?workspace={organization}"
    tag, entry = gids(told(asana, tags))[0], gids(told(asana, entries))[0]
    worked = told(asana, f"/time_tracking_entries/{entry}")["data"]["task"]["gid"]
    minutes = told(asana, f"/tasks/{worked}", opt_fields="actual_time_minutes")["data"]
    known = len(asana.account.events.entries)
    for gid in (tag, entry):
        asana.change(partial(Account.delete_untold, gid=gid))
    assert tag not in gids(told(asana, tags))
    assert entry not in gids(told(asana, entries))
    after = told(asana, f"/tasks/{worked}", opt_fields="actual_time_minutes,tags")["data"]
    assert after["actual_time_minutes"] < minutes["actual_time_minutes"]
    assert tag not in {own["gid"] for own in after["tags"]}
    assert len(asana.account.events.entries) == known
