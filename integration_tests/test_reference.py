import re
from pathlib import Path

import pytest

from integration_tests.reference import columns_shown, reference_page
from source_asana.streams.declared import STREAMS

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"


def test_the_reference_is_what_the_code_declares(pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--update-golden"):
        PAGE.write_text(reference_page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == reference_page()


@pytest.mark.parametrize("stream", STREAMS)
def test_the_reference_has_every_column_of_the_catalog(stream: str) -> None:
    assert columns_shown(PAGE.read_text(encoding="utf-8"), stream) == list(
        STREAMS[stream].columns()
    )


def test_every_link_of_the_reference_leads_to_a_heading() -> None:
    page = PAGE.read_text(encoding="utf-8")
    headings = {name.replace(" ", "-") for name in re.findall(r"^#+ (.+)$", page, re.MULTILINE)}
    links = set(re.findall(r"\(#([^)]+)\)", page))
    assert links - {heading.lower() for heading in headings} == set()
