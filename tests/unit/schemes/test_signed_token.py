"""Signed tokens: one algorithm of the settings, and claims that are judged by the clock given."""

from __future__ import annotations

import hmac
import json
import math
import re
import subprocess
import sys

import jwt
import pytest
from support.requests import PlainRequest
from support.signed_token import rows
from support.token_keys import (
    ISSUER,
    NOW,
    SECRET,
    claims,
    jwk,
    jwks,
    pair,
    private_pem,
    public_pem,
    signed,
)

from edgeauth import ConfigurationError, Key, VerificationError
from edgeauth.private_keys import PrivateKey
from edgeauth.public_keys import PublicKey
from edgeauth.schemes.signed_token import SignedTokenScheme, verify
from edgeauth.schemes.signed_token.sign import part, token
from edgeauth.schemes.signed_token.token import claims_of, decoded, header_of, parts_of

ROWS = rows()
PUBLIC = ("RS256", "ES256", "EdDSA", "Ed25519")


def scheme(algorithm="HS256", keys=(SECRET,), **more):
    return SignedTokenScheme(
        keys, **{"header": "X-Token", "algorithm": algorithm, "issuer": ISSUER, **more}
    )


def of_set(algorithm="RS256", *names, **more):
    return scheme(algorithm, None, jwks=jwks(algorithm, *names), **more)


def refused(which, value, now=NOW):
    with pytest.raises(VerificationError) as caught:
        which.verify_value(value, now=now)
    return caught.value


# --- the published rows


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_is_decided_as_it_says(row):
    assert row.accepted() is row.accept


def test_the_rows_accept_and_refuse():
    assert {row.accept for row in ROWS} == {True, False}


# --- the signature


@pytest.mark.parametrize("algorithm", ["HS256", *PUBLIC])
def test_a_token_of_pyjwt_is_accepted_and_says_who_issued_it_and_when(algorithm):
    which = scheme() if algorithm == "HS256" else of_set(algorithm)
    identity = which.verify(
        PlainRequest(fields=[("x-token", signed(algorithm, claims(sub="somebody")))]), now=NOW
    )
    assert identity.timestamp == NOW
    assert (identity.scheme, identity.covers) == ("signed-token", {"time"})
    assert (identity.once, identity.body, identity.pop) == (None, None, None)
    assert identity.claims == {"sub": "somebody"}
    assert identity.key_id == ("key-1" if algorithm == "HS256" else "one")


@pytest.mark.parametrize("algorithm", PUBLIC)
def test_a_public_key_of_the_settings_verifies_with_and_without_its_name(algorithm):
    key = PublicKey("edge", public_pem(pair(algorithm)))
    which = scheme(algorithm, [key])
    for headers in ({}, {"kid": "edge"}):
        assert which.verify_value(signed(algorithm, headers=headers), now=NOW).key_id == "edge"
    assert refused(which, signed(algorithm, headers={"kid": "other"})).reason == "bad-signature"


def test_a_token_that_is_called_ed25519_is_one_of_eddsa():
    which = of_set("Ed25519")
    text = token(
        PrivateKey("one", private_pem(pair("Ed25519"))),
        {"alg": "Ed25519", "kid": "one"},
        claims(),
    )
    assert which.verify_value(text.encode(), now=NOW).key_id == "one"


@pytest.mark.parametrize("algorithm", PUBLIC)
def test_a_public_key_is_never_a_secret(algorithm):
    text = public_pem(pair(algorithm))
    head = part(json.dumps({"alg": "HS256", "kid": "one"}).encode())
    message = head + b"." + part(json.dumps(claims()).encode())
    forged = message + b"." + part(hmac.digest(text.encode(), message, "sha256"))
    error = refused(of_set(algorithm), forged)
    assert (error.reason, error.message) == (
        "bad-signature",
        f"the token is not signed with {algorithm}",
    )
    for give in (
        lambda: scheme("HS256", [text]),
        lambda: scheme("HS256", [PublicKey("p", text)]),
        lambda: scheme("HS256", [json.dumps(jwk(algorithm))]),
        lambda: scheme("HS256", None, jwks=jwks(algorithm)),
        lambda: scheme(algorithm, [SECRET]),
    ):
        with pytest.raises(ConfigurationError):
            give()


