"""The conclusions of a probe from plain values."""

from typing import Any

import pytest

from source_asana.asana.answer import Answer
from source_asana.probe import judging
from source_asana.probe.findings import Finding, Judgment, Record, Reply, Seen, Verdict, seen
from source_asana.probe.report import document, entry, heading, summary

HOLDS, DIFFERS, NOT_VISIBLE, NOT_ANSWERED = Verdict


def reply(*records: Record, status: int = 200, more: bool = False, **body: Any) -> Reply:
    next_page = {"offset": "next"} if more else None
    return Reply(status, {"data": [*records], "next_page": next_page, **body}, 0.25, 1000)


def records(*gids: str, **columns: Any) -> list[Record]:
    return [{"gid": gid, **columns} for gid in gids]


def answer(status: int = 200, **properties: Any) -> Seen:
    given = {"date": "Sat, 28 Nov 2026 12:00:00 GMT", **properties}
    return seen(Answer(status, **given), 0.1)


@pytest.mark.parametrize(
    ("listed", "single", "verdict", "observed"),
    [
        ({"a": 1, "b": None}, None, HOLDS, "1 record, 3 of 3 columns"),
        ({"a": 1}, None, DIFFERS, "1 record, 2 of 3 columns, never there: b"),
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}, HOLDS, "equal to the single record"),
        ({"a": 1, "b": 2}, {"a": 2, "b": 2}, DIFFERS, "unlike the single record in a"),
        ({"a": 1, "b": None}, {"a": 1}, DIFFERS, "unlike the single record in b"),
        ({"a": [{"gid": "1"}, {"gid": "2"}], "b": 1}, {"a": [{"gid": "2"}, {"gid": "1"}], "b": 1},
         HOLDS, "equal to the single record"),
        ({"a": [{"gid": "1"}, {"gid": "1"}], "b": 1}, {"a": [{"gid": "1"}], "b": 1},
         DIFFERS, "unlike the single record in a"),
        ({"a": {"x": 1, "y": 2}, "b": 1}, {"a": {"y": 2, "x": 1}, "b": 1}, HOLDS, "equal"),
    ],
)  # fmt: skip
def test_a_listing_is_compared_with_a_single_record(
    listed: Record, single: Record | None, verdict: Verdict, observed: str
) -> None:
    one = None if single is None else {"gid": "7", **single}
    found = judging.whole([{"gid": "7", **listed}], one, ["gid", "a", "b"])
    assert found.verdict is verdict
    assert observed in found.observed


def test_a_column_that_only_some_records_have_may_be_missing() -> None:
    found = judging.whole(records("1"), None, ["gid", "a"], conditional=["a"])
    assert found == Judgment(HOLDS, "1 record, 1 of 2 columns")


def test_only_the_presence_of_temporary_addresses_is_compared() -> None:
    listed = records("1", download_url="https://one")
    columns = ["gid", "download_url"]
    (same,) = records("1", download_url="https://two")
    assert judging.whole(listed, same, columns).verdict is HOLDS
    (other,) = records("1", download_url=None)
    assert judging.whole(listed, other, columns).verdict is DIFFERS


def test_a_record_modified_during_the_probe_proves_nothing() -> None:
    columns = ["gid", "modified_at", "a"]
    listed = records("1", modified_at="2026-01-01T00:00:00.000Z", a=1)
    (single,) = records("1", modified_at="2026-01-01T00:00:01.000Z", a=2)
    assert judging.whole(listed, single, columns).verdict is NOT_ANSWERED


def test_every_gid_has_only_digits_except_in_third_party_data() -> None:
    external = {"gid": "somebody's own", "data": "x"}
    assert (
        judging.digits_only(records("1", external=external)).observed == "1 gid, 0 of another form"
    )
    assert judging.digits_only(records("1", parent={"gid": 2})).verdict is DIFFERS
    assert judging.digits_only(records("1", tags=[{"gid": "two"}])).verdict is DIFFERS
    assert judging.digits_only([]).verdict is NOT_VISIBLE


@pytest.mark.parametrize(
    ("since", "changed", "more", "verdict"),
    [
        ("b", ["2", "3"], False, HOLDS),
        ("b", ["1", "2", "3"], False, HOLDS),
        ("b", ["3"], False, DIFFERS),
        ("b", ["2"], True, NOT_VISIBLE),
        ("b", ["2", "3"], True, HOLDS),
    ],
)
def test_modified_since_returns_every_modified_record(
    since: str, changed: list[str], *, more: bool, verdict: Verdict
) -> None:
    everything = [{"gid": g, "modified_at": t} for g, t in (("1", "a"), ("2", "b"), ("3", "c"))]
    found = judging.complete_since(everything, reply(*records(*changed), more=more), since)
    assert found.verdict is verdict


@pytest.mark.parametrize(
    ("inside", "listed", "more", "verdict"),
    [
        (["1", "2"], ["2", "1"], False, HOLDS),
        (["1"], ["1", "2"], False, DIFFERS),
        ([], ["1"], False, DIFFERS),
        (["1", "2"], ["1"], False, DIFFERS),
        (["1", "2"], ["1"], True, HOLDS),
        (["2"], ["1"], True, DIFFERS),
    ],
)
def test_inline_children_are_compared_with_their_listing(
    inside: list[str], listed: list[str], *, more: bool, verdict: Verdict
) -> None:
    tasks = records("7", stories=records(*inside))
    found = judging.inline("stories", tasks, {"7": reply(*records(*listed), more=more)})
    assert found.verdict is verdict


