import threading
import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

import pytest
import requests
import requests_mock

from source_asana.asana.auth import OAuth, OAuthToken
from source_asana.asana.connection import Connection
from source_asana.asana.errors import SetupError, TokenUnavailable
from source_asana.asana.rate_limit import Stopped
from source_asana.asana.retry import RetryPolicy

ASANA = "https://asana.example"
TOKEN_URL = f"{ASANA}/-/oauth_token"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[tuple[str, str | None]]:
    return []


def oauth(
    clock: Clock,
    sleep: Callable[[float], None],
    tell: Callable[[str, str | None], None] = lambda *_: None,
    say_wait: Callable[[str, float], None] = lambda *_: None,
) -> OAuthToken:
    return OAuthToken(
        OAuth(client_id="id", client_secret="app secret", refresh_token="refresh secret"),
        asana_url=ASANA,
        connection=Connection(ASANA, threads=1),
        sleep=sleep,
        tell=tell,
        say_wait=say_wait,
        retry=RetryPolicy(patience_seconds=60),
        clock=clock,
    )


@pytest.fixture
def token(clock: Clock, told: list[tuple[str, str | None]]) -> OAuthToken:
    return oauth(clock, clock.sleep, lambda *secrets: told.append(secrets))


@pytest.fixture
def asana() -> Iterator[requests_mock.Mocker]:
    with requests_mock.Mocker() as mocker:
        yield mocker


def issued(name: str, expires_in: int = 3600, **more: str) -> dict[str, Any]:
    return {"json": {"access_token": name, "expires_in": expires_in, **more}}


def test_the_refresh_token_is_exchanged_for_an_access_token(
    token: OAuthToken, asana: requests_mock.Mocker
) -> None:
    asana.post(TOKEN_URL, **issued("one"))
    assert token.current() == "one"
    form = asana.request_history[-1].text
    assert form == (
        "grant_type=refresh_token&client_id=id&client_secret=app+secret"
        "&refresh_token=refresh+secret"
    )
    assert asana.request_history[-1].timeout is not None


@pytest.mark.parametrize(
    ("lifetime", "renewed_after"),
    [(3600, 3300), (200, 100), (100, 60), (1, 60), (10**12, 10**12 - 300)],
)
def test_an_access_token_is_renewed_before_it_expires(
    token: OAuthToken,
    asana: requests_mock.Mocker,
    clock: Clock,
    lifetime: int,
    renewed_after: int,
) -> None:
    asana.post(TOKEN_URL, [issued("one", lifetime), issued("two", lifetime)])
    assert token.current() == "one"
    clock.now += renewed_after - 1
    assert token.current() == "one"
    clock.now += 1
    assert token.current() == "two"


