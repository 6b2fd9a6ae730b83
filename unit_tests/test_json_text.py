"""Bodies that only some JSON parsers accept."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_asana.asana.json_text import NotJson, parsed

values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.text()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'{"text":"Moved\ud83d"}', {"text": "Moved\ufffd"}),
        (rb'{"text":"\ude00 \uD83D\uD83D\uDE00"}', {"text": "\ufffd \ufffd😀"}),
        (rb'{"text":"\ud83d\ude00","half":"\ud83d\n"}', {"text": "😀", "half": "\ufffd\n"}),
        (rb'{"text":"\\ud83d","half":"\\\ud83d"}', {"text": "\\ud83d", "half": "\\\ufffd"}),
        (rb'{"\ud83d":1}', {"\ufffd": 1}),
        (b'{"number":NaN,"more":[Infinity,-Infinity]}', {"number": None, "more": [None, None]}),
        (b'{"number":1e999,"less":-1e999,"half":0.5,"odd":NaN}', {"half": 0.5}),
        (b'{"number":' + b"9" * 5000 + b"}", {}),
        (b'{"long":18446744073709551616,"odd":NaN}', {"long": 2.0**64}),
        (b'{"long":18446744073709551615,"odd":NaN}', {"long": 2**64 - 1}),
        (b'{"long":-9223372036854775809,"odd":NaN}', {"long": -(2.0**63)}),
        (b'{"text":"caf\xe9"}', {"text": "caf\ufffd"}),
        (b'{"text":"\xed\xa0\xbd"}', {"text": "\ufffd\ufffd\ufffd"}),
        (b'\xef\xbb\xbf{"text":"Ahoy"}', {"text": "Ahoy"}),
        (b'{"text":"two\nlines\tand a tab"}', {"text": "two\nlines\tand a tab"}),
    ],
)
def test_a_repair_changes_only_the_odd_value(body: bytes, value: dict[str, Any]) -> None:
    found = parsed(body).value
    assert {name: each for name, each in found.items() if each is not None} == {
        name: each for name, each in value.items() if each is not None
    }
    assert orjson.loads(orjson.dumps(found)) == found


@pytest.mark.parametrize(
    ("body", "value", "strings"),
    [
        (rb'{"text":"a\u0000b\u0000","more":"\u0000"}', {"text": "ab", "more": ""}, 2),
        (rb'{"a\u0000b":[{"c":"d\u0000"}]}', {"ab": [{"c": "d"}]}, 2),
        (rb'{"text":"\\u0000"}', {"text": "\\u0000"}, 0),
        (rb'{"text":"\\\u0000"}', {"text": "\\"}, 1),
        (rb'{"text":"\u0000\ud83d"}', {"text": "\ufffd"}, 1),
        (b'{"text":"a\x00b"}', {"text": "ab"}, 1),
    ],
)
def test_u0000_is_removed_and_counted(body: bytes, value: Any, strings: int) -> None:
    found = parsed(body)
    assert found.value == value
    assert found.nul_strings == strings


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!DOCTYPE html>",
        b'{"data":[{"gid":"1"',
        rb'{"data":"\ud83d',
        '{"data":"Ahoy"}'.encode("utf-16"),
        b"[" * 5000 + b"]" * 5000,
        b'{"text":"\\u0000","deep":' + b"[" * 1020 + b"]" * 1020 + b"}",
        b'{"text":"\\ud83d","deep":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    ],
    ids=[
        "nothing",
        "HTML",
        "half",
        "half of a surrogate pair",
        "UTF-16",
        "deep",
        "deep, U+0000",
        "very deep",
    ],
)
def test_a_body_that_is_not_json_or_too_deep_raises(body: bytes) -> None:
    with pytest.raises(NotJson):
        parsed(body)


@given(values)
def test_ordinary_json_does_not_change(value: Any) -> None:
    body = orjson.dumps(value)
    if b"\\u0000" not in body:
        assert parsed(body).value == orjson.loads(body)
    assert b"\\u0000" not in orjson.dumps(parsed(body).value).replace(b"\\\\", b"")
