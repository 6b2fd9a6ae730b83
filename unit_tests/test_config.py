import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from source_asana.airbyte.errors import ConfigError
from source_asana.asana.auth import OAuth, PersonalAccessToken
from source_asana.config import (
    EXPORT,
    PORTFOLIO,
    PROJECT,
    SETTINGS,
    TEAM,
    WORKSPACE,
    Config,
    Kind,
    current_shape,
    parse_config,
    unknown_settings,
)
from source_asana.reading.filters import ALL, Filters

FORM = yaml.safe_load((files("source_asana") / "spec.yaml").read_text())["connectionSpecification"]

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
def test_credentials_without_a_title_are_recognized_by_their_fields(
    credentials: Mapping[str, str],
) -> None:
    untitled = {name: value for name, value in credentials.items() if name != "option_title"}
    assert parse_config({"credentials": untitled}) == parse_config({"credentials": credentials})


def test_unknown_settings_are_accepted_because_old_connections_have_some() -> None:
    assert parse_config({"credentials": PAT, "test_mode": True}) == parse_config(
        {"credentials": PAT}
    )


def test_a_repeated_export_id_is_read_once() -> None:
    config = parse_config({"credentials": PAT, "organization_export_ids": ["1", "2", "1"]})
    assert config.organization_export_ids == ("1", "2")


@pytest.mark.parametrize("absent", [{}, {"organization_export_ids": None, "num_workers": None}])
def test_an_absent_or_null_setting_has_its_default(absent: Mapping[str, None]) -> None:
    config = parse_config({"credentials": PAT, **absent})
    assert (config.organization_export_ids, config.num_workers) == ((), 10)


def test_by_default_nothing_is_left_out() -> None:
    filters = parse_config({"credentials": PAT}).filters
    assert filters == ALL
    assert filters.has_all_projects
    assert filters.has_project("1")
    assert filters.has_workspace("1")


@pytest.mark.parametrize(
    ("field", "value", "filters"),
    [
        ("workspace_gids", ["1", "2", "1"], Filters(workspace_gids=("1", "2"))),
        ("project_gids", ["3"], Filters(project_gids=("3",))),
        ("excluded_project_gids", ["4"], Filters(excluded_project_gids=("4",))),
        ("project_gids", [], ALL),
        ("team_gids", ["5"], Filters(team_gids=("5",))),
        ("portfolio_gids", ["6"], Filters(portfolio_gids=("6",))),
        ("workspace_gids", None, ALL),
        ("include_archived_projects", False, Filters(with_archived_projects=False)),
        ("include_archived_projects", None, ALL),
        ("include_subtasks", False, Filters(with_subtasks=False)),
        ("include_tasks_without_project", True, Filters(with_loose_tasks=True)),
        ("include_custom_field_options", False, Filters(with_enum_options=False)),
        ("start_date", None, ALL),
    ],
)
def test_each_setting_sets_its_filter(field: str, value: Any, filters: Filters) -> None:
    assert parse_config({"credentials": PAT, field: value}).filters == filters


@pytest.mark.parametrize(("given_value", "is_on"), [(None, False), (False, False), (True, True)])
def test_requests_are_skipped_only_if_the_user_wants_it(*, given_value: Any, is_on: bool) -> None:
    raw = {"credentials": PAT, "skip_tasks_without_attachments": given_value}
    assert parse_config(raw).skip_tasks_without_attachments is is_on


@pytest.mark.parametrize(
    ("given_start", "start"),
    [
        ("2026-01-31", "2026-01-31T00:00:00.000Z"),
        ("2026-01-31T10:20:30Z", "2026-01-31T10:20:30.000Z"),
        ("2026-01-31T10:20:30.456Z", "2026-01-31T10:20:30.456Z"),
        ("2024-02-29", "2024-02-29T00:00:00.000Z"),
    ],
)
def test_a_start_date_is_written_as_asana_writes_times(given_start: str, start: str) -> None:
    assert parse_config({"credentials": PAT, "start_date": given_start}).filters.start_date == start


@given(st.from_regex(FORM["properties"]["start_date"]["pattern"], fullmatch=True))
def test_a_start_date_that_the_form_accepts_is_a_time_or_the_error_names_it(
    given_start: str,
) -> None:
    try:
        start = parse_config({"credentials": PAT, "start_date": given_start}).filters.start_date
    except ConfigError as refused:
        assert "start_date" in str(refused)  # noqa: PT017 - either is right
    else:
        assert start is not None
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", start)
        assert start.startswith(given_start.rstrip("Z"))


