"""What a sync will visit: the selected streams, grouped by listing, and the ancestors they need."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from source_asana.streams import (
    STREAMS,
    Attachments,
    Events,
    Projects,
    Record,
    Stories,
    StreamClass,
    Subtasks,
    Tasks,
)

PAGE_SIZE = 100
"""The most that Asana gives at once. https://developers.asana.com/docs/pagination"""


@dataclass(frozen=True)
class Selection:
    """How the user wants a stream: which columns (None: all), and whether incrementally."""

    columns: Collection[str] | None = None
    incremental: bool = False


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
    `parents` are the listings whose records stand above it; `feeds` are the selected streams for
    whose sake it is read, its own and those below.
    """

    stream: StreamClass
    path: str
    outputs: tuple[Output, ...]
    opt_fields: str
    parents: list["Listing"] = field(default_factory=list)
    children: list["Listing"] = field(default_factory=list)
    feeds: frozenset[StreamClass] = frozenset()

    @property
    def name(self) -> str:
        """The name of the stream that describes it."""
        return self.stream.stream_name()

    @property
    def is_one(self) -> bool:
        """Whether it is not a listing in truth but the request for one record."""
        return self.path != self.stream.path or bool(self.stream.named_in_config)

    def place(self, parent: str | None) -> str:
        """What a visit reads, in words: the kind and gid of the parent."""
        noun = self.path.partition("{")[2].partition("}")[0]
        return f"{noun.replace('_', ' ')} {parent}" if noun else "the whole list"

    def request(self, parent: str | None) -> tuple[str, dict[str, str]]:
        """The path and the query of the first page below `parent`."""
        path, params = request_of(self.path, parent, self.opt_fields)
        if self.is_one or self.stream.between_syncs:  # neither comes in pages
            del params["limit"]
        return path, params


@dataclass(frozen=True)
class Plan:
    """The listings of one sync, parents before children.

    Below projects an incremental sync has three more, which read single records that events name:
    they stand in `one` by the stream that describes them.
    """

    listings: tuple[Listing, ...]
    events: Listing | None = None
    one: Mapping[StreamClass, Listing] = field(default_factory=dict)

    def first(
        self, named_in_config: Mapping[str, Sequence[str]]
    ) -> list[tuple[Listing, str | None]]:
        """The listings that have no parent, each with the gid that the config gives it, if any."""
        begin: list[tuple[Listing, str | None]] = []
        for listing in self.listings:
            if listing.stream.named_in_config:
                gids = named_in_config[listing.stream.named_in_config]
                begin += [(listing, gid) for gid in gids]
            elif not listing.stream.parents:
                begin.append((listing, None))
        return begin


def make_plan(selected: Mapping[StreamClass, Selection]) -> Plan:
    """Plan a sync of the selected streams.

    Every listing that is needed stands in the plan once; a stream that exists only between syncs
    is asked for in incremental syncs alone.
    """
    wanted = [s for s in selected if not s.between_syncs or selected[s].incremental]
    goes_on = any(s.is_below_projects() and selected[s].incremental for s in wanted)
    needed = _with_ancestors(wanted)
    if goes_on and Events not in needed:
        needed.append(Events)
    listings = {
        stream.path: _listing(stream, selected, needed, goes_on=goes_on) for stream in needed
    }
    for listing in listings.values():
        for parent in _parents(listing.stream):
            _link(listings[parent.path], listing)
    if goes_on:
        for child in listings[Projects.path].children:
            if child.stream is not Events:
                _link(listings[Events.path], child)
    one = _single_records(listings, selected, needed) if goes_on else {}
    everything = (*listings.values(), *one.values())
    for listing in everything:
        listing.feeds = frozenset(_fed(listing))
    return Plan(everything, listings.get(Events.path), one)


def _single_records(
    listings: Mapping[str, Listing],
    selected: Mapping[StreamClass, Selection],
    needed: Collection[StreamClass],
) -> dict[StreamClass, Listing]:
    """The requests for a task, a story or an attachment, where its listing is read at all.

    A task may be one of a project or a subtask, so it feeds the streams of both.
    """
    one: dict[StreamClass, Listing] = {}
    for stream in (Stories, Attachments, Tasks):
        if stream.path in listings:
            streams = [s for s in STREAMS.values() if s.one == stream.one and s in selected]
            also = (Subtasks,) if stream is Tasks else ()
            one[stream] = _listing(
                stream, selected, needed, readers=streams, also=also, path=stream.one, goes_on=True
            )
            _link(listings[Events.path], one[stream])
    if Tasks in one:
        for child in list(listings.values()):
            if Tasks in child.stream.parents:
                _link(one[Tasks], child)
        for parent in (listings[Tasks.path], one.get(Stories), one.get(Attachments)):
            if parent:
                _link(parent, one[Tasks])
    return one


def request_of(template: str, parent: str | None, opt_fields: str) -> tuple[str, dict[str, str]]:
    """The path and the query of the first page of a listing, as `AsanaStream.path` describes it."""
    path, _, query = template.partition("?")
    params = {name: _filled(value, parent) for name, value in parse_qsl(query)}
    return _filled(path, parent), {**params, "limit": str(PAGE_SIZE), "opt_fields": opt_fields}


def _link(parent: Listing, child: Listing) -> None:
    child.parents.append(parent)
    parent.children.append(child)


def _fed(listing: Listing) -> set[StreamClass]:
    found: set[StreamClass] = set()
    waiting, seen = [listing], set[Listing]()
    while waiting:
        here = waiting.pop()
        if here not in seen:
            seen.add(here)
            found |= {output.stream for output in here.outputs}
            waiting += here.children
    return found


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
    selected: Mapping[StreamClass, Selection],
    needed: Collection[StreamClass],
    *,
    goes_on: bool,
    readers: Sequence[StreamClass] | None = None,
    also: Sequence[StreamClass] = (),
    path: str | None = None,
) -> Listing:
    """The listing with the union of what its readers, its children and the walk look at."""
    if readers is None:
        readers = [reader for reader in selected if reader.path == stream.path]
    if goes_on and stream is Tasks and Subtasks in selected and Subtasks not in readers:
        readers = [*readers, Subtasks]  # a project lists subtasks that are in it
    kept = {reader: _kept_columns(reader, selected[reader]) for reader in readers}
    paths: dict[str, None] = {"gid": None}
    for described in (stream, *also):
        paths |= dict.fromkeys(described.told_by if path is None else described.belongs_by)
        paths |= dict.fromkeys(described.dated_by if goes_on else ())
        paths |= {c.below: None for c in needed if c.below and described in _parents(c)}
    for reader, columns in kept.items():
        paths |= dict.fromkeys(reader.record.opt_fields(columns))
    requested = {name.partition(".")[0] for name in paths}
    outputs = tuple(
        Output(reader, None if requested <= columns else columns)
        for reader, columns in kept.items()
    )
    return Listing(stream, path or stream.path, outputs, ",".join(paths))


def _kept_columns(stream: StreamClass, selection: Selection) -> frozenset[str]:
    """The chosen columns, and those without which no destination tells apart and orders."""
    columns = stream.columns()
    if selection.columns is None:
        return frozenset(columns)
    needed = {*stream.key, stream.cursor_field if selection.incremental else None}
    return frozenset(c for c in columns if c in selection.columns or c in needed)
