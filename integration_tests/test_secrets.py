"""No secret appears in any output, whatever happens, and only Asana gets a token."""

import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote

import orjson
import pytest
from airbyte_cdk.logger import PRINT_BUFFER

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.asana_emulator.controls import MISHAPS, Mishap
from integration_tests.reading import (
    SERVICE,
    Json,
    Said,
    catalog_of,
    config_for,
    oauth_config,
    run,
    run_program,
)
from integration_tests.test_bad_input import assert_no_traceback, stream_state
from integration_tests.test_incremental import incremental
from source_asana.asana.client import ASANA_URL
from unit_tests.test_secrecy import SPELLINGS

pytestmark = pytest.mark.once


TOKEN_PATH = "/-/oauth_token"
PAT = "2/1200000000000007/4f2a5b1de:c3d9e8"
LONG_PAT = "2/1200000000000007/1200000000000042:4f2a5b1dec3d9e8aa0b1c2d3e4f50617"
STATUSES = [400, 401, 402, 403, 404, 407, 418, 451, 500, 503]
REDIRECTS = [301, 302, 303, 307, 308]
PLACES = ["/tasks", TOKEN_PATH]
FAULTS: list[int | Mishap] = [*STATUSES, *sorted(MISHAPS)]
PROXY_PASSWORD = "swordfish-of-the-proxy"


@dataclass(frozen=True)
class Heard:
    """A request as it arrived."""

    line: str
    headers: Mapping[str, str]
    body: str

    @property
    def token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body).items()}

    @property
    def text(self) -> str:
        return "\n".join([self.line, *self.headers.values(), self.body])


Reply = tuple[int, Mapping[str, str], Any]


