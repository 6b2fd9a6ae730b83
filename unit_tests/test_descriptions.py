import re
from collections.abc import Iterator

import pytest

from source_asana.streams.declared import STREAMS
from source_asana.streams.fields import (
    DATE_TIME,
    STRING,
    ArrayShape,
    JsonSchema,
    ObjectShape,
    Shape,
    array_of,
    object_,
)

LONGEST = 250

OLD_FASHIONED = re.compile(
    r"\b(anew|no more|of old|whose sake|in the place of|to be had|is to be|by itself|nobody|"
    r"one may|one can|lets one|for want of|what has|that which|thereof|whilst|upon|shall|"
    r"organisation|colour)\b",
    re.IGNORECASE,
)
"""Old-fashioned phrases and British spelling."""


def descriptions(schema: JsonSchema, path: str) -> Iterator[tuple[str, str]]:
    """The path and the description of each value that has one, at any depth."""
    if "description" in schema:
        yield path, schema["description"]
    for name, part in schema.get("properties", {}).items():
        yield from descriptions(part, f"{path}.{name}")
    if "items" in schema:
        yield from descriptions(schema["items"], f"{path}[]")


def shapes(shape: Shape, path: str) -> Iterator[tuple[str, Shape]]:
    yield path, shape
    if isinstance(shape, ArrayShape):
        yield from shapes(shape.items, f"{path}[]")
    if isinstance(shape, ObjectShape):
        for name, part in shape.columns.items():
            yield from shapes(part, f"{path}.{name}")


@pytest.mark.parametrize("stream", STREAMS)
def test_every_column_of_a_stream_has_a_description(stream: str) -> None:
    columns = STREAMS[stream].json_schema()["properties"]
    assert [name for name, column in columns.items() if not column.get("description")] == []


@pytest.mark.parametrize("stream", STREAMS)
def test_a_description_is_a_few_plain_sentences(stream: str) -> None:
    found = dict(descriptions(STREAMS[stream].json_schema(), stream))
    assert {path: text for path, text in found.items() if len(text) > LONGEST} == {}
    whole = re.compile(r"[A-Z`]\S*( \S+)*\.")
    assert {path: text for path, text in found.items() if not whole.fullmatch(text)} == {}
    assert {path: text for path, text in found.items() if OLD_FASHIONED.search(text)} == {}


@pytest.mark.parametrize("stream", STREAMS)
def test_a_column_joins_to_streams_that_have_gids(stream: str) -> None:
    for path, shape in shapes(STREAMS[stream].record.also(**STREAMS[stream].added()), stream):
        for target in shape.joins_to:
            assert "gid" in STREAMS[target].record.columns, path


def test_a_description_changes_neither_the_schema_nor_the_request() -> None:
    plain = object_(name=STRING, likes=array_of(object_(gid=STRING)))
    described = object_(
        name=STRING.means("Name of the task."),
        likes=array_of(object_(gid=STRING)).joins("users").means("Who likes it."),
    )

    assert described == plain
    assert described.opt_fields() == plain.opt_fields()
    assert described.plain().json_schema() == plain.json_schema()


@pytest.mark.parametrize(
    ("streams", "text"),
    [
        (["users"], "Owner. Joins to users.gid."),
        (["users", "teams"], "Owner. Joins to users.gid or teams.gid."),
        (["users", "teams", "tags"], "Owner. Joins to users.gid, teams.gid, or tags.gid."),
    ],
)
def test_a_description_says_what_the_column_joins_to(streams: list[str], text: str) -> None:
    owner = object_(gid=STRING).joins(*streams).means("Owner.")
    assert owner.json_schema()["description"] == text


def test_each_element_of_an_array_joins_and_the_array_says_so() -> None:
    schema = array_of(object_(gid=STRING).joins("tags")).means("Tags.").json_schema()
    assert schema["description"] == "Tags. Each joins to tags.gid."
    assert "description" not in schema["items"]


def test_a_nested_record_of_another_stream_is_described_only_in_that_stream() -> None:
    field = object_(
        name=STRING.means("Name."), dates=array_of(object_(at=DATE_TIME.means("Time.")))
    )
    schema = object_(fields=array_of(field).joins("custom_fields").means("Fields.")).json_schema()
    assert dict(descriptions(schema, "task")) == {
        "task.fields": "Fields. Each joins to custom_fields.gid."
    }
