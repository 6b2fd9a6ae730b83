"""Which lists of a project a sync puts off, and whose marks stay then: cases on plain values."""

from typing import Any

import pytest

from source_asana.asana.times import shifted
from source_asana.reading.changes import Changes, WorkspaceEvents
from source_asana.reading.container import Container, Former, Need, News
from source_asana.reading.listing import Selection
from source_asana.reading.plan import make_plan
from source_asana.reading.rechecks import Rechecks, keeps_mark, last_turn, put_off_after_events
from source_asana.streams.declared import STREAMS
from source_asana.streams.sources import StreamClass

NAMES = ("projects", "sections", "tasks", "stories", "attachments", "status_updates")
SELECTED = {STREAMS[name]: Selection(incremental=True) for name in NAMES}
PLAN = make_plan(SELECTED)
BELOW = {listing.name: listing for listing in PLAN.below_projects}
DAY, HOUR = 24 * 60, 60
MARK, NOW = "2026-11-20T10:00:00.000Z", "2026-11-20T10:15:00.000Z"
OLD = "2026-11-20T09:00:00.000Z"
SINCE: dict[StreamClass, str | None] = {STREAMS[name]: MARK for name in NAMES[1:]}
QUIET = {"gid": "7", "modified_at": OLD, "archived": False}


def project(changes: Changes | None = None, **news: Any) -> Container:
    told = News(
        NOW,
        "next",
        changes or Changes(),
        put_off=frozenset(BELOW.values()),
        **{"put_off_until": shifted(NOW, seconds=1), **news},
    )
    former = Former(tokens=(("token", None),))
    return Container("project", "7", need=Need(SINCE), former=former, news=told)


def still_put_off(found: Container) -> set[str]:
    put_off_after_events(found)
    return names(found.news.put_off)


def names(listings: Any) -> set[str]:
    return {listing.name for listing in listings}


# -- turns -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [1, 7, HOUR, DAY])
@pytest.mark.parametrize("gid", ["1201", "1202", "odd"])
def test_the_turn_of_a_project_comes_once_in_an_interval(gid: str, minutes: int) -> None:
    turns = {last_turn(gid, shifted(NOW, minutes=later), minutes) for later in range(minutes)}
    assert len(turns) == (1 if last_turn(gid, NOW, minutes) == NOW else 2)
    assert max(turns) == shifted(min(turns), minutes=minutes) or len(turns) == 1
    for later in range(minutes):
        now = shifted(NOW, minutes=later)
        assert shifted(now, minutes=-minutes) < last_turn(gid, now, minutes) <= now


def test_projects_take_turns() -> None:
    """Of a thousand projects, a sync every 15 minutes rechecks about a quarter of those hourly."""
    turns = [last_turn(str(gid), NOW, HOUR) for gid in range(1_200_000, 1_201_000)]
    assert 200 < sum(turn > MARK for turn in turns) < 300


# -- what is put off -------------------------------------------------------------------------------


def late(minutes: int) -> str:
    """A mark from before the last turn of the project."""
    return shifted(last_turn("7", NOW, minutes), minutes=-1)


@pytest.mark.parametrize(
    ("minutes", "since", "record", "expected"),
    [
        (None, {}, {}, set()),
        (DAY, {}, {}, set(BELOW)),
        (DAY, dict.fromkeys(SINCE, late(DAY)), {"modified_at": late(3 * DAY)}, set()),
        (HOUR, dict.fromkeys(SINCE, late(HOUR)), {}, set()),
        (HOUR, dict.fromkeys(SINCE, late(HOUR)), {"archived": True}, set(BELOW)),
        (HOUR, dict.fromkeys(SINCE, late(DAY)), {"modified_at": late(3 * DAY)}, set()),
        (DAY, {}, {"modified_at": MARK}, set()),
        (DAY, {}, {"modified_at": None}, set()),
        (DAY, {}, {"modified_at": "odd"}, set()),
        (DAY, {STREAMS["sections"]: None}, {}, set(BELOW) - {"sections"}),
        (DAY, {STREAMS["stories"]: None}, {}, set(BELOW) - {"tasks"}),
    ],
    ids=[
        "no interval",
        "nothing suggests a change",
        "it is its turn",
        "it is its turn within the hour",
        "archived: once a day only",
        "it was its turn long ago",
        "modified since",
        "modified at no time",
        "modified at an odd time",
        "a stream has not read a list",
        "a stream below tasks has not read them",
    ],
)
def test_what_time_and_the_project_allow_to_put_off(
    minutes: int | None,
    since: dict[StreamClass, str | None],
    record: dict[str, Any],
    expected: set[str],
) -> None:
    found = Container("project", "7", need=Need({**SINCE, **since}), news=News(NOW))
    record = {**QUIET, "modified_at": shifted(NOW, days=-30), **record}
    Rechecks(minutes).put_off(PLAN.below_projects, found, record)
    assert names(found.news.put_off) == expected


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (set(), set(BELOW)),
        ({"task"}, {"sections", "attachments", "status_updates"}),
        ({"story"}, {"sections", "attachments", "status_updates"}),
        ({"project_membership"}, {"sections", "attachments", "status_updates"}),
        ({"section"}, {"attachments", "status_updates"}),
        ({"attachment", "story"}, {"sections", "status_updates"}),
        ({"project"}, set()),
    ],
    ids=lambda value: "+".join(sorted(value)) or "none",
)
def test_what_events_allow_to_put_off(kinds: set[str], expected: set[str]) -> None:
    assert still_put_off(project(Changes(kinds=kinds))) == expected


def test_nothing_is_put_off_where_events_are_unknown() -> None:
    assert still_put_off(project(are_lost=True)) == set()
    first = project()
    first.former = Former()
    assert still_put_off(first) == set()


@pytest.mark.parametrize("minutes", [HOUR, DAY])
def test_nothing_is_put_off_if_the_turn_comes_between_the_project_and_its_events(
    minutes: int,
) -> None:
    """Else the marks would pass it, and the lists wait for another interval."""
    found = Container("project", "7", need=Need(SINCE), former=project().former, news=News(NOW))
    Rechecks(minutes).put_off(PLAN.below_projects, found, QUIET)
    turn = shifted(last_turn("7", NOW, minutes), minutes=minutes)
    for began, expected in ((shifted(turn, seconds=-1), set(BELOW)), (turn, set())):
        found.learn(Changes(), "next", began, are_lost=False)
        assert still_put_off(found) == expected


def test_the_tasks_are_not_put_off_where_only_a_workspace_has_events() -> None:
    workspace = Container("workspace", "1")
    workspace.events = WorkspaceEvents("1", "next", Changes())
    found = project(workspace.events.for_projects)
    found.above = workspace
    assert still_put_off(found) == {"sections", "attachments", "status_updates"}


# -- marks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("put_off", "expected"),
    [
        (set(), set()),
        ({"sections"}, set()),
        ({"sections", "attachments"}, set()),
        ({"status_updates"}, {"status_updates"}),
        ({"tasks"}, {"tasks", "stories", "attachments"}),
        (set(BELOW), {"sections", "tasks", "stories", "attachments", "status_updates"}),
    ],
    ids=lambda value: "+".join(sorted(value)) or "none",
)
def test_whose_mark_stays(put_off: set[str], expected: set[str]) -> None:
    lists = {BELOW[name] for name in put_off}
    stay = {name for name in NAMES[1:] if keeps_mark(STREAMS[name], lists)}
    assert stay == expected
