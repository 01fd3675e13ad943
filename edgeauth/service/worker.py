"""What runs in the processes of the service: workers that decide, and one for operators."""

from __future__ import annotations

import asyncio
import logging
import signal
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import uvicorn

from edgeauth.service.app import DecisionApp
from edgeauth.service.counters import SERVING, UNREADABLE, decision_index
from edgeauth.service.descriptors import handle_exception
from edgeauth.service.fast_path import FastPathProtocol
from edgeauth.service.protocol import BoundedProtocol

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine

    from edgeauth.asgi import ASGIApp
    from edgeauth.service.channel import Inbox
    from edgeauth.service.counters import WorkerCounters
    from edgeauth.service.state import State

logger = logging.getLogger("edgeauth.service")

# What to configure if the proxy announces a body when it asks.
_WITHOUT_BODY = {
    "nginx": 'proxy_pass_request_body off; proxy_set_header Content-Length ""; in the location '
    "that asks",
    "forward-auth": "nothing for Caddy or Traefik as shipped: look for what differs in this set-up",
    "envoy": "no with_request_body in its ext_authz filter",
    "haproxy": "no body in the question of its Lua action",
}

# Longer than proxies keep idle connections (nginx 60 s), so that the proxy closes them and never
# asks on a connection that is being closed here.
_KEEP_ALIVE_SECONDS = 75
DRAIN_SECONDS = 10


def run_worker(
    state: State, counters: WorkerCounters, listeners: list[socket.socket], channel: Inbox
) -> None:
    """Decide until the supervisor ends this process or is gone.

    Args:
        state: what to decide by at first; newer ones arrive over *channel*.
        counters: where to count.
        listeners: where to listen.
        channel: from the supervisor.
    """
    app = DecisionApp(state, counters)
    unreadable = decision_index(UNREADABLE, allowed=False)
    reported_body = False

    class Protocol(FastPathProtocol):
        decisions = app

        @staticmethod
        def on_unreadable() -> None:
            counters.counts[unreadable] += 1

        @staticmethod
        def on_announced_body() -> None:
            nonlocal reported_body
            if not reported_body:
                reported_body = True
                logger.warning(
                    "the proxy announced a body when it asked. It was answered, and its connection "
                    "closed, since the body may never come: each such request costs the proxy a "
                    "new connection. Write %s. This is reported once",
                    _WITHOUT_BODY[state.service.proxy],
                )

    def adopt(newer: State) -> None:
        app.adopt(newer)
        counters.counts[SERVING] = newer.generation

    async def serve() -> None:
        server = _server(app, Protocol)
        _follow(channel, adopt, server)
        counters.counts[SERVING] = state.generation
        await server.serve(listeners)

    _run(serve())


def run_admin(app: ASGIApp, listeners: list[socket.socket], channel: Inbox) -> None:
    """Serve the operators' endpoints until the supervisor ends this process or is gone."""

    async def serve() -> None:
        server = _server(app, BoundedProtocol)
        _follow(channel, lambda _state: None, server)
        await server.serve(listeners)

    _run(serve())


def _run(main: Coroutine[Any, Any, None]) -> None:
    # uvicorn handles the signals while it serves, and raises them again when it is done.
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda _signum, _frame: None)
    # The extra brings uvloop wherever it exists.
    loops = import_module("uvloop" if find_spec("uvloop") else "asyncio")
    with asyncio.Runner(loop_factory=loops.new_event_loop) as runner:
        runner.run(main)


def _server(app: ASGIApp, protocol: type[BoundedProtocol]) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=protocol,
            interface="asgi3",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,  # the peer must be the one that asks, whatever the headers say
            server_header=False,
            date_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )


def _follow(channel: Inbox, adopt: Callable[[State], None], server: uvicorn.Server) -> None:
    """Adopt each state that arrives; stop when the supervisor is gone."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(handle_exception)

    def read() -> None:
        try:
            newer = channel.receive()
        except EOFError:
            loop.remove_reader(channel.fileno())
            server.should_exit = True
        else:
            if newer is not None:
                adopt(newer)

    loop.add_reader(channel.fileno(), read)
