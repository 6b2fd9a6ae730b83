"""What a check reports before anything is read: the user of the token, and what it cannot read."""

import logging
import re
import threading
import time
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from airbyte_cdk.models import Status

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.asana_emulator.tokens import TOKEN_PATH
from integration_tests.reading import (
    SERVICE,
    config_for,
    failed,
    oauth_config,
    run,
    run_program,
)
from integration_tests.test_secrets import Heard, Reply, listening, pat_config
from source_asana import SourceAsana, check, deadline, together

ME = "/users/{user_gid}"
ODD_DATA: list[Any] = [
    *(None, [], {}, "a text", 7, True),
    *([None], [{}], [[]], ["1"], [{"gid": None}], [{"gid": 7, "name": "A number"}]),
]
HALF_AN_HOUR = 1800

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
    "/custom_types": 1,
    "/budgets": 1,
    "/rates": 1,
    "/time_tracking_categories": 1,
    "/timesheet_approval_statuses": 1,
    "/ooo_entries": 1,
    "/roles": 1,
    "/workspaces/{workspace_gid}/audit_log_events": 1,
}
PLAN_OR_ROLE = (
    "The workspace's plan does not include this, or the user is a guest. Upgrade the "
    "plan, use the token of a full member, or deselect the stream."
)


def warnings(asana: AsanaEmulator, person: str = SERVICE) -> list[str]:
    """The warnings of a successful check."""
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


def test_a_check_requests_each_listing_once_for_one_workspace_and_one_project(
    sample: AsanaEmulator,
) -> None:
    run("check", sample, config_for(sample))
    assert sample.ledger.by_path() == EACH_LISTING_ONCE
    assert sample.ledger.unknown_parameters == {}


def test_a_check_requests_at_most_two_exports(sample: AsanaEmulator) -> None:
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
    assert "Create a new personal access token" in failed(said)
    assert "2/mistyped" not in said.text
    assert sample.ledger.count() == 2  # twice, in case the first 401 was transient


def test_a_check_with_an_expired_refresh_token_says_what_to_do(asana: AsanaEmulator) -> None:
    asana.tokens.revoke(asana.tokens.refresh_token)
    assert "Authenticate again" in failed(run("check", asana, oauth_config(asana)))


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
    assert "Cannot read organization export 404404 (404" in failed(said)


def test_a_check_without_problems_has_no_message(sample: AsanaEmulator) -> None:
    assert warnings(sample) == []


def test_the_message_of_a_check_names_the_refused_streams(asana: AsanaEmulator) -> None:
    asana.controls.deny("/goals", 402)
    said = run("check", asana, config_for(asana, "member"))
    message = said.connection_status()["message"]
    assert said.connection_status()["status"] == "SUCCEEDED"
    assert message == (
        f"Connected as Greta Otter, who sees {WORKSPACE}, The Thursday Quizzards. "
        "Asana refused 5 streams: goal_memberships, goal_relationships, goal_stories, goals (402); "
        "audit_log_events (403). Deselect them, or see the log for what to do."
    )
    assert len(said.logs("WARN")) == 2


def test_one_refused_stream_is_singular(sample: AsanaEmulator) -> None:
    message = run("check", sample, config_for(sample, "member")).connection_status()["message"]
    assert ". Asana refused 1 stream: audit_log_events (403). Deselect" in message


@pytest.mark.parametrize("person", ["member", "restricted"])
def test_an_ordinary_user_is_refused_only_the_audit_log(sample: AsanaEmulator, person: str) -> None:
    """Even a guest, although Asana shows a guest less."""
    (warning,) = warnings(sample, person)
    assert warning.startswith(f"audit_log_events: refused in {WORKSPACE} (403: ")


@pytest.mark.parametrize(
    ("place", "streams"),
    [
        (
            "/portfolios",
            (
                "portfolio_items, portfolio_memberships, portfolios, portfolios_compact, "
                "portfolios_memberships, project_portfolio_settings"
            ),
        ),
        ("/goals", "goal_memberships, goal_relationships, goal_stories, goals"),
        ("/workspaces/{workspace_gid}/custom_fields", "custom_fields"),
        ("/workspaces/{workspace_gid}/teams", "team_memberships, teams"),
    ],
)
def test_a_check_names_each_stream_that_a_free_plan_or_a_guest_lacks(
    asana: AsanaEmulator, place: str, streams: str
) -> None:
    asana.controls.deny(place, 402)
    (warning,) = warnings(asana)
    assert warning.startswith(f"{streams}: refused in {WORKSPACE} (402: ")
    assert warning.endswith(f"). {PLAN_OR_ROLE}")


