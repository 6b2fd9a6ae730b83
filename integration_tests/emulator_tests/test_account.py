"""The emulated account: its content, its changes, and the expected records and requests."""

from collections.abc import Callable, Iterable
from functools import cache
from itertools import islice
from typing import Any

import pendulum
import pytest
import yaml

from integration_tests.asana_emulator import Account, Choice, Viewer, make_account, truth
from integration_tests.asana_emulator.account import ASANA, Clock, Event
from integration_tests.asana_emulator.from_openapi import OpenApi
from integration_tests.emulator_tests.asking import DOCUMENT

pytestmark = pytest.mark.once


PRESENT = pendulum.datetime(2026, 11, 20, 10)
STREAMS = (
    "workspaces",
    "users",
    "tags",
    "custom_fields",
    "teams",
    "team_memberships",
    "projects",
    "sections",
    "tasks",
    "subtasks",
    "stories",
    "attachments",
    "portfolios",
    "portfolio_items",
    "portfolios_memberships",
    "organization_exports",
    "goals",
    "goal_relationships",
    "goal_memberships",
    "time_periods",
    "status_updates",
    "project_memberships",
    "portfolio_memberships",
    "workspace_memberships",
    "user_task_lists",
    "custom_field_settings",
    "time_tracking_entries",
    "allocations",
    "project_templates",
    "task_templates",
    "project_briefs",
    "audit_log_events",
    "roles",
    "custom_types",
    "budgets",
    "rates",
    "project_portfolio_settings",
    "goal_stories",
    "time_tracking_categories",
    "timesheet_approval_statuses",
    "ooo_entries",
)


@cache
def populated(size: str) -> Account:
    """An account that no test changes."""
    return make_account(size, clock=Clock(PRESENT))


def records(account: Account, who: str, stream: str) -> list[dict[str, Any]]:
    viewer = account.people[who]
    export_ids = account.organization_exports
    return list(truth.expected(account, viewer, stream, export_ids=export_ids))


@cache
def held(size: str, who: str, stream: str) -> list[dict[str, Any]]:
    """The records of an account that no test changes."""
    return records(populated(size), who, stream)


@pytest.fixture
def account() -> Account:
    """A sample account to change, an hour after its clock was stopped."""
    made = make_account("sample", clock=Clock(PRESENT))
    made.clock.advance(3600)
    return made


@pytest.fixture
def member(account: Account) -> Viewer:
    return account.people["member"]


def task_named(account: Account, name: str) -> str:
    viewer = account.people["service"]
    streams = ("tasks", "subtasks")
    found = (task for stream in streams for task in truth.expected(account, viewer, stream))
    return next(str(task["gid"]) for task in found if task["name"].startswith(name))


def project_named(account: Account, name: str) -> str:
    viewer = account.people["service"]
    found = truth.expected(account, viewer, "projects")
    return next(str(project["gid"]) for project in found if project["name"].startswith(name))


# -- content --------------------------------------------------------------------------------------

DOCUMENTED = {
    "workspaces": "/workspaces",
    "users": "/users",
    "tags": "/tags",
    "custom_fields": "/workspaces/{workspace_gid}/custom_fields",
    "teams": "/workspaces/{workspace_gid}/teams",
    "team_memberships": "/teams/{team_gid}/team_memberships",
    "projects": "/projects",
    "sections": "/projects/{project_gid}/sections",
    "tasks": "/tasks",
    "subtasks": "/tasks/{task_gid}/subtasks",
    "stories": "/tasks/{task_gid}/stories",
    "attachments": "/attachments",
    "portfolios": "/portfolios",
    "portfolio_items": "/portfolios/{portfolio_gid}/items",
    "portfolios_memberships": "/portfolio_memberships",
    "organization_exports": "/organization_exports/{organization_export_gid}",
    "goals": "/goals",
    "goal_relationships": "/goal_relationships",
    "time_periods": "/time_periods",
    "status_updates": "/status_updates",
    "project_memberships": "/projects/{project_gid}/project_memberships",
    "workspace_memberships": "/workspaces/{workspace_gid}/workspace_memberships",
    "user_task_lists": "/user_task_lists/{user_task_list_gid}",
    "custom_field_settings": "/projects/{project_gid}/custom_field_settings",
    "time_tracking_entries": "/time_tracking_entries/{time_tracking_entry_gid}",
    "allocations": "/allocations",
    "project_templates": "/project_templates",
    "task_templates": "/task_templates",
    "project_briefs": "/project_briefs/{project_brief_gid}",
    "roles": "/roles",
    "custom_types": "/custom_types",
    "budgets": "/budgets/{budget_gid}",
    "rates": "/rates/{rate_gid}",
    "project_portfolio_settings": "/portfolios/{portfolio_gid}/project_portfolio_settings",
    "time_tracking_categories": "/time_tracking_categories",
    "timesheet_approval_statuses": "/timesheet_approval_statuses",
    "ooo_entries": "/ooo_entries",
}
DESCRIBED = {
    "goal_memberships": "GoalMembershipCompact",
    "portfolio_memberships": "PortfolioMembershipCompactResponse",
    "project_memberships": "ProjectMembershipCompact",
    "user_task_lists": "UserTaskListResponse",
    "task_templates": "TaskTemplateResponse",
    "audit_log_events": "AuditLogEvent",
}
"""Records with fields that `opt_fields` does not name."""
ALWAYS_NULL = {"is_commenter", "is_editor"}
PAGE_ATTRIBUTES = {"offset", "path", "uri"}
ONLY_FOR_SERVICE_ACCOUNTS = {"organization_exports", "audit_log_events"}
"""Asana shows exports and the audit log only to service accounts."""


