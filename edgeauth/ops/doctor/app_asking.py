"""Asks an app in this process, and records which gates a request meets.

Requests are unsigned, have no body, and are GET or OPTIONS, so no view behind a gate runs.
The calls are recorded at :class:`edgeauth.guard.Guard` itself, so the adapter of a gate and its
depth in the app do not matter.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from edgeauth.guard import Guard
from edgeauth.observers import Observers
from edgeauth.ops.doctor.app_calling import call_asgi, call_wsgi
from edgeauth.verdict import EdgeIdentity, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edgeauth.request import Request

_PREFLIGHT = {
    "Origin": "https://elsewhere.example",
    "Access-Control-Request-Method": "GET",
}


class GateDecision(NamedTuple):
    """A gate that was asked, and what it decided."""

    guard: Guard
    verdict: Verdict


class AppAnswer(NamedTuple):
    """The outcome of one request.

    Attributes:
        status: of the answer; 101 for a WebSocket that was accepted; None for no answer.
        headers: of the answer, in lower case.
        gates: the gates that were asked, in order, and what they decided.
        error: what the app raised, in words, or None.
    """

    status: int | None
    headers: Mapping[str, str]
    gates: list[GateDecision]
    error: str | None


class Asker:
    """Asks *app*; use it in a ``with`` block.

    Args:
        app: the app.
        asgi: whether it is called by ASGI.
        host: the Host of the requests.
    """

    def __init__(self, app: Any, *, asgi: bool, host: str = "localhost") -> None:  # noqa: ANN401
        self._app = app
        self._asgi = asgi
        self._host = host
        self._stack = contextlib.ExitStack()
        self._met: list[GateDecision] = []
        self._lets_in = False
        self._runner: asyncio.Runner

    def __enter__(self) -> Self:
        self._stack.enter_context(_quiet())
        self._stack.enter_context(self._record_gates())
        if self._asgi:
            self._runner = self._stack.enter_context(asyncio.Runner())
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def get(self, path: str, *, method: str = "GET", let_in: bool = False) -> AppAnswer:
        """Ask for *path*; with *let_in* each gate accepts the request as one of the edge."""
        return self._ask("http", method, path, {}, let_in=let_in)

    def status(self, path: str, fields: Mapping[str, str]) -> int | None:
        """The status of the answer to a GET of *path* with header *fields*."""
        return self._ask("http", "GET", path, fields, let_in=False).status

    def preflight(self, path: str) -> AppAnswer:
        """Ask as a browser does before a script of another site may."""
        return self._ask("http", "OPTIONS", path, _PREFLIGHT, let_in=False)

    def handshake(self, path: str) -> AppAnswer:
        """Ask for a WebSocket at *path*."""
        return self._ask("websocket", "GET", path, {}, let_in=False)

    def _ask(
        self, kind: str, method: str, path: str, fields: Mapping[str, str], *, let_in: bool
    ) -> AppAnswer:
        met: list[GateDecision] = []
        self._met = met
        self._lets_in = let_in
        fields = {"Host": self._host, **fields}
        if self._asgi:
            called = call_asgi(self._app, kind, method, path, fields)
            status, headers, error = self._runner.run(called)
        else:
            status, headers, error = call_wsgi(self._app, method, path, fields)
        return AppAnswer(status, headers, list(met), error)

    @contextlib.contextmanager
    def _record_gates(self) -> Iterator[None]:
        """Record the calls of every guard, and hide the doctor's requests from all observers.

        At the classes, since an app may make its guards at its first request. An observer would
        see no guard of a user's own kind, and cannot let a request in.
        """
        changed: list[tuple[type, str, Any, Any]] = [
            (Observers, "decided", Observers.decided, _nothing)
        ]
        for kind in _with_subclasses(Guard):
            for name, recording in (("check", self._recording), ("acheck", self._awaiting)):
                if name in vars(kind):
                    original = vars(kind)[name]
                    changed.append((kind, name, original, recording(original)))
        for kind, name, _, replacement in changed:
            setattr(kind, name, replacement)
        try:
            yield
        finally:
            for kind, name, original, _ in changed:
                setattr(kind, name, original)

    def _recording(self, original: Any) -> Any:  # noqa: ANN401
        def check(guard: Guard, request: Request, **options: Any) -> Verdict:  # noqa: ANN401
            met, before = self._met, len(self._met)
            verdict = _let_in() if self._lets_in else original(guard, request, **options)
            return _recorded(met, before, guard, verdict)

        return check

    def _awaiting(self, original: Any) -> Any:  # noqa: ANN401
        async def acheck(guard: Guard, request: Request, **options: Any) -> Verdict:  # noqa: ANN401
            met, before = self._met, len(self._met)
            verdict = _let_in() if self._lets_in else await original(guard, request, **options)
            return _recorded(met, before, guard, verdict)

        return acheck


def _recorded(met: list[GateDecision], before: int, guard: Guard, verdict: Verdict) -> Verdict:
    # A subclass may call its parent, and one way of asking the other: that is one gate.
    del met[before:]
    met.append(GateDecision(guard, verdict))
    # In report-only mode too no view runs.
    return verdict if verdict.enforced else verdict._replace(allowed=False)


def _let_in() -> Verdict:
    identity = EdgeIdentity(timestamp=int(time.time()), pop="XXX", key_id="doctor")
    return Verdict(allowed=True, reason="ok", identity=identity)


def _nothing(*_args: object, **_options: object) -> None:
    return None


def _with_subclasses(kind: type[Guard]) -> list[type[Guard]]:
    return [
        kind,
        *(below for direct in kind.__subclasses__() for below in _with_subclasses(direct)),
    ]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the output of an app out of the findings."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    nowhere = io.StringIO()
    try:
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            yield
    finally:
        logging.disable(before)
