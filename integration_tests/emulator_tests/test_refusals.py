"""What is refused, and how."""

import pytest
import requests

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.emulator_tests.asking import ask, gids, told

pytestmark = pytest.mark.once


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
def test_a_missing_conflicting_or_malformed_parameter_is_a_400(
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


def test_a_deleted_task_is_a_404_until_it_is_restored(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    asana.change(lambda account: account.delete(tasks[0]))
    assert ask(asana, f"/tasks/{tasks[0]}").status_code == 404
    assert ask(asana, f"/tasks/{tasks[0]}/stories").status_code == 404
    assert gids(told(asana, "/tasks", project=project)) == tasks[1:]
    asana.change(lambda account: account.restore(tasks[0]))
    assert gids(told(asana, "/tasks", project=project)) == tasks
