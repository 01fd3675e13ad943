"""The doctor asks an app whether it believes a field that a client can write."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from support.vectors import SECRET

from edgeauth import EdgeAuthScheme, Guard
from edgeauth.asgi import EdgeAuthMiddleware
from edgeauth.ops.doctor.app_checks import check_app
from edgeauth.ops.doctor.spoof_checks import check_spoofed
from edgeauth.ops.probe.spoofable import names
from edgeauth.service.original_request import KINDS

EXEMPT = ("GET /healthz", "WEBSOCKET /ws", "POST /hook")


async def page(_request):
    return PlainTextResponse("page")


SITE = Starlette(routes=[Route("/healthz", page)])


def asking(app):
    client = TestClient(app)
    return lambda path, fields: client.get(path, headers=dict(fields)).status_code


def before_its_gate(name):
    """A site, with a layer before its gate that takes the path from a field."""
    gate = EdgeAuthMiddleware(SITE, Guard(EdgeAuthScheme([SECRET]), exempt=EXEMPT))

    async def app(scope, receive, send):
        told = dict(scope["headers"]).get(name.lower().encode())
        if scope["type"] == "http" and told is not None:
            scope = {**scope, "path": told.decode().removeprefix("http://localhost")}
        await gate(scope, receive, send)

    return app


def believing(name):
    return asking(before_its_gate(name))


def test_the_doctor_says_so_of_an_app_that_it_is_given():
    found = {finding.id for finding in check_app(before_its_gate("X-Original-URI"), ())}
    well = {finding.id for finding in check_app(before_its_gate("X-Of-Nobody"), ())}

    assert "spoofed-field" in found
    assert "spoofed-field" not in well


def test_an_app_that_believes_none_of_them_is_well():
    assert check_spoofed(believing("X-Of-Nobody"), EXEMPT) == []


@pytest.mark.parametrize("name", sorted({name for kind in KINDS.values() for name in kind.targets}))
def test_a_field_that_moves_the_path_under_an_exempt_one_is_found(name):
    found = check_spoofed(believing(name), EXEMPT)

    assert {(finding.id, finding.severity) for finding in found} == {("spoofed-field", "error")}
    assert all(name in finding.seen for finding in found)


def test_its_twin_is_found_too():
    (finding,) = check_spoofed(believing("X_Original_URI"), EXEMPT)

    assert "X_Original_URI" in finding.seen


def test_without_an_exemption_of_get_the_usual_one_is_claimed():
    asked = []

    def ask(_path, fields):
        asked.append(fields)
        return 403

    assert check_spoofed(ask, ["WEBSOCKET /ws"]) == []
    assert {"X-Original-URI": "/healthz", "X-Original-Method": "GET"} in asked


def test_an_app_that_refuses_nobody_is_another_checks_affair():
    assert check_spoofed(asking(SITE), EXEMPT) == []


def test_what_fails_beyond_the_gate_was_let_in():
    def ask(_path, fields):
        return None if "X-Rewrite-URL" in fields else 403

    assert [finding.id for finding in check_spoofed(ask, EXEMPT)] == ["spoofed-field"]


def test_every_field_of_every_kind_is_sent_and_its_twin():
    sent = set()

    def ask(_path, fields):
        sent.update(fields)
        return 403

    assert check_spoofed(ask, EXEMPT) == []
    assert set(names()) | {name.replace("-", "_") for name in names()} <= sent
