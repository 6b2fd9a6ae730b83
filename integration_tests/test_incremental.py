"""Incremental syncs: what they deliver, and how many requests they need."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from integration_tests.asana_emulator import AsanaEmulator, make_account
from integration_tests.reading import (
    PROGRAM_SECONDS,
    SERVICE,
    Json,
    Said,
    catalog_of,
    config_for,
    run,
    truth,
)
from source_asana.streams.declared import STREAMS

pytestmark = pytest.mark.once

DATED = ("status_updates", "time_tracking_entries", "audit_log_events")
"""What Asana filters by time and no events tell of, so that nothing else is asked for."""
INCREMENTAL = [
    name for name, stream in STREAMS.items() if stream.cursor_field and name not in DATED
]
BELOW_PROJECTS = [name for name in INCREMENTAL if name != "projects"]
DELETED_AT = "_ab_cdc_deleted_at"


def incremental(streams: Collection[str], full: Collection[str] = ()) -> Json:
    catalog = catalog_of([*streams, *full])
    for configured in catalog["streams"]:
        if configured["stream"]["name"] in streams:
            configured["stream"]["supported_sync_modes"].append("incremental")
            configured |= {"sync_mode": "incremental", "destination_sync_mode": "append_dedup"}
    return catalog


class Connection:
    """Syncs of one account, each resuming from the last state."""

    def __init__(self, asana: AsanaEmulator, *streams: str, **config: Any) -> None:
        self.asana = asana
        self.streams = streams or tuple(INCREMENTAL)
        self.config = config_for(asana, **config)
        self.state: dict[str, Json] = {}

    def sync(self, **how: Any) -> Said:
        """Sync ten minutes after the last change, so that the lookback is over."""
        self.asana.account.clock.advance(600)
        self.asana.ledger.reset()
        said = run(
            "read",
            self.asana,
            self.config,
            how.pop("catalog", None) or incremental(self.streams),
            list(self.state.values()),
            **how,
        )
        for message in said.of_type("STATE"):
            name = message["state"]["stream"]["stream_descriptor"]["name"]
            self.state[name] = message["state"]
        return said

    def state_of(self, stream: str) -> Json:
        """The last state of a stream."""
        state: Json = self.state[stream]["stream"]["stream_state"]
        return state


def rows(said: Said, stream: str) -> list[str]:
    return sorted(r["gid"] for r in said.records()[stream] if not r.get(DELETED_AT))


def tombstones(said: Said, stream: str) -> list[str]:
    return sorted(r["gid"] for r in said.records()[stream] if r.get(DELETED_AT))


def top_task(asana: AsanaEmulator) -> str:
    """A task in one project only, without subtasks."""
    tasks = asana.expected("tasks", SERVICE)
    return next(
        str(t["gid"])
        for t in tasks
        if len(t["projects"]) == 1 and not t["parent"] and not t["num_subtasks"]
    )


def some_subtask(asana: AsanaEmulator) -> str:
    subtasks = asana.expected("subtasks", SERVICE)
    return next(str(task["gid"]) for task in subtasks if not task["projects"])


@pytest.fixture
def connection(asana: AsanaEmulator) -> Connection:
    """A connection that has synced everything once."""
    made = Connection(asana)
    made.sync()
    return made


def test_the_first_sync_is_complete_and_costs_one_more_request_for_each_project(
    asana: AsanaEmulator,
) -> None:
    said = Connection(asana).sync()
    for stream in set(INCREMENTAL) - {"events"}:
        assert rows(said, stream) == truth(asana, stream)
    assert said.records()["events"] == []
    floor = asana.floor(INCREMENTAL, SERVICE)
    projects = len(truth(asana, "projects"))
    assert asana.ledger.count() == sum(floor.values()) + projects
    assert asana.ledger.by_status() == {200: sum(floor.values()), 412: projects}


def test_an_unchanged_project_costs_two_requests_and_its_own_lists(
    connection: Connection,
) -> None:
    said = connection.sync()
    for stream in ("tasks", "subtasks", "stories", "projects", "events"):
        assert said.records()[stream] == []
    projects = len(truth(connection.asana, "projects"))
    asked = connection.asana.ledger.by_path()
    assert asked.pop("/workspaces") == 1
    assert asked.pop("/projects") == 2
    assert asked == {
        "/events": projects,
        "/tasks": projects,
        "/projects/{project_gid}/sections": projects,
        "/attachments": projects + len(truth(connection.asana, "project_briefs")),
    }


def test_the_summary_has_each_stream_once_with_all_of_its_requests(
    connection: Connection,
) -> None:
    asana, subtask = connection.asana, some_subtask(connection.asana)
    asana.change(lambda account: account.comment(subtask, "Nearly there"))
    lines = [line.rsplit(", ", 1)[0] for line in connection.sync().logs("INFO")]
    told = [line for line in lines if " record" in line and re.search(r" requests?$", line)]
    assert sorted(line.split(":")[0] for line in told) == sorted(INCREMENTAL)
    asked = asana.ledger.by_path()
    assert f"tasks: 0 records, {asked['/tasks'] + asked['/tasks/{task_gid}']} requests" in told
    total = sum(int(line.split()[3].replace(",", "")) for line in told)
    on_the_way = [line for line in lines if line.startswith("on the way: ")]
    assert on_the_way == ["on the way: workspaces"]
    assert total + 1 == asana.ledger.count()


def test_a_changed_task_is_read_with_its_stories_and_attachments(connection: Connection) -> None:
    asana, task = connection.asana, top_task(connection.asana)
    asana.change(lambda account: account.modify_task(task, name="Mend the lamp"))
    said = connection.sync()
    (record,) = said.records()["tasks"]
    assert (record["gid"], record["name"]) == (task, "Mend the lamp")
    assert {story["target"]["gid"] for story in said.records()["stories"]} == {task}
    assert asana.ledger.by_path()["/tasks/{task_gid}/stories"] == 1


def test_a_changed_subtask_is_found_even_if_its_parent_has_not_changed(
    connection: Connection,
) -> None:
    asana, subtask = connection.asana, some_subtask(connection.asana)
    asana.change(lambda account: account.comment(subtask, "Nearly there"))
    said = connection.sync()
    assert rows(said, "subtasks") == [subtask]
    assert rows(said, "tasks") == []
    assert "Nearly there" in [story["text"] for story in said.records()["stories"]]


def test_an_edited_comment_is_read_alone(connection: Connection) -> None:
    asana = connection.asana
    comment = next(
        s for s in asana.expected("stories", SERVICE) if s["resource_subtype"] == "comment_added"
    )["gid"]
    asana.change(lambda account: account.edit_comment(comment, "Better so"))
    said = connection.sync()
    assert [(s["gid"], s["text"]) for s in said.records()["stories"]] == [(comment, "Better so")]
    assert asana.ledger.by_path()["/stories/{story_gid}"] == 1


@pytest.mark.parametrize("stream", ["tasks", "subtasks", "stories", "attachments", "sections"])
def test_each_deletion_is_a_tombstone(connection: Connection, stream: str) -> None:
    asana = connection.asana
    if stream == "sections":
        project = truth(asana, "projects")[0]
        gid = asana.change(lambda account: account.create_section(project, "Empty"))
        connection.sync()
    elif stream == "tasks":
        gid = top_task(asana)
    elif stream == "subtasks":
        gid = some_subtask(asana)
    elif stream == "attachments":
        task = top_task(asana)
        gid = asana.change(lambda account: account.attach(task, "plan.pdf"))
        connection.sync()
    else:
        gid = truth(asana, stream)[0]
    asana.change(lambda account: account.delete(gid))
    said = connection.sync()
    assert tombstones(said, stream) == [gid]
    (tombstone,) = (record for record in said.records()[stream] if record["gid"] == gid)
    cursor = str(STREAMS[stream].cursor_field)
    assert set(tombstone) == {"gid", cursor, DELETED_AT}
    assert tombstone[cursor] == tombstone[DELETED_AT]
    assert gid not in rows(said, stream)


def test_a_deletion_is_delivered_whether_or_not_events_are_selected(asana: AsanaEmulator) -> None:
    connection = Connection(asana, "tasks")
    connection.sync()
    task = top_task(asana)
    asana.change(lambda account: account.delete(task))
    assert tombstones(connection.sync(), "tasks") == [task]


def test_a_deletion_is_delivered_once(connection: Connection) -> None:
    task = top_task(connection.asana)
    connection.asana.change(lambda account: account.delete(task))
    assert tombstones(connection.sync(), "tasks") == [task]
    assert tombstones(connection.sync(), "tasks") == []


def test_a_deleted_and_restored_object_is_a_record_and_not_a_tombstone(
    connection: Connection,
) -> None:
    asana, task = connection.asana, top_task(connection.asana)
    asana.change(lambda account: account.delete(task))
    asana.change(lambda account: account.restore(task))
    said = connection.sync()
    assert tombstones(said, "tasks") == []
    assert rows(said, "tasks") == [task]


def test_a_task_restored_after_its_tombstone_is_a_record_with_all_its_stories(
    connection: Connection,
) -> None:
    asana, task = connection.asana, top_task(connection.asana)
    asana.change(lambda account: account.delete(task))
    connection.sync()
    asana.change(lambda account: account.restore(task))
    said = connection.sync()
    assert rows(said, "tasks") == [task]
    expected = [s["gid"] for s in asana.expected("stories", SERVICE) if s["target"]["gid"] == task]
    assert rows(said, "stories") == sorted(expected)


@pytest.mark.parametrize("streams", [("tasks",), ("subtasks", "tasks"), tuple(INCREMENTAL)])
@pytest.mark.parametrize("in_project", [False, True])
def test_a_restored_subtask_updates_the_count_of_its_parent(
    asana: AsanaEmulator, streams: tuple[str, ...], *, in_project: bool
) -> None:
    task, connection = top_task(asana), Connection(asana, *streams)
    projects = {t["gid"]: t["projects"] for t in asana.expected("tasks", SERVICE)}
    subtask = asana.change(lambda account: account.add_subtask(task, "Splice the rope"))
    if in_project:
        project = projects[task][0]["gid"]
        asana.change(lambda account: account.add_to_project(subtask, project))
    connection.sync()
    asana.change(lambda account: account.delete(subtask))
    asana.change(lambda account: account.comment(task, "What rope?"))
    counted = [r["num_subtasks"] for r in connection.sync().records()["tasks"] if r["gid"] == task]
    assert counted == [0]
    asana.change(lambda account: account.restore(subtask))
    counted = [r["num_subtasks"] for r in connection.sync().records()["tasks"] if r["gid"] == task]
    assert counted == [1]


def test_deletions_are_not_captured_when_the_option_is_off(asana: AsanaEmulator) -> None:
    connection = Connection(asana, capture_deletions=False)
    connection.sync()
    task = top_task(asana)
    asana.change(lambda account: account.delete(task))
    said = connection.sync()
    assert not any(DELETED_AT in record for record in said.records()["tasks"])


def test_a_deleted_project_is_a_tombstone_and_leaves_the_state(connection: Connection) -> None:
    asana, project = connection.asana, truth(connection.asana, "projects")[0]
    asana.change(lambda account: account.delete(project))
    said = connection.sync()
    assert tombstones(said, "projects") == [project]
    assert asana.ledger.by_path()["/projects/{project_gid}"] == 1
    assert project not in json.dumps(list(connection.state.values()))


def test_a_project_that_is_only_hidden_is_not_a_tombstone(connection: Connection) -> None:
    asana, project = connection.asana, truth(connection.asana, "projects")[0]
    asana.change(lambda account: account.delete(project))
    asana.controls.deny("/projects/{project_gid}", 403)
    said = connection.sync()
    assert tombstones(said, "projects") == []
    # It is read in full if it comes back, and its deletion can still be proved.
    assert [name for name in INCREMENTAL if project in json.dumps(connection.state[name])] == [
        "projects"
    ]


def test_a_task_that_joins_a_project_without_being_modified_is_found(
    connection: Connection,
) -> None:
    asana, task = connection.asana, top_task(connection.asana)
    before = next(t for t in asana.expected("tasks", SERVICE) if t["gid"] == task)
    here = {project["gid"] for project in before["projects"]}
    project = next(gid for gid in truth(asana, "projects") if gid not in here)
    asana.change(lambda account: account.add_to_project(task, project))
    said = connection.sync()
    (record,) = said.records()["tasks"]
    assert {p["gid"] for p in record["projects"]} == {*here, project}


def test_a_new_project_is_read_in_full(connection: Connection) -> None:
    asana = connection.asana
    workspace = truth(asana, "workspaces")[0]

    def grow(account: Any) -> str:
        project = account.create_project(workspace, "A second lighthouse")
        task = account.create_task(project, "Find a cliff")
        account.comment(account.add_subtask(task, "Ask a sailor"), "Ahoy")
        return str(project)

    project = asana.change(grow)
    said = connection.sync()
    assert rows(said, "projects") == [project]
    assert [task["name"] for task in said.records()["tasks"]] == ["Find a cliff"]
    assert [task["name"] for task in said.records()["subtasks"]] == ["Ask a sailor"]
    assert "Ahoy" in [story["text"] for story in said.records()["stories"]]


def test_each_event_comes_once_with_an_id(connection: Connection) -> None:
    asana, task = connection.asana, top_task(connection.asana)

    def talk(account: Any) -> None:
        for number in range(150):
            account.comment(task, f"Comment {number}")

    asana.change(talk)
    said = connection.sync()
    events = said.records()["events"]
    assert len(events) == len({event["event_id"] for event in events}) == 150
    assert connection.sync().records()["events"] == []


def test_the_log_reports_an_expired_sync_token_and_all_subtasks_are_read(
    connection: Connection,
) -> None:
    asana, subtask = connection.asana, some_subtask(connection.asana)
    asana.change(lambda account: account.comment(subtask, "Lost and found"))
    asana.account.clock.advance(25 * 3600)
    said = connection.sync()
    assert subtask in rows(said, "subtasks")
    assert "Lost and found" in [story["text"] for story in said.records()["stories"]]
    warnings = [line for line in said.logs("WARN") if "no longer has the events" in line]
    assert len(warnings) == len(truth(asana, "projects"))
    assert connection.sync().logs("WARN") == []


def test_refused_events_are_delivered_once_they_are_allowed(
    connection: Connection,
) -> None:
    asana, task = connection.asana, top_task(connection.asana)
    asana.controls.deny("/events", 403)
    asana.change(lambda account: account.comment(task, "Behind closed doors"))
    said = connection.sync()
    assert rows(said, "tasks") == truth(asana, "tasks")
    assert said.errors()["events"]["failure_type"] == "config_error"
    asana.controls.heal()
    assert [event["action"] for event in connection.sync().records()["events"]] == ["added"]


def test_a_task_deleted_during_the_sync_fails_no_stream(connection: Connection) -> None:
    asana, task = connection.asana, top_task(connection.asana)
    asana.change(lambda account: account.modify_task(task, name="Soon gone"))
    asana.controls.interrupt("/tasks/{task_gid}/stories", lambda: asana.account.delete(task))
    said = connection.sync()
    assert said.exit_status == 0
    assert said.errors() == {}
    assert tombstones(connection.sync(), "tasks") == [task]


def test_a_stream_that_is_added_later_gets_all_of_its_records(asana: AsanaEmulator) -> None:
    connection = Connection(asana, "tasks")
    connection.sync()
    connection.streams = ("tasks", "stories")
    said = connection.sync()
    assert said.records()["tasks"] == []
    assert rows(said, "stories") == truth(asana, "stories")
    connection.sync()
    assert "/tasks/{task_gid}/stories" not in asana.ledger.by_path()
    assert asana.ledger.by_path()["/events"] == len(truth(asana, "projects"))


def test_full_refresh_and_incremental_streams_share_one_walk(connection: Connection) -> None:
    asana, task = connection.asana, top_task(connection.asana)
    asana.change(lambda account: account.modify_task(task, name="Changed"))
    said = connection.sync(catalog=incremental(["tasks"], full=["stories"]))
    assert rows(said, "tasks") == [task]
    assert rows(said, "stories") == truth(asana, "stories")
    assert asana.ledger.duplicates() == {}


@pytest.mark.parametrize("killed_after", [40, 120, 200])
@pytest.mark.parametrize("mode", ["incremental", "full_refresh"])
def test_a_killed_sync_that_is_resumed_loses_nothing(mode: str, killed_after: int) -> None:
    with AsanaEmulator(make_account("sample")) as asana:
        streams = [name for name in BELOW_PROJECTS if name != "events"]
        catalog = incremental(streams) if mode == "incremental" else catalog_of(streams)
        connection = Connection(asana, num_workers=1)
        first = connection.sync(catalog=catalog, killed_after=killed_after)
        second = connection.sync(catalog=catalog)
        for stream in streams:
            together = {*rows(first, stream), *rows(second, stream)}
            assert together == set(truth(asana, stream))


@pytest.mark.parametrize(
    "blob",
    [{}, {"__ab_full_refresh_sync_complete": True}, {"__ab_no_cursor_state_message": True}],
    ids=["empty", "of 1.7.2", "no cursor"],
)
def test_a_state_without_marks_leads_to_a_full_read(asana: AsanaEmulator, blob: Json) -> None:
    connection = Connection(asana, "tasks")
    connection.state["tasks"] = {
        "type": "STREAM",
        "stream": {"stream_descriptor": {"name": "tasks"}, "stream_state": blob},
    }
    assert rows(connection.sync(), "tasks") == truth(asana, "tasks")


def test_a_state_of_an_unknown_format_is_refused_with_what_to_do(asana: AsanaEmulator) -> None:
    connection = Connection(asana, "tasks")
    connection.state["tasks"] = {
        "type": "STREAM",
        "stream": {"stream_descriptor": {"name": "tasks"}, "stream_state": {"version": 9}},
    }
    said = connection.sync()
    (error,) = said.errors().values()
    assert error["failure_type"] == "config_error"
    assert "Clear the stream" in error["message"]


def test_sigterm_ends_a_sync_with_its_last_state(asana: AsanaEmulator, tmp_path: Path) -> None:
    config, catalog = tmp_path / "config.json", tmp_path / "catalog.json"
    config.write_text(json.dumps(config_for(asana, num_workers=1)))
    catalog.write_text(json.dumps(incremental(["tasks", "stories"])))
    program = Path(sys.executable).with_name("source-asana")
    with subprocess.Popen(
        [program, "read", "--config", config, "--catalog", catalog],
        env={**os.environ, "ASANA_BASE_URL": asana.url},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        # A single worker asks for the third project's tasks when the first one is complete.
        asana.controls.interrupt("/tasks", process.terminate, after=2)
        assert process.stdout is not None
        said = Said(process.stdout.readlines(), process.wait(PROGRAM_SECONDS))
    assert said.exit_status == -signal.SIGTERM
    assert said.statuses("stories")[-1] == "INCOMPLETE"
    assert said.states("tasks")
    (error,) = said.errors().values()
    assert error["failure_type"] == "transient_error"
    assert "Sync canceled" in error["message"]


def test_a_project_that_could_not_be_confirmed_is_requested_again(connection: Connection) -> None:
    asana, project = connection.asana, truth(connection.asana, "projects")[0]
    asana.change(lambda account: account.delete(project))
    asana.controls.fail("/projects/{project_gid}", 503, times=None)
    assert tombstones(connection.sync(patience=0.1), "projects") == []
    asana.controls.heal()
    assert tombstones(connection.sync(), "projects") == [project]


def test_a_record_of_a_failed_first_sync_stays_if_it_is_deleted_before_the_next_one(
    asana: AsanaEmulator,
) -> None:
    connection = Connection(asana, "tasks", "stories", num_workers=1)
    for place in ("/tasks/{task_gid}/stories", "/users/{user_gid}"):
        asana.controls.fail(place, 401, times=None)
    (task, *_) = rows(connection.sync(), "tasks")
    asana.controls.heal()
    asana.account.delete(task)
    assert task not in {*tombstones(connection.sync(), "tasks"), *rows(connection.sync(), "tasks")}
    assert task not in tombstones(connection.sync(), "tasks")


def test_a_task_that_joins_another_project_during_a_sync_comes_twice_but_the_same(
    asana: AsanaEmulator,
) -> None:
    task = top_task(asana)
    here = next(t for t in asana.expected("tasks", SERVICE) if t["gid"] == task)["projects"]
    last = truth(asana, "projects")[-1]
    assert last not in {project["gid"] for project in here}
    asana.controls.interrupt("/tasks", lambda: asana.account.add_to_project(task, last), after=5)
    said = Connection(asana, "tasks", num_workers=1).sync()
    twice = [record for record in said.records()["tasks"] if record["gid"] == task]
    assert [len(record["projects"]) for record in twice] == [1, 2]
    assert set(rows(said, "tasks")) == set(truth(asana, "tasks"))


def test_the_next_sync_reads_changes_during_a_sync_even_if_their_events_are_lost(
    asana: AsanaEmulator,
) -> None:
    connection = Connection(asana, num_workers=1)
    first, *_, last = (t["gid"] for t in asana.expected("tasks", SERVICE) if not t["parent"])

    def comment_on_read_and_unread_tasks() -> None:
        asana.account.comment(first, "Too late for this sync")
        asana.account.clock.advance(1)
        asana.account.comment(last, "Just in time")

    asana.controls.interrupt("/tasks", comment_on_read_and_unread_tasks, after=5)
    said = connection.sync()
    assert "Too late for this sync" not in [s["text"] for s in said.records()["stories"]]
    assert "Just in time" in [s["text"] for s in said.records()["stories"]]
    asana.account.clock.advance(25 * 3600)
    said = connection.sync()
    assert "Too late for this sync" in [s["text"] for s in said.records()["stories"]]


@pytest.mark.parametrize(
    "odd", ["é", "\x07", "\n", " ", "😀", "%2F+&=#?", "\"\\'", "\x7f\x80"], ids=ascii
)
def test_a_sync_resumes_from_a_sync_token_of_any_characters(asana: AsanaEmulator, odd: str) -> None:
    asana.controls.sync_token_prefix = odd
    connection = Connection(asana)
    connection.sync()
    task = top_task(asana)
    asana.change(lambda account: account.delete(task))
    assert tombstones(connection.sync(), "tasks") == [task]
    said = connection.sync()
    assert said.exit_status == 0
    assert said.records()["tasks"] == []


def test_a_sync_token_that_a_state_cannot_hold_costs_no_record(asana: AsanaEmulator) -> None:
    asana.controls.sync_token_prefix = "\0"
    connection = Connection(asana)
    connection.sync()
    for _ in range(2):
        said = connection.sync()
        assert said.exit_status == 0
        for stream in ("tasks", "subtasks"):
            assert rows(said, stream) == truth(asana, stream)
