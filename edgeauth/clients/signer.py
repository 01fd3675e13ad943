"""What the clients share: the header of one request, made when it is sent."""

from __future__ import annotations

from typing import Literal

from edgeauth.keys import Key
from edgeauth.schemes import sign
from edgeauth.schemes.base import field_name

# What simulators of the edge call themselves.
SIMULATED_POP = "XXX"


class Signer:
    """Makes ``Edge-Auth`` values as the edge does, each for the present moment.

    Args:
        secret: the shared secret, or a :class:`edgeauth.Key`.
        pop: the POP to sign as; None makes the two-field form.
        encoding: ``hex`` or ``base64``.
        header: the name of the header field.

    Raises:
        ConfigurationError: an argument cannot be used.
    """

    def __init__(
        self,
        secret: str | bytes | Key,
        *,
        pop: str | None = SIMULATED_POP,
        encoding: Literal["hex", "base64"] = "hex",
        header: str = "Edge-Auth",
    ) -> None:
        self.header = field_name(header)
        self._key = secret if isinstance(secret, Key) else Key("default", secret)
        self._pop = pop
        self._encoding = encoding
        self.value()  # so that a wrong argument is told of here, not by the first request

    def value(self) -> str:
        """The header value, signed now."""
        return sign(self._key, pop=self._pop, encoding=self._encoding)
