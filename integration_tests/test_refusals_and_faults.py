"""What happens when Asana does not give what was asked for."""

import json

import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.reading import SERVICE, Said, catalog_of, config_for, run
from source_asana.streams import STREAMS

BELOW_PROJECTS = ["sections", "tasks", "subtasks", "stories", "attachments"]


def read(asana: AsanaEmulator, *streams: str, patience: float = 300.0, workers: int = 10) -> Said:
    config = config_for(asana, num_workers=workers)
    return run("read", asana, config, catalog_of(streams), patience=patience)


def gids(said: Said, stream: str) -> list[str]:
    return sorted(record["gid"] for record in said.records()[stream])


def truth(asana: AsanaEmulator, stream: str) -> list[str]:
    return sorted(record["gid"] for record in asana.expected(stream, SERVICE))


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
    (warning,) = (line for line in said.logs("WARN") if "skipped, for" in line)
    assert warning.startswith(f"sections: project {forbidden} skipped, for Asana says {status}")
    (summary,) = (line for line in said.logs("WARN") if "skipped (" in line)
    assert summary == f"sections: 1 of {len(projects(asana))} skipped (1 times {status})"


@pytest.mark.parametrize(
    ("status", "advice"),
    [(402, "higher plan"), (403, "give them access"), (404, "may see"), (451, "legal reasons")],
)
def test_a_stream_that_is_refused_everywhere_is_not_an_empty_table(
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


def test_what_is_below_a_listing_that_is_refused_everywhere_is_not_an_empty_table_either(
    asana: AsanaEmulator,
) -> None:
    asana.controls.deny("/portfolios", 402)
    said = read(asana, "portfolio_items", "portfolios_memberships", "tags")
    for stream in ("portfolio_items", "portfolios_memberships"):
        assert said.statuses(stream) == ["STARTED", "INCOMPLETE"]
        assert said.errors()[stream]["failure_type"] == "config_error"
        assert "portfolios are not" in said.errors()[stream]["message"]
    assert said.statuses("tags")[-1] == "COMPLETE"


def test_warnings_do_not_flood_the_log_but_all_are_counted(asana: AsanaEmulator) -> None:
    tasks = truth(asana, "tasks")
    for gid in tasks[:-1]:
        asana.controls.deny("/tasks/{task_gid}/stories", 403, only=gid)
    said = read(asana, "stories")
    named = [line for line in said.logs("WARN") if "skipped, for" in line]
    assert len(named) == 10
    summary = said.logs("WARN")[-1]
    assert summary.startswith(f"stories: {len(tasks) - 1} of ")


def test_a_project_that_fails_leaves_the_others_whole(asana: AsanaEmulator) -> None:
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


@pytest.mark.parametrize("kind", [500, 503, "reset", "truncated", "half_json", "html"], ids=str)
def test_a_passing_fault_costs_no_record(asana: AsanaEmulator, kind: int | str) -> None:
    fault = asana.controls.fail("/tasks", kind, times=2)  # type: ignore[arg-type]
    said = read(asana, *BELOW_PROJECTS)
    assert fault.happened == 2
    for stream in BELOW_PROJECTS:
        assert gids(said, stream) == truth(asana, stream)
    assert said.exit_status == 0


@pytest.mark.parametrize("workers", [1, 25])
def test_a_429_holds_every_worker(asana: AsanaEmulator, workers: int) -> None:
    asana.controls.fail("/tasks/{task_gid}/stories", 429, retry_after=1, after=3)
    said = read(asana, "stories", workers=workers)
    assert gids(said, "stories") == truth(asana, "stories")
    assert asana.ledger.by_status()[429] == 1


def test_an_offset_that_expires_costs_no_record_and_brings_none_twice(
    small_with_expiring_offsets: AsanaEmulator,
) -> None:
    asana = small_with_expiring_offsets
    said = read(asana, "tasks")
    assert asana.ledger.by_status()[400] == 2
    assert gids(said, "tasks") == truth(asana, "tasks")
    assert said.exit_status == 0


def test_a_listing_that_asana_cuts_is_said_and_not_taken_for_whole(asana: AsanaEmulator) -> None:
    asana.controls.deny("/tags", 400)
    said = read(asana, "tags", "users")
    assert said.errors()["tags"]["failure_type"] == "system_error"
    assert said.statuses("tags")[-1] == "INCOMPLETE"
    assert said.statuses("users")[-1] == "COMPLETE"


def test_a_token_that_is_revoked_midway_ends_the_sync_at_once(asana: AsanaEmulator) -> None:
    token = asana.tokens.pat(SERVICE)
    asana.controls.interrupt(
        "/tasks/{task_gid}/stories", lambda: asana.tokens.revoke(token), after=3
    )
    said = read(asana, "stories", "users", "tasks")
    assert said.exit_status == 1
    assert said.statuses("stories")[-1] == "INCOMPLETE"
    (error,) = said.errors().values()
    assert error["failure_type"] == "config_error"
    assert "create a new personal access token" in error["message"]
    assert asana.ledger.by_status()[401] <= 10


def test_asana_that_does_not_answer_any_more_ends_the_sync(asana: AsanaEmulator) -> None:
    asana.controls.fail("/*", 503, times=None, after=4)
    said = read(asana, "stories", "workspaces", patience=0.1, workers=1)
    assert said.exit_status == 1
    assert said.errors()[None]["failure_type"] == "transient_error"
    assert said.statuses("stories")[-1] == "INCOMPLETE"
    assert said.statuses("workspaces")[-1] == "COMPLETE"
    assert asana.ledger.by_status()[503] < len(truth(asana, "tasks"))


def test_streams_that_do_not_exist_are_named_and_the_others_read(asana: AsanaEmulator) -> None:
    said = read(asana, "tags", "goals_of_life")
    assert said.errors()["goals_of_life"]["failure_type"] == "config_error"
    assert "refresh the connection's schema" in said.errors()["goals_of_life"]["message"]
    assert gids(said, "tags") == truth(asana, "tags")
    assert said.exit_status == 1


@pytest.mark.parametrize("stream", STREAMS)
def test_no_token_is_in_any_output_whatever_happens(asana: AsanaEmulator, stream: str) -> None:
    token = asana.tokens.pat(SERVICE)
    asana.controls.fail("/*", 500, probability=0.1, times=None)
    asana.controls.fail("/*", "html", probability=0.1, times=None)
    asana.controls.deny("/tasks", 403)
    assert token not in read(asana, stream, patience=0.1).text
