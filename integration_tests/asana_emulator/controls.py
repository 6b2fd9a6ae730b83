"""What the tests may change about the conversation: pace, limits, denials, faults."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import Literal, TypedDict, Unpack, get_args

from .asked import Asked
from .paging import Offsets
from .quota import InFlight, Quota

Mishap = Literal["reset", "truncated", "half_json", "html", "slow", "stall", "expired_offset"]
MISHAPS = frozenset(get_args(Mishap))


class When(TypedDict, total=False):
    """When a fault happens, and how."""

    times: int | None
    probability: float
    after: int
    only: str
    seconds: float
    retry_after: float | None


@dataclass
class Fault:
    """Something that goes wrong with the requests that match.

    `kind` is a status code, or how the answer is spoilt. It happens `times` times (None: always),
    after the first `after` matching requests, or with a `probability`. `only` narrows it to
    requests that name an object. A 429 has `Retry-After` only if `retry_after` is given.
    """

    pattern: str
    kind: int | Mishap
    times: int | None = 1
    probability: float = 1.0
    after: int = 0
    only: str = ""
    seconds: float = 1.0
    retry_after: float | None = None
    happened: int = 0
    _seen: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.kind, int) and self.kind not in MISHAPS:
            message = f"no such fault: {self.kind}"
            raise ValueError(message)

    def strikes(self, asked: Asked, chance: Random) -> bool:
        if not matches(self.pattern, asked) or (self.only and self.only not in asked.gids):
            return False
        if self.kind == "expired_offset" and "offset" not in asked.query:
            return False
        self._seen += 1
        if self._seen <= self.after or (self.times is not None and self.happened >= self.times):
            return False
        if self.probability < 1 and chance.random() >= self.probability:
            return False
        self.happened += 1
        return True


@dataclass(frozen=True)
class Denial:
    """Requests that match are refused with a status; `only` those that name an object."""

    pattern: str
    status: int
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
    """A pattern is an object's gid, an operation as the reference writes it, or a path with `*`."""
    return pattern in asked.gids or pattern == asked.template or fnmatchcase(asked.path, pattern)


@dataclass
class Controls:
    """The emulator's behaviour, changeable while it runs."""

    offsets: Offsets
    quota: Quota = field(default_factory=Quota)
    in_flight: InFlight = field(default_factory=InFlight)
    latency: float = 0.0
    latency_jitter: float = 0.0
    max_unpaged: int = 1000
    truncate_after: int | None = None
    sync_token_hours: float = 24.0
    event_delay: float = 0.0
    gzip: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    denials: list[Denial] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    interruptions: list[Interruption] = field(default_factory=list)
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
        """Seconds over which the quota is measured; shorter keeps tests short."""
        return self.quota.window

    @quota_window.setter
    def quota_window(self, seconds: float) -> None:
        self.quota.window = seconds

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

    def fail(self, pattern: str, kind: int | Mishap, **when: Unpack[When]) -> Fault:
        """Let something go wrong, once unless said otherwise. See `Fault`."""
        fault = Fault(pattern, kind, **when)
        self.faults.append(fault)
        return fault

    def interrupt(self, pattern: str, action: Callable[[], object], *, after: int = 0) -> None:
        """Do something (change the account, say) just before a matching request is answered."""
        self.interruptions.append(Interruption(pattern, action, after))

    def heal(self) -> None:
        """No faults, denials or interruptions any more."""
        self.denials, self.faults, self.interruptions = [], [], []

    def denied(self, asked: Asked) -> int | None:
        return next((denial.status for denial in self.denials if denial.strikes(asked)), None)

    def fault(self, asked: Asked) -> Fault | None:
        return next((fault for fault in self.faults if fault.strikes(asked, self.chance)), None)

    def due(self, asked: Asked) -> Iterator[Callable[[], object]]:
        return (due.action for due in list(self.interruptions) if due.is_due(asked))

    def delay(self) -> float:
        if self.latency_jitter:
            return self.latency + self.chance.uniform(0, self.latency_jitter)
        return self.latency
