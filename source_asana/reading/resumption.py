"""What former syncs have left: from when each stream continues, container by container. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from source_asana.asana.times import shifted
from source_asana.reading.changes import WorkspaceEvents
from source_asana.reading.container import Former, Need
from source_asana.reading.exports.kept_exports import KeptExport
from source_asana.reading.listing import Listing, Selection
from source_asana.reading.marks import Mark, Marks, Missing
from source_asana.streams.sources import StreamClass

NO_EXPORTS: Mapping[str, KeptExport] = {}


class Resumption:
    """The selected streams and their marks. `exports`: those that former syncs began."""

    def __init__(
        self,
        selected: Mapping[StreamClass, Selection],
        marks: Mapping[StreamClass, Marks],
        exports: Mapping[str, KeptExport] = NO_EXPORTS,
    ) -> None:
        self.selected = selected
        self._marks = marks
        self.exports = exports

    def __bool__(self) -> bool:
        """Whether anything was read before."""
        return any(self._marks.values())

    def continues(self, listing: Listing) -> bool:
        """Whether all streams that need a listing continue from a former sync."""
        return all(self._marks.get(stream) for stream in listing.feeds)

    def repeats_refresh(self, stream: StreamClass) -> bool:
        """Whether a full refresh of a stream was broken off before and continues."""
        return bool(self._marks.get(stream)) and not self.selected[stream].incremental

    def is_incremental(self, streams: Iterable[StreamClass]) -> bool:
        """Whether one of the streams is read incrementally."""
        return any(self.selected[stream].incremental for stream in streams)

    def mark(self, stream: StreamClass, gid: str, began: str) -> Mark | None:
        """What was read of a container before; nothing, if that lies in Asana's future."""
        mark = self._marks.get(stream, {}).get(gid)
        return mark if mark and mark.since <= began else None

    def of(
        self, gid: str, streams: Iterable[StreamClass], began: str, start: str | None
    ) -> tuple[Need, Former]:
        """What streams need of a container, and what former syncs left for it."""
        since: dict[StreamClass, str | None] = {}
        tokens: dict[tuple[str, str | None], None] = {}
        missing: dict[StreamClass, Missing] = {}
        checked: str | None = None
        doubted: set[StreamClass] = set()
        is_unknown = False
        # The token of the stream of events comes first: each event is delivered once.
        for stream in sorted(streams, key=lambda s: not s.is_incremental_only()):
            mark = self.mark(stream, gid, began)
            if not self.selected[stream].incremental:
                if mark is None:
                    since[stream] = None
                continue
            since[stream] = mark.since if mark and not mark.is_doubted else None
            if mark is None:
                continue
            doubted |= {stream} if mark.is_doubted else set()
            missing |= {stream: mark.missing} if mark.missing else {}
            if stream.is_told_by_events():
                tokens |= {(mark.token, mark.workspace): None} if mark.token else {}
                is_unknown |= mark.token is None
                if mark.checked and mark.checked > shifted(began, days=-1):
                    checked = max(checked or "", mark.checked)
        former = Former(tuple(tokens), is_unknown, missing, checked, frozenset(doubted))
        return Need(since, start), former

    def told_by_events(self, streams: Iterable[StreamClass]) -> list[StreamClass]:
        """Those of the streams that are read incrementally and that events tell of."""
        return [s for s in streams if s.is_told_by_events() and self.selected[s].incremental]

    def workspace_tokens(self, workspace: str) -> list[str]:
        """The sync tokens of a whole workspace, and that from before an export of it.

        That of the stream of events comes first: each event is delivered once.
        """
        kept = self.exports.get(workspace)
        tokens = {kept.token} if kept and kept.token else set()
        for stream in self._marks:
            tokens |= self._tokens_in(workspace, stream)
        own = self._tokens_of_events(workspace)
        return sorted(tokens, key=lambda token: (token not in own, token))

    def _tokens_of_events(self, workspace: str) -> set[str]:
        """The tokens of a workspace from which a stream of events continues."""
        own = (self._tokens_in(workspace, s) for s in self._marks if s.is_incremental_only())
        return set().union(*own)

    def _tokens_in(self, workspace: str, stream: StreamClass) -> set[str]:
        """The tokens of a workspace in the state of a stream."""
        marks = self._marks[stream].values()
        return {mark.token for mark in marks if mark.workspace == workspace and mark.token}

    def since_in_workspace(
        self, events: WorkspaceEvents, streams: Iterable[StreamClass]
    ) -> dict[StreamClass, str | None]:
        """For each stream the earliest mark of the projects that a workspace's events speak of."""
        since: dict[StreamClass, str | None] = {}
        for stream in streams:
            times = [
                mark.since
                for mark in self._marks.get(stream, {}).values()
                if mark.workspace == events.workspace and mark.token not in events.lost
            ]
            if times:
                since[stream] = min(times)
        return since

    def delivers(self, events: WorkspaceEvents) -> list[str]:
        """The tokens of a workspace from which a stream of events continues."""
        own = self._tokens_of_events(events.workspace)
        return [token for token in events.events if token in own]

    def projects(self) -> dict[str, Mark]:
        """A mark of each project that a former sync has listed, with what is known of its home."""
        marks: dict[str, Mark] = {}
        for stream, how in self.selected.items():
            if how.incremental and stream.outlives_its_listing():
                for gid, mark in self._marks.get(stream, {}).items():
                    known = marks.get(gid, mark)
                    home = known.home or mark.home or mark.workspace
                    marks[gid] = replace(known, home=home, checked=known.checked or mark.checked)
        return marks
