"""Objects of the sample account."""

import pytest

from integration_tests.asana_emulator import AsanaEmulator


@pytest.fixture
def project(asana: AsanaEmulator) -> str:
    """The project with the most tasks."""
    account, viewer = asana.account, asana.account.people["service"]
    projects = [
        project
        for workspace in account.listing(viewer, "workspaces", "")
        for project in account.listing(viewer, "projects", workspace)
    ]
    return max(projects, key=lambda project: len(account.listing(viewer, "tasks", project)))


@pytest.fixture
def tasks(asana: AsanaEmulator, project: str) -> list[str]:
    return list(asana.account.listing(asana.account.people["service"], "tasks", project))


@pytest.fixture
def organization(asana: AsanaEmulator) -> str:
    return _workspace(asana, is_organization=True)


@pytest.fixture
def plain_workspace(asana: AsanaEmulator) -> str:
    return _workspace(asana, is_organization=False)


@pytest.fixture
def audit_log(organization: str) -> str:
    return f"/workspaces/{organization}/audit_log_events"


def _workspace(asana: AsanaEmulator, *, is_organization: bool) -> str:
    account, viewer = asana.account, asana.account.people["service"]
    return next(
        gid
        for gid in account.listing(viewer, "workspaces", "")
        if account.record(viewer, gid)["is_organization"] == is_organization
    )
