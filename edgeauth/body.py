"""Drops the body of a refused request: a bounded part is read, the rest is left.

A server that closes a connection with unread bytes on it resets it, and the answer may be lost.
nginx then takes the origin for broken: it answers 502 and does not ask this origin for ten
seconds. So a body is read and dropped before the denial. If it is too large or too slow for that,
or cannot be read safely, the last byte of the denial comes a moment after the others: a proxy
stops sending when it sees an answer.
"""

from __future__ import annotations

import os
import socket
import stat
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping

# How many bytes of one body are dropped. nginx accepts bodies of 1 MiB by default.
MOST = 2 * 1024 * 1024

# The time for all of them; and between the denial and its last byte.
SECONDS = 1.0
GRACE = 0.1

_PIECE = 64 * 1024

# WSGI servers whose stream blocks for as long as a client likes, and that offer no way to end
# that.
_UNCUT = frozenset({"granian", "a2wsgi"})


def owed(length: str | bytes | None, *, chunked: bool, expects: bool) -> int:
    """How many bytes of a body are still to come; 0 if there are none to read.

    Args:
        length: the Content-Length as received, or None.
        chunked: whether the body comes in chunks; its length then counts as :data:`MOST`.
        expects: whether the client waits for 100 Continue before it sends the body. Reading
            would send that, so there is nothing to read.
    """
    if expects:
        return 0
    if chunked:
        return MOST
    try:
        return max(int(length or 0), 0)
    except ValueError:
        return 0


def owed_by_fields(fields: Iterable[tuple[bytes, bytes]], version: str) -> int:
    """:func:`owed` by the fields of an ASGI scope with the HTTP *version*.

    In HTTP/2 a body is a stream of its own, so it can be left unread.
    """
    if not version.startswith("1"):
        return 0
    seen = {name: value for name, value in fields if name in _TELLING}
    return owed(
        seen.get(b"content-length"),
        chunked=b"transfer-encoding" in seen,
        expects=b"expect" in seen,
    )


_TELLING = frozenset({b"content-length", b"transfer-encoding", b"expect"})


async def drop_messages(receive: Callable[[], Awaitable[Any]], seconds: float) -> bool:
    """Receive a part of the body of an ASGI request and drop it; True at the end of the body.

    Never raises, whatever a client or a server does. An event loop other than asyncio's or
    trio's has no known deadline, so nothing is read there.
    """
    import asyncio  # noqa: PLC0415 - the other adapters do not need it

    with suppress(Exception):
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            with sys.modules["trio"].move_on_after(seconds):
                return await _receive(receive)
        else:
            async with asyncio.timeout(seconds):
                return await _receive(receive)
    return False


async def _receive(receive: Callable[[], Awaitable[Any]]) -> bool:
    left = MOST
    while left > 0:
        message = await receive()
        if not message.get("more_body"):  # a disconnect has none
            return True
        left -= len(message.get("body", b"")) or 1
    return False


class Upload:
    """The body of a refused WSGI request.

    A read may block for as long as the client likes, so it is done only if the server gives access
    to its connection: shutting that down ends the read. Most other servers (waitress, tornado,
    twisted) have read the whole body already. Nothing here raises, whatever a client or a server
    does.

    Args:
        environ: the environ of the request.
        read: reads a body with a length instead of the environ's own stream, or None.
    """

    def __init__(
        self, environ: MutableMapping[str, Any], read: Callable[[int], bytes] | None = None
    ) -> None:
        self._environ = environ
        self._read = read
        self._chunked = "HTTP_TRANSFER_ENCODING" in environ
        self._left = owed(
            environ.get("CONTENT_LENGTH"),
            chunked=self._chunked,
            expects="HTTP_EXPECT" in environ,
        )
        self._late = False
        # Whether nothing more needs to be done.
        self.ended = self._left == 0
        self.headers: list[tuple[str, str]] = []

    def drop(self) -> None:
        """Read and drop the body, unless it is too large; sets :attr:`ended` at its end."""
        if self.ended:
            return
        stream = self._environ.get("wsgi.input")
        if type(stream).__module__.partition(".")[0] in _UNCUT:
            # The server closes after the answer. nginx must not send its next request there.
            self.headers.append(("Connection", "close"))
            return
        with self._connection() as connection:
            if connection is None:
                self.ended = True
            elif self._left <= MOST:
                self._drop(connection, SECONDS)

    def denied(self, denial: bytes) -> Iterator[bytes]:
        """The pieces of *denial*, for a body that has not ended."""
        # A server sends each piece before it asks for the next (PEP 3333).
        yield denial[:-1]
        with self._connection() as connection:
            if connection is None:
                time.sleep(GRACE)
            elif not self._late:
                self._drop(connection, GRACE)
        yield denial[-1:]
        # The server must not take the rest of the body for a request.
        with self._connection() as connection:
            if connection is not None and not self.ended:
                _shut(connection, socket.SHUT_RDWR)

    def _drop(self, connection: socket.socket, seconds: float) -> None:
        watch = threading.Timer(seconds, self._cut, [connection])
        watch.daemon = True
        watch.start()
        with suppress(Exception):
            self._read_on()
        watch.cancel()
        watch.join()

    def _cut(self, connection: socket.socket) -> None:
        self._late = True
        _shut(connection, socket.SHUT_RD)

    def _read_on(self) -> None:
        read = self._reader()
        most = MOST
        while most > 0:
            piece = read(_PIECE if self._chunked else min(self._left, _PIECE))
            most -= len(piece)
            if not self._chunked:
                self._left -= len(piece)
            if not piece or self._left <= 0:
                self.ended = not self._late
                return

    def _reader(self) -> Callable[[int], bytes]:
        read: Callable[[int], bytes] = self._environ["wsgi.input"].read
        if not self._chunked:
            return self._read or read
        if self._environ.get("wsgi.input_terminated"):
            return read
        # Only uWSGI has another way to read chunks. Elsewhere a read would return them raw, and
        # the next request behind them.
        chunk: Callable[[], bytes] = sys.modules["uwsgi"].chunked_read
        return lambda _size: chunk()

    @contextmanager
    def _connection(self) -> Iterator[socket.socket | None]:
        """A second handle of the connection, or None if the server gives no access to it.

        A second one, so that the descriptor cannot be reused while it is in use here.
        """
        stream = self._environ.get("wsgi.input")
        holders = (self._environ.get("gunicorn.socket"), stream, getattr(stream, "rfile", None))
        for holder in holders:
            # The file of a buffered body has a descriptor too, and a buffer in memory raises.
            with suppress(AttributeError, OSError):
                descriptor = holder.fileno()  # type: ignore[union-attr]
                if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                    connection = socket.socket(fileno=os.dup(descriptor))
                    break
        else:
            yield None
            return
        with connection:
            yield connection


def _shut(connection: socket.socket, how: int) -> None:
    with suppress(OSError):  # it may have ended by itself
        connection.shutdown(how)
