"""A Starlette app behind the gate whose views answer with their names."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute

from edgeauth.asgi import EdgeAuthMiddleware


def view(name):
    async def tell(_request):
        return PlainTextResponse(name)

    return tell


def websocket(name):
    async def tell(socket):
        await socket.accept()
        await socket.send_text(name)
        await socket.close()

    return tell


app = Starlette(
    routes=[
        *(Route(path, view(name)) for path, name in (("/", "front"), ("/healthz", "healthz"))),
        Route("/admin", view("admin")),
        *(WebSocketRoute(path, websocket(name)) for path, name in (("/", "front"), ("/feed", "f"))),
    ]
)
app.add_middleware(EdgeAuthMiddleware)
