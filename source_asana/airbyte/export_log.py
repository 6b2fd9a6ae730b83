"""What the log says of resource exports."""

import logging
from collections.abc import Callable, Mapping

from source_asana.airbyte.wording import counted
from source_asana.asana.errors import AsanaFailure, Refusal
from source_asana.reading.findings import ExportBegan, ExportEnded, ExportWrong

Counts = Mapping[str, tuple[int, int]]


def no_counts() -> Counts:
    """Nothing came from an export."""
    return {}


class ExportLog:
    """Logs what becomes of exports. `counts`: for each listing, what came from files and checks."""

    def __init__(self, logger: logging.Logger, counts: Callable[[], Counts] = no_counts) -> None:
        self._logger = logger
        self._counts = counts

    def began(self, found: ExportBegan) -> None:
        """Say that Asana exports a workspace."""
        self._logger.info(
            "Asana exports the tasks of workspace %s (job %s)", found.workspace, found.export.job
        )

    def ended(self, found: ExportEnded) -> None:
        """Say that the file was read, or why the sync makes all requests instead."""
        if found.problem is None and not found.is_late:
            self._logger.info(
                "The export of workspace %s has %s", found.workspace, counted(found.tasks, "task")
            )
            return
        self._logger.info(
            "No export of workspace %s (%s), so the sync requests the records of each task",
            found.workspace,
            "it takes too long" if found.is_late else _reason(found.problem),
        )

    def wrong(self, found: ExportWrong) -> None:
        """Say that the file differs from Asana's answers."""
        listing = found.visit.listing
        self._logger.warning(
            "%s: the export of workspace %s differs from what Asana returns for %s. The sync no "
            "longer uses it, and makes %s that it had spared",
            listing.name,
            found.workspace,
            listing.place(found.visit.gid),
            counted(found.again, "request"),
        )

    def summary(self) -> None:
        """Say how many requests the files have spared."""
        for name, (spared, checked) in sorted(self._counts().items()):
            if spared or checked:
                self._logger.info(
                    "%s: exports spared %s, checked %s",
                    name,
                    counted(spared, "request"),
                    f"{checked:,}",
                )


def _reason(problem: Exception | None) -> str:
    match problem:
        case Refusal(status=status, message=message):
            return f"{status}: {message}"
        case AsanaFailure(message=message):
            return message
    return str(problem)
