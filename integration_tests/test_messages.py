"""Users look up a message by its words: the pages quote every message of the code, word for word.

Every sentence of the package counts as a message: a string with two words or more that is not a
docstring. So a new message needs a row in docs/asana.md or docs/operations.md, wherever it is.
Only NO_MESSAGES have other sentences.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import source_asana

ROOT = Path(__file__).parents[1]
PACKAGE = Path(source_asana.__file__).parent

GAP = "…"
"""Stands for a name or a number."""

NO_MESSAGES = {
    "streams": "it describes columns",
    "probe": "its report explains itself; test_probe.py compares it with docs/assumptions.md",
}
"""The wings without messages, and what their sentences are."""

NOT_LOOKED_UP = {
    "Incomplete streams: …. The log gives the reason for each.": "for callers in the same process",
    "The next sync reads them.": "the end of a message in the table",
    "The next sync tries again.": "the end of a message in the table",
    "the sync reads all its tasks and subtasks": "part of a message in the table",
    "changed task": "part of a message in the table",
    "…: skipped … because the parent no longer exists": "nothing is wrong",
    "a sync read all its tasks and subtasks less than a day ago": "a part of a message",
    "no reason given": "part of a message in the table",
    "…, try again in …": "part of a message in the table",
    "configured catalog": "part of a message in the table",
    "too large": "a word of Asana's, to recognize an answer",
    "no space left": "a reason in docs/operations.md",
    "not writable": "a reason in docs/operations.md",
    "no download link": "a reason in docs/operations.md",
    "refused, as all files so far": "a reason in docs/operations.md",
    "the sync token has expired": "never leaves the client",
    "nested too deeply": "never leaves the client",
    "not JSON, or nested too deeply": "never leaves the client",
    "timed out": "never leaves the client",
    "the whole list": "a part of the plan",
    "tasks without a project": "a part of the plan",
    **dict.fromkeys(
        (
            "Did you mean …?",
            "It has no effect.",
            "Run discover to see all streams.",
            "a project",
            "a workspace",
            "a team",
            "a portfolio",
            "the number from the team's URL, or the URL itself",
            "the number from the portfolio's URL, or the URL itself",
            "an export",
            "the number from the project's URL, or the URL itself",
            "the number after /1/ in the URL of any page of the workspace, or that URL itself",
            "the gid that Asana returned when the export was requested",
        ),
        "part of a message in the table",
    ),
    **dict.fromkeys(
        (
            "Airbyte source connector for Asana. Prints Airbyte messages, one JSON object a line.",
            "print the settings the connector takes",
            "test the credentials and the config",
            "print the streams and their columns",
            "sync streams",
            "check the connector's assumptions about Asana on your account",
            "It only reads, with at most 80 requests. You can publish its report.",
            "log more",
            "your config, a JSON file",
            "the streams to sync: a configured catalog, a JSON file",
            "the streams to sync, separated by commas",
            "with --streams: sync incrementally where a stream can",
            "where the last sync ended: a JSON file, only read",
            "where the last sync ended: read if it exists, then kept up to date",
            "print the report as a JSON object",
        ),
        "what --help explains",
    ),
}
"""The sentences that are in no table, and why."""


def strings(tree: ast.AST) -> Iterator[str]:
    """Every string of a module that is not a docstring, with gaps for inserted values."""
    parts: set[ast.AST] = set()
    for node in ast.walk(tree):  # a whole comes before its parts
        match node:
            case ast.Expr(value=docstring):
                parts.add(docstring)
            case ast.JoinedStr(values=values):
                parts.update(values)
                yield "".join(str(v.value) if isinstance(v, ast.Constant) else GAP for v in values)
            case ast.Constant(value=str(text)) if node not in parts:
                yield re.sub(r"%(?:\.\d)?[sdf]", GAP, text)
            case _:
                pass


def quoted(page: str) -> list[str]:
    """The messages in the first column of a page's tables of messages or log lines."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    tables = re.findall(r"^\| (?:message|line) \|.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    return [
        message.strip()
        for table in tables
        for message in re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    ]


STRINGS = {
    text.strip()
    for module in PACKAGE.rglob("*.py")
    if module.parent.name not in NO_MESSAGES
    for text in strings(ast.parse(module.read_text(encoding="utf-8")))
}
SENTENCES = {text for text in STRINGS if re.search("[a-z] [a-z]", text)}
QUOTED = [*quoted("asana.md"), *quoted("operations.md")]


@pytest.mark.parametrize("message", QUOTED)
def test_every_quoted_message_is_in_the_code(message: str) -> None:
    pattern = re.compile(".*".join(re.escape(part) for part in message.split(GAP)))
    assert any(pattern.fullmatch(text) for text in STRINGS)


def test_every_message_in_the_code_is_quoted() -> None:
    assert SENTENCES - {*QUOTED} - {*NOT_LOOKED_UP} == set()


def test_every_listed_exception_is_in_the_code() -> None:
    assert {*NOT_LOOKED_UP} - SENTENCES == set()
