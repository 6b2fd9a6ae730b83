import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from source_asana.streams import records
from source_asana.streams.fields import BOOLEAN, ObjectShape
from unit_tests.json_schema import kinds, leaves

SHARED = Path(__file__).parents[2] / "shared"
PUBLISHED_CATALOG = SHARED / "peer-catalog.json"
OPENAPI = Path(os.environ.get("ASANA_OPENAPI", SHARED / "asana_oas.yaml"))

ALL_SHAPES = {
    name: shape for name, shape in vars(records).items() if isinstance(shape, ObjectShape)
}


@pytest.mark.parametrize("name", ALL_SHAPES)
def test_a_record_requests_the_fields_that_it_declares(name: str) -> None:
    shape = ALL_SHAPES[name]

    schema = shape.json_schema()
    by_name = [path for path in shape.opt_fields() if kinds(schema)[path] == "object"]
    assert [path for path in shape.opt_fields() if path not in by_name] == leaves(schema)
    assert len(set(shape.opt_fields())) == len(shape.opt_fields())


COMPACT = {
    "ATTACHMENT_COMPACT": records.ATTACHMENT,
    "SECTION_COMPACT": records.SECTION,
    "STORY_COMPACT": records.STORY,
    "PORTFOLIO_COMPACT": records.PORTFOLIO,
}


@pytest.mark.parametrize("name", COMPACT)
def test_a_compact_record_is_some_columns_of_the_full_record(name: str) -> None:
    compact, full = ALL_SHAPES[name].columns, COMPACT[name].columns

    assert set(compact) < set(full)
    assert all(compact[column] == full[column] for column in compact)


def test_a_portfolio_item_has_the_columns_that_a_project_has_at_asana() -> None:
    assert records.PORTFOLIO_ITEM.also(is_template=BOOLEAN) == records.PROJECT
    assert "is_template" not in records.PORTFOLIO_ITEM.columns


# The connector airbyte-source-asana 1.7.2: this one continues to fill its users' tables.

PUBLISHED = {
    "attachments": records.ATTACHMENT,
    "attachments_compact": records.ATTACHMENT_COMPACT,
    "custom_fields": records.CUSTOM_FIELD,
    "events": records.EVENT,
    "organization_exports": records.ORGANIZATION_EXPORT,
    "portfolio_items": records.PORTFOLIO_ITEM,
    "portfolios": records.PORTFOLIO,
    "portfolios_compact": records.PORTFOLIO_COMPACT,
    "portfolios_memberships": records.PORTFOLIO_MEMBERSHIP,
    "projects": records.PROJECT,
    "sections": records.SECTION,
    "sections_compact": records.SECTION_COMPACT,
    "stories": records.STORY,
    "stories_compact": records.STORY_COMPACT,
    "tags": records.TAG,
    "tasks": records.TASK,
    "team_memberships": records.TEAM_MEMBERSHIP,
    "teams": records.TEAM,
    "users": records.USER,
    "workspaces": records.WORKSPACE,
}

CORRECTED = {
    # Asana has always sent arrays.
    "portfolios.members": ("object", "array of object"),
    "portfolios.project_templates": ("object", "array of object"),
    # The value of a text field.
    "projects.custom_fields.text_value": ("boolean", "string"),
    # Asana documents a number.
    "tasks.actual_time_minutes": ("integer", "number"),
    # Asana sends days.
    "portfolios.start_on": ("date-time", "date"),
    "portfolios.due_on": ("date-time", "date"),
}


@pytest.mark.skipif(
    not PUBLISHED_CATALOG.exists(), reason="needs the published connector's catalog"
)
def test_every_published_field_except_the_corrected_ones_keeps_its_type() -> None:
    catalog = json.loads(PUBLISHED_CATALOG.read_text())
    published = {stream["name"]: kinds(stream["json_schema"]) for stream in catalog["streams"]}
    ours = {stream: kinds(record.json_schema()) for stream, record in PUBLISHED.items()}

    changed = {
        f"{stream}.{path}": (kind, ours[stream].get(path))
        for stream, paths in published.items()
        for path, kind in paths.items()
        if ours[stream].get(path) != kind
    }

    assert published.keys() == PUBLISHED.keys()
    assert changed == CORRECTED


