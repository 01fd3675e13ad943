"""AWS SigV4 at an own origin: what is accepted, and what each refusal is."""

from __future__ import annotations

import hashlib
import time

import pytest
from support.rfc9421 import published_key
from support.sigv4 import KEY, REGION, Row, plain, rows, signed_by_botocore

from edgeauth import (
    AnyOf,
    BadSignature,
    ClaimRefused,
    ConfigurationError,
    EdgeAuthScheme,
    Expired,
    Guard,
    Key,
    MalformedHeader,
    MissingHeader,
    NotCovered,
    NotYetValid,
)
from edgeauth.public_keys import PublicKey
from edgeauth.replay import MemoryReplayStore
from edgeauth.schemes.aws_sigv4 import AwsSigV4Scheme
from edgeauth.schemes.aws_sigv4.canonical import canonical_path, canonical_query
from edgeauth.schemes.aws_sigv4.given import given_of
from edgeauth.schemes.base import CannotSign, Outgoing

NOW = 1_764_230_400.0
HOST = "origin.example.com"
EMPTY = hashlib.sha256(b"").hexdigest()
SIGNED = "host;x-amz-content-sha256;x-amz-date"


def scheme(**how):
    return AwsSigV4Scheme([KEY], **{"region": REGION, **how})


def sent(method="GET", target="/a%20b?x=1&y=%2F", *, by=None, now=NOW, fields=(), body=b"", **how):
    """A request that our signer makes, as a view."""
    request = Outgoing(method, HOST, target, tuple(fields), body)
    made = (by or scheme()).credential(now=now, request=request)
    lines = [("Host", HOST.encode()), *((name, value.encode()) for name, value in fields)]
    lines += [(name, value.encode()) for name, value in made.items()]
    return plain(method, target, lines, **how)


def replaced(request, name, value):
    """The same with another value of a field; None takes it away."""
    found = [(field, old) for field, old in request.fields if field != name]
    request.fields[:] = found if value is None else [*found, (name, value)]
    if name == "Host":
        request.host = value
    return request


def authorization(request):
    return dict(request.fields)["Authorization"]


def refused(request, error, *, by=None, now=NOW):
    with pytest.raises(error) as caught:
        (by or scheme()).verify(request, now=now)
    return caught.value


# --- the rows, and the peer


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_each_published_and_hostile_request_is_decided_as_its_row_says(row: Row):
    assert (row.identity() is not None) == row.accept, row.why


@pytest.mark.parametrize("path_mode", ["s3", "generic"])
@pytest.mark.parametrize(
    "url",
    [
        "https://origin.example.com/",
        "https://origin.example.com:8443/a%20b/%E2%82%AC?x=1&x=0&y=%2F%2B&z=",
        "https://origin.example.com/a/b%2Fc/~d?q=~",
    ],
)
@pytest.mark.parametrize(("method", "body"), [("GET", b""), ("PUT", b"the body"), ("HEAD", b"")])
def test_what_botocore_signs_is_accepted(path_mode, url, method, body):
    fields = {"X-Amz-Content-SHA256": hashlib.sha256(body).hexdigest(), "X-Amz-Meta-A": " b  c "}
    target, lines = signed_by_botocore(
        method, url, now=NOW, path_mode=path_mode, fields=fields, body=body
    )
    identity = scheme(path_mode=path_mode).verify(plain(method, target, lines), now=NOW)

    assert identity.key_id == KEY.id
    assert identity.timestamp == NOW
    assert identity.body.value == hashlib.sha256(body).digest()


@pytest.mark.parametrize("path_mode", ["s3", "generic"])
def test_a_url_that_botocore_presigned_is_accepted_where_they_are_wanted(path_mode):
    target, lines = signed_by_botocore(
        "GET", f"https://{HOST}/a%20b?x=%2F", now=NOW, path_mode=path_mode, expires=60
    )
    wants = scheme(path_mode=path_mode, presigned=True, unsigned_payload=True)

    assert wants.verify(plain("GET", target, lines), now=NOW + 60).timestamp == NOW
    refused(plain("GET", target, lines), Expired, by=wants, now=NOW + 61)
    error = refused(plain("GET", target, lines), MissingHeader)
    assert "presigned" in error.hint


def test_a_token_of_a_session_is_signed():
    target, lines = signed_by_botocore("GET", f"https://{HOST}/", now=NOW, token="abc+/=")
    request = plain("GET", target, lines)

    assert scheme().verify(request, now=NOW)
    refused(replaced(request, "X-Amz-Security-Token", b"other"), BadSignature)


@pytest.mark.parametrize("path_mode", ["s3", "generic"])
def test_what_our_signer_makes_is_what_botocore_makes(path_mode):
    url, fields = f"https://{HOST}/a%20b//c?b=2&a=%7e&a", {"x-amz-meta-a": "b"}
    fields["X-Amz-Content-SHA256"] = EMPTY
    _, lines = signed_by_botocore("GET", url, now=NOW, path_mode=path_mode, fields=fields)
    ours = scheme(path_mode=path_mode).credential(
        now=NOW,
        request=Outgoing("GET", HOST, "/a%20b//c?b=2&a=%7e&a", [("x-amz-meta-a", "b")], b""),
    )

    # Another peer's order: it sorts the query as it is sent, ours as it is signed.
    assert (
        ours["Authorization"].partition("Signature=")[0].encode()
        == (dict(lines)["Authorization"].partition(b"Signature=")[0])
    )


