"""Personal access tokens, and OAuth."""

import time
from typing import Any

import pytest
import requests

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.emulator_tests.asking import ask, message, told

pytestmark = pytest.mark.once


def test_a_request_without_a_good_token_is_a_401_whatever_it_asks(asana: AsanaEmulator) -> None:
    token = asana.tokens.pat("member")
    asana.tokens.revoke(token)
    for bearer in (token, "nonsense"):
        for path in ("/users/me", "/nothing", "/tasks"):
            refused = ask(asana, path, bearer)
            assert refused.status_code == 401
            assert message(refused) == "Not Authorized"
    assert requests.get(f"{asana.base_url}/users/me", timeout=10).status_code == 401
    assert ask(asana, "/users/me").status_code == 200


def exchange(asana: AsanaEmulator, timeout: float = 10, /, **form: str) -> requests.Response:
    whole = {
        "grant_type": "refresh_token",
        "client_id": asana.tokens.client_id,
        "client_secret": asana.tokens.client_secret,
        "refresh_token": asana.tokens.refresh_token,
        **form,
    }
    return requests.post(asana.token_url, data=whole, timeout=timeout)


def test_a_refresh_token_gets_short_lived_access_tokens(asana: AsanaEmulator) -> None:
    granted = exchange(asana).json()
    assert granted["token_type"] == "bearer"
    assert granted["expires_in"] == 3600
    assert "refresh_token" not in granted
    me = told(asana, "/users/me", granted["access_token"])["data"]
    assert me["gid"] == asana.account.people["member"].user
    asana.account.clock.advance(3601)
    assert ask(asana, "/users/me", granted["access_token"]).status_code == 401
    assert told(asana, "/users/me", exchange(asana).json()["access_token"])


def test_access_tokens_can_be_made_to_expire(asana: AsanaEmulator) -> None:
    token = exchange(asana).json()["access_token"]
    asana.tokens.expire_access_tokens()
    assert ask(asana, "/users/me", token).status_code == 401


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"refresh_token": "wrong"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_a_wrong_exchange_is_refused(
    asana: AsanaEmulator, form: dict[str, str], status: int, error: str
) -> None:
    refused = exchange(asana, **form)
    assert (refused.status_code, refused.json()["error"]) == (status, error)


def test_a_revoked_refresh_token_gets_nothing(asana: AsanaEmulator) -> None:
    asana.tokens.revoke(asana.tokens.refresh_token)
    assert exchange(asana).json()["error"] == "invalid_grant"


def test_a_refresh_token_may_rotate(asana: AsanaEmulator) -> None:
    asana.tokens.rotate_refresh_token = True
    first = asana.tokens.refresh_token
    second = exchange(asana).json()["refresh_token"]
    assert second != first
    assert exchange(asana, refresh_token=first).status_code == 400
    assert exchange(asana, refresh_token=second).status_code == 200


def test_the_token_endpoint_can_fail_and_be_slow(asana: AsanaEmulator) -> None:
    asana.controls.fail("/-/oauth_token", 503)
    asana.controls.fail("/-/oauth_token", "html")
    asana.controls.fail("/-/oauth_token", "stall", seconds=0.2)
    assert exchange(asana).status_code == 503
    assert exchange(asana).headers["Content-Type"] == "text/html"
    begun = time.monotonic()
    assert exchange(asana).status_code == 200
    assert time.monotonic() - begun >= 0.2


@pytest.mark.parametrize(
    ("kind", "missing"), [("without_expiry", "expires_in"), ("without_token", "access_token")]
)
def test_a_grant_can_lack_fields(asana: AsanaEmulator, kind: Any, missing: str) -> None:
    whole = exchange(asana).json()
    asana.controls.fail("/-/oauth_token", kind)
    odd = exchange(asana)
    assert odd.status_code == 200
    assert set(odd.json()) == set(whole) - {missing}
    assert set(exchange(asana).json()) == set(whole)


@pytest.mark.parametrize("said", ["0", -1, None, [3600]], ids=str)
def test_a_grant_can_have_any_lifetime(asana: AsanaEmulator, said: Any) -> None:
    asana.tokens.expires_in = said
    granted = exchange(asana).json()
    assert granted["expires_in"] == said
    assert ask(asana, "/users/me", granted["access_token"]).status_code == 200


def test_a_grant_can_be_refused_once(asana: AsanaEmulator) -> None:
    asana.controls.fail("/-/oauth_token", "invalid_grant")
    refused = exchange(asana)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert asana.tokens.refreshes == 0
    assert exchange(asana).status_code == 200


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset", requests.ConnectionError),
        ("hang", requests.exceptions.ReadTimeout),
        ("reset_body", requests.exceptions.ChunkedEncodingError),
        ("portal", requests.exceptions.JSONDecodeError),
        ("bad_gzip", requests.exceptions.ContentDecodingError),
    ],
)
def test_a_grant_can_be_damaged_like_any_answer(
    asana: AsanaEmulator, kind: Any, error: type[Exception]
) -> None:
    asana.controls.fail("/-/oauth_token", kind, seconds=60)
    with pytest.raises(error):
        exchange(asana, 1).json()
    assert exchange(asana).json()["access_token"]


@pytest.mark.parametrize("kind", ["slow", "trickle"])
def test_a_grant_can_come_slowly(asana: AsanaEmulator, kind: Any) -> None:
    asana.controls.fail("/-/oauth_token", kind, seconds=0.4)
    begun = time.monotonic()
    assert exchange(asana).json()["access_token"]
    assert time.monotonic() - begun >= 0.3


def test_odd_grants_are_possible_only_at_the_token_endpoint(asana: AsanaEmulator) -> None:
    fault = asana.controls.fail("*", "without_token")
    assert ask(asana, "/users/me").status_code == 200
    assert fault.happened == 0
    assert "access_token" not in exchange(asana).json()
