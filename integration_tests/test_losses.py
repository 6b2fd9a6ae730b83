"""Nothing is lost or wrongly deleted, whatever Asana omits or refuses for a while."""

from collections.abc import Callable
from typing import Any

import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.asana_emulator.account import Account
from integration_tests.reading import SERVICE, Record, Said, truth
from integration_tests.test_incremental import (
    DELETED_AT,
    Connection,
    incremental,
    rows,
    some_subtask,
    tombstones,
    top_task,
)

pytestmark = pytest.mark.once

ORGANIZATION = "1201000000000001"
TASK = "/tasks/{task_gid}"
STORIES = "/tasks/{task_gid}/stories"
SUBTASKS = "/tasks/{task_gid}/subtasks"
ATTACHMENTS = "/attachments"
HOUR = 3600


@pytest.fixture
def connection(asana: AsanaEmulator) -> Connection:
    """A connection that has synced everything once."""
    connection = Connection(asana)
    connection.sync()
    return connection


def warnings(said: Said) -> str:
    return "\n".join(said.logs("WARN"))


def deleted(said: Said) -> list[Record]:
    return [r for records in said.records().values() for r in records if r.get(DELETED_AT)]


def marks(connection: Connection, stream: str) -> set[str]:
    """The projects in a stream's state that have a time of their last read."""
    times = connection.state_of(stream)["modified_since"]
    return {project for projects in times.values() for project in projects}


def asked_in_full(asana: AsanaEmulator) -> list[str]:
    """The projects with a request for all tasks, whenever modified."""
    return [
        request.query["project"]
        for request in asana.ledger.requests
        if request.template == "/tasks" and "modified_since" not in request.query
    ]


def record(asana: AsanaEmulator, gid: str) -> Record:
    return asana.account.record(asana.account.people[SERVICE], gid)


def project_of(asana: AsanaEmulator, task: str) -> str:
    return str(record(asana, task)["projects"][0]["gid"])


# -- a missing project is not deleted -------------------------------------------------------------


@pytest.mark.parametrize("is_alone", [True, False], ids=["one project", "all projects"])
def test_a_project_that_is_missing_from_the_listing_once_keeps_its_marks(
    asana: AsanaEmulator, *, is_alone: bool
) -> None:
    connection, projects, task = Connection(asana), truth(asana, "projects"), top_task(asana)
    connection.sync()
    before = {stream: marks(connection, stream) for stream in ("projects", "tasks", "stories")}
    left_out = [project_of(asana, task)] if is_alone else projects
    asana.controls.hide(*left_out)
    said = connection.sync()
    assert not deleted(said)
    told = f"{len(left_out)} of {len(projects)} projects of the last sync are no longer listed"
    assert told in warnings(said)
    for stream, had in before.items():
        assert marks(connection, stream) == had
    asana.controls.heal()
    asana.change(lambda account: account.delete(task))
    back = connection.sync()
    assert asked_in_full(asana) == []
    assert tombstones(back, "tasks") == [task]
    assert rows(back, "tasks") == []


@pytest.mark.parametrize("status", [403, 404])
def test_projects_of_a_workspace_that_is_no_longer_listed_are_not_deleted(
    asana: AsanaEmulator, connection: Connection, status: int
) -> None:
    account, service = asana.account, asana.account.people[SERVICE]
    before = {stream: marks(connection, stream) for stream in ("projects", "tasks", "stories")}
    workspace = account.listing(service, "workspaces", "")[0]
    projects = account.listing(service, "projects", workspace)
    asana.controls.hide(workspace)
    for gid in (workspace, *projects):
        asana.controls.deny(gid, status)
    said = connection.sync()
    assert not deleted(said)
    assert f"{len(projects)} of {len(before['projects'])} projects" in warnings(said)
    for stream, had in before.items():
        assert marks(connection, stream) == had
    asana.controls.heal()
    said = connection.sync()
    assert asked_in_full(asana) == []
    assert rows(said, "tasks") == []


