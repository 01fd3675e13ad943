"""What a signature is checked with: one algorithm, which settings name and no token ever does."""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - so that annotations can be read
from typing import TYPE_CHECKING, Any, NamedTuple

from edgeauth.errors import ConfigurationError
from edgeauth.keys import Key
from edgeauth.public_keys import PublicKey, cryptography_for, pem_of

if TYPE_CHECKING:
    from edgeauth.keys import KeyRing

HS256 = "HS256"

# By the name that a setting has: what a token may call it, PyJWT's name, and that of our keys.
# RFC 9864 gave what RFC 8037 called EdDSA a name of its own; with an Ed25519 key both are one.
_ED25519 = (("EdDSA", "Ed25519"), "EdDSA", "ed25519")
_KNOWN: dict[str, tuple[tuple[str, ...], str, str | None]] = {
    HS256: ((HS256,), HS256, None),
    "RS256": (("RS256",), "RS256", "rsa-v1_5-sha256"),
    "ES256": (("ES256",), "ES256", "ecdsa-p256-sha256"),
    "EdDSA": _ED25519,
    "Ed25519": _ED25519,
}
ALGORITHMS = tuple(_KNOWN)

# Both are RSA, and a PEM file does not say which is meant.
_RSA = frozenset({"rsa-pss-sha512", "rsa-v1_5-sha256"})


class Candidate(NamedTuple):
    """A key that may have signed.

    Attributes:
        key: of the ring.
        made: whether it made the signature (second) of the bytes (first). Never raises.
    """

    key: Key | PublicKey
    made: Callable[[bytes, bytes], bool]


class Algorithm:
    """One algorithm.

    Args:
        name: one of ``ALGORITHMS``.

    Attributes:
        names: what a token may call it.
        kind: what our public keys call it; None where the key is a secret.

    Raises:
        ConfigurationError: it is none of these, or PyJWT is not installed.
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str) or name not in _KNOWN:
            raise ConfigurationError(
                f"algorithm {name!r} must be one of {', '.join(ALGORITHMS)}: the one that the "
                "issuer signs with"
            )
        self.name = name
        self.names, theirs, self.kind = _KNOWN[name]
        self._theirs = _of_pyjwt(theirs)

    def candidate(self, key: Key | PublicKey) -> Candidate:
        """*key*, made ready to verify with this algorithm.

        Raises:
            ConfigurationError: it cannot be used.
        """
        try:
            prepared = self._theirs.prepare_key(key.secret if isinstance(key, Key) else key.pem)
        except Exception:  # noqa: BLE001 - whatever it thinks of the key; not chained, it is one
            raise ConfigurationError(f"PyJWT cannot use key {key.id!r} for {self.name}") from None
        verify = self._theirs.verify

        def made(signed: bytes, signature: bytes) -> bool:
            try:
                return verify(signed, prepared, signature) is True
            except Exception:  # noqa: BLE001 - whatever it thinks of these bytes
                return False

        return Candidate(key, made)

    def public_key(self, key_id: str, jwk: dict[str, Any]) -> PublicKey:
        """The public key that *jwk* (RFC 7517) describes, for this algorithm.

        Raises:
            ConfigurationError: it describes none that can be used.
        """
        to_der = cryptography_for(key_id)["der"]
        try:
            der = to_der(self._theirs.from_jwk(jwk))
        except Exception:  # noqa: BLE001 - whatever it thinks of it
            raise ConfigurationError(f"key {key_id!r} is no public key as a JWK") from None
        return PublicKey(key_id, pem_of(der), self.kind)

    def fitting(self, keys: KeyRing) -> list[Key | PublicKey]:
        """The keys of a ring, each for this algorithm.

        Raises:
            ConfigurationError: one of them is of another kind. A public key is known to
                everybody, so it is never a secret.
        """
        return [self._fitting(key) for key in keys]

    def _fitting(self, key: Key | PublicKey) -> Key | PublicKey:
        if self.kind is None:
            if isinstance(key, Key):
                if b'"kty"' in key.secret:
                    raise ConfigurationError(
                        f"key {key.id!r} is a key set or a JWK, and no secret: name it in jwks"
                    )
                return key
            raise ConfigurationError(
                f"key {key.id!r} is a public key, and {self.name} is checked with a secret: "
                "everybody could sign with it"
            )
        if isinstance(key, Key):
            raise ConfigurationError(
                f"key {key.id!r} is a secret, and {self.name} is checked with a public key: write "
                "that of the issuer, or name its key set in jwks"
            )
        if key.algorithm == self.kind:
            return key
        if {key.algorithm, self.kind} == _RSA:
            return PublicKey(key.id, key.pem, self.kind, *_dates(key))
        raise ConfigurationError(f"key {key.id!r} is for {key.algorithm}, and not for {self.name}")


def _dates(key: PublicKey) -> tuple[float, float]:
    return key.not_before, key.not_after


def _of_pyjwt(name: str) -> Any:  # noqa: ANN401 - of another package
    try:
        from jwt import PyJWS  # noqa: PLC0415 - an extra

        # It knows this one algorithm and no other.
        return PyJWS(algorithms=[name]).get_algorithm_by_name(name)
    except (ImportError, NotImplementedError):
        raise ConfigurationError(
            f"algorithm {name!r} needs the packages PyJWT and cryptography: "
            "pip install 'edgeauth[tokens]'"
        ) from None
