"""A probe reports where Asana differs from the assumptions, and no data of the account."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from airbyte_cdk.utils import AirbyteTracedException

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.asana_emulator.oddities import ABSENT, with_numeric_gids, with_value
from integration_tests.reading import PROGRAM_SECONDS, SERVICE, config_for, oauth_config
from source_asana.airbyte.errors import ConfigError, OutOfTime
from source_asana.probe.asking import MOST_REQUESTS, MOST_UNANSWERED, Overheard
from source_asana.probe.assumptions import ASSUMPTIONS, Assumption
from source_asana.probe.findings import Finding, Verdict
from source_asana.probe.report import entry
from source_asana.probing import AsanaProbe
from source_asana.streams.declared import STREAMS

pytestmark = pytest.mark.once

PAGE = Path(__file__).parents[1] / "docs" / "assumptions.md"
PEOPLE = {SERVICE: 77, "member": 76, "restricted": 61, "outsider": 4}
"""Who may probe the sample account, and the number of requests that it takes."""

NOWHERE = "http://127.0.0.1:9"
LOGGER = logging.getLogger("probe")


class Told(NamedTuple):
    """The output of one run of the program."""

    report: str
    complaint: str
    exit_status: int


def probing(
    asana: AsanaEmulator | str, config: Any, assumptions: Iterable[Assumption] = ASSUMPTIONS
) -> Iterator[Finding]:
    url = asana if isinstance(asana, str) else asana.url
    source = AsanaProbe(asana_url=url, patience=0)
    return source.findings(LOGGER, config, Overheard(), assumptions)


def probed(asana: AsanaEmulator, person: str = SERVICE, **config: Any) -> dict[str, Finding]:
    """The findings by their key."""
    found = {}
    try:
        for finding in probing(asana, config_for(asana, person, **config)):
            found[finding.key] = finding
    except ConfigError as error:
        assert "sees no workspace" in str(error)  # noqa: PT017 - an outsider's report is whole too
    return found


def command(folder: Path, config: Any, *arguments: str) -> list[str | Path]:
    file = folder / "config.json"
    file.write_text(config if isinstance(config, str) else json.dumps(config))
    return [Path(sys.executable).with_name("source-asana"), "probe", "--config", file, *arguments]


def program(asana: AsanaEmulator, folder: Path, config: Any, *arguments: str) -> Told:
    done = subprocess.run(
        command(folder, config, *arguments),
        env={**os.environ, "ASANA_BASE_URL": asana.url},
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )
    return Told(done.stdout, done.stderr, done.returncode)


# What may not be in a report


def values(value: Any) -> Iterator[str]:
    """Each text and number inside, as text."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from values(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from values(inner)
    elif isinstance(value, str):
        yield value


def is_the_accounts_own(text: str) -> bool:
    """Whether it is not one of Asana's own words: those are lower case, as in `comment_added`."""
    return len(text) > 3 and not re.fullmatch(r"[a-z][a-z_-]*", text)


def private_texts(asana: AsanaEmulator) -> set[str]:
    """Every gid, name and text of the account, and every secret that gives access to it."""
    exports = asana.account.organization_exports
    found = {
        text
        for person in asana.tokens.names
        for stream in STREAMS
        for record in asana.expected(stream, person, export_ids=exports)
        for text in values(record)
        if is_the_accounts_own(text)
    }
    tokens = {asana.tokens.pat(person) for person in asana.tokens.names}
    return found | tokens | {asana.tokens.client_secret, asana.tokens.refresh_token}


@pytest.fixture(scope="module")
def private(untouched: AsanaEmulator) -> set[str]:
    found = private_texts(untouched)
    assert len(found) > 500
    return found


def assert_reports_nothing_private(report: str, private: set[str]) -> None:
    assert [text for text in private if text in report] == []
    assert re.findall(r"[0-9]{10,}|Bearer|Traceback|https?:", report) == []


# The account as it is


