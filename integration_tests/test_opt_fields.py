"""Requested paths that are not in the lists of Asana's document for each endpoint."""

import pytest

from integration_tests.asana_emulator.documented import operation
from integration_tests.asana_emulator.endpoints import found_at
from source_asana.reading.listing import Listing, Selection
from source_asana.reading.plan import make_plan
from source_asana.streams.declared import STREAMS

IMPLICIT = ("gid", "resource_type")
"""Asana accepts these of every object, though its lists leave them out."""

UNLISTED = {
    "/projects is_template": "always null: kept for the tables of 1.7.2",
    "/projects custom_fields.resource_subtype": "in the catalog of 1.7.2; Asana has it in tasks",
    "/portfolios/{portfolio_gid}/items custom_fields.resource_subtype": "as in projects",
    **dict.fromkeys(
        (
            f"/time_tracking_entries {path}"
            for path in (
                *("task.name", "task.resource_subtype", "created_at"),
                *("approval_status", "billable_status", "description"),
            )
        ),
        "asked for by the gid of each entry, where the listing does not give it",
    ),
}


def listings() -> list[Listing]:
    """The listings of an incremental sync of everything: these are all listings."""
    selected = {s: Selection(incremental=bool(s.cursor_field)) for s in STREAMS.values()}
    return [
        found
        for found in make_plan(selected).listings
        if found.pages is None or found.pages.takes_opt_fields
    ]


def template_of(listing: Listing) -> str:
    template, _ = found_at(f"/{listing.request('1', '2')[0]}")
    return template


def ancestors(path: str) -> set[str]:
    """The objects that a path goes through."""
    names = path.split(".")
    return {".".join(names[:depth]) for depth in range(1, len(names))}


@pytest.mark.parametrize("listing", listings(), ids=lambda listing: listing.path)
def test_an_unlisted_path_belongs_to_a_listed_object(
    listing: Listing,
) -> None:
    template = template_of(listing)
    listed = operation(template).opt_fields
    assert listed
    asked = listing.opt_fields.split(",")
    unlisted = [p for p in asked if p not in listed and p.rpartition(".")[2] not in IMPLICIT]
    alone = [p for p in unlisted if not any(a in listed and a in asked for a in ancestors(p))]
    assert [path for path in alone if f"{template} {path}" not in UNLISTED] == []


def test_every_exception_is_still_needed() -> None:
    asked = {
        f"{template_of(each)} {path}" for each in listings() for path in each.opt_fields.split(",")
    }
    assert UNLISTED.keys() <= asked
    assert not any(
        path in operation(template).opt_fields
        for template, _, path in (each.partition(" ") for each in UNLISTED)
    )
