"""How much of the quota the connector and the CDK's own retry alone use, over real sockets.

    python -m integration_tests.pace --minutes 5.5

prints both as a table. Each scenario has its own emulated Asana, from which 25 workers request
tasks without end. The quota, if it changes, does so after a quarter of the time. Learning is
over when the last minute begins: its requests and refusals are the steady state.
"""

import argparse
import logging
import multiprocessing
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import NamedTuple

import requests
from airbyte_cdk.sources.streams.http import HttpClient
from airbyte_cdk.sources.streams.http.requests_native_auth import TokenAuthenticator
from airbyte_cdk.utils import AirbyteTracedException

from integration_tests.asana_emulator import AsanaEmulator, make_account
from integration_tests.reading import SERVICE
from source_asana.asana.auth import AsanaToken
from source_asana.asana.client import AsanaClient
from source_asana.asana.connection import Connection
from source_asana.asana.errors import AsanaFailure, FatalError
from source_asana.asana.rate_limit import RateLimit, Stopped

WORKERS = 25
OTHER_WORKERS = 5
MINUTE = 60.0
CHANGE = 0.25
LATENCY = 0.06
LOOK_SECONDS = 0.25
SHORTEST_PAUSE = 1.0
FULL_SPEED = 0.95
FULL_SPEED_SECONDS = 10.0
OWN, OTHERS = "/tasks", "/workspaces"
HEADINGS = (
    "",
    "",
    "used by it",
    "by another",
    "429",
    "429s while learning",
    "most in flight",
    "seconds to recover",
    "given up",
)


@dataclass(frozen=True)
class Scenario:
    """A quota of requests within a minute or a shorter `window`, maybe another one `later`.

    `other`: requests per minute that another program makes with the same token.
    """

    name: str
    quota: int
    other: int = 0
    later: int | None = None
    says_when: bool = True
    window: float = MINUTE

    @property
    def last_quota(self) -> int:
        return self.later or self.quota


SCENARIOS = (
    Scenario("paid plan", 1500),
    Scenario("free plan", 150),
    Scenario("paid plan, shared", 1500, other=750),
    Scenario("free plan, shared", 150, other=75),
    Scenario("from paid to free", 1500, later=150),
    Scenario("from free to paid", 150, later=1500),
    Scenario("free plan, no `Retry-After`", 150, says_when=False),
    Scenario("paid plan, shared, no `Retry-After`", 1500, other=750, says_when=False),
)


class Look(NamedTuple):
    """Asana's counts at one moment."""

    at: float
    served: float
    refused: int
    others_served: int


@dataclass
class Course:
    """How a scenario went."""

    scenario: Scenario
    looks: Sequence[Look]
    most_in_flight: int
    given_up: int

    @property
    def last_minute(self) -> tuple[Look, Look]:
        """The counts at its beginning and its end."""
        return self._look_at(self.looks[-1].at - MINUTE), self.looks[-1]

    @property
    def seconds_to_recover(self) -> float | None:
        """Seconds from a change, or else from the end of the first pause, to full speed.

        None if it never gets there; 0 if there was nothing to recover from.
        """
        start = self._begin_of_recovery()
        if start is None:
            return 0.0
        end = self.looks[-1].at - FULL_SPEED_SECONDS
        tried = (look for look in self.looks if start.at <= look.at <= end)
        return next((look.at - start.at for look in tried if self._is_full_from(look)), None)

    def share(self, served: float, start: Look, end: Look) -> float:
        """The share of the final quota that this many requests are."""
        return MINUTE * served / (self.scenario.last_quota * (end.at - start.at))

    def _begin_of_recovery(self) -> Look | None:
        changed = self._look_at(CHANGE * self.looks[-1].at) if self.scenario.later else None
        since = changed or self.looks[0]
        refused = next((look for look in self.looks if look.refused > since.refused), None)
        if refused is None:
            return changed
        after = [look for look in self.looks if look.at >= refused.at + SHORTEST_PAUSE]
        return next((look for look in after if look.served > after[0].served), self.looks[-1])

    def _is_full_from(self, start: Look) -> bool:
        end = self._look_at(start.at + FULL_SPEED_SECONDS)
        served = end.served + end.others_served - start.served - start.others_served
        return self.share(served, start, end) >= FULL_SPEED

    def _look_at(self, moment: float) -> Look:
        return self.looks[bisect_left(self.looks, moment, key=lambda look: look.at)]


@contextmanager
def connector(asana: AsanaEmulator, gid: str) -> Iterator[Callable[[], object]]:
    """Send requests as the connector does."""
    rate_limit = RateLimit()
    client = AsanaClient(
        api_url=asana.base_url,
        token=AsanaToken(asana.tokens.pat(SERVICE)),
        rate_limit=rate_limit,
        connection=Connection(asana.url, threads=WORKERS),
    )
    try:
        yield lambda: list(client.pages("tasks", {"project": gid}, purpose="tasks"))
    finally:
        rate_limit.stop()


