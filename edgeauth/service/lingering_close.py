"""Closes a connection after its last answer, while the client may still be sending.

Closing at once would reset the connection if unread bytes are on it, and the client may lose the
answer. So the sending side is closed first, and what arrives is read and dropped: for
:data:`SECONDS`, up to :data:`BYTES`, and on at most :data:`CONNECTIONS` connections of a process.
One more ends the oldest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

SECONDS = 2.0
BYTES = 1024 * 1024
CONNECTIONS = 100

# From oldest to newest.
_open: dict[LingeringClose, None] = {}


class LingeringClose:
    """One connection after its last answer.

    Args:
        transport: the connection; its last answer was written to it.
        loop: the event loop of the transport.
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
        """Count *data*, which arrived and is dropped."""
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
    # close() alone would wait for ever for a client that never reads.
    if transport.get_write_buffer_size():
        transport.abort()
    else:
        transport.close()
