"""A clock that goes on when a test says so."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    import pytest


class Clock:
    """Stands for the module ``time``: it goes on when a test says so, or somebody sleeps.

    Attributes:
        slept: how long each sleep was, in seconds.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now + 1e9

    def time_ns(self) -> int:
        # What files were changed at is told by the system's.
        return time.time_ns()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def stopped(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> Clock:
    """What *module* takes for the time until the test ends."""
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock
