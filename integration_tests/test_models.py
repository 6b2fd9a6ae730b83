"""The dbt models on both databases, after deletions and restores, compared with the account."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
import yaml

from integration_tests.reading import Record
from integration_tests.truth_of import truth
from integration_tests.warehouse import MARTS, RESTORED, Filled, Warehouse, gid_of
from local_sync.models import PROJECT, run_dbt

pytestmark = [pytest.mark.dbt, pytest.mark.once]

PORTFOLIOS = {
    "Everything that blinks": 20,
    "Coast, whole of it": 24,
    "What Anselm worries about": 9,
}


def tasks_of(filled: Filled) -> dict[str, Record]:
    """Tasks and subtasks by gid, without separators."""
    both = truth(filled.asana, "tasks") + truth(filled.asana, "subtasks")
    return {task["gid"]: task for task in both if not task["is_rendered_as_separator"]}


def projects_of(tasks: dict[str, Record], gid: str) -> set[str]:
    """The projects of a task, else those of the nearest ancestor that is in a project."""
    task = tasks[gid]
    own = {membership["project"]["gid"] for membership in task["memberships"]}
    return own or (projects_of(tasks, task["parent"]["gid"]) if task["parent"] else set())


def pairs(tasks: dict[str, Record], column: str) -> set[tuple[Any, ...]]:
    return {(gid, other["gid"]) for gid, task in tasks.items() for other in task[column] or ()}


def column(rows: Iterable[tuple[Any, ...]]) -> list[Any]:
    return [value for (value,) in rows]


def test_every_task_of_the_account_comes_once(filled: Filled) -> None:
    found = filled.warehouse.rows(
        "SELECT task_gid, name, is_completed, due_on, assignee_gid, parent_gid, actual_minutes "
        "FROM tasks"
    )
    expected = [
        (
            task["gid"],
            task["name"],
            task["completed"],
            task["due_on"],
            (task["assignee"] or {}).get("gid"),
            (task["parent"] or {}).get("gid"),
            task["actual_time_minutes"],
        )
        for task in tasks_of(filled).values()
    ]
    assert sorted((*row[:3], row[3] and str(row[3]), *row[4:]) for row in found) == sorted(expected)


def test_a_restored_task_is_back_with_everything_below_it(filled: Filled) -> None:
    query = f"SELECT level FROM tasks WHERE top_task_name = '{RESTORED}'"  # noqa: S608 - a constant
    below = filled.warehouse.rows(query)
    assert sorted(column(below)) == [0, 1, 2, 3, 4, 5]


def test_subtasks_are_in_the_projects_of_the_tasks_above_them(filled: Filled) -> None:
    tasks = tasks_of(filled)
    expected = {(gid, project) for gid in tasks for project in projects_of(tasks, gid)}
    assert set(filled.warehouse.rows("SELECT task_gid, project_gid FROM task_projects")) == expected
    count = filled.warehouse.rows("SELECT sum(projects) FROM tasks")
    assert count == [(len(expected),)]


@pytest.mark.parametrize(
    ("mart", "other", "source"),
    [
        ("task_tags", "tag_gid", "tags"),
        ("task_followers", "user_gid", "followers"),
        ("task_dependencies", "depends_on_gid", "dependencies"),
    ],
)
def test_each_object_of_a_task_has_its_own_row(
    filled: Filled, mart: str, other: str, source: str
) -> None:
    found = filled.warehouse.rows(f"SELECT task_gid, {other} FROM {mart}")  # noqa: S608 - own names
    assert found
    assert set(found) == pairs(tasks_of(filled), source)


def test_custom_fields_have_their_values(filled: Filled) -> None:
    found = filled.warehouse.rows(
        "SELECT task_gid, field_gid, display_value, number_value, text_value, option_name, "
        "asana_created_field FROM task_custom_fields"
    )
    expected = [
        (
            gid,
            value["gid"],
            value["display_value"],
            value.get("number_value"),
            value.get("text_value"),
            (value.get("enum_value") or {}).get("name"),
            value["asana_created_field"],
        )
        for gid, task in tasks_of(filled).items()
        for value in task["custom_fields"]
        if value["display_value"]
    ]
    assert expected
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_comments_and_moves_belong_to_existing_tasks(filled: Filled) -> None:
    stories = truth(filled.asana, "stories")
    comments = [
        (story["gid"], story["target"]["gid"], story["text"])
        for story in stories
        if story["type"] == "comment"
    ]
    found = filled.warehouse.rows("SELECT comment_gid, task_gid, text FROM comments")
    assert sorted(found) == sorted(comments)
    moves = [s["gid"] for s in stories if s["resource_subtype"] == "section_changed"]
    assert column(filled.warehouse.rows("SELECT story_gid FROM section_changes")) == moves


def test_attachments_belong_to_existing_objects(filled: Filled) -> None:
    expected = [(file["gid"], file["parent"]["gid"]) for file in truth(filled.asana, "attachments")]
    found = filled.warehouse.rows("SELECT attachment_gid, parent_gid FROM attachments")
    assert sorted(found) == sorted(expected)


def test_time_on_deleted_tasks_does_not_count(filled: Filled) -> None:
    """Time on a task in no stream does count: the task is in no project."""
    entries = truth(filled.asana, "time_tracking_entries")
    gone = filled.made.only_in_the_deleted_project
    expected = sum(
        entry["duration_minutes"]
        for entry in entries
        if filled.asana.account.kind(entry["task"]["gid"]) and entry["task"]["gid"] != gone
    )
    assert not {e["task"]["gid"] for e in entries} <= set(tasks_of(filled))
    assert expected
    assert filled.warehouse.rows("SELECT sum(minutes) FROM time_entries") == [(expected,)]
    schema = filled.warehouse.target().source_schema
    stored = f"SELECT sum(duration_minutes) FROM {schema}.time_tracking_entries"  # noqa: S608
    assert filled.warehouse.rows(stored)[0][0] > expected


def test_projects_and_portfolios_add_up(filled: Filled) -> None:
    tasks = tasks_of(filled)
    counts = {
        project["gid"]: sum(project["gid"] in projects_of(tasks, gid) for gid in tasks)
        for project in truth(filled.asana, "projects")
    }
    found = filled.warehouse.rows("SELECT project_gid, tasks FROM project_health")
    assert dict(found) == counts
    found = filled.warehouse.rows("SELECT portfolio_name, tasks FROM portfolio_rollup")
    assert dict(found) == PORTFOLIOS


def test_a_project_has_its_newest_status(filled: Filled) -> None:
    found = filled.warehouse.rows(
        "SELECT project_gid, status_title FROM project_health WHERE status IS NOT NULL"
    )
    expected = {
        project["gid"]: project["current_status_update"]["title"]
        for project in truth(filled.asana, "projects")
        if project["current_status_update"]
    }
    assert dict(found) == expected


def test_members_of_a_team_are_members_of_its_projects_and_portfolios(filled: Filled) -> None:
    direct = {
        (membership["parent"]["gid"], membership["member"]["gid"])
        for stream in ("project_memberships", "portfolio_memberships", "goal_memberships")
        for membership in truth(filled.asana, stream)
    }
    teams = {team["gid"] for team in truth(filled.asana, "teams")}
    people = truth(filled.asana, "team_memberships")
    expected = {(parent, member) for parent, member in direct if member not in teams} | {
        (parent, person["user"]["gid"])
        for parent, member in direct
        for person in people
        if person["team"]["gid"] == member
    }
    found = filled.warehouse.rows(
        "SELECT object_gid, user_gid FROM memberships "
        "WHERE object_type IN ('project', 'portfolio', 'goal')"
    )
    assert set(found) == expected


def test_the_deletions_have_deleted_objects_and_not_restored_ones(filled: Filled) -> None:
    found = set(filled.warehouse.rows("SELECT kind, gid, deleted_by_name FROM deletions"))
    made = filled.made
    assert {
        ("task", made.task, "Greta Otter"),
        ("task", made.subtask, "Greta Otter"),
        ("task", made.below_a_kept_task, "Greta Otter"),
        ("section", made.section, "Greta Otter"),
        ("story", made.comment, None),
    } <= found
    assert ("project", made.project) in {row[:2] for row in found}
    restored = gid_of(filled.asana, "tasks", RESTORED)
    assert restored not in {gid for _, gid, _ in found}


def test_the_open_tasks_of_the_last_day_are_open_now(filled: Filled) -> None:
    open_now = sum(not task["completed"] for task in tasks_of(filled).values())
    in_several = sum(
        len(projects_of(tasks_of(filled), gid)) - 1
        for gid, task in tasks_of(filled).items()
        if not task["completed"]
    )
    found = filled.warehouse.rows(
        "SELECT sum(open_tasks) FROM daily_open_tasks "
        "WHERE day = (SELECT max(day) FROM daily_open_tasks)"
    )
    assert found == [(open_now + in_several,)]


def test_fivetran_has_its_tables_and_columns(filled: Filled) -> None:
    """As documented at https://github.com/fivetran/dbt_asana, models/staging/src_asana.yml."""
    columns = {
        "user": "id email name",
        "team": "id name organization_id",
        "tag": "id name created_at color",
        "project": "id archived color created_at current_status due_date modified_at name notes "
        "owner_id public team_id workspace_id",
        "section": "id created_at name project_id",
        "task": "id assignee_id completed completed_at completed_by_id created_at due_on due_at "
        "modified_at name notes liked num_likes parent_id start_on workspace_id",
        "story": "id created_at created_by_id target_id text type source",
        "project_task": "project_id task_id",
        "task_section": "section_id task_id",
        "task_tag": "tag_id task_id",
        "task_follower": "task_id user_id",
    }
    for table, names in columns.items():
        wanted = ", ".join(names.split())
        assert filled.warehouse.rows(
            f'SELECT {wanted}, _fivetran_synced FROM asana_fivetran."{table}"'  # noqa: S608
        ), table
    tasks = tasks_of(filled)
    own = {(gid, m["project"]["gid"]) for gid, task in tasks.items() for m in task["memberships"]}
    found = filled.warehouse.rows("SELECT task_id, project_id FROM asana_fivetran.project_task")
    assert set(found) == own
    found = filled.warehouse.rows("SELECT id FROM asana_fivetran.task")
    assert set(column(found)) == set(tasks)


