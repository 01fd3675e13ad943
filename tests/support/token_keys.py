"""Pairs of keys for tokens, made anew for each run, and the key sets of their public halves."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = 1_760_000_000
ISSUER = "https://issuer.example"
SECRET = "Zk3-of-nobody-9fQ2xv7LmT5c8RwY1a"

_NAMES = {"EdDSA": "EdDSA", "Ed25519": "EdDSA"}


def pair(algorithm: str, name: str = "one") -> Any:
    """The private key *name* for *algorithm*, of the package cryptography."""
    return _pair(_NAMES.get(algorithm, algorithm), name)


@cache
def _pair(algorithm: str, _name: str) -> Any:
    if algorithm == "RS256":
        return rsa.generate_private_key(65537, 2048)
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.generate()


def private_pem(key: Any) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def public_pem(key: Any) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def jwk(algorithm: str, name: str = "one", **more: Any) -> dict[str, Any]:
    """The public half of a pair as an issuer publishes it, its name as the kid."""
    written = jwt.PyJWS().get_algorithm_by_name(_NAMES.get(algorithm, algorithm))
    found = json.loads(written.to_jwk(pair(algorithm, name).public_key()))
    found.pop("key_ops", None)
    return {**found, "kid": name, "use": "sig", **more}


def jwks(algorithm: str, *names: str) -> dict[str, Any]:
    return {"keys": [jwk(algorithm, name) for name in names or ("one",)]}


def claims(**more: Any) -> dict[str, Any]:
    """What an issuer says for five minutes; a claim that is None is left out."""
    said = {"iss": ISSUER, "iat": NOW, "exp": NOW + 300, **more}
    return {name: value for name, value in said.items() if value is not None}


def signed(
    algorithm: str,
    said: Mapping[str, Any] | None = None,
    *,
    name: str = "one",
    headers: Mapping[str, Any] | None = None,
) -> bytes:
    """A token of PyJWT, signed by the pair *name*, or with ``SECRET``."""
    key = SECRET if algorithm == "HS256" else pair(algorithm, name)
    if headers is None:
        headers = {} if algorithm == "HS256" else {"kid": name}
    payload = claims() if said is None else dict(said)
    theirs = _NAMES.get(algorithm, algorithm)
    return jwt.encode(payload, key, theirs, headers=dict(headers)).encode()
