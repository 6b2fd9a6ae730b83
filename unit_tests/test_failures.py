"""When a listing or the sync is given up, and what the next sync requests again."""

import pytest

from source_asana.airbyte.failures import MAX_CONSECUTIVE_FAILURES, Failures, Gaps, Verdict
from source_asana.asana.errors import AsanaFailure, GivenUp, Gone, Refusal
from source_asana.reading.container import Container, Need
from source_asana.reading.listing import Selection
from source_asana.reading.plan import make_plan
from source_asana.reading.visits import Visit
from source_asana.streams.declared import Sections, Stories, Tasks
from source_asana.streams.sources import StreamClass

STREAMS: tuple[StreamClass, ...] = (Tasks, Stories, Sections)
PLAN = make_plan({stream: Selection() for stream in STREAMS})
REFUSED = Refusal(403, "Forbidden", "tasks/7/stories")
GONE = Gone(404, "Not found", "tasks/7/stories")
NO_ANSWER = AsanaFailure("no answer", "tasks/7/stories", is_transient=True)
PROJECT = Container("project", "1", need=Need(dict.fromkeys(STREAMS)))


def visit(stream: StreamClass, gid: str = "7") -> Visit:
    return Visit(PLAN.by_path[str(stream.path())], gid, PROJECT, PROJECT.need)


def judge(failures: Failures, stream: StreamClass, error: Exception | None) -> Verdict:
    return failures.judge(visit(stream), error, says_nothing_of_others=False)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (None, Verdict.READ),
        (GONE, Verdict.READ),
        (REFUSED, Verdict.SKIPPED),
        (NO_ANSWER, Verdict.FAILED),
        (KeyError("gid"), Verdict.FAILED),
        (GivenUp("stories"), Verdict.PASSED_OVER),
    ],
    ids=lambda value: getattr(value, "name", type(value).__name__),
)
def test_the_end_of_one_visit(error: Exception | None, verdict: Verdict) -> None:
    assert judge(Failures(PLAN.listings), Stories, error) is verdict


def test_a_listing_is_given_up_when_it_keeps_failing() -> None:
    failures = Failures(PLAN.listings)
    verdicts = [judge(failures, Stories, NO_ANSWER) for _ in range(MAX_CONSECUTIVE_FAILURES)]
    assert verdicts[:-1] == [Verdict.FAILED] * (MAX_CONSECUTIVE_FAILURES - 1)
    assert verdicts[-1] is Verdict.GIVES_UP
    assert judge(failures, Stories, NO_ANSWER) is Verdict.FAILED  # it was under way


@pytest.mark.parametrize("answer", [None, REFUSED, GONE], ids=lambda end: type(end).__name__)
def test_an_answer_in_between_keeps_the_listing_going(answer: Exception | None) -> None:
    failures = Failures(PLAN.listings)
    for _ in range(3):
        for _ in range(MAX_CONSECUTIVE_FAILURES - 1):
            assert judge(failures, Stories, NO_ANSWER) is Verdict.FAILED
        judge(failures, Stories, answer)


def test_a_sync_ends_when_several_listings_fail_in_a_row() -> None:
    failures = Failures(PLAN.listings)
    streams = [Stories, Sections] * (MAX_CONSECUTIVE_FAILURES // 2)
    verdicts = [judge(failures, stream, NO_ANSWER) for stream in streams]
    assert verdicts[:-1] == [Verdict.FAILED] * (MAX_CONSECUTIVE_FAILURES - 1)
    assert verdicts[-1] is Verdict.ASANA_IS_DOWN


def test_only_the_failed_request_below_a_task_is_repeated() -> None:
    gaps = Gaps()
    gaps.note(visit(Stories), NO_ANSWER, for_good=False)
    assert not gaps.is_whole(Stories, PROJECT)
    assert gaps.requests(Stories, PROJECT) == {("tasks/{task}/stories", "7"): False}
    assert gaps.requests(Sections, PROJECT) == {}
    gaps.note_read(visit(Stories))
    assert not gaps.has_requests(PROJECT)


@pytest.mark.parametrize(
    ("failed", "error"),
    [(visit(Tasks, "1"), NO_ANSWER), (visit(Stories), GivenUp("stories"))],
    ids=["a list of the project", "a listing that was given up"],
)
def test_a_project_is_read_again_in_full_where_more_than_one_request_failed(
    failed: Visit, error: Exception
) -> None:
    gaps = Gaps()
    gaps.note(failed, error, for_good=False)
    assert gaps.is_whole(Stories, PROJECT)
    assert not gaps.is_whole(Sections, PROJECT)
    assert not gaps.is_whole(Stories, Container("project", "2"))


def test_nothing_is_recorded_as_missing_where_there_are_no_marks() -> None:
    gaps = Gaps()
    gaps.note(visit(Stories)._replace(need=None), NO_ANSWER, for_good=True)
    assert not gaps.is_whole(Stories, PROJECT)
    assert not gaps.has_requests(PROJECT)
