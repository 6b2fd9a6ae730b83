"""Fields that an endpoint is asked for only while that does not make it slow. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

SLOW_SECONDS = 10.0
"""A page that takes longer than this is slow: a paid plan allows 250 requests in that time."""

SLOW_PAGES = 2
"""After so many slow pages in a row, or timeouts of a page, the fields are dropped."""


@dataclass
class SpareFields:
    """Whether to request the spare fields of one endpoint. Once dropped, they stay dropped."""

    is_dropped: bool = False
    _slow_pages: int = 0

    def answered(self, seconds: float) -> None:
        """Note how long a page with the fields took."""
        self._slow_pages = self._slow_pages + 1 if seconds > SLOW_SECONDS else 0
        self.is_dropped |= self._slow_pages >= SLOW_PAGES

    def timed_out(self, times: int) -> bool:
        """Note that a page timed out so many times in a row; whether the fields are dropped."""
        self.is_dropped |= times >= SLOW_PAGES
        return self.is_dropped


def without(params: Mapping[str, str], spare: Collection[str]) -> Mapping[str, str]:
    """The same parameters, whose `opt_fields` leave the spare fields out."""
    kept = [path for path in params["opt_fields"].split(",") if path not in spare]
    return {**params, "opt_fields": ",".join(kept)}
