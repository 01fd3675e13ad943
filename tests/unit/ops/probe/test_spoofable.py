"""The fields of every kind of proxy are sent, those of a kind that comes later too."""

from __future__ import annotations

import pytest
from support.vectors import SECRET

from edgeauth import EdgeAuthScheme
from edgeauth.ops.probe import spoofable
from edgeauth.ops.probe.rows import rows as rows_of
from edgeauth.ops.schemes.probe_rows import Plan
from edgeauth.service.original_request import KINDS, Kind, unbelieved

NOW = 1_700_000_000
PLAN = Plan("origin.example", "/page")


def rows(plan):
    return rows_of(plan, [EdgeAuthScheme([SECRET])])


def sent(plan):
    return {row.id: row.request(NOW) for row in rows(plan) if row.request is not None}


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.targets])
def test_what_each_kind_of_proxy_reads_is_sent_for_an_exempt_path(kind):
    request = sent(PLAN._replace(exempt=("GET /live",)))[f"spoofed-{kind}"]

    for name in KINDS[kind].targets:
        assert f"{name}: ".encode() in request
    assert request.count(b"/live\r\n") == len(KINDS[kind].targets)
    for name in KINDS[kind].methods:
        assert f"{name}: GET\r\n".encode() in request


def test_a_kind_that_is_added_is_tried_without_being_named(monkeypatch):
    added = Kind(unbelieved, ("X-New-Method",), ("X-New-Path",))
    monkeypatch.setitem(KINDS, "new", added)
    found = sent(PLAN)

    assert b"X-New-Path: /healthz\r\nX-New-Method: GET\r\n" in found["spoofed-new"]
    assert b"X-New-Path: /healthz\r\n" in found["spoofed-target"]
    assert b"X_New_Path: /healthz\r\n" in found["spoofed-twins"]
    assert "X-New-Path" in spoofable.names()


def test_a_whole_url_is_sent_where_a_whole_url_is_read():
    assert b"X-Original-URL: http://localhost/healthz\r\n" in sent(PLAN)["spoofed-ingress-nginx"]


@pytest.mark.parametrize(
    ("exempt", "mount", "asked"),
    [
        ("GET /healthz", b"/healthz", b"/"),
        ("GET /healthz/", b"/healthz", b"/"),
        ("GET /status/admin", b"/status", b"/admin"),
        ("POST /a/b/c", b"/a/b", b"/c"),
    ],
)
def test_the_mount_point_is_moved_so_that_both_make_the_exempt_path(exempt, mount, asked):
    found = sent(PLAN._replace(exempt=(exempt,)))

    for id_, name in [
        ("spoofed-mount", b"Daphne-Root-Path"),
        ("spoofed-mount-twins", b"SCRIPT_NAME"),
    ]:
        assert found[id_].startswith(b"GET " + asked + b" ")
        assert name + b": " + mount + b"\r\n" in found[id_]


def test_a_path_that_is_exempt_for_websockets_alone_is_not_claimed_for_a_request():
    found = sent(PLAN._replace(exempt=("WEBSOCKET /ws", "GET /live")))

    assert b"X-Original-URI: /live\r\n" in found["spoofed-nginx"]


def test_a_websocket_is_tried_where_get_is_exempt_and_the_method_where_a_websocket_is():
    found = {row.id: row for row in rows(PLAN._replace(exempt=("GET /live", "WEBSOCKET /ws")))}

    assert found["websocket GET /live"].expected == "refused"
    assert b"GET /live HTTP/1.1" in found["websocket GET /live"].request(NOW)
    assert b"Upgrade: websocket" in found["websocket GET /live"].request(NOW)
    assert found["exempt WEBSOCKET /ws"].expected == "upgraded"
    assert b"GET /ws HTTP/1.1" in found["exempt WEBSOCKET /ws"].request(NOW)
    assert found["literal WEBSOCKET /ws"].expected == "refused"
    assert b"WEBSOCKET /ws HTTP/1.1" in found["literal WEBSOCKET /ws"].request(NOW)
    assert "websocket POST /x" not in sent(PLAN._replace(exempt=("POST /x",)))
