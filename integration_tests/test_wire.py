"""Unusual answers from Asana or from something between, and how the connector handles them."""

import json
from typing import Any

import pytest

from integration_tests.asana_emulator import Account, AsanaEmulator
from integration_tests.reading import (
    SERVICE,
    Json,
    Said,
    catalog_of,
    config_for,
    failed,
    oauth_config,
    run,
)
from integration_tests.troubles import GULL_ROCK
from source_asana.airbyte.outcome import advice_on

STREAMS = ("workspaces", "users", "projects", "tasks", "stories")
MARK = "MARKED HERE"
SECTIONS = "/projects/{project_gid}/sections"


def read(asana: AsanaEmulator, *streams: str, **ways: Any) -> Said:
    workers = ways.pop("workers", 10)
    return run("read", asana, config_for(asana, num_workers=workers), catalog_of(streams), **ways)


def gids(records: list[Json]) -> list[str]:
    return sorted(record["gid"] for record in records)


def truth(asana: AsanaEmulator, stream: str) -> list[str]:
    return gids(list(asana.expected(stream, SERVICE)))


def mark_names(account: Account) -> None:
    """A text of each kind has the mark."""
    task = account.listing(account.people[SERVICE], "tasks", GULL_ROCK)[0]
    account.comment(task, MARK)
    account.modify_task(task, name=MARK)
    account.modify_project(GULL_ROCK, name=MARK)


@pytest.fixture
def marked(asana: AsanaEmulator) -> AsanaEmulator:
    asana.change(mark_names)
    return asana


@pytest.mark.parametrize(
    ("sent", "delivered"),
    [
        ("Moved \\ud83d", "Moved \ufffd"),
        ("Moved \\ude00\\ud83d", "Moved \ufffd\ufffd"),
        ("caf\xe9", "caf\ufffd"),
        ("two\nlines", "two\nlines"),
        ("nothing\\u0000", "nothing"),
        ("a\\\\u0000b", "a\\u0000b"),
        ("a\\\\ud83db \\ud83d", "a\\ud83db \ufffd"),
    ],
)
def test_an_odd_text_costs_neither_a_record_nor_a_request(
    marked: AsanaEmulator, sent: str, delivered: str
) -> None:
    marked.controls.fail("/*", "rewritten", times=None, old=MARK, new=sent)
    said = read(marked, *STREAMS)
    assert said.exit_status == 0
    for stream in STREAMS:
        assert gids(said.records()[stream]) == truth(marked, stream)
    assert marked.ledger.count() == sum(marked.floor(STREAMS, SERVICE).values())
    found = said.records()
    assert delivered in {story["text"] for story in found["stories"]}
    assert delivered in {task["name"] for task in found["tasks"]}
    assert delivered in {project["name"] for project in found["projects"]}
    assert "\\u0000" not in json.dumps(said.records()).replace("\\\\u0000", "")


@pytest.mark.parametrize(("comments", "told"), [(1, "1 text"), (3, "3 texts")])
def test_removed_characters_are_counted_once_at_the_end(
    asana: AsanaEmulator, comments: int, told: str
) -> None:
    def comment(account: Account) -> None:
        task = account.listing(account.people[SERVICE], "tasks", GULL_ROCK)[0]
        for _ in range(comments):
            account.comment(task, "two\0at once\0")

    asana.change(comment)
    catalog = catalog_of(["stories"], {"stories": {"gid", "text"}})
    said = run("read", asana, config_for(asana), catalog)
    lines = [line for line in said.logs("WARN") if "U+0000" in line]
    words = f"Removed the character U+0000 from {told} because most databases cannot store it"
    assert lines == [words]


def test_no_message_where_no_characters_were_removed(asana: AsanaEmulator) -> None:
    assert not [line for line in read(asana, "tasks").logs("WARN") if "U+0000" in line]


@pytest.mark.parametrize("workers", [1, 25])
@pytest.mark.parametrize("location", ["http://proxy/\xe9", "http://[", "http://host:port:1/"])
def test_redirects_to_invalid_addresses_cost_their_stream_and_cause_no_endless_wait(
    asana: AsanaEmulator, location: str, workers: int
) -> None:
    asana.controls.fail(SECTIONS, "redirect", times=None, location=location)
    said = read(asana, "sections", *STREAMS, workers=workers, patience=0.02)
    assert said.errors().keys() == {"sections"}
    assert "redirect (HTTP 302)" in said.errors()["sections"]["message"]
    for stream in STREAMS:
        assert gids(said.records()[stream]) == truth(asana, stream)


