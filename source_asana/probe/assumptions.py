"""What the connector assumes about Asana: what to request, how to judge, what it does otherwise.

Declarations only. `docs/assumptions.md` is held equal to them by a test.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from source_asana.probe import judging
from source_asana.probe.asking import NO_SUCH_GID, OutOfRequests
from source_asana.probe.findings import (
    Finding,
    Judgment,
    Record,
    Undecided,
    not_answered,
    not_visible,
)
from source_asana.probe.questions import Questions
from source_asana.streams.declared import (
    Allocations,
    Attachments,
    AuditLogEvents,
    Budgets,
    CustomFields,
    CustomTypes,
    GoalMemberships,
    GoalRelationships,
    Goals,
    PortfolioItems,
    PortfolioMemberships,
    Portfolios,
    PortfoliosMemberships,
    ProjectBriefs,
    ProjectMemberships,
    Projects,
    ProjectTemplates,
    Rates,
    Roles,
    Sections,
    StatusUpdates,
    Stories,
    StoriesCompact,
    Subtasks,
    Tags,
    Tasks,
    TaskTemplates,
    TeamMemberships,
    Teams,
    TimePeriods,
    TimesheetApprovalStatuses,
    TimeTrackingCategories,
    TimeTrackingEntries,
    Users,
    WorkspaceMemberships,
    Workspaces,
)
from source_asana.streams.sources import StreamClass
from source_asana.streams.values import gid_of


@dataclass(frozen=True)
class Assumption:
    """One belief of the connector's.

    `judge` asks for what it needs and returns the verdict; it raises what `Questions` raise.
    `otherwise`: what the connector does if Asana differs.
    """

    key: str
    title: str
    judge: Callable[[Questions], Judgment]
    otherwise: str


Parent = Callable[[Questions], str]

RETIRED: Mapping[StreamClass, Collection[str]] = {Projects: ("is_template",)}
"""Columns that Asana no longer has."""

CONDITIONAL: Mapping[StreamClass, Collection[str]] = {
    Tasks: ("approval_status", "external"),
    Subtasks: ("approval_status", "external"),
    Stories: set(Stories.record.columns) - set(StoriesCompact.record.columns) | {"task"},
    Attachments: ("connected_to_app",),
}
"""Columns that only some records have: it depends on their subtype, or on the app that asks."""


def _columns(stream: StreamClass) -> Collection[str]:
    return [c for c in stream.record.columns if c not in RETIRED.get(stream, ())]


def _whole(
    stream: StreamClass,
    parent: Parent = lambda _: "",
    kind: str | None = None,
    records: Callable[[Questions], list[Record]] | None = None,
) -> Assumption:
    """The listing of a stream has whole records. `kind`: the plural in the path of a single one."""
    name = stream.stream_name()

    def judge(q: Questions) -> Judgment:
        listed = records(q) if records else q.asana.records(stream, parent(q))
        single = q.asana.single(stream, kind, listed) if kind else None
        conditional = CONDITIONAL.get(stream, ())
        return judging.whole(listed, single, _columns(stream), conditional=conditional)

    return Assumption(
        f"whole_{name}",
        f"The listing of `{name}` has every column"
        + (", equal to the single record" if kind else ""),
        judge,
        "The connector delivers what the listing has; columns that never come stay null.",
    )


def _below_first(stream: StreamClass) -> Parent:
    """The first record of a workspace's listing, as the parent of another one."""

    def parent(q: Questions) -> str:
        try:
            records = q.asana.records(stream, q.examples.workspace)
        except Undecided as undecided:  # what is wrong above is told there
            raise Undecided(not_visible(undecided.judgment.observed)) from None
        if not records:
            raise Undecided(not_visible(f"no record of {stream.stream_name()}"))
        return str(records[0]["gid"])

    return parent


def _project_brief(q: Questions) -> list[Record]:
    gids = (gid_of(project.get("project_brief")) for project in q.examples.projects)
    gid = next((gid for gid in gids if gid), None)
    if gid is None:
        raise Undecided(
            not_visible(f"no brief on {judging.counted(len(q.examples.projects), 'project')}")
        )
    fields = ",".join(ProjectBriefs.record.opt_fields())
    return q.asana.given(f"project_briefs/{gid}", opt_fields=fields).records


def _one_project(q: Questions) -> list[Record]:
    """The project of the probe, or the first one where its listing does not have it."""
    return sorted(q.examples.projects, key=lambda project: project["gid"] != q.examples.project)


