"""What the events of a project tell: what was touched, and what was deleted. Pure.

https://developers.asana.com/reference/events
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from source_asana.streams.values import Record, gid_of, is_time

DELETED = ("deleted", "removed")
BELOW_TASKS = ("story", "attachment")
DATED = (*DELETED, "undeleted")
"""The actions of which the latest counts."""


@dataclass
class Changes:
    """The gids that the events of one project name, by what has to be done about them.

    `touched` tasks have to be looked at again, `arrived` ones with everything below them, which may
    be new. `left` names the tasks that a project (or a parent task) has lost, by the
    kind of it. `stories` and `attachments` have to be read one by one; `restored` are those that
    came back. `deleted` has, for each kind of object, when it was deleted. `unplaced` are the times
    of events about something below a task that do not say which task. `kinds`: the `resource_type`
    of everything that an event is about; empty if there was no event.
    """

    touched: set[str] = field(default_factory=set)
    arrived: set[str] = field(default_factory=set)
    left: dict[str, set[str]] = field(default_factory=lambda: {"project": set(), "task": set()})
    stories: set[str] = field(default_factory=set)
    attachments: set[str] = field(default_factory=set)
    restored: set[str] = field(default_factory=set)
    deleted: dict[str, dict[str, str]] = field(default_factory=dict)
    unplaced: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)

    def named(self) -> set[str]:
        """The gids of everything that has to be read."""
        return self.touched | self.arrived | self.stories | self.attachments

    def is_deleted(self, kind: str | None, gid: str) -> bool:
        """Whether an object was deleted, and had not come back by the last of these events."""
        return gid in self.deleted.get(str(kind), ())

    def explains(self, start: str, end: str) -> bool:
        """Whether something happened in that time to a task that the event does not name."""
        return any(start <= when <= end for when in self.unplaced)

    @property
    def tasks(self) -> set[str]:
        """The tasks to be read."""
        return self.touched | self.arrived

    def to_look_up(self) -> dict[str, set[str]]:
        """The gids to be read one by one, by `resource_type`."""
        return {"story": self.stories, "attachment": self.attachments, "task": self.tasks}


@dataclass
class WorkspaceEvents:
    """The events of all objects of a workspace since its sync tokens, read once for all projects.

    `token` is the one to go on from; `events` came since each of the former ones, of which Asana
    does not know the `lost` ones any more.
    """

    workspace: str
    token: str
    changes: Changes
    events: Mapping[str, list[Record]] = field(default_factory=dict)
    lost: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.for_projects = replace(self.changes, deleted={})
        """The same for each project: what was deleted is told once, for the workspace."""


def is_readable(event: Any) -> bool:
    """Whether an event says what happened, to what, and of deletions when.

    After one that does not, what has happened to the tasks of a project is not known.
    """
    if not isinstance(event, Mapping) or not isinstance(event.get("action"), str):
        return False
    parent = event.get("parent")
    named = [event.get("resource"), *([] if parent is None else [parent])]
    are_known = all(gid_of(each) and isinstance(each.get("resource_type"), str) for each in named)
    return are_known and (event["action"] not in DATED or is_time(event.get("created_at")))


def changes_of(events: Iterable[Any]) -> Changes:
    """Reduce events, in whatever order they come, to what they ask for; skip unreadable ones."""
    changes = Changes()
    came_back: dict[str, str] = {}
    for event in filter(is_readable, events):
        resource, parent = event["resource"], event.get("parent") or {}
        gid = str(gid_of(resource))
        changes.kinds.add(resource["resource_type"])
        _note_place(changes, event, resource, parent)
        if event["action"] == "undeleted":
            came_back[gid] = max(came_back.get(gid, ""), event["created_at"])
        match resource["resource_type"]:
            case "task":
                _note_task(changes, event, gid, parent)
            case "story":
                _note_story(changes, event, gid, parent)
            case "attachment":
                _note_attachment(changes, event, gid)
            case "section" if event["action"] == "deleted":
                _note_deleted(changes, "section", gid, event)
    for when in changes.deleted.values():
        for gid in when.keys() & came_back.keys():
            if when[gid] < came_back[gid]:
                del when[gid]
    return changes


def event_id(event: Mapping[str, Any]) -> str:
    """A key for an event, since Asana gives it none: the same in each sync and container."""
    change = event["change"] if isinstance(event.get("change"), Mapping) else {}
    parts = [
        event.get("created_at"),
        event.get("action"),
        *(_gid(event.get(name)) for name in ("user", "resource", "parent")),
        change.get("field"),
        change.get("action"),
        *(_gid(change.get(name)) for name in ("new_value", "added_value", "removed_value")),
    ]
    return hashlib.sha256("\0".join(str(part or "") for part in parts).encode()).hexdigest()[:32]


def _note_place(changes: Changes, event: Record, resource: Record, parent: Record) -> None:
    """A task that gets or loses something below it has changed: `num_subtasks`, `modified_at`."""
    kind = resource.get("resource_type")
    if parent.get("resource_type") == "task":
        changes.touched.add(str(gid_of(parent)))
    elif kind in BELOW_TASKS or (kind == "task" and event["action"] == "deleted"):
        changes.unplaced |= {event["created_at"]} if is_time(event.get("created_at")) else set()


def _note_task(changes: Changes, event: Record, gid: str, parent: Record) -> None:
    match event["action"]:
        case "deleted":
            _note_deleted(changes, "task", gid, event)
        case "added":
            changes.arrived.add(gid)
        case "undeleted":
            changes.arrived.add(gid)
            changes.restored.add(gid)
        case "removed":
            changes.touched.add(gid)
            if parent.get("resource_type") in changes.left:
                changes.left[parent["resource_type"]].add(gid)
        case _:
            changes.touched.add(gid)


def _note_story(changes: Changes, event: Record, gid: str, parent: Record) -> None:
    if event["action"] in DELETED:
        _note_deleted(changes, "story", gid, event)
    elif not parent:  # its task is named on the story only
        changes.stories.add(gid)
        if event["action"] == "undeleted":
            changes.restored.add(gid)


def _note_attachment(changes: Changes, event: Record, gid: str) -> None:
    if event["action"] in DELETED:
        _note_deleted(changes, "attachment", gid, event)
    else:
        changes.attachments.add(gid)
        changes.restored.add(gid)


def _note_deleted(changes: Changes, kind: str, gid: str, event: Record) -> None:
    when = changes.deleted.setdefault(kind, {})
    when[gid] = max(when.get(gid, ""), event["created_at"])


def _gid(value: Any) -> Any:
    return value.get("gid") if isinstance(value, Mapping) else value
