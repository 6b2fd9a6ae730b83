"""What a token can read, as far as a few requests can tell."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from airbyte_cdk.models import FailureType

from source_asana.client import AsanaClient
from source_asana.config import Config
from source_asana.errors import AsanaFailure, ConfigError, Refusal, SyncTokenGone
from source_asana.outcome import advice_on
from source_asana.plan import Listing, Selection, make_plan
from source_asana.streams import (
    STREAMS,
    OrganizationExports,
    Projects,
    Record,
    StreamClass,
    Workspaces,
)

CHECKED_EXPORTS = 2
"""How many ids of a config are asked for: a check is to be quick, a sync names each one."""

PURPOSE = "check"


@dataclass(frozen=True)
class Account:
    """Who asks, and what they see."""

    name: str
    workspaces: tuple[Record, ...]

    @property
    def names(self) -> str:
        """The workspaces, by name."""
        return ", ".join(str(workspace.get("name")) for workspace in self.workspaces)

    @property
    def example(self) -> Record:
        """The workspace to try things in: an organisation, if there is one."""
        organisations = [w for w in self.workspaces if w.get("is_organization")]
        return (organisations or list(self.workspaces))[0]


def account_of(client: AsanaClient) -> Account:
    """Whose the token is. Raises ConfigError when they see nothing, and like `AsanaClient.get`."""
    me = client.get("users/me", {"opt_fields": "name"}, purpose=PURPOSE)["data"]
    listed = {"opt_fields": "name,is_organization", "limit": "100"}  # `users/me` tells names only
    workspaces = client.get(Workspaces.path, listed, purpose=PURPOSE)["data"]
    account = Account(str(me.get("name")), tuple(workspaces))
    if not account.workspaces:
        raise ConfigError(
            f"The token of {account.name} sees no workspace: "
            "use the token of somebody who is a member of one."
        )
    return account


def check_config(client: AsanaClient, config: Config) -> None:
    """Ask for what the config names. Raises ConfigError for what is not to be had."""
    for gid in config.organization_export_ids[:CHECKED_EXPORTS]:
        path = OrganizationExports.path.format(organization_export=gid)
        try:
            client.get(path, {"opt_fields": "state"}, purpose=PURPOSE)
        except Refusal as refusal:
            raise ConfigError(
                f"The organization export {gid} cannot be read "
                f"({refusal.status}: {refusal.message}): only service accounts may, "
                "so use the token of one, or take the id out of the config."
            ) from None


def refused_streams(client: AsanaClient, account: Account) -> Iterator[str]:
    """What Asana refuses to this token in one workspace and one of its projects, in words.

    A request for each listing below either. Raises like `AsanaClient.get`.
    """
    plan = make_plan({s: Selection(incremental=bool(s.cursor_field)) for s in STREAMS.values()})
    examples: dict[StreamClass, Record] = {Workspaces: account.example}
    for listing in plan.listings:
        above = next((examples[s] for s in listing.stream.parents if s in examples), None)
        if above is None or listing.is_one or not _applies(listing, above):
            continue
        try:
            found = _first(client, listing, above["gid"])
        except Refusal as refusal:
            names = sorted(stream.stream_name() for stream in _fed_by(listing))
            yield (
                f"{', '.join(names)}: refused in {account.example.get('name')} "
                f"({refusal.status}: {refusal.message}). {advice_on(refusal.status)}"
            )
            continue
        except AsanaFailure as failure:
            if failure.failure_type is FailureType.transient_error:
                raise
            yield f"{listing.name}: could not be asked ({failure.message})."
            continue
        if listing.stream is Projects and found:
            examples[Projects] = found


def _applies(listing: Listing, above: Mapping[str, object]) -> bool:
    return listing.stream.below is None or bool(above.get(listing.stream.below))


def _first(client: AsanaClient, listing: Listing, parent: str) -> Record | None:
    path, params = listing.request(parent)
    params["opt_fields"] = "gid"
    if "limit" in params:
        params["limit"] = "1"
    try:
        data = client.get(path, params, purpose=PURPOSE)["data"]
    except SyncTokenGone:
        return None
    return data[0] if data else None


def _fed_by(listing: Listing) -> set[StreamClass]:
    """The streams that lack records when a listing is refused: without events none does."""
    own = {output.stream for output in listing.outputs}
    return own if listing.stream.between_syncs else own | set(listing.feeds)
