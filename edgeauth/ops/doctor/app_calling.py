"""Calls an ASGI or WSGI app in this process, as a server would call it.

No server and no network: the app gets one request without a body, and its answer ends with
its first part.
"""

from __future__ import annotations

import asyncio
import io
import threading
from typing import TYPE_CHECKING, Any
from wsgiref.util import setup_testing_defaults

from edgeauth.ops.doctor.app_loading import in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

# Seconds for one answer; a stream has begun by then.
_ANSWER_SECONDS = 5.0
# Seconds for the rest of an answer, which is ignored.
_END_SECONDS = 0.5

Outcome = tuple[int | None, dict[str, str], str | None]


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


async def call_asgi(
    app: Any,  # noqa: ANN401 - of any framework
    kind: str,
    method: str,
    path: str,
    fields: Mapping[str, str],
) -> Outcome:
    """Call *app* by ASGI; *kind* is ``http`` or ``websocket``."""
    scope = _scope(kind, method, path, fields)
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
    await asyncio.wait(both, timeout=_ANSWER_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    if not first.done() and task.done():
        return None, {}, task.result()
    await asyncio.wait({task}, timeout=_END_SECONDS if first.done() else 0)
    task.cancel()
    await asyncio.wait({task}, timeout=_END_SECONDS)
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


def call_wsgi(
    app: Any,  # noqa: ANN401 - of any framework
    method: str,
    path: str,
    fields: Mapping[str, str],
) -> Outcome:
    """Call *app* by WSGI."""
    environ = _environ(method, path, fields)
    started: list[tuple[int, dict[str, str]]] = []
    failed: list[str] = []

    def start_response(status: str, headers: Any, _error: object = None) -> Any:  # noqa: ANN401
        fields = {name.lower(): value for name, value in headers}
        started[:] = [(int(status.split(maxsplit=1)[0]), fields)]
        return lambda _data: None

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
    thread.join(_ANSWER_SECONDS)
    if started:
        return (*started[0], None)
    return None, {}, failed[0] if failed else "it did not answer"
