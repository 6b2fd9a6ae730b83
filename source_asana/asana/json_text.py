"""Parses JSON, and repairs values that other readers of JSON reject. Pure.

Airbyte's destinations can read the result, and orjson can write it (unless valid JSON has more
than the 254 levels that orjson writes).
"""

import json
import re
from dataclasses import dataclass
from math import isfinite
from typing import Any

import orjson

REPLACEMENT = "\\ufffd"
_ESCAPE = re.compile(
    r"\\(?:"
    r"(?P<pair>u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r"|.)",
    re.DOTALL,
)
"""One escape in a JSON string: a surrogate pair, half of one, or any other."""


class NotJson(ValueError):
    """A body is not JSON, or nested too deeply."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A JSON value, and how many of its strings had a U+0000 that was removed."""

    value: Any
    nul_strings: int = 0


def parsed(content: bytes | bytearray) -> Parsed:
    """Parse a body, and repair values that only some readers of JSON accept. Raises NotJson.

    Half of a surrogate pair and invalid UTF-8 become U+FFFD; NaN, Infinity and numbers too large
    for a double become null; integers beyond 64 bits become doubles; a byte order mark and U+0000
    are removed. Only a body that needs a repair is parsed twice.
    """
    try:
        value = _read(content)
        if b"\\u0000" in content or b"\0" in content:
            strip = _NulStripper()
            return Parsed(strip.of(value), strip.strings)
    except RecursionError:
        raise NotJson("nested too deeply") from None
    return Parsed(value)


def _read(content: bytes | bytearray) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        text = content.decode("utf-8-sig", errors="replace")
    try:
        value = json.loads(
            _ESCAPE.sub(_repaired, text) if "\\u" in text else text,
            strict=False,
            parse_constant=lambda _: None,
            parse_float=_number,
            parse_int=_integer,
        )
        orjson.dumps(value)
    except (ValueError, orjson.JSONEncodeError):
        raise NotJson("not JSON, or nested too deeply") from None
    return value


def _repaired(escape: re.Match[str]) -> str:
    return REPLACEMENT if escape["half"] else escape[0]


def _integer(digits: str) -> int | float | None:
    """An integer of up to 64 bits, or else a double, as orjson reads it; None if too large."""
    if len(digits) < len("9223372036854775807"):
        return int(digits)
    return orjson.loads(digits) if _number(digits) is not None else None


def _number(digits: str) -> float | None:
    number = float(digits)
    return number if isfinite(number) else None


class _NulStripper:
    """Removes U+0000 from the strings and keys of a value. `strings`: how many had one."""

    def __init__(self) -> None:
        self.strings = 0

    def of(self, value: Any) -> Any:
        """The value without U+0000."""
        match value:
            case str():
                return self._text(value)
            case list():
                return [self.of(item) for item in value]
            case dict():
                return {self._text(key): self.of(item) for key, item in value.items()}
            case _:
                return value

    def _text(self, text: str) -> str:
        if "\0" not in text:
            return text
        self.strings += 1
        return text.replace("\0", "")