@pytest.mark.parametrize("person", PEOPLE)
def test_every_assumption_holds_or_is_not_visible(
    sample: AsanaEmulator, private: set[str], person: str
) -> None:
    found = probed(sample, person)
    assert list(found) == [assumption.key for assumption in ASSUMPTIONS]
    verdicts = {finding.verdict for finding in found.values()}
    assert verdicts == {Verdict.HOLDS, Verdict.NOT_VISIBLE}
    assert sample.ledger.count() == PEOPLE[person] <= MOST_REQUESTS
    assert_reports_nothing_private("".join(map(entry, found.values())), private)


def test_a_service_account_sees_nearly_everything(sample: AsanaEmulator) -> None:
    found = probed(sample)
    unseen = {key for key, finding in found.items() if finding.verdict is Verdict.NOT_VISIBLE}
    assert unseen == {
        *("inline_stories", "inline_subtasks", "retry_after"),
        "workspace_events",
    }


def test_a_probe_only_reads(sample: AsanaEmulator) -> None:
    probed(sample)
    assert {request.method for request in sample.ledger.requests} == {"GET"}


def test_a_probe_repeats_a_request_only_to_compare(sample: AsanaEmulator) -> None:
    probed(sample)
    assert all("page at" in page for page in sample.ledger.duplicates())
    asked = [(request.path, tuple(request.query.items())) for request in sample.ledger.requests]
    repeated = {path for path, query in asked if asked.count((path, query)) > 1}
    assert repeated == {"/events"}


def test_the_project_with_the_most_tasks_is_chosen_of_three(asana: AsanaEmulator) -> None:
    (first, *others) = (
        record["gid"]
        for record in sorted(
            asana.expected("projects", SERVICE), key=lambda p: p["modified_at"], reverse=True
        )
        if not record["archived"] and record["workspace"]["gid"] == _organization(asana)
    )
    asana.controls.alter(f"/tasks?project={first}", lambda tasks: tasks[:1])
    probed(asana)
    queries = [request.query for request in asana.ledger.requests]
    tried = [q["project"] for q in queries if q.get("limit") == "100" and "project" in q]
    assert list(dict.fromkeys(tried))[:3] == [first, *others][:3]
    (chosen,) = {query["resource"] for query in queries if "resource" in query}
    assert chosen == others[1]  # which has two tasks; the other one has none


def _organization(asana: AsanaEmulator) -> str:
    found = asana.expected("workspaces", SERVICE)
    return str(next(one["gid"] for one in found if one["is_organization"]))


def test_a_user_chooses_the_workspace_and_the_project(sample: AsanaEmulator) -> None:
    (small,) = (
        w["gid"] for w in sample.expected("workspaces", SERVICE) if not w["is_organization"]
    )
    (project,) = (
        p["gid"] for p in sample.expected("projects", SERVICE) if p["workspace"]["gid"] == small
    )
    probed(sample, workspace_gids=[small], project_gids=[project])
    listed = {r.query["project"] for r in sample.ledger.requests if "project" in r.query}
    assert listed == {project}
    assert {r.query["workspace"] for r in sample.ledger.requests if "workspace" in r.query} == {
        small
    }


# Differences from the assumptions


class Deviation(NamedTuple):
    """A difference of the emulator, and the assumption that it contradicts."""

    key: str
    tell: Callable[[AsanaEmulator], object]


def altered(key: str, pattern: str, change: Callable[[Any], Any]) -> Deviation:
    return Deviation(key, lambda asana: asana.controls.alter(pattern, change))


def failing(key: str, pattern: str, kind: Any, **when: Any) -> Deviation:
    when = {"times": None, **when}
    return Deviation(key, lambda asana: asana.controls.fail(pattern, kind, **when))


def controlled(key: str, control: str, value: Any) -> Deviation:
    return Deviation(key, lambda asana: setattr(asana.controls, control, value))


def wrong_body(key: str, pattern: str, **when: Any) -> Deviation:
    return failing(key, pattern, "odd_data", data=[], **when)


