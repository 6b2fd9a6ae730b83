"""What the end of a listing tells: containers that are there, absent, or gone."""

from collections import Counter

from source_asana.airbyte.checkpoints import Checkpoints
from source_asana.airbyte.deletions import Deletions
from source_asana.airbyte.failures import Failures
from source_asana.airbyte.outcome import problem_of
from source_asana.airbyte.sync_log import SyncLog
from source_asana.reading.filters import Filters
from source_asana.reading.findings import ListingEnd
from source_asana.reading.unlisted import Unlisted
from source_asana.streams.sources import PROJECT, WORKSPACE


class ListingEnds:
    """Notes what ended listings tell, for marks, tombstones and the log."""

    def __init__(
        self,
        filters: Filters,
        failures: Failures,
        checkpoints: Checkpoints,
        deletions: Deletions,
        log: SyncLog,
    ) -> None:
        self._filters = filters
        self._failures = failures
        self._checkpoints = checkpoints
        self._deletions = deletions
        self._log = log

    def take(self, ended: ListingEnd) -> None:
        """Note that a listing has ended."""
        listing = ended.listing
        if not listing.is_lookup:
            self._checkpoints.listed(listing.stream, ended.found)
            self._name_absent(ended)
            if problem_of(listing, self._failures.tallies) is None:
                self._checkpoints.listed_completely(listing.stream)
        if ended.unlisted:
            self._end_unlisted(ended.unlisted)

    def _name_absent(self, ended: ListingEnd) -> None:
        """Say which workspaces or projects of the config Asana does not show."""
        kind, tally = ended.listing.stream, self._failures.tallies[ended.listing]
        absent = self._filters.absent(kind.container, ended.found)
        for gid in absent:
            self._log.absent("Project" if kind.container == PROJECT else "Workspace", gid)
        is_of_projects = kind.container == PROJECT
        chosen_by = self._filters.project_settings if is_of_projects else ["workspace_gids"]
        is_chosen = absent or (is_of_projects and chosen_by)
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
