"""A sync that finds nothing for long: Airbyte ends one that sends no record or state for an hour.

https://docs.airbyte.com/understanding-airbyte/heartbeats
"""

from typing import Any

import pytest

from integration_tests.asana_emulator import Account, AsanaEmulator
from integration_tests.reading import SERVICE, Json, Said, catalog_of, config_for, run

pytestmark = pytest.mark.once

MODES = pytest.mark.parametrize("mode", ["full_refresh", "incremental"])
NOTHING_YET: dict[str, Json] = {"full_refresh": {"done": {}}, "incremental": {"modified_since": {}}}
TASKS = 120


def read(asana: AsanaEmulator, mode: str, *, state: Any = None, **how: Any) -> Said:
    """Read attachments, with a state to show life whenever it is due."""
    catalog: Json = catalog_of(["attachments"])
    catalog["streams"][0]["sync_mode"] = mode
    config = config_for(asana, **how.pop("config", {}))
    return run("read", asana, config, catalog, state, silent_seconds=0, **how)


@MODES
def test_a_sync_of_projects_without_attachments_is_never_silent_too_long(
    asana: AsanaEmulator, mode: str
) -> None:
    def fill(account: Account) -> str:
        workspace = account.listing(account.people[SERVICE], "workspaces", "")[0]
        project = account.create_project(workspace, "Nothing attached")
        for number in range(TASKS):
            account.create_task(project, f"Look for no. {number}")
        return str(project)

    project = asana.change(fill)
    said = read(asana, mode, config={"project_gids": [project]})
    assert not said.records()
    states = said.states("attachments")
    assert states[:TASKS] == [NOTHING_YET[mode]] * TASKS
    assert states[-1] != NOTHING_YET[mode]


@MODES
def test_a_sync_that_resumes_from_a_sign_of_life_lacks_nothing(
    sample: AsanaEmulator, mode: str
) -> None:
    expected = {record["gid"] for record in sample.expected("attachments", SERVICE)}
    for killed_after in (5, 20, 40, 80):
        first = read(sample, mode, killed_after=killed_after)
        state = [message["state"] for message in first.of_type("STATE")][-1:]
        assert state
        second = read(sample, mode, state=state)
        found = [*first.records()["attachments"], *second.records()["attachments"]]
        assert {record["gid"] for record in found} == expected
