"""The text of `docs/entities.dbml`: the tables and how they join. https://dbml.dbdiagram.io"""

from collections.abc import Iterator

from docs_from_code.declarations import Stream, all_streams
from source_asana.streams.fields import Leaf, Shape

TYPES = {
    "string": "text",
    "integer": "bigint",
    "number": "double",
    "boolean": "boolean",
    "date": "date",
    "date-time": "timestamp",
}

HEADING = """\
// The tables of the Asana connector. `make docs` writes this file from the code; do not edit it.
// A column of type json joins by the gid inside it, or by the gids if it is an array.
"""


def entity_model() -> str:
    """The whole file."""
    streams = all_streams().values()
    tables = [_table(stream) for stream in streams]
    refs = dict.fromkeys(ref for stream in streams for ref in _refs(stream))
    return "\n".join([HEADING, *tables, *refs, ""])


def _table(stream: Stream) -> str:
    columns = [_column(stream, name, shape) for name, shape in stream.columns.items()]
    composite = [f"  indexes {{\n    ({', '.join(stream.key)}) [pk]\n  }}"]
    lines = [
        f"Table {stream.name} {{",
        *columns,
        *(composite if len(stream.key) > 1 else []),
        f"  Note: {_quoted(stream.about)}",
        "}\n",
    ]
    return "\n".join(lines)


def _column(stream: Stream, name: str, shape: Shape) -> str:
    pk = "pk, " if stream.key == (name,) else ""
    return f"  {name} {_type(shape)} [{pk}note: {_quoted(shape.description)}]"


def _type(shape: Shape) -> str:
    return TYPES[shape.json_format or shape.json_type] if isinstance(shape, Leaf) else "json"


def _refs(stream: Stream) -> Iterator[str]:
    """DBML knows columns only, so a gid inside of one joins by that column.

    No column joins to itself, and what Asana has deprecated does not join.
    """
    for path, targets in stream.joins.items():
        column = path.partition(".")[0].removesuffix("[]")
        if stream.columns[column].meaning.startswith("Deprecated"):
            continue
        kind = "<>" if "[]" in path else ">"
        for target in targets:
            if (stream.name, column) != (target, "gid"):
                yield f"Ref: {stream.name}.{column} {kind} {target}.gid"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
