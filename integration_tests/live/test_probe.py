"""Checks the connector's assumptions on the account of `secrets/config.json`, if it exists."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from integration_tests.reading import PROGRAM_SECONDS

CONFIG = Path(__file__).parents[2] / "secrets" / "config.json"

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not CONFIG.exists(), reason="there is no secrets/config.json"),
]


def test_asana_does_what_the_connector_assumes() -> None:
    program = Path(sys.executable).with_name("source-asana")
    done = subprocess.run(
        [program, "probe", "--config", CONFIG, "--json"],
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )
    report = json.loads(done.stdout)
    assert (done.returncode, report["ended"], done.stderr) == (0, None, "")
    assert report["requests"] <= 80
    assert [found for found in report["findings"] if found["verdict"] == "differs"] == []
