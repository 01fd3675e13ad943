"""Passes: what is accepted, what is not, and what the log says of both."""

from __future__ import annotations

import hashlib
import json
import logging
import pickle
import subprocess
import sys

import pytest
from itsdangerous import Signer, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode
from support.requests import PlainRequest
from support.vectors import OLDER_SECRET, SECRET

from edgeauth import (
    AddressList,
    ConfigurationError,
    EdgeAuthScheme,
    Guard,
    Passes,
    PassNotAccepted,
    Settings,
    Verdict,
    sign,
)
from edgeauth._record.decision_log import LINES_PER_PERIOD
from edgeauth.passes import NoPasses

NOW = 1_700_000_000
PASS_SECRET = "a-secret-that-signs-passes-only"
PASSES = Passes(PASS_SECRET)
SIGNER = Signer(
    PASS_SECRET, salt=b"edgeauth.pass", key_derivation="hmac", digest_method=hashlib.sha256
)


def issued(*, ttl=900, **options):
    return PASSES.issue("alice", ttl=ttl, now=NOW, **options)[0].encode()


def request(*values, **options):
    return PlainRequest(fields=[("edge-auth-pass", value) for value in values], **options)


def guard(passes=PASSES, **options):
    return Guard(EdgeAuthScheme([SECRET]), passes=passes, **options)


def handmade(content):
    """A pass that this package did not issue, signed all the same."""
    payload = base64_encode(content if isinstance(content, bytes) else json.dumps(content))
    return payload + b"." + SIGNER.get_signature(payload)


GOOD = {"id": "0a", "for": "alice", "iat": NOW, "exp": NOW + 60, "methods": [], "paths": []}


def test_a_pass_lets_a_request_in_and_the_verdict_names_the_holder():
    assert guard().check(request(issued()), now=NOW) == Verdict(
        allowed=True, reason="pass", identity=None, enforced=True, holder="alice"
    )


def test_a_pass_is_looked_at_before_the_address_since_its_holder_comes_from_anywhere():
    walled = guard(addresses=AddressList.fastly())
    assert walled.check(request(issued(), peer="192.0.2.7"), now=NOW).reason == "pass"
    assert walled.check(request(issued(), peer=None), now=NOW).reason == "pass"
    assert walled.check(request(peer="192.0.2.7"), now=NOW).reason == "address"


def test_an_exempt_path_stays_exempt_with_any_pass():
    exempt = guard(exempt=["GET /healthz"])
    assert exempt.check(request(b"junk", path="/healthz")).reason == "exempt"


def test_without_a_secret_for_passes_the_header_means_nothing(caplog):
    off = guard(passes=None)
    assert off.check(request(issued()), now=NOW).reason == "missing"
    assert "pass" not in caplog.text
    assert off.stripped_headers == ("Edge-Auth",)


def test_the_header_of_a_pass_is_stripped_where_credentials_are():
    assert guard().stripped_headers == ("Edge-Auth", "Edge-Auth-Pass")
    assert guard(strip_header=False).stripped_headers == ()


@pytest.mark.parametrize(
    ("later", "accepted"),
    [(-61, False), (-60, True), (0, True), (900, True), (900.5, False), (10**9, False)],
)
def test_a_pass_is_good_from_its_issue_to_its_expiry(later, accepted):
    reason = guard().check(request(issued()), now=NOW + later).reason
    assert (reason == "pass") is accepted


