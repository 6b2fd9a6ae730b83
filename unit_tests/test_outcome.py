"""What the results of its visits mean for a stream."""

import pytest
from airbyte_cdk.models import FailureType

from source_asana.airbyte.outcome import Problem, Tally, is_dispensable, problem_of
from source_asana.asana.errors import AsanaFailure, Gone, Refusal
from source_asana.reading.listing import Listing
from source_asana.streams.declared import (
    Goals,
    Portfolios,
    Projects,
    Sections,
    StatusUpdates,
    Subtasks,
    Tasks,
    Workspaces,
)
from source_asana.streams.sources import StreamClass

FORBIDDEN = Refusal(403, "Forbidden", "projects/1/sections")
NO_ANSWER = AsanaFailure("no answer (ReadTimeout)", "tasks", is_transient=True)


def listing(stream: StreamClass, *parents: Listing) -> Listing:
    source = stream.source()
    assert source is not None
    return Listing(stream, source, outputs=(), opt_fields="gid", parents=list(parents))


def tally(*ends: Exception | None) -> Tally:
    counted = Tally()
    for number, end in enumerate(ends):
        counted.count(end, str(number))
    return counted


def problem(*ends: Exception | None) -> Problem | None:
    sections = listing(Sections)
    return problem_of(sections, {sections: tally(*ends)})


def test_visits_are_counted_by_their_results() -> None:
    gone = Refusal(404, "Not Found", "projects/2/sections")
    counted = tally(None, FORBIDDEN, gone, FORBIDDEN, NO_ANSWER, None)
    assert (counted.read, counted.refused, counted.failed) == (2, {403: 2, 404: 1}, 1)
    assert counted.visits == 6
    assert counted.first_refusal is FORBIDDEN
    assert counted.first_failure is NO_ANSWER


@pytest.mark.parametrize(
    ("end", "ended"),
    [
        (None, (1, {}, 0, 0)),
        (FORBIDDEN, (0, {403: 1}, 0, 0)),
        (Gone(404, "Not Found", ""), (0, {}, 0, 1)),
        (NO_ANSWER, (0, {}, 1, 0)),
    ],
)
def test_a_repeated_visit_counts_once_with_its_final_result(
    end: Exception | None, ended: tuple[int, dict[int, int], int, int]
) -> None:
    counted = Tally()
    counted.put_aside(FORBIDDEN, "1")
    assert (counted.refused, counted.visits) == ({403: 1}, 1)
    counted.count(end, "1")
    assert (counted.read, counted.refused, counted.failed, counted.gone) == ended
    assert counted.visits == 1


def test_no_problem_where_everything_was_read() -> None:
    assert problem(None, None) is None


def test_no_problem_where_there_was_nothing_to_visit() -> None:
    assert problem() is None


def test_no_problem_where_one_parent_was_refused() -> None:
    assert problem(FORBIDDEN, FORBIDDEN, None) is None


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (402, "or the user is a guest. Upgrade the plan, use the token"),
        (403, "or deselect the stream."),
        (404, "Check the config"),
        (451, "Run the connector elsewhere."),
    ],
)
def test_a_listing_refused_everywhere_is_a_problem_that_the_user_can_solve(
    status: int, advice: str
) -> None:
    found = problem(Refusal(status, "Not for you", "projects/1/sections"), FORBIDDEN)
    assert found
    assert found.failure_type is FailureType.config_error
    assert found.message.startswith(f"Asana refused all sections ({status}: Not for you). ")
    assert advice in found.message


def test_one_failure_is_a_problem_whatever_else_was_read_or_refused() -> None:
    later = AsanaFailure("Bad Request", "tasks", status=400)
    assert problem(None, FORBIDDEN, NO_ANSWER, later) == Problem(
        FailureType.transient_error,
        "2 of 4 requests for sections failed, so records are missing "
        "(first: tasks: no answer (ReadTimeout)). The next sync reads them.",
    )


def test_a_connector_error_asks_for_a_report_and_quotes_no_data() -> None:
    found = problem(KeyError("secret"))
    assert found
    assert found.failure_type is FailureType.system_error
    assert "KeyError in the connector, please report it" in found.message
    assert "secret" not in found.message


@pytest.mark.parametrize("end", [FORBIDDEN, NO_ANSWER], ids=["refused", "failed"])
def test_a_failed_parent_stream_makes_its_child_streams_incomplete(end: Exception) -> None:
    projects = listing(Projects)
    tasks = listing(Tasks, projects)
    subtasks = listing(Subtasks, tasks)
    tallies = {projects: tally(end), tasks: tally(), subtasks: tally()}
    above, below = problem_of(projects, tallies), problem_of(subtasks, tallies)
    assert above
    assert below == Problem(
        above.failure_type,
        "subtasks is incomplete because its parent stream tasks failed: "
        f"tasks is incomplete because its parent stream projects failed: {above.message}",
        403 if end is FORBIDDEN else None,
    )


def test_a_failed_child_stream_leaves_its_parent_stream_complete() -> None:
    projects = listing(Projects)
    tasks = listing(Tasks, projects)
    assert problem_of(projects, {projects: tally(None), tasks: tally(NO_ANSWER)}) is None


def test_a_recursive_listing_reports_its_failure_once() -> None:
    subtasks = listing(Subtasks)
    subtasks.parents.append(subtasks)
    assert problem_of(subtasks, {subtasks: tally(None, FORBIDDEN)}) is None
    assert problem_of(subtasks, {subtasks: tally(NO_ANSWER)})


REJECTED = AsanaFailure("Bad Request", "portfolios", status=400)


def test_refusals_that_do_not_apply_to_others_are_no_problem() -> None:
    sections = listing(Sections)
    counted = Tally()
    counted.count(FORBIDDEN, "1", says_nothing_of_others=True)
    assert problem_of(sections, {sections: counted}) is None
    counted.count(FORBIDDEN, "2")
    found = problem_of(sections, {sections: counted})
    assert found
    assert found.message.startswith("Asana refused all sections")


def test_an_account_without_workspaces_is_a_problem_for_every_stream_below_workspaces() -> None:
    workspaces = listing(Workspaces)
    projects = listing(Projects, workspaces)
    tallies = {workspaces: Tally(read=1, is_empty_account=True), projects: Tally()}
    found = problem_of(projects, tallies)
    assert found
    assert found.failure_type is FailureType.config_error
    assert found.message.endswith(NO_WORKSPACE)


NO_WORKSPACE = "The token sees no workspace. Use the token of a workspace member."


@pytest.mark.parametrize(
    ("source", "ends", "is_without"),
    [
        (Portfolios, [FORBIDDEN], True),
        (Portfolios, [REJECTED, FORBIDDEN], True),
        (Goals, [FORBIDDEN], True),
        (Portfolios, [FORBIDDEN, None], False),
        (Portfolios, [FORBIDDEN, NO_ANSWER], False),
        (Portfolios, [], False),
        (Projects, [FORBIDDEN], False),
        (Projects, [Refusal(402, "Not on this plan", "projects")], True),
    ],
)
def test_a_stream_is_complete_without_goals_or_portfolios_where_all_of_them_are_refused(
    source: StreamClass, ends: list[Exception | None], *, is_without: bool
) -> None:
    above = listing(source)
    assert is_dispensable(above, tally(*ends)) is is_without
    updates = listing(StatusUpdates, above)
    is_complete = is_without or None in ends or not ends
    assert (problem_of(updates, {above: tally(*ends), updates: tally()}) is None) is is_complete
