"""The dependency for Starlette and FastAPI."""

from __future__ import annotations

import asyncio
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from support.vectors import SECRET

from edgeauth import ConfigurationError, EdgeIdentity, Guard, Verdict, sign
from edgeauth.asgi import EdgeAuthMiddleware
from edgeauth.starlette import UNVERIFIED, demand_coverage, edge_identity


def starlette_app(middleware):
    async def pop(request):
        return JSONResponse((await edge_identity(request)).pop)

    async def pop_over_websocket(websocket):
        identity = await edge_identity(websocket)
        await websocket.accept()
        await websocket.send_json(identity.pop)
        await websocket.close()

    routes = [Route("/", pop), WebSocketRoute("/ws", pop_over_websocket)]
    return Starlette(routes=routes, middleware=middleware)


def fastapi_app(middleware):
    app = FastAPI(middleware=middleware)

    @app.get("/")
    async def pop(identity: Annotated[EdgeIdentity, Depends(edge_identity)]):
        return identity.pop

    @app.websocket("/ws")
    async def pop_over_websocket(
        websocket: WebSocket, identity: Annotated[EdgeIdentity, Depends(edge_identity)]
    ):
        await websocket.accept()
        await websocket.send_json(identity.pop)
        await websocket.close()

    return app


@pytest.fixture(params=[starlette_app, fastapi_app], ids=["Starlette", "FastAPI"])
def app_behind(request):
    """Makes either framework's app; behind a guard with *settings*, unless they are None."""

    def make(settings):
        if settings is None:
            return request.param([])
        guard = Guard.from_settings({"secret": SECRET, **settings})
        return request.param([Middleware(EdgeAuthMiddleware, guard=guard)])

    return make


def get(app, headers):
    async def send():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://origin") as client:
            return await client.get("/", headers=headers)

    return asyncio.run(send())


def messages_of_websocket(app, headers):
    """What *app* sends to a client that connects to /ws and goes away."""
    received = iter([{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}])
    sent = []

    async def receive():
        return next(received)

    async def send(message):
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": "/ws",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(app(scope, receive, send))
    return sent


def signed():
    return {"Edge-Auth": sign(SECRET, pop="LHR")}


def test_an_endpoint_gets_the_identity(app_behind):
    response = get(app_behind({}), signed())
    assert (response.status_code, response.json()) == (200, "LHR")


def test_a_websocket_endpoint_gets_the_identity(app_behind):
    accepted, text, *_ = messages_of_websocket(app_behind({}), signed())
    assert (accepted["type"], text["text"]) == ("websocket.accept", '"LHR"')


def test_an_endpoint_that_wants_an_identity_refuses_an_exempt_request(app_behind):
    response = get(app_behind({"exempt": ["GET /"]}), {})
    assert response.status_code == 403
    assert response.headers["Cache-Control"] == "no-store"


def test_an_endpoint_that_wants_an_identity_refuses_an_exempt_websocket(app_behind):
    (closed,) = messages_of_websocket(app_behind({"exempt": ["WEBSOCKET /ws"]}), {})
    assert (closed["type"], closed["code"]) == ("websocket.close", 1008)


@pytest.mark.parametrize("exempt", [{}, {"exempt": ["GET /"]}], ids=["refused", "exempt"])
def test_in_report_only_an_endpoint_gets_an_identity_that_is_called_unverified(app_behind, exempt):
    response = get(app_behind({"mode": "report-only", **exempt}), {})
    assert (response.status_code, response.json()) == (200, UNVERIFIED.pop)
    assert (UNVERIFIED.key_id, UNVERIFIED.pop) == ("unverified", None)


@pytest.mark.parametrize("exempt", [{}, {"exempt": ["WEBSOCKET /ws"]}], ids=["refused", "exempt"])
def test_in_report_only_a_websocket_endpoint_gets_it_too(app_behind, exempt):
    accepted, text, *_ = messages_of_websocket(app_behind({"mode": "report-only", **exempt}), {})
    assert (accepted["type"], text["text"]) == ("websocket.accept", "null")


def test_in_report_only_a_signed_request_has_its_own_identity(app_behind):
    response = get(app_behind({"mode": "report-only"}), signed())
    assert (response.status_code, response.json()) == (200, "LHR")


def test_a_verdict_of_report_only_without_its_guard_is_enough():
    verdict = Verdict(allowed=True, reason="missing", enforced=False)
    connection = HTTPConnection({"type": "http", "edgeauth": verdict})
    assert asyncio.run(edge_identity(connection)) == UNVERIFIED


def test_what_the_module_offers_are_the_dependencies_and_the_identity_of_report_only():
    offered = {}
    exec("from edgeauth.starlette import *", offered)
    assert {"UNVERIFIED", "demand_coverage", "edge_identity"} == set(offered) - {"__builtins__"}


def test_the_denial_of_a_head_request_that_is_not_covered_has_no_body():
    demand, sent = demand_coverage("path"), []

    async def page(request):
        await demand(request)

    async def send(message):
        sent.append(message)

    app = Starlette(routes=[Route("/", page)])
    headers = [(name.lower().encode(), value.encode()) for name, value in signed().items()]
    scope = {"type": "http", "method": "HEAD", "path": "/", "query_string": b"", "headers": headers}
    gate = EdgeAuthMiddleware(app, Guard.from_settings({"secret": SECRET}))
    asyncio.run(gate(scope, None, send))
    assert (sent[0]["status"], sent[1].get("body")) == (403, b"")


@pytest.mark.parametrize("ask", [get, messages_of_websocket], ids=["http", "websocket"])
def test_without_the_middleware_the_error_says_what_to_add(app_behind, ask):
    with pytest.raises(ConfigurationError, match="add_middleware"):
        ask(app_behind(None), signed())
