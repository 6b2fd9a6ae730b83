"""An account that is split over several connections, each with its own filter and token."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from integration_tests.asana_emulator import AsanaEmulator, make_account
from integration_tests.reading import SERVICE, Said, full_refresh
from integration_tests.truth_of import truth

pytestmark = pytest.mark.once

BELOW_PROJECTS = ("projects", "sections", "tasks", "subtasks", "stories", "attachments")
ABOVE_PROJECTS = ("users", "tags", "teams", "portfolios", "goals")
EVERYTHING = (*BELOW_PROJECTS, *ABOVE_PROJECTS)
CONNECTIONS = 3
PAGE = (Path(__file__).parents[1] / "docs" / "deployments.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def account() -> Iterator[AsanaEmulator]:
    """About 600 tasks: few enough to be quick, enough to count hundredths."""
    with AsanaEmulator(make_account(600, in_each=40)) as asana:
        yield asana


def groups_of_projects(asana: AsanaEmulator) -> list[set[str]]:
    """The projects, grouped where they share a task or one of its subtasks."""
    groups = [{record["gid"]} for record in truth(asana, "projects")]
    tasks = {each["gid"]: each for name in ("tasks", "subtasks") for each in truth(asana, name)}

    @cache
    def projects(gid: str) -> frozenset[str]:
        """The projects of a task and of all tasks above it."""
        task = tasks[gid]
        above = (task["parent"] or {}).get("gid")
        own = frozenset(project["gid"] for project in task["projects"])
        return own | projects(above) if above in tasks else own

    for gid in tasks:
        together = [group for group in groups if group & projects(gid)]
        if len(together) > 1:
            groups = [group for group in groups if group not in together]
            groups.append(set().union(*together))
    return groups


def thirds(asana: AsanaEmulator) -> list[list[str]]:
    """The projects in Asana's order, split at each third of the tasks."""
    size = Counter(project["gid"] for task in truth(asana, "tasks") for project in task["projects"])
    found: list[list[str]] = [[] for _ in range(CONNECTIONS)]
    before = 0
    for record in asana.expected("projects", SERVICE):
        found[before * CONNECTIONS // size.total()].append(record["gid"])
        before += size[record["gid"]]
    return found


def read(
    asana: AsanaEmulator, streams: Sequence[str], **filters: Collection[str]
) -> tuple[Said, int]:
    """The output of a connection, and its requests."""
    said = full_refresh(asana, streams, SERVICE, **filters)
    assert said.exit_status == 0
    return said, asana.ledger.count()


def delivered(*connections: Said) -> dict[str, Counter[str]]:
    """How often each gid of each stream comes."""
    found: dict[str, Counter[str]] = {}
    for said in connections:
        for stream, records in said.records().items():
            found.setdefault(stream, Counter()).update(record["gid"] for record in records)
    return found


@pytest.fixture(scope="module")
def one(account: AsanaEmulator) -> tuple[Said, int]:
    """The output of a single connection, and its requests."""
    return read(account, EVERYTHING)


def three(
    asana: AsanaEmulator, first: Collection[str], second: Collection[str]
) -> tuple[Mapping[str, Counter[str]], list[int]]:
    """The records of three connections, the last of which reads the rest, and their requests."""
    connections = [
        read(asana, BELOW_PROJECTS, project_gids=sorted(first)),
        read(asana, BELOW_PROJECTS, project_gids=sorted(second)),
        read(asana, EVERYTHING, excluded_project_gids=sorted([*first, *second])),
    ]
    return delivered(*(said for said, _ in connections)), [each for _, each in connections]


def test_three_connections_without_shared_tasks_read_the_account_once(
    account: AsanaEmulator, one: tuple[Said, int]
) -> None:
    said, requests_of_one = one
    *others, largest = sorted(groups_of_projects(account), key=len)
    found, requests = three(account, largest, set().union(*others[:-1]))
    assert found == delivered(said)
    assert all(set(told.values()) == {1} for told in found.values())
    assert sum(requests) <= 1.02 * requests_of_one


def test_three_connections_with_a_third_of_the_projects_share_the_requests(
    account: AsanaEmulator, one: tuple[Said, int]
) -> None:
    said, requests_of_one = one
    first, second, _ = thirds(account)
    found, requests = three(account, first, second)
    assert {stream: set(told) for stream, told in found.items()} == {
        stream: set(told) for stream, told in delivered(said).items()
    }
    assert sum(requests) <= 1.02 * requests_of_one
    assert max(requests) < 0.5 * requests_of_one
    counted = re.findall(r"one connection makes ([\d,]+) requests, three make ([\d,]+)", PAGE)
    assert counted == [(f"{requests_of_one:,}", f"{sum(requests):,}")]


def test_one_connection_per_workspace_reads_the_account_once(
    account: AsanaEmulator, one: tuple[Said, int]
) -> None:
    said, requests_of_one = one
    connections = [
        read(account, EVERYTHING, workspace_gids=[workspace["gid"]])
        for workspace in truth(account, "workspaces")
    ]
    found = delivered(*(each for each, _ in connections))
    people = found.pop("users")
    assert found == {stream: told for stream, told in delivered(said).items() if stream != "users"}
    assert set(people) == set(delivered(said)["users"])
    assert sum(requests for _, requests in connections) <= 1.02 * requests_of_one


def test_a_task_in_the_projects_of_two_connections_comes_from_both(sample: AsanaEmulator) -> None:
    shared = next(task for task in truth(sample, "tasks") if len(task["projects"]) > 1)
    mine = [shared["projects"][0]["gid"]]
    first, _ = read(sample, ["tasks"], project_gids=mine)
    rest, _ = read(sample, ["tasks"], excluded_project_gids=mine)
    assert delivered(first, rest)["tasks"][shared["gid"]] == 2