def workspace_events_at_once(asana: AsanaEmulator) -> None:
    asana.controls.workspace_events = True
    asana.controls.fail("/workspaces/*/events", "odd_data", data=[], times=None)


DEVIATIONS = [
    failing("unknown_fields_ignored", "/users/me?opt_fields=*no_such_field", 400),
    failing("unknown_gid", "/projects/999999999999999", 403),
    failing("unknown_gid", "/projects/999999999999999", 400),
    altered("is_organization", "/workspaces", with_value("is_organization", value=False)),
    controlled("archived_included", "assumed_parameters", {"/projects": {"archived": "false"}}),
    controlled("archived_excluded", "ignored_parameters", frozenset({"archived"})),
    altered("task_times", "/tasks?project=*", with_value("modified_at", None)),
    altered("task_times", "/tasks?project=*", with_value("created_at", ABSENT)),
    altered("num_subtasks", "/tasks?project=*", with_value("num_subtasks", None)),
    altered("num_subtasks", "/tasks?project=*", with_value("num_subtasks", "2")),
    altered("num_subtasks_counts", "/tasks?project=*", with_value("num_subtasks", 7)),
    altered("num_subtasks_counts", "/tasks/*/subtasks", lambda _: []),
    altered("tasks_in_sections", "/tasks?project=*", with_value("memberships", [])),
    altered("modified_since_inclusive", "/tasks?modified_since=*", lambda _: []),
    altered("modified_since_inclusive", "/tasks?modified_since=*", lambda tasks: tasks[1:]),
    controlled("modified_since_older", "ignored_parameters", frozenset({"modified_since"})),
    failing("tasks_of_a_section", "/tasks?section=*", 400),
    failing("audit_log_end", "/workspaces/*/audit_log_events?offset=*", "same_offset"),
    altered("owner_names", "/projects", with_value("owner.name", ABSENT)),
    failing("tasks_of_a_user", "/tasks?assignee=*", 400),
    controlled("inline_attachments", "inline_children", {"attachments": 0}),
    controlled("inline_attachments", "inline_children", {"attachments": 1}),
    controlled("inline_stories", "inline_children", {"stories": 1}),
    controlled("inline_subtasks", "inline_children", {"subtasks": 1}),
    altered("story_target", "/stories/{story_gid}", with_value("target", None)),
    altered("attachment_parent", "/attachments/{attachment_gid}", with_value("parent", ABSENT)),
    failing("offset", "/tasks?offset=*", "same_offset"),
    failing("offset", "/tasks?offset=*", 400),
    failing("damaged_offset", "/tasks?offset=*", 404),
    failing("damaged_offset", "/tasks?offset=*", "same_offset"),
    failing("offset_of_another_limit", "/tasks?offset=*&limit=2", "same_offset"),
    failing("offset_of_another_limit", "/tasks?offset=*&limit=2", 404),
    failing("page_size", "/tasks?limit=50", 504),
    failing("page_size", "/tasks?limit=20", 400),
    failing("events_first", "/events", 400, times=1),
    failing("events_first", "/events", "odd_data", data=[], times=1),
    wrong_body("events_next", "/events?sync=*"),
    failing("events_next", "/events?sync=*", "old_sync_token"),
    failing("events_again", "/events?sync=*", "old_sync_token", after=1, times=1),
    failing("events_unknown_token", "/events?sync=no-such-token", 404),
    wrong_body("events_unknown_token", "/events?sync=no-such-token"),
    Deviation("workspace_events", workspace_events_at_once),
    controlled("portfolios_without_owner", "demanded_parameters", {"/portfolios": "owner"}),
    altered("created_since", "/status_updates?created_since=*", lambda _: []),
    altered(
        "time_entry_task",
        "/time_tracking_entries/{time_tracking_entry_gid}",
        with_value("task", None),
    ),
    altered(
        "custom_field_settings_inside", "/projects", with_value("custom_field_settings", ABSENT)
    ),
    altered(
        "custom_field_settings_inside",
        "/projects/*/custom_field_settings",
        lambda settings: [*settings, {"gid": "1299000000000001"}],
    ),
    *(
        failing(f"readable_{name}", path, 400)
        for name, path in {
            "custom_types": "/custom_types",
            "budgets": "/budgets",
            "rates": "/rates",
            "timesheet_approval_statuses": "/timesheet_approval_statuses",
            "time_tracking_categories": "/time_tracking_categories",
            "roles": "/roles",
        }.items()
    ),
    failing("organization_exports", "/organization_exports/*", 400),
    wrong_body("organization_exports", "/organization_exports/*"),
    altered("gids", "/tags", with_numeric_gids),
    altered("gids", "/tasks?project=*", with_value("workspace.gid", "one")),
    altered("times", "/tags", with_value("created_at", "2024-01-31 10:00:00")),
    altered("clock", "/tags", with_value("created_at", "2999-01-31T00:00:00.000Z")),
    controlled("date_header", "headers", {"Date": "yesterday"}),
    wrong_body("next_page", "/tags"),
    failing("error_envelope", "/projects/999999999999999", 404, empty=True),
    controlled(
        "no_breaking_change",
        "headers",
        {"Asana-Change": "name=new_things;info=https://example.com;affected=true"},
    ),
    controlled("rate_limit_headers", "headers", {"X-RateLimit-Remaining": "12"}),
    failing("retry_after", "/tags", 429, times=1),
    failing("retry_after", "/tags", 429, times=1, retry_after=7200),
]

