"""The two connectors, each in its own environment, as their users run them."""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.asana import Asana
from benchmarks.cases import OURS, PUBLISHED, Case

PROGRAM = Path("bin", "source-asana")
PLENTY = 60_000
"""For ours, where the emulator has no quota: by default it sends at most 1,500 requests a minute.
The published connector has no such limit."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Connector:
    """A connector, run by the console script of its environment."""

    name: str
    program: Path

    def version(self, package: str) -> str:
        """The version of a package in its environment."""
        return self._told(f"from importlib.metadata import version; print(version({package!r}))")

    def python_version(self) -> str:
        """The version of the Python that it runs on."""
        return self._told("import platform; print(platform.python_version())")

    @property
    def python(self) -> Path:
        """The Python that it runs on."""
        return self.program.with_name("python")

    def _told(self, code: str) -> str:
        asked = [str(self.python), "-c", code]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()

    def config(self, case: Case, asana: Asana) -> Json:
        """A user's config: the same for both, except for the quota."""
        credentials = {
            "option_title": "PAT Credentials",
            "personal_access_token": asana.token,
        }
        config: Json = {
            "credentials": credentials,
            "organization_export_ids": list(asana.export_ids),
            "num_workers": case.workers,
        }
        if self.name == OURS and case.quota is None:
            config["requests_per_minute"] = PLENTY
        return config


def connectors(ours: Path, published: Path) -> dict[str, Connector]:
    """The connectors of two environments."""
    environments = {OURS: ours, PUBLISHED: published}
    return {name: Connector(name, environments[name] / PROGRAM) for name in environments}


def configured(catalog: Json, streams: Iterable[str], *, incremental: bool = False) -> Json:
    """The catalog of a platform: streams as `discover` returns them, incremental where possible."""
    shown = {stream["name"]: stream for stream in catalog["streams"]}
    return {"streams": [_configured(shown[name], incremental=incremental) for name in streams]}


def _configured(stream: Json, *, incremental: bool) -> Json:
    is_incremental = incremental and "incremental" in stream["supported_sync_modes"]
    modes = ("incremental", "append_dedup") if is_incremental else ("full_refresh", "overwrite")
    return {"stream": stream, "sync_mode": modes[0], "destination_sync_mode": modes[1]}