def test_a_deleted_project_is_still_deleted_while_its_workspace_is_listed(
    asana: AsanaEmulator,
    connection: Connection,
) -> None:
    project = truth(asana, "projects")[0]
    asana.change(lambda account: account.delete(project))
    assert tombstones(connection.sync(), "projects") == [project]
    assert project not in marks(connection, "tasks")


def test_a_project_may_be_deleted_where_projects_are_not_selected(asana: AsanaEmulator) -> None:
    connection, project = Connection(asana, "sections"), truth(asana, "projects")[0]
    connection.sync()
    asana.change(lambda account: account.delete(project))
    said = connection.sync()
    assert said.statuses("sections")[-1] == "COMPLETE"
    assert project not in marks(connection, "sections")


# -- joined projects --------------------------------------------------------------------------


def test_an_unmodified_task_that_joined_a_project_is_delivered_without_an_event(
    asana: AsanaEmulator,
) -> None:
    connection, task = Connection(asana, "tasks"), top_task(asana)
    connection.sync()
    workspace = record(asana, task)["workspace"]["gid"]
    other = next(
        gid
        for gid in asana.account.listing(asana.account.people[SERVICE], "projects", workspace)
        if gid != project_of(asana, task)
    )
    asana.account.clock.advance(HOUR)
    asana.change(lambda account: account.add_to_project(task, other))
    asana.controls.lost_events = 1.0
    said = connection.sync()
    assert rows(said, "tasks") == [task]
    assert other in {project["gid"] for project in said.records()["tasks"][0]["projects"]}


# -- repeating refused requests -------------------------------------------------------------------

Change = Callable[[AsanaEmulator, str], Any]


def comment(asana: AsanaEmulator, task: str) -> str:
    return str(asana.change(lambda account: account.comment(task, "Hear, hear")))


def attach(asana: AsanaEmulator, task: str) -> str:
    return str(asana.change(lambda account: account.attach(task, "Chart.pdf")))


def add_subtask(asana: AsanaEmulator, task: str) -> str:
    return str(asana.change(lambda account: account.add_subtask(task, "And this")))


def some_parent(asana: AsanaEmulator) -> str:
    """A task in a project that has subtasks."""
    return next(
        str(task["gid"])
        for task in asana.expected("tasks", SERVICE)
        if task["num_subtasks"] and task["projects"]
    )


REFUSED = pytest.mark.parametrize("status", [402, 403, 404, 451])
MAY_PASS = pytest.mark.parametrize("status", [403, 404, 451])
"""A plan (402) does not change during a sync."""
BELOW_A_CHANGED_TASK = pytest.mark.parametrize(
    ("stream", "endpoint", "change"),
    [("stories", STORIES, comment), ("attachments", ATTACHMENTS, attach)],
    ids=["stories", "attachments"],
)
BELOW_A_NEW_TASK = pytest.mark.parametrize(
    ("stream", "endpoint"),
    [("stories", STORIES), ("attachments", ATTACHMENTS), ("subtasks", SUBTASKS)],
    ids=["stories", "attachments", "subtasks"],
)
IN_COMPANY = pytest.mark.parametrize("is_alone", [True, False], ids=["one task", "two tasks"])
"""Whether only the refused task has changed."""


@MAY_PASS
@IN_COMPANY
@BELOW_A_CHANGED_TASK
def test_a_request_refused_once_is_repeated_in_the_same_sync(
    asana: AsanaEmulator,
    connection: Connection,
    stream: str,
    endpoint: str,
    change: Change,
    status: int,
    *,
    is_alone: bool,
) -> None:
    task = top_task(asana)
    added = change(asana, task)
    if not is_alone:
        change(asana, some_parent(asana))
    fault = asana.controls.fail(endpoint, status, only=task)
    said = connection.sync()
    assert fault.happened == 1
    assert added in rows(said, stream)
    assert said.exit_status == 0


