"""Tokens of any claims: PyJWT reads what we sign, we read what it signs, and nothing that is
changed is accepted.
"""

from __future__ import annotations

import json
import math

import jwt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.requests import PlainRequest
from support.token_keys import ISSUER, NOW, SECRET, jwks, pair, private_pem, signed

from edgeauth import Guard, Key, VerificationError
from edgeauth.private_keys import PrivateKey
from edgeauth.schemes.signed_token import SignedTokenScheme
from edgeauth.schemes.signed_token.sign import part, token

BY_SECRET = SignedTokenScheme([SECRET], header="X-Token", algorithm="HS256", issuer=ISSUER)
BY_SET = SignedTokenScheme(jwks=jwks("EdDSA"), header="X-Token", algorithm="EdDSA", issuer=ISSUER)
SCHEMES = [BY_SECRET, BY_SET]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
names = st.text(max_size=8) | st.sampled_from(["iss", "aud", "exp", "iat", "nbf", "sub", "typ"])


def outcome(scheme, value, now=NOW):
    try:
        return scheme.verify_value(value, now=now)
    except VerificationError as error:
        return error.reason


@given(said=st.dictionaries(names, json_values), head=st.dictionaries(names, json_values))
def test_signed_claims_of_any_kind_raise_nothing_but_a_refusal(said, head):
    text = token(Key("k", SECRET), {"alg": "HS256", **head}, {"iss": ISSUER, "exp": NOW, **said})
    found = outcome(BY_SECRET, text.encode("utf-8", "replace"))
    if not isinstance(found, str):
        assert said.get("iss", ISSUER) == ISSUER
        assert "aud" not in said or said["aud"] is None
        exp = said.get("exp", NOW)
        assert not isinstance(exp, bool)
        assert exp + 5 > NOW
        assert all(said.get(name, 0) <= NOW + 5 for name in ("iat", "nbf"))


@given(
    algorithm=st.sampled_from(["HS256", "EdDSA"]),
    sub=st.text(max_size=50),
    issued=st.integers(-400, 400),
    length=st.integers(-10, 400),
)
def test_what_pyjwt_signs_is_accepted_in_its_time_alone(algorithm, sub, issued, length):
    scheme = BY_SECRET if algorithm == "HS256" else BY_SET
    said = {"iss": ISSUER, "sub": sub, "iat": NOW + issued, "exp": NOW + issued + length}
    found = outcome(scheme, signed(algorithm, said))
    assert isinstance(found, str) is not (issued - 5 <= 0 < issued + length + 5)
    if not isinstance(found, str):
        assert found.timestamp == NOW + issued
        assert found.claims == ({"sub": sub} if sub.isprintable() else {})


@given(now=st.integers(0, 10**11) | st.floats(0, 1e11))
def test_what_we_sign_pyjwt_reads_and_we_accept_at_that_moment(now):
    private = PrivateKey("one", private_pem(pair("EdDSA")))
    for scheme, how, key, algorithm in (
        (BY_SECRET, {}, SECRET, "HS256"),
        (BY_SET, {"key": private}, pair("EdDSA").public_key(), "EdDSA"),
    ):
        made = scheme.credential(now=now, **how)["X-Token"]
        assert scheme.verify_value(made.encode(), now=now).timestamp == int(now)
        options = {f"verify_{name}": False for name in ("exp", "iat", "nbf")}
        said = jwt.decode(made, key, algorithms=[algorithm], options=options)
        assert said == {"iss": ISSUER, "iat": int(now), "exp": int(now) + 300}


@pytest.mark.parametrize("algorithm", ["HS256", "EdDSA"])
@given(data=st.data())
def test_no_byte_of_a_token_can_be_changed(algorithm, data):
    scheme = BY_SECRET if algorithm == "HS256" else BY_SET
    good = signed(algorithm)
    place = data.draw(st.integers(0, len(good) - 1))
    how = data.draw(st.sampled_from(["change", "drop", "insert", "cut"]))
    byte = bytes([data.draw(st.integers(0, 255))])
    altered = {
        "change": good[:place] + byte + good[place + 1 :],
        "drop": good[:place] + good[place + 1 :],
        "insert": good[:place] + byte + good[place:],
        "cut": good[:place],
    }[how]
    assume(altered != good)
    assert outcome(scheme, altered) in {"malformed", "bad-signature"}


@given(value=st.binary(max_size=200) | st.from_regex(rb"\A[A-Za-z0-9_.-]*\Z"))
def test_bytes_of_any_kind_raise_nothing_but_a_refusal(value):
    for scheme in SCHEMES:
        assert outcome(scheme, value) in {"malformed", "bad-signature"}
        request = PlainRequest(fields=[("X-Token", value)])
        assert not Guard(scheme).check(request, now=NOW).allowed


@given(now=st.floats())
def test_at_any_time_it_is_good_or_refused(now):
    good = not math.isnan(now) and NOW - 5 <= now < NOW + 305
    assert isinstance(outcome(BY_SECRET, signed("HS256"), now), str) is not good


def test_the_payload_is_json_as_it_is_written():
    # Of a name that is there twice the last counts, as at every peer.
    text = json.dumps({"iss": "x", "exp": NOW + 60})[:-1] + f', "iss": "{ISSUER}"}}'
    message = token(Key("k", SECRET), {"alg": "HS256"}, {}).encode().split(b".")[0]

    signed_ = message + b"." + part(text.encode())
    value = signed_ + b"." + part(Key("k", SECRET).mac(signed_))
    assert outcome(BY_SECRET, value).key_id == "key-1"
