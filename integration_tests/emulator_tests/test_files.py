"""The storage of attachments: another host, and links that expire."""

from collections.abc import Iterator
from hashlib import sha256

import pytest
import requests

from integration_tests.asana_emulator import AsanaEmulator, make_account
from integration_tests.asana_emulator.files import FileTrouble
from integration_tests.emulator_tests.asking import told

GID = "1209000000000001"


@pytest.fixture(scope="module")
def asana() -> Iterator[AsanaEmulator]:
    with AsanaEmulator(make_account("sample"), serves_files=True) as emulator:
        yield emulator


def link(asana: AsanaEmulator) -> str:
    """The link that Asana gives now."""
    data = told(asana, f"/attachments/{GID}", opt_fields="download_url")["data"]
    return str(data["download_url"])


def get(url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers=headers, timeout=10)


def test_a_link_gives_the_whole_file_on_another_port_without_a_token(asana: AsanaEmulator) -> None:
    answer = get(link(asana))
    assert not link(asana).startswith(asana.url)
    assert len(answer.content) == asana.account.attachment(GID).size
    assert sha256(answer.content).hexdigest() == asana.files.digest(GID)


def test_a_token_beside_the_signature_is_refused(asana: AsanaEmulator) -> None:
    answer = get(link(asana), Authorization="Bearer token")
    assert answer.status_code == 400
    assert "Only one auth mechanism allowed" in answer.text
    assert asana.files.requests[-1].headers["authorization"] == "Bearer token"


def test_an_expired_link_is_refused_and_asana_gives_another_one(asana: AsanaEmulator) -> None:
    old = link(asana)
    asana.files.expire(GID)
    assert get(old).status_code == 403
    assert "Request has expired" in get(old).text
    assert get(link(asana)).status_code == 200


def test_a_link_without_its_signature_is_refused(asana: AsanaEmulator) -> None:
    assert get(link(asana).partition("?")[0]).status_code == 403


def test_a_file_that_does_not_exist_is_not_found(asana: AsanaEmulator) -> None:
    assert get(link(asana).replace(GID, "1209000000999999")).status_code == 404


def test_an_unknown_trouble_is_an_error() -> None:
    with pytest.raises(ValueError, match="no such trouble"):
        FileTrouble("nonsense")  # type: ignore[arg-type]


def test_without_files_links_lead_nowhere(sample: AsanaEmulator) -> None:
    assert link(sample).startswith("https://s3.amazonaws.com/")
