"""Signs the requests of an httpx client, as the edge would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import httpx

from edgeauth.clients.signer import SIMULATED_POP, Signer

if TYPE_CHECKING:
    from collections.abc import Generator

    from edgeauth.keys import Key


class EdgeAuth(httpx.Auth):
    """``httpx.Client(auth=EdgeAuth(secret))``, sync and async: each request is signed when sent.

    Leave ``follow_redirects`` off, as it is by default, unless every host that the origin
    may redirect to is yours. httpx copies all headers but Authorization to the next host
    and does not ask the auth class in between, so nothing here can stop it.

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
        self._signer = Signer(secret, pop=pop, encoding=encoding, header=header)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        request.headers[self._signer.header] = self._signer.value()
        yield request
