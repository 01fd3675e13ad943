"""The WSGI adapter, without a server: what it hands on, and what it answers."""

from __future__ import annotations

import contextlib
import importlib
import socket
import warnings
from types import SimpleNamespace
from wsgiref.validate import validator

import pytest
from support.vectors import SECRET

from edgeauth import ConfigurationError, EdgeAuthScheme, Guard, Verdict, sign
from edgeauth.wsgi import EdgeAuthMiddleware, EnvironRequest


class Recorder:
    """An application that keeps the environ that it was given."""

    def __init__(self):
        self.environ = None

    def __call__(self, environ, start_response):
        self.environ = environ
        start_response("200 OK", [])
        return [b"app"]


def serve(environ, **options):
    """Status, headers and body of a gate of *options* around a recorder, and the recorder."""
    app = Recorder()
    gate = EdgeAuthMiddleware(app, Guard(EdgeAuthScheme([SECRET]), **options))
    return (*call(gate, environ), app)


def call(gate, environ):
    started = []
    body = b"".join(gate(environ, lambda status, headers: started.append((status, headers))))
    ((status, headers),) = started
    return status, headers, body


def environ_of(**changes):
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "REMOTE_ADDR": "192.0.2.1",
        "HTTP_HOST": "origin.example",
        **changes,
    }


@pytest.fixture
def value():
    return sign(SECRET, pop="LHR")


def test_an_accepted_request_reaches_the_app_with_its_verdict_and_without_the_credential(value):
    status, _, body, app = serve(environ_of(HTTP_EDGE_AUTH=value, HTTP_ACCEPT="*/*"))

    assert (status, body) == ("200 OK", b"app")
    assert app.environ["edgeauth.verdict"].reason == "ok"
    assert "HTTP_EDGE_AUTH" not in app.environ
    assert app.environ["HTTP_ACCEPT"] == "*/*"


def test_the_app_sees_the_credential_when_it_is_not_to_be_stripped(value):
    *_, app = serve(environ_of(HTTP_EDGE_AUTH=value), strip_header=False)

    assert app.environ["HTTP_EDGE_AUTH"] == value


def test_a_refused_request_gets_the_denial_and_the_app_is_not_run():
    status, headers, body, app = serve(environ_of())

    assert app.environ is None
    assert status == "403 Forbidden"
    assert headers == [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", "10"),
        ("Cache-Control", "no-store"),
    ]
    assert body == b"Forbidden\n"


def test_a_refused_head_request_gets_no_body_and_its_length():
    _, headers, body, _ = serve(environ_of(REQUEST_METHOD="HEAD"))

    assert body == b""
    assert ("Content-Length", "10") in headers


def test_report_only_lets_a_refused_request_through_marked_and_stripped():
    status, _, _, app = serve(environ_of(HTTP_EDGE_AUTH="forged"), mode="report-only")

    assert status == "200 OK"
    assert app.environ["edgeauth.verdict"] == Verdict(
        allowed=True, reason="malformed", enforced=False
    )
    assert "HTTP_EDGE_AUTH" not in app.environ


def test_an_exempt_request_needs_no_credential():
    *_, app = serve(environ_of(PATH_INFO="/healthz"), exempt=["GET /healthz"])

    assert app.environ["edgeauth.verdict"].reason == "exempt"


def test_a_verdict_that_came_with_the_environ_is_replaced(value):
    *_, app = serve(environ_of(HTTP_EDGE_AUTH=value, **{"edgeauth.verdict": "forged"}))

    assert app.environ["edgeauth.verdict"].reason == "ok"


def test_without_a_guard_one_is_built_from_the_environment_at_construction(monkeypatch, value):
    monkeypatch.setenv("EDGEAUTH_SECRET", SECRET)
    gate = EdgeAuthMiddleware(Recorder())
    monkeypatch.setenv("EDGEAUTH_SECRET", "some-other-secret-of-32-bytes-xx")

    status, *_ = call(gate, environ_of(HTTP_EDGE_AUTH=value))

    assert status == "200 OK"


def test_without_a_guard_and_a_secret_there_is_no_middleware():
    with pytest.raises(ConfigurationError, match="EDGEAUTH_SECRET"):
        EdgeAuthMiddleware(Recorder())


def test_a_file_of_decisions_that_cannot_be_used_is_an_error_at_construction():
    guard = Guard(EdgeAuthScheme([SECRET]), decisions="/nowhere/decisions")
    with pytest.raises(ConfigurationError, match="/nowhere/decisions"):
        EdgeAuthMiddleware(Recorder(), guard)


@pytest.mark.parametrize(
    ("script_name", "path_info", "path"),
    [
        pytest.param("", "/healthz", "/healthz", id="no mount point"),
        pytest.param("/app", "/healthz", "/app/healthz", id="a mount point"),
        pytest.param("/app/", "/healthz", "/app/healthz", id="a mount point that ends in a slash"),
        pytest.param("/X", "/healthz", "/X/healthz", id="a mount point that ends in a letter"),
        pytest.param("/healthz", "", "/healthz/", id="the root below a mount point"),
        pytest.param("/health", "z", "/health/z", id="a cut inside a name"),
        pytest.param("", "", "/", id="nothing"),
        pytest.param("", "//healthz", "//healthz", id="two slashes stay two"),
        pytest.param("", "/caf\xc3\xa9", "/caf\xe9", id="UTF-8 as latin-1 text"),
        pytest.param("", "/\xff", "/\ufffd", id="bytes that are no text"),
        pytest.param("", "/\u20ac", "/?", id="a server that breaks PEP 3333"),
    ],
)
def test_the_path_is_what_the_app_will_route_with_its_mount_point(script_name, path_info, path):
    request = EnvironRequest(environ_of(SCRIPT_NAME=script_name, PATH_INFO=path_info))

    assert request.path == path


