"""The emulator as a separate package, and its page."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration_tests.asana_emulator.control_room import CHANGES, SETTINGS
from integration_tests.asana_emulator.controls import MISHAPS
from integration_tests.asana_emulator.endpoints import DOCUMENTED_TEMPLATES
from integration_tests.reading import run_program

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
EMULATOR = ROOT / "integration_tests" / "asana_emulator"
PAGE = (ROOT / "docs" / "emulator.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


def named(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", text)


def section(heading: str) -> str:
    return PAGE.partition(f"\n{heading}")[2].partition("\n\n**")[0].partition("\n## ")[0]


def test_the_page_lists_every_path() -> None:
    listed = [name for name in named(section("## What it serves")) if name.startswith("/")]
    assert listed[:2] == ["/api/1.0", "/-/oauth_token"]
    assert listed[2:] == sorted(set(DOCUMENTED_TEMPLATES))


def test_the_page_lists_every_setting() -> None:
    rows = re.findall(r"^\| (`[^|]*`) \|", section("**Settings**"), re.MULTILINE)
    assert sorted(named(" ".join(rows))) == sorted(SETTINGS)


def test_the_page_lists_every_fault() -> None:
    listed = section("**Faults**").partition("describes each:")[2].partition("Beside")[0]
    assert sorted(named(listed)) == sorted(MISHAPS)


def test_the_page_lists_every_change() -> None:
    assert sorted(named(section("**Changes**"))) == sorted(CHANGES)


def test_the_package_has_the_license_of_the_project() -> None:
    assert (EMULATOR / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def install(python: Path, *what: str | Path) -> None:
    """Install with uv, or with pip where only pip can find a mirror."""
    uv = [BIN / "uv", "pip", "install", "--native-tls", "--quiet", "--python", python, *what]
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", *what]
    if subprocess.run(uv, capture_output=True, check=False).returncode:
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with only the package, built here, and its dependencies.

    The versions are those of the lock. The page's example uses requests.
    """
    folder = tmp_path_factory.mktemp("others")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*build, "--directory", folder], cwd=EMULATOR, capture_output=True, check=True)
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    lock = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(re.findall(r"^[a-z0-9.-]+==[^ ]+", lock, re.MULTILINE)))
    (wheel,) = folder.glob("*.whl")
    install(environment / "bin" / "python", wheel, "--constraint", constraints)
    return environment / "bin"


@pytest.fixture
def started(installed: Path, tmp_path: Path) -> Iterator[str]:
    """The output of the program that runs in that environment."""
    program = str(installed / "asana-emulator")
    with subprocess.Popen(
        [program, "--quota", "1500"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        yield "".join(iter(process.stdout.readline, "Ctrl-C ends it.\n"))
        process.terminate()


def test_the_connector_reads_an_account_that_the_installed_program_serves(started: str) -> None:
    config = started[started.index("{") : started.rindex("}\n") + 1].encode()
    url = started.split("ASANA_BASE_URL=")[1].split(maxsplit=1)[0]
    status = run_program("check", url, config).connection_status()
    assert status["status"] == "SUCCEEDED"


def test_the_example_of_the_page_works_where_only_the_package_is_installed(
    installed: Path, tmp_path: Path
) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    install(installed / "python", "requests")
    done = subprocess.run(
        [installed / "python", "-c", example],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_page_and_the_program_have_the_same_options(installed: Path) -> None:
    shown = subprocess.run(
        [installed / "asana-emulator", "--help"], capture_output=True, text=True, check=True
    ).stdout
    options = re.findall(r"^\| `(--[a-z-]+)` \|", PAGE, re.MULTILINE)
    assert sorted(options) == sorted(set(re.findall(r"--[a-z-]+", shown)) - {"--help"})
