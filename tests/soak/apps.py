"""What is guarded in the soak: says who was let in, and takes its time if it is asked to."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from edgeauth.asgi import EdgeAuthMiddleware as AsgiGate
from edgeauth.wsgi import EdgeAuthMiddleware as WsgiGate
from soak.traffic import WORKING

if TYPE_CHECKING:
    from edgeauth import Verdict

# Long enough for a SIGTERM to come meanwhile.
_WORK_SECONDS = 0.05


def asgi():
    return AsgiGate(_asgi)


def wsgi():
    return WsgiGate(_wsgi)


async def _asgi(scope, _receive, send):
    assert "edge-auth" not in {name.decode().lower() for name, _ in scope["headers"]}
    if scope["path"].startswith(WORKING):
        await asyncio.sleep(_WORK_SECONDS)
    body = _told(scope["edgeauth"])
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _wsgi(environ, start_response):
    assert "HTTP_EDGE_AUTH" not in environ
    if environ["PATH_INFO"].startswith(WORKING):
        time.sleep(_WORK_SECONDS)
    body = _told(environ["edgeauth.verdict"])
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def _told(verdict: Verdict) -> bytes:
    key_id = "-" if verdict.identity is None else verdict.identity.key_id
    return f"{verdict.reason} {key_id}".encode()
