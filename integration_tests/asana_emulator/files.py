"""Serves the files of attachments as Asana's storage does: on another host, by signed links.

Asana's links lead to Amazon S3. They work for two minutes and need no token: S3 refuses
a request that has both a signature and an `Authorization` header.
https://developers.asana.com/reference/attachments
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, NamedTuple, get_args

from aiohttp import web

from .account import Account

Mishap = Literal[
    "expired",
    "refused",
    "status",
    "redirect",
    "cut",
    "reset",
    "slow",
    "silent",
    "gate",
    "endless",
    "open",
]
MISHAPS = frozenset(get_args(Mishap))
BLOCK_BYTES = 1 << 16
PARTS = 20
MOMENT = 0.02
S3_ERROR = """<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>{}</Code><Message>{}</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>"""


class FileRequest(NamedTuple):
    """A request for a file, with all of its headers in lower case."""

    gid: str
    signature: str
    headers: Mapping[str, str]


@dataclass
class FileTrouble:
    """What goes wrong with a file.

        expired    403 as S3 gives it for a link that is too old; the next link works
        refused    403, whatever the link
        status     `status`, as S3 gives it
        redirect   302, to `location`
        cut        the connection is closed after half of the content
        reset      the same before anything is answered
        slow       the content in twenty parts, over `seconds`
        silent     half of the content, and then nothing for `seconds`
        gate       the content as soon as the host's `gate` is open, or never after `seconds`
        endless    content without end
        open       the whole content without its length, until the connection is closed

    It happens `times` times (None: always).
    """

    kind: Mishap
    times: int | None = None
    status: int = 503
    location: str = ""
    seconds: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in MISHAPS:
            message = f"no such trouble with a file: {self.kind}"
            raise ValueError(message)

    def strikes(self) -> bool:
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


class FileHost:
    """The storage. `requests`: what it was asked for. `sizes`: of files that are not as large as
    the attachment says.

    Contents are made of the gid, so that each file differs.
    """

    def __init__(self, account: Account) -> None:
        self.url = ""
        self.requests: list[FileRequest] = []
        self.sizes: dict[str, int] = {}
        self.gate: Callable[[], bool] = lambda: True
        self._account = account
        self._troubles: dict[str, FileTrouble] = {}
        self._links: Counter[str] = Counter()

    def link(self, gid: str) -> str:
        """The link to a file that works now."""
        return (
            f"{self.url}/assets/{gid}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=120"
            f"&X-Amz-Signature={self.signature(gid)}"
        )

    def signature(self, gid: str) -> str:
        """The secret part of that link."""
        return sha256(f"{gid} {self._links[gid]}".encode()).hexdigest()

    def expire(self, gid: str) -> None:
        """Let the link to a file expire; Asana gives another one from now on."""
        self._links[gid] += 1
        self._account.version += 1

    def trouble(self, gid: str, trouble: FileTrouble) -> None:
        """Let something go wrong with a file, or with all others (`*`)."""
        self._troubles[gid] = trouble

    def size(self, gid: str) -> int:
        """The number of bytes that a file really has."""
        if gid in self.sizes:
            return self.sizes[gid]
        return self._account.attachment(gid).size or 0

    def pieces(self, gid: str, size: int) -> Iterator[bytes]:
        """The content of a file, or as much of it."""
        block = sha256(gid.encode()).digest() * (BLOCK_BYTES // 32)
        while size > 0:
            yield block[:size]
            size -= BLOCK_BYTES

    def digest(self, gid: str) -> str:
        """The SHA-256 of a whole file."""
        found = sha256()
        for piece in self.pieces(gid, self.size(gid)):
            found.update(piece)
        return found.hexdigest()

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        gid = request.path.rpartition("/")[2]
        signature = request.query.get("X-Amz-Signature", "")
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append(FileRequest(gid, signature, headers))
        try:
            self._account.attachment(gid)
        except KeyError:
            return _s3_error(404, "NoSuchKey", "The specified key does not exist.")
        if "authorization" in headers:
            return _s3_error(400, "InvalidArgument", "Only one auth mechanism allowed")
        if signature != self.signature(gid):
            return _expired()
        trouble = self._troubles.get(gid) or self._troubles.get("*")
        if trouble is None or not trouble.strikes():
            return await self._sent(request, gid)
        return await self._gone_wrong(request, gid, trouble)

    async def _gone_wrong(
        self, request: web.BaseRequest, gid: str, trouble: FileTrouble
    ) -> web.StreamResponse:
        answer: web.StreamResponse = web.Response()
        match trouble.kind:
            case "expired":
                self.expire(gid)
                answer = _expired()
            case "refused":
                answer = _s3_error(403, "AccessDenied", "Access Denied")
            case "status":
                answer = _s3_error(trouble.status, "SlowDown", "Please reduce your request rate.")
            case "redirect":
                answer = web.Response(status=302, headers={"Location": trouble.location})
            case "reset":
                _close(request)
            case "open":
                await self._close_at_the_end(request, gid)
            case "gate" if not await self._opens(trouble.seconds):
                _close(request)
            case _:
                answer = await self._sent(request, gid, trouble)
        return answer

    async def _opens(self, seconds: float) -> bool:
        """Wait for the gate, at most so long."""
        for _ in range(int(seconds / MOMENT)):
            if self.gate():
                return True
            await asyncio.sleep(MOMENT)
        return False

    async def _close_at_the_end(self, request: web.BaseRequest, gid: str) -> None:
        """Send a file as servers did before lengths were announced."""
        if isinstance(request.transport, asyncio.Transport):
            request.transport.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            for piece in self.pieces(gid, self.size(gid)):
                request.transport.write(piece)
        _close(request)

    async def _sent(
        self, request: web.BaseRequest, gid: str, trouble: FileTrouble | None = None
    ) -> web.StreamResponse:
        """Send a file, or as much of it as the trouble allows."""
        kind = trouble.kind if trouble else None
        size = self.size(gid)
        answer = web.StreamResponse(headers={"Content-Type": "binary/octet-stream"})
        if kind == "endless":
            answer.enable_chunked_encoding()
        else:
            answer.content_length = size
        with suppress(ConnectionError):
            await answer.prepare(request)
            sent = size // 2 if kind in ("cut", "silent") else size
            pause = trouble.seconds / PARTS if trouble and kind == "slow" else 0.0
            for piece in self.pieces(gid, sent):
                step = len(piece) // PARTS + 1 if pause else BLOCK_BYTES
                for at in range(0, len(piece), step):
                    await asyncio.sleep(pause)
                    await answer.write(piece[at : at + step])
            while kind == "endless":
                await answer.write(bytes(BLOCK_BYTES))
                await asyncio.sleep(0)
            if trouble and kind == "silent":
                await asyncio.sleep(trouble.seconds)
            if kind in ("cut", "silent"):
                _close(request)
        return answer


def _expired() -> web.Response:
    return _s3_error(403, "AccessDenied", "Request has expired")


def _s3_error(status: int, code: str, message: str) -> web.Response:
    text = S3_ERROR.format(code, message)
    return web.Response(status=status, text=text, content_type="application/xml")


def _close(request: web.BaseRequest) -> None:
    """Close the connection after what was sent."""
    if isinstance(request.transport, asyncio.Transport):
        request.transport.close()
