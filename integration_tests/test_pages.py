"""Checks the numbers and lists in the pages for users against the code or against syncs.

`test_readme.py` runs the commands of the pages and compares their tables; `test_messages.py`
compares their messages.
"""

import importlib
import inspect
import json
import logging
import pkgutil
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
import yaml
from airbyte_cdk.models import AirbyteStream

import source_asana
from integration_tests.asana_emulator import Account, AsanaEmulator, Choice, make_account
from integration_tests.local import Desk
from integration_tests.reading import SERVICE, config_for, full_refresh, run
from integration_tests.test_filters import START, with_many_options
from integration_tests.test_incremental import Connection
from integration_tests.test_readme import (
    FORM,
    GUIDE,
    OPERATIONS,
    PAGES,
    README,
    ROOT,
    SPEC,
    anchors,
    counted,
    table_with,
    written_in,
)
from integration_tests.truth_of import truth
from source_asana import SourceAsana
from source_asana.asana.connection import MAX_BODY_BYTES
from source_asana.asana.governor import PLANS_PER_MINUTE, QUOTA_FACTOR
from source_asana.streams.declared import STREAMS
from source_asana.streams.sources import DELETED_AT
from unit_tests.test_records import CORRECTED, PUBLISHED

pytestmark = pytest.mark.once

MIGRATING = PAGES["docs/migrating.md"]
INCREMENTAL = PAGES["docs/incremental.md"]
CHANGELOG = PAGES["CHANGELOG.md"]
METADATA = (ROOT / "metadata.yaml").read_text("utf-8")

OF_PROJECTS = ["projects", "sections", "tasks", "subtasks", "stories", "attachments"]
"""The streams of which the page on operations gives examples."""


def on_one_line(text: str) -> str:
    return " ".join(text.split())


def number(text: str) -> int:
    return int(text.replace(",", ""))


def numbers(pattern: str, page: str) -> list[int]:
    """The numbers in the only place of a page that matches."""
    (found,) = re.findall(pattern, on_one_line(page))
    return [number(text) for text in ([found] if isinstance(found, str) else found)]


def constant(name: str) -> Any:
    """The value of a constant of the connector, whichever module defines it."""
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(source_asana.__path__, "source_asana.")
    ]
    values = [vars(module)[name] for module in modules if name in vars(module)]
    assert values, name
    assert all(value == values[0] for value in values), name
    return values[0]


def discovered() -> dict[str, AirbyteStream]:
    """The catalog, by stream."""
    config = {
        "credentials": {"option_title": "PAT Credentials", "personal_access_token": "2/1/2:a"}
    }
    catalog = SourceAsana().discover(logging.getLogger("airbyte"), config)
    return {stream.name: stream for stream in catalog.streams}


CATALOG = discovered()
WITH_CURSOR = [name for name, stream in CATALOG.items() if stream.default_cursor_field]
WITH_DELETIONS = [n for n, s in CATALOG.items() if DELETED_AT in s.json_schema["properties"]]
NEW = [name for name in STREAMS if name not in PUBLISHED]


# -- Streams --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "pattern", "count"),
    [
        (README, r"you get (\d+) more streams", len(NEW)),
        (README, r"The connector has (\d+) streams", len(CATALOG)),
        (README, r"The (\d+) streams with a cursor", len(WITH_CURSOR)),
        (GUIDE, r"Yes, all (\d+) streams", len(CATALOG)),
        (GUIDE, r"Yes, the (\d+) streams with a cursor", len(WITH_CURSOR)),
        (GUIDE, r"for (\d+) of these streams", len(WITH_DELETIONS)),
        (GUIDE, r"Yes, (\d+) streams: those", sum(bool(s.is_resumable) for s in CATALOG.values())),
        (MIGRATING, r"Airbyte adds (\d+) streams", len(NEW)),
        (MIGRATING, r"(\d+) streams can be synced incr", len(WITH_CURSOR)),
        (MIGRATING, r"time_tracking_entries and (\d+) others", len(NEW) - 4),
        (METADATA, r'"Propagate all changes": (\d+) new', len(NEW)),
        (OPERATIONS, r"syncs of all (\d+) streams", len(CATALOG)),
    ],
)
def test_each_page_has_the_right_number_of_streams(page: str, pattern: str, count: int) -> None:
    assert numbers(pattern, page) == [count]


