"""The cases to measure, as data."""

from dataclasses import dataclass
from typing import Literal

OURS = "ours"
PUBLISHED = "published"
BARE = "bare loop"
BOTH = (OURS, PUBLISHED)
DUCKDB, POSTGRESQL = LOADERS = ("make sync, DuckDB", "make sync, PostgreSQL")

COMMON = (
    "attachments",
    "attachments_compact",
    "custom_fields",
    "organization_exports",
    "portfolio_items",
    "portfolios",
    "portfolios_compact",
    "portfolios_memberships",
    "projects",
    "sections",
    "sections_compact",
    "stories",
    "stories_compact",
    "tags",
    "tasks",
    "users",
    "workspaces",
)
"""The streams of both connectors, except `events` (which exist only between two syncs), `teams` and
`team_memberships`: the published connector requests these from an address that Asana's reference
no longer has, so the result is unknown."""

FEW = ("projects", "sections", "tasks", "users")
"""Streams that the published connector also reads in a few seconds."""

USUAL_MS = 80
"""How long Asana usually takes to answer."""

DEFAULT_WORKERS = 10

Command = Literal["spec", "check", "discover", "read"]

QUICK, USUAL, LARGE = SETS = ("quick", "usual", "large")
"""Which cases `make bench` measures: in a few minutes, in half an hour, or the largest accounts."""


@dataclass(frozen=True, order=True)
class Account:
    """`tasks` in projects of about `in_each`, with `menus` custom fields of 500 options each."""

    tasks: int
    in_each: int
    menus: int


@dataclass(frozen=True, kw_only=True)
class Case:
    """One line of a table: what is read, from which account, by which connector, and how often.

    `window`: seconds over which the quota is counted. `changed`: the share of the tasks that change
    after a first sync; the measured sync has its state. `resumed`: whether the measured sync
    resumes one that read half of the projects. `most_memory`: the target, in MB. `warm`: whether
    ours first reads everything unmeasured, so that the emulator has its pages. `tls`: without it,
    ours connects to the emulator directly (`ASANA_BASE_URL`). `sets`: those of `SETS` that have it.
    """

    group: str
    name: str
    streams: tuple[str, ...] = ()
    command: Command = "read"
    tasks: int = 5_000
    latency_ms: int = USUAL_MS
    workers: int = DEFAULT_WORKERS
    quota: int | None = None
    window: float = 60.0
    changed: float = 0.0
    resumed: bool = False
    in_each: int = 500
    menus: int = 0
    most_memory: int = 250
    tls: bool = True
    warm: bool = False
    connectors: tuple[str, ...] = BOTH
    runs: int = 3
    sets: tuple[str, ...] = (USUAL,)

    @property
    def account(self) -> Account:
        """What is read."""
        return Account(self.tasks, self.in_each, self.menus)


COMMANDS = "Commands"
ALONE = "One stream"
ALL = "All streams that both have"
SIZES = "Size of the account"
PACES = "Latency and workers"
QUOTAS = "Quota"
CHANGES = "After 1 % has changed"
LOADING = "With make sync"
CEILING = "Nothing but parsing and printing"
MEMORY = "Memory"
RESUMED = "Memory of a resumed first sync"
LARGE_PAGES = "Memory with large pages"
SCALING = "Scaling"

COMMON_STREAMS = "17 streams"

