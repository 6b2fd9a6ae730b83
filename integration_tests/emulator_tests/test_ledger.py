"""The ledger of requests and their counts."""

import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.emulator_tests.asking import ask, told

pytestmark = pytest.mark.once


def test_the_ledger_counts_requests_by_path_status_and_token(
    asana: AsanaEmulator, project: str
) -> None:
    ask(asana, "/users/me", asana.tokens.pat("member"))
    ask(asana, "/tasks", project=project, limit=2)
    ask(asana, "/tasks")
    ask(asana, "/users/me", "nonsense")
    ledger = asana.ledger
    assert ledger.count() == 4
    assert ledger.count("/tasks") == 2
    assert ledger.count("/tasks", 400) == 1
    assert ledger.by_path() == {"/tasks": 2, "/users/{user_gid}": 2}
    assert ledger.by_status() == {200: 2, 400: 1, 401: 1}
    assert ledger.by_token() == {"": 1, "member": 1, "service": 2}
    second = ledger.requests[1]
    assert (second.path, second.query) == ("/tasks", {"project": project, "limit": "2"})
    ledger.reset()
    assert ledger.count() == 0


def test_the_ledger_finds_pages_given_twice_whatever_the_fields(
    asana: AsanaEmulator, project: str
) -> None:
    page = told(asana, "/tasks", project=project, limit=2)
    told(asana, "/tasks", project=project, limit=2, offset=page["next_page"]["offset"])
    told(asana, "/tasks", asana.tokens.pat("member"), project=project, limit=2)
    assert asana.ledger.duplicates() == {}
    told(asana, "/tasks", project=project, limit=2, opt_fields="name")
    assert asana.ledger.duplicates() == {f"/tasks?limit=2&project={project} page at 0": 1}


def test_unknown_parameters_are_ignored_and_counted(asana: AsanaEmulator, project: str) -> None:
    told(asana, "/tasks", project=project, sort="name", opt_pretty="true")
    assert asana.ledger.unknown_parameters == {"/tasks sort": 1}
