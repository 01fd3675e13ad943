"""uvicorn's HTTP/1.1 protocol with bounds on what one connection can hold up.

uvicorn leaves these to the proxy in front of it. This service may be reached without one, so:

- the head of a request has at most :data:`MAX_HEAD_BYTES` and arrives within
  :data:`HEAD_SECONDS`, and so does the first byte on a new connection;
- what cannot be parsed is refused like anything else: the service has no third answer;
- a request to upgrade is answered like any other and ends the connection, since what
  follows it is not HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

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
    """

    on_unreadable: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as in uvicorn
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(HEAD_SECONDS, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_timer()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # uvicorn makes the scope when a head begins and the cycle when it is whole.
        if self.scope is None or (self.cycle is not None and self.cycle.scope is self.scope):
            self._head_bytes = 0
            self._stop_timer()
            return
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("too long")

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - as in uvicorn
        self.on_unreadable()
        self.transport.write(_REFUSAL)
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        # The decision has not begun: it runs as a task after this.
        self.cycle.keep_alive = False

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