def _is_organization(q: Questions) -> Judgment:
    listed = q.asana.records(Workspaces)
    if not listed:
        return not_visible("no workspace")
    chosen = sorted(listed, key=lambda workspace: workspace["gid"] != q.examples.workspace)[:2]
    singles = [
        q.asana.single_of(Workspaces, "workspaces", workspace["gid"]) for workspace in chosen
    ]
    return judging.same_flag(listed, singles, "is_organization")


def _archived(q: Questions) -> Judgment:
    if any(project.get("archived") is True for project in q.examples.projects):
        return judging.has_archived(q.examples.projects, None)
    return judging.has_archived(
        q.examples.projects,
        q.asana.given(
            "projects",
            workspace=q.examples.workspace,
            archived="true",
            opt_fields="archived",
            limit="100",
        ),
    )


def _unarchived(q: Questions) -> Judgment:
    if not any(project.get("archived") is True for project in q.examples.projects):
        return not_visible("no archived project")
    active = q.asana.given(
        "projects",
        workspace=q.examples.workspace,
        archived="false",
        opt_fields="archived",
        limit="100",
    )
    return judging.has_no_archived(active.records)


def _subtask_counts(q: Questions) -> Judgment:
    leaf = q.examples.leaf_task
    none = q.asana.listing(Subtasks, leaf["gid"]) if leaf else None
    return judging.counts_subtasks(q.examples.parent_task, q.examples.subtasks, leaf, none)


def _inline(name: str, consequence: str) -> Assumption:
    return Assumption(
        f"inline_{name}",
        f"Where listed tasks have `{name}`, these are complete",
        lambda q: judging.inline(name, q.examples.inline_children, q.examples.below_inline(name)),
        consequence,
    )


def _story_target(q: Questions) -> Judgment:
    single = q.asana.single(Stories, "stories", q.asana.records(Stories, q.examples.newest_task))
    if single is None:
        return not_visible("no story")
    return judging.refers_to(single, "target", q.examples.newest_task, "task")


def _attachment_parent(q: Questions) -> Judgment:
    gid, found = q.examples.attached
    single = q.asana.single(Attachments, "attachments", found) or {}
    kind = "project" if gid == q.examples.project else "task"
    return judging.refers_to(single, "parent", gid, kind)


def _time_entry_task(q: Questions) -> Judgment:
    listed = q.asana.records(TimeTrackingEntries, q.examples.workspace)
    single = q.asana.single(TimeTrackingEntries, "time_tracking_entries", listed)
    if single is None:
        return not_visible("no time entry")
    return judging.is_placed_by_gid(listed, single)


def _field_settings(q: Questions) -> Judgment:
    project = _one_project(q)[0]
    listing = q.asana.given(
        f"projects/{project['gid']}/custom_field_settings", opt_fields="gid", limit="100"
    )
    return judging.are_all(project.get("custom_field_settings"), listing)


