"""The fields of an answer."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration_tests.asana_emulator import AsanaEmulator, make_account
from integration_tests.asana_emulator.documented import Tree, field_tree, opt_in
from integration_tests.asana_emulator.opt_fields import compact, cut, full, paths, selection
from integration_tests.emulator_tests.asking import Json, ask, gids, told

pytestmark = pytest.mark.once


def test_a_list_gives_compact_records(asana: AsanaEmulator, project: str) -> None:
    task = told(asana, "/tasks", project=project)["data"][0]
    assert set(task) == {"gid", "resource_type", "name", "resource_subtype"}


def test_a_single_object_is_full_but_for_opt_in_fields(
    asana: AsanaEmulator, tasks: list[str]
) -> None:
    task = told(asana, f"/tasks/{tasks[0]}")["data"]
    whole = asana.account.record(asana.account.people["service"], tasks[0])
    assert set(task) == set(whole) - opt_in("TaskResponse")
    assert {"notes", "memberships", "assignee"} <= set(task)
    assert not {"html_notes", "num_subtasks", "dependencies"} & set(task)


def test_opt_fields_returns_the_requested_fields_and_gids(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    fields = "name,memberships.section.name,followers.name,workspace"
    body = told(asana, "/tasks", project=project, opt_fields=fields)
    assert gids(body) == tasks
    for task in body["data"]:
        assert set(task) == {"gid", "name", "memberships", "followers", "workspace"}
        assert set(task["workspace"]) == {"gid", "resource_type", "name"}
        for membership in task["memberships"]:
            assert set(membership) == {"section"}
            assert set(membership["section"]) == {"gid", "name"}
        for follower in task["followers"]:
            assert set(follower) == {"gid", "name"}


def test_unknown_fields_are_ignored_and_counted(asana: AsanaEmulator, project: str) -> None:
    task = told(asana, "/tasks", project=project, opt_fields="name,is_template,tags.colour,offset")
    assert set(task["data"][0]) == {"gid", "name"}
    assert asana.ledger.unknown_fields == {
        "/tasks is_template": 1,
        "/tasks tags.colour": 1,
        "/tasks offset": 1,
    }


@pytest.mark.parametrize("fields", ["a.(b", "a.)", "(|)", "a..b", "a.", "a|b)"])
def test_malformed_opt_fields_are_refused(asana: AsanaEmulator, fields: str) -> None:
    assert ask(asana, "/users/me", opt_fields=fields).status_code == 400


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("name", ["name"]),
        ("name, notes,", ["name", "notes"]),
        ("assignee.name", ["assignee.name"]),
        ("this.followers.email", ["followers.email"]),
        ("this", []),
        ("", []),
        ("memberships.(project|section).gid", [
            "memberships.project.gid", "memberships.section.gid"
        ]),
        ("this.(followers|assignee).name", ["followers.name", "assignee.name"]),
        ("(a|b.(c|d)).e", ["a.e", "b.c.e", "b.d.e"]),
        ("custom_fields.(gid|enum_value.(gid|name))", [
            "custom_fields.gid", "custom_fields.enum_value.gid", "custom_fields.enum_value.name"
        ]),
    ],
)  # fmt: skip
def test_opt_fields_are_read_as_asana_writes_them(written: str, meant: list[str]) -> None:
    assert [".".join(path) for path in paths(written)] == meant


def test_a_field_named_alone_is_compact_and_paths_below_it_add_to_that() -> None:
    user = {"gid": "1", "resource_type": "user", "name": "Ada", "email": "ada@example.com"}
    record = {"gid": "2", "assignee": user, "likes": [{"gid": "3", "user": user}]}
    known: Tree = {"assignee": {"email": {}}, "likes": {"user": {"email": {}}}}

    def cut_to(opt_fields: str) -> Json:
        return cut(record, selection(opt_fields, known)[0])

    compact_user = {"gid": "1", "resource_type": "user", "name": "Ada"}
    assert cut_to("assignee") == {"gid": "2", "assignee": compact_user}
    assert cut_to("assignee.email")["assignee"] == {"gid": "1", "email": "ada@example.com"}
    assert cut_to("assignee,assignee.email")["assignee"] == user
    assert cut_to("likes")["likes"] == [{"gid": "3", "user": compact_user}]
    assert cut_to("likes.user.email")["likes"][0]["user"] == {
        "gid": "1",
        "email": "ada@example.com",
    }
    assert compact(user) == compact_user
    assert full(record, frozenset({"likes"})) == {"gid": "2", "assignee": compact_user}


def leaves(tree: Tree, prefix: str = "") -> Iterator[str]:
    for name, below in tree.items():
        if below:
            yield from leaves(below, f"{prefix}{name}.")
        else:
            yield prefix + name


def leaves_of(value: object, prefix: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from leaves_of(below, f"{prefix}{name}.")
    elif isinstance(value, list):
        for element in value:
            yield from leaves_of(element, prefix)
    else:
        yield prefix.removesuffix(".")


@given(asked=st.sets(st.sampled_from(sorted(leaves(field_tree("TaskResponse"))))))
def test_a_cut_record_has_the_requested_leaves_of_the_record_and_gids(asked: set[str]) -> None:
    record = TASK
    chosen, unknown = selection(",".join(sorted(asked)), field_tree("TaskResponse"))
    assert unknown == ()
    kept = set(leaves_of(cut(record, chosen)))
    begun = {leaf[:end] for leaf in asked for end, mark in enumerate(leaf + ".") if mark == "."}
    assert {leaf for leaf in kept if leaf.split(".")[-1] != "gid"} <= begun
    assert asked & set(leaves_of(record)) <= kept


def _fullest_task() -> Json:
    account = make_account("sample")
    viewer = account.people["service"]
    every = [
        account.record(viewer, task)
        for workspace in account.listing(viewer, "workspaces", "")
        for project in account.listing(viewer, "projects", workspace)
        for task in account.listing(viewer, "tasks", project)
    ]
    return max(every, key=lambda record: len(set(leaves_of(record))))


TASK = _fullest_task()
