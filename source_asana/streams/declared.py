"""The streams: which endpoint, below which parents, which record, which key.

A stream is a class that is read, never instantiated: its attributes say what Asana's reference
says of the endpoint. Streams with the same `path` share its listing.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from source_asana.streams import records
from source_asana.streams.fields import ObjectShape, Shape, catalog_schema
from source_asana.streams.values import gids_in, has_parent

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
    """The parent's column that must be true for the listing to exist.

    Where the parent's own listing does not say so, one request for that parent confirms it.
    """

    counted_by: ClassVar[str | None] = None
    """The parent's column that counts the records; only 0 means that there are none."""

    parent_key: ClassVar[str | None] = None
    """The column in which each record takes the gid of its parent."""

    named_by: ClassVar[str | None] = None
    """The parent's column that refers to the one record that there may be: it is no listing."""

    named_in_config: ClassVar[str | None] = None
    """The list of gids in the config that are read one by one, for want of a listing."""

    within: ClassVar[tuple[tuple[StreamClass, str], ...]] = ()
    """The records of other listings that hold these, and in which column: nothing is requested."""

    takes_opt_fields: ClassVar[bool] = True
    """Asana lets one say which fields are wanted; else what it gives by itself is all there is."""

    goes_on_after_its_end: ClassVar[bool] = False
    """There is always a next page; one without records is the last."""

    between_syncs: ClassVar[bool] = False
    """The records exist only between two syncs: a full refresh requests nothing."""

    one: ClassVar[str | None] = None
    """The request for one record by its gid."""

    placed_by: ClassVar[tuple[str, ...]] = ()
    """The paths that tell whether the user's filters want a record asked for by its gid."""

    belongs_by: ClassVar[tuple[str, ...]] = ()
    """The paths that tell what a record asked for by its gid belongs to."""

    since_parameter: ClassVar[str | None] = None
    """The parameter by which Asana leaves out what is older than some time."""

    late_days: ClassVar[int | None] = None
    """That time is a day, for which records may still come so many days later."""

    completed_by_gid: ClassVar[tuple[str, ...]] = ()
    """The columns that a listing may lack: where they are wanted and the first does not come, each
    record is asked for once more, by its gid.
    """

    repeats_options: ClassVar[tuple[str, ...]] = ()
    """The paths that repeat all options of a custom field, which the user may leave out."""

    parts: ClassVar[tuple[StreamClass, str] | None] = None
    """Where Asana cuts the listing: what its parent consists of, and the listing below each."""

    loose: ClassVar[tuple[StreamClass, str] | None] = None
    """Where its records are that have none of the parents: the listing below each of another."""

    demanded: ClassVar[Mapping[str, str]] = {}
    """Optional parameters that some accounts demand: sent only after an answer 400."""

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
        return catalog_schema(cls.record, key=cls.key, added=cls.added())

    @classmethod
    def added(cls) -> dict[str, Shape]:
        """The columns that the connector adds to what Asana sends."""
        deleted_at = DELETED_AT if cls.told_deleted_as else None
        names = (cls.parent_key, *cls.computed, deleted_at)
        return {name: records.ADDED[name] for name in names if name}

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """The top-level names of the schema."""
        return (*cls.record.columns, *cls.added())

    @classmethod
    def is_below_projects(cls) -> bool:
        """Whether a project is among the ancestors, so that a sync proceeds project by project."""
        return any(parent is Projects or parent.is_below_projects() for parent in cls.parents)

    @classmethod
    def containers(cls) -> tuple[StreamClass, ...]:
        """The streams below whose records a sync proceeds, and the state tells, one by one."""
        if cls.since_parameter:
            return cls.parents
        return (Projects,) if cls is Projects or cls.is_below_projects() else ()

    @classmethod
    def is_told_by_events(cls) -> bool:
        """Whether a project's events tell what has happened to its records."""
        return cls.is_below_projects() and (cls.between_syncs or cls.told_deleted_as is not None)

    @classmethod
    def outlives_its_listing(cls) -> bool:
        """Whether its marks stay until Asana says what has become of an unlisted project."""
        return cls is Projects or cls.is_told_by_events()

    @classmethod
    def is_history(cls) -> bool:
        """Whether what is older than the user's `start_date` is left out."""
        return cls.since_parameter is not None or Tasks in cls.parents