@cache
def openapi() -> OpenApi:
    return OpenApi(yaml.load(DOCUMENT.read_text(), Loader=yaml.CSafeLoader))


def filled(value: Any, prefix: str = "") -> set[str]:
    """The dotted paths that have a value."""
    if isinstance(value, list):
        below = set().union(*(filled(one, prefix) for one in value))
        return below | ({prefix} if value else set())
    if isinstance(value, dict):
        nested = (filled(one, f"{prefix}.{name}".lstrip(".")) for name, one in value.items())
        return set().union({prefix}, *nested)
    return set() if value is None else {prefix}


def documented_paths(template: str) -> set[str]:
    enum = openapi().parameters(template)["opt_fields"]["schema"]["items"]["enum"]
    return set(enum) - PAGE_ATTRIBUTES


@pytest.mark.skipif(not DOCUMENT.exists(), reason="Asana's OpenAPI document is absent")
@pytest.mark.parametrize("who", ["service", "member"])
@pytest.mark.parametrize("stream", DOCUMENTED)
def test_every_documented_field_is_filled_somewhere(who: str, stream: str) -> None:
    if who == "member" and stream in ONLY_FOR_SERVICE_ACCOUNTS:
        assert not held("sample", who, stream)
        return
    found = set().union(*(filled(record) for record in held("sample", who, stream)))
    missing = documented_paths(DOCUMENTED[stream]) - found
    if stream == "subtasks":
        missing -= documented_paths("/tasks")  # the fields of tasks, filled there
    assert not missing


@pytest.mark.skipif(not DOCUMENT.exists(), reason="Asana's OpenAPI document is absent")
@pytest.mark.parametrize("stream", DESCRIBED)
def test_every_described_field_is_filled_somewhere(stream: str) -> None:
    found = set().union(*(filled(record) for record in held("sample", "service", stream)))
    described = openapi().document["components"]["schemas"][DESCRIBED[stream]]
    named = set(openapi().properties(described)) - ALWAYS_NULL
    assert not named - found
    if stream == "audit_log_events":
        assert not set(openapi().paths(described)) - found


@pytest.mark.parametrize("size", ["sample", "small"])
def test_the_same_seed_makes_the_same_account(size: str) -> None:
    one, other = populated(size), make_account(size, clock=Clock(PRESENT))
    viewer = one.people["service"]
    for stream in STREAMS:
        made = (islice(truth.expected(each, viewer, stream), 500) for each in (one, other))
        assert all(first == second for first, second in zip(*made, strict=True))


def test_another_seed_makes_another_account() -> None:
    other = make_account("small", seed=2)
    viewer = other.people["service"]
    tasks = list(islice(truth.expected(other, viewer, "tasks"), 500))
    assert tasks != list(islice(truth.expected(populated("small"), viewer, "tasks"), 500))


def test_an_account_has_no_present_before_its_history_ends() -> None:
    with pytest.raises(ValueError, match="history ends"):
        make_account(clock=Clock(pendulum.datetime(2025, 1, 1)))


@pytest.mark.parametrize("stream", STREAMS)
def test_every_key_is_expected_once(stream: str) -> None:
    """In the sample account; in the small one, `test_small_account.py` shows it."""
    keys = [
        (record.get("portfolio_gid"), record["gid"]) for record in held("sample", "service", stream)
    ]
    assert len(keys) == len(set(keys)) > 0


def test_gids_are_digits_and_never_shared() -> None:
    every = [
        record["gid"]
        for stream in STREAMS
        if stream not in {"subtasks", "portfolio_items"}
        for record in held("small", "service", stream)
    ]
    assert all(gid.isdecimal() and len(gid) == 16 for gid in every)
    assert len(every) == len(set(every))


def sizes_of_projects(account: Account, who: str) -> dict[str, int]:
    viewer = account.people[who]
    return {
        project["name"]: len(account.listing(viewer, "tasks", project["gid"]))
        for project in records(account, who, "projects")
    }


def test_small_has_projects_at_the_edges_of_a_page() -> None:
    sizes = sizes_of_projects(populated("small"), "member")
    assert sizes["Exactly 100"] == 100
    assert sizes["Exactly 101"] == 101
    assert sizes["Someday, maybe, after tea"] == 0


def test_small_has_about_five_thousand_tasks() -> None:
    tasks = sum(
        1 for _ in truth.expected(populated("small"), populated("small").people["service"], "tasks")
    )
    assert 5_000 <= tasks <= 5_100


def test_lists_below_a_task_end_at_the_edges_of_a_page() -> None:
    account, viewer = populated("small"), populated("small").people["service"]
    lengths = {
        child: {
            len(account.listing(viewer, child, task["gid"]))
            for task in held("small", "service", "tasks")
        }
        for child in ("stories", "subtasks", "attachments")
    }
    assert all({100, 101} <= found for found in lengths.values())


