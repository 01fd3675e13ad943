"""The doctor asks apps of the real frameworks: well gated, open, and open in part."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import falcon
import falcon.asgi
import pytest
from fastapi import APIRouter, FastAPI
from flask import Flask
from litestar import Litestar, get, post
from quart import Quart
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from support.vectors import SECRET
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from edgeauth import Guard, Key
from edgeauth.asgi import EdgeAuthMiddleware as ASGIGate
from edgeauth.ops.doctor.app_checks import check_app
from edgeauth.ops.doctor.app_loading import is_asgi
from edgeauth.ops.doctor.app_routes import routes
from edgeauth.replay.sqlite import SQLiteReplayStore
from edgeauth.schemes.message_signatures import MessageSignatureScheme
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIGate

ROOT = Path(__file__).parents[4]


def guard(**options):
    return Guard.from_settings({"secret": SECRET, **options})


def found(app, *exempt, **options):
    return {finding.id: finding.seen for finding in check_app(app, exempt, **options)}


class Page:
    def on_get(self, _request, response):
        response.text = "page"


class AsyncPage:
    async def on_get(self, _request, response):
        response.text = "page"

    async def on_websocket(self, _request, socket):
        await socket.accept()


def litestar_app():
    @get("/healthz", sync_to_thread=False)
    def healthz() -> str:
        return "well"

    @post("/hook/{name:str}", sync_to_thread=False)
    def hook() -> str:
        raise AssertionError("the doctor makes no POST")

    return Litestar([healthz, hook])


def quart_app():
    app = Quart("site")

    async def page(**_parts):
        return "page"

    app.add_url_rule("/healthz", "healthz", page)
    app.add_url_rule("/hook/<name>", "hook", page, methods=["POST"])
    app.add_websocket("/ws", "ws", page)
    return app


def fastapi_app():
    inner = APIRouter()
    inner.add_api_route("/{name}", lambda name: name, methods=["POST"])
    app = FastAPI()
    app.add_api_route("/healthz", lambda: "well")
    app.include_router(inner, prefix="/hook")
    return app


def falcon_asgi():
    app = falcon.asgi.App()
    app.add_route("/healthz", AsyncPage())
    return app


def falcon_wsgi():
    app = falcon.App()
    app.add_route("/healthz", Page())
    return app


def flask_app():
    app = Flask("site")
    app.add_url_rule("/healthz", "healthz", lambda: "well")
    return app


ASGI = [litestar_app, quart_app, fastapi_app, falcon_asgi]
WSGI = [falcon_wsgi, flask_app]


def gate(app, **options):
    kind = WSGIGate if isinstance(app, (falcon.App, Flask)) and not _is_async(app) else ASGIGate
    return kind(app, guard(**options))


def _is_async(app):
    return isinstance(app, falcon.asgi.App)


@pytest.mark.parametrize("build", ASGI + WSGI)
def test_an_app_is_open_without_a_gate_and_well_with_one_and_its_exempt_path_is_known(build):
    assert set(found(build())) == {"no-gate"}
    assert found(gate(build())) == {}
    assert found(gate(build(), exempt=["GET /healthz"])) == {}
    assert set(found(gate(build(), exempt=["GET /nowhere"]))) == {"exempt-path-unknown"}


def test_a_gate_that_a_quart_app_has_inside_is_seen():
    app = quart_app()
    app.asgi_app = ASGIGate(app.asgi_app, guard())
    assert found(app) == {}


def test_a_gate_among_the_middleware_of_litestar_is_seen():
    @get("/", sync_to_thread=False)
    def page() -> str:
        return "page"

    app = Litestar([page], middleware=[lambda app: ASGIGate(app, guard())])
    assert "no-gate" not in found(app)


@pytest.mark.parametrize("build", [litestar_app, quart_app, fastapi_app])
def test_an_exempt_post_is_known_without_being_made(build):
    assert found(gate(build(), exempt=["POST /hook/a"])) == {}
    assert set(found(gate(build(), exempt=["POST /healthz"]))) == {"exempt-path-unknown"}


async def page(_request):
    return PlainTextResponse("page")


async def echo(socket):
    await socket.accept()


def test_a_gate_on_one_mount_leaves_the_rest_open():
    app = Starlette(
        routes=[
            Route("/open", page),
            WebSocketRoute("/ws", echo),
            Mount("/inner", app=gate(Starlette(routes=[Route("/closed", page)]))),
        ]
    )
    (finding,) = check_app(app, [])
    assert (finding.id, finding.severity) == ("open-route", "error")
    assert "'GET /open' (200)" in finding.seen
    assert "'WEBSOCKET /ws' (101)" in finding.seen
    assert "/inner" not in finding.seen


def test_an_open_route_beside_a_gated_mount_of_wsgi_is_found():
    app = DispatcherMiddleware(flask_app(), {"/inner": gate(flask_app())})
    assert "'GET /healthz' (200)" in found(app)["open-route"]
    closed = DispatcherMiddleware(gate(flask_app()), {"/inner": gate(flask_app())})
    assert found(closed) == {}


def test_an_open_mount_beside_a_gated_root_is_found():
    app = DispatcherMiddleware(gate(flask_app()), {"/inner": flask_app()})
    assert "/inner/healthz" in found(app)["open-route"]


def test_many_open_routes_are_counted():
    routes = [Route(f"/{place}", page) for place in range(9)]
    app = Starlette(routes=[*routes, Mount("/inner", app=gate(page))])
    assert "and 6 more" in found(app)["open-route"]


def test_an_open_route_that_the_settings_exempt_is_none():
    app = Starlette(routes=[Route("/healthz", page)], middleware=[])
    front = Starlette(routes=[Mount("/x", app=gate(app))])
    assert "'GET /healthz'" not in found(front, "GET /healthz")["open-route"]


@pytest.mark.parametrize("outermost", [True, False])
def test_cors_that_answers_preflights_before_the_gate_is_found(outermost):
    cors = Middleware(CORSMiddleware, allow_origins=["*"])
    own = Middleware(ASGIGate, guard=guard())
    app = Starlette(routes=[Route("/", page)], middleware=[cors, own] if outermost else [own, cors])
    told = found(app)
    assert set(told) == ({"open-preflight"} if outermost else set())
    if outermost:
        assert "'preflight /' (200)" in told["open-preflight"]


def test_an_app_that_wants_its_own_host_is_asked_for_it():
    app = Starlette(
        routes=[Route("/", page)],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=["site.example"]),
            Middleware(ASGIGate, guard=guard()),
        ],
    )
    assert set(found(app)) == {"no-gate"}
    assert found(app, host="site.example") == {}


def test_a_websocket_that_an_inner_gate_does_not_see_is_found():
    app = Starlette(routes=[WebSocketRoute("/ws", echo), Mount("/x", app=gate(page))])
    assert "'WEBSOCKET /ws' (101)" in found(app)["open-route"]


def test_an_exempt_handshake_is_no_finding():
    app = Starlette(routes=[WebSocketRoute("/ws", echo)])
    assert found(gate(app, exempt=["WEBSOCKET /ws"])) == {}
    assert found(gate(app, exempt=["WEBSOCKET /other"])) == {}
    assert found(gate(flask_app(), exempt=["WEBSOCKET /ws"])) == {}


def test_an_app_of_no_known_framework_is_asked_for_its_front_page_and_an_unknown_one():
    async def app(scope, _receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body", "body": b"page"})

    def wsgi(_environ, start_response):
        start_response("200 OK", [])
        return [b"page"]

    for own, kind in ((app, ASGIGate), (wsgi, WSGIGate)):
        assert set(found(own)) == {"no-gate"}
        assert found(kind(own, guard())) == {}


class Compiled:
    """Not seen to be a coroutine function, as the compiled ones of BlackSheep are not."""

    def __call__(self, scope, receive, send):
        return self._answer(scope, receive, send)

    async def _answer(self, scope, receive, send):
        await gate(page_of)(scope, receive, send)


async def page_of(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"page"})


def test_an_asgi_app_that_is_not_seen_to_be_a_coroutine_is_known_by_its_arguments():
    assert found(Compiled()) == {}


def test_an_app_that_fails_before_its_gate_is_one_sentence():
    def broken(_environ, _start_response):
        raise ZeroDivisionError("first\nsecond")

    async def leaves(_scope, _receive, _send):
        sys.exit("bye")

    for app, words in ((broken, "ZeroDivisionError: first second"), (leaves, "SystemExit: bye")):
        (finding,) = check_app(app, [])
        assert (finding.id, finding.severity) == ("app-fails", "error")
        assert finding.seen.endswith(words)


def test_a_stream_and_an_app_that_never_answers_do_not_hold_the_doctor(monkeypatch):
    monkeypatch.setattr("edgeauth.ops.doctor.app_calling._ANSWER_SECONDS", 0.2)

    async def endless():
        while True:
            yield b"x"

    async def stream(_request):
        return StreamingResponse(endless())

    assert set(found(Starlette(routes=[Route("/", stream)]))) == {"no-gate"}

    async def silent(_scope, receive, _send):
        while True:
            await receive()

    def stuck(_environ, _start_response):
        time.sleep(5)

    for app in (silent, stuck):
        assert "it did not answer" in found(app)["app-fails"]


def test_no_view_runs_behind_a_gate_that_only_reports_and_nothing_is_written_down(tmp_path, caplog):
    ran = []

    async def count(_request):
        ran.append(1)
        return PlainTextResponse("page")

    decisions = tmp_path / "decisions"
    app = gate(
        Starlette(routes=[Route("/count", count)]),
        mode="report-only",
        decisions=str(decisions),
    )
    caplog.clear()
    assert set(found(app)) == {"report-only"}
    assert (ran, caplog.records) == ([], [])
    assert not decisions.exists() or decisions.read_bytes() == b""


class Own(Guard):
    def check(self, request, *, now=None):
        return super().check(request, now=now)


def test_an_app_whose_routes_cannot_be_listed_is_asked_all_the_same():
    class Odd:
        routes = [Route("/", page), 5, type("Strange", (), {"original_router": 1})()]  # noqa: RUF012

        async def __call__(self, scope, receive, send):
            await gate(page_of)(scope, receive, send)

    assert found(Odd()) == {}


def test_an_app_without_a_signature_is_taken_for_wsgi():
    assert not is_asgi(max)
    assert not is_asgi(lambda *_any: None)


def test_a_guard_of_the_users_own_kind_is_one_gate():
    assert found(ASGIGate(Starlette(), Own(guard().scheme))) == {}


class Awaiting(Guard):
    async def acheck(self, request, *, now=None):
        return await super().acheck(request, now=now)


@pytest.mark.parametrize("kind", [Guard, Own, Awaiting])
@pytest.mark.parametrize("mode", ["enforce", "report-only"])
def test_a_guard_that_waits_for_a_replay_store_is_one_gate(kind, mode, tmp_path):
    scheme = MessageSignatureScheme([Key("edge-1", SECRET)])
    waits = kind(scheme, mode=mode, replay=SQLiteReplayStore(tmp_path / "seen.db"))
    ran = []

    async def count(_request):
        ran.append(1)
        return PlainTextResponse("page")

    app = ASGIGate(Starlette(routes=[Route("/count", count)]), waits)

    assert set(found(app)) == ({"report-only"} if mode == "report-only" else set())
    assert ran == []
    assert not (tmp_path / "seen.db").exists()


def test_an_app_is_left_as_it_was():
    before = Guard.check, Guard.acheck
    app = gate(Starlette())
    check_app(app, [])
    assert (Guard.check, Guard.acheck) == before
    assert check_app(app, []) == []


def test_the_routes_of_each_framework_are_listed():
    assert ("http", "/hook/1") in routes(gate(litestar_app()))
    assert ("http", "/hook/1") in routes(fastapi_app())
    assert ("websocket", "/ws") in routes(quart_app())
    assert ("websocket", "/healthz") in routes(falcon_asgi())
    assert ("websocket", "/healthz") not in routes(falcon_wsgi())
    rooted = Starlette(routes=[Mount("/", routes=[Route("/in", page)])])
    assert ("http", "/in") in routes(rooted)
    assert ("http", "/healthz") in routes(WSGIGate(flask_app().wsgi_app, guard()))


SITE = """
import os
from starlette.applications import Starlette
from edgeauth.asgi import EdgeAuthMiddleware
print("an app may print")

