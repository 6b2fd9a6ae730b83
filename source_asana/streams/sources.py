"""What a stream is, and where its records come from: one of four kinds of sources.

A stream is a class without instances: its attributes say what Asana's reference says.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar

from source_asana.streams import records
from source_asana.streams.fields import ObjectShape, Shape, catalog_schema
from source_asana.streams.values import Record

StreamClass = type["AsanaStream"]

DELETED_AT = "_ab_cdc_deleted_at"
"""The column that marks a deleted row for Airbyte's destinations."""

WORKSPACE, PROJECT = "workspace", "project"
"""The kinds of containers: a sync proceeds, ends and remembers container by container."""

TASK = "task"


@dataclass(frozen=True)
class Since:
    """The parameter that makes Asana leave out older records.

    `days_late`: the parameter is a day, and records of a day may appear so many days later.
    """

    parameter: str
    days_late: int | None = None


@dataclass(frozen=True)
class Hint:
    """A column of a parent that tells, without a promise by Asana, whether anything is below it.

    `path`: what to request; its column is a list, empty where nothing is below. `on`: the streams
    whose records have it. `text`: a column of text in which one of `signs` tells that there is
    something after all.
    """

    path: str
    on: tuple[StreamClass, ...]
    text: str
    signs: tuple[str, ...]

    @property
    def column(self) -> str:
        """The parent's column that holds the list."""
        return self.path.partition(".")[0]

    def says_empty(self, above: Record) -> bool | None:
        """Whether a record says that nothing is below it; None where it does not tell."""
        listed, text = above.get(self.column), above.get(self.text)
        if not isinstance(listed, list):
            return None
        if listed:
            return False
        is_plain = isinstance(text, str) and not any(sign in text for sign in self.signs)
        return True if is_plain else None


@dataclass(frozen=True)
class Pages:
    """A list endpoint, read once below each record of the streams in `below`.

    `path` is the request as Asana's reference writes it; the first placeholder stands for the
    parent's gid, a second one for the gid of the workspace that the parent was found in.
    `only_if`: a column of the parent that must be true; where the parent's list does not say so,
    one request for that parent confirms it. `unless_zero`: a count on the parent; only 0 means
    that there is nothing to list. `unless_empty`: what parents may tell in advance, used only if
    the user wants it and the account has proved it. `is_nested`: its records are parents of the
    same endpoint too. `split_by`: the parts to list instead, and the endpoint for each, where Asana
    truncates the list. `keep`: the column in which each record gets its parent's gid. `demanded`:
    optional parameters that some accounts demand, sent only after an answer 400. `also_with`:
    parameters of a second request, for the records that Asana leaves out of the first one.
    `gid_column`: the column of the parent that refers to the object below which the records are,
    instead of the parent itself. `is_paged`: whether it takes a `limit`. `without_project`: a
    second endpoint of the stream, for records in no project; it is read only if the user wants
    them. `exported_as`: the column of tasks in a resource export that holds the records below a
    task; `not_exported`: what they lack there.
    """

    path: str
    below: tuple[StreamClass, ...] = ()
    only_if: str | None = None
    unless_zero: str | None = None
    unless_empty: Hint | None = None
    is_nested: bool = False
    since: Since | None = None
    split_by: tuple[StreamClass, str] | None = None
    keep: str | None = None
    demanded: Mapping[str, str] = field(default_factory=dict, hash=False)
    also_with: Mapping[str, str] = field(default_factory=dict, hash=False)
    gid_column: str | None = None
    is_paged: bool = True
    without_project: bool = False
    takes_opt_fields: bool = True
    ends_with_empty_page: bool = False
    exported_as: str | None = None
    not_exported: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lookup:
    """One record by its gid, because something named it.

    As a source of a stream, `gid_column` of the records in `below`, or the list `config_field` of
    the config, names the gids. `home_paths`: the paths that tell where the record belongs.
    `completes`: columns that the stream's list may lack; if the first one is missing, each record
    is looked up.
    """

    path: str
    below: tuple[StreamClass, ...] = ()
    gid_column: str | None = None
    config_field: str | None = None
    home_paths: tuple[str, ...] = ()
    completes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inside:
    """Records that stand in a column of another stream's records: they cost no request."""

    stream: StreamClass
    column: str


@dataclass(frozen=True)
class EventFeed:
    """What happened below each record of `below` between two syncs; a full refresh has none."""

    path: str
    below: tuple[StreamClass, ...] = ()
    computed: tuple[str, ...] = ()
    """The columns that the connector computes."""


