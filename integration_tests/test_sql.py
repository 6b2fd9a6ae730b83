"""The queries of `docs/sql.md`: on the sample account, each gives the table below it."""

import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from integration_tests.local import sync_sample
from source_asana.streams.declared import STREAMS

pytestmark = pytest.mark.once

duckdb = pytest.importorskip("duckdb")

PAGE = Path(__file__).parents[1] / "docs" / "sql.md"

QUERY = re.compile(r"^```sql\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
RESULT = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
TABLES = "What make sync writes"
VIEWS = "Views for all questions"

WITH_DELETIONS = """
SELECT table_name FROM duckdb_columns()
WHERE column_name = '_ab_cdc_deleted_at' AND NOT internal
"""

TWIN = """
gid || '-deleted' AS gid,
created_at - INTERVAL 3 DAY AS created_at,
now() AS _ab_cdc_deleted_at
"""


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


ASKED = [section.asked for section in sections() if section.asked not in (TABLES, VIEWS)]


class Account(NamedTuple):
    """A connection to the file, in which the views of the page are set up."""

    connection: Any

    def answer(self, query: str) -> str:
        """The result as a table of the page."""
        found = self.connection.execute(query)
        headings = [column[0] for column in found.description]
        rows = "".join(line(map(shown, row)) for row in found.fetchall())
        return f"{line(headings)}{'|---' * len(headings)}|\n{rows}"


def line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def shown(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case list():
            return f"[{', '.join(map(shown, value))}]"
        case _:
            return str(value).replace("|", "\\|")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the streams that the page names, as `make sync` writes them."""
    file = tmp_path_factory.mktemp("sql") / "sample.duckdb"
    words = set(re.findall(r"\w+", "".join(section.query for section in sections())))
    streams = [name for name in STREAMS if name in words]
    assert sync_sample(file, streams) == 0
    return file


@pytest.fixture(scope="module")
def account(file: Path) -> Iterator[Account]:
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute(question(VIEWS).query)
        yield Account(connection)


@pytest.fixture(scope="module")
def account_with_deleted_rows(file: Path) -> Iterator[Account]:
    """The same, with an older, deleted twin of every row that may be deleted."""
    copy = shutil.copy(file, file.with_name("deleted.duckdb"))
    with duckdb.connect(str(copy)) as connection:
        for (table,) in connection.execute(WITH_DELETIONS).fetchall():
            connection.execute(
                f"INSERT INTO {table} SELECT * REPLACE ({TWIN}) FROM {table}"  # noqa: S608 (own tables)
            )
        connection.execute(question(VIEWS).query)
        yield Account(connection)


def rewrite(old: Question, result: str) -> None:
    """Write the result below its query."""
    new = f"{RESULT.sub('', old.text).rstrip()}\n\n{result}"
    page = PAGE.read_text(encoding="utf-8")
    assert page.count(old.text.rstrip()) == 1
    PAGE.write_text(page.replace(old.text.rstrip(), new.rstrip()), encoding="utf-8")


@pytest.mark.parametrize("asked", ASKED)
def test_each_query_gives_the_result_on_the_page(
    account: Account, pytestconfig: pytest.Config, asked: str
) -> None:
    result = account.answer(question(asked).query)
    if pytestconfig.getoption("--update-golden"):
        rewrite(question(asked), result)
    assert result == question(asked).result


@pytest.mark.parametrize("asked", ASKED)
def test_no_result_has_deleted_rows(account_with_deleted_rows: Account, asked: str) -> None:
    assert account_with_deleted_rows.answer(question(asked).query) == question(asked).result


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
