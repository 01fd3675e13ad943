"""The signed header."""

from __future__ import annotations

import hmac
import math
import sys
import time

import pytest
from support.requests import PlainRequest
from support.rfc9421 import published_key
from support.vectors import OLDER_SECRET, SECRET, Row, rows

import edgeauth
from edgeauth import ConfigurationError, EdgeAuthScheme, EdgeIdentity, Key, KeyRing, sign
from edgeauth.public_keys import PublicKey

NOW = 1_700_000_000
VALUE = sign(SECRET, pop="LHR", timestamp=NOW).encode()


def outcome(call):
    try:
        identity = call()
    except edgeauth.VerificationError as error:
        return error.reason
    return {"timestamp": identity.timestamp, "pop": identity.pop}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_each_vector_has_its_result_through_verify(row: Row):
    assert (
        outcome(lambda: edgeauth.verify(row.value, row.secrets, now=row.now, **row.options))
        == row.result
    )
    assert (
        outcome(lambda: edgeauth.verify(row.raw, row.secrets, now=row.now, **row.options))
        == row.result
    )


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_each_vector_has_its_result_through_the_scheme_the_second_time_too(row: Row):
    scheme = EdgeAuthScheme(row.secrets, **row.options)
    request = PlainRequest(fields=[("edge-auth", row.raw)])
    for _ in range(2):
        assert outcome(lambda: scheme.verify(request, now=row.now)) == row.result
        assert outcome(lambda: scheme.verify_value(row.raw, now=row.now)) == row.result


# Source: the sender table of the wire format; the digest can be made with openssl.
def test_sign_makes_the_form_of_each_sender():
    secret = "some-pre-shared-secret"
    digest = "b86a3ac4db4c4b345a9c2544efa2c9b8eaf442ce47df34ef37b413638e38e720"
    assert sign(secret, pop="LHR", timestamp=NOW) == f"{NOW},LHR,0x{digest}"
    assert (
        sign(secret, pop="LHR", timestamp=NOW, encoding="base64")
        == f"{NOW},LHR, uGo6xNtMSzRanCVE76LJuOr0Qs5H3zTvN7QTY4445yA="
    )
    bare = hmac.new(secret.encode(), str(NOW).encode(), "sha256").hexdigest()
    assert sign(secret, pop=None, timestamp=NOW) == f"{NOW},{bare}"


def test_sign_takes_a_key_and_the_present():
    before = int(time.time())
    identity = edgeauth.verify(sign(Key("2026", SECRET), pop="LHR"), [Key("2026", SECRET)])
    assert before <= identity.timestamp <= time.time()
    assert identity.key_id == "2026"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"pop": "L R"}, "POP code"),
        ({"pop": ""}, "POP code"),
        ({"pop": "x" * 17}, "POP code"),
        ({"pop": "LHR\n"}, "POP code"),
        ({"pop": "LÖR"}, "POP code"),
        ({"pop": b"LHR"}, "POP code"),
        ({"pop": "LHR", "timestamp": 0}, "timestamp 0 must"),
        ({"pop": "LHR", "timestamp": -1}, "timestamp"),
        ({"pop": "LHR", "timestamp": 1_000_000_000_000}, "timestamp"),
        ({"pop": "LHR", "timestamp": 1.5}, "timestamp"),
        ({"pop": "LHR", "timestamp": True}, "timestamp"),
        ({"pop": "LHR", "encoding": "hex64"}, "encoding"),
    ],
)
def test_sign_makes_no_value_that_a_verifier_would_not_read(options, why):
    with pytest.raises(edgeauth.ConfigurationError, match=why):
        sign(SECRET, **options)


def test_sign_takes_every_time_that_the_form_has():
    for timestamp in (1, 999_999_999_999):
        assert sign(SECRET, pop="LHR", timestamp=timestamp).startswith(f"{timestamp},LHR,0x")


def test_a_secret_that_cannot_sign_is_refused_by_the_id_it_would_have():
    with pytest.raises(edgeauth.ConfigurationError, match="secret of key 'key-1' has 5 bytes"):
        sign("short", pop="LHR")


