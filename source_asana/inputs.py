"""The files of the command line: config, catalog and state; what is wrong with them, in words."""

import json
from collections.abc import Callable, Mapping, MutableMapping
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

T = TypeVar("T")

MOST_BYTES = 1 << 28
"""No file is read further: a device, or a pipe, may have no end."""


def config_in(path: str) -> MutableMapping[str, Any]:
    """The config in a file. Raises UnusableFile."""
    content = _json("config", path)
    if not isinstance(content, MutableMapping):
        raise UnusableFile(f"The config in {path} is not a JSON object, as in {{…}}.")
    return content


def write_config(file: Path, config: Mapping[str, Any]) -> None:
    """Replace the config in a file. Raises OSError; then the file is as it was."""
    new = file.with_name(f".{file.name}.new")
    new.touch(mode=0o600)
    new.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    new.chmod(file.stat().st_mode & 0o777)
    new.replace(file)


def catalog_in(path: str) -> ConfiguredAirbyteCatalog:
    """The configured catalog in a file. Raises UnusableFile."""
    content = _json("configured catalog", path)
    return _loaded(
        "configured catalog", path, lambda: ConfiguredAirbyteCatalogSerializer.load(content)
    )


def state_in(path: str | None) -> list[AirbyteStateMessage]:
    """The state in a file, message by message; none without a file. Raises UnusableFile."""
    content = _json("state", path) if path else None
    return _loaded("state", str(path), lambda: [_state_message(one) for one in content or ()])


def _state_message(given: Any) -> AirbyteStateMessage:
    message = AirbyteStateMessageSerializer.load(given)
    if not (message.stream or message.data or message.global_):
        raise ValueError
    return message


def _json(what: str, path: str) -> Any:
    try:
        with Path(path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UnusableFile(f"The {what} cannot be read from {path}: {error.strerror}.") from None
    if len(content) > MOST_BYTES:
        raise UnusableFile(f"The {what} in {path} is larger than {MOST_BYTES >> 20} MiB.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnusableFile(f"The {what} in {path} is not text in UTF-8.") from None
    if not text.strip():
        raise UnusableFile(f"The {what} in {path} is empty.")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UnusableFile(
            f"The {what} in {path} is not JSON: {error.msg} "
            f"(line {error.lineno}, column {error.colno})."
        ) from None


def _loaded(what: str, path: str, load: Callable[[], T]) -> T:
    try:
        return load()
    except Exception:  # noqa: BLE001 - the serializers raise whatever they stumble over
        raise UnusableFile(
            f"The {what} in {path} is not what Airbyte's protocol asks for: check that file."
        ) from None
