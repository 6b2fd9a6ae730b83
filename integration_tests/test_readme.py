"""Checks the statements in the pages for users and contributors."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.reading import PROGRAM_SECONDS, Said, catalog_of, config_for, run
from integration_tests.truth_of import fewest_requests, truth
from source_asana.asana.auth import OAuth, PersonalAccessToken
from source_asana.asana.governor import PLANS_PER_MINUTE, QUOTA_FACTOR
from source_asana.config import parse_config
from source_asana.streams.declared import STREAMS

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/airbyte_qa.md",
        "CODE_OF_CONDUCT.md",
        "SECURITY.md",
        "docs/architecture.md",
        "docs/asana.md",
        "docs/assumptions.md",
        "docs/decisions.md",
        "docs/deployments.md",
        "docs/emulator.md",
        "docs/incremental.md",
        "docs/migrating.md",
        "docs/operations.md",
        "docs/reference.md",
        "docs/sql.md",
        "secrets/README.md",
    )
}
README = PAGES["README.md"]
GUIDE = PAGES["docs/asana.md"]
OPERATIONS = PAGES["docs/operations.md"]
PROJECT: Mapping[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SPEC: Mapping[str, Any] = yaml.safe_load((ROOT / "source_asana" / "spec.yaml").read_bytes())
FORM: Mapping[str, Any] = SPEC["connectionSpecification"]
KINDS: list[Mapping[str, Any]] = FORM["properties"]["credentials"]["oneOf"]


def table_with(heading: str, page: str = README) -> list[list[str]]:
    """The rows below a page's first table heading that begins with these words."""
    _, found, rest = page.partition(f"\n| {heading} |")
    assert found, heading
    rows = []
    for line in rest.splitlines()[2:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def blocks(page: str) -> list[tuple[str, str]]:
    """The blocks of code between fences, each with its language."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def written_in(language: str, page: str = README) -> list[str]:
    return [text for named, text in blocks(page) if named == language]


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as GitHub and Airbyte's site make them."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def code(page: str) -> Iterator[str]:
    """All code in a page: blocks, and inline code."""
    yield from re.findall(r"`([^`\n]+)`", page)
    yield from re.findall(r"^ {4}(.*)$", page, re.MULTILINE)
    yield from (text for _, text in blocks(page))


@pytest.mark.parametrize("name", ["README.md", "docs/asana.md"])
def test_the_configuration_table_matches_the_form(name: str) -> None:
    fields = FORM["properties"]
    page = PAGES[name]
    heading = "key" if page is README else "field"
    rows = {row[-3].strip("`"): (row[-2], row[-1]) for row in table_with(heading, page)}
    assert list(rows) == sorted(fields, key=lambda field: fields[field]["order"])
    for field, (default, meaning) in rows.items():
        form = fields[field]
        unset = "required" if field in FORM["required"] else "none"
        assert default == str(form.get("default", unset)).lower(), field
        if "minimum" in form:
            assert f"{form['minimum']} to {form['maximum']}" in meaning


def test_the_guide_has_the_titles_of_the_form() -> None:
    fields = FORM["properties"]
    titles = {row[1].strip("`"): row[0] for row in table_with("field", GUIDE)}
    assert titles == {name: field["title"] for name, field in fields.items()}
    assert all(f"**{kind['title']}**" in GUIDE.replace("\n   ", " ") for kind in KINDS)


@pytest.mark.parametrize("page", [README, GUIDE], ids=["README.md", "docs/asana.md"])
def test_there_is_an_example_of_either_kind_of_credentials(page: str) -> None:
    examples = [parse_config(json.loads(text)) for text in written_in("json", page)]
    assert {type(config.credentials) for config in examples} == {PersonalAccessToken, OAuth}


@pytest.mark.parametrize(
    ("name", "kind"), [("sample_pat.json", PersonalAccessToken), ("sample_oauth.json", OAuth)]
)
def test_a_sample_config_is_valid_once_its_gaps_are_filled(name: str, kind: type) -> None:
    sample = (ROOT / "secrets" / name).read_text("utf-8")
    filled = json.loads(re.sub(r"<[^>]+>", "2/12/34:abc", sample))
    assert isinstance(parse_config(filled).credentials, kind)
    assert list(filled) == FORM["required"]
    assert f"`{name}`" in PAGES["secrets/README.md"]


def test_every_make_task_that_a_page_names_exists_and_has_a_help_text() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    helped = set(re.findall(r"^([a-z-]+):.*## \w", makefile, re.MULTILINE))
    shown = "\n".join(text for page in PAGES.values() for text in code(page))
    named = set(re.findall(r"^(?:\w+=\S+ )?make ([a-z]+(?:-[a-z]+)*)", shown, re.MULTILINE))
    assert named == helped - {"help"}


def test_every_file_that_a_page_links_to_exists() -> None:
    links = [
        (page, target)
        for page, text in PAGES.items()
        for target in re.findall(r"\]\((?!https?:|/platform/)([^)#]+)", text)
    ]
    assert links
    assert [link for link in links if not (ROOT / link[0]).parent.joinpath(link[1]).exists()] == []


def test_every_link_to_a_heading_finds_it() -> None:
    links = [
        (page, target, anchor)
        for page, text in PAGES.items()
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", text)
    ]
    assert links
    for page, target, anchor in links:
        there = ROOT.joinpath(page).parent.joinpath(target) if target else ROOT / page
        assert anchor in anchors(there.read_text("utf-8")), (page, target, anchor)


def test_no_page_has_a_local_path() -> None:
    for page, text in PAGES.items():
        assert not re.search(r"(?<![\w.:/~-])/(?:home|root|tmp|work|Users)/", text), page


def test_the_version_is_the_newest_of_the_changelog() -> None:
    versions = re.findall(r"^## \[(\d.*?)\]", PAGES["CHANGELOG.md"], re.MULTILINE)
    assert versions[0] == PROJECT["version"]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_the_pages_name_the_pythons_of_the_classifiers(name: str) -> None:
    classifiers = "\n".join(PROJECT["classifiers"])
    supported = re.findall(r"Python :: (3\.\d+)", classifiers)
    named = re.findall(r"Python ((?:3\.\d+, )*3\.\d+ or 3\.\d+)", PAGES[name])
    assert named == [f"{', '.join(supported[:-1])} or {supported[-1]}"]


@pytest.fixture
def desk(sample: AsanaEmulator, tmp_path: Path) -> Path:
    """A folder in which a user has put a token for the sample account into the config."""
    for name in (".ci", "Makefile", "integration_tests", "local_sync", "source_asana"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    shutil.copy(ROOT / "secrets" / "sample_catalog.json", secrets)
    (secrets / "config.json").write_text(json.dumps(config_for(sample)))
    return tmp_path


def at_desk(command: str, desk: Path, asana: AsanaEmulator) -> str:
    """The output of a line of the README. The environment already exists, so make skips it."""
    done = subprocess.run(
        ["/bin/sh", "-c", re.sub(r"^make ", "make -o environment ", command)],
        cwd=desk,
        env=os.environ | {"ASANA_BASE_URL": asana.url, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def messages_at_desk(command: str, desk: Path, asana: AsanaEmulator) -> Said:
    """The messages that a line of the README prints."""
    return Said(at_desk(command, desk, asana).splitlines(), 0)


def test_the_commands_work_as_written(sample: AsanaEmulator, desk: Path) -> None:
    (shown,) = written_in("sh")
    spec, check, discover, read, by_name = [
        messages_at_desk(line, desk, sample) for line in shown.splitlines()
    ]
    assert spec.of_type("SPEC")[0]["spec"]["connectionSpecification"] == FORM
    assert check.connection_status()["status"] == "SUCCEEDED"
    (catalog,) = discover.of_type("CATALOG")
    assert [stream["name"] for stream in catalog["catalog"]["streams"]] == list(STREAMS)
    assert "the sample selects projects, tasks and users" in README
    assert set(read.records()) == {"projects", "tasks", "users"}
    for stream, records in read.records().items():
        expected = sorted(record["gid"] for record in truth(sample, stream))
        assert sorted(record["gid"] for record in records) == expected
    assert set(by_name.records()) == {"tasks", "users"}
    assert (desk / "secrets" / "state.json").exists()


def synced(page: str) -> list[str]:
    """The lines of a page that show how to sync, without their comments."""
    return [
        line.partition("#")[0].strip()
        for line in re.findall(r"^ {4}(make sync.*)$", page, re.MULTILINE)
    ]


@pytest.mark.parametrize("command", [c for c in synced(README) if "DATABASE" not in c])
def test_make_sync_works_as_written(sample: AsanaEmulator, desk: Path, command: str) -> None:
    shown = at_desk(command, desk, sample)
    streams = 2 if "STREAMS=" in command else len(STREAMS)
    assert f"{streams} of {streams} streams complete." in shown
    file = "asana.duckdb" if "CONFIG=" in command else "asana_sample.duckdb"
    assert (desk / file).exists()


def test_make_sync_into_a_database_works_as_written(
    sample: AsanaEmulator, desk: Path, database: str
) -> None:
    (command,) = [command for command in synced(README) if "DATABASE" in command]
    command = command.replace("postgresql://user:password@host/db", database)
    assert f"{len(STREAMS)} of {len(STREAMS)} streams complete." in at_desk(command, desk, sample)


def test_the_command_for_the_emulated_account_works_as_written(desk: Path) -> None:
    (command,) = re.findall(
        r"^ {4}(\.venv/bin/python -m integration_tests.*)$", README, re.MULTILINE
    )
    program = shlex.split(command)
    with subprocess.Popen(program, cwd=desk, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout
        assert "http://127.0.0.1" in started.stdout.readline()
        started.terminate()


def test_every_option_of_make_sync_is_in_the_readme() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    recipe = makefile.partition("\nsync:")[2].partition("\n\n")[0]
    options = [row[0].strip("`").partition("=")[0] for row in table_with("option")]
    assert options == list(dict.fromkeys(re.findall(r"\$\(if \$\((\w+)\)", recipe)))


def test_the_page_shows_the_summary_of_the_sample_account(sample: AsanaEmulator) -> None:
    (shown,) = written_in("")
    said = run("read", sample, config_for(sample), catalog_of(["tasks"]))
    assert without_time(shown.splitlines()) <= without_time(said.logs("INFO"))


def without_time(lines: list[str]) -> set[str]:
    return {re.sub(r", [\d.]+ s$", "", line) for line in lines}


def counted(row: list[str]) -> tuple[int, int]:
    """The requests of a sync in the operations table: by its formula, and as counted."""
    formula, requests = (int(cell.replace(",", "")) for cell in row[-2:])
    return formula, requests


def test_the_formula_of_the_operations_page_is_within_1_percent_of_the_requests() -> None:
    rows = table_with("account", OPERATIONS)
    for row in rows:
        formula, requests = counted(row)
        assert abs(formula - requests) <= 0.01 * requests, row


@pytest.mark.parametrize("account", ["sample", "small"])
def test_the_operations_page_has_the_requests_of_the_emulated_accounts(
    account: str, request: pytest.FixtureRequest
) -> None:
    asana: AsanaEmulator = request.getfixturevalue(account)
    (row,) = [
        row
        for row in table_with("account", OPERATIONS)
        if row[0] == account and row[4] == "full refresh, all streams"
    ]
    tasks = {t["gid"]: t for name in ("tasks", "subtasks") for t in truth(asana, name)}
    above = [task for task in tasks.values() if task["num_subtasks"]]
    known = [len(tasks), len(above), len(truth(asana, "projects"))]
    assert [int(cell.replace(",", "")) for cell in row[1:4]] == known
    assert counted(row)[1] == sum(fewest_requests(asana, STREAMS).values())


def test_the_minutes_on_the_operations_page_follow_the_formula() -> None:
    paid, free = (int(n.replace(",", "")) for n in re.findall(r"requests / ([\d,]+)", OPERATIONS))
    assert (paid, free) == tuple(int(QUOTA_FACTOR * plan) for plan in reversed(PLANS_PER_MINUTE))
    for tasks, projects, requests, *durations in table_with("tasks and subtasks", OPERATIONS):
        t, p = (int(cell.replace(",", "")) for cell in (tasks, projects))
        asked = 2 * t + 0.07 * t + 3 * p + t / 100
        assert f"{asked:,.0f} requests" == requests
        for duration, per_minute in zip(durations, (paid, free), strict=True):
            number, unit = duration.split()
            minutes = float(number) * {"minutes": 1, "hours": 60, "days": 1440}[unit]
            assert minutes == pytest.approx(asked / per_minute, rel=0.06)
