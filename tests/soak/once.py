"""Requests that are good once, at applications with a replay store, through faults.

Every request is signed, and is sent twice at the same time, on two connections; where a worker
was killed before it answered, it is sent again, as a proxy does. What must hold of each single
request: it is admitted once at most, and its lines in the file of decisions are those that its
answers say. What was not answered may have a line or not.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import resource
import signal
import sqlite3
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from support.processes import wait_until

from edgeauth.schemes.message_signatures import MessageSigner
from soak.books import lines_from
from soak.targets import application
from soak.traffic import numbered_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.redis import RedisServer
    from support.wire import Address

    from soak.targets import Target

HOST = "shop.example"
# What came of a copy of a request, and the reasons in the file of decisions.
ADMITTED, REFUSED, LOST = "ok", "refused", "no answer"
REPLAYED, UNAVAILABLE = "replayed", "replay-store"
_SENDERS = 6
_COPIES = 2
_AGAIN = 3
_TIMEOUT = 30
KEY = numbered_key(1)


@dataclass
class Storm:
    """What came of the requests of one stretch.

    Attributes:
        name: what happened.
        answers: how many of each kind.
        slowest: seconds of the slowest answer.
        recovered: seconds from the end of the fault to the next one that was admitted.
        problems: what must not be.
    """

    name: str
    answers: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    recovered: float = 0.0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = ", ".join(f"{self.answers[kind]:,} {kind}" for kind in sorted(self.answers))
        return (
            f"{self.name}: {told}; slowest {self.slowest * 1000:,.0f} ms, "
            f"admitting again after {self.recovered * 1000:,.0f} ms"
        )


def judged(status: int, body: bytes) -> str:
    """What an answer of the application's gate says."""
    return body.decode().split()[0] if status == HTTPStatus.OK else REFUSED


class Senders:
    """Threads that send each request twice, and again where nobody answered.

    Args:
        address: where they send.
        judge: what comes of a request by the status and the body of its answer.
    """

    def __init__(self, address: Address, judge: Callable[[int, bytes], str] = judged) -> None:
        self._address = address
        self._judge = judge
        self._signer = MessageSigner(KEY)
        self._lock = threading.Lock()
        self._number = 0

    @contextlib.contextmanager
    def sending(self, storm: Storm) -> Iterator[dict[str, list[str]]]:
        """Send until the block ends; gives what came of each request by its path."""
        came: dict[str, list[str]] = {}
        end = threading.Event()
        threads = [
            threading.Thread(target=self._send, args=(storm, came, end)) for _ in range(_SENDERS)
        ]
        for thread in threads:
            thread.start()
        try:
            yield came
        finally:
            end.set()
            for thread in threads:
                thread.join()

    def _send(self, storm: Storm, came: dict[str, list[str]], end: threading.Event) -> None:
        while not end.is_set():
            with self._lock:
                self._number += 1
                path = f"/{self._number}"
            headers = {"Host": HOST, **self._signer.sign("GET", path, HOST)}
            found = self._copies(path, headers, storm)
            for _ in range(_AGAIN):
                if ADMITTED in found or LOST not in found:
                    break
                found += self._copies(path, headers, storm)
            with self._lock:
                came[path] = found
                storm.answers.update(found)

    def _copies(self, path: str, headers: dict[str, str], storm: Storm) -> list[str]:
        began, found = time.monotonic(), []
        asked = [
            http.client.HTTPConnection(*self._address, timeout=_TIMEOUT) for _ in range(_COPIES)
        ]
        for connection in asked:
            # What cannot be sent has no answer either.
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection.request("GET", path, headers=headers)
        for connection in asked:
            try:
                response = connection.getresponse()
                found.append(self._judge(response.status, response.read()))
            except (OSError, http.client.HTTPException):
                found.append(LOST)
            finally:
                connection.close()
        storm.slowest = max(storm.slowest, time.monotonic() - began)
        return found


def lines_of(decisions: Path, start: int) -> tuple[dict[str, Counter[str]], int]:
    """The reasons of each path in the file from *start*, and where it ends."""
    found: dict[str, Counter[str]] = {}
    lines, end = lines_from(decisions, start)
    for document in map(json.loads, lines):
        found.setdefault(document["path"], Counter())[document["reason"]] += 1
    return found, end


