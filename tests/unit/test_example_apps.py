"""The example apps, each under the server that its README names, and the demo."""

from __future__ import annotations

import http.client
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
from html import escape

import pytest
from support.example_apps import STARTS, UNDER_ASGI, serving
from support.processes import HOST, wait_until
from support.vectors import SECRET
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from edgeauth import EdgeIdentity, sign

ROOT = pathlib.Path(__file__).parents[2]


def fetch(port, path="/", value=None):
    connection = http.client.HTTPConnection(HOST, port, timeout=20)
    connection.request("GET", path, headers={} if value is None else {"Edge-Auth": value})
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, body


def test_each_example_app_documents_how_it_is_started():
    assert [(folder, command.split()[0]) for folder, command in STARTS] == [
        ("django_site", "gunicorn"),
        ("django_site", "uvicorn"),
        ("fastapi_app", "uvicorn"),
        ("flask_app", "gunicorn"),
        ("starlette_app", "uvicorn"),
    ]


@pytest.mark.parametrize("start", STARTS, ids=str)
def test_each_example_app_shows_its_page_to_the_edge_alone(start, tmp_path):
    with serving(start, tmp_path) as port:
        for path in ["/", "/async"] if start.folder == "django_site" else ["/"]:
            assert fetch(port, path) == (403, "Forbidden\n")
            status, body = fetch(port, path, sign(SECRET, pop="LHR"))
            assert status == 200
            assert "<dt>POP</dt><dd>LHR</dd>" in body
            assert re.search(r"<dt>Age</dt><dd>\d+\.\d s</dd>", body)
        assert fetch(port, "/healthz") == (200, "ok\n")
        assert fetch(port, "/healthz/")[0] == 403


@pytest.mark.parametrize("start", UNDER_ASGI, ids=str)
def test_the_websocket_of_an_example_app_echoes_to_the_edge_alone(start, tmp_path):
    with serving(start, tmp_path) as port:
        headers = {"Edge-Auth": sign(SECRET, pop="LHR")}
        with connect(f"ws://{HOST}:{port}/ws", additional_headers=headers) as websocket:
            websocket.send("hello")
            assert websocket.recv(timeout=20) == "hello"
        with pytest.raises(InvalidStatus) as caught, connect(f"ws://{HOST}:{port}/ws"):
            pass
        assert caught.value.response.status_code == 403


def test_an_example_app_does_not_start_without_a_secret():
    for module in ("starlette_app.app", "fastapi_app.app", "flask_app.app", "django_site.wsgi"):
        ended = subprocess.run(
            [sys.executable, "-c", f"import example_apps.{module}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 1
        assert "EDGEAUTH_SECRET" in ended.stderr.splitlines()[-1]


def test_the_page_escapes_what_it_shows_and_bears_an_identity_that_lacks_something(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from example_apps.page import page  # noqa: PLC0415 - only now it is on the path

    hostile = "<script>&"
    assert escape(hostile) in page("App", EdgeIdentity(1_700_000_000, hostile, "key-1"))
    assert hostile not in page(hostile, EdgeIdentity(1_700_000_000, hostile, "key-1"))
    assert hostile not in page(hostile, None)
    assert "<dd>not named</dd>" in page("App", EdgeIdentity(1_700_000_000, None, "key-1"))
    assert "<dd>unknown</dd>" in page("App", EdgeIdentity(None, None, "key-1"))


MARK = "EXAMPLE_APPS_TEST"


def demo(tmp_path, folder=ROOT):
    """Starts the demo; what it starts carries its mark."""
    return subprocess.Popen(
        [sys.executable, folder / "example_apps" / "demo.py"],
        env={**os.environ, MARK: str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell that runs the tests in its background has them ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads
    )


def left_running(tmp_path):
    """Command lines of the processes that carry the mark."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={tmp_path}\0".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes())
        except OSError:
            continue
    return found


needs_proc = pytest.mark.skipif(
    not pathlib.Path("/proc/self/environ").exists(),
    reason="looks for processes in /proc: run it on Linux",
)


@needs_proc
def test_the_demo_prints_a_table_of_right_rows_and_leaves_nothing_running(tmp_path):
    process = demo(tmp_path)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 0, printed
    rows = [line.split() for line in printed.splitlines() if line.endswith(("ok", "WRONG"))]
    assert [row[-4:] for row in rows] == [
        [status, status, status, "ok"]
        for status in [
            "403",
            "200",
            "200",
            "200",
            "403",
            "403",
            "200",
            "403",
            "403",
            "200",
            "403",
            "200",
        ]
    ]
    assert left_running(tmp_path) == []


@needs_proc
@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("EdgeAuth(app, ", "print(app, ", "WRONG"),
        ("from flask import", "from nowhere import", "No module named 'nowhere'"),
    ],
    ids=["a gate that is open", "a server that does not start"],
)
def test_the_demo_fails_if_a_row_is_wrong_or_a_server_missing(tmp_path, right, wrong, told):
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "example_apps", copy / "example_apps")
    app = copy / "example_apps" / "flask_app" / "app.py"
    source = app.read_text()
    assert right in source
    app.write_text(source.replace(right, wrong))
    process = demo(tmp_path, copy)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert told in printed
    assert left_running(tmp_path) == []


@needs_proc
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_the_demo_that_is_interrupted_leaves_nothing_running(tmp_path, number, status):
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "example_apps", copy / "example_apps")
    app = copy / "example_apps" / "starlette_app" / "app.py"
    # Never there, so that the demo cannot end by itself before it is told to.
    app.write_text("import time\ntime.sleep(600)\n")
    process = demo(tmp_path, copy)
    wait_until(
        lambda: any(b"uvicorn" in command for command in left_running(tmp_path)),
        what="the first server of the demo",
    )
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == status
    wait_until(lambda: not left_running(tmp_path), what="the end of the demo's servers")
