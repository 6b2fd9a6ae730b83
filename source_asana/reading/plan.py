"""What a sync will visit: the selected streams, grouped by listing, and the ancestors they need."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from source_asana.reading.filters import ALL, Filters
from source_asana.reading.listing import Listing, Output, Plan, Selection
from source_asana.streams.declared import STREAMS
from source_asana.streams.sources import (
    PROJECT,
    TASK,
    Hint,
    Lookup,
    Pages,
    Requested,
    StreamClass,
)


def make_plan(
    selected: Mapping[StreamClass, Selection],
    filters: Filters = ALL,
    *,
    with_hints: bool = False,
    with_exports: bool = False,
) -> Plan:
    """Plan a sync of the selected streams, without what the user's filters leave out.

    Every listing that is needed stands in the plan once. Streams that are incremental only are
    requested in incremental syncs alone. `with_hints`: ask parents for what may spare requests.
    `with_exports`: records below tasks may come from exports, if these have the task as it is now.
    """
    return _Planner(selected, filters, with_hints=with_hints, with_exports=with_exports).plan()


class _Planner:
    """What all listings of one plan have in common."""

    def __init__(
        self,
        selected: Mapping[StreamClass, Selection],
        filters: Filters,
        *,
        with_hints: bool,
        with_exports: bool,
    ) -> None:
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
        self._compares = with_exports or bool(followed)
        self._needed = self._with_ancestors()
        self._hinted = _hinted(self._needed) if with_hints else {}
        self._listings = {str(stream.path()): self._listing(stream) for stream in self._needed}
        further = [(stream, pages) for stream in self._needed for pages in stream.further_pages()]
        self._further = [self._listing(stream, source=pages) for stream, pages in further]

    def plan(self) -> Plan:
        for listing in self._listings.values():
            for parent in _parents(listing.stream):
                if parent.path() in self._listings:
                    _link(self._of(parent), listing)
        for listing in self._further:
            for parent in listing.source.below:
                _link(self._of(parent), listing)
        events = self._of(self._feed) if self._feed else None
        for child in [c for p in events.parents for c in p.children] if events else ():
            if events and child is not events:
                _link(events, child)
        completions = [*self._completions(), *_confirmations(self._needed, self._of)]
        lookups = self._lookups(events) if events else {}
        without_project = self._without_project()
        unlisted = self._unlisted()
        rest = [found for found in (*lookups.values(), without_project, unlisted) if found]
        everything = (*self._listings.values(), *self._further, *completions, *rest)
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
                waiting += [above for pages in stream.further_pages() for above in pages.below]
                if self._filters.with_loose_tasks and (outside := stream.outside_projects()):
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
            _link_tasks(lookups, list(self._listings.values()))
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
        readers = readers or [s for s in self._selected if s.path() == stream.path()]
        along = _listed_along(stream, self._selected) if self._feed else []
        readers = [s for s in dict.fromkeys((*readers, *along)) if s in self._selected]
        held = _held_in(stream, self._selected)
        kept = {s: _kept_columns(s, self._selected[s]) for s in (*readers, *(s for s, _ in held))}
        described = (stream, *readers) if isinstance(source, Lookup) else (stream,)
        paths = dict.fromkeys(self._looked_at(described, by_gid=source is stream.lookup))
        for reader in readers:
            paths |= dict.fromkeys(_opt_fields(reader, kept[reader], self._filters))
            paths |= dict.fromkeys(_columns_of_files(reader, self._selected[reader]))
        for reader, column in held:
            fields = reader.record.opt_fields(kept[reader])
            paths |= dict.fromkeys(f"{column}.{name}" for name in fields)
        hints = dict.fromkeys(_asked_for_hints(described, self._hinted))
        spare = tuple(path for path in hints if path not in paths)
        paths |= hints
        requested = {name.partition(".")[0] for name in paths}
        outputs = [_output(s, self._selected[s], kept[s], requested) for s in readers]
        if held:
            outputs = [replace(o, left_out=_left_out(o.stream, self._filters)) for o in outputs]
        outputs += [Output(s, kept[s], within=column) for s, column in held]
        hint = source.unless_empty if stream in self._hinted and isinstance(source, Pages) else None
        asked, fixed = ",".join(paths), _fixed_params(stream, self._filters)
        return Listing(stream, source, tuple(outputs), asked, fixed, hint=hint, spare_fields=spare)

    def _looked_at(self, described: Sequence[StreamClass], *, by_gid: bool) -> Iterator[str]:
        """The paths by which the walk decides what a record calls for."""
        yield "gid"
        for stream in described:
            by_home = stream.lookup.home_paths if stream.lookup else ()
            yield from by_home if by_gid else stream.identity_paths
            if stream.container == PROJECT and not self._filters.with_archived_projects:
                yield "archived"  # Asana's filter may not hold
            begins = self._filters.start_date is not None and stream.is_history()
            yield from stream.changed_by if self._compares or begins else ()
            yield from [stream.cursor_field] if begins and stream.cursor_field else []
            if stream in self._hinted and stream.cursor_field:
                yield stream.cursor_field  # tells a wrong hint from what is newer than the hint
            for child in self._needed:
                if stream in _parents(child):
                    yield from _columns_needed_by(child.source())
                for pages in child.further_pages():
                    if stream in pages.below:
                        yield from _columns_needed_by(pages)


def _confirmations(
    needed: Sequence[StreamClass], of: Callable[[StreamClass], Listing]
) -> list[Listing]:
    """The requests for single records that confirm a flag on which listings depend."""
    confirmations: dict[tuple[StreamClass, str], Listing] = {}
    for stream in needed:
        pages = stream.pages()
        if pages is None or pages.only_if is None:
            continue
        for parent in pages.below:
            asked = confirmations.get((parent, pages.only_if))
            if asked is None:
                fields = f"gid,{pages.only_if}"
                asked = Listing(parent, _lookup_of(parent), (), fields, confirms=pages.only_if)
                confirmations[parent, pages.only_if] = asked
                _link(of(parent), asked)
            _link(asked, of(stream))
    return list(confirmations.values())


def _held_in(
    stream: StreamClass, selected: Collection[StreamClass]
) -> list[tuple[StreamClass, str]]:
    """The streams whose records stand inside those of a stream, each with the column."""
    return [(s, i.column) for s in selected for i in s.inside() if i.stream is stream]


def _link(parent: Listing, child: Listing) -> None:
    child.parents.append(parent)
    parent.children.append(child)


def _link_tasks(lookups: Mapping[str, Listing], listings: Sequence[Listing]) -> None:
    """Link the lookup of tasks with what is below tasks, and with all that may name a task."""
    tasks = lookups[TASK]
    for child in [found for found in listings if found.stream.is_below_tasks()]:
        _link(tasks, child)
    listed = [found for found in listings if found.is_task_list and not found.is_nested]
    for parent in [*listed, *lookups.values()]:
        if parent is not tasks:
            _link(parent, tasks)


def _hinted(streams: Collection[StreamClass]) -> dict[StreamClass, Hint]:
    """The streams for which parents may tell that there is nothing."""
    pages = {stream: stream.pages() for stream in streams}
    return {stream: at.unless_empty for stream, at in pages.items() if at and at.unless_empty}


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


def _listed_along(stream: StreamClass, selected: Collection[StreamClass]) -> list[StreamClass]:
    """The streams of records that also come in this list: a project lists its subtasks too."""
    if stream.event_type != TASK:
        return []
    return [s for s in selected if stream in s.parents() and s.event_type == TASK]


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


def _columns_needed_by(source: Requested | None) -> Iterator[str]:
    """The paths in a parent's record that tell whether, and where, a source has records."""
    match source:
        case Pages(gid_column=str(column)) | Lookup(gid_column=str(column)):
            yield f"{column}.gid"
        case Pages(only_if=flag, unless_zero=count):
            yield from (column for column in (flag, count) if column)
        case _:
            pass