def test_every_column_of_the_marts_is_described(filled: Filled) -> None:
    described = yaml.safe_load((PROJECT / "models" / "marts" / "marts.yml").read_text())["models"]
    found: dict[str, list[str]] = {}
    for table, name in filled.warehouse.rows(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'asana_marts' ORDER BY table_name, ordinal_position"
    ):
        found.setdefault(table, []).append(name)
    assert {
        mart["name"]: [column["name"] for column in mart["columns"]] for mart in described
    } == found
    assert all(column["description"] for mart in described for column in mart["columns"])


# Columns that the compact streams lack are left out.
SAME_IN_EVERY_LAYOUT = {
    "tasks": "*",
    "task_projects": "*",
    "task_custom_fields": "*",
    "comments": "comment_gid, task_gid, text, created_at, created_by_name",
    "time_entries": "*",
    "attachments": "attachment_gid, parent_gid, name, created_at",
}


def test_other_layouts_of_the_tables_give_the_same_marts(filled: Filled) -> None:
    warehouse = filled.warehouse
    warehouse.execute(*in_layout_of_other_destinations(warehouse))
    target = replace(warehouse.target(), schema="analytics")
    wanted = [*SAME_IN_EVERY_LAYOUT, "goal_progress"]
    status = run_dbt(
        target,
        warehouse.folder / "other",
        *("run", "--select", *(f"+{mart}" for mart in wanted)),
        airbyte_asana_schema="other",
        airbyte_asana_table_prefix="airbyte_",
    )
    assert status == 0
    for mart, columns in SAME_IN_EVERY_LAYOUT.items():
        found, expected = (
            warehouse.rows(f"SELECT {columns} FROM {schema}.{mart} ORDER BY 1, 2")  # noqa: S608
            for schema in ("analytics_asana_marts", MARTS)
        )
        assert expected, mart
        assert found == expected, mart
    assert not warehouse.rows("SELECT 1 FROM analytics_asana_marts.goal_progress")


