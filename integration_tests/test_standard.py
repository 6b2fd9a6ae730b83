"""Airbyte's standard tests of a source, on the emulated account instead of a real one."""

import json
import re
import shutil
import tempfile
from pathlib import Path

import orjson
import pytest
from airbyte_cdk.test.models import ConnectorTestScenario
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase, pytest_hooks
from airbyte_cdk.test.standard_tests.docker_base import DockerConnectorTestSuite
from jsonschema import Draft7Validator

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.reading import Json, config_for, run
from integration_tests.test_incremental import DATED, INCREMENTAL, Connection, rows, top_task
from source_asana import SourceAsana
from source_asana.streams.declared import STREAMS

ROOT = Path(__file__).parents[1]
CATALOGS = Path(__file__).parent / "configured_catalogs"

# Only for this module: as a plugin it would add scenarios to every class with such a fixture.
pytest_generate_tests = pytest_hooks.pytest_generate_tests


def exports(asana: AsanaEmulator) -> list[str]:
    return list(asana.account.organization_exports)


class TestAirbytesStandardTests(SourceTestSuiteBase):
    """The tests of `airbyte-cdk connector test`, as acceptance-test-config.yml defines them."""

    connector = SourceAsana
    folder = ROOT

    @classmethod
    def get_connector_root_dir(cls) -> Path:
        return cls.folder

    @classmethod
    def get_scenarios(cls) -> list[ConnectorTestScenario]:
        """Include the streams that a real account may lack: the emulated one has them all."""
        return [
            each.model_copy(
                update={
                    "empty_streams": [s for s in each.empty_streams or [] if s.name == "events"]
                }
            )
            for each in super().get_scenarios()
        ]

    @pytest.fixture(autouse=True)
    def in_a_folder_with_secrets(
        self, sample: AsanaEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The secrets that the scenarios name, where there are no real ones."""
        folder = tmp_path / "source-asana"
        secrets = folder / "secrets"
        secrets.mkdir(parents=True)
        for example in (ROOT / "secrets").glob("sample_*.json"):
            shutil.copy(example, secrets)
        (secrets / "config.json").write_bytes(
            orjson.dumps(config_for(sample, organization_export_ids=exports(sample)))
        )
        (folder / "integration_tests").symlink_to(ROOT / "integration_tests")
        monkeypatch.setattr(type(self), "folder", folder)
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where they write their files
        monkeypatch.setenv("ASANA_BASE_URL", sample.url)


for name in vars(DockerConnectorTestSuite):
    if name.startswith("test_docker_"):  # test_image.py has them
        setattr(TestAirbytesStandardTests, name, None)


def configured(name: str) -> Json:
    catalog: Json = json.loads((CATALOGS / f"{name}.json").read_bytes())
    return catalog


@pytest.fixture(scope="module")
def discovered(untouched: AsanaEmulator) -> Json:
    (message,) = run("discover", untouched, config_for(untouched)).of_type("CATALOG")
    catalog: Json = message["catalog"]
    return catalog


@pytest.mark.parametrize("name", ["full_refresh", "incremental"])
def test_the_catalogs_have_every_discovered_stream(
    discovered: Json, name: str, pytestconfig: pytest.Config
) -> None:
    """`pytest --update-golden` writes them."""
    expected = []
    for stream in discovered["streams"]:
        modes = stream["supported_sync_modes"]
        plain = {"name": stream["name"], "json_schema": {}, "supported_sync_modes": modes}
        if name in modes and name == "incremental":
            how = {
                "sync_mode": "incremental",
                "cursor_field": stream["default_cursor_field"],
                "destination_sync_mode": "append_dedup",
                "primary_key": stream["source_defined_primary_key"],
            }
        else:
            how = {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
        expected.append({"stream": plain, **how})
    if pytestconfig.getoption("--update-golden"):
        text = json.dumps({"streams": expected}, indent=2)
        lists_of_names = re.compile(r"\[[^{}]*?\](?=,?\n *[\"}])")
        text = lists_of_names.sub(lambda found: json.dumps(json.loads(found[0])), text)
        (CATALOGS / f"{name}.json").write_text(text + "\n")
    assert configured(name)["streams"] == expected


def test_the_second_sync_of_everything_brings_only_touched_records(
    asana: AsanaEmulator, discovered: Json
) -> None:
    connection = Connection(asana, organization_export_ids=exports(asana))
    catalog = configured("incremental")
    first = connection.sync(catalog=catalog)
    assert {name for name in STREAMS if not rows(first, name)} == {"events"}

    changed = top_task(asana)
    asana.change(lambda account: account.modify_task(changed, name="Polish the lens twice"))
    comment = asana.change(lambda account: account.comment(changed, "Shines"))
    second = connection.sync(catalog=catalog)
    assert rows(second, "tasks") == [changed]
    assert comment in rows(second, "stories")
    assert second.records()["events"]
    for name in STREAMS.keys() - {*INCREMENTAL, *DATED}:
        assert rows(second, name) == rows(first, name)

    schemas = {stream["name"]: stream["json_schema"] for stream in discovered["streams"]}
    for said in (first, second):
        assert said.exit_status == 0
        for name, records in said.records().items():
            validator = Draft7Validator(schemas[name])
            assert [error.message for r in records for error in validator.iter_errors(r)] == []