def test_a_check_names_the_scope_for_each_stream_refused_to_an_oauth_app(
    asana: AsanaEmulator,
) -> None:
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


def test_without_projects_the_check_names_every_stream_below_them_and_requests_none(
    asana: AsanaEmulator,
) -> None:
    asana.controls.deny("/projects", 403)
    (warning,) = warnings(asana)
    assert warning.startswith(
        "allocations, attachments, attachments_compact, budgets, custom_field_settings, "
        "custom_types, events, project_briefs, project_memberships, projects, rates, sections, "
        "sections_compact, "
        "status_updates, stories, stories_compact, subtasks, task_templates, tasks: refused in"
    )
    assert set(asana.ledger.by_path()).isdisjoint({"/tasks", "/attachments", "/events"})


def test_a_server_failure_during_the_access_test_does_not_fail_the_check(
    asana: AsanaEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("source_asana.source.CHECK_PATIENCE", 0.1)
    asana.controls.fail("/tags", 503, times=None)
    (warning,) = warnings(asana)
    assert warning.startswith("Could not check all streams: tags: ")


def test_a_token_revoked_during_the_access_test_fails_the_check(
    asana: AsanaEmulator,
) -> None:
    asana.controls.interrupt("/tasks", lambda: asana.tokens.revoke(asana.tokens.pat(SERVICE)))
    assert "Create a new personal access token" in failed(run("check", asana, config_for(asana)))


# Malformed answers


@pytest.mark.parametrize("data", ODD_DATA, ids=str)
@pytest.mark.parametrize("place", [ME, "/workspaces"])
def test_a_malformed_answer_fails_a_check_with_one_sentence(
    asana: AsanaEmulator, monkeypatch: pytest.MonkeyPatch, place: str, data: Any
) -> None:
    monkeypatch.setattr("source_asana.source.CHECK_PATIENCE", 0.1)
    asana.controls.fail(place, "odd_data", data=data, times=None)
    sentence = failed(run("check", asana, config_for(asana)))
    assert re.search("not come from Asana's API|not from Asana|sees no workspace", sentence)


@pytest.mark.parametrize("data", ODD_DATA, ids=str)
@pytest.mark.parametrize("place", ["/projects", "/users", "/tasks", "/workspaces/*/teams"])
def test_a_malformed_answer_to_any_other_request_fails_no_check(
    asana: AsanaEmulator, monkeypatch: pytest.MonkeyPatch, place: str, data: Any
) -> None:
    monkeypatch.setattr("source_asana.source.CHECK_PATIENCE", 0.1)
    asana.controls.fail(place, "odd_data", data=data, times=None)
    warnings(asana)


@pytest.mark.parametrize("data", ODD_DATA, ids=str)
def test_a_malformed_project_fails_a_check_of_a_config_that_names_it(
    asana: AsanaEmulator, monkeypatch: pytest.MonkeyPatch, data: Any
) -> None:
    monkeypatch.setattr("source_asana.source.CHECK_PATIENCE", 0.1)
    asana.controls.fail("/projects/{project_gid}", "odd_data", data=data, times=None)
    (project, *_) = (record["gid"] for record in asana.expected("projects", SERVICE))
    said = run("check", asana, config_for(asana, project_gids=[project]))
    if data == {}:  # it has no visible error
        assert said.connection_status()["status"] == "SUCCEEDED"
    else:
        assert re.search("not come from Asana's API|not from Asana", failed(said))


def test_one_odd_workspace_costs_only_itself(asana: AsanaEmulator) -> None:
    good = [{"gid": "1201000000000001", "name": "Good"}, {"gid": "1201000000000002", "name": None}]
    asana.controls.fail("/workspaces", "odd_data", data=[None, good[0], {"gid": 7}, good[1]])
    status = run("check", asana, config_for(asana)).connection_status()
    assert status["message"].endswith("who sees Good, 1201000000000002")


def test_a_connector_error_fails_a_check_with_one_sentence_that_names_it() -> None:
    nothing: Any = None
    status = SourceAsana().check(logging.getLogger("airbyte"), nothing)
    assert status.status is Status.FAILED
    assert str(status.message).startswith("Unexpected error in the connector (AttributeError, ")
    assert str(status.message).endswith("). Please report it.")


# Several requests at the same time


def threads_of_checks() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name in (deadline.NAME, together.NAME)]


