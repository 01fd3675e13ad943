"""Signs the requests of an httpx client, as the edge would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from edgeauth.clients.signer import Signer

if TYPE_CHECKING:
    from collections.abc import Generator


class EdgeAuth(Signer, httpx.Auth):
    """``httpx.Client(auth=EdgeAuth(secret))``, sync and async: each request is signed when sent.

    Leave ``follow_redirects`` off, as it is by default, unless every host that the origin
    may redirect to is yours. httpx copies all headers but Authorization to the next host
    and does not ask the auth class in between, so nothing here can stop it.

    The arguments, and what is wrong with one, are those of
    :class:`edgeauth.clients.signer.Signer`.
    """

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        request.headers[self.header] = self.value()
        yield request
