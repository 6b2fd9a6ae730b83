"""The messages of `make dbt` when there are no tables for the models."""

from pathlib import Path

import pytest

from local_sync.models import main

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [],
            (
                "There is no asana.duckdb or asana_sample.duckdb. "
                "Run make sync first, or name a file with FILE=.\n"
            ),
        ),
        (
            ["--file", "other.duckdb"],
            "There is no other.duckdb. Run make sync first, or name a file with FILE=.\n",
        ),
        (
            ["--file", "other.duckdb", "--database", "postgresql://host/db"],
            "FILE and DATABASE exclude each other. Use one of them.\n",
        ),
        (
            ["--database", "mysql://host/db"],
            (
                "DATABASE is not a PostgreSQL address. "
                "Write postgresql://user:password@host/db (special characters as %40, %2F, ...).\n"
            ),
        ),
    ],
)
def test_an_unusable_place_is_reported_in_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err == message


def test_the_error_names_a_missing_database_without_its_password(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--database", "postgresql://somebody:hidden@127.0.0.1:9/nowhere"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("Cannot connect to nowhere on 127.0.0.1:9: ")
    assert said.endswith(". Check DATABASE.\n")
    assert "hidden" not in said


def test_a_database_without_tables_says_what_to_do(
    capsys: pytest.CaptureFixture[str], database: str
) -> None:
    assert main(["--database", database]) == 2
    assert "has no tables of make sync. Run make sync with this DATABASE first." in (
        capsys.readouterr().err
    )
