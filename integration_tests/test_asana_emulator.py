import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pendulum
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from integration_tests.asana_emulator import AsanaEmulator, Clock, make_account
from integration_tests.asana_emulator.clock import stamp
from integration_tests.asana_emulator.documented import Tree, field_tree, opt_in
from integration_tests.asana_emulator.opt_fields import compact, cut, full, paths, selection
from integration_tests.asana_emulator.quota import Quota

Json = dict[str, Any]


@pytest.fixture
def asana() -> Iterator[AsanaEmulator]:
    with AsanaEmulator(make_account("sample")) as running:
        yield running


@pytest.fixture
def project(asana: AsanaEmulator) -> str:
    """The project with the most tasks."""
    account, viewer = asana.account, asana.account.people["service"]
    projects = [
        project
        for workspace in account.listing(viewer, "workspaces", "")
        for project in account.listing(viewer, "projects", workspace)
    ]
    return max(projects, key=lambda project: len(account.listing(viewer, "tasks", project)))


@pytest.fixture
def tasks(asana: AsanaEmulator, project: str) -> list[str]:
    return list(asana.account.listing(asana.account.people["service"], "tasks", project))


@pytest.fixture
def organization(asana: AsanaEmulator) -> str:
    return _workspace(asana, is_organization=True)


@pytest.fixture
def plain_workspace(asana: AsanaEmulator) -> str:
    return _workspace(asana, is_organization=False)


def _workspace(asana: AsanaEmulator, *, is_organization: bool) -> str:
    account, viewer = asana.account, asana.account.people["service"]
    return next(
        gid
        for gid in account.listing(viewer, "workspaces", "")
        if account.record(viewer, gid)["is_organization"] == is_organization
    )


def ask(
    asana: AsanaEmulator, path: str, token: str = "", *, timeout: float = 10, **query: Any
) -> requests.Response:
    headers = {"Authorization": f"Bearer {token or asana.tokens.pat('service')}"}
    parameters = {name: str(value) for name, value in query.items()}
    return requests.get(asana.base_url + path, parameters, headers=headers, timeout=timeout)


def told(asana: AsanaEmulator, path: str, token: str = "", **query: Any) -> Json:
    answer = ask(asana, path, token, **query)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def gids(body: Json) -> list[str]:
    return [record["gid"] for record in body["data"]]


def message(answer: requests.Response) -> str:
    return str(answer.json()["errors"][0]["message"])


# --- pages --------------------------------------------------------------------------------------


