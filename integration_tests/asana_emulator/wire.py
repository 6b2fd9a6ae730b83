"""Sends answers: whole, zipped, or damaged on the way."""

import asyncio
import gzip
import math
import socket
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from http import HTTPStatus

import orjson
from aiohttp import web

from .controls import Fault

JSON_TYPE = "application/json; charset=UTF-8"
SMALLEST_ZIPPED = 1024
GATEWAY_PAGE = "<!DOCTYPE html><html><body><h1>{} {}</h1></body></html>"
PORTAL_PAGE = b"<!DOCTYPE html><html><body><h1>Welcome to our guests' network</h1></body></html>"
NOT_ASANAS_JSON = b'{"ok":true}'
MEGABYTE = 1_000_000
BOMB_MEGABYTES = 600
NO_GZIP = b"\x1f\x8b\x08\x00" + b"\xff" * 64
DRIBBLES = 20
MOMENT = 0.05
LAST_ANSWER = {"Content-Length": "0", "Connection": "close"}
LINGER_NOT = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Reply:
    """An answer before it is sent."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def half(self) -> bytes:
        return self.body[: len(self.body) // 2]

    def zipped(self) -> "Reply":
        if len(self.body) < SMALLEST_ZIPPED:
            return self
        return replace(self._with("Content-Encoding", "gzip"), body=gzip.compress(self.body, 1))

    def damaged(self, fault: Fault) -> "Reply":
        """The reply with the fault, for faults that change it before it is sent."""
        match fault.kind:
            case "half_json":
                return replace(self, body=self.half)
            case "wrong_type":
                return self._with("Content-Type", "text/plain; charset=UTF-8")
            case "bad_gzip":
                return replace(self._with("Content-Encoding", "gzip"), body=NO_GZIP)
            case "rewritten":
                old, new = fault.old.encode("latin-1"), fault.new.encode("latin-1")
                return replace(self, body=self.body.replace(old, new))
        return self

    def response(self) -> web.Response:
        return web.Response(status=self.status, body=self.body, headers=self.headers)

    def _with(self, header: str, value: str) -> "Reply":
        return replace(self, headers={**self.headers, header: value})


def gateway_reply(fault: Fault, headers: Mapping[str, str]) -> Reply | None:
    """The answer of a gateway between the client and Asana, if the fault is of that kind."""
    as_html = {**headers, **fault.headers, "Content-Type": "text/html"}
    reply = None
    match fault.kind:
        case int(status) if fault.empty:
            reply = Reply(status, b"", {**headers, **fault.headers})
        case int(status) if fault.bare:
            reply = Reply(status, _gateway_page(status), as_html)
        case "html":
            reply = Reply(502, _gateway_page(502), as_html)
        case "portal":
            reply = Reply(200, PORTAL_PAGE, as_html)
        case "redirect":
            reply = Reply(302, b"", {**as_html, "Location": fault.location})
        case "wrong_shape":
            reply = Reply(200, NOT_ASANAS_JSON, headers)
        case "bomb":
            reply = Reply(200, _bomb(), {**headers, "Content-Encoding": "gzip"})
        case "odd_data":
            reply = Reply(200, orjson.dumps({"data": fault.data}), headers)
    return reply


@cache
def _bomb() -> bytes:
    """An empty JSON list with an absurd number of blanks."""
    zipped = zlib.compressobj(1, wbits=16 + zlib.MAX_WBITS)
    parts = [b'{"data":[', *[b" " * MEGABYTE] * BOMB_MEGABYTES, b'],"next_page":null}']
    return b"".join(map(zipped.compress, parts)) + zipped.flush()


def _gateway_page(status: int) -> bytes:
    return GATEWAY_PAGE.format(status, HTTPStatus(status).phrase).encode()


async def sent(request: web.BaseRequest, reply: Reply, fault: Fault | None) -> web.StreamResponse:
    """Send the reply, damaged as the fault says."""
    if fault is None:
        return reply.response()
    match fault.kind:
        case "redirect":
            _close(request, _head(replace(reply, headers={**reply.headers, **LAST_ANSWER})))
            return web.Response()
        case "reset" | "cut_headers" | "slow_headers" | "truncated" | "reset_body" | "hang":
            await _broken_off(request, reply, fault)
            return web.Response()
        case "slow":
            return await _in_parts(request, reply, _dribbles(reply.body), fault.seconds / DRIBBLES)
        case "trickle":
            drops = min(len(reply.body), math.ceil(fault.seconds / MOMENT)) or 1
            trickle = _trickle(reply.body, drops)
            return await _in_parts(request, reply, trickle, fault.seconds / drops)
        case "stall":
            await _while_connected(request, fault.seconds)
    return reply.damaged(fault).response()


async def _broken_off(request: web.BaseRequest, reply: Reply, fault: Fault) -> None:
    """Send at most a part of the reply, and end the connection."""
    match fault.kind:
        case "reset":
            _reset(request)
        case "cut_headers":
            head = _head(reply)
            _close(request, head[: len(head) // 2])
        case "slow_headers":
            await _trickled(request, _head(reply), fault.seconds)
            _close(request, reply.body)
        case "truncated":
            await _in_parts(request, reply, [reply.half])
            _close(request)
        case "reset_body":
            await _in_parts(request, reply, [reply.half])
            await asyncio.sleep(MOMENT)
            _reset(request)
        case "hang":
            await _while_connected(request, fault.seconds)
            _close(request)


def _reset(request: web.BaseRequest) -> None:
    """Close so that the peer sees a reset, not an end."""
    transport = request.transport
    if transport is not None:
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        transport.abort()


def _close(request: web.BaseRequest, last: bytes = b"") -> None:
    """Close, after some last bytes, so that the peer sees an end."""
    transport = request.transport
    if isinstance(transport, asyncio.Transport):
        transport.write(last)
        transport.close()


def _head(reply: Reply) -> bytes:
    """The status line and the headers as bytes."""
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    return "\r\n".join([*lines, "\r\n"]).encode("latin-1")


async def _trickled(request: web.BaseRequest, content: bytes, seconds: float) -> None:
    """Send bytes one by one, until the client goes."""
    for at in range(len(content)):
        if not isinstance(request.transport, asyncio.Transport):
            return
        request.transport.write(content[at : at + 1])
        await asyncio.sleep(seconds / len(content))


def _dribbles(body: bytes) -> Iterator[bytes]:
    step = max(1, len(body) // DRIBBLES)
    return (body[begin : begin + step] for begin in range(0, len(body), step))


def _trickle(body: bytes, drops: int) -> Iterator[bytes]:
    """So many bytes one by one, then the rest."""
    yield from (body[at : at + 1] for at in range(drops))
    yield body[drops:]


async def _in_parts(
    request: web.BaseRequest, reply: Reply, parts: Iterable[bytes], pause: float = 0
) -> web.StreamResponse:
    """Send a body part by part, until the client goes, as if it were the reply's whole body."""
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_length = len(reply.body)
    with suppress(ConnectionError):
        await response.prepare(request)
        for part in parts:
            await asyncio.sleep(pause)
            await response.write(part)
    return response


async def _while_connected(request: web.BaseRequest, seconds: float) -> None:
    """Wait for so long, or until the client goes."""
    for _ in range(math.ceil(seconds / MOMENT)):
        if request.transport is None:
            return
        await asyncio.sleep(min(seconds, MOMENT))
