"""The clock of the account."""

import pendulum


def stamp(moment: pendulum.DateTime) -> str:
    """An instant as Asana writes it: `2012-02-22T02:06:58.147Z`. Such strings sort by time."""
    return moment.in_timezone("UTC").isoformat(timespec="milliseconds")[:-6] + "Z"


def stamp_of(milliseconds: int) -> str:
    """An instant, given in milliseconds since 1970, as Asana writes it."""
    return stamp(pendulum.from_timestamp(milliseconds / 1000))


def milliseconds_of(moment: pendulum.DateTime) -> int:
    """Milliseconds since 1970."""
    return moment.int_timestamp * 1000 + moment.microsecond // 1000


class Clock:
    """Real time plus an offset, or a fixed time; `advance` moves both."""

    def __init__(self, frozen_at: pendulum.DateTime | None = None) -> None:
        self._frozen_at = frozen_at
        self._offset = 0.0

    def now(self) -> pendulum.DateTime:
        """The present time of the account, in UTC."""
        return self._frozen_at or pendulum.now("UTC").add(seconds=self._offset)

    def advance(self, seconds: float) -> None:
        """Moves the clock forward."""
        if self._frozen_at is not None:
            self._frozen_at = self._frozen_at.add(seconds=seconds)
        self._offset += seconds
