"""Configs, catalogs and states of any kind: either everything is read, or one sentence says why
not.
"""

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.asana_emulator.clock import stamp
from integration_tests.reading import Json, Said, catalog_of, config_for, gids, run, truth
from integration_tests.test_incremental import INCREMENTAL, incremental

pytestmark = pytest.mark.once


FUTURE = "9999-12-31T23:59:59.000Z"
PAST = "2001-01-01T00:00:00.000Z"
COMMANDS = ["check", "discover", "read"]
ODD_NAMES = ["", "__class__", "__dict__", "self", "states", "done", "modified_since", "sync_tokens"]

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=9) | st.sampled_from(ODD_NAMES), inner, max_size=3)
    ),
    max_leaves=8,
)
FILES = st.binary(max_size=40) | ANYTHING.map(orjson.dumps)

Place = tuple[str | int, ...]

UNHURRIED = settings(deadline=None)


def places(document: Any, here: Place = ()) -> Iterator[Place]:
    """The path to each value of a document, including the whole document."""
    yield here
    if isinstance(document, Mapping):
        for name, value in document.items():
            yield from places(value, (*here, name))
    elif isinstance(document, Sequence) and not isinstance(document, str):
        for index, value in enumerate(document):
            yield from places(value, (*here, index))


def with_value(document: Any, place: Place, value: Any) -> Any:
    """The document with another value in one place."""
    if not place:
        return value
    changed = copy.deepcopy(document)
    above = changed
    for step in place[:-1]:
        above = above[step]
    above[place[-1]] = value
    return changed


@st.composite
def damaged(draw: st.DrawFn, document: Any, least_depth: int = 0) -> Any:
    """The document with other values in one or two places."""
    for _ in range(draw(st.integers(1, 2))):
        found = [place for place in places(document) if len(place) >= least_depth]
        if not found:
            break
        document = with_value(document, draw(st.sampled_from(found)), draw(ANYTHING))
    return document


def sentence_of(said: Said) -> str:
    """The only sentence with which a command ends that cannot run at all."""
    (trace,) = said.traces("ERROR")
    error = trace["trace"]["error"]
    assert said.exit_status == 1
    assert error["failure_type"] == "config_error"
    assert "stream_descriptor" not in error
    assert_no_traceback(said)
    message: str = error["message"]
    assert message.endswith(".")
    return message


def assert_no_traceback(said: Said) -> None:
    assert "Traceback" not in said.text
    assert "stack_trace" not in said.text
    assert not said.logs("FATAL")


def state_of(said: Said) -> list[Json]:
    """The last state of each stream."""
    last = {m["state"]["stream"]["stream_descriptor"]["name"]: m for m in said.of_type("STATE")}
    return [message["state"] for message in last.values()]


def stream_state(name: str, state: Any) -> Json:
    stream = {"stream_descriptor": {"name": name}, "stream_state": state}
    return {"type": "STREAM", "stream": stream}


def projects(asana: AsanaEmulator) -> list[str]:
    return truth(asana, "projects")


def ten_minutes_ago(asana: AsanaEmulator) -> str:
    """A mark of a sync after the last change of the account."""
    return stamp(asana.account.clock.now().subtract(minutes=10))


# Configs


@given(config=FILES)
@UNHURRIED
@example(b"")
@example(b"[" * 100_000)
@example(b'{"": {"": 1}}')
@example(b'{"credentials": {"personal_access_token": {"*": "**"}}}')
@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_is_not_a_config_is_refused(
    untouched: AsanaEmulator, command: str, config: bytes
) -> None:
    said = run(command, untouched, config, catalog_of(["workspaces"]))
    if command == "check":
        assert said.connection_status()["status"] == "FAILED"
        assert said.exit_status == (0 if is_object(config) else 1)
        assert_no_traceback(said)
    else:
        sentence_of(said)


def is_object(content: bytes) -> bool:
    try:
        return isinstance(orjson.loads(content), dict)
    except ValueError:
        return False


