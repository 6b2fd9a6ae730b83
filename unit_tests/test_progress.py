"""What the log says during a sync and at its end."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from source_asana.airbyte.outcome import Tally, advice_on
from source_asana.airbyte.progress import Progress
from source_asana.airbyte.sync_log import SyncLog
from source_asana.asana.errors import Refusal
from source_asana.asana.observed import Observed
from source_asana.reading.container import Container
from source_asana.reading.listing import Listing, Selection
from source_asana.reading.plan import make_plan
from source_asana.reading.visits import Visit
from source_asana.streams.declared import Stories, StoriesCompact, Tasks

ACCOUNT = Container("account", "")
FORBIDDEN = Refusal(403, "Forbidden", "tasks")


@dataclass
class Sync:
    """The numbers of a sync, and its log."""

    log: pytest.LogCaptureFixture
    now: float = 100.0
    wait: float = 0.0
    open_projects: int = 0
    progress: Progress = field(init=False)
    sync_log: SyncLog = field(init=False)
    observed: Observed = field(default_factory=Observed)

    def __post_init__(self) -> None:
        self.progress = Progress(
            logging.getLogger("airbyte"),
            self.observed.sent,
            seconds_to_wait=lambda: self.wait,
            open_projects=lambda: self.open_projects,
            clock=lambda: self.now,
        )
        self.sync_log = SyncLog(logging.getLogger("airbyte"), self.progress, self.observed)

    @property
    def requests(self) -> Counter[str]:
        return self.observed.sent

    def line_after(self, seconds: float) -> list[str]:
        self.log.clear()
        self.now += seconds
        self.progress.log_when_due()
        return self.log.messages

    def said(self, level: int) -> list[str]:
        return [record.getMessage() for record in self.log.records if record.levelno == level]


@pytest.fixture
def sync(caplog: pytest.LogCaptureFixture) -> Iterator[Sync]:
    with caplog.at_level(logging.INFO, logger="airbyte"):
        yield Sync(caplog)


@pytest.fixture
def tasks() -> Listing:
    plan = make_plan({Tasks: Selection()})
    return next(listing for listing in plan.listings if listing.outputs)


def test_a_line_comes_every_ten_seconds(sync: Sync) -> None:
    said = [bool(sync.line_after(1)) for _ in range(30)]
    assert said == [second % 10 == 0 for second in range(1, 31)]


def test_a_line_has_the_requests_their_rate_and_the_records(sync: Sync) -> None:
    sync.requests.update(tasks=1_200, stories=300)
    sync.progress.records["tasks"] += 100
    sync.progress.records["stories"] += 2_400
    assert sync.line_after(60) == ["2,500 records, 1,500 requests (1,500/min)"]


def test_a_line_has_the_number_of_known_projects_that_are_done(sync: Sync) -> None:
    sync.open_projects = 2
    sync.progress.project_ended()
    (line,) = sync.line_after(10)
    assert line == "1 of 3 projects done, 0 records, 0 requests (0/min), about 20 s left"


def test_the_time_left_is_not_estimated_from_one_project_of_many(sync: Sync) -> None:
    sync.open_projects = 50
    sync.progress.project_ended()
    assert sync.line_after(10) == ["1 of 51 projects done, 0 records, 0 requests (0/min)"]
    sync.open_projects = 49
    sync.progress.project_ended()
    assert sync.line_after(10)[0].endswith(", about 8 min left")


def test_a_line_explains_why_nothing_happens(sync: Sync) -> None:
    sync.wait = 42
    (line,) = sync.line_after(10)
    assert line.endswith("; paused for 42 s by Asana's rate limit")


def test_ten_skipped_objects_are_named_and_the_others_counted(sync: Sync, tasks: Listing) -> None:
    for times in range(1, 13):
        sync.sync_log.skipped(Visit(tasks, str(times), ACCOUNT), FORBIDDEN)
    assert sync.said(logging.WARNING) == [
        *(f"tasks: skipped project {gid} (403 from Asana: Forbidden)" for gid in range(1, 11)),
        "tasks: further skipped objects are counted only",
    ]


def test_the_log_names_what_could_not_be_read(sync: Sync, tasks: Listing) -> None:
    sync.sync_log.failed(Visit(tasks, "1200", ACCOUNT), TimeoutError("no answer"))
    assert sync.said(logging.ERROR) == ["tasks: cannot read project 1200: no answer"]


def test_the_summary_has_each_stream_and_the_listings_on_the_way(sync: Sync) -> None:
    plan = make_plan({Tasks: Selection()})
    sync.requests.update(workspaces=1, projects=3, tasks=1_033)
    sync.progress.records["tasks"] += 2_500
    sync.now += 12.34
    sync.sync_log.ended("tasks")
    sync.sync_log.summary({listing: Tally() for listing in plan.listings})
    assert sync.said(logging.INFO) == [
        "on the way: workspaces, 1 request",
        "on the way: projects, 3 requests",
        "tasks: 2,500 records, 1,033 requests, 12.3 s",
    ]


def test_requests_that_streams_share_are_counted_once(sync: Sync) -> None:
    plan = make_plan({StoriesCompact: Selection(), Stories: Selection()})
    shared = next(listing for listing in plan.listings if listing.outputs)
    sync.requests.update(stories=7)
    sync.progress.records["stories"] += 10
    sync.progress.records["stories_compact"] += 10
    sync.sync_log.summary({shared: Tally()})
    assert sorted(sync.said(logging.INFO)) == [
        "stories: 10 records, 0 requests, 0.0 s",
        "stories_compact: 10 records, 7 requests, 0.0 s",
    ]


def test_the_summary_counts_skipped_objects_by_reason(sync: Sync, tasks: Listing) -> None:
    refused = Counter({403: 1_200, 404: 1})
    sync.sync_log.summary({tasks: Tally(read=99, refused=refused, first_refusal=FORBIDDEN)})
    assert sync.said(logging.WARNING) == [
        f"tasks: skipped 1,201 of 1,300 requests (1,200 with 403, 1 with 404). {advice_on(403)} "
        + advice_on(404)
    ]


def test_a_debug_line_has_the_numbers_each_second_for_programs(
    sync: Sync, caplog: pytest.LogCaptureFixture
) -> None:
    sync.requests["tasks"], sync.open_projects = 12, 3
    sync.progress.records["tasks"] += 40
    sync.progress.project_ended()
    assert not sync.line_after(5)
    with caplog.at_level(logging.DEBUG, logger="airbyte"):
        assert not sync.line_after(0.5)
        assert sync.line_after(1) == ["progress"]
    assert vars(caplog.records[-1])["progress"] == {
        "requests": 12,
        "records": 40,
        "projects_done": 1,
        "projects_known": 4,
        "seconds_to_wait": 0.0,
    }
