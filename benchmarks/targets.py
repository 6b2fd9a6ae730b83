"""The targets, and whether they are met. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.cases import (
    ALL,
    BARE,
    CEILING,
    COMMANDS,
    LARGE_PAGES,
    MEMORY,
    OURS,
    PUBLISHED,
    QUOTAS,
    RESUMED,
    SCALING,
    Case,
)
from benchmarks.figures import Measurement, efficiency, middle, ratios

MEGABYTE = 1_000_000
MINUTE = 60.0
PAID = 1_500
"""Requests a minute of a paid plan; on a free plan, the first minute is spent on detecting it."""
EFFICIENT = 0.8


@dataclass(frozen=True)
class Target:
    """A target, the measurement, and whether that meets it."""

    promise: str
    measured: str
    holds: bool


@dataclass(frozen=True)
class Measured:
    """All measurements, by case and connector."""

    everything: Sequence[Measurement]

    def runs(self, case: Case, connector: str = OURS) -> list[Measurement]:
        asked = (case.group, case.name, connector)
        return [m for m in self.everything if (m.group, m.case, m.connector) == asked]

    def one(self, case: Case, connector: str = OURS) -> Measurement | None:
        """The medians of a case; None without measurements."""
        runs = self.runs(case, connector)
        return middle(runs) if runs else None


def targets(cases: Sequence[Case], measured: Measured) -> Iterator[Target]:
    """The targets that were measured."""
    of = {name: [case for case in cases if case.group == name] for name in {c.group for c in cases}}
    for case in of.get(ALL, ()):
        yield from _against_the_published(case, measured)
    for case in of.get(QUOTAS, ()):
        yield from _of_a_quota(case, measured)
    for case in of.get(CEILING, ()):
        yield from _of_the_ceiling(case, measured)
    yield from _of_memory(of.get(MEMORY, ()), measured)
    for case in (*of.get(RESUMED, ()), *of.get(LARGE_PAGES, ())):
        yield from _of_peak(case, measured)
    yield from _of_scaling(of.get(SCALING, ()), of.get(COMMANDS, ()), measured)


def _against_the_published(case: Case, measured: Measured) -> Iterator[Target]:
    ours, theirs = measured.runs(case), measured.runs(case, PUBLISHED)
    if not ours or not theirs:
        return
    one, times = middle(ours), ratios(theirs, ours)
    where = f"{case.name}, {case.tasks:,} tasks, {case.latency_ms} ms, {case.workers} workers"
    yield Target(
        f"{where}: requests at the floor",
        f"{one.requests:,} of {one.floor:,}",
        one.requests <= one.floor,
    )
    for what, ratio, least in (
        ("requests", times.requests, 3),
        ("wall time", times.wall, 20),
        ("CPU", times.cpu, 50),
    ):
        yield Target(
            f"{where}: {what} at most 1/{least} of the published connector's",
            f"1/{ratio:.1f}",
            ratio >= least,
        )


def _of_a_quota(case: Case, measured: Measured) -> Iterator[Target]:
    one = measured.one(case)
    if one is None or case.quota != PAID:
        return
    ideal = one.floor / case.quota * MINUTE
    yield Target(
        f"{case.name}: wall time at most 1.05 × (floor ÷ quota)",
        f"{one.wall:.1f} s, {one.wall / ideal:.3f} × {ideal:.1f} s",
        one.wall <= 1.05 * ideal,
    )


def _of_the_ceiling(case: Case, measured: Measured) -> Iterator[Target]:
    one, bare = measured.one(case), measured.one(case, BARE)
    if one is None or bare is None:
        return
    yield Target(
        f"{case.name}: CPU at most 3 × that of a bare loop",
        f"{one.cpu:.1f} s, {one.cpu / bare.cpu:.2f} × {bare.cpu:.1f} s",
        one.cpu <= 3 * bare.cpu,
    )


def _of_memory(cases: Sequence[Case], measured: Measured) -> Iterator[Target]:
    """Each account against the smallest one of which the same streams were read."""
    smallest: dict[tuple[str, ...], Measurement] = {}
    for case in sorted(cases, key=lambda case: case.tasks):
        one = measured.one(case)
        if one is None:
            continue
        yield from _of_peak(case, measured)
        small = smallest.setdefault(case.streams, one)
        if small is not one:
            yield Target(
                f"{case.name}: within 20 % of {small.case}",
                f"{one.memory / small.memory:.2f} ×",
                one.memory <= 1.2 * small.memory,
            )


def _of_peak(case: Case, measured: Measured) -> Iterator[Target]:
    one = measured.one(case)
    if one is not None:
        yield Target(
            f"{case.name}: peak memory below {case.most_memory} MB",
            f"{one.memory / MEGABYTE:.0f} MB",
            one.memory < case.most_memory * MEGABYTE,
        )


def _of_scaling(
    cases: Sequence[Case], commands: Sequence[Case], measured: Measured
) -> Iterator[Target]:
    start = next((m.wall for c in commands if c.command == "spec" and (m := measured.one(c))), 0.0)
    for case in cases:
        one = measured.one(case)
        if one is not None:
            share = efficiency(one, case.workers, case.latency_ms / 1000, start)
            yield Target(
                f"{case.name}, {case.latency_ms} ms: at least 80 % of the requests "
                "that workers could make that only wait",
                f"{share:.0%}",
                share >= EFFICIENT,
            )
