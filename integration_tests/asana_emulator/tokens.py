"""Tokens and their users: personal access tokens, service accounts and OAuth.

https://developers.asana.com/docs/authentication
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .account import Viewer
from .clock import Clock

TOKEN_PATH = "/-/oauth_token"
AS_IT_IS = object()
OddGrant = Literal["invalid_grant", "without_expiry", "without_token"]


@dataclass(frozen=True)
class Person:
    """A user with a token. `name`: in tests; `viewer`: in the account."""

    name: str
    viewer: Viewer


class Tokens:
    """Fixed personal access tokens by name, and an OAuth app that one user authorized."""

    def __init__(self, people: Mapping[str, Viewer], clock: Clock) -> None:
        self._clock = clock
        self._people = {name: Person(name, viewer) for name, viewer in people.items()}
        self._pats = {_secret(viewer.user, name): name for name, viewer in people.items()}
        self._revoked: set[str] = set()
        self._access_tokens: dict[str, tuple[str, float]] = {}
        self.client_id = "1200000000000042"
        self.client_secret = _secret("client", "secret")
        self.refresh_token = _secret("2", "refresh 0")
        self.oauth_person = "member"
        self.access_token_seconds = 3600.0
        self.expires_in: Any = AS_IT_IS
        """The lifetime in grants, whether or not it is true."""
        self.rotate_refresh_token = False
        self.refreshes = 0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._people)

    def pat(self, name: str) -> str:
        """The personal access token of a person, or of a service account."""
        return next(token for token, owner in self._pats.items() if owner == name)

    def revoke(self, token: str) -> None:
        """Refuse this token (personal, access or refresh) from now on."""
        self._revoked.add(token)

    def expire_access_tokens(self) -> None:
        """Refuse every OAuth access token that was issued."""
        self._access_tokens.clear()

    def who(self, token: str) -> Person | None:
        """The user of a token; None if Asana would refuse it."""
        if token in self._revoked:
            return None
        if token in self._pats:
            return self._people[self._pats[token]]
        name, valid_until = self._access_tokens.get(token, ("", 0.0))
        return self._people[name] if name and self._now() < valid_until else None

    def person(self, name_or_token: str) -> Person | None:
        return self._people.get(name_or_token) or self.who(name_or_token)

    def exchange(self, form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """The status and body with which `/-/oauth_token` answers this form."""
        if form.get("grant_type") != "refresh_token":
            return _refused("unsupported_grant_type", "Only refresh_token is offered here.")
        if (form.get("client_id"), form.get("client_secret")) != (
            self.client_id,
            self.client_secret,
        ):
            return _refused("invalid_client", "The client_id or client_secret is invalid.", 401)
        given = form.get("refresh_token", "")
        if given != self.refresh_token or given in self._revoked:
            return _no_such_grant()
        return 200, self._granted()

    def odd(self, kind: OddGrant, form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """The answer of `exchange`, but refused or with something missing."""
        if kind == "invalid_grant":
            return _no_such_grant()
        status, granted = self.exchange(form)
        granted.pop("expires_in" if kind == "without_expiry" else "access_token", None)
        return status, granted

    def _granted(self) -> dict[str, Any]:
        self.refreshes += 1
        person = self._people[self.oauth_person]
        access_token = _secret("access", str(self.refreshes))
        self._access_tokens[access_token] = (
            person.name,
            self._now() + self.access_token_seconds,
        )
        gid = person.viewer.user
        granted: dict[str, Any] = {
            "access_token": access_token,
            "expires_in": int(self.access_token_seconds)
            if self.expires_in is AS_IT_IS
            else self.expires_in,
            "token_type": "bearer",
            "data": {"id": int(gid), "gid": gid, "name": person.name, "email": None},
        }
        if self.rotate_refresh_token:
            self.refresh_token = _secret("2", f"refresh {self.refreshes}")
            granted["refresh_token"] = self.refresh_token
        return granted

    def _now(self) -> float:
        return float(self._clock.now().timestamp())


def _secret(owner: str, seed: str) -> str:
    """A realistic token, the same in every run."""
    return f"2/{owner}/{hashlib.sha256(f'{owner} {seed}'.encode()).hexdigest()[:40]}"


def _refused(error: str, description: str, status: int = 400) -> tuple[int, dict[str, Any]]:
    return status, {"error": error, "error_description": description}


def _no_such_grant() -> tuple[int, dict[str, Any]]:
    return _refused("invalid_grant", "The refresh token is invalid or was revoked.")
