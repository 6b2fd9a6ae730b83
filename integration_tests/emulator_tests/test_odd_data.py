"""Answers that deviate from Asana's reference where a test asks for it."""

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.asana_emulator.oddities import ABSENT, repeated, with_entries, with_value
from integration_tests.emulator_tests.asking import ask, told


def test_odd_entries_come_after_the_first_one(asana: AsanaEmulator) -> None:
    whole = told(asana, "/workspaces")["data"]
    asana.controls.alter("/workspaces", with_entries(None, {"name": "Odd"}))
    first, *others = whole
    assert told(asana, "/workspaces")["data"] == [first, None, {"name": "Odd"}, *others]


def test_an_empty_listing_stays_empty() -> None:
    assert with_entries(None)([]) == []
    assert with_entries(None)({"gid": "1"}) == {"gid": "1"}


def test_each_entry_can_come_twice(asana: AsanaEmulator) -> None:
    whole = told(asana, "/workspaces")["data"]
    asana.controls.alter("/workspaces", repeated)
    assert told(asana, "/workspaces")["data"] == [entry for entry in whole for _ in range(2)]


def test_a_value_can_be_set_or_removed_at_a_path() -> None:
    record = {"gid": "1", "parent": {"gid": "2"}, "projects": [{"gid": "3"}, {"gid": "4"}]}
    assert with_value("parent", None)(record) == {**record, "parent": None}
    assert with_value("parent", ABSENT)(record).keys() == {"gid", "projects"}
    assert with_value("parent.gid", 7)(record)["parent"] == {"gid": 7}
    assert with_value("projects.gid", 7)(record)["projects"] == [{"gid": 7}, {"gid": "4"}]
    assert with_value("name", "x", of="2")([record, {"gid": "2"}]) == [
        record,
        {"gid": "2", "name": "x"},
    ]


def test_only_answers_that_name_an_object_are_altered(asana: AsanaEmulator) -> None:
    one, other = (workspace["gid"] for workspace in told(asana, "/workspaces")["data"])
    asana.controls.alter("/projects", lambda _: [], only=one)
    assert told(asana, "/projects", workspace=one)["data"] == []
    assert told(asana, "/projects", workspace=other)["data"]


def test_an_ignored_parameter_changes_nothing(asana: AsanaEmulator) -> None:
    workspace = told(asana, "/workspaces")["data"][0]["gid"]
    everything = told(asana, "/projects", workspace=workspace)["data"]
    few = told(asana, "/projects", workspace=workspace, archived="false")["data"]
    asana.controls.ignored_parameters = frozenset({"archived"})
    assert told(asana, "/projects", workspace=workspace, archived="false")["data"] == everything
    asana.controls.heal()
    assert told(asana, "/projects", workspace=workspace, archived="false")["data"] == few
    assert len(few) < len(everything)


def test_a_missing_required_parameter_is_refused(asana: AsanaEmulator) -> None:
    workspace = told(asana, "/workspaces")["data"][0]["gid"]
    asana.controls.demanded_parameters = {"/portfolios": "owner"}
    refused = ask(asana, "/portfolios", workspace=workspace)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["message"] == "owner: Missing input"
    assert ask(asana, "/portfolios", workspace=workspace, owner="me").status_code == 200


def test_healing_removes_every_odd_answer(asana: AsanaEmulator) -> None:
    whole = told(asana, "/workspaces")
    asana.controls.alter("/workspaces", repeated)
    asana.controls.demanded_parameters = {"/workspaces": "owner"}
    asana.controls.heal()
    assert told(asana, "/workspaces") == whole
