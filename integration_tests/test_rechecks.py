"""Lists that a sync puts off because nothing suggests a change: what comes at once, what later."""

from collections.abc import Collection, Iterator

import pendulum
import pytest

from integration_tests.asana_emulator import AsanaEmulator, Clock, make_account
from integration_tests.asana_emulator.gids import gid_of, kind_of
from integration_tests.freshness import PER_MINUTE, SELECTIONS, Office, Scenario
from integration_tests.reading import SERVICE, Said, truth
from integration_tests.test_incremental import (
    BELOW_PROJECTS,
    Connection,
    incremental,
    rows,
    some_subtask,
    tombstones,
    top_task,
)
from integration_tests.test_readme import OPERATIONS, table_with
from integration_tests.test_workspace_events import OF_WORKSPACE, crowded

pytestmark = pytest.mark.once

BEGIN = pendulum.datetime(2026, 11, 2, 8)
DAY = 24 * 60
HOUR = 60
GULL_ROCK = gid_of("project", 1)
SECTIONS = "/projects/{project_gid}/sections"
STATUSES = "/status_updates"
LISTS = ("/tasks", SECTIONS, "/attachments")


@pytest.fixture
def asana() -> Iterator[AsanaEmulator]:
    with AsanaEmulator(make_account("sample", clock=Clock(BEGIN))) as emulator:
        yield emulator


def connected(asana: AsanaEmulator, minutes: int | None, *streams: str) -> Connection:
    """A connection with this recheck interval that has synced everything once."""
    made = Connection(asana, *streams, recheck_interval_minutes=minutes)
    made.sync()
    return made


@pytest.fixture
def connection(asana: AsanaEmulator) -> Connection:
    """A connection that rechecks once a day, and no project in the first hour of its tests."""
    return connected(asana, DAY)


def projects(asana: AsanaEmulator, *, archived: bool = False) -> list[str]:
    found = asana.expected("projects", SERVICE)
    return sorted(str(p["gid"]) for p in found if p["archived"] is archived)


def an_hour_of(connection: Connection) -> list[Said]:
    """A sync every ten minutes."""
    return [connection.sync() for _ in range(6)]


def a_day_of(connection: Connection) -> Iterator[Said]:
    """A sync every eight hours, so that no sync token expires."""
    for _ in range(3):
        connection.asana.account.clock.advance(8 * 3600)
        yield connection.sync()


def attached(asana: AsanaEmulator, project: str) -> str:
    """A new file of a project, of which no event tells."""
    return str(asana.change(lambda account: account.attach(project, "map.png")))


def asked(asana: AsanaEmulator, paths: Collection[str] = LISTS) -> dict[str, list[str]]:
    """The projects whose lists were requested, by endpoint."""
    found: dict[str, list[str]] = {}
    for request in asana.ledger.requests:
        if request.template in paths:
            gid = request.query.get("project") or request.query.get("parent")
            gid = gid or request.path.split("/")[2]
            if kind_of(gid) == "project":  # a project with a brief has the files of both
                found.setdefault(request.template, []).append(gid)
    return found


def reported(asana: AsanaEmulator, project: str) -> str:
    """A new status update of a project."""
    return str(asana.change(lambda account: account.post_status(project, "On track")))


# -- what comes at once ----------------------------------------------------------------------------


def test_an_unchanged_project_costs_one_request(connection: Connection) -> None:
    asana = connection.asana
    said = connection.sync()
    assert not any(said.records()[stream] for stream in BELOW_PROJECTS)
    everything = len(truth(asana, "projects"))
    assert asana.ledger.by_path() == {"/workspaces": 1, "/projects": 2, "/events": everything}


def test_a_changed_task_comes_at_once_and_costs_one_list(connection: Connection) -> None:
    asana, task = connection.asana, top_task(connection.asana)
    asana.change(lambda account: account.comment(task, "Nearly there"))
    said = connection.sync()
    assert rows(said, "tasks") == [task]
    assert "Nearly there" in [story["text"] for story in said.records()["stories"]]
    home = next(t["projects"] for t in asana.expected("tasks", SERVICE) if t["gid"] == task)
    assert asked(asana, ["/tasks", SECTIONS]) == {"/tasks": [project["gid"] for project in home]}
    connection.sync()
    assert asked(asana) == {}


def test_a_changed_subtask_comes_at_once(connection: Connection) -> None:
    subtask = some_subtask(connection.asana)
    connection.asana.change(lambda account: account.comment(subtask, "Nearly there"))
    assert rows(connection.sync(), "subtasks") == [subtask]


def test_a_renamed_section_comes_at_once(connection: Connection) -> None:
    asana = connection.asana
    section = next(s for s in asana.expected("sections", SERVICE))
    asana.change(lambda account: account.rename_section(section["gid"], "Renamed"))
    said = connection.sync()
    assert "Renamed" in [found["name"] for found in said.records()["sections"]]
    assert asked(asana, [SECTIONS]) == {SECTIONS: [section["project"]["gid"]]}


