"""A plain ASGI application behind the gate, and under a mount point as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.lifespan import live

from conformance.origins.judge import JudgedGuard
from conformance.origins.mount import asgi_mounted
from conformance.origins.sight import sight
from edgeauth.asgi import EdgeAuthMiddleware

if TYPE_CHECKING:
    from edgeauth.asgi import Receive, Scope, Send


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await live(receive, send)
        return
    body = sight(
        scope["edgeauth"], scope["path"], [name.decode("latin-1") for name, _ in scope["headers"]]
    )
    if scope["type"] == "websocket":
        await greet(body, receive, send)
        return
    while (await receive()).get("more_body"):
        pass
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def greet(body: bytes, receive: Receive, send: Send) -> None:
    """Accept a WebSocket, tell what was seen, echo one message, close."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": body.decode()})
    message = await receive()
    if message["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})
        await send({"type": "websocket.close", "code": 1000})


app = asgi_mounted(EdgeAuthMiddleware(application, JudgedGuard()))
