"""Error answers, in Asana's envelope.

https://developers.asana.com/docs/errors
"""

from collections.abc import Mapping
from typing import Any

HELP = (
    "For more information on API status codes and how to handle them, "
    "read the docs on errors: https://developers.asana.com/docs/errors"
)


class Refusal(Exception):
    """A request that is answered with Asana's error envelope."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        beside: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
        self.beside = dict(beside or {})

    def body(self) -> dict[str, Any]:
        error = {"message": self.message, "help": HELP}
        if self.status == 500:
            error["phrase"] = "6 sad squid snuggle softly"
        return {"errors": [error], **self.beside}


MESSAGES = {
    400: "Bad Request",
    401: "Not Authorized",
    402: "Payment Required: this feature is not available on your plan",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    424: "Failed Dependency",
    429: "You have made too many requests recently. Please, be chill.",
    451: "Unavailable For Legal Reasons",
    500: "Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def refusal(status: int, *, headers: Mapping[str, str] | None = None) -> Refusal:
    return Refusal(status, MESSAGES.get(status, "Error"), headers=headers)


def missing(parameter: str) -> Refusal:
    return Refusal(400, f"{parameter}: Missing input")


def unrecognised(parameter: str, value: str) -> Refusal:
    return Refusal(400, f"{parameter}: Not a Recognized ID: {value}")


def unknown(parameter: str, gid: str) -> Refusal:
    return Refusal(404, f"{parameter}: Unknown object: {gid}")


def forbidden(parameter: str, gid: str) -> Refusal:
    return Refusal(403, f"{parameter}: You do not have access to this object: {gid}")
