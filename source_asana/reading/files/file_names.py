"""Names for downloaded files that every file system takes, and that lead nowhere else. Pure."""

import re
from unicodedata import category

MAX_NAME_BYTES = 255
"""The longest name on ext4, XFS, APFS and NTFS, and shorter than the longest key on S3."""

MAX_SUFFIX_BYTES = 32
"""A longer suffix is a part of the name: it says nothing of the file's type."""

UNNAMED = "file"
REPLACEMENT = "_"
_FORBIDDEN = frozenset('/\\:*?"<>|')
_INVISIBLE = frozenset(("Cc", "Cs", "Zl", "Zp"))
"""Control characters, halves of characters, and separators of lines."""

_TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""They change the direction of what follows, so that `gpj.exe` looks like `exe.jpg`."""

_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])\s*(\.|$)", re.IGNORECASE)
"""Names of devices on Windows, with any suffix."""


def safe_name(name: object) -> str:
    """A file name of at most 255 bytes, as close to `name` as file systems allow.

    Keeps Unicode, and the suffix of a name that is too long. Replaces what separates folders, what
    is invisible, and what Windows does not take. Never empty, `.` or `..`.
    """
    text = _TURNING.sub("", name) if isinstance(name, str) else ""
    text = "".join(map(_safe, text)).strip().rstrip(". ")
    if _DEVICE.match(text):
        text = REPLACEMENT + text
    return _shortened(text) or UNNAMED


def _safe(character: str) -> str:
    is_bad = character in _FORBIDDEN or category(character) in _INVISIBLE
    return REPLACEMENT if is_bad else character


def _shortened(text: str) -> str:
    if len(text.encode()) <= MAX_NAME_BYTES:
        return text
    stem, dot, suffix = text.rpartition(".")
    end = dot + suffix
    if not stem or len(end.encode()) > MAX_SUFFIX_BYTES:
        stem, end = text, ""
    kept = stem.encode()[: MAX_NAME_BYTES - len(end.encode())].decode(errors="ignore")
    return kept.rstrip(". ") + end