@pytest.mark.parametrize("named", ["none", "None", "HS512", "RS256", "", None, 1, ["HS256"], {}])
def test_a_token_never_chooses_its_algorithm(named):
    message = part(json.dumps({"alg": named}).encode()) + b"." + part(json.dumps(claims()).encode())
    forged = message + b"." + part(hmac.digest(SECRET.encode(), message, "sha256"))
    assert refused(scheme(), forged).reason == "bad-signature"


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "HS256", "crit": ["exp"], "exp": 1},
        {"alg": "HS256", "crit": []},
        {"alg": "HS256", "b64": False},
        {"alg": "HS256", "b64": True},
    ],
)
def test_a_token_that_needs_an_extension_is_refused(header):
    text = token(Key("k", SECRET), header, claims())
    assert refused(scheme(), text.encode()).reason == "malformed"


@pytest.mark.parametrize(
    ("algorithm", "header", "message", "hint"),
    [
        ("HS256", {"alg": "none"}, "not signed with HS256", "algorithm here must be the one"),
        ("HS256", {"alg": "HS256", "b64": True}, "needs extensions (crit, b64)", None),
        ("HS256", {"alg": "HS256"}, "no key that is valid now made", "is the key here that of"),
        ("EdDSA", {"alg": "EdDSA"}, "names no key, and there is a set", None),
        ("EdDSA", {"alg": "EdDSA", "kid": "x"}, "a key that is not here", "edgeauth jwks update"),
    ],
)
def test_the_operator_is_told_what_is_wrong_with_a_token(algorithm, header, message, hint):
    value = token(Key("k", "another-Zk3-of-nobody-9fQ2xv7LmT"), header, claims()).encode()
    error = refused(scheme() if algorithm == "HS256" else of_set(algorithm), value)
    assert message in error.message
    assert error.hint is None if hint is None else hint in error.hint


def test_a_header_in_which_a_name_is_there_twice_is_refused():
    message = part(b'{"alg":"none","alg":"HS256"}') + b"." + part(json.dumps(claims()).encode())
    forged = message + b"." + part(hmac.digest(SECRET.encode(), message, "sha256"))
    assert refused(scheme(), forged).reason == "malformed"


@pytest.mark.parametrize("kid", ["two", "", None, 1, ["one"], {"one": 1}, "one\0"])
def test_a_token_that_names_no_key_of_the_set_is_refused(kid):
    header = {"alg": "EdDSA", **({} if kid is None else {"kid": kid})}
    text = token(PrivateKey("one", private_pem(pair("EdDSA"))), header, claims())
    assert refused(of_set("EdDSA"), text.encode()).reason == "bad-signature"


def test_of_a_set_the_key_that_is_named_decides():
    which = of_set("ES256", "one", "two")
    for name in ("one", "two"):
        assert which.verify_value(signed("ES256", name=name), now=NOW).key_id == name
    for name, kid in (("one", "two"), ("two", "one")):
        swapped = signed("ES256", name=name, headers={"kid": kid})
        assert refused(which, swapped).reason == "bad-signature"


def test_any_secret_of_the_ring_may_have_signed_while_it_is_valid():
    old = Key("old", "another-Zk3-of-nobody-9fQ2xv7LmT", not_after=NOW + 10)
    which = scheme(keys=[old, Key("new", SECRET)])
    by_old = jwt.encode(claims(), old.secret, "HS256").encode()
    assert which.verify_value(signed("HS256"), now=NOW).key_id == "new"
    assert which.verify_value(by_old, now=NOW).key_id == "old"
    assert refused(which, by_old, NOW + 11).reason == "bad-signature"
    assert refused(which, signed("HS256", headers={"kid": "older"})).reason == "bad-signature"


