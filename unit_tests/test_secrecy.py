"""Encoded secrets are masked too; ordinary words never are."""

import base64
import html
import json
import logging
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_asana.airbyte.secrecy import keep_secret, mask_log, masked, only_secrets

PAT = "2/1200000000000007/1200000000000042:4f2a5b1dec3d9e8aa0b1c2d3e4f50617"
CLIENT_SECRET = "8c1f=+a~0b\"7d'e6&f5<4a3>b2c1d0"
SECRETS = [PAT, CLIENT_SECRET]
TAIL = PAT.rpartition(":")[2]


def entities(form: str, *, letters: bool = False) -> Callable[[str], str]:
    """Encode characters as HTML entities: only special characters, or the letters too."""
    return lambda secret: "".join(
        c if c.isalnum() and not letters else form.format(ord(c)) for c in secret
    )


def named(secret: str) -> str:
    names = {"/": "sol", ":": "colon", "=": "equals", "+": "plus", '"': "quot", "'": "apos"}
    names |= {"&": "amp", "<": "lt", ">": "gt"}
    return "".join(f"&{names[c]};" if c in names else c for c in secret)


def lower_hex(secret: str) -> str:
    return "".join(c if c.isalnum() else f"%{ord(c):02x}" for c in secret)


def percent(secret: str) -> str:
    return quote(secret, safe="")


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent": percent,
    "percent, slashes kept": quote,
    "percent in lower case": lower_hex,
    "percent, twice": lambda s: percent(percent(s)),
    "percent, three times": lambda s: percent(percent(percent(s))),
    "percent, letters too": lambda s: "".join(f"%{ord(c):02X}" for c in s),
    "HTML": html.escape,
    "HTML, twice": lambda s: html.escape(named(s)),
    "HTML names": named,
    "HTML decimal": entities("&#{};"),
    "HTML decimal with zeros": entities("&#{:05};"),
    "HTML hex": entities("&#x{:x};"),
    "HTML hex in upper case": entities("&#X{:02X};"),
    "HTML decimal, letters too": entities("&#{};", letters=True),
    "HTML hex, letters too": entities("&#x{:x};", letters=True),
    "JSON": lambda s: json.dumps(s)[1:-1],
    "JSON in JSON": lambda s: json.dumps(json.dumps(s))[3:-3],
    "JSON with escaped slashes": lambda s: json.dumps(s)[1:-1].replace("/", "\\/"),
    "JSON codes": entities("\\u{:04x}"),
    "JSON codes in upper case": entities("\\u{:04X}"),
    "JSON codes, letters too": entities("\\u{:04x}", letters=True),
    "a string of a program": entities("\\x{:02x}"),
    "upper case": str.upper,
    "lower case": str.lower,
    "percent in upper case": lambda s: percent(s).upper(),
}
BASE64 = {
    "base64": lambda content: base64.b64encode(content).decode(),
    "base64 for addresses": lambda content: base64.urlsafe_b64encode(content).decode(),
    "base64 without the end": lambda content: base64.b64encode(content).decode().rstrip("="),
}


@pytest.fixture(autouse=True)
def secrets() -> Iterator[None]:
    only_secrets(SECRETS)
    yield
    only_secrets([])


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_a_secret_is_masked_in_every_encoding(spelling: Callable[[str], str], secret: str) -> None:
    text = f"token {spelling(secret)} is wrong"
    assert masked(text) == "token **** is wrong"
    line = json.dumps({"message": text})
    assert json.loads(masked(line)) == {"message": "token **** is wrong"}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("before", [b"", b":", b"u:", b"me:", b"user:", b"client:"], ids=repr)
@pytest.mark.parametrize("after", [b"", b":", b"::", b":user"], ids=repr)
@pytest.mark.parametrize("encode", BASE64.values(), ids=BASE64)
def test_a_secret_in_base64_is_masked_but_for_a_few_characters_at_its_ends(
    encode: Callable[[bytes], str], before: bytes, after: bytes, secret: str
) -> None:
    encoded = encode(before + secret.encode() + after)
    left = masked(f"Basic {encoded}.").removeprefix("Basic ").removesuffix(".")
    assert "****" in left
    begin, _, end = left.partition("****")
    assert len(begin) <= 4 * -(-len(before) // 3)
    assert len(end) <= 4 * -(-(len(after) + 2) // 3)


@pytest.mark.parametrize("spelling", [str, str.upper], ids=["as it is", "upper case"])
def test_the_last_part_of_a_token_is_masked_without_the_rest(
    spelling: Callable[[str], str],
) -> None:
    assert masked(f"…{spelling(TAIL)}.") == "…****."


@pytest.mark.parametrize(
    "text",
    [
        "Project 1200000000000007 is archived, user 1200000000000042 is not.",
        "https://app.asana.com/0/1200000000000007/1200000000000042",
        "",
        "100% of &amp; \\u0032 &#50; %32",
        "2/1200000000000007/",
    ],
)
def test_the_rest_of_a_token_is_not_a_secret(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("short", "a short sentence"),
        ("production/password-of", "password-of"),
        ("1/1200000000000007", "project 1200000000000007"),
        ("someone:administrator", "ask your administrator"),
        ("2/abc:123456789012345", "task 123456789012345"),
    ],
)
def test_ordinary_words_and_gids_are_never_masked(secret: str, text: str) -> None:
    only_secrets([secret])
    assert masked(text) == text


@given(st.text(max_size=200))
def test_a_text_without_a_secret_stays_as_it_is(text: str) -> None:
    assert masked(text) == text


@given(st.text(st.characters(codec="utf-8"), min_size=8, max_size=40))
def test_every_registered_secret_is_masked(secret: str) -> None:
    only_secrets([secret])
    kept = secret.strip()
    assert len(kept) < 8 or kept not in masked(f"({secret})") or kept in "(****)"


def test_the_log_is_masked_before_it_is_formatted(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("airbyte.of.this.test")
    mask_log(logger)
    logger.warning("%s said %s", lower_hex(PAT), 7)
    logger.warning("%s said %s", "someone", 7)
    assert [record.getMessage() for record in caplog.records] == ["**** said 7", "someone said 7"]


def test_secrets_are_kept_next_to_those_of_the_config() -> None:
    keep_secret("2/access/5f2a5b1dec3d9e8aa0b1c2d3e4f50617")
    assert masked(f"{PAT} 2/access/5f2a5b1dec3d9e8aa0b1c2d3e4f50617") == "**** ****"
