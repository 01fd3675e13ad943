"""An endpoint that demands a coverage answers only what is signed so far."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from fastapi import Depends, FastAPI, HTTPException
from flask import Flask
from flask.views import MethodView
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from support.requests import PlainRequest
from support.signed_requests import HOST, KEY

from edgeauth import ConfigurationError, EdgeAuthScheme, EdgeIdentity, Guard, Passes, Verdict, sign
from edgeauth.asgi import EdgeAuthMiddleware
from edgeauth.coverage import Demand
from edgeauth.flask import EdgeAuth
from edgeauth.flask import demand_coverage as flask_demand
from edgeauth.schemes.message_signatures import MessageSignatureScheme, MessageSigner
from edgeauth.starlette import UNVERIFIED, demand_coverage

COMPONENTS = ("@method", "@authority")
PASSES = Passes("a-secret-for-passes-of-32-bytes!")
DENIED = (403, b"Forbidden\n", "text/plain; charset=utf-8", "no-store")


def made(mode="enforce"):
    scheme = MessageSignatureScheme([KEY], components=COMPONENTS, require_nonce=False)
    return Guard(scheme, exempt=["POST /pay"], passes=PASSES, mode=mode)


def fields(*parts, nonce=None):
    components = {"method": "@method", "path": "@path", "host": "@authority", "query": "@query"}
    signer = MessageSigner(KEY, components=[components[part] for part in parts])
    return signer.sign("POST", "/buy", HOST, nonce=nonce)


# How each framework is asked: gives status, body, type and Cache-Control.


def over_asgi(app):
    def ask(path, headers):
        async def send():
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
                return await client.post(path, headers=headers, content=b"some body")

        return asyncio.run(send())

    return ask


def starlette_app(guard, demanded):
    demand = demand_coverage(*demanded)

    async def buy(request):
        return PlainTextResponse((await demand(request)).key_id)

    routes = [Route(path, buy, methods=["POST"]) for path in ("/buy", "/pay")]
    app = Starlette(routes=routes, middleware=[Middleware(EdgeAuthMiddleware, guard=guard)])
    return over_asgi(app)


def fastapi_app(guard, demanded):
    app = FastAPI(middleware=[Middleware(EdgeAuthMiddleware, guard=guard)])
    demand = demand_coverage(*demanded)

    @app.exception_handler(403)
    async def page_of_the_site(_request, _error):
        return PlainTextResponse("our own page", 403)

    @app.exception_handler(HTTPException)
    async def another_page(_request, _error):
        return PlainTextResponse("another page", 403)

    @app.post("/buy", response_class=PlainTextResponse)
    @app.post("/pay", response_class=PlainTextResponse)
    async def buy(identity: EdgeIdentity = Depends(demand)):  # noqa: FAST002, B008
        return identity.key_id

    return over_asgi(app)


def flask_app(guard, demanded, *, view=None):
    app = Flask(__name__)
    EdgeAuth(app, guard)

    @app.errorhandler(403)
    def page_of_the_site(_error):
        return "our own page", 403

    @flask_demand(*demanded)
    def buy():
        """Buys."""
        return "edge-1"

    assert buy.__doc__ == "Buys."
    app.add_url_rule("/buy", view_func=view or buy, methods=["POST"])
    app.add_url_rule("/pay", "pay", view_func=view or buy, methods=["POST"])
    client = app.test_client()

    def ask(path, headers):
        answer = client.post(path, headers=headers, base_url=f"http://{HOST}", data=b"some body")
        answer.content = answer.data
        return answer

    return ask


@pytest.fixture(
    params=[starlette_app, fastapi_app, flask_app], ids=["Starlette", "FastAPI", "Flask"]
)
def site(request):
    """Makes a site of each framework whose endpoints demand something."""

    def make(*demanded, mode="enforce"):
        ask = request.param(made(mode), demanded)

        def asked(path, headers):
            answer = ask(path, headers)
            headers = answer.headers
            kept = headers["content-type"], headers.get("cache-control")
            return (answer.status_code, answer.content, *kept)

        return asked

    return make


def test_what_is_covered_is_answered(site):
    answer = site("method", "host", "time")("/buy", fields("method", "host"))

    assert answer[:2] == (200, b"edge-1")


@pytest.mark.parametrize("missing", ["path", "query", "body", "once"])
def test_what_is_not_covered_gets_the_denial_of_a_stranger_and_the_log_says_what(
    site, missing, caplog
):
    ask = site("method", missing)

    assert ask("/buy", fields("method", "host", nonce="n")) == DENIED
    assert ask("/buy", {}) == DENIED
    told = [text for text in caplog.messages if "reason='coverage'" in text]
    assert len(told) == 1
    assert f"does not cover: {missing}" in told[0]
    assert "let the edge sign it, or demand less here" in told[0]
    assert "path='/buy'" in told[0]
    assert "key=" in told[0]


def test_an_exempt_request_and_one_with_a_pass_have_nothing_covered(site, caplog):
    ask = site("time")

    assert ask("/pay", {}) == DENIED
    assert ask("/buy", {"Edge-Auth-Pass": PASSES.issue("alice", ttl=60)[0]}) == DENIED
    told = [text for text in caplog.messages if "reason='coverage'" in text]
    assert ["let in as exempt" in told[0], "let in as pass" in told[1]] == [True, True]


def test_report_only_mode_tells_and_lets_in(site, caplog):
    ask = site("path", mode="report-only")

    assert ask("/buy", fields("method", "host"))[0] == 200
    assert ask("/buy", {})[0] == 200
    assert sum("would refuse" in text and "'coverage'" in text for text in caplog.messages) == 2


DEMANDS = [Demand, demand_coverage, flask_demand]


@pytest.mark.parametrize("demand", DEMANDS)
def test_a_word_that_is_none_is_an_error_when_the_view_is_made(demand):
    with pytest.raises(ConfigurationError, match="did you mean 'method'"):
        demand("path", "methods")
    with pytest.raises(ConfigurationError, match=r"'xyzzy' .* use method, path, query"):
        demand("xyzzy")
    with pytest.raises(ConfigurationError, match="name what must be covered"):
        demand()
    with pytest.raises(ConfigurationError, match="7 is nothing"):
        demand(7)


@pytest.mark.parametrize(
    "left", [(None, None), (Verdict(allowed=True, reason="ok"), None), ("ok", made())]
)
def test_a_request_that_no_gate_checked_is_an_error(left):
    with pytest.raises(ConfigurationError, match="nothing checked this request"):
        Demand("time").met(*left, PlainRequest())


def test_edge_auth_vouches_for_the_time_and_for_no_part_of_a_request():
    guard = Guard(EdgeAuthScheme(["a-secret-of-the-edge-and-us"]))
    value = sign("a-secret-of-the-edge-and-us", pop="LHR").encode()
    request = PlainRequest(fields=[("Edge-Auth", value)])
    verdict = guard.check(request)

    assert Demand("time").met(verdict, guard, request)
    assert not Demand("time", "path").met(verdict, guard, request)


def test_flasks_views_of_other_kinds_can_demand_as_well():
    class Buy(MethodView):
        decorators = [flask_demand("path")]  # noqa: RUF012

        async def post(self):
            return "edge-1"

    ask = flask_app(made(), ["time"], view=Buy.as_view("buy"))

    assert ask("/buy", fields("method", "host")).status_code == 403
    assert ask("/buy", fields("method", "host", "path")).data == b"edge-1"


def test_a_websocket_is_closed():
    demand = demand_coverage("once")

    async def talk(websocket):
        await demand(websocket)

    app = Starlette(
        routes=[WebSocketRoute("/pay", talk)],
        middleware=[Middleware(EdgeAuthMiddleware, guard=made())],
    )
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "websocket.connect"}

    signer = MessageSigner(KEY, components=COMPONENTS)
    made_fields = signer.sign("GET", "/pay", HOST)
    headers = [(b"host", HOST.encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in made_fields.items()]
    scope = {"type": "websocket", "path": "/pay", "headers": headers, "query_string": b""}
    asyncio.run(app(scope, receive, send))
    assert [(message["type"], message["code"]) for message in sent] == [("websocket.close", 1008)]


def test_outside_of_starlettes_own_stack_it_is_an_error_of_its_own():
    guard = made()
    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    scope |= {"edgeauth": Verdict(allowed=True, reason="exempt"), "edgeauth.guard": guard}

    with pytest.raises(Exception, match=r"^$") as raised:
        asyncio.run(demand_coverage("time")(HTTPConnection(scope)))
    assert type(raised.value).__name__ == "_NotCovered"


def test_who_is_let_in_by_report_only_mode_is_nobody():
    guard = made("report-only")
    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    scope |= {"edgeauth": guard.check(PlainRequest()), "edgeauth.guard": guard}

    assert asyncio.run(demand_coverage("time")(HTTPConnection(scope))) is UNVERIFIED


PAGE = (Path(__file__).parents[2] / "docs" / "message-signatures.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def of_the_page(module, **names):
    """Run the snippet of the page that imports from *module*."""
    (block,) = [found for found in BLOCKS if f"from {module} import demand_coverage" in found]
    exec(block, names)


def test_the_snippet_for_flask_answers_nobody_who_signs_less():
    app = Flask(__name__)
    EdgeAuth(app, made("report-only"))
    of_the_page("edgeauth.flask", app=app)
    client = app.test_client()
    assert client.post("/pay").data == b"paid"

    app = Flask(__name__)
    EdgeAuth(app, made())
    of_the_page("edgeauth.flask", app=app)
    headers = fields("method", "host")
    assert (
        app.test_client().post("/pay", headers=headers, base_url=f"http://{HOST}").data == DENIED[1]
    )


def test_the_snippet_for_fastapi_answers_nobody_who_signs_less():
    for mode, status in (("report-only", 200), ("enforce", 403)):
        app = FastAPI(middleware=[Middleware(EdgeAuthMiddleware, guard=made(mode))])
        of_the_page("edgeauth.starlette", app=app)
        assert over_asgi(app)("/pay", fields("method", "host")).status_code == status
