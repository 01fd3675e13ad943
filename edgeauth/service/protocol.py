"""uvicorn's HTTP/1.1 protocol with limits on slow, large and unfinished requests.

uvicorn leaves these limits to the proxy in front. This service may be reached without one, so:

- the head of a request has at most :data:`MAX_HEAD_BYTES` and arrives within
  :data:`HEAD_SECONDS`, and so does the first byte on a new connection;
- a request that cannot be parsed is refused like any other: there is no third answer;
- a request to upgrade is answered like any other and ends the connection, since what
  follows it is not HTTP;
- a request that announces a body is answered at once and ends the connection. nginx, unless
  configured otherwise, announces a body that never comes, and its next request would be taken
  for that body;
- bytes that arrive after the last answer are read and dropped for a moment, so that the answer
  is not lost in a reset: see :mod:`edgeauth.service.lingering_close`;
- a process that has nearly no descriptor left reports it, since further connections are closed,
  or not accepted, without an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from edgeauth.service.descriptors import check_descriptor
from edgeauth.service.lingering_close import LingeringClose, hang_up

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
        on_unreadable: called for each request that cannot be parsed.
        on_announced_body: called for each request that announces a body.
        has_body: whether the newest request announces a body.
    """

    on_unreadable: Callable[[], None] = staticmethod(lambda: None)
    on_announced_body: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as in uvicorn
        super().__init__(*args, **kwargs)
        self.has_body = False
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._lingering: LingeringClose | None = None
        self._running: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        check_descriptor(transport)
        self._head_timer = self.loop.call_later(HEAD_SECONDS, hang_up, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._give_up_answers()
        super().connection_lost(exc)
        self._stop_timer()
        if self._lingering is not None:
            self._lingering.end()

    def data_received(self, data: bytes) -> None:
        if self._lingering is not None:
            self._lingering.drop(data)
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
            # Envoy writes "0" if there is no body.
            if (name == b"content-length" and value != b"0") or name == b"transfer-encoding":
                self.has_body = True
        super().on_headers_complete()
        if self.has_body:
            self.on_announced_body()
            # The decision has not begun: it runs in a task later.
            self.cycle.keep_alive = False
            self.cycle.transport = cast("asyncio.Transport", _LastAnswer(self))

    def on_response_complete(self) -> None:
        if self._lingering is not None:
            # A request after the last one is not answered.
            self.server_state.total_requests += 1
            self._unset_keepalive_if_required()
            self.flow.resume_reading()
            return
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - as in uvicorn
        self.on_unreadable()
        self.transport.write(_REFUSAL)
        self._give_up_answers()
        self.close_lingering()

    def close_lingering(self) -> None:
        """Close the connection after the client had time to read its answer."""
        if self._lingering is None and not self.transport.is_closing():
            self._stop_timer()
            self._lingering = LingeringClose(self.transport, self.loop)

    def timeout_keep_alive_handler(self) -> None:
        hang_up(self.transport)

    def _unsupported_upgrade_warning(self) -> None:
        # The decision has not begun: it runs in a task later.
        self.cycle.keep_alive = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _give_up_answers(self) -> None:
        # uvicorn marks only the newest request, which may wait for the answer to an older one.
        # That answer would be written to a connection that is gone.
        for cycle in (self.cycle, self._running):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class _LastAnswer:
    """The transport of a cycle whose request announces a body: it closes after a moment."""

    def __init__(self, protocol: BoundedProtocol) -> None:
        self._transport = protocol.transport
        self.close = protocol.close_lingering
        self.write = self._transport.write
        self.is_closing = self._transport.is_closing
