"""What workers do with the claims of parents: skip visits, and check what the others find."""

import threading
from collections.abc import Collection

from source_asana.reading.findings import ClaimsWrong
from source_asana.reading.listing import Listing
from source_asana.reading.outbox import Outbox
from source_asana.reading.schedule import Schedule
from source_asana.reading.seen import Seen
from source_asana.reading.shortcuts.shortcuts import Shortcuts
from source_asana.reading.visits import Visit


class Claims:
    """Safe for several threads. `changed` guards the shortcuts, the schedule and the memory."""

    def __init__(
        self,
        shortcuts: Shortcuts,
        schedule: Schedule,
        seen: Seen,
        outbox: Outbox,
        changed: threading.Condition,
    ) -> None:
        self._shortcuts = shortcuts
        self._schedule = schedule
        self._seen = seen
        self._outbox = outbox
        self._changed = changed

    def may_skip(self, visit: Visit, given_up: Collection[Listing]) -> bool:
        """Whether a visit is not necessary, because its parent says so and can be trusted."""
        if visit.claim is None or not visit.claim.is_empty or visit.listing in given_up:
            return False
        with self._changed:
            if not self._seen.may_skip(visit) or self._shortcuts.must_check(visit):
                return False
            self._seen.skip(visit)
        return True

    def check(self, visit: Visit, created: list[object]) -> None:
        """Compare what was found with what the parent claimed; if that is wrong, skip nothing.

        `created`: when each of the records was created.
        """
        listing, evidence = visit.listing, self._shortcuts.of(visit.listing)
        with self._changed:
            if evidence is None or not self._shortcuts.is_disproved(visit, created):
                return
            skipped = [
                Visit(listing, gid, container, container.need.only(listing.feeds, whole=True))
                for container, gid in self._seen.skips.take(listing)
            ]
            self._schedule.open(skipped)
        self._outbox.put(ClaimsWrong(visit, len(skipped), evidence.trusted_before))
