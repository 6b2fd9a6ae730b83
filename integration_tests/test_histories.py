"""Whatever happens to an account, and whenever it is synced, the destination matches it.

    python -m integration_tests.test_histories --histories 2000 --seed 7

runs that many random histories and reports them.
"""

import argparse
import gc
import sys
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from integration_tests.asana_emulator.account import Account
from integration_tests.oracle import BELOW, Change, Denied, History, OracleError

pytestmark = pytest.mark.once

HISTORIES_IN_CI = 12
STEPS = 25
DEEPEST = 4
INCREMENTAL = (
    "projects",
    "sections",
    "tasks",
    "subtasks",
    "stories",
    "stories_compact",
    "attachments",
    "attachments_compact",
    "events",
    "status_updates",
    "time_tracking_entries",
)
OTHERS = ("portfolio_items", "sections_compact", "goals")
MINUTES = (1, 4, 30, 300, 25 * 60)
STORIES = "/tasks/{task_gid}/stories"
REQUESTS = (
    "/projects",
    "/events",
    "/tasks",
    "/tasks/{task_gid}",
    "/tasks/{task_gid}/subtasks",
    STORIES,
    "/attachments",
    "/projects/{project_gid}/sections",
    "/status_updates",
)
HANDLED = (
    "projects",
    "sections",
    "tasks",
    "subtasks",
    "stories",
    "attachments",
    "portfolios",
    "goals",
)


class Deed(NamedTuple):
    """A change that a user makes to an account, and its description."""

    told: str
    change: Change


