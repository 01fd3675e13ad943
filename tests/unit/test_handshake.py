"""What opens a WebSocket, what does not, and what cannot be told."""

from __future__ import annotations

import pytest
from support.requests import PlainRequest
from support.vectors import SECRET

from edgeauth import EdgeAuthScheme, Guard
from edgeauth.asgi import ScopeRequest
from edgeauth.request import opens_websocket, route_method
from edgeauth.wsgi import EdgeAuthMiddleware, EnvironRequest

WHOLE = {
    "REQUEST_METHOD": "GET",
    "HTTP_UPGRADE": "websocket",
    "HTTP_CONNECTION": "keep-alive, Upgrade",
    "HTTP_SEC_WEBSOCKET_KEY": "dGhlIHNhbXBsZSBub25jZQ==",
    "HTTP_SEC_WEBSOCKET_VERSION": "13",
}


def changed(**changes):
    environ = {**WHOLE, **changes}
    return {name: value for name, value in environ.items() if value is not None}


@pytest.mark.parametrize(
    ("environ", "opens"),
    [
        pytest.param(WHOLE, True, id="whole"),
        pytest.param(changed(HTTP_UPGRADE="WebSocket"), True, id="its name has no case"),
        pytest.param({"REQUEST_METHOD": "GET"}, False, id="nothing of one"),
        pytest.param(
            {"REQUEST_METHOD": "GET", "HTTP_UPGRADE": "h2c", "HTTP_CONNECTION": "Upgrade"},
            False,
            id="another upgrade",
        ),
        pytest.param({"REQUEST_METHOD": "WEBSOCKET"}, False, id="a literal method"),
        pytest.param(changed(REQUEST_METHOD="POST"), None, id="another method"),
        pytest.param(changed(REQUEST_METHOD="WEBSOCKET"), None, id="a literal method and fields"),
        pytest.param(changed(HTTP_UPGRADE=None), None, id="no upgrade"),
        pytest.param(changed(HTTP_UPGRADE="h2c, websocket"), None, id="one of two upgrades"),
        pytest.param(changed(HTTP_CONNECTION="close"), None, id="a connection that closes"),
        pytest.param(changed(HTTP_CONNECTION=None), None, id="no connection"),
        pytest.param(changed(HTTP_SEC_WEBSOCKET_KEY=None), None, id="no key"),
        pytest.param(changed(HTTP_SEC_WEBSOCKET_VERSION=None), None, id="no version"),
        pytest.param(
            {"REQUEST_METHOD": "GET", "HTTP_UPGRADE": "websocket"}, None, id="an upgrade alone"
        ),
    ],
)
def test_a_handshake_in_wsgi_is_read_from_its_fields(environ, opens):
    assert EnvironRequest(environ).handshake is opens


@pytest.mark.parametrize(
    ("fields", "opens"),
    [
        ({}, True),
        ({"method": "POST"}, None),
        ({"key": []}, None),
        ({"key": [], "version": []}, False),
        ({"key": [b"a", b"b"]}, None),
        ({"upgrade": [b"websocket"], "connection": [b"upgrade"]}, True),
        ({"upgrade": [b"websocket", b"h2c"]}, None),
        ({"connection": [b"keep-alive,Upgrade"]}, True),
        ({"connection": [b"keep-alive Upgrade"]}, None),
    ],
)
def test_fields_that_a_proxy_keeps_to_itself_decide_nothing(fields, opens):
    seen = {"method": "GET", "upgrade": None, "connection": None, "key": [b"k"], "version": [b"13"]}

    assert opens_websocket(**{**seen, **fields}) is opens


@pytest.mark.parametrize(
    ("scope", "opens"),
    [
        ({"type": "websocket"}, True),
        ({"type": "http", "method": "GET"}, False),
        ({"type": "http", "method": "WEBSOCKET"}, False),
    ],
)
def test_a_handshake_in_asgi_is_a_scope_of_its_own(scope, opens):
    assert ScopeRequest(scope).handshake is opens


@pytest.mark.parametrize(
    ("method", "opens", "named"),
    [
        ("GET", False, "GET"),
        ("GET", True, "WEBSOCKET"),
        ("CONNECT", True, "WEBSOCKET"),
        ("WEBSOCKET", True, "WEBSOCKET"),
        ("WEBSOCKET", False, None),
        ("GET", None, None),
    ],
)
def test_no_request_that_can_be_sent_looks_like_a_handshake_but_a_handshake(method, opens, named):
    request = PlainRequest(method=method, path="/feed", handshake=opens)

    assert route_method(request) == named
    for exempt in ("GET", "WEBSOCKET"):
        guard = Guard(EdgeAuthScheme([SECRET]), exempt=[f"{exempt} /feed"])
        assert (guard.check(request).reason == "exempt") is (exempt == named)


@pytest.mark.parametrize(
    ("exempt", "environ", "status"),
    [
        ("GET", {"REQUEST_METHOD": "GET"}, "200 OK"),
        ("GET", WHOLE, "403 Forbidden"),
        ("WEBSOCKET", WHOLE, "200 OK"),
        ("WEBSOCKET", {"REQUEST_METHOD": "WEBSOCKET"}, "403 Forbidden"),
        ("WEBSOCKET", changed(HTTP_UPGRADE=None), "403 Forbidden"),
    ],
)
def test_the_wsgi_gate_judges_a_handshake_as_one(exempt, environ, status):
    def app(_environ, start_response):
        start_response("200 OK", [])
        return []

    guard = Guard(EdgeAuthScheme([SECRET]), exempt=[f"{exempt} /feed"])
    said = []
    list(
        EdgeAuthMiddleware(app, guard)(
            {"PATH_INFO": "/feed", **environ}, lambda status, _: said.append(status)
        )
    )

    assert said == [status]
