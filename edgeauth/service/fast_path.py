"""The fast path: answers an ordinary request at once, without a task of its own.

A decision never waits, and its answers are prepared as bytes. So an ordinary request is
answered while its head is parsed: without a task, a coroutine or a second check of each header
field. One timer a connection, not one a request, closes it when it is idle.

uvicorn handles every other request in its usual way: one on a connection that ends with it,
one that announces a body, HEAD, an upgrade, one whose client does not read its answers, and of
requests that arrive together all but the first, so that nobody delays others by sending many.
It handles all of them in a version that does not start its tasks in ``_start_asgi_task``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from edgeauth.service.protocol import BoundedProtocol

if TYPE_CHECKING:
    import asyncio

    from uvicorn._types import ASGI3Application
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from edgeauth.asgi import Scope
    from edgeauth.service.app import DecisionApp


class FastPathProtocol(BoundedProtocol):
    """One connection to a :class:`DecisionApp`.

    Attributes:
        decisions: the application that uvicorn runs.
    """

    decisions: DecisionApp

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as in uvicorn
        super().__init__(*args, **kwargs)
        self._in_turn = False
        self._active_at = 0.0
        self._idle_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._active_at = self.loop.time()
        self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._close_if_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._idle_timer is not None:
            self._idle_timer.cancel()

    def data_received(self, data: bytes) -> None:
        # A client that sends and does not read its answers counts as idle.
        if not self.flow.write_paused:
            self._active_at = self.loop.time()
        self._in_turn = True
        super().data_received(data)
        self._in_turn = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        ordinary = (
            self._in_turn
            and cycle.keep_alive
            and not self.has_body
            and not self.flow.write_paused
            and not self.parser.should_upgrade()
            and cycle.scope["method"] != "HEAD"
        )
        self._in_turn = False
        if not ordinary:
            super()._start_asgi_task(cycle, app)
            return
        try:
            answer = self.decisions.answer(cast("Scope", cycle.scope))
        except Exception:  # noqa: BLE001 - it fails again in the task, which logs it and answers 500
            super()._start_asgi_task(cycle, app)
            return
        self.transport.write(answer.wire)
        cycle.response_started = cycle.response_complete = True
        # As uvicorn when an answer is complete, but without a new timer.
        self.server_state.total_requests += 1

    def _close_if_idle(self) -> None:
        left = self._active_at + self.timeout_keep_alive - self.loop.time()
        if left <= 0:
            self.timeout_keep_alive_handler()
        else:
            self._idle_timer = self.loop.call_later(left, self._close_if_idle)
