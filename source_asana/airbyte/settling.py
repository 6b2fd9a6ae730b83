"""When the mark of a container moves: what was read of it is out, or known to be missing."""

from collections.abc import Collection, Mapping

from source_asana.airbyte.checkpoints import Checkpoints
from source_asana.airbyte.failures import Failures, Gaps
from source_asana.reading.container import Container
from source_asana.reading.listing import Selection
from source_asana.reading.visits import Visit
from source_asana.streams.sources import WORKSPACE, StreamClass

MOST_MISSING_REQUESTS = 1000
"""So many failed requests of a stream stand in its state for each container. With more of them the
next sync reads the container from its former mark.
"""


class Settling:
    """The containers that were begun, and the marks that may move when they, or streams, end."""

    def __init__(
        self,
        selected: Mapping[StreamClass, Selection],
        failures: Failures,
        gaps: Gaps,
        checkpoints: Checkpoints,
    ) -> None:
        self._selected = selected
        self._failures = failures
        self._gaps = gaps
        self._checkpoints = checkpoints
        self._open: dict[Container, None] = {}
        self._ended: set[Container] = set()
        self._unsettled: set[StreamClass] = set()

    def hold(self, visit: Visit) -> None:
        """Note that a container was begun."""
        if visit.need:
            self._open[visit.container] = None

    def end_container(self, container: Container, unfinished: Collection[StreamClass]) -> bool:
        """Move the marks of a container; return whether it ends for the first time."""
        since = container.need.since
        if container.kind == WORKSPACE:
            self._unsettled |= {s for s in since if self._lacks_something(s, container)}
            return False
        is_first_end = container not in self._ended
        self._ended.add(container)
        for stream in since:
            if stream in unfinished:
                self._settle(container, stream)
        if not self._gaps.has_requests(container):
            self._open.pop(container, None)
        return is_first_end

    def end_stream(self, stream: StreamClass) -> None:
        """Move the marks of a stream in the containers in which others are still read."""
        for container in list(self._open):
            if stream in container.need.since and container.kind != WORKSPACE:
                self._settle(container, stream)
        if stream in self._unsettled:
            self._checkpoints.leave(stream)

    def _lacks_something(self, stream: StreamClass, container: Container) -> bool:
        """Whether something that a workspace's events name could not be read for a stream."""
        is_whole = self._gaps.is_whole(stream, container)
        return is_whole or bool(self._gaps.requests(stream, container))

    def _settle(self, container: Container, stream: StreamClass) -> None:
        """Everything of a stream in a container has been read, or is known to be missing."""
        is_first_read = container.need.since[stream] is None
        is_refused = is_first_read and self._failures.is_refused(stream)
        missing = self._gaps.requests(stream, container)
        is_whole = is_refused or self._gaps.is_whole(stream, container)
        is_incremental = self._selected[stream].incremental
        will_repeat = not is_incremental and not all(missing.values())  # in this sync
        if is_whole or will_repeat or len(missing) > MOST_MISSING_REQUESTS:
            self._checkpoints.leave(stream, container.gid)  # an earlier end may have moved it
            return
        missing = missing if is_incremental else {}
        waits = bool(container.news.changes.deleted.get(str(stream.event_type)))
        has_mark = not is_first_read or stream in container.former.doubted
        waits |= container.shares_events and has_mark
        waits |= stream in container.exported  # a file that proves wrong is requested after all
        self._checkpoints.container_read(stream, container, frozenset(missing), wait_for_end=waits)
