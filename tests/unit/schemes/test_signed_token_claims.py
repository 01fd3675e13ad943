"""What is said of a signed token that is refused, and where each limit of one is."""

from __future__ import annotations

import hashlib
import json

import pytest
from support.requests import PlainRequest
from support.token_keys import (
    ISSUER,
    NOW,
    SECRET,
    claims,
    jwk,
    jwks,
    pair,
    public_pem,
    signed,
)

from edgeauth import ConfigurationError, Key, VerificationError
from edgeauth.public_keys import PublicKey
from edgeauth.schemes.signed_token import SignedTokenScheme
from edgeauth.schemes.signed_token.algorithms import ALGORITHMS, Algorithm
from edgeauth.schemes.signed_token.jwks import described, public_keys, read_jwks
from edgeauth.schemes.signed_token.sign import part, token
from edgeauth.schemes.signed_token.token import parts_of

KEY = Key("k", SECRET)


def scheme(algorithm="HS256", keys=(SECRET,), **more):
    return SignedTokenScheme(
        keys, **{"header": "X-Token", "algorithm": algorithm, "issuer": ISSUER, **more}
    )


def verified(said, *, now=NOW, **more):
    return scheme(**more).verify_value(token(KEY, {"alg": "HS256"}, said).encode(), now=now)


def refused(value, *, now=NOW, **more):
    if not isinstance(value, bytes):
        value = token(KEY, {"alg": "HS256"}, value).encode()
    with pytest.raises(VerificationError) as caught:
        scheme(**more).verify_value(value, now=now)
    return caught.value


# --- what an operator is told


@pytest.mark.parametrize(
    ("said", "more", "message", "hint"),
    [
        (
            {"iss": "x"},
            {},
            "the token is of another issuer",
            "issuer here must be its iss, letter by letter",
        ),
        (
            {"aud": "us"},
            {},
            "the token is for another audience",
            "audience here must be one of its aud",
        ),
        (
            {"kind": "b"},
            {"claims": {"kind": "a"}},
            "the claim kind of the token is not one that is allowed here",
            "is it a token for this origin? Else add its kind to claims",
        ),
        (
            {"exp": None},
            {},
            "the token has no exp: it would be good for ever",
            "let the issuer set one",
        ),
        (
            {},
            {"max_lifetime": 60},
            "the token lives longer than max_lifetime, 60 s",
            "let the issuer sign for a shorter time, or raise max_lifetime here",
        ),
        (
            {},
            {"max_lifetime": 0},
            "the token lives longer than max_lifetime, 0 s",
            "let the issuer sign for a shorter time, or raise max_lifetime here",
        ),
    ],
)
def test_a_claim_that_is_refused_is_named_with_what_to_do_and_who_signed(said, more, message, hint):
    error = refused(claims(**said), **more)
    assert (error.reason, error.message, error.hint) == ("claims", message, hint)
    identity = error.identity
    assert (identity.scheme, identity.key_id, identity.timestamp) == ("signed-token", "key-1", NOW)
    assert (identity.pop, identity.covers, identity.claims) == (None, frozenset(), {})


@pytest.mark.parametrize(
    ("said", "now", "message", "age"),
    [
        ({}, NOW + 400, "100 s past its own expires, and max_skew admits 5 s", 100),
        ({}, NOW - 60, "signed 60 s in the future, past max_skew 5 s", -60),
        ({"nbf": NOW + 70}, NOW, "signed 70 s in the future, past max_skew 5 s", -70),
    ],
)
def test_a_token_out_of_its_time_is_told_with_how_far_it_is(said, now, message, age):
    error = refused(claims(**said), now=now)
    assert (error.message, str(error), error.args) == (message, message, (message,))
    assert (error.age, error.limit) == (age, 5)
    assert (error.identity.key_id, error.identity.timestamp) == ("key-1", NOW)


# --- limits


def test_the_times_of_a_token_are_from_0_to_the_last_of_12_digits():
    assert verified(claims(iat=0, nbf=0, exp=999_999_999_999)).timestamp == 0
    assert (
        refused(claims(exp=1_000_000_000_000)).message
        == "exp of the token is no time in Unix seconds"
    )
    assert refused(claims(exp=0, iat=None), now=5).reason == "expired"
    assert verified(claims(exp=0, iat=None), now=4).timestamp is None


def test_a_token_that_does_not_say_from_when_is_good_from_the_beginning_of_time():
    assert verified({"iss": ISSUER, "exp": 9}, now=0, max_skew=0)


def test_a_text_for_the_application_is_at_most_512_characters_and_a_number_2_to_the_53():
    told = ["long", "longer", "low", "lower"]
    said = {"long": "x" * 512, "longer": "x" * 513, "low": -(2**53), "lower": -(2**53) - 1}
    found = verified(claims(**said), identity_claims=told)
    assert found.claims == {"long": "x" * 512, "low": -(2**53)}


