"""Requests that are good once, through nginx and ``edgeauth serve``, through faults.

As in :mod:`soak.once`, with four accounts of each request: what nginx answered, what reached the
application, the lines in the file of decisions, and what the service counted. nginx says in its
log which of its questions got no answer, since the worker that was asked had ended; it asks again
on a connection that it had kept, and answers 500 on another.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from support.files import replace
from support.processes import HOST, wait_until
from support.proxies import NGINX, proxying
from support.service import serving
from support.upstream import telling_application

from soak.books import Books, Tally
from soak.once import (
    ADMITTED,
    KEY,
    LOST,
    REFUSED,
    REPLAYED,
    UNAVAILABLE,
    Senders,
    Storm,
    faults_of,
    lines_of,
    no_room,
    settings_of,
    storm_during,
)
from soak.traffic import Line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.redis import RedisServer
    from support.service import Service
    from support.wire import Address

NAME = "nginx and edgeauth serve"
_DEATHS = 4
# A line of nginx's log about a question that failed.
_UNANSWERED = re.compile(rb'request: "GET (\S+) HTTP/1.1", subrequest: "/_edgeauth"')

# A worker ends when the store has admitted a request, the line is written and it is counted,
# before it answers: if the file is there.
_DIES = """
import os, signal
from edgeauth.service import protocol
write = protocol.Connection._write
def dying(self, answer, *args, **kwargs):
    if answer.status == 204:
        try:
            os.unlink({flag!r})
        except OSError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGKILL)
    return write(self, answer, *args, **kwargs)
