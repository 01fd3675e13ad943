"""What the doctor says of an app: its gates, and the paths that are exempt."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from flask import Flask
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from support.vectors import SECRET

from edgeauth import ConfigurationError, EdgeAuthScheme, Guard, sign
from edgeauth.asgi import EdgeAuthMiddleware as ASGIGate
from edgeauth.flask import EdgeAuth
from edgeauth.ops.doctor.app_checks import check_app
from edgeauth.ops.doctor.app_loading import is_asgi, load_app
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIGate

ROOT = Path(__file__).parents[4]


def guard(**options):
    return Guard(EdgeAuthScheme([SECRET]), **options)


def ids(found):
    return [finding.id for finding in found]


def status(app, **headers):
    """What *app* answers to a request for its page."""

    async def ask():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            return (await client.get("/", headers=headers)).status_code

    return asyncio.run(ask())


async def page(_request):
    return PlainTextResponse("page")


def starlette(*middleware):
    return Starlette(
        routes=[
            Route("/", page),
            Route("/healthz", page),
            Route("/slash/", page),
            Route("/only-post", page, methods=["POST"]),
            Mount("/inner", routes=[Route("/up", page)]),
            Mount("/files", app=page),
        ],
        middleware=[Middleware(*entry) for entry in middleware],
    )


def flask(**options):
    app = Flask("site")
    app.add_url_rule("/healthz", "healthz", lambda: "page")
    app.add_url_rule("/slash/", "slash", lambda: "page")
    app.add_url_rule("/only-post", "post", lambda: "page", methods=["POST"])
    app.add_url_rule("/inner/up", "up", lambda: "page")
    app.add_url_rule("/files/<path:name>", "files", lambda name: name)
    EdgeAuth(app, guard(**options))
    return app


def gated(**options):
    return ASGIGate(starlette(), guard(**options))


def test_an_app_with_one_gate_has_no_finding(monkeypatch):
    monkeypatch.setenv("EDGEAUTH_SECRET", SECRET)
    assert check_app(gated(), []) == []
    assert check_app(starlette((GZipMiddleware,), (ASGIGate,)), []) == []
    assert check_app(flask(), []) == []


def test_an_app_that_answers_everybody_has_no_gate():
    app = starlette((GZipMiddleware,))
    assert status(app) == 200
    assert ids(check_app(app, [])) == ["no-gate"]
    assert ids(check_app(Flask("site"), [])) == ["no-gate"]


def test_two_gates_refuse_the_edge_and_are_found():
    inside = Starlette(routes=[Route("/", page)], middleware=[Middleware(ASGIGate, guard=guard())])
    twice = ASGIGate(inside, guard())
    signed = {"Edge-Auth": sign(SECRET, pop="LHR")}
    assert status(inside, **signed) == 200
    assert status(twice, **signed) == 403
    (finding,) = check_app(twice, [])
    assert (finding.id, finding.severity) == ("several-gates", "error")
    assert "meets 2 gates" in finding.seen


def test_two_gates_are_found_wherever_they_are():
    app = flask()
    app.wsgi_app = WSGIGate(app.wsgi_app, guard())
    assert ids(check_app(app, [])) == ["several-gates"]
    mounted = Starlette(
        routes=[Mount("/a", app=page), Mount("/b", app=gated())],
        middleware=[Middleware(ASGIGate, guard=guard())],
    )
    assert ids(check_app(mounted, [])) == ["several-gates"]


def test_gates_of_different_paths_are_one_each_but_leave_the_root_open():
    beside = Starlette(routes=[Mount("/a", app=gated()), Mount("/b", app=gated())])
    assert ids(check_app(beside, [])) == ["open-route"]


def test_an_app_that_wraps_itself_does_not_hold_the_doctor():
    app = gated()
    app.app = app
    # Each gate takes the verdict of the one around it; nobody comes to an end of them.
    assert check_app(app, []) == []


def test_a_gate_in_report_only_is_found_whatever_the_settings_say():
    assert ids(check_app(gated(mode="report-only"), [])) == ["report-only"]


PATHS = {
    "GET /healthz": True,
    "GET /healthz/": False,
    "GET /slash": False,
    "POST /only-post": True,
    "GET /only-post": False,
    "GET /inner/up": True,
    "GET /inner/down": False,
    "GET /files/a": True,
}


@pytest.mark.parametrize(("entry", "known"), PATHS.items())
@pytest.mark.parametrize("build", [gated, flask], ids=["starlette", "flask"])
def test_an_exempt_path_that_the_app_does_not_have_is_found(build, entry, known):
    expected = [] if known else ["exempt-path-unknown"]
    assert ids(check_app(build(exempt=[entry]), [])) == expected
    assert ids(check_app(build(), [entry])) == expected


def test_an_app_of_an_unknown_framework_has_no_finding_about_paths():
    async def app(scope, receive, send): ...

    assert check_app(ASGIGate(app, guard(exempt=["GET /healthz"])), []) == []


def test_which_interface_an_app_has_is_seen():
    async def function(scope, receive, send): ...

    assert is_asgi(function)
    assert is_asgi(gated())
    assert is_asgi(starlette())
    assert not is_asgi(flask())
    assert not is_asgi(WSGIGate(flask(), guard()))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("site", "must be module:attribute"),
        ("site:", "must be module:attribute"),
        (":app", "must be module:attribute"),
        ("no_such_module:app", "ModuleNotFoundError"),
        ("edgeauth:no_such_app", "AttributeError"),
        ("broken_site:app", "ZeroDivisionError"),
        ("unset_site:app", "no secret"),
    ],
)
def test_an_app_that_cannot_be_imported_is_refused(name, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken_site.py").write_text("1 / 0")
    (tmp_path / "unset_site.py").write_text("import edgeauth\nedgeauth.Guard.from_settings()")
    before = list(sys.path)
    with pytest.raises(ConfigurationError, match=words):
        load_app(name)
    assert sys.path == before


DJANGO = """
import django, os
from django.conf import settings
settings.configure(
    SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF="example_apps.django_site.urls",
    MIDDLEWARE={middleware!r}, EDGEAUTH={settings!r},
)
from django.core.{kind} import get_{kind}_application
application = get_{kind}_application()
"""
GATE = "edgeauth.django.middleware.EdgeAuthMiddleware"


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
@pytest.mark.parametrize(
    ("middleware", "exempt", "expected"),
    [
        ([GATE], ["GET /healthz"], []),
        ([GATE], ["GET /healthz/"], ["exempt-path-unknown"]),
        ([GATE, "django.middleware.common.CommonMiddleware", GATE], [], []),
        (["django.middleware.common.CommonMiddleware"], [], ["no-gate"]),
    ],
    ids=["well", "path", "twice", "none"],
)
def test_a_django_site_is_looked_at_by_its_settings(kind, middleware, exempt, expected, tmp_path):
    settings = {"secret": SECRET, **({"exempt": exempt} if exempt else {})}
    source = DJANGO.format(kind=kind, middleware=middleware, settings=settings)
    (tmp_path / "site_of_a_test.py").write_text(source)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "edgeauth",
            "doctor",
            "--json",
            "--app",
            "site_of_a_test:application",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stderr == ""
    found = {finding["id"] for finding in json.loads(done.stdout)["findings"]}
    assert found - {"clock-unkept"} == set(expected)
