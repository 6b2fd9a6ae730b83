"""Stories and attachments from the file of a resource export: the records are the same."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.asana_emulator.export_controls import ExportControls, FileTrouble
from integration_tests.asana_emulator.gids import gid_of
from integration_tests.reading import SERVICE, Record, Said, catalog_of, config_for, run
from integration_tests.test_incremental import Connection, top_task
from integration_tests.test_workspace_events import crowded
from integration_tests.truth_of import in_order, truth
from source_asana.reading.exports.job import ExportLimits
from source_asana.reading.shortcuts.evidence import Terms
from source_asana.streams.declared import STREAMS

pytestmark = pytest.mark.once

START, JOB = "/exports/resource", "/jobs/{job_gid}"
STORIES, ATTACHMENTS = "/tasks/{task_gid}/stories", "/attachments"
ORGANIZATION = gid_of("workspace", 1)
STREAMS_READ = ["tasks", "subtasks", "stories", "attachments_compact"]
TERMS = Terms(first=3, one_in=1000, counter_claims=0)
PATIENT = ExportLimits(
    least_tasks=5,
    most_seconds=60.0,
    requests_per_minute=60.0,
    first_pause=0.01,
    longest_pause=0.05,
    terms=TERMS,
)
HASTY = ExportLimits(least_tasks=5, most_seconds=0.2, first_pause=0.01, terms=TERMS)
"""Files that do not come soon are not waited for."""


def sync(
    asana: AsanaEmulator,
    streams: list[str] | None = None,
    limits: ExportLimits = PATIENT,
    **how: Any,
) -> Said:
    asana.ledger.reset()
    config = config_for(asana, use_resource_exports=True, num_workers=how.pop("workers", 10))
    catalog = how.pop("catalog", None) or catalog_of(streams or STREAMS_READ)
    return run("read", asana, config, catalog, export_limits=limits, **how)


def is_complete(asana: AsanaEmulator, said: Said) -> bool:
    """Whether a sync has delivered each record once, as Asana has it."""
    records = said.records()
    for stream in records.keys() | set(STREAMS_READ):
        assert in_order(records[stream]) == truth(asana, stream)
    return said.exit_status == 0


def told(said: Said, words: str) -> list[str]:
    return [line for line in said.logs("INFO") + said.logs("WARN") if words in line]


def test_a_file_spares_the_requests_of_each_task(asana: AsanaEmulator) -> None:
    said = sync(asana)
    assert is_complete(asana, said)
    (inside,) = asana.exports.requested
    assert inside["workspace"] == ORGANIZATION
    in_organization = {
        task["gid"]
        for stream in ("tasks", "subtasks")
        for task in asana.expected(stream, SERVICE)
        if task["workspace"]["gid"] == ORGANIZATION
    }
    spared = len(in_organization) - TERMS.first
    floor = asana.floor(STREAMS_READ, SERVICE)
    requests = asana.ledger.by_path()
    assert requests.pop(START) == 1
    assert requests.pop(JOB) == 2
    for path in (STORIES, ATTACHMENTS):
        assert requests.pop(path) <= floor.pop(path) - spared + 2 * 10  # ten workers begin at once
    assert requests == floor


def test_one_worker_checks_as_many_as_the_terms_say(asana: AsanaEmulator) -> None:
    assert is_complete(asana, sync(asana, workers=1))
    floor, requests = asana.floor(STREAMS_READ, SERVICE), asana.ledger.by_path()
    others = 2  # tasks in the workspace that is no organization
    assert requests[STORIES] < floor[STORIES] / 2
    assert requests[STORIES] >= TERMS.first + others


def test_the_file_is_asked_for_what_the_columns_need(asana: AsanaEmulator) -> None:
    columns = {"stories": ["gid", "text", "created_by"], "attachments": ["gid", "name"]}
    catalog = catalog_of(["stories", "attachments"], columns)
    sync(asana, catalog=catalog)
    (parameters,) = asana.exports.requested[0]["export_request_parameters"]
    assert parameters["resource_type"] == "task"
    assert "filters" not in parameters
    paths = STREAMS["stories"].record.opt_fields({"gid", "text", "created_by"})
    assert set(parameters["fields"]) == {
        *("gid", "modified_at", "attachments.gid", "attachments.name"),
        *(f"stories.{path}" for path in paths),
    }
    assert asana.ledger.unknown_fields == {}


def test_links_to_attachments_are_requested_because_no_file_has_them(asana: AsanaEmulator) -> None:
    said = sync(asana, ["attachments"])
    assert in_order(said.records()["attachments"]) == truth(asana, "attachments")
    (parameters,) = asana.exports.requested[0]["export_request_parameters"]
    assert parameters["fields"] == ["gid", "modified_at", "attachments.gid"]
    assert asana.ledger.by_path()[ATTACHMENTS] < asana.floor(["attachments"], SERVICE)[ATTACHMENTS]


def test_the_host_of_the_file_gets_no_token_and_the_log_no_address(asana: AsanaEmulator) -> None:
    said = sync(asana)
    (headers,) = asana.exports.headers
    assert "authorization" not in {name.lower() for name in headers}
    assert asana.tokens.pat(SERVICE) not in str(headers)
    assert "X-Amz" not in said.text
    assert "jsonl" not in said.text


def test_both_shortcuts_together_give_the_same_records(asana: AsanaEmulator) -> None:
    options: dict[str, Any] = {"use_resource_exports": True, "skip_tasks_without_attachments": True}
    config, catalog = config_for(asana, **options), catalog_of(STREAMS_READ)
    said = run("read", asana, config, catalog, export_limits=PATIENT, terms=TERMS)
    assert is_complete(asana, said)
    assert len(asana.exports.requested) == 1
    assert asana.ledger.by_path()[STORIES] < asana.floor(STREAMS_READ, SERVICE)[STORIES]


def test_without_the_option_no_export_is_begun(asana: AsanaEmulator) -> None:
    run("read", asana, config_for(asana), catalog_of(STREAMS_READ), export_limits=PATIENT)
    assert asana.exports.requested == []


def test_few_tasks_are_not_worth_an_export(asana: AsanaEmulator) -> None:
    assert is_complete(asana, sync(asana, limits=ExportLimits(least_tasks=100)))
    assert asana.exports.requested == []


# --- what can go wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 402, 403, 404, 500, 503])
def test_a_refused_export_costs_nothing_but_its_request(asana: AsanaEmulator, status: int) -> None:
    asana.controls.deny(START, status)
    said = sync(asana)
    assert is_complete(asana, said)
    assert len(told(said, "No export of workspace")) == 1
    assert asana.ledger.by_path().pop(START) == 1
    assert asana.ledger.by_path()[STORIES] == asana.floor(STREAMS_READ, SERVICE)[STORIES]


FAILURES: dict[str, ExportControls] = {
    "in progress elsewhere": ExportControls(is_busy=True),
    "the job fails": ExportControls(outcome="failed"),
    "an unknown line": ExportControls(line=lambda _: ["what is this?"]),
    "no time": ExportControls(line=lambda task: {**task, "modified_at": None}),
    "no stories": ExportControls(line=lambda task: {n: task[n] for n in task if n != "stories"}),
    "an odd story": ExportControls(line=lambda task: {**task, "stories": ["?"]}),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failed_export_is_told_and_all_requests_are_made(
    asana: AsanaEmulator, failure: str
) -> None:
    asana.controls.exports = FAILURES[failure]
    said = sync(asana)
    assert is_complete(asana, said)
    assert len(told(said, "No export of workspace")) == 1
    assert asana.ledger.by_path()[STORIES] == asana.floor(STREAMS_READ, SERVICE)[STORIES]


@pytest.mark.parametrize(
    "trouble", ["missing", "forbidden", "not_gzip", "cut", "reset", "bomb", "redirect"]
)
def test_a_file_that_cannot_be_read_is_told_and_all_requests_are_made(
    asana: AsanaEmulator, trouble: FileTrouble
) -> None:
    asana.controls.exports = ExportControls(trouble=trouble)
    said = sync(asana)
    assert is_complete(asana, said)
    assert len(told(said, "No export of workspace")) == 1
    assert "X-Amz" not in said.text


def test_a_download_that_fails_once_is_repeated(asana: AsanaEmulator) -> None:
    asana.controls.exports = ExportControls(trouble="reset", times=1)
    said = sync(asana)
    assert is_complete(asana, said)
    assert len(asana.exports.headers) == 2
    assert not told(said, "No export")


@pytest.mark.parametrize(
    "controls",
    [ExportControls(polls=None), ExportControls(has_url=False), ExportControls(trouble="hang")],
)
def test_a_file_that_does_not_come_is_not_waited_for_longer_than_its_requests_take(
    asana: AsanaEmulator, controls: ExportControls
) -> None:
    asana.controls.exports = controls
    said = sync(asana, limits=HASTY)
    assert is_complete(asana, said)
    assert told(said, "takes too long")


def test_a_token_that_becomes_invalid_ends_the_sync(asana: AsanaEmulator) -> None:
    asana.controls.interrupt(START, lambda: setattr(asana.controls, "cut_off_after", 0))
    said = sync(asana)
    assert said.exit_status == 1
    assert "refused the token" in said.text


# --- files that are not what Asana answers --------------------------------------------------------


def lying(task: Record) -> Record:
    stories = [{**story, "text": "Something else"} for story in task["stories"]]
    return {**task, "stories": stories}


def forgetful(task: Record) -> Record:
    return {**task, "stories": task["stories"][:-1]}


@pytest.mark.parametrize("change", [lying, forgetful])
def test_a_file_that_lies_is_used_no_longer(
    asana: AsanaEmulator, change: Callable[[Record], Record]
) -> None:
    asana.controls.exports = ExportControls(line=change)
    said = sync(asana)
    assert is_complete(asana, said)
    assert len(told(said, "differs from what Asana returns")) == 1


def longest(asana: AsanaEmulator) -> tuple[str, int]:
    """The task with the most stories, and their number."""
    counts: dict[str, int] = {}
    for story in asana.expected("stories", SERVICE):
        gid = story["target"]["gid"]
        counts[gid] = counts.get(gid, 0) + 1
    return max(counts.items(), key=lambda of: of[1])


def test_what_came_from_a_file_that_proves_wrong_later_is_requested_after_all(
    asana: AsanaEmulator,
) -> None:
    task, stories = longest(asana)
    wrong: set[str] = set()

    def lies_in_part(line: Record) -> Record:
        if line["gid"] == task:
            return lying(line)
        if len(line["stories"]) == 1:
            wrong.add(line["stories"][0]["gid"])
            return lying(line)
        return line

    asana.controls.exports = ExportControls(line=lies_in_part)
    trusting = ExportLimits(
        least_tasks=5,
        requests_per_minute=60.0,
        first_pause=0.01,
        long_list=stories,
        terms=Terms(first=0, one_in=10**9, counter_claims=0),
    )
    said = sync(asana, limits=trusting, workers=1)
    assert told(said, "differs from what Asana returns")
    records = said.records()["stories"]
    last = {record["gid"]: record for record in records}
    assert in_order(list(last.values())) == truth(asana, "stories")
    twice = {r["gid"] for r in records if sum(o["gid"] == r["gid"] for o in records) > 1}
    assert twice
    assert twice <= wrong
    assert asana.ledger.by_path()[STORIES] == asana.floor(STREAMS_READ, SERVICE)[STORIES]


def test_a_list_that_is_cut_where_lists_are_requested_anyway_does_no_harm(
    asana: AsanaEmulator,
) -> None:
    def cut(line: Record) -> Record:
        return {**line, "stories": line["stories"][:3]}

    asana.controls.exports = ExportControls(line=cut)
    said = sync(asana, limits=ExportLimits(**{**vars(PATIENT), "long_list": 3}))
    assert is_complete(asana, said)
    assert not told(said, "differs")


def test_a_task_that_changed_since_it_was_listed_is_requested(asana: AsanaEmulator) -> None:
    asana.controls.exports = ExportControls(made="at_end")
    task, _ = longest(asana)
    asana.controls.interrupt(JOB, lambda: asana.account.comment(task, "Meanwhile"))
    said = sync(asana, ["stories"])
    assert in_order(said.records()["stories"]) == truth(asana, "stories")
    assert any(r.path == f"/tasks/{task}/stories" for r in asana.ledger.requests)


def test_a_task_that_changes_before_its_check_proves_nothing(asana: AsanaEmulator) -> None:
    task, stories = longest(asana)
    asana.controls.interrupt(
        f"/tasks/{task}/stories", lambda: asana.account.comment(task, "Just now")
    )
    said = sync(asana, ["stories"], ExportLimits(**{**vars(PATIENT), "long_list": stories}))
    assert not told(said, "differs")
    assert in_order(said.records()["stories"]) == truth(asana, "stories")


@pytest.mark.parametrize("subtasks", [True, False])
def test_subtasks_are_complete_whether_or_not_the_file_has_them(
    asana: AsanaEmulator,
    subtasks: bool,  # noqa: FBT001 - pytest passes it by name
) -> None:
    asana.controls.exports = ExportControls(subtasks=subtasks)
    assert is_complete(asana, sync(asana))


# --- incremental syncs and killed syncs -----------------------------------------------------------

EXPORTED = ["tasks", "subtasks", "stories", "attachments_compact"]


@pytest.fixture
def large() -> Iterator[AsanaEmulator]:
    """A domain with so many projects that it is asked for the events of all at once."""
    with AsanaEmulator(crowded()) as emulator:
        emulator.controls.workspace_events = True
        yield emulator


def connection_to(asana: AsanaEmulator, *streams: str) -> Connection:
    return Connection(asana, *(streams or EXPORTED), use_resource_exports=True)


def last_of_each(saids: list[Said], stream: str) -> list[Record]:
    """The rows that a destination has after these syncs."""
    found: dict[str, Record] = {}
    for said in saids:
        found |= {record["gid"]: record for record in said.records()[stream]}
    return in_order([record for record in found.values() if "_ab_cdc_deleted_at" not in record])


def test_an_incremental_sync_of_many_changes_exports_only_these(asana: AsanaEmulator) -> None:
    connection = connection_to(asana)
    first = connection.sync(export_limits=PATIENT)
    tasks = [
        str(task["gid"])
        for task in asana.expected("tasks", SERVICE)
        if task["workspace"]["gid"] == ORGANIZATION
    ][:12]
    for task in tasks:
        asana.change(lambda account, gid=task: account.comment(gid, "One more"))  # type: ignore[misc]
    asana.exports.requested.clear()
    second = connection.sync(export_limits=PATIENT)
    (parameters,) = asana.exports.requested[0]["export_request_parameters"]
    assert parameters["filters"] == {
        "modified_at.after": min(first.states("stories")[-1]["modified_since"])
    }
    for stream in EXPORTED:
        assert last_of_each([first, second], stream) == truth(asana, stream)
    assert asana.ledger.count(STORIES) < len(tasks)


def test_an_incremental_sync_of_few_changes_exports_nothing(asana: AsanaEmulator) -> None:
    connection = connection_to(asana)
    first = connection.sync(export_limits=PATIENT)
    task = top_task(asana)
    asana.change(lambda account: account.comment(task, "One more"))
    asana.exports.requested.clear()
    second = connection.sync(export_limits=PATIENT)
    assert asana.exports.requested == []
    for stream in EXPORTED:
        assert last_of_each([first, second], stream) == truth(asana, stream)


def exports_in(said: Said, stream: str) -> Any:
    states = said.states(stream)
    return states[-1].get("exports") if states else None


@pytest.mark.parametrize("has_workspace_events", [True, False])
def test_a_killed_sync_uses_its_file_again_if_nothing_can_be_missed(
    large: AsanaEmulator,
    has_workspace_events: bool,  # noqa: FBT001 - pytest passes it by name
) -> None:
    large.controls.workspace_events = has_workspace_events
    connection = connection_to(large)
    killed = connection.sync(
        export_limits=PATIENT,
        seconds_between_states=0.0,
        killed_before=lambda line: '"stories"' in line and '"RECORD"' in line,
    )
    assert connection.state_of("stories")["exports"][ORGANIZATION]["job"]
    task, _ = longest(large)
    (edited, *_) = [
        str(story["gid"])
        for story in large.expected("stories", SERVICE)
        if story["type"] == "comment" and story["target"]["gid"] == task
    ]
    large.change(lambda account: account.edit_comment(edited, "In between"))
    second = connection.sync(export_limits=PATIENT)
    assert len(large.exports.requested) == (1 if has_workspace_events else 2)
    for stream in EXPORTED:
        assert last_of_each([killed, second], stream) == truth(large, stream)
    assert large.ledger.count(STORIES) < large.floor(EXPORTED, SERVICE)[STORIES]
    assert "exports" not in connection.state_of("stories")


def test_a_refresh_that_goes_on_uses_its_file_again(asana: AsanaEmulator) -> None:
    killed = sync(
        asana,
        seconds_between_states=0.0,
        killed_before=lambda line: '"stories"' in line and '"RECORD"' in line,
    )
    state = [message["state"] for message in killed.of_type("STATE")]
    assert exports_in(killed, "stories")
    said = sync(asana, state=state)
    assert len(asana.exports.requested) == 1
    assert in_order(said.records()["stories"]) == truth(asana, "stories")
    assert asana.ledger.count(STORIES) < asana.floor(STREAMS_READ, SERVICE)[STORIES]


def test_a_job_that_asana_has_forgotten_is_begun_again(asana: AsanaEmulator) -> None:
    killed = sync(
        asana,
        seconds_between_states=0.0,
        killed_before=lambda line: '"stories"' in line and '"RECORD"' in line,
    )
    asana.exports.jobs.clear()
    said = sync(asana, state=[message["state"] for message in killed.of_type("STATE")])
    assert len(asana.exports.requested) == 2
    assert in_order(said.records()["stories"]) == truth(asana, "stories")


def test_marks_wait_until_the_file_can_no_longer_prove_wrong(asana: AsanaEmulator) -> None:
    said = connection_to(asana).sync(export_limits=PATIENT, seconds_between_states=0.0)
    *before, last = said.states("stories")
    marked = {gid for state in before for gids in state["modified_since"].values() for gid in gids}
    inside = {
        project["gid"]
        for project in asana.expected("projects", SERVICE)
        if project["workspace"]["gid"] == ORGANIZATION
    }
    assert told(said, "exports spared")
    assert len(marked & inside) < len(inside)
    assert inside <= {gid for gids in last["modified_since"].values() for gid in gids}
