import re
from collections.abc import Mapping
from typing import Any

import pytest

from source_asana.config import Config, OAuth, PersonalAccessToken, migrated, parse_config
from source_asana.errors import ConfigError

PAT = {"option_title": "PAT Credentials", "personal_access_token": "1/2:token"}
OAUTH = {
    "option_title": "OAuth Credentials",
    "client_id": "id",
    "client_secret": "secret",
    "refresh_token": "refresh",
}


def test_a_personal_access_token_is_enough() -> None:
    assert parse_config({"credentials": PAT}) == Config(PersonalAccessToken("1/2:token"))


def test_oauth_needs_the_app_and_the_refresh_token() -> None:
    assert parse_config({"credentials": OAUTH}).credentials == OAuth("id", "secret", "refresh")


@pytest.mark.parametrize("credentials", [PAT, OAUTH], ids=["pat", "oauth"])
def test_credentials_without_a_title_are_known_by_what_they_hold(
    credentials: Mapping[str, str],
) -> None:
    untitled = {name: value for name, value in credentials.items() if name != "option_title"}
    assert parse_config({"credentials": untitled}) == parse_config({"credentials": credentials})


def test_unknown_names_are_let_pass_for_old_connections_have_some() -> None:
    assert parse_config({"credentials": PAT, "test_mode": True}) == parse_config(
        {"credentials": PAT}
    )


def test_an_export_id_that_stands_twice_is_read_once() -> None:
    config = parse_config({"credentials": PAT, "organization_export_ids": ["1", "2", "1"]})
    assert config.organization_export_ids == ("1", "2")


@pytest.mark.parametrize("absent", [{}, {"organization_export_ids": None, "num_workers": None}])
def test_what_is_absent_or_null_has_its_default(absent: Mapping[str, None]) -> None:
    config = parse_config({"credentials": PAT, **absent})
    assert (config.organization_export_ids, config.num_workers) == ((), 10)


WRONG: list[tuple[Mapping[str, Any], str]] = [
    ({}, "no credentials"),
    ({"credentials": "token"}, "no credentials"),
    ({"credentials": PAT | {"option_title": "Password"}}, "option_title"),
    ({"credentials": PAT | {"option_title": None}}, "option_title"),
    ({"credentials": PAT | {"option_title": ["x"]}}, "option_title"),
    ({"credentials": PAT | {"personal_access_token": ""}}, "personal_access_token"),
    ({"credentials": PAT | {"personal_access_token": 12}}, "personal_access_token"),
    ({"credentials": PAT | {"personal_access_token": "pasted\nbadly"}}, "personal_access_token"),
    ({"credentials": PAT | {"personal_access_token": "naïve"}}, "personal_access_token"),
    ({"credentials": OAUTH | {"client_id": None}}, "client_id"),
    ({"credentials": OAUTH | {"client_secret": " "}}, "client_secret"),
    ({"credentials": OAUTH | {"refresh_token": {}}}, "refresh_token"),
    ({"credentials": PAT, "num_workers": 0}, "num_workers"),
    ({"credentials": PAT, "num_workers": 26}, "num_workers"),
    ({"credentials": PAT, "num_workers": "10"}, "num_workers"),
    ({"credentials": PAT, "num_workers": True}, "num_workers"),
    ({"credentials": PAT, "organization_export_ids": "12"}, "organization_export_ids"),
    ({"credentials": PAT, "organization_export_ids": [12]}, "organization_export_ids"),
    ({"credentials": PAT, "organization_export_ids": ["1", "../2"]}, "organization_export_ids"),
    ({"credentials": PAT, "organization_export_ids": ["\u0661"]}, "organization_export_ids"),
]


@pytest.mark.parametrize(("raw", "named"), WRONG)
def test_a_wrong_field_is_named_in_a_sentence_that_does_not_repeat_its_value(
    raw: Mapping[str, Any], named: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(named)) as refused:
        parse_config(raw)
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert "1/2:token" not in sentence
    assert "pasted" not in sentence


def test_the_oldest_shape_becomes_todays() -> None:
    old = {"access_token": "1/2:token", "organization_export_ids": ["7"]}
    assert migrated(old) == {"credentials": PAT, "organization_export_ids": ["7"]}


def test_a_config_of_today_is_left_alone() -> None:
    assert migrated({"credentials": PAT}) is None
    assert migrated({"credentials": PAT, "access_token": "left over"}) is None
