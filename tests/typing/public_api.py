"""The public API as users write it; mypy reads this file, nothing runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, assert_type

import httpx
import requests
from fastapi import Depends, FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.middleware import Middleware

import edgeauth
import edgeauth.asgi
import edgeauth.clients.httpx
import edgeauth.clients.requests
import edgeauth.flask
import edgeauth.wsgi
from edgeauth.django.middleware import EdgeAuthMiddleware as DjangoMiddleware
from edgeauth.starlette import edge_identity

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from django.http import HttpRequest, HttpResponse
    from starlette.requests import Request
    from starlette.websockets import WebSocket

SECRET = "a secret for the type checker"

guard = edgeauth.Guard(
    edgeauth.EdgeAuthScheme([edgeauth.Key("2026", SECRET)], pops=["LHR"]),
    addresses=edgeauth.AddressList.fastly(),
    trusted_proxies=["192.0.2.0/24", "unix"],
    exempt=["GET /healthz"],
    mode="report-only",
)
from_mapping = edgeauth.Guard.from_settings({"secret": SECRET, "exempt": ["GET /healthz"]})
from_environment = edgeauth.Guard.from_settings()

assert_type(edgeauth.sign(SECRET, pop="LHR", encoding="base64"), str)
assert_type(edgeauth.verify(b"value", [SECRET]), edgeauth.EdgeIdentity)

# Were this not an error, mypy would tell of an ignore that nothing needs.
misspelled = edgeauth.Gaurd  # type: ignore[attr-defined]


starlette_app = Starlette(middleware=[Middleware(edgeauth.asgi.EdgeAuthMiddleware, guard=guard)])
starlette_app.add_middleware(edgeauth.asgi.EdgeAuthMiddleware)
starlette_app.add_middleware(edgeauth.asgi.EdgeAuthMiddleware, guard=guard)
wrapped_asgi = edgeauth.asgi.EdgeAuthMiddleware(starlette_app, guard)


async def starlette_endpoint(request: Request) -> None:
    assert_type(await edge_identity(request), edgeauth.EdgeIdentity)


async def websocket_endpoint(websocket: WebSocket) -> None:
    assert_type(await edge_identity(websocket), edgeauth.EdgeIdentity)


fastapi_app = FastAPI()
fastapi_app.add_middleware(edgeauth.asgi.EdgeAuthMiddleware, guard=guard)


@fastapi_app.get("/")
async def fastapi_endpoint(
    identity: Annotated[edgeauth.EdgeIdentity, Depends(edge_identity)],
) -> str | None:
    assert_type(identity.age(0), float | None)
    return identity.pop


flask_app = Flask(__name__)
edgeauth.flask.EdgeAuth(flask_app, guard=guard)
extension = edgeauth.flask.EdgeAuth()
extension.init_app(flask_app)


def wsgi_app(application: WSGIApplication) -> WSGIApplication:
    return edgeauth.wsgi.EdgeAuthMiddleware(application, guard=guard)


def django_middleware(request: HttpRequest, response: HttpResponse) -> None:
    DjangoMiddleware(lambda _request: response)(request)


def sync_clients() -> None:
    with httpx.Client(auth=edgeauth.clients.httpx.EdgeAuth(SECRET, pop="LHR")) as client:
        assert_type(client.get("http://127.0.0.1/"), httpx.Response)
    requests.get("http://127.0.0.1/", auth=edgeauth.clients.requests.EdgeAuth(SECRET), timeout=1)


async def async_client() -> None:
    auth = edgeauth.clients.httpx.EdgeAuth(SECRET, pop=None, encoding="base64", header="X-Edge")
    async with httpx.AsyncClient() as client:
        assert_type(await client.get("http://127.0.0.1/", auth=auth), httpx.Response)
