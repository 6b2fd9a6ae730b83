"""The picture `docs/entities.svg`: all streams, and the columns by which they join."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from xml.sax.saxutils import escape

Tables = dict[str, dict[str, str]]
"""By stream: its columns that join, each with the streams that it leads to."""

COLORS = {
    "projects": "#2f6fd0",
    "sections": "#0e9384",
    "custom_fields": "#6938ef",
    "tasks": "#d9480f",
    "subtasks": "#997404",
    "tags": "#c11574",
    "portfolios": "#9e3fc4",
    "goals": "#2b8a3e",
    "time_periods": "#1d2939",
}
"""What lines lead to. Nearly every stream joins workspaces, users and teams: that is only said."""

ACCOUNT: list[Tables] = [
    {
        "workspaces": {},
        "workspace_memberships": {
            "workspace.gid": "workspaces",
            "user.gid": "users",
            "user_task_list.gid": "user_task_lists",
        },
        "organization_exports": {"organization.gid": "workspaces"},
    },
    {
        "users": {"workspaces[].gid": "workspaces"},
        "user_task_lists": {"owner.gid": "users", "workspace.gid": "workspaces"},
        "events": {"user.gid": "users", "resource.gid": "projects, tasks, stories, …"},
    },
    {
        "teams": {"organization.gid": "workspaces"},
        "team_memberships": {"team.gid": "teams", "user.gid": "users"},
        "audit_log_events": {
            "workspace_gid": "workspaces",
            "actor.gid": "users",
            "resource.gid": "any stream",
        },
    },
]

LEFT: Tables = {
    "project_memberships": {"parent.gid": "projects", "member.gid": "users, teams"},
    "project_briefs": {"project.gid": "projects"},
    "project_templates": {
        "workspace_gid": "workspaces",
        "team.gid": "teams",
        "owner.gid": "users",
    },
    "task_templates": {"project.gid": "projects"},
    "allocations": {"parent.gid": "projects", "assignee.gid": "users"},
    "custom_fields": {"workspace_gid": "workspaces"},
    "custom_field_settings": {
        "custom_field.gid": "custom_fields",
        "parent.gid": "projects, portfolios",
    },
    "status_updates": {"parent.gid": "projects, portfolios, goals", "author.gid": "users"},
}

MIDDLE: Tables = {
    "projects": {"workspace.gid": "workspaces", "team.gid": "teams", "owner.gid": "users"},
    "sections": {"project.gid": "projects"},
    "tasks": {
        "projects[].gid": "projects",
        "memberships[].project.gid": "projects",
        "memberships[].section.gid": "sections",
        "custom_fields[].gid": "custom_fields",
        "assignee.gid": "users",
        "parent.gid": "tasks, subtasks",
        "dependencies[].gid": "tasks, subtasks",
        "tags[].gid": "tags",
    },
    "subtasks": {"parent.gid": "tasks, subtasks", "…": "as tasks"},
    "portfolios": {"workspace.gid": "workspaces", "owner.gid": "users"},
    "goals": {
        "workspace.gid": "workspaces",
        "team.gid": "teams",
        "owner.gid": "users",
        "time_period.gid": "time_periods",
    },
}

RIGHT: Tables = {
    "attachments": {"parent.gid": "projects, tasks, subtasks"},
    "stories": {"target.gid": "tasks, subtasks", "created_by.gid": "users"},
    "time_tracking_entries": {
        "task.gid": "tasks, subtasks",
        "attributable_to.gid": "projects",
        "created_by.gid": "users",
    },
    "tags": {"workspace.gid": "workspaces"},
    "portfolio_items": {"portfolio_gid": "portfolios", "gid": "projects, portfolios"},
    "portfolio_memberships": {"parent.gid": "portfolios", "member.gid": "users, teams"},
    "portfolios_memberships": {"portfolio.gid": "portfolios", "user.gid": "users"},
    "goal_relationships": {
        "supported_goal.gid": "goals",
        "supporting_resource.gid": "goals, projects, tasks, portfolios",
    },
    "goal_memberships": {"parent.gid": "goals", "member.gid": "users, teams"},
    "time_periods": {"workspace_gid": "workspaces", "parent.gid": "time_periods"},
}

COMPACT = ("sections", "stories", "attachments", "portfolios")
"""Streams that have a variant with fewer columns and the same keys."""

TO_THE_RIGHT = {("tasks", "tags[].gid"), ("subtasks", "parent.gid"), ("goals", "time_period.gid")}
"""What leaves a box of the middle on its other side."""

WITHIN = ({"tasks", "subtasks"}, {"time_periods"})
"""Streams whose columns name one of the same kind: said, not drawn."""

DARK, GRAY = "#1d2939", "#667085"
BOX = 268
HEAD, LINE, FOOT = 27, 17, 5
MARGIN, TRACK = 20, 13


OPENING = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" \
font-family="Helvetica, Arial, sans-serif" font-size="12" role="img" aria-labelledby="title">
<title id="title">All streams, and the columns by which they join</title>
<rect width="{width:g}" height="{height:g}" fill="#fff"/>"""

EXPLANATION = (
    "Every column leads to the gid of another stream. "
    "Nearly all streams lead to workspaces, users and teams: these joins have no lines."
)


