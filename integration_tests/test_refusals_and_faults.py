"""Refusals and faults: what happens when Asana does not return the requested data."""

import json
import re
import time

import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.asana_emulator.controls import Mishap
from integration_tests.asana_emulator.tokens import TOKEN_PATH
from integration_tests.faults import config_of
from integration_tests.reading import SERVICE, Said, catalog_of, config_for, gids, run, truth
from integration_tests.troubles import Trouble
from source_asana.airbyte.failures import MAX_CONSECUTIVE_FAILURES
from source_asana.airbyte.outcome import advice_on
from source_asana.streams.declared import STREAMS

pytestmark = pytest.mark.once

BELOW_PROJECTS = ["sections", "tasks", "subtasks", "stories", "attachments"]


def read(asana: AsanaEmulator, *streams: str, patience: float = 300.0, workers: int = 10) -> Said:
    config = config_for(asana, num_workers=workers)
    return run("read", asana, config, catalog_of(streams), patience=patience)


def projects(asana: AsanaEmulator) -> list[str]:
    return [record["gid"] for record in asana.expected("projects", SERVICE)]


@pytest.mark.parametrize("status", [402, 403, 404, 451])
def test_a_forbidden_project_skips_only_that_project(asana: AsanaEmulator, status: int) -> None:
    sections = {
        record["gid"]: record["project"]["gid"] for record in asana.expected("sections", SERVICE)
    }
    forbidden = projects(asana)[0]
    asana.controls.deny("/projects/{project_gid}/sections", status, only=forbidden)
    said = read(asana, "sections", "tasks")
    assert gids(said, "sections") == sorted(g for g, p in sections.items() if p != forbidden)
    assert gids(said, "tasks") == truth(asana, "tasks")
    assert said.statuses("sections")[-1] == "COMPLETE"
    assert said.exit_status == 0
    (warning,) = (line for line in said.logs("WARN") if "from Asana" in line)
    assert warning.startswith(f"sections: skipped project {forbidden} ({status} from Asana")
    (summary,) = (line for line in said.logs("WARN") if re.search("skipped .* of ", line))
    what = f"sections: skipped 1 of {len(projects(asana))} requests (1 with {status}). "
    assert summary == what + advice_on(status)


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (402, "Upgrade the plan"),
        (403, "Give the user access"),
        (404, "not visible to this token"),
        (451, "legal reasons"),
    ],
)
def test_a_stream_refused_everywhere_is_not_an_empty_table(
    asana: AsanaEmulator, status: int, advice: str
) -> None:
    asana.controls.deny("/projects/{project_gid}/sections", status)
    said = read(asana, "sections", "sections_compact", "tasks")
    for stream in ("sections", "sections_compact"):
        assert said.statuses(stream) == ["STARTED", "INCOMPLETE"]
        assert said.states(stream) == []
        error = said.errors()[stream]
        assert error["failure_type"] == "config_error"
        assert f"({status}: " in error["message"]
        assert advice in error["message"]
    assert said.statuses("tasks") == ["STARTED", "RUNNING", "COMPLETE"]
    assert gids(said, "tasks") == truth(asana, "tasks")
    assert said.exit_status == 1
    assert set(said.errors()) == {"sections", "sections_compact"}


def test_a_stream_below_a_listing_refused_everywhere_is_not_an_empty_table(
    asana: AsanaEmulator,
) -> None:
    asana.controls.deny("/portfolios", 402)
    said = read(asana, "portfolio_items", "portfolios_memberships", "tags")
    for stream in ("portfolio_items", "portfolios_memberships"):
        assert said.statuses(stream) == ["STARTED", "INCOMPLETE"]
        assert said.errors()[stream]["failure_type"] == "config_error"
        assert "parent stream portfolios failed" in said.errors()[stream]["message"]
    assert said.statuses("tags")[-1] == "COMPLETE"


def test_warnings_do_not_flood_the_log_but_all_are_counted(asana: AsanaEmulator) -> None:
    tasks = truth(asana, "tasks")
    for gid in tasks[:-1]:
        asana.controls.deny("/tasks/{task_gid}/stories", 403, only=gid)
    said = read(asana, "stories")
    named = [line for line in said.logs("WARN") if "from Asana" in line]
    assert len(named) == 10
    summary = said.logs("WARN")[-1]
    assert summary.startswith(f"stories: skipped {len(tasks) - 1} of ")


