"""What a check tells before anything is read: who the token is, and what it cannot read."""

import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.reading import (
    SERVICE,
    config_for,
    failed,
    oauth_config,
    run,
    run_program,
)

NOWHERE = "http://127.0.0.1:9"
WORKSPACE = "Otter & Daughters Lighthouse Repairs"
EACH_LISTING_ONCE = {
    "/users/{user_gid}": 1,
    "/workspaces": 1,
    "/users": 1,
    "/tags": 1,
    "/workspaces/{workspace_gid}/custom_fields": 1,
    "/workspaces/{workspace_gid}/teams": 1,
    "/portfolios": 1,
    "/projects": 1,
    "/projects/{project_gid}/sections": 1,
    "/tasks": 1,
    "/attachments": 1,
    "/events": 1,
    "/goals": 1,
    "/time_periods": 1,
    "/status_updates": 1,
    "/projects/{project_gid}/project_memberships": 1,
    "/workspaces/{workspace_gid}/workspace_memberships": 1,
    "/time_tracking_entries": 1,
    "/allocations": 1,
    "/project_templates": 1,
    "/task_templates": 1,
    "/workspaces/{workspace_gid}/audit_log_events": 1,
}
HIGHER_PLAN = "Asana offers this in a higher plan only: deselect the stream, or upgrade."


def warnings(asana: AsanaEmulator, person: str = SERVICE) -> list[str]:
    """What a check, which succeeds, warns of."""
    said = run("check", asana, config_for(asana, person))
    assert said.connection_status()["status"] == "SUCCEEDED"
    assert said.exit_status == 0
    return said.logs("WARN")


def test_a_check_says_who_the_token_is_and_what_it_sees(sample: AsanaEmulator) -> None:
    said = run("check", sample, config_for(sample))
    status = said.connection_status()
    assert status["status"] == "SUCCEEDED"
    assert status["message"] == (
        f"Connected as Warehouse (service account), who sees {WORKSPACE}, The Thursday Quizzards"
    )
    assert status["message"] in said.logs("INFO")
    assert said.exit_status == 0


def test_a_check_asks_once_for_each_listing_of_one_workspace_and_one_project(
    sample: AsanaEmulator,
) -> None:
    run("check", sample, config_for(sample))
    assert sample.ledger.by_path() == EACH_LISTING_ONCE
    assert sample.ledger.unknown_parameters == {}


def test_a_check_asks_for_two_exports_at_most(sample: AsanaEmulator) -> None:
    ids = list(sample.account.organization_exports)
    said = run("check", sample, config_for(sample, organization_export_ids=[*ids, "1", "2"]))
    assert said.connection_status()["status"] == "SUCCEEDED"
    exports = {"/organization_exports/{organization_export_gid}": 2}
    assert sample.ledger.by_path() == EACH_LISTING_ONCE | exports


def test_oauth_works_in_check(asana: AsanaEmulator) -> None:
    said = run("check", asana, oauth_config(asana))
    assert said.connection_status()["status"] == "SUCCEEDED"
    assert asana.tokens.refreshes == 1


def test_a_check_with_a_wrong_token_says_what_to_do(sample: AsanaEmulator) -> None:
    config = config_for(sample)
    config["credentials"]["personal_access_token"] = "2/mistyped"
    said = run_program("check", sample, config)
    assert "create a new personal access token" in failed(said)
    assert "2/mistyped" not in said.text
    assert sample.ledger.count() == 2  # once more, in case that the first 401 was a passing one


def test_a_check_with_an_ended_refresh_token_says_what_to_do(asana: AsanaEmulator) -> None:
    asana.tokens.revoke(asana.tokens.refresh_token)
    assert "authenticate with Asana again" in failed(run("check", asana, oauth_config(asana)))


def test_a_check_without_a_workspace_says_so(sample: AsanaEmulator) -> None:
    said = run("check", sample, config_for(sample, "outsider"))
    assert "Nobody Inparticular sees no workspace" in failed(said)


def test_a_check_without_a_network_says_so(
    sample: AsanaEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("source_asana.source.CHECK_PATIENCE", 0.1)
    assert "Check the network" in failed(run("check", NOWHERE, config_for(sample)))


def test_a_check_names_an_export_that_cannot_be_read(sample: AsanaEmulator) -> None:
    config = config_for(sample, organization_export_ids=["404404"])
    said = run("check", sample, config)
    assert "The organization export 404404 cannot be read (404" in failed(said)


def test_nothing_is_said_when_all_is_well(sample: AsanaEmulator) -> None:
    assert warnings(sample) == []


@pytest.mark.parametrize("person", ["member", "restricted"])
def test_a_person_is_refused_the_audit_log_and_nothing_else(
    sample: AsanaEmulator, person: str
) -> None:
    """Not even a guest, whom Asana shows less."""
    (warning,) = warnings(sample, person)
    assert warning.startswith(f"audit_log_events: refused in {WORKSPACE} (403: ")


@pytest.mark.parametrize(
    ("place", "streams"),
    [
        (
            "/portfolios",
            (
                "portfolio_items, portfolio_memberships, portfolios, portfolios_compact, "
                "portfolios_memberships"
            ),
        ),
        ("/goals", "goal_memberships, goal_relationships, goals"),
        ("/workspaces/{workspace_gid}/custom_fields", "custom_fields"),
        ("/workspaces/{workspace_gid}/teams", "team_memberships, teams"),
    ],
)
def test_what_a_free_plan_lacks_is_said_of_each_stream(
    asana: AsanaEmulator, place: str, streams: str
) -> None:
    asana.controls.deny(place, 402)
    (warning,) = warnings(asana)
    assert warning.startswith(f"{streams}: refused in {WORKSPACE} (402: ")
    assert warning.endswith(f"). {HIGHER_PLAN}")


def test_what_an_oauth_app_may_not_is_said_with_what_it_needs(asana: AsanaEmulator) -> None:
    for place in (
        "/workspaces/{workspace_gid}/custom_fields",
        "/projects/{project_gid}/sections",
        "/events",
    ):
        asana.controls.deny(place, 403)
    told = warnings(asana)
    assert [warning.partition(":")[0] for warning in told] == [
        "custom_fields",
        "sections, sections_compact",
        "events",
    ]
    for warning in told:
        assert f"refused in {WORKSPACE} (403: Forbidden)" in warning
        assert "an OAuth app needs full permissions" in warning


def test_without_projects_everything_below_them_is_named_and_not_asked_for(
    asana: AsanaEmulator,
) -> None:
    asana.controls.deny("/projects", 403)
    (warning,) = warnings(asana)
    assert warning.startswith(
        "allocations, attachments, attachments_compact, custom_field_settings, events, "
        "project_briefs, project_memberships, projects, sections, sections_compact, "
        "status_updates, stories, stories_compact, subtasks, task_templates, tasks: refused in"
    )
    assert set(asana.ledger.by_path()).isdisjoint({"/tasks", "/attachments", "/events"})


def test_a_server_that_fails_while_a_check_looks_around_does_not_fail_it(
    asana: AsanaEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("source_asana.source.CHECK_PATIENCE", 0.1)
    asana.controls.fail("/tags", 503, times=None)
    (warning,) = warnings(asana)
    assert warning.startswith("What else the token can read could not be asked: tags: ")


def test_a_token_that_is_revoked_while_a_check_looks_around_fails_it(
    asana: AsanaEmulator,
) -> None:
    asana.controls.interrupt("/tasks", lambda: asana.tokens.revoke(asana.tokens.pat(SERVICE)))
    assert "create a new personal access token" in failed(run("check", asana, config_for(asana)))