def test_verify_has_the_window_it_is_given():
    with pytest.raises(edgeauth.Expired):
        edgeauth.verify(VALUE, [SECRET], now=NOW + 11, max_age=10)
    with pytest.raises(edgeauth.NotYetValid):
        edgeauth.verify(VALUE, [SECRET], now=NOW - 2, max_future=1)


def test_a_text_outside_ascii_is_malformed_whatever_replaces_it():
    with pytest.raises(edgeauth.MalformedHeader):
        edgeauth.verify(VALUE.decode() + "\ud800", [SECRET], now=NOW)


def test_verify_judges_at_the_present_unless_told_otherwise():
    with pytest.raises(edgeauth.Expired):
        edgeauth.verify(VALUE, [SECRET])


def test_a_missing_header_and_a_repeated_one_are_told_apart():
    scheme = EdgeAuthScheme([SECRET])
    with pytest.raises(edgeauth.MissingHeader, match="no Edge-Auth header"):
        scheme.verify(PlainRequest(), now=NOW)
    twice = PlainRequest(fields=[("Edge-Auth", VALUE), ("edge-auth", VALUE)])
    with pytest.raises(edgeauth.MalformedHeader, match="2 Edge-Auth headers"):
        scheme.verify(twice, now=NOW)


def test_another_header_name_is_read_instead():
    scheme = EdgeAuthScheme([SECRET], header="X-Origin-Proof")
    assert scheme.headers == ("X-Origin-Proof",)
    assert scheme.verify(PlainRequest(fields=[("x-origin-proof", VALUE)]), now=NOW)
    with pytest.raises(edgeauth.MissingHeader):
        scheme.verify(PlainRequest(fields=[("Edge-Auth", VALUE)]), now=NOW)


def test_a_ring_is_used_as_it_is():
    ring = KeyRing([SECRET])
    assert EdgeAuthScheme(ring).keys is ring


def test_the_identity_names_the_key_that_signed():
    ring = [Key("old", OLDER_SECRET), Key("new", SECRET)]
    scheme = EdgeAuthScheme(ring)
    old = sign(OLDER_SECRET, pop="JFK", timestamp=NOW, encoding="base64").encode()
    assert scheme.verify_value(VALUE, now=NOW) == EdgeIdentity(NOW, "LHR", "new", covers={"time"})
    assert scheme.verify_value(old, now=NOW) == EdgeIdentity(NOW, "JFK", "old", covers={"time"})


def test_a_signature_of_no_key_is_told_so():
    with pytest.raises(edgeauth.BadSignature, match="no key of the ring made this signature"):
        edgeauth.verify(VALUE, [OLDER_SECRET], now=NOW)


@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_no_part_of_a_signature_is_enough(encoding):
    value = sign(SECRET, pop="LHR", timestamp=NOW, encoding=encoding).encode()
    for end in range(value.rindex(b","), len(value)):
        with pytest.raises(edgeauth.MalformedHeader):
            edgeauth.verify(value[:end], [SECRET], now=NOW)


def test_every_digit_of_the_signature_counts():
    start = len(VALUE) - 64
    for place in range(start, len(VALUE)):
        wrong = b"0" if VALUE[place : place + 1] != b"0" else b"1"
        with pytest.raises(edgeauth.BadSignature):
            edgeauth.verify(VALUE[:place] + wrong + VALUE[place + 1 :], [SECRET], now=NOW)


def test_a_hex_prefix_before_base64_is_malformed():
    value = sign(SECRET, pop="LHR", timestamp=NOW, encoding="base64").replace(" ", "0x")
    with pytest.raises(edgeauth.MalformedHeader):
        edgeauth.verify(value, [SECRET], now=NOW)


@pytest.mark.parametrize("ending", [b",", b", ", b",  "])
def test_an_empty_signature_asks_whether_the_edge_has_the_secret(ending):
    with pytest.raises(edgeauth.MalformedHeader, match="the signature is empty") as caught:
        edgeauth.verify(b"1700000000,LHR" + ending, [SECRET], now=NOW)
    assert "is the secret set at the edge?" in caught.value.hint


