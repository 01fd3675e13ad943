"""A gate around a project's application, and the middleware inside of it."""

from __future__ import annotations

import asyncio

import pytest
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.test import AsyncClient, AsyncRequestFactory, Client, RequestFactory
from support.vectors import SECRET

from edgeauth import Guard, Verdict, sign
from edgeauth.django import asgi, wsgi
from edgeauth.django.conf import project_guard
from edgeauth.django.has_gate import has_gate
from edgeauth.django.middleware import EdgeAuthMiddleware
from edgeauth.django.requests import DjangoEnvironRequest, DjangoScopeRequest

GATE = "edgeauth.django.middleware.EdgeAuthMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"


def over_asgi(path, headers, **scope):
    """Status and body of the project behind the wrapper, by ASGI."""
    sent = []

    body = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive():
        if message := next(body, None):
            return message
        return await asyncio.get_running_loop().create_future()  # the client stays

    async def send(message):
        sent.append(message)

    given = AsyncRequestFactory().get(path, headers=headers).scope
    app = asgi.guarded(get_asgi_application())
    asyncio.run(app({**given, "path": path, **scope}, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def over_wsgi(path, headers, root_path=""):
    """The same by WSGI."""
    environ = RequestFactory().get("/", headers=headers).environ
    environ = {**environ, "PATH_INFO": path, "SCRIPT_NAME": root_path}
    started = []
    app = wsgi.guarded(get_wsgi_application())
    response = app(environ, lambda status, _headers: started.append(int(status[:3])))
    return started[0], b"".join(response)


@pytest.fixture(params=[over_asgi, over_wsgi], ids=["asgi", "wsgi"])
def get(request):
    return request.param


def signed():
    return {"Edge-Auth": sign(SECRET, pop="LHR")}


def test_a_signed_request_passes_both_gates_and_is_told_of_once(get, caplog):
    status, body = get("/", signed())

    assert (status, body) == (200, b'{"reason": "ok", "pop": "LHR", "seen": []}')
    assert not caplog.records


def test_an_exempt_request_passes_both_gates(get):
    assert get("/healthz", {}) == (200, b"ok")


def test_an_unsigned_request_is_refused_and_told_of_once(get, caplog):
    status, body = get("/", {})

    assert (status, body) == (403, b"Forbidden\n")
    (record,) = [record for record in caplog.records if record.name == "edgeauth"]
    assert "refused" in record.message


def test_the_wrapper_alone_guards_too(get, project):
    project(MIDDLEWARE=[])

    assert get("/healthz", {}) == (200, b"ok")
    assert get("/", {})[0] == 403


def test_all_gates_of_a_project_have_one_guard_while_its_settings_stay(project):
    gates = [
        asgi.guarded(None),
        wsgi.guarded(None),
        EdgeAuthMiddleware(lambda _request: HttpResponse()),
    ]
    assert {id(gate.guard) for gate in gates} == {id(project_guard())}

    project(EDGEAUTH={"secret": SECRET, "max_age": 7})
    assert project_guard() is not gates[0].guard


def test_a_verdict_by_other_settings_is_not_believed(get):
    other = Guard.from_settings({"secret": "another-secret-of-32-bytes-xxxxx"})
    said = Verdict(allowed=True, reason="ok")
    middleware = EdgeAuthMiddleware(lambda _request: HttpResponse())
    if get is over_asgi:
        request = AsyncRequestFactory().get("/")
        request.scope |= {"edgeauth": said, "edgeauth.guard": other}
    else:
        request = RequestFactory().get("/")
        request.META |= {"edgeauth.verdict": said, "edgeauth.guard": other}
    assert middleware(request).status_code == 403


@pytest.mark.parametrize("listed", [2, 3])
def test_a_middleware_that_is_there_several_times_takes_its_own_verdict(get, project, listed):
    project(MIDDLEWARE=[GATE, COMMON] * listed)

    assert get("/", signed())[0] == 200
    assert Client().get("/", headers=signed()).status_code == 200
    assert asyncio.run(AsyncClient().get("/", headers=signed())).status_code == 200


@pytest.mark.parametrize(
    ("forced", "path", "status"),
    [
        ("/app", "/healthz", 200),
        ("/app", "/app/healthz", 200),
        ("/app", "/nothing", 403),
    ],
)
def test_an_exemption_behind_force_script_name_is_the_path_of_the_url(
    project, forced, path, status
):
    project(FORCE_SCRIPT_NAME=forced, EDGEAUTH={"secret": SECRET, "exempt": ["GET /app/healthz"]})

    assert over_asgi(path, {})[0] == status
    if path != "/app/healthz":  # WSGI servers have taken the mount point off
        assert over_wsgi(path, {})[0] == status


def test_a_mount_point_of_the_client_does_not_count(get):
    assert get("/healthz", {}, root_path="/healthz")[0] == 403
    assert get("/", {}, root_path="/healthz")[0] == 403


def test_force_script_name_stands_over_a_mount_point_of_the_client(project, get):
    project(FORCE_SCRIPT_NAME="/app", EDGEAUTH={"secret": SECRET, "exempt": ["GET /app/healthz"]})

    assert get("/healthz", {}, root_path="/evil") == (200, b"ok")
    assert get("/", {}, root_path="/app/healthz")[0] == 403


def test_with_force_script_name_a_value_that_is_known_is_judged_with_its_path(project):
    assert asgi.guarded(None).recalls
    project(FORCE_SCRIPT_NAME="/app")

    assert not asgi.guarded(None).recalls


@pytest.mark.parametrize(
    ("scope", "forced", "path", "mount", "counts"),
    [
        ({"path": "/x"}, None, "/x", "", False),
        ({"path": "x"}, None, "x", "", False),
        ({"path": "/app/x", "root_path": "/app"}, None, "/app/x", "/app", False),
        ({"path": "/x", "root_path": "/app"}, None, "/app/x", "/app", False),
        ({"path": "/application", "root_path": "/app"}, None, "/app/lication", "/app", False),
        ({"path": "/app", "root_path": "/app"}, None, "/app", "/app", False),
        ({"path": "/x", "root_path": "/app/"}, None, "/app/x", "/app", False),
        ({"path": "/X/y", "root_path": "/X"}, None, "/X/y", "/X", False),
        ({"path": "/x", "root_path": "/evil"}, "/app", "/app/x", "/app", True),
        ({"path": "/x", "type": "websocket"}, "/app", "/x", "", False),
    ],
)
def test_a_scope_is_judged_as_django_routes_it(project, scope, forced, path, mount, counts):
    project(FORCE_SCRIPT_NAME=forced)
    request = DjangoScopeRequest({"type": "http", "method": "GET", "headers": [], **scope})

    assert (request.path, request.mount) == (path, mount)
    assert request.mount_is_configured is counts


@pytest.mark.parametrize(
    ("environ", "forced", "path", "mount", "counts"),
    [
        ({"PATH_INFO": "/x"}, None, "/x", "", False),
        ({"PATH_INFO": "/x", "SCRIPT_NAME": "/app"}, None, "/app/x", "/app", False),
        ({"PATH_INFO": "/x", "SCRIPT_NAME": "/evil"}, "/app", "/app/x", "/app", True),
        ({"PATH_INFO": "/x", "SCRIPT_NAME": "/evil"}, "", "/x", "", True),
        ({"PATH_INFO": "/x", "SCRIPT_URL": "/app/x"}, None, "/app/x", "/app", False),
        ({"PATH_INFO": "/x", "SCRIPT_NAME": "/app/"}, None, "/app/x", "/app", False),
        ({"PATH_INFO": "/y", "SCRIPT_NAME": "/X"}, None, "/X/y", "/X", False),
        ({"PATH_INFO": "/x", "SCRIPT_URL": "/\xff"}, None, "/x", "", False),
        ({"PATH_INFO": "/\xff", "SCRIPT_NAME": "/\xff"}, None, "/\ufffd/%FF", "/\ufffd", False),
    ],
)
def test_an_environ_is_judged_as_django_routes_it(project, environ, forced, path, mount, counts):
    project(FORCE_SCRIPT_NAME=forced)
    request = DjangoEnvironRequest({"REQUEST_METHOD": "GET", **environ})

    assert (request.path, request.mount) == (path, mount)
    assert request.mount_is_configured is counts


@pytest.mark.parametrize(
    ("source", "there"),
    [
        ("from edgeauth.django.asgi import guarded\napplication = guarded(get())", True),
        ("from edgeauth.django.asgi import guarded as g\napplication = g(get())", True),
        ("from edgeauth.asgi import EdgeAuthMiddleware as E\napplication = E(get())", True),
        ("import edgeauth.wsgi\napplication = edgeauth.wsgi.EdgeAuthMiddleware(get())", True),
        ("import edgeauth.django.asgi as e\napplication = e.guarded(get())", True),
        (
            "from edgeauth.django.wsgi import guarded as g\napplication = 0\napplication = g(0)",
            True,
        ),
        (
            (
                "from edgeauth.django.asgi import guarded\n"
                "from edgeauth.django.wsgi import guarded as other\n"
                "import os\n"
                "os.stat.x = 1\n"
                "application = guarded(get())"
            ),
            True,
        ),
        ("from edgeauth.django.asgi import guarded\napplication = Outer(guarded(get()))", False),
        ("from edgeauth.django.asgi import guarded\nother = guarded(get())", False),
        ("from edgeauth.django.asgi import guarded\napplication = other", False),
        ("from somewhere import guarded\napplication = guarded(get())", False),
        ("import somewhere\napplication = somewhere.guarded(get())", False),
        ("application = get()", False),
        ("application = (", False),
    ],
)
def test_a_gate_around_an_application_is_seen_without_running_it(
    source, there, tmp_path, monkeypatch
):
    (tmp_path / "a_project_asgi.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)

    assert has_gate("a_project_asgi.application") is there


def test_what_is_imported_is_looked_at_itself():
    assert not has_gate("django.core.asgi.get_asgi_application")
    assert has_gate(f"{__name__}.guarded_by_hand")


guarded_by_hand = asgi.EdgeAuthMiddleware(None, Guard.from_settings({"secret": SECRET}))


@pytest.mark.parametrize(
    "path", ["no.such.application", "no_such.application", "sys.application", "application"]
)
def test_an_application_that_is_not_there_has_no_gate(path):
    assert not has_gate(path)