@REFUSED
@IN_COMPANY
@BELOW_A_CHANGED_TASK
def test_the_next_sync_repeats_requests_refused_throughout_a_sync(
    asana: AsanaEmulator,
    connection: Connection,
    stream: str,
    endpoint: str,
    change: Change,
    status: int,
    *,
    is_alone: bool,
) -> None:
    task = top_task(asana)
    added = change(asana, task)
    if not is_alone:
        change(asana, some_parent(asana))
    asana.controls.deny(endpoint, status, only=task)
    refused = connection.sync()
    assert added not in rows(refused, stream)
    assert task in warnings(refused)
    asana.controls.heal()
    assert added in rows(connection.sync(), stream)
    connection.sync()
    assert asana.ledger.count(STORIES) == 0


@MAY_PASS
@BELOW_A_NEW_TASK
def test_a_first_sync_repeats_a_request_refused_once(
    asana: AsanaEmulator, stream: str, endpoint: str, status: int
) -> None:
    connection = Connection(asana)
    fault = asana.controls.fail(endpoint, status, only=some_parent(asana))
    assert rows(connection.sync(), stream) == truth(asana, stream)
    assert fault.happened


@REFUSED
@BELOW_A_NEW_TASK
def test_the_next_sync_repeats_requests_refused_in_the_first_one(
    asana: AsanaEmulator, stream: str, endpoint: str, status: int
) -> None:
    connection = Connection(asana)
    asana.controls.deny(endpoint, status, only=some_parent(asana))
    delivered = set(rows(connection.sync(), stream))
    assert len(delivered) < len(truth(asana, stream))
    asana.controls.heal()
    delivered |= set(rows(connection.sync(), stream))
    assert sorted(delivered) == truth(asana, stream)


@pytest.mark.parametrize("status", [403, 404])
def test_a_refused_task_that_an_event_names_is_requested_again(
    asana: AsanaEmulator, connection: Connection, status: int
) -> None:
    subtask = some_subtask(asana)
    added = comment(asana, subtask)
    asana.controls.fail(TASK, status, only=subtask)
    said = connection.sync()
    assert subtask in rows(said, "subtasks")
    assert added in rows(said, "stories")


def test_the_next_sync_requests_a_refused_task_that_an_event_names(
    asana: AsanaEmulator, connection: Connection
) -> None:
    subtask = some_subtask(asana)
    added = comment(asana, subtask)
    asana.controls.deny(TASK, 403, only=subtask)
    assert subtask in warnings(connection.sync())
    asana.controls.heal()
    said = connection.sync()
    assert subtask in rows(said, "subtasks")
    assert added in rows(said, "stories")


def test_subtasks_refused_everywhere_are_read_once_they_are_allowed(
    asana: AsanaEmulator,
) -> None:
    connection = Connection(asana, "tasks", "subtasks")
    asana.controls.deny(SUBTASKS, 403)
    assert connection.sync().statuses("subtasks")[-1] == "INCOMPLETE"
    asana.controls.heal()
    assert rows(connection.sync(), "subtasks") == truth(asana, "subtasks")


def test_the_next_sync_does_not_request_a_deleted_task(
    asana: AsanaEmulator,
    connection: Connection,
) -> None:
    task = top_task(asana)
    comment(asana, task)
    asana.controls.interrupt(STORIES, lambda: asana.account.delete(task))
    connection.sync()
    assert tombstones(connection.sync(), "tasks") == [task]
    connection.sync()
    assert {f"/tasks/{task}", f"/tasks/{task}/stories"}.isdisjoint(
        request.path for request in asana.ledger.requests
    )


def test_a_listing_that_is_always_refused_is_not_requested_twice(asana: AsanaEmulator) -> None:
    connection = Connection(asana, "tasks", "subtasks", "stories")
    asana.controls.deny(STORIES, 403)
    said = connection.sync()
    assert said.errors()["stories"]["failure_type"] == "config_error"
    asked = [request.path for request in asana.ledger.requests if request.template == STORIES]
    assert len(asked) == len(set(asked))


# -- lost events --------------------------------------------------------------------------


