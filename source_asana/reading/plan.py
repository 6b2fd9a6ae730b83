"""What a sync will visit: the selected streams, grouped by listing, and the ancestors they need."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from source_asana.reading.filters import ALL, Filters
from source_asana.streams.declared import STREAMS
from source_asana.streams.sources import PROJECT, TASK, Lookup, Pages, Requested, StreamClass
from source_asana.streams.values import Record, first_of_each, gid_of, held, is_zero, usable

PAGE_SIZE = 100
"""The most that Asana gives at once. https://developers.asana.com/docs/pagination"""


@dataclass(frozen=True)
class Selection:
    """How the user wants a stream: which columns (None: all), and whether incrementally."""

    columns: Collection[str] | None = None
    incremental: bool = False


@dataclass(frozen=True)
class Output:
    """A selected stream, and the columns that its records keep (None: all that a page has).

    `within`: the column of a page's records that holds those of the stream. `left_out`: the paths
    that a page has for another stream, but that this one leaves out.
    """

    stream: StreamClass
    columns: frozenset[str] | None
    within: str | None = None
    left_out: tuple[str, ...] = ()

    def records(self, page: Iterable[Record], parent: str | None) -> list[Record]:
        """The stream's records of a page."""
        records = list(page)
        if self.within is not None:
            inside = [inner for record in records for inner in held(record.get(self.within))]
            records = first_of_each(usable(inside), set())
        if self.columns is not None:
            keep = self.columns
            records = [{name: r[name] for name in r if name in keep} for r in records]
        for path in self.left_out:
            records = [_without(record, path.split(".")) for record in records]
        pages = self.stream.pages()
        if pages and pages.keep:
            records = [{**record, pages.keep: parent} for record in records]
        return records


@dataclass(eq=False)
class Listing:
    """One endpoint, read once below each parent for every stream that needs it.

    `stream` describes it, selected or not; `outputs` are the selected streams. `parents` are the
    listings whose records stand above it; `feeds` are the selected streams that need it: its own
    and those below. `filters` are further parameters. `confirms`: the column for which a record
    is looked up because its list says no.
    """

    stream: StreamClass
    source: Requested
    outputs: tuple[Output, ...]
    opt_fields: str
    filters: Mapping[str, str] = field(default_factory=dict)
    parents: list["Listing"] = field(default_factory=list)
    children: list["Listing"] = field(default_factory=list)
    feeds: frozenset[StreamClass] = frozenset()
    confirms: str | None = None

    def __post_init__(self) -> None:
        self.path = self.source.path
        self.pages = self.source if isinstance(self.source, Pages) else None
        self.since = self.pages.since if self.pages else None
        self.is_lookup = self.source is self.stream.lookup
        """Whether it asks for one record by its gid, beside the list of the stream."""
        self.is_task_list = self.stream.event_type == TASK and self.pages is not None
        self.is_nested = self.pages is not None and self.pages.is_nested

    @property
    def name(self) -> str:
        """The name of the stream that describes it."""
        return self.stream.stream_name()

    def place(self, parent: str | None) -> str:
        """What a visit reads, in words: the kind and gid of the parent."""
        noun = self.parent_kind
        return f"{noun.replace('_', ' ')} {parent}" if noun else "the whole list"

    def request(
        self, parent: str | None, container: str | None = None
    ) -> tuple[str, dict[str, str]]:
        """The path and the query of the first page below `parent`, which is in `container`."""
        path, params = request_of(self.path, parent, self.opt_fields, container)
        if self.pages is None:
            del params["limit"]
        elif not self.pages.takes_opt_fields:
            del params["opt_fields"]
        return path, {**params, **self.filters}

    def gids(self, parent: str | None, container: str | None) -> list[str]:
        """What the placeholders of its path stand for."""
        return [str(gid) for gid in (parent, container)][: self.path.count("{")]

    @property
    def parent_kind(self) -> str:
        """What its placeholder stands for, as the path names it."""
        return self.path.partition("{")[2].partition("}")[0]

    def parent_in(self, above: Record, *, is_confirmed: bool = False) -> str | None:
        """The gid below which it is read for the sake of a record; None if nothing is there.

        `is_confirmed`: the record was asked for by its gid, so only a plain "no" means that.
        """
        if isinstance(self.source, Lookup) and self.source.gid_column:
            return gid_of(above.get(self.source.gid_column))
        if self.confirms is not None and above.get(self.confirms) is True:
            return None
        if self.pages is not None and not _may_hold(self.pages, above, is_confirmed=is_confirmed):
            return None
        return str(above["gid"])


