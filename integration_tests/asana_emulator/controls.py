"""What tests can change about the emulator: pace, limits, denials and faults."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import Any, Literal, TypedDict, Unpack, get_args
from urllib.parse import parse_qsl

import orjson

from .asked import Asked
from .export_controls import ExportControls
from .paging import Offsets
from .quota import METERS, CostQuota, InFlight, Quota, QuotaKind
from .tokens import TOKEN_PATH, OddGrant

Mishap = Literal[
    "html",
    "portal",
    "redirect",
    "wrong_shape",
    "odd_data",
    "reset",
    "cut_headers",
    "slow_headers",
    "reset_body",
    "truncated",
    "half_json",
    "wrong_type",
    "bad_gzip",
    "bomb",
    "rewritten",
    "slow",
    "trickle",
    "stall",
    "hang",
    "expired_offset",
    "same_offset",
    "two_offsets",
    "new_offsets",
    "empty_pages",
    "hidden_page",
    "same_sync_token",
    "old_sync_token",
    OddGrant,
]
MISHAPS = frozenset(get_args(Mishap))
ODD_GRANTS = frozenset(get_args(OddGrant))
NEEDED: Mapping[int | str, str] = {
    "expired_offset": "offset",
    "old_sync_token": "sync",
    "same_sync_token": "sync",
    **dict.fromkeys(
        ("same_offset", "two_offsets", "new_offsets", "empty_pages", "hidden_page"), "limit"
    ),
}
"""The parameter without which a fault does not happen."""

INLINE: Mapping[str, int | None] = {"attachments": None}
"""The children that come with tasks as public clients know them; Asana documents none."""

CLOSED_PORT = "http://127.0.0.1:9/"


class When(TypedDict, total=False):
    """When a fault happens, and how."""

    times: int | None
    above_limit: int
    probability: float
    after: int
    only: str
    seconds: float
    retry_after: float | str | None
    bare: bool
    empty: bool
    location: str
    old: str
    new: str
    data: Any


@dataclass
class Fault:
    """Something that goes wrong with the requests that match.

    `kind` is a status code, or what becomes of the answer:

        html            a gateway's 502
        portal          a sign-in page of a network: HTML with status 200
        redirect        302, to `location`, whose characters are sent as Latin-1
        wrong_shape     JSON with status 200, but not in Asana's envelope
        odd_data        Asana's envelope around something else: `data`
        reset           the connection is reset before anything is answered
        cut_headers     the connection is closed in the midst of the headers
        slow_headers    the headers byte after byte, over `seconds`
        reset_body      the connection is reset after half of the body
        truncated       the connection is closed after half of the body
        half_json       half of the body, as if it were the whole
        wrong_type      the answer, as `text/plain`
        bad_gzip        a body that claims to be gzip but is not
        bomb            an empty list, with 600 MB of blanks in 600 kB of gzip
        rewritten       `new` wherever `old` was in the body, in Latin-1; not where it is zipped
        slow            the body in twenty parts, over `seconds`
        trickle         byte after byte for `seconds`, then the rest
        stall           nothing for `seconds`, then the answer
        hang            nothing until the client goes, at most `seconds`; never an answer
        expired_offset  400, for requests with an offset
        same_offset     the first page for every offset, and always the same next offset
        two_offsets     the first page for every offset, and two next offsets in turn
        new_offsets     the first page for every offset, and always a new next offset
        empty_pages     no records, and always a new next offset
        hidden_page     no records, and an offset for those that belong there
        same_sync_token events with `has_more`, and the sync token that was sent
        old_sync_token  412 with a fresh sync token, for requests with one

    and at the token endpoint alone:

        invalid_grant   400, as if the refresh token had been revoked
        without_expiry  a grant without `expires_in`
        without_token   a grant without `access_token`

    It happens `times` times (None: always), after the first `after` matching requests, or with a
    `probability`. `only` narrows it to requests that name an object, `above_limit` to those that
    ask for more than so many records. A status code comes in Asana's error envelope, unless it is
    `bare` (a gateway's page of HTML) or `empty`; with
    `Retry-After` only if `retry_after` is given, in seconds or as the text of the header.
    """

    pattern: str
    kind: int | Mishap
    times: int | None = 1
    probability: float = 1.0
    after: int = 0
    only: str = ""
    above_limit: int = 0
    seconds: float = 1.0
    retry_after: float | str | None = None
    bare: bool = False
    empty: bool = False
    location: str = CLOSED_PORT
    old: str = ""
    new: str = ""
    data: Any = None
    happened: int = 0
    _seen: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.kind, int) and self.kind not in MISHAPS:
            message = f"no such fault: {self.kind}"
            raise ValueError(message)
        if (self.bare or self.empty) and not isinstance(self.kind, int):
            message = f"only a status code can be bare or empty, not {self.kind}"
            raise ValueError(message)

    @property
    def headers(self) -> dict[str, str]:
        match self.retry_after:
            case None:
                return {}
            case str(text):
                return {"Retry-After": text}
            case seconds:
                return {"Retry-After": f"{seconds:g}"}

    def strikes(self, asked: Asked, chance: Random) -> bool:
        if not self._concerns(asked):
            return False
        self._seen += 1
        if self._seen <= self.after or (self.times is not None and self.happened >= self.times):
            return False
        if self.probability < 1 and chance.random() >= self.probability:
            return False
        self.happened += 1
        return True

    def _concerns(self, asked: Asked) -> bool:
        if not matches(self.pattern, asked) or (self.only and self.only not in asked.gids):
            return False
        if self.above_limit and int(asked.query.get("limit", "0")) <= self.above_limit:
            return False
        if (needed := NEEDED.get(self.kind)) and needed not in asked.query:
            return False
        return self.kind not in ODD_GRANTS or asked.template == TOKEN_PATH


@dataclass(frozen=True)
class Denial:
    """Requests that match are refused with a status; `only` those that name an object."""

    pattern: str
    status: int
    only: str = ""

    def strikes(self, asked: Asked) -> bool:
        return matches(self.pattern, asked) and (not self.only or self.only in asked.gids)


@dataclass(frozen=True)
class Truncation:
    """Listings that match are cut after so many objects."""

    pattern: str
    after: int


@dataclass(frozen=True)
class Alteration:
    """The `data` of answers that match is other than the account has it; see `oddities`."""

    pattern: str
    change: Callable[[Any], Any]
    only: str = ""

    def strikes(self, asked: Asked) -> bool:
        return matches(self.pattern, asked) and (not self.only or self.only in asked.gids)


@dataclass
class Interruption:
    """Something that is done once, just before a matching request is answered."""

    pattern: str
    action: Callable[[], object]
    after: int = 0
    _seen: int = 0

    def is_due(self, asked: Asked) -> bool:
        if matches(self.pattern, asked):
            self._seen += 1
            return self._seen == self.after + 1
        return False


def matches(pattern: str, asked: Asked) -> bool:
    """A pattern is an object's gid, an operation as the reference writes it, or a path with `*`.

    Parameters may follow that must be there: `/tasks?project=*`, `/tasks?offset=*`.
    """
    place, _, parameters = pattern.partition("?")
    if not (place in asked.gids or place == asked.template or fnmatchcase(asked.path, place)):
        return False
    return all(
        fnmatchcase(asked.query.get(name, ""), value) and name in asked.query
        for name, value in parse_qsl(parameters)
    )


@dataclass
class Controls:
    """The behavior of the emulator, which can change while it runs.

    `sync_token_prefix`: how each sync token begins, which is opaque and may have any characters.
    `whole_time_entries`: listings of time entries give all that is asked of them, not only what
    the reference promises there. `ignored_parameters`: those that change nothing, whatever the
    reference says. `demanded_parameters`: by path template, one that the reference calls optional
    and without which the answer is 400. `workspace_events`: the domain is an Enterprise+ one, whose
    service accounts may read the events of whole workspaces. `cut_off_after`: so many requests
    after which every token is refused (401), to end a client that would go on forever.
    `shuffles_events`: those of a page are in no order. `lost_events`: the share of events that do
    not reach a resource's stream. `old_sync_tokens`: the status with which a sync token is refused
    after one that follows it was used; None where it is good all the same. `limit_may_change`: an
    offset is good for a request with another `limit` too; the reference does not say.
    `assumed_parameters`: by path template, those that a request has if it does not name them.
    `inline_children`: the children that listings of tasks and single tasks have too if they are
    asked for (`attachments`, `stories`, `subtasks`), and how many of each at most (None: all).
    The reference does not know them; public clients rely on `attachments`. `inline_omits`: the
    share of tasks with such children whose inline list is empty all the same.
    `compact_listings`: the path templates of listings whose records are compact, although the
    reference says that they are whole.
    """

    offsets: Offsets
    quota: Quota = field(default_factory=Quota)
    cost_quota: CostQuota = field(default_factory=CostQuota)
    in_flight: InFlight = field(default_factory=InFlight)
    latency: float = 0.0
    latency_jitter: float = 0.0
    max_unpaged: int = 1000
    truncate_after: int | None = None
    sync_token_hours: float = 24.0
    event_delay: float = 0.0
    sync_token_prefix: str = ""
    shuffles_events: bool = False
    lost_events: float = 0.0
    old_sync_tokens: Literal[400, 412] | None = None
    whole_time_entries: bool = False
    compact_listings: frozenset[str] = frozenset()
    ignored_parameters: frozenset[str] = frozenset()
    demanded_parameters: dict[str, str] = field(default_factory=dict)
    assumed_parameters: dict[str, dict[str, str]] = field(default_factory=dict)
    inline_children: dict[str, int | None] = field(default_factory=lambda: dict(INLINE))
    inline_omits: float = 0.0
    workspace_events: bool = False
    cut_off_after: int | None = None
    limit_may_change: bool = False
    gzip: bool = False
    quota_headers: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    denials: list[Denial] = field(default_factory=list)
    hidden: frozenset[str] = frozenset()
    faults: list[Fault] = field(default_factory=list)
    truncations: list[Truncation] = field(default_factory=list)
    interruptions: list[Interruption] = field(default_factory=list)
    alterations: list[Alteration] = field(default_factory=list)
    exports: ExportControls = field(default_factory=ExportControls)
    chance: Random = field(default_factory=lambda: Random(1))

    @property
    def quota_per_minute(self) -> int | None:
        """Requests a minute of each token; None for no limit."""
        return self.quota.per_minute

    @quota_per_minute.setter
    def quota_per_minute(self, allowed: int | None) -> None:
        self.quota.per_minute = allowed

    @property
    def quota_window(self) -> float:
        """Seconds over which the quota is measured, but for a bucket; shorter for short tests."""
        return self.quota.window

    @quota_window.setter
    def quota_window(self, seconds: float) -> None:
        self.quota.window = seconds

    @property
    def quota_kind(self) -> QuotaKind:
        """How the quota is measured: over a `sliding` or a `fixed` window, or as a `bucket`."""
        return self.quota.kind

    @quota_kind.setter
    def quota_kind(self, kind: QuotaKind) -> None:
        if kind not in METERS:
            message = f"no such quota: {kind}"
            raise ValueError(message)
        self.quota.kind = kind

    @property
    def limits(self) -> tuple[Quota, CostQuota]:
        """Each of them may refuse a request."""
        return self.quota, self.cost_quota

    def quota_of(self, name: str, per_minute: int | None) -> None:
        """Requests a minute of one person's token, whatever those of the others."""
        self.quota.own[name] = per_minute

    @property
    def cost_per_minute(self) -> float | None:
        """What the answers to each token may cost in a minute; None for no limit."""
        return self.cost_quota.per_minute

    @cost_per_minute.setter
    def cost_per_minute(self, allowed: float | None) -> None:
        self.cost_quota.per_minute = allowed

    @property
    def max_in_flight(self) -> int:
        """Requests of each token that may be under way at once."""
        return self.in_flight.most

    @max_in_flight.setter
    def max_in_flight(self, most: int) -> None:
        self.in_flight.most = most

    @property
    def offset_lifetime(self) -> float:
        """Seconds for which an offset token is good."""
        return self.offsets.lifetime

    @offset_lifetime.setter
    def offset_lifetime(self, seconds: float) -> None:
        self.offsets.lifetime = seconds

    def expire_offsets(self) -> None:
        """Expire every offset token that has been handed out."""
        self.offsets.forget()

    def deny(self, pattern: str, status: int = 403, *, only: str = "") -> None:
        """Refuse what matches (a gid, a path template, a path with `*`) with this status."""
        self.denials.append(Denial(pattern, status, only))

    def allow(self, pattern: str) -> None:
        """Take back a denial."""
        self.denials = [denial for denial in self.denials if denial.pattern != pattern]

    def hide(self, *gids: str) -> None:
        """Leave these objects out of every listing, though each can be read by its gid."""
        self.hidden |= set(gids)

    def truncate(self, pattern: str, after: int) -> None:
        """Cut the listings that match after so many objects, as `truncate_after` does all."""
        self.truncations.append(Truncation(pattern, after))

    def fail(self, pattern: str, kind: int | Mishap, **when: Unpack[When]) -> Fault:
        """Let something go wrong, once unless said otherwise. See `Fault`."""
        fault = Fault(pattern, kind, **when)
        self.faults.append(fault)
        return fault

    def interrupt(self, pattern: str, action: Callable[[], object], *, after: int = 0) -> None:
        """Do something (change the account, say) just before a matching request is answered."""
        self.interruptions.append(Interruption(pattern, action, after))

    def alter(self, pattern: str, change: Callable[[Any], Any], *, only: str = "") -> None:
        """Change the `data` of the answers that match, as one of `oddities` does."""
        self.alterations.append(Alteration(pattern, change, only))

    def loses_event(self, resource: str, at: int) -> bool:
        """Whether the event at a place of the log never reaches the resource's stream."""
        return self.lost_events > 0 and Random(f"{resource} {at}").random() < self.lost_events

    def omits_inline(self, task: str) -> bool:
        """Whether the inline lists of a task are empty, whatever it has."""
        return self.inline_omits > 0 and Random(f"inline {task}").random() < self.inline_omits

    def heal(self) -> None:
        """End all denials, faults, truncations, interruptions, alterations and losses."""
        self.denials, self.faults = [], []
        self.hidden, self.lost_events = frozenset(), 0.0
        self.truncations, self.interruptions = [], []
        self.alterations = []
        self.ignored_parameters, self.demanded_parameters = frozenset(), {}
        self.assumed_parameters, self.inline_children = {}, dict(INLINE)
        self.inline_omits, self.exports = 0.0, ExportControls()

    def denied(self, asked: Asked) -> int | None:
        return next((denial.status for denial in self.denials if denial.strikes(asked)), None)

    def fault(self, asked: Asked) -> Fault | None:
        return next((fault for fault in self.faults if fault.strikes(asked, self.chance)), None)

    def altered(self, asked: Asked, body: bytes) -> bytes:
        """The body of an answer, changed as all alterations that match want it."""
        changes = [each.change for each in self.alterations if each.strikes(asked)]
        if not changes:
            return body
        answer = orjson.loads(body)
        for change in changes:
            answer["data"] = change(answer["data"])
        return orjson.dumps(answer)

    def lacking(self, asked: Asked) -> str | None:
        """The parameter that is demanded of a request and that it does not have."""
        demanded = self.demanded_parameters.get(asked.template)
        return None if demanded is None or demanded in asked.query else demanded

    def cut_at(self, asked: Asked) -> int | None:
        """After how many objects this listing is cut."""
        cuts = [each.after for each in self.truncations if matches(each.pattern, asked)]
        return min(cuts, default=self.truncate_after)

    def due(self, asked: Asked) -> Iterator[Callable[[], object]]:
        return (due.action for due in list(self.interruptions) if due.is_due(asked))

    def delay(self) -> float:
        if self.latency_jitter:
            return self.latency + self.chance.uniform(0, self.latency_jitter)
        return self.latency
