"""What is done with the body of a refused request: a bounded part is read and dropped.

A server that closes a connection with bytes on it that nobody read resets it, and what it had
sent may be lost with it. To nginx that is a broken origin: it answers 502 and asks this origin
nothing for ten seconds. So the denial is sent first, and then what comes is dropped until the
body ends, the other side has the denial and closes, or a limit is reached.
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

# Bytes of one body. nginx takes 1 MiB by default; what is larger ends when it has the denial.
MOST = 2 * 1024 * 1024

# For the whole of one body, however many pieces it comes in.
SECONDS = 1.0

_PIECE = 64 * 1024

# Threads that may wait, past the deadline, for a server that cannot be told to give up.
_HELPERS = threading.BoundedSemaphore(32)

# Servers that make a stream of its own for each request, which no later request is read from.
# A thread may be left behind in it.
_OWN_STREAM = frozenset({"granian", "a2wsgi"})


def owed(length: str | bytes | None, *, chunked: bool, expects: bool) -> int:
    """How many bytes of a body to read and drop, at most; 0 where there is none to read.

    Args:
        length: the Content-Length as received, or None.
        chunked: whether the body comes in chunks.
        expects: whether the client waits for a word before it sends the body. To read is to
            say that word, so nothing is read.
    """
    if expects:
        return 0
    if chunked:
        return MOST
    try:
        return min(max(int(length or 0), 0), MOST)
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


async def drop_messages(receive: Callable[[], Awaitable[Any]], most: int) -> None:
    """Receive the body of an ASGI request and drop it, to *most* bytes and the deadline.

    Never raises on what a client or a server does. Of an event loop that is neither asyncio's
    nor trio's no deadline is known, and nothing is read.
    """
    import asyncio  # noqa: PLC0415 - the other adapters do without

    with suppress(Exception):
        if _in_asyncio(asyncio):
            async with asyncio.timeout(SECONDS):
                await _receive(receive, most)
        else:
            with sys.modules["trio"].move_on_after(SECONDS):
                await _receive(receive, most)


def _in_asyncio(asyncio: Any) -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _receive(receive: Callable[[], Awaitable[Any]], most: int) -> None:
    more = True
    while more and most > 0:
        message = await receive()
        more = message.get("more_body", False)  # a disconnect has none
        most -= len(message.get("body", b"")) or 1


def owed_by_environ(environ: MutableMapping[str, Any]) -> int:
    """:func:`owed` by a WSGI environ."""
    return owed(
        environ.get("CONTENT_LENGTH"),
        chunked="HTTP_TRANSFER_ENCODING" in environ,
        expects="HTTP_EXPECT" in environ,
    )


def drop_stream(
    environ: MutableMapping[str, Any], most: int, read: Callable[[int], bytes] | None = None
) -> None:
    """Read the body of a WSGI request and drop it, to *most* bytes and the deadline.

    A read may block for as long as the client likes, so it is done only where it can be cut
    short: where the server tells its connection, or where a thread can be left behind. The
    others (waitress, tornado, twisted) have read the whole body before, or read the rest of it
    by themselves (cheroot, gevent, Apache). Never raises on what a client or a server does.

    Args:
        environ: of the request.
        most: bytes.
        read: reads what the environ's own stream would; None is that stream's.
    """
    with suppress(Exception):
        stream = environ["wsgi.input"]
        read = read or stream.read
        if "HTTP_TRANSFER_ENCODING" in environ and not environ.get("wsgi.input_terminated"):
            # Only uWSGI has another way to read chunks; elsewhere they would be read raw,
            # with the next request behind them.
            chunk = sys.modules["uwsgi"].chunked_read
            read = lambda _size: chunk()  # noqa: E731
        connection = _connection(environ.get("gunicorn.socket"), stream)
        if connection is not None:
            _drop_until_hung_up(read, most, connection)
        elif type(stream).__module__.partition(".")[0] in _OWN_STREAM:
            _drop_in_a_thread(read, most)


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


def _drop_until_hung_up(read: Callable[[int], bytes], most: int, connection: socket.socket) -> None:
    # Both ways: what of the body comes later is then no request to the server.
    watch = threading.Timer(SECONDS, _hang_up, [connection])
    watch.daemon = True
    watch.start()
    try:
        _read(read, most)
    finally:
        watch.cancel()
        watch.join()
        connection.close()


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _drop_in_a_thread(read: Callable[[int], bytes], most: int) -> None:
    if not _HELPERS.acquire(blocking=False):
        return

    def drop() -> None:
        try:
            _read(read, most)
        finally:
            _HELPERS.release()

    helper = threading.Thread(target=drop, daemon=True)
    helper.start()
    helper.join(SECONDS)


def _read(read: Callable[[int], bytes], most: int) -> None:
    with suppress(Exception):
        while most > 0 and (piece := read(min(most, _PIECE))):
            most -= len(piece)
