"""What a token can read, as far as a few requests can tell."""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain
from typing import Any

from source_asana.airbyte.errors import ConfigError
from source_asana.airbyte.outcome import advice_on
from source_asana.asana.client import AsanaClient
from source_asana.asana.errors import AsanaFailure, Refusal, SyncTokenExpired
from source_asana.config import Config
from source_asana.reading.filters import ALL, Filters
from source_asana.reading.plan import Listing, Selection, make_plan
from source_asana.streams.declared import (
    STREAMS,
    OrganizationExports,
    Projects,
    Users,
    Workspaces,
    lookup_path,
)
from source_asana.streams.sources import PROJECT, StreamClass
from source_asana.streams.values import Record

CHECKED_EXPORTS = 2
CHECKED_PROJECTS = 25
"""How many gids of a config are asked for: a check is to be quick, a sync names each one."""

PURPOSE = "check"


@dataclass(frozen=True)
class Account:
    """Who asks, and what they see: records that have a gid each."""

    name: str
    workspaces: tuple[Record, ...]

    @property
    def names(self) -> str:
        """The workspaces, by name."""
        return ", ".join(_name_of(workspace) for workspace in self.workspaces)

    def example(self, filters: Filters) -> Record | None:
        """The wanted workspace to try things in: an organisation, if there is one."""
        wanted = [w for w in self.workspaces if filters.has_workspace(w["gid"])]
        return next((w for w in wanted if w.get("is_organization")), wanted[0] if wanted else None)


def account_of(client: AsanaClient) -> Account:
    """Whose the token is. Raises ConfigError when they see nothing, else like `AsanaClient.pages`.

    All workspaces are listed, however many there are.
    """
    me = client.get("users/me", {"opt_fields": "name"}, purpose=PURPOSE)["data"]
    if not isinstance(me, dict) or not (me.get("name") or me.get("gid")):
        raise _not_asanas("users/me")
    asked = {"opt_fields": "name,is_organization", "limit": "100"}  # `users/me` tells names only
    listed = list(chain.from_iterable(client.pages(str(Workspaces.path()), asked, purpose=PURPOSE)))
    workspaces = tuple(_records(listed))
    if listed and not workspaces:
        raise _not_asanas(str(Workspaces.path()))
    account = Account(_name_of(me), workspaces)
    if not account.workspaces:
        raise ConfigError(
            f"The token of {account.name} sees no workspace: "
            "use the token of somebody who is a member of one."
        )
    return account


def _records(data: Any) -> Iterator[Record]:
    """What can be used of a listing: objects with a gid."""
    for record in data if isinstance(data, list) else ():
        if isinstance(record, dict) and isinstance(record.get("gid"), str):
            yield record


def _name_of(record: Record) -> str:
    return str(record.get("name") or record.get("gid"))


def _not_asanas(path: str) -> ConfigError:
    return ConfigError(
        f"The answer to {path} is not one of Asana's API. Check the proxies and gateways between "
        "the connector and Asana, then try again."
    )


def check_config(client: AsanaClient, config: Config, account: Account) -> None:
    """Ask for what the config names. Raises ConfigError for what is not to be had."""
    absent = [
        f"Workspace {gid} not found or not shared with this token"
        for gid in config.filters.absent_workspaces([w["gid"] for w in account.workspaces])
    ]
    absent += [
        f"Project {gid} {why}"
        for gid in config.filters.project_gids[:CHECKED_PROJECTS]
        if (why := _why_not(client, gid, config.filters))
    ]
    if absent:
        raise ConfigError(f"{'; '.join(absent)}: correct the gids, or give its user access.")
    for gid in config.organization_export_ids[:CHECKED_EXPORTS]:
        path = str(OrganizationExports.path()).format(organization_export=gid)
        try:
            client.get(path, {"opt_fields": "state"}, purpose=PURPOSE)
        except Refusal as refusal:
            raise ConfigError(
                f"The organization export {gid} cannot be read "
                f"({refusal.status}: {refusal.message}): only service accounts may, "
                "so use the token of one, or take the id out of the config."
            ) from None


