"""What the core needs to see of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Request(Protocol):
    """A view of one request, made by an adapter: it reads lazily and decides nothing.

    Nothing in it may raise on what a client sent.
    """

    @property
    def method(self) -> str:
        """The method as received; ``WEBSOCKET`` for an ASGI WebSocket handshake.

        ASGI does not tell the method of a handshake (GET in HTTP/1.1, CONNECT in
        HTTP/2), and an exemption for GET must not open a WebSocket at the same path.
        """

    @property
    def path(self) -> str:
        """The path as the application will route it: with the mount point, decoded."""

    @property
    def target(self) -> bytes | None:
        """Path and query as received, or None where the server does not tell."""

    @property
    def host(self) -> bytes | None:
        """The Host header (HTTP/2: the authority), or None."""

    @property
    def peer(self) -> str | None:
        """The address at the other end of the connection; None where the server tells none."""

    @property
    def unix(self) -> bool:
        """Whether the server listens on a Unix socket here.

        A fact about the server. That a peer has no address says nothing: one that is gone
        already has none either.
        """

    def header(self, name: str) -> Sequence[bytes]:
        """All values of the named header field, as received, in order; any case of name."""


def listens_on_unix(scope: Mapping[str, Any]) -> bool:
    """Whether the server that made the ASGI *scope* listens on a Unix socket.

    ASGI has a path and None in ``server`` then. hypercorn and daphne have no ``server``, granian
    has the port "0", and gunicorn the first two letters of the path. With TCP all of them have
    an address and a port. The peer is not asked: uvicorn and gunicorn lose its address when it
    resets the connection.
    """
    server = scope.get("server")
    if server is None:
        return True
    host, port = server
    return str(host).startswith(("/", "@", "\0")) or str(port) in {"None", "0"}
