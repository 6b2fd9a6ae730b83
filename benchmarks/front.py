"""A proxy that leads connections to app.asana.com to the emulator.

A connector uses it through `HTTPS_PROXY`, like a company's proxy, and trusts the certificate of
`asana.pem` through `REQUESTS_CA_BUNDLE`: no connector is changed, and each pays for its TLS.

    python -m benchmarks.front FOLDER ADDRESS      prints its port
"""

import asyncio
import ssl
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pendulum
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ASANA = "app.asana.com"
CHUNK = 1 << 18
CERTIFICATE = "asana.pem"
KEY = "asana.key"


def make_certificate(folder: Path) -> None:
    """A self-signed certificate for Asana's name, valid for two days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ASANA)])
    now = pendulum.now("UTC")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.subtract(days=1))
        .not_valid_after(now.add(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(ASANA)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / CERTIFICATE).write_bytes(certificate.public_bytes(pem))
    private = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(pem, private, serialization.NoEncryption())
    (folder / KEY).write_bytes(secret)


async def serve(folder: Path, host: str, port: int) -> None:
    """Serve until the process ends."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / CERTIFICATE, folder / KEY)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            await reader.readuntil(b"\r\n\r\n")  # CONNECT app.asana.com:443
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            await writer.start_tls(context)
            upstream, onward = await asyncio.open_connection(host, port, limit=CHUNK)
            await asyncio.gather(_passed_on(reader, onward), _passed_on(upstream, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=CHUNK, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()


def main(folder: str, address: str) -> None:
    """Create the certificate, and serve."""
    make_certificate(Path(folder))
    asana = urlsplit(address)
    asyncio.run(serve(Path(folder), asana.hostname or "", asana.port or 80))


if __name__ == "__main__":
    main(*sys.argv[1:])
