"""Starts the processes of a storm, breaks the store meanwhile, and adds up."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.processes import wait_until

from replay_storm.worker import Order

if TYPE_CHECKING:
    from collections.abc import Callable

    Fault = Callable[[], object] | None

PROCESSES = 4
# For a process to fork others on a busy machine.
_START_SECONDS = 0.3


@dataclass(frozen=True)
class Outcome:
    """What came of all processes together.

    Attributes:
        attempts: how many calls there were.
        admitted: by key, when it was admitted, once or more.
        errors: how many calls ended with each error.
        longest: seconds of the slowest call of all.
        end: Unix seconds at which the store was whole again; when the storm began without a fault.
    """

    attempts: int
    admitted: dict[str, list[float]]
    errors: Counter[str]
    longest: float
    end: float

    @property
    def twice(self) -> dict[str, list[float]]:
        """What must not be: the keys that were admitted more than once, and when."""
        return {key: times for key, times in self.admitted.items() if len(times) > 1}

    @property
    def after(self) -> int:
        """How many were admitted after the end of the fault."""
        return sum(times[-1] > self.end for times in self.admitted.values())

    def __str__(self) -> str:
        return (
            f"{self.attempts:,} calls, {len(self.admitted):,} keys admitted, "
            f"{len(self.twice)} twice, {self.errors.total():,} errors, "
            f"{self.after:,} admitted after it, slowest call {self.longest * 1000:,.0f} ms"
        )


def run(
    store: str,
    *,
    keys: int = 0,
    seconds: float = 0,
    tasks: int = 0,
    forked: bool = False,
    guards: bool = False,
    fault: Fault = None,
    mended: Fault = None,
) -> Outcome:
    """Replay at *store* from :data:`PROCESSES` processes.

    Args:
        store: the setting.
        keys: see :class:`replay_storm.worker.Order`; of each process.
        seconds: as there.
        tasks: as there.
        forked: whether the processes are forked from one that has used the store.
        guards: whether guards are asked about signed requests, and they ask the store.
        fault: breaks the store when a third of the time is over.
        mended: mends it when half of the time is over.
    """
    order = Order(
        store=store,
        keys=keys,
        seconds=seconds,
        tasks=tasks,
        forks=PROCESSES if forked else 0,
        guards=guards,
    )
    # Files, since nobody reads from a pipe while the fault is on.
    with contextlib.ExitStack() as files:
        outputs = [
            files.enter_context(tempfile.TemporaryFile()) for _ in range(1 if forked else PROCESSES)
        ]
        return _commanded(order, outputs, fault, mended)


def _commanded(order: Order, outputs: list[Any], fault: Fault, mended: Fault) -> Outcome:
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "replay_storm.worker", json.dumps(asdict(order))],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            stdin=subprocess.PIPE,
            stdout=output,
        )
        for output in outputs
    ]
    try:
        for output in outputs:
            wait_until(lambda output=output: _lines(output), what="a process of the storm")
        order.begin = end = time.time() + _START_SECONDS
        for worker in workers:
            worker.stdin.write(b"%f\n" % order.begin)
            worker.stdin.close()
        if fault is not None:
            time.sleep(max(0.0, order.begin + order.seconds / 3 - time.time()))
            fault()
            time.sleep(max(0.0, order.begin + order.seconds / 2 - time.time()))
            if mended is not None:
                mended()
            end = time.time()
        for worker in workers:
            assert worker.wait(order.seconds + 300) == 0, "a process of the storm failed"
        return _added_up([line for output in outputs for line in _lines(output)[1:]], end)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def _lines(output: Any) -> list[bytes]:
    # Not by moving in it: the process writes at the same place.
    return os.pread(output.fileno(), os.fstat(output.fileno()).st_size, 0).splitlines()


def _added_up(lines: list[bytes], end: float) -> Outcome:
    assert len(lines) == PROCESSES
    admitted: dict[str, list[float]] = {}
    errors: Counter[str] = Counter()
    attempts, longest = 0, 0.0
    for count in map(json.loads, lines):
        for key, moment in count["admitted"]:
            admitted.setdefault(key, []).append(moment)
        errors.update(count["errors"])
        attempts += len(count["admitted"]) + count["refused"] + sum(count["errors"].values())
        longest = max(longest, count["longest"])
    for times in admitted.values():
        times.sort()
    return Outcome(attempts, admitted, errors, longest, end)
