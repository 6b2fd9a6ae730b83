"""How Asana writes times, and Asana's clock as its answers show it. Pure."""

from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

import pendulum

TIME_FORMAT = "YYYY-MM-DD[T]HH:mm:ss.SSS[Z]"

LOOKBACK_MINUTES = 5
"""How far before its own start the next sync looks back: Asana's servers disagree on the time."""


@lru_cache(maxsize=8)  # every page needs it, and it stays the same for a second
def mark_time(date_header: str) -> str:
    """The resume point for what is requested after an answer with this `Date` header."""
    return _utc(date_header).subtract(minutes=LOOKBACK_MINUTES).format(TIME_FORMAT)


def asana_time(date_header: str) -> str:
    """The `Date` header of an answer, in the format of times in Asana's records."""
    return _utc(date_header).format(TIME_FORMAT)


def days_before(time: str, days: int) -> str:
    """The date (YYYY-MM-DD) `days` days before a time in Asana's format."""
    return pendulum.from_format(time, TIME_FORMAT).subtract(days=days).format("YYYY-MM-DD")


@lru_cache(maxsize=64)
def shifted(time: str, **by: int) -> str:
    """A time in Asana's format, moved by so many `days`, `minutes` or `seconds`."""
    return pendulum.from_format(time, TIME_FORMAT).add(**by).format(TIME_FORMAT)


def minute_of(time: str) -> int:
    """The number of whole minutes from 1970 to a time in Asana's format."""
    return int(datetime.fromisoformat(time).timestamp()) // 60


def _utc(date_header: str) -> pendulum.DateTime:
    return pendulum.instance(parsedate_to_datetime(date_header)).in_timezone("UTC")
