"""What the user sees meanwhile: a live display on a terminal, plain lines elsewhere."""

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
PROJECTS_FOR_AN_ESTIMATE = 2
SHORTEST_WAIT_SHOWN = 1.0
STOPPING = "Stopping: saving what is complete. Press Ctrl-C again to quit at once."


@dataclass
class Standing:
    """How far a sync is. `continues_at`: until when Asana makes it wait, in seconds since 1970."""

    streams: int
    streams_done: int = 0
    records: int = 0
    requests: int = 0
    projects_done: int = 0
    projects_known: int = 0
    continues_at: float = 0.0
    is_stopping: bool = False


class Pace:
    """Requests a minute, over the last minute, and the time that is left.

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
        """The rate, when so many requests have been sent in all."""
        now = self._clock()
        self._counts.append((now, requests))
        while len(self._counts) > 2 and self._counts[1][0] <= now - RATE_SECONDS:  # noqa: PLR2004
            self._counts.popleft()
        since, before = self._counts[0]
        return 60 * (requests - before) / (now - since) if now > since else 0.0

    def seconds_left(self, standing: Standing) -> float | None:
        """As long as the projects that are left take at the speed so far; None if unknown."""
        if standing.projects_done < PROJECTS_FOR_AN_ESTIMATE:
            return None
        left = standing.projects_known - standing.projects_done
        return self.elapsed * left / standing.projects_done


class Screen(Protocol):
    """Where a sync shows how far it is."""

    def show(self) -> None:
        """Show how far it is, as often as is useful."""

    def say(self, text: str) -> None:
        """Print a line that stays."""


def in_words(standing: Standing, per_minute: float, seconds_left: float | None) -> str:
    """How far a sync is, in a line."""
    parts = []
    if standing.projects_known:
        parts.append(f"{standing.projects_done:,} of {standing.projects_known:,} projects done")
    parts += [
        f"{standing.streams_done} of {standing.streams} streams",
        f"{standing.records:,} records",
        f"{standing.requests:,} requests ({per_minute:,.0f}/min)",
    ]
    if seconds_left:
        parts.append(f"about {duration(seconds_left)} left")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """A duration, as exact as a reader needs."""
    if seconds < 90:  # noqa: PLR2004
        return f"{max(seconds, 1):.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def waiting(standing: Standing, now: float) -> str | None:
    """When a sync that waits for Asana continues, in local time; None if it does not wait."""
    wait = standing.continues_at - now
    if wait < SHORTEST_WAIT_SHOWN:
        return None
    then = datetime.now().astimezone() + timedelta(seconds=wait)
    return f"Asana rate limit reached; continues at {then:%H:%M:%S}, in {duration(wait)}"


class PlainScreen:
    """A line every ten seconds, and one for each wait."""

    def __init__(
        self,
        standing: Standing,
        stream: TextIO,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._standing = standing
        self._stream = stream
        self._clock = clock
        self._now = now
        self._pace = Pace(clock)
        self._due = clock() + SECONDS_BETWEEN_LINES
        self._told_wait = 0.0

    def show(self) -> None:
        standing = self._standing
        per_minute = self._pace.per_minute(standing.requests)
        if standing.continues_at > self._told_wait + SHORTEST_WAIT_SHOWN and (
            wait := waiting(standing, self._now())
        ):
            self._told_wait = standing.continues_at
            self.say(wait)
        if self._clock() >= self._due:
            self._due = self._clock() + SECONDS_BETWEEN_LINES
            self.say(in_words(standing, per_minute, self._pace.seconds_left(standing)))

    def say(self, text: str) -> None:
        print(f"{self._pace.elapsed:6.1f} s  {text}", file=self._stream, flush=True)


class LiveScreen:
    """A bar and two lines that change, below the lines that stay."""

    def __init__(self, standing: Standing, console: Console) -> None:
        self._standing = standing
        self._console = console
        self._pace = Pace()

    def __rich__(self) -> RenderableType:
        """The display of now: it is drawn again several times a second."""
        standing = self._standing
        grid = Grid.grid(padding=(0, 1))
        known, done = standing.projects_known, standing.projects_done
        bar = ProgressBar(total=known or None, completed=done, pulse=not known, width=40)
        words = in_words(
            standing,
            self._pace.per_minute(standing.requests),
            self._pace.seconds_left(standing),
        )
        grid.add_row(bar, Text(duration(self._pace.elapsed)))
        lines = Grid.grid()
        lines.add_row(grid)
        lines.add_row(Text(words))
        if wait := waiting(standing, time.time()):
            lines.add_row(Text(wait, style="yellow"))
        if standing.is_stopping:
            lines.add_row(Text(STOPPING, style="yellow"))
        return lines

    def show(self) -> None:
        """Nothing: it is drawn by a thread of its own."""

    def say(self, text: str) -> None:
        self._console.print(Text(text))


@contextmanager
def screen(standing: Standing, stream: TextIO | None = None) -> Iterator[Screen]:
    """What suits the place where messages go (stderr)."""
    stream = stream or sys.stderr
    console = Console(file=stream)
    if not console.is_terminal:
        yield PlainScreen(standing, stream)
        return
    live = LiveScreen(standing, console)
    with Live(live, console=console, refresh_per_second=4, transient=True):
        yield live
