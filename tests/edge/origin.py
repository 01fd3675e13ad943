"""An example origin: shows who signed the request and which headers reached it.

``/stream`` sends one part of its body and the rest when ``/release`` was asked for; ``/seen``
says how much of the body of ``/upload`` has arrived.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json

from edgeauth.asgi import EdgeAuthMiddleware

released = asyncio.Event()
seen = 0


async def show(scope, receive, send):
    if scope["type"] == "websocket":
        await _echo(scope, receive, send)
    elif scope["type"] == "http":
        page = PAGES.get(scope["path"], _show)
        await page(scope, receive, send)


async def _show(scope, receive, send):
    identity = scope["edgeauth"].identity
    report = {
        "pop": identity.pop,
        "method": scope["method"],
        "target": (scope["raw_path"] + b"?" + scope["query_string"]).decode(),
        "body": (await _body(receive)).decode(),
        "headers": [[name.decode(), value.decode()] for name, value in scope["headers"]],
    }
    await _answer(send, json.dumps(report).encode(), ("cache-control", "private"))


async def _body(receive):
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _stream(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"first", "more_body": True})
    await released.wait()
    await send({"type": "http.response.body", "body": b"rest"})


async def _release(_scope, _receive, send):
    released.set()
    await _answer(send, b"")


async def _upload(_scope, receive, send):
    global seen  # noqa: PLW0603 - one process, one test
    seen = 0
    more = True
    while more:
        message = await receive()
        seen += len(message.get("body", b""))
        more = message.get("more_body", False)
    await _answer(send, str(seen).encode())


async def _seen(_scope, _receive, send):
    await _answer(send, str(seen).encode())


async def _moved(_scope, _receive, send):
    fields = (("location", "/elsewhere"), ("set-cookie", "a=1"), ("set-cookie", "b=2"))
    await _answer(send, b"", *fields, status=302)


async def _packed(_scope, _receive, send):
    await _answer(send, gzip.compress(b"packed"), ("content-encoding", "gzip"))


async def _cut(_scope, _receive, send):
    headers = [(b"content-length", b"100")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"only this", "more_body": True})
    raise RuntimeError("the origin dies in the middle of an answer")


async def _answer(send, body, *fields, status=200):
    headers = [(name.encode(), value.encode()) for name, value in fields]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _echo(scope, receive, send):
    await receive()
    offered = scope["subprotocols"]
    await send({"type": "websocket.accept", "subprotocol": offered[-1] if offered else None})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "close, please":
            await send({"type": "websocket.close", "code": 4321})
            return
        if message.get("text") == "a flood, please":
            await _flood(send)
            return
        kind = "text" if message.get("text") is not None else "bytes"
        await send({"type": "websocket.send", kind: message[kind]})


async def _flood(send):
    with contextlib.suppress(Exception):  # of a server that is told to send to nobody
        for _ in range(500):
            await send({"type": "websocket.send", "bytes": bytes(100_000)})


PAGES = {
    "/stream": _stream,
    "/release": _release,
    "/upload": _upload,
    "/seen": _seen,
    "/moved": _moved,
    "/packed": _packed,
    "/cut": _cut,
}

app = EdgeAuthMiddleware(show)
