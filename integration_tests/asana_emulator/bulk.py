"""Thousands of tasks, each computed from the seed and its number; none is stored."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import overload

import pendulum

from .clock import milliseconds_of, stamp_of
from .gids import gid_of, kind_of, number_of
from .objects import Attachment, CustomField, Record, Story, Task

HISTORY_START = pendulum.datetime(2024, 1, 8, 8)
HISTORY_END = pendulum.datetime(2026, 6, 1)

_START = milliseconds_of(HISTORY_START)
_END = milliseconds_of(HISTORY_END)
_DAY = 24 * 3600 * 1000
_FIRST = 100_000_000_000  # numbers below belong to objects that are kept
_PLACES = 1000  # a task's number is its ordinal x 1000 + its place below the top-level task
_STORIES = 100
_ATTACHMENTS = 10
_CHAIN = 5  # Asana allows five levels of subtasks
_MASK = (1 << 64) - 1

_VERBS = ("Polish", "Order", "Inspect", "Repaint", "Photograph", "Label", "Return", "Measure")
_NOUNS = (
    "the brass fittings",
    "spare lenses",
    "gull deterrents",
    "the fog signal",
    "rope, 40 mm",
    "visitor leaflets",
    "the Žižkov crane",
    "tea (强烈) for the night watch",
)
_LONG_NOTE = "The keeper before us wrote everything down twice, and so shall we. " * 60


class Gids(Sequence[str]):
    """The gids of ranges of numbers, computed on demand."""

    def __init__(self, kind: str, *ranges: range) -> None:
        self._kind = kind
        self._ranges = tuple(numbers for numbers in ranges if len(numbers))

    def __len__(self) -> int:
        return sum(map(len, self._ranges))

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        position = index + len(self) if index < 0 else index
        for numbers in self._ranges:
            if 0 <= position < len(numbers):
                return gid_of(self._kind, numbers[position])
            position -= len(numbers)
        raise IndexError(index)

    def __iter__(self) -> Iterator[str]:
        return (gid_of(self._kind, number) for number in chain(*self._ranges))


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A project of consecutive tasks; a `plain` one has no other tasks."""

    project: str
    sections: tuple[str, ...]
    first: int
    count: int
    fields: tuple[CustomField, ...] = ()
    plain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the tasks refer to."""

    workspace: str
    people: tuple[str, ...]
    tags: tuple[str, ...]
    names: dict[str, Record]


def _mixed(seed: int, *numbers: int) -> int:
    """A hash of the arguments: 64 evenly distributed bits (splitmix64)."""
    value = seed
    for number in numbers:
        value = (value + 0x9E3779B97F4A7C15 * (number + 1)) & _MASK
        value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
        value ^= value >> 31
    return value


def _tasks(ordinals: range, place: int = 0) -> range:
    return range(
        _FIRST + ordinals.start * _PLACES + place,
        _FIRST + ordinals.stop * _PLACES + place,
        ordinals.step * _PLACES,
    )


def _every(step: int, remainder: int, first: int, stop: int) -> range:
    """The ordinals from `first` up to `stop` that leave `remainder` when divided by `step`."""
    return range(first + (remainder - first) % step, stop, step)


class Bulk:
    """Regular tasks of many projects, with their subtasks, stories and attachments.

    Of the ordinals, one in 37 is also in the next project, one in 20 has two subtasks, one in 400
    has a subtask that is in the project too, one in 200 has a chain of subtasks five levels deep,
    one in 11 bears a tag.
    """

    def __init__(self, seed: int, blocks: Sequence[Block], around: Surroundings) -> None:
        self._seed = seed
        self._around = around
        self._blocks = tuple(blocks)
        self._count = sum(block.count for block in blocks)
        self._block_of = {block.project: index for index, block in enumerate(blocks)}
        self._starts = [block.first for block in blocks]
        self._step = (_END - _START - 60 * _DAY) // max(self._count, 1)
        self.task = lru_cache(maxsize=4096)(self._task)

    # -- what exists ------------------------------------------------------------------------------

    def holds(self, gid: str) -> bool:
        """Whether a gid belongs to a bulk task, story or attachment."""
        kind = kind_of(gid)
        number = number_of(gid) - _FIRST if kind else -1
        if number < 0:
            return False
        if kind == "task":
            ordinal, place = divmod(number, _PLACES)
            return ordinal < self._count and place <= self._places(ordinal)
        if kind == "story":
            task, index = divmod(number, _STORIES)
            return self._holds_task(task) and index < self._story_count(task)
        if kind == "attachment":
            task, index = divmod(number, _ATTACHMENTS)
            return self._holds_task(task) and index < self._attachment_count(task)
        return False

    def find(self, gid: str) -> Task | Story | Attachment | None:
        """The object of a gid, computed each time."""
        if not self.holds(gid):
            return None
        kind, number = kind_of(gid), number_of(gid) - _FIRST
        if kind == "task":
            return self.task(number)
        if kind == "story":
            return self._story(*divmod(number, _STORIES))
        return self._attachment(*divmod(number, _ATTACHMENTS))

    def container(self, gid: str) -> str | None:
        """The gid of the task that a subtask, story or attachment belongs to."""
        kind, number = kind_of(gid), number_of(gid) - _FIRST
        if kind == "task":
            ordinal, place = divmod(number, _PLACES)
            return gid_of("task", _FIRST + self._parent(ordinal, place)) if place else None
        size = _STORIES if kind == "story" else _ATTACHMENTS
        return gid_of("task", _FIRST + number // size)

    def children(self, child: str, parent: str) -> Sequence[str] | None:
        """The gids below a bulk project or task; None for others."""
        if parent in self._block_of:
            return self._project_tasks(self._block_of[parent]) if child == "task" else None
        if kind_of(parent) != "task" or not self.holds(parent):
            return None
        number = number_of(parent) - _FIRST
        if child == "subtask":
            return self._subtasks(number)
        if child == "story":
            first = _FIRST + number * _STORIES
            return Gids("story", range(first, first + self._story_count(number)))
        if child != "attachment":
            return None
        first = _FIRST + number * _ATTACHMENTS
        return Gids("attachment", range(first, first + self._attachment_count(number)))

    def assigned_to(self, user: str) -> Gids:
        """The top-level tasks whose assignee is this user."""
        people = self._around.people
        if user not in people:
            return Gids("task")
        return Gids("task", _tasks(_every(len(people) + 1, people.index(user), 0, self._count)))

    def tagged(self, tag: str) -> Gids:
        """The tasks that bear this tag."""
        tags = self._around.tags
        if tag not in tags:
            return Gids("task")
        return Gids("task", _tasks(_every(11 * len(tags), 11 * tags.index(tag), 0, self._count)))

    def modified_at(self, gid: str) -> str:
        """A task's `modified_at`, without making the task."""
        return stamp_of(self._modified(number_of(gid) - _FIRST))

    def sections_of(self, gid: str) -> dict[str, str]:
        """A task's section in each of its projects, without making the task."""
        return self._sections(number_of(gid) - _FIRST)

    def _holds_task(self, number: int) -> bool:
        ordinal, place = divmod(number, _PLACES)
        return ordinal < self._count and place <= self._places(ordinal)

    # -- the regularities -------------------------------------------------------------------------

    @staticmethod
    def _places(ordinal: int) -> int:
        """How many subtasks there are below a top-level task, on all levels."""
        if ordinal % 20 == 7:
            return 2
        return _CHAIN if ordinal % 200 == 3 else 0

    @staticmethod
    def _is_chain(ordinal: int) -> bool:
        return ordinal % 200 == 3

    def _parent(self, ordinal: int, place: int) -> int:
        return ordinal * _PLACES + (place - 1 if self._is_chain(ordinal) else 0)

    def _subtasks(self, number: int) -> Gids:
        ordinal, place = divmod(number, _PLACES)
        places = self._places(ordinal)
        if self._is_chain(ordinal):
            below = range(number + 1, min(number + 2, ordinal * _PLACES + places + 1))
        else:
            below = range(number + 1, number + 1 + places) if place == 0 else range(0)
        return Gids("task", range(_FIRST + below.start, _FIRST + below.stop))

    def _story_count(self, number: int) -> int:
        return 1 + _mixed(self._seed, number, 1) % (5 if number % _PLACES == 0 else 2)

    @staticmethod
    def _attachment_count(number: int) -> int:
        ordinal, place = divmod(number, _PLACES)
        if place:
            return int(place == 1 and ordinal % 40 == 7)
        return 3 if ordinal % 60 == 1 else int(ordinal % 6 == 1)

    def _created(self, number: int) -> int:
        ordinal, place = divmod(number, _PLACES)
        return _START + ordinal * self._step + place * 61_007 + number % 997

    def _modified(self, number: int) -> int:
        return self._created(number) + 3_600_000 + _mixed(self._seed, number, 2) % (50 * _DAY)

    def _project_tasks(self, index: int) -> Gids:
        block = self._blocks[index]
        own = range(block.first, block.first + block.count)
        ranges = [_tasks(own)]
        if not block.plain:
            ranges.append(_tasks(_every(400, 7, own.start, own.stop), place=1))
            before = self._blocks[index - 1]
            if index and not before.plain:
                shared = _every(37, 5, before.first, before.first + before.count)
                ranges.append(_tasks(shared))
        return Gids("task", *ranges)

    def _block_index(self, ordinal: int) -> int:
        low, high = 0, len(self._starts)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._starts[middle] <= ordinal else (low, middle)
        return low

    def _sections(self, number: int) -> dict[str, str]:
        ordinal, place = divmod(number, _PLACES)
        index = self._block_index(ordinal)
        block = self._blocks[index]
        if place and (block.plain or place != 1 or ordinal % 400 != 7):
            return {}
        sections = {block.project: block.sections[ordinal % len(block.sections)]}
        following = self._blocks[index + 1] if index + 1 < len(self._blocks) else None
        if not place and ordinal % 37 == 5 and following and not (block.plain or following.plain):
            sections[following.project] = following.sections[0]
        return sections

    # -- the objects ------------------------------------------------------------------------------

    def _person(self, *numbers: int) -> str:
        people = self._around.people
        return people[_mixed(self._seed, *numbers) % len(people)]

    def _assignee(self, ordinal: int, place: int) -> str | None:
        people = self._around.people
        turn = ordinal % (len(people) + 1)
        return people[turn] if place == 0 and turn < len(people) else None

    def _task(self, number: int) -> Task:
        ordinal, place = divmod(number, _PLACES)
        dice = _mixed(self._seed, number)
        sections = self._sections(number)
        modified = self._modified(number)
        completed = dice % 3 == 0
        due = _START + ordinal * self._step + (dice >> 8) % (90 * _DAY)
        creator = self._person(number, 3)
        assignee = self._assignee(ordinal, place)
        tags = self._around.tags
        name = f"{_VERBS[(dice >> 16) % len(_VERBS)]} {_NOUNS[(dice >> 20) % len(_NOUNS)]}"
        return Task(
            gid=gid_of("task", _FIRST + number),
            workspace=self._around.workspace,
            name=f"{name}, no. {ordinal + 1}" + (f" ({place})" if place else ""),
            created_at=stamp_of(self._created(number)),
            modified_at=stamp_of(modified),
            created_by=creator,
            notes=_LONG_NOTE if ordinal % 500 == 11 else "" if dice % 4 else "As agreed <soon>.",
            resource_subtype="milestone" if ordinal % 50 == 49 and not place else "default_task",
            assignee=assignee,
            assigned_by=creator if assignee else None,
            completed_at=stamp_of(modified) if completed else None,
            completed_by=(assignee or creator) if completed else None,
            due_on=stamp_of(due)[:10] if dice % 5 else None,
            parent=gid_of("task", _FIRST + self._parent(ordinal, place)) if place else None,
            sections=sections,
            tags=[tags[ordinal // 11 % len(tags)]]
            if tags and ordinal % 11 == 0 and not place
            else [],
            followers=list({creator: 0, assignee or creator: 0}),
            likes=[self._person(number, 4)] if dice % 7 == 0 else [],
            values=self._values(number, sections),
        )

    def _values(self, number: int, sections: dict[str, str]) -> dict[str, object]:
        """Half of the fields of the task's first project have a value."""
        if not sections:
            return {}
        block = self._blocks[self._block_of[next(iter(sections))]]
        dice = _mixed(self._seed, number, 5)
        values: dict[str, object] = {}
        for position, field in enumerate(block.fields):
            if dice >> position & 1:
                if field.options:
                    values[field.gid] = field.options[(dice >> 8) % len(field.options)].gid
                elif field.subtype == "number":
                    values[field.gid] = (dice >> 16) % 10_000 / 100
                elif field.subtype == "text":
                    values[field.gid] = f"Crate {dice % 900}"
        return values

    def _story(self, task_number: int, index: int) -> Story:
        created, modified = self._created(task_number), self._modified(task_number)
        count = self._story_count(task_number)
        dice = _mixed(self._seed, task_number, index, 6)
        task = self.task(task_number)
        subtype, text, details = self._happening(task, index, dice)
        return Story(
            gid=gid_of("story", _FIRST + task_number * _STORIES + index),
            task=task.gid,
            resource_subtype=subtype,
            text=text,
            created_at=stamp_of(created + (modified - created) * (index + 1) // count),
            created_by=self._person(task_number, index, 7),
            source=("web", "mobile", "api")[dice % 3],
            details=details,
            likes=[task.created_by] if subtype == "comment_added" and dice % 4 == 0 else [],
        )

    def _happening(self, task: Task, index: int, dice: int) -> tuple[str, str, Record]:
        """The content of a story of this task: its subtype, text, and old and new values."""
        names = self._around.names
        if index == 0 and task.sections:
            project = names[next(iter(task.sections))]
            return "added_to_project", f"added to {project['name']}", {"project": project}
        turn = dice % 6
        if turn == 0 and task.assignee:
            who = names[task.assignee]
            return "assigned", f"assigned to {who['name']}", {"assignee": who}
        if turn == 1 and task.due_on:
            days = {
                "old_dates": {"start_on": None, "due_at": None, "due_on": task.created_at[:10]},
                "new_dates": {"start_on": None, "due_at": None, "due_on": task.due_on},
            }
            return "due_date_changed", f"changed the due date to {task.due_on}", days
        if turn == 2:
            renamed = {"old_name": task.name.split(",")[0], "new_name": task.name}
            return "name_changed", f'changed the name to "{task.name}"', renamed
        if turn == 3 and task.completed_at:
            return "marked_complete", "marked this task complete", {}
        return "comment_added", "Done before the fog came in. Tack så mycket! 🎉", {}

    def _attachment(self, task_number: int, index: int) -> Attachment:
        created = self._created(task_number)
        return Attachment(
            gid=gid_of("attachment", _FIRST + task_number * _ATTACHMENTS + index),
            parent=gid_of("task", _FIRST + task_number),
            name=f"Logbook page {index + 1}.png",
            created_at=stamp_of(created + 60_000 * (index + 1)),
            size=10_000 + _mixed(self._seed, task_number, index) % 2_000_000,
        )
