"""The filters of the config: only the selected part is read, also when the filters change."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import orjson
import pytest

from integration_tests.asana_emulator import Account, AsanaEmulator, Choice, Clock
from integration_tests.asana_emulator.company import Company
from integration_tests.asana_emulator.gids import gid_of
from integration_tests.asana_emulator.objects import CustomField, EnumOption
from integration_tests.reading import (
    SERVICE,
    Json,
    Record,
    Said,
    config_for,
    failed,
    full_refresh,
    run,
)
from integration_tests.test_incremental import (
    DATED,
    INCREMENTAL,
    Connection,
    rows,
    some_subtask,
    tombstones,
    top_task,
)
from integration_tests.truth_of import declared, in_order
from local_sync.report import table
from source_asana.reading.marks import incremental_marks
from source_asana.streams.declared import STREAMS

pytestmark = pytest.mark.once

ORGANIZATION, QUIZ_TEAM = (gid_of("workspace", number) for number in (1, 2))
GULL_ROCK, STRIPES, PARTY, CHOIR, SOMEDAY, QUIZ = (gid_of("project", n) for n in range(1, 7))
LAMPS, PAINT = (gid_of("team", number) for number in (1, 2))
BLINKING, COAST = (gid_of("portfolio", number) for number in (1, 2))
NO_TEAM, NO_PORTFOLIO = gid_of("team", 404), gid_of("portfolio", 404)
NOWHERE = "1205000000000404"
NO_WORKSPACE = "1201000000000404"
START = "2024-02-03T12:00:00.000Z"
LATER = "2024-02-22T00:00:00.000Z"
MOST_OPTIONS = 500
ONE_PROJECT = "/projects/{project_gid}"

CHOICES = {
    "the organization": Choice(workspace_gids=(ORGANIZATION,)),
    "the other workspace": Choice(workspace_gids=(QUIZ_TEAM,)),
    "one project": Choice(project_gids=(GULL_ROCK,)),
    "two projects": Choice(project_gids=(STRIPES, CHOIR)),
    "a team": Choice(team_gids=(PAINT,)),
    "a portfolio, and those inside it": Choice(portfolio_gids=(COAST,)),
    "a team, a portfolio, and a project, without another": Choice(
        project_gids=(QUIZ,),
        team_gids=(LAMPS,),
        portfolio_gids=(BLINKING,),
        excluded_project_gids=(STRIPES,),
    ),
    "an empty project": Choice(project_gids=(SOMEDAY,)),
    "all but one": Choice(excluded_project_gids=(GULL_ROCK,)),
    "no archived projects": Choice(include_archived_projects=False),
    "no subtasks": Choice(include_subtasks=False),
    "with a start date": Choice(start_date=START),
    "with a later start date": Choice(start_date=LATER),
    "with a start date, no subtasks": Choice(start_date=START, include_subtasks=False),
    "tasks without a project": Choice(include_tasks_without_project=True),
    "one project, and tasks without a project, with a start date": Choice(
        project_gids=(GULL_ROCK,), include_tasks_without_project=True, start_date=START
    ),
    "the other workspace, and tasks without a project, no subtasks": Choice(
        workspace_gids=(QUIZ_TEAM,), include_tasks_without_project=True, include_subtasks=False
    ),
    "everything at once": Choice(
        workspace_gids=(ORGANIZATION,),
        project_gids=(GULL_ROCK, PARTY, CHOIR),
        include_archived_projects=False,
        include_subtasks=False,
        include_tasks_without_project=True,
        start_date=START,
    ),
}
SELECTIONS = [
    list(STREAMS),
    ["tasks"],
    ["subtasks"],
    ["stories"],
    ["attachments", "status_updates"],
    ["tasks", "stories_compact", "users"],
    ["goals", "goal_relationships", "goal_memberships", "time_periods"],
    ["portfolio_items", "portfolio_memberships", "custom_field_settings"],
    ["project_memberships", "allocations", "task_templates", "project_briefs"],
    ["workspace_memberships", "user_task_lists", "project_templates"],
    ["time_tracking_entries"],
    ["audit_log_events"],
]


def config_of(choice: Choice) -> Json:
    """The fields of the config that express a choice."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(choice).items()
        if value != getattr(Choice(), name)
    }


def chosen(asana: AsanaEmulator, stream: str, choice: Choice) -> list[Record]:
    """The records of a stream, with the columns that its schema declares."""
    schema, exports = STREAMS[stream].json_schema(), asana.account.organization_exports
    whole = asana.expected(stream, SERVICE, export_ids=exports, choice=choice)
    return in_order([declared(record, schema) for record in whole])


def gids(asana: AsanaEmulator, stream: str, choice: Choice | None = None) -> list[str]:
    return sorted(r["gid"] for r in asana.expected(stream, SERVICE, choice=choice or Choice()))


def of(records: Collection[Record], *parents: str) -> list[str]:
    """The stories or attachments that belong to these tasks."""
    return sorted(
        record["gid"]
        for record in records
        if (record.get("target") or record["parent"])["gid"] in parents
    )