def unreported_work_beside_a_modified_task(asana: AsanaEmulator) -> tuple[str, str]:
    """Modify a task, and comment on another one's subtask.

    Returns the gids of their project and of the comment.
    """
    task, subtask = top_task(asana), some_subtask(asana)
    project = project_of(asana, task)
    assert project == project_of(asana, record(asana, subtask)["parent"]["gid"])
    asana.account.clock.advance(HOUR)
    notes = f"Look here, it is {asana.account.clock.now()}"
    asana.change(lambda account: account.modify_task(task, notes=notes))
    added = comment(asana, subtask)
    asana.account.clock.advance(HOUR)
    return project, added


def test_the_tasks_of_a_project_are_read_again_if_events_are_probably_lost(
    asana: AsanaEmulator,
    connection: Connection,
) -> None:
    project, added = unreported_work_beside_a_modified_task(asana)
    asana.controls.lost_events = 1.0
    said = connection.sync()
    assert added in rows(said, "stories")
    assert asked_in_full(asana) == [project]
    assert project in warnings(said)


def test_a_project_is_read_again_for_lost_events_at_most_once_a_day(
    asana: AsanaEmulator, connection: Connection
) -> None:
    asana.controls.lost_events = 1.0
    unreported_work_beside_a_modified_task(asana)
    connection.sync()
    for _ in range(2):
        unreported_work_beside_a_modified_task(asana)
        connection.sync()
        assert asked_in_full(asana) == []
        asana.account.clock.advance(10 * HOUR)
    project, added = unreported_work_beside_a_modified_task(asana)
    assert added in rows(connection.sync(), "stories")
    assert asked_in_full(asana) == [project]


def test_late_events_do_not_count_as_lost(asana: AsanaEmulator, connection: Connection) -> None:
    task = top_task(asana)
    where = f"/tasks?project={project_of(asana, task)}"
    asana.controls.interrupt(
        where, lambda: asana.account.modify_task(task, notes="Just in between")
    )
    said = connection.sync()
    assert rows(said, "tasks") == [task]
    assert asked_in_full(asana) == []
    assert not said.logs("WARN")


# -- one task in two projects ----------------------------------------------------------


@pytest.mark.parametrize("is_archived_later", [False, True])
def test_a_comment_made_between_reading_two_projects_of_a_task_is_delivered(
    asana: AsanaEmulator, *, is_archived_later: bool
) -> None:
    archived = {p["gid"] for p in asana.expected("projects", SERVICE) if p["archived"]}
    task = next(
        task
        for task in asana.expected("tasks", SERVICE)
        if len(task["projects"]) == 2
        and not task["parent"]
        and archived.isdisjoint(project["gid"] for project in task["projects"])
    )
    listed = truth(asana, "projects")
    first, second = sorted((p["gid"] for p in task["projects"]), key=listed.index)
    connection = Connection(
        asana,
        *("tasks", "subtasks", "stories"),
        num_workers=1,
        include_archived_projects=False,
    )
    connection.sync()
    subtask = add_subtask(asana, task["gid"])
    said: list[str] = []
    asana.controls.interrupt(
        f"/events?resource={second}", lambda: said.append(asana.account.comment(subtask, "Between"))
    )
    delivered = rows(connection.sync(), "stories")
    assert said
    if is_archived_later:
        asana.change(lambda account: account.archive(first))
    delivered += rows(connection.sync(), "stories")
    assert said[0] in delivered


def test_a_subtask_that_left_its_parent_is_delivered_one_more_time(asana: AsanaEmulator) -> None:
    connection, subtask = Connection(asana, "subtasks"), some_subtask(asana)
    connection.sync()
    asana.change(lambda account: account.set_parent(subtask, None))
    assert subtask in rows(connection.sync(), "subtasks")
    assert rows(connection.sync(), "subtasks") == []


# -- one listing that always fails -------------------------------------------------------------


