"""Plays each trouble in syncs of the emulated sample account, and reports the result."""

import argparse
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from integration_tests.asana_emulator import Account, AsanaEmulator, make_account
from integration_tests.asana_emulator.tokens import TOKEN_PATH
from integration_tests.oracle import DELETED_AT, discovered
from integration_tests.reading import (
    SERVICE,
    Json,
    Record,
    Said,
    catalog_of,
    oauth_credentials,
    pat_credentials,
    run,
)
from integration_tests.troubles import (
    CHOIR,
    COMMENT,
    FIRST,
    FULL_REFRESH,
    GULL_ROCK,
    LATER,
    PLAYED,
    TROUBLES,
    Mode,
    Trouble,
)
from integration_tests.truth_of import truth

WORKERS = (1, 10, 25)
AN_HOUR = 3600
REPORTED_WHEN_DELETED = ("projects", "sections", "sections_compact", "tasks", "subtasks")
"""Rows of other streams may outlive their parents, see docs/incremental.md."""

HEADINGS = (
    *("what goes wrong", "in a", "outcome", "missing", "twice", "wrongly deleted", "endless"),
    *("requests above the floor", "repaired by the next sync"),
)
MANY = 7
MOST_REQUESTS = 5_000
"""Requests of one sync after which it counts as endless; the largest of the rows needs 1,000."""

WELL = Trouble("nothing", patience=300.0)

Key = tuple[str, ...]
Table = dict[Key, Record]
Tables = Mapping[str, Table]


@dataclass(frozen=True)
class Difference:
    """How many records of each stream the tables lack, and how many differ from Asana's."""

    lacking: Counter[str]
    wrong: Counter[str]


@dataclass(frozen=True)
class Outcome:
    """The result of a sync in which something went wrong, and of the next one.

    `errors` are failure types by stream, and `incomplete` streams. `twice` counts the records that
    one sync delivers again, `wrongly_deleted` the tombstones of objects that exist in Asana at the
    end of the sync, `endless` the syncs that made more than `MOST_REQUESTS`. `difference` covers
    the complete streams, `at_last` all streams after the next sync.
    """

    said: Said
    errors: Mapping[str | None, str]
    incomplete: Collection[str]
    has_happened: bool
    above_floor: int
    twice: int
    wrongly_deleted: int
    endless: int
    difference: Difference
    next_said: Said
    at_last: Difference

    @property
    def is_repaired(self) -> bool:
        """Whether the next sync has repaired everything."""
        left = self.at_last.lacking + self.at_last.wrong
        return self.next_said.exit_status == 0 and not left


class Pipeline:
    """A user's connection to an account: a config, a state, and the tables that it fills."""

    def __init__(self, asana: AsanaEmulator, trouble: Trouble, mode: Mode, workers: int) -> None:
        self.tables: Tables = {name: {} for name in trouble.streams}
        self.wrongly_deleted = 0
        self.endless = 0
        self._asana = asana
        self._config = config_of(asana, trouble, workers)
        streams = [stream for name, stream in discovered().items() if name in trouble.streams]
        self._catalog = (
            catalog_of(trouble.streams)
            if mode == FULL_REFRESH
            else {"streams": [stream.configured() for stream in streams]}
        )
        self._states: dict[str, Json] = {}

    def sync(self, trouble: Trouble = WELL) -> Said:
        """Read from the last state during this trouble, and keep the result."""
        said = self.read(trouble)
        self.endless += self._asana.ledger.count() > MOST_REQUESTS
        for message in said.messages:
            match message:
                case {"type": "RECORD", "record": {"stream": stream, "data": record}}:
                    self._put(stream, record)
                case {"type": "STATE", "state": state}:
                    self._states[state["stream"]["stream_descriptor"]["name"]] = state
                case {"type": "CONTROL", "control": {"connectorConfig": {"config": config}}}:
                    self._config = config
        return said

    def read(self, trouble: Trouble = WELL) -> Said:
        """Read from the last state, and keep nothing."""
        self._asana.ledger.reset()
        pace = {"requests_per_minute": None if trouble.learns_the_quota else 60_000}
        return run(
            "read",
            self._asana,
            self._config | pace,
            self._catalog,
            list(self._states.values()),
            patience=trouble.patience,
            answer_seconds=trouble.answer_seconds,
        )

    def empty_full_refresh_tables(self) -> None:
        """Empty the tables of the streams that are full refreshes in every sync."""
        for name, table in self.tables.items():
            if not discovered()[name].incremental:
                table.clear()

    def _put(self, stream: str, record: Record) -> None:
        if record.get(DELETED_AT):
            self.wrongly_deleted += self._asana.account.kind(record["gid"]) is not None
            self.tables[stream].pop(key_of(stream, record), None)
        else:
            self.tables[stream][key_of(stream, record)] = record