def news(said: Said) -> list[str]:
    """The tasks and the records below them; a project's own lists come with each sync."""
    told = [gid for stream in ("tasks", "subtasks", "stories") for gid in rows(said, stream)]
    attachments = said.records()["attachments"]
    return told + [a["gid"] for a in attachments if a["parent"]["resource_type"] == "task"]


def all_states(connection: Connection) -> str:
    return json.dumps(list(connection.state.values()))


@pytest.mark.parametrize("streams", SELECTIONS, ids=lambda s: "all" if len(s) > 9 else "+".join(s))
@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_the_selected_part_is_complete_and_needs_the_fewest_requests(
    sample: AsanaEmulator, choice: Choice, streams: list[str]
) -> None:
    said = full_refresh(sample, streams, **config_of(choice))
    records = said.records()
    for stream in streams:
        assert in_order(records[stream]) == chosen(sample, stream, choice), stream
        assert said.statuses(stream)[-1] == "COMPLETE"
    assert said.exit_status == 0
    exports = sample.account.organization_exports
    if not choice.include_subtasks:  # no request for excluded records
        streams = [stream for stream in streams if stream != "subtasks"]
    assert sample.ledger.by_path() == sample.floor(
        streams, SERVICE, export_ids=exports, choice=choice
    )
    # The items of a chosen portfolio are listed for the filter, and again for their stream.
    twice = {page for page in sample.ledger.duplicates() if "/items" not in page}
    assert twice == set()
    assert sample.ledger.duplicates() == {} or "portfolio_items" in streams


def test_a_chosen_project_in_a_workspace_that_is_not_chosen_is_not_read(
    sample: AsanaEmulator,
) -> None:
    said = full_refresh(sample, ["tasks"], workspace_gids=[QUIZ_TEAM], project_gids=[GULL_ROCK])
    assert said.records()["tasks"] == []
    assert said.errors()["tasks"]["failure_type"] == "config_error"


def test_a_start_day_means_the_time_at_which_it_begins(sample: AsanaEmulator) -> None:
    day = full_refresh(sample, ["tasks", "stories"], start_date="2024-02-05").records()
    midnight = Choice(start_date="2024-02-05T00:00:00.000Z")
    for stream in ("tasks", "stories"):
        assert in_order(day[stream]) == chosen(sample, stream, midnight) != []


def test_without_subtasks_their_stream_is_empty_and_the_log_says_so(sample: AsanaEmulator) -> None:
    said = full_refresh(sample, ["subtasks", "tags"], include_subtasks=False)
    assert said.records()["subtasks"] == []
    assert said.statuses("subtasks") == ["STARTED", "COMPLETE"]
    assert said.logs("WARN") == ["subtasks: nothing to read because include_subtasks is off"]
    assert set(sample.ledger.by_path()) == {"/workspaces", "/tags"}


# -- filters that change from sync to sync --------------------------------------------------------


def assert_delivers(said: Said, asana: AsanaEmulator, project: str) -> None:
    """Expect a whole project without its subtasks, and otherwise only short lists."""
    one = Choice(project_gids=(project,), include_subtasks=False)
    for stream in ("projects", "tasks", "stories"):
        assert rows(said, stream) == gids(asana, stream, one) != []
    for stream in ("sections", "attachments"):
        assert set(rows(said, stream)) >= set(gids(asana, stream, one))


def test_a_project_that_is_added_to_the_filter_is_read_in_full(asana: AsanaEmulator) -> None:
    connection = Connection(asana, project_gids=[GULL_ROCK])
    connection.sync()
    connection.config["project_gids"] = [GULL_ROCK, STRIPES]
    said = connection.sync()
    assert_delivers(said, asana, STRIPES)
    assert rows(said, "projects") == [STRIPES]
    quiet = connection.sync()
    assert news(quiet) == []


@pytest.mark.parametrize(
    "filters",
    [{"excluded_project_gids": [GULL_ROCK]}, {"project_gids": [STRIPES, CHOIR, QUIZ]}],
    ids=["excluded", "not chosen"],
)
def test_a_project_that_is_excluded_later_only_leaves_every_state(
    asana: AsanaEmulator, filters: Json
) -> None:
    connection = Connection(asana)
    connection.sync()
    assert GULL_ROCK in all_states(connection)
    connection.config |= filters
    task = gids(asana, "tasks", Choice(project_gids=(GULL_ROCK,)))[0]
    asana.change(lambda account: account.modify_task(task, name="Unseen"))
    said = connection.sync()
    assert GULL_ROCK not in all_states(connection)
    for stream in INCREMENTAL:
        assert tombstones(said, stream) == []
    assert rows(said, "tasks") == []
    assert ONE_PROJECT not in asana.ledger.by_path()
    assert said.logs("WARN") == []


def test_a_project_that_is_included_again_is_read_in_full(asana: AsanaEmulator) -> None:
    connection = Connection(asana)
    connection.sync()
    connection.config["excluded_project_gids"] = [STRIPES]
    connection.sync()
    task = gids(asana, "tasks", Choice(project_gids=(STRIPES,)))[0]
    asana.change(lambda account: account.delete(task))
    del connection.config["excluded_project_gids"]
    said = connection.sync()
    assert_delivers(said, asana, STRIPES)


