import json
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import pendulum
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from integration_tests.asana_emulator import AsanaEmulator, Choice, Clock, make_account
from integration_tests.asana_emulator.clock import stamp
from integration_tests.asana_emulator.documented import Tree, field_tree, opt_in
from integration_tests.asana_emulator.opt_fields import compact, cut, full, paths, selection
from integration_tests.asana_emulator.quota import Quota, QuotaKind

pytestmark = pytest.mark.once


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


@pytest.mark.parametrize("deleted", [[2], [3], [1, 2], [2, 3], [0, 1, 2], [0, 1, 2, 3, 4]])
def test_deletions_between_two_pages_neither_hide_nor_repeat_another_task(
    asana: AsanaEmulator, project: str, tasks: list[str], deleted: list[int]
) -> None:
    page = told(asana, "/tasks", project=project, limit=3)
    assert gids(page) == tasks[:3]
    for at in deleted:
        asana.change(lambda account, gone=tasks[at]: account.delete(gone))  # type: ignore[misc]
    rest = []
    while page["next_page"]:
        offset = page["next_page"]["offset"]
        page = told(asana, "/tasks", project=project, limit=3, offset=offset)
        rest += gids(page)
    assert rest == [task for at, task in enumerate(tasks) if at >= 3 and at not in deleted]