PROJECT_URLS = [
    "https://app.asana.com/0/1205/",
    "https://app.asana.com/0/1205",
    "https://app.asana.com/0/1205/1209",
    "https://app.asana.com/0/1205/1209/f",
    "https://app.asana.com/0/1205/list",
    "https://app.asana.com/0/1205/board?sort=x#top",
    "https://app.asana.com/1/1201/project/1205",
    "https://app.asana.com/1/1201/project/1205/list/1210",
    "https://app.asana.com/1/1201/project/1205/board/1210",
    "https://app.asana.com/1/1201/project/1205/task/1209?focus=true",
    "https://app.asana.com/1/1201/project/1205/overview/",
]
WORKSPACE_URLS = [
    "https://app.asana.com/0/1201",
    "https://app.asana.com/0/1201/",
    "https://app.asana.com/1/1201",
    "https://app.asana.com/1/1201/home",
    "https://app.asana.com/1/1201/home?x=1",
    "https://app.asana.com/1/1201/project/1205/list/1210",
    "https://app.asana.com/1/1201/inbox",
]


@pytest.mark.parametrize("url", PROJECT_URLS)
@pytest.mark.parametrize("field", ["project_gids", "excluded_project_gids"])
def test_the_url_of_a_project_is_as_good_as_its_gid(field: str, url: str) -> None:
    parsed = parse_config({"credentials": PAT, field: [url, "1206", "1205"]})
    assert parsed == parse_config({"credentials": PAT, field: ["1205", "1206"]})


@pytest.mark.parametrize("url", WORKSPACE_URLS)
def test_the_url_of_a_workspace_is_as_good_as_its_gid(url: str) -> None:
    parsed = parse_config({"credentials": PAT, "workspace_gids": ["1200", url, "1201"]})
    assert parsed == parse_config({"credentials": PAT, "workspace_gids": ["1200", "1201"]})


@pytest.mark.parametrize(
    ("field", "url"),
    [
        ("team_gids", "https://app.asana.com/0/1203/overview"),
        ("team_gids", "https://app.asana.com/1/1201/team/1203"),
        ("team_gids", "https://app.asana.com/1/1201/team/1203/messages?x=1"),
        ("portfolio_gids", "https://app.asana.com/0/portfolio/1203"),
        ("portfolio_gids", "https://app.asana.com/0/portfolio/1203/list"),
        ("portfolio_gids", "https://app.asana.com/1/1201/portfolio/1203/dashboard"),
    ],
)
def test_the_url_of_a_team_or_portfolio_is_as_good_as_its_gid(field: str, url: str) -> None:
    parsed = parse_config({"credentials": PAT, field: [url, "1204", "1203"]})
    assert parsed == parse_config({"credentials": PAT, field: ["1203", "1204"]})


def test_a_project_is_the_same_by_its_url_and_its_gid() -> None:
    with pytest.raises(ConfigError, match="both contain 1205"):
        parse_config(
            {
                "credentials": PAT,
                "project_gids": ["1205"],
                "excluded_project_gids": [PROJECT_URLS[0]],
            }
        )


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("project_gid", "Unknown setting project_gid. Did you mean project_gids?"),
        ("num_worker", "Unknown setting num_worker. Did you mean num_workers?"),
        ("startDate", "Unknown setting startDate. Did you mean start_date?"),
        ("Start date", "Unknown setting Start date. Did you mean start_date?"),
        ("INCLUDE-SUBTASKS", "Unknown setting INCLUDE-SUBTASKS. Did you mean include_subtasks?"),
        ("credential", "Unknown setting credential. Did you mean credentials?"),
        ("wishes", "Unknown setting wishes. It has no effect."),
        ("", "Unknown setting . It has no effect."),
        ("a\nb\0", "Unknown setting a?b?. It has no effect."),
        ("x" * 100, f"Unknown setting {'x' * 60}…. It has no effect."),
    ],
)
def test_an_unknown_setting_is_reported_with_the_closest_known_one(name: str, warning: str) -> None:
    assert list(unknown_settings({"credentials": PAT, name: "s3cret"})) == [warning]


@pytest.mark.parametrize("name", [*SETTINGS, "access_token", "_limit", "__injected_manifest"])
def test_a_known_setting_causes_no_warning(name: str) -> None:
    assert list(unknown_settings({name: None})) == []