def test_lists_beyond_tasks_take_two_pages_and_more() -> None:
    account, viewer = populated("small"), populated("small").people["service"]
    bureau = account.listing(viewer, "workspaces", "")[-1]
    lengths = {
        child: len(account.listing(viewer, child, bureau))
        for child in ("goals", "time_tracking_entries", "audit_log_events")
    }
    assert lengths == {"goals": 101, "time_tracking_entries": 205, "audit_log_events": 250}
    projects = account.listing(viewer, "projects", bureau)
    assert max(len(account.listing(viewer, "status_updates", gid)) for gid in projects) == 101


@pytest.mark.parametrize("size", ["sample", "small"])
def test_a_tasks_time_is_the_sum_of_its_entries(size: str) -> None:
    account, viewer = populated(size), populated(size).people["service"]
    lens = task_named(account, "Grind the new lens")
    assert account.record(viewer, lens)["actual_time_minutes"] == 1920
    for stream in ("tasks", "subtasks"):
        for task in held(size, "service", stream):
            entries = account.listing(viewer, "time_tracking_entries", task["gid"])
            spent = [account.record(viewer, gid)["duration_minutes"] for gid in entries]
            assert (task["actual_time_minutes"] or 0) == sum(spent)


def test_subtasks_go_five_levels_deep_and_one_is_also_in_a_project() -> None:
    subtasks = {task["gid"]: task for task in held("sample", "member", "subtasks")}

    def depth(task: dict[str, Any] | None) -> int:
        return 1 + depth(subtasks.get(task["parent"]["gid"])) if task else 0

    assert max(map(depth, subtasks.values())) == 5
    assert any(task["projects"] for task in subtasks.values())


def test_a_parent_counts_its_subtasks() -> None:
    account, viewer = populated("small"), populated("small").people["service"]
    for task in held("small", "service", "tasks"):
        subtasks = account.listing(viewer, "subtasks", task["gid"])
        assert task["num_subtasks"] == len(subtasks)
        assert all(account.record(viewer, gid)["parent"]["gid"] == task["gid"] for gid in subtasks)


def test_a_tasks_projects_are_those_that_list_it() -> None:
    account, viewer = populated("small"), populated("small").people["service"]
    listed: dict[str, set[str]] = {}
    for project in held("small", "service", "projects"):
        for gid in account.listing(viewer, "tasks", project["gid"]):
            listed.setdefault(gid, set()).add(project["gid"])
    for gid, projects in listed.items():
        assert {project["gid"] for project in account.record(viewer, gid)["projects"]} == projects
    assert max(map(len, listed.values())) > 1


def test_a_tasks_modified_at_is_never_before_its_stories_and_attachments() -> None:
    account, viewer = populated("small"), populated("small").people["service"]
    for stream in ("tasks", "subtasks"):
        for task in held("small", "service", stream):
            below = [
                account.record(viewer, gid)["created_at"]
                for child in ("stories", "attachments")
                for gid in account.listing(viewer, child, task["gid"])
            ]
            assert task["created_at"] <= task["modified_at"]
            assert all(task["created_at"] <= at <= task["modified_at"] for at in below)


def test_large_makes_a_page_of_tasks_without_making_the_others() -> None:
    account, viewer = populated("large"), populated("large").people["service"]
    workspace = account.listing(viewer, "workspaces", "")[-1]
    projects = account.listing(viewer, "projects", workspace)
    assert sum(len(account.listing(viewer, "tasks", gid)) for gid in projects) > 300_000
    last = account.listing(viewer, "tasks", projects[-2])
    page = last[-100:]
    assert [account.record(viewer, gid)["gid"] for gid in page] == page
    assert account.kind(page[0]) == "task"
    assert account.kind("1207199999999999") is None


# -- access ---------------------------------------------------------------------------------------


def names(account: Account, who: str, stream: str) -> set[str]:
    return {record["name"] for record in records(account, who, stream)}


def test_a_private_project_is_shown_to_its_members_and_to_service_accounts(
    account: Account,
) -> None:
    secret = "Greta's birthday (do NOT tell Greta)"
    assert secret not in names(account, "member", "projects")
    assert secret in names(account, "service", "projects")


def test_a_task_shows_only_the_projects_that_its_viewer_may_see(account: Account) -> None:
    task = task_named(account, "Fetch the foghorn")
    seen = {
        who: [each["name"] for each in account.record(account.people[who], task)["projects"]]
        for who in ("member", "service")
    }
    assert seen["member"] == ["Foghorn choir 2024"]
    assert len(seen["service"]) == 2


def test_a_user_lists_their_own_portfolios_and_a_service_account_all(account: Account) -> None:
    theirs = "What Anselm worries about"
    assert theirs not in names(account, "member", "portfolios")
    assert theirs in names(account, "service", "portfolios")


def test_a_guest_sees_only_shared_objects(account: Account) -> None:
    assert names(account, "restricted", "projects") == {"Paint the stripes, straight this time"}
    assert names(account, "restricted", "teams") == {"Paint"}
    assert len(records(account, "restricted", "users")) < len(records(account, "member", "users"))


def test_an_outsider_sees_nothing(account: Account) -> None:
    assert not any(records(account, "outsider", stream) for stream in STREAMS)


