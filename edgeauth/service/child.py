"""A process of the supervisor, and the generations of the configuration that they decide by."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from edgeauth.service.channel import Outbox
    from edgeauth.service.state import State

# A child that dies at once is started again no more often than this.
RESTART_SECONDS = 1.0

# How long a worker may take to adopt a state before it is taken for hung.
ADOPT_SECONDS = 10.0

# So many ids of keys are named in the log.
_NAMED = 20


class Child:
    """A process, the way to it, and when it was started.

    Attributes:
        name: for the log.
        place: of a worker, its place on the board; None for another process.
        pid: 0 while it does not run.
        outbox: the way to it.
        started: when it was started last, by the monotonic clock.
        killed: whether it was told to end at once.
        lag_told: whether the log says that it lags.
    """

    def __init__(self, name: str, place: int | None) -> None:
        self.name = name
        self.place = place
        self.pid = 0
        self.outbox: Outbox | None = None
        self.started = -RESTART_SECONDS
        self.killed = False
        self.lag_told = False

    def begin(self, pid: int, outbox: Outbox) -> None:
        """Its process runs."""
        self.pid, self.outbox = pid, outbox
        self.killed = self.lag_told = False

    def send(self, packed: bytes) -> None:
        """Send a worker a state; this waits for nothing."""
        if self.outbox is not None and self.place is not None:
            self.outbox.send(packed)

    def close(self) -> None:
        """Let it drain and end."""
        if self.outbox is not None:
            self.outbox.close()
            self.outbox = None

    def kill(self) -> None:
        """End it at once. The number is its own until it was reaped."""
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


class _Generation(NamedTuple):
    read_at: float
    keys: str


class Generations:
    """What was read, as far back as a worker may still decide by it."""

    def __init__(self) -> None:
        self._read: dict[int, _Generation] = {}

    def add(self, state: State) -> str:
        """Note a state that was read now; its name for the log."""
        ids = [values[0] for ring in state.keys for values in ring]
        keys = ", ".join(ids[-_NAMED:])
        if len(ids) > _NAMED:
            keys = f"{len(ids) - _NAMED} and {keys}"
        self._read[state.generation] = _Generation(time.monotonic(), keys)
        return self.name(state.generation)

    def name(self, number: int) -> str:
        """A generation and the ids of its keys, for the log; 0 is none."""
        found = self._read.get(number)
        return "nothing yet" if found is None else f"generation {number} (keys: {found.keys})"

    def first_after(self, serving: int) -> int:
        """The generation that a worker has owed for longest, if it decides by *serving*."""
        return min(number for number in self._read if number > serving)

    def due(self, child: Child, serving: int) -> float:
        """When it must have adopted that one, by the monotonic clock.

        No later generation moves it. A process that has just begun has its time.
        """
        read_at = self._read[self.first_after(serving)].read_at
        return max(read_at, child.started) + ADOPT_SECONDS

    def forget_before(self, number: int) -> None:
        """No worker decides by one before *number* any more."""
        self._read = {at: found for at, found in self._read.items() if at >= number}