def config_of(asana: AsanaEmulator, trouble: Trouble, workers: int) -> Json:
    """The config of the trouble's user."""
    credentials = pat_credentials(asana, trouble.person)
    if trouble.uses_oauth:
        asana.tokens.oauth_person = trouble.person
        credentials = oauth_credentials(asana)
    return {
        "credentials": credentials,
        "organization_export_ids": list(trouble.export_ids),
        "num_workers": workers,
    }


def play(trouble: Trouble, mode: Mode, workers: int) -> Outcome:
    """Run a sync in which it goes wrong, and one in which everything works again.

    A first sync comes before a later one, and people change things between two incremental ones.
    """
    with AsanaEmulator(make_account("sample")) as asana:
        asana.change(trouble.grow)
        asana.controls.cut_off_after = MOST_REQUESTS
        pipeline = Pipeline(asana, trouble, mode, workers)
        events: Table = {}
        held: list[Tables] = []
        if mode == LATER:
            pipeline.sync()
            pipeline.empty_full_refresh_tables()
            held += [held_by(asana, trouble, events)] if trouble.leaves_old_rows else []
            let_people_work(asana)
            told = pipeline.read().records()["events"]
            events = {} if trouble.loses_events else by_key("events", told)
        floor = fewest_requests(asana, trouble, mode)
        begun = held_by(asana, trouble, events)
        held.append(begun)
        trouble.begin(asana)
        said = pipeline.sync(trouble)
        above_floor = requests(asana) - floor
        faults = asana.controls.faults
        has_happened = not faults or any(fault.happened for fault in faults)
        held.append(held_by(asana, trouble, events))
        incomplete = {name for name in trouble.streams if said.statuses(name)[-1] != "COMPLETE"}
        complete = trouble.streams.keys() - incomplete
        difference = compare(pipeline.tables, held, complete, begun, is_strict=False)
        heal(asana)
        if mode != FULL_REFRESH:
            let_people_work(asana)
        next_said = pipeline.sync()
        at_last = held_by(asana, trouble, events)
        held.append(at_last)
        is_strict = mode != FULL_REFRESH and not trouble.leaves_old_rows
        return Outcome(
            said=said,
            errors={name: error["failure_type"] for name, error in said.errors().items()},
            incomplete=incomplete,
            has_happened=has_happened,
            above_floor=above_floor,
            twice=twice(said) + twice(next_said),
            wrongly_deleted=pipeline.wrongly_deleted,
            endless=pipeline.endless,
            difference=difference,
            next_said=next_said,
            at_last=compare(pipeline.tables, held, trouble.streams, at_last, is_strict=is_strict),
        )


def fewest_requests(asana: AsanaEmulator, trouble: Trouble, mode: Mode) -> int:
    """The fewest requests for a sync; a later one needs those of an undisturbed later sync."""
    if mode == LATER:
        return requests(asana)
    asked = asana.floor(trouble.streams, trouble.person, export_ids=trouble.export_ids)
    projects = len(truth(asana, "projects", trouble.person))
    return sum(asked.values()) + (projects if mode == FIRST else 0)


def requests(asana: AsanaEmulator) -> int:
    """The requests of the last sync, without those for tokens."""
    return asana.ledger.count() - asana.ledger.count(TOKEN_PATH)


def heal(asana: AsanaEmulator) -> None:
    """Make Asana and the network work again."""
    asana.controls.heal()
    asana.controls.quota_per_minute = asana.controls.cost_per_minute = None


def let_people_work(asana: AsanaEmulator) -> None:
    """Make changes of each kind that an incremental sync follows, an hour after the last ones."""

    def work(account: Account) -> None:
        service = account.people[SERVICE]
        tasks = account.listing(service, "tasks", GULL_ROCK)
        account.modify_task(tasks[1], notes=f"Mind the {len(tasks)} gulls.")
        account.attach(tasks[2], "Letter.pdf")
        account.comment(account.listing(service, "subtasks", tasks[0])[-1], "Nearly there.")
        account.edit_comment(COMMENT, f"There are {len(tasks)} gulls.")
        account.delete(tasks[-2])
        account.comment(account.add_subtask(account.create_task(CHOIR, "Hum"), "Tune"), "Mmmm")
        account.create_section(CHOIR, "Encore")

    asana.account.clock.advance(AN_HOUR)
    asana.change(work)
    asana.account.clock.advance(AN_HOUR)


def held_by(asana: AsanaEmulator, trouble: Trouble, events: Table) -> Tables:
    """The records in Asana for the trouble's user, with the columns of the catalog."""
    held = {name: by_key(name, truth(asana, name, trouble.person)) for name in trouble.streams}
    return held | {"events": events}