def _created_since(q: Questions) -> Judgment:
    everything = q.asana.records(StatusUpdates, q.examples.project)
    if not everything:
        return not_visible("no status update")
    times = sorted(str(update.get("created_at")) for update in everything)
    since = times[len(times) // 2]
    found = q.asana.given(
        "status_updates",
        parent=q.examples.project,
        created_since=since,
        opt_fields="created_at",
        limit="100",
    )
    return judging.since_creation(everything, since, found)


def _damaged_offset(q: Questions) -> Judgment:
    offset = q.pages.offset
    damaged = q.pages.of_one(offset=offset[:-1] + ("A" if offset[-1] != "A" else "B"))
    return judging.refuses_offset(damaged)


def _tasks_of_user(q: Questions) -> Judgment:
    return judging.is_readable(
        q.asana.ask(
            "tasks", assignee="me", workspace=q.examples.workspace, opt_fields="gid", limit="100"
        )
    )


def _tasks_of_section(q: Questions) -> Judgment:
    sections = q.asana.records(Sections, q.examples.project)
    if not sections:
        return not_visible("no section")
    return judging.is_readable(
        q.asana.ask("tasks", section=sections[0]["gid"], opt_fields="gid", limit="100")
    )


def _audit_log_end(q: Questions) -> Judgment:
    first = q.asana.listing(AuditLogEvents, q.examples.workspace)
    has_next = first.offset is not None
    return judging.ends(
        first, q.asana.page_after(first, AuditLogEvents, q.examples.workspace) if has_next else None
    )


def _project_of_the_probe(q: Questions) -> str:
    return q.examples.project


def _workspace_of_the_probe(q: Questions) -> str:
    return q.examples.workspace


def _readable(stream: StreamClass, parent: Parent) -> Assumption:
    name = stream.stream_name()
    return Assumption(
        f"readable_{name}",
        f"`{name}` can be read",
        lambda q: judging.is_readable(q.asana.first_page(stream, parent(q))),
        "The stream is INCOMPLETE, and the error names Asana's status.",
    )


ASSUMPTIONS: tuple[Assumption, ...] = (
    # Requests
    Assumption(
        "unknown_fields_ignored",
        "Asana ignores names in `opt_fields` that it does not know",
        lambda q: judging.has_status(q.asana.ask("users/me", opt_fields="gid,no_such_field"), 200),
        "Streams that request a column that Asana has dropped fail with Asana's message (400).",
    ),
    Assumption(
        "unknown_gid",
        "A gid that does not exist is answered with 404",
        lambda q: judging.has_status(q.asana.ask(f"projects/{NO_SUCH_GID}", opt_fields="gid"), 404),
        "The connector does not deliver the deletion of whole projects.",
    ),
    Assumption(
        "is_organization",
        "`is_organization` is the same in the list of workspaces and in the single workspace",
        _is_organization,
        "No effect: the connector requests each workspace that the list does not call an "
        "organization.",
    ),
    # Projects and tasks
    Assumption(
        "archived_included",
        "Archived projects are listed unless `archived=false` is sent",
        _archived,
        "Archived projects are missing from all streams.",
    ),
    Assumption(
        "archived_excluded",
        "`archived=false` leaves out archived projects",
        _unarchived,
        "No effect: the connector leaves them out itself.",
    ),
    Assumption(
        "task_times",
        "`created_at` and `modified_at` of tasks are never null",
        lambda q: judging.never_null(q.examples.tasks, ("created_at", "modified_at")),
        "The connector treats such a task as new in every sync, and delivers it with everything "
        "below it.",
    ),
    Assumption(
        "num_subtasks",
        "`num_subtasks` of tasks is always a number",
        lambda q: judging.has_usable_count(q.examples.tasks),
        "The connector requests the subtasks of such a task anyway.",
    ),
    Assumption(
        "num_subtasks_counts",
        "`num_subtasks` is the number of subtasks that are listed",
        _subtask_counts,
        "Subtasks of a task that says 0 are missing.",
    ),
    Assumption(
        "tasks_in_sections",
        "Every task of a project is in one of its sections",
        lambda q: judging.in_sections(q.examples.tasks, q.examples.project),
        "If Asana truncates the listing of a large project, tasks without a section are missing.",
    ),
    Assumption(
        "tasks_of_a_section",
        "The tasks of a section can be listed",
        _tasks_of_section,
        "If Asana truncates the listing of a large project, `tasks` is INCOMPLETE.",
    ),
    Assumption(
        "modified_since_inclusive",
        "`modified_since` returns every task modified at that time or later",
        lambda q: judging.complete_since(q.examples.tasks, q.pages.changed, q.pages.since),
        "The connector looks back 5 minutes, so it reads tasks of exactly that time anyway. Others "
        "come with the project's events.",
    ),
    Assumption(
        "modified_since_older",
        "`modified_since` returns no task with an older `modified_at`",
        lambda q: judging.nothing_older(q.pages.changed.records, q.pages.since),
        "No effect: the connector delivers every task that Asana returns.",
    ),
    Assumption(
        "tasks_of_a_user",
        "The tasks of a user in a workspace can be listed",
        _tasks_of_user,
        "With `include_tasks_without_project`, tasks in no project are missing; the log says so.",
    ),
    _inline(
        "attachments",
        "Without `skip_tasks_without_attachments`, no effect: the connector requests the "
        "attachments of each task. With it, the connector does the same if lists are missing, or "
        "once it finds a wrong empty one.",
    ),
    _inline("stories", "No effect: the connector requests the stories of each task."),
    _inline(
        "subtasks", "No effect: the connector requests the subtasks of each task that has any."
    ),
    Assumption(
        "story_target",
        "A story that is requested by its gid tells its task",
        _story_target,
        "If the story comes back from the trash, the connector does not request its task again.",
    ),
    Assumption(
        "attachment_parent",
        "An attachment that is requested by its gid tells its project or task",
        _attachment_parent,
        "If the attachment comes back from the trash, the connector does not request its task "
        "again.",
    ),
    # Pages
    Assumption(
        "offset",
        "An offset returns the records that follow",
        lambda q: judging.goes_on(q.pages.of_one(), q.pages.of_one(offset=q.pages.offset)),
        "A listing that repeats itself fails its stream, with an error.",
    ),
    Assumption(
        "damaged_offset",
        "An unusable offset is answered with 400",
        _damaged_offset,
        "The connector does not restart a listing whose offset has expired; its stream fails.",
    ),
    Assumption(
        "offset_of_another_limit",
        "An offset with another `limit` returns the records that follow, or 400",
        lambda q: judging.goes_on_or_refuses(
            q.pages.of_one(), q.pages.of_one(offset=q.pages.offset, limit="2")
        ),
        "A listing whose page size changes may lack records.",
    ),
    Assumption(
        "page_size",
        "Pages of 100, 50 and 20 tasks with all columns come in time, and are below 4 MB",
        lambda q: judging.obeys_limit(q.pages.with_limits(100, 50, 20)),
        "The connector requests smaller pages.",
    ),
    # Events
    Assumption(
        "events_first",
        "Events without a sync token are answered with 412 and a new token",
        lambda q: judging.begins_with_412(q.events.first),
        "The connector reads all tasks and subtasks of each project in every sync, and `events` is "
        "INCOMPLETE.",
    ),
    Assumption(
        "events_next",
        "Events since a token come with the next token and `has_more`",
        lambda q: judging.continues_from_token(q.events.next),
        "The connector reads all tasks and subtasks of the project, and `events` is INCOMPLETE.",
    ),
    Assumption(
        "events_again",
        "The same sync token returns the same events again",
        lambda q: judging.repeats_events(q.events.next, q.events.next_again),
        "After a killed sync, deletions can stay unknown until the next full refresh.",
    ),
    Assumption(
        "events_unknown_token",
        "An unknown sync token is answered with 412 and a new token, or with 400",
        lambda q: judging.refuses_token(q.events.of_unknown_token),
        "The connector reads all tasks and subtasks of the project, and `events` is INCOMPLETE.",
    ),
    Assumption(
        "workspace_events",
        "Events of a workspace without a sync token are answered with 412 and a new token",
        lambda q: judging.begins_with_412(q.events.of_workspace),
        "No effect: the connector requests the events of each project.",
    ),
    # Listings that need a plan, a role or a parameter
    Assumption(
        "portfolios_without_owner",
        "Portfolios can be listed without `owner`",
        lambda q: judging.is_readable(q.asana.listing(Portfolios, q.examples.workspace)),
        "The connector sends `owner=me` after a 400; other people's portfolios are missing.",
    ),
    Assumption(
        "created_since",
        "`created_since` returns the status updates of that time or later, and no others",
        _created_since,
        "The connector looks back 5 minutes, and delivers every status update that Asana returns.",
    ),
    Assumption(
        "time_entry_task",
        "A time entry tells its task in the listing, or when it is requested by its gid",
        _time_entry_task,
        "The connector delivers `task` as null, so the entry joins to nothing.",
    ),
    Assumption(
        "audit_log_end",
        "The audit log ends with an empty page, or with `next_page: null`",
        _audit_log_end,
        "A listing that repeats itself fails its stream, with an error.",
    ),
    Assumption(
        "owner_names",
        "The `owner` of a project has the name that is requested",
        lambda q: judging.is_named(q.examples.projects, "owner"),
        "The connector delivers `owner` without a name.",
    ),
    Assumption(
        "custom_field_settings_inside",
        "A listed project has all of its `custom_field_settings`",
        _field_settings,
        "`custom_field_settings` lacks the others.",
    ),
    # Whole records
    _whole(Workspaces, kind="workspaces"),
    _whole(Projects, kind="projects", records=_one_project),
    _whole(Tasks, kind="tasks", records=lambda q: q.examples.tasks),
    _whole(Subtasks, lambda q: q.examples.parent_task["gid"], "tasks"),
    _whole(Sections, lambda q: q.examples.project, "sections"),
    _whole(Stories, lambda q: q.examples.newest_task, "stories"),
    _whole(Attachments, kind="attachments", records=lambda q: q.examples.attached[1]),
    _whole(Users, lambda q: q.examples.workspace, "users"),
    _whole(Tags, lambda q: q.examples.workspace, "tags"),
    _whole(CustomFields, lambda q: q.examples.workspace, "custom_fields"),
    _whole(Teams, lambda q: q.examples.workspace, "teams"),
    _whole(Portfolios, lambda q: q.examples.workspace, "portfolios"),
    _whole(Goals, lambda q: q.examples.workspace, "goals"),
    _whole(StatusUpdates, lambda q: q.examples.project, "status_updates"),
    _whole(TeamMemberships, _below_first(Teams)),
    _whole(ProjectMemberships, lambda q: q.examples.project),
    _whole(WorkspaceMemberships, lambda q: q.examples.workspace),
    _whole(PortfolioItems, _below_first(Portfolios)),
    _whole(PortfoliosMemberships, _below_first(Portfolios)),
    _whole(PortfolioMemberships, _below_first(Portfolios)),
    _whole(GoalMemberships, _below_first(Goals)),
    _whole(GoalRelationships, _below_first(Goals)),
    _whole(TimePeriods, lambda q: q.examples.workspace),
    _whole(ProjectBriefs, records=_project_brief),
    _whole(ProjectTemplates, lambda q: q.examples.workspace),
    _whole(TaskTemplates, lambda q: q.examples.project),
    _whole(Allocations, lambda q: q.examples.project),
    _whole(AuditLogEvents, lambda q: q.examples.workspace),
    # What not every plan has
    *(
        _readable(stream, parent)
        for stream, parent in (
            (CustomTypes, _project_of_the_probe),
            (Budgets, _project_of_the_probe),
            (Rates, _project_of_the_probe),
            (TimesheetApprovalStatuses, _workspace_of_the_probe),
            (TimeTrackingCategories, _workspace_of_the_probe),
            (Roles, _workspace_of_the_probe),
        )
    ),
    Assumption(
        "organization_exports",
        "An organization export that does not exist is answered with 404",
        lambda q: judging.is_refused_or_unknown(
            q.asana.ask(f"organization_exports/{NO_SUCH_GID}", opt_fields="state")
        ),
        "The connector reports the export with Asana's status.",
    ),
    # What all answers have in common
    Assumption(
        "gids",
        "Every gid is a string of digits",
        lambda q: judging.digits_only(q.asana.every_record),
        "The connector leaves out records with another gid, and a warning counts them.",
    ),
    Assumption(
        "times",
        "Every time is UTC with milliseconds, as in 2026-01-31T00:00:00.000Z",
        lambda q: judging.in_utc(q.asana.every_record),
        "The connector treats such a record as new in every sync.",
    ),
    Assumption(
        "clock",
        "No record is newer than the `Date` header of Asana's answers",
        lambda q: judging.not_in_the_future(q.asana.every_record, q.asana.date),
        "The connector reads such changes twice.",
    ),
    Assumption(
        "date_header",
        "Every answer has a `Date` header, which is a time",
        lambda q: judging.has_dates(q.asana.every_answer),
        "The connector uses the clock of this machine.",
    ),
    Assumption(
        "next_page",
        "Every listing with a `limit` has the key `next_page`, which is null at the end",
        lambda q: judging.has_next_page(q.asana.limited),
        "The connector takes a missing key for the end of the listing.",
    ),
    Assumption(
        "error_envelope",
        "Every refusal is JSON with `errors[].message`",
        lambda q: judging.in_envelopes(q.asana.every_answer),
        "The connector names the status only. It repeats a request that is answered with HTML.",
    ),
    Assumption(
        "no_breaking_change",
        "Asana announces no breaking change (`Asana-Change`)",
        lambda q: judging.has_no_changes(q.asana.every_answer),
        "The connector logs each announcement once per sync.",
    ),
    Assumption(
        "rate_limit_headers",
        "No header tells what is left of the rate limit",
        lambda q: judging.has_no_rate_headers(q.asana.every_answer),
        "No effect: the connector learns the rate limit from answers 429.",
    ),
    Assumption(
        "retry_after",
        "Every answer 429 has a `Retry-After` of at most an hour",
        lambda q: judging.has_retry_after(q.asana.every_answer),
        "The connector doubles its pauses, from 1 second to a minute.",
    ),
)


def check_assumption(assumption: Assumption, questions: Questions) -> Finding:
    """Check one assumption. Raises AsanaSilent, TokenRefused, TokenUnavailable and Stopped."""
    try:
        judgment = assumption.judge(questions)
    except Undecided as undecided:
        judgment = undecided.judgment
    except OutOfRequests:
        judgment = not_answered("the limit of requests is used up")
    return Finding(
        assumption.key,
        assumption.title,
        judgment.observed,
        judgment.verdict,
        assumption.otherwise,
    )
