"""What runs where there are no forks, no locks of files and no Unix sockets, as on Windows.

Each test is a process from which these were taken away before edgeauth was imported. macOS has
them; what it lacks is taken away likewise.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import runpy
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from support.processes import HOST, free_port, running

from edgeauth import sign
from edgeauth.replay import memory, sqlite

TESTS = Path(__file__).parents[1]
SECRET = "9bd1c6f0a7e84e25b3f7c1d09e5a4826"

# A guard from settings with a watched file, an address list, a pass and a memory of what was seen.
SETTINGS = f"""
import pathlib
pathlib.Path("keys").write_text("old:{SECRET}\\n")
settings = {{
    "secrets_file": "keys", "exempt": ["GET /healthz"], "addresses": "fastly",
    "trusted_proxies": ["127.0.0.0/8"], "pass_secret": "{SECRET[::-1]}",
}}
only = {{"secret": "{SECRET}"}}
from edgeauth import Guard, sign, verify
signed = sign("{SECRET}", pop="LHR")
"""

WORKS = {
    "sign and verify": f'assert verify(signed, ["{SECRET}"]).pop == "LHR"',
    "a guard with all that is watched": """
        guard = Guard.from_settings(settings)
        assert [key.id for key in guard.scheme.keys] == ["old"]
    """,
    "the memory store": """
        import time
        from edgeauth.replay import open_store
        store, now = open_store("memory"), time.time()
        assert [store.remember(b"a", now + 9, now=now) for _ in range(2)] == [True, False]
    """,
    "asgi": """
        import httpx
        from starlette.applications import Starlette
        from starlette.responses import PlainTextResponse
        from starlette.routing import Route
        from support.other_system import LOOP
        from edgeauth.asgi import EdgeAuthMiddleware
        app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("in"))])
        gated = EdgeAuthMiddleware(app, guard=Guard.from_settings(only))
        client = httpx.AsyncClient(transport=httpx.ASGITransport(gated), base_url="http://a")
        def ask(method, **more):
            return LOOP.run_until_complete(client.request(method, "/", **more))
        assert ask("GET").status_code == 403
        assert ask("POST", content=b"body").status_code == 403
        assert ask("GET", headers={"Edge-Auth": signed}).text == "in"
    """,
    "starlette": """
        import edgeauth.starlette
    """,
    "wsgi and flask": """
        from flask import Flask
        from edgeauth.flask import EdgeAuth
        app = Flask("shop")
        EdgeAuth(app, guard=Guard.from_settings(only))
        app.add_url_rule("/", view_func=lambda: "in")
        client = app.test_client()
        assert client.get("/").status_code == 403
        assert client.post("/", data=b"body").status_code == 403
        assert client.get("/", headers={"Edge-Auth": signed}).text == "in"
    """,
    "django": """
        from django.conf import settings as django_settings
        from django.http import HttpResponse
        from django.urls import path
        import django
        urlpatterns = [path("", lambda request: HttpResponse("in"))]
        django_settings.configure(
            ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"], EDGEAUTH=only,
            INSTALLED_APPS=["edgeauth.django"],
            MIDDLEWARE=["edgeauth.django.middleware.EdgeAuthMiddleware"],
        )
        django.setup()
        from django.test import Client
        assert Client().get("/").status_code == 403
        assert Client().get("/", headers={"Edge-Auth": signed}).content == b"in"
    """,
    "a new key in a watched file": """
        import time
        from flask import Flask
        from edgeauth.flask import EdgeAuth
        app = Flask("shop")
        EdgeAuth(app, guard=Guard.from_settings({"secrets_file": "keys", "watch_interval": 0.01}))
        app.add_url_rule("/", view_func=lambda: "in")
        new = "4cf0a1d96be2837750e91b64ad3c82f5"
        pathlib.Path("keys").write_text(f"new:{new}")
        headers, deadline = {"Edge-Auth": sign(new, pop="LHR")}, time.monotonic() + 30
        while app.test_client().get("/", headers=headers).text != "in":
            assert time.monotonic() < deadline
            time.sleep(0.01)
    """,
    "a client": """
        from edgeauth.clients.httpx import EdgeAuth
        import httpx
        seen = []
        def answer(request):
            seen.append(request.headers["edge-auth"])
            return httpx.Response(200)
        transport = httpx.MockTransport(answer)
        httpx.Client(transport=transport, auth=EdgeAuth(only["secret"])).get("http://a/")
        assert verify(seen[0], [only["secret"]])
    """,
}

FRAMEWORKS = {
    "asgi": ("starlette.applications", "httpx"),
    "starlette": ("starlette.applications",),
    "wsgi and flask": ("flask",),
    "django": ("django.http", "django.test"),
    "a new key in a watched file": ("flask",),
    "a client": ("httpx",),
}

SAYS_SO = {
    "the file of decisions": ('Guard.from_settings({**only, "decisions": "d.log"})', "decisions"),
    "the SQLite store": (
        'Guard.from_settings({**only, "replay": "sqlite:/tmp/seen.db"})',
        "SQLite",
    ),
    "its path as on Windows": (
        'Guard.from_settings({**only, "replay": "sqlite:C:/seen.db"})',
        "SQLite",
    ),
    "the SQLite store in code": (
        'from edgeauth.replay.sqlite import SQLiteReplayStore; SQLiteReplayStore("seen.db")',
        "SQLite",
    ),
}

COMMANDS = {
    "sign": 0,
    "verify x": 1,
    "keygen": 0,
    "keygen --type ed25519 --out edge.key": 0,
    "check-config": 0,
    "doctor": 1,
    "report decisions --json --html page.html": 0,
    "keys status": 1,
    "addresses show": 0,
    "snippet vcl": 0,
    "pass issue --for ada": 0,
    "edge --help": 0,
    "serve --help": 0,
    "keys rotate --help": 0,
}


COMMAND = """
from edgeauth.ops.cli import main
main({args!r}, prog_name="edgeauth")
"""

QUESTION = {"X-Original-Method": "GET", "X-Original-URI": "/"}

DECISION = (
    '{"time":1700000000,"allowed":true,"reason":"ok","enforced":true,"method":"GET","path":"/",'
    '"peer":"127.0.0.1","scheme":"edge-auth","key":"new","pop":"LHR","age":1}\n'
)


def environment() -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("EDGEAUTH_")}
    path = filter(None, (str(TESTS), env.get("PYTHONPATH")))
    return {**env, "PYTHONPATH": os.pathsep.join(path)}


def run(
    system: str, code: str, folder: Path, *frameworks: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    call = f"{system}({', '.join(map(repr, frameworks))})"
    taken_away = f"from support.other_system import {system}\n{call}\n"
    return subprocess.run(
        [sys.executable, "-c", taken_away + code],
        cwd=folder,
        env={**environment(), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("what", WORKS)
def test_what_an_app_needs_runs_on_windows(what, tmp_path):
    done = run("windows", SETTINGS + textwrap.dedent(WORKS[what]), tmp_path, *frameworks_of(what))

    # The log has the refusals.
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


def test_what_an_app_needs_runs_on_macos(tmp_path):
    code = "".join(SETTINGS + textwrap.dedent(one) for one in WORKS.values())
    frameworks = {framework for what in WORKS for framework in frameworks_of(what)}

    done = run("macos", code, tmp_path, *frameworks)

    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


def frameworks_of(what: str) -> tuple[str, ...]:
    frameworks = FRAMEWORKS.get(what, ())
    for framework in frameworks:
        pytest.importorskip(framework.split(".")[0])
    return frameworks


def test_the_service_runs_on_macos(tmp_path):
    port = free_port()
    args = ["serve", "--listen", f"{HOST}:{port}", "--workers", "2"]
    code = f"from support.other_system import macos\nmacos()\n{COMMAND.format(args=args)}"

    with running(
        [sys.executable, "-c", code],
        address=(HOST, port),
        env={**environment(), "EDGEAUTH_SECRET": SECRET},
        log=tmp_path / "log",
    ):
        signed = {**QUESTION, "Edge-Auth": sign(SECRET, pop="LHR")}
        assert [asked(port, fields) for fields in (QUESTION, signed)] == [403, 204]


def asked(port: int, fields: dict[str, str]) -> int:
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", "/", headers=fields)
        return connection.getresponse().status


@pytest.mark.parametrize("what", SAYS_SO)
def test_what_cannot_run_on_windows_says_so_when_it_is_set_up(what, tmp_path):
    code, named = SAYS_SO[what]

    done = run("windows", SETTINGS + code, tmp_path)

    *_, last = done.stderr.splitlines()
    assert last.startswith("edgeauth.errors.ConfigurationError: ")
    assert named in last
    assert "needs Linux or macOS: there is no fcntl on this system" in last


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run_on_windows(command, tmp_path):
    done = command_on_windows(command, tmp_path)

    assert (done.returncode, "Traceback" in done.stderr) == (COMMANDS[command], False), done.stderr


@pytest.mark.parametrize(
    ("command", "lacks"),
    [
        ("serve", "edgeauth serve needs Linux or macOS: there is no fcntl and no resource and no "),
        ("keys rotate finish", "a change of the secrets file needs Linux or macOS: "),
    ],
)
def test_a_command_that_cannot_run_on_windows_says_so(command, lacks, tmp_path):
    done = command_on_windows(command, tmp_path)

    assert done.returncode == 2
    assert done.stderr.startswith(f"Error: {lacks}")
    assert len(done.stderr.splitlines()) == 1


def command_on_windows(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    Path(folder, "keys").write_text(f"old:{SECRET}\nnew:{SECRET}{SECRET}\n")
    Path(folder, "decisions").write_text(DECISION * 2000)
    Path(folder, "page.html").write_text("an old one")
    code = COMMAND.format(args=command.split())
    variables = {"EDGEAUTH_SECRETS_FILE": "keys", "EDGEAUTH_PASS_SECRET": SECRET[::-1]}
    return run("windows", code, folder, "aiohttp", "cryptography", **variables)


@pytest.mark.parametrize("module", [memory, sqlite])
def test_a_store_is_defined_where_nobody_can_be_asked_to_call_it_at_a_fork(module, monkeypatch):
    # In this process, and as a module of its own: what a mutant makes of it is seen.
    monkeypatch.delattr(os, "register_at_fork")
    defined = runpy.run_path(module.__file__)
    assert any(name.endswith("ReplayStore") for name in defined)
