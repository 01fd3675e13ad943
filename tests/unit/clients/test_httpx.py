"""The auth class for httpx, and for httpx2, which Starlette's test client is of."""

from __future__ import annotations

import asyncio
import sys

import httpx
import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from support.vectors import SECRET

import edgeauth
from edgeauth.asgi import EdgeAuthMiddleware
from edgeauth.clients.httpx import EdgeAuth

LIBRARIES = pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda it: it.__name__)


@LIBRARIES
def test_a_client_signs_its_requests(home, library):
    with library.Client(auth=EdgeAuth(SECRET, pop="LHR")) as client:
        client.get(home.url)
    assert edgeauth.verify(home.values[0], [SECRET]).pop == "LHR"


@LIBRARIES
def test_a_single_request_is_signed(home, library):
    library.get(home.url, auth=EdgeAuth(SECRET))
    assert edgeauth.verify(home.values[0], [SECRET])


@LIBRARIES
def test_an_async_client_signs_its_requests(home, library):
    async def fetch():
        async with library.AsyncClient(auth=EdgeAuth(SECRET)) as client:
            await client.get(home.url)

    asyncio.run(fetch())
    assert edgeauth.verify(home.values[0], [SECRET]).pop == "XXX"


def test_the_test_client_of_the_web_framework_gets_past_the_gate():
    app = FastAPI()
    app.add_api_route("/", lambda: "page")
    app.add_middleware(EdgeAuthMiddleware, guard=edgeauth.Guard.from_settings({"secret": SECRET}))
    client = TestClient(app)
    assert isinstance(client, (httpx.Client, httpx2.Client))
    assert client.get("/").status_code == 403
    assert client.get("/", auth=EdgeAuth(SECRET)).status_code == 200
    client.auth = EdgeAuth(SECRET)
    assert client.get("/").json() == "page"


@LIBRARIES
def test_each_request_is_signed_for_the_moment_it_is_sent(monkeypatch, library):
    sent = []

    def answer(request):
        sent.append(request.headers["Edge-Auth"])
        return library.Response(200)

    with library.Client(auth=EdgeAuth(SECRET), transport=library.MockTransport(answer)) as client:
        for now in (1_700_000_000, 1_700_000_001):
            monkeypatch.setattr("time.time", lambda now=now: now)
            client.get("http://127.0.0.1/")
            assert edgeauth.verify(sent[-1], [SECRET], now=now, max_age=0)


def test_it_needs_neither_library(monkeypatch):
    for name in ("httpx", "httpx2"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "edgeauth.clients.httpx")
    import edgeauth.clients.httpx as fresh  # noqa: PLC0415

    assert fresh.EdgeAuth(SECRET).header == "Edge-Auth"


@LIBRARIES
def test_a_redirect_to_another_host_is_not_followed_unless_the_client_is_told_to(
    home, abroad, library
):
    with library.Client(auth=EdgeAuth(SECRET)) as client:
        assert client.get(f"{home.url}/to?{abroad.url}/").status_code == 302
    assert abroad.seen == []


@LIBRARIES
def test_a_client_that_follows_redirects_takes_the_credential_along_as_the_docstring_warns(
    home, abroad, library
):
    with library.Client(auth=EdgeAuth(SECRET), follow_redirects=True) as client:
        client.get(f"{home.url}/to?{abroad.url}/")
    # Once httpx offers a way to prevent this, use it and take the warning back.
    assert abroad.values == home.values
