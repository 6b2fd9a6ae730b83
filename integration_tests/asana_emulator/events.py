"""The event stream: sync tokens, pages of a hundred, 412.

https://developers.asana.com/reference/getevents
"""

from typing import Any

import orjson

from .account import Account
from .answers import shape_of
from .asked import Asked
from .clock import stamp
from .controls import Controls
from .endpoints import WORKSPACE_EVENTS, Question, watched, watched_workspace
from .ledger import Ledger
from .refusal import Refusal
from .sealed import Seal

MOST_EVENTS = 100
MOST_EVENTS_OF_A_WORKSPACE = 1000
TOO_OLD = (
    "Sync token invalid or too old. If you are attempting to keep resources in sync, you must "
    "fetch the full dataset for this query now and use the new sync token for the next sync."
)


class EventStreams:
    """Answers requests for events from the account's log."""

    def __init__(self, account: Account, controls: Controls, ledger: Ledger) -> None:
        self._account = account
        self._controls = controls
        self._ledger = ledger
        self._seal = Seal()

    def body(self, asked: Asked) -> bytes:
        """The events since the sync token, at most a pageful, and the token that follows them."""
        resource, most = self._watched(asked)
        shape = shape_of(asked, self._ledger)
        begin = self._index(resource, asked.query.get("sync"))
        found: list[dict[str, Any]] = []
        end = max(begin, self._visible())
        for at in range(begin, end):
            event = self._account.events.entries[at]
            if resource in event.watched:
                if len(found) == most:
                    return self._answer(found, resource, at, has_more=True)
                found.append(shape(event.record))
        return self._answer(found, resource, end, has_more=False)

    def _watched(self, asked: Asked) -> tuple[str, int]:
        """Whose events are asked for, and how many of them are given at once."""
        question = Question(self._account, asked)
        if asked.template != WORKSPACE_EVENTS:
            return watched(question), MOST_EVENTS
        workspace = watched_workspace(question)
        if not self._controls.workspace_events:
            raise Refusal(403, "workspace: Only Enterprise+ domains have this")
        return workspace, MOST_EVENTS_OF_A_WORKSPACE

    def _answer(
        self, events: list[dict[str, Any]], resource: str, index: int, *, has_more: bool
    ) -> bytes:
        sync = self._token(resource, index)
        return orjson.dumps({"data": events, "sync": sync, "has_more": has_more})

    def _visible(self) -> int:
        """Events that have reached the stream; they may take a while."""
        entries = self._account.events.entries
        end = len(entries)
        if self._controls.event_delay:
            newest = stamp(self._account.clock.now().subtract(seconds=self._controls.event_delay))
            while end and entries[end - 1].created_at > newest:
                end -= 1
        return end

    def _token(self, resource: str, index: int) -> str:
        sealed = self._seal.close(f"sync {resource}", [self._now(), index])
        return self._controls.sync_token_prefix + sealed

    def _index(self, resource: str, sync: str | None) -> int:
        prefix = self._controls.sync_token_prefix
        is_known = sync is not None and sync.startswith(prefix)
        sealed = str(sync).removeprefix(prefix)
        opened = self._seal.open(f"sync {resource}", sealed) if is_known else None
        if opened is not None:
            issued, index = opened
            if self._now() <= issued + self._controls.sync_token_hours * 3600:
                return int(index)
        fresh = self._token(resource, self._visible())
        raise Refusal(412, TOO_OLD, beside={"sync": fresh})

    def _now(self) -> float:
        return float(self._account.clock.now().timestamp())
