"""The objects of an account. They name each other by gid; times are as Asana writes them."""

from dataclasses import dataclass, field
from typing import Any

Record = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Workspace:
    gid: str
    name: str
    is_organization: bool
    email_domains: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    guests: set[str] = field(default_factory=set)
    joined: dict[str, str] = field(default_factory=dict)
    away: dict[str, Record] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class User:
    gid: str
    name: str | None
    email: str
    has_photo: bool = True
    custom_fields: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Team:
    gid: str
    name: str
    organization: str
    visibility: str = "public"
    description: str = ""
    endorsed: bool = False
    admins_only: bool = False
    settings: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class TeamMembership:
    gid: str
    team: str
    user: str
    is_admin: bool = False
    is_guest: bool = False
    is_limited_access: bool = False


@dataclass(slots=True, kw_only=True)
class EnumOption:
    gid: str
    name: str
    color: str
    enabled: bool = True


@dataclass(slots=True, kw_only=True)
class CustomField:
    gid: str
    workspace: str
    name: str
    subtype: str
    representation: str
    description: str = ""
    options: list[EnumOption] = field(default_factory=list)
    precision: int | None = None
    format: str = "none"
    currency_code: str | None = None
    custom_label: str | None = None
    custom_label_position: str | None = None
    id_prefix: str | None = None
    input_restrictions: list[str] = field(default_factory=list)
    is_global: bool = True
    is_read_only: bool = False
    has_notifications: bool = False
    asana_created_field: str | None = None
    created_by: str | None = None
    privacy_setting: str = "public_with_guests"
    default_access_level: str = "editor"
    initial_value: Any = None


@dataclass(slots=True, kw_only=True)
class CustomFieldSetting:
    gid: str
    custom_field: str
    parent: str
    project: str | None
    is_important: bool = False


@dataclass(slots=True, kw_only=True)
class StatusUpdate:
    gid: str
    title: str
    text: str
    color: str
    author: str
    created_at: str
    modified_at: str
    parent: str
    status_type: str = "on_track"
    likes: list[str] = field(default_factory=list)
    reactions: list[Record] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Project:
    gid: str
    name: str
    workspace: str
    created_at: str
    modified_at: str
    team: str | None = None
    owner: str | None = None
    members: dict[str, str] = field(default_factory=dict)
    followers: list[str] = field(default_factory=list)
    archived: bool = False
    color: str | None = None
    icon: str | None = None
    privacy_setting: str = "public_to_workspace"
    default_view: str = "list"
    notes: str = ""
    start_on: str | None = None
    due_on: str | None = None
    completed_at: str | None = None
    completed_by: str | None = None
    status: StatusUpdate | None = None
    settings: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    brief: str | None = None
    template: Record | None = None
    default_access_level: str = "editor"
    customization_level: str = "editor"
    sharing_level: str = "admin"


@dataclass(slots=True, kw_only=True)
class Section:
    gid: str
    project: str
    name: str
    created_at: str


@dataclass(slots=True, kw_only=True)
class Task:
    gid: str
    workspace: str
    name: str
    created_at: str
    modified_at: str
    created_by: str
    notes: str = ""
    resource_subtype: str = "default_task"
    approval_status: str | None = None
    assignee: str | None = None
    assigned_by: str | None = None
    assignee_status: str = "upcoming"
    completed_at: str | None = None
    completed_by: str | None = None
    due_at: str | None = None
    due_on: str | None = None
    start_at: str | None = None
    start_on: str | None = None
    parent: str | None = None
    sections: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    followers: list[str] = field(default_factory=list)
    likes: list[str] = field(default_factory=list)
    dependencies: list[str] = field(default_factory=list)
    dependents: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    custom_type: Record | None = None
    custom_type_status_option: Record | None = None
    external: Record | None = None
    actual_time_minutes: float | None = None
    is_rendered_as_separator: bool = False


@dataclass(slots=True, kw_only=True)
class Story:
    gid: str
    task: str
    resource_subtype: str
    text: str
    created_at: str
    created_by: str | None
    details: Record = field(default_factory=dict)
    source: str = "web"
    likes: list[str] = field(default_factory=list)
    reactions: list[Record] = field(default_factory=list)
    previews: list[Record] = field(default_factory=list)
    sticker_name: str | None = None
    is_pinned: bool = False
    is_edited: bool = False

    @property
    def is_comment(self) -> bool:
        return self.resource_subtype == "comment_added"


