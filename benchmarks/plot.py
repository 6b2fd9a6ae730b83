"""Draws seconds against the size of the account as SVG; both axes are logarithmic."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from math import ceil, floor, log10

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 24, 48
COLORS = ("#1b7f5c", "#c2571a", "#5b6ee1", "#8a8a8a")
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#444}"
    ".grid{stroke:#ddd;stroke-width:1}"
    ".line{fill:none;stroke-width:2.5}"
)


def plot(series: Mapping[str, Points], across: str, upwards: str) -> str:
    """The plot, with a labeled line for each series."""
    everything = list(chain.from_iterable(series.values()))
    horizontal = _powers([x for x, _ in everything])
    vertical = _powers([y for _, y in everything])
    place = _Place(horizontal, vertical)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{upwards} against {across}</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        *_grid(place),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, across),
        _text(8, TOP - 10, upwards, anchor="start"),
    ]
    for color, (name, points) in zip(COLORS, series.items(), strict=False):
        parts += _line(place, name, points, color)
    return "\n".join([*parts, "</svg>", ""])


class _Place:
    """The position of a point."""

    def __init__(self, horizontal: range, vertical: range) -> None:
        self.horizontal = horizontal
        self.vertical = vertical

    def x(self, value: float) -> float:
        share = (log10(value) - self.horizontal[0]) / (len(self.horizontal) - 1)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        share = (log10(value) - self.vertical[0]) / (len(self.vertical) - 1)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _powers(values: Sequence[float]) -> range:
    """The exponents of ten between which all values lie."""
    least, most = floor(log10(min(values))), ceil(log10(max(values)))
    return range(least, max(most, least + 1) + 1)


def _grid(place: _Place) -> Iterator[str]:
    for power in place.horizontal:
        x = place.x(10.0**power)
        yield f'<path class="grid" d="M{x} {TOP}V{HEIGHT - BOTTOM}"/>'
        yield _text(x, HEIGHT - BOTTOM + 18, _power(power))
    for power in place.vertical:
        y = place.y(10.0**power)
        yield f'<path class="grid" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>'
        yield _text(LEFT - 8, y + 4, _power(power), anchor="end")


def _line(place: _Place, name: str, points: Points, color: str) -> Iterator[str]:
    at = [(place.x(x), place.y(y)) for x, y in sorted(points)]
    path = "L".join(f"{x} {y}" for x, y in at)
    yield f'<path class="line" stroke="{color}" d="M{path}"/>'
    for x, y in at:
        yield f'<circle cx="{x}" cy="{y}" r="4" fill="{color}"/>'
    x, y = at[-1]
    yield _text(x + 9, y + 4, name, anchor="start")


def _text(x: float, y: float, words: str, anchor: str = "middle") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{words}</text>'


def _power(exponent: int) -> str:
    return f"{10**exponent:,}" if exponent >= 0 else f"{10.0**exponent:g}"
