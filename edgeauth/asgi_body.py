"""The body of an ASGI request, compared with the digest that was signed while it is received."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from edgeauth.digest import DigestedBody, nothing_comes
from edgeauth.errors import UnreadableBody

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


def compared(app: ASGIApp, body: DigestedBody, deny: ASGIApp) -> ASGIApp:
    """*app* for one request, whose *body* it gets to its end only if it is the one that was signed.

    Else it is told of a disconnect. The client gets the answer of *deny*, or half of an answer
    where *app* has begun its own. A body that is not read is not compared, but for one that
    cannot come: that is compared before *app* is called.
    """

    async def called(scope: Scope, receive: Receive, send: Send) -> None:
        if nothing_comes_by_scope(scope):
            try:
                body.end()
            except UnreadableBody:
                await deny(scope, receive, send)
                return
        # At the end of a body there is nothing to drop.
        plain = {**scope, "headers": []}
        request = _Request(body, receive, send, lambda: deny(plain, receive, send))
        try:
            await app(scope, request.receive, request.send)
        except Exception:
            if not request.denied:
                raise
            # What became of the read error that it saw. The client has its answer.
            return
        if body.refused and not (request.denied or request.answered):
            raise UnreadableBody  # the server ends the connection

    return called


class _Request:
    def __init__(
        self,
        body: DigestedBody,
        receive: Receive,
        send: Send,
        deny: Callable[[], Awaitable[None]],
    ) -> None:
        self.denied = False
        self.answered = False
        self._begun = False
        self._ended = False
        self._body = body
        self._receive = receive
        self._send = send
        self._deny = deny

    async def receive(self) -> Message:
        """The next message of the server, later by one where there is a body."""
        while True:
            if self._body.refused:
                return {"type": "http.disconnect"}
            message = await self._receive()
            if self._ended or message["type"] != "http.request":
                return message
            piece = self._body.feed(message.get("body", b""))
            if message.get("more_body"):
                if piece:
                    return {"type": "http.request", "body": piece, "more_body": True}
                continue
            self._ended = True
            try:
                piece += self._body.end()
            except UnreadableBody:
                await self._refuse()
            else:
                return {"type": "http.request", "body": piece, "more_body": False}

    async def _refuse(self) -> None:
        if self._begun:
            return
        self.denied = True
        with suppress(OSError):  # the client may have left
            await self._deny()

    async def send(self, message: Message) -> None:
        """Send *message*, unless the body was refused: then as after a disconnect."""
        if self._body.refused:
            raise UnreadableBody
        self._begun = True
        self.answered = message["type"] == "http.response.body" and not message.get("more_body")
        await self._send(message)


def nothing_comes_by_scope(scope: Scope) -> bool:
    """Whether an ASGI request has no body, as its header tells."""
    if scope["type"] == "websocket":
        return True
    fields = {name: value for name, value in scope["headers"] if name in _FRAMING}
    version = scope.get("http_version", "1.1")
    chunked = b"transfer-encoding" in fields
    return nothing_comes(fields.get(b"content-length"), version, chunked=chunked)


_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
