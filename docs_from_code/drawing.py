"""Draws streams as boxes in three columns, and lines between the columns by which they join."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from xml.sax.saxutils import escape

Tables = Mapping[str, Mapping[str, str]]
"""By stream: its columns that join, each with the streams that it leads to."""

DARK, GRAY = "#1d2939", "#667085"
BOX = 276
LETTERS = 40
"""As many fit into a line of a box."""
HEAD, LINE, FOOT = 27, 17, 5
MARGIN, TRACK = 20, 13


OPENING = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" \
font-family="Helvetica, Arial, sans-serif" font-size="12" role="img" aria-labelledby="title">
<title id="title">{title}</title>
<rect width="{width:g}" height="{height:g}" fill="#fff"/>"""


@dataclass(frozen=True)
class Layout:
    """Which stream stands where, and in which color lines lead to it.

    Lines join the boxes of neighboring columns, to streams that have a color. Columns of the middle
    leave it on the left, but for those `to_the_right`.
    """

    title: str
    explanation: str
    heading: str
    colors: Mapping[str, str]
    left: Tables
    middle: Tables
    right: Tables
    to_the_right: Collection[tuple[str, str]]
    """Streams of the middle, each with a column."""
    without_lines: Collection[tuple[str, str]] = ()
    """Streams, each with a target: said, not drawn."""
    above: Sequence[Tables] = ()
    """Three columns of boxes that no line joins."""
    above_heading: str = ""
    variants: Mapping[str, str] = field(default_factory=dict)
    """By stream: the variant of it that is named in the same box."""

    def drawn(self, stream: str, targets: str) -> list[str]:
        """What lines lead to from a column of a stream."""
        return [
            target
            for target in targets.split(", ")
            if target in self.colors and (stream, target) not in self.without_lines
        ]

    def leaves_on(self, stream: str, column: str) -> int:
        """The side on which a column of the middle leaves it: 0 left, 1 right."""
        return int((stream, column) in self.to_the_right)


@dataclass(frozen=True)
class Row:
    """A column of a box, and the lines of text that it takes."""

    column: str
    targets: str

    @property
    def lines(self) -> int:
        return 1 if len(self.column) + len(self.targets) < LETTERS else 2


@dataclass(frozen=True)
class Box:
    """A stream at its place."""

    stream: str
    rows: Sequence[Row]
    x: float
    y: float

    @property
    def height(self) -> int:
        lines = sum(row.lines for row in self.rows)
        return HEAD + lines * LINE + (FOOT if lines else 0)

    def placed(self) -> Iterator[tuple[Row, float]]:
        """Each row with the height at which its text begins."""
        tops = accumulate((row.lines * LINE for row in self.rows), initial=self.y + HEAD)
        yield from zip(self.rows, tops, strict=False)


@dataclass(frozen=True)
class Gutter:
    """The space between two columns, with an upright line for each stream that is joined."""

    left: float
    targets: Sequence[str]

    @property
    def width(self) -> float:
        return TRACK * (len(self.targets) + 1)

    def line(self, target: str) -> float:
        return self.left + TRACK * (1 + self.targets.index(target))


@dataclass(frozen=True)
class Joint:
    """A row whose lines leave its box at the edge, at this height."""

    edge: float
    y: float
    targets: Sequence[str]


