"""The limits of Asana's API, each with the rows that the destination has instead."""

from collections.abc import Iterator
from typing import Any

import pytest

from integration_tests.oracle import History
from integration_tests.reading import Record

pytestmark = pytest.mark.once

A_DAY_AND_AN_HOUR = 25 * 60


@pytest.fixture
def history() -> Iterator[History]:
    with History() as begun:
        yield begun


@pytest.fixture
def members_history() -> Iterator[History]:
    """Read with the token of a user who does not see everything."""
    with History("member") as begun:
        yield begun


def new_project(history: History, name: str = "Harbour") -> str:
    workspace = history.account.listing(history.viewer, "workspaces", "")[0]
    return made(
        history.change(
            f"create project {name}",
            lambda account: account.create_project(workspace, name, privacy_setting="private"),
        )
    )


def new_task(history: History, project: str, name: str = "Dredge") -> str:
    return made(
        history.change(f"create task {name}", lambda account: account.create_task(project, name))
    )


def new_subtask(history: History, parent: str) -> str:
    return made(
        history.change("create a subtask", lambda account: account.add_subtask(parent, "Dig"))
    )


def new_comment(history: History, task: str) -> str:
    return made(history.change("comment", lambda account: account.comment(task, "Ahoy")))


def new_attachment(history: History, parent: str) -> str:
    return made(history.change("attach", lambda account: account.attach(parent, "Map.png")))


def made(gid: Any) -> str:
    assert isinstance(gid, str)
    return gid


def delete(history: History, gid: str) -> None:
    history.remember(gid)
    history.change(f"delete {history.name(gid)}", lambda account: account.delete(gid))


def row(history: History, stream: str, gid: str) -> Record | None:
    found = history.destination.tables[stream].get((gid,))
    return found.record if found else None


def held(history: History, stream: str, gid: str) -> Record:
    found = row(history, stream, gid)
    assert found is not None
    return found


def test_a_task_that_left_all_projects_keeps_its_last_row(history: History) -> None:
    project = new_project(history)
    task = new_task(history, project)
    history.sync()
    history.change("take it out", lambda account: account.remove_from_project(task, project))
    history.settle()
    assert (task,) not in history.truth("tasks")
    assert held(history, "tasks", task)["projects"] == []


def test_a_subtask_that_becomes_a_task_keeps_its_last_row(history: History) -> None:
    subtask = new_subtask(history, new_task(history, new_project(history)))
    history.sync()
    history.change("take it out", lambda account: account.set_parent(subtask, None))
    history.settle()
    assert (subtask,) not in history.truth("subtasks")
    assert held(history, "subtasks", subtask)


def test_records_below_a_deleted_task_keep_their_last_row(history: History) -> None:
    task = new_task(history, new_project(history))
    story, attachment = new_comment(history, task), new_attachment(history, task)
    subtask = new_subtask(history, task)
    history.sync()
    delete(history, task)
    history.settle()
    assert row(history, "tasks", task) is None
    assert row(history, "subtasks", subtask) is None  # Asana reports subtasks
    assert held(history, "stories", story)
    assert held(history, "attachments", attachment)


def test_records_in_a_deleted_project_keep_their_last_row(history: History) -> None:
    project = new_project(history)
    task = new_task(history, project)
    section = history.account.listing(history.viewer, "sections", project)[0]
    history.sync()
    delete(history, project)
    history.settle()
    assert row(history, "projects", project) is None
    assert held(history, "tasks", task)
    assert held(history, "sections", section)


def test_a_task_in_two_projects_still_names_the_deleted_one(history: History) -> None:
    kept, deleted = new_project(history), new_project(history, "Pier")
    task = new_task(history, kept)
    history.change("add it", lambda account: account.add_to_project(task, deleted))
    history.wait(30)
    history.sync()
    delete(history, deleted)
    history.settle()
    projects = [project["gid"] for project in held(history, "tasks", task)["projects"]]
    assert projects == [kept, deleted]


def test_an_unshared_project_keeps_all_of_its_rows(members_history: History) -> None:
    history = members_history
    member, project = history.viewer.user, new_project(history)
    task = new_task(history, project)
    history.sync()
    history.change("unshare", lambda account: account.unshare(project, member))
    history.settle()
    assert (project,) not in history.truth("projects")
    assert held(history, "projects", project)
    assert held(history, "tasks", task)