@given(data=st.data())
@UNHURRIED
def test_a_wrong_config_is_read_in_full_or_refused_by_check_too(
    untouched: AsanaEmulator, data: st.DataObject
) -> None:
    right = config_for(untouched, num_workers=3, organization_export_ids=["1"])
    config = data.draw(damaged(right, least_depth=1))
    said = run("read", untouched, config, catalog_of(["workspaces"]))
    if said.exit_status == 0:
        assert gids(said, "workspaces") == truth(untouched, "workspaces")
        return
    sentence_of(said)
    checked = run("check", untouched, config)
    assert checked.connection_status()["status"] == "FAILED"
    assert checked.exit_status == 0
    assert_no_traceback(checked)


@pytest.mark.parametrize("token", ["", " ", "e", "\t\n", "a b"])
def test_an_invalid_token_does_not_garble_its_own_error(sample: AsanaEmulator, token: str) -> None:
    config = {"credentials": {"personal_access_token": token}}
    said = run("check", sample, config)
    assert "****" not in said.connection_status()["message"]
    assert "****" not in sentence_of(run("read", sample, config, catalog_of(["tags"])))


@pytest.mark.parametrize("gid", ["../users/me", "1?x=", "1/2", "\uff11\uff12", "-1", "1\n", "%31"])
def test_an_invalid_gid_never_gets_into_an_address(sample: AsanaEmulator, gid: str) -> None:
    config = config_for(sample, organization_export_ids=["7", gid])
    said = run("check", sample, config)
    assert said.connection_status()["status"] == "FAILED"
    assert "organization_export_ids" in said.connection_status()["message"]
    catalog = catalog_of(["organization_exports"])
    assert "organization_export_ids" in sentence_of(run("read", sample, config, catalog))
    assert sample.ledger.count() == 0


@pytest.mark.parametrize(
    "address",
    [
        "nonsense",
        "app.asana.com",
        "//app.asana.com",
        "ftp://app.asana.com",
        "file:///etc/passwd",
        "https://",
        "https:///api/1.0",
        "https://:443",
        "http://[::1",
        "http://localhost:99999999",
        "http://localhost:port",
        "http://127.0.0.1 :9",
        "http://127.0.0.1:9 /",
        "http://127.0.0.1:9/a b",
        "http://127.0.0.1:9/\n/",
        "http://127.0.0.1:9\t/",
        "http://*.example.com",
        "http://.",
        "http://\u00e4sana.example",
        "http://127.0.0.1:9?region=eu",
        "http://127.0.0.1:9/#top",
        "http://somebody@127.0.0.1:9",
    ],
)
def test_an_invalid_address_is_refused_with_the_name_of_its_variable(
    sample: AsanaEmulator, address: str
) -> None:
    said = run("check", address, config_for(sample))
    assert said.connection_status()["status"] == "FAILED"
    assert "ASANA_BASE_URL" in said.connection_status()["message"]
    assert_no_traceback(said)
    said = run("read", address, config_for(sample), catalog_of(["tags"]), patience=0.1)
    assert "ASANA_BASE_URL" in sentence_of(said)


def test_spaces_around_an_address_are_ignored(sample: AsanaEmulator) -> None:
    said = run("check", f" {sample.url}/\n", config_for(sample))
    assert said.connection_status()["status"] == "SUCCEEDED"


# Catalogs


@given(catalog=FILES)
@UNHURRIED
@example(b"")
@example(b"[" * 100_000)
def test_a_file_that_is_not_a_catalog_is_refused(untouched: AsanaEmulator, catalog: bytes) -> None:
    said = run("read", untouched, config_for(untouched), catalog)
    assert "configured catalog" in sentence_of(said)