def test_a_listing_whose_tasks_are_all_deleted_between_two_pages_ends(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    page = told(asana, "/tasks", project=project, limit=len(tasks) - 1)
    for task in tasks:
        asana.change(lambda account, gone=task: account.delete(gone))  # type: ignore[misc]
    offset = page["next_page"]["offset"]
    rest = told(asana, "/tasks", project=project, limit=len(tasks) - 1, offset=offset)
    assert (rest["data"], rest["next_page"]) == ([], None)


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


@pytest.mark.parametrize("pattern", ["/tasks?project=*", "/tasks?limit=2&project={project}"])
def test_one_kind_of_listing_can_be_truncated_while_others_are_whole(
    asana: AsanaEmulator, project: str, tasks: list[str], pattern: str
) -> None:
    asana.controls.truncate(pattern.format(project=project), after=4)
    statuses = []
    query: Json = {"project": project, "limit": 2}
    while (answer := ask(asana, "/tasks", **query)).status_code == 200:
        statuses.append(answer.status_code)
        query["offset"] = answer.json()["next_page"]["offset"]
    assert len(statuses) == 1
    assert (answer.status_code, "truncated" in message(answer)) == (400, True)
    sections = gids(told(asana, f"/projects/{project}/sections"))
    listings = [pages(asana, "/tasks", section=section, limit=2) for section in sections]
    found = [gid for listing in listings for page in listing for gid in gids(page)]
    assert sorted(found) == sorted(tasks)
    asana.controls.heal()
    assert ask(asana, "/tasks", **query).status_code == 200


@pytest.mark.parametrize("after", [0, 1, 2, 3, 4, 5])
def test_a_listing_is_truncated_only_if_it_is_longer_than_that(
    asana: AsanaEmulator, project: str, tasks: list[str], after: int
) -> None:
    section = _longest_section(asana, project)
    length = len(gids(told(asana, "/tasks", section=section)))
    asana.controls.truncate(section, after=length + after - 3)
    wanted = 200 if after >= 3 else 400
    assert ask(asana, "/tasks", section=section, limit=100).status_code == wanted
    assert ask(asana, f"/sections/{section}/tasks", limit=100).status_code == wanted
    assert ask(asana, "/tasks", project=project, limit=100).status_code == 200


def _longest_section(asana: AsanaEmulator, project: str) -> str:
    account, viewer = asana.account, asana.account.people["service"]
    sections = account.listing(viewer, "sections", project)
    return max(sections, key=lambda section: len(account.listing(viewer, "tasks", section)))


@pytest.mark.parametrize("path", ["/tasks?section={section}", "/sections/{section}/tasks"])
def test_the_tasks_of_a_section_are_a_listing_like_any_other(
    asana: AsanaEmulator, project: str, tasks: list[str], path: str
) -> None:
    section = _longest_section(asana, project)
    place, _, named = path.format(section=section).partition("?")
    query: Json = dict([named.split("=")]) if named else {}
    fields = {"opt_fields": "name,memberships.section"}
    found = [
        task for page in pages(asana, place, **query, **fields, limit=2) for task in page["data"]
    ]
    assert len(found) > 2
    assert [task["gid"] for task in found] == [
        task for task in tasks if task in {each["gid"] for each in found}
    ]
    for task in found:
        assert set(task) == {"gid", "name", "memberships"}
        assert section in [each["section"]["gid"] for each in task["memberships"]]
    assert ask(asana, place, asana.tokens.pat("outsider"), **query).status_code == 403


def test_the_tasks_of_a_section_can_be_narrowed_to_those_modified_since(
    asana: AsanaEmulator, project: str
) -> None:
    section = _longest_section(asana, project)
    first, second, *_ = gids(told(asana, "/tasks", section=section))
    asana.account.clock.advance(60)
    since = stamp(asana.account.clock.now())
    asana.change(lambda account: [account.comment(task, "News") for task in (second, first)])
    query = {"section": section, "modified_since": since, "limit": 1}
    assert [gids(page) for page in pages(asana, "/tasks", **query)] == [[first], [second]]
    assert asana.ledger.unknown_parameters == {}
    told(asana, f"/sections/{section}/tasks", modified_since=since)
    assert asana.ledger.unknown_parameters == {"/sections/{section_gid}/tasks modified_since": 1}


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


# --- goals, time, reports -----------------------------------------------------------------------


def of_stream(asana: AsanaEmulator, stream: str, who: str = "service") -> list[Json]:
    return list(asana.expected(stream, who))


def test_memberships_are_told_compactly_and_by_no_field(asana: AsanaEmulator) -> None:
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


def test_a_hidden_goal_is_refused_by_itself(asana: AsanaEmulator) -> None:
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


def test_all_time_of_a_workspace_is_told_between_days_only(
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


def test_a_listing_of_time_tells_less_than_the_entry_itself(
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


def test_allocations_are_those_of_a_project_or_of_somebody(
    asana: AsanaEmulator, organization: str
) -> None:
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


def test_templates_are_those_of_a_workspace_a_team_or_a_project(
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


def test_a_brief_tells_its_text_only_if_asked(asana: AsanaEmulator) -> None:
    (brief,) = of_stream(asana, "project_briefs")
    path = f"/project_briefs/{brief['gid']}"
    assert set(brief) - set(told(asana, path)["data"]) == {"text"}
    assert told(asana, path, opt_fields="text")["data"]["text"] == brief["text"]


def test_a_membership_of_a_workspace_can_be_asked_for_by_its_user(
    asana: AsanaEmulator, organization: str
) -> None:
    path = f"/workspaces/{organization}/workspace_memberships"
    (membership,) = told(asana, path, user="me", opt_fields="user,user_task_list.owner")["data"]
    assert membership["user"]["gid"] == asana.account.people["service"].user
    assert membership["user_task_list"]["owner"] == membership["user"]


# --- the audit log ------------------------------------------------------------------------------


@pytest.fixture
def audit_log(organization: str) -> str:
    return f"/workspaces/{organization}/audit_log_events"


def test_the_audit_log_has_always_a_next_page(asana: AsanaEmulator, audit_log: str) -> None:
    every = of_stream(asana, "audit_log_events")
    page = told(asana, audit_log, limit=4)
    found = gids(page)
    for length in (len(every) - 4, 0, 0):
        page = told(asana, audit_log, limit=4, offset=page["next_page"]["offset"])
        assert len(page["data"]) == length
        found += gids(page)
    assert found == [event["gid"] for event in every]
    workspace = every[0]["workspace_gid"]
    new = asana.change(lambda account: account.audit(workspace, "user_logged_out"))
    page = told(asana, audit_log, limit=4, offset=page["next_page"]["offset"])
    assert gids(page) == [new]
    assert told(asana, audit_log)["next_page"]
    for limit in (0, 101):
        assert ask(asana, audit_log, limit=limit).status_code == 400


def test_an_audit_log_without_such_events_has_no_next_page(
    asana: AsanaEmulator, audit_log: str
) -> None:
    nothing: Json = {"data": [], "next_page": None}
    assert told(asana, audit_log, limit=10, event_type="team_deleted") == nothing
    assert told(asana, audit_log, limit=10, start_at="2099-01-01") == nothing


def test_the_audit_log_is_told_from_an_instant_until_before_another(
    asana: AsanaEmulator, audit_log: str
) -> None:
    every = of_stream(asana, "audit_log_events")
    times = [event["created_at"] for event in every]
    assert times == sorted(times)
    part = told(asana, audit_log, start_at=times[1], end_at=times[3])
    assert gids(part) == [event["gid"] for event in every[1:3]]
    for name, value, event in (
        ("event_type", every[2]["event_type"], every[2]),
        ("resource_gid", every[2]["resource"]["gid"], every[2]),
        ("actor_type", "asana", every[3]),
        ("actor_gid", every[0]["actor"]["gid"], every[0]),
    ):
        assert gids(told(asana, audit_log, **{name: value})) == [event["gid"]]
    assert ask(asana, audit_log, start_at="yesterday").status_code == 400


def test_the_audit_log_knows_no_fields_and_tells_whole_events(
    asana: AsanaEmulator, audit_log: str
) -> None:
    whole = told(asana, audit_log)["data"]
    assert told(asana, audit_log, opt_fields="event_type")["data"] == whole
    workspace = audit_log.split("/")[2]
    added = [event | {"workspace_gid": workspace} for event in whole]
    assert added == of_stream(asana, "audit_log_events")
    strange = "/workspaces/{workspace_gid}/audit_log_events opt_fields"
    assert asana.ledger.unknown_parameters == {strange: 1}


def test_the_audit_log_is_for_service_accounts_of_organizations(
    asana: AsanaEmulator, audit_log: str, plain_workspace: str
) -> None:
    assert ask(asana, audit_log, asana.tokens.pat("member")).status_code == 403
    assert ask(asana, f"/workspaces/{plain_workspace}/audit_log_events").status_code == 403


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


def exchange(asana: AsanaEmulator, timeout: float = 10, /, **form: str) -> requests.Response:
    whole = {
        "grant_type": "refresh_token",
        "client_id": asana.tokens.client_id,
        "client_secret": asana.tokens.client_secret,
        "refresh_token": asana.tokens.refresh_token,
        **form,
    }
    return requests.post(asana.token_url, data=whole, timeout=timeout)


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


@pytest.mark.parametrize(
    ("kind", "missing"), [("without_expiry", "expires_in"), ("without_token", "access_token")]
)
def test_a_grant_can_lack_what_it_should_say(asana: AsanaEmulator, kind: Any, missing: str) -> None:
    whole = exchange(asana).json()
    asana.controls.fail("/-/oauth_token", kind)
    odd = exchange(asana)
    assert odd.status_code == 200
    assert set(odd.json()) == set(whole) - {missing}
    assert set(exchange(asana).json()) == set(whole)


def test_a_grant_can_be_refused_once(asana: AsanaEmulator) -> None:
    asana.controls.fail("/-/oauth_token", "invalid_grant")
    refused = exchange(asana)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert asana.tokens.refreshes == 0
    assert exchange(asana).status_code == 200


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset", requests.ConnectionError),
        ("hang", requests.exceptions.ReadTimeout),
        ("reset_body", requests.exceptions.ChunkedEncodingError),
        ("portal", requests.exceptions.JSONDecodeError),
        ("bad_gzip", requests.exceptions.ContentDecodingError),
    ],
)
def test_a_grant_can_be_spoilt_like_any_answer(
    asana: AsanaEmulator, kind: Any, error: type[Exception]
) -> None:
    asana.controls.fail("/-/oauth_token", kind, seconds=60)
    with pytest.raises(error):
        exchange(asana, 1).json()
    assert exchange(asana).json()["access_token"]


@pytest.mark.parametrize("kind", ["slow", "trickle"])
def test_a_grant_can_come_slowly(asana: AsanaEmulator, kind: Any) -> None:
    asana.controls.fail("/-/oauth_token", kind, seconds=0.4)
    begun = time.monotonic()
    assert exchange(asana).json()["access_token"]
    assert time.monotonic() - begun >= 0.3


def test_odd_grants_happen_only_where_there_are_grants(asana: AsanaEmulator) -> None:
    fault = asana.controls.fail("*", "without_token")
    assert ask(asana, "/users/me").status_code == 200
    assert fault.happened == 0
    assert "access_token" not in exchange(asana).json()


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


@pytest.fixture
def everything(asana: AsanaEmulator, organization: str) -> str:
    """Where all events of an Enterprise+ organization are told."""
    asana.controls.workspace_events = True
    return f"/workspaces/{organization}/events"


def test_all_events_of_a_workspace_are_told(
    asana: AsanaEmulator, everything: str, organization: str, tasks: list[str], plain_workspace: str
) -> None:
    sync = ask(asana, everything).json()["sync"]
    asana.change(lambda account: account.comment(tasks[0], "Hm."))
    lone = asana.change(lambda account: account.create_private_task(organization, "Alone"))
    asana.change(lambda account: account.modify_task(lone, name="Still alone"))
    asana.change(lambda account: account.create_private_task(plain_workspace, "Elsewhere"))
    asana.change(lambda account: account.delete(lone))
    body = told(asana, everything, sync=sync)
    happened = [(event["type"], event["action"]) for event in body["data"]]
    assert happened == [
        ("story", "added"),
        ("task", "added"),
        ("task", "changed"),
        ("story", "added"),
        ("task", "deleted"),
    ]
    assert body["has_more"] is False
    assert told(asana, everything, sync=body["sync"])["data"] == []
    assert ask(asana, everything, sync="nonsense").status_code == 412


def test_a_thousand_events_of_a_workspace_come_at_once(
    asana: AsanaEmulator, everything: str, tasks: list[str]
) -> None:
    sync = ask(asana, everything).json()["sync"]
    for number in range(1001):
        asana.account.comment(tasks[0], f"{number}")
    first = told(asana, everything, sync=sync)
    assert (len(first["data"]), first["has_more"]) == (1000, True)
    second = told(asana, everything, sync=first["sync"])
    assert (len(second["data"]), second["has_more"]) == (1, False)


def test_events_of_a_workspace_are_for_service_accounts_of_enterprise_plus(
    asana: AsanaEmulator, everything: str, plain_workspace: str
) -> None:
    assert ask(asana, everything, asana.tokens.pat("member")).status_code == 403
    assert ask(asana, f"/workspaces/{plain_workspace}/events").status_code == 403
    asana.controls.workspace_events = False
    assert ask(asana, everything).status_code == 403


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


KINDS: tuple[QuotaKind, ...] = get_args(QuotaKind)


@given(asked=st.integers(1, 40), per_minute=st.integers(1, 20), kind=st.sampled_from(KINDS))
def test_who_waits_as_long_as_retry_after_says_may_pass(
    asked: int, per_minute: int, kind: QuotaKind
) -> None:
    clock = Hand()
    quota = Quota(per_minute=per_minute, kind=kind, now=clock)
    for _ in range(asked):
        clock.time += 0.25
        wait = quota.retry_after("t")
    if wait is not None:
        clock.time += wait
        assert quota.retry_after("t") is None


def passes(quota: Quota, times: int, token: str = "t") -> list[bool]:
    return [quota.retry_after(token) is None for _ in range(times)]


def test_a_fixed_quota_begins_anew_with_each_minute_of_the_clock() -> None:
    clock = Hand()
    quota = Quota(per_minute=3, kind="fixed", now=clock)
    clock.time = 50
    assert [quota.retry_after("t") for _ in range(5)] == [None, None, None, 10, 10]
    clock.time = 59.5
    assert quota.retry_after("t") == 1
    clock.time = 60
    assert passes(quota, 4) == [True] * 3 + [False]


def test_a_bucket_lets_ten_seconds_worth_pass_at_once_and_then_refills_evenly() -> None:
    clock = Hand()
    quota = Quota(per_minute=60, kind="bucket", now=clock)
    assert passes(quota, 10) == [True] * 10
    clock.time = 1
    assert passes(quota, 1) == [True]
    clock.time = 4
    assert passes(quota, 3) == [True] * 3
    clock.time = 1000
    assert passes(quota, 11) == [True] * 10 + [False]


def test_rejected_requests_empty_a_bucket_further_by_at_most_a_second() -> None:
    clock = Hand()
    quota = Quota(per_minute=120, kind="bucket", now=clock)
    assert passes(quota, 20) == [True] * 20
    assert [quota.retry_after("t") for _ in range(5)] == [1, 2, 2, 2, 2]
    clock.time = 1
    assert quota.retry_after("t") == 1
    clock.time = 2.5
    assert quota.retry_after("t") is None


def test_a_slow_bucket_holds_one_request_at_least() -> None:
    clock = Hand()
    quota = Quota(per_minute=1, kind="bucket", now=clock)
    assert [quota.retry_after("t") for _ in range(2)] == [None, 61]
    clock.time = 61
    assert quota.retry_after("t") is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_quota_may_change_while_it_runs(kind: QuotaKind) -> None:
    clock = Hand()
    quota = Quota(per_minute=60, kind=kind, now=clock)
    assert passes(quota, 10) == [True] * 10
    quota.per_minute = 6
    assert passes(quota, 1) == [False]
    quota.per_minute = 600
    clock.time = 2
    assert passes(quota, 10) == [True] * 10
    quota.per_minute = None
    assert passes(quota, 1000) == [True] * 1000


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_may_have_a_quota_of_its_own(asana: AsanaEmulator, kind: QuotaKind) -> None:
    asana.controls.quota.now = Hand()
    asana.controls.quota_kind = kind
    asana.controls.quota_per_minute = 6
    asana.controls.quota_of("service", 60)
    asana.controls.quota_of("restricted", None)
    allowed = {"member": 1 if kind == "bucket" else 6, "service": 10, "restricted": 20}
    for name, most in allowed.items():
        token = asana.tokens.pat(name)
        statuses = [ask(asana, "/users/me", token).status_code for _ in range(most)]
        assert statuses == [200] * most
    assert ask(asana, "/users/me", asana.tokens.pat("member")).status_code == 429


@pytest.mark.parametrize("kind", KINDS)
def test_rejections_may_come_without_a_retry_after(asana: AsanaEmulator, kind: QuotaKind) -> None:
    asana.controls.quota.now = Hand()
    asana.controls.quota_kind = kind
    asana.controls.quota_per_minute = 1
    ask(asana, "/users/me")
    told_when = ask(asana, "/users/me")
    asana.controls.quota_headers = False
    untold = ask(asana, "/users/me")
    assert [told_when.status_code, untold.status_code] == [429, 429]
    assert int(told_when.headers["Retry-After"]) >= 1
    assert "Retry-After" not in untold.headers


def test_an_unknown_kind_of_quota_is_an_error_of_the_test(asana: AsanaEmulator) -> None:
    with pytest.raises(ValueError, match="no such quota"):
        asana.controls.quota_kind = "leaky"  # type: ignore[assignment]


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


def test_when_to_come_back_can_be_said_as_a_date(asana: AsanaEmulator) -> None:
    asana.controls.fail("/users/*", 503, retry_after="Fri, 20 Nov 2026 10:00:07 GMT")
    assert ask(asana, "/users/me").headers["Retry-After"] == "Fri, 20 Nov 2026 10:00:07 GMT"


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


def came(asana: AsanaEmulator, path: str) -> tuple[bytes, bool]:
    """What comes over the wire, and whether the connection was reset in the end."""
    everything = b""
    with connected(asana) as connection:
        connection.sendall(raw_request(asana, path))
        try:
            while part := connection.recv(65536):
                everything += part
        except ConnectionResetError:
            return everything, True
    return everything, False


def connected(asana: AsanaEmulator) -> socket.socket:
    host, port = asana.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def raw_request(asana: AsanaEmulator, path: str) -> bytes:
    lines = [
        f"GET /api/1.0{path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {asana.tokens.pat('service')}",
        "Connection: close",
        "\r\n",
    ]
    return "\r\n".join(lines).encode()


def promised(head: bytes) -> int:
    """The length of the body, as the headers have it."""
    return int(head.lower().split(b"content-length: ")[1].split()[0])


def test_headers_can_be_cut(asana: AsanaEmulator) -> None:
    asana.controls.fail("/users/*", "cut_headers")
    everything, was_reset = came(asana, "/users/me")
    assert everything.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: ")
    assert b"\r\n\r\n" not in everything
    assert not was_reset


@pytest.mark.parametrize(("kind", "resets"), [("truncated", False), ("reset_body", True)])
def test_a_body_can_be_cut_by_an_end_or_by_a_reset(
    asana: AsanaEmulator, project: str, kind: Any, *, resets: bool
) -> None:
    path = f"/tasks?project={project}&opt_fields=name,html_notes,followers.name"
    whole = came(asana, path)[0].partition(b"\r\n\r\n")[2]
    asana.controls.fail("/tasks", kind)
    everything, was_reset = came(asana, path)
    head, _, body = everything.partition(b"\r\n\r\n")
    assert promised(head) == len(whole)
    assert body == whole[: len(whole) // 2]
    assert was_reset == resets


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_status_can_come_without_asanas_envelope(asana: AsanaEmulator, status: int) -> None:
    asana.controls.fail("/users/*", status, bare=True)
    asana.controls.fail("/users/*", status, empty=True, retry_after=7)
    bare, empty = ask(asana, "/users/me"), ask(asana, "/users/me")
    assert (bare.status_code, bare.headers["Content-Type"]) == (status, "text/html")
    assert f"<h1>{status} " in bare.text
    assert "Retry-After" not in bare.headers
    assert (empty.status_code, empty.content) == (status, b"")
    assert empty.headers["Retry-After"] == "7"
    assert asana.ledger.by_status() == {status: 2}
    assert ask(asana, "/users/me").status_code == 200


def test_only_a_status_can_come_without_an_envelope(asana: AsanaEmulator) -> None:
    with pytest.raises(ValueError, match="only a status code"):
        asana.controls.fail("*", "portal", bare=True)


def test_another_host_can_answer_in_asanas_stead(asana: AsanaEmulator) -> None:
    asana.controls.fail("/users/*", "portal")
    page = ask(asana, "/users/me")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html")
    assert page.text.startswith("<!DOCTYPE html>")


def test_a_request_can_be_sent_elsewhere(asana: AsanaEmulator) -> None:
    asana.controls.fail("/users/*", "redirect")
    with pytest.raises(requests.ConnectionError, match="port=9"):
        ask(asana, "/users/me")
    with AsanaEmulator(make_account("sample")) as other:
        elsewhere = f"{other.base_url}/workspaces"
        asana.controls.fail("/users/*", "redirect", location=elsewhere)
        followed = ask(asana, "/users/me")
        (redirection,) = followed.history
        assert (redirection.status_code, redirection.headers["Location"]) == (302, elsewhere)
        assert other.ledger.by_path() == {"/workspaces": 1}


def test_json_can_come_in_another_shape_or_under_another_type(asana: AsanaEmulator) -> None:
    usual = ask(asana, "/users/me")
    asana.controls.fail("/users/*", "wrong_shape")
    asana.controls.fail("/users/*", "wrong_type")
    shape, mistyped = ask(asana, "/users/me"), ask(asana, "/users/me")
    assert (shape.status_code, shape.json()) == (200, {"ok": True})
    assert shape.headers["Content-Type"] == usual.headers["Content-Type"]
    assert (mistyped.status_code, mistyped.json()) == (200, usual.json())
    assert mistyped.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("gzip", [False, True])
def test_what_claims_to_be_gzip_can_be_none(
    asana: AsanaEmulator, project: str, *, gzip: bool
) -> None:
    asana.controls.gzip = gzip
    asana.controls.fail("/tasks", "bad_gzip")
    query: Json = {"project": project, "opt_fields": "name,notes,html_notes,permalink_url"}
    with pytest.raises(requests.exceptions.ContentDecodingError):
        ask(asana, "/tasks", **query)
    assert ask(asana, "/tasks", **query).json()["data"]


@pytest.mark.parametrize("kind", ["slow", "trickle"])
def test_a_body_arrives_whole_that_takes_longer_than_one_read_may(
    asana: AsanaEmulator, kind: Any
) -> None:
    usual = ask(asana, "/users/me").json()
    asana.controls.fail("/users/*", kind, seconds=2)
    begun = time.monotonic()
    assert ask(asana, "/users/me", timeout=1).json() == usual
    assert time.monotonic() - begun >= 1.5


def test_a_trickle_comes_byte_by_byte_and_then_the_rest(asana: AsanaEmulator) -> None:
    asana.controls.fail("/users/*", "trickle", seconds=0.5)
    answer = requests.get(
        f"{asana.base_url}/users/me",
        headers={"Authorization": f"Bearer {asana.tokens.pat('service')}"},
        stream=True,
        timeout=10,
    )
    parts = []
    while part := answer.raw.read1(65536):
        parts.append(part)
    assert b"".join(parts) == ask(asana, "/users/me").content
    assert len(parts) >= 3
    assert len(parts[-1]) > 1


def becomes(holds: Callable[[], bool]) -> bool:
    """Whether this comes to hold, long before the emulator is done with what it was to do."""
    for _ in range(500):
        if holds():
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("kind", ["slow", "trickle", "stall", "hang"])
def test_a_client_that_goes_early_is_forgotten(
    asana: AsanaEmulator, kind: Any, caplog: pytest.LogCaptureFixture
) -> None:
    asana.controls.fail("/users/*", kind, seconds=20)
    with caplog.at_level(logging.WARNING):
        with connected(asana) as connection:
            connection.sendall(raw_request(asana, "/users/me"))
            assert becomes(lambda: asana.ledger.count() == 1)
        assert becomes(lambda: asana.controls.in_flight.current["service"] == 0)
    assert caplog.records == []
    assert ask(asana, "/users/me").status_code == 200


def test_a_client_that_waits_for_a_hanging_answer_is_disconnected_in_the_end(
    asana: AsanaEmulator,
) -> None:
    asana.controls.fail("/users/*", "hang", seconds=0.2)
    assert came(asana, "/users/me") == (b"", False)
    assert asana.ledger.by_status() == {0: 1}


@pytest.mark.parametrize("kind", ["slow", "trickle", "stall", "hang"])
def test_the_emulator_stops_while_an_answer_is_under_way(kind: Any) -> None:
    asana = AsanaEmulator(make_account("sample"))
    asana.controls.fail("/users/*", kind, seconds=60)
    with asana, ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask, asana, "/users/me", timeout=30)
        assert becomes(lambda: asana.ledger.count() == 1)
        asana.stop()
        with pytest.raises(requests.RequestException):
            asking.result()


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


def test_faults_can_be_limited_to_requests_with_certain_parameters(
    asana: AsanaEmulator, project: str
) -> None:
    asana.controls.fail("/tasks?offset=*", 503)
    asana.controls.deny("/tasks?opt_fields=*.name&project=*", 403)
    offset = _first_offset(asana, project)
    for query, status in (
        ({"limit": 1, "offset": offset}, 503),
        ({"limit": 1, "offset": offset}, 200),
        ({"opt_fields": "name"}, 200),
        ({"opt_fields": "assignee.name"}, 403),
    ):
        assert ask(asana, "/tasks", project=project, **query).status_code == status


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


def listed_below(
    asana: AsanaEmulator, token: str, parents: list[str], path: str, parameter: str = ""
) -> list[str]:
    """What a listing gives below each of the parents, page by page of a hundred."""
    found: list[str] = []
    for parent in parents:
        at = path if parameter else path.format(parent)
        query = {parameter: parent} if parameter else {}
        page = told(asana, at, token, limit=100, **query)
        found += gids(page)
        while page["next_page"] and page["data"]:
            page = told(asana, at, token, limit=100, **query, offset=page["next_page"]["offset"])
            found += gids(page)
    return found


BEYOND_TASKS = (
    "goals",
    "goal_relationships",
    "goal_memberships",
    "time_periods",
    "status_updates",
    "project_memberships",
    "portfolio_memberships",
    "workspace_memberships",
    "allocations",
    "project_templates",
    "task_templates",
)


def test_the_least_walk_finds_everything_beyond_tasks(asana: AsanaEmulator) -> None:
    for name in ("member", "service", "restricted"):
        asana.ledger.reset()
        token = asana.tokens.pat(name)

        def below(parents: list[str], path: str, by: str = "", token: str = token) -> list[str]:
            return listed_below(asana, token, parents, path, by)

        workspaces = gids(told(asana, "/workspaces", token, limit=100))
        projects, portfolios, goals = (
            below(workspaces, path, "workspace") for path in ("/projects", "/portfolios", "/goals")
        )
        found = {
            "goals": goals,
            "goal_relationships": below(goals, "/goal_relationships", "supported_goal"),
            "goal_memberships": below(goals, "/memberships", "parent"),
            "time_periods": below(workspaces, "/time_periods", "workspace"),
            "status_updates": below(projects + portfolios + goals, "/status_updates", "parent"),
            "project_memberships": below(projects, "/projects/{}/project_memberships"),
            "portfolio_memberships": below(portfolios, "/memberships", "parent"),
            "workspace_memberships": below(workspaces, "/workspaces/{}/workspace_memberships"),
            "allocations": below(projects, "/allocations", "parent"),
            "project_templates": below(workspaces, "/project_templates", "workspace"),
            "task_templates": below(projects, "/task_templates", "project"),
        }
        assert asana.floor(BEYOND_TASKS, name) == asana.ledger.by_path()
        for stream, listed in found.items():
            assert [each["gid"] for each in of_stream(asana, stream, name)] == listed


def test_the_least_walk_reads_the_audit_log_to_its_empty_page(
    asana: AsanaEmulator, audit_log: str
) -> None:
    told(asana, "/workspaces", limit=100)
    found = listed_below(asana, "", ["audit"], audit_log)
    assert found == [event["gid"] for event in of_stream(asana, "audit_log_events")]
    assert asana.floor(["audit_log_events"], "service") == asana.ledger.by_path()


def test_settings_and_task_lists_are_parts_of_other_records(asana: AsanaEmulator) -> None:
    settings = [
        setting
        for stream in ("projects", "portfolios")
        for record in of_stream(asana, stream, "member")
        for setting in record["custom_field_settings"]
    ]
    assert of_stream(asana, "custom_field_settings", "member") == settings
    memberships = of_stream(asana, "workspace_memberships", "member")
    assert of_stream(asana, "user_task_lists", "member") == [
        membership["user_task_list"] for membership in memberships
    ]


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
    control(asana, "controls", {"truncate": [{"pattern": "/tasks?project=*", "after": 1}]})
    assert ask(asana, "/tasks", project=project, limit=2).status_code == 400
    control(asana, "reset", {})
    assert ask(asana, "/tasks", project=project, limit=2).status_code == 200
    odd = {"pattern": "/users/*", "kind": 503, "bare": True, "retry_after": "soon"}
    elsewhere = {"pattern": "/users/*", "kind": "redirect", "location": asana.token_url}
    control(asana, "controls", {"fail": [odd, elsewhere]})
    assert ask(asana, "/users/me").headers["Retry-After"] == "soon"
    assert ask(asana, "/users/me").url == asana.token_url
    own = {"name": "member", "per_minute": 6}
    control(asana, "controls", {"quota_kind": "bucket", "quota_headers": False, "quota_of": [own]})
    member = asana.tokens.pat("member")
    refused = [ask(asana, "/users/me", member) for _ in range(2)][1]
    assert (refused.status_code, refused.headers.get("Retry-After")) == (429, None)
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
    part = Choice(workspace_gids=(told(asana, "/workspaces")["data"][-1]["gid"],))
    asked = json.dumps({"workspace_gids": part.workspace_gids})
    assert control(asana, f"floor?streams=tasks&token=service&choice={asked}") == asana.floor(
        ["tasks"], "service", choice=part
    )
    lines = requests.get(f"{url}&choice={asked}", timeout=10).text.splitlines()
    assert [json.loads(line) for line in lines] == list(
        asana.expected("tasks", "service", choice=part)
    )
    control(asana, "reset", {})
    assert control(asana, "ledger")["requests"] == 0


@pytest.mark.parametrize(
    ("name", "wanted", "status"),
    [
        ("weather", {}, 404),
        ("controls", {"gravity": 1}, 400),
        ("controls", {"quota_kind": "leaky"}, 400),
        ("controls", {"fail": [{"pattern": "*", "kind": "earthquake"}]}, 400),
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
