"""What can go wrong between the connector and Asana.

    AsanaError
    ├── Refusal               Asana does not show one object to this token (402, 403, 404, 451)
    │   └── Gone              … because it was deleted or hidden since the sync found it
    ├── AsanaFailure          a request failed, so a listing is incomplete
    │   └── GivenUp           … it failed too often to be requested again in this sync
    ├── SyncTokenExpired      Asana does not know a sync token, or got none (412)
    └── FatalError            every other request would fail too, so the sync ends
        ├── SetupError        only the user can fix it: credentials, proxy, certificates
        │   └── TokenRefused  Asana no longer accepts the token (401)
        ├── TokenUnavailable  Asana's token endpoint gives no access token
        └── NoThread          the operating system starts no thread

Nothing here knows Airbyte: `airbyte/errors.py` turns a FatalError into Airbyte's exception.
"""

from http import HTTPStatus
from math import ceil

SECONDS_PER_MINUTE = 60


class AsanaError(Exception):
    """Anything that went wrong in the conversation with Asana."""


class Refusal(AsanaError):
    """Asana does not show one object to this token. `message`: Asana's reason."""

    def __init__(self, status: int, message: str, path: str) -> None:
        super().__init__(f"{path}: {status} {message}")
        self.status = status
        self.message = message


class Gone(Refusal):
    """The object of a request was deleted or hidden since the sync found it."""


class AsanaFailure(AsanaError):
    """A listing could not be read to its end.

    `status`: of Asana's answer, where that is the reason. `is_transient`: whether the same request
    may succeed later.
    """

    def __init__(
        self, message: str, path: str, *, status: int | None = None, is_transient: bool = False
    ) -> None:
        super().__init__(f"{path}: {message}")
        self.message = message
        self.path = path
        self.status = status
        self.is_transient = is_transient

    @property
    def is_truncated(self) -> bool:
        """Whether a listing is too long for Asana to return all of it.

        https://developers.asana.com/docs/pagination
        """
        words = self.message.lower()
        return self.status == HTTPStatus.BAD_REQUEST and (
            "truncat" in words or "too large" in words
        )

    @property
    def is_refused_request(self) -> bool:
        """Whether Asana rejects the request as it is (400), for example an expired offset.

        Asana does not document a message that tells one reason from another.
        """
        return self.status == HTTPStatus.BAD_REQUEST and not self.is_truncated


class GivenUp(AsanaFailure):
    """A listing failed too often to be requested again in this sync."""

    def __init__(self, path: str) -> None:
        super().__init__("not requested again after repeated failures", path, is_transient=True)


class SyncTokenExpired(AsanaError):
    """Asana does not know a sync token, or got none. `new_token`: where events start over."""

    def __init__(self, new_token: str) -> None:
        super().__init__("the sync token has expired")
        self.new_token = new_token


class FatalError(AsanaError):
    """Every other request would fail too, so the sync ends. Its text says what to do."""


class SetupError(FatalError):
    """Only the user can fix it: the credentials, a proxy or a certificate."""


class TokenRefused(SetupError):
    """Asana no longer accepts the token."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"Asana refused the token ({reason}). It may be revoked or mistyped. Create a new "
            "personal access token, or authenticate again, then save the connection."
        )


class TokenUnavailable(FatalError):
    """Asana's token endpoint gives no access token, without which every request fails."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"Cannot get an access token from Asana ({reason}). "
            "The next sync resumes from the last saved state."
        )
        self.reason = reason


class NoThread(FatalError):
    """The operating system starts no thread."""

    def __init__(self) -> None:
        super().__init__(
            "Cannot start a thread: the process limit of this machine or container is reached. "
            "Raise the limit (ulimit -u), or lower num_workers."
        )


def duration(seconds: float) -> str:
    """A time to wait, rounded up: "45 seconds", "1 minute", "60 minutes"."""
    if seconds < SECONDS_PER_MINUTE:
        number, unit = ceil(seconds), "second"
    else:
        number, unit = ceil(seconds / SECONDS_PER_MINUTE), "minute"
    return f"{number:,} {unit}{'' if number == 1 else 's'}"
