"""The dbt models for other warehouses: compiled by their adapters, without a connection."""

import subprocess
from pathlib import Path

import pytest
import sqlglot
import yaml
from sqlglot import exp

from local_sync.models import PROJECT

pytestmark = [pytest.mark.dbt, pytest.mark.once]

DBT = Path(__file__).parents[1] / ".venv-dbt-warehouses" / "bin" / "dbt"

PROFILES = {
    "snowflake": {"account": "none", "user": "none", "password": "none", "database": "lake"},
    "bigquery": {"method": "oauth-secrets", "token": "none", "project": "lake"},
    "databricks": {"host": "none", "http_path": "none", "token": "none", "catalog": "lake"},
}


@pytest.fixture(scope="module", params=PROFILES)
def compiled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """A warehouse, and the folder with the SQL of the models and their tests."""
    warehouse: str = request.param
    folder = tmp_path_factory.mktemp(warehouse)
    output = {"type": warehouse, "schema": "asana", "threads": 1, **PROFILES[warehouse]}
    profile = {"airbyte_asana": {"target": "only", "outputs": {"only": output}}}
    (folder / "profiles.yml").write_text(yaml.safe_dump(profile))
    subprocess.run(
        [
            *(DBT, "--quiet", "--no-version-check", "compile"),
            *("--no-introspect", "--no-populate-cache"),
            *("--project-dir", PROJECT, "--profiles-dir", folder),
            *("--target-path", folder / "target", "--log-path", folder),
        ],
        check=True,
    )
    return warehouse, folder / "target" / "compiled" / "airbyte_asana"


def test_every_model_is_a_valid_query_for_the_warehouse(
    compiled: tuple[str, Path],
) -> None:
    warehouse, folder = compiled
    models = {path.stem for path in (PROJECT / "models").rglob("*.sql")}
    found = [path for path in folder.rglob("*.sql") if path.stem in models]
    assert len(found) == len(models)
    for path in folder.rglob("*.sql"):
        (query,) = sqlglot.parse(path.read_text(), dialect=warehouse)
        assert isinstance(query, exp.Query), path


@pytest.mark.parametrize("compiled", ["snowflake", "bigquery", "databricks"], indirect=True)
def test_no_model_has_the_json_functions_of_another_warehouse(compiled: tuple[str, Path]) -> None:
    warehouse, folder = compiled
    own = {
        "snowflake": {"get_path", "flatten", "to_variant"},
        "bigquery": {"json_value", "json_query_array"},
        "databricks": {"get_json_object", "from_json"},
    }
    text = "\n".join(path.read_text() for path in folder.rglob("*.sql"))
    assert all(f"{name}(" in text for name in own[warehouse])
    others = set().union(*(names for of, names in own.items() if of != warehouse))
    assert not [name for name in others if f"{name}(" in text]
    assert "->>" not in text
