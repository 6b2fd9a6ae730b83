"""Reads the events of a whole workspace before its projects, where that saves requests."""

import threading

from source_asana.reading.account import Account
from source_asana.reading.findings import EventsKnown
from source_asana.reading.outbox import Outbox
from source_asana.reading.reader import Reader
from source_asana.reading.seen import Seen
from source_asana.reading.visits import Visit


class WorkspaceReading:
    """Safe for several threads. `changed` guards the account and the memory of what was seen."""

    def __init__(
        self,
        account: Account,
        reader: Reader,
        seen: Seen,
        outbox: Outbox,
        changed: threading.Condition,
    ) -> None:
        self._account = account
        self._reader = reader
        self._seen = seen
        self._outbox = outbox
        self._changed = changed

    def read_events(self, visit: Visit, projects: int) -> None:
        """Read the events, if the visit has shown so many projects that it is worth it."""
        account, workspace = self._account, visit.container
        with self._changed:
            tokens = account.workspace_tokens(workspace, projects)
            asked_at = self._seen.now()
        listing = account.plan.events
        if tokens is None or listing is None:
            return
        events = self._reader.workspace_events(workspace.gid, tokens, purpose=listing.name)
        if events is None:
            return
        with self._changed:
            account.learn_of_workspace(workspace, events)
            for named in events.events.values():
                self._seen.events(named, asked_at)
            delivered = account.resumption.delivers(events)
        news = {e["event_id"]: e for token in delivered for e in events.events[token]}
        for output in listing.outputs:
            self._outbox.put_page(visit, output, list(news.values()))
        self._outbox.put(EventsKnown(workspace))
