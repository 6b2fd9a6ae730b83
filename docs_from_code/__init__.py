"""What `make docs` writes: the tables, the reference, and the pictures that come from the code."""

import re
from collections.abc import Mapping
from pathlib import Path

from docs_from_code.dbml import entity_model
from docs_from_code.pictures import all_streams_picture, core_picture
from docs_from_code.reference import reference_page
from docs_from_code.tables import costs_table, short_table, streams_table
from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.truth_of import truth
from source_asana.streams.declared import STREAMS

ROOT = Path(__file__).resolve().parents[1]

BEGIN = "<!-- {}: written by `make docs` -->\n"
END = "<!-- end of {} -->"

ALL_STREAMS = re.compile(r"(?<=connector has )[0-9]+(?= streams)|(?<=\ball )[0-9]+(?= streams)")
"""Where a page says how many streams there are."""


def generated(sample: AsanaEmulator) -> dict[str, str]:
    """The text of each file that is generated, wholly or in part, by its path in the repository."""
    counts = {stream: len(truth(sample, stream)) for stream in STREAMS}
    return {
        "README.md": with_tables("README.md", {"streams": short_table()}),
        "docs/asana.md": with_tables(
            "docs/asana.md", {"streams": streams_table(), "costs": costs_table()}
        ),
        "docs/operations.md": with_tables("docs/operations.md", {}),
        "docs/reference.md": reference_page(counts),
        "docs/entities.svg": all_streams_picture(),
        "docs/entities.dbml": entity_model(),
        "docs/core.svg": core_picture(),
    }


def with_tables(page: str, tables: Mapping[str, str]) -> str:
    """A page as it is, but for the tables between its markers and the number of all streams.

    Raises ValueError where a marker is missing.
    """
    text = ALL_STREAMS.sub(str(len(STREAMS)), (ROOT / page).read_text(encoding="utf-8"))
    for name, table in tables.items():
        before, begin, rest = text.partition(BEGIN.format(name))
        _, end, after = rest.partition(END.format(name))
        if not begin or not end:
            raise ValueError(f"{page} lacks the markers of the table {name}")
        text = f"{before}{begin}\n{table}\n{end}{after}"
    return text
