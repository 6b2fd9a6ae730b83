"""The user's config, parsed once into one frozen object, in today's shape or an older one."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pendulum

from source_asana.airbyte.errors import ConfigError
from source_asana.asana.auth import OAuth, PersonalAccessToken
from source_asana.asana.times import TIME_FORMAT
from source_asana.reading.filters import ALL, Filters
from source_asana.reading.rechecks import LONGEST_INTERVAL_MINUTES

RawConfig = Mapping[str, Any]

OAUTH = "OAuth Credentials"
PAT = "PAT Credentials"
DEFAULT_WORKERS = 10
MOST_WORKERS = 25
MOST_REQUESTS_PER_MINUTE = 60_000
DAYS_AND_TIMES = ("YYYY-MM-DD", "YYYY-MM-DD[T]HH:mm:ss[Z]", "YYYY-MM-DD[T]HH:mm:ss.SSS[Z]")
LONGEST_NAME = 60

SETTINGS = (
    "credentials",
    "start_date",
    "project_gids",
    "team_gids",
    "portfolio_gids",
    "excluded_project_gids",
    "workspace_gids",
    "include_archived_projects",
    "include_subtasks",
    "include_tasks_without_project",
    "include_custom_field_options",
    "capture_deletions",
    "num_workers",
    "requests_per_minute",
    "recheck_interval_minutes",
    "organization_export_ids",
    "skip_tasks_without_attachments",
    "use_resource_exports",
)
"""The settings of the form, in its order."""

LEGACY_SETTINGS = ("access_token",)


@dataclass(frozen=True)
class Kind:
    """A kind of Asana object that a setting lists by gid or URL.

    `pattern`: the form's pattern for one entry; its groups catch the gid. `noun`: with its article.
    """

    pattern: str
    noun: str
    remedy: str


PROJECT = Kind(
    r"^(?:([0-9]+)|https://app\.asana\.com/(?:0|1/[0-9]+/project)/([1-9][0-9]*)(?:[/?#][!-~]*)?)$",
    "a project",
    "the number from the project's URL, or the URL itself",
)
TEAM = Kind(
    r"^(?:([0-9]+)|https://app\.asana\.com/(?:0|1/[0-9]+/team)/([1-9][0-9]*)(?:[/?#][!-~]*)?)$",
    "a team",
    "the number from the team's URL, or the URL itself",
)
PORTFOLIO = Kind(
    r"^(?:([0-9]+)|https://app\.asana\.com/(?:0|1/[0-9]+)/portfolio/([1-9][0-9]*)(?:[/?#][!-~]*)?)$",
    "a portfolio",
    "the number from the portfolio's URL, or the URL itself",
)
WORKSPACE = Kind(
    r"^(?:([0-9]+)|https://app\.asana\.com/(?:0/([1-9][0-9]*)/?|1/([1-9][0-9]*)(?:[/?#][!-~]*)?))$",
    "a workspace",
    "the number after /1/ in the URL of any page of the workspace, or that URL itself",
)
EXPORT = Kind(
    "^[0-9]+$",
    "an export",
    "the gid that Asana returned when the export was requested",
)


@dataclass(frozen=True)
class Config:
    """What the user wants to sync, and how."""

    credentials: PersonalAccessToken | OAuth
    organization_export_ids: tuple[str, ...] = ()
    num_workers: int = DEFAULT_WORKERS
    capture_deletions: bool = True
    requests_per_minute: int | None = None
    skip_tasks_without_attachments: bool = False
    recheck_interval_minutes: int | None = None
    filters: Filters = ALL
    use_resource_exports: bool = False

    @property
    def gids(self) -> Mapping[str, tuple[str, ...]]:
        """The gids of objects that no listing shows, by the name of their setting."""
        return {"organization_export_ids": self.organization_export_ids}


def current_shape(raw: RawConfig) -> RawConfig:
    """Return the config with `credentials`, also of the flat `access_token` of 0.1.

    The result is for reading only and never goes back to the platform.
    """
    if not isinstance(raw.get("access_token"), str) or raw.get("credentials") is not None:
        return raw
    rest = {name: value for name, value in raw.items() if name != "access_token"}
    credentials = {"option_title": PAT, "personal_access_token": raw["access_token"]}
    return {**rest, "credentials": credentials}


def with_refresh_token(raw: RawConfig, refresh_token: str) -> RawConfig:
    """Return the config with a new refresh token in place of the old one."""
    return {**raw, "credentials": {**raw["credentials"], "refresh_token": refresh_token}}


def parse_config(raw: RawConfig) -> Config:
    """Parse a config setting by setting. Raises ConfigError, which says what to do."""
    raw = current_shape(raw)
    return Config(
        credentials=_credentials(raw.get("credentials")),
        organization_export_ids=_gids(raw, "organization_export_ids", EXPORT),
        num_workers=_whole_number(raw, "num_workers", least=1, most=MOST_WORKERS)
        or DEFAULT_WORKERS,
        capture_deletions=_yes_or_no(raw, "capture_deletions", default=True),
        requests_per_minute=_whole_number(
            raw, "requests_per_minute", least=1, most=MOST_REQUESTS_PER_MINUTE
        ),
        recheck_interval_minutes=_whole_number(
            raw, "recheck_interval_minutes", least=1, most=LONGEST_INTERVAL_MINUTES
        ),
        skip_tasks_without_attachments=_yes_or_no(
            raw, "skip_tasks_without_attachments", default=False
        ),
        filters=_filters(raw),
        use_resource_exports=_yes_or_no(raw, "use_resource_exports", default=False),
    )


def unknown_settings(raw: RawConfig) -> Iterator[str]:
    """Warn of each setting that has no effect, in a sentence without its value.

    Keys that begin with an underscore are Airbyte's own.
    """
    for name in raw:
        if name in SETTINGS or name in LEGACY_SETTINGS or name.startswith("_"):
            continue
        meant = difflib.get_close_matches(_plain(name), SETTINGS, n=1)
        hint = f"Did you mean {meant[0]}?" if meant else "It has no effect."
        yield f"Unknown setting {_shown(name)}. {hint}"


def _plain(name: str) -> str:
    """Rewrite a name the way settings are written: `startDate` and `start-date` as `start_date`."""
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", name[:LONGEST_NAME])
    return re.sub(r"[\W_]+", "_", words).lower()


def _shown(name: str) -> str:
    """Make a name fit for a sentence, whatever characters it has."""
    printable = "".join(c if c.isprintable() else "?" for c in name)
    return printable if len(printable) <= LONGEST_NAME else f"{printable[:LONGEST_NAME]}…"


def starts_later(config: Config, now: str) -> bool:
    """Whether the start date is after `now`, a time as `Filters.start_date` writes it."""
    start = config.filters.start_date
    return start is not None and start > now


def _filters(raw: RawConfig) -> Filters:
    filters = Filters(
        workspace_gids=_gids(raw, "workspace_gids", WORKSPACE),
        project_gids=_gids(raw, "project_gids", PROJECT),
        team_gids=_gids(raw, "team_gids", TEAM),
        portfolio_gids=_gids(raw, "portfolio_gids", PORTFOLIO),
        excluded_project_gids=_gids(raw, "excluded_project_gids", PROJECT),
        with_archived_projects=_yes_or_no(raw, "include_archived_projects", default=True),
        with_subtasks=_yes_or_no(raw, "include_subtasks", default=True),
        start_date=_moment(raw, "start_date"),
        with_enum_options=_yes_or_no(raw, "include_custom_field_options", default=True),
        with_loose_tasks=_yes_or_no(raw, "include_tasks_without_project", default=False),
    )
    both = [gid for gid in filters.project_gids if gid in filters.excluded_project_gids]
    if both:
        raise ConfigError(
            f"project_gids and excluded_project_gids both contain {', '.join(both)}. "
            "Remove it from one of them."
        )
    return filters


def _credentials(given: Any) -> PersonalAccessToken | OAuth:
    if not isinstance(given, Mapping):
        raise ConfigError(
            'The config has no credentials. Add a personal access token under "credentials", '
            f'with "option_title": "{PAT}", or authenticate with OAuth.'
        )
    # 1.7.2 accepted credentials without a title, so such configs exist.
    title = given.get("option_title", PAT if "personal_access_token" in given else OAUTH)
    if title == PAT:
        return PersonalAccessToken(_secret(given, "personal_access_token"))
    if title == OAUTH:
        return OAuth(
            client_id=_secret(given, "client_id"),
            client_secret=_secret(given, "client_secret"),
            refresh_token=_secret(given, "refresh_token"),
        )
    raise ConfigError(
        f'credentials.option_title must be "{PAT}" or "{OAUTH}". Choose one of these.'
    )


def _secret(credentials: Mapping[str, Any], name: str) -> str:
    value = credentials.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"credentials.{name} is missing or empty. Enter it and save.")
    token = value.strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(
            f"credentials.{name} contains characters that no token has. Copy it from Asana again."
        )
    return token


def _gids(raw: RawConfig, name: str, kind: Kind) -> tuple[str, ...]:
    """Return the gids of a list of gids and URLs, each once."""
    given = raw.get(name)
    if given is None:
        return ()
    if not isinstance(given, list):
        raise ConfigError(f'{name} must be a list, as in ["1200000000000001"].')
    gids: list[str] = []
    for place, entry in enumerate(given, start=1):
        found = re.fullmatch(kind.pattern, entry) if isinstance(entry, str) else None
        if found is None:
            raise ConfigError(f"{name}: entry {place} is not {kind.noun} ID. Use {kind.remedy}.")
        gids.append(next(filter(None, found.groups()), found[0]))
    return tuple(dict.fromkeys(gids))


def _whole_number(raw: RawConfig, name: str, *, least: int, most: int) -> int | None:
    value = raw.get(name)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # 10 and 10.0 are the same number in JSON
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ConfigError(f"{name} must be a whole number from {least} to {most}.")
    return value


def _moment(raw: RawConfig, name: str) -> str | None:
    """Return a day or a time in UTC, written as Asana writes times."""
    given = raw.get(name)
    if given is None:
        return None
    for pattern in DAYS_AND_TIMES if isinstance(given, str) and given.isascii() else ():
        try:
            moment = pendulum.from_format(given, pattern)
        except ValueError:
            continue
        if moment.format(pattern) == given:  # pendulum accepts 2026-1-3 too
            return moment.format(TIME_FORMAT)
    raise ConfigError(f"{name} must be a date or a UTC time: 2026-01-31 or 2026-01-31T00:00:00Z.")


def _yes_or_no(raw: RawConfig, name: str, *, default: bool) -> bool:
    value = raw.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise ConfigError(f"{name} must be true or false.")
    return value
