"""What Airbyte's QA checks in pages and files; docs/airbyte_qa.md has the whole list."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
METADATA: dict[str, Any] = yaml.safe_load((ROOT / "metadata.yaml").read_bytes())["data"]
FORM: dict[str, Any] = yaml.safe_load((ROOT / "source_asana" / "spec.yaml").read_bytes())[
    "connectionSpecification"
]
PAGE = (ROOT / "docs" / "asana.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "migrating.md").read_text(encoding="utf-8")
QA_LIST = (ROOT / "docs" / "airbyte_qa.md").read_text(encoding="utf-8")

WRITTEN = {".json", ".lock", ".md", ".py", ".toml", ".yaml", ".yml"}

OURS = None
"""In an order of headings: any number of the project's own headings."""
ORDER = [
    "Asana",
    "Prerequisites",
    "Setup guide",
    "Set up Asana",
    OURS,
    "Set up the Asana connector in Airbyte",
    "For Airbyte Cloud:",
    "For Airbyte Open Source:",
    OURS,
    "Supported sync modes",
    "Supported Streams",
    OURS,
    "Performance considerations",
    "Data type map",
    "Limitations & Troubleshooting",
    OURS,
    "IP allow list",
    "Changelog",
]

TEMPLATE = {
    "Asana": """
<HideInUI>

This page contains the setup guide and reference information for the [Asana]({}) source connector.

</HideInUI>

""",
    "For Airbyte Cloud:": """
1. [Log into your Airbyte Cloud]({}) account.
2. Click Sources and then click + New source.
3. On the Set up the source page, select Asana from the Source type dropdown.
4. Enter a name for the Asana connector.
""",
    "For Airbyte Open Source:": """
1. Navigate to the Airbyte Open Source dashboard.
""",
    "Supported sync modes": """
The Asana source connector supports the following [sync modes]({}):

""",
    "IP allow list": """
If you use Airbyte Cloud and your organization restricts access to specific IPs, add the \
[Airbyte Cloud IP addresses](/platform/operating-airbyte/ip-allowlist) to your allow list.

""",
    "Changelog": """
<details>
  <summary>Expand to review</summary>

""",
}
LINKS = {
    "Asana": "https://asana.com",
    "For Airbyte Cloud:": "https://cloud.airbyte.com/workspaces",
    "Supported sync modes": "https://docs.airbyte.com/cloud/core-concepts/#connection-sync-modes",
}


def sections(page: str) -> list[tuple[str, str]]:
    """The headings of the first four levels, each with its text up to the next heading."""
    prose = re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
    parts = re.split(r"^#{1,4} (.+)\n", prose, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def section(heading: str) -> str:
    """The text below the only heading with these words."""
    (only,) = [text for found, text in sections(PAGE) if found == heading]
    return only


def written_files() -> Iterator[tuple[str, str]]:
    """The text of every handwritten file except the tests, by path."""
    files = [*ROOT.iterdir(), *(ROOT / "secrets").glob("sample_*.json")]
    for folder in (".ci", "docs", "local_sync", "source_asana"):
        files += (ROOT / folder).rglob("*")
    for file in files:
        if file.suffix in WRITTEN or file.name in ("Dockerfile", "Makefile"):
            yield str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")


def test_the_page_for_users_has_airbytes_headings_in_their_order() -> None:
    known = "|".join(re.escape(f"{heading}\n") for heading in ORDER if heading)
    pattern = "".join(re.escape(f"{h}\n") if h else rf"(?:(?!{known}).*\n)*" for h in ORDER)
    headings = "".join(f"{heading}\n" for heading, _ in sections(PAGE))
    assert re.fullmatch(pattern, headings), headings


@pytest.mark.parametrize("heading", TEMPLATE)
def test_a_section_of_the_page_begins_with_airbytes_words(heading: str) -> None:
    opening = TEMPLATE[heading].format(LINKS.get(heading))
    assert section(heading).startswith(opening)


def test_the_prerequisites_name_what_the_form_requires() -> None:
    needed = section("Prerequisites").lower()
    titles = [FORM["properties"][name]["title"] for name in FORM["required"]]
    assert titles == ["Authentication"]
    assert "credentials" in needed


def test_the_page_describes_what_is_new_in_this_version() -> None:
    assert f"\n| {METADATA['dockerImageTag']} |" in section("Changelog")


def test_the_migration_guide_has_a_section_for_each_breaking_change_newest_first() -> None:
    assert GUIDE.splitlines()[0] == "# Asana Migration Guide"
    upgrades = [h for h, _ in sections(GUIDE) if h.startswith("Upgrading to ")]
    versions = sorted(METADATA["releases"]["breakingChanges"], reverse=True)
    assert upgrades == [f"Upgrading to {version}" for version in versions]


def tagged(begin: str, end: str) -> list[str]:
    """The text between the lines of two tags, which are not nested."""
    parts = re.split(f"^({re.escape(begin)}|{re.escape(end)})$", PAGE, flags=re.MULTILINE)
    assert parts[1::2] == [begin, end] * (len(parts) // 4)
    return parts[2::4]


def headings(text: str) -> list[str]:
    return [heading for heading, _ in sections(text)]


def test_the_app_shows_only_the_setup() -> None:
    hidden = tagged("<HideInUI>", "</HideInUI>")
    shown = PAGE
    for part in hidden:
        shown = shown.replace(part, "")
    assert headings(shown)[:3] == ["Asana", "Prerequisites", "Setup guide"]
    after = headings(PAGE).index("Supported sync modes")
    assert headings(shown) == headings(PAGE)[:after]
    assert headings(hidden[-1]) == headings(PAGE)[after:]


def test_each_edition_shows_its_own_steps() -> None:
    cloud = tagged("<!-- env:cloud -->", "<!-- /env:cloud -->")
    oss = tagged("<!-- env:oss -->", "<!-- /env:oss -->")
    assert headings("".join(cloud)) == ["For Airbyte Cloud:"]
    assert headings("".join(oss)) == ["OAuth app", "Refresh token", "For Airbyte Open Source:"]


@pytest.mark.parametrize("page", [PAGE, GUIDE], ids=["asana.md", "migrating.md"])
def test_each_link_ends_where_airbyte_thinks_it_ends(page: str) -> None:
    addresses = re.findall(r"https?://[^\s`)]+", page)
    ends_well = re.compile(r"[\w/]$|://[\w.]+:$")  # an empty port is not a port
    assert [address for address in addresses if not ends_well.search(address)] == []


def test_every_address_uses_https() -> None:
    assert [
        f"{path}: {line}"
        for path, text in written_files()
        for line in text.splitlines()
        if "http://" in re.sub("http://(json-schema.org|localhost)", "", line)
    ] == []


def test_no_file_contains_a_token() -> None:
    token = re.compile(r"\b[0-2]/\d{6,}(/\d{6,})?[:/][0-9a-f]{16,}")
    assert [path for path, text in written_files() if token.search(text)] == []


def test_the_list_names_tests_that_exist() -> None:
    named = set(re.findall(r"`(test_\w+)`", QA_LIST))
    written = "".join(path.read_text("utf-8") for path in ROOT.glob("*_tests/test_*.py"))
    assert named
    assert [name for name in named if f"def {name}(" not in written] == []
