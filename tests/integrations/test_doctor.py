"""The doctor and uvicorn: each set-up goes wrong for real, and the doctor says so."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.processes import HOST, free_port, running
from support.service import COMMAND
from support.vectors import SECRET
from support.wire import answers, converse

from edgeauth import sign

ROOT = Path(__file__).parents[2]
EDGE = "151.101.1.1"
APP = "example_apps.starlette_app.app:app"


@contextlib.contextmanager
def uvicorn(environ, folder, *, socket=None):
    port = free_port()
    with running(
        [sys.executable, "-m", "uvicorn", APP, "--port", str(port)],
        address=socket or (HOST, port),
        log=folder / "uvicorn.log",
        cwd=ROOT,
        env=environ,
    ):
        yield port


def status(port, **fields):
    connection = http.client.HTTPConnection(HOST, port, timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", "/", headers={"Edge-Auth": sign(SECRET, pop="LHR"), **fields})
        return connection.getresponse().status


def doctor(environ, *options):
    done = subprocess.run(
        [sys.executable, COMMAND, "doctor", "--json", "--app", APP, *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, **environ},
    )
    assert done.stderr == ""
    found = {finding["id"] for finding in json.loads(done.stdout)["findings"]}
    assert done.returncode == (1 if found else 0)
    # The secret of the tests is short of variety, and the clock is the machine's affair.
    return found - {"secret-example", "secret-guessable", "clock-unkept"}


WALLED = {"EDGEAUTH_SECRET": SECRET, "EDGEAUTH_ADDRESSES": "fastly"}
SPOOFED = {"X-Forwarded-For": EDGE}


@pytest.mark.parametrize(
    ("environ", "spoofed_status", "expected"),
    [
        ({}, 200, {"peer-rewritten"}),
        ({"FORWARDED_ALLOW_IPS": "*"}, 200, {"peer-from-anybody"}),
        ({"FORWARDED_ALLOW_IPS": "127.0.0.0/8"}, 200, {"peer-rewritten"}),
        ({"FORWARDED_ALLOW_IPS": "nobody"}, 403, set()),
        ({"UVICORN_PROXY_HEADERS": "false"}, 403, set()),
    ],
    ids=["by default", "from anybody", "from a network", "a name", "off"],
)
def test_uvicorn_lets_a_written_address_pass_and_the_doctor_says_so(
    environ, spoofed_status, expected, tmp_path
):
    environ = {**WALLED, **environ}
    with uvicorn(environ, tmp_path) as port:
        assert status(port) == 403
        assert status(port, **SPOOFED) == spoofed_status
    assert doctor(environ) == expected


def test_uvicorn_that_takes_the_edge_for_a_proxy_refuses_it_and_the_doctor_says_so(tmp_path):
    # Here the edge is at the address of the test.
    (tmp_path / "edge.json").write_text('{"addresses": ["127.0.0.0/8"], "ipv6_addresses": []}')
    environ = {"EDGEAUTH_SECRET": SECRET, "EDGEAUTH_ADDRESSES": str(tmp_path / "edge.json")}
    with uvicorn(environ, tmp_path) as port:
        assert status(port) == 200
        assert status(port, **{"X-Forwarded-For": "192.0.2.7"}) == 403
    assert doctor(environ) == {"edge-taken-for-a-proxy"}


@pytest.mark.parametrize(
    ("trusted", "expected_status", "expected"),
    [({}, 403, {"unix-socket"}), ({"EDGEAUTH_TRUSTED_PROXIES": "unix"}, 200, set())],
)
def test_a_unix_socket_without_a_trusted_proxy_refuses_all_and_the_doctor_says_so(
    trusted, expected_status, expected, tmp_path
):
    socket = str(tmp_path / "s")
    environ = {**WALLED, **trusted, "UVICORN_UDS": socket, "UVICORN_PROXY_HEADERS": "false"}
    with uvicorn(environ, tmp_path, socket=socket):
        sent = (
            f"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Forwarded-For: {EDGE}\r\n"
            f"Edge-Auth: {sign(SECRET, pop='LHR')}\r\n\r\n"
        )
        (answer,) = answers(converse(socket, sent.encode()), ["GET"])
        assert answer.status == expected_status
    assert doctor(environ) == expected


@pytest.mark.parametrize(
    ("environ", "options"),
    [
        ({}, ("--listen", "unix:/run/a.sock")),
        ({}, ("--listen", "/run/a.sock")),
        ({"GUNICORN_CMD_ARGS": "--workers 2 --bind=unix:/run/a.sock"}, ()),
    ],
)
def test_where_the_server_listens_is_read_where_servers_read_it(environ, options):
    off = {**WALLED, **environ, "UVICORN_PROXY_HEADERS": "0"}
    assert doctor(off, *options) == {"unix-socket"}