@pytest.mark.parametrize("algorithm", ["HS256", *PUBLIC])
@pytest.mark.parametrize("how", ["cut", "longer", "empty", "other", "first"])
def test_only_the_whole_signature_counts(algorithm, how):
    which = scheme() if algorithm == "HS256" else of_set(algorithm)
    head, payload, signature = signed(algorithm).split(b".")
    altered = {
        "cut": signature[:-4],
        "longer": signature + b"AAAA",
        "empty": b"",
        "other": (b"B" if signature[:1] == b"A" else b"A") + signature[1:],
        "first": signature[:4],
    }[how]
    reasons = {"bad-signature", "malformed"} if how == "cut" else {"bad-signature"}
    assert refused(which, b".".join((head, payload, altered))).reason in reasons


def test_the_spare_bits_of_a_signature_are_none():
    value = signed("HS256")
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = value[:-1] + alphabet[alphabet.index(value[-1:]) + 1 :][:1]
    assert refused(scheme(), other).reason == "malformed"


def test_a_second_field_is_refused_whatever_it_holds():
    fields = [("X-Token", signed("HS256"))] * 2
    with pytest.raises(VerificationError) as caught:
        scheme().verify(PlainRequest(fields=fields), now=NOW)
    assert caught.value.reason == "malformed"
    with pytest.raises(VerificationError) as caught:
        scheme().verify(PlainRequest(), now=NOW)
    assert caught.value.reason == "missing"
    assert "X-Token" in caught.value.message


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b".",
        b"..",
        b"a.b",
        b"a.b.c.d",
        b"a b.c.d",
        b"e30=.e30.AAAA",
        b"e30.e30.A",
        b"A.e30.AAAA",
        b"e30.A.AAAA",
        b"\xff.\xff.\xff",
        "\uff41.\uff42.\uff43".encode(),
        b"W10.e30.AAAA",
        b"a" * 20_000,
        b"e30." + b"a" * 17_000 + b".AAAA",
        b"A" * 3000 + b".e30.AAAA",
        part(b"[" * 1500) + b".e30.AAAA",
        part(b'{"a":' * 200) + b".e30.AAAA",
        part(b'{"a":' + b"1" * 1400 + b"}") + b".e30.AAAA",
        part(b'{"alg":NaN}') + b".e30.AAAA",
        part(b"\xff\xfe") + b".e30.AAAA",
        b"e30.e30.AAAA\n",
    ],
)
def test_what_is_no_token_is_refused_and_raises_nothing_else(value):
    for which in (scheme(), of_set("EdDSA")):
        assert refused(which, value).reason in {"malformed", "bad-signature"}


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"1",
        b'"text"',
        b"{",
        b"\xff",
        b'{"exp":NaN}',
        b'{"exp":Infinity}',
        b'{"exp":1e999}',
        b"[" * 9000,
        b'{"exp":' + b"9" * 5000 + b"}",
    ],
)
def test_a_payload_that_is_no_object_is_refused_though_it_is_signed(payload):
    message = part(b'{"alg":"HS256"}') + b"." + (part(payload) or b"A")
    value = message + b"." + part(hmac.digest(SECRET.encode(), message, "sha256"))
    assert refused(scheme(), value).reason == "malformed"


# --- times


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize(
    "value",
    [True, False, "1760000300", None, [NOW], {}, -1, 10**12, 10**400, 1e300, -0.5, "²"],
)
def test_a_time_that_is_no_number_of_seconds_is_refused(name, value):
    said = {**claims(), name: value}
    error = refused(scheme(), token(Key("k", SECRET), {"alg": "HS256"}, said).encode())
    assert error.reason == "malformed"
    assert name in error.message


@pytest.mark.parametrize("algorithm", ["HS256"])
def test_a_time_may_have_a_fraction(algorithm):
    value = signed(algorithm, claims(iat=NOW + 0.5, exp=NOW + 1.5e2))
    assert scheme().verify_value(value, now=NOW + 1).timestamp == NOW