def compare(
    tables: Tables,
    held: Sequence[Tables],
    streams: Collection[str],
    begun: Tables,
    *,
    is_strict: bool,
) -> Difference:
    """Compare the tables with the records in Asana, now and earlier.

    Only records from before the sync had `begun` can be missing. A row that was right earlier is
    wrong only if `is_strict`.
    """
    lacking, wrong = Counter[str](), Counter[str]()
    *before, now = held
    for name in streams:
        lacking[name] = len((now[name].keys() & begun[name].keys()) - tables[name].keys())
        for key, record in tables[name].items():
            there = now[name].get(key)
            was_right = any(record == earlier[name].get(key) for earlier in before)
            may_be_old = not is_strict or (there is None and name not in REPORTED_WHEN_DELETED)
            wrong[name] += record != there and not (was_right and may_be_old)
    del wrong["events"]  # only the required events are known
    return Difference(+lacking, +wrong)


def twice(said: Said) -> int:
    """How many records come again."""
    return sum(
        len(records) - len(by_key(stream, records)) for stream, records in said.records().items()
    )


def by_key(stream: str, records: Iterable[Record]) -> Table:
    return {key_of(stream, record): record for record in records}


def key_of(stream: str, record: Record) -> Key:
    return tuple(str(record[column]) for column in PLAYED[stream].key)


def broken_promises(trouble: Trouble, mode: Mode, outcome: Outcome) -> list[str]:
    """Each broken promise in words."""
    expected = trouble.expected_errors(mode)
    left = outcome.at_last
    promises = {
        "it did not happen": outcome.has_happened,
        f"errors: {outcome.errors}": expected in (None, outcome.errors),
        f"INCOMPLETE without an error: {outcome.incomplete}": None in outcome.errors
        or set(outcome.incomplete) == set(outcome.errors),
        f"exit status {outcome.said.exit_status}": bool(outcome.said.exit_status)
        == bool(outcome.errors),
        f"missing: {outcome.difference.lacking}": outcome.difference.lacking
        == trouble.expected_skips(mode),
        f"wrong: {outcome.difference.wrong}": not outcome.difference.wrong,
        f"twice: {outcome.twice}": not outcome.twice,
        f"wrongly deleted: {outcome.wrongly_deleted}": not outcome.wrongly_deleted,
        f"endless: {outcome.endless}": not outcome.endless,
        f"requests above the floor: {outcome.above_floor}": trouble.costs
        in (None, outcome.above_floor),
        f"not repaired: {left}, {outcome.next_said.errors()}": outcome.is_repaired,
    }
    return [words for words, is_kept in promises.items() if not is_kept]


def table(words: str) -> Iterator[str]:
    """The Markdown table of the rows that have these words. Raises SystemExit at its end."""
    yield f"| {' | '.join(HEADINGS)} |"
    yield "|---" * len(HEADINGS) + "|"
    broken: list[str] = []
    for trouble in TROUBLES:
        for mode in trouble.modes if words in trouble.name else ():
            outcomes = {workers: play(trouble, mode, workers) for workers in WORKERS}
            yield row(trouble, mode, list(outcomes.values()))
            for workers, outcome in outcomes.items():
                where = f"{trouble.name}, {mode}, {workers} workers: "
                broken += [where + words for words in broken_promises(trouble, mode, outcome)]
    if broken:
        sys.exit("\n".join(broken))


def row(trouble: Trouble, mode: Mode, outcomes: Sequence[Outcome]) -> str:
    """A line of the table; values that depend on the number of workers are listed for each."""
    cells: list[list[str]] = [
        [trouble.name],
        [mode],
        [ending(outcome) for outcome in outcomes],
        [str(missing(trouble, mode, outcome)) for outcome in outcomes],
        [str(outcome.twice) for outcome in outcomes],
        [str(outcome.wrongly_deleted) for outcome in outcomes],
        [str(outcome.endless) for outcome in outcomes],
        [f"{outcome.above_floor:+}" for outcome in outcomes],
        ["yes" if outcome.is_repaired else "NO" for outcome in outcomes],
    ]
    told = (cell if len(set(cell)) > 1 else cell[:1] for cell in cells)
    return f"| {' | '.join(' / '.join(cell) for cell in told)} |"


def missing(trouble: Trouble, mode: Mode, outcome: Outcome) -> int:
    """The records that complete streams lack without a warning, and those missing at the end."""
    unsaid = outcome.difference.lacking - Counter(trouble.expected_skips(mode))
    return unsaid.total() + outcome.at_last.lacking.total()


def ending(outcome: Outcome) -> str:
    """How a sync ended, in words."""
    streams = sorted(outcome.incomplete)
    incomplete = f"{', '.join(streams) if len(streams) < MANY else len(streams)} INCOMPLETE"
    skipped = outcome.difference.lacking.total()
    if None in outcome.errors:
        return f"ended, {outcome.errors[None]}, {incomplete}"
    if outcome.errors:
        return f"{incomplete}, {' and '.join(sorted(set(outcome.errors.values())))}"
    return f"complete, {skipped} records skipped" if skipped else "complete"


def main() -> None:
    """Print the table of faults, for 1, 10 and 25 workers."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("words", nargs="?", default="", help="only the rows that have them")
    for line in table(parser.parse_args().words):
        print(line, flush=True)  # noqa: T201 - a program's answer


if __name__ == "__main__":
    main()
