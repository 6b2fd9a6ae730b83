"""The streams: for each the endpoint, its parents, the record, the key. Declarations only.

Each class says what Asana's reference says on the page that its docstring names.
"""

from typing import ClassVar

from source_asana.streams import records
from source_asana.streams.sources import (
    PROJECT,
    WORKSPACE,
    AsanaStream,
    EventFeed,
    Files,
    Hint,
    Inside,
    Lookup,
    Pages,
    Since,
    StreamClass,
)
from source_asana.streams.values import Record, gids_in, has_parent


class Workspaces(AsanaStream):
    """Workspaces and organizations. https://developers.asana.com/reference/getworkspaces"""

    sources = (Pages("workspaces"),)
    lookup = Lookup("workspaces/{workspace}")
    container = WORKSPACE
    record = records.WORKSPACE


class Users(AsanaStream):
    """Users of each workspace. https://developers.asana.com/reference/getusers"""

    sources = (Pages("users?workspace={workspace}", below=(Workspaces,)),)
    record = records.USER

    @staticmethod
    def may_repeat(_record: Record) -> bool:
        """Every user may: a person works in several workspaces under one gid."""
        return True


class Tags(AsanaStream):
    """Tags of each workspace. https://developers.asana.com/reference/gettags"""

    sources = (Pages("tags?workspace={workspace}", below=(Workspaces,)),)
    record = records.TAG


class CustomFields(AsanaStream):
    """Each workspace's field library. https://developers.asana.com/reference/getcustomfieldsforworkspace"""

    sources = (
        Pages("workspaces/{workspace}/custom_fields", below=(Workspaces,), keep="workspace_gid"),
    )
    record = records.CUSTOM_FIELD


class Teams(AsanaStream):
    """Teams of each organization. https://developers.asana.com/reference/getteamsforworkspace"""

    sources = (
        Pages("workspaces/{workspace}/teams", below=(Workspaces,), only_if="is_organization"),
    )
    record = records.TEAM


class TeamMemberships(AsanaStream):
    """Members of each team. https://developers.asana.com/reference/getteammembershipsforteam"""

    sources = (Pages("teams/{team}/team_memberships", below=(Teams,)),)
    record = records.TEAM_MEMBERSHIP


class Projects(AsanaStream):
    """Projects of each workspace. https://developers.asana.com/reference/getprojects"""

    sources = (Pages("projects?workspace={workspace}", below=(Workspaces,)),)
    lookup = Lookup("projects/{project}", home_paths=("archived", "workspace.gid"))
    container = PROJECT
    cursor_field = "modified_at"
    event_type = "project"
    changed_by = ("modified_at", "archived")
    repeated_options = (
        "custom_fields.enum_options",
        "custom_field_settings.custom_field.enum_options",
    )
    record = records.PROJECT


class Sections(AsanaStream):
    """Sections of each project. https://developers.asana.com/reference/getsectionsforproject"""

    sources = (Pages("projects/{project}/sections", below=(Projects,)),)
    cursor_field = "created_at"
    event_type = "section"
    record = records.SECTION


class SectionsCompact(Sections):
    """Sections, little more than their names."""

    record = records.SECTION_COMPACT


class Tasks(AsanaStream):
    """Tasks of each project. https://developers.asana.com/reference/gettasks"""

    sources = (
        Pages(
            "tasks?project={project}",
            below=(Projects,),
            since=Since("modified_since"),
            split_by=(Sections, "tasks?section={section}"),
        ),
        Pages("tasks?assignee={user}&workspace={workspace}", below=(Users,), without_project=True),
    )
    lookup = Lookup("tasks/{task}", home_paths=("projects.gid", "parent.gid"))
    cursor_field = "modified_at"
    event_type = "task"
    changed_by = ("modified_at", "created_at")
    repeated_options = ("custom_fields.enum_options",)
    identity_paths = ("projects.gid", "parent.gid")
    record = records.TASK

    @staticmethod
    def may_repeat(record: Record) -> bool:
        """A task of several projects, or one that its parent task lists too."""
        projects = gids_in(record.get("projects"))
        return projects is None or len(projects) != 1 or has_parent(record)