@given(data=st.data())
@UNHURRIED
def test_a_wrong_catalog_is_read_in_full_or_refused(
    untouched: AsanaEmulator, data: st.DataObject
) -> None:
    right = incremental(["tags"], full=["tasks"])
    for configured in right["streams"]:
        configured["stream"]["json_schema"]["properties"] = {"gid": {}, "name": {"type": "string"}}
    catalog = data.draw(damaged(right))
    said = run("read", untouched, config_for(untouched), orjson.dumps(catalog))
    assert_no_traceback(said)
    if said.traces("STREAM_STATUS") or said.exit_status == 0:
        assert_each_stream_is_complete_or_refused(said, untouched, catalog)
    else:
        assert "configured catalog" in sentence_of(said)


def assert_each_stream_is_complete_or_refused(
    said: Said, asana: AsanaEmulator, catalog: Json
) -> None:
    errors = said.errors()
    for name in {configured["stream"]["name"] for configured in catalog["streams"]}:
        if name in ("tags", "tasks"):
            assert said.statuses(name)[-1] == "COMPLETE"
            assert gids(said, name) == truth(asana, name)
        else:
            assert said.statuses(name) == ["STARTED", "INCOMPLETE"]
            assert errors.pop(name)["failure_type"] == "config_error"
    assert said.exit_status == (1 if len(errors) < len(said.errors()) else 0)
    assert not errors


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"properties": None},
        {"properties": {}},
        {"properties": {"wishes": {}}},
        {"properties": {"gid,name&limit=1": {}, "../users": None}},
        {"properties": ["name"]},
        {"properties": "name"},
        {"properties": 3},
        {"type": 7},
    ],
    ids=str,
)
def test_unknown_columns_are_not_requested_and_cost_no_record(
    sample: AsanaEmulator, schema: Json
) -> None:
    place = ("streams", 0, "stream", "json_schema")
    catalog = with_value(catalog_of(["tasks"]), place, schema)
    said = run("read", sample, config_for(sample), catalog)
    assert gids(said, "tasks") == truth(sample, "tasks")
    assert said.exit_status == 0
    assert not sample.ledger.unknown_fields
    assert_no_traceback(said)


@pytest.mark.parametrize("mode", ["incremental", "full_refresh"])
def test_a_repeated_stream_is_refused(sample: AsanaEmulator, mode: str) -> None:
    catalog = catalog_of(["tags", "tasks", "tasks"])
    catalog["streams"][2]["sync_mode"] = mode
    said = run("read", sample, config_for(sample), catalog)
    assert "tasks" in sentence_of(said)
    assert sample.ledger.count() == 0


def test_a_repeated_unknown_stream_is_refused_once(sample: AsanaEmulator) -> None:
    said = run("read", sample, config_for(sample), catalog_of(["wishes", "wishes", "tags"]))
    assert "wishes" in sentence_of(said)


def test_an_unsupported_sync_mode_is_a_full_refresh(sample: AsanaEmulator) -> None:
    said = run("read", sample, config_for(sample), incremental(["tags", "users"]))
    for stream in ("tags", "users"):
        assert gids(said, stream) == truth(sample, stream)
        assert said.states(stream) == [{"__ab_full_refresh_sync_complete": True}]


def test_user_defined_keys_and_cursors_change_nothing(sample: AsanaEmulator) -> None:
    catalog = incremental(["tasks"])
    catalog["streams"][0] |= {"cursor_field": ["wish"], "primary_key": [["name"], ["wish"]]}
    said = run("read", sample, config_for(sample), catalog)
    assert gids(said, "tasks") == truth(sample, "tasks")


# States


@given(state=FILES)
@UNHURRIED
@example(b"")
@example(b"null")
@example(b"{}")
@example(b"[" * 100_000)
@example(b'{"tasks": {"modified_at": "2020-01-01T00:00:00Z"}}')
@example(b'[{"type": "LEGACY", "data": {"tasks": {"modified_at": "2020-01-01T00:00:00Z"}}}]')
@example(b'[{"type": "STREAM", "stream": {"stream_descriptor": {"name": "\\ud800"}}}]')
def test_any_file_as_a_state_ends_in_all_records_or_one_sentence(
    untouched: AsanaEmulator, state: bytes
) -> None:
    said = run("read", untouched, config_for(untouched), incremental(["tasks"]), state)
    assert_all_records_or_one_sentence(said, untouched)