@pytest.mark.parametrize("path_mode", ["s3", "generic"])
@pytest.mark.parametrize("target", ["/a%20b//c", "/a?b=2&a=1"])
def test_our_signature_is_that_of_botocore(path_mode, target):
    fields = {"X-Amz-Content-SHA256": EMPTY}
    url = f"https://{HOST}{target}"
    _, lines = signed_by_botocore("GET", url, now=NOW, path_mode=path_mode, fields=fields)
    ours = scheme(path_mode=path_mode).credential(
        now=NOW, request=Outgoing("GET", HOST, target, [], b"")
    )

    assert ours["Authorization"].encode() == dict(lines)["Authorization"]


# --- what an identity says


def test_the_identity_says_what_is_covered():
    identity = scheme().verify(sent(), now=NOW)

    assert identity.scheme == "aws-sigv4"
    assert identity.key_id == KEY.id
    assert identity.pop is None
    assert identity.covers == {"method", "path", "query", "host", "time", "body"}
    assert identity.body == ("sha256", hashlib.sha256(b"").digest())
    assert identity.once.key.startswith(KEY.id.encode() + b":")
    assert (identity.once.since, identity.once.until) == (NOW - 900, NOW + 900)


def test_an_unsigned_payload_is_accepted_only_where_the_settings_say_so():
    lax = scheme(unsigned_payload=True)
    request = plain("POST", "/a", [("Host", HOST.encode())])
    made = lax.credential(now=NOW, request=Outgoing("POST", HOST, "/a"))
    request.fields += [(name, value.encode()) for name, value in made.items()]
    identity = lax.verify(request, now=NOW)

    assert identity.body is None
    assert "body" not in identity.covers
    error = refused(request, NotCovered)
    assert error.message == "the body is not signed: UNSIGNED-PAYLOAD"
    assert "unsigned_payload" in error.hint


def test_without_the_field_of_the_hash_an_empty_body_is_signed():
    _, lines = signed_by_botocore("GET", f"https://{HOST}/", now=NOW, path_mode="generic")
    assert "X-Amz-Content-SHA256" not in dict(lines)
    identity = scheme(path_mode="generic").verify(plain("GET", "/", lines), now=NOW)
    assert identity.body.value == hashlib.sha256(b"").digest()


def test_a_path_that_was_normalised_to_be_signed_is_not_covered():
    generic = scheme(path_mode="generic")
    exact, other = sent(target="/b", by=generic), sent(target="/b", by=generic)
    other.target = b"/x/../b"

    assert "path" in generic.verify(exact, now=NOW).covers
    assert "path" not in generic.verify(other, now=NOW).covers
    refused(other, BadSignature)


def test_a_payload_in_pieces_is_refused_by_name():
    request = replaced(sent(), "X-Amz-Content-SHA256", b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
    # As a signer makes it: the word is the line of the payload.
    signer = scheme(unsigned_payload=True)
    outgoing = Outgoing("GET", HOST, "/")
    assert "Authorization" in signer.credential(now=NOW, request=outgoing)
    refused(request, BadSignature)
    word = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    fields = {"X-Amz-Content-SHA256": word}
    _, lines = signed_by_botocore(
        "GET", f"https://{HOST}/", now=NOW, path_mode="generic", fields=fields
    )
    error = refused(plain("GET", "/", lines), NotCovered)
    assert "a body that is signed in pieces, or of no known form" in error.message
    assert "STREAMING" in error.hint
    assert error.identity.key_id == KEY.id


def test_whoever_never_sees_a_body_accepts_the_hash_of_an_empty_one_alone():
    assert scheme().verify(sent(compares_body=False), now=NOW)
    request = sent("POST", body=b"abc", compares_body=False)
    assert "nobody here sees" in refused(request, NotCovered).message
    assert scheme().verify(sent("POST", body=b"abc"), now=NOW)

    class Unable:
        """A view that does not say whether somebody sees the body."""

        def __getattr__(self, name):
            if name == "compares_body":
                raise AttributeError(name)
            return getattr(request, name)

    assert "nobody here sees" in refused(Unable(), NotCovered).message


@pytest.mark.parametrize("body", [b"", b"abc"])
def test_a_hash_may_be_written_in_capitals(body):
    fields = {"X-Amz-Content-SHA256": hashlib.sha256(body).hexdigest().upper()}
    _, lines = signed_by_botocore(
        "POST", f"https://{HOST}/", now=NOW, path_mode="generic", fields=fields, body=body
    )
    request = plain("POST", "/", lines, compares_body=bool(body))

    assert scheme().verify(request, now=NOW).body == ("sha256", hashlib.sha256(body).digest())


# --- what is signed


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("method", "HEAD"),
        ("target", b"/a%20b?x=1&y=%2G"),
        ("target", b"/a+b?x=1&y=%2F"),
        ("target", b"/a%20b?x=1"),
        ("target", b"/a%20b?x=1&y=%2F&"),
        ("target", b"/a%20b?x=1&y=+%2F"),
        ("target", b"/A%20b?x=1&y=%2F"),
        ("host", b"other.example.com"),
        ("host", HOST.encode() + b":443"),
    ],
)
def test_another_request_than_was_signed_is_refused(part, value):
    request = sent()
    setattr(request, part, value)
    refused(request, BadSignature)