class Subtasks(AsanaStream):
    """Subtasks of each task, at any depth. https://developers.asana.com/reference/getsubtasksfortask"""

    sources = (
        Pages("tasks/{task}/subtasks", below=(Tasks,), unless_zero="num_subtasks", is_nested=True),
    )
    lookup = Lookup("tasks/{task}")
    cursor_field = "modified_at"
    event_type = "task"
    changed_by = ("modified_at", "created_at")
    repeated_options = Tasks.repeated_options
    identity_paths = ("projects.gid",)
    record = records.TASK

    @staticmethod
    def may_repeat(record: Record) -> bool:
        """A subtask that a project lists too."""
        return gids_in(record.get("projects")) != []


class Stories(AsanaStream):
    """Comments and changes of each task. https://developers.asana.com/reference/getstoriesfortask"""

    sources = (Pages("tasks/{task}/stories", below=(Tasks, Subtasks), exported_as="stories"),)
    lookup = Lookup("stories/{story}", home_paths=("target.gid", "target.resource_type"))
    cursor_field = "created_at"
    event_type = "story"
    record = records.STORY


class StoriesCompact(Stories):
    """Stories, with the text but without what changed."""

    record = records.STORY_COMPACT


class Attachments(AsanaStream):
    """Attachments of each project, its brief, and each task. https://developers.asana.com/reference/getattachmentsforobject"""

    sources = (
        Pages(
            "attachments?parent={parent}",
            below=(Projects, Tasks, Subtasks),
            unless_empty=Hint(
                "attachments.gid",
                on=(Tasks, Subtasks),
                text="html_notes",
                signs=("<img", 'data-asana-type="attachment"', "asset_id="),
            ),
            exported_as="attachments",
            not_exported=("download_url", "view_url"),
        ),
        Pages("attachments?parent={project_brief}", below=(Projects,), gid_column="project_brief"),
    )
    lookup = Lookup("attachments/{attachment}", home_paths=("parent.gid", "parent.resource_type"))
    cursor_field = "created_at"
    event_type = "attachment"
    files: ClassVar[Files | None] = Files(
        url="download_url", name="name", size="size", host="host", downloaded_from="asana"
    )
    record = records.ATTACHMENT


class AttachmentsCompact(Attachments):
    """Attachments, little more than their names."""

    files = None
    record = records.ATTACHMENT_COMPACT


class Events(AsanaStream):
    """What happened in each project, its tasks and their stories. https://developers.asana.com/reference/getevents"""

    sources = (EventFeed("events?resource={project}", below=(Projects,), computed=("event_id",)),)
    key = ("event_id",)
    cursor_field = "created_at"
    identity_paths = tuple(
        records.EVENT.opt_fields()
    )  # its id and what it asks for are made of them
    record = records.EVENT


class Portfolios(AsanaStream):
    """The user's own portfolios, or all for a service account. https://developers.asana.com/reference/getportfolios"""

    sources = (
        Pages("portfolios?workspace={workspace}", below=(Workspaces,), demanded={"owner": "me"}),
    )
    record = records.PORTFOLIO


class PortfoliosCompact(Portfolios):
    """Portfolios, little more than their names."""

    record = records.PORTFOLIO_COMPACT


class PortfolioItems(AsanaStream):
    """Projects and portfolios in each portfolio. https://developers.asana.com/reference/getitemsforportfolio"""

    sources = (Pages("portfolios/{portfolio}/items", below=(Portfolios,), keep="portfolio_gid"),)
    key = ("portfolio_gid", "gid")
    record = records.PORTFOLIO_ITEM


class PortfoliosMemberships(AsanaStream):
    """Members of each portfolio. https://developers.asana.com/reference/getportfoliomemberships"""

    sources = (Pages("portfolio_memberships?portfolio={portfolio}", below=(Portfolios,)),)
    record = records.PORTFOLIO_MEMBERSHIP


class PortfolioMemberships(AsanaStream):
    """Members of each portfolio, teams too. https://developers.asana.com/reference/getmemberships"""

    sources = (
        Pages("memberships?parent={portfolio}", below=(Portfolios,), takes_opt_fields=False),
    )
    record = records.MEMBERSHIP


class Goals(AsanaStream):
    """Goals of each workspace. https://developers.asana.com/reference/getgoals"""

    sources = (Pages("goals?workspace={workspace}", below=(Workspaces,)),)
    record = records.GOAL


