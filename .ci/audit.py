"""Looks up the packages of the image in the database of known vulnerabilities.

Exits with 1 when a package has one. When the database did not answer, says so and exits with 0, or
with 1 if `--required` is given: an audit that did not happen has not passed.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[1] / "requirements.lock"

Package = Mapping[str, Any]
"""A package as pip-audit reports it: with `vulns`, or with the `skip_reason` for having none."""


def main() -> int:
    """Audit; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--required", action="store_true", help="fail if there is no answer")
    required = parser.parse_args().required
    packages, failure = _asked()
    lines, status = verdict(packages, failure, required=required)
    print(*lines, sep="\n")
    return status


def verdict(
    packages: Sequence[Package], failure: str, *, required: bool
) -> tuple[Sequence[str], int]:
    """What to print, and the exit status; `failure` is why there are no packages."""
    audited = [package for package in packages if "vulns" in package]
    unknown = [package["name"] for package in packages if "vulns" not in package]
    found = [
        f"{package['name']} {package['version']}: {vuln['id']}, fixed in "
        f"{', '.join(vuln['fix_versions']) or 'no version'}"
        for package in audited
        for vuln in package["vulns"]
    ]
    if not audited:
        why = failure or f"it answered for none of {_counted(len(packages), 'package')}"
        lines = [f"audit: NOT DONE, the database of vulnerabilities cannot be reached ({why})"]
    else:
        lines = [
            *found,
            f"audit: {_counted(len(audited), 'package')}, {_counted(len(found), 'known flaw')}",
        ]
        if unknown:
            lines.append(f"audit: NOT DONE for {', '.join(unknown)}")
    return lines, int(bool(found) or (required and (not audited or bool(unknown))))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _asked() -> tuple[Sequence[Package], str]:
    """The packages as pip-audit reports them, or none and the reason."""
    done = subprocess.run(
        [
            Path(sys.executable).with_name("pip-audit"),
            *("--requirement", LOCK, "--require-hashes", "--disable-pip"),
            *("--format", "json", "--progress-spinner", "off"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        packages: Sequence[Package] = json.loads(done.stdout)["dependencies"]
    except (json.JSONDecodeError, KeyError):
        return [], done.stderr.strip().rpartition("\n")[2].partition(":")[0]
    return packages, ""


if __name__ == "__main__":
    sys.exit(main())
