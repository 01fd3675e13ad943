"""One connection: what is read of it, in which order it is answered, and when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any

import pytest
from support.processes import HOST
from support.service import SECRET, question, short_folder

import edgeauth
from edgeauth.service import protocol
from edgeauth.service.app import DecisionApp
from edgeauth.service.counters import Counters, decision_index
from edgeauth.service.original_request import KINDS
from edgeauth.service.protocol import Connection
from edgeauth.service.state import State

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from edgeauth.asgi import Scope
    from edgeauth.service.answer import Answer

NOW = 1_700_000_000
OK = decision_index("ok", allowed=True)
UNREADABLE = decision_index("unreadable", allowed=False)
REFUSED = b"HTTP/1.1 403 Forbidden\r\n"


class Recorded(DecisionApp):
    """Remembers what it was asked, and in which turn of the event loop."""

    def __init__(self, state: State, counters: Counters) -> None:
        super().__init__(state, counters.workers[0])
        self.counts = counters.workers[0].counts
        self.scopes: list[Scope] = []
        self.turns: list[int] = []
        self.turn = 0

    def answer(self, scope: Scope) -> Answer:
        self.scopes.append(scope)
        self.turns.append(self.turn)
        return super().answer(scope)

    def tick(self) -> None:
        self.turn += 1
        asyncio.get_running_loop().call_soon(self.tick)


class Waiting(Recorded):
    """A decision takes as long as the test says."""

    def __init__(self, state: State, counters: Counters) -> None:
        super().__init__(state, counters)
        self.waits = True
        self.asked = asyncio.Event()
        self.told = asyncio.Event()

    async def answer_later(self, scope: Scope) -> Answer:
        self.scopes.append(scope)
        self.asked.set()
        await self.told.wait()
        return await super().answer_later(scope)


class Broken(Recorded):
    def answer(self, scope: Scope) -> Answer:
        raise RuntimeError("a bug")


class BrokenLater(Recorded):
    def __init__(self, state: State, counters: Counters) -> None:
        super().__init__(state, counters)
        self.waits = True

    async def answer_later(self, scope: Scope) -> Answer:
        raise RuntimeError("a bug")


def application(cls: type[Recorded] = Recorded, **service: object) -> Any:
    environ = {"EDGEAUTH_SECRET": SECRET, "EDGEAUTH_EXEMPT": "GET /healthz"}
    return cls(State.load(1, None, environ, service), Counters(1))


@contextlib.asynccontextmanager
async def served(app: DecisionApp, *, tcp: bool = False) -> AsyncIterator[Any]:
    """The connections to *app*, and how to make one."""
    loop = asyncio.get_running_loop()
    connections: set[Connection] = set()
    with short_folder() as folder:
        path = folder / "socket"
        if tcp:
            server = await loop.create_server(lambda: Connection(app, connections), HOST, 0)
            port = server.sockets[0].getsockname()[1]
        else:
            server = await loop.create_unix_server(lambda: Connection(app, connections), path)

        async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            if tcp:
                return await asyncio.open_connection(HOST, port)
            return await asyncio.open_unix_connection(path)

        async with asyncio.timeout(30), server:
            yield connections, connect


def converse(app: DecisionApp, *chunks: bytes, tcp: bool = False) -> bytes:
    """All that a connection answers to *chunks*, each sent after an answer to the one before."""

    async def talk() -> bytes:
        async with served(app, tcp=tcp) as (_, connect):
            reader, writer = await connect()
            received = b""
            for chunk in chunks:
                writer.write(chunk)
                received += await reader.read(65536)
            received += await reader.read()
            writer.close()
        return received

    return asyncio.run(talk())


def asked(*fields: tuple[str, str], method: str = "GET", target: str = "/") -> bytes:
    return question(*fields, method=method, target=target, close=False)


def signed(**form: object) -> tuple[str, str]:
    return "Edge-Auth", edgeauth.sign(SECRET, pop="LHR", timestamp=NOW, **form)


LAST = b"GET / HTTP/1.0\r\n\r\n"


class TestAnswers:
    @pytest.mark.parametrize("status", [403, 401])
    @pytest.mark.parametrize("proxy", KINDS)
    def test_each_has_the_fields_that_its_proxy_wants(self, monkeypatch, proxy, status):
        monkeypatch.setattr("edgeauth.service.app.time", lambda: NOW + 2.5)
        told = [
            ("X-Original-Method", "GET"),
            ("X-Original-URI", "/healthz"),
            ("X-Original-URL", "http://origin.example/healthz"),
            ("X-Forwarded-Method", "GET"),
            ("X-Forwarded-Uri", "/healthz"),
        ]
        admitted = {204: b"204 No Content\r\n", 200: b"200 OK\r\ncontent-length: 0\r\n"}
        admission = b"HTTP/1.1 " + admitted[KINDS[proxy].admission]
        refusal = {
            403: b"403 Forbidden\r\n",
            401: b"401 Unauthorized\r\n",
        }[status]
        refusal = (
            b"HTTP/1.1 " + refusal + b"content-type: text/plain; charset=utf-8\r\n"
            b"content-length: 10\r\ncache-control: no-store\r\n"
            + (b"www-authenticate: Edge\r\n" if status == 401 else b"")
            + (b"x-edgeauth-reason: %b\r\n" if KINDS[proxy].told_why else b"%.0b")
        )

        received = converse(
            application(proxy=proxy, deny_status=status),
            asked(signed()),
            asked(("Edge-Auth", "x")),
            asked(),
            asked(*told, target="/edgeauth/healthz"),
            LAST,
        )

        assert received == b"".join(
            [
                *(admission, b"x-edgeauth-reason: ok\r\nx-edgeauth-key: default\r\n"),
                b"x-edgeauth-pop: LHR\r\nx-edgeauth-age: 2\r\n\r\n",
                *(refusal % b"malformed", b"\r\nForbidden\n"),
                *(refusal % b"missing", b"\r\nForbidden\n"),
                *(admission, b"x-edgeauth-reason: exempt\r\n\r\n"),
                *(refusal % b"missing", b"connection: close\r\n\r\nForbidden\n"),
            ]
        )

    def test_the_age_is_that_of_the_moment(self, monkeypatch):
        app = application()
        for age in (1, 2, 1):
            monkeypatch.setattr("edgeauth.service.app.time", lambda age=age: NOW + age)
            assert b"x-edgeauth-age: %d\r\n" % age in converse(app, asked(signed()), LAST)

    def test_each_is_counted_once(self, monkeypatch):
        monkeypatch.setattr("edgeauth.service.app.time", lambda: NOW)
        app = application()

        converse(app, asked(signed()), asked(signed(), method="HEAD"), LAST)

        assert app.counts[OK] == 2

    def test_few_are_remembered(self, monkeypatch):
        monkeypatch.setattr("edgeauth.service.app.time", lambda: NOW)
        monkeypatch.setattr("edgeauth.service.app._REMEMBER", 2)
        app = application()
        pops = ["AAA", "BBB", "CCC", "AAA"]
        values = [edgeauth.sign(SECRET, pop=pop, timestamp=NOW) for pop in pops]

        received = converse(app, *(asked(("Edge-Auth", value)) for value in values), LAST)

        assert [part[:3].decode() for part in received.split(b"-pop: ")[1:]] == pops

    @pytest.mark.parametrize("cls", [Broken, BrokenLater])
    def test_a_decision_that_fails_is_logged_and_is_no_admission(self, caplog, cls):
        received = converse(application(cls), asked(signed()) * 3)

        assert received.startswith(b"HTTP/1.1 500 ")
        assert received.count(b"HTTP/1.1 ") == 1
        assert "RuntimeError: a bug" in caplog.text


class TestReading:
    def test_the_peer_of_a_tcp_connection_is_told(self):
        app = application()

        converse(app, LAST, tcp=True)

        assert app.scopes[0]["client"][0] == app.scopes[0]["server"][0] == HOST

    def test_pieces_of_a_head_are_one(self):
        app = application()

        async def talk() -> bytes:
            async with served(app) as (_, connect):
                reader, writer = await connect()
                for byte in question(target="/some/path?query"):
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(0)
                received = await reader.read()
                writer.close()
            return received

        assert asyncio.run(talk()).startswith(REFUSED)
        assert app.scopes[0]["raw_path"] == b"/some/path"
        assert app.scopes[0]["query_string"] == b"query"

    @pytest.mark.parametrize(
        "target",
        ["http://a", "http:", "/\xe4", "a:443"],
        ids=["no path", "no host", "no ASCII", "host"],
    )
    def test_a_target_without_a_path_is_not_readable(self, target):
        app = application()

        received = converse(app, f"GET {target} HTTP/1.1\r\n\r\n".encode("latin-1"))

        assert received.startswith(REFUSED)
        assert (app.scopes, app.counts[UNREADABLE]) == ([], 1)

    @pytest.mark.parametrize(
        "head",
        [
            b"X: " + b"x" * 70_000 + b"\r\n",
            b"X: y\r\n" * 1001,
            b"X: " + b"x" * 70_000,
        ],
        ids=["bytes", "fields", "bytes without an end"],
    )
    def test_a_head_has_its_bounds_though_it_comes_at_once(self, head):
        app = application()

        received = converse(app, b"GET / HTTP/1.1\r\n" + head + b"\r\n")

        assert received.startswith(REFUSED)
        assert received.count(b"HTTP/1.1 ") == 1
        assert app.scopes == []

    @pytest.mark.parametrize("fields", [1000, 50])
    def test_what_proxies_send_is_within_them(self, fields):
        app = application()

        converse(app, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * fields + b"\r\n", LAST)

        assert len(app.scopes[0]["headers"]) == fields

    @pytest.mark.parametrize(
        "chunks",
        [
            [b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nEdge-Auth: x\r\n\r\n"],
            [b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"],
            [b"POST / HTTP/1.1\r\nContent-Length: 7\r\n\r\nhostile" + asked()],
            [b"POST / HTTP/1.1\r\nContent-Length: 7\r\n\r\n"],
            [asked(("Connection", "upgrade"), ("Upgrade", "h2c")) + asked()],
            [b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n" + asked()],
            [b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + asked()],
        ],
    )
    def test_the_last_question_of_its_connection_is_answered_without_what_follows(self, chunks):
        app = application()

        received = converse(app, *chunks)

        assert received.startswith(REFUSED)
        assert received.count(b"HTTP/1.1 ") == 1
        assert b"connection: close\r\n" in received
        assert b"x-edgeauth-reason: missing" in received


class TestTurns:
    def test_of_those_that_arrive_together_one_is_answered_a_turn_and_all_in_order(self):
        app = application()
        methods = ["GET", *["POST", "HEAD"] * 500]
        bodies = [b"" if method == "HEAD" else b"Forbidden\n" for method in methods]

        async def talk() -> bytes:
            async with served(app) as (_, connect):
                app.tick()
                reader, writer = await connect()
                writer.write(b"".join(asked(method=m) for m in methods) + LAST)
                received = await reader.read()
                writer.close()
            return received

        answers = asyncio.run(talk()).split(REFUSED)[1:]

        assert [answer.partition(b"\r\n\r\n")[2] for answer in answers] == [*bodies, b"Forbidden\n"]
        assert [scope["method"] for scope in app.scopes] == [*methods, "GET"]
        # Each read of the socket has a first one, and the turn's end answers one more.
        assert max(app.turns.count(turn) for turn in set(app.turns)) <= 2

    def test_what_is_no_http_has_its_turn_after_what_was_asked_before(self):
        app = application()

        received = converse(app, asked(signed()) * 3 + b"\0\r\n\r\n" + asked(signed()))

        statuses = [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]]
        assert len(statuses) == 4
        assert received.endswith(b"connection: close\r\n\r\nForbidden\n")
        assert app.counts[UNREADABLE] == 1

    def test_a_client_that_sends_no_more_gets_what_is_due(self):
        async def talk() -> bytes:
            async with served(application()) as (_, connect):
                reader, writer = await connect()
                writer.write(asked() * 50)
                writer.write_eof()
                received = await reader.read()
                writer.close()
            return received

        assert asyncio.run(talk()).count(REFUSED) == 50

    def test_a_client_that_does_not_read_its_answers_is_waited_for(self):
        app = application()

        class Narrow(Connection):
            def connection_made(self, transport: asyncio.Transport) -> None:
                super().connection_made(transport)
                ours = transport.get_extra_info("socket")
                ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
                transport.set_write_buffer_limits(high=1)

        async def talk() -> tuple[int, bytes]:
            loop = asyncio.get_running_loop()
            with short_folder() as folder:
                path = folder / "socket"
                server = await loop.create_unix_server(lambda: Narrow(app, set()), path)
                client = socket.socket(socket.AF_UNIX)
                client.setblocking(False)  # noqa: FBT003 - no keyword there
                received = b""
                async with asyncio.timeout(30), server:
                    await loop.sock_connect(client, str(path))
                    await loop.sock_sendall(client, asked() * 300)
                    before = -1
                    while before < len(app.scopes):  # until it waits
                        before = len(app.scopes)
                        for _ in range(10):
                            await asyncio.sleep(0)
                    await loop.sock_sendall(client, LAST)
                    while chunk := await loop.sock_recv(client, 65536):
                        received += chunk
                    client.close()
            return before, received

        decided, received = asyncio.run(talk())

        assert 0 < decided < 300
        assert received.count(REFUSED) == 301
        assert received.endswith(b"\r\n\r\nForbidden\n")


class TestWaiting:
    """A decision that waits for a store."""

    def test_others_are_answered_meanwhile_and_each_connection_in_order(self):
        async def talk() -> tuple[bytes, list[str], list[str]]:
            app = application(Waiting)
            async with served(app) as (_, connect):
                (first, one), (second, two) = await connect(), await connect()
                one.write(asked(method="PUT") + asked(method="POST"))
                await app.asked.wait()
                app.asked.clear()
                two.write(asked(method="PATCH"))
                await app.asked.wait()
                meanwhile = [scope["method"] for scope in app.scopes]
                app.told.set()
                one.write(LAST)
                two.write(LAST)
                received = await first.read() + await second.read()
                one.close()
                two.close()
            return received, meanwhile, [scope["method"] for scope in app.scopes]

        received, meanwhile, in_all = asyncio.run(talk())

        assert meanwhile == ["PUT", "PATCH"]
        assert received.count(REFUSED) == 5
        assert [method for method in in_all if method in ("PUT", "POST")] == ["PUT", "POST"]

    def test_one_that_went_away_is_decided_about_and_not_answered(self):
        async def talk() -> int:
            app = application(Waiting)
            async with served(app) as (connections, connect):
                _, writer = await connect()
                writer.write(asked() * 2)
                await app.asked.wait()
                (connection,) = connections
                connection._transport.abort()
                writer.close()
                while connections:  # noqa: ASYNC110 - in this loop
                    await asyncio.sleep(0)
                app.told.set()
                while not app.turns:
                    app.turns += [1] if connection._task.done() else []
                    await asyncio.sleep(0)
            return len(app.scopes)

        assert asyncio.run(talk()) == 1

    def test_one_that_sends_no_more_has_its_answer(self):
        async def talk() -> bytes:
            app = application(Waiting)
            async with served(app) as (_, connect):
                reader, writer = await connect()
                writer.write(asked())
                writer.write_eof()
                await app.asked.wait()
                app.told.set()
                received = await reader.read()
                writer.close()
            return received

        assert asyncio.run(talk()).count(REFUSED) == 1


class TestEnds:
    def test_an_idle_connection_is_closed(self, monkeypatch):
        monkeypatch.setattr(protocol, "KEEP_ALIVE_SECONDS", 0.2)

        received = converse(application(), asked(), asked())

        assert received.count(REFUSED) == 2
        assert b"connection: close" not in received

    def test_a_head_that_was_slow_leaves_its_connection_as_it_was(self, monkeypatch):
        monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.5)
        sent = asked()

        async def talk() -> bytes:
            async with served(application()) as (_, connect):
                reader, writer = await connect()
                received = b""
                for chunk in (sent, sent[:5], sent[5:]):
                    writer.write(chunk)
                    if chunk != sent[:5]:
                        received += await reader.read(65536)
                    await asyncio.sleep(0.05)
                await asyncio.sleep(0.7)
                writer.write(LAST)
                received += await reader.read()
                writer.close()
            return received

        assert asyncio.run(talk()).count(REFUSED) == 3

    def test_draining_answers_what_is_begun_and_closes_what_is_idle(self):
        async def talk() -> tuple[bytes, bytes, bytes]:
            app = application(Waiting)
            async with served(app) as (connections, connect):
                (first, idle), (second, begun), (third, waits) = [await connect() for _ in range(3)]
                waits.write(asked())
                await app.asked.wait()
                begun.write(asked()[:20])
                while not any(c._in_head for c in connections):  # noqa: ASYNC110
                    await asyncio.sleep(0)
                for connection in connections:
                    connection.drain()
                for connection in tuple(connections):
                    connection.close_if_idle()
                nothing = await first.read()
                begun.write(asked()[20:])
                app.told.set()
                received = nothing, await second.read(), await third.read()
                for writer in (idle, begun, waits):
                    writer.close()
            return received

        nothing, second, third = asyncio.run(talk())

        assert nothing == b""
        for received in (second, third):
            assert received.count(REFUSED) == 1
            assert b"connection: close\r\n" in received
