"""Things with an address that put the gate in front of an application."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.processes import HOST, free_port, running
from support.wire import Address, Answer, answers, converse

if TYPE_CHECKING:
    from collections.abc import Iterator

_TESTS = Path(__file__).parents[1]

# What a server may answer to bytes that it takes for no request, or for one it does not
# support. Which of them it chooses changes with its version, and is not the gate's concern.
_REFUSALS = frozenset({400, 404, 405, 413, 414, 421, 431, 501, 505})

# A line of the package's log about a refusal, plain to its end, and what no log may hold.
_REFUSAL = re.compile(
    rb"^(?:WARNING:edgeauth:)?(?:refused|would refuse \(report-only\)): reason='([a-z-]+)'[ -~]*$",
    re.MULTILINE,
)
_UNESCAPED = re.compile(rb"[^\t\n -~\x80-\xff]")


@dataclass(frozen=True)
class Target:
    """A running server with the gate and an application that tells what it saw.

    Attributes:
        address: where it listens: (host, port), or the path of a Unix socket.
        server: the name that the table of quirks knows it by.
        log: what the server prints.
        decisions: the file of reasons that a JudgedGuard writes, a line a decision.
    """

    address: Address
    server: str
    log: Path
    decisions: Path

    def exchange(self, sent: bytes, methods: tuple[str, ...] = ("GET",)) -> list[Outcome]:
        """Send bytes on a new connection; what came of each request in them.

        Asserts what holds for every exchange: denials are all of one form, the application
        saw what the guard decided, each refusal is one line of the log, and the log holds
        no exception and nothing unescaped.
        """
        replies, reasons, logged = self.observe(sent, methods)
        decided = iter(reasons)
        outcomes = [
            self._outcome(reply, method, decided)
            for reply, method in zip(replies, methods, strict=False)
        ]
        outcomes += [Outcome(f"unanswered {reason}") for reason in decided]
        assert b"Traceback" not in logged, logged.decode(errors="replace")
        assert not _UNESCAPED.search(logged), logged
        refusals = [reason for reason in reasons if reason not in {"ok", "exempt", "pass"}]
        assert [reason.decode() for reason in _REFUSAL.findall(logged)] == refusals
        return outcomes or [Outcome("closed")]

    def observe(
        self, sent: bytes, methods: tuple[str, ...]
    ) -> tuple[list[Answer], list[str], bytes]:
        """Send bytes on a new connection; the answers, the reasons, and what was logged."""
        decided, logged = self.decisions.stat().st_size, self.log.stat().st_size
        replies = answers(converse(self.address, sent), methods)
        reasons = self.decisions.read_bytes()[decided:].decode().split()
        return replies, reasons, self.log.read_bytes()[logged:]

    def _outcome(self, reply: Answer, method: str, decided: Iterator[str]) -> Outcome:
        if is_denial(reply, method):
            return Outcome(f"403 {next(decided, 'undecided')}")
        if reply.status in _REFUSALS:
            return Outcome("refused")
        if reply.status != 200:
            return Outcome(str(reply.status))
        reason = next(decided, "undecided")
        if method == "HEAD":
            assert not reply.body
            return Outcome(f"200 {reason}")
        saw = json.loads(reply.body)
        assert saw["reason"] == reason
        return Outcome(f"200 {reason}", saw)


@dataclass(frozen=True)
class Outcome:
    """What came of one request.

    Attributes:
        text: ``200 <reason>`` for the application's answer, ``403 <reason>`` for a denial,
            ``refused`` for a server that would not take the request, ``closed`` for one
            that said nothing; a bare status for anything else.
        saw: what the application told, if it was reached.
    """

    text: str
    saw: dict[str, Any] | None = None


def is_denial(reply: Answer, method: str) -> bool:
    """Whether *reply* is the gate's, and then exactly what a denial must be."""
    if reply.status != 403 or reply.body != (b"" if method == "HEAD" else b"Forbidden\n"):
        return False
    # Nothing else, so nothing that tells one refusal from another.
    of_the_server = {"date", "server", "connection", "via"}
    assert {name: value for name, value in reply.headers.items() if name not in of_the_server} == {
        "content-type": "text/plain; charset=utf-8",
        "content-length": "10",
        "cache-control": "no-store",
    }
    return True


@dataclass(frozen=True)
class Program:
    """How a server is started; ``{app}`` and ``{bind}`` stand for what each run fills in.

    Attributes:
        server: the name that the table of quirks knows it by.
        app: the application, as the server's command line takes it.
        arguments: the module to run and its options.
        unix: whether it listens on a Unix socket.
    """

    server: str
    app: str
    arguments: tuple[str, ...]
    unix: bool = False

    @contextlib.contextmanager
    def serving(self, folder: Path) -> Iterator[Target]:
        """Run it, with its files in *folder*, until the block ends."""
        port = free_port()
        address: Address = str(folder / "s") if self.unix else (HOST, port)
        places = {"app": self.app, "port": port, "path": folder / "s"}
        target = Target(address, self.server, folder / "log", folder / "decisions")
        target.decisions.touch()
        with running(
            [sys.executable, "-m", *(part.format(**places) for part in self.arguments)],
            address=address,
            log=target.log,
            cwd=folder,
            env={
                "PYTHONPATH": str(_TESTS),
                "CONFORMANCE_DECISIONS": str(target.decisions),
                "DJANGO_SETTINGS_MODULE": "conformance.origins.django_site",
            },
        ):
            yield target
            # Before it is stopped: how a server ends is its own affair.
            text = target.log.read_text(errors="replace")
            assert "Traceback" not in text, text


def uvicorn(
    app: str, *, parser: str = "httptools", websockets: str = "auto", options: tuple[str, ...] = ()
) -> Program:
    usual = ("--port={port}", f"--http={parser}", f"--ws={websockets}", "--no-access-log")
    return Program(f"uvicorn-{parser}", app, ("uvicorn", "{app}", *usual, *options))


def uvicorn_unix(app: str) -> Program:
    return Program("uvicorn-httptools", app, ("uvicorn", "{app}", "--uds={path}"), unix=True)


def hypercorn(app: str) -> Program:
    # No worker processes: it serves in the one that was started.
    return Program(
        "hypercorn", app, ("hypercorn", "{app}", "--bind=127.0.0.1:{port}", "--workers=0")
    )


def gunicorn(app: str) -> Program:
    # The threaded worker: the plain one closes each connection after one answer.
    return Program("gunicorn", app, ("gunicorn", "{app}", "--bind=127.0.0.1:{port}", "--threads=2"))


def gunicorn_unix(app: str) -> Program:
    return Program("gunicorn", app, ("gunicorn", "{app}", "--bind=unix:{path}"), unix=True)


def waitress(app: str) -> Program:
    return Program("waitress", app, ("waitress", "--listen=127.0.0.1:{port}", "{app}"))
