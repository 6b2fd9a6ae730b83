"""Lookups: single records that something named and no list has shown. Pure."""

from collections.abc import Collection

from source_asana.reading.container import Container
from source_asana.reading.plan import Listing, Plan
from source_asana.reading.visits import Visit
from source_asana.streams.sources import TASK, WORKSPACE
from source_asana.streams.values import Record, gid_of


def lookups(plan: Plan, container: Container) -> list[Visit]:
    """What events name in a container and no list of it has shown, when all else is read."""
    tells_itself = container.is_project and not container.shares_events
    if not tells_itself and not (container.kind == WORKSPACE and container.events):
        return []
    visits: list[Visit] = []
    for kind, gids in container.news.changes.to_look_up().items():
        listing = plan.lookups.get(kind)
        if listing is None or not container.need.feeds(listing):
            continue
        visits += [
            Visit(listing, gid, container, container.need)
            for gid in sorted(container.not_shown(gids) if kind == TASK else gids)
            if not container.is_deleted(kind, gid)
        ]
    return visits


def task_lookup(plan: Plan, container: Container, gid: str) -> Visit:
    """The lookup of a task that a record of a container names."""
    return Visit(plan.lookups[TASK], gid, container, container.need)


def list_that_shows(plan: Plan, visit: Visit, record: Record) -> tuple[Listing, str] | None:
    """The list that shows a looked-up record too, and the task below which."""
    stream = visit.listing.stream
    above = gid_of(record.get("target")) or gid_of(record.get("parent"))
    if not visit.listing.is_lookup or not stream.is_below_tasks() or above is None:
        return None
    listing = plan.by_path.get(str(stream.path()))
    return (listing, above) if listing else None


def pending_lookups(plan: Plan, open_containers: Collection[Container]) -> set[Listing]:
    """The lookups that open containers may still ask for."""
    may_ask = any(container.is_project or container.events for container in open_containers)
    return set(plan.lookups.values()) if may_ask else set()
