"""Requests over time, as rows."""

from __future__ import annotations

from support.decision_logs import REFUSED, START, summed

from edgeauth.ops.report.story import by_key, by_reason, by_sender, slowest

DAY = 86_400
EDGE = {**REFUSED, "path": "/checkout"}


def test_the_edge_is_a_name_of_its_own_however_many_strangers_there_are():
    flood = [
        {**REFUSED, "peer": f"45.{number % 200}.{number // 200}.1", "time": START + number}
        for number in range(3000)
    ]
    found = by_sender(summed(*flood, {**EDGE, "time": START + DAY}).timeline, 10)
    assert found.names[0] == "the edge"
    assert found.names[-1] == "other networks"
    assert len(found.names) == 5
    assert found.totals[0] == 1
    assert sum(found.totals) == 3001
    assert [counts[0] for *_, counts in found.rows][-1] == 1


def test_a_proxy_is_told_from_the_edge_and_from_strangers():
    lines = [EDGE, {**REFUSED, "peer": "10.0.0.7"}, {**REFUSED, "peer": "45.33.32.156"}]
    found = by_sender(summed(*lines).timeline, 10)
    assert found.names == ("the edge", "unknown", "45.33.32.0/24")
    assert (found.has_others, found.totals) == (False, [1, 1, 1])


def test_reasons_are_those_that_come_most_often_and_the_rest_together():
    lines = [
        {**REFUSED, "reason": f"{name}\x1b"}
        for name in "abcdef"
        for _ in range(ord("g") - ord(name))
    ]
    found = by_reason(summed({}, *lines).timeline, 10)
    assert found.names == ("a\\x1b", "b\\x1b", "c\\x1b", "d\\x1b", "other reasons")
    assert found.rows == ((START // 60 * 60, 1, (6, 5, 4, 3, 3)),)


def test_where_nothing_was_refused_there_are_no_names():
    assert by_reason(summed({}).timeline, 10).names == ()
    assert by_reason(summed().timeline, 10).rows == ()


def test_a_replay_counts_for_its_key_as_what_was_accepted_does():
    replay = {"reason": "replayed", "enforced": False, "key": "old"}
    assert by_key(summed({}, {}, replay).timeline, 10).totals == [2, 1]


def test_the_slowest_pops_come_first():
    ages = {"LHR": (1, 2, 3), "FRA": (9, 10, 11), "JFK": (1, 2, 30)}
    lines = [{"pop": pop, "age": age} for pop, each in ages.items() for age in each]
    found = slowest(summed(*lines).pop_ages, 2)
    assert found == [("FRA", 3, 9, 10, 11, 11), ("JFK", 3, 1, 2, 30, 30)]


def test_pops_without_number_are_one():
    lines = [{"pop": f"P{number}"} for number in range(300)]
    summary = summed(*lines)
    assert len(summary.pop_ages) == 101
    assert summary.pop_ages["other"].total == 200
