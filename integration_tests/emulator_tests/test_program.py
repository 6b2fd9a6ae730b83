"""The emulator started from a command line."""

import gc
import json
import socket
import subprocess
import sys
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path

import pendulum
import pytest
import requests

from integration_tests.asana_emulator import AsanaEmulator, Clock, make_account
from integration_tests.emulator_tests.asking import ask

pytestmark = pytest.mark.once


def test_it_runs_alone_and_says_how_to_connect() -> None:
    command = [sys.executable, "-m", "integration_tests.asana_emulator", "--quota", "150"]
    program = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    assert program.stdout is not None
    try:
        told_lines = list(iter(program.stdout.readline, "Ctrl-C ends it.\n"))
        printed = "".join(told_lines)
        config = json.loads(printed[printed.index("{") : printed.rindex("}\n") + 1])
        url = printed.split("ASANA_BASE_URL=")[1].split()[0]
        token = config["credentials"]["personal_access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.get(f"{url}/api/1.0/users/me", headers=headers, timeout=10)
        assert answer.status_code == 200
    finally:
        program.terminate()
        program.wait()
        program.stdout.close()


def test_the_socket_is_closed_when_it_stops() -> None:
    before = threading.active_count()
    with AsanaEmulator(make_account("sample")) as asana:
        assert ask(asana, "/users/me").status_code == 200
    with pytest.raises(requests.ConnectionError):
        ask(asana, "/users/me")
    assert threading.active_count() == before


def test_clients_that_come_when_it_stops_are_closed() -> None:
    may_go_on = threading.Event()
    clients: list[socket.socket] = []
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with AsanaEmulator(make_account("sample")) as asana:
            host, port = asana.url.removeprefix("http://").split(":")

            def come() -> None:
                clients.extend(socket.create_connection((host, int(port))) for _ in range(9))
                threading.Timer(0.1, may_go_on.set).start()
                may_go_on.wait()

            asana.controls.interrupt("/users/*", come)
            asker = threading.Thread(target=try_to_ask, args=[asana])
            asker.start()
            while not clients:
                time.sleep(0.001)
        asker.join()
        gc.collect()
    for client in clients:
        client.close()
    assert [str(warning.message) for warning in told if "transport" in str(warning.message)] == []


def try_to_ask(asana: AsanaEmulator) -> None:
    with suppress(requests.ConnectionError):
        ask(asana, "/users/me")


def test_a_port_that_is_taken_is_an_error_at_once() -> None:
    with AsanaEmulator(make_account("sample")) as asana:
        port = int(asana.url.rsplit(":", 1)[1])
        with pytest.raises(OSError, match="address already in use"):
            AsanaEmulator(make_account("sample"), port=port).start()


def test_a_frozen_clock_is_served_as_it_stands() -> None:
    clock = Clock(frozen_at=pendulum.datetime(2026, 11, 20, 10))
    with AsanaEmulator(make_account("sample", clock=clock)) as asana:
        assert ask(asana, "/users/me").headers["Date"] == "Fri, 20 Nov 2026 10:00:00 GMT"
