"""A state file is written after the records it covers are printed, and never in part."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStreamState,
    StreamDescriptor,
    Type,
)

from source_asana.airbyte.errors import Interrupted, UnusableFile
from source_asana.airbyte.messages import Message, RecordBatch
from source_asana.inputs import StateFile

RECORDS = RecordBatch("tasks", [b"{}"], 0)


def state(stream: str, number: int) -> AirbyteMessage:
    told = AirbyteStreamState(
        stream_descriptor=StreamDescriptor(name=stream),
        stream_state=AirbyteStateBlob({"number": number}),
    )
    message = AirbyteStateMessage(type=AirbyteStateType.STREAM, stream=told)
    return AirbyteMessage(type=Type.STATE, state=message)


def numbers(path: Path) -> dict[str, int]:
    states = [one["stream"] for one in json.loads(path.read_text())]
    return {s["stream_descriptor"]["name"]: s["stream_state"]["number"] for s in states}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def test_a_state_is_written_after_it_is_printed(path: Path) -> None:
    file = StateFile(str(path))
    assert file.saved() == []
    given: list[Message] = [
        RECORDS,
        state("tasks", 1),
        state("tags", 1),
        RECORDS,
        state("tasks", 2),
    ]
    seen = [numbers(path) for _ in file.kept(given)]  # while each of them is printed
    assert seen == [{}, {}, {}, {"tasks": 1, "tags": 1}, {"tasks": 1, "tags": 1}]
    assert numbers(path) == {"tasks": 2, "tags": 1}


def test_the_last_states_of_an_interrupted_sync_are_written(path: Path) -> None:
    def interrupted() -> Iterator[Message]:
        yield state("tasks", 1)
        raise Interrupted

    file = StateFile(str(path))
    file.saved()
    with pytest.raises(Interrupted):
        list(file.kept(interrupted()))
    assert numbers(path) == {"tasks": 1}


def test_a_written_file_can_be_read(path: Path) -> None:
    file = StateFile(str(path))
    file.saved()
    list(file.kept([state("tasks", 7)]))
    (found,) = StateFile(str(path)).saved()
    assert found == state("tasks", 7).state
    assert numbers(path) == {"tasks": 7}


def test_a_state_that_cannot_be_written_ends_the_sync_with_one_sentence(path: Path) -> None:
    folder = path.parent / "folder"
    folder.mkdir()
    file = StateFile(str(folder / path.name))
    file.saved()
    shutil.rmtree(folder)
    with pytest.raises(UnusableFile, match=r"Cannot write the state to .*: No such file"):
        list(file.kept([state("tasks", 1), RECORDS]))
