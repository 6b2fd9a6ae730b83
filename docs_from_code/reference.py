"""The text of `docs/reference.md`: every stream and every column, as the code declares them."""

import re
from collections.abc import Iterable, Iterator, Mapping

from docs_from_code.declarations import Stream, all_streams
from docs_from_code.tables import table
from docs_from_code.words import TABLES
from source_asana.streams import records
from source_asana.streams.fields import ArrayShape, Leaf, ObjectShape, Shape

INTRODUCTION = """\
# Reference: streams and columns

`make docs` writes this page from the code; do not edit it.

Every column but the key may be null. A `gid` is a string of digits. `date` and `date-time` are
strings of these formats: `2026-11-20`, `2026-11-20T10:00:00.000Z`. A type that is a link is an
object with the columns of the [shape](#shapes) of that name. "Joins to users.gid" means that the
`gid` in the column is the `gid` of a record in `users`.
"""

FIND = """\
## Find your table

What people look for, and where it is.
"""

SHAPES = """\
## Shapes

What records hold of each other, named once.
"""


def reference_page(counts: Mapping[str, int]) -> str:
    """The whole page. `counts` has the number of records of each stream in the sample account."""
    shapes = _shared_shapes()
    parts = [INTRODUCTION, FIND, _index(), _contents(counts)]
    parts += [_stream_section(stream, shapes) for stream in all_streams().values()]
    parts.append(SHAPES)
    for name, shape in shapes.items():
        rows = _rows(shape.columns.items(), shapes)
        parts.append(f"### {name}\n\n{table(HEADING, rows)}\n")
    return "\n".join(parts)


HEADING = ("column", "type", "description")


def _index() -> str:
    rows = ([words, _linked(places)] for words, places in TABLES.items())
    return f"{table(('you look for', 'table or column'), rows)}\n"


def _linked(places: str) -> str:
    return ", ".join(f"[{p}](#{p.partition('.')[0]})" for p in places.split(", "))


def _contents(counts: Mapping[str, int]) -> str:
    heading = ("stream", "what it holds", "records in the sample account")
    rows = (
        [f"[{name}](#{name})", stream.about.removesuffix("."), f"{counts[name]:,}"]
        for name, stream in all_streams().items()
    )
    note = "`make sync` reads the sample account."
    return f"## Streams\n\n{note}\n\n{table(heading, rows)}\n"


def _stream_section(stream: Stream, shapes: Mapping[str, ObjectShape]) -> str:
    rows = [
        [column, _of_key(type_) if column in stream.key else type_, description]
        for column, type_, description in _rows(stream.columns.items(), shapes)
    ]
    for row in rows:
        if row[0] in stream.added:
            row[1] += ", made by the connector"
    return f"## {stream.name}\n\n{_about(stream)}\n\n{table(HEADING, rows)}\n"


def _of_key(type_: str) -> str:
    return f"{type_}, never null"


def _about(stream: Stream) -> str:
    """What the records are, and how they are read."""
    modes = "full refresh and incremental" if stream.cursor else "full refresh"
    facts = [f"Key: {_code(stream.key)}"]
    if stream.cursor:
        facts.append(f"cursor: {_code([stream.cursor])}")
    facts += [modes, f"[`{stream.request}`]({stream.page})"]
    return f"{stream.about}\n\n{'; '.join(facts)}."


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _shared_shapes() -> dict[str, ObjectShape]:
    """The shapes that have a name in the code and stand inside a record, by that name.

    Of names for shapes that look the same, the first counts.
    """
    nested = [shape for stream in all_streams().values() for shape in _below(stream.record)]
    shared: dict[str, ObjectShape] = {}
    for constant, shape in vars(records).items():
        if isinstance(shape, ObjectShape) and shape in nested and shape not in shared.values():
            shared[constant.lower().replace("_", " ")] = shape
    return shared


def _below(shape: Shape) -> Iterator[Shape]:
    match shape:
        case ArrayShape(items):
            yield items
            yield from _below(items)
        case ObjectShape(columns):
            for column in columns.values():
                yield column
                yield from _below(column)
        case _:
            pass


def _rows(
    columns: Iterable[tuple[str, Shape]], shapes: Mapping[str, ObjectShape]
) -> list[tuple[str, str, str]]:
    """Each column with type and description; those of an object without a name follow it."""
    rows = []
    for name, shape in columns:
        rows.append((name, _type(shape, shapes), shape.description))
        element, path = (
            (shape.items, f"{name}[]") if isinstance(shape, ArrayShape) else (shape, name)
        )
        if isinstance(element, ObjectShape) and element not in shapes.values():
            below = ((f"{path}.{column}", inner) for column, inner in element.columns.items())
            rows += _rows(below, shapes)
    return rows


def _type(shape: Shape, shapes: Mapping[str, ObjectShape]) -> str:
    match shape:
        case Leaf(json_type, json_format):
            return json_format or json_type
        case ArrayShape(items):
            return f"array of {_type(items, shapes)}"
        case _:
            name = next((name for name, shared in shapes.items() if shared == shape), None)
            return f"[{name}](#{name.replace(' ', '-')})" if name else "object"


def columns_shown(page: str, stream: str) -> list[str]:
    """The top-level columns that a page shows of a stream."""
    section = page.partition(f"\n## {stream}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| (\w+) \|(?! type)", section, re.MULTILINE)
