"""What a token can read, as far as a few requests can tell."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from itertools import chain
from typing import Any

from source_asana.airbyte.errors import ConfigError
from source_asana.airbyte.outcome import advice_on
from source_asana.asana.client import AsanaClient
from source_asana.asana.errors import AsanaFailure, Refusal, SyncTokenExpired
from source_asana.asana.times import asana_time
from source_asana.config import Config, starts_later
from source_asana.named_projects import first_project, groups_of, why_unreadable
from source_asana.reading.filters import ALL, Filters
from source_asana.reading.listing import Listing, Selection
from source_asana.reading.plan import make_plan
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
from source_asana.together import answers

CHECKED_EXPORTS = 2
CHECKED_PROJECTS = 25
"""How many gids of a setting are checked: a check must be quick; a sync names all missing ones."""

MOST_AT_ONCE = 8
"""Requests at the same time. More are no faster: the rate limit spaces them 40 ms apart."""

PURPOSE = "check"


@dataclass(frozen=True)
class Account:
    """A token's user, and the workspaces they see: records with a gid each."""

    name: str
    workspaces: tuple[Record, ...]

    @property
    def names(self) -> str:
        """The names of the workspaces."""
        return ", ".join(_name_of(workspace) for workspace in self.workspaces)

    def example(self, filters: Filters) -> Record | None:
        """The wanted workspace to try requests in: an organization, if there is one."""
        wanted = [w for w in self.workspaces if filters.has_workspace(w["gid"])]
        return next((w for w in wanted if w.get("is_organization")), wanted[0] if wanted else None)


@dataclass(frozen=True)
class Doubt:
    """Something a sync would miss, in one or two sentences; `streams` are those Asana refused.

    `place` orders doubts: by the place of their questions.
    """

    place: float
    sentence: str
    streams: tuple[str, ...] = ()
    status: int = 0


def account_of(client: AsanaClient) -> Account:
    """Ask whose the token is, and for all workspaces they see.

    Raises ConfigError if they see none, and otherwise like `AsanaClient.pages`.
    """
    me = client.get("users/me", {"opt_fields": "name"}, purpose=PURPOSE)["data"]
    if not isinstance(me, dict) or not (me.get("name") or me.get("gid")):
        raise _not_asanas("users/me")
    asked = {"opt_fields": "name,is_organization", "limit": "100"}  # `users/me` has names only
    listed = list(chain.from_iterable(client.pages(str(Workspaces.path()), asked, purpose=PURPOSE)))
    workspaces = tuple(_records(listed))
    if listed and not workspaces:
        raise _not_asanas(str(Workspaces.path()))
    account = Account(_name_of(me), workspaces)
    if not account.workspaces:
        raise ConfigError(
            f"The token of {account.name} sees no workspace. Use the token of a workspace member."
        )
    return account


def _records(data: Any) -> Iterator[Record]:
    """Return the usable records of a listing: objects with a gid."""
    for record in data if isinstance(data, list) else ():
        if isinstance(record, dict) and isinstance(record.get("gid"), str):
            yield record


def _name_of(record: Record) -> str:
    return str(record.get("name") or record.get("gid"))


def _not_asanas(path: str) -> ConfigError:
    return ConfigError(
        f"The answer to {path} does not come from Asana's API. Check the proxies and gateways "
        "between the connector and Asana, then try again."
    )


def check_config(client: AsanaClient, config: Config, account: Account) -> None:
    """Ask for each object the config names. Raises ConfigError if one of them is not accessible."""
    if starts_later(config, asana_time(client.server_date)):
        raise ConfigError(
            "start_date is in the future. Use a date that has passed, or leave it empty to sync "
            "everything."
        )
    filters = config.filters
    absent = [
        f"Workspace {gid} not found or not shared with this token"
        for gid in filters.absent_workspaces([w["gid"] for w in account.workspaces])
    ]
    projects = filters.project_gids[:CHECKED_PROJECTS]
    reasons = _ask_each(client, projects, filters, threads_of(config))
    absent += [f"Project {gid} {why}" for gid, why in zip(projects, reasons, strict=True) if why]
    groups = groups_of(filters)[:CHECKED_PROJECTS]
    asked = [partial(why_unreadable, client, group) for group in groups]
    unreadable = [why for why in answers(asked, threads_of(config)) if why]
    if unreadable:
        raise ConfigError(" ".join(unreadable))
    if absent:
        raise ConfigError(
            f"{'; '.join(absent)}. Correct the setting, or give the token's user access."
        )
    exports = config.organization_export_ids[:CHECKED_EXPORTS]
    answers([partial(_check_export, client, gid) for gid in exports], threads_of(config))


def threads_of(config: Config) -> int:
    """How many requests a check may have under way at once."""
    return min(config.num_workers, MOST_AT_ONCE)


def _check_export(client: AsanaClient, gid: str) -> None:
    path = str(OrganizationExports.path()).format(organization_export=gid)
    try:
        client.get(path, {"opt_fields": "state"}, purpose=PURPOSE)
    except Refusal as refusal:
        raise ConfigError(
            f"Cannot read organization export {gid} ({refusal.status}: {refusal.message}). "
            "Use a service account token, or remove this ID from organization_export_ids."
        ) from None


