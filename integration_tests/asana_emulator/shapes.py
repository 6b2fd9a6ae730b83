"""Objects as Asana returns them: whole trees, with every field that its reference documents."""

from collections.abc import Callable, Iterable
from html import escape
from typing import Any

from .gids import gid_of, kind_of, number_of, pair_gid, paired
from .holdings import Holdings
from .objects import (
    Allocation,
    Attachment,
    AuditEvent,
    CustomField,
    CustomFieldSetting,
    EnumOption,
    Goal,
    GoalRelationship,
    OrganizationExport,
    Plain,
    Portfolio,
    Project,
    ProjectBrief,
    ProjectTemplate,
    Record,
    Role,
    Section,
    StatusUpdate,
    Story,
    Tag,
    Task,
    TaskTemplate,
    Team,
    TeamMembership,
    TimeEntry,
    TimePeriod,
    User,
    Workspace,
)
from .visibility import Viewer, Visibility

_APP = "https://app.asana.com"
_FIRST_DAY = "2024-01-08T08:00:00.000Z"
_ACCESS_LEVELS = (
    "edit_team_name_or_description_access_level",
    "edit_team_visibility_or_trash_team_access_level",
    "member_invite_management_access_level",
    "guest_invite_management_access_level",
    "join_request_management_access_level",
    "team_member_removal_access_level",
)
_PHOTO_SIZES = ("21x21", "27x27", "36x36", "60x60", "128x128", "1024x1024")
_COMPACT_FIELD = (
    "gid",
    "resource_type",
    "name",
    "type",
    "enum_options",
    "enabled",
    "representation_type",
    "id_prefix",
    "input_restrictions",
    "is_formula_field",
    "date_value",
    "enum_value",
    "multi_enum_values",
    "number_value",
    "text_value",
    "display_value",
)
_VALUE_KEYS = {
    "text": "text_value",
    "enum": "enum_value",
    "multi_enum": "multi_enum_values",
    "number": "number_value",
    "date": "date_value",
    "people": "people_value",
    "reference": "reference_value",
}
_NAMED = (
    Workspace
    | User
    | Team
    | Project
    | Section
    | Task
    | Tag
    | CustomField
    | Portfolio
    | Attachment
    | Goal
    | ProjectTemplate
    | TaskTemplate
    | Role
    | Plain
)


def html(text: str) -> str:
    """Plain text as Asana's XML-like rich text."""
    return f"<body>{escape(text, quote=False)}</body>"


def _link_to_s3(gid: str) -> str:
    return f"https://s3.amazonaws.com/assets/{gid}?expires=120"


