"""Joins the parts of resource exports for a sync, as `transfer.py` does for files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from airbyte_cdk.models import AirbyteStateMessage

from source_asana.asana.downloads import Downloader, keep_links_out_of_the_log
from source_asana.asana.governor import PLANS_PER_MINUTE
from source_asana.asana.resource_exports import ResourceExports
from source_asana.config import Config
from source_asana.reading.exports.doubts import ExportDoubts
from source_asana.reading.exports.exports import Exports
from source_asana.reading.exports.job import ExportLimits
from source_asana.reading.exports.kept_exports import KeptExport, kept_exports
from source_asana.reading.exports.steps import FILE_SECONDS, ExportSteps
from source_asana.reading.listing import Plan
from source_asana.reading.reader import Reader
from source_asana.reading.resumption import Resumption
from source_asana.session import Session


@dataclass(frozen=True)
class Exporting:
    """How a sync uses exports. `kept`: those that former syncs began, by workspace.

    `takes_plain_http`: as in `Downloader`.
    """

    is_on: bool
    limits: ExportLimits
    kept: Mapping[str, KeptExport]
    takes_plain_http: bool

    def parts(
        self, session: Session, plan: Plan, resumption: Resumption, reader: Reader
    ) -> tuple[Exports, ExportSteps]:
        """What decides about exports, and what carries that out."""
        client = session.client
        exports = Exports(
            plan,
            resumption,
            self.limits,
            is_on=self.is_on,
            is_current=ExportDoubts(client, plan, reader.tasks).is_current,
            mark=reader.now,
        )
        if self.is_on:
            keep_links_out_of_the_log()
        downloader = Downloader(
            threads=1, takes_plain_http=self.takes_plain_http, file_seconds=FILE_SECONDS
        )
        conversation = ResourceExports(client, downloader)
        steps = ExportSteps(exports, conversation, reader.now, lambda: session.rate_limit.sleep(0))
        return exports, steps


def exporting(
    settings: Config,
    limits: ExportLimits | None,
    state: Iterable[AirbyteStateMessage],
    *,
    takes_plain_http: bool,
) -> Exporting:
    """What the config wants; an export may take as long as its requests would, by default."""
    per_minute = settings.requests_per_minute or PLANS_PER_MINUTE[-1]
    kept: dict[str, KeptExport] = {}
    for told in (message.stream for message in state):
        if told and told.stream_state:
            kept |= kept_exports(told.stream_state.__dict__)
    return Exporting(
        settings.use_resource_exports,
        limits or ExportLimits(requests_per_minute=per_minute),
        kept,
        takes_plain_http,
    )
