"""The parts of `make sync` that need neither an account nor a database."""

import io
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from rich.console import Console

from local_sync.loader import MAX_PARTIAL_AGE_SECONDS, resume_point
from local_sync.options import UsageError, known_streams, parse
from local_sync.report import (
    OPEN_TASKS_IN_DUCKDB,
    Incomplete,
    StreamSummary,
    example_query,
    interrupted,
    summary_table,
    verdict,
)
from local_sync.screen import LiveScreen, Pace, PlainScreen, Progress, duration, screen
from local_sync.store import Saved
from local_sync.sync import Outcome
from local_sync.tables import Kind, Table, fits, kind_of, table_of
from source_asana.streams.declared import STREAMS

USERS = StreamSummary(stream="users", records=1200, requests=12, seconds=0.8)
EVENTS = StreamSummary(stream="events", records=0, requests=0, seconds=0.0)
PROJECTS = StreamSummary(stream="projects", requests=3)
REFUSED = Incomplete("tags: Asana refused all tags (403). Ask for access.", 403)
FAILED = Incomplete("users: 1 of 2 requests failed.")

TABLE = """\
stream    records  requests  seconds
────────  ───────  ────────  ───────  ────────────────────────────────────────────────────────
users       1,200        12      0.8
tags                                  refused (403)
events          0         0      0.0  nothing in a first sync; events exist only between syncs
projects                  3           not selected, but needed by other streams
────────  ───────  ────────  ───────  ────────────────────────────────────────────────────────
total       1,200        15      2.0"""


def test_the_table_has_every_selected_stream_and_all_requests() -> None:
    summaries = [USERS, EVENTS, PROJECTS]
    assert summary_table(["users", "tags", "events"], summaries, {"tags": REFUSED}, 2.04) == TABLE


def test_the_verdict_says_why_a_stream_is_incomplete_and_what_to_do() -> None:
    assert verdict(["users", "tags"], {"tags": REFUSED}) == (
        "1 of 2 streams complete.\n"
        "  tags: refused (403). Asana refused all tags (403). Ask for access."
    )
    assert verdict(["users"], {}) == "1 of 1 stream complete."


def test_without_tasks_the_example_asks_about_the_largest_stream() -> None:
    query = example_query(["events", "users"], [EVENTS, USERS], OPEN_TASKS_IN_DUCKDB)
    assert query.endswith("FROM users")


@pytest.mark.parametrize(
    ("done", "known", "is_fresh", "told"),
    [
        (17, 32, False, "Interrupted: 17 of 32 projects saved. Run the same command to continue."),
        (0, 1, False, "Interrupted: 0 of 1 project saved. Run the same command to continue."),
        (0, 0, False, "Interrupted. Run the same command to continue."),
        (0, 0, True, "Interrupted. Run the same command without FRESH=1 to continue."),
    ],
)
def test_an_interruption_says_what_is_saved_and_how_to_continue(
    done: int, known: int, *, is_fresh: bool, told: str
) -> None:
    assert interrupted(done, known, is_fresh=is_fresh) == told


@pytest.mark.parametrize(
    ("incomplete", "named", "failure", "exit_status"),
    [
        ({}, [], None, 0),
        ({"tags": REFUSED}, [], None, 0),
        ({"tags": REFUSED}, ["--streams", "tags,users"], None, 1),
        ({"users": FAILED}, [], None, 1),
        ({"tags": REFUSED, "users": FAILED}, [], None, 1),
        ({}, [], "The token was refused.", 1),
    ],
)
def test_only_refused_streams_that_the_user_did_not_name_may_be_missing(
    incomplete: dict[str, Incomplete], named: list[str], failure: str | None, exit_status: int
) -> None:
    outcome = Outcome(incomplete=incomplete, failure=failure)
    assert outcome.exit_status(parse(named)) == exit_status


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tsks", "Unknown stream tsks. Did you mean tasks?"),
        ("users,Taks", "Unknown stream Taks. Did you mean tasks?"),
        ("xyz", "Unknown stream xyz. The README lists all streams."),
    ],
)
def test_an_unknown_stream_is_refused_with_a_suggestion(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=re.escape(told)):
        known_streams(text)


