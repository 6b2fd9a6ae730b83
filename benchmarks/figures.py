"""Measurements, and figures derived from them. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from statistics import median, median_low


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One run of one connector. Seconds, and bytes."""

    group: str
    case: str
    connector: str
    requests: int
    refused: int
    floor: int
    wall: float
    cpu: float
    memory: int
    records: int
    missing: int
    too_many: int
    other_bytes: int
    exit_status: int


@dataclass(frozen=True)
class Ratios:
    """The ratios of `one` to `other`: medians over the pairs of runs."""

    requests: float
    wall: float
    cpu: float
    memory: float


def differences(
    truth: Mapping[str, Counter[str]], told: Mapping[str, Counter[str]]
) -> tuple[int, int]:
    """How many records are missing, and how many were delivered too often."""
    missing = sum((truth[stream] - told.get(stream, Counter())).total() for stream in truth)
    too_many = sum((told[stream] - truth.get(stream, Counter())).total() for stream in told)
    return missing, too_many


def middle(runs: Sequence[Measurement]) -> Measurement:
    """The median of each figure."""
    figures = {
        each.name: median_low([getattr(run, each.name) for run in runs])
        for each in fields(Measurement)
        if each.type is not str
    }
    return replace(runs[0], **figures)


def ratios(one: Iterable[Measurement], other: Iterable[Measurement]) -> Ratios:
    """Compare run by run."""
    pairs = list(zip(one, other, strict=True))
    return Ratios(
        requests=median(_quotient(a.requests, b.requests) for a, b in pairs),
        wall=median(_quotient(a.wall, b.wall) for a, b in pairs),
        cpu=median(_quotient(a.cpu, b.cpu) for a, b in pairs),
        memory=median(_quotient(a.memory, b.memory) for a, b in pairs),
    )


def efficiency(one: Measurement, workers: int, latency: float, start: float) -> float:
    """The requests a second, relative to those of workers that only wait for answers.

    `start`: the seconds that a connector takes before its first request.
    """
    return one.requests * latency / (workers * (one.wall - start))


def _quotient(one: float, other: float) -> float:
    return one / other if other else float(one == other)
