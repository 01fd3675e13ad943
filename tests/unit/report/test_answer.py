"""The answer, in words."""

from __future__ import annotations

import pytest
from support.decision_logs import REFUSED, START, summed

from edgeauth.report.answer import answer

WEEK = [{}, {"time": START + 7 * 86_400}]
STRANGER = {**REFUSED, "peer": "45.33.32.156"}
PROXY = {**REFUSED, "peer": "10.0.0.7"}
EDGE = {**REFUSED, "method": "POST", "path": "/checkout"}
LATE = {"reason": "expired", "enforced": False, "age": 75, "peer": "10.0.0.7"}


@pytest.mark.parametrize(
    ("lines", "safe", "words"),
    [
        ([], False, "no decision was read"),
        ([STRANGER], False, "not one request was accepted"),
        (WEEK, True, "all 2 signed requests pass."),
        ([*WEEK, STRANGER], True, "the 1 that would be refused came from elsewhere"),
        ([*WEEK, EDGE, STRANGER], False, ("1 request from the edge would be refused, most often "
         "missing at POST /checkout")),
        ([*WEEK, LATE], False, "1 request from the edge would be refused, most often expired at"),
        ([*WEEK, PROXY, STRANGER], False, "Not proven safe: 1 request would be refused whose"),
        ([*WEEK, {**REFUSED, "peer": None}], False, "Not proven safe"),
        ([*WEEK, {**REFUSED, "peer": "testclient"}], False, "Not proven safe"),
        ([*WEEK, {"reason": "exempt", "key": None}], True, "all 2 signed requests"),
    ],
)  # fmt: skip
def test_it_is_safe_when_nothing_from_the_edge_is_refused(lines, safe, words):
    found = answer(summed(*lines))
    assert found.safe is safe
    assert words in found.sentence
    assert found.notes == () or not lines or lines == [STRANGER]


def test_a_flood_of_strangers_hides_no_path_of_the_edge():
    flood = ({**STRANGER, "path": f"/{number}"} for number in range(5000))
    found = answer(summed(*WEEK, EDGE, *flood))
    assert "missing at POST /checkout" in found.sentence


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([{}, {"time": START + 7200}], "cover 2.0 hours"),
        (
            [*WEEK, {**STRANGER, "allowed": False, "enforced": True}],
            "was enforce by then: 1 request.",
        ),
        ([*WEEK, {"age": 55}], "1 in 1,000 is 55 s old or older"),
        ([*WEEK, {"time": "soon"}], "the first is line 3 of log: not a decision"),
    ],
)
def test_what_the_answer_leaves_open_is_a_note(lines, words):
    (note,) = answer(summed(*lines)).notes
    assert words in note


def test_what_a_client_sent_is_escaped_in_the_sentence():
    hostile = {**EDGE, "path": "/\x1b[2J\u202e"}
    assert answer(summed(*WEEK, hostile)).sentence.isprintable()
