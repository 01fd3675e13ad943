"""Asks an app in this process, and sees which gates a request meets.

No server and no network: an ASGI or WSGI app is called as a server would call it. Requests
are unsigned, have no body, and are GET or OPTIONS, so of an app that is behind its gate no
view runs. What a gate is asked is seen at :class:`edgeauth.guard.Guard` itself, so it does
not matter by which adapter, or how deep in an app, it stands.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from wsgiref.util import setup_testing_defaults

from edgeauth.guard import Guard
from edgeauth.observers import Observers
from edgeauth.ops.doctor.app_loading import in_words
from edgeauth.verdict import EdgeIdentity, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edgeauth.request import Request

# Seconds for one answer; a stream has begun by then.
_PATIENCE = 5.0
# Seconds for the rest of an answer, which is not looked at.
_REST = 0.5
_PREFLIGHT = {
    "Origin": "https://elsewhere.example",
    "Access-Control-Request-Method": "GET",
}


class Meeting(NamedTuple):
    """A gate that was asked, and what it said."""

    guard: Guard
    verdict: Verdict


class Answer(NamedTuple):
    """What came of one request.

    Attributes:
        status: of the answer; 101 for a WebSocket that was accepted; None for no answer.
        headers: of the answer, in lower case.
        met: the gates, in their order.
        error: what the app raised, in words, or None.
    """

    status: int | None
    headers: Mapping[str, str]
    met: list[Meeting]
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
        self._met: list[Meeting] = []
        self._lets_in = False
        self._runner: asyncio.Runner

    def __enter__(self) -> Self:
        self._stack.enter_context(_quiet())
        self._stack.enter_context(self._watched())
        if self._asgi:
            self._runner = self._stack.enter_context(asyncio.Runner())
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def get(self, path: str, *, method: str = "GET", let_in: bool = False) -> Answer:
        """Ask for *path*; with *let_in* each gate lets the request in, as one of the edge."""
        return self._ask("http", method, path, {}, let_in=let_in)

    def status(self, path: str, fields: Mapping[str, str]) -> int | None:
        """The status of the answer to a GET of *path* with header *fields*."""
        return self._ask("http", "GET", path, fields, let_in=False).status

    def preflight(self, path: str) -> Answer:
        """Ask as a browser does before a script of another site may."""
        return self._ask("http", "OPTIONS", path, _PREFLIGHT, let_in=False)

    def handshake(self, path: str) -> Answer:
        """Ask for a WebSocket at *path*."""
        return self._ask("websocket", "GET", path, {}, let_in=False)

    def _ask(
        self, kind: str, method: str, path: str, fields: Mapping[str, str], *, let_in: bool
    ) -> Answer:
        met: list[Meeting] = []
        self._met = met
        self._lets_in = let_in
        fields = {"Host": self._host, **fields}
        if self._asgi:
            scope = _scope(kind, method, path, fields)
            status, headers, error = self._runner.run(_call_asgi(self._app, scope))
        else:
            status, headers, error = _call_wsgi(self._app, _environ(method, path, fields))
        return Answer(status, headers, list(met), error)

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Let every guard tell what it is asked; nobody is told what the doctor asks.

        At the classes, since an app may make its guards at its first request. An observer would
        see no guard of a user's own kind, and cannot let a request in.
        """
        changed = [
            (kind, name, vars(kind)[name])
            for kind, name in [
                (Observers, "decided"),
                *((kind, "check") for kind in _kinds(Guard) if "check" in vars(kind)),
            ]
        ]
        for kind, name, original in changed:
            setattr(kind, name, self._telling(original) if name == "check" else _nothing)
        try:
            yield
        finally:
            for kind, name, original in changed:
                setattr(kind, name, original)

    def _telling(self, original: Any) -> Any:  # noqa: ANN401
        def check(guard: Guard, request: Request, **options: Any) -> Verdict:  # noqa: ANN401
            met = self._met
            before = len(met)
            if self._lets_in:
                identity = EdgeIdentity(timestamp=int(time.time()), pop="XXX", key_id="doctor")
                verdict = Verdict(allowed=True, reason="ok", identity=identity)
            else:
                verdict = original(guard, request, **options)
            # A subclass may ask its parent: that is one gate.
            del met[before:]
            met.append(Meeting(guard, verdict))
            # No view runs because a gate only reports.
            return verdict if verdict.enforced else verdict._replace(allowed=False)

        return check


