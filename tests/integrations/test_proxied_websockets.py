"""WebSockets through each proxy: a real server behind it, a real client before it."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import pytest
from support.gate import Gate, gate
from support.processes import HOST
from support.proxies import INGRESS_NGINX, KINDS, PRINTED
from support.raw_origin import Origin, raw_origin
from support.service import SECRET, question
from support.wire import Stream, connect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect as open_websocket
from websockets.sync.server import serve

from edgeauth.passes import Passes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.sync.server import ServerConnection

PASS_SECRET = "a-secret-of-passes-of-the-tests"
SETTINGS = f"""
secret = "{SECRET}"
exempt = ["GET /healthz", "GET /ws", "WEBSOCKET /open"]
pass_secret = "{PASS_SECRET}"
"""
PARTS = (
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
)


def _echo(connection: ServerConnection) -> None:
    for message in connection:
        connection.send(message)


@contextlib.contextmanager
def echoing() -> Iterator[int]:
    """The application; gives its port."""
    with serve(_echo, HOST, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.socket.getsockname()[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module", params=(*KINDS, *PRINTED), ids=lambda kind: kind.name)
def through(request: pytest.FixtureRequest) -> Iterator[Gate]:
    with echoing() as application, gate(request.param, SETTINGS, application) as running:
        yield running


def say(through: Gate, *fields: tuple[str, str], path: str = "/ws") -> str:
    """What comes back on a WebSocket; the status where it is refused."""
    uri = f"ws://{HOST}:{through.proxy.port}{path}"
    try:
        with open_websocket(uri, additional_headers=[*fields, *through.source]) as websocket:
            websocket.send("hello")
            return str(websocket.recv(timeout=10))
    except InvalidStatus as refused:
        return str(refused.response.status_code)


def status(through: Gate, *fields: tuple[str, str], path: str, method: str = "GET") -> int:
    """That of a request that has exactly these fields."""
    sent = question(*fields, *through.source, method=method, target=path, close=False)
    with connect((HOST, through.proxy.port)) as client:
        client.sendall(sent)
        return Stream(client).answer(method).status


def test_a_signed_websocket_is_carried_both_ways(through: Gate):
    assert say(through, through.signed()) == "hello"
    assert say(through, through.signed(), path="/any") == "hello"


def test_an_unsigned_websocket_is_denied(through: Gate):
    assert say(through, path="/any") == "403"
    assert say(through, through.signed(age=90), path="/any") == "403"


def test_an_exemption_for_get_opens_no_websocket(through: Gate):
    assert say(through) == "403"


def test_a_pass_for_get_opens_no_websocket(through: Gate):
    passes = Passes(PASS_SECRET)
    for_get, _ = passes.issue("alice", ttl=60, methods=["GET"])
    for_both, _ = passes.issue("alice", ttl=60)

    assert say(through, ("Edge-Auth-Pass", for_get), path="/any") == "403"
    assert say(through, ("Edge-Auth-Pass", for_both), path="/any") == "hello"


def test_an_exemption_for_a_websocket_opens_one_where_the_proxy_tells_all_of_it(through: Gate):
    told = through.proxy.kind is not INGRESS_NGINX

    assert say(through, path="/open") == ("hello" if told else "403")


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def seen(request: pytest.FixtureRequest) -> Iterator[tuple[Gate, Origin]]:
    """The same before an application that keeps all that arrives."""
    with raw_origin() as origin, gate(request.param, SETTINGS, origin.port) as running:
        yield running, origin


@pytest.mark.parametrize("missing", range(len(PARTS)), ids=[name for name, _ in PARTS])
def test_a_part_of_a_handshake_is_exempt_as_nothing(seen: tuple[Gate, Origin], missing: int):
    through, origin = seen
    before = len(origin.arrivals)
    parts = PARTS[:missing] + PARTS[missing + 1 :]

    # A proxy may refuse it by itself.
    assert {status(through, *parts, path=path) for path in ("/ws", "/open")} <= {400, 403, 426}
    assert origin.arrivals[before:] == []


@pytest.mark.parametrize(
    ("method", "fields"),
    [("GET", ()), ("WEBSOCKET", ()), ("POST", ()), ("WEBSOCKET", PARTS), ("POST", PARTS)],
)
def test_an_exemption_for_a_websocket_opens_nothing_else(
    seen: tuple[Gate, Origin], method: str, fields: tuple[tuple[str, str], ...]
):
    through, origin = seen
    before = len(origin.arrivals)
    assert status(through, *fields, path="/open", method=method) in {400, 403, 405, 501}
    assert origin.arrivals[before:] == []


def test_a_request_to_become_something_else_does_not_arrive_as_one(seen: tuple[Gate, Origin]):
    """What follows it, once the application agreed, would be asked about by nobody."""
    through, origin = seen
    before = len(origin.arrivals)
    settings = (("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"),)
    upgrade = (("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), *settings)

    answered = status(through, *upgrade, path="/healthz")

    # Refused, or nothing of it is left.
    assert answered in {200, 403, 426}
    upgrades = [arrival.values("Upgrade") for arrival in origin.arrivals[before:]]
    assert upgrades == [[]] * (answered == 200)
