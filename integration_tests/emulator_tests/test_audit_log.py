"""The audit log."""

import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.emulator_tests.asking import (
    Json,
    ask,
    gids,
    of_stream,
    told,
)

pytestmark = pytest.mark.once


def test_the_audit_log_always_has_a_next_page(asana: AsanaEmulator, audit_log: str) -> None:
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


def test_the_audit_log_can_be_limited_to_a_period(asana: AsanaEmulator, audit_log: str) -> None:
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


def test_the_audit_log_ignores_opt_fields_and_returns_whole_events(
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
