from typing import Any

import pytest

from source_asana.choice import Choice
from source_asana.state import Mark
from source_asana.unlisted import Fate, unlisted_projects

BEGAN = "2026-11-20T10:00:00.000Z"
AN_HOUR_AGO, TWO_DAYS_AGO = "2026-11-20T09:00:00.000Z", "2026-11-18T10:00:00.000Z"
HERE, THERE = "1", "2"
NO_ARCHIVED, ONLY_HERE = Choice(with_archived_projects=False), Choice(workspace_gids=(HERE,))


@pytest.mark.parametrize(
    ("mark", "choice", "fate"),
    [
        (Mark(BEGAN, home=HERE), Choice(), None),
        (Mark(BEGAN, home=HERE, checked=TWO_DAYS_AGO), Choice(), None),
        (Mark(BEGAN, home=HERE, checked=AN_HOUR_AGO), Choice(), Fate.KEPT),
        (Mark(BEGAN, home=THERE), Choice(), Fate.KEPT),
        (Mark(BEGAN, home=THERE), ONLY_HERE, Fate.LEFT_OUT),
        (Mark(BEGAN), ONLY_HERE, None),
        (Mark(BEGAN), Choice(), None),
        (Mark(BEGAN, home=HERE), Choice(excluded_project_gids=("11",)), Fate.LEFT_OUT),
        (Mark(BEGAN, home=HERE), Choice(project_gids=("12",)), Fate.LEFT_OUT),
    ],
)
def test_asana_is_asked_only_where_the_answer_can_tell_something(
    mark: Mark, choice: Choice, fate: Fate | None
) -> None:
    found = unlisted_projects({"11": mark}, (), {HERE}, choice, BEGAN)
    assert found.ask == ([] if fate else ["11"])
    assert found.unasked == ({"11": fate} if fate else {})
    assert found.fates == {"11": fate or Fate.KEPT}


def test_where_no_workspace_lists_its_projects_nothing_is_asked_and_all_is_kept() -> None:
    found = unlisted_projects(
        {"11": Mark(BEGAN), "12": Mark(BEGAN, home=HERE)}, (), (), Choice(), ""
    )
    assert found.ask == []
    assert found.fates == {"11": Fate.KEPT, "12": Fate.KEPT}


def test_a_listed_project_that_the_user_leaves_out_needs_no_question() -> None:
    found = unlisted_projects({"11": Mark(BEGAN, home=HERE)}, {"11"}, {HERE}, Choice(), BEGAN)
    assert found.fates == {"11": Fate.LEFT_OUT}
    assert found.ask == []


@pytest.mark.parametrize(
    ("home", "answer", "choice", "fate"),
    [
        (HERE, 404, Choice(), Fate.DELETED),
        (None, 404, Choice(), Fate.UNKNOWN),
        (HERE, 400, Choice(), Fate.KEPT),
        (None, 400, Choice(), Fate.UNKNOWN),
        (HERE, 403, Choice(), Fate.HIDDEN),
        (HERE, 402, Choice(), Fate.HIDDEN),
        (HERE, 451, Choice(), Fate.HIDDEN),
        (HERE, {"gid": "11"}, Choice(), Fate.KEPT),
        (HERE, {"gid": "11", "archived": True}, Choice(), Fate.KEPT),
        (HERE, {"gid": "11", "archived": True}, NO_ARCHIVED, Fate.LEFT_OUT),
        (None, {"gid": "11", "workspace": {"gid": THERE}}, ONLY_HERE, Fate.LEFT_OUT),
        (None, {"gid": "11", "workspace": {"gid": HERE}}, ONLY_HERE, Fate.KEPT),
    ],
)
def test_only_a_404_in_a_workspace_that_is_listed_proves_a_deletion(
    home: str | None, answer: dict[str, Any] | int, choice: Choice, fate: Fate
) -> None:
    found = unlisted_projects({"11": Mark(BEGAN, home=home)}, (), {HERE}, choice, BEGAN)
    found.learn("11", answer, BEGAN)
    assert found.fates == {"11": fate}
    assert found.deleted_at == ({"11": BEGAN} if fate is Fate.DELETED else {})
