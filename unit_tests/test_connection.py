"""Whatever the network sends becomes an answer, never an exception."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from source_asana.asana.answer import (
    MAX_RETRY_AFTER_SECONDS,
    Answer,
    answer_of,
    retry_after_seconds,
    time_in,
)
from source_asana.asana.connection import Connection
from source_asana.asana.reactions import Reaction, reaction_to, reason_of

NOON = "Fri, 20 Nov 2026 12:00:00 GMT"
USUAL = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"data": []}'


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30),
        ("0.5", 0.5),
        (str(MAX_RETRY_AFTER_SECONDS), MAX_RETRY_AFTER_SECONDS),
        ("3601", None),
        ("1e300", None),
        ("0", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("-inf", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("Fri, 20 Nov 2026 12:00:07 GMT", 7),
        ("Fri, 20 Nov 2026 11:59:00 GMT", None),
        ("Fri, 20 Nov 2027 12:00:00 GMT", None),
    ],
)
def test_only_a_plausible_retry_after_is_used(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOON) == seconds


@given(st.text())
def test_any_text_in_a_time_header_can_be_parsed(header: str) -> None:
    assert time_in(header) is None or time_in(header)
    assert retry_after_seconds(header, header) is None or retry_after_seconds(header, header)


@pytest.mark.parametrize(
    ("header", "changes"),
    [
        (None, ()),
        ("name=a;affected=true", ("name=a;affected=true",)),
        ("name=a;info=https://asana.com/a, name=b", ("name=a;info=https://asana.com/a", "name=b")),
    ],
)
def test_announced_changes_come_from_one_header_or_several(
    header: str | None, changes: tuple[str, ...]
) -> None:
    headers = {"Asana-Change": header} if header else {}
    assert answer_of(200, headers, b'{"data": []}').announced_changes == changes


@contextmanager
def sending(content: bytes) -> Iterator[str]:
    """Serve these bytes to each request, then close the connection; yields the address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(1 << 16)
                        connection.sendall(content)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def answer_to(content: bytes) -> Answer:
    with sending(content) as address:
        return Connection(address, threads=1, answer_seconds=5).get(f"{address}/a", token="t")


@pytest.mark.parametrize(
    "location", [b"http://proxy/\xe9", b"http://[", b"http://host:port:1/", b"", b"\x01", b"//"]
)
def test_a_redirect_to_a_malformed_address_is_a_redirect(location: bytes) -> None:
    answer = answer_to(b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\n\r\n")
    assert answer.is_redirect
    assert answer.problem is None


def test_an_unexpected_exception_is_an_answer_too() -> None:
    with sending(USUAL) as address:
        answer = Connection(address, threads=1).get(f"{address}/a", token="no header has this: ☃")
    assert answer.status == 0
    assert reason_of(answer) == f"malformed response from {address[7:]} (UnicodeEncodeError)"


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """An ordinary answer with some bytes changed, removed or added."""
    content = bytearray(USUAL)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        content[at : at + draw(st.integers(0, 12))] = draw(st.binary(max_size=12))
    return bytes(content)


headers = st.sampled_from(
    (b"Content-Length", b"Content-Encoding", b"Transfer-Encoding", b"Location", b"Set-Cookie")
)
values = st.one_of(
    st.binary(max_size=20), st.sampled_from((b"gzip", b"deflate, gzip", b"chunked", b"-1", b"9e9"))
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(
        st.binary(max_size=60),
        damaged(),
        st.builds(
            b"HTTP/1.1 %d OK\r\n%b: %b\r\n\r\n%b".__mod__,
            st.tuples(st.sampled_from((200, 302, 401, 500, 999)), headers, values, st.binary()),
        ),
    )
)
def test_any_bytes_are_an_answer(content: bytes) -> None:
    answer = answer_to(content)
    assert isinstance(reaction_to(answer), Reaction)
    assert reason_of(answer)