def test_a_check_sends_several_requests_at_the_same_time() -> None:
    """Each of these is answered only after the other one has arrived, too."""
    both = threading.Barrier(2, timeout=20)
    with listening(lambda heard: answer_when_met(heard, both)) as (address, _):
        said = run("check", address, pat_config())
    assert said.connection_status()["status"] == "SUCCEEDED"
    assert said.logs("WARN") == []
    assert not both.broken


def answer_when_met(heard: Heard, both: threading.Barrier) -> Reply:
    path = urlsplit(heard.line.split()[1]).path
    if path.endswith(("/users", "/tags")):
        with suppress(threading.BrokenBarrierError):
            both.wait()
    return 200, {}, {"data": answer_to(path)}


def answer_to(path: str) -> Any:
    if path.endswith("/users/me"):
        return {"gid": "7", "name": "Somebody"}
    return [{"gid": "1", "name": "W"}] if path.endswith("/workspaces") else []


@pytest.mark.parametrize("workers", [1, 3, 25])
def test_a_check_sends_at_most_num_workers_requests_at_the_same_time(workers: int) -> None:
    under_way, most, lock = 0, 0, threading.Lock()

    def counted(heard: Heard) -> Reply:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.05)  # time for further requests to arrive
        with lock:
            under_way -= 1
        return 200, {}, {"data": answer_to(urlsplit(heard.line.split()[1]).path)}

    with listening(counted) as (address, _):
        config = pat_config() | {"num_workers": workers}
        run("check", address, config | {"requests_per_minute": 60_000})
    assert most <= min(workers, check.MOST_AT_ONCE)


@pytest.mark.parametrize("place", [ME, "/tags", "/projects/{project_gid}"])
@pytest.mark.parametrize("kind", ["hang", "stall", "trickle"])
def test_every_thread_of_a_check_ends_with_it(asana: AsanaEmulator, place: str, kind: Any) -> None:
    asana.controls.fail(place, kind, seconds=600, times=None)
    (project, *_) = (record["gid"] for record in asana.expected("projects", SERVICE))
    run("check", asana, config_for(asana, excluded_project_gids=[project]), check_seconds=1.5)
    assert threads_of_checks() == []


@pytest.mark.parametrize("kind", [429, 503, "hang"])
def test_every_thread_of_a_check_that_waits_for_a_token_ends_with_it(
    asana: AsanaEmulator, kind: Any
) -> None:
    asana.controls.fail(TOKEN_PATH, kind, seconds=600, times=None)
    run("check", asana, oauth_config(asana), check_seconds=1)
    assert threads_of_checks() == []


def test_a_check_reports_a_revoked_token_and_not_the_requests_that_it_stopped(
    asana: AsanaEmulator,
) -> None:
    for place in ("/users", "/tags", "/portfolios", "/projects", "/goals"):
        asana.controls.interrupt(place, lambda: asana.tokens.revoke(asana.tokens.pat(SERVICE)))
    said = run("check", asana, config_for(asana))
    assert "Create a new personal access token" in failed(said)
    assert threads_of_checks() == []


# Slow answers and rate limits


def test_a_rate_limited_check_says_when_to_try_again(asana: AsanaEmulator) -> None:
    asana.controls.fail("/*", 429, retry_after=HALF_AN_HOUR, times=None)
    sentence = failed(run("check", asana, config_for(asana)))
    assert sentence.startswith("The rate limit of this token is used up, maybe by another sync. ")
    assert re.search(r"Try again in 3[01] minutes\.$", sentence)
    assert asana.ledger.count() == 1


def test_a_rate_limited_check_ends_even_without_a_retry_after(
    asana: AsanaEmulator,
) -> None:
    asana.controls.fail("/*", 429, times=None)
    sentence = failed(run("check", asana, config_for(asana), check_seconds=2.5))
    assert re.search(r"is used up, .* Try again in \d+ seconds?\.$", sentence)
    assert set(asana.ledger.by_status()) == {429}


def test_a_check_waits_for_a_rate_limit_that_ends_soon(asana: AsanaEmulator) -> None:
    asana.controls.fail("/workspaces", 429, retry_after=1)
    assert warnings(asana) == []