class People:
    """The changes that people can make to an account, each with some objects picked by number.

    Recently used objects come first, so that small numbers change the same few objects again and
    again. A change that is impossible at the moment is None.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self.account = history.account
        self._reader = self.account.people["service"]
        self._found: dict[str, None] = {}
        self._trash: dict[str, None] = {}
        self._stories_asked_before = 0
        for stream in HANDLED:
            for record in history.asana.expected(stream, "service"):
                self._found[record["gid"]] = None

    def handled(self, gid: Any) -> Any:
        """Move an object to the front of the others of its kind."""
        if isinstance(gid, str):
            self._found.pop(gid, None)
            self._found = {gid: None} | self._found
        return gid

    def all_of(self, kind: str) -> list[str]:
        """The existing objects of a kind."""
        return [gid for gid in self._found if self.account.kind(gid) == kind]

    def one_of(self, kind: str, pick: int) -> str | None:
        return _picked(self.all_of(kind), pick)

    def record(self, gid: str) -> dict[str, Any]:
        return self.account.record(self._reader, gid)

    def name(self, gid: str) -> str:
        return self.history.name(gid)

    # -- tasks ------------------------------------------------------------------------------------

    def create_task(self, pick: int, _: int) -> Deed | None:
        project = self.one_of("project", pick)
        return (
            None
            if project is None
            else self._deed(
                f"create a task in {self.name(project)}",
                lambda account: account.create_task(project, f"New {len(self._found)}"),
            )
        )

    def create_subtask(self, pick: int, _: int) -> Deed | None:
        parent = _picked([t for t in self.all_of("task") if self._depth(t) < DEEPEST], pick)
        return (
            None
            if parent is None
            else self._deed(
                f"create a subtask of {self.name(parent)}",
                lambda account: account.add_subtask(parent, f"New {len(self._found)}"),
            )
        )

    def modify_task(self, pick: int, other: int) -> Deed | None:
        task = self.one_of("task", pick)
        if task is None:
            return None
        fields: dict[str, Any] = (
            {"name": f"Renamed {len(self.history.story)}"},
            {"notes": f"Noted {len(self.history.story)}"},
            {"due_on": "2026-12-24"},
            {"completed": not self.record(task)["completed"]},
        )[other % 4]
        return self._deed(
            f"set {fields} of {self.name(task)}",
            lambda account: account.modify_task(task, **fields),
            task,
        )

    def add_to_project(self, pick: int, other: int) -> Deed | None:
        task = self.one_of("task", pick)
        if task is None:
            return None
        record = self.record(task)
        inside = {project["gid"] for project in record["projects"]}
        project = _picked(
            [
                gid
                for gid in self.all_of("project")
                if gid not in inside
                and self.record(gid)["workspace"]["gid"] == record["workspace"]["gid"]
            ],
            other,
        )
        return (
            None
            if project is None
            else self._deed(
                f"add {self.name(task)} to {self.name(project)}",
                lambda account: account.add_to_project(task, project),
                task,
            )
        )

    def remove_from_project(self, pick: int, other: int) -> Deed | None:
        task = _picked([t for t in self.all_of("task") if self.record(t)["projects"]], pick)
        if task is None:
            return None
        project = _picked([p["gid"] for p in self.record(task)["projects"]], other)
        return (
            None
            if project is None
            else self._deed(
                f"take {self.name(task)} out of {self.name(project)}",
                lambda account: account.remove_from_project(task, project),
                task,
            )
        )

    def move_to_section(self, pick: int, other: int) -> Deed | None:
        task = self.one_of("task", pick)
        if task is None:
            return None
        now_in = {each["section"]["gid"] for each in self.record(task)["memberships"]}
        sections = [
            gid
            for project in self.record(task)["projects"]
            for gid in self.account.listing(self._reader, "sections", project["gid"])
            if gid not in now_in
        ]
        section = _picked(sections, other)
        return (
            None
            if section is None
            else self._deed(
                f"move {self.name(task)} to {self.name(section)}",
                lambda account: account.move_to_section(task, section),
                task,
            )
        )

    def nest(self, pick: int, other: int) -> Deed | None:
        task = self.one_of("task", pick)
        if task is None:
            return None
        below = self._below(task)
        height = max(self._depth(each) for each in below) - self._depth(task)
        workspace = self.record(task)["workspace"]["gid"]
        parent = _picked(
            [
                gid
                for gid in self.all_of("task")
                if gid not in below
                and gid != (self.record(task)["parent"] or {}).get("gid")
                and self.record(gid)["workspace"]["gid"] == workspace
                and self._depth(gid) + height < DEEPEST
            ],
            other,
        )
        return (
            None
            if parent is None
            else self._deed(
                f"make {self.name(task)} a subtask of {self.name(parent)}",
                lambda account: account.set_parent(task, parent),
                task,
            )
        )

    def unnest(self, pick: int, _: int) -> Deed | None:
        task = _picked([t for t in self.all_of("task") if self.record(t)["parent"]], pick)
        return (
            None
            if task is None
            else self._deed(
                f"make {self.name(task)} a subtask of none",
                lambda account: account.set_parent(task, None),
                task,
            )
        )

    # -- below tasks and projects -----------------------------------------------------------------

    def comment(self, pick: int, _: int) -> Deed | None:
        task = self.one_of("task", pick)
        return (
            None
            if task is None
            else self._deed(
                f"comment on {self.name(task)}",
                lambda account: account.comment(task, f"Said {len(self._found)}"),
            )
        )

    def comment_behind_and_ahead(self, account: Account) -> None:
        """Comment on a task after a sync has read its stories, then on one that it will read."""
        asked = [r for r in self.history.asana.ledger.requests if r.template == STORIES]
        read = [request.path.split("/")[2] for request in asked[self._stories_asked_before :]]
        if not read or self.account.kind(read[-1]) is None:
            return
        projects = [project["gid"] for project in self.record(read[-1])["projects"]]
        beside = [t for p in projects for t in account.listing(self._reader, "tasks", p)]
        ahead = [task for task in beside if task not in read]
        for task in [read[-1], *ahead[:1]]:
            account.comment(task, f"Said {len(self._found)}")
            account.clock.advance(1)

    def a_sync_begins(self) -> None:
        asked = self.history.asana.ledger.requests
        self._stories_asked_before = sum(request.template == STORIES for request in asked)

    def edit_comment(self, pick: int, _: int) -> Deed | None:
        comments = [s for s in self.all_of("story") if self.record(s)["type"] == "comment"]
        story = _picked(comments, pick)
        return (
            None
            if story is None
            else self._deed(
                f"edit {self.name(story)}",
                lambda account: account.edit_comment(story, f"Put right {len(self.history.story)}"),
                story,
            )
        )

    def attach(self, pick: int, other: int) -> Deed | None:
        parent = self.one_of("project" if other % 4 == 0 else "task", pick)
        return (
            None
            if parent is None
            else self._deed(
                f"attach a file to {self.name(parent)}",
                lambda account: account.attach(parent, f"{len(self._found)}.png"),
            )
        )

    def log_time(self, pick: int, other: int) -> Deed | None:
        task = self.one_of("task", pick)
        if task is None:
            return None
        day = self.account.clock.now().subtract(days=other % 10).to_date_string()
        return self._deed(
            f"enter {1 + pick} minutes of {day} on {self.name(task)}",
            lambda account: account.log_time(task, 1 + pick, day),
            task,
        )

    # -- projects, and status updates --------------------------------------------------------------

    def post_status(self, pick: int, other: int) -> Deed | None:
        kind = ("project", "portfolio", "goal")[other % 3]
        parent = self.one_of(kind, pick)
        return (
            None
            if parent is None
            else self._deed(
                f"report on {self.name(parent)}",
                lambda account: account.post_status(parent, f"Report {len(self.history.story)}"),
                parent,
            )
        )

    def describe_goal(self, pick: int, _: int) -> Deed | None:
        goal = self.one_of("goal", pick)
        return (
            None
            if goal is None
            else self._deed(
                f"describe {self.name(goal)}",
                lambda account: account.set_goal(goal, notes=f"Noted {len(self.history.story)}"),
                goal,
            )
        )

    def create_project(self, pick: int, _: int) -> Deed | None:
        workspace = self.record(self.all_of("project")[0])["workspace"]["gid"]
        privacy = ("private", "public_to_workspace")[pick % 2]
        return self._deed(
            f"create a project ({privacy})",
            lambda account: account.create_project(
                workspace, f"New {len(self._found)}", privacy_setting=privacy
            ),
        )

    def modify_project(self, pick: int, _: int) -> Deed | None:
        project = self.one_of("project", pick)
        return (
            None
            if project is None
            else self._deed(
                f"rename {self.name(project)}",
                lambda account: account.modify_project(
                    project, name=f"Renamed {len(self.history.story)}"
                ),
                project,
            )
        )

    def archive(self, pick: int, _: int) -> Deed | None:
        project = self.one_of("project", pick)
        if project is None:
            return None
        archived = not self.record(project)["archived"]
        return self._deed(
            f"set archived={archived} of {self.name(project)}",
            lambda account: account.archive(project, archived),
            project,
        )

    def share(self, pick: int, _: int) -> Deed | None:
        member = self.account.people["member"].user
        project = _picked(
            [
                gid
                for gid in self.all_of("project")
                if member not in {user["gid"] for user in self.record(gid)["members"]}
            ],
            pick,
        )
        return (
            None
            if project is None
            else self._deed(
                f"share {self.name(project)} with the member",
                lambda account: account.share(project, member),
                project,
            )
        )

    def unshare(self, pick: int, _: int) -> Deed | None:
        member = self.account.people["member"].user
        project = _picked(
            [
                gid
                for gid in self.all_of("project")
                if member in {user["gid"] for user in self.record(gid)["members"]}
                and self.record(gid)["privacy_setting"] != "public_to_workspace"
            ],
            pick,
        )
        return (
            None
            if project is None
            else self._deed(
                f"unshare {self.name(project)} with the member",
                lambda account: account.unshare(project, member),
                project,
            )
        )

    def create_section(self, pick: int, _: int) -> Deed | None:
        project = self.one_of("project", pick)
        return (
            None
            if project is None
            else self._deed(
                f"create a section in {self.name(project)}",
                lambda account: account.create_section(project, f"New {len(self._found)}"),
            )
        )

    def rename_section(self, pick: int, _: int) -> Deed | None:
        section = self.one_of("section", pick)
        return (
            None
            if section is None
            else self._deed(
                f"rename {self.name(section)}",
                lambda account: account.rename_section(
                    section, f"Renamed {len(self.history.story)}"
                ),
                section,
            )
        )

    # -- the trash --------------------------------------------------------------------------------

    def delete_task(self, pick: int, _: int) -> Deed | None:
        return self._deleted(self.one_of("task", pick))

    def delete_story(self, pick: int, _: int) -> Deed | None:
        return self._deleted(self.one_of("story", pick))

    def delete_attachment(self, pick: int, _: int) -> Deed | None:
        return self._deleted(self.one_of("attachment", pick))

    def delete_section(self, pick: int, _: int) -> Deed | None:
        listing = self.account.listing
        empty = [
            gid
            for gid in self.all_of("section")
            if not listing(self._reader, "tasks", gid)
            and len(listing(self._reader, "sections", self.record(gid)["project"]["gid"])) > 1
        ]
        return self._deleted(_picked(empty, pick))

    def delete_project(self, pick: int, _: int) -> Deed | None:
        projects = [gid for gid in self.all_of("project") if gid not in self.history.refused]
        return self._deleted(_picked(projects, pick) if len(projects) > 2 else None)

    def restore(self, pick: int, _: int) -> Deed | None:
        gid = _picked([gid for gid in self._trash if self._has_its_place(gid)], pick)
        if gid is None:
            return None

        def restored(account: Account) -> str:
            del self._trash[gid]
            account.restore(gid)
            return gid

        return self._deed(f"restore {self.name(gid)}", restored, gid)

    def _deleted(self, gid: str | None) -> Deed | None:
        if gid is None:
            return None
        self.history.remember(gid)

        def deleted(account: Account) -> None:
            self._trash[gid] = None
            account.delete(gid)

        return self._deed(f"delete {self.name(gid)}", deleted)

    def _has_its_place(self, gid: str) -> bool:
        above = self.history.parent_of.get(gid)
        return above is None or self.account.kind(above) is not None

    # -- how changes are made --------------------------------------------------------------------

    def _deed(self, told: str, change: Change, handled: str | None = None) -> Deed:
        def done(account: Account) -> None:
            self.handled(change(account) or handled)

        return Deed(told, done)

    def _depth(self, task: str) -> int:
        parent = self.record(task)["parent"]
        return 1 + self._depth(parent["gid"]) if parent else 0

    def _below(self, task: str) -> list[str]:
        subtasks = self.account.listing(self._reader, "subtasks", task)
        return [task, *(gid for subtask in subtasks for gid in self._below(subtask))]


def _picked(candidates: Sequence[str], pick: int) -> str | None:
    return candidates[pick % len(candidates)] if candidates else None


ABOUT_TASKS = (
    People.create_task,
    People.create_subtask,
    People.modify_task,
    People.add_to_project,
    People.remove_from_project,
    People.move_to_section,
    People.nest,
    People.unnest,
    People.delete_task,
    People.restore,
)
BELOW_TASKS = (
    People.comment,
    People.edit_comment,
    People.delete_story,
    People.attach,
    People.delete_attachment,
    People.log_time,
    People.restore,
)
ABOUT_PROJECTS = (
    People.create_project,
    People.modify_project,
    People.archive,
    People.share,
    People.unshare,
    People.create_section,
    People.rename_section,
    People.delete_section,
    People.delete_project,
    People.post_status,
    People.describe_goal,
    People.restore,
)
NUMBERS = st.integers(0, 5) | st.integers(0, 99)
SELECTIONS = st.none() | st.sets(st.sampled_from([*INCREMENTAL, *OTHERS]), min_size=1)


def deeds(*choices: Callable[[People, int, int], Deed | None]) -> Any:
    return st.tuples(st.sampled_from(choices), NUMBERS, NUMBERS)


class Histories(RuleBasedStateMachine):
    """Changes, syncs and trouble in any order, and a last quiet sync that must make up for it."""

    played = 0
    workers = 1

    @initialize(
        person=st.sampled_from(["service", "member"]),
        delay=st.sampled_from([0, 180]),
        workspace_events=st.booleans(),
        shuffles_events=st.booleans(),
        old_sync_tokens=st.sampled_from([None, 412, 400]),
        comments_amid_first_sync=st.none() | st.integers(1, 20),
        skips_requests=st.booleans(),
        recheck_minutes=st.sampled_from([None, None, 45, 24 * 60]),
        exports=st.booleans(),
    )
    def begin(  # noqa: PLR0913 - whatever can differ between two histories
        self,
        person: str,
        delay: int,
        *,
        workspace_events: bool,
        shuffles_events: bool,
        old_sync_tokens: Literal[400, 412] | None,
        comments_amid_first_sync: int | None,
        skips_requests: bool,
        recheck_minutes: int | None,
        exports: bool,
    ) -> None:
        self.history = History(
            person,
            event_delay=delay,
            workers=self.workers,
            shuffles_events=shuffles_events,
            old_sync_tokens=old_sync_tokens,
            workspace_events=workspace_events and person == "service",
            skips_requests=skips_requests,
            recheck_minutes=recheck_minutes,
            exports=exports and person == "service",
        )
        self.people = People(self.history)
        if comments_amid_first_sync is not None:
            self.sync_while_people_comment_behind_and_ahead(comments_amid_first_sync, hours=25)

    @rule(deed=deeds(*ABOUT_TASKS))
    def change_a_task(self, deed: Any) -> None:
        self._do(deed)

    @rule(deed=deeds(*BELOW_TASKS))
    def change_something_below_a_task(self, deed: Any) -> None:
        self._do(deed)

    @rule(deed=deeds(*ABOUT_PROJECTS))
    def change_a_project(self, deed: Any) -> None:
        self._do(deed)

    @rule(minutes=st.sampled_from(MINUTES))
    def wait(self, minutes: int) -> None:
        self.history.wait(minutes)

    @precondition(lambda self: not self.history.refused)
    @rule(number=NUMBERS)
    def refuse(self, number: int) -> None:
        projects = sorted(self.history.now().projects)
        if len(projects) > 1:
            self.history.refuse(projects[number % len(projects)])

    @precondition(lambda self: self.history.refused)
    @rule()
    def relent(self) -> None:
        self.history.relent()

    @rule(streams=SELECTIONS)
    def sync(self, streams: set[str] | None) -> None:
        self.history.sync(streams)

    @rule(streams=SELECTIONS, messages=st.integers(1, 40) | st.integers(1, 300))
    def sync_and_be_killed(self, streams: set[str] | None, messages: int) -> None:
        self.history.sync(streams, killed_after=messages)

    @rule(streams=SELECTIONS, tombstone=st.integers(1, 3))
    def sync_and_be_killed_before_a_tombstone(
        self, streams: set[str] | None, tombstone: int
    ) -> None:
        self.history.sync(streams, killed_at_tombstone=tombstone)

    @precondition(lambda self: not self.history.away)
    @rule(number=NUMBERS)
    def leave_a_workspace(self, number: int) -> None:
        """Only where some project stays readable: to see nothing at all is an error."""
        account, viewer = self.history.account, self.history.viewer
        workspaces = account.listing(viewer, "workspaces", "")
        left = workspaces[number % len(workspaces)]
        staying = [
            p for w in workspaces if w != left for p in account.listing(viewer, "projects", w)
        ]
        if set(staying) - self.history.refused:
            self.history.leave_workspace(left)

    @precondition(lambda self: self.history.away)
    @rule()
    def join_a_workspace(self) -> None:
        self.history.join_workspace(*self.history.away)

    @rule(
        streams=SELECTIONS,
        endpoint=st.sampled_from(sorted(BELOW)),
        status=st.sampled_from([402, 403, 404]),
        picks=st.sets(NUMBERS, min_size=1, max_size=3),
    )
    def sync_while_some_tasks_are_refused(
        self, streams: set[str] | None, endpoint: str, status: int, picks: set[int]
    ) -> None:
        tasks = {self.people.one_of("task", pick) for pick in picks} - {None}
        refused = [Denied(endpoint, status, str(task)) for task in sorted(map(str, tasks))]
        self.history.sync(streams, refused=refused)

    @precondition(lambda self: not self.history.has_lost_events)
    @rule(share=st.sampled_from([0.1, 0.5, 1.0]))
    def lose_events(self, share: float) -> None:
        self.history.lose_events(share)

    @precondition(lambda self: self.history.has_lost_events)
    @rule()
    def clear(self) -> None:
        self.history.clear()

    @rule(
        streams=SELECTIONS,
        deed=deeds(*ABOUT_TASKS, *BELOW_TASKS),
        request=st.sampled_from(REQUESTS),
        after=st.integers(0, 8),
    )
    def sync_while_people_work(
        self, streams: set[str] | None, deed: Any, request: str, after: int
    ) -> None:
        do, pick, other = deed
        done = do(self.people, pick, other)
        self.history.sync(streams, amid=[(request, after, done.told, done.change)] if done else [])

    @rule(after=st.integers(1, 20), hours=st.sampled_from([0, 25]))
    def sync_while_people_comment_behind_and_ahead(self, after: int, hours: int) -> None:
        self.people.a_sync_begins()
        told = "comment on a task that was just read and on one that will be"
        self.history.sync(amid=[(STORIES, after, told, self.people.comment_behind_and_ahead)])
        self.history.wait(60 * hours)

    def _do(self, deed: Any) -> None:
        do, pick, other = deed
        done = do(self.people, pick, other)
        if done:
            self.history.change(done.told, done.change)

    def teardown(self) -> None:
        if not hasattr(self, "history"):
            return
        try:
            if not self.history.failed:
                self.history.settle()
        finally:
            self.history.__exit__()
            gc.collect()
            Histories.played += 1


PROFILE = settings(
    max_examples=HISTORIES_IN_CI,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def test_after_any_history_the_destination_matches_the_account() -> None:
    run_state_machine_as_test(Histories, settings=PROFILE)
    assert Histories.played >= HISTORIES_IN_CI


def main() -> None:
    """Play any number of histories."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--histories", type=int, default=HISTORIES_IN_CI)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--workers", type=int, default=1, help="how many the connector has")
    asked = parser.parse_args()
    Histories.workers = asked.workers
    profile = settings(
        PROFILE,
        max_examples=asked.histories,
        stateful_step_count=asked.steps,
        derandomize=False,
    )
    gc.freeze()
    gc.disable()  # `teardown` collects
    try:
        run_state_machine_as_test(seed(asked.seed)(Histories), settings=profile)
    except OracleError as wrong:
        sys.exit(str(wrong))
    finally:
        print(f"{Histories.played} histories were played, seed {asked.seed}")  # noqa: T201 - a program's answer


if __name__ == "__main__":
    main()