protocol.Connection._write = dying
from edgeauth.ops.cli import main
main()
"""


@dataclass
class ProxiedStorm(Storm):
    """What the other accounts say of the requests of a stretch.

    Attributes:
        reached: how many reached the application.
        unanswered: how many of nginx's questions got no answer.
        lines: how many there are in the file of decisions, None where there is no file.
        metrics: how many decisions the service counted.
    """

    reached: int = 0
    unanswered: int = 0
    lines: int | None = None
    metrics: int | None = None

    @property
    def asked_again(self) -> int:
        """How often nginx asked once more: else its answer was a 500."""
        return self.unanswered - self.answers[LOST]

    def __str__(self) -> str:
        lines = "no" if self.lines is None else f"{self.lines:,}"
        return (
            f"{super().__str__()}; {self.reached:,} reached the application, "
            f"{self.asked_again:,} asked again, {lines} lines, {self.metrics or 0:,} counted"
        )


@dataclass
class Accounts:
    """Of the requests of one stretch, by their paths.

    Attributes:
        came: the answers of nginx.
        reached: how often it reached the application.
        unanswered: how many questions about it got no answer.
    """

    came: dict[str, list[str]]
    reached: Counter[str] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)

    def tally(self, *, faulty: bool) -> Tally:
        """The lines that there are at least, and at most."""
        tally = Tally()
        for path, found in self.came.items():
            counted, open_ = Counter(found), self.unanswered[path]
            admitted = Line("GET", path, ADMITTED, allowed=True, key=KEY.id)
            tally.least[admitted] += counted[ADMITTED]
            tally.most[admitted] += counted[ADMITTED] + open_
            for reason in (REPLAYED, UNAVAILABLE) if faulty else (REPLAYED,):
                refused = Line("GET", path, reason, allowed=False, key=KEY.id)
                tally.least[refused] += 0 if faulty else counted[REFUSED]
                tally.most[refused] += counted[REFUSED] + open_
        return tally

    def disagreements(
        self, lines: dict[str, Counter[str]] | None, *, faulty: bool
    ) -> Iterator[str]:
        """What the answers, the application and the lines must not say.

        Args:
            lines: the reasons in the file, of each path, or None where there is no file.
            faulty: whether the store was out of order, so that a request may be refused for it.
        """
        for path, found in self.came.items():
            counted, open_ = Counter(found), self.unanswered[path]
            if counted[ADMITTED] > 1 or self.reached[path] > 1:
                yield f"{path} was admitted twice: {found}, {self.reached[path]} reached it"
            if counted[ADMITTED] != self.reached[path]:
                yield f"{path} reached the application {self.reached[path]} times, got {found}"
            if counted[LOST] > open_:
                yield f"{path} got {found}, and only {open_} questions were not answered"
            if not faulty and not counted[ADMITTED] + counted[LOST]:
                yield f"{path} was not admitted at all: {found}"
            if lines is None:
                continue
            told = lines.get(path, Counter()).total()
            if not 0 <= told - counted[ADMITTED] - counted[REFUSED] <= open_:
                yield f"{path} has {told} lines, got {found}, {open_} were not answered"
        if unknown := self.reached.keys() - self.came.keys():
            yield f"the application saw what nobody sent: {sorted(unknown)[:5]}"


class Proxied:
    """nginx before an application that counts, and the service beside it.

    Attributes:
        address: of nginx.
        decisions: the file.
    """

    def __init__(self, service: Service, port: int, folder: Path, reached: list[str]) -> None:
        self._service = service
        self._flag = folder / "flag"
        self._admin = service.children()[-1]
        self._log = folder / "error.log"
        self._reached = reached
        self._read, self._seen = self._log.stat().st_size, 0
        self.address: Address = (HOST, port)
        self.decisions = folder / "decisions.jsonl"

    def workers(self) -> list[int]:
        return [pid for pid in self._service.children() if pid != self._admin]

    def ready(self) -> bool:
        return len(self.workers()) == 2 and self._service.observe("/readyz")[0] == 200

    def scrape(self) -> str:
        return self._service.observe("/metrics")[1]

    def decided(self) -> Counter[str]:
        """What the service has counted since its start."""
        count = partial(self._service.metric, "edgeauth_decisions_total")
        refused = sum(count(result="deny", reason=name) for name in (REPLAYED, UNAVAILABLE))
        return Counter({ADMITTED: int(count(result="allow", reason="ok")), REFUSED: int(refused)})

    def let_workers_die(self) -> None:
        """One after the other, each with an admission that nobody was told of."""
        for _ in range(_DEATHS):
            self._flag.touch()
            wait_until(lambda: not self._flag.exists(), what="the death of a worker")
            wait_until(self.ready, seconds=60, what="the replacement of a worker")

    def accounts(self, came: dict[str, list[str]]) -> Accounts:
        """Those of what *came* since the last time."""
        reached, log = self._reached[self._seen :], self._log.read_bytes()
        self._seen += len(reached)
        new, self._read = log[self._read :].splitlines(), len(log)
        unanswered = [match[1].decode() for line in new if (match := _UNANSWERED.search(line))]
        return Accounts(came, Counter(reached), Counter(unanswered))


def _judged(status: int, body: bytes) -> str:
    if status == HTTPStatus.OK:
        return json.loads(body)["headers"]["x-edgeauth-reason"]
    return {HTTPStatus.FORBIDDEN: REFUSED, HTTPStatus.INTERNAL_SERVER_ERROR: LOST}[status]


@contextlib.contextmanager
def _proxied(folder: Path, settings: dict[str, object]) -> Iterator[Proxied]:
    replace(folder / "secrets", f"{KEY.id}:{KEY.secret.decode()}\n")
    settings = {
        "secrets_file": folder / "secrets",
        "decisions": folder / "decisions.jsonl",
        **settings,
    }
    environ = {f"EDGEAUTH_{name.upper()}": str(value) for name, value in settings.items()}
    kind = dataclasses.replace(NGINX, settings=tuple(environ.items()))
    launcher = _DIES.format(flag=str(folder / "flag"))
    reached: list[str] = []
    with (
        telling_application(reached) as upstream,
        serving("", "workers = 2", folder=folder, environ=environ, launcher=launcher) as service,
        proxying(kind, folder, str(service.address), upstream) as proxy,
    ):
        yield Proxied(service, proxy.port, folder, reached)


def run(kind: str, seconds: float, folder: Path, redis: RedisServer) -> Iterator[ProxiedStorm]:
    """Send through nginx and the service with the store *kind*.

    Args:
        kind: ``sqlite`` or ``redis``.
        seconds: that each fault lasts, and that there is none before and after it.
        folder: an empty one with a short path.
        redis: a server, up before and after.
    """
    file, at = folder / "seen.db", 0
    settings = settings_of(kind, file, redis)
    faults = {
        **faults_of(kind, file, redis, seconds),
        f"{_DEATHS} workers ended before they told": Proxied.let_workers_die,
    }
    with _proxied(folder, settings) as target:
        senders, books = Senders(target.address, _judged), Books(target.decisions, target.scrape)
        for fault, happens in faults.items():
            storm, accounts = _storm(f"{kind}: {fault}", senders, target, happens, seconds)
            faulty = fault.startswith("the ")
            lines, at = lines_of(target.decisions, at)
            found = books.compare(accounts.tally(faulty=faulty), kills=2 * ("killed" in fault))
            storm.lines, storm.metrics = found.lines, found.metrics
            storm.problems += found.problems
            storm.problems += accounts.disagreements(lines, faulty=faulty)
            yield storm
    if kind == "sqlite":
        # Where there is no room for the file there is none for lines either.
        settings["decisions"] = "off"
        with _proxied(folder, settings) as target:
            storm, accounts = _storm(
                f"{kind}: no room on the disk",
                *(Senders(target.address, _judged), target),
                *(partial(no_room, seconds=seconds), seconds),
            )
            counted = target.decided()
            storm.metrics = counted.total()
            storm.problems += accounts.disagreements(None, faulty=True)
            answered = Counter({kind: storm.answers[kind] for kind in (ADMITTED, REFUSED)})
            if counted != answered or storm.unanswered:
                storm.problems.append(f"{counted} counted, {answered} answered")
            yield storm


def _storm(name, senders, target, happens, seconds) -> tuple[ProxiedStorm, Accounts]:
    storm, came = storm_during(f"{NAME}, {name}", senders, partial(happens, target), seconds)
    accounts = target.accounts(came)
    more = {
        "reached": accounts.reached.total(),
        "unanswered": accounts.unanswered.total(),
    }
    return ProxiedStorm(**vars(storm), **more), accounts
