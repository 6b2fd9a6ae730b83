"""Projects of the last sync that Asana no longer lists: which to ask for, what answers mean. Pure.

Absence is no deletion. A project is deleted when Asana answers 404 for its gid while it lists the
projects of its workspace to this token.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from http import HTTPStatus

from source_asana.asana.times import shifted
from source_asana.reading.filters import Filters
from source_asana.reading.marks import Mark
from source_asana.streams.values import Record, gid_of

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
    """It can be read, or nothing is known: its marks stay as they are."""


@dataclass
class Unlisted:
    """Those of the `known` projects, which have marks, that are not listed.

    `listed_in`: the workspaces whose projects were listed to the end. `unasked` need no question.
    `deleted_at`: when a project was deleted, at the latest. `renewed`: the former sync tokens of
    workspaces, each with the one that follows it.
    """

    filters: Filters
    listed_in: Collection[str]
    homes: dict[str, str | None] = field(default_factory=dict)
    ask: list[str] = field(default_factory=list)
    unasked: dict[str, Fate] = field(default_factory=dict)
    answers: dict[str, Fate] = field(default_factory=dict)
    deleted_at: dict[str, str] = field(default_factory=dict)
    known: int = 0
    renewed: dict[str, str | None] = field(default_factory=dict)

    @property
    def fates(self) -> dict[str, Fate]:
        """What is known of all of them; where a question had no answer, they are kept."""
        return {**dict.fromkeys(self.ask, Fate.KEPT), **self.unasked, **self.answers}

    def learn(self, project: str, answer: Record | int, time: str) -> None:
        """Note the answer to a question for a project, at a time by Asana's clock.

        It is a record, or the status with which Asana refuses it: 400 means that it is not a gid.
        """
        home = self.homes[project]
        if not isinstance(answer, int):
            is_chosen = self.filters.has_project(project) and self._is_chosen(answer)
            self.answers[project] = Fate.KEPT if is_chosen else Fate.LEFT_OUT
        elif answer not in (HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST):
            self.answers[project] = Fate.HIDDEN
        elif home is None:
            self.answers[project] = Fate.UNKNOWN
        elif answer == HTTPStatus.BAD_REQUEST or home not in self.listed_in:
            self.answers[project] = Fate.KEPT
        else:
            self.answers[project] = Fate.DELETED
            self.deleted_at[project] = time

    def _is_chosen(self, project: Record) -> bool:
        if self.filters.leaves_out_archived(project.get("archived")):
            return False
        workspace = gid_of(project.get("workspace"))
        return workspace is None or self.filters.has_workspace(workspace)


def unlisted_projects(
    marks: Mapping[str, Mark],
    left_out: Collection[str],
    listed_in: Collection[str],
    filters: Filters,
    began: str,
) -> Unlisted:
    """Sort the unlisted projects by their marks; `left_out` are listed, but not wanted."""
    found = Unlisted(filters, listed_in, {gid: mark.home for gid, mark in marks.items()})
    asked_lately = shifted(began, days=-DAYS_BETWEEN_QUESTIONS) if began else ""
    for gid, mark in sorted(marks.items()):
        is_chosen = filters.may_have_had_project(gid) and gid not in left_out
        may_be_proved = bool(listed_in) if mark.home is None else mark.home in listed_in
        if not is_chosen or (mark.home is not None and not filters.has_workspace(mark.home)):
            found.unasked[gid] = Fate.LEFT_OUT
        elif not may_be_proved or (mark.checked or "") > asked_lately:
            found.unasked[gid] = Fate.KEPT
        else:
            found.ask.append(gid)
    return found