LISTED = {
    "workspaces": ("/workspaces", "email_domains"),
    "projects": ("/projects", "notes"),
    "tasks": ("/tasks?project=*", "notes"),
    "subtasks": ("/tasks/*/subtasks", "notes"),
    "sections": ("/projects/*/sections", "created_at"),
    "stories": ("/tasks/*/stories", "text"),
    "attachments": ("/attachments", "size"),
    "users": ("/users", "email"),
    "tags": ("/tags", "color"),
    "custom_fields": ("/workspaces/*/custom_fields", "description"),
    "teams": ("/workspaces/*/teams", "visibility"),
    "portfolios": ("/portfolios", "color"),
    "goals": ("/goals", "status"),
    "status_updates": ("/status_updates", "text"),
    "team_memberships": ("/teams/*/team_memberships", "is_admin"),
    "project_memberships": ("/projects/*/project_memberships", "access_level"),
    "workspace_memberships": ("/workspaces/*/workspace_memberships", "is_view_only"),
    "portfolio_items": ("/portfolios/*/items", "notes"),
    "portfolios_memberships": ("/portfolio_memberships", "access_level"),
    "portfolio_memberships": ("/memberships", "access_level"),
    "goal_memberships": ("/memberships", "role"),
    "goal_relationships": ("/goal_relationships", "contribution_weight"),
    "time_periods": ("/time_periods", "period"),
    "project_briefs": ("/project_briefs/*", "text"),
    "project_templates": ("/project_templates", "color"),
    "task_templates": ("/task_templates", "template"),
    "allocations": ("/allocations", "effort"),
    "audit_log_events": ("/workspaces/*/audit_log_events", "event_category"),
}
"""How each stream is listed, and one of its columns."""

SINGLE = {
    "workspaces": "/workspaces/{workspace_gid}",
    "projects": "/projects/{project_gid}",
    "tasks": "/tasks/{task_gid}",
    "subtasks": "/tasks/{task_gid}",
    "sections": "/sections/{section_gid}",
    "stories": "/stories/{story_gid}",
    "attachments": "/attachments/{attachment_gid}",
    "users": "/users/{user_gid}",
    "tags": "/tags/{tag_gid}",
    "custom_fields": "/custom_fields/{custom_field_gid}",
    "teams": "/teams/{team_gid}",
    "portfolios": "/portfolios/{portfolio_gid}",
    "goals": "/goals/{goal_gid}",
    "status_updates": "/status_updates/{status_update_gid}",
}

