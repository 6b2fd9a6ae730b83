"""Parses `opt_fields`, and cuts whole records to it.

https://developers.asana.com/docs/inputoutput-options
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .documented import Tree, compact_names
from .refusal import Refusal

Record = dict[str, Any]

_TOKEN = re.compile(r"[^.,()|]+|[.,()|]")


@dataclass
class Selection:
    """The requested fields of an object. `compact`: whether the object itself was named."""

    compact: bool = False
    fields: dict[str, "Selection"] = field(default_factory=dict)

    def add(self, path: tuple[str, ...]) -> None:
        here = self
        for name in path:
            here = here.fields.setdefault(name, Selection())
        here.compact = True


def selection(opt_fields: str, known: Tree) -> tuple[Selection, tuple[str, ...]]:
    """The selection that `opt_fields` describes, and the names in it that Asana does not know."""
    asked = Selection()
    unknown = []
    for path in paths(opt_fields):
        if _is_known(path, known):
            asked.add(path)
        else:
            unknown.append(".".join(path))
    return asked, tuple(unknown)


def paths(opt_fields: str) -> Iterator[tuple[str, ...]]:
    """Each named path, with groups expanded and without `this`."""
    tokens = [token.strip() for token in _TOKEN.findall(opt_fields)]
    reader = _Reader([token for token in tokens if token])
    for path in reader.alternatives(","):
        named = path[1:] if path[0] == "this" else path
        if named:
            yield named
    if reader.tokens:
        raise _malformed()


def _malformed() -> Refusal:
    return Refusal(400, "opt_fields: Value is malformed")


def _is_known(path: tuple[str, ...], known: Tree) -> bool:
    here = known
    for name in path:
        if name not in here:
            return False
        here = here[name]
    return True


@dataclass
class _Reader:
    """Reads the grammar: paths of terms joined by dots, a term a name or a group in parentheses."""

    tokens: list[str]

    def alternatives(self, separator: str) -> list[tuple[str, ...]]:
        found: list[tuple[str, ...]] = []
        while True:
            if self.tokens and self.tokens[0] != separator:
                found.extend(self._path())
            if not self.tokens or self.tokens[0] != separator:
                return found
            self.tokens.pop(0)

    def _path(self) -> list[tuple[str, ...]]:
        found = self._term()
        while self.tokens and self.tokens[0] == ".":
            self.tokens.pop(0)
            following = self._term()
            found = [head + tail for head in found for tail in following]
        return found

    def _term(self) -> list[tuple[str, ...]]:
        token = self.tokens.pop(0) if self.tokens else ""
        if token == "(":
            inner = self.alternatives("|")
            if not inner or not self.tokens or self.tokens.pop(0) != ")":
                raise _malformed()
            return inner
        if not token or token in ".,)|":
            raise _malformed()
        return [(token,)]


def cut(record: Record, asked: Selection) -> Record:
    """The record with only `gid` and the requested fields."""
    kept: Record = {"gid": record["gid"]} if "gid" in record else {}
    for name, below in asked.fields.items():
        if name in record:
            value = record[name]
            if isinstance(value, dict):
                kept[name] = _shaped(value, below)
            elif isinstance(value, list):
                kept[name] = [
                    _shaped(element, below) if isinstance(element, dict) else element
                    for element in value
                ]
            else:
                kept[name] = value
    return kept


def _shaped(value: Record, asked: Selection) -> Record:
    if not asked.compact:
        return cut(value, asked)
    return compact(value) | cut(value, asked) if asked.fields else compact(value)


def compact(record: Record) -> Record:
    """The compact form of a record; objects without one are returned whole."""
    names = compact_names(record.get("resource_type"))
    return _only(record, record.keys() if names is None else names)


def full(record: Record, opt_in: frozenset[str]) -> Record:
    """The record without its opt-in fields: the default for a single object."""
    return _only(record, [name for name in record if name not in opt_in])


def _only(record: Record, names: Iterable[str]) -> Record:
    """These fields of a record, if it has them, with compact values."""
    kept: Record = {}
    for name in names:
        if name in record:
            value = record[name]
            if isinstance(value, dict):
                kept[name] = compact(value)
            elif isinstance(value, list):
                kept[name] = [
                    compact(element) if isinstance(element, dict) else element for element in value
                ]
            else:
                kept[name] = value
    return kept