def test_a_user_who_leaves_a_workspace_sees_nothing_of_it_until_they_join_again(
    account: Account, member: Viewer
) -> None:
    workspaces = account.listing(member, "workspaces", "")
    public = account.create_project(
        workspaces[0], "For all", privacy_setting="public_to_workspace", members={}
    )
    seen = [account.listing(member, "projects", each) for each in workspaces]
    assert public in seen[0]
    account.leave_workspace(workspaces[0], member.user)
    assert account.listing(member, "workspaces", "") == workspaces[1:]
    assert not any(account.may_read(member, project) for project in seen[0])
    account.join_workspace(workspaces[0], member.user)
    assert [account.listing(member, "projects", each) for each in workspaces] == seen
    account.leave_workspace(workspaces[0], member.user)
    account.join_workspace(workspaces[0], member.user, as_guest=True)
    assert public not in account.listing(member, "projects", workspaces[0])


def test_only_service_accounts_read_organization_exports(account: Account) -> None:
    states = {export["state"] for export in records(account, "service", "organization_exports")}
    assert states == {"finished", "pending", "error"}
    assert not records(account, "member", "organization_exports")


def test_a_private_custom_field_is_shown_to_its_creator_and_to_service_accounts(
    account: Account,
) -> None:
    assert "Hazard pay" not in names(account, "member", "custom_fields")
    task = task_named(account, "Grind")
    shown = account.record(account.people["member"], task)["custom_fields"]
    assert "Hazard pay" not in {field["name"] for field in shown}
    assert "Hazard pay" in names(account, "service", "custom_fields")


def test_a_members_only_goal_is_hidden_from_others_and_all_goals_from_guests(
    account: Account,
) -> None:
    secret = "Greta suspects nothing"
    assert secret not in names(account, "member", "goals")
    assert secret in names(account, "service", "goals")
    for stream in ("goals", "time_periods", "project_templates"):
        assert records(account, "member", stream)
        assert not records(account, "restricted", stream)


def test_a_guest_sees_memberships_of_the_people_they_know(account: Account) -> None:
    people = {user["gid"] for user in records(account, "restricted", "users")}
    seen = records(account, "restricted", "workspace_memberships")
    assert {membership["user"]["gid"] for membership in seen} == people
    everybody = records(account, "member", "workspace_memberships")
    assert len(seen) < len(everybody)


def test_time_on_a_task_in_no_project_is_shown_to_the_tasks_readers(account: Account) -> None:
    task = task_in_no_project(account)
    shown = {
        who: task
        in {entry["task"]["gid"] for entry in records(account, who, "time_tracking_entries")}
        for who in ("service", "member")
    }
    assert shown == {"service": True, "member": False}


def task_in_no_project(account: Account) -> str:
    entries = records(account, "service", "time_tracking_entries")
    return next(
        str(entry["task"]["gid"]) for entry in entries if entry["task"]["name"] == "Hide the cake"
    )


def test_a_team_may_be_a_member_of_a_portfolio(account: Account) -> None:
    members = records(account, "member", "portfolio_memberships")
    assert {each["member"]["resource_type"] for each in members} == {"user", "team"}
    only_people = records(account, "member", "portfolios_memberships")
    assert len(only_people) == len(members) - 1


def test_tasks_without_a_project_are_only_in_my_tasks(account: Account, member: Viewer) -> None:
    organization = account.listing(member, "workspaces", "")[0]
    mine = account.user_task_list(member.user, organization)
    assert mine
    orphans = [
        account.record(member, gid)["name"]
        for gid in account.listing(member, "tasks", mine)
        if not account.record(member, gid)["projects"]
    ]
    assert "Renew first-aid certificate" in orphans
    assert "Renew first-aid certificate" not in names(account, "member", "tasks")
    others = account.user_task_list(account.people["restricted"].user, organization)
    assert others
    assert not account.may_read(member, others)


# -- changes ---------------------------------------------------------------------------------------


def events_of(account: Account, resource: str) -> list[Event]:
    return [event for event in account.events.entries if resource in event.watched]


def told(events: Iterable[Event]) -> list[tuple[str, str]]:
    return [(event.record["resource"]["resource_type"], event.record["action"]) for event in events]


MOVES: dict[str, Callable[[Account, str], object]] = {
    "commenting": lambda account, task: account.comment(task, "Hm."),
    "renaming": lambda account, task: account.modify_task(task, name="Other"),
    "completing": lambda account, task: account.complete(task),
    "assigning": lambda account, task: account.modify_task(task, assignee=None),
    "attaching": lambda account, task: account.attach(task, "Shell.png"),
    "deleting a comment": lambda account, task: account.delete_story(
        account.listing(account.people["service"], "stories", task)[0]
    ),
    "deleting an attachment": lambda account, task: account.delete(
        account.listing(account.people["service"], "attachments", task)[0]
    ),
}
DOES_NOT_MOVE: dict[str, Callable[[Account, str], object]] = {
    "joining a project": lambda account, task: account.add_to_project(
        task, project_named(account, "Someday")
    ),
    "leaving a project": lambda account, task: account.remove_from_project(
        task, project_named(account, "Re-light")
    ),
    "editing a comment": lambda account, task: account.edit_comment(
        account.listing(account.people["service"], "stories", task)[0], "Hm!"
    ),
    "a new subtask": lambda account, task: account.add_subtask(task, "One more"),
    "a subtask's change": lambda account, task: account.comment(
        account.listing(account.people["service"], "subtasks", task)[0], "Hm."
    ),
}