def test_a_deleted_task_comes_at_once(connection: Connection) -> None:
    asana, task = connection.asana, top_task(connection.asana)
    asana.change(lambda account: account.delete(task))
    assert tombstones(connection.sync(), "tasks") == [task]


def test_all_lists_of_a_modified_project_are_read(connection: Connection) -> None:
    asana = connection.asana
    asana.controls.lost_events = 1.0  # only its `modified_at` tells
    asana.change(lambda account: account.modify_project(GULL_ROCK, name="Gull Rock"))
    connection.sync()
    assert asked(asana) == {path: [GULL_ROCK] for path in LISTS}


def test_a_new_project_is_read_in_full(connection: Connection) -> None:
    asana = connection.asana
    workspace = next(iter(truth(asana, "workspaces")))
    project = asana.change(lambda account: account.create_project(workspace, "New"))
    asana.change(lambda account: account.create_task(project, "First"))
    said = connection.sync()
    assert [task["name"] for task in said.records()["tasks"]] == ["First"]
    assert len(rows(said, "sections")) == len(
        [s for s in asana.expected("sections", SERVICE) if s["project"]["gid"] == project]
    )


def test_a_stream_that_is_added_is_read_in_full(asana: AsanaEmulator) -> None:
    connection = connected(asana, DAY, "projects", "tasks", "sections")
    connection.streams = ("projects", "tasks", "sections", "attachments")
    assert rows(connection.sync(), "attachments") == truth(asana, "attachments")


def test_a_full_refresh_reads_all_lists(connection: Connection) -> None:
    catalog = incremental(["projects", "tasks", "attachments"], full=["sections"])
    said = connection.sync(catalog=catalog)
    assert rows(said, "sections") == truth(connection.asana, "sections")


def test_all_lists_are_read_after_events_are_lost(connection: Connection) -> None:
    asana = connection.asana
    asana.account.clock.advance(25 * 3600)
    connection.sync()
    everything = sorted(truth(asana, "projects"))
    assert {path: sorted(gids) for path, gids in asked(asana).items()} == dict.fromkeys(
        LISTS, everything
    )


def test_without_the_setting_all_lists_are_read_again(connection: Connection) -> None:
    asana = connection.asana
    connection.sync()
    del connection.config["recheck_interval_minutes"]
    connection.sync()
    assert {path: len(gids) for path, gids in asked(asana).items()} == dict.fromkeys(
        LISTS, len(truth(asana, "projects"))
    )


# -- what comes later ------------------------------------------------------------------------------


def test_the_lists_of_each_project_are_read_once_in_an_interval(asana: AsanaEmulator) -> None:
    connection = connected(asana, HOUR)
    read: list[dict[str, list[str]]] = []
    for _ in range(6):
        connection.sync()
        read.append(asked(asana))
    for path in LISTS:
        found = sorted(gid for each in read for gid in each.get(path, []))
        assert found == projects(asana)
    assert sum(bool(each) for each in read) > 1, "they take turns"


def test_files_of_projects_come_within_an_interval(asana: AsanaEmulator) -> None:
    connection = connected(asana, HOUR)
    files = [attached(asana, project) for project in projects(asana)]
    came = [set(files).intersection(rows(said, "attachments")) for said in an_hour_of(connection)]
    assert sorted(file for each in came for file in each) == sorted(files)
    assert 0 < len(came[0]) < len(files)


def test_a_task_whose_event_is_lost_comes_within_an_interval_with_its_stories(
    asana: AsanaEmulator,
) -> None:
    connection, task = connected(asana, DAY), top_task(asana)
    asana.account.clock.advance(300)
    asana.controls.lost_events = 1.0
    asana.change(lambda account: account.comment(task, "Nearly there"))
    said = [connection.sync(), *a_day_of(connection)]
    assert rows(said[0], "tasks") == []
    assert sum(task in rows(each, "tasks") for each in said) == 1
    texts = [story["text"] for each in said for story in each.records()["stories"]]
    assert texts.count("Nearly there") == 1
    (warning,) = [w for each in said for w in each.logs("WARN")]
    assert "event" in warning


def test_the_marks_of_an_unchanged_project_stay_and_its_token_moves(
    connection: Connection,
) -> None:
    """Its tasks are read from there on when its turn comes, whatever the events have told."""
    before = {stream: connection.state_of(stream) for stream in BELOW_PROJECTS}
    connection.sync()
    for stream in set(BELOW_PROJECTS) - {"events"}:
        after = connection.state_of(stream)
        assert after["modified_since"] == before[stream]["modified_since"]
        assert after["sync_tokens"].keys() == before[stream]["sync_tokens"].keys()
        assert set(after["sync_tokens"].values()).isdisjoint(before[stream]["sync_tokens"].values())


