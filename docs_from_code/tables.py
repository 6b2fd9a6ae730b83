"""The three tables of streams: one in README.md, two in docs/asana.md."""

from collections.abc import Iterable, Sequence

from docs_from_code.declarations import Stream, all_streams
from docs_from_code.words import ACCESS


def short_table() -> str:
    """What each stream holds."""
    heading = ("stream", "what it holds", "plan", "key", "cursor")
    return table(
        heading,
        (
            [name, _about(stream), ACCESS[name].plan, *_key_and_cursor(stream)]
            for name, stream in all_streams().items()
        ),
    )


def streams_table() -> str:
    """The same, with what each stream is read below."""
    heading = ("stream", "what it holds", "read below", "key", "cursor")
    return table(
        heading,
        (
            [name, _about(stream), _read_below(stream), *_key_and_cursor(stream)]
            for name, stream in all_streams().items()
        ),
    )


def costs_table() -> str:
    """What each stream needs, and the requests of a full refresh."""
    heading = ("stream", "plan, access", "granular OAuth scope", "requests of a full refresh")
    return table(
        heading,
        (
            [name, ACCESS[name].plan, ACCESS[name].scope, _cost(stream)]
            for name, stream in all_streams().items()
        ),
    )


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, without a line break at its end."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in lines)


def _about(stream: Stream) -> str:
    return stream.about.removesuffix(".")


def _key_and_cursor(stream: Stream) -> list[str]:
    return [", ".join(stream.key), stream.cursor or ""]


def _read_below(stream: Stream) -> str:
    only = " (organizations)" if stream.in_organizations_only else ""
    return f"{', '.join(stream.parents)}{only}"


def _cost(stream: Stream) -> str:
    if stream.listed_with:
        return f"that of {stream.listed_with}"
    if ACCESS[stream.name].cost:
        return ACCESS[stream.name].cost
    parents = [_singular(parent) for parent in stream.parents]
    if stream.in_organizations_only:
        parents = ["organization"]
    return f"one listing per {_and(parents)}" if parents else "one listing"


def _singular(stream: str) -> str:
    return stream.removesuffix("s").replace("_", " ")


def _and(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)}{',' if len(most) > 1 else ''} and {last}" if most else last
