"""The projects in the teams and portfolios that the config names, asked for before all else."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils import AirbyteTracedException

from source_asana.airbyte.errors import ConfigError, Interrupted
from source_asana.asana.client import AsanaClient
from source_asana.asana.errors import AsanaFailure, Refusal
from source_asana.asana.rate_limit import Stopped
from source_asana.reading.filters import Filters
from source_asana.reading.listing import PAGE_SIZE
from source_asana.streams.sources import PROJECT
from source_asana.streams.values import Record, usable

PURPOSE = "filters"
PORTFOLIO = "portfolio"

Group = tuple[str, str]
"""A team or portfolio: what it is, and its gid."""

PATHS: Mapping[str, str] = {"team": "teams/{}/projects", PORTFOLIO: "portfolios/{}/items"}
"""https://developers.asana.com/reference/getprojectsforteam and …/getitemsforportfolio"""


def groups_of(filters: Filters) -> list[Group]:
    """The teams and portfolios that the filters name."""
    teams = [("team", gid) for gid in filters.team_gids]
    return [*teams, *((PORTFOLIO, gid) for gid in filters.portfolio_gids)]


def with_named_projects(client: AsanaClient, filters: Filters) -> Filters:
    """The filters with the projects of their teams and portfolios, nested portfolios included.

    Takes one request for each team and portfolio and 100 projects. Raises ConfigError if Asana
    refuses one of them, because the wanted projects are unknown then;
    AirbyteTracedException if Asana does not answer, and Interrupted.
    """
    projects: set[str] = set()
    named = groups_of(filters)
    waiting, seen = deque(named), set(named)
    try:
        while waiting:
            group = waiting.popleft()
            for record in _members(client, group, is_named=group in named):
                inner = (PORTFOLIO, record["gid"])
                if _kind(record) == PROJECT:
                    projects.add(record["gid"])
                elif inner not in seen:
                    seen.add(inner)
                    waiting.append(inner)
    except AsanaFailure as failure:
        message = f"Cannot read the projects of a team or portfolio: {failure}"
        raise AirbyteTracedException(
            message=message, failure_type=FailureType.transient_error
        ) from failure
    except Stopped:
        raise Interrupted from None
    return replace(filters, found_gids=frozenset(projects))


def why_unreadable(client: AsanaClient, group: Group) -> str | None:
    """Why the projects of a team or portfolio cannot be read; None if they can."""
    try:
        _first(client, group)
    except ConfigError as error:
        return error.message
    return None


def first_project(client: AsanaClient, filters: Filters) -> Record | None:
    """A project of the first team or portfolio that shows one; only its gid is known."""
    for group in groups_of(filters):
        for record in _first(client, group):
            if _kind(record) == PROJECT:
                return record
    return None


def _members(client: AsanaClient, group: Group, *, is_named: bool) -> list[Record]:
    """The projects of a team, or the projects and portfolios in a portfolio: their gids."""
    kind, gid = group
    params = {"opt_fields": "resource_type", "limit": str(PAGE_SIZE)}

    def ask() -> list[Record]:
        pages = client.pages(PATHS[kind].format(gid), params, purpose=PURPOSE)
        return [record for page in pages for record in usable(page, in_requests=True)]

    return _asked(group, ask, is_named=is_named)


def _first(client: AsanaClient, group: Group) -> list[Record]:
    kind, gid = group
    params = {"opt_fields": "resource_type", "limit": "1"}

    def ask() -> list[Record]:
        data = client.get(PATHS[kind].format(gid), params, purpose=PURPOSE)["data"]
        return usable(data, in_requests=True) if isinstance(data, list) else []

    return _asked(group, ask, is_named=True)


def _asked(group: Group, ask: Callable[[], list[Record]], *, is_named: bool) -> list[Record]:
    """What a request brings; `is_named`: the config names the group, not only one around it."""
    kind, gid = group
    try:
        return ask()
    except Refusal as refusal:
        what = f"{kind.capitalize()} {gid}"
        if not is_named:
            raise ConfigError(
                f"{what} is in a portfolio of portfolio_gids, and is not shared with this token "
                f"({refusal.status}). Give the token's user access to it, or take it out."
            ) from None
        raise ConfigError(
            f"{what} not found or not shared with this token "
            f"({refusal.status}). Correct {kind}_gids, or give the token's user access."
        ) from None


def _kind(record: Record) -> str:
    """What a member is: Asana's type of it, or a project where Asana does not say."""
    return PORTFOLIO if record.get("resource_type") == PORTFOLIO else PROJECT
