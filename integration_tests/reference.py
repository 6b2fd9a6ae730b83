"""The text of `docs/reference.md`: every stream and every column, as the code declares them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from textwrap import fill

from source_asana.streams import records
from source_asana.streams.declared import STREAMS
from source_asana.streams.fields import DATE_TIME, STRING, ArrayShape, Leaf, ObjectShape, Shape
from source_asana.streams.sources import DELETED_AT, StreamClass

INTRODUCTION = """\
# Reference: streams and columns

Made from the code by `pytest integration_tests/test_reference.py --update-golden`; do not edit it.

Every column but the key may be null. A `gid` is a string of digits. `date` and `date-time` are
strings of these formats: `2026-11-20`, `2026-11-20T10:00:00.000Z`. A type that is a link is an
object with the columns of the [shape](#shapes) of that name.
"""

SHAPES = """\
## Shapes

What records hold of each other, named once.
"""


def reference_page() -> str:
    """The whole page."""
    shapes = _shared_shapes()
    parts = [INTRODUCTION, _contents()]
    parts += [_stream_section(stream, shapes) for stream in STREAMS.values()]
    parts.append(SHAPES)
    for name, shape in shapes.items():
        rows = _rows(shape.columns.items(), shapes)
        parts.append(f"### {name}\n\n{_table(rows)}")
    return "\n".join(parts)


def columns_shown(page: str, stream: str) -> list[str]:
    """The top-level columns that a page shows of a stream."""
    section = page.partition(f"\n## {stream}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| (\w+) \|(?! type)", section, re.MULTILINE)


def _contents() -> str:
    links = ", ".join(f"[{name}](#{name})" for name in STREAMS)
    return f"{fill(f'Streams: {links}.', 120, break_long_words=False, break_on_hyphens=False)}\n"


def _stream_section(stream: StreamClass, shapes: Mapping[str, ObjectShape]) -> str:
    made = dict.fromkeys(stream.added_columns(), STRING)
    if stream.event_type:
        made[DELETED_AT] = DATE_TIME
    rows = [
        (column, f"{type_}, never null" if column in stream.key else type_)
        for column, type_ in _rows(stream.record.columns.items(), shapes)
    ]
    for column, shape in made.items():
        never = ", never null" if column in stream.key else ""
        rows.append((column, f"{_type(shape, shapes)}{never}, made by the connector"))
    return f"## {stream.stream_name()}\n\n{_about(stream)}\n\n{_table(rows)}"


def _about(stream: StreamClass) -> str:
    """What the records are, and how they are read."""
    words = (stream.__doc__ or "").partition(" https://")[0]
    modes = "full refresh and incremental" if stream.cursor_field else "full refresh"
    facts = [f"Key: {_code(stream.key)}"]
    if stream.cursor_field:
        facts.append(f"cursor: {_code([stream.cursor_field])}")
    facts += [modes, f"[`{stream.carrier().path()}`]({_address(stream)})"]
    return f"{words}\n\n{'; '.join(facts)}."


def _address(stream: StreamClass) -> str:
    """The page of Asana's reference: a compact variant has that of its full stream."""
    pages = (re.search(r"https://\S+", cls.__doc__ or "") for cls in stream.__mro__)
    return next(page.group() for page in pages if page)


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _shared_shapes() -> dict[str, ObjectShape]:
    """The shapes that have a name in the code and stand inside a record, by that name."""
    nested = [shape for stream in STREAMS.values() for shape in _below(stream.record)]
    return {
        constant.lower().replace("_", " "): shape
        for constant, shape in vars(records).items()
        if isinstance(shape, ObjectShape) and shape in nested
    }


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
) -> list[tuple[str, str]]:
    """Each column with its type; the columns of an object without a name follow it."""
    rows = []
    for name, shape in columns:
        rows.append((name, _type(shape, shapes)))
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


def _table(rows: Iterable[tuple[str, str]]) -> str:
    lines = [f"| {column} | {type_} |" for column, type_ in rows]
    return "\n".join(["| column | type |", "|---|---|", *lines, ""])
