from typing import Any

import pytest

from source_asana.reading.filters import Filters
from source_asana.reading.marks import Mark
from source_asana.reading.unlisted import Fate, unlisted_projects

BEGAN = "2026-11-20T10:00:00.000Z"
AN_HOUR_AGO, TWO_DAYS_AGO = "2026-11-20T09:00:00.000Z", "2026-11-18T10:00:00.000Z"
HERE, THERE = "1", "2"
OF_A_TEAM = Filters(team_gids=("7",))
NO_ARCHIVED, ONLY_HERE = Filters(with_archived_projects=False), Filters(workspace_gids=(HERE,))


@pytest.mark.parametrize(
    ("mark", "filters", "fate"),
    [
        (Mark(BEGAN, home=HERE), Filters(), None),
        (Mark(BEGAN, home=HERE, checked=TWO_DAYS_AGO), Filters(), None),
        (Mark(BEGAN, home=HERE, checked=AN_HOUR_AGO), Filters(), Fate.KEPT),
        (Mark(BEGAN, home=THERE), Filters(), Fate.KEPT),
        (Mark(BEGAN, home=THERE), ONLY_HERE, Fate.LEFT_OUT),
        (Mark(BEGAN), ONLY_HERE, None),
        (Mark(BEGAN), Filters(), None),
        (Mark(BEGAN, home=HERE), Filters(excluded_project_gids=("11",)), Fate.LEFT_OUT),
        (Mark(BEGAN, home=HERE), Filters(project_gids=("12",)), Fate.LEFT_OUT),
        (Mark(BEGAN, home=HERE), OF_A_TEAM, None),
        (Mark(BEGAN, home=HERE), Filters(portfolio_gids=("7",)), None),
        (
            Mark(BEGAN, home=HERE),
            Filters(team_gids=("7",), excluded_project_gids=("11",)),
            Fate.LEFT_OUT,
        ),
    ],
)
def test_a_question_goes_to_asana_only_where_the_answer_matters(
    mark: Mark, filters: Filters, fate: Fate | None
) -> None:
    found = unlisted_projects({"11": mark}, (), {HERE}, filters, BEGAN)
    assert found.ask == ([] if fate else ["11"])
    assert found.unasked == ({"11": fate} if fate else {})
    assert found.fates == {"11": fate or Fate.KEPT}


def test_where_no_workspace_lists_its_projects_no_question_is_asked_and_every_mark_is_kept() -> (
    None
):
    found = unlisted_projects(
        {"11": Mark(BEGAN), "12": Mark(BEGAN, home=HERE)}, (), (), Filters(), ""
    )
    assert found.ask == []
    assert found.fates == {"11": Fate.KEPT, "12": Fate.KEPT}


def test_a_listed_project_that_the_user_excludes_needs_no_question() -> None:
    found = unlisted_projects({"11": Mark(BEGAN, home=HERE)}, {"11"}, {HERE}, Filters(), BEGAN)
    assert found.fates == {"11": Fate.LEFT_OUT}
    assert found.ask == []


@pytest.mark.parametrize(
    ("home", "answer", "filters", "fate"),
    [
        (HERE, 404, Filters(), Fate.DELETED),
        (None, 404, Filters(), Fate.UNKNOWN),
        (HERE, 400, Filters(), Fate.KEPT),
        (None, 400, Filters(), Fate.UNKNOWN),
        (HERE, 403, Filters(), Fate.HIDDEN),
        (HERE, 402, Filters(), Fate.HIDDEN),
        (HERE, 451, Filters(), Fate.HIDDEN),
        (HERE, {"gid": "11"}, Filters(), Fate.KEPT),
        (HERE, {"gid": "11", "archived": True}, Filters(), Fate.KEPT),
        (HERE, {"gid": "11", "archived": True}, NO_ARCHIVED, Fate.LEFT_OUT),
        (None, {"gid": "11", "workspace": {"gid": THERE}}, ONLY_HERE, Fate.LEFT_OUT),
        (None, {"gid": "11", "workspace": {"gid": HERE}}, ONLY_HERE, Fate.KEPT),
        (HERE, 404, OF_A_TEAM, Fate.DELETED),
        (HERE, {"gid": "11"}, OF_A_TEAM, Fate.LEFT_OUT),
        (HERE, {"gid": "11"}, Filters(team_gids=("7",), project_gids=("11",)), Fate.KEPT),
    ],
)
def test_only_a_404_in_a_workspace_that_is_listed_proves_a_deletion(
    home: str | None, answer: dict[str, Any] | int, filters: Filters, fate: Fate
) -> None:
    found = unlisted_projects({"11": Mark(BEGAN, home=home)}, (), {HERE}, filters, BEGAN)
    found.learn("11", answer, BEGAN)
    assert found.fates == {"11": fate}
    assert found.deleted_at == ({"11": BEGAN} if fate is Fate.DELETED else {})
