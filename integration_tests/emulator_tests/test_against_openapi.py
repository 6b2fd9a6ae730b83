"""Compares the emulator with Asana's OpenAPI document, if that is next to the project.

The path is `../shared/asana_oas.yaml`, or the value of `ASANA_OPENAPI`.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import requests
import yaml
from jsonschema import Draft202012Validator, FormatChecker

from integration_tests.asana_emulator import Account, AsanaEmulator, Viewer, make_account
from integration_tests.asana_emulator.documented import TABLE, operation
from integration_tests.asana_emulator.endpoints import (
    AUDIT_LOG,
    DOCUMENTED_TEMPLATES,
    EVENTS,
    WORKSPACE_EVENTS,
)
from integration_tests.asana_emulator.exports import JOB_FIELDS
from integration_tests.asana_emulator.from_openapi import OpenApi, Schema, made_from, written
from integration_tests.emulator_tests.asking import DOCUMENT
from integration_tests.emulator_tests.test_exports import begin, ended, job_of

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not DOCUMENT.exists(), reason="Asana's OpenAPI document is absent"),
]

# Where the document is stricter than Asana: field, what else may be there, why.
WIDER: dict[str, tuple[dict[str, Any], str]] = {
    "precision": ({"type": "null"}, "only numbers have one"),
    "team": ({"type": "null"}, "a project in a plain workspace has none"),
    "name": ({"type": "null"}, "invited people who have not joined have none"),
    "created_by": ({"type": "null"}, "system stories have no creator"),
    "EventResponse.user": ({"type": "null"}, "system events have no user, as described"),
    "EventResponse.parent": ({"type": "null"}, "only added and removed have one, it says as well"),
    "old_text_value": ({"type": "null"}, "the field was empty before"),
    "new_text_value": ({"type": "null"}, "the field is empty now"),
    "old_date_value": ({"type": "null"}, "the field was empty before"),
    "new_date_value": ({"type": "null"}, "the field is empty now"),
    "old_enum_value": ({"type": "null"}, "the field was empty before"),
    "new_enum_value": ({"type": "null"}, "the field is empty now"),
    "date_value.date_time": ({"type": "null"}, "a date without a time has none"),
    "old_number_value": ({"type": "number"}, "a number field may have decimals"),
    "new_number_value": ({"type": "number"}, "a number field may have decimals"),
    "attributable_to": ({"type": "null"}, "not all time is spent for a project"),
    "is_commenter": ({"type": "null"}, "always null by now, says the description"),
    "is_editor": ({"type": "null"}, "always null by now, says the description"),
    "email_domains[]": ({"type": "string"}, "a domain is no URI"),
}
# Asana pages these, although the document omits where the next page begins: it mentions
# the offset that a page returns.
FORGOTTEN_NEXT_PAGE = {"/task_templates"}
# Resources of events carry their subtype, as the guide to webhooks shows.
EXTRA = {
    "EventResponse.resource": {"resource_subtype": {"type": "string"}},
    "EventResponse.parent": {"resource_subtype": {"type": "string"}},
}


@cache
def openapi() -> OpenApi:
    return OpenApi(yaml.load(DOCUMENT.read_text(), Loader=yaml.CSafeLoader))


@pytest.fixture(scope="module")
def asana() -> Iterator[AsanaEmulator]:
    with AsanaEmulator(make_account("small")) as running:
        yield running


def test_the_table_of_documented_operations_matches_the_document() -> None:
    assert TABLE.read_text() == written(made_from(openapi().document, DOCUMENTED_TEMPLATES))


@pytest.mark.parametrize("template", DOCUMENTED_TEMPLATES)
def test_every_emulated_path_is_documented(template: str) -> None:
    assert "get" in openapi().document["paths"][template]


# --- responses ----------------------------------------------------------------------------------

formats = FormatChecker(())


@formats.checks("date-time")
def is_instant(value: object) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(value)) is not None


@formats.checks("date")
def is_date(value: object) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)) is not None


@formats.checks("uri")
def is_uri(value: object) -> bool:
    return str(value).startswith(("http://", "https://"))


def strict(schema: Schema, path: str) -> dict[str, Any]:
    """The schema as JSON Schema, all parts merged; an object may have only documented fields."""
    facts = _merged(schema)
    made: dict[str, Any] = {key: facts[key] for key in ("type", "format", "enum") if key in facts}
    if "items" in facts:
        made["items"] = strict(facts["items"], f"{path}[]")
    elif properties := openapi().properties(schema):
        described = {name: strict(found, f"{path}.{name}") for name, found in properties.items()}
        made["properties"] = described | EXTRA.get(path, {})
        made["additionalProperties"] = False
    wider = [also for field, (also, _) in WIDER.items() if _ends(path, field)]
    if facts.get("nullable"):
        wider.append({"type": "null"})
    return {"anyOf": [made, *wider]} if wider else made


def _ends(path: str, field: str) -> bool:
    return path == field or path.endswith(f".{field}")


def _merged(schema: Schema) -> dict[str, Any]:
    resolved = openapi().resolved(schema)
    facts: dict[str, Any] = {}
    for part in resolved.get("allOf", ()):
        facts |= _merged(part)
    return facts | {key: value for key, value in resolved.items() if key != "allOf"}


@cache
def validator(schema_name: str) -> Draft202012Validator:
    schema = openapi().document["components"]["schemas"][schema_name]
    return Draft202012Validator(strict(schema, schema_name), format_checker=formats)


def faults(schema_name: str, record: Any) -> set[str]:
    return {
        f"{error.json_path} {error.message[:200]}"
        for error in validator(schema_name).iter_errors(record)
    }


MEMBERSHIPS = {
    "goal_membership": "GoalMembershipCompact",
    "project_membership": "ProjectMembershipCompactResponse",
    "portfolio_membership": "PortfolioMembershipCompactResponse",
}


def schema_of(asana: AsanaEmulator, record: dict[str, Any], schema: str) -> str:
    """The schema for a record.

    Among projects, as a portfolio's items, there may be portfolios; memberships are of a goal,
    project or portfolio.
    """
    if schema == "MembershipCompact":
        return MEMBERSHIPS[record["resource_subtype"]]
    is_portfolio = asana.account.kind(record["gid"]) == "portfolio"
    return schema.replace("Project", "Portfolio") if is_portfolio else schema


def paths_of(account: Account, viewer: Viewer, template: str) -> list[str]:
    """Paths and queries for requests to an operation in this account."""
    walked = _walked(account, viewer)
    workspace, project = walked["workspace"][0], walked["project"][0]
    shared = walked["project"] + walked["portfolio"] + walked["goal"]
    queries = {
        "/users": [f"workspace={gid}" for gid in walked["workspace"]],
        "/projects": [f"workspace={gid}" for gid in walked["workspace"]],
        "/tags": [f"workspace={gid}" for gid in walked["workspace"]],
        "/portfolios": [f"workspace={gid}" for gid in walked["workspace"]],
        "/tasks": [f"project={gid}" for gid in walked["project"]],
        "/attachments": [
            f"parent={gid}" for kind in ("project", "project_brief", "task") for gid in walked[kind]
        ],
        "/team_memberships": [f"team={gid}" for gid in walked["team"]],
        "/portfolio_memberships": [f"portfolio={gid}" for gid in walked["portfolio"]],
        "/events": [f"resource={project}"],
        "/goals": [f"workspace={gid}" for gid in walked["workspace"]],
        "/goal_relationships": [f"supported_goal={gid}" for gid in walked["goal"]],
        "/memberships": [f"parent={gid}" for gid in shared],
        "/status_updates": [f"parent={gid}" for gid in shared],
        "/time_periods": [f"workspace={gid}" for gid in walked["workspace"]],
        "/time_tracking_entries": [
            *(f"workspace={gid}&entered_on_start_date=2000-01-01" for gid in walked["workspace"]),
            f"user={viewer.user}",
            f"attributable_to={project}",
        ],
        "/allocations": [f"parent={gid}" for gid in walked["project"]],
        "/project_templates": [
            *(f"workspace={gid}" for gid in walked["workspace"]),
            *(f"team={gid}" for gid in walked["team"]),
        ],
        "/task_templates": [f"project={gid}" for gid in walked["project"]],
        "/time_tracking_categories": [f"workspace={gid}" for gid in walked["workspace"]],
        "/timesheet_approval_statuses": [f"workspace={gid}" for gid in walked["workspace"]],
        "/custom_types": [f"project={gid}" for gid in walked["project"]],
        "/budgets": [f"parent={gid}" for gid in walked["project"]],
        "/rates": [f"parent={gid}" for gid in walked["project"]],
        "/ooo_entries": [
            f"user={user}&workspace={gid}"
            for gid in walked["workspace"]
            for user in walked["user"][:6]
        ],
        "/roles": ["", *(f"workspace={gid}" for gid in walked["workspace"])],
        "/users/{user_gid}/user_task_list": [f"workspace={workspace}"],
        "/users/{user_gid}/team_memberships": [f"workspace={workspace}"],
        "/users/{user_gid}/teams": [f"organization={workspace}"],
    }.get(template, [""])
    found = re.search(r"{(\w+)_gid}", template)
    gids = walked[found[1]] if found else [""]
    if template in {"/workspaces/{workspace_gid}/teams", AUDIT_LOG}:
        gids = [gid for gid in gids if account.record(viewer, gid)["is_organization"]]
    if template.startswith("/users/{user_gid}/"):
        gids = [viewer.user]
    return [f"{re.sub(r'{.*}', gid, template)}?{query}" for gid in gids for query in queries]


@cache
def _walked(account: Account, viewer: Viewer) -> dict[str, list[str]]:
    """Some gids of each kind, below the workspaces."""
    every: dict[str, list[str]] = {"workspace": list(account.listing(viewer, "workspaces", ""))}

    def below(kind: str, child: str, parents: str, most: int = 60) -> None:
        listed = [list(account.listing(viewer, child, parent)) for parent in every.get(parents, ())]
        spread = [gid for gids in listed for gid in gids[:most]]
        every[kind] = list(dict.fromkeys([*every.get(kind, ()), *spread]))

    organizations = [
        gid for gid in every["workspace"] if account.record(viewer, gid)["is_organization"]
    ]
    every["organization"] = organizations
    below("user", "users", "workspace")
    below("tag", "tags", "workspace")
    below("custom_field", "custom_fields", "workspace")
    below("team", "teams", "organization")
    below("team_membership", "team_memberships", "team")
    below("project", "projects", "workspace")
    below("project_membership", "project_memberships", "project")
    below("portfolio", "portfolios", "workspace")
    below("portfolio_membership", "portfolio_memberships", "portfolio")
    below("goal", "goals", "workspace")
    below("goal_relationship", "goal_relationships", "goal")
    below("time_period", "time_periods", "workspace")
    for parents in ("project", "portfolio", "goal"):
        below("status_update", "status_updates", parents)
    below("time_tracking_entry", "time_tracking_entries", "workspace")
    below("allocation", "allocations", "project")
    below("role", "roles", "workspace")
    below("custom_type", "custom_types", "project")
    below("budget", "budgets", "project")
    below("rate", "rates", "project")
    below("project_portfolio_setting", "project_portfolio_settings", "portfolio")
    for kind in ("time_tracking_category", "timesheet_approval_status", "ooo_entry"):
        plural = {"y": "ies", "s": "ses"}[kind[-1]]
        below(kind, kind[:-1] + plural, "workspace")
    below("project_template", "project_templates", "workspace")
    below("task_template", "task_templates", "project")
    briefs = (account.record(viewer, gid)["project_brief"] for gid in every["project"])
    every["project_brief"] = [brief["gid"] for brief in briefs if brief]
    below("section", "sections", "project")
    below("task", "tasks", "project", 40)
    below("task", "subtasks", "task")
    below("story", "stories", "task", 10)
    below("story", "stories", "goal")
    below("attachment", "attachments", "task")
    below("attachment", "attachments", "project")
    task_list = account.user_task_list(viewer.user, every["workspace"][0])
    every["user_task_list"] = [task_list] if task_list else []
    every["organization_export"] = list(account.organization_exports)
    return every


def documented_fields(template: str) -> list[str]:
    """The fields that `opt_fields` may name; empty where an operation does not accept it."""
    parameters = openapi().parameters(template)
    if "opt_fields" not in parameters:
        return []
    named: list[str] = parameters["opt_fields"]["schema"]["items"]["enum"]
    return named


@pytest.mark.parametrize(
    "template", [template for template in DOCUMENTED_TEMPLATES if template not in EVENTS]
)
def test_every_answer_matches_the_document(asana: AsanaEmulator, template: str) -> None:
    found = operation(template)
    shown, listed = openapi().record_schema(template)
    full = openapi().full_schema(shown)
    opt_fields = documented_fields(template)
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {asana.tokens.pat('service')}"
    viewer = asana.account.people["service"]
    paths = paths_of(asana.account, viewer, template)
    assert paths
    wrong: set[str] = set()
    for path in paths[:300]:
        for schema, fields in ((shown, None), (full, ",".join(opt_fields))):
            asked = {"limit": "30"} if found.pages else {}
            answer = session.get(
                asana.base_url + path, params=asked | ({"opt_fields": fields} if fields else {})
            )
            assert answer.status_code == 200, (path, answer.text)
            body = answer.json()
            known = set(openapi().properties(openapi().answer(template)))
            assert set(body) <= known | (
                {"next_page"} if template in FORGOTTEN_NEXT_PAGE else set()
            )
            assert ("next_page" in body) == found.pages
            if body.get("next_page"):
                assert not faults("NextPage", body["next_page"])
            for record in body["data"] if listed else [body["data"]]:
                wrong |= faults(schema_of(asana, record, schema), record)
    assert not wrong


def test_events_match_the_document(asana: AsanaEmulator) -> None:
    account, headers = asana.account, {"Authorization": f"Bearer {asana.tokens.pat('service')}"}
    viewer = account.people["service"]
    project = next(
        gid for gid in _walked(account, viewer)["project"] if account.listing(viewer, "tasks", gid)
    )
    task = account.listing(viewer, "tasks", project)[0]
    url = f"{asana.base_url}/events"
    asked = {"resource": project}
    refused = requests.get(url, asked, headers=headers, timeout=10)
    assert refused.status_code == 412
    assert not faults("ErrorResponse", {"errors": refused.json()["errors"]})
    asana.change(lambda account: account.comment(task, "Looks good"))
    asana.change(lambda account: account.modify_task(task, name="Better", completed=True))
    asana.change(lambda account: account.delete(task))
    opt_fields = ",".join(openapi().parameters("/events")["opt_fields"]["schema"]["items"]["enum"])
    for fields in ({}, {"opt_fields": opt_fields}):
        asked = {"resource": project, "sync": refused.json()["sync"], **fields}
        body = requests.get(url, asked, headers=headers, timeout=10).json()
        assert set(body) == {"data", "sync", "has_more"}
        assert body["data"]
        assert not {fault for event in body["data"] for fault in faults("EventResponse", event)}


def test_events_of_a_workspace_match_the_document(asana: AsanaEmulator) -> None:
    account, headers = asana.account, {"Authorization": f"Bearer {asana.tokens.pat('service')}"}
    workspace, *_ = _walked(account, account.people["service"])["organization"]
    url = asana.base_url + WORKSPACE_EVENTS.replace("{workspace_gid}", workspace)
    asana.controls.workspace_events = True
    sync = requests.get(url, headers=headers, timeout=10).json()["sync"]
    asana.change(lambda account: account.create_private_task(workspace, "Water the fern"))
    body = requests.get(url, {"sync": sync}, headers=headers, timeout=10).json()
    assert set(body) == set(openapi().properties(openapi().answer(WORKSPACE_EVENTS)))
    assert body["data"]
    assert not {fault for event in body["data"] for fault in faults("EventResponse", event)}


def test_an_error_matches_the_document(asana: AsanaEmulator) -> None:
    answer = requests.get(f"{asana.base_url}/tasks", timeout=10)
    assert answer.status_code == 401
    assert not faults("ErrorResponse", answer.json())
    assert json.loads(answer.text)["errors"][0]["message"] == "Not Authorized"


def test_the_job_of_an_export_matches_the_document(asana: AsanaEmulator) -> None:
    job = job_of(begin(asana))
    assert faults("JobResponse", ended(asana, job)) == set()
    assert set(JOB_FIELDS) - {"gid", "resource_type"} <= _job_fields()


def _job_fields() -> set[str]:
    enum = openapi().parameters("/jobs/{job_gid}")["opt_fields"]["schema"]["items"]["enum"]
    return set(enum)
