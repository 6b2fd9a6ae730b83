"""A request after parsing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from urllib.parse import quote, quote_plus, urlencode

from .tokens import Person

GID_PARAMETERS = (
    "project",
    "section",
    "parent",
    "resource",
    "workspace",
    "team",
    "portfolio",
    "supported_goal",
    "task",
    "assignee",
)

_quoted = lru_cache(maxsize=4096)(quote_plus)
"""Long values are the same in many requests."""


@dataclass(frozen=True)
class Asked:
    """The person, operation, object and parameters of a request."""

    template: str
    path: str
    gid: str
    query: Mapping[str, str]
    person: Person

    @cached_property
    def gids(self) -> frozenset[str]:
        """The gids in the request."""
        named = {self.gid, *(self.query.get(name, "") for name in GID_PARAMETERS)}
        return frozenset(named - {""})

    @cached_property
    def question(self) -> str:
        """Path and sorted query without the offset: the same for all pages of a listing."""
        return self._canonical("offset", "opt_pretty")

    @cached_property
    def listing(self) -> str:
        """What is requested, without regard to the fields."""
        return self._canonical("offset", "opt_pretty", "opt_fields")

    @cached_property
    def owned_question(self) -> str:
        """The request and the person."""
        return f"{self.person.name} {self.question}"

    def without(self, parameters: Collection[str]) -> "Asked":
        """The same request without these parameters."""
        if self.query.keys().isdisjoint(parameters):
            return self
        kept = {name: value for name, value in self.query.items() if name not in parameters}
        return replace(self, query=kept)

    def assuming(self, parameters: Mapping[str, str]) -> "Asked":
        """The same request as if it had these parameters, where it does not name them."""
        return replace(self, query={**parameters, **self.query}) if parameters else self

    @cached_property
    def owned_question_of_any_limit(self) -> str:
        """The same, without regard to the page size."""
        return f"{self.person.name} {self._canonical('offset', 'opt_pretty', 'limit')}"

    def _canonical(self, *without: str) -> str:
        kept = sorted((name, value) for name, value in self.query.items() if name not in without)
        return f"{self.path}?{urlencode(kept, quote_via=_quoted)}"

    def next_path(self, offset: str) -> str:
        """The path of the listing's page at this offset, with all parameters repeated."""
        following = {**self.query, "offset": offset}
        return f"{self.path}?{urlencode(following, quote_via=quote, safe=',.:')}"