def _nothing(*_args: object, **_options: object) -> None:
    return None


def _kinds(kind: type[Guard]) -> list[type[Guard]]:
    return [kind, *(below for direct in kind.__subclasses__() for below in _kinds(direct))]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what an app says out of the findings."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    nowhere = io.StringIO()
    try:
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            yield
    finally:
        logging.disable(before)


_Outcome = tuple[int | None, dict[str, str], str | None]


def _scope(kind: str, method: str, path: str, fields: Mapping[str, str]) -> dict[str, Any]:
    scope: dict[str, Any] = {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "https" if kind == "http" else "wss",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in fields.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 443),
        "state": {},
        "extensions": {},
    }
    if kind == "http":
        scope["method"] = method
    else:
        scope["subprotocols"] = []
    return scope


async def _call_asgi(app: Any, scope: dict[str, Any]) -> _Outcome:  # noqa: ANN401
    first: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    waiting = (
        [{"type": "http.request", "body": b"", "more_body": False}]
        if scope["type"] == "http"
        else [{"type": "websocket.connect"}]
    )

    async def receive() -> Mapping[str, Any]:
        if waiting:
            return waiting.pop(0)
        # A client that stays and says nothing.
        await asyncio.Event().wait()
        raise AssertionError  # pragma: no cover - the wait is only ever cancelled

    async def send(message: Mapping[str, Any]) -> None:
        if not first.done():
            first.set_result(message)
        # A stream that waits for nothing else would hold the loop.
        await asyncio.sleep(0)

    async def run() -> str | None:
        try:
            await app(scope, receive, send)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - an app may do anything
            return in_words(error)
        return None

    task = asyncio.ensure_future(run())
    both: set[asyncio.Future[Any]] = {task, first}
    await asyncio.wait(both, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    if not first.done() and task.done():
        return None, {}, task.result()
    await asyncio.wait({task}, timeout=_REST if first.done() else 0)
    task.cancel()
    await asyncio.wait({task}, timeout=_REST)
    return (*_started(first.result()), None) if first.done() else (None, {}, "it did not answer")


def _started(message: Mapping[str, Any]) -> tuple[int | None, dict[str, str]]:
    if message["type"] == "websocket.accept":
        return 101, {}
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1")
        for name, value in message.get("headers") or ()
    }
    return message.get("status"), headers


def _environ(method: str, path: str, fields: Mapping[str, str]) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "443",
        "wsgi.url_scheme": "https",
        "wsgi.errors": io.StringIO(),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in fields.items()},
    }
    setup_testing_defaults(environ)
    return environ


def _call_wsgi(app: Any, environ: dict[str, Any]) -> _Outcome:  # noqa: ANN401
    started: list[tuple[int, dict[str, str]]] = []
    failed: list[str] = []

    def start_response(status: str, headers: Any, _error: object = None) -> Any:  # noqa: ANN401
        fields = {name.lower(): value for name, value in headers}
        started[:] = [(int(status.split(maxsplit=1)[0]), fields)]
        return _nothing

    def run() -> None:
        try:
            body = app(environ, start_response)
            # Some start their answer with its first part.
            next(iter(body), None)
            close = getattr(body, "close", None)
            if close is not None:
                close()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - an app may do anything
            failed.append(in_words(error))

    # Apart, since nothing ends a function that does not return.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    if started:
        return (*started[0], None)
    return None, {}, failed[0] if failed else "it did not answer"