def test_the_code_knows_the_settings_of_the_form_in_their_order() -> None:
    fields = FORM["properties"]
    assert list(SETTINGS) == sorted(fields, key=lambda name: fields[name]["order"])


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("project_gids", PROJECT),
        ("team_gids", TEAM),
        ("portfolio_gids", PORTFOLIO),
        ("excluded_project_gids", PROJECT),
        ("workspace_gids", WORKSPACE),
        ("organization_export_ids", EXPORT),
    ],
)
def test_the_form_accepts_what_the_code_accepts(field: str, kind: Kind) -> None:
    assert FORM["properties"][field]["items"]["pattern"] == kind.pattern


def test_a_project_cannot_be_both_chosen_and_left_out() -> None:
    raw = {
        "credentials": PAT,
        "project_gids": ["1", "2", "3"],
        "excluded_project_gids": ["4", "3", "2"],
    }
    with pytest.raises(ConfigError, match="excluded_project_gids both contain 2, 3") as refused:
        parse_config(raw)
    assert "project_gids" in str(refused.value)


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
    ({"credentials": PAT, "num_workers": 9.5}, "num_workers"),
    ({"credentials": PAT, "num_workers": float("inf")}, "num_workers"),
    ({"credentials": PAT, "requests_per_minute": 60_001}, "requests_per_minute"),
    ({"credentials": PAT, "recheck_interval_minutes": 0}, "recheck_interval_minutes"),
    ({"credentials": PAT, "recheck_interval_minutes": 1_441}, "recheck_interval_minutes"),
    ({"credentials": PAT, "capture_deletions": "false"}, "capture_deletions"),
    ({"credentials": PAT, "capture_deletions": 0}, "capture_deletions"),
    ({"credentials": PAT, "organization_export_ids": "12"}, "organization_export_ids"),
    ({"credentials": PAT, "organization_export_ids": [12]}, "organization_export_ids"),
    ({"credentials": PAT, "organization_export_ids": ["1", "../2"]}, "organization_export_ids"),
    ({"credentials": PAT, "organization_export_ids": ["../users/me"]}, "organization_export_ids"),
    ({"credentials": PAT, "organization_export_ids": ["1?x="]}, "organization_export_ids"),
    ({"credentials": PAT, "organization_export_ids": ["1\n"]}, "organization_export_ids"),
    ({"credentials": PAT, "organization_export_ids": ["-1"]}, "organization_export_ids"),
    ({"credentials": PAT, "organization_export_ids": [""]}, "organization_export_ids"),
    ({"credentials": PAT, "organization_export_ids": ["\u0661"]}, "organization_export_ids"),
    ({"credentials": PAT, "organization_export_ids": ["\uff11\uff12"]}, "organization_export_ids"),
    ({"credentials": PAT, "workspace_gids": "12"}, "workspace_gids"),
    ({"credentials": PAT, "workspace_gids": ["1", 2]}, "workspace_gids"),
    ({"credentials": PAT, "project_gids": {"1": True}}, "project_gids"),
    ({"credentials": PAT, "team_gids": ["https://app.asana.com/1/1/project/2"]}, "team_gids"),
    ({"credentials": PAT, "portfolio_gids": ["https://app.asana.com/0/1/2"]}, "portfolio_gids"),
    ({"credentials": PAT, "project_gids": ["https://app.asana.com/0/0/1/f"]}, "project_gids"),
    ({"credentials": PAT, "project_gids": ["https://app.asana.com/0/inbox/1"]}, "project_gids"),
    ({"credentials": PAT, "project_gids": ["https://app.asana.com/1/1/home"]}, "project_gids"),
    ({"credentials": PAT, "project_gids": ["https://app.asana.com/1/1/task/2"]}, "project_gids"),
    ({"credentials": PAT, "project_gids": ["https://app.asana.com/0/1x"]}, "project_gids"),
    ({"credentials": PAT, "project_gids": ["https://app.example.com/0/1"]}, "project_gids"),
    ({"credentials": PAT, "project_gids": ["app.asana.com.example/0/1"]}, "project_gids"),
    ({"credentials": PAT, "project_gids": ["https://app.asana.com/0/1/\n"]}, "project_gids"),
    ({"credentials": PAT, "workspace_gids": ["https://app.asana.com/0/1/list"]}, "workspace_gids"),
    ({"credentials": PAT, "workspace_gids": ["https://app.asana.com/home"]}, "workspace_gids"),
    (
        {"credentials": PAT, "organization_export_ids": ["https://app.asana.com/0/1"]},
        "organization_export_ids",
    ),
    ({"credentials": PAT, "excluded_project_gids": ["../users/me"]}, "excluded_project_gids"),
    ({"credentials": PAT, "excluded_project_gids": [None]}, "excluded_project_gids"),
    ({"credentials": PAT, "include_archived_projects": "no"}, "include_archived_projects"),
    ({"credentials": PAT, "include_subtasks": 0}, "include_subtasks"),
    ({"credentials": PAT, "include_tasks_without_project": "true"}, "tasks_without_project"),
    ({"credentials": PAT, "include_custom_field_options": []}, "include_custom_field_options"),
    ({"credentials": PAT, "skip_tasks_without_attachments": "yes"}, "tasks_without_attachments"),
    ({"credentials": PAT, "start_date": ""}, "start_date"),
    ({"credentials": PAT, "start_date": "yesterday"}, "start_date"),
    ({"credentials": PAT, "start_date": 20260131}, "start_date"),
    ({"credentials": PAT, "start_date": "20260131"}, "start_date"),
    ({"credentials": PAT, "start_date": "2026-02-30"}, "start_date"),
    ({"credentials": PAT, "start_date": "2026-13-01"}, "start_date"),
    ({"credentials": PAT, "start_date": "2026-1-3"}, "start_date"),
    ({"credentials": PAT, "start_date": "1-1-1"}, "start_date"),
    ({"credentials": PAT, "start_date": "31.01.2026"}, "start_date"),
    ({"credentials": PAT, "start_date": " 2026-01-31"}, "start_date"),
    ({"credentials": PAT, "start_date": "2026-01-31T25:00:00Z"}, "start_date"),
    ({"credentials": PAT, "start_date": "2026-01-31T10:00:00"}, "start_date"),
    ({"credentials": PAT, "start_date": "2026-01-31T10:00:00+01:00"}, "start_date"),
    ({"credentials": PAT, "start_date": "2026-01-31T10:00:00.1Z"}, "start_date"),
    ({"credentials": PAT, "start_date": "\uff12026-01-31"}, "start_date"),
    ({"credentials": PAT, "start_date": ["2026-01-31"]}, "start_date"),
]


