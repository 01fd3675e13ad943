"""Which header fields go on to the next hop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from multidict import CIMultiDict

from edgeauth.passes import HEADER as PASS_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# RFC 9110, 7.6.1, and Expect, which aiohttp's server has answered by then.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

# Each side of a WebSocket makes its own handshake.
_HANDSHAKE = "sec-websocket-"


def end_to_end(fields: Mapping[str, str]) -> CIMultiDict[str]:
    """*fields*, all of them in their order, without those of this connection alone."""
    connection = ",".join(value for name, value in fields.items() if name.lower() == "connection")
    dropped = _HOP_BY_HOP | {name.strip().lower() for name in connection.split(",")}
    return CIMultiDict(
        (name, value)
        for name, value in fields.items()
        if name.lower() not in dropped and not name.lower().startswith(_HANDSHAKE)
    )


def signed(
    fields: Mapping[str, str], headers: Iterable[str], credential: Iterable[tuple[str, str]]
) -> CIMultiDict[str]:
    """*fields* for the upstream: the client's *headers* gone, *credential* in their place.

    A pass goes as well, which is for the direct way to the origin. ``Edge_Auth`` goes too: WSGI
    servers fold it into the variable of ``Edge-Auth``.
    """
    gone = {name.lower() for name in (*headers, PASS_HEADER)}
    forwarded = CIMultiDict(
        (name, value)
        for name, value in end_to_end(fields).items()
        if name.lower().replace("_", "-") not in gone
    )
    forwarded.extend(credential)
    return forwarded
