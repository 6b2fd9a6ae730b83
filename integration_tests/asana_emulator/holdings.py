"""Stores all objects of an account and their lists."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from copy import deepcopy
from typing import TypeVar

from .bulk import Bulk
from .gids import PAIRS, gid_of, kind_of, paired
from .objects import (
    Allocation,
    Attachment,
    Goal,
    GoalRelationship,
    Object,
    Plain,
    Portfolio,
    Project,
    ProjectBrief,
    Section,
    StatusUpdate,
    Story,
    Task,
    TaskTemplate,
    TimeEntry,
    Workspace,
)

ObjectT = TypeVar("ObjectT", bound=Object)


class Holdings:
    """Objects by gid, and ordered lists of gids. Bulk objects are stored only if they change."""

    def __init__(self) -> None:
        self.bulk: Bulk | None = None
        self._objects: dict[str, Object] = {}
        self._lists: dict[tuple[str, str], list[str]] = {}
        self._trash: dict[str, list[tuple[tuple[str, str], int]]] = {}
        self._serials: Counter[str] = Counter()

    def new_gid(self, kind: str) -> str:
        """A new gid."""
        self._serials[kind] += 1
        return gid_of(kind, self._serials[kind])

    def add(self, new: Object, *places: tuple[str, str]) -> None:
        """Adds an object to the end of each of the lists (child, parent)."""
        self._objects[new.gid] = new
        for child, parent in places:
            self.list_of(child, parent).append(new.gid)

    def get(self, kind: type[ObjectT], gid: str) -> ObjectT:
        """The object of this kind and gid, to read. Raises KeyError."""
        found = self.find(gid)
        if not isinstance(found, kind):
            raise KeyError(gid)
        return found

    def own(self, kind: type[ObjectT], gid: str) -> ObjectT:
        """The object of this kind and gid, to change."""
        if gid not in self._objects:
            self._objects[gid] = deepcopy(self.get(kind, gid))
        return self.get(kind, gid)

    def children(self, child: str, parent: str) -> Sequence[str]:
        """The gids in a list, to read."""
        kept = self._lists.get((child, parent))
        if kept is not None:
            return kept
        made = self.bulk.children(child, parent) if self.bulk else None
        return () if made is None else made

    def list_of(self, child: str, parent: str) -> list[str]:
        """The gids in a list, to change."""
        key = (child, parent)
        if key not in self._lists:
            self._lists[key] = list(self.children(child, parent))
        return self._lists[key]

    def kept(self, kind: type[ObjectT]) -> Iterator[ObjectT]:
        """The existing objects of a kind, without the bulk."""
        return (
            held
            for held in tuple(self._objects.values())
            if isinstance(held, kind) and self.exists(held.gid)
        )

    def is_kept(self, gid: str) -> bool:
        """Whether an object is stored: made by hand, or changed."""
        return gid in self._objects

    def delete(self, gid: str, *places: tuple[str, str]) -> None:
        """Moves an object to the trash, which keeps its position."""
        self._trash[gid] = [
            (place, self.list_of(*place).index(gid))
            for place in places
            if gid in self.list_of(*place)
        ]
        for place, _ in self._trash[gid]:
            self.list_of(*place).remove(gid)

    def restore(self, gid: str) -> None:
        """Restores an object from the trash to its position."""
        for place, position in self._trash.pop(gid):
            self.list_of(*place).insert(position, gid)

    def is_deleted(self, gid: str) -> bool:
        """Whether an object itself is in the trash."""
        return gid in self._trash

    def exists(self, gid: str) -> bool:
        """Whether neither an object nor what it belongs to is in the trash."""
        if gid in self._trash:
            return False
        if gid not in self._objects and self.bulk and self.bulk.holds(gid):
            container = self.bulk.container(gid)
            return container is None or self.exists(container)
        match self._objects.get(gid):
            case None:
                return self._is_membership(gid)
            case Task(parent=str(parent)):
                return self.exists(parent)
            case (
                Story(task=container)
                | Attachment(parent=container)
                | Section(project=container)
                | StatusUpdate(parent=container)
                | GoalRelationship(supported_goal=container)
                | TimeEntry(task=container)
                | Allocation(project=container)
                | TaskTemplate(project=container)
                | ProjectBrief(project=container)
                | Plain(home=container)
            ):
                return self.exists(container)
        return True

    def find(self, gid: str) -> Object | None:
        """The object of a gid, even if it is in the trash."""
        kept = self._objects.get(gid)
        return kept or (self.bulk.find(gid) if self.bulk else None)

    def _is_membership(self, gid: str) -> bool:
        """Memberships are not stored: their gids are pairs."""
        if kind_of(gid) not in PAIRS or kind_of(gid) == "user_task_list":
            return False
        container, member = paired(gid)
        if kind_of(gid) == "project_portfolio_setting":
            return self.exists(container) and member in self.children("item", container)
        return self.exists(container) and member in self._members(container)

    def _members(self, container: str) -> Collection[str]:
        match self.find(container):
            case Portfolio() as portfolio:
                return {*portfolio.members, *portfolio.teams}
            case (Project() | Goal() | Workspace()) as held:
                return held.members
        return ()