@pytest.mark.parametrize("change", MOVES)
def test_a_tasks_own_change_moves_its_modified_at(
    account: Account, member: Viewer, change: str
) -> None:
    task = task_named(account, "Grind")
    MOVES[change](account, task)
    assert account.record(member, task)["modified_at"] == "2026-11-20T11:00:00.000Z"


@pytest.mark.parametrize("change", DOES_NOT_MOVE)
def test_a_change_around_a_task_leaves_its_modified_at(
    account: Account, member: Viewer, change: str
) -> None:
    task = task_named(account, "Grind")
    before = account.record(member, task)["modified_at"]
    DOES_NOT_MOVE[change](account, task)
    assert account.record(member, task)["modified_at"] == before
    assert account.events.entries


def test_a_projects_modified_at_ignores_its_tasks(account: Account, member: Viewer) -> None:
    project = project_named(account, "Re-light")
    before = account.record(member, project)["modified_at"]
    account.complete(task_named(account, "Oil the door"))
    account.create_task(project, "Wave at ships")
    assert account.record(member, project)["modified_at"] == before
    account.archive(project)
    assert account.record(member, project)["modified_at"] > before


def test_modified_since_includes_its_instant(account: Account, member: Viewer) -> None:
    project = project_named(account, "Re-light")
    task = task_named(account, "Oil the door")
    account.comment(task, "It squeaks in B flat.")
    now = account.clock.now()
    assert list(account.tasks_modified_since(member, project, now)) == [task]
    assert not account.tasks_modified_since(member, project, now.add(microseconds=1000))
    every = account.tasks_modified_since(member, project, pendulum.datetime(2020, 1, 1))
    assert list(every) == list(account.listing(member, "tasks", project))


def test_events_bubble_from_the_deepest_subtask_up_to_the_project(account: Account) -> None:
    account.comment(task_named(account, "Do not look down"), "I did.")
    project, root = project_named(account, "Re-light"), task_named(account, "Climb")
    for watched in (project, root):
        assert told(events_of(account, watched)) == [("story", "added")]
    assert not events_of(account, project_named(account, "Foghorn"))


def test_an_event_has_a_new_value_only_where_it_is_a_resource(
    account: Account, member: Viewer
) -> None:
    task = task_named(account, "Oil the door")
    organization = account.listing(member, "workspaces", "")[0]
    tag = account.listing(member, "tags", organization)[0]
    account.modify_task(task, assignee=member.user)
    account.modify_task(task, tags=[tag])
    account.modify_task(task, tags=[])
    account.modify_task(task, name="Oil it")
    changes = [event.record.get("change") for event in events_of(account, task)]
    values = [
        (change["action"], *sorted(set(change) - {"action", "field"}))
        for change in changes
        if change
    ]
    assert values == [
        ("changed", "new_value"),
        ("added", "added_value"),
        ("removed", "removed_value"),
        ("changed",),
    ]


def test_an_automatic_change_by_asana_has_no_user(account: Account) -> None:
    task = task_named(account, "Oil the door")
    account.complete(task, by=ASANA)
    assert {event.record["user"] for event in events_of(account, task)} == {None}


def test_deleting_a_story_is_a_removed_event_of_its_task(account: Account) -> None:
    task = task_named(account, "Grind")
    story = account.comment(task, "Never mind.")
    account.delete(story)
    last = account.events.entries[-1].record
    assert (last["action"], last["resource"]["gid"]) == ("removed", story)
    assert last["parent"]["gid"] == task
    assert account.kind(story) is None


def test_a_new_attachment_is_a_story_event_and_its_deletion_an_attachment_event(
    account: Account,
) -> None:
    task = task_named(account, "Grind")
    attachment = account.attach(task, "Shell.png")
    assert told(events_of(account, task)) == [("story", "added")]
    account.delete(attachment)
    assert told(events_of(account, task))[-1] == ("attachment", "deleted")


def test_a_task_that_leaves_a_project_is_not_deleted(account: Account, member: Viewer) -> None:
    project = project_named(account, "Re-light")
    task = task_named(account, "Mount the lamp")
    account.remove_from_project(task, project)
    last = events_of(account, project)[-1].record
    assert (last["action"], last["parent"]["gid"]) == ("removed", project)
    assert account.kind(task) == "task"
    assert task not in account.listing(member, "tasks", project)


@pytest.mark.parametrize("stream", ["projects", "portfolios", "goals"])
def test_a_posted_status_is_the_current_one(account: Account, member: Viewer, stream: str) -> None:
    before = records(account, "member", stream)[0]
    status = account.post_status(before["gid"], "Foggy", status_type="off_track")
    after = account.record(member, before["gid"])
    assert after["current_status_update"]["gid"] == status
    assert account.listing(member, "status_updates", before["gid"])[-1] == status
    assert after.get("modified_at") == before.get("modified_at")
    assert account.record(member, status)["parent"]["gid"] == before["gid"]