def test_archived_projects_that_are_excluded_later_cause_no_tombstones(
    asana: AsanaEmulator,
) -> None:
    connection = Connection(asana)
    connection.sync()
    connection.config["include_archived_projects"] = False
    said = connection.sync()
    assert tombstones(said, "projects") == []
    assert CHOIR not in all_states(connection)
    assert connection.sync().exit_status == 0
    assert ONE_PROJECT not in asana.ledger.by_path()


def test_an_archived_project_leaves_without_a_tombstone(asana: AsanaEmulator) -> None:
    connection = Connection(asana, include_archived_projects=False)
    connection.sync()
    asana.change(lambda account: account.archive(STRIPES))
    said = connection.sync()
    assert tombstones(said, "projects") == []
    assert STRIPES not in all_states(connection)
    asana.change(lambda account: account.archive(STRIPES, archived=False))
    one = Choice(project_gids=(STRIPES,), include_subtasks=False)
    assert rows(connection.sync(), "tasks") == gids(asana, "tasks", one)


def test_projects_of_a_workspace_that_is_excluded_later_cause_no_tombstones(
    asana: AsanaEmulator,
) -> None:
    connection = Connection(asana)
    connection.sync()
    connection.config["workspace_gids"] = [ORGANIZATION]
    said = connection.sync()
    for stream in INCREMENTAL:
        assert tombstones(said, stream) == []
    assert QUIZ not in all_states(connection)
    assert QUIZ_TEAM not in all_states(connection)


def test_a_deleted_chosen_project_is_a_tombstone(asana: AsanaEmulator) -> None:
    connection = Connection(asana, project_gids=[GULL_ROCK, STRIPES])
    connection.sync()
    asana.change(lambda account: account.delete(STRIPES))
    said = connection.sync()
    assert tombstones(said, "projects") == [STRIPES]
    assert asana.ledger.by_path()[ONE_PROJECT] == 1
    assert STRIPES not in all_states(connection)
    assert said.exit_status == 0
    missing = f"Project {STRIPES} not found or not shared with this token"
    assert missing in said.logs("WARN")


def test_a_deleted_task_of_a_chosen_project_is_a_tombstone(asana: AsanaEmulator) -> None:
    connection = Connection(asana, project_gids=[GULL_ROCK])
    connection.sync()
    here, elsewhere = top_task(asana), gids(asana, "tasks", Choice(project_gids=(QUIZ,)))[-1]
    for task in (here, elsewhere):
        asana.account.delete(task)
    assert tombstones(connection.sync(), "tasks") == [here]


def test_subtasks_that_are_included_later_come_with_all_their_stories_and_attachments(
    asana: AsanaEmulator,
) -> None:
    connection = Connection(asana, include_subtasks=False)
    connection.sync()
    for stream in ("stories", "stories_compact", "attachments", "attachments_compact"):
        assert connection.state_of(stream)["left_out"] == {"below_subtasks": True}
    assert "left_out" not in connection.state_of("tasks")
    connection.config["include_subtasks"] = True
    said = connection.sync()
    assert rows(said, "subtasks") == gids(asana, "subtasks")
    for stream in ("stories", "attachments"):
        assert set(rows(said, stream)) >= set(gids(asana, stream)) - set(
            gids(asana, stream, Choice(include_subtasks=False))
        )
    assert rows(said, "tasks") == []
    assert "left_out" not in all_states(connection)
    assert news(connection.sync()) == []


def test_subtasks_that_are_excluded_for_a_while_come_with_everything_missed(
    asana: AsanaEmulator,
) -> None:
    connection = Connection(asana)
    connection.sync()
    subtask = some_subtask(asana)
    connection.config["include_subtasks"] = False
    asana.change(lambda account: account.comment(subtask, "Nobody listens"))
    said = connection.sync()
    assert news(said) == []
    connection.config["include_subtasks"] = True
    said = connection.sync()
    assert subtask in rows(said, "subtasks")
    assert "Nobody listens" in [story["text"] for story in said.records()["stories"]]


@pytest.mark.parametrize("earlier", [None, "2024-01-20"], ids=["to nothing", "to an earlier day"])
def test_an_earlier_start_date_brings_the_older_records(
    asana: AsanaEmulator, earlier: str | None
) -> None:
    connection = Connection(asana, *INCREMENTAL, *DATED, start_date=START)
    connection.sync()
    assert connection.state_of("tasks")["left_out"] == {"before": START}
    assert "left_out" not in connection.state_of("sections")
    connection.config["start_date"] = earlier
    said = connection.sync()
    choice = Choice(start_date=f"{earlier}T00:00:00.000Z" if earlier else None)
    for stream in ("tasks", "subtasks", "stories", "attachments", *DATED):
        assert rows(said, stream) == gids(asana, stream, choice) != []
    assert rows(said, "projects") == []
    assert news(connection.sync()) == []


