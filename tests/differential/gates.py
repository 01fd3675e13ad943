"""The adapters, each behind whatever a server hands over, and what came of a request there.

The applications are those of ``conformance/origins``. Each environment variable that they
need is set here, so import this before them.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

os.environ.setdefault("CONFORMANCE_DECISIONS", os.devnull)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "conformance.origins.django_site")

from conformance.origins import asgi_app, django_entry, flask_app, judge, judged_service, wsgi_app
from support.vectors import SECRET

from edgeauth.service.app import DecisionApp
from edgeauth.service.counters import Counters
from edgeauth.service.state import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from differential.parsers import Arrival
    from edgeauth import Verdict
    from edgeauth.asgi import ASGIApp


@dataclass(frozen=True)
class Seen:
    """What came of one request behind one adapter.

    Attributes:
        status: of the answer.
        verdict: the guard's.
        sight: what the application told of it; None if it was not reached.
    """

    status: int
    verdict: Verdict | None
    sight: dict[str, Any] | None = None


def _wsgi(app: Callable[..., Any]) -> Callable[[Arrival], Seen]:
    def run(arrival: Arrival) -> Seen:
        assert arrival.environ is not None
        environ = {**arrival.environ, "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO()}
        started: list[str] = []
        body = app(environ, lambda status, _fields, _info=None: started.append(status))
        content = b"".join(body)
        getattr(body, "close", lambda: None)()
        return _seen(int(started[0][:3]), content)

    return run


def _asgi(app: ASGIApp, *, threads: bool = False) -> Callable[[Arrival], Seen]:
    def run(arrival: Arrival) -> Seen:
        assert arrival.scope is not None
        answering = _answer(app, dict(arrival.scope))
        if threads:
            return _LOOP.run(answering)
        # Nothing in it waits, so it needs no event loop, which would take most of the time.
        try:
            answering.send(None)
        except StopIteration as end:
            return end.value
        raise RuntimeError("the application waits")

    return run


async def _answer(app: ASGIApp, scope: dict[str, Any]) -> Seen:
    sent: list[Any] = []
    events = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        if not events:
            # The client stays, and says nothing more.
            await asyncio.get_running_loop().create_future()
        return events.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in sent[1:])
    return _seen(sent[0]["status"], content)


def _seen(status: int, content: bytes) -> Seen:
    sight = json.loads(content) if status == 200 and content else None
    return Seen(status, judge.JudgedGuard.latest, sight)


def _service() -> Callable[[Arrival], Seen]:
    # judged_service has put the judged guard into State.
    assert judged_service.state.State is State
    app = DecisionApp(State.load(1, None, {"EDGEAUTH_SECRET": SECRET}, {}), Counters(1).workers[0])

    def run(arrival: Arrival) -> Seen:
        answer = app.answer(dict(arrival.scope or {}))
        return Seen(answer.status, judge.JudgedGuard.latest)

    return run


_LOOP = asyncio.Runner()

ASGI_GATES: dict[str, Callable[[Arrival], Seen]] = {
    "asgi": _asgi(asgi_app.app),
    "django-asgi": _asgi(django_entry.asgi, threads=True),
}
WSGI_GATES: dict[str, Callable[[Arrival], Seen]] = {
    "wsgi": _wsgi(wsgi_app.app),
    "django-wsgi": _wsgi(django_entry.wsgi),
    "flask": _wsgi(flask_app.app),
}
SERVICE = _service()


def gates_of(arrival: Arrival) -> dict[str, Callable[[Arrival], Seen]]:
    """The adapters that take what the server hands over."""
    return ASGI_GATES if arrival.scope is not None else WSGI_GATES


def run(gate: Callable[[Arrival], Seen], arrival: Arrival) -> Seen:
    """What comes of *arrival* behind *gate*. Whatever it raises is a finding."""
    judge.JudgedGuard.latest = None
    return gate(arrival)
