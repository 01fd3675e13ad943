"""The load in stretches, each with a fault or without; after each one the books are compared."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.processes import wait_until

from soak.books import Books, Comparison
from soak.health import Growth, Sampler, descriptors
from soak.targets import TARGETS
from soak.traffic import Keys, numbered_key
from soak.visitors import Crowd, Weather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from soak.targets import Target

# The share of the time that each stretch gets; a fault takes longer if it must.
_SHARES = {"warm up": 0.1, "kill": 0.1, "rotate": 0.1, "steady": 0.6, "end": 0.1}

_KILLS = 2
_SAMPLES = 40

# More than two workers remember.
_DIFFERENT = 8_000

# How many requests are sent while nobody decides.
_ASKED_IN_VAIN = 100


@dataclass
class Stretch:
    """One of them, and what was found after it.

    Attributes:
        name: what happened.
        seconds: how long it took.
        found: in the books.
    """

    name: str
    seconds: float
    found: Comparison


@dataclass
class Course:
    """All that one set-up went through.

    Attributes:
        name: of the set-up.
        stretches: in their order.
        growth: of the memory of each process, in the stretch without a fault.
        descriptors: how many each process had when the load stood still, early and late.
        problems: what must not be.
    """

    name: str
    stretches: list[Stretch] = field(default_factory=list)
    growth: list[Growth] = field(default_factory=list)
    descriptors: list[tuple[str, int, int]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def run(name: str, seconds: float, folder: Path) -> Course:
    """Send requests to the set-up called *name* for *seconds*, with faults in the middle."""
    keys = Keys(numbered_key(1), (numbered_key(2),))
    with TARGETS[name](folder, keys.current) as target:
        return _Run(name, target, keys, seconds).run()


class _Run:
    def __init__(self, name: str, target: Target, keys: Keys, seconds: float) -> None:
        self.course = Course(name)
        self._target = target
        self._keys = keys
        self._seconds = {stretch: share * seconds for stretch, share in _SHARES.items()}
        self._crowd = Crowd(target.address, target.manner, keys, target.tells)
        self._books = Books(target.decisions, target.scrape)
        self._proxied = target.restart is not None

    def run(self) -> Course:
        with self._stretch("no fault, caches fill"):
            time.sleep(self._seconds["warm up"])
        early = self._descriptors()
        with self._stretch(f"{_KILLS} workers killed", faults=_KILLS, kills=_KILLS):
            self._spread("kill", [self._kill] * _KILLS)
        with self._stretch("a key comes, a key goes"):
            self._spread("rotate", [self._rotate])
        # Those that were replaced are compared with those before them.
        self._compare_descriptors(early)
        with self._stretch("no fault, memory measured"):
            self._fill_caches()
            before, rest = self._crowd.sent(), self._seconds["steady"] * 0.8
            with Sampler(self._target.processes(), rest / _SAMPLES) as sampler:
                time.sleep(rest)
            self.course.growth = sampler.growth(self._crowd.sent() - before)
        self._compare_descriptors(early, told=True)
        if self._proxied:
            with self._stretch("service stopped, started again", faults=1):
                self._spread("end", [self._restart])
            self._books.forget_metrics()
            with self._stretch("no fault, after the start"):
                time.sleep(self._seconds["end"] / 2)
        else:
            with self._stretch("SIGTERM: drained", faults=1):
                self._spread("end", [self._drain])
        for stretch in self.course.stretches:
            self.course.problems += [f"{stretch.name}: {p}" for p in stretch.found.problems]
        self.course.problems += filter(None, (growth.problem for growth in self.course.growth))
        return self.course

    @contextlib.contextmanager
    def _stretch(self, name: str, *, faults: int = 0, kills: int = 0) -> Iterator[None]:
        """The load until the block ends, and the books after it.

        Args:
            name: what happens.
            faults: how often something happens that may leave requests without an answer.
            kills: how many of these are killed workers. After other faults, those who
                counted have ended, and nobody knows what they counted last.
        """
        started = time.monotonic()
        with self._crowd.visiting() as tally:
            yield
        found = self._books.compare(tally, kills=kills, counted=faults == kills)
        on_the_way = self._crowd.count * self._crowd.most_at_once
        for what, number in (
            ("requests lost", tally.lost),
            ("decisions beyond those that were answered", found.beyond),
            ("questions without a decision", tally.undecided if kills == faults else 0),
        ):
            if number > faults * on_the_way:
                found.problems.append(f"{number} {what}, and {on_the_way} were on the way")
        self.course.stretches.append(Stretch(name, time.monotonic() - started, found))

    def _fill_caches(self) -> None:
        """Bounded caches are not to be taken for a leak while they fill."""
        before, until = self._crowd.sent(), time.monotonic() + self._seconds["steady"] * 0.2
        self._crowd.hurrying = True
        while time.monotonic() < until and self._crowd.sent() < before + _DIFFERENT:
            time.sleep(0.1)
        self._crowd.hurrying = False

    def _spread(self, share: str, faults: list[Callable[[], None]]) -> None:
        """Each fault with the same time of fair weather around it."""
        pause = self._seconds[share] / (len(faults) + 1)
        for fault in faults:
            time.sleep(pause)
            fault()
        time.sleep(pause)

    # --- the faults

    def _kill(self) -> None:
        victim = self._target.workers()[0]
        weather = Weather(
            connections_end=not self._proxied,
            asked_again=self._proxied,
            undecided=self._proxied,
        )
        with self._crowd.expecting(weather):
            os.kill(victim, signal.SIGKILL)
            wait_until(
                lambda: victim not in self._target.workers() and self._target.ready(),
                seconds=60,
                what="the replacement of a worker",
            )

    def _rotate(self) -> None:
        """The origin takes the new key, the edge switches, the origin drops the old one."""
        old, (new, *_) = self._keys.current, self._keys.others
        self._use(old)
        self._target.take(old, new)
        self._use(new)
        self._target.take(new)
        self._use(new, old, numbered_key(3))

    def _use(self, current, *others) -> None:
        self._keys.current, self._keys.others = current, others
        self._crowd.settle()

    def _restart(self) -> None:
        stopping = Weather(undecided=True, asked_again=True)
        with self._crowd.expecting(stopping), self._target.restart():
            # Nobody decides now.
            self._crowd.weather = Weather(down=True)
            self._crowd.settle()
            before = self._crowd.sent()
            wait_until(
                lambda: self._crowd.sent() >= before + _ASKED_IN_VAIN,
                what="questions to a service that is down",
            )
            self._crowd.weather = stopping

    def _drain(self) -> None:
        with self._crowd.expecting(Weather(connections_end=True, decided_is_answered=True)):
            status = self._target.drain()
            self._crowd.leaving.set()
        if status != 0:
            self.course.problems.append(f"drained with exit status {status}")

    # --- file descriptors

    def _descriptors(self) -> dict[str, int]:
        """By the name of the process, once they are the same for a while."""
        seen: list[dict[str, int]] = []

        def stand_still() -> bool:
            names = self._target.processes()
            time.sleep(0.2)
            seen.append({names[pid]: n for pid, n in descriptors(names).items()})
            return len(seen) > 3 and all(last == seen[-1] for last in seen[-4:-1])

        wait_until(stand_still, what="file descriptors that stand still")
        return seen[-1]

    def _compare_descriptors(self, early: dict[str, int], *, told: bool = False) -> None:
        now: dict[str, int] = {}
        with contextlib.suppress(AssertionError):
            # Servers close what the clients closed in their own time.
            wait_until(lambda: now.update(self._descriptors()) or now == early, seconds=15)
        if told:
            self.course.descriptors = [(name, early[name], now.get(name, 0)) for name in early]
        if now != early:
            self.course.problems.append(f"file descriptors: {early} before, {now} after")
