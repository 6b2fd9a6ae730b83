"""`python -m local_sync.models`: build and test the dbt models on what `make sync` has written."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local_sync.options import OWN_FILE, SAMPLE_FILE, UsageError, check_database

PROJECT = Path(__file__).parents[1] / "dbt"
DBT = Path(__file__).parents[1] / ".venv-dbt" / "bin" / "dbt"


@dataclass(frozen=True)
class Target:
    """Where dbt finds the tables and makes the models.

    `place`: what the user calls it. `name`: the output in profiles.yml. `source_schema`: the schema
    of the tables. `schema`: how the schemas of the models begin. `environment`: variables for
    profiles.yml.
    """

    place: str
    name: str
    source_schema: str
    schema: str
    environment: Mapping[str, str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local_sync.models")
    parser.add_argument("--file", type=Path, help=f"default: {OWN_FILE}, else {SAMPLE_FILE}")
    parser.add_argument("--database", help="postgresql://user:password@host/db, instead of a file")
    given = parser.parse_args(arguments)
    if given.file and given.database:
        print("FILE and DATABASE exclude each other. Use one of them.", file=sys.stderr)
        return 2
    try:
        target = in_postgresql(given.database) if given.database else in_duckdb(given.file)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    return build(target, PROJECT / "target")


def in_duckdb(file: Path | None) -> Target:
    """The file that the user names, else the one with their account, else the sample.

    Raises UsageError.
    """
    candidates = [file] if file else [OWN_FILE, SAMPLE_FILE]
    for path in candidates:
        if path.is_file():
            return Target(str(path), "duckdb", "main", "asana", {"ASANA_DBT_FILE": str(path)})
    names = " or ".join(map(str, candidates))
    raise UsageError(f"There is no {names}. Run make sync first, or name a file with FILE=.")


def in_postgresql(url: str) -> Target:
    """A database with the tables of the user's account, else of the sample. Raises UsageError."""
    import psycopg  # noqa: PLC0415 - it needs libpq

    from local_sync.postgres import CONNECT_SECONDS, address  # noqa: PLC0415
    from local_sync.store import BOOKS  # noqa: PLC0415
    from local_sync.sync import OWN_SCHEMA, SAMPLE_SCHEMA  # noqa: PLC0415

    check_database(url)
    place = address(url)
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_SECONDS) as connection:
            found = connection.execute(
                "SELECT schemaname FROM pg_tables WHERE tablename = %s", [BOOKS]
            ).fetchall()
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[-1].strip().rstrip(".")
        raise UsageError(f"Cannot connect to {place}: {reason}. Check DATABASE.") from None
    schemas = {name for (name,) in found}
    for schema in (OWN_SCHEMA, SAMPLE_SCHEMA):
        if schema in schemas:
            # libpq, in dbt too, reads from these variables what the address says.
            parts = psycopg.pq.Conninfo.parse(url.encode())
            environment = {
                part.envvar.decode(): part.val.decode()
                for part in parts
                if part.envvar and part.val is not None
            }
            return Target(place, "postgres", schema, schema, environment)
    raise UsageError(f"{place} has no tables of make sync. Run make sync with this DATABASE first.")


def build(target: Target, folder: Path) -> int:
    """Build and test all models; return the exit status. dbt keeps its own files in `folder`."""
    status = run_dbt(target, folder, "build", airbyte_asana_schema=target.source_schema)
    if status == 0:
        results = json.loads((folder / "run_results.json").read_text(encoding="utf-8"))
        print(_summary(target, [result["unique_id"] for result in results["results"]]))
    return status


def run_dbt(target: Target, folder: Path, *command: str, **variables: str) -> int:
    """Run a command of dbt, which prints what fails; return the exit status."""
    done = subprocess.run(  # noqa: S603 - the dbt of .venv-dbt
        [
            DBT,
            *("--quiet", "--no-version-check", *command),
            *("--project-dir", PROJECT, "--profiles-dir", PROJECT),
            *("--target", target.name, "--target-path", folder, "--log-path", folder),
            *("--vars", json.dumps(variables)),
        ],
        env=os.environ | target.environment | {"ASANA_DBT_SCHEMA": target.schema},
        check=False,
    )
    return done.returncode


def _summary(target: Target, built: Sequence[str]) -> str:
    tests = sum(name.startswith("test.") for name in built)
    return (
        f"{len(built) - tests} models built, {tests} tests passed.\n"
        f"The models are in {target.place}, in the schemas {target.schema}_marts, "
        f"{target.schema}_staging and {target.schema}_fivetran.\n"
        "docs/sql.md has questions to ask."
    )


if __name__ == "__main__":
    sys.exit(main())
