"""What a sync will visit: the selected streams, grouped by listing, and the ancestors they need."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import parse_qsl

from source_asana.streams import STREAMS, Projects, Record, StreamClass

PAGE_SIZE = 100
"""The most that Asana gives at once. https://developers.asana.com/docs/pagination"""


@dataclass(frozen=True)
class Output:
    """A selected stream, and the columns that its records keep (None: all that a page has)."""

    stream: StreamClass
    columns: frozenset[str] | None

    def records(self, page: Iterable[Record], parent: str | None) -> list[Record]:
        """The stream's records of a page."""
        records = list(page)
        if self.columns is not None:
            keep = self.columns
            records = [{name: r[name] for name in r if name in keep} for r in records]
        if self.stream.parent_key:
            records = [{**record, self.stream.parent_key: parent} for record in records]
        return records


@dataclass(eq=False)
class Listing:
    """One endpoint, to be read once below each parent for every stream that feeds on it.

    `stream` is the class that describes it, selected or not; `outputs` are the selected streams.
    """

    stream: StreamClass
    outputs: tuple[Output, ...]
    opt_fields: str
    parents: list["Listing"] = field(default_factory=list)
    children: list["Listing"] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name of the stream that describes it."""
        return self.stream.stream_name()

    def place(self, parent: str | None) -> str:
        """What a visit reads, in words: the kind and gid of the parent."""
        noun = self.stream.path.partition("{")[2].partition("}")[0]
        return f"{noun.replace('_', ' ')} {parent}" if noun else "the whole list"

    def request(self, parent: str | None) -> tuple[str, dict[str, str]]:
        """The path and the query of the first page below `parent`."""
        path, _, query = self.stream.path.partition("?")
        params = {name: _filled(value, parent) for name, value in parse_qsl(query)}
        if not self.stream.named_in_config:
            params["limit"] = str(PAGE_SIZE)
        params["opt_fields"] = self.opt_fields
        return _filled(path, parent), params


class Visit(NamedTuple):
    """One listing to be read below one parent; `project` is the project that it belongs to."""

    listing: Listing
    parent: str | None = None
    project: str | None = None

    def children(self, record: Record) -> Iterator["Visit"]:
        """The visits that a record of this listing calls for."""
        gid = record["gid"]
        project = gid if self.listing.stream is Projects else self.project
        for child in self.listing.children:
            if child.stream.below is None or record.get(child.stream.below):
                yield Visit(child, gid, project)


@dataclass(frozen=True)
class Plan:
    """The listings of one sync, parents before children, and the visits with which it begins."""

    listings: tuple[Listing, ...]
    first_visits: tuple[Visit, ...]


def make_plan(
    selected: Mapping[StreamClass, Collection[str] | None],
    named_in_config: Mapping[str, Sequence[str]],
) -> Plan:
    """Plan a sync of the selected streams, each with its columns (None: all of them).

    `named_in_config` has the gids of the config by the name of their field. Every listing that is
    needed stands in the plan once; a stream that exists only between syncs asks for none.
    """
    wanted = [stream for stream in selected if not stream.between_syncs]
    needed = _with_ancestors(wanted)
    listings = {
        stream.path: _listing(
            stream, [s for s in wanted if s.path == stream.path], selected, needed
        )
        for stream in needed
    }
    for listing in listings.values():
        for parent in _parents(listing.stream):
            listing.parents.append(listings[parent.path])
            listings[parent.path].children.append(listing)
    return Plan(
        listings=tuple(listings.values()),
        first_visits=tuple(_first_visits(listings.values(), named_in_config)),
    )


def _filled(template: str, gid: str | None) -> str:
    before, brace, rest = template.partition("{")
    return before + str(gid) + rest.partition("}")[2] if brace else template


def _describing(path: str) -> StreamClass:
    """The first of the streams of a path: the fullest."""
    return next(stream for stream in STREAMS.values() if stream.path == path)


def _parents(stream: StreamClass) -> tuple[StreamClass, ...]:
    return (*stream.parents, stream) if stream.nested else stream.parents


def _with_ancestors(streams: Iterable[StreamClass]) -> list[StreamClass]:
    """The describing streams of all the listings that are needed, in the order of `STREAMS`."""
    needed: set[StreamClass] = set()
    waiting = [_describing(stream.path) for stream in streams]
    while waiting:
        stream = waiting.pop()
        if stream not in needed:
            needed.add(stream)
            waiting += stream.parents
    return [stream for stream in STREAMS.values() if stream in needed]


def _listing(
    stream: StreamClass,
    readers: Sequence[StreamClass],
    selected: Mapping[StreamClass, Collection[str] | None],
    needed: Collection[StreamClass],
) -> Listing:
    """The listing with the union of what its readers, its children and the walk look at."""
    kept = {reader: _kept_columns(reader, selected[reader]) for reader in readers}
    paths = {"gid": None, **dict.fromkeys(stream.told_by)}
    paths |= {child.below: None for child in needed if child.below and stream in _parents(child)}
    for reader, columns in kept.items():
        paths |= dict.fromkeys(reader.record.opt_fields(columns))
    requested = {path.partition(".")[0] for path in paths}
    outputs = tuple(
        Output(reader, None if requested <= columns else columns)
        for reader, columns in kept.items()
    )
    return Listing(stream, outputs, ",".join(paths))


def _kept_columns(stream: StreamClass, chosen: Collection[str] | None) -> frozenset[str]:
    """The chosen columns, and the key, without which no destination tells the records apart."""
    columns = stream.columns()
    if chosen is None:
        return frozenset(columns)
    return frozenset(c for c in columns if c in chosen or c in stream.key)


def _first_visits(
    listings: Iterable[Listing], named_in_config: Mapping[str, Sequence[str]]
) -> Iterator[Visit]:
    for listing in listings:
        if listing.stream.named_in_config:
            for gid in named_in_config[listing.stream.named_in_config]:
                yield Visit(listing, gid)
        elif not listing.stream.parents:
            yield Visit(listing)