def test_it_is_good_until_exp_and_the_skew_and_not_at_that_moment():
    value = signed("HS256", claims(exp=NOW + 10))
    for skew in (0, 5):
        which = scheme(max_skew=skew)
        assert which.verify_value(value, now=NOW + 10 + skew - 0.01)
        error = refused(which, value, NOW + 10 + skew)
        assert error.reason == "expired"
        assert (error.age, error.limit) == (skew, skew)
        assert error.message == f"{skew} s past its own expires, and max_skew admits {skew} s"
        assert error.identity is not None
        assert error.identity.key_id == "key-1"


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_it_is_good_from_iat_and_nbf_less_the_skew(name):
    value = signed("HS256", claims(**{name: NOW + 60}))
    assert scheme().verify_value(value, now=NOW + 55)
    error = refused(scheme(), value, NOW + 54)
    assert error.reason == "future"
    assert error.message == "signed 6 s in the future, past max_skew 5 s"


@pytest.mark.parametrize("now", [math.nan, math.inf, -math.inf])
def test_a_clock_that_is_not_a_number_is_in_no_window(now):
    refused(scheme(), signed("HS256"), now)


def test_a_token_without_exp_is_never_accepted():
    error = refused(scheme(), signed("HS256", claims(exp=None)))
    assert error.reason == "claims"


def test_a_token_that_lives_too_long_is_refused():
    which = scheme(max_lifetime=600)
    assert which.verify_value(signed("HS256", claims(exp=NOW + 600)), now=NOW)
    error = refused(which, signed("HS256", claims(exp=NOW + 601)))
    assert (error.reason, error.message) == (
        "claims",
        "the token lives longer than max_lifetime, 600 s",
    )


def test_without_iat_the_life_of_a_token_begins_now():
    which = scheme(max_lifetime=600)
    value = signed("HS256", claims(iat=None, exp=NOW + 605))
    identity = which.verify_value(value, now=NOW)
    assert identity.timestamp is None
    assert refused(which, value, NOW - 1).reason == "claims"


# --- whose it is


@pytest.mark.parametrize("issuer", [None, "", ISSUER + "/", ISSUER.upper(), 1, [ISSUER], {}])
def test_another_issuer_is_refused(issuer):
    text = token(Key("k", SECRET), {"alg": "HS256"}, claims(iss=issuer))
    assert refused(scheme(), text.encode()).reason == "claims"


@pytest.mark.parametrize(
    ("ours", "theirs", "accepted"),
    [
        ("us", "us", True),
        ("us", ["them", "us"], True),
        (["us", "we"], "we", True),
        (["us", "we"], ["we"], True),
        ("us", "them", False),
        ("us", [], False),
        ("us", None, False),
        ("us", ["us "], False),
        ("us", [["us"], {"us": 1}, 1, None], False),
        ("us", {"us": 1}, False),
        ("us", 1, False),
        (None, "us", False),
        (None, None, True),
    ],
)
def test_one_audience_of_the_token_must_be_here_and_one_that_nobody_expects_is_refused(
    ours, theirs, accepted
):
    which = scheme(audience=ours)
    value = token(Key("k", SECRET), {"alg": "HS256"}, claims(aud=theirs)).encode()
    if accepted:
        assert which.verify_value(value, now=NOW)
    else:
        assert refused(which, value).reason == "claims"


@pytest.mark.parametrize(
    ("allowed", "value", "accepted"),
    [
        ("a", "a", True),
        (["a", "b"], "b", True),
        (1, 1, True),
        (True, True, True),
        (1, True, False),
        (True, 1, False),
        (1, 1.0, False),
        ("1", 1, False),
        ("a", "A", False),
        ("a", ["a"], False),
        ("a", {"a": 1}, False),
        ("a", None, False),
    ],
)
def test_a_claim_is_compared_with_its_type(allowed, value, accepted):
    which = scheme(claims={"kind": allowed})
    token_ = token(Key("k", SECRET), {"alg": "HS256"}, claims(kind=value)).encode()
    if accepted:
        assert which.verify_value(token_, now=NOW)
    else:
        assert refused(which, token_).reason == "claims"


def test_the_signature_comes_first_so_a_forged_token_learns_nothing():
    which = scheme(audience="us", max_lifetime=1)
    other = jwt.encode({"exp": True}, "another-Zk3-of-nobody-9fQ2xv7LmT", "HS256").encode()
    assert refused(which, other).reason == "bad-signature"


