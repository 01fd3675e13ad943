"""Brings each generation of the configuration to all workers, and kills one that does not take it.

Each worker has :data:`ADOPT_SECONDS` for each generation, from the moment it was read: a later
reload does not move that. A worker that was killed is replaced and begins with the newest.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.service.notify import notify

if TYPE_CHECKING:
    from edgeauth.service.child import Child
    from edgeauth.service.state import State

logger = logging.getLogger("edgeauth.service")

# How long a worker may take to adopt a generation before it is taken for hung.
ADOPT_SECONDS = 10.0

# When the log says that a worker lags.
_LAG_SECONDS = 1.0

# The log names no more keys than these.
_MOST_KEYS = 20


class _Generation(NamedTuple):
    read_at: float
    keys: str


class Rollout:
    """The generations that workers may still decide by, and whether all took the newest.

    Attributes:
        complete: whether all workers decide by the newest generation.
    """

    def __init__(self) -> None:
        self.complete = False
        self._newest = 0
        self._read: dict[int, _Generation] = {}

    def begin(self, state: State) -> None:
        """Begin with *state*, which was read now."""
        ids = [values[0] for ring in state.keys for values in ring]
        keys = ", ".join(ids[-_MOST_KEYS:])
        if len(ids) > _MOST_KEYS:
            keys = f"{len(ids) - _MOST_KEYS} and {keys}"
        self._newest = state.generation
        self._read[self._newest] = _Generation(time.monotonic(), keys)
        self.complete = False
        logger.info("%s was read: the workers are to decide by it", self._name(self._newest))

    def reopen(self) -> None:
        """A worker is being replaced: not all decide by the newest generation."""
        self.complete = False

    def check(self, serving: list[tuple[Child, int]]) -> None:
        """Report the workers that lag, and kill those that lag for too long.

        Args:
            serving: each worker with the generation that it decides by, 0 for none.
        """
        if self.complete:
            return
        late = [(child, number) for child, number in serving if number != self._newest]
        if not late:
            self._report_complete([child for child, _ in serving])
            return
        self._forget_before(min((number for _, number in serving if number), default=self._newest))
        for child, number in late:
            if not child.pid or child.killed:
                continue
            now, due = time.monotonic(), self._due(child, number)
            if now > due:
                logger.error(
                    "%s (process %d) did not take generation %d: killing it. It decided by %s",
                    child.name,
                    child.pid,
                    self._first_after(number),
                    self._name(number),
                )
                child.kill()
            elif number and not child.lag_reported and now > due - ADOPT_SECONDS + _LAG_SECONDS:
                child.lag_reported = True
                logger.warning(
                    "%s (process %d) lags: it decides by %s until it takes the newest, or is "
                    "killed in %.0f s. %d of %d workers decide by %s",
                    child.name,
                    child.pid,
                    self._name(number),
                    due - now,
                    len(serving) - len(late),
                    len(serving),
                    self._name(self._newest),
                )
                notify(f"STATUS={child.name} does not take generation {self._newest}; see the log")

    def _report_complete(self, workers: list[Child]) -> None:
        self.complete = True
        self._forget_before(self._newest)
        for child in workers:
            child.lag_reported = False
        logger.info(
            "generation %d is in force in all workers (%d): %s",
            self._newest,
            len(workers),
            self._name(self._newest),
        )
        notify("READY=1", f"STATUS=generation {self._newest} is in force")

    def _name(self, number: int) -> str:
        """A generation and the ids of its keys, for the log; 0 is none."""
        found = self._read.get(number)
        return "nothing yet" if found is None else f"generation {number} (keys: {found.keys})"

    def _first_after(self, number: int) -> int:
        """The oldest generation that a worker that decides by *number* has not taken."""
        return min(after for after in self._read if after > number)

    def _due(self, child: Child, number: int) -> float:
        """When it must have adopted that one, by the monotonic clock.

        A later generation does not move it. A process that was just started has its time.
        """
        return max(self._read[self._first_after(number)].read_at, child.started) + ADOPT_SECONDS

    def _forget_before(self, number: int) -> None:
        """Drop the generations that no worker decides by any more."""
        self._read = {at: found for at, found in self._read.items() if at >= number}
