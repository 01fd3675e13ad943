"""Counters in memory that all processes of the service share.

The supervisor creates one anonymous shared mapping before it forks. Each process writes only
its own part, so no lock is needed. A reader sees a count at once: a scrape sees exactly the
requests decided so far, those of a killed worker included.

::

    supervisor's counts | worker 0: counts, names | worker 1: counts, names | ...

A count is an aligned word of eight bytes, so no reader sees half of one.
"""

from __future__ import annotations

import mmap
from bisect import bisect_left
from typing import TYPE_CHECKING

from edgeauth._record.metric_names import (
    AGE_BOUNDS,
    NAME_BYTES,
    OTHER,
    SIGNERS,
    signer_name,
)
from edgeauth.reasons import REASONS

if TYPE_CHECKING:
    from collections.abc import Sequence

# Every reason of a verdict, and one for requests that were not HTTP and reached no decision.
UNREADABLE = "unreadable"
DECIDED_AS = (*REASONS, UNREADABLE)

# Upper bounds in seconds; one more bucket holds the rest.
LATENCY_BOUNDS = (5e-6, 1e-5, 1.5e-5, 2e-5, 3e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 1e-2, 1e-1)

_WORD = 8

# Indexes of the supervisor's counts.
GENERATION, RELOADED, RELOAD_FAILED, RESTARTED, LOADED_AT, LISTED_AT = range(6)
_SUPERVISOR_WORDS = 6

# Indexes of a worker's counts.
SERVING = 0
DECIDED = SERVING + 1
AGES = DECIDED + 2 * len(DECIDED_AS)
LATENCIES = AGES + len(AGE_BOUNDS) + 1
LATENCY_SUM = LATENCIES + len(LATENCY_BOUNDS) + 1
NAMES = LATENCY_SUM + 1
SIGNED = NAMES + 1
_WORKER_WORDS = SIGNED + SIGNERS

# Behind a worker's counts come the names of its signers, "scheme,key id,POP" padded with NUL.


class Counters:
    """All counters of one service.

    Args:
        workers: their number.
    """

    def __init__(self, workers: int) -> None:
        worker_bytes = _WORKER_WORDS * _WORD + SIGNERS * NAME_BYTES
        start = _SUPERVISOR_WORDS * _WORD
        memory = memoryview(mmap.mmap(-1, start + workers * worker_bytes))
        self.supervisor = memory[:start].cast("Q")
        self.workers = tuple(
            WorkerCounters(
                memory[start + index * worker_bytes : start + (index + 1) * worker_bytes]
            )
            for index in range(workers)
        )

    @property
    def serving(self) -> list[int]:
        """The generation that each worker decides by; 0 for one that is not up."""
        return [worker.counts[SERVING] for worker in self.workers]


class WorkerCounters:
    """The counters of one worker. A replacement continues where the worker before it stopped.

    Attributes:
        counts: at the indexes that this module names.
        sums: the same memory as floats, for the index of a sum of seconds.
    """

    def __init__(self, memory: memoryview) -> None:
        words = memory[: _WORKER_WORDS * _WORD]
        self.counts: memoryview[int] = words.cast("Q")
        self.sums: memoryview[float] = words.cast("d")
        self._names = memory[_WORKER_WORDS * _WORD :]
        self._indexes: dict[tuple[str, str, str], int] = {}

    def count(self, seconds: float, *indexes: int) -> None:
        """Count one decision that took *seconds*, at *indexes*."""
        words = self.counts
        for index in indexes:
            words[index] += 1
        words[LATENCIES + bisect_left(LATENCY_BOUNDS, seconds)] += 1
        self.sums[LATENCY_SUM] += seconds

    def signer_index(self, scheme: str, key_id: str, pop: str) -> int:
        """The index at which values of this signer are counted."""
        if not self._indexes:
            self._indexes = {name: SIGNED + index for index, name in enumerate(self._read_names())}
        index = self._indexes.get((scheme, key_id, pop))
        return self._add_name(scheme, key_id, pop) if index is None else index

    def signers(self) -> dict[tuple[str, str, str], int]:
        """How many values were verified, by kind of scheme, key id and POP."""
        return {name: self.counts[SIGNED + n] for n, name in enumerate(self._read_names())}

    def _read_names(self) -> Sequence[tuple[str, str, str]]:
        names = [OTHER]
        for index in range(1, self.counts[NAMES] + 1):
            raw = bytes(self._names[index * NAME_BYTES : (index + 1) * NAME_BYTES])
            scheme, key_id, pop = raw.rstrip(b"\0").decode("ascii").split(",")
            names.append((scheme, key_id, pop))
        return names

    def _add_name(self, scheme: str, key_id: str, pop: str) -> int:
        index = self.counts[NAMES] + 1
        if index >= SIGNERS:
            return SIGNED
        raw = signer_name(scheme, key_id, pop)
        if raw is None:
            return SIGNED
        self._names[index * NAME_BYTES : (index + 1) * NAME_BYTES] = raw.ljust(NAME_BYTES, b"\0")
        # The name is complete before NAMES tells readers about it.
        self.counts[NAMES] = index
        self._indexes[scheme, key_id, pop] = SIGNED + index
        return SIGNED + index


def age_index(age: float) -> int:
    """The index at which verified values of this age in seconds are counted."""
    return AGES + bisect_left(AGE_BOUNDS, age)


def decision_index(reason: str, *, allowed: bool) -> int:
    """The index at which decisions of this kind are counted."""
    return DECIDED + 2 * DECIDED_AS.index(reason) + allowed
