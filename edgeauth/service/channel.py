"""Sends a state from the supervisor to a process, without either waiting for the other.

Each holds one end of a pair of sockets. The supervisor writes what the socket takes and keeps
the rest, so a process that reads nothing delays nobody, however large the state is. Only the
newest state is sent: it replaces one of which nothing was sent yet.

::

    length, 8 bytes | pickled state | length | ...
"""

from __future__ import annotations

import pickle
import socket
from struct import Struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeauth.service.state import State

_LENGTH = Struct("!Q")

# The bytes that are read at once; requests are decided between two reads.
_READ_BYTES = 256 * 1024


def pack(state: State) -> bytes:
    """*state* as the bytes that are sent."""
    body = pickle.dumps(state, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


def open_channel() -> tuple[Outbox, Inbox]:
    """The two ends of a new channel: the supervisor's and the process's.

    Raises:
        OSError: out of descriptors.
    """
    ours, theirs = socket.socketpair()
    return Outbox(ours), Inbox(theirs)


class Outbox:
    """The supervisor's end."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)  # noqa: FBT003 - no keyword there
        self._connection = connection
        self._begun = memoryview(b"")
        self._next = b""

    @property
    def waiting(self) -> bool:
        """Whether something waits until the socket takes more."""
        return bool(self._begun or self._next)

    def fileno(self) -> int:
        """For ``select``."""
        return self._connection.fileno()

    def send(self, packed: bytes) -> None:
        """Send a packed state after the one that was begun, in the place of one that was not."""
        self._next = packed
        self.flush()

    def flush(self) -> None:
        """Send what the socket takes now."""
        try:
            while self.waiting:
                if not self._begun:
                    self._begun, self._next = memoryview(self._next), b""
                self._begun = self._begun[self._connection.send(self._begun) :]
        except BlockingIOError:
            return
        except OSError:
            # The process has just died. Its replacement begins with the newest state.
            self._begun, self._next = memoryview(b""), b""

    def close(self) -> None:
        """Close this end; the other end sees that nothing more comes."""
        self._connection.close()


class Inbox:
    """The end of a worker, or of the process for operators."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)  # noqa: FBT003 - no keyword there
        self._connection = connection
        self._received = bytearray()

    def fileno(self) -> int:
        """For the event loop."""
        return self._connection.fileno()

    def receive(self) -> State | None:
        """Read what has arrived, and return the newest complete state, if there is one.

        Raises:
            EOFError: the supervisor closed its end, or is gone.
        """
        try:
            part = self._connection.recv(_READ_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            part = b""
        if not part:
            raise EOFError
        self._received += part
        newest = None
        while len(self._received) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._received)[0]
            if len(self._received) < end:
                break
            newest = bytes(self._received[_LENGTH.size : end])
            del self._received[:end]
        if newest is None:
            return None
        # Safe: it comes from the process that forked this one, and nobody else has the sockets.
        state: State = pickle.loads(newest)  # noqa: S301
        return state

    def close(self) -> None:
        """Close this end."""
        self._connection.close()
