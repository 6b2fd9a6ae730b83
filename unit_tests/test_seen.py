"""What a sync delivers and requests again, and what it does not."""

import pytest

from source_asana.reading.container import Container, Former, Need, News
from source_asana.reading.listing import Selection
from source_asana.reading.plan import make_plan
from source_asana.reading.seen import Seen
from source_asana.reading.visits import Visit
from source_asana.streams.declared import Stories, StoriesCompact, Subtasks, Tasks
from source_asana.streams.sources import StreamClass

STREAMS: tuple[StreamClass, ...] = (Tasks, Subtasks, Stories, StoriesCompact)
SELECTED = {stream: Selection(incremental=True) for stream in STREAMS}
PLAN = make_plan(SELECTED)
BY_PATH = {listing.path: listing for listing in PLAN.listings}
MARK = "2026-11-19T10:00:00.000Z"
BEFORE, BEGAN, LATER = (f"2026-11-20T{hour}:00:00.000Z" for hour in ("09", "10", "11"))
FOLLOWED = Former(tokens=(("token", None),))


def visit(
    of: StreamClass, task: str = "7", *, whole: bool = False, only: tuple[StreamClass, ...] = ()
) -> Visit:
    since: dict[StreamClass, str | None] = dict.fromkeys(only or STREAMS, None if whole else MARK)
    need = Need(since)
    project = Container("project", "1", need=need, former=FOLLOWED, news=News(token="next"))
    return Visit(BY_PATH[str(of.path())], task, project, need)


def comment_on(task: str, *, created_at: str | None = BEGAN) -> dict[str, object]:
    return {
        "event_id": f"{task} {created_at}",
        "action": "changed",
        "created_at": created_at,
        "resource": {"gid": task, "resource_type": "task"},
    }


def test_a_record_is_new_once_for_each_stream() -> None:
    seen = Seen()
    assert seen.is_new(Tasks, "7", seen.now())
    assert not seen.is_new(Tasks, "7", seen.now())
    assert seen.is_new(Subtasks, "7", seen.now())


@pytest.mark.parametrize(
    ("is_followed", "created_at", "is_read_again"),
    [
        (True, BEFORE, False),
        (True, BEGAN, True),
        (True, LATER, True),
        (False, BEFORE, False),
        (False, BEGAN, False),
        (False, LATER, True),
        (True, None, True),
        (False, "soon", True),
    ],
)
def test_a_record_in_an_event_is_read_again_if_the_event_may_be_newer(
    created_at: str | None, *, is_followed: bool, is_read_again: bool
) -> None:
    """An event in the second when reading began may be newer, unless the followed events had it."""
    seen = Seen()
    seen.began(lambda: BEGAN)
    seen.is_new(Tasks, "7", seen.now() if is_followed else -seen.now())
    seen.events([comment_on("7", created_at=created_at)], seen.now())
    assert seen.is_new(Tasks, "7", seen.now()) is is_read_again
    assert not seen.is_new(Tasks, "7", seen.now())


def test_an_event_known_before_the_record_was_read_changes_nothing() -> None:
    seen = Seen()
    seen.events([comment_on("7")], seen.now())
    assert seen.is_new(Tasks, "7", seen.now())
    seen.events([comment_on("7")], seen.now())  # another of its projects reports the same
    assert not seen.is_new(Tasks, "7", seen.now())


def test_a_waiting_visit_is_not_opened_again_but_a_finished_one_is() -> None:
    seen = Seen()
    stories = visit(Stories)
    assert seen.opened(stories, may_age=True)
    seen.events([comment_on("7")], seen.now())
    assert seen.opened(stories, may_age=True) is None
    seen.begins(stories)
    assert seen.opened(stories, may_age=True) is None
    seen.events([comment_on("7", created_at=LATER)], seen.now())
    assert seen.opened(stories, may_age=True) == stories


def test_a_listing_with_nothing_below_it_is_opened_for_the_streams_that_lack_it() -> None:
    seen = Seen()
    assert seen.opened(visit(Stories, only=(Stories,)), may_age=False)
    left = seen.opened(visit(Stories), may_age=False)
    assert left is not None
    assert left.need is not None
    assert set(left.need.since) == {StoriesCompact}
    assert set(left.container.need.since) == set(STREAMS)
    assert seen.opened(visit(Stories, whole=True), may_age=False) is None


def test_a_listing_of_tasks_is_opened_again_for_streams_that_lack_everything() -> None:
    seen = Seen()
    assert seen.opened(visit(Subtasks), may_age=False)
    assert seen.opened(visit(Subtasks), may_age=False) is None
    assert seen.opened(visit(Subtasks, whole=True), may_age=False)
    assert seen.opened(visit(Subtasks), may_age=False) is None


def test_a_story_is_not_read_alone_where_the_listing_of_its_task_has_it() -> None:
    seen = Seen()
    stories = visit(Stories)
    assert not seen.shows(stories.listing, "7", Stories, "70")
    seen.opened(stories, may_age=True)
    assert seen.shows(stories.listing, "7", Stories, "70")
    seen.begins(stories)
    event = comment_on("7", created_at=LATER)
    seen.events([event | {"resource": {"gid": "70", "resource_type": "story"}}], seen.now())
    assert not seen.shows(stories.listing, "7", Stories, "70")


def test_nothing_below_a_fully_read_task_is_requested_again() -> None:
    seen = Seen()
    seen.note_whole("7")
    assert seen.is_remembered("7")
    assert not seen.is_new(Tasks, "7", seen.now())
    assert seen.opened(visit(Stories), may_age=True) is None
    assert seen.shows(visit(Stories).listing, "7", Stories, "70")
    assert not seen.is_remembered("8")
    assert seen.opened(visit(Stories, "8"), may_age=True)


def test_a_fully_read_task_is_read_again_if_a_later_event_names_it() -> None:
    seen = Seen()
    seen.began(lambda: BEGAN)
    seen.note_whole("7")
    seen.events([comment_on("7", created_at=LATER)], seen.now())
    assert seen.is_new(Tasks, "7", seen.now())
    assert seen.opened(visit(Stories), may_age=True)