@pytest.mark.parametrize("ending", [b"", b",\t", b",x", b", x"])
def test_what_is_of_another_form_is_told_the_form(ending):
    with pytest.raises(edgeauth.MalformedHeader, match="not of the form <unix time>,<POP>,<sig"):
        edgeauth.verify(b"1700000000,LHR" + ending, [SECRET], now=NOW)


def test_two_fields_with_a_required_pop_hint_at_the_setting():
    with pytest.raises(
        edgeauth.MalformedHeader, match="two fields, and require_pop is on"
    ) as caught:
        edgeauth.verify(sign(SECRET, pop=None, timestamp=NOW), [SECRET], now=NOW)
    assert "require_pop" in caught.value.hint


def test_a_list_of_pops_refuses_a_value_that_names_none():
    value = sign(SECRET, pop=None, timestamp=NOW)
    with pytest.raises(edgeauth.PopNotAllowed):
        edgeauth.verify(value, [SECRET], now=NOW, require_pop=False, pops=["LHR"])


@pytest.mark.parametrize(
    ("now", "error"),
    [
        (NOW + 60, None),
        (NOW + 60.001, edgeauth.Expired),
        (NOW - 5, None),
        (NOW - 5.001, edgeauth.NotYetValid),
        (math.nan, edgeauth.VerificationError),
        (math.inf, edgeauth.Expired),
        (-math.inf, edgeauth.NotYetValid),
    ],
)
@pytest.mark.parametrize("verb", ["verify", "verify_value"])
def test_the_window_is_exact_for_a_new_value_and_for_a_remembered_one(now, error, verb):
    given = PlainRequest(fields=[("Edge-Auth", VALUE)]) if verb == "verify" else VALUE
    for remembered in (False, True):
        scheme = EdgeAuthScheme([SECRET])
        verify = getattr(scheme, verb)
        if remembered:
            verify(given, now=NOW)
        if error is None:
            assert verify(given, now=now).timestamp == NOW
        else:
            with pytest.raises(error):
                verify(given, now=now)


@pytest.mark.parametrize("verb", ["verify", "verify_value"])
@pytest.mark.parametrize("now", [NOW - 5, NOW, NOW + 60])
def test_a_value_is_remembered_to_both_ends_of_its_window(now, verb):
    given = PlainRequest(fields=[("Edge-Auth", VALUE)]) if verb == "verify" else VALUE
    verify = getattr(EdgeAuthScheme([SECRET]), verb)
    first = verify(given, now=NOW)
    assert verify(given, now=now) is first


def test_a_value_too_old_for_a_window_that_is_longer_ahead_has_expired():
    with pytest.raises(edgeauth.Expired):
        edgeauth.verify(VALUE, [SECRET], now=NOW + 3, max_age=2, max_future=5)


def test_a_window_is_any_number_that_a_float_can_be_and_kept_as_one():
    scheme = EdgeAuthScheme([SECRET], max_age=sys.float_info.max, max_future=7)
    assert scheme.max_age == sys.float_info.max
    assert isinstance(scheme.max_future, float)
    with pytest.raises(edgeauth.ConfigurationError, match="max_age must be 0 seconds or more"):
        EdgeAuthScheme([SECRET], max_age=10**400)


def test_a_window_of_zero_seconds_is_a_window():
    scheme = EdgeAuthScheme([SECRET], max_age=0, max_future=0)
    assert scheme.verify_value(VALUE, now=NOW)
    with pytest.raises(edgeauth.Expired):
        scheme.verify_value(VALUE, now=NOW + 1)
    with pytest.raises(edgeauth.NotYetValid):
        scheme.verify_value(VALUE, now=NOW - 1)


def test_refusals_after_the_signature_say_who_signed():
    with pytest.raises(edgeauth.Expired) as expired:
        edgeauth.verify(VALUE, [SECRET], now=NOW + 75)
    assert (expired.value.age, expired.value.limit) == (75, 60)
    assert expired.value.identity == EdgeIdentity(NOW, "LHR", "key-1", covers={"time"})
    with pytest.raises(edgeauth.NotYetValid) as early:
        edgeauth.verify(VALUE, [SECRET], now=NOW - 9)
    assert (early.value.age, early.value.limit) == (-9, 5)
    assert early.value.identity == EdgeIdentity(NOW, "LHR", "key-1", covers={"time"})
    with pytest.raises(edgeauth.PopNotAllowed, match="POP LHR is not one of pops") as pop:
        edgeauth.verify(VALUE, [SECRET], now=NOW, pops=["JFK"])
    assert pop.value.identity.pop == "LHR"


