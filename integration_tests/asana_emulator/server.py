"""The emulated Asana: a server on a real socket, in a thread of its own."""

import asyncio
import threading
from collections.abc import Callable, Collection, Iterator
from typing import Self, TypeVar

from aiohttp import web

from . import truth
from .account import Account, Record, Viewer
from .control_room import CONTROL_PATH, ControlRoom
from .controls import Controls
from .conversation import API, Conversation
from .exports import EXPORT_PATH
from .files import FileHost
from .ledger import Ledger
from .paging import Offsets
from .tokens import TOKEN_PATH, Tokens
from .truth import EVERYTHING, Choice

STARTUP_SECONDS = 10
SHUTDOWN_SECONDS = 0.1
ACCEPT_SECONDS = 0.01
"""For connections that were just accepted, which asyncio would drop without closing them."""


Outcome = TypeVar("Outcome")


class AsanaEmulator:
    """Asana at a local address, during the `with` block.

    `serves_files`: links to attachments lead to a second address, which has their files.
    """

    def __init__(
        self,
        account: Account,
        *,
        port: int = 0,
        kept_bytes: int = 512 * 1024 * 1024,
        kept_requests: int = 200_000,
        serves_files: bool = False,
    ) -> None:
        self.account = account
        self.tokens = Tokens(account.people, account.clock)
        self.controls = Controls(Offsets(account.clock))
        self.ledger = Ledger(kept_requests)
        self.files = FileHost(account)
        self.url = ""
        self._serves_files = serves_files
        self._port = port
        self._conversation = Conversation(
            account, self.tokens, self.controls, self.ledger, kept_bytes
        )
        self.exports = self._conversation.exports
        self._control_room = ControlRoom(self)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failure: Exception | None = None

    @property
    def base_url(self) -> str:
        """The base address of the API."""
        return self.url + API

    @property
    def token_url(self) -> str:
        """The address of the token endpoint."""
        return self.url + TOKEN_PATH

    def start(self) -> Self:
        """Start, and return when requests are answered."""
        self._thread = threading.Thread(target=self._serve, name="asana-emulator", daemon=True)
        self._thread.start()
        self._ready.wait(STARTUP_SECONDS)
        if self._failure is not None:
            raise self._failure
        return self

    def stop(self) -> None:
        """Close the socket, and cut off requests in flight."""
        if self._thread is not None and self._loop is not None and self._stopped is not None:
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def change(self, change: Callable[[Account], Outcome]) -> Outcome:
        """Change the account between two requests, never during one."""
        if self._thread is None or self._loop is None:
            return change(self.account)

        async def changed() -> Outcome:
            return change(self.account)

        return asyncio.run_coroutine_threadsafe(changed(), self._loop).result()

    def expected(
        self,
        stream: str,
        token: str,
        *,
        export_ids: Collection[str] = (),
        choice: Choice = EVERYTHING,
    ) -> Iterator[Record]:
        """The whole records that a stream must deliver to a token (or the name of its holder)."""
        return truth.expected(
            self.account,
            self._viewer(token),
            stream,
            export_ids=tuple(export_ids),
            choice=choice,
        )

    def floor(
        self,
        streams: Collection[str],
        token: str,
        *,
        export_ids: Collection[str] = (),
        choice: Choice = EVERYTHING,
        believes_inline: bool = False,
    ) -> dict[str, int]:
        """The fewest requests that can read these streams, by path template."""
        return truth.floor(
            self.account,
            self._viewer(token),
            streams,
            export_ids=tuple(export_ids),
            choice=choice,
            whole_time_entries=self.controls.whole_time_entries,
            believes_inline=believes_inline,
        )

    def _viewer(self, token: str) -> Viewer:
        person = self.tokens.person(token)
        if person is None:
            message = "no such token, nor anybody of that name"
            raise KeyError(message)
        return person.viewer

    def _serve(self) -> None:
        try:
            asyncio.run(self._run())
        except Exception as failure:  # noqa: BLE001  raised again in the thread that waits for this one
            self._failure = failure
        finally:
            self._ready.set()

    async def _run(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        server = web.Server(self._respond, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_SECONDS)
        file_server = web.Server(self._give_file, access_log=None)
        files = web.ServerRunner(file_server, shutdown_timeout=SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", self._port, backlog=1024)
            await site.start()
            host, port = runner.addresses[0][:2]
            self.url = f"http://{host}:{port}"
            self._conversation.answers.base_url = self.base_url
            await self._serve_files(files)
            self._ready.set()
            await self._stopped.wait()
        finally:
            await asyncio.sleep(ACCEPT_SECONDS)
            await files.cleanup()
            await runner.cleanup()

    async def _serve_files(self, runner: web.ServerRunner) -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        host, port = runner.addresses[0][:2]
        self.files.url = self.exports.origin = f"http://{host}:{port}"
        if self._serves_files:
            self.account.shapes.link_to_file = self.files.link

    async def _give_file(self, request: web.BaseRequest) -> web.StreamResponse:
        is_export = request.path.startswith(EXPORT_PATH)
        host = self.exports if is_export else self.files
        return await host.respond(request)

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith(CONTROL_PATH):
            return await self._control_room.respond(request)
        return await self._conversation.respond(request)
