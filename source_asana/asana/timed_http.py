"""HTTP answers that arrive in time or not at all, however slowly each byte comes.

The timeout of a socket limits each read, so a server that sends a byte now and then could keep a
request waiting forever. Here the timeout that is set when the answer starts limits all of it: the
status line, the headers and the body.
"""

import io
import socket
import time
from http.client import HTTPResponse
from math import inf
from typing import Any, cast

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class _ReadsUntil(io.RawIOBase):
    """The bytes of a socket until `deadline`, by the monotonic clock; then raises TimeoutError.

    The same if there is no byte for `silent_seconds`.
    """

    def __init__(self, connection: socket.socket, deadline: float, silent_seconds: float) -> None:
        self._connection = connection
        self._bytes = connection.makefile("rb", buffering=0)
        self._deadline = deadline
        self._silent_seconds = silent_seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._connection.settimeout(min(left, self._silent_seconds))
        return self._bytes.readinto(buffer)

    def close(self) -> None:
        self._bytes.close()
        super().close()


class _TimedSocket:
    """The part of a socket that `HTTPResponse` uses."""

    def __init__(self, connection: socket.socket, silent_seconds: float) -> None:
        self._connection = connection
        self._silent_seconds = silent_seconds

    def makefile(self, _mode: str) -> io.BufferedReader:
        """A file of what arrives within the socket's present timeout."""
        seconds = self._connection.gettimeout()
        deadline = inf if seconds is None else time.monotonic() + seconds
        reads = _ReadsUntil(self._connection, deadline, self._silent_seconds)
        return io.BufferedReader(reads)


def _pools(silent_seconds: float) -> dict[str, type[HTTPConnectionPool]]:
    """The classes of urllib3, by scheme, with answers that are limited in time."""

    class Response(HTTPResponse):
        def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
            timed = cast("socket.socket", _TimedSocket(sock, silent_seconds))
            super().__init__(timed, *arguments, **options)

    class Connection(HTTPConnection):
        response_class = Response

    class TlsConnection(HTTPSConnection):
        response_class = Response

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    return {"http": Pool, "https": TlsPool}


class TimedAdapter(HTTPAdapter):
    """Sends requests as `requests` does; the read timeout limits the whole answer.

    `silent_seconds`: how long an answer may pause, if that is less.
    """

    def __init__(self, *, silent_seconds: float = inf, **options: Any) -> None:
        self._pools = _pools(silent_seconds)
        super().__init__(**options)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager
