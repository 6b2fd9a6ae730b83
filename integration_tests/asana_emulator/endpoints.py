"""Every operation that is emulated: which objects it answers, and what it refuses.

https://developers.asana.com/reference/rest-api-reference
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pendulum

from .account import Account, Record, Viewer
from .asked import Asked
from .clock import stamp
from .refusal import Refusal, forbidden, missing, unknown, unrecognised

Gids = Sequence[str]
Answered = str | Gids
LONGEST_UNPAGED_USERS = 2000
WORKSPACE_EVENTS = "/workspaces/{workspace_gid}/events"
RESOURCE_EXPORTS = "/exports/resource"
JOB = "/jobs/{job_gid}"
AUDIT_LOG = "/workspaces/{workspace_gid}/audit_log_events"
EVENTS = (
    "/events",
    "/projects/{project_gid}/events",
    "/tasks/{task_gid}/events",
    WORKSPACE_EVENTS,
)

_GID = re.compile(r"[0-9]{1,20}")
_DATED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WITH_FILES = ("task", "project", "project_brief")
_SHARED = ("project", "portfolio", "goal")
_TIME = "time_tracking_entries"
# Which property of an audit log event each filter compares, and in which part of it.
_AUDITED = {
    "event_type": ("", "event_type"),
    "actor_type": ("actor", "actor_type"),
    "actor_gid": ("actor", "gid"),
    "resource_gid": ("resource", "gid"),
}


@dataclass(frozen=True)
class Question:
    """A request put to an account."""

    account: Account
    asked: Asked

    @property
    def viewer(self) -> Viewer:
        return self.asked.person.viewer

    def given(self, parameter: str) -> str | None:
        return self.asked.query.get(parameter) or None

    def needed(self, parameter: str) -> str:
        value = self.given(parameter)
        if value is None:
            raise missing(parameter)
        return value

    def readable(self, parameter: str, value: str, *kinds: str) -> str:
        """The gid of an object of one of these kinds that the viewer may read."""
        gid = self.viewer.user if value == "me" and "user" in kinds else value
        if not _GID.fullmatch(gid):
            raise unrecognised(parameter, value)
        if self.account.kind(gid) not in kinds:
            raise unknown(parameter, gid)
        if not self.account.may_read(self.viewer, gid):
            raise forbidden(parameter, gid)
        return gid

    def at_path(self, kind: str) -> str:
        return self.readable(kind, self.asked.gid, kind)

    def parent(self, parameter: str, *kinds: str) -> str:
        """The object that a required parameter names."""
        return self.readable(parameter, self.needed(parameter), *(kinds or (parameter,)))

    def flag(self, parameter: str) -> bool | None:
        value = self.given(parameter)
        if value not in (None, "true", "false"):
            raise Refusal(400, f"{parameter}: Value is not a boolean")
        return None if value is None else value == "true"

    def day(self, parameter: str) -> str | None:
        value = self.given(parameter)
        if value is not None and not (_DATED.fullmatch(value) and _is_day(value)):
            raise Refusal(400, f"{parameter}: Value is not a date: {value}")
        return value

    def children(self, child: str, parent: str) -> Gids:
        return self.account.listing(self.viewer, child, parent)

    def record(self, gid: str) -> Record:
        return self.account.record(self.viewer, gid)

    def where(self, gids: Gids, holds: Callable[[Record], bool]) -> Gids:
        return [gid for gid in gids if holds(self.record(gid))]

    def referenced(self, gid: str, field: str) -> Gids:
        return [reference["gid"] for reference in self.record(gid)[field]]


Answer = Callable[[Question], Answered]
ROUTES: dict[str, Answer] = {}


def route(template: str) -> Callable[[Answer], Answer]:
    def registered(answer: Answer) -> Answer:
        ROUTES[template] = answer
        return answer

    return registered


def _single(template: str, kind: str) -> None:
    ROUTES[template] = lambda question: question.at_path(kind)


def _below(template: str, child: str, parent: str) -> None:
    ROUTES[template] = lambda question: question.children(child, question.at_path(parent))


for _plural, _kind in (
    ("workspaces", "workspace"),
    ("users", "user"),
    ("teams", "team"),
    ("team_memberships", "team_membership"),
    ("projects", "project"),
    ("project_memberships", "project_membership"),
    ("sections", "section"),
    ("tasks", "task"),
    ("stories", "story"),
    ("attachments", "attachment"),
    ("tags", "tag"),
    ("custom_fields", "custom_field"),
    ("portfolios", "portfolio"),
    ("portfolio_memberships", "portfolio_membership"),
    ("user_task_lists", "user_task_list"),
    ("goals", "goal"),
    ("goal_relationships", "goal_relationship"),
    ("time_periods", "time_period"),
    ("status_updates", "status_update"),
    ("time_tracking_entries", "time_tracking_entry"),
    ("allocations", "allocation"),
    ("project_templates", "project_template"),
    ("task_templates", "task_template"),
    ("project_briefs", "project_brief"),
    ("roles", "role"),
    ("custom_types", "custom_type"),
    ("budgets", "budget"),
    ("rates", "rate"),
    ("project_portfolio_settings", "project_portfolio_setting"),
    ("time_tracking_categories", "time_tracking_category"),
    ("timesheet_approval_statuses", "timesheet_approval_status"),
    ("ooo_entries", "ooo_entry"),
):
    _single(f"/{_plural}/{{{_kind}_gid}}", _kind)

_below("/workspaces/{workspace_gid}/tags", "tags", "workspace")
_below("/workspaces/{workspace_gid}/custom_fields", "custom_fields", "workspace")
_below("/teams/{team_gid}/team_memberships", "team_memberships", "team")
_below("/projects/{project_gid}/sections", "sections", "project")
_below("/projects/{project_gid}/project_memberships", "project_memberships", "project")
_below("/tasks/{task_gid}/subtasks", "subtasks", "task")
_below("/tasks/{task_gid}/stories", "stories", "task")
_below("/portfolios/{portfolio_gid}/items", "items", "portfolio")
_below("/portfolios/{portfolio_gid}/portfolio_memberships", "portfolio_memberships", "portfolio")
_below("/goals/{goal_gid}/stories", "stories", "goal")
for _plural, _kind in (("projects", "project"), ("portfolios", "portfolio")):
    _settings = "project_portfolio_settings"
    _below(f"/{_plural}/{{{_kind}_gid}}/{_settings}", _settings, _kind)
_below("/tasks/{task_gid}/time_tracking_entries", "time_tracking_entries", "task")
for _plural, _kind in (("projects", "project"), ("portfolios", "portfolio"), ("goals", "goal")):
    _below(f"/{_plural}/{{{_kind}_gid}}/custom_field_settings", "custom_field_settings", _kind)


@route("/workspaces")
def workspaces(question: Question) -> Answered:
    return question.children("workspaces", "")


@route("/users")
def users(question: Question) -> Answered:
    if question.given("team"):
        return question.children("users", question.parent("team"))
    if question.given("workspace"):
        return question.children("users", question.parent("workspace"))
    everywhere = question.children("workspaces", "")
    found = {gid for workspace in everywhere for gid in question.children("users", workspace)}
    return sorted(found, key=int)


@route("/workspaces/{workspace_gid}/users")
def workspace_users(question: Question) -> Answered:
    return _by_name(question, question.children("users", question.at_path("workspace")))


@route("/teams/{team_gid}/users")
def team_users(question: Question) -> Answered:
    return _by_name(question, question.children("users", question.at_path("team")))


def _by_name(question: Question, gids: Gids) -> Gids:
    """Sorted by name and cut at 2,000. https://developers.asana.com/reference/getusersforworkspace"""
    named = sorted(gids, key=lambda gid: (question.record(gid)["name"] or "", int(gid)))
    return named[:LONGEST_UNPAGED_USERS]