class Shapes:
    """Renders objects as a viewer sees them."""

    def __init__(self, holdings: Holdings, visibility: Visibility) -> None:
        self._holdings = holdings
        self._visibility = visibility
        self.link_to_file: Callable[[str], str] = _link_to_s3
        self._by_kind: dict[str, Callable[[Viewer, str], Record]] = {
            "workspace": self._workspace,
            "user": self._user,
            "team": self._team,
            "team_membership": self._team_membership,
            "project": self._project,
            "section": self._section,
            "task": self._task,
            "story": self._story,
            "attachment": self._attachment,
            "tag": self._tag,
            "custom_field": self._custom_field,
            "portfolio": self._portfolio,
            "portfolio_membership": self._portfolio_membership,
            "project_membership": self._project_membership,
            "organization_export": self._organization_export,
            "user_task_list": self._user_task_list,
            "workspace_membership": self._workspace_membership,
            "custom_field_setting": self._custom_field_setting,
            "status_update": self._status_update,
            "goal": self._goal,
            "goal_relationship": self._goal_relationship,
            "goal_membership": self._goal_membership,
            "portfolio_user": self._shared_portfolio,
            "portfolio_team": self._shared_portfolio,
            "project_user": self._shared_project,
            "time_period": self._time_period,
            "time_tracking_entry": self._time_entry,
            "allocation": self._allocation,
            "project_template": self._project_template,
            "task_template": self._task_template,
            "project_brief": self._project_brief,
            "audit_log_event": self._audit_event,
            "role": self._role,
            "custom_type": self._plain,
            "time_tracking_category": self._plain,
            "budget": self._plain,
            "rate": self._plain,
            "timesheet_approval_status": self._plain,
            "ooo_entry": self._plain,
            "project_portfolio_setting": self._project_portfolio_setting,
        }

    def record(self, viewer: Viewer, gid: str) -> Record:
        """The whole documented tree of an object. Raises KeyError."""
        return self._by_kind[kind_of(gid) or gid](viewer, gid)

    def ref(self, gid: str) -> Record:
        """The compact record: gid, type and name."""
        kind = kind_of(gid)
        return {"gid": gid, "resource_type": kind, "name": self._name(gid)}

    def refs(self, gids: Iterable[str]) -> list[Record]:
        """The compact records of several objects."""
        return [self.ref(gid) for gid in gids]

    def task_ref(self, gid: str) -> Record:
        """The compact record of a task, project or other parent of a task."""
        if kind_of(gid) != "task":
            return self.ref(gid)
        task = self._holdings.get(Task, gid)
        return self.ref(gid) | {
            "resource_subtype": task.resource_subtype,
            "created_by": _gid_ref("user", task.created_by),
        }

    def event_ref(self, gid: str) -> Record:
        """The compact record in an event; only some resources have a name."""
        named = isinstance(self._holdings.find(gid), _NAMED)
        return self.ref(gid) if named else _gid_ref(kind_of(gid) or "", gid)

    def option(self, field: CustomField, gid: str) -> Record:
        """An enum option of a custom field."""
        return next(_option(option) for option in field.options if option.gid == gid)

    def field_with_value(self, gid: str, value: Any) -> Record:
        """The compact custom field with a value, as in all objects except tasks."""
        full = self._field_with_value(self._holdings.get(CustomField, gid), value)
        return {key: full[key] for key in _COMPACT_FIELD if key in full}

    def _name(self, gid: str) -> str | None:
        found = self._holdings.find(gid)
        return found.name if isinstance(found, _NAMED) else None

    def _maybe_ref(self, gid: str | None) -> Record | None:
        return None if gid is None else self.ref(gid)

    # -- workspaces and people --------------------------------------------------------------------

    def _workspace(self, _: Viewer, gid: str) -> Record:
        workspace = self._holdings.get(Workspace, gid)
        return self.ref(gid) | {
            "email_domains": workspace.email_domains,
            "is_organization": workspace.is_organization,
        }

    def _user(self, viewer: Viewer, gid: str) -> Record:
        user = self._holdings.get(User, gid)
        shared = [
            workspace.gid
            for workspace in self._holdings.kept(Workspace)
            if viewer.user in workspace.members and gid in workspace.members
        ]
        picture = f"https://s3.amazonaws.com/profile_photos/{gid}"
        return self.ref(gid) | {
            "email": user.email,
            "photo": {f"image_{size}": f"{picture}_{size}.png" for size in _PHOTO_SIZES}
            if user.has_photo
            else None,
            "workspaces": self.refs(shared),
            "custom_fields": [
                self.field_with_value(field, user.values.get(field)) for field in user.custom_fields
            ],
        }

    def _team(self, viewer: Viewer, gid: str) -> Record:
        team = self._holdings.get(Team, gid)
        level = "only_team_admins" if team.admins_only else "all_team_members"
        return (
            self.ref(gid)
            | {
                "description": team.description,
                "html_description": html(team.description),
                "organization": self.ref(team.organization),
                "permalink_url": f"{_APP}/0/{gid}/overview",
                "visibility": team.visibility,
            }
            | dict.fromkeys(_ACCESS_LEVELS, level)
            | {
                "team_content_management_access_level": "only_team_admins"
                if team.admins_only
                else "no_restriction",
                "endorsed": team.endorsed,
                "custom_field_settings": self._settings(viewer, team.settings),
            }
        )

    def _team_membership(self, _: Viewer, gid: str) -> Record:
        membership = self._holdings.get(TeamMembership, gid)
        return _gid_ref("team_membership", gid) | {
            "user": self.ref(membership.user),
            "team": self.ref(membership.team),
            "is_guest": membership.is_guest,
            "is_limited_access": membership.is_limited_access,
            "is_admin": membership.is_admin,
        }

    def _user_task_list(self, _: Viewer, gid: str) -> Record:
        workspace, user = paired(gid)
        return _gid_ref("user_task_list", gid) | {
            "name": f"My tasks in {self._name(workspace)}",
            "owner": self.ref(user),
            "workspace": self.ref(workspace),
        }

    def _workspace_membership(self, viewer: Viewer, gid: str) -> Record:
        container, user = paired(gid)
        workspace = self._holdings.get(Workspace, container)
        return _gid_ref("workspace_membership", gid) | {
            "user": self.ref(user),
            "workspace": self.ref(container),
            "user_task_list": self._user_task_list(
                viewer, pair_gid("user_task_list", container, user)
            ),
            "is_active": True,
            "is_admin": user == workspace.members[0],
            "is_guest": user in workspace.guests,
            "is_view_only": self._holdings.get(User, user).name is None,
            "vacation_dates": workspace.away.get(user),
            "created_at": workspace.joined.get(user, _FIRST_DAY),
        }

    # -- custom fields ----------------------------------------------------------------------------

    def _custom_field(self, _: Viewer, gid: str) -> Record:
        """A definition. Asana documents values for it, so it has some, which mean nothing."""
        field = self._holdings.get(CustomField, gid)
        return self._field_with_value(field, field.initial_value)

    def _field_with_value(self, field: CustomField, value: Any) -> Record:
        tree: Record = {
            "gid": field.gid,
            "resource_type": "custom_field",
            "name": field.name,
            "type": field.subtype,
            "resource_subtype": field.subtype,
            "representation_type": field.representation,
            "id_prefix": field.id_prefix,
            "is_formula_field": field.representation == "formula",
            "is_value_read_only": field.is_read_only,
            "enabled": True,
            "description": field.description,
            "is_global_to_workspace": field.is_global,
            "has_notifications_enabled": field.has_notifications,
            "asana_created_field": field.asana_created_field,
            "created_by": self._maybe_ref(field.created_by),
            "privacy_setting": field.privacy_setting,
            "default_access_level": field.default_access_level,
        }
        if field.options:
            tree["enum_options"] = [_option(option) for option in field.options]
        if field.subtype == "number":
            tree["precision"] = field.precision
            tree["format"] = field.format
            tree["currency_code"] = field.currency_code
            tree["custom_label"] = field.custom_label
            tree["custom_label_position"] = field.custom_label_position
        if field.subtype == "text":
            tree["html_text_value"] = html(value) if value is not None else None
        if field.subtype == "reference":
            tree["input_restrictions"] = field.input_restrictions
        shown = self._shown(field, value)
        tree[_VALUE_KEYS[field.subtype]] = shown
        tree["display_value"] = _display(field, shown)
        return tree

    def _shown(self, field: CustomField, value: Any) -> Any:
        match field.subtype:
            case "enum":
                return None if value is None else self.option(field, value)
            case "multi_enum":
                return [self.option(field, gid) for gid in value or ()]
            case "people" | "reference":
                return self.refs(value or ())
        return value

    def visible_settings(self, viewer: Viewer, container: str) -> list[str]:
        """The settings of a project, portfolio or goal, except for fields the viewer cannot see."""
        match self._holdings.find(container):
            case (Project() | Portfolio() | Goal()) as holder:
                return [setting.gid for setting in self._visible(viewer, holder.settings)]
        raise KeyError(container)

    def _visible(self, viewer: Viewer, gids: Iterable[str]) -> list[CustomFieldSetting]:
        """Settings, except for private fields that the viewer cannot see."""
        settings = (self._holdings.get(CustomFieldSetting, gid) for gid in gids)
        may_read = self._visibility.may_read
        return [setting for setting in settings if may_read(viewer, setting.custom_field)]

    def _settings(self, viewer: Viewer, gids: Iterable[str]) -> list[Record]:
        return [
            self._custom_field_setting(viewer, setting.gid)
            for setting in self._visible(viewer, gids)
        ]

    def _custom_field_setting(self, _: Viewer, gid: str) -> Record:
        setting = self._holdings.get(CustomFieldSetting, gid)
        field = self._holdings.get(CustomField, setting.custom_field)
        return _gid_ref("custom_field_setting", gid) | {
            "project": self._maybe_ref(setting.project),
            "is_important": setting.is_important,
            "parent": self.ref(setting.parent),
            "custom_field": self._field_with_value(field, field.initial_value),
        }

    def _values(self, viewer: Viewer, settings: Iterable[str], values: Record) -> list[Record]:
        fields = [setting.custom_field for setting in self._visible(viewer, settings)]
        return [self.field_with_value(field, values.get(field)) for field in fields]

    # -- projects and what is in them -------------------------------------------------------------

    def _project(self, viewer: Viewer, gid: str) -> Record:
        project = self._holdings.get(Project, gid)
        status = project.status
        return self.ref(gid) | {
            "archived": project.archived,
            "color": project.color,
            "icon": project.icon,
            "created_at": project.created_at,
            "current_status": self._project_status(status) if status else None,
            "current_status_update": _status_ref(status, "project") if status else None,
            "custom_field_settings": self._settings(viewer, project.settings),
            "default_view": project.default_view,
            "due_date": project.due_on,
            "due_on": project.due_on,
            "html_notes": html(project.notes),
            "members": self.refs(project.members),
            "modified_at": project.modified_at,
            "notes": project.notes,
            "public": project.privacy_setting == "public_to_workspace",
            "privacy_setting": project.privacy_setting,
            "start_on": project.start_on,
            "default_access_level": project.default_access_level,
            "minimum_access_level_for_customization": project.customization_level,
            "minimum_access_level_for_sharing": project.sharing_level,
            "custom_fields": self._values(viewer, project.settings, project.values),
            "completed": project.completed_at is not None,
            "completed_at": project.completed_at,
            "completed_by": self._maybe_ref(project.completed_by),
            "followers": self.refs(project.followers),
            "owner": self._maybe_ref(project.owner),
            "team": self._maybe_ref(project.team),
            "permalink_url": f"{_APP}/1/{project.workspace}/project/{gid}",
            "project_brief": _gid_ref("project_brief", project.brief) if project.brief else None,
            "created_from_template": project.template,
            "workspace": self.ref(project.workspace),
        }

    def _project_status(self, status: StatusUpdate) -> Record:
        return {
            "gid": gid_of("project_status", number_of(status.gid)),
            "resource_type": "project_status",
            "title": status.title,
            "text": status.text,
            "html_text": html(status.text),
            "color": status.color,
            "author": self.ref(status.author),
            "created_at": status.created_at,
            "created_by": self.ref(status.author),
            "modified_at": status.modified_at,
        }

    def _project_membership(self, _: Viewer, gid: str) -> Record:
        container, member = paired(gid)
        return _gid_ref("project_membership", gid) | {
            "parent": self.ref(container),
            "member": self.ref(member),
            "access_level": self._holdings.get(Project, container).members[member],
        }

    def _section(self, _: Viewer, gid: str) -> Record:
        section = self._holdings.get(Section, gid)
        return self.ref(gid) | {
            "created_at": section.created_at,
            "project": self.ref(section.project),
            "projects": [self.ref(section.project)],
        }

    def _task(self, viewer: Viewer, gid: str) -> Record:
        task = self._holdings.get(Task, gid)
        may_read = self._visibility.may_read
        sections = {
            project: section
            for project, section in task.sections.items()
            if may_read(viewer, project)
        }
        likes = self._likes("task_like", number_of(gid), task.likes)
        tree: Record = {
            "gid": gid,
            "resource_type": "task",
            "name": task.name,
            "resource_subtype": task.resource_subtype,
            "created_by": _gid_ref("user", task.created_by),
            "assignee_status": task.assignee_status,
            "assigned_by": self._maybe_ref(task.assigned_by),
            "completed": task.completed_at is not None,
            "completed_at": task.completed_at,
            "completed_by": self._maybe_ref(task.completed_by),
            "created_at": task.created_at,
            "dependencies": [
                _gid_ref("task", other) for other in self._remaining(task.dependencies)
            ],
            "dependents": [_gid_ref("task", other) for other in self._remaining(task.dependents)],
            "due_at": task.due_at,
            "due_on": task.due_on,
            "html_notes": html(task.notes),
            "hearted": viewer.user in task.likes,
            "hearts": likes,
            "is_rendered_as_separator": task.is_rendered_as_separator,
            "liked": viewer.user in task.likes,
            "likes": likes,
            "memberships": [
                {"project": self.ref(project), "section": self.ref(section)}
                for project, section in sections.items()
            ],
            "modified_at": task.modified_at,
            "notes": task.notes,
            "num_hearts": len(likes),
            "num_likes": len(likes),
            "num_subtasks": len(self._holdings.children("subtask", gid)),
            "start_at": task.start_at,
            "start_on": task.start_on,
            "actual_time_minutes": task.actual_time_minutes,
            "assignee": self._maybe_ref(task.assignee),
            "assignee_section": _my_tasks_section(task),
            "custom_fields": self._task_values(viewer, task, sections),
            "custom_type": task.custom_type,
            "custom_type_status_option": task.custom_type_status_option,
            "followers": self.refs(task.followers),
            "parent": self.task_ref(task.parent) if task.parent else None,
            "projects": self.refs(sections),
            "tags": self.refs(self._remaining(task.tags)),
            "workspace": self.ref(task.workspace),
            "permalink_url": f"{_APP}/1/{task.workspace}/task/{gid}",
        }
        if task.approval_status:
            tree["approval_status"] = task.approval_status
        if task.external:
            tree["external"] = task.external
        return tree

    def _task_values(self, viewer: Viewer, task: Task, projects: Iterable[str]) -> list[Record]:
        """The custom fields of the projects that the task is in, with its values."""
        fields = {
            setting.custom_field: None
            for project in projects
            for setting in self._visible(viewer, self._holdings.get(Project, project).settings)
        }
        return [
            self._field_with_value(self._holdings.get(CustomField, field), task.values.get(field))
            for field in fields
        ]

    def _remaining(self, gids: Iterable[str]) -> list[str]:
        return [gid for gid in gids if not self._holdings.is_deleted(gid)]

    def _likes(self, kind: str, number: int, users: list[str]) -> list[Record]:
        return [
            {"gid": gid_of(kind, number * 100 + position), "user": self.ref(user)}
            for position, user in enumerate(users)
        ]

    def _story(self, viewer: Viewer, gid: str) -> Record:
        story = self._holdings.get(Story, gid)
        tree: Record = {
            "gid": gid,
            "resource_type": "story",
            "created_at": story.created_at,
            "resource_subtype": story.resource_subtype,
            "text": story.text,
            "html_text": html(story.text),
            "created_by": self._maybe_ref(story.created_by),
            "type": "comment" if story.is_comment else "system",
            "source": story.source,
            "target": self.task_ref(story.task),
        }
        if story.is_comment:
            likes = self._likes("story_like", number_of(gid), story.likes)
            tree |= {
                "is_pinned": story.is_pinned,
                "is_editable": story.created_by == viewer.user,
                "is_edited": story.is_edited,
                "hearted": viewer.user in story.likes,
                "hearts": likes,
                "num_hearts": len(likes),
                "liked": viewer.user in story.likes,
                "likes": likes,
                "num_likes": len(likes),
                "reaction_summary": story.reactions,
                "previews": story.previews,
            }
        if story.sticker_name:
            tree["sticker_name"] = story.sticker_name
        return tree | story.details

    def _attachment(self, _: Viewer, gid: str) -> Record:
        attachment = self._holdings.get(Attachment, gid)
        is_ours = attachment.host == "asana"
        page = f"{_APP}/app/asana/-/get_asset?asset_id={gid}"
        elsewhere = f"https://files.example.com/{attachment.host}/{gid}"
        tree: Record = self.ref(gid) | {
            "resource_subtype": attachment.host,
            "created_at": attachment.created_at,
            "download_url": self.link_to_file(gid) if is_ours else None,
            "permanent_url": page if is_ours else None,
            "host": attachment.host,
            "parent": self.task_ref(attachment.parent),
            "view_url": page if is_ours else elsewhere,
        }
        if is_ours:
            tree["size"] = attachment.size
        if attachment.host in {"external", "gdrive"}:
            tree["connected_to_app"] = attachment.connected_to_app
        return tree

    def _tag(self, _: Viewer, gid: str) -> Record:
        tag = self._holdings.get(Tag, gid)
        return self.ref(gid) | {
            "color": tag.color,
            "notes": tag.notes,
            "created_at": tag.created_at,
            "followers": self.refs(tag.followers),
            "workspace": self.ref(tag.workspace),
            "permalink_url": f"{_APP}/0/{gid}/list",
        }

    # -- portfolios and exports -------------------------------------------------------------------

    def _portfolio(self, viewer: Viewer, gid: str) -> Record:
        portfolio = self._holdings.get(Portfolio, gid)
        status = portfolio.status
        return self.ref(gid) | {
            "archived": portfolio.archived,
            "color": portfolio.color,
            "start_on": portfolio.start_on,
            "due_on": portfolio.due_on,
            "default_access_level": "viewer",
            "created_at": portfolio.created_at,
            "created_by": self.ref(portfolio.owner),
            "custom_field_settings": self._settings(viewer, portfolio.settings),
            "current_status_update": _status_ref(status, "portfolio") if status else None,
            "custom_fields": self._values(viewer, portfolio.settings, portfolio.values),
            "members": self.refs(portfolio.members),
            "owner": self.ref(portfolio.owner),
            "workspace": self.ref(portfolio.workspace),
            "permalink_url": f"{_APP}/0/portfolio/{gid}/list",
            "public": portfolio.public,
            "privacy_setting": "public_to_domain" if portfolio.public else "members_only",
            "project_templates": portfolio.templates,
        }

    def _portfolio_membership(self, _: Viewer, gid: str) -> Record:
        portfolio, user = paired(gid)
        return _gid_ref("portfolio_membership", gid) | {
            "portfolio": self.ref(portfolio),
            "user": self.ref(user),
            "access_level": self._holdings.get(Portfolio, portfolio).members[user],
        }

    def _organization_export(self, _: Viewer, gid: str) -> Record:
        export = self._holdings.get(OrganizationExport, gid)
        return _gid_ref("organization_export", gid) | {
            "created_at": export.created_at,
            "download_url": export.download_url,
            "state": export.state,
            "organization": self.ref(export.organization),
        }

    # -- status updates and memberships -----------------------------------------------------------

    def _status_update(self, viewer: Viewer, gid: str) -> Record:
        status = self._holdings.get(StatusUpdate, gid)
        likes = self._likes("status_update_like", number_of(gid), status.likes)
        return _status_ref(status, kind_of(status.parent) or "") | {
            "text": status.text,
            "html_text": html(status.text),
            "status_type": status.status_type,
            "author": self.ref(status.author),
            "created_at": status.created_at,
            "created_by": self.ref(status.author),
            "hearted": viewer.user in status.likes,
            "hearts": likes,
            "liked": viewer.user in status.likes,
            "likes": likes,
            "reaction_summary": status.reactions,
            "modified_at": status.modified_at,
            "num_hearts": len(likes),
            "num_likes": len(likes),
            "parent": self.ref(status.parent),
        }

    def _goal_membership(self, _: Viewer, gid: str) -> Record:
        goal, user = paired(gid)
        level = self._holdings.get(Goal, goal).members[user]
        return self._membership(gid, "goal", level) | {
            "parent": self._goal_ref(goal),
            "role": "editor" if level in {"editor", "admin"} else "commenter",
            "goal": self._goal_ref(goal),
            "is_commenter": None,
            "is_editor": None,
        }

    def _shared_portfolio(self, _: Viewer, gid: str) -> Record:
        container, member = paired(gid)
        portfolio = self._holdings.get(Portfolio, container)
        level = (portfolio.members | portfolio.teams)[member]
        return self._membership(gid, "portfolio", level) | {"parent": self.ref(container)}

    def _shared_project(self, _: Viewer, gid: str) -> Record:
        """A record without its parent, which is opt-in and cannot be requested here."""
        project, user = paired(gid)
        return self._membership(gid, "project", self._holdings.get(Project, project).members[user])

    def _membership(self, gid: str, container: str, level: str) -> Record:
        return _gid_ref("membership", gid) | {
            "resource_subtype": f"{container}_membership",
            "member": self.ref(paired(gid)[1]),
            "access_level": level,
        }

    # -- goals and time ---------------------------------------------------------------------------

    def _goal(self, viewer: Viewer, gid: str) -> Record:
        goal = self._holdings.get(Goal, gid)
        likes = self._likes("goal_like", number_of(gid), goal.likes)
        status = goal.status_update
        return self._goal_ref(gid) | {
            "notes": goal.notes,
            "html_notes": html(goal.notes),
            "due_on": goal.due_on,
            "start_on": goal.start_on,
            "is_workspace_level": goal.is_workspace_level,
            "liked": viewer.user in goal.likes,
            "likes": likes,
            "num_likes": len(likes),
            "team": self._maybe_ref(goal.team),
            "workspace": self.ref(goal.workspace),
            "followers": self.refs(goal.members),
            "time_period": self._period_ref(goal.time_period) if goal.time_period else None,
            "metric": goal.metric,
            "current_status_update": _status_ref(status, "goal") if status else None,
            "status": goal.status,
            "privacy_setting": goal.privacy_setting,
            "default_access_level": goal.default_access_level,
            "custom_fields": self._values(viewer, goal.settings, goal.values),
            "custom_field_settings": self._settings(viewer, goal.settings),
        }

    def _goal_ref(self, gid: str) -> Record:
        """The compact record of a goal, which names its owner."""
        return self.ref(gid) | {"owner": self._maybe_ref(self._holdings.get(Goal, gid).owner)}

    def _goal_relationship(self, _: Viewer, gid: str) -> Record:
        relationship = self._holdings.get(GoalRelationship, gid)
        is_goal = kind_of(relationship.supporting) == "goal"
        return _gid_ref("goal_relationship", gid) | {
            "resource_subtype": "subgoal" if is_goal else "supporting_work",
            "supporting_resource": self.ref(relationship.supporting),
            "contribution_weight": relationship.weight,
            "supported_goal": self._goal_ref(relationship.supported_goal),
        }

    def _time_period(self, _: Viewer, gid: str) -> Record:
        parent = self._holdings.get(TimePeriod, gid).parent
        return self._period_ref(gid) | {"parent": self._period_ref(parent) if parent else None}

    def _period_ref(self, gid: str) -> Record:
        period = self._holdings.get(TimePeriod, gid)
        return _gid_ref("time_period", gid) | {
            "end_on": period.end_on,
            "start_on": period.start_on,
            "period": period.period,
            "display_name": period.display_name,
        }

    def _time_entry(self, _: Viewer, gid: str) -> Record:
        entry = self._holdings.get(TimeEntry, gid)
        tree: Record = _gid_ref("time_tracking_entry", gid) | {
            "duration_minutes": entry.minutes,
            "entered_on": entry.entered_on,
            "attributable_to": self._maybe_ref(entry.attributable_to),
            "created_by": self.ref(entry.created_by),
            "categories": entry.categories,
            "task": self.task_ref(entry.task),
            "created_at": entry.created_at,
        }
        optional = {
            "approval_status": entry.approval_status,
            "billable_status": entry.billable_status,
            "description": entry.description,
        }
        return tree | {name: value for name, value in optional.items() if value is not None}

    def _allocation(self, _: Viewer, gid: str) -> Record:
        allocation = self._holdings.get(Allocation, gid)
        return _gid_ref("allocation", gid) | {
            "start_date": allocation.start_date,
            "end_date": allocation.end_date,
            "effort": allocation.effort,
            "assignee": self.ref(allocation.assignee),
            "created_by": self.ref(allocation.created_by),
            "parent": self.ref(allocation.project),
            "resource_subtype": "project_allocation",
        }

    # -- templates, briefs and the audit log ------------------------------------------------------

    def _project_template(self, _: Viewer, gid: str) -> Record:
        template = self._holdings.get(ProjectTemplate, gid)
        return self.ref(gid) | {
            "description": template.description,
            "html_description": html(template.description),
            "public": template.public,
            "owner": self._maybe_ref(template.owner),
            "team": self._maybe_ref(template.team),
            "requested_dates": template.requested_dates,
            "color": template.color,
            "requested_roles": template.requested_roles,
        }

    def _task_template(self, _: Viewer, gid: str) -> Record:
        template = self._holdings.get(TaskTemplate, gid)
        return self.ref(gid) | {
            "project": self.ref(template.project),
            "template": template.recipe,
            "created_by": self.ref(template.created_by),
            "created_at": template.created_at,
        }

    def _project_brief(self, _: Viewer, gid: str) -> Record:
        brief = self._holdings.get(ProjectBrief, gid)
        return _gid_ref("project_brief", gid) | {
            "title": brief.title,
            "html_text": html(brief.text),
            "text": brief.text,
            "permalink_url": f"{_APP}/0/{brief.project}/{gid}",
            "project": self.ref(brief.project),
        }

    def _audit_event(self, _: Viewer, gid: str) -> Record:
        """An event has no resource type of its own."""
        event = self._holdings.get(AuditEvent, gid)
        return {
            "gid": gid,
            "created_at": event.created_at,
            "event_type": event.event_type,
            "event_category": event.event_category,
            "actor": event.actor,
            "resource": event.resource,
            "details": event.details,
            "context": event.context,
        }

    def _plain(self, _: Viewer, gid: str) -> Record:
        plain = self._holdings.get(Plain, gid)
        own = _gid_ref(kind_of(gid) or "", gid) if plain.name is None else self.ref(gid)
        return own | plain.values | {name: self.ref(to) for name, to in plain.refers.items()}

    def _project_portfolio_setting(self, _: Viewer, gid: str) -> Record:
        portfolio, project = paired(gid)
        held = self._holdings.get(Portfolio, portfolio)
        return _gid_ref("project_portfolio_setting", gid) | {
            "project": self.ref(project),
            "portfolio": self.ref(portfolio),
            "is_access_control_inherited": held.public,
            "created_at": held.created_at,
        }

    def _role(self, _: Viewer, gid: str) -> Record:
        role = self._holdings.get(Role, gid)
        return self.ref(gid) | {
            "description": role.description,
            "is_standard_role": role.is_standard,
            "creation_time": role.created_at,
            "modified_at": role.modified_at,
            "base_role_type": role.base,
            "permissions": role.permissions,
            "workspace": self.ref(role.workspace),
        }