@pytest.mark.parametrize("query", [b"?y=%2F&x=1", b"?x=%31&y=/", b"?y=%2f&x=1"])
def test_another_spelling_of_the_query_is_the_same_query(query):
    request = sent()
    request.target = b"/a%20b" + query
    assert scheme().verify(request, now=NOW)


def test_a_websocket_is_opened_with_get():
    request = sent()
    request.method, request.handshake = "WEBSOCKET", True
    assert scheme().verify(request, now=NOW)
    request.handshake = False
    refused(request, BadSignature)


def test_every_field_of_amazons_must_be_signed_but_the_hash():
    request = sent()
    request.fields.append(("X-Amz-Meta-Role", b"admin"))
    refused(request, NotCovered)
    folded = sent()
    folded.fields.append(("x_amz_meta_role", b"admin"))
    refused(folded, NotCovered)
    fields = {"X-Amz-Content-SHA256": EMPTY}
    _, lines = signed_by_botocore("GET", f"https://{HOST}/", now=NOW, path_mode="generic")
    lines.append(("X-Amz-Content-SHA256", fields["X-Amz-Content-SHA256"].encode()))
    assert scheme().verify(plain("GET", "/", lines), now=NOW)


@pytest.mark.parametrize("left_out", ["host", "x-amz-date"])
def test_host_and_date_must_be_signed(left_out, monkeypatch):
    from edgeauth.schemes.aws_sigv4 import sign  # noqa: PLC0415

    kept = sign._Signed.signature

    def without(self, request, lines, payload):
        del lines[left_out.encode()]
        return kept(self, request, lines, payload)

    monkeypatch.setattr(sign._Signed, "signature", without)
    request = sent()
    names = ";".join(name for name in SIGNED.split(";") if name != left_out)
    value = authorization(request).replace(SIGNED.encode(), names.encode())
    error = refused(replaced(request, "Authorization", value), NotCovered)
    assert error.message == "SignedHeaders leaves out host or x-amz-date"
    assert error.hint == "let the edge sign both"
    assert error.identity.key_id == KEY.id


def test_a_signed_field_that_is_gone_or_changed_is_refused():
    fields = [("x-amz-meta-a", "b")]
    assert scheme().verify(sent(fields=fields), now=NOW)
    refused(replaced(sent(fields=fields), "x-amz-meta-a", b"c"), BadSignature)
    refused(replaced(sent(fields=fields), "x-amz-meta-a", None), MalformedHeader)
    refused(replaced(sent(fields=fields), "x-amz-meta-a", b"b\nhost:x"), MalformedHeader)
    for value in (b"b\nc\nd", b"b\n", b"\x7fb", b"b\r"):
        changed = replaced(sent(fields=fields), "x-amz-meta-a", value)
        assert "control characters" in refused(changed, MalformedHeader).message
    twice = sent(fields=fields)
    twice.fields.append(("x-amz-meta-a", b"b"))
    refused(twice, BadSignature)
    twice.fields[-1] = ("x-amz-meta-a", b"\rb")
    refused(twice, MalformedHeader)


def test_a_host_with_control_characters_is_refused_though_nothing_else_is_signed():
    by, request = scheme(**WANTS), presigned()
    request.host = b"a\0"
    assert "control characters" in refused(request, MalformedHeader, by=by).message


def test_a_method_that_is_no_text_is_another_than_was_signed():
    request = sent()
    request.method = "G\udc80T"
    refused(request, BadSignature)


def test_what_is_signed_can_be_read_where_nothing_was_accepted_before():
    found = given_of(sent(), presigned=False, path_mode="s3")
    assert found.credential.key == KEY.id.encode()


@pytest.mark.parametrize("name", ["Authorization", "X-Amz-Date", "X-Amz-Content-SHA256", "Host"])
def test_a_field_of_the_credential_that_is_there_twice_is_refused(name):
    request = sent()
    request.fields.append((name, dict(request.fields)[name]))
    refused(request, MalformedHeader)


def test_without_its_date_or_host_a_request_is_refused():
    refused(replaced(sent(), "X-Amz-Date", None), MissingHeader)
    no_host = sent()
    no_host.host = None
    refused(no_host, MalformedHeader)


@pytest.mark.parametrize("target", [None, b"*", b"http://origin.example.com/", b"/a#b", b""])
def test_a_target_that_is_no_path_is_refused(target):
    request = sent()
    request.target = target
    refused(request, MalformedHeader)