def _may_hold(pages: Pages, above: Record, *, is_confirmed: bool) -> bool:
    """Whether a list endpoint may have something below a record, as far as its columns say."""
    if pages.unless_zero is not None and is_zero(above.get(pages.unless_zero)):
        return False
    if pages.only_if is None:
        return True
    flag = above.get(pages.only_if)
    return flag is True or (is_confirmed and flag is not False)


@dataclass(frozen=True)
class Plan:
    """The listings of one sync, parents before children.

    `events` asks for what happened in each project. `lookups` ask for single records that events
    name, by their `resource_type`. `without_project` lists the tasks in no project; `unlisted`
    asks for projects that only a former sync has listed.
    """

    listings: tuple[Listing, ...]
    events: Listing | None = None
    lookups: Mapping[str, Listing] = field(default_factory=dict)
    without_project: Listing | None = None
    unlisted: Listing | None = None

    @cached_property
    def by_path(self) -> Mapping[str, Listing]:
        """The listings by their paths."""
        return {listing.path: listing for listing in self.listings}

    @cached_property
    def below_projects(self) -> tuple[Listing, ...]:
        """The listings to be read in each project, without the lookups that events call for."""
        return tuple(
            child
            for parent in self.listings
            if parent.stream.container == PROJECT and parent.pages
            for child in parent.children
            if child is not self.events and not child.is_lookup
        )

    @cached_property
    def to_know_all_projects(self) -> tuple[Listing, ...]:
        """The lists of the containers that hold projects, and of projects."""
        return tuple(found for found in self.listings if found.stream.container and found.pages)

    def first(self, config_gids: Mapping[str, Sequence[str]]) -> list[tuple[Listing, str | None]]:
        """The listings that have no parent, each with the gid that the config gives it, if any."""
        begin: list[tuple[Listing, str | None]] = []
        for listing in self.listings:
            if isinstance(listing.source, Lookup) and listing.source.config_field:
                begin += [(listing, gid) for gid in config_gids[listing.source.config_field]]
            elif not listing.source.below and not listing.is_lookup:
                begin.append((listing, None))
        return begin


def make_plan(selected: Mapping[StreamClass, Selection], filters: Filters = ALL) -> Plan:
    """Plan a sync of the selected streams, without what the user's filters leave out.

    Every listing that is needed stands in the plan once. Streams that are incremental only are
    requested in incremental syncs alone.
    """
    return _Planner(selected, filters).plan()


