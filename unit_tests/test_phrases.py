"""The check of wording in .ci/phrases.py."""

import runpy
from pathlib import Path
from typing import Any

import pytest

SCRIPT = runpy.run_path(str(Path(__file__).parents[1] / ".ci" / "phrases.py"))


def found_in(text: str, tmp_path: Path) -> list[Any]:
    file = tmp_path / "page.md"
    file.write_text(text, encoding="utf-8")
    return list(SCRIPT["findings"](file))


@pytest.mark.parametrize(
    "text",
    [
        "what is to be read",
        '"What is "\n    "to be read"',
        "# it is\n    # to be had",
        "def test_nobody_waits():",
        "It begins anew.",
        "an organisation",
        "It is skipped, for Asana says 403.",
        "None are read, for they are events.",
        "It waits, for the main thread is busy.",
        "knows it no more",
    ],
)
def test_a_banned_phrase_is_found_across_lines_and_in_names(text: str, tmp_path: Path) -> None:
    assert found_in(text, tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "no more than ten",
        "[x for x, y in pairs]",
        "Retries, for example after a timeout.",
        "one request, for each project",
        "an organization; its color",
        "somebody else's",
        "renewed",
    ],
)
def test_a_plain_phrase_is_not(text: str, tmp_path: Path) -> None:
    assert found_in(text, tmp_path) == []


def test_a_finding_names_its_line(tmp_path: Path) -> None:
    ((line, phrase, _advice),) = found_in("one\ntwo\nto be had\n", tmp_path)
    assert (line, phrase) == (3, "to be had")


def test_the_checked_paths_exist() -> None:
    root = Path(__file__).parents[1]
    assert all((root / path).exists() for path in SCRIPT["PATHS"])
