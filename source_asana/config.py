"""The user's config: parsed once into one frozen object, whatever the age of its shape."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pendulum

from source_asana.airbyte.errors import ConfigError
from source_asana.asana.auth import OAuth, PersonalAccessToken
from source_asana.asana.times import TIME_FORMAT
from source_asana.reading.filters import ALL, Filters

RawConfig = Mapping[str, Any]

OAUTH = "OAuth Credentials"
PAT = "PAT Credentials"
DEFAULT_WORKERS = 10
MOST_WORKERS = 25
MOST_REQUESTS_PER_MINUTE = 60_000
DAYS_AND_TIMES = ("YYYY-MM-DD", "YYYY-MM-DD[T]HH:mm:ss[Z]", "YYYY-MM-DD[T]HH:mm:ss.SSS[Z]")


@dataclass(frozen=True)
class Config:
    """What the user wants."""

    credentials: PersonalAccessToken | OAuth
    organization_export_ids: tuple[str, ...] = ()
    num_workers: int = DEFAULT_WORKERS
    capture_deletions: bool = True
    requests_per_minute: int | None = None
    filters: Filters = ALL

    @property
    def gids(self) -> Mapping[str, tuple[str, ...]]:
        """The gids of things that no listing shows, by the name of their field."""
        return {"organization_export_ids": self.organization_export_ids}


def current_shape(raw: RawConfig) -> RawConfig:
    """The config with `credentials`, also where it has the flat `access_token` of the oldest ones.

    It is for reading only: nothing of it goes back to the platform.
    """
    if not isinstance(raw.get("access_token"), str) or raw.get("credentials") is not None:
        return raw
    rest = {name: value for name, value in raw.items() if name != "access_token"}
    credentials = {"option_title": PAT, "personal_access_token": raw["access_token"]}
    return {**rest, "credentials": credentials}


def with_refresh_token(raw: RawConfig, refresh_token: str) -> RawConfig:
    """The config with the refresh token that Asana gave in the place of the former one."""
    return {**raw, "credentials": {**raw["credentials"], "refresh_token": refresh_token}}


def parse_config(raw: RawConfig) -> Config:
    """Check a config field by field; raise ConfigError that says what to do."""
    raw = current_shape(raw)
    return Config(
        credentials=_credentials(raw.get("credentials")),
        organization_export_ids=_gids(raw, "organization_export_ids"),
        num_workers=_whole_number(raw, "num_workers", least=1, most=MOST_WORKERS)
        or DEFAULT_WORKERS,
        capture_deletions=_yes_or_no(raw, "capture_deletions", default=True),
        requests_per_minute=_whole_number(
            raw, "requests_per_minute", least=1, most=MOST_REQUESTS_PER_MINUTE
        ),
        filters=_filters(raw),
    )


def _filters(raw: RawConfig) -> Filters:
    filters = Filters(
        workspace_gids=_gids(raw, "workspace_gids"),
        project_gids=_gids(raw, "project_gids"),
        excluded_project_gids=_gids(raw, "excluded_project_gids"),
        with_archived_projects=_yes_or_no(raw, "include_archived_projects", default=True),
        with_subtasks=_yes_or_no(raw, "include_subtasks", default=True),
        start_date=_moment(raw, "start_date"),
        with_enum_options=_yes_or_no(raw, "include_custom_field_options", default=True),
        with_loose_tasks=_yes_or_no(raw, "include_tasks_without_project", default=False),
    )
    both = [gid for gid in filters.project_gids if gid in filters.excluded_project_gids]
    if both:
        raise ConfigError(
            f"project_gids and excluded_project_gids both name {', '.join(both)}: "
            "take it out of one of them."
        )
    return filters


def _credentials(given: Any) -> PersonalAccessToken | OAuth:
    if not isinstance(given, Mapping):
        raise ConfigError(
            'The config has no credentials: give a personal access token under "credentials", '
            f'with "option_title": "{PAT}", or authenticate with OAuth.'
        )
    # 1.7.2 did not insist on the title, so configs without it exist.
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
        f'credentials.option_title must be "{PAT}" or "{OAUTH}": choose one of these.'
    )


def _secret(credentials: Mapping[str, Any], name: str) -> str:
    value = credentials.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"credentials.{name} is missing or empty: enter it and save.")
    token = value.strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(
            f"credentials.{name} has characters that no token has: copy it from Asana again."
        )
    return token


def _gids(raw: RawConfig, name: str) -> tuple[str, ...]:
    given = raw.get(name)
    if given is None:
        return ()
    if not isinstance(given, list):
        raise ConfigError(f'{name} must be a list of gids, as in ["1200000000000001"].')
    for place, gid in enumerate(given, start=1):
        if not isinstance(gid, str) or not (gid.isascii() and gid.isdigit()):
            raise ConfigError(f"{name} must hold gids, strings of digits; number {place} is none.")
    return tuple(dict.fromkeys(given))


def _whole_number(raw: RawConfig, name: str, *, least: int, most: int) -> int | None:
    value = raw.get(name)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON knows no difference between 10 and 10.0
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ConfigError(f"{name} must be a whole number from {least} to {most}.")
    return value


def _moment(raw: RawConfig, name: str) -> str | None:
    """A day or a time in UTC, written as Asana writes times."""
    given = raw.get(name)
    if given is None:
        return None
    for pattern in DAYS_AND_TIMES if isinstance(given, str) and given.isascii() else ():
        try:
            moment = pendulum.from_format(given, pattern)
        except ValueError:
            continue
        if moment.format(pattern) == given:  # pendulum takes 2026-1-3 too
            return moment.format(TIME_FORMAT)
    raise ConfigError(f"{name} must be a day or a time in UTC: 2026-01-31 or 2026-01-31T00:00:00Z.")


def _yes_or_no(raw: RawConfig, name: str, *, default: bool) -> bool:
    value = raw.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise ConfigError(f"{name} must be true or false.")
    return value
