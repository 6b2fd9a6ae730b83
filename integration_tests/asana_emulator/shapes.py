"""How Asana shows each object: whole trees, with every field that its reference documents."""

from collections.abc import Callable, Iterable
from html import escape
from typing import Any

from .gids import gid_of, kind_of, number_of, pair_numbers
from .holdings import Holdings
from .objects import (
    Attachment,
    CustomField,
    CustomFieldSetting,
    EnumOption,
    OrganizationExport,
    Portfolio,
    Project,
    Record,
    Section,
    StatusUpdate,
    Story,
    Tag,
    Task,
    Team,
    TeamMembership,
    User,
    Workspace,
)
from .visibility import Viewer, Visibility

_APP = "https://app.asana.com"
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
    Workspace | User | Team | Project | Section | Task | Tag | CustomField | Portfolio | Attachment
)


def html(text: str) -> str:
    """Plain text as Asana's XML-like rich text."""
    return f"<body>{escape(text, quote=False)}</body>"


class Shapes:
    """Renders objects as `viewer` sees them."""

    def __init__(self, holdings: Holdings, visibility: Visibility) -> None:
        self._holdings = holdings
        self._visibility = visibility
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
        }

    def record(self, viewer: Viewer, gid: str) -> Record:
        """The whole documented tree of an object; KeyError when there is none."""
        return self._by_kind[kind_of(gid) or gid](viewer, gid)

    def ref(self, gid: str) -> Record:
        """The compact record: gid, type and name."""
        kind = kind_of(gid)
        return {"gid": gid, "resource_type": kind, "name": self._name(gid)}

    def refs(self, gids: Iterable[str]) -> list[Record]:
        """The compact records of several objects."""
        return [self.ref(gid) for gid in gids]

    def task_ref(self, gid: str) -> Record:
        """The compact record of a task, or of a project or other object where a task may stand."""
        if kind_of(gid) != "task":
            return self.ref(gid)
        task = self._holdings.get(Task, gid)
        return self.ref(gid) | {
            "resource_subtype": task.resource_subtype,
            "created_by": _gid_ref("user", task.created_by),
        }

    def event_ref(self, gid: str) -> Record:
        """The compact record that an event carries; only some resources have a name."""
        named = isinstance(self._holdings.find(gid), _NAMED)
        return self.ref(gid) if named else _gid_ref(kind_of(gid) or "", gid)

    def option(self, field: CustomField, gid: str) -> Record:
        """An enum option of a custom field."""
        return next(_option(option) for option in field.options if option.gid == gid)

    def field_with_value(self, gid: str, value: Any) -> Record:
        """The compact custom field with a value, as all but tasks show it."""
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
        workspace, user = pair_numbers(gid)
        owner = self.ref(gid_of("user", user))
        return _gid_ref("user_task_list", gid) | {
            "name": f"My tasks in {self._name(gid_of('workspace', workspace))}",
            "owner": owner,
            "workspace": self.ref(gid_of("workspace", workspace)),
        }

    # -- custom fields ----------------------------------------------------------------------------

    def _custom_field(self, _: Viewer, gid: str) -> Record:
        """A definition. Its values mean nothing, yet Asana documents them, so they are filled."""
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

    def _visible(self, viewer: Viewer, gids: Iterable[str]) -> list[CustomFieldSetting]:
        """Settings without those of private fields that the viewer may not see."""
        settings = (self._holdings.get(CustomFieldSetting, gid) for gid in gids)
        may_read = self._visibility.may_read
        return [setting for setting in settings if may_read(viewer, setting.custom_field)]

    def _settings(self, viewer: Viewer, gids: Iterable[str]) -> list[Record]:
        return [
            {
                "gid": setting.gid,
                "resource_type": "custom_field_setting",
                "project": self._maybe_ref(setting.project),
                "is_important": setting.is_important,
                "parent": self.ref(setting.parent),
                "custom_field": self._field_with_value(field, field.initial_value),
            }
            for setting in self._visible(viewer, gids)
            for field in [self._holdings.get(CustomField, setting.custom_field)]
        ]

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
        project, user = pair_numbers(gid)
        container, member = gid_of("project", project), gid_of("user", user)
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
        """The fields of the projects that the task is in, with its values."""
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
            "download_url": f"https://s3.amazonaws.com/assets/{gid}?expires=120"
            if is_ours
            else None,
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
        first, second = pair_numbers(gid)
        portfolio, user = gid_of("portfolio", first), gid_of("user", second)
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
    """Where the task stands in its assignee's My Tasks."""
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
