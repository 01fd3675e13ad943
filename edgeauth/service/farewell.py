"""The end of a connection that was answered for good, while its client may still be sending.

Closed at once, what the client sent and nobody read makes a reset of the end, in which the
answer can get lost. So its sending side is closed, and what comes is read and dropped: for
:data:`SECONDS`, up to :data:`BYTES`, and on no more than :data:`CONNECTIONS` of a process, of
which the oldest ends when there is one more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

SECONDS = 2.0
BYTES = 1024 * 1024
CONNECTIONS = 100

# From oldest to newest.
_open: dict[Farewell, None] = {}


class Farewell:
    """What happens on one connection after its last answer.

    Args:
        transport: everything to be sent was written to it.
        loop: that of the transport.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._left = BYTES
        self._timer = loop.call_later(SECONDS, self._close)
        if len(_open) >= CONNECTIONS:
            next(iter(_open))._close()  # noqa: SLF001 - of this class
        _open[self] = None
        transport.resume_reading()
        if transport.can_write_eof():
            transport.write_eof()

    def drop(self, data: bytes) -> None:
        """Take what came on the connection."""
        self._left -= len(data)
        if self._left < 0:
            self._close()

    def end(self) -> None:
        """The connection is lost."""
        self._timer.cancel()
        _open.pop(self, None)

    def _close(self) -> None:
        self.end()
        hang_up(self._transport)


def hang_up(transport: asyncio.Transport) -> None:
    """Close a connection now, though its client may not have read its answers."""
    # To close() alone, a client that never reads would be a reason to wait for ever.
    if transport.get_write_buffer_size():
        transport.abort()
    else:
        transport.close()
