"""An emulated account in its own processes, which a connector finds at https://app.asana.com."""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

import orjson
import requests

from benchmarks.account import PERSON
from benchmarks.cases import Account
from benchmarks.front import CERTIFICATE

CHUNK = 1 << 20
FOREIGN = frozenset(("ASANA_BASE_URL", "NO_PROXY", "no_proxy", "HTTPS_PROXY", "https_proxy"))


@dataclass(frozen=True)
class Asana:
    """A running account. `environment` leads a connector there, `plain_environment` without TLS."""

    url: str
    token: str
    export_ids: tuple[str, ...]
    environment: Mapping[str, str]
    plain_environment: Mapping[str, str]
    session: requests.Session
    known: dict[str, Counter[str]] = field(default_factory=dict)

    def ask(self, room: str, **parameters: str) -> Any:
        """Read from the emulator's control room."""
        answer = self.session.get(f"{self.url}/_emulator/{room}", params=parameters)
        answer.raise_for_status()
        return answer.json()

    def tell(self, room: str, wanted: Any = None) -> Any:
        """Change something in the emulator's control room."""
        answer = self.session.post(f"{self.url}/_emulator/{room}", data=orjson.dumps(wanted))
        answer.raise_for_status()
        return answer.json()

    def gids(self, stream: str) -> Counter[str]:
        """The gids of the records that a full refresh of a stream must deliver."""
        if stream not in self.known:
            parameters = {"stream": stream, "token": PERSON, "export_ids": self._exports}
            told = self.session.get(f"{self.url}/_emulator/truth", params=parameters, stream=True)
            told.raise_for_status()
            lines = told.iter_lines(CHUNK)
            self.known[stream] = Counter(orjson.loads(line)["gid"] for line in lines)
        return self.known[stream]

    def pages(self, path: str, asked: Mapping[str, str]) -> Iterator[bytes]:
        """The pages of a listing, as Asana answers."""
        url = f"{self.url}/api/1.0/{path}"
        holder = {"Authorization": f"Bearer {self.token}"}
        following: dict[str, str] | None = {}
        while following is not None:
            answer = self.session.get(url, params={**asked, **following}, headers=holder)
            answer.raise_for_status()
            yield answer.content
            ahead = orjson.loads(answer.content)["next_page"]
            following = ahead and {"offset": ahead["offset"]}

    def floor(self, streams: Collection[str]) -> int:
        """The fewest requests that read these streams in full."""
        names = ",".join(streams)
        by_path = self.ask("floor", streams=names, token=PERSON, export_ids=self._exports)
        return sum(by_path.values())

    @property
    def _exports(self) -> str:
        return ",".join(self.export_ids)


@contextmanager
def emulated(account: Account) -> Iterator[Asana]:
    """Run an account during the `with` block."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _program("benchmarks.account", *map(str, astuple(account))) as place,
        _program("benchmarks.front", folder, place["url"]) as port,
        requests.Session() as session,
    ):
        session.trust_env = False
        kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        there = {
            "HTTPS_PROXY": f"http://127.0.0.1:{port}",
            "REQUESTS_CA_BUNDLE": str(Path(folder) / CERTIFICATE),
        }
        yield Asana(
            url=place["url"],
            token=place["token"],
            export_ids=tuple(place["export_ids"]),
            environment=kept | there,
            plain_environment=kept | {"ASANA_BASE_URL": place["url"]},
            session=session,
        )


@contextmanager
def _program(module: str, *arguments: str) -> Iterator[Any]:
    """Start a program of this package; yields its first line of output."""
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        if process.stdout is None:
            raise BrokenPipeError
        try:
            yield orjson.loads(process.stdout.readline())
        finally:
            process.terminate()
