"""What may come of a request, by the names of the views alone.

An unsigned request reaches the views of the exemptions, or is refused: with 400 and more, by
whomever, or by an end of the connection. Whatever the server or a mutation made of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from support.server_facts import folds
from support.servers import SERVERS

from differential.routes.table import GATES, SAW

if TYPE_CHECKING:
    from differential.routes.grammar import Asked

# In a header or in a body: servers answer some requests without a header, and HEAD without a body.
_SAW = re.compile(rb"(?i)" + SAW.encode() + rb": (\S*) (\S*) (handshake|plain)")
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")


_PAGE = "-page"

# A field that CGI's names of variables make one with X-Forwarded-For.
_TWIN = re.compile(rb"(?i)\nX[-_]Forwarded[-_]For[ \t]*:")


def wrong_with(asked: Asked, received: bytes, server: str) -> str | None:
    """A sentence about what *received* must not be as the answer to *asked*; None if all is well.

    Under a *server* that cannot tell a look-alike from X-Forwarded-For no gate can: its proxy
    must (docs/servers.md).
    """
    told = {b" ".join(found).decode("latin-1") for found in _SAW.findall(received)}
    if asked.wanted is not None:
        return None if told == {asked.wanted} else f"reached {told}, not {asked.wanted!r}"
    if asked.signed or (asked.gate == "address" and folds(server) and _has_twin(asked.raw)):
        return None
    wsgi = SERVERS[server].kind == "wsgi"
    for text in told:
        method, name, upgrade = text.split(" ")
        if wsgi and upgrade == "handshake" and name.endswith(_PAGE):
            # WSGI has no other request for a handshake: the view of the path gets it as GET.
            method, name = "WEBSOCKET", name.removesuffix(_PAGE)
        if (method, name) not in GATES[asked.gate].opens:
            return f"reached {text!r} unsigned"
        if wsgi and upgrade == "handshake" and method != "WEBSOCKET":
            return f"a handshake reached {text!r}, which is exempt for {method} alone"
    status = _STATUS.match(received)
    if not told and status is not None and status[1] != b"100" and int(status[1]) < 400:
        return f"was answered {status[1].decode()} by no view"
    return None


def _has_twin(raw: bytes) -> bool:
    return any(found.rstrip(b":") != b"\nX-Forwarded-For" for found in _TWIN.findall(raw))
