"""Projects of the last sync that Asana no longer lists: which to ask for, what answers mean. Pure.

Absence is no deletion. A project is deleted when Asana answers 404 for its gid while it lists the
projects of its workspace to this token.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from http import HTTPStatus

from source_asana.choice import Choice
from source_asana.errors import Refusal
from source_asana.state import Mark, shifted
from source_asana.streams import Record

DAYS_BETWEEN_QUESTIONS = 1


class Fate(Enum):
    """What has become of a project that is not listed."""

    DELETED = auto()
    HIDDEN = auto()
    """It exists, but the token may not read it."""
    LEFT_OUT = auto()
    """The user's filters leave it out."""
    UNKNOWN = auto()
    """Asana does not know it, and a state of an earlier version does not say where it was."""
    KEPT = auto()
    """It can be read, or nobody can tell: its marks stay as they are."""


@dataclass
class Unlisted:
    """The projects that have marks and are not listed.

    `listed_in`: the workspaces whose projects were listed to the end. `unasked` need no question.
    `deleted_at`: when a project was deleted, at the latest. `renewed`: the former sync tokens of
    workspaces, each with the one that follows it.
    """

    choice: Choice
    listed_in: Collection[str]
    homes: dict[str, str | None] = field(default_factory=dict)
    ask: list[str] = field(default_factory=list)
    unasked: dict[str, Fate] = field(default_factory=dict)
    answers: dict[str, Fate] = field(default_factory=dict)
    deleted_at: dict[str, str] = field(default_factory=dict)
    renewed: dict[str, str | None] = field(default_factory=dict)

    @property
    def fates(self) -> dict[str, Fate]:
        """What is known of all of them; where a question had no answer, they are kept."""
        return {**dict.fromkeys(self.ask, Fate.KEPT), **self.unasked, **self.answers}

    def learn(self, project: str, answer: Record | Refusal, time: str) -> None:
        """Note Asana's answer to a question for a project, at a time by Asana's clock."""
        if not isinstance(answer, Refusal):
            self.answers[project] = Fate.KEPT if self._is_chosen(answer) else Fate.LEFT_OUT
        elif answer.status != HTTPStatus.NOT_FOUND:
            self.answers[project] = Fate.HIDDEN
        elif self.homes[project] is None:
            self.answers[project] = Fate.UNKNOWN
        elif self.homes[project] not in self.listed_in:
            self.answers[project] = Fate.KEPT
        else:
            self.answers[project] = Fate.DELETED
            self.deleted_at[project] = time

    def _is_chosen(self, project: Record) -> bool:
        if project.get("archived") and not self.choice.with_archived_projects:
            return False
        workspace = (project.get("workspace") or {}).get("gid")
        return workspace is None or self.choice.has_workspace(workspace)


def unlisted_projects(
    marks: Mapping[str, Mark],
    left_out: Collection[str],
    listed_in: Collection[str],
    choice: Choice,
    began: str,
) -> Unlisted:
    """Sort the unlisted projects by their marks; `left_out` are listed, but not wanted."""
    found = Unlisted(choice, listed_in, {gid: mark.home for gid, mark in marks.items()})
    asked_lately = shifted(began, days=-DAYS_BETWEEN_QUESTIONS) if began else ""
    for gid, mark in sorted(marks.items()):
        is_chosen = choice.has_project(gid) and gid not in left_out
        may_be_proved = bool(listed_in) if mark.home is None else mark.home in listed_in
        if not is_chosen or (mark.home is not None and not choice.has_workspace(mark.home)):
            found.unasked[gid] = Fate.LEFT_OUT
        elif not may_be_proved or (mark.checked or "") > asked_lately:
            found.unasked[gid] = Fate.KEPT
        else:
            found.ask.append(gid)
    return found