def create_app(name="site"):
    return EdgeAuthMiddleware(Starlette())

class Sites:
    app = EdgeAuthMiddleware(Starlette())

value = 5
"""


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["site_of_a_test:create_app()"], 0, '"findings": []'),
        (["site_of_a_test:create_app('other')"], 0, '"findings": []'),
        (["site_of_a_test:create_app(name='other')"], 0, '"findings": []'),
        (["site_of_a_test:create_app", "--factory"], 0, '"findings": []'),
        (["site_of_a_test:Sites.app"], 0, '"findings": []'),
        (["site_of_a_test:create_app"], 2, "write site_of_a_test:create_app() or add --factory"),
        (["site_of_a_test:Sites"], 2, "--factory"),
        (["site_of_a_test:value"], 2, "is int, which is no app"),
        (["site_of_a_test:value()"], 2, "TypeError"),
        (["site_of_a_test:create_app(os)"], 2, "must be module:attribute or module:factory()"),
        (["site_of_a_test:1 +"], 2, "must be module:attribute or module:factory()"),
        (["leaving_site:app"], 2, "SystemExit: 3"),
    ],
    ids=str,
)
def test_a_factory_is_called_where_it_is_asked_for(options, status, words, tmp_path):
    (tmp_path / "site_of_a_test.py").write_text(SITE)
    (tmp_path / "leaving_site.py").write_text("import sys\nsys.exit(3)\n")
    done = subprocess.run(
        [sys.executable, "-m", "edgeauth", "doctor", "--json", "--app", *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "EDGEAUTH_SECRET": "0f83b1a2c94d57e6a8b0c1d2e3f4",
        },
    )
    told = done.stdout + done.stderr
    assert "Traceback" not in told
    if status == 0:
        ids = {finding["id"] for finding in json.loads(done.stdout)["findings"]}
        assert ids <= {"clock-unkept"}
    else:
        assert (done.returncode, done.stdout) == (2, "")
        assert words in done.stderr
