"""The events of all projects in one request, where Asana offers them: the records are the same."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self

import pendulum
import pytest

from integration_tests.asana_emulator import Account, AsanaEmulator, Clock, make_account
from integration_tests.asana_emulator.gids import gid_of
from integration_tests.reading import SERVICE, Said, truth
from integration_tests.test_incremental import (
    DELETED_AT,
    INCREMENTAL,
    Connection,
    incremental,
    rows,
    some_subtask,
    tombstones,
    top_task,
)
from source_asana.reading.marks import incremental_marks

pytestmark = pytest.mark.once

ORGANIZATION, QUIZ_TEAM = (gid_of("workspace", number) for number in (1, 2))
GULL_ROCK, STRIPES, PARTY, CHOIR, SOMEDAY, QUIZ = (gid_of("project", n) for n in range(1, 7))
OF_WORKSPACE = "/workspaces/{workspace_gid}/events"
OF_PROJECT = "/events"
ONE_TASK = "/tasks/{task_gid}"
EMPTY = 50
PROJECTS = 6 + EMPTY
REPORTED_BY_EVENTS = [stream for stream in INCREMENTAL if stream != "projects"]
BEGIN = pendulum.datetime(2026, 11, 2, 8)
LOST = "no longer has the events"


def crowded(clock: Clock | None = None, *, empty: int = EMPTY) -> Account:
    """The sample account with enough projects that its organization is asked for their events."""
    account = make_account("sample", clock=clock)
    for number in range(empty):
        account.create_project(ORGANIZATION, f"Nothing, no. {number}")
    return account


@pytest.fixture
def asana() -> Iterator[AsanaEmulator]:
    """A separate crowded account, in a domain that has the events of workspaces."""
    with AsanaEmulator(crowded()) as emulator:
        emulator.controls.workspace_events = True
        yield emulator


@pytest.fixture
def connection(asana: AsanaEmulator) -> Connection:
    """A connection that has synced everything once."""
    made = Connection(asana)
    made.sync()
    return made


def events_asked(asana: AsanaEmulator) -> tuple[int, int]:
    """The number of requests for events of workspaces, and for events of projects."""
    return asana.ledger.count(OF_WORKSPACE), asana.ledger.count(OF_PROJECT)


def tokens_of(connection: Connection, stream: str) -> dict[str, list[str]]:
    """The tokens of the organization in the state of a stream, and the projects behind each."""
    tokens: dict[str, list[str]] = {}
    for project, mark in incremental_marks(connection.state_of(stream)).items():
        if mark.token and mark.workspace == ORGANIZATION:
            tokens.setdefault(mark.token, []).append(project)
    return tokens


def subtasks_of_organization(asana: AsanaEmulator) -> list[str]:
    subtasks = asana.expected("subtasks", SERVICE)
    return sorted(t["gid"] for t in subtasks if t["workspace"]["gid"] == ORGANIZATION)


def is_quiet(said: Said) -> bool:
    """Whether only the lists come that come each time."""
    return not any(said.records()[s] for s in ("tasks", "subtasks", "stories", "events"))


def texts(said: Said) -> list[str]:
    return [str(story.get("text")) for story in said.records()["stories"]]


# -- requests --------------------------------------------------------------------------------------


def test_a_first_sync_takes_one_token_for_the_organization(asana: AsanaEmulator) -> None:
    connection = Connection(asana)
    said = connection.sync()
    for stream in set(INCREMENTAL) - {"events"}:
        assert rows(said, stream) == truth(asana, stream)
    assert said.records()["events"] == []
    floor = asana.floor(INCREMENTAL, SERVICE)
    assert asana.ledger.by_path() == floor | {OF_WORKSPACE: 1, OF_PROJECT: 1}
    assert asana.ledger.by_status() == {200: sum(floor.values()), 412: 2}
    assert asana.ledger.duplicates() == {}


@pytest.mark.parametrize("stream", REPORTED_BY_EVENTS)
def test_the_state_has_one_token_for_all_projects_of_the_organization(
    connection: Connection, stream: str
) -> None:
    ((_, projects),) = tokens_of(connection, stream).items()
    assert sorted(projects) == sorted(set(truth(connection.asana, "projects")) - {QUIZ})
    assert set(connection.state_of(stream)["sync_tokens"]) == {QUIZ}


def test_an_unchanged_organization_costs_one_request_for_its_events(
    connection: Connection,
) -> None:
    asana = connection.asana
    said = connection.sync()
    assert is_quiet(said)
    assert asana.ledger.by_path() == {
        "/workspaces": 1,
        "/projects": 2,
        OF_WORKSPACE: 1,
        OF_PROJECT: 1,
        "/tasks": PROJECTS,
        "/projects/{project_gid}/sections": PROJECTS,
        "/attachments": PROJECTS + len(truth(asana, "project_briefs")),
    }
    assert asana.ledger.by_status() == {200: asana.ledger.count()}


def test_a_changed_subtask_is_read_once_by_its_gid(connection: Connection) -> None:
    asana, subtask = connection.asana, some_subtask(connection.asana)
    asana.change(lambda account: account.comment(subtask, "Nearly there"))
    said = connection.sync()
    assert rows(said, "subtasks") == [subtask]
    assert rows(said, "tasks") == []
    assert "Nearly there" in texts(said)
    assert asana.ledger.count(ONE_TASK) == 1
    assert events_asked(asana) == (1, 1)


def test_a_changed_task_that_its_project_lists_is_not_read_by_its_gid(
    connection: Connection,
) -> None:
    asana, task = connection.asana, top_task(connection.asana)
    asana.change(lambda account: account.modify_task(task, name="Mend the lamp"))
    said = connection.sync()
    assert rows(said, "tasks") == [task]
    assert asana.ledger.count(ONE_TASK) == 0
    assert asana.ledger.by_path()["/tasks/{task_gid}/stories"] == 1


def test_a_task_in_two_projects_comes_once(connection: Connection) -> None:
    asana = connection.asana
    tasks = asana.expected("tasks", SERVICE)
    task = next(t["gid"] for t in tasks if len(t["projects"]) > 1)
    asana.change(lambda account: account.comment(task, "Once"))
    said = connection.sync()
    assert rows(said, "tasks") == [task]
    assert texts(said).count("Once") == 1
    assert [event["action"] for event in said.records()["events"]] == ["added"]


def test_each_event_comes_once_even_over_several_pages(connection: Connection) -> None:
    asana, task = connection.asana, top_task(connection.asana)

    def talk(account: Account) -> None:
        for number in range(1_100):
            account.comment(task, f"Comment {number}")

    asana.change(talk)
    said = connection.sync()
    events = said.records()["events"]
    assert len(events) == len({event["event_id"] for event in events}) == 1_100
    assert events_asked(asana) == (2, 1)
    assert asana.ledger.count("/stories/{story_gid}") == 0
    assert is_quiet(connection.sync())


def test_an_event_between_the_requests_with_two_tokens_comes_once(connection: Connection) -> None:
    """One token is that of `events`, the other that of streams that were synced in between."""
    asana, task = connection.asana, top_task(connection.asana)
    others = [stream for stream in connection.streams if stream != "events"]
    for _ in range(6):  # the tokens are opaque: either may be the first in their order
        connection.sync(catalog=incremental(others))
        asana.controls.interrupt(OF_WORKSPACE, lambda: asana.account.comment(task, "Once"), after=1)
        said = [connection.sync(), connection.sync()]
        came = [event["event_id"] for each in said for event in each.records()["events"]]
        assert len(came) == len(set(came)) == 1
        asana.controls.heal()


def test_events_of_a_workspace_come_once_though_a_project_refuses_its_own(
    asana: AsanaEmulator,
) -> None:
    """The other streams of the project were synced when the workspace was not worth a request."""
    connection = Connection(asana)
    connection.sync(catalog=incremental(["events"]))
    for project in list(asana.expected("projects", SERVICE)):
        if project["name"].startswith("Nothing"):
            asana.account.delete(project["gid"])
    others = [stream for stream in connection.streams if stream != "events"]
    connection.sync(catalog=incremental(others))
    asana.controls.deny(STRIPES, 403)
    said = [connection.sync(), connection.sync()]
    came = [event["event_id"] for each in said for event in each.records()["events"]]
    assert len(came) == len(set(came)) == EMPTY
    assert len(tokens_of(connection, "events")) == 1


def test_an_edited_comment_is_read_alone(connection: Connection) -> None:
    asana = connection.asana
    comment = next(
        s for s in asana.expected("stories", SERVICE) if s["resource_subtype"] == "comment_added"
    )["gid"]
    asana.change(lambda account: account.edit_comment(comment, "Better so"))
    said = connection.sync()
    assert [(s["gid"], s["text"]) for s in said.records()["stories"]] == [(comment, "Better so")]
    assert asana.ledger.count("/stories/{story_gid}") == 1


def test_events_do_not_bring_tasks_without_a_project(
    connection: Connection,
) -> None:
    asana = connection.asana

    def remember(account: Account) -> None:
        task = account.create_private_task(ORGANIZATION, "Feed the cat")
        account.comment(account.add_subtask(task, "Find the cat"), "Not here")

    asana.change(remember)
    said = connection.sync()
    assert rows(said, "tasks") == []
    assert said.exit_status == 0


# -- the same records ------------------------------------------------------------------------------


class Twins:
    """Two connections to the same account, one of which has the events of workspaces."""

    def __init__(self) -> None:
        self.emulators = [AsanaEmulator(crowded(Clock(BEGIN))).start() for _ in range(2)]
        self.emulators[1].controls.workspace_events = True
        self.connections = [Connection(emulator) for emulator in self.emulators]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for emulator in self.emulators:
            emulator.stop()

    def change(self, change: Callable[[Account], Any]) -> Any:
        """Change both accounts, a second after the last change."""
        first, second = (self._changed(emulator, change) for emulator in self.emulators)
        assert first == second
        return first

    def _changed(self, emulator: AsanaEmulator, change: Callable[[Account], Any]) -> Any:
        emulator.account.clock.advance(1)
        return emulator.change(change)

    def sync(self, **how: Any) -> tuple[Said, Said]:
        first, second = (connection.sync(**how) for connection in self.connections)
        return first, second


def outcome(said: Said) -> dict[str, Counter[str]]:
    """All records of a sync, whatever their order."""
    return {
        stream: Counter(json.dumps(record, sort_keys=True) for record in records)
        for stream, records in said.records().items()
        if records
    }


@pytest.fixture(scope="module")
def twins() -> Iterator[Twins]:
    with Twins() as made:
        first, second = made.sync()
        assert outcome(first) == outcome(second)
        yield made


def gid_named(account: Account, name: str) -> str:
    """The task or subtask of this name."""
    viewer = account.people[SERVICE]
    below = [
        task
        for workspace in account.listing(viewer, "workspaces", "")
        for project in account.listing(viewer, "projects", workspace)
        for task in account.listing(viewer, "tasks", project)
    ]
    while below:
        gid = below.pop()
        if account.record(viewer, gid)["name"].startswith(name):
            return gid
        below += account.listing(viewer, "subtasks", gid)
    raise KeyError(name)


def comment_deep_down(account: Account) -> None:
    account.comment(gid_named(account, "Do not look down"), "I looked")


def grow_deep_down(account: Account) -> None:
    task = account.add_subtask(gid_named(account, "Second rung"), "Rung and a half")
    account.comment(account.add_subtask(task, "Screw"), "Turns")
    account.attach(task, "Screw.png")


def start_a_project(account: Account) -> None:
    project = account.create_project(ORGANIZATION, "A second lighthouse")
    task = account.create_task(project, "Find a cliff")
    account.comment(account.add_subtask(task, "Ask a sailor"), "Ahoy")


def move_about(account: Account) -> None:
    oil, count = gid_named(account, "Oil the door"), gid_named(account, "Count the steps")
    account.add_to_project(oil, STRIPES)
    account.remove_from_project(oil, GULL_ROCK)
    account.set_parent(count, oil)


def take_a_subtask_out(account: Account) -> None:
    account.set_parent(gid_named(account, "Give the sand back"), None)


def empty_and_fill(account: Account) -> None:
    task = account.create_task(SOMEDAY, "Drink tea")
    account.move_to_section(task, account.create_section(SOMEDAY, "Not now"))
    account.attach(SOMEDAY, "Tea.png")
    account.attach(task, "Cup.png")


def throw_away(account: Account) -> None:
    viewer = account.people[SERVICE]
    account.delete(account.listing(viewer, "stories", gid_named(account, "Do not look down"))[0])
    account.delete(account.listing(viewer, "attachments", gid_named(account, "All rivers"))[0])
    account.delete(account.create_section(STRIPES, "Green"))
    account.delete(gid_named(account, "Climb the ladder"))


def throw_away_and_take_back(account: Account) -> None:
    task = gid_named(account, "BAAAAAAAH")
    account.delete(task)
    account.clock.advance(1)
    account.restore(task)


def delete_a_project(account: Account) -> None:
    account.delete(PARTY)


def share_and_archive(account: Account) -> None:
    account.share(STRIPES, account.people["restricted"].user, access_level="admin")
    account.archive(CHOIR, archived=False)


def work_in_the_other_workspace(account: Account) -> None:
    account.comment(gid_named(account, "The Nile"), "Thrice")
    account.delete(gid_named(account, "Capitals"))


HISTORY = (
    comment_deep_down,
    grow_deep_down,
    start_a_project,
    move_about,
    empty_and_fill,
    share_and_archive,
    throw_away_and_take_back,
    work_in_the_other_workspace,
    take_a_subtask_out,
    delete_a_project,
    throw_away,
)


TOLD_TO_WORKSPACES_ONLY = (start_a_project, delete_a_project)
"""No one requests the events of a new or deleted project."""


def assert_the_same(without: Said, with_them: Said, *, more: bool) -> None:
    first, second = outcome(without), outcome(with_them)
    fewer, all_ = (each.pop("events", Counter()) for each in (first, second))
    assert first == second
    assert fewer - all_ == Counter()
    assert bool(all_ - fewer) is more
    assert without.exit_status == with_them.exit_status == 0


@pytest.mark.parametrize("change", HISTORY, ids=lambda change: change.__name__)
def test_any_change_is_read_the_same_way_with_the_events_of_workspaces(
    twins: Twins, change: Callable[[Account], None]
) -> None:
    twins.change(change)
    without, with_them = twins.sync()
    assert events_asked(twins.emulators[0])[1] >= PROJECTS - 1
    assert events_asked(twins.emulators[1]) == (1, 1)
    assert_the_same(without, with_them, more=change in TOLD_TO_WORKSPACES_ONLY)


def test_all_changes_at_once_are_read_the_same_way_with_the_events_of_workspaces() -> None:
    with Twins() as twins:
        twins.sync()
        for change in HISTORY:
            twins.change(change)
        without, with_them = twins.sync()
        assert_the_same(without, with_them, more=True)
        assert tombstones(with_them, "tasks")
        assert tombstones(with_them, "projects") == [PARTY]


def test_an_event_that_moved_a_task_between_projects_comes_once_in_both_ways() -> None:
    with Twins() as twins:
        twins.sync()
        twins.change(move_about)
        for said in twins.sync():
            ids = [event["event_id"] for event in said.records()["events"]]
            assert len(ids) == len(set(ids)) > 0


# -- lost, refused and restored events -----------------------------------------------------------


def test_lost_events_are_reported_and_all_subtasks_are_read(
    connection: Connection,
) -> None:
    asana, subtask = connection.asana, some_subtask(connection.asana)
    asana.change(lambda account: account.comment(subtask, "Lost and found"))
    asana.account.clock.advance(25 * 3600)
    said = connection.sync()
    assert rows(said, "subtasks") == truth(asana, "subtasks")
    assert "Lost and found" in texts(said)
    assert events_asked(asana) == (1, 1)
    assert asana.ledger.by_status()[412] == 2
    warnings = said.logs("WARN")
    assert len([line for line in warnings if LOST in line]) == 10
    assert f"events: lost for {PROJECTS} projects in total" in warnings
    said = connection.sync()
    assert is_quiet(said)
    assert said.logs("WARN") == []


def test_when_events_of_workspaces_are_refused_later_events_of_projects_are_used_again(
    connection: Connection,
) -> None:
    asana, subtask = connection.asana, some_subtask(connection.asana)
    asana.change(lambda account: account.comment(subtask, "Behind closed doors"))
    asana.controls.workspace_events = False
    said = connection.sync()
    assert said.exit_status == 0
    assert events_asked(asana) == (1, PROJECTS)
    assert rows(said, "subtasks") == subtasks_of_organization(asana)
    assert "Behind closed doors" in texts(said)
    assert [line for line in said.logs("WARN") if LOST in line]
    for stream in REPORTED_BY_EVENTS:
        assert "workspace_tokens" not in connection.state_of(stream)
        assert len(connection.state_of(stream)["sync_tokens"]) == PROJECTS
    asana.change(lambda account: account.comment(subtask, "And open ones"))
    said = connection.sync()
    assert texts(said).count("And open ones") == 1
    assert rows(said, "subtasks") == [subtask]
    assert said.logs("WARN") == []


def test_switching_back_to_events_of_workspaces_loses_nothing(
    asana: AsanaEmulator,
) -> None:
    asana.controls.workspace_events = False
    connection = Connection(asana)
    connection.sync()
    asana.controls.workspace_events = True
    task, subtask = top_task(asana), some_subtask(asana)
    asana.change(lambda account: account.comment(subtask, "On the way"))
    asana.change(lambda account: account.delete(task))
    said = connection.sync()
    assert events_asked(asana) == (1, PROJECTS)
    assert "On the way" in texts(said)
    assert rows(said, "subtasks") == [subtask]
    assert tombstones(said, "tasks") == [task]
    assert sorted(event["action"] for event in said.records()["events"]) == ["added", "deleted"]
    assert said.logs("WARN") == []
    asana.change(lambda account: account.comment(subtask, "There"))
    said = connection.sync()
    assert events_asked(asana) == (1, 1)
    assert rows(said, "subtasks") == [subtask]
    assert "There" in texts(said)
    assert [event["action"] for event in said.records()["events"]] == ["added"]
    assert tombstones(said, "tasks") == []


def test_a_token_without_permission_costs_one_refused_request_and_loses_nothing(
    asana: AsanaEmulator,
) -> None:
    asana.controls.workspace_events = False
    connection = Connection(asana)
    connection.sync()
    assert events_asked(asana) == (1, PROJECTS)
    assert asana.ledger.by_status()[403] == 1
    subtask = some_subtask(asana)
    asana.change(lambda account: account.comment(subtask, "As ever"))
    said = connection.sync()
    assert rows(said, "subtasks") == [subtask]
    assert "As ever" in texts(said)
    assert events_asked(asana) == (1, PROJECTS)
    assert said.logs("WARN") == []
    assert said.exit_status == 0


def test_below_fifty_projects_workspace_events_are_not_requested() -> None:
    with AsanaEmulator(crowded(empty=44)) as asana:
        asana.controls.workspace_events = True
        connection = Connection(asana)
        connection.sync()
        projects = len(truth(asana, "projects"))
        assert events_asked(asana) == (0, projects)
        connection.sync()
        assert events_asked(asana) == (0, projects)


def test_an_organization_of_several_pages_of_projects_is_asked_once() -> None:
    with AsanaEmulator(crowded(empty=110)) as asana:
        asana.controls.workspace_events = True
        connection = Connection(asana)
        connection.sync()
        assert events_asked(asana) == (1, 1)
        subtask, project = some_subtask(asana), truth(asana, "projects")[-1]
        asana.change(lambda account: account.comment(subtask, "First page"))
        task = asana.change(lambda account: account.create_task(project, "Second page"))
        said = connection.sync()
        assert events_asked(asana) == (1, 1)
        assert rows(said, "subtasks") == [subtask]
        assert rows(said, "tasks") == [task]
        assert len(said.records()["events"]) == 2
        asana.change(lambda account: account.comment(subtask, "Once more"))
        new = asana.change(lambda account: account.create_task(project, "Not seen yet"))
        asana.controls.fail("/projects?offset=*", 500, times=None)
        broken = connection.sync(patience=0.1)
        assert broken.statuses("tasks")[-1] == "INCOMPLETE"
        asana.controls.heal()
        both = [broken, connection.sync()]
        assert both[-1].exit_status == 0
        assert {gid for each in both for gid in rows(each, "subtasks")} == {subtask}
        assert new in {gid for each in both for gid in rows(each, "tasks")}
        assert is_quiet(connection.sync())


def test_workspace_events_are_not_requested_where_no_stream_needs_events(
    asana: AsanaEmulator,
) -> None:
    Connection(asana, "projects", "status_updates").sync()
    assert events_asked(asana) == (0, 0)


def test_an_organization_that_becomes_small_still_uses_its_events(connection: Connection) -> None:
    asana = connection.asana
    for project in set(truth(asana, "projects")) - {GULL_ROCK, QUIZ}:
        asana.account.delete(project)
    connection.sync()
    assert events_asked(asana) == (1, 1)
    subtask = some_subtask(asana)
    asana.change(lambda account: account.comment(subtask, "Lonely"))
    said = connection.sync()
    assert events_asked(asana) == (1, 1)
    assert rows(said, "subtasks") == [subtask]


def test_excluding_a_project_later_makes_the_others_use_their_own_events(
    connection: Connection,
) -> None:
    asana, subtask = connection.asana, some_subtask(connection.asana)
    asana.change(lambda account: account.comment(subtask, "Still here"))
    connection.config["excluded_project_gids"] = [STRIPES]
    said = connection.sync()
    assert events_asked(asana) == (0, PROJECTS - 1)
    assert subtask in rows(said, "subtasks")
    assert "Still here" in texts(said)
    assert STRIPES not in json.dumps(list(connection.state.values()))
    asana.change(lambda account: account.delete(subtask))
    said = connection.sync()
    assert tombstones(said, "subtasks") == [subtask]
    assert said.logs("WARN") == []


def test_a_chosen_workspace_still_uses_its_events(asana: AsanaEmulator) -> None:
    connection = Connection(asana, workspace_gids=[ORGANIZATION])
    connection.sync()
    connection.sync()
    assert events_asked(asana) == (1, 0)


def test_without_subtasks_their_events_bring_no_record(asana: AsanaEmulator) -> None:
    connection = Connection(asana, include_subtasks=False)
    connection.sync()
    subtask, task = some_subtask(asana), top_task(asana)
    asana.change(lambda account: account.comment(subtask, "Unheard"))
    asana.change(lambda account: account.comment(task, "Heard"))
    said = connection.sync()
    assert events_asked(asana) == (1, 1)
    assert rows(said, "subtasks") == []
    assert rows(said, "tasks") == [task]
    assert {story["target"]["gid"] for story in said.records()["stories"]} == {task}


def test_events_that_a_failing_server_withholds_are_requested_from_the_projects(
    connection: Connection,
) -> None:
    asana, subtask = connection.asana, some_subtask(connection.asana)
    asana.change(lambda account: account.comment(subtask, "Through the noise"))
    asana.controls.fail(OF_WORKSPACE, 503, times=None)
    said = connection.sync(patience=0.1)
    assert "Through the noise" in texts(said)
    assert subtask in rows(said, "subtasks")
    assert said.exit_status == 0


# -- incomplete syncs ------------------------------------------------------------------------------


class Eventful(NamedTuple):
    """An account that was synced, and the changes since."""

    connection: Connection
    task: str
    subtask: str
    comment: str
    sections: set[str]
    events: int

    def sync(self, killed_after: int | None = None) -> Said:
        return self.connection.sync(killed_after=killed_after, seconds_between_states=0.0)


def eventful(asana: AsanaEmulator) -> Eventful:
    connection = Connection(asana, num_workers=1)
    connection.sync()
    before = len(asana.account.events.entries)
    task, subtask = top_task(asana), some_subtask(asana)
    sections = {asana.account.create_section(project, "New") for project in (STRIPES, CHOIR)}
    comment = asana.account.comment(subtask, "Hear me")
    asana.account.comment(task, "Me too")
    asana.account.delete(task)
    events = len(asana.account.events.entries) - before
    return Eventful(connection, task, subtask, comment, sections, events)


def own_message_types(said: Said) -> list[str]:
    """The types of the messages, without those that were logged."""
    return [message["type"] for message in said.messages if message["type"] != "LOG"]


@pytest.fixture(scope="module")
def undisturbed() -> Said:
    """The output of a sync of all these changes."""
    with AsanaEmulator(crowded()) as emulator:
        emulator.controls.workspace_events = True
        return eventful(emulator).sync()


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_killed_sync_that_is_resumed_loses_nothing(
    asana: AsanaEmulator, undisturbed: Said, share: float
) -> None:
    happened = eventful(asana)
    both = [happened.sync(int(share * len(own_message_types(undisturbed)))), happened.sync()]
    assert both[-1].exit_status == 0
    assert {gid for said in both for gid in rows(said, "subtasks")} == {happened.subtask}
    assert happened.comment in {gid for said in both for gid in rows(said, "stories")}
    assert happened.sections <= {gid for said in both for gid in rows(said, "sections")}
    assert {gid for said in both for gid in tombstones(said, "tasks")} == {happened.task}
    ids = {event["event_id"] for said in both for event in said.records()["events"]}
    assert len(ids) == happened.events
    third = happened.sync()
    assert is_quiet(third)
    assert third.logs("WARN") == []


def test_a_sync_killed_before_it_prints_records_named_by_events_loses_nothing(
    asana: AsanaEmulator,
) -> None:
    """All of its projects are done by then, and their states are printed."""
    connection = Connection(asana, "subtasks", num_workers=1)
    connection.sync()
    subtask = some_subtask(asana)
    asana.account.comment(subtask, "Hear me")
    killed = connection.sync(
        killed_before=lambda message: message.startswith('{"type":"RECORD"'),
        seconds_between_states=0.0,
    )
    assert killed.states("subtasks")
    assert killed.statuses("subtasks") == ["STARTED", "RUNNING"]
    assert rows(connection.sync(), "subtasks") == [subtask]


def test_a_killed_first_sync_that_is_resumed_loses_nothing(asana: AsanaEmulator) -> None:
    connection = Connection(asana, num_workers=1)
    first = connection.sync(killed_after=200, seconds_between_states=0.0)
    subtask = some_subtask(asana)
    asana.change(lambda account: account.comment(subtask, "Meanwhile"))
    second = connection.sync()
    for stream in ("sections", "tasks", "subtasks", "stories", "attachments"):
        together = {*rows(first, stream), *rows(second, stream)}
        assert together == set(truth(asana, stream))
    assert is_quiet(connection.sync())


def test_a_project_that_fails_keeps_its_older_token_while_the_others_go_on(
    connection: Connection,
) -> None:
    asana = connection.asana
    ((before, _),) = tokens_of(connection, "tasks").items()
    subtask, task = some_subtask(asana), top_task(asana)
    elsewhere = next(
        t["gid"]
        for t in asana.expected("tasks", SERVICE)
        if [p["gid"] for p in t["projects"]] == [STRIPES] and not t["parent"]
    )
    asana.change(lambda account: account.comment(subtask, "Deep down"))
    asana.change(lambda account: account.modify_task(elsewhere, name="Elsewhere"))
    asana.change(lambda account: account.modify_task(task, name="Not yet"))
    asana.controls.fail("/tasks", 500, only=GULL_ROCK, times=None)
    said = connection.sync(patience=0.1)
    assert said.statuses("tasks")[-1] == "INCOMPLETE"
    assert said.statuses("sections")[-1] == "COMPLETE"
    assert elsewhere in rows(said, "tasks")
    behind = tokens_of(connection, "tasks")
    assert behind.pop(before) == [GULL_ROCK]
    ((_, others),) = behind.items()
    assert len(others) == PROJECTS - 2
    assert len(tokens_of(connection, "sections")) == 1
    asana.controls.heal()
    said = connection.sync()
    assert said.exit_status == 0
    assert events_asked(asana) == (2, 1)
    assert task in rows(said, "tasks")
    assert subtask in rows(said, "subtasks")
    assert "Deep down" in texts(said)
    assert len(tokens_of(connection, "tasks")) == 1
    assert is_quiet(connection.sync())


def test_the_next_sync_reads_a_failed_record_that_only_events_name(
    connection: Connection,
) -> None:
    asana, subtask = connection.asana, some_subtask(connection.asana)
    ((before, _),) = tokens_of(connection, "subtasks").items()
    asana.change(lambda account: account.comment(subtask, "Hear me"))
    asana.controls.fail(ONE_TASK, 500, times=None)
    said = connection.sync(patience=0.1)
    assert said.statuses("subtasks")[-1] == "INCOMPLETE"
    assert set(tokens_of(connection, "subtasks")) == {before}
    asana.controls.heal()
    said = connection.sync()
    assert rows(said, "subtasks") == [subtask]
    assert "Hear me" in texts(said)
    assert len(tokens_of(connection, "subtasks")) == 1


def test_a_stream_that_is_added_later_gets_all_of_its_records(asana: AsanaEmulator) -> None:
    connection = Connection(asana, "tasks")
    connection.sync()
    connection.streams = ("tasks", "stories")
    said = connection.sync()
    assert said.records()["tasks"] == []
    assert rows(said, "stories") == truth(asana, "stories")
    connection.sync()
    assert "/tasks/{task_gid}/stories" not in asana.ledger.by_path()
    assert events_asked(asana) == (1, 1)


def test_a_deletion_is_delivered_once(connection: Connection) -> None:
    asana = connection.asana
    task, subtask = top_task(asana), some_subtask(asana)
    for gid in (task, subtask):
        asana.account.delete(gid)
    said = connection.sync()
    assert tombstones(said, "tasks") == [task, subtask] == tombstones(said, "subtasks")
    assert not [r for r in connection.sync().records()["tasks"] if r.get(DELETED_AT)]