# --- the form of the header


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"AWS4-HMAC-SHA256 ", b"AWS4-HMAC-SHA256"),
        (b"AWS4-HMAC-SHA256", b"AWS4-HMAC-SHA256-X"),
        (b"Signature=", b"Signature= "),
        (b"Signature=", b"Signature=Z"),
        (b"/aws4_request", b"/aws5_request"),
        (b", SignedHeaders", b",  SignedHeaders"),
        (b"SignedHeaders=", b"SignedHeaders=Host;"),
        (b"=host;", b"=;host;"),
        (b"=host;", b"=host;host;"),
        (b"=host;x-amz-content-sha256;x-amz-date", b"=x-amz-date;host;x-amz-content-sha256"),
        (b"=host;", b"=" + b";".join(b"a%03d" % n for n in range(64)) + b";host;"),
        (b"=host;", b"=" + b"a" * 3000 + b";host;"),
        (b"20251127/", b"\xef\xbc\x920251127/"),
        (b"/eu-central-1/", b"//"),
        (KEY.id.encode(), b"k" * 129),
    ],
)
def test_a_header_of_another_form_is_malformed(old, new):
    request = sent()
    value = authorization(request)
    assert old in value
    refused(replaced(request, "Authorization", value.replace(old, new, 1)), MalformedHeader)


def test_commas_need_no_space():
    request = sent()
    value = authorization(request).replace(b", ", b",")
    assert scheme().verify(replaced(request, "Authorization", value), now=NOW)


@pytest.mark.parametrize("value", [b"Bearer abc", b"", b"AWS AK:abc", b"\xff"])
def test_an_authorization_of_another_kind_is_no_credential(value):
    refused(plain("GET", "/", [("Host", b"a"), ("Authorization", value)]), MissingHeader)


@pytest.mark.parametrize("cut", [0, 1, 63])
def test_a_part_of_a_signature_is_refused(cut):
    request = sent()
    value = authorization(request)
    short = value[: len(value) - 64 + cut]
    refused(replaced(request, "Authorization", short), MalformedHeader)


@pytest.mark.parametrize("date", [b"20251327T080000Z", b"20250230T080000Z", b"00000101T080000Z"])
def test_a_day_that_the_calendar_has_not_is_malformed(date):
    request = replaced(sent(), "X-Amz-Date", date)
    value = authorization(request).replace(b"/20251127/", b"/" + date[:8] + b"/")
    refused(replaced(request, "Authorization", value), MalformedHeader)


@pytest.mark.parametrize(
    "date",
    [b"20251127T240000Z", b"20251127T080060Z", b"20251127T080000", b"20251126T080000Z", b"nan"],
)
def test_a_date_of_another_form_or_day_is_malformed(date):
    refused(replaced(sent(), "X-Amz-Date", date), MalformedHeader)


@pytest.mark.parametrize("content", [b"", b"a b", b"\xe9", b"x" * 129])
def test_a_hash_that_is_no_word_is_malformed(content):
    refused(replaced(sent(), "X-Amz-Content-SHA256", content), MalformedHeader)


# --- presigned URLs


WANTS = {"presigned": True, "unsigned_payload": True}


def presigned(target="/a?x=1", *, expires=60, by=None, fields=()):
    by = by or scheme(**WANTS)
    request = Outgoing("GET", HOST, target, tuple(fields))
    lines = [("Host", HOST.encode()), *((name, value.encode()) for name, value in fields)]
    return plain("GET", by.presign(now=NOW, request=request, expires=expires), lines)


@pytest.mark.parametrize("mode", ["s3", "generic"])
@pytest.mark.parametrize("target", ["/a?x=1", "/a"])
def test_our_presigned_url_is_accepted_until_it_expires(mode, target):
    by = scheme(path_mode=mode, **WANTS)
    request = presigned(target, by=by)
    identity = by.verify(request, now=NOW + 60)

    assert (identity.once.since, identity.once.until) == (NOW - 900, NOW + 60)
    assert (identity.body is None) == (mode == "s3")
    assert by.verify(request, now=NOW - 900)
    late = refused(request, Expired, by=by, now=NOW + 61)
    # No setting admits more.
    assert late.message == "1 s past its own expires"
    assert (late.age, late.limit) == (1, 0)
    refused(request, NotYetValid, by=by, now=NOW - 901)


def test_a_presigned_url_of_s3_signs_no_body():
    refused(presigned(), NotCovered, by=scheme(presigned=True))


def test_the_hash_that_a_presigned_url_signs_as_a_field_is_compared():
    by = scheme(presigned=True)
    digest = hashlib.sha256(b"abc").hexdigest()
    lines = [("Host", HOST.encode()), ("X-Amz-Content-SHA256", digest.encode())]
    target, _ = signed_by_botocore(
        "PUT",
        f"https://{HOST}/a",
        now=NOW,
        expires=60,
        fields={"X-Amz-Content-SHA256": digest},
    )
    request = plain("PUT", target, lines)

    assert by.verify(request, now=NOW).body.value == hashlib.sha256(b"abc").digest()
    assert "body" in by.verify(request, now=NOW).covers


def test_a_hash_beside_a_presigned_url_is_compared_and_vouches_for_nothing():
    by, request = scheme(**WANTS), presigned()
    request.fields.append(("X-Amz-Content-SHA256", EMPTY.encode()))
    identity = by.verify(request, now=NOW)
    assert identity.body.value == hashlib.sha256(b"").digest()
    assert "body" not in identity.covers
    request.fields[-1] = ("X-Amz-Content-SHA256", b"STREAMING")
    refused(request, NotCovered, by=by)