def pages(asana: AsanaEmulator, path: str, **query: Any) -> Iterator[Json]:
    page = told(asana, path, **query)
    yield page
    while page["next_page"]:
        page = told(asana, path, **query, offset=page["next_page"]["offset"])
        yield page


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_the_pages_together_are_the_listing(
    asana: AsanaEmulator, project: str, tasks: list[str], limit: int
) -> None:
    found = list(pages(asana, "/tasks", project=project, limit=limit))
    assert [gid for page in found for gid in gids(page)] == tasks
    assert len(found) == -(-len(tasks) // limit)


def test_next_page_repeats_the_whole_query(asana: AsanaEmulator, project: str) -> None:
    fields = "name,memberships.(project|section).name"
    query: Json = {"project": project, "limit": 2, "opt_fields": fields}
    page = told(asana, "/tasks", **query)["next_page"]
    by_offset = told(asana, "/tasks", **query, offset=page["offset"])
    headers = {"Authorization": f"Bearer {asana.tokens.pat('service')}"}
    by_uri = requests.get(page["uri"], headers=headers, timeout=10).json()
    assert by_uri["data"] == by_offset["data"]
    assert page["uri"] == asana.base_url + page["path"]


def test_without_a_limit_there_is_no_next_page(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    body = told(asana, "/tasks", project=project)
    assert gids(body) == tasks
    assert "next_page" not in body


def test_a_large_result_without_a_limit_is_refused(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    asana.controls.max_unpaged = len(tasks)
    assert told(asana, "/tasks", project=project)
    asana.controls.max_unpaged = len(tasks) - 1
    refused = ask(asana, "/tasks", project=project)
    assert refused.status_code == 400
    assert message(refused).startswith("The result is too large. You should use pagination")


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", "", "1.5"])
def test_a_limit_outside_1_to_100_is_refused(
    asana: AsanaEmulator, project: str, limit: str
) -> None:
    refused = ask(asana, "/tasks", project=project, limit=limit)
    assert refused.status_code == 400
    assert message(refused).startswith("limit: ")


def _first_offset(asana: AsanaEmulator, project: str) -> str:
    page = told(asana, "/tasks", project=project, limit=1)
    return str(page["next_page"]["offset"])


def test_an_offset_is_good_for_its_own_query_and_token_only(
    asana: AsanaEmulator, project: str
) -> None:
    offset = _first_offset(asana, project)
    other = asana.tokens.pat("member")
    assert ask(asana, "/tasks", project=project, limit=1, offset=offset).status_code == 200
    assert ask(asana, "/tasks", project=project, limit=2, offset=offset).status_code == 400
    assert ask(asana, "/tasks", other, project=project, limit=1, offset=offset).status_code == 400
    assert ask(asana, f"/projects/{project}/tasks", limit=1, offset=offset).status_code == 400
    assert ask(asana, "/tasks", project=project, limit=1, offset="eyJ0eXAi").status_code == 400
    assert ask(asana, "/tasks", project=project, limit=1, offset="ü").status_code == 400


def test_an_offset_expires_after_a_quarter_of_an_hour(asana: AsanaEmulator, project: str) -> None:
    offset = _first_offset(asana, project)
    asana.account.clock.advance(14 * 60)
    assert ask(asana, "/tasks", project=project, limit=1, offset=offset).status_code == 200
    asana.account.clock.advance(2 * 60)
    refused = ask(asana, "/tasks", project=project, limit=1, offset=offset)
    assert refused.status_code == 400
    assert message(refused) == "offset: Your pagination token has expired."


def test_all_offsets_can_be_made_to_expire(asana: AsanaEmulator, project: str) -> None:
    offset = _first_offset(asana, project)
    asana.controls.expire_offsets()
    assert ask(asana, "/tasks", project=project, limit=1, offset=offset).status_code == 400
    fresh = _first_offset(asana, project)
    assert ask(asana, "/tasks", project=project, limit=1, offset=fresh).status_code == 200


def test_a_change_between_two_pages_hides_no_other_task(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    page = told(asana, "/tasks", project=project, limit=3)
    asana.change(lambda account: account.delete(tasks[0]))
    offset = page["next_page"]["offset"]
    following = told(asana, "/tasks", project=project, limit=3, offset=offset)
    assert gids(following) == tasks[3:6]


def test_a_set_that_is_too_large_is_truncated_with_a_400_on_its_last_page(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    asana.controls.truncate_after = 4
    page = told(asana, "/tasks", project=project, limit=2)
    offset = page["next_page"]["offset"]
    refused = ask(asana, "/tasks", project=project, limit=2, offset=offset)
    assert refused.status_code == 400
    assert "truncated" in message(refused)
    asana.controls.truncate_after = len(tasks)
    assert ask(asana, "/tasks", project=project, limit=100).status_code == 200


# --- opt_fields ---------------------------------------------------------------------------------


def test_a_list_gives_compact_records(asana: AsanaEmulator, project: str) -> None:
    task = told(asana, "/tasks", project=project)["data"][0]
    assert set(task) == {"gid", "resource_type", "name", "resource_subtype"}


def test_a_single_object_is_full_but_for_opt_in_fields(
    asana: AsanaEmulator, tasks: list[str]
) -> None:
    task = told(asana, f"/tasks/{tasks[0]}")["data"]
    whole = asana.account.record(asana.account.people["service"], tasks[0])
    assert set(task) == set(whole) - opt_in("TaskResponse")
    assert {"notes", "memberships", "assignee"} <= set(task)
    assert not {"html_notes", "num_subtasks", "dependencies"} & set(task)


def test_opt_fields_gives_what_is_asked_and_gids(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    fields = "name,memberships.section.name,followers.name,workspace"
    body = told(asana, "/tasks", project=project, opt_fields=fields)
    assert gids(body) == tasks
    for task in body["data"]:
        assert set(task) == {"gid", "name", "memberships", "followers", "workspace"}
        assert set(task["workspace"]) == {"gid", "resource_type", "name"}
        for membership in task["memberships"]:
            assert set(membership) == {"section"}
            assert set(membership["section"]) == {"gid", "name"}
        for follower in task["followers"]:
            assert set(follower) == {"gid", "name"}


def test_unknown_fields_are_ignored_and_counted(asana: AsanaEmulator, project: str) -> None:
    task = told(asana, "/tasks", project=project, opt_fields="name,is_template,tags.colour,offset")
    assert set(task["data"][0]) == {"gid", "name"}
    assert asana.ledger.unknown_fields == {
        "/tasks is_template": 1,
        "/tasks tags.colour": 1,
        "/tasks offset": 1,
    }


@pytest.mark.parametrize("fields", ["a.(b", "a.)", "(|)", "a..b", "a.", "a|b)"])
def test_malformed_opt_fields_are_refused(asana: AsanaEmulator, fields: str) -> None:
    assert ask(asana, "/users/me", opt_fields=fields).status_code == 400


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("name", ["name"]),
        ("name, notes,", ["name", "notes"]),
        ("assignee.name", ["assignee.name"]),
        ("this.followers.email", ["followers.email"]),
        ("this", []),
        ("", []),
        ("memberships.(project|section).gid", [
            "memberships.project.gid", "memberships.section.gid"
        ]),
        ("this.(followers|assignee).name", ["followers.name", "assignee.name"]),
        ("(a|b.(c|d)).e", ["a.e", "b.c.e", "b.d.e"]),
        ("custom_fields.(gid|enum_value.(gid|name))", [
            "custom_fields.gid", "custom_fields.enum_value.gid", "custom_fields.enum_value.name"
        ]),
    ],
)  # fmt: skip
def test_opt_fields_are_read_as_asana_writes_them(written: str, meant: list[str]) -> None:
    assert [".".join(path) for path in paths(written)] == meant


def test_a_field_named_alone_is_compact_and_paths_below_it_add_to_that() -> None:
    user = {"gid": "1", "resource_type": "user", "name": "Ada", "email": "ada@example.com"}
    record = {"gid": "2", "assignee": user, "likes": [{"gid": "3", "user": user}]}
    known: Tree = {"assignee": {"email": {}}, "likes": {"user": {"email": {}}}}

    def cut_to(opt_fields: str) -> Json:
        return cut(record, selection(opt_fields, known)[0])

    compact_user = {"gid": "1", "resource_type": "user", "name": "Ada"}
    assert cut_to("assignee") == {"gid": "2", "assignee": compact_user}
    assert cut_to("assignee.email")["assignee"] == {"gid": "1", "email": "ada@example.com"}
    assert cut_to("assignee,assignee.email")["assignee"] == user
    assert cut_to("likes")["likes"] == [{"gid": "3", "user": compact_user}]
    assert cut_to("likes.user.email")["likes"][0]["user"] == {
        "gid": "1",
        "email": "ada@example.com",
    }
    assert compact(user) == compact_user
    assert full(record, frozenset({"likes"})) == {"gid": "2", "assignee": compact_user}


def leaves(tree: Tree, prefix: str = "") -> Iterator[str]:
    for name, below in tree.items():
        if below:
            yield from leaves(below, f"{prefix}{name}.")
        else:
            yield prefix + name


def leaves_of(value: object, prefix: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from leaves_of(below, f"{prefix}{name}.")
    elif isinstance(value, list):
        for element in value:
            yield from leaves_of(element, prefix)
    else:
        yield prefix.removesuffix(".")


@given(asked=st.sets(st.sampled_from(sorted(leaves(field_tree("TaskResponse"))))))
def test_a_cut_record_holds_the_asked_leaves_of_the_record_and_gids(asked: set[str]) -> None:
    record = TASK
    chosen, unknown = selection(",".join(sorted(asked)), field_tree("TaskResponse"))
    assert unknown == ()
    kept = set(leaves_of(cut(record, chosen)))
    begun = {leaf[:end] for leaf in asked for end, mark in enumerate(leaf + ".") if mark == "."}
    assert {leaf for leaf in kept if leaf.split(".")[-1] != "gid"} <= begun
    assert asked & set(leaves_of(record)) <= kept


def _fullest_task() -> Json:
    account = make_account("sample")
    viewer = account.people["service"]
    every = [
        account.record(viewer, task)
        for workspace in account.listing(viewer, "workspaces", "")
        for project in account.listing(viewer, "projects", workspace)
        for task in account.listing(viewer, "tasks", project)
    ]
    return max(every, key=lambda record: len(set(leaves_of(record))))


TASK = _fullest_task()


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/tasks",
        "/tasks?workspace={organization}",
        "/tasks?assignee=me",
        "/tasks?project={project}&section={project}",
        "/tasks?project={project}&assignee=me&workspace={organization}",
        "/tasks?project={project}&modified_since=yesterday",
        "/tasks?project={project}&modified_since=08:30",
        "/attachments",
        "/projects",
        "/projects?workspace={organization}&archived=maybe",
        "/tags",
        "/portfolios",
        "/portfolio_memberships",
        "/portfolio_memberships?workspace={organization}",
        "/team_memberships",
        "/team_memberships?user=me",
        "/events",
        "/events?resource={organization}x",
        "/users/me/user_task_list",
        "/users/you",
        "/projects/12a",
    ],
)
def test_a_missing_excluding_or_malformed_parameter_is_a_400(
    asana: AsanaEmulator, organization: str, project: str, path: str
) -> None:
    refused = ask(asana, path.format(organization=organization, project=project))
    assert refused.status_code == 400, refused.text
    assert refused.json()["errors"][0].keys() == {"message", "help"}


@pytest.mark.parametrize(
    "path",
    [
        "/projects/1",
        "/tasks?project=1",
        "/projects/{organization}",
        "/events?resource={organization}",
        "/nothing",
        "/projects/{project}/nothing",
        "/projects/",
        "/",
        "/projects/{project}/tasks/more",
    ],
)
def test_an_unknown_object_or_path_is_a_404(
    asana: AsanaEmulator, organization: str, project: str, path: str
) -> None:
    refused = ask(asana, path.format(organization=organization, project=project))
    assert refused.status_code == 404, refused.text


def test_an_object_that_the_viewer_may_not_read_is_a_403(
    asana: AsanaEmulator, organization: str, project: str
) -> None:
    outsider = asana.tokens.pat("outsider")
    assert told(asana, "/workspaces", outsider)["data"] == []
    for path in (
        f"/projects/{project}",
        f"/tasks?project={project}",
        f"/tags?workspace={organization}",
    ):
        assert ask(asana, path, outsider).status_code == 403


def test_only_reading_is_allowed(asana: AsanaEmulator, project: str) -> None:
    headers = {"Authorization": f"Bearer {asana.tokens.pat('service')}"}
    url = f"{asana.base_url}/projects/{project}"
    assert requests.delete(url, headers=headers, timeout=10).status_code == 405


def test_a_deleted_task_is_a_404_and_comes_back_when_restored(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    asana.change(lambda account: account.delete(tasks[0]))
    assert ask(asana, f"/tasks/{tasks[0]}").status_code == 404
    assert ask(asana, f"/tasks/{tasks[0]}/stories").status_code == 404
    assert gids(told(asana, "/tasks", project=project)) == tasks[1:]
    asana.change(lambda account: account.restore(tasks[0]))
    assert gids(told(asana, "/tasks", project=project)) == tasks


# --- listings -----------------------------------------------------------------------------------


def test_every_listing_is_the_accounts(
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


def test_my_tasks_are_reached_by_user_task_list_or_assignee(
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


def test_a_workspace_without_an_organisation_refuses_its_teams(
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


def test_portfolios_are_a_users_own_and_all_for_a_service_account(
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


# --- tokens -------------------------------------------------------------------------------------


def test_a_request_without_a_good_token_is_a_401_whatever_it_asks(asana: AsanaEmulator) -> None:
    token = asana.tokens.pat("member")
    asana.tokens.revoke(token)
    for bearer in (token, "nonsense"):
        for path in ("/users/me", "/nothing", "/tasks"):
            refused = ask(asana, path, bearer)
            assert refused.status_code == 401
            assert message(refused) == "Not Authorized"
    assert requests.get(f"{asana.base_url}/users/me", timeout=10).status_code == 401
    assert ask(asana, "/users/me").status_code == 200


def exchange(asana: AsanaEmulator, **form: str) -> requests.Response:
    whole = {
        "grant_type": "refresh_token",
        "client_id": asana.tokens.client_id,
        "client_secret": asana.tokens.client_secret,
        "refresh_token": asana.tokens.refresh_token,
        **form,
    }
    return requests.post(asana.token_url, data=whole, timeout=10)


def test_a_refresh_token_buys_access_tokens_of_short_life(asana: AsanaEmulator) -> None:
    granted = exchange(asana).json()
    assert granted["token_type"] == "bearer"
    assert granted["expires_in"] == 3600
    assert "refresh_token" not in granted
    me = told(asana, "/users/me", granted["access_token"])["data"]
    assert me["gid"] == asana.account.people["member"].user
    asana.account.clock.advance(3601)
    assert ask(asana, "/users/me", granted["access_token"]).status_code == 401
    assert told(asana, "/users/me", exchange(asana).json()["access_token"])


def test_access_tokens_can_be_made_to_expire(asana: AsanaEmulator) -> None:
    token = exchange(asana).json()["access_token"]
    asana.tokens.expire_access_tokens()
    assert ask(asana, "/users/me", token).status_code == 401


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"refresh_token": "wrong"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_a_wrong_exchange_is_refused(
    asana: AsanaEmulator, form: dict[str, str], status: int, error: str
) -> None:
    refused = exchange(asana, **form)
    assert (refused.status_code, refused.json()["error"]) == (status, error)


def test_a_revoked_refresh_token_buys_nothing(asana: AsanaEmulator) -> None:
    asana.tokens.revoke(asana.tokens.refresh_token)
    assert exchange(asana).json()["error"] == "invalid_grant"


def test_a_refresh_token_may_rotate(asana: AsanaEmulator) -> None:
    asana.tokens.rotate_refresh_token = True
    first = asana.tokens.refresh_token
    second = exchange(asana).json()["refresh_token"]
    assert second != first
    assert exchange(asana, refresh_token=first).status_code == 400
    assert exchange(asana, refresh_token=second).status_code == 200


def test_the_token_endpoint_can_fail_and_dawdle(asana: AsanaEmulator) -> None:
    asana.controls.fail("/-/oauth_token", 503)
    asana.controls.fail("/-/oauth_token", "html")
    asana.controls.fail("/-/oauth_token", "stall", seconds=0.2)
    assert exchange(asana).status_code == 503
    assert exchange(asana).headers["Content-Type"] == "text/html"
    begun = time.monotonic()
    assert exchange(asana).status_code == 200
    assert time.monotonic() - begun >= 0.2


# --- events -------------------------------------------------------------------------------------


def sync_token(asana: AsanaEmulator, resource: str) -> str:
    refused = ask(asana, "/events", resource=resource)
    assert refused.status_code == 412
    assert "Sync token invalid or too old" in message(refused)
    return str(refused.json()["sync"])


def test_a_sync_token_gives_what_happened_since(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    token = sync_token(asana, project)
    assert told(asana, "/events", resource=project, sync=token)["data"] == []
    story = asana.change(lambda account: account.comment(tasks[0], "Looks good"))
    body = told(asana, "/events", resource=project, sync=token)
    assert [(event["action"], event["resource"]["gid"]) for event in body["data"]] == [
        ("added", story)
    ]
    assert body["has_more"] is False
    assert told(asana, "/events", resource=project, sync=token)["data"] == body["data"]
    assert told(asana, "/events", resource=project, sync=body["sync"])["data"] == []
    assert told(asana, f"/projects/{project}/events", sync=token)["data"] == body["data"]
    assert told(asana, f"/tasks/{tasks[0]}/events", sync=sync_token(asana, tasks[0]))["data"] == []


def test_events_are_cut_to_opt_fields(asana: AsanaEmulator, project: str, tasks: list[str]) -> None:
    token = sync_token(asana, project)
    asana.change(lambda account: account.modify_task(tasks[0], name="Better"))
    query = {"resource": project, "sync": token, "opt_fields": "action,resource.name,change.field"}
    events = told(asana, "/events", **query)["data"]
    assert {"resource": {"gid": tasks[0], "name": "Better"}, "action": "changed",
            "change": {"field": "name"}} in events  # fmt: skip


def test_a_hundred_events_come_at_once_and_has_more_tells_of_the_rest(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    token = sync_token(asana, project)
    for number in range(201):
        asana.change(lambda account, n=number: account.comment(tasks[0], f"{n}"))  # type: ignore[misc]
    sizes = []
    more = True
    while more:
        body = told(asana, "/events", resource=project, sync=token)
        token, more = body["sync"], body["has_more"]
        sizes.append(len(body["data"]))
    assert sizes == [100, 100, 1]


def test_a_sync_token_is_refused_after_a_day_with_a_fresh_one(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    token = sync_token(asana, project)
    asana.account.clock.advance(23 * 3600)
    assert ask(asana, "/events", resource=project, sync=token).status_code == 200
    asana.account.clock.advance(2 * 3600)
    refused = ask(asana, "/events", resource=project, sync=token)
    assert refused.status_code == 412
    asana.change(lambda account: account.comment(tasks[0], "Still there?"))
    fresh = refused.json()["sync"]
    assert len(told(asana, "/events", resource=project, sync=fresh)["data"]) == 1


def test_a_sync_token_is_good_for_its_own_resource_only(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    token = sync_token(asana, project)
    assert ask(asana, "/events", resource=tasks[0], sync=token).status_code == 412
    assert ask(asana, "/events", resource=project, sync="nonsense").status_code == 412


def test_events_may_take_a_while_to_arrive(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    asana.controls.event_delay = 60
    token = sync_token(asana, project)
    asana.change(lambda account: account.comment(tasks[0], "Slow news"))
    body = told(asana, "/events", resource=project, sync=token)
    assert body["data"] == []
    asana.account.clock.advance(61)
    assert len(told(asana, "/events", resource=project, sync=body["sync"])["data"]) == 1


# --- limits -------------------------------------------------------------------------------------


def test_more_requests_than_the_quota_are_rejected_with_a_retry_after(asana: AsanaEmulator) -> None:
    asana.controls.quota_window = 2
    asana.controls.quota_per_minute = 5 * 30
    answers = [ask(asana, "/users/me") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    wait = int(answers[-1].headers["Retry-After"])
    assert ask(asana, "/users/me", asana.tokens.pat("member")).status_code == 200
    time.sleep(wait)
    assert ask(asana, "/users/me").status_code == 200


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def test_rejected_requests_count_against_the_quota() -> None:
    clock = Hand()
    quota = Quota(per_minute=3, now=clock)
    assert [quota.retry_after("t") for _ in range(4)] == [None, None, None, 60]
    clock.time = 59
    assert quota.retry_after("t") is not None
    clock.time = 60.5
    assert quota.retry_after("t") is None


@given(gaps=st.lists(st.floats(0, 30), max_size=60), per_minute=st.integers(1, 5))
def test_no_minute_ever_lets_more_than_the_quota_pass(gaps: list[float], per_minute: int) -> None:
    clock = Hand()
    quota = Quota(per_minute=per_minute, now=clock)
    passed: list[float] = []
    for gap in gaps:
        clock.time += gap
        if quota.retry_after("t") is None:
            passed.append(clock.time)
    for begin in passed:
        assert sum(begin <= at < begin + 60 for at in passed) <= per_minute


@given(asked=st.integers(1, 40), per_minute=st.integers(1, 20))
def test_who_waits_as_long_as_retry_after_says_may_pass(asked: int, per_minute: int) -> None:
    clock = Hand()
    quota = Quota(per_minute=per_minute, now=clock)
    for _ in range(asked):
        clock.time += 0.25
        wait = quota.retry_after("t")
    if wait is not None:
        clock.time += wait
        assert quota.retry_after("t") is None


def at_once(asana: AsanaEmulator, path: str, workers: int) -> list[int]:
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda _: ask(asana, path).status_code, range(workers)))


def test_more_requests_in_flight_than_allowed_are_rejected(asana: AsanaEmulator) -> None:
    asana.controls.latency = 0.5
    asana.controls.max_in_flight = 4
    statuses = at_once(asana, "/users/me", 7)
    assert sorted(statuses) == [200] * 4 + [429] * 3
    assert 4 <= asana.ledger.max_in_flight <= 7
    assert ask(asana, "/users/me").status_code == 200


def test_latency_holds_every_answer_back(asana: AsanaEmulator) -> None:
    asana.controls.latency = 0.2
    begun = time.monotonic()
    assert ask(asana, "/users/me").status_code == 200
    assert time.monotonic() - begun >= 0.2


def test_latency_can_vary(asana: AsanaEmulator) -> None:
    asana.controls.latency_jitter = 0.2
    delays = [asana.controls.delay() for _ in range(20)]
    assert min(delays) >= 0
    assert 0.05 < max(delays) <= 0.2


# --- what goes wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 424, 429, 451, 500, 502, 503, 504])
def test_a_status_can_be_made_to_come_once(asana: AsanaEmulator, status: int) -> None:
    asana.controls.fail("/users/{user_gid}", status)
    refused = ask(asana, "/users/me")
    assert refused.status_code == status
    assert ("phrase" in refused.json()["errors"][0]) == (status == 500)
    assert "Retry-After" not in refused.headers
    assert ask(asana, "/users/me").status_code == 200


def test_a_429_can_say_when_to_come_back(asana: AsanaEmulator) -> None:
    asana.controls.fail("/users/*", 429, retry_after=7)
    assert ask(asana, "/users/me").headers["Retry-After"] == "7"


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset", requests.ConnectionError),
        ("truncated", requests.exceptions.ChunkedEncodingError),
        ("half_json", requests.exceptions.JSONDecodeError),
        ("html", requests.exceptions.JSONDecodeError),
        ("stall", requests.exceptions.ReadTimeout),
    ],
)
def test_an_answer_can_be_spoilt(asana: AsanaEmulator, kind: Any, error: type[Exception]) -> None:
    asana.controls.fail("/users/*", kind, seconds=2)
    with pytest.raises(error):
        ask(asana, "/users/me", timeout=1).json()
    assert ask(asana, "/users/me").status_code == 200
    assert asana.ledger.duplicates() == {}


def test_a_slow_body_arrives_whole(asana: AsanaEmulator) -> None:
    asana.controls.fail("/users/*", "slow", seconds=0.4)
    begun = time.monotonic()
    assert ask(asana, "/users/me").json()["data"]["gid"]
    assert time.monotonic() - begun >= 0.3


def test_an_offset_can_be_made_to_expire_in_the_middle(asana: AsanaEmulator, project: str) -> None:
    asana.controls.fail("/tasks", "expired_offset")
    offset = _first_offset(asana, project)
    assert ask(asana, "/tasks", project=project, limit=1, offset=offset).status_code == 400
    assert ask(asana, "/tasks", project=project, limit=1, offset=offset).status_code == 200


def test_faults_follow_their_schedule(asana: AsanaEmulator) -> None:
    fault = asana.controls.fail("*", 503, after=2, times=3)
    statuses = [ask(asana, "/users/me").status_code for _ in range(8)]
    assert statuses == [200, 200, 503, 503, 503, 200, 200, 200]
    assert fault.happened == 3


def test_faults_can_be_left_to_chance(asana: AsanaEmulator) -> None:
    asana.controls.fail("*", 500, probability=0.5, times=None)
    statuses = [ask(asana, "/users/me").status_code for _ in range(40)]
    assert 5 < statuses.count(500) < 35
    asana.controls.heal()
    assert ask(asana, "/users/me").status_code == 200


def test_an_unknown_fault_is_an_error_of_the_test(asana: AsanaEmulator) -> None:
    with pytest.raises(ValueError, match="no such fault"):
        asana.controls.fail("*", "earthquake")  # type: ignore[arg-type]


def test_an_object_can_be_denied_wherever_it_is_named(
    asana: AsanaEmulator, organization: str, project: str
) -> None:
    asana.controls.deny(project, 403)
    for path in (
        f"/projects/{project}/sections",
        f"/tasks?project={project}",
        f"/attachments?parent={project}",
    ):
        assert ask(asana, path).status_code == 403
    assert project in gids(told(asana, "/projects", workspace=organization))
    asana.controls.allow(project)
    assert ask(asana, f"/projects/{project}/sections").status_code == 200


def test_an_operation_can_be_denied_altogether_or_below_one_object(
    asana: AsanaEmulator, organization: str, plain_workspace: str
) -> None:
    template = "/workspaces/{workspace_gid}/custom_fields"
    paths = [f"/workspaces/{gid}/custom_fields" for gid in (organization, plain_workspace)]
    asana.controls.deny(template, 402, only=organization)
    assert [ask(asana, path).status_code for path in paths] == [402, 200]
    asana.controls.deny(template, 451)
    assert [ask(asana, path).status_code for path in paths] == [402, 451]


def test_the_account_can_change_in_the_middle_of_a_listing(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    asana.controls.interrupt("/tasks", lambda: asana.account.delete(tasks[-1]), after=1)
    found = [gid for page in pages(asana, "/tasks", project=project, limit=2) for gid in gids(page)]
    assert found == tasks[:-1]


def test_bodies_are_zipped_only_when_wanted(asana: AsanaEmulator, project: str) -> None:
    query: Json = {"project": project, "opt_fields": "name,notes,html_notes,permalink_url"}
    plain = ask(asana, "/tasks", **query)
    asana.controls.gzip = True
    zipped = ask(asana, "/tasks", **query)
    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert int(zipped.headers["Content-Length"]) < int(plain.headers["Content-Length"])
    assert zipped.json() == plain.json()
    assert "Content-Encoding" not in ask(asana, "/users/me", opt_fields="name").headers


def test_headers_can_be_added_and_date_is_the_accounts_time(asana: AsanaEmulator) -> None:
    asana.account.clock.advance(86_400)
    asana.controls.headers = {"Asana-Change": "name=new_memberships;affected=true"}
    headers = ask(asana, "/users/me").headers
    assert headers["Asana-Change"].startswith("name=new_memberships")
    told_time = pendulum.from_format(headers["Date"], "ddd, DD MMM YYYY HH:mm:ss z")
    assert abs((asana.account.clock.now() - told_time).total_seconds()) < 5


# --- the ledger ---------------------------------------------------------------------------------


def test_the_ledger_counts_requests_by_path_status_and_token(
    asana: AsanaEmulator, project: str
) -> None:
    ask(asana, "/users/me", asana.tokens.pat("member"))
    ask(asana, "/tasks", project=project, limit=2)
    ask(asana, "/tasks")
    ask(asana, "/users/me", "nonsense")
    ledger = asana.ledger
    assert ledger.count() == 4
    assert ledger.count("/tasks") == 2
    assert ledger.count("/tasks", 400) == 1
    assert ledger.by_path() == {"/tasks": 2, "/users/{user_gid}": 2}
    assert ledger.by_status() == {200: 2, 400: 1, 401: 1}
    assert ledger.by_token() == {"": 1, "member": 1, "service": 2}
    second = ledger.requests[1]
    assert (second.path, second.query) == ("/tasks", {"project": project, "limit": "2"})
    ledger.reset()
    assert ledger.count() == 0


def test_the_ledger_finds_pages_given_twice_whatever_the_fields(
    asana: AsanaEmulator, project: str
) -> None:
    page = told(asana, "/tasks", project=project, limit=2)
    told(asana, "/tasks", project=project, limit=2, offset=page["next_page"]["offset"])
    told(asana, "/tasks", asana.tokens.pat("member"), project=project, limit=2)
    assert asana.ledger.duplicates() == {}
    told(asana, "/tasks", project=project, limit=2, opt_fields="name")
    assert asana.ledger.duplicates() == {f"/tasks?limit=2&project={project} page at 0": 1}


def test_unknown_parameters_are_ignored_and_counted(asana: AsanaEmulator, project: str) -> None:
    told(asana, "/tasks", project=project, sort="name", opt_pretty="true")
    assert asana.ledger.unknown_parameters == {"/tasks sort": 1}


# --- the truth ----------------------------------------------------------------------------------


def test_the_truth_is_what_a_walk_over_the_listings_finds(
    asana: AsanaEmulator, organization: str
) -> None:
    for name in ("member", "service", "restricted"):
        token = asana.tokens.pat(name)
        workspaces = gids(told(asana, "/workspaces", token))
        projects = [
            gid
            for each in workspaces
            for gid in gids(told(asana, "/projects", token, workspace=each))
        ]
        found = {
            gid for each in projects for gid in gids(told(asana, "/tasks", token, project=each))
        }
        assert {record["gid"] for record in asana.expected("tasks", name)} == found
        assert {record["gid"] for record in asana.expected("projects", token)} == set(projects)


def test_the_floor_is_what_the_least_walk_asks(asana: AsanaEmulator) -> None:
    for name in ("member", "service", "restricted"):
        asana.ledger.reset()
        token = asana.tokens.pat(name)
        for workspace in gids(told(asana, "/workspaces", token, limit=100)):
            query = {"workspace": workspace, "limit": 100}
            for project in gids(told(asana, "/projects", token, **query)):
                told(asana, "/tasks", token, project=project, limit=100)
        assert asana.floor(["tasks"], name) == asana.ledger.by_path()


def test_nobody_is_told_the_truth_for_an_unknown_token(asana: AsanaEmulator) -> None:
    with pytest.raises(KeyError):
        asana.floor(["tasks"], "nonsense")


# --- the controls over HTTP ---------------------------------------------------------------------


def control(asana: AsanaEmulator, name: str, wanted: object = None) -> Any:
    url = f"{asana.url}/_emulator/{name}"
    if wanted is None:
        answer = requests.get(url, timeout=10)
    else:
        answer = requests.post(url, json=wanted, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_everything_can_be_controlled_over_http(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    control(asana, "controls", {"latency": 0.01, "quota_per_minute": 1000, "max_in_flight": 9})
    control(asana, "controls", {"offset_lifetime": 60, "quota_window": 30})
    controls = asana.controls
    assert (controls.latency, controls.quota_per_minute, controls.max_in_flight) == (0.01, 1000, 9)
    assert (controls.offset_lifetime, controls.quota_window) == (60, 30)
    deny = {"pattern": project, "status": 403}
    fail = {"pattern": "/users/*", "kind": 503, "times": 1}
    control(asana, "controls", {"deny": [deny], "fail": [fail], "expire_offsets": True})
    assert ask(asana, f"/projects/{project}").status_code == 403
    assert ask(asana, "/users/me").status_code == 503
    control(asana, "controls", {"allow": [project]})
    assert ask(asana, f"/projects/{project}").status_code == 200
    control(asana, "controls", {"deny": [deny]})
    control(asana, "controls", {"heal": True})
    assert ask(asana, f"/projects/{project}").status_code == 200
    change = {"change": "comment", "task": tasks[0], "text": "Hello"}
    (story,) = control(asana, "changes", [change])["outcomes"]
    assert story in gids(told(asana, f"/tasks/{tasks[0]}/stories"))
    before = asana.account.clock.now()
    control(asana, "clock", {"advance": 3600})
    assert (asana.account.clock.now() - before).total_seconds() >= 3600


def test_the_truth_is_told_over_http_too(asana: AsanaEmulator) -> None:
    ask(asana, "/users/me")
    assert control(asana, "ledger") == asana.ledger.summary()
    assert control(asana, "floor?streams=tasks,users&token=member") == asana.floor(
        ["tasks", "users"], "member"
    )
    url = f"{asana.url}/_emulator/truth?stream=tasks&token=service"
    lines = requests.get(url, timeout=10).text.splitlines()
    assert [json.loads(line) for line in lines] == list(asana.expected("tasks", "service"))
    control(asana, "reset", {})
    assert control(asana, "ledger")["requests"] == 0


@pytest.mark.parametrize(
    ("name", "wanted", "status"),
    [
        ("weather", {}, 404),
        ("controls", {"gravity": 1}, 400),
        ("changes", [{"change": "__init__"}], 400),
        ("changes", [{"change": "comment", "colour": "red"}], 400),
    ],
)
def test_a_control_that_does_not_exist_is_refused(
    asana: AsanaEmulator, name: str, wanted: object, status: int
) -> None:
    answer = requests.post(f"{asana.url}/_emulator/{name}", json=wanted, timeout=10)
    assert answer.status_code == status
    assert answer.json()["error"]


# --- the program --------------------------------------------------------------------------------


def test_it_runs_alone_and_says_how_to_connect() -> None:
    command = [sys.executable, "-m", "integration_tests.asana_emulator", "--quota", "150"]
    program = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
    )
    assert program.stdout is not None
    try:
        told_lines = list(iter(program.stdout.readline, "Ctrl-C ends it.\n"))
        printed = "".join(told_lines)
        config = json.loads(printed[printed.index("{") : printed.rindex("}\n") + 1])
        url = printed.split("ASANA_BASE_URL=")[1].split()[0]
        token = config["credentials"]["personal_access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.get(f"{url}/api/1.0/users/me", headers=headers, timeout=10)
        assert answer.status_code == 200
    finally:
        program.terminate()
        program.wait()
        program.stdout.close()


def test_the_socket_is_closed_when_it_stops() -> None:
    before = threading.active_count()
    with AsanaEmulator(make_account("sample")) as asana:
        assert ask(asana, "/users/me").status_code == 200
    with pytest.raises(requests.ConnectionError):
        ask(asana, "/users/me")
    assert threading.active_count() == before


def test_a_port_that_is_taken_is_an_error_at_once() -> None:
    with AsanaEmulator(make_account("sample")) as asana:
        port = int(asana.url.rsplit(":", 1)[1])
        with pytest.raises(OSError, match="address already in use"):
            AsanaEmulator(make_account("sample"), port=port).start()


def test_a_frozen_clock_is_served_as_it_stands() -> None:
    clock = Clock(frozen_at=pendulum.datetime(2026, 11, 20, 10))
    with AsanaEmulator(make_account("sample", clock=clock)) as asana:
        assert ask(asana, "/users/me").headers["Date"] == "Fri, 20 Nov 2026 10:00:00 GMT"
