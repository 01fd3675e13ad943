"""What a probe sends to a gate for tokens: all is refused but what the issuer signs."""

from __future__ import annotations

import pytest
from support.requests import PlainRequest
from support.token_keys import ISSUER, NOW, SECRET, jwks, pair, private_pem, public_pem

from edgeauth import VerificationError
from edgeauth.ops.probe.rows import rows
from edgeauth.ops.schemes.probe_rows import Plan
from edgeauth.private_keys import PrivateKey
from edgeauth.public_keys import PublicKey
from edgeauth.schemes.signed_token import SignedTokenScheme

PLAIN = {"header": "X-Token", "issuer": ISSUER}


def answered(scheme, row):
    """Whether a gate with *scheme* lets the row in."""
    head = row.request(NOW).partition(b"\r\n\r\n")[0]
    pairs = [line.partition(b": ")[::2] for line in head.split(b"\r\n")[1:]]
    fields = [(name.decode("latin-1"), value) for name, value in pairs]
    try:
        scheme.verify(PlainRequest(fields=fields), now=NOW)
    except VerificationError:
        return False
    return True


CASES = {
    "secret": (
        lambda: SignedTokenScheme([SECRET], algorithm="HS256", audience="us", **PLAIN),
        None,
    ),
    "netlify": (
        lambda: SignedTokenScheme.netlify([SECRET], site_url="https://a.example"),
        None,
    ),
    "key set": (
        lambda: SignedTokenScheme(jwks=jwks("RS256"), algorithm="RS256", **PLAIN),
        PrivateKey("one", private_pem(pair("RS256")), "rsa-v1_5-sha256"),
    ),
    "public key": (
        lambda: SignedTokenScheme(
            [PublicKey("edge", public_pem(pair("EdDSA")))], algorithm="EdDSA", **PLAIN
        ),
        PrivateKey("edge", private_pem(pair("EdDSA"))),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_row_is_decided_as_it_expects(case):
    build, private = CASES[case]
    scheme = build()
    plan = Plan("origin.example", "/", websocket="/ws", private_key=private)
    tried = rows(plan, [scheme])
    ids = {row.id for row in tried}
    assert {"alg-none", "forged", "stale", "no-exp", "other-issuer", "signed-websocket"} <= ids
    assert all(row.request is not None for row in tried if row.id in {"signed", "stale"})
    wrong = {
        row.id
        for row in tried
        if row.request is not None and answered(scheme, row) is not (row.expected != "refused")
    }
    assert wrong == set()
    assert ("public-key-0" in ids) is (private is not None)
    assert {f"other-{name}" for name in scheme.claims} <= ids
    assert ("long-lived" in ids) is (case == "netlify")


def test_of_public_keys_alone_what_needs_the_private_key_is_not_tried():
    scheme = CASES["key set"][0]()
    tried = {row.id: row for row in rows(Plan("origin.example", "/"), [scheme])}
    for id_ in ("signed", "stale", "no-exp"):
        assert tried[id_].request is None
        assert "--key-file" in tried[id_].means
    assert tried["alg-none"].request is not None


@pytest.mark.parametrize(
    ("rule", "ids"),
    [
        ({"max_skew": 1e9}, {"stale", "future"}),
        ({"audience": ["us", "somebody-else"]}, {"other-audience"}),
    ],
)
def test_a_gate_that_takes_more_than_it_should_is_found(rule, ids):
    right = SignedTokenScheme([SECRET], algorithm="HS256", audience="us", **PLAIN)
    careless = SignedTokenScheme([SECRET], algorithm="HS256", **{"audience": "us", **PLAIN, **rule})
    found = {
        row.id
        for row in rows(Plan("origin.example", "/"), [right])
        if row.request is not None and row.expected == "refused" and answered(careless, row)
    }
    assert found == ids