@pytest.mark.parametrize(("raw", "named"), WRONG)
def test_the_error_names_a_wrong_field_without_repeating_its_value(
    raw: Mapping[str, Any], named: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(named)) as refused:
        parse_config(raw)
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert "1/2:token" not in sentence
    assert "pasted" not in sentence


def test_the_oldest_format_is_converted_to_the_current_one() -> None:
    old = {"access_token": "1/2:token", "organization_export_ids": ["7"]}
    assert current_shape(old) == {"credentials": PAT, "organization_export_ids": ["7"]}


def test_a_current_config_is_not_changed() -> None:
    for config in ({"credentials": PAT}, {"credentials": PAT, "access_token": "left over"}):
        assert current_shape(config) == config


def test_an_old_config_with_empty_credentials_is_converted_to_the_current_format() -> None:
    assert current_shape({"access_token": "1/2:token", "credentials": None}) == {"credentials": PAT}


@pytest.mark.parametrize("nothing", [None, 12, ["1/2:token"], {}])
def test_a_config_with_invalid_credentials_is_not_returned(nothing: Any) -> None:
    assert current_shape({"access_token": nothing}) == {"access_token": nothing}


def test_a_whole_number_may_have_a_decimal_point() -> None:
    config = parse_config({"credentials": PAT, "num_workers": 7.0})
    assert config.num_workers == 7
    assert isinstance(config.num_workers, int)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
HOSTILE = st.sampled_from(
    [
        "",
        " ",
        "\0",
        "../../users/me",
        "1?opt_fields=",
        "1%2F2",
        "'; --",
        "\uff11",
        "é",
        "\u202e1",
        "-1",
    ]
)


URLS = [*PROJECT_URLS, *WORKSPACE_URLS, "https://app.asana.com/0/0/1", "https://app.asana.com"]


