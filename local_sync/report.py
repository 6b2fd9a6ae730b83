"""What the sync ends with: pure text from plain values."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

STREAM_LINE = re.compile(
    r"(?P<stream>\w+): (?P<records>[\d,]+) records?, (?P<requests>[\d,]+) requests?, "
    r"(?P<seconds>[\d.]+) s\b"
)
ON_THE_WAY_LINE = re.compile(r"on the way: (?P<stream>\w+), (?P<requests>[\d,]+) requests?\b")

OPEN_TASKS = """\
SELECT membership.project.name AS project,
       count(*) AS tasks,
       count(*) FILTER (NOT completed) AS open,
       count(*) FILTER (NOT completed AND due_on < current_date) AS overdue
FROM tasks, unnest(from_json(memberships, '[{"project": {"name": "VARCHAR"}}]')) AS _(membership)
WHERE _ab_cdc_deleted_at IS NULL
GROUP BY ALL
ORDER BY open DESC, project
LIMIT 10"""


@dataclass(frozen=True)
class StreamSummary:
    """What the connector says of a stream at its end; of one not selected, only the requests."""

    stream: str
    requests: int
    records: int | None = None
    seconds: float | None = None

    @classmethod
    def parse(cls, line: str) -> Self | None:
        """Read a closing line of the connector, such as `tasks: 120 records, 4 requests, 0.8 s`."""
        if found := STREAM_LINE.match(line):
            return cls(
                stream=found["stream"],
                requests=_number(found["requests"]),
                records=_number(found["records"]),
                seconds=float(found["seconds"]),
            )
        if found := ON_THE_WAY_LINE.match(line):
            return cls(stream=found["stream"], requests=_number(found["requests"]))
        return None


def summary_table(
    streams: Sequence[str], summaries: Sequence[StreamSummary], elapsed: float
) -> str:
    """The selected streams in their order, then what else was requested, then the sum."""
    selected = {summary.stream: summary for summary in summaries if summary.records is not None}
    rows = [_row(stream, selected.get(stream)) for stream in streams]
    rows += [_row(other.stream, other) for other in summaries if other.records is None]
    records = sum(summary.records or 0 for summary in summaries)
    requests = sum(summary.requests for summary in summaries)
    total = ("total", records, requests, elapsed, "")
    return table(("stream", "records", "requests", "seconds", ""), rows, total)


def _row(stream: str, summary: StreamSummary | None) -> tuple[object, ...]:
    if summary is None:
        return (stream, "", "", "", "no summary: not read to its end")
    note = "" if summary.records is not None else "not selected, but on the way"
    if stream == "events" and summary.records == 0:
        note = "events exist between two syncs: a first sync has none"
    return (stream, summary.records, summary.requests, summary.seconds, note)


def answer_table(rows: Sequence[Mapping[str, object]]) -> str:
    """The answer to a query, as a database client prints it."""
    if not rows:
        return "(no rows)"
    return table(tuple(rows[0]), [tuple(row.values()) for row in rows])


def table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], total: Sequence[object] | None = None
) -> str:
    """Columns as wide as their widest value, numbers to the right."""
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


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def example_query(streams: Sequence[str], summaries: Iterable[StreamSummary]) -> str:
    """A question worth asking the file, about a stream that is in it."""
    if "tasks" in streams:
        return OPEN_TASKS
    largest = max(summaries, key=lambda summary: summary.records or 0, default=None)
    stream = largest.stream if largest and largest.records else streams[0]
    return f"SELECT count(*) AS {stream} FROM {stream}"  # noqa: S608 (a stream's own name)
