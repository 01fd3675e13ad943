"""One connection: HTTP/1.1 as far as questions need it, on httptools.

A question is a head. What a decision asks for is read of it, and nothing else. The first of the
questions that arrive together is answered at once, while it is parsed, without a task or a
coroutine; each other one waits for its turn of the event loop, so nobody delays others by sending
many. A decision that waits for a store is a task, and the questions behind it wait for it.

The service may be reached without a proxy in front, so there are limits:

- a head has at most :data:`MAX_HEAD_BYTES` and :data:`MAX_FIELDS`, and arrives within
  :data:`HEAD_SECONDS`, and so does the first byte on a new connection;
- a connection is idle for at most :data:`KEEP_ALIVE_SECONDS`. One whose client does not read its
  answers counts as idle, and nothing further is read from it;
- a request that cannot be parsed is refused like any other: there is no third answer;
- a request to upgrade is answered like any other and ends the connection, since what
  follows it is not HTTP;
- a request that announces a body is answered at once and ends the connection. nginx, unless
  configured otherwise, announces a body that never comes, and its next request would be taken
  for that body;
- bytes that arrive after the last answer are read and dropped for a moment, so that the answer
  is not lost in a reset: see :mod:`edgeauth.service.lingering_close`;
- a process that has nearly no descriptor left reports it, since further connections are closed,
  or not accepted, without an answer.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser, parse_url

from edgeauth.service.answer import Answer, answer_of
from edgeauth.service.descriptors import check_descriptor
from edgeauth.service.lingering_close import LingeringClose, hang_up
from edgeauth.verdict import denial

if TYPE_CHECKING:
    from edgeauth.asgi import Scope

logger = logging.getLogger("edgeauth.service")

MAX_HEAD_BYTES = 64 * 1024
MAX_FIELDS = 1000
HEAD_SECONDS = 10

# Longer than proxies keep idle connections (nginx 60 s), so that the proxy closes them and never
# asks on a connection that is being closed here.
KEEP_ALIVE_SECONDS = 75

_DENIAL = denial("GET")
_UNREADABLE = answer_of(
    _DENIAL.status,
    [(name.encode(), value.encode()) for name, value in _DENIAL.headers],
    _DENIAL.body,
)
_FAILED = answer_of(500, [(b"content-length", b"0")])


class Application(Protocol):
    """Answers questions.

    Attributes:
        waits: whether an answer may have to be waited for.
    """

    waits: bool

    def answer(self, scope: Scope) -> Answer:
        """The answer to the request of *scope*, an ASGI scope with no path that is decoded."""

    async def answer_later(self, scope: Scope) -> Answer:
        """As :meth:`answer`; other questions are answered while it waits."""

    def unreadable(self) -> None:
        """A request could not be parsed."""

    def announced_body(self) -> None:
        """A request announced a body."""


class Connection(asyncio.Protocol):
    """One connection.

    Args:
        app: answers what is asked on it.
        connections: where it is while it is open.
    """

    def __init__(self, app: Application, connections: set[Connection]) -> None:
        self._app = app
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._parser = HttpRequestParser(self)
        self._url = b""
        self._fields: list[tuple[bytes, bytes]] = []
        # The whole head that is being parsed, until it is known whether a body is announced.
        self._asked: dict[str, Any] | None = None
        self._keeps = False
        self._target, self._path, self._query = b"", b"", b""
        # Questions for later turns, each with whether the connection ends with it.
        self._waiting: deque[tuple[dict[str, Any] | None, bool]] = deque()
        self._in_turn = False
        self._busy = False
        self._task: asyncio.Task[None] | None = None
        self._read_enough = self._half_closed = self._draining = self._write_paused = False
        self._lingering: LingeringClose | None = None
        self._in_head = False
        self._head_bytes = 0
        self._timer: asyncio.TimerHandle
        self._times_head = True
        self._active_at = 0.0

    # --- the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._connections.add(self)
        self._client, self._server = _ends(transport.get_extra_info("socket"))
        check_descriptor(transport)
        self._timer = self._loop.call_later(HEAD_SECONDS, hang_up, transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - of asyncio
        self._connections.discard(self)
        self._waiting.clear()
        self._timer.cancel()
        if self._lingering is not None:
            self._lingering.end()
        del self._parser  # the two hold each other

    def eof_received(self) -> bool:
        """Keep the other half of the connection open for the answers that are due."""
        self._half_closed = self._draining = True
        return self._is_due

    def drain(self) -> None:
        """End the connection with the answer to the last question that is on it."""
        self._draining = True

    def close_if_idle(self) -> None:
        """Close the connection if nothing was asked on it, or begun to be."""
        if not self._is_due and not self._in_head and self._lingering is None:
            self._transport.close()

    @property
    def _is_due(self) -> bool:
        return self._busy or bool(self._waiting)

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        self._active_at = self._loop.time()
        self._go_on()

    # --- reading

    def data_received(self, data: bytes) -> None:
        if len(data) > MAX_HEAD_BYTES:  # a head in it would not be counted
            for start in range(0, len(data), MAX_HEAD_BYTES):
                self.data_received(data[start : start + MAX_HEAD_BYTES])
            return
        if self._lingering is not None:
            self._lingering.drop(data)
            return
        if self._read_enough:
            return
        self._in_turn = True
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            pass  # it was answered, and what follows is not read
        except HttpParserError:
            self._refuse_unreadable()
        self._in_turn = False
        if self._asked is not None:
            self._ask_with_body()
        if self._in_head:
            self._bound_head(len(data))

    def _bound_head(self, more: int) -> None:
        self._head_bytes += more
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse_unreadable()
        elif not self._times_head:
            self._set_timer(HEAD_SECONDS, hang_up, self._transport)
            self._times_head = True

    # What httptools calls.

    def on_message_begin(self) -> None:
        self._in_head = True
        self._head_bytes = 0
        self._url = b""
        self._fields = []

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._read_enough:
            return
        if not self._write_paused:
            self._active_at = self._loop.time()
        if self._times_head:
            self._set_timer(KEEP_ALIVE_SECONDS, self._check_activity)
            self._times_head = False
        if len(self._fields) > MAX_FIELDS or (self._head_bytes and self._is_long()):
            raise ValueError("too long")
        if self._url != self._target:  # most proxies ask for the same each time
            self._split_target()
        parser = self._parser
        self._keeps = (
            parser.should_keep_alive()
            and not parser.should_upgrade()
            and parser.get_http_version() != "1.0"
        )
        self._asked = {
            "type": "http",
            "method": parser.get_method().decode(),
            "raw_path": self._path,
            "query_string": self._query,
            "headers": self._fields,
            "client": self._client,
            "server": self._server,
        }

    def _is_long(self) -> bool:
        # Of a head that came in pieces; the last of them may hold the next question.
        fields = sum(len(name) + len(value) + 4 for name, value in self._fields)
        return len(self._url) + fields > MAX_HEAD_BYTES

    def _split_target(self) -> None:
        parts = parse_url(self._url)
        if not (parts.path or b"\xff").isascii():
            raise ValueError("no path of HTTP")
        self._target, self._path, self._query = self._url, parts.path, parts.query or b""

    def on_message_complete(self) -> None:
        asked, self._asked = self._asked, None
        if asked is not None:
            self._ask(asked, last=not self._keeps)

    def on_body(self, body: bytes) -> None:  # noqa: ARG002 - of httptools
        self._ask_with_body()

    def on_chunk_header(self) -> None:
        self._ask_with_body()

    def _ask_with_body(self) -> None:
        asked, self._asked = self._asked, None
        if asked is not None:
            self._app.announced_body()
            self._ask(asked, last=True)

    def _refuse_unreadable(self) -> None:
        if not self._read_enough:
            self._in_head, self._asked = False, None
            self._app.unreadable()
            self._ask(None, last=True)

    # --- answering

    def _ask(self, scope: dict[str, Any] | None, *, last: bool) -> None:
        """Answer the request of *scope*, or (None) one that cannot be parsed: now, or later."""
        self._read_enough = last
        if self._in_turn and not self._is_due and not self._write_paused:
            self._in_turn = False
            self._answer(scope, last=last)
        else:
            self._waiting.append((scope, last))
            self._transport.pause_reading()
            self._go_on()

    def _go_on(self) -> None:
        """Let the next question have its turn."""
        if self._busy or self._write_paused or self._lingering is not None:
            return
        if self._waiting:
            self._busy = True
            self._loop.call_soon(self._take_turn)
        elif not self._transport.is_closing():
            self._transport.resume_reading()

    def _take_turn(self) -> None:
        self._busy = False
        if self._waiting:  # else the connection is lost
            scope, last = self._waiting.popleft()
            self._answer(scope, last=last)
            self._go_on()

    def _answer(self, scope: dict[str, Any] | None, *, last: bool) -> None:
        if scope is None:
            self._write(_UNREADABLE, None, last=True)
        elif self._app.waits:
            self._busy = True
            self._task = self._loop.create_task(self._answer_later(scope, last=last))
        else:
            try:
                answer = self._app.answer(scope)
            except Exception:
                logger.exception("a decision failed, so it is no admission")
                answer, last = _FAILED, True
            self._write(answer, scope, last=last)

    async def _answer_later(self, scope: dict[str, Any], *, last: bool) -> None:
        try:
            answer = await self._app.answer_later(scope)
        except Exception:
            logger.exception("a decision failed, so it is no admission")
            answer, last = _FAILED, True
        self._busy = False
        self._write(answer, scope, last=last)
        self._go_on()

    def _write(self, answer: Answer, scope: dict[str, Any] | None, *, last: bool) -> None:
        if self._transport.is_closing():
            return
        last = last or (self._draining and not self._waiting and not self._in_head)
        head_only = scope is not None and scope["method"] == "HEAD"
        self._transport.write(answer.wire(head_only=head_only, last=last))
        if last:
            self._end()

    def _end(self) -> None:
        """End the connection; its last answer was written."""
        self._read_enough = True
        self._waiting.clear()
        if self._transport.is_closing() or self._lingering is not None:
            return
        if self._half_closed:
            self._transport.close()
        else:
            self._timer.cancel()
            self._lingering = LingeringClose(self._transport, self._loop)

    # --- time

    def _set_timer(self, seconds: float, call: Any, *args: Any) -> None:  # noqa: ANN401
        self._timer.cancel()
        self._timer = self._loop.call_later(seconds, call, *args)

    def _check_activity(self) -> None:
        # One timer a connection, not one a question.
        left = self._active_at + KEEP_ALIVE_SECONDS - self._loop.time()
        if left <= 0:
            hang_up(self._transport)
        else:
            self._timer = self._loop.call_later(left, self._check_activity)


_End = tuple[str, int] | None


def _ends(connection: socket.socket) -> tuple[_End, _End]:
    """The peer's address and ours, as in an ASGI scope; None where there is none."""
    if connection.family == socket.AF_UNIX:
        return None, None
    try:
        peer = connection.getpeername()[:2]
    except OSError:  # it has reset the connection
        peer = None
    return peer, connection.getsockname()[:2]
