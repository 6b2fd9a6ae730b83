"""Tombstones: the records of what was deleted and has not come back. Pure."""

from collections.abc import Iterable, Mapping

import orjson

from source_asana.reading.container import Container
from source_asana.reading.gid_set import GidSet
from source_asana.reading.listing import Selection
from source_asana.reading.unlisted import Fate, Unlisted
from source_asana.streams.sources import DELETED_AT, PROJECT, StreamClass


class Deletions:
    """What Asana tells was deleted, for the streams that capture deletions.

    Nothing is captured in a first sync: nothing was there before.
    """

    def __init__(
        self, selected: Mapping[StreamClass, Selection], *, is_on: bool, continues: bool
    ) -> None:
        captures = is_on and continues
        self._deleted: dict[StreamClass, dict[str, str]] = {
            stream: {}
            for stream, how in selected.items()
            if captures and how.incremental and stream.event_type
        }
        self._alive = {stream.event_type: GidSet() for stream in self._deleted}

    def note_alive(self, stream: StreamClass, gids: Iterable[str]) -> None:
        """Note that records exist: in this stream, or in one of records of the same kind."""
        if stream in self._deleted:
            alive = self._alive[stream.event_type]
            for gid in gids:
                alive.add(gid)

    def learn(self, container: Container) -> None:
        """Note what the events of a container tell."""
        deleted = container.news.changes.deleted
        for stream in self._deleted.keys() & container.need.since.keys():
            self._deleted[stream] |= deleted.get(str(stream.event_type), {})

    def learn_of_projects(self, unlisted: Unlisted) -> None:
        """Note which projects that are no longer listed were deleted."""
        for stream, deleted in self._deleted.items():
            if stream.container == PROJECT:
                gone = (gid for gid, fate in unlisted.fates.items() if fate is Fate.DELETED)
                deleted.update((gid, unlisted.deleted_at[gid]) for gid in gone)

    def tombstones(self, stream: StreamClass) -> list[bytes]:
        """The records that mark deleted rows of a stream, as JSON.

        A task that left a project, and is in another one or below another task, was not deleted.
        """
        alive = self._alive.get(stream.event_type, GidSet())
        return [
            orjson.dumps({"gid": gid, str(stream.cursor_field): when, DELETED_AT: when})
            for gid, when in sorted(self._deleted.get(stream, {}).items())
            if gid not in alive
        ]
