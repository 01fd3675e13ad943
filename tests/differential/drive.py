"""Runs an application in this process on what a server's parser handed over."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from differential.parsers import Arrival
    from edgeauth.asgi import ASGIApp

    # It is given the body too.
    Run = Callable[[Arrival, bytes], "Answered"]


@dataclass(frozen=True)
class Answered:
    """What an application answered.

    Attributes:
        status: of the answer.
        fields: the names in lower case.
        content: the body.
    """

    status: int
    fields: dict[str, str]
    content: bytes


def by_wsgi(app: Callable[..., Any]) -> Run:
    """What runs a WSGI application."""

    def run(arrival: Arrival, sent: bytes = b"") -> Answered:
        assert arrival.environ is not None
        environ = {**arrival.environ, "wsgi.input": io.BytesIO(sent), "wsgi.errors": io.StringIO()}
        started: list[tuple[str, list[tuple[str, str]]]] = []
        body = app(environ, lambda status, fields, _info=None: started.append((status, fields)))
        content = b"".join(body)
        getattr(body, "close", lambda: None)()
        # What finds fault with the body starts anew.
        status, fields = started[-1]
        return Answered(int(status[:3]), {name.lower(): value for name, value in fields}, content)

    return run


def by_asgi(app: ASGIApp, *, threads: bool = False) -> Run:
    """What runs an ASGI application; with *threads* one that has some, which is slower."""

    def run(arrival: Arrival, sent: bytes = b"") -> Answered:
        assert arrival.scope is not None
        answering = _answer(app, dict(arrival.scope), sent)
        if threads or sent:
            return _LOOP.run(answering)
        # Nothing in it waits, so it needs no event loop, which would take most of the time.
        try:
            answering.send(None)
        except StopIteration as end:
            return end.value
        raise RuntimeError("the application waits")

    return run


async def _answer(app: ASGIApp, scope: dict[str, Any], sent: bytes) -> Answered:
    messages: list[Any] = []
    events = [{"type": "http.request", "body": sent, "more_body": False}]

    async def receive() -> Any:
        if not events:
            # The client stays, and says nothing more.
            await asyncio.get_running_loop().create_future()
        return events.pop()

    async def send(message: Any) -> None:
        messages.append(message)

    await app(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in messages[1:])
    fields = {
        name.decode("latin-1").lower(): value.decode("latin-1")
        for name, value in messages[0].get("headers", ())
    }
    return Answered(messages[0]["status"], fields, content)


_LOOP = asyncio.Runner()
