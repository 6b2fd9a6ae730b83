"""Changes to an account: each one updates `modified_at` and creates events, as Asana does.

https://developers.asana.com/reference/gettask says what moves `modified_at`,
https://developers.asana.com/docs/webhooks-guide which events there are.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .clock import Clock, stamp
from .gids import PAIRS, kind_of, pair_gid, paired
from .holdings import Holdings
from .objects import (
    Attachment,
    AuditEvent,
    CustomField,
    Goal,
    Portfolio,
    Project,
    Record,
    Section,
    StatusUpdate,
    Story,
    Tag,
    Task,
    TimeEntry,
    User,
    Workspace,
)
from .shapes import Shapes

ASANA = ""  # as `by`: Asana itself or a rule did it, no user
_COLORS = {"on_track": "green", "at_risk": "yellow", "off_track": "red", "on_hold": "blue"}
_AUDIT_CATEGORIES = {"deleted": "deletion", "exported": "organization_export"}


@dataclass(frozen=True)
class Event:
    """One event and the gids of all resources whose streams carry it."""

    watched: frozenset[str]
    created_at: str
    record: Record


@dataclass
class EventLog:
    """All events since the account began, oldest first."""

    entries: list[Event] = field(default_factory=list)


class Changes:
    """The ways to change an account. `by` is the gid of the acting user."""

    def __init__(self, holdings: Holdings, shapes: Shapes, clock: Clock) -> None:
        self.clock = clock
        self.version = 0
        self.events = EventLog()
        self.actor = ASANA
        self._holdings = holdings
        self.shapes = shapes
        self._deleted_with: dict[str, list[str]] = {}
        self._joined: dict[tuple[str, str], str] = {}

    # -- tasks ------------------------------------------------------------------------------------

    def create_task(
        self,
        project: str,
        name: str,
        *,
        section: str | None = None,
        by: str | None = None,
        **fields: Any,
    ) -> str:
        """A new task at the end of a project."""
        workspace = self._holdings.get(Project, project).workspace
        gid = self._new_task(workspace, name, by, fields)
        self._place(gid, project, section)
        self._happened(gid, "added", by, parent=project)
        return gid

    def create_private_task(
        self, workspace: str, name: str, *, by: str | None = None, **fields: Any
    ) -> str:
        """A new task in no project."""
        gid = self._new_task(workspace, name, by, fields)
        self._happened(gid, "added", by, parent=workspace)
        return gid

    def add_subtask(self, parent: str, name: str, *, by: str | None = None, **fields: Any) -> str:
        """A new subtask; its parent's `modified_at` stays."""
        workspace = self._holdings.get(Task, parent).workspace
        gid = self._new_task(workspace, name, by, fields | {"parent": parent})
        self._holdings.list_of("subtask", parent).append(gid)
        self._happened(gid, "added", by, parent=parent)
        return gid

    def modify_task(self, gid: str, *, by: str | None = None, **fields: Any) -> None:
        """Sets properties of a task; `completed` is a bool, `custom_fields` maps gids to values."""
        for name, value in fields.items():
            if name == "completed":
                self._set_completed(gid, completed=value, by=by)
            elif name == "custom_fields":
                for custom_field, content in value.items():
                    self._set_custom_field(gid, custom_field, content, by)
            else:
                self._set(gid, name, value, by)

    def complete(self, task: str, *, by: str | None = None) -> None:
        """Marks a task complete."""
        self._set_completed(task, completed=True, by=by)

    def add_to_project(
        self, task: str, project: str, *, section: str | None = None, by: str | None = None
    ) -> None:
        """Adds a task to a project; its `modified_at` stays, but `modified_since` finds it.

        https://developers.asana.com/reference/gettasks
        """
        self._place(task, project, section)
        self._happened(task, "added", by, parent=project)

    def remove_from_project(self, task: str, project: str, *, by: str | None = None) -> None:
        """Removes a task from a project without deleting it; its `modified_at` stays."""
        watched = self._watchers(task)
        del self._holdings.own(Task, task).sections[project]
        self._holdings.list_of("task", project).remove(task)
        self._happened(task, "removed", by, parent=project, watched=watched)

    def move_to_section(self, task: str, section: str, *, by: str | None = None) -> None:
        """Moves a task within one of its projects."""
        project = self._holdings.get(Section, section).project
        changed = self._holdings.own(Task, task)
        before = changed.sections[project]
        changed.sections[project] = section
        self._happened(task, "removed", by, parent=before)
        self._happened(task, "added", by, parent=section)
        old, new = self.shapes.ref(before), self.shapes.ref(section)
        text = f"moved this task from {old['name']} to {new['name']}"
        self.tell(task, "section_changed", text, by=by, old_section=old, new_section=new)

    def set_parent(self, task: str, parent: str | None, *, by: str | None = None) -> None:
        """Makes a task a subtask of another one, or of none."""
        changed = self._holdings.own(Task, task)
        before, watched = changed.parent, self._watchers(task)
        if before == parent:
            return
        changed.parent = parent
        changed.modified_at = self._now()
        if before:
            self._holdings.list_of("subtask", before).remove(task)
            self._happened(task, "removed", by, parent=before, watched=watched)
        if parent:
            self._holdings.list_of("subtask", parent).append(task)
            self._happened(task, "added", by, parent=parent)

    def depend(self, task: str, on: str, *, by: str | None = None) -> None:
        """Makes a task depend on another one."""
        self._holdings.own(Task, task).dependencies.append(on)
        self._holdings.own(Task, on).dependents.append(task)
        other, this = self.shapes.task_ref(on), self.shapes.task_ref(task)
        waits = f"marked this task dependent on {other['name']}"
        self.tell(task, "dependency_added", waits, by=by, dependency=other)
        self.tell(
            on, "dependent_added", f"{this['name']} now waits for this", by=by, dependency=this
        )

    # -- what is below a task or project ----------------------------------------------------------

    def tell(
        self, task: str, subtype: str, text: str, /, *, by: str | None = None, **details: Any
    ) -> str:
        """A new story of any subtype; `details` are its further fields."""
        return self._new_story(task, subtype, text, by, {"details": details})

    def comment(self, task: str, text: str, *, by: str | None = None, **properties: Any) -> str:
        """A new comment."""
        return self._new_story(task, "comment_added", text, by, properties)

    def edit_comment(self, story: str, text: str, *, by: str | None = None) -> None:
        """Rewrites a comment; the task's `modified_at` stays."""
        changed = self._holdings.own(Story, story)
        changed.text = text
        changed.is_edited = True
        self._happened(story, "changed", by, change=_changed("text"))

    def delete_story(self, story: str, *, by: str | None = None) -> None:
        """Deletes a story: to the event stream it was `removed` from its task."""
        task = self._holdings.get(Story, story).task
        record = self.shapes.event_ref(story)
        self._holdings.delete(story, ("story", task))
        self._touch(task)
        self._happened(
            story, "removed", by, parent=task, watched=self._watchers(task), record=record
        )

    def attach(
        self,
        parent: str,
        name: str,
        *,
        by: str | None = None,
        host: str = "asana",
        size: int = 48_211,
    ) -> str:
        """A new attachment. It has no event, but a task gets a story."""
        attachment = Attachment(
            gid=self._holdings.new_gid("attachment"),
            parent=parent,
            name=name,
            created_at=self._now(),
            host=host,
            size=size if host == "asana" else None,
            connected_to_app=host == "gdrive",
        )
        self._holdings.add(attachment, ("attachment", parent))
        if kind_of(parent) == "task":
            self.tell(parent, "attachment_added", f"attached {name}", by=by)
        else:
            self.version += 1
        return attachment.gid

    # -- portfolios -------------------------------------------------------------------------------

    def put_into_portfolio(self, portfolio: str, *items: str) -> None:
        """Projects or portfolios come into a portfolio. It has no event."""
        self._holdings.list_of("item", portfolio).extend(items)
        self.version += 1

    def take_out_of_portfolio(self, portfolio: str, *items: str) -> None:
        for item in items:
            self._holdings.list_of("item", portfolio).remove(item)
        self.version += 1

    # -- projects and sections --------------------------------------------------------------------

    def create_project(
        self,
        workspace: str,
        name: str,
        *,
        sections: Iterable[str] = ("Untitled section",),
        by: str | None = None,
        **fields: Any,
    ) -> str:
        """A new project, owned by its creator."""
        maker = self._by(by)
        now = self._now()
        properties = {"owner": maker, "members": {maker: "admin"}, "followers": [maker]} | fields
        project = Project(
            gid=self._holdings.new_gid("project"),
            name=name,
            workspace=workspace,
            created_at=now,
            modified_at=now,
            **properties,
        )
        self._holdings.add(project, ("project", workspace))
        for section in sections:
            self.create_section(project.gid, section, by=by)
        self._happened(project.gid, "added", by, parent=workspace)
        return project.gid

    def modify_project(self, project: str, *, by: str | None = None, **fields: Any) -> None:
        """Sets properties of a project."""
        for name, value in fields.items():
            changed = self._holdings.own(Project, project)
            setattr(changed, name, value)
            changed.modified_at = self._now()
            self._happened(project, "changed", by, change=_changed(name))

    def archive(self, project: str, archived: bool = True, *, by: str | None = None) -> None:  # noqa: FBT001, FBT002  # as Asana's own property
        """Archives a project or takes it back."""
        self.modify_project(project, archived=archived, by=by)

    def share(
        self, project: str, user: str, *, access_level: str = "editor", by: str | None = None
    ) -> None:
        """Makes a user a member of a project."""
        changed = self._holdings.own(Project, project)
        changed.members[user] = access_level
        changed.modified_at = self._now()
        membership = pair_gid("project_membership", project, user)
        self._happened(membership, "added", by, parent=project, watched={project})

    def unshare(self, project: str, user: str, *, by: str | None = None) -> None:
        """Ends a user's membership of a project."""
        changed = self._holdings.own(Project, project)
        del changed.members[user]
        changed.modified_at = self._now()
        membership = pair_gid("project_membership", project, user)
        self._happened(membership, "removed", by, parent=project, watched={project})

    def join_workspace(
        self, workspace: str, user: str, *, as_guest: bool = False, by: str | None = None
    ) -> None:
        """Adds a user to a workspace; what was shared with them before is visible again."""
        joined = self._holdings.own(Workspace, workspace)
        joined.members.append(user)
        if as_guest:
            joined.guests.add(user)
        membership = pair_gid("workspace_membership", workspace, user)
        self._happened(membership, "added", by, parent=workspace, watched={workspace})

    def leave_workspace(self, workspace: str, user: str, *, by: str | None = None) -> None:
        """Removes a user from a workspace, so that they see nothing in it."""
        left = self._holdings.own(Workspace, workspace)
        left.members.remove(user)
        left.guests.discard(user)
        membership = pair_gid("workspace_membership", workspace, user)
        self._happened(membership, "removed", by, parent=workspace, watched={workspace})

    def create_section(self, project: str, name: str, *, by: str | None = None) -> str:
        """A new section at the end of a project."""
        gid = self._holdings.new_gid("section")
        section = Section(gid=gid, project=project, name=name, created_at=self._now())
        self._holdings.add(section, ("section", project))
        self._happened(gid, "added", by, parent=project)
        return gid

    def rename_section(self, section: str, name: str, *, by: str | None = None) -> None:
        """Renames a section."""
        self._holdings.own(Section, section).name = name
        self._happened(section, "changed", by, change=_changed("name"))

    # -- reports, time, goals ---------------------------------------------------------------------

    def post_status(
        self,
        parent: str,
        title: str,
        *,
        text: str = "",
        status_type: str = "on_track",
        by: str | None = None,
        **properties: Any,
    ) -> str:
        """A new status update of a project, portfolio or goal, which becomes its current one.

        The project's `modified_at` stays.
        """
        now = self._now()
        status = StatusUpdate(
            gid=self._holdings.new_gid("status_update"),
            parent=parent,
            title=title,
            text=text,
            color=_COLORS.get(status_type, "complete"),
            status_type=status_type,
            author=self._by(by) or self.actor,
            created_at=now,
            modified_at=now,
            **properties,
        )
        self._holdings.add(status, ("status_update", parent))
        match self._holdings.find(parent):
            case Project():
                self._holdings.own(Project, parent).status = status
                self._happened(parent, "changed", by, change=_changed("current_status_update"))
            case Portfolio():
                self._holdings.own(Portfolio, parent).status = status
            case Goal():
                state = _COLORS.get(status_type, status_type)
                self.set_goal(parent, status_update=status, status=state)
        self.version += 1
        return status.gid

    def log_time(
        self,
        task: str,
        minutes: int,
        entered_on: str,
        *,
        by: str | None = None,
        **properties: Any,
    ) -> str:
        """Time spent on a task adds to its `actual_time_minutes`; its `modified_at` stays."""
        worked = self._holdings.own(Task, task)
        entry = TimeEntry(
            gid=self._holdings.new_gid("time_tracking_entry"),
            task=task,
            workspace=worked.workspace,
            minutes=minutes,
            entered_on=entered_on,
            created_by=self._by(by) or self.actor,
            created_at=self._now(),
            **properties,
        )
        self._holdings.add(
            entry,
            ("time_tracking_entry", task),
            ("time_tracking_entry", worked.workspace),
        )
        worked.actual_time_minutes = (worked.actual_time_minutes or 0) + minutes
        self.version += 1
        return entry.gid

    def set_goal(self, goal: str, **fields: Any) -> None:
        """Sets properties of a goal."""
        changed = self._holdings.own(Goal, goal)
        for name, value in fields.items():
            if not hasattr(changed, name):
                raise AttributeError(name)
            setattr(changed, name, value)
        self.version += 1

    def audit(
        self,
        workspace: str,
        event_type: str,
        *,
        category: str | None = None,
        resource: Record | None = None,
        by: str | None = None,
        **properties: Any,
    ) -> str:
        """One more event in the audit log, at its end; the actor is a user or Asana itself."""
        event = AuditEvent(
            gid=self._holdings.new_gid("audit_log_event"),
            workspace=workspace,
            created_at=self._now(),
            event_type=event_type,
            event_category=category
            or _AUDIT_CATEGORIES.get(event_type.rpartition("_")[2], "admin_settings"),
            resource=self.shapes.ref(workspace) if resource is None else resource,
            **(
                {"actor": self._actor(by), "details": {}, "context": {"context_type": "web"}}
                | properties
            ),
        )
        self._holdings.add(event, ("audit_log_event", workspace))
        self.version += 1
        return event.gid

    def _actor(self, by: str | None) -> Record:
        gid = self._by(by)
        if gid is None:
            return {"actor_type": "asana"}
        user = self._holdings.get(User, gid)
        return {"actor_type": "user", "gid": gid, "name": user.name, "email": user.email}

    # -- the trash --------------------------------------------------------------------------------

    def delete(self, gid: str, *, by: str | None = None) -> None:
        """Deletes a task with its subtasks, or an attachment, a section, a project, a story.

        The audit log records it, except for stories.
        """
        match kind_of(gid):
            case "story":
                self.delete_story(gid, by=by)
                return
            case "task":
                self._delete_subtasks(gid, by)
        watched, record = self._watchers(gid), self.shapes.event_ref(gid)
        self._touch(gid)
        self._holdings.delete(gid, *self._places(gid))
        self._happened(gid, "deleted", by, watched=watched, record=record)
        workspace = self._workspace_of(gid)
        if workspace:
            self.audit(workspace, f"{kind_of(gid)}_deleted", resource=record, by=by)

    def delete_untold(self, gid: str) -> None:
        """Deletes a tag, a status update or a time entry, without an event in a project."""
        match self._holdings.find(gid):
            case Tag() as tag:
                places = [("tag", tag.workspace)]
                for task in self._holdings.kept(Task):
                    task.tags = [own for own in task.tags if own != gid]
            case StatusUpdate() as status:
                places = [("status_update", status.parent)]
            case TimeEntry() as entry:
                worked = self._holdings.own(Task, entry.task)
                worked.actual_time_minutes = (worked.actual_time_minutes or 0) - entry.minutes
                kind = "time_tracking_entry"
                places = [(kind, entry.task), (kind, worked.workspace)]
            case _:
                message = f"cannot delete a {kind_of(gid)} without an event"
                raise ValueError(message)
        self._holdings.delete(gid, *places)
        self.version += 1

    def restore(self, gid: str, *, by: str | None = None) -> None:
        """Takes something out of the trash, a task together with the subtasks deleted with it."""
        self._holdings.restore(gid)
        self._touch(gid)
        self._happened(gid, "undeleted", by)
        for subtask in self._deleted_with.pop(gid, ()):
            self.restore(subtask, by=by)

    def _delete_subtasks(self, task: str, by: str | None) -> None:
        subtasks = list(self._holdings.children("subtask", task))
        self._deleted_with[task] = subtasks[::-1]
        for subtask in subtasks:
            self.delete(subtask, by=by)

    def _places(self, gid: str) -> list[tuple[str, str]]:
        match self._holdings.find(gid):
            case Task() as task:
                below = [("subtask", task.parent)] if task.parent else []
                return below + [("task", project) for project in task.sections]
            case Attachment() as attachment:
                return [("attachment", attachment.parent)]
            case Project() as project:
                return [("project", project.workspace)]
            case Section() as section:
                if self._tasks_in(section):
                    message = "Asana deletes empty sections only"
                    raise ValueError(message)
                return [("section", section.project)]
        message = f"cannot delete a {kind_of(gid)}"
        raise ValueError(message)

    def _tasks_in(self, section: Section) -> list[str]:
        tasks = self._holdings.children("task", section.project)
        return [gid for gid in tasks if self._section(gid, section.project) == section.gid]

    def _section(self, task: str, project: str) -> str:
        bulk = self._holdings.bulk
        if bulk is None or self._holdings.is_kept(task):
            return self._holdings.get(Task, task).sections[project]
        return bulk.sections_of(task)[project]

    # -- how a change is written down -------------------------------------------------------------

    def _now(self) -> str:
        return stamp(self.clock.now())

    def _by(self, by: str | None) -> str | None:
        return (self.actor if by is None else by) or None

    def _new_task(self, workspace: str, name: str, by: str | None, fields: Record) -> str:
        maker = self._by(by)
        now = self._now()
        properties: Record = {"followers": [maker] if maker else []} | fields
        task = Task(
            gid=self._holdings.new_gid("task"),
            workspace=workspace,
            name=name,
            created_at=now,
            modified_at=now,
            created_by=maker or self.actor,
            **properties,
        )
        if task.assignee and not task.assigned_by:
            task.assigned_by = maker
        self._holdings.add(task)
        return task.gid

    def _new_story(
        self, task: str, subtype: str, text: str, by: str | None, properties: Record
    ) -> str:
        story = Story(
            gid=self._holdings.new_gid("story"),
            task=task,
            resource_subtype=subtype,
            text=text,
            created_at=self._now(),
            created_by=self._by(by),
            **properties,
        )
        self._holdings.add(story, ("story", task))
        self._touch(task)
        self._happened(story.gid, "added", by, parent=task)
        return story.gid

    def _place(self, task: str, project: str, section: str | None) -> None:
        first = self._holdings.children("section", project)[0]
        self._holdings.own(Task, task).sections[project] = section or first
        self._joined[task, project] = self._now()
        self._holdings.list_of("task", project).append(task)

    def _set(self, gid: str, name: str, value: Any, by: str | None) -> None:
        task = self._holdings.own(Task, gid)
        before = getattr(task, name)
        if before == value:
            return
        setattr(task, name, value)
        task.modified_at = self._now()
        if name == "assignee":
            task.assigned_by = self._by(by) if value else None
        for change in self._differences(name, before, value):
            self._happened(gid, "changed", by, change=change)
        story = _STORIES.get(name)
        if story:
            subtype, text, details = story(self.shapes, before, value)
            self.tell(gid, subtype, text, by=by, **details)

    def _differences(self, name: str, before: Any, value: Any) -> list[Record]:
        """The value of a property in an event, which has only resources."""
        if isinstance(value, list):
            return [
                {"field": name, "action": action, f"{action}_value": self.shapes.ref(gid)}
                for action, some, others in (("added", value, before), ("removed", before, value))
                for gid in some
                if gid not in others
            ]
        is_resource = isinstance(value, str) and kind_of(value) is not None
        return [_changed(name) | ({"new_value": self.shapes.ref(value)} if is_resource else {})]

    def _set_completed(self, gid: str, *, completed: bool, by: str | None) -> None:
        task = self._holdings.own(Task, gid)
        task.completed_at = self._now() if completed else None
        task.completed_by = self._by(by) if completed else None
        task.modified_at = self._now()
        self._happened(gid, "changed", by, change=_changed("completed"))
        subtype = "marked_complete" if completed else "marked_incomplete"
        self.tell(gid, subtype, subtype.replace("_", " this task "), by=by)

    def _set_custom_field(self, gid: str, custom_field: str, value: Any, by: str | None) -> None:
        task = self._holdings.own(Task, gid)
        before = task.values.get(custom_field)
        task.values[custom_field] = value
        task.modified_at = self._now()
        self._happened(gid, "changed", by, change=_changed("custom_fields"))
        defined = self._holdings.get(CustomField, custom_field)
        details = {
            "custom_field": self.shapes.field_with_value(custom_field, value),
            **_told_value(self.shapes, defined, "old", before),
            **_told_value(self.shapes, defined, "new", value),
        }
        subtype = f"{defined.subtype}_custom_field_changed"
        self.tell(gid, subtype, f"changed {defined.name}", by=by, **details)

    def _touch(self, gid: str) -> None:
        """Updates the `modified_at` of a task, or of the task that an object belongs to."""
        match self._holdings.find(gid):
            case Task():
                self._holdings.own(Task, gid).modified_at = self._now()
            case Story(task=task) | Attachment(parent=task) if kind_of(task) == "task":
                self._holdings.own(Task, task).modified_at = self._now()

    def _watchers(self, gid: str) -> frozenset[str]:
        """The resources whose event streams get an event of this object: it bubbles up."""
        match self._holdings.find(gid):
            case Task() as task:
                above = self._watchers(task.parent) if task.parent else frozenset()
                return above | {gid} | set(task.sections)
            case Story(task=parent) | Attachment(parent=parent) | Section(project=parent):
                return self._watchers(parent) | {gid}
        return frozenset({gid})

    def _workspace_of(self, gid: str) -> str | None:
        """The workspace whose event stream gets the events of this object."""
        match self._holdings.find(gid):
            case (Task() | Project()) as held:
                return held.workspace
            case Story(task=parent) | Attachment(parent=parent) | Section(project=parent):
                return self._workspace_of(parent)
        return self._workspace_of(paired(gid)[0]) if kind_of(gid) in PAIRS else None

    def _happened(
        self,
        gid: str,
        action: str,
        by: str | None,
        *,
        parent: str | None = None,
        change: Record | None = None,
        watched: Iterable[str] | None = None,
        record: Record | None = None,
    ) -> None:
        self.version += 1
        user = self._by(by)
        reached = frozenset(self._watchers(gid) if watched is None else watched)
        above = {each for each in (parent, self._workspace_of(gid)) if each}
        self.events.entries.append(
            Event(
                watched=reached | above,
                created_at=self._now(),
                record={
                    "user": self.shapes.ref(user) if user else None,
                    "resource": record or self.shapes.event_ref(gid),
                    "type": kind_of(gid),
                    "action": action,
                    "parent": self.shapes.event_ref(parent) if parent else None,
                    "created_at": self._now(),
                }
                | ({"change": change} if change else {}),
            )
        )


