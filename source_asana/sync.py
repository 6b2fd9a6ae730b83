"""Joins the parts of a read: what walks the account, and what turns it into messages."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from airbyte_cdk.models import AirbyteStateMessage

from source_asana.airbyte.checkpoints import Checkpoints
from source_asana.airbyte.deletions import Deletions
from source_asana.airbyte.due import Due
from source_asana.airbyte.errors import ConfigError
from source_asana.airbyte.export_log import ExportLog
from source_asana.airbyte.platform import Platform
from source_asana.airbyte.progress import Progress
from source_asana.airbyte.reporter import Reporter
from source_asana.airbyte.states import coverage_of
from source_asana.airbyte.sync_log import SyncLog
from source_asana.asana.client import AsanaClient
from source_asana.config import Config
from source_asana.exporting import Exporting, exporting
from source_asana.named_projects import groups_of, with_named_projects
from source_asana.reading.account import Account
from source_asana.reading.files.downloads import Downloads
from source_asana.reading.filters import Filters
from source_asana.reading.listing import Selection
from source_asana.reading.marks import (
    Evident,
    Marks,
    UnknownState,
    done_projects,
    evidence_in,
    incremental_marks,
)
from source_asana.reading.oddities import Oddities
from source_asana.reading.plan import make_plan
from source_asana.reading.reader import Reader
from source_asana.reading.rechecks import Rechecks
from source_asana.reading.resumption import Resumption
from source_asana.reading.shortcuts.evidence import Terms
from source_asana.reading.shortcuts.shortcuts import Shortcuts
from source_asana.reading.task_questions import TaskQuestions
from source_asana.reading.walk import Walk
from source_asana.session import Session
from source_asana.streams.declared import STREAMS
from source_asana.streams.sources import PROJECT, StreamClass
from source_asana.transfer import Transfer


@dataclass(frozen=True)
class FormerState:
    """What the incoming state says of the selected streams: their marks, and of shortcuts.

    `terms`: what shortcuts have to prove.
    """

    marks: Mapping[StreamClass, Marks]
    evidence: Mapping[StreamClass, Evident]
    terms: Terms


def former_state(
    selected: Mapping[StreamClass, Selection],
    state: Iterable[AirbyteStateMessage],
    filters: Filters,
    terms: Terms,
    logger: logging.Logger,
) -> FormerState:
    """What the incoming state says of the selected streams. Raises ConfigError."""
    marks: dict[StreamClass, Marks] = {}
    evidence: dict[StreamClass, Evident] = {}
    for message in state:
        told = message.stream
        stream = STREAMS.get(told.stream_descriptor.name) if told else None
        if told is None or stream is None or stream not in selected:
            continue
        blob = dict(told.stream_state.__dict__) if told.stream_state else {}
        read = incremental_marks if selected[stream].incremental else done_projects
        try:
            marks[stream] = read(blob, coverage_of(stream, filters))
            evidence[stream] = evidence_in(blob)
        except UnknownState:
            raise ConfigError(
                f"Cannot read the state of {stream.stream_name()}. "
                "Clear the stream, or reset its state, to sync it in full."
            ) from None
        logger.debug("%s resumes from %s projects", stream.stream_name(), len(marks[stream]))
    return FormerState(marks, evidence, terms)


@dataclass(frozen=True)
class OtherHosts:
    """What comes from other hosts than Asana's: exports, and the files of attachments."""

    exporting: Exporting
    downloads: Downloads | None


def other_hosts(
    session: Session,
    settings: Config,
    selected: Mapping[StreamClass, Selection],
    transfer: Transfer,
    asana_url: str,
    state: Iterable[AirbyteStateMessage],
) -> OtherHosts:
    """Prepare what comes from other hosts. `state`: has the exports of former syncs."""
    takes_plain_http = urlsplit(asana_url).scheme == "http"  # an emulated Asana
    return OtherHosts(
        exporting(settings, transfer.exports, state, takes_plain_http=takes_plain_http),
        transfer.downloads(
            selected, session, settings.num_workers, takes_plain_http=takes_plain_http
        ),
    )


def with_projects_of_groups(
    client: AsanaClient, settings: Config, selected: Mapping[StreamClass, Selection]
) -> Config:
    """The settings with the projects of their teams and portfolios, if a stream needs projects."""
    if not groups_of(settings.filters):
        return settings
    listings = make_plan(selected, settings.filters).listings
    if not any(listing.stream.container == PROJECT for listing in listings):
        return settings
    filters = with_named_projects(client, settings.filters)
    return replace(settings, filters=filters)


def parts_of(
    session: Session,
    settings: Config,
    selected: Mapping[StreamClass, Selection],
    former: FormerState,
    hosts: OtherHosts,
    due: Due,
    platform: Platform,
    logger: logging.Logger,
) -> tuple[Walk, Reporter]:
    """Join the parts of a read: what walks the account, and what turns it into messages."""
    client, filters = session.client, settings.filters
    oddities = Oddities()
    reader = Reader(client, oddities, TaskQuestions(client, with_subtasks=filters.with_subtasks))
    resumption = Resumption(selected, former.marks, hosts.exporting.kept)
    plan = make_plan(
        selected,
        filters,
        with_hints=settings.skip_tasks_without_attachments,
        with_exports=settings.use_resource_exports,
    )
    rechecks = Rechecks(settings.recheck_interval_minutes)
    account = Account(plan, resumption, filters, settings.gids, rechecks)
    shortcuts = Shortcuts(plan, former.evidence, former.terms)
    exports, steps = hosts.exporting.parts(session, plan, resumption, reader)
    walk = Walk(
        account,
        reader,
        shortcuts,
        exports,
        steps,
        workers=settings.num_workers,
        downloads=hosts.downloads,
    )
    progress = Progress(
        logger, client.observed.sent, session.rate_limit.seconds_to_wait, walk.open_projects
    )
    reporter = Reporter(
        account,
        selected,
        Checkpoints(selected, former.marks, lambda: account.began, due, filters, walk.evidence),
        Deletions(selected, is_on=settings.capture_deletions, continues=bool(resumption)),
        progress,
        SyncLog(
            logger,
            progress,
            client.observed,
            oddities,
            shortcuts,
            ExportLog(logger, exports.counts),
        ),
        platform,
        walk.give_up,
    )
    return walk, reporter
