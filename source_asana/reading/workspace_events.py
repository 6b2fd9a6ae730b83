"""Which events of whole workspaces are asked for, and what is left to read for their sake. Pure.

Such events do not tell in which project something has happened. So what they name is read when all
projects of the workspace have been, as far as no listing of these has shown it.
"""

from collections.abc import Iterable, Mapping

from source_asana.reading.changes import WorkspaceNews
from source_asana.reading.filters import Filters
from source_asana.reading.marks import Marks
from source_asana.reading.scope import WORKSPACE, Scope
from source_asana.streams.declared import Events, StreamClass

WORTH_ASKING = 50
"""Projects of a workspace from which on it is asked for the events of all at once: most tokens may
not, and that question is to cost no more than a hundredth of what it can save."""


class WorkspaceEvents:
    """The news of each workspace, and the projects that are still read with them.

    `streams`: those that are read incrementally and told by events.
    """

    def __init__(
        self,
        streams: Iterable[StreamClass],
        marks: Mapping[StreamClass, Marks],
        filters: Filters,
    ) -> None:
        self.streams = list(streams)
        self._marks = marks
        self._filters = filters
        self._news: dict[str, WorkspaceNews | None] = {}
        self._rests: dict[str, Scope] = {}
        self._open_projects: dict[str, set[str]] = {}
        self._listed_whole: set[str] = set()

    def tokens(self, workspace: str, projects: int) -> list[str] | None:
        """The sync tokens with which a workspace is to be asked.

        None where it is not: it was before, a project is left out, or it has but a few.
        """
        asked = workspace in self._news
        if asked or not self.streams or not self._filters.has_all_projects:
            return None
        tokens = {
            mark.token
            for marks in self._marks.values()
            for mark in marks.values()
            if mark.workspace == workspace and mark.token
        }
        return sorted(tokens) if tokens or projects >= WORTH_ASKING else None

    def learn(self, workspace: str, news: WorkspaceNews | None) -> Scope | None:
        """Note what has happened in a workspace, or that nobody says; what to read for its sake."""
        self._news[workspace] = news
        if news is None:
            return None
        since: dict[StreamClass, str | None] = {}
        for stream in self.streams:
            times = [
                mark.since
                for mark in self._marks.get(stream, {}).values()
                if mark.workspace == workspace and mark.token not in news.lost
            ]
            if times:
                since[stream] = min(times)
        self._open_projects[workspace] = set()
        self._rests[workspace] = Scope(
            workspace,
            since,
            changes=news.changes,
            news=news,
            start=self._filters.start_date,
            kind=WORKSPACE,
        )
        return self._rests[workspace]

    def known(self, workspace: str | None) -> WorkspaceNews | None:
        """What is known to have happened in a workspace."""
        return self._news.get(str(workspace))

    def renewed_tokens(self) -> dict[str, str | None]:
        """The former tokens of workspaces, each with the one that follows; None if it was lost."""
        return {
            old: None if old in news.lost else news.token
            for news in self._news.values()
            if news
            for old in news.events
        }

    def delivered(self, news: WorkspaceNews) -> list[str]:
        """The tokens from which the stream `events` goes on."""
        marks = self._marks.get(Events, {}).values()
        own = {mark.token for mark in marks if mark.workspace == news.workspace}
        return [token for token in news.events if token in own]

    @property
    def are_pending(self) -> bool:
        """Whether there is still something to be read for the sake of events."""
        return bool(self._rests)

    def project_begins(self, scope: Scope) -> None:
        """A project is read now."""
        if scope.news:
            self._open_projects[scope.news.workspace].add(scope.container)

    def project_ends(self, scope: Scope) -> Scope | None:
        """A project has been read; what is left to be read of its workspace, if it was the last."""
        if scope.news is None:
            return None
        self._open_projects[scope.news.workspace].discard(scope.container)
        return self._left(scope.news.workspace)

    def listing_ends(self, workspace: str) -> Scope | None:
        """All projects of a workspace are known; what is left of it, if they have been read."""
        self._listed_whole.add(workspace)
        return self._left(workspace)

    def _left(self, workspace: str) -> Scope | None:
        if workspace not in self._listed_whole or self._open_projects.get(workspace):
            return None
        return self._rests.pop(workspace, None)
