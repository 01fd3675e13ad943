"""What each server makes of raw bytes, by its own parser, in this process.

Sockets, event loops and worker threads are left out; everything that reads a byte is the
server's own code.
"""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass
from types import SimpleNamespace, coroutine
from typing import TYPE_CHECKING, Any

from gunicorn.config import Config as GunicornConfig
from gunicorn.http.errors import ConfigurationProblem, NoMoreData, ParseException
from gunicorn.http.parser import RequestParser
from gunicorn.http.wsgi import create
from hypercorn.config import Config as HypercornConfig
from hypercorn.events import RawData
from hypercorn.protocol.h11 import H11Protocol as HypercornProtocol
from uvicorn.config import Config as UvicornConfig
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState
from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser
from waitress.task import WSGITask

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

CLIENT, SERVER = ("127.0.0.1", 50000), ("127.0.0.1", 8000)


@dataclass(frozen=True)
class Arrival:
    """A request that a server hands to an application.

    Attributes:
        scope: for ASGI.
        environ: for WSGI.
        whole: whether its body has arrived.
    """

    scope: dict[str, Any] | None = None
    environ: dict[str, Any] | None = None
    whole: bool = True


# The server answers itself; waits for more bytes; or fails, as it then does for everybody.
REFUSED, WAITS, FAILS = "refused", "waits", "fails"

Parsed = Arrival | str


class _Transport:
    """The asyncio transport of a connection that nobody reads."""

    def __init__(self) -> None:
        self.closing = False
        self.written = b""

    def get_extra_info(self, name: str) -> object:
        return {"peername": CLIENT, "sockname": SERVER}.get(name)

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class _Handle:
    """Of a task or a timer."""

    def add_done_callback(self, _callback: object) -> None: ...

    def cancel(self) -> None: ...


class _Loop:
    """Stands where the event loop does: keeps what would be run."""

    def __init__(self) -> None:
        self.cycles: list[Any] = []
        self.protocol: Any = None

    def create_task(self, task: Coroutine[Any, Any, None]) -> _Handle:
        task.close()
        self.cycles.append(self.protocol.cycle)
        return _Handle()

    def call_later(self, *_: object) -> _Handle:
        return _Handle()


async def _application(scope: object, receive: object, send: object) -> None: ...


async def _nothing(*_: object) -> None: ...


def _uvicorn(protocol_class: type[Any]) -> Callable[[bytes], Parsed]:
    config = UvicornConfig(_application, lifespan="off", ws="none", log_config=None)
    config.load()

    def parse(raw: bytes) -> Parsed:
        loop, transport = _Loop(), _Transport()
        loop.protocol = protocol_class(config, ServerState(), {}, _loop=loop)
        loop.protocol.connection_made(transport)
        loop.protocol.data_received(raw)
        if loop.cycles:
            first = loop.cycles[0]
            return Arrival(scope=first.scope, whole=not first.more_body)
        return REFUSED if transport.closing else WAITS

    return parse


def _hypercorn() -> Callable[[bytes], Parsed]:
    config = HypercornConfig()

    def parse(raw: bytes) -> Parsed:
        scopes: list[dict[str, Any]] = []
        messages: list[dict[str, Any]] = []
        sent: list[object] = []

        async def put(message: dict[str, Any]) -> None:
            messages.append(message)

        async def spawn_app(_app: object, _config: object, scope: dict[str, Any], _send: object):
            scopes.append(scope)
            return put

        async def send(event: object) -> None:
            if isinstance(event, RawData):
                sent.append(event)

        context = SimpleNamespace(event_class=_Never, mark_request=_nothing)
        group = SimpleNamespace(spawn_app=spawn_app)
        protocol = HypercornProtocol(
            _application,
            config,
            context,
            group,
            connection_state={},
            ssl=False,
            client=CLIENT,
            server=SERVER,
            send=send,
        )
        handling = protocol.handle(RawData(raw))
        with contextlib.suppress(StopIteration):
            handling.send(None)
        handling.close()
        if scopes:
            return Arrival(
                scope=scopes[0], whole=any(not message["more_body"] for message in messages)
            )
        return REFUSED if sent else WAITS

    return parse


class _Never:
    """An event on which Hypercorn waits for the answer: there is none here."""

    async def clear(self) -> None: ...

    @coroutine
    def wait(self):
        yield


def _gunicorn() -> Callable[[bytes], Parsed]:
    config = GunicornConfig()
    connection = SimpleNamespace(send=lambda _data: None, family=socket.AF_INET)

    def parse(raw: bytes) -> Parsed:
        try:
            request = next(RequestParser(config, iter([raw]), CLIENT))
            _, environ = create(request, connection, CLIENT, SERVER, config)
            whole = len(request.body.read()) >= int(environ.get("CONTENT_LENGTH") or 0)
        except (NoMoreData, StopIteration):
            return WAITS
        except ConfigurationProblem:
            return FAILS
        except ParseException:
            return REFUSED
        return Arrival(environ=environ, whole=whole)

    return parse


def _waitress() -> Callable[[bytes], Parsed]:
    # By itself it removes X-Forwarded-For; the adapters are to read it.
    options = Adjustments(clear_untrusted_proxy_headers=False)
    server = SimpleNamespace(adj=options, effective_port=SERVER[1], server_name=SERVER[0])
    channel = SimpleNamespace(addr=CLIENT, server=server, check_client_disconnected=lambda: False)

    def parse(raw: bytes) -> Parsed:
        parser = HTTPRequestParser(options)
        rest = raw
        while rest and not parser.completed:
            rest = rest[parser.received(rest) :]
        if parser.error:
            return REFUSED
        if not parser.completed or parser.empty:
            return WAITS
        return Arrival(environ=WSGITask(channel, parser).get_environment())

    return parse


PARSERS: dict[str, Callable[[bytes], Parsed]] = {
    "uvicorn-h11": _uvicorn(H11Protocol),
    "uvicorn-httptools": _uvicorn(HttpToolsProtocol),
    "hypercorn": _hypercorn(),
    "gunicorn": _gunicorn(),
    "waitress": _waitress(),
}