def test_a_later_start_date_brings_nothing_again(asana: AsanaEmulator) -> None:
    connection = Connection(asana, *INCREMENTAL, *DATED, start_date="2024-01-20")
    connection.sync()
    connection.config["start_date"] = START
    said = connection.sync()
    assert news(said) == []
    assert not any(said.records()[stream] for stream in ("projects", *DATED))
    asked = asana.ledger.by_path()
    assert "/tasks/{task_gid}/stories" not in asked
    assert "/tasks/{task_gid}/subtasks" not in asked
    assert connection.state_of("tasks")["left_out"] == {"before": START}


def test_a_changed_old_task_comes_whatever_the_start_date(asana: AsanaEmulator) -> None:
    connection = Connection(asana, start_date=LATER)
    assert rows(connection.sync(), "tasks") == []
    task, subtask = top_task(asana), some_subtask(asana)
    asana.change(lambda account: account.modify_task(task, name="Young again"))
    asana.change(lambda account: account.comment(subtask, "Me too"))
    said = connection.sync()
    assert rows(said, "tasks") == [task]
    assert rows(said, "subtasks") == [subtask]
    texts = [story["text"] for story in said.records()["stories"]]
    assert sorted(texts) == ["Me too", 'changed the name to "Young again"']


# -- tasks without a project ----------------------------------------------------------------------


@pytest.fixture
def loose(asana: AsanaEmulator) -> Connection:
    """A connection that has synced everything once, including tasks in no project."""
    made = Connection(asana, include_tasks_without_project=True)
    said = made.sync()
    assert rows(said, "tasks") == gids(asana, "tasks", LOOSE)
    return made


LOOSE = Choice(include_tasks_without_project=True)


def loose_task(asana: AsanaEmulator) -> str:
    (*_, task) = sorted(set(gids(asana, "tasks", LOOSE)) - set(gids(asana, "tasks")))
    return task


def anselm(asana: AsanaEmulator) -> str:
    return next(
        str(user["gid"])
        for user in asana.expected("users", SERVICE)
        if str(user["name"]).startswith("Anselm")
    )


def test_a_new_task_without_a_project_is_read_with_everything_below_it(loose: Connection) -> None:
    asana, assignee = loose.asana, anselm(loose.asana)

    def remember(account: Account) -> tuple[str, str]:
        task = account.create_private_task(ORGANIZATION, "Feed the cat", assignee=assignee)
        subtask = account.add_subtask(task, "Find the cat")
        account.comment(subtask, "She is on the lamp")
        account.attach(task, "Cat.png")
        return task, subtask

    task, subtask = asana.change(remember)
    said = loose.sync()
    assert task in rows(said, "tasks")
    assert subtask in rows(said, "subtasks")
    assert "She is on the lamp" in [story["text"] for story in said.records()["stories"]]
    assert of(said.records()["attachments"], task)


def test_a_changed_task_without_a_project_is_read_with_its_stories(loose: Connection) -> None:
    asana, task = loose.asana, loose_task(loose.asana)
    asana.change(lambda account: account.modify_task(task, name="Hide the bigger cake"))
    said = loose.sync()
    (record,) = (record for record in said.records()["tasks"] if record["gid"] == task)
    assert record["name"] == "Hide the bigger cake"
    assert {story["target"]["gid"] for story in said.records()["stories"]} == {task}
    assert asana.ledger.by_path()["/tasks/{task_gid}/stories"] == 1


def test_a_changed_subtask_of_a_task_without_a_project_is_read_with_its_comment(
    loose: Connection,
) -> None:
    asana, task = loose.asana, loose_task(loose.asana)
    subtask = asana.change(lambda account: account.add_subtask(task, "Under the bed"))
    loose.sync()
    asana.change(lambda account: account.comment(subtask, "No room there"))
    said = loose.sync()
    assert subtask in rows(said, "subtasks")
    assert "No room there" in [story["text"] for story in said.records()["stories"]]
    assert {story["target"]["gid"] for story in said.records()["stories"]} == {subtask}


def test_a_task_that_leaves_its_last_project_counts_as_one_without_a_project(
    loose: Connection,
) -> None:
    asana, assignee = loose.asana, anselm(loose.asana)
    task = asana.change(
        lambda account: account.create_task(GULL_ROCK, "Ask around", assignee=assignee)
    )
    loose.sync()
    asana.change(lambda account: account.remove_from_project(task, GULL_ROCK))
    said = loose.sync()
    (record,) = (record for record in said.records()["tasks"] if record["gid"] == task)
    assert record["projects"] == []


def test_tasks_without_a_project_that_are_included_later_are_read_in_full(
    asana: AsanaEmulator,
) -> None:
    connection = Connection(asana)
    connection.sync()
    connection.config["include_tasks_without_project"] = True
    said = connection.sync()
    (task, other) = sorted(set(gids(asana, "tasks", LOOSE)) - set(gids(asana, "tasks")))
    assert sorted(news(said)) == [task, other]
    assert rows(said, "tasks") == [task, other]


