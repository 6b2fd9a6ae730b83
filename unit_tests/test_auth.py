import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import requests_mock
from airbyte_cdk.models import FailureType

from source_asana.auth import OAuthToken
from source_asana.errors import AsanaFailure, ConfigError

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
def token(clock: Clock) -> OAuthToken:
    return OAuthToken(
        client_id="id",
        client_secret="app secret",
        refresh_token="refresh secret",
        asana_url=ASANA,
        sleep=clock.sleep,
        clock=clock,
    )


@pytest.fixture
def asana() -> Iterator[requests_mock.Mocker]:
    with requests_mock.Mocker() as mocker:
        yield mocker


def bought(name: str, expires_in: int = 3600, **more: str) -> dict[str, Any]:
    return {"json": {"access_token": name, "expires_in": expires_in, **more}}


def test_the_refresh_token_buys_an_access_token(
    token: OAuthToken, asana: requests_mock.Mocker
) -> None:
    asana.post(TOKEN_URL, **bought("one"))
    signed = token(requests.Request("GET", f"{ASANA}/api/1.0/users/me").prepare())
    assert signed.headers["Authorization"] == "Bearer one"
    form = asana.request_history[-1].text
    assert form == (
        "grant_type=refresh_token&client_id=id&client_secret=app+secret"
        "&refresh_token=refresh+secret"
    )
    assert asana.request_history[-1].timeout is not None


@pytest.mark.parametrize(("lifetime", "renewed_after"), [(3600, 3300), (100, 50)])
def test_an_access_token_is_renewed_before_it_ends(
    token: OAuthToken,
    asana: requests_mock.Mocker,
    clock: Clock,
    lifetime: int,
    renewed_after: int,
) -> None:
    asana.post(TOKEN_URL, [bought("one", lifetime), bought("two", lifetime)])
    assert token.current() == "one"
    clock.now += renewed_after - 1
    assert token.current() == "one"
    clock.now += 1
    assert token.current() == "two"


def test_many_workers_whose_token_was_rejected_renew_it_once(
    token: OAuthToken, asana: requests_mock.Mocker
) -> None:
    asana.post(TOKEN_URL, [bought("one"), bought("two")])
    token.current()
    workers = [threading.Thread(target=token.renew, args=["Bearer one"]) for _ in range(25)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert token.current() == "two"
    assert asana.call_count == 2


def test_a_refresh_token_that_asana_rotates_is_used_from_then_on(
    token: OAuthToken, asana: requests_mock.Mocker
) -> None:
    asana.post(TOKEN_URL, [bought("one", refresh_token="rotated"), bought("two")])
    token.current()
    token.renew("Bearer one")
    assert asana.request_history[-1].text.endswith("refresh_token=rotated")


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_refresh_token_asks_the_user_to_sign_in_again(
    token: OAuthToken, asana: requests_mock.Mocker, status: int
) -> None:
    refused = {"error": "invalid_grant", "error_description": "no refresh secret"}
    asana.post(TOKEN_URL, status_code=status, json=refused)
    with pytest.raises(ConfigError, match="authenticate with Asana again") as error:
        token.current()
    assert "invalid_grant" in str(error.value)
    assert "refresh secret" not in str(error.value)
    assert asana.call_count == 1


def test_a_token_endpoint_that_stumbles_is_asked_again(
    token: OAuthToken, asana: requests_mock.Mocker
) -> None:
    faults: list[dict[str, Any]] = [
        {"exc": requests.ConnectTimeout()},
        {"status_code": 502, "text": "<html>"},
        {"status_code": 503, "json": {}},
    ]
    asana.post(TOKEN_URL, [*faults, bought("one")])
    assert token.current() == "one"


def test_a_token_endpoint_that_is_down_is_given_up(
    token: OAuthToken, asana: requests_mock.Mocker
) -> None:
    asana.post(TOKEN_URL, exc=requests.ConnectionError())
    with pytest.raises(AsanaFailure) as failure:
        token.current()
    assert failure.value.failure_type is FailureType.transient_error
    assert asana.call_count == 4
