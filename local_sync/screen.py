"""Shows the progress of a sync: a live display on a terminal, plain lines elsewhere."""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table as Grid
from rich.text import Text

SECONDS_BETWEEN_LINES = 10.0
RATE_SECONDS = 60.0
MIN_PROJECTS_FOR_ESTIMATE = 2
MIN_WAIT_SHOWN_SECONDS = 1.0
STOPPING = "Stopping: saving what is complete. Press Ctrl-C again to quit at once."


@dataclass
class Progress:
    """How far a sync is.

    `continues_at`: when the pause after a rate limit ends, in seconds since 1970.
    """

    streams: int
    streams_done: int = 0
    records: int = 0
    requests: int = 0
    projects_done: int = 0
    projects_known: int = 0
    continues_at: float = 0.0
    is_stopping: bool = False


class Pace:
    """The requests in the last minute, and an estimate of the time left.

    `clock`: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._counts: deque[tuple[float, int]] = deque([(self._started, 0)])

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._started

    def per_minute(self, requests: int) -> float:
        """The rate, given how many requests were sent so far."""
        now = self._clock()
        self._counts.append((now, requests))
        while len(self._counts) > 2 and self._counts[1][0] <= now - RATE_SECONDS:  # noqa: PLR2004
            self._counts.popleft()
        since, before = self._counts[0]
        return 60 * (requests - before) / (now - since) if now > since else 0.0

    def seconds_left(self, progress: Progress) -> float | None:
        """Estimate the seconds for the remaining projects at the present speed; None if unknown."""
        if progress.projects_done < MIN_PROJECTS_FOR_ESTIMATE:
            return None
        left = progress.projects_known - progress.projects_done
        return self.elapsed * left / progress.projects_done


class Screen(Protocol):
    """Shows the progress of a sync."""

    def show(self) -> None:
        """Show the progress, unless it was shown just before."""

    def say(self, text: str) -> None:
        """Print a line that stays."""


def progress_line(progress: Progress, per_minute: float, seconds_left: float | None) -> str:
    """How far a sync is, in one line."""
    parts = []
    if progress.projects_known:
        parts.append(f"{progress.projects_done:,} of {progress.projects_known:,} projects done")
    parts += [
        f"{progress.streams_done} of {progress.streams} streams",
        f"{progress.records:,} records",
        f"{progress.requests:,} requests ({per_minute:,.0f}/min)",
    ]
    if seconds_left:
        parts.append(f"about {duration(seconds_left)} left")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """A rounded duration: "45 s", "2 min", "1.5 h"."""
    if seconds < 90:  # noqa: PLR2004
        return f"{max(seconds, 1):.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def wait_line(progress: Progress, now: float) -> str | None:
    """When a rate-limited sync continues, in local time; None if it is not waiting."""
    wait = progress.continues_at - now
    if wait < MIN_WAIT_SHOWN_SECONDS:
        return None
    then = datetime.now().astimezone() + timedelta(seconds=wait)
    return f"Asana rate limit reached; continues at {then:%H:%M:%S}, in {duration(wait)}"


class PlainScreen:
    """Prints a line every ten seconds, and one for each wait."""

    def __init__(
        self,
        progress: Progress,
        stream: TextIO,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._progress = progress
        self._stream = stream
        self._clock = clock
        self._now = now
        self._pace = Pace(clock)
        self._due = clock() + SECONDS_BETWEEN_LINES
        self._shown_wait = 0.0

    def show(self) -> None:
        progress = self._progress
        per_minute = self._pace.per_minute(progress.requests)
        if progress.continues_at > self._shown_wait + MIN_WAIT_SHOWN_SECONDS and (
            wait := wait_line(progress, self._now())
        ):
            self._shown_wait = progress.continues_at
            self.say(wait)
        if self._clock() >= self._due:
            self._due = self._clock() + SECONDS_BETWEEN_LINES
            self.say(progress_line(progress, per_minute, self._pace.seconds_left(progress)))

    def say(self, text: str) -> None:
        print(f"{self._pace.elapsed:6.1f} s  {text}", file=self._stream, flush=True)


class LiveScreen:
    """Draws a bar and two lines, below the lines that are printed."""

    def __init__(self, progress: Progress, console: Console) -> None:
        self._progress = progress
        self._console = console
        self._pace = Pace()

    def __rich__(self) -> RenderableType:
        """The current display; it is drawn several times a second."""
        progress = self._progress
        grid = Grid.grid(padding=(0, 1))
        known, done = progress.projects_known, progress.projects_done
        bar = ProgressBar(total=known or None, completed=done, pulse=not known, width=40)
        words = progress_line(
            progress,
            self._pace.per_minute(progress.requests),
            self._pace.seconds_left(progress),
        )
        grid.add_row(bar, Text(duration(self._pace.elapsed)))
        lines = Grid.grid()
        lines.add_row(grid)
        lines.add_row(Text(words))
        if wait := wait_line(progress, time.time()):
            lines.add_row(Text(wait, style="yellow"))
        if progress.is_stopping:
            lines.add_row(Text(STOPPING, style="yellow"))
        return lines

    def show(self) -> None:
        """Do nothing: a thread of `rich` draws the display."""

    def say(self, text: str) -> None:
        self._console.print(Text(text))


@contextmanager
def screen(progress: Progress, stream: TextIO | None = None) -> Iterator[Screen]:
    """The screen for a terminal or for a plain stream; by default stderr."""
    stream = stream or sys.stderr
    console = Console(file=stream)
    if not console.is_terminal:
        yield PlainScreen(progress, stream)
        return
    live = LiveScreen(progress, console)
    with Live(live, console=console, refresh_per_second=4, transient=True):
        yield live
