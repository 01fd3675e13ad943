"""An origin whose gate admits each signed request once, and whose pages redirect on demand.

``/to?URL`` redirects to URL with 302, ``/again?URL`` with 307. Each page tells what it got, and
whether a digest of the body was signed that fits.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

from edgeauth import Guard
from edgeauth.asgi import EdgeAuthMiddleware
from edgeauth.replay import MemoryReplayStore
from edgeauth.schemes.message_signatures import MessageSignatureScheme
from support.signed_requests import KEY

DEFAULT = ("@method", "@authority", "@path", "@query")


async def _page(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    identity = scope["edgeauth"].identity
    digest = identity.body
    told = {
        "method": scope["method"],
        "path": scope["raw_path"].decode(),
        "body": body.decode(),
        "digest": None
        if digest is None
        else hashlib.new(digest.algorithm, body).digest() == digest.value,
        "fields": [name.decode() for name, _ in scope["headers"]],
    }
    headers, status = [(b"content-type", b"application/json")], 200
    if scope["path"] in {"/to", "/again"}:
        headers.append((b"location", scope["query_string"]))
        status = 302 if scope["path"] == "/to" else 307
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})


_more = os.environ.get("MORE_COMPONENTS", "").split()
scheme = MessageSignatureScheme([KEY], components=(*DEFAULT, *_more), tag="edge", scheme="http")
app = EdgeAuthMiddleware(_page, Guard(scheme, replay=MemoryReplayStore()))
