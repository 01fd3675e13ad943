"""Signs the requests of an httpx or httpx2 client, as the edge would.

httpx2 goes on where httpx has stopped, and Starlette's ``TestClient`` is one of its clients
where it is installed. Both take a function of the request, so this needs neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from edgeauth.clients.signer import Signer

if TYPE_CHECKING:
    from collections.abc import MutableMapping


class _Request(Protocol):
    @property
    def headers(self) -> MutableMapping[str, str]: ...


_AnyRequest = TypeVar("_AnyRequest", bound=_Request)


class EdgeAuth(Signer):
    """``httpx.Client(auth=EdgeAuth(secret))``, sync and async: each request is signed when sent.

    It serves httpx2 and ``TestClient`` of Starlette and FastAPI as well:
    ``client.auth = EdgeAuth.from_settings()``.

    Leave ``follow_redirects`` off, as it is by default, unless every host that the origin
    may redirect to is yours. httpx copies all headers but Authorization to the next host
    and does not ask the auth class in between, so nothing here can stop it. (``TestClient``
    follows redirects by itself, and they all lead to the app.)

    The arguments, and what is wrong with one, are those of
    :class:`edgeauth.clients.signer.Signer`.
    """

    def __call__(self, request: _AnyRequest) -> _AnyRequest:
        """Sign *request*."""
        request.headers.update(self.fields())
        return request
