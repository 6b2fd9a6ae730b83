"""When states go out: often, but not so often that they outweigh the records."""

import time
from collections.abc import Callable

INITIAL_BYTES = 2_500_000.0
SHARE_OF_RECORDS = 0.01
"""What checkpoints may cost, in bytes: so many, and a hundredth of those of the records."""

SILENT_SECONDS = 240.0
"""After so long without a record or a state, a state is repeated: Airbyte ends a sync that sends
neither for an hour. https://docs.airbyte.com/understanding-airbyte/heartbeats
"""

BYTES_PER_PROJECT = 100
"""What a project adds to a stream's state, about: its gid twice, and a sync token."""


class Due:
    """Says when changed states are due, and when a sign of life is.

    `seconds_between` changed states; `silent_seconds` without a record or a state are too long.
    """

    def __init__(
        self,
        seconds_between: float,
        silent_seconds: float = SILENT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds_between = seconds_between
        self._silent_seconds = silent_seconds
        self._clock = clock
        self._allowance = INITIAL_BYTES
        self._last = self._spoke = clock()

    def spoke(self, record_bytes: int = 0) -> None:
        """Note that a state, or records of so many bytes, went out."""
        self._spoke = self._clock()
        self._allowance += SHARE_OF_RECORDS * record_bytes

    def is_time(self, projects: int) -> bool:
        """Whether states that tell of so many projects go out now; asks once for each interval."""
        if self._clock() - self._last < self._seconds_between:
            return False
        self._last = self._clock()
        size = BYTES_PER_PROJECT * projects
        if size > self._allowance:
            return False
        self._allowance -= size
        return True

    def is_silent(self) -> bool:
        """Whether it is time for a sign of life."""
        return self._clock() - self._spoke >= self._silent_seconds
