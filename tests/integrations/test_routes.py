"""What real servers make of a path, and that a client cannot choose what an exemption opens."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pytest
from support.processes import HOST, free_port, running
from support.vectors import SECRET
from support.wire import answers, connect, converse

from edgeauth import sign

_TESTS = Path(__file__).parents[1]

STARLETTE = "support.routed_starlette:app"
FLASK = "support.routed_flask:app"
DJANGO = "support.routed_django:"

ASGI = {
    "uvicorn": ("uvicorn", "{app}", "--port={port}"),
    "hypercorn": ("hypercorn", "{app}", "--bind=127.0.0.1:{port}", "--workers=0"),
    "granian": ("granian", "{app}", "--interface=asgi", "--port={port}", "--workers=1"),
    "daphne": ("daphne", "{app}", "--port={port}"),
}
WSGI = {
    "gunicorn": ("gunicorn", "{app}", "--bind=127.0.0.1:{port}", "--threads=2"),
    "waitress": ("waitress", "--listen=127.0.0.1:{port}", "{app}"),
}
ROOT_PATH = {
    "uvicorn": "--root-path=/app",
    "hypercorn": "--root-path=/app",
    "granian": "--url-path-prefix=/app",
    "daphne": "--root-path=/app",
}


@contextlib.contextmanager
def serving(folder, arguments, app, **env):
    """Run a server until the block ends; gives its address."""
    port = free_port()
    with running(
        [sys.executable, "-m", *(part.format(app=app, port=port) for part in arguments)],
        address=(HOST, port),
        log=folder / "log",
        cwd=folder,
        env={
            "PYTHONPATH": str(_TESTS),
            "DJANGO_SETTINGS_MODULE": "support.routed_django",
            "EDGEAUTH_SECRET": SECRET,
            "ROUTED_COUNT": str(folder / "count"),
            **env,
        },
    ):
        yield HOST, port


def said(address, target, *fields, method="GET"):
    """Status and body of the answer to one request."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", *fields, "", ""]
    (answer,) = answers(converse(address, "\r\n".join(lines).encode()), [method])
    return answer.status, answer.body.decode()


def credential():
    return f"Edge-Auth: {sign(SECRET, pop='LHR')}"


HANDSHAKE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


def opened(address, target, *fields):
    """The status of a handshake, and the first message if it opened."""
    lines = [f"GET {target} HTTP/1.1", "Host: localhost", *HANDSHAKE, *fields, "", ""]
    with connect(address) as client, client.makefile("rb") as stream:
        client.sendall("\r\n".join(lines).encode())
        status = int(stream.readline().split()[1])
        if status != 101:
            return status, None
        while stream.readline() != b"\r\n":
            pass
        _, length = stream.read(2)
        return status, stream.read(length).decode()


EXEMPT = "GET /healthz/,GET /healthz,GET /status/admin,WEBSOCKET /feed/,WEBSOCKET /feed"


@pytest.mark.parametrize(
    "app", [STARLETTE, DJANGO + "_asgi_app", DJANGO + "guarded_app", DJANGO + "channels_app"]
)
def test_daphne_lets_a_client_move_the_mount_point_and_it_opens_nothing(app, tmp_path):
    with serving(tmp_path, ASGI["daphne"], app, EDGEAUTH_EXEMPT=EXEMPT) as address:
        for root, target in [
            ("/healthz", "/"),
            ("/healthz", "/healthz/"),
            ("/healthz/", "/"),
            ("/status", "/admin"),
            ("/status", "/status/admin"),
            ("/status/", "/admin"),
            ("/%68ealthz", "/"),
        ]:
            assert said(address, target, f"Daphne-Root-Path: {root}") == (403, "Forbidden\n")
        assert said(address, "/healthz")[0] == 200
        assert said(address, "/", "Daphne-Root-Path: /healthz", credential())[0] == 200


@pytest.mark.parametrize("app", [STARLETTE, DJANGO + "channels_app"])
def test_daphne_lets_a_client_move_a_websocket_and_it_opens_nothing(app, tmp_path):
    with serving(tmp_path, ASGI["daphne"], app, EDGEAUTH_EXEMPT=EXEMPT) as address:
        assert opened(address, "/", "Daphne-Root-Path: /feed")[0] == 403
        assert opened(address, "/feed/", "Daphne-Root-Path: /feed")[0] == 403
        assert opened(address, "/feed")[0] == 101


@pytest.mark.parametrize("app", [FLASK, DJANGO + "_wsgi_app", DJANGO + "guarded_wsgi_app"])
def test_gunicorn_lets_a_client_move_the_mount_point_and_it_opens_nothing(app, tmp_path):
    """HAProxy hands a header SCRIPT_NAME on, and gunicorn believes a proxy on this host."""
    with serving(tmp_path, WSGI["gunicorn"], app, EDGEAUTH_EXEMPT=EXEMPT) as address:
        for root, target in [
            ("/healthz", "/healthz/"),
            ("/healthz", "/healthz"),
            ("/status", "/status/admin"),
        ]:
            assert said(address, target, f"SCRIPT_NAME: {root}") == (403, "Forbidden\n")
        assert said(address, "/healthz")[0] == 200
        assert said(address, "/healthz/", "SCRIPT_NAME: /healthz", credential())[0] == 200