def test_tasks_without_a_project_that_are_excluded_for_a_while_are_complete_afterward(
    loose: Connection,
) -> None:
    asana, task = loose.asana, loose_task(loose.asana)
    loose.config["include_tasks_without_project"] = False
    asana.change(lambda account: account.comment(task, "Nobody looks"))
    said = loose.sync()
    assert news(said) == []
    assert not [r for r in asana.ledger.requests if "assignee" in r.query]
    loose.config["include_tasks_without_project"] = True
    said = loose.sync()
    assert task in rows(said, "tasks")
    assert "Nobody looks" in [story["text"] for story in said.records()["stories"]]


@pytest.mark.parametrize("workers", [1, 10])
def test_every_stream_state_records_how_tasks_without_a_project_were_read(
    asana: AsanaEmulator, workers: int
) -> None:
    connection = Connection(asana, num_workers=workers, include_tasks_without_project=True)
    connection.sync()
    for stream in ("tasks", "subtasks", "stories", "stories_compact", "attachments"):
        marks = incremental_marks(connection.state_of(stream))
        assert {ORGANIZATION, QUIZ_TEAM} <= set(marks), stream
    connection.sync()
    asked = {request.template for request in asana.ledger.requests}
    assert asked.isdisjoint({"/tasks/{task_gid}/stories", "/tasks/{task_gid}/subtasks"})


def test_users_are_not_requested_twice_when_their_tasks_are_selected_too(loose: Connection) -> None:
    said = loose.sync()
    asked = loose.asana.ledger.by_path()
    assert asked["/users"] == 2
    assert loose.asana.ledger.duplicates() == {}
    assert said.exit_status == 0


# -- without subtasks -----------------------------------------------------------------------------


@pytest.fixture
def shallow(asana: AsanaEmulator) -> Connection:
    """A connection without subtasks that has synced everything once."""
    made = Connection(asana, include_subtasks=False)
    made.sync()
    return made


def subtask_with(asana: AsanaEmulator, stream: str) -> tuple[str, str]:
    """A subtask in no project, and one of its records."""
    free = [t["gid"] for t in asana.expected("subtasks", SERVICE) if not t["projects"]]
    for record in asana.expected(stream, SERVICE):
        above = (record.get("target") or record["parent"])["gid"]
        if above in free and record["resource_subtype"] in {"comment_added", "asana"}:
            return above, record["gid"]
    raise AssertionError(stream)


def test_an_edited_comment_of_a_subtask_does_not_come(shallow: Connection) -> None:
    asana = shallow.asana
    _, story = subtask_with(asana, "stories")
    asana.change(lambda account: account.edit_comment(story, "Unheard"))
    said = shallow.sync()
    assert news(said) == []
    assert [event["resource"]["gid"] for event in said.records()["events"]] == [story]


def test_a_new_attachment_of_a_subtask_does_not_come(shallow: Connection) -> None:
    asana, subtask = shallow.asana, some_subtask(shallow.asana)
    asana.change(lambda account: account.attach(subtask, "Secret.png"))
    said = shallow.sync()
    assert news(said) == []


def test_a_restored_attachment_of_a_subtask_does_not_come(shallow: Connection) -> None:
    asana = shallow.asana
    _, attachment = subtask_with(asana, "attachments")
    asana.change(lambda account: account.delete(attachment))
    asana.account.clock.advance(1)
    asana.change(lambda account: account.restore(attachment))
    said = shallow.sync()
    assert news(said) == []


def test_a_changed_subtask_causes_no_records(shallow: Connection) -> None:
    asana, subtask = shallow.asana, some_subtask(shallow.asana)
    asana.change(lambda account: account.modify_task(subtask, name="Rung the first"))
    asana.change(lambda account: account.comment(subtask, "Creaks"))
    new = asana.change(lambda account: account.add_subtask(subtask, "Rung and a half"))
    asana.change(lambda account: account.comment(new, "Creaks too"))
    said = shallow.sync()
    assert news(said) == []
    asked = asana.ledger.by_path()
    assert "/tasks/{task_gid}/subtasks" not in asked
    assert "/tasks/{task_gid}/stories" not in asked


def test_without_subtasks_a_subtask_in_a_project_is_still_one_of_its_tasks(
    shallow: Connection,
) -> None:
    asana = shallow.asana
    shared = next(t["gid"] for t in asana.expected("tasks", SERVICE) if t["parent"])
    asana.change(lambda account: account.comment(shared, "I am a task"))
    said = shallow.sync()
    assert rows(said, "tasks") == [shared]
    assert "I am a task" in [story["text"] for story in said.records()["stories"]]
    comment = next(s["gid"] for s in said.records()["stories"] if s["text"] == "I am a task")
    asana.change(lambda account: account.edit_comment(comment, "I am still one"))
    assert [s["text"] for s in shallow.sync().records()["stories"]] == ["I am still one"]


