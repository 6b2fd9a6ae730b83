"""The compact set of gids holds the same gids as a set of strings."""

from hypothesis import given
from hypothesis import strategies as st

from source_asana.reading.gid_set import FIRST_SLOTS, LARGEST, GidSet

ODD = ["", "0", "007", "x1", "١٢", str(LARGEST), str(LARGEST + 1), "-1"]
GIDS = st.one_of(st.integers(1, 5000).map(str), st.sampled_from(ODD[1:]))


@given(added=st.lists(GIDS), asked=st.lists(GIDS))
def test_a_set_contains_exactly_what_was_added(added: list[str], asked: list[str]) -> None:
    gids = GidSet()
    for gid in added:
        gids.add(gid)
    assert len(gids) == len(set(added))
    assert [gid in gids for gid in (*added, *asked)] == [gid in added for gid in (*added, *asked)]


def test_a_set_grows_without_losing_a_gid() -> None:
    gids, added = GidSet(), [str(12 * 10**14 + number) for number in range(5 * FIRST_SLOTS)]
    assert added[0] not in gids
    for gid in added:
        gids.add(gid)
    assert len(gids) == len(added)
    assert all(gid in gids for gid in added)
    assert not any(str(13 * 10**14 + number) in gids for number in range(FIRST_SLOTS))
