"""Builds answers: pages and single objects, cut to `opt_fields` and cached as bytes."""

import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import orjson

from .account import Account
from .asked import Asked
from .controls import Controls
from .documented import Operation, field_tree, operation, opt_in
from .endpoints import AUDIT_LOG, ROUTES, UNDOCUMENTED_ALIASES, Answered, Question
from .ledger import Ledger
from .opt_fields import Record, Selection, compact, cut, full, paths, selection
from .paging import Place, limit_in
from .refusal import Refusal

ENTRY_OVERHEAD = 500
TOO_LARGE = (
    "The result is too large. You should use pagination (may require specifying a workspace)!"
)
TRUNCATED = "The results were truncated: the set is too large to be paged to its end."

Shape = Callable[[Record], Record]
NOTHING_ELSE: Mapping[str, str] = {}
WHOLE_TIME_ENTRIES = {"TimeTrackingEntryCompact": "TimeTrackingEntryBase"}
LARGEST_AUDIT_PAGE = 1000


@dataclass(frozen=True)
class Page:
    """An answer's `data` as bytes, and the index of the next page."""

    data: bytes
    following: Place | None = None


class Kept:
    """A cache of recent answers, up to a number of bytes."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = 0
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def get(self, key: Hashable) -> Any | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: Hashable, value: Any, size: int) -> list[tuple[Hashable, Any]]:
        """Add an answer; returns the ones that were dropped for it."""
        self._entries[key] = (value, size)
        self._held += size
        gone = []
        while self._held > self._most:
            oldest, (old, freed) = self._entries.popitem(last=False)
            self._held -= freed
            gone.append((oldest, old))
        return gone


class Pages:
    """A cache of pages, of which older ones are compressed, so that 300,000 tasks fit."""

    def __init__(self, most_bytes: int) -> None:
        self._recent = Kept(most_bytes // 2)
        self._older = Kept(most_bytes // 2)

    def get(self, key: Hashable) -> Page | None:
        recent: Page | None = self._recent.get(key)
        if recent is not None:
            return recent
        older: Page | None = self._older.get(key)
        return older and Page(zlib.decompress(older.data), older.following)

    def put(self, key: Hashable, page: Page) -> None:
        for gone, old in self._recent.put(key, page, len(page.data) + ENTRY_OVERHEAD):
            older = Page(zlib.compress(old.data, 1), old.following)
            self._older.put(gone, older, len(older.data) + ENTRY_OVERHEAD)


@lru_cache(maxsize=1024)
def _selected(record: str, opt_fields: str) -> tuple[Selection, tuple[str, ...]]:
    return selection(opt_fields, field_tree(record))


@lru_cache(maxsize=1024)
def _inline_selection(opt_fields: str, names: frozenset[str]) -> Selection:
    """What is asked of the children that come with a task."""
    chosen = Selection()
    for path in paths(opt_fields):
        if path[0] in names:
            chosen.add(path)
    return chosen


def documented_operation(asked: Asked) -> Operation:
    return operation(UNDOCUMENTED_ALIASES.get(asked.template, asked.template))


def shape_of(asked: Asked, ledger: Ledger, record_of: Mapping[str, str] = NOTHING_ELSE) -> Shape:
    """The form in which a request wants its records. Notes unknown fields in the ledger.

    `record_of`: the records of which listings return more fields than documented.
    """
    found = documented_operation(asked)
    strange = asked.query.keys() - found.parameters
    if "opt_fields" not in found.parameters:
        ledger.note_unknown(asked.template, (), strange)
        return lambda record: record
    opt_fields = asked.query.get("opt_fields")
    if opt_fields is None:
        ledger.note_unknown(asked.template, (), strange)
        if found.compact_by_default:
            return compact
        hidden = opt_in(found.record)
        return lambda record: full(record, hidden)
    chosen, unknown = _selected(record_of.get(found.record, found.record), opt_fields)
    if unknown or strange:
        ledger.note_unknown(asked.template, unknown, strange)
    return lambda record: cut(record, chosen)


def _page_size(asked: Asked) -> int | None:
    """The objects of a page; None to get the whole listing."""
    limit = limit_in(asked.query) if documented_operation(asked).pages else None
    return LARGEST_AUDIT_PAGE if limit is None and asked.template == AUDIT_LOG else limit


def _polled(listed: Sequence[str], end: int) -> Place | None:
    """Where the audit log continues: also after its last event, if there is any event.

    https://developers.asana.com/reference/getauditlogevents
    """
    return Place.at(min(end, len(listed)), listed) if listed else None


class Answers:
    """Answers requests for objects. Each page is built once until something changes."""

    def __init__(
        self,
        account: Account,
        controls: Controls,
        kept_bytes: int,
    ) -> None:
        self.base_url = ""
        self._account = account
        self._controls = controls
        self._pages = Pages(kept_bytes)
        self._listings = Kept(kept_bytes // 8)

    def body(self, asked: Asked, ledger: Ledger) -> tuple[bytes, int]:
        """The whole body of a successful answer, and the index of its first object."""
        limit = _page_size(asked)
        offset = asked.query.get("offset")
        place = (
            Place()
            if offset is None
            else self._controls.offsets.place(self._query_of_offset(asked), offset)
        )
        known = WHOLE_TIME_ENTRIES if self._controls.whole_time_entries else NOTHING_ELSE
        shape = shape_of(asked, ledger, known)
        if asked.template in self._controls.compact_listings:
            shape = compact
        answered = self._answered(asked)
        hidden = self._controls.hidden
        if not isinstance(answered, str):
            answered = [gid for gid in answered if gid not in hidden] if hidden else answered
            self._refuse_too_large(len(answered), place, limit, asked)
        page = self._page(asked, answered, place, limit, shape)
        if limit is None:
            return b'{"data":' + page.data + b"}", place.index
        following = self._next_page(asked, page.following)
        body = b"".join((b'{"data":', page.data, b',"next_page":', following, b"}"))
        return body, place.index

    def _next_page(self, asked: Asked, following: Place | None) -> bytes:
        if following is None:
            return b"null"
        offset = self._controls.offsets.issue(self._query_of_offset(asked), following)
        path = asked.next_path(offset)
        return orjson.dumps({"offset": offset, "path": path, "uri": self.base_url + path})

    def _query_of_offset(self, asked: Asked) -> str:
        """The query for which an offset is valid."""
        may_change = self._controls.limit_may_change
        return asked.owned_question_of_any_limit if may_change else asked.owned_question

    def _page(
        self, asked: Asked, answered: Answered, place: Place, limit: int | None, shape: Shape
    ) -> Page:
        question = blake2b(asked.owned_question.encode(), digest_size=16).digest()
        controls = self._controls
        odd = (
            *(controls.whole_time_entries, controls.ignored_parameters, controls.hidden),
            controls.compact_listings,
            *(repr(controls.assumed_parameters), repr(controls.inline_children)),
            controls.inline_omits,
        )
        key = (self._account.version, question, place, odd)
        page = self._pages.get(key)
        if page is None:
            page = self._made(asked, answered, place, limit, shape)
            self._pages.put(key, page)
        return page

    def _made(
        self, asked: Asked, answered: Answered, place: Place, limit: int | None, shape: Shape
    ) -> Page:
        viewer, record = asked.person.viewer, self._account.record

        def shaped(gid: str) -> Record:
            return shape(record(viewer, gid)) | self._inline(asked, gid)

        if isinstance(answered, str):
            return Page(orjson.dumps(shaped(answered)))
        begin = place.within(answered)
        end = len(answered) if limit is None else begin + limit
        data = orjson.dumps([shaped(gid) for gid in answered[begin:end]])
        if asked.template == AUDIT_LOG:
            return Page(data, _polled(answered, end))
        return Page(data, Place.at(end, answered) if end < len(answered) else None)

    def _inline(self, asked: Asked, gid: str) -> Record:
        """A task's children, where the controls let them come with it and they are asked for."""
        wanted = self._controls.inline_children
        chosen = _inline_selection(asked.query.get("opt_fields", ""), frozenset(wanted))
        if not chosen.fields or self._account.kind(gid) != "task":
            return {}
        viewer, account = asked.person.viewer, self._account
        is_empty = self._controls.omits_inline(gid)
        children = {
            name: account.listing(viewer, name, gid)[: 0 if is_empty else wanted[name]]
            for name in chosen.fields
        }
        records = {
            name: [account.record(viewer, child) for child in gids]
            for name, gids in children.items()
        }
        return cut(records, chosen)

    def _answered(self, asked: Asked) -> Answered:
        """The gids of a listing, found once for all of its pages."""
        asked = asked.without(self._controls.ignored_parameters)
        asked = asked.assuming(self._controls.assumed_parameters.get(asked.template, {}))
        key = (self._account.version, asked.person.name, asked.listing)
        answered: Answered | None = self._listings.get(key)
        if answered is None:
            answered = ROUTES[asked.template](Question(self._account, asked))
            size = 100 * len(answered) if isinstance(answered, list) else 0
            self._listings.put(key, answered, size + ENTRY_OVERHEAD)
        return answered

    def _refuse_too_large(self, length: int, place: Place, limit: int | None, asked: Asked) -> None:
        most, cut_at = self._controls.max_unpaged, self._controls.cut_at(asked)
        if limit is None:
            if length > most and documented_operation(asked).pages:
                raise Refusal(400, TOO_LARGE)
        elif cut_at is not None and length > cut_at <= place.index + limit:
            raise Refusal(400, TRUNCATED)
