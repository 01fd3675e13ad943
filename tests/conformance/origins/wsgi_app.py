"""A plain WSGI application behind the gate, and under a mount point as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.origins.judge import JudgedGuard
from conformance.origins.mount import wsgi_mounted
from conformance.origins.sight import sight
from edgeauth.wsgi import EdgeAuthMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    environ["wsgi.input"].read()
    # Frameworks read an empty PATH_INFO, and one without a slash, as if the slash were there.
    routed = environ.get("SCRIPT_NAME", "") + "/" + environ["PATH_INFO"].removeprefix("/")
    path = routed.encode("latin-1").decode("utf-8", "replace")
    body = sight(
        environ["edgeauth.verdict"], path, [name for name in environ if name.startswith("HTTP_")]
    )
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


app = wsgi_mounted(EdgeAuthMiddleware(application, JudgedGuard()))
