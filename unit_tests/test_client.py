"""How the client handles each answer from Asana."""

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, count, cycle, islice, repeat, zip_longest
from typing import Any

import pytest
import requests
import requests_mock

from source_asana.asana.answer import Answer
from source_asana.asana.auth import AsanaToken, TokenCheck
from source_asana.asana.client import MAX_EVENT_PAGES, AsanaClient, EventWindow
from source_asana.asana.connection import Connection
from source_asana.asana.endless import MAX_EMPTY_PAGES, MAX_REPEATED_PAGES
from source_asana.asana.errors import AsanaFailure, Refusal, SetupError, TokenRefused
from source_asana.asana.governor import Governor
from source_asana.asana.observed import MAX_CHANGES, Observed
from source_asana.asana.rate_limit import RateLimit, Stopped
from source_asana.asana.retry import RetryPolicy
from source_asana.asana.sender import JITTER_SECONDS

API = "https://asana.example/api/1.0"
TASKS = f"{API}/tasks"
WHO_AM_I = f"{API}/users/me"


@dataclass
class Clock:
    """A clock that a test sets."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


class Patience(threading.Condition):
    """A condition whose waits take no time, and a clock that they move."""

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
    return client_with(AsanaToken("secret"), patience)


def client_with(token: AsanaToken, patience: Patience) -> AsanaClient:
    return AsanaClient(
        api_url=API,
        token=token,
        rate_limit=RateLimit(Governor(60_000), lambda: patience.now, patience),
        connection=Connection(API, threads=1),
        retry=RetryPolicy(patience_seconds=100),
        clock=lambda: patience.now,
        random_number=lambda: 0.5,
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


def test_a_listing_is_read_page_by_page(client: AsanaClient, asana: requests_mock.Mocker) -> None:
    asana.get(TASKS, [page("1", "2", offset="eyJ+/="), page("3")])
    assert read(client) == ["1", "2", "3"]
    assert asana.request_history[0].qs == {"project": ["1"], "limit": ["100"]}
    assert asana.request_history[1].url.endswith("?project=1&limit=100&offset=eyJ%2B%2F%3D")
    assert client.observed.sent == {"tasks": 2}


def test_every_request_has_the_token_and_a_user_agent(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    asana.get(TASKS, **page("1"))
    read(client)
    assert asana.request_history[-1].headers["Authorization"] == "Bearer secret"
    assert asana.request_history[-1].headers["User-Agent"] == "airbyte-source-asana"
    assert asana.request_history[-1].timeout is not None


def test_a_single_object_is_a_page_of_one_record(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
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


def test_a_listing_fails_if_its_offset_always_expires(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    asana.get(TASKS, [page("1", offset="a"), refusal(400, "offset: expired")] * 9)
    with pytest.raises(AsanaFailure, match="offset: expired"):
        read(client)
    assert len(asana.request_history) == 8


def test_a_listing_restarts_as_often_as_needed_while_it_makes_progress(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    expired = refusal(400, "offset: Your pagination token has expired.")
    listed = [page(str(number), offset=str(number)) for number in range(12)]
    attempts = [answer for end in range(2, 12) for answer in (*listed[:end], expired)]
    asana.get(TASKS, [*attempts, *listed, page("end")])
    assert read(client)[-13:] == [*map(str, range(12)), "end"]


@pytest.mark.parametrize("answers", [[], [page("1", offset="a")]], ids=["first", "later page"])
def test_a_truncated_listing_fails_without_a_retry(
    client: AsanaClient, asana: requests_mock.Mocker, answers: list[dict[str, Any]]
) -> None:
    asana.get(TASKS, [*answers, refusal(400, "The result was truncated.")])
    with pytest.raises(AsanaFailure, match="truncated") as failure:
        read(client)
    assert not failure.value.is_transient
    assert len(asana.request_history) == len(answers) + 1


@pytest.mark.parametrize("status", [402, 403, 404, 451])
def test_an_object_that_the_token_cannot_see_is_a_refusal(
    client: AsanaClient, asana: requests_mock.Mocker, status: int
) -> None:
    asana.get(TASKS, **refusal(status, "Not for you."))
    with pytest.raises(Refusal, match="Not for you") as refused:
        read(client)
    assert refused.value.status == status
    assert len(asana.request_history) == 1


UNAUTHORIZED = refusal(401, "Not Authorized")
ME: dict[str, Any] = {"json": {"data": {"gid": "1"}}}


def test_a_revoked_token_ends_the_sync(client: AsanaClient, asana: requests_mock.Mocker) -> None:
    asana.get(TASKS, **UNAUTHORIZED)
    asana.get(WHO_AM_I, **UNAUTHORIZED)
    with pytest.raises(TokenRefused, match="Create a new personal access token"):
        read(client)
    assert len(asana.request_history) == 2
    with pytest.raises(Stopped):
        read(client)


def test_a_single_401_is_retried_while_the_token_is_valid(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    asana.get(TASKS, [UNAUTHORIZED, page("1")])
    asana.get(WHO_AM_I, **ME)
    assert read(client) == ["1"]
    assert client.observed.sent == {"tasks": 3}


@pytest.mark.parametrize("answer", [refusal(403), refusal(404), ME], ids=["403", "404", "200"])
def test_a_request_that_always_gets_401_is_a_refusal_while_the_token_is_valid(
    client: AsanaClient, asana: requests_mock.Mocker, answer: dict[str, Any]
) -> None:
    asana.get(TASKS, **UNAUTHORIZED)
    me = asana.get(WHO_AM_I, **answer)
    with pytest.raises(Refusal, match="Not Authorized") as refused:
        read(client)
    assert refused.value.status == 401
    assert me.call_count == 3
    assert len(asana.request_history) == 6


class RenewableToken(AsanaToken):
    """A token that can be renewed a limited number of times."""

    def __init__(self) -> None:
        super().__init__("1")

    def renew(self, rejected: str) -> bool:
        assert int(rejected) < 9, "renewed again and again"
        self._secret = str(int(rejected) + 1)
        return True


def test_a_token_is_renewed_once_for_a_request(
    patience: Patience, asana: requests_mock.Mocker
) -> None:
    client = client_with(RenewableToken(), patience)
    asana.get(TASKS, [UNAUTHORIZED, page("1")])
    assert read(client) == ["1"]
    assert asana.request_history[-1].headers["Authorization"] == "Bearer 2"
    asana.get(TASKS, **UNAUTHORIZED)
    asana.get(WHO_AM_I, **ME)
    with pytest.raises(Refusal):
        read(client)
    assert asana.request_history[-1].headers["Authorization"] == "Bearer 3"


def test_the_check_of_a_token_is_retried(client: AsanaClient, asana: requests_mock.Mocker) -> None:
    asana.get(TASKS, [UNAUTHORIZED, page("1")])
    asana.get(WHO_AM_I, [refusal(503), refusal(429, **{"Retry-After": "1"}), ME])
    assert read(client) == ["1"]


def test_a_401_is_a_transient_failure_if_the_token_cannot_be_checked(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    asana.get(TASKS, **UNAUTHORIZED)
    asana.get(WHO_AM_I, **refusal(503, "Down"))
    with pytest.raises(AsanaFailure, match="users/me: Down") as failure:
        read(client)
    assert failure.value.is_transient


def test_waiting_workers_share_one_check_of_the_token() -> None:
    clock = Clock()
    check, asked = TokenCheck(clock), threading.Event()
    questions: list[float] = []

    def is_known() -> bool:
        questions.append(clock.now)
        asked.wait(10)
        return True

    with ThreadPoolExecutor(5) as workers:
        clock.now = 2.0
        answers = [workers.submit(check.is_valid, 1.0, is_known) for _ in range(5)]
        asked.set()
        assert [answer.result(timeout=10) for answer in answers] == [True] * 5
    assert questions == [2.0]
    clock.now = 4.0
    assert check.is_valid(3.0, is_known)
    assert questions == [2.0, 4.0]


def test_waiting_workers_share_a_failed_check_of_the_token() -> None:
    clock = Clock(2.0)
    check = TokenCheck(clock)
    questions: list[float] = []

    def is_known() -> bool:
        questions.append(clock.now)
        raise AsanaFailure("no answer", "users/me", is_transient=True)

    for _ in range(5):
        with pytest.raises(AsanaFailure):
            check.is_valid(1.0, is_known)
    assert questions == [2.0]


def test_a_429_pauses_as_long_as_asana_says(
    client: AsanaClient, asana: requests_mock.Mocker, patience: Patience
) -> None:
    asana.get(TASKS, [refusal(429, **{"Retry-After": "30"}), page("1")])
    assert read(client) == ["1"]
    assert patience.waits == [30 + JITTER_SECONDS / 2]


def test_repeated_429s_pause_as_long_as_asana_says_each_time(
    client: AsanaClient, asana: requests_mock.Mocker, patience: Patience
) -> None:
    asana.get(TASKS, [refusal(429, **{"Retry-After": "1"})] * 40 + [page("1")])
    assert read(client) == ["1"]
    assert patience.now <= 40 * (1 + JITTER_SECONDS)


def test_pauses_double_if_a_429_does_not_say_how_long(
    client: AsanaClient, asana: requests_mock.Mocker, patience: Patience
) -> None:
    unsaid = refusal(429, **{"Retry-After": "soon"})
    absurd = refusal(429, **{"Retry-After": "1e300"})
    asana.get(TASKS, [unsaid, refusal(429), absurd, page("1", offset="a"), unsaid, page("2")])
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
def test_a_transient_fault_is_retried(
    client: AsanaClient, asana: requests_mock.Mocker, patience: Patience, fault: dict[str, Any]
) -> None:
    asana.get(TASKS, [fault, fault, page("1")])
    assert read(client) == ["1"]
    assert patience.waits == [1, 2]


def test_retries_of_a_lasting_fault_end_with_the_patience(
    client: AsanaClient, asana: requests_mock.Mocker, patience: Patience
) -> None:
    asana.get(TASKS, **refusal(500, "An error occurred. phrase: 6 sad squid snuggle softly"))
    with pytest.raises(AsanaFailure, match="sad squid") as failure:
        read(client)
    assert failure.value.is_transient
    assert patience.waits == [1, 2, 4, 8, 16, 32]


def test_a_failure_quotes_the_phrase_for_asanas_support(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    error = {"message": "Server Error", "phrase": "6 sad squid snuggle softly"}
    asana.get(TASKS, status_code=500, json={"errors": [error]})
    with pytest.raises(AsanaFailure) as failure:
        read(client)
    words = "tasks: Server Error (phrase for Asana's support: 6 sad squid snuggle softly)"
    assert str(failure.value) == words


def test_each_announced_change_is_noted_once(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    first, second = "name=new_goals;affected=true", "name=teamless_projects;affected=false"
    answers = [page("1", offset="a"), page("2", offset="b"), page("3")]
    for answer, header in zip(answers, (first, f"{second}, {first}", second), strict=True):
        answer["headers"] = {"Asana-Change": header}
    asana.get(TASKS, answers)
    read(client)
    assert client.observed.announced_changes == [first, second]


def test_the_number_of_noted_changes_is_limited() -> None:
    observed = Observed()
    for number in range(1000):
        observed.note(Answer(200, announced_changes=(f"name=change{number}",)))
    assert len(observed.announced_changes) == MAX_CHANGES


# -- listings and events that do not end ---------------------------------------------------------


Pages = list[tuple[list[str], str]]


def go_on(pages: Iterable[tuple[list[str], str]]) -> Pages:
    return list(islice(pages, 1000))


@pytest.mark.parametrize(
    ("pages", "most"),
    [
        (go_on(repeat((["1"], "a"))), 2),
        (go_on(cycle([(["1"], "a"), (["2"], "b")])), 3),
        (go_on(chain([(["1"], "a"), (["2"], "a"), (["3"], "a")], repeat(([], "a")))), 4),
        (go_on((["1", "2"], f"{n}") for n in count()), 2 + MAX_REPEATED_PAGES),
        (
            go_on((["1", "2"][:: 1 if n % 2 else -1], f"{n}") for n in count()),
            3 + MAX_REPEATED_PAGES,
        ),
        (go_on(([], f"{n}") for n in count()), 1 + MAX_EMPTY_PAGES),
    ],
    ids=[
        "the same offset",
        "two offsets in turn",
        "the same offset after new records",
        "always a new offset",
        "always a new offset and another order",
        "always a new offset and an empty page",
    ],
)
def test_a_listing_that_does_not_end_fails(
    client: AsanaClient, asana: requests_mock.Mocker, pages: Pages, most: int
) -> None:
    asana.get(TASKS, [page(*gids, offset=offset) for gids, offset in pages])
    with pytest.raises(AsanaFailure, match="kept returning the same page") as failure:
        read(client)
    assert not failure.value.is_transient
    assert len(asana.request_history) <= most


def test_empty_pages_do_not_end_a_listing(client: AsanaClient, asana: requests_mock.Mocker) -> None:
    hidden = [page(offset=f"hidden{number}") for number in range(40)]
    asana.get(
        TASKS,
        [page("1", offset="a"), *hidden[:20], page("2", offset="b"), *hidden[20:], page("3")],
    )
    assert read(client) == ["1", "2", "3"]


def test_a_listing_that_restarts_many_times_is_not_endless(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    pages = [page(str(number), offset=f"offset{number}") for number in range(5)]
    expired = refusal(400, "offset: Your pagination token has expired.")
    answers = [a for last in range(1, 6) for a in (*pages[:last], expired)]
    asana.get(TASKS, [*answers, *pages, page("5")])
    assert sorted(set(read(client))) == ["0", "1", "2", "3", "4", "5"]


ODD_ENVELOPES: list[Any] = [
    {"data": [], "next_page": []},
    {"data": [], "next_page": "a"},
    {"data": [], "next_page": 0},
    {"data": [], "next_page": False},
    {"data": [], "next_page": {}},
    {"data": [], "next_page": {"offset": None}},
    {"data": [], "next_page": {"offset": ""}},
    {"data": [], "next_page": {"offset": 7}},
    {"data": None},
    {"data": "x"},
    {},
]


@pytest.mark.parametrize("body", ODD_ENVELOPES, ids=str)
def test_a_page_with_a_malformed_next_page_is_retried_and_then_fails(
    client: AsanaClient, asana: requests_mock.Mocker, body: Any
) -> None:
    asana.get(TASKS, [{"json": body}, page("1")])
    assert read(client) == ["1"]
    asana.get(TASKS, json=body)
    with pytest.raises(AsanaFailure, match="not from Asana") as failure:
        read(client)
    assert failure.value.is_transient


def events_of(client: AsanaClient) -> EventWindow:
    return client.events("events", {"resource": "1"}, "t0", purpose="events")


@pytest.mark.parametrize(
    ("data", "tokens", "most"),
    [
        ([], ["t1"] * 1500, 2),
        ([], ["t0"] * 1500, 1),
        ([[{"action": "changed"}]] * 1500, ["t1"] * 1500, 2),
        ([], [f"t{n}" for n in range(1, 1500)], 1 + MAX_EMPTY_PAGES),
        (
            [[{"action": f"changed {n}"}] for n in range(1500)],
            [f"t{n}" for n in range(1, 1500)],
            MAX_EVENT_PAGES,
        ),
    ],
    ids=[
        "the same token",
        "the token that was sent",
        "the same events",
        "always a new token",
        "always new events",
    ],
)
def test_events_that_do_not_end_fail(
    client: AsanaClient,
    asana: requests_mock.Mocker,
    data: list[Any],
    tokens: list[str],
    most: int,
) -> None:
    windows: Iterable[Any] = zip_longest(data, tokens, fillvalue=[])
    asana.get(
        f"{API}/events",
        [{"json": {"data": data, "sync": sync, "has_more": True}} for data, sync in windows],
    )
    with pytest.raises(
        AsanaFailure, match=r"kept returning the same events|more than 1,000 pages of events"
    ):
        events_of(client)
    assert len(asana.request_history) <= most


@pytest.mark.parametrize("sync", [{}, {"sync": None}, {"sync": ""}, {"sync": 7}], ids=str)
def test_a_412_without_a_new_sync_token_fails_at_once(
    client: AsanaClient, asana: requests_mock.Mocker, sync: dict[str, Any]
) -> None:
    asana.get(f"{API}/events", status_code=412, json={"errors": [{"message": "Too old"}], **sync})
    with pytest.raises(AsanaFailure, match="no new sync token"):
        events_of(client)
    assert len(asana.request_history) == 1


@pytest.mark.parametrize("text", ["", '{"errors": ['], ids=["empty", "half"])
def test_a_412_that_was_cut_short_is_retried(
    client: AsanaClient, asana: requests_mock.Mocker, text: str
) -> None:
    whole = {"json": {"errors": [], "sync": "t1"}, "status_code": 412}
    asana.get(f"{API}/events", [{"status_code": 412, "text": text}, whole])
    assert events_of(client).token == "t1"


@pytest.mark.parametrize("sync", [{}, {"sync": None}, {"sync": ""}], ids=str)
def test_events_without_a_sync_token_fail(
    client: AsanaClient, asana: requests_mock.Mocker, sync: dict[str, Any]
) -> None:
    asana.get(f"{API}/events", json={"data": [], **sync})
    with pytest.raises(AsanaFailure, match="without a sync token"):
        events_of(client)


def test_no_redirect_is_followed(client: AsanaClient, asana: requests_mock.Mocker) -> None:
    asana.get(TASKS, status_code=302, headers={"Location": "https://elsewhere.example/"})
    elsewhere = asana.get("https://elsewhere.example/", **page("1"))
    with pytest.raises(AsanaFailure):
        read(client)
    assert not elsewhere.called


def test_an_untrusted_certificate_is_an_error_of_the_setup(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    asana.get(TASKS, exc=requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] …"))
    with pytest.raises(SetupError, match="certificate"):
        read(client)


@pytest.mark.parametrize(
    "date", ["nonsense", "", "Fri, 20 Nov 99999999999999999999 10:02:03 GMT", "0", "Fri, 20 Nov"]
)
def test_a_malformed_date_header_is_ignored(
    client: AsanaClient, asana: requests_mock.Mocker, date: str
) -> None:
    before = client.server_date
    answers = [refusal(429, **{"Retry-After": date, "Date": date}), page("1")]
    answers[1]["headers"] = {"Date": date}
    asana.get(TASKS, answers)
    assert read(client) == ["1"]
    assert client.server_date == before


def test_the_client_returns_an_answer_whatever_its_status(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    asana.get(TASKS, [refusal(400), refusal(403), refusal(412), page("1")])
    answers = [client.answer("tasks", {"limit": "20"}, purpose="probe") for _ in range(4)]
    assert [answer.status for answer in answers] == [400, 403, 412, 200]
    assert [request.qs["limit"] for request in asana.request_history] == [["20"]] * 4


def test_a_single_answer_has_the_usual_retries_and_failures(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    asana.get(TASKS, [refusal(503), refusal(429, **{"Retry-After": "1"}), page("1")])
    assert client.answer("tasks", {}, purpose="probe").status == 200
    asana.get(TASKS, **refusal(503))
    with pytest.raises(AsanaFailure):
        client.answer("tasks", {}, purpose="probe")
    asana.get(TASKS, **refusal(401))
    asana.get(WHO_AM_I, **refusal(401))
    with pytest.raises(TokenRefused):
        client.answer("tasks", {}, purpose="probe")


def test_every_answer_can_be_observed_including_retried_ones(
    patience: Patience, asana: requests_mock.Mocker
) -> None:
    observed: list[tuple[int, float]] = []
    client = AsanaClient(
        api_url=API,
        token=AsanaToken("secret"),
        rate_limit=RateLimit(Governor(60_000), lambda: patience.now, patience),
        connection=Connection(API, threads=1),
        clock=lambda: patience.now,
        observe=lambda answer, seconds: observed.append((answer.status, seconds)),
    )
    asana.get(TASKS, [refusal(503), page("1")])
    assert read(client) == ["1"]
    assert observed == [(503, 0.0), (200, 0.0)]
