"""How each listing went, and what that means for the streams that feed on it. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from airbyte_cdk.models import FailureType

from source_asana.airbyte.wording import counted
from source_asana.asana.errors import AsanaFailure, Gone, Refusal
from source_asana.reading.listing import Listing
from source_asana.streams.sources import StreamClass

_ADVICE: Mapping[int, str] = {
    401: "Asana accepts the token, but not for this. The next sync tries again. If it persists, "
    "use another token, or deselect the stream.",
    402: "The workspace's plan does not include this, or the user is a guest. Upgrade the plan, "
    "use the token of a full member, or deselect the stream.",
    403: "No access. Give the user access, use a service account token (an OAuth app needs full "
    "permissions), ask an admin whether tokens or apps are blocked, or deselect the stream.",
    404: "Not found, or not visible to this token. Check the config, give the token's user access, "
    "or deselect the stream.",
    451: "Asana blocks this network for legal reasons. Run the connector elsewhere.",
}


def advice_on(status: int) -> str:
    """What the user can do about a refusal."""
    return _ADVICE.get(status, "")


@dataclass
class Tally:
    """The visits of one listing, by how they ended."""

    read: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    first_refusal: Refusal | None = None
    failed: int = 0
    first_failure: Exception | None = None
    rejected: int = 0
    """Those of the failed visits whose request Asana does not accept (400)."""
    passed_over: int = 0
    """Those of the refused visits that say nothing about the others."""
    found_none_of: str | None = None
    """The field of the config whose gids Asana does not show, if it shows none of them."""
    gone: int = 0
    """Those below something that was deleted, or went out of sight, since it was found."""
    aside: dict[str, int] = field(default_factory=dict)
    """The refusals that may pass, by what was asked for: they count until it is asked again."""
    put_off: int = 0
    """How many of its parents were read by a former sync, and are read again by a later one."""
    is_empty_account: bool = False
    """Whether Asana shows no workspace at all."""

    def put_aside(self, refusal: Refusal, place: str) -> None:
        """Count a refused visit that is asked for once more."""
        self.refused[refusal.status] += 1
        self.first_refusal = self.first_refusal or refusal
        self.aside[place] = refusal.status

    def count(
        self, error: Exception | None, place: str, *, says_nothing_of_others: bool = False
    ) -> None:
        """Count one more visit; what was put aside counts as it ends."""
        if status := self.aside.pop(place, None):
            self.refused -= Counter([status])
        if error is None:
            self.read += 1
        elif isinstance(error, Gone):
            self.gone += 1
        elif isinstance(error, Refusal):
            self.refused[error.status] += 1
            self.passed_over += says_nothing_of_others
            self.first_refusal = self.first_refusal or error
        else:
            self.failed += 1
            self.rejected += isinstance(error, AsanaFailure) and error.is_refused_request
            self.first_failure = self.first_failure or error

    @property
    def is_refused_everywhere(self) -> bool:
        """Whether Asana has refused all visits so far, so that nothing is known of any."""
        is_known = bool(self.read or self.put_off)
        return self.refused.total() > self.passed_over and not is_known

    @property
    def visits(self) -> int:
        """All of them."""
        return self.read + self.gone + self.failed + self.refused.total()


@dataclass(frozen=True)
class Problem:
    """Why a stream is not complete, and what the user can do."""

    failure_type: FailureType
    message: str
    refused_with: int | None = None
    """The status by which Asana refuses all of it to this token."""


def problem_of(listing: Listing, tallies: Mapping[Listing, Tally]) -> Problem | None:
    """Why the streams of a listing are incomplete, or None when they have all that there is.

    A refused parent is skipped and no problem, unless every one was refused: an empty table must
    not look like an empty account. What is missing above is missing below too.
    """
    tally = tallies[listing]
    if tally.first_failure is not None:
        return _failure(listing, tally, tally.first_failure)
    is_believed = not listing.is_lookup or listing.confirms is not None
    if tally.first_refusal is not None and tally.is_refused_everywhere and is_believed:
        return _refused_everywhere(listing, tally.first_refusal)
    if tally.found_none_of is not None:
        return _found_none(tally.found_none_of)
    if tally.is_empty_account:
        return _no_workspace()
    for parent in listing.parents:
        if parent is listing or parent.stream.is_incremental_only():
            continue  # without its events a project is read in full
        if len(listing.stream.parents()) > 1 and is_dispensable(parent, tallies[parent]):
            continue
        if parent.confirms is not None and tally.read and not tallies[parent].failed:
            continue  # a refused one is skipped like any other parent
        if above := problem_of(parent, tallies):
            return Problem(
                above.failure_type,
                f"{listing.name} is incomplete because its parent stream {parent.name} failed: "
                f"{above.message}",
                above.refused_with,
            )
    return None


def skipped_before() -> Problem:
    """Why a full refresh is incomplete that trusted a shortcut in an earlier attempt."""
    return Problem(
        FailureType.transient_error,
        "an earlier attempt of this refresh skipped requests because Asana listed nothing for "
        "them. That has proved wrong, so records may be missing. The next sync reads everything.",
    )


def is_dispensable(source: Listing, tally: Tally) -> bool:
    """Whether a stream with further sources is as complete as the token allows without this one.

    Asana's plan does not have it, so that there is nothing of it; or Asana refuses all of it, and
    it is one of those beside projects.
    """
    if lacks_feature(tally):
        return True
    refused = tally.refused.total() + tally.rejected
    return is_beside_projects(source.stream) and 0 < refused == tally.visits


def is_beside_projects(stream: StreamClass) -> bool:
    """Whether a token may well not see it, so what hangs on projects too is complete without it."""
    return stream.container is None and not stream.is_below_projects()


def lacks_feature(tally: Tally) -> bool:
    """Whether Asana's plan does not have what a listing shows, so that there is nothing of it."""
    return bool(tally.refused) and tally.visits == tally.refused[HTTPStatus.PAYMENT_REQUIRED]


def _found_none(name: str) -> Problem:
    return Problem(
        FailureType.config_error,
        f"This token sees none of the objects in {name}. Correct {name}, "
        "or give the token's user access.",
    )


def _no_workspace() -> Problem:
    return Problem(
        FailureType.config_error,
        "The token sees no workspace. Use the token of a workspace member.",
    )


def _failure(listing: Listing, tally: Tally, error: Exception) -> Problem:
    words = str(error)
    if not isinstance(error, AsanaFailure):
        words = f"unexpected {type(error).__name__} in the connector, please report it"
    passes = isinstance(error, AsanaFailure) and error.is_transient
    kind = FailureType.transient_error if passes else FailureType.system_error
    remedy = "The next sync reads them." if passes else "The next sync tries again."
    return Problem(
        kind,
        f"{tally.failed:,} of {counted(tally.visits, 'request')} for {listing.name} failed, "
        f"so records are missing (first: {words}). {remedy}",
    )


def _refused_everywhere(listing: Listing, refusal: Refusal) -> Problem:
    return Problem(
        FailureType.config_error,
        f"Asana refused all {listing.name} ({refusal.status}: {refusal.message}). "
        + advice_on(refusal.status),
        refusal.status,
    )
