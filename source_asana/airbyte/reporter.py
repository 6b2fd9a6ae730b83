"""One sync: what the walk finds, as Airbyte's messages."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from airbyte_cdk.models import FailureType

from source_asana.airbyte.checkpoints import Checkpoints
from source_asana.airbyte.deletions import Deletions
from source_asana.airbyte.errors import Interrupted, SyncIncomplete
from source_asana.airbyte.export_reports import ExportReports
from source_asana.airbyte.failures import Failures, Gaps, streams_of
from source_asana.airbyte.listing_ends import ListingEnds
from source_asana.airbyte.messages import Message, RecordBatch
from source_asana.airbyte.notices import Notices
from source_asana.airbyte.outcome import Problem
from source_asana.airbyte.platform import Platform
from source_asana.airbyte.progress import Progress
from source_asana.airbyte.settling import Settling
from source_asana.airbyte.statuses import Statuses
from source_asana.airbyte.sync_log import SyncLog
from source_asana.reading.account import Account
from source_asana.reading.files.downloads import FileOfRecord
from source_asana.reading.files.staging import StagedFile
from source_asana.reading.findings import ContainerEnd, Finding, ListingEnd, Page
from source_asana.reading.listing import Listing, Selection
from source_asana.streams.sources import StreamClass


class Reporter:
    """Reports what one sync does, in the order in which it happens.

    State comes after the records that it covers. A stream that is not complete has an error trace,
    its state leaves out what is missing, and the sync ends with SyncIncomplete.
    """

    def __init__(
        self,
        account: Account,
        selected: Mapping[StreamClass, Selection],
        checkpoints: Checkpoints,
        deletions: Deletions,
        progress: Progress,
        log: SyncLog,
        platform: Platform,
        give_up: Callable[[Listing], None],
    ) -> None:
        self._checkpoints = checkpoints
        self._deletions = deletions
        self._progress = progress
        self._log = log
        self._platform = platform
        self._statuses = Statuses(selected)
        self._failures = Failures(account.plan.listings)
        gaps = Gaps()
        self._settling = Settling(selected, self._failures, gaps, checkpoints)
        self._notices = Notices(
            account,
            self._failures,
            gaps,
            self._settling,
            deletions,
            ExportReports(log.exports, checkpoints),
            log,
            give_up,
        )
        filters = account.rules.filters
        self._listing_ends = ListingEnds(filters, self._failures, checkpoints, deletions, log)

    def messages(self, findings: Iterable[Finding], unknown: Iterable[str]) -> Iterator[Message]:
        """Everything from the first stream's start to the last one's end.

        `unknown` are the names of selected streams that do not exist. Raises SyncIncomplete,
        Interrupted, and what ends the whole sync.
        """
        yield from self._statuses.start()
        for name in unknown:
            yield from self._statuses.refuse(name, _UNKNOWN_STREAM)
        listings_left = list(self._failures.tallies)
        yield from self._end_streams_without_listing(listings_left)
        try:
            for finding in findings:
                if isinstance(finding, ListingEnd):
                    yield from self._end_listing(finding, listings_left)
                else:
                    yield from self._handle(finding)
                yield from self._meanwhile()
        except Exception:
            yield from self._platform.queued()
            yield from self._checkpoints.now()
            yield from self._statuses.break_off()
            raise
        finally:
            self._log.summary(self._failures.tallies)
        if self._statuses.incomplete:
            raise SyncIncomplete(self._statuses.incomplete)

    def _meanwhile(self) -> Iterator[Message]:
        """What is due whatever is read. Raises Interrupted."""
        yield from self._platform.queued()
        yield from self._checkpoints.when_due()
        if wait := self._platform.wait_to_report():
            self._log.pauses(wait)
            yield from self._statuses.wait(self._platform.now() + wait)
        self._progress.log_when_due()
        if self._platform.is_stopped():
            raise Interrupted

    def _end_streams_without_listing(self, listings: list[Listing]) -> Iterator[Message]:
        read = {stream for listing in listings for stream in streams_of(listing)}
        for stream in [s for s in self._statuses.unfinished if s not in read]:
            self._log.reads_nothing(
                stream.stream_name(), is_incremental_only=stream.is_incremental_only()
            )
            yield from self._finish(stream, None)

    def _handle(self, finding: Finding) -> Iterator[Message]:
        match finding:
            case Page(stream, records, gids, files):
                yield from self._report_records(stream, records, files)
                self._deletions.note_alive(stream, gids)
            case ContainerEnd(container):
                is_first = self._settling.end_container(container, self._statuses.unfinished)
                if is_first and container.is_project:
                    self._progress.project_ended()
            case _:
                self._notices.take(finding)

    def _report_records(
        self, stream: StreamClass, records: list[bytes], files: Sequence[FileOfRecord] = ()
    ) -> Iterator[Message]:
        name = stream.stream_name()
        yield from self._statuses.run(stream)
        staged = [file if isinstance(file, StagedFile) else None for file in files]
        yield RecordBatch(name, records, int(1000 * self._platform.now()), staged)
        self._log.files.note(name, files)
        self._progress.records[name] += len(records)
        self._checkpoints.records(stream, len(records), sum(map(len, records)))

    def _end_listing(self, ended: ListingEnd, listings_left: list[Listing]) -> Iterator[Message]:
        listings_left.remove(ended.listing)
        self._listing_ends.take(ended)
        still_read = {stream for left in listings_left for stream in streams_of(left)}
        for stream in streams_of(ended.listing) - still_read:
            yield from self._finish(stream, self._failures.problem(stream))

    def _finish(self, stream: StreamClass, problem: Problem | None) -> Iterator[Message]:
        name = stream.stream_name()
        self._statuses.unfinished.remove(stream)
        self._log.ended(name)
        for source in self._failures.sources_done_without(stream):
            self._log.done_without(name, source)
        if tombstones := self._deletions.tombstones(stream):
            yield from self._report_records(stream, tombstones)
        self._settling.end_stream(stream)
        yield from self._checkpoints.stream_ended(stream, complete=problem is None)
        yield from self._statuses.finish(stream, problem)


_UNKNOWN_STREAM = Problem(
    FailureType.config_error,
    "unknown stream. Refresh the connection's schema, or deselect it.",
)
