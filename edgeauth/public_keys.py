"""Public keys: what holds one can verify, and can sign nothing.

The package that computes with them, ``cryptography``, is an extra: it is imported when the
first such key is built, and never by the rest of the core.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from edgeauth.errors import BadSignature, ConfigurationError
from edgeauth.keys import checked_dates, checked_id

#: What a public key may be used with, by the names of RFC 9421.
ALGORITHMS = (
    "ed25519",
    "ecdsa-p256-sha256",
    "ecdsa-p384-sha384",
    "rsa-pss-sha512",
    "rsa-v1_5-sha256",
)

MIN_RSA_BITS = 2048

Verify = Callable[[bytes, bytes], None]


class PublicKey:
    """One public key, under a name that may be logged, for one algorithm.

    Args:
        id: 1 to 64 letters, digits, dots, dashes or underscores: what a signature names it by.
        pem: the key, as PEM text ("BEGIN PUBLIC KEY").
        algorithm: ``ed25519``, ``ecdsa-p256-sha256``, ``ecdsa-p384-sha384``,
            ``rsa-pss-sha512`` or ``rsa-v1_5-sha256``. It is the key that decides, never what a
            message says.
        not_before: Unix seconds from which the key verifies, or None.
        not_after: Unix seconds until which (inclusive) it verifies, or None.

    Raises:
        ConfigurationError: for any other argument, a key of another kind than the algorithm
            needs, an RSA key of fewer than 2048 bits, or if ``cryptography`` is not installed.
    """

    __slots__ = ("_bad", "_verify", "algorithm", "dated", "id", "not_after", "not_before", "pem")

    def __init__(
        self,
        id: str,  # noqa: A002 - as that of Key
        pem: str | bytes,
        algorithm: str,
        not_before: float | None = None,
        not_after: float | None = None,
    ) -> None:
        self.id = checked_id(id)
        self.algorithm = checked_algorithm(id, algorithm)
        self.pem = pem.encode() if isinstance(pem, str) else pem
        self.not_before, self.not_after = checked_dates(id, not_before, not_after)
        self.dated = self.not_before > -math.inf or self.not_after < math.inf
        extra = cryptography_for(id)
        try:
            key = extra["load_public"](self.pem)
        except Exception:  # noqa: BLE001 - whatever it thinks of these bytes
            raise ConfigurationError(
                f"key {id!r} is no public key in PEM: it begins with -----BEGIN PUBLIC KEY-----"
            ) from None
        demand_kind(id, key, algorithm, private=False)
        self._bad: type[Exception] = extra["invalid"]
        self._verify = _verifiers(extra)[algorithm](key)

    def __repr__(self) -> str:
        return f"<PublicKey {self.id!r} {self.algorithm}>"

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return if the owner of the private key made *signature* of *message*.

        Raises:
            BadSignature: anything else.
        """
        try:
            self._verify(signature, message)
        except self._bad:
            raise BadSignature(f"key {self.id} did not make this signature") from None

    def valid_at(self, now: float) -> bool:
        """Whether *now* (Unix seconds) lies between not_before and not_after, inclusive."""
        return self.not_before <= now <= self.not_after


def checked_algorithm(key_id: str, algorithm: str) -> str:
    """*algorithm* if a public key can have it.

    Raises:
        ConfigurationError: it cannot.
    """
    if algorithm not in ALGORITHMS:
        raise ConfigurationError(
            f"key {key_id!r}: algorithm {algorithm!r} must be one of {', '.join(ALGORITHMS)}"
        )
    return algorithm


def demand_kind(key_id: str, key: object, algorithm: str, *, private: bool) -> None:
    """Refuse a key that is not of the kind that *algorithm* needs.

    Raises:
        ConfigurationError: it is not, or too short.
    """
    side = "private" if private else "public"
    kind, curve = cryptography_for(key_id)["kinds"][algorithm, side]
    found = getattr(getattr(key, "curve", None), "name", None)
    if not isinstance(key, kind) or (curve is not None and found != curve):
        raise ConfigurationError(
            f"key {key_id!r} is no {side} key for {algorithm}: give it the algorithm that it is of"
        )
    bits: int = getattr(key, "key_size", 0)
    if algorithm.startswith("rsa") and bits < MIN_RSA_BITS:
        raise ConfigurationError(
            f"key {key_id!r} has {bits} bits; an RSA key must have at least {MIN_RSA_BITS}"
        )


