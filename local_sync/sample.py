"""The emulated sample account: its config, and the records that a sync must deliver."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from integration_tests.asana_emulator import AsanaEmulator, make_account

READER = "service"
"""A service account, which can read every stream."""


@dataclass(frozen=True)
class Sample:
    """An emulated account that is running. `config`: to read all of it."""

    asana: AsanaEmulator
    config: Mapping[str, Any]

    def gids(self, stream: str) -> Counter[str]:
        """The gids that a complete sync of the stream delivers."""
        export_ids = self.config["organization_export_ids"]
        records = self.asana.expected(stream, READER, export_ids=export_ids)
        return Counter(record["gid"] for record in records)


@contextmanager
def sample_account() -> Iterator[Sample]:
    """Run the sample account, which is the same each time."""
    account = make_account("sample")
    with AsanaEmulator(account, serves_files=True) as asana:
        credentials = {
            "option_title": "PAT Credentials",
            "personal_access_token": asana.tokens.pat(READER),
        }
        export_ids = list(account.organization_exports)
        config = {
            "credentials": credentials,
            "organization_export_ids": export_ids,
            "requests_per_minute": 60_000,  # the emulator has no rate limit here
        }
        yield Sample(asana, config)