@dataclass(slots=True, kw_only=True)
class Attachment:
    gid: str
    parent: str
    name: str
    created_at: str
    host: str = "asana"
    size: int | None = None
    connected_to_app: bool = False


@dataclass(slots=True, kw_only=True)
class Tag:
    gid: str
    workspace: str
    name: str
    created_at: str
    color: str | None = None
    notes: str = ""
    followers: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Portfolio:
    gid: str
    name: str
    workspace: str
    owner: str
    created_at: str
    members: dict[str, str] = field(default_factory=dict)
    archived: bool = False
    color: str = "light-green"
    public: bool = False
    start_on: str | None = None
    due_on: str | None = None
    status: StatusUpdate | None = None
    settings: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    templates: list[Record] = field(default_factory=list)
    teams: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class OrganizationExport:
    gid: str
    organization: str
    created_at: str
    state: str
    download_url: str | None = None


@dataclass(slots=True, kw_only=True)
class Goal:
    gid: str
    name: str
    workspace: str
    owner: str | None
    notes: str = ""
    team: str | None = None
    is_workspace_level: bool = False
    start_on: str | None = None
    due_on: str | None = None
    time_period: str | None = None
    status: str | None = None
    status_update: StatusUpdate | None = None
    privacy_setting: str = "public_to_workspace"
    default_access_level: str = "editor"
    members: dict[str, str] = field(default_factory=dict)
    likes: list[str] = field(default_factory=list)
    metric: Record | None = None
    settings: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class GoalRelationship:
    gid: str
    supported_goal: str
    supporting: str
    weight: float = 1.0


@dataclass(slots=True, kw_only=True)
class TimePeriod:
    gid: str
    workspace: str
    period: str
    start_on: str
    end_on: str
    display_name: str
    parent: str | None = None


@dataclass(slots=True, kw_only=True)
class TimeEntry:
    gid: str
    task: str
    workspace: str
    minutes: int
    entered_on: str
    created_by: str
    created_at: str
    attributable_to: str | None = None
    categories: list[Record] = field(default_factory=list)
    approval_status: str | None = None
    billable_status: str | None = None
    description: str | None = None


@dataclass(slots=True, kw_only=True)
class Allocation:
    gid: str
    project: str
    assignee: str
    created_by: str
    start_date: str
    end_date: str
    effort: Record | None = None


@dataclass(slots=True, kw_only=True)
class ProjectTemplate:
    gid: str
    name: str
    workspace: str
    team: str | None = None
    owner: str | None = None
    description: str = ""
    public: bool = True
    color: str | None = None
    requested_dates: list[Record] = field(default_factory=list)
    requested_roles: list[Record] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class TaskTemplate:
    gid: str
    name: str
    project: str
    created_by: str
    created_at: str
    recipe: Record


@dataclass(slots=True, kw_only=True)
class ProjectBrief:
    gid: str
    project: str
    title: str
    text: str


@dataclass(slots=True, kw_only=True)
class AuditEvent:
    gid: str
    workspace: str
    created_at: str
    event_type: str
    event_category: str
    actor: Record
    resource: Record
    details: Record
    context: Record


@dataclass(slots=True, kw_only=True)
class Role:
    gid: str
    workspace: str
    name: str
    created_at: str
    modified_at: str
    base: str
    description: str = ""
    is_standard: bool = False
    permissions: Record = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Plain:
    """An object that nothing changes. Who can read `home` can read it.

    `values`: its fields; `refers`: the fields that name another object, with its gid.
    """

    gid: str
    home: str
    name: str | None = None
    values: Record = field(default_factory=dict)
    refers: dict[str, str] = field(default_factory=dict)


Object = (
    Workspace
    | User
    | Team
    | TeamMembership
    | CustomField
    | CustomFieldSetting
    | Project
    | Section
    | Task
    | Story
    | Attachment
    | Tag
    | Portfolio
    | OrganizationExport
    | StatusUpdate
    | Goal
    | GoalRelationship
    | TimePeriod
    | TimeEntry
    | Allocation
    | ProjectTemplate
    | TaskTemplate
    | ProjectBrief
    | AuditEvent
    | Role
    | Plain
)
