"""Names of downloaded files: safe on every file system, and close to the original."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_asana.reading.files.file_names import MAX_NAME_BYTES, safe_name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Tide tables 1897.pdf", "Tide tables 1897.pdf"),
        (
            "Caf\u00e9 \u6d77\u56f3 \U0001f5fa\ufe0f.png",
            "Caf\u00e9 \u6d77\u56f3 \U0001f5fa\ufe0f.png",
        ),
        ("\U0001f469\u200d\U0001f4bb.txt", "\U0001f469\u200d\U0001f4bb.txt"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("/etc/passwd", "_etc_passwd"),
        ("..\\..\\boot.ini", ".._.._boot.ini"),
        ("C:\\Temp\\a.txt", "C__Temp_a.txt"),
        ("a\0b.txt", "a_b.txt"),
        ("two\nlines\r\n.txt", "two_lines__.txt"),
        ("half \ud800 of a character", "half _ of a character"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ('what? <why> |"*', "what_ _why_ ___"),
        ("con", "_con"),
        ("CON.txt", "_CON.txt"),
        ("Nul .tar.gz", "_Nul .tar.gz"),
        ("lpt1.pdf", "_lpt1.pdf"),
        ("contract.pdf", "contract.pdf"),
        (".gitignore", ".gitignore"),
        ("ends with dots...", "ends with dots"),
        ("  spaces  ", "spaces"),
        ("", "file"),
        (".", "file"),
        ("..", "file"),
        (" . . ", "file"),
        (None, "file"),
        (7, "file"),
        ("x" * 300 + ".pdf", "x" * 251 + ".pdf"),
        ("\u6d77" * 100 + ".pdf", "\u6d77" * 83 + ".pdf"),
        ("x." + "y" * 300, "x." + "y" * 253),
    ],
)
def test_a_name_is_safe_and_still_tells_what_the_file_is(name: object, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text())
def test_any_name_fits_and_leads_nowhere_else(name: str) -> None:
    safe = safe_name(name)
    assert 0 < len(safe.encode()) <= MAX_NAME_BYTES
    assert safe.strip(". ") != ""
    assert not set(safe) & set('/\\:*?"<>|')
    assert all(unicodedata.category(character) != "Cc" for character in safe)


@given(st.text())
def test_a_safe_name_stays_as_it_is(name: str) -> None:
    assert safe_name(safe_name(name)) == safe_name(name)
