"""What is read in a container: its lists, former failures, and lookups of single records. Pure.

A lookup asks for a record that something named and that no list has shown.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace

from source_asana.reading.container import Container, Former, Need
from source_asana.reading.listing import Listing, Plan
from source_asana.reading.visits import Visit
from source_asana.streams.sources import TASK, WORKSPACE, StreamClass
from source_asana.streams.values import Record, gid_of


def lists_of(plan: Plan, project: Container) -> Iterator[Visit]:
    """The lists of a project that its streams need."""
    for child in plan.below_projects:
        gid = project.gids.get(child) if child.gid_column else project.gid
        if gid and project.need.feeds(child) and child not in project.news.put_off:
            yield Visit(child, gid, project, project.need)


def missing_in(plan: Plan, container: Container) -> Iterator[Visit]:
    """What former syncs could not read in a container, for the streams that lack it."""
    lacking: dict[tuple[str, str], set[StreamClass]] = {}
    for stream, requests in container.former.missing.items():
        for request in requests:
            lacking.setdefault(request, set()).add(stream)
    for (path, gid), streams in sorted(lacking.items(), key=lambda of: of[0]):
        listing = plan.by_path.get(path)
        if listing and listing.gid_column and container.gids.get(listing) != gid:
            continue  # the column names another object now, or none
        if listing and not container.news.changes.is_deleted(listing.parent_kind, gid):
            yield Visit(listing, gid, container, container.need.only(streams, whole=True))


def with_unknown(plan: Plan, need: Need, former: Former) -> Need:
    """Read everything for a stream that lacks a request which this sync cannot repeat."""
    since = {
        stream: None
        if any(path not in plan.by_path for path, _ in former.missing.get(stream, ()))
        else time
        for stream, time in need.since.items()
    }
    return replace(need, since=since)


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