@pytest.mark.parametrize("server", ASGI)
@pytest.mark.parametrize("app", [STARLETTE, DJANGO + "_asgi_app", DJANGO + "guarded_app"])
def test_behind_a_root_path_one_exemption_means_one_path_under_every_server(server, app, tmp_path):
    arguments = (*ASGI[server], ROOT_PATH[server])
    env = {
        "EDGEAUTH_EXEMPT": "GET /app/healthz,GET /admin",
        "EDGEAUTH_MOUNT_POINTS": "/app",
    }
    with serving(tmp_path, arguments, app, **env) as address:
        # As a proxy sends it that takes the mount point off.
        status, body = said(address, "/healthz")
        assert (status, body.split()[0]) == (200, "healthz")
        for target in ("/", "/admin", "/healthz/", "/app/admin"):
            assert said(address, target) == (403, "Forbidden\n")


@pytest.mark.parametrize("app", [FLASK, DJANGO + "_wsgi_app", DJANGO + "guarded_wsgi_app"])
def test_behind_a_script_name_the_same_exemption_means_the_same_path(app, tmp_path):
    env = {
        "SCRIPT_NAME": "/app",
        "EDGEAUTH_EXEMPT": "GET /app/healthz,GET /admin",
        "EDGEAUTH_MOUNT_POINTS": "/app",
    }
    with serving(tmp_path, WSGI["gunicorn"], app, **env) as address:
        status, body = said(address, "/app/healthz")
        assert (status, body.split()[0]) == (200, "healthz")
        assert said(address, "/app/admin") == (403, "Forbidden\n")


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
def test_a_websocket_behind_a_root_path_has_the_path_of_the_url(server, tmp_path):
    arguments = (*ASGI[server], ROOT_PATH[server])
    env = {"EDGEAUTH_EXEMPT": "WEBSOCKET /app/feed,GET /app/", "EDGEAUTH_MOUNT_POINTS": "/app"}
    with serving(tmp_path, arguments, STARLETTE, **env) as address:
        assert opened(address, "/feed") == (101, "f")
        assert opened(address, "/")[0] == 403


@pytest.mark.parametrize(
    ("app", "arguments"),
    [
        (DJANGO + "_asgi_app", ASGI["uvicorn"]),
        (DJANGO + "guarded_app", ASGI["uvicorn"]),
        (DJANGO + "guarded_wsgi_app", WSGI["gunicorn"]),
        (DJANGO + "_wsgi_app", WSGI["gunicorn"]),
    ],
)
def test_behind_force_script_name_the_exemption_has_it_in_front(app, arguments, tmp_path):
    env = {"ROUTED_FORCED": "/app", "EDGEAUTH_EXEMPT": "GET /app/healthz,GET /admin"}
    with serving(tmp_path, arguments, app, **env) as address:
        assert said(address, "/healthz") == (200, "healthz exempt")
        assert said(address, "/admin") == (403, "Forbidden\n")


@pytest.mark.parametrize(
    ("arguments", "app"),
    [
        (WSGI["gunicorn"], FLASK),
        (WSGI["waitress"], FLASK),
        (ASGI["hypercorn"], STARLETTE),
        (ASGI["daphne"], STARLETTE),
    ],
)
def test_a_method_that_is_literally_websocket_is_no_handshake(arguments, app, tmp_path):
    with serving(tmp_path, arguments, app, EDGEAUTH_EXEMPT="WEBSOCKET /feed") as address:
        assert said(address, "/feed", method="WEBSOCKET") == (403, "Forbidden\n")


@pytest.mark.parametrize("server", WSGI)
def test_an_exemption_of_get_covers_no_handshake_in_wsgi(server, tmp_path):
    with serving(tmp_path, WSGI[server], FLASK, EDGEAUTH_EXEMPT="GET /feed") as address:
        assert said(address, "/feed") == (200, "feed")
        assert opened(address, "/feed")[0] == 403


MB = 1 << 20


def upload(address, size, *fields):
    """Announce and send a body of zeros; the status, or None where the answer was lost to it."""
    head = ["POST / HTTP/1.1", "Host: localhost", "Connection: close", *fields]
    head += [f"Content-Length: {size}", "", ""]
    received = converse(address, "\r\n".join(head).encode() + bytes(size), seconds=60)
    return int(received.split()[1]) if received else None


def bytes_read(folder):
    count = folder / "count"
    return sum(map(int, count.read_text().split())) if count.exists() else 0


@pytest.mark.parametrize("server", ["uvicorn", "daphne", "hypercorn"])
def test_around_django_an_upload_is_refused_before_a_byte_of_it_is_stored(server, tmp_path):
    with serving(tmp_path, ASGI[server], DJANGO + "guarded_app") as address:
        assert upload(address, 20 * MB) in {403, None}
        assert upload(address, 10) == 403
        assert bytes_read(tmp_path) == 0
        # The same body from the edge arrives whole. (The view takes no POST: CSRF.)
        assert upload(address, 20 * MB, credential()) in {200, 403}
        assert bytes_read(tmp_path) >= 20 * MB


def test_without_the_wrapper_django_reads_the_body_before_the_middleware_refuses(tmp_path):
    """What the system check W006 says."""
    with serving(tmp_path, ASGI["uvicorn"], DJANGO + "read_app") as address:
        assert upload(address, 20 * MB) == 403
        assert bytes_read(tmp_path) >= 20 * MB


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_channels_and_the_middleware_are_guarded_once_by_one_wrapper(server, tmp_path):
    with serving(tmp_path, ASGI[server], DJANGO + "channels_app") as address:
        assert said(address, "/", credential()) == (200, "front ok")
        assert said(address, "/") == (403, "Forbidden\n")
        assert opened(address, "/", credential()) == (101, "ok")
        assert opened(address, "/")[0] == 403
    assert (tmp_path / "log").read_text().count("reason='missing'") == 2
