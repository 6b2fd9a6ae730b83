"""Reads an Asana account into a DuckDB file: your own, or an emulated sample."""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from airbyte.exceptions import AirbyteStreamNotFoundError, PyAirbyteError

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
    if isinstance(error, AirbyteStreamNotFoundError):
        known = ", ".join(error.available_streams or ())
        return f"there is no stream {error.stream_name}; there are {known}"
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
        print(f"Reading the emulated sample account at {sample.asana.url}", file=sys.stderr)
        os.environ["ASANA_BASE_URL"] = sample.asana.url
        reading = read_account(sample.config, streams, file)
        wrong = differences(reading, sample)
    show(reading, file)
    print(f"\n{conclusion(reading.streams, wrong)}")
    return 1 if wrong else 0


def differences(reading: Reading, sample: Sample) -> dict[str, str]:
    """By stream: what is missing from the file, too much in it, or was delivered twice."""
    sent = {summary.stream: summary.records for summary in reading.summaries}
    found = {}
    for stream in reading.streams:
        expected, actual = sample.gids(stream), reading.keys(stream)
        if expected != actual:
            missing, extra = (expected - actual).total(), (actual - expected).total()
            found[stream] = f"{missing:,} records are missing, {extra:,} are too much"
        elif (count := sent.get(stream) or 0) != expected.total():
            found[stream] = f"{count:,} records were sent, {expected.total():,} exist"
    return found


def conclusion(streams: Sequence[str], wrong: Mapping[str, str]) -> str:
    complete = len(streams) - len(wrong)
    heading = f"{complete} of {len(streams)} streams complete, record by record"
    return "\n".join([heading, *(f"  {stream}: {text}" for stream, text in wrong.items())])


def show(reading: Reading, file: Path) -> None:
    query = report.example_query(reading.streams, reading.summaries)
    print()
    print(report.summary_table(reading.streams, reading.summaries, reading.seconds))
    print(
        f"\n{file} ({file.stat().st_size / 1e6:.1f} MB) opens in any DuckDB client. For example:\n"
    )
    print(f"{query}\n")
    print(report.answer_table(reading.rows(query)))