def test_without_subtasks_a_deleted_comment_of_a_task_is_still_a_tombstone(
    shallow: Connection,
) -> None:
    asana, task = shallow.asana, top_task(shallow.asana)
    story = asana.change(lambda account: account.comment(task, "Soon gone"))
    shallow.sync()
    asana.change(lambda account: account.delete(story))
    assert tombstones(shallow.sync(), "stories") == [story]


# -- projects of teams and portfolios -------------------------------------------------------------


def only_error(said: Said) -> Json:
    (message,) = said.traces("ERROR")
    error: Json = message["trace"]["error"]
    return error


def test_a_project_that_enters_a_portfolio_is_read_in_full_and_one_that_leaves_stays_as_it_is(
    asana: AsanaEmulator,
) -> None:
    connection = Connection(asana, portfolio_gids=[BLINKING])
    assert rows(connection.sync(), "projects") == [GULL_ROCK, STRIPES]
    asana.change(lambda account: account.take_out_of_portfolio(BLINKING, STRIPES))
    asana.change(lambda account: account.put_into_portfolio(BLINKING, CHOIR))
    said = connection.sync()
    assert_delivers(said, asana, CHOIR)
    assert tombstones(said, "projects") == tombstones(said, "tasks") == []
    assert STRIPES not in all_states(connection)
    assert news(connection.sync()) == []


def test_an_error_about_an_inner_portfolio_does_not_blame_the_setting(
    asana: AsanaEmulator,
) -> None:
    asana.controls.deny("/portfolios/{portfolio_gid}/items", only=BLINKING)
    said = Connection(asana, portfolio_gids=[COAST]).sync()
    error = only_error(said)
    assert error["message"] == (
        f"Portfolio {BLINKING} is in a portfolio of portfolio_gids, and is not shared with this "
        "token (403). Give the token's user access to it, or take it out."
    )


def test_a_deleted_project_of_a_portfolio_is_deleted_at_the_destination(
    asana: AsanaEmulator,
) -> None:
    connection = Connection(asana, portfolio_gids=[BLINKING])
    connection.sync()
    asana.change(lambda account: account.delete(STRIPES))
    assert tombstones(connection.sync(), "projects") == [STRIPES]
    assert STRIPES not in all_states(connection)


def test_streams_without_projects_do_not_request_those_of_a_team(sample: AsanaEmulator) -> None:
    full_refresh(sample, ["users", "tags"], team_gids=[PAINT], portfolio_gids=[COAST])
    assert set(sample.ledger.by_path()) == {"/workspaces", "/users", "/tags"}


@pytest.mark.parametrize(
    ("name", "gid", "what"),
    [("team_gids", NO_TEAM, "Team"), ("portfolio_gids", NO_PORTFOLIO, "Portfolio")],
)
def test_a_missing_team_or_portfolio_ends_a_check_and_a_sync_with_the_same_sentence(
    asana: AsanaEmulator, name: str, gid: str, what: str
) -> None:
    connection = Connection(asana)
    connection.sync()
    before = all_states(connection)
    sentence = f"{what} {gid} not found or not shared with this token (404)."
    filters: Json = {name: [gid]}
    assert failed(checked(asana, **filters)).startswith(sentence)
    connection.config[name] = [gid]
    said = connection.sync()
    error = only_error(said)
    assert error["message"].startswith(sentence)
    assert error["failure_type"] == "config_error"
    assert said.exit_status == 1
    assert all_states(connection) == before


def test_an_empty_portfolio_is_an_error_and_no_empty_table(asana: AsanaEmulator) -> None:
    asana.change(lambda account: account.take_out_of_portfolio(BLINKING, GULL_ROCK, STRIPES))
    said = full_refresh(asana, ["tasks", "tags"], portfolio_gids=[BLINKING])
    assert "portfolio_gids" in said.errors()["tasks"]["message"]
    assert said.statuses("tags")[-1] == "COMPLETE"


def test_portfolios_inside_each_other_come_to_an_end(asana: AsanaEmulator) -> None:
    asana.change(lambda account: account.put_into_portfolio(BLINKING, COAST))
    said = full_refresh(asana, ["projects"], portfolio_gids=[COAST])
    assert rows(said, "projects") == [GULL_ROCK, STRIPES, CHOIR]


def test_a_check_tries_a_project_of_the_team(sample: AsanaEmulator) -> None:
    assert checked(sample, team_gids=[PAINT]).connection_status()["status"] == "SUCCEEDED"
    asked = {r.query["project"] for r in sample.ledger.requests if r.template == "/tasks"}
    assert asked == {STRIPES}


# -- objects in the config not found --------------------------------------------------------------


def checked(asana: AsanaEmulator, person: str = SERVICE, **filters: Any) -> Said:
    return run("check", asana, config_for(asana, person, **filters))


def test_a_check_names_each_missing_project_and_workspace(sample: AsanaEmulator) -> None:
    other = "1205000000000405"
    said = checked(
        sample,
        workspace_gids=[ORGANIZATION, NO_WORKSPACE],
        project_gids=[NOWHERE, GULL_ROCK, other],
    )
    sentence = failed(said)
    for what in (f"Workspace {NO_WORKSPACE}", f"Project {NOWHERE}", f"Project {other}"):
        assert f"{what} not found or not shared with this token" in sentence
    assert GULL_ROCK not in sentence
    assert ORGANIZATION not in sentence


