"""What runs in the processes of the service: workers that decide, and one for operators."""

from __future__ import annotations

import asyncio
import signal
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from edgeauth.service.app import DecisionApp
from edgeauth.service.counters import SERVING
from edgeauth.service.descriptors import handle_exception
from edgeauth.service.protocol import Application, Connection

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from edgeauth.service.admin import AdminApp
    from edgeauth.service.channel import Inbox
    from edgeauth.service.counters import WorkerCounters
    from edgeauth.service.state import State

DRAIN_SECONDS = 10
_BACKLOG = 2048
_POLL_SECONDS = 0.01
_LAST_QUESTIONS_SECONDS = 0.1


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

    def adopt(newer: State) -> None:
        app.adopt(newer)
        counters.counts[SERVING] = newer.generation

    def begin() -> None:
        counters.counts[SERVING] = state.generation

    _run(app, listeners, channel, adopt, begin)


def run_admin(app: AdminApp, listeners: list[socket.socket], channel: Inbox) -> None:
    """Serve the operators' endpoints until the supervisor ends this process or is gone."""
    _run(app, listeners, channel, lambda _state: None, lambda: None)


def _run(
    app: Application,
    listeners: list[socket.socket],
    channel: Inbox,
    adopt: Callable[[State], None],
    begin: Callable[[], None],
) -> None:
    # The extra brings uvloop wherever it exists.
    loops = import_module("uvloop" if find_spec("uvloop") else "asyncio")
    with asyncio.Runner(loop_factory=loops.new_event_loop) as runner:
        runner.run(_serve(app, listeners, channel, adopt, begin))


async def _serve(
    app: Application,
    listeners: list[socket.socket],
    channel: Inbox,
    adopt: Callable[[State], None],
    begin: Callable[[], None],
) -> None:
    """Serve until a signal, or until the supervisor closes the channel; then drain."""
    loop, ending = asyncio.get_running_loop(), asyncio.Event()
    loop.set_exception_handler(handle_exception)
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, ending.set)

    def read() -> None:
        try:
            newer = channel.receive()
        except EOFError:
            loop.remove_reader(channel.fileno())
            ending.set()
        else:
            if newer is not None:
                adopt(newer)

    loop.add_reader(channel.fileno(), read)
    begin()
    connections: set[Connection] = set()
    servers = [
        await loop.create_server(
            lambda: Connection(app, connections), sock=listener, backlog=_BACKLOG
        )
        for listener in listeners
    ]
    await ending.wait()
    for server in servers:
        server.close()
    await _drain(connections)


async def _drain(connections: set[Connection]) -> None:
    """Wait until each connection has its answers, for a bounded time."""
    for connection in connections:
        connection.drain()
    # What was asked before anybody saw that this process drains is on its way.
    await asyncio.sleep(_LAST_QUESTIONS_SECONDS)
    loop = asyncio.get_running_loop()
    until = loop.time() + DRAIN_SECONDS
    while connections and loop.time() < until:
        for connection in tuple(connections):
            connection.close_if_idle()
        await asyncio.sleep(_POLL_SECONDS)
