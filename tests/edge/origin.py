"""An example origin: shows who signed the request and which headers reached it."""

from __future__ import annotations

import json

from edgeauth.asgi import EdgeAuthMiddleware


async def show(scope, receive, send):
    if scope["type"] == "websocket":
        await _echo(receive, send)
    elif scope["type"] == "http":
        await _show(scope, receive, send)


async def _show(scope, receive, send):
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    identity = scope["edgeauth"].identity
    seen = {
        "pop": identity.pop,
        "method": scope["method"],
        "path": scope["path"],
        "body": body.decode(),
        "headers": [[name.decode(), value.decode()] for name, value in scope["headers"]],
    }
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"private")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(seen).encode()})


async def _echo(receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


app = EdgeAuthMiddleware(show)
