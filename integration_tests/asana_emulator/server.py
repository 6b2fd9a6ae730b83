"""The emulated Asana on a real socket: the order in which a request is checked and answered."""

import asyncio
import gzip
import socket
import struct
import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Self, TypeVar

import orjson
from aiohttp import web

from . import truth
from .answers import Answers
from .asked import Asked
from .control_room import ControlRoom
from .controls import Controls, Fault
from .endpoints import EVENTS, found_at
from .events import EventStreams
from .ledger import Ledger, Request
from .paging import Offsets, expired
from .refusal import Refusal, refusal
from .tokens import Person, Tokens

if TYPE_CHECKING:
    from .account import Account, Record

API = "/api/1.0"
TOKEN_PATH = "/-/oauth_token"  # noqa: S105  a path, no secret
CONTROL_PATH = "/_emulator"
JSON_TYPE = "application/json; charset=UTF-8"
SMALLEST_ZIPPED = 1024
HTML = b"<!DOCTYPE html><html><body><h1>We will be right back</h1></body></html>"
STARTUP_SECONDS = 10

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Reply:
    """An answer before it is put on the wire; `fault` spoils it there."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    content_type: str = JSON_TYPE
    fault: Fault | None = None


class AsanaEmulator:
    """Asana at a local address, for as long as the `with` block lasts."""

    def __init__(
        self,
        account: "Account",
        *,
        port: int = 0,
        kept_bytes: int = 512 * 1024 * 1024,
        kept_requests: int = 200_000,
    ) -> None:
        self.account = account
        self.tokens = Tokens(account.people, account.clock)
        self.controls = Controls(Offsets(account.clock))
        self.ledger = Ledger(kept_requests)
        self.url = ""
        self._port = port
        self._answers = Answers(account, self.controls, self.ledger, kept_bytes)
        self._events = EventStreams(account, self.controls, self.ledger)
        self._control_room = ControlRoom(self)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None

    @property
    def base_url(self) -> str:
        """Where the API's paths begin."""
        return self.url + API

    @property
    def token_url(self) -> str:
        return self.url + TOKEN_PATH

    def start(self) -> Self:
        self._thread = threading.Thread(target=self._serve, name="asana-emulator", daemon=True)
        self._thread.start()
        self._ready.wait(STARTUP_SECONDS)
        if self._failure is not None:
            raise self._failure
        return self

    def stop(self) -> None:
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def change(self, change: Callable[["Account"], Answer]) -> Answer:
        """Change the account between two requests, never during one."""
        if self._loop is None or self._thread is None:
            return change(self.account)

        async def changed() -> Answer:
            return change(self.account)

        return asyncio.run_coroutine_threadsafe(changed(), self._loop).result()

    def expected(
        self, stream: str, token: str, *, export_ids: Collection[str] = ()
    ) -> Iterator["Record"]:
        """The records that a stream must deliver to the holder of a token (or its name)."""
        return truth.expected(
            self.account, self._person(token).viewer, stream, export_ids=tuple(export_ids)
        )

    def floor(
        self, streams: Collection[str], token: str, *, export_ids: Collection[str] = ()
    ) -> dict[str, int]:
        """The least number of requests, by path template, with which streams can be read."""
        return truth.floor(
            self.account, self._person(token).viewer, streams, export_ids=tuple(export_ids)
        )

    def _person(self, token: str) -> Person:
        person = self.tokens.person(token)
        if person is None:
            message = f"nobody has this token: {token}"
            raise KeyError(message)
        return person

    # --- the thread -----------------------------------------------------------------------------

    def _serve(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as failure:  # noqa: BLE001  raised again in the thread that started this one
            self._failure = failure
        finally:
            self._ready.set()

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        runner = web.ServerRunner(web.Server(self._respond, access_log=None))
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", self._port, backlog=1024, shutdown_timeout=0.1)
            await site.start()
            host, port = runner.addresses[0][:2]
            self.url = f"http://{host}:{port}"
            self._answers.base_url = self.base_url
            self._ready.set()
            await self._stop.wait()
        finally:
            await runner.cleanup()

    # --- a request ------------------------------------------------------------------------------

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith(CONTROL_PATH):
            return await self._control_room.respond(request)
        if request.path == TOKEN_PATH:
            reply = await self._token_reply(request)
        else:
            reply = await self._api_reply(request)
        return await self._on_the_wire(request, reply)

    async def _token_reply(self, request: web.BaseRequest) -> Reply:
        form = {name: str(value) for name, value in (await request.post()).items()}
        asked = Asked(TOKEN_PATH, TOKEN_PATH, "", {}, Person("", _NOBODY))
        fault = await self._trouble(asked)
        status, body = self.tokens.exchange(form)
        if fault is not None and isinstance(fault.kind, int):
            status, body = fault.kind, refusal(fault.kind).body()
            fault = None
        self._note(request, asked, status)
        return Reply(status, orjson.dumps(body), self._headers(), fault=fault)

    async def _api_reply(self, request: web.BaseRequest) -> Reply:
        asked = Asked("", request.path.removeprefix(API), "", dict(request.query), _ANYBODY)
        try:
            person = self._authenticated(request)
            asked = Asked("", asked.path, "", asked.query, person)
            async with self._admitted(person):
                template, gid = self._located(request)
                asked = Asked(template, asked.path, gid, asked.query, person)
                fault = await self._trouble(asked)
                body = self._answered(asked, fault)
        except Refusal as refused:
            self._note(request, asked, refused.status)
            headers = self._headers() | refused.headers
            return Reply(refused.status, orjson.dumps(refused.body()), headers)
        self._note(request, asked, 200)
        return Reply(200, body, self._headers(), fault=fault)