def test_logged_time_is_added_to_the_task_without_modifying_it(
    account: Account, member: Viewer
) -> None:
    task = task_named(account, "Grind")
    before = account.record(member, task)
    entry = account.log_time(task, 30, "2026-11-20", description="Dusting")
    after = account.record(member, task)
    assert after["actual_time_minutes"] == 1950
    assert after["modified_at"] == before["modified_at"]
    told_of = account.record(member, entry)
    assert (told_of["duration_minutes"], told_of["description"]) == (30, "Dusting")
    account.delete(task)
    assert account.kind(entry) is None


def test_the_audit_log_has_each_deletion(account: Account) -> None:
    service = account.people["service"]
    organization = account.listing(service, "workspaces", "")[0]
    parent = task_named(account, "Grind")
    subtasks = account.listing(service, "subtasks", parent)
    account.delete(parent)
    *_, last = account.listing(service, "audit_log_events", organization)
    event = account.record(service, last)
    assert (event["event_type"], event["event_category"]) == ("task_deleted", "deletion")
    assert event["resource"]["gid"] == parent
    deleted = [
        account.record(service, gid)["resource"]["gid"]
        for gid in account.listing(service, "audit_log_events", organization)
    ]
    assert set(subtasks) <= set(deleted)


def test_a_goal_can_be_changed(account: Account, member: Viewer) -> None:
    goal = records(account, "member", "goals")[0]["gid"]
    account.set_goal(goal, name="No lighthouse at all")
    assert account.record(member, goal)["name"] == "No lighthouse at all"
    with pytest.raises(AttributeError):
        account.set_goal(goal, colour="red")


@pytest.mark.parametrize("size", ["sample", "small"])
def test_deleting_and_restoring_a_task_leaves_everything_where_it_was(size: str) -> None:
    changed = make_account(size, clock=Clock(PRESENT))
    service = changed.people["service"]
    projects = changed.listing(service, "projects", changed.listing(service, "workspaces", "")[-1])
    project = next(gid for gid in projects if len(changed.listing(service, "tasks", gid)) > 2)
    task = next(
        gid
        for gid in changed.listing(service, "tasks", project)
        if changed.listing(service, "subtasks", gid)
    )
    streams = ("tasks", "subtasks")
    before = {
        stream: [record["gid"] for record in records(changed, "service", stream)]
        for stream in streams
    }
    subtask = changed.listing(service, "subtasks", task)[0]
    story = changed.listing(service, "stories", task)[0]
    changed.delete(task)
    assert {changed.kind(gid) for gid in (task, subtask, story)} == {None}
    assert ("task", "deleted") in told(events_of(changed, project))
    for stream in streams:
        left = {record["gid"] for record in records(changed, "service", stream)}
        assert left < set(before[stream])
    changed.restore(task)
    assert changed.kind(story) == "story"
    assert told(events_of(changed, project))[-1] == ("task", "undeleted")
    for stream in streams:
        assert [record["gid"] for record in records(changed, "service", stream)] == before[stream]


def test_a_regular_task_can_be_changed_like_any_other() -> None:
    changed = make_account("small", clock=Clock(PRESENT))
    service = changed.people["service"]
    project = project_named(changed, "Volume 2")
    task = changed.listing(service, "tasks", project)[7]
    stories = list(changed.listing(service, "stories", task))
    untold = [changed.record(service, story)["text"] for story in stories]
    story = changed.comment(task, "By the book.")
    changed.modify_task(task, name="Renamed")
    assert list(changed.listing(service, "stories", task))[: len(stories) + 1] == [*stories, story]
    assert [changed.record(service, story)["text"] for story in stories] == untold
    assert changed.record(service, task)["name"] == "Renamed"
    assert list(changed.tasks_modified_since(service, project, PRESENT)) == [task]


def test_every_change_makes_a_new_version(account: Account) -> None:
    versions = [account.version]
    service = account.people["service"]
    task = task_named(account, "Grind")
    project = project_named(account, "Someday")
    workspace = account.listing(service, "workspaces", "")[0]
    for change in (
        lambda: account.comment(task, "Hm."),
        lambda: account.attach(project, "Plan.png"),
        lambda: account.add_to_project(task, project),
        lambda: account.share(project, account.people["restricted"].user),
        lambda: account.unshare(project, account.people["restricted"].user),
        lambda: account.leave_workspace(workspace, service.user),
        lambda: account.join_workspace(workspace, service.user),
        lambda: account.rename_section(account.create_section(project, "New"), "Newer"),
        lambda: account.set_parent(task, task_named(account, "Climb")),
        lambda: account.post_status(project, "Later"),
        lambda: account.log_time(task, 5, "2026-11-20"),
        lambda: account.audit(workspace, "user_logged_out"),
        lambda: account.set_goal(records(account, "service", "goals")[0]["gid"], notes="Hm."),
        lambda: account.delete(project),
        lambda: account.restore(project),
    ):
        change()
        versions.append(account.version)
    assert versions == sorted(set(versions))