def test_an_unknown_stream_is_refused_before_anything_slow_is_imported() -> None:
    program = (
        "import sys, local_sync.__main__ as program\n"
        "sys.argv[1:] = ['--streams', 'tsks']\n"
        "status = program.main()\n"
        "assert not {'airbyte_cdk', 'duckdb', 'aiohttp'} & set(sys.modules)\n"
        "sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "Unknown stream tsks. Did you mean tasks?\n"


def test_streams_come_in_the_order_of_the_stream_table() -> None:
    assert known_streams(" tasks, users,") == ("users", "tasks")
    assert parse([]).streams == tuple(STREAMS)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--database", "mysql://host/db"], "DATABASE is not a PostgreSQL address"),
        (["--database", "postgresql://host"], "DATABASE is not a PostgreSQL address"),
        (["--database", "postgresql://u:p@[host/db"], "DATABASE is not a PostgreSQL address"),
        (["--database", "postgresql://h/d", "--file", "x"], "FILE and DATABASE cannot be combined"),
    ],
)
def test_an_unusable_target_is_refused(arguments: list[str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        parse(arguments)


INCREMENTAL, FULL = table_of("tasks"), table_of("users")
PARTIAL = Saved(generation=3, started_at=1_000, state={"done": {}})


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_incremental_only_if_its_deletions_are_reported_or_its_rows_stay(
    name: str,
) -> None:
    table = table_of(name)
    assert table.is_incremental == (table.marks_deletions or table.keeps_all)


def test_an_interrupted_refresh_can_be_resumed_for_a_day() -> None:
    soon, late = 1_000 + MAX_PARTIAL_AGE_SECONDS - 1, 1_000 + MAX_PARTIAL_AGE_SECONDS
    for table in (FULL, INCREMENTAL):
        assert resume_point(table, PARTIAL, soon, is_fresh=False) == PARTIAL
    assert resume_point(INCREMENTAL, PARTIAL, late, is_fresh=False) == PARTIAL
    assert resume_point(FULL, PARTIAL, late, is_fresh=False) == Saved(4, late)


@pytest.mark.parametrize("table", [FULL, INCREMENTAL], ids=["full", "incremental"])
def test_a_refresh_starts_if_there_is_no_state_or_the_user_wants_it(table: Table) -> None:
    for saved, is_fresh in ((replace(PARTIAL, state=None), False), (PARTIAL, True)):
        assert resume_point(table, saved, 1_001, is_fresh=is_fresh) == Saved(4, 1_001)


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ({"type": ["null", "string"]}, Kind.TEXT),
        ({"type": "string"}, Kind.TEXT),
        ({"type": ["null", "string"], "format": "date"}, Kind.DATE),
        ({"type": ["null", "string"], "format": "date-time"}, Kind.TIME),
        ({"type": ["null", "integer"]}, Kind.INTEGER),
        ({"type": ["null", "number"]}, Kind.NUMBER),
        ({"type": ["null", "boolean"]}, Kind.BOOLEAN),
        ({"type": ["null", "array"]}, Kind.JSON),
        ({"type": ["null", "string", "object"]}, Kind.JSON),
    ],
)
def test_the_kind_of_a_column_follows_from_its_schema(shape: dict[str, object], kind: Kind) -> None:
    assert kind_of(shape) is kind


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Kind.TEXT, ["x", 1, {}], []),
        (Kind.JSON, [[], {}, "x"], []),
        (Kind.BOOLEAN, [True], [1, "true"]),
        (Kind.INTEGER, [1, -2.0], [True, "1", 2**63, float("inf")]),
        (Kind.NUMBER, [1, 1.5], [True, "1", float("nan")]),
        (Kind.DATE, ["2026-01-31"], ["2026-02-30", 5, "soon"]),
        (Kind.TIME, ["2026-01-31T00:00:00.000Z"], ["2026-01-31T25:00:00Z", {}]),
    ],
)
def test_a_value_fits_a_column_of_its_kind(
    kind: Kind, good: list[object], bad: list[object]
) -> None:
    assert all(fits(kind, value) for value in [None, *good])
    assert not any(fits(kind, value) for value in bad)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_rate_covers_the_last_minute() -> None:
    clock = Clock()
    pace = Pace(clock)
    requests = 0
    for second in range(300):
        clock.now = 101.0 + second
        requests += 10 if second < 200 else 20
        rate = pace.per_minute(requests)
        if second == 150:
            assert rate == pytest.approx(600)
    assert rate == pytest.approx(1200)


def test_the_time_left_is_estimated_from_the_projects_left() -> None:
    clock = Clock()
    pace = Pace(clock)
    clock.now += 60
    progress = Progress(streams=2, projects_done=1, projects_known=8)
    assert pace.seconds_left(progress) is None
    progress.projects_done = 2
    assert pace.seconds_left(progress) == pytest.approx(180)


def test_without_a_terminal_there_is_a_line_every_ten_seconds() -> None:
    clock, out = Clock(), io.StringIO()
    progress = Progress(streams=5)
    plain = PlainScreen(progress, out, clock, now=lambda: 1_000.0)
    plain.show()
    assert out.getvalue() == ""
    clock.now += 10
    progress.requests, progress.records, progress.streams_done = 200, 3_100, 1
    progress.projects_done, progress.projects_known = 4, 8
    plain.show()
    plain.show()
    assert out.getvalue() == (
        "  10.0 s  4 of 8 projects done, 1 of 5 streams, 3,100 records, "
        "200 requests (1,200/min), about 10 s left\n"
    )


def test_a_rate_limit_says_once_when_it_continues() -> None:
    clock, out = Clock(), io.StringIO()
    progress = Progress(streams=5, continues_at=1_055.0)
    plain = PlainScreen(progress, out, clock, now=lambda: 1_000.0)
    plain.show()
    plain.show()
    (line,) = out.getvalue().splitlines()
    assert re.search(r"Asana rate limit reached; continues at \d\d:\d\d:\d\d, in 55 s$", line)


def test_a_terminal_shows_a_bar_the_numbers_and_the_wait() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100)
    progress = Progress(streams=5, projects_done=4, projects_known=8, records=3_100)
    progress.continues_at, progress.is_stopping = 2e10, True
    console.print(LiveScreen(progress, console))
    shown = out.getvalue()
    assert "━" in shown
    assert "4 of 8 projects done, 0 of 5 streams, 3,100 records" in shown
    assert "Asana rate limit reached; continues at" in shown
    assert "Press Ctrl-C again" in shown


def test_without_a_terminal_messages_are_plain_lines() -> None:
    out = io.StringIO()
    with screen(Progress(streams=1), out) as shown:
        shown.say("tasks: 1 project skipped")
    assert out.getvalue() == "   0.0 s  tasks: 1 project skipped\n"


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.2, "1 s"), (89, "89 s"), (150, "2 min"), (7_200, "2.0 h")]
)
def test_durations_are_rounded(seconds: float, told: str) -> None:
    assert duration(seconds) == told
