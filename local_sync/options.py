"""The options of the command line. Imports nothing that is slow."""

import argparse
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from source_asana.streams.declared import STREAMS

OWN_FILE = Path("asana.duckdb")
SAMPLE_FILE = Path("asana_sample.duckdb")


class UsageError(Exception):
    """An option is wrong; the text says what to do."""


@dataclass(frozen=True)
class Options:
    """What to sync, and where to.

    `config`: None for the emulated sample account. `streams`: in the order of the stream table.
    `are_streams_named`: whether the user named them. Either `file` or `database` is set.
    `files`: the folder for the files of attachments; None to leave them in Asana.
    """

    config: Path | None
    streams: tuple[str, ...]
    are_streams_named: bool
    file: Path | None
    database: str | None
    is_fresh: bool
    files: Path | None = None


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Parse a command line. Raises UsageError."""
    parser = argparse.ArgumentParser(
        prog="python -m local_sync",
        description="Sync an Asana account into a DuckDB file or a PostgreSQL database: "
        "your own, or an emulated sample.",
    )
    parser.add_argument("--config", type=Path, help="your config: see secrets/README.md")
    parser.add_argument("--streams", default="", help="comma-separated; default: all")
    parser.add_argument("--file", type=Path, help=f"the DuckDB file; default: {OWN_FILE}")
    parser.add_argument("--database", help="postgresql://user:password@host/db, instead of a file")
    parser.add_argument("--files", type=Path, help="a folder for the files of attachments")
    parser.add_argument("--fresh", action="store_true", help="read everything again")
    given = parser.parse_args(arguments)
    if given.file and given.database:
        raise UsageError("FILE and DATABASE cannot be combined. Use one of them.")
    if given.database:
        check_database(given.database)
    named = known_streams(given.streams)
    default = OWN_FILE if given.config else SAMPLE_FILE
    return Options(
        config=given.config,
        streams=named or tuple(STREAMS),
        are_streams_named=bool(named),
        file=None if given.database else given.file or default,
        database=given.database,
        is_fresh=given.fresh,
        files=given.files,
    )


def known_streams(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list of streams. Raises UsageError for an unknown name."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := [name for name in names if name not in STREAMS]:
        raise UsageError(" ".join(map(_unknown, unknown)))
    return tuple(name for name in STREAMS if name in names)


def _unknown(name: str) -> str:
    similar = difflib.get_close_matches(name.lower(), STREAMS, n=1)
    hint = f"Did you mean {similar[0]}?" if similar else "The README lists all streams."
    return f"Unknown stream {name}. {hint}"


def check_database(url: str) -> None:
    """Raise UsageError for what is no address of a PostgreSQL database."""
    try:
        parts = urlsplit(url)
        is_complete = bool(parts.path.strip("/")) and parts.port != 0
    except ValueError:
        is_complete = False
    if not is_complete or parts.scheme not in ("postgresql", "postgres"):
        raise UsageError(
            "DATABASE is not a PostgreSQL address. "
            "Write postgresql://user:password@host/db (special characters as %40, %2F, ...)."
        )