def test_moving_a_task_changes_its_section(account: Account, member: Viewer) -> None:
    project = project_named(account, "Re-light")
    first, *_, last = account.listing(member, "sections", project)
    task = account.create_task(project, "Sweep up", section=first)
    account.move_to_section(task, last)
    assert task in account.listing(member, "tasks", last)
    assert task not in account.listing(member, "tasks", first)
    assert told(events_of(account, project))[-3:] == [
        ("task", "removed"),
        ("task", "added"),
        ("story", "added"),
    ]


def test_a_section_with_tasks_cannot_be_deleted(account: Account, member: Viewer) -> None:
    section = account.listing(member, "sections", project_named(account, "Re-light"))[0]
    with pytest.raises(ValueError, match="empty sections"):
        account.delete(section)


def test_a_subtask_follows_its_new_parent(account: Account, member: Viewer) -> None:
    task, old = task_named(account, "First rung"), task_named(account, "Climb")
    new = task_named(account, "Grind")
    account.set_parent(task, new)
    assert task in account.listing(member, "subtasks", new)
    assert account.record(member, old)["num_subtasks"] == 0
    assert account.record(member, task)["parent"]["gid"] == new


# -- expected records ------------------------------------------------------------------------------


def test_the_floor_counts_each_page_once() -> None:
    account = populated("small")
    viewer = account.people["service"]
    tasks = len(held("small", "service", "tasks") + held("small", "service", "subtasks"))
    in_both = {task["gid"] for task in held("small", "service", "tasks")} & {
        task["gid"] for task in held("small", "service", "subtasks")
    }
    needed = truth.floor(account, viewer, ["stories"])
    tasks_with_two_pages = 2
    assert needed["/tasks/{task_gid}/stories"] == tasks - len(in_both) + tasks_with_two_pages
    assert set(needed) == {
        "/workspaces",
        "/projects",
        "/tasks",
        "/tasks/{task_gid}/subtasks",
        "/tasks/{task_gid}/stories",
    }


