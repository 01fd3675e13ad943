"""An application by ASGI and by WSGI that tells all that its server told it, as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from support.lifespan import live

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from edgeauth.asgi import Receive, Scope, Send


async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await live(receive, send)
        return
    while (await receive()).get("more_body"):
        pass
    body = _told(dict(scope))
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if environ.get("HTTP_TRANSFER_ENCODING"):
        while environ["wsgi.input"].read(10):
            pass
    body = _told({name: value for name, value in environ.items() if isinstance(value, str)})
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def _told(names: dict[str, Any]) -> bytes:
    return json.dumps(names, default=_text).encode()


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else repr(value)
