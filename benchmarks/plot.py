"""`make charts`: draws requests and time of both connectors, from the figures of the page.

The only module that needs matplotlib, which is in an environment of its own.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PAGE = Path("docs/benchmarks.md")
GROUP = "All streams that both have"
OURS, PUBLISHED = "ours", "published"
NAMES = {OURS: "this connector", PUBLISHED: "published connector"}
COLORS = {OURS: "#1b7f5c", PUBLISHED: "#b9bdc4"}
INK = "#333333"


@dataclass(frozen=True)
class Chart:
    """A bar for each connector: the column of the page, the title, and how a value is written."""

    file: str
    column: str
    title: str
    unit: str

    def label(self, value: float) -> str:
        """Write a value as the page does, with its unit."""
        return (
            f"{value:,.0f} {self.unit}" if self.unit == "requests" else f"{value:,.1f} {self.unit}"
        )


CHARTS = (
    Chart("benchmarks_requests.svg", "requests", "Requests to Asana", "requests"),
    Chart("benchmarks_time.svg", "wall s", "Time of a full refresh", "s"),
)


def figures(page: str) -> Mapping[str, Mapping[str, str]]:
    """Read the cells of the page's table of all common streams, by connector and column."""
    _, found, rest = page.partition(f"\n## {GROUP}\n")
    if not found:
        message = f"{PAGE} has no table of: {GROUP}"
        raise ValueError(message)
    heading, _, *rows = (_cells(line) for line in _table(rest))
    told = [dict(zip(heading, row, strict=True)) for row in rows]
    return {row["connector"]: row for row in told if row["connector"] in NAMES}


def values(page: str, chart: Chart) -> dict[str, float]:
    """Read what a chart shows, by connector."""
    rows = figures(page)
    return {name: float(rows[name][chart.column].replace(",", "")) for name in (OURS, PUBLISHED)}


def subtitle(page: str) -> str:
    """Say what was read: streams, tasks and latency, as in the table."""
    row = figures(page)[OURS]
    return f"{row['']}, {row['account']} tasks, {row['latency']} latency, {row['workers']} workers"


def _table(text: str) -> Iterator[str]:
    for line in text.strip().splitlines():
        if not line.startswith("|"):
            return
        yield line


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def draw(chart: Chart, page: str, folder: Path) -> Path:
    """Draw a chart into the folder, as SVG with its text as text."""
    import matplotlib as mpl  # noqa: PLC0415 - nothing else in this module needs it

    mpl.use("svg")
    mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": chart.file, "font.size": 11}
    mpl.rcParams["font.family"] = "sans-serif"
    from matplotlib import pyplot as plt  # noqa: PLC0415

    shown = values(page, chart)
    figure, axes = plt.subplots(figsize=(7, 1.7), layout="constrained")
    bars = axes.barh([NAMES[name] for name in shown], list(shown.values()), height=0.75)
    for bar, (name, value) in zip(bars, shown.items(), strict=True):
        bar.set_color(COLORS[name])
        axes.annotate(
            chart.label(value),
            (value, bar.get_y() + bar.get_height() / 2),
            xytext=(6, 0),
            textcoords="offset points",
            verticalalignment="center",
            color=INK,
            weight="bold",
        )
    axes.invert_yaxis()
    axes.set_xlim(0, 1.22 * max(shown.values()))
    axes.xaxis.set_visible(False)
    axes.tick_params(left=False, labelcolor=INK)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_title(chart.title, loc="left", pad=18, fontsize=13, weight="bold", color=INK)
    axes.text(0, 1.07, subtitle(page), transform=axes.transAxes, fontsize=9, color="#666666")
    file = folder / chart.file
    figure.savefig(file, metadata={"Date": None, "Creator": None, "Title": _told(chart, shown)})
    plt.close(figure)
    return file


def _told(chart: Chart, shown: Mapping[str, float]) -> str:
    bars = (f"{NAMES[name]}: {chart.label(value)}" for name, value in shown.items())
    return f"{chart.title}. {'; '.join(bars)}"


def main() -> None:
    """Draw all charts beside the page."""
    page = PAGE.read_text(encoding="utf-8")
    for chart in CHARTS:
        print(draw(chart, page, PAGE.parent), file=sys.stderr)


if __name__ == "__main__":
    main()
