"""What the pages for users and contributors say is so."""

import json
import os
import re
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
from integration_tests.reading import Said, catalog_of, config_for, run
from integration_tests.truth_of import truth
from source_asana.config import OAuth, PersonalAccessToken, parse_config
from source_asana.streams import STREAMS, StreamClass

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/decisions.md",
        "secrets/README.md",
    )
}
README = PAGES["README.md"]
PROJECT: Mapping[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SPEC: Mapping[str, Any] = yaml.safe_load((ROOT / "source_asana" / "spec.yaml").read_bytes())
FORM: Mapping[str, Any] = SPEC["connectionSpecification"]


def table_with(heading: str) -> list[list[str]]:
    """The rows below the README's table heading that begins so."""
    _, found, rest = README.partition(f"\n| {heading} |")
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


def written_in(language: str) -> list[str]:
    return [text for named, text in blocks(README) if named == language]


def code(page: str) -> Iterator[str]:
    """What a page shows in the letters of code: blocks, and pieces of a sentence."""
    yield from re.findall(r"`([^`\n]+)`", page)
    yield from re.findall(r"^ {4}(.*)$", page, re.MULTILINE)
    yield from (text for _, text in blocks(page))


def parents(stream: StreamClass) -> list[str]:
    above = [parent.stream_name() for parent in stream.parents]
    return [*above, stream.stream_name()] if stream.nested else above


def test_the_stream_table_is_what_discover_shows() -> None:
    rows = table_with("stream")
    assert [row[0] for row in rows] == list(STREAMS)
    for name, _, above, key, cursor, _ in rows:
        stream = STREAMS[name]
        assert key == ", ".join(stream.key), name
        assert cursor == (stream.cursor_field or ""), name
        assert re.sub(r" \(.*\)", "", above) == ", ".join(parents(stream)), name
        assert ("(" in above) == (stream.below is not None and not stream.nested), name


def test_the_configuration_table_is_the_form() -> None:
    fields = FORM["properties"]
    rows = {key: (default, meaning) for key, default, meaning in table_with("key")}
    assert list(rows) == sorted(fields, key=lambda name: fields[name]["order"])
    for name, (default, meaning) in rows.items():
        field = fields[name]
        unset = "required" if name in FORM["required"] else "none"
        assert default == str(field.get("default", unset)).lower(), name
        if "minimum" in field:
            assert f"{field['minimum']} to {field['maximum']}" in meaning


def test_there_is_an_example_of_either_kind_of_credentials() -> None:
    examples = [parse_config(json.loads(text)) for text in written_in("json")]
    assert {type(config.credentials) for config in examples} == {PersonalAccessToken, OAuth}


@pytest.mark.parametrize(
    ("name", "kind"), [("sample_pat.json", PersonalAccessToken), ("sample_oauth.json", OAuth)]
)
def test_a_sample_config_needs_nothing_but_its_gaps_filled(name: str, kind: type) -> None:
    sample = (ROOT / "secrets" / name).read_text("utf-8")
    filled = json.loads(re.sub(r"<[^>]+>", "2/12/34:abc", sample))
    assert isinstance(parse_config(filled).credentials, kind)
    assert list(filled) == FORM["required"]
    assert f"`{name}`" in PAGES["secrets/README.md"]


def test_every_make_task_that_a_page_names_exists_and_has_a_help_text() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    helped = set(re.findall(r"^([a-z]+):.*## \w", makefile, re.MULTILINE))
    shown = "\n".join(text for page in PAGES.values() for text in code(page))
    named = set(re.findall(r"\bmake ([a-z]+)", shown))
    assert named == helped - {"help"}


def test_every_file_that_a_page_links_to_exists() -> None:
    links = [
        (page, target)
        for page, text in PAGES.items()
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text)
    ]
    assert links
    assert [link for link in links if not (ROOT / link[0]).parent.joinpath(link[1]).exists()] == []


def test_the_version_is_the_newest_of_the_changelog() -> None:
    versions = re.findall(r"^## \[(\d.*?)\]", PAGES["CHANGELOG.md"], re.MULTILINE)
    assert versions[0] == PROJECT["version"]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_the_pythons_that_a_page_names_are_those_of_the_classifiers(name: str) -> None:
    classifiers = "\n".join(PROJECT["classifiers"])
    supported = re.findall(r"Python :: (3\.\d+)", classifiers)
    named = re.findall(r"Python ((?:3\.\d+, )*3\.\d+ or 3\.\d+)", PAGES[name])
    assert named == [f"{', '.join(supported[:-1])} or {supported[-1]}"]


@pytest.fixture
def desk(sample: AsanaEmulator, tmp_path: Path) -> Path:
    """A folder in which somebody has put a token for the sample account into the config."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    shutil.copy(ROOT / "secrets" / "sample_catalog.json", secrets)
    (secrets / "config.json").write_text(json.dumps(config_for(sample)))
    return tmp_path


def at_desk(command: str, desk: Path, asana: AsanaEmulator) -> Said:
    """What a line of the README prints where the connector is installed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=desk,
        env=os.environ | {"PATH": path, "ASANA_BASE_URL": asana.url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    return Said(done.stdout.splitlines(), done.returncode)


def test_the_commands_work_as_they_stand(sample: AsanaEmulator, desk: Path) -> None:
    (shown,) = written_in("sh")
    spec, check, discover, read = [at_desk(line, desk, sample) for line in shown.splitlines()]
    assert spec.of_type("SPEC")[0]["spec"]["connectionSpecification"] == FORM
    assert check.connection_status()["status"] == "SUCCEEDED"
    (catalog,) = discover.of_type("CATALOG")
    assert [stream["name"] for stream in catalog["catalog"]["streams"]] == list(STREAMS)
    assert "the sample selects projects, tasks and users" in README
    assert set(read.records()) == {"projects", "tasks", "users"}
    for stream, records in read.records().items():
        expected = sorted(record["gid"] for record in truth(sample, stream))
        assert sorted(record["gid"] for record in records) == expected


def test_the_summary_that_is_shown_is_that_of_the_sample_account(sample: AsanaEmulator) -> None:
    (shown,) = written_in("")
    said = run("read", sample, config_for(sample), catalog_of(["tasks"]))
    assert without_time(shown.splitlines()) <= without_time(said.logs("INFO"))


def without_time(lines: list[str]) -> set[str]:
    return {re.sub(r", [\d.]+ s$", "", line) for line in lines}
