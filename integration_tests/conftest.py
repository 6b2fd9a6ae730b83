from collections.abc import Iterator

import pytest

from integration_tests.asana_emulator import AsanaEmulator, make_account
from integration_tests.postgres_server import postgres_server, programs
from integration_tests.warehouse import DATABASES, Filled, Warehouse, fill


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files")


LONGEST = (
    "test_histories.py",
    "test_faults.py",
    "test_small_account.py",
    "test_odd_records.py",
    "test_workspace_events.py",
    "test_page_size.py",
    "test_streams_option.py",
    "test_skipped_attachments.py",
    "test_output.py",
    "test_filters.py",
    "test_secrets.py",
    "test_check.py",
    "test_pyairbyte.py",
    "test_commands.py",
    "test_local_sync.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the longest modules first, so that all processes work until the end."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.fixture(scope="session")
def untouched() -> Iterator[AsanaEmulator]:
    """The sample account, for tests that only read it."""
    with AsanaEmulator(make_account("sample")) as asana:
        yield asana


@pytest.fixture
def sample(untouched: AsanaEmulator) -> AsanaEmulator:
    """The sample account as it was made."""
    untouched.ledger.reset()
    return untouched


@pytest.fixture
def asana() -> Iterator[AsanaEmulator]:
    """A sample account for one test, to change, deny and break."""
    with AsanaEmulator(make_account("sample")) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def small() -> Iterator[AsanaEmulator]:
    """About 5,000 tasks, for tests that only read."""
    with AsanaEmulator(make_account("small")) as asana:
        yield asana


@pytest.fixture
def small_with_expiring_offsets() -> Iterator[AsanaEmulator]:
    """A small account in which offsets for tasks expire twice, whatever their age."""
    with AsanaEmulator(make_account("small")) as asana:
        asana.controls.fail("/tasks", "expired_offset", times=2, after=3)
        yield asana


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server."""
    if (found := programs()) is None:
        pytest.skip("there is no PostgreSQL on this machine")
    with postgres_server(found) as url:
        yield url


@pytest.fixture
def database(postgres: str, request: pytest.FixtureRequest) -> str:
    """A new, empty database."""
    name = f"test_{abs(hash(request.node.nodeid))}"
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(f"{postgres}/postgres", autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    return f"{postgres}/{name}"


@pytest.fixture(
    scope="session",
    params=DATABASES,
)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """A database with the dbt models, after changes, deletions and restores."""
    folder = tmp_path_factory.mktemp(request.param)
    place = str(folder / "asana.duckdb")
    if request.param == "postgresql":
        place = f"{request.getfixturevalue('postgres')}/postgres"
    with AsanaEmulator(make_account("sample")) as asana:
        return fill(Warehouse(request.param, place, folder), asana)