# --- what the application is told


def test_claims_are_bounded():
    said = claims(
        email="somebody@example.com",
        long="x" * 513,
        odd="a\nb",
        half="\ud800",
        deep={"a": 1},
        many=["a"],
        huge=2**53 + 1,
        count=2**53,
        admin=True,
        part=0.5,
    )
    text = token(Key("k", SECRET), {"alg": "HS256"}, said).encode()
    which = scheme(identity_claims=[*said, "email", "none"])
    found = which.verify_value(text, now=NOW).claims
    assert found == {
        "iss": ISSUER,
        "iat": NOW,
        "exp": NOW + 300,
        "email": "somebody@example.com",
        "count": 2**53,
        "admin": True,
    }
    assert scheme(identity_claims=()).verify_value(text, now=NOW).claims == {}


# --- presets


def test_netlify_is_of_production_alone_unless_somebody_says_otherwise():
    row = next(row for row in ROWS if row.name == "nf-production")
    preview = next(row for row in ROWS if row.name == "nf-any-context")
    secrets = row.settings["secrets"]
    which = SignedTokenScheme.netlify(secrets, site_url="https://my-site.netlify.app")
    assert which.headers == ("X-Nf-Sign",)
    identity = which.verify(row.plain(), now=row.now)
    assert identity.claims == {
        "site_url": "https://my-site.netlify.app",
        "netlify_id": "1234-1234-1234",
        "deploy_context": "production",
    }
    with pytest.raises(VerificationError):
        which.verify(preview.plain(), now=preview.now)
    any_context = SignedTokenScheme.netlify(
        secrets, netlify_id=["1234-1234-1234"], deploy_context=None, max_skew=1
    )
    assert any_context.verify(preview.plain(), now=preview.now)
    assert any_context.rules.max_skew == 1
    more = SignedTokenScheme.netlify(secrets, claims={"deploy_context": ["deploy-preview"]})
    assert more.verify(preview.plain(), now=preview.now)
    with pytest.raises(ConfigurationError, match=r"^netlify_id is 7"):
        SignedTokenScheme.netlify(secrets, netlify_id=7)


def test_cloudflare_access_says_who_the_user_is():
    row = next(row for row in ROWS if row.name == "cf-identity")
    given = {"audience": row.settings["aud"], "jwks": row.settings["jwks"]}
    for which in (
        SignedTokenScheme.cloudflare_access("team", **given),
        SignedTokenScheme.cloudflare_access(issuer="https://team.cloudflareaccess.com", **given),
    ):
        assert which.verify(row.plain(), now=row.now).claims == {
            "sub": "7335d417-61da-459d-899c-0a01c76a2f94",
            "email": "user@example.com",
            "country": "US",
        }
    service = next(row for row in ROWS if row.name == "cf-service-token")
    assert which.verify(service.plain(), now=service.now).claims == {
        "sub": "",
        "common_name": "e367826f93b8d71185e03fe518aff3b4.access",
    }
    org = next(row for row in ROWS if row.name == "cf-org-token")
    with pytest.raises(VerificationError):
        which.verify(org.plain(), now=org.now)
    for missing in ({"team": "team", "jwks": given["jwks"]}, given):
        with pytest.raises(ConfigurationError):
            SignedTokenScheme.cloudflare_access(**missing)


def test_google_iap_is_es256_for_ten_minutes_and_a_skew():
    audience = "/projects/1/global/backendServices/2"
    which = SignedTokenScheme.google_iap(audience=audience, jwks=jwks("ES256"))
    said = {
        "iss": "https://cloud.google.com/iap",
        "aud": audience,
        "iat": NOW,
        "exp": NOW + 600,
        "sub": "accounts.google.com:1",
        "email": "somebody@example.com",
    }
    identity = which.verify_value(signed("ES256", said), now=NOW + 629)
    assert identity.claims == {"sub": "accounts.google.com:1", "email": "somebody@example.com"}
    assert refused(which, signed("ES256", said), NOW + 630).reason == "expired"
    assert refused(which, signed("ES256", {**said, "exp": NOW + 3600})).reason == "claims"
    with pytest.raises(ConfigurationError, match="audience is missing"):
        SignedTokenScheme.google_iap(jwks=jwks("ES256"))


