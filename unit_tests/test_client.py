"""The conversation with Asana, answer by answer."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import requests_mock
from airbyte_cdk.models import FailureType

from source_asana.auth import AsanaToken
from source_asana.client import AsanaClient
from source_asana.connection import Connection
from source_asana.errors import AsanaFailure, ConfigError, Refusal, TokenRefused
from source_asana.rate_limit import Governor, RateLimit

API = "https://asana.example/api/1.0"
TASKS = f"{API}/tasks"


class Patience(threading.Condition):
    """Time that only waiting moves."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waits.append(timeout)
        self.now += timeout
        return False


@pytest.fixture
def patience() -> Patience:
    return Patience()


@pytest.fixture
def client(patience: Patience) -> AsanaClient:
    return AsanaClient(
        api_url=API,
        token=AsanaToken("secret"),
        rate_limit=RateLimit(Governor(60_000), lambda: patience.now, patience),
        connection=Connection(API, threads=1),
        patience=100,
        clock=lambda: patience.now,
        jitter=lambda: 0.5,
    )


@pytest.fixture
def asana() -> Iterator[requests_mock.Mocker]:
    with requests_mock.Mocker() as mocker:
        yield mocker


def read(client: AsanaClient) -> list[str]:
    pages = client.pages("tasks", {"project": "1", "limit": "100"}, purpose="tasks")
    return [record["gid"] for page in pages for record in page]


def page(*gids: str, offset: str | None = None) -> dict[str, Any]:
    next_page = {"offset": offset, "path": "/tasks", "uri": "…"} if offset else None
    return {"json": {"data": [{"gid": gid} for gid in gids], "next_page": next_page}}


def refusal(status: int, message: str = "No.", **headers: str) -> dict[str, Any]:
    return {"status_code": status, "json": {"errors": [{"message": message}]}, "headers": headers}