class _Planner:
    """What all listings of one plan have in common."""

    def __init__(self, selected: Mapping[StreamClass, Selection], filters: Filters) -> None:
        nested = {s for s in STREAMS.values() if (pages := s.pages()) and pages.is_nested}
        self._without = set() if filters.with_subtasks else nested
        self._selected = {s: how for s, how in selected.items() if s not in self._without}
        self._filters = filters
        self._wanted = [
            s for s in self._selected if not s.is_incremental_only() or selected[s].incremental
        ]
        followed = [s for s in self._wanted if s.is_told_by_events() and selected[s].incremental]
        feeds = [s for s in STREAMS.values() if s.is_incremental_only()]
        self._feed = feeds[0] if followed else None
        """The stream of events, if an incremental sync needs them."""
        self._needed = self._with_ancestors()
        self._listings = {str(stream.path()): self._listing(stream) for stream in self._needed}

    def plan(self) -> Plan:
        for listing in self._listings.values():
            for parent in _parents(listing.stream):
                if parent.path() in self._listings:
                    _link(self._of(parent), listing)
        events = self._of(self._feed) if self._feed else None
        for child in [c for p in events.parents for c in p.children] if events else ():
            if events and child is not events:
                _link(events, child)
        completions = [*self._completions(), *self._confirmations()]
        lookups = self._lookups(events) if events else {}
        without_project = self._without_project()
        unlisted = self._unlisted()
        rest = [found for found in (*lookups.values(), without_project, unlisted) if found]
        everything = (*self._listings.values(), *completions, *rest)
        for listing in everything:
            listing.feeds = frozenset(_fed(listing))
        return Plan(everything, events, lookups, without_project, unlisted)

    def _of(self, stream: StreamClass) -> Listing:
        return self._listings[str(stream.path())]

    def _with_ancestors(self) -> list[StreamClass]:
        """The describing streams of all the listings that are needed, in the order of `STREAMS`."""
        needed: set[StreamClass] = set()
        waiting = [carrier for stream in self._wanted for carrier in _carriers(stream)]
        if self._feed:
            waiting.append(self._feed)
        while waiting:
            stream = waiting.pop()
            if stream not in needed and stream not in self._without:
                needed.add(stream)
                waiting += stream.parents()
                outside = stream.outside_projects()
                if self._filters.with_loose_tasks and outside:
                    waiting += outside.below
        return [stream for stream in STREAMS.values() if stream in needed]

    def _unlisted(self) -> Listing | None:
        """The requests for projects that are no longer listed; the listing ends after them."""
        if not any(
            how.incremental and s.outlives_its_listing() for s, how in self._selected.items()
        ):
            return None
        projects = next(s for s in self._needed if s.container == PROJECT)
        lookup = _lookup_of(projects)
        unlisted = Listing(projects, lookup, (), ",".join(lookup.home_paths))
        _link(unlisted, self._of(projects))
        return unlisted

    def _without_project(self) -> Listing | None:
        """The listing of tasks in no project, if it is wanted: with the same below it as others."""
        for stream in self._needed if self._filters.with_loose_tasks else ():
            if pages := stream.outside_projects():
                outside = self._listing(stream, source=pages)
                for above in pages.below:
                    _link(self._of(above), outside)
                for child in self._of(stream).children:
                    if not child.is_lookup:
                        _link(outside, child)
                return outside
        return None

    def _completions(self) -> list[Listing]:
        """The requests for single records whose list may lack a column that somebody wants."""
        completions: list[Listing] = []
        for stream in self._needed:
            selection = self._selected.get(stream)
            completes = stream.lookup.completes if stream.lookup else ()
            if selection and not _kept_columns(stream, selection).isdisjoint(completes):
                completions.append(self._listing(stream, source=stream.lookup))
                _link(self._of(stream), completions[-1])
        return completions

    def _confirmations(self) -> list[Listing]:
        """The requests for single records that confirm a flag on which listings depend."""
        confirmations: dict[tuple[StreamClass, str], Listing] = {}
        for stream in self._needed:
            pages = stream.pages()
            if pages is None or pages.only_if is None:
                continue
            for parent in pages.below:
                asked = confirmations.get((parent, pages.only_if))
                if asked is None:
                    asked = Listing(
                        parent,
                        _lookup_of(parent),
                        (),
                        f"gid,{pages.only_if}",
                        confirms=pages.only_if,
                    )
                    confirmations[parent, pages.only_if] = asked
                    _link(self._of(parent), asked)
                _link(asked, self._of(stream))
        return list(confirmations.values())

    def _lookups(self, events: Listing) -> dict[str, Listing]:
        """The requests for single records that events name, where their lists are read at all.

        A task may be in a project or below another task, so it feeds the streams of both.
        """
        lookups: dict[str, Listing] = {}
        named = [s for s in self._needed if s.lookup and s.is_told_by_events()]
        for stream in sorted(named, key=lambda s: s.event_type == TASK):
            if str(stream.event_type) not in lookups:
                readers = [
                    s for s in STREAMS.values() if s.lookup and s.event_type == stream.event_type
                ]
                found = self._listing(stream, readers=readers, source=stream.lookup)
                lookups[str(stream.event_type)] = found
                _link(events, found)
        if TASK in lookups:
            below = [found for found in self._listings.values() if found.stream.is_below_tasks()]
            for child in below:
                _link(lookups[TASK], child)
            listed = [found for found in self._listings.values() if found.is_task_list]
            above = [*(found for found in listed if not found.is_nested), *lookups.values()]
            for parent in above:
                if parent is not lookups[TASK]:
                    _link(parent, lookups[TASK])
        return lookups

    def _listing(
        self,
        stream: StreamClass,
        *,
        readers: Sequence[StreamClass] | None = None,
        source: Requested | None = None,
    ) -> Listing:
        """The listing with the union of what its readers, its children and the walk look at."""
        source = source or stream.source()
        assert source is not None  # noqa: S101 - streams inside others have no listing
        if readers is None:
            readers = [s for s in self._selected if s.path() == stream.path()]
        readers = [*readers, *(s for s in self._listed_along(stream) if s not in readers)]
        readers = [s for s in readers if s in self._selected]
        held = [
            (s, inside.column)
            for s in self._selected
            for inside in s.inside()
            if inside.stream is stream
        ]
        kept = {s: _kept_columns(s, self._selected[s]) for s in (*readers, *(s for s, _ in held))}
        described = (stream, *readers) if isinstance(source, Lookup) else (stream,)
        paths = dict.fromkeys(self._looked_at(described, by_gid=source is stream.lookup))
        for reader in readers:
            paths |= dict.fromkeys(self._opt_fields(reader, kept[reader]))
        for reader, column in held:
            fields = reader.record.opt_fields(kept[reader])
            paths |= dict.fromkeys(f"{column}.{name}" for name in fields)
        requested = {name.partition(".")[0] for name in paths}
        outputs = [
            Output(
                s,
                None if requested <= kept[s] else kept[s],
                left_out=self._left_out(s) if held else (),
            )
            for s in readers
        ]
        outputs += [Output(s, kept[s], within=column) for s, column in held]
        filters = self._fixed_params(stream)
        return Listing(stream, source, tuple(outputs), ",".join(paths), filters)

    def _listed_along(self, stream: StreamClass) -> list[StreamClass]:
        """The streams of records that also come in this list: a project lists its subtasks too."""
        if not self._feed or stream.event_type != TASK:
            return []
        return [s for s in self._selected if stream in s.parents() and s.event_type == TASK]

    def _looked_at(self, described: Sequence[StreamClass], *, by_gid: bool) -> Iterator[str]:
        """The paths by which the walk decides what a record calls for."""
        yield "gid"
        for stream in described:
            by_home = stream.lookup.home_paths if stream.lookup else ()
            yield from by_home if by_gid else stream.identity_paths
            if stream.container == PROJECT and not self._filters.with_archived_projects:
                yield "archived"  # Asana's filter may not hold
            begins = self._filters.start_date is not None and stream.is_history()
            yield from stream.changed_by if self._feed or begins else ()
            yield from [stream.cursor_field] if begins and stream.cursor_field else []
            for child in self._needed:
                if stream in _parents(child):
                    yield from _columns_needed_by(child)

    def _opt_fields(self, stream: StreamClass, columns: Collection[str]) -> Iterator[str]:
        left_out = tuple(f"{path}." for path in self._left_out(stream))
        return (path for path in stream.record.opt_fields(columns) if not path.startswith(left_out))

    def _left_out(self, stream: StreamClass) -> tuple[str, ...]:
        return () if self._filters.with_enum_options else stream.repeated_options

    def _fixed_params(self, stream: StreamClass) -> dict[str, str]:
        leaves_out = stream.container == PROJECT and not self._filters.with_archived_projects
        return {"archived": "false"} if leaves_out else {}


