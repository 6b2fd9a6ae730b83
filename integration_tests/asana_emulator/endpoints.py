"""Every operation that is emulated: which objects it answers, and what it refuses.

https://developers.asana.com/reference/rest-api-reference
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pendulum

from .account import Account, Record, Viewer
from .asked import Asked
from .refusal import Refusal, forbidden, missing, unknown, unrecognised

Gids = Sequence[str]
Answered = str | Gids
LONGEST_UNPAGED_USERS = 2000
EVENTS = ("/events", "/projects/{project_gid}/events", "/tasks/{task_gid}/events")

_GID = re.compile(r"[0-9]{1,20}")
_DATED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


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
    archived = question.given("archived")
    if archived is None:
        return found
    if archived not in ("true", "false"):
        raise Refusal(400, "archived: Value is not a boolean")
    return question.where(found, lambda record: bool(record["archived"] == (archived == "true")))


@route("/tasks")
def tasks(question: Question) -> Answered:
    parent = _parent_of_tasks(question)
    found: Gids
    since = question.given("modified_since")
    if since is None:
        found = question.children("tasks", parent)
    else:
        instant = _instant("modified_since", since)
        found = question.account.tasks_modified_since(question.viewer, parent, instant)
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
    since = now if given == "now" else _instant("completed_since", given)

    def is_wanted(record: Record) -> bool:
        completed_at = record["completed_at"]
        return completed_at is None or _instant("completed_at", completed_at) >= since

    return question.where(gids, is_wanted)


def _instant(parameter: str, value: str) -> pendulum.DateTime:
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
    return question.children("attachments", question.parent("parent", "task", "project"))


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


def watched(question: Question) -> str:
    """The object whose events are asked for. https://developers.asana.com/reference/getevents"""
    value = question.asked.gid or question.needed("resource")
    return question.readable("resource", value, "project", "task")


DOCUMENTED_TEMPLATES = [*ROUTES, EVENTS[0]]
UNDOCUMENTED_ALIASES = dict.fromkeys(EVENTS[1:], EVENTS[0])


def _places() -> dict[tuple[str, ...], str]:
    """Paths with their gids blotted out, and the template that each stands for."""
    templates = [*DOCUMENTED_TEMPLATES, *UNDOCUMENTED_ALIASES]
    return {
        tuple("" if "{" in part else part for part in template.split("/")[1:]): template
        for template in templates
    }


_PLACES = _places()


def found_at(path: str) -> tuple[str, str]:
    """The template of a path and the gid in it, or nothing for an unknown path."""
    parts = path.split("/")[1:]
    gid = parts[1] if len(parts) > 1 else ""
    template = _PLACES.get(tuple("" if at == 1 else part for at, part in enumerate(parts)))
    return (template, gid) if template and (gid or len(parts) == 1) else ("", "")