def test_exactly_the_streams_with_a_cursor_are_incremental() -> None:
    modes = {n: [m.value for m in s.supported_sync_modes or []] for n, s in CATALOG.items()}
    assert [name for name in modes if "incremental" in modes[name]] == WITH_CURSOR
    assert all("full_refresh" in of_stream for of_stream in modes.values())


def test_the_guide_describes_the_streams_that_can_resume_a_full_refresh() -> None:
    rows = table_with("stream | what it holds", GUIDE)
    above = {row[0]: re.sub(r" \(.*\)", "", row[2]).split(", ") for row in rows}

    def is_below_projects(name: str) -> bool:
        others = [other for other in above.get(name, ()) if other != name]
        return "projects" in others or any(map(is_below_projects, others))

    described = [
        name
        for name in STREAMS
        if name != "projects" and (is_below_projects(name) or name in WITH_CURSOR)
    ]
    assert [name for name, stream in CATALOG.items() if stream.is_resumable] == described


def test_the_migration_guide_names_the_incremental_streams() -> None:
    sentence = on_one_line(MIGRATING).split("synced incrementally: ")[1].split(". ")[0]
    assert re.findall(r"`(\w+)`", sentence) == WITH_CURSOR


def test_the_changelog_names_the_new_streams() -> None:
    told: list[str] = []
    for count, sentence in re.findall(r"- (\d+) more streams: (.*?)\. ", on_one_line(CHANGELOG)):
        names = re.findall(r"`(\w+)`", sentence)
        assert len(names) == int(count)
        told += names
    assert sorted(told) == sorted({*NEW} - {"subtasks"})


def test_the_incremental_page_has_a_row_for_each_stream_with_its_cursor() -> None:
    rows = {
        name: (told, cursor)
        for names, told, cursor in table_with("stream", INCREMENTAL)
        for name in names.split(", ")
    }
    assert list(rows) == WITH_CURSOR
    for name, (told, cursor) in rows.items():
        assert [cursor] == CATALOG[name].default_cursor_field, name
        assert ("tombstones" in told) == (name in WITH_DELETIONS), name


