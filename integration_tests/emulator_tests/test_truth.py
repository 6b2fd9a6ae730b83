"""The expected records, and the fewest requests for them."""

import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.emulator_tests.asking import gids, of_stream, told

pytestmark = pytest.mark.once


def test_the_truth_equals_the_result_of_a_walk_over_the_listings(
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


def test_the_floor_equals_the_requests_of_the_shortest_walk(asana: AsanaEmulator) -> None:
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
    """The records of a listing below each parent, in pages of 100."""
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
    "roles",
    "custom_types",
    "rates",
    "project_portfolio_settings",
    "goal_stories",
    "timesheet_approval_statuses",
)


def test_the_shortest_walk_finds_everything_beyond_tasks(asana: AsanaEmulator) -> None:
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
            "roles": below(workspaces, "/roles", "workspace"),
            "custom_types": list(dict.fromkeys(below(projects, "/custom_types", "project"))),
            "rates": below(projects, "/rates", "parent"),
            "project_portfolio_settings": below(
                portfolios, "/portfolios/{}/project_portfolio_settings"
            ),
            "goal_stories": below(goals, "/goals/{}/stories"),
            "timesheet_approval_statuses": below(
                workspaces, "/timesheet_approval_statuses", "workspace"
            ),
            "task_templates": below(projects, "/task_templates", "project"),
        }
        assert asana.floor(BEYOND_TASKS, name) == asana.ledger.by_path()
        for stream, listed in found.items():
            assert [each["gid"] for each in of_stream(asana, stream, name)] == listed


def test_the_shortest_walk_reads_the_audit_log_to_its_empty_page(
    asana: AsanaEmulator, audit_log: str
) -> None:
    told(asana, "/workspaces", limit=100)
    found = listed_below(asana, "", ["audit"], audit_log)
    assert found == [event["gid"] for event in of_stream(asana, "audit_log_events")]
    for workspace in of_stream(asana, "workspaces"):
        if not workspace["is_organization"]:
            told(asana, f"/workspaces/{workspace['gid']}")
    assert asana.floor(["audit_log_events"], "service") == asana.ledger.by_path()


def test_settings_and_task_lists_are_nested_in_other_records(asana: AsanaEmulator) -> None:
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


def test_the_truth_for_an_unknown_token_is_refused(asana: AsanaEmulator) -> None:
    with pytest.raises(KeyError):
        asana.floor(["tasks"], "nonsense")