def picture(layout: Layout) -> str:
    """The whole picture, as SVG."""
    gutters = _gutters(layout)
    first, second = gutters
    xs = (MARGIN, first.left + first.width, second.left + second.width)
    width = xs[2] + BOX + MARGIN
    top = 62
    above = [_stacked(tables, x, top) for tables, x in zip(layout.above, xs, strict=False)]
    below = max(map(_bottom, above)) + 44 if above else top
    work = (layout.left, layout.middle, layout.right)
    tallest = max(_bottom(_stacked(tables, 0, below)) for tables in work)
    columns = [_stacked(tables, x, below, tallest) for tables, x in zip(work, xs, strict=True)]
    headings = [layout.above_heading, layout.heading] if above else [layout.heading]
    parts = [
        OPENING.format(width=width, height=tallest + 24, title=escape(layout.title)),
        _words(MARGIN, 26, headings[0], DARK, 15),
        _words(MARGIN, 44, layout.explanation, GRAY),
        *(_words(MARGIN, below - 14, heading, DARK, 15) for heading in headings[1:]),
        *_lines(layout, gutters, columns),
        *(_drawn(layout, box) for column in (*above, *columns) for box in column),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _gutters(layout: Layout) -> tuple[Gutter, Gutter]:
    sides = [
        _leaving(layout, tables, side) for tables, side in ((layout.left, 1), (layout.right, 0))
    ]
    through = [_leaving(layout, layout.middle, side) for side in (0, 1)]
    used = [a | b for a, b in zip(sides, through, strict=True)]
    first = Gutter(MARGIN + BOX, [target for target in layout.colors if target in used[0]])
    left = first.left + first.width + BOX
    return first, Gutter(left, [target for target in layout.colors if target in used[1]])


def _leaving(layout: Layout, tables: Tables, side: int) -> set[str]:
    return {
        target
        for stream, columns in tables.items()
        for column, targets in columns.items()
        if tables is not layout.middle or side == layout.leaves_on(stream, column)
        for target in layout.drawn(stream, targets)
    }


def _stacked(tables: Tables, x: float, top: float, bottom: float = 0) -> list[Box]:
    """Boxes below each other, spread as far as the bottom."""
    boxes = [
        Box(stream, [Row(*row) for row in columns.items()], x, top)
        for stream, columns in tables.items()
    ]
    heights = [box.height for box in boxes]
    gap = max((bottom - top - sum(heights)) / (len(boxes) - 1), 14)
    tops = accumulate((height + gap for height in heights), initial=top)
    return [Box(box.stream, box.rows, x, y) for box, y in zip(boxes, tops, strict=False)]


def _bottom(boxes: Sequence[Box]) -> float:
    return boxes[-1].y + boxes[-1].height


def _lines(
    layout: Layout, gutters: Sequence[Gutter], columns: Sequence[Sequence[Box]]
) -> Iterator[str]:
    left, middle, right = columns
    for side, (gutter, outer) in enumerate(zip(gutters, (left, right), strict=True)):
        near, far = gutter.left, gutter.left + gutter.width
        edges = {id(outer): (near, far)[side], id(middle): (far, near)[side]}
        joints = [
            Joint(edges[id(boxes)], y + LINE / 2 - 1, layout.drawn(box.stream, row.targets))
            for boxes in (outer, middle)
            for box in boxes
            for row, y in box.placed()
            if boxes is outer or side == layout.leaves_on(box.stream, row.column)
        ]
        heads = {
            box.stream: (edges[id(boxes)], box.y + HEAD / 2)
            for boxes in (outer, middle)
            for box in boxes
        }
        yield from _joined(layout, gutter, [joint for joint in joints if joint.targets], heads)


def _joined(
    layout: Layout,
    gutter: Gutter,
    joints: Sequence[Joint],
    heads: Mapping[str, tuple[float, float]],
) -> Iterator[str]:
    for joint in joints:
        ends = sorted((gutter.line(t) for t in joint.targets), key=lambda x: abs(x - joint.edge))
        color = layout.colors[joint.targets[0]] if len(joint.targets) == 1 else "#98a2b3"
        yield _path(f"M{joint.edge:g} {joint.y:g}H{ends[-1]:g}", color)
    for target in gutter.targets:
        x, color, (edge, head) = gutter.line(target), layout.colors[target], heads[target]
        ys = [joint.y for joint in joints if target in joint.targets]
        inwards = 7 if edge > x else -7
        yield _path(f"M{x:g} {min(*ys, head):g}V{max(*ys, head):g}M{x:g} {head:g}H{edge:g}", color)
        tip = f"M{edge - inwards:g} {head - 4:g}l{inwards} 4 {-inwards} 4z"
        yield f'<path d="{tip}" fill="{color}"/>'
        yield from (f'<circle cx="{x:g}" cy="{y:g}" r="2.6" fill="{color}"/>' for y in ys)


def _path(steps: str, color: str) -> str:
    return f'<path d="{steps}" fill="none" stroke="{color}" stroke-width="1.4"/>'


def _drawn(layout: Layout, box: Box) -> str:
    color = layout.colors.get(box.stream, GRAY)
    frame = (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{BOX}" height="{box.height}" rx="5" '
        f'fill="#f8fafc" stroke="{color}" stroke-width="1.3"/>'
    )
    parts = [
        frame,
        _words(
            box.x + 10, box.y + 18, box.stream, layout.colors.get(box.stream, DARK), 13, bold=True
        ),
    ]
    if box.stream in layout.variants:
        variant = f"and {layout.variants[box.stream]}"
        parts.append(_words(box.x + BOX - 10, box.y + 18, variant, GRAY, 11, end=True))
    for row, top in box.placed():
        parts.append(_words(box.x + 10, top + 12, row.column, DARK))
        y = top + 12 + LINE * (row.lines - 1)
        parts.append(_words(box.x + BOX - 10, y, f"→ {row.targets}", GRAY, end=True))
    return "\n".join(parts)


def _words(
    x: float,
    y: float,
    text: str,
    color: str,
    size: int = 12,
    *,
    bold: bool = False,
    end: bool = False,
) -> str:
    style = (' font-weight="bold"' if bold else "") + (' text-anchor="end"' if end else "")
    return (
        f'<text x="{x:g}" y="{y:g}" fill="{color}" font-size="{size}"{style}>{escape(text)}</text>'
    )
