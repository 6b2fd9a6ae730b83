"""Runs the connector as its users do, and reads its output."""

import argparse
import logging
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, cast

import orjson
from airbyte_cdk.logger import AirbyteLogFormatter

from integration_tests.asana_emulator import AsanaEmulator
from source_asana import SourceAsana
from source_asana.entrypoint import Entrypoint
from source_asana.reading.exports.job import ExportLimits
from source_asana.reading.shortcuts.evidence import Terms
from source_asana.streams.declared import STREAMS
from source_asana.transfer import Transfer

Json = dict[str, Any]
Record = dict[str, Any]

SERVICE = "service"
"""The emulated service account, who sees everything."""

PROGRAM_SECONDS = 600.0
"""A program that runs longer than this hangs, even on a slow machine that has much else to do."""


@dataclass(frozen=True)
class Said:
    """The output of one command, and its exit status."""

    lines: Sequence[str]
    exit_status: int

    @cached_property
    def messages(self) -> list[Json]:
        return [orjson.loads(line) for line in self.lines]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @cached_property
    def _by_type(self) -> dict[str, list[Json]]:
        found: dict[str, list[Json]] = defaultdict(list)
        for message in self.messages:
            found[message["type"]].append(message)
        return found

    def of_type(self, kind: str) -> list[Json]:
        return self._by_type[kind]

    def records(self) -> dict[str, list[Record]]:
        """The records of each stream, in their order."""
        found: dict[str, list[Record]] = defaultdict(list)
        for message in self.of_type("RECORD"):
            found[message["record"]["stream"]].append(message["record"]["data"])
        return found

    def statuses(self, stream: str) -> list[str]:
        told = [m["trace"]["stream_status"] for m in self.traces("STREAM_STATUS")]
        return [t["status"] for t in told if t["stream_descriptor"]["name"] == stream]

    def states(self, stream: str) -> list[Json]:
        told = [message["state"]["stream"] for message in self.of_type("STATE")]
        return [t["stream_state"] for t in told if t["stream_descriptor"]["name"] == stream]

    def errors(self) -> dict[str | None, Json]:
        """The error traces by their stream (None: of the sync as a whole)."""
        told = [message["trace"]["error"] for message in self.traces("ERROR")]
        return {(t.get("stream_descriptor") or {}).get("name"): t for t in told}

    def traces(self, kind: str) -> list[Json]:
        return [m for m in self.of_type("TRACE") if m["trace"]["type"] == kind]

    def logs(self, level: str) -> list[str]:
        told = [message["log"] for message in self.of_type("LOG")]
        return [t["message"] for t in told if t["level"] == level]

    def connection_status(self) -> Json:
        (message,) = self.of_type("CONNECTION_STATUS")
        status: Json = message["connectionStatus"]
        return status


def config_for(asana: AsanaEmulator, person: str = SERVICE, **more: Any) -> Json:
    """A config with a personal access token, for which the emulator has no quota."""
    return {
        "credentials": pat_credentials(asana, person),
        "requests_per_minute": 60_000,
        **more,
    }


def pat_credentials(asana: AsanaEmulator, person: str) -> Json:
    return {
        "option_title": "PAT Credentials",
        "personal_access_token": asana.tokens.pat(person),
    }


def oauth_credentials(asana: AsanaEmulator) -> Json:
    """The credentials of the app that `asana.tokens.oauth_person` has authorized."""
    return {
        "option_title": "OAuth Credentials",
        "client_id": asana.tokens.client_id,
        "client_secret": asana.tokens.client_secret,
        "refresh_token": asana.tokens.refresh_token,
    }


def oauth_config(asana: AsanaEmulator) -> Json:
    return {"credentials": oauth_credentials(asana)}


def failed(said: Said, exit_status: int = 0) -> str:
    """The message of a failed check that has no other error."""
    status = said.connection_status()
    assert status["status"] == "FAILED"
    assert said.exit_status == exit_status
    assert "Traceback" not in said.text
    assert not said.logs("FATAL")
    message: str = status["message"]
    assert "\n" not in message
    return message


def catalog_of(
    streams: Iterable[str], columns: Mapping[str, Collection[str]] | None = None
) -> Json:
    """A configured catalog of full refreshes; `columns` narrows some of the streams."""
    configured = []
    for name in streams:
        schema = STREAMS[name].json_schema() if name in STREAMS else {"properties": {}}
        if columns and name in columns:
            kept = {c: s for c, s in schema["properties"].items() if c in columns[name]}
            schema = {**schema, "properties": kept}
        stream = {
            "name": name,
            "json_schema": schema,
            "supported_sync_modes": ["full_refresh"],
        }
        configured.append(
            {
                "stream": stream,
                "sync_mode": "full_refresh",
                "destination_sync_mode": "overwrite",
            }
        )
    return {"streams": configured}


