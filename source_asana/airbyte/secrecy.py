"""What is never printed: the secrets of the config, and those that Asana gives for them."""

import json
import logging
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import cached_property
from html.entities import html5
from urllib.parse import quote

from airbyte_cdk.utils.airbyte_secrets_utils import add_to_secrets, update_secrets

SHORTEST = 8
"""Shorter ones are mistakes, and would garble the sentence that says so."""

SHORTEST_TAIL = 12
"""The last part of a token is a secret too, unless it may be a word or a gid."""

MASK = "****"


class Secret:
    """One secret, and how to find it in a text, however a server has encoded it."""

    def __init__(self, value: str) -> None:
        self._value = value
        self._base64 = list(_base64(value))
        self._anchors = {_longest_run(spelling).lower() for spelling in (value, *self._base64)}
        self._codes = _begin_of_codes(value[0])

    def may_be_in(self, lowered: str, *, has_codes: bool) -> bool:
        """Whether a text, given in lower case, is worth a search. Quick, and never wrong with no.

        `has_codes`: a sign that begins the code of a character is in the text.
        """
        anchors = self._anchors | self._codes if has_codes else self._anchors
        return any(anchor in lowered for anchor in anchors)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Every encoding; compiled only for a text with an anchor, which is rare."""
        characters = self._value
        spellings = [
            "".join(re.escape(c) if c.isalnum() else _special(c) for c in characters),
            "".join(_percent(c) for c in characters),
            "".join(_entity(c) for c in characters),
            "".join(_escape(c) for c in characters),
        ]
        spellings += [f"(?-i:{re.escape(core)})" for core in self._base64]
        return re.compile("|".join(spellings), re.IGNORECASE)


_secrets: dict[str, Secret] = {}


def only_secrets(secrets: Iterable[object]) -> None:
    """Forget all others, and keep these."""
    update_secrets([])
    _secrets.clear()
    keep_secret(*(secret for secret in secrets if isinstance(secret, str)))


def keep_secret(*secrets: str) -> None:
    """Mask these in logs and messages, in every encoding."""
    for given in secrets:
        secret = given.strip()
        if len(secret) < SHORTEST:
            continue
        for part in (secret, *_tails(secret)):
            if part not in _secrets:
                _secrets[part] = Secret(part)
                for spelling in _plain_spellings(part):
                    add_to_secrets(spelling)  # for what the CDK prints


def masked(text: str) -> str:
    """The text with stars in place of each secret."""
    lowered = text.lower()
    has_codes = any(sign in text for sign in "%&\\")
    for secret in list(_secrets.values()):
        if secret.may_be_in(lowered, has_codes=has_codes):
            text = secret.pattern.sub(MASK, text)
    return text


class _MaskingFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the message; let every record pass."""
        message = record.getMessage()
        safe = masked(message)
        if safe != message:
            record.msg, record.args = safe, None
        return True


_masking_filter = _MaskingFilter()


def mask_log(logs: logging.Filterer) -> None:
    """Mask the secrets in what goes through a logger or a handler."""
    logs.addFilter(_masking_filter)


def _tails(secret: str) -> Iterator[str]:
    """What follows the last slash or colon of a token: that part alone is enough to guess it."""
    for separator in "/:":
        tail = secret.rpartition(separator)[2]
        is_word = tail.isalpha() or tail.isdigit()
        if SHORTEST_TAIL <= len(tail) < len(secret) and not is_word:
            yield tail


def _plain_spellings(secret: str) -> set[str]:
    return {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1]}


def _begin_of_codes(character: str) -> set[str]:
    """How a text begins of which each character is encoded, the letters too."""
    code = ord(character)
    return {f"%{code:02x}", f"&#{code}", f"&#x{code:x}", f"u{code:04x}"}


def _longest_run(text: str) -> str:
    """The longest run of letters and digits, which encoders leave as they are."""
    runs: list[str] = re.findall(r"[^\W_]+", text)
    return max(runs or [text], key=len)


def _special(character: str) -> str:
    """A pattern for a character that encoders replace; some of them twice."""
    ways = [rf"\\*{re.escape(character)}", _percent(character), _entity(character)]
    return f"(?:{'|'.join((*ways, _escape(character)))})"


def _percent(character: str) -> str:
    return "".join(f"%(?:25)*{byte:02x}" for byte in character.encode(errors="replace"))


def _entity(character: str) -> str:
    code = ord(character)
    names = [re.escape(name.rstrip(";")) for name, means in html5.items() if means == character]
    return f"&(?:amp;)*(?:{'|'.join((f'#0*{code}', f'#x0*{code:x}', *names))});?"


def _escape(character: str) -> str:
    return rf"\\+(?:u{ord(character):04x}|x{ord(character):02x})"


def _base64(secret: str) -> Iterator[str]:
    """What base64 makes of a secret inside a longer text: three ways, by where it begins.

    Without the ends, which depend on what stands before and after it.
    """
    content = secret.encode(errors="replace")
    for before in range(3):
        first = -(-8 * before // 6)
        last = 8 * (before + len(content)) // 6
        core = b64encode(b"\0" * before + content).decode()[first:last]
        yield from dict.fromkeys([core, core.replace("+", "-").replace("/", "_")])
