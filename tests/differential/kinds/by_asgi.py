"""An ASGI application, and Django by ASGI, behind the gate of each kind: ``app`` is all of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from support.lifespan import live

from differential.kinds import planted, site
from differential.kinds.table import CHOICE, KINDS, SAW, stop_the_clock
from differential.kinds.telling import HANDED, of_scope, told
from edgeauth import Guard
from edgeauth.asgi import EdgeAuthMiddleware

if TYPE_CHECKING:
    from edgeauth.asgi import ASGIApp, Receive, Scope, Send

stop_the_clock()
planted.plant(os.environ.get("MATRIX_PLANTED"))


async def _page(scope: Scope, receive: Receive, send: Send) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return
        body, more = body + message.get("body", b""), message.get("more_body", False)
    names = [name.decode("latin-1") for name, _ in scope["headers"]]
    saw = told(scope[HANDED], names, body).encode()
    headers = [(SAW.lower().encode(), saw), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    content = b"" if scope["method"] == "HEAD" else b"in"
    await send({"type": "http.response.body", "body": content})


APPS: dict[str, dict[str, ASGIApp]] = {
    name: {
        "asgi": EdgeAuthMiddleware(_page, Guard.from_settings(kind.settings)),
        "django-asgi": site.asgi(kind.settings),
    }
    for name, kind in KINDS.items()
}
_CHOICE = CHOICE.lower().encode()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await live(receive, send)
        return
    assert scope["type"] == "http"  # the grammar asks for no WebSocket
    choice = next((value for name, value in scope["headers"] if name == _CHOICE), b"0 nobody")
    place, name = choice.decode().split()
    if name not in APPS:  # a server read no fields behind one that is none
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    found = list(APPS[name].values())
    await found[int(place) % len(found)]({**scope, HANDED: of_scope(dict(scope))}, receive, send)
