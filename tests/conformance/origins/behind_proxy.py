"""The application behind a proxy that asked the decision service: what the headers tell it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.vectors import NOW

if TYPE_CHECKING:
    from edgeauth.asgi import Receive, Scope, Send


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    while (await receive()).get("more_body"):
        pass
    fields = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
    age, pop = fields.get("x-edgeauth-age"), fields.get("x-edgeauth-pop")
    told = {
        "reason": fields.get("x-edgeauth-reason"),
        # The service of the tests lives at this time too.
        "identity": [None if age is None else NOW - int(age), pop],
        "path": scope["path"],
        "credential_visible": "edge-auth" in fields,
        "other_headers_visible": "test-judge" in fields,
    }
    body = json.dumps(told).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
