"""Things with an address that put the gate in front of an application."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from support.servers import SERVERS
from support.wire import Address, Answer, answers, converse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
    """A server with one of the applications of this suite.

    Attributes:
        server: its name among the servers, and in the table of quirks.
        app: the application, as ``module:attribute``.
        options: more words of the server's command line.
        unix: whether it listens on a Unix socket.
        root: the mount point that the server is told of.
    """

    server: str
    app: str
    options: tuple[str, ...] = ()
    unix: bool = False
    root: str = ""

    @contextlib.contextmanager
    def serving(self, folder: Path) -> Iterator[Target]:
        """Run it, with its files in *folder*, until the block ends."""
        decisions = folder / "decisions"
        decisions.touch()
        with SERVERS[self.server].serving(
            self.app,
            folder,
            options=self.options,
            unix=self.unix,
            root=self.root,
            env={
                "CONFORMANCE_DECISIONS": str(decisions),
                "DJANGO_SETTINGS_MODULE": "conformance.origins.django_site",
            },
        ) as server:
            yield Target(server.address, self.server, server.log, decisions)
            # Before it is stopped: how a server ends is its own affair.
            text = server.log.read_text(errors="replace")
            assert "Traceback" not in text, text