@pytest.mark.parametrize(
    ("limits", "sent", "accepted"),
    [
        ({"methods": ["GET"]}, {"method": "GET"}, True),
        ({"methods": ["GET"]}, {"method": "POST"}, False),
        ({"methods": ["GET"]}, {"method": "HEAD"}, False),
        ({"methods": ["GET"]}, {"handshake": True}, False),
        ({"methods": ["GET"]}, {"handshake": None}, False),
        ({"paths": ["/admin"]}, {"path": "/admin", "handshake": None}, False),
        ({"methods": ["GET", "WEBSOCKET"]}, {"handshake": True}, True),
        ({"methods": ["GET", "WEBSOCKET"]}, {"method": "WEBSOCKET"}, False),
        ({"paths": ["/admin"]}, {"path": "/admin", "handshake": True}, True),
        ({"paths": ["/x/admin"]}, {"path": "/x/admin", "mount": "/x"}, False),
        ({"methods": ["GET"]}, {"path": "/x/admin", "mount": "/x"}, True),
        ({}, {"path": "/x/admin", "mount": "/x", "handshake": None}, True),
        ({"paths": ["/admin", "/ä"]}, {"path": "/ä"}, True),
        ({"paths": ["/admin"]}, {"path": "/admin/"}, False),
        ({"paths": ["/admin"]}, {"path": "/ADMIN"}, False),
        ({"paths": ["/admin"]}, {"path": "//admin"}, False),
        ({"methods": ["GET"], "paths": ["/a"]}, {"path": "/b"}, False),
    ],
)
def test_a_narrowed_pass_is_good_for_its_methods_and_exact_paths(limits, sent, accepted):
    reason = guard().check(request(issued(**limits), **sent), now=NOW).reason
    assert (reason == "pass") is accepted


@pytest.mark.parametrize(
    ("limits", "sent", "message", "hint"),
    [
        ({"methods": ["GET"]}, {"handshake": None}, "it cannot be told", "part of a WebSocket"),
        ({"methods": ["GET", "PUT"]}, {"method": "POST"}, "is for GET PUT only", None),
        ({"paths": ["/admin"]}, {"path": "/other"}, "is for other paths", None),
        (
            {"paths": ["/x/admin"]},
            {"path": "/x/admin", "mount": "/x"},
            "do not count at this mount point",
            "add it to mount_points",
        ),
    ],
)
def test_a_pass_that_is_not_for_this_request_says_whose_it_is_and_why(limits, sent, message, hint):
    value, given = PASSES.issue("alice", ttl=60, now=NOW, **limits)
    with pytest.raises(PassNotAccepted, match=f"pass {given.id} .*{message}") as caught:
        PASSES.verify(request(value.encode(), **sent), now=NOW)
    assert caught.value.found == given
    assert (hint or "") in (caught.value.hint or "")
    assert (hint is None) is (caught.value.hint is None)


@pytest.mark.parametrize(
    ("passes", "later", "hint"),
    [
        (Passes(PASS_SECRET, revoked=["0a"]), 0, None),
        (PASSES, 61, None),
        (PASSES, -61, "compare the clocks"),
    ],
)
def test_an_authentic_pass_that_is_refused_says_whose_it_is(passes, later, hint):
    with pytest.raises(PassNotAccepted) as caught:
        passes.verify_value(handmade(GOOD), now=NOW + later)
    assert (caught.value.found.id, caught.value.found.holder) == ("0a", "alice")
    assert (hint or "") in (caught.value.hint or "")


def test_the_paths_of_a_pass_count_at_the_root_alone_unless_mount_points_are_named():
    limited = issued(paths=["/x/admin"])
    assert PASSES.verify(request(limited, path="/x/admin"), now=NOW).holder == "alice"
    with pytest.raises(PassNotAccepted, match="at this mount point"):
        PASSES.verify(request(limited, path="/x/admin", mount="/x"), now=NOW)


@pytest.mark.parametrize("ttl", [1, 86_400])
def test_a_pass_may_be_good_for_a_second_and_for_a_day(ttl):
    value, given = PASSES.issue("alice", ttl=ttl, now=NOW)
    assert given.expires_at - given.issued_at == ttl
    assert PASSES.verify_value(value.encode(), now=NOW + ttl) == given


def test_a_signed_pass_may_be_good_for_no_time_but_its_second_and_for_a_day():
    for exp in (NOW, NOW + 86_400):
        assert PASSES.verify_value(handmade({**GOOD, "exp": exp}), now=NOW).expires_at == exp


def test_the_id_of_a_pass_is_of_64_random_bits_and_its_payload_has_no_spaces():
    value, given = PASSES.issue("alice", ttl=60, now=NOW, methods=["GET", "PUT"])
    assert len(given.id) == 16
    assert b" " not in base64_decode(value.partition(".")[0])
    assert given.id != PASSES.issue("alice", ttl=60, now=NOW)[1].id


