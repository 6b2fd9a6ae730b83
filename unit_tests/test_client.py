"""The conversation with Asana, answer by answer."""

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, count, cycle, islice, repeat, zip_longest
from typing import Any

import pytest
import requests
import requests_mock
from airbyte_cdk.models import FailureType

from source_asana.asana.auth import AsanaToken
from source_asana.asana.client import (
    JITTER_SECONDS,
    MOST_CHANGES,
    MOST_EMPTY_PAGES,
    MOST_EVENT_PAGES,
    MOST_REPEATED_PAGES,
    AsanaClient,
    EventWindow,
    Noticed,
    Proof,
)
from source_asana.asana.connection import Answer, Connection
from source_asana.asana.errors import AsanaFailure, ConfigError, Refusal, TokenRefused
from source_asana.asana.rate_limit import Governor, RateLimit, Stopped

API = "https://asana.example/api/1.0"
TASKS = f"{API}/tasks"
WHO_AM_I = f"{API}/users/me"


@dataclass
class Clock:
    """Stands still unless it is moved."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


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


def test_a_listing_whose_offsets_expire_again_and_again_is_read_while_it_gets_further(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    expired = refusal(400, "offset: Your pagination token has expired.")
    listed = [page(str(number), offset=str(number)) for number in range(12)]
    attempts = [answer for end in range(2, 12) for answer in (*listed[:end], expired)]
    asana.get(TASKS, [*attempts, *listed, page("end")])
    assert read(client)[-13:] == [*map(str, range(12)), "end"]


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


UNAUTHORIZED = refusal(401, "Not Authorized")
ME: dict[str, Any] = {"json": {"data": {"gid": "1"}}}


def test_a_token_that_asana_no_longer_knows_ends_everything(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    asana.get(TASKS, **UNAUTHORIZED)
    asana.get(WHO_AM_I, **UNAUTHORIZED)
    with pytest.raises(TokenRefused, match="create a new personal access token"):
        read(client)
    assert len(asana.request_history) == 2
    with pytest.raises(Stopped):
        read(client)


def test_one_401_is_passed_over_where_asana_still_knows_the_token(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    asana.get(TASKS, [UNAUTHORIZED, page("1")])
    asana.get(WHO_AM_I, **ME)
    assert read(client) == ["1"]
    assert client.sent == {"tasks": 3}


@pytest.mark.parametrize("answer", [refusal(403), refusal(404), ME], ids=["403", "404", "200"])
def test_a_request_that_is_always_401_is_refused_and_not_the_token(
    client: AsanaClient, asana: requests_mock.Mocker, answer: dict[str, Any]
) -> None:
    asana.get(TASKS, **UNAUTHORIZED)
    me = asana.get(WHO_AM_I, **answer)
    with pytest.raises(Refusal, match="Not Authorized") as refused:
        read(client)
    assert refused.value.status == 401
    assert me.call_count == 3
    assert len(asana.request_history) == 6


def test_whether_the_token_is_good_is_asked_again_where_there_is_no_answer(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    asana.get(TASKS, [UNAUTHORIZED, page("1")])
    asana.get(WHO_AM_I, [refusal(503), refusal(429, **{"Retry-After": "1"}), ME])
    assert read(client) == ["1"]


def test_a_401_is_a_passing_failure_where_nobody_says_whether_the_token_is_good(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    asana.get(TASKS, **UNAUTHORIZED)
    asana.get(WHO_AM_I, **refusal(503, "Down"))
    with pytest.raises(AsanaFailure, match="users/me: Down") as failure:
        read(client)
    assert failure.value.failure_type is FailureType.transient_error


def test_workers_that_wait_share_the_answer_to_whether_a_token_is_good() -> None:
    clock = Clock()
    proof, asked = Proof(clock), threading.Event()
    questions: list[float] = []

    def is_known() -> bool:
        questions.append(clock.now)
        asked.wait(10)
        return True

    with ThreadPoolExecutor(5) as workers:
        clock.now = 2.0
        answers = [workers.submit(proof.holds, 1.0, is_known) for _ in range(5)]
        asked.set()
        assert [answer.result(timeout=10) for answer in answers] == [True] * 5
    assert questions == [2.0]
    clock.now = 4.0
    assert proof.holds(3.0, is_known)
    assert questions == [2.0, 4.0]


def test_workers_that_wait_share_the_failure_to_find_out() -> None:
    clock = Clock(2.0)
    proof = Proof(clock)
    questions: list[float] = []

    def is_known() -> bool:
        questions.append(clock.now)
        raise AsanaFailure(FailureType.transient_error, "no answer", "users/me")

    for _ in range(5):
        with pytest.raises(AsanaFailure):
            proof.holds(1.0, is_known)
    assert questions == [2.0]


def test_a_429_is_waited_out_as_long_as_asana_says(
    client: AsanaClient, asana: requests_mock.Mocker, patience: Patience
) -> None:
    asana.get(TASKS, [refusal(429, **{"Retry-After": "30"}), page("1")])
    assert read(client) == ["1"]
    assert patience.waits == [30 + JITTER_SECONDS / 2]


def test_a_429_is_waited_out_as_long_as_asana_says_however_often_it_comes(
    client: AsanaClient, asana: requests_mock.Mocker, patience: Patience
) -> None:
    asana.get(TASKS, [refusal(429, **{"Retry-After": "1"})] * 40 + [page("1")])
    assert read(client) == ["1"]
    assert patience.now <= 40 * (1 + JITTER_SECONDS)


def test_pauses_grow_when_a_429_does_not_say_how_long(
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


def test_a_failure_has_the_phrase_that_asanas_support_asks_for(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    error = {"message": "Server Error", "phrase": "6 sad squid snuggle softly"}
    asana.get(TASKS, status_code=500, json={"errors": [error]})
    with pytest.raises(AsanaFailure) as failure:
        read(client)
    words = "tasks: Server Error (phrase for Asana's support: 6 sad squid snuggle softly)"
    assert str(failure.value) == words


def test_each_change_that_asana_announces_is_noticed_once(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    first, second = "name=new_goals;affected=true", "name=teamless_projects;affected=false"
    answers = [page("1", offset="a"), page("2", offset="b"), page("3")]
    for answer, header in zip(answers, (first, f"{second}, {first}", second), strict=True):
        answer["headers"] = {"Asana-Change": header}
    asana.get(TASKS, answers)
    read(client)
    assert client.noticed.changes == [first, second]


def test_a_server_that_announces_ever_new_changes_fills_no_memory() -> None:
    noticed = Noticed()
    for number in range(1000):
        noticed.note(Answer(200, changes=(f"name=change{number}",)))
    assert len(noticed.changes) == MOST_CHANGES


# -- listings and events without an end ---------------------------------------------------------


Pages = list[tuple[list[str], str]]


def go_on(pages: Iterable[tuple[list[str], str]]) -> Pages:
    return list(islice(pages, 1000))


@pytest.mark.parametrize(
    ("pages", "most"),
    [
        (go_on(repeat((["1"], "a"))), 2),
        (go_on(cycle([(["1"], "a"), (["2"], "b")])), 3),
        (go_on(chain([(["1"], "a"), (["2"], "a"), (["3"], "a")], repeat(([], "a")))), 4),
        (go_on((["1", "2"], f"{n}") for n in count()), 2 + MOST_REPEATED_PAGES),
        (
            go_on((["1", "2"][:: 1 if n % 2 else -1], f"{n}") for n in count()),
            3 + MOST_REPEATED_PAGES,
        ),
        (go_on(([], f"{n}") for n in count()), 1 + MOST_EMPTY_PAGES),
    ],
    ids=[
        "the same offset",
        "two offsets in turn",
        "the same offset after news",
        "ever new offsets",
        "ever new offsets and another order",
        "ever new offsets of empty pages",
    ],
)
def test_a_listing_that_never_ends_is_a_failure(
    client: AsanaClient, asana: requests_mock.Mocker, pages: Pages, most: int
) -> None:
    asana.get(TASKS, [page(*gids, offset=offset) for gids, offset in pages])
    with pytest.raises(AsanaFailure, match="the same page again and again") as failure:
        read(client)
    assert failure.value.failure_type is FailureType.system_error
    assert len(asana.request_history) <= most


def test_pages_may_be_empty_where_the_token_may_not_see_what_is_on_them(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    hidden = [page(offset=f"hidden{number}") for number in range(40)]
    asana.get(
        TASKS,
        [page("1", offset="a"), *hidden[:20], page("2", offset="b"), *hidden[20:], page("3")],
    )
    assert read(client) == ["1", "2", "3"]


def test_a_listing_that_begins_anew_many_times_is_not_taken_for_endless(
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
def test_a_page_that_does_not_say_whether_there_is_another_is_asked_for_again_and_then_a_failure(
    client: AsanaClient, asana: requests_mock.Mocker, body: Any
) -> None:
    asana.get(TASKS, [{"json": body}, page("1")])
    assert read(client) == ["1"]
    asana.get(TASKS, json=body)
    with pytest.raises(AsanaFailure, match="not Asana's") as failure:
        read(client)
    assert failure.value.failure_type is FailureType.transient_error


def events_of(client: AsanaClient) -> EventWindow:
    return client.events("events", {"resource": "1"}, "t0", purpose="events")


@pytest.mark.parametrize(
    ("data", "tokens", "most"),
    [
        ([], ["t1"] * 1500, 2),
        ([], ["t0"] * 1500, 1),
        ([[{"action": "changed"}]] * 1500, ["t1"] * 1500, 2),
        ([], [f"t{n}" for n in range(1, 1500)], 1 + MOST_EMPTY_PAGES),
        (
            [[{"action": f"changed {n}"}] for n in range(1500)],
            [f"t{n}" for n in range(1, 1500)],
            MOST_EVENT_PAGES,
        ),
    ],
    ids=[
        "the same token",
        "the token that was sent",
        "the same events",
        "ever new tokens",
        "ever new events",
    ],
)
def test_events_that_never_end_are_a_failure(
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
    with pytest.raises(AsanaFailure, match=r"again and again|without an end"):
        events_of(client)
    assert len(asana.request_history) <= most


@pytest.mark.parametrize("sync", [{}, {"sync": None}, {"sync": ""}, {"sync": 7}], ids=str)
def test_a_412_without_a_new_token_is_a_failure_at_once(
    client: AsanaClient, asana: requests_mock.Mocker, sync: dict[str, Any]
) -> None:
    asana.get(f"{API}/events", status_code=412, json={"errors": [{"message": "Too old"}], **sync})
    with pytest.raises(AsanaFailure, match="no new sync token"):
        events_of(client)
    assert len(asana.request_history) == 1


@pytest.mark.parametrize("text", ["", '{"errors": ['], ids=["empty", "half"])
def test_a_412_that_was_cut_short_is_asked_for_again(
    client: AsanaClient, asana: requests_mock.Mocker, text: str
) -> None:
    whole = {"json": {"errors": [], "sync": "t1"}, "status_code": 412}
    asana.get(f"{API}/events", [{"status_code": 412, "text": text}, whole])
    assert events_of(client).token == "t1"


@pytest.mark.parametrize("sync", [{}, {"sync": None}, {"sync": ""}], ids=str)
def test_events_without_a_token_to_go_on_from_are_a_failure(
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


def test_an_answer_is_given_whatever_its_status(
    client: AsanaClient, asana: requests_mock.Mocker
) -> None:
    asana.get(TASKS, [refusal(400), refusal(403), refusal(412), page("1")])
    answers = [client.answer("tasks", {"limit": "20"}, purpose="probe") for _ in range(4)]
    assert [answer.status for answer in answers] == [400, 403, 412, 200]
    assert [request.qs["limit"] for request in asana.request_history] == [["20"]] * 4


def test_an_answer_is_waited_for_as_long_as_ever(
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


def test_every_answer_can_be_observed_also_what_is_tried_again(
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