@contextmanager
def cdk_alone(asana: AsanaEmulator, gid: str) -> Iterator[Callable[[], object]]:
    """Send requests as a source does that leaves everything to the CDK."""
    token = TokenAuthenticator(asana.tokens.pat(SERVICE))
    client = HttpClient("tasks", logging.getLogger("airbyte"), authenticator=token)
    url = f"{asana.base_url}/tasks?project={gid}"
    yield lambda: client.send_request("GET", url, request_kwargs={})


Side = Callable[[AsanaEmulator, str], AbstractContextManager[Callable[[], object]]]
SIDES: Mapping[str, Side] = {"connector": connector, "CDK alone": cdk_alone}


def measure(scenario: Scenario, side: Side, seconds: float) -> Course:
    """Let the workers send requests for this many seconds."""
    over = threading.Event()
    given_up: list[Exception] = []
    with AsanaEmulator(make_account("sample"), kept_requests=0) as asana:
        set_up(asana, scenario)
        gid = next(iter(asana.expected("projects", SERVICE)))["gid"]
        with side(asana, gid) as ask:
            for _ in range(WORKERS):
                in_background(ask_on, ask, over, given_up)
            others = [
                in_background(ask_evenly, asana, scenario.other / OTHER_WORKERS, over)
                for _ in range(OTHER_WORKERS if scenario.other else 0)
            ]
            looks = list(watched(asana, scenario, seconds))
            over.set()
            for other in others:
                other.join()
        return Course(scenario, looks, asana.ledger.max_in_flight, len(given_up))


def set_up(asana: AsanaEmulator, scenario: Scenario) -> None:
    asana.controls.latency = asana.controls.latency_jitter = LATENCY
    asana.controls.quota_per_minute = scenario.quota
    asana.controls.quota_window = scenario.window
    asana.controls.quota_headers = scenario.says_when


def watched(asana: AsanaEmulator, scenario: Scenario, seconds: float) -> Iterator[Look]:
    """Asana's counts, taken repeatedly for this many seconds; the quota changes meanwhile."""
    began = time.monotonic()
    while (at := time.monotonic() - began) < seconds:
        if scenario.later and at >= CHANGE * seconds:
            asana.controls.quota_per_minute = scenario.later
        count = asana.ledger.count
        yield Look(at, count(OWN, 200), count(OWN, 429), count(OTHERS, 200))
        time.sleep(LOOK_SECONDS)


def ask_on(ask: Callable[[], object], over: threading.Event, given_up: list[Exception]) -> None:
    """Send requests without end; those without an answer at the end are given up."""
    while not over.is_set():
        try:
            ask()
        except Stopped:
            return
        except (AirbyteTracedException, AsanaFailure, FatalError) as failure:
            if not over.is_set():
                given_up.append(failure)


def ask_evenly(asana: AsanaEmulator, per_minute: float, over: threading.Event) -> None:
    """Send requests at a fixed pace, refused or not."""
    headers = {"Authorization": f"Bearer {asana.tokens.pat(SERVICE)}"}
    with requests.Session() as session:
        next_at = time.monotonic()
        while not over.wait(max(0.0, next_at - time.monotonic())):
            session.get(asana.base_url + OTHERS, headers=headers, timeout=MINUTE)
            next_at += MINUTE / per_minute


def in_background(do: Callable[..., None], *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=do, args=arguments, daemon=True)
    thread.start()
    return thread


def courses(side: str, seconds: float) -> list[Course]:
    """All scenarios at once, in a separate process; they wait most of the time."""
    logging.disable()
    with (
        redirect_stdout(StringIO()),  # the CDK reports every refusal to the platform
        ThreadPoolExecutor(len(SCENARIOS)) as pool,
    ):
        return list(pool.map(lambda each: measure(each, SIDES[side], seconds), SCENARIOS))


def row(side: str, course: Course) -> list[str]:
    start, end = course.last_minute
    served, refused = end.served - start.served, end.refused - start.refused
    others = course.share(end.others_served - start.others_served, start, end)
    recovered = course.seconds_to_recover
    return [
        course.scenario.name,
        side,
        f"{course.share(served, start, end):.1%}",
        f"{others:.1%}" if course.scenario.other else "",
        f"{refused / max(1, refused + served):.1%}",
        str(start.refused),
        str(course.most_in_flight),
        "never" if recovered is None else f"{recovered:.0f}",
        str(course.given_up),
    ]


def table(rows: Iterable[Sequence[str]]) -> str:
    lines = [HEADINGS, ["---"] * len(HEADINGS), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Measure all scenarios."""
    parser = argparse.ArgumentParser(prog="python -m integration_tests.pace", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.5)
    seconds = MINUTE * parser.parse_args().minutes
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(SIDES), mp_context=spawn) as processes:
        measured = list(processes.map(courses, SIDES, [seconds] * len(SIDES)))
    rows = [
        row(*each) for pair in zip(*measured, strict=True) for each in zip(SIDES, pair, strict=True)
    ]
    print(table(rows))  # noqa: T201 - a program's answer


if __name__ == "__main__":
    main()
