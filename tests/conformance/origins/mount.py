"""An application under a mount point, as dispatchers and routers mount it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from edgeauth.asgi import ASGIApp, Receive, Scope, Send

MOUNT = "/mounted"


def wsgi_mounted(inner: WSGIApplication) -> WSGIApplication:
    """*inner*, which also answers under the mount point, as a dispatcher would mount it."""

    def dispatch(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == MOUNT or path.startswith(MOUNT + "/"):
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + MOUNT
            environ["PATH_INFO"] = path.removeprefix(MOUNT)
        return inner(environ, start_response)

    return dispatch


def asgi_mounted(inner: ASGIApp) -> ASGIApp:
    """*inner*, which also answers under the mount point, as a router would mount it.

    A request with ``Test-Server: plain`` meets a server without the extension that lets an
    application answer a WebSocket handshake.
    """

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path == MOUNT or path.startswith(MOUNT + "/"):
            scope["root_path"] = scope.get("root_path", "") + MOUNT
        if (b"test-server", b"plain") in scope.get("headers", ()):
            scope["extensions"] = {}
        await inner(scope, receive, send)

    return dispatch
