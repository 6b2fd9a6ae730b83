"""The emulated sample account: what to read it with, and what must come out."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from integration_tests.asana_emulator.account import Account, Viewer
from integration_tests.asana_emulator.population import make_account
from integration_tests.asana_emulator.server import AsanaEmulator
from integration_tests.asana_emulator.truth import expected


@dataclass(frozen=True)
class Sample:
    """A running emulated account, seen by its service account, which may read every stream."""

    url: str
    config: Mapping[str, Any]
    account: Account
    viewer: Viewer
    export_ids: Sequence[str]

    def gids(self, stream: str) -> Counter[str]:
        """The gids of the records that a complete sync of the stream delivers."""
        records = expected(self.account, self.viewer, stream, export_ids=self.export_ids)
        return Counter(record["gid"] for record in records)


@contextmanager
def sample_account() -> Iterator[Sample]:
    account = make_account("sample")
    viewer = account.people["service"]
    export_ids = list(account.listing(viewer, "organization_exports", ""))
    with AsanaEmulator(account) as asana:
        credentials = {
            "option_title": "PAT Credentials",
            "personal_access_token": asana.tokens.pat("service"),
        }
        config = {"credentials": credentials, "organization_export_ids": export_ids}
        yield Sample(asana.url, config, account, viewer, export_ids)
