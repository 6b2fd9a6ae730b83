"""The emulated sample account: what to read it with, and what must come out."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from integration_tests.asana_emulator import AsanaEmulator, make_account

READER = "service"
"""A service account may read every stream."""


@dataclass(frozen=True)
class Sample:
    """A running emulated account."""

    asana: AsanaEmulator
    config: Mapping[str, Any]

    def gids(self, stream: str) -> Counter[str]:
        """The gids of the records that a complete sync of the stream delivers."""
        export_ids = self.config["organization_export_ids"]
        records = self.asana.expected(stream, READER, export_ids=export_ids)
        return Counter(record["gid"] for record in records)


@contextmanager
def sample_account() -> Iterator[Sample]:
    """The same account each time."""
    account = make_account("sample")
    with AsanaEmulator(account) as asana:
        credentials = {
            "option_title": "PAT Credentials",
            "personal_access_token": asana.tokens.pat(READER),
        }
        export_ids = list(account.organization_exports)
        config = {
            "credentials": credentials,
            "organization_export_ids": export_ids,
            "requests_per_minute": 60_000,  # this Asana has no quota
        }
        yield Sample(asana, config)
