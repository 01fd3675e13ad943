"""The conclusion of a report, in words."""

from __future__ import annotations

import pytest
from support.decision_logs import REFUSED, START, summed, text

from edgeauth import AddressList
from edgeauth.ops.report.conclusion import conclude
from edgeauth.ops.report.reading import DAMAGED, parse
from edgeauth.ops.report.summary import Summary

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
    found = conclude(summed(*lines))
    assert found.safe is safe
    assert words in found.sentence
    assert found.notes == () or not lines or lines == [STRANGER]


REPLAY = {"reason": "replayed", "enforced": False, "age": 7}


@pytest.mark.parametrize(
    ("peer", "safe", "words"),
    [
        ("45.33.32.156", True, "the 1 that would be refused came from elsewhere"),
        ("151.101.1.1", False, "1 request from the edge would be refused, most often replayed"),
        ("10.0.0.7", False, "Not proven safe: 1 request would be refused whose"),
    ],
)
def test_a_replay_is_of_whoever_sent_it_and_is_told_apart_from_a_forgery(peer, safe, words):
    found = conclude(summed(*WEEK, {**REPLAY, "peer": peer}, {**STRANGER}))

    assert found.safe is safe
    assert words.replace("the 1 that", "the 2 that") in found.sentence
    assert [note for note in found.notes if note.startswith("1 request had a credential that was")]


MANY = [{}] * 990 + [{"time": START + 7 * 86_400}]


@pytest.mark.parametrize(
    ("lines", "safe", "words"),
    [
        ([*MANY, *[{"time": "soon"}] * 10], True, "Safe to enforce"),
        (
            [*MANY, *[{"time": "soon"}] * 11],
            False,
            "Nothing can be said: of 1,002 lines 11 are missing; 1% may be.",
        ),
        ([*MANY, {"lost": 10, "allowed": None}], True, "Safe to enforce"),
        ([*MANY, {"lost": 11, "allowed": None}], False, "of 1,002 lines 11 are missing"),
        (
            [{}, *[{"time": "soon"}] * 999],
            False,
            "Nothing can be said: of 1,000 lines 999 are missing; 1% may be.",
        ),
        # What is seen to be wrong is said, however much else is missing.
        ([{}, EDGE, *[{"time": "soon"}] * 999], False, "Not safe to enforce: 1 request from"),
    ],
)
def test_evidence_of_which_more_than_one_in_a_hundred_is_missing_is_none(lines, safe, words):
    found = conclude(summed(*lines))
    assert found.safe is safe
    assert words in found.sentence


@pytest.mark.parametrize(
    "line", [{"reason": "exempt", "key": None}, {"reason": "pass", "key": None, "pop": None}]
)
def test_requests_that_need_no_signature_prove_nothing(line):
    found = conclude(summed(line, {**line, "time": START + 7 * 86_400}))
    assert not found.safe
    assert found.sentence.startswith("Nothing can be said: no signed request was read.")


def test_a_file_that_is_damaged_proves_nothing():
    summary = Summary(AddressList.fastly(), max_age=60, max_future=5)
    lines = map(parse, text(*MANY).encode().splitlines())
    summary.read("log\x1b.gz", [*lines, DAMAGED])
    found = conclude(summary)
    assert not found.safe
    assert "Nothing can be said: log\\x1b.gz is damaged" in found.sentence


def test_a_gap_in_the_lines_is_a_note():
    hours = [
        {"time": START + 60 * minute} for minute in range(7 * 1440) if not 3000 < minute < 4000
    ]
    (note,) = conclude(summed(*hours)).notes
    assert note == (
        "There is no line from 2023-11-17 01:00:00 to 2023-11-17 16:00:00 (UTC): was the app "
        "down, or are lines in another file?"
    )


def test_times_of_the_future_are_a_note():
    found = conclude(summed(*WEEK), now=START + 7 * 86_400 - 3600)
    (note,) = found.notes
    assert note.startswith("The last line is 3600 s in the future by the clock of this machine")


def test_a_flood_of_strangers_hides_no_path_of_the_edge():
    flood = ({**STRANGER, "path": f"/{number}"} for number in range(5000))
    found = conclude(summed(*WEEK, EDGE, *flood))
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
        ([*WEEK, {"lost": 3, "allowed": None}], "3 lines could not be written by the app"),
    ],
)
def test_what_the_answer_leaves_open_is_a_note(lines, words):
    (note,) = conclude(summed(*lines)).notes
    assert words in note


def test_what_a_client_sent_is_escaped_in_the_sentence():
    hostile = {**EDGE, "path": "/\x1b[2J\u202e"}
    assert conclude(summed(*WEEK, hostile)).sentence.isprintable()
