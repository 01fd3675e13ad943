"""Starts the processes, replaces those that die, sends them each reload, and drains them.

The supervisor has neither an event loop nor threads, so it may fork at any time: a worker
that died is back in milliseconds, with the newest state and without reading a file. It talks
to its children over one channel each, on which it waits for nobody; a child that finds its
channel closed drains and ends, so none outlives a supervisor that was killed.

Each worker has :data:`ADOPT_SECONDS` for each state, from the moment it was read: a later
reload does not move that. Then it is killed, and a new one begins with the newest state.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import logging
import math
import os
import select
import signal
import socket
import time
from typing import TYPE_CHECKING

from edgeauth._record.decision_log import DecisionLog
from edgeauth._record.list_age import AgeWarning
from edgeauth.errors import ConfigurationError, explain
from edgeauth.service import counters as words
from edgeauth.service.admin import AdminApp
from edgeauth.service.channel import open_channel, pack
from edgeauth.service.child import ADOPT_SECONDS, RESTART_SECONDS, Child, Generations
from edgeauth.service.counters import Board
from edgeauth.service.listeners import Listeners, introduce, warn_of_unused
from edgeauth.service.logs import configure_logging
from edgeauth.service.notify import notify, notify_reloading
from edgeauth.service.worker import DRAIN_SECONDS, run_admin, run_worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeauth.policy import PolicySource
    from edgeauth.service.channel import Inbox
    from edgeauth.service.settings import ServiceSettings
    from edgeauth.service.state import State

logger = logging.getLogger("edgeauth.service")

_SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)

_POLL_SECONDS = 0.01

# When the log says that a worker lags.
_LAG_SECONDS = 1.0

# What workers get beyond the time for their requests, until they are killed.
_END_SECONDS = 2.0

# Options that are fixed once the sockets are open and the children run.
_FIXED = ("listen", "socket_mode", "workers", "admin", "log_format")


class Supervisor:
    """One service: its sockets, its processes and the state in force.

    Args:
        load: reads the configuration, given the number of its generation.

    Raises:
        ConfigurationError: the configuration, or an address in it, cannot be used.
    """

    def __init__(self, load: Callable[[int], tuple[State, PolicySource]]) -> None:
        self._load = load
        self._came: set[int] = set()
        # What is read now may be old by the time that it is in force. The others may end it.
        signal.signal(signal.SIGHUP, self._note)
        self._state, source = load(1)
        service = self._state.service
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
        self._board = Board(service.workers)
        self._children = [Child(f"worker {place}", place) for place in range(service.workers)]
        if self._admin is not None:
            self._children.append(Child("admin", None))
        self._generations = Generations()
        self._announced = False
        self._stopping = False
        self._follow(source)

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then drain."""
        introduce(self._listeners.sockets, self._admin_sockets, self._state.service)
        wake, waker = socket.socketpair()
        for end in (wake, waker):
            end.setblocking(False)  # noqa: FBT003 - no keyword there
        for signum in _SIGNALS:
            signal.signal(signum, self._note)
        # It wakes, and no more: when many signals come at once, it loses some.
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        self._publish()
        while not self._stopping:
            self._start_due()
            self._acknowledge()
            self._handle(self._wait(wake))
            self._look()
        self._drain()

    @property
    def _admin_sockets(self) -> list[socket.socket]:
        return [] if self._admin is None else self._admin.sockets

    def _note(self, signum: int, _frame: object) -> None:
        self._came.add(signum)

    def _wait(self, wake: socket.socket) -> set[int]:
        """Wait until there is something to do; the signals that came, each once."""
        waiting = [
            child.outbox
            for child in self._children
            if child.outbox is not None and child.outbox.waiting
        ]
        poll = select.poll()
        poll.register(wake, select.POLLIN)
        for outbox in waiting:
            poll.register(outbox, select.POLLOUT)
        patience = self._patience()
        poll.poll(0 if self._came else None if patience is None else patience * 1000)
        for outbox in waiting:
            outbox.flush()
        with contextlib.suppress(BlockingIOError):
            while wake.recv(4096):
                pass
        came, self._came = self._came, set()
        return came

    def _handle(self, signums: set[int]) -> None:
        """Do what the signals ask for: however many of one came, once."""
        if signal.SIGCHLD in signums:
            self._reap()
        for signum in (signal.SIGTERM, signal.SIGINT):
            if signum in signums:
                logger.info("received %s: draining", signum.name)
                self._stopping = True
        if signal.SIGHUP in signums and not self._stopping:
            self._reload()

    # --- the state in force

    def _follow(self, source: PolicySource) -> None:
        """Decide by what *source* gives from now on, and warn once for all workers."""
        settings = self._state.settings
        self._source = source
        self._in_force = self._seen = source.policy
        DecisionLog(enforced=settings.mode == "enforce").start()
        self._list_age = AgeWarning(settings.addresses_stale_days)
        self._list_age.policy_is_current(source.policy, time.time())

    def _look(self) -> None:
        """Adopt what changed in the files of keys, addresses and passes.

        Only those are read: a mistake elsewhere in the configuration, which SIGHUP would
        stumble over, does not keep a removed key in force.
        """
        now = time.time()
        policy, before = self._source.current(now), self._in_force
        if policy is self._seen:
            return
        self._seen = policy
        self._list_age.policy_is_current(policy, now)
        if (
            policy.keys is not before.keys
            or policy.addresses is not before.addresses
            or policy.passes is not before.passes
        ):
            notify_reloading()
            try:
                state = self._state.following(policy)
            except Exception as error:  # noqa: BLE001 - whatever it is, the good state stays
                self._keep(error)  # and the next look tries again
            else:
                self._in_force = policy
                self._adopt(state)

    def _reload(self) -> None:
        """Read the whole configuration again, and adopt it if it can be used."""
        notify_reloading()
        try:
            state, source = self._load(self._state.generation + 1)
        except Exception as error:  # noqa: BLE001 - whatever it is, the good state stays
            self._keep(error)
            return
        self._adopt(dataclasses.replace(state, service=self._fixed(state)))
        self._follow(source)

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
        packed = pack(state)
        for child in self._children:
            child.send(packed)

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
        generation = self._generations.add(self._state)
        self._announced = False
        logger.info("%s was read: the workers are to decide by it", generation)

    def _acknowledge(self) -> None:
        """Say by what the workers decide, and end one that did not follow in time."""
        if self._announced:
            return
        now, newest = time.monotonic(), self._state.generation
        workers = [
            (child, self._board.serving[child.place])
            for child in self._children
            if child.place is not None
        ]
        late = [(child, serving) for child, serving in workers if serving != newest]
        if not late:
            self._announced = True
            self._generations.forget_before(newest)
            for child, _ in workers:
                child.lag_told = False
            logger.info(
                "generation %d is in force in all workers (%d): %s",
                newest,
                len(workers),
                self._generations.name(newest),
            )
            notify("READY=1", f"STATUS=generation {newest} is in force")
            return
        self._generations.forget_before(min((at for _, at in workers if at), default=newest))
        for child, serving in late:
            if not child.pid or child.killed:
                continue
            due = self._generations.due(child, serving)
            if now > due:
                logger.error(
                    "%s (process %d) did not take generation %d: killing it. It decided by %s",
                    child.name,
                    child.pid,
                    self._generations.first_after(serving),
                    self._generations.name(serving),
                )
                child.kill()
            elif serving and not child.lag_told and now > due - ADOPT_SECONDS + _LAG_SECONDS:
                child.lag_told = True
                logger.warning(
                    "%s (process %d) lags: it decides by %s until it takes the newest, or is "
                    "killed in %.0f s. %d of %d workers decide by %s",
                    child.name,
                    child.pid,
                    self._generations.name(serving),
                    due - now,
                    len(workers) - len(late),
                    len(workers),
                    self._generations.name(newest),
                )
                notify(f"STATUS={child.name} does not take generation {newest}; see the log")

    # --- the children

    def _patience(self) -> float | None:
        """How many seconds nothing has to be done, if no signal comes."""
        if not self._announced or not all(child.pid for child in self._children):
            return _POLL_SECONDS
        due = self._source.policy.until
        if due == math.inf:
            return None
        # No longer than the interval: the clock may be set back meanwhile.
        return min(max(due - time.time(), 0), self._state.settings.watch_interval)

    def _start_due(self) -> None:
        for child in self._children:
            if not child.pid and time.monotonic() >= child.started + RESTART_SECONDS:
                child.started = time.monotonic()
                try:
                    self._start(child)
                except OSError as error:  # no descriptor, no memory, no process left
                    logger.error(
                        "%s cannot be started: %s. Trying again", child.name, explain(error)
                    )

    def _start(self, child: Child) -> None:
        ours, theirs = open_channel()
        # What is there by now stays shared: a child's first collection would write to it all.
        gc.freeze()
        # A signal must find either the handlers of the supervisor or those of the child.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            pid = os.fork()
            if not pid:
                ours.close()
                self._become(child, theirs)
            child.begin(pid, ours)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def _become(self, child: Child, channel: Inbox) -> None:
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
                run_admin(AdminApp(self._board), self._admin_sockets, channel)
            else:
                for listener in self._admin_sockets:
                    listener.close()
                slot = self._board.slots[child.place]
                run_worker(self._state, slot, self._listeners.sockets, channel)
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
                self._announced = False

    def _drain(self) -> None:
        notify("STOPPING=1")
        for child in self._children:
            child.close()
        deadline = time.monotonic() + DRAIN_SECONDS + _END_SECONDS
        while any(child.pid for child in self._children):
            self._reap()
            if time.monotonic() > deadline:
                for child in self._children:
                    if child.pid and not child.killed:
                        logger.error("%s did not end in time: killing it", child.name)
                        child.kill()
            time.sleep(_POLL_SECONDS)
        self._listeners.close()
        if self._admin is not None:
            self._admin.close()
        logger.info("drained")