@pytest.mark.parametrize("name", ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders"])
def test_a_presigned_url_must_have_each_parameter_once(name):
    by = scheme(**WANTS)
    for change in (
        lambda pairs: [pair for pair in pairs if not pair.startswith(f"X-Amz-{name}=".encode())],
        lambda pairs: [*pairs, f"X-Amz-{name}=a".encode()],
        lambda pairs: [*pairs, f"x-amz-{name.lower()}=a".encode()],
        lambda pairs: [*pairs, f"X%2DAmz-{name}=a".encode()],
        lambda pairs: [
            pair if not pair.startswith(f"X-Amz-{name}=".encode()) else f"X-Amz-{name}=".encode()
            for pair in pairs
        ],
    ):
        request = presigned()
        path, _, query = request.target.partition(b"?")
        request.target = path + b"?" + b"&".join(change(query.split(b"&")))
        refused(request, (MalformedHeader, MissingHeader), by=by)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Expires=60", b"Expires=-1"),
        (b"Expires=60", b"Expires=0"),
        (b"Expires=60", b"Expires=%EF%BC%96%EF%BC%90"),
        (b"Expires=60", b"Expires=60.0"),
        (b"Expires=60", b"Expires=99999999"),
        (b"AWS4-HMAC-SHA256", b"AWS4-HMAC-SHA1"),
        (b"SignedHeaders=host", b"SignedHeaders="),
        (b"Signature=", b"Signature=A"),
    ],
)
def test_a_presigned_url_of_another_form_is_malformed(old, new):
    request = presigned()
    assert old in request.target
    request.target = request.target.replace(old, new, 1)
    refused(request, MalformedHeader, by=scheme(**WANTS))


def test_a_presigned_url_with_another_life_or_path_is_refused():
    for old, new in ((b"Expires=60", b"Expires=61"), (b"x=1", b"x=2"), (b"/a", b"/b")):
        request = presigned()
        request.target = request.target.replace(old, new, 1)
        refused(request, BadSignature, by=scheme(**WANTS))


def test_a_longer_life_than_the_settings_allow_is_refused():
    by = scheme(max_expires=60, **WANTS)
    assert by.verify(presigned(), now=NOW)
    error = refused(presigned(expires=61), ClaimRefused, by=by)
    assert "max_expires is 60 s" in error.message
    assert error.hint == "let what signs it give it a shorter life"
    assert error.identity.key_id == KEY.id


def test_a_week_is_the_end_whatever_the_url_says(monkeypatch):
    from edgeauth.schemes.aws_sigv4 import sign  # noqa: PLC0415

    monkeypatch.setattr(sign, "WEEK", 999_999)
    request = presigned(expires=604_801)
    refused(request, ClaimRefused, by=scheme(**WANTS))


@pytest.mark.parametrize("by", [scheme(), scheme(**WANTS)], ids=["header", "both"])
def test_a_signature_in_both_places_is_refused(by):
    target = presigned().target.decode()
    request = sent(target=target)
    refused(request, MalformedHeader, by=by)


def test_fields_of_amazons_beside_a_presigned_url_must_be_signed():
    by, fields = scheme(**WANTS), [("x-amz-meta-a", "b")]
    assert by.verify(presigned(fields=fields), now=NOW)
    request = presigned()
    request.fields.append(("x-amz-meta-a", b"b"))
    refused(request, NotCovered, by=by)


# --- keys, scopes and time


def test_the_key_is_the_one_that_is_named():
    other = Key("ANOTHER", "an-entirely-different-secret-here")
    both = AwsSigV4Scheme([other, KEY], region=REGION)
    assert both.verify(sent(), now=NOW).key_id == KEY.id
    request = sent()
    value = authorization(request).replace(KEY.id.encode(), b"ANOTHER")
    refused(replaced(request, "Authorization", value), BadSignature, by=both)
    refused(sent(), BadSignature, by=AwsSigV4Scheme([other], region=REGION))


def test_a_dated_key_is_good_in_its_time():
    ending = Key(KEY.id, KEY.secret, not_after=NOW)
    dated = AwsSigV4Scheme([ending], region=REGION)
    assert dated.verify(sent(), now=NOW)
    assert "not valid now" in refused(sent(), BadSignature, by=dated, now=NOW + 1).message


@pytest.mark.parametrize("how", [{"region": "us-east-1"}, {"service": "execute-api"}])
def test_a_signature_for_another_region_or_service_is_not_for_us(how):
    error = refused(sent(by=scheme(**how)), ClaimRefused)
    assert error.identity.key_id == KEY.id
    request = sent()
    value = authorization(request).replace(b"/s3/", b"/s4/")
    refused(replaced(request, "Authorization", value), BadSignature)


def test_the_window_has_its_ends():
    assert scheme().verify(sent(), now=NOW + 900)
    assert scheme().verify(sent(), now=NOW - 900)
    old = refused(sent(), Expired, now=NOW + 901)
    assert (old.age, old.limit) == (901, 900)
    assert str(old) == "age 901 s is past max_skew 900 s"
    early = refused(sent(), NotYetValid, now=NOW - 901)
    assert str(early) == "signed 901 s in the future, past max_skew 900 s"
    assert early.identity.key_id == KEY.id
    refused(sent(), Expired, now=float("nan"))
    assert scheme(max_skew=0).verify(sent(), now=NOW)
    refused(sent(), Expired, by=scheme(max_skew=0), now=NOW + 0.5)