def in_layout_of_other_destinations(warehouse: Warehouse) -> list[str]:
    """Statements that make the tables those of another connection.

    Its streams have a prefix, some are not selected, rows of what events say was deleted are
    removed, and columns have other types: JSON as text or json, times with or without a zone.
    """
    schema = warehouse.target().source_schema
    kinds = {
        "duckdb": {"JSON": "VARCHAR", "TIMESTAMP": "TIMESTAMP WITH TIME ZONE"},
        "postgresql": {"jsonb": "json", "timestamp with time zone": "timestamp without time zone"},
    }[warehouse.kind]
    columns = warehouse.rows(
        "SELECT table_name, column_name, data_type FROM information_schema.columns "  # noqa: S608
        f"WHERE table_schema = '{schema}' AND table_name NOT LIKE '\\_%' ESCAPE '\\'"
    )
    tables = {table for table, _, _ in columns}
    statements = ["SET TimeZone = 'UTC'"]
    for table in sorted(tables):
        chosen = ", ".join(
            f'CAST("{name}" AS {kinds[kind]}) AS "{name}"' if kind in kinds else f'"{name}"'
            for of, name, kind in columns
            if of == table and name != "html_notes"
        )
        marked = table != "projects" and (table, "_ab_cdc_deleted_at") in {
            row[:2] for row in columns
        }
        kept = "WHERE _ab_cdc_deleted_at IS NULL" if marked else ""
        statements.append(
            f"CREATE TABLE other.airbyte_{table} AS "  # noqa: S608 - own names
            f'SELECT {chosen} FROM {schema}."{table}" {kept}'
        )
    statements += [
        f"DROP TABLE other.airbyte_{name}" for name in ("stories", "attachments", "goals")
    ]
    return ["CREATE SCHEMA other", *statements]