DEVIATIONS += [
    altered(f"whole_{stream}", pattern, with_value(column, ABSENT))
    for stream, (pattern, column) in LISTED.items()
]
DEVIATIONS += [
    altered(f"whole_{stream}", template, with_value(LISTED[stream][1], "another"))
    for stream, template in SINGLE.items()
]


LOOK_BACK = {
    *("gids", "times", "clock", "date_header", "next_page"),
    *("error_envelope", "no_breaking_change", "rate_limit_headers", "retry_after"),
}
"""The assumptions that ask nothing: they are about all the answers before."""

IDS = [f"{each.key}-{place}" for place, each in enumerate(DEVIATIONS)]


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=IDS)
def test_a_probe_reports_a_difference(
    asana: AsanaEmulator, private: set[str], deviation: Deviation
) -> None:
    deviation.tell(asana)
    asked = [each for each in ASSUMPTIONS if each.key == deviation.key]
    if deviation.key in LOOK_BACK:
        asked = [*ASSUMPTIONS]
    found = {f.key: f for f in probing(asana, config_for(asana), asked)}
    assert found[deviation.key].verdict is Verdict.DIFFERS, found[deviation.key]
    assert asana.ledger.count() <= MOST_REQUESTS
    assert_reports_nothing_private("".join(map(entry, found.values())), private)


def test_every_assumption_has_a_difference() -> None:
    assert {each.key for each in DEVIATIONS} == {assumption.key for assumption in ASSUMPTIONS}


@pytest.mark.parametrize(
    ("key", "tell"),
    [
        controlled("inline_attachments", "inline_children", {"attachments": None}),
        controlled("inline_stories", "inline_children", {"stories": None}),
        controlled("inline_subtasks", "inline_children", {"subtasks": None}),
        controlled("offset_of_another_limit", "limit_may_change", value=True),
        controlled("workspace_events", "workspace_events", value=True),
        controlled("time_entry_task", "whole_time_entries", value=True),
        failing("retry_after", "/tags", 429, times=1, retry_after=1),
        failing("events_unknown_token", "/events?sync=no-such-token", 400),
    ],
)
def test_a_probe_reports_that_an_assumption_holds_after_all(
    asana: AsanaEmulator, key: str, tell: Callable[[AsanaEmulator], object]
) -> None:
    tell(asana)
    assert probed(asana)[key].verdict is Verdict.HOLDS


@pytest.mark.parametrize("pattern", ["/workspaces", "*"])
def test_the_error_says_that_a_token_cannot_list_workspaces(
    asana: AsanaEmulator, pattern: str
) -> None:
    asana.controls.deny(pattern)
    found = probed(asana)
    assert {f.verdict for f in found.values()} <= {*Verdict} - {Verdict.NOT_ANSWERED}
    assert found["whole_tasks"].verdict is Verdict.NOT_VISIBLE


@pytest.mark.parametrize("status", [402, 403, 404])
def test_a_refused_listing_is_not_visible(asana: AsanaEmulator, status: int) -> None:
    asana.controls.deny("/goals", status)
    found = probed(asana)
    assert found["whole_goals"].verdict is Verdict.NOT_VISIBLE
    assert found["whole_goals"].observed == f"status {status}"
    assert found["whole_goal_relationships"].verdict is Verdict.NOT_VISIBLE


def test_a_transient_failure_of_a_listing_is_not_an_answer(asana: AsanaEmulator) -> None:
    asana.controls.fail("/goals", 503, times=None)
    found = probed(asana)
    assert found["whole_goals"].verdict is Verdict.NOT_ANSWERED
    assert found["whole_goals"].observed == "status 503"
    assert found["whole_portfolios"].verdict is Verdict.HOLDS


def test_a_change_between_two_requests_is_not_a_difference(asana: AsanaEmulator) -> None:
    first = next(asana.expected("projects", SERVICE))["gid"]
    asana.controls.interrupt(
        "/projects/{project_gid}",
        lambda: asana.account.modify_project(first, notes="Changed meanwhile"),
        after=1,
    )
    found = probed(asana)
    assert found["whole_projects"].verdict is Verdict.NOT_ANSWERED