@pytest.mark.parametrize("later", [37, 25 * 60 + 37, 15 * 3600 + 59 * 60 + 59])
def test_the_time_of_signing_is_the_date_to_the_second(later):
    identity = scheme().verify(sent(now=NOW + later), now=NOW + later)
    assert identity.timestamp == NOW + later


def test_a_parameter_that_only_begins_as_those_of_a_presigned_url_is_signed_as_any_other():
    assert scheme().verify(sent(target="/a?x-amz-acl=private"), now=NOW)


def test_one_that_is_forged_learns_nothing_of_time_or_region():
    by = scheme(region="us-east-1")
    request = sent()
    value = authorization(request)[:-4] + b"0000"
    refused(replaced(request, "Authorization", value), BadSignature, by=by, now=NOW + 5000)


def test_the_key_of_a_day_is_remembered_for_what_was_accepted_alone():
    by = scheme()
    forged = sent()
    refused(
        replaced(forged, "Authorization", authorization(forged)[:-4] + b"0000"), BadSignature, by=by
    )
    assert not by._days
    assert not by._credentials
    assert by.verify(sent(), now=NOW) == by.verify(sent(), now=NOW)
    assert len(by._days) == len(by._credentials) == 1
    # What the memory has is no key of another region.
    refused(sent(by=scheme(region="us-east-1")), ClaimRefused, by=by)


def test_a_presigned_url_is_not_remembered():
    by = scheme(**WANTS)
    assert by.verify(presigned(), now=NOW)
    assert not by._days
    assert not by._credentials


def test_what_is_remembered_has_an_end():
    by = scheme(max_skew=1e9)
    for day in range(66):
        moment = NOW + day * 86_400
        fields = [(f"x-amz-meta-{day}", "a")]
        assert by.verify(sent(by=by, now=moment, fields=fields), now=moment)
        assert len(by._days) == len(by._credentials) == day % 64 + 1


def test_a_replay_store_admits_a_signature_once():
    guard = Guard(scheme(), replay=MemoryReplayStore())
    now = time.time()
    request = sent(now=now)
    assert guard.check(request, now=now).reason == "ok"
    assert guard.check(request, now=now).reason == "replayed"
    assert guard.check(sent(target="/other", now=now), now=now).reason == "ok"


def test_beside_another_scheme_the_nearest_miss_is_told():
    either = AnyOf(EdgeAuthScheme(["x" * 32]), scheme())
    assert either.verify(sent(), now=NOW).scheme == "aws-sigv4"
    refused(sent(), Expired, by=either, now=NOW + 901)


# --- what an operator reads


def without(field):
    return lambda: replaced(sent(), field, None)


def with_header(old, new):
    return lambda: replaced(sent(), "Authorization", authorization(sent()).replace(old, new, 1))


def at_target(target):
    def request():
        found = sent()
        found.target = target
        return found

    return request


def both():
    return sent(target=presigned().target.decode())


def twice(name):
    def request():
        found = sent()
        found.fields.append((name, dict(found.fields)[name]))
        return found

    return request


TOO_MANY = b"=" + b";".join(b"a%03d" % n for n in range(64)) + b";host;"


def presigned_with(old, new):
    def request():
        found = presigned()
        found.target = found.target.replace(old, new, 1)
        return found

    return request


OF_A_URL = [
    (presigned_with(b"x=1", b"x-amz-date=1"), "an X-Amz parameter is in the query twice"),
    (presigned_with(b"X-Amz-Expires=60", b"x=1"), "has not all of X-Amz-Algorithm, -Credential,"),
    (presigned_with(b"Expires=60", b"Expires=0"), "a parameter of the presigned URL is not of its"),
]


@pytest.mark.parametrize(("request_of", "message"), OF_A_URL)
def test_a_malformed_presigned_url_is_told_what_is_wrong(request_of, message):
    assert message in refused(request_of(), MalformedHeader, by=scheme(**WANTS)).message


