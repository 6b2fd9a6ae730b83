"""Reads an Asana account into a DuckDB file: your own, or an emulated sample."""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from airbyte.exceptions import PyAirbyteError

from local_sync import report
from local_sync.reading import Reading, read_account
from local_sync.sample import Sample, sample_account


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 says that everything selected is in the file."""
    options = parse(arguments)
    try:
        if options.config:
            return sync_own(options.config, options.streams, options.file or Path("asana.duckdb"))
        return sync_sample(options.streams, options.file or Path("asana_sample.duckdb"))
    except (PyAirbyteError, OSError, json.JSONDecodeError) as error:
        print(f"\nThe sync failed: {reason(error)}", file=sys.stderr)
        return 1


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local_sync", description=__doc__)
    parser.add_argument("--config", type=Path, help="your configuration: see secrets/README.md")
    parser.add_argument("--streams", type=names, default=[], help="comma-separated; default: all")
    parser.add_argument("--file", type=Path, help="the DuckDB file to write")
    return parser.parse_args(arguments)


def names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def reason(error: Exception) -> str:
    """The connector's or PyAirbyte's own words; never the configuration that was refused."""
    if not isinstance(error, PyAirbyteError):
        return str(error)
    context = error.context or {}
    return str(context.get("failure_reason") or error.guidance or error.get_message())


def sync_own(config_file: Path, streams: Sequence[str], file: Path) -> int:
    config: Mapping[str, Any] = json.loads(config_file.read_text())
    reading = read_account(config, streams, file)
    show(reading, file)
    return 0


def sync_sample(streams: Sequence[str], file: Path) -> int:
    file.unlink(missing_ok=True)
    with sample_account() as sample:
        print(f"Reading the emulated sample account at {sample.url}", file=sys.stderr)
        os.environ["ASANA_BASE_URL"] = sample.url
        reading = read_account(sample.config, streams, file)
    wrong = differences(reading, sample)
    show(reading, file)
    complete = len(reading.streams) - len(wrong)
    print(
        f"\n{complete} of {len(reading.streams)} streams complete, compared with the sample account"
    )
    for difference in wrong:
        print(f"  {difference}")
    return 1 if wrong else 0


def differences(reading: Reading, sample: Sample) -> list[str]:
    """What is missing from the file, or too much in it, or was delivered more than once."""
    read = {summary.stream: summary.records for summary in reading.summaries}
    found = []
    for stream in reading.streams:
        expected = sample.gids(stream)
        actual = reading.keys(stream)
        if missing := expected - actual:
            found.append(f"{stream}: {missing.total():,} of {expected.total():,} records missing")
        if extra := actual - expected:
            found.append(f"{stream}: {extra.total():,} records that the account does not have")
        if read.get(stream) != expected.total():
            found.append(
                f"{stream}: {read.get(stream, 0):,} records sent, not {expected.total():,}"
            )
    return found


def show(reading: Reading, file: Path) -> None:
    query = report.example_query(reading.streams, reading.summaries)
    answer = reading.rows(query)
    megabytes = file.stat().st_size / 1e6
    print()
    print(report.summary_table(reading.streams, reading.summaries, reading.seconds))
    print(f"\nFile: {file} ({megabytes:.1f} MB). Open it with any DuckDB client. For example:\n")
    print(f"{query}\n")
    print(report.answer_table(answer))
