"""Which rows are marked as deleted."""

import orjson
import pytest

from source_asana.airbyte.deletions import Deletions
from source_asana.reading.changes import Changes
from source_asana.reading.container import Container, Need, News
from source_asana.reading.listing import Selection
from source_asana.streams.declared import Projects, Stories, Subtasks, Tasks, Users
from source_asana.streams.sources import DELETED_AT, StreamClass

STREAMS: tuple[StreamClass, ...] = (Projects, Tasks, Subtasks, Stories, Users)
WHEN = "2026-11-20T10:00:00.000Z"
DELETED = Changes(deleted={"task": {"7": WHEN, "8": WHEN}, "story": {"70": WHEN}})
PROJECT = Container("project", "1", need=Need(dict.fromkeys(STREAMS)), news=News(changes=DELETED))


def deletions(*, incremental: bool = True, is_on: bool = True, continues: bool = True) -> Deletions:
    selected = {stream: Selection(incremental=incremental) for stream in STREAMS}
    return Deletions(selected, is_on=is_on, continues=continues)


def gids(found: Deletions, stream: StreamClass) -> list[str]:
    return [orjson.loads(record)["gid"] for record in found.tombstones(stream)]


def test_a_deletion_in_the_events_is_delivered_to_each_stream_of_that_kind() -> None:
    found = deletions()
    found.learn(PROJECT)
    assert gids(found, Tasks) == gids(found, Subtasks) == ["7", "8"]
    assert gids(found, Stories) == ["70"]
    assert gids(found, Projects) == gids(found, Users) == []
    (tombstone,) = found.tombstones(Stories)
    assert orjson.loads(tombstone) == {"gid": "70", "created_at": WHEN, DELETED_AT: WHEN}


def test_a_restored_or_moved_task_is_not_deleted() -> None:
    found = deletions()
    found.learn(PROJECT)
    found.note_alive(Subtasks, ["7"])
    assert gids(found, Tasks) == gids(found, Subtasks) == ["8"]


@pytest.mark.parametrize(
    "options", [{"incremental": False}, {"is_on": False}, {"continues": False}], ids=str
)
def test_no_deletions_are_captured_in_full_refreshes_first_syncs_or_when_the_option_is_off(
    options: dict[str, bool],
) -> None:
    found = deletions(**options)
    found.learn(PROJECT)
    assert gids(found, Tasks) == []