def test_pages_are_followed_by_their_offset(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    asana.get(TASKS, [page("1", "2", offset="eyJ+/="), page("3")])
    assert read(client) == ["1", "2", "3"]
    assert asana.request_history[0].qs == {"project": ["1"], "limit": ["100"]}
    assert asana.request_history[1].url.endswith("?project=1&limit=100&offset=eyJ%2B%2F%3D")
    assert client.sent == {"tasks": 2}


def test_every_request_carries_the_token_and_says_who_asks(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    asana.get(TASKS, **page("1"))
    read(client)
    assert asana.request_history[-1].headers["Authorization"] == "Bearer secret"
    assert asana.request_history[-1].headers["User-Agent"] == "airbyte-source-asana"
    assert asana.request_history[-1].timeout is not None


def test_one_object_is_a_page_of_one(client: AsanaClient, asana: requests_mock.Mocker) -> None:
    asana.get(f"{API}/organization_exports/7", json={"data": {"gid": "7"}})
    pages = client.pages("organization_exports/7", {}, purpose="organization_exports")
    assert list(pages) == [[{"gid": "7"}]]


def test_an_expired_offset_restarts_the_listing(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    expired = refusal(400, "offset: Your pagination token has expired.")
    asana.get(TASKS, [page("1", offset="a"), expired, page("1", offset="b"), page("2")])
    assert read(client) == ["1", "1", "2"]
    assert "offset" not in asana.request_history[2].qs


def test_an_offset_that_never_holds_ends_in_a_failure(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    asana.get(TASKS, [page("1", offset="a"), refusal(400, "offset: expired")] * 9)
    with pytest.raises(AsanaFailure, match="offset: expired"):
        read(client)
    assert len(asana.request_history) == 8


@pytest.mark.parametrize("answers", [[], [page("1", offset="a")]], ids=["first", "later page"])
def test_a_listing_that_asana_cuts_is_a_failure_and_not_read_again(
    client: AsanaClient, asana: requests_mock.Mocker, answers: list[dict[str, Any]]
) -> None:
    asana.get(TASKS, [*answers, refusal(400, "The result was truncated.")])
    with pytest.raises(AsanaFailure, match="truncated") as failure:
        read(client)
    assert failure.value.failure_type is FailureType.system_error
    assert len(asana.request_history) == len(answers) + 1


@pytest.mark.parametrize("status", [402, 403, 404, 451])
def test_what_asana_does_not_show_is_a_refusal(
    client: AsanaClient, asana: requests_mock.Mocker, status: int
) -> None:
    asana.get(TASKS, **refusal(status, "Not for you."))
    with pytest.raises(Refusal, match="Not for you") as refused:
        read(client)
    assert refused.value.status == status
    assert len(asana.request_history) == 1


def test_a_personal_access_token_is_refused_once_and_for_all(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    asana.get(TASKS, **refusal(401, "Not Authorized"))
    with pytest.raises(TokenRefused, match="create a new personal access token"):
        read(client)
    assert len(asana.request_history) == 1


def test_a_429_is_waited_out_as_long_as_asana_says(
    client: AsanaClient, asana: requests_mock.Mocker, patience: Patience
) -> None:
    asana.get(TASKS, [refusal(429, **{"Retry-After": "30"}), page("1")])
    assert read(client) == ["1"]
    assert patience.waits == [30]


def test_pauses_grow_when_a_429_does_not_say_how_long(
    client: AsanaClient, asana: requests_mock.Mocker, patience: Patience
) -> None:
    unsaid = refusal(429, **{"Retry-After": "soon"})
    asana.get(TASKS, [unsaid, refusal(429), refusal(429), page("1", offset="a"), unsaid, page("2")])
    assert read(client) == ["1", "2"]
    assert patience.waits == [1, 2, 4, 1]


@pytest.mark.parametrize(
    "fault",
    [
        *(refusal(status) for status in (408, 424, 500, 502, 503, 504)),
        {"status_code": 503, "text": "<html>Bad Gateway</html>"},
        {"text": "<html>Sign in</html>"},
        {"text": '{"data": [{"gid": "1"'},
        {"text": "[]"},
        {"text": "{}"},
        {"exc": requests.ConnectionError("reset")},
        {"exc": requests.ReadTimeout("slow")},
    ],
    ids=lambda fault: str(fault.get("text") or fault.get("exc") or fault["status_code"])[:20],
)
def test_a_passing_fault_is_passed_over(
    client: AsanaClient, asana: requests_mock.Mocker, patience: Patience, fault: dict[str, Any]
) -> None:
    asana.get(TASKS, [fault, fault, page("1")])
    assert read(client) == ["1"]
    assert patience.waits == [1, 2]


def test_a_lasting_fault_is_given_up_when_patience_ends(
    client: AsanaClient, asana: requests_mock.Mocker, patience: Patience
) -> None:
    asana.get(TASKS, **refusal(500, "An error occurred. phrase: 6 sad squid snuggle softly"))
    with pytest.raises(AsanaFailure, match="sad squid") as failure:
        read(client)
    assert failure.value.failure_type is FailureType.transient_error
    assert patience.waits == [1, 2, 4, 8, 16, 32]


def test_no_redirect_is_followed(client: AsanaClient, asana: requests_mock.Mocker) -> None:
    asana.get(TASKS, status_code=302, headers={"Location": "https://elsewhere.example/"})
    elsewhere = asana.get("https://elsewhere.example/", **page("1"))
    with pytest.raises(AsanaFailure):
        read(client)
    assert not elsewhere.called


def test_a_certificate_that_is_not_trusted_is_for_the_user_to_mend(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    asana.get(TASKS, exc=requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] …"))
    with pytest.raises(ConfigError, match="certificate"):
        read(client)


@pytest.mark.parametrize(
    "date", ["nonsense", "", "Fri, 20 Nov 99999999999999999999 10:02:03 GMT", "0", "Fri, 20 Nov"]
)
def test_a_date_that_is_none_is_passed_over(
    client: AsanaClient, asana: requests_mock.Mocker, date: str
) -> None:
    before = client.server_date
    answers = [refusal(429, **{"Retry-After": date, "Date": date}), page("1")]
    answers[1]["headers"] = {"Date": date}
    asana.get(TASKS, answers)
    assert read(client) == ["1"]
    assert client.server_date == before