def test_the_floor_of_tasks_is_the_pages_of_the_projects() -> None:
    account = populated("small")
    sizes = sizes_of_projects(account, "member").values()
    needed = truth.floor(account, account.people["member"], ["tasks"])
    assert needed["/tasks"] == sum(max(1, -(-size // 100)) for size in sizes)


def test_the_floor_requests_teams_of_organizations_and_the_type_of_other_workspaces(
    account: Account, member: Viewer
) -> None:
    needed = truth.floor(account, member, ["teams", "users"])
    assert needed == {
        "/workspaces": 1,
        "/users": 2,
        "/workspaces/{workspace_gid}": 1,
        "/workspaces/{workspace_gid}/teams": 1,
    }


def test_the_floor_of_exports_is_one_request_each(account: Account, member: Viewer) -> None:
    ids = account.organization_exports
    needed = truth.floor(account, member, ["organization_exports"], export_ids=ids)
    assert needed == {"/organization_exports/{organization_export_gid}": len(ids)}


def test_compact_streams_share_the_requests_of_the_full_ones(
    account: Account, member: Viewer
) -> None:
    both = truth.floor(account, member, ["stories", "stories_compact", "events"])
    assert both == truth.floor(account, member, ["stories"])
    full = records(account, "member", "stories")
    assert list(truth.expected(account, member, "stories_compact")) == full
    assert not list(truth.expected(account, member, "events"))


# -- expected records of a choice -----------------------------------------------------------------


def chosen(account: Account, stream: str, choice: Choice, who: str = "service") -> set[str]:
    """The gids of a stream's records."""
    found = truth.expected(account, account.people[who], stream, choice=choice)
    return {record["gid"] for record in found}


def floor_of(account: Account, streams: list[str], choice: Choice) -> dict[str, int]:
    return truth.floor(account, account.people["service"], streams, choice=choice)


def test_a_choice_of_everything_equals_no_choice() -> None:
    account, viewer = populated("small"), populated("small").people["service"]
    ids = account.organization_exports
    for stream in STREAMS:
        chosen = truth.expected(account, viewer, stream, export_ids=ids, choice=Choice())
        assert list(chosen) == held("small", "service", stream)


def test_nothing_is_read_below_a_workspace_that_was_not_chosen(account: Account) -> None:
    _, quiz = (workspace["gid"] for workspace in records(account, "service", "workspaces"))
    choice = Choice(workspace_gids=(quiz,))
    assert chosen(account, "workspaces", choice) == {quiz}
    projects = truth.expected(account, account.people["service"], "projects", choice=choice)
    assert {project["workspace"]["gid"] for project in projects} == {quiz}
    assert not chosen(account, "teams", choice)
    needed = floor_of(account, ["users", "goals", "audit_log_events"], choice)
    one = "/workspaces/{workspace_gid}"
    assert needed == {"/workspaces": 1, "/users": 1, "/goals": 1, one: 1}


def test_chosen_and_excluded_projects_need_the_same_listing(
    account: Account, member: Viewer
) -> None:
    one, other = project_named(account, "Re-light"), project_named(account, "Paint")
    choice = Choice(project_gids=(one, other), excluded_project_gids=(other,))
    assert chosen(account, "projects", choice) == {one}
    assert chosen(account, "tasks", choice) == set(account.listing(member, "tasks", one))
    assert floor_of(account, ["tasks"], choice) == {"/workspaces": 1, "/projects": 2, "/tasks": 1}
    settings = truth.expected(
        account, account.people["service"], "custom_field_settings", choice=choice
    )
    assert other not in {setting["parent"]["gid"] for setting in settings}
    assert len(chosen(account, "portfolio_items", choice)) > 1


def test_without_archived_projects_their_pages_are_not_requested() -> None:
    account = populated("small")
    choice = Choice(include_archived_projects=False)
    archived = [each["gid"] for each in held("small", "service", "projects") if each["archived"]]
    assert archived
    left = chosen(account, "projects", Choice()) - chosen(account, "projects", choice)
    assert left == set(archived)


def test_without_subtasks_only_those_in_a_project_remain(account: Account) -> None:
    choice = Choice(include_subtasks=False)
    assert not chosen(account, "subtasks", choice)
    assert chosen(account, "tasks", choice) == chosen(account, "tasks", Choice())
    stories = truth.expected(account, account.people["service"], "stories", choice=choice)
    assert {each["target"]["gid"] for each in stories} <= chosen(account, "tasks", Choice())
    needed = floor_of(account, ["stories", "subtasks"], choice)
    assert needed["/tasks/{task_gid}/stories"] == len(chosen(account, "tasks", Choice()))
    assert "/tasks/{task_gid}/subtasks" not in needed


def test_a_start_date_is_sent_only_where_no_old_parent_is_needed() -> None:
    account, viewer = populated("small"), populated("small").people["service"]
    start = "2026-04-01T00:00:00.000Z"
    choice = Choice(start_date=start)
    tasks = list(truth.expected(account, viewer, "tasks", choice=choice))
    assert tasks
    assert all(task["modified_at"] >= start for task in tasks)
    projects = held("small", "service", "projects")
    least = floor_of(account, ["tasks"], choice)["/tasks"]
    whole = floor_of(account, ["tasks"], Choice())["/tasks"]
    assert len(projects) <= least < whole
    assert floor_of(account, ["tasks", "stories"], choice)["/tasks"] == whole
    bare = Choice(start_date=start, include_subtasks=False)
    assert floor_of(account, ["tasks", "stories"], bare)["/tasks"] == least
    recent = len(chosen(account, "tasks", choice) | chosen(account, "subtasks", choice))
    needed = floor_of(account, ["stories"], choice)
    assert needed["/tasks/{task_gid}/stories"] == recent
    parents = floor_of(account, ["stories"], Choice())["/tasks/{task_gid}/subtasks"]
    assert needed["/tasks/{task_gid}/subtasks"] == parents


@pytest.mark.parametrize(
    ("stream", "time"),
    [
        ("stories", "created_at"),
        ("attachments", "created_at"),
        ("status_updates", "created_at"),
        ("time_tracking_entries", "entered_on"),
        ("audit_log_events", "created_at"),
    ],
)
def test_a_start_date_includes_its_instant(account: Account, stream: str, time: str) -> None:
    every = records(account, "service", stream)
    times = sorted(record[time] for record in every)
    start = times[len(times) // 2]
    whole = start if time == "created_at" else f"{start}T00:00:00.000Z"
    found = chosen(account, stream, Choice(start_date=whole))
    assert found == {record["gid"] for record in every if record[time] >= start}
    assert len(found) < len(every)


def test_tasks_without_a_project_are_found_below_users(account: Account) -> None:
    choice = Choice(include_tasks_without_project=True)
    alone = chosen(account, "tasks", choice) - chosen(account, "tasks", Choice())
    found = {account.record(account.people["service"], gid)["name"] for gid in alone}
    assert found == {"Hide the cake", "Renew first-aid certificate"}
    people = sum(
        len(account.listing(account.people["service"], "users", each["gid"]))
        for each in records(account, "service", "workspaces")
    )
    more, before = (floor_of(account, ["tasks"], each) for each in (choice, Choice()))
    assert more == before | {"/users": 2, "/tasks": before["/tasks"] + people}
    below = chosen(account, "stories", choice) - chosen(account, "stories", Choice())
    service = account.people["service"]
    assert below == {story for task in alone for story in account.listing(service, "stories", task)}


def test_time_entries_are_read_one_by_one_unless_their_listing_has_everything() -> None:
    account, viewer = populated("small"), populated("small").people["service"]
    entries = len(held("small", "service", "time_tracking_entries"))
    listed = {"/workspaces": 1, "/time_tracking_entries": 1 + 1 + 3}
    needed = truth.floor(account, viewer, ["time_tracking_entries"])
    single = "/time_tracking_entries/{time_tracking_entry_gid}"
    assert needed == listed | {single: entries}
    least = truth.floor(account, viewer, ["time_tracking_entries"], whole_time_entries=True)
    assert least == listed


def test_the_end_of_the_audit_log_is_an_empty_page() -> None:
    account, viewer = populated("small"), populated("small").people["service"]
    path = "/workspaces/{workspace_gid}/audit_log_events"
    assert truth.floor(account, viewer, ["audit_log_events"]) == {
        "/workspaces": 1,
        "/workspaces/{workspace_gid}": 1,
        path: (1 + 1) + (3 + 1),
    }
    nothing = Choice(start_date="2026-11-01T00:00:00.000Z")
    assert floor_of(account, ["audit_log_events"], nothing)[path] == 2
