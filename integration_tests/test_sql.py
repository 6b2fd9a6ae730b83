"""The queries of `docs/sql.md`: on both databases, each gives the table below it."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from integration_tests.warehouse import Filled

pytestmark = pytest.mark.once

PAGE = Path(__file__).parents[1] / "docs" / "sql.md"

QUERY = re.compile(r"^```sql\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
RESULT = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
TABLES = "What make sync writes"


class Question(NamedTuple):
    """A section of the page."""

    asked: str
    text: str

    @property
    def query(self) -> str:
        return "".join(QUERY.findall(self.text))

    @property
    def result(self) -> str:
        return "".join(RESULT.findall(self.text))


def sections() -> list[Question]:
    """The sections of the page now: a test may have rewritten a result."""
    parts = PAGE.read_text(encoding="utf-8").split("\n## ")[1:]
    return [Question(part.partition("\n")[0], part) for part in parts]


def question(asked: str) -> Question:
    (found,) = (section for section in sections() if section.asked == asked)
    return found


ASKED = [section.asked for section in sections() if section.asked != TABLES]


def answer(filled: Filled, query: str) -> str:
    """The result as a table of the page."""
    headings, found = filled.warehouse.answer(query)
    rows = "".join(line(map(shown, row)) for row in found)
    return f"{line(headings)}{'|---' * len(headings)}|\n{rows}"


def line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def shown(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case _:
            return str(value).replace("|", "\\|")


def rewrite(old: Question, result: str) -> None:
    """Write the result below its query."""
    new = f"{RESULT.sub('', old.text).rstrip()}\n\n{result}"
    page = PAGE.read_text(encoding="utf-8")
    assert page.count(old.text.rstrip()) == 1
    PAGE.write_text(page.replace(old.text.rstrip(), new.rstrip()), encoding="utf-8")


@pytest.mark.dbt
@pytest.mark.parametrize("asked", ASKED)
def test_each_query_gives_the_result_on_the_page(
    filled: Filled, pytestconfig: pytest.Config, asked: str
) -> None:
    result = answer(filled, question(asked).query)
    if pytestconfig.getoption("--update-golden"):
        rewrite(question(asked), result)
    assert result == question(asked).result


@pytest.mark.parametrize("asked", ASKED)
def test_each_question_has_text_one_query_and_a_result(asked: str) -> None:
    words, query, below = QUERY.split(question(asked).text)
    assert words.removeprefix(asked).strip()
    assert query.endswith(";\n")
    assert query.count(";") == 1
    assert RESULT.fullmatch(f"{below.strip()}\n")


@pytest.mark.parametrize("asked", ASKED)
def test_no_query_result_is_empty(asked: str) -> None:
    _headings, _rule, *rows = question(asked).result.splitlines()
    assert any(row.strip("| ") for row in rows)