def test_whether_a_claim_is_one_that_is_allowed_can_be_asked():
    rules = scheme(claims={"kind": ["a", 1]}).rules
    assert [rules.allows("kind", value) for value in ("a", 1, "b", True, ["a"])] == [
        True,
        True,
        False,
        False,
        False,
    ]


# --- the form


def test_a_token_has_at_most_16384_bytes():
    head = part(b'{"alg":"HS256"}')

    def padded(length):
        room = length - len(head) - 1 - 44
        text = json.dumps(claims(pad=""))
        text = text[:-2] + "x" * (room * 3 // 4 - len(text)) + '"}'
        message = head + b"." + part(text.encode())
        return message + b"." + part(KEY.mac(message))

    longest = padded(16_384)
    assert len(longest) == 16_384
    assert scheme().verify_value(longest, now=NOW)
    assert refused(padded(16_385)).message == "the token has 16385 bytes, more than 16384"


def test_the_header_of_a_token_has_at_most_2048_characters():
    longest = b'{"alg":"HS256","pad":"' + b"x" * (1536 - 24) + b'"}'
    message = part(longest) + b"." + part(json.dumps(claims()).encode())
    assert len(part(longest)) == 2048
    assert scheme().verify_value(message + b"." + part(KEY.mac(message)), now=NOW)
    assert "three parts of base64url" in refused(b"A" * 2049 + b".e30.AAAA").message


ALL = "".join(chr(number) for number in range(0x3B, 0x80))


@pytest.mark.parametrize("pad", [">>>???", "~~~~~~", "\x7f\x7f"])
def test_all_of_the_alphabet_is_read(pad):
    message = part(b'{"alg":"HS256"}') + b"." + part(json.dumps(claims(pad=pad + ALL)).encode())
    assert b"-" in message or b"_" in message
    assert verified(claims(pad=pad + ALL))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"a.b", "the field is no token: three parts of base64url with dots between"),
        (b"a\xb5.e30.AAAA", "the field is no token: three parts of base64url with dots between"),
        (b"e30.e30.AB", "the signature is not the base64url of its bytes"),
        (b"e30.e30.A", "a part of the token has the length of no base64url"),
        (b"A.e30.AAAA", "a part of the token has the length of no base64url"),
        (part(b"{") + b".e30.AAAA", "the header of the token is no JSON"),
        (part(b'{"a":NaN}') + b".e30.AAAA", "the header of the token is no JSON"),
        (part(b'{"a":1,"a":1}') + b".e30.AAAA", "the header of the token is no JSON"),
        (part(b"\xff") + b".e30.AAAA", "the header of the token is no JSON"),
        (part(b"[]") + b".e30.AAAA", "the header of the token is no JSON object"),
    ],
)
def test_what_is_wrong_with_the_form_is_told(value, message):
    error = refused(value)
    assert (error.reason, error.message) == ("malformed", message)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"{", "the payload of the token is no JSON"),
        (b"[" * 9000, "the payload of the token is no JSON"),
        (b'{"exp":-Infinity}', "the payload of the token is no JSON"),
        (b"[]", "the payload of the token is no JSON object"),
    ],
)
def test_what_is_wrong_with_a_payload_is_told(payload, message):
    head = part(b'{"alg":"HS256"}') + b"." + part(payload)
    assert refused(head + b"." + part(KEY.mac(head))).message == message


def test_the_parts_of_a_token_are_told_as_received_and_the_signature_decoded():
    assert parts_of(b"e30.e30.-_-_") == (b"e30", b"e30", b"e30.e30", b"\xfb\xff\xbf")
    assert parts_of(b"e30.e30.") == (b"e30", b"e30", b"e30.e30", b"")
    assert parts_of(b"e30.e30.AAAX").signature == b"\0\0\x17"


def test_a_part_is_base64url_without_padding():
    parts = {b"\0\0\x17": b"AAAX", b"\0": b"AA", b"\xfb\xff": b"-_8", b"": b""}
    assert {raw: part(raw) for raw in parts} == parts


# --- keys


def test_a_key_set_of_64_keys_is_read():
    others = [jwk("ES256", kid=str(number)) for number in range(63)]
    assert list(public_keys({"keys": [jwk("EdDSA"), *others]}, Algorithm("EdDSA"))) == ["one"]