def cryptography_for(key_id: str) -> Mapping[str, Any]:
    """What is needed of the package ``cryptography``.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        return _cryptography()
    except ImportError:
        raise ConfigurationError(
            f"key {key_id!r} needs the package cryptography: pip install 'edgeauth[signatures]'"
        ) from None


@cache
def _cryptography() -> Mapping[str, Any]:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import (  # noqa: PLC0415
        ec,
        ed25519,
        padding,
        rsa,
        utils,
    )

    sha256, sha384, sha512 = hashes.SHA256(), hashes.SHA384(), hashes.SHA512()
    kinds: dict[tuple[str, str], tuple[type, str | None]] = {
        ("ed25519", "public"): (ed25519.Ed25519PublicKey, None),
        ("ed25519", "private"): (ed25519.Ed25519PrivateKey, None),
        ("ecdsa-p256-sha256", "public"): (ec.EllipticCurvePublicKey, "secp256r1"),
        ("ecdsa-p256-sha256", "private"): (ec.EllipticCurvePrivateKey, "secp256r1"),
        ("ecdsa-p384-sha384", "public"): (ec.EllipticCurvePublicKey, "secp384r1"),
        ("ecdsa-p384-sha384", "private"): (ec.EllipticCurvePrivateKey, "secp384r1"),
        ("rsa-pss-sha512", "public"): (rsa.RSAPublicKey, None),
        ("rsa-pss-sha512", "private"): (rsa.RSAPrivateKey, None),
        ("rsa-v1_5-sha256", "public"): (rsa.RSAPublicKey, None),
        ("rsa-v1_5-sha256", "private"): (rsa.RSAPrivateKey, None),
    }
    return MappingProxyType(
        {
            "invalid": InvalidSignature,
            "load_public": serialization.load_pem_public_key,
            "load_private": serialization.load_pem_private_key,
            "kinds": kinds,
            # 64 bytes of salt, as the RFC says; "as many as there are" would be another scheme.
            "pss": (padding.PSS(mgf=padding.MGF1(sha512), salt_length=64), sha512),
            "pkcs1": (padding.PKCS1v15(), sha256),
            "ecdsa-p256-sha256": (ec.ECDSA(sha256), 32),
            "ecdsa-p384-sha384": (ec.ECDSA(sha384), 48),
            "to_der": utils.encode_dss_signature,
            "from_der": utils.decode_dss_signature,
        }
    )


def _verifiers(extra: Mapping[str, Any]) -> dict[str, Callable[[Any], Verify]]:
    def ecdsa(name: str) -> Callable[[Any], Verify]:
        hashed, size = extra[name]

        def of(key: Any) -> Verify:  # noqa: ANN401 - of another package
            def verify(signature: bytes, message: bytes) -> None:
                # r and s of a fixed length, one after the other: DER is another form.
                if len(signature) != 2 * size:
                    raise extra["invalid"]
                r = int.from_bytes(signature[:size], "big")
                s = int.from_bytes(signature[size:], "big")
                key.verify(extra["to_der"](r, s), message, hashed)

            return verify

        return of

    def rsa(padding: Any, hashed: Any) -> Callable[[Any], Verify]:  # noqa: ANN401
        return lambda key: (
            lambda signature, message: key.verify(signature, message, padding, hashed)
        )

    return {
        "ed25519": lambda key: key.verify,
        "ecdsa-p256-sha256": ecdsa("ecdsa-p256-sha256"),
        "ecdsa-p384-sha384": ecdsa("ecdsa-p384-sha384"),
        "rsa-pss-sha512": rsa(*extra["pss"]),
        "rsa-v1_5-sha256": rsa(*extra["pkcs1"]),
    }
