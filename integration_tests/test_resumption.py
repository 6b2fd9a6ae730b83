"""A later sync delivers what Asana refused to an earlier one, or what that had no time to print."""

import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.reading import Said, truth
from integration_tests.test_incremental import DELETED_AT, Connection, rows, tombstones, top_task

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("stream", "endpoint"),
    [
        ("sections", "/projects/{project_gid}/sections"),
        ("tasks", "/tasks"),
        ("stories", "/tasks/{task_gid}/stories"),
        ("attachments", "/attachments"),
        ("status_updates", "/status_updates"),
    ],
)
def test_a_stream_refused_everywhere_is_read_in_full_once_it_is_allowed(
    asana: AsanaEmulator, stream: str, endpoint: str
) -> None:
    connection = Connection(asana, *dict.fromkeys(("tasks", "subtasks", stream)))
    asana.controls.deny(endpoint, 403)
    refused = connection.sync()
    assert refused.statuses(stream)[-1] == "INCOMPLETE"
    asana.controls.allow(endpoint)
    assert rows(connection.sync(), stream) == truth(asana, stream)


def test_a_task_that_left_its_only_project_is_delivered_one_more_time(asana: AsanaEmulator) -> None:
    connection, task = Connection(asana, "tasks"), top_task(asana)
    connection.sync()
    (project,) = asana.account.record(asana.account.people["service"], task)["projects"]
    asana.change(lambda account: account.remove_from_project(task, project["gid"]))
    said = connection.sync()
    assert rows(said, "tasks") == [task]
    assert said.records()["tasks"][0]["projects"] == []
    assert rows(connection.sync(), "tasks") == []


def place_of_first_tombstone(said: Said) -> int:
    return next(
        place
        for place, message in enumerate(said.messages)
        if message["type"] == "RECORD" and message["record"]["data"].get(DELETED_AT)
    )


def test_a_sync_killed_before_its_tombstones_delivers_them_when_it_resumes(
    asana: AsanaEmulator,
) -> None:
    connection = Connection(asana, "tasks", "sections", num_workers=1)
    connection.sync()
    task = top_task(asana)
    asana.change(lambda account: account.delete(task))
    before = dict(connection.state)
    whole = connection.sync(seconds_between_states=0.0)
    assert tombstones(whole, "tasks") == [task]
    for killed_after in range(1, place_of_first_tombstone(whole) + 1):
        connection.state = dict(before)
        killed = connection.sync(killed_after=killed_after, seconds_between_states=0.0)
        told = tombstones(killed, "tasks") + tombstones(connection.sync(), "tasks")
        assert task in told, killed_after
