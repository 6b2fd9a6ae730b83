"""What the states of a sync contain, when they come, and how large they may grow."""

from collections.abc import Iterator

import orjson
import pytest
from airbyte_cdk.models import AirbyteMessage, AirbyteMessageSerializer

from source_asana.airbyte.checkpoints import Checkpoints
from source_asana.airbyte.due import SILENT_SECONDS, Due
from source_asana.reading.container import Container, Need, News
from source_asana.reading.listing import Selection
from source_asana.reading.marks import Missing
from source_asana.streams.declared import STREAMS, Tasks

NOW = "2026-11-20T10:00:00.000Z"
BELOW_PROJECTS = [stream for stream in STREAMS.values() if stream.is_below_projects()]
NOTHING: Missing = frozenset()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def size(messages: Iterator[AirbyteMessage]) -> int:
    return sum(len(orjson.dumps(AirbyteMessageSerializer.dump(message))) for message in messages)


def checkpoints(clock: Clock, *, incremental: bool = True) -> Checkpoints:
    selected = {stream: Selection(incremental=incremental) for stream in BELOW_PROJECTS}
    return Checkpoints(selected, {}, lambda: NOW, Due(1.0, clock=clock))


def container(project: str) -> Container:
    need = Need(dict.fromkeys(BELOW_PROJECTS))
    return Container("project", project, need=need, news=News(NOW, token="f" * 40))


def test_states_come_when_something_is_complete_but_not_too_often() -> None:
    clock = Clock()
    states = checkpoints(clock)
    clock.now = 10
    assert not list(states.when_due())
    states.container_read(Tasks, container("1"), NOTHING, wait_for_end=False)
    assert len(list(states.when_due())) == 1
    states.container_read(Tasks, container("2"), NOTHING, wait_for_end=False)
    assert not list(states.when_due())
    clock.now = 11
    assert len(list(states.when_due())) == 1


def test_only_the_last_state_covers_what_waits_for_its_tombstones() -> None:
    clock = Clock()
    states = checkpoints(clock)
    states.container_read(Tasks, container("1"), NOTHING, wait_for_end=True)
    clock.now = 10
    assert not list(states.when_due())
    (message,) = states.stream_ended(Tasks, complete=True)
    assert b'"1"' in orjson.dumps(AirbyteMessageSerializer.dump(message))


def test_a_mark_that_waits_is_taken_back_if_its_container_fails_after_all() -> None:
    states = checkpoints(Clock())
    for project in ("1", "2"):
        states.container_read(Tasks, container(project), NOTHING, wait_for_end=True)
    states.leave(Tasks, "1")
    ((_, state),) = said(states.stream_ended(Tasks, complete=False))
    assert '"2"' in str(orjson.dumps(state))
    assert '"1"' not in str(orjson.dumps(state))


def said(messages: Iterator[AirbyteMessage]) -> list[tuple[str, object]]:
    """The stream and the content of each state."""
    told = [message.state.stream for message in messages if message.state]
    return [
        (t.stream_descriptor.name, t.stream_state.__dict__) for t in told if t and t.stream_state
    ]


@pytest.mark.parametrize("incremental", [True, False])
def test_a_state_shows_that_the_sync_is_alive_after_at_most_five_silent_minutes(
    *, incremental: bool
) -> None:
    clock = Clock()
    states = checkpoints(clock, incremental=incremental)
    clock.now = SILENT_SECONDS - 1
    assert not said(states.when_due())
    clock.now = SILENT_SECONDS
    ((_, blob),) = said(states.when_due())
    assert blob == ({"modified_since": {}} if incremental else {"done": {}})
    assert not said(states.when_due())
    clock.now = 2 * SILENT_SECONDS
    assert len(said(states.when_due())) == 1
    assert SILENT_SECONDS < 5 * 60


def test_records_show_that_the_sync_is_alive_too() -> None:
    clock = Clock()
    states = checkpoints(clock)
    clock.now = SILENT_SECONDS - 1
    states.records(Tasks, 1, 2_000)
    clock.now = 2 * SILENT_SECONDS - 2
    assert not said(states.when_due())
    clock.now += 1
    assert len(said(states.when_due())) == 1


def test_a_state_sent_to_show_life_covers_only_what_is_complete() -> None:
    clock = Clock()
    states = checkpoints(clock)
    for stream in BELOW_PROJECTS:
        if stream is not Tasks:
            assert said(states.stream_ended(stream, complete=True))
    states.container_read(Tasks, container("1"), NOTHING, wait_for_end=False)
    states.container_read(Tasks, container("2"), NOTHING, wait_for_end=True)
    clock.now = 1
    assert len(said(states.when_due())) == 1
    clock.now += SILENT_SECONDS
    assert said(states.when_due()) == [
        ("tasks", {"modified_since": {NOW: ["1"]}, "sync_tokens": {"1": "f" * 40}})
    ]
    assert said(states.stream_ended(Tasks, complete=True))
    clock.now += SILENT_SECONDS
    assert not said(states.when_due())


def test_the_states_of_ten_thousand_projects_stay_below_a_megabyte_per_stream() -> None:
    clock = Clock()
    states = checkpoints(clock)
    sent = 0
    for number in range(10_000):
        clock.now += 1
        for stream in BELOW_PROJECTS:
            project = container(str(10**15 + number))
            states.container_read(stream, project, NOTHING, wait_for_end=False)
        states.records(Tasks, 1, 2_000)
        sent += size(states.when_due())
    for stream in BELOW_PROJECTS:
        sent += size(states.stream_ended(stream, complete=True))
    assert sent < 700_000 * len(BELOW_PROJECTS)
