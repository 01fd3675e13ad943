"""What each adapter adds to a request, beside well-known middleware of its framework."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from measure import ROUNDS, Timing, rounds, side_by_side
from report import Group, Row
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from werkzeug.middleware.proxy_fix import ProxyFix

import edgeauth
import edgeauth.asgi
import edgeauth.wsgi
from edgeauth.replay import MemoryReplayStore
from edgeauth.schemes.message_signatures import MessageSignatureScheme, MessageSigner

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "9bd1c6f0a7e84e25b3f7c1d09e5a4826"
CALLS = 500

# What a browser's request looks like when it arrives from a CDN.
FIELDS = [
    ("Host", "www.example.com"),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("Accept-Encoding", "gzip"),
    ("Accept-Language", "en-GB,en;q=0.5"),
    ("Cookie", "session=0123456789abcdef0123456789abcdef"),
    ("X-Forwarded-For", "203.0.113.9, 151.101.1.1"),
    ("Fastly-Client-IP", "203.0.113.9"),
    ("CDN-Loop", "Fastly"),
]


def guard() -> edgeauth.Guard:
    return edgeauth.Guard(edgeauth.EdgeAuthScheme([SECRET], max_age=3600))


def groups() -> list[Group]:
    value = edgeauth.sign(SECRET, pop="LHR")
    return [*_asgi(value), _wsgi(value), _django(value)]


def _asgi(value: str) -> list[Group]:
    async def bare(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401, ARG001
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})

    async def hello(_: object) -> PlainTextResponse:
        return PlainTextResponse("hello")

    async def passed(request: Any, call_next: Any) -> Any:  # noqa: ANN401
        return await call_next(request)

    app = Starlette(routes=[Route("/", hello)])
    with asyncio.Runner() as runner:

        def case(app: Any, *values: str) -> Callable[[], object]:  # noqa: ANN401
            scope = _scope(*values)
            return lambda: runner.run(_repeat(app, scope))

        gate = edgeauth.asgi.EdgeAuthMiddleware(bare, guard())
        signed = [_signed_scope(number) for number in range(CALLS)]
        scheme = MessageSignatureScheme([edgeauth.Key("edge-1", SECRET)], max_age=3600)

        def gate_with_a_store() -> edgeauth.asgi.EdgeAuthMiddleware:
            gate = edgeauth.Guard(scheme, replay=MemoryReplayStore())
            return edgeauth.asgi.EdgeAuthMiddleware(bare, gate)

        # Another store each time, which has seen none of these yet; once more than there are
        # rounds, since each case is run before anything is timed.
        gates = iter([gate_with_a_store() for _ in range(rounds(ROUNDS) + 1)])

        def once() -> object:
            return runner.run(_each(next(gates), signed))

        assert runner.run(_status(gate, _scope(value))) == 200  # noqa: PLR2004
        assert runner.run(_status(gate, _scope())) == 403  # noqa: PLR2004
        by_signature = gate_with_a_store()
        assert [runner.run(_status(by_signature, signed[0])) for _ in range(2)] == [200, 403]
        timings = side_by_side(
            {
                "bare": case(bare, value),
                "edgeauth": case(gate, value),
                "trusted host": case(TrustedHostMiddleware(bare, ["www.example.com"]), value),
                "bare, signed": lambda: runner.run(_each(bare, signed)),
                "once": once,
                "cors": case(CORSMiddleware(bare, ["https://www.example.com"]), value),
                "base": case(BaseHTTPMiddleware(bare, passed), value),
                "route": case(app, value),
                "missing": case(edgeauth.asgi.EdgeAuthMiddleware(app, guard())),
                "junk": case(edgeauth.asgi.EdgeAuthMiddleware(app, guard()), "junk"),
                "forged": case(edgeauth.asgi.EdgeAuthMiddleware(app, guard()), value[:-2] + "00"),
            },
            calls=CALLS,
        )
    added = _added(
        "Added to a request: ASGI",
        timings,
        peer=("trusted host", "Starlette TrustedHostMiddleware"),
        limit=1.0,
        others=[("cors", "Starlette CORSMiddleware"), ("base", "an empty BaseHTTPMiddleware")],
    )
    once_added = timings["once"].minus(timings["bare, signed"])
    base_added = timings["base"].minus(timings["bare"])
    added.rows.append(
        Row(
            "edgeauth, a message signature and the memory store, to that middleware",
            once_added.median,
            once_added.ratio(base_added),
            0.12,
        )
    )
    refusing = Group(
        title="Refuse a request (ASGI)",
        unit="the app's own 200",
        rows=[
            Row(label, timings[name].median, timings[name].ratio(timings["route"]))
            for name, label in (
                ("route", "a Starlette route that answers 200"),
                ("missing", "no header: 403"),
                ("junk", "junk: 403"),
                ("forged", "a forged signature: 403"),
            )
        ],
        notes=["With the log's lines, of which a flood gets few."],
    )
    return [added, refusing]


def _wsgi(value: str) -> Group:
    def bare(environ: Any, start_response: Any) -> list[bytes]:  # noqa: ANN401, ARG001
        start_response("200 OK", [])
        return [b"hello"]

    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "REMOTE_ADDR": "192.0.2.1",
        "HTTP_EDGE_AUTH": value,
        "wsgi.url_scheme": "http",
        **{f"HTTP_{name.upper().replace('-', '_')}": text for name, text in FIELDS},
    }

    def case(app: Any) -> Callable[[], object]:  # noqa: ANN401
        return lambda: [app(environ.copy(), lambda *_: None) for _ in range(CALLS)]

    gate = edgeauth.wsgi.EdgeAuthMiddleware(bare, guard())
    assert gate(environ.copy(), lambda *_: None) == [b"hello"]
    timings = side_by_side(
        {"bare": case(bare), "edgeauth": case(gate), "proxy fix": case(ProxyFix(bare))},
        calls=CALLS,
    )
    return _added(
        "Added to a request: WSGI", timings, peer=("proxy fix", "werkzeug ProxyFix"), limit=1.0
    )


def _django(value: str) -> Group:
    if not settings.configured:
        settings.configure(SECRET_KEY=SECRET)
    settings.EDGEAUTH = {"secret": SECRET, "max_age": 3600}
    django.setup()
    from django.middleware.security import SecurityMiddleware  # noqa: PLC0415 - after setup

    from edgeauth.django.middleware import EdgeAuthMiddleware  # noqa: PLC0415

    def bare(_: object) -> HttpResponse:
        return HttpResponse(b"hello")

    fields = {f"HTTP_{name.upper().replace('-', '_')}": text for name, text in FIELDS}

    def request() -> HttpRequest:
        made = HttpRequest()
        made.method, made.path, made.path_info = "GET", "/", "/"
        made.META = {"REMOTE_ADDR": "192.0.2.1", "HTTP_EDGE_AUTH": value, **fields}
        return made

    def case(app: Any) -> Callable[[], object]:  # noqa: ANN401
        return lambda: [app(request()) for _ in range(CALLS)]

    gate = EdgeAuthMiddleware(bare)
    assert gate(request()).status_code == 200  # noqa: PLR2004
    timings = side_by_side(
        {"bare": case(bare), "edgeauth": case(gate), "security": case(SecurityMiddleware(bare))},
        calls=CALLS,
    )
    return _added(
        "Added to a request: Django",
        timings,
        peer=("security", "Django SecurityMiddleware"),
        limit=1.5,
    )


def _added(
    title: str,
    timings: dict[str, Timing],
    *,
    peer: tuple[str, str],
    limit: float,
    others: list[tuple[str, str]] | None = None,
) -> Group:
    """Rows of what each case costs on top of the bare application."""
    added = {name: timing.minus(timings["bare"]) for name, timing in timings.items()}

    def row(name: str, label: str, bound: float | None = None) -> Row:
        return Row(label, added[name].median, added[name].ratio(added[peer[0]]), bound)

    return Group(
        title=title,
        unit=peer[1],
        notes=["Warm, and the application does not see the credential."],
        rows=[
            row("edgeauth", f"edgeauth for {title.rpartition(' ')[2]}, verdict attached", limit),
            row(*peer),
            *(row(*other) for other in others or ()),
        ],
    )


def _scope(*values: str) -> dict[str, Any]:
    fields = [(name.lower().encode(), text.encode()) for name, text in FIELDS]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": [*fields, *((b"edge-auth", value.encode()) for value in values)],
        "client": ("192.0.2.1", 4711),
        "server": ("192.0.2.2", 80),
        "state": {},
    }


def _signed_scope(number: int) -> dict[str, Any]:
    """A request with a signature of its own."""
    target = f"/products/{number}/pictures"
    made = MessageSigner(edgeauth.Key("edge-1", SECRET)).sign("GET", target, FIELDS[0][1])
    scope = _scope()
    scope["path"], scope["raw_path"] = target, target.encode()
    scope["headers"] += [(name.lower().encode(), text.encode()) for name, text in made.items()]
    return scope


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _repeat(app: Any, scope: dict[str, Any]) -> None:  # noqa: ANN401
    async def send(_: object) -> None:
        pass

    for _ in range(CALLS):
        # A server makes a scope for each request, and frameworks write into it.
        await app(scope.copy(), _receive, send)


async def _each(app: Any, scopes: list[dict[str, Any]]) -> None:  # noqa: ANN401
    async def send(_: object) -> None:
        pass

    for scope in scopes:
        await app(scope.copy(), _receive, send)


async def _status(app: Any, scope: dict[str, Any]) -> int:  # noqa: ANN401
    seen = []

    async def send(message: dict[str, Any]) -> None:
        seen.append(message.get("status"))

    await app(scope, _receive, send)
    return int(seen[0])
