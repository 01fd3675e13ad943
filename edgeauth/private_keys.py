"""Private keys: what holds one signs as the edge does. An origin needs none."""

from __future__ import annotations

from typing import Any

from edgeauth.errors import ConfigurationError
from edgeauth.named_key import checked_id
from edgeauth.public_keys import (
    PublicKey,
    algorithm_of,
    checked_algorithm,
    cryptography_for,
    demand_kind,
    pem_of,
)


class PrivateKey:
    """One private key, under the id of the public key that goes with it.

    Only what signs needs one: the edge, and tests. An origin holds the public one.

    Args:
        id, algorithm: as those of :class:`edgeauth.public_keys.PublicKey`.
        pem: the key, as PEM text without a password ("BEGIN PRIVATE KEY"). Never in its repr.

    Raises:
        ConfigurationError: an argument cannot be used, or ``cryptography`` is not installed.
    """

    __slots__ = ("_key", "algorithm", "id")

    def __init__(
        self,
        id: str,  # noqa: A002 - as Key
        pem: str | bytes,
        algorithm: str | None = None,
    ) -> None:
        self.id = checked_id(id)
        if algorithm is not None:
            checked_algorithm(id, algorithm)
        extra = cryptography_for(id)
        try:
            key = extra["load_private"](pem.encode() if isinstance(pem, str) else pem, None)
        except Exception:  # noqa: BLE001 - whatever it thinks of these bytes
            # Not chained: the original error could tell of the key.
            raise ConfigurationError(
                f"key {id!r} is no private key in PEM without a password"
            ) from None
        self.algorithm = algorithm_of(id, key, private=True) if algorithm is None else algorithm
        demand_kind(id, key, self.algorithm, private=True)
        self._key: Any = key

    def __repr__(self) -> str:
        return f"<PrivateKey {self.id!r} {self.algorithm}>"

    @property
    def public(self) -> PublicKey:
        """The public key that goes with it, under the same id."""
        der: bytes = cryptography_for(self.id)["der"](self._key.public_key())
        return PublicKey(self.id, pem_of(der), self.algorithm)

    def sign(self, message: bytes) -> bytes:
        """The signature of *message*, in the form of RFC 9421."""
        extra = cryptography_for(self.id)
        if self.algorithm == "ed25519":
            return bytes(self._key.sign(message))
        if self.algorithm == "rsa-pss-sha512":
            return bytes(self._key.sign(message, *extra["pss"]))
        if self.algorithm == "rsa-v1_5-sha256":
            return bytes(self._key.sign(message, *extra["pkcs1"]))
        hashed, size = extra[self.algorithm]
        r, s = extra["from_der"](self._key.sign(message, hashed))
        return bytes(r.to_bytes(size, "big") + s.to_bytes(size, "big"))
