"""The tokens that Asana issues: none is lost, and none is requested unnecessarily."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.asana_emulator.tokens import TOKEN_PATH
from integration_tests.reading import PROGRAM_SECONDS, Json, Said, catalog_of, oauth_config, run

pytestmark = pytest.mark.once

PROGRAM = Path(sys.executable).with_name("source-asana")

ODD_TERMS = ["0", 0, -1, "-3600", None, True, [3600], "soon", "NaN", 1e300, 1]


def given_back(said: Said) -> list[str]:
    """The refresh tokens of the configs that the platform received."""
    configs = [m["control"]["connectorConfig"]["config"] for m in said.of_type("CONTROL")]
    return [config["credentials"]["refresh_token"] for config in configs]


def when_granted(
    asana: AsanaEmulator, monkeypatch: pytest.MonkeyPatch, act: Callable[[int], None]
) -> None:
    """Do something after Asana has issued its n-th token, before that arrives."""
    exchange = asana.tokens.exchange

    def granting(form: Mapping[str, str]) -> tuple[int, Json]:
        granted = exchange(form)
        act(asana.tokens.refreshes)
        return granted

    monkeypatch.setattr(asana.tokens, "exchange", granting)


class Killed:
    """A command in a process that is killed at one of its own requests."""

    def __init__(self, asana: AsanaEmulator, folder: Path, command: str) -> None:
        words: list[str | Path] = [PROGRAM, command, "--config", folder / "config"]
        (folder / "config").write_bytes(orjson.dumps(oauth_config(asana) | {"num_workers": 4}))
        if command == "read":
            (folder / "catalog").write_bytes(orjson.dumps(catalog_of(["tasks", "stories"])))
            words += ["--catalog", folder / "catalog"]
        self._process = subprocess.Popen(
            words,
            env={**os.environ, "ASANA_BASE_URL": asana.url},
            stdout=subprocess.PIPE,
            text=True,
        )

    def kill(self, signal_number: int) -> None:
        self._process.send_signal(signal_number)

    def said(self) -> Said:
        stdout, _ = self._process.communicate(timeout=PROGRAM_SECONDS)
        return Said(stdout.split("\n")[:-1], self._process.returncode)


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize(("command", "first"), [("check", "/users/me"), ("read", "/workspaces")])
def test_a_new_refresh_token_is_returned_before_the_access_token_is_used(
    asana: AsanaEmulator, tmp_path: Path, command: str, first: str, signal_number: int
) -> None:
    asana.tokens.rotate_refresh_token = True
    asana.controls.interrupt(first, lambda: process.kill(signal_number))
    process = Killed(asana, tmp_path, command)
    said = process.said()
    assert said.exit_status == -signal_number
    assert given_back(said) == [asana.tokens.refresh_token]


def test_a_new_refresh_token_is_returned_before_its_use_in_the_middle_of_a_sync(
    asana: AsanaEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill_at_the_next_use(grants: int) -> None:
        if grants == 2:
            asana.controls.interrupt("/*", lambda: process.kill(signal.SIGKILL))

    asana.tokens.rotate_refresh_token = True
    asana.controls.interrupt("/tasks", asana.tokens.expire_access_tokens, after=3)
    when_granted(asana, monkeypatch, kill_at_the_next_use)
    process = Killed(asana, tmp_path, "read")
    said = process.said()
    assert said.exit_status == -signal.SIGKILL
    assert len(given_back(said)) == asana.tokens.refreshes == 2
    assert given_back(said)[-1] == asana.tokens.refresh_token


@pytest.mark.parametrize("command", ["check", "read"])
def test_the_end_of_a_sync_waits_for_a_new_refresh_token_in_flight(
    asana: AsanaEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    asana.tokens.rotate_refresh_token = True
    asana.controls.fail(TOKEN_PATH, "stall", seconds=1)
    when_granted(asana, monkeypatch, lambda _: process.kill(signal.SIGTERM))
    process = Killed(asana, tmp_path, command)
    said = process.said()
    assert said.exit_status == -signal.SIGTERM
    assert given_back(said) == [asana.tokens.refresh_token]


@pytest.mark.parametrize("term", ODD_TERMS, ids=repr)
def test_a_sync_uses_one_token_whatever_lifetime_asana_gives(
    asana: AsanaEmulator, term: Any
) -> None:
    asana.tokens.expires_in = term
    said = run("read", asana, oauth_config(asana), catalog_of(["tasks", "sections"]))
    assert said.exit_status == 0
    assert asana.ledger.count() > 10
    assert asana.tokens.refreshes == 1


def test_an_expired_token_is_renewed_even_if_asana_gave_no_lifetime(
    asana: AsanaEmulator,
) -> None:
    asana.tokens.expires_in = 1e300
    asana.controls.interrupt("/tasks", asana.tokens.expire_access_tokens, after=3)
    said = run("read", asana, oauth_config(asana), catalog_of(["tasks"]))
    assert said.exit_status == 0
    assert asana.tokens.refreshes == 2


def test_a_sync_reports_that_it_waits_for_the_token_endpoint(asana: AsanaEmulator) -> None:
    asana.controls.fail(TOKEN_PATH, 429, retry_after=1)
    said = run("read", asana, oauth_config(asana), catalog_of(["tags"]))
    assert said.exit_status == 0
    line = "No access token from Asana (HTTP 429); retrying in 1 second"
    assert line in said.logs("INFO")


def test_a_sync_does_not_wait_for_the_token_endpoint_longer_than_patience(
    asana: AsanaEmulator,
) -> None:
    asana.controls.fail(TOKEN_PATH, 429, retry_after=1800, times=None)
    said = run("read", asana, oauth_config(asana), catalog_of(["tags"]))
    (error,) = said.errors().values()
    assert error["failure_type"] == "transient_error"
    assert "(HTTP 429, try again in 30 minutes)" in error["message"]
    assert asana.ledger.by_path() == {TOKEN_PATH: 1}