@pytest.mark.parametrize("place", [ME, "/workspaces"])
@pytest.mark.parametrize("kind", ["hang", "stall", "trickle"])
def test_a_check_ends_even_if_asana_does_not_answer(
    asana: AsanaEmulator, place: str, kind: Any
) -> None:
    asana.controls.fail(place, kind, seconds=600, times=None)
    sentence = failed(run("check", asana, config_for(asana), check_seconds=1))
    assert sentence.startswith("Asana did not answer within 1 second. ")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"kind": 429, "retry_after": HALF_AN_HOUR}, "The rate limit of this token is used up"),
        ({"kind": "hang", "seconds": 600}, "Asana did not answer within 2 seconds"),
    ],
    ids=["no rate left", "no answer"],
)
def test_a_check_succeeds_even_without_time_for_the_access_test(
    asana: AsanaEmulator, how: dict[str, Any], why: str
) -> None:
    asana.controls.deny("/users", 403)
    asana.controls.fail("/tags", **how, times=None)
    said = run("check", asana, config_for(asana), check_seconds=2)
    assert said.connection_status()["status"] == "SUCCEEDED"
    of_users, of_the_rest = said.logs("WARN")
    assert of_users.startswith("ooo_entries, users: refused in ")
    assert of_the_rest.startswith(f"Could not check all streams: {why}")


@pytest.mark.parametrize("status", [429, 503])
def test_a_check_does_not_wait_for_a_token_endpoint_with_a_long_retry_after(
    asana: AsanaEmulator, status: int
) -> None:
    asana.controls.fail(TOKEN_PATH, status, retry_after=HALF_AN_HOUR, times=None)
    assert failed(run("check", asana, oauth_config(asana))) == (
        f"Asana's token endpoint gave no access token (HTTP {status}, try again in 30 minutes). "
        "Try again later."
    )
    assert asana.ledger.count() == 1


@pytest.mark.parametrize("kind", [429, 503, "hang", "reset"])
def test_a_check_ends_whatever_the_token_endpoint_does(asana: AsanaEmulator, kind: Any) -> None:
    asana.controls.fail(TOKEN_PATH, kind, seconds=600, times=None)
    assert "within 1 second" in failed(run("check", asana, oauth_config(asana), check_seconds=1))


# Objects named in the config


def test_tasks_without_a_project_are_requested_by_a_user_of_the_workspace(
    sample: AsanaEmulator,
) -> None:
    config = config_for(sample, include_tasks_without_project=True)
    said = run("check", sample, config)
    assert said.logs("WARN") == []
    (query,) = [r.query for r in sample.ledger.requests if "assignee" in r.query]
    workspace = next(w for w in sample.expected("workspaces", SERVICE) if w["is_organization"])
    users = [u["gid"] for u in sample.expected("users", SERVICE)]
    assert query["workspace"] == workspace["gid"]
    assert query["assignee"] in users
    assert sample.ledger.by_path() == {**EACH_LISTING_ONCE, "/tasks": 2}


def test_a_check_reports_refused_tasks_without_a_project(asana: AsanaEmulator) -> None:
    asana.controls.deny("/tasks?assignee=*", 403)
    said = run("check", asana, config_for(asana, include_tasks_without_project=True))
    (warning,) = said.logs("WARN")
    assert "tasks: refused in " in warning


@pytest.mark.parametrize("number", [1, 100, 101, 151])
def test_a_workspace_that_the_config_names_is_found_on_any_page(number: int) -> None:
    workspaces = [{"gid": f"{n}", "name": f"W{n}", "is_organization": False} for n in range(1, 152)]

    def paged(heard: Heard) -> Reply:
        parts = urlsplit(heard.line.split()[1])
        if parts.path.endswith("/users/me"):
            return 200, {}, {"data": {"gid": "7", "name": "Somebody"}}
        if not parts.path.endswith("/workspaces"):
            return 200, {}, {"data": []}
        begin = int(parse_qs(parts.query).get("offset", ["0"])[0])
        end = begin + 100
        further = {"offset": f"{end}"} if end < len(workspaces) else None
        return 200, {}, {"data": workspaces[begin:end], "next_page": further}

    with listening(paged) as (address, _):
        config = pat_config() | {"workspace_gids": [f"{number}"]}
        status = run("check", address, config).connection_status()
    assert status["status"] == "SUCCEEDED"
    assert status["message"].endswith(", W151")
