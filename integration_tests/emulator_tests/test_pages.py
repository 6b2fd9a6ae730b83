"""The pages of a listing, and the validity of its offsets."""

import pytest
import requests

from integration_tests.asana_emulator import AsanaEmulator, make_account
from integration_tests.asana_emulator.clock import stamp
from integration_tests.emulator_tests.asking import (
    Json,
    ask,
    first_offset,
    gids,
    message,
    pages,
    told,
)

pytestmark = pytest.mark.once


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


def test_an_offset_is_valid_only_for_its_own_query_and_token(
    asana: AsanaEmulator, project: str
) -> None:
    offset = first_offset(asana, project)
    other = asana.tokens.pat("member")
    assert ask(asana, "/tasks", project=project, limit=1, offset=offset).status_code == 200
    assert ask(asana, "/tasks", project=project, limit=2, offset=offset).status_code == 400
    assert ask(asana, "/tasks", other, project=project, limit=1, offset=offset).status_code == 400
    assert ask(asana, f"/projects/{project}/tasks", limit=1, offset=offset).status_code == 400
    assert ask(asana, "/tasks", project=project, limit=1, offset="eyJ0eXAi").status_code == 400
    assert ask(asana, "/tasks", project=project, limit=1, offset="ü").status_code == 400


def test_an_offset_expires_after_a_quarter_of_an_hour(asana: AsanaEmulator, project: str) -> None:
    offset = first_offset(asana, project)
    asana.account.clock.advance(14 * 60)
    assert ask(asana, "/tasks", project=project, limit=1, offset=offset).status_code == 200
    asana.account.clock.advance(2 * 60)
    refused = ask(asana, "/tasks", project=project, limit=1, offset=offset)
    assert refused.status_code == 400
    assert message(refused) == "offset: Your pagination token has expired."


def test_all_offsets_can_expire_at_once(asana: AsanaEmulator, project: str) -> None:
    offset = first_offset(asana, project)
    asana.controls.expire_offsets()
    assert ask(asana, "/tasks", project=project, limit=1, offset=offset).status_code == 400
    fresh = first_offset(asana, project)
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


def test_a_listing_ends_if_all_tasks_are_deleted_between_two_pages(
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


@pytest.mark.parametrize(("limit_may_change", "status"), [(False, 400), (True, 200)])
def test_an_offset_may_be_bound_to_its_limit_or_not(
    asana: AsanaEmulator, project: str, *, limit_may_change: bool, status: int
) -> None:
    asana.controls.limit_may_change = limit_may_change
    offset = first_offset(asana, project)
    assert ask(asana, "/tasks", project=project, limit=2, offset=offset).status_code == status
    assert ask(asana, "/tasks", project=project, limit=1, offset=offset).status_code == 200


def test_tasks_can_repeat_as_many_options_as_asana_allows() -> None:
    with AsanaEmulator(make_account(250, menus=2, in_each=10)) as asana:
        workspaces = gids(told(asana, "/workspaces", limit=100))
        projects = gids(told(asana, "/projects", workspace=workspaces[-1], limit=100))
        fields = "custom_fields.name,custom_fields.enum_options.name"
        tasks = told(asana, "/tasks", project=projects[-1], limit=1, opt_fields=fields)["data"]
        held = {f["name"]: len(f.get("enum_options", ())) for f in tasks[0]["custom_fields"]}
        assert held["Menu 1"] == held["Menu 2"] == 500