def assert_all_records_or_one_sentence(said: Said, asana: AsanaEmulator) -> None:
    if said.exit_status == 0:
        assert gids(said, "tasks") == truth(asana, "tasks")
        assert_no_traceback(said)
    else:
        assert "state" in sentence_of(said)


@given(blob=ANYTHING)
@settings(UNHURRIED, max_examples=50)
@pytest.mark.parametrize("mode", ["incremental", "full_refresh"])
def test_any_state_of_a_stream_ends_in_all_records_or_one_sentence(
    untouched: AsanaEmulator, mode: str, blob: Any
) -> None:
    catalog = incremental(["tasks"])
    catalog["streams"][0]["sync_mode"] = mode
    state = [stream_state("tasks", blob), stream_state("wishes", blob)]
    assert_all_records_or_one_sentence(
        run("read", untouched, config_for(untouched), catalog, state), untouched
    )


@pytest.mark.parametrize(
    "state",
    [
        {"modified_at": "2026-01-01T00:00:00Z"},
        {"modified_at": "2026-01-01T00:00:00Z", "projects": {"12": "2026-01-01T00:00:00Z"}},
        {"cutoff_time": 1_700_000_000},
        {"next_page_token": {"offset": "abc"}},
        {"cursor": 10**18},
    ],
    ids=orjson.dumps,
)
def test_the_state_of_another_connector_is_refused(sample: AsanaEmulator, state: Json) -> None:
    said = run(
        "read", sample, config_for(sample), incremental(["tasks"]), [stream_state("tasks", state)]
    )
    assert "Cannot read the state of tasks" in sentence_of(said)
    assert "Clear the stream" in sentence_of(said)
    assert sample.ledger.count() == 0


@pytest.mark.parametrize(
    "state",
    [
        {"states": [{"partition": {"gid": "1"}, "cursor": {"modified_at": "2026-01-01"}}]},
        {"__ab_no_cursor_state_message": True},
        {},
        None,
    ],
    ids=str,
)
def test_the_state_of_the_published_connector_leads_to_a_full_read(
    sample: AsanaEmulator, state: Any
) -> None:
    said = run(
        "read", sample, config_for(sample), incremental(["tasks"]), [stream_state("tasks", state)]
    )
    assert gids(said, "tasks") == truth(sample, "tasks")
    assert said.exit_status == 0


@pytest.mark.parametrize(
    "spelling",
    ["2001-1-01T00:00:00.000Z", "200\uff11-01-01T00:00:00.000Z", "01-01-01T00:00:00.000Z"],
)
def test_a_time_that_sorts_wrongly_is_refused(sample: AsanaEmulator, spelling: str) -> None:
    state = [stream_state("tasks", {"modified_since": {spelling: projects(sample)}})]
    said = run("read", sample, config_for(sample), incremental(["tasks"]), state)
    assert "Cannot read the state of tasks" in sentence_of(said)


def test_the_older_of_two_times_of_a_project_counts(sample: AsanaEmulator) -> None:
    first = run("read", sample, config_for(sample), incremental(["tasks"]))
    marked = first.states("tasks")[-1]["modified_since"]
    later, found = max(marked), [project for times in marked.values() for project in times]
    for times in ([PAST, later], [later, PAST]):
        blob = {**first.states("tasks")[-1], "modified_since": dict.fromkeys(times, found)}
        state = [stream_state("tasks", blob)]
        said = run("read", sample, config_for(sample), incremental(["tasks"]), state)
        assert gids(said, "tasks") == truth(sample, "tasks")


@pytest.mark.parametrize("token", ["", "\x00", "\ud800", 12, None, ["a"]], ids=ascii)
def test_a_sync_token_that_a_state_cannot_hold_is_refused(
    sample: AsanaEmulator, token: Any
) -> None:
    found = projects(sample)
    blob = {"modified_since": {PAST: found}, "sync_tokens": dict.fromkeys(found, token)}
    state = json.dumps([stream_state("tasks", blob)]).encode()
    said = run("read", sample, config_for(sample), incremental(["tasks"]), state)
    assert re.match(
        "Cannot read the state of tasks|The state in .* is not valid", sentence_of(said)
    )
    assert sample.ledger.count() == 0