class GoalRelationships(AsanaStream):
    """What supports each goal. https://developers.asana.com/reference/getgoalrelationships"""

    sources = (Pages("goal_relationships?supported_goal={goal}", below=(Goals,)),)
    record = records.GOAL_RELATIONSHIP


class GoalMemberships(AsanaStream):
    """Members of each goal. https://developers.asana.com/reference/getmemberships"""

    sources = (Pages("memberships?parent={goal}", below=(Goals,), takes_opt_fields=False),)
    record = records.GOAL_MEMBERSHIP


class TimePeriods(AsanaStream):
    """The periods of goals. https://developers.asana.com/reference/gettimeperiods"""

    sources = (
        Pages("time_periods?workspace={workspace}", below=(Workspaces,), keep="workspace_gid"),
    )
    record = records.TIME_PERIOD


class StatusUpdates(AsanaStream):
    """Status updates of projects, portfolios and goals. https://developers.asana.com/reference/getstatusesforobject"""

    sources = (
        Pages(
            "status_updates?parent={parent}",
            below=(Projects, Portfolios, Goals),
            since=Since("created_since"),
        ),
    )
    cursor_field = "created_at"
    record = records.STATUS_UPDATE


class ProjectMemberships(AsanaStream):
    """Members of each project. https://developers.asana.com/reference/getprojectmembershipsforproject"""

    sources = (Pages("projects/{project}/project_memberships", below=(Projects,)),)
    record = records.PROJECT_MEMBERSHIP


class WorkspaceMemberships(AsanaStream):
    """Members of each workspace, and what they are there. https://developers.asana.com/reference/getworkspacemembershipsforworkspace"""

    sources = (Pages("workspaces/{workspace}/workspace_memberships", below=(Workspaces,)),)
    record = records.WORKSPACE_MEMBERSHIP


class UserTaskLists(AsanaStream):
    """The list "My tasks" of each member of a workspace. https://developers.asana.com/reference/getusertasklist"""

    sources = (Inside(WorkspaceMemberships, "user_task_list"),)
    record = records.USER_TASK_LIST


class CustomFieldSettings(AsanaStream):
    """The custom fields of each project and portfolio. https://developers.asana.com/reference/getcustomfieldsettingsforproject"""

    sources = (
        Inside(Projects, "custom_field_settings"),
        Inside(Portfolios, "custom_field_settings"),
    )
    record = records.CUSTOM_FIELD_SETTING


class TimeTrackingEntries(AsanaStream):
    """Time that was entered on tasks. https://developers.asana.com/reference/gettimetrackingentries"""

    sources = (
        Pages(
            "time_tracking_entries?workspace={workspace}&entered_on_start_date=2000-01-01",
            below=(Workspaces,),
            since=Since("entered_on_start_date", days_late=14),
        ),
    )
    lookup = Lookup(
        "time_tracking_entries/{time_tracking_entry}",
        completes=("task", "created_at", "approval_status", "billable_status", "description"),
    )
    cursor_field = "entered_on"
    identity_paths = ("task.gid",)
    record = records.TIME_TRACKING_ENTRY


class Allocations(AsanaStream):
    """Who is to work how much in each project. https://developers.asana.com/reference/getallocations"""

    sources = (Pages("allocations?parent={project}", below=(Projects,)),)
    record = records.ALLOCATION


class ProjectTemplates(AsanaStream):
    """Templates of projects. https://developers.asana.com/reference/getprojecttemplates"""

    sources = (
        Pages("project_templates?workspace={workspace}", below=(Workspaces,), keep="workspace_gid"),
    )
    record = records.PROJECT_TEMPLATE


class TaskTemplates(AsanaStream):
    """Templates of tasks in each project. https://developers.asana.com/reference/gettasktemplates"""

    sources = (Pages("task_templates?project={project}", below=(Projects,)),)
    record = records.TASK_TEMPLATE


class ProjectBriefs(AsanaStream):
    """The brief of each project that has one. https://developers.asana.com/reference/getprojectbrief"""

    sources = (
        Lookup("project_briefs/{project_brief}", below=(Projects,), gid_column="project_brief"),
    )
    record = records.PROJECT_BRIEF


