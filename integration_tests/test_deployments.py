"""The recipes of docs/deployments.md."""

import ast
import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.reading import PROGRAM_SECONDS, SERVICE, run
from source_asana.config import parse_config

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "deployments.md").read_text(encoding="utf-8")
METADATA = yaml.safe_load((ROOT / "metadata.yaml").read_bytes())["data"]
MODES = {
    "full_refresh_overwrite": "full_refresh",
    "full_refresh_append": "full_refresh",
    "incremental_append": "incremental",
    "incremental_deduped_history": "incremental",
}


def block(heading: str, language: str, number: int = 0) -> str:
    """A block of code below a heading of the page."""
    text = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return found[number]


def assert_is_a_config(config: Any) -> None:
    said = run("spec", "http://127.0.0.1:9")
    schema = said.of_type("SPEC")[0]["spec"]["connectionSpecification"]
    jsonschema.validate(config, schema)
    assert config.keys() <= schema["properties"].keys()
    parse_config(config)


def test_the_script_for_cron_runs_in_any_shell(tmp_path: Path) -> None:
    script = tmp_path / "sync.sh"
    script.write_text(block("Cron and Docker", "sh"), encoding="utf-8")
    subprocess.run(["/bin/sh", "-n", script], check=True)


@pytest.mark.pyairbyte
@pytest.mark.skipif(find_spec("airbyte") is None, reason="PyAirbyte is not installed")
def test_the_function_for_notebooks_loads_tables(sample: AsanaEmulator, tmp_path: Path) -> None:
    code = block("PyAirbyte, in a notebook or a script", "python")
    (tmp_path / "asana_sync.py").write_text(code, encoding="utf-8")
    around = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    told = {
        "ASANA_TOKEN": sample.tokens.pat(SERVICE),
        "ASANA_BASE_URL": sample.url,
        "AIRBYTE_LOGGING_ROOT": str(tmp_path),
        "AIRBYTE_OFFLINE_MODE": "1",
        "NO_LIVE_PROGRESS": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    program = "from asana_sync import sync_asana; print('records:', sync_asana(streams=['users']))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=around | told,
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    users = list(sample.expected("users", SERVICE))
    assert f"records: {len(users)}" in done.stdout
    assert (tmp_path / "asana.duckdb").exists()


@pytest.mark.parametrize("heading", ["Airflow", "Dagster"])
def test_an_orchestrator_calls_the_function_for_notebooks(heading: str) -> None:
    function = ast.parse(block("PyAirbyte, in a notebook or a script", "python")).body[-1]
    assert isinstance(function, ast.FunctionDef)
    tree = ast.parse(block(heading, "python"))
    (imported,) = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "asana_sync"
    ]
    assert [alias.name for alias in imported.names] == [function.name]
    (call,) = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == function.name
    ]
    assert len(call.args) == 1
    assert function.args.args[0].arg == "file"


def test_the_api_source_is_the_connector_with_a_valid_config() -> None:
    source = json.loads(block("Airbyte by API", "json"))
    assert source["definitionId"] == METADATA["definitionId"]
    assert_is_a_config(source["configuration"])


def test_the_api_connection_selects_supported_sync_modes() -> None:
    connection = json.loads(block("Airbyte by API", "json", 1))
    config = {"credentials": {"option_title": "PAT Credentials", "personal_access_token": "2/1:a"}}
    (catalog,) = run("discover", "http://127.0.0.1:9", config).of_type("CATALOG")
    modes = {each["name"]: each["supported_sync_modes"] for each in catalog["catalog"]["streams"]}
    for stream in connection["configurations"]["streams"]:
        assert MODES[stream["syncMode"]] in modes[stream["name"]]


def test_the_terraform_source_is_the_connector_with_a_valid_config() -> None:
    module = json.loads(block("Airbyte by Terraform", "json"))
    source = module["resource"]["airbyte_source"]["asana"]
    assert source["definition_id"] == METADATA["definitionId"]
    assert source["configuration"] == "${jsonencode(local.asana)}"
    assert_is_a_config(module["locals"]["asana"])
    named = set(re.findall(r"\$\{var\.(\w+)\}", json.dumps(module)))
    assert named == module["variable"].keys()


def test_the_images_have_the_current_version() -> None:
    named = set(re.findall(rf"{METADATA['dockerRepository']}:([\d.]+)", PAGE))
    assert named == {METADATA["dockerImageTag"]}