# The end of a probe


def test_no_more_than_80_requests_go_out(asana: AsanaEmulator) -> None:
    for pattern, _ in LISTED.values():
        asana.controls.fail(pattern, 503, times=1)
    found = probed(asana)
    assert asana.ledger.count() == MOST_REQUESTS
    last = found["organization_exports"]
    assert last.verdict is Verdict.NOT_ANSWERED
    assert last.observed == "the limit of requests is used up"
    assert list(found) == [assumption.key for assumption in ASSUMPTIONS]


def test_a_refused_token_ends_a_probe_with_what_to_do(asana: AsanaEmulator) -> None:
    config = config_for(asana)
    config["credentials"]["personal_access_token"] = "2/mistyped"
    with pytest.raises(AirbyteTracedException, match="Create a new personal access token"):
        list(probing(asana, config))
    assert asana.ledger.count() == 2


def test_a_token_that_is_revoked_in_the_middle_ends_a_probe(asana: AsanaEmulator) -> None:
    config = config_for(asana)
    token = config["credentials"]["personal_access_token"]
    asana.controls.interrupt("/goals", lambda: asana.tokens.revoke(token))
    findings: list[Finding] = []
    with pytest.raises(AirbyteTracedException, match="Asana refused the token"):
        findings.extend(probing(asana, config))
    assert 30 < len(findings) < len(ASSUMPTIONS)


def test_a_dead_network_ends_a_probe(asana: AsanaEmulator) -> None:
    with pytest.raises(
        AirbyteTracedException, match=r"Asana does not answer \(the connection to 127\.0\.0\.1"
    ):
        list(probing(NOWHERE, config_for(asana)))


def test_a_network_that_fails_in_the_middle_ends_a_probe(asana: AsanaEmulator) -> None:
    asana.controls.fail("*", "reset", times=None, after=20)
    with pytest.raises(AirbyteTracedException, match="Asana does not answer"):
        list(probing(asana, config_for(asana)))


def test_an_asana_that_is_down_ends_a_probe(asana: AsanaEmulator) -> None:
    asana.controls.fail("*", 503, times=None, after=20)
    why = f"status 503, {MOST_UNANSWERED} times in a row"
    with pytest.raises(AirbyteTracedException, match=why):
        list(probing(asana, config_for(asana)))
    assert asana.ledger.count() == 20 + 2 * MOST_UNANSWERED


def test_a_probe_waits_for_a_rate_limit_that_ends_soon(asana: AsanaEmulator) -> None:
    asana.controls.fail("*", 429, after=30, retry_after=1)
    found = probed(asana)
    assert found["retry_after"].observed == "1 answer 429, 0 without it"
    assert Verdict.NOT_ANSWERED not in {finding.verdict for finding in found.values()}


def test_a_probe_does_not_wait_for_a_rate_limit_that_ends_late(asana: AsanaEmulator) -> None:
    asana.controls.fail("*", 429, times=None, after=30, retry_after=2990)
    with pytest.raises(OutOfTime, match="Try again in 50 minutes"):
        list(probing(asana, config_for(asana)))
    assert asana.ledger.count() == 31


# The program


def test_the_program_prints_a_report(
    sample: AsanaEmulator, private: set[str], tmp_path: Path
) -> None:
    told = program(sample, tmp_path, config_for(sample))
    assert (told.complaint, told.exit_status) == ("", 0)
    lines = told.report.splitlines()
    first = ASSUMPTIONS[0]
    assert re.fullmatch(r"source-asana .*: what the connector assumes about Asana", lines[0])
    assert lines[2:5] == [
        f"[holds] {first.title}",
        "    observed: status 200",
        f"    if it differs: {first.otherwise}",
    ]
    assert re.fullmatch(
        r"77 assumptions\. holds: 73; differs: 0; not visible to this token: 4; not answered: 0\. "
        r"77 requests, [0-9.]+ s\.",
        lines[-1],
    )
    assert told.report.count("if it differs: ") == len(ASSUMPTIONS)
    assert_reports_nothing_private(told.report, private)


