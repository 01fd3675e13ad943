"""Answers in place what uvicorn would answer in a task of its own.

A decision waits for nothing and its answers are known as bytes, so the usual request is
answered while its head is parsed: no task, no coroutine, no check of each header field again.
One timer a connection, not one a request, closes it when it is idle.

Any request that is not the usual one goes the way of uvicorn: one on a connection that ends
with it, one that announces a body, HEAD, an upgrade, a client that does not read its answers,
and the second and later ones of those that arrive together, so that nobody holds up others by
sending many. So does every request with a uvicorn that does not start its tasks in
``_start_asgi_task``.
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


class InPlaceProtocol(BoundedProtocol):
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
        # Reading its answers is activity too: one that only sends is idle.
        if not self.flow.write_paused:
            self._active_at = self.loop.time()
        self._in_turn = True
        super().data_received(data)
        self._in_turn = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        usual = (
            self._in_turn
            and cycle.keep_alive
            and not self.has_body
            and not self.flow.write_paused
            and not self.parser.should_upgrade()
            and cycle.scope["method"] != "HEAD"
        )
        self._in_turn = False
        if not usual:
            super()._start_asgi_task(cycle, app)
            return
        try:
            answer = self.decisions.answer(cast("Scope", cycle.scope))
        except Exception:  # noqa: BLE001 - it fails again there, is logged, and answered 500
            super()._start_asgi_task(cycle, app)
            return
        self.transport.write(answer.wire)
        cycle.response_started = cycle.response_complete = True
        # What uvicorn does when an answer is complete, without a new timer.
        self.server_state.total_requests += 1

    def _close_if_idle(self) -> None:
        left = self._active_at + self.timeout_keep_alive - self.loop.time()
        if left <= 0:
            self.timeout_keep_alive_handler()
        else:
            self._idle_timer = self.loop.call_later(left, self._close_if_idle)