def test_the_guide_names_every_object_without_a_name() -> None:
    nameless = {
        column
        for name in ("tasks", "subtasks", "projects")
        for column, schema in CATALOG[name].json_schema["properties"].items()
        if set(schema.get("items", schema).get("properties", ())) == {"gid", "resource_type"}
    }
    assert nameless == {"created_by", "dependencies", "dependents", "project_brief"}
    (bullet,) = re.findall(r"- Objects inside a record.*?\n- ", GUIDE, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", bullet)) == nameless | {"gid", "name", "resource_type"}


def test_the_guide_names_the_columns_that_the_connector_adds() -> None:
    added = {
        column: [n for n, s in CATALOG.items() if column in s.json_schema["properties"]]
        for column in ("workspace_gid", "portfolio_gid", "event_id")
    }
    (bullet,) = re.findall(r"- If Asana's record does not name its parent.*?\n- ", GUIDE, re.DOTALL)
    told = re.findall(r"`(\w+)`", bullet)
    assert told == [
        *("workspace_gid", *added["workspace_gid"]),
        *("portfolio_gid", *added["portfolio_gid"]),
        *("event_id", *added["event_id"]),
    ]


def test_the_guide_lists_the_oauth_scopes_that_the_streams_need() -> None:
    rows = table_with("stream | plan, access", GUIDE)
    needed = sorted({scope for row in rows for scope in re.findall(r"`([\w:]+)`", row[2])})
    listed = on_one_line(GUIDE).split("use these scopes: ")[1].split(". ")[0]
    assert re.findall(r"`([\w:]+)`", listed) == needed


def test_a_start_date_filters_the_streams_that_the_guide_names_by_that_column(
    sample: AsanaEmulator,
) -> None:
    by: dict[str, str] = {}
    for names, column in table_with("streams", GUIDE):
        named = [name for name in re.split(r"\W+", names) if name in STREAMS]
        if "also the compact ones" in names:
            named += [f"{name}_compact" for name in named if f"{name}_compact" in STREAMS]
        by |= dict.fromkeys(named, column.strip("`"))
    assert len(by) == 9
    streams = [name for name in STREAMS if name != "organization_exports"]
    said = full_refresh(sample, streams, start_date=START)
    for name in streams:
        records = truth(sample, name)
        young = [r for r in records if name not in by or r[by[name]] >= START[: len(r[by[name]])]]
        found = sorted(record[STREAMS[name].key[-1]] for record in said.records()[name])
        assert found == sorted(record[STREAMS[name].key[-1]] for record in young), name


def test_the_migration_guide_lists_the_type_changes_of_the_catalog() -> None:
    rows = {row[0]: row[1] for row in table_with("stream | change", MIGRATING)}
    for path in CORRECTED:
        stream, _, column = path.partition(".")
        assert f"`{column.replace('custom_fields.', 'custom_fields[].')}`" in rows[stream]


def test_the_migration_guide_names_every_key_that_changes() -> None:
    changed = [name for name in PUBLISHED if STREAMS[name].key != ("gid",)]
    rows = {row[0]: row[1] for row in table_with("stream | change", MIGRATING)}
    for name in changed:
        for column in STREAMS[name].key:
            assert f"`{column}`" in rows[name]
    assert [name for name, told in rows.items() if "primary key" in told] == changed[::-1]


# -- Requests and minutes -------------------------------------------------------------------------

CHOICES: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    "`project_gids`: 1 of 32 projects": {"project_gids": ("a project",)},
    "`include_archived_projects` off: without 4 of 32 projects": {
        "include_archived_projects": False
    },
    "`include_subtasks` off": {"include_subtasks": False},
    "`start_date` that 3 % of the tasks and subtasks meet": {"start_date": "a time"},
    "the same, `include_subtasks` off": {"start_date": "a time", "include_subtasks": False},
    "`include_tasks_without_project` on: two more tasks": {"include_tasks_without_project": True},
}
YOUNG = 174
"""The number of tasks and subtasks after the start date of these examples."""


@pytest.mark.parametrize("row", table_with("filter", OPERATIONS), ids=lambda row: row[0])
def test_the_operations_page_has_the_requests_that_filters_save(
    small: AsanaEmulator, row: list[str]
) -> None:
    label, tasks, requests = row
    given: dict[str, Any] = dict(CHOICES[label])
    if "project_gids" in given:
        projects = list(small.expected("projects", SERVICE))
        given["project_gids"] = tuple(p["gid"] for p in projects if "Volume 3" in p["name"])
        assert (len(given["project_gids"]), len(projects)) == (1, 32)
    if "start_date" in given:
        all_tasks = tasks_of(small, Choice())
        given["start_date"] = sorted(all_tasks.values(), reverse=True)[YOUNG - 1]
        assert round(100 * YOUNG / len(all_tasks)) == 3
    choice = Choice(**given)
    assert len(tasks_of(small, choice)) == number(tasks)
    assert sum(small.floor(OF_PROJECTS, SERVICE, choice=choice).values()) == number(requests)


def tasks_of(asana: AsanaEmulator, choice: Choice) -> dict[str, str]:
    """The times when each task and subtask was modified."""
    return {
        record["gid"]: record["modified_at"]
        for stream in ("tasks", "subtasks")
        for record in asana.expected(stream, SERVICE, choice=choice)
    }


def rows_of(account: str) -> dict[str, int]:
    """The measured requests of an account's syncs on the operations page."""
    rows = [row for row in table_with("account", OPERATIONS) if row[0] == account]
    return {row[4].removesuffix(", all streams"): counted(row)[1] for row in rows}


