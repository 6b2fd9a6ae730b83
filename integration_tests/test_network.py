"""The route to Asana: proxies, certificates, host names, and connections that break."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pendulum
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from integration_tests.asana_emulator import AsanaEmulator, make_account
from integration_tests.reading import (
    SERVICE,
    Json,
    Said,
    catalog_of,
    config_for,
    failed,
    oauth_config,
    run,
    run_program,
)
from source_asana.transfer import Transfer

NOWHERE = "http://127.0.0.1:9"
NO_SUCH_NAME = "https://asana.invalid"
HOP_BY_HOP = ("connection", "proxy-authorization", "proxy-connection", "transfer-encoding")
STREAMS = ("tags", "tasks", "users")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in CERTIFICATES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that does not retry for long."""
    monkeypatch.setattr("source_asana.source.CHECK_PATIENCE", 0.1)


@dataclass
class Gateway:
    """A proxy between the connector and Asana, or a server with TLS instead of Asana.

    It refuses with `refuses`, an HTTP status, if there is one. Without `keeps` it closes each
    connection after an answer, without announcing it.
    """

    upstream: str = ""
    refuses: int = 0
    keeps: bool = True
    asked: list[str] = field(default_factory=list)
    passwords: set[str | None] = field(default_factory=set)
    encodings: set[str | None] = field(default_factory=set)
    cookies: set[str | None] = field(default_factory=set)
    connections: int = 0
    address: str = ""


class Passing(BaseHTTPRequestHandler):
    """The handler of each request to a gateway."""

    gateway: ClassVar[Gateway]
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        self.gateway.connections += 1
        super().setup()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        if self._may_pass():
            self._forward()

    do_POST = do_GET  # noqa: N815

    def do_CONNECT(self) -> None:
        if not self._may_pass():
            return
        host, _, port = self.path.rpartition(":")
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        with socket.create_connection((host, int(port))) as there:
            back = threading.Thread(target=pump, args=(there, self.connection), daemon=True)
            back.start()
            pump(self.connection, there)
            back.join()

    def _may_pass(self) -> bool:
        self.gateway.asked.append(self.path)
        self.gateway.passwords.add(self.headers["Proxy-Authorization"])
        self.gateway.cookies.add(self.headers["Cookie"])
        if self.gateway.refuses:
            page = b"<!DOCTYPE html><html><body>No.</body></html>"
            self._answer(self.gateway.refuses, [("Content-Type", "text/html")], page)
        return not self.gateway.refuses

    def _forward(self) -> None:
        asked = urlsplit(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        kept = {n: v for n, v in self.headers.items() if n.lower() not in HOP_BY_HOP}
        connection = HTTPConnection(urlsplit(self.gateway.upstream).netloc or asked.netloc)
        connection.request(self.command, f"{asked.path}?{asked.query}", body or None, kept)
        answer = connection.getresponse()
        self.gateway.encodings.add(answer.headers["Content-Encoding"])
        self._answer(answer.status, answer.getheaders(), answer.read())
        connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in (*HOP_BY_HOP, "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection |= not self.gateway.keeps


class Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect."""


@contextmanager
def serving(gateway: Gateway, tls: ssl.SSLContext | None = None) -> Iterator[Gateway]:
    """A gateway at its `address` while the block lasts."""
    handler = type("Passing", (Passing,), {"gateway": gateway})
    with Server(("127.0.0.1", 0), handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        scheme = "https" if tls else "http"
        gateway.address = f"{scheme}://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield gateway
        finally:
            server.shutdown()
            thread.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    """Pass on all bytes until the end."""
    with suppress(OSError):
        while content := source.recv(1 << 16):
            target.sendall(content)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def greeting(answer: Callable[[socket.socket], object]) -> Iterator[str]:
    """An https address that gives each connection to `answer`, and then closes it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


@dataclass(frozen=True)
class Authority:
    """A certificate authority that is not trusted by default, and a server's context from it."""

    bundle: Path
    tls: ssl.SSLContext


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("authority")
    bundle, chain = folder / "authority.pem", folder / "server.pem"
    signer = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    own = certificate("The test’s own authority", signer, signer)
    bundle.write_bytes(own.public_bytes(Encoding.PEM))
    chain.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate("Asana, or so it says", key, signer).public_bytes(Encoding.PEM)
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain)
    return Authority(bundle, tls)


def certificate(
    name: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    """The certificate of a server at 127.0.0.1, or of the authority that signs for itself."""
    is_authority = key is signer
    now = pendulum.now("UTC")
    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named("The test’s own authority"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.subtract(days=1))
        .not_valid_after(now.add(days=1))
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]),
            critical=False,
        )
        # Python 3.13 and later refuse a certificate without these.
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_authority,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=is_authority,
                crl_sign=is_authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
            critical=False,
        )
        .sign(signer, SHA256())
    )


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def assert_complete(said: Said, asana: AsanaEmulator, person: str = SERVICE) -> None:
    """Check that each record comes once, and that no request is repeated."""
    for stream in STREAMS:
        expected = sorted(record["gid"] for record in asana.expected(stream, person))
        assert sorted(record["gid"] for record in said.records()[stream]) == expected
    assert asana.ledger.duplicates() == {}
    assert said.exit_status == 0


