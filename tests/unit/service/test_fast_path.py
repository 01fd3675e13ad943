"""Answers in place are those of uvicorn, and only the usual request gets one."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
from support.service import SECRET, question, short_folder
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

import edgeauth
from edgeauth.service import worker
from edgeauth.service.app import DecisionApp
from edgeauth.service.counters import Counters, decision_index
from edgeauth.service.fast_path import FastPathProtocol
from edgeauth.service.original_request import KINDS
from edgeauth.service.protocol import BoundedProtocol
from edgeauth.service.state import State

if TYPE_CHECKING:
    from pathlib import Path

    from edgeauth.asgi import Receive, Scope, Send

NOW = 1_700_000_000
OK = decision_index("ok", allowed=True)

in_place = pytest.mark.skipif(
    not hasattr(HttpToolsProtocol, "_start_asgi_task"),
    reason="this uvicorn starts its tasks elsewhere, so all requests go its way: upgrade it",
)


class Recorded(DecisionApp):
    """Remembers what uvicorn ran."""

    def __init__(self, state: State, counters: Counters) -> None:
        super().__init__(state, counters.workers[0])
        self.counters = counters
        self.ran: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.ran.append(scope["method"])
        await super().__call__(scope, receive, send)


class Broken(Recorded):
    def answer(self, scope: Scope):
        raise RuntimeError("a bug")


def application(cls: type[Recorded] = Recorded, **service: object) -> Recorded:
    environ = {"EDGEAUTH_SECRET": SECRET, "EDGEAUTH_EXEMPT": "GET /healthz"}
    return cls(State.load(1, None, environ, service), Counters(1))


def converse(
    app: DecisionApp, base: type[BoundedProtocol], *chunks: bytes, seconds: int = 75
) -> bytes:
    """All that a connection answers to *chunks*, each sent after an answer to the one before."""

    async def talk(path: Path) -> bytes:
        protocol = type("Protocol", (base,), {"decisions": app})
        config = worker._server(app, protocol).config
        config.timeout_keep_alive = seconds
        config.load()
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(
            lambda: protocol(config=config, server_state=ServerState(), app_state={}), path
        )
        async with server:
            reader, writer = await asyncio.open_unix_connection(path)
            received = b""
            for chunk in chunks:
                writer.write(chunk)
                received += await asyncio.wait_for(reader.read(65536), 10)
            received += await asyncio.wait_for(reader.read(), 10)
            writer.close()
        return received

    with short_folder() as folder:
        return asyncio.run(talk(folder / "socket"))


def asked(*fields: tuple[str, str], method: str = "GET", target: str = "/") -> bytes:
    return question(*fields, method=method, target=target, close=False)


def signed(**form: object) -> tuple[str, str]:
    return "Edge-Auth", edgeauth.sign(SECRET, pop="LHR", timestamp=NOW, **form)


# Every uvicorn ends the connection after it.
LAST = b"GET / HTTP/1.0\r\n\r\n"


@pytest.mark.parametrize("status", [403, 401])
@pytest.mark.parametrize("proxy", KINDS)
def test_every_answer_has_the_bytes_that_uvicorn_writes(monkeypatch, proxy, status):
    monkeypatch.setattr("edgeauth.service.app.time", lambda: NOW + 2.5)
    chunks = [
        asked(signed()),
        asked(("Edge-Auth", "x")),
        asked(),
        asked(
            ("X-Original-Method", "GET"),
            ("X-Original-URI", "/healthz"),
            ("X-Original-URL", "http://origin.example/healthz"),
            ("X-Forwarded-Method", "GET"),
            ("X-Forwarded-Uri", "/healthz"),
            target="/edgeauth/healthz",
        ),
        LAST,
    ]

    received = [
        converse(application(proxy=proxy, deny_status=status), base, *chunks)
        for base in (FastPathProtocol, BoundedProtocol)
    ]

    assert received[0] == received[1]
    assert received[0].count(b"HTTP/1.1 ") == len(chunks)
    assert b"x-edgeauth-age: 2\r\n" in received[0]
    assert b"x-edgeauth-reason: exempt\r\n" in received[0]


@in_place
def test_a_usual_request_runs_no_task():
    app = application()

    converse(app, FastPathProtocol, asked(), asked(method="POST"), LAST)

    assert app.ran == ["GET"]  # the last, in HTTP/1.0


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param([asked(method="HEAD"), LAST], id="without a body"),
        pytest.param([asked(("Connection", "upgrade"), ("Upgrade", "h2c"))], id="upgrade"),
        pytest.param([LAST], id="the last of its connection"),
    ],
)
def test_an_unusual_request_goes_the_way_of_uvicorn(chunks):
    app = application()

    received = converse(app, FastPathProtocol, *chunks)

    assert app.ran == [chunk.split()[0].decode() for chunk in chunks]
    assert received.startswith(b"HTTP/1.1 403 ")


@in_place
def test_of_those_that_arrive_together_one_is_answered_in_place_and_all_in_order():
    app = application()
    methods = ["GET", *["POST", "HEAD"] * 500]
    bodies = [b"" if method == "HEAD" else b"Forbidden\n" for method in methods]

    received = converse(app, FastPathProtocol, b"".join(asked(method=m) for m in methods), LAST)

    answers = received.split(b"HTTP/1.1 403 Forbidden\r\n")[1:]
    assert [answer.partition(b"\r\n\r\n")[2] for answer in answers] == [*bodies, b"Forbidden\n"]
    assert app.ran == [*methods[1:], "GET"]


@in_place
def test_a_client_that_does_not_read_its_answers_is_waited_for_by_uvicorn():
    app = application()
    counted = decision_index("missing", allowed=False)
    asking = asked()

    class Narrow(FastPathProtocol):
        decisions = app

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
            transport.set_write_buffer_limits(high=1)

    async def talk(path: Path) -> tuple[int, bytes]:
        config = worker._server(app, Narrow).config
        config.load()
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(
            lambda: Narrow(config=config, server_state=ServerState(), app_state={}), path
        )
        client = socket.socket(socket.AF_UNIX)
        client.setblocking(False)  # noqa: FBT003 - no keyword there
        sent, received = 0, b""
        async with asyncio.timeout(30), server:
            await loop.sock_connect(client, str(path))
            while not app.ran:
                await loop.sock_sendall(client, asking)
                sent += 1
                while app.counters.workers[0].counts[counted] < sent:  # noqa: ASYNC110 - it decides in this loop
                    await asyncio.sleep(0)
            await loop.sock_sendall(client, LAST)
            while chunk := await loop.sock_recv(client, 65536):
                received += chunk
            client.close()
        return sent, received

    with short_folder() as folder:
        sent, received = asyncio.run(talk(folder / "socket"))

    # All but the last two were answered in place: the one that met a full buffer, and LAST.
    assert sent > 1
    assert app.ran == ["GET", "GET"]
    assert received.count(b"HTTP/1.1 403 Forbidden\r\n") == sent + 1
    assert received.endswith(b"\r\n\r\nForbidden\n")


def test_an_answer_is_counted_once_whichever_way_it_goes(monkeypatch):
    monkeypatch.setattr("edgeauth.service.app.time", lambda: NOW)
    app = application()

    converse(app, FastPathProtocol, asked(signed()), asked(signed(), method="HEAD"), LAST)

    assert app.counters.workers[0].counts[OK] == 2


def test_a_decision_that_fails_is_logged_and_is_no_admission(caplog):
    received = converse(application(Broken), FastPathProtocol, asked())

    assert received.startswith(b"HTTP/1.1 500 ")
    assert "RuntimeError: a bug" in caplog.text


def test_an_idle_connection_is_closed():
    received = converse(application(), FastPathProtocol, asked(), seconds=1)

    assert received.startswith(b"HTTP/1.1 403 ")
