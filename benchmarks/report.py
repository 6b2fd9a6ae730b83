"""The measurements as a page of Markdown. Pure."""

from collections.abc import Iterator, Sequence

from benchmarks.cases import PUBLISHED, Case
from benchmarks.figures import Measurement, ratios
from benchmarks.machine import Machine
from benchmarks.plot import CHARTS
from benchmarks.targets import MEGABYTE, Measured, targets

KILOBYTE = 1_000
LOOKS = {True: "holds", False: "**missed**"}
TITLE = "# Measured against the published connector"
LARGE_TITLE = "# Measured on large accounts"
LARGE_WORDS = (
    "`make bench CASES=large` writes this page. [The main page](benchmarks.md) says how it is "
    "measured."
)
COLUMNS = (
    "account",
    "latency",
    "workers",
    "connector",
    "requests",
    "floor",
    "429",
    "wall s",
    "CPU s",
    "peak MB",
    "records",
    "missing",
    "too many",
    "other kB",
)


def page(cases: Sequence[Case], measured: Measured, machine: Machine, *, method: str | None) -> str:
    """Write the whole page; `method` says how it was measured, and None is for large accounts."""
    tables = findings(cases, measured)
    if method is None:
        return "\n".join([LARGE_TITLE, "", LARGE_WORDS, "", machine.described(), "", *tables])
    pictures = (f"![{chart.title}]({chart.file})" for chart in CHARTS)
    begin = (TITLE, *pictures, machine.described())
    return "\n".join(["\n\n".join(begin), "", *tables, method])


def findings(cases: Sequence[Case], measured: Measured) -> Iterator[str]:
    """The targets, and a table for each group of cases."""
    yield "## Targets\n"
    yield "| target | measured | |\n|---|---|---|"
    for target in targets(cases, measured):
        yield f"| {target.promise} | {target.measured} | {LOOKS[target.holds]} |"
    for group in dict.fromkeys(case.group for case in cases):
        lines = [line for case in cases if case.group == group for line in _lines(case, measured)]
        if lines:
            yield f"\n## {group}\n"
            yield _row("", *COLUMNS)
            yield _row(*["---"] * 5, *["---:"] * 10)
            yield from lines
    yield ""


def _lines(case: Case, measured: Measured) -> Iterator[str]:
    """A row for each connector, and one that compares them."""
    for connector in case.connectors:
        one = measured.one(case, connector)
        if one is not None:
            yield _figures(case, one)
    ours, theirs = measured.runs(case), measured.runs(case, PUBLISHED)
    if ours and theirs:
        times = ratios(theirs, ours)
        yield _row(
            *("", "", "", ""),
            "published ÷ ours",
            f"**{times.requests:.1f}**" if case.streams else "",
            *("", ""),
            f"**{times.wall:.1f}**",
            f"**{times.cpu:.1f}**",
            f"**{times.memory:.1f}**",
            *("", "", "", ""),
        )


def _figures(case: Case, one: Measurement) -> str:
    name = one.connector + (f" (exit {one.exit_status})" if one.exit_status else "")
    return _row(
        one.case,
        f"{case.tasks:,}",
        f"{case.latency_ms} ms",
        str(case.workers),
        name,
        f"{one.requests:,}",
        f"{one.floor:,}",
        f"{one.refused:,}",
        f"{one.wall:.1f}",
        f"{one.cpu:.1f}",
        f"{one.memory / MEGABYTE:.0f}",
        f"{one.records:,}",
        f"{one.missing:,}",
        f"{one.too_many:,}",
        f"{one.other_bytes / KILOBYTE:.1f}",
    )


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