@route("/users/{user_gid}/user_task_list")
def user_task_list(question: Question) -> Answered:
    workspace = question.parent("workspace")
    user = question.at_path("user")
    found = question.account.user_task_list(user, workspace)
    if found is None:
        raise unknown("user", user)
    return question.readable("user_task_list", found, "user_task_list")


@route("/users/{user_gid}/team_memberships")
def user_team_memberships(question: Question) -> Answered:
    return _team_memberships(question, question.at_path("user"), question.parent("workspace"))


@route("/users/{user_gid}/teams")
def user_teams(question: Question) -> Answered:
    organization = question.parent("organization", "workspace")
    memberships = _team_memberships(question, question.at_path("user"), organization)
    return [question.record(membership)["team"]["gid"] for membership in memberships]


@route("/team_memberships")
def team_memberships(question: Question) -> Answered:
    if question.given("team"):
        memberships = question.children("team_memberships", question.parent("team"))
        if not question.given("user"):
            return memberships
        user = question.parent("user")
        return question.where(memberships, lambda record: bool(record["user"]["gid"] == user))
    return _team_memberships(question, question.parent("user"), question.parent("workspace"))


def _team_memberships(question: Question, user: str, workspace: str) -> Gids:
    def is_within(membership: Record) -> bool:
        team = question.record(membership["team"]["gid"])
        return bool(team["organization"]["gid"] == workspace)

    return question.where(question.children("team_memberships", user), is_within)


