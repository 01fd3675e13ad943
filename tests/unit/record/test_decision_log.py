"""Log lines for refusals."""

from __future__ import annotations

import logging

import pytest
from support.requests import PlainRequest
from support.vectors import SECRET

import edgeauth
from edgeauth import EdgeAuthScheme, Guard, sign
from edgeauth._record.decision_log import LINES_PER_PERIOD, PERIOD_SECONDS, DecisionLog
from edgeauth.errors import StoreUnavailable

NOW = 1_700_000_000
VALUE = sign(SECRET, pop="LHR", timestamp=NOW).encode()


def check(value, *, now=NOW, **request):
    guard = Guard(EdgeAuthScheme([SECRET], pops=["LHR"]))
    guard.check(PlainRequest(fields=[("Edge-Auth", value)], **request), now=now)


def test_a_line_has_what_an_operator_needs(caplog):
    check(VALUE, now=NOW + 75, method="POST", path="/buy", peer="192.0.2.7")
    (line,) = caplog.messages
    assert line == (
        "refused: reason='expired' method='POST' path='/buy' peer='192.0.2.7' "
        "detail='age 75 s is past max_age 60 s' key='key-1' pop='LHR' age='75'"
    )
    assert caplog.records[0].name == "edgeauth"
    assert caplog.records[0].edgeauth["reason"] == "expired"


def test_an_unauthenticated_value_leaves_no_trace_of_itself(caplog):
    forged = VALUE[:-1] + (b"0" if VALUE[-1:] != b"0" else b"1")
    check(forged)
    assert "reason='bad-signature'" in caplog.text
    assert forged[-32:].decode() not in caplog.text
    assert VALUE[-32:].decode() not in caplog.text
    assert "key=" not in caplog.text


def test_the_hint_is_in_the_line(caplog):
    check(b"1700000000,LHR,")
    assert "is the secret set at the edge?" in caplog.text


@pytest.mark.parametrize(
    "request_",
    [
        {"path": "/\n2026-11-22 edgeauth: everything is fine"},
        {"path": "/\x1b[2J\x00\r"},
        {"path": "/\u202eexe"},
        {"path": "/\ud800"},
        {"method": "G\nET"},
        {"peer": "192.0.2.1\n"},
    ],
)
def test_nothing_is_logged_unescaped(caplog, request_):
    check(b"junk", **request_)
    assert len(caplog.messages) == 1
    assert caplog.messages[0].isascii()
    assert caplog.messages[0].isprintable()


def test_a_long_path_is_cut(caplog):
    check(b"junk", path="/" + "a" * 100_000)
    assert len(caplog.messages[0]) < 500


@pytest.fixture
def flood(caplog):
    """Check the same refused request many times; how many lines that gave."""
    guard = Guard(EdgeAuthScheme([SECRET]))

    def run(count, *, now):
        caplog.clear()
        for _ in range(count):
            guard.check(PlainRequest(), now=now)
        return caplog.messages

    return run


def test_a_flood_gives_few_lines_and_then_its_count(flood):
    assert len(flood(1000, now=NOW)) == LINES_PER_PERIOD
    assert flood(1, now=NOW + PERIOD_SECONDS - 0.1) == []
    (line,) = flood(1, now=NOW + PERIOD_SECONDS)
    assert line.endswith(f"suppressed={1000 - LINES_PER_PERIOD + 1}")
    (line,) = flood(1, now=NOW + PERIOD_SECONDS)
    assert "suppressed" not in line


def test_a_clock_that_is_set_back_does_not_silence_the_log(flood):
    flood(1000, now=NOW)
    assert len(flood(1, now=NOW - 86400)) == 1


def test_a_flood_of_one_reason_does_not_silence_another(caplog):
    guard = Guard(EdgeAuthScheme([SECRET]))
    for _ in range(1000):
        guard.check(PlainRequest(), now=NOW)
    caplog.clear()
    guard.check(PlainRequest(fields=[("Edge-Auth", b"x")]), now=NOW)
    assert "reason='malformed'" in caplog.text


