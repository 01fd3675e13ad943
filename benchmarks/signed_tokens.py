"""What it costs to verify a token, beside PyJWT's own decoding, which judges no claim."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from measure import side_by_side
from report import Group, Row

from edgeauth.keys import Key
from edgeauth.public_keys import PublicKey, cryptography_for, pem_of
from edgeauth.schemes.signed_token import SignedTokenScheme

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "an-example-secret-of-32-bytes-ok"
ISSUER = "https://issuer.example"
CALLS = 300

# PyJWT then checks the signature alone, and reads the JSON.
_SIGNATURE_ALONE = {
    f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")
}


def group() -> Group:
    now = int(time.time())
    pairs: dict[str, Any] = {
        "HS256": SECRET,
        "RS256": rsa.generate_private_key(65537, 2048),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    }
    calls: dict[str, Callable[[], Any]] = {}
    for algorithm, key in pairs.items():
        tokens = [_token(algorithm, key, now, number) for number in range(CALLS)]
        calls |= _calls(algorithm, key, tokens, now)
    timings = side_by_side(calls, calls=CALLS)
    rows = []
    for algorithm in pairs:
        theirs, ours = timings[f"{algorithm}, PyJWT"], timings[algorithm]
        rows += [
            Row(f"PyJWT's `decode`, {algorithm}", theirs.median, 1.0),
            # The line that must hold is of the whole check: form, signature, claims, times.
            Row(f"edgeauth, {algorithm}", ours.median, ours.ratio(theirs), 1.1),
        ]
    return Group(
        title="Verify a token of six claims, every one different",
        unit="PyJWT's decode of the same token without claim checks",
        rows=rows,
        notes=["PyJWT reads no claim here; edgeauth judges all of them."],
    )


def _token(algorithm: str, key: object, now: int, number: int) -> bytes:
    claims = {"iss": ISSUER, "aud": ["us"], "iat": now, "exp": now + 300, "sub": f"user-{number}"}
    claims["type"] = "app"
    return jwt.encode(claims, key, algorithm, headers={"kid": "edge"}).encode()  # type: ignore[arg-type]


def _calls(
    algorithm: str,
    key: Any,  # noqa: ANN401 - of several packages
    tokens: list[bytes],
    now: int,
) -> dict[str, Callable[[], object]]:
    if algorithm == "HS256":
        ours: Key | PublicKey = Key("edge", SECRET)
        theirs = SECRET
    else:
        theirs = key.public_key()
        ours = PublicKey("edge", pem_of(cryptography_for("edge")["der"](theirs)))
    scheme = SignedTokenScheme(
        [ours],
        header="X-Token",
        algorithm=algorithm,
        issuer=ISSUER,
        audience="us",
        claims={"type": "app"},
        max_lifetime=600,
    )
    assert scheme.verify_value(tokens[0], now=now).claims["sub"] == "user-0"
    return {
        f"{algorithm}, PyJWT": lambda: [
            jwt.decode(token, theirs, algorithms=[algorithm], options=_SIGNATURE_ALONE)  # type: ignore[arg-type]
            for token in tokens
        ],
        algorithm: lambda: [scheme.verify_value(token, now=now) for token in tokens],
    }
