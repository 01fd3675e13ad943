"""Sets of public keys as issuers publish them (RFC 7517, 5)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edgeauth.errors import ConfigurationError
from edgeauth.named_key import KEY_ID
from edgeauth.text_files import read_small_file

if TYPE_CHECKING:
    from edgeauth.public_keys import PublicKey
    from edgeauth.schemes.signed_token.algorithms import Algorithm

MOST_KEYS = 64
_KID_BYTES = 256

_KTY = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP", "Ed25519": "OKP"}

# What only the owner of a pair has, and the secret itself.
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")


def read_jwks(name: str, path: str) -> dict[str, Any]:
    """The document in a file; *name* is that of the setting. What it means is not looked at.

    Raises:
        ConfigurationError: unreadable, over 1 MiB, or no JSON object.
    """
    where = f"{name} {str(path)!r}"
    return document_of(read_small_file(path, where), where)


def document_of(text: str, where: str) -> dict[str, Any]:
    """The JSON object in *text*; *where* is what errors call it.

    Raises:
        ConfigurationError: there is none.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ConfigurationError(f"{where} is no JSON object: a key set is {{'keys': [...]}}")
    return document


def described(document: Any) -> str:  # noqa: ANN401 - a document that was built from
    """A key set in a few words, for the log: its kids."""
    kids = [str(one.get("kid")) for one in document["keys"] if isinstance(one, dict)]
    return f"the keys {', '.join(kids)}"


def public_keys(document: object, algorithm: Algorithm) -> dict[str, PublicKey]:
    """The keys of a set that can be used with *algorithm*, by their ``kid``, oldest to newest.

    Keys of another kind, for another algorithm or use are left out: a set may have some.

    Raises:
        ConfigurationError: it is no key set, none of its keys can be used, one of them is written
            with a mistake or is private, or two have one ``kid``.
    """
    listed = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(listed, list):
        raise ConfigurationError("jwks is no key set: a key set is {'keys': [...]}")
    if len(listed) > MOST_KEYS:
        raise ConfigurationError(f"jwks has {len(listed)} keys; an issuer has no more than a few")
    found: dict[str, PublicKey] = {}
    for jwk in listed:
        if not isinstance(jwk, Mapping):
            raise ConfigurationError("jwks is no key set: one of its keys is no JSON object")
        kid = jwk.get("kid")
        if any(name in jwk for name in _PRIVATE):
            raise ConfigurationError(
                f"jwks has a private key or a secret (kid {kid!r}): only the issuer may have it. "
                "Name the set that it publishes"
            )
        if not _is_for(jwk, algorithm):
            continue
        if not isinstance(kid, str) or not 0 < len(kid) <= _KID_BYTES:
            raise ConfigurationError(
                "jwks has a key without a usable kid: a token could not name it. Write the key "
                "itself into secrets_file instead"
            )
        if kid in found:
            raise ConfigurationError(f"jwks has two keys with the kid {kid!r}")
        found[kid] = algorithm.public_key(_id_of(kid), dict(jwk))
    if not found:
        raise ConfigurationError(
            f"jwks has no key for {algorithm.name}: name the set of this issuer, and the algorithm "
            "that it signs with"
        )
    return found


def _is_for(jwk: Mapping[str, Any], algorithm: Algorithm) -> bool:
    named = jwk.get("alg")
    operations = jwk.get("key_ops", ["verify"])
    return (
        jwk.get("kty") == _KTY.get(algorithm.name)
        and (named is None or named in algorithm.names)
        and jwk.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
    )


def _id_of(kid: str) -> str:
    """What logs and metrics call the key: its ``kid``, or a digest of one that is not plain."""
    if KEY_ID.fullmatch(kid):
        return kid
    return f"kid-{hashlib.sha256(kid.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
