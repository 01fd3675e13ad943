"""What the core needs to see of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence  # noqa: TC003 - so that annotations can be read
from functools import lru_cache
from typing import Any, Protocol

# What the opening of a WebSocket is called in exempt routes and passes.
HANDSHAKE = "WEBSOCKET"


class Request(Protocol):
    """A view of one request, made by an adapter: it reads lazily and decides nothing.

    Nothing in it may raise on what a client sent.
    """

    @property
    def method(self) -> str:
        """The method as received; ``WEBSOCKET`` for an ASGI WebSocket handshake.

        ASGI does not tell the method of a handshake: GET in HTTP/1.1, CONNECT in HTTP/2. What
        a route is compared with is ``edgeauth.request.route_method``.
        """

    @property
    def handshake(self) -> bool | None:
        """Whether the request opens a WebSocket; None where it looks so in part.

        Then it is not known what it will be taken for, so no exemption and no pass that is
        narrowed counts.
        """

    @property
    def path(self) -> str:
        """The path as in the URL: the mount point, then what the application routes; decoded."""

    @property
    def mount(self) -> str:
        """The mount point (``root_path``, SCRIPT_NAME) with no slash at its end; "" for none.

        Some servers take it from a header, so a client may have written it.
        """

    @property
    def mount_is_configured(self) -> bool:
        """Whether the application's own configuration names this mount point."""

    @property
    def target(self) -> bytes | None:
        """Path and query as received, or None where the server does not tell.

        A view whose server tells ``/?`` as ``/`` has an attribute ``drops_empty_query``, True.
        """

    @property
    def query(self) -> bytes | None:
        """The query as received, without its ``?``; empty for none, None if it is not told."""

    @property
    def scheme(self) -> str | None:
        """``https`` or ``http``, as the server sees it; None if it is not told.

        Behind a proxy that ends TLS it is ``http`` whatever the client asked for. A credential
        that vouches for the scheme means that of the edge, so it is held against a setting.
        """

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
        """All values of the named header field, as received, in order; any case of name.

        WSGI servers fold: ``X_Field`` and ``X-Field`` are one name, and several fields of one name
        are one value with commas.
        """

    def fields(self) -> Sequence[tuple[bytes, bytes]] | None:
        """Every header field as received, in order: name in lower case, and value.

        None where the server folds them (WSGI). A scheme that needs them apart has to say so in
        its refusal.
        """

    def fields_beginning(self, prefix: bytes) -> Sequence[tuple[bytes, bytes]]:
        """The header fields whose names begin with *prefix*: name in lower case, and value.

        WSGI servers have folded them, as :meth:`header` says. Elsewhere an underscore in the
        place of a dash begins alike: whoever is behind may fold such a name.

        Args:
            prefix: in lower case, with dashes, such as ``x-amz-``.
        """

    @property
    def compares_body(self) -> bool:
        """Whether the body is held against the digest that an identity names, as it streams.

        The decision service never sees a body.
        """


class Signable(Protocol):
    """What is needed of a request to sign it, or to verify a signature: see Request."""

    @property
    def method(self) -> str: ...
    @property
    def handshake(self) -> bool | None: ...
    @property
    def target(self) -> bytes | None: ...
    @property
    def host(self) -> bytes | None: ...
    def header(self, name: str) -> Sequence[bytes]: ...


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


@lru_cache(maxsize=64)
def folded_spellings(prefix: bytes) -> tuple[bytes, ...]:
    """How a name that begins with *prefix* may begin for a server that folds it into that."""
    first, *rest = prefix.split(b"-")
    found: tuple[bytes, ...] = (first,)
    for part in rest:
        found = tuple(begun + dash + part for begun in found for dash in (b"-", b"_"))
    return found


def route_method(request: Request) -> str | None:
    """The method that a route must name to cover *request*; None if none covers it.

    An exemption or a pass for GET must not open a WebSocket at the same path, and a request
    whose method is literally ``WEBSOCKET`` opens none.
    """
    opens = request.handshake
    if opens:
        return HANDSHAKE
    method = request.method
    return None if opens is None or method == HANDSHAKE else method


def opens_websocket(
    method: str,
    *,
    upgrade: Sequence[bytes] | None,
    connection: Sequence[bytes] | None,
    key: Sequence[bytes],
    version: Sequence[bytes],
) -> bool | None:
    """Whether header fields open a WebSocket (RFC 6455, 4.1): yes, no, or None for in part.

    Servers differ in how much of a handshake they ask for, so only what has nothing of one is
    none, and only what has all of it is one.

    Args:
        method: of the request.
        upgrade, connection: the values of these fields; None where a proxy keeps them to itself,
            since they are of one connection alone. They then decide nothing.
        key, version: the values of ``Sec-WebSocket-Key`` and ``Sec-WebSocket-Version``.
    """
    named = upgrade is not None and any(b"websocket" in value.lower() for value in upgrade)
    if not named and not key and not version:
        return False
    whole = (
        method == "GET"
        and (upgrade is None or [value.strip().lower() for value in upgrade] == [b"websocket"])
        and (connection is None or b"upgrade" in _tokens(connection))
        and len(key) == len(version) == 1
    )
    return True if whole else None


def _tokens(values: Sequence[bytes]) -> set[bytes]:
    return {token.strip().lower() for value in values for token in value.split(b",")}
