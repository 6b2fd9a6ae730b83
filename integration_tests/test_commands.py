"""The console script, as Airbyte and users run it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.reading import (
    PROGRAM_SECONDS,
    SERVICE,
    catalog_of,
    config_for,
    failed,
    oauth_config,
    run,
    run_program,
)
from source_asana.streams.declared import STREAMS

GOLDEN = Path(__file__).parent / "golden"
NOWHERE = "http://127.0.0.1:9"


def assert_golden(name: str, text: str, config: pytest.Config) -> None:
    """Compare with the file, or write it: `pytest --update-golden`, and review the difference."""
    file = GOLDEN / name
    if config.getoption("--update-golden"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def outline(catalog: dict[str, Any]) -> str:
    """A catalog as lines: a stream with its properties, then each column with its type."""
    lines = []
    for stream in catalog["streams"]:
        schema = stream.pop("json_schema")
        lines += ["", json.dumps(stream), *columns_of(schema, "")]
    return "\n".join(lines).lstrip() + "\n"


def columns_of(schema: dict[str, Any], path: str) -> Iterator[str]:
    """A line for each column, without the descriptions: docs/reference.md has those."""
    elsewhere = ("properties", "items", "description")
    rest = {name: value for name, value in schema.items() if name not in elsewhere}
    yield f"{path or '.'} {json.dumps(rest)}"
    for name, below in schema.get("properties", {}).items():
        yield from columns_of(below, f"{path}.{name}")
    if "items" in schema:
        yield from columns_of(schema["items"], f"{path}[]")


def test_the_spec_matches_the_golden_file(pytestconfig: pytest.Config) -> None:
    (message,) = run("spec", NOWHERE).of_type("SPEC")
    assert_golden("spec.json", json.dumps(message["spec"], indent=2) + "\n", pytestconfig)


def test_discover_shows_every_stream_without_a_request(
    sample: AsanaEmulator, pytestconfig: pytest.Config
) -> None:
    said = run("discover", sample, config_for(sample))
    (message,) = said.of_type("CATALOG")
    for stream in message["catalog"]["streams"]:
        assert stream["json_schema"] == STREAMS[stream["name"]].json_schema()
    assert_golden("catalog.txt", outline(message["catalog"]), pytestconfig)
    assert sample.ledger.count() == 0


def test_read_delivers_all_streams_in_order(sample: AsanaEmulator) -> None:
    ids = list(sample.account.organization_exports)
    config = config_for(sample, organization_export_ids=ids)
    said = run_program("read", sample, config, catalog_of(STREAMS))
    assert said.exit_status == 0
    assert sample.ledger.count() == sum(sample.floor(STREAMS, SERVICE, export_ids=ids).values())
    for stream in STREAMS:
        expected = list(sample.expected(stream, SERVICE, export_ids=ids))
        assert len(said.records()[stream]) == len(expected)
        running = ["RUNNING"] if expected else []
        assert said.statuses(stream) == ["STARTED", *running, "COMPLETE"]
        assert said.states(stream)[-1] == {"__ab_full_refresh_sync_complete": True}


def test_the_exit_status_is_1_when_a_stream_is_missing(sample: AsanaEmulator) -> None:
    said = run_program("read", sample, config_for(sample), catalog_of(["tags", "wishes"]))
    assert said.statuses("tags")[-1] == "COMPLETE"
    assert said.statuses("wishes")[-1] == "INCOMPLETE"
    assert said.exit_status == 1


@pytest.mark.parametrize("command", ["check", "read"])
def test_debugging_keeps_the_protocol_valid_and_the_token_secret(
    sample: AsanaEmulator, command: str
) -> None:
    catalog = catalog_of(["tags"]) if command == "read" else None
    said = run_program(command, sample, config_for(sample), catalog, "--debug")
    assert {message["type"] for message in said.messages} >= {"LOG"}
    assert said.exit_status == 0
    assert sample.tokens.pat(SERVICE) not in said.text


def test_each_streams_state_follows_its_last_record_and_precedes_its_end(
    sample: AsanaEmulator,
) -> None:
    catalog = catalog_of(["tasks", "stories", "users"])
    said = run("read", sample, config_for(sample), catalog, seconds_between_states=1_000)
    told: dict[str, list[str]] = {}
    for message in said.messages:
        match message:
            case {"type": "RECORD", "record": {"stream": stream}}:
                told.setdefault(stream, []).append("record")
            case {"type": "STATE", "state": {"stream": {"stream_descriptor": {"name": stream}}}}:
                told[stream].append("state")
                stats = message["state"]["sourceStats"]
                assert stats["recordCount"] == told[stream].count("record")
            case {"type": "TRACE", "trace": {"stream_status": {"status": "COMPLETE"} as status}}:
                told[status["stream_descriptor"]["name"]].append("complete")
    for order in told.values():
        assert order[-2:] == ["state", "complete"]
        assert set(order[:-2]) == {"record"}


def test_records_have_null_where_asana_does(sample: AsanaEmulator) -> None:
    said = run("read", sample, config_for(sample), catalog_of(["tasks"]))
    assert any(record["assignee"] is None for record in said.records()["tasks"])


def test_deselected_columns_are_neither_requested_nor_delivered(sample: AsanaEmulator) -> None:
    catalog = catalog_of(["tasks"], columns={"tasks": ["name", "assignee"]})
    said = run("read", sample, config_for(sample), catalog)
    assert {frozenset(record) for record in said.records()["tasks"]} == {
        frozenset({"gid", "name", "assignee"})
    }
    (asked,) = {r.query["opt_fields"] for r in sample.ledger.requests if r.template == "/tasks"}
    assert set(asked.split(",")) == {
        *("gid", "name", "assignee.gid", "assignee.resource_type", "assignee.name"),
        *("projects.gid", "parent.gid"),
    }


@pytest.mark.parametrize("command", ["check", "discover", "read"])
def test_an_old_config_is_read_as_it_is_and_not_returned(
    sample: AsanaEmulator, command: str
) -> None:
    token = sample.tokens.pat(SERVICE)
    old = {"access_token": token, "num_workers": 3}
    catalog = catalog_of(["tags"]) if command == "read" else None
    said = run(command, sample, old, catalog)
    assert said.exit_status == 0
    assert said.of_type("CONTROL") == []
    assert token not in said.text
    if command == "read":
        assert said.records()["tags"]


def test_oauth_reads_everything_its_user_sees_with_one_refresh_for_all_workers(
    asana: AsanaEmulator,
) -> None:
    said = run("read", asana, oauth_config(asana), catalog_of(["tasks", "stories"]))
    for stream in ("tasks", "stories"):
        expected = {record["gid"] for record in asana.expected(stream, "member")}
        assert {record["gid"] for record in said.records()[stream]} == expected
    assert asana.tokens.refreshes == 1
    assert asana.tokens.refresh_token not in said.text


def test_an_access_token_that_expires_early_is_renewed_once(asana: AsanaEmulator) -> None:
    asana.controls.interrupt("/tasks", asana.tokens.expire_access_tokens, after=2)
    said = run("read", asana, oauth_config(asana), catalog_of(["tasks", "stories"]))
    expected = {record["gid"] for record in asana.expected("stories", "member")}
    assert {record["gid"] for record in said.records()["stories"]} == expected
    assert said.exit_status == 0
    assert asana.tokens.refreshes == 2


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (b"[1, 2]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{", "is not valid JSON: "),
        (b'{\n "a": 1,\n "b": nul\n}', "(line 3, column 7)."),
        (b'{"num_workers": NaN}', "(line 1, column 17)."),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b" \n", "is empty"),
        ({}, "no credentials"),
        ({"credentials": {"option_title": "Password"}}, "option_title"),
        (
            {
                "credentials": {"option_title": "PAT Credentials", "personal_access_token": "x"},
                "num_workers": 26,
            },
            "num_workers must be a whole number from 1 to 25",
        ),
    ],
    ids=[
        "a list",
        "null",
        "half",
        "a typo",
        "NaN",
        "bytes",
        "nothing",
        "empty",
        "unknown title",
        "too many workers",
    ],
)
def test_a_wrong_config_fails_each_command_in_its_own_way(config: Any, words: str) -> None:
    is_unusable = isinstance(config, bytes)
    assert words in failed(run("check", NOWHERE, config), exit_status=1 if is_unusable else 0)
    said = run("read", NOWHERE, config, catalog_of(["tags"]))
    (error,) = said.errors().values()
    assert error["failure_type"] == "config_error"
    assert words in error["message"]
    assert "stack_trace" not in error
    assert said.exit_status == 1


def test_without_a_command_the_program_shows_its_commands() -> None:
    program = Path(sys.executable).with_name("source-asana")
    done = subprocess.run(
        [program], capture_output=True, text=True, timeout=PROGRAM_SECONDS, check=False
    )
    assert "{spec,check,discover,read,probe}" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def printed_by(*arguments: str) -> str:
    """The output of the program when asked for help."""
    program = Path(sys.executable).with_name("source-asana")
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, timeout=PROGRAM_SECONDS, check=False
    )
    assert done.returncode == 0
    assert done.stderr == ""
    return done.stdout


def test_the_program_prints_the_version_of_the_package() -> None:
    assert printed_by("--version") == f"source-asana {version('airbyte-source-asana')}\n"


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("spec", {"--help", "--debug"}),
        ("check", {"--help", "--debug", "--config"}),
        ("discover", {"--help", "--debug", "--config"}),
        (
            "read",
            {
                *("--help", "--debug", "--config", "--catalog", "--state"),
                *("--streams", "--incremental", "--state-file"),
            },
        ),
    ],
)
def test_the_help_of_a_command_shows_only_its_options(command: str, options: set[str]) -> None:
    assert set(re.findall(r"--[a-z-]+", printed_by(command, "--help"))) == options


def test_no_log_line_mentions_an_unused_part_of_the_cdk(sample: AsanaEmulator) -> None:
    said = run_program("check", sample, config_for(sample))
    assert "MemoryMonitor" not in said.text
    assert said.logs("INFO")


MISSPELLED: dict[str, Any] = {
    "project_gid": ["1205000000000001"],
    "num_worker": "s3cret",
    "zzz": "s3cret",
}
WARNINGS = [
    "Unknown setting project_gid. Did you mean project_gids?",
    "Unknown setting num_worker. Did you mean num_workers?",
    "Unknown setting zzz. It has no effect.",
]


def test_a_check_warns_about_unknown_settings_in_its_message(sample: AsanaEmulator) -> None:
    said = run("check", sample, config_for(sample, **MISSPELLED))
    assert said.connection_status()["status"] == "SUCCEEDED"
    assert said.logs("WARN") == WARNINGS
    assert said.connection_status()["message"].endswith(f". {' '.join(WARNINGS)}")
    assert "s3cret" not in said.text


def test_a_read_warns_about_unknown_settings_and_reads_everything(sample: AsanaEmulator) -> None:
    said = run("read", sample, config_for(sample, **MISSPELLED), catalog_of(["tags"]))
    assert said.logs("WARN") == WARNINGS
    assert said.records()["tags"]
    assert said.exit_status == 0
    assert "s3cret" not in said.text


@pytest.mark.parametrize("command", ["check", "read"])
def test_settings_that_airbyte_adds_cause_no_warning(sample: AsanaEmulator, command: str) -> None:
    catalog = catalog_of(["tags"]) if command == "read" else None
    config = {
        "access_token": sample.tokens.pat(SERVICE),
        "__injected_components_py": "",
        "_limit": 10,
    }
    assert run(command, sample, config, catalog).logs("WARN") == []


FUTURE = "2999-01-01"


def test_a_check_refuses_a_start_date_in_the_future(sample: AsanaEmulator) -> None:
    sentence = failed(run("check", sample, config_for(sample, start_date=FUTURE)))
    assert sentence.startswith("start_date is in the future. ")


def test_asanas_clock_decides_where_the_future_begins(asana: AsanaEmulator) -> None:
    year = 365 * 86_400
    day = asana.account.clock.now().add(days=30).format("YYYY-MM-DD")
    assert "in the future" in failed(run("check", asana, config_for(asana, start_date=day)))
    asana.account.clock.advance(year)
    said = run("check", asana, config_for(asana, start_date=day))
    assert said.connection_status()["status"] == "SUCCEEDED"


def test_a_read_warns_about_a_start_date_in_the_future_and_reads_unfiltered_streams(
    sample: AsanaEmulator,
) -> None:
    said = run("read", sample, config_for(sample, start_date=FUTURE), catalog_of(["tasks", "tags"]))
    assert [line.partition(":")[0] for line in said.logs("WARN")] == ["start_date is in the future"]
    assert "tasks" not in said.records()
    assert said.records()["tags"]
    assert said.exit_status == 0


def test_the_error_names_missing_files() -> None:
    said = run("check", NOWHERE, Path("nowhere.json"))
    assert "nowhere.json: No such file or directory" in failed(said, exit_status=1)


def test_a_config_may_begin_with_a_byte_order_mark(sample: AsanaEmulator) -> None:
    config = b"\xef\xbb\xbf" + json.dumps(config_for(sample)).encode()
    assert run("check", sample, config).connection_status()["status"] == "SUCCEEDED"


def test_a_config_may_come_through_a_pipe(sample: AsanaEmulator) -> None:
    reads, writes = os.pipe()
    os.write(writes, json.dumps(config_for(sample)).encode())
    os.close(writes)
    said = run("check", sample, Path(f"/dev/fd/{reads}"))
    os.close(reads)
    assert said.connection_status()["status"] == "SUCCEEDED"


def test_a_file_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("source_asana.inputs.MOST_BYTES", 1 << 20)
    said = run("check", NOWHERE, Path("/dev/zero"))
    assert "The config in /dev/zero is larger than 1 MiB" in failed(said, exit_status=1)


@pytest.mark.parametrize("command", ["discover", "read"])
def test_a_connector_error_is_one_sentence_that_names_it(command: str) -> None:
    said = run(command, NOWHERE)  # without a config, which the command line insists on
    (error,) = said.errors().values()
    assert error["failure_type"] == "system_error"
    assert error["message"].startswith(
        "Unexpected error in the connector (AttributeError, entrypoint.py "
    )
    assert "stack_trace" not in error
    assert said.exit_status == 1


@pytest.mark.parametrize("catalog", [b"{}", b"[]", b"no", {"streams": [{"stream": 1}]}])
def test_a_wrong_catalog_is_an_error_with_one_sentence(sample: AsanaEmulator, catalog: Any) -> None:
    said = run("read", sample, config_for(sample), catalog)
    (error,) = said.errors().values()
    assert error["failure_type"] == "config_error"
    assert "configured catalog" in error["message"]
    assert said.exit_status == 1
    assert sample.ledger.count() == 0


def test_an_empty_catalog_reads_nothing(sample: AsanaEmulator) -> None:
    said = run("read", sample, config_for(sample), {"streams": []})
    assert said.exit_status == 0
    assert sample.ledger.count() == 0


def test_the_summary_has_the_records_and_requests_of_each_stream(sample: AsanaEmulator) -> None:
    said = run("read", sample, config_for(sample), catalog_of(["tasks", "stories_compact"]))
    lines = [line.rsplit(", ", 1)[0] for line in said.logs("INFO")]
    tasks, stories = (
        len(list(sample.expected(stream, SERVICE))) for stream in ("tasks", "stories")
    )
    asked = sample.ledger.by_path()
    assert f"tasks: {tasks} records, {asked['/tasks']} requests" in lines
    of_stories = asked["/tasks/{task_gid}/stories"]
    assert f"stories_compact: {stories} records, {of_stories} requests" in lines
    assert "on the way: projects, 2 requests" in said.logs("INFO")


def test_the_log_says_that_a_full_refresh_has_no_events(sample: AsanaEmulator) -> None:
    said = run("read", sample, config_for(sample), catalog_of(["events"]))
    assert sample.ledger.count() == 0
    assert said.logs("WARN")[0].startswith("events: nothing to read in a full refresh")
    assert said.statuses("events") == ["STARTED", "COMPLETE"]


@pytest.mark.parametrize("command", ["spec", "check", "discover"])
def test_a_signal_after_the_answer_is_not_a_failure(
    sample: AsanaEmulator, tmp_path: Path, command: str
) -> None:
    """PyAirbyte sends one as soon as it has the answer that it needs."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps(config_for(sample)))
    program = Path(sys.executable).with_name("source-asana")
    options = [] if command == "spec" else ["--config", str(config)]
    with subprocess.Popen(
        [program, command, *options],
        env={**os.environ, "ASANA_BASE_URL": sample.url},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        answers = ('{"type":"SPEC"', '{"type":"CONNECTION_STATUS"', '{"type":"CATALOG"')
        assert any(line.startswith(answers) for line in process.stdout)
        process.terminate()
        assert process.wait(PROGRAM_SECONDS) == 0
