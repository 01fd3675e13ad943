"""Exemptions in applications that are mounted, as Starlette and FastAPI mount them."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from support.vectors import SECRET

from edgeauth import EdgeAuthScheme, Guard
from edgeauth.asgi import EdgeAuthMiddleware


def guard(**options):
    return Guard(EdgeAuthScheme([SECRET]), **options)


def routes():
    def view(name):
        return lambda _request: PlainTextResponse(name)

    return [Route(path, view(path)) for path in ("/", "/healthz", "/admin")]


def fastapi_app(gate, **options):
    app = FastAPI(routes=routes(), **options)
    app.add_middleware(EdgeAuthMiddleware, guard=gate)
    return app


@pytest.mark.filterwarnings("ignore:The `root_path` parameter")
@pytest.mark.parametrize("server", ["", "/other"])
def test_the_root_path_of_fastapi_is_configuration(server):
    app = fastapi_app(guard(exempt=["GET /x/healthz", "GET /other/healthz"]), root_path="/x")
    client = TestClient(app, root_path=server)

    for path in ("/healthz", "/x/healthz"):
        assert client.get(path).text == "/healthz"
    assert client.get("/admin").status_code == 403


def test_the_root_path_of_the_server_is_no_configuration_of_fastapi():
    client = TestClient(fastapi_app(guard(exempt=["GET /x/healthz"])), root_path="/x")

    assert client.get("/healthz").status_code == 403


@pytest.mark.parametrize("points", [[], ["/x"], ["/", "/x/inside"]])
def test_a_gate_inside_of_a_mount_counts_where_the_mount_is_named(points):
    gate = EdgeAuthMiddleware(
        Starlette(routes=routes()), guard(exempt=["GET /x/healthz"], mount_points=points)
    )
    client = TestClient(Starlette(routes=[Mount("/x", gate)]))

    assert client.get("/x/healthz").status_code == (200 if points == ["/x"] else 403)
    assert client.get("/x/admin").status_code == 403


def test_a_gate_around_a_mount_needs_no_word_of_it():
    app = Starlette(routes=[Mount("/x", Starlette(routes=routes()))])
    client = TestClient(EdgeAuthMiddleware(app, guard(exempt=["GET /x/healthz"])))

    assert client.get("/x/healthz").text == "/healthz"
    assert client.get("/x/admin").status_code == 403