@pytest.mark.parametrize(
    ("first", "last", "now", "accepted"),
    [
        (NOW + 10, None, NOW + 9, False),
        (NOW + 10, None, NOW + 10, True),
        (None, NOW + 20, NOW + 20, True),
        (None, NOW + 20, NOW + 21, False),
        (NOW - 9999, NOW + 9999, NOW + 61, False),
    ],
)
def test_a_dated_key_verifies_only_in_its_time_remembered_or_not(first, last, now, accepted):
    for remembered in (False, True):
        scheme = EdgeAuthScheme([Key("dated", SECRET, not_before=first, not_after=last)])
        if remembered:
            scheme.verify_value(VALUE, now=NOW + 15)
        if accepted:
            assert scheme.verify_value(VALUE, now=now).key_id == "dated"
        else:
            with pytest.raises(edgeauth.VerificationError):
                scheme.verify_value(VALUE, now=now)


def test_a_signature_of_a_key_out_of_its_time_is_a_bad_signature_with_a_hint():
    scheme = EdgeAuthScheme([Key("gone", SECRET, not_after=NOW - 1)])
    with pytest.raises(edgeauth.BadSignature, match="key gone") as caught:
        scheme.verify_value(VALUE, now=NOW)
    assert "not_after" in caught.value.hint


def test_what_is_refused_is_not_remembered():
    scheme = EdgeAuthScheme([SECRET], pops=["JFK"])
    for value in (VALUE, VALUE[:-1] + b"0", b"junk"):
        with pytest.raises(edgeauth.VerificationError):
            scheme.verify_value(value, now=NOW)
    assert not scheme._accepted


def test_memory_of_accepted_values_is_bounded():
    scheme = EdgeAuthScheme([SECRET])
    most = 0
    for number in range(2000):
        scheme.verify_value(sign(SECRET, pop=f"P{number}", timestamp=NOW).encode(), now=NOW)
        most = max(most, len(scheme._accepted))
    assert most == 256


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"max_age": -1}, "max_age must be 0 seconds or more"),
        ({"max_age": math.inf}, "max_age must be 0 seconds or more"),
        ({"max_age": 10**400}, "max_age must be 0 seconds or more"),
        ({"max_age": math.nan}, "max_age must be 0 seconds or more"),
        ({"max_age": None}, "max_age must be a number"),
        ({"max_age": True}, "max_age must be a number"),
        ({"max_future": "5"}, "max_future must be a number"),
        ({"pops": []}, "pops is an empty list"),
        ({"pops": "LHR"}, "pops must be a list"),
        ({"pops": ["L R"]}, "POP code"),
        ({"header": "Edge Auth"}, "not a header field name"),
        ({"header": "Edge_Auth"}, "not a header field name"),
        ({"header": ""}, "not a header field name"),
        ({"header": "Edge-Auth:"}, "not a header field name"),
        ({"header": None}, "not a header field name"),
        ({"keys": []}, "no key"),
    ],
)
def test_a_scheme_that_would_check_nothing_or_nobody_is_refused(options, why):
    with pytest.raises(edgeauth.ConfigurationError, match=why):
        EdgeAuthScheme(**{"keys": [SECRET], **options})


def test_a_credential_is_of_the_moment_that_is_asked_for_and_by_the_key_of_that_moment():
    keys = KeyRing(
        [Key("then", SECRET, not_after=NOW + 10), Key("now", OLDER_SECRET, not_before=NOW + 11)]
    )
    scheme = EdgeAuthScheme(keys)
    value = scheme.credential(now=NOW + 0.5)["Edge-Auth"].encode()

    assert scheme.verify_value(value, now=NOW)[:3] == (NOW, "XXX", "then")


def test_a_public_key_is_refused_by_the_name_of_the_kind():
    public = PublicKey("k", published_key("ed25519", "pem"), "ed25519")
    with pytest.raises(ConfigurationError, match="edge-auth"):
        EdgeAuthScheme([public])