def _gid_ref(kind: str, gid: str) -> Record:
    return {"gid": gid, "resource_type": kind}


def _option(option: EnumOption) -> Record:
    return {
        "gid": option.gid,
        "resource_type": "enum_option",
        "name": option.name,
        "enabled": option.enabled,
        "color": option.color,
    }


def _status_ref(status: StatusUpdate, container: str) -> Record:
    return {
        "gid": status.gid,
        "resource_type": "status_update",
        "title": status.title,
        "resource_subtype": f"{container}_status_update",
    }


def _my_tasks_section(task: Task) -> Record | None:
    """The position of a task in its assignee's My Tasks."""
    if task.assignee is None:
        return None
    names = {"inbox": "Recently assigned", "today": "Do today", "upcoming": "Do next week"}
    section = gid_of("section", 900_000_000_000 + number_of(task.assignee))
    return _gid_ref("section", section) | {"name": names.get(task.assignee_status, "Do later")}


def _display(field: CustomField, shown: Any) -> str | None:
    if shown is None or shown == []:
        return None
    match field.subtype:
        case "enum":
            return str(shown["name"])
        case "multi_enum" | "people" | "reference":
            return ", ".join(str(one["name"]) for one in shown)
        case "number":
            return _display_number(field, shown)
        case "date":
            return str(shown["date_time"] or shown["date"])
    return str(shown)


def _display_number(field: CustomField, number: float) -> str:
    if field.format == "percentage":
        return f"{number * 100:.{field.precision or 0}f}%"
    plain = f"{number:.{field.precision or 0}f}"
    if field.format == "currency":
        return f"{plain} {field.currency_code}"
    if field.custom_label:
        before = field.custom_label_position == "prefix"
        return f"{field.custom_label} {plain}" if before else f"{plain} {field.custom_label}"
    return plain
