"""What a sync reports while Asana makes it wait, so that it does not look dead."""

import logging
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.reading import SERVICE, Json, Said, catalog_of, config_for, run
from source_asana.airbyte.checkpoints import Checkpoints
from source_asana.airbyte.deletions import Deletions
from source_asana.airbyte.due import Due
from source_asana.airbyte.messages import RecordBatch
from source_asana.airbyte.platform import Platform
from source_asana.airbyte.progress import Progress
from source_asana.airbyte.reporter import Reporter
from source_asana.airbyte.sync_log import SyncLog
from source_asana.reading.account import Account
from source_asana.reading.filters import ALL
from source_asana.reading.findings import Idle
from source_asana.reading.listing import Selection
from source_asana.reading.plan import make_plan
from source_asana.reading.resumption import Resumption
from source_asana.streams.declared import Tags
from source_asana.streams.sources import StreamClass

A_MINUTE = 60.0
AN_HOUR = 3600.0
A_SECOND = 1.0
BEGIN = 1_000_000.0


def waits(said: Said) -> list[Json]:
    """The statuses that report that Asana's quota is used up, each with the time of its message."""
    return [
        {**trace["trace"]["stream_status"], "emitted_at": trace["trace"]["emitted_at"]}
        for trace in said.traces("STREAM_STATUS")
        if (trace["trace"]["stream_status"].get("reasons") or [{}])[0].get("type") == "RATE_LIMITED"
    ]


def name_of(status: Json) -> str:
    name: str = status["stream_descriptor"]["name"]
    return name


def reset_of(status: Json) -> float:
    """The time when the quota is available again, in seconds since the epoch."""
    (reason,) = status["reasons"]
    return float(reason["rate_limited"]["quota_reset"]) / 1000


@pytest.mark.once
def test_each_unfinished_stream_reports_a_429_with_the_time_when_it_continues(
    asana: AsanaEmulator,
) -> None:
    answered: list[float] = []
    place = "/projects/{project_gid}/sections"
    last = asana.floor(["sections"], SERVICE)[place] - 1
    asana.controls.fail(place, 429, retry_after=5, after=last)
    for after in (last, last + 1):
        asana.controls.interrupt(place, lambda: answered.append(time.time()), after=after)
    streams = ["tags", "sections", "sections_compact"]
    said = run("read", asana, config_for(asana, num_workers=1), catalog_of(streams))
    assert said.exit_status == 0
    refused_at, went_on_at = answered
    assert went_on_at - refused_at >= 5
    told = waits(said)
    assert [name_of(status) for status in told] == ["sections", "sections_compact"]  # not the tags
    for status in told:
        assert status["status"] == "RUNNING"
        assert refused_at <= status["emitted_at"] / 1000 <= reset_of(status)
        assert abs(reset_of(status) - went_on_at) <= 2
    (line,) = (line for line in said.logs("INFO") if "rate limit reached" in line)
    assert re.fullmatch(r"Asana rate limit reached; pausing [1-5] s", line)


def test_a_429_that_ends_at_once_is_not_reported(asana: AsanaEmulator) -> None:
    asana.controls.fail("/tags", 429, retry_after=0.5, after=1)
    said = run("read", asana, config_for(asana), catalog_of(["tags"]))
    assert said.exit_status == 0
    assert asana.ledger.by_status()[429] == 1
    assert waits(said) == []


@dataclass
class Hours:
    """A sync in which nothing happens for hours, each second of which passes at once.

    Asana refuses a request every `refused_every` seconds, and asks for a wait of `pause` seconds.
    """

    pause: float
    refused_every: float
    now: float = BEGIN
    open_at: float = 0.0
    logged_at: list[float] = field(default_factory=list)
    resets: list[float] = field(default_factory=list)
    said_at: list[float] = field(default_factory=list)

    def seconds_to_wait(self) -> float:
        return max(0.0, self.open_at - self.now)

    def quiet(self, hours: float) -> Iterator[Idle]:
        began = self.now
        while self.now < began + hours * AN_HOUR:
            if (self.now - began) % self.refused_every == 0:
                self.open_at = self.now + self.pause
            yield Idle()
            self.now += A_SECOND

    def pass_by(self, hours: float) -> None:
        """Record when the sync logs something, and its messages about the quota."""
        logger = logging.getLogger("airbyte")
        listener = Listener(self)
        logger.addHandler(listener)
        try:
            for message in self._sync(logger).messages(self.quiet(hours), ()):
                self.said_at.append(self.now)
                trace = None if isinstance(message, RecordBatch) else message.trace
                status = trace.stream_status if trace else None
                if status and status.reasons:
                    (reason,) = status.reasons
                    assert reason.rate_limited is not None
                    self.resets.append(reason.rate_limited.quota_reset / 1000)
        finally:
            logger.removeHandler(listener)

    def _sync(self, logger: logging.Logger) -> Reporter:
        selected: dict[StreamClass, Selection] = {Tags: Selection()}
        progress = Progress(
            logger, {}, self.seconds_to_wait, open_projects=lambda: 0, clock=lambda: self.now
        )
        checkpoints = Checkpoints(selected, {}, lambda: "", Due(1.0, clock=lambda: self.now))
        return Reporter(
            Account(make_plan(selected), Resumption(selected, {}), ALL, {}),
            selected,
            checkpoints,
            Deletions(selected, is_on=False, continues=False),
            progress,
            SyncLog(logger, progress),
            Platform(seconds_to_wait=self.seconds_to_wait, now=lambda: self.now),
            lambda _: None,
        )


class Listener(logging.Handler):
    """Records the times of log messages."""

    def __init__(self, hours: Hours) -> None:
        super().__init__()
        self._hours = hours

    def emit(self, _record: logging.LogRecord) -> None:
        self._hours.logged_at.append(self._hours.now)


def longest_silence(hours: Hours, times: list[float]) -> float:
    return max(later - earlier for earlier, later in pairwise([BEGIN, *times, hours.now]))


def test_a_long_wait_is_reported_every_minute_with_the_right_end() -> None:
    hours = Hours(pause=2 * AN_HOUR, refused_every=2 * AN_HOUR)
    hours.pass_by(2)
    assert longest_silence(hours, hours.said_at) <= A_MINUTE
    assert {round(reset) for reset in hours.resets} == {round(hours.open_at)}
    assert len(hours.resets) == 2 * 60


def test_a_sync_in_which_nothing_happens_logs_progress_every_ten_seconds() -> None:
    hours = Hours(pause=0, refused_every=AN_HOUR)
    hours.pass_by(1)
    assert longest_silence(hours, hours.logged_at) <= 10 + A_SECOND
    assert hours.resets == []


def test_a_wait_is_not_reported_again_for_each_refusal() -> None:
    hours = Hours(pause=1.5, refused_every=2)
    hours.pass_by(1)
    assert 0 < len(hours.resets) <= AN_HOUR / 5
