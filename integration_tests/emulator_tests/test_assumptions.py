"""Controls that make the emulated Asana differ from its reference."""

from typing import Any

import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.emulator_tests.asking import ask, control, gids, of_stream, told

pytestmark = pytest.mark.once


@pytest.fixture
def workspace(asana: AsanaEmulator) -> str:
    return str(of_stream(asana, "workspaces")[0]["gid"])


def test_a_parameter_can_be_assumed_where_a_request_does_not_name_it(
    asana: AsanaEmulator, workspace: str
) -> None:
    everything = gids(told(asana, "/projects", workspace=workspace, limit=100))
    asana.controls.assumed_parameters = {"/projects": {"archived": "false"}}
    active = gids(told(asana, "/projects", workspace=workspace, limit=100))
    archived = gids(told(asana, "/projects", workspace=workspace, limit=100, archived="true"))
    assert archived
    assert sorted(active + archived) == sorted(everything)
    asana.controls.heal()
    assert gids(told(asana, "/projects", workspace=workspace, limit=100)) == everything


def test_tasks_can_have_their_children_inline_if_these_are_asked_for(asana: AsanaEmulator) -> None:
    task = next(task["gid"] for task in of_stream(asana, "tasks") if task["num_subtasks"] > 1)
    fields = "name,subtasks.gid,stories.gid,attachments.gid"
    path = f"/tasks/{task}"
    asana.controls.inline_children = {}
    assert set(told(asana, path, opt_fields=fields)["data"]) == {"gid", "name"}
    asana.controls.inline_children = {"subtasks": None, "stories": 1}
    found = told(asana, path, opt_fields=fields)["data"]
    assert set(found) == {"gid", "name", "subtasks", "stories"}
    assert [child["gid"] for child in found["subtasks"]] == gids(told(asana, f"{path}/subtasks"))
    assert len(found["stories"]) <= 1
    assert set(told(asana, path, opt_fields="name")["data"]) == {"gid", "name"}
    asana.controls.heal()
    assert set(told(asana, path, opt_fields=fields)["data"]) == {"gid", "name", "attachments"}


def inline_attachments(asana: AsanaEmulator, fields: str) -> list[list[dict[str, Any]]]:
    """The attachments that come with the tasks of the first project that has any."""
    for project in of_stream(asana, "projects"):
        query = {"project": project["gid"], "limit": 100, "opt_fields": fields}
        lists = [task["attachments"] for task in told(asana, "/tasks", **query)["data"]]
        if any(lists):
            return lists
    raise AssertionError


def test_listed_tasks_have_their_attachments_in_the_form_that_is_asked_for(
    asana: AsanaEmulator,
) -> None:
    whole = inline_attachments(asana, "attachments")
    assert [] in whole
    compact = {"gid", "resource_type", "name", "resource_subtype"}
    assert {frozenset(each) for found in whole for each in found} == {frozenset(compact)}
    named = inline_attachments(asana, "attachments.gid")
    assert named == [[{"gid": each["gid"]} for each in found] for found in whole]


def test_inline_lists_can_be_empty_for_some_tasks(asana: AsanaEmulator) -> None:
    tasks = [task["gid"] for name in ("tasks", "subtasks") for task in of_stream(asana, name)]

    def with_some() -> set[str]:
        paths = {task: f"/tasks/{task}" for task in tasks}
        found = {t: told(asana, paths[t], opt_fields="attachments.gid")["data"] for t in tasks}
        return {task for task, record in found.items() if record["attachments"]}

    honest = with_some()
    control(asana, "controls", {"inline_omits": 0.5})
    assert set() < with_some() < honest
    control(asana, "controls", {"inline_omits": 1.0})
    assert with_some() == set()
    asana.controls.heal()
    assert with_some() == honest


def test_listings_have_inline_children_too(asana: AsanaEmulator) -> None:
    project = of_stream(asana, "projects")[0]["gid"]
    query = {"project": project, "limit": 100, "opt_fields": "attachments.gid"}
    listed = told(asana, "/tasks", **query)["data"]
    for task in listed:
        assert [child["gid"] for child in task["attachments"]] == gids(
            told(asana, "/attachments", parent=task["gid"])
        )
    assert any(task["attachments"] for task in listed)
    assert ask(asana, "/users/me", opt_fields="attachments.gid").json()["data"].keys() == {"gid"}
