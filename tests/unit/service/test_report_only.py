"""In report-only the service admits whatever a proxy asks about."""

from __future__ import annotations

import pytest
from support.service import SECRET

from edgeauth.service.app import DecisionApp
from edgeauth.service.counters import Counters
from edgeauth.service.original_request import KINDS
from edgeauth.service.state import State

FIELDS = [
    pytest.param([], id="nothing"),
    pytest.param([(b"edge-auth", b"junk")], id="junk"),
    pytest.param([(b"edge-auth", b"1,A,0x0")] * 2, id="two credentials"),
    pytest.param([(b"edge-auth-pass", b"x.y")], id="no pass"),
    pytest.param([(b"x-original-uri", b"\xff\x00"), (b"x-original-uri", b"/")], id="odd original"),
    pytest.param([(b"upgrade", b"websocket"), (b"connection", b"upgrade")], id="a WebSocket"),
    pytest.param([(b"x-forwarded-for", b"none")], id="no address"),
]


@pytest.mark.parametrize("fields", FIELDS)
@pytest.mark.parametrize("client", [None, ("127.0.0.1", 1), ("203.0.113.9", 1)], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_every_question_is_answered_with_yes(kind, client, fields):
    environ = {
        "EDGEAUTH_SECRET": SECRET,
        "EDGEAUTH_MODE": "report-only",
        "EDGEAUTH_ADDRESSES": "fastly",
        "EDGEAUTH_PASS_SECRET": SECRET[::-1],
    }
    app = DecisionApp(State.load(1, None, environ, {"proxy": kind}), Counters(1).workers[0])
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/any",
        "raw_path": b"/any",
        "query_string": b"",
        "headers": fields,
        "client": client,
        "server": ("127.0.0.1", 80),
    }
    assert app.answer(scope).status == KINDS[kind].admission