def test_many_workers_renew_a_rejected_token_once(
    token: OAuthToken, asana: requests_mock.Mocker
) -> None:
    asana.post(TOKEN_URL, [issued("one"), issued("two")])
    token.current()
    workers = [threading.Thread(target=token.renew, args=["one"]) for _ in range(25)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert token.current() == "two"
    assert asana.call_count == 2


def test_a_new_refresh_token_is_reported_and_used_from_then_on(
    token: OAuthToken, asana: requests_mock.Mocker, told: list[tuple[str, str | None]]
) -> None:
    asana.post(TOKEN_URL, [issued("one", refresh_token="rotated"), issued("two")])
    token.current()
    assert told == [("one", "rotated")]
    token.renew("one")
    assert asana.request_history[-1].text.endswith("refresh_token=rotated")


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_refresh_token_asks_the_user_to_authenticate_again(
    token: OAuthToken, asana: requests_mock.Mocker, status: int
) -> None:
    refused = {"error": "invalid_grant", "error_description": "no refresh secret"}
    asana.post(TOKEN_URL, status_code=status, json=refused)
    with pytest.raises(SetupError, match="Authenticate again") as error:
        token.current()
    assert "invalid_grant" in str(error.value)
    assert "refresh secret" not in str(error.value)
    assert asana.call_count == 1


def test_a_refused_refresh_token_is_not_sent_again_by_a_worker_that_comes_later(
    token: OAuthToken, asana: requests_mock.Mocker, clock: Clock
) -> None:
    refused = {"status_code": 400, "json": {"error": "invalid_grant"}}
    asana.post(TOKEN_URL, [issued("one"), refused, issued("two")])
    token.current()
    for _ in range(2):
        clock.now += 1
        with pytest.raises(SetupError):
            token.renew("one")
    assert asana.call_count == 2


def test_a_transient_fault_of_the_token_endpoint_is_retried(
    token: OAuthToken, asana: requests_mock.Mocker
) -> None:
    faults: list[dict[str, Any]] = [
        {"exc": requests.ConnectTimeout()},
        {"status_code": 502, "text": "<html>"},
        {"status_code": 503, "json": {}},
    ]
    asana.post(TOKEN_URL, [*faults, issued("one")])
    assert token.current() == "one"


def test_retries_of_the_token_endpoint_end_with_the_patience(
    token: OAuthToken, asana: requests_mock.Mocker, clock: Clock
) -> None:
    asana.post(TOKEN_URL, exc=requests.ConnectionError())
    with pytest.raises(TokenUnavailable):
        token.current()
    assert clock.now <= 1060
    assert asana.call_count == 6


def test_a_worker_that_waited_for_a_token_shares_the_failure(
    clock: Clock, asana: requests_mock.Mocker
) -> None:
    asks = threading.Barrier(2)

    def sleep(seconds: float) -> None:
        if seconds and clock.now == 1000:
            asks.wait(timeout=10)  # the other one is about to ask
        clock.now += seconds

    token = oauth(clock, sleep)
    asana.post(TOKEN_URL, exc=requests.ConnectionError())
    failures: SimpleQueue[TokenUnavailable] = SimpleQueue()

    def ask() -> None:
        try:
            token.current()
        except TokenUnavailable as failure:
            failures.put(failure)

    first = threading.Thread(target=ask)
    first.start()
    while not asana.called:
        time.sleep(0.001)
    second = threading.Thread(target=ask)
    second.start()
    while not second.is_alive():
        time.sleep(0.001)
    time.sleep(0.05)
    asks.wait(timeout=10)
    first.join()
    second.join()
    assert failures.get() is failures.get()
    assert asana.call_count == 6


@pytest.mark.parametrize(
    "expires_in",
    [None, "soon", "", [], 0, "0", -5, "-1", "NaN", "inf", "1e999", True, False, [3600], {"s": 1}],
    ids=repr,
)
def test_a_malformed_lifetime_counts_as_an_hour(
    token: OAuthToken, asana: requests_mock.Mocker, clock: Clock, expires_in: Any
) -> None:
    answers = [
        {"json": {"access_token": name, "expires_in": expires_in}} for name in ("one", "two")
    ]
    asana.post(TOKEN_URL, answers)
    assert token.current() == "one"
    clock.now += 3299
    assert token.current() == "one"
    clock.now += 1
    assert token.current() == "two"


def test_a_403_from_a_gateway_does_not_refuse_the_token(
    token: OAuthToken, asana: requests_mock.Mocker
) -> None:
    html = {"status_code": 403, "text": "<html>", "headers": {"Content-Type": "text/html"}}
    asana.post(TOKEN_URL, [html, issued("one")])
    assert token.current() == "one"


@pytest.mark.parametrize(
    "odd", [None, "", 12, ["one"], {"one": 1}, "on e", "o\nne", "öne"], ids=ascii
)
def test_a_malformed_access_token_is_not_used(
    token: OAuthToken, asana: requests_mock.Mocker, odd: Any
) -> None:
    asana.post(TOKEN_URL, [{"json": {"access_token": odd}}, issued("one")])
    assert token.current() == "one"


@pytest.mark.parametrize("odd", ["", 12, ["one"], "on e", "o\nne", "öne"], ids=ascii)
def test_a_malformed_refresh_token_is_not_used(
    token: OAuthToken, asana: requests_mock.Mocker, told: list[tuple[str, str | None]], odd: Any
) -> None:
    asana.post(TOKEN_URL, [issued("one", refresh_token=odd), issued("two")])
    token.current()
    assert told == [("one", None)]
    token.renew("one")
    assert asana.request_history[-1].text.endswith("refresh_token=refresh+secret")


def test_a_new_refresh_token_is_reported_before_the_access_token_can_be_used(
    clock: Clock, asana: requests_mock.Mocker
) -> None:
    asana.post(TOKEN_URL, [issued("one", refresh_token="rotated"), issued("two")])

    def tell(_: str, new: str | None) -> None:
        if new:
            raise BrokenPipeError

    token = oauth(clock, clock.sleep, tell)
    with pytest.raises(BrokenPipeError):
        token.current()
    assert token.current() == "two"
    assert asana.request_history[-1].text.endswith("refresh_token=rotated")


@pytest.mark.parametrize(
    ("retry_after", "waited"),
    [("7", 7), ("60", 60), ("0", 1), ("0.001", 0.5), ("soon", 1), ("-5", 1)],
)
def test_the_token_endpoint_is_retried_when_it_says_so(
    clock: Clock, asana: requests_mock.Mocker, retry_after: str, waited: float
) -> None:
    waits: list[tuple[str, float]] = []
    token = oauth(clock, clock.sleep, say_wait=lambda *wait: waits.append(wait))
    busy = {"status_code": 429, "headers": {"Retry-After": retry_after}, "json": {}}
    asana.post(TOKEN_URL, [busy, issued("one")])
    assert token.current() == "one"
    assert waits == [("HTTP 429", waited)]
    assert clock.now == 1000 + waited


@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_beyond_the_patience_ends_the_retries(
    token: OAuthToken, asana: requests_mock.Mocker, clock: Clock, status: int
) -> None:
    busy = {"status_code": status, "headers": {"Retry-After": "61"}, "json": {}}
    asana.post(TOKEN_URL, [busy, issued("one")])
    with pytest.raises(TokenUnavailable, match=f"HTTP {status}, try again in 2 minutes"):
        token.current()
    assert clock.now == 1000


def test_short_waits_for_the_token_endpoint_end_with_the_patience(
    token: OAuthToken, asana: requests_mock.Mocker, clock: Clock
) -> None:
    asana.post(TOKEN_URL, status_code=429, headers={"Retry-After": "7"}, json={})
    with pytest.raises(TokenUnavailable):
        token.current()
    assert asana.call_count == 1 + 60 // 7
    assert clock.now <= 1060


def test_no_token_is_requested_after_the_sync_has_ended(
    clock: Clock, asana: requests_mock.Mocker
) -> None:
    def sleep(_: float) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        oauth(clock, sleep).current()
    assert not asana.called


def test_the_end_of_a_sync_waits_for_a_renewal(clock: Clock, asana: requests_mock.Mocker) -> None:
    has_begun, may_end = threading.Event(), threading.Event()
    told: list[str] = []

    def answer(*_: object) -> dict[str, Any]:
        has_begun.set()
        may_end.wait(timeout=10)
        return {"access_token": "one"}

    def tell(secret: str, _: str | None) -> None:
        told.append(secret)

    token = oauth(clock, clock.sleep, tell)
    asana.post(TOKEN_URL, json=answer)
    renewing = threading.Thread(target=token.current)
    renewing.start()
    has_begun.wait(timeout=10)
    token.settle(0.01)  # it does not wait forever
    assert told == []
    threading.Timer(0.05, may_end.set).start()
    token.settle(10)
    assert told == ["one"]
    renewing.join()