def test_the_program_prints_a_json_object(
    sample: AsanaEmulator, private: set[str], tmp_path: Path
) -> None:
    told = program(sample, tmp_path, config_for(sample), "--json")
    assert (told.complaint, told.exit_status) == ("", 0)
    report = json.loads(told.report)
    assert (report["complete"], report["ended"]) == (True, None)
    assert report["requests"] == sample.ledger.count() == PEOPLE[SERVICE]
    assert [found["key"] for found in report["findings"]] == [each.key for each in ASSUMPTIONS]
    assert {tuple(found) for found in report["findings"]} == {
        ("key", "assumption", "observed", "verdict", "if_it_differs")
    }
    assert_reports_nothing_private(told.report, private)


@pytest.mark.parametrize("arguments", [[], ["--json"]], ids=["text", "json"])
def test_the_program_says_in_one_line_why_a_report_is_not_complete(
    sample: AsanaEmulator, private: set[str], tmp_path: Path, arguments: list[str]
) -> None:
    told = program(sample, tmp_path, config_for(sample, "outsider"), *arguments)
    assert told.exit_status == 1
    assert re.fullmatch("This token sees no workspace.*\n", told.complaint)
    assert_reports_nothing_private(told.report + told.complaint, private)
    if arguments:
        assert json.loads(told.report)["ended"] == told.complaint.strip()
        assert json.loads(told.report)["complete"] is False


@pytest.mark.parametrize("config", ["{", '{"credentials": {}}'])
def test_the_program_says_what_is_wrong_with_a_config(
    sample: AsanaEmulator, tmp_path: Path, config: str
) -> None:
    told = program(sample, tmp_path, config)
    assert told.exit_status == 1
    assert "Traceback" not in told.complaint
    assert told.complaint.count("\n") == 1
    assert "config" in told.complaint or "credentials" in told.complaint
    assert sample.ledger.count() == 0


def test_a_new_refresh_token_is_saved_in_the_config(asana: AsanaEmulator, tmp_path: Path) -> None:
    asana.tokens.rotate_refresh_token = True
    config = oauth_config(asana)
    told = program(asana, tmp_path, {**config, "requests_per_minute": 60_000})
    assert (told.complaint, told.exit_status) == ("", 0)
    written = json.loads((tmp_path / "config.json").read_text())
    assert written["credentials"]["refresh_token"] == asana.tokens.refresh_token
    assert config["credentials"]["refresh_token"] != asana.tokens.refresh_token
    assert written["requests_per_minute"] == 60_000
    assert_reports_nothing_private(told.report, {asana.tokens.refresh_token})


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_probe_can_be_canceled(
    asana: AsanaEmulator, tmp_path: Path, signal_number: signal.Signals
) -> None:
    asana.controls.fail("/tasks", "hang", seconds=60)
    with subprocess.Popen(
        command(tmp_path, config_for(asana)),
        env={**os.environ, "ASANA_BASE_URL": asana.url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        while "archived" not in running.stdout.readline():
            pass
        running.send_signal(signal_number)
        report, complaint = running.communicate(timeout=PROGRAM_SECONDS)
    assert complaint == "Probe canceled.\n"
    assert running.returncode == 128 + signal_number
    assert "assumptions. holds: " in report


# The page


def page_rows(page: str) -> Sequence[str]:
    table = page.rpartition("|:--|:--|\n")[2]
    return [line for line in table.splitlines() if line.startswith("| ")]


def test_the_page_lists_every_assumption(pytestconfig: pytest.Config) -> None:
    rows = [f"| {each.title} | {each.otherwise} |" for each in ASSUMPTIONS]
    page = PAGE.read_text(encoding="utf-8")
    if pytestconfig.getoption("--update-golden"):
        head = page.rpartition("|:--|:--|\n")[0]
        page = "\n".join([f"{head}|:--|:--|", *rows, ""])
        PAGE.write_text(page, encoding="utf-8")
    assert page_rows(page) == rows
