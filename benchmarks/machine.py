"""The machine and the versions of a measurement."""

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pendulum

from benchmarks.cases import OURS, PUBLISHED
from benchmarks.connectors import Connector

PACKAGE = "airbyte-source-asana"
CDK = "airbyte-cdk"


@dataclass(frozen=True)
class Machine:
    """The machine and versions, to compare runs. `load`: in the minute before the start."""

    day: str
    processor: str
    cores: int
    python: str
    ours: str
    published: str
    cdk: str
    load: float

    @classmethod
    def this(cls, known: Mapping[str, Connector]) -> Self:
        return cls(
            day=pendulum.now("UTC").to_date_string(),
            processor=_processor(),
            cores=os.cpu_count() or 1,
            python=known[PUBLISHED].python_version(),
            ours=known[OURS].version(PACKAGE),
            published=known[PUBLISHED].version(PACKAGE),
            cdk=known[PUBLISHED].version(CDK),
            load=os.getloadavg()[0],
        )

    def described(self) -> str:
        """The same in words."""
        return (
            f"Measured on {self.day} with {self.cores} cores of {self.processor} "
            f"(load {self.load:.1f} at the start), Python {self.python}, airbyte-cdk {self.cdk} "
            f"for both: ours {self.ours} and the published {self.published}."
        )


def _processor() -> str:
    """The name of the processor on Linux; elsewhere its architecture."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
