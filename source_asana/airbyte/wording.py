"""Numbers in messages, with the right plural. Pure."""

SECONDS_PER_MINUTE = 60
SECONDS_PER_HOUR = 3600


def counted(number: int, noun: str) -> str:
    """A number of things: "1 task", "1,200 tasks"."""
    return f"{number:,} {noun}" + ("s" if number != 1 else "")


def duration_in_words(seconds: float) -> str:
    """An estimate: "40 s", "5 min", "2.5 h"."""
    if seconds < SECONDS_PER_MINUTE:
        return f"{seconds:.0f} s"
    if seconds < SECONDS_PER_HOUR:
        return f"{seconds / SECONDS_PER_MINUTE:.0f} min"
    return f"{seconds / SECONDS_PER_HOUR:.1f} h"
