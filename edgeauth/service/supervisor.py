"""Starts the processes, replaces those that die, sends them each reload, and drains them.

The supervisor has neither an event loop nor threads, so it may fork at any time: a worker
that died is back in milliseconds, with the state that is in force and without reading a
file. It talks to its children over one pipe each; a child that finds its pipe closed drains
and ends, so none outlives a supervisor that was killed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import logging
import os
import select
import signal
import socket
import time
from multiprocessing import Pipe
from typing import TYPE_CHECKING

from edgeauth.errors import ConfigurationError
from edgeauth.live import Watch
from edgeauth.service import board as words
from edgeauth.service.admin import AdminApp
from edgeauth.service.board import Board
from edgeauth.service.listeners import close_listeners, name_of, open_listeners, open_to_others
from edgeauth.service.logs import configure_logging
from edgeauth.service.notify import notify, notify_reloading
from edgeauth.service.worker import DRAIN_SECONDS, run_admin, run_worker
from edgeauth.staleness import StaleWarning

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from edgeauth.service.settings import ServiceSettings
    from edgeauth.service.state import State

logger = logging.getLogger("edgeauth.service")

_SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)

# A child that dies at once is started again no more often than this.
_RESTART_SECONDS = 1.0

# How long workers may take to adopt a new state before they are taken for hung.
_ADOPT_SECONDS = 10.0
_POLL_SECONDS = 0.01

# Options that are fixed once the sockets are open and the children run.
_FIXED = ("listen", "socket_mode", "workers", "admin", "log_format")


class Supervisor:
    """One service: its sockets, its processes and the state in force.

    Args:
        load: reads the configuration, given the number of its generation.

    Raises:
        ConfigurationError: the configuration, or an address in it, cannot be used.
    """

    def __init__(self, load: Callable[[int], State]) -> None:
        self._load = load
        self._state = load(1)
        service = self._state.service
        configure_logging(service.log_format)
        self._listeners = open_listeners(
            service.listen, mode=service.socket_mode, environ=os.environ
        )
        self._admin_listeners = (
            open_listeners(service.admin, mode=service.socket_mode, environ=os.environ)
            if service.admin is not None
            else []
        )
        self._board = Board(service.workers)
        self._children = [_Child(f"worker {place}", place) for place in range(service.workers)]
        if self._admin_listeners:
            self._children.append(_Child("admin", None))
        self._adopt_by: float | None = None
        self._stopping = False
        self._attend(Watch(self._state.settings))

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then drain."""
        self._introduce()
        wake, waker = socket.socketpair()
        waker.setblocking(False)  # noqa: FBT003 - no keyword there
        for signum in _SIGNALS:
            signal.signal(signum, lambda _signum, _frame: None)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        self._publish()
        while not self._stopping:
            self._start_due()
            self._acknowledge()
            for number in _received(wake, self._patience()):
                self._handle(signal.Signals(number))
            self._look()
        self._drain()

    def _introduce(self) -> None:
        service = self._state.service
        for listener in self._listeners:
            logger.info("deciding for %s on %s", service.proxy, name_of(listener))
            if open_to_others(listener):
                logger.warning(
                    "%s can be reached from other machines: whoever reaches it can ask for "
                    "decisions without limit, and the credential of every request crosses the "
                    "network in the clear. Only %s are believed about the original request. "
                    "Prefer a Unix socket, or let a firewall admit the proxies alone",
                    name_of(listener),
                    ", ".join(service.proxy_addresses),
                )
        for listener in self._admin_listeners:
            logger.info("/healthz, /readyz and /metrics on %s", name_of(listener))
            if open_to_others(listener):
                logger.warning(
                    "%s can be reached from other machines: key ids, POPs and the number of "
                    "requests are there for everybody to read",
                    name_of(listener),
                )

    def _handle(self, signum: signal.Signals) -> None:
        if signum == signal.SIGCHLD:
            self._reap()
        elif signum == signal.SIGHUP:
            self._reload()
        else:
            logger.info("received %s: draining", signum.name)
            self._stopping = True

    # --- the state in force

    def _attend(self, watch: Watch) -> None:
        """Look at the files by *watch* from now on."""
        self._watch, self._basis = watch, watch.basis
        self._stale = StaleWarning(self._state.settings.addresses_stale_days)
        if watch.basis.addresses is not None:
            self._stale.look(watch.basis.addresses)

    def _look(self) -> None:
        """Adopt what changed in the files of keys, addresses and passes.

        Only those are read: a mistake elsewhere in the configuration, which SIGHUP would
        stumble over, does not keep a removed key in force.
        """
        now = time.time()
        if not self._watch.active or self._watch.looked <= now < self._watch.due:
            return
        before = self._basis
        self._basis = basis = self._watch.look(before)
        self._watch.rest(now)
        if self._basis.addresses is not None:
            self._stale.look(self._basis.addresses, now)
        if (
            basis.keys is not before.keys
            or basis.addresses is not before.addresses
            or basis.passes is not before.passes
        ):
            notify_reloading()
            try:
                state = self._state.following(basis)
            except Exception as error:  # noqa: BLE001 - whatever it is, the good state stays
                self._keep(error)
                self._basis = before  # so that the next look tries again
            else:
                self._adopt(state)

    def _reload(self) -> None:
        """Read the whole configuration again, and adopt it if it can be used."""
        notify_reloading()
        try:
            state = self._load(self._state.generation + 1)
            watch = Watch(state.settings)
        except Exception as error:  # noqa: BLE001 - whatever it is, the good state stays
            self._keep(error)
            return
        self._adopt(dataclasses.replace(state, service=self._fixed(state)))
        self._attend(watch)

    def _keep(self, error: Exception) -> None:
        """Say that the state in force stays, because of *error*."""
        # Only the message of our own errors is known to hold no secret.
        text = str(error) if isinstance(error, ConfigurationError) else type(error).__name__
        self._board.supervisor[words.RELOAD_FAILED] += 1
        logger.error(
            "RELOAD FAILED, generation %d stays in force: %s", self._state.generation, text
        )
        notify("READY=1", "STATUS=the last reload failed; see the log")

    def _adopt(self, state: State) -> None:
        """Let *state* be in force, and send it to the workers."""
        self._state = state
        self._board.supervisor[words.RELOADED] += 1
        self._publish()
        for child in self._children:
            child.send(self._state)

    def _fixed(self, state: State) -> ServiceSettings:
        """The new service options, but for those that only a restart can change."""
        old, new = self._state.service, state.service
        kept = {name: getattr(old, name) for name in _FIXED}
        changed = [name for name in _FIXED if getattr(new, name) != kept[name]]
        if changed:
            logger.warning("%s changed: restart the service for that", ", ".join(changed))
        return dataclasses.replace(new, **kept)

    def _publish(self) -> None:
        supervisor = self._board.supervisor
        supervisor[words.GENERATION] = self._state.generation
        supervisor[words.LOADED_AT] = int(time.time())
        supervisor[words.LISTED_AT] = int(self._state.listed_at or 0)
        self._adopt_by = time.monotonic() + _ADOPT_SECONDS

    def _acknowledge(self) -> None:
        """Say once that every worker decides by the state in force."""
        if self._adopt_by is None:
            return
        generation = self._state.generation
        late = [
            child
            for child in self._children
            if child.place is not None and self._board.serving[child.place] != generation
        ]
        if not late:
            self._adopt_by = None
            logger.info(
                "generation %d is in force in all workers (%d)",
                generation,
                self._state.service.workers,
            )
            notify("READY=1", f"STATUS=generation {generation} is in force")
        elif time.monotonic() > self._adopt_by:
            for child in late:
                logger.error("%s did not take generation %d: killing it", child.name, generation)
                child.kill()
            self._adopt_by = time.monotonic() + _ADOPT_SECONDS

    # --- the children

    def _patience(self) -> float | None:
        """How long nothing has to be done, if no signal comes."""
        if self._adopt_by is not None or not all(child.pid for child in self._children):
            return _POLL_SECONDS
        if not self._watch.active:
            return None
        # No longer than the interval: the clock may be set back meanwhile.
        interval = self._state.settings.watch_interval
        return min(max(self._watch.due - time.time(), 0), interval)

    def _start_due(self) -> None:
        for child in self._children:
            if not child.pid and time.monotonic() >= child.started + _RESTART_SECONDS:
                self._start(child)

    def _start(self, child: _Child) -> None:
        ours, theirs = Pipe()
        # What is there by now stays shared: a child's first collection would write to it all.
        gc.freeze()
        # A signal must find either the handlers of the supervisor or those of the child.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        pid = os.fork()
        if not pid:
            ours.close()
            self._become(child, theirs)
        theirs.close()
        child.pid, child.channel, child.started = pid, ours, time.monotonic()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def _become(self, child: _Child, channel: Connection) -> None:
        """Run the part of *child* in this process, which ends with it."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for signum in _SIGNALS:
                signal.signal(signum, signal.SIG_DFL)
            # A terminal or a process manager may send it to the whole group.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            for other in self._children:
                other.close()
            if child.place is None:
                run_admin(AdminApp(self._board), self._admin_listeners, channel)
            else:
                for listener in self._admin_listeners:
                    listener.close()
                run_worker(self._state, self._board.slots[child.place], self._listeners, channel)
            status = 0
        except BaseException:
            logger.exception("%s failed", child.name)
        finally:
            logging.shutdown()
            # Not sys.exit: the frames above belong to the supervisor.
            os._exit(status)

    def _reap(self) -> None:
        for child in self._children:
            status = child.reap()
            if status is None:
                continue
            if child.place is not None:
                self._board.slots[child.place].words[words.SERVING] = 0
            if not self._stopping:
                self._board.supervisor[words.RESTARTED] += 1
                logger.error("%s ended with status %d: replacing it", child.name, status)
                self._adopt_by = time.monotonic() + _ADOPT_SECONDS

    def _drain(self) -> None:
        notify("STOPPING=1")
        for child in self._children:
            child.close()
        deadline = time.monotonic() + DRAIN_SECONDS + _ADOPT_SECONDS
        while any(child.pid for child in self._children):
            self._reap()
            if time.monotonic() > deadline:
                for child in self._children:
                    child.kill()
            time.sleep(_POLL_SECONDS)
        service = self._state.service
        close_listeners(self._listeners, service.listen)
        close_listeners(self._admin_listeners, service.admin or "")
        logger.info("drained")


class _Child:
    """A process, its pipe, and when it was started."""

    def __init__(self, name: str, place: int | None) -> None:
        self.name = name
        self.place = place
        self.pid = 0
        self.channel: Connection | None = None
        self.started = -_RESTART_SECONDS

    def send(self, state: State) -> None:
        # One that has just died is started again with the same state.
        if self.channel is not None and self.place is not None:
            with contextlib.suppress(OSError):
                self.channel.send(state)

    def close(self) -> None:
        if self.channel is not None:
            self.channel.close()
            self.channel = None

    def kill(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)

    def reap(self) -> int | None:
        """Its exit status if it has ended (negative: by that signal), else None."""
        if not self.pid:
            return None
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if not pid:
            return None
        self.pid = 0
        self.close()
        return os.waitstatus_to_exitcode(status)


def _received(wake: socket.socket, seconds: float | None) -> bytes:
    """The numbers of the signals that came, after at most *seconds*."""
    readable, _, _ = select.select([wake], [], [], seconds)
    return wake.recv(64) if readable else b""