def unseen_exclusions(client: AsanaClient, config: Config) -> Iterator[Doubt]:
    """Find the excluded projects that the token does not see, so that a gid may be wrong."""
    excluded = config.filters.excluded_project_gids[:CHECKED_PROJECTS]
    reasons = _ask_each(client, excluded, ALL, threads_of(config))
    for gid, why in zip(excluded, reasons, strict=True):
        if why:
            yield Doubt(
                -1,
                f"excluded_project_gids: project {gid} not found or not shared with this token.",
            )


def _ask_each(
    client: AsanaClient, projects: Sequence[str], filters: Filters, threads: int
) -> list[str | None]:
    return answers([partial(_why_not, client, gid, filters) for gid in projects], threads)


def _why_not(client: AsanaClient, project: str, filters: Filters) -> str | None:
    """Explain why a sync would not find a project; None if it would."""
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
        return "is archived, but include_archived_projects is off"
    within = found.get("workspace")
    workspace = within.get("gid") if isinstance(within, dict) else None
    if workspace and not filters.has_workspace(workspace):
        return f"is in workspace {workspace}, which is not in workspace_gids"
    return None


def find_refused(
    client: AsanaClient, account: Account, config: Config, doubts: list[Doubt]
) -> None:
    """Find the streams Asana refuses to this token, in one workspace and one of its projects.

    Makes one request for each listing below these, and adds what it finds to `doubts`, which keeps
    that even if this raises. Raises like `AsanaClient.get`.
    """
    filters = config.filters
    example = account.example(filters)
    if example is None:
        return
    selected = {s: Selection(incremental=bool(s.cursor_field)) for s in STREAMS.values()}
    examples: dict[StreamClass, Record] = {Workspaces: example}
    if filters.project_gids:
        examples[Projects] = {"gid": filters.project_gids[0]}
    elif found := first_project(client, filters):
        examples[Projects] = found
    left = dict(enumerate(make_plan(selected, filters).listings))
    while below := {place: one for place, one in left.items() if _above(one, examples)}:
        questions = [
            partial(_try, client, listing, place, _above(listing, examples), example, doubts)
            for place, listing in below.items()
        ]
        for place, record in zip(below, answers(questions, threads_of(config)), strict=True):
            stream = left.pop(place).stream
            if stream in (Projects, Users) and record:
                examples.setdefault(stream, record)


def _above(listing: Listing, examples: Mapping[StreamClass, Record]) -> Record:
    """Return the example of one of the parents of a listing; empty if there is none yet."""
    return next((examples[p.stream] for p in listing.parents if p.stream in examples), {})


def _try(
    client: AsanaClient,
    listing: Listing,
    place: int,
    above: Record,
    workspace: Record,
    doubts: list[Doubt],
) -> Record | None:
    """Ask for the first record of a listing, if there is one; a refusal is a doubt."""
    parent = None if listing.is_lookup else listing.parent_in(above)
    if parent is None:
        return None
    try:
        return _first(client, listing, parent, workspace["gid"])
    except Refusal as refusal:
        lacking = _lacking(listing, refusal.status)
        names = tuple(sorted(stream.stream_name() for stream in lacking))
        sentence = (
            f"{', '.join(names)}: refused in {workspace.get('name')} "
            f"({refusal.status}: {refusal.message}). {advice_on(refusal.status)}"
        )
        doubts.append(Doubt(place, sentence, names, refusal.status))
    except AsanaFailure as failure:
        if failure.is_transient:
            raise
        doubts.append(Doubt(place, f"{listing.name}: could not be checked ({failure.message})."))
    return None


def conclusion(account: Account, doubts: Sequence[Doubt]) -> str:
    """Say who is connected and what a sync would miss, as a UI shows it."""
    connected = f"Connected as {account.name}, who sees {account.names}"
    refused = [doubt for doubt in doubts if doubt.streams]
    rest = [doubt.sentence for doubt in doubts if not doubt.streams]
    if refused:
        number = len({name for doubt in refused for name in doubt.streams})
        names = "; ".join(f"{', '.join(doubt.streams)} ({doubt.status})" for doubt in refused)
        rest.insert(
            0,
            f"Asana refused {number} {'stream' if number == 1 else 'streams'}: {names}. "
            "Deselect them, or see the log for what to do.",
        )
    return ". ".join([connected, " ".join(rest)]) if rest else connected


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
    """Return the streams that miss records if a listing is refused; without events, none does.

    402 means that the plan lacks the feature, so a stream with other parents misses nothing.
    """
    if listing.stream.is_incremental_only():
        return {output.stream for output in listing.outputs}
    if status != HTTPStatus.PAYMENT_REQUIRED:
        return set(listing.feeds)
    return {s for s in listing.feeds if len(s.inside()) < 2 and not _has_other_parents(s, listing)}  # noqa: PLR2004 - one other


def _has_other_parents(stream: StreamClass, listing: Listing) -> bool:
    return listing.stream in stream.parents() and len(stream.parents()) > 1