@route("/workspaces/{workspace_gid}/teams")
def teams(question: Question) -> Answered:
    workspace = question.at_path("workspace")
    if not question.record(workspace)["is_organization"]:
        raise Refusal(403, "workspace: Teams exist only in organizations")
    return question.children("teams", workspace)


@route("/tags")
def tags(question: Question) -> Answered:
    return question.children("tags", question.parent("workspace"))


@route("/projects")
def projects(question: Question) -> Answered:
    if not question.given("team"):
        return _projects(question, question.parent("workspace"))
    found = _projects(question, question.parent("team"))
    if not question.given("workspace"):
        return found
    workspace = question.parent("workspace")
    return question.where(found, lambda record: bool(record["workspace"]["gid"] == workspace))


@route("/workspaces/{workspace_gid}/projects")
def workspace_projects(question: Question) -> Answered:
    return _projects(question, question.at_path("workspace"))


@route("/teams/{team_gid}/projects")
def team_projects(question: Question) -> Answered:
    return _projects(question, question.at_path("team"))


def _projects(question: Question, parent: str) -> Gids:
    found = question.children("projects", parent)
    archived = question.flag("archived")
    if archived is None:
        return found
    return question.where(found, lambda record: bool(record["archived"] == archived))


@route("/tasks")
def tasks(question: Question) -> Answered:
    parent = _parent_of_tasks(question)
    found: Gids
    since = question.given("modified_since")
    if since is None:
        found = question.children("tasks", parent)
    else:
        bound = instant("modified_since", since)
        found = question.account.tasks_modified_since(question.viewer, parent, bound)
    return _completed_since(question, found)


def _parent_of_tasks(question: Question) -> str:
    """Exactly one way to say which tasks. https://developers.asana.com/reference/gettasks"""
    given = {
        name for name in ("project", "section", "assignee", "workspace") if question.given(name)
    }
    if given == {"assignee", "workspace"}:
        workspace, assignee = question.parent("workspace"), question.parent("assignee", "user")
        found = question.account.user_task_list(assignee, workspace)
        if found is None:
            raise unknown("assignee", assignee)
        return found
    if given in ({"project"}, {"section"}):
        return question.parent(given.pop())
    raise Refusal(
        400,
        "Must specify exactly one of project, tag, section, user task list, "
        "or assignee + workspace",
    )


@route("/projects/{project_gid}/tasks")
def project_tasks(question: Question) -> Answered:
    return _completed_since(question, question.children("tasks", question.at_path("project")))


@route("/sections/{section_gid}/tasks")
def section_tasks(question: Question) -> Answered:
    return _completed_since(question, question.children("tasks", question.at_path("section")))


@route("/user_task_lists/{user_task_list_gid}/tasks")
def user_task_list_tasks(question: Question) -> Answered:
    listed = question.children("tasks", question.at_path("user_task_list"))
    return _completed_since(question, listed)


@route("/tags/{tag_gid}/tasks")
def tag_tasks(question: Question) -> Answered:
    return question.children("tasks", question.at_path("tag"))


@route("/tasks/{task_gid}/projects")
def task_projects(question: Question) -> Answered:
    return question.referenced(question.at_path("task"), "projects")


@route("/tasks/{task_gid}/tags")
def task_tags(question: Question) -> Answered:
    return question.referenced(question.at_path("task"), "tags")


def _completed_since(question: Question, gids: Gids) -> Gids:
    """Incomplete tasks, and those completed since; `now` for incomplete ones alone."""
    given = question.given("completed_since")
    if given is None:
        return gids
    now = question.account.clock.now()
    since = now if given == "now" else instant("completed_since", given)

    def is_wanted(record: Record) -> bool:
        completed_at = record["completed_at"]
        return completed_at is None or instant("completed_at", completed_at) >= since

    return question.where(gids, is_wanted)


