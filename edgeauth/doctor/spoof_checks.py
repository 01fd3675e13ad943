"""Whether the app believes a field that a client can write.

What stands outside of the gate may move the path or the mount point of a request by such a
field, under an exempt path. The app itself is asked, in this process: by a request without
credential, for a page that nobody has, with the fields of every kind of proxy.
"""

from __future__ import annotations

import asyncio
import io
import secrets
from typing import TYPE_CHECKING, Any

from edgeauth.doctor.finding import Finding
from edgeauth.probe.spoofable import Spoof, spoofs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# What a gate answers, or a server before it.
_REFUSED = frozenset({400, 401, 403})
_SECONDS = 10


def check_spoofed(app: Any, exempt: Iterable[str], *, is_asgi: bool) -> list[Finding]:  # noqa: ANN401
    """The sets of fields that open *app*, which refuses the same request without them.

    Args:
        app: with a gate.
        exempt: ``METHOD /exact/path`` entries that the gate lets pass.
        is_asgi: how the app is called.
    """
    ask = _ask_asgi if is_asgi else _ask_wsgi
    nowhere = f"/{secrets.token_hex(8)}"
    if ask(app, nowhere, {}) not in _REFUSED:
        return []  # nothing refuses here: said by the check of the gates
    entries = [entry for entry in exempt if not entry.startswith("WEBSOCKET ")]
    found = []
    for method, _, path in (entry.partition(" ") for entry in entries or ["GET /healthz"]):
        for spoof in spoofs(method, path):
            fields = dict(spoof.fields)
            if ask(app, spoof.path or nowhere, fields, method) not in _REFUSED:
                found.append(_finding(spoof))
    return found


def _finding(spoof: Spoof) -> Finding:
    names = ", ".join(name for name, _ in spoof.fields)
    return Finding(
        "spoofed-field",
        "error",
        f"the app lets in whoever sends these fields ({spoof.title}): {names}",
        "Something before the gate believes one of them. Take it away, or let the proxy before "
        "the app set the field in every request.",
    )


def _ask_asgi(app: Any, path: str, fields: Mapping[str, str], method: str = "GET") -> int | None:  # noqa: ANN401
    async def ask() -> int | None:
        statuses: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [
                (b"host", b"localhost"),
                *((name.lower().encode(), value.encode()) for name, value in fields.items()),
            ],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        async with asyncio.timeout(_SECONDS):
            await app(scope, receive, send)
        return statuses[0] if statuses else None

    try:
        return asyncio.run(ask())
    except Exception:  # noqa: BLE001 - past the gate anything can go wrong
        return None


def _ask_wsgi(app: Any, path: str, fields: Mapping[str, str], method: str = "GET") -> int | None:  # noqa: ANN401
    statuses: list[int] = []

    def start(status: str, _fields: object, _info: object = None) -> object:
        statuses.append(int(status[:3]))
        return lambda _data: None

    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in fields.items()},
    }
    try:
        body = app(environ, start)
        for _ in body:
            pass
        getattr(body, "close", lambda: None)()
    except Exception:  # noqa: BLE001 - past the gate anything can go wrong
        return None
    return statuses[0] if statuses else None
