"""The streams: which endpoint, below which parents, which record, which key.

A stream is a class that is read, never instantiated: its attributes say what Asana's reference
says of the endpoint. Streams with the same `path` share its listing.
"""

import re
from typing import Any, ClassVar

from source_asana import records
from source_asana.fields import DATE_TIME, ObjectShape, catalog_schema

Record = dict[str, Any]
StreamClass = type["AsanaStream"]

DELETED_AT = "_ab_cdc_deleted_at"
"""The column by which Airbyte's destinations know a deleted row."""


class AsanaStream:
    """What one stream of records is.

    `path` is the request as Asana's reference writes it; its placeholder stands for the parent's
    gid. Exceptions to the rule are the further attributes, each false or empty by default.
    """

    path: ClassVar[str]
    record: ClassVar[ObjectShape]
    parents: ClassVar[tuple[StreamClass, ...]] = ()
    key: ClassVar[tuple[str, ...]] = ("gid",)
    cursor_field: ClassVar[str | None] = None

    nested: ClassVar[bool] = False
    """Its records are parents of the same listing too."""

    below: ClassVar[str | None] = None
    """The parent's column that must be true (or not zero) for the listing to have anything."""

    parent_key: ClassVar[str | None] = None
    """The column in which each record takes the gid of its parent."""

    named_in_config: ClassVar[str | None] = None
    """The list of gids in the config that are read one by one, for want of a listing."""

    between_syncs: ClassVar[bool] = False
    """The records exist only between two syncs: a full refresh requests nothing."""

    one: ClassVar[str | None] = None
    """The request for one record by its gid."""

    belongs_by: ClassVar[tuple[str, ...]] = ()
    """The paths that tell what a record asked for by its gid belongs to."""

    takes_modified_since: ClassVar[bool] = False
    """Asana filters the listing by `modified_since`."""

    parts: ClassVar[tuple[StreamClass, str] | None] = None
    """Where Asana cuts the listing: what its parent consists of, and the listing below each."""

    told_deleted_as: ClassVar[str | None] = None
    """The `resource_type` under which Asana tells that a record was deleted."""

    computed: ClassVar[tuple[str, ...]] = ()
    """The columns that the connector makes itself."""

    told_by: ClassVar[tuple[str, ...]] = ()
    """The paths that `may_repeat` looks at."""

    dated_by: ClassVar[tuple[str, ...]] = ()
    """The columns that tell an incremental sync whether a record, or what is below it, is new."""

    @staticmethod
    def may_repeat(_record: Record) -> bool:
        """Whether another listing of the same sync may hold this record too."""
        return False

    @classmethod
    def stream_name(cls) -> str:
        """The name in Airbyte's catalog: the class's, in snake case."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The schema that `discover` shows."""
        added = [column for column in (cls.parent_key, *cls.computed) if column]
        schema = catalog_schema(cls.record, key=cls.key, added=added)
        if cls.told_deleted_as:
            schema["properties"][DELETED_AT] = DATE_TIME.json_schema()
        return schema

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """The top-level names of the schema."""
        return tuple(cls.json_schema()["properties"])

    @classmethod
    def is_below_projects(cls) -> bool:
        """Whether a project is among the ancestors, so that a sync proceeds project by project."""
        return any(parent is Projects or parent.is_below_projects() for parent in cls.parents)


class Workspaces(AsanaStream):
    """Workspaces and organisations. https://developers.asana.com/reference/getworkspaces"""

    path = "workspaces"
    record = records.WORKSPACE


class Users(AsanaStream):
    """Users of each workspace. https://developers.asana.com/reference/getusers"""

    path = "users?workspace={workspace}"
    parents = (Workspaces,)
    record = records.USER

    @staticmethod
    def may_repeat(_record: Record) -> bool:
        """Every user may: a person works in several workspaces under one gid."""
        return True


class Tags(AsanaStream):
    """Tags of each workspace. https://developers.asana.com/reference/gettags"""

    path = "tags?workspace={workspace}"
    parents = (Workspaces,)
    record = records.TAG


class CustomFields(AsanaStream):
    """Each workspace's field library. https://developers.asana.com/reference/getcustomfieldsforworkspace"""

    path = "workspaces/{workspace}/custom_fields"
    parents = (Workspaces,)
    record = records.CUSTOM_FIELD


class Teams(AsanaStream):
    """Teams of each organisation. https://developers.asana.com/reference/getteamsforworkspace"""

    path = "workspaces/{workspace}/teams"
    parents = (Workspaces,)
    below = "is_organization"
    record = records.TEAM


class TeamMemberships(AsanaStream):
    """Members of each team. https://developers.asana.com/reference/getteammembershipsforteam"""

    path = "teams/{team}/team_memberships"
    parents = (Teams,)
    record = records.TEAM_MEMBERSHIP


class Projects(AsanaStream):
    """Projects of each workspace. https://developers.asana.com/reference/getprojects"""

    path = "projects?workspace={workspace}"
    parents = (Workspaces,)
    cursor_field = "modified_at"
    one = "projects/{project}"
    told_deleted_as = "project"
    dated_by = ("modified_at",)
    record = records.PROJECT


