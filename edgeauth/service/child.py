"""One process of the supervisor."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeauth.service.channel import Outbox

# A child that dies at once is started again no more often than this.
RESTART_SECONDS = 1.0


class Child:
    """A process, the channel to it, and when it was started.

    Attributes:
        name: for the log.
        index: the index of a worker in the shared counters; None for another process.
        pid: 0 while it does not run.
        outbox: the channel to it.
        started: when it was last started, by the monotonic clock.
        killed: whether it was killed.
        lag_reported: whether the log already says that it lags.
    """

    def __init__(self, name: str, index: int | None) -> None:
        self.name = name
        self.index = index
        self.pid = 0
        self.outbox: Outbox | None = None
        self.started = -RESTART_SECONDS
        self.killed = False
        self.lag_reported = False

    def begin(self, pid: int, outbox: Outbox) -> None:
        """Its process runs."""
        self.pid, self.outbox = pid, outbox
        self.killed = self.lag_reported = False

    def send(self, packed: bytes) -> None:
        """Send a worker a state; never waits."""
        if self.outbox is not None and self.index is not None:
            self.outbox.send(packed)

    def close(self) -> None:
        """Close its channel, so that it drains and ends."""
        if self.outbox is not None:
            self.outbox.close()
            self.outbox = None

    def kill(self) -> None:
        """Kill it. No other process has its number until it is reaped."""
        if self.pid:
            self.killed = True
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