def test_the_longest_pass_that_is_issued_is_accepted_and_no_longer_one():
    shortest, _ = PASSES.issue("alice", ttl=60, now=NOW, paths=["/"])
    # Of 1503 bytes of JSON base64 makes 2004, and a dot and the signature are 44.
    longest = "/" + "x" * (1503 - len(base64_decode(shortest.partition(".")[0])))
    value, given = PASSES.issue("alice", ttl=60, now=NOW, paths=[longest])

    assert len(value) == 2048
    assert PASSES.verify_value(value.encode(), now=NOW) == given
    with pytest.raises(ConfigurationError, match="has 2050 bytes; it may have 2048"):
        PASSES.issue("alice", ttl=60, now=NOW, paths=[longest + "x"])
    with pytest.raises(PassNotAccepted, match="not of the form"):
        PASSES.verify_value(handmade({**GOOD, "paths": ["/" + "x" * 1500]}), now=NOW)


def test_two_passes_are_none():
    assert guard().check(request(issued(), issued()), now=NOW).reason == "missing"
    joined = issued() + b", " + issued()
    assert guard().check(request(joined), now=NOW).reason == "missing"
    with pytest.raises(PassNotAccepted, match="2 Edge-Auth-Pass headers; there must be one"):
        PASSES.verify(request(issued(), issued()), now=NOW)


def test_a_pass_that_is_not_accepted_does_not_stop_a_signed_request(caplog):
    signed = ("Edge-Auth", sign(SECRET, pop="LHR", timestamp=NOW).encode())
    for value in (b"junk", b"", b"\xff\x00", issued()[:-1], b"x" * 100_000):
        visitor = request(value)
        visitor.fields.append(signed)
        assert guard().check(visitor, now=NOW).reason == "ok"
    assert "pass not accepted, judged as without one" in caplog.text


def test_no_other_spelling_of_a_pass_is_accepted():
    value = issued()
    # The last of 43 characters carries four bits, so itsdangerous takes several for one.
    others = {value[:-1] + bytes([byte]) for byte in range(256)} - {value}
    others |= {value + b"=", value + b"\n", b" " + value, value.replace(b".", b"..")}
    for other in others:
        with pytest.raises(PassNotAccepted):
            PASSES.verify_value(other, now=NOW)


@pytest.mark.parametrize(
    ("passes", "why"),
    [
        (Passes("another-secret-for-passes"), "signature is wrong"),
        (Passes(SECRET), "signature is wrong"),
        (Passes(PASS_SECRET, revoked=["0a"]), "0a is revoked"),
    ],
)
def test_a_changed_secret_and_a_revoked_id_end_a_pass(passes, why, caplog):
    assert guard(passes).check(request(handmade(GOOD)), now=NOW).reason == "missing"
    assert why in caplog.text


def test_another_program_with_the_same_secret_signs_no_pass_without_the_salt():
    value = URLSafeTimedSerializer(PASS_SECRET).dumps(GOOD).encode()
    with pytest.raises(PassNotAccepted):
        PASSES.verify_value(value, now=NOW)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff",
        b"[" * 1400,
        [],
        {},
        {**GOOD, "more": 1},
        {**GOOD, "id": "a\nb"},
        {**GOOD, "for": ""},
        {**GOOD, "for": None},
        {**GOOD, "iat": str(NOW)},
        {**GOOD, "exp": True},
        {**GOOD, "exp": NOW - 1},
        {**GOOD, "exp": NOW + 86_401},
        {**GOOD, "methods": "GET"},
        {**GOOD, "paths": [["/"]]},
    ],
    ids=str,
)
def test_what_is_signed_and_no_pass_is_not_accepted(content):
    with pytest.raises(PassNotAccepted, match="no pass of this version"):
        PASSES.verify_value(handmade(content), now=NOW)
    assert PASSES.verify_value(handmade(GOOD), now=NOW).holder == "alice"


def test_a_signed_payload_that_is_no_base64_is_not_accepted():
    payload = b"A"
    value = payload + b"." + SIGNER.get_signature(payload)
    with pytest.raises(PassNotAccepted, match="no pass of this version"):
        PASSES.verify_value(value, now=NOW)


