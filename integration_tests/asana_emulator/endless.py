"""Answers of a faulty server whose listings and events do not end, or end later than they look."""

from typing import Any

import orjson

from .asked import Asked
from .controls import Fault
from .paging import Offsets, Place

NEVER_ENDING = ("same_offset", "two_offsets", "new_offsets", "empty_pages")


def asked_from_the_start(asked: Asked) -> Asked:
    """The same question without its offset: a faulty server gives the first page for any."""
    query = {name: value for name, value in asked.query.items() if name != "offset"}
    return Asked(asked.template, asked.path, asked.gid, query, asked.person)


def without_end(body: bytes, asked: Asked, fault: Fault, offsets: Offsets) -> bytes:
    """The body as the fault would have it; the same where the fault is of another kind."""
    answer: dict[str, Any] = {}
    sent = asked.query.get("offset")
    match fault.kind:
        case "same_offset":
            answer = _next("again")
        case "two_offsets":
            answer = _next("pong" if sent == "ping" else "ping")
        case "new_offsets":
            answer = _next(f"page-{fault.happened}")
        case "empty_pages":
            answer = {"data": [], **_next(f"page-{fault.happened}")}
        case "hidden_page":
            question = asked.owned_question
            place = Place() if sent is None else offsets.place(question, sent)
            answer = {"data": [], **_next(offsets.issue(question, place))}
        case "same_sync_token":
            answer = {"sync": asked.query.get("sync"), "has_more": True}
    return orjson.dumps(orjson.loads(body) | answer) if answer else body


def _next(offset: str) -> dict[str, Any]:
    return {"next_page": {"offset": offset, "path": "", "uri": ""}}
