"""Starts, replaces and drains the processes of the service.

The supervisor has neither an event loop nor threads, so it may fork at any time: a worker
that died is back in milliseconds, with the newest state and without reading a file.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import time
from typing import TYPE_CHECKING

from edgeauth.errors import explain
from edgeauth.service.admin import AdminApp
from edgeauth.service.channel import open_channel
from edgeauth.service.child import RESTART_SECONDS, Child
from edgeauth.service.counters import RESTARTED, SERVING
from edgeauth.service.worker import DRAIN_SECONDS, run_admin, run_worker

if TYPE_CHECKING:
    import socket

    from edgeauth.service.channel import Inbox, Outbox
    from edgeauth.service.counters import Counters
    from edgeauth.service.state import State

logger = logging.getLogger("edgeauth.service")

# The signals that the supervisor handles, and its children do not.
SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)

POLL_SECONDS = 0.01

# What workers get beyond the time for their requests before they are killed.
_END_SECONDS = 2.0


class Children:
    """The workers and the process for operators.

    Args:
        counters: one part for each worker.
        listeners: the sockets of the workers.
        admin: the sockets of the process for operators; without any there is no such process.
    """

    def __init__(
        self, counters: Counters, listeners: list[socket.socket], admin: list[socket.socket]
    ) -> None:
        self._counters = counters
        self._listeners = listeners
        self._admin = admin
        self._children = [Child(f"worker {index}", index) for index in range(len(counters.workers))]
        if admin:
            self._children.append(Child("admin", None))
        self._draining = False

    @property
    def running(self) -> bool:
        """Whether every child has a process."""
        return all(child.pid for child in self._children)

    @property
    def waiting(self) -> list[Outbox]:
        """The channels whose socket was full."""
        outboxes = [child.outbox for child in self._children]
        return [outbox for outbox in outboxes if outbox is not None and outbox.waiting]

    @property
    def serving(self) -> list[tuple[Child, int]]:
        """Each worker with the generation that it decides by; 0 for one that is not up."""
        return list(zip(self._children, self._counters.serving, strict=False))

    def send(self, packed: bytes) -> None:
        """Send the workers a packed state; never waits."""
        for child in self._children:
            child.send(packed)

    def start_due(self, state: State) -> None:
        """Start each child that does not run, if it was not started just now.

        Args:
            state: what a worker is to decide by.
        """
        for child in self._children:
            if not child.pid and time.monotonic() >= child.started + RESTART_SECONDS:
                child.started = time.monotonic()
                try:
                    self._start(child, state)
                except OSError as error:  # no descriptor, no memory, no process left
                    logger.error(
                        "%s cannot be started: %s. Trying again", child.name, explain(error)
                    )

    def _start(self, child: Child, state: State) -> None:
        ours, theirs = open_channel()
        # Objects that exist now stay shared: a child's first collection would copy their pages.
        gc.freeze()
        # A signal must find either the handlers of the supervisor or those of the child.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            pid = os.fork()
            if not pid:
                ours.close()
                self._run_child(child, state, theirs)
            child.begin(pid, ours)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def _run_child(self, child: Child, state: State, channel: Inbox) -> None:
        """Run *child* in this process, and end the process."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for signum in SIGNALS:
                signal.signal(signum, signal.SIG_DFL)
            # A terminal or a process manager may send it to the whole group.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            for other in self._children:
                other.close()
            if child.index is None:
                run_admin(AdminApp(self._counters), self._admin, channel)
            else:
                for listener in self._admin:
                    listener.close()
                run_worker(state, self._counters.workers[child.index], self._listeners, channel)
            status = 0
        except BaseException:
            logger.exception("%s failed", child.name)
        finally:
            logging.shutdown()
            # Not sys.exit: the frames above belong to the supervisor.
            os._exit(status)

    def reap(self) -> bool:
        """Take note of the children that ended; whether one of them is to be replaced."""
        ended = False
        for child in self._children:
            status = child.reap()
            if status is None:
                continue
            if child.index is not None:
                self._counters.workers[child.index].counts[SERVING] = 0
            if not self._draining:
                self._counters.supervisor[RESTARTED] += 1
                logger.error("%s ended with status %d: replacing it", child.name, status)
                ended = True
        return ended

    def drain(self) -> None:
        """Let all children finish their requests and end; kill those that take too long."""
        self._draining = True
        for child in self._children:
            child.close()
        deadline = time.monotonic() + DRAIN_SECONDS + _END_SECONDS
        while any(child.pid for child in self._children):
            self.reap()
            if time.monotonic() > deadline:
                for child in self._children:
                    if child.pid and not child.killed:
                        logger.error("%s did not end in time: killing it", child.name)
                        child.kill()
            time.sleep(POLL_SECONDS)
