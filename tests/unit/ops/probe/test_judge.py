"""What is made of an answer."""

from __future__ import annotations

import time

import pytest
from support.canned import canned
from support.processes import HOST, free_port

from edgeauth.ops.probe.judge import REFUSED, Unreachable, judge, run
from edgeauth.ops.probe.wire import Answer, Target
from edgeauth.ops.schemes.probe_rows import Row

SENT = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def row(expected="refused", also=frozenset(), sent=SENT):
    request = None if sent is None else lambda _now: sent
    return Row("id", "title", expected, request, "THE MEANING", also)


@pytest.mark.parametrize(
    ("expected", "answer", "outcome", "word"),
    [
        ("refused", Answer(403), "pass", ""),
        ("refused", Answer(401), "pass", ""),
        ("refused", Answer(200), "fail", "THE MEANING"),
        ("refused", Answer(101), "fail", "THE MEANING"),
        ("refused", Answer(404), "fail", "THE MEANING"),
        ("refused", Answer(400), "fail", "THE MEANING"),
        ("refused", Answer(302, None, "/login"), "fail", "a redirect to /login"),
        ("refused", Answer(304), "fail", "a redirect to nowhere"),
        ("refused", Answer(502), "fail", "the origin failed"),
        ("refused", Answer(None, "closed"), "fail", "closed without an answer"),
        ("refused", Answer(None, "timeout"), "fail", "no answer in time"),
        ("refused", Answer(None, "unreachable", "Refused"), "fail", "failed (Refused)"),
        ("answered", Answer(200), "pass", ""),
        ("answered", Answer(204), "pass", ""),
        ("answered", Answer(403), "fail", "THE MEANING"),
        ("answered", Answer(404), "fail", "give the URL of a page that exists"),
        ("answered", Answer(301, None, "/"), "fail", "a redirect to /"),
        ("answered", Answer(500), "fail", "the origin failed"),
        ("answered", Answer(None, "no-http"), "fail", "no HTTP"),
        ("upgraded", Answer(101), "pass", ""),
        ("upgraded", Answer(200), "fail", "not refused"),
        ("upgraded", Answer(403), "fail", "THE MEANING"),
    ],
)
def test_an_answer_passes_or_fails_with_what_it_means(expected, answer, outcome, word):
    result = judge(row(expected), answer, REFUSED)
    assert result.outcome == outcome
    assert word in result.meaning
    assert bool(word) == bool(result.meaning)


def test_what_counts_as_a_refusal_can_be_told():
    assert judge(row(), Answer(404), frozenset({404})).outcome == "pass"
    assert judge(row(), Answer(None, "closed"), frozenset({"closed"})).outcome == "pass"
    assert judge(row(), Answer(403), frozenset({404})).outcome == "fail"


def test_bad_http_may_be_refused_as_such_where_the_row_says_so():
    assert judge(row(also=frozenset({400, "closed"})), Answer(400), REFUSED).outcome == "pass"


def test_a_row_that_is_not_tried_sends_nothing():
    with canned() as server:
        target = Target.parse(f"http://{HOST}:{server.port}/")
        (result,) = run([row(sent=None)], target, rate=100, timeout=5)
        assert server.heads == []
    assert (result.outcome, result.answer, result.meaning) == ("not tried", "", "THE MEANING")


def test_rows_are_sent_in_order_and_no_faster_than_the_rate():
    with canned() as server:
        target = Target.parse(f"http://{HOST}:{server.port}/")
        began = time.monotonic()
        list(run([row(sent=SENT + b"%d" % n) for n in range(4)], target, rate=20, timeout=5))
        # A bound that a slow machine cannot break.
        assert time.monotonic() - began >= 3 / 20
        assert [head[-1:] for head in server.heads] == [b"0", b"1", b"2", b"3"]


def test_a_redirect_is_not_followed():
    with canned(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\n") as server:
        target = Target.parse(f"http://{HOST}:{server.port}/")
        list(run([row()], target, rate=100, timeout=5))
        assert server.heads == [SENT]


def test_an_origin_where_nothing_answers_teaches_nothing():
    target = Target.parse(f"http://{HOST}:{free_port()}/")
    with pytest.raises(Unreachable, match="nothing was learnt"):
        list(run([row(sent=None), row()], target, rate=100, timeout=5))


def test_an_origin_that_goes_away_fails_its_row():
    with canned() as server:
        target = Target.parse(f"http://{HOST}:{server.port}/")
        results = run([row("answered"), row()], target, rate=100, timeout=5)
        assert next(results).outcome == "pass"
        server.shutdown()
        server.server_close()
        last = next(results)
    assert (last.outcome, last.answer) == ("fail", "unreachable")