def test_records_deleted_while_no_token_was_valid_keep_their_last_row(history: History) -> None:
    project = new_project(history)
    task, deleted = new_task(history, project), new_task(history, project, "Fill up")
    story, attachment = new_comment(history, task), new_attachment(history, task)
    subtask = new_subtask(history, task)
    section = made(
        history.change("create", lambda account: account.create_section(project, "Empty"))
    )
    history.sync()
    for gid in (deleted, story, attachment, subtask, section):
        delete(history, gid)
    history.wait(A_DAY_AND_AN_HOUR)
    history.settle()
    assert held(history, "tasks", deleted)
    assert held(history, "subtasks", subtask)
    assert held(history, "stories", story)
    assert held(history, "attachments", attachment)
    assert held(history, "sections", section)


def test_a_project_deleted_while_no_token_was_valid_gets_its_tombstone(
    history: History,
) -> None:
    project = new_project(history)
    history.sync()
    delete(history, project)
    history.wait(A_DAY_AND_AN_HOUR)
    history.settle()
    assert row(history, "projects", project) is None


def test_a_comment_edited_while_no_token_was_valid_keeps_its_old_text(
    history: History,
) -> None:
    story = new_comment(history, new_task(history, new_project(history)))
    history.wait(30)
    history.sync()
    history.change("edit it", lambda account: account.edit_comment(story, "Land ho"))
    history.wait(A_DAY_AND_AN_HOUR)
    history.settle()
    assert held(history, "stories", story)["text"] == "Ahoy"


def test_records_below_a_task_that_joined_while_no_token_was_valid_do_not_come(
    history: History,
) -> None:
    project, elsewhere = new_project(history), new_project(history, "Elsewhere")
    task = new_task(history, elsewhere)
    story = new_comment(history, task)
    history.change("take it out", lambda account: account.remove_from_project(task, elsewhere))
    history.wait(30)
    history.sync()
    history.change("add it", lambda account: account.add_to_project(task, project))
    history.wait(A_DAY_AND_AN_HOUR)
    history.settle()
    assert held(history, "tasks", task)
    assert row(history, "stories", story) is None
    new_comment(history, task)
    history.settle()
    assert held(history, "stories", story)


def test_names_inside_a_record_are_as_old_as_the_record(history: History) -> None:
    project = new_project(history)
    task = new_task(history, project)
    history.wait(30)
    history.sync()
    history.change("rename", lambda account: account.modify_project(project, name="Haven"))
    history.settle()
    assert held(history, "projects", project)["name"] == "Haven"
    (inside,) = held(history, "tasks", task)["projects"]
    assert inside["name"] == "Harbour"


def test_a_parent_counts_a_deleted_subtask_until_it_is_read_again(history: History) -> None:
    task = new_task(history, new_project(history))
    subtask = new_subtask(history, task)
    history.wait(30)
    history.sync()
    delete(history, subtask)
    history.settle()
    assert held(history, "tasks", task)["num_subtasks"] == 1
    new_comment(history, task)
    history.settle()
    assert held(history, "tasks", task)["num_subtasks"] == 0


def test_deleting_an_attachment_leaves_the_modified_at_of_a_subtask(history: History) -> None:
    subtask = new_subtask(history, new_task(history, new_project(history)))
    attachment = new_attachment(history, subtask)
    history.wait(30)
    history.sync()
    before = held(history, "subtasks", subtask)["modified_at"]
    delete(history, attachment)
    history.settle()
    assert row(history, "attachments", attachment) is None
    assert held(history, "subtasks", subtask)["modified_at"] == before
    assert history.truth("subtasks")[(subtask,)]["modified_at"] > before


def test_a_task_depends_on_a_deleted_one_until_it_is_read_again(history: History) -> None:
    project = new_project(history)
    task, other = new_task(history, project), new_task(history, project, "Survey")
    history.change("depend", lambda account: account.depend(task, other))
    history.wait(30)
    history.sync()
    delete(history, other)
    history.settle()
    assert [on["gid"] for on in held(history, "tasks", task)["dependencies"]] == [other]
    assert history.truth("tasks")[(task,)]["dependencies"] == []


def test_the_oracle_reports_a_missing_row(history: History) -> None:
    task = new_task(history, new_project(history))
    history.sync()
    del history.destination.tables["tasks"][(task,)]
    history.destination.tables["projects"].clear()
    (missing,) = [line for line in history.differences() if line.startswith("tasks")]
    assert missing == f"tasks: task {task} 'Dredge' is missing"
