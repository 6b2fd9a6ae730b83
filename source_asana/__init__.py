"""Airbyte source connector for Asana."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from source_asana.source import SourceAsana

__all__ = ["SourceAsana"]


def __getattr__(name: str) -> object:
    """`SourceAsana`, imported when it is asked for: the console program begins before."""
    if name == "SourceAsana":
        from source_asana.source import SourceAsana  # noqa: PLC0415 - it takes a second

        return SourceAsana
    raise AttributeError(name)
