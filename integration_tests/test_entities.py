import re
from pathlib import Path

import pytest

from integration_tests.entities import entities_picture, streams_shown
from source_asana.streams.declared import STREAMS

PICTURE = Path(__file__).parents[1] / "docs" / "entities.svg"

SHOWN = streams_shown()


def test_the_picture_is_what_the_helper_draws(pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--update-golden"):
        PICTURE.write_text(entities_picture(), encoding="utf-8")
    assert PICTURE.read_text(encoding="utf-8") == entities_picture()


@pytest.mark.parametrize("stream", STREAMS)
def test_the_picture_has_every_stream_with_columns_that_it_has(stream: str) -> None:
    assert stream in PICTURE.read_text(encoding="utf-8")
    columns = {re.split(r"\W", column)[0] for column in SHOWN[stream]} - {""}
    assert columns <= set(STREAMS[stream].columns())


@pytest.mark.parametrize("stream", SHOWN)
def test_a_column_of_the_picture_leads_to_streams_of_the_picture(stream: str) -> None:
    targets = {target for names in SHOWN[stream].values() for target in names.split(", ")}
    assert targets - {"…", "any stream", "as tasks"} <= set(SHOWN)
