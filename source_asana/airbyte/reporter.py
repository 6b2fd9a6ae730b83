"""One sync: what the walk finds, as Airbyte's messages."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils import AirbyteTracedException

from source_asana.airbyte.checkpoints import Checkpoints
from source_asana.airbyte.deletions import Deletions
from source_asana.airbyte.errors import Interrupted, SyncIncomplete
from source_asana.airbyte.export_reports import ExportReports
from source_asana.airbyte.failures import Failures, Gaps, Verdict, streams_of
from source_asana.airbyte.messages import Message, RecordBatch
from source_asana.airbyte.outcome import Problem, problem_of
from source_asana.airbyte.platform import Platform
from source_asana.airbyte.progress import Progress
from source_asana.airbyte.settling import Settling
from source_asana.airbyte.statuses import Statuses
from source_asana.airbyte.sync_log import SyncLog
from source_asana.asana.errors import FatalError, Refusal
from source_asana.reading.account import Account
from source_asana.reading.container import Container
from source_asana.reading.files.downloads import FileOfRecord
from source_asana.reading.files.staging import StagedFile
from source_asana.reading.findings import (
    ClaimsWrong,
    ContainerEnd,
    EventsKnown,
    EventsMissing,
    Finding,
    ListingEnd,
    Page,
    PutAside,
    Skipped,
    VisitEnd,
)
from source_asana.reading.listing import Listing, Selection
from source_asana.reading.unlisted import Unlisted
from source_asana.reading.visits import Visit
from source_asana.streams.sources import PROJECT, WORKSPACE, StreamClass


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
        self._account = account
        self._checkpoints = checkpoints
        self._deletions = deletions
        self._progress = progress
        self._log = log
        self._platform = platform
        self._give_up = give_up
        self._exports = ExportReports(log.exports, checkpoints)
        self._statuses = Statuses(selected)
        self._failures = Failures(account.plan.listings)
        self._gaps = Gaps()
        self._settling = Settling(selected, self._failures, self._gaps, checkpoints)

    def messages(self, findings: Iterable[Finding], unknown: Iterable[str]) -> Iterator[Message]:
        """Everything from the first stream's start to the last one's end.

        `unknown` are the names of selected streams that do not exist. Raises SyncIncomplete,
        Interrupted, and what ends the whole sync.
        """
        yield from self._statuses.start()
        for name in unknown:
            yield from self._statuses.refuse(name, _UNKNOWN_STREAM)
        yield from self._end_streams_without_listing()
        listings_left = list(self._account.plan.listings)
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

    def _end_streams_without_listing(self) -> Iterator[Message]:
        read = {stream for found in self._account.plan.listings for stream in streams_of(found)}
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
            case VisitEnd(visit, error, lacks_files):
                self._settling.hold(visit)
                self._end_visit(visit, error, lacks_files=lacks_files)
            case PutAside(visit, refusal):
                self._settling.hold(visit)
                self._failures.tallies[visit.listing].put_aside(refusal, visit.place)
                self._gaps.note(visit, refusal, for_good=False)
            case Skipped(visit):
                self._settling.hold(visit)
            case ClaimsWrong():
                self._log.claims_wrong(finding)
                self._failures.doubt(finding, self._account.resumption)
            case EventsKnown(container):
                self._learn(container)
            case EventsMissing(project, tasks, is_read_again):
                self._log.events_missing(project.gid, tasks, is_read_again=is_read_again)
            case ContainerEnd(container):
                is_first = self._settling.end_container(container, self._statuses.unfinished)
                if is_first and container.is_project:
                    self._progress.project_ended()
            case _:
                self._exports.handle(finding)

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

    def _end_visit(self, visit: Visit, error: Exception | None, *, lacks_files: bool) -> None:
        if visit.listing is self._account.plan.unlisted:
            self._log.unanswered(visit, error)
            return
        continues = visit.is_below_task and self._account.resumption.continues(visit.listing)
        verdict = self._failures.judge(visit, error, says_nothing_of_others=continues)
        if isinstance(error, FatalError):
            raise error  # it is the same for all visits
        if error is None or verdict is Verdict.READ:
            self._gaps.note_read(visit)
            if lacks_files:  # the next sync asks for these records again
                self._gaps.note(visit, None, for_good=True)
            return
        self._gaps.note(visit, error, for_good=isinstance(error, Refusal))
        match verdict:
            case Verdict.SKIPPED if isinstance(error, Refusal):
                self._log.skipped(visit, error)
            case Verdict.FAILED | Verdict.GIVES_UP | Verdict.ASANA_IS_DOWN:
                self._log.failed(visit, error)
        if verdict is Verdict.GIVES_UP:
            self._log.gives_up(visit.listing)
            self._give_up(visit.listing)
        if verdict is Verdict.ASANA_IS_DOWN:
            raise AirbyteTracedException(
                message="Asana stopped responding. The next sync resumes from the last saved "
                f"state. (last: {error})",
                failure_type=FailureType.transient_error,
            )

    def _learn(self, container: Container) -> None:
        """Note what events tell, and say when those of a project are lost."""
        news = container.news
        if container.is_project and news.are_lost and container.former.tokens and news.token:
            self._log.events_lost(container.gid)
        self._deletions.learn(container)

    def _end_listing(self, ended: ListingEnd, listings_left: list[Listing]) -> Iterator[Message]:
        listing = ended.listing
        listings_left.remove(listing)
        if not listing.is_lookup:
            self._checkpoints.listed(listing.stream, ended.found)
            self._name_absent(ended)
            if problem_of(listing, self._failures.tallies) is None:
                self._checkpoints.listed_completely(listing.stream)
        if ended.unlisted:
            self._end_unlisted(ended.unlisted)
        still_read = {stream for left in listings_left for stream in streams_of(left)}
        for stream in streams_of(listing) - still_read:
            yield from self._finish(stream, self._failures.problem(stream))

    def _name_absent(self, ended: ListingEnd) -> None:
        """Say which workspaces or projects of the config Asana does not show."""
        kind, tally = ended.listing.stream, self._failures.tallies[ended.listing]
        filters = self._account.rules.filters
        absent = filters.absent(kind.container, ended.found)
        for gid in absent:
            self._log.absent("Project" if kind.container == PROJECT else "Workspace", gid)
        chosen_by = filters.project_settings if kind.container == PROJECT else ["workspace_gids"]
        is_chosen = absent or (kind.container == PROJECT and chosen_by)
        if is_chosen and not ended.found:
            tally.found_none_of = " and ".join(chosen_by)
        elif kind.container == WORKSPACE:
            tally.is_empty_account = not ended.found

    def _end_unlisted(self, unlisted: Unlisted) -> None:
        """Tell of projects that were deleted; forget or keep the marks of the others."""
        self._deletions.learn_of_projects(unlisted)
        for project, fate in unlisted.fates.items():
            is_asked = project in unlisted.answers
            self._checkpoints.unlisted(project, fate, unlisted.renewed, is_asked=is_asked)
        self._log.unlisted(Counter(unlisted.fates.values()), unlisted.known)

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
