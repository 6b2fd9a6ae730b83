from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from source_asana.streams.fields import (
    BOOLEAN,
    DATE,
    DATE_TIME,
    INTEGER,
    NUMBER,
    STRING,
    ObjectShape,
    array_of,
    catalog_schema,
    object_,
)
from unit_tests.json_schema import leaves

NAMES = st.sampled_from(["gid", "name", "parent", "members", "value", "type"])
LEAVES = st.sampled_from([STRING, INTEGER, NUMBER, BOOLEAN, DATE, DATE_TIME])


def objects_of(shapes: st.SearchStrategy[Any]) -> st.SearchStrategy[ObjectShape]:
    columns = st.dictionaries(NAMES, shapes, min_size=1)
    return columns.map(lambda columns: object_(**columns))


RECORDS = objects_of(
    st.recursive(LEAVES, lambda inner: objects_of(inner) | inner.map(array_of), max_leaves=12)
)

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(),
    "integer": st.integers(),
    "number": st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
}


def values(schema: dict[str, Any], *, undeclared: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values as the schema has them, or null; objects may hold undeclared names and lack any."""
    json_type = schema["type"][-1]
    if json_type == "array":
        some: st.SearchStrategy[Any] = st.lists(
            values(schema["items"], undeclared=undeclared), max_size=3
        )
    elif json_type == "object":
        some = objects(schema, undeclared=undeclared)
    else:
        some = VALUES[json_type]
    return st.none() | some


def objects(
    schema: dict[str, Any], *, undeclared: dict[str, Any]
) -> st.SearchStrategy[dict[str, Any]]:
    declared = {
        name: values(part, undeclared=undeclared) for name, part in schema["properties"].items()
    }
    return st.fixed_dictionaries(
        {}, optional=declared | {name: st.just(value) for name, value in undeclared.items()}
    )


def as_asana_sends(value: Any, paths: list[str]) -> Any:
    """The value with only the fields that the paths name, as documented for `opt_fields`."""
    if isinstance(value, list):
        return [as_asana_sends(element, paths) for element in value]
    if not isinstance(value, dict) or paths == [""]:
        return value
    parts = [path.partition(".") for path in paths]
    return {
        name: as_asana_sends(value[name], [rest for first, _, rest in parts if first == name])
        for name in value
        if any(first == name for first, _, _ in parts)
    }


@given(RECORDS)
def test_only_declared_fields_are_requested(record: ObjectShape) -> None:
    assert record.opt_fields() == leaves(record.json_schema())


@given(st.data(), RECORDS)
def test_asanas_answer_to_the_request_fits_the_schema_and_has_every_declared_field(
    data: st.DataObject, record: ObjectShape
) -> None:
    whole = data.draw(objects(record.json_schema(), undeclared={"undeclared": {"gid": "1"}}))

    sent = as_asana_sends(whole, record.opt_fields())

    Draft7Validator(record.json_schema()).validate(sent)
    assert sent == without_undeclared(whole)


def without_undeclared(value: Any) -> Any:
    if isinstance(value, list):
        return [without_undeclared(element) for element in value]
    if isinstance(value, dict):
        return {name: without_undeclared(v) for name, v in value.items() if name != "undeclared"}
    return value


@given(RECORDS, st.sets(NAMES))
def test_a_deselected_column_is_not_requested(record: ObjectShape, columns: set[str]) -> None:
    assert record.opt_fields(columns) == [
        path for path in record.opt_fields() if path.partition(".")[0] in columns
    ]


def test_a_column_that_the_record_does_not_have_is_not_requested() -> None:
    assert object_(gid=STRING).opt_fields({"gid", "portfolio_gid"}) == ["gid"]


def test_a_path_goes_through_arrays_and_objects_to_each_leaf() -> None:
    record = object_(
        gid=STRING,
        input_restrictions=array_of(STRING),
        memberships=array_of(object_(project=object_(gid=STRING, name=STRING))),
    )

    assert record.opt_fields() == [
        "gid",
        "input_restrictions",
        "memberships.project.gid",
        "memberships.project.name",
    ]


def test_dates_and_date_times_have_different_formats() -> None:
    schema = object_(due_on=DATE, due_at=DATE_TIME).json_schema()

    assert schema["properties"] == {
        "due_on": {"type": ["null", "string"], "format": "date"},
        "due_at": {"type": ["null", "string"], "format": "date-time"},
    }


def test_a_record_with_fewer_columns_keeps_their_schemas() -> None:
    record = object_(gid=STRING, liked=BOOLEAN, parent=object_(gid=STRING))

    assert record.only("gid", "parent") == object_(gid=STRING, parent=object_(gid=STRING))


def test_a_column_that_does_not_exist_cannot_be_chosen() -> None:
    with pytest.raises(KeyError, match="naem"):
        object_(name=STRING).only("naem")


def test_adding_columns_does_not_change_the_original_record() -> None:
    compact = object_(gid=STRING)

    full = compact.also(name=STRING)

    assert full.opt_fields() == ["gid", "name"]
    assert compact.opt_fields() == ["gid"]


def test_in_a_stream_everything_but_the_key_and_the_record_may_be_null() -> None:
    record = object_(gid=STRING, parent=object_(gid=STRING), tags=array_of(object_(gid=STRING)))
    validator = Draft7Validator(catalog_schema(record, key=("gid",)))

    assert validator.is_valid({"gid": "1", "parent": None, "tags": None})
    assert validator.is_valid({"gid": "1", "parent": {"gid": None}, "tags": [None]})
    assert not validator.is_valid({"gid": None})
    assert not validator.is_valid(None)


def test_records_may_have_fields_that_asana_adds_later() -> None:
    record = object_(gid=STRING, parent=object_(gid=STRING))
    validator = Draft7Validator(catalog_schema(record, key=("gid",)))

    assert validator.is_valid({"gid": "1", "new": 1, "parent": {"gid": "2", "new": 1}})


def test_a_column_that_the_connector_adds_is_declared_and_may_be_part_of_the_key() -> None:
    schema = catalog_schema(
        object_(gid=STRING), key=("portfolio_gid", "gid"), added={"portfolio_gid": STRING}
    )

    assert schema == {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": True,
        "properties": {"gid": {"type": "string"}, "portfolio_gid": {"type": "string"}},
    }


def test_a_key_without_a_column_is_refused() -> None:
    with pytest.raises(KeyError, match="event_id"):
        catalog_schema(object_(gid=STRING), key=("event_id",))