class Workspaces(AsanaStream):
    """Workspaces and organisations. https://developers.asana.com/reference/getworkspaces"""

    path = "workspaces"
    one = "workspaces/{workspace}"
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
    parent_key = "workspace_gid"
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
    placed_by = ("archived", "workspace.gid")
    told_deleted_as = "project"
    dated_by = ("modified_at",)
    repeats_options = (
        "custom_fields.enum_options",
        "custom_field_settings.custom_field.enum_options",
    )
    record = records.PROJECT


class Sections(AsanaStream):
    """Sections of each project. https://developers.asana.com/reference/getsectionsforproject"""

    path = "projects/{project}/sections"
    parents = (Projects,)
    cursor_field = "created_at"
    told_deleted_as = "section"
    record = records.SECTION


class SectionsCompact(Sections):
    """Sections, little more than their names."""

    record = records.SECTION_COMPACT


class Tasks(AsanaStream):
    """Tasks of each project. https://developers.asana.com/reference/gettasks"""

    path = "tasks?project={project}"
    parents = (Projects,)
    loose: ClassVar[tuple[StreamClass, str]] = (
        Users,
        "tasks?assignee={user}&workspace={workspace}",
    )
    cursor_field = "modified_at"
    one = "tasks/{task}"
    since_parameter = "modified_since"
    parts = (Sections, "tasks?section={section}")
    repeats_options = ("custom_fields.enum_options",)
    told_deleted_as = "task"
    dated_by = ("modified_at", "created_at")
    record = records.TASK
    told_by = belongs_by = ("projects.gid", "parent.gid")

    @staticmethod
    def may_repeat(record: Record) -> bool:
        """A task of several projects, or one that its parent task lists too."""
        projects = gids_in(record.get("projects"))
        return projects is None or len(projects) != 1 or has_parent(record)


class Subtasks(AsanaStream):
    """Subtasks of each task, at any depth. https://developers.asana.com/reference/getsubtasksfortask"""

    path = "tasks/{task}/subtasks"
    parents = (Tasks,)
    cursor_field = "modified_at"
    one = "tasks/{task}"
    told_deleted_as = "task"
    dated_by = ("modified_at", "created_at")
    nested = True
    counted_by = "num_subtasks"
    repeats_options = Tasks.repeats_options
    record = records.TASK
    told_by = ("projects.gid",)

    @staticmethod
    def may_repeat(record: Record) -> bool:
        """A subtask that a project lists too."""
        return gids_in(record.get("projects")) != []


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
    """Attachments, little more than their names."""

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
    demanded: ClassVar[Mapping[str, str]] = {"owner": "me"}
    record = records.PORTFOLIO


class PortfoliosCompact(Portfolios):
    """Portfolios, little more than their names."""

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


class PortfolioMemberships(AsanaStream):
    """Members of each portfolio, teams too. https://developers.asana.com/reference/getmemberships"""

    path = "memberships?parent={portfolio}"
    parents = (Portfolios,)
    takes_opt_fields = False
    record = records.MEMBERSHIP


class Goals(AsanaStream):
    """Goals of each workspace. https://developers.asana.com/reference/getgoals"""

    path = "goals?workspace={workspace}"
    parents = (Workspaces,)
    record = records.GOAL


class GoalRelationships(AsanaStream):
    """What supports each goal. https://developers.asana.com/reference/getgoalrelationships"""

    path = "goal_relationships?supported_goal={goal}"
    parents = (Goals,)
    record = records.GOAL_RELATIONSHIP


class GoalMemberships(AsanaStream):
    """Members of each goal. https://developers.asana.com/reference/getmemberships"""

    path = "memberships?parent={goal}"
    parents = (Goals,)
    takes_opt_fields = False
    record = records.GOAL_MEMBERSHIP


