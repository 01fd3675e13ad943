"""The app that served.py asks, with and without the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from edgeauth import Guard
from edgeauth.asgi import EdgeAuthMiddleware

if TYPE_CHECKING:
    from starlette.requests import Request


async def hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


routes = [Route("/", hello)]
bare = Starlette(routes=routes)
guarded = Starlette(routes=routes)
guarded.add_middleware(EdgeAuthMiddleware, guard=Guard.from_settings())
