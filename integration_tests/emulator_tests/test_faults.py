"""The faults that a test can cause."""

import logging
import socket
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pendulum
import pytest
import requests

from integration_tests.asana_emulator import AsanaEmulator, make_account
from integration_tests.emulator_tests.asking import Json, ask, first_offset, gids, pages, told

pytestmark = pytest.mark.once


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 424, 429, 451, 500, 502, 503, 504])
def test_a_status_can_be_made_to_come_once(asana: AsanaEmulator, status: int) -> None:
    asana.controls.fail("/users/{user_gid}", status)
    refused = ask(asana, "/users/me")
    assert refused.status_code == status
    assert ("phrase" in refused.json()["errors"][0]) == (status == 500)
    assert "Retry-After" not in refused.headers
    assert ask(asana, "/users/me").status_code == 200


def test_a_429_can_have_a_retry_after(asana: AsanaEmulator) -> None:
    asana.controls.fail("/users/*", 429, retry_after=7)
    assert ask(asana, "/users/me").headers["Retry-After"] == "7"


def test_retry_after_can_be_a_date(asana: AsanaEmulator) -> None:
    asana.controls.fail("/users/*", 503, retry_after="Fri, 20 Nov 2026 10:00:07 GMT")
    assert ask(asana, "/users/me").headers["Retry-After"] == "Fri, 20 Nov 2026 10:00:07 GMT"


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset", requests.ConnectionError),
        ("truncated", requests.exceptions.ChunkedEncodingError),
        ("half_json", requests.exceptions.JSONDecodeError),
        ("html", requests.exceptions.JSONDecodeError),
        ("stall", requests.exceptions.ReadTimeout),
    ],
)
def test_an_answer_can_be_damaged(asana: AsanaEmulator, kind: Any, error: type[Exception]) -> None:
    asana.controls.fail("/users/*", kind, seconds=2)
    with pytest.raises(error):
        ask(asana, "/users/me", timeout=1).json()
    assert ask(asana, "/users/me").status_code == 200
    assert asana.ledger.duplicates() == {}


def came(asana: AsanaEmulator, path: str) -> tuple[bytes, bool]:
    """The bytes that arrive, and whether the connection was reset at the end."""
    everything = b""
    with connected(asana) as connection:
        connection.sendall(raw_request(asana, path))
        try:
            while part := connection.recv(65536):
                everything += part
        except ConnectionResetError:
            return everything, True
    return everything, False


def connected(asana: AsanaEmulator) -> socket.socket:
    host, port = asana.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def raw_request(asana: AsanaEmulator, path: str) -> bytes:
    lines = [
        f"GET /api/1.0{path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {asana.tokens.pat('service')}",
        "Connection: close",
        "\r\n",
    ]
    return "\r\n".join(lines).encode()


def promised(head: bytes) -> int:
    """The length of the body according to the headers."""
    return int(head.lower().split(b"content-length: ")[1].split()[0])


def test_headers_can_be_cut(asana: AsanaEmulator) -> None:
    asana.controls.fail("/users/*", "cut_headers")
    everything, was_reset = came(asana, "/users/me")
    assert everything.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: ")
    assert b"\r\n\r\n" not in everything
    assert not was_reset


