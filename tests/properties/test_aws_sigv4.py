"""What botocore signs is accepted, what is changed afterwards is not, and no byte raises."""

from __future__ import annotations

import hashlib

from hypothesis import example, given
from hypothesis import strategies as st
from support.requests import PlainRequest
from support.sigv4 import KEY, REGION, plain, signed_by_botocore

from edgeauth import EdgeIdentity, Guard, VerificationError
from edgeauth.schemes.aws_sigv4 import AwsSigV4Scheme
from edgeauth.schemes.aws_sigv4.canonical import canonical_path, canonical_query, normalised
from edgeauth.schemes.base import Outgoing

NOW = 1_764_230_400.0
HOST = "origin.example.com"
SCHEMES = {
    mode: AwsSigV4Scheme(
        [KEY], region=REGION, path_mode=mode, presigned=True, unsigned_payload=mode == "s3"
    )
    for mode in ("s3", "generic")
}

segment = st.text("ab.~_-", max_size=4) | st.sampled_from(["%20", "%2F", "%C3%A9", "..", ".", ""])
paths = st.lists(segment, max_size=5).map(lambda parts: "/" + "/".join(parts))
# As botocore takes it: encoded already, with an equals sign.
piece = st.sampled_from(["a", "a-", "a2", "b", "%20", "%2F", "~", ""])
queries = st.lists(st.tuples(piece, piece), max_size=4).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)
modes = st.sampled_from(["s3", "generic"])
bodies = st.sampled_from([b"", b"a body"])


def accepted(scheme, request, now=NOW):
    try:
        return scheme.verify(request, now=now)
    except VerificationError:
        return None


@given(mode=modes, path=paths, query=queries, body=bodies, method=st.sampled_from(["GET", "PUT"]))
@example(mode="generic", path="/a/../b//", query="a-=1&a=2", body=b"", method="GET")
def test_what_botocore_signs_is_accepted_and_its_body_is_named(mode, path, query, body, method):
    url = f"https://{HOST}{path}" + (f"?{query}" if query else "")
    fields = {"X-Amz-Content-SHA256": hashlib.sha256(body).hexdigest()}
    target, lines = signed_by_botocore(
        method, url, now=NOW, path_mode=mode, fields=fields, body=body
    )
    identity = accepted(SCHEMES[mode], plain(method, target, lines))
    assert identity is not None
    assert identity.body.value == hashlib.sha256(body).digest()
    assert ("path" in identity.covers) == (
        mode == "s3"
        or normalised(target.partition("?")[0].encode()) == target.partition("?")[0].encode()
    )


@given(mode=modes, path=paths, query=queries)
def test_what_botocore_presigns_is_accepted_until_it_ends(mode, path, query):
    url = f"https://{HOST}{path}" + (f"?{query}" if query else "")
    target, lines = signed_by_botocore("GET", url, now=NOW, path_mode=mode, expires=60)
    request = plain("GET", target, lines)
    assert accepted(SCHEMES[mode], request, NOW + 60) is not None
    assert accepted(SCHEMES[mode], request, NOW + 61) is None


targets = st.text("ab%/.;=&~!$'()*+,@:-_2Ff", max_size=12).map(lambda text: "/" + text)


@given(mode=modes, path=targets, query=targets, method=st.sampled_from(["GET", "PUT", "X"]))
def test_what_we_sign_we_accept_whatever_the_target(mode, path, query, method):
    scheme, target = SCHEMES[mode], f"{path}?{query[1:]}"
    made = scheme.credential(now=NOW, request=Outgoing(method, HOST, target, (), b""))
    lines = [("Host", HOST.encode()), *((name, value.encode()) for name, value in made.items())]
    assert accepted(scheme, plain(method, target, lines)) is not None


def good(mode="s3"):
    made = SCHEMES[mode].credential(now=NOW, request=Outgoing("GET", HOST, "/a?b=1", (), b""))
    return [("Host", HOST.encode()), *((name, value.encode()) for name, value in made.items())]


@given(place=st.integers(1, 3), at=st.integers(0, 400), byte=st.integers(0, 255))
def test_a_credential_with_another_byte_is_refused(place, at, byte):
    lines = good()
    name, value = lines[place]
    at %= len(value)
    changed = value[:at] + bytes([byte]) + value[at + 1 :]
    request = plain("GET", "/a?b=1", [*lines[:place], (name, changed), *lines[place + 1 :]])
    assert (accepted(SCHEMES["s3"], request) is not None) == (changed == value)


hostile = st.binary(max_size=80) | st.sampled_from(
    [
        b"AWS4-HMAC-SHA256 Credential=" + b"(" * 65_536,
        b"AWS4-HMAC-SHA256 " + b"Credential=a/" * 5_000,
        "\uff11\uff12".encode() * 8,
        b"9" * 5_000,
        b"nan",
    ]
)


@given(
    values=st.lists(hostile, min_size=3, max_size=3),
    target=st.none() | st.binary(max_size=60).map(lambda raw: b"/" + raw) | st.binary(max_size=9),
    method=st.text(max_size=5),
    host=st.none() | st.binary(max_size=9),
)
def test_no_byte_raises_and_none_is_let_in(values, target, method, host):
    names = ("Authorization", "X-Amz-Date", "X-Amz-Content-SHA256")
    fields = list(zip(names, values, strict=True))
    request = PlainRequest(method=method, target=target, host=host, fields=fields)
    for scheme in SCHEMES.values():
        verdict = Guard(scheme).check(request, now=NOW)
        assert verdict.reason in ("missing", "malformed", "bad-signature")


@given(
    query=st.lists(
        st.tuples(
            st.sampled_from(
                [
                    b"X-Amz-Algorithm",
                    b"X-Amz-Credential",
                    b"X-Amz-Date",
                    b"x-amz-a",
                    b"X-Amz-Expires",
                    b"X-Amz-SignedHeaders",
                    b"X-Amz-Signature",
                ]
            ),
            st.sampled_from(
                [
                    b"AWS4-HMAC-SHA256",
                    b"host",
                    b"60",
                    b"%FF",
                    b"0" * 64,
                    b"20251127T080000Z",
                    b"EDGE2026EXAMPLE/20251127/eu-central-1/s3/aws4_request",
                ]
            ),
        ),
        max_size=8,
    )
)
def test_no_presigned_query_raises(query):
    target = b"/?" + b"&".join(b"=".join(pair) for pair in query)
    request = PlainRequest(target=target, host=HOST.encode(), fields=[("Host", HOST.encode())])
    assert not isinstance(accepted(SCHEMES["s3"], request), EdgeIdentity)


@given(path=st.binary(max_size=30).map(lambda raw: b"/" + raw), query=st.binary(max_size=30))
def test_canonical_forms_hold_no_line_end_and_are_their_own_form(path, query):
    for mode in ("s3", "generic"):
        made = canonical_path(path, mode)
        assert made.startswith(b"/")
        assert made.isascii()
        assert not {10, 13, 32} & {*made}
    line = b"&".join(canonical_query(query))
    assert b"\n" not in line
    assert b"&".join(canonical_query(line)) == line
    assert normalised(normalised(path)) == normalised(path)