# Asana's OpenAPI document

DOCUMENTED = {
    "ALLOCATION": ("/allocations", "AllocationResponse"),
    "ATTACHMENT": ("/attachments", "AttachmentResponse"),
    "CUSTOM_TYPE": ("/custom_types", "CustomTypeResponse"),
    "CUSTOM_FIELD": ("/workspaces/{workspace_gid}/custom_fields", "CustomFieldResponse"),
    "CUSTOM_FIELD_SETTING": (
        "/projects/{project_gid}/custom_field_settings",
        "CustomFieldSettingResponse",
    ),
    "EVENT": ("/events", "EventResponse"),
    "GOAL": ("/goals", "GoalResponse"),
    "GOAL_STORY": ("/goals/{goal_gid}/stories", "StoryResponse"),
    "OOO_ENTRY": ("/ooo_entries", "OooEntryResponse"),
    "PROJECT_PORTFOLIO_SETTING": (
        "/portfolios/{portfolio_gid}/project_portfolio_settings",
        "ProjectPortfolioSettingResponse",
    ),
    "TIME_TRACKING_CATEGORY": ("/time_tracking_categories", "TimeTrackingCategoryResponse"),
    "TIMESHEET_APPROVAL_STATUS": (
        "/timesheet_approval_statuses",
        "TimesheetApprovalStatusResponse",
    ),
    "GOAL_RELATIONSHIP": ("/goal_relationships", "GoalRelationshipResponse"),
    "ORGANIZATION_EXPORT": (
        "/organization_exports/{organization_export_gid}",
        "OrganizationExportResponse",
    ),
    "PORTFOLIO": ("/portfolios", "PortfolioResponse"),
    "PORTFOLIO_ITEM": ("/portfolios/{portfolio_gid}/items", "ProjectResponse"),
    "PORTFOLIO_MEMBERSHIP": ("/portfolio_memberships", "DeprecatedPortfolioMembershipResponse"),
    "PROJECT": ("/projects", "ProjectResponse"),
    "PROJECT_BRIEF": ("/project_briefs/{project_brief_gid}", "ProjectBriefResponse"),
    "PROJECT_MEMBERSHIP": (
        "/projects/{project_gid}/project_memberships",
        "ProjectMembershipCompact",
    ),
    "PROJECT_TEMPLATE": ("/project_templates", "ProjectTemplateResponse"),
    "ROLE": ("/roles", "RbacRoleResponse"),
    "SECTION": ("/projects/{project_gid}/sections", "SectionResponse"),
    "STATUS_UPDATE": ("/status_updates", "StatusUpdateResponse"),
    "STORY": ("/tasks/{task_gid}/stories", "StoryResponse"),
    "TAG": ("/tags", "TagResponse"),
    "TASK": ("/tasks", "TaskResponse"),
    "TASK_TEMPLATE": ("/task_templates", "TaskTemplateResponse"),
    "TEAM": ("/workspaces/{workspace_gid}/teams", "TeamResponse"),
    "TEAM_MEMBERSHIP": ("/teams/{team_gid}/team_memberships", "TeamMembershipResponse"),
    "TIME_PERIOD": ("/time_periods", "TimePeriodResponse"),
    "TIME_TRACKING_ENTRY": (
        "/time_tracking_entries/{time_tracking_entry_gid}",
        "TimeTrackingEntryBase",
    ),
    "USER": ("/users", "UserResponse"),
    "USER_TASK_LIST": ("/users/{user_gid}/user_task_list", "UserTaskListResponse"),
    "WORKSPACE": ("/workspaces", "WorkspaceResponse"),
    "WORKSPACE_MEMBERSHIP": (
        "/workspaces/{workspace_gid}/workspace_memberships",
        "WorkspaceMembershipResponse",
    ),
}