def test_a_check_reports_a_hidden_project_like_a_missing_one(sample: AsanaEmulator) -> None:
    sentence = failed(checked(sample, "member", project_gids=[PARTY, GULL_ROCK]))
    assert f"Project {PARTY} not found or not shared with this token" in sentence
    assert GULL_ROCK not in sentence


def test_a_check_says_that_a_chosen_project_is_archived(sample: AsanaEmulator) -> None:
    said = checked(sample, project_gids=[CHOIR, STRIPES], include_archived_projects=False)
    sentence = failed(said)
    assert f"Project {CHOIR} is archived, but include_archived_projects is off" in sentence
    assert STRIPES not in sentence


def test_a_check_reports_a_chosen_project_in_a_workspace_that_is_not_chosen(
    sample: AsanaEmulator,
) -> None:
    sentence = failed(checked(sample, project_gids=[QUIZ], workspace_gids=[ORGANIZATION]))
    assert f"Project {QUIZ} is in workspace {QUIZ_TEAM}, which is not in workspace_gids" in (
        sentence
    )


def test_a_check_warns_about_a_missing_excluded_project(sample: AsanaEmulator) -> None:
    said = checked(sample, excluded_project_gids=[NOWHERE, CHOIR], include_archived_projects=False)
    assert said.connection_status()["status"] == "SUCCEEDED"
    assert said.logs("WARN") == [
        f"excluded_project_gids: project {NOWHERE} not found or not shared with this token."
    ]


def test_a_check_requests_a_few_of_many_projects(sample: AsanaEmulator) -> None:
    said = checked(sample, project_gids=[GULL_ROCK, *(f"12050000000{n:05}" for n in range(10, 90))])
    failed(said)
    assert sample.ledger.by_path()[ONE_PROJECT] == 25


def test_a_check_tests_access_only_in_the_selected_part(sample: AsanaEmulator) -> None:
    said = checked(sample, workspace_gids=[QUIZ_TEAM], project_gids=[QUIZ])
    assert said.connection_status()["status"] == "SUCCEEDED"
    asked = {r.query["project"] for r in sample.ledger.requests if "project" in r.query}
    assert asked == {QUIZ}
    named = {r.query["workspace"] for r in sample.ledger.requests if "workspace" in r.query}
    assert named == {QUIZ_TEAM}


def test_after_a_successful_check_a_sync_finds_everything(sample: AsanaEmulator) -> None:
    filters: Json = {"project_gids": [GULL_ROCK, QUIZ], "workspace_gids": [ORGANIZATION, QUIZ_TEAM]}
    assert checked(sample, **filters).connection_status()["status"] == "SUCCEEDED"
    assert full_refresh(sample, ["tasks"], **filters).logs("WARN") == []


def test_a_sync_warns_about_a_missing_project_and_reads_the_others(
    sample: AsanaEmulator,
) -> None:
    said = full_refresh(
        sample,
        ["tasks", "projects"],
        project_gids=[NOWHERE, STRIPES],
        workspace_gids=[NO_WORKSPACE, ORGANIZATION],
    )
    assert sorted(said.logs("WARN")) == [
        f"Project {NOWHERE} not found or not shared with this token",
        f"Workspace {NO_WORKSPACE} not found or not shared with this token",
    ]
    assert rows(said, "tasks") == gids(sample, "tasks", Choice(project_gids=(STRIPES,)))
    assert rows(said, "projects") == [STRIPES]
    assert said.exit_status == 0


def test_where_no_chosen_project_is_found_the_streams_below_projects_are_incomplete(
    sample: AsanaEmulator,
) -> None:
    streams = ["projects", "tasks", "stories", "project_memberships", "custom_field_settings"]
    said = full_refresh(sample, [*streams, "tags"], "member", project_gids=[PARTY, NOWHERE])
    for stream in streams:
        error = said.errors()[stream]
        assert error["failure_type"] == "config_error"
        assert "project_gids" in error["message"]
        assert said.statuses(stream)[-1] == "INCOMPLETE"
    assert said.statuses("tags")[-1] == "COMPLETE"
    for gid in (PARTY, NOWHERE):
        assert f"Project {gid} not found or not shared with this token" in said.logs("WARN")
    assert said.exit_status == 1


def test_where_no_chosen_workspace_is_found_every_stream_is_incomplete(
    sample: AsanaEmulator,
) -> None:
    streams = ["workspaces", "tags", "tasks", "goals"]
    said = full_refresh(sample, streams, workspace_gids=[NO_WORKSPACE])
    for stream in streams:
        error = said.errors()[stream]
        assert error["failure_type"] == "config_error"
        assert "workspace_gids" in error["message"]
        assert said.statuses(stream)[-1] == "INCOMPLETE"


