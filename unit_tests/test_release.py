"""What workflows, release scripts and the audit do before anything is published."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MADE_HERE = sorted([*(ROOT / ".github").rglob("*.yml"), ROOT / ".pre-commit-config.yaml"])


def steps(workflow: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(workflow.read_bytes())["jobs"].values()
    return [step for job in jobs for step in job["steps"]]


def audit() -> ModuleType:
    found = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_tasks_of_the_makefile_and_nothing_else(workflow: Path) -> None:
    tasks = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for step in steps(workflow):
        command = step.get("run", "make check")
        (task,) = re.findall(r'^make ("\$\{TASK\}"|[a-z-]+)(?: [A-Z_]+=\S+)*$', command)
        assert task in tasks or task == '"${TASK}"'


def test_the_nightly_workflow_names_tasks_of_the_makefile() -> None:
    (job,) = yaml.safe_load((ROOT / ".github/workflows/nightly.yml").read_bytes())["jobs"].values()
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for entry in job["strategy"]["matrix"]["include"]:
        assert re.search(rf"^{entry['task']}:.*## ", makefile, re.MULTILINE)
    handed = job["steps"][-1]["env"].keys() - {"TASK"}
    assert handed == {
        name for name in handed if f"$({name})" in makefile or f"({name})," in makefile
    }


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_commit_and_named_by_version(workflow: Path) -> None:
    used = re.findall(r"uses: (.*)", workflow.read_text("utf-8"))
    assert used
    for action in used:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", action)


@pytest.mark.parametrize("file", MADE_HERE, ids=lambda path: path.name)
def test_no_file_for_github_has_a_local_path(file: Path) -> None:
    assert not re.search(r"(?<![\w.:/~-])/(?:home|root|tmp|work|Users)/", file.read_text("utf-8"))


def test_the_hooks_before_a_commit_are_programs_of_the_environment() -> None:
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_bytes())["repos"]
    programs = [hook["entry"].split()[0] for hook in local["hooks"] if "make" not in hook["entry"]]
    assert programs
    for program in programs:
        assert Path(sys.executable).with_name(Path(program).name).exists()


GOOD = {"name": "one", "version": "1.0", "vulns": []}
BAD = {"name": "two", "version": "2.0", "vulns": [{"id": "CVE-1", "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "three", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "failure", "status", "status_if_required", "last"),
    [
        ([GOOD], "", 0, 0, "audit: 1 package, 0 known flaws"),
        ([GOOD, BAD], "", 1, 1, "audit: 2 packages, 1 known flaw"),
        ([GOOD, UNKNOWN], "", 0, 1, "audit: NOT DONE for three"),
        ([UNKNOWN], "", 0, 1, "(it answered for none of 1 package)"),
        ([], "ConnectionError", 0, 1, "cannot be reached (ConnectionError)"),
    ],
    ids=["clean", "vulnerable", "partly", "unknown", "unreachable"],
)
def test_an_audit_that_did_not_run_has_not_passed(
    packages: list[dict[str, Any]], failure: str, status: int, status_if_required: int, last: str
) -> None:
    verdict = audit().verdict
    lines, exit_status = verdict(packages, failure, required=False)
    assert lines[-1].endswith(last)
    assert exit_status == status
    assert verdict(packages, failure, required=True) == (lines, status_if_required)


def desk(folder: Path, changelog: str) -> Path:
    """A project at version 1.2.0 with this changelog; returns the script."""
    (folder / ".ci").mkdir()
    script = folder / ".ci" / "release-notes"
    script.write_bytes((ROOT / ".ci" / "release-notes").read_bytes())
    (folder / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1.2.0"\n[tool.x]\n')
    (folder / "CHANGELOG.md").write_text(changelog)
    return script


@pytest.mark.parametrize(
    ("tag", "heading", "said"),
    [
        ("v1.2.0", "## [1.2.0] - 2026-12-01", ""),
        ("v1.2.1", "## [1.2.0] - 2026-12-01", "The tag is v1.2.1"),
        ("1.2.0", "## [1.2.0] - 2026-12-01", "The tag is 1.2.0"),
        ("v1.2.0", "## [1.2.0] - unreleased", "no section"),
        ("v1.2.0", "## [1.2.1] - 2026-12-01", "no section"),
    ],
)
def test_only_the_version_that_the_changelog_dates_is_released(
    tmp_path: Path, tag: str, heading: str, said: str
) -> None:
    text = f"# Changelog\n\n{heading}\n\nNew.\n\n## [1.1.0] - 2026-01-01\n\nOld.\n"
    done = subprocess.run(
        ["/bin/sh", desk(tmp_path, text), tag], capture_output=True, text=True, check=False
    )
    assert said in done.stderr
    assert (done.returncode == 0) == (said == "")
    assert done.stdout.strip() == ("" if said else "New.")


def test_a_push_passes_the_digest_to_the_next_step(tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text(
        '#!/bin/sh\nwhile [ $# -gt 0 ]; do [ "$1" = --metadata-file ] && file=$2; shift; done\n'
        'echo \'{"containerimage.digest": "sha256:12"}\' > "$file"\n'
    )
    docker.chmod(0o755)
    (tmp_path / ".ci").mkdir()
    script = tmp_path / ".ci" / "push"
    script.write_bytes((ROOT / ".ci" / "push").read_bytes())
    done = subprocess.run(
        ["/bin/sh", script, "there:1"],
        env={
            "PATH": "/usr/bin:/bin",
            "DOCKER": str(docker),
            "GITHUB_OUTPUT": str(tmp_path / "out"),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == (tmp_path / "out").read_text() == "digest=sha256:12\n"
