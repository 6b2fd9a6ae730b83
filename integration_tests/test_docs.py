import re
import xml.etree.ElementTree as ET
from itertools import chain

import pytest

from docs_from_code import ROOT, generated, with_tables
from docs_from_code.declarations import all_streams
from docs_from_code.pictures import streams_shown
from docs_from_code.reference import columns_shown
from docs_from_code.words import ACCESS, TABLES
from integration_tests.asana_emulator import AsanaEmulator
from source_asana.streams.declared import STREAMS

pytestmark = pytest.mark.once


def read(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def test_generated_parts_of_the_docs_are_current(sample: AsanaEmulator) -> None:
    texts = generated(sample)
    stale = [name for name, text in texts.items() if read(name) != text]
    assert stale == [], "run `make docs`"


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match=r"docs/asana\.md lacks the markers of the table wishes"):
        with_tables("docs/asana.md", {"wishes": ""})


@pytest.mark.parametrize(
    ("page", "table"),
    [("README.md", "streams"), ("docs/asana.md", "streams"), ("docs/asana.md", "costs")],
)
def test_a_table_has_every_stream_in_the_order_of_the_catalog(page: str, table: str) -> None:
    rows = read(page).partition(f"<!-- {table}:")[2].partition("<!-- end")[0]
    assert re.findall(r"^\| (\w+) \|", rows, re.MULTILINE)[1:] == list(STREAMS)


def test_every_stream_has_a_description_and_a_place_in_the_picture() -> None:
    assert list(ACCESS) == list(STREAMS)
    assert streams_shown() == set(STREAMS)
    places = chain.from_iterable(tables.split(", ") for tables in TABLES.values())
    assert {place.partition(".")[0] for place in places} == set(STREAMS)


def test_the_index_names_existing_columns() -> None:
    assert list(TABLES) == sorted(TABLES, key=str.casefold)
    for tables in TABLES.values():
        for table, _, column in (place.partition(".") for place in tables.split(", ")):
            assert column in {"", *all_streams()[table].columns}


@pytest.mark.parametrize("stream", STREAMS)
def test_the_reference_has_every_column_of_the_catalog(stream: str) -> None:
    assert columns_shown(read("docs/reference.md"), stream) == list(STREAMS[stream].columns())
    for column, schema in STREAMS[stream].json_schema()["properties"].items():
        assert f"| {column} | " in read("docs/reference.md")
        assert f" | {schema['description']} |" in read("docs/reference.md")


def test_every_link_of_the_reference_finds_a_heading() -> None:
    page = read("docs/reference.md")
    headings = {name.replace(" ", "-") for name in re.findall(r"^#+ (.+)$", page, re.MULTILINE)}
    links = set(re.findall(r"\(#([^)]+)\)", page))
    assert links - {heading.lower() for heading in headings} == set()


@pytest.mark.parametrize("picture", ["core.svg", "entities.svg", "walk.svg"])
def test_a_picture_is_well_formed_and_has_a_title(picture: str) -> None:
    root = ET.fromstring(read(f"docs/{picture}"))  # noqa: S314, our own file
    title = root.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text


@pytest.mark.parametrize("picture", ["core.svg", "entities.svg"])
def test_no_text_of_a_picture_is_wider_than_its_box(picture: str) -> None:
    targets = re.findall(r">(→ [^<]+)<", read(f"docs/{picture}"))
    assert targets
    assert [text for text in targets if len(text) > 47] == []


def test_the_entity_model_has_every_table_and_joins_only_existing_columns() -> None:
    model = read("docs/entities.dbml")
    tables = {
        name: re.findall(r"^  (\w+) \w+ \[", columns, re.MULTILINE)
        for name, columns in re.findall(
            r"^Table (\w+) \{\n(.*?)^\}", model, re.DOTALL | re.MULTILINE
        )
    }
    assert tables == {name: list(stream.columns()) for name, stream in STREAMS.items()}
    refs = re.findall(r"^Ref: (\w+)\.(\w+) (?:<>|>) (\w+)\.(\w+)$", model, re.MULTILINE)
    assert len(set(refs)) == len(refs) == model.count("\nRef:")
    for table, column, target, key in refs:
        assert column in tables[table]
        assert key in tables[target]