@pytest.mark.parametrize(
    "token",
    ["wish", " ", "a\n", "é", "\x07", "x&resource=1#?", "../users/me", "%00", "9" * 4000],
    ids=lambda token: ascii(token)[:9],
)
def test_a_sync_token_that_asana_does_not_know_costs_no_record(
    sample: AsanaEmulator, token: str
) -> None:
    found = projects(sample)
    blob = {
        "modified_since": {ten_minutes_ago(sample): found},
        "sync_tokens": dict.fromkeys(found, token),
    }
    state = [stream_state(name, blob) for name in ("tasks", "subtasks")]
    said = run("read", sample, config_for(sample), incremental(["tasks", "subtasks"]), state)
    for stream in ("tasks", "subtasks"):
        assert gids(said, stream) == truth(sample, stream)
    assert said.exit_status == 0
    assert any("no longer has the events" in line for line in said.logs("WARN"))


def moved(document: Any, time: str) -> Any:
    """A state with all of its times replaced by another one."""
    if not isinstance(document, dict):
        return document
    return {
        name: {time: sorted(gid for at in marks.values() for gid in at)}
        if name in ("modified_since", "done")
        else moved(marks, time)
        for name, marks in document.items()
    }


def test_marks_in_the_future_hide_no_record(asana: AsanaEmulator) -> None:
    catalog = incremental(INCREMENTAL)
    first = run("read", asana, config_for(asana), catalog)
    state = [moved(message, FUTURE) for message in state_of(first)]
    assert FUTURE in json.dumps(state)
    asana.account.clock.advance(600)
    said = run("read", asana, config_for(asana), catalog, state)
    for stream in set(INCREMENTAL) - {"events"}:
        assert gids(said, stream) == truth(asana, stream)
    assert said.exit_status == 0
    assert FUTURE not in json.dumps(state_of(said))


def test_projects_marked_as_done_in_the_future_are_read(sample: AsanaEmulator) -> None:
    done = stream_state("tasks", {"done": {FUTURE: projects(sample)}})
    said = run("read", sample, config_for(sample), catalog_of(["tasks"]), [done])
    assert gids(said, "tasks") == truth(sample, "tasks")


def test_a_state_of_projects_that_do_not_exist_is_forgotten(sample: AsanaEmulator) -> None:
    strange = ["1", "999999999999999999999999999999", "0"]
    state = stream_state("tasks", {"modified_since": {PAST: strange}})
    said = run("read", sample, config_for(sample), incremental(["tasks"]), [state])
    assert gids(said, "tasks") == truth(sample, "tasks")
    assert strange[1] not in json.dumps(said.states("tasks")[-1])
    assert said.exit_status == 0


# Files


@pytest.mark.parametrize(
    ("name", "content"), [("config", b""), ("catalog", b"[{]"), ("state", b"\xff\xfe\x00")]
)
def test_one_sentence_names_a_broken_file(
    sample: AsanaEmulator, tmp_path: Path, name: str, content: bytes
) -> None:
    file = tmp_path / "broken.json"
    file.write_bytes(content)
    files: dict[str, Any] = {
        "config": config_for(sample),
        "catalog": catalog_of(["tags"]),
        name: file,
    }
    said = run("read", sample, **files)
    assert f"The {name}" in sentence_of(said) or f"configured {name}" in sentence_of(said)
    assert str(file) in sentence_of(said)


def test_a_folder_instead_of_a_file_is_refused(sample: AsanaEmulator, tmp_path: Path) -> None:
    said = run("read", sample, config_for(sample), catalog_of(["tags"]), tmp_path)
    assert "Cannot read the state from" in sentence_of(said)
