"""Public keys: what holds one can verify, and can sign nothing.

The package that computes with them, ``cryptography``, is an extra: it is imported when the
first such key is built, and never by the rest of the core.
"""

from __future__ import annotations

import re
from binascii import Error as NotBase64
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Self

from edgeauth.errors import BadSignature, ConfigurationError
from edgeauth.named_key import NamedKey

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

# How keys of a pair are written, rightly or with a mistake: none of this may become a secret that
# whoever has the public key knows. The last two are base64 of DER, and OpenSSH.
_OF_A_PAIR = re.compile(
    r"-----BEGIN |^(?i:ed25519|ed448|x25519|ecdsa|ec|rsa|p-?(?:256|384|521))[\w.-]*:"
    r"|M(?:CowBQYDK2V|FkwEwYHKoZIzj0C|HYwEAYHKoZIzj0C|II[A-Za-z0-9+/]{4}NBgkqhkiG9w0BAQEFAA)"
    r"|^(?:ssh|ecdsa)-[\w-]+ "
)
_WRITTEN = re.compile(rf"({'|'.join(map(re.escape, ALGORITHMS))}):(.*)", re.DOTALL)

# What stands before the 32 bytes of an Ed25519 key in DER (RFC 8410, 4).
_ED25519_DER = bytes.fromhex("302a300506032b6570032100")
_ED25519_BYTES = 32

# Points of small order, without the bit of the sign: with one of these as the public key,
# signatures can be made of anything without a private key.
_SMALL_ORDER = frozenset(
    map(
        bytes.fromhex,
        (
            "00" * 32,
            "01" + "00" * 31,
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "ec" + "ff" * 30 + "7f",
            "ed" + "ff" * 30 + "7f",
            "ee" + "ff" * 30 + "7f",
        ),
    )
)


class PublicKey(NamedKey):
    """One public key, under a name that may be logged, for one algorithm.

    Args:
        id: 1 to 64 letters, digits, dots, dashes or underscores: what a signature names it by.
        pem: the key, as PEM text ("BEGIN PUBLIC KEY").
        algorithm: ``ed25519``, ``ecdsa-p256-sha256``, ``ecdsa-p384-sha384``,
            ``rsa-pss-sha512`` or ``rsa-v1_5-sha256``. It is the key that decides, never what a
            message says. None is what the key is of; of RSA, ``rsa-pss-sha512``.
        not_before: Unix seconds from which the key verifies, or None.
        not_after: Unix seconds until which (inclusive) it verifies, or None.

    Raises:
        ConfigurationError: for any other argument, a key of another kind than the algorithm
            needs, an RSA key of fewer than 2048 bits, an Ed25519 key for which anybody can sign,
            or if ``cryptography`` is not installed.
    """

    __slots__ = ("_bad", "_verify", "algorithm", "der", "pem")

    def __init__(
        self,
        id: str,  # noqa: A002 - as that of Key
        pem: str | bytes,
        algorithm: str | None = None,
        not_before: float | None = None,
        not_after: float | None = None,
    ) -> None:
        super().__init__(id, not_before, not_after)
        if algorithm is not None:
            checked_algorithm(id, algorithm)
        self.pem = pem.encode() if isinstance(pem, str) else pem
        extra = cryptography_for(id)
        try:
            key = extra["load_public"](self.pem)
        except Exception:  # noqa: BLE001 - whatever it thinks of these bytes
            raise ConfigurationError(
                f"key {id!r} is no public key in PEM: it begins with -----BEGIN PUBLIC KEY-----"
            ) from None
        self.algorithm = algorithm_of(id, key, private=False) if algorithm is None else algorithm
        demand_kind(id, key, self.algorithm, private=False)
        self.der = extra["der"](key)
        if self.algorithm == "ed25519":
            _refuse_small_order(id, self.der[-_ED25519_BYTES:])
        self._bad: type[Exception] = extra["invalid"]
        self._verify = _verifiers(extra)[self.algorithm](key)

    @classmethod
    def from_text(
        cls,
        id: str,  # noqa: A002 - as that of Key
        text: str,
        not_before: float | None = None,
        not_after: float | None = None,
    ) -> Self:
        """A key as a file of keys has it: PEM, or on one line ``<algorithm>:<base64>``.

        The base64 is that of the 32 bytes of an Ed25519 key, else of the key in DER
        (SubjectPublicKeyInfo).

        Raises:
            ConfigurationError: it is neither; or as :class:`PublicKey`.
        """
        written = _WRITTEN.fullmatch(text)
        if written is None:
            if "PRIVATE KEY" in text:
                raise ConfigurationError(
                    f"key {id!r} is a private key, which only the edge needs: write the public one"
                )
            if not text.startswith("-----BEGIN "):
                raise ConfigurationError(
                    f"key {id!r} is written as a public key, in a form that is not known: write "
                    f"PEM, or one of {', '.join(ALGORITHMS)}, a colon and the key in base64"
                )
            return cls(id, text, None, not_before, not_after)
        algorithm, armoured = written.groups()
        return cls(id, _pem_of(id, algorithm, armoured), algorithm, not_before, not_after)

    @property
    def text(self) -> str:
        """The key on one line, as :meth:`from_text` reads it."""
        raw = self.der[-_ED25519_BYTES:] if self.algorithm == "ed25519" else self.der
        return f"{self.algorithm}:{b2a_base64(raw, newline=False).decode()}"

    @property
    def material(self) -> bytes:
        """:attr:`text`, as bytes. Nothing of it is secret."""
        return self.text.encode()

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


