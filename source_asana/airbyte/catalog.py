"""Airbyte's catalogs: the one that is discovered, and what a configured one says."""

from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from airbyte_cdk.models import (
    AirbyteStream,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
)

from source_asana.airbyte.errors import ConfigError
from source_asana.reading.listing import Selection
from source_asana.streams.declared import STREAMS
from source_asana.streams.sources import PROJECT, StreamClass


def airbyte_stream(stream: StreamClass) -> AirbyteStream:
    """The stream as `discover` shows it."""
    modes = [SyncMode.full_refresh, *([SyncMode.incremental] if stream.cursor_field else [])]
    return AirbyteStream(
        name=stream.stream_name(),
        json_schema=stream.json_schema(),
        supported_sync_modes=modes,
        source_defined_cursor=bool(stream.cursor_field),
        default_cursor_field=[stream.cursor_field] if stream.cursor_field else None,
        source_defined_primary_key=[[column] for column in stream.key],
        is_resumable=stream.container != PROJECT and bool(stream.containers()),
        is_file_based=bool(stream.files) or None,
    )


def catalog_of(streams: str, *, incremental: bool) -> ConfiguredAirbyteCatalog:
    """Make a catalog of comma-separated names. Raises ConfigError for an unknown one."""
    names = dict.fromkeys(name for part in streams.split(",") if (name := part.strip()))
    _refuse_unknown(list(names))
    named = [airbyte_stream(STREAMS[name]) for name in names]
    configured = [_configured(stream, incremental=incremental) for stream in named]
    return ConfiguredAirbyteCatalog(streams=configured)


def _configured(stream: AirbyteStream, *, incremental: bool) -> ConfiguredAirbyteStream:
    """Configure a stream as Airbyte recommends: deduplicate what is incremental, else overwrite."""
    is_incremental = incremental and SyncMode.incremental in stream.supported_sync_modes
    deduped, overwrite = DestinationSyncMode.append_dedup, DestinationSyncMode.overwrite
    return ConfiguredAirbyteStream(
        stream=stream,
        sync_mode=SyncMode.incremental if is_incremental else SyncMode.full_refresh,
        destination_sync_mode=deduped if is_incremental else overwrite,
        cursor_field=stream.default_cursor_field if is_incremental else None,
        primary_key=stream.source_defined_primary_key,
    )


def _refuse_unknown(names: Sequence[str]) -> None:
    """Raise ConfigError if a name is not that of a stream, or if there is no name."""
    if not names:
        raise ConfigError("--streams names no stream. Separate stream names by commas.")
    if unknown := [name for name in names if name not in STREAMS]:
        raise ConfigError(" ".join(_unknown_stream(name) for name in unknown))


def _unknown_stream(name: str) -> str:
    similar = get_close_matches(name.lower(), STREAMS, n=1)
    hint = f"Did you mean {similar[0]}?" if similar else "Run discover to see all streams."
    return f"Unknown stream {name}. {hint}"


def _refuse_repeated(catalog: ConfiguredAirbyteCatalog) -> None:
    names = Counter(configured.stream.name for configured in catalog.streams)
    if repeated := sorted(name for name, times in names.items() if times > 1):
        raise ConfigError(
            f"The configured catalog names {', '.join(repeated)} more than once. "
            "Choose one sync mode for each stream."
        )


def selected_in(
    catalog: ConfiguredAirbyteCatalog,
) -> tuple[dict[StreamClass, Selection], list[str]]:
    """What the catalog says of each stream; and the names in it that are not of a stream.

    Raises ConfigError for a name that it has twice.
    """
    _refuse_repeated(catalog)
    known = {s.stream.name: s for s in catalog.streams if s.stream.name in STREAMS}
    unknown = [s.stream.name for s in catalog.streams if s.stream.name not in STREAMS]
    return {STREAMS[name]: _selection(stream) for name, stream in known.items()}, unknown


def _selection(configured: ConfiguredAirbyteStream) -> Selection:
    """What the catalog says of a stream; a mode that the stream has not got is a full refresh."""
    stream = STREAMS[configured.stream.name]
    columns = configured.stream.json_schema.get("properties")
    return Selection(
        columns=columns if isinstance(columns, Mapping) and columns else None,
        incremental=configured.sync_mode is SyncMode.incremental and bool(stream.cursor_field),
        with_files=bool(configured.include_files and stream.files),
    )
