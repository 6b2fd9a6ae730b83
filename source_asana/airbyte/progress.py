"""How far a sync is: a log line every ten seconds, and numbers for programs every second."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from source_asana.airbyte.wording import duration_in_words

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_LOOKS = 1.0

PROJECTS_PER_SAMPLE = 50
"""One project of so many must be done before the time left is estimated from those that are."""


@dataclass(frozen=True)
class HowFar:
    """How far a sync is, in numbers. More projects become known while they are listed."""

    requests: int
    records: int
    projects_done: int
    projects_known: int
    seconds_to_wait: float


class Progress:
    """Counts records and projects, and logs how far the sync is.

    `requests`: those sent so far, by purpose. `seconds_to_wait`: how long Asana's rate limit makes
    every request wait now. `open_projects`: how many projects are under way.
    """

    def __init__(
        self,
        logger: logging.Logger,
        requests: Mapping[str, int],
        seconds_to_wait: Callable[[], float],
        open_projects: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logger = logger
        self._requests = requests
        self._seconds_to_wait = seconds_to_wait
        self._open_projects = open_projects
        self._clock = clock
        self._started = self._last_line = self._last_look = clock()
        self._projects_done = 0
        self.records: Counter[str] = Counter()
        """The records of each stream so far, by its name."""

    def project_ended(self) -> None:
        """Count a project with everything below it."""
        self._projects_done += 1

    def elapsed(self) -> float:
        """The seconds since the sync began."""
        return self._clock() - self._started

    def log_when_due(self) -> None:
        """Log how far the sync is: for people every ten seconds, for programs every second."""
        now = self._clock()
        if now - self._last_look >= SECONDS_BETWEEN_LOOKS:
            self._last_look = now
            self.log_numbers()
        if now - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = now
            self._logger.info(self._line())

    def log_numbers(self) -> None:
        """Log the numbers as the attribute `progress` of a debug record."""
        if self._logger.isEnabledFor(logging.DEBUG):
            self._logger.debug("progress", extra={"progress": asdict(self.how_far())})

    def how_far(self) -> HowFar:
        """Count what there is so far."""
        return HowFar(
            requests=sum(self._requests.values()),
            records=self.records.total(),
            projects_done=self._projects_done,
            projects_known=self._projects_done + self._open_projects(),
            seconds_to_wait=self._seconds_to_wait(),
        )

    def _line(self) -> str:
        far, elapsed = self.how_far(), self.elapsed()
        rate = 60 * far.requests / elapsed
        line = f"{far.records:,} records, {far.requests:,} requests ({rate:,.0f}/min)"
        if far.projects_known:
            line = f"{far.projects_done:,} of {far.projects_known:,} projects done, {line}"
        if far.projects_done and far.projects_done * PROJECTS_PER_SAMPLE >= far.projects_known:
            left = elapsed * (far.projects_known - far.projects_done) / far.projects_done
            line += f", about {duration_in_words(left)} left"
        if far.seconds_to_wait >= 1:
            line += f"; paused for {far.seconds_to_wait:.0f} s by Asana's rate limit"
        return line