@dataclass(frozen=True)
class Row:
    """A column of a box, and the lines of text that it takes."""

    column: str
    targets: str

    @property
    def lines(self) -> int:
        return 1 if len(self.column) + len(self.targets) < 40 else 2

    def drawn(self, stream: str) -> list[str]:
        targets = [target for target in self.targets.split(", ") if target in COLORS]
        if stream == "subtasks":
            return [target for target in targets if target == "tasks"]
        return [t for t in targets if not any({stream, t} <= kind for kind in WITHIN)]


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


def entities_picture() -> str:
    """The whole picture."""
    gutters = _gutters()
    first, second = gutters
    xs = (MARGIN, first.left + first.width, second.left + second.width)
    width = xs[2] + BOX + MARGIN
    top = 62
    account = [_stacked(tables, x, top) for tables, x in zip(ACCOUNT, xs, strict=True)]
    below = max(map(_bottom, account)) + 44
    tallest = max(_bottom(_stacked(tables, 0, below)) for tables in (LEFT, MIDDLE, RIGHT))
    columns = [
        _stacked(tables, x, below, tallest)
        for tables, x in zip((LEFT, MIDDLE, RIGHT), xs, strict=True)
    ]
    parts = [
        OPENING.format(width=width, height=tallest + 24),
        _words(MARGIN, 26, "People, and what concerns the whole account", DARK, 15),
        _words(MARGIN, 44, EXPLANATION, GRAY),
        _words(MARGIN, below - 14, "Work, portfolios and goals", DARK, 15),
        *_lines(gutters, columns),
        *(_drawn(box) for column in (*account, *columns) for box in column),
        "</svg>\n",
    ]
    return "\n".join(parts)


def streams_shown() -> dict[str, dict[str, str]]:
    """Each stream with the columns that the picture has of it."""
    shown = {
        stream: columns
        for tables in (*ACCOUNT, LEFT, MIDDLE, RIGHT)
        for stream, columns in tables.items()
    }
    return shown | {f"{stream}_compact": {} for stream in COMPACT}


def _gutters() -> tuple[Gutter, Gutter]:
    sides = [_leaving(tables, side) for tables, side in ((LEFT, 1), (RIGHT, 0))]
    through = [_leaving(MIDDLE, side) for side in (0, 1)]
    used = [a | b for a, b in zip(sides, through, strict=True)]
    first = Gutter(MARGIN + BOX, [target for target in COLORS if target in used[0]])
    left = first.left + first.width + BOX
    return first, Gutter(left, [target for target in COLORS if target in used[1]])


def _leaving(tables: Tables, side: int) -> set[str]:
    return {
        target
        for stream, columns in tables.items()
        for column, targets in columns.items()
        if tables is not MIDDLE or side == ((stream, column) in TO_THE_RIGHT)
        for target in Row(column, targets).drawn(stream)
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


def _lines(gutters: Sequence[Gutter], columns: Sequence[Sequence[Box]]) -> Iterator[str]:
    left, middle, right = columns
    for side, (gutter, outer) in enumerate(zip(gutters, (left, right), strict=True)):
        near, far = gutter.left, gutter.left + gutter.width
        edges = {id(outer): (near, far)[side], id(middle): (far, near)[side]}
        joints = [
            Joint(edges[id(boxes)], y + LINE / 2 - 1, row.drawn(box.stream))
            for boxes in (outer, middle)
            for box in boxes
            for row, y in box.placed()
            if boxes is outer or side == ((box.stream, row.column) in TO_THE_RIGHT)
        ]
        heads = {
            box.stream: (edges[id(boxes)], box.y + HEAD / 2)
            for boxes in (outer, middle)
            for box in boxes
        }
        yield from _joined(gutter, [joint for joint in joints if joint.targets], heads)


def _joined(
    gutter: Gutter, joints: Sequence[Joint], heads: dict[str, tuple[float, float]]
) -> Iterator[str]:
    for joint in joints:
        ends = sorted((gutter.line(t) for t in joint.targets), key=lambda x: abs(x - joint.edge))
        color = COLORS[joint.targets[0]] if len(joint.targets) == 1 else "#98a2b3"
        yield _path(f"M{joint.edge:g} {joint.y:g}H{ends[-1]:g}", color)
    for target in gutter.targets:
        x, color, (edge, head) = gutter.line(target), COLORS[target], heads[target]
        ys = [joint.y for joint in joints if target in joint.targets]
        inwards = 7 if edge > x else -7
        yield _path(f"M{x:g} {min(*ys, head):g}V{max(*ys, head):g}M{x:g} {head:g}H{edge:g}", color)
        tip = f"M{edge - inwards:g} {head - 4:g}l{inwards} 4 {-inwards} 4z"
        yield f'<path d="{tip}" fill="{color}"/>'
        yield from (f'<circle cx="{x:g}" cy="{y:g}" r="2.6" fill="{color}"/>' for y in ys)


def _path(steps: str, color: str) -> str:
    return f'<path d="{steps}" fill="none" stroke="{color}" stroke-width="1.4"/>'


def _drawn(box: Box) -> str:
    color = COLORS.get(box.stream, GRAY)
    frame = (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{BOX}" height="{box.height}" rx="5" '
        f'fill="#f8fafc" stroke="{color}" stroke-width="1.3"/>'
    )
    parts = [
        frame,
        _words(box.x + 10, box.y + 18, box.stream, COLORS.get(box.stream, DARK), 13, bold=True),
    ]
    if box.stream in COMPACT:
        variant = f"and {box.stream}_compact"
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
