"""Opens the sockets, handles the signals, and hands each new configuration to the workers.

It talks to its children over one channel each and never waits for a child. A child that finds
its channel closed drains and ends, so none outlives a supervisor that was killed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import socket
import time
from typing import TYPE_CHECKING

from edgeauth.errors import ConfigurationError
from edgeauth.service.channel import pack
from edgeauth.service.children import POLL_SECONDS, SIGNALS, Children
from edgeauth.service.configuration import Configuration
from edgeauth.service.counters import (
    GENERATION,
    LISTED_AT,
    LOADED_AT,
    RELOAD_FAILED,
    RELOADED,
    Counters,
)
from edgeauth.service.listeners import Listeners, log_listeners, warn_of_unused
from edgeauth.service.logs import configure_logging
from edgeauth.service.notify import notify
from edgeauth.service.rollout import Rollout

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeauth.policy import PolicySource
    from edgeauth.service.state import State

logger = logging.getLogger("edgeauth.service")


class Supervisor:
    """One service: its sockets, its processes and its configuration.

    Args:
        load: reads the configuration, given the number of its generation.

    Raises:
        ConfigurationError: the configuration, or an address in it, cannot be used.
    """

    def __init__(self, load: Callable[[int], tuple[State, PolicySource]]) -> None:
        self._came: set[int] = set()
        # From here on: what is read now may be old by the time it is in force. The other
        # signals may end this process until then.
        signal.signal(signal.SIGHUP, self._note)
        self._configuration = Configuration(load)
        service = self._configuration.state.service
        configure_logging(service.log_format)
        self._listeners = Listeners(service.listen, mode=service.socket_mode, environ=os.environ)
        self._admin: Listeners | None = None
        if service.admin is not None:
            try:
                self._admin = Listeners(service.admin, mode=service.socket_mode, environ=os.environ)
            except BaseException:
                self._listeners.close()
                raise
        warn_of_unused(os.environ)
        self._counters = Counters(service.workers)
        self._children = Children(self._counters, self._listeners.sockets, self._admin_sockets)
        self._rollout = Rollout()
        self._stopping = False
        self._configuration.start()

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then drain."""
        service = self._configuration.state.service
        log_listeners(self._listeners.sockets, self._admin_sockets, service)
        wake, waker = socket.socketpair()
        for end in (wake, waker):
            end.setblocking(False)  # noqa: FBT003 - no keyword there
        for signum in SIGNALS:
            signal.signal(signum, self._note)
        # It only wakes: of many signals at once, some bytes are lost.
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        self._publish()
        while not self._stopping:
            self._children.start_due(self._configuration.state)
            self._rollout.check(self._children.serving)
            self._handle(self._wait(wake))
            self._adopt(self._configuration.check_files)
        self._drain()

    @property
    def _admin_sockets(self) -> list[socket.socket]:
        return [] if self._admin is None else self._admin.sockets

    def _note(self, signum: int, _frame: object) -> None:
        self._came.add(signum)

    def _wait(self, wake: socket.socket) -> set[int]:
        """Wait until there is something to do; the signals that came, each once."""
        waiting = self._children.waiting
        poll = select.poll()
        poll.register(wake, select.POLLIN)
        for outbox in waiting:
            poll.register(outbox, select.POLLOUT)
        timeout = self._poll_timeout()
        poll.poll(0 if self._came else None if timeout is None else timeout * 1000)
        for outbox in waiting:
            outbox.flush()
        with contextlib.suppress(BlockingIOError):
            while wake.recv(4096):
                pass
        came, self._came = self._came, set()
        return came

    def _poll_timeout(self) -> float | None:
        """How many seconds to wait if no signal comes; None is for ever."""
        if not self._rollout.complete or not self._children.running:
            return POLL_SECONDS
        return self._configuration.check_in

    def _handle(self, signums: set[int]) -> None:
        """Do what the signals ask for: however many of one came, once."""
        if signal.SIGCHLD in signums and self._children.reap():
            self._rollout.reopen()
        for signum in (signal.SIGTERM, signal.SIGINT):
            if signum in signums:
                logger.info("received %s: draining", signum.name)
                self._stopping = True
        if signal.SIGHUP in signums and not self._stopping:
            self._adopt(self._configuration.read_again)

    def _adopt(self, read: Callable[[], bool]) -> None:
        """Hand on the state that *read* brought into force, if it did."""
        try:
            changed = read()
        except Exception as error:  # noqa: BLE001 - whatever it is, the good state stays
            self._reload_failed(error)
            return
        if changed:
            self._counters.supervisor[RELOADED] += 1
            self._publish()
            self._children.send(pack(self._configuration.state))

    def _reload_failed(self, error: Exception) -> None:
        # Only the message of our own errors is known to hold no secret.
        text = str(error) if isinstance(error, ConfigurationError) else type(error).__name__
        self._counters.supervisor[RELOAD_FAILED] += 1
        logger.error(
            "RELOAD FAILED, generation %d stays in force: %s",
            self._configuration.state.generation,
            text,
        )
        notify("READY=1", "STATUS=the last reload failed; see the log")

    def _publish(self) -> None:
        """Show the state in force to operators, and wait for the workers to adopt it."""
        state = self._configuration.state
        counts = self._counters.supervisor
        counts[GENERATION] = state.generation
        counts[LOADED_AT] = int(time.time())
        counts[LISTED_AT] = int(state.listed_at or 0)
        self._rollout.begin(state)

    def _drain(self) -> None:
        notify("STOPPING=1")
        self._children.drain()
        self._listeners.close()
        if self._admin is not None:
            self._admin.close()
        logger.info("drained")
