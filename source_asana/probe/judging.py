"""Whether what Asana answered is what the connector assumes. Pure: plain values in, verdicts out.

What a judgment says may stand in a public bug report: counts, key names, statuses and times only.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from source_asana.asana.errors import AsanaFailure
from source_asana.asana.page_size import LARGE_PAGE_BYTES
from source_asana.asana.times import asana_time, shifted
from source_asana.probe.findings import (
    INVISIBLE,
    Judgment,
    Record,
    Reply,
    Seen,
    differs,
    holds,
    judged,
    not_answered,
    not_visible,
)
from source_asana.streams.values import gids_in, is_time, is_zero

TEMPORARY = frozenset({"download_url", "view_url", "permanent_url", "photo"})
"""Addresses that Asana makes for each answer: only their presence can be compared."""

FULL_PAGE = 100
"""Records on a page that may not be the last one."""

FUTURE_MINUTES = 5
"""By how much a record may be newer than the `Date` of Asana's latest answer."""

_KEY = re.compile(r"[a-z][a-z0-9_]{0,60}")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_DIGITS = re.compile(r"[0-9]+")


# Records


def whole(
    records: Sequence[Record],
    single: Record | None,
    columns: Collection[str],
    *,
    conditional: Collection[str] = (),
) -> Judgment:
    """A listing has every column, and the same values as a record asked for by its gid.

    `single`: that record; it has the gid of one of `records`. `conditional`: the columns that
    records of some kinds do not have.
    """
    if not records:
        return not_visible("no record")
    here = {column for column in columns if any(column in record for record in records)}
    missing = sorted(set(columns) - here - set(conditional))
    observed = [counted(len(records), "record"), f"{len(here)} of {len(columns)} columns"]
    if missing:
        observed.append(f"never there: {', '.join(missing)}")
    if single is None:
        return judged(not missing, ", ".join(observed))
    listed = next(record for record in records if record.get("gid") == single.get("gid"))
    unequal = sorted(_unequal(listed, single, columns))
    if "modified_at" in unequal and not missing:
        return not_answered("the record was modified between the two requests")
    if unequal:
        observed.append(f"unlike the single record in {', '.join(unequal)}")
    else:
        observed.append("equal to the single record")
    return judged(not missing and not unequal, ", ".join(observed))


def _unequal(listed: Record, single: Record, columns: Collection[str]) -> Iterator[str]:
    for column in columns:
        one, other = listed.get(column, ...), single.get(column, ...)
        if column in TEMPORARY:
            if (one in (None, ...)) is not (other in (None, ...)):
                yield column
        elif _comparable(one) != _comparable(other):
            yield column


def _comparable(value: Any) -> str:
    """The value as text; the order of objects in a list means nothing."""
    if isinstance(value, list):
        return "\n".join(sorted(map(_comparable, value)))
    if isinstance(value, dict):
        return json.dumps({key: _comparable(value[key]) for key in sorted(value)})
    return "absent" if value is ... else json.dumps(value)


def digits_only(records: Iterable[Record]) -> Judgment:
    """Each gid, also of the objects inside, is a string of digits."""
    gids = [gid for record in records for gid in _gids(record)]
    odd = sum(not (isinstance(gid, str) and _DIGITS.fullmatch(gid)) for gid in gids)
    observed = f"{counted(len(gids), 'gid')}, {odd} of another form"
    return judged(not odd, observed) if gids else not_visible("no record")


