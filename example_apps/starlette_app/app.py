"""A Starlette app that answers its edge and nobody else."""

from dataclasses import replace

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from edgeauth import Guard, Settings
from edgeauth.asgi import EdgeAuthMiddleware
from edgeauth.starlette import edge_identity
from example_apps.page import page


async def index(request: Request) -> HTMLResponse:
    return HTMLResponse(page("Starlette", await edge_identity(request)))


async def healthz(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok\n")


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


# EDGEAUTH_SECRET, and whatever else is set, comes from the environment.
guard = Guard.from_settings(replace(Settings.from_environ(), exempt=("GET /healthz",)))

app = Starlette(
    routes=[
        Route("/", index),
        Route("/healthz", healthz),
        WebSocketRoute("/ws", echo),
    ],
    middleware=[Middleware(EdgeAuthMiddleware, guard=guard)],
)
