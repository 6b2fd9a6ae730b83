"""How many requests an incremental sync of thousands of projects makes, endpoint by endpoint.

    python -m integration_tests.freshness --projects 10000

Each project has two tasks, because the number of requests depends on the projects and on what has
changed. The syncs resume from a first sync of a few streams. All others get the marks and the sync
tokens of `sections`: to read their records first would only take time.
"""

import argparse
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pendulum

from integration_tests.asana_emulator import AsanaEmulator, Clock, make_account
from integration_tests.asana_emulator.account import Account
from integration_tests.reading import SERVICE, Json, Said, catalog_of, config_for, run
from source_asana.streams.declared import STREAMS

BEGIN = pendulum.datetime(2026, 11, 2, 8)
MINUTES_BETWEEN_SYNCS = 15
TASKS_IN_A_PROJECT = 2
PER_MINUTE = 1_477
"""The requests that the connector makes on a paid plan."""
INCREMENTAL = tuple(name for name, stream in STREAMS.items() if stream.cursor_field)
FOLLOWED = tuple(name for name in INCREMENTAL if STREAMS[name].is_told_by_events())
FIRST = ("projects", "sections", "time_tracking_entries", "audit_log_events")
SELECTIONS = {
    "usual": ("users", "projects", "sections", "tasks", "subtasks", "stories", "attachments"),
    "all incremental": INCREMENTAL,
}


@dataclass(frozen=True)
class Scenario:
    """A sync: which streams, whether 1 % of the tasks have changed, and the recheck interval."""

    selection: str
    is_changed: bool = False
    interval: int | None = None

    @property
    def heading(self) -> str:
        how = "each sync" if self.interval is None else f"every {self.interval} min"
        return f"{self.selection}, {'1 % changed' if self.is_changed else 'unchanged'}, {how}"


def scenarios(intervals: Collection[int | None]) -> list[Scenario]:
    """All of them; those in which nothing has changed come first."""
    return [
        Scenario(selection, is_changed, interval)
        for is_changed in (False, True)
        for selection in SELECTIONS
        for interval in intervals
    ]


class Office:
    """An account of many small projects, a quarter of an hour after a sync."""

    def __init__(self, asana: AsanaEmulator) -> None:
        self.asana = asana
        self._states = self._begin()
        self._is_changed = False
        asana.account.clock.advance(60 * MINUTES_BETWEEN_SYNCS)

    @staticmethod
    def account(projects: int) -> Account:
        """An account of about so many projects."""
        tasks = projects * TASKS_IN_A_PROJECT
        return make_account(tasks, clock=Clock(BEGIN), in_each=TASKS_IN_A_PROJECT)

    def requests(self, scenario: Scenario) -> Counter[str]:
        """The requests of a sync by endpoint. What has changed once stays changed."""
        if scenario.is_changed and not self._is_changed:
            self.asana.change(change_every_hundredth_task)
            self.asana.account.clock.advance(1)
            self._is_changed = True
        self.asana.ledger.reset()
        more = {"recheck_interval_minutes": scenario.interval} if scenario.interval else {}
        said = self._sync(SELECTIONS[scenario.selection], self._states, **more)
        assert said.exit_status == 0, said.errors()
        return Counter(self.asana.ledger.by_path())

    def _begin(self) -> list[Json]:
        said = self._sync(FIRST, [])
        marks = {name: said.states(name)[-1] for name in FIRST}
        marks |= dict.fromkeys(FOLLOWED, marks["sections"])
        marks["status_updates"] = {"modified_since": marks["sections"]["modified_since"]}
        return [
            {
                "type": "STREAM",
                "stream": {"stream_descriptor": {"name": name}, "stream_state": blob},
            }
            for name, blob in marks.items()
        ]

    def _sync(self, streams: Collection[str], states: list[Json], **more: Any) -> Said:
        return run("read", self.asana, config_for(self.asana, **more), catalog(streams), states)


def catalog(streams: Collection[str]) -> Json:
    """A catalog in which every stream is incremental that can be."""
    made = catalog_of(streams)
    for configured in made["streams"]:
        if configured["stream"]["name"] in INCREMENTAL:
            configured["stream"]["supported_sync_modes"].append("incremental")
            configured |= {"sync_mode": "incremental", "destination_sync_mode": "append_dedup"}
    return made


def change_every_hundredth_task(account: Account) -> None:
    """Comment on it."""
    for number, task in enumerate(list(_tasks(account))):
        if number % 100 == 0:
            account.comment(task, "Nearly there")


def _tasks(account: Account) -> Iterator[str]:
    viewer = account.people[SERVICE]
    for workspace in account.listing(viewer, "workspaces", ""):
        for project in account.listing(viewer, "projects", workspace):
            yield from account.listing(viewer, "tasks", project)


def table(measured: Mapping[Scenario, Counter[str]]) -> str:
    """Markdown: a row for each endpoint, a column for each scenario."""
    total = Counter(
        {
            path: sum(each[path] for each in measured.values())
            for path in set().union(*measured.values())
        }
    )
    rows = [["endpoint", *(scenario.heading for scenario in measured)]]
    rows.append(["---", *("---:" for _ in measured)])
    rows += [
        [f"`{path}`", *(f"{each[path]:,}" for each in measured.values())]
        for path, _ in total.most_common()
    ]
    rows.append(["all", *(f"{each.total():,}" for each in measured.values())])
    rows.append(["minutes", *(f"{each.total() / PER_MINUTE:.1f}" for each in measured.values())])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m integration_tests.freshness", description=__doc__
    )
    parser.add_argument("--projects", type=int, default=1_000)
    parser.add_argument("--intervals", type=int, nargs="*", default=[360])
    parser.add_argument("--workspace-events", action="store_true")
    asked = parser.parse_args()
    with AsanaEmulator(Office.account(asked.projects)) as asana:
        asana.controls.workspace_events = asked.workspace_events
        office = Office(asana)
        measured = {each: office.requests(each) for each in scenarios([None, *asked.intervals])}
    print(table(measured))  # noqa: T201 - a program's answer


if __name__ == "__main__":
    main()