def test_no_deletions_where_no_chosen_project_is_found_any_longer(
    asana: AsanaEmulator,
) -> None:
    connection = Connection(asana, "projects", "tasks", project_gids=[GULL_ROCK])
    connection.sync()
    connection.config["project_gids"] = [NOWHERE]
    said = connection.sync()
    assert said.errors().keys() == {None, "projects", "tasks"} - {None}
    assert tombstones(said, "projects") == []


# -- the options of custom fields -----------------------------------------------------------------

WITH_VALUES = ("tasks", "subtasks", "projects")


def has_options(value: Any) -> bool:
    if isinstance(value, list):
        return any(has_options(entry) for entry in value)
    if isinstance(value, Mapping):
        return "enum_options" in value or any(has_options(part) for part in value.values())
    return False


def without_options(value: Any) -> Any:
    if isinstance(value, list):
        return [without_options(entry) for entry in value]
    if isinstance(value, Mapping):
        return {n: without_options(part) for n, part in value.items() if n != "enum_options"}
    return value


def test_tasks_and_projects_omit_options_but_no_value(sample: AsanaEmulator) -> None:
    said = full_refresh(sample, WITH_VALUES, include_custom_field_options=False)
    for stream in WITH_VALUES:
        assert not has_options(said.records()[stream])
        expected = chosen(sample, stream, Choice())
        assert in_order(said.records()[stream]) == without_options(expected)
    assert has_options(chosen(sample, "tasks", Choice()))
    assert has_options(chosen(sample, "projects", Choice()))
    values = [f for task in said.records()["tasks"] for f in task["custom_fields"]]
    assert any(value.get("enum_value") for value in values)
    assert any(value.get("multi_enum_values") for value in values)


def test_custom_fields_and_their_settings_still_have_all_options(
    sample: AsanaEmulator,
) -> None:
    streams = ["custom_fields", "custom_field_settings", "projects", "portfolios"]
    said = full_refresh(sample, streams, include_custom_field_options=False)
    for stream in ("custom_fields", "custom_field_settings", "portfolios"):
        assert in_order(said.records()[stream]) == chosen(sample, stream, Choice())
        assert has_options(said.records()[stream])
    assert not has_options(said.records()["projects"])


def size_of(said: Said, stream: str) -> int:
    return len(orjson.dumps(said.records()[stream]))


def sizes(asana: AsanaEmulator) -> Iterator[tuple[str, int, int]]:
    """The bytes of the records of each stream, with the options and without."""
    whole = full_refresh(asana, WITH_VALUES)
    lean = full_refresh(asana, WITH_VALUES, include_custom_field_options=False)
    for stream in WITH_VALUES:
        yield stream, size_of(whole, stream), size_of(lean, stream)


def with_many_options() -> Account:
    """The sample account with as many options in a field as Asana allows."""
    company = Company(seed=1)
    account = company.tell()
    urgency = company.holdings.own(CustomField, company.field["Urgency"])
    urgency.options += [
        EnumOption(gid=gid_of("enum_option", 10_000 + number), name=f"No. {number}", color="red")
        for number in range(MOST_OPTIONS - len(urgency.options))
    ]
    account.clock = Clock()
    return account


def test_omitting_options_makes_records_smaller() -> None:
    with AsanaEmulator(with_many_options()) as asana:
        assert_smaller("a field of 500 options", asana)


@pytest.mark.once
def test_omitting_options_makes_the_records_of_a_whole_account_smaller(
    small: AsanaEmulator,
) -> None:
    assert_smaller("the small account", small)


def assert_smaller(what: str, asana: AsanaEmulator) -> None:
    measured = list(sizes(asana))
    print(f"\n{table((what, 'bytes', 'without options'), measured)}")  # noqa: T201 - shown with -s
    for stream, whole, lean in measured:
        assert 0 < lean < whole, stream


# -- one project of an account of 5,000 tasks -----------------------------------------------------


@pytest.mark.once
def test_the_requests_for_one_project_depend_on_its_size_and_not_the_accounts(
    small: AsanaEmulator,
) -> None:
    small.ledger.reset()
    streams = [name for name in STREAMS if name != "organization_exports"]
    project = next(p["gid"] for p in small.expected("projects", SERVICE) if "Volume 3" in p["name"])
    choice = Choice(project_gids=(project,))
    said = full_refresh(small, streams, **config_of(choice))
    asked = small.ledger.by_path()
    one, whole = (small.floor(streams, SERVICE, choice=each) for each in (choice, Choice()))
    rows_ = [(path, whole[path], one.get(path, 0), asked.get(path, 0)) for path in whole]
    total = ("total", sum(whole.values()), sum(one.values()), sum(asked.values()))
    headings = ("path", "whole account", "one project", "requests")
    print(f"\n{table(headings, rows_, total)}")  # noqa: T201 - shown with -s
    assert asked == one
    assert small.ledger.duplicates() == {}
    for stream in streams:
        assert in_order(said.records()[stream]) == chosen(small, stream, choice), stream
    assert 10 * asked["/tasks/{task_gid}/stories"] < whole["/tasks/{task_gid}/stories"]
