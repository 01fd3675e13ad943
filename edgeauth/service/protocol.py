"""uvicorn's HTTP/1.1 protocol with bounds on what one connection can hold up.

uvicorn leaves these to the proxy in front of it. This service may be reached without one, so:

- the head of a request has at most :data:`MAX_HEAD_BYTES` and arrives within
  :data:`HEAD_SECONDS`, and so does the first byte on a new connection;
- what cannot be parsed is refused like anything else: the service has no third answer;
- a request to upgrade is answered like any other and ends the connection, since what
  follows it is not HTTP;
- a request that announces a body is answered at once and ends the connection. nginx, without a
  line in its configuration, announces one that never comes, and its next question would be
  taken for it;
- what still comes on a connection that was answered for good is read and dropped, so that the
  answer is not lost in a reset, but not for long: see :mod:`edgeauth.service.farewell`;
- a process that has nearly no descriptor left says so, since each further connection is
  closed, or not taken, without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from edgeauth.service.descriptors import look_at
from edgeauth.service.farewell import Farewell, hang_up

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from uvicorn._types import ASGI3Application
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

MAX_HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 10

_REFUSAL = (
    b"HTTP/1.1 403 Forbidden\r\n"
    b"content-type: text/plain; charset=utf-8\r\n"
    b"content-length: 10\r\n"
    b"cache-control: no-store\r\n"
    b"connection: close\r\n"
    b"\r\n"
    b"Forbidden\n"
)


class BoundedProtocol(HttpToolsProtocol):
    """One connection.

    Attributes:
        on_unreadable: called for each request that could not be read.
        on_announced_body: called for each request that announces a body.
        has_body: whether the request whose head was read last announces one.
    """

    on_unreadable: Callable[[], None] = staticmethod(lambda: None)
    on_announced_body: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as in uvicorn
        super().__init__(*args, **kwargs)
        self.has_body = False
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._farewell: Farewell | None = None
        self._running: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        look_at(transport)
        self._head_timer = self.loop.call_later(HEAD_SECONDS, hang_up, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._give_up_answers()
        super().connection_lost(exc)
        self._stop_timer()
        if self._farewell is not None:
            self._farewell.end()

    def data_received(self, data: bytes) -> None:
        if self._farewell is not None:
            self._farewell.drop(data)
            return
        super().data_received(data)
        # uvicorn makes the scope when a head begins and the cycle when it is whole.
        if self.scope is None or (self.cycle is not None and self.cycle.scope is self.scope):
            self._head_bytes = 0
            self._stop_timer()
            return
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, hang_up, self.transport)
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("too long")

    def on_headers_complete(self) -> None:
        self.has_body = False
        for name, value in self.headers:
            # "0" is what Envoy writes where there is none.
            if (name == b"content-length" and value != b"0") or name == b"transfer-encoding":
                self.has_body = True
        super().on_headers_complete()
        if self.has_body:
            self.on_announced_body()
            # The decision has not begun: it runs as a task after this.
            self.cycle.keep_alive = False
            self.cycle.transport = cast("asyncio.Transport", _LastAnswer(self))

    def on_response_complete(self) -> None:
        if self._farewell is not None:
            # No request behind the last is answered.
            self.server_state.total_requests += 1
            self._unset_keepalive_if_required()
            self.flow.resume_reading()
            return
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - as in uvicorn
        self.on_unreadable()
        self.transport.write(_REFUSAL)
        self._give_up_answers()
        self.say_farewell()

    def say_farewell(self) -> None:
        """Close the connection once the client had time to read its answer."""
        if self._farewell is None and not self.transport.is_closing():
            self._stop_timer()
            self._farewell = Farewell(self.transport, self.loop)

    def timeout_keep_alive_handler(self) -> None:
        hang_up(self.transport)

    def _unsupported_upgrade_warning(self) -> None:
        # The decision has not begun: it runs as a task after this.
        self.cycle.keep_alive = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _give_up_answers(self) -> None:
        # uvicorn knows the newest request alone, which may wait for an answer to one before
        # it: that would be written on a connection that is no more.
        for cycle in (self.cycle, self._running):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class _LastAnswer:
    """The transport of a cycle whose request announces a body: closing it takes a moment."""

    def __init__(self, protocol: BoundedProtocol) -> None:
        self._transport = protocol.transport
        self.close = protocol.say_farewell
        self.write = self._transport.write
        self.is_closing = self._transport.is_closing