def test_each_accepted_pass_has_a_line_with_its_holder(caplog):
    checked = guard()
    value, given = PASSES.issue("alice", ttl=60, now=NOW)
    for _ in range(LINES_PER_PERIOD + 5):
        checked.check(request(value.encode(), path="/\nforged"), now=NOW)
    assert len(caplog.messages) == LINES_PER_PERIOD + 5
    record = caplog.records[0]
    assert record.levelno == logging.WARNING
    assert caplog.messages[0] == (
        r"let in by a pass: reason='pass' method='GET' path='/\nforged' peer='192.0.2.1' "
        f"holder='alice' pass='{given.id}' expires_at={NOW + 60}"
    )
    assert record.edgeauth["holder"] == "alice"
    assert value.partition(".")[2] not in caplog.text


def test_passes_that_are_not_accepted_cannot_flood_the_log(caplog):
    checked = guard()
    for second in range(12):
        for _ in range(100):
            checked.check(request(b"junk"), now=NOW + second)
    lines = [line for line in caplog.messages if line.startswith("pass not accepted")]
    assert len(lines) == 2 * LINES_PER_PERIOD
    assert "suppressed=980" in lines[LINES_PER_PERIOD]


@pytest.mark.parametrize(
    ("value", "later", "words"),
    [
        (b"junk\nx", 0, ["detail='it is not of the form of a pass'"]),
        (handmade(GOOD)[:-2] + b"AA", 0, ["hint='was it issued with the pass_secret"]),
        (handmade(GOOD), 75, ["detail='pass 0a expired 15 s ago'", "holder='alice'"]),
        (handmade(GOOD), -90, ["from the future", "hint='compare the clocks"]),
    ],
)
def test_the_log_says_why_a_pass_was_not_accepted(value, later, words, caplog):
    guard().check(request(value), now=NOW + later)
    line = caplog.messages[0]
    assert line.startswith("pass not accepted, judged as without one: reason='bad-pass'")
    for word in words:
        assert word in line
    assert "junk" not in line


def test_a_log_that_fails_does_not_change_the_verdict():
    def explode(_):
        raise RuntimeError

    logger = logging.getLogger("edgeauth")
    logger.addFilter(explode)
    try:
        assert guard().check(request(issued()), now=NOW).reason == "pass"
        assert guard().check(request(b"junk"), now=NOW).reason == "missing"
    finally:
        logger.removeFilter(explode)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"ttl": 0}, "1 second to 86400"),
        ({"ttl": 86_401}, "1 second to 86400"),
        ({"ttl": float("nan")}, "1 second to 86400"),
        ({"holder": "a b"}, "holder of a pass"),
        ({"holder": ""}, "holder of a pass"),
        ({"holder": "a\n"}, "holder of a pass"),
        ({"holder": "x" * 65}, "holder of a pass"),
        ({"methods": ["get"]}, "in capitals"),
        ({"paths": ["admin"]}, "one exact path"),
        ({"paths": ["/a*"]}, "one exact path"),
        ({"paths": ["/" + "x" * 900, "/" + "y" * 900]}, "name fewer paths"),
        ({"holder": 7}, "holder of a pass"),
        ({"methods": [7]}, "method 7 of a pass"),
        ({"paths": [7]}, "path 7 of a pass"),
    ],
)
def test_a_pass_that_could_not_be_used_is_not_issued(options, why):
    with pytest.raises(ConfigurationError, match=why):
        PASSES.issue(**{"holder": "alice", "ttl": 60, **options})


@pytest.mark.parametrize(
    ("mapping", "why"),
    [
        ({"pass_secret": "too-short"}, "'pass_secret' has 9 bytes"),
        ({"pass_secret": PASS_SECRET + "\n"}, "stray newline"),
        ({"pass_secret": SECRET}, "also a secret of the edge"),
        ({"pass_secret": PASS_SECRET, "pass_secret_file": "x"}, "keep one"),
        ({"pass_secret_file": "/missing"}, "pass_secret_file '/missing' cannot be read"),
        ({"pass_secret_file": "\0"}, "not a usable path"),
        ({"revoked_passes": ["0a"]}, "revoked_passes is set, and pass_secret is not"),
        ({"revoked_passes_file": "x"}, "revoked_passes_file is set, and pass_secret is not"),
        (
            {"pass_secret": PASS_SECRET, "revoked_passes_file": "/missing"},
            "revoked_passes_file '/missing' cannot be read",
        ),
        ({"pass_secret": PASS_SECRET, "revoked_passes": ["0a "]}, "revoked_passes: '0a '"),
    ],
)
def test_settings_that_make_no_passes_are_refused_at_start(mapping, why):
    with pytest.raises(ConfigurationError, match=why) as caught:
        Guard.from_settings({"secret": SECRET, **mapping})
    assert SECRET not in str(caught.value)
    assert PASS_SECRET not in str(caught.value)


