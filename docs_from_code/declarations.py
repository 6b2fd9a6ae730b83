"""What the pages need to know of a stream. The only module here that reads the declarations."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from source_asana.streams.declared import STREAMS
from source_asana.streams.fields import ArrayShape, ObjectShape, Shape
from source_asana.streams.sources import StreamClass

Joins = Mapping[str, tuple[str, ...]]
"""By the path of a gid, such as `projects[].gid`: the streams whose gid it is."""


@dataclass(frozen=True)
class Stream:
    """A stream, as the pages show it."""

    name: str
    about: str
    """What the records are, in a sentence."""
    page: str
    """The address of its page in Asana's reference."""
    request: str
    key: tuple[str, ...]
    cursor: str | None
    parents: tuple[str, ...]
    in_organizations_only: bool
    listed_with: str | None
    """An earlier stream whose requests bring these records too."""
    record: ObjectShape
    added: Mapping[str, Shape]
    """The columns that the connector adds."""

    @property
    def columns(self) -> dict[str, Shape]:
        return {**self.record.columns, **self.added}

    @property
    def joins(self) -> Joins:
        return dict(_joins(self.columns, ""))


@cache
def all_streams() -> dict[str, Stream]:
    """Every stream by its name, in the order of the catalog."""
    return {name: _read(name, declared) for name, declared in STREAMS.items()}


def _read(name: str, declared: StreamClass) -> Stream:
    carrier, pages = declared.carrier(), declared.pages()
    parents = [parent.stream_name() for parent in carrier.parents()]
    about, _, _ = (declared.__doc__ or "").partition(" https://")
    request = str(carrier.path())
    first = next(name for name, other in STREAMS.items() if other.carrier().path() == request)
    return Stream(
        name=name,
        about=about,
        page=_page(declared),
        request=request,
        key=declared.key,
        cursor=declared.cursor_field,
        parents=(*parents, name) if pages and pages.is_nested else tuple(parents),
        in_organizations_only=bool(pages and pages.only_if == "is_organization"),
        listed_with=first if first != name else None,
        record=declared.record,
        added=declared.added(),
    )


def _page(declared: StreamClass) -> str:
    """A compact variant has the page of its full stream."""
    found = (re.search(r"https://\S+", cls.__doc__ or "") for cls in declared.__mro__)
    return next(page.group() for page in found if page)


def _joins(columns: Mapping[str, Shape], path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, shape in columns.items():
        yield from _joins_of(shape, f"{path}{name}")


def _joins_of(shape: Shape, path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    match shape:
        case ArrayShape(items):
            # Each element refers to what the array says that each refers to.
            yield from _joins_of(
                items.joins(*shape.joins_to) if shape.joins_to else items, f"{path}[]"
            )
        case ObjectShape(columns):
            if shape.joins_to:
                yield f"{path}.gid", shape.joins_to
            yield from _joins(columns, f"{path}.")
        case _ if shape.joins_to:
            yield path, shape.joins_to
        case _:
            pass
