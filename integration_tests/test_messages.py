"""Users look a message up by its words: the pages quote what the code says, and all of it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "asana.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

GAP = "…"
"""What stands for a name or a number."""

SPEAKS = {
    *("ConfigError", "UnusableFile", "OutOfTime", "AirbyteTracedException", "Problem"),
    *("_failed", "end_with", "warning", "error"),
}
"""The functions whose sentences reach a user who has to do something."""

SPEAKING_PARTS = {
    "_ADVICE",
    "unexpected",
    "_refuse_unknown",
    "_distrust",
    "_why",
    "_broken",
    "words_of",
}
"""Sentences of these are said through others."""

UNSEEN = {
    "Not complete: …. The log says why, stream by stream.",  # for callers in the same process
    "the sync token is unknown",  # never leaves the client
}


def sentences(tree: ast.AST) -> Iterator[str]:
    """Every string of a piece of code that is no docstring, with gaps where it is filled in."""
    silent = {
        id(part)
        for node in ast.walk(tree)
        for part in (
            [node.value]
            if isinstance(node, ast.Expr)
            else node.values
            if isinstance(node, ast.JoinedStr)
            else []
        )
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(v.value) if isinstance(v, ast.Constant) else GAP for v in node.values)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in silent
        ):
            yield re.sub(r"%(?:\.\d)?[sdf]", GAP, node.value)


def speaking(tree: ast.Module) -> Iterator[ast.AST]:
    """The places of a module whose strings are messages."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in SPEAKS:
                yield node
            case ast.Call(func=ast.Attribute(attr="__init__")):
                yield node
            case ast.FunctionDef(name=name) if name in SPEAKING_PARTS:
                yield node
            case ast.AnnAssign(target=ast.Name(id=name)) if name in SPEAKING_PARTS:
                yield node
            case _:
                pass


def trees() -> list[ast.Module]:
    files = sorted((ROOT / "source_asana").rglob("*.py"))
    return [ast.parse(file.read_text(encoding="utf-8")) for file in files]


SAID = {sentence for tree in trees() for sentence in sentences(tree)}
MESSAGES = {
    sentence
    for tree in trees()
    for place in speaking(tree)
    for sentence in sentences(place)
    if re.search("[a-z] [a-z]", sentence) and sentence not in UNSEEN
}


def quoted(page: str) -> list[str]:
    """The messages in the first column of the tables that have one for them."""
    found = []
    for table in re.findall(r"^\| (?:message|line) \|.*\n((?:\|.*\n)+)", page, re.MULTILINE):
        found += re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    return found


def is_quoted(sentence: str) -> bool:
    return sentence.strip() in [message.strip() for message in quoted(GUIDE)]


@pytest.mark.parametrize("message", [*quoted(GUIDE), *quoted(OPERATIONS)])
def test_a_message_of_the_pages_is_one_of_the_codes(message: str) -> None:
    pattern = re.compile(".*".join(re.escape(part) for part in message.strip().split(GAP)))
    assert any(pattern.fullmatch(sentence.strip()) for sentence in SAID)


def test_every_message_of_the_code_is_in_the_guide() -> None:
    assert len(MESSAGES) > 30
    assert [message for message in sorted(MESSAGES) if not is_quoted(message)] == []
