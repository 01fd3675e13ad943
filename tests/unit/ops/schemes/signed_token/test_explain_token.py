"""Each mistake with a token has a sentence that names the field and the remedy."""

from __future__ import annotations

import hmac

import pytest
from support.signed_token import rows
from support.token_keys import ISSUER, NOW, SECRET, claims, jwks, pair, private_pem, signed

from edgeauth import Key, VerificationError
from edgeauth.ops.schemes.request_lines import RequestLines
from edgeauth.ops.schemes.signed_token.explain import explain
from edgeauth.private_keys import PrivateKey
from edgeauth.schemes.signed_token import SignedTokenScheme
from edgeauth.schemes.signed_token.sign import part, token

KEY = Key("k", SECRET)
ALG = {"alg": "HS256"}


def scheme(algorithm="HS256", keys=(SECRET,), **more):
    return SignedTokenScheme(
        keys, **{"header": "X-Token", "algorithm": algorithm, "issuer": ISSUER, **more}
    )


def of_set(*names, **more):
    return scheme("EdDSA", None, jwks=jwks("EdDSA", *names), **more)


def told(which, given, now=NOW):
    """Codes and sentences about *given*, and whether it is accepted."""
    lines = RequestLines(given, [which.headers])
    diagnosis = explain(which, lines, now)
    try:
        which.verify(lines, now=now)
        accepted = True
    except VerificationError:
        accepted = False
    # It explains what the scheme decides: what is refused has a reason, what is accepted none.
    assert bool(diagnosis.findings) is not accepted
    assert all(field.ok for field in diagnosis.fields) or not accepted
    assert SECRET not in str(diagnosis)
    return {finding.code: finding.text for finding in diagnosis.findings}


def made(said=None, header=ALG, key=KEY):
    return b"X-Token: " + token(key, header, claims() if said is None else said).encode()


def test_what_is_accepted_has_no_finding():
    assert told(scheme(), made()) == {}
    private = PrivateKey("one", private_pem(pair("EdDSA")))
    good = made(claims(aud="us", nbf=NOW, kind="a"), {"alg": "EdDSA", "kid": "one"}, private)
    assert told(of_set(audience="us", claims={"kind": "a"}), good) == {}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_of_every_row_it_says_what_is_wrong_or_that_nothing_is(row):
    which = row.scheme()
    fields = [name.encode() + b": " + value for name, value in row.fields]
    told_of = told(which, b"\n".join([b"GET / HTTP/1.1", *fields]), row.now)
    assert bool(told_of) is not row.accept


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        (b"X-Token: ", "empty", "X-Token is empty"),
        (b"Host: a", "no-token", "There is no X-Token: does the edge sign this route"),
        (b"Authorization: Bearer eyJ.x.y", "elsewhere", "a token in Authorization"),
        (b"Cookie: CF_Authorization=eyJ.x.y", "elsewhere", "a token in Cookie"),
        (b"X-Token: 'a.b.c'", "quoted", "begins with a quote"),
        (b"X-Token: Bearer a.b.c", "bearer", "write the bare token"),
        (made() + b"\n" + made(), "joined", "was there twice"),
        (b"X-Token: " + b"a" * 17_000, "too-long", "17000 bytes"),
        (b"X-Token: a.b", "parts", "has 2 parts between dots"),
        (b"X-Token: a.b.c.d.e", "parts", "has 5 parts between dots"),
        (b"X-Token: e30.e3?.AAAA", "form", "Was it changed on its way?"),
        (b"X-Token: " + SECRET.encode(), "secret-sent", "the secret of key key-1 itself"),
        (made(header={"alg": "none"}), "algorithm", "alg none): anybody can write one"),
        (made(header={"alg": "RS256"}), "algorithm", "set it to what the issuer signs with"),
        (made(header={**ALG, "crit": ["x"], "x": 1}), "extension", "crit or b64"),
        (made(header={**ALG, "kid": "other"}), "unknown-key", "the keys here are: key-1"),
        (made(key=Key("k", SECRET + "x")), "wrong-signature", "Compare the secret on both sides"),
        (made(key=Key("k", (SECRET + "\n").encode())), "secret-newline", "ends in a newline"),
        (made(claims(iss=ISSUER + "/")), "issuer", "they differ by a slash"),
        (made(claims(iss="https://other.example")), "issuer", "set issuer to that of your"),
        (made(claims(iss=None)), "issuer", "iss of the token is None"),
        (made(claims(aud="us")), "audience", "audience is not set here: set it"),
        (made(claims(exp=None)), "no-exp", "has no exp"),
        (made(claims(exp=NOW - 5)), "expired", "expired 5 s ago (exp), and max_skew is 5 s"),
        (made(claims(nbf=NOW + 6)), "future", "nbf is 6 s ahead, and max_skew is 5 s"),
        (made(claims(iat=NOW + 6)), "future", "iat is 6 s ahead"),
        (made(claims(exp=str(NOW))), "time-form", "without quotes"),
        (made(claims(exp=True)), "time-form", "must be a number of seconds"),
        (made(claims(exp=(NOW + 60) * 1000)), "time-form", "not milliseconds"),
        (made(claims(iat=-1)), "time-form", "before 1970"),
    ],
)
def test_a_mistake_has_its_sentence(given, code, words):
    assert words in told(scheme(), given)[code]


def test_a_mistake_about_what_is_required_has_its_sentence():
    which = scheme(audience=["us", "we"], claims={"kind": ["a", "b"]}, max_lifetime=60)
    found = told(which, made(claims(aud="them", kind=["a"])))
    assert "aud of the token is 'them', and audience here is us, we" in found["audience"]
    assert "kind of the token is ['a'], and claims here allow a, b" in found["claim"]
    assert "good for 300 s, and max_lifetime is 60 s" in found["lifetime"]
    found = told(which, made(claims(aud="us", kind="a", iat=None)))
    assert "good for 300 s" in found["lifetime"]


def test_of_a_set_it_says_what_to_do_about_a_key_that_is_not_there():
    private = PrivateKey("two", private_pem(pair("EdDSA", "two")))
    which = of_set()
    found = told(which, made(None, {"alg": "EdDSA", "kid": "two"}, private))
    assert "edgeauth jwks update" in found["unknown-key"]
    assert "Fetch the key set of the issuer again" in found["wrong-signature"]
    found = told(which, made(None, {"alg": "EdDSA"}, PrivateKey("one", private_pem(pair("EdDSA")))))
    assert "names no key (kid)" in found["no-kid"]


def test_a_key_that_is_not_valid_now_is_told_of():
    which = scheme(keys=[Key("k", SECRET, not_after=NOW - 1)])
    assert "look at its not_before and not_after" in told(which, made())["key-dates"]


def test_an_unsigned_payload_that_is_no_json_is_told_of():
    message = part(b'{"alg":"HS256"}') + b"." + part(b"[]")
    given = message + b"." + part(hmac.digest(SECRET.encode(), message, "sha256"))
    assert "no JSON object" in told(scheme(), b"X-Token: " + given)["form"]


def test_long_and_odd_values_are_shown_short_and_escaped():
    which = scheme(claims={"kind": "a"})
    lines = RequestLines(made(claims(kind="\x1b[31m" + "x" * 500)), [which.headers])
    fields = {field.name: field.seen for field in explain(which, lines, NOW).fields}
    assert "\x1b" not in fields["kind"]
    assert len(fields["kind"]) == 60


def test_a_bare_value_will_do():
    assert told(scheme(), signed("HS256")) == {}