def test_a_project_that_fails_leaves_the_others_complete(asana: AsanaEmulator) -> None:
    broken = projects(asana)[0]
    asana.controls.fail("/tasks", 500, only=broken, times=None)
    said = read(asana, "tasks", "stories", "sections", patience=0.5)
    elsewhere = {
        record["gid"]
        for record in asana.expected("tasks", SERVICE)
        if {project["gid"] for project in record["projects"]} != {broken}
    }
    assert gids(said, "tasks") == sorted(elsewhere)
    for stream in ("tasks", "stories"):
        error = said.errors()[stream]
        assert error["failure_type"] == "transient_error"
        assert "stack_trace" not in error
        assert said.statuses(stream)[-1] == "INCOMPLETE"
        assert all(broken not in json.dumps(state) for state in said.states(stream))
        assert "__ab_full_refresh_sync_complete" not in json.dumps(said.states(stream))
    assert broken in said.logs("ERROR")[0]
    assert said.statuses("sections")[-1] == "COMPLETE"
    assert said.exit_status == 1


@pytest.mark.parametrize("workers", [1, 25])
def test_a_429_pauses_every_worker(asana: AsanaEmulator, workers: int) -> None:
    asana.controls.fail("/tasks/{task_gid}/stories", 429, retry_after=1, after=3)
    said = read(asana, "stories", workers=workers)
    assert gids(said, "stories") == truth(asana, "stories")
    assert asana.ledger.by_status()[429] == 1


def test_an_expired_offset_costs_no_record_and_repeats_none(
    small_with_expiring_offsets: AsanaEmulator,
) -> None:
    asana = small_with_expiring_offsets
    said = read(asana, "tasks")
    assert asana.ledger.by_status()[400] == 2
    assert gids(said, "tasks") == truth(asana, "tasks")
    assert said.exit_status == 0


@pytest.fixture
def crowded(asana: AsanaEmulator) -> AsanaEmulator:
    """The sample account, with two pages of tasks in two sections of a project."""
    project = projects(asana)[0]
    sections = asana.account.listing(asana.account.people[SERVICE], "sections", project)
    for number in range(140):
        asana.account.create_task(project, f"Step {number}", section=sections[number % 2])
    return asana


@pytest.mark.parametrize("after", [1, 120], ids=["at once", "on a later page"])
def test_a_truncated_list_of_tasks_is_read_section_by_section(
    crowded: AsanaEmulator, after: int
) -> None:
    project = projects(crowded)[0]
    crowded.controls.truncate(f"/tasks?project={project}", after)
    said = read(crowded, "tasks")
    assert gids(said, "tasks") == truth(crowded, "tasks")
    assert said.exit_status == 0
    by_section = [r for r in crowded.ledger.requests if "section" in r.query]
    sections = [s for s in crowded.expected("sections", SERVICE) if s["project"]["gid"] == project]
    assert len(by_section) == len(sections)


def test_a_truncated_section_is_reported_and_not_treated_as_complete(
    crowded: AsanaEmulator,
) -> None:
    crowded.controls.truncate("/tasks", 60)
    said = read(crowded, "tasks", "users")
    error = said.errors()["tasks"]
    assert error["failure_type"] == "system_error"
    assert "too large" in error["message"]
    assert said.statuses("tasks")[-1] == "INCOMPLETE"
    assert said.statuses("users")[-1] == "COMPLETE"


def test_an_invalid_request_fails_its_stream_with_asanas_message(
    asana: AsanaEmulator,
) -> None:
    asana.controls.deny("/tags", 400)
    said = read(asana, "tags", "users")
    assert said.errors()["tags"]["failure_type"] == "system_error"
    assert "Bad Request" in said.errors()["tags"]["message"]
    assert said.statuses("users")[-1] == "COMPLETE"


def test_a_listing_with_offsets_that_never_work_fails_its_stream_and_ends(
    crowded: AsanaEmulator,
) -> None:
    crowded.controls.fail("/tasks", "expired_offset", times=None)
    said = read(crowded, "tasks")
    assert said.errors()["tasks"]["failure_type"] == "system_error"
    assert crowded.ledger.by_status()[400] == 4