def _is_day(value: str) -> bool:
    try:
        pendulum.date(*map(int, value.split("-")))
    except ValueError:
        return False
    return True


def instant(parameter: str, value: str) -> pendulum.DateTime:
    """The time that a parameter names. Raises Refusal for anything else."""
    malformed = Refusal(400, f"{parameter}: Value is not a date-time: {value}")
    if not _DATED.match(value):
        raise malformed
    try:
        parsed = pendulum.parse(value)
    except ValueError as error:
        raise malformed from error
    if not isinstance(parsed, pendulum.DateTime):
        raise malformed
    return parsed


@route("/attachments")
def attachments(question: Question) -> Answered:
    return question.children("attachments", question.parent("parent", *_WITH_FILES))


@route("/portfolios")
def portfolios(question: Question) -> Answered:
    """Users see their own, service accounts all. https://developers.asana.com/reference/getportfolios"""
    workspace = question.parent("workspace")
    owner = question.parent("owner", "user") if question.given("owner") else None
    found = question.children("portfolios", workspace)
    if question.viewer.service_account:
        if owner is None:
            return found
    elif owner not in (None, question.viewer.user):
        raise forbidden("owner", owner or "")
    owned_by = owner or question.viewer.user
    return question.where(found, lambda record: bool(record["owner"]["gid"] == owned_by))


@route("/portfolio_memberships")
def portfolio_memberships(question: Question) -> Answered:
    if question.given("portfolio"):
        parents: Gids = [question.parent("portfolio")]
        user = question.parent("user") if question.given("user") else None
    else:
        workspace, user = question.parent("workspace"), question.parent("user")
        parents = question.children("portfolios", workspace)
    found = [
        gid for parent in parents for gid in question.children("portfolio_memberships", parent)
    ]
    if user is None:
        return found
    return question.where(found, lambda record: bool(record["user"]["gid"] == user))


@route("/organization_exports/{organization_export_gid}")
def organization_export(question: Question) -> Answered:
    if not question.viewer.service_account:
        raise Refusal(403, "organization_export: Only service accounts may do this")
    return question.at_path("organization_export")


@route("/workspaces/{workspace_gid}/workspace_memberships")
def workspace_memberships(question: Question) -> Answered:
    found = question.children("workspace_memberships", question.at_path("workspace"))
    if not question.given("user"):
        return found
    user = question.parent("user")
    return question.where(found, lambda record: bool(record["user"]["gid"] == user))


@route("/memberships")
def memberships(question: Question) -> Answered:
    """Of a goal, portfolio or project; without `parent`, a team's memberships of projects."""
    if not question.given("parent"):
        question.parent("member", "team")
        if question.needed("resource_subtype") != "project_membership":
            raise Refusal(400, "resource_subtype: Must be project_membership")
        return []
    found = question.children("memberships", question.parent("parent", *_SHARED))
    subtype = question.given("resource_subtype")
    if subtype:
        found = question.where(found, lambda record: bool(record["resource_subtype"] == subtype))
    if not question.given("member"):
        return found
    member = question.parent("member", "user", "team")
    return question.where(found, lambda record: bool(record["member"]["gid"] == member))


@route("/goals")
def goals(question: Question) -> Answered:
    """Those of a workspace; of a team or of a few time periods, if so asked."""
    workspace = question.parent("workspace")
    found = question.children("goals", workspace)
    if question.given("team"):
        team = question.parent("team")
        found = question.where(
            found, lambda record: bool(record["team"] and record["team"]["gid"] == team)
        )
    at_the_top = question.flag("is_workspace_level")
    if at_the_top is not None:
        found = question.where(
            found, lambda record: bool(record["is_workspace_level"] == at_the_top)
        )
    periods = (question.given("time_periods") or "").split(",")
    if periods == [""]:
        return found
    return question.where(
        found,
        lambda record: bool(record["time_period"] and record["time_period"]["gid"] in periods),
    )


@route("/goal_relationships")
def goal_relationships(question: Question) -> Answered:
    found = question.children("goal_relationships", question.parent("supported_goal", "goal"))
    subtype = question.given("resource_subtype")
    if subtype is None:
        return found
    return question.where(found, lambda record: bool(record["resource_subtype"] == subtype))


