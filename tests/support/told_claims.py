"""Applications that tell the claims of the identity, behind the gate of the environment."""

from __future__ import annotations

import json
from typing import Any

from edgeauth.asgi import EdgeAuthMiddleware as ASGIMiddleware
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIMiddleware


async def _asgi(scope: Any, _receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        body = json.dumps(dict(scope["edgeauth"].identity.claims)).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})


def _wsgi(environ: Any, start_response: Any) -> list[bytes]:
    body = json.dumps(dict(environ["edgeauth.verdict"].identity.claims)).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


asgi = ASGIMiddleware(_asgi)
wsgi = WSGIMiddleware(_wsgi)