WITHOUT_OPT_FIELDS = {
    "AUDIT_LOG_EVENT": "AuditLogEvent",
    "BUDGET": "BudgetResponse",
    "RATE": "RateResponse",
    "GOAL_MEMBERSHIP": "GoalMembershipCompact",
    "MEMBERSHIP": "PortfolioMembershipCompactResponse",
}
"""The fields that Asana returns where `opt_fields` is not possible."""

OF_THE_PAGE = {"offset", "path", "uri"}

UNLISTED = {
    # Listed with `name` everywhere else that there is a user.
    "PROJECT.owner.name",
    "PORTFOLIO_ITEM.owner.name",
    # Listed for `old_dates` and `new_dates`, which have the same schema.
    "STORY.old_date_value.start_on",
    "STORY.old_date_value.due_at",
    "STORY.old_date_value.due_on",
    "STORY.new_date_value.start_on",
    "STORY.new_date_value.due_at",
    "STORY.new_date_value.due_on",
    *(
        f"GOAL_STORY.{field}_date_value.{part}"
        for field in ("old", "new")
        for part in ("start_on", "due_at", "due_on")
    ),
    # The list has the objects themselves, which can be requested by name too.
    "PROJECT_PORTFOLIO_SETTING.portfolio.name",
    "PROJECT_PORTFOLIO_SETTING.project.name",
    "PROJECT_TEMPLATE.owner.name",
    "TASK_TEMPLATE.created_by.name",
    "TASK_TEMPLATE.project.name",
    "USER_TASK_LIST.owner.name",
    "USER_TASK_LIST.workspace.name",
    "WORKSPACE_MEMBERSHIP.user_task_list.owner.name",
    "WORKSPACE_MEMBERSHIP.user_task_list.workspace.name",
    *(
        f"TASK_TEMPLATE.{path}"
        for path in records.TASK_TEMPLATE.only("template").opt_fields()
        if path != "template" and path.rpartition(".")[2] not in {"gid", "resource_type"}
    ),
    # "The compact representation (and can have fields expanded)".
    "EVENT.change.new_value.name",
    "EVENT.change.added_value.name",
    "EVENT.change.removed_value.name",
    # Removed by Asana, but in the tables of the published connector's users.
    "PROJECT.is_template",
    "PROJECT.custom_fields.resource_subtype",
    "PORTFOLIO_ITEM.custom_fields.resource_subtype",
}

OTHERWISE = {
    # Their values depend on the type of the event.
    **{
        f"AUDIT_LOG_EVENT.details.{name}": (kind, None)
        for name, kind in (
            ("group", "object"),
            ("new_value", "string"),
            ("old_value", "string"),
            ("saml_response", "string"),
        )
    },
    # The descriptions and the examples have days.
    **dict.fromkeys(
        (
            "GOAL.start_on",
            "GOAL.due_on",
            "time_period.start_on",
            "time_period.end_on",
            "TIME_PERIOD.start_on",
            "TIME_PERIOD.end_on",
            "TIME_PERIOD.parent.start_on",
            "TIME_PERIOD.parent.end_on",
            "vacation_dates.start_on",
            "vacation_dates.end_on",
        ),
        ("string", "date"),
    ),
    # The descriptions and the examples say so.
    "date_value.date": ("string", "date"),
    "date_value.date_time": ("string", "date-time"),
    # The values of a field with a number in `number_value`.
    "STORY.old_number_value": ("integer", "number"),
    "STORY.new_number_value": ("integer", "number"),
    # Present only where the value is a resource.
    "EVENT.change.new_value": ("anything", "object"),
    "EVENT.change.added_value": ("anything", "object"),
    "EVENT.change.removed_value": ("anything", "object"),
    **{
        f"EVENT.change.{value}.{field}": (None, "string")
        for value in ("new_value", "added_value", "removed_value")
        for field in ("gid", "resource_type", "name")
    },
    # Removed by Asana, but in the tables of the published connector's users.
    "PROJECT.is_template": (None, "boolean"),
    "custom_fields.resource_subtype": (None, "string"),
}


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    if not OPENAPI.exists():
        pytest.skip("needs Asana's OpenAPI document")
    document: dict[str, Any] = yaml.load(OPENAPI.read_text(), yaml.CSafeLoader)
    return document


