"""What is done with the body of a refused request: a bounded part is read and dropped.

A server that closes a connection with bytes on it that nobody read resets it, and what it had
sent may be lost with it. To nginx that is a broken origin: it answers 502 and asks this origin
nothing for ten seconds. So a body is read and dropped before the denial. Of one that is too
large or too slow for that, a part is dropped after the denial, while the other side reads it.
"""

from __future__ import annotations

import os
import socket
import stat
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping

# Bytes that are dropped of one body, before the denial and again after it. nginx takes bodies
# of 1 MiB by default.
MOST = 2 * 1024 * 1024

# For the same, however many pieces it comes in.
SECONDS = 1.0

_PIECE = 64 * 1024

# Threads that may wait, past the deadline, for a server that cannot be told to give up.
_HELPERS = threading.BoundedSemaphore(32)

# Servers that make a stream of its own for each request, which no later request is read from.
# A thread may be left behind in it.
_OWN_STREAM = frozenset({"granian", "a2wsgi"})


def owed(length: str | bytes | None, *, chunked: bool, expects: bool) -> int:
    """How many bytes of a body are to come, 0 where there is none to read.

    Args:
        length: the Content-Length as received, or None.
        chunked: whether the body comes in chunks; it is then taken for one of :data:`MOST`.
        expects: whether the client waits for a word before it sends the body. To read is to
            say that word, so there is nothing to read.
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

    In HTTP/2 a body is a stream of its own: to leave it unread harms nobody.
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


async def drop_messages(receive: Callable[[], Awaitable[Any]]) -> bool:
    """Receive a part of the body of an ASGI request and drop it; whether it is at its end.

    Never raises on what a client or a server does. Of an event loop that is neither asyncio's
    nor trio's no deadline is known, and nothing is read.
    """
    import asyncio  # noqa: PLC0415 - the other adapters do without

    with suppress(Exception):
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            with sys.modules["trio"].move_on_after(SECONDS):
                return await _receive(receive)
        else:
            async with asyncio.timeout(SECONDS):
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

    A read may block for as long as the client likes, so it is done only where it can be cut
    short: where the server tells its connection, or where a thread can be left behind. The
    others (waitress, tornado, twisted) have read the whole body before, or read the rest of it
    by themselves (Apache). Nothing here raises on what a client or a server does.

    Args:
        environ: of the request.
        read: reads what the environ's own stream would, for a body with a length; None is that
            stream's.
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
        self.ended = self._left == 0

    def drop_before_denial(self) -> None:
        """Read and drop the body, unless it is too large; :attr:`ended` tells whether all of it."""
        if not self.ended and self._left <= MOST:
            # One way: the denial is yet to be sent.
            self._drop(socket.SHUT_RD)

    def drop_after_denial(self) -> None:
        """Read and drop a part of what is left while the client reads the denial."""
        if not self.ended:
            # Both ways: what of the body comes later is then no request to the server.
            self._drop(socket.SHUT_RDWR)

    def _drop(self, how: int) -> None:
        with suppress(Exception):
            stream = self._environ["wsgi.input"]
            connection = _connection(
                self._environ.get("gunicorn.socket"), stream, getattr(stream, "rfile", None)
            )
            if connection is not None:
                self._drop_until_cut(connection, how)
            elif type(stream).__module__.partition(".")[0] in _OWN_STREAM:
                self._drop_in_a_thread()
            else:
                self.ended = True

    def _drop_until_cut(self, connection: socket.socket, how: int) -> None:
        with connection:
            if self._late:
                connection.shutdown(how)
                return
            watch = threading.Timer(SECONDS, self._cut, (connection, how))
            watch.daemon = True
            watch.start()
            try:
                self._read_on()
            finally:
                watch.cancel()
                watch.join()

    def _cut(self, connection: socket.socket, how: int) -> None:
        self._late = True
        with suppress(OSError):
            connection.shutdown(how)

    def _drop_in_a_thread(self) -> None:
        if not self._late and _HELPERS.acquire(blocking=False):
            helper = threading.Thread(target=self._read_on_apart, daemon=True)
            helper.start()
            helper.join(SECONDS)
            self._late = helper.is_alive()

    def _read_on_apart(self) -> None:
        try:
            self._read_on()
        finally:
            _HELPERS.release()

    def _read_on(self) -> None:
        with suppress(Exception):
            read = self._reader()
            most = MOST
            while most > 0:
                piece = read(min(most, _PIECE) if self._chunked else min(self._left, most, _PIECE))
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
        # Only uWSGI has another way to read chunks; elsewhere they would be read raw, with the
        # next request behind them.
        chunk: Callable[[], bytes] = sys.modules["uwsgi"].chunked_read
        return lambda _size: chunk()


def _connection(*holders: object) -> socket.socket | None:
    """A second handle of the connection that the first of *holders* is of; None for none.

    A second, so that the number of the descriptor is nobody else's while it is used.
    """
    for holder in holders:
        # A file of a buffered body has a descriptor too, and a buffer in memory raises.
        with suppress(AttributeError, OSError):
            descriptor = holder.fileno()  # type: ignore[attr-defined]
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                return socket.socket(fileno=os.dup(descriptor))
    return None