def test_a_server_may_leave_empty_path_variables_out():
    request = EnvironRequest({"REQUEST_METHOD": "GET"})

    assert (request.path, request.mount) == ("/", "")
    assert request.mount_is_configured is False


@pytest.mark.parametrize(
    ("script_name", "mount"),
    [
        pytest.param("/app", "/app", id="a mount point"),
        pytest.param("/app/", "/app", id="a mount point that ends in a slash"),
        pytest.param("/", "", id="the root"),
        pytest.param("/X", "/X", id="a letter is no slash"),
        pytest.param("/caf\xc3\xa9", "/caf\xe9", id="UTF-8 as latin-1 text"),
        pytest.param("/\xff", "/\ufffd", id="bytes that are no text"),
    ],
)
def test_the_mount_point_is_that_of_the_server_without_a_slash_at_its_end(script_name, mount):
    request = EnvironRequest(environ_of(SCRIPT_NAME=script_name), mount)

    assert request.mount == mount
    assert request.mount_is_configured is (mount != "")
    assert EnvironRequest(environ_of(SCRIPT_NAME=script_name), "/b").mount_is_configured is False


@pytest.mark.parametrize(
    ("variables", "target"),
    [
        pytest.param({}, None, id="the server does not tell"),
        pytest.param({"RAW_URI": "/%2e?a"}, b"/%2e?a", id="gunicorn"),
        pytest.param({"REQUEST_URI": "/%2e?a"}, b"/%2e?a", id="waitress and uWSGI"),
    ],
)
def test_the_target_is_what_the_server_tells_of_it(variables, target):
    assert EnvironRequest(environ_of(**variables)).target == target


@pytest.mark.parametrize(
    ("variables", "peer"),
    [
        pytest.param({"REMOTE_ADDR": "192.0.2.1"}, "192.0.2.1", id="an address"),
        pytest.param({"REMOTE_ADDR": ""}, None, id="a Unix socket"),
        pytest.param({}, None, id="the server does not tell"),
    ],
)
def test_the_peer_is_an_address_or_none(variables, peer):
    assert EnvironRequest(variables).peer == peer


_TCP, _UNIX = SimpleNamespace(family=socket.AF_INET), SimpleNamespace(family=socket.AF_UNIX)


@pytest.mark.parametrize(
    ("variables", "unix"),
    [
        pytest.param({"REMOTE_ADDR": "192.0.2.1"}, False, id="an address"),
        pytest.param({"REMOTE_ADDR": ""}, True, id="granian, cheroot"),
        pytest.param({}, True, id="hypercorn, gevent"),
        pytest.param({"REMOTE_ADDR": "localhost", "REMOTE_PORT": "None"}, True, id="waitress"),
        pytest.param({"REMOTE_ADDR": "0.0.0.0"}, True, id="uWSGI, tornado"),
        pytest.param({"REMOTE_ADDR": "", "gunicorn.socket": _UNIX}, True, id="gunicorn"),
        pytest.param({"REMOTE_ADDR": "", "gunicorn.socket": _TCP}, False, id="gunicorn, TCP"),
        pytest.param({"asgi.scope": {"server": ("/s", None)}}, True, id="a2wsgi"),
        pytest.param(
            {"asgi.scope": {"server": ("127.0.0.1", 80)}}, False, id="a2wsgi, a peer that is gone"
        ),
        pytest.param(
            {"REMOTE_ADDR": "0.0.0.0", "werkzeug.proxy_fix.orig": {"REMOTE_ADDR": "192.0.2.1"}},
            False,
            id="a claim that ProxyFix believed",
        ),
    ],
)
def test_the_server_and_no_claim_tells_a_unix_socket(variables, unix):
    assert EnvironRequest(variables).unix is unix


def test_a_header_is_the_bytes_that_the_server_received():
    request = EnvironRequest(environ_of(HTTP_X_A="\xff,\u20ac", HTTP_X_EMPTY=""))

    assert request.header("X-A") == (b"\xff,?",)
    assert request.header("x-empty") == (b"",)
    assert request.header("X-B") == ()


def test_a_wrapper_that_has_the_fields_as_they_were_sent_is_asked_for_them():
    sent = [(b"x-note", b"real"), (b"x_note", b"twin"), (b"x-note", b"more"), (b"x_other", b"twin")]
    environ = environ_of(
        HTTP_X_NOTE="real,twin,more", HTTP_X_OTHER="twin", **{"asgi.scope": {"headers": sent}}
    )
    request = EnvironRequest(environ)

    assert request.header("X-Note") == (b"real", b"more")
    assert request.header("X-Other") == ()
    # What an outer gate removed stays away, though the scope has it.
    del environ["HTTP_X_NOTE"]
    assert request.header("X-Note") == ()


def test_the_host_is_the_host_variable_or_none():
    assert EnvironRequest(environ_of()).host == b"origin.example"
    assert EnvironRequest({}).host is None


def test_the_verdict_is_under_the_plain_name_too_where_no_validator_minds(value):
    nameless = Recorder().__call__.__call__  # has no module that it is of
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        lint = importlib.import_module("webtest.lint")
    validators = (validator(Recorder()), lint.middleware(Recorder()))
    for app, expected in ((Recorder(), True), (nameless, True), *((v, False) for v in validators)):
        environ = environ_of(HTTP_EDGE_AUTH=value)
        # The validator complains of what this request lacks.
        with contextlib.suppress(AssertionError):
            EdgeAuthMiddleware(app, Guard(EdgeAuthScheme([SECRET])))(environ, lambda *_: None)
        assert ("edgeauth" in environ) is expected
