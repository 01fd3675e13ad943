"""The app that served.py asks: without middleware, with the gate, and with a peer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware.trustedhost import TrustedHostMiddleware
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
trusted_host = Starlette(routes=routes)
trusted_host.add_middleware(TrustedHostMiddleware, allowed_hosts=["www.example.com"])