def exports(asana: AsanaEmulator) -> list[str]:
    return list(asana.account.organization_exports)


def test_the_operations_page_has_the_incremental_syncs_of_the_sample(
    asana: AsanaEmulator,
) -> None:
    rows = rows_of("sample")
    connection = Connection(asana, *STREAMS, organization_export_ids=exports(asana))
    connection.sync()
    assert asana.ledger.count() == rows["first incremental sync"]
    connection.sync()
    assert asana.ledger.count() == rows["later, all streams, nothing changed"]


@pytest.fixture
def small_to_change() -> Iterator[AsanaEmulator]:
    """About 5,000 tasks, for a test that changes some."""
    with AsanaEmulator(make_account("small")) as asana:
        yield asana


def test_the_operations_page_has_the_incremental_syncs_of_the_small_account(
    small_to_change: AsanaEmulator,
) -> None:
    asana, rows = small_to_change, rows_of("small")
    projects = len(list(asana.expected("projects", SERVICE)))
    assert rows["full refresh"] + projects == rows["first incremental sync"]
    # Streams without a request for each task are synced; streams below tasks share their states.
    costly = [n for n in STREAMS if n.split("_")[0] in ("stories", "attachments")]
    cheap = [name for name in STREAMS if name not in costly]
    connection = Connection(asana, *cheap, organization_export_ids=exports(asana))
    connection.sync()
    connection.streams = tuple(STREAMS)
    for name in costly:
        state = json.loads(json.dumps(connection.state["tasks"]))
        state["stream"]["stream_descriptor"]["name"] = name
        connection.state[name] = state
    connection.sync()
    assert asana.ledger.count() == rows["later, all streams, nothing changed"]
    for gid in [task["gid"] for task in truth(asana, "tasks")][::100][:50]:
        asana.change(partial(Account.comment, task=gid, text="Shiny"))
    connection.sync()
    assert asana.ledger.count() == rows["the same, 50 tasks commented on"]


def test_the_operations_page_has_the_record_counts_of_its_accounts(
    sample: AsanaEmulator, small: AsanaEmulator
) -> None:
    pattern = (
        r"`sample` has (\d+) portfolios, (\d+) goals, (\d+) time entries and (\d+) users"
        r".*? `small` has (\d+), (\d+), (\d+) and (\d+)"
    )
    streams = ("portfolios", "goals", "time_tracking_entries", "workspace_memberships")
    assert numbers(pattern, OPERATIONS) == [
        len(truth(account, stream)) for account in (sample, small) for stream in streams
    ]


def test_the_operations_page_has_the_bytes_that_options_take() -> None:
    with AsanaEmulator(with_many_options()) as asana:
        whole = len(orjson.dumps(full_refresh(asana, ["tasks"]).records()["tasks"]))
        said = full_refresh(asana, ["tasks"], include_custom_field_options=False)
        lean = len(orjson.dumps(said.records()["tasks"]))
    assert numbers(r"take ([\d,]+) bytes .*? and ([\d,]+) bytes", OPERATIONS) == [whole, lean]
    assert "about seven eighths of all task data" in GUIDE
    assert 1 - lean / whole == pytest.approx(7 / 8, abs=0.01)


PAID, FREE = (int(QUOTA_FACTOR * plan) for plan in reversed(PLANS_PER_MINUTE))


def test_the_guide_says_how_long_a_first_sync_takes() -> None:
    (row,) = [r for r in table_with("tasks and subtasks", OPERATIONS) if r[0] == "10,000"]
    tasks, projects, requests = (number(cell.split()[0]) for cell in row[:3])
    page = on_one_line(GUIDE)
    assert "a first sync of 10,000 tasks takes about 14 minutes on a paid plan" in page
    assert round(requests / PAID) == 14
    assert "about 2 hours and 20 minutes on a free plan" in page
    assert requests / FREE == pytest.approx(140, abs=5)
    assert "without them, the sync takes about a minute on a paid plan" in page
    assert round((0.07 * tasks + 2 * projects + tasks / 100) / PAID) == 1