@contextmanager
def listening(reply: Callable[[Heard], Reply]) -> Iterator[tuple[str, list[Heard]]]:
    """A server that gives fixed answers and records its requests."""
    asked: list[Heard] = []

    class Listener(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            heard = Heard(self.requestline, dict(self.headers), body.decode())
            asked.append(heard)
            status, headers, said = reply(heard)
            content = orjson.dumps(said)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_CONNECT = answer  # noqa: N815 - as the library wants them

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


class Eavesdropper:
    """Knows every secret that was ever used, and reads everything that is printed or logged."""

    def __init__(
        self,
        asana: AsanaEmulator,
        capfd: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.secrets = {PAT, PROXY_PASSWORD, asana.tokens.client_secret}
        self.secrets |= {asana.tokens.pat(name) for name in asana.tokens.names}
        self.refresh_tokens = [asana.tokens.refresh_token]
        self._capfd = capfd
        exchange = asana.tokens.exchange

        def overheard(form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
            status, granted = exchange(form)
            self.secrets |= {granted["access_token"]} if "access_token" in granted else set()
            if "refresh_token" in granted:
                self.refresh_tokens.append(granted["refresh_token"])
            return status, granted

        monkeypatch.setattr(asana.tokens, "exchange", overheard)

    def assert_heard_nothing(self, said: Said) -> None:
        """Check that secrets appear only in a config that is returned."""
        PRINT_BUFFER.flush()
        printed = self._capfd.readouterr()
        texts = [line for line in said.lines if orjson.loads(line)["type"] != "CONTROL"]
        texts += [printed.out, printed.err]
        for secret in self.secrets | set(self.refresh_tokens):
            for spelling in (secret, quote(secret, safe=""), quote(secret)):
                for text in texts:
                    assert spelling not in text
        assert_no_traceback(said)


@pytest.fixture
def eavesdropper(
    asana: AsanaEmulator,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Eavesdropper:
    """Prints everything that the connector and its libraries can log."""
    monkeypatch.setenv("LOG_LEVEL", "debug")
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "airbyte")
    return Eavesdropper(asana, capfd, monkeypatch)


def pat_config(token: str = PAT) -> Json:
    return {"credentials": {"option_title": "PAT Credentials", "personal_access_token": token}}


def controls_of(said: Said) -> list[Json]:
    """The configs that the platform receives."""
    return [message["control"]["connectorConfig"]["config"] for message in said.of_type("CONTROL")]


def quoting(status: int) -> Callable[[Heard], Reply]:
    """An Asana that repeats the whole request in its message."""

    def reply(heard: Heard) -> Reply:
        words = f"{heard.text} {quote(heard.token, safe='')} {heard.form}"
        error = {"error": words, "error_description": words}
        return status, {"X-Asana": "yes"}, {"errors": [{"message": words}], **error}

    return reply


# Printed output

ENOUGH_FOR_ONE_LISTING = 150
"""So often a fault happens. It ends one listing; the others would only take as long again."""


@pytest.mark.once
@pytest.mark.parametrize("kind", FAULTS, ids=str)
@pytest.mark.parametrize("place", PLACES)
def test_no_secret_is_printed_whatever_goes_wrong(
    asana: AsanaEmulator, eavesdropper: Eavesdropper, place: str, kind: int | Mishap
) -> None:
    asana.tokens.rotate_refresh_token = True
    fault = asana.controls.fail(place, kind, times=ENOUGH_FOR_ONE_LISTING, seconds=0.3)
    said = run(
        "read",
        asana,
        oauth_config(asana),
        catalog_of(["tasks", "tags"]),
        patience=0.1,
        answer_seconds=0.2,
    )
    assert fault.happened or asana.ledger.count(place)
    eavesdropper.assert_heard_nothing(said)


@pytest.mark.parametrize("ends", ["revoke", "expire"])
def test_no_secret_is_printed_when_a_token_expires_midway(
    asana: AsanaEmulator, eavesdropper: Eavesdropper, ends: str
) -> None:
    def end() -> None:
        if ends == "revoke":
            asana.tokens.revoke(asana.tokens.refresh_token)
        asana.tokens.expire_access_tokens()

    asana.controls.interrupt("/tasks", end, after=3)
    said = run("read", asana, oauth_config(asana), catalog_of(["tasks", "stories"]))
    assert said.exit_status == (1 if ends == "revoke" else 0)
    eavesdropper.assert_heard_nothing(said)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("pasted", ["{}", "{}\n", "  {}"], ids=["exactly", "newline", "spaces"])
def test_a_token_that_asana_quotes_is_not_printed(
    eavesdropper: Eavesdropper, status: int, pasted: str
) -> None:
    with listening(quoting(status)) as (address, asked):
        config = pat_config(pasted.format(PAT))
        said = run("read", address, config, catalog_of(["users"]), patience=0.05)
    assert {heard.token for heard in asked} == {PAT}
    eavesdropper.assert_heard_nothing(said)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_check_does_not_print_a_token_that_asana_quotes(
    eavesdropper: Eavesdropper, status: int
) -> None:
    with listening(quoting(status)) as (address, _):
        said = run("check", address, pat_config(f"{PAT}\n"))
    assert said.connection_status()["status"] == "FAILED"
    eavesdropper.assert_heard_nothing(said)


@pytest.mark.parametrize("status", [200, *STATUSES])
def test_secrets_that_the_token_endpoint_quotes_are_not_printed(
    asana: AsanaEmulator, eavesdropper: Eavesdropper, status: int
) -> None:
    with listening(quoting(status)) as (address, asked):
        said = run("read", address, oauth_config(asana), catalog_of(["users"]), patience=0.05)
    assert quote(asana.tokens.refresh_token, safe="") in asked[0].body
    assert said.exit_status == 1
    eavesdropper.assert_heard_nothing(said)


@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_new_tokens_from_asana_are_not_printed(
    asana: AsanaEmulator, eavesdropper: Eavesdropper, status: int
) -> None:
    def reply(heard: Heard) -> Reply:
        if asana.tokens.refreshes:
            return quoting(status)(heard)
        _, granted = asana.tokens.exchange(heard.form)
        return 200, {}, granted

    asana.tokens.rotate_refresh_token = True
    with listening(reply) as (address, asked):
        said = run("read", address, oauth_config(asana), catalog_of(["users"]), patience=0.05)
    told = "".join(heard.form.get("refresh_token", heard.token) for heard in asked[1:])
    assert (asana.tokens.refresh_token in told) is (status == 401)
    assert said.exit_status == 1
    eavesdropper.assert_heard_nothing(said)


@pytest.mark.parametrize("spell", SPELLINGS, ids=str)
@pytest.mark.parametrize("command", ["check", "read"])
@pytest.mark.parametrize("status", [400, 403])
def test_a_token_that_asana_quotes_is_not_printed_in_any_encoding(
    eavesdropper: Eavesdropper, spell: str, command: str, status: int
) -> None:
    spelled = SPELLINGS[spell](LONG_PAT)

    def reply(_: Heard) -> Reply:
        return status, {"X-Asana": "yes"}, {"errors": [{"message": f"Token {spelled}!"}]}

    with listening(reply) as (address, _):
        said = run(command, address, pat_config(LONG_PAT), catalog_of(["users"]), patience=0.05)
    assert "Token ****" in said.text
    assert json.dumps(spelled)[1:-1] not in said.text
    assert LONG_PAT.rpartition(":")[2].lower() not in said.text.lower()
    eavesdropper.assert_heard_nothing(said)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 503])
@pytest.mark.parametrize("command", ["check", "discover", "read"])
def test_the_token_of_an_old_config_is_neither_printed_nor_returned(
    eavesdropper: Eavesdropper, command: str, status: int
) -> None:
    with listening(quoting(status)) as (address, _):
        config = {"access_token": f"{LONG_PAT}\n"}
        said = run(command, address, config, catalog_of(["users"]), patience=0.05, check_seconds=1)
    assert said.of_type("CONTROL") == []
    assert LONG_PAT not in said.text
    eavesdropper.assert_heard_nothing(said)


@pytest.mark.parametrize("token", [[LONG_PAT], {"of": LONG_PAT}, f"{LONG_PAT} {LONG_PAT}"], ids=str)
@pytest.mark.parametrize("command", ["check", "discover", "read"])
def test_the_invalid_token_of_an_old_config_is_not_printed(
    eavesdropper: Eavesdropper, command: str, token: Any
) -> None:
    config = {"access_token": token}
    said = run(command, "http://127.0.0.1:9", config, catalog_of(["users"]), patience=0.05)
    assert said.of_type("CONTROL") == []
    assert LONG_PAT not in said.text
    eavesdropper.assert_heard_nothing(said)


def test_a_check_does_not_print_a_name_that_is_a_token(eavesdropper: Eavesdropper) -> None:
    def named(heard: Heard) -> Reply:
        workspace = {"gid": "1", "name": heard.token, "is_organization": False}
        if "users/me" in heard.line:
            return 200, {}, {"data": {"name": heard.token, "workspaces": [workspace]}}
        return 200, {}, {"data": [workspace] if "/workspaces?" in heard.line else []}

    with listening(named) as (address, _):
        said = run("check", address, pat_config())
    assert said.connection_status()["status"] == "SUCCEEDED"
    eavesdropper.assert_heard_nothing(said)


def test_a_token_in_a_catalog_is_not_printed(
    asana: AsanaEmulator, eavesdropper: Eavesdropper
) -> None:
    catalog = catalog_of([asana.tokens.pat(SERVICE), "tags"])
    catalog["streams"][1]["stream"]["json_schema"] = {"properties": {asana.tokens.pat(SERVICE): {}}}
    said = run("read", asana, config_for(asana), catalog)
    assert "unknown stream. Refresh" in said.text
    eavesdropper.assert_heard_nothing(said)


def test_a_token_in_a_state_is_not_printed(
    asana: AsanaEmulator, eavesdropper: Eavesdropper
) -> None:
    token = asana.tokens.pat(SERVICE)
    project = next(iter(asana.expected("projects", SERVICE)))["gid"]
    marks = {"2026-01-01T00:00:00.000Z": [project]}
    asana.controls.fail("/tasks", 500, times=None, only=project)
    for blob in ({token: token}, {"modified_since": marks, "sync_tokens": {project: token}}):
        state = [stream_state("tasks", blob), stream_state(token, blob)]
        said = run("read", asana, config_for(asana), incremental(["tasks"]), state, patience=0.05)
        eavesdropper.assert_heard_nothing(said)
    assert asana.ledger.by_path()["/events"] > 0


@pytest.fixture
def behind_proxy(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Send all further requests through a proxy."""

    def put_behind(address: str) -> None:
        for variable in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(variable, address)
            monkeypatch.setenv(variable.lower(), address)

    return put_behind


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("status", [200, 403, 407, 502])
def test_a_proxys_password_is_not_printed(
    eavesdropper: Eavesdropper, behind_proxy: Callable[[str], None], scheme: str, status: int
) -> None:
    with listening(quoting(status)) as (proxy, asked):
        behind_proxy(proxy.replace("://", f"://somebody:{PROXY_PASSWORD}@"))
        address = f"{scheme}://asana.invalid"
        said = run("read", address, pat_config(), catalog_of(["users"]), patience=0.05)
    assert "asana.invalid" in asked[0].line
    assert said.exit_status == 1
    eavesdropper.assert_heard_nothing(said)


@pytest.mark.parametrize("proxy", ["http://{}@127.0.0.1:9", "nonsense://{}@h", "http://{}@[::1"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_password_of_a_broken_proxy_is_not_printed(
    eavesdropper: Eavesdropper, behind_proxy: Callable[[str], None], scheme: str, proxy: str
) -> None:
    behind_proxy(proxy.format(f"somebody:{PROXY_PASSWORD}"))
    address = f"{scheme}://asana.invalid"
    said = run("read", address, pat_config(), catalog_of(["users"]), patience=0.05)
    assert said.exit_status == 1
    eavesdropper.assert_heard_nothing(said)


@pytest.mark.parametrize(
    "address",
    ["https://asana.invalid", "http://127.0.0.1:9", "https://127.0.0.1:9", "http://asana.invalid"],
)
@pytest.mark.parametrize("kind", ["pat", "oauth"])
def test_no_secret_is_printed_without_a_network(
    asana: AsanaEmulator, eavesdropper: Eavesdropper, address: str, kind: str
) -> None:
    config = pat_config() if kind == "pat" else oauth_config(asana)
    said = run("read", address, config, catalog_of(["users"]), patience=0.05)
    assert said.exit_status == 1
    eavesdropper.assert_heard_nothing(said)


@pytest.mark.parametrize(
    ("fault", "arguments"),
    [("refused", []), ("refused", ["--debug"]), ("no TLS", ["--debug"]), ("quoted", ["--debug"])],
)
def test_the_program_prints_no_secret(
    eavesdropper: Eavesdropper, fault: str, arguments: list[str]
) -> None:
    with listening(quoting(401 if fault == "refused" else 400)) as (address, _):
        there = address.replace("http://", "https://") if fault == "no TLS" else address
        config = pat_config(f"{PAT}\n")
        said = run_program("read", there, config, catalog_of(["users"]), *arguments)
    assert said.exit_status == 1
    eavesdropper.assert_heard_nothing(said)


# Returned configs


def test_a_new_refresh_token_is_returned_in_the_whole_config_and_nowhere_else(
    asana: AsanaEmulator, eavesdropper: Eavesdropper
) -> None:
    asana.tokens.rotate_refresh_token = True
    asana.controls.interrupt("/tasks", asana.tokens.expire_access_tokens, after=3)
    config = oauth_config(asana) | {"num_workers": 3, "something": {"of": "the platform's"}}
    said = run("read", asana, config, catalog_of(["tasks", "tags"]))
    assert said.exit_status == 0
    assert len(eavesdropper.refresh_tokens) == 3
    assert controls_of(said) == [
        {**config, "credentials": {**config["credentials"], "refresh_token": token}}
        for token in eavesdropper.refresh_tokens[1:]
    ]
    eavesdropper.assert_heard_nothing(said)


def test_an_unchanged_refresh_token_is_not_returned(asana: AsanaEmulator) -> None:
    said = run("read", asana, oauth_config(asana), catalog_of(["tags"]))
    assert controls_of(said) == []


@pytest.mark.parametrize("command", ["check", "read"])
@pytest.mark.parametrize("status", [200, 401, 403])
def test_a_new_refresh_token_is_returned_even_when_nothing_else_succeeds(
    asana: AsanaEmulator, eavesdropper: Eavesdropper, command: str, status: int
) -> None:
    asana.tokens.rotate_refresh_token = True
    if status != 200:
        asana.controls.deny("/users/me", status)
        asana.controls.deny("/workspaces", status)
    said = run(command, asana, oauth_config(asana), catalog_of(["tags"]))
    assert controls_of(said)[-1]["credentials"]["refresh_token"] == asana.tokens.refresh_token
    assert len(controls_of(said)) == asana.tokens.refreshes
    eavesdropper.assert_heard_nothing(said)


# Recipients of the token


@pytest.mark.parametrize("status", REDIRECTS)
@pytest.mark.parametrize("kind", ["pat", "oauth"])
def test_a_redirect_to_another_host_is_not_followed(
    asana: AsanaEmulator, eavesdropper: Eavesdropper, kind: str, status: int
) -> None:
    config = pat_config() if kind == "pat" else oauth_config(asana)
    with (
        listening(lambda _: (200, {}, {"data": []})) as (elsewhere, stolen),
        listening(lambda _: (status, {"Location": f"{elsewhere}/api/1.0/users"}, {})) as (
            address,
            asked,
        ),
    ):
        said = run("read", address, config, catalog_of(["workspaces"]), patience=0.05)
    assert asked
    assert stolen == []
    assert said.exit_status == 1
    eavesdropper.assert_heard_nothing(said)


@pytest.mark.parametrize("place", PLACES)
def test_a_redirect_midway_is_not_followed(
    asana: AsanaEmulator, eavesdropper: Eavesdropper, place: str
) -> None:
    with listening(lambda _: (200, {}, {"data": []})) as (elsewhere, stolen):
        fault = asana.controls.fail(place, "redirect", location=f"{elsewhere}/", times=None)
        said = run("read", asana, oauth_config(asana), catalog_of(["tasks"]), patience=0.05)
    assert fault.happened
    assert stolen == []
    assert said.exit_status == 1
    eavesdropper.assert_heard_nothing(said)


def test_the_next_page_is_requested_from_asana_whatever_address_asana_gives(
    eavesdropper: Eavesdropper,
) -> None:
    def paged(heard: Heard) -> Reply:
        further = {"offset": "abc", "path": "/else", "uri": f"{elsewhere}/api/1.0/workspaces"}
        found = [] if "offset" in heard.line else [{"gid": "1", "name": "One"}]
        return 200, {}, {"data": found, "next_page": further if found else None}

    with (
        listening(lambda _: (200, {}, {"data": []})) as (elsewhere, stolen),
        listening(paged) as (address, asked),
    ):
        said = run("read", address, pat_config(), catalog_of(["workspaces"]))
    assert len(asked) == 2
    assert stolen == []
    assert said.exit_status == 0


@pytest.mark.parametrize("kind", ["pat", "oauth"])
def test_the_connector_uses_only_https_unless_the_operator_allows_http(
    asana: AsanaEmulator,
    eavesdropper: Eavesdropper,
    behind_proxy: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    config = pat_config() if kind == "pat" else oauth_config(asana)
    config["asana_url"] = config["base_url"] = "http://127.0.0.1:9"
    monkeypatch.delenv("ASANA_BASE_URL", raising=False)
    with listening(lambda _: (403, {}, {})) as (proxy, asked):
        behind_proxy(proxy)
        said = run("read", "", config, catalog_of(["workspaces"]), patience=0.05)
    assert ASANA_URL == "https://app.asana.com"
    lines = {heard.line.rpartition(" HTTP/")[0] for heard in asked}  # Python uses 1.0 or 1.1
    assert lines == {"CONNECT app.asana.com:443"}
    assert {heard.token for heard in asked} == {""}
    eavesdropper.assert_heard_nothing(said)
