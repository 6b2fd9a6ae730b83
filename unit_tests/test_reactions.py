"""A table of what each answer from Asana means for its request."""

import pytest

from source_asana.asana.answer import answer_of
from source_asana.asana.reactions import Reaction, reaction_to, reason_of

ENVELOPE = b'{"data": []}'
ERRORS = b'{"errors": [{"message": "Not for you."}]}'
HTML = b"<html>"


@pytest.mark.parametrize(
    ("status", "content", "reaction"),
    [
        (200, ENVELOPE, Reaction.ACCEPT),
        (200, b'{"data": {}}', Reaction.ACCEPT),
        (200, b'{"data": [], "next_page": {"offset": "a"}}', Reaction.ACCEPT),
        (200, b'{"data": [], "next_page": {"offset": ""}}', Reaction.RETRY),
        (200, b'{"data": [], "next_page": []}', Reaction.RETRY),
        (200, b'{"data": null}', Reaction.RETRY),
        (200, b"{}", Reaction.RETRY),
        (200, b"[]", Reaction.RETRY),
        (200, b'{"data": [', Reaction.RETRY),
        (200, HTML, Reaction.RETRY),
        (201, ENVELOPE, Reaction.ACCEPT),
        (201, b"", Reaction.RETRY),
        (302, b"", Reaction.RETRY),
        (302, HTML, Reaction.RETRY),
        (400, ERRORS, Reaction.FAIL),
        (401, ERRORS, Reaction.CHECK_TOKEN),
        (401, HTML, Reaction.CHECK_TOKEN),
        (402, ERRORS, Reaction.SKIP),
        (403, ERRORS, Reaction.SKIP),
        (403, b"", Reaction.SKIP),
        (403, HTML, Reaction.RETRY),
        (404, ERRORS, Reaction.SKIP),
        (404, HTML, Reaction.RETRY),
        (408, ERRORS, Reaction.RETRY),
        (412, b'{"sync": "token"}', Reaction.NEW_SYNC_TOKEN),
        (412, b"{}", Reaction.NEW_SYNC_TOKEN),
        (412, b"", Reaction.RETRY),
        (424, ERRORS, Reaction.RETRY),
        (429, ERRORS, Reaction.PAUSE),
        (429, HTML, Reaction.PAUSE),
        (451, ERRORS, Reaction.SKIP),
        (451, HTML, Reaction.SKIP),
        (500, ERRORS, Reaction.RETRY),
        (503, HTML, Reaction.RETRY),
        (599, b"", Reaction.RETRY),
    ],
)
def test_each_answer_has_one_reaction(status: int, content: bytes, reaction: Reaction) -> None:
    headers = {"Content-Type": "text/html" if content == HTML else "application/json"}
    assert reaction_to(answer_of(status, headers, content)) is reaction


@pytest.mark.parametrize(
    ("status", "content", "reason"),
    [
        (403, ERRORS, "Not for you."),
        (403, b"{}", "HTTP 403"),
        (403, b'{"errors": []}', "HTTP 403"),
        (403, b'{"errors": ["No."]}', "HTTP 403"),
        (403, b'{"errors": [{}]}', "HTTP 403"),
        (
            500,
            b'{"errors": [{"message": "Down", "phrase": "6 sad squid"}]}',
            "Down (phrase for Asana's support: 6 sad squid)",
        ),
        (200, b"{}", "the response is not from Asana's API"),
        (200, b"", "the response is incomplete, or not from Asana"),
        (302, b"", "unexpected redirect (HTTP 302), probably by a proxy"),
        (502, HTML, "HTTP 502 from a proxy or gateway, not from Asana"),
    ],
)
def test_the_reason_is_in_words(status: int, content: bytes, reason: str) -> None:
    headers = {"Content-Type": "text/html" if content == HTML else "application/json"}
    assert reason_of(answer_of(status, headers, content)) == reason
