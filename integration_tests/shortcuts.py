"""How many requests a first sync makes with each shortcut, and whether its records are right.

    python -m integration_tests.shortcuts --size large --ways exports

Every record is compared with the account, column by column.
"""

import argparse
import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer

from integration_tests.asana_emulator import AsanaEmulator, make_account
from integration_tests.reading import SERVICE, Json, Record, catalog_of, config_for
from integration_tests.truth_of import declared
from source_asana import SourceAsana
from source_asana.airbyte.messages import RecordBatch
from source_asana.reading.exports.job import ExportLimits
from source_asana.transfer import Transfer

PER_MINUTE = 1_500
EXPORT_SECONDS = 1_500.0
"""The emulator makes an export while its request waits: that of 300,000 tasks takes minutes."""

STREAMS = (
    "projects",
    "sections",
    "tasks",
    "subtasks",
    "stories",
    "attachments",
    "users",
    "tags",
    "custom_fields",
)
LINKS = ("download_url", "view_url")
"""The columns of attachments that Asana's exports lack."""


@dataclass(frozen=True)
class Way:
    """Settings, and the columns of attachments that are not selected."""

    settings: dict[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()


WAYS = {
    "documented": Way(),
    "skips": Way({"skip_tasks_without_attachments": True}),
    "exports": Way({"use_resource_exports": True}),
    "exports without links": Way({"use_resource_exports": True}, LINKS),
}


@dataclass(frozen=True)
class Measured:
    """One sync: its requests, and how its records differ from the account."""

    requests: int
    records: int
    missing: int
    different: int
    too_many: int


def measure(asana: AsanaEmulator, way: Way, limits: ExportLimits | None = None) -> Measured:
    """Read the account once, and compare."""
    asana.ledger.reset()
    digests: dict[str, dict[str, bytes]] = defaultdict(dict)
    records = 0
    catalog = _catalog(way)
    for stream, record in _records(asana, way, catalog, limits):
        records += 1
        digests[stream][record["gid"]] = _digest(record)
    requests = sum(asana.ledger.by_path().values())
    wrong: Counter[str] = Counter(too_many=records - sum(map(len, digests.values())))
    for configured in catalog["streams"]:
        stream, schema = configured["stream"]["name"], configured["stream"]["json_schema"]
        found = digests[stream]
        for whole in asana.expected(stream, SERVICE):
            digest = found.pop(whole["gid"], None)
            if digest != _digest(declared(whole, schema)):
                wrong["different" if digest else "missing"] += 1
        wrong["too_many"] += len(found)
    return Measured(requests, records, wrong["missing"], wrong["different"], wrong["too_many"])


def _records(
    asana: AsanaEmulator, way: Way, catalog: Json, limits: ExportLimits | None
) -> Iterator[tuple[str, Record]]:
    source = SourceAsana(
        asana_url=asana.url, answer_seconds=EXPORT_SECONDS, transfer=Transfer(exports=limits)
    )
    configured = ConfiguredAirbyteCatalogSerializer.load(catalog)
    config = config_for(asana, **way.settings)
    for message in source.read_batches(logging.getLogger("airbyte"), config, configured):
        if isinstance(message, RecordBatch):
            for record in message.records:
                yield message.stream, orjson.loads(record)


def _catalog(way: Way) -> Json:
    catalog = catalog_of(STREAMS)
    for configured in catalog["streams"]:
        if configured["stream"]["name"] == "attachments":
            for column in way.without:
                del configured["stream"]["json_schema"]["properties"][column]
    return catalog


def _digest(record: Record) -> bytes:
    return blake2b(orjson.dumps(record, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def table(asana: AsanaEmulator, ways: Collection[str]) -> str:
    """Markdown: a row for the fewest documented requests, and one for each way."""
    fewest = sum(asana.floor(STREAMS, SERVICE).values())
    rows = [
        ["", "requests", "share", "hours", "records", "missing", "different", "too many"],
        ["---", *["---:"] * 7],
        ["fewest documented requests", *_amount(fewest, fewest), "", "", "", ""],
    ]
    for name in ways:
        found = measure(asana, WAYS[name])
        wrong = (found.records, found.missing, found.different, found.too_many)
        rows.append([name, *_amount(found.requests, fewest), *(f"{each:,}" for each in wrong)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _amount(requests: int, fewest: int) -> list[str]:
    return [f"{requests:,}", f"{requests / fewest:.1%}", f"{requests / PER_MINUTE / 60:.1f}"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m integration_tests.shortcuts", description=__doc__
    )
    parser.add_argument("--size", default="small", help="small, large, or a number of tasks")
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=list(WAYS))
    asked = parser.parse_args()
    logging.getLogger("airbyte").setLevel(logging.WARNING)
    size = int(asked.size) if asked.size.isdigit() else asked.size
    with AsanaEmulator(make_account(size)) as asana:
        print(table(asana, asked.ways))  # noqa: T201 - a program's answer


if __name__ == "__main__":
    main()