def test_a_list_that_fails_when_its_turn_comes_is_read_in_the_next_sync(
    asana: AsanaEmulator,
) -> None:
    connection = connected(asana, HOUR)
    file = attached(asana, GULL_ROCK)
    asana.controls.deny("/attachments", 403, only=GULL_ROCK)
    an_hour_of(connection)
    asana.controls.heal()
    assert file in rows(connection.sync(), "attachments")


def test_a_project_that_is_refused_does_not_fail_streams_that_others_put_off(
    asana: AsanaEmulator,
) -> None:
    connection = connected(asana, DAY)
    asana.controls.deny(GULL_ROCK, 403)
    said = connection.sync()
    assert said.exit_status == 0
    assert any(GULL_ROCK in warning for warning in said.logs("WARN"))


def test_a_stream_fails_when_all_its_lists_have_been_refused_in_turn(asana: AsanaEmulator) -> None:
    connection = connected(asana, DAY)
    asana.controls.deny(SECTIONS, 403)
    ended = [said.errors().get("sections") for said in a_day_of(connection)]
    assert ended[0] is None
    assert ended[-1]
    assert "Asana refused all sections" in ended[-1]["message"]


def test_an_archived_project_is_rechecked_once_a_day(asana: AsanaEmulator) -> None:
    connection = connected(asana, HOUR)
    (archived,) = projects(asana, archived=True)
    file = attached(asana, archived)
    assert not any(file in rows(each, "attachments") for each in an_hour_of(connection))
    came = [file in rows(each, "attachments") for each in a_day_of(connection)]
    assert came.count(True) == 1


def test_status_updates_without_events_come_within_an_interval(asana: AsanaEmulator) -> None:
    connection = connected(asana, HOUR, "projects", "tasks", "status_updates")
    asana.controls.lost_events = 1.0
    told = [reported(asana, project) for project in projects(asana)]
    came = [row for said in an_hour_of(connection) for row in rows(said, "status_updates")]
    assert sorted(came) == sorted(told)


def test_with_the_events_of_a_workspace_the_tasks_are_listed_and_the_rest_is_put_off() -> None:
    with AsanaEmulator(crowded(Clock(BEGIN))) as asana:
        asana.controls.workspace_events = True
        connection = connected(asana, DAY)
        file = attached(asana, GULL_ROCK)
        connection.sync()
        assert asana.ledger.count(OF_WORKSPACE) == 1
        everything = len(truth(asana, "projects"))
        assert asana.ledger.count("/tasks") >= everything - 1
        assert asana.ledger.count(SECTIONS) < everything / 5
        came = [file in rows(each, "attachments") for each in a_day_of(connection)]
        assert came.count(True) == 1


# -- requests of many projects ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    with AsanaEmulator(Office.account(125)) as asana:
        yield Office(asana)


@pytest.mark.parametrize("selection", SELECTIONS)
def test_a_sync_of_unchanged_projects_costs_one_request_for_each_instead_of_four_or_five(
    office: Office, selection: str
) -> None:
    lists = [*LISTS, *([STATUSES] if selection == "all incremental" else [])]
    # one list of sections has a second page, portfolios and goals have status updates, and a brief
    # has files
    others = {
        "/attachments": len(truth(office.asana, "project_briefs")),
        SECTIONS: 1,
        STATUSES: sum(len(truth(office.asana, s)) for s in ("portfolios", "goals")),
    }
    count = len(truth(office.asana, "projects"))
    asked = office.requests(Scenario(selection))
    assert {
        path: asked[path] - others.get(path, 0) for path in ("/events", *lists)
    } == dict.fromkeys(("/events", *lists), count)
    saved = asked - office.requests(Scenario(selection, interval=DAY))
    assert {path for path in saved if saved[path]} == set(lists)
    assert all(0.95 * count < saved[path] <= asked[path] for path in lists)


def numbers(row: list[str]) -> list[float]:
    return [float(cell.strip("*").replace(",", "")) for cell in row[1:]]


def test_the_requests_on_the_operations_page_add_up() -> None:
    totals: list[float] = []
    counted = [0.0] * 4
    for row in table_with("requests, 10,008 projects", OPERATIONS):
        if row[0].startswith("**"):
            totals, counted = numbers(row), [0.0] * 4
        elif row[0].startswith("minutes"):
            assert counted == totals
            assert numbers(row) == [round(total / PER_MINUTE, 1) for total in totals]
        else:
            counted = [sum(pair) for pair in zip(counted, numbers(row), strict=True)]


def test_the_intervals_on_the_operations_page_follow_the_formula() -> None:
    lists, count, minutes = 3, 10_000, 15
    for interval, _, requests, duration in table_with("interval", OPERATIONS):
        share = 1 if interval == "none" else minutes / int(interval)
        expected = count + lists * count * share + count / 100 + 1
        assert int(requests.split()[0].replace(",", "")) == pytest.approx(expected, rel=0.002)
        assert duration == f"{expected / PER_MINUTE:.0f} minutes"
