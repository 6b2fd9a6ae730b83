"""The files of the command line: config, catalog and state. Errors are sentences for the user."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import orjson
from airbyte_cdk.models import (
    AirbyteStateMessage,
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
)

from source_asana.airbyte.errors import UnusableFile
from source_asana.airbyte.messages import Message, RecordBatch
from source_asana.reading.marks import FULL_REFRESH_COMPLETE

T = TypeVar("T")

MOST_BYTES = 1 << 28
"""Larger files are refused: a device or a pipe may have no end."""


def config_in(path: str) -> MutableMapping[str, Any]:
    """Read the config in a file. Raises UnusableFile."""
    content = _json("config", path)
    if not isinstance(content, MutableMapping):
        raise UnusableFile(f"The config in {path} is not a JSON object, as in {{…}}.")
    return content


def write_config(path: Path, config: Mapping[str, Any]) -> None:
    """Replace the config in a file, which keeps its mode. Raises OSError."""
    content = json.dumps(config, indent=2) + "\n"
    _replace(path, content.encode(), mode=path.stat().st_mode & 0o777)


def _replace(path: Path, content: bytes, mode: int) -> None:
    """Write a whole file at once: a process that is killed leaves the old one or the new one.

    Raises OSError; then the file is as it was.
    """
    target = Path(os.path.realpath(path))
    new = target.with_name(f".{target.name}.new")
    with suppress(FileNotFoundError):
        new.unlink()  # left by a process that was killed
    with open(new, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.chmod(mode)
    new.replace(target)


def catalog_in(path: str) -> ConfiguredAirbyteCatalog:
    """Read the configured catalog in a file. Raises UnusableFile."""
    content = _json("configured catalog", path)
    return _loaded(
        "configured catalog", path, lambda: ConfiguredAirbyteCatalogSerializer.load(content)
    )


def state_in(path: str | None) -> list[AirbyteStateMessage]:
    """Read the state messages in a file; none without a file. Raises UnusableFile."""
    content = _json("state", path) if path else None
    return _loaded("state", str(path), lambda: [_state_message(one) for one in content or ()])


def _state_message(given: Any) -> AirbyteStateMessage:
    message = AirbyteStateMessageSerializer.load(given)
    if not (message.stream or message.data or message.global_):
        raise ValueError
    return message


class StateFile:
    """A file that holds the last state of each stream, written as a sync goes on.

    Each write replaces the whole file, so a process that is killed leaves the old one or the new
    one. Only the owner can read it.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._states: dict[str, bytes] = {}

    def saved(self) -> list[AirbyteStateMessage]:
        """Read the last state, if there is one, and check that a new state can be written.

        Raises UnusableFile.
        """
        if self._path.exists() and not self._path.is_file():
            raise UnusableFile(f"The state file {self._path} is not a regular file.")
        states = state_in(str(self._path)) if self._path.exists() else []
        for state in states:
            self._note(state)
        self._write()
        return states

    def kept(self, messages: Iterable[Message]) -> Iterator[Message]:
        """Pass messages on, and write the states among them once they are passed on.

        Raises UnusableFile.
        """
        is_new = False
        try:
            for message in messages:
                state = None if isinstance(message, RecordBatch) else message.state
                if is_new and not state:  # states come several at once
                    self._write()
                    is_new = False
                yield message
                if state:
                    self._note(state)
                    is_new = True
        finally:
            if is_new:
                self._write()

    def _note(self, state: AirbyteStateMessage) -> None:
        """Remember the state of a stream; none once a full refresh is complete."""
        if not state.stream:
            return
        name = state.stream.stream_descriptor.name
        blob = state.stream.stream_state
        if blob is not None and FULL_REFRESH_COMPLETE in blob.__dict__:
            self._states.pop(name, None)  # the next full refresh reads everything again
        else:
            content = AirbyteStateMessageSerializer.dump(state)
            kept = {key: content[key] for key in ("type", "stream")}
            self._states[name] = orjson.dumps(kept)

    def _write(self) -> None:
        content = b"[" + b",\n".join(self._states.values()) + b"]\n"
        try:
            _replace(self._path, content, mode=0o600)
        except OSError as error:
            raise UnusableFile(
                f"Cannot write the state to {self._path}: {error.strerror}."
            ) from None


def _json(what: str, path: str) -> Any:
    try:
        with Path(path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UnusableFile(f"Cannot read the {what} from {path}: {error.strerror}.") from None
    if len(content) > MOST_BYTES:
        raise UnusableFile(f"The {what} in {path} is larger than {MOST_BYTES >> 20} MiB.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnusableFile(f"The {what} in {path} is not UTF-8 text.") from None
    if not text.strip():
        raise UnusableFile(f"The {what} in {path} is empty.")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UnusableFile(
            f"The {what} in {path} is not valid JSON: {error.msg} "
            f"(line {error.lineno}, column {error.colno})."
        ) from None


def _loaded(what: str, path: str, load: Callable[[], T]) -> T:
    try:
        return load()
    except Exception:  # noqa: BLE001 - the serializers raise all kinds of errors
        raise UnusableFile(
            f"The {what} in {path} does not follow Airbyte's protocol. Correct the file."
        ) from None