def test_an_older_secret_of_the_edge_signs_no_passes(tmp_path):
    (tmp_path / "secrets").write_text(f"2025:{OLDER_SECRET}\n2026:{SECRET}\n")
    settings = Settings(secrets_file=str(tmp_path / "secrets"), pass_secret=OLDER_SECRET)
    with pytest.raises(ConfigurationError, match="also a secret of the edge"):
        settings.build_passes()


def test_the_secret_is_read_from_a_file_of_its_own(tmp_path):
    file = tmp_path / "pass"
    file.write_bytes(b"\xef\xbb\xbf" + PASS_SECRET.encode() + b"\r\n")
    built = Guard.from_settings(
        {"secret": SECRET, "pass_secret_file": file, "revoked_passes": ["0b"]}
    )
    assert built.check(request(issued()), now=NOW).reason == "pass"
    assert built.passes.revoked == {"0b"}


def test_revoked_ids_are_read_from_a_file_and_from_the_list(tmp_path):
    file = tmp_path / "revoked"
    file.write_bytes(b"\xef\xbb\xbf# lost laptop\r\n0a\r\n\n  0b\n")
    built = Guard.from_settings(
        {
            "secret": SECRET,
            "pass_secret": PASS_SECRET,
            "revoked_passes": ["0c"],
            "revoked_passes_file": file,
        }
    )
    assert built.passes.revoked == {"0a", "0b", "0c"}
    assert built.check(request(handmade(GOOD)), now=NOW).reason == "missing"


def test_a_line_that_is_no_id_is_named_by_its_number_since_it_may_be_a_secret(tmp_path):
    file = tmp_path / "revoked"
    file.write_text(f"0a\nnow:{SECRET}\n")
    with pytest.raises(ConfigurationError, match=r"line 2: expected the id of a pass") as caught:
        Settings(
            secret=OLDER_SECRET, pass_secret=PASS_SECRET, revoked_passes_file=str(file)
        ).build_passes()
    assert SECRET not in str(caught.value)


def test_no_passes_accepts_none_and_survives_the_way_to_another_process():
    closed = pickle.loads(pickle.dumps(NoPasses()))  # noqa: S301
    assert repr(closed) == "<NoPasses>"
    own, _ = closed.issue("alice", ttl=60, now=NOW)
    for value in (issued(), own.encode(), b"junk"):
        with pytest.raises(PassNotAccepted, match="no pass is accepted now") as caught:
            closed.verify(request(value), now=NOW)
        assert "which file cannot be used" in caught.value.hint
    # The header is still kept from the application.
    assert guard(closed).stripped_headers == ("Edge-Auth", "Edge-Auth-Pass")


@pytest.mark.parametrize("revoked", ["0a", b"0a"])
def test_a_single_id_is_no_list(revoked):
    with pytest.raises(ConfigurationError, match="must be a list"):
        Passes(PASS_SECRET, revoked=revoked)


def test_a_guard_takes_passes_and_no_secret():
    with pytest.raises(ConfigurationError, match="must be Passes or None, not str"):
        guard(PASS_SECRET)


def test_the_secret_is_not_in_the_repr():
    assert repr(Passes(PASS_SECRET, revoked=["0a"])) == "<Passes, 1 revoked>"


def test_a_pass_issued_in_one_process_is_accepted_in_another():
    issue = "print(Passes(sys.argv[1]).issue('bob', ttl=60)[0])"
    code = f"import sys; from edgeauth import Passes; {issue}"
    done = subprocess.run(
        [sys.executable, "-c", code, PASS_SECRET], capture_output=True, check=True
    )
    assert guard().check(request(done.stdout.strip())).holder == "bob"