class Sections(AsanaStream):
    """Sections of each project. https://developers.asana.com/reference/getsectionsforproject"""

    path = "projects/{project}/sections"
    parents = (Projects,)
    cursor_field = "created_at"
    told_deleted_as = "section"
    record = records.SECTION


class SectionsCompact(Sections):
    """Sections, names only."""

    record = records.SECTION_COMPACT


class Tasks(AsanaStream):
    """Tasks of each project. https://developers.asana.com/reference/gettasks"""

    path = "tasks?project={project}"
    parents = (Projects,)
    cursor_field = "modified_at"
    one = "tasks/{task}"
    takes_modified_since = True
    parts = (Sections, "tasks?section={section}")
    told_deleted_as = "task"
    dated_by = ("modified_at", "created_at")
    record = records.TASK
    told_by = belongs_by = ("projects.gid", "parent.gid")

    @staticmethod
    def may_repeat(record: Record) -> bool:
        """A task of several projects, or one that its parent task lists too."""
        return len(record.get("projects") or ()) != 1 or bool(record.get("parent"))


class Subtasks(AsanaStream):
    """Subtasks of each task, at any depth. https://developers.asana.com/reference/getsubtasksfortask"""

    path = "tasks/{task}/subtasks"
    parents = (Tasks,)
    cursor_field = "modified_at"
    one = "tasks/{task}"
    told_deleted_as = "task"
    dated_by = ("modified_at", "created_at")
    nested = True
    below = "num_subtasks"
    record = records.TASK
    told_by = ("projects.gid",)

    @staticmethod
    def may_repeat(record: Record) -> bool:
        """A subtask that a project lists too."""
        return bool(record.get("projects"))


class Stories(AsanaStream):
    """Comments and changes of each task. https://developers.asana.com/reference/getstoriesfortask"""

    path = "tasks/{task}/stories"
    parents = (Tasks, Subtasks)
    cursor_field = "created_at"
    one = "stories/{story}"
    belongs_by = ("target.gid", "target.resource_type")
    told_deleted_as = "story"
    record = records.STORY


class StoriesCompact(Stories):
    """Stories, with the text but without what changed."""

    record = records.STORY_COMPACT


class Attachments(AsanaStream):
    """Attachments of each project and task. https://developers.asana.com/reference/getattachmentsforobject"""

    path = "attachments?parent={parent}"
    parents = (Projects, Tasks, Subtasks)
    cursor_field = "created_at"
    one = "attachments/{attachment}"
    belongs_by = ("parent.gid", "parent.resource_type")
    told_deleted_as = "attachment"
    record = records.ATTACHMENT


class AttachmentsCompact(Attachments):
    """Attachments, names only."""

    record = records.ATTACHMENT_COMPACT


class Events(AsanaStream):
    """What happened in each project, its tasks and their stories. https://developers.asana.com/reference/getevents"""

    path = "events?resource={project}"
    parents = (Projects,)
    cursor_field = "created_at"
    key = ("event_id",)
    computed = ("event_id",)
    between_syncs = True
    told_by = tuple(records.EVENT.opt_fields())  # its id and what it asks for are made of them
    record = records.EVENT


class Portfolios(AsanaStream):
    """The user's own portfolios, or all for a service account. https://developers.asana.com/reference/getportfolios"""

    path = "portfolios?workspace={workspace}"
    parents = (Workspaces,)
    record = records.PORTFOLIO


class PortfoliosCompact(Portfolios):
    """Portfolios, names only."""

    record = records.PORTFOLIO_COMPACT


class PortfolioItems(AsanaStream):
    """Projects and portfolios in each portfolio. https://developers.asana.com/reference/getitemsforportfolio"""

    path = "portfolios/{portfolio}/items"
    parents = (Portfolios,)
    key = ("portfolio_gid", "gid")
    parent_key = "portfolio_gid"
    record = records.PORTFOLIO_ITEM


class PortfoliosMemberships(AsanaStream):
    """Members of each portfolio. https://developers.asana.com/reference/getportfoliomemberships"""

    path = "portfolio_memberships?portfolio={portfolio}"
    parents = (Portfolios,)
    record = records.PORTFOLIO_MEMBERSHIP


class OrganizationExports(AsanaStream):
    """The exports that the config names. https://developers.asana.com/reference/getorganizationexport"""

    path = "organization_exports/{organization_export}"
    named_in_config = "organization_export_ids"
    record = records.ORGANIZATION_EXPORT


def _all_streams(base: StreamClass) -> dict[str, StreamClass]:
    found: dict[str, StreamClass] = {}
    for stream in base.__subclasses__():
        found[stream.stream_name()] = stream
        found |= _all_streams(stream)
    return found


STREAMS: dict[str, StreamClass] = _all_streams(AsanaStream)
"""Every stream by its name; of those that share a listing the fullest comes first."""