@pytest.mark.parametrize(("kind", "resets"), [("truncated", False), ("reset_body", True)])
def test_a_body_can_be_cut_by_an_end_or_by_a_reset(
    asana: AsanaEmulator, project: str, kind: Any, *, resets: bool
) -> None:
    path = f"/tasks?project={project}&opt_fields=name,html_notes,followers.name"
    whole = came(asana, path)[0].partition(b"\r\n\r\n")[2]
    asana.controls.fail("/tasks", kind)
    everything, was_reset = came(asana, path)
    head, _, body = everything.partition(b"\r\n\r\n")
    assert promised(head) == len(whole)
    assert body == whole[: len(whole) // 2]
    assert was_reset == resets


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_status_can_come_without_asanas_envelope(asana: AsanaEmulator, status: int) -> None:
    asana.controls.fail("/users/*", status, bare=True)
    asana.controls.fail("/users/*", status, empty=True, retry_after=7)
    bare, empty = ask(asana, "/users/me"), ask(asana, "/users/me")
    assert (bare.status_code, bare.headers["Content-Type"]) == (status, "text/html")
    assert f"<h1>{status} " in bare.text
    assert "Retry-After" not in bare.headers
    assert (empty.status_code, empty.content) == (status, b"")
    assert empty.headers["Retry-After"] == "7"
    assert asana.ledger.by_status() == {status: 2}
    assert ask(asana, "/users/me").status_code == 200


def test_only_a_status_can_come_without_an_envelope(asana: AsanaEmulator) -> None:
    with pytest.raises(ValueError, match="only a status code"):
        asana.controls.fail("*", "portal", bare=True)


def test_another_host_can_answer_instead_of_asana(asana: AsanaEmulator) -> None:
    asana.controls.fail("/users/*", "portal")
    page = ask(asana, "/users/me")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html")
    assert page.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("data", [None, [], "text", [None, {"gid": "1"}]], ids=str)
def test_asanas_envelope_can_have_something_else_in_it(asana: AsanaEmulator, data: Any) -> None:
    asana.controls.fail("/users/*", "odd_data", data=data)
    odd = ask(asana, "/users/me")
    assert (odd.status_code, odd.json()) == (200, {"data": data})


def test_a_request_can_be_redirected_to_another_host(asana: AsanaEmulator) -> None:
    asana.controls.fail("/users/*", "redirect")
    with pytest.raises(requests.ConnectionError, match="port=9"):
        ask(asana, "/users/me")
    with AsanaEmulator(make_account("sample")) as other:
        elsewhere = f"{other.base_url}/workspaces"
        asana.controls.fail("/users/*", "redirect", location=elsewhere)
        followed = ask(asana, "/users/me")
        (redirection,) = followed.history
        assert (redirection.status_code, redirection.headers["Location"]) == (302, elsewhere)
        assert other.ledger.by_path() == {"/workspaces": 1}


@pytest.mark.parametrize("location", ["http://[", "http://host:port:1/", "http://proxy/\xe9"])
def test_a_redirect_can_have_an_invalid_address(asana: AsanaEmulator, location: str) -> None:
    asana.controls.fail("/users/*", "redirect", location=location)
    head = came(asana, "/users/me")[0].partition(b"\r\n\r\n")[0]
    assert head.startswith(b"HTTP/1.1 302 Found\r\n")
    assert f"\r\nLocation: {location}".encode("latin-1") in head


def test_headers_can_come_byte_by_byte(asana: AsanaEmulator) -> None:
    usual = ask(asana, "/users/me").json()
    asana.controls.fail("/users/*", "slow_headers", seconds=0.6)
    begun = time.monotonic()
    assert ask(asana, "/users/me").json() == usual
    assert time.monotonic() - begun >= 0.5


def test_a_bomb_is_small_on_the_wire_and_large_when_unzipped(asana: AsanaEmulator) -> None:
    asana.controls.fail("/users/*", "bomb")
    head, _, body = came(asana, "/users/me")[0].partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    assert len(body) < 3_000_000
    unzipped, parts = zlib.decompressobj(16 + zlib.MAX_WBITS), 0
    while not unzipped.eof:
        parts += len(unzipped.decompress(body, 1 << 20))
        body = unzipped.unconsumed_tail
    assert parts > 600_000_000


def test_a_body_can_be_rewritten_byte_by_byte(asana: AsanaEmulator) -> None:
    asana.controls.fail("/users/*", "rewritten", old='{"data":', new='\xef\xbb\xbf{"data":')
    usual, odd = came(asana, "/users/me")[0], came(asana, "/users/me")[0]
    assert usual.partition(b"\r\n\r\n")[2] == b"\xef\xbb\xbf" + odd.partition(b"\r\n\r\n")[2]


LISTING: Json = {"limit": 2, "opt_fields": "name"}


@pytest.mark.parametrize(
    ("kind", "offsets"),
    [
        ("same_offset", ["again", "again", "again"]),
        ("two_offsets", ["ping", "pong", "ping"]),
        ("new_offsets", ["page-1", "page-2", "page-3"]),
        ("empty_pages", ["page-1", "page-2", "page-3"]),
    ],
)
def test_a_listing_can_be_made_endless(
    asana: AsanaEmulator, project: str, tasks: list[str], kind: Any, offsets: list[str]
) -> None:
    asana.controls.fail("/tasks", kind, times=None)
    query: Json = {"project": project, **LISTING}
    for offset in offsets:
        page = told(asana, "/tasks", **query)
        assert gids(page) == ([] if kind == "empty_pages" else tasks[:2])
        assert page["next_page"]["offset"] == offset
        query["offset"] = offset


def test_a_page_can_be_empty_even_if_more_follow(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    asana.controls.fail("/tasks", "hidden_page", times=2, after=1)
    found = [gids(page) for page in pages(asana, "/tasks", project=project, limit=2)]
    assert found[1:3] == [[], []]
    assert [gid for page in found for gid in page] == tasks


def test_events_can_be_made_endless(asana: AsanaEmulator, project: str) -> None:
    token = ask(asana, "/events", resource=project).json()["sync"]
    asana.controls.fail("/events", "same_sync_token")
    answer = told(asana, "/events", resource=project, sync=token)
    assert (answer["sync"], answer["has_more"]) == (token, True)
    assert told(asana, "/events", resource=project, sync=token)["has_more"] is False


def test_a_412_can_come_without_a_token(asana: AsanaEmulator, project: str) -> None:
    asana.controls.fail("/events", 412)
    answer = ask(asana, "/events", resource=project)
    assert answer.status_code == 412
    assert "sync" not in answer.json()


def test_json_can_come_in_another_shape_or_under_another_type(asana: AsanaEmulator) -> None:
    usual = ask(asana, "/users/me")
    asana.controls.fail("/users/*", "wrong_shape")
    asana.controls.fail("/users/*", "wrong_type")
    shape, mistyped = ask(asana, "/users/me"), ask(asana, "/users/me")
    assert (shape.status_code, shape.json()) == (200, {"ok": True})
    assert shape.headers["Content-Type"] == usual.headers["Content-Type"]
    assert (mistyped.status_code, mistyped.json()) == (200, usual.json())
    assert mistyped.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("gzip", [False, True])
def test_a_body_declared_as_gzip_can_be_something_else(
    asana: AsanaEmulator, project: str, *, gzip: bool
) -> None:
    asana.controls.gzip = gzip
    asana.controls.fail("/tasks", "bad_gzip")
    query: Json = {"project": project, "opt_fields": "name,notes,html_notes,permalink_url"}
    with pytest.raises(requests.exceptions.ContentDecodingError):
        ask(asana, "/tasks", **query)
    assert ask(asana, "/tasks", **query).json()["data"]


@pytest.mark.parametrize("kind", ["slow", "trickle"])
def test_a_body_that_takes_longer_than_the_read_timeout_arrives_whole(
    asana: AsanaEmulator, kind: Any
) -> None:
    usual = ask(asana, "/users/me").json()
    asana.controls.fail("/users/*", kind, seconds=2)
    begun = time.monotonic()
    assert ask(asana, "/users/me", timeout=1).json() == usual
    assert time.monotonic() - begun >= 1.5


def test_a_trickle_comes_byte_by_byte_and_then_the_rest(asana: AsanaEmulator) -> None:
    asana.controls.fail("/users/*", "trickle", seconds=0.5)
    answer = requests.get(
        f"{asana.base_url}/users/me",
        headers={"Authorization": f"Bearer {asana.tokens.pat('service')}"},
        stream=True,
        timeout=10,
    )
    parts = []
    while part := answer.raw.read1(65536):
        parts.append(part)
    assert b"".join(parts) == ask(asana, "/users/me").content
    assert len(parts) >= 3
    assert len(parts[-1]) > 1


def becomes(holds: Callable[[], bool]) -> bool:
    """Whether this becomes true long before the emulator finishes its fault."""
    for _ in range(500):
        if holds():
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("kind", ["slow", "trickle", "stall", "hang"])
def test_a_client_that_disconnects_early_is_forgotten(
    asana: AsanaEmulator, kind: Any, caplog: pytest.LogCaptureFixture
) -> None:
    asana.controls.fail("/users/*", kind, seconds=20)
    with caplog.at_level(logging.WARNING):
        with connected(asana) as connection:
            connection.sendall(raw_request(asana, "/users/me"))
            assert becomes(lambda: asana.ledger.count() == 1)
        assert becomes(lambda: asana.controls.in_flight.current["service"] == 0)
    assert caplog.records == []
    assert ask(asana, "/users/me").status_code == 200


def test_a_client_that_waits_for_a_hanging_answer_is_finally_disconnected(
    asana: AsanaEmulator,
) -> None:
    asana.controls.fail("/users/*", "hang", seconds=0.2)
    assert came(asana, "/users/me") == (b"", False)
    assert asana.ledger.by_status() == {0: 1}


@pytest.mark.parametrize("kind", ["slow", "trickle", "stall", "hang"])
def test_the_emulator_stops_while_an_answer_is_in_progress(kind: Any) -> None:
    asana = AsanaEmulator(make_account("sample"))
    asana.controls.fail("/users/*", kind, seconds=60)
    with asana, ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask, asana, "/users/me", timeout=30)
        assert becomes(lambda: asana.ledger.count() == 1)
        asana.stop()
        with pytest.raises(requests.RequestException):
            asking.result()


def test_a_slow_body_arrives_whole(asana: AsanaEmulator) -> None:
    asana.controls.fail("/users/*", "slow", seconds=0.4)
    begun = time.monotonic()
    assert ask(asana, "/users/me").json()["data"]["gid"]
    assert time.monotonic() - begun >= 0.3


def test_an_offset_can_expire_in_the_middle_of_a_listing(
    asana: AsanaEmulator, project: str
) -> None:
    asana.controls.fail("/tasks", "expired_offset")
    offset = first_offset(asana, project)
    assert ask(asana, "/tasks", project=project, limit=1, offset=offset).status_code == 400
    assert ask(asana, "/tasks", project=project, limit=1, offset=offset).status_code == 200


def test_faults_follow_their_schedule(asana: AsanaEmulator) -> None:
    fault = asana.controls.fail("*", 503, after=2, times=3)
    statuses = [ask(asana, "/users/me").status_code for _ in range(8)]
    assert statuses == [200, 200, 503, 503, 503, 200, 200, 200]
    assert fault.happened == 3


def test_faults_can_be_limited_to_requests_with_certain_parameters(
    asana: AsanaEmulator, project: str
) -> None:
    asana.controls.fail("/tasks?offset=*", 503)
    asana.controls.deny("/tasks?opt_fields=*.name&project=*", 403)
    offset = first_offset(asana, project)
    for query, status in (
        ({"limit": 1, "offset": offset}, 503),
        ({"limit": 1, "offset": offset}, 200),
        ({"opt_fields": "name"}, 200),
        ({"opt_fields": "assignee.name"}, 403),
    ):
        assert ask(asana, "/tasks", project=project, **query).status_code == status


def test_faults_can_be_random(asana: AsanaEmulator) -> None:
    asana.controls.fail("*", 500, probability=0.5, times=None)
    statuses = [ask(asana, "/users/me").status_code for _ in range(40)]
    assert 5 < statuses.count(500) < 35
    asana.controls.heal()
    assert ask(asana, "/users/me").status_code == 200


def test_an_unknown_fault_is_an_error_of_the_test(asana: AsanaEmulator) -> None:
    with pytest.raises(ValueError, match="no such fault"):
        asana.controls.fail("*", "earthquake")  # type: ignore[arg-type]


def test_an_object_can_be_denied_in_every_path_and_parameter(
    asana: AsanaEmulator, organization: str, project: str
) -> None:
    asana.controls.deny(project, 403)
    for path in (
        f"/projects/{project}/sections",
        f"/tasks?project={project}",
        f"/attachments?parent={project}",
    ):
        assert ask(asana, path).status_code == 403
    assert project in gids(told(asana, "/projects", workspace=organization))
    asana.controls.allow(project)
    assert ask(asana, f"/projects/{project}/sections").status_code == 200


def test_an_operation_can_be_denied_altogether_or_below_one_object(
    asana: AsanaEmulator, organization: str, plain_workspace: str
) -> None:
    template = "/workspaces/{workspace_gid}/custom_fields"
    paths = [f"/workspaces/{gid}/custom_fields" for gid in (organization, plain_workspace)]
    asana.controls.deny(template, 402, only=organization)
    assert [ask(asana, path).status_code for path in paths] == [402, 200]
    asana.controls.deny(template, 451)
    assert [ask(asana, path).status_code for path in paths] == [402, 451]


def test_the_account_can_change_in_the_middle_of_a_listing(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    asana.controls.interrupt("/tasks", lambda: asana.account.delete(tasks[-1]), after=1)
    found = [gid for page in pages(asana, "/tasks", project=project, limit=2) for gid in gids(page)]
    assert found == tasks[:-1]


def test_bodies_are_zipped_only_when_wanted(asana: AsanaEmulator, project: str) -> None:
    query: Json = {"project": project, "opt_fields": "name,notes,html_notes,permalink_url"}
    plain = ask(asana, "/tasks", **query)
    asana.controls.gzip = True
    zipped = ask(asana, "/tasks", **query)
    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert int(zipped.headers["Content-Length"]) < int(plain.headers["Content-Length"])
    assert zipped.json() == plain.json()
    assert "Content-Encoding" not in ask(asana, "/users/me", opt_fields="name").headers


def test_headers_can_be_added_and_date_is_the_accounts_time(asana: AsanaEmulator) -> None:
    asana.account.clock.advance(86_400)
    asana.controls.headers = {"Asana-Change": "name=new_memberships;affected=true"}
    headers = ask(asana, "/users/me").headers
    assert headers["Asana-Change"].startswith("name=new_memberships")
    told_time = pendulum.from_format(headers["Date"], "ddd, DD MMM YYYY HH:mm:ss z")
    assert abs((asana.account.clock.now() - told_time).total_seconds()) < 5


@pytest.mark.parametrize(
    ("query", "status"), [({"limit": 21}, 504), ({"limit": 20}, 200), ({}, 200)]
)
def test_only_large_pages_can_be_made_to_fail(
    asana: AsanaEmulator, project: str, query: Json, status: int
) -> None:
    asana.controls.fail("/tasks", 504, times=None, above_limit=20)
    assert ask(asana, "/tasks", project=project, **query).status_code == status
