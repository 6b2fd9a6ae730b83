"""What the code does not know: plans, OAuth scopes, unusual costs, and what people look for."""

from collections.abc import Mapping
from dataclasses import dataclass

FULL = "none: full permissions"
ADVANCED = "Advanced or higher"
STARTER = "paid (Starter or higher)"
UNKNOWN = "not documented"
ENTERPRISE = "Enterprise, a service account's token"


@dataclass(frozen=True)
class Access:
    """Who can read a stream, and what it costs if that is not one listing per parent."""

    plan: str = "any"
    scope: str = FULL
    """Granular OAuth scopes."""
    cost: str = ""


ACCESS: Mapping[str, Access] = {
    "workspaces": Access(scope="`workspaces:read`"),
    "users": Access(scope="`users:read`"),
    "tags": Access(scope="`tags:read`"),
    "custom_fields": Access(STARTER, "`custom_fields:read`"),
    "teams": Access("any; organizations only", "`teams:read`"),
    "team_memberships": Access("any; organizations only", "`team_memberships:read`"),
    "projects": Access(scope="`projects:read`"),
    "sections": Access(),
    "sections_compact": Access(),
    "tasks": Access(scope="`tasks:read`"),
    "subtasks": Access(
        scope="`tasks:read`", cost="one listing per task or subtask that has subtasks"
    ),
    "stories": Access(scope="`stories:read`"),
    "stories_compact": Access(scope="`stories:read`"),
    "attachments": Access(
        scope="`attachments:read`",
        cost="one listing per project, project brief, task, and subtask",
    ),
    "attachments_compact": Access(scope="`attachments:read`"),
    "events": Access(
        cost="none; in incremental syncs one request per project and 100 events, or "
        "[per organization and 1,000][incremental-workspace]"
    ),
    "portfolios": Access(ADVANCED, "`portfolios:read`"),
    "portfolios_compact": Access(ADVANCED, "`portfolios:read`"),
    "portfolio_items": Access(ADVANCED, "`portfolios:read`"),
    "portfolios_memberships": Access(ADVANCED),
    "portfolio_memberships": Access(ADVANCED),
    "goals": Access(ADVANCED, "`goals:read`"),
    "goal_relationships": Access(ADVANCED),
    "goal_memberships": Access(ADVANCED),
    "time_periods": Access(ADVANCED),
    "status_updates": Access(f"any; for portfolios and goals {ADVANCED}"),
    "project_memberships": Access(),
    "workspace_memberships": Access(),
    "user_task_lists": Access(),
    "custom_field_settings": Access(
        f"{STARTER}; for portfolios {ADVANCED}",
        "`projects:read`, `portfolios:read`, `custom_fields:read`",
    ),
    "time_tracking_entries": Access(
        ADVANCED,
        "`time_tracking_entries:read`",
        "one listing per workspace, and one request per entry [that lacks its task](#limitations)",
    ),
    "allocations": Access("paid, with capacity planning"),
    "project_templates": Access(scope="`project_templates:read`"),
    "task_templates": Access(scope="`task_templates:read`"),
    "project_briefs": Access("paid", cost="one request per brief"),
    "custom_types": Access(UNKNOWN),
    "budgets": Access("paid, with budgets"),
    "rates": Access("paid, with budgets"),
    "project_portfolio_settings": Access(ADVANCED, "`project_portfolio_settings:read`"),
    "goal_stories": Access(ADVANCED, "`stories:read`"),
    "time_tracking_categories": Access(
        ADVANCED, "`time_tracking_categories:read`", "two listings per workspace"
    ),
    "timesheet_approval_statuses": Access(UNKNOWN, "`timesheet_approval_statuses:read`"),
    "ooo_entries": Access(UNKNOWN, "`ooo_entries:read`", "one listing per user of each workspace"),
    "roles": Access(UNKNOWN, "`roles:read`"),
    "audit_log_events": Access(
        ENTERPRISE, cost="one listing per organization, and one request to see its end"
    ),
    "organization_exports": Access(ENTERPRISE, cost="one request per id"),
}

TABLES: Mapping[str, str] = {
    "Absences, vacations": "ooo_entries",
    "Access to a goal, portfolio, or project": "project_memberships, portfolio_memberships, "
    "goal_memberships",
    "Admins, guests, and former members": "workspace_memberships, team_memberships",
    "Approvals": "tasks.approval_status",
    "Assignee of a task": "tasks.assignee, subtasks.assignee",
    "Attached files": "attachments, attachments_compact",
    "Blocked tasks, dependencies": "tasks.dependencies, tasks.dependents",
    "Board columns and their tasks": "sections, sections_compact, tasks.memberships",
    "Budgets of projects": "budgets",
    "Capacity, planned work": "allocations",
    "Comments": "stories, stories_compact",
    "Completed work": "tasks.completed_at, tasks.completed_by",
    "Cost rates": "rates",
    "Custom fields: definitions and options": "custom_fields",
    "Custom fields: values": "tasks.custom_fields, projects.custom_fields",
    "Custom fields: which project uses which": "custom_field_settings",
    "Custom task types and their statuses": "custom_types, tasks.custom_type",
    "Deleted records": "tasks._ab_cdc_deleted_at, projects._ab_cdc_deleted_at",
    "Due dates, overdue tasks": "tasks.due_on, tasks.due_at",
    "Exports of the organization": "organization_exports",
    "Followers of a task": "tasks.followers",
    "Goals: comments and history": "goal_stories",
    "Goals: progress": "goals.metric, goals.status",
    "Goals: what supports them": "goal_relationships",
    "History of a task: moves, assignments, renames": "stories",
    "Likes": "tasks.likes, stories.likes",
    "Logins, permission changes, security": "audit_log_events",
    "Milestones": "tasks.resource_subtype",
    "My tasks lists": "user_task_lists",
    "People and their email addresses": "users",
    "Permissions of a role": "roles",
    "Portfolios and their projects": "portfolios, portfolios_compact, portfolio_items",
    "Portfolios: since when a project is in one": "project_portfolio_settings",
    "Project descriptions": "projects.notes, project_briefs",
    "Project status, health": "status_updates, projects.current_status_update",
    "Projects and their owners": "projects",
    "Quarters, fiscal years": "time_periods",
    "Subtasks": "subtasks, tasks.num_subtasks",
    "Tags": "tags, tasks.tags",
    "Teams and their members": "teams, team_memberships",
    "Templates": "project_templates, task_templates",
    "Time tracked": "time_tracking_entries, tasks.actual_time_minutes",
    "Time tracked: categories": "time_tracking_categories",
    "Timesheets and their approval": "timesheet_approval_statuses",
    "Users in portfolios": "portfolios_memberships",
    "What changed since the last sync": "events",
    "Workspaces and organizations": "workspaces",
}
"""What people look for, and the tables or columns that have it."""
