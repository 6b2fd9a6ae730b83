"""What the sync ends with: pure text from plain values."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

SUMMARY = re.compile(r"^(\w+): ([\d,]+) records?, ([\d,]+) requests?, ([\d.]+) s")

NO_EVENTS = "events exist between two syncs: a first sync has none"

OPEN_TASKS = """\
SELECT membership.project.name AS project,
       count(*) AS tasks,
       count(*) FILTER (NOT completed) AS open,
       count(*) FILTER (NOT completed AND due_on < current_date) AS overdue
FROM tasks, unnest(from_json(memberships, '[{"project": {"name": "VARCHAR"}}]')) AS _(membership)
GROUP BY ALL
ORDER BY open DESC, project
LIMIT 10"""


@dataclass(frozen=True)
class StreamSummary:
    """What the connector says of a stream when it has read it."""

    stream: str
    records: int
    requests: int
    seconds: float

    @classmethod
    def parse(cls, line: str) -> "StreamSummary | None":
        """Read a closing line of the connector, such as `tasks: 120 records, 4 requests, 0.8 s`."""
        if not (match := SUMMARY.match(line)):
            return None
        stream, records, requests, seconds = match.groups()
        return cls(
            stream=stream,
            records=int(records.replace(",", "")),
            requests=int(requests.replace(",", "")),
            seconds=float(seconds),
        )


def summary_table(
    streams: Sequence[str], summaries: Iterable[StreamSummary], elapsed: float
) -> str:
    """One row a stream, in the given order, and the sum; a stream without a summary has dashes."""
    by_stream = {summary.stream: summary for summary in summaries}
    rows = [_row(stream, by_stream.get(stream)) for stream in streams]
    total = (
        "total",
        sum(summary.records for summary in by_stream.values()),
        sum(summary.requests for summary in by_stream.values()),
        round(elapsed, 1),
        "",
    )
    return table(("stream", "records", "requests", "seconds", ""), rows, total)


def _row(stream: str, summary: StreamSummary | None) -> tuple[object, ...]:
    if summary is None:
        return (stream, "–", "–", "–", "not read to its end")
    note = NO_EVENTS if stream == "events" and not summary.records else ""
    return (stream, summary.records, summary.requests, summary.seconds, note)


def table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], total: Sequence[object] | None = None
) -> str:
    """Columns as wide as their widest value, numbers to the right."""
    body = [tuple(map(_text, row)) for row in rows]
    foot = [tuple(map(_text, total))] if total else []
    columns = list(zip(headings, *body, *foot, strict=True))
    widths = [max(map(len, column)) for column in columns]
    numeric = [all(map(_is_number, column[1:])) for column in columns]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(cells, widths, numeric, strict=True)
        )
        return "  ".join(padded).rstrip()

    rule = "  ".join("─" * width for width in widths if width)
    closing = [rule, *map(line, foot)] if foot else []
    return "\n".join([line(headings), rule, *map(line, body), *closing])


def answer_table(rows: Sequence[Mapping[str, object]]) -> str:
    """The answer to a query, as its client would print it."""
    if not rows:
        return "(no rows)"
    return table(tuple(rows[0]), [tuple(row.values()) for row in rows])


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}"
    if isinstance(value, int):
        return f"{value:,}"
    return "" if value is None else str(value)


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[\d.,]+|–", text))


def example_query(streams: Sequence[str], summaries: Iterable[StreamSummary]) -> str:
    """A question worth asking the file, about the streams that are in it."""
    if "tasks" in streams:
        return OPEN_TASKS
    most = max(summaries, key=lambda summary: summary.records, default=None)
    return f"SELECT count(*) AS records FROM {most.stream if most else streams[0]}"  # noqa: S608 a stream's name
