"""Starlette, and Django by ASGI, behind each gate: ``app`` is all of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.routing import Mount, Route, WebSocketRoute
from support.lifespan import live

from differential.routes import django_apps, planted
from differential.routes.table import (
    CHOICE,
    GATES,
    PAGES,
    SAW,
    SOCKETS,
    SUB,
    SUB_NAME,
    Gate,
    is_handshake,
    saw,
)
from edgeauth import Guard
from edgeauth.asgi import EdgeAuthMiddleware

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from edgeauth.asgi import ASGIApp, Receive, Scope, Send

planted.plant(os.environ.get("MATRIX_PLANTED"))


class Page:
    """A view that takes every method and tells its name."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive()).get("more_body"):
            pass
        if message["type"] == "http.disconnect":
            return
        fields = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        ]
        told = saw(scope["method"], self._name, handshake=is_handshake(fields)).encode("latin-1")
        body = SAW.encode() + b": " + told + b"\n"
        headers = [(SAW.lower().encode(), told), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send(
            {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body}
        )


def _socket(name: str) -> Any:
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(f"{SAW}: {saw('WEBSOCKET', name, handshake=True)}\n")
        await websocket.close()

    return endpoint


def _routes(before: str = "") -> list[Any]:
    return [
        *(Route(path, Page(before + name)) for path, name in PAGES.items()),
        *(WebSocketRoute(path, _socket(before + name)) for path, name in SOCKETS.items()),
    ]


def _starlette() -> ASGIApp:
    app = Starlette(routes=[Mount(SUB, routes=_routes(SUB_NAME)), *_routes()])
    app.router.redirect_slashes = False
    app.router.routes.append(Mount("", Page("any")))
    return app


def _placed(app: ASGIApp, gate: Gate) -> ASGIApp:
    """*app* where *gate* wants it."""
    if gate.mounted:
        app = Starlette(routes=[Mount(gate.mounted, app)])
    return _prefixed(app) if gate.believes_prefix else app


def _prefixed(app: ASGIApp) -> ASGIApp:
    """*app*, whose mount point a proxy tells, as werkzeug's ``ProxyFix(x_prefix=1)`` has it."""

    async def prefixed(scope: Scope, receive: Receive, send: Send) -> None:
        values = [
            value for name, value in scope.get("headers", ()) if name == b"x-forwarded-prefix"
        ]
        if values:
            scope["root_path"] = values[-1].split(b",")[-1].strip().decode("latin-1").rstrip("/")
        await app(scope, receive, send)

    return prefixed


def _all() -> dict[bytes, ASGIApp]:
    apps: dict[bytes, ASGIApp] = {}
    for name, gate in GATES.items():
        gated = EdgeAuthMiddleware(_starlette(), Guard.from_settings(gate.settings))
        apps[f"starlette/{name}".encode()] = _placed(gated, gate)
        django: Any = django_apps.asgi(gate)
        apps[f"django/{name}".encode()] = _placed(django, gate)
    return apps


_APPS = _all()
_CHOICE = CHOICE.lower().encode()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await live(receive, send)
        return
    choice = next((value for name, value in scope["headers"] if name == _CHOICE), b"")
    if scope["type"] == "websocket" and choice.startswith(b"django/"):
        choice = b""  # it has none
    await _APPS.get(choice, _nobody)(scope, receive, send)


async def _nobody(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    await send(
        {"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]}
    )
    await send({"type": "http.response.body", "body": b""})