def test_a_token_revoked_midway_ends_the_sync_at_once(asana: AsanaEmulator) -> None:
    token = asana.tokens.pat(SERVICE)
    asana.controls.interrupt(
        "/tasks/{task_gid}/stories", lambda: asana.tokens.revoke(token), after=3
    )
    said = read(asana, "stories", "users", "tasks")
    assert said.exit_status == 1
    assert said.statuses("stories")[-1] == "INCOMPLETE"
    (error,) = said.errors().values()
    assert error["failure_type"] == "config_error"
    assert "Create a new personal access token" in error["message"]
    assert (
        asana.ledger.by_status()[401] <= 10 + 1
    )  # one for each worker, and one check of the token


def test_the_sync_ends_if_asana_stops_answering(asana: AsanaEmulator) -> None:
    asana.controls.fail("/*", 503, times=None, after=4)
    said = read(asana, "stories", "workspaces", patience=0.1, workers=1)
    assert said.exit_status == 1
    assert said.errors()[None]["failure_type"] == "transient_error"
    assert said.statuses("stories")[-1] == "INCOMPLETE"
    assert said.statuses("workspaces")[-1] == "COMPLETE"
    assert asana.ledger.by_status()[503] < len(truth(asana, "tasks"))


@pytest.mark.parametrize("workers", [1, 25])
def test_a_listing_that_always_fails_is_given_up_and_the_others_continue(
    asana: AsanaEmulator, workers: int
) -> None:
    asana.controls.fail("/tasks/{task_gid}/stories", 500, times=None)
    said = read(asana, "stories", "tasks", "attachments", patience=0.1, workers=workers)
    assert said.errors().keys() == {"stories"}
    assert said.errors()["stories"]["failure_type"] == "transient_error"
    for stream in ("tasks", "attachments"):
        assert gids(said, stream) == truth(asana, stream)
        assert said.statuses(stream)[-1] == "COMPLETE"
    (once,) = (line for line in said.logs("ERROR") if "stops requesting it" in line)
    assert once.startswith("stories: ")
    if workers == 1:
        asked = {r.path for r in asana.ledger.requests if r.path.endswith("stories")}
        under_way_meanwhile = 5  # requests of a worker until it stops; mostly none
        assert (
            MAX_CONSECUTIVE_FAILURES <= len(asked) <= MAX_CONSECUTIVE_FAILURES + under_way_meanwhile
        )


def test_unknown_streams_are_reported_and_the_others_read(asana: AsanaEmulator) -> None:
    said = read(asana, "tags", "goals_of_life")
    assert said.errors()["goals_of_life"]["failure_type"] == "config_error"
    assert "Refresh the connection's schema" in said.errors()["goals_of_life"]["message"]
    assert gids(said, "tags") == truth(asana, "tags")
    assert said.exit_status == 1


@pytest.mark.parametrize("stream", STREAMS)
def test_no_token_is_in_any_output_whatever_happens(asana: AsanaEmulator, stream: str) -> None:
    token = asana.tokens.pat(SERVICE)
    asana.controls.fail("/*", 500, probability=0.1, times=None)
    asana.controls.fail("/*", "html", probability=0.1, times=None)
    asana.controls.deny("/tasks", 403)
    assert token not in read(asana, stream, patience=0.1).text


def test_a_missing_export_is_reported_and_the_others_are_read(
    asana: AsanaEmulator,
) -> None:
    exports, unknown = asana.account.organization_exports, "1216000000000999"
    config = config_for(asana, organization_export_ids=[unknown, *exports])
    said = run("read", asana, config, catalog_of(["organization_exports"]))
    assert gids(said, "organization_exports") == sorted(exports)
    assert said.exit_status == 0
    named, summary = said.logs("WARN")
    assert named.startswith(f"organization_exports: skipped organization export {unknown} (404")
    what = f"organization_exports: skipped 1 of {len(exports) + 1} requests (1 with 404). "
    assert summary == what + advice_on(404)


def test_the_error_tells_a_guest_without_access_to_exports_what_to_do(asana: AsanaEmulator) -> None:
    exports = asana.account.organization_exports
    config = config_for(asana, "restricted", organization_export_ids=exports)
    said = run("read", asana, config, catalog_of(["organization_exports", "tasks"]))
    error = said.errors()["organization_exports"]
    assert error["failure_type"] == "config_error"
    assert "use a service account token" in error["message"]
    seen = sorted(record["gid"] for record in asana.expected("tasks", "restricted"))
    assert gids(said, "tasks") == seen