def is_public(text: str) -> bool:
    """Whether *text* is written as a key of a pair is, and so is no secret that two sides share."""
    return _OF_A_PAIR.search(text) is not None


def algorithm_of(key_id: str, key: object, *, private: bool) -> str:
    """The algorithm that *key* of the package ``cryptography`` is for; RSA is for PSS.

    Raises:
        ConfigurationError: none of those that there are.
    """
    side = "private" if private else "public"
    for algorithm in ALGORITHMS:
        if _is_kind(key, cryptography_for(key_id)["kinds"][algorithm, side]):
            return algorithm
    raise ConfigurationError(
        f"key {key_id!r} is of a kind that no algorithm here is for: {', '.join(ALGORITHMS)}"
    )


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
    if not _is_kind(key, cryptography_for(key_id)["kinds"][algorithm, side]):
        raise ConfigurationError(
            f"key {key_id!r} is no {side} key for {algorithm}: give it the algorithm that it is of"
        )
    bits: int = getattr(key, "key_size", 0)
    if algorithm.startswith("rsa") and bits < MIN_RSA_BITS:
        raise ConfigurationError(
            f"key {key_id!r} has {bits} bits; an RSA key must have at least {MIN_RSA_BITS}"
        )


def _is_kind(key: object, wanted: tuple[type, str | None]) -> bool:
    kind, curve = wanted
    found = getattr(getattr(key, "curve", None), "name", None)
    return isinstance(key, kind) and curve in (None, found)


def _refuse_small_order(key_id: str, point: bytes) -> None:
    if point[:-1] + bytes([point[-1] & 0x7F]) in _SMALL_ORDER:
        raise ConfigurationError(
            f"key {key_id!r} is no key: anybody can sign for it (a point of small order)"
        )


def _pem_of(key_id: str, algorithm: str, armoured: str) -> str:
    """PEM of what stands behind the algorithm on a line."""
    try:
        raw = a2b_base64(armoured.strip().encode("ascii"), strict_mode=True)
    except (NotBase64, UnicodeEncodeError):
        raise ConfigurationError(
            f"key {key_id!r}: what follows {algorithm}: is no base64"
        ) from None
    if algorithm == "ed25519":
        if len(raw) != _ED25519_BYTES:
            raise ConfigurationError(
                f"key {key_id!r} has {len(raw)} bytes; an Ed25519 key has {_ED25519_BYTES}"
            )
        raw = _ED25519_DER + raw
    return pem_of(raw)


def pem_of(der: bytes) -> str:
    """PEM of a public key in DER."""
    body = b2a_base64(der, newline=False).decode()
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return "\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""])


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
            "der": lambda key: key.public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            ),
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
