"""What the log says of the files of records: how many were downloaded, and which are missing."""

import logging
from collections import Counter
from collections.abc import Sequence

from source_asana.airbyte.wording import counted
from source_asana.reading.files.downloads import FileOfRecord, MissingFile
from source_asana.reading.files.staging import StagedFile, Why

MAX_WARNINGS = 10
"""Missing files that are named for each stream; the summary counts all of them."""

ADVICE = {
    Why.NO_SPACE: "Give the staging directory more space.",
    Why.UNWRITABLE: "Let the connector write to the staging directory.",
    Why.FAILED: "Check that the network lets the connector reach the host of the files.",
}


class FileLog:
    """Counts the files of each stream."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._number: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()
        self._missing: dict[str, Counter[Why]] = {}

    def note(self, stream: str, files: Sequence[FileOfRecord]) -> None:
        """Count files; name those that are missing, unless many were named before."""
        for file in files:
            match file:
                case StagedFile(_, _, size):
                    self._number[stream] += 1
                    self._bytes[stream] += size
                case MissingFile(gid, why, detail):
                    missing = self._missing.setdefault(stream, Counter())
                    missing[why] += 1
                    self._name(stream, gid, detail, missing.total())

    def _name(self, stream: str, gid: str, detail: str, number: int) -> None:
        if number <= MAX_WARNINGS:
            self._logger.warning("%s: no file for %s: %s", stream, gid, detail)
        if number == MAX_WARNINGS:
            self._logger.warning("%s: further missing files are counted only", stream)

    def summary(self) -> None:
        """Say how many files were downloaded and how many are missing."""
        for stream, number in self._number.items():
            megabytes = self._bytes[stream] / 1e6
            self._logger.info("%s: %s, %.1f MB", stream, counted(number, "file"), megabytes)
        for stream, missing in self._missing.items():
            total = missing.total()
            of_all = counted(total + self._number[stream], "file")
            reasons = ", ".join(f"{times:,} {why.value}" for why, times in missing.items())
            advice = "".join(f" {ADVICE[why]}" for why in missing if why in ADVICE)
            self._logger.warning(
                "%s: %s of %s missing (%s). The records are complete but have no file.%s",
                stream,
                f"{total:,}",
                of_all,
                reasons,
                advice,
            )