def request_of(
    template: str, parent: str | None, opt_fields: str, container: str | None = None
) -> tuple[str, dict[str, str]]:
    """The path and the query of the first page of a listing, as `AsanaStream.path` describes it.

    The first placeholder stands for the parent, a second one for what that is in.
    """
    for gid in (parent, container):
        template = _filled(template, gid)
    path, _, query = template.partition("?")
    return path, {**dict(parse_qsl(query)), "limit": str(PAGE_SIZE), "opt_fields": opt_fields}


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


def _carriers(stream: StreamClass) -> list[StreamClass]:
    """The streams that describe the listings in which a stream's records come.

    Of those that share a path, the first one describes it: it has the most columns.
    """
    if inside := stream.inside():
        return [source.stream for source in inside]
    return [next(s for s in STREAMS.values() if s.path() == stream.path())]


def _lookup_of(stream: StreamClass) -> Lookup:
    assert stream.lookup is not None  # noqa: S101 - it is declared where a plan needs it
    return stream.lookup


def _columns_needed_by(child: StreamClass) -> Iterator[str]:
    """The paths in a parent's record that tell whether, and where, a child has records."""
    match child.source():
        case Pages(only_if=flag, unless_zero=count):
            yield from (column for column in (flag, count) if column)
        case Lookup(gid_column=str(column)):
            yield f"{column}.gid"
        case _:
            pass


def _without(value: Any, path: Sequence[str]) -> Any:
    """The same without what stands at a path, which goes through lists."""
    if isinstance(value, list):
        return [_without(entry, path) for entry in value]
    if not isinstance(value, dict):
        return value
    name, *below = path
    if below:
        return {**value, name: _without(value[name], below)} if name in value else value
    return {kept: part for kept, part in value.items() if kept != name}


def _parents(stream: StreamClass) -> tuple[StreamClass, ...]:
    pages = stream.pages()
    return (*stream.parents(), stream) if pages and pages.is_nested else stream.parents()


def _kept_columns(stream: StreamClass, selection: Selection) -> frozenset[str]:
    """The chosen columns, and those without which no destination tells apart and orders."""
    columns = stream.columns()
    if selection.columns is None:
        return frozenset(columns)
    needed = {*stream.key, stream.cursor_field if selection.incremental else None}
    return frozenset(c for c in columns if c in selection.columns or c in needed)
