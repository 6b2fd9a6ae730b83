"""The report at the end of a sync, as text. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

OPEN_TASKS_IN_DUCKDB = """\
SELECT membership.project.name AS project,
       count(*) AS tasks,
       count(*) FILTER (NOT completed) AS open,
       count(*) FILTER (NOT completed AND due_on < current_date) AS overdue
FROM tasks, unnest(from_json(memberships, '[{"project": {"name": "VARCHAR"}}]')) AS _(membership)
WHERE _ab_cdc_deleted_at IS NULL
GROUP BY ALL
ORDER BY open DESC, project
LIMIT 10"""

OPEN_TASKS_IN_POSTGRESQL = """\
SELECT membership -> 'project' ->> 'name' AS project,
       count(*) AS tasks,
       count(*) FILTER (WHERE NOT completed) AS open,
       count(*) FILTER (WHERE NOT completed AND due_on < current_date) AS overdue
FROM tasks CROSS JOIN jsonb_array_elements(memberships) AS membership
WHERE _ab_cdc_deleted_at IS NULL
GROUP BY 1
ORDER BY open DESC, project
LIMIT 10"""


@dataclass(frozen=True)
class StreamSummary:
    """The numbers of one stream. A stream that is not selected has only requests."""

    stream: str
    requests: int
    records: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Incomplete:
    """Why a stream is incomplete. `refused_with`: Asana's status, if it refused all of it."""

    message: str
    refused_with: int | None = None

    @property
    def note(self) -> str:
        """A word or two for the table."""
        return f"refused ({self.refused_with})" if self.refused_with else "incomplete"


def summary_table(
    streams: Sequence[str],
    summaries: Sequence[StreamSummary],
    incomplete: Mapping[str, Incomplete],
    elapsed: float,
) -> str:
    """A row for each selected stream, then one for each other stream requested, then the total."""
    selected = {summary.stream: summary for summary in summaries if summary.records is not None}
    rows = [_row(stream, selected.get(stream), incomplete.get(stream)) for stream in streams]
    rows += [
        (other.stream, None, other.requests, None, "not selected, but needed by other streams")
        for other in summaries
        if other.records is None
    ]
    records = sum(summary.records or 0 for summary in summaries)
    requests = sum(summary.requests for summary in summaries)
    total = ("total", records, requests, elapsed, "")
    return table(("stream", "records", "requests", "seconds", ""), rows, total)


def _row(
    stream: str, summary: StreamSummary | None, problem: Incomplete | None
) -> tuple[object, ...]:
    note = problem.note if problem else ""
    if summary is None:
        return (stream, None, None, None, note)
    if stream == "events" and not summary.records and not note:
        note = "nothing in a first sync; events exist only between syncs"
    return (stream, summary.records, summary.requests, summary.seconds, note)


def files(number: int, folder: Path) -> str:
    """How many files of attachments were downloaded, and where they are."""
    return f"{counted(number, 'file')} downloaded to {folder}/attachments/<gid of the attachment>"


def verdict(streams: Sequence[str], incomplete: Mapping[str, Incomplete]) -> str:
    """How many streams are complete; for each incomplete one, why and what to do."""
    complete = len(streams) - len(incomplete)
    lines = [f"{complete} of {counted(len(streams), 'stream')} complete."]
    for stream in streams:
        if problem := incomplete.get(stream):
            why = problem.message.removeprefix(f"{stream}: ")
            lines.append(f"  {stream}: {problem.note}. {why}")
    return "\n".join(lines)


def interrupted(done: int, known: int, *, is_fresh: bool) -> str:
    """What an interrupted sync has saved, and how to continue. FRESH=1 would start over."""
    saved = f": {done:,} of {counted(known, 'project')} saved" if known else ""
    command = "the same command without FRESH=1" if is_fresh else "the same command"
    return f"Interrupted{saved}. Run {command} to continue."


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def answer_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A query's result as a table."""
    return table(headings, rows) if rows else "(no rows)"


def table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], total: Sequence[object] | None = None
) -> str:
    """Align columns: text to the left, numbers to the right."""
    body = [tuple(map(_text, row)) for row in rows]
    foot = [tuple(map(_text, total))] if total else []
    columns = list(zip(headings, *body, *foot, strict=True))
    widths = [max(map(len, column)) for column in columns]
    numeric = [all(re.fullmatch(r"[\d.,]*", cell) for cell in column[1:]) for column in columns]

    def line(cells: Sequence[str]) -> str:
        aligned = zip(cells, widths, numeric, strict=True)
        padded = (c.rjust(width) if right else c.ljust(width) for c, width, right in aligned)
        return "  ".join(padded).rstrip()

    rule = line(["─" * width for width in widths])
    return "\n".join(
        [line(headings), rule, *map(line, body), *([rule] if foot else []), *map(line, foot)]
    )


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def example_query(
    streams: Sequence[str], summaries: Iterable[StreamSummary], open_tasks: str
) -> str:
    """An example query for a stream that was synced."""
    if "tasks" in streams:
        return open_tasks
    largest = max(summaries, key=lambda summary: summary.records or 0, default=None)
    stream = largest.stream if largest and largest.records else streams[0]
    return f"SELECT count(*) AS {stream} FROM {stream}"  # noqa: S608 (a stream's own name)
