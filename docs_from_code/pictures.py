"""The pictures of how the streams join: all of them, and the core."""

from collections.abc import Collection, Mapping

from docs_from_code.declarations import all_streams
from docs_from_code.drawing import Layout, picture

Columns = Mapping[str, Collection[str]]
"""By stream: the columns that a picture shows of it."""

COLORS = {
    "projects": "#2f6fd0",
    "sections": "#0e9384",
    "custom_fields": "#6938ef",
    "tasks": "#d9480f",
    "subtasks": "#997404",
    "tags": "#c11574",
    "portfolios": "#9e3fc4",
    "goals": "#2b8a3e",
    "time_periods": "#1d2939",
}
"""What lines lead to. Nearly every stream joins workspaces, users and teams: that is only said."""

ACCOUNT: list[Columns] = [
    {
        "workspaces": (),
        "workspace_memberships": ("workspace.gid", "user.gid", "user_task_list.gid"),
        "organization_exports": ("organization.gid",),
    },
    {
        "users": ("workspaces[].gid",),
        "user_task_lists": ("owner.gid", "workspace.gid"),
        "events": ("user.gid", "resource.gid"),
    },
    {
        "roles": ("workspace.gid",),
        "ooo_entries": ("user.gid",),
        "timesheet_approval_statuses": ("user.gid", "workspace.gid"),
        "teams": ("organization.gid",),
        "team_memberships": ("team.gid", "user.gid"),
        "audit_log_events": ("workspace_gid", "actor.gid"),
    },
]

LEFT: Columns = {
    "project_memberships": ("parent.gid", "member.gid"),
    "project_briefs": ("project.gid",),
    "custom_types": (),
    "budgets": ("parent.gid",),
    "rates": ("parent.gid", "resource.gid"),
    "project_templates": ("workspace_gid", "team.gid", "owner.gid"),
    "task_templates": ("project.gid",),
    "allocations": ("parent.gid", "assignee.gid"),
    "custom_fields": ("workspace_gid",),
    "custom_field_settings": ("custom_field.gid", "parent.gid"),
    "status_updates": ("parent.gid", "author.gid"),
}

MIDDLE: Columns = {
    "projects": ("workspace.gid", "team.gid", "owner.gid"),
    "sections": ("project.gid",),
    "tasks": (
        "projects[].gid",
        "memberships[].project.gid",
        "memberships[].section.gid",
        "custom_fields[].gid",
        "assignee.gid",
        "parent.gid",
        "dependencies[].gid",
        "tags[].gid",
    ),
    "subtasks": ("parent.gid",),
    "portfolios": ("workspace.gid", "owner.gid"),
    "goals": ("workspace.gid", "team.gid", "owner.gid", "time_period.gid"),
}

RIGHT: Columns = {
    "attachments": ("parent.gid",),
    "stories": ("target.gid", "created_by.gid"),
    "time_tracking_entries": ("task.gid", "attributable_to.gid", "created_by.gid"),
    "tags": ("workspace.gid",),
    "portfolio_items": ("portfolio_gid", "gid"),
    "portfolio_memberships": ("parent.gid", "member.gid"),
    "portfolios_memberships": ("portfolio.gid", "user.gid"),
    "goal_relationships": ("supported_goal.gid", "supporting_resource.gid"),
    "goal_memberships": ("parent.gid", "member.gid"),
    "time_periods": ("workspace_gid", "parent.gid"),
    "project_portfolio_settings": ("project.gid", "portfolio.gid"),
    "goal_stories": ("target.gid", "created_by.gid"),
    "time_tracking_categories": ("workspace_gid",),
}

CORE_LEFT: Columns = {
    "projects": ("owner.gid",),
    "sections": ("project.gid",),
    "custom_fields": (),
}

CORE_MIDDLE: Columns = {
    "tasks": (
        "projects[].gid",
        "memberships[].project.gid",
        "memberships[].section.gid",
        "custom_fields[].gid",
        "assignee.gid",
    ),
    "subtasks": ("parent.gid", "custom_fields[].gid", "assignee.gid"),
}

CORE_RIGHT: Columns = {
    "users": (),
    "stories": ("target.gid", "created_by.gid"),
}

FEW = 5
"""As many targets fit into a box."""


def all_streams_picture() -> str:
    return picture(
        Layout(
            title="All streams, and the columns by which they join",
            explanation="Every column leads to the gid of another stream. Nearly all streams lead "
            "to workspaces, users and teams: these joins have no lines.",
            heading="Work, portfolios and goals",
            colors=COLORS,
            left=_tables(LEFT),
            middle=_tables(MIDDLE) | {"subtasks": _tables(MIDDLE)["subtasks"] | {"…": "as tasks"}},
            right=_tables(RIGHT),
            to_the_right={
                ("tasks", "tags[].gid"),
                ("subtasks", "parent.gid"),
                ("goals", "time_period.gid"),
            },
            without_lines={
                ("tasks", "tasks"),
                ("tasks", "subtasks"),
                ("subtasks", "subtasks"),
                ("time_periods", "time_periods"),
            },
            above=[_tables(columns) for columns in ACCOUNT],
            above_heading="People, and what concerns the whole account",
            variants=_compact_variants(),
        )
    )


def core_picture() -> str:
    return picture(
        Layout(
            title="Projects, sections, tasks, subtasks, stories, users, and custom fields",
            explanation="Every column leads to the gid of another stream.",
            heading="The core: work, and who does it",
            colors=COLORS | {"users": "#1d2939"},
            left=_tables(CORE_LEFT),
            middle=_tables(CORE_MIDDLE),
            right=_tables(CORE_RIGHT),
            to_the_right={
                ("tasks", "assignee.gid"),
                ("subtasks", "parent.gid"),
                ("subtasks", "assignee.gid"),
            },
            without_lines={("subtasks", "subtasks"), ("projects", "users")},
        )
    )


def _tables(shown: Columns) -> dict[str, dict[str, str]]:
    """The columns with what they lead to. Raises KeyError for one that joins to nothing."""
    return {
        stream: {column: _targets(all_streams()[stream].joins[column]) for column in columns}
        for stream, columns in shown.items()
    }


def _targets(streams: tuple[str, ...]) -> str:
    return ", ".join(streams if len(streams) <= FEW else [*streams[: FEW - 2], "…"])


def _compact_variants() -> dict[str, str]:
    variants = [name for name in all_streams() if name.endswith("_compact")]
    return {name.removesuffix("_compact"): name for name in variants}


def streams_shown() -> set[str]:
    """The streams that the picture of all streams has a place for."""
    placed = (name for columns in (*ACCOUNT, LEFT, MIDDLE, RIGHT) for name in columns)
    return {*placed, *_compact_variants().values()}
