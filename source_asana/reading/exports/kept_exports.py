"""What a state tells of an export that was begun, so that the next sync can use its file. Pure.

It stands in the states of the streams whose records come from the file, by workspace:

    {"exports": {"1100": {"job": "1290", "began": "2026-11-20T10:00:00.000Z", "fields": "1f…"}}}

with `after` if the export leaves out older tasks, and with `token`, the sync token of the
workspace's events from before the export, if there is one.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

EXPORTS = "exports"


@dataclass(frozen=True)
class KeptExport:
    """An export that was begun. `fields`: a short name of those that it was asked for."""

    job: str
    began: str
    fields: str
    after: str | None = None
    token: str | None = None


def kept_exports(blob: Mapping[str, Any]) -> dict[str, KeptExport]:
    """The exports of a state, by workspace; without those of an unknown form."""
    found = blob.get(EXPORTS)
    exports: dict[str, KeptExport] = {}
    for workspace, told in found.items() if isinstance(found, Mapping) else ():
        texts = told if isinstance(told, Mapping) else {}
        if not all(isinstance(text, str) for text in texts.values()):
            continue
        try:
            export = KeptExport(**texts)
        except TypeError:
            continue
        if export.job.isascii() and export.job.isdigit():
            exports[workspace] = export
    return exports


def exports_blob(exports: Mapping[str, KeptExport]) -> dict[str, Any]:
    """How a state tells of exports; nothing if there are none."""
    told = {
        workspace: {name: text for name, text in asdict(export).items() if text is not None}
        for workspace, export in sorted(exports.items())
    }
    return {EXPORTS: told} if told else {}
