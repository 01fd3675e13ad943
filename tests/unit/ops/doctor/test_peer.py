"""What the doctor says of the peer's address; test_doctor.py has the same with uvicorn."""

from __future__ import annotations

import pytest

from edgeauth import Settings
from edgeauth.ops.doctor.peer_checks import check_peer

SECRET = "0f83b1a2c94d57e6a8b0c1d2e3f40516"
NONE = {"FORWARDED_ALLOW_IPS": ""}


def ids(environ, *, listen=None, is_asgi=True, **options):
    settings = Settings(secret=SECRET, **{"addresses": "fastly", **options})
    found = check_peer(settings, environ, listen=listen, is_asgi=is_asgi)
    return [(finding.id, finding.severity) for finding in found]


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (None, [("peer-rewritten", "warning")]),
        ("127.0.0.1, ::1", [("peer-rewritten", "warning")]),
        ("10.0.0.0/8,*", [("peer-from-anybody", "error")]),
        ("151.101.0.0/16", [("edge-taken-for-a-proxy", "error")]),
        ("2a04:4e40::1", [("edge-taken-for-a-proxy", "error")]),
        ("", []),
        ("localhost,unix:", []),
    ],
)
def test_whom_uvicorn_believes_is_read_from_its_variable(allowed, expected):
    environ = {} if allowed is None else {"FORWARDED_ALLOW_IPS": allowed}
    assert ids(environ) == expected
    assert ids(environ, is_asgi=False) == []
    assert ids(environ, addresses=None) == []
    assert ids(environ, addresses="/missing") == []


@pytest.mark.parametrize(
    ("environ", "rewrites"),
    [
        ({"UVICORN_PROXY_HEADERS": "False"}, False),
        ({"UVICORN_PROXY_HEADERS": "0"}, False),
        ({"UVICORN_PROXY_HEADERS": "true"}, True),
        ({"UVICORN_PROXY_HEADERS": ""}, True),
    ],
)
def test_uvicorn_that_rewrites_nothing_is_no_trouble(environ, rewrites):
    assert bool(ids(environ)) is rewrites


def test_without_uvicorn_there_is_nothing_that_rewrites(monkeypatch):
    monkeypatch.setattr("edgeauth.ops.doctor.peer_checks.find_spec", lambda _name: None)
    assert ids({"FORWARDED_ALLOW_IPS": "*"}) == []


@pytest.mark.parametrize(
    ("environ", "listen", "is_unix"),
    [
        ({}, "unix:/run/a", True),
        ({}, "/run/a", True),
        ({}, "127.0.0.1:80", False),
        ({"UVICORN_UDS": "/run/a"}, None, True),
        ({"GUNICORN_CMD_ARGS": "-b unix:/run/a"}, None, True),
        ({"GUNICORN_CMD_ARGS": "--bind=unix:/run/a"}, None, True),
        ({"GUNICORN_CMD_ARGS": "--bind 127.0.0.1:80"}, None, False),
        ({}, None, False),
    ],
)
def test_a_unix_socket_needs_a_trusted_proxy(environ, listen, is_unix):
    environ = {**NONE, **environ}
    assert ids(environ, listen=listen) == [("unix-socket", "error")] * is_unix
    assert ids(environ, listen=listen, trusted_proxies=("unix",)) == []
    assert ids(environ, listen=listen, addresses=None) == []


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, True),
        ({"FORWARDED_ALLOW_IPS": "*"}, True),
        ({"FORWARDED_ALLOW_IPS": ""}, False),
        ({"UVICORN_PROXY_HEADERS": "off"}, False),
    ],
)
def test_a_server_that_hides_the_proxy_from_who_believes_it_is_an_error(environ, found):
    settings = Settings(
        scheme="client-certificate", fingerprints=("ab" * 20,), trusted_proxies=("127.0.0.1",)
    )
    expected = [("proxy-hidden", "error")] if found else []

    seen = check_peer(settings, environ, listen=None, is_asgi=True)
    assert [(finding.id, finding.severity) for finding in seen] == expected
    assert check_peer(settings, environ, listen=None, is_asgi=False) == []
