"""When to retry a failed request, and when to give up. Pure."""

from dataclasses import dataclass

MAX_DOUBLINGS = 16
AVERAGE = 0.5
"""Where a random number between 0 and 1 is on average."""


@dataclass(frozen=True)
class RetryPolicy:
    """How long to wait between tries.

    The wait starts at 1 second and doubles up to `max_wait_seconds`. Retries end when the next one
    would start more than `patience_seconds` after the first try; one retry is always allowed.
    """

    patience_seconds: float = 300.0
    max_wait_seconds: float = 60.0
    min_retry_after_seconds: float = 0.5

    def next_wait_seconds(
        self,
        tries: int,
        elapsed_seconds: float,
        *,
        retry_after: float | None = None,
        chance: float = AVERAGE,
    ) -> float | None:
        """Return the seconds to wait before the next try, or None to give up.

        `tries`: how many retries were made. `elapsed_seconds`: since the first try. `retry_after`:
        the seconds that the server asked for; if that is longer than the patience left, give up
        at once. `chance`: a random number between 0 and 1 that varies the wait by half, so that
        workers do not retry together.
        """
        left = self.patience_seconds - elapsed_seconds
        if retry_after is not None:
            wait = max(retry_after, self.min_retry_after_seconds)
            return wait if wait <= left else None
        doubled = min(2.0 ** min(tries, MAX_DOUBLINGS), self.max_wait_seconds)
        wait = min(doubled * (AVERAGE + chance), self.patience_seconds)
        return wait if not tries or wait <= left else None
