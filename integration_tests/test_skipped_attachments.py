"""Attachment requests are skipped for tasks that have none, as far as Asana's lists are right."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integration_tests.asana_emulator import AsanaEmulator, make_account
from integration_tests.asana_emulator.oddities import ABSENT, with_value
from integration_tests.reading import SERVICE, Json, Said, config_for, gids, run, truth
from source_asana.reading.shortcuts.evidence import Terms
from source_asana.streams.declared import STREAMS

pytestmark = pytest.mark.once

ATTACHMENTS = "/attachments"
TASK_LISTS = ("/tasks", "/tasks/{task_gid}/subtasks")
TASKS = 250
SOON = Terms(first=30, one_in=10, counter_claims=3)
"""What a shortcut has to prove on an account of 250 tasks."""
AT_ONCE = Terms(first=0, one_in=10**9, counter_claims=0)
"""Claims are trusted without any proof."""
NEVER = Terms(first=10**9)


@pytest.fixture
def account() -> Iterator[AsanaEmulator]:
    """An account of 250 tasks, one in six with attachments."""
    with AsanaEmulator(make_account(TASKS)) as asana:
        yield asana


def catalog(*streams: str, incremental: bool = True) -> Json:
    mode, to = ("incremental", "append_dedup") if incremental else ("full_refresh", "overwrite")
    return {
        "streams": [
            {
                "stream": {
                    "name": name,
                    "json_schema": STREAMS[name].json_schema(),
                    "supported_sync_modes": ["full_refresh", "incremental"],
                },
                "sync_mode": mode,
                "destination_sync_mode": to,
            }
            for name in streams
        ]
    }


def read(
    asana: AsanaEmulator,
    *streams: str,
    state: Any = None,
    terms: Terms | None = None,
    is_on: bool = True,
    incremental: bool = True,
    **more: Any,
) -> Said:
    """Sync attachments, or the named streams, after resetting the ledger."""
    asana.ledger.reset()
    config = config_for(asana, skip_tasks_without_attachments=is_on)
    wanted = catalog(*(streams or ("attachments",)), incremental=incremental)
    return run("read", asana, config, wanted, state, terms=terms, **more)


def last_states(*syncs: Said) -> list[Json]:
    """The latest state of each stream."""
    states: dict[str, Json] = {}
    for said in syncs:
        for message in said.of_type("STATE"):
            states[message["state"]["stream"]["stream_descriptor"]["name"]] = message["state"]
    return list(states.values())


def evidence(said: Said, stream: str = "attachments") -> Json:
    found: Json = said.states(stream)[-1].get("evidence", {})
    return found


def asked(asana: AsanaEmulator) -> int:
    """The requests for attachments."""
    return asana.ledger.by_path().get(ATTACHMENTS, 0)


def documented(asana: AsanaEmulator) -> int:
    """The requests for attachments that the documented way takes."""
    return asana.floor(["attachments"], SERVICE)[ATTACHMENTS]


def skipping(said: Said) -> str:
    (line,) = [line for line in said.logs("INFO") if "skipped" in line]
    return line


def assert_complete(asana: AsanaEmulator, *syncs: Said, stream: str = "attachments") -> None:
    """All attachments were delivered, and none twice in one sync."""
    assert [said.exit_status for said in syncs] == [0] * len(syncs)
    delivered = {gid for said in syncs for gid in gids(said, stream)}
    assert delivered == set(truth(asana, stream))
    for said in syncs:
        times = Counter(gids(said, stream))
        assert [gid for gid, count in times.items() if count > 1] == []


# Numbers


@pytest.mark.no_cover
def test_an_account_of_5000_tasks_takes_less_than_half_of_the_requests(
    small: AsanaEmulator,
) -> None:
    said = read(small)
    assert_complete(small, said)
    found, whole = asked(small), documented(small)
    least = small.floor(["attachments"], SERVICE, believes_inline=True)[ATTACHMENTS]
    print(f"\n{found:,} of {whole:,} requests, {least:,} at least")  # noqa: T201 - shown with -s
    assert found <= 0.45 * whole
    numbers = evidence(said)
    assert found == least + numbers["agreed"]
    assert numbers["met"] == numbers["agreed"] + numbers["trusted"]
    skipped, checked = f"{numbers['trusted']:,}", f"{numbers['agreed']:,}"
    assert skipping(said) == (f"attachments: skipped {skipped} requests, checked {checked}")


@pytest.mark.no_cover
def test_2_percent_of_wrong_claims_are_found(small: AsanaEmulator) -> None:
    small.controls.inline_omits = 0.1  # of one task in six: 2 % of those without
    try:
        said = read(small)
    finally:
        small.controls.heal()
    assert_complete(small, said)
    assert asked(small) <= 1.1 * documented(small)
    assert evidence(said)["is_wrong"] == 1


def test_a_small_account_is_asked_in_full(account: AsanaEmulator) -> None:
    said = read(account)
    assert_complete(account, said)
    assert asked(account) == documented(account)
    assert evidence(said).keys() == {"met", "agreed", "counter"}


def test_nothing_is_asked_or_kept_if_the_option_is_off(account: AsanaEmulator) -> None:
    said = read(account, "tasks", "subtasks", "attachments", is_on=False, terms=SOON)
    assert_complete(account, said)
    assert asked(account) == documented(account)
    assert not any("attachments" in name for name in account.ledger.unknown_fields)
    assert "evidence" not in said.text
    assert "skipped" not in said.text


@pytest.mark.parametrize("stream", ["attachments", "attachments_compact"])
@pytest.mark.parametrize("incremental", [True, False])
def test_requests_are_skipped_once_claims_are_proved(
    account: AsanaEmulator, stream: str, *, incremental: bool
) -> None:
    said = read(account, stream, "tasks", terms=SOON, incremental=incremental)
    assert_complete(account, said, stream=stream)
    assert asked(account) < 0.7 * documented(account)
    assert {name for task in said.records()["tasks"] for name in task} <= {
        *STREAMS["tasks"].columns()
    }


def listing(path: str, value: Any) -> Callable[[AsanaEmulator], None]:
    def tell(asana: AsanaEmulator) -> None:
        for each in TASK_LISTS:
            asana.controls.alter(each, with_value(path, value))

    return tell


def setting(name: str, value: Any) -> Callable[[AsanaEmulator], None]:
    return lambda asana: setattr(asana.controls, name, value)


@pytest.mark.parametrize(
    ("tell", "is_wrong"),
    [
        (setting("inline_omits", 1.0), True),
        (setting("inline_omits", 0.5), True),
        (setting("inline_children", {"attachments": 0}), True),
        (setting("inline_children", {"attachments": 1}), False),
        (setting("inline_children", {}), False),
        (listing("attachments", None), False),
        (listing("attachments", ABSENT), False),
        (listing("attachments", "none"), False),
        (listing("html_notes", None), False),
    ],
    ids=["always", "half", "none", "capped", "absent", "null", "gone", "text", "no description"],
)
def test_wrong_claims_lose_nothing_and_cost_nothing(
    account: AsanaEmulator, tell: Callable[[AsanaEmulator], None], *, is_wrong: bool
) -> None:
    tell(account)
    said = read(account, terms=SOON)
    assert_complete(account, said)
    assert asked(account) <= 1.1 * documented(account)
    assert bool(evidence(said).get("is_wrong")) is is_wrong
    assert bool(said.logs("WARN")) is is_wrong


# What was skipped before a claim proves wrong


def begin_to_lie(asana: AsanaEmulator, after: int) -> None:
    """Leave out all inline attachments from some request for attachments on."""

    def lie() -> None:
        asana.controls.inline_omits = 1.0

    asana.controls.interrupt(ATTACHMENTS, lie, after=after)


def nth_state(number: int, word: str) -> Callable[[str], bool]:
    """Whether a message is the n-th state with a word in it."""
    states = 0

    def is_it(message: str) -> bool:
        nonlocal states
        states += '"type":"STATE"' in message and word in message
        return states >= number

    return is_it


def test_when_a_claim_proves_wrong_all_that_was_skipped_is_asked(account: AsanaEmulator) -> None:
    begin_to_lie(account, after=100)
    said = read(account, terms=SOON)
    assert_complete(account, said)
    assert asked(account) <= 1.1 * documented(account)
    (warning,) = said.logs("WARN")
    assert "Syncs no longer skip requests, and this one makes up for" in warning
    numbers = evidence(said)
    assert numbers["is_wrong"] == 1
    assert "trusted" not in numbers  # all of it was asked
    later = read(account, state=last_states(said), terms=SOON)
    assert asked(account) == documented_of_projects(account)
    assert evidence(later) == numbers


def test_a_sync_that_is_killed_after_a_wrong_claim_leaves_nothing_out(
    account: AsanaEmulator,
) -> None:
    begin_to_lie(account, after=100)
    second = nth_state(2, '"is_wrong"')
    killed = read(account, terms=SOON, killed_before=second, seconds_between_states=0.0)
    assert evidence(killed)["trusted"] > 0
    later = read(account, state=last_states(killed), terms=SOON)
    assert later.exit_status == 0
    assert set(gids(killed, "attachments")) | set(gids(later, "attachments")) == set(
        truth(account, "attachments")
    )
    assert asked(account) <= 1.1 * documented(account)
    assert "trusted" not in evidence(later)
    assert "doubted_until" not in later.states("attachments")[-1]


def test_the_next_sync_reads_again_what_former_syncs_skipped(account: AsanaEmulator) -> None:
    account.controls.inline_omits = 1.0
    first = read(account, "tasks", "attachments", terms=AT_ONCE)
    assert len(gids(first, "attachments")) < len(truth(account, "attachments"))
    task = next(t["gid"] for t in account.expected("tasks", SERVICE) if _has_some(account, t))
    account.account.clock.advance(3600)
    account.change(lambda changes: changes.modify_task(task, name="Renamed"))
    second = read(account, "tasks", "attachments", state=last_states(first), terms=NEVER)
    _, warning = second.logs("WARN")
    assert "so the next sync reads all again" in warning
    assert evidence(second)["trusted"] > 0
    account.account.clock.advance(3600)
    third = read(account, "tasks", "attachments", state=last_states(first, second), terms=NEVER)
    assert_complete(account, third)
    assert gids(third, "tasks") == [task]  # it was modified just before the second sync
    account.account.clock.advance(3600)
    fourth = read(
        account, "tasks", "attachments", state=last_states(first, second, third), terms=NEVER
    )
    assert gids(fourth, "tasks") == []
    assert asked(account) == documented_of_projects(account)


def documented_of_projects(asana: AsanaEmulator) -> int:
    """The lists of projects, and of their briefs."""
    return sum(len(list(asana.expected(s, SERVICE))) for s in ("projects", "project_briefs"))


def _has_some(asana: AsanaEmulator, task: Json) -> bool:
    viewer = asana.account.people[SERVICE]
    is_alone = len(task["projects"]) == 1 and not task["num_subtasks"]
    return is_alone and bool(asana.account.listing(viewer, "attachments", task["gid"]))


def test_a_refresh_that_skipped_wrongly_in_an_earlier_attempt_starts_over(
    account: AsanaEmulator,
) -> None:
    account.controls.inline_omits = 1.0
    killed = read(
        account,
        terms=AT_ONCE,
        incremental=False,
        killed_before=nth_state(3, '"done"'),
        seconds_between_states=0.0,
    )
    assert killed.states("attachments")[-1]["done"]
    second = read(account, state=last_states(killed), terms=NEVER, incremental=False)
    assert second.statuses("attachments")[-1] == "INCOMPLETE"
    assert "earlier attempt" in str(second.errors())
    third = read(account, state=last_states(killed, second), terms=NEVER, incremental=False)
    assert_complete(account, third)
    assert third.statuses("attachments")[-1] == "COMPLETE"


# Later syncs


def test_what_was_proved_stays_proved(account: AsanaEmulator) -> None:
    first = read(account, "tasks", "attachments", terms=SOON)
    tasks = [t["gid"] for t in account.expected("tasks", SERVICE) if not _has_some(account, t)]
    account.account.clock.advance(3600)
    for task in tasks[:40]:
        account.account.modify_task(task, name="Renamed")
    second = read(account, "tasks", "attachments", state=last_states(first), terms=SOON)
    before, after = evidence(first), evidence(second)
    skipped = after["trusted"] - before["trusted"]
    assert skipped > 20
    assert after["met"] == before["met"] + skipped + after["agreed"] - before["agreed"]
    assert f"skipped {skipped} requests" in skipping(second)


def test_an_attachment_that_is_added_after_its_task_was_listed_comes_with_the_next_sync(
    account: AsanaEmulator,
) -> None:
    """It is no wrong claim either, if the task is checked."""
    tasks = [t["gid"] for t in account.expected("tasks", SERVICE) if not _has_some(account, t)]
    added: list[str] = []

    def attach() -> None:
        for task in tasks:
            account.account.attach(task, "Late.pdf")
        added.extend(tasks)

    account.controls.interrupt(ATTACHMENTS, attach, after=60)
    first = read(account, terms=SOON)
    assert added
    assert evidence(first).get("is_wrong") is None
    assert evidence(first)["trusted"] > 0
    account.account.clock.advance(600)
    second = read(account, state=last_states(first), terms=SOON)
    assert set(gids(first, "attachments")) | set(gids(second, "attachments")) == set(
        truth(account, "attachments")
    )


def test_the_evidence_stays_while_the_option_is_off(account: AsanaEmulator) -> None:
    first = read(account, terms=SOON)
    second = read(account, state=last_states(first), is_on=False)
    assert evidence(second) == evidence(first)


# Doubts


@pytest.mark.parametrize(
    "notes",
    [
        '<body>See <img data-asana-gid="1" src="https://example.com/1"></body>',
        '<body><a data-asana-gid="1" data-asana-type="attachment">Plan.pdf</a></body>',
        "<body>https://app.asana.com/app/asana/-/get_asset?asset_id=1</body>",
    ],
)
def test_a_description_with_an_image_or_an_attachment_is_no_empty_task(
    account: AsanaEmulator, notes: str
) -> None:
    task = next(t["gid"] for t in account.expected("tasks", SERVICE) if _has_some(account, t))
    for path, value in (("attachments", []), ("html_notes", notes)):
        for each in TASK_LISTS:
            account.controls.alter(each, with_value(path, value, of=task))
    said = read(account, terms=AT_ONCE)
    assert_complete(account, said)
    assert evidence(said).get("is_wrong") is None


def test_refused_requests_are_not_hidden_by_skipped_ones(account: AsanaEmulator) -> None:
    account.controls.deny(ATTACHMENTS, 403)
    said = read(account, terms=AT_ONCE)
    assert said.statuses("attachments")[-1] == "INCOMPLETE"
    assert "Asana refused all attachments (403" in str(said.errors())


# An undocumented field must not break a sync


@pytest.mark.parametrize("status", [504, 400])
def test_a_list_that_fails_with_the_field_is_read_without_it(
    account: AsanaEmulator, status: int
) -> None:
    for each in TASK_LISTS:
        account.controls.fail(f"{each}?opt_fields=*attachments.gid*", status, times=None)
    said = read(account, "tasks", "attachments", terms=AT_ONCE)
    assert_complete(account, said)
    assert asked(account) == documented(account)
    lists = [r for r in account.ledger.requests if r.template in TASK_LISTS]
    with_field = [r for r in lists if "attachments.gid" in r.query["opt_fields"]]
    assert {r.status for r in with_field} == {status}
    assert len(with_field) <= 2 * 2 * 10  # two for each kind of list, and those under way
    answered = [r for r in lists if r.status == 200]
    assert {r.query["limit"] for r in answered} == {"100"}
