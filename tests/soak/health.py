"""Memory and file descriptors of processes, from /proc (Linux)."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FIELDS = re.compile(r"^(Rss|Private_Clean|Private_Dirty):\s+(\d+) kB", re.MULTILINE)

# The allocator may take a MiB from the system at once, whatever is asked of it (an arena of
# CPython), and the line through a step in the middle rises by half as much again.
_STEP_KIB = 1536

# The least that a leak of one object a request costs is some 50 bytes.
_BYTES_A_REQUEST = 24


class Memory(NamedTuple):
    """Of one process at one time, in KiB.

    Attributes:
        at: seconds, by the clock that never goes back.
        resident: what it has in memory (RSS).
        own: the part that no other process shares (USS).
    """

    at: float
    resident: int
    own: int


@dataclass
class Growth:
    """How the memory of one process went.

    Attributes:
        name: of the process.
        series: the samples.
        requests: how many requests all processes together had meanwhile.
    """

    name: str
    series: list[Memory]
    requests: int

    @property
    def fitted(self) -> tuple[float, float]:
        """KiB from the first to the last sample, along the lines that fit best: RSS and USS."""
        return (
            slope([(at, resident) for at, resident, _ in self.series]) * self.seconds,
            slope([(at, own) for at, _, own in self.series]) * self.seconds,
        )

    @property
    def leaked(self) -> float:
        """KiB that look like a leak: a leak is in both.

        USS alone rises by megabytes when the garbage collector first looks at all objects of
        a forked process, since it writes to pages that were shared until then. RSS alone
        rises with the pages of a library that are read for the first time.
        """
        return min(self.fitted)

    @property
    def seconds(self) -> float:
        return self.series[-1].at - self.series[0].at

    @property
    def bound(self) -> float:
        """KiB of growth from which on it is no longer flat."""
        return max(_STEP_KIB, _BYTES_A_REQUEST * self.requests / 1024)

    @property
    def seen_from(self) -> float:
        """Bytes that one of two workers must leak a request to go past the bound."""
        return self.bound * 1024 / (self.requests / 2)

    @property
    def problem(self) -> str | None:
        if self.leaked <= self.bound:
            return None
        return (
            f"{self.name} grew by {self.leaked:.0f} KiB in {self.seconds:.0f} s and "
            f"{self.requests} requests; the bound is {self.bound:.0f} KiB"
        )


@dataclass
class Sampler:
    """Reads the memory of processes in a thread until the block ends."""

    names: Mapping[int, str]
    seconds: float
    series: dict[int, list[Memory]] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self.seconds):
            for pid in self.names:
                self.series.setdefault(pid, []).append(memory(pid))

    def growth(self, requests: int) -> list[Growth]:
        return [Growth(self.names[pid], series, requests) for pid, series in self.series.items()]


def memory(pid: int) -> Memory:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = {name: int(value) for name, value in _FIELDS.findall(rollup)}
    own = found["Private_Clean"] + found["Private_Dirty"]
    return Memory(time.monotonic(), found["Rss"], own)


def descriptors(pids: Iterable[int]) -> dict[int, int]:
    """How many file descriptors each process has."""
    return {pid: len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids}


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children = _said(pid, f"task/{pid}/children").split()
    return [pid, *(one for child in children for one in family(int(child)))]


def command(pid: int) -> str:
    """Its command line, with spaces; nothing if it has ended."""
    return _said(pid, "cmdline").replace("\0", " ")


def _said(pid: int, file: str) -> str:
    try:
        return Path(f"/proc/{pid}/{file}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""  # it ended since its id was read


def slope(points: list[tuple[float, float]]) -> float:
    """Of the straight line with the least squares."""
    count = len(points)
    middle_x = sum(x for x, _ in points) / count
    middle_y = sum(y for _, y in points) / count
    square = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / square if square else 0.0