# --- arguments


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"algorithm": "none"}, "algorithm 'none' must be one of"),
        ({"algorithm": ["HS256"]}, "must be one of"),
        ({"issuer": ""}, "issuer is"),
        ({"issuer": None}, "issuer is"),
        ({"issuer": ["a"]}, "issuer is"),
        ({"audience": []}, "audience is"),
        ({"audience": [""]}, "audience is"),
        ({"audience": b"us"}, "audience is"),
        ({"audience": 1}, "audience is"),
        ({"claims": ["a"]}, "claims is"),
        ({"claims": {"a": []}}, "claims.a is"),
        ({"claims": {"a": None}}, "claims.a is"),
        ({"claims": {"a": {"b": 1}}}, "claims.a is"),
        ({"claims": {1: "a"}}, "claims.1 is"),
        ({"claims": {"a": [["b"]]}}, "claims.a is"),
        ({"max_skew": -1}, "max_skew must be"),
        ({"max_skew": math.nan}, "max_skew must be"),
        ({"max_lifetime": True}, "max_lifetime must be"),
        ({"header": "X_Token"}, "is not a header field name"),
        ({"keys": None}, "no key"),
        ({"keys": []}, "no key"),
        ({"jwks": {"keys": []}}, "both keys and jwks"),
        ({"keys": None, "jwks": {"keys": []}}, "jwks is a set of public keys"),
        ({"identity_claims": [1]}, "identity_claims is"),
        ({"keys": ["-----BEGIN CERTIFICATE-----" + "A" * 20]}, ""),
    ],
)
def test_what_cannot_be_used_is_an_error_when_it_is_built(more, words):
    with pytest.raises(ConfigurationError) as caught:
        scheme(**more)
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_public_key_of_another_kind_is_refused():
    with pytest.raises(ConfigurationError, match="is for ed25519, and not for ES256"):
        scheme("ES256", [PublicKey("k", public_pem(pair("EdDSA")))])


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "is no key set"),
        ([jwk("ES256")], "is no key set"),
        ({"keys": {}}, "is no key set"),
        ({"keys": [1]}, "one of its keys is no JSON object"),
        ({"keys": []}, "has no key for ES256"),
        ({"keys": [{}] * 65}, "has 65 keys"),
        ({"keys": [jwk("ES256", use="enc")]}, "has no key for ES256"),
        ({"keys": [jwk("ES256", alg="ES384")]}, "has no key for ES256"),
        ({"keys": [jwk("ES256", key_ops=["sign"])]}, "has no key for ES256"),
        ({"keys": [jwk("ES256", key_ops="verify")]}, "has no key for ES256"),
        ({"keys": [jwk("EdDSA"), jwk("RS256")]}, "has no key for ES256"),
        ({"keys": [jwk("ES256", kid=None)]}, "without a usable kid"),
        ({"keys": [jwk("ES256", kid="")]}, "without a usable kid"),
        ({"keys": [jwk("ES256", kid="k" * 257)]}, "without a usable kid"),
        ({"keys": [jwk("ES256"), jwk("ES256", "two", kid="one")]}, "two keys with the kid 'one'"),
        ({"keys": [jwk("ES256", d="AAAA")]}, "has a private key or a secret"),
        ({"keys": [{"kty": "oct", "k": "AAAA", "kid": "s"}]}, "has a private key or a secret"),
        ({"keys": [jwk("ES256", x="AAAA")]}, "is no public key as a JWK"),
        ({"keys": [jwk("ES256", crv="P-384")]}, "is no public key as a JWK"),
    ],
)
def test_a_key_set_that_cannot_be_used_is_an_error(document, words):
    with pytest.raises(ConfigurationError) as caught:
        scheme("ES256", None, jwks=document)
    assert words in str(caught.value)