def test_inline_children_on_some_tasks_only_are_a_difference() -> None:
    tasks = [*records("7", stories=[]), *records("8")]
    found = judging.inline("stories", tasks, {"7": reply()})
    assert found == Judgment(DIFFERS, "stories on 1 of 2 tasks, 0 where the listing has 0")


def test_a_page_that_is_too_large_is_a_difference() -> None:
    large = Reply(200, {"data": []}, 0.1, 4_000_001)
    assert judging.obeys_limit({100: large}).verdict is DIFFERS
    assert judging.obeys_limit({1: reply(*records("1", "2"))}).verdict is DIFFERS
    found = judging.obeys_limit({2: reply(*records("1", "2")), 1: reply(*records("1"))})
    assert found == Judgment(
        HOLDS, "limit 2: 2 records, 250 ms, 1 kB; limit 1: 1 record, 250 ms, 1 kB"
    )


def test_a_refused_offset_with_the_message_of_a_truncated_listing_is_a_difference() -> None:
    def refusal(message: str) -> Reply:
        return Reply(400, {"errors": [{"message": message}]}, 0.1, 10)

    assert judging.refuses_offset(refusal("Your pagination token has expired.")).verdict is HOLDS
    assert judging.refuses_offset(refusal("The results were truncated.")).verdict is DIFFERS


@pytest.mark.parametrize(
    ("second", "verdict"),
    [
        (None, HOLDS),
        (reply(), HOLDS),
        (reply(*records("1")), DIFFERS),
        (reply(status=400), DIFFERS),
    ],
)
def test_a_listing_that_always_has_a_next_page_ends(second: Reply | None, verdict: Verdict) -> None:
    assert judging.ends(reply(*records("1"), more=True), second).verdict is verdict


def test_a_full_page_may_be_followed_by_another() -> None:
    full = reply(*records(*map(str, range(100))), more=True)
    assert judging.ends(full, reply(*records("100"))).verdict is NOT_VISIBLE


def test_events_missing_from_a_second_request_are_a_difference() -> None:
    one, other = {"action": "added"}, {"action": "changed"}
    assert judging.repeats_events(reply(one), reply(other, one)).verdict is HOLDS
    assert judging.repeats_events(reply(one, other), reply(other)).verdict is DIFFERS


def test_the_report_has_only_the_names_of_announcements() -> None:
    odd = ("name=new_things;info=https://secret;affected=true", "name=1200000000000001;x", "junk")
    found = judging.has_no_changes([answer(announced_changes=odd)])
    assert found == Judgment(DIFFERS, "Asana-Change: a name of another form, new_things")


def test_the_report_has_only_the_names_of_headers() -> None:
    names = ("Date", "X-RateLimit-Left", "x-ratelimit-für")
    found = judging.has_no_rate_headers([answer(header_names=names)])
    assert found == Judgment(DIFFERS, "headers: X-RateLimit-Left")


def test_a_refusal_without_a_message_is_counted() -> None:
    proper = {"errors": [{"message": "No."}]}
    answers = [answer(), answer(403, body=proper), answer(404, body={"errors": []}), answer(402)]
    found = judging.in_envelopes(answers)
    observed = "3 refusals (402, 403, 404), 2 without errors[].message"
    assert found == Judgment(DIFFERS, observed)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        *((status, NOT_VISIBLE) for status in (401, 402, 403, 404, 451)),
        *((status, NOT_ANSWERED) for status in (0, 408, 424, 429, 500, 503, 504)),
        *((status, DIFFERS) for status in (301, 400, 405, 410)),
    ],
)
def test_a_status_other_than_200_has_a_meaning(status: int, verdict: Verdict) -> None:
    assert Reply(status, {}, 0.0, 0).unusable().verdict is verdict


def test_a_200_without_data_is_not_an_answer() -> None:
    assert not Reply(200, {"ok": True}, 0.0, 0).is_ok
    assert judging.is_readable(Reply(200, {}, 0.0, 0)).verdict is DIFFERS


def finding(verdict: Verdict) -> Finding:
    return Finding("key", "The sun rises", "1 sun", verdict, "Nothing grows.")


def test_a_report_as_text() -> None:
    assert heading("2.1.0") == "source-asana 2.1.0: what the connector assumes about Asana\n\n"
    assert entry(finding(HOLDS)) == (
        "[holds] The sun rises\n    observed: 1 sun\n    if it differs: Nothing grows.\n"
    )
    assert summary([finding(HOLDS), finding(DIFFERS)], 1, 2.04) == (
        "\n2 assumptions. holds: 1; differs: 1; not visible to this token: 0; not answered: 0. "
        "1 request, 2.0 s.\n"
    )


def test_a_report_as_json() -> None:
    told = document([finding(DIFFERS)], version="2.1.0", requests=1, seconds=2.04, ended="Why.")
    assert told == {
        "version": "2.1.0",
        "complete": False,
        "ended": "Why.",
        "requests": 1,
        "seconds": 2.0,
        "findings": [
            {
                "key": "key",
                "assumption": "The sun rises",
                "observed": "1 sun",
                "verdict": "differs",
                "if_it_differs": "Nothing grows.",
            }
        ],
    }