def _gids(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        if "gid" in value and "data" not in value:  # `external` has somebody else's
            yield value["gid"]
        for name, inner in value.items():
            if name != "external":
                yield from _gids(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _gids(inner)


def in_utc(records: Iterable[Record]) -> Judgment:
    """Each time is UTC with milliseconds, the one format in which times are compared."""
    times = [value for record in records for value in _times(record) if value is not None]
    odd = sum(not is_time(value) for value in times)
    observed = f"{counted(len(times), 'time')}, {odd} in another format"
    return judged(not odd, observed) if times else not_visible("no time")


def not_in_the_future(records: Iterable[Record], date: str) -> Judgment:
    """No record is newer than Asana's clock, which the marks of incremental syncs come from."""
    bound = shifted(asana_time(date), minutes=FUTURE_MINUTES)
    times = [
        value
        for record in records
        for name in ("created_at", "modified_at")
        if is_time(value := str(record.get(name)))
    ]
    later = sum(value > bound for value in times)
    observed = f"{counted(len(times), 'time')}, {later} after the Date header"
    return judged(not later, observed) if times else not_visible("no time")


def _times(record: Record) -> Iterator[Any]:
    return (value for name, value in record.items() if name.endswith("_at"))


def never_null(records: Sequence[Record], columns: Collection[str]) -> Judgment:
    """Every record has these columns, and they are not null."""
    if not records:
        return not_visible("no record")
    lacking = {c: n for c in columns if (n := sum(record.get(c) is None for record in records))}
    observed = counted(len(records), "record")
    if lacking:
        observed += ", null or absent: " + ", ".join(f"{c} {n}" for c, n in lacking.items())
    return judged(not lacking, observed)


def refers_to(record: Record, column: str, gid: str, resource_type: str) -> Judgment:
    """A record that is asked for by its gid tells what it belongs to."""
    found = record.get(column)
    parent = found if isinstance(found, dict) else {}
    observed = [
        f"{column}.gid {'as expected' if parent.get('gid') == gid else 'another or absent'}",
        f"{column}.resource_type "
        + ("as expected" if parent.get("resource_type") == resource_type else "another or absent"),
    ]
    is_so = parent.get("gid") == gid and parent.get("resource_type") == resource_type
    return judged(is_so, ", ".join(observed))


def is_named(records: Sequence[Record], column: str) -> Judgment:
    """An object that records refer to has its name."""
    found = [value for record in records if isinstance(value := record.get(column), dict)]
    without = sum(not isinstance(value.get("name"), str) for value in found)
    if not found:
        return not_visible(f"no {column}")
    return judged(not without, f"{counted(len(found), 'object')}, {without} without a name")


def same_flag(listed: Sequence[Record], singles: Sequence[Record], column: str) -> Judgment:
    """A column has the same value in a listing and in each single record."""
    by_gid = {record.get("gid"): record.get(column) for record in listed}
    unequal = sum(by_gid.get(one.get("gid"), ...) != one.get(column) for one in singles)
    observed = f"{counted(len(singles), 'single record')}, {unequal} unlike the listing"
    return judged(not unequal, observed)


# Tasks


def counts_subtasks(
    parent: Record, below: Reply, leaf: Record | None, none: Reply | None
) -> Judgment:
    """`num_subtasks` is the number of records in the list of subtasks."""
    observed, is_so = [], True
    for task, listed in ((parent, below), (leaf, none)):
        if task is None or listed is None:
            continue
        said, found = task.get("num_subtasks"), len(listed.records)
        agrees = said == found or (listed.has_more and isinstance(said, int) and said > found)
        is_so = is_so and agrees
        observed.append(f"num_subtasks {'agrees with' if agrees else 'differs from'} {found}")
    return judged(is_so, ", ".join(observed))


def complete_since(everything: Sequence[Record], changed: Reply, since: str) -> Judgment:
    """`modified_since` gives every task that was modified at that time or later."""
    expected = {r["gid"] for r in everything if str(r.get("modified_at")) >= since}
    exact = {r["gid"] for r in everything if r.get("modified_at") == since}
    found = {record.get("gid") for record in changed.records}
    missing = expected - found
    observed = (
        f"{len(expected - missing)} of {len(expected)} tasks modified at that time or later, "
        f"{len(exact & found)} of {len(exact)} of those modified at exactly that time"
    )
    if missing and changed.has_more:
        return not_visible("the answer has more than one page")
    return judged(not missing, observed)


def nothing_older(changed: Sequence[Record], since: str) -> Judgment:
    """`modified_since` gives no task whose own `modified_at` is older."""
    older = sum(str(record.get("modified_at")) < since for record in changed)
    return judged(not older, f"{counted(len(changed), 'task')}, {older} older than asked for")


def has_archived(everything: Sequence[Record], archived: Reply | None) -> Judgment:
    """A listing without `archived` has archived projects too. `archived`: only these."""
    found = sum(record.get("archived") is True for record in everything)
    if found:
        return holds(f"{found} of {counted(len(everything), 'project')} archived")
    if archived is None or not archived.records:
        return not_visible("no archived project")
    return differs(f"{counted(len(archived.records), 'archived project')} only if asked for")


def has_no_archived(active: Sequence[Record]) -> Judgment:
    """`archived=false` leaves out archived projects."""
    found = sum(record.get("archived") is not False for record in active)
    return judged(not found, f"{counted(len(active), 'project')}, {found} archived")


def in_sections(tasks: Sequence[Record], project: str) -> Judgment:
    """Each task of a project is in one of its sections."""
    placed = sum(_is_placed(task, project) for task in tasks)
    observed = f"{placed} of {counted(len(tasks), 'task')} in a section of the project"
    return judged(placed == len(tasks), observed) if tasks else not_visible("no task")


def _is_placed(task: Record, project: str) -> bool:
    memberships = task.get("memberships")
    return isinstance(memberships, list) and any(
        isinstance(one, dict)
        and (one.get("project") or {}).get("gid") == project
        and bool((one.get("section") or {}).get("gid"))
        for one in memberships
    )


def inline(name: str, tasks: Sequence[Record], listings: Mapping[str, Reply]) -> Judgment:
    """Where a list of tasks has their children too, they are all of them.

    `listings`: the children's own listings, by the gid of the task.
    """
    here = [task for task in tasks if isinstance(task.get(name), list)]
    if not here:
        return not_visible(f"no {name} on any of {counted(len(tasks), 'task')}")
    observed = [f"{name} on {len(here)} of {counted(len(tasks), 'task')}"]
    is_so = len(here) == len(tasks)
    for task in here:
        listing = listings.get(task["gid"])
        if listing is None:
            continue
        inside, whole_list = set(gids_in(task[name]) or ()), set(gids_in(listing.records) or ())
        agrees = inside >= whole_list if listing.has_more else inside == whole_list
        is_so = is_so and agrees
        observed.append(f"{len(inside)} where the listing has {len(whole_list)}")
    return judged(is_so, ", ".join(observed))


# Pages


def obeys_limit(pages: Mapping[int, Reply]) -> Judgment:
    """Pages of each size come, in time, of the size asked for and small enough to hold."""
    observed, is_so = [], True
    for limit, page in pages.items():
        if not page.is_ok:
            observed.append(f"limit {limit}: {page.said}")
        else:
            observed.append(
                f"limit {limit}: {counted(len(page.records), 'record')}, "
                f"{milliseconds(page.seconds)}, {page.size / 1000:,.0f} kB"
            )
        is_so = (
            is_so and page.is_ok and len(page.records) <= limit and page.size <= LARGE_PAGE_BYTES
        )
    return judged(is_so, "; ".join(observed))


def goes_on(first: Reply, second: Reply) -> Judgment:
    """An offset gives the records that follow."""
    if not second.is_ok:
        return differs(second.said)
    repeated = len({r.get("gid") for r in first.records} & {r.get("gid") for r in second.records})
    observed = f"{counted(len(second.records), 'record')}, {repeated} repeated"
    return judged(bool(second.records) and not repeated, observed)


def refuses_offset(answer: Reply) -> Judgment:
    """A damaged offset is answered with 400, and not with the words for a listing that is cut."""
    failure = AsanaFailure(answer.message, "", status=answer.status)
    if failure.is_truncated:
        return differs(f"{answer.said}, as if the listing were too large")
    return judged(failure.is_refused_request, answer.said)


def goes_on_or_refuses(first: Reply, second: Reply) -> Judgment:
    """An offset with another `limit` gives the records that follow, or 400."""
    if second.status == HTTPStatus.BAD_REQUEST:
        return holds(second.said)
    return goes_on(first, second)


def ends(first: Reply, second: Reply | None) -> Judgment:
    """A listing that always has a next page ends with an empty one. `second`: that next page."""
    if second is None:
        return holds("next_page is null")
    if second.is_ok and not second.records:
        return holds(f"{counted(len(first.records), 'record')}, then an empty page")
    if second.is_ok and len(first.records) == FULL_PAGE:
        return not_visible("more than one page")
    return differs(f"{second.said}, {counted(len(second.records), 'record')} on the next page")


def has_next_page(bodies: Mapping[str, Sequence[Mapping[str, Any]]]) -> Judgment:
    """Each listing that is asked for with a `limit` has the key `next_page`, null at the end.

    `bodies`: by the endpoint.
    """
    without = sorted(e for e, found in bodies.items() if any("next_page" not in b for b in found))
    observed = f"{len(bodies) - len(without)} of {counted(len(bodies), 'endpoint')}"
    if without:
        observed += f", not {', '.join(without)}"
    return judged(not without, observed) if bodies else not_visible("no listing")


# Events


def begins_with_412(answer: Reply) -> Judgment:
    """Events without a sync token are answered with 412 and a new token."""
    has_token = is_token(answer.body.get("sync"))
    observed = f"{answer.said}, {'a' if has_token else 'no'} sync token"
    return judged(answer.status == HTTPStatus.PRECONDITION_FAILED and has_token, observed)


def continues_from_token(answer: Reply) -> Judgment:
    """Events since a token come with the next token, and say whether there are more."""
    keys = sorted(key for key in ("sync", "has_more") if key in answer.body)
    observed = f"{answer.said}, {counted(len(answer.records), 'event')}, keys {', '.join(keys)}"
    is_so = answer.is_ok and is_token(answer.body.get("sync"))
    return judged(is_so and isinstance(answer.body.get("has_more"), bool), observed)


def repeats_events(first: Reply, second: Reply) -> Judgment:
    """The same token gives the same events again, so a sync that was killed loses none."""
    if not second.is_ok:
        return differs(second.said)
    lost = len([event for event in first.records if event not in second.records])
    observed = f"{counted(len(second.records), 'event')}, {lost} of the first answer missing"
    return judged(not lost, observed)


def refuses_token(answer: Reply) -> Judgment:
    """An unknown sync token is answered with 412 and a new token, or with 400."""
    is_new = answer.status == HTTPStatus.PRECONDITION_FAILED and is_token(answer.body.get("sync"))
    return judged(is_new or answer.status == HTTPStatus.BAD_REQUEST, answer.said)


def is_token(value: Any) -> bool:
    """Whether it can be a sync token."""
    return isinstance(value, str) and value != ""


# Statuses and headers


def has_status(answer: Reply, status: int) -> Judgment:
    """The answer has that status."""
    return judged(answer.status == status, answer.said)


def is_readable(answer: Reply) -> Judgment:
    """The answer has records."""
    if not answer.is_ok:
        return answer.unusable()
    return holds(f"{answer.said}, {counted(len(answer.records), 'record')}")


def is_refused_or_unknown(answer: Reply) -> Judgment:
    """404 for an export that does not exist; 403 if the token may not ask at all."""
    if answer.status == HTTPStatus.NOT_FOUND:
        return holds(answer.said)
    return differs(answer.said) if answer.is_ok else answer.unusable()


def in_envelopes(answers: Sequence[Seen]) -> Judgment:
    """Each refusal has Asana's envelope for errors."""
    refusals = [a for a in answers if a.status in (*INVISIBLE, 400, 412, 429)]
    statuses = ", ".join(str(status) for status in sorted({a.status for a in refusals}))
    without = sum(not answer.has_errors for answer in refusals)
    observed = (
        f"{counted(len(refusals), 'refusal')} ({statuses}), {without} without errors[].message"
    )
    return judged(not without, observed) if refusals else not_visible("no refusal")


def has_dates(answers: Sequence[Seen]) -> Judgment:
    """Each answer has a `Date` header, which is a time."""
    without = sum(not answer.has_time for answer in answers if answer.status)
    return judged(not without, f"{counted(len(answers), 'answer')}, {without} without Date")


def has_no_changes(answers: Sequence[Seen]) -> Judgment:
    """Asana announces no breaking change."""
    names = {_change(change) for answer in answers for change in answer.changes}
    if not names:
        return holds("no Asana-Change header")
    return differs(f"Asana-Change: {', '.join(sorted(names))}")


def _change(announced: str) -> str:
    """The name of a change, as in `name=…;info=…;affected=…`; the rest is not repeated."""
    name = announced.partition(";")[0].partition("=")[2].strip()
    return name if _KEY.fullmatch(name) else "a name of another form"


def has_no_rate_headers(answers: Sequence[Seen]) -> Judgment:
    """No header tells the rate limit or what is left of it."""
    names = {
        n for a in answers for n in a.header_names if "ratelimit" in n.lower().replace("-", "")
    }
    known = sorted(name for name in names if _HEADER.fullmatch(name))
    return judged(not names, f"headers: {', '.join(known)}" if names else "no such header")


def has_retry_after(answers: Sequence[Seen]) -> Judgment:
    """Each 429 says after how many seconds to ask again."""
    refused = [a for a in answers if a.status == HTTPStatus.TOO_MANY_REQUESTS]
    without = sum(answer.retry_after is None for answer in refused)
    if not refused:
        return not_visible("no answer 429")
    return judged(not without, f"{counted(len(refused), 'answer')} 429, {without} without it")


# Other records


def is_placed_by_gid(listed: Sequence[Record], single: Record) -> Judgment:
    """A time entry tells its task in the listing, or when it is asked for by its gid."""
    in_listing = sum(bool(record.get("task")) for record in listed)
    in_single = bool(single.get("task"))
    observed = (
        f"task in {in_listing} of {counted(len(listed), 'listed entry', 'listed entries')}, "
        f"{'and' if in_single else 'not'} in the single one"
    )
    return judged(in_listing == len(listed) or in_single, observed)


def are_all(inside: Sequence[Any] | None, listing: Reply) -> Judgment:
    """Records that stand in another record are all that their own listing has."""
    within, listed = set(gids_in(inside) or ()), set(gids_in(listing.records) or ())
    observed = f"{len(within & listed)} of {counted(len(listed), 'record')} inside"
    is_so = within >= listed if listing.has_more else within == listed
    return judged(inside is not None and is_so, observed)


def since_creation(everything: Sequence[Record], since: str, found: Reply) -> Judgment:
    """`created_since` gives what was created at that time or later, and nothing older."""
    expected = {r["gid"] for r in everything if str(r.get("created_at")) >= since}
    older = sum(str(record.get("created_at")) < since for record in found.records)
    here = {record.get("gid") for record in found.records}
    observed = f"{len(expected & here)} of {len(expected)} created since, {older} older"
    return judged(expected <= here and not older, observed)


# Words


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """As in "1 record" and "2 records"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def milliseconds(seconds: float) -> str:
    """As in "812 ms"."""
    return f"{seconds * 1000:,.0f} ms"


def has_usable_count(tasks: Sequence[Record]) -> Judgment:
    """`num_subtasks` is a number."""
    odd = sum(
        not (is_zero(n := t.get("num_subtasks")) or (isinstance(n, int) and n > 0)) for t in tasks
    )
    observed = f"{counted(len(tasks), 'task')}, {odd} without a number"
    return judged(not odd, observed) if tasks else not_visible("no task")