CASES: tuple[Case, ...] = (
    Case(group=COMMANDS, name="spec", command="spec", tasks=250, sets=(QUICK, USUAL)),
    Case(group=COMMANDS, name="check", command="check", tasks=250, sets=(QUICK, USUAL)),
    Case(group=COMMANDS, name="discover", command="discover", tasks=250, sets=(QUICK, USUAL)),
    Case(group=ALL, name=COMMON_STREAMS, streams=COMMON, tasks=250, runs=1, warm=True),
    *(
        Case(
            group=ALONE,
            name=stream,
            streams=(stream,),
            tasks=250,
            warm=True,
            connectors=connectors,
            runs=runs,
            sets=sets,
        )
        for stream, connectors, runs, sets in (
            ("users", BOTH, 3, (QUICK, USUAL)),
            ("sections", BOTH, 1, (QUICK, USUAL)),
            ("attachments", BOTH, 1, (USUAL,)),
            ("stories", (OURS,), 1, (USUAL,)),
        )
    ),
    *(
        Case(
            group=SIZES,
            name=f"tasks of {tasks:,}",
            streams=("tasks",),
            tasks=tasks,
            warm=True,
            runs=runs,
            sets=(size,),
        )
        for tasks, runs, size in ((500, 3, USUAL), (5_000, 1, USUAL), (50_000, 1, LARGE))
    ),
    *(
        Case(
            group=PACES,
            name=f"{latency_ms} ms, {workers} at once",
            streams=FEW,
            tasks=500,
            latency_ms=latency_ms,
            workers=workers,
            warm=True,
            runs=runs,
            sets=sets,
        )
        for latency_ms, workers, runs, sets in (
            (0, DEFAULT_WORKERS, 1, (USUAL,)),
            (USUAL_MS, DEFAULT_WORKERS, 3, (QUICK, USUAL)),
            (250, DEFAULT_WORKERS, 1, (USUAL,)),
            (USUAL_MS, 1, 1, (USUAL,)),
            (USUAL_MS, 25, 1, (USUAL,)),
        )
    ),
    Case(
        group=QUOTAS,
        name="150 a minute",
        streams=FEW,
        tasks=500,
        quota=150,
        window=6.0,
        runs=1,
    ),
    Case(
        group=QUOTAS,
        name="1,500 a minute",
        streams=COMMON,
        tasks=500,
        quota=1_500,
        connectors=(OURS,),
        runs=1,
    ),
    *(
        Case(
            group=CHANGES,
            name=f"{COMMON_STREAMS} of {tasks:,}",
            streams=COMMON,
            tasks=tasks,
            changed=0.01,
            connectors=(OURS,),
            runs=1,
            sets=sets,
        )
        for tasks, sets in ((250, (QUICK, USUAL)), (5_000, (USUAL,)))
    ),
    *(
        Case(
            group=SCALING,
            name=f"{stream}, {workers} at once",
            streams=(stream,),
            tasks=tasks,
            workers=workers,
            warm=True,
            connectors=(OURS,),
            runs=1,
        )
        for workers, stream, tasks in (
            (1, "subtasks", 5_000),
            (5, "stories", 500),
            (10, "stories", 2_000),
            (25, "stories", 5_000),
        )
    ),
    *(
        Case(
            group=MEMORY,
            name=f"{', '.join(streams)} of {tasks:,}",
            streams=streams,
            tasks=tasks,
            latency_ms=0,
            workers=25,
            connectors=(OURS,),
            runs=1,
            sets=sets,
        )
        for streams in (("tasks", "subtasks"), ("tasks", "subtasks", "stories"))
        for tasks, sets in ((30_000, (USUAL, LARGE)), (300_000, (LARGE,)))
    ),
    *(
        Case(
            group=RESUMED,
            name=f"the other half of tasks, subtasks, stories of 300,000, {workers} at once",
            streams=("tasks", "subtasks", "stories"),
            tasks=300_000,
            latency_ms=0,
            workers=workers,
            resumed=True,
            connectors=(OURS,),
            runs=1,
            sets=(LARGE,),
        )
        for workers in (DEFAULT_WORKERS, 25)
    ),
    *(
        Case(
            group=LARGE_PAGES,
            name=f"pages of 36 MB, {workers} at once",
            streams=("tasks",),
            tasks=2_900,
            in_each=100,
            menus=6,
            most_memory=400,
            latency_ms=0,
            workers=workers,
            connectors=(OURS,),
            runs=1,
        )
        for workers in (DEFAULT_WORKERS, 25)
    ),
    *(
        Case(
            group=LOADING,
            name=f"tasks of {tasks:,}",
            streams=("tasks",),
            tasks=tasks,
            latency_ms=0,
            tls=False,
            warm=True,
            connectors=(OURS, *LOADERS),
            runs=1,
            sets=(size,),
        )
        for tasks, size in ((30_000, USUAL), (300_000, LARGE))
    ),
    *(
        Case(
            group=CEILING,
            name=f"tasks of 200,000, {way}",
            streams=("tasks",),
            tasks=200_000,
            latency_ms=0,
            tls=tls,
            warm=tls,
            connectors=(OURS, BARE),
            runs=runs,
            sets=(LARGE,),
        )
        for way, tls, runs in (("with TLS", True, 1), ("without TLS", False, 3))
    ),
)
