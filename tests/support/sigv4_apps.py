"""Applications behind a gate for AWS SigV4, by ASGI and by WSGI; both read a body to its end.

``ROWS=1`` in the environment makes a gate that judges the published rows, each at its time.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from edgeauth import Guard
from edgeauth.asgi import EdgeAuthMiddleware as ASGIMiddleware
from edgeauth.schemes.aws_sigv4 import AwsSigV4Scheme
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIMiddleware
from support.sigv4 import KEY, REGION


def _scheme() -> Any:
    if os.environ.get("ROWS"):
        sys.path.append(str(Path(__file__).parents[1] / "row_kind"))
        from row_kind.sigv4 import SigV4RowScheme  # noqa: PLC0415

        return SigV4RowScheme([KEY])
    return AwsSigV4Scheme([KEY], region=REGION)


async def told_by_asgi(scope: Any, receive: Any, send: Any) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    names = b" ".join(name for name, _ in scope["headers"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d %b" % (size, names)})


def _told_by_wsgi(environ: Any, start_response: Any) -> list[bytes]:
    size = len(environ["wsgi.input"].read())
    names = " ".join(name[5:].replace("_", "-").lower() for name in environ if name[:5] == "HTTP_")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{size} {names}".encode()]


_guard = Guard(_scheme())
asgi = ASGIMiddleware(told_by_asgi, _guard)
wsgi = WSGIMiddleware(_told_by_wsgi, _guard)
