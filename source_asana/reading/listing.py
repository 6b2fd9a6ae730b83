"""Listings: endpoints as one sync reads them, and the plan that they make up. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from source_asana.streams.sources import (
    PROJECT,
    TASK,
    Files,
    Hint,
    Lookup,
    Pages,
    Requested,
    StreamClass,
)
from source_asana.streams.values import Record, first_of_each, gid_of, held, is_zero, usable

PAGE_SIZE = 100
"""The most that Asana gives at once. https://developers.asana.com/docs/pagination"""


@dataclass(frozen=True)
class Selection:
    """How the user wants a stream: which columns (None: all), and whether incrementally.

    `with_files`: the files that its records stand for, too.
    """

    columns: Collection[str] | None = None
    incremental: bool = False
    with_files: bool = False


@dataclass(frozen=True)
class Output:
    """A selected stream, and the columns that its records keep (None: all that a page has).

    `within`: the column of a page's records that holds those of the stream. `left_out`: the paths
    that a page has for another stream, but that this one leaves out. `files`: how to get the files
    of its records, if they are wanted.
    """

    stream: StreamClass
    columns: frozenset[str] | None
    within: str | None = None
    left_out: tuple[str, ...] = ()
    files: Files | None = None

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
    is looked up because its list says no. `hint`: what may spare its requests, if the user wants
    that. `spare_fields`: the `opt_fields` that only hints need, and that it can do without.
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
    hint: Hint | None = None
    spare_fields: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.path = self.source.path
        self.pages = self.source if isinstance(self.source, Pages) else None
        self.since = self.pages.since if self.pages else None
        source = self.source
        self.gid_column = source.gid_column if isinstance(source, (Pages, Lookup)) else None
        """The column of a parent with the gid of what it is read below, instead of the parent."""
        self.is_lookup = self.source is self.stream.lookup
        """Whether it asks for one record by its gid, beside the list of the stream."""
        self.is_task_list = self.stream.event_type == TASK and self.pages is not None
        self.is_nested = self.pages is not None and self.pages.is_nested
        is_mixed = self.is_task_list and not self.is_nested
        nested = {o.stream for o in self.outputs if (p := o.stream.pages()) and p.is_nested}
        self.listed_along = nested if is_mixed else set[StreamClass]()
        """The streams whose records are read below others, but also come in this list."""
        self.has_files = any(output.files for output in self.outputs)

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
        if self.pages is None or not self.pages.is_paged:
            del params["limit"]
        if self.pages is not None and not self.pages.takes_opt_fields:
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
        if self.gid_column:
            return gid_of(above.get(self.gid_column))
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
    def streams_below_projects(self) -> tuple[StreamClass, ...]:
        """The selected streams whose state tells projects apart, without that of projects."""
        read = {stream for listing in self.listings for stream in listing.feeds}
        return tuple(
            stream
            for stream in sorted(read, key=str)
            if any(kind.container == PROJECT for kind in stream.containers() if kind != stream)
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


def _filled(template: str, gid: str | None) -> str:
    before, brace, rest = template.partition("{")
    return before + str(gid) + rest.partition("}")[2] if brace else template


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
