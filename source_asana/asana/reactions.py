"""What each answer of Asana means for the request: the table of status codes. Pure.

https://developers.asana.com/docs/errors
"""

from collections.abc import Mapping
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

from source_asana.asana.answer import Answer


class Reaction(Enum):
    """What to do with an answer."""

    ACCEPT = auto()
    SKIP = auto()
    """This object is not visible to the token."""
    FAIL = auto()
    CHECK_TOKEN = auto()
    """The token may no longer be valid."""
    NEW_SYNC_TOKEN = auto()
    """Events start over from the sync token in the answer."""
    PAUSE = auto()
    """The rate limit is reached."""
    RETRY = auto()
    """The same request may succeed later."""
    RETRY_SMALLER = auto()
    """The page was too large to be read."""


SUCCESSES = (HTTPStatus.OK, HTTPStatus.CREATED)

REACTIONS: Mapping[int, Reaction] = {
    **dict.fromkeys(SUCCESSES, Reaction.ACCEPT),
    HTTPStatus.UNAUTHORIZED: Reaction.CHECK_TOKEN,
    HTTPStatus.PAYMENT_REQUIRED: Reaction.SKIP,
    HTTPStatus.FORBIDDEN: Reaction.SKIP,
    HTTPStatus.NOT_FOUND: Reaction.SKIP,
    HTTPStatus.PRECONDITION_FAILED: Reaction.NEW_SYNC_TOKEN,
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: Reaction.SKIP,
    HTTPStatus.REQUEST_TIMEOUT: Reaction.RETRY,
    HTTPStatus.FAILED_DEPENDENCY: Reaction.RETRY,
    HTTPStatus.TOO_MANY_REQUESTS: Reaction.PAUSE,
}
"""By status. Of the others, 5xx is RETRY and the rest is FAIL."""

TRUSTED_FROM_GATEWAYS = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS,
)
"""The status codes that mean the same when a gateway answers for Asana."""


def reaction_to(answer: Answer) -> Reaction:
    """What to do with an answer."""
    if answer.is_partly_read:
        return Reaction.RETRY_SMALLER
    is_from_gateway = answer.problem is not None and answer.status not in TRUSTED_FROM_GATEWAYS
    if is_from_gateway or answer.is_redirect or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Reaction.RETRY
    if answer.status in SUCCESSES and not is_envelope(answer.body or {}):
        return Reaction.RETRY
    if answer.status == HTTPStatus.PRECONDITION_FAILED and answer.body is None:
        return Reaction.RETRY  # cut short, so its sync token is missing
    return REACTIONS.get(answer.status, Reaction.FAIL)


def is_envelope(body: Mapping[str, Any]) -> bool:
    """Whether a body has Asana's form: `data`, and an offset where there is a next page."""
    if not isinstance(body.get("data"), (list, dict)):
        return False
    next_page = body.get("next_page")
    if next_page is None:
        return True
    offset = next_page.get("offset") if isinstance(next_page, dict) else None
    return isinstance(offset, str) and offset != ""


def has_sync_token(body: Mapping[str, Any]) -> bool:
    """Whether a body has the sync token for the next request for events."""
    return isinstance(body.get("sync"), str) and body["sync"] != ""


def reason_of(answer: Answer) -> str:
    """Why an answer is not what was requested, in Asana's words or ours."""
    if answer.problem:
        return answer.problem
    if answer.status in SUCCESSES:
        return "the response is not from Asana's API"
    if answer.is_redirect:
        return f"unexpected redirect (HTTP {answer.status}), probably by a proxy"
    errors = (answer.body or {}).get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return f"HTTP {answer.status}"
    message = str(first.get("message") or f"HTTP {answer.status}")
    phrase = first.get("phrase")
    return f"{message} (phrase for Asana's support: {phrase})" if phrase else message
