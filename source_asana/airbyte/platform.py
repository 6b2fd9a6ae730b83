"""What is due during a sync, whatever is read: messages that wait, waits, a request to stop."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from airbyte_cdk.models import AirbyteMessage

SHORTEST_WAIT_SECONDS = 1.0
MIN_SECONDS_BETWEEN_WAITS = 5.0
MAX_SECONDS_BETWEEN_WAITS = 60.0
"""Which waits for Asana's rate limit are reported, and how often."""


@dataclass
class Platform:
    """What surrounds a sync.

    `queued`: takes messages that other threads have left. `is_stopped`: whether somebody asked the
    sync to stop. `seconds_to_wait`: how long Asana makes every request wait now. `now`: seconds
    since 1970.
    """

    is_stopped: Callable[[], bool] = lambda: False
    queued: Callable[[], Iterable[AirbyteMessage]] = tuple
    seconds_to_wait: Callable[[], float] = lambda: 0.0
    now: Callable[[], float] = time.time
    _report_wait_at: float = field(default=0.0, init=False)

    def wait_to_report(self) -> float | None:
        """A wait in seconds, if it is time to report it, so that no one thinks the sync is dead."""
        wait, now = self.seconds_to_wait(), self.now()
        if wait < SHORTEST_WAIT_SECONDS or now < self._report_wait_at:
            return None
        between = min(max(wait, MIN_SECONDS_BETWEEN_WAITS), MAX_SECONDS_BETWEEN_WAITS)
        self._report_wait_at = now + between
        return wait
