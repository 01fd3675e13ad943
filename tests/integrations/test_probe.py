"""``edgeauth probe`` against real origins: with a gate everything passes, without one the
right rows fail.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from support.processes import HOST, free_port, running
from support.proxies import NGINX, proxying
from support.service import COMMAND, serving, short_folder
from support.upstream import telling_application
from support.vectors import SECRET

ROOT = Path(__file__).parents[2]


class App(NamedTuple):
    """An example app, its server, and the rows that pass without a gate as well.

    Those are of bad HTTP, which servers refuse themselves, and of WebSockets, which Flask and
    Django by ASGI do not take.
    """

    module: str
    server: tuple[str, ...]
    anyway: frozenset[str]
    websocket: str | None = None


UVICORN = ("uvicorn", "--log-level", "warning", "--port", "{port}")
GUNICORN = ("gunicorn", "--bind", "127.0.0.1:{port}")
# gunicorn answers these itself.
MOUNTS = frozenset({"spoofed-mount", "spoofed-mount-twins"})
APPS = {
    "starlette": App(
        "example_apps.starlette_app.app:app",
        UVICORN,
        frozenset({"control-bytes", "websocket GET /healthz"}),
        "/ws",
    ),
    "fastapi": App(
        "example_apps.fastapi_app.app:app",
        UVICORN,
        frozenset({"control-bytes", "websocket GET /healthz"}),
        "/ws",
    ),
    "flask": App(
        "example_apps.flask_app.app:app",
        GUNICORN,
        frozenset({"control-bytes", "long", "unsigned-websocket", "websocket GET /healthz"})
        | MOUNTS,
    ),
    "django by WSGI": App(
        "example_apps.django_site.wsgi:application",
        GUNICORN,
        frozenset({"control-bytes", "long"}) | MOUNTS,
    ),
    "django by ASGI": App(
        "example_apps.django_site.asgi:application",
        UVICORN,
        frozenset({"control-bytes"}),
        "/ws",
    ),
}


@contextlib.contextmanager
def serves(app, folder, *, gate):
    port = free_port()
    server = [part.format(port=port) for part in app.server]
    with running(
        [sys.executable, "-m", *server, app.module if gate else "support.open_gate:app"],
        address=(HOST, port),
        log=folder / "server.log",
        cwd=ROOT,
        env={
            "EDGEAUTH_SECRET": SECRET,
            "OPEN_GATE_APP": app.module,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
        },
    ):
        yield port


def probe(port, *options, websocket=None):
    """Exit status, and rows by their id."""
    if websocket is not None:
        options = (*options, "--websocket", websocket)
    done = subprocess.run(
        [
            *(sys.executable, COMMAND, "probe", f"http://{HOST}:{port}/", "--json"),
            *("--rate", "100", "--timeout", "20", *options),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "EDGEAUTH_SECRET": SECRET},
    )
    assert done.stderr == ""
    return done.returncode, {row["id"]: row for row in json.loads(done.stdout)["rows"]}


def outcomes(rows, outcome):
    return {id_ for id_, row in rows.items() if row["outcome"] == outcome}


@pytest.mark.parametrize("app", APPS.values(), ids=APPS)
def test_an_example_app_passes_every_row(app, tmp_path):
    with serves(app, tmp_path, gate=True) as port:
        status, rows = probe(port, "--exempt", "/healthz", websocket=app.websocket)
    assert outcomes(rows, "fail") == set(), rows
    assert status == 0
    # Without a list of POPs there is no other POP.
    assert outcomes(rows, "not tried") == {"another-pop"}


@pytest.mark.parametrize("app", APPS.values(), ids=APPS)
def test_an_example_app_without_its_gate_fails_every_row_that_must_be_refused(app, tmp_path):
    with serves(app, tmp_path, gate=False) as port:
        status, rows = probe(port, "--exempt", "/healthz", websocket=app.websocket)
    refused = {id_ for id_, row in rows.items() if row["expected"] == "refused"}
    assert outcomes(rows, "fail") == refused - app.anyway - {"another-pop"}, rows
    assert status == 1
    assert len(outcomes(rows, "fail")) > 35


def test_nginx_with_the_service_passes_every_row():
    guard = f'secret = "{SECRET}"\nexempt = ["GET /healthz"]\n'
    with (
        short_folder() as folder,
        telling_application() as upstream,
        serving(guard, 'proxy = "nginx"', folder=folder) as service,
        proxying(NGINX, folder, str(service.address), upstream) as nginx,
    ):
        config = str(service.config)
        status, rows = probe(nginx.port, "--config", config)
    assert outcomes(rows, "fail") == set(), rows
    assert (status, outcomes(rows, "not tried")) == (0, {"another-pop"})
    assert "look-alike GET /healthz/" in rows
