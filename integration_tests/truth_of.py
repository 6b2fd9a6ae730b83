"""The records that a full refresh of an emulated account delivers, and the fewest requests."""

from collections.abc import Collection, Mapping
from typing import Any

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.reading import SERVICE, Record
from source_asana.streams.declared import STREAMS


def truth(asana: AsanaEmulator, stream: str, person: str = SERVICE) -> list[Record]:
    """The records of a stream, with the columns that its schema declares."""
    schema = STREAMS[stream].json_schema()
    ids = asana.account.organization_exports
    whole = asana.expected(stream, person, export_ids=ids)
    return in_order([declared(record, schema) for record in whole])


def fewest_requests(
    asana: AsanaEmulator, streams: Collection[str], person: str = SERVICE
) -> dict[str, int]:
    """The fewest requests by path, as the ledger counts them."""
    return asana.floor(streams, person, export_ids=asana.account.organization_exports)


def in_order(records: Collection[Record]) -> list[Record]:
    return sorted(records, key=lambda record: (record.get("portfolio_gid", ""), record["gid"]))


def declared(value: Any, schema: Mapping[str, Any]) -> Any:
    """The columns of a record that a catalog's schema declares."""
    if isinstance(value, list):
        return [declared(entry, schema["items"]) for entry in value]
    if isinstance(value, dict):
        known = schema["properties"]
        if not known:
            return value  # whatever it holds
        return {name: declared(value[name], known[name]) for name in value if name in known}
    return value
