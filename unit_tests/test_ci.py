"""The scripts in `.ci` with which the make tasks begin."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PYTHONS = Path(__file__).parents[1] / ".ci" / "pythons"
BIN = Path(sys.executable).parent
BASE = Path(sys.base_prefix).resolve()

pytestmark = pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="in no environment")


def found(*arguments: str | Path) -> list[Path]:
    """The Pythons that the script prints while this test's environment is active."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    words = ["/bin/sh", PYTHONS, *arguments]
    done = subprocess.run(
        words, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=True
    )
    return [Path(line) for line in done.stdout.splitlines()]


def test_pythons_of_an_active_environment_are_not_offered() -> None:
    pythons = found()
    assert any(python.is_relative_to(BASE) for python in pythons)
    assert not any(python.is_relative_to(sys.prefix) for python in pythons)


@pytest.mark.parametrize("name", ["python", sys.executable, str(BIN / "python3")])
def test_a_python_named_by_its_environment_is_replaced_by_its_base_python(name: str) -> None:
    (python,) = found(name)
    assert python.is_relative_to(BASE)
    assert not python.is_relative_to(sys.prefix)