def unseen_exclusions(client: AsanaClient, filters: Filters) -> Iterator[str]:
    """The projects that the config leaves out, but which the token does not see anyway."""
    for gid in filters.excluded_project_gids[:CHECKED_PROJECTS]:
        if _why_not(client, gid, ALL):
            yield f"excluded_project_gids: project {gid} not found or not shared with this token."


def _why_not(client: AsanaClient, project: str, filters: Filters) -> str | None:
    """Why a sync would not find a project; None if it would."""
    path = lookup_path(PROJECT).format(project=project)
    try:
        fields = {"opt_fields": "archived,workspace.gid"}
        found = client.get(path, fields, purpose=PURPOSE)["data"]
    except (Refusal, AsanaFailure) as error:
        if isinstance(error, AsanaFailure) and error.is_transient:
            raise
        return "not found or not shared with this token"
    if not isinstance(found, dict):
        raise _not_asanas(path)
    if found.get("archived") and not filters.with_archived_projects:
        return "is archived, and include_archived_projects is off"
    within = found.get("workspace")
    workspace = within.get("gid") if isinstance(within, dict) else None
    if workspace and not filters.has_workspace(workspace):
        return f"is in workspace {workspace}, which workspace_gids leaves out"
    return None


def refused_streams(client: AsanaClient, account: Account, filters: Filters) -> Iterator[str]:
    """What Asana refuses to this token in one workspace and one of its projects, in words.

    A request for each listing below either. Raises like `AsanaClient.get`.
    """
    example = account.example(filters)
    if example is None:
        return
    selected = {s: Selection(incremental=bool(s.cursor_field)) for s in STREAMS.values()}
    plan = make_plan(selected, filters)
    examples: dict[StreamClass, Record] = {Workspaces: example}
    if filters.project_gids:
        examples[Projects] = {"gid": filters.project_gids[0]}
    for listing in plan.listings:
        above = next((examples[p.stream] for p in listing.parents if p.stream in examples), None)
        parent = None if above is None or listing.is_lookup else listing.parent_in(above)
        if parent is None:
            continue
        try:
            found = _first(client, listing, parent, example["gid"])
        except Refusal as refusal:
            names = sorted(stream.stream_name() for stream in _lacking(listing, refusal.status))
            yield (
                f"{', '.join(names)}: refused in {example.get('name')} "
                f"({refusal.status}: {refusal.message}). {advice_on(refusal.status)}"
            )
            continue
        except AsanaFailure as failure:
            if failure.is_transient:
                raise
            yield f"{listing.name}: could not be asked ({failure.message})."
            continue
        if listing.stream in (Projects, Users) and found:
            examples.setdefault(listing.stream, found)


def _first(client: AsanaClient, listing: Listing, parent: str, workspace: str) -> Record | None:
    path, params = listing.request(parent, workspace)
    if "opt_fields" in params:
        params["opt_fields"] = "gid"
    if "limit" in params:
        params["limit"] = "1"
    try:
        data = client.get(path, params, purpose=PURPOSE)["data"]
    except SyncTokenExpired:
        return None
    return next(_records(data), None)


def _lacking(listing: Listing, status: int) -> set[StreamClass]:
    """The streams that lack records when a listing is refused: without events none does.

    A plan that does not have a feature has nothing of it, so who has other parents lacks nothing.
    """
    if listing.stream.is_incremental_only():
        return {output.stream for output in listing.outputs}
    if status != HTTPStatus.PAYMENT_REQUIRED:
        return set(listing.feeds)
    return {s for s in listing.feeds if len(s.inside()) < 2 and not _has_other_parents(s, listing)}  # noqa: PLR2004 - one other


def _has_other_parents(stream: StreamClass, listing: Listing) -> bool:
    return listing.stream in stream.parents() and len(stream.parents()) > 1
