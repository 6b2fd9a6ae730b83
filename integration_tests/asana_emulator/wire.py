"""How an answer goes onto the wire: whole, zipped, or spoilt on the way."""

import asyncio
import gzip
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from .controls import Fault

JSON_TYPE = "application/json; charset=UTF-8"
SMALLEST_ZIPPED = 1024
HTML = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"
DRIBBLES = 20
LINGER_NOT = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Reply:
    """An answer before it is sent."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def zipped(self) -> "Reply":
        if len(self.body) < SMALLEST_ZIPPED:
            return self
        headers = {**self.headers, "Content-Encoding": "gzip"}
        return Reply(self.status, gzip.compress(self.body, 1), headers)

    def response(self) -> web.Response:
        return web.Response(status=self.status, body=self.body, headers=self.headers)


def gateway_page(headers: Mapping[str, str]) -> Reply:
    """What a gateway says when Asana behind it does not answer."""
    return Reply(502, HTML, {**headers, "Content-Type": "text/html"})


async def sent(request: web.BaseRequest, reply: Reply, fault: Fault | None) -> web.StreamResponse:
    """Send the reply, spoilt as the fault says."""
    if fault is None:
        return reply.response()
    match fault.kind:
        case "reset":
            _reset(request)
            return web.Response()
        case "truncated":
            return await _dribbled(request, reply, reply.body[: len(reply.body) // 2], 0)
        case "half_json":
            half = reply.body[: len(reply.body) // 2]
            return Reply(reply.status, half, reply.headers).response()
        case "slow":
            return await _dribbled(request, reply, reply.body, fault.seconds)
        case "stall":
            await asyncio.sleep(fault.seconds)
    return reply.response()


def _reset(request: web.BaseRequest) -> None:
    """Close so that the peer sees a reset, not an end."""
    transport = request.transport
    if transport is not None:
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        transport.abort()


async def _dribbled(
    request: web.BaseRequest, reply: Reply, body: bytes, seconds: float
) -> web.StreamResponse:
    """Send `body` bit by bit, under a header that promises the whole of the reply's."""
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_length = len(reply.body)
    await response.prepare(request)
    step = max(1, len(body) // DRIBBLES)
    for begin in range(0, len(body), step):
        await response.write(body[begin : begin + step])
        await asyncio.sleep(seconds / DRIBBLES)
    if len(body) < len(reply.body) and request.transport is not None:
        request.transport.close()
    return response