@route("/time_periods")
def time_periods(question: Question) -> Answered:
    """Those that lie between two days, where these are given."""
    found = question.children("time_periods", question.parent("workspace"))
    start_on, end_on = question.day("start_on"), question.day("end_on")
    return question.where(
        found,
        lambda record: (
            (start_on is None or record["start_on"] >= start_on)
            and (end_on is None or record["end_on"] <= end_on)
        ),
    )


@route("/status_updates")
def status_updates(question: Question) -> Answered:
    found = question.children("status_updates", question.parent("parent", *_SHARED))
    return _since(question, found, "created_since")


def _since(question: Question, gids: Gids, parameter: str) -> Gids:
    """What was created at that instant or later."""
    given = question.given(parameter)
    if given is None:
        return gids
    since = stamp(instant(parameter, given))
    return question.where(gids, lambda record: bool(record["created_at"] >= since))


@route("/time_tracking_entries")
def time_tracking_entries(question: Question) -> Answered:
    """A whole workspace's only between days. https://developers.asana.com/reference/gettimetrackingentries"""
    first = question.day("entered_on_start_date")
    last = question.day("entered_on_end_date")
    found = _time_entries(question, is_bounded=bool(first or last))
    return question.where(
        found,
        lambda record: (
            (first is None or record["entered_on"] >= first)
            and (last is None or record["entered_on"] <= last)
        ),
    )


def _time_entries(question: Question, *, is_bounded: bool) -> Gids:
    if question.given("task"):
        return question.children("time_tracking_entries", question.parent("task"))
    if question.given("attributable_to"):
        project = question.parent("attributable_to", "project")
        workspace = question.record(project)["workspace"]["gid"]
        return question.where(
            question.children("time_tracking_entries", workspace),
            lambda record: bool((record["attributable_to"] or {}).get("gid") == project),
        )
    if question.given("user"):
        user = question.parent("user")
        workspaces = (
            [question.parent("workspace")]
            if question.given("workspace")
            else question.children("workspaces", "")
        )
        found = [gid for each in workspaces for gid in question.children(_TIME, each)]
        return question.where(found, lambda record: bool(record["created_by"]["gid"] == user))
    workspace = question.parent("workspace")
    if not is_bounded:
        raise Refusal(
            400,
            "workspace: At least one of entered_on_start_date or entered_on_end_date "
            "must be provided",
        )
    return question.children("time_tracking_entries", workspace)


@route("/allocations")
def allocations(question: Question) -> Answered:
    """Of a project or of somebody; the reference knows none of a workspace as a whole."""
    if question.given("parent"):
        found = question.children("allocations", question.parent("parent", "project"))
        if not question.given("assignee"):
            return found
        assignee = question.parent("assignee", "user")
    else:
        if not question.given("assignee"):
            raise Refusal(400, "Must specify parent or assignee")
        assignee = question.parent("assignee", "user")
        workspaces = (
            [question.parent("workspace")]
            if question.given("workspace")
            else question.children("workspaces", "")
        )
        found = [gid for each in workspaces for gid in question.children("allocations", each)]
    return question.where(found, lambda record: bool(record["assignee"]["gid"] == assignee))


@route("/project_templates")
def project_templates(question: Question) -> Answered:
    if not question.given("team"):
        return question.children("project_templates", question.parent("workspace"))
    team = question.parent("team")
    organization = question.record(team)["organization"]["gid"]
    return question.where(
        question.children("project_templates", organization),
        lambda record: bool((record["team"] or {}).get("gid") == team),
    )


@route("/task_templates")
def task_templates(question: Question) -> Answered:
    return question.children("task_templates", question.parent("project"))


@route("/custom_types")
def custom_types(question: Question) -> Answered:
    return question.children("custom_types", question.parent("project"))


@route("/budgets")
def budgets(question: Question) -> Answered:
    """Of a project: none or one. https://developers.asana.com/reference/getbudgets"""
    return question.children("budgets", question.parent("parent", "project"))


@route("/rates")
def rates(question: Question) -> Answered:
    found = question.children("rates", question.parent("parent", "project"))
    if not question.given("resource"):
        return found
    resource = question.parent("resource", "user", "placeholder")
    return question.where(found, lambda record: bool(record["resource"]["gid"] == resource))


