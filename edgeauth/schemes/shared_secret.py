"""A constant secret in a header: simple, and only as safe as every place it passes.

Whoever sees one request can send any number of any kind until the secret is changed, so
prefer the signed header; this is for edges that cannot sign.
"""

from __future__ import annotations

import secrets as random
from collections.abc import Iterable, Mapping  # noqa: TC003 - so that annotations can be read
from hmac import compare_digest
from typing import Any, ClassVar, Self

from edgeauth.errors import BadSignature, ConfigurationError
from edgeauth.keys import Key, KeyRing, secrets_alone
from edgeauth.request import Request  # noqa: TC001 - so that annotations can be read
from edgeauth.schemes.base import field_name, not_once
from edgeauth.schemes.options import Option, read_text
from edgeauth.verdict import EdgeIdentity


class SharedSecretScheme:
    """Accepts a request whose header holds one of the secrets, byte for byte.

    Args:
        keys: a :class:`KeyRing`, or secrets (or keys) from oldest to newest.
        header: the name of the header field.

    Raises:
        ConfigurationError: an argument cannot be used.
    """

    kind: ClassVar[str] = "shared-secret"
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("header", read_text, "Edge-Auth", "the header field"),
    )

    def __init__(
        self, keys: KeyRing | Iterable[Key | str | bytes], *, header: str = "Edge-Auth"
    ) -> None:
        self.keys = secrets_alone(keys, self.kind)
        self.header = field_name(header)
        self.headers = (self.header,)
        # Values are compared under a key that only this process knows. All digests have
        # one length, so the comparison takes the same time whatever the length of a guess.
        self._blind = Key("blind", random.token_hex())
        self._expected = tuple((self._blind.mac(key.secret), key) for key in self.keys.newest_first)

    @classmethod
    def from_options(cls, keys: KeyRing, options: Mapping[str, Any]) -> Self:
        """The scheme with these keys and these values of ``OPTIONS``.

        Raises:
            ConfigurationError: a value cannot be used.
        """
        return cls(keys, **options)

    def credential(self, *, now: float, **_how: object) -> Mapping[str, str]:
        """The header of a request that is sent at *now* (Unix seconds): the newest secret.

        Raises:
            ConfigurationError: no key is valid at *now*, or its secret is not text.
        """
        key = self.keys.signing_key(now)
        try:
            return {self.header: key.secret.decode()}
        except UnicodeDecodeError:
            # Not chained: the original error carries the secret.
            raise ConfigurationError(
                f"the secret of key {key.id} is not UTF-8: no client can put it into a header"
            ) from None

    def verify(self, request: Request, *, now: float) -> EdgeIdentity:
        """Verify the header of *request* at *now* (Unix seconds).

        Raises:
            MissingHeader: the header is absent.
            MalformedHeader: it is there more than once.
            BadSignature: it holds no secret that is valid at *now*.
        """
        values = request.header(self.header)
        if len(values) != 1:
            raise not_once(values, self.header)
        return self.verify_value(values[0], now=now)

    def verify_value(self, value: bytes, *, now: float) -> EdgeIdentity:
        """Verify one header value at *now* (Unix seconds).

        The identity has neither time nor POP: this credential carries none.

        Raises:
            BadSignature: the value is no secret that is valid at *now*.
        """
        received = self._blind.mac(value)
        for expected, key in self._expected:
            if compare_digest(expected, received) and key.valid_at(now):
                return EdgeIdentity(timestamp=None, pop=None, key_id=key.id, scheme=self.kind)
        raise BadSignature("the header holds none of the secrets")