def full_refresh(
    asana: AsanaEmulator, streams: Collection[str], person: str = SERVICE, **config: Any
) -> Said:
    """Read the streams, with every organization export, after resetting the ledger."""
    ids = list(asana.account.organization_exports)
    asana.ledger.reset()
    return run(
        "read",
        asana,
        config_for(asana, person, organization_export_ids=ids, **config),
        catalog_of(streams),
    )


def run(  # noqa: PLR0913 - whatever a test wants to be otherwise
    command: str,
    asana: AsanaEmulator | str,
    config: Any = None,
    catalog: Any = None,
    state: Any = None,
    *,
    patience: float = 300.0,
    answer_seconds: float = 180.0,
    killed_after: int | None = None,
    killed_before: Callable[[str], bool] = lambda _: False,
    seconds_between_states: float = 1.0,
    check_seconds: float = 25.0,
    silent_seconds: float = 240.0,
    transfer: Transfer | None = None,
    terms: Terms | None = None,
    export_limits: ExportLimits | None = None,
) -> Said:
    """Run a command of the entrypoint in this process, to its end or until it is killed.

    `killed_after`: the number of messages it may print. `killed_before`: whether a message is the
    first one that it may not print. `terms`: what shortcuts have to prove. Config, catalog and
    state are values, the bytes of a file, or the path of one.
    """
    url = asana if isinstance(asana, str) else asana.url
    with tempfile.TemporaryDirectory() as folder, logged() as lines:
        source = SourceAsana(
            asana_url=url,
            patience=patience,
            answer_seconds=answer_seconds,
            seconds_between_states=seconds_between_states,
            check_seconds=check_seconds,
            silent_seconds=silent_seconds,
            transfer=transfer or Transfer(exports=export_limits),
        )
        source.terms = terms or source.terms
        entrypoint = Entrypoint(source)
        files = _written(Path(folder), config=config, catalog=catalog, state=state)
        unset = {"debug": False, "state": None, "streams": None, "state_file": None}
        options = argparse.Namespace(**{"command": command} | unset | files)
        with closing(cast("Generator[str]", entrypoint.run(options))) as messages:
            for message in islice(messages, killed_after):
                if killed_before(message):
                    break
                lines.append(message)
    return Said(lines, entrypoint.exit_status)


def run_program(
    command: str,
    asana: AsanaEmulator | str,
    config: Any = None,
    catalog: Any = None,
    *arguments: str,
) -> Said:
    """Run a command of the console script, in a separate process."""
    url = asana if isinstance(asana, str) else asana.url
    program = Path(sys.executable).with_name("source-asana")
    with tempfile.TemporaryDirectory() as folder:
        files = _written(Path(folder), config=config, catalog=catalog)
        options = [word for name, file in files.items() for word in (f"--{name}", file)]
        done = subprocess.run(
            [program, command, *options, *arguments],
            env={**os.environ, "ASANA_BASE_URL": url},
            capture_output=True,
            text=True,
            timeout=PROGRAM_SECONDS,
            check=False,
        )
    assert done.stderr == ""
    return Said(done.stdout.splitlines(), done.returncode)


def gids(said: Said, stream: str) -> list[str]:
    """The sorted gids of a stream's records."""
    return sorted(record["gid"] for record in said.records()[stream])


def truth(asana: AsanaEmulator, stream: str) -> list[str]:
    """The sorted gids of a stream's records in Asana, as the service account sees them."""
    return sorted(record["gid"] for record in asana.expected(stream, SERVICE))


@contextmanager
def logged() -> Iterator[list[str]]:
    """The log lines inside the block, as messages of the entrypoint."""
    lines: list[str] = []

    class Collecting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Collecting()
    handler.setFormatter(AirbyteLogFormatter("%(message)s"))
    airbyte = logging.getLogger("airbyte")
    airbyte.addHandler(handler)
    airbyte.propagate = False
    try:
        yield lines
    finally:
        airbyte.removeHandler(handler)
        airbyte.propagate = True


def _written(folder: Path, **files: Any) -> dict[str, str]:
    paths: dict[str, str] = {}
    for name, content in files.items():
        if content is not None:
            path = content if isinstance(content, Path) else folder / f"{name}.json"
            if path is not content:
                path.write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))
            paths[name] = str(path)
    return paths
