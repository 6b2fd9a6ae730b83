"""What a sync will visit: the selected streams, grouped by listing, and the ancestors they need."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from source_asana.reading.filters import ALL, Filters
from source_asana.streams.declared import (
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
from source_asana.streams.values import first_of_each, gid_of, held, is_zero, usable

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
    that a page may have, for another stream's sake, and that this one is to be without.
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
        if self.stream.parent_key:
            records = [{**record, self.stream.parent_key: parent} for record in records]
        return records


@dataclass(eq=False)
class Listing:
    """One endpoint, to be read once below each parent for every stream that feeds on it.

    `stream` is the class that describes it, selected or not; `outputs` are the selected streams.
    `parents` are the listings whose records stand above it; `feeds` are the selected streams for
    whose sake it is read, its own and those below. `filters` are further parameters. `confirms`:
    the column for which a record is asked for again, by its gid, where its listing says no.
    """

    stream: StreamClass
    path: str
    outputs: tuple[Output, ...]
    opt_fields: str
    filters: Mapping[str, str] = field(default_factory=dict)
    parents: list["Listing"] = field(default_factory=list)
    children: list["Listing"] = field(default_factory=list)
    feeds: frozenset[StreamClass] = frozenset()
    confirms: str | None = None

    @property
    def name(self) -> str:
        """The name of the stream that describes it."""
        return self.stream.stream_name()

    @property
    def is_one(self) -> bool:
        """Whether it is not a listing in truth but the request for one record by its gid."""
        return self.path == self.stream.one

    @property
    def pages(self) -> bool:
        """Whether its records come in pages."""
        stream = self.stream
        alone = self.is_one or stream.named_by or stream.named_in_config
        return not (alone or stream.between_syncs)

    def place(self, parent: str | None) -> str:
        """What a visit reads, in words: the kind and gid of the parent."""
        noun = self.parent_kind
        return f"{noun.replace('_', ' ')} {parent}" if noun else "the whole list"

    def request(
        self, parent: str | None, container: str | None = None
    ) -> tuple[str, dict[str, str]]:
        """The path and the query of the first page below `parent`, which is in `container`."""
        path, params = request_of(self.path, parent, self.opt_fields, container)
        if not self.pages:
            del params["limit"]
        if not self.stream.takes_opt_fields:
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
        stream = self.stream
        if stream.named_by is not None:
            return gid_of(above.get(stream.named_by))
        if stream.counted_by is not None and is_zero(above.get(stream.counted_by)):
            return None
        if self.confirms is not None and above.get(self.confirms) is True:
            return None
        if stream.below is not None:
            flag = above.get(stream.below)
            if flag is False or not (flag is True or is_confirmed):
                return None
        return str(above["gid"])


@dataclass(frozen=True)
class Plan:
    """The listings of one sync, parents before children.

    Below projects an incremental sync has three more, which read single records that events name:
    they stand in `one` by the stream that describes them. `loose` has the tasks in no project.
    `unlisted` asks for single projects that were listed to a former sync.
    """

    listings: tuple[Listing, ...]
    events: Listing | None = None
    one: Mapping[StreamClass, Listing] = field(default_factory=dict)
    loose: Listing | None = None
    unlisted: Listing | None = None

    def first(
        self, named_in_config: Mapping[str, Sequence[str]]
    ) -> list[tuple[Listing, str | None]]:
        """The listings that have no parent, each with the gid that the config gives it, if any."""
        begin: list[tuple[Listing, str | None]] = []
        for listing in self.listings:
            if listing.stream.named_in_config:
                gids = named_in_config[listing.stream.named_in_config]
                begin += [(listing, gid) for gid in gids]
            elif not listing.stream.parents and not listing.is_one:
                begin.append((listing, None))
        return begin


def make_plan(selected: Mapping[StreamClass, Selection], filters: Filters = ALL) -> Plan:
    """Plan a sync of the selected streams, without what the user has chosen to leave out.

    Every listing that is needed stands in the plan once; a stream that exists only between syncs
    is asked for in incremental syncs alone.
    """
    return _Planner(selected, filters).plan()


class _Planner:
    """What all listings of one plan have in common."""

    def __init__(self, selected: Mapping[StreamClass, Selection], filters: Filters) -> None:
        self._without = set() if filters.with_subtasks else {Subtasks}
        self._selected = {s: how for s, how in selected.items() if s not in self._without}
        self._filters = filters
        self._wanted = [
            s for s in self._selected if not s.between_syncs or self._selected[s].incremental
        ]
        self._goes_on = any(
            s.is_told_by_events() and self._selected[s].incremental for s in self._wanted
        )
        self._needed = self._with_ancestors()

    def plan(self) -> Plan:
        listings = {stream.path: self._listing(stream) for stream in self._needed}
        for listing in listings.values():
            for parent in _parents(listing.stream):
                if parent.path in listings:
                    _link(listings[parent.path], listing)
        if self._goes_on:
            for child in listings[Projects.path].children:
                if child.stream is not Events:
                    _link(listings[Events.path], child)
        completions = [*self._completions(listings), *self._confirmations(listings)]
        one = self._single_records(listings) if self._goes_on else {}
        loose = self._loose_tasks(listings)
        unlisted = self._unlisted(listings)
        rest = [found for found in (*one.values(), loose, unlisted) if found]
        everything = (*listings.values(), *completions, *rest)
        for listing in everything:
            listing.feeds = frozenset(_fed(listing))
        return Plan(everything, listings.get(Events.path), one, loose, unlisted)

    def _with_ancestors(self) -> list[StreamClass]:
        """The describing streams of all the listings that are needed, in the order of `STREAMS`."""
        needed: set[StreamClass] = set()
        waiting = [carrier for stream in self._wanted for carrier in _carriers(stream)]
        if self._goes_on:
            waiting.append(Events)
        while waiting:
            stream = waiting.pop()
            if stream not in needed and stream not in self._without:
                needed.add(stream)
                waiting += stream.parents
                if self._filters.with_loose_tasks and stream.loose:
                    waiting.append(stream.loose[0])
        return [stream for stream in STREAMS.values() if stream in needed]

    def _unlisted(self, listings: Mapping[str, Listing]) -> Listing | None:
        """The requests for projects that are no longer listed; the listing ends after them."""
        if not any(
            how.incremental and s.outlives_its_listing() for s, how in self._selected.items()
        ):
            return None
        unlisted = Listing(Projects, str(Projects.one), (), ",".join(Projects.placed_by))
        _link(unlisted, listings[Projects.path])
        return unlisted

    def _loose_tasks(self, listings: Mapping[str, Listing]) -> Listing | None:
        """The listing of tasks in no project, if it is wanted: with the same below it as others."""
        if not self._filters.with_loose_tasks or Tasks.path not in listings:
            return None
        above, path = Tasks.loose
        loose = self._listing(Tasks, path=path)
        _link(listings[above.path], loose)
        for child in listings[Tasks.path].children:
            if not child.is_one:
                _link(loose, child)
        return loose

    def _completions(self, listings: Mapping[str, Listing]) -> list[Listing]:
        """The requests for single records of which a listing may lack what somebody wants."""
        completions: list[Listing] = []
        for stream in self._needed:
            selection = self._selected.get(stream)
            if selection and not _kept_columns(stream, selection).isdisjoint(
                stream.completed_by_gid
            ):
                completions.append(self._listing(stream, path=stream.one))
                _link(listings[stream.path], completions[-1])
        return completions

    def _confirmations(self, listings: Mapping[str, Listing]) -> list[Listing]:
        """The requests for single records that confirm a flag on which listings depend."""
        confirmations: dict[tuple[StreamClass, str], Listing] = {}
        for stream in self._needed:
            for parent in stream.parents if stream.below else ():
                flag = str(stream.below)
                if (parent, flag) not in confirmations:
                    asked = Listing(parent, str(parent.one), (), f"gid,{flag}", confirms=flag)
                    confirmations[parent, flag] = asked
                    _link(listings[parent.path], asked)
                _link(confirmations[parent, flag], listings[stream.path])
        return list(confirmations.values())

    def _single_records(self, listings: Mapping[str, Listing]) -> dict[StreamClass, Listing]:
        """The requests for a task, a story or an attachment, where its listing is read at all.

        A task may be one of a project or a subtask, so it feeds the streams of both.
        """
        one: dict[StreamClass, Listing] = {}
        for stream in (Stories, Attachments, Tasks):
            if stream.path in listings:
                readers = [s for s in STREAMS.values() if s.one == stream.one]
                also = (Subtasks,) if stream is Tasks else ()
                one[stream] = self._listing(stream, readers=readers, also=also, path=stream.one)
                _link(listings[Events.path], one[stream])
        if Tasks in one:
            for child in list(listings.values()):
                if Tasks in child.stream.parents:
                    _link(one[Tasks], child)
            for parent in (listings[Tasks.path], one.get(Stories), one.get(Attachments)):
                if parent:
                    _link(parent, one[Tasks])
        return one

    def _listing(
        self,
        stream: StreamClass,
        *,
        readers: Sequence[StreamClass] | None = None,
        also: Sequence[StreamClass] = (),
        path: str | None = None,
    ) -> Listing:
        """The listing with the union of what its readers, its children and the walk look at."""
        if readers is None:
            readers = [s for s in self._selected if s.path == stream.path and not s.within]
        if self._goes_on and stream is Tasks and Subtasks not in readers:
            readers = [*readers, Subtasks]  # a project lists subtasks that are in it
        readers = [s for s in readers if s in self._selected]
        held = [(s, column) for s in self._selected for at, column in s.within if at is stream]
        kept = {s: _kept_columns(s, self._selected[s]) for s in (*readers, *(s for s, _ in held))}
        paths = dict.fromkeys(
            self._looked_at((stream, *also), by_gid=path is not None and path == stream.one)
        )
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
        return Listing(
            stream,
            path or stream.path,
            tuple(outputs),
            ",".join(paths),
            self._fixed_params(stream),
        )

    def _looked_at(self, described: Sequence[StreamClass], *, by_gid: bool) -> Iterator[str]:
        """The paths by which the walk decides what a record calls for."""
        yield "gid"
        for stream in described:
            yield from stream.belongs_by if by_gid else stream.told_by
            if stream is Projects and not self._filters.with_archived_projects:
                yield "archived"  # Asana's filter may not hold
            begins = self._filters.start_date is not None and stream.is_history()
            yield from stream.dated_by if self._goes_on or begins else ()
            yield from [stream.cursor_field] if begins and stream.cursor_field else []
            for child in self._needed:
                if stream in _parents(child):
                    yield from [child.below] if child.below else []
                    yield from [child.counted_by] if child.counted_by else []
                    yield from [f"{child.named_by}.gid"] if child.named_by else []

    def _opt_fields(self, stream: StreamClass, columns: Collection[str]) -> Iterator[str]:
        left_out = tuple(f"{path}." for path in self._left_out(stream))
        return (path for path in stream.record.opt_fields(columns) if not path.startswith(left_out))

    def _left_out(self, stream: StreamClass) -> tuple[str, ...]:
        return () if self._filters.with_enum_options else stream.repeats_options

    def _fixed_params(self, stream: StreamClass) -> dict[str, str]:
        leaves_out = stream is Projects and not self._filters.with_archived_projects
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


def _describing(path: str) -> StreamClass:
    """The first of the streams of a path: the fullest."""
    return next(stream for stream in STREAMS.values() if stream.path == path)


def _carriers(stream: StreamClass) -> list[StreamClass]:
    """The streams that describe the listings in which a stream's records come."""
    if stream.within:
        return [carrier for carrier, _ in stream.within]
    return [_describing(stream.path)]


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
    return (*stream.parents, stream) if stream.nested else stream.parents


def _kept_columns(stream: StreamClass, selection: Selection) -> frozenset[str]:
    """The chosen columns, and those without which no destination tells apart and orders."""
    columns = stream.columns()
    if selection.columns is None:
        return frozenset(columns)
    needed = {*stream.key, stream.cursor_field if selection.incremental else None}
    return frozenset(c for c in columns if c in selection.columns or c in needed)