@route("/time_tracking_categories")
def time_tracking_categories(question: Question) -> Answered:
    """Those in use, or those that are archived."""
    archived = bool(question.flag("is_archived"))
    return question.where(
        question.children("time_tracking_categories", question.parent("workspace")),
        lambda record: bool(record["is_archived"] == archived),
    )


@route("/timesheet_approval_statuses")
def timesheet_approval_statuses(question: Question) -> Answered:
    found = question.children("timesheet_approval_statuses", question.parent("workspace"))
    first, last = question.day("from_date"), question.day("to_date")
    user = question.parent("user") if question.given("user") else None
    states = (question.given("approval_statuses") or "").upper().split(",")

    def is_wanted(record: Record) -> bool:
        is_within = (first or "") <= record["end_date"] and record["start_date"] <= (last or "9")
        is_theirs = user in (None, record["user"]["gid"])
        return is_within and is_theirs and (states == [""] or record["approval_status"] in states)

    return question.where(found, is_wanted)


@route("/ooo_entries")
def ooo_entries(question: Question) -> Answered:
    """Those of one person. https://developers.asana.com/reference/getoooentries"""
    user, workspace = question.parent("user"), question.parent("workspace")
    first, last = question.day("start_date"), question.day("end_date")

    def is_wanted(record: Record) -> bool:
        is_within = (first or "") <= record["end_date"] and record["start_date"] <= (last or "9")
        return is_within and bool(record["user"]["gid"] == user)

    return question.where(question.children("ooo_entries", workspace), is_wanted)


@route("/roles")
def roles(question: Question) -> Answered:
    """Of one workspace, or of all. https://developers.asana.com/reference/getroles"""
    if question.given("workspace"):
        return question.children("roles", question.parent("workspace"))
    workspaces = question.children("workspaces", "")
    return [role for each in workspaces for role in question.children("roles", each)]


@route(AUDIT_LOG)
def audit_log_events(question: Question) -> Answered:
    """From `start_at` until just before `end_at`. https://developers.asana.com/reference/getauditlogevents"""
    workspace = _whole_organization(question)
    found = _since(question, question.children("audit_log_events", workspace), "start_at")
    end = question.given("end_at")
    if end is not None:
        until = stamp(instant("end_at", end))
        found = question.where(found, lambda record: bool(record["created_at"] < until))
    for parameter, (part, name) in _AUDITED.items():
        given = question.given(parameter)
        if given is not None:
            found = [gid for gid in found if _at(question.record(gid), part, name) == given]
    return found


def _at(record: Record, part: str, name: str) -> object:
    """A property of an event, or of a part of it."""
    return (record[part] if part else record).get(name)


def _whole_organization(question: Question) -> str:
    workspace = question.at_path("workspace")
    if not question.viewer.service_account:
        raise Refusal(403, "workspace: Only service accounts may do this")
    if not question.record(workspace)["is_organization"]:
        raise Refusal(403, "workspace: Only organizations have this")
    return workspace


def watched_workspace(question: Question) -> str:
    """The organization whose events are asked for, all of them.

    https://developers.asana.com/reference/getworkspaceevents
    """
    return _whole_organization(question)


def watched(question: Question) -> str:
    """The object whose events are asked for. https://developers.asana.com/reference/getevents"""
    value = question.asked.gid or question.needed("resource")
    return question.readable("resource", value, "project", "task")


DOCUMENTED_TEMPLATES = [*ROUTES, EVENTS[0], WORKSPACE_EVENTS]
UNDOCUMENTED_ALIASES = dict.fromkeys(EVENTS[1:3], EVENTS[0])


def _places() -> dict[tuple[str, ...], str]:
    """Paths with their gids blotted out, and the template that each stands for."""
    templates = [*DOCUMENTED_TEMPLATES, *UNDOCUMENTED_ALIASES, JOB]
    return {
        tuple("" if "{" in part else part for part in template.split("/")[1:]): template
        for template in templates
    }


_PLACES = _places()


def found_at(path: str) -> tuple[str, str]:
    """The template of a path and the gid in it, or nothing for an unknown path."""
    if path == RESOURCE_EXPORTS:
        return path, ""
    parts = path.split("/")[1:]
    gid = parts[1] if len(parts) > 1 else ""
    template = _PLACES.get(tuple("" if at == 1 else part for at, part in enumerate(parts)))
    return (template, gid) if template and (gid or len(parts) == 1) else ("", "")
