"""Counts the messages of a connector."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True)
class Said:
    """The gids of each stream's records, the last state of each stream, the bytes of the rest."""

    gids: dict[str, Counter[str]]
    states: dict[str, Any]
    other_bytes: int
    catalog: Any

    @property
    def records(self) -> int:
        return sum(gids.total() for gids in self.gids.values())


def said(lines: Iterable[bytes]) -> Said:
    """Read Airbyte's messages, one per line."""
    gids: dict[str, Counter[str]] = defaultdict(Counter)
    states: dict[str, Any] = {}
    other_bytes = 0
    catalog = None
    for line in lines:
        message = orjson.loads(line)
        if message["type"] == "RECORD":
            record = message["record"]
            gids[record["stream"]][record["data"]["gid"]] += 1
            continue
        other_bytes += len(line)
        if message["type"] == "STATE":
            states[message["state"]["stream"]["stream_descriptor"]["name"]] = message["state"]
        elif message["type"] == "CATALOG":
            catalog = message["catalog"]
    return Said(dict(gids), states, other_bytes, catalog)