def test_only_the_stories_that_always_fail_are_requested_again(asana: AsanaEmulator) -> None:
    connection, task = Connection(asana), top_task(asana)
    asana.controls.fail(STORIES, 500, only=task, times=None)
    first = connection.sync(patience=0.02)
    assert first.statuses("stories")[-1] == "INCOMPLETE"
    second = connection.sync(patience=0.02)
    assert second.statuses("stories")[-1] == "INCOMPLETE"
    asked = {request.path for request in asana.ledger.requests if request.template == STORIES}
    assert asked == {f"/tasks/{task}/stories"}
    assert task in second.errors()["stories"]["message"]
    asana.controls.heal()
    third = connection.sync()
    assert third.exit_status == 0
    delivered = {story for said in (first, third) for story in rows(said, "stories")}
    assert sorted(delivered) == truth(asana, "stories")
    connection.sync()
    assert asana.ledger.count(STORIES) == 0


# -- requests that failed outside of projects ------------------------------------------------------

TIME_ENTRY = "/time_tracking_entries/{time_tracking_entry_gid}"
NEVER_ANSWERED = pytest.mark.parametrize("status", [403, 404, 500])


@NEVER_ANSWERED
def test_the_next_sync_repeats_the_request_for_a_time_entry(
    asana: AsanaEmulator, status: int
) -> None:
    stream = "time_tracking_entries"
    connection, entry = Connection(asana, stream), truth(asana, stream)[2]
    asana.controls.deny(TIME_ENTRY, status, only=entry)
    first = connection.sync(patience=0.02)
    assert entry not in rows(first, stream)
    asana.controls.heal()
    assert rows(connection.sync(), stream) == [entry]
    assert asana.ledger.count(TIME_ENTRY) == 1
    assert rows(connection.sync(), stream) == []
    assert asana.ledger.count(TIME_ENTRY) == 0


def test_a_missing_record_is_delivered_though_its_request_is_no_longer_needed(
    asana: AsanaEmulator,
) -> None:
    stream = "time_tracking_entries"
    connection, entry = Connection(asana, stream), truth(asana, stream)[2]
    asana.controls.deny(TIME_ENTRY, 403, only=entry)
    connection.sync()
    asana.controls.heal()
    catalog = incremental([stream])
    shown = catalog["streams"][0]["stream"]["json_schema"]
    shown["properties"] = {name: shown["properties"][name] for name in ("gid", "entered_on")}
    assert entry in rows(connection.sync(catalog=catalog), stream)
    assert asana.ledger.count(TIME_ENTRY) == 0


@NEVER_ANSWERED
@pytest.mark.parametrize(
    ("stream", "endpoint"), [("stories", STORIES), ("attachments", ATTACHMENTS)]
)
def test_the_next_sync_repeats_requests_below_a_task_in_no_project(
    asana: AsanaEmulator, stream: str, endpoint: str, status: int
) -> None:
    task, below = asana.change(task_in_no_project)
    connection = Connection(asana, include_tasks_without_project=True)
    asana.controls.deny(endpoint, status, only=task)
    first = connection.sync(patience=0.02)
    assert below[stream] not in rows(first, stream)
    asana.controls.heal()
    assert below[stream] in rows(connection.sync(), stream)
    assert below[stream] not in rows(connection.sync(), stream)


@NEVER_ANSWERED
def test_the_next_sync_repeats_the_request_for_the_tasks_of_a_user(
    asana: AsanaEmulator, status: int
) -> None:
    task, below = asana.change(task_in_no_project)
    connection = Connection(asana, include_tasks_without_project=True)
    assignee = record(asana, task)["assignee"]["gid"]
    asana.controls.fail("/tasks", status, only=assignee, times=None)
    first = connection.sync(patience=0.02)
    assert task not in rows(first, "tasks")
    asana.controls.heal()
    second = connection.sync()
    assert rows(second, "tasks").count(task) == 1
    assert below["subtasks"] in rows(second, "subtasks")
    assert below["stories"] in rows(second, "stories")


def task_in_no_project(account: Account) -> tuple[str, dict[str, str]]:
    """A task of somebody, and by stream what is below it."""
    user = account.listing(account.people[SERVICE], "users", ORGANIZATION)[0]
    task = account.create_private_task(ORGANIZATION, "Feed the cat", assignee=user)
    return task, {
        "stories": account.comment(task, "Hungry"),
        "subtasks": account.add_subtask(task, "Find the cat"),
        "attachments": account.attach(task, "Cat.png"),
    }
