"""Opaque tokens that the emulator issues and later recognizes."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass(frozen=True)
class Seal:
    """Wrap a value so that only this seal opens it, and only for the same purpose."""

    secret: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def close(self, purpose: str, value: Any) -> str:
        payload = orjson.dumps(value)
        return base64.urlsafe_b64encode(self._mark(purpose, payload) + payload).decode().rstrip("=")

    def open(self, purpose: str, token: str) -> Any | None:
        """The value; None for a token of another seal or purpose."""
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_")
        except ValueError:
            return None
        mark, payload = sealed[:9], sealed[9:]
        if not hmac.compare_digest(mark, self._mark(purpose, payload)):
            return None
        return orjson.loads(payload)

    def _mark(self, purpose: str, payload: bytes) -> bytes:
        digest = hashlib.blake2b(payload, digest_size=9, key=self.secret)
        digest.update(purpose.encode())
        return digest.digest()