@dataclass(frozen=True)
class Files:
    """The files that records stand for. A sync downloads them if the user asks for that.

    The columns of a record: `url` works for minutes only, `name` is the file's, `size` is in bytes,
    `host` is the service that has it. Only what is on `downloaded_from` is downloaded.
    """

    url: str
    name: str
    size: str
    host: str
    downloaded_from: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a download looks at."""
        return (self.url, self.name, self.size, self.host)


Requested = Pages | Lookup | EventFeed
Source = Requested | Inside


class AsanaStream:
    """One stream of records: their shape, key and cursor, and the sources they come from.

    The remaining attributes are empty unless a stream needs them.
    """

    record: ClassVar[ObjectShape]
    sources: ClassVar[tuple[Source, ...]]
    key: ClassVar[tuple[str, ...]] = ("gid",)
    cursor_field: ClassVar[str | None] = None

    lookup: ClassVar[Lookup | None] = None
    """How to ask for one record by its gid, beside the list that `sources` names."""

    container: ClassVar[str | None] = None
    """The kind of container that each record is: `WORKSPACE` or `PROJECT`."""

    event_type: ClassVar[str | None] = None
    """The `resource_type` under which events tell of its records."""

    changed_by: ClassVar[tuple[str, ...]] = ()
    """The columns that tell an incremental sync whether a record, or what is below it, is new."""

    repeated_options: ClassVar[tuple[str, ...]] = ()
    """The paths that repeat all options of a custom field, which the user may leave out."""

    identity_paths: ClassVar[tuple[str, ...]] = ()
    """The paths that `may_repeat` looks at, or that a computed column is made of."""

    files: ClassVar[Files | None] = None
    """The files that its records stand for; `lookup` gives a new link to one."""

    @staticmethod
    def may_repeat(_record: Record) -> bool:
        """Whether another list of the same sync may hold this record too."""
        return False

    @classmethod
    def stream_name(cls) -> str:
        """The name in Airbyte's catalog: the class's name in snake case."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    @cache
    def source(cls) -> Requested | None:
        """The main endpoint of its records; None if all of them stand in other records."""
        return next((s for s in cls.sources if not isinstance(s, Inside)), None)

    @classmethod
    def path(cls) -> str | None:
        """The path of that endpoint. Streams with the same path share its answers."""
        source = cls.source()
        return source.path if source else None

    @classmethod
    def pages(cls) -> Pages | None:
        """The list endpoint of its records, if there is one."""
        source = cls.source()
        return source if isinstance(source, Pages) else None

    @classmethod
    def further_pages(cls) -> tuple[Pages, ...]:
        """The endpoints of those records that are below something else."""
        pages = (source for source in cls.sources if isinstance(source, Pages))
        return tuple(s for s in pages if s is not cls.source() and not s.without_project)

    @classmethod
    def outside_projects(cls) -> Pages | None:
        """The endpoint of those records that are in no project."""
        pages = (source for source in cls.sources if isinstance(source, Pages))
        return next((source for source in pages if source.without_project), None)

    @classmethod
    def since(cls) -> Since | None:
        """How Asana filters its list by time, if it does."""
        pages = cls.pages()
        return pages.since if pages else None

    @classmethod
    def inside(cls) -> tuple[Inside, ...]:
        """The columns of other streams that hold its records."""
        return tuple(source for source in cls.sources if isinstance(source, Inside))

    @classmethod
    def carrier(cls) -> StreamClass:
        """The stream whose requests bring its records: itself, unless they stand in others."""
        return next((source.stream for source in cls.inside()), cls)

    @classmethod
    def parents(cls) -> tuple[StreamClass, ...]:
        """The streams below whose records it is listed."""
        source = cls.source()
        return source.below if source else ()

    @classmethod
    def added(cls) -> dict[str, Shape]:
        """The columns that the connector adds to what Asana sends."""
        names: tuple[str, ...] = ()
        match cls.source():
            case Pages(keep=str(column)):
                names = (column,)
            case EventFeed(computed=columns):
                names = columns
        deleted_at = (DELETED_AT,) if cls.event_type else ()
        return {name: records.ADDED[name] for name in (*names, *deleted_at)}

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The schema that `discover` shows."""
        return catalog_schema(cls.record, key=cls.key, added=cls.added())

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """The top-level names of the schema."""
        return (*cls.record.columns, *cls.added())

    @classmethod
    def is_incremental_only(cls) -> bool:
        """Whether its records exist only between two syncs."""
        return isinstance(cls.source(), EventFeed)

    @classmethod
    def is_below_projects(cls) -> bool:
        """Whether a project is among the ancestors, so that a sync proceeds project by project."""
        return any(p.container == PROJECT or p.is_below_projects() for p in cls.parents())

    @classmethod
    def is_below_tasks(cls) -> bool:
        """Whether its records hang on tasks."""
        return any(parent.event_type == TASK for parent in cls.parents())

    @classmethod
    def containers(cls) -> tuple[StreamClass, ...]:
        """The streams whose records are the containers that its state tells apart."""
        if cls.container == PROJECT:
            return (cls,)
        return cls.parents() if cls.since() else tuple(_projects_above(cls))

    @classmethod
    def is_told_by_events(cls) -> bool:
        """Whether a project's events tell what happened to its records."""
        told = cls.is_incremental_only() or cls.event_type is not None
        return cls.is_below_projects() and told

    @classmethod
    def outlives_its_listing(cls) -> bool:
        """Whether its marks stay until Asana says what happened to an unlisted project."""
        return cls.container == PROJECT or cls.is_told_by_events()

    @classmethod
    def is_history(cls) -> bool:
        """Whether the user's `start_date` leaves out what is older."""
        return cls.since() is not None or cls.is_below_tasks()


def _projects_above(stream: StreamClass) -> set[StreamClass]:
    """The streams of projects among the ancestors."""
    found: set[StreamClass] = set()
    for parent in stream.parents():
        found |= {parent} if parent.container == PROJECT else _projects_above(parent)
    return found
