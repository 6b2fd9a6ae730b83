"""metadata.yaml matches the package, the image and the changelog."""

import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest
import yaml

from source_asana.asana.client import ASANA_URL
from source_asana.streams.declared import STREAMS

ROOT = Path(__file__).parents[1]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def found(pattern: str, name: str) -> str:
    """The group of the only match of a pattern in a file."""
    (only,) = re.findall(pattern, text(name), re.MULTILINE)
    assert isinstance(only, str)
    return only


@pytest.fixture
def document() -> Any:
    return yaml.safe_load(text("metadata.yaml"))


@pytest.fixture
def metadata(document: Any) -> dict[str, Any]:
    told: dict[str, Any] = document["data"]
    return told


@pytest.fixture
def project() -> dict[str, Any]:
    told: dict[str, Any] = tomllib.loads(text("pyproject.toml"))["project"]
    return told


def test_airbytes_own_model_accepts_the_metadata(document: Any) -> None:
    models = pytest.importorskip(
        "airbyte_connector_models.metadata.v0.connector_metadata_definition_v0",
        reason="airbyte-connector-models is not for this Python (3.13)",
    )
    models.ConnectorMetadataDefinitionV0.model_validate(document)


def test_the_version_is_the_same_everywhere(
    metadata: dict[str, Any], project: dict[str, Any]
) -> None:
    newest = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", text("CHANGELOG.md"), re.MULTILINE)[0]
    label = found(r'io\.airbyte\.version="([^"]+)"', "Dockerfile")
    oci = found(r'opencontainers\.image\.version="([^"]+)"', "Dockerfile")
    assert {metadata["dockerImageTag"], newest, label, oci} == {project["version"]}


def test_the_image_uses_the_base_image_in_the_metadata(metadata: dict[str, Any]) -> None:
    base = metadata["connectorBuildOptions"]["baseImage"]
    assert re.fullmatch(
        r"docker\.io/airbyte/python-connector-base:[\d.]+@sha256:[0-9a-f]{64}", base
    )
    assert found(r"^ARG BASE_IMAGE=(\S+)$", "Dockerfile") == base


def test_image_and_package_have_the_names_in_the_metadata(
    metadata: dict[str, Any], project: dict[str, Any]
) -> None:
    assert found(r'io\.airbyte\.name="([^"]+)"', "Dockerfile") == metadata["dockerRepository"]
    assert metadata["remoteRegistries"]["pypi"]["packageName"] == project["name"]
    assert metadata["license"] == project["license"]


def test_airbyte_accepts_the_license(metadata: dict[str, Any]) -> None:
    assert metadata["license"] == "MIT"
    assert text("LICENSE").startswith("MIT License")


def test_language_and_cdk_are_named_once_each(metadata: dict[str, Any]) -> None:
    assert sorted(metadata["tags"]) == ["cdk:python", "language:python"]


def test_pyairbyte_can_install_the_package(metadata: dict[str, Any]) -> None:
    assert metadata["remoteRegistries"]["pypi"]["enabled"] is True


def test_the_test_suites_that_airbyte_would_run_exist(metadata: dict[str, Any]) -> None:
    suites = [suite["suite"] for suite in metadata["connectorTestSuitesOptions"]]
    assert suites == ["unitTests", "integrationTests", "acceptanceTests"]
    for place in ("unit_tests", "integration_tests", "acceptance-test-config.yml"):
        assert (ROOT / place).exists()


def test_the_metadata_names_only_streams_that_exist(metadata: dict[str, Any]) -> None:
    suggested = metadata["suggestedStreams"]["streams"]
    assert len(set(suggested)) == len(suggested)
    assert STREAMS.keys() >= {*suggested, *impacted(metadata)}


def newest_change(metadata: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The newest breaking change, and its version."""
    changes = metadata["releases"]["breakingChanges"]
    version = max(changes, key=numbered)
    return version, changes[version]


def numbered(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def impacted(metadata: dict[str, Any]) -> set[str]:
    """The streams that the newest breaking change is about."""
    _, change = newest_change(metadata)
    return {name for scope in change["scopedImpact"] for name in scope["impactedScopes"]}


def test_the_platform_and_the_changelog_say_the_same_about_an_upgrade(
    metadata: dict[str, Any],
) -> None:
    _, change = newest_change(metadata)
    message = change["message"]
    assert "You are affected if" in message
    upgrading = text("CHANGELOG.md").split("### Upgrading")[1].split("\n## ")[0]
    for stream in impacted(metadata):
        assert f"`{stream}`" in message
        assert f"`{stream}`" in upgrading


def test_the_major_version_is_a_breaking_change(metadata: dict[str, Any]) -> None:
    version, _ = newest_change(metadata)
    assert numbered(version) == [numbered(metadata["dockerImageTag"])[0], 0, 0]


def test_only_a_release_candidate_rolls_out_progressively(metadata: dict[str, Any]) -> None:
    rollout = metadata["releases"]["rolloutConfiguration"]
    assert rollout["enableProgressiveRollout"] is ("-rc." in metadata["dockerImageTag"])


def test_no_suggested_stream_costs_a_request_for_each_task(
    metadata: dict[str, Any],
) -> None:
    below_tasks = ("stories", "attachments")
    suggested = metadata["suggestedStreams"]["streams"]
    assert [name for name in suggested if name.startswith(below_tasks)] == []


def test_each_breaking_change_describes_how_to_migrate(metadata: dict[str, Any]) -> None:
    guide = metadata["releases"]["migrationDocumentationUrl"]
    assert guide == f"{metadata['documentationUrl']}-migrations"
    for version, change in metadata["releases"]["breakingChanges"].items():
        anchor = f"#upgrading-to-{version.replace('.', '')}"
        assert change["migrationDocumentationUrl"] == guide + anchor


def test_the_platform_allows_the_connector_to_reach_only_asana_and_its_files(
    metadata: dict[str, Any],
) -> None:
    storage = {"*.amazonaws.com", "*.asanausercontent.com", "asanausercontent.com"}
    assert set(metadata["allowedHosts"]["hosts"]) == {urlsplit(ASANA_URL).hostname} | storage


def test_the_metadata_says_whether_a_stream_has_files(metadata: dict[str, Any]) -> None:
    assert metadata["supportsFileTransfer"] is any(stream.files for stream in STREAMS.values())


def test_the_icon_is_square_and_small(metadata: dict[str, Any]) -> None:
    icon = ROOT / metadata["icon"]
    assert icon.name == "icon.svg"
    drawing = ET.fromstring(icon.read_text(encoding="utf-8"))  # noqa: S314 - our own
    left, top, width, height = drawing.attrib["viewBox"].split()
    assert (left, top, width) == ("0", "0", height)
    assert drawing.attrib["width"] == drawing.attrib["height"]
    assert icon.stat().st_size < 2048