class TimePeriods(AsanaStream):
    """The periods of goals. https://developers.asana.com/reference/gettimeperiods"""

    path = "time_periods?workspace={workspace}"
    parents = (Workspaces,)
    parent_key = "workspace_gid"
    record = records.TIME_PERIOD


class StatusUpdates(AsanaStream):
    """Status updates of projects, portfolios and goals. https://developers.asana.com/reference/getstatusesforobject"""

    path = "status_updates?parent={parent}"
    parents = (Projects, Portfolios, Goals)
    cursor_field = "created_at"
    since_parameter = "created_since"
    record = records.STATUS_UPDATE


class ProjectMemberships(AsanaStream):
    """Members of each project. https://developers.asana.com/reference/getprojectmembershipsforproject"""

    path = "projects/{project}/project_memberships"
    parents = (Projects,)
    record = records.PROJECT_MEMBERSHIP


class WorkspaceMemberships(AsanaStream):
    """Members of each workspace, and what they are there. https://developers.asana.com/reference/getworkspacemembershipsforworkspace"""

    path = "workspaces/{workspace}/workspace_memberships"
    parents = (Workspaces,)
    record = records.WORKSPACE_MEMBERSHIP


class UserTaskLists(AsanaStream):
    """The list "My tasks" of each member of a workspace. https://developers.asana.com/reference/getusertasklist"""

    path = WorkspaceMemberships.path
    parents = (Workspaces,)
    within = ((WorkspaceMemberships, "user_task_list"),)
    record = records.USER_TASK_LIST


class CustomFieldSettings(AsanaStream):
    """The custom fields of each project and portfolio. https://developers.asana.com/reference/getcustomfieldsettingsforproject"""

    path = Projects.path
    parents = (Workspaces,)
    within = ((Projects, "custom_field_settings"), (Portfolios, "custom_field_settings"))
    record = records.CUSTOM_FIELD_SETTING


class TimeTrackingEntries(AsanaStream):
    """Time that was entered on tasks. https://developers.asana.com/reference/gettimetrackingentries"""

    path = "time_tracking_entries?workspace={workspace}&entered_on_start_date=2000-01-01"
    parents = (Workspaces,)
    cursor_field = "entered_on"
    since_parameter = "entered_on_start_date"
    late_days = 14
    told_by = ("task.gid",)
    one = "time_tracking_entries/{time_tracking_entry}"
    completed_by_gid = ("task", "created_at", "approval_status", "billable_status", "description")
    record = records.TIME_TRACKING_ENTRY


class Allocations(AsanaStream):
    """Who is to work how much in each project. https://developers.asana.com/reference/getallocations"""

    path = "allocations?parent={project}"
    parents = (Projects,)
    record = records.ALLOCATION


class ProjectTemplates(AsanaStream):
    """Templates of projects. https://developers.asana.com/reference/getprojecttemplates"""

    path = "project_templates?workspace={workspace}"
    parents = (Workspaces,)
    parent_key = "workspace_gid"
    record = records.PROJECT_TEMPLATE


class TaskTemplates(AsanaStream):
    """Templates of tasks in each project. https://developers.asana.com/reference/gettasktemplates"""

    path = "task_templates?project={project}"
    parents = (Projects,)
    record = records.TASK_TEMPLATE


class ProjectBriefs(AsanaStream):
    """The brief of each project that has one. https://developers.asana.com/reference/getprojectbrief"""

    path = "project_briefs/{project_brief}"
    parents = (Projects,)
    named_by = "project_brief"
    record = records.PROJECT_BRIEF


class AuditLogEvents(AsanaStream):
    """The audit log of each organisation. https://developers.asana.com/reference/getauditlogevents"""

    path = "workspaces/{workspace}/audit_log_events"
    parents = (Workspaces,)
    below = "is_organization"
    cursor_field = "created_at"
    since_parameter = "start_at"
    parent_key = "workspace_gid"
    takes_opt_fields = False
    goes_on_after_its_end = True
    record = records.AUDIT_LOG_EVENT


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