TOLD = [
    (without("Authorization"), "no Authorization header of AWS4-HMAC-SHA256", None),
    (presigned, "in the query, as a presigned URL has it", "set presigned here"),
    (without("X-Amz-Date"), "no X-Amz-Date header", None),
    (twice("X-Amz-Date"), "2 X-Amz-Date headers; there must be one", None),
    (twice("Authorization"), "2 Authorization headers", None),
    (twice("X-Amz-Content-SHA256"), "2 X-Amz-Content-SHA256 headers", None),
    (twice("Host"), "there must be one Host header: it is signed", None),
    (both, "a signature in Authorization and one in the query", None),
    (at_target(None), "does not tell the target as received", "raw_path in ASGI"),
    (at_target(b"*"), "the target is no path", None),
    (lambda: replaced(sent(), "X-Amz-Content-SHA256", b""), "neither a hash nor a word", None),
    (with_header(b"Credential", b"credential"), "SignedHeaders=names, Signature=64 digits", None),
    (with_header(b"=host;", b"=;host;"), "an empty name, or too many", None),
    (with_header(b"=host;", TOO_MANY), "an empty name, or too many", None),
    (with_header(b"=host;", b"=host;host;"), "are not sorted, or one is there twice", None),
    (with_header(b"/20251127/", b"/20251327/"), "a day that the calendar has not", None),
    (with_header(b"/20251127/", b"/20251126/"), "the day of the scope is not that", None),
    (lambda: replaced(sent(), "X-Amz-Date", b"now"), "not of the form YYYYMMDDTHHMMSSZ", None),
    (with_header(KEY.id.encode(), b"NOBODY"), "an access key id that is not here", "id of the key"),
    (lambda: sent(now=NOW, target="/a", by=scheme(region="r")), "another region", "the region and"),
    (
        lambda: replaced(sent(fields=[("x-amz-meta-a", "b")]), "x-amz-meta-a", None),
        "a field that is signed is not there",
        "edgeauth verify names it",
    ),
    (
        lambda: replaced(sent(fields=[("x-amz-meta-a", "b")]), "x-amz-meta-a", b"\0"),
        "a signed field has control characters",
        None,
    ),
    (
        lambda: replaced(sent(), "X-Amz-Meta-A", b"b"),
        "a field that begins with x-amz- is not signed",
        "remove what clients send by that name",
    ),
    (
        lambda: replaced(sent(), "Host", b"other"),
        f"key {KEY.id} did not make this signature of this request",
        "change the method, Host, path, query",
    ),
    (
        lambda: sent("POST", body=b"a", compares_body=False),
        "the hash of a body is signed, and nobody here sees the body",
        "set unsigned_payload",
    ),
]


@pytest.mark.parametrize(("request_of", "message", "hint"), TOLD)
def test_each_refusal_says_what_is_wrong_and_what_to_do(request_of, message, hint):
    error = refused(request_of(), Exception)
    assert message in error.message
    assert hint in error.hint if hint else error.hint is None


def test_the_fields_that_an_adapter_removes_are_those_of_the_signature():
    assert AwsSigV4Scheme.headers == (
        *("Authorization", "X-Amz-Date", "X-Amz-Content-SHA256", "X-Amz-Security-Token"),
    )
    assert AwsSigV4Scheme.looks_at_beginning == ("x-amz-",)
    assert AwsSigV4Scheme.once is True


@pytest.mark.parametrize("name", ["region", "service", "max_skew", "max_expires", "path_mode"])
def test_an_error_names_the_argument(name):
    with pytest.raises(ConfigurationError, match=f"^{name} "):
        scheme(**{name: -1})


def test_what_was_accepted_is_not_read_anew(monkeypatch):
    from edgeauth.schemes.aws_sigv4 import grammar  # noqa: PLC0415

    by = scheme()
    for fields in ([], [("x-amz-meta-a", "b")]):
        assert by.verify(sent(fields=fields), now=NOW)
    assert len(by._credentials) == 2
    monkeypatch.setattr(grammar, "of_header", lambda _value: pytest.fail("read anew"))
    for fields in ([], [("x-amz-meta-a", "b")]):
        assert by.verify(sent(fields=fields, target="/other"), now=NOW)


def test_sixty_four_fields_can_be_signed_and_no_more():
    fields = [(f"x-amz-meta-{n}", "a") for n in range(62)]
    assert scheme().verify(sent(fields=fields[:61]), now=NOW)
    assert "too many" in refused(sent(fields=fields), MalformedHeader).message


def test_another_algorithm_of_a_presigned_url_is_named():
    request = presigned()
    request.target = request.target.replace(b"AWS4-HMAC-SHA256", b"AWS4-HMAC-SHA512")
    error = refused(request, MalformedHeader, by=scheme(**WANTS))
    assert error.message == "X-Amz-Algorithm is not AWS4-HMAC-SHA256"


def test_what_is_authentic_and_refused_says_who_signed():
    unsigned = scheme(unsigned_payload=True).credential(now=NOW, request=Outgoing("PUT", HOST, "/"))
    lines = [("Host", HOST.encode()), *((name, text.encode()) for name, text in unsigned.items())]
    for request in (
        plain("PUT", "/", lines),
        replaced(sent(), "X-Amz-Meta-A", b"b"),
        sent("POST", body=b"a", compares_body=False),
    ):
        assert refused(request, NotCovered).identity[:4] == (NOW, None, KEY.id, "aws-sigv4")


def test_the_key_of_a_day_is_made_once(monkeypatch):
    from edgeauth.schemes.aws_sigv4 import verify  # noqa: PLC0415

    by = scheme()
    assert by.verify(sent(), now=NOW)
    request = sent(target="/other")
    monkeypatch.setattr(verify, "day_secret", lambda *_parts: pytest.fail("made anew"))
    assert by.verify(request, now=NOW)


# --- signing


def test_there_must_be_a_request_to_sign():
    with pytest.raises(ConfigurationError, match="aws-sigv4 signs one request, and none is named"):
        scheme().credential(now=NOW)


def test_a_body_that_is_not_known_cannot_be_signed():
    with pytest.raises(CannotSign, match="unsigned_payload"):
        scheme().credential(now=NOW, request=Outgoing("PUT", HOST, "/"))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
def test_what_only_reads_has_no_body_where_none_is_known(method):
    made = scheme().credential(now=NOW, request=Outgoing(method, HOST, "/"))
    assert made["X-Amz-Content-SHA256"] == EMPTY


def test_what_cannot_be_signed_is_told():
    with pytest.raises(CannotSign, match="control characters"):
        sent(fields=[("x-amz-meta-a", "b\nc")])


