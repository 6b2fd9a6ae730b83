"""The output of `make pace`, at a small scale, and whether its table is right."""

from typing import NamedTuple

import pytest

from integration_tests.pace import Course, Look, Scenario, connector, measure, row


class Stage(NamedTuple):
    """A number of seconds at this pace, with a number of refusals at their beginning."""

    seconds: int
    per_second: float
    refused: int = 0


@pytest.mark.once
def test_workers_that_share_a_token_with_another_program_are_rarely_refused() -> None:
    scenario = Scenario("paid plan, shared, in small", 1500, other=750, window=6)
    course = measure(scenario, connector, seconds=15)
    assert course.looks[-1].refused <= 10
    assert course.looks[-1].served > 10 * course.looks[-1].refused
    assert course.looks[-1].others_served
    assert course.most_in_flight < 50
    assert course.given_up == 0


def test_the_steady_state_is_the_last_minute() -> None:
    looks = [Look(0, 0, 0, 0), Look(60, 80, 7, 10), Look(120, 137, 10, 85)]
    course = Course(Scenario("shared", 150, other=75), looks, most_in_flight=25, given_up=3)
    told = ["shared", "connector", "38.0%", "50.0%", "5.0%", "7", "25"]
    assert row("connector", course)[:7] == told


def test_recovery_begins_when_the_first_pause_ends() -> None:
    course = course_of(Stage(20, 1), Stage(20, 0, refused=3), Stage(19, 0.5), Stage(40, 1))
    assert course.seconds_to_recover == pytest.approx(18, abs=1)


def test_recovery_begins_with_a_change_after_which_nothing_is_refused() -> None:
    course = course_of(Stage(25, 0.1), Stage(40, 0.1), Stage(35, 1), later=60)
    assert course.seconds_to_recover == pytest.approx(40, abs=1)


def test_a_sync_that_stays_slow_never_recovers() -> None:
    assert course_of(Stage(20, 1), Stage(80, 0.5, refused=1)).seconds_to_recover is None


def test_a_sync_that_was_never_refused_has_no_recovery() -> None:
    assert course_of(Stage(60, 1)).seconds_to_recover == 0


def course_of(*stages: Stage, later: int | None = None) -> Course:
    """The course of a scenario with a request per second that went like this."""
    looks = [Look(0, 0, 0, 0)]
    for stage in stages:
        refused = looks[-1].refused + stage.refused
        for _ in range(stage.seconds):
            before = looks[-1]
            served = before.served + stage.per_second
            looks.append(Look(before.at + 1, served, refused, 0))
    scenario = Scenario("one a second", later or 60, later=later)
    return Course(scenario, looks, most_in_flight=1, given_up=0)