def read(asana: AsanaEmulator, address: str | None = None, **ways: Any) -> Said:
    return run("read", address or asana.url, config_for(asana), catalog_of(STREAMS), **ways)


def failure_of(said: Said) -> Json:
    """The only trace of a read that ends for one reason, in a sentence."""
    (error,) = said.errors().values()
    assert "stack_trace" not in error
    assert "Traceback" not in said.text
    assert said.exit_status == 1
    return error


def assert_given_up(said: Said, words: str) -> None:
    """Check that each stream is incomplete for lack of an answer, and says why."""
    for stream in STREAMS:
        error = said.errors()[stream]
        assert error["failure_type"] == "transient_error"
        assert words in error["message"]
        assert said.statuses(stream)[-1] == "INCOMPLETE"
    assert "Traceback" not in said.text
    assert said.exit_status == 1


# -- proxies --------------------------------------------------------------------------------------


def test_every_request_uses_the_proxy_from_the_environment(
    sample: AsanaEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Gateway()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.address)
        assert_complete(read(sample), sample)
    assert len(proxy.asked) == sample.ledger.count()
    assert all(address.startswith(sample.url) for address in proxy.asked)


def test_token_requests_use_the_proxy_too(
    asana: AsanaEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Gateway()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.address)
        said = run("read", asana, oauth_config(asana), catalog_of(STREAMS))
    assert_complete(said, asana, "member")
    assert asana.token_url in {address.rstrip("?") for address in proxy.asked}


