"""Checks the packages of the image for known vulnerabilities.

Fails when a package has one. Says so and passes when the database cannot be reached.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[1] / "requirements.lock"


def main() -> int:
    """Audit; return the exit status."""
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
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (json.JSONDecodeError, KeyError):
        return _skipped(done.stderr.strip().rpartition("\n")[2].partition(":")[0])
    audited = [package for package in packages if "vulns" in package]
    if not audited:
        return _skipped("it has none of the packages")
    bad = [
        f"{package['name']} {package['version']}: {vuln['id']}, fixed in {vuln['fix_versions']}"
        for package in audited
        for vuln in package["vulns"]
    ]
    print(*bad, f"audit: {len(audited)} packages, {len(bad)} known vulnerabilities", sep="\n")
    return 1 if bad else 0


def _skipped(why: str) -> int:
    print(f"audit: skipped, cannot reach the database ({why})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