class CustomTypes(AsanaStream):
    """Types of tasks in each project, with their statuses. https://developers.asana.com/reference/getcustomtypes"""

    sources = (Pages("custom_types?project={project}", below=(Projects,)),)
    record = records.CUSTOM_TYPE

    @staticmethod
    def may_repeat(_record: Record) -> bool:
        """Every type may: several projects can use it."""
        return True


class Budgets(AsanaStream):
    """The budget of each project that has one. https://developers.asana.com/reference/getbudgets"""

    sources = (
        Pages(
            "budgets?parent={project}", below=(Projects,), takes_opt_fields=False, is_paged=False
        ),
    )
    lookup = Lookup("budgets/{budget}", completes=("total", "estimate", "actual", "parent"))
    record = records.BUDGET


class Rates(AsanaStream):
    """What the time of each person costs in a project. https://developers.asana.com/reference/getrates"""

    sources = (Pages("rates?parent={project}", below=(Projects,), takes_opt_fields=False),)
    record = records.RATE


class ProjectPortfolioSettings(AsanaStream):
    """How each project is in a portfolio. https://developers.asana.com/reference/getprojectportfoliosettingsforportfolio"""

    sources = (Pages("portfolios/{portfolio}/project_portfolio_settings", below=(Portfolios,)),)
    record = records.PROJECT_PORTFOLIO_SETTING


class GoalStories(AsanaStream):
    """Comments and changes of each goal. https://developers.asana.com/reference/getstoriesforgoal"""

    sources = (Pages("goals/{goal}/stories", below=(Goals,)),)
    record = records.GOAL_STORY


class TimeTrackingCategories(AsanaStream):
    """Categories of time, archived ones too. https://developers.asana.com/reference/gettimetrackingcategories"""

    sources = (
        Pages(
            "time_tracking_categories?workspace={workspace}",
            below=(Workspaces,),
            keep="workspace_gid",
            also_with={"is_archived": "true"},
        ),
    )
    record = records.TIME_TRACKING_CATEGORY


class TimesheetApprovalStatuses(AsanaStream):
    """The timesheet of each person and week, and its approval. https://developers.asana.com/reference/gettimesheetapprovalstatuses"""

    sources = (Pages("timesheet_approval_statuses?workspace={workspace}", below=(Workspaces,)),)
    record = records.TIMESHEET_APPROVAL_STATUS


class OooEntries(AsanaStream):
    """Days on which each person is out of office. https://developers.asana.com/reference/getoooentries"""

    sources = (Pages("ooo_entries?user={user}&workspace={workspace}", below=(Users,)),)
    record = records.OOO_ENTRY


class Roles(AsanaStream):
    """Roles of each workspace and what they permit. https://developers.asana.com/reference/getroles"""

    sources = (Pages("roles?workspace={workspace}", below=(Workspaces,)),)
    record = records.ROLE


class AuditLogEvents(AsanaStream):
    """The audit log of each organization. https://developers.asana.com/reference/getauditlogevents"""

    sources = (
        Pages(
            "workspaces/{workspace}/audit_log_events",
            below=(Workspaces,),
            only_if="is_organization",
            since=Since("start_at"),
            keep="workspace_gid",
            takes_opt_fields=False,
            ends_with_empty_page=True,
        ),
    )
    cursor_field = "created_at"
    record = records.AUDIT_LOG_EVENT


class OrganizationExports(AsanaStream):
    """The exports that the config names. https://developers.asana.com/reference/getorganizationexport"""

    sources = (
        Lookup(
            "organization_exports/{organization_export}", config_field="organization_export_ids"
        ),
    )
    record = records.ORGANIZATION_EXPORT


def _all_streams(base: StreamClass) -> dict[str, StreamClass]:
    found: dict[str, StreamClass] = {}
    for stream in base.__subclasses__():
        found[stream.stream_name()] = stream
        found |= _all_streams(stream)
    return found


STREAMS: dict[str, StreamClass] = _all_streams(AsanaStream)
"""Every stream by its name; of those that share a listing the fullest comes first."""


def lookup_path(event_type: str) -> str:
    """The request for one record of a kind by its gid, as Asana's reference writes it."""
    return next(s.lookup.path for s in STREAMS.values() if s.lookup and s.event_type == event_type)
