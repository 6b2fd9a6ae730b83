"""Builds gids, from which the kind and the number of an object can be read."""

KINDS = (
    "workspace",
    "user",
    "team",
    "team_membership",
    "project",
    "section",
    "task",
    "story",
    "attachment",
    "tag",
    "custom_field",
    "enum_option",
    "portfolio",
    "portfolio_membership",
    "project_membership",
    "organization_export",
    "custom_field_setting",
    "status_update",
    "project_status",
    "project_brief",
    "project_template",
    "custom_type",
    "custom_type_status_option",
    "user_task_list",
    "task_like",
    "story_like",
    "goal",
    "goal_like",
    "goal_metric",
    "goal_relationship",
    "goal_membership",
    "time_period",
    "status_update_like",
    "portfolio_user",
    "portfolio_team",
    "project_user",
    "workspace_membership",
    "time_tracking_entry",
    "time_tracking_category",
    "allocation",
    "task_template",
    "audit_log_event",
    "template_date",
    "template_role",
    "role",
    "placeholder",
    "budget",
    "rate",
    "project_portfolio_setting",
    "timesheet_approval_status",
    "ooo_entry",
)
# Relations between two objects have no other trace: their gids are pairs.
PAIRS = {
    "portfolio_membership": ("portfolio", "user"),
    "project_membership": ("project", "user"),
    "workspace_membership": ("workspace", "user"),
    "user_task_list": ("workspace", "user"),
    "goal_membership": ("goal", "user"),
    "portfolio_user": ("portfolio", "user"),
    "portfolio_team": ("portfolio", "team"),
    "project_user": ("project", "user"),
    "project_portfolio_setting": ("portfolio", "project"),
}
_CODES = {kind: f"12{code:02d}" for code, kind in enumerate(KINDS, start=1)}
_KINDS = {prefix: kind for kind, prefix in _CODES.items()}
_LENGTH = 16
_PAIR = 100_000


def gid_of(kind: str, number: int) -> str:
    """A gid of 16 digits, as Asana's."""
    return f"{_CODES[kind]}{number:012d}"


def kind_of(gid: str) -> str | None:
    """The kind of object of a gid, whether or not it exists."""
    return _KINDS.get(gid[:4]) if len(gid) == _LENGTH and gid.isdecimal() else None


def number_of(gid: str) -> int:
    """The number of an object within its kind."""
    return int(gid[4:])


def pair_gid(kind: str, container: str, member: str) -> str:
    """The gid of the relation between two objects."""
    return gid_of(kind, number_of(container) * _PAIR + number_of(member))


def pair_numbers(gid: str) -> tuple[int, int]:
    """The numbers of the two objects of a relation."""
    return divmod(number_of(gid), _PAIR)


def paired(gid: str) -> tuple[str, str]:
    """The gids of the two objects of a relation."""
    container, member = PAIRS[kind_of(gid) or ""]
    first, second = pair_numbers(gid)
    return gid_of(container, first), gid_of(member, second)
