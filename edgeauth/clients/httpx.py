"""Signs the requests of an httpx or httpx2 client, as the edge would.

httpx2 goes on where httpx has stopped, and Starlette's ``TestClient`` is one of its clients
where it is installed. Both take a function of the request, so this needs neither.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from edgeauth.clients.signer import Signer
from edgeauth.schemes.base import Outgoing

if TYPE_CHECKING:
    from collections.abc import MutableMapping

__all__ = ["EdgeAuth"]

# Where a request that follows a redirect finds what was done to the one before it.
_MADE = "edgeauth.made"


class _URL(Protocol):
    @property
    def raw_path(self) -> bytes: ...
    @property
    def netloc(self) -> bytes: ...
    @property
    def scheme(self) -> str: ...


class _Request(Protocol):
    @property
    def extensions(self) -> MutableMapping[str, Any]: ...
    @property
    def method(self) -> str: ...
    @property
    def url(self) -> Any: ...  # noqa: ANN401 - a _URL of either library
    @property
    def headers(self) -> Any: ...  # noqa: ANN401 - a mapping of either library
    @property
    def stream(self) -> Any: ...  # noqa: ANN401 - of either library


_AnyRequest = TypeVar("_AnyRequest", bound=_Request)


class EdgeAuth(Signer):
    """``httpx.Client(auth=EdgeAuth(secret))``, sync and async: each request is signed when sent.

    It serves httpx2 and ``TestClient`` of Starlette and FastAPI as well:
    ``client.auth = EdgeAuth.from_settings()``.

    Leave ``follow_redirects`` off, as it is by default, unless every host that the origin
    may redirect to is yours. httpx copies all headers but Authorization to the next host
    and does not ask the auth class in between, so nothing here can stop it. (``TestClient``
    follows redirects by itself, and they all lead to the app.)

    Where redirects are followed, and always where the request itself is signed and may be
    redirected, use it as a hook instead: ``httpx.Client(event_hooks={"request":
    [EdgeAuth(secret).hook]})``. Then each request is signed anew, after everything else was done
    to it, and nothing goes to another origin than the first.

    The arguments, and what is wrong with one, are those of
    :class:`edgeauth.clients.signer.Signer`.
    """

    def __call__(self, request: _AnyRequest) -> _AnyRequest:
        """Sign *request*."""
        self._sign(request)
        return request

    def hook(self, request: _Request) -> Awaitable[None]:
        """Sign *request*, of a client or an async one; not if a redirect led to another origin."""
        url: _URL = request.url
        here = url.scheme, url.netloc
        home, made = request.extensions.get(_MADE, (here, ()))
        for name in made:
            request.headers.pop(name, None)
        if here == home:
            made = self._sign(request)
        # A redirect takes this along.
        request.extensions[_MADE] = home, made
        return _Done()

    def _sign(self, request: _Request) -> tuple[str, ...]:
        headers = request.headers
        for name in self.headers:
            headers.pop(name, None)
        stream = request.stream
        # By name, since it is that of either library. Others can be read once.
        body = b"".join(stream) if type(stream).__name__ == "ByteStream" else None
        url: _URL = request.url
        made = self.fields(
            Outgoing(
                request.method,
                headers.get("Host") or url.netloc.decode("ascii"),
                url.raw_path.decode("ascii"),
                [(name, value) for name, value in headers.multi_items() if name != "host"],
                body,
            )
        )
        headers.update(made)
        return tuple(made)


class _Done(Awaitable[None]):
    """What an async client may wait for, and another need not."""

    def __await__(self) -> Generator[Any, Any, None]:
        return iter(())  # type: ignore[return-value]
