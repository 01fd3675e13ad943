"""What a probe sends to a gate for signed tokens, with and without the key."""

from __future__ import annotations

import hmac
import json
import secrets as random
from typing import TYPE_CHECKING, Any

from edgeauth.keys import Key
from edgeauth.ops.schemes.credential import credential
from edgeauth.ops.schemes.probe_rows import Plan, Row, bad, good, one_field
from edgeauth.schemes.signed_token.sign import part

if TYPE_CHECKING:
    from edgeauth.ops.schemes.probe_rows import Value
    from edgeauth.schemes.signed_token import SignedTokenScheme

# Beyond the window by so much that clocks which differ a little do not matter.
_BEYOND = 30
_YEAR = 31_536_000


def attacks(scheme: SignedTokenScheme, plan: Plan) -> list[Row]:
    """Tokens that a gate of these settings must refuse."""
    return [*_without_the_key(scheme, plan), *_with_the_key(scheme, plan)]


def genuine(scheme: SignedTokenScheme, plan: Plan) -> list[Row]:
    """What the issuer sends."""
    plan = _able(scheme, plan)
    sent = one_field(scheme.header, _signed(scheme, plan))
    found = [good(plan, "signed", "the issuer", sent)]
    if plan.websocket is not None:
        found.append(good(plan, "signed-websocket", "the issuer, WebSocket", sent, websocket=True))
    return found


def _able(scheme: SignedTokenScheme, plan: Plan) -> Plan:
    """*plan*, with why nothing can be signed where the keys here are public ones."""
    if plan.no_key is None and plan.private_key is None and not scheme.keys.newest_first:
        return plan._replace(
            no_key="the keys here only verify: --key-file names the private key of the issuer"
        )
    return plan


# With what an attacker can make without the key


def _without_the_key(scheme: SignedTokenScheme, plan: Plan) -> list[Row]:
    unsigned = "a token that nobody signed is accepted: the token chooses its algorithm"
    forged = "a token that nobody signed is accepted: the signature is not checked"
    confused = "whoever has the public key can sign: it is taken for a secret"
    odd = "bytes that are no token get past the gate, or break it"
    header = scheme.header
    tried: list[tuple[str, str, str, Value]] = [
        ("alg-none", "a token of alg none", unsigned, _unsigned(scheme, "none")),
        ("alg-None", "a token of alg None", unsigned, _unsigned(scheme, "None")),
        ("no-alg", "a token without alg", unsigned, _unsigned(scheme, None)),
        ("empty-signature", "an empty signature", forged, _unsigned(scheme, scheme.algorithm)),
        ("forged", "signed with a random secret", forged, _hmac_of(scheme, random.token_bytes(32))),
        ("empty-secret", "signed with an empty secret", forged, _hmac_of(scheme, b"")),
        ("deep", "a header of 1,000 brackets", odd, lambda _now: part(b"[" * 1000) + b".e30.eA"),
        ("long", "a value of 16 kB", odd, lambda _now: b"a" * 16_000),
        *(
            (
                f"public-key-{place}",
                f"signed with the public key {key.id} as a secret",
                confused,
                _hmac_of(scheme, key.pem),
            )
            for place, key in enumerate(scheme.keys)
            if not isinstance(key, Key)
        ),
    ]
    return [
        bad(plan, id_, title, means, one_field(header, value)) for id_, title, means, value in tried
    ]


def _token(scheme: SignedTokenScheme, head: dict[str, Any], now: int) -> bytes:
    """What the issuer would sign now, under the header *head*; without the signature."""
    return part(json.dumps(head).encode()) + b"." + part(json.dumps(scheme.claims_at(now)).encode())


def _unsigned(scheme: SignedTokenScheme, algorithm: str | None) -> Value:
    head = {"typ": "JWT"} if algorithm is None else {"alg": algorithm, "typ": "JWT"}
    return lambda now: _token(scheme, head, now) + b"."


def _hmac_of(scheme: SignedTokenScheme, secret: bytes) -> Value:
    """Signed by HMAC, under the name of a key that is here where it is a public one."""
    public = not scheme.keys.newest_first
    head = {"alg": "HS256", "typ": "JWT", **({"kid": scheme.kids[-1]} if public else {})}

    def value(now: int) -> bytes:
        signed = _token(scheme, head, now)
        return signed + b"." + part(hmac.digest(secret, signed, "sha256"))

    return value


# Truly signed, and not for this origin or not for now


def _with_the_key(scheme: SignedTokenScheme, plan: Plan) -> list[Row]:
    window = "an old or early token is accepted: look at max_skew and the clocks"
    changed = "what is signed can be changed: the signature does not cover it"
    twice = "one of two values counts, so a client may add its own beside the edge's"
    other = "a token that is for somebody else is accepted"
    for_ever = "a token that is stolen once is good for ever"
    plan = _able(scheme, plan)
    real, skew = _signed(scheme, plan), int(scheme.rules.max_skew) + _BEYOND

    def shifted(seconds: int) -> Value:
        return lambda now: real(now + seconds)

    def with_claims(**claims: Any) -> Value:  # noqa: ANN401 - of JSON
        return _signed(scheme, plan, claims=claims)

    def altered(now: int) -> bytes:
        head, payload, signature = real(now).split(b".")
        flipped = b"B" if signature[:1] == b"A" else b"A"
        return b".".join((head, payload, flipped + signature[1:]))

    def repacked(now: int) -> bytes:
        head, _, signature = real(now).split(b".")
        claims = {**scheme.claims_at(now), "exp": now + _YEAR}
        return b".".join((head, part(json.dumps(claims).encode()), signature))

    length = scheme.claims_at(0)["exp"]
    tried: list[tuple[str, str, str, tuple[Value, ...]]] = [
        ("stale", f"expired {skew} s ago", window, (shifted(-length - skew),)),
        ("future", f"issued {skew} s ahead", window, (shifted(skew),)),
        ("altered", "the signature changed", changed, (altered,)),
        ("repacked", "the claims changed after signing", changed, (repacked,)),
        ("cut", "half a signature", changed, (lambda now: real(now)[:-20],)),
        ("no-exp", "a token without exp", for_ever, (with_claims(exp=None),)),
        ("other-issuer", "another issuer", other, (with_claims(iss="https://issuer.invalid"),)),
        ("other-audience", "another audience", other, (with_claims(aud="somebody-else"),)),
        ("twice", "the signed field twice", twice, (real, real)),
        ("joined", "two tokens in one field", twice, (lambda now: real(now) + b", " + real(now),)),
    ]
    if scheme.rules.max_lifetime is not None:
        beyond = int(scheme.rules.max_lifetime) + 1
        sent: Value = _signed(scheme, plan, lifetime=beyond)
        tried.append(("long-lived", f"a token for {beyond} s", for_ever, (sent,)))
    tried += [
        (f"other-{name}", f"another {name}", other, (with_claims(**{name: random.token_hex(8)}),))
        for name in scheme.claims
    ]
    return [
        bad(plan, id_, title, means, one_field(scheme.header, *values))
        if plan.no_key is None
        else Row(id_, title, "refused", None, plan.no_key)
        for id_, title, means, values in tried
    ]


def _signed(scheme: SignedTokenScheme, plan: Plan, **how: Any) -> Value:  # noqa: ANN401
    """The token of the issuer, with claims of our own where they are named; None leaves one out."""
    if plan.private_key is not None:
        how["key"] = plan.private_key
    make = credential(scheme, **how)

    def value(now: int) -> bytes:
        ((_, text),) = make(None, now)
        return text.encode()

    return value
