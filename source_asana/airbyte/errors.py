"""What ends a sync, in words for the user."""

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from airbyte_cdk.models import AirbyteMessage, FailureType, StreamDescriptor
from airbyte_cdk.utils import AirbyteTracedException

from source_asana.asana.errors import FatalError, SetupError


class ConfigError(AirbyteTracedException):
    """Something in the config, catalog or state that only the user can fix; `message` says how."""

    def __init__(self, message: str) -> None:
        super().__init__(message=message, failure_type=FailureType.config_error)


class UnusableFile(ConfigError):
    """A config, catalog or state file that cannot be read, or does not hold one."""


class SyncIncomplete(AirbyteTracedException):
    """Some streams are not complete; each of them has had its own error trace."""

    def __init__(self, streams: Sequence[str]) -> None:
        super().__init__(
            message=f"Incomplete streams: {', '.join(streams)}. The log gives the reason for each.",
            failure_type=FailureType.transient_error,
        )


class Interrupted(AirbyteTracedException):
    """The sync was told to stop (SIGTERM)."""

    def __init__(self) -> None:
        super().__init__(
            message="Sync canceled. The next sync resumes from the last saved state.",
            failure_type=FailureType.transient_error,
        )


class OutOfTime(AirbyteTracedException):
    """The time of a check ended before Asana answered."""

    def __init__(self, message: str) -> None:
        super().__init__(message=message, failure_type=FailureType.transient_error)


@contextmanager
def airbyte_errors() -> Iterator[None]:
    """Raise AirbyteTracedException in place of a FatalError of the conversation with Asana."""
    try:
        yield
    except FatalError as error:
        is_for_user = isinstance(error, SetupError)
        kind = FailureType.config_error if is_for_user else FailureType.transient_error
        raise AirbyteTracedException(message=str(error), failure_type=kind) from error


def unexpected(error: Exception) -> str:
    """A sentence about a fault of the connector: its kind and place, without what it is about."""
    package = Path(__file__).parent.parent
    places = traceback.extract_tb(error.__traceback__)
    own = [place for place in places if package in Path(place.filename).parents]
    what = type(error).__name__
    for place in (own or places)[-1:]:
        what += f", {Path(place.filename).name} line {place.lineno}"
    return f"Unexpected error in the connector ({what}). Please report it."


def error_trace(
    failure_type: FailureType,
    message: str,
    *,
    stream: str | None = None,
    refused_with: int | None = None,
) -> AirbyteMessage:
    """A known error as a message, without a stack trace.

    `refused_with`: the status of Asana's refusal, which programs find in `internal_message`.
    """
    descriptor = StreamDescriptor(name=stream) if stream else None
    error = AirbyteTracedException(
        message=message,
        internal_message=str(refused_with) if refused_with else None,
        failure_type=failure_type,
        stream_descriptor=descriptor,
    )
    trace = error.as_sanitized_airbyte_message()
    if trace.trace and trace.trace.error:
        trace.trace.error.stack_trace = None
    return trace