def test_a_credential_without_time_is_logged_without_age(caplog):
    class Late:
        headers = ()

        def verify(self, request, *, now):
            identity = edgeauth.EdgeIdentity(None, None, "k")
            raise edgeauth.PopNotAllowed("no", identity=identity)

    Guard(Late()).check(PlainRequest(), now=NOW)
    assert "age" not in caplog.text
    assert "key='k' pop=None" in caplog.text


@pytest.mark.parametrize(
    ("how", "lines"),
    [
        ({"enforced": True}, 0),
        ({"enforced": False}, 1),
        ({"enforced": True, "warns": True}, 0),
        ({"enforced": False, "warns": False}, 0),
    ],
)
def test_a_start_that_refuses_nobody_is_told_unless_another_process_tells_it(how, lines, caplog):
    DecisionLog(**how).start()
    told = (
        "report-only mode: every request is let through; "
        "set mode to 'enforce' when the log shows no refusal of a real visitor"
    )
    assert caplog.messages == [told] * lines


def test_a_refusal_that_is_not_carried_out_says_so(caplog):
    Guard(EdgeAuthScheme([SECRET]), mode="report-only").check(PlainRequest(), now=NOW)
    assert caplog.messages[-1].startswith("would refuse (report-only): reason='missing' ")


def test_a_decision_that_fails_is_an_error_of_which_the_type_alone_is_told(caplog):
    class Broken:
        headers = ()

        def verify(self, request, *, now):
            raise RuntimeError(f"for {request.path}")

    guard = Guard(Broken())
    guard.check(PlainRequest(path="/what-a-client-sent"), now=NOW)
    (record,) = caplog.records
    detail = "the decision itself failed with RuntimeError"
    assert (record.levelno, record.edgeauth["detail"]) == (logging.ERROR, detail)
    assert record.edgeauth["reason"] == "error"
    assert "for /what" not in caplog.text


def test_what_is_in_the_line_can_be_read_by_name(caplog):
    check(b"1700000000,LHR,")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert list(record.edgeauth) == ["reason", "method", "path", "peer", "detail", "hint"]
    assert record.edgeauth["hint"].startswith("is the secret set at the edge?")


@pytest.mark.parametrize(("length", "shown"), [(200, "x" * 200), (201, "x" * 200 + "...")])
def test_a_text_has_two_hundred_characters_at_most(caplog, length, shown):
    check(b"junk", method="x" * length)
    assert f" method='{shown}' " in caplog.text


def test_a_request_that_is_let_in_without_the_store_has_a_line_and_a_flood_its_count(caplog):
    log, error = DecisionLog(enforced=True), StoreUnavailable("the store is down")
    for now in [NOW] * (LINES_PER_PERIOD + 5) + [NOW + PERIOD_SECONDS] * 2:
        log.not_remembered(PlainRequest(method="POST", path="/buy"), error, now)
    assert len(caplog.messages) == LINES_PER_PERIOD + 2
    line = (
        "let in without the replay store, it may be a replay: reason='replay-store' "
        "method='POST' path='/buy' peer='192.0.2.1' detail='the store is down'"
    )
    assert [caplog.messages[number] for number in (0, -2, -1)] == [
        line,
        f"{line} suppressed=5",
        line,
    ]
    assert caplog.records[-2].edgeauth["suppressed"] == 5
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_of_one_reason_no_other_is_counted(caplog):
    log, error = DecisionLog(enforced=True), StoreUnavailable("the store is down")
    for _ in range(LINES_PER_PERIOD + 5):
        log.not_remembered(PlainRequest(), error, NOW)
    log.refusal("replay-store", PlainRequest(), error, NOW)
    log.refusal("bad-pass", PlainRequest(), error, NOW)
    assert [message.partition(":")[0] for message in caplog.messages[-2:]] == ["refused"] * 2
