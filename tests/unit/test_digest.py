"""A body on its way in, compared with the digest that was signed."""

from __future__ import annotations

import hashlib

import pytest
from support.requests import PlainRequest
from support.signed_requests import KEY

from edgeauth import EdgeIdentity, Guard, Verdict
from edgeauth.digest import DigestedBody, digested_body, nothing_comes
from edgeauth.errors import UnreadableBody
from edgeauth.schemes.message_signatures import MessageSignatureScheme
from edgeauth.verdict import BodyDigest

SIGNED = b"what was signed"
DIGEST = BodyDigest("sha256", hashlib.sha256(SIGNED).digest())
IDENTITY = EdgeIdentity(1, None, "edge-1", body=DIGEST)
ADMITTED = Verdict(allowed=True, reason="ok", identity=IDENTITY)


def made(mode="enforce"):
    return Guard(MessageSignatureScheme([KEY]), mode=mode)


def body(mode="enforce"):
    return DigestedBody(made(mode), PlainRequest(path="/pay"), IDENTITY, DIGEST)


@pytest.mark.parametrize("length", range(4))
@pytest.mark.parametrize("piece", [1, 2])
def test_another_body_is_refused_however_short_it_is(length, piece, caplog):
    coming, other = body(), b"x" * length

    handed_on = b"".join(coming.feed(other[at : at + piece]) for at in range(0, length, piece))
    assert len(handed_on) < max(length, 1)
    for _ in range(2):
        with pytest.raises(UnreadableBody):
            coming.end()
    assert coming.refused is True
    (told,) = caplog.messages
    assert f"a body of {length} bytes came, which is not the one that was signed" in told
    assert "was it cut off, or does something between edge and origin change bodies?" in told
    assert "path='/pay'" in told


def test_the_body_that_was_signed_is_handed_on_whole_at_its_end():
    coming = body()
    pieces = [coming.feed(SIGNED[:5]), coming.feed(b""), coming.feed(SIGNED[5:]), coming.end()]

    assert pieces == [b"", b"", SIGNED[:5], SIGNED[5:]]
    assert coming.end() == b""
    assert coming.refused is False


def test_what_comes_after_the_end_makes_it_another_body():
    coming = body()
    coming.feed(SIGNED)
    assert coming.end() == SIGNED
    coming.feed(b"more")

    with pytest.raises(UnreadableBody):
        coming.end()


def test_report_only_mode_tells_once_of_another_body_and_hands_it_on(caplog):
    coming = body("report-only")
    coming.feed(b"x")

    assert (coming.end(), coming.end()) == (b"x", b"")
    assert coming.refused is False
    assert len(caplog.messages) == 1


def test_what_was_held_of_a_refused_body_is_not_handed_on():
    coming = body()
    coming.feed(b"held")
    with pytest.raises(UnreadableBody):
        coming.refuse("it is too long", hint="none")

    assert coming.feed(b"more") == b""


@pytest.mark.parametrize(
    ("length", "version", "chunked", "nothing"),
    [
        ("0", "1.1", False, True),
        (b"0", "2", False, True),
        ("5", "1.1", False, False),
        (None, "1.1", False, True),
        ("", "1.0", False, True),
        (None, "2", False, False),
        (None, "1.1", True, False),
        ("0", "1.1", True, False),
    ],
)
def test_the_header_tells_whether_a_body_comes(length, version, chunked, nothing):
    assert nothing_comes(length, version, chunked=chunked) is nothing


@pytest.mark.parametrize(
    ("mode", "outer", "outer_mode", "compares"),
    [
        ("enforce", None, None, True),
        ("report-only", None, None, True),
        ("enforce", ADMITTED, "enforce", False),
        ("report-only", ADMITTED, "enforce", False),
        ("report-only", ADMITTED, "report-only", False),
        ("enforce", ADMITTED, "report-only", True),
        # No guard of ours was left, so nobody knows whether it compares.
        ("enforce", ADMITTED, None, True),
    ],
)
def test_a_body_is_compared_once_and_by_a_gate_that_enforces(mode, outer, outer_mode, compares):
    outer_guard = made(outer_mode) if outer_mode else None
    found = digested_body(made(mode), ADMITTED, PlainRequest(), outer, outer_guard)

    assert (found is not None) is compares


def test_a_request_whose_body_was_not_signed_has_it_handed_on_as_it_comes():
    for verdict in (
        Verdict(allowed=True, reason="exempt"),
        Verdict(allowed=True, reason="ok", identity=IDENTITY._replace(body=None)),
    ):
        assert digested_body(made(), verdict, PlainRequest(), None, None) is None
