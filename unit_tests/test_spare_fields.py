import pytest

from source_asana.asana.memory import Memory
from source_asana.asana.paging import PageBudget, Paging
from source_asana.asana.spare_fields import SpareFields, without

PARAMS = {"limit": "100", "opt_fields": "gid,name,attachments.gid,html_notes"}
SPARE = ("attachments.gid", "html_notes")
LEAN = {"limit": "100", "opt_fields": "gid,name"}


@pytest.mark.parametrize(
    ("seconds", "is_dropped"),
    [
        ([1.0] * 100, False),
        ([10.0, 10.0, 10.0], False),
        ([11.0], False),
        ([11.0, 1.0, 11.0], False),
        ([11.0, 11.0], True),
        ([1.0, 30.0, 60.0, 1.0], True),
    ],
)
def test_two_slow_pages_in_a_row_drop_the_fields(seconds: list[float], *, is_dropped: bool) -> None:
    fields = SpareFields()
    for each in seconds:
        fields.answered(each)
    assert fields.is_dropped is is_dropped


def test_two_timeouts_of_a_page_drop_the_fields() -> None:
    fields = SpareFields()
    assert not fields.timed_out(1)
    assert fields.timed_out(2)
    fields.answered(0.1)
    assert fields.is_dropped


def test_only_spare_fields_are_left_out() -> None:
    assert without(PARAMS, SPARE) == LEAN
    assert without(LEAN, SPARE) == LEAN


def budget_of(paging: Paging, path: str = "tasks") -> PageBudget:
    return paging.budget(path, PARAMS, SPARE)


@pytest.fixture
def paging() -> Paging:
    return Paging(Memory(1_000_000, lambda: None))


def test_timeouts_drop_fields_before_they_make_pages_smaller(paging: Paging) -> None:
    budget = budget_of(paging)
    limits = []
    for _ in range(4):
        limits.append(budget.query(PARAMS))
        assert budget.note_timeout()
    smaller = {**LEAN, "limit": "50"}
    assert [*limits, budget.query(PARAMS)] == [PARAMS, PARAMS, LEAN, LEAN, smaller]


def test_fields_are_dropped_for_the_whole_endpoint_and_no_other(paging: Paging) -> None:
    budget = budget_of(paging, "tasks/1/subtasks")
    budget.query(PARAMS)
    assert budget.drop_spare_fields()
    assert budget_of(paging, "tasks/2/subtasks").query(PARAMS) == LEAN
    assert budget_of(paging, "tasks").query(PARAMS) == PARAMS
    budget.query(PARAMS)
    assert not budget.drop_spare_fields()


def test_a_late_timeout_with_fields_that_others_have_dropped_makes_no_page_smaller(
    paging: Paging,
) -> None:
    late, other = budget_of(paging), budget_of(paging)
    for _ in range(2):
        late.query(PARAMS)
        other.query(PARAMS)
        assert late.note_timeout()
        assert other.note_timeout()
    assert late.query(PARAMS) == other.query(PARAMS) == LEAN
    assert late.note_timeout()
    assert late.query(PARAMS) == LEAN


def test_a_page_without_spare_fields_is_never_called_slow(paging: Paging) -> None:
    plain = paging.budget("tasks", LEAN)
    for _ in range(3):
        plain.query(LEAN)
        plain.note_answer(60.0)
    assert budget_of(paging).query(PARAMS) == PARAMS
    slow = budget_of(paging)
    for _ in range(2):
        slow.query(PARAMS)
        slow.note_answer(60.0)
    assert slow.query(PARAMS) == LEAN