def test_an_rsa_key_that_is_too_short_is_refused():
    short = {**jwk("RS256"), "n": part((2**1023 + 1).to_bytes(128, "big")).decode()}
    with pytest.raises(ConfigurationError, match="at least 2048"):
        scheme("RS256", None, jwks={"keys": [short]})


def test_keys_of_other_kinds_may_stand_in_a_set():
    document = {"keys": [jwk("EdDSA", "a"), jwk("RS256", "b"), jwk("ES256", key_ops=["verify"])]}
    which = scheme("ES256", None, jwks=document)
    assert which.kids == ("one",)
    assert which.verify_value(signed("ES256"), now=NOW)


def test_a_kid_that_is_not_plain_is_named_by_a_digest_in_logs():
    kid = "a b/c+d=\n"
    which = scheme("EdDSA", None, jwks={"keys": [jwk("EdDSA", kid=kid)]})
    value = signed("EdDSA", headers={"kid": kid})
    assert which.verify_value(value, now=NOW).key_id.startswith("kid-")
    made = which.credential(
        now=NOW, key=PrivateKey(which.keys.__iter__().__next__().id, private_pem(pair("EdDSA")))
    )
    assert which.verify_value(made["X-Token"].encode(), now=NOW)


def test_a_key_set_may_be_a_file(tmp_path):
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(jwks("EdDSA")))
    assert scheme("EdDSA", None, jwks=str(file)).verify_value(signed("EdDSA"), now=NOW)
    for text in ("", "[]", "{", "[" * 100_000):
        file.write_text(text)
        with pytest.raises(ConfigurationError, match=r"^jwks '.*jwks\.json' is no JSON object"):
            scheme("EdDSA", None, jwks=str(file))


