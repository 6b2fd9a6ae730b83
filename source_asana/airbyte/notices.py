"""What is noted of findings that are no messages themselves: failures, events, news of exports."""

from collections.abc import Callable

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils import AirbyteTracedException

from source_asana.airbyte.deletions import Deletions
from source_asana.airbyte.export_reports import ExportReports
from source_asana.airbyte.failures import Failures, Gaps, Verdict
from source_asana.airbyte.settling import Settling
from source_asana.airbyte.sync_log import SyncLog
from source_asana.asana.errors import FatalError, Refusal
from source_asana.reading.account import Account
from source_asana.reading.container import Container
from source_asana.reading.findings import (
    ClaimsWrong,
    EventsKnown,
    EventsMissing,
    Finding,
    PutAside,
    Skipped,
    VisitEnd,
)
from source_asana.reading.listing import Listing
from source_asana.reading.visits import Visit


class Notices:
    """Counts and logs findings. `give_up`: stop asking for a listing."""

    def __init__(
        self,
        account: Account,
        failures: Failures,
        gaps: Gaps,
        settling: Settling,
        deletions: Deletions,
        exports: ExportReports,
        log: SyncLog,
        give_up: Callable[[Listing], None],
    ) -> None:
        self._account = account
        self._failures = failures
        self._gaps = gaps
        self._settling = settling
        self._deletions = deletions
        self._exports = exports
        self._log = log
        self._give_up = give_up

    def take(self, finding: Finding) -> None:
        """Note a finding. Raises what ends the whole sync."""
        match finding:
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
            case _:
                self._exports.handle(finding)

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
