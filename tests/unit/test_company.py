"""The gate beside other people's routers, tracing, test clients and validators."""

from __future__ import annotations

import asyncio
import http.client
import importlib
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.validate import validator

import falcon.asgi
import falcon.testing
import fastapi
import litestar
import litestar.testing
import pytest
import quart
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from support.vectors import SECRET

from edgeauth import EdgeAuthScheme, Guard, sign
from edgeauth.asgi import EdgeAuthMiddleware
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIGate


def gate(app):
    return EdgeAuthMiddleware(app, Guard(EdgeAuthScheme([SECRET]), addresses=None))


def credential():
    return {"Edge-Auth": sign(SECRET, pop="LHR")}


class Tracing:
    """Middleware outside of the gate that names each request by its route when it is over."""

    def __init__(self, app):
        self.app = app
        self.scope = None

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.scope = scope
        try:
            await self.app(scope, receive, send)
        finally:
            self.name = getattr(scope.get("route"), "path", None)
            self.parameters = scope.get("path_params")
            self.endpoint = scope.get("endpoint")


async def item(request):
    return PlainTextResponse(request.path_params["number"])


def test_tracing_outside_sees_the_route_that_fastapi_took():
    api = fastapi.FastAPI()
    api.add_api_route("/items/{number}", lambda number: number)
    tracing = Tracing(gate(api))
    assert TestClient(tracing).get("/items/7", headers=credential()).status_code == 200
    assert tracing.name == "/items/{number}"


@pytest.mark.parametrize(
    "app",
    [
        pytest.param(gate(Starlette(routes=[Route("/items/{number}", item)])), id="outside"),
        pytest.param(
            Starlette(
                routes=[
                    Mount("/items", gate(Starlette(routes=[Route("/{number}", item)]))),
                ]
            ),
            id="in a mount",
        ),
    ],
)
def test_tracing_outside_sees_the_endpoint_that_starlette_took(app):
    tracing = Tracing(app)
    assert TestClient(tracing).get("/items/7", headers=credential()).text == "7"
    assert tracing.endpoint is item
    assert tracing.parameters["number"] == "7"


def test_tracing_outside_sees_the_route_of_a_request_that_raised():
    api = fastapi.FastAPI()

    @api.get("/broken")
    def broken():
        raise ZeroDivisionError

    tracing = Tracing(gate(api))
    with pytest.raises(ZeroDivisionError):
        TestClient(tracing).get("/broken", headers=credential())
    assert tracing.name == "/broken"


def test_what_the_gate_took_and_gave_stays_inside():
    api = fastapi.FastAPI()
    api.add_api_route("/", lambda: "page")
    tracing = Tracing(gate(api))
    TestClient(tracing).get("/", headers=credential())
    assert "edgeauth" not in tracing.scope
    assert b"edge-auth" in dict(tracing.scope["headers"])


def test_fields_and_addresses_that_can_be_gone_through_once_reach_the_application_whole():
    value = credential()["Edge-Auth"].encode()
    seen = []

    async def app(scope, _receive, _send):
        seen.append((list(scope["headers"]), tuple(scope["client"])))

    def scope(fields):
        return {
            "type": "http",
            "method": "GET",
            "path": "/",
            "headers": fields,
            "client": iter(["192.0.2.1", 1]),
        }

    fields = [(b"host", b"a"), (b"edge-auth", value), (b"x-a", b"1")]
    for given in (
        iter(fields),
        tuple(fields),
        [iter(field) for field in fields],
        (iter(field) for field in fields),
    ):
        # The value is a known one from the second time on.
        asyncio.run(gate(app)(scope(given), None, None))
    wanted = ([(b"host", b"a"), (b"x-a", b"1")], ("192.0.2.1", 1))
    assert seen == [wanted] * 4


def test_falcons_test_client_passes_the_gate():
    class Page:
        async def on_get(self, request, response):
            response.media = {"host": request.host, "peer": request.remote_addr}

    app = falcon.asgi.App()
    app.add_route("/", Page())
    client = falcon.testing.TestClient(gate(app))
    answer = client.simulate_get("/", headers=credential())
    assert answer.json == {"host": "falconframework.org", "peer": "127.0.0.1"}
    assert client.simulate_get("/", headers={"X-A": "1"}).status_code == 403
    assert client.simulate_post("/", body="x" * 100).status_code == 403


def test_litestars_test_client_passes_the_gate():
    @litestar.get("/", sync_to_thread=False)
    def page() -> str:
        return "page"

    with litestar.testing.TestClient(gate(litestar.Litestar([page]))) as client:
        assert client.get("/", headers=credential()).text == "page"
        assert client.post("/", content="x" * 100).status_code == 403


def test_quarts_test_client_passes_the_gate():
    app = quart.Quart(__name__)

    @app.get("/")
    async def page():
        return "page"

    app.asgi_app = gate(app.asgi_app)

    async def statuses():
        client = app.test_client()
        answers = [
            await client.get("/", headers=credential()),
            await client.post("/", data="x" * 100),
        ]
        return [answer.status_code for answer in answers]

    assert asyncio.run(statuses()) == [200, 403]


def plain(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "4")])
    assert environ["edgeauth.verdict"].allowed
    return [b"page"]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_args):
        pass


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda guard: WSGIGate(validator(plain), guard), id="inside"),
        pytest.param(lambda guard: validator(WSGIGate(validator(plain), guard)), id="around"),
    ],
)
def test_the_validator_of_the_standard_library_accepts_the_gate(wrap, capfd):
    app = wrap(Guard(EdgeAuthScheme([SECRET])))
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            statuses = []
            for method, headers in (("GET", credential()), ("GET", {}), ("POST", {})):
                connection = http.client.HTTPConnection(*server.server_address, timeout=10)
                connection.request(method, "/", "x" if method == "POST" else None, headers)
                response = connection.getresponse()
                statuses.append((response.status, response.read()))
                connection.close()
        finally:
            server.shutdown()
            thread.join()
    assert statuses == [(200, b"page"), (403, b"Forbidden\n"), (403, b"Forbidden\n")]
    assert "Error" not in capfd.readouterr().err


@pytest.mark.filterwarnings("ignore:'cgi' is deprecated")  # of webob, on its import
def test_webtest_accepts_the_gate_and_what_it_hands_on():
    guard = Guard(EdgeAuthScheme([SECRET]))
    webtest = importlib.import_module("webtest")
    client = webtest.TestApp(WSGIGate(webtest.lint.middleware(plain), guard))
    assert client.get("/", headers=credential()).text == "page"
    client.post("/", "x" * 100, status=403)
