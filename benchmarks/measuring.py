"""Runs the cases."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from benchmarks.asana import Asana, emulated
from benchmarks.cases import BARE, LOADERS, OURS, Case
from benchmarks.connectors import Connector, Json, configured
from benchmarks.figures import Measurement, differences
from benchmarks.loading import target
from benchmarks.said import Said, said
from source_asana.reading.listing import Selection
from source_asana.reading.plan import make_plan
from source_asana.streams.declared import Tasks

PATIENCE = 1_800.0
"""Seconds after which a connector is stopped."""


@dataclass(frozen=True)
class Cost:
    """The cost of a program: seconds, and peak memory in bytes."""

    wall: float
    cpu: float
    memory: int
    exit_status: int


def measured(cases: Iterable[Case], known: Mapping[str, Connector]) -> Iterator[Measurement]:
    """Measure all cases, account by account; those that change an account come last."""
    ordered = sorted(cases, key=lambda case: (case.account, case.changed))
    with TemporaryDirectory() as folder:
        for account, here in groupby(ordered, key=lambda case: case.account):
            with emulated(account) as asana:
                bench = Bench(asana, known, Path(folder))
                for case in here:
                    yield from bench.measured(case)


@dataclass(frozen=True)
class Bench:
    """An account, the connectors, and a folder for their files."""

    asana: Asana
    known: Mapping[str, Connector]
    folder: Path

    def measured(self, case: Case) -> Iterator[Measurement]:
        """Yield each run of a case, the connectors in turn."""
        if case.warm:
            self._run(self.known[OURS], replace(case, latency_ms=0, quota=None))
        if case.changed:
            yield self._after_changes(case)
            return
        if case.resumed:
            yield self._resumed(case)
            return
        if BARE in case.connectors:
            self._fetch_pages()
        for _ in range(case.runs):
            for name in case.connectors:
                if name == BARE:
                    yield self._bare(case)
                elif name in LOADERS:
                    yield self._loaded(name, case)
                else:
                    yield self._measured(name, case)

    def _measured(self, name: str, case: Case) -> Measurement:
        cost, told = self._run(self.known[name], case)
        return self._measurement(case, name, cost, told, self._differences(case, told))

    def _loaded(self, name: str, case: Case) -> Measurement:
        """A sync into an empty database; the records are those in its tables."""
        self._prepare(case)
        config = self._written("config", {"config": self.known[OURS].config(case, self.asana)})
        output = self.folder / "output.txt"
        with target(name, self.folder) as empty:
            cost = self._cost(empty.command(config, case.streams), output, tls=case.tls)
            told = Said(empty.gids(case.streams), {}, 0, None)
        return self._measurement(case, name, cost, told, self._differences(case, told))

    def _differences(self, case: Case, told: Said) -> tuple[int, int]:
        return differences({stream: self.asana.gids(stream) for stream in case.streams}, told.gids)

    def _after_changes(self, case: Case) -> Measurement:
        """An incremental sync, after a first one and some changes."""
        first = replace(case, latency_ms=0)
        _, before = self._run(self.known[OURS], first, incremental=True)
        changed = self._change(case)
        states = list(before.states.values())
        cost, told = self._run(self.known[OURS], case, incremental=True, states=states)
        self.asana.known.clear()
        missing, _ = differences(changed, told.gids)
        _, too_many = self._differences(case, told)
        return self._measurement(case, OURS, cost, told, (missing, too_many))

    def _resumed(self, case: Case) -> Measurement:
        """A first sync that resumes one that read half of the projects."""
        half = list(self.asana.gids("projects"))[::2]
        _, before = self._run(self.known[OURS], case, incremental=True, projects=half)
        states = list(before.states.values())
        cost, told = self._run(self.known[OURS], case, incremental=True, states=states)
        left = {stream: self.asana.gids(stream) - before.gids[stream] for stream in case.streams}
        missing, _ = differences(left, told.gids)
        _, too_many = self._differences(case, told)
        return self._measurement(case, OURS, cost, told, (missing, too_many))

    def _change(self, case: Case) -> dict[str, Counter[str]]:
        """Rename some tasks, comment on as many others; return what a sync must deliver."""
        every = round(1 / case.changed)
        chosen = list(self.asana.gids("tasks"))[::every]
        renamed, discussed = chosen[::2], chosen[1::2]
        renaming = [
            {"change": "modify_task", "gid": gid, "name": "Called something else"}
            for gid in renamed
        ]
        commenting = [
            {"change": "comment", "task": gid, "text": "What is this about?"} for gid in discussed
        ]
        self.asana.tell("changes", renaming)
        comments = self.asana.tell("changes", commenting)["outcomes"]
        return {"tasks": Counter(renamed), "stories": Counter(comments)}

    def _run(
        self,
        connector: Connector,
        case: Case,
        *,
        incremental: bool = False,
        states: Sequence[Any] = (),
        projects: Sequence[str] = (),
    ) -> tuple[Cost, Said]:
        """Run a command after a reset of the ledger."""
        self._prepare(case)
        given: dict[str, Any] = {}
        if case.command != "spec":
            given["config"] = connector.config(case, self.asana)
        if projects:
            given["config"]["project_gids"] = projects
        if case.command == "read":
            shown = self._catalog(connector, case)
            given["catalog"] = configured(shown, case.streams, incremental=incremental)
        if states:
            given["state"] = states
        options = [word for name in given for word in (f"--{name}", self._written(name, given))]
        return self._timed(
            [str(connector.program), case.command, *options],
            tls=case.tls,
        )

    def _prepare(self, case: Case) -> None:
        """Reset the ledger, and set up the account for the case."""
        self.asana.tell("reset")
        self.asana.tell(
            "controls",
            {
                "latency": case.latency_ms / 1000,
                "quota_per_minute": case.quota,
                "quota_window": case.window,
            },
        )

    def _catalog(self, connector: Connector, case: Case) -> Json:
        """The result of `discover`, run once."""
        file = self.folder / f"shown_by_{connector.name}.json"
        if not file.exists():
            config = {"config": connector.config(case, self.asana)}
            command = [str(connector.program), "discover", "--config"]
            _, told = self._timed([*command, self._written("config", config)])
            file.write_bytes(orjson.dumps(told.catalog))
        catalog: Json = orjson.loads(file.read_bytes())
        return catalog

    def _written(self, name: str, given: Mapping[str, Any]) -> str:
        file = self.folder / f"{name}.json"
        file.write_bytes(orjson.dumps(given[name]))
        return str(file)

    def _timed(self, command: Sequence[str], *, tls: bool = True) -> tuple[Cost, Said]:
        output = self.folder / "output.jsonl"
        cost = self._cost(command, output, tls=tls)
        with output.open("rb") as lines:
            told = said(lines)
        output.unlink()
        return cost, told

    def _cost(self, command: Sequence[str], output: Path, *, tls: bool) -> Cost:
        environment = self.asana.environment if tls else self.asana.plain_environment
        timed = [sys.executable, "-m", "benchmarks.timed", str(output), str(PATIENCE), *command]
        done = subprocess.run(timed, env=dict(environment), stdout=subprocess.PIPE, check=True)
        return Cost(**orjson.loads(done.stdout))

    def _bare(self, case: Case) -> Measurement:
        python = str(self.known[OURS].python)
        command = [python, "-m", "benchmarks.bare", *case.streams, str(self._pages)]
        cost, told = self._timed(command)
        self.asana.tell("reset")
        return self._measurement(case, BARE, cost, told, self._differences(case, told))

    @property
    def _pages(self) -> Path:
        return self.folder / "pages.jsonl"

    def _fetch_pages(self) -> None:
        """The pages of tasks that our connector gets, one per line."""
        listings = make_plan({Tasks: Selection()}).listings
        fields = next(each.opt_fields for each in listings if each.stream is Tasks)
        with self._pages.open("wb") as pages:
            for project in self.asana.gids("projects"):
                asked = {"project": project, "limit": "100", "opt_fields": fields}
                for page in self.asana.pages("tasks", asked):
                    pages.write(page + b"\n")

    def _measurement(
        self, case: Case, name: str, cost: Cost, told: Said, differing: tuple[int, int]
    ) -> Measurement:
        ledger = self.asana.ask("ledger")
        missing, too_many = differing
        return Measurement(
            case=case.name,
            group=case.group,
            connector=name,
            requests=ledger["requests"],
            refused=ledger["by_status"].get("429", 0),
            floor=self.asana.floor(case.streams) if case.streams else 0,
            wall=cost.wall,
            cpu=cost.cpu,
            memory=cost.memory,
            records=told.records,
            missing=missing,
            too_many=too_many,
            other_bytes=told.other_bytes,
            exit_status=cost.exit_status,
        )