def test_each_stream_reports_a_refused_workspace_and_reads_the_other_one(
    asana: AsanaEmulator,
) -> None:
    refused = asana.expected("workspaces", SERVICE)
    *_, workspace = (record["gid"] for record in refused)
    asana.controls.deny(workspace, 403)
    said = read(asana, "projects", "tags", "tasks")
    assert said.exit_status == 0
    for stream in ("projects", "tags", "tasks"):
        elsewhere = [
            record["gid"]
            for record in asana.expected(stream, SERVICE)
            if record["workspace"]["gid"] != workspace
        ]
        assert gids(said, stream) == sorted(elsewhere)
    for listing in ("projects", "tags"):
        assert f"{listing}: skipped workspace {workspace} (403 from Asana: Forbidden)" in (
            said.logs("WARN")
        )
        what = f"{listing}: skipped 1 of 2 requests (1 with 403). "
        assert what + advice_on(403) in said.logs("WARN")


# -- OAuth ----------------------------------------------------------------------------------------

OAUTH = Trouble("nothing", uses_oauth=True)


def test_a_refused_refresh_token_ends_the_sync_at_once_with_one_message(
    asana: AsanaEmulator,
) -> None:
    config = config_of(asana, OAUTH, workers=25)
    asana.controls.fail(TOKEN_PATH, "invalid_grant", times=None, after=1)
    asana.controls.interrupt(
        "/tasks/{task_gid}/stories", asana.tokens.expire_access_tokens, after=3
    )
    said = run("read", asana, config, catalog_of(["workspaces", "stories"]))
    ((stream, error),) = said.errors().items()
    assert stream is None
    assert error["failure_type"] == "config_error"
    assert "Authenticate again" in error["message"]
    assert said.statuses("workspaces")[-1] == "COMPLETE"
    assert said.statuses("stories")[-1] == "INCOMPLETE"
    assert asana.ledger.count(TOKEN_PATH) == 2
    assert asana.tokens.refresh_token not in said.text


@pytest.mark.parametrize("kind", [503, "reset", "hang"], ids=str)
def test_a_token_endpoint_that_is_down_ends_the_sync_when_patience_does(
    asana: AsanaEmulator, kind: int | Mishap
) -> None:
    config = config_of(asana, OAUTH, workers=25)
    asana.controls.fail(TOKEN_PATH, kind, times=None, seconds=30)
    said = run("read", asana, config, catalog_of(["tags"]), patience=0.1, answer_seconds=0.3)
    ((_, error),) = said.errors().items()
    assert error["failure_type"] == "transient_error"
    assert "Cannot get an access token" in error["message"]
    assert 2 <= asana.ledger.count(TOKEN_PATH) <= 4
    assert said.statuses("tags")[-1] == "INCOMPLETE"


@pytest.mark.parametrize("command", ["read", "check"])
def test_a_refresh_token_that_asana_replaces_is_returned_with_the_whole_config(
    asana: AsanaEmulator, command: str
) -> None:
    config = config_of(asana, OAUTH, workers=3)
    asana.tokens.rotate_refresh_token = True
    said = run(command, asana, config, catalog_of(["tags"]) if command == "read" else None)
    (control,) = said.of_type("CONTROL")
    given = {**config["credentials"], "refresh_token": asana.tokens.refresh_token}
    assert control["control"]["connectorConfig"]["config"] == {**config, "credentials": given}
    assert said.exit_status == 0
    again = run("read", asana, {**config, "credentials": given}, catalog_of(["tags"]))
    assert gids(again, "tags") == truth(asana, "tags")


# -- the quota ------------------------------------------------------------------------------------


def test_a_sync_that_waits_for_asanas_quota_says_so_and_until_when(asana: AsanaEmulator) -> None:
    asana.controls.fail("/tasks/{task_gid}/stories", 429, retry_after=2, after=20)
    config = config_for(asana, num_workers=25, requests_per_minute=None)
    began = int(1000 * time.time())
    said = run("read", asana, config, catalog_of(["tasks", "stories"]))
    for stream in ("tasks", "stories"):
        assert gids(said, stream) == truth(asana, stream)
    assert asana.ledger.by_status()[429] == 1
    assert [line for line in said.logs("INFO") if line.startswith("Asana rate limit reached")]
    told = [
        (status["status"], status["reasons"][0])
        for trace in said.traces("STREAM_STATUS")
        if (status := trace["trace"]["stream_status"]).get("reasons")
    ]
    assert told
    for status, reason in told:
        assert (status, reason["type"]) == ("RUNNING", "RATE_LIMITED")
        assert reason["rate_limited"]["quota_reset"] > began
