"""The state of a sync: where each stream resumes, and when Airbyte is told."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from airbyte_cdk.models import AirbyteMessage

from source_asana.airbyte.due import Due
from source_asana.airbyte.states import EvidenceOf, States, no_evidence
from source_asana.asana.times import shifted
from source_asana.reading.container import Container
from source_asana.reading.exports.kept_exports import KeptExport
from source_asana.reading.filters import ALL, Filters
from source_asana.reading.listing import Selection
from source_asana.reading.marks import Mark, Marks, Missing
from source_asana.reading.rechecks import keeps_mark
from source_asana.reading.unlisted import Fate
from source_asana.streams.sources import PROJECT, StreamClass

DAYS_UNLISTED = 30
"""After so many days the mark of a portfolio, goal or workspace that is not listed is dropped."""


class Checkpoints:
    """The marks of all streams.

    `began` is Asana's time before anything was requested. States go out when they are due, and when
    a stream ends. After a long silence one is repeated, so that Airbyte counts the sync as alive.
    """

    def __init__(
        self,
        selected: Mapping[StreamClass, Selection],
        marks: Mapping[StreamClass, Marks],
        began: Callable[[], str],
        due: Due,
        filters: Filters = ALL,
        evidence: EvidenceOf = no_evidence,
    ) -> None:
        self._incremental = frozenset(s for s, how in selected.items() if how.incremental)
        self._unfinished = set(selected)
        self._marks: dict[StreamClass, dict[str, Mark]] = {
            stream: dict(marks.get(stream, {})) for stream in selected if stream.containers()
        }
        self._listed = ListedContainers()
        self._began = began
        self._due = due
        self._states = States(self._incremental, filters, evidence)
        self._waiting: dict[StreamClass, dict[str, Mark]] = {stream: {} for stream in self._marks}
        self._changed: set[StreamClass] = set()
        self._exports: dict[StreamClass, dict[str, KeptExport]] = {s: {} for s in self._marks}

    @property
    def began(self) -> str:
        """The mark of all that is requested in this sync."""
        return self._began()

    def records(self, stream: StreamClass, count: int, size: int) -> None:
        """Count the records that have gone out, and their bytes."""
        self._states.count(stream, count)
        self._due.spoke(size)

    def container_read(
        self, stream: StreamClass, container: Container, missing: Missing, *, wait_for_end: bool
    ) -> None:
        """Everything of a stream below a container is out, or will be when the stream ends.

        But for `missing`: the next sync asks for that again.
        """
        news = container.news
        before = self._marks[stream].get(container.gid)
        mark = Mark(news.began, missing=missing)
        if stream in self._incremental and stream.is_told_by_events():
            home = container.above.gid if container.is_project and container.above else None
            mark = replace(mark, checked=news.checked, home=home)
            events = container.workspace_events
            if news.token:
                mark = replace(
                    mark, token=news.token, workspace=events.workspace if events else None
                )
            elif before and before.workspace and events and stream.is_incremental_only():
                # The workspace has told all events, even if the project does not.
                mark = replace(mark, token=events.token, workspace=events.workspace)
            elif before:
                mark = replace(mark, token=before.token, workspace=before.workspace)
        if before and keeps_mark(stream, news.put_off):
            mark = replace(mark, since=before.since)
        if wait_for_end:
            self._waiting[stream][container.gid] = mark
        else:
            self._marks[stream][container.gid] = mark
            self._changed.add(stream)

    def export_began(self, at: str, export: KeptExport, streams: frozenset[StreamClass]) -> None:
        """Keep an export of workspace `at` in the states of its streams, until they end."""
        for stream in streams & self._unfinished & self._exports.keys():
            self._exports[stream][at] = export
            self._changed.add(stream)

    def export_failed(self, workspace: str) -> None:
        """Keep an export no longer, because the next sync cannot use it either."""
        self._changed |= {s for s, kept in self._exports.items() if kept.pop(workspace, None)}

    def leave(self, stream: StreamClass, container: str | None = None) -> None:
        """Let the mark that waits for the stream's end stay where it was, or all such marks."""
        for gid in [container] if container else list(self._waiting[stream]):
            self._waiting[stream].pop(gid, None)

    def listed(self, kind: StreamClass, found: Mapping[str, str | None]) -> None:
        """Note the containers of a kind that were found, each with what it is in."""
        self._listed.found[kind] = found

    def unlisted(
        self, project: str, fate: Fate, renewed: Mapping[str, str | None], *, is_asked: bool
    ) -> None:
        """Drop or keep the marks of a project that is no longer listed.

        `renewed`: the sync tokens of workspaces that were used, each with the one that follows it.
        """
        for stream, marks in self._marks.items():
            mark = marks.get(project)
            if mark is None or stream not in self._incremental:
                continue
            is_hidden = fate is Fate.HIDDEN and stream.container != PROJECT
            if is_hidden or fate in (Fate.DELETED, Fate.LEFT_OUT, Fate.UNKNOWN):
                del marks[project]
            elif mark.workspace and mark.token and mark.token in renewed:
                checked = self.began if is_asked else mark.checked
                token = renewed[mark.token]
                self._waiting[stream][project] = replace(mark, token=token, checked=checked)
            elif is_asked:
                marks[project] = replace(mark, checked=self.began)
            else:
                continue
            self._changed.add(stream)

    def listed_completely(self, kind: StreamClass) -> None:
        """Drop the marks of containers not listed for long, once all their lists are complete."""
        self._listed.complete.add(kind)
        if not self.began:
            return
        oldest = shifted(self.began, days=-DAYS_UNLISTED)
        for stream, marks in self._marks.items():
            if self._listed.are_complete(stream) and not stream.outlives_its_listing():
                listed = self._listed.containers(stream)
                long_unlisted = [
                    g for g, m in marks.items() if g not in listed and m.since < oldest
                ]
                for gid in long_unlisted:
                    del marks[gid]
                    self._changed.add(stream)

    def when_due(self) -> Iterator[AirbyteMessage]:
        """The states that have changed, every few seconds, as far as their size allows."""
        projects = sum(len(self._marks[stream]) for stream in self._changed)
        if self._changed and self._due.is_time(projects):
            yield from self.now()
        if self._due.is_silent():
            yield from self._sign_of_life()

    def _sign_of_life(self) -> Iterator[AirbyteMessage]:
        """The state of a stream that has not ended: what it covers by now, and nothing more."""
        if self._unfinished:
            stream = min(self._unfinished, key=self._size_of_state)
            self._changed.discard(stream)
            yield self._state(stream)

    def _size_of_state(self, stream: StreamClass) -> tuple[bool, int, str]:
        """A rank by which a small state is first, and one that cannot tell anything is last."""
        return stream not in self._marks, len(self._marks.get(stream, ())), stream.stream_name()

    def now(self) -> Iterator[AirbyteMessage]:
        """The states that have changed, for the sync ends here."""
        for stream in sorted(self._changed, key=str):
            yield self._state(stream)
        self._changed.clear()

    def stream_ended(self, stream: StreamClass, *, complete: bool) -> Iterator[AirbyteMessage]:
        """The last state of a stream, if there is anything that it covers."""
        self._changed.discard(stream)
        self._unfinished.discard(stream)
        self._exports.pop(stream, None)
        if stream in self._marks:
            self._marks[stream] |= self._waiting[stream]
        if complete and stream not in self._incremental:
            self._due.spoke()
            yield self._states.of_full_refresh(stream)
            return
        if complete and stream.container == PROJECT:
            listed = self._listed.found.get(stream, {})
            self._marks[stream] |= {
                gid: Mark(self.began, home=home) for gid, home in listed.items()
            }
        if complete or self._marks.get(stream):
            yield self._state(stream, is_made_good=complete)

    def _state(self, stream: StreamClass, *, is_made_good: bool = False) -> AirbyteMessage:
        """The state of a stream. `is_made_good`: it is complete, whatever shortcuts had skipped."""
        self._due.spoke()
        marks, exports = self._marks.get(stream, {}), self._exports.get(stream, {})
        return self._states.of(stream, marks, exports, is_made_good=is_made_good)


class ListedContainers:
    """The containers that the lists of this sync have shown.

    `found`: by kind of stream, each with what it is in. `complete`: the kinds of which every list
    was read to its end.
    """

    def __init__(self) -> None:
        self.found: dict[StreamClass, Mapping[str, str | None]] = {}
        self.complete: set[StreamClass] = set()

    def are_complete(self, stream: StreamClass) -> bool:
        """Whether all containers of a stream were listed."""
        return self.complete.issuperset(stream.containers())

    def containers(self, stream: StreamClass) -> set[str]:
        """The gids of those that a stream may have marks of."""
        kinds = stream.containers()
        found = (gids for kind, gids in self.found.items() if kind.container or kind in kinds)
        return {gid for gids in found for gid in gids}
