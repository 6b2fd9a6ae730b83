"""How the benchmark evaluates its measurements."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.cases import (
    ALL,
    BARE,
    CASES,
    CEILING,
    LARGE_PAGES,
    MEMORY,
    OURS,
    PUBLISHED,
    QUOTAS,
    RESUMED,
    SCALING,
    USUAL,
    Case,
)
from benchmarks.figures import Measurement, differences, middle, ratios
from benchmarks.plot import CHARTS, NAMES, Chart, figures, values
from benchmarks.report import findings
from benchmarks.said import said
from benchmarks.targets import Measured, targets

DOCS = Path(__file__).parents[1] / "docs"
ONE = Measurement(
    group=ALL,
    case="everything",
    connector=OURS,
    requests=100,
    refused=0,
    floor=100,
    wall=10.0,
    cpu=1.0,
    memory=100_000_000,
    records=1_000,
    missing=0,
    too_many=0,
    other_bytes=2_000,
    exit_status=0,
)
THEIRS = replace(ONE, connector=PUBLISHED, requests=400, wall=300.0, cpu=60.0)
CASE = Case(group=ALL, name="everything", streams=("tasks",))


def promises(case: Case, *measurements: Measurement) -> dict[str, bool]:
    return {each.promise: each.holds for each in targets([case], Measured(measurements))}


def test_every_case_has_a_unique_name() -> None:
    assert len({(case.group, case.name) for case in CASES}) == len(CASES)


def test_each_figure_is_the_median_of_its_own_values() -> None:
    runs = [replace(ONE, wall=wall, cpu=cpu) for wall, cpu in ((1.0, 9.0), (2.0, 7.0), (9.0, 8.0))]
    assert middle(runs) == replace(ONE, wall=2.0, cpu=8.0)


def test_runs_are_compared_pair_by_pair() -> None:
    one = [replace(THEIRS, wall=wall) for wall in (10.0, 100.0, 30.0)]
    other = [replace(ONE, wall=wall) for wall in (1.0, 50.0, 1.0)]
    assert ratios(one, other).wall == 10.0


def test_missing_and_duplicate_records_are_counted() -> None:
    truth = {"tasks": Counter(("1", "2", "3")), "items": Counter({"7": 2})}
    told = {"tasks": Counter({"1": 3, "2": 1, "9": 1}), "items": Counter({"7": 2})}
    assert differences(truth, told) == (1, 3)


def test_records_are_distinguished_from_all_other_messages() -> None:
    log = b'{"type":"LOG","log":{"level":"INFO","message":"."}}\n'
    record = b'{"type":"RECORD","record":{"stream":"tasks","data":{"gid":"1"},"emitted_at":1}}\n'
    told = said([log, record, record])
    assert (told.gids, told.other_bytes) == ({"tasks": Counter({"1": 2})}, len(log))


@pytest.mark.parametrize(
    ("theirs", "kept"),
    [
        (THEIRS, [True, True, True, True]),
        (replace(THEIRS, requests=299), [True, False, True, True]),
        (replace(THEIRS, wall=199.0), [True, True, False, True]),
        (replace(THEIRS, cpu=49.0), [True, True, True, False]),
    ],
)
def test_a_missed_target_is_marked_as_missed(theirs: Measurement, kept: list[bool]) -> None:
    assert list(promises(CASE, ONE, theirs).values()) == kept


def test_a_quota_is_compared_with_the_fewest_possible_requests() -> None:
    case = Case(group=QUOTAS, name="everything", quota=1_500)
    in_time = replace(ONE, group=QUOTAS, wall=4.1)
    assert list(promises(case, in_time).values()) == [True]
    assert list(promises(case, replace(in_time, wall=4.3)).values()) == [False]


def test_the_connector_is_compared_with_the_bare_loop() -> None:
    case = Case(group=CEILING, name="everything")
    ours = replace(ONE, group=CEILING, cpu=3.1)
    assert list(promises(case, ours, replace(ours, connector=BARE, cpu=1.0)).values()) == [False]
    assert list(promises(case, ours, replace(ours, connector=BARE, cpu=1.1)).values()) == [True]


@pytest.mark.parametrize(("wall", "holds"), [(1.9, True), (2.1, False)])
def test_workers_are_compared_with_their_waiting_time(wall: float, holds: bool) -> None:  # noqa: FBT001
    case = Case(group=SCALING, name="stories", workers=5, latency_ms=80, streams=("stories",))
    measured = replace(ONE, group=SCALING, case="stories", wall=wall)
    assert list(promises(case, measured).values()) == [holds]


def test_only_measured_targets_are_claimed() -> None:
    assert promises(CASE, ONE) == {}


def test_the_table_has_both_connectors_and_their_ratios() -> None:
    text = "\n".join(findings([CASE], Measured([ONE, THEIRS])))
    assert "| everything | 5,000 | 80 ms | 10 | ours | 100 | 100 | 0 | 10.0 | 1.0 | 100 |" in text
    assert "| published ÷ ours | **4.0** |  |  | **30.0** | **60.0** | **1.0** |" in text


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.column)
def test_a_chart_shows_the_figures_of_the_page(chart: Chart) -> None:
    page = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
    drawn = " ".join(ET.fromstring((DOCS / chart.file).read_text("utf-8")).itertext())  # noqa: S314
    for connector, value in values(page, chart).items():
        assert figures(page)[connector][chart.column].replace(",", "") == f"{value:.10g}"
        assert drawn.count(chart.label(value)) >= 2  # in its title, and next to its bar
        assert NAMES[connector] in drawn


def test_the_page_leads_with_the_charts() -> None:
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", (DOCS / "benchmarks.md").read_text("utf-8"))
    assert pictures == [chart.file for chart in CHARTS]
    title, _, first, *_ = (DOCS / "benchmarks.md").read_text("utf-8").splitlines()
    assert title.startswith("# ")
    assert pictures[0] in first


@pytest.mark.parametrize("group", [MEMORY, RESUMED, LARGE_PAGES])
def test_peak_memory_has_its_own_target(group: str) -> None:
    case = Case(group=group, name="everything", most_memory=300)
    one = replace(ONE, group=group)
    promise = "everything: peak memory below 300 MB"
    assert promises(case, replace(one, memory=299_000_000)) == {promise: True}
    assert promises(case, replace(one, memory=301_000_000)) == {promise: False}


def test_no_case_of_the_usual_set_reads_an_account_that_takes_minutes_to_make() -> None:
    assert max(case.tasks for case in CASES if USUAL in case.sets) <= 30_000
    assert all(case.sets for case in CASES)
