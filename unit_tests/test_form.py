"""The form Airbyte draws from the spec: its order and words, and that old configs stay valid.

https://docs.airbyte.com/platform/connector-development/connector-specification-reference
"""

import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.sources.utils.schema_helpers import check_config_against_spec_or_exit
from airbyte_cdk.utils import AirbyteTracedException

from source_asana import SourceAsana
from source_asana.config import current_shape, parse_config

SPEC = SourceAsana().spec(logging.getLogger("airbyte"))
FORM: dict[str, Any] = SPEC.connectionSpecification
FIELDS: dict[str, Any] = FORM["properties"]
GUIDE = (Path(__file__).parents[1] / "docs" / "asana.md").read_text(encoding="utf-8")

SHOWN = """\
Authentication
  Authentication *
What to sync
  Start date
  Projects
  Optional fields
    Teams
    Portfolios
    Excluded projects
    Workspaces
    Include archived projects
    Include subtasks
    Include tasks without a project
    Include all custom field options in each record
    Capture deletions
Advanced
  Optional fields
    Number of concurrent workers
    Requests per minute
    Minutes between rechecks of unchanged projects
    Organization export IDs
    Skip attachment requests of tasks without attachments
    Use resource exports
"""
"""The form as Airbyte shows it: cards, fields, and those that are folded up at first."""


def drawn() -> Iterator[str]:
    for group in FORM["groups"]:
        yield group["title"]
        names = [name for name, field in FIELDS.items() if field["group"] == group["id"]]
        names.sort(key=lambda name: FIELDS[name]["order"])
        is_open = {n: n in FORM["required"] or FIELDS[n].get("always_show") for n in names}
        for name in names:
            if is_open[name]:
                yield f"  {FIELDS[name]['title']}{' *' if name in FORM['required'] else ''}"
        if not all(is_open.values()):
            yield "  Optional fields"
        yield from (f"    {FIELDS[name]['title']}" for name in names if not is_open[name])


def below(form: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every field of a form, at any depth."""
    for field in form.get("properties", {}).values():
        yield field
        yield from below(field)
        for kind in field.get("oneOf", ()):
            yield kind
            yield from below(kind)


def test_the_form_shows_first_what_people_need_first() -> None:
    assert "".join(f"{line}\n" for line in drawn()) == SHOWN


def test_no_two_fields_have_the_same_place() -> None:
    orders = [field["order"] for field in FIELDS.values()]
    assert orders == sorted(set(orders))


def test_every_field_is_in_a_group_and_none_inside_another_field() -> None:
    assert {f["group"] for f in FIELDS.values()} == {group["id"] for group in FORM["groups"]}
    inner = [field for field in below(FORM) if field not in FIELDS.values()]
    assert inner
    assert not any("group" in field for field in inner)


def test_every_field_has_a_title_and_a_description_of_sentences() -> None:
    for field in below(FORM):
        assert re.match("[A-Z]", field["title"])
        assert field["description"].endswith((".", "?</a>")), field["title"]


def test_every_field_with_a_pattern_describes_it_in_words() -> None:
    described = [field for field in FIELDS.values() if "pattern" in field.get("items", field)]
    assert len(described) == 7
    for field in described:
        assert "pattern_descriptor" in field.get("items", field), field["title"]


@pytest.mark.parametrize("example", ["2026-01-01", "2026-01-01T00:00:00Z"])
def test_both_ways_to_write_a_date_are_shown(example: str) -> None:
    start = FIELDS["start_date"]
    assert example in start["examples"]
    assert example in start["description"]
    assert re.sub("[0-9]", "_", example) in re.split(
        " or ", re.sub("[YMDHms]", "_", start["pattern_descriptor"])
    )


def test_the_description_of_a_gid_appears_once() -> None:
    explained = [f["title"] for f in below(FORM) if "the gid is Asana's ID" in f["description"]]
    assert explained == ["Projects"]


def test_links_point_to_headings_of_the_page() -> None:
    links = [
        link for field in below(FORM) for link in re.findall('href="([^"]+)"', field["description"])
    ]
    headings = {
        re.sub("[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall("^#+ (.+)$", GUIDE, re.MULTILINE)
    }
    pages = [link.partition("#") for link in links if link.startswith(str(SPEC.documentationUrl))]
    assert len(pages) > 5
    assert {anchor for _, _, anchor in pages} <= headings
    assert all(link.startswith("https://") for link in links)


TOKEN = {"personal_access_token": "2/1/2:token"}
OAUTH = {"client_id": "1", "client_secret": "s", "refresh_token": "r"}
PAT_TITLE, OAUTH_TITLE = {"option_title": "PAT Credentials"}, {"option_title": "OAuth Credentials"}
GIDS = ["1200000000000001", "1200000000000002"]

OLD_CONFIGS: dict[str, dict[str, Any]] = {
    "token, 1.x": {"credentials": PAT_TITLE | TOKEN},
    "token without a title": {"credentials": TOKEN},
    "OAuth, 1.x": {"credentials": OAUTH_TITLE | OAUTH},
    "OAuth without a title": {"credentials": OAUTH},
    "exports, 1.x": {"credentials": PAT_TITLE | TOKEN, "organization_export_ids": GIDS},
    "no exports, 1.x": {"credentials": PAT_TITLE | TOKEN, "organization_export_ids": []},
    "workers, 1.x": {"credentials": PAT_TITLE | TOKEN, "num_workers": 25},
    "test_mode, 1.x": {"credentials": PAT_TITLE | TOKEN, "test_mode": True},
    "everything, 2.0.0": {
        "credentials": PAT_TITLE | TOKEN,
        "organization_export_ids": GIDS,
        "num_workers": 1,
        "workspace_gids": GIDS,
        "project_gids": GIDS[:1],
        "excluded_project_gids": GIDS[1:],
        "include_archived_projects": False,
        "include_subtasks": False,
        "include_tasks_without_project": True,
        "include_custom_field_options": False,
        "start_date": "2026-01-01",
        "capture_deletions": False,
        "requests_per_minute": 60_000,
        "skip_tasks_without_attachments": True,
    },
    "a time, 2.0.0": {
        "credentials": OAUTH_TITLE | OAUTH,
        "start_date": "2026-01-01T00:00:00.000Z",
        "requests_per_minute": 1,
    },
}


@pytest.mark.parametrize("name", OLD_CONFIGS)
def test_an_old_config_is_valid_in_the_new_form(name: str) -> None:
    config = OLD_CONFIGS[name]
    check_config_against_spec_or_exit(dict(config), SPEC)
    parse_config(config)


def test_the_flat_token_of_the_oldest_configs_is_valid_after_conversion() -> None:
    config = current_shape({"access_token": "2/1/2:token", "organization_export_ids": GIDS})
    check_config_against_spec_or_exit(dict(config), SPEC)


@pytest.mark.parametrize(
    "wrong",
    [
        {"project_gids": ["https://app.asana.com/0/inbox/1"]},
        {"workspace_gids": ["https://app.asana.com/0/1/list"]},
        {"num_workers": 26},
    ],
)
def test_the_form_refuses_wrong_values(wrong: dict[str, Any]) -> None:
    with pytest.raises(AirbyteTracedException):
        check_config_against_spec_or_exit({"credentials": PAT_TITLE | TOKEN, **wrong}, SPEC)