def possible_values(question: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a user may enter in a field of the form: often valid, often not."""
    answers: st.SearchStrategy[Any]
    match question:
        case {"const": title}:
            answers = st.just(title) | ANYTHING
        case {"airbyte_secret": True}:
            answers = st.just("s3cret/of:somebody") | ANYTHING.filter(
                lambda v: not isinstance(v, str)
            )
        case {"type": "integer", "minimum": least, "maximum": most}:
            near = st.integers(least - 1, least + 1) | st.integers(most - 1, most + 1)
            answers = near | near.map(float) | near.map(str) | ANYTHING
        case {"type": "array", "items": {"pattern": _}}:
            gids = st.integers(0, 10**16).map(str) | st.sampled_from(URLS)
            answers = st.lists(gids) | st.lists(gids | HOSTILE | ANYTHING) | gids | ANYTHING
        case {"type": "object", "oneOf": forms}:
            answers = st.one_of(*(configs(form) for form in forms)) | ANYTHING
        case {"type": "boolean"}:
            answers = st.booleans() | ANYTHING
        case {"type": "string"}:
            answers = st.sampled_from(question.get("examples", [""])) | HOSTILE | ANYTHING
        case _:
            pytest.fail(f"no answers to {question}")
    return answers


def configs(form: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Configs that a user may save: each field is valid, absent, null or anything else."""
    fields = {name: possible_values(question) for name, question in form["properties"].items()}
    return st.fixed_dictionaries(
        {name: answer for name, answer in fields.items() if name in form["required"]},
        optional={name: answer for name, answer in fields.items() if name not in form["required"]},
    ) | st.fixed_dictionaries({}, optional=fields)


def wrong_fields(raw: Mapping[str, Any]) -> Iterator[str]:
    """The fields that the form would mark as wrong if it treated null as empty."""
    filled = {name: value for name, value in raw.items() if value is not None}
    for error in Draft7Validator(FORM).iter_errors(filled):
        yield str(error.path[0]) if error.path else "credentials"


def contradicts_itself(raw: Mapping[str, Any]) -> bool:
    """Whether two fields that the form accepts contradict each other."""
    chosen, excluded = (
        {"".join(*re.findall(PROJECT.pattern, entry)) for entry in raw.get(name) or ()}
        for name in ("project_gids", "excluded_project_gids")
    )
    return bool(chosen & excluded)


def assert_settings_match_the_form(raw: Mapping[str, Any]) -> None:
    wrong = set(wrong_fields(raw))
    if not wrong and contradicts_itself(raw):
        wrong = {"project_gids"}
    if not wrong:
        parse_config(raw)
        return
    with pytest.raises(ConfigError) as refused:
        parse_config(raw)
    assert any(name in str(refused.value) for name in wrong)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("name", FORM["properties"])
@given(data=st.data())
def test_what_the_form_accepts_is_accepted_and_otherwise_the_error_names_the_field(
    name: str, data: st.DataObject
) -> None:
    answer = data.draw(possible_values(FORM["properties"][name]), label=name)
    assert_settings_match_the_form({"credentials": PAT, name: answer})


@given(configs(FORM))
def test_the_error_names_one_of_several_wrong_fields(raw: dict[str, Any]) -> None:
    assert_settings_match_the_form(raw)


@given(st.text() | st.text(st.characters(min_codepoint=33, max_codepoint=126)))
def test_a_token_is_valid_in_a_header_or_refused(given_token: str) -> None:
    try:
        config = parse_config({"credentials": {"personal_access_token": given_token}})
    except ConfigError:
        return
    assert isinstance(config.credentials, PersonalAccessToken)
    assert re.fullmatch("[!-~]+", config.credentials.personal_access_token)
    assert config.credentials.personal_access_token in given_token


@given(st.from_regex(PROJECT.pattern) | st.from_regex(WORKSPACE.pattern) | st.text() | HOSTILE)
@pytest.mark.parametrize("field", ["project_gids", "excluded_project_gids", "workspace_gids"])
def test_only_digits_reach_an_address_whatever_the_url(field: str, entry: str) -> None:
    try:
        filters = parse_config({"credentials": PAT, field: [entry]}).filters
    except ConfigError:
        return
    (gid,) = getattr(filters, field)
    assert re.fullmatch("[0-9]+", gid)
    assert gid in entry


@given(st.lists(st.text("0123456789") | st.text("\n ./?&%\u0661\uff110") | HOSTILE, min_size=1))
def test_only_digits_reach_an_address(gids: list[str]) -> None:
    try:
        config = parse_config({"credentials": PAT, "organization_export_ids": gids})
    except ConfigError:
        assert not all(re.fullmatch("[0-9]+", gid) for gid in gids)
    else:
        assert all(re.fullmatch("[0-9]+", gid) for gid in config.organization_export_ids)
        assert set(config.organization_export_ids) == set(gids)
