"""The event stream: sync tokens, pages of a hundred, 412.

https://developers.asana.com/reference/getevents
"""

from random import Random
from typing import Any, NamedTuple, NoReturn

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


class Position(NamedTuple):
    """The content of a sync token: when it was issued, and the next event.

    `chain` and `step`: from which first token it descends, and how far it is from that.
    """

    issued: float
    at: int
    chain: int
    step: int = 0


class EventStreams:
    """Answers requests for events."""

    def __init__(self, account: Account, controls: Controls, ledger: Ledger) -> None:
        self._account = account
        self._controls = controls
        self._ledger = ledger
        self._seal = Seal()
        self._chains = 0
        self._used: dict[int, int] = {}

    def body(self, asked: Asked) -> bytes:
        """Up to a page of events since the sync token, and the token for the next ones."""
        resource, most = self._watched(asked)
        shape = shape_of(asked, self._ledger)
        position = self._position(resource, asked.query.get("sync"))
        found: list[dict[str, Any]] = []
        begin, end = position.at, max(position.at, self._visible())
        for at in range(begin, end):
            event = self._account.events.entries[at]
            if resource in event.watched and not self._controls.loses_event(resource, at):
                if len(found) == most:
                    return self._answer(found, resource, position, at, has_more=True)
                found.append(shape(event.record))
        return self._answer(found, resource, position, end, has_more=False)

    def _watched(self, asked: Asked) -> tuple[str, int]:
        """The resource of a request for events, and its page size."""
        question = Question(self._account, asked)
        if asked.template != WORKSPACE_EVENTS:
            return watched(question), MOST_EVENTS
        workspace = watched_workspace(question)
        if not self._controls.workspace_events:
            raise Refusal(403, "workspace: Only Enterprise+ domains have this")
        return workspace, MOST_EVENTS_OF_A_WORKSPACE

    def _answer(
        self,
        events: list[dict[str, Any]],
        resource: str,
        position: Position,
        end: int,
        *,
        has_more: bool,
    ) -> bytes:
        if self._controls.shuffles_events:
            Random(position.at).shuffle(events)
        following = Position(self._now(), end, position.chain, position.step + 1)
        sync = self._token(resource, following)
        return orjson.dumps({"data": events, "sync": sync, "has_more": has_more})

    def _visible(self) -> int:
        """The events that have reached the stream, which may take a while."""
        entries = self._account.events.entries
        end = len(entries)
        if self._controls.event_delay:
            newest = stamp(self._account.clock.now().subtract(seconds=self._controls.event_delay))
            while end and entries[end - 1].created_at > newest:
                end -= 1
        return end

    def _token(self, resource: str, position: Position) -> str:
        sealed = self._seal.close(f"sync {resource}", list(position))
        return self._controls.sync_token_prefix + sealed

    def _position(self, resource: str, sync: str | None) -> Position:
        prefix = self._controls.sync_token_prefix
        is_known = sync is not None and sync.startswith(prefix)
        sealed = str(sync).removeprefix(prefix)
        opened = self._seal.open(f"sync {resource}", sealed) if is_known else None
        if opened is None:
            self._refuse(resource)
        position = Position(*opened)
        if self._now() > position.issued + self._controls.sync_token_hours * 3600:
            self._refuse(resource)
        self._keep_to_the_newest(resource, position)
        return position

    def _keep_to_the_newest(self, resource: str, position: Position) -> None:
        """The token that was used last may be used again; one before it is good no longer, if the
        controls say so. https://developers.asana.com/docs/events-guide
        """
        newest = self._used.get(position.chain, 0)
        self._used[position.chain] = max(newest, position.step)
        if position.step < newest:
            match self._controls.old_sync_tokens:
                case 412:
                    self._refuse(resource)
                case 400:
                    raise Refusal(400, TOO_OLD)

    def refuse(self, asked: Asked) -> NoReturn:
        """The answer to a sync token that is too old."""
        resource, _ = self._watched(asked)
        self._refuse(resource)

    def _refuse(self, resource: str) -> NoReturn:
        """Add the sync token for the next request."""
        self._chains += 1
        fresh = Position(self._now(), self._visible(), self._chains)
        raise Refusal(412, TOO_OLD, beside={"sync": self._token(resource, fresh)})

    def _now(self) -> float:
        return float(self._account.clock.now().timestamp())