def _asked_for_hints(
    described: Sequence[StreamClass], hinted: Mapping[StreamClass, Hint]
) -> Iterator[str]:
    """The paths in a record that may spare requests for what is below it."""
    for hint in hinted.values():
        if any(stream in hint.on for stream in described):
            yield from (hint.path, hint.text)


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


def _opt_fields(stream: StreamClass, columns: Collection[str], filters: Filters) -> Iterator[str]:
    left_out = tuple(f"{path}." for path in _left_out(stream, filters))
    return (path for path in stream.record.opt_fields(columns) if not path.startswith(left_out))


def _columns_of_files(stream: StreamClass, selection: Selection) -> tuple[str, ...]:
    """The columns that a download of the stream's files looks at, if they are wanted."""
    return stream.files.columns if stream.files and selection.with_files else ()


def _output(
    stream: StreamClass, selection: Selection, kept: frozenset[str], requested: Collection[str]
) -> Output:
    """A selected stream of a listing, with the columns that it keeps of those requested."""
    columns = None if kept.issuperset(requested) else kept
    return Output(stream, columns, files=stream.files if selection.with_files else None)


def _left_out(stream: StreamClass, filters: Filters) -> tuple[str, ...]:
    return () if filters.with_enum_options else stream.repeated_options


def _fixed_params(stream: StreamClass, filters: Filters) -> dict[str, str]:
    leaves_out = stream.container == PROJECT and not filters.with_archived_projects
    return {"archived": "false"} if leaves_out else {}