def test_an_exception_from_the_proxy_is_respected(
    sample: AsanaEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", NOWHERE)
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    assert_complete(read(sample), sample)


def test_https_goes_through_a_proxys_tunnel(
    sample: AsanaEmulator, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Gateway()) as proxy, serving(Gateway(sample.url), authority.tls) as asana:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
        assert_complete(read(sample, asana.address), sample)
    assert set(proxy.asked) == {urlsplit(asana.address).netloc}


@pytest.mark.parametrize("command", ["check", "read"])
def test_only_the_proxy_gets_its_password(
    sample: AsanaEmulator, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    catalog = catalog_of(STREAMS) if command == "read" else None
    with serving(Gateway()) as proxy:
        address = proxy.address.replace("://", "://keeper:fresnel@")
        monkeypatch.setenv("HTTP_PROXY", address)
        said = run_program(command, sample, config_for(sample), catalog, "--debug")
        assert said.exit_status == 0
        proxy.refuses = 407
        refused = run("read", sample, config_for(sample), catalog_of(STREAMS), patience=0.1)
    assert proxy.passwords == {"Basic a2VlcGVyOmZyZXNuZWw="}
    assert_given_up(refused, "407")
    assert "fresnel" not in said.text + refused.text


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("status", [403, 407, 502])
def test_a_proxy_that_opens_no_tunnel_is_named_as_the_cause(
    sample: AsanaEmulator, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    with serving(Gateway(refuses=status)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address.replace("://", "://keeper:fresnel@"))
        checked = run("check", NO_SUCH_NAME, config_for(sample))
        said = read(sample, NO_SUCH_NAME, patience=0.1)
    assert "no connection to asana.invalid through the proxy" in failed(checked)
    assert_given_up(said, "no connection to asana.invalid through the proxy")
    assert "fresnel" not in checked.text + said.text


# -- certificates ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["token", "oauth"])
def test_an_untrusted_certificate_is_a_config_error(
    sample: AsanaEmulator, authority: Authority, kind: str
) -> None:
    config = config_for(sample) if kind == "token" else oauth_config(sample)
    with serving(Gateway(sample.url), authority.tls) as asana:
        checked = run("check", asana.address, config)
        said = run("read", asana.address, config, catalog_of(STREAMS))
    host = urlsplit(asana.address).netloc
    words = f"The certificate of {host} is not trusted"
    assert failed(checked).startswith(words)
    error = failure_of(said)
    assert error["failure_type"] == "config_error"
    assert error["message"].startswith(words)
    assert "REQUESTS_CA_BUNDLE" in error["message"]
    for stream in STREAMS:
        assert said.statuses(stream) == ["STARTED", "INCOMPLETE"]
    assert sample.ledger.count() == 0


@pytest.mark.parametrize("kind", ["token", "oauth"])
def test_an_authority_from_the_environment_is_trusted(
    asana: AsanaEmulator, authority: Authority, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    config = config_for(asana) if kind == "token" else oauth_config(asana)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    with serving(Gateway(asana.url), authority.tls) as front:
        said = run("read", front.address, config, catalog_of(STREAMS))
    assert_complete(said, asana, SERVICE if kind == "token" else "member")


def test_missing_certificates_are_a_config_error(
    sample: AsanaEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "nowhere.pem")
    assert "No CA certificates at nowhere.pem" in failed(run("check", sample, config_for(sample)))
    error = failure_of(read(sample))
    assert error["failure_type"] == "config_error"
    assert "No CA certificates at nowhere.pem" in error["message"]


def test_a_server_without_tls_is_a_config_error(sample: AsanaEmulator) -> None:
    address = sample.url.replace("http://", "https://")
    assert "TLS handshake with" in failed(run("check", address, config_for(sample)))
    error = failure_of(read(sample, address))
    assert error["failure_type"] == "config_error"
    assert "TLS handshake with" in error["message"]


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("greeted", ["not at all", "with half a greeting"])
def test_a_connection_that_breaks_during_the_tls_handshake_is_retried(
    sample: AsanaEmulator, greeted: str
) -> None:
    def break_off(connection: socket.socket) -> None:
        if greeted != "not at all":
            connection.recv(1 << 16)
            connection.sendall(b"\x16\x03\x03\x00\x7a\x02")

    with greeting(break_off) as address:
        checked = run("check", address, config_for(sample))
        said = read(sample, address, patience=0.1)
    assert "was lost or refused. Check the network" in failed(checked)
    assert_given_up(said, "was lost or refused")


# -- names and connections ------------------------------------------------------------------------


@pytest.mark.once
def test_a_check_reports_an_unknown_host_name(sample: AsanaEmulator) -> None:
    said = run("check", NO_SUCH_NAME, config_for(sample))
    assert "DNS lookup of asana.invalid failed. Check the network" in failed(said)


def test_a_read_from_an_unknown_host_name_ends_with_a_clear_error(sample: AsanaEmulator) -> None:
    said = read(sample, NO_SUCH_NAME, patience=0.1)
    assert_given_up(said, "DNS lookup of asana.invalid failed")


def test_oauth_at_an_unknown_host_name_ends_with_a_clear_error(asana: AsanaEmulator) -> None:
    config = oauth_config(asana)
    error = failure_of(run("read", NO_SUCH_NAME, config, catalog_of(STREAMS), patience=0.1))
    assert error["failure_type"] == "transient_error"
    assert "DNS lookup of asana.invalid failed" in error["message"]


def test_a_refused_connection_ends_with_a_clear_error(sample: AsanaEmulator) -> None:
    assert_given_up(read(sample, NOWHERE, patience=0.1), "was lost or refused")


@pytest.mark.usefixtures("hasty")
def test_a_server_that_never_answers_is_given_up(asana: AsanaEmulator) -> None:
    asana.controls.fail("/*", "hang", seconds=600, times=None)
    said = read(asana, patience=0.1, answer_seconds=0.3)
    assert_given_up(said, f"{urlsplit(asana.url).netloc} did not respond in time")
    checked = run("check", asana, config_for(asana), answer_seconds=0.3)
    assert "in time. Check the network" in failed(checked)


def test_a_server_that_does_not_answer_once_costs_no_record(asana: AsanaEmulator) -> None:
    fault = asana.controls.fail("/tasks", "hang", seconds=600)
    assert_complete(read(asana, answer_seconds=0.5), asana)
    assert fault.happened == 1


def test_a_slow_body_is_read_to_its_end(asana: AsanaEmulator) -> None:
    fault = asana.controls.fail("/tasks", "slow", seconds=1)
    assert_complete(read(asana, answer_seconds=30), asana)
    assert fault.happened == 1
    assert asana.ledger.count("/tasks") == asana.floor(STREAMS, SERVICE)["/tasks"]


def test_a_body_that_trickles_in_is_given_up_after_the_time_limit(
    asana: AsanaEmulator,
) -> None:
    fault = asana.controls.fail("/tasks", "trickle", seconds=20)
    assert_complete(read(asana, answer_seconds=0.5), asana)
    assert fault.happened == 1
    assert asana.ledger.count("/tasks") == asana.floor(STREAMS, SERVICE)["/tasks"] + 1


def test_compressed_answers_are_read(asana: AsanaEmulator) -> None:
    asana.controls.gzip = True
    fault = asana.controls.fail("/tasks", "bad_gzip")
    with serving(Gateway(asana.url)) as front:
        assert_complete(read(asana, front.address, patience=1), asana)
    assert "gzip" in front.encodings
    assert fault.happened == 1


def test_headers_that_come_byte_by_byte_are_given_up_after_the_time_limit(
    asana: AsanaEmulator,
) -> None:
    fault = asana.controls.fail("/tasks", "slow_headers", seconds=20)
    assert_complete(read(asana, answer_seconds=0.5), asana)
    assert fault.happened == 1
    assert asana.ledger.count("/tasks") == asana.floor(STREAMS, SERVICE)["/tasks"] + 1


def test_the_error_says_that_headers_came_too_slowly(asana: AsanaEmulator) -> None:
    asana.controls.fail("/*", "slow_headers", seconds=20, times=None)
    said = read(asana, patience=0.1, answer_seconds=0.3)
    assert_given_up(said, f"{urlsplit(asana.url).netloc} did not respond in time")


def test_the_error_says_that_a_body_came_too_slowly(asana: AsanaEmulator) -> None:
    asana.controls.fail("/*", "trickle", seconds=20, times=None)
    said = read(asana, patience=0.1, answer_seconds=0.3)
    assert_given_up(said, f"{urlsplit(asana.url).netloc} did not respond in time")


@pytest.mark.parametrize("kind", ["token", "oauth"])
def test_no_cookie_is_kept(asana: AsanaEmulator, kind: str) -> None:
    config = config_for(asana) if kind == "token" else oauth_config(asana)
    asana.controls.headers = {"Set-Cookie": "session=abc; Path=/"}
    asana.controls.interrupt("/tasks", asana.tokens.expire_access_tokens)
    with serving(Gateway(asana.url)) as front:
        said = run("read", front.address, config, catalog_of(STREAMS))
    assert said.exit_status == 0
    assert len(front.asked) > len(STREAMS)
    assert front.cookies == {None}


def test_connections_are_reused(sample: AsanaEmulator) -> None:
    workers = 3
    with serving(Gateway(sample.url)) as front:
        config = config_for(sample, num_workers=workers)
        assert_complete(run("read", front.address, config, catalog_of(STREAMS)), sample)
    assert front.connections <= workers < len(front.asked)


def test_a_connection_closed_between_two_requests_costs_no_record(
    sample: AsanaEmulator,
) -> None:
    with serving(Gateway(sample.url, keeps=False)) as front:
        assert_complete(read(sample, front.address), sample)
    assert front.connections >= len(front.asked)


def test_malformed_headers_cause_no_stack_trace_in_the_log() -> None:
    content = b'{"data":[]}'
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nno header\r\nX: y\r\n\r\n" % len(content)

    class Odd(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.wfile.write(head + content)
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    with Server(("127.0.0.1", 0), Odd) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        said = run_program("check", address, {"access_token": "2/1/none-that-counts"})
        server.shutdown()
        thread.join()
    assert "Traceback" not in said.text
    assert "parse headers" not in said.text
    assert said.connection_status()["status"] == "FAILED"


@pytest.fixture
def storage() -> Iterator[AsanaEmulator]:
    """An account whose files are served, too."""
    with AsanaEmulator(make_account("sample"), serves_files=True) as emulator:
        yield emulator


def files_read(storage: AsanaEmulator, folder: Path) -> Said:
    """Read attachments with their files."""
    catalog = catalog_of(["attachments"])
    catalog["streams"][0]["include_files"] = True
    transfer = Transfer(directory=folder, patience=0.01)
    return run("read", storage, config_for(storage), catalog, transfer=transfer)


def lead_to(storage: AsanaEmulator, address: str) -> None:
    """Let links to files lead to another address."""
    files = storage.files
    storage.account.shapes.link_to_file = lambda gid: files.link(gid).replace(files.url, address)


def test_a_file_from_a_host_that_is_not_trusted_is_missing(
    storage: AsanaEmulator, authority: Authority, tmp_path: Path
) -> None:
    with serving(Gateway(storage.files.url), authority.tls) as host:
        lead_to(storage, host.address)
        said = files_read(storage, tmp_path)
    assert "file_reference" not in said.text
    assert storage.files.requests == []
    assert "4 of 4 files missing (4 failed)" in said.text
    assert "is not trusted. If a proxy inspects HTTPS traffic, add its CA certificate" in said.text


def test_a_file_from_a_host_that_the_environment_trusts_comes(
    storage: AsanaEmulator,
    authority: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    with serving(Gateway(storage.files.url), authority.tls) as host:
        lead_to(storage, host.address)
        said = files_read(storage, tmp_path)
    assert said.text.count("file_reference") == len(storage.files.requests) == 4
    assert host.cookies == host.passwords == {None}


def test_files_come_through_the_proxy_of_the_environment(
    storage: AsanaEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Gateway()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.address)
        said = files_read(storage, tmp_path)
    assert said.text.count("file_reference") == 4
    assert sum(asked.startswith(storage.files.url) for asked in proxy.asked) == 4
