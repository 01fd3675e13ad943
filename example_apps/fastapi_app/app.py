"""A FastAPI app that answers its edge and nobody else."""

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, FastAPI, WebSocket
from fastapi.responses import HTMLResponse, PlainTextResponse

from edgeauth import EdgeIdentity, Guard, Settings
from edgeauth.asgi import EdgeAuthMiddleware
from edgeauth.starlette import edge_identity
from example_apps.page import page

# EDGEAUTH_SECRET, and whatever else is set, comes from the environment.
guard = Guard.from_settings(replace(Settings.from_environ(), exempt=("GET /healthz",)))

app = FastAPI()
app.add_middleware(EdgeAuthMiddleware, guard=guard)


@app.get("/")
async def index(identity: Annotated[EdgeIdentity, Depends(edge_identity)]) -> HTMLResponse:
    return HTMLResponse(page("FastAPI", identity))


@app.get("/healthz")
async def healthz() -> PlainTextResponse:
    return PlainTextResponse("ok\n")


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)
