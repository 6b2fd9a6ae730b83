"""The connector without the packages of the CDK that the Dockerfile excludes from the image."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import orjson
import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.reading import (
    PROGRAM_SECONDS,
    Json,
    Said,
    catalog_of,
    config_for,
    oauth_config,
)
from source_asana.streams.declared import STREAMS

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
EXCLUDED = frozenset(
    DOCKERFILE.partition('ARG LEFT_OUT="')[2].partition('"')[0].replace("\\\n", "").split()
)
INCREMENTAL = Path(__file__).parent / "configured_catalogs" / "incremental.json"

PROGRAM = """
import sys

class LeftOut:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in modules:
            raise ModuleNotFoundError(f"No module named {name!r}: left out", name=name)

modules = frozenset(sys.argv.pop(1).split(","))
sys.meta_path.insert(0, LeftOut())
from source_asana.run import run
run()
"""


def modules() -> list[str]:
    """The top-level modules of the excluded packages."""
    return sorted(
        module
        for module, packages in packages_distributions().items()
        if {re.sub(r"[-_.]+", "-", package).lower() for package in packages} & EXCLUDED
    )


def run_without(
    folder: Path, command: str, asana: AsanaEmulator, **files: Json | list[Json]
) -> Said:
    """Run a command of the console program, which cannot import the excluded packages."""
    words = []
    for name, content in files.items():
        (folder / f"{name}.json").write_bytes(orjson.dumps(content))
        words += [f"--{name}", str(folder / f"{name}.json")]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, ",".join(modules()), command, *words],
        env={**os.environ, "ASANA_BASE_URL": asana.url},
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )
    assert done.stderr == ""
    assert "No module named" not in done.stdout
    return Said(done.stdout.splitlines(), done.returncode)


def test_the_excluded_packages_are_locked() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert set(re.findall(r"^([a-z0-9.-]+)==", lock, re.MULTILINE)) > EXCLUDED
    assert {"pandas", "numpy", "nltk", "grpc", "google", "setuptools"} <= set(modules())


@pytest.mark.parametrize("command", ["spec", "discover", "check"])
def test_a_command_runs_without_the_excluded_packages(
    sample: AsanaEmulator, tmp_path: Path, command: str
) -> None:
    files = {} if command == "spec" else {"config": oauth_config(sample)}
    said = run_without(tmp_path, command, sample, **files)
    assert said.exit_status == 0
    assert (
        len(said.of_type({"spec": "SPEC", "discover": "CATALOG"}.get(command, "CONNECTION_STATUS")))
        == 1
    )


def test_a_full_refresh_with_faults_runs_without_the_excluded_packages(
    asana: AsanaEmulator, tmp_path: Path
) -> None:
    for kind in (429, 503, "html", "reset", "truncated", "wrong_shape"):
        asana.controls.fail("/tasks", kind)
    asana.controls.deny("/portfolios", 403)
    said = run_without(
        tmp_path, "read", asana, config=config_for(asana), catalog=catalog_of(STREAMS)
    )
    assert said.exit_status == 1
    assert said.statuses("portfolios")[-1] == "INCOMPLETE"
    assert said.statuses("tasks")[-1] == "COMPLETE"


def test_an_incremental_sync_runs_without_the_excluded_packages(
    asana: AsanaEmulator, tmp_path: Path
) -> None:
    catalog, config = json.loads(INCREMENTAL.read_bytes()), config_for(asana)
    first = run_without(tmp_path, "read", asana, config=config, catalog=catalog)
    last = {
        message["state"]["stream"]["stream_descriptor"]["name"]: message["state"]
        for message in first.of_type("STATE")
    }
    assert first.exit_status == 0
    second = run_without(
        tmp_path, "read", asana, config=config, catalog=catalog, state=list(last.values())
    )
    assert second.exit_status == 0
    assert len(second.records()["tasks"]) < len(first.records()["tasks"])