def test_every_field_that_asana_lists_is_declared(openapi: dict[str, Any]) -> None:
    missing = {
        f"{name}.{path}"
        for name, (operation, _) in DOCUMENTED.items()
        for path in listed_fields(openapi, operation) - declared(name).keys()
    }

    assert missing == set()


def test_a_field_is_requested_if_asana_lists_it_or_for_a_reason(openapi: dict[str, Any]) -> None:
    unlisted = {
        f"{name}.{path}"
        for name, (operation, _) in DOCUMENTED.items()
        for path in ALL_SHAPES[name].opt_fields()
        if path not in listed_fields(openapi, operation)
        and path.rpartition(".")[2] not in {"gid", "resource_type"}
    }

    assert unlisted == UNLISTED


def test_every_field_has_the_type_that_asana_documents_or_another_for_a_reason(
    openapi: dict[str, Any],
) -> None:
    different = {}
    components = {name: component for name, (_, component) in DOCUMENTED.items()}
    for name, component in (components | WITHOUT_OPT_FIELDS).items():
        ours, theirs = declared(name), documented(openapi, component)
        for path in ours.keys() | theirs.keys():
            if ours.get(path) != theirs.get(path):
                different[f"{name}.{path}"] = (theirs.get(path), ours.get(path))

    reasons = {path: reason_for(path) for path in different}
    assert different == {path: OTHERWISE.get(reason) for path, reason in reasons.items()}
    assert set(reasons.values()) == OTHERWISE.keys()


def test_no_description_is_copied_from_asanas_document(openapi: dict[str, Any]) -> None:
    theirs = runs_of_words(OPENAPI.read_text())
    for name, shape in ALL_SHAPES.items():
        for column, part in shape.columns.items():
            # Everyone lists the possible values of a column in the same words.
            ours = re.sub(r":[^.]*\.", ".", part.description)
            assert runs_of_words(ours) & theirs == set(), f"{name}.{column}"


def runs_of_words(text: str, length: int = 7) -> set[tuple[str, ...]]:
    words = re.findall(r"[\w']+", text.lower())
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


def reason_for(path: str) -> str:
    return next((ending for ending in OTHERWISE if path.endswith(ending)), "")


def declared(name: str) -> dict[str, str]:
    return kinds(ALL_SHAPES[name].json_schema())


def documented(openapi: dict[str, Any], component: str) -> dict[str, str]:
    return kinds(plain(openapi, {"$ref": f"#/components/schemas/{component}"}))


def listed_fields(openapi: dict[str, Any], operation: str) -> set[str]:
    return {
        path
        for parameter in openapi["paths"][operation]["get"]["parameters"]
        if parameter.get("name") == "opt_fields"
        for path in parameter["schema"]["items"]["enum"]
    } - OF_THE_PAGE


def plain(openapi: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The type, format, items and properties of a schema, its references followed."""
    if "$ref" in schema:
        *_, section, component = schema["$ref"].split("/")
        return plain(openapi, openapi["components"][section][component])
    merged: dict[str, Any] = {"properties": {}}
    for part in schema.get("allOf", []):
        of_part = plain(openapi, part)
        merged |= of_part | {"properties": merged["properties"] | of_part["properties"]}
    if "type" in schema:
        merged["type"] = schema["type"]
    if schema.get("format") in {"date", "date-time"}:  # `uri` and `email` are only strings here
        merged["format"] = schema["format"]
    if "items" in schema:
        merged["items"] = plain(openapi, schema["items"])
    for name, part in schema.get("properties", {}).items():
        merged["properties"][name] = plain(openapi, part)
    return merged
