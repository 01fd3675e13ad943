"""Log lines for refusals."""

from __future__ import annotations

import pytest
from support.requests import PlainRequest
from support.vectors import SECRET

import edgeauth
from edgeauth import EdgeAuthScheme, Guard, sign
from edgeauth._record.decision_log import LINES_PER_PERIOD, PERIOD_SECONDS

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