def disagreements(
    came: dict[str, list[str]], lines: dict[str, Counter[str]], *, faulty: bool
) -> Iterator[str]:
    """What the answers and the lines of a stretch must not say.

    Args:
        came: the answers to each path.
        lines: the reasons in the file, of each path.
        faulty: whether the store was out of order, so that a request may be refused for it.
    """
    for path, found in came.items():
        counted, told = Counter(found), lines.get(path, Counter())
        if counted[ADMITTED] > 1 or told[ADMITTED] > 1:
            yield f"{path} was admitted twice: {found}, {dict(told)}"
        if counted[ADMITTED] > told[ADMITTED]:
            yield f"{path} was admitted and has no line"
        refused = told[REPLAYED] + told[UNAVAILABLE]
        if not counted[REFUSED] <= refused <= counted[REFUSED] + counted[LOST]:
            yield f"{path} has {refused} lines of refusals, and got {found}"
        if told[ADMITTED] - counted[ADMITTED] > counted[LOST]:
            yield f"{path} has a line of an admission that nobody was told"
        if not faulty and told[UNAVAILABLE]:
            yield f"{path} was refused for the store, which was in order"
        if not faulty and not counted[ADMITTED] + counted[LOST]:
            yield f"{path} was not admitted at all: {dict(told)}"
        if unknown := told.keys() - {ADMITTED, REPLAYED, UNAVAILABLE}:
            yield f"{path} has the reasons {sorted(unknown)}"


# --- faults


def _kill_workers(target: Target) -> None:
    for _ in range(2):
        victim = target.workers()[0]
        os.kill(victim, signal.SIGKILL)
        wait_until(
            lambda victim=victim: victim not in target.workers() and target.ready(),
            seconds=60,
            what="the replacement of a worker",
        )


def _locked(path: Path, seconds: float) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        holder.execute("ROLLBACK")


def no_room(target: Target, seconds: float) -> None:
    """No file of a worker may grow, as on a full disk."""
    before = {
        pid: resource.prlimit(pid, resource.RLIMIT_FSIZE, (4_096, resource.RLIM_INFINITY))
        for pid in target.workers()
    }
    time.sleep(seconds)
    for pid, limits in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


def _while(begin: Callable[[], object], end: Callable[[], object], seconds: float) -> None:
    begin()
    time.sleep(seconds)
    end()


def run(name: str, kind: str, seconds: float, folder: Path, redis: RedisServer) -> list[Storm]:
    """Send to the application called *name*, with the store *kind*, *seconds* a fault.

    Args:
        name: of :data:`soak.targets.COMMANDS`.
        kind: ``sqlite`` or ``redis``.
        seconds: that each fault lasts, and that there is none before and after it.
        folder: an empty one.
        redis: a server, up before and after.
    """
    file = folder / "seen.db"
    settings = settings_of(kind, file, redis)
    storms, at = [], 0
    with application(name, folder, KEY, settings=settings) as target:
        senders = Senders(target.address)
        for fault, happens in faults_of(kind, file, redis, seconds).items():
            storm, came = storm_during(
                f"{name}, {kind}: {fault}", senders, partial(happens, target), seconds
            )
            lines, at = lines_of(target.decisions, at)
            storm.problems += disagreements(came, lines, faulty=fault.startswith("the "))
            storms.append(storm)
    if kind == "sqlite":
        # Where there is no room for the file there is none for lines either.
        settings["decisions"] = "off"
        with application(name, folder, KEY, settings=settings) as target:
            storm, came = storm_during(
                f"{name}, {kind}: no room on the disk",
                *(Senders(target.address), partial(no_room, target, seconds), seconds),
            )
            storm.problems += (
                f"{path} was admitted twice" for path in came if came[path].count(ADMITTED) > 1
            )
            storms.append(storm)
    return storms


def settings_of(kind: str, file: Path, redis: RedisServer) -> dict[str, object]:
    """A gate with the store *kind*."""
    store = f"sqlite:{file}" if kind == "sqlite" else redis.unix_url
    return {"scheme": "message-signatures", "replay": store}


def faults_of(
    kind: str, file: Path, redis: RedisServer, seconds: float
) -> dict[str, Callable[[Target], object]]:
    """What happens, by its name; of a name with "the" it is the store that is out of order."""
    faults: dict[str, Callable[[Target], object]] = {
        "no fault": lambda _: time.sleep(seconds),
        "two workers killed": _kill_workers,
    }
    if kind == "sqlite":
        faults["the file is locked"] = lambda _: _locked(file, seconds)
    else:
        faults["the server is paused"] = lambda _: _while(redis.pause, redis.resume, seconds)
        faults["the server is killed"] = lambda _: _while(redis.kill, redis.start, seconds)
    return faults


def storm_during(
    name: str,
    senders: Senders,
    happens: Callable[[], object],
    seconds: float,
) -> tuple[Storm, dict[str, list[str]]]:
    """Send while something *happens*, and before and after it; what came of each request."""
    storm = Storm(name)
    with senders.sending(storm) as came:
        time.sleep(seconds)
        happens()
        ended, before = time.monotonic(), came.copy()

        def admits() -> bool:
            # A copy is made in one step; while a list is made, threads may add to it.
            later = [found for path, found in came.copy().items() if path not in before]
            return any(ADMITTED in found for found in later)

        wait_until(admits, seconds=60, what="an admission after the fault")
        storm.recovered = time.monotonic() - ended
        time.sleep(seconds)
    return storm, came