@pytest.mark.once
def test_an_answer_that_decompresses_to_more_than_any_page_is_refused(asana: AsanaEmulator) -> None:
    asana.controls.fail("/tags", "bomb", times=None)
    said = read(asana, "tags", "users", patience=0.1)
    assert "larger than 128 MB" in said.errors()["tags"]["message"]
    assert said.errors()["tags"]["failure_type"] == "transient_error"
    assert said.statuses("users")[-1] == "COMPLETE"


# -- 401 ------------------------------------------------------------------------------------------


def test_a_check_ignores_a_401_for_a_valid_token(asana: AsanaEmulator) -> None:
    asana.controls.fail("/workspaces", 401)
    assert run("check", asana, config_for(asana)).connection_status()["status"] == "SUCCEEDED"


def test_a_check_reports_a_refused_token(asana: AsanaEmulator) -> None:
    asana.tokens.revoke(asana.tokens.pat(SERVICE))
    said = run("check", asana, config_for(asana))
    assert failed(said).startswith("Asana refused the token (Not Authorized).")


@pytest.mark.once
@pytest.mark.parametrize("kind", ["token", "oauth"])
def test_401s_for_one_project_are_reported_and_do_not_end_the_sync(
    asana: AsanaEmulator, kind: str
) -> None:
    asana.tokens.oauth_person = SERVICE
    asana.controls.fail(SECTIONS, 401, only=GULL_ROCK, times=None)
    config = config_for(asana) if kind == "token" else oauth_config(asana)
    said = run("read", asana, config, catalog_of(["sections", "tasks"]))
    assert said.exit_status == 0
    assert gids(said.records()["tasks"]) == truth(asana, "tasks")
    (summary,) = (line for line in said.logs("WARN") if "with 401" in line)
    assert summary.endswith(advice_on(401))
    asked = asana.ledger.by_status()[401]
    assert asked == 3
    assert asana.ledger.count("/users/{user_gid}") <= asked


def test_many_workers_that_get_a_401_check_the_token_once(asana: AsanaEmulator) -> None:
    token = asana.tokens.pat(SERVICE)
    asana.controls.latency = 0.02
    asana.controls.interrupt(
        "/tasks/{task_gid}/stories", lambda: asana.tokens.revoke(token), after=3
    )
    said = read(asana, "stories", workers=25)
    (error,) = said.errors().values()
    assert error["message"].startswith("Asana refused the token")
    assert asana.ledger.count("/users/{user_gid}") == 1


# -- events ---------------------------------------------------------------------------------------


def test_missing_events_cost_no_minutes_and_no_other_stream(
    asana: AsanaEmulator,
) -> None:
    asana.controls.fail("/events", 412, only=GULL_ROCK, times=None)
    catalog = catalog_of(["tasks", "events"])
    for stream in catalog["streams"]:
        stream["sync_mode"] = "incremental"
    said = run("read", asana, config_for(asana), catalog)
    assert said.errors().keys() == {"events"}
    assert "Asana returned no new sync token" in said.errors()["events"]["message"]
    assert gids(said.records()["tasks"]) == truth(asana, "tasks")
    assert said.statuses("tasks")[-1] == "COMPLETE"
    assert asana.ledger.by_status()[412] == len(truth(asana, "projects"))


# -- other parts of an answer ---------------------------------------------------------------------


def test_each_change_that_asana_announces_is_logged_once(asana: AsanaEmulator) -> None:
    change = "name=new_goals;info=https://asana.com/new_goals;affected=true"
    asana.controls.headers = {"Asana-Change": change}
    said = read(asana, *STREAMS)
    told = [line for line in said.logs("INFO") if "Asana announces" in line]
    assert told == [f"Asana announces a change to its API: {change}"]


def test_an_error_500_includes_the_phrase_for_asanas_support(asana: AsanaEmulator) -> None:
    asana.controls.fail("/tags", 500, times=None)
    said = read(asana, "tags", patience=0.02)
    words = "(phrase for Asana's support: 6 sad squid snuggle softly)"
    assert words in said.errors()["tags"]["message"]