def _changed(name: str) -> Record:
    return {"field": name, "action": "changed"}


def _renamed(_: Shapes, old: str, new: str) -> tuple[str, str, Record]:
    return "name_changed", f'changed the name to "{new}"', {"old_name": old, "new_name": new}


def _described(_: Shapes, __: str, ___: str) -> tuple[str, str, Record]:
    return "notes_changed", "changed the description", {}


def _assigned(shapes: Shapes, old: str | None, new: str | None) -> tuple[str, str, Record]:
    who = shapes.ref(new or old or "")
    if new is None:
        return "unassigned", f"unassigned from {who['name']}", {"assignee": who}
    return "assigned", f"assigned to {who['name']}", {"assignee": who}


def _rescheduled(_: Shapes, old: str | None, new: str | None) -> tuple[str, str, Record]:
    dates = {"old_dates": _dates(old), "new_dates": _dates(new)}
    return "due_date_changed", f"changed the due date to {new}", dates


def _retyped(_: Shapes, old: str, new: str) -> tuple[str, str, Record]:
    types = {"old_resource_subtype": old, "new_resource_subtype": new}
    return "resource_subtype_changed", f"converted this task to a {new}", types


def _decided(_: Shapes, old: str | None, new: str) -> tuple[str, str, Record]:
    statuses = {"old_approval_status": old, "new_approval_status": new}
    return "approval_status_changed", new.replace("_", " "), statuses


def _dates(on: str | None, at: str | None = None) -> Record:
    return {"start_on": None, "due_at": at, "due_on": on}


_STORIES: dict[str, Callable[[Shapes, Any, Any], tuple[str, str, Record]]] = {
    "name": _renamed,
    "notes": _described,
    "assignee": _assigned,
    "due_on": _rescheduled,
    "resource_subtype": _retyped,
    "approval_status": _decided,
}


def _told_value(shapes: Shapes, defined: CustomField, age: str, value: Any) -> Record:
    """The old or new value of a custom field in a story; empty if there is none."""
    if value is None or defined.subtype == "reference":
        return {}
    match defined.subtype:
        case "enum":
            return {f"{age}_enum_value": shapes.option(defined, value)}
        case "multi_enum":
            options = [shapes.option(defined, one) for one in value]
            return {f"{age}_multi_enum_values": options}
        case "people":
            return {f"{age}_people_value": shapes.refs(value)}
        case "date":
            return {f"{age}_date_value": _dates(value["date"], value["date_time"])}
    return {f"{age}_{defined.subtype}_value": value}