def test_a_kid_of_256_characters_is_read_and_logs_have_a_digest_of_it():
    for kid in ("k" * 256, "a b", "\ud800"):
        [(found, key)] = public_keys({"keys": [jwk("EdDSA", kid=kid)]}, Algorithm("EdDSA")).items()
        digest = hashlib.sha256(kid.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        assert (found, key.id) == (kid, f"kid-{digest}")
    [key] = public_keys(jwks("EdDSA"), Algorithm("EdDSA")).values()
    assert key.id == "one"


@pytest.mark.parametrize("name", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_a_key_set_with_anything_private_is_refused(name):
    words = r"^jwks has a private key or a secret \(kid 'one'\): only the issuer may have it"
    with pytest.raises(ConfigurationError, match=words):
        public_keys({"keys": [jwk("EdDSA", **{name: "AAAA"})]}, Algorithm("EdDSA"))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA", "Ed25519"])
@pytest.mark.parametrize(
    ("more", "taken"),
    [
        ({}, True),
        ({"alg": None}, True),
        ({"use": "sig", "key_ops": ["sign", "verify"]}, True),
        ({"use": "enc"}, False),
        ({"use": None}, False),
        ({"key_ops": ["sign"]}, False),
        ({"key_ops": "verify"}, False),
        ({"kty": "oct"}, False),
        ({"alg": "none"}, False),
    ],
)
def test_of_a_key_set_those_are_taken_that_are_for_it(algorithm, more, taken):
    document = {"keys": [jwk(algorithm, "other"), jwk(algorithm, **more)]}
    document["keys"][1] = {**jwk(algorithm), **more}
    found = public_keys(document, Algorithm(algorithm))
    assert list(found) == (["other", "one"] if taken else ["other"])
    bare = jwk(algorithm)
    del bare["use"]
    assert list(public_keys({"keys": [bare]}, Algorithm(algorithm))) == ["one"]


def test_a_key_set_is_described_by_its_kids():
    assert (
        described({"keys": [jwk("EdDSA", "a"), 7, {}, jwk("RS256", "b")]}) == "the keys a, None, b"
    )


def test_a_key_set_that_cannot_be_read_is_named_with_its_setting(tmp_path):
    for file, why in (
        (tmp_path / "none", "cannot be read"),
        (tmp_path / "set", "is no JSON object"),
    ):
        (tmp_path / "set").write_text("[")
        with pytest.raises(ConfigurationError) as caught:
            read_jwks("jwks", str(file))
        assert str(caught.value).startswith(f"jwks {str(file)!r} {why}")


def test_a_key_that_is_none_as_a_jwk_is_named():
    words = r"^key 'one' is no public key as a JWK$"
    with pytest.raises(ConfigurationError, match=words) as caught:
        public_keys({"keys": [jwk("ES256", x="AAAA")]}, Algorithm("ES256"))
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("algorithm", "key", "words"),
    [
        (
            "HS256",
            lambda: Key("k", '{"kty":"oct","k":"AAAAAAAA"}'),
            "is a key set or a JWK, and no",
        ),
        (
            "HS256",
            lambda: PublicKey("k", public_pem(pair("EdDSA"))),
            "is a public key, and HS256 is checked with a secret: everybody could sign with it",
        ),
        (
            "ES256",
            lambda: KEY,
            "is a secret, and ES256 is checked with a public key: write that of the issuer",
        ),
        (
            "ES256",
            lambda: PublicKey("k", public_pem(pair("EdDSA"))),
            "is for ed25519, and not for ES256",
        ),
    ],
)
def test_a_key_of_the_wrong_kind_is_named_with_what_it_is(algorithm, key, words):
    with pytest.raises(ConfigurationError, match=f"^key 'k' {words}"):
        scheme(algorithm, [key()])


def test_a_public_rsa_key_keeps_its_dates():
    key = PublicKey("k", public_pem(pair("RS256")), None, NOW, NOW + 10)
    which = scheme("RS256", [key])
    [made] = which.keys
    assert (made.algorithm, made.not_before, made.not_after) == ("rsa-v1_5-sha256", NOW, NOW + 10)
    assert which.verify_value(signed("RS256", headers={}), now=NOW).key_id == "k"


def test_the_algorithms_are_those_of_which_each_has_its_names():
    assert ALGORITHMS == ("HS256", "RS256", "ES256", "EdDSA", "Ed25519")
    assert [Algorithm(name).names for name in ALGORITHMS] == [
        ("HS256",),
        ("RS256",),
        ("ES256",),
        ("EdDSA", "Ed25519"),
        ("EdDSA", "Ed25519"),
    ]
    assert [Algorithm(name).kind for name in ALGORITHMS] == [
        None,
        "rsa-v1_5-sha256",
        "ecdsa-p256-sha256",
        "ed25519",
        "ed25519",
    ]
    with pytest.raises(
        ConfigurationError, match=r"^algorithm 'x' must be one of HS256, RS256, ES256"
    ):
        Algorithm("x")


def test_the_field_is_that_of_the_settings():
    which = scheme(header="X-Other")
    value = signed("HS256")
    assert which.verify(PlainRequest(fields=[("x-other", value)]), now=NOW)
    with pytest.raises(VerificationError, match="X-Other"):
        which.verify(PlainRequest(fields=[("X-Token", value)]), now=NOW)