def test_the_operations_page_says_how_fast_ten_workers_are() -> None:
    page = on_one_line(OPERATIONS)
    assert "use all of a paid plan if an answer takes less than 0.4 seconds on average" in page
    assert constant("DEFAULT_WORKERS") / (PAID / 60) == pytest.approx(0.4, abs=0.02)
    assert "25 workers if it takes less than a second" in page
    assert constant("MOST_WORKERS") / (PAID / 60) == pytest.approx(1.0, abs=0.05)
    assert "1,000 projects take about three minutes on a paid plan, half an hour on a free" in page
    assert round(4 * 1_000 / PAID) == 3
    assert round(4 * 1_000 / FREE, -1) == 30


def test_a_check_needs_the_requests_in_the_migration_guide(sample: AsanaEmulator) -> None:
    run("check", sample, config_for(sample, organization_export_ids=exports(sample)))
    assert "about thirty requests" in on_one_line(MIGRATING)
    assert 27 <= sample.ledger.count() <= 33


@pytest.mark.parametrize(
    ("page", "pattern", "told"),
    [
        (
            OPERATIONS,
            r"(\d+) per minute on a free plan, ([\d,]+) on a paid plan",
            [*PLANS_PER_MINUTE],
        ),
        (OPERATIONS, r"uses 98.5 % of it: (\d+) and ([\d,]+) per minute", [FREE, PAID]),
        (OPERATIONS, r"uses (\d+)\.5 % of it", [int(100 * QUOTA_FACTOR)]),
        (README, r"detects your limit \((\d+) or ([\d,]+) requests", [*PLANS_PER_MINUTE]),
        (
            GUIDE,
            r"allows (\d+) requests per minute on a free plan and ([\d,]+)",
            [*PLANS_PER_MINUTE],
        ),
        (GUIDE, r"costs one request per (\d+) records", [constant("PAGE_SIZE")]),
        (GUIDE, r"at most (\d+) projects per field", [constant("CHECKED_PROJECTS")]),
        (GUIDE, r"The connector uses at most (\d+)\.", [constant("MOST_WORKERS")]),
        (OPERATIONS, r"a page of more than (\d+) MB", [constant("LARGE_PAGE_BYTES") // 1_000_000]),
        (
            OPERATIONS,
            r"half as many records, down to (\d+),",
            [constant("MIN_LIMIT_AFTER_TIMEOUT")],
        ),
        (OPERATIONS, r"After (\d+) such pages", [constant("PAGES_UNTIL_TRIAL")]),
        (CHANGELOG, r"unzips to more than (\d+) MB", [MAX_BODY_BYTES >> 20]),
        (INCREMENTAL, r"the state keeps it for (\d+) days", [constant("DAYS_UNLISTED")]),
    ],
)
def test_each_page_has_the_limits_in_the_code(page: str, pattern: str, told: list[int]) -> None:
    assert numbers(pattern, page) == told


@pytest.mark.parametrize(
    ("page", "sentence", "name", "value"),
    [
        (OPERATIONS, "repeats a state after four minutes of silence", "SILENT_SECONDS", 240),
        (OPERATIONS, "the log has a line about every ten seconds", "SECONDS_BETWEEN_LINES", 10),
        (OPERATIONS, "After two timeouts of a page", "TIMEOUTS_PER_LIMIT", 2),
        (
            INCREMENTAL,
            "requested anything of the project, minus five minutes",
            "LOOKBACK_MINUTES",
            5,
        ),
        (INCREMENTAL, "more than ten minutes ago", "EVENTS_COME_WITHIN_MINUTES", 10),
        (INCREMENTAL, "looks up a project at most once a day", "DAYS_BETWEEN_QUESTIONS", 1),
    ],
)
def test_each_page_has_the_times_in_the_code(
    page: str, sentence: str, name: str, value: int
) -> None:
    assert sentence in on_one_line(page)
    assert constant(name) == value


def test_the_readme_says_how_long_the_connector_retries() -> None:
    assert "the connector retries for five minutes" in README
    assert inspect.signature(SourceAsana).parameters["patience"].default == 5 * 60


# -- Commands and queries -------------------------------------------------------------------------


def test_the_shell_lines_for_a_refresh_token_send_the_same_requests_as_the_form(
    tmp_path: Path,
) -> None:
    first, second = written_in("sh", GUIDE)
    (address,) = shell(first, tmp_path).splitlines()
    consent = SPEC["advanced_auth"]["oauth_config_specification"][
        "oauth_connector_input_specification"
    ]["consent_url"]
    assert address.split("?")[0] == consent.split("?")[0]
    asked = {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}
    assert asked["redirect_uri"] == "https://localhost"
    assert asked["client_id"] == "<client id>"
    assert asked["response_type"] == "code"
    (tmp_path / "curl").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "curl").chmod(0o755)
    url, *form = shell(first + second, tmp_path).splitlines()[1:]
    token_url = SPEC["advanced_auth"]["oauth_config_specification"][
        "oauth_connector_input_specification"
    ]["access_token_url"]
    assert url == token_url
    assert sorted(field for field in form if field != "-d") == [
        "client_id=<client id>",
        "client_secret=<client secret>",
        "code=<code>",
        "grant_type=authorization_code",
        "redirect_uri=https://localhost",
    ]


def shell(lines: str, folder: Path) -> str:
    """The output of a page's lines in a folder; its programs come first, then those of `.venv`."""
    done = subprocess.run(
        ["/bin/sh", "-euc", lines],
        env={"PATH": f"{folder}:{Path(sys.executable).parent}:/usr/bin:/bin"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_command_in_the_migration_guide_prints_a_catalog(
    sample: AsanaEmulator, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config_for(sample)))
    (command,) = written_in("sh", MIGRATING)
    printed = [json.loads(line) for line in shell(command, tmp_path).splitlines()]
    (catalog,) = [message["catalog"] for message in printed if message["type"] == "CATALOG"]
    assert [stream["name"] for stream in catalog["streams"]] == list(STREAMS)


def test_make_without_a_target_lists_all_tasks_of_the_contributing_page() -> None:
    listed = re.findall(r"^  make ([a-z-]+)", shell(f"make -C '{ROOT}'", ROOT), re.MULTILINE)
    rows = [row[0] for row in table_with("task", PAGES["CONTRIBUTING.md"])]
    named = {name for row in rows for name in re.findall(r"`make ([a-z-]+)", row)}
    assert named == {*listed} - {"help"}


def test_the_steps_for_a_token_create_a_config_that_only_its_owner_can_read(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    shutil.copy(ROOT / "secrets" / "sample_pat.json", tmp_path / "secrets")
    page = PAGES["secrets/README.md"]
    commands = re.findall(r"`((?:cp|chmod) [^`]+)`", page)
    assert len(commands) == 2
    subprocess.run(["/bin/sh", "-euc", "\n".join(commands)], cwd=tmp_path, check=True)
    config = tmp_path / "secrets" / "config.json"
    assert config.stat().st_mode & 0o777 == 0o600
    assert list(json.loads(config.read_text("utf-8"))) == FORM["required"]


@pytest.fixture
def desk(asana: AsanaEmulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    """A user's folder with a DuckDB file, and its own account."""
    return Desk(asana, tmp_path, capsys)


def test_the_guides_query_finds_the_teams_of_a_project(desk: Desk) -> None:
    assert desk.sync("--streams", "projects,teams,project_memberships").exit_status == 0
    (query,) = [text for text in written_in("sql", GUIDE) if "project_memberships" in text]
    projects, teams = truth(desk.asana, "projects"), truth(desk.asana, "teams")
    names = {team["gid"]: team["name"] for team in teams}
    expected = {(p["name"], names[p["team"]["gid"]]) for p in projects if p["team"]}
    assert expected
    assert set(desk.execute(query)) == expected
    alone = next(project for project in projects if not project["team"])
    desk.execute(
        "UPDATE project_memberships SET member = json_object('gid', ?::VARCHAR), "
        "parent = json_object('gid', ?::VARCHAR, 'name', ?::VARCHAR) "
        "WHERE gid = (SELECT min(gid) FROM project_memberships)",
        *(teams[0]["gid"], alone["gid"], alone["name"]),
    )
    assert set(desk.execute(query)) == expected | {(alone["name"], teams[0]["name"])}


def test_the_cursor_of_a_restored_section_or_attachment_is_older_than_its_tombstone(
    asana: AsanaEmulator,
) -> None:
    connection = Connection(asana, "sections", "attachments")
    connection.sync()
    filled = {m["section"]["gid"] for task in truth(asana, "tasks") for m in task["memberships"]}
    section = next(s for s in truth(asana, "sections") if s["gid"] not in filled)
    attachment = truth(asana, "attachments")[0]
    told: dict[str, list[Mapping[str, Any]]] = {section["gid"]: [], attachment["gid"]: []}
    for change in (Account.delete, Account.restore):
        for gid in told:
            asana.change(partial(change, gid=gid))
        for message in connection.sync().of_type("RECORD"):
            gid = message["record"]["data"]["gid"]
            if gid in told:
                told[gid].append(message["record"])
    for tombstone, record in told.values():
        assert tombstone["data"][DELETED_AT] == tombstone["data"]["created_at"]
        assert record["data"].get(DELETED_AT) is None
        assert record["data"]["created_at"] < tombstone["data"]["created_at"]
        assert record["emitted_at"] >= tombstone["emitted_at"]
    assert "sort by `_airbyte_extracted_at`" in on_one_line(INCREMENTAL)
    assert "not by the cursor" in on_one_line(PAGES["docs/sql.md"])


# -- Links ----------------------------------------------------------------------------------------

HOME = (
    "https://github.com/airbytehq/airbyte/blob/master/airbyte-integrations/connectors/source-asana/"
)
DOCS = "https://docs.airbyte.com/integrations/sources/"
AT_AIRBYTE = {"asana": "docs/asana.md", "asana-migrations": "docs/migrating.md"}


def linked_pages() -> Iterator[tuple[str, str]]:
    """The links in the two pages that Airbyte publishes, as files of this project and anchors."""
    for page in (GUIDE, MIGRATING):
        for address in re.findall(r"https://[^\s)`]+", page):
            place, _, anchor = address.partition("#")
            if place.startswith(HOME):
                yield place.removeprefix(HOME), anchor
            elif place.startswith(DOCS):
                yield AT_AIRBYTE[place.removeprefix(DOCS)], anchor


def test_the_pages_for_airbyte_link_to_existing_pages_and_headings() -> None:
    links = list(linked_pages())
    assert links
    for file, anchor in links:
        text = (ROOT / file).read_text("utf-8")
        assert not anchor or anchor in anchors(text), (file, anchor)


def test_the_pages_for_airbyte_link_only_to_pages_that_airbyte_publishes() -> None:
    rule = "(/platform/operating-airbyte/ip-allowlist)"  # Airbyte requires exactly this
    for page in (GUIDE, MIGRATING):
        links = re.findall(r"\]\(([^)]+)\)", page.replace(rule, "(https://docs.airbyte.com)"))
        assert [link for link in links if not link.startswith(("https://", "#"))] == []
        used = set(re.findall(r"\]\[([\w-]+)\]", page))
        assert used == set(re.findall(r"^\[([\w-]+)\]: https://\S+$", page, re.MULTILINE))


@pytest.mark.parametrize("row", table_with("field | what it leaves out", GUIDE), ids=lambda r: r[0])
def test_the_filters_of_the_guide_have_the_titles_of_the_form(row: list[str]) -> None:
    titles = {field["title"] for field in FORM["properties"].values()}
    assert {title.strip() for title in row[0].removesuffix(": off").split(",")} <= titles


def test_the_metadata_names_the_diagram_that_airbyte_publishes() -> None:
    data = yaml.safe_load(METADATA)["data"]
    assert urlsplit(data["erdUrl"]).path == f"/airbyteio/{data['githubIssueLabel']}"
