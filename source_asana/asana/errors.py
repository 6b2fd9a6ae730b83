"""What can go wrong, in words for the user."""

from http import HTTPStatus
from math import ceil

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils import AirbyteTracedException


class Refusal(Exception):
    """Asana does not show one object to this token (402, 403, 404, 451)."""

    def __init__(self, status: int, message: str, path: str) -> None:
        super().__init__(f"{path}: {status} {message}")
        self.status = status
        self.message = message


class Gone(Refusal):
    """What a request was about has left the account, or the token's sight, since it was found."""


class SyncTokenGone(Exception):
    """Asana does not know a sync token, or was given none; `new_token` begins anew (412)."""

    def __init__(self, new_token: str) -> None:
        super().__init__("the sync token is unknown")
        self.new_token = new_token


class AsanaFailure(Exception):
    """A listing could not be read to its end."""

    def __init__(
        self, failure_type: FailureType, message: str, path: str, status: int | None = None
    ) -> None:
        super().__init__(f"{path}: {message}")
        self.failure_type = failure_type
        self.message = message
        self.path = path
        self.status = status

    @property
    def is_cut(self) -> bool:
        """Whether Asana does not give the whole of a listing, for it is too long.

        https://developers.asana.com/docs/pagination
        """
        words = self.message.lower()
        return self.status == HTTPStatus.BAD_REQUEST and (
            "truncat" in words or "too large" in words
        )

    @property
    def is_refused_request(self) -> bool:
        """Whether Asana does not accept the request as it is."""
        return self.status == HTTPStatus.BAD_REQUEST and not self.is_cut

    @property
    def is_refused_offset(self) -> bool:
        """Whether it is the offset of a later page that Asana refuses: it expires after a while.

        The message of that 400 is not documented; a listing that is cut is the other 400 there.
        """
        return self.is_refused_request


class GivenUp(AsanaFailure):
    """A listing that failed too often to be asked for again in this sync."""

    def __init__(self, path: str) -> None:
        super().__init__(FailureType.transient_error, "not asked for after many failures", path)


class ConfigError(AirbyteTracedException):
    """Something that only the user can put right; `message` says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message=message, failure_type=FailureType.config_error)


class TokenRefused(ConfigError):
    """Asana knows the token no more: the whole sync ends."""

    def __init__(self, asana_says: str) -> None:
        super().__init__(
            f"Asana refused the token ({asana_says}). It may have been revoked or mistyped: "
            "create a new personal access token, or authenticate again, and save the connection."
        )


class TokenUnavailable(AirbyteTracedException):
    """Asana's token endpoint does not answer: without a token nobody can ask for anything."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            message=f"Asana's token endpoint gives no access token ({reason}), so the sync ends "
            "here. The next one goes on from its last state.",
            failure_type=FailureType.transient_error,
        )


class OutOfTime(AirbyteTracedException):
    """A check has no time left for what Asana has not answered."""

    def __init__(self, message: str) -> None:
        super().__init__(message=message, failure_type=FailureType.transient_error)


class NoThread(AirbyteTracedException):
    """The operating system does not start another thread."""

    def __init__(self) -> None:
        super().__init__(
            message="This machine does not allow another thread. Raise the limit on processes "
            "(ulimit -u, or that of the container), or free some.",
            failure_type=FailureType.transient_error,
        )


def duration(seconds: float) -> str:
    """A time to wait, rounded up: "45 seconds", "1 minute", "60 minutes"."""
    number, unit = (ceil(seconds), "second") if seconds < 60 else (ceil(seconds / 60), "minute")  # noqa: PLR2004 - seconds
    return f"{number:,} {unit}{'' if number == 1 else 's'}"