def test_fields_that_the_signer_makes_itself_take_the_place_of_others():
    fields = [("X-Amz-Date", "20200101T000000Z"), ("Accept", "*/*"), ("x-amz-meta-b", b"c")]
    made = scheme().credential(now=NOW, request=Outgoing("GET", HOST, "/", fields, b""))
    assert made["X-Amz-Date"] == "20251127T080000Z"
    assert (
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-b," in made["Authorization"]
    )


def test_a_key_may_be_named_to_sign_with():
    other = Key("ANOTHER", "an-entirely-different-secret-here")
    made = scheme().credential(now=NOW, request=Outgoing("GET", HOST, "/", (), b""), key=other)
    assert "Credential=ANOTHER/" in made["Authorization"]
    target = scheme().presign(now=NOW, request=Outgoing("GET", HOST, "/"), expires=1, key=other)
    assert "X-Amz-Credential=ANOTHER%2F" in target


def test_the_key_that_is_valid_then_signs():
    old = Key("OLD", KEY.secret, not_after=NOW + 10)
    new = Key("NEW", "an-entirely-different-secret-here", not_before=NOW + 20)
    both, request = AwsSigV4Scheme([old, new], region=REGION), Outgoing("GET", HOST, "/")

    for now, name in ((NOW, "OLD"), (NOW + 20, "NEW")):
        made = both.credential(now=now, request=request)["Authorization"]
        assert f"Credential={name}/" in made
        target = both.presign(now=now, request=request, expires=1)
        assert f"X-Amz-Credential={name}%2F" in target


def test_a_public_key_signs_nothing_here():
    key = PublicKey("edge-2", published_key("ed25519", "pem"), "ed25519")
    with pytest.raises(ConfigurationError, match="is a public key, and the scheme 'aws-sigv4'"):
        AwsSigV4Scheme([key], region=REGION)


@pytest.mark.parametrize("path_mode", ["s3", "generic"])
@pytest.mark.parametrize("target", ["/a", "/a%20b?x=1", "/"])
@pytest.mark.parametrize("expires", [1, 60, 604_800])
def test_our_presigned_url_is_that_of_botocore(path_mode, target, expires):
    theirs, _ = signed_by_botocore(
        "GET", f"https://{HOST}{target}", now=NOW, path_mode=path_mode, expires=expires
    )
    fields = [("X-Amz-Date", "20200101T000000Z"), ("X-Amz-Content-SHA256", EMPTY)]
    request = Outgoing("GET", HOST, target, fields)

    ours = scheme(path_mode=path_mode).presign(now=NOW, request=request, expires=expires)
    assert ours == theirs


@pytest.mark.parametrize("expires", [0, 604_801, True, "60"])
def test_a_url_cannot_be_presigned_for_another_life(expires):
    with pytest.raises(ConfigurationError, match="expires"):
        presigned(expires=expires)


# --- settings


@pytest.mark.parametrize(
    "how",
    [
        {"region": None},
        {"region": ""},
        {"region": "a/b"},
        {"region": 1},
        {"service": "s3/"},
        {"max_skew": -1},
        {"max_expires": 0},
        {"max_expires": 604_801},
        {"max_expires": True},
        {"max_expires": 1.5},
        {"path_mode": "S3"},
    ],
)
def test_an_argument_that_cannot_be_used_is_an_error(how):
    with pytest.raises(ConfigurationError):
        scheme(**how)


# --- canonical forms


@pytest.mark.parametrize(
    ("path", "s3", "generic"),
    [
        (b"/", b"/", b"/"),
        (b"/a//b/../c/", b"/a//b/../c/", b"/a/c/"),
        (b"/../..", b"/../..", b"/"),
        (b"/a/./b/.", b"/a/./b/.", b"/a/b"),
        (b"/a%2Fb~", b"/a%2Fb~", b"/a%252Fb~"),
        (b"/.a", b"/.a", b"/.a"),
        ("/é b".encode(), b"/%C3%A9%20b", b"/%C3%A9%20b"),
        (b"/a\nb", b"/a%0Ab", b"/a%0Ab"),
        (b"/a:b", b"/a:b", b"/a%3Ab"),
        (b"/!\x7f~:", b"/!%7F~:", b"/%21%7F~%3A"),
    ],
)
def test_the_path_is_as_each_flavour_signs_it(path, s3, generic):
    assert canonical_path(path, "s3") == s3
    assert canonical_path(path, "generic") == generic


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        (b"", b""),
        (b"a", b"a="),
        (b"b=2&a=1", b"a=1&b=2"),
        (b"a=2&a=1", b"a=1&a=2"),
        (b"a-=1&a=2", b"a=2&a-=1"),
        (b"a==b", b"a=%3Db"),
        (b"a=+", b"a=%2B"),
        (b"a=%zz%", b"a=%25zz%25"),
        (b"a=%7e%c3%a9", b"a=~%C3%A9"),
        (b"a=1&&b=2", b"=&a=1&b=2"),
        (b"%ff=\xff", b"%FF=%FF"),
    ],
)
def test_the_query_is_decoded_encoded_and_sorted(query, canonical):
    assert b"&".join(canonical_query(query)) == canonical
