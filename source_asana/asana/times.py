"""How Asana writes times, and its own clock. Pure."""

from email.utils import parsedate_to_datetime
from functools import lru_cache

import pendulum

TIME_FORMAT = "YYYY-MM-DD[T]HH:mm:ss.SSS[Z]"

LOOKBACK_MINUTES = 5
"""How far before its own beginning a sync's successor looks: Asana's clocks are not one clock."""


@lru_cache(maxsize=8)  # asked for with every page, and the same for a second
def mark_time(date_header: str) -> str:
    """The mark of what is requested from now on, by the `Date` of an answer of the server."""
    return _utc(date_header).subtract(minutes=LOOKBACK_MINUTES).format(TIME_FORMAT)


def asana_time(date_header: str) -> str:
    """The `Date` of an answer of the server, as Asana's records write times."""
    return _utc(date_header).format(TIME_FORMAT)


def days_before(time: str, days: int) -> str:
    """The day that many days before a time that is written as here."""
    return pendulum.from_format(time, TIME_FORMAT).subtract(days=days).format("YYYY-MM-DD")


@lru_cache(maxsize=64)
def shifted(time: str, **by: int) -> str:
    """A time so many days, minutes or seconds later, written as here."""
    return pendulum.from_format(time, TIME_FORMAT).add(**by).format(TIME_FORMAT)


def _utc(date_header: str) -> pendulum.DateTime:
    return pendulum.instance(parsedate_to_datetime(date_header)).in_timezone("UTC")