def test_without_pyjwt_the_error_names_the_extra():
    code = (
        "import sys; sys.modules['jwt'] = None\n"
        "from edgeauth.schemes.signed_token import SignedTokenScheme\n"
        f"SignedTokenScheme([{SECRET!r}], header='X', algorithm='HS256', issuer='i')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'edgeauth[tokens]'" in ran.stderr
    assert SECRET not in ran.stderr.splitlines()[-1]


def test_a_pyjwt_without_cryptography_is_told_as_well(monkeypatch):
    def unknown(*_):
        raise NotImplementedError

    monkeypatch.setattr("jwt.PyJWS.get_algorithm_by_name", unknown)
    with pytest.raises(ConfigurationError, match=r"edgeauth\[tokens\]"):
        SignedTokenScheme([SECRET], header="X", algorithm="HS256", issuer="i")


def test_headers_are_remembered_of_accepted_tokens_alone_and_in_a_bounded_number():
    which = scheme()
    refused(which, signed("HS256")[:-4])
    assert not which._heads
    for number in range(100):
        assert which.verify_value(signed("HS256", headers={"n": number}), now=NOW)
        assert 0 < len(which._heads) <= 64
    # One that is known is no less verified.
    assert which.verify_value(signed("HS256", headers={"n": 99}), now=NOW)
    refused(which, signed("HS256", headers={"n": 99})[:-4])


def test_a_header_of_an_accepted_token_is_read_once(monkeypatch):
    read = []
    monkeypatch.setattr(verify, "header_of", lambda head: read.append(head) or header_of(head))
    which = of_set("EdDSA", "one", "two")
    for name in ("one", "two", "one", "two"):
        value = signed("EdDSA", claims(n=len(read)), name=name)
        assert which.verify_value(value, now=NOW).key_id == name
    assert len(read) == 2


# --- signing


def private(algorithm):
    return PrivateKey("one", private_pem(pair(algorithm)))


@pytest.mark.parametrize("algorithm", ["HS256", *PUBLIC])
def test_what_it_signs_is_accepted_by_itself_and_by_pyjwt(algorithm):
    more = {"audience": ["us", "we"], "claims": {"kind": ["a", "b"], "n": 1}}
    if algorithm == "HS256":
        which, how = scheme(**more), {}
        theirs = SECRET
    else:
        which = of_set(algorithm, **more)
        public = next(iter(which.keys))
        private = PrivateKey("one", private_pem(pair(algorithm)), public.algorithm)
        how, theirs = {"key": private}, pair(algorithm).public_key()
    made = which.credential(now=NOW + 0.9, **how)["X-Token"]
    identity = which.verify_value(made.encode(), now=NOW)
    assert identity.claims == {"kind": "a", "n": 1}
    name = "EdDSA" if algorithm == "Ed25519" else algorithm
    unchecked = {"verify_exp": False, "verify_iat": False, "verify_aud": False}
    assert jwt.decode(made, theirs, algorithms=[name], options=unchecked) == {
        "kind": "a",
        "n": 1,
        "iss": ISSUER,
        "iat": NOW,
        "exp": NOW + 300,
        "aud": "us",
    }


def said_in(made):
    """The header and the claims of what a scheme signed, and the token."""
    text = made["X-Token"]
    return jwt.get_unverified_header(text), claims_of(text.encode().split(b".")[1]), text


def test_of_several_secrets_the_newest_that_is_valid_at_that_moment_signs():
    later = Key("later", "another-Zk3-of-nobody-9fQ2xv7LmT", not_before=NOW + 10)
    which = scheme(keys=[Key("old", "a-third-Zk3-of-nobody-9fQ2xv7LmT"), Key("new", SECRET), later])
    assert [key.id for key in which.keys] == ["old", "new", "later"]
    for now, key in ((NOW, "new"), (NOW + 10, "later")):
        assert (
            which.verify_value(said_in(which.credential(now=now))[2].encode(), now=now).key_id
            == key
        )


def test_the_header_of_what_is_signed_says_the_algorithm_the_kind_and_the_key():
    key = PrivateKey("other", private_pem(pair("EdDSA")))
    assert said_in(scheme().credential(now=NOW))[0] == {"alg": "HS256", "typ": "JWT"}
    made = of_set("EdDSA").credential(now=NOW, key=key)
    assert said_in(made)[0] == {"alg": "EdDSA", "typ": "JWT", "kid": "other"}


def test_a_token_has_no_white_space():
    parts = said_in(scheme().credential(now=NOW, claims={"kind": ["a", "b"]}))[2].split(".")[:2]
    assert not any(byte in decoded(part.encode()) for part in parts for byte in (b" ", b"\n"))


def test_who_signed_a_token_is_told_whatever_it_says():
    which = of_set("EdDSA", "one", "two")
    for name in ("one", "two"):
        parts = parts_of(signed("EdDSA", {}, name=name, headers={"kid": "unknown"}))
        assert which.signer_of(parts).id == name
        for other in (parts._replace(signed=b"a.b"), parts._replace(signature=b"c")):
            assert which.signer_of(other) is None


def test_a_token_lives_as_long_as_is_asked():
    assert said_in(scheme().credential(now=NOW, lifetime=7))[1]["exp"] == NOW + 7


def test_a_token_lives_no_longer_than_it_may():
    which = scheme(max_lifetime=60)
    assert which.claims_at(NOW)["exp"] == NOW + 60
    assert which.verify_value(which.credential(now=NOW)["X-Token"].encode(), now=NOW)


@pytest.mark.parametrize(
    ("expected", "has", "key"),
    [
        ("RS256 (rsa-v1_5-sha256)", "for rsa-pss-sha512", lambda: private("RS256")),
        ("ES256 (ecdsa-p256-sha256)", "for ed25519", lambda: private("EdDSA")),
        ("ES256 (ecdsa-p256-sha256)", "a secret", lambda: Key("one", SECRET)),
        ("HS256 (a secret)", "for ed25519", lambda: private("EdDSA")),
    ],
)
def test_a_key_for_another_algorithm_signs_nothing(expected, has, key):
    algorithm = expected.partition(" ")[0]
    which = scheme() if algorithm == "HS256" else of_set(algorithm)
    words = f"key 'one' is {has}, and the tokens here are signed with {expected}: give"
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        which.credential(now=NOW, key=key())


def test_public_keys_alone_sign_nothing():
    with pytest.raises(ConfigurationError, match="which sign nothing"):
        of_set("EdDSA").credential(now=NOW)
